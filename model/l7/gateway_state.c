/* Gateways and their routes: the Gateway's own conditions, which routes are attached to which listeners, and whether references hold. */
#include "model/l7/gateway_parts.h"

#include <stdlib.h>

bool grant_allows(struct cluster *c, const char *from_group, const char *from_kind, str from_ns, str to_ns, const char *to_group, const char *to_kind, const char *to_name)
{
	struct object_list all = cluster_list_ns(c, &reference_grant_kind, to_ns);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct reference_grant *g = (const struct reference_grant *)all.v[k];
		bool from = false, to = false;

		for (uint32_t i = 0; i < g->from.nr && !from; i++)
			from = gw_word_is(g->from.v[i].group, "", from_group) && streq(g->from.v[i].kind, from_kind) && streq(g->from.v[i].ns, from_ns);
		for (uint32_t i = 0; i < g->to.nr && !to; i++)
			to = gw_word_is(g->to.v[i].group, "", to_group) && streq(g->to.v[i].kind, to_kind) && (!g->to.v[i].name || streq(g->to.v[i].name, to_name));
		if (from && to)
			return true;
	}
	return false;
}

static bool is_suffix(const char *pattern) { return strncmp(pattern, "*.", 2) == 0; }

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && strcmp(s + n - m, tail) == 0;
}

/* The more precise of two hostnames of which one covers the other; NULL: they have nothing in common. */
static const char *both(const char *a, const char *b)
{
	if (is_suffix(a) && is_suffix(b))
		return ends_with(a + 1, b + 1) ? a : ends_with(b + 1, a + 1) ? b : NULL;
	if (is_suffix(a))
		return host_matches(a, b, false) ? b : NULL;
	if (is_suffix(b))
		return host_matches(b, a, false) ? a : NULL;
	return streq(a, b) ? a : NULL;
}

struct host_set hosts_intersect(const char *listener, const str_list *route, struct arena *a)
{
	const char *own = listener && *listener ? listener : NULL;
	struct host_set out = { .v = arena_array(a, const char *, route->nr + 1) };

	if (!route->nr)
		out.v[out.nr++] = own ? own : "*";
	for (uint32_t k = 0; k < route->nr; k++) {
		const char *host = own ? both(own, route->v[k]) : route->v[k];

		if (host)
			out.v[out.nr++] = host;
	}
	return out;
}

/* ---- the Gateway itself */

bool gateway_parameters(struct cluster *c, str ns, const struct val *ref, bool *known)
{
	const char *kind = val_str(val_get(ref, "kind")), *name = val_str(val_get(ref, "name"));

	*known = false;
	for (uint32_t k = 0; cluster_pool_kind(c, k); k++) {
		const struct kind *have = cluster_pool_kind(c, k);

		*known = *known || streq(have->name, kind);
		if (streq(have->name, kind) && cluster_find(c, have, have->namespaced ? ns : NULL, name))
			return true;
	}
	return false;
}

static struct gw_says gateway_accepted(struct cluster *c, const struct gw_state *s, struct arena *a)
{
	const struct val *parameters = val_path(s->gw->o.doc, "spec.infrastructure.parametersRef");
	uint32_t good = 0;
	bool known;

	if (parameters && !gateway_parameters(c, s->gw->o.ns, parameters, &known))
		return gw_wrong("InvalidParameters", arena_printf(a, "spec.infrastructure.parametersRef: %s %s does not exist", val_str_at(parameters, "kind"), val_str_at(parameters, "name")));
	for (uint32_t k = 0; k < s->gw->addresses.nr; k++) {
		str type = s->gw->addresses.v[k].type;

		if (type && !streq(type, "IPAddress") && !streq(type, "Hostname"))
			return gw_wrong("UnsupportedAddress", arena_printf(a, "addresses of type %s are not supported", type));
	}
	for (uint32_t k = 0; k < s->nr_own; k++)
		good += s->listeners[k].accepted.yes;
	if (good == s->nr_own)
		return gw_fine("Accepted");
	return (struct gw_says){ good > 0, "ListenersNotValid", arena_printf(a, "%u of %u listeners are not valid", s->nr_own - good, s->nr_own) };
}

const char *gateway_controller_name(struct cluster *c, const struct gateway *gw)
{
	const struct gateway_class *class = (const struct gateway_class *)(gw->class_name ? cluster_find(c, &gateway_class_kind, NULL, gw->class_name) : NULL);

	return class ? class->controller : NULL;
}

/* ---- routes */

static bool kind_allowed(const struct gw_listener_state *l, const struct kind *kind)
{
	for (uint32_t k = 0; k < l->nr_kinds; k++)
		if (streq(l->kinds[k].kind, kind->name))
			return true;
	return false;
}

