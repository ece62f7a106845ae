/* Policies in tiers: NetworkPolicies in the general form against the plain evaluator of them; and random policies of all APIs against the evaluator of
 * them (tiers_gen.h): the fast engine, the reasons, and the packet walk through the chains in both rule languages. */
#include "sim/ask/question.h"
#include "sim/reachability/reach.h"
#include "tests/unit/tiers_gen.h"

static const char nobody[] = "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":{\"name\":\"m\"},\"spec\":{\"order\":%d,\"selector\":\"app == 'nobody'\"}}";

static struct plain_end plain(struct reach *r, uint32_t i)
{
	const struct reach_end *e = reach_end(r, i);

	return (struct plain_end){ e->pod, e->ip };
}

/* A policy that selects nobody: with another order NetworkPolicies are one step, with theirs each is asked alone. */
static void kubernetes_in_order(uint64_t seed, int order, bool dual)
{
	struct cell cell = cell_new(seed);
	struct pgen g = { .host_network = seed % 2, .odd = seed % 2, .dual = dual };
	uint32_t wrong = 0, nr;
	struct reach *r;
	ip_addr ext[2];

	ip_parse("203.0.113.10", &ext[0]);
	ip_parse("172.18.0.2", &ext[1]);
	pgen_cluster(&g, &cell, seed, 3, 2, 14, 6);
	pgen_apply(&g, arena_printf(cell.a, nobody, order));
	r = reach_new(cell.c, ext, 2);
	nr = reach_nr(r);
	for (size_t q = 0; q < ARRAY_LEN(pgen_probes); q++)
		for (uint32_t to = 0; to < nr; to++) {
			const uint64_t *row = reach_row(r, to, pgen_probes[q].proto, pgen_probes[q].port);

			for (uint32_t from = 0; from < nr; from++) {
				struct plain_end f = plain(r, from), t = plain(r, to);

				wrong += plain_allowed(cell.c, &f, &t, pgen_probes[q].proto, pgen_probes[q].port) != (row[from / 64] >> (from % 64) & 1);
			}
		}
	CU_ASSERT_EQUAL(wrong, 0);
	for (int k = 0; k < 60; k++) {
		uint32_t from = pgen_below(&g, nr), to = pgen_below(&g, nr), q = pgen_below(&g, (uint32_t)ARRAY_LEN(pgen_probes));
		struct reach_why why = reach_explain(r, from, to, pgen_probes[q].proto, pgen_probes[q].port, cell.a);
		struct plain_end f = plain(r, from), t = plain(r, to);

		CU_ASSERT_EQUAL(plain_allowed(cell.c, &f, &t, pgen_probes[q].proto, pgen_probes[q].port), why.allowed);
		CU_ASSERT_EQUAL(why.allowed, why.itself || (why.in && why.out));
	}
	reach_free(r);
	cell_free(&cell);
}

TEST(network_policies_are_one_step_between_tiers)
{
	for (uint64_t seed = 301; seed <= 330; seed++)
		kubernetes_in_order(seed, 500 + (int)(seed % 2) * 1000, seed % 3 == 0);
}

TEST(network_policies_are_policies_of_tier_default)
{
	for (uint64_t seed = 331; seed <= 360; seed++)
		kubernetes_in_order(seed, 1000, seed % 3 == 0);
}

/* ---- random policies */

static void engine_agrees(struct reach *r, struct cell *cell, const struct drawn *v, uint64_t seed)
{
	uint32_t nr = reach_nr(r), wrong = 0, denied = 0;

	for (size_t q = 0; q < ARRAY_LEN(pgen_probes); q++) {
		uint64_t allowed = 0;

		for (uint32_t to = 0; to < nr; to++) {
			const uint64_t *row = reach_row(r, to, pgen_probes[q].proto, pgen_probes[q].port);

			for (uint32_t from = 0; from < nr; from++) {
				struct plain_end f = plain(r, from), t = plain(r, to);
				bool want = judged_pair(cell->c, v, &f, &t, pgen_probes[q].proto, pgen_probes[q].port), have = row[from / 64] >> (from % 64) & 1;

				allowed += have && from < nr - reach_nr_external(r) && to < nr - reach_nr_external(r);
				denied += !want;
				if (want != have && wrong++ < 2) {
					fprintf(stderr, "\nseed %" PRIu64 ": %s → %s %u/%s: want %d\n", seed, reach_name(r, from, cell->a), reach_name(r, to, cell->a), pgen_probes[q].port, pgen_probes[q].word, want);
					for (uint32_t k = 0; k < POLICIES; k++)
						fprintf(stderr, "  %s\n", v[k].name);
				}
			}
		}
		CU_ASSERT_EQUAL(reach_sum(r, pgen_probes[q].proto, pgen_probes[q].port).allowed, allowed);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(denied > 0);
	CU_ASSERT_FALSE(reach_may_be_unknown(r));
}

static void reasons_agree(struct reach *r, struct cell *cell, const struct drawn *v, struct pgen *g)
{
	for (int k = 0; k < 60; k++) {
		uint32_t from = pgen_below(g, reach_nr(r)), to = pgen_below(g, reach_nr(r)), q = pgen_below(g, (uint32_t)ARRAY_LEN(pgen_probes));
		struct reach_why why = reach_explain(r, from, to, pgen_probes[q].proto, pgen_probes[q].port, cell->a);
		struct plain_end f = plain(r, from), t = plain(r, to);

		CU_ASSERT_EQUAL(judged_pair(cell->c, v, &f, &t, pgen_probes[q].proto, pgen_probes[q].port), why.allowed);
		CU_ASSERT_EQUAL(why.allowed, why.itself || (why.in && why.out));
		CU_ASSERT_PTR_NULL(why.unknown);
	}
}

TEST(engine_and_reasons_agree_on_policies_in_tiers)
{
	for (uint64_t seed = 401; seed <= 460; seed++) {
		struct cell cell = cell_new(seed);
		struct pgen g = { .host_network = seed % 2 };
		struct drawn v[POLICIES];
		struct reach *r;
		ip_addr ext[2];

		cell.lax = true;                /* also what no API server takes has one meaning */
		ip_parse("203.0.113.10", &ext[0]);
		ip_parse("172.18.0.2", &ext[1]);
		pgen_cluster(&g, &cell, seed, 3, 2, 14, seed % 3 == 0 ? 0 : 4);
		draw_all(&g, v);
		r = reach_new(cell.c, ext, 2);
		engine_agrees(r, &cell, v, seed);
		reasons_agree(r, &cell, v, &g);
		reach_free(r);
		cell_free(&cell);
	}
}

static void walk_agrees(uint64_t seed, const char *mode)
{
	struct world_options opt = { .ask = true };
	struct cell cell = { .a = arena_new(NULL, "cell"), .lax = true };
	struct pgen g = { .host_network = seed % 2 };
	uint32_t wrong = 0, asked = 0;
	struct drawn v[POLICIES];
	struct reach *r;
	struct world w;

	opt.flags.no_defaults = true;
	world_init(&w, &opt);
	cell.c = w.cluster;
	g.cell = &cell;
	pgen_apply(&g, arena_printf(cell.a, "{\"apiVersion\":\"kubeproxy.config.k8s.io/v1alpha1\",\"kind\":\"KubeProxyConfiguration\",\"mode\":\"%s\"}", mode));
	pgen_cluster(&g, &cell, seed, 3, 2, 14, seed % 3 == 0 ? 0 : 4);
	draw_all(&g, v);
	world_settle(&w, &opt);
	r = reach_new(w.cluster, NULL, 0);
	for (int k = 0; k < 60; k++) {
		uint32_t from = pgen_below(&g, reach_nr(r)), to = pgen_below(&g, reach_nr(r)), q = pgen_below(&g, (uint32_t)ARRAY_LEN(pgen_probes));
		struct plain_end f = plain(r, from), t = plain(r, to);
		struct question question = { .ns = "default", .proto = pgen_probes[q].proto };
		struct answer answer;
		struct err err = { 0 };
		bool want, have;

		if (!t.pod || t.pod->spec->host_network || f.pod == t.pod)
			continue;
		question.l4 = question.proto == PROTO_UDP ? L4_UDP : question.proto == PROTO_SCTP ? L4_SCTP : L4_TCP;
		question.from = arena_printf(cell.a, "pod/%s", reach_name(r, from, cell.a));
		question.to = arena_printf(cell.a, "%s:%u", IP(t.ip), pgen_probes[q].port);
		want = judged_pair(w.cluster, v, &f, &t, pgen_probes[q].proto, pgen_probes[q].port);
		if (!question_ask(&w, &question, cell.a, &answer, &err)) {
			err_print(&err, stderr);
			err_free(&err);
			CU_ASSERT(false);
			continue;
		}
		asked++;
		have = answer.v[0].verdict == V_DELIVERED && answer.v[0].answered;
		CU_ASSERT(have || answer.v[0].verdict == V_DROPPED);
		if (have != want && wrong++ < 2)
			fprintf(stderr, "\nseed %" PRIu64 ": %s → %s (%s) %s: walk says %s (%s), policies say %d\n", seed, question.from, question.to, reach_name(r, to, cell.a), pgen_probes[q].word,
				verdict_names[answer.v[0].verdict], answer.v[0].reason ? answer.v[0].reason : "", want);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(asked > 20);
	reach_free(r);
	world_free(&w);
	err_free(&cell.err);
	arena_free(cell.a);
}

TEST(walk_agrees_on_policies_in_tiers)
{
	for (uint64_t seed = 461; seed <= 500; seed++)
		walk_agrees(seed, seed % 2 ? "nftables" : "iptables");
}

/* ---- what cannot be told */

#define CALICO "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":{\"name\":\"m\"},\"spec\":%s}"
#define CLUSTER_WIDE "{\"apiVersion\":\"policy.networking.k8s.io/v1alpha2\",\"kind\":\"ClusterNetworkPolicy\",\"metadata\":{\"name\":\"m\"},\"spec\":{\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"namespaces\":{}}," \
		     "\"ingress\":[{\"action\":\"Deny\",\"from\":[{\"namespaces\":{}}],\"protocols\":[%s]}]}}"
#define ADMIN "{\"apiVersion\":\"policy.networking.k8s.io/v1alpha1\",\"kind\":\"AdminNetworkPolicy\",\"metadata\":{\"name\":\"m\"},\"spec\":{\"priority\":1,\"subject\":{\"namespaces\":{}}," \
	      "\"ingress\":[{\"action\":\"Deny\",\"from\":[{\"namespaces\":{}}],\"ports\":[%s]}]}}"

static uint32_t doubts_agree(const char *document, const char *spec)
{
	struct cell cell = cell_new(7);
	struct pgen g = { .host_network = false };
	uint32_t doubtful = 0;
	struct reach *r;

	cell.lax = true;                        /* as an import takes them */
	pgen_cluster(&g, &cell, 7, 3, 2, 8, 2);
	pgen_apply(&g, "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"Tier\",\"metadata\":{\"name\":\"on\"},\"spec\":{\"order\":5,\"defaultAction\":\"Pass\"}}");
	pgen_apply(&g, arena_printf(cell.a, document, spec));
	r = reach_new(cell.c, NULL, 0);
	for (uint32_t k = 0; k < reach_nr(r) * reach_nr(r); k++) {
		uint32_t from = k / reach_nr(r), to = k % reach_nr(r);
		struct reach_why why = reach_explain(r, from, to, PROTO_TCP, 80, cell.a), alone = policy_why(cell.c, reach_end(r, from), reach_end(r, to), PROTO_TCP, 80, cell.a);

		CU_ASSERT_EQUAL(reach_unknown(r, from, to, PROTO_TCP, 80), why.unknown != NULL);
		CU_ASSERT_EQUAL(alone.unknown != NULL, why.unknown != NULL);
		CU_ASSERT_EQUAL(alone.allowed, why.allowed);
		doubtful += why.unknown != NULL;
	}
	reach_free(r);
	cell_free(&cell);
	return doubtful;
}

TEST(engine_and_reasons_doubt_the_same)
{
	static const struct { const char *spec; bool doubtful; } rows[] = {
		{ "{\"order\":1,\"selector\":\"app =~ 'web'\",\"types\":[\"Ingress\"]}", true },
		{ "{\"order\":1,\"selector\":\"app =~ 'web'\",\"types\":[\"Ingress\"],\"tier\":\"on\"}", false },
		{ "{\"order\":1,\"selector\":\"app =~ 'web'\",\"types\":[\"Egress\"],\"tier\":\"on\",\"egress\":[{\"action\":\"Deny\"}]}", true },
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"action\":\"Allow\",\"source\":{\"selector\":\"app =~ 'web'\"}}]}", true },
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"action\":\"Allow\",\"source\":{\"notSelector\":\"app\"}}]}", true },
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"action\":\"allowed\"}]}", true },
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"ports\":[65616]}}]}", true },     /* 80, if it were cut to 16 bits */
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"ports\":[\"90:70\"]}}]}", true },
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"action\":\"Allow\",\"source\":{\"nets\":[\"here\"]}}]}", true },
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"ports\":[\"70:90\",443]}}]}", false },
		{ "{\"order\":1,\"types\":[\"Ingress\"],\"ingress\":[{\"destination\":{}}]}", false },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		CU_ASSERT_EQUAL(doubts_agree(CALICO, rows[k].spec) > 0, rows[k].doubtful);
}

