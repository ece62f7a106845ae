/* How a load balancer's address reaches a node from outside: one node answers for it on the nodes' L2, as MetalLB elects it, or the gateway has a route to that node.
 * Sources: MetalLB speaker/layer2_controller.go ShouldAnnounce: nodes ordered by preference, then sha256("NODE#ADDRESS"), of the Service's first address, the first is it;
 * with policy Local only nodes that have a ready endpoint, with policy Cluster any node if the Service has a ready endpoint at all; none that is kept from load balancers.
 * Which nodes may speak of an address of a pool its advertisements say (internal/config/config.go setL2AdvertisementsToPools); no advertisement, no speaker, though the
 * controller gives the address all the same. By BGP (speaker/bgp_controller.go ShouldAnnounce) every such node speaks, and the router spreads flows over them; that the
 * router is a peer of MetalLB's is taken for granted. */
#include "model/dataplane/compile.h"

static bool usable(const struct endpoint *e)
{
	return e->ready != TRI_FALSE || e->serving == TRI_TRUE;
}

static bool has_endpoint(struct compile *x, const struct service *s, const struct node *on)
{
	struct object_list slices = service_slices(x->cluster, s);

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < sl->endpoints.nr; i++)
			if (usable(&sl->endpoints.v[i]) && (!on || streq(sl->endpoints.v[i].node, on->o.name)))
				return true;
	}
	return false;
}

/* MetalLB's pool that has the address; NULL: a cloud's, or nobody's that is known. */
static const struct metallb_pool *pool_with(const struct compile *x, ip_addr ip)
{
	struct object_list l = cluster_flags(x->cluster)->cloud_lb.nr ? (struct object_list){ 0 } : cluster_list(x->cluster, &metallb_pool_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (metallb_has((const struct metallb_pool *)l.v[k], ip))
			return (const struct metallb_pool *)l.v[k];
	return NULL;
}

static bool selects_node(const struct metallb_advertisement *a, const struct node *n)
{
	for (uint32_t k = 0; k < a->node_selectors.nr; k++)
		if (selector_matches(&a->node_selectors.v[k], &n->o.labels))
			return true;
	return !a->node_selectors.nr;
}

static bool speaks_for(const struct metallb_advertisement *a, const struct service *s)
{
	for (uint32_t k = 0; k < a->service_selectors.nr; k++)
		if (selector_matches(&a->service_selectors.v[k], &s->o.labels))
			return true;
	return !a->service_selectors.nr;
}

typedef VEC(const struct metallb_advertisement *) advertisements;

static advertisements advertised(const struct compile *x, const struct kind *kind, const struct metallb_pool *p, const struct service *s)
{
	struct object_list l = p ? cluster_list(x->cluster, kind) : (struct object_list){ 0 };
	advertisements out = { 0 };

	for (uint32_t i = 0; i < l.nr; i++) {
		const struct metallb_advertisement *a = (const struct metallb_advertisement *)l.v[i];

		if (metallb_advertises(a, p) && speaks_for(a, s))
			vec_add(x->arena, &out, a);
	}
	return out;
}

static bool advertised_from(const advertisements *l, const struct node *n)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (selects_node(l->v[k], n))
			return true;
	return false;
}

/* Whoever is elected speaks by the interfaces that its advertisements name. What its interfaces are called is known where they are told; else those that are named are taken
 * to be it. */
static bool has_interface(const advertisements *l, const struct node_build *nb, ip_addr own)
{
	const char *name = NULL;

	for (uint32_t k = 0; k < nb->nr_nics; k++)
		for (uint32_t i = 0; i < nb->nics[k].nr; i++)
			if (ip_eq(nb->nics[k].v[i].ip, own))
				name = nb->nics[k].name;
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct metallb_advertisement *a = l->v[k];

		if (!selects_node(a, nb->node))
			continue;
		if (!a->interfaces.nr || !name)
			return true;
		for (uint32_t n = 0; n < a->interfaces.nr; n++)
			if (streq(a->interfaces.v[n], name))
				return true;
	}
	return !l->nr;
}

/* preferredNodeSelectors: the weights of what matches, over all advertisements that select the node. */
static int64_t preference(const advertisements *l, const struct node *n)
{
	int64_t sum = 0;

	for (uint32_t k = 0; k < l->nr; k++)
		for (uint32_t i = 0; i < l->v[k]->preferred.nr && selects_node(l->v[k], n); i++)
			sum += selector_matches(&l->v[k]->preferred.v[i].nodes, &n->o.labels) ? l->v[k]->preferred.v[i].weight : 0;
	return sum;
}

/* Clouds and MetalLB keep away from these (cloud-provider/controllers/service nodeIncludeFromExternalLB; metallb internal/k8s/nodes). */
bool node_is_kept_away(const struct node *n)
{
	const struct condition *unavailable = condition_get(&n->conditions, "NetworkUnavailable");

	return label_get(&n->o.labels, "node.kubernetes.io/exclude-from-external-load-balancers") || (unavailable && unavailable->status == COND_TRUE);
}

