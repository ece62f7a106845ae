/* EndpointSlices as they are written: what stands in them, their labels and hints; endpoints that stand where they stood keep their texts.
 * Sources: staging/src/k8s.io/endpointslice/{reconciler,utils}.go, trafficdist/trafficdist.go. */
#include "model/control/endpointslice_visit.h"

/* The controller's own labels: a Service that has one does not hand it on (endpointslice/utils.go isReservedLabelKey). */
static bool is_reserved(const char *key)
{
	return streq(key, LABEL_SERVICE) || streq(key, LABEL_MANAGER) || streq(key, LABEL_HEADLESS);
}

bool slice_labels_fit(const struct slicing *x, const struct endpointslice *s)
{
	const pair_list *want = &x->s->o.labels;
	uint32_t nr = 2 + service_is_headless(x->s);

	for (uint32_t k = 0; k < want->nr; k++)
		if (!is_reserved(want->v[k].key)) {
			if (!streq(label_get(&s->o.labels, want->v[k].key), want->v[k].value))
				return false;
			nr++;
		}
	return s->o.labels.nr == nr;
}

static pair_list labels_of(const struct slicing *x)
{
	pair_list l = x->s->o.labels;

	if (service_is_headless(x->s) || label_get(&l, LABEL_HEADLESS))
		l = pairs_with(x->c, &l, LABEL_HEADLESS, service_is_headless(x->s) ? "" : NULL);
	l = pairs_with(x->c, &l, LABEL_MANAGER, MANAGER);
	return pairs_with(x->c, &l, LABEL_SERVICE, x->s->o.name);
}

/* What an endpoint says of its Pod for as long as it stands there. */
struct standing { struct obj_ref target; str address; };

static void begin_endpoint(struct slicing *x, const struct wanted *w, struct endpoint *e)
{
	struct standing *s = arena_make(cluster_arena(x->c), struct standing);
	char text[IP_TEXT];
	const char *ip = ip_text(w->ip, text);

	s->address = str_alone(cluster_strings(x->c), ip, strlen(ip));
	s->target = (struct obj_ref){ .kind = x->m->pod, .ns = w->pod->o.ns, .name = w->pod->o.name, .uid = w->pod->o.uid };
	*e = (struct endpoint){ .addresses = { &s->address, 1, true }, .target = &s->target };
}

static void write_endpoint(const struct wanted *w, struct endpoint *e)
{
	e->ready = w->ready;
	e->serving = w->serving;
	e->terminating = w->terminating;
	e->node = w->pod->node;
	e->zone = w->zone;
	e->hostname = w->hostname;
}

/* What hints does this endpoint get? trafficDistribution gives each one its own zone, and node, whatever the load (trafficdist.go); the annotation goes before it. */
static void wanted_hints(const struct slicing *x, const struct wanted *w, str *zone, str *node)
{
	const char *how = x->by_cpu ? NULL : x->s->traffic_distribution;
	bool same_node = streq(how, "PreferSameNode"), same_zone = same_node || streq(how, "PreferClose") || streq(how, "PreferSameZone");

	*zone = w->ready == TRI_FALSE ? NULL : x->by_cpu ? w->hint : same_zone ? w->zone : NULL;
	*node = w->ready != TRI_FALSE && same_node ? w->pod->node : NULL;
}

static void put_hint(struct arena *a, str name, struct zone_hint **v, uint32_t *nr, bool *set)
{
	*nr = name != NULL;
	*set = name != NULL;
	*v = name ? arena_make(a, struct zone_hint) : NULL;
	if (name)
		(*v)->name = name;
}

static void hint(struct slicing *x, const struct wanted *w, struct endpoint *e)
{
	struct arena *a = cluster_arena(x->c);
	str zone, node;

	wanted_hints(x, w, &zone, &node);
	e->hints = zone || node ? arena_make(a, struct ep_hints) : NULL;
	if (zone)
		put_hint(a, zone, &e->hints->for_zones.v, &e->hints->for_zones.nr, &e->hints->for_zones.set);
	if (node)
		put_hint(a, node, &e->hints->for_nodes.v, &e->hints->for_nodes.nr, &e->hints->for_nodes.set);
}

struct wanted *wanted_of(const struct slicing *x, struct group *g, uint64_t key, uint32_t place)
{
	if (place < g->items.nr && g->items.v[place].key == key)
		return &g->wanted.v[place];
	if (!g->place.nr)
		for (uint32_t k = 0; k < g->items.nr; k++)
			*map_put(&g->place, x->scratch, g->items.v[k].key) = k;
	return &g->wanted.v[*map_find(&g->place, key)];
}

