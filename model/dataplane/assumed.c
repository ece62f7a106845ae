/* Addresses in EndpointSlices that no object owns: they are taken to exist and to answer, and the walk says so. Nearly every address that a packet is asked for (a
 * ClusterIP, say) is in no slice at all: a filter of all addresses that slices have named says so without a look at them. */
#include "model/dataplane/compile.h"

bool somebody_has(const struct compile *x, ip_addr ip)
{
	return find_pod_by_ip(x->cluster, ip) || map_find(&x->node_ips, hash_mix(ip.hi, ip.lo));
}

/* ---- the filter: five bits for each address; those of addresses that are no longer named stay */

static void set_bits(struct compile *x, ip_addr ip)
{
	uint64_t h = hash_mix(ip.hi, ip.lo);

	for (int k = 0; k < 5; k++, h = hash_mix(h, 1))
		x->named[(h & x->named_mask) >> 6] |= 1ull << (h & 63);
}

static bool has_bits(const struct compile *x, ip_addr ip)
{
	uint64_t h = hash_mix(ip.hi, ip.lo);
	bool has = true;

	for (int k = 0; k < 5; k++, h = hash_mix(h, 1))
		has = has && x->named[(h & x->named_mask) >> 6] >> (h & 63) & 1;
	return has;
}

void slice_named(struct compile *x, const struct endpointslice *s)
{
	ip_addr ip;

	for (uint32_t i = 0; x->named && i < s->endpoints.nr; i++)
		if (s->endpoints.v[i].addresses.nr && ip_parse_lenient(s->endpoints.v[i].addresses.v[0], &ip))
			set_bits(x, ip);
}

static void make_filter(struct compile *x)
{
	struct object_list slices = cluster_list(x->cluster, &endpointslice_kind);
	uint64_t bits = 4096, nr = 0;

	for (uint32_t k = 0; k < slices.nr; k++)
		nr += ((const struct endpointslice *)slices.v[k])->endpoints.nr;
	while (bits < 64 * nr)
		bits *= 2;
	x->named_mask = bits - 1;
	x->named = arena_array(x->arena, uint64_t, bits / 64);
	for (uint32_t k = 0; k < slices.nr; k++)
		slice_named(x, (const struct endpointslice *)slices.v[k]);
}

bool assumable(struct compile *x, ip_addr ip)
{
	if (!x->named)
		make_filter(x);
	return has_bits(x, ip) && !somebody_has(x, ip);
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