typedef VEC(const struct node_build *) speakers;

/* Who may speak of the address; by: the advertisements, NULL: nobody asks for any (a cloud). */
static speakers candidates(struct compile *x, const struct service *s, ip_addr ip, const advertisements *by)
{
	speakers out = { 0 };

	for (uint32_t k = 0; k < x->nr_nodes; k++) {
		const struct node_build *nb = &x->nodes[k];

		if (ip_set(ip_is4(ip) ? nb->ip4 : nb->ip6) && !node_is_dead(nb->node) && !node_is_kept_away(nb->node) && (!by || advertised_from(by, nb->node)) &&
		    (s->external_policy != TP_LOCAL || has_endpoint(x, s, nb->node)))
			vec_add(x->arena, &out, nb);
	}
	return out;
}

/* The heaviest, and of equals the first by hash. */
static const struct node_build *elect(struct compile *x, const speakers *l, ip_addr first, const advertisements *by)
{
	const struct node_build *best = NULL;
	int64_t most = 0;
	uint8_t least[32];

	for (uint32_t k = 0; k < l->nr; k++) {
		const struct node_build *nb = l->v[k];
		const char *text = arena_printf(x->arena, "%s#%s", nb->node->o.name, IP(first));
		int64_t weight = by ? preference(by, nb->node) : 0;
		uint8_t sum[32];

		sha256(text, strlen(text), sum);
		if (!best || weight > most || (weight == most && memcmp(sum, least, sizeof(sum)) < 0)) {
			best = nb;
			most = weight;
			memcpy(least, sum, sizeof(sum));
		}
	}
	return best;
}

/* speaker/layer2_controller.go ShouldAnnounce: an address that is shared has no speaker where an advertisement chooses among Services. */
static bool shared_and_chosen(const struct service *s, const advertisements *by)
{
	bool chosen = false;

	for (uint32_t k = 0; k < by->nr; k++)
		chosen = chosen || by->v[k]->service_selectors.nr;
	return chosen && (label_get(&s->o.annotations, "metallb.io/allow-shared-ip") || label_get(&s->o.annotations, "metallb.universe.tf/allow-shared-ip"));
}

/* Those to whom the router sends what is for the address: by BGP each that speaks of it, in ARP and NDP the one that is elected. */
static speakers next_hops(struct compile *x, const struct service *s, ip_addr first, ip_addr ip)
{
	const struct metallb_pool *pool = pool_with(x, ip);
	const advertisements bgp = advertised(x, &bgp_advertisement_kind, pool, s), l2 = advertised(x, &l2_advertisement_kind, pool, s);
	const struct node_build *one;
	speakers out = { 0 };

	if (!has_endpoint(x, s, NULL))
		return out;
	if (bgp.nr)
		out = candidates(x, s, ip, &bgp);
	if (out.nr || (pool && (!l2.nr || shared_and_chosen(s, &l2))))
		return out;
	out = candidates(x, s, ip, pool ? &l2 : NULL);
	one = elect(x, &out, first, pool ? &l2 : NULL);
	out.nr = 0;
	if (one && has_interface(&l2, one, ip_is4(ip) ? one->ip4 : one->ip6))
		vec_add(x->arena, &out, one);
	return out;
}

/* Equal next hops beside the first. */
static void route_add_hops(struct compile *x, struct route *r, ip_addr ip, const speakers *to)
{
	ip_addr *v = arena_array(x->dp->arena, ip_addr, to->nr);

	for (uint32_t k = 1; k < to->nr; k++)
		v[k - 1] = ip_is4(ip) ? to->v[k]->ip4 : to->v[k]->ip6;
	r->also = v;
	r->nr_also = to->nr - 1;
}

void lb_routes(struct compile *x, netns_h router, link_h nodes)
{
	struct object_list services = cluster_list(x->cluster, &service_kind);

	for (uint32_t k = 0; k < services.nr; k++) {
		const struct service *s = (const struct service *)services.v[k];
		ip_addr first = { 0, 0 };

		for (uint32_t i = 0; i < s->lb_ingress.nr; i++) {
			struct route *r;
			speakers to;
			ip_addr ip;

			if (!s->lb_ingress.v[i].ip || !ip_parse(s->lb_ingress.v[i].ip, &ip))
				continue;
			first = ip_set(first) ? first : ip;
			to = next_hops(x, s, first, ip);
			if (!to.nr)
				continue;
			r = route_add(x->dp, router, (struct cidr){ ip, (uint8_t)ip_bits(ip), true });
			r->via = ip_is4(ip) ? to.v[0]->ip4 : to.v[0]->ip6;
			r->dev = nodes;
			route_add_hops(x, r, ip, &to);
			r->proto = RTP_STATIC;
			r->cause = cause_of(x, &s->o, "status.loadBalancer.ingress");
		}
	}
}
