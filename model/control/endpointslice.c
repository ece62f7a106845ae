/* EndpointSlices of Services with a selector: every selected Pod that has an address, one set of slices per address family and port list.
 * Sources: pkg/controller/endpointslice, staging/src/k8s.io/endpointslice/{reconciler,utils}.go, trafficdist/, topologycache/; facts 8, 20, 27, 31, 55. */
#include "model/control/endpointslices.h"
#include "model/control/slices.h"
#include "model/control/zone_hints.h"

struct wanted { struct pod *pod; ip_addr ip; uint8_t ready, serving, terminating; str hostname, zone, hint; };    /* hint: the zone that the zones' CPUs give it to */
struct group {                                  /* one family, one list of resolved ports */
	bool v6;
	LIST(struct ep_port) ports;
	struct { struct wanted *v; uint32_t nr, alloc; } wanted;
	struct { struct item *v; uint32_t nr, alloc; } items;   /* parallel to wanted */
	struct map place;                       /* key of an item → its place there; made when it is first asked for */
	struct slice_plans plans;
	struct group *next;
};

struct slicing {
	struct control *t;
	struct cluster *c;
	struct memory *m;
	struct service *s;
	struct arena *scratch;
	struct group *groups;
	const struct pod_spec *last_spec; struct group *last_group[2];
	struct endpointslice **have; uint32_t nr_have;  /* ours */
	bool by_cpu;                            /* hints by the zones' CPUs */
};
struct planned { struct group *group; struct slice_plan *plan; };
struct zone_slices { VEC(struct hinted_slice) slices; VEC(struct planned) at; };

/* ---- endpoints that there shall be */

static enum tri tri(bool b)
{
	return b ? TRI_TRUE : TRI_FALSE;
}

/* getEndpointPorts: a Pod without the named port is an endpoint all the same, in a slice without that port. */
static void ports_of(const struct slicing *x, const struct pod *p, struct group *g)
{
	g->ports.v = arena_array(x->scratch, struct ep_port, x->s->ports.nr);
	g->ports.set = true;
	for (uint32_t k = 0; k < x->s->ports.nr; k++) {
		const struct svc_port *sp = &x->s->ports.v[k];
		int32_t number = !sp->target.set ? sp->port : sp->target.s ? pod_port_by_name(p->spec, sp->target.s, sp->protocol) : sp->target.i ? sp->target.i : sp->port;

		if (number)
			g->ports.v[g->ports.nr++] = (struct ep_port){ sp->name ? sp->name : x->m->none, sp->protocol, { number, true }, sp->app_protocol };
	}
}

static struct group *group_for(struct slicing *x, const struct pod *p, bool v6)
{
	struct group want = { .v6 = v6 }, **at = &x->groups;

	if (x->last_spec == p->spec && x->last_group[v6])
		return x->last_group[v6];
	ports_of(x, p, &want);
	while (*at && !((*at)->v6 == v6 && ports_equal((*at)->ports.v, (*at)->ports.nr, want.ports.v, want.ports.nr)))
		at = &(*at)->next;
	if (!*at) {
		*at = arena_make(x->scratch, struct group);
		**at = want;
	}
	if (x->last_spec != p->spec)
		x->last_group[!v6] = NULL;
	x->last_spec = p->spec;
	return x->last_group[v6] = *at;
}

/* utils.go podToEndpoint: serving is the Pod's readiness, terminating its deletion, ready both together, or always with publishNotReadyAddresses. */
static void add_endpoint(struct slicing *x, struct pod *p, ip_addr ip)
{
	struct group *g = group_for(x, p, !ip_is4(ip));
	const struct node_info *on = node_of_pod(x->t, p);
	bool serving = pod_is_ready(p), terminating = p->o.deleted != NEVER;
	struct wanted w = { .pod = p, .ip = ip, .serving = (uint8_t)tri(serving), .terminating = (uint8_t)tri(terminating) };
	struct item item;

	w.ready = (uint8_t)tri(x->s->publish_not_ready || (serving && !terminating));
	w.zone = on ? on->zone : NULL;
	if (p->spec->subdomain && streq(p->spec->subdomain, x->s->o.name))      /* ShouldSetHostname */
		w.hostname = p->hostname ? p->hostname : p->spec->hostname;
	item.key = hash_mix(hash_mix(ip.hi, ip.lo), p->o.id.i);
	item.version = hash_mix(hash_mix((uint64_t)w.ready | (uint64_t)w.serving << 8 | (uint64_t)w.terminating << 16, map_ptr(w.hostname)),
				hash_mix(map_ptr(w.zone), map_ptr(p->node)));
	vec_add(x->scratch, &g->wanted, w);
	vec_add(x->scratch, &g->items, item);
}

