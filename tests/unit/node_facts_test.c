/* What nodes are like: facts of their kernel, limits of their addresses, hints by zone; and who goes first when there are too many. */
#include "model/control/rollout.h"
#include "model/dataplane/compile.h"
#include "model/dataplane/kube_proxy.h"
#include "sim/ask/dns_race.h"
#include "sim/ask/patience.h"
#include "sim/lab/store.h"
#include "tests/unit/cell.h"
#include "tests/unit/feed.h"

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
	struct cell x = cell_settled("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: r}\nspec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "
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

/* status.addresses[].address may be absent: upstream decodes it as "" and refuses nothing. */
TEST(a_node_may_name_an_address_without_one)
{
	struct cell x = cell_settled(
		"{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {node-role.kubernetes.io/control-plane: \"\"}},"
		" status: {addresses: [{type: InternalIP}, {type: InternalIP, address: 172.16.0.1}, {type: InternalIP, address: \"fd00::1\"}, {type: ExternalIP, address: 192.0.2.1}]}}");
	const struct node *n = find_node(x.c, "n1");
	ip_addr ip;

	CU_ASSERT(ip_parse("172.16.0.1", &ip) && ip_eq(node_internal_ip(n, false), ip) && node_has_ip(n, ip));
	CU_ASSERT(ip_parse("fd00::1", &ip) && ip_eq(node_internal_ip(n, true), ip));
	CU_ASSERT(ip_parse("192.0.2.1", &ip) && node_has_ip(n, ip));
	CU_ASSERT(ip_parse("192.0.2.2", &ip) && !node_has_ip(n, ip) && !node_has_ip(NULL, ip));
	cell_free(&x);
}

static const char two_nodes[] =
	"{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24]}, status: {addresses: [{type: InternalIP, address: 172.16.0.1}]}}\n---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.244.2.0/24, podCIDRs: [10.244.2.0/24]}, status: {addresses: [{type: InternalIP, address: 172.16.0.2}]}}\n---\n"
	"{apiVersion: nmstate.io/v1beta1, kind: NodeNetworkState, metadata: {name: n1}, status: {currentState: {interfaces: ["
	"{name: eth0, type: ethernet, state: up, mtu: 1500, ipv4: {address: [{ip: 172.16.0.1, prefix-length: 24}]}}, "
	"{name: ens5, type: ethernet, state: up, mtu: 1400, ipv4: {address: [{ip: 10.9.0.1, prefix-length: 24}]}}, "
	"{name: br0, type: linux-bridge, state: up, ipv4: {address: [{ip: 10.88.0.1, prefix-length: 16}]}}, "
	"{name: down0, type: ethernet, state: down, ipv4: {address: [{ip: 10.8.0.1, prefix-length: 24}]}}], "
	"routes: {running: [{destination: 0.0.0.0/0, next-hop-address: 172.16.0.254, next-hop-interface: eth0, table-id: 254}, "
	"{destination: 10.77.0.0/16, next-hop-address: 10.9.0.254, next-hop-interface: ens5, table-id: 254}]}}}}\n";

TEST(interfaces_come_from_what_is_told)
{
	struct cell x = cell_new(1);
	struct dataplane *dp;
	struct route r;
	netns_h n1;
	ip_addr ip;

	cell_apply(&x, two_nodes);
	cell_settle(&x);
	dp = dataplane_compile(x.c, NULL);
	n1 = netns_find(dp, "node/n1");
	CU_ASSERT_EQUAL(netns_get(dp, n1)->links.nr, 3);        /* lo, eth0, ens5: a bridge that has no address of the Node is not its network, what is down neither */
	CU_ASSERT_EQUAL(link_get(dp, netns_link(netns_get(dp, n1), 2))->mtu, 1400);
	CU_ASSERT(ip_parse("10.77.1.1", &ip) && route_lookup(dp, n1, ip, &r));
	CU_ASSERT_STRING_EQUAL(link_get(dp, r.dev)->name, "ens5");
	CU_ASSERT(ip_parse("8.8.8.8", &ip) && route_lookup(dp, n1, ip, &r));
	CU_ASSERT_STRING_EQUAL(IP(r.via), "172.16.0.254");
	dataplane_free(dp);
	cell_free(&x);
}

/* What each agent's words make it choose on n1. */
TEST(networks_choose_their_interface)
{
	static const struct { const char *agent, *how, *local; } rows[] = {
		{ "kube-flannel-ds", "command: [/opt/bin/flanneld]", "172.16.0.1" }, { "kube-flannel-ds", "args: [--ip-masq, --iface=ens5]", "10.9.0.1" },
		{ "kube-flannel-ds", "args: [--iface, 10.9.0.1]", "10.9.0.1" }, { "kube-flannel-ds", "args: ['--iface-regex=10\\.9\\.']", "10.9.0.1" },
		{ "kube-flannel-ds", "args: [--iface-can-reach=10.77.3.4]", "10.9.0.1" },
		{ "calico-node", "image: x", "172.16.0.1" }, { "calico-node", "env: [{name: IP_AUTODETECTION_METHOD, value: 'interface=ens.*'}]", "10.9.0.1" },
		{ "calico-node", "env: [{name: IP_AUTODETECTION_METHOD, value: 'skip-interface=eth0'}]", "10.9.0.1" },
		{ "calico-node", "env: [{name: IP_AUTODETECTION_METHOD, value: 'cidr=10.9.0.0/16'}]", "10.9.0.1" },
		{ "calico-node", "env: [{name: IP_AUTODETECTION_METHOD, value: 'can-reach=10.77.0.9'}]", "10.9.0.1" },
		{ "calico-node", "env: [{name: IP_AUTODETECTION_METHOD, value: kubernetes-internal-ip}]", "172.16.0.1" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct arena *a = arena_new(NULL, "agent");
		struct cell x = cell_new(1);
		struct dataplane *dp;
		const struct netns *ns;
		const char *local = "";

		cell_apply(&x, two_nodes);
		cell_apply(&x, "{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: p}, spec: {cidr: 10.244.0.0/16, vxlanMode: Always, natOutgoing: true}}\n");
		cell_apply(&x, arena_printf(a, "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: %s, namespace: kube-system}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, "
					       "spec: {hostNetwork: true, containers: [{name: c, %s%s}]}}}}\n", rows[k].agent, strstr(rows[k].how, "image") ? "" : "image: x, ", rows[k].how));
		cell_settle(&x);
		dp = dataplane_compile(x.c, NULL);
		ns = netns_get(dp, netns_find(dp, "node/n1"));
		for (uint32_t i = 0; i < ns->links.nr; i++)
			if (link_get(dp, netns_link(ns, i))->kind == LINK_VXLAN)
				local = arena_strdup(a, IP(link_get(dp, netns_link(ns, i))->local));
		CU_ASSERT_STRING_EQUAL(local, rows[k].local);
		if (strcmp(local, rows[k].local) != 0)
			fprintf(stderr, "%s %s: %s, expected %s\n", rows[k].agent, rows[k].how, local, rows[k].local);
		dataplane_free(dp);
		cell_free(&x);
		arena_free(a);
	}
}
