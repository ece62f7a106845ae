/* What the CRDs of the Gateway API ask of routes. Source: gateway-api apis/v1/{httproute,grpcroute,tlsroute,tcproute,udproute,shared}_types.go, config/crd/experimental. */
#include <stdlib.h>

#include "model/api/checks.h"
#include "model/api/gateway_forms.h"

static uint32_t how_many(const struct val *list, const char *member, const char *is)
{
	uint32_t nr = 0;

	VAL_EACH(v, list)
		nr += streq(form_text(v, member, ""), is);
	return nr;
}

/* ---- filters: the type says which member there is */

struct filter_type { const char *type, *member; bool once; };

static void union_rules(struct check *c, const struct filter_type *t, const struct val *self, const struct path *p)
{
	char text[128];

	for (; t->type; t++) {
		bool is = streq(form_text(self, "type", ""), t->type), has = val_get(self, t->member) != NULL;

		snprintf(text, sizeof(text), is ? "filter.%s must be specified for %s filter.type" : "filter.%s must be nil if the filter.type is not %s", t->member, t->type);
		if (is != has)
			refuse_omitted(c, p, text);
	}
}

static void once_rules(struct check *c, const struct filter_type *t, const struct val *self, const struct path *p)
{
	char text[64];

	for (; t->type; t++) {
		snprintf(text, sizeof(text), "%s filter cannot be repeated", t->type);
		if (t->once && how_many(self, "type", t->type) > 1)
			refuse_omitted(c, p, text);
	}
}

static const struct filter_type http_types[] = {
	{ "CORS", "cors", true }, { "RequestHeaderModifier", "requestHeaderModifier", true }, { "ResponseHeaderModifier", "responseHeaderModifier", true },
	{ "RequestMirror", "requestMirror", false }, { "RequestRedirect", "requestRedirect", true }, { "URLRewrite", "urlRewrite", true },
	{ "ExtensionRef", "extensionRef", false }, { "ExternalAuth", "externalAuth", false }, { NULL, NULL, false },
};
static const struct filter_type grpc_types[] = {
	{ "RequestHeaderModifier", "requestHeaderModifier", true }, { "ResponseHeaderModifier", "responseHeaderModifier", true }, { "RequestMirror", "requestMirror", false },
	{ "ExtensionRef", "extensionRef", false }, { NULL, NULL, false },
};

static void http_filter_rules(struct check *c, const struct val *self, const struct path *p) { union_rules(c, http_types, self, p); }
static void grpc_filter_rules(struct check *c, const struct val *self, const struct path *p) { union_rules(c, grpc_types, self, p); }
static void grpc_filters_rules(struct check *c, const struct val *self, const struct path *p) { once_rules(c, grpc_types, self, p); }

static void http_filters_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (how_many(self, "type", "RequestRedirect") && how_many(self, "type", "URLRewrite"))
		refuse_omitted(c, p, "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both");
	once_rules(c, http_types, self, p);
}

/* `*` stands alone. */
static void alone(struct check *c, const struct val *self, const struct path *p, const char *says)
{
	bool any = false;

	VAL_EACH(v, self)
		any |= val_is(v, VAL_STRING) && streq(v->s, "*");
	if (any && self->nr > 1)
		refuse_omitted(c, p, says);
}

static void headers_rules(struct check *c, const struct val *self, const struct path *p) { alone(c, self, p, "AllowHeaders cannot contain '*' alongside other methods"); }
static void methods_rules(struct check *c, const struct val *self, const struct path *p) { alone(c, self, p, "AllowMethods cannot contain '*' alongside other methods"); }
static void origins_rules(struct check *c, const struct val *self, const struct path *p) { alone(c, self, p, "AllowOrigins cannot contain '*' alongside other origins"); }

static void mirror_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (val_get(self, "percent") && val_get(self, "fraction"))
		refuse_omitted(c, p, "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter");
}

static void fraction_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *of = val_get(self, "denominator"), *n = val_get(self, "numerator");

	if (val_is(n, VAL_INT) && n->i > (val_is(of, VAL_INT) ? of->i : 100))
		refuse_omitted(c, p, "numerator must be less than or equal to denominator");
}

