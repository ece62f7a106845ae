/* EndpointSlices of Services with a selector: every selected Pod that has an address, one set of slices per address family and port list.
 * Sources: pkg/controller/endpointslice, staging/src/k8s.io/endpointslice/{reconciler,utils}.go, trafficdist/; facts 8, 20, 27, 31, 55. */
#include <stdlib.h>

#include "model/control/nodes.h"
#include "model/control/slices.h"
#include "model/control/workloads.h"

#define LABEL_SERVICE  "kubernetes.io/service-name"
#define LABEL_MANAGER  "endpointslice.kubernetes.io/managed-by"
#define LABEL_HEADLESS "service.kubernetes.io/headless"
#define MANAGER        "endpointslice-controller.k8s.io"

struct wanted { struct pod *pod; ip_addr ip; uint8_t ready, serving, terminating; str hostname, zone; };
struct group {                                  /* one family, one list of resolved ports */
	bool v6;
	LIST(struct ep_port) ports;
	struct { struct wanted *v; uint32_t nr, alloc; } wanted;
	struct { struct item *v; uint32_t nr, alloc; } items;   /* parallel to wanted */
	struct map place;                       /* key of an item → its place there; made when it is first asked for */
	struct slice_plans plans;
	struct group *next;
};

struct memory {
	struct selector_index index;            /* Services by what they select */
	struct table items;                     /* slice → struct item[]: what was written into it */
	struct table labels;                    /* Pod → its labels when last heard of: who selected it then has to look, too */
	struct map selecting;                   /* labels → struct selecting */
	uint32_t selectors;                     /* grows with every change of a Service */
	struct { str ns; const struct pair *labels; struct selecting *selecting; } last;        /* that was asked for last */
	struct map zones;                       /* node → its zone when last heard of */
	struct table judged;                    /* Service → enum judged */
	str pod, none, ipv4, ipv6;
	bool writing;                           /* the change at hand is its own */
};
struct selecting { uint32_t selectors, nr, alloc; obj_h *v; };   /* the Services that select Pods of these labels, as of that many changes */
enum judged { JUDGED_NOT_YET, JUDGED_OURS, JUDGED_PARTIAL };

struct slicing {
	struct control *t;
	struct cluster *c;
	struct memory *m;
	struct service *s;
	struct arena *scratch;
	struct group *groups;
	const struct pod_spec *last_spec; struct group *last_group[2];
	struct endpointslice **have; uint32_t nr_have;  /* ours */
};

static struct memory *memory(const struct control *t)
{
	return control_state(t, CTL_ENDPOINTSLICE);
}

static bool wants(const struct service *s)
{
	return s->selector.nr && s->type != SVC_EXTERNALNAME;
}

/* ---- which Services does a change concern? */

struct asking { const pair_list *labels; struct selecting *out; };

static void add_if(struct control *t, void *ctx, struct object *o)
{
	const struct service *s = (const struct service *)o;
	struct asking *q = ctx;

	if (wants(s) && pairs_match(&s->selector, q->labels))
		vec_add(cluster_arena(control_cluster(t)), q->out, o->id);
}

/* Pods of one template share their list of labels: who selects them is looked up once. */
static void wake_selecting(struct control *t, str ns, const pair_list *labels)
{
	struct memory *m = memory(t);
	struct arena *a = cluster_arena(control_cluster(t));
	struct selecting *x = m->last.selecting;

	if (!x || m->last.ns != ns || m->last.labels != labels->v) {
		uint64_t *at = map_put(&m->selecting, a, hash_mix(map_ptr(labels->v), map_ptr(ns)));

		if (!*at)
			*at = map_ptr(arena_make(a, struct selecting));
		x = m->last.selecting = (struct selecting *)(uintptr_t)*at;
		m->last.ns = ns;
		m->last.labels = labels->v;
	}
	if (x->selectors != m->selectors + 1) {
		x->selectors = m->selectors + 1;
		x->nr = 0;
		selector_index_find(t, &m->index, ns, labels, add_if, &(struct asking){ labels, x });
	}
	for (uint32_t k = 0; k < x->nr; k++)
		control_wake(t, CTL_ENDPOINTSLICE, obj_get(control_cluster(t), x->v[k]), 0);
}

