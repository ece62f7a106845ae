/* The fast engine against the plain evaluator: from scratch, and through changes of all kinds. */
#include "sim/reachability/reach.h"
#include "tests/unit/policy_gen.h"

static struct plain_end plain(struct reach *r, uint32_t i)
{
	const struct reach_end *e = reach_end(r, i);

	return (struct plain_end){ e->pod, e->ip };
}

static uint64_t all_pairs_agree(struct reach *r, struct cluster *c, uint64_t seed, const char *when)
{
	uint32_t nr = reach_nr(r), wrong = 0;
	uint64_t allowed = 0;
	struct arena *a = arena_new(NULL, "names");

	for (size_t q = 0; q < ARRAY_LEN(pgen_probes); q++)
		for (uint32_t to = 0; to < nr; to++) {
			const uint64_t *row = reach_row(r, to, pgen_probes[q].proto, pgen_probes[q].port);

			for (uint32_t from = 0; from < nr; from++) {
				struct plain_end f = plain(r, from), t = plain(r, to);
				bool want = plain_allowed(c, &f, &t, pgen_probes[q].proto, pgen_probes[q].port), have = row[from / 64] >> (from % 64) & 1;

				allowed += want && from < nr && f.pod && t.pod;
				if (want != have && wrong++ < 3)
					fprintf(stderr, "\nseed %" PRIu64 ", %s: %s → %s %u/%s: want %d\n", seed, when, reach_name(r, from, a), reach_name(r, to, a), pgen_probes[q].port,
						pgen_probes[q].word, want);
			}
		}
	CU_ASSERT_EQUAL(wrong, 0);
	arena_free(a);
	return allowed;
}

static void single_pairs_agree(struct reach *r, struct cluster *c, struct pgen *g, uint32_t n)
{
	uint32_t nr = reach_nr(r);

	for (uint32_t k = 0; k < n; k++) {
		uint32_t from = pgen_below(g, nr), to = pgen_below(g, nr), q = pgen_below(g, (uint32_t)ARRAY_LEN(pgen_probes));
		struct plain_end f = plain(r, from), t = plain(r, to);

		CU_ASSERT_EQUAL(reach_allowed(r, from, to, pgen_probes[q].proto, pgen_probes[q].port), plain_allowed(c, &f, &t, pgen_probes[q].proto, pgen_probes[q].port));
	}
}

static uint32_t outside(ip_addr out[4])
{
	ip_parse("203.0.113.10", &out[0]);
	ip_parse("172.18.0.2", &out[1]);        /* a node */
	ip_parse("2001:db8::10", &out[2]);
	return 3;
}

static void compare(uint64_t seed, bool host, bool dual, bool six, uint32_t pods, uint32_t policies)
{
	struct cell cell = cell_new(seed);
	struct pgen g = { .host_network = host, .odd = host, .dual = dual, .six = six };
	struct reach *r;
	ip_addr ext[4];

	pgen_cluster(&g, &cell, seed, 3, 2, pods, policies);
	r = reach_new(cell.c, ext, outside(ext));
	all_pairs_agree(r, cell.c, seed, "from scratch");
	single_pairs_agree(r, cell.c, &g, 50);
	reach_free(r);
	cell_free(&cell);
}

TEST(reach_agrees_with_the_plain_evaluator)
{
	for (uint64_t seed = 1; seed <= 120; seed++)
		compare(seed, false, false, false, 12, 5);
}

TEST(reach_agrees_on_what_kubernetes_leaves_open)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		compare(seed, true, false, false, 18, 5);
		compare(seed, true, true, false, 15, 5);
		compare(seed, false, false, true, 12, 5);
	}
}

/* Enough Pods in a namespace that selectors are looked up by their labels, and enough sets that a question leaves some out; and the sum of all pairs, which is made
 * from classes. */
TEST(reach_agrees_where_namespaces_are_large)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct cell cell = cell_new(seed);
		struct pgen g = { .host_network = seed % 2, .odd = seed % 2, .dual = seed % 3 == 0 };
		uint64_t allowed = 0;
		struct reach *r;

		pgen_cluster(&g, &cell, seed, 3, 2, 75, 14);
		r = reach_new(cell.c, NULL, 0);
		for (size_t q = 0; q < ARRAY_LEN(pgen_probes); q++)
			allowed += reach_sum(r, pgen_probes[q].proto, pgen_probes[q].port).allowed;
		CU_ASSERT_EQUAL(allowed, all_pairs_agree(r, cell.c, seed, "large"));
		reach_free(r);
		cell_free(&cell);
	}
}

