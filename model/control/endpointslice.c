/* EndpointSlices of Services with a selector: every selected Pod that has an address, one slice set per address family and port list, at most 100
 * endpoints each. Sources: kubernetes pkg/controller/endpointslice, staging/src/k8s.io/endpointslice/{reconciler,utils}.go; facts 8, 20, 27, 31, 55. */
#include "model/control/controllers.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_ENDPOINTS 100       /* --max-endpoints-per-slice */
#define LABEL_SERVICE "kubernetes.io/service-name"
#define LABEL_MANAGER "endpointslice.kubernetes.io/managed-by"
#define MANAGER       "endpointslice-controller.k8s.io"

/* What one family and one list of resolved ports come to. */
struct group {
	bool v6;
	LIST(struct ep_port) ports;
	VEC(struct endpoint) endpoints;
	struct group *next;
};

struct slicing { struct control *t; struct cluster *c; struct service *s; struct arena *scratch; struct group *groups; };

static bool wants(const struct service *s)
{
	return s->selector.nr && s->type != SVC_EXTERNALNAME;
}

static void watch_pod(struct control *t, const struct pod *p)
{
	struct cluster *c = control_cluster(t);
	struct object_list l = cluster_list_ns(c, &service_kind, p->o.ns);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		if (wants(s) && pairs_match(&s->selector, &p->o.labels))
			control_wake(t, CTL_ENDPOINTSLICE, l.v[k], control_now(t));
	}
}

static void watch(struct control *t, const struct change *ch)
{
	if (ch->object->kind == &service_kind)
		control_wake(t, CTL_ENDPOINTSLICE, ch->object, control_now(t));
	else if (ch->object->kind == &pod_kind)
		watch_pod(t, (const struct pod *)ch->object);
}

/* ---- one endpoint */

static enum tri tri(bool b)
{
	return b ? TRI_TRUE : TRI_FALSE;
}

/* utils.go podToEndpoint: serving is the Pod's readiness, terminating its deletion, ready both together, or always with publishNotReadyAddresses. */
static struct endpoint endpoint_of(const struct slicing *x, struct pod *p, ip_addr ip)
{
	struct arena *a = cluster_arena(x->c);
	bool serving = pod_is_ready(p), terminating = p->o.deleted != NEVER;
	const struct node *n = p->node ? find_node(x->c, p->node) : NULL;
	struct endpoint e = { .serving = tri(serving), .terminating = tri(terminating), .node = p->node };
	str *address = arena_make(a, str);

	*address = cluster_str(x->c, IP(ip));
	e.addresses.v = address;
	e.addresses.nr = 1;
	e.addresses.set = true;
	e.ready = tri(x->s->publish_not_ready || (serving && !terminating));
	e.zone = n ? label_get(&n->o.labels, "topology.kubernetes.io/zone") : NULL;
	e.target = arena_make(a, struct obj_ref);
	*e.target = (struct obj_ref){ .kind = cluster_str(x->c, "Pod"), .ns = p->o.ns, .name = p->o.name, .uid = p->o.uid };
	/* ShouldSetHostname: only where the Pod says that it belongs to this Service. */
	if (p->spec->hostname && streq(p->spec->subdomain, x->s->o.name))
		e.hostname = p->spec->hostname;
	else if (p->hostname && streq(p->spec->subdomain, x->s->o.name))
		e.hostname = p->hostname;
	return e;
}

/* getEndpointPorts: a Pod without the named port is an endpoint all the same, in a slice without that port. */
static void ports_of(const struct slicing *x, const struct pod *p, struct group *g)
{
	struct arena *a = cluster_arena(x->c);

	g->ports.v = arena_array(a, struct ep_port, x->s->ports.nr);
	g->ports.set = true;
	for (uint32_t k = 0; k < x->s->ports.nr; k++) {
		const struct svc_port *sp = &x->s->ports.v[k];
		int32_t number = !sp->target.set ? sp->port : sp->target.s ? pod_port_by_name(p->spec, sp->target.s, sp->protocol) : sp->target.i ? sp->target.i : sp->port;

		if (number)
			g->ports.v[g->ports.nr++] = (struct ep_port){ sp->name ? sp->name : cluster_str(x->c, ""), sp->protocol, { number, true }, sp->app_protocol };
	}
}

static bool same_ports(const struct group *g, const struct group *h)
{
	if (g->v6 != h->v6 || g->ports.nr != h->ports.nr)
		return false;
	for (uint32_t k = 0; k < g->ports.nr; k++)
		if (g->ports.v[k].name != h->ports.v[k].name || g->ports.v[k].protocol != h->ports.v[k].protocol || g->ports.v[k].port.v != h->ports.v[k].port.v)
			return false;
	return true;
}