static void watch_pod(struct control *t, struct pod *p)
{
	struct memory *m = memory(t);
	uint64_t *at = table_at(t, &m->labels, p->o.id.i);
	const pair_list *was = (const pair_list *)(uintptr_t)*at;

	wake_selecting(t, p->o.ns, &p->o.labels);
	if (was && was->v != p->o.labels.v)
		wake_selecting(t, p->o.ns, was);
	if (!was || was->v != p->o.labels.v) {
		pair_list now;

		memset(&now, 0, sizeof(now));   /* padding counts when bytes are compared */
		now.v = p->o.labels.v;
		now.nr = p->o.labels.nr;
		now.set = true;
		*at = map_ptr(share_bytes(t, &now, sizeof(now)));
	}
}

/* A node that moves to another zone: its endpoints say so. */
static void watch_node(struct control *t, const struct object *o)
{
	struct cluster *c = control_cluster(t);
	str zone = label_get(&o->labels, "topology.kubernetes.io/zone");
	uint64_t *was = map_put(&memory(t)->zones, cluster_arena(c), map_ptr(o->name));
	struct object_list l;

	if (*was == map_ptr(zone) + 1)
		return;
	if (*was) {
		l = cluster_list(c, &service_kind);
		for (uint32_t k = 0; k < l.nr; k++)
			if (wants((struct service *)l.v[k]))
				control_wake(t, CTL_ENDPOINTSLICE, l.v[k], 0);
	}
	*was = map_ptr(zone) + 1;
}

static void watch(struct control *t, const struct change *ch)
{
	struct object *o = ch->object;

	if (o->kind == &pod_kind) {
		watch_pod(t, (struct pod *)o);
	} else if (o->kind == &node_kind) {
		watch_node(t, o);
	} else if (o->kind == &service_kind) {
		memory(t)->selectors++;
		if (wants((struct service *)o))
			selector_index_add(t, &memory(t)->index, o, &((struct service *)o)->selector);
		control_wake(t, CTL_ENDPOINTSLICE, o, 0);
	} else if (!memory(t)->writing) {       /* somebody wrote into a slice of ours, or took it away */
		const char *name = label_get(&o->labels, LABEL_SERVICE);
		struct service *s = name && streq(label_get(&o->labels, LABEL_MANAGER), MANAGER) ? find_service(control_cluster(t), o->ns, name) : NULL;

		if (s)
			control_wake(t, CTL_ENDPOINTSLICE, &s->o, 0);
	}
}

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

static bool same_ports(const struct ep_port *a, uint32_t na, const struct ep_port *b, uint32_t nb)
{
	if (na != nb)
		return false;
	for (uint32_t k = 0; k < na; k++)
		if (!streq(a[k].name ? a[k].name : "", b[k].name) || a[k].protocol != b[k].protocol || a[k].port.v != b[k].port.v ||
		    !streq(a[k].app_protocol ? a[k].app_protocol : "", b[k].app_protocol ? b[k].app_protocol : ""))
			return false;
	return true;
}

static struct group *group_for(struct slicing *x, const struct pod *p, bool v6)
{
	struct group want = { .v6 = v6 }, **at = &x->groups;

