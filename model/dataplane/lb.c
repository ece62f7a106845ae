/* How a load balancer's address reaches a node from outside: one node answers for it on the nodes' L2, as MetalLB elects it, or the gateway has a route to that node.
 * Sources: MetalLB speaker/layer2_controller.go ShouldAnnounce: nodes ordered by sha256("NODE#ADDRESS"), of the Service's first address, the first is it; with policy
 * Local only nodes that have a ready endpoint, with policy Cluster any node if the Service has a ready endpoint at all; none that is kept from load balancers. Which
 * nodes may speak of an address of a pool its advertisements say (internal/config/config.go setL2AdvertisementsToPools). */
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

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct metallb_pool *p = (const struct metallb_pool *)l.v[k];
		ip_addr first, last;

		for (uint32_t i = 0; i < p->addresses.nr; i++)
			if (metallb_range(p->addresses.v[i], &first, &last) && ip_is4(first) == ip_is4(ip) && ip_order(first, ip) <= 0 && ip_order(ip, last) <= 0)
				return p;
	}
	return NULL;
}

static bool selects_node(const struct metallb_advertisement *a, const struct node *n)
{
	for (uint32_t k = 0; k < a->node_selectors.nr; k++)
		if (selector_matches(&a->node_selectors.v[k], &n->o.labels))
			return true;
	return !a->node_selectors.nr;
}

/* The node is asked by the interface of its address. What its interfaces are called is known where they are told; else those that are named are taken to be it. */
static bool has_interface(const struct metallb_advertisement *a, const struct node_build *nb, ip_addr own)
{
	for (uint32_t k = 0; k < nb->nr_nics && a->interfaces.nr; k++)
		for (uint32_t i = 0; i < nb->nics[k].nr; i++)
			if (ip_eq(nb->nics[k].v[i].ip, own))
				for (uint32_t n = 0; n < a->interfaces.nr; n++)
					if (streq(a->interfaces.v[n], nb->nics[k].name))
						return true;
	return !a->interfaces.nr || !nb->nr_nics;
}

typedef VEC(const struct metallb_advertisement *) advertisements;

static advertisements advertised(const struct compile *x, const struct metallb_pool *p)
{
	static const struct kind *const rows[] = { &l2_advertisement_kind, &bgp_advertisement_kind };
	advertisements out = { 0 };

	for (size_t k = 0; p && k < ARRAY_LEN(rows); k++) {
		struct object_list l = cluster_list(x->cluster, rows[k]);

		for (uint32_t i = 0; i < l.nr; i++)
			if (metallb_advertises((const struct metallb_advertisement *)l.v[i], p))
				vec_add(x->arena, &out, (const struct metallb_advertisement *)l.v[i]);
	}
	return out;
}

static bool advertised_from(const advertisements *l, const struct node_build *nb, ip_addr own)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (selects_node(l->v[k], nb->node) && has_interface(l->v[k], nb, own))
			return true;
	return false;
}

/* Clouds and MetalLB keep away from these (cloud-provider/controllers/service nodeIncludeFromExternalLB; metallb internal/k8s/nodes). */
bool node_is_kept_away(const struct node *n)
{
	const struct condition *unavailable = condition_get(&n->conditions, "NetworkUnavailable");

	return label_get(&n->o.labels, "node.kubernetes.io/exclude-from-external-load-balancers") || (unavailable && unavailable->status == COND_TRUE);
}

static const struct node_build *elect(struct compile *x, const struct service *s, ip_addr first, ip_addr ip)
{
	const struct metallb_pool *pool = pool_with(x, ip);
	const advertisements by = advertised(x, pool);
	const struct node_build *best = NULL;
	uint8_t least[32];

	if (!has_endpoint(x, s, NULL))
		return NULL;
	for (uint32_t k = 0; k < x->nr_nodes; k++) {
		const struct node_build *nb = &x->nodes[k];
		ip_addr own = ip_is4(ip) ? nb->ip4 : nb->ip6;
		uint8_t sum[32];
		const char *text;

		if (!ip_set(own) || node_is_dead(nb->node) || node_is_kept_away(nb->node) || (pool && !advertised_from(&by, nb, own)) ||
		    (s->external_policy == TP_LOCAL && !has_endpoint(x, s, nb->node)))
			continue;
		text = arena_printf(x->arena, "%s#%s", nb->node->o.name, IP(first));
		sha256(text, strlen(text), sum);
		if (!best || memcmp(sum, least, sizeof(sum)) < 0) {
			best = nb;
			memcpy(least, sum, sizeof(sum));
		}
	}
	return best;
}

void lb_routes(struct compile *x, netns_h router, link_h nodes)
{
	struct object_list services = cluster_list(x->cluster, &service_kind);

	for (uint32_t k = 0; k < services.nr; k++) {
		const struct service *s = (const struct service *)services.v[k];
		ip_addr first = { 0, 0 };

		for (uint32_t i = 0; i < s->lb_ingress.nr; i++) {
			const struct node_build *nb;
			struct route *r;
			ip_addr ip;

			if (!s->lb_ingress.v[i].ip || !ip_parse(s->lb_ingress.v[i].ip, &ip))
				continue;
			first = ip_set(first) ? first : ip;
			nb = elect(x, s, first, ip);
			if (!nb)
				continue;
			r = route_add(x->dp, router, (struct cidr){ ip, (uint8_t)ip_bits(ip), true });
			r->via = ip_is4(ip) ? nb->ip4 : nb->ip6;
			r->dev = nodes;
			r->proto = RTP_STATIC;
			r->cause = cause_of(x, &s->o, "status.loadBalancer.ingress");
		}
	}
}
