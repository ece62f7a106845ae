/* A mesh's AuthorizationPolicies at the receiving sidecar, or at a gateway. Source: istio/api security/v1beta1; istio pilot/pkg/security/authz/{model,builder,matcher}. */
#include "model/l7/mesh_routes.h"

#include <stdlib.h>
#include <strings.h>

enum answer { NO, YES, MAYBE /* asked->unknown says why */ };
struct asked {
	struct cluster *c;
	const struct mesh_source *from;
	const struct http_request *rq;
	uint16_t port;
	const struct pod *to;
	bool tokens;                    /* a RequestAuthentication is for the Pod: requests may have principals */
	str ns;                         /* of the policy */
	struct arena *a;
	const char *unknown;
};

/* "*" is anything there, "x*" a beginning, "*x" an end. */
static bool text_matches(const char *pattern, const char *value, bool nocase)
{
	size_t n = strlen(pattern), m = value ? strlen(value) : 0;
	int (*cmp)(const char *, const char *, size_t) = nocase ? strncasecmp : strncmp;

	if (!value)
		return false;
	if (streq(pattern, "*"))
		return m > 0;
	if (*pattern == '*')                    /* asked first (authz/matcher StringMatcherWithPrefix, HeaderMatcher) */
		return m >= n - 1 && cmp(value + m - (n - 1), pattern + 1, n - 1) == 0;
	if (n && pattern[n - 1] == '*')
		return m >= n - 1 && cmp(value, pattern, n - 1) == 0;
	return n == m && cmp(value, pattern, n) == 0;
}

static bool block_has(const char *pattern, ip_addr ip)
{
	struct cidr c;
	ip_addr one;

	return ip_parse(pattern, &one) ? ip_eq(one, ip) : cidr_parse(pattern, &c) && cidr_contains(c, ip);
}

enum what { W_PRINCIPAL, W_NAMESPACE, W_TRUST, W_ACCOUNT, W_SOURCE, W_REMOTE, W_HOST, W_METHOD, W_PATH, W_PORT, W_DESTINATION, W_REQUEST_PRINCIPAL };

static const char *path_only(struct asked *q) { return arena_strndup(q->a, q->rq->path, strcspn(q->rq->path, "?#")); }

/* Any number of stars, each for any text. */
static bool glob_matches(const char *pattern, const char *text)
{
	while (*pattern && *pattern != '*')
		if (*pattern++ != *text++)
			return false;
	if (!*pattern)
		return !*text;
	do
		if (glob_matches(pattern + 1, text))
			return true;
	while (*text++);
	return false;
}

/* {*} is one segment, {**} any number of them. */
static bool template_matches(struct asked *q, const char *pattern)
{
	const char *out = "", *open;
	const struct regex *re;

	while ((open = strchr(pattern, '{')) && (strncmp(open, "{*}", 3) == 0 || strncmp(open, "{**}", 4) == 0)) {
		bool many = open[2] == '*';

		out = arena_printf(q->a, "%s%s%s", out, regex_literal(q->a, arena_strndup(q->a, pattern, (size_t)(open - pattern))), many ? ".*" : "[^/]+");
		pattern = open + (many ? 4 : 3);
	}
	re = regex_compile(q->a, arena_printf(q->a, "%s%s", out, regex_literal(q->a, pattern)), false, NULL);
	return re && regex_full(re, path_only(q), q->a);
}

static bool account_matches(struct asked *q, const char *pattern)
{
	const char *sa = q->from->principal ? strstr(q->from->principal, "/sa/") : NULL;

	return sa && streq(arena_printf(q->a, "%s/%s", q->from->ns, sa + 4), strchr(pattern, '/') ? pattern : arena_printf(q->a, "%s/%s", q->ns, pattern));
}

/* A sidecar believes the last address in X-Forwarded-For; a gateway, whose use_remote_address is set, the connection (core/networkfilter.go, gateway.go; Envoy's
 * ConnectionManagerUtility::mutateRequestHeaders). */
static ip_addr remote_ip(struct asked *q)
{
	const char *list = q->rq && mesh_capture(q->to->spec).set ? header_joined(q->rq, "X-Forwarded-For", ",", q->a) : NULL;
	const char *last = list ? strrchr(list, ',') : NULL;
	ip_addr ip;

	last = last ? last + 1 : list;
	return last && ip_parse(last + strspn(last, " "), &ip) ? ip : q->from->ip;
}

static enum answer sure(bool yes) { return yes ? YES : NO; }

static enum answer one_matches(struct asked *q, enum what what, const char *pattern)
{
	const char *principal = q->from->principal;