/* A member and the type that it belongs to. */
static void typed_rules(struct check *c, const struct val *self, const struct path *p, const char *kind, const char *type, const char *member)
{
	bool is = streq(form_text(self, kind, ""), type), has = val_get(self, member) != NULL;
	char text[128];

	snprintf(text, sizeof(text), "%s must be specified when %s is set to '%s'", member, kind, type);
	if (is && !has)
		refuse_omitted(c, p, text);
	snprintf(text, sizeof(text), "%s must be '%s' when %s is set", kind, type, member);
	if (has && !is)
		refuse_omitted(c, p, text);
}

static void modifier_rules(struct check *c, const struct val *self, const struct path *p)
{
	typed_rules(c, self, p, "type", "ReplaceFullPath", "replaceFullPath");
	typed_rules(c, self, p, "type", "ReplacePrefixMatch", "replacePrefixMatch");
}

static void auth_rules(struct check *c, const struct val *self, const struct path *p)
{
	typed_rules(c, self, p, "protocol", "GRPC", "grpc");
	typed_rules(c, self, p, "protocol", "HTTP", "http");
}

#define URL_CHARACTERS "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$"
#define METHODS        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"

static const struct form header_value = { .min = 1, .max = 4096, .pattern = "^[!-~]+([\\t ]?[!-~]+)*$" };
static const struct form header = { .members = FORM_MEMBERS({ "name", &gw_header_name, true }, { "value", &header_value, true }) };
static const struct form header_list = { .max = 16, .items = &header, .key = "name" };
static const struct form removed = { .max = 16, .key = "" };
static const struct form header_mod = { .members = FORM_MEMBERS({ "add", &header_list, false }, { "remove", &removed, false }, { "set", &header_list, false }) };
static const struct form path_value = { .max = 1024 };
static const struct form modifier_type = { .words = FORM_WORDS("ReplaceFullPath", "ReplacePrefixMatch") };
static const struct form path_modifier = {
	.members = FORM_MEMBERS({ "replaceFullPath", &path_value, false }, { "replacePrefixMatch", &path_value, false }, { "type", &modifier_type, true }),
	.rules = modifier_rules,
};
static const struct form scheme = { .words = FORM_WORDS("http", "https") };
static const struct form redirect_status = { .words = FORM_WORDS("301", "302", "303", "307", "308") };
static const struct form redirect = {
	.members = FORM_MEMBERS({ "hostname", &gw_subdomain, false }, { "path", &path_modifier, false }, { "port", &gw_port, false }, { "scheme", &scheme, false },
				{ "statusCode", &redirect_status, false }),
};
static const struct form rewrite = { .members = FORM_MEMBERS({ "hostname", &gw_subdomain, false }, { "path", &path_modifier, false }) };
static const struct form object_ref = { .members = FORM_MEMBERS(GW_BACKEND_ROWS), .rules = gw_backend_rules };
static const struct form from_0 = { .min = 0 }, from_1 = { .min = 1 };
static const struct form fraction = { .members = FORM_MEMBERS({ "denominator", &from_1, false }, { "numerator", &from_0, true }), .rules = fraction_rules };
static const struct form percent = { .max = 100 };
static const struct form mirror = {
	.members = FORM_MEMBERS({ "backendRef", &object_ref, true }, { "fraction", &fraction, false }, { "percent", &percent, false }), .rules = mirror_rules,
};
static const struct form origin = { .min = 1, .max = 253, .pattern = "(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)" };
static const struct form cors_method = { .words = FORM_WORDS(METHODS, "*") };
static const struct form cors_headers = { .max = 64, .items = &gw_header_name, .key = "", .rules = headers_rules };
static const struct form cors_exposed = { .max = 64, .items = &gw_header_name, .key = "" };
static const struct form cors_methods = { .max = 9, .items = &cors_method, .key = "", .rules = methods_rules };
static const struct form cors_origins = { .max = 64, .items = &origin, .key = "", .rules = origins_rules };
static const struct form cors = {
	.members = FORM_MEMBERS({ "allowHeaders", &cors_headers, false }, { "allowMethods", &cors_methods, false }, { "allowOrigins", &cors_origins, false },
				{ "exposeHeaders", &cors_exposed, false }, { "maxAge", &from_1, false }),
};
static const struct form auth_headers = { .max = 64, .key = "" };
static const struct form auth_grpc = { .members = FORM_MEMBERS({ "allowedHeaders", &auth_headers, false }) };
static const struct form auth_path = { .max = 1024, .pattern = URL_CHARACTERS };
static const struct form auth_http = { .members = FORM_MEMBERS({ "allowedHeaders", &auth_headers, false }, { "allowedResponseHeaders", &auth_headers, false }, { "path", &auth_path, false }) };
static const struct form auth_body = { .members = FORM_MEMBERS({ "maxSize", &from_0, false }) };
static const struct form auth_protocol = { .words = FORM_WORDS("HTTP", "GRPC") };
static const struct form auth = {
	.members = FORM_MEMBERS({ "backendRef", &object_ref, true }, { "forwardBody", &auth_body, false }, { "grpc", &auth_grpc, false }, { "http", &auth_http, false },
				{ "protocol", &auth_protocol, true }),
	.rules = auth_rules,
};
#define GRPC_FILTER_ROWS                                                                                                                                                  \
	{ "extensionRef", &gw_local, false }, { "requestHeaderModifier", &header_mod, false }, { "requestMirror", &mirror, false }, { "responseHeaderModifier", &header_mod, false }