	if (x->last_spec == p->spec && x->last_group[v6])
		return x->last_group[v6];
	ports_of(x, p, &want);
	while (*at && !((*at)->v6 == v6 && same_ports((*at)->ports.v, (*at)->ports.nr, want.ports.v, want.ports.nr)))
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
		w.hostname = p->spec->hostname ? p->spec->hostname : p->hostname;
	item.key = hash_mix(hash_mix(ip.hi, ip.lo), p->o.id.i);
	item.version = hash_mix(hash_mix((uint64_t)w.ready | (uint64_t)w.serving << 8 | (uint64_t)w.terminating << 16, map_ptr(w.hostname)),
				hash_mix(map_ptr(w.zone), map_ptr(p->node)));
	vec_add(x->scratch, &g->wanted, w);
	vec_add(x->scratch, &g->items, item);
}

/* ShouldPodBeInEndpoints: an address, and not Succeeded or Failed. */
static void add_pod(struct slicing *x, struct pod *p)
{
	if (pod_is_terminal(p))
		return;
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
	struct slice_plan p = { .nr = s->endpoints.nr, .alloc = s->endpoints.nr, .old = (int32_t)k };

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

		while (g && !(g->v6 == slice_v6(x->have[k]) && same_ports(x->have[k]->ports.v, x->have[k]->ports.nr, g->ports.v, g->ports.nr)))
			g = g->next;
		vec_add(x->scratch, g ? &g->plans : lost, plan_of(x, k));
	}
}

/* ---- writing */

/* The controller's own labels: a Service that has one does not hand it on (endpointslice/utils.go isReservedLabelKey). */
static bool is_reserved(const char *key)
{
	return streq(key, LABEL_SERVICE) || streq(key, LABEL_MANAGER) || streq(key, LABEL_HEADLESS);
}

static pair_list labels_of(const struct slicing *x)
{
	pair_list l = x->s->o.labels;

	if (service_is_headless(x->s) || label_get(&l, LABEL_HEADLESS))
		l = pairs_with(x->c, &l, LABEL_HEADLESS, service_is_headless(x->s) ? "" : NULL);
	l = pairs_with(x->c, &l, LABEL_MANAGER, MANAGER);
	return pairs_with(x->c, &l, LABEL_SERVICE, x->s->o.name);
}

static void write_endpoint(struct slicing *x, const struct wanted *w, struct endpoint *e, bool known)
{
	struct arena *a = cluster_arena(x->c);

	if (!known) {
		*e = (struct endpoint){ 0 };
		e->addresses.v = arena_make(a, str);
		e->addresses.v[0] = cluster_str(x->c, IP(w->ip));
		e->addresses.nr = 1;
		e->addresses.set = true;
		e->target = arena_make(a, struct obj_ref);
		*e->target = (struct obj_ref){ .kind = x->m->pod, .ns = w->pod->o.ns, .name = w->pod->o.name, .uid = w->pod->o.uid };
	}
	e->ready = w->ready;
	e->serving = w->serving;
	e->terminating = w->terminating;
	e->node = w->pod->node;
	e->zone = w->zone;
	e->hostname = w->hostname;
}

/* trafficDistribution: each endpoint is hinted for its own zone, and node, whatever the load (trafficdist.go). */
static void hint(struct slicing *x, struct endpoint *e)
{
	const char *how = x->s->traffic_distribution;
	bool node = streq(how, "PreferSameNode"), zone = node || streq(how, "PreferClose") || streq(how, "PreferSameZone");
	struct arena *a = cluster_arena(x->c);

	e->hints = NULL;
	if (e->ready == TRI_FALSE || !((zone && e->zone) || (node && e->node)))
		return;
	e->hints = arena_make(a, struct ep_hints);
	if (zone && e->zone) {
		e->hints->for_zones.v = arena_make(a, struct zone_hint);
		e->hints->for_zones.v[0].name = e->zone;
		e->hints->for_zones.nr = 1;
		e->hints->for_zones.set = true;
	}
	if (node && e->node) {
		e->hints->for_nodes.v = arena_make(a, struct zone_hint);
		e->hints->for_nodes.v[0].name = e->node;
		e->hints->for_nodes.nr = 1;
		e->hints->for_nodes.set = true;
	}
}

