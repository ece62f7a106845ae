/* Walks in bulk against walk() on random clusters: every Pod network and way between nodes, both modes of kube-proxy, one and two families, Services of all kinds,
 * TCP, UDP and SCTP, host ports, policies, dead nodes and other facts of the kernel. Ends must be the same, and so must be the way: each hop that a bulk walk keeps, in order. */
#include "sim/engine/world.h"
#include "sim/trace/bulk.h"
#include "tests/unit/feed.h"

enum { NODES = 3, APPS = 4, CLUSTERS = 90, PROBES = 1000, MAX_ENDS = 256 };

struct rcluster {
	struct world w;
	struct world_options opt;
	struct arena *a;
	const struct dataplane *dp;
	struct sb yaml;
	uint64_t state;
	bool four, six;
	const char *network;            /* for messages */
	netns_h from[MAX_ENDS]; uint32_t nr_from;
	ip_addr to[MAX_ENDS]; uint32_t nr_to;
};

static uint32_t below(struct rcluster *r, uint32_t n)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(r->state >> 33) % n;
}

static bool chance(struct rcluster *r, uint32_t percent) { return below(r, 100) < percent; }
#define ANY(r, ...) ((const char *const[]){ __VA_ARGS__ }[below((r), ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))])

static void network(struct rcluster *r)
{
	const char *way = ANY(r, "Never", "Never", "Never", "Always", "CrossSubnet"), *tunnel = ANY(r, "ipipMode", "vxlanMode");

	r->opt.flags.cni = ANY(r, "calico", "calico", "calico", "calico", "calico", "calico", "flannel", "bridge", "none");
	r->network = arena_printf(r->a, "%s (%s %s)", r->opt.flags.cni, tunnel, way);
	r->opt.flags.kernel_set = true;
	r->opt.flags.kernel = (struct kernel_facts){ .no_bridge_nf = chance(r, 15), .forward_drop = chance(r, 10), .no_forward = chance(r, 5), .rp_strict = chance(r, 5) };
	sb_printf(&r->yaml, "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: podwire\nnetworking: {podSubnet: '%s', serviceSubnet: '%s', ipFamily: %s, kubeProxyMode: %s}\nnodes: [{role: control-plane}, {role: worker}, {role: worker}]\n",
		  r->four && r->six ? "10.244.0.0/16,fd00:10:244::/56" : r->four ? "10.244.0.0/16" : "fd00:10:244::/56", r->four && r->six ? "10.96.0.0/16,fd00:10:96::/112" : r->four ? "10.96.0.0/16" : "fd00:10:96::/112",
		  r->four && r->six ? "dual" : r->four ? "ipv4" : "ipv6", ANY(r, "nftables", "iptables"));
	for (int six = 0; six < 2; six++)
		if (six ? r->six : r->four)
			sb_printf(&r->yaml, "---\napiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: pool-%d}\nspec: {cidr: '%s', %s: %s, natOutgoing: %s, blockSize: %d}\n", six,
				  six ? "fd00:10:244::/56" : "10.244.0.0/16", six ? "vxlanMode" : tunnel, six && strcmp(tunnel, "ipipMode") == 0 ? "Never" : way, chance(r, 70) ? "true" : "false", six ? 122 : 26);
	sb_printf(&r->yaml, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-flannel-cfg, namespace: kube-flannel}\ndata: {net-conf.json: '{\"Network\": \"10.244.0.0/16\", \"EnableIPv6\": %s,"
			    " \"Backend\": {\"Type\": \"%s\"}}'}\n", r->six ? "true" : "false", ANY(r, "vxlan", "host-gw"));
	if (chance(r, 30))
		sb_printf(&r->yaml, "---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\nnftables: {masqueradeAll: %s}\niptables: {masqueradeAll: true}\n", ANY(r, "nftables", "iptables"), ANY(r, "true", "false"));
}

