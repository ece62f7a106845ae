/* What nodes are like: facts of their kernel, limits of their addresses, hints by zone; and who goes first when there are too many. */
#include "model/control/rollout.h"
#include "model/dataplane/compile.h"
#include "model/dataplane/kube_proxy.h"
#include "sim/ask/dns_race.h"
#include "sim/ask/patience.h"
#include "sim/lab/store.h"
#include "tests/unit/cell.h"
#include "tests/unit/feed.h"

static struct cell settled(const char *yaml)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, yaml);
	cell_settle(&x);
	return x;
}

TEST(facts_of_the_kernel_are_saved)
{
	struct cell x = cell_new(1);
	struct settings_flags f = { .kernel_set = true, .kernel = { .no_bridge_nf = true, .clash_drop = true } }, back = { 0 };

	flags_unpack(&back, flags_pack(&f, x.a), x.c);
	CU_ASSERT(back.kernel_set && back.kernel.no_bridge_nf && back.kernel.clash_drop);
	CU_ASSERT(!back.kernel.forward_drop && !back.kernel.random_fully);
	cell_free(&x);
}

/* libcalico-go lib/ipam/ipam.go autoAssign: 20 blocks, or what IPAMConfig says; at the limit nothing is borrowed. */
TEST(calico_stops_at_its_limit)
{
	static const char pool[] = "{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: p}, spec: {cidr: 10.50.0.0/24, blockSize: 31, natOutgoing: true}}\n---\n"
				   "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: many}\nspec: {replicas: 50, selector: {matchLabels: {app: many}}, template: {metadata: {labels: {app: many}}, "
				   "spec: {nodeSelector: {kubernetes.io/hostname: worker-1}, containers: [{name: c, image: nginx}]}}}\n";
	static const struct { const char *more; int32_t ready; } rows[] = {
		{ "", 40 }, { "---\n{apiVersion: crd.projectcalico.org/v1, kind: IPAMConfig, metadata: {name: default}, spec: {strictAffinity: false, maxBlocksPerHost: 3}}\n", 6 },
		{ "---\n{apiVersion: projectcalico.org/v3, kind: IPAMConfiguration, metadata: {name: default}, spec: {strictAffinity: true, maxBlocksPerHost: 4}}\n", 8 },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct arena *a = arena_new(NULL, "limit");
		struct cell x = cell_new(1);
		const struct workload *w;

		cell_apply(&x, "apiVersion: v1\nkind: Node\nmetadata: {name: worker-1, labels: {kubernetes.io/hostname: worker-1}}\n");
		cell_apply(&x, arena_printf(a, "%s%s", pool, rows[k].more));
		control_settle(x.t);            /* the Pods that get no address are tried again for ever */
		w = (const struct workload *)cluster_find(x.c, &deployment_kind, "default", "many");
		CU_ASSERT_EQUAL(w->st_ready, rows[k].ready);
		cell_free(&x);
		arena_free(a);
	}
}

/* pkg/proxy/topology.go topologyModeFromHints: why hints are used, or ignored. */
TEST(hints_say_why)
{
	struct zone_hint zone = { .name = "a" };
	const struct ep_hints a = { .for_zones = { .v = &zone, .nr = 1 } };
	struct kp_endpoint v[2] = { { .text = "10.0.0.1:80", .ready = true, .hints = &a }, { .text = "10.0.0.2:80", .ready = true } };
	const struct kp_port p = { .all = { v, 2 } };
	struct arena *scratch = arena_new(NULL, "hints");
	struct kp_sets s = kp_categorize(&p, "n", "a", true, scratch);

	CU_ASSERT_EQUAL(s.topology, KP_BARE_ENDPOINT);
	CU_ASSERT(s.bare == &v[1] && s.cluster.nr == 2);
	v[1].ready = false;
	CU_ASSERT_EQUAL(kp_categorize(&p, "n", "a", true, scratch).topology, KP_SAME_ZONE);
	CU_ASSERT_EQUAL(kp_categorize(&p, "n", NULL, true, scratch).topology, KP_NO_ZONE);
	CU_ASSERT_EQUAL(kp_categorize(&p, "n", "b", true, scratch).topology, KP_NONE_FOR_ZONE);
	v[0].hints = NULL;
	CU_ASSERT_EQUAL(kp_categorize(&p, "n", "a", true, scratch).topology, KP_NO_HINTS);
	arena_free(scratch);
}