/* Endpoints that stand where they stood keep their texts and references. */
static void fill_slice(struct slicing *x, struct endpointslice *s, struct group *g, const struct slice_plan *p)
{
	struct arena *a = cluster_arena(x->c);
	struct item *old = (struct item *)(uintptr_t)table_get(&x->m->items, s->o.id.i);
	uint32_t was = old ? s->endpoints.nr : 0;
	struct map known = { 0 };
	struct endpoint *v = s->endpoints.v;
	bool in_place = old && was == p->nr;

	for (uint32_t k = 0; k < was && in_place; k++)
		in_place = old[k].key == p->v[k].key;
	for (uint32_t k = 0; k < was && !in_place; k++)
		*map_put(&known, x->scratch, old[k].key) = k;
	if (!in_place || s->shared)
		v = arena_array(a, struct endpoint, p->nr);
	if (in_place && v != s->endpoints.v && was)
		memcpy(v, s->endpoints.v, was * sizeof(*v));
	s->shared = false;
	for (uint32_t k = 0; k < p->nr; k++) {
		const struct wanted *w = wanted_of(x, g, p->v[k].key, k);
		const uint64_t *at = in_place ? NULL : map_find(&known, p->v[k].key);

		if (at)
			v[k] = s->endpoints.v[*at];
		else if (!in_place)
			begin_endpoint(x, w, &v[k]);
		write_endpoint(w, &v[k]);
		hint(x, w, &v[k]);
	}
	s->endpoints.v = v;
	s->endpoints.nr = p->nr;
	s->endpoints.set = true;
	if (!ports_equal(s->ports.v, s->ports.nr, g->ports.v, g->ports.nr))
		s->ports.v = g->ports.nr ? arena_copy(a, g->ports.v, g->ports.nr * sizeof(*g->ports.v)) : NULL;
	s->ports.nr = g->ports.nr;
	s->ports.set = true;
	if (!in_place) {
		old = arena_array(a, struct item, p->nr);
		*table_at(x->t, &x->m->items, s->o.id.i) = map_ptr(old);
	}
	if (p->nr)
		memcpy(old, p->v, p->nr * sizeof(*old));
}

static void make_slice(struct slicing *x, struct group *g, const struct slice_plan *p)
{
	const struct object *o = &x->s->o;
	const char *base = arena_printf(x->scratch, "%s-", o->name);
	struct endpointslice *s = (struct endpointslice *)object_new(x->c, &endpointslice_kind, o->ns,
								     generate_name(x->c, &endpointslice_kind, o->ns, base, o->uid, made_count(x->t, o)));
	uint64_t *items;

	s->o.generate_name = cluster_str(x->c, base);
	s->address_type = g->v6 ? x->m->ipv6 : x->m->ipv4;
	s->o.labels = labels_of(x);
	own(x->c, &s->o, o);
	fill_slice(x, s, g, p);
	items = table_at(x->t, &x->m->items, 0);        /* it had no handle yet */
	cluster_add(x->c, &s->o);
	*table_at(x->t, &x->m->items, s->o.id.i) = *items;
	*table_at(x->t, &x->m->items, 0) = 0;
}

str hinted_zone(const struct endpoint *e)
{
	return e->hints && e->hints->for_zones.nr ? e->hints->for_zones.v[0].name : NULL;
}

static bool hints_fit(const struct slicing *x, const struct endpointslice *s, struct group *g, const struct slice_plan *p)
{
	for (uint32_t k = 0; k < p->nr; k++) {
		const struct endpoint *e = &s->endpoints.v[k];
		str zone, node;

		wanted_hints(x, wanted_of(x, g, p->v[k].key, k), &zone, &node);
		if (!streq(zone, hinted_zone(e)) || !streq(node, e->hints && e->hints->for_nodes.nr ? e->hints->for_nodes.v[0].name : NULL))
			return false;
	}
	return true;
}

void slice_carry_out(struct slicing *x, struct group *g, const struct slice_plan *p)
{
	struct endpointslice *s = p->old >= 0 ? x->have[p->old] : NULL;
	bool dirty = p->action == SLICE_UPDATE;

	switch ((enum slice_action)p->action) {
	case SLICE_CREATE:
		make_slice(x, g, p);
		return;
	case SLICE_DELETE:
		cluster_remove(x->c, &s->o);
		return;
	case SLICE_KEEP:
	case SLICE_UPDATE:
		break;
	}
	if (!s)
		return;
	if (!slice_labels_fit(x, s)) {
		s->o.labels = labels_of(x);
		dirty = true;
	}
	if (dirty || !hints_fit(x, s, g, p)) {
		fill_slice(x, s, g, p);
		cluster_touch(x->c, &s->o);
	}
}