static const struct form http_filter_type = {
	.words = FORM_WORDS("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite", "ExtensionRef", "CORS", "ExternalAuth"),
};
static const struct form http_filter = {
	.members = FORM_MEMBERS(GRPC_FILTER_ROWS, { "cors", &cors, false }, { "externalAuth", &auth, false }, { "requestRedirect", &redirect, false }, { "urlRewrite", &rewrite, false },
				{ "type", &http_filter_type, true }),
	.rules = http_filter_rules,
};
static const struct form grpc_filter_type = { .words = FORM_WORDS("ResponseHeaderModifier", "RequestHeaderModifier", "RequestMirror", "ExtensionRef") };
static const struct form grpc_filter = { .members = FORM_MEMBERS(GRPC_FILTER_ROWS, { "type", &grpc_filter_type, true }), .rules = grpc_filter_rules };
static const struct form http_filters = { .max = 16, .items = &http_filter, .rules = http_filters_rules };
static const struct form grpc_filters = { .max = 16, .items = &grpc_filter, .rules = grpc_filters_rules };

/* ---- backends */

static const struct form weight = { .max = 1000000 };
#define BACKENDS(id, least, ...)                                                                                                                        \
	static const struct form id##_one = { .members = FORM_MEMBERS(GW_BACKEND_ROWS, { "weight", &weight, false }, __VA_ARGS__), .rules = gw_backend_rules };   \
	static const struct form id = { .min = least, .max = 16, .items = &id##_one }
BACKENDS(http_backends, 0, { "filters", &http_filters, false });
BACKENDS(grpc_backends, 0, { "filters", &grpc_filters, false });
BACKENDS(plain_backends, 1, { NULL, NULL, false });

/* ---- matches */

static void path_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const never[] = { "//", "/./", "/../", "%2f", "%2F", "#" }, *const end[] = { "/..", "/." };
	const char *type = form_text(self, "type", "PathPrefix"), *value = form_text(self, "value", "/");
	size_t n = strlen(value);
	char text[96];

	if (streq(type, "RegularExpression"))
		return;
	if (*value != '/')
		refuse_omitted(c, p, "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']");
	for (size_t k = 0; k < ARRAY_LEN(never); k++) {
		snprintf(text, sizeof(text), "must not contain '%s' when type one of ['Exact', 'PathPrefix']", never[k]);
		if (strstr(value, never[k]))
			refuse_omitted(c, p, text);
	}
	for (size_t k = 0; k < ARRAY_LEN(end); k++) {
		snprintf(text, sizeof(text), "must not end with '%s' when type one of ['Exact', 'PathPrefix']", end[k]);
		if (n >= strlen(end[k]) && streq(value + n - strlen(end[k]), end[k]))
			refuse_omitted(c, p, text);
	}
	if (!form_matches(value, URL_CHARACTERS))
		refuse_omitted(c, p, "must only contain valid characters (matching " URL_CHARACTERS ") for types ['Exact', 'PathPrefix']");
}