TEST(what_decides_who_is_deleted_first_is_said)
{
	struct cell x = settled("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: r}\nspec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "
				"spec: {containers: [{name: c, image: nginx}]}}}\n---\n"
				"{apiVersion: v1, kind: Pod, metadata: {name: cheap, labels: {a: b}, annotations: {controller.kubernetes.io/pod-deletion-cost: '-1'}}, spec: {containers: [{name: c, image: nginx}]}}\n");
	const struct workload *w = (const struct workload *)cluster_find(x.c, &replicaset_kind, "default", "r");
	uint32_t nr;
	struct candidate *v = deletion_candidates(x.t, w, x.a, &nr);

	CU_ASSERT_FATAL(nr == 2);
	CU_ASSERT_STRING_EQUAL(v[0].pod->o.name, "cheap");
	CU_ASSERT_STRING_EQUAL(deletion_reason(&v[0], &v[1], cluster_now(x.c)), "lower pod-deletion-cost");
	CU_ASSERT(deletion_order(&v[0], &v[1], cluster_now(x.c)) < 0 && deletion_order(&v[1], &v[0], cluster_now(x.c)) > 0);
	cell_free(&x);
}

/* linux Documentation/networking/ip-sysctl.rst tcp_retries2: 924.6 s with a minimal RTO. */
TEST(tcp_gives_up_after_a_quarter_of_an_hour)
{
	const struct patience p = tcp_patience();

	CU_ASSERT_EQUAL(p.at[0], MILLIS(200));
	CU_ASSERT_EQUAL(p.at[9], MILLIS(204600));
	CU_ASSERT_EQUAL(p.at[14], MILLIS(804600));
	CU_ASSERT_EQUAL(p.give_up, MILLIS(924600));
}

TEST(two_queries_of_one_socket_race_where_they_are_translated)
{
	struct world_options opt = { .ask = true, .apply = { .validate = true, .create_namespaces = true } };
	struct err err = { 0 };
	struct resolv_conf conf = { 0 };
	struct dns_race r;
	struct world w;
	struct arena *a = arena_new(NULL, "race");

	world_init(&w, &opt);
	feed_world(&w, &opt, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx}]}}\n");
	world_settle(&w, &opt);
	conf = dns_resolv_conf(w.cluster, find_pod(w.cluster, "default", "p"), a);
	CU_ASSERT(dns_race(&w, "pod/p", &conf, RESOLVER_GLIBC, a, &r, &err) && !r.never && r.endpoints == 2 && r.sent.dport == 53);
	CU_ASSERT_EQUAL(r.again, timing(T_RESOLVER_TIMEOUT));
	CU_ASSERT(dns_race(&w, "pod/p", &conf, RESOLVER_MUSL, a, &r, &err) && 2 * r.again == timing(T_RESOLVER_TIMEOUT));
	conf.options = (str_list){ (str[]){ "single-request-reopen" }, 1, true };
	CU_ASSERT(dns_race(&w, "pod/p", &conf, RESOLVER_GLIBC, a, &r, &err) && r.never);
	CU_ASSERT(dns_race(&w, "pod/p", &conf, RESOLVER_MUSL, a, &r, &err) && !r.never);        /* musl does not know the option */
	conf.nameservers = (str_list){ (str[]){ "203.0.113.53" }, 1, true };    /* no Service: nobody translates */
	CU_ASSERT(dns_race(&w, "pod/p", &conf, RESOLVER_MUSL, a, &r, &err) && r.never);
	err_free(&err);
	world_free(&w);
	arena_free(a);
}