	switch (what) {
	case W_PRINCIPAL:
		return sure(text_matches(pattern, principal, false));
	case W_NAMESPACE:
		return sure(principal && q->from->ns && glob_matches(pattern, q->from->ns));
	case W_TRUST:
		return sure(principal && glob_matches(pattern, arena_strndup(q->a, principal, strcspn(principal, "/"))));
	case W_ACCOUNT:
		return sure(account_matches(q, pattern));
	case W_SOURCE:
		return sure(block_has(pattern, q->from->ip));
	case W_REMOTE:
		return sure(block_has(pattern, remote_ip(q)));
	case W_DESTINATION:
		return sure(block_has(pattern, q->to->ip) || (ip_set(q->to->ip2) && block_has(pattern, q->to->ip2)));
	case W_HOST:
		return sure(text_matches(pattern, q->rq->host, true));
	case W_METHOD:
		return sure(text_matches(pattern, q->rq->method ? q->rq->method : "GET", false));
	case W_PATH:
		return sure(strstr(pattern, "{*}") || strstr(pattern, "{**}") ? template_matches(q, pattern) : text_matches(pattern, path_only(q), false));
	case W_PORT:
		return sure(strtoul(pattern, NULL, 10) == q->port);
	case W_REQUEST_PRINCIPAL:
		if (!q->tokens)                 /* nobody reads tokens: no request has a principal */
			return NO;
		q->unknown = "an AuthorizationPolicy asks for a request's token, which is not modelled";
		return MAYBE;
	}
	return NO;
}

static enum answer any_matches(struct asked *q, enum what what, const struct val *list)
{
	enum answer out = NO;

	VAL_EACH(v, list) {
		const char *text = val_str(v) ? val_str(v) : val_is(v, VAL_INT) ? arena_printf(q->a, "%" PRId64, v->i) : NULL;
		enum answer one = text ? one_matches(q, what, text) : NO;

		if (one == YES)
			return YES;
		out = one == MAYBE ? MAYBE : out;
	}
	return out;
}

static enum answer and(enum answer a, enum answer b) { return a == NO || b == NO ? NO : a == MAYBE || b == MAYBE ? MAYBE : YES; }
static enum answer not(enum answer a) { return a == MAYBE ? MAYBE : a == YES ? NO : YES; }

/* Any of `yes`, and none of `no`; an empty list asks nothing. */
static enum answer values_match(struct asked *q, enum what what, const struct val *yes, const struct val *no)
{
	enum answer out = val_first(yes) ? any_matches(q, what, yes) : YES;

	return out != NO && val_first(no) ? and(out, not(any_matches(q, what, no))) : out;
}

static const struct field_of { const char *field, *not, *key; enum what what; bool http; } source_fields[] = {
	{ "principals", "notPrincipals", "source.principal", W_PRINCIPAL, false }, { "namespaces", "notNamespaces", "source.namespace", W_NAMESPACE, false },
	{ "trustDomains", "notTrustDomains", "source.trustDomain", W_TRUST, false }, { "serviceAccounts", "notServiceAccounts", "source.serviceAccount", W_ACCOUNT, false },
	{ "ipBlocks", "notIpBlocks", "source.ip", W_SOURCE, false }, { "remoteIpBlocks", "notRemoteIpBlocks", "remote.ip", W_REMOTE, false },
	{ "requestPrincipals", "notRequestPrincipals", "request.auth.principal", W_REQUEST_PRINCIPAL, true }, { NULL, NULL, NULL, W_PRINCIPAL, false },
}, operation_fields[] = {
	{ "hosts", "notHosts", NULL, W_HOST, true }, { "methods", "notMethods", NULL, W_METHOD, true }, { "paths", "notPaths", NULL, W_PATH, true },
	{ "ports", "notPorts", "destination.port", W_PORT, false }, { NULL, NULL, "destination.ip", W_DESTINATION, false }, { NULL, NULL, NULL, W_PRINCIPAL, false },
};

static const struct field_of *field_named(const struct field_of *f, const char *name)
{
	for (; f->field || f->key; f++)
		if (f->field && (streq(f->field, name) || streq(f->not, name)))
			return f;
	return NULL;
}

static const struct field_of *key_named(const char *key)
{
	const struct field_of *const all[] = { source_fields, operation_fields };

	for (size_t k = 0; k < ARRAY_LEN(all); k++)
		for (const struct field_of *f = all[k]; f->field || f->key; f++)
			if (f->key && streq(f->key, key))
				return f;
	return NULL;
}

