/* Pod networks as packets see them: host ports, tunnels, source addresses. What Linux makes of the same clusters is compared in tests/differential/clusters_test.sh. */
#include "model/dataplane/hostport.h"
#include "sim/ask/question.h"
#include "tests/unit/feed.h"

struct lab { struct world w; struct arena *a; };

static void apply(struct lab *l, const char *yaml)
{
	struct world_options opt = { .apply = { .unknown = VALIDATE_STRICT, .validate = true, .respect_status = true, .create_namespaces = true }, .ask = true };

	feed_world(&l->w, &opt, yaml);
}

static const char pods[] =
	"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  nodeName: worker-1\n"
	"  initContainers: [{name: side, image: x, restartPolicy: Always, ports: [{containerPort: 9, hostPort: 999}]}]\n"
	"  containers: [{name: c, image: x, ports: [{containerPort: 8080, hostPort: 8888}, {containerPort: 53, protocol: UDP, hostPort: 5353, hostIP: 172.18.0.3}]}]\n"
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: far}\nspec: {nodeName: worker-2, containers: [{name: c, image: x, ports: [{containerPort: 80}]}]}\n";

static struct lab lab_new(const char *cni, const char *more)
{
	struct lab l = { .a = arena_new(NULL, "test") };
	struct world_options opt = { .ask = true };

	opt.flags.cni = cni;
	world_init(&l.w, &opt);
	if (more)
		apply(&l, more);
	apply(&l, pods);
	world_settle(&l.w, &(struct world_options){ .ask = true });
	return l;
}

static void lab_free(struct lab *l)
{
	world_free(&l->w);
	arena_free(l->a);
}

/* VERDICT POD:PORT seen ADDRESS, of the one outcome. */
static const char *ask(struct lab *l, const char *from, const char *to, enum l4 l4)
{
	struct question q = { .from = from, .to = to, .l4 = l4, .proto = l4_number((uint8_t)l4) };
	struct err err = { 0 };
	struct answer answer;
	const struct outcome_view *o;

	if (!question_ask(&l->w, &q, l->a, &answer, &err)) {
		const char *text = arena_printf(l->a, "error: %s", err.v[0].text);

		err_free(&err);
		return text;
	}
	o = &answer.v[0];
	return o->verdict == V_DELIVERED ? arena_printf(l->a, "delivered %s:%u %s%s", o->pod ? o->pod->o.name : "-", o->end_port, IP(o->walk->there.as_seen.src), o->answered ? "" : ", no answer")
					 : verdict_names[o->verdict];
}

/* containernetworking/plugins plugins/meta/portmap: DNAT for all of the node's addresses, masqueraded from loopback and from the Pod itself. */
TEST(a_host_port_is_dnat_on_its_node)
{
	static const char *const networks[] = { "calico", "flannel", "bridge" }, *const at_node[] = { "172.18.0.3", "10.244.1.1", "10.244.1.1" };

	for (size_t k = 0; k < ARRAY_LEN(networks); k++) {
		struct lab l = lab_new(networks[k], NULL);

		SAME_TEXT(ask(&l, "client", "172.18.0.3:8888", L4_TCP), "delivered web:8080 203.0.113.10");
		SAME_TEXT(ask(&l, "client", "172.18.0.4:8888", L4_TCP), "refused");
		SAME_TEXT(ask(&l, "node/worker-1", "127.0.0.1:8888", L4_TCP), arena_printf(l.a, "delivered web:8080 %s", at_node[k]));
		SAME_TEXT(ask(&l, "client", "172.18.0.3:5353", L4_UDP), "delivered web:53 203.0.113.10");
		SAME_TEXT(ask(&l, "node/worker-1", "127.0.0.1:5353", L4_UDP), "refused");       /* hostIP is another address */
		SAME_TEXT(ask(&l, "client", "172.18.0.3:999", L4_TCP), "refused");              /* a sidecar's is reserved, never wired */
		lab_free(&l);
	}
}

static const char *line_with(struct lab *l, const char *text, const char *what)
{
	const char *at = strstr(text, what), *from = at, *to = at ? strchr(at, '\n') : NULL;

	while (from && from > text && from[-1] != '\n')
		from--;
	return from ? arena_printf(l->a, "%.*s", (int)((to ? to : from + strlen(from)) - from), from) : "";
}

