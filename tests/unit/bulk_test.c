/* Walks in bulk against walk(), one by one with the same draws; what holds for every walk: shares add up to one, answers come back or it is said why not. */
#include "sim/engine/world.h"
#include "sim/trace/bulk.h"
#include "tests/unit/feed.h"

struct lab { struct world w; struct arena *a; const struct dataplane *dp; netns_h from[64]; uint32_t nr_from; ip_addr to[64]; uint32_t nr_to; };

static void apply(struct lab *l, const char *yaml)
{
	struct world_options opt = { .apply = { .unknown = VALIDATE_IGNORE, .create_namespaces = true }, .ask = true };

	feed_world(&l->w, &opt, yaml);
}

static const char policy[] = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: default}\n"
			     "spec: {podSelector: {matchLabels: {app: d1}}, ingress: [{from: [{podSelector: {matchLabels: {app: d0}}}]}]}\n";

/* Two nodes and a dead one; Deployments with Services of every kind of choice; addresses that nobody has. */
static void make(struct lab *l, const char *mode, const char *cni, bool policies)
{
	static const char *const services_of[] = { "", ", sessionAffinity: ClientIP", ", internalTrafficPolicy: Local", ", type: NodePort", "" };
	struct world_options opt = { .ask = true, .seed = 7, .flags = { .cni = cni } };
	struct object_list pods, services;

	*l = (struct lab){ .a = arena_new(NULL, "test") };
	world_init(&l->w, &opt);
	apply(l, arena_printf(l->a, "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n", mode));
	for (int k = 0; k < 3; k++)
		apply(l, arena_printf(l->a, "apiVersion: v1\nkind: Node\nmetadata: {name: n%d%s}\nspec: {podCIDR: 10.244.%d.0/24}\n"
					    "status: {addresses: [{type: InternalIP, address: 172.18.0.%d}], conditions: [{type: Ready, status: 'True'}]}\n", k,
				      k == 2 ? ", annotations: {podwire.io/down: 'true'}" : "", k, k + 2));
	for (int k = 0; k < 5; k++)
		apply(l, arena_printf(l->a, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%d}\nspec: {replicas: %d, selector: {matchLabels: {app: d%d}}, template: {metadata: {labels: {app: d%d}},"
					    " spec: {containers: [{name: c, image: nginx, ports: [{containerPort: %d}]}]}}}\n"
					    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {selector: {app: d%d}, ports: [{port: 80, targetPort: %d}]%s}\n",
				      k, k == 4 ? 0 : 2 + k, k, k, 80 + k, k, k, k == 3 ? 80 : 80 + k, services_of[k]));
	if (policies)
		apply(l, policy);
	world_settle(&l->w, &opt);
	l->dp = world_dataplane(&l->w);
	pods = cluster_list_ns(l->w.cluster, &pod_kind, "default");
	services = cluster_list_ns(l->w.cluster, &service_kind, "default");
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		netns_h ns = netns_find(l->dp, arena_printf(l->a, "pod/default/%s", p->o.name));

		if (!ns.i)
			continue;
		l->from[l->nr_from++] = ns;
		l->to[l->nr_to++] = p->ip;
	}
	for (uint32_t k = 0; k < services.nr; k++)
		l->nr_to += ip_parse(((const struct service *)services.v[k])->cluster_ip, &l->to[l->nr_to]);
	for (size_t k = 0; k < 4; k++) {
		static const char *const others[] = { "172.18.0.2", "172.18.0.3", "10.96.0.77", "8.8.8.8" };

		l->nr_to += ip_parse(others[k], &l->to[l->nr_to]);
	}
}

static void done(struct lab *l)
{
	world_free(&l->w);
	arena_free(l->a);
}

static const struct { const char *mode, *cni; bool policies; } cells[] = {
	{ "nftables", "calico", false }, { "nftables", "calico", true }, { "iptables", "calico", false }, { "iptables", "calico", true },
	{ "nftables", "flannel", false }, { "iptables", "bridge", false },
};

