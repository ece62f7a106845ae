/* What is too large for a link: who cuts it, and who does not. As a kernel did it (flannel's VXLAN: Pods 1450, IPv6 between nodes 1430). */
#include "sim/engine/world.h"
#include "sim/trace/trace.h"
#include "tests/unit/feed.h"

static const char cluster[] = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: podwire\nnodes: [{role: control-plane}, {role: worker}, {role: worker}]\n"
			      "networking: {podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16,fd00:10:96::/112', ipFamily: dual}\n"
			      "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-flannel-cfg, namespace: kube-flannel}\n"
			      "data: {net-conf.json: '{\"Network\": \"10.244.0.0/16\", \"EnableIPv6\": true, \"IPv6Network\": \"fd00:10:244::/56\", \"Backend\": {\"Type\": \"vxlan\"}}'}\n"
			      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: podwire-worker, containers: [{name: c, image: alpine}]}\n"
			      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {nodeName: podwire-worker2, containers: [{name: c, image: dns, ports: [{containerPort: 53, protocol: UDP}]}]}\n";

static ip_addr address_of(struct world *w, const char *name, bool six)
{
	const struct pod *p = (const struct pod *)cluster_find(w->cluster, &pod_kind, "default", name);

	return ip_is4(p->ip) != six ? p->ip : p->ip2;
}

TEST(an_ipv6_router_does_not_cut_what_is_too_large)
{
	static const struct { const char *from; bool six, df; uint32_t size; enum verdict verdict; const char *reason; } rows[] = {
		{ "pod/default/a", true, false, 1430, V_DELIVERED, NULL },
		{ "pod/default/a", true, false, 1438, V_LOST, "1438 bytes do not fit into the MTU of 1430 of flannel-v6.1 in node/podwire-worker, and an IPv6 router does not fragment" },
		{ "pod/default/a", true, true, 1438, V_LOST, "with DF do not fit into the MTU of 1430 of flannel-v6.1 in node/podwire-worker (packet too big)" },
		{ "pod/default/a", true, false, 3048, V_LOST, "1448 bytes do not fit" },        /* the Pod's own fragments are too large for the tunnel */
		{ "node/podwire-worker", true, false, 3048, V_DELIVERED, NULL },               /* who sends it by the tunnel itself cuts it to fit */
		{ "pod/default/a", false, false, 1450, V_DELIVERED, NULL },
		{ "pod/default/a", false, false, 3028, V_DELIVERED, NULL },
		{ "pod/default/a", false, true, 1451, V_LOST, "1451 bytes with DF do not fit into the MTU of 1450 of eth0 in pod/default/a (fragmentation needed)" },
	};
	struct world_options opt = { .ask = true, .seed = 7, .flags.cni = "flannel", .apply = { .create_namespaces = true } };
	struct arena *a = arena_new(NULL, "mtu");
	struct world w;

	world_init(&w, &opt);
	feed_world(&w, &opt, cluster);
	world_settle(&w, &opt);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const struct dataplane *dp = world_dataplane(&w);
		struct walk_from from = { .from = netns_find(dp, rows[k].from), .size = rows[k].size, .df = rows[k].df, .t = { .dst = address_of(&w, "b", rows[k].six), .dport = 53, .proto = PROTO_UDP } };
		const struct half there = walk(dp, flows_new(a, 0, 1), &from, WALK_ONE_WAY, a).v[0].there;

		CU_ASSERT_EQUAL(there.verdict, rows[k].verdict);
		CU_ASSERT(!rows[k].reason || strstr(there.reason, rows[k].reason));
	}
	world_free(&w);
	arena_free(a);
}

/* Fragmentation needed goes back through the NAT and the conntrack of whom the packet passed; what drops it makes a black hole (RFC 2923). */
TEST(who_is_told_that_it_is_too_large)
{
	static const char service[] = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: NodePort, ports: [{port: 53, protocol: UDP, nodePort: 30053}]}\n"
				      "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\n"
				      "ports: [{port: 53, protocol: UDP}]\nendpoints: [{addresses: [\"%s\"]}]\n";
	struct world_options opt = { .ask = true, .seed = 7, .flags.cni = "flannel", .apply = { .create_namespaces = true } };
	struct arena *a = arena_new(NULL, "mtu");
	struct walk_from from = { .size = 1480, .df = true, .t = { .dport = 30053, .proto = PROTO_UDP } };
	struct outcome o;
	struct world w;

	world_init(&w, &opt);
	feed_world(&w, &opt, cluster);
	world_settle(&w, &opt);
	feed_world(&w, &opt, arena_printf(a, service, IP(address_of(&w, "b", false))));
	world_settle(&w, &opt);
	from.t.dst = node_internal_ip(find_node(w.cluster, "podwire-worker"), false);
	from.from = netns_find(world_dataplane(&w), "client");          /* its link is wider than the tunnel: the first node tells it */
	o = walk(world_dataplane(&w), flows_new(a, 0, 1), &from, WALK_RECORD, a).v[0];
	CU_ASSERT_EQUAL(o.there.verdict, V_LOST);
	CU_ASSERT(strstr(o.there.reason, "fragmentation needed") && strstr(o.there.reason, "its sender is told"));
	CU_ASSERT_EQUAL(o.back.verdict, V_DELIVERED);
	CU_ASSERT(o.back.end.i == from.from.i && ip_eq(o.back.as_seen.src, from.t.dst) && !o.answered);
	world_free(&w);
	arena_free(a);
}
