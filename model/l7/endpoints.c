/* What a proxy dials for a Service: the ready addresses of its EndpointSlices, not its ClusterIP. Source: ingress-nginx internal/ingress/controller/
 * endpointslices.go getEndpointsFromSlices; EndpointConditions.ready nil counts as ready. */
#include "model/l7/routes.h"

#include <stdlib.h>

static int by_address(const void *a, const void *b)
{
	const struct http_endpoint *x = a, *y = b;
	int c = ip_order(x->ip, y->ip);

	return c ? c : (int)x->port - (int)y->port;
}

static bool carries(struct cluster *c, const struct service *s, const struct endpoint *e, const pair_list *subset)
{
	const struct pod *p;

	if (!subset)
		return true;
	p = e->target && streq(e->target->kind, "Pod") ? find_pod(c, e->target->ns ? e->target->ns : s->o.ns, e->target->name) : NULL;
	return p && pairs_match(subset, &p->o.labels);
}

static bool port_named(const struct ep_port *p, const struct svc_port *sp)
{
	return streq(p->name ? p->name : "", sp->name ? sp->name : "") && p->port.set && (p->protocol ? p->protocol : L4_TCP) == (sp->protocol ? sp->protocol : L4_TCP);
}

static const char *family_of(const struct service *s)
{
	return s->families.nr && streq(s->families.v[0], "IPv6") ? "IPv6" : "IPv4";
}

struct found { struct arena *a; VEC(struct http_endpoint) v; };

static void take_slice(struct found *f, struct cluster *c, const struct service *s, const struct svc_port *sp, const struct endpointslice *slice, const pair_list *subset)
{
	for (uint32_t i = 0; i < slice->ports.nr; i++) {
		if (!port_named(&slice->ports.v[i], sp))
			continue;
		for (uint32_t k = 0; k < slice->endpoints.nr; k++) {
			const struct endpoint *e = &slice->endpoints.v[k];
			ip_addr ip;

			if (e->ready == TRI_FALSE || !e->addresses.nr || !carries(c, s, e, subset) || !ip_parse_lenient(e->addresses.v[0], &ip))
				continue;
			vec_add(f->a, &f->v, (struct http_endpoint){ ip, (uint16_t)slice->ports.v[i].port.v, e });
		}
	}
}

struct http_endpoint *service_endpoints(struct cluster *c, const struct service *s, int32_t port, const pair_list *subset, struct arena *a, uint32_t *nr)
{
	struct object_list slices = service_slices(c, s);
	const char *families[] = { family_of(s), streq(family_of(s), "IPv4") ? "IPv6" : "IPv4" };
	const struct svc_port *sp = NULL;
	struct found f = { .a = a };
	uint32_t n = 0;

	*nr = 0;
	for (uint32_t k = 0; k < s->ports.nr && !sp; k++)
		if (s->ports.v[k].port == port)
			sp = &s->ports.v[k];
	for (int fam = 0; sp && fam < 2 && !f.v.nr; fam++)
		for (uint32_t k = 0; k < slices.nr; k++) {
			const struct endpointslice *slice = (const struct endpointslice *)slices.v[k];

			if (streq(slice->address_type, families[fam]))
				take_slice(&f, c, s, sp, slice, subset);
		}
	if (!f.v.nr)
		return NULL;
	if (f.v.nr)
		qsort(f.v.v, f.v.nr, sizeof(*f.v.v), by_address);
	for (uint32_t k = 0; k < f.v.nr; k++)
		if (!n || by_address(&f.v.v[n - 1], &f.v.v[k]) != 0)
			f.v.v[n++] = f.v.v[k];
	*nr = n;
	return f.v.v;
}
