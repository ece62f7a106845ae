/* A Gateway's listeners: its own and those of the ListenerSets that it lets in; which of them hold, and which stand in each other's way.
 * Source: gateway-api apis/v1/{gateway,listenerset}_types.go. */
#include "model/l7/gateway_parts.h"

#include <stdlib.h>

/* mode: of TLS, which ends it (Terminate) where nothing is said. family: ports are not shared across families, and UDP's are other ports. */
static const struct protocol { const char *name, *mode; enum l7_proto proto; char family; const char *kinds[3]; } protocols[] = {
	{ "HTTP", NULL, L7_HTTP, 'h', { "HTTPRoute", "GRPCRoute" } },
	{ "HTTPS", NULL, L7_HTTPS, 's', { "HTTPRoute", "GRPCRoute" } },
	{ "TLS", "Terminate", L7_TLS_TERMINATE, 's', { "TLSRoute" } },
	{ "TLS", "Passthrough", L7_TLS_PASSTHROUGH, 's', { "TLSRoute" } },
	{ "TCP", NULL, L7_TCP, 't', { "TCPRoute" } },
	{ "UDP", NULL, L7_UDP, 'u', { "UDPRoute" } },
};

static const struct protocol *protocol_of(const struct gw_listener *l)
{
	const char *mode = l->tls && l->tls->mode ? l->tls->mode : "Terminate";

	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (streq(protocols[k].name, l->protocol) && (!protocols[k].mode || streq(protocols[k].mode, mode)))
			return &protocols[k];
	return NULL;
}

/* supportedKinds: what the protocol allows, cut down to what the listener asks for (ListenerReasonInvalidRouteKinds). */
static void listener_kinds(struct cluster *c, struct gw_listener_state *l, const struct protocol *p, struct arena *a)
{
	const struct gw_listener *s = l->spec;
	struct route_kind *v = arena_array(a, struct route_kind, s->kinds.nr + ARRAY_LEN(p->kinds));
	str group = cluster_str(c, GATEWAY_GROUP);

	for (size_t i = 0; !s->kinds.nr && i < ARRAY_LEN(p->kinds) && p->kinds[i]; i++)
		v[l->nr_kinds++] = (struct route_kind){ group, cluster_str(c, p->kinds[i]) };
	for (uint32_t k = 0; k < s->kinds.nr; k++) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(p->kinds) && p->kinds[i]; i++)
			known = known || (gw_word_is(s->kinds.v[k].group, GATEWAY_GROUP, GATEWAY_GROUP) && streq(s->kinds.v[k].kind, p->kinds[i]));
		if (known)
			v[l->nr_kinds++] = (struct route_kind){ group, s->kinds.v[k].kind };
		else if (l->resolved.yes)
			l->resolved = gw_wrong("InvalidRouteKinds", arena_printf(a, "%s is not a kind of route that a listener of protocol %s can have", s->kinds.v[k].kind, s->protocol));
	}
	l->kinds = v;
}

static struct gw_says certificate(struct cluster *c, const struct object *owner, const struct secret_ref *ref, struct l7_cert *out, struct arena *a)
{
	str ns = ref->ns ? ref->ns : owner->ns;
	const struct secret *s;
	const char *why;

	out->secret = arena_printf(a, "%s/%s", ns, ref->name);
	if (!gw_word_is(ref->group, "", "") || !gw_word_is(ref->kind, "Secret", "Secret"))
		return gw_wrong("InvalidCertificateRef", arena_printf(a, "a certificate is a Secret, not %s %s", ref->group ? ref->group : "", ref->kind ? ref->kind : ""));
	if (ns != owner->ns && !grant_allows(c, GATEWAY_GROUP, owner->kind->name, owner->ns, ns, "", "Secret", ref->name))
		return gw_wrong("RefNotPermitted", arena_printf(a, "no ReferenceGrant in namespace %s lets %ss of %s use Secret %s", ns, owner->kind->name, owner->ns, ref->name));
	s = (const struct secret *)cluster_find(c, &secret_kind, ns, ref->name);
	if (!s)
		return gw_wrong("InvalidCertificateRef", arena_printf(a, "Secret %s does not exist", out->secret));
	if (!cert_of_secret(s, a, &out->names, &why))
		return gw_wrong("InvalidCertificateRef", arena_printf(a, "Secret %s %s", out->secret, why));
	return gw_fine("ResolvedRefs");
}

