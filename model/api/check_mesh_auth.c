/* PeerAuthentication, AuthorizationPolicy, RequestAuthentication: what Istio refuses. Source: istio pkg/config/validation/validation.go, pkg/config/security/security.go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/api/check_mesh.h"
#include "model/api/checks.h"
#include "model/base/ip.h"

/* ---- PeerAuthentication */

static void peer_ports_rules(struct check *c, const struct val *self, const struct path *p)
{
	VAL_EACH_KEY(v, self) {
		bool digits = *v->key && strspn(v->key, "0123456789") == strlen(v->key) && strlen(v->key) < 10;

		if (!digits || atol(v->key) < 1 || atol(v->key) > 65535)
			refuse_str(c, p, v->key, "port must be between 1-65535");
	}
}

static void peer_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (has(self, "portLevelMtls") && !val_first(val_path(self, "selector.matchLabels")))
		refuse_omitted(c, p, "portLevelMtls requires selector");
}
static const struct form peer_mode = { .words = FORM_WORDS("UNSET", "DISABLE", "PERMISSIVE", "STRICT") };
static const struct form mutual = { .members = FORM_MEMBERS({ "mode", &peer_mode, false }) };
static const struct form peer_ports = { .min = 1, .items = &mutual, .rules = peer_ports_rules };
static const struct form peer_spec = {
	.members = FORM_MEMBERS({ "mtls", &mutual, false }, { "portLevelMtls", &peer_ports, false }, { "selector", &mesh_selector, false }), .rules = peer_rules,
};

/* ---- AuthorizationPolicy */

enum kind_of_value { ANY_TEXT, ADDRESS, PORT, ACCOUNT, DOMAIN, WILDCARD, TEMPLATE };

static void address(struct check *c, const struct path *p, const char *s)
{
	struct cidr range;

	if (strchr(s, '/') && !cidr_parse(s, &range))
		refuse_str(c, p, s, "bad CIDR range (%s)", s);
	else if (!strchr(s, '/') && !mesh_is_ip(s))
		refuse_str(c, p, s, "bad IP address (%s)", s);
}

static void port(struct check *c, const struct path *p, const char *s)
{
	if (!*s || strspn(s, "0123456789") != strlen(s) || strlen(s) > 9 || atol(s) > 65535)
		refuse_str(c, p, s, "bad port (%s): must be a number from 0 to 65535", s);
}

static void account(struct check *c, const struct path *p, const char *s)
{
	const char *slash = strchr(s, '/');

	if (strchr(s, '*'))
		refuse_str(c, p, s, "wildcard not allowed");
	else if ((slash && strchr(slash + 1, '/')) || slash == s || (slash && !slash[1]))
		refuse_str(c, p, s, "expected format 'serviceAccount' or 'namespace/serviceAccount'");
	else if (strlen(s) > 320)
		refuse_str(c, p, s, "value cannot exceed 320 characters");
}

static void wildcard(struct check *c, const struct path *p, const char *s, bool domain)
{
	const char *star = strchr(s, '*');

	if (star && strchr(star + 1, '*'))
		refuse_str(c, p, s, "at most one wildcard is allowed");
	else if (star && star != s && star[1])
		refuse_str(c, p, s, "wildcard is only allowed at the start or end");
	else if (domain && strchr(s, '/'))
		refuse_str(c, p, s, "trust domain must not contain '/'");
}

/* {*} is a segment, {**} the last ones; other braces are none. */
static void template(struct check *c, const struct path *p, const char *s)
{
	static const char literal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()+,;:@=";
	bool holds = strstr(s, "{*}") || strstr(s, "{**}"), any = false;
	const char *end = s + strlen(s);

	s += strspn(s, "/");
	while (end > s && end[-1] == '/')
		end--;
	for (const char *g = s; g <= end;) {
		size_t n = strcspn(g, "/");

		n = MIN(n, (size_t)(end - g));
		if ((n == 3 && strncmp(g, "{*}", 3) == 0) || (n == 4 && strncmp(g, "{**}", 4) == 0)) {
			if (any) {
				refuse_str(c, p, s, "invalid or unsupported path. {**} is not the last operator");
				return;
			}
			any = n == 4;
		} else if (memchr(g, '{', n) || memchr(g, '}', n)) {
			refuse_str(c, p, s, "invalid or unsupported path. Contains '{' or '}' beyond a supported path template");
			return;
		} else if (holds && (!n || strspn(g, literal) < n)) {
			refuse_str(c, p, s, "invalid or unsupported path. Contains segment %.*s with invalid string literal", (int)n, g);
			return;
		}
		g += n + 1;
	}
}

