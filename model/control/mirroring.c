/* Endpoints of Services without a selector are mirrored into EndpointSlices: one per list of ports and address family.
 * Sources: pkg/controller/endpointslicemirroring/{reconciler,reconciler_helpers,utils}.go, pkg/api/v1/endpoints/util.go RepackSubsets; facts 31. */
#include <stdlib.h>

#include "model/control/endpoints_pack.h"
#include "model/control/endpointslices.h"

#define MIRRORER "endpointslicemirroring-controller.k8s.io"
#define MOST     1000                   /* --mirroring-max-endpoints-per-subset */

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

	return s && !s->selector.nr && !streq(label_get(&o->labels, "endpointslice.kubernetes.io/skip-mirror"), "true") &&
	       !label_get(&o->annotations, "control-plane.alpha.kubernetes.io/leader");
}

/* ---- slices */

struct reflection { const struct packed *pack; bool v6; struct endpoint *v; uint32_t nr; struct endpointslice *old; };
struct mirroring {
	struct control *t;
	struct cluster *c;
	const struct endpoints *e;
	struct arena *scratch;
	struct endpointslice **have; uint32_t nr_have;  /* ours; NULL where one is used */
	VEC(struct reflection) want;
};

/* addressToEndpoint for the addresses of one family; those of both count towards the subset's limit. */
static struct reflection mirror_of(struct mirroring *x, const struct packed *p, bool v6)
{
	struct reflection m = { .pack = p, .v6 = v6, .v = arena_array(cluster_arena(x->c), struct endpoint, MIN(p->offers.nr, (uint32_t)MOST)) };
	uint32_t taken = 0;

	for (int ready = 1; ready >= 0; ready--)
		for (uint32_t k = 0; k < p->offers.nr && taken < MOST; k++) {
			const struct ep_address *from = p->offers.v[k].address;
			struct endpoint *to = &m.v[m.nr];
			ip_addr ip;

			if (p->offers.v[k].ready != (ready == 1) || !ip_parse(from->ip, &ip))
				continue;
			taken++;
			if (ip_is4(ip) == v6)
				continue;
			*to = (struct endpoint){ .ready = ready ? TRI_TRUE : TRI_FALSE, .hostname = from->hostname, .node = from->node, .target = from->target };
			to->addresses.v = arena_make(cluster_arena(x->c), str);
			to->addresses.v[0] = cluster_str(x->c, IP(ip));
			to->addresses.nr = 1;
			to->addresses.set = true;
			m.nr++;
		}
	return m;
}

static bool same_target(const struct obj_ref *a, const struct obj_ref *b)
{
	return (!a && !b) || (a && b && streq(a->kind, b->kind) && streq(a->ns, b->ns) && streq(a->name, b->name) && streq(a->uid, b->uid));
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->addresses.nr == b->addresses.nr && streq(a->addresses.v[0], b->addresses.v[0]) && a->ready == b->ready && a->serving == b->serving &&
	       a->terminating == b->terminating && streq(a->node, b->node) && streq(a->hostname, b->hostname) && streq(a->zone, b->zone) && same_target(a->target, b->target);
}

static bool same_endpoints(const struct reflection *m, const struct endpointslice *s)
{
	if (s->endpoints.nr != m->nr)
		return false;
	for (uint32_t k = 0; k < m->nr; k++) {
		uint32_t at = same_endpoint(&m->v[k], &s->endpoints.v[k]) ? k : 0;

		while (at < m->nr && !same_endpoint(&m->v[k], &s->endpoints.v[at]))
			at++;
		if (at == m->nr)
			return false;
	}
	return true;
}

static pair_list labels_wanted(const struct mirroring *x)
{
	pair_list l = pairs_with(x->c, &x->e->o.labels, LABEL_MANAGER, MIRRORER);

	return pairs_with(x->c, &l, LABEL_SERVICE, x->e->o.name);
}

static pair_list annotations_wanted(const struct mirroring *x)
{
	static const char *const left_out[] = { "endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration" };
	pair_list l = x->e->o.annotations;

	for (size_t k = 0; k < ARRAY_LEN(left_out); k++)
		if (label_get(&l, left_out[k]))
			l = pairs_with(x->c, &l, left_out[k], NULL);
	return l;
}

static bool same_pairs(const pair_list *a, const pair_list *b)
{
	return a->nr == b->nr && pairs_match(a, b);
}