/* Fields are ANDed. Of a connection that is not HTTP a DENY leaves HTTP's fields out (rule.checkError). */
static enum answer fields_match(struct asked *q, const struct val *v, const struct field_of *fields)
{
	enum answer out = YES;

	VAL_EACH_KEY(one, v)
		if (one->nr && !field_named(fields, one->key)) {
			q->unknown = arena_printf(q->a, "an AuthorizationPolicy asks for %s, which is not modelled", one->key);
			out = MAYBE;
		}
	for (const struct field_of *f = fields; out != NO && (f->field || f->key); f++)
		if (f->field && (q->rq || !f->http))
			out = and(out, values_match(q, f->what, val_get(v, f->field), val_get(v, f->not)));
	return out;
}

/* Names with a colon are the request's own: what Envoy has as headers. */
static const char *header_value(struct asked *q, const char *name)
{
	const struct { const char *name, *value; } own[] = { { ":method", q->rq->method ? q->rq->method : "GET" }, { ":path", q->rq->path }, { ":authority", q->rq->host },
							     { ":scheme", q->rq->scheme ? q->rq->scheme : "http" }, { "host", q->rq->host } };

	for (size_t k = 0; k < ARRAY_LEN(own); k++)
		if (strcasecmp(own[k].name, name) == 0)
			return own[k].value;
	return header_joined(q->rq, name, ",", q->a);
}

/* "*": it is there, whatever it says (authz/matcher HeaderMatcher). */
static bool header_is(const char *pattern, const char *have) { return pattern && have && (streq(pattern, "*") || text_matches(pattern, have, false)); }

static enum answer header_matches(struct asked *q, const char *key, const struct val *yes, const struct val *no)
{
	const char *have = header_value(q, arena_strndup(q->a, key, strcspn(key, "]")));
	bool hit = !yes || !yes->nr;

	VAL_EACH(v, yes)
		hit = hit || header_is(val_str(v), have);
	VAL_EACH(v, no)
		hit = hit && !header_is(val_str(v), have);
	return sure(hit);
}

static enum answer condition_matches(struct asked *q, const struct val *w)
{
	const char *key = val_str_at(w, "key") ? val_str_at(w, "key") : "(no key)";
	const struct val *yes = val_get(w, "values"), *no = val_get(w, "notValues");
	const struct field_of *f = key_named(key);

	if (!q->rq && strncmp(key, "request.", 8) == 0)
		return YES;
	if (f)
		return values_match(q, f->what, yes, no);
	if (strncmp(key, "request.headers[", 16) == 0)
		return header_matches(q, key + 16, yes, no);
	if (strncmp(key, "request.auth.", 13) == 0 && !q->tokens)        /* claims, audiences: there are none */
		return yes && yes->nr ? NO : YES;
	q->unknown = arena_printf(q->a, "an AuthorizationPolicy asks for %s, which is not modelled", key);
	return MAYBE;
}

bool mesh_rule_asks_http(const struct val *rule)
{
	VAL_EACH(f, val_get(rule, "from"))
		VAL_EACH_KEY(v, val_get(f, "source"))
			if (v->nr && field_named(source_fields, v->key) && field_named(source_fields, v->key)->http)
				return true;
	VAL_EACH(t, val_get(rule, "to"))
		VAL_EACH_KEY(v, val_get(t, "operation"))
			if (v->nr && field_named(operation_fields, v->key) && field_named(operation_fields, v->key)->http)
				return true;
	VAL_EACH(w, val_get(rule, "when"))
		if (val_str_at(w, "key") && strncmp(val_str_at(w, "key"), "request.", 8) == 0)
			return true;
	return false;
}

static enum answer either(enum answer a, enum answer b) { return a == YES || b == YES ? YES : a == MAYBE || b == MAYBE ? MAYBE : NO; }

/* A rule of an ALLOW that asks anything of HTTP is none for other connections (Model.Generate). */
static enum answer rule_matches(struct asked *q, const struct val *rule, bool deny)
{
	const struct val *from = val_get(rule, "from"), *to = val_get(rule, "to");
	enum answer source = sure(!from || !from->nr), operation = sure(!to || !to->nr), out = YES;

	if (!q->rq && !deny && mesh_rule_asks_http(rule))
		return NO;
	VAL_EACH(f, from)
		source = either(source, fields_match(q, val_get(f, "source"), source_fields));
	VAL_EACH(t, to)
		operation = either(operation, fields_match(q, val_get(t, "operation"), operation_fields));
	VAL_EACH(w, val_get(rule, "when"))
		out = and(out, condition_matches(q, w));
	return and(out, and(source, operation));
}

