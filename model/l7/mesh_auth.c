/* A mesh's policies at the receiving sidecar: mutual TLS by PeerAuthentication, AuthorizationPolicy. Source: istio/api security/v1beta1; istio
 * pilot/pkg/security/authn/policy_applier.go, pilot/pkg/security/authz/{model,builder}. */
#include "model/l7/mesh_routes.h"

#include <stdlib.h>
#include <strings.h>

#define ROOT_NS "istio-system"

const char *mesh_principal(struct cluster *c, const struct pod *p, struct arena *a)
{
	const struct settings *s = cluster_settings(c);

	return arena_printf(a, "%s/ns/%s/sa/%s", s->domain ? s->domain : "cluster.local", p->o.ns, p->spec->service_account ? p->spec->service_account : "default");
}

/* A policy's selector.matchLabels; without one it is for the whole namespace. */
static bool selects(const struct raw_object *r, const struct pod *p, bool *narrow)
{
	const struct val *labels = val_path(r->spec, "selector.matchLabels");

	*narrow = labels && labels->nr;
	VAL_EACH(v, labels)
		if (!streq(label_get(&p->o.labels, v->key), val_str(v)))
			return false;
	return true;
}

struct mesh_policies mesh_policies(struct cluster *c, const struct kind *kind, const struct pod *to, struct arena *a)
{
	const char *const where[] = { to->o.ns, ROOT_NS };
	struct mesh_policies out = { 0 };

	for (size_t w = 0; w < (streq(to->o.ns, ROOT_NS) ? 1 : 2); w++) {
		struct object_list all = cluster_list_ns(c, kind, where[w]);
		const struct raw_object **v = arena_array(a, const struct raw_object *, out.nr + all.nr);
		bool narrow;

		if (out.nr)
			memcpy(v, out.v, out.nr * sizeof(*v));
		out.v = v;
		for (uint32_t k = 0; k < all.nr; k++)
			if (selects((const struct raw_object *)all.v[k], to, &narrow))
				out.v[out.nr++] = (const struct raw_object *)all.v[k];
	}
	return out;
}

/* ---- mutual TLS */

/* port-level before the mode of the whole; UNSET is none. */
static const char *mode_of(const struct raw_object *r, uint16_t port)
{
	VAL_EACH(v, val_get(r->spec, "portLevelMtls"))
		if (strtoul(v->key, NULL, 10) == port && val_str_at(v, "mode"))
			return val_str_at(v, "mode");
	return val_str_at(r->spec, "mtls.mode");
}

/* The narrowest that says something: for the workload, its namespace, the mesh; of several the oldest. */
const char *mesh_peer_mode(struct cluster *c, const struct pod *to, uint16_t port, obj_h *cause)
{
	const char *const where[] = { to->o.ns, to->o.ns, ROOT_NS };
	const char *mode = NULL;

	for (int step = 0; step < 3 && !mode; step++) {
		struct object_list all = cluster_list_ns(c, &peer_authentication_kind, where[step]);
		const struct raw_object *best = NULL;

		for (uint32_t k = 0; k < all.nr; k++) {
			const struct raw_object *r = (const struct raw_object *)all.v[k];
			const char *m = mode_of(r, port);
			bool narrow;

			if (!selects(r, to, &narrow) || narrow != (step == 0) || !m || streq(m, "UNSET"))
				continue;
			if (best && object_born(&r->o) >= object_born(&best->o))
				continue;
			best = r;
			mode = m;
			*cause = r->o.id;
		}
	}
	return mode ? mode : "PERMISSIVE";
}

struct mesh_verdict mesh_peer_allowed(struct cluster *c, const struct pod *to, uint16_t port, bool mutual, struct arena *a)
{
	obj_h cause = { 0 };
	const char *mode = mesh_peer_mode(c, to, port, &cause);

	if (streq(mode, "STRICT") && !mutual)
		return (struct mesh_verdict){ false, arena_printf(a, "the sidecar of %s/%s asks for mutual TLS (PeerAuthentication, mode STRICT) and the connection is plain: it is reset",
								  to->o.ns, to->o.name), NULL, cause };
	if (streq(mode, "DISABLE") && mutual)
		return (struct mesh_verdict){ false, "the receiving sidecar has mutual TLS disabled, and the connection is mutual TLS: it is reset", NULL, cause };
	return (struct mesh_verdict){ true, arena_printf(a, "mutual TLS: %s, mode %s", mutual ? "yes" : "no", mode), NULL, cause };
}