static void listener_certs(struct cluster *c, struct gw_listener_state *l, struct arena *a)
{
	const struct gw_tls *tls = l->spec->tls;
	struct l7_cert *v = arena_array(a, struct l7_cert, tls ? tls->certificates.nr : 0);

	if (!tls || !tls->certificates.nr) {
		l->resolved = gw_wrong("InvalidCertificateRef", arena_printf(a, "a listener of protocol %s that ends TLS needs tls.certificateRefs", l->spec->protocol));
		return;
	}
	for (uint32_t k = 0; k < tls->certificates.nr; k++) {
		struct gw_says says = certificate(c, l->owner, &tls->certificates.v[k], &v[l->nr_certs], a);

		if (says.yes)
			l->nr_certs++;
		else if (l->resolved.yes)
			l->resolved = says;
	}
	l->certs = v;
}

static void listener_read(struct cluster *c, struct gw_listener_state *l, struct arena *a)
{
	const struct protocol *p = protocol_of(l->spec);

	l->accepted = gw_fine("Accepted");
	l->resolved = gw_fine("ResolvedRefs");
	l->conflicted = (struct gw_says){ false, "NoConflicts", "" };
	l->proto = p ? p->proto : L7_NO_PROTO;
	if (!p && streq(l->spec->protocol, "TLS")) {
		l->accepted = gw_wrong("UnsupportedValue", arena_printf(a, "tls.mode %s is not supported: Terminate, Passthrough are", l->spec->tls->mode));
		return;
	}
	if (!p) {
		l->accepted = gw_wrong("UnsupportedProtocol", arena_printf(a, "protocol %s is not supported: HTTP, HTTPS, TLS, TCP, UDP are", l->spec->protocol ? l->spec->protocol : "(none)"));
		return;
	}
	listener_kinds(c, l, p, a);
	if (p->proto == L7_HTTPS || p->proto == L7_TLS_TERMINATE)
		listener_certs(c, l, a);
}

/* Can they not both be? reason: why not. */
static bool clash(const struct gw_listener_state *a, const struct gw_listener_state *b, const char **reason)
{
	const struct protocol *p = protocol_of(a->spec), *q = protocol_of(b->spec);
	bool same_host = streq(a->spec->hostname ? a->spec->hostname : "", b->spec->hostname ? b->spec->hostname : "");

	if (!p || !q || a->spec->port != b->spec->port || (p->family == 'u') != (q->family == 'u') || (p->family == q->family && !same_host))
		return false;
	*reason = p->family == q->family ? "HostnameConflict" : "ProtocolConflict";
	return true;
}

/* Against the listeners from `first` to `end`, as far as they stand. */
static void clashes(struct gw_state *s, uint32_t at, uint32_t first, uint32_t end, struct arena *a)
{
	struct gw_listener_state *l = &s->listeners[at];
	const char *reason = NULL;

	for (uint32_t k = first; k < end && !l->conflicted.yes; k++)
		if (k != at && !s->listeners[k].refused && clash(l, &s->listeners[k], &reason))
			l->conflicted = (struct gw_says){ true, reason, arena_printf(a, "listener %s has the same port", s->listeners[k].spec->name) };
}

static void refuse(struct gw_state *s, uint32_t first, uint32_t end)
{
	for (uint32_t k = first; k < end; k++) {
		struct gw_listener_state *l = &s->listeners[k];

		if (l->conflicted.yes && !l->refused)
			l->accepted = gw_wrong(l->conflicted.reason, l->conflicted.message);
		l->refused = !l->accepted.yes;
	}
}

