/* Selectors of policies in tiers, of every form, in every place of a rule: the fast engine, which reads them once and asks the index of labels, against the reader of their text, Pod by Pod. Also
 * after Pods and namespaces get other labels. */
#include "model/api/calico_selector.h"
#include "model/policy/tiers.h"
#include "sim/reachability/reach.h"
#include "tests/unit/policy_gen.h"

static const char *const texts[] = {
	"", "all()", "global()", "!all()", "app == 'web'", "app != 'web'", "env == ''", "has(tier)", "!has(tier)", "app in {'web', 'db', 'web'}", "app in {}", "app not in {'web', 'x'}",
	"app contains 'e'", "app starts with 'w'", "app ends with 'b'", "!(app == 'web' || has(role)) && env != 'prod'", "app == 'web' && (tier == 'gold' || !!has(env)) || role in {'client'}",
	"example.com/team == 'red'", "none == 'x'", "none != 'x'", "!(none contains '')", "projectcalico.org/namespace == 'ns1'", "projectcalico.org/namespace != 'ns1'", "projectcalico.org/name == 'ns0'",
	"projectcalico.org/name starts with 'ns'", "pcns.env == 'prod'", "pcns.team not in {'red'} && app != 'db'", "!has(pcns.env)", "has(pcsa.projectcalico.org/name)", "team ends with 'e' || team == 'red'",
	"projectcalico.org/orchestrator == 'k8s'", "projectcalico.org/serviceaccount in {'default'}", "pcns.projectcalico.org/name contains '1'",
};
static const struct { const char *field, *prefix; } places[] = {
	{ "{\"selector\":\"%s\"}", "" }, { "{\"namespaceSelector\":\"%s\"}", "pcns." }, { "{\"serviceAccounts\":{\"selector\":\"%s\"}}", "pcsa." }, { "{\"notSelector\":\"%s\"}", "" },
};
enum { NOT_SELECTOR = 3 };

static bool meant(const char *text, size_t place, const pair_list *l)
{
	bool is = (*places[place].prefix ? calico_selects_behind(text, places[place].prefix, true, l) : calico_selects(text, l)) > 0;

	return !*text || is != (place == NOT_SELECTOR);
}

static uint32_t differences(struct cell *cell, struct reach *r, const char *text, size_t place)
{
	uint32_t nr = reach_nr(r), wrong = 0;

	for (uint32_t to = 0; to < nr; to++) {
		const uint64_t *row = reach_row(r, to, PROTO_TCP, 80);

		for (uint32_t from = 0; from < nr; from++) {
			bool denied = from != to && meant(text, place, tier_labels_of(cell->c, reach_end(r, from)->pod, cell->a));

			wrong += denied == (row[from / 64] >> (from % 64) & 1) || denied == reach_allowed(r, from, to, PROTO_TCP, 80);
		}
	}
	return wrong;
}

static void one_selector(const char *text, size_t place, uint64_t seed)
{
	struct cell cell = cell_new(seed);
	struct pgen g = { 0 };
	struct reach *r;
	char end[256];

	pgen_cluster(&g, &cell, seed, 3, 2, 12, 0);
	pgen_apply(&g, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"says\",\"namespace\":\"ns1\",\"labels\":{\"projectcalico.org/namespace\":\"ns0\",\"projectcalico.org/serviceaccount\":\"x\","
		       "\"pcns.env\":\"prod\"}},\"spec\":{\"nodeName\":\"node0\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.244.0.99\","
		       "\"podIPs\":[{\"ip\":\"10.244.0.99\"}]}}");
	snprintf(end, sizeof(end), places[place].field, text);
	pgen_apply(&g, arena_printf(cell.a, "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":{\"name\":\"m\"},\"spec\":{\"order\":1,\"types\":[\"Ingress\"],"
				    "\"ingress\":[{\"action\":\"Deny\",\"source\":%s},{\"action\":\"Allow\"}]}}", end));
	r = reach_new(cell.c, NULL, 0);
	CU_ASSERT_EQUAL(differences(&cell, r, text, place), 0);
	for (uint32_t k = 0; k < 4; k++) {
		const struct object *like = &reach_end(r, k * 3)->pod->o;

		pgen_pod(&g, 12 + k);
		cluster_relabel(cell.c, cluster_find(cell.c, &pod_kind, reach_end(r, k)->pod->o.ns, reach_end(r, k)->pod->o.name), like->labels);
	}
	CU_ASSERT_EQUAL(differences(&cell, r, text, place), 0);
	pgen_space(&g, 1);
	CU_ASSERT_EQUAL(differences(&cell, r, text, place), 0);
	reach_free(r);
	cell_free(&cell);
}

TEST(selectors_of_tiers_mean_by_index_what_their_text_says)
{
	for (size_t k = 0; k < ARRAY_LEN(texts); k++)
		for (size_t place = 0; place < ARRAY_LEN(places); place++)
			if (strcmp(texts[k], "global()") != 0 || strcmp(places[place].prefix, "pcns.") == 0)         /* of namespaces alone */
				one_selector(texts[k], place, 900 + k);
}

/* What a Pod says of itself in the names that Calico sets counts for nothing (libcalico-go lib/backend/k8s/conversion/workload_endpoint_default.go). */
TEST(labels_that_calico_sets_are_not_the_pods_own)
{
	struct cell cell = cell_new(1);
	struct arena *a = cell.a;
	struct pair own[] = { { "app", "web" }, { "projectcalico.org/namespace", "other" }, { "projectcalico.org/orchestrator", "nomad" }, { "projectcalico.org/serviceaccount", "root" } };
	pair_list l = tier_labels(cell.c, &(pair_list){ own, 4, true }, "shop", "default", a);

	CU_ASSERT_STRING_EQUAL(label_get(&l, "projectcalico.org/namespace"), "shop");
	CU_ASSERT_STRING_EQUAL(label_get(&l, "projectcalico.org/orchestrator"), "k8s");
	CU_ASSERT_STRING_EQUAL(label_get(&l, "projectcalico.org/serviceaccount"), "default");
	CU_ASSERT_STRING_EQUAL(label_get(&l, "app"), "web");
	cell_free(&cell);
}