static void values(struct check *c, const struct path *p, const struct val *list, enum kind_of_value kind)
{
	uint32_t k = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, k++);
		const char *s = val_str(v) ? val_str(v) : "";

		if (!*s) {
			refuse_str(c, at, s, "empty value not allowed");
			continue;
		}
		switch (kind) {
		case ANY_TEXT:
			break;
		case ADDRESS:
			address(c, at, s);
			break;
		case PORT:
			port(c, at, s);
			break;
		case ACCOUNT:
			account(c, at, s);
			break;
		case DOMAIN:
		case WILDCARD:
			wildcard(c, at, s, kind == DOMAIN);
			break;
		case TEMPLATE:
			template(c, at, s);
			break;
		}
	}
	if (kind == ACCOUNT && k > 16)
		refuse_many(c, p, k, 16);
}

/* with_custom: may it stand in a policy whose action is CUSTOM? tcp: it is asked of connections, too */
static const struct member { const char *name, *not; enum kind_of_value kind; bool with_custom, tcp; } source_members[] = {
	{ "principals", "notPrincipals", ANY_TEXT, false, true }, { "requestPrincipals", "notRequestPrincipals", ANY_TEXT, false, false },
	{ "namespaces", "notNamespaces", ANY_TEXT, false, true }, { "serviceAccounts", "notServiceAccounts", ACCOUNT, false, true },
	{ "trustDomains", "notTrustDomains", DOMAIN, false, false }, { "ipBlocks", "notIpBlocks", ADDRESS, true, true }, { "remoteIpBlocks", "notRemoteIpBlocks", ADDRESS, true, true },
	{ NULL, NULL, ANY_TEXT, true, false },
}, operation_members[] = {
	{ "hosts", "notHosts", ANY_TEXT, true, false }, { "ports", "notPorts", PORT, true, true }, { "methods", "notMethods", ANY_TEXT, true, false },
	{ "paths", "notPaths", TEMPLATE, true, false }, { NULL, NULL, ANY_TEXT, true, false },
};

static const char *action(const struct check *c) { return form_text(val_get(c->root, "spec"), "action", "ALLOW"); }

/* true: something in it is asked of connections, too */
static bool members_good(struct check *c, const struct val *self, const struct path *p, const struct member *m, const char *what)
{
	bool any = false, tcp = false;
	char text[64];

	for (; m->name; m++)
		for (int k = 0; k < 2; k++) {
			const char *name = k ? m->not : m->name;
			const struct val *list = val_get(self, name);

			values(c, SUB(p, name), list, m->kind);
			if (val_first(list) && !m->with_custom && strcmp(action(c), "CUSTOM") == 0)
				refuse_forbidden(c, SUB(p, name), "currently not supported with CUSTOM action");
			any = any || val_first(list);
			tcp = tcp || (m->tcp && list);
		}
	snprintf(text, sizeof(text), "`%s` must not be empty", what);
	if (!any)
		refuse_omitted(c, p, text);
	return tcp;
}

static void source_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const not[] = { "principals", "notPrincipals", "namespaces", "notNamespaces" };
	bool accounts = val_get(self, "serviceAccounts") || val_get(self, "notServiceAccounts"), other = false;

	for (size_t k = 0; k < sizeof(not) / sizeof(*not); k++)
		other = other || val_get(self, not[k]);
	if (accounts && other)
		refuse_omitted(c, p, "Cannot set serviceAccounts with namespaces or principals");
	members_good(c, self, p, source_members, "from.source");
}

static void operation_rules(struct check *c, const struct val *self, const struct path *p) { members_good(c, self, p, operation_members, "to.operation"); }