static void grpc_method_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *service = form_text(self, "service", NULL), *method = form_text(self, "method", NULL);

	if (!service && !method)
		refuse_omitted(c, p, "One or both of 'service' or 'method' must be specified");
	if (!streq(form_text(self, "type", "Exact"), "Exact"))
		return;
	if (service && !form_matches(service, "^\\.?[A-Za-z_][A-Za-z_0-9]*(\\.[A-Za-z_][A-Za-z_0-9]*)*$"))
		refuse_omitted(c, p, "service must only contain valid characters (matching ^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$)");
	if (method && !form_matches(method, "^[A-Za-z_][A-Za-z_0-9]*$"))
		refuse_omitted(c, p, "method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)");
}

static const struct form match_type = { .words = FORM_WORDS("Exact", "RegularExpression") };
static const struct form path_type = { .words = FORM_WORDS("Exact", "PathPrefix", "RegularExpression") };
static const struct form path_match = { .members = FORM_MEMBERS({ "type", &path_type, false }, { "value", &path_value, false }), .rules = path_rules };
#define NAMED(id, value)                                                                                                                                                    \
	static const struct form id##_one = { .members = FORM_MEMBERS({ "name", &gw_header_name, true }, { "type", &match_type, false }, { "value", &value, true }) };             \
	static const struct form id = { .max = 16, .items = &id##_one, .key = "name" }
static const struct form grpc_value = { .min = 1, .max = 4096 }, query_value = { .min = 1, .max = 1024 };
NAMED(http_headers, header_value);
NAMED(grpc_headers, grpc_value);
NAMED(http_query, query_value);
static const struct form method = { .words = FORM_WORDS(METHODS) };
static const struct form http_match = {
	.members = FORM_MEMBERS({ "headers", &http_headers, false }, { "method", &method, false }, { "path", &path_match, false }, { "queryParams", &http_query, false }),
};
static const struct form grpc_method = {
	.members = FORM_MEMBERS({ "method", &path_value, false }, { "service", &path_value, false }, { "type", &match_type, false }), .rules = grpc_method_rules,
};
static const struct form grpc_match = { .members = FORM_MEMBERS({ "headers", &grpc_headers, false }, { "method", &grpc_method, false }) };
static const struct form http_matches = { .max = 64, .items = &http_match };
static const struct form grpc_matches = { .max = 64, .items = &grpc_match };

/* ---- timeouts, retries, sessions */

#define DURATION "^([0-9]{1,5}(h|m|s|ms)){1,4}$"

/* In milliseconds; of the form above. */
static int64_t duration(const char *s)
{
	int64_t sum = 0;

	while (*s) {
		char *unit;
		long n = strtol(s, &unit, 10);

		if (unit == s)
			break;
		sum += n * (*unit == 'h' ? 3600000 : *unit == 's' ? 1000 : unit[1] == 's' ? 1 : 60000);
		s = unit + (*unit == 'm' && unit[1] == 's' ? 2 : *unit ? 1 : 0);
	}
	return sum;
}

static void timeouts_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *request = form_text(self, "request", NULL), *backend = form_text(self, "backendRequest", NULL);

	if (request && backend && duration(request) && duration(backend) > duration(request))
		refuse_omitted(c, p, "backendRequest timeout cannot be longer than request timeout");
}

