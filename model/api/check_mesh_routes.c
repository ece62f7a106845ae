/* VirtualService: what Istio refuses of its routes, their matches and destinations. What a route does: check_mesh_actions.c. Source: istio pkg/config/validation/{validation,virtualservice}.go. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/api/check_mesh.h"
#include "model/api/checks.h"

/* ---- of the whole object */

static bool for_gateways(const struct check *c)
{
	VAL_EACH(g, val_path(c->root, "spec.gateways"))
		if (val_str(g) && strcmp(val_str(g), "mesh") != 0)
			return true;
	return false;
}

static bool delegate(const struct check *c) { return !val_first(val_path(c->root, "spec.hosts")); }

/* ---- text matches */

static const char *const match_types[] = { "exact", "prefix", "regex", NULL };

static void regex_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *re = val_str_at(self, "regex"), *why;
	char text[128];

	if (!re)
		return;
	why = *re ? mesh_regex_wrong(re, text) : "regex string match should not be empty";
	if (why)
		refuse_str(c, SUB(p, "regex"), re, "%s%s", why, why == text ? "; Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)" : "");
}

void mesh_match(struct check *c, const struct val *self, const struct path *p)
{
	mesh_one_of(c, self, p, match_types);
	regex_rules(c, self, p);
}

static void match_rules(struct check *c, const struct val *self, const struct path *p)
{
	mesh_match(c, self, p);
	if (val_str_at(self, "prefix") && !mesh_text(self, "prefix"))
		refuse_str(c, SUB(p, "prefix"), "", "prefix string match should not be empty");
}

/* Of withoutHeaders: the regex * stands for "is there". */
static void without_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *re = val_str_at(self, "regex");

	if (re && strcmp(re, "*") == 0)
		mesh_one_of(c, self, p, match_types);
	else
		match_rules(c, self, p);
}

static const struct form uri_match = { .rules = mesh_match }, text_match = { .rules = match_rules }, without_match = { .rules = without_rules };

/* ---- headers */

static bool is_claim(const char *name)
{
	static const char start[] = "@request.auth.claims";
	const char *rest = name + sizeof(start) - 1;

	return strncasecmp(name, start, sizeof(start) - 1) == 0 && ((*rest == '.' && rest[1]) || (*rest == '[' && rest[1] && name[strlen(name) - 1] == ']'));
}

static void header_names(struct check *c, const struct val *self, const struct path *p)
{
	VAL_EACH_KEY(v, self) {
		if (!*v->key)
			refuse_str(c, p, v->key, "header name cannot be empty");
		else if (is_claim(v->key) && !for_gateways(c))
			refuse_str(c, p, v->key, "JWT claim based routing (key: %s) is only supported for gateway", v->key);
		else if (!is_claim(v->key) && !one_of(v->key, FORM_WORDS(":method", ":scheme", ":authority", ":path", ":status")) && !mesh_is_header(v->key))
			refuse_str(c, p, v->key, "header name %s is not a valid header name", v->key);
	}
}
static const struct form header_matches = { .items = &text_match, .rules = header_names }, without_headers = { .items = &without_match, .rules = header_names };
static const struct form query_matches = { .items = &text_match };

static bool internal(const char *name) { return *name == ':' || strcasecmp(name, "host") == 0; }
static bool authority(const char *name) { return strcasecmp(name, ":authority") == 0 || strcasecmp(name, "host") == 0; }

static void one_header(struct check *c, const struct path *p, const char *name, bool may_be_authority)
{
	if (!*name)
		refuse_str(c, p, name, "header name cannot be empty");
	else if (internal(name) && !(may_be_authority && authority(name)))
		refuse_str(c, p, name, strcasecmp(name, "host") == 0 ? "invalid header \"%s\": cannot set Host header" : "invalid header \"%s\": header cannot have \":\" prefix", name);
}

