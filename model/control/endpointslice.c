/* EndpointSlices of Services with a selector: every selected Pod that has an address, one set of slices per address family and port list.
 * Sources: pkg/controller/endpointslice, staging/src/k8s.io/endpointslice/{reconciler,utils}.go, topologycache/; facts 8, 20, 27, 31, 55. */
#include "model/control/endpointslice_visit.h"
#include "model/control/zone_hints.h"

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
		want.wanted.alloc = want.items.alloc = x->pods;
		want.wanted.v = arena_array(x->scratch, struct wanted, x->pods);
		want.items.v = arena_array(x->scratch, struct item, x->pods);
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

static struct slice_plan plan_of(const struct slicing *x, uint32_t k)
{
	const struct endpointslice *s = x->have[k];
	const struct item *known = (const struct item *)(uintptr_t)table_get(&x->m->items, s->o.id.i);
	struct slice_plan p = { .nr = s->endpoints.nr, .alloc = s->endpoints.nr, .old = (int32_t)k, .dirty = !slice_labels_fit(x, s) };

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

static bool same_family(void *ctx, const struct slice_plan *a, const struct slice_plan *b)
{
	const struct slicing *x = ((void **)ctx)[0];
	const struct group *g = ((void **)ctx)[1];

	(void)b;
	return slice_v6(x->have[a->old]) == g->v6;
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
					h.v[h.nr++] = (struct hinted){ w->zone, h.write ? NULL : hinted_zone(&s->endpoints.v[i]) };
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
			slice_carry_out(x, g, &g->plans.v[k]);
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
		x.pods = pods.nr;
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
