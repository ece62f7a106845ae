/* Addresses in EndpointSlices that no object owns: they are taken to exist and to answer, and the walk says so. Nearly every address that a packet is asked for (a
 * ClusterIP, say) is in no slice at all: a filter of all addresses that slices have named says so without a look at them. Beside them stand Calico's floating addresses, of
 * which nobody can tell what becomes. */
#include "model/cluster/pod_network.h"
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

/* ---- cni.projectcalico.org/floatingIPs: felix translates them on the Pod's node (felix/rules/nat.go DNATsToIptablesChains), and whether they get there is for BGP and pools to say;
 * not modelled */

typedef void floating_fn(struct compile *, const struct pod *, ip_addr);

static void each_floating(struct compile *x, const struct pod *p, floating_fn *fn)
{
	const char *text = label_get(&p->o.annotations, "cni.projectcalico.org/floatingIPs");
	struct err none = { 0 };
	const struct val *v = text && x->settings->cni == CNI_CALICO && calico_plugin_has(x->cluster, "floating_ips") ?
			      json_parse(x->arena, "annotation", text, strlen(text), NULL, &none) : NULL;
	ip_addr ip;

	VAL_EACH(w, v)
		if (val_str(w) && ip_parse(val_str(w), &ip))
			fn(x, p, ip);
	err_free(&none);
}

static void name_floating(struct compile *x, const struct pod *p, ip_addr ip)
{
	(void)p;
	set_bits(x, ip);
}

static void doubt_floating(struct compile *x, const struct pod *p, ip_addr ip)
{
	const char *why = arena_printf(x->arena, "%s is a floating address of pod/%s/%s (cni.projectcalico.org/floatingIPs), which is not modelled", IP(ip), p->o.ns, p->o.name);

	vec_add(x->arena, &x->dp->assumed, (struct assumed){ .ip = ip, .cause = cause_of(x, &p->o, "metadata.annotations"), .doubt = why });
}

void pod_named(struct compile *x, const struct pod *p)
{
	if (x->named && p->o.annotations.nr)
		each_floating(x, p, name_floating);
}

static void all_floating(struct compile *x, floating_fn *fn)
{
	struct object_list pods = x->settings->cni == CNI_CALICO && calico_plugin_has(x->cluster, "floating_ips") ? cluster_list(x->cluster, &pod_kind) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < pods.nr; k++)
		if (pods.v[k]->annotations.nr)
			each_floating(x, (const struct pod *)pods.v[k], fn);
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
	all_floating(x, name_floating);
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

		vec_add(x->arena, &x->dp->assumed, (struct assumed){ ip, port, node, why, NULL });
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
	all_floating(x, doubt_floating);
}