static void side_rules(struct check *c, const struct val *self, const struct path *p, bool request)
{
	static const char *const maps[] = { "add", "set" };
	uint32_t k = 0;

	for (size_t i = 0; i < 2; i++)
		VAL_EACH_KEY(v, val_get(self, maps[i])) {
			const struct path *at = ENTRY(SUB(p, maps[i]), v->key);
			const char *why = val_str(v) ? mesh_header_wrong(val_str(v)) : NULL;

			one_header(c, at, v->key, request);
			if (why)
				refuse_str(c, at, val_str(v), "invalid header configuration. %s", why);
		}
	VAL_EACH(v, val_get(self, "remove"))
		one_header(c, ITEM(SUB(p, "remove"), k++), val_str(v) ? val_str(v) : "", false);
}

static void request_rules(struct check *c, const struct val *self, const struct path *p) { side_rules(c, self, p, true); }
static void response_rules(struct check *c, const struct val *self, const struct path *p) { side_rules(c, self, p, false); }
static const struct form request_headers = { .rules = request_rules }, response_headers = { .rules = response_rules };
static const struct form headers = { .members = FORM_MEMBERS({ "request", &request_headers, false }, { "response", &response_headers, false }) };

/* ---- matches of requests */

static void http_match_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *ns = mesh_text(self, "sourceNamespace");

	if (int_of(self, "port", 0))
		mesh_must_be_port(c, SUB(p, "port"), int_of(self, "port", 0));
	mesh_must_be_labels(c, SUB(p, "sourceLabels"), val_get(self, "sourceLabels"));
	mesh_must_be_gateways(c, SUB(p, "gateways"), val_get(self, "gateways"));
	if (ns && !mesh_is_label(ns))
		refuse_str(c, SUB(p, "sourceNamespace"), ns, "sourceNamespace match %s is invalid", ns);
}
static const struct form http_match = {
	.members = FORM_MEMBERS({ "uri", &uri_match, false }, { "scheme", &text_match, false }, { "method", &text_match, false }, { "authority", &text_match, false },
				{ "headers", &header_matches, false }, { "withoutHeaders", &without_headers, false }, { "queryParams", &query_matches, false }),
	.rules = http_match_rules,
};
static const struct form http_matches = { .items = &http_match };

/* ---- destinations */

static void weights_rules(struct check *c, const struct val *self, const struct path *p)
{
	int64_t total = 0;
	uint32_t k = 0;

	VAL_EACH(d, self) {
		int64_t w = int_of(d, "weight", 0);

		if (w < 0)
			refuse_int(c, SUB(ITEM(p, k), "weight"), w, "weight %" PRId64 " < 0", w);
		total += w;
		k++;
	}
	if (k > 1 && !total)
		refuse_omitted(c, p, "total destination weight = 0");
}
static const struct form http_destination = { .members = FORM_MEMBERS({ "destination", &mesh_destination, true }, { "headers", &headers, false }) };
static const struct form http_destinations = { .items = &http_destination, .rules = weights_rules };
static const struct form weighted = { .members = FORM_MEMBERS({ "destination", &mesh_destination, true }) };
static const struct form weighted_list = { .items = &weighted, .rules = weights_rules };

/* ---- routes */

/* What may not stand together (validateHTTPRouteConflict). */
static void conflicts(struct check *c, const struct val *self, const struct path *p)
{
	static const struct { const char *has, *not; } rows[] = {
		{ "redirect", "route" }, { "redirect", "fault" }, { "redirect", "rewrite" }, { "redirect", "directResponse" },
		{ "directResponse", "route" }, { "directResponse", "fault" }, { "directResponse", "rewrite" },
	};
	bool found = false;
	char text[128];

	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		const struct val *not = val_get(self, rows[k].not);

		if (!has(self, rows[k].has))
			continue;
		found = true;
		if (!not || not->type == VAL_NULL || (not->type == VAL_LIST && !not->nr) || (strcmp(rows[k].has, "directResponse") == 0 && has(self, "redirect")))
			continue;
		snprintf(text, sizeof(text), "HTTP route cannot contain both %s and %s", rows[k].not, rows[k].has);
		refuse_omitted(c, p, text);
	}
	if (!found && !val_first(val_get(self, "route")))
		refuse_omitted(c, p, "HTTP route, redirect or direct_response is required");
	if (has(self, "mirror") && val_first(val_get(self, "mirrors")))
		refuse_omitted(c, p, "HTTP route cannot contain both mirror and mirrors");
}