/* rules: absent matches nothing, a rule without fields everything. */
static enum answer policy_matches(struct asked *q, const struct raw_object *r, bool deny)
{
	enum answer out = NO;

	q->ns = r->o.ns;
	VAL_EACH(rule, val_get(r->spec, "rules"))
		out = either(out, rule_matches(q, rule, deny));
	return out;
}

static struct mesh_verdict verdict_of(struct asked *q, enum answer allowed, const struct raw_object *r, const char *text)
{
	return (struct mesh_verdict){ allowed == YES, r ? arena_printf(q->a, "AuthorizationPolicy %s/%s %s", r->o.ns, r->o.name, text) : text, allowed == MAYBE ? q->unknown : NULL,
				      r ? r->o.id : (obj_h){ 0 } };
}

static bool is_action(const struct raw_object *r, const char *action)
{
	const char *have = val_str_at(r->spec, "action");

	return streq(have ? have : "ALLOW", action);
}

/* What the policies of one action say together: *by the one that decides. */
static enum answer action_matches(struct asked *q, const struct mesh_policies *all, const char *action, const struct raw_object **by, bool *any)
{
	enum answer out = NO;

	*any = false;
	for (uint32_t k = 0; k < all->nr && out != YES; k++) {
		enum answer one;

		if (!is_action(all->v[k], action))
			continue;
		*any = true;
		one = policy_matches(q, all->v[k], !streq(action, "ALLOW"));
		if (one != NO || !*by)
			*by = all->v[k];
		out = either(out, one);
	}
	return out;
}

/* Does the request bring what a RequestAuthentication would read as a token? A bad one is answered 401, whatever the policies say. */
static bool brings_token(const struct http_request *rq, const struct mesh_policies *all)
{
	const char *bearer = header_of(rq, "Authorization"), *query = rq->path ? strchr(rq->path, '?') : NULL;

	if ((bearer && strncmp(bearer, "Bearer ", 7) == 0) || (query && strstr(query, "access_token=")))
		return true;
	for (uint32_t k = 0; k < all->nr; k++)
		VAL_EACH(rule, val_get(all->v[k]->spec, "jwtRules")) {
			VAL_EACH(h, val_get(rule, "fromHeaders"))
				if (val_str_at(h, "name") && header_of(rq, val_str_at(h, "name")))
					return true;
			VAL_EACH(p, val_get(rule, "fromParams"))
				if (val_str(p) && query && strstr(query, val_str(p)))
					return true;
			if (val_first(val_get(rule, "fromCookies")) && header_of(rq, "Cookie"))
				return true;
		}
	return false;
}

/* The policies for a Pod: of its namespace and of the root one. CUSTOM and DENY come first; then, if there is any ALLOW, one of them must match. */
struct mesh_verdict mesh_authorized(struct cluster *c, const struct pod *to, uint16_t port, const struct mesh_source *from, const struct http_request *rq, struct arena *a)
{
	struct mesh_policies all = mesh_policies(c, &authorization_policy_kind, to, a);
	struct mesh_policies readers = rq ? mesh_policies(c, &request_authentication_kind, to, a) : (struct mesh_policies){ 0 };
	bool tokens = readers.nr > 0, any;
	struct asked q = { .c = c, .from = from, .rq = rq, .port = port, .to = to, .tokens = tokens, .a = a };
	const struct raw_object *by = NULL;
	enum answer says;

	if (tokens && brings_token(rq, &readers)) {
		q.unknown = arena_printf(a, "RequestAuthentication %s/%s reads the request's token, which is not modelled", readers.v[0]->o.ns, readers.v[0]->o.name);
		return verdict_of(&q, MAYBE, NULL, "a token decides");
	}
	says = action_matches(&q, &all, "CUSTOM", &by, &any);
	if (says != NO) {
		q.unknown = arena_printf(a, "AuthorizationPolicy %s/%s asks an external authorizer, which is not modelled", by->o.ns, by->o.name);
		return verdict_of(&q, MAYBE, by, "decides elsewhere");
	}
	by = NULL;
	says = action_matches(&q, &all, "DENY", &by, &any);
	if (says != NO)
		return verdict_of(&q, not(says), by, "denies it");
	by = NULL;
	says = action_matches(&q, &all, "ALLOW", &by, &any);
	if (says != NO)
		return verdict_of(&q, says, by, "allows it");
	if (any)
		return verdict_of(&q, NO, by, "and no other allows it");
	return verdict_of(&q, YES, NULL, "no AuthorizationPolicy is for this Pod");
}