TEST(host_ports_are_spelled_as_portmap_does)
{
	struct lab l = lab_new("flannel", NULL);
	struct dataplane *dp = world_dataplane(&l.w);
	netns_h h = netns_find(dp, "node/worker-1");
	struct print_rules how = { .comments = true };
	struct sb out = { 0 };
	const char *text, *entry;

	dataplane_node_ready(dp, h);
	print_iptables(netns_get(dp, h)->rules, NF_IP, &how, NULL, NULL, &out);
	text = sb_text(&out);
	CU_ASSERT(strstr(text, "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT\n") != NULL);
	CU_ASSERT(strstr(text, "-A POSTROUTING -m comment --comment \"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ\n") < strstr(text, "-j FLANNEL-POSTRTG\n"));
	CU_ASSERT(strstr(text, "-A CNI-HOSTPORT-SETMARK -m comment --comment \"CNI portfwd masquerade mark\" -j MARK --set-xmark 0x2000/0x2000\n") != NULL);
	entry = line_with(&l, text, "--dports 8888");
	CU_ASSERT(strstr(entry, "-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment \"dnat name: \\\"cbr0\\\" id: \\\"") == entry);
	CU_ASSERT(strlen(strstr(entry, "CNI-DN-")) == 28);
	CU_ASSERT(strstr(text, "-d 172.18.0.3/32 -p udp -m udp --dport 5353 -j DNAT --to-destination 10.244.1.") != NULL);
	sb_free(&out);
	lab_free(&l);
}

TEST(sha512_is_sha512)
{
	char hex[129];

	sha512_hex("abc", 3, hex);      /* FIPS 180-4, the example */
	SAME_TEXT(hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

/* ---- tunnels and source addresses */

static const char dual[] = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}, {role: worker}, {role: worker}]\n"
			   "networking: {ipFamily: dual, podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16,fd00:10:96::/112'}\n";

#define POOLS(four, six)                                                                                                                                                        \
	"---\napiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: four}\nspec: {cidr: 10.244.0.0/16, ipipMode: Never, vxlanMode: " four "}\n"              \
	"---\napiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: six}\nspec: {cidr: 'fd00:10:244::/56', blockSize: 122, ipipMode: Never, vxlanMode: " six "}\n"

static struct lab dual_calico(const char *pools)
{
	struct arena *a = arena_new(NULL, "text");
	struct lab l = lab_new("calico", arena_printf(a, "%s%s", dual, pools));

	arena_free(a);
	return l;
}

static struct route way(struct lab *l, const char *from, ip_addr dst)
{
	struct dataplane *dp = world_dataplane(&l->w);
	netns_h h = netns_find(dp, from);
	struct route r = { 0 };

	dataplane_node_ready(dp, h);
	CU_ASSERT(route_lookup(dp, h, dst, &r));
	return r;
}

static const char *device(struct lab *l, struct route r)
{
	return r.dev.i ? link_get(world_dataplane(&l->w), r.dev)->name : "-";
}

/* flannel pkg/backend/vxlan: a device per family. */
TEST(flannel_has_a_tunnel_for_each_family)
{
	struct lab l = lab_new("flannel", dual);
	const struct pod *far = find_pod(l.w.cluster, "default", "far");
	struct route four = way(&l, "node/worker-1", far->ip), six = way(&l, "node/worker-1", far->ip2);

	SAME_TEXT(device(&l, four), "flannel.1");
	SAME_TEXT(device(&l, six), "flannel-v6.1");
	CU_ASSERT(ip_is4(four.encap) && ip_set(six.encap) && !ip_is4(six.encap));
	SAME_TEXT(ask(&l, "pod/web", arena_printf(l.a, "[%s]:80", IP(far->ip2)), L4_TCP), arena_printf(l.a, "delivered far:80 %s", IP(find_pod(l.w.cluster, "default", "web")->ip2)));
	lab_free(&l);
}