static void write_slice(struct mirroring *x, const struct reflection *m)
{
	struct arena *a = cluster_arena(x->c);
	const struct object *o = &x->e->o;
	const char *base = arena_printf(x->scratch, "%s-", o->name);
	struct endpointslice *s = m->old;
	pair_list labels = labels_wanted(x), annotations = annotations_wanted(x);

	if (s && ports_equal(s->ports.v, s->ports.nr, m->pack->ports.v, m->pack->ports.nr) && same_endpoints(m, s) && same_pairs(&labels, &s->o.labels) &&
	    same_pairs(&annotations, &s->o.annotations) && (!s->o.owners.nr || streq(s->o.owners.v[0].uid, o->uid)))
		return;
	if (!s) {
		s = (struct endpointslice *)object_new(x->c, &endpointslice_kind, o->ns, generate_name(x->c, &endpointslice_kind, o->ns, base, o->uid, made_count(x->t, o)));
		s->o.generate_name = cluster_str(x->c, base);
		s->address_type = cluster_str(x->c, m->v6 ? "IPv6" : "IPv4");
	}
	s->endpoints.v = m->v;
	s->endpoints.nr = m->nr;
	s->ports.nr = m->pack->ports.nr;
	s->ports.v = s->ports.nr ? arena_copy(a, m->pack->ports.v, s->ports.nr * sizeof(*s->ports.v)) : NULL;
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (!s->ports.v[k].name)
			s->ports.v[k].name = cluster_str(x->c, "");
	s->endpoints.set = s->ports.set = true;
	s->o.labels = labels;
	s->o.annotations = annotations;
	own(x->c, &s->o, o);
	if (m->old)
		cluster_touch(x->c, &s->o);
	else
		cluster_add(x->c, &s->o);
}

static bool slice_fits(const struct endpointslice *s, const struct reflection *m, bool ports)
{
	return s && streq(s->address_type, m->v6 ? "IPv6" : "IPv4") && (!ports || ports_equal(s->ports.v, s->ports.nr, m->pack->ports.v, m->pack->ports.nr));
}

/* A slice of the same ports is written anew; one that would be deleted is used before another is made (recycleSlices). */
static void choose_slices(struct mirroring *x, bool ports)
{
	for (uint32_t k = 0; k < x->want.nr; k++)
		for (uint32_t i = 0; !x->want.v[k].old && i < x->nr_have; i++)
			if (slice_fits(x->have[i], &x->want.v[k], ports)) {
				x->want.v[k].old = x->have[i];
				x->have[i] = NULL;
			}
}

static void mirror(struct mirroring *x)
{
	struct packs packs = endpoints_repack(x->scratch, x->e);
	uint32_t skipped = 0;

	for (uint32_t k = 0; k < packs.nr; k++) {
		skipped += packs.v[k].offers.nr > MOST ? packs.v[k].offers.nr - MOST : 0;
		for (int v6 = 0; v6 < 2; v6++) {
			struct reflection m = mirror_of(x, &packs.v[k], v6);

			if (m.nr)
				vec_add(x->scratch, &x->want, m);
		}
	}
	if (skipped)
		cluster_event(x->c, &x->e->o, true, "endpoint-slice-mirroring-controller", "TooManyAddressesToMirror",
			      "A max of %u addresses can be mirrored to EndpointSlices per Endpoints subset. %u addresses were skipped", (unsigned)MOST, skipped);
	choose_slices(x, true);
	choose_slices(x, false);
	for (uint32_t k = 0; k < x->want.nr; k++)
		write_slice(x, &x->want.v[k]);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct mirroring x = { .t = t, .c = control_cluster(t), .e = (const struct endpoints *)o, .scratch = arena_new(NULL, "mirroring") };
	struct service fake = { .o = { .ns = o->ns, .name = o->name } };
	struct object_list l = service_slices(x.c, &fake);

	(void)now;
	x.have = arena_array(x.scratch, struct endpointslice *, l.nr);
	for (uint32_t k = 0; k < l.nr; k++)
		if (streq(label_get(&l.v[k]->labels, LABEL_MANAGER), MIRRORER))
			x.have[x.nr_have++] = (struct endpointslice *)l.v[k];
	if (mirrored(x.c, o))
		mirror(&x);
	for (uint32_t k = 0; k < x.nr_have; k++)
		if (x.have[k])
			cluster_remove(x.c, &x.have[k]->o);
	arena_free(x.scratch);
}

static const struct kind *const kinds_heard[] = { &endpoints_kind, &service_kind, NULL };
const struct controller mirroring_controller = { .name = "endpointslice-mirroring", .kinds = kinds_heard, .watch = watch, .run = run };