/* ShouldPodBeInEndpoints: an address, and not Succeeded or Failed. */
static bool may_stand(const struct pod *p)
{
	return (ip_set(p->ip) || ip_set(p->ip2)) && !pod_is_terminal(p);
}

static void add_pod(struct slicing *x, struct pod *p)
{
	for (int second = 0; second < 2; second++) {
		ip_addr ip = second ? p->ip2 : p->ip;
		bool wanted = !x->s->families.nr && !second;

		for (uint32_t k = 0; ip_set(ip) && k < x->s->families.nr; k++)
			wanted = wanted || streq(x->s->families.v[k], ip_is4(ip) ? "IPv4" : "IPv6");
		if (ip_set(ip) && wanted)
			add_endpoint(x, p, ip);
	}
}

/* ---- slices that there are */

static bool is_ours(const struct object *o)
{
	return streq(label_get(&o->labels, LABEL_MANAGER), MANAGER);
}

static uint64_t key_of_text(const struct slicing *x, const struct endpoint *e)
{
	const struct pod *p = e->target && streq(e->target->kind, "Pod") ? find_pod(x->c, e->target->ns ? e->target->ns : x->s->o.ns, e->target->name) : NULL;
	ip_addr ip = { 0, 0 };

	if (e->addresses.nr)
		ip_parse(e->addresses.v[0], &ip);
	return hash_mix(hash_mix(ip.hi, ip.lo), p ? p->o.id.i : 0);
}

/* What stands in a slice that was not written here. */
static struct item read_item(const struct slicing *x, const struct endpoint *e)
{
	struct item i = { .key = key_of_text(x, e) };

	i.version = hash_mix(hash_mix((uint64_t)e->ready | (uint64_t)e->serving << 8 | (uint64_t)e->terminating << 16, map_ptr(e->hostname)),
			     hash_mix(map_ptr(e->zone), map_ptr(e->node)));
	return i;
}

/* The controller's own labels: a Service that has one does not hand it on (endpointslice/utils.go isReservedLabelKey). */
static bool is_reserved(const char *key)
{
	return streq(key, LABEL_SERVICE) || streq(key, LABEL_MANAGER) || streq(key, LABEL_HEADLESS);
}

static bool labels_fit(const struct slicing *x, const struct endpointslice *s)
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

static struct slice_plan plan_of(const struct slicing *x, uint32_t k)
{
	const struct endpointslice *s = x->have[k];
	const struct item *known = (const struct item *)(uintptr_t)table_get(&x->m->items, s->o.id.i);
	struct slice_plan p = { .nr = s->endpoints.nr, .alloc = s->endpoints.nr, .old = (int32_t)k, .dirty = !labels_fit(x, s) };

	p.v = arena_array(x->scratch, struct item, p.nr);
	for (uint32_t i = 0; i < p.nr; i++)
		p.v[i] = known ? known[i] : read_item(x, &s->endpoints.v[i]);
	return p;
}

static bool slice_v6(const struct endpointslice *s)
{
	return streq(s->address_type, "IPv6");
}

/* Each slice belongs to the group that has its ports; one that has none is deleted, or written anew for another. */
static void sort_slices(struct slicing *x, struct slice_plans *lost)
{
	struct object_list l = service_slices(x->c, x->s);

	x->have = arena_array(x->scratch, struct endpointslice *, l.nr);
	for (uint32_t k = 0; k < l.nr; k++)
		if (is_ours(l.v[k]))
			x->have[x->nr_have++] = (struct endpointslice *)l.v[k];
	for (uint32_t k = 0; k < x->nr_have; k++) {
		struct group *g = x->groups;

		while (g && !(g->v6 == slice_v6(x->have[k]) && ports_equal(x->have[k]->ports.v, x->have[k]->ports.nr, g->ports.v, g->ports.nr)))
			g = g->next;
		vec_add(x->scratch, g ? &g->plans : lost, plan_of(x, k));
	}
}

