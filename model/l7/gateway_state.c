#include "model/l7/gateway.h"

static struct gw_says fine(const char *reason) { return (struct gw_says){ true, reason, "" }; }
static struct gw_says wrong(const char *reason, const char *message) { return (struct gw_says){ false, reason, message }; }

static bool word_is(const char *have, const char *dflt, const char *want) { return streq(have ? have : dflt, want); }

bool grant_allows(struct cluster *c, const char *from_group, const char *from_kind, str from_ns, str to_ns, const char *to_group, const char *to_kind, const char *to_name)
{
	struct object_list all = cluster_list_ns(c, &reference_grant_kind, to_ns);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct reference_grant *g = (const struct reference_grant *)all.v[k];
		bool from = false, to = false;

		for (uint32_t i = 0; i < g->from.nr && !from; i++)
			from = word_is(g->from.v[i].group, "", from_group) && streq(g->from.v[i].kind, from_kind) && streq(g->from.v[i].ns, from_ns);
		for (uint32_t i = 0; i < g->to.nr && !to; i++)
			to = word_is(g->to.v[i].group, "", to_group) && streq(g->to.v[i].kind, to_kind) && (!g->to.v[i].name || streq(g->to.v[i].name, to_name));
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

/* ---- listeners */

static const struct { const char *name; enum l7_proto proto; const char *kinds[3]; } protocols[] = {
	{ "HTTP", L7_HTTP, { "HTTPRoute", "GRPCRoute" } },
	{ "HTTPS", L7_HTTPS, { "HTTPRoute", "GRPCRoute" } },
	{ "TLS", L7_TLS_PASSTHROUGH, { "TLSRoute" } },
};

/* supportedKinds: what the protocol allows, cut down to what the listener asks for (ListenerReasonInvalidRouteKinds). */
static void listener_kinds(struct cluster *c, struct gw_listener_state *l, size_t protocol, struct arena *a)
{
	const struct gw_listener *s = l->spec;
	struct route_kind *v = arena_array(a, struct route_kind, s->kinds.nr + 1);
	str group = cluster_str(c, GATEWAY_GROUP);

	if (!s->kinds.nr)
		v[l->nr_kinds++] = (struct route_kind){ group, cluster_str(c, protocols[protocol].kinds[0]) };
	for (uint32_t k = 0; k < s->kinds.nr; k++) {
		bool known = false;

		for (int i = 0; i < 3 && protocols[protocol].kinds[i]; i++)
			known = known || (word_is(s->kinds.v[k].group, GATEWAY_GROUP, GATEWAY_GROUP) && streq(s->kinds.v[k].kind, protocols[protocol].kinds[i]));
		if (known)
			v[l->nr_kinds++] = (struct route_kind){ group, s->kinds.v[k].kind };
		else if (l->resolved.yes)
			l->resolved = wrong("InvalidRouteKinds", arena_printf(a, "%s is not a kind of route that a listener of protocol %s can have", s->kinds.v[k].kind, s->protocol));
	}
	l->kinds = v;
	for (uint32_t k = 0; k < l->nr_kinds; k++)
		l->http_routes = l->http_routes || streq(v[k].kind, "HTTPRoute");
}

static struct gw_says certificate(struct cluster *c, const struct gateway *gw, const struct secret_ref *ref, struct l7_cert *out, struct arena *a)
{
	str ns = ref->ns ? ref->ns : gw->o.ns;
	const struct secret *s;
	const char *why;

	out->secret = arena_printf(a, "%s/%s", ns, ref->name);
	if (!word_is(ref->group, "", "") || !word_is(ref->kind, "Secret", "Secret"))
		return wrong("InvalidCertificateRef", arena_printf(a, "a certificate is a Secret, not %s %s", ref->group ? ref->group : "", ref->kind ? ref->kind : ""));
	if (ns != gw->o.ns && !grant_allows(c, GATEWAY_GROUP, "Gateway", gw->o.ns, ns, "", "Secret", ref->name))
		return wrong("RefNotPermitted", arena_printf(a, "no ReferenceGrant in namespace %s lets Gateways of %s use Secret %s", ns, gw->o.ns, ref->name));
	s = (const struct secret *)cluster_find(c, &secret_kind, ns, ref->name);
	if (!s)
		return wrong("InvalidCertificateRef", arena_printf(a, "Secret %s does not exist", out->secret));
	if (!cert_of_secret(s, a, &out->names, &why))
		return wrong("InvalidCertificateRef", arena_printf(a, "Secret %s %s", out->secret, why));
	return fine("ResolvedRefs");
}

static void listener_certs(struct cluster *c, const struct gateway *gw, struct gw_listener_state *l, struct arena *a)
{
	const struct gw_tls *tls = l->spec->tls;
	struct l7_cert *v = arena_array(a, struct l7_cert, tls ? tls->certificates.nr : 0);

	if (!tls || !tls->certificates.nr) {
		l->resolved = wrong("InvalidCertificateRef", "a listener of protocol HTTPS needs tls.certificateRefs");
		return;
	}
	for (uint32_t k = 0; k < tls->certificates.nr; k++) {
		struct gw_says says = certificate(c, gw, &tls->certificates.v[k], &v[l->nr_certs], a);

		if (says.yes)
			l->nr_certs++;
		else if (l->resolved.yes)
			l->resolved = says;
	}
	l->certs = v;
}

static void listener_read(struct cluster *c, const struct gateway *gw, struct gw_listener_state *l, struct arena *a)
{
	size_t k = 0;

	l->accepted = fine("Accepted");
	l->resolved = fine("ResolvedRefs");
	l->conflicted = (struct gw_says){ false, "NoConflicts", "" };
	while (k < ARRAY_LEN(protocols) && !streq(protocols[k].name, l->spec->protocol))
		k++;
	if (k == ARRAY_LEN(protocols)) {
		l->proto = L7_TCP;
		l->accepted = wrong("UnsupportedProtocol", arena_printf(a, "protocol %s is not supported: HTTP, HTTPS, TLS are", l->spec->protocol ? l->spec->protocol : "(none)"));
		return;
	}
	l->proto = protocols[k].proto;
	listener_kinds(c, l, k, a);
	if (l->proto == L7_HTTPS)
		listener_certs(c, gw, l, a);
}

/* GatewaySpec.listeners: listeners that cannot be told apart are all refused; HTTP shares no port with TLS. */
static void conflicts(struct gw_state *s, struct arena *a)
{
	for (uint32_t i = 0; i < s->nr; i++)
		for (uint32_t k = 0; k < s->nr; k++) {
			struct gw_listener_state *l = &s->listeners[i], *other = &s->listeners[k];
			bool same_host = streq(l->spec->hostname ? l->spec->hostname : "", other->spec->hostname ? other->spec->hostname : "");
			const char *reason;

			if (i == k || l->spec->port != other->spec->port || l->proto == L7_TCP || other->proto == L7_TCP || l->conflicted.yes)
				continue;
			if ((l->proto == L7_HTTP) == (other->proto == L7_HTTP) && !same_host)
				continue;
			reason = (l->proto == L7_HTTP) == (other->proto == L7_HTTP) ? "HostnameConflict" : "ProtocolConflict";
			l->conflicted = (struct gw_says){ true, reason, arena_printf(a, "listener %s has the same port", other->spec->name) };
			l->accepted = wrong(reason, l->conflicted.message);
		}
}

static void programmed(struct gw_listener_state *l)
{
	bool certs = l->proto != L7_HTTPS || l->nr_certs == (l->spec->tls ? l->spec->tls->certificates.nr : 0);

	if (l->accepted.yes && certs && l->nr_kinds)
		l->programmed = fine("Programmed");
	else
		l->programmed = wrong("Invalid", l->accepted.yes ? l->resolved.message : l->accepted.message);
}

/* ---- the Gateway itself */

static bool parameters_exist(struct cluster *c, const struct gateway *gw, const struct val *ref)
{
	const char *kind = val_str(val_get(ref, "kind")), *name = val_str(val_get(ref, "name"));

	for (uint32_t k = 0; cluster_pool_kind(c, k); k++) {
		const struct kind *have = cluster_pool_kind(c, k);

		if (streq(have->name, kind) && cluster_find(c, have, have->namespaced ? gw->o.ns : NULL, name))
			return true;
	}
	return false;
}

static struct gw_says gateway_accepted(struct cluster *c, const struct gw_state *s, struct arena *a)
{
	const struct val *parameters = val_path(s->gw->o.doc, "spec.infrastructure.parametersRef");
	uint32_t good = 0;

	if (parameters && !parameters_exist(c, s->gw, parameters))
		return wrong("InvalidParameters", arena_printf(a, "spec.infrastructure.parametersRef: %s %s does not exist", val_str_at(parameters, "kind"), val_str_at(parameters, "name")));
	for (uint32_t k = 0; k < s->gw->addresses.nr; k++) {
		str type = s->gw->addresses.v[k].type;

		if (type && !streq(type, "IPAddress") && !streq(type, "Hostname"))
			return wrong("UnsupportedAddress", arena_printf(a, "addresses of type %s are not supported", type));
	}
	for (uint32_t k = 0; k < s->nr; k++)
		good += s->listeners[k].accepted.yes;
	if (good == s->nr)
		return fine("Accepted");
	return (struct gw_says){ good > 0, "ListenersNotValid", arena_printf(a, "%u of %u listeners are not valid", s->nr - good, s->nr) };
}

const char *gateway_controller_name(struct cluster *c, const struct gateway *gw)
{
	const struct gateway_class *class = (const struct gateway_class *)(gw->class_name ? cluster_find(c, &gateway_class_kind, NULL, gw->class_name) : NULL);

	return class ? class->controller : NULL;
}

/* ---- routes */

const struct gateway *parent_gateway(struct cluster *c, const struct http_route *r, const struct parent_ref *p)
{
	if (!word_is(p->group, GATEWAY_GROUP, GATEWAY_GROUP) || !word_is(p->kind, "Gateway", "Gateway"))
		return NULL;
	return (const struct gateway *)cluster_find(c, &gateway_kind, p->ns ? p->ns : r->o.ns, p->name);
}

static bool namespace_allowed(struct cluster *c, const struct gw_state *s, const struct gw_listener_state *l, const struct http_route *r)
{
	const struct route_ns *allowed = &l->spec->allowed;
	const struct namespace_ *ns;

	if (streq(allowed->from, "All"))
		return true;
	if (streq(allowed->from, "None"))
		return false;
	if (!streq(allowed->from, "Selector"))
		return r->o.ns == s->gw->o.ns;
	ns = find_namespace(c, r->o.ns);
	return ns && allowed->selector && selector_matches(allowed->selector, &ns->o.labels);
}

/* Accepted, as far as the parent decides. The order of reasons: no such listener, none allows it, none has a hostname in common. */
static void attach(struct cluster *c, struct gw_state *s, struct gw_attachment *at, struct arena *a)
{
	const struct parent_ref *p = at->parent;
	bool named = false, allowed = false;

	for (uint32_t k = 0; k < s->nr && k < 64; k++) {
		struct gw_listener_state *l = &s->listeners[k];

		if ((p->section && !streq(p->section, l->spec->name)) || (p->port.set && p->port.v != l->spec->port))
			continue;
		named = true;
		if (!l->http_routes || !namespace_allowed(c, s, l, at->route))
			continue;
		allowed = true;
		if (!hosts_intersect(l->spec->hostname, &at->route->hostnames, a).nr)
			continue;
		at->listeners |= 1ull << k;
		l->attached++;
	}
	if (at->listeners)
		at->accepted = fine("Accepted");
	else if (!named)
		at->accepted = wrong("NoMatchingParent", "no listener of the Gateway has that name and port");
	else if (!allowed)
		at->accepted = wrong("NotAllowedByListeners", "no listener of the Gateway allows routes of this kind from this namespace");
	else
		at->accepted = wrong("NoMatchingListenerHostname", "no listener of the Gateway has a hostname in common with the route");
}

struct gw_state gateway_state(struct cluster *c, const struct gateway *gw, struct arena *a)
{
	struct object_list routes = cluster_list(c, &http_route_kind);
	struct gw_state s = { .gw = gw, .controller = gateway_controller_name(c, gw), .nr = gw->listeners.nr };
	VEC(struct gw_attachment) attached = { 0 };

	s.listeners = arena_array(a, struct gw_listener_state, s.nr);
	for (uint32_t k = 0; k < s.nr; k++) {
		s.listeners[k].spec = &gw->listeners.v[k];
		s.listeners[k].index = k;
		listener_read(c, gw, &s.listeners[k], a);
	}
	conflicts(&s, a);
	for (uint32_t k = 0; k < s.nr; k++)
		programmed(&s.listeners[k]);
	s.accepted = gateway_accepted(c, &s, a);
	for (uint32_t k = 0; k < routes.nr; k++) {
		const struct http_route *r = (const struct http_route *)routes.v[k];

		for (uint32_t i = 0; i < r->parents.nr; i++) {
			struct gw_attachment *at;

			if (parent_gateway(c, r, &r->parents.v[i]) != gw)
				continue;
			at = vec_push(a, &attached);
			*at = (struct gw_attachment){ .route = r, .parent = &r->parents.v[i], .parent_index = i };
			attach(c, &s, at, a);
		}
	}
	s.routes = attached.v;
	s.nr_routes = attached.nr;
	return s;
}

/* ---- references */

struct l7_ref gateway_ref(struct cluster *c, const struct http_route *r, const char *group, const char *kind, str ns, str name, struct opt_int port, struct arena *a, const char **reason)
{
	struct l7_ref ref = { .ns = ns ? ns : r->o.ns, .name = name, .port = port.v, .status = 500 };
	const char *ignored;

	reason = reason ? reason : &ignored;
	if (!word_is(group, "", "") || !word_is(kind, "Service", "Service")) {
		*reason = "InvalidKind";
		ref.why = arena_printf(a, "%s %s is not a kind of backend that is supported: Service is", group && *group ? group : "core", kind ? kind : "Service");
		return ref;
	}
	if (ref.ns != r->o.ns && !grant_allows(c, GATEWAY_GROUP, "HTTPRoute", r->o.ns, ref.ns, "", "Service", name)) {
		*reason = "RefNotPermitted";
		ref.why = arena_printf(a, "no ReferenceGrant in namespace %s lets HTTPRoutes of %s use Service %s", ref.ns, r->o.ns, name);
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

static bool ref_holds(struct cluster *c, const struct http_route *r, const struct secret_ref *ref, struct opt_int port, struct gw_says *out, struct arena *a)
{
	const char *reason;
	struct l7_ref done = gateway_ref(c, r, ref->group, ref->kind, ref->ns, ref->name, port, a, &reason);

	if (done.why)
		*out = wrong(reason, done.why);
	return !done.why;
}

static bool filters_hold(struct cluster *c, const struct http_route *r, const struct route_filter *f, uint32_t nr, struct gw_says *out, struct arena *a)
{
	for (uint32_t k = 0; k < nr; k++)
		if (f[k].mirror && !ref_holds(c, r, &f[k].mirror->ref, f[k].mirror->port, out, a))
			return false;
	return true;
}

struct gw_says route_references(struct cluster *c, const struct http_route *r, struct arena *a)
{
	struct gw_says out = fine("ResolvedRefs");

	for (uint32_t k = 0; k < r->rules.nr; k++) {
		const struct route_rule *rule = &r->rules.v[k];

		for (uint32_t i = 0; i < rule->backends.nr; i++) {
			const struct backend_ref *b = &rule->backends.v[i];
			struct secret_ref ref = { b->group, b->kind, b->ns, b->name };

			if (!ref_holds(c, r, &ref, b->port, &out, a) || !filters_hold(c, r, b->filters.v, b->filters.nr, &out, a))
				return out;
		}
		if (!filters_hold(c, r, rule->filters.v, rule->filters.nr, &out, a))
			return out;
	}
	return out;
}