static bool same(const struct bulk_result *r, const struct outcome *o)
{
	return r->verdict == o->there.verdict && r->answered == o->answered && r->assumed == o->assumed && r->dnat == o->dnat && r->snat == o->snat && r->masqueraded == o->masqueraded &&
	       r->end.i == o->there.end.i && ip_eq(r->dst, o->there.as_seen.dst) && r->dport == o->there.as_seen.dport;
}

TEST(walks_in_bulk_end_as_single_walks_do)
{
	uint32_t asked = 0, delivered = 0, wrong = 0;

	for (size_t n = 0; n < ARRAY_LEN(cells); n++) {
		enum { NR = 4000 };
		static struct bulk_probe q[NR];
		static struct bulk_result r[NR];
		struct lab l;
		struct bulk *b;
		struct arena *scratch = arena_new(NULL, "walks");

		make(&l, cells[n].mode, cells[n].cni, cells[n].policies);
		b = bulk_new(l.dp, l.a);
		for (uint32_t k = 0; k < NR; k++)
			q[k] = (struct bulk_probe){ .from = l.from[k % l.nr_from], .dst = l.to[k * 7919u % l.nr_to], .dport = (uint16_t)(80 + k / 3 % 3), .proto = k % 11 ? PROTO_TCP : PROTO_UDP };
		bulk_walk(b, q, NR, 5, r, NULL, 0);
		for (uint32_t k = 0; k < NR; k++) {
			struct arena_mark m = arena_mark(scratch);
			struct walk_from from = { .from = q[k].from, .t = { .dst = q[k].dst, .dport = q[k].dport, .proto = q[k].proto } };
			struct trace t = walk(l.dp, flows_new(scratch, 0, hash_mix(5, k)), &from, WALK_DRAW, scratch);

			if (!same(&r[k], &t.v[0]) && wrong++ < 5)
				printf("%s %s: %s → %s:%u: %s in bulk, %s alone (%s)\n", cells[n].mode, cells[n].cni, netns_get(l.dp, q[k].from)->name, IP(q[k].dst), q[k].dport, verdict_names[r[k].verdict],
				       verdict_names[t.v[0].there.verdict], t.v[0].there.reason);
			asked += r[k].asked && n < 2;
			delivered += r[k].verdict == V_DELIVERED && !r[k].asked;
			arena_rewind(scratch, m);
		}
		arena_free(scratch);
		bulk_free(b);
		done(&l);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(asked > 1000 && delivered > 1000);    /* both ways are taken */
}

/* So many namespaces that what comes is fetched ahead: nothing may depend on it. */
static void walk_in_a_large_cluster(const char *mode)
{
	enum { NODES = 42, DEPLOYMENTS = 42, REPLICAS = 100, NR = 600 };
	static struct bulk_probe q[NR];
	static struct bulk_result r[NR];
	struct world_options opt = { .ask = true, .seed = 7 };
	struct lab l = { .a = arena_new(NULL, "test") };
	struct arena *scratch = arena_new(NULL, "walks");
	struct object_list pods, services;
	uint32_t wrong = 0, asked = 0;
	struct bulk *b;

	world_init(&l.w, &opt);
	apply(&l, arena_printf(l.a, "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n", mode));
	for (int k = 0; k < NODES; k++)
		apply(&l, arena_printf(l.a, "apiVersion: v1\nkind: Node\nmetadata: {name: n%d}\nspec: {podCIDR: 10.244.%d.0/24}\n"
					    "status: {addresses: [{type: InternalIP, address: 172.18.0.%d}], conditions: [{type: Ready, status: 'True'}]}\n", k, k, k + 2));
	for (int k = 0; k < DEPLOYMENTS; k++)
		apply(&l, arena_printf(l.a, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%d}\nspec: {replicas: %d, selector: {matchLabels: {app: d%d}}, template: {metadata: {labels: {app: d%d}},"
					    " spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}}\n"
					    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {selector: {app: d%d}, ports: [{port: 80}]}\n", k, REPLICAS, k, k, k, k));
	world_settle(&l.w, &opt);
	l.dp = world_dataplane(&l.w);
	pods = cluster_list_ns(l.w.cluster, &pod_kind, "default");
	services = cluster_list_ns(l.w.cluster, &service_kind, "default");
	CU_ASSERT_EQUAL_FATAL(pods.nr, DEPLOYMENTS * REPLICAS);
	for (uint32_t k = 0; k < NR; k++) {
		q[k] = (struct bulk_probe){ .from = netns_find(l.dp, arena_printf(l.a, "pod/default/%s", pods.v[k * 7919u % pods.nr]->name)), .dport = 80, .proto = PROTO_TCP };
		if (k % 7)
			ip_parse(((const struct service *)services.v[k * 31u % services.nr])->cluster_ip, &q[k].dst);
		else
			q[k].dst = ((const struct pod *)pods.v[k * 101u % pods.nr])->ip;
	}
	b = bulk_new(l.dp, l.a);
	for (int again = 0; again < 2; again++)         /* the second time all seats are made */
		bulk_walk(b, q, NR, 5, r, NULL, 0);
	for (uint32_t k = 0; k < NR; k++) {
		struct arena_mark m = arena_mark(scratch);
		struct walk_from from = { .from = q[k].from, .t = { .dst = q[k].dst, .dport = 80, .proto = PROTO_TCP } };
		struct trace t = walk(l.dp, flows_new(scratch, 0, hash_mix(5, k)), &from, WALK_DRAW, scratch);

		wrong += !same(&r[k], &t.v[0]);
		asked += r[k].asked;
		arena_rewind(scratch, m);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(asked < NR / 10);     /* a Pod that asks itself */
	arena_free(scratch);
	bulk_free(b);
	done(&l);
}

TEST(walks_in_a_large_cluster_end_as_single_walks_do)
{
	walk_in_a_large_cluster("nftables");
	walk_in_a_large_cluster("iptables");
}

TEST(shares_add_up_to_one_and_every_answer_is_accounted_for)
{
	uint32_t several = 0;

	for (size_t n = 0; n < ARRAY_LEN(cells); n++) {
		struct arena *scratch = arena_new(NULL, "walks");
		struct lab l;

		make(&l, cells[n].mode, cells[n].cni, cells[n].policies);
		for (uint32_t k = 0; k < l.nr_from * l.nr_to; k++) {
			struct arena_mark m = arena_mark(scratch);
			struct walk_from from = { .from = l.from[k % l.nr_from], .t = { .dst = l.to[k / l.nr_from], .dport = 80, .proto = PROTO_TCP } };
			struct trace t = walk(l.dp, flows_new(scratch, 0, 1), &from, 0, scratch);
			unsigned __int128 num = 0, den = 1;

			for (uint32_t i = 0; i < t.nr; i++) {
				const struct outcome *o = &t.v[i];

				num = num * o->p.den + den * o->p.num;
				den *= o->p.den;
				CU_ASSERT(o->there.verdict != V_DELIVERED || o->answered || (o->back.reason && *o->back.reason));
				CU_ASSERT(o->there.verdict == V_DELIVERED || (o->there.reason && *o->there.reason));
			}
			CU_ASSERT(num == den);
			several += t.nr > 1;
			arena_rewind(scratch, m);
		}
		arena_free(scratch);
		done(&l);
	}
	CU_ASSERT(several > 20);
}

/* iptables draws once for each endpoint until one is chosen: each of them gets its share, however many they are. */
TEST(every_one_of_many_endpoints_gets_its_share)
{
	enum { MANY = 300 };

	for (int iptables = 0; iptables < 2; iptables++) {
		struct world_options opt = { .ask = true, .seed = 7 };
		struct lab l = { .a = arena_new(NULL, "test") };
		struct object_list services;
		struct walk_from from = { .t = { .dport = 80, .proto = PROTO_TCP } };
		struct trace t;
		uint32_t wrong = 0;

		world_init(&l.w, &opt);
		apply(&l, arena_printf(l.a, "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n", iptables ? "iptables" : "nftables"));
		for (int k = 0; k < 4; k++)
			apply(&l, arena_printf(l.a, "apiVersion: v1\nkind: Node\nmetadata: {name: n%d}\nspec: {podCIDR: 10.244.%d.0/24}\n"
						    "status: {addresses: [{type: InternalIP, address: 172.18.0.%d}], conditions: [{type: Ready, status: 'True'}]}\n", k, k, k + 2));
		apply(&l, "apiVersion: v1\nkind: Pod\nmetadata: {name: client}\nspec: {containers: [{name: c, image: alpine}]}\n");
		apply(&l, arena_printf(l.a, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: %d, selector: {matchLabels: {app: d}}, template: {metadata: {labels: {app: d}},"
					    " spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}}\n"
					    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: d}, ports: [{port: 80}]}\n", MANY));
		world_settle(&l.w, &opt);
		l.dp = world_dataplane(&l.w);
		services = cluster_list_ns(l.w.cluster, &service_kind, "default");
		for (uint32_t k = 0; k < services.nr; k++)
			if (streq(services.v[k]->name, "s"))
				ip_parse(((const struct service *)services.v[k])->cluster_ip, &from.t.dst);
		from.from = netns_find(l.dp, "pod/default/client");
		t = walk(l.dp, flows_new(l.a, 0, 1), &from, 0, l.a);
		CU_ASSERT_EQUAL(t.nr, MANY);
		for (uint32_t k = 0; k < t.nr; k++)
			wrong += t.v[k].p.num * MANY != t.v[k].p.den;
		CU_ASSERT_EQUAL(wrong, 0);
		done(&l);
	}
}

/* ---- routes: the search against a look at all of them */

static const struct block *naive_block(const struct dataplane *dp, ip_addr ip)
{
	const struct block *best = NULL;

	for (uint32_t k = 0; k < dp->blocks.nr; k++)
		if (cidr_contains(dp->blocks.v[k].cidr, ip) && (!best || dp->blocks.v[k].cidr.len > best->cidr.len))
			best = &dp->blocks.v[k];
	return best;
}

static const struct route *naive_route(const struct netns *ns, ip_addr ip)
{
	for (uint32_t k = 0; k < ns->routes.nr; k++)
		if (cidr_contains(ns->routes.v[k].dst, ip) && (!ns->routes.v[k].table || ns->routes.v[k].table == TABLE_MAIN))
			return &ns->routes.v[k];
	return NULL;
}

TEST(routes_are_found_as_by_a_look_at_all_of_them)
{
	uint32_t wrong = 0, found = 0;

	for (size_t n = 0; n < ARRAY_LEN(cells); n++) {
		struct lab l;

		make(&l, cells[n].mode, cells[n].cni, false);
		NETNS_EACH(l.dp, h)
			for (uint32_t k = 0; k < 400; k++) {
				ip_addr ip = ip_add(l.to[k % l.nr_to], k / l.nr_to % 9);
				const struct netns *ns = netns_get(l.dp, (netns_h){ h });
				const struct route *own = naive_route(ns, ip);
				const struct block *b = naive_block(l.dp, ip);
				struct route out = { 0 };
				bool got = route_lookup(l.dp, (netns_h){ h }, ip, &out), in_own = own && (!ns->uses_blocks || !b || own->dst.len >= b->cidr.len);

				wrong += block_of(l.dp, ip) != b || (own && !got) || (in_own && (out.dst.len != own->dst.len || !ip_eq(out.dst.addr, own->dst.addr)));
				found += in_own;
			}
		done(&l);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(found > 1000);
}