static const struct wanted *wanted_of(const struct slicing *x, struct group *g, uint64_t key)
{
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

	for (uint32_t k = 0; k < was; k++) {
		*map_put(&known, x->scratch, old[k].key) = k;
		in_place = in_place && old[k].key == p->v[k].key;
	}
	if (!in_place)
		v = arena_array(a, struct endpoint, p->nr);
	for (uint32_t k = 0; k < p->nr; k++) {
		const uint64_t *at = map_find(&known, p->v[k].key);

		if (at && !in_place)
			v[k] = s->endpoints.v[*at];
		write_endpoint(x, wanted_of(x, g, p->v[k].key), &v[k], at != NULL);
		hint(x, &v[k]);
	}
	s->endpoints.v = v;
	s->endpoints.nr = p->nr;
	s->endpoints.set = true;
	if (!same_ports(s->ports.v, s->ports.nr, g->ports.v, g->ports.nr))
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

static bool hints_fit(const struct slicing *x, const struct endpointslice *s)
{
	const char *how = x->s->traffic_distribution;
	bool node = streq(how, "PreferSameNode"), zone = node || streq(how, "PreferClose") || streq(how, "PreferSameZone");

	for (uint32_t k = 0; k < s->endpoints.nr; k++) {
		const struct endpoint *e = &s->endpoints.v[k];
		bool ready = e->ready != TRI_FALSE;

		if ((ready && zone && e->zone) != (e->hints && e->hints->for_zones.nr) || (ready && node && e->node) != (e->hints && e->hints->for_nodes.nr))
			return false;
	}
	return true;
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
	if (dirty || !hints_fit(x, s)) {
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
		for (uint32_t k = 0; k < own; k++)
			carry_out(x, g, &g->plans.v[k]);
	}
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

static void placeholder(struct slicing *x)
{
	x->groups = arena_make(x->scratch, struct group);
	x->groups->v6 = x->s->families.nr && streq(x->s->families.v[0], "IPv6");
}

static void run(struct control *t, struct object *key, nsec now)
{
	struct slicing x = { .t = t, .c = control_cluster(t), .m = memory(t), .s = (struct service *)key };
	struct object_list pods;

	(void)now;
	if (key->gone || !wants(x.s))   /* of a Service that is gone the garbage collector takes the slices */
		return;
	x.scratch = arena_new(NULL, "endpointslice");
	pods = pods_selected(x.c, key->ns, &x.s->selector, x.scratch);
	if (!partial(&x, pods.nr)) {
		for (uint32_t k = 0; k < pods.nr; k++)
			add_pod(&x, (struct pod *)pods.v[k]);
		if (!x.groups)
			placeholder(&x);
		x.m->writing = true;
		reconcile(&x);
		x.m->writing = false;
	}
	arena_free(x.scratch);
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

	for (uint32_t k = 0; k < l.nr; k++) {
		uint64_t judged = table_get(&memory(t)->judged, l.v[k]->id.i);

		if (judged != JUDGED_NOT_YET)
			val_add(a, judged == JUDGED_PARTIAL ? partial : ours, val_string(a, l.v[k]->uid));
	}
}

static void load(struct control *t, const struct val *v)
{
	static const struct { const char *key; enum judged judged; } rows[] = { { "partial", JUDGED_PARTIAL }, { "ours", JUDGED_OURS } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		VAL_EACH(uid, val_get(v, rows[k].key)) {
			const struct object *o = control_by_uid(t, cluster_str(control_cluster(t), val_str(uid)));

			if (o)
				*table_at(t, &memory(t)->judged, o->id.i) = rows[k].judged;
		}
}

static const struct kind *const heard[] = { &service_kind, &pod_kind, &node_kind, &endpointslice_kind, NULL };
const struct controller endpointslice_controller = { .name = "endpointslice", .kinds = heard, .init = init, .watch = watch, .run = run, .save = save, .load = load };