/* ---- writing */

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

	s->address = cluster_str(x->c, IP(w->ip));
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

/* Where a slice says what it said before, its endpoints stand in the order in which they are wanted: it has that place then. */
static struct wanted *wanted_of(const struct slicing *x, struct group *g, uint64_t key, uint32_t place)
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
	if (!in_place)
		v = arena_array(a, struct endpoint, p->nr);
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

static bool same_family(void *ctx, const struct slice_plan *a, const struct slice_plan *b)
{
	const struct slicing *x = ((void **)ctx)[0];
	const struct group *g = ((void **)ctx)[1];

	(void)b;
	return slice_v6(x->have[a->old]) == g->v6;
}

static str hint_of(const struct endpoint *e)
{
	return e->hints && e->hints->for_zones.nr ? e->hints->for_zones.v[0].name : NULL;
}

static bool hints_fit(const struct slicing *x, const struct endpointslice *s, struct group *g, const struct slice_plan *p)
{
	for (uint32_t k = 0; k < p->nr; k++) {
		const struct endpoint *e = &s->endpoints.v[k];
		str zone, node;

		wanted_hints(x, wanted_of(x, g, p->v[k].key, k), &zone, &node);
		if (!streq(zone, hint_of(e)) || !streq(node, e->hints && e->hints->for_nodes.nr ? e->hints->for_nodes.v[0].name : NULL))
			return false;
	}
	return true;
}

/* ---- hints by the zones' CPUs */

/* hintsEnabled: the older annotation goes before the newer one. */
static bool hints_enabled(const struct service *s)
{
	const char *old = label_get(&s->o.annotations, "service.kubernetes.io/topology-aware-hints");
	const char *mode = old ? old : label_get(&s->o.annotations, "service.kubernetes.io/topology-mode");

	return streq(mode, "Auto") || streq(mode, "auto");
}

static void say(struct slicing *x, bool warning, const char *what, bool v6)
{
	cluster_event(x->c, &x->s->o, warning, "endpoint-slice-controller", warning ? "TopologyAwareHintsDisabled" : "TopologyAwareHintsEnabled", "%s, addressType: %s", what,
		      v6 ? "IPv6" : "IPv4");
}

static void set_hinted(struct slicing *x, bool hinted)
{
	*table_at(x->t, &x->m->hinted, x->s->o.id.i) = hinted;
	x->m->nr_hinted += hinted;
}

/* The slices of one family, in their hints' words; at: the plans, parallel. */
static void collect(struct slicing *x, bool v6, struct zone_slices *out)
{
	for (struct group *g = x->groups; g; g = g->next)
		for (uint32_t k = 0; g->v6 == v6 && k < g->plans.nr; k++) {
			struct slice_plan *p = &g->plans.v[k];
			const struct endpointslice *s = p->old >= 0 ? x->have[p->old] : NULL;
			struct hinted_slice h = { .v = arena_array(x->scratch, struct hinted, p->nr), .write = p->action != SLICE_KEEP };

			if (p->action == SLICE_DELETE || (p->action == SLICE_KEEP && !s))
				continue;
			for (uint32_t i = 0; i < p->nr; i++) {
				const struct wanted *w = wanted_of(x, g, p->v[i].key, i);

				if (w->ready == TRI_TRUE)
					h.v[h.nr++] = (struct hinted){ w->zone, h.write ? NULL : hint_of(&s->endpoints.v[i]) };
			}
			vec_add(x->scratch, &out->slices, h);
			vec_add(x->scratch, &out->at, ((struct planned){ g, p }));
		}
}

/* TopologyCache.AddHints, and what Reconciler.reconcileByAddressType says of it. */
static void hint_family(struct slicing *x, const struct zone_shares *shares, bool v6)
{
	struct zone_slices z = { 0 };
	const char *why;

	collect(x, v6, &z);
	why = zone_hints(shares, z.slices.v, z.slices.nr, x->scratch);
	for (uint32_t k = 0; k < z.slices.nr; k++) {
		const struct slice_plan *p = z.at.v[k].plan;

		if (z.slices.v[k].write && p->action == SLICE_KEEP)
			z.at.v[k].plan->action = SLICE_UPDATE;
		for (uint32_t i = 0, n = 0; i < p->nr; i++) {
			struct wanted *w = wanted_of(x, z.at.v[k].group, p->v[i].key, i);

			if (w->ready == TRI_TRUE)
				w->hint = z.slices.v[k].v[n++].hint;
		}
	}
	if (why)
		say(x, true, why, v6);
	else if (!table_get(&x->m->hinted, x->s->o.id.i))
		say(x, false, "Topology Aware Hints has been enabled", v6);
	set_hinted(x, !why);
}

