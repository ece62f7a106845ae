/* Endpoints of Services without a selector are mirrored into EndpointSlices. Source: pkg/controller/endpointslicemirroring; facts 31. */
#include "model/control/workloads.h"

#define LABEL_SERVICE "kubernetes.io/service-name"
#define LABEL_MANAGER "endpointslice.kubernetes.io/managed-by"
#define MANAGER       "endpointslicemirroring-controller.k8s.io"
#define MOST          1000              /* --mirroring-max-endpoints-per-subset */

static void watch(struct control *t, const struct change *ch)
{
	struct object *o = ch->object;

	if (o->kind == &service_kind)
		o = cluster_find(control_cluster(t), &endpoints_kind, o->ns, o->name);
	if (o)
		control_wake(t, CTL_MIRRORING, o, 0);
}

static bool mirrored(struct cluster *c, const struct object *o)
{
	const struct service *s = o->gone ? NULL : find_service(c, o->ns, o->name);

	return s && !s->selector.nr && s->type != SVC_EXTERNALNAME && !streq(label_get(&o->labels, "endpointslice.kubernetes.io/skip-mirror"), "true") &&
	       !label_get(&o->annotations, "control-plane.alpha.kubernetes.io/leader");
}

static void add_addresses(struct cluster *c, const struct ep_subset *sub, bool ready, bool four, struct endpointslice *s)
{
	uint32_t nr = ready ? sub->addresses.nr : sub->not_ready.nr;

	for (uint32_t k = 0; k < nr && s->endpoints.nr < MOST; k++) {
		const struct ep_address *from = ready ? &sub->addresses.v[k] : &sub->not_ready.v[k];
		struct endpoint *to = &s->endpoints.v[s->endpoints.nr];
		ip_addr ip;

		if (!from->ip || !ip_parse(from->ip, &ip) || ip_is4(ip) != four)
			continue;
		*to = (struct endpoint){ .ready = ready ? TRI_TRUE : TRI_FALSE, .hostname = from->hostname, .node = from->node, .target = from->target };
		to->addresses.v = arena_copy(cluster_arena(c), &from->ip, sizeof(from->ip));
		to->addresses.nr = 1;
		to->addresses.set = true;
		s->endpoints.nr++;
	}
}

static bool same(const struct endpointslice *a, const struct endpointslice *b)
{
	if (!streq(a->address_type, b->address_type) || a->endpoints.nr != b->endpoints.nr || a->ports.nr != b->ports.nr)
		return false;
	for (uint32_t k = 0; k < a->endpoints.nr; k++)
		if (!streq(a->endpoints.v[k].addresses.v[0], b->endpoints.v[k].addresses.v[0]) || a->endpoints.v[k].ready != b->endpoints.v[k].ready ||
		    !streq(a->endpoints.v[k].node, b->endpoints.v[k].node) || !streq(a->endpoints.v[k].hostname, b->endpoints.v[k].hostname))
			return false;
	for (uint32_t k = 0; k < a->ports.nr; k++)
		if (!streq(a->ports.v[k].name, b->ports.v[k].name) || a->ports.v[k].protocol != b->ports.v[k].protocol || a->ports.v[k].port.v != b->ports.v[k].port.v)
			return false;
	return true;
}

struct mirroring { struct control *t; struct cluster *c; const struct endpoints *e; struct endpointslice **old; uint32_t nr_old, used; struct arena *scratch; };

static void put_slice(struct mirroring *x, const struct ep_subset *sub, bool four)
{
	struct arena *a = cluster_arena(x->c);
	const struct object *o = &x->e->o;
	struct endpointslice want = { .address_type = cluster_str(x->c, four ? "IPv4" : "IPv6") }, *s;
	const char *base = arena_printf(x->scratch, "%s-", o->name);

	want.endpoints.v = arena_array(a, struct endpoint, MIN(sub->addresses.nr + sub->not_ready.nr, (uint32_t)MOST) + 1);
	want.endpoints.set = want.ports.set = true;
	want.ports.v = sub->ports.v;
	want.ports.nr = sub->ports.nr;
	add_addresses(x->c, sub, true, four, &want);
	add_addresses(x->c, sub, false, four, &want);
	if (!want.endpoints.nr)
		return;
	if (x->used < x->nr_old) {
		s = x->old[x->used++];
		if (same(s, &want))
			return;
		s->address_type = want.address_type;
		s->endpoints = want.endpoints;
		s->ports = want.ports;
		cluster_touch(x->c, &s->o);
		return;
	}
	s = (struct endpointslice *)object_new(x->c, &endpointslice_kind, o->ns, generate_name(x->c, &endpointslice_kind, o->ns, base, o->uid, made_count(x->t, o)));
	s->address_type = want.address_type;
	s->endpoints = want.endpoints;
	s->ports = want.ports;
	s->o.labels = pairs_with(x->c, &o->labels, LABEL_MANAGER, MANAGER);
	s->o.labels = pairs_with(x->c, &s->o.labels, LABEL_SERVICE, o->name);
	own(x->c, &s->o, o);
	cluster_add(x->c, &s->o);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct mirroring x = { .t = t, .c = control_cluster(t), .e = (const struct endpoints *)o, .scratch = arena_new(NULL, "mirroring") };
	struct service fake = { .o = { .ns = o->ns, .name = o->name } };
	struct object_list l = service_slices(x.c, &fake);

	(void)now;
	x.old = arena_array(x.scratch, struct endpointslice *, l.nr);
	for (uint32_t k = 0; k < l.nr; k++)
		if (streq(label_get(&l.v[k]->labels, LABEL_MANAGER), MANAGER))
			x.old[x.nr_old++] = (struct endpointslice *)l.v[k];
	for (uint32_t k = 0; mirrored(x.c, o) && k < x.e->subsets.nr; k++) {
		put_slice(&x, &x.e->subsets.v[k], true);
		put_slice(&x, &x.e->subsets.v[k], false);
	}
	while (x.used < x.nr_old)
		cluster_remove(x.c, &x.old[x.used++]->o);
	arena_free(x.scratch);
}

static const struct kind *const kinds_heard[] = { &endpoints_kind, &service_kind, NULL };
const struct controller mirroring_controller = { .name = "endpointslice-mirroring", .kinds = kinds_heard, .watch = watch, .run = run };
