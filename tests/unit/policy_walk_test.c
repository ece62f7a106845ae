/* Three ways to one answer: the packet walk through the chains that are written for policies, the fast engine, and the plain evaluator; on random clusters, IPv4 and
 * IPv6, in both rule languages. */
#include <stdlib.h>

#include "sim/ask/question.h"
#include "sim/reachability/reach.h"
#include "tests/unit/policy_gen.h"

struct tried { uint32_t asked, wrong; };

static const char *port_end(struct arena *a, ip_addr ip, uint16_t port)
{
	return arena_printf(a, ip_is4(ip) ? "%s:%u" : "[%s]:%u", IP(ip), port);
}

/* Delivered or dropped; every container listens on all ports that are asked. */
static void ask(struct world *w, struct reach *r, struct pgen *g, uint64_t seed, struct tried *t, struct arena *a)
{
	uint32_t nr = reach_nr(r), from = pgen_below(g, nr), to = pgen_below(g, nr), q = pgen_below(g, (uint32_t)ARRAY_LEN(pgen_probes));
	const struct reach_end *f = reach_end(r, from), *d = reach_end(r, to);
	struct question question = { .ns = "default", .proto = pgen_probes[q].proto };
	struct plain_end pf = { f->pod, f->ip }, pd = { d->pod, d->ip };
	bool fast, plain, walked;
	struct answer answer;
	struct err err = { 0 };

	if (!f->pod || !d->pod || d->pod->spec->host_network)
		return;
	question.l4 = question.proto == PROTO_UDP ? L4_UDP : question.proto == PROTO_SCTP ? L4_SCTP : L4_TCP;
	question.from = arena_printf(a, "pod/%s", reach_name(r, from, a));
	question.to = port_end(a, d->ip, pgen_probes[q].port);
	fast = reach_allowed(r, from, to, pgen_probes[q].proto, pgen_probes[q].port);
	plain = plain_allowed(w->cluster, &pf, &pd, pgen_probes[q].proto, pgen_probes[q].port);
	CU_ASSERT_EQUAL(fast, plain);
	if (!question_ask(w, &question, a, &answer, &err)) {
		err_print(&err, stderr);
		err_free(&err);
		CU_ASSERT(false);
		return;
	}
	t->asked++;
	walked = answer.v[0].verdict == V_DELIVERED && answer.v[0].answered;
	CU_ASSERT(walked || answer.v[0].verdict == V_DROPPED);
	if (walked != plain && t->wrong++ < 3)
		fprintf(stderr, "\nseed %" PRIu64 ": %s → %s (%s) %s: walk says %s (%s), policies say %d\n", seed, question.from, question.to, reach_name(r, to, a), pgen_probes[q].word,
			verdict_names[answer.v[0].verdict], answer.v[0].reason ? answer.v[0].reason : "", plain);
}

static void compare(uint64_t seed, bool host, bool six, const char *mode)
{
	struct world_options opt = { .ask = true };
	struct cell cell = { .a = arena_new(NULL, "cell") };
	struct pgen g = { .host_network = host, .six = six };
	struct tried t = { 0 };
	struct reach *r;
	struct world w;

	opt.flags.no_defaults = true;
	world_init(&w, &opt);
	cell.c = w.cluster;
	g.cell = &cell;
	pgen_apply(&g, arena_printf(cell.a, "{\"apiVersion\":\"kubeproxy.config.k8s.io/v1alpha1\",\"kind\":\"KubeProxyConfiguration\",\"mode\":\"%s\"}", mode));
	if (six)
		pgen_apply(&g, "{\"apiVersion\":\"kubeadm.k8s.io/v1beta4\",\"kind\":\"ClusterConfiguration\",\"networking\":{\"podSubnet\":\"fd00:10:244::/48\",\"serviceSubnet\":\"fd00:10:96::/112\"}}");
	pgen_cluster(&g, &cell, seed, 3, 2, 12, 6);
	world_settle(&w, &opt);
	r = reach_new(w.cluster, NULL, 0);
	for (int k = 0; k < 60; k++)
		ask(&w, r, &g, seed, &t, cell.a);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT(t.asked > 20);
	reach_free(r);
	world_free(&w);
	err_free(&cell.err);
	arena_free(cell.a);
}

/* SEEDS in the environment (make soak): how many clusters for each. */
static uint64_t clusters(uint64_t usual)
{
	const char *n = getenv("SEEDS");

	return n ? strtoull(n, NULL, 10) : usual;
}

TEST(walk_and_engine_agree_in_nftables)
{
	for (uint64_t seed = 1; seed <= clusters(100); seed++)
		compare(seed, seed % 2, false, "nftables");
}

TEST(walk_and_engine_agree_in_iptables)
{
	for (uint64_t seed = 10001; seed <= 10000 + clusters(50); seed++)
		compare(seed, false, false, "iptables");
}

TEST(walk_and_engine_agree_on_ipv6)
{
	for (uint64_t seed = 20001; seed <= 20000 + clusters(50); seed++)
		compare(seed, false, true, seed % 2 ? "nftables" : "iptables");
}