static void hint_by_cpu(struct slicing *x)
{
	struct zone_shares shares = { 0 };

	if (x->by_cpu)
		shares = zone_shares(x->t, x->scratch);
	for (int v6 = 0; v6 < 2; v6++) {
		const struct group *g = x->groups;

		while (g && g->v6 != v6)
			g = g->next;
		if (g && x->by_cpu) {
			hint_family(x, &shares, v6);
		} else if (g && table_get(&x->m->hinted, x->s->o.id.i)) {
			say(x, true, "Topology Aware Hints has been disabled", v6);
			set_hinted(x, false);
		}
	}
}

static void carry_out(struct slicing *x, struct group *g, const struct slice_plan *p)
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
	if (!labels_fit(x, s)) {
		s->o.labels = labels_of(x);
		dirty = true;
	}
	if (dirty || !hints_fit(x, s, g, p)) {
		fill_slice(x, s, g, p);
		cluster_touch(x->c, &s->o);
	}
}

static void reconcile(struct slicing *x)
{
	struct slice_plans lost = { 0 };

	sort_slices(x, &lost);
	for (uint32_t k = 0; k < lost.nr; k++) {
		lost.v[k].nr = 0;
		lost.v[k].action = SLICE_DELETE;
	}
	for (struct group *g = x->groups; g; g = g->next) {
		uint32_t own;
		void *ctx[2] = { x, g };

		if (g->items.nr)
			slices_pack(x->scratch, &g->plans, g->items.v, g->items.nr, MAX_ENDPOINTS);
		else if (!g->plans.nr)          /* the empty slice that shows that nothing is selected */
			vec_add(x->scratch, &g->plans, (struct slice_plan){ .old = -1, .action = SLICE_CREATE });
		else
			for (uint32_t k = 0; k < g->plans.nr; k++)
				g->plans.v[k].action = k ? SLICE_DELETE : g->plans.v[k].nr ? SLICE_UPDATE : SLICE_KEEP, g->plans.v[k].nr = 0;
		own = g->plans.nr;
		for (uint32_t k = 0; k < lost.nr; k++)
			if (lost.v[k].action == SLICE_DELETE)
				vec_add(x->scratch, &g->plans, lost.v[k]);
		slices_finalize(&g->plans, same_family, ctx);
		for (uint32_t k = 0, n = own; k < lost.nr; k++)         /* what was taken is lost no more */
			if (lost.v[k].action == SLICE_DELETE && g->plans.v[n++].action != SLICE_DELETE)
				lost.v[k].action = SLICE_KEEP;
		g->plans.nr = own;
	}
	hint_by_cpu(x);
	for (struct group *g = x->groups; g; g = g->next)
		for (uint32_t k = 0; k < g->plans.nr; k++)
			carry_out(x, g, &g->plans.v[k]);
	for (uint32_t k = 0; k < lost.nr; k++)
		if (lost.v[k].action == SLICE_DELETE)
			cluster_remove(x->c, &x->have[lost.v[k].old]->o);
}

/* Slices that came with the objects while their Pods did not (a part of a living cluster) are all that is known: they stay as they are. */
static bool partial(struct slicing *x, uint32_t nr_pods)
{
	uint64_t *at = table_at(x->t, &x->m->judged, x->s->o.id.i);
	struct object_list l = service_slices(x->c, x->s);
	bool given = false;

	if (*at == JUDGED_NOT_YET) {
		*at = JUDGED_OURS;
		for (uint32_t k = 0; k < l.nr && *at == JUDGED_OURS; k++) {
			const struct endpointslice *s = (const struct endpointslice *)l.v[k];

			given = given || l.v[k]->doc;
			for (uint32_t i = 0; l.v[k]->doc && is_ours(l.v[k]) && i < s->endpoints.nr; i++) {
				const struct obj_ref *r = s->endpoints.v[i].target;

				if (r && streq(r->kind, "Pod") && !find_pod(x->c, r->ns ? r->ns : x->s->o.ns, r->name))
					*at = JUDGED_PARTIAL;
			}
		}
		if (given && !nr_pods)
			*at = JUDGED_PARTIAL;
	}
	return *at == JUDGED_PARTIAL;
}