/* GatewaySpec.listeners, ListenerSetSpec.listeners: what came before keeps its place; of one object, listeners that cannot be told apart are all refused. */
static void conflicts(struct gw_state *s, uint32_t first, uint32_t end, struct arena *a)
{
	for (uint32_t k = first; k < end; k++)
		clashes(s, k, 0, first, a);
	refuse(s, first, end);
	for (uint32_t k = first; k < end; k++)
		if (!s->listeners[k].refused)
			clashes(s, k, first, end, a);
	refuse(s, first, end);
}

static bool shows_certificates(const struct gw_listener_state *l) { return !l->refused && (l->proto == L7_HTTPS || l->proto == L7_TLS_TERMINATE); }

static void programmed(struct gw_listener_state *l)
{
	bool ends = l->proto == L7_HTTPS || l->proto == L7_TLS_TERMINATE, certs = !ends || (l->nr_certs && l->nr_certs == l->spec->tls->certificates.nr);

	if (l->accepted.yes && certs && l->nr_kinds)
		l->programmed = gw_fine("Programmed");
	else
		l->programmed = gw_wrong(l->conflicted.yes && l->owner->kind == &listener_set_kind ? l->conflicted.reason : "Invalid",
					 l->accepted.yes ? l->resolved.message : l->accepted.message);
}

static bool share_names(const char *a, const char *b)
{
	return !a || !*a || !b || !*b || host_matches(a, b, false) || host_matches(b, a, false);
}

/* ListenerConditionOverlappingTLSConfig: a name that two listeners of a port would both show a certificate for; certificates are not compared. */
static void overlap(struct gw_state *s, struct arena *a)
{
	for (uint32_t k = 0; k < s->nr; k++) {
		struct gw_listener_state *l = &s->listeners[k];

		for (uint32_t i = 0; i < s->nr && !l->overlapping.yes; i++) {
			const struct gw_listener_state *other = &s->listeners[i];

			if (i != k && other->spec->port == l->spec->port && shows_certificates(l) && shows_certificates(other) && share_names(l->spec->hostname, other->spec->hostname))
				l->overlapping = (struct gw_says){ true, "OverlappingHostnames", arena_printf(a, "listener %s of the same port is for some of its names, too", other->spec->name) };
		}
	}
}

/* ---- ListenerSets */

static const struct gateway *set_gateway(struct cluster *c, const struct listener_set *set)
{
	const struct parent_ref *p = &set->parent;

	if (!gw_word_is(p->group, GATEWAY_GROUP, GATEWAY_GROUP) || !gw_word_is(p->kind, "Gateway", "Gateway") || !p->name)
		return NULL;
	return (const struct gateway *)cluster_find(c, &gateway_kind, p->ns ? p->ns : set->o.ns, p->name);
}

const struct gateway *parent_gateway(struct cluster *c, const struct gw_route *r, const struct parent_ref *p)
{
	const struct listener_set *set;

	if (!gw_word_is(p->group, GATEWAY_GROUP, GATEWAY_GROUP) || !p->name)
		return NULL;
	if (gw_word_is(p->kind, "Gateway", "Gateway"))
		return (const struct gateway *)cluster_find(c, &gateway_kind, p->ns ? p->ns : r->o.ns, p->name);
	set = streq(p->kind, "ListenerSet") ? (const struct listener_set *)cluster_find(c, &listener_set_kind, p->ns ? p->ns : r->o.ns, p->name) : NULL;
	return set ? set_gateway(c, set) : NULL;
}

bool gw_namespace_allowed(struct cluster *c, const struct route_ns *allowed, const char *dflt, str own, str ns)
{
	const char *from = allowed->from ? allowed->from : dflt;
	const struct namespace_ *n = streq(from, "Selector") ? find_namespace(c, ns) : NULL;

	return streq(from, "All") || (streq(from, "Same") && ns == own) || (n && allowed->selector && selector_matches(allowed->selector, &n->o.labels));
}