TEST(what_is_no_port_is_doubted)
{
	static const struct { const char *document, *ports; bool doubtful; } rows[] = {
		{ CLUSTER_WIDE, "{\"tcp\":{\"destinationPort\":{\"number\":80}}}", false },
		{ CLUSTER_WIDE, "{\"tcp\":{\"destinationPort\":{\"range\":{\"start\":70,\"end\":90}}}}", false },
		{ CLUSTER_WIDE, "{\"tcp\":{}}", false },
		{ CLUSTER_WIDE, "{\"tcp\":{\"destinationPort\":{\"number\":65616}}}", true },              /* 80, if it were cut to 16 bits */
		{ CLUSTER_WIDE, "{\"tcp\":{\"destinationPort\":{\"range\":{\"start\":90,\"end\":70}}}}", true },
		{ CLUSTER_WIDE, "{\"tcp\":{\"destinationPort\":{\"range\":{\"start\":70}}}}", true },
		{ ADMIN, "{\"portNumber\":{\"protocol\":\"TCP\",\"port\":80}}", false },
		{ ADMIN, "{\"portNumber\":{\"protocol\":\"TCP\",\"port\":65616}}", true },
		{ ADMIN, "{\"portRange\":{\"protocol\":\"TCP\",\"start\":1,\"end\":65536}}", true },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		CU_ASSERT_EQUAL(doubts_agree(rows[k].document, rows[k].ports) > 0, rows[k].doubtful);
}
