/* The rows of the scheduler's plugins' own tables (pkg/scheduler/framework/plugins/…/…_test.go, named in each row), as they stand there: units/18. Rows of other configurations, and those in
 * which another plugin would refuse a node that is to be scored, are left out. */
#include "model/control/scheduler.h"
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

static struct cell begin(const struct val *row)
{
	struct cell x = cell_new(1);

	x.lax = true;
	VAL_EACH(o, val_get(row, "objects"))
		CASE_ASSERT(row, cell_doc(&x, o) != APPLY_ERROR);
	if (err_any(&x.err))
		err_print(&x.err, stderr);
	cell_settle(&x);
	CASE_ASSERT(row, cell_pod(&x, "p") != NULL);
	return x;
}

static uint32_t score_of(const char *plugin)
{
	for (uint32_t k = 0; k < NR_SCORES; k++)
		if (strcmp(score_plugins[k].name, plugin) == 0)
			return k;
	CU_FAIL("no such plugin");
	return 0;
}

static void score(const struct val *row)
{
	struct cell x = begin(row);
	uint32_t plugin = score_of(val_str_at(row, "score"));
	struct score_card *v;
	uint32_t nr = scheduler_scores(x.t, cell_pod(&x, "p"), x.a, &v);

	CASE_ASSERT(row, nr == val_get(row, "want")->nr);
	for (uint32_t k = 0; k < nr; k++) {
		int64_t want = val_int_or(val_get(val_get(row, "want"), v[k].node->name), -1);

		CASE_ASSERT(row, v[k].v[plugin] == want);
		if (v[k].v[plugin] != want)
			fprintf(stderr, "  %s has %" PRId64 ", not %" PRId64 "\n", v[k].node->name, v[k].v[plugin], want);
	}
	cell_free(&x);
}

/* What each plugin says; the first that refuses is the only one that is heard. */
static const struct { const char *plugin, *reasons[3]; } words[] = {
	{ "podtopologyspread", { "node(s) didn't match pod topology spread constraints", "node(s) didn't match pod topology spread constraints (missing required label)", NULL } },
	{ "interpodaffinity", { "node(s) didn't match pod affinity rules", "node(s) didn't match pod anti-affinity rules", "node(s) didn't satisfy existing pods anti-affinity rules" } },
	{ "nodeaffinity", { "node(s) didn't match Pod's node affinity/selector", NULL, NULL } },
	{ "tainttoleration", { "node(s) had untolerated taint(s)", NULL, NULL } },
	{ "noderesources", { "Insufficient ", "Too many pods", NULL } },
};

static bool says(const char *plugin, const char *why)
{
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		for (size_t i = 0; strcmp(words[k].plugin, plugin) == 0 && i < 3; i++)
			if (words[k].reasons[i] && strncmp(words[k].reasons[i], why, strlen(words[k].reasons[i])) == 0)
				return true;
	return false;
}

/* How many nodes were compared: not those that another plugin refuses. */
static uint32_t filter(const struct val *row)
{
	struct cell x = begin(row);
	struct look l = { .t = x.t, .x = scheduler_of(x.t), .pod = cell_pod(&x, "p"), .scratch = x.a };
	const char *plugin = val_str_at(row, "filter");
	uint32_t compared = 0;

	scheduler_list_nodes(x.t);
	l.demand = demand_for(x.t, l.pod->spec);
	look_round(&l);
	for (uint32_t k = 0; k < l.x->nr; k++) {
		const char *why[MAX_LACKS], *want = val_str_at(val_get(row, "want"), l.x->node[k]->name), *got = "Success";
		bool resolvable = false;
		uint32_t nr = look_problems(&l, l.x->node[k], why, &resolvable), said = 0;

		VAL_EACH(reason, val_get(row, "reasons"))
			CASE_ASSERT(row, said < nr && strcmp(why[said++], reason->s) == 0);
		CASE_ASSERT(row, !val_get(row, "reasons") || said == nr);
		if (nr) {
			if (!says(plugin, why[0])) {
				CASE_ASSERT(row, !says("podtopologyspread", why[0]) && !says("interpodaffinity", why[0]));
				continue;
			}
			got = resolvable ? "Unschedulable" : "UnschedulableAndUnresolvable";
		}
		compared++;
		CASE_ASSERT(row, want && strcmp(got, want) == 0);
		if (!want || strcmp(got, want) != 0)
			fprintf(stderr, "  %s: %s, not %s\n", l.x->node[k]->name, got, want ? want : "(nothing)");
	}
	cell_free(&x);
	return compared;
}

TEST(the_scheduler_does_what_each_row_of_its_tables_says)
{
	struct arena *a = arena_new(NULL, "test");
	uint32_t scored = 0, compared = 0;

	VAL_EACH(row, unit_cases(a, "18-scheduler")) {
		if (val_get(row, "score")) {
			score(row);
			scored++;
		} else {
			compared += filter(row);
		}
	}
	CU_ASSERT(scored >= 58);
	CU_ASSERT(compared >= 160);
	arena_free(a);
}