/* Automatic mutual TLS: on between two sidecars, unless a DestinationRule of the client says otherwise or the receiver has it disabled. */
bool mesh_mutual_tls(struct cluster *c, const struct pod *from, const struct pod *to, const struct service *s)
{
	struct arena *a;
	const struct raw_object *rule;
	const char *mode;
	obj_h cause;

	/* it is received by Pods with the label security.istio.io/tlsMode, which the injection of a sidecar gives; a gateway receives as its listeners say */
	if (!from || !to || !mesh_sidecar(from->spec) || !mesh_sidecar(to->spec) || !mesh_capture(to->spec).set)
		return false;
	a = arena_new(NULL, "mesh");
	rule = s ? mesh_destination_rule(c, from->o.ns, arena_printf(a, "%s.%s.svc.%s", s->o.name, s->o.ns, cluster_settings(c)->domain), a) : NULL;
	mode = rule ? val_str_at(rule->spec, "trafficPolicy.tls.mode") : NULL;
	arena_free(a);
	if (mode)
		return streq(mode, "ISTIO_MUTUAL") || streq(mode, "MUTUAL");
	return !streq(mesh_peer_mode(c, to, 0, &cause), "DISABLE");
}

/* ---- AuthorizationPolicy */

struct asked { struct cluster *c; const struct mesh_source *from; const struct http_request *rq; uint16_t port; ip_addr dst; struct arena *a; const char *unknown; };

/* "*" is anything there, "x*" a beginning, "*x" an end. */
static bool text_matches(const char *pattern, const char *value, bool nocase)
{
	size_t n = strlen(pattern), m = value ? strlen(value) : 0;
	int (*cmp)(const char *, const char *, size_t) = nocase ? strncasecmp : strncmp;

	if (!value)
		return false;
	if (streq(pattern, "*"))
		return m > 0;
	if (n && pattern[n - 1] == '*')
		return m >= n - 1 && cmp(value, pattern, n - 1) == 0;
	if (*pattern == '*')
		return m >= n - 1 && cmp(value + m - (n - 1), pattern + 1, n - 1) == 0;
	return n == m && cmp(value, pattern, n) == 0;
}

static bool block_has(const char *pattern, ip_addr ip)
{
	struct cidr c;
	ip_addr one;

	return ip_parse(pattern, &one) ? ip_eq(one, ip) : cidr_parse(pattern, &c) && cidr_contains(c, ip);
}

enum what { W_PRINCIPAL, W_NAMESPACE, W_ACCOUNT, W_SOURCE, W_REMOTE, W_HOST, W_METHOD, W_PATH, W_PORT, W_REQUEST_PRINCIPAL };

static const char *path_only(struct asked *q) { return arena_strndup(q->a, q->rq->path, strcspn(q->rq->path, "?#")); }

static bool one_matches(struct asked *q, enum what what, const char *pattern)
{
	switch (what) {
	case W_PRINCIPAL:
		return text_matches(pattern, q->from->principal, false);
	case W_NAMESPACE:
		return q->from->principal && text_matches(pattern, q->from->ns, false);
	case W_ACCOUNT:
		return q->from->principal && strstr(q->from->principal, "/sa/") &&
		       (strchr(pattern, '/') ? streq(arena_printf(q->a, "%s/%s", q->from->ns, strstr(q->from->principal, "/sa/") + 4), pattern)
					     : streq(strstr(q->from->principal, "/sa/") + 4, pattern));
	case W_SOURCE:
	case W_REMOTE:
		return block_has(pattern, q->from->ip);
	case W_HOST:
		return q->rq && text_matches(pattern, q->rq->host, true);
	case W_METHOD:
		return q->rq && text_matches(pattern, q->rq->method, false);
	case W_PATH:
		if (strstr(pattern, "{*}") || strstr(pattern, "{**}"))
			q->unknown = "path templates of AuthorizationPolicy are not modelled";
		return q->rq && text_matches(pattern, path_only(q), false);
	case W_PORT:
		return strtoul(pattern, NULL, 10) == q->port;
	case W_REQUEST_PRINCIPAL:
		q->unknown = "an AuthorizationPolicy asks for a request's token, which is not modelled";
		return false;
	}
	return false;
}

static bool any_matches(struct asked *q, enum what what, const struct val *list)
{
	VAL_EACH(v, list)
		if (val_str(v) && one_matches(q, what, val_str(v)))
			return true;
	return false;
}

static const struct { const char *field, *not; enum what what; bool http; } source_fields[] = {
	{ "principals", "notPrincipals", W_PRINCIPAL, false }, { "namespaces", "notNamespaces", W_NAMESPACE, false }, { "serviceAccounts", "notServiceAccounts", W_ACCOUNT, false },
	{ "ipBlocks", "notIpBlocks", W_SOURCE, false }, { "remoteIpBlocks", "notRemoteIpBlocks", W_REMOTE, false },
	{ "requestPrincipals", "notRequestPrincipals", W_REQUEST_PRINCIPAL, true },
}, operation_fields[] = {
	{ "hosts", "notHosts", W_HOST, true }, { "methods", "notMethods", W_METHOD, true }, { "paths", "notPaths", W_PATH, true }, { "ports", "notPorts", W_PORT, false },
};