static struct group *group_for(struct slicing *x, const struct pod *p, bool v6)
{
	struct group want = { .v6 = v6 }, **at = &x->groups;

	ports_of(x, p, &want);
	while (*at && !same_ports(*at, &want))
		at = &(*at)->next;
	if (!*at) {
		*at = arena_make(x->scratch, struct group);
		**at = want;
	}
	return *at;
}

/* ShouldPodBeInEndpoints: an address, and not Succeeded or Failed. */
static void add_pod(struct slicing *x, struct pod *p)
{
	if (pod_is_terminal(p))
		return;
	for (int second = 0; second < 2; second++) {
		ip_addr ip = second ? p->ip2 : p->ip;
		bool v6 = !ip_is4(ip), wanted = !x->s->families.nr && !second;

		for (uint32_t k = 0; k < x->s->families.nr; k++)
			wanted = wanted || streq(x->s->families.v[k], v6 ? "IPv6" : "IPv4");
		if (!ip_set(ip) || !wanted)
			continue;
		vec_add(x->scratch, &group_for(x, p, v6)->endpoints, endpoint_of(x, p, ip));
	}
}

/* ---- trafficDistribution: hints, by trafficdist.go */

static void hint(struct cluster *c, struct endpoint *e, str name, bool zone)
{
	struct arena *a = cluster_arena(c);
	struct zone_hint *h = arena_make(a, struct zone_hint);

	h->name = name;
	if (!e->hints)
		e->hints = arena_make(a, struct ep_hints);
	if (zone)
		e->hints->for_zones.v = h, e->hints->for_zones.nr = 1, e->hints->for_zones.set = true;
	else
		e->hints->for_nodes.v = h, e->hints->for_nodes.nr = 1, e->hints->for_nodes.set = true;
}

static void add_hints(struct slicing *x)
{
	const char *how = x->s->traffic_distribution;
	bool node = streq(how, "PreferSameNode"), zone = node || streq(how, "PreferClose") || streq(how, "PreferSameZone");

	for (struct group *g = zone ? x->groups : NULL; g; g = g->next)
		for (uint32_t k = 0; k < g->endpoints.nr; k++) {
			struct endpoint *e = &g->endpoints.v[k];

			if (e->ready == TRI_FALSE)
				continue;
			if (e->zone)
				hint(x->c, e, e->zone, true);
			if (node && e->node)
				hint(x->c, e, e->node, false);
		}
}

/* ---- writing slices */

static bool is_ours(const struct object *o)
{
	return streq(label_get(&o->labels, LABEL_MANAGER), MANAGER);
}

static bool same_str(str a, str b)
{
	return (a ? a : "") == (b ? b : "") || streq(a, b);
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	uint32_t za = a->hints ? a->hints->for_zones.nr + 2 * a->hints->for_nodes.nr : 0, zb = b->hints ? b->hints->for_zones.nr + 2 * b->hints->for_nodes.nr : 0;

	return a->addresses.v[0] == b->addresses.v[0] && a->ready == b->ready && a->serving == b->serving && a->terminating == b->terminating &&
	       same_str(a->hostname, b->hostname) && same_str(a->node, b->node) && same_str(a->zone, b->zone) && za == zb &&
	       same_str(a->target ? a->target->uid : NULL, b->target ? b->target->uid : NULL);
}

static bool same_slice(const struct endpointslice *s, const struct group *g, uint32_t from, uint32_t nr)
{
	struct group have = { .v6 = streq(s->address_type, "IPv6") };

	have.ports.v = s->ports.v;
	have.ports.nr = s->ports.nr;
	if (s->endpoints.nr != nr || !same_ports(&have, g))
		return false;
	for (uint32_t k = 0; k < nr; k++)
		if (!same_endpoint(&s->endpoints.v[k], &g->endpoints.v[from + k]))
			return false;
	return true;
}

static pair_list slice_labels(const struct slicing *x)
{
	struct arena *a = cluster_arena(x->c);
	bool headless = service_is_headless(x->s);
	pair_list l = { arena_array(a, struct pair, 3), 0, true };

	l.v[l.nr++] = (struct pair){ cluster_str(x->c, LABEL_MANAGER), cluster_str(x->c, MANAGER) };
	l.v[l.nr++] = (struct pair){ cluster_str(x->c, LABEL_SERVICE), x->s->o.name };
	if (headless)
		l.v[l.nr++] = (struct pair){ cluster_str(x->c, "service.kubernetes.io/headless"), cluster_str(x->c, "") };
	return l;
}