/* What a condition may ask. kind -1: no longer. */
static const struct { const char *key; int kind; bool map, with_custom; const char *why; } keys[] = {
	{ "request.headers", ANY_TEXT, true, true, NULL }, { "source.ip", ADDRESS, false, true, NULL }, { "remote.ip", ADDRESS, false, true, NULL },
	{ "source.namespace", ANY_TEXT, false, false, NULL }, { "source.serviceAccount", ACCOUNT, false, false, NULL }, { "source.principal", ANY_TEXT, false, false, NULL },
	{ "source.trustDomain", WILDCARD, false, false, NULL }, { "request.auth.principal", ANY_TEXT, false, false, NULL }, { "request.auth.audiences", ANY_TEXT, false, false, NULL },
	{ "request.auth.presenter", ANY_TEXT, false, false, NULL }, { "request.auth.claims", ANY_TEXT, true, false, NULL }, { "destination.ip", ADDRESS, false, true, NULL },
	{ "destination.port", PORT, false, true, NULL }, { "connection.sni", ANY_TEXT, false, true, NULL }, { "experimental.envoy.filters.", ANY_TEXT, true, true, NULL },
	{ "destination.namespace", -1, false, true, "replaced by the metadata.namespace" }, { "destination.labels", -1, true, true, "replaced by the workload selector" },
	{ "destination.name", -1, false, true, "deprecated: only supported in v1alpha1" }, { "destination.user", -1, false, true, "deprecated: only supported in v1alpha1" },
};

static void condition_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *key = form_text(self, "key", ""), *open = strchr(key, '[');
	const struct path *at = SUB(p, "key");
	size_t k = 0, n = strlen(key);

	while (k < sizeof(keys) / sizeof(*keys) && (keys[k].map ? strncmp(key, keys[k].key, strlen(keys[k].key)) : strcmp(key, keys[k].key)) != 0)
		k++;
	if (!*key) {
		refuse_str(c, at, key, "`key` must not be empty");
	} else if (!val_first(val_get(self, "values")) && !val_first(val_get(self, "notValues"))) {
		refuse_omitted(c, p, "at least one of `values` or `notValues` must be set");
	} else if (k == sizeof(keys) / sizeof(*keys)) {
		refuse_str(c, at, key, "unknown attribute: %s", key);
	} else if (keys[k].kind < 0) {
		refuse_str(c, at, key, "attribute %s is %s", key, keys[k].why);
	} else if (keys[k].map && !(open && open > key && key[n - 1] == ']' && (size_t)(open - key) + 2 < n)) {
		refuse_str(c, at, key, "bad key (%s): should have format a[b]", key);
	} else {
		values(c, SUB(p, "values"), val_get(self, "values"), (enum kind_of_value)keys[k].kind);
		values(c, SUB(p, "notValues"), val_get(self, "notValues"), (enum kind_of_value)keys[k].kind);
		if (!keys[k].with_custom && strcmp(action(c), "CUSTOM") == 0)
			refuse_str(c, at, key, "%s is currently not supported with CUSTOM action", key);
	}
}

static bool asks_connections(const struct val *list, const char *member, const struct member *members)
{
	VAL_EACH(v, list)
		for (const struct member *m = members; m->name; m++)
			if (m->tcp && (val_get(val_get(v, member), m->name) || val_get(val_get(v, member), m->not)))
				return true;
	return false;
}

static void rule_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *from = val_get(self, "from"), *to = val_get(self, "to");

	if (val_is(from, VAL_LIST) && !from->nr)
		refuse_omitted(c, SUB(p, "from"), "`from` must not be empty");
	if (val_is(to, VAL_LIST) && !to->nr)
		refuse_omitted(c, SUB(p, "to"), "`to` must not be empty");
	if (strcmp(action(c), "DENY") == 0 && ((val_first(from) && !val_first(to) && !asks_connections(from, "source", source_members)) ||
					       (val_first(to) && !asks_connections(to, "operation", operation_members))))
		warn_of(c, p, "configured AuthorizationPolicy will deny all traffic to TCP ports under its scope due to the use of only HTTP attributes in a DENY rule; "
			      "it is recommended to explicitly specify the port");
}

static void policy_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *does = action(c), *provider = val_str(val_path(self, "provider.name"));
	bool custom = strcmp(does, "CUSTOM") == 0;

	mesh_one_selector(c, self, p);
	if ((custom || strcmp(does, "DENY") == 0) && !has(self, "rules"))
		refuse_missing(c, SUB(p, "rules"), "%s action without `rules` is meaningless as it will never be triggered, add an empty rule `{}` if you want it be triggered for every request", does);
	else if (custom && !(provider && *provider))
		refuse_missing(c, SUB(p, "provider.name"), "`provider.name` must not be empty");
	if (!custom && has(self, "provider"))
		refuse_forbidden(c, SUB(p, "provider"), "`provider` must not be with non CUSTOM action, found %s", does);
}