static void session_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const struct { const char *type, *member; } rows[] = { { "Cookie", "cookie" }, { "Header", "header" } };
	const char *lifetime = form_text(val_get(self, "cookie"), "lifetimeType", "");
	char text[64];

	if (streq(lifetime, "Permanent") && !val_get(self, "absoluteTimeout"))
		refuse_omitted(c, p, "AbsoluteTimeout must be specified when cookie lifetimeType is Permanent");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		bool is = streq(form_text(self, "type", "Cookie"), rows[k].type), has = val_get(self, rows[k].member) != NULL;

		snprintf(text, sizeof(text), is ? "%s must be specified for %s type" : "%s must be nil if type is not %s", rows[k].member, rows[k].type);
		if (is != has)
			refuse_omitted(c, p, text);
	}
}

static const struct form a_duration = { .pattern = DURATION };
static const struct form timeouts = { .members = FORM_MEMBERS({ "backendRequest", &a_duration, false }, { "request", &a_duration, false }), .rules = timeouts_rules };
static const struct form code = { .min = 400, .max = 599 };
static const struct form codes = { .items = &code, .key = "" };
static const struct form retry = { .members = FORM_MEMBERS({ "attempts", &from_1, false }, { "backoff", &a_duration, false }, { "codes", &codes, false }) };
static const struct form lifetime_type = { .words = FORM_WORDS("Permanent", "Session") };
static const struct form session_type = { .words = FORM_WORDS("Cookie", "Header") };
static const struct form cookie = { .members = FORM_MEMBERS({ "lifetimeType", &lifetime_type, false }, { "name", &gw_header_name, false }, { "path", &path_value, false }) };
static const struct form session_header = { .members = FORM_MEMBERS({ "name", &gw_header_name, true }) };
static const struct form session = {
	.members = FORM_MEMBERS({ "absoluteTimeout", &a_duration, false }, { "cookie", &cookie, false }, { "header", &session_header, false }, { "type", &session_type, false }),
	.rules = session_rules,
};

/* ---- rules */

static bool replaces_prefix(const struct val *filters, const char *member)
{
	uint32_t nr = 0;

	VAL_EACH(f, filters) {
		const struct val *path = val_get(val_get(f, member), "path");

		nr += val_get(path, "replacePrefixMatch") && streq(form_text(path, "type", ""), "ReplacePrefixMatch");
	}
	return nr == 1;
}

/* Without matches the schema gives one of PathPrefix /. */
static bool one_prefix(const struct val *matches)
{
	if (!matches)
		return true;
	return matches->nr == 1 && streq(form_text(val_get(val_first(matches), "path"), "type", "PathPrefix"), "PathPrefix");
}

static void http_rule_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const struct { const char *member, *name; } rows[] = { { "requestRedirect", "RequestRedirect" }, { "urlRewrite", "URLRewrite" } };
	const struct val *backends = val_get(self, "backendRefs"), *filters = val_get(self, "filters");
	bool redirects = false;
	char text[160];

	VAL_EACH(f, filters)
		redirects |= val_get(f, "requestRedirect") != NULL;
	if (redirects && backends && backends->nr)
		refuse_omitted(c, p, "RequestRedirect filter must not be used together with backendRefs");
	for (size_t k = 0; k < ARRAY_LEN(rows) && !one_prefix(val_get(self, "matches")); k++) {
		uint32_t within = 0;

		VAL_EACH(b, backends)
			within += replaces_prefix(val_get(b, "filters"), rows[k].member);
		snprintf(text, sizeof(text), "When using %s filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified", rows[k].name);
		if (replaces_prefix(filters, rows[k].member))
			refuse_omitted(c, p, text);
		snprintf(text, sizeof(text), "Within backendRefs, %chen using %s filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified", k ? 'W' : 'w', rows[k].name);
		if (within == 1)
			refuse_omitted(c, p, text);
	}
}

static void names_rules(struct check *c, const struct val *self, const struct path *p)
{
	gw_must_differ(c, self, "name", p, "Rule name must be unique within the route");
}

/* each: matches of a rule that has none. */
static void count_matches(struct check *c, const struct val *self, const struct path *p, uint32_t each)
{
	uint32_t nr = 0;

	VAL_EACH(r, self) {
		const struct val *matches = val_get(r, "matches");

		nr += matches ? matches->nr : each;
	}
	if (nr > 128)
		refuse_omitted(c, p, "While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128");
	names_rules(c, self, p);
}