static struct endpointslice *new_slice(const struct slicing *x, bool v6, uint32_t n)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";        /* apimachinery pkg/util/rand */
	struct arena *a = cluster_arena(x->c);
	struct endpointslice *s;
	char suffix[6] = "";
	struct owner_ref *owner = arena_make(a, struct owner_ref);
	const char *name;

	do {
		for (uint32_t k = 0; k < 5; k++)
			suffix[k] = alphabet[draw_below(x->c, "endpointslice name", x->s->o.uid, (uint64_t)n * 8 + k, 27)];
		name = arena_printf(x->scratch, "%s-%s", x->s->o.name, suffix);
		n += 1000;
	} while (cluster_find(x->c, &endpointslice_kind, x->s->o.ns, name));
	s = (struct endpointslice *)object_new(x->c, &endpointslice_kind, x->s->o.ns, name);
	s->address_type = cluster_str(x->c, v6 ? "IPv6" : "IPv4");
	s->o.labels = slice_labels(x);
	*owner = (struct owner_ref){ cluster_str(x->c, "v1"), cluster_str(x->c, "Service"), x->s->o.name, x->s->o.uid, true, true };
	s->o.owners.v = owner;
	s->o.owners.nr = 1;
	s->o.owners.set = true;
	return s;
}

static void fill(const struct slicing *x, struct endpointslice *s, const struct group *g, uint32_t from, uint32_t nr)
{
	struct arena *a = cluster_arena(x->c);

	s->endpoints.v = nr ? arena_copy(a, g->endpoints.v + from, nr * sizeof(*s->endpoints.v)) : NULL;
	s->endpoints.nr = nr;
	s->endpoints.set = true;
	s->ports.v = g->ports.v;
	s->ports.nr = g->ports.nr;
	s->ports.set = true;
}

/* Puts the groups into the slices that are there, in order; what is left over is added or removed. */
static void write_slices(struct slicing *x)
{
	struct object_list l = service_slices(x->c, x->s);
	struct object **have = arena_copy(x->scratch, l.v, l.nr * sizeof(*have));
	bool *used = arena_array(x->scratch, bool, l.nr);
	uint32_t n = l.nr;

	for (struct group *g = x->groups; g; g = g->next)
		for (uint32_t from = 0; from == 0 || from < g->endpoints.nr; from += MAX_ENDPOINTS) {
			uint32_t nr = MIN(g->endpoints.nr - from, MAX_ENDPOINTS), at;

			for (at = 0; at < l.nr; at++)
				if (!used[at] && is_ours(have[at]) && streq(((struct endpointslice *)have[at])->address_type, g->v6 ? "IPv6" : "IPv4"))
					break;
			if (at < l.nr) {
				struct endpointslice *s = (struct endpointslice *)have[at];

				used[at] = true;
				if (same_slice(s, g, from, nr))
					continue;
				fill(x, s, g, from, nr);
				cluster_touch(x->c, &s->o);
			} else {
				struct endpointslice *s = new_slice(x, g->v6, n++);

				fill(x, s, g, from, nr);
				cluster_add(x->c, &s->o);
			}
		}
	for (uint32_t k = 0; k < l.nr; k++)
		if (!used[k] && is_ours(have[k]) && !have[k]->gone)
			cluster_remove(x->c, have[k]);
}

/* Slices that came with the objects while no Pod did (a part of a living cluster): they are all that is known, and stay as they are. */
static bool given(const struct slicing *x, uint32_t nr_pods)
{
	struct object_list l = service_slices(x->c, x->s);

	for (uint32_t k = 0; !nr_pods && k < l.nr; k++)
		if (l.v[k]->file)
			return true;
	return false;
}

static void run(struct control *t, struct object *key, nsec now)
{
	struct slicing x = { .t = t, .c = control_cluster(t), .s = (struct service *)key };
	struct object_list pods;

	(void)now;
	x.scratch = arena_new(NULL, "endpointslice");
	if (!key->gone && wants(x.s)) {
		pods = pods_selected(x.c, key->ns, &x.s->selector, x.scratch);
		for (uint32_t k = 0; k < pods.nr; k++)
			add_pod(&x, (struct pod *)pods.v[k]);
		if (given(&x, pods.nr)) {
			arena_free(x.scratch);
			return;
		}
		if (!x.groups) {                /* placeholder: an empty slice, so that it can be seen that nothing is selected */
			x.groups = arena_make(x.scratch, struct group);
			x.groups->v6 = x.s->families.nr && streq(x.s->families.v[0], "IPv6");
		}
		add_hints(&x);
		write_slices(&x);
	} else if (key->gone) {
		write_slices(&x);
	}
	arena_free(x.scratch);
}

static const struct kind *const heard[] = { &service_kind, &pod_kind, NULL };
const struct controller endpointslice_controller = { .name = "endpointslice", .kinds = heard, .watch = watch, .run = run };