static int by_age(const void *x, const void *y)
{
	const struct object *a = &((const struct gw_set_state *)x)->set->o, *b = &((const struct gw_set_state *)y)->set->o;
	int order = (object_born(a) > object_born(b)) - (object_born(a) < object_born(b));

	order = order ? order : str_order(a->ns, b->ns);
	return order ? order : str_order(a->name, b->name);
}

static void gather_sets(struct cluster *c, struct gw_state *s, struct arena *a)
{
	struct object_list all = cluster_list(c, &listener_set_kind);

	s->sets = arena_array(a, struct gw_set_state, all.nr);
	for (uint32_t k = 0; k < all.nr; k++) {
		const struct listener_set *set = (const struct listener_set *)all.v[k];

		if (set_gateway(c, set) == s->gw)
			s->sets[s->nr_sets++] = (struct gw_set_state){ .set = set, .allowed = gw_namespace_allowed(c, &s->gw->allowed_sets, "None", s->gw->o.ns, set->o.ns) };
	}
	if (s->nr_sets)
		qsort(s->sets, s->nr_sets, sizeof(*s->sets), by_age);
}

static void set_judged(struct gw_state *s, struct gw_set_state *set, struct arena *a)
{
	uint32_t good = 0;

	for (uint32_t k = 0; k < set->nr; k++)
		good += s->listeners[set->first + k].programmed.yes;
	if (!set->allowed)
		set->accepted = set->programmed = gw_wrong("NotAllowed", arena_printf(a, "spec.allowedListeners of Gateway %s/%s does not let ListenerSets of this namespace in", s->gw->o.ns, s->gw->o.name));
	else if (!s->accepted.yes)
		set->accepted = gw_wrong("ParentNotAccepted", s->accepted.message), set->programmed = gw_wrong("ParentNotProgrammed", s->accepted.message);
	else if (!good)
		set->accepted = set->programmed = gw_wrong("ListenersNotValid", "none of its listeners is valid");
	else
		set->accepted = gw_fine(good == set->nr ? "Accepted" : "ListenersNotValid"), set->programmed = gw_fine("Programmed");
	s->attached_sets += set->accepted.yes;
}

void gw_sets_judge(struct gw_state *s, struct arena *a)
{
	for (uint32_t k = 0; k < s->nr_sets; k++)
		set_judged(s, &s->sets[k], a);
}

/* ---- all of them */

static void add_listener(struct cluster *c, struct gw_state *s, const struct object *owner, const struct gw_listener *spec, uint32_t index, struct arena *a)
{
	struct gw_listener_state *l = &s->listeners[s->nr++];

	*l = (struct gw_listener_state){ .spec = spec, .owner = owner, .index = index };
	listener_read(c, l, a);
	if (l->accepted.yes)
		gw_client_certificates(c, s->gw, l, a);
}

void gw_listeners_read(struct cluster *c, struct gw_state *s, struct arena *a)
{
	uint32_t most = s->gw->listeners.nr;

	gather_sets(c, s, a);
	for (uint32_t k = 0; k < s->nr_sets; k++)
		most += s->sets[k].set->listeners.nr;
	s->listeners = arena_array(a, struct gw_listener_state, most);
	for (uint32_t k = 0; k < s->gw->listeners.nr; k++)
		add_listener(c, s, &s->gw->o, &s->gw->listeners.v[k], k, a);
	s->nr_own = s->nr;
	for (uint32_t k = 0; k < s->nr_sets; k++) {
		struct gw_set_state *set = &s->sets[k];

		set->first = s->nr;
		for (uint32_t i = 0; set->allowed && i < set->set->listeners.nr; i++)
			add_listener(c, s, &set->set->o, &set->set->listeners.v[i], i, a);
		set->nr = s->nr - set->first;
	}
	conflicts(s, 0, s->nr_own, a);
	for (uint32_t k = 0; k < s->nr_sets; k++)
		conflicts(s, s->sets[k].first, s->sets[k].first + s->sets[k].nr, a);
	for (uint32_t k = 0; k < s->nr; k++)
		programmed(&s->listeners[k]);
	overlap(s, a);
}