static void one_authority(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const maps[] = { "headers.request.set", "headers.request.add" };
	const char *have = val_str(val_path(self, "rewrite.authority"));

	have = have && *have ? have : NULL;
	for (size_t k = 0; k < 2; k++)
		VAL_EACH_KEY(v, val_path(self, maps[k])) {
			const char *s = val_str(v) ? val_str(v) : "";

			if (!authority(v->key))
				continue;
			if (have)
				refuse_str(c, ENTRY(SUB(p, maps[k]), v->key), s, "authority header cannot be set multiple times: have \"%s\", attempting to set \"%s\"", have, s);
			have = *s ? s : have;
		}
}

static void http_route_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!delegate(c) && has(self, "delegate")) {
		if (has(self, "redirect"))
			refuse_omitted(c, p, "root HTTP route must not specify redirect");
		if (val_get(self, "route"))
			refuse_omitted(c, p, "root HTTP route must not specify route");
	} else {
		if (has(self, "delegate"))
			refuse_omitted(c, p, "delegate HTTP route cannot contain delegate");
		conflicts(c, self, p);
	}
	if (int_of(self, "mirrorPercent", 0) > 100)
		refuse_int(c, SUB(p, "mirrorPercent"), int_of(self, "mirrorPercent", 0), "mirror_percent must have a max value of 100");
	if (val_get(self, "mirrorPercent"))
		warn_of(c, SUB(p, "mirrorPercent"), "using deprecated setting \"mirrorPercent\", use \"mirrorPercentage\" instead");
	if (val_str(val_path(self, "redirect.prefixRewrite")) && *val_str(val_path(self, "redirect.prefixRewrite")))
		VAL_EACH(m, val_get(self, "match"))
			if (has(m, "uri") && !val_get(val_get(m, "uri"), "prefix"))
				refuse_omitted(c, SUB(p, "redirect"), "redirect prefix_rewrite requires all URI matches to use prefix match type");
	one_authority(c, self, p);
}
static const struct form http_route = {
	.members = FORM_MEMBERS({ "match", &http_matches, false }, { "route", &http_destinations, false }, { "redirect", &mesh_redirect, false }, { "directResponse", &mesh_direct, false },
				{ "rewrite", &mesh_rewrite, false }, { "timeout", &mesh_duration, false }, { "retries", &mesh_retries, false }, { "fault", &mesh_fault, false },
				{ "mirror", &mesh_destination, false }, { "mirrors", &mesh_mirrors, false }, { "mirrorPercentage", &mesh_mirrored, false }, { "corsPolicy", &mesh_cors, false },
				{ "headers", &headers, false }),
	.rules = http_route_rules,
};
static const struct form http_routes = { .items = &http_route };

/* ---- connections */

static void l4_match_rules(struct check *c, const struct val *self, const struct path *p)
{
	uint32_t k = 0;

	VAL_EACH(v, val_get(self, "destinationSubnets"))
		mesh_must_be_subnet(c, ITEM(SUB(p, "destinationSubnets"), k++), val_str(v) ? val_str(v) : "");
	if (int_of(self, "port", 0))
		mesh_must_be_port(c, SUB(p, "port"), int_of(self, "port", 0));
	mesh_must_be_labels(c, SUB(p, "sourceLabels"), val_get(self, "sourceLabels"));
	mesh_must_be_gateways(c, SUB(p, "gateways"), val_get(self, "gateways"));
}

static void sni_host(struct check *c, const struct path *p, const char *sni)
{
	uint32_t before = c->found;

	if (mesh_is_ip(sni)) {
		warn_of(c, p, "using an IP address (\"%s\") goes against SNI spec and most clients do not support this", sni);
		return;
	}
	if (!for_gateways(c) || strncmp(sni, "outbound_", 9) != 0)
		mesh_must_be_wildcard(c, p, sni);
	if (c->found != before)
		return;
	VAL_EACH(h, val_path(c->root, "spec.hosts"))
		if (val_str(h) && mesh_within(sni, val_str(h)))
			return;
	refuse_str(c, p, sni, "SNI host \"%s\" is not a compatible subset of any of the virtual service hosts", sni);
}