/* Fields are ANDed. A connection that is not HTTP never matches an HTTP field of an ALLOW, and a DENY leaves such fields out (authz/builder: TCP filters). */
static bool fields_match(struct asked *q, const struct val *v, bool source, bool deny)
{
	size_t nr = source ? ARRAY_LEN(source_fields) : ARRAY_LEN(operation_fields);

	for (size_t k = 0; k < nr; k++) {
		const char *field = source ? source_fields[k].field : operation_fields[k].field, *not = source ? source_fields[k].not : operation_fields[k].not;
		enum what what = source ? source_fields[k].what : operation_fields[k].what;
		bool http = source ? source_fields[k].http : operation_fields[k].http;
		const struct val *yes = val_get(v, field), *no = val_get(v, not);

		if ((yes || no) && http && !q->rq) {
			if (!deny)
				return false;
			continue;
		}
		if ((yes && yes->nr && !any_matches(q, what, yes)) || (no && any_matches(q, what, no)))
			return false;
	}
	return true;
}

static bool conditions_match(struct asked *q, const struct val *when, bool deny)
{
	static const struct { const char *key; enum what what; bool http; } keys[] = {
		{ "source.principal", W_PRINCIPAL, false }, { "source.namespace", W_NAMESPACE, false }, { "source.ip", W_SOURCE, false }, { "remote.ip", W_REMOTE, false },
		{ "destination.port", W_PORT, false },
	};

	VAL_EACH(w, when) {
		const char *key = val_str_at(w, "key");
		const struct val *yes = val_get(w, "values"), *no = val_get(w, "notValues");
		size_t k = 0;

		while (k < ARRAY_LEN(keys) && !streq(keys[k].key, key))
			k++;
		if (k < ARRAY_LEN(keys)) {
			if ((yes && !any_matches(q, keys[k].what, yes)) || (no && any_matches(q, keys[k].what, no)))
				return false;
			continue;
		}
		if (key && strncmp(key, "request.headers[", 16) == 0) {
			const char *name = arena_strndup(q->a, key + 16, strcspn(key + 16, "]")), *have = q->rq ? header_of(q->rq, name) : NULL;
			bool hit = false;

			if (!q->rq) {
				if (!deny)
					return false;
				continue;
			}
			VAL_EACH(v, yes)
				hit = hit || (val_str(v) && text_matches(val_str(v), have, false));
			if (yes && !hit)
				return false;
			VAL_EACH(v, no)
				if (val_str(v) && text_matches(val_str(v), have, false))
					return false;
			continue;
		}
		q->unknown = arena_printf(q->a, "an AuthorizationPolicy asks for %s, which is not modelled", key ? key : "(no key)");
		return false;
	}
	return true;
}

/* rules: absent matches nothing, a rule without fields everything. */
static bool policy_matches(struct asked *q, const struct raw_object *r, bool deny)
{
	VAL_EACH(rule, val_get(r->spec, "rules")) {
		const struct val *from = val_get(rule, "from"), *to = val_get(rule, "to");
		bool source = !from || !from->nr, operation = !to || !to->nr;

		VAL_EACH(f, from)
			source = source || fields_match(q, val_get(f, "source"), true, deny);
		VAL_EACH(t, to)
			operation = operation || fields_match(q, val_get(t, "operation"), false, deny);
		if (source && operation && conditions_match(q, val_get(rule, "when"), deny))
			return true;
	}
	return false;
}

static struct mesh_verdict verdict_of(struct asked *q, bool allowed, const struct raw_object *r, const char *text)
{
	return (struct mesh_verdict){ allowed, r ? arena_printf(q->a, "AuthorizationPolicy %s/%s %s", r->o.ns, r->o.name, text) : text, q->unknown, r ? r->o.id : (obj_h){ 0 } };
}

/* The policies for a Pod: of its namespace and of the root one. CUSTOM and DENY come first; then, if there is any ALLOW, one of them must match. */
struct mesh_verdict mesh_authorized(struct cluster *c, const struct pod *to, uint16_t port, const struct mesh_source *from, const struct http_request *rq, struct arena *a)
{
	struct mesh_policies all = mesh_policies(c, &authorization_policy_kind, to, a);
	struct asked q = { .c = c, .from = from, .rq = rq, .port = port, .a = a };
	const struct raw_object *allows = NULL, *hit = NULL;

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct raw_object *r = all.v[k];
		const char *action = val_str_at(r->spec, "action");

		if (streq(action, "AUDIT"))
			continue;
		if (streq(action, "CUSTOM")) {
			q.unknown = arena_printf(a, "AuthorizationPolicy %s/%s asks an external authorizer, which is not modelled", r->o.ns, r->o.name);
			return verdict_of(&q, false, r, "decides elsewhere");
		}
		if (streq(action, "DENY")) {
			if (policy_matches(&q, r, true) || q.unknown)
				return verdict_of(&q, false, r, "denies it");
			continue;
		}
		allows = r;
		if (!hit && policy_matches(&q, r, false))
			hit = r;
	}
	if (hit)
		return verdict_of(&q, true, hit, "allows it");
	if (allows)
		return verdict_of(&q, false, allows, "and no other allows it");
	return verdict_of(&q, true, NULL, "no AuthorizationPolicy is for this Pod");
}