/* Accepted, as far as the parent decides. The order of reasons: no such listener, none allows it, none has a hostname in common. */
static void attach(struct cluster *c, struct gw_state *s, struct gw_attachment *at, struct arena *a)
{
	const struct parent_ref *p = at->parent;
	const struct kind *kind = streq(p->kind, "ListenerSet") ? &listener_set_kind : &gateway_kind;
	str ns = p->ns ? p->ns : at->route->o.ns;
	bool named = false, allowed = false, any = false;

	at->on = arena_array(a, bool, s->nr);
	for (uint32_t k = 0; k < s->nr; k++) {
		struct gw_listener_state *l = &s->listeners[k];

		if (l->owner->kind != kind || l->owner->name != p->name || l->owner->ns != ns)
			continue;
		if ((p->section && !streq(p->section, l->spec->name)) || (p->port.set && p->port.v != l->spec->port))
			continue;
		named = true;
		if (!kind_allowed(l, at->route->o.kind) || !gw_namespace_allowed(c, &l->spec->allowed, "Same", l->owner->ns, at->route->o.ns))
			continue;
		allowed = true;
		at->on[k] = hosts_intersect(l->spec->hostname, &at->route->hostnames, a).nr > 0;
		any = any || at->on[k];
	}
	if (any)
		at->accepted = gw_fine("Accepted");
	else if (!named)
		at->accepted = gw_wrong("NoMatchingParent", "no listener of the parent has that name and port");
	else if (!allowed)
		at->accepted = gw_wrong("NotAllowedByListeners", "no listener of the parent allows routes of this kind from this namespace");
	else
		at->accepted = gw_wrong("NoMatchingListenerHostname", "no listener of the parent has a hostname in common with the route");
}

/* ---- HTTPRoutes and GRPCRoutes of one listener share no hostname: the older one keeps it (GRPCRouteSpec.hostnames) */

static int older(const struct gw_route *a, const struct gw_route *b)
{
	nsec x = object_born(&a->o), y = object_born(&b->o);
	int order = (x > y) - (x < y);

	order = order ? order : str_order(a->o.ns, b->o.ns);
	order = order ? order : str_order(a->o.name, b->o.name);
	return order ? order : strcmp(a->o.kind->name, b->o.kind->name);
}

static bool share_a_host(const char *listener, const struct gw_route *x, const struct gw_route *y, struct arena *a)
{
	struct host_set hosts = hosts_intersect(listener, &x->hostnames, a);

	for (uint32_t k = 0; k < hosts.nr; k++)
		if (hosts_intersect(streq(hosts.v[k], "*") ? NULL : hosts.v[k], &y->hostnames, a).nr)
			return true;
	return false;
}

static bool loses(const struct gw_state *s, uint32_t listener, const struct gw_attachment *at, const struct gw_attachment *other, struct arena *a)
{
	return other->on[listener] && other->route->o.kind != at->route->o.kind && older(other->route, at->route) < 0 &&
	       share_a_host(s->listeners[listener].spec->hostname, at->route, other->route, a);
}

static int by_route_age(const void *x, const void *y)
{
	const struct gw_attachment *const *a = x, *const *b = y;

	return older((*a)->route, (*b)->route);
}

/* In the order of their age, so that a route that lost does not push out another. */
static void resolve_kinds(struct gw_state *s, struct arena *a)
{
	const struct gw_attachment **v = arena_array(a, const struct gw_attachment *, s->nr_routes);
	uint32_t nr = 0;
	bool http = false, grpc = false;

	for (uint32_t k = 0; k < s->nr_routes; k++) {
		const struct kind *kind = s->routes[k].route->o.kind;

		http = http || kind == &http_route_kind;
		grpc = grpc || kind == &grpc_route_kind;
		if (kind == &http_route_kind || kind == &grpc_route_kind)
			v[nr++] = &s->routes[k];
	}
	if (!http || !grpc)
		return;
	qsort(v, nr, sizeof(*v), by_route_age);
	for (uint32_t k = 0; k < nr; k++) {
		struct gw_attachment *at = &s->routes[v[k] - s->routes];
		const struct gw_route *winner = NULL;
		bool left = false;

		for (uint32_t l = 0; l < s->nr; l++) {
			for (uint32_t i = 0; at->on[l] && i < k; i++)
				if (loses(s, l, at, v[i], a)) {
					at->on[l] = false;
					winner = v[i]->route;
				}
			left = left || at->on[l];
		}
		if (winner && !left)
			at->accepted = gw_wrong("HostnameConflict", arena_printf(a, "the older %s %s/%s has a hostname of it on the same listener", winner->o.kind->name, winner->o.ns, winner->o.name));
	}
}

/* ---- all of it */

/* status.listeners[].attachedRoutes is a number of routes, whichever of their parentRefs brought them (ListenerStatus.attachedRoutes). */
bool gw_attaches(const struct gw_state *s, uint32_t attachment, uint32_t listener)
{
	const struct gw_attachment *at = &s->routes[attachment];

	if (!at->on[listener])
		return false;
	for (uint32_t k = attachment; k > 0 && s->routes[k - 1].route == at->route; k--)
		if (s->routes[k - 1].on[listener])
			return false;
	return true;
}