static void tls_match_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *hosts = val_get(self, "sniHosts");
	uint32_t k = 0;

	if (!val_first(hosts))
		refuse_omitted(c, SUB(p, "sniHosts"), "TLS match must have at least one SNI host");
	VAL_EACH(h, hosts)
		sni_host(c, ITEM(SUB(p, "sniHosts"), k++), val_str(h) ? val_str(h) : "");
	l4_match_rules(c, self, p);
}

static void tls_route_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!val_first(val_get(self, "match")))
		refuse_omitted(c, SUB(p, "match"), "TLS route must have at least one match condition");
	if (!val_first(val_get(self, "route")))
		refuse_omitted(c, SUB(p, "route"), "TLS route is required");
}

static void tcp_route_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!val_first(val_get(self, "route")))
		refuse_omitted(c, SUB(p, "route"), "TCP route is required");
}
static const struct form l4_match = { .rules = l4_match_rules }, l4_matches = { .items = &l4_match };
static const struct form tls_match = { .members = FORM_MEMBERS({ "sniHosts", NULL, true }), .rules = tls_match_rules }, tls_matches = { .items = &tls_match };
static const struct form tls_route = { .members = FORM_MEMBERS({ "match", &tls_matches, true }, { "route", &weighted_list, false }), .rules = tls_route_rules };
static const struct form tcp_route = { .members = FORM_MEMBERS({ "match", &l4_matches, false }, { "route", &weighted_list, false }), .rules = tcp_route_rules };
static const struct form tls_routes = { .items = &tls_route }, tcp_routes = { .items = &tcp_route };

/* ---- all of it */

static bool sni_routes(const struct val *self)
{
	VAL_EACH(t, val_get(self, "tls"))
		VAL_EACH(m, val_get(t, "match"))
			if (val_first(val_get(m, "sniHosts")))
				return true;
	return false;
}

static void hosts_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *hosts = val_get(self, "hosts");
	uint32_t before = c->found, k = 0;

	VAL_EACH(h, hosts) {
		const struct path *at = ITEM(p, k++);
		const char *s = val_str(h) ? val_str(h) : "";

		if (strcmp(s, "*") == 0 && !for_gateways(c))
			refuse_str(c, at, s, "wildcard host * is not allowed for virtual services bound to the mesh gateway");
		else if (!mesh_is_ip(s) && !(for_gateways(c) && sni_routes(self) && strncmp(s, "outbound_", 9) == 0))
			mesh_must_be_wildcard(c, at, s);
	}
	k = 0;
	VAL_EACH(h, c->found == before ? hosts : NULL) {
		for (const struct val *o = hosts->first; o != h; o = o->next)
			if (val_str(o) && val_str(h) && mesh_covers(val_str(o), val_str(h)))
				refuse_str(c, ITEM(p, k), val_str(h), "duplicate hosts in virtual service: %s & %s", val_str(o), val_str(h));
		k++;
	}
}

static void spec_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const struct { const char *member, *why; } never[] = {
		{ "gateways", "delegate virtual service must have no gateways specified" }, { "tls", "delegate virtual service must have no tls route specified" },
		{ "tcp", "delegate virtual service must have no tcp route specified" },
	};

	for (size_t k = 0; k < sizeof(never) / sizeof(*never) && delegate(c); k++)
		if (val_first(val_get(self, never[k].member)))
			refuse_omitted(c, SUB(p, never[k].member), never[k].why);
	mesh_must_be_gateways(c, SUB(p, "gateways"), val_get(self, "gateways"));
	hosts_rules(c, self, SUB(p, "hosts"));
	if (!val_first(val_get(self, "http")) && !val_first(val_get(self, "tcp")) && !val_first(val_get(self, "tls")))
		refuse_omitted(c, p, "http, tcp or tls must be provided in virtual service");
	mesh_must_be_export(c, SUB(p, "exportTo"), val_get(self, "exportTo"), 0);
}
static const struct form spec = {
	.members = FORM_MEMBERS({ "http", &http_routes, false }, { "tls", &tls_routes, false }, { "tcp", &tcp_routes, false }), .rules = spec_rules,
};

void virtual_service_check(struct check *c, const struct object *o) { mesh_check(c, o, &spec); }