static const struct form account_text = { .max = 320 }, accounts = { .max = 16, .items = &account_text };
static const struct form source = { .members = FORM_MEMBERS({ "serviceAccounts", &accounts, false }, { "notServiceAccounts", &accounts, false }), .rules = source_rules };
static const struct form from_one = { .members = FORM_MEMBERS({ "source", &source, true }) }, from_list = { .max = 512, .items = &from_one };
static const struct form operation = { .rules = operation_rules }, to_one = { .members = FORM_MEMBERS({ "operation", &operation, true }) }, to_list = { .items = &to_one };
static const struct form condition = { .members = FORM_MEMBERS({ "key", NULL, true }), .rules = condition_rules }, conditions = { .items = &condition };
static const struct form rule = { .members = FORM_MEMBERS({ "from", &from_list, false }, { "to", &to_list, false }, { "when", &conditions, false }), .rules = rule_rules };
static const struct form rules = { .max = 512, .items = &rule }, actions = { .words = FORM_WORDS("ALLOW", "DENY", "AUDIT", "CUSTOM") };
static const struct form policy_spec = {
	.members = FORM_MEMBERS({ "action", &actions, false }, { "rules", &rules, false }, { "selector", &mesh_selector, false }, { "targetRef", &mesh_target, false },
				{ "targetRefs", &mesh_targets, false }),
	.rules = policy_rules,
};

/* ---- RequestAuthentication */

static bool is_json(const char *text)
{
	struct arena *a = arena_new(NULL, "jwks");
	struct err err = { 0 };
	const struct val *v = json_parse(a, "jwks", text, strlen(text), NULL, &err);
	bool ok = val_is(v, VAL_MAP);

	err_free(&err);
	arena_free(a);
	return ok;
}

static void jwt_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *uri = mesh_text(self, "jwksUri") ? mesh_text(self, "jwksUri") : mesh_text(self, "jwks_uri"), *jwks = mesh_text(self, "jwks");

	if ((val_get(self, "jwksUri") != NULL) + (val_get(self, "jwks_uri") != NULL) + (val_get(self, "jwks") != NULL) > 1)
		refuse_omitted(c, p, "only one of jwks or jwksUri can be set");
	if (!mesh_text(self, "issuer") && !uri)
		refuse_omitted(c, p, "issuer or jwksUri must be non-empty string");
	if (uri && strncmp(uri, "http://", 7) != 0 && strncmp(uri, "https://", 8) != 0)
		refuse_str(c, SUB(p, "jwksUri"), uri, "url must have scheme http:// or https://");
	VAL_EACH(h, val_get(self, "outputClaimToHeaders"))
		if (h->type == VAL_NULL)
			refuse_omitted(c, SUB(p, "outputClaimToHeaders"), "outputClaimToHeaders must not be null");
	if (jwks && !is_json(jwks))
		refuse_str(c, SUB(p, "jwks"), jwks, "jwks parse error: it is not a JSON object");
}

static const struct form some_text = { .min = 1 }, some_texts = { .items = &some_text }, presence = { .words = FORM_WORDS("OPTIONAL", "REQUIRED") };
static const struct form from_header = { .members = FORM_MEMBERS({ "name", &some_text, true }) }, from_headers = { .items = &from_header };
static const struct form claim_header = { .min = 1, .pattern = "^[-_A-Za-z0-9]+$" };
static const struct form claim = { .members = FORM_MEMBERS({ "header", &claim_header, true }, { "claim", &some_text, true }) }, claims = { .items = &claim };
static const struct form jwt = {
	.members = FORM_MEMBERS({ "issuer", &some_text, false }, { "audiences", &some_texts, false }, { "fromHeaders", &from_headers, false }, { "fromParams", &some_texts, false },
				{ "fromCookies", &some_texts, false }, { "spaceDelimitedClaims", &some_texts, false }, { "outputClaimToHeaders", &claims, false },
				{ "timeout", &mesh_duration, false }, { "presence", &presence, false }),
	.rules = jwt_rules,
};
static const struct form jwts = { .max = 4096, .items = &jwt };
static const struct form request_spec = {
	.members = FORM_MEMBERS({ "jwtRules", &jwts, false }, { "selector", &mesh_selector, false }, { "targetRef", &mesh_target, false }, { "targetRefs", &mesh_targets, false }),
	.rules = mesh_one_selector,
};

void peer_authentication_check(struct check *c, const struct object *o) { mesh_check(c, o, &peer_spec); }
void authorization_policy_check(struct check *c, const struct object *o) { mesh_check(c, o, &policy_spec); }
void request_authentication_check(struct check *c, const struct object *o) { mesh_check(c, o, &request_spec); }