/* A pool says for itself whether it is encapsulated; felix writes the routes of those that may be (design/cluster-route-programming). */
TEST(each_pool_of_calicos_goes_its_own_way)
{
	struct lab l = dual_calico(POOLS("Always", "Never"));
	const struct pod *far = find_pod(l.w.cluster, "default", "far");
	struct route four = way(&l, "node/worker-1", far->ip), six = way(&l, "node/worker-1", far->ip2);

	SAME_TEXT(device(&l, four), "vxlan.calico");
	SAME_TEXT(device(&l, six), "eth0");
	CU_ASSERT(four.proto == RTP_FELIX && six.proto == RTP_BIRD);
	CU_ASSERT(link_get(world_dataplane(&l.w), way(&l, "pod/default/web", far->ip).dev)->mtu == 1450);
	lab_free(&l);
}

/* RFC 6724, rule 8, as net/ipv6/addrconf.c applies it: towards a Pod behind an interface without an address of its own, the tunnel's address shares more
 * leading bits than the node's. Seen on Linux. */
TEST(an_ipv6_source_is_the_nearest_address)
{
	struct lab l = dual_calico(POOLS("Never", "CrossSubnet"));
	struct dataplane *dp = world_dataplane(&l.w);
	const struct pod *web = find_pod(l.w.cluster, "default", "web");
	netns_h node = netns_find(dp, "node/worker-1");
	struct route r = way(&l, "node/worker-1", web->ip2);
	ip_addr src = source_for(dp, node, &r, web->ip2);
	link_h tunnel = tunnel_of(dp, node, LINK_VXLAN, true);

	CU_ASSERT_FATAL(tunnel.i != 0 && link_get(dp, tunnel)->nr_addrs == 1);
	SAME_TEXT(IP(src), IP(dp->addrs.v[link_get(dp, tunnel)->addr].ip));
	lab_free(&l);
}

/* net/ipv4/fib_frontend.c fib_validate_source. With ipMode Proxy kube-proxy leaves a load balancer's address alone: a node's packet goes out, the gateway sends it to the node
 * that answers for the address, and if that is the sender itself it does not believe what comes in. Seen on Linux. */
TEST(an_own_source_that_comes_from_outside_is_a_martian)
{
	struct lab l = lab_new("calico", "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\n"
					 "endpoints: [{addresses: [10.244.200.1]}]\nports: [{port: 80}]\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
					 "spec: {type: LoadBalancer, ports: [{port: 82, targetPort: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.3, ipMode: Proxy}]}}\n");
	static const char *const nodes[] = { "control-plane", "worker-1", "worker-2" };
	uint32_t martians = 0;

	for (size_t k = 0; k < ARRAY_LEN(nodes); k++)
		martians += streq(ask(&l, arena_printf(l.a, "node/%s", nodes[k]), "192.0.2.3:82", L4_TCP), "dropped");
	CU_ASSERT(martians == 1);
	lab_free(&l);
}

/* Facts 47: peers keep the routes of a node whose BIRD stopped for the graceful restart time, then withdraw them; felix' own routes know no such thing. */
TEST(routes_of_a_stopped_bird_are_withdrawn_after_the_graceful_restart)
{
	for (int encapsulated = 0; encapsulated < 2; encapsulated++) {
		struct lab l = lab_new("calico", encapsulated ? "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: p}\nspec: {cidr: 10.244.0.0/16, ipipMode: Never, vxlanMode: Always}\n" : NULL);
		struct err err = { 0 };

		CU_ASSERT(control_fault(l.w.control, "bgp", "worker-2", NULL, &err));
		SAME_TEXT(ask(&l, "pod/web", "pod/far:80", L4_TCP), arena_printf(l.a, "delivered far:80 %s", IP(find_pod(l.w.cluster, "default", "web")->ip)));
		control_advance(l.w.control, SECONDS(121));
		CU_ASSERT((strncmp(ask(&l, "pod/web", "pod/far:80", L4_TCP), "delivered", 9) == 0) == (bool)encapsulated);
		CU_ASSERT(control_heal(l.w.control, "bgp", "worker-2", &err));
		control_advance(l.w.control, SECONDS(10));
		CU_ASSERT(strncmp(ask(&l, "pod/web", "pod/far:80", L4_TCP), "delivered", 9) == 0);
		err_free(&err);
		lab_free(&l);
	}
}
