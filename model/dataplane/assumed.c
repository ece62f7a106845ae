/* Addresses in EndpointSlices that no object owns: they are taken to exist and to answer, and the walk says so. */
#include "model/dataplane/compile.h"

bool somebody_has(const struct compile *x, ip_addr ip)
{
	return find_pod_by_ip(x->cluster, ip) || map_find(&x->node_ips, hash_mix(ip.hi, ip.lo));
}

static void assume(struct compile *x, const struct endpointslice *s, const struct endpoint *e)
{
	netns_h node = { 0 };
	ip_addr ip;

	if (!e->addresses.nr || !ip_parse_lenient(e->addresses.v[0], &ip) || somebody_has(x, ip))
		return;
	if (e->node) {
		const struct node_build *nb = node_of_name(x, e->node);

		node = nb ? nb->ns : node;
	}
	for (uint32_t k = 0; k < MAX(s->ports.nr, 1u); k++) {
		uint16_t port = s->ports.nr && s->ports.v[k].port.set ? (uint16_t)s->ports.v[k].port.v : 0;
		cause_h why = cause_of(x, &s->o, "endpoints");

		vec_add(x->arena, &x->dp->assumed, (struct assumed){ ip, port, node, why });
	}
}

void add_assumed(struct compile *x)
{
	struct object_list slices = cluster_list(x->cluster, &endpointslice_kind);

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++)
			assume(x, s, &s->endpoints.v[i]);
	}
}