static void http_rules_rules(struct check *c, const struct val *self, const struct path *p) { count_matches(c, self, p, 1); }
static void grpc_rules_rules(struct check *c, const struct val *self, const struct path *p) { count_matches(c, self, p, 0); }

static const struct form http_rule = {
	.members = FORM_MEMBERS({ "backendRefs", &http_backends, false }, { "filters", &http_filters, false }, { "matches", &http_matches, false }, { "name", &gw_section, false },
				{ "retry", &retry, false }, { "sessionPersistence", &session, false }, { "timeouts", &timeouts, false }),
	.rules = http_rule_rules,
};
static const struct form grpc_rule = {
	.members = FORM_MEMBERS({ "backendRefs", &grpc_backends, false }, { "filters", &grpc_filters, false }, { "matches", &grpc_matches, false }, { "name", &gw_section, false },
				{ "sessionPersistence", &session, false }),
};
static const struct form plain_rule = { .members = FORM_MEMBERS({ "backendRefs", &plain_backends, true }, { "name", &gw_section, false }) };
static const struct form http_rules = { .min = 1, .max = 16, .items = &http_rule, .rules = http_rules_rules };
static const struct form grpc_rules = { .max = 16, .items = &grpc_rule, .rules = grpc_rules_rules };
static const struct form plain_rules = { .min = 1, .max = 1, .items = &plain_rule };
static const struct form plain_rules_alpha = { .min = 1, .max = 16, .items = &plain_rule, .rules = names_rules };       /* v1alpha2 */

/* ---- all of it */

static void tls_hosts_rules(struct check *c, const struct val *self, const struct path *p)
{
	ip_addr ip;

	VAL_EACH(h, self)
		if (val_is(h, VAL_STRING) && ip_parse(h->s, &ip)) {
			refuse_omitted(c, p, "Hostnames cannot contain an IP");
			return;
		}
}

static const struct form hostnames = { .max = 16, .items = &gw_hostname };
static const struct form tls_hostnames = { .min = 1, .max = 1024, .items = &gw_hostname, .rules = tls_hosts_rules };
static const struct form tls_hostnames_alpha = { .max = 1024, .items = &gw_hostname };          /* v1alpha2 */

#define SPEC(id, ...) static const struct form id = { .members = FORM_MEMBERS({ "parentRefs", &gw_parents, false }, { "useDefaultGateways", &gw_all_or_none, false }, __VA_ARGS__) }
SPEC(http_spec, { "hostnames", &hostnames, false }, { "rules", &http_rules, false });
SPEC(grpc_spec, { "hostnames", &hostnames, false }, { "rules", &grpc_rules, false });
SPEC(tls_spec, { "hostnames", &tls_hostnames, false }, { "rules", &plain_rules, true });
SPEC(tls_spec_alpha, { "hostnames", &tls_hostnames_alpha, false }, { "rules", &plain_rules_alpha, true });
SPEC(plain_spec, { "rules", &plain_rules, true });
SPEC(plain_spec_alpha, { "rules", &plain_rules_alpha, true });

static bool alpha(const struct check *c)
{
	return streq(val_str_at(c->root, "apiVersion"), "gateway.networking.k8s.io/v1alpha2");
}

void http_route_check(struct check *c, const struct object *o) { (void)o; form_check_spec(c, &http_spec); }
void grpc_route_check(struct check *c, const struct object *o) { (void)o; form_check_spec(c, &grpc_spec); }

/* v1 as released asks for hostnames; drafts of it did not, and manifests of that time are about. */
void tls_route_check(struct check *c, const struct object *o)
{
	(void)o;
	form_check_spec(c, alpha(c) ? &tls_spec_alpha : &tls_spec);
	if (!alpha(c) && val_get(c->root, "spec") && !val_path(c->root, "spec.hostnames"))
		warn_of(c, SUB(NULL, "spec.hostnames"), "Required value: the CRDs of today refuse a TLSRoute without hostnames");
}

void plain_route_check(struct check *c, const struct object *o) { (void)o; form_check_spec(c, alpha(c) ? &plain_spec_alpha : &plain_spec); }