/* Of many Pods only a few are looked at beforehand: one with two addresses among the others is met later. */
TEST(reach_finds_the_only_pod_of_two_families)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct cell cell = cell_new(seed);
		struct pgen g = { 0 };
		struct object_list l;
		struct reach *r;

		pgen_cluster(&g, &cell, seed, 3, 2, 140, 5);
		l = cluster_list(cell.c, &pod_kind);
		cluster_set_pod_ip(cell.c, (struct pod *)l.v[seed * 3 + 1], ((struct pod *)l.v[seed * 3 + 1])->ip, (ip_addr){ 0xfd00001002440000u, 200 + seed }, 0);
		pgen_apply(&g, "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"six\",\"namespace\":\"ns1\"},\"spec\":{\"podSelector\":{},\"ingress\":[{\"from\":[{\"ipBlock\":{\"cidr\":\"fd00:10:244::/48\"}}]}]}}");
		r = reach_new(cell.c, NULL, 0);
		all_pairs_agree(r, cell.c, seed, "one of two families");
		reach_free(r);
		cell_free(&cell);
	}
}

static const struct pod *some_pod(struct cluster *c, struct pgen *g)
{
	struct object_list l = cluster_list(c, &pod_kind);

	return l.nr ? (const struct pod *)l.v[pgen_below(g, l.nr)] : NULL;
}

static void change_something(struct pgen *g, struct cluster *c)
{
	struct object_list np = cluster_list(c, &network_policy_kind);
	struct object *pod = (struct object *)(uintptr_t)some_pod(c, g);

	switch (pgen_below(g, 8)) {
	case 0:
		if (np.nr)
			cluster_remove(c, np.v[pgen_below(g, np.nr)]);
		break;
	case 1:
		pgen_policy(g, g->policies++);
		break;
	case 2:
		if (pod && cluster_count(c, &pod_kind) > 4)
			cluster_remove(c, pod);
		break;
	case 3:
		pgen_pod(g, g->pods++);
		break;
	case 4:                                 /* other labels */
		if (pod) {
			const struct pod *like = some_pod(c, g);

			cluster_relabel(c, pod, like->o.labels);
		}
		break;
	case 5:
		pgen_space(g, pgen_below(g, g->spaces));
		break;
	case 6:                                 /* another address */
		if (pod)
			cluster_set_pod_ip(c, (struct pod *)pod, ip_from4(0x0af40000u + pgen_below(g, 3) * 256 + 100 + pgen_below(g, 100)), (ip_addr){ 0 }, 0);
		break;
	case 7:                                 /* a policy says of others what another one says of its own */
		if (np.nr) {
			struct network_policy *p = (struct network_policy *)np.v[pgen_below(g, np.nr)], *like = (struct network_policy *)np.v[pgen_below(g, np.nr)];

			if (pgen_below(g, 2))
				p->pods = like->pods;
			p->types = like->types;
			p->ingress = like->ingress;
			p->egress = like->egress;
			cluster_touch(c, &p->o);
		}
		break;
	}
}

TEST(reach_follows_every_change)
{
	for (uint64_t seed = 1; seed <= 25; seed++) {
		struct cell cell = cell_new(seed);
		struct pgen g = { .host_network = seed % 3 == 0, .dual = seed % 5 == 0 };
		struct reach *r, *fresh;
		ip_addr ext[4];

		pgen_cluster(&g, &cell, seed, 3, 3, 14, 6);
		r = reach_new(cell.c, ext, outside(ext));
		for (int step = 0; step < 40; step++) {
			size_t q = (size_t)step / 8 % ARRAY_LEN(pgen_probes);

			reach_count(r, pgen_probes[q].proto, pgen_probes[q].port);      /* from now on it is kept */
			change_something(&g, cell.c);
			fresh = reach_new(cell.c, ext, outside(ext));
			CU_ASSERT_EQUAL(reach_count(r, pgen_probes[q].proto, pgen_probes[q].port), reach_count(fresh, pgen_probes[q].proto, pgen_probes[q].port));
			reach_free(fresh);
			if (step % 5 == 4)
				all_pairs_agree(r, cell.c, seed, arena_printf(cell.a, "after %d changes", step + 1));
		}
		reach_free(r);
		cell_free(&cell);
	}
}