static void pods(struct rcluster *r)
{
	uint32_t nr = 8 + below(r, 8);

	for (uint32_t k = 0; k < nr; k++) {
		bool host = chance(r, 10);

		sb_printf(&r->yaml, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%u, labels: {app: a%u}}\nspec: {nodeName: podwire-%s, hostNetwork: %s, containers: [{name: c, image: server", k, below(r, APPS),
			  ANY(r, "control-plane", "worker", "worker2"), host ? "true" : "false");
		if (chance(r, 85))      /* one that says nothing of ports may listen anywhere */
			sb_printf(&r->yaml, ", ports: [{name: web, containerPort: %u%s}, {name: dns, containerPort: %u, protocol: %s}]", host ? 8100 + k : 80 + below(r, 2),
				  !host && chance(r, 20) ? arena_printf(r->a, ", hostPort: %u", 9000 + k) : "", host ? 8200 + k : 53, ANY(r, "UDP", "SCTP", "TCP"));
		sb_printf(&r->yaml, "}]%s}\n", chance(r, 10) ? ", readinessGates: [{conditionType: example.com/never}]" : "");
	}
}

static void services(struct rcluster *r)
{
	uint32_t nr = 6 + below(r, 5);

	for (uint32_t k = 0; k < nr; k++) {
		const char *type = ANY(r, "ClusterIP", "ClusterIP", "NodePort", "LoadBalancer");

		sb_printf(&r->yaml, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {type: %s, selector: {app: a%u}, ports: [{name: web, port: 80, targetPort: %s}, {name: dns, port: 53, targetPort: dns, protocol: %s}]", k, type,
			  below(r, APPS + 1), ANY(r, "80", "web", "81"), ANY(r, "UDP", "SCTP", "TCP"));
		if (*type != 'C' && chance(r, 50))
			sb_add(&r->yaml, ", externalTrafficPolicy: Local");
		if (chance(r, 25))
			sb_add(&r->yaml, ", internalTrafficPolicy: Local");
		if (chance(r, 25))
			sb_add(&r->yaml, ", sessionAffinity: ClientIP");
		if (chance(r, 20))
			sb_add(&r->yaml, ", publishNotReadyAddresses: true");
		if (chance(r, 25) && r->four)
			sb_printf(&r->yaml, ", externalIPs: [198.51.100.%u]", k + 1);
		if (r->four && r->six)
			sb_printf(&r->yaml, ", ipFamilyPolicy: %s", ANY(r, "SingleStack", "PreferDualStack"));
		if (*type == 'L' && chance(r, 40) && r->four)
			sb_printf(&r->yaml, ", loadBalancerSourceRanges: [%s]", ANY(r, "10.244.0.0/16", "203.0.113.0/24"));
		sb_add(&r->yaml, "}\n");
		if (*type == 'L' && r->four)
			sb_printf(&r->yaml, "status: {loadBalancer: {ingress: [{ip: 192.0.2.%u, ipMode: %s}]}}\n", k + 1, ANY(r, "VIP", "Proxy"));
	}
}

static void policies(struct rcluster *r)
{
	for (uint32_t k = 0, nr = chance(r, 50) ? 1 + below(r, 3) : 0; k < nr; k++)
		sb_printf(&r->yaml, "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n%u}\nspec: {podSelector: {matchLabels: {app: a%u}}, policyTypes: [%s], ingress: [{from: [%s]%s}], egress: [{to: [{podSelector: {}}]}]}\n", k,
			  below(r, APPS), ANY(r, "Ingress", "Egress", "'Ingress', 'Egress'"), ANY(r, "{podSelector: {matchLabels: {app: a0}}}", "{podSelector: {}}", "{ipBlock: {cidr: 10.244.0.0/17}}"),
			  ANY(r, "", ", ports: [{port: 80}]", ", ports: [{port: 80, endPort: 90}]", ", ports: [{port: dns, protocol: UDP}]"));
}

static void add_to(struct rcluster *r, const char *text)
{
	if (text && r->nr_to < MAX_ENDS && ip_parse(text, &r->to[r->nr_to]))
		r->nr_to++;
}

static void ends(struct rcluster *r)
{
	struct object_list v = cluster_list_ns(r->w.cluster, &pod_kind, "default");

	for (uint32_t k = 0; k < v.nr; k++) {
		const struct pod *p = (const struct pod *)v.v[k];
		netns_h h = netns_find(r->dp, arena_printf(r->a, "pod/default/%s", p->o.name));

		if (h.i)
			r->from[r->nr_from++] = h;
		if (ip_set(p->ip))
			add_to(r, IP(p->ip));
	}
	r->from[r->nr_from++] = netns_find(r->dp, "node/podwire-worker");
	v = cluster_list_ns(r->w.cluster, &service_kind, "default");
	for (uint32_t k = 0; k < v.nr; k++) {
		const struct service *s = (const struct service *)v.v[k];

		for (uint32_t i = 0; i < 3 * s->cluster_ips.nr; i++)    /* what most ask for */
			add_to(r, s->cluster_ips.v[i % s->cluster_ips.nr]);
	}
	for (uint32_t k = 1; k < 9; k++) {
		add_to(r, arena_printf(r->a, "198.51.100.%u", k));
		add_to(r, arena_printf(r->a, "192.0.2.%u", k));
		add_to(r, arena_printf(r->a, "172.18.0.%u", k));
	}
	add_to(r, "10.96.200.1");
	add_to(r, "8.8.8.8");
}

static void make(struct rcluster *r, uint64_t seed)
{
	static const char *const nodes[] = { "podwire-control-plane", "podwire-worker", "podwire-worker2" };
	uint32_t families;

	*r = (struct rcluster){ .a = arena_new(NULL, "random"), .state = seed, .opt = { .seed = seed, .ask = true, .apply = { .unknown = VALIDATE_IGNORE, .create_namespaces = true } } };
	below(r, 2);
	families = below(r, 6);
	r->four = families != 0;
	r->six = families < 2;
	network(r);
	pods(r);
	services(r);
	policies(r);
	world_init(&r->w, &r->opt);
	feed_world(&r->w, &r->opt, sb_text(&r->yaml));
	world_settle(&r->w, &r->opt);
	for (size_t k = 0; k < NODES; k++) {    /* what is broken comes when all runs */
		static const char *const broken[] = { "podwire.io/down: 'true'", "podwire.io/link: '0 loss=100%'", "podwire.io/link: '0 mtu=1300'" };
		uint32_t which = below(r, 12);

		if (which < ARRAY_LEN(broken))
			feed_world(&r->w, &r->opt, arena_printf(r->a, "apiVersion: v1\nkind: Node\nmetadata: {name: %s, annotations: {%s}}\n", nodes[k], broken[which]));
	}
	r->dp = world_dataplane(&r->w);
	ends(r);
}

static void done(struct rcluster *r)
{
	world_free(&r->w);
	sb_free(&r->yaml);
	arena_free(r->a);
}

/* ---- ends */

static bool same_end(const struct bulk_result *r, const struct outcome *o)
{
	return r->verdict == o->there.verdict && r->answered == o->answered && r->assumed == o->assumed && r->dnat == o->dnat && r->snat == o->snat && r->masqueraded == o->masqueraded &&
	       r->end.i == o->there.end.i && ip_eq(r->dst, o->there.as_seen.dst) && r->dport == o->there.as_seen.dport;
}

/* ---- the way */

/* What both keep: walk() also says how a frame crosses a link, and is silent of rules that accept and that no object caused. */
static bool kept_by_both(const struct bulk_hop *h, const struct hop *alone)
{
	return alone ? alone->stage != ST_LINK : h->what != OP_ACCEPT;
}

static bool same_hop(const struct bulk_hop *b, const struct hop *h)
{
	return b->netns.i == h->netns.i && b->stage == h->stage && b->rule == h->rule && (h->rule == UINT32_MAX || b->chain.i == h->chain.i) && b->src == ip_to4(h->after.src) && b->dst == ip_to4(h->after.dst) &&
	       b->sport == h->after.sport && b->dport == h->after.dport && b->mark == h->mark_after;
}

/* The hops of both directions; where walk() keeps a rule that accepts, bulk must have it too. */
static bool same_way(const struct bulk_hop *b, uint32_t nr, const struct outcome *o)
{
	uint32_t at = 0;

	for (int back = 0; back < 2; back++) {
		const struct half *half = back ? &o->back : &o->there;

		for (uint32_t k = 0; k < half->nr_hops; k++) {
			if (!kept_by_both(NULL, &half->hops[k]))
				continue;
			while (at < nr && !same_hop(&b[at], &half->hops[k]) && !kept_by_both(&b[at], NULL))
				at++;
			if (at == nr || !same_hop(&b[at++], &half->hops[k]))
				return false;
		}
	}
	while (at < nr && !kept_by_both(&b[at], NULL))
		at++;
	return at == nr;
}

struct tally { uint32_t wrong_ends, wrong_ways, asked, walked, masqueraded, translated, six, sctp; };

static void compare(struct rcluster *r, uint64_t seed, struct tally *t)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_SCTP };
	static struct bulk_probe q[PROBES];
	static struct bulk_result silent[PROBES], noted[PROBES];
	static struct bulk_hop hops[PROBES * BULK_HOPS];
	struct arena *scratch = arena_new(NULL, "walks");
	struct bulk *b = bulk_new(r->dp, r->a);

	for (uint32_t k = 0; k < PROBES; k++) {
		uint32_t what = below(r, 10);
		uint16_t port = what < 6 ? 80 : what == 6 ? 81 : what == 7 ? (uint16_t)(9000 + below(r, 16)) : 53;

		q[k] = (struct bulk_probe){ .from = r->from[below(r, r->nr_from)], .dst = r->to[below(r, r->nr_to)], .sport = (uint16_t)(chance(r, 20) ? 50000 + k : 0), .dport = port,
					    .proto = port == 53 ? protos[below(r, ARRAY_LEN(protos))] : PROTO_TCP };
	}
	bulk_walk(b, q, PROBES, seed, silent, NULL, 0);
	bulk_walk(b, q, PROBES, seed, noted, hops, ARRAY_LEN(hops));
	for (uint32_t k = 0; k < PROBES; k++) {
		struct arena_mark m = arena_mark(scratch);
		struct walk_from from = { .from = q[k].from, .t = { .dst = q[k].dst, .sport = q[k].sport, .dport = q[k].dport, .proto = q[k].proto } };
		struct trace one = walk(r->dp, flows_new(scratch, 0, hash_mix(seed, k)), &from, WALK_DRAW | WALK_RECORD, scratch);
		bool end = same_end(&silent[k], &one.v[0]) && same_end(&noted[k], &one.v[0]), way = noted[k].asked || same_way(hops + noted[k].hop, noted[k].nr_hops, &one.v[0]);

		if ((!end || !way) && t->wrong_ends + t->wrong_ways < 5)
			printf("cluster %" PRIu64 ", %s: %s → %s:%u/%u: %s in bulk, %s alone (%s)%s\n", seed, r->network, netns_get(r->dp, q[k].from)->name, IP(q[k].dst), q[k].dport, q[k].proto,
			       verdict_names[silent[k].verdict], verdict_names[one.v[0].there.verdict], one.v[0].there.reason, end ? ", by another way" : "");
		t->wrong_ends += !end;
		t->wrong_ways += !way;
		t->asked += noted[k].asked;
		t->walked += !noted[k].asked;
		t->masqueraded += !noted[k].asked && noted[k].masqueraded;
		t->translated += !noted[k].asked && noted[k].dnat;
		t->six += !ip_is4(q[k].dst);
		t->sctp += !noted[k].asked && q[k].proto == PROTO_SCTP;
		arena_rewind(scratch, m);
	}
	arena_free(scratch);
	bulk_free(b);
}

TEST(walks_in_bulk_go_the_way_of_single_walks_in_random_clusters)
{
	static struct rcluster r;
	struct tally t = { 0 };

	for (uint32_t k = 0; k < CLUSTERS; k++) {
		make(&r, 1000 + k);
		compare(&r, 1000 + k, &t);
		done(&r);
	}
	CU_ASSERT_EQUAL(t.wrong_ends, 0);
	CU_ASSERT_EQUAL(t.wrong_ways, 0);
	CU_ASSERT(t.asked > 1000 && t.walked > 1000 && t.masqueraded > 50 && t.translated > 200 && t.six > 500 && t.sctp > 50);        /* all of it has been met */
}