/* The empty slice of a family that shows that nothing is selected. */
static void placeholder(struct slicing *x, bool v6)
{
	struct group **at = &x->groups;

	while (*at && (*at)->v6 != v6)
		at = &(*at)->next;
	if (*at)
		return;
	*at = arena_make(x->scratch, struct group);
	(*at)->v6 = v6;
}

static void placeholders(struct slicing *x)
{
	for (uint32_t k = 0; k < x->s->families.nr; k++)
		placeholder(x, streq(x->s->families.v[k], "IPv6"));
	if (!x->groups)
		placeholder(x, false);
}

static void run(struct control *t, struct object *key, nsec now)
{
	struct scratch scratch = control_scratch(t);
	struct slicing x = { .t = t, .c = control_cluster(t), .m = slices_memory(t), .s = (struct service *)key, .by_cpu = hints_enabled((struct service *)key), .scratch = scratch.arena };
	struct object_list pods;
	uint32_t nr;

	(void)now;
	if (key->gone || !wants_slices(x.s))   /* of a Service that is gone the garbage collector takes the slices */
		return;
	pods = pods_picked(x.c, key->ns, &x.s->selector, x.scratch);
	if (!partial(&x, pods.nr)) {
		nr = pods.nr;
		pods.nr = 0;
		for (uint32_t k = 0; k < nr; k++)
			if (may_stand((struct pod *)pods.v[k]))
				pods.v[pods.nr++] = pods.v[k];
		objects_sort(&pods);
		for (uint32_t k = 0; k < pods.nr; k++)
			add_pod(&x, (struct pod *)pods.v[k]);
		placeholders(&x);
		x.m->writing = true;
		reconcile(&x);
		x.m->writing = false;
	}
	scratch_end(scratch);
}

static void *init(struct control *t)
{
	struct cluster *c = control_cluster(t);
	struct memory *m = arena_make(cluster_arena(c), struct memory);

	m->pod = cluster_str(c, "Pod");
	m->none = cluster_str(c, "");
	m->ipv4 = cluster_str(c, "IPv4");
	m->ipv6 = cluster_str(c, "IPv6");
	return m;
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	struct object_list l = cluster_list(control_cluster(t), &service_kind);
	struct val *partial = val_put(a, out, "partial", val_new(a, VAL_LIST)), *ours = val_put(a, out, "ours", val_new(a, VAL_LIST));
	struct val *hinted = val_put(a, out, "hinted", val_new(a, VAL_LIST));

	for (uint32_t k = 0; k < l.nr; k++) {
		uint64_t judged = table_get(&slices_memory(t)->judged, l.v[k]->id.i);

		if (judged != JUDGED_NOT_YET)
			val_add(a, judged == JUDGED_PARTIAL ? partial : ours, val_string(a, l.v[k]->uid));
		if (table_get(&slices_memory(t)->hinted, l.v[k]->id.i))
			val_add(a, hinted, val_string(a, l.v[k]->uid));
	}
}

static void load(struct control *t, const struct val *v)
{
	static const struct { const char *key; enum judged judged; } rows[] = { { "partial", JUDGED_PARTIAL }, { "ours", JUDGED_OURS } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		VAL_EACH(uid, val_get(v, rows[k].key)) {
			const struct object *o = control_by_uid(t, cluster_str(control_cluster(t), val_str(uid)));

			if (o)
				*table_at(t, &slices_memory(t)->judged, o->id.i) = rows[k].judged;
		}
	VAL_EACH(uid, val_get(v, "hinted")) {
		const struct object *o = control_by_uid(t, cluster_str(control_cluster(t), val_str(uid)));

		if (o) {
			*table_at(t, &slices_memory(t)->hinted, o->id.i) = 1;
			slices_memory(t)->nr_hinted++;
		}
	}
}

static const struct kind *const heard[] = { &service_kind, &pod_kind, &node_kind, &endpointslice_kind, NULL };
const struct controller endpointslice_controller = { .name = "endpointslice", .kinds = heard, .pods = (uint8_t)~POD_STATUS, .init = init, .watch = slices_watch, .run = run, .save = save, .load = load };