static void gather_routes(struct cluster *c, struct gw_state *s, struct arena *a)
{
	VEC(struct gw_attachment) attached = { 0 };

	for (uint32_t n = 0; route_kinds[n]; n++) {
		struct object_list routes = cluster_list(c, route_kinds[n]);

		for (uint32_t k = 0; k < routes.nr; k++) {
			const struct gw_route *r = (const struct gw_route *)routes.v[k];

			for (uint32_t i = 0; i < r->parents.nr; i++) {
				struct gw_attachment *at;

				if (parent_gateway(c, r, &r->parents.v[i]) != s->gw)
					continue;
				at = vec_push(a, &attached);
				*at = (struct gw_attachment){ .route = r, .parent = &r->parents.v[i], .parent_index = i };
				attach(c, s, at, a);
			}
		}
	}
	s->routes = attached.v;
	s->nr_routes = attached.nr;
	resolve_kinds(s, a);
	for (uint32_t k = 0; k < s->nr_routes; k++)
		for (uint32_t l = 0; l < s->nr; l++)
			s->listeners[l].attached += gw_attaches(s, k, l);
}

struct gw_state gateway_state(struct cluster *c, const struct gateway *gw, struct arena *a)
{
	struct gw_state s = { .gw = gw, .controller = gateway_controller_name(c, gw) };

	gw_listeners_read(c, &s, a);
	s.accepted = gateway_accepted(c, &s, a);
	gw_sets_judge(&s, a);
	gather_routes(c, &s, a);
	return s;
}

/* ---- references */

bool gateway_service_parent(const struct parent_ref *p) { return p->group && !*p->group && streq(p->kind, "Service") && p->name; }

struct l7_ref gateway_ref(struct cluster *c, const struct gw_route *r, bool mesh, const char *group, const char *kind, str ns, str name, struct opt_int port, struct arena *a, const char **reason)
{
	struct l7_ref ref = { .ns = ns ? ns : r->o.ns, .name = name, .port = port.v, .status = r->o.kind == &grpc_route_kind ? 503 : 500 };
	const char *ignored;

	reason = reason ? reason : &ignored;
	if (!gw_word_is(group, "", "") || !gw_word_is(kind, "Service", "Service")) {
		*reason = "InvalidKind";
		ref.why = arena_printf(a, "%s %s is not a kind of backend that is supported: Service is", group && *group ? group : "core", kind ? kind : "Service");
		return ref;
	}
	if (!mesh && ref.ns != r->o.ns && !grant_allows(c, GATEWAY_GROUP, r->o.kind->name, r->o.ns, ref.ns, "", "Service", name)) {
		*reason = "RefNotPermitted";
		ref.why = arena_printf(a, "no ReferenceGrant in namespace %s lets %ss of %s use Service %s", ref.ns, r->o.kind->name, r->o.ns, name);
		return ref;
	}
	*reason = "BackendNotFound";
	ref.service = find_service(c, ref.ns, name);
	if (!ref.service) {
		ref.why = arena_printf(a, "Service %s/%s does not exist", ref.ns, name);
		return ref;
	}
	if (ref.service->type == SVC_EXTERNALNAME) {
		*reason = "InvalidKind";
		ref.why = arena_printf(a, "Service %s/%s is an ExternalName, which Gateways should not serve", ref.ns, name);
		return ref;
	}
	ref.why = arena_printf(a, "Service %s/%s has no port %d", ref.ns, name, port.v);
	for (uint32_t k = 0; k < ref.service->ports.nr; k++)
		if (ref.service->ports.v[k].port == port.v)
			ref.why = NULL;
	if (!ref.why)
		*reason = "ResolvedRefs";
	return ref;
}

static bool ref_holds(struct cluster *c, const struct gw_route *r, bool mesh, const struct secret_ref *ref, struct opt_int port, struct gw_says *out, struct arena *a)
{
	const char *reason;
	struct l7_ref done = gateway_ref(c, r, mesh, ref->group, ref->kind, ref->ns, ref->name, port, a, &reason);

	if (done.why)
		*out = gw_wrong(reason, done.why);
	return !done.why;
}

static bool filters_hold(struct cluster *c, const struct gw_route *r, bool mesh, const struct route_filter *f, uint32_t nr, struct gw_says *out, struct arena *a)
{
	for (uint32_t k = 0; k < nr; k++)
		if (f[k].mirror && !ref_holds(c, r, mesh, &f[k].mirror->ref, f[k].mirror->port, out, a))
			return false;
	return true;
}

struct gw_says route_references(struct cluster *c, const struct gw_route *r, bool mesh, struct arena *a)
{
	struct gw_says out = gw_fine("ResolvedRefs");

	for (uint32_t k = 0; k < r->rules.nr; k++) {
		const struct route_rule *rule = &r->rules.v[k];

		for (uint32_t i = 0; i < rule->backends.nr; i++) {
			const struct backend_ref *b = &rule->backends.v[i];
			struct secret_ref ref = { b->group, b->kind, b->ns, b->name };

			if (!ref_holds(c, r, mesh, &ref, b->port, &out, a) || !filters_hold(c, r, mesh, b->filters.v, b->filters.nr, &out, a))
				return out;
		}
		if (!filters_hold(c, r, mesh, rule->filters.v, rule->filters.nr, &out, a))
			return out;
	}
	return out;
}
