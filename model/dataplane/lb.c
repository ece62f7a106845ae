/* How a load balancer's address reaches a node from outside: one node answers for it on the nodes' L2, as MetalLB elects it, or the gateway has a route to that node.
 * Source: MetalLB speaker/layer2_controller.go ShouldAnnounce: nodes ordered by sha256("NODE#ADDRESS"), the first is it; with policy Local only nodes
 * that have a ready endpoint, with policy Cluster any node if the Service has a ready endpoint at all. */
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

static const struct node_build *elect(struct compile *x, const struct service *s, ip_addr ip)
{
	const struct node_build *best = NULL;
	uint8_t least[32];

	if (!has_endpoint(x, s, NULL))
		return NULL;
	for (uint32_t k = 0; k < x->nr_nodes; k++) {
		const struct node_build *nb = &x->nodes[k];
		uint8_t sum[32];
		const char *text = arena_printf(x->arena, "%s#%s", nb->node->o.name, IP(ip));

		if ((s->external_policy == TP_LOCAL && !has_endpoint(x, s, nb->node)) || node_is_dead(nb->node) ||
		    !ip_set(ip_is4(ip) ? nb->ip4 : nb->ip6))
			continue;
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

		for (uint32_t i = 0; i < s->lb_ingress.nr; i++) {
			const struct node_build *nb;
			struct route *r;
			ip_addr ip;

			if (!s->lb_ingress.v[i].ip || !ip_parse(s->lb_ingress.v[i].ip, &ip) || !(nb = elect(x, s, ip)))
				continue;
			r = route_add(x->dp, router, (struct cidr){ ip, (uint8_t)ip_bits(ip), true });
			r->via = ip_is4(ip) ? nb->ip4 : nb->ip6;
			r->dev = nodes;
			r->proto = RTP_STATIC;
			r->cause = cause_of(x, &s->o, "status.loadBalancer.ingress");
		}
	}
}
