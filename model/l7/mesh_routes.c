/* VirtualService → routes. The first match in the order of the text is taken, as in the proxy. Source: istio/api networking/v1/virtual_service.proto; istio
 * pilot/pkg/networking/core/route/route.go. */
#include "model/l7/mesh_routes.h"

#include <strings.h>

#include "model/base/quantity.h"

/* ---- what a route does */

/* isInternalHeader: no operation changes them. */
static bool of_the_proxy(const char *name) { return *name == ':' || strcasecmp(name, "host") == 0; }

static struct http_pair *pairs_of(struct mesh_compile *k, const struct val *map, uint32_t *nr)
{
	struct http_pair *v = arena_array(k->a, struct http_pair, map ? map->nr : 0);

	*nr = 0;
	VAL_EACH_KEY(m, map)
		if (!of_the_proxy(m->key))
			v[(*nr)++] = (struct http_pair){ m->key, val_str(m) ? val_str(m) : "" };
	return v;
}

/* A Host that is set or added is another authority (translateAppendHeaders). */
static const char *authority_of(const struct val *headers)
{
	static const char *const sides[] = { "request.add", "request.set" };
	const char *out = NULL;

	for (size_t k = 0; k < ARRAY_LEN(sides); k++)
		VAL_EACH_KEY(m, val_path(headers, sides[k]))
			if ((strcasecmp(m->key, "host") == 0 || strcasecmp(m->key, ":authority") == 0) && val_str(m) && *val_str(m))
				out = val_str(m);
	return out;
}

static void add_authority(struct mesh_compile *k, const char *authority, l7_filters *out)
{
	if (authority)
		vec_add(k->a, out, (struct l7_filter){ .kind = L7_REWRITE, .rewrite = { .host = authority } });
}

static void add_headers(struct mesh_compile *k, const struct val *headers, l7_filters *out)
{
	static const struct { const char *side; uint8_t kind; } sides[] = { { "request", L7_REQUEST_HEADERS }, { "response", L7_RESPONSE_HEADERS } };

	for (size_t i = 0; i < 2; i++) {
		const struct val *side = val_get(headers, sides[i].side), *remove = val_get(side, "remove");
		struct l7_filter f = { .kind = sides[i].kind };
		const char **names = arena_array(k->a, const char *, remove ? remove->nr : 0);

		if (!side)
			continue;
		f.headers.set = pairs_of(k, val_get(side, "set"), &f.headers.nr_set);
		f.headers.add = pairs_of(k, val_get(side, "add"), &f.headers.nr_add);
		VAL_EACH(v, remove)
			if (val_str(v) && !of_the_proxy(val_str(v)))
				names[f.headers.nr_remove++] = val_str(v);
		f.headers.remove = names;
		vec_add(k->a, out, f);
	}
}

static void add_rewrite(struct mesh_compile *k, const struct val *rewrite, struct l7_action *act)
{
	struct l7_filter f = { .kind = L7_REWRITE, .rewrite = { .host = val_str_at(rewrite, "authority") } };
	const char *uri = val_str_at(rewrite, "uri"), *match = val_str_at(rewrite, "uriRegexRewrite.match"), *why = NULL;

	if (!rewrite)
		return;
	if (uri)
		f.rewrite.path = (struct l7_path_change){ L7_STRING_MATCH, uri, NULL };
	if (match) {
		const char *to = val_str_at(rewrite, "uriRegexRewrite.rewrite");

		f.rewrite.path = (struct l7_path_change){ L7_REPLACE, to ? to : "", regex_compile(k->a, match, false, &why) };
		if (why)
			act->unknown = arena_printf(k->a, "uriRegexRewrite \"%s\" is not understood: %s", match, why);
	}
	vec_add(k->a, &act->filters, f);
}

static void add_redirect(struct mesh_compile *k, const struct val *r, l7_filters *out)
{
	struct l7_filter f = { .kind = L7_REDIRECT };
	const char *uri = val_str_at(r, "uri"), *prefix = "%PREFIX()%", *rewritten = val_str_at(r, "prefixRewrite");
	int code = (int)val_int_or(val_get(r, "redirectCode"), 0);

	f.redirect = (struct l7_redirect){ val_str_at(r, "scheme"), val_str_at(r, "authority"), (int32_t)val_int_or(val_get(r, "port"), 0),
					   code ? code : 301, { L7_KEEP, NULL, NULL }, false };
	if (streq(val_str_at(r, "derivePort"), "FROM_REQUEST_PORT"))
		f.redirect.port = k->port;
	f.redirect.keep_port = !f.redirect.port;        /* Envoy adds no port of its own */
	if (rewritten && *rewritten)            /* counts before uri (ApplyRedirect) */
		f.redirect.path = (struct l7_path_change){ L7_STRING_MATCH, rewritten, NULL };
	else if (uri && strncmp(uri, prefix, strlen(prefix)) == 0)
		f.redirect.path = (struct l7_path_change){ L7_STRING_MATCH, uri + strlen(prefix), NULL };
	else if (uri && *uri)
		f.redirect.path = (struct l7_path_change){ L7_FULL, uri, NULL };
	vec_add(k->a, out, f);
}

/* A percentage in millionths of all. */
static uint64_t millionths(const struct val *percent, int64_t dflt)
{
	double v = val_is(percent, VAL_FLOAT) ? percent->f : (double)val_int_or(percent, dflt);

	return (uint64_t)(MIN(MAX(v, 0.0), 100.0) * 10000 + 0.5);
}

static struct l7_filter mirror_to(struct mesh_compile *k, const struct val *to, const struct val *percent, int64_t dflt, str ns)
{
	const char *ignored;

	return (struct l7_filter){ .kind = L7_MIRROR, .mirror = mesh_ref(k, to, ns, &ignored), .num = millionths(percent, dflt), .den = 1000000 };
}

static void add_mirrors(struct mesh_compile *k, const struct val *http, str ns, l7_filters *out)
{
	const struct val *one = val_get(http, "mirror"), *percentage = val_get(http, "mirrorPercentage");

	if (one)                                /* mirrorPercent is its old form */
		vec_add(k->a, out, mirror_to(k, one, percentage ? val_get(percentage, "value") : val_get(http, "mirrorPercent"), percentage ? 0 : 100, ns));
	VAL_EACH(m, val_get(http, "mirrors"))
		vec_add(k->a, out, mirror_to(k, val_get(m, "destination"), val_path(m, "percentage.value"), val_get(m, "percentage") ? 0 : 100, ns));
}

static str_list texts(struct mesh_compile *k, const struct val *list)
{
	str_list out = { 0 };
	str *v = arena_array(k->a, str, list ? list->nr : 0);

	VAL_EACH(one, list)
		if (val_str(one))
			v[out.nr++] = str_intern(cluster_strings(k->c), val_str(one));
	out.v = v;
	return out;
}

/* CorsPolicy: origins by their whole text; what prefixes and expressions take is not looked at. */
static void add_cors(struct mesh_compile *k, const struct val *policy, l7_filters *out)
{
	struct l7_cors *c;
	const struct val *origins = val_get(policy, "allowOrigins");
	str *v;

	if (!policy)
		return;
	c = arena_make(k->a, struct l7_cors);
	*c = (struct l7_cors){ .origins = texts(k, val_get(policy, "allowOrigin")), .methods = texts(k, val_get(policy, "allowMethods")), .headers = texts(k, val_get(policy, "allowHeaders")),
			       .expose = texts(k, val_get(policy, "exposeHeaders")), .credentials = val_bool_or(val_get(policy, "allowCredentials"), false),
			       .max_age = (int32_t)(duration_or_none(val_str_at(policy, "maxAge")) / SECONDS(1)),
			       .passes = !streq(val_str_at(policy, "unmatchedPreflights"), "IGNORE") };
	v = arena_array(k->a, str, c->origins.nr + (origins ? origins->nr : 0));
	for (uint32_t i = 0; i < c->origins.nr; i++)
		v[i] = c->origins.v[i];
	c->origins.v = v;
	VAL_EACH(o, origins) {
		if (val_str_at(o, "exact"))
			v[c->origins.nr++] = str_intern(cluster_strings(k->c), val_str_at(o, "exact"));
		else
			c->unknown = "corsPolicy.allowOrigins by prefix or regex is not modelled";
	}
	vec_add(k->a, out, (struct l7_filter){ .kind = L7_CORS, .cors = c });
}

/* How many are hit; not given: none (HTTPFaultInjection). percent is the old form. */
static uint64_t hit(const struct val *fault)
{
	const struct val *v = val_path(fault, "percentage.value");

	return millionths(v ? v : val_get(fault, "percent"), 0);
}

static void add_fault(struct mesh_compile *k, const struct val *fault, struct l7_action *act)
{
	const struct val *abort_ = val_get(fault, "abort"), *delay = val_get(fault, "delay");

	if (!fault)
		return;
	act->fault = arena_make(k->a, struct l7_fault);
	act->fault->abort_millionths = hit(abort_);
	act->fault->status = (int)val_int_or(val_get(abort_, "httpStatus"), 500);
	act->fault->delay_millionths = hit(delay);
	act->fault->delay = duration_or_none(val_str_at(delay, "fixedDelay"));
}

static bool redirect_known(int64_t code) { return !code || code == 301 || code == 302 || code == 303 || code == 307 || code == 308; }

static const struct l7_action *action_of(struct mesh_compile *k, const struct raw_object *vs, const struct val *http, const char *at)
{
	struct l7_action *act = arena_make(k->a, struct l7_action);
	const struct val *redirect = val_get(http, "redirect"), *direct = val_get(http, "directResponse"), *routes = val_get(http, "route");
	const char *authority = authority_of(val_get(http, "headers"));

	act->patience = mesh_patience(http, k->a);
	add_fault(k, val_get(http, "fault"), act);
	if (val_get(http, "delegate"))
		act->unknown = arena_printf(k->a, "VirtualService %s/%s is delegated to and delegates itself, which Istio refuses", vs->o.ns, vs->o.name);
	if (redirect)
		add_redirect(k, redirect, &act->filters);
	if (redirect && !redirect_known(val_int_or(val_get(redirect, "redirectCode"), 0)))      /* the route has no action then, and Envoy refuses the whole configuration */
		act->unknown = arena_printf(k->a, "VirtualService %s/%s: Envoy has no redirect with the status %" PRId64, vs->o.ns, vs->o.name, val_int_or(val_get(redirect, "redirectCode"), 0));
	act->direct = (int)val_int_or(val_get(direct, "status"), 0);
	add_headers(k, val_get(http, "headers"), &act->filters);
	add_authority(k, authority, &act->filters);
	add_rewrite(k, val_get(http, "rewrite"), act);
	add_mirrors(k, http, vs->o.ns, &act->filters);
	add_cors(k, val_get(http, "corsPolicy"), &act->filters);
	VAL_EACH(r, routes) {
		struct l7_backend b = { .ref = mesh_ref(k, val_get(r, "destination"), vs->o.ns, &act->unknown), .weight = (uint64_t)MAX(val_int_or(val_get(r, "weight"), 0), 0) };

		if (routes->nr == 1)
			b.weight = 1;
		add_headers(k, val_get(r, "headers"), &b.filters);
		if (routes->nr > 1 || !(authority || val_path(http, "rewrite.authority")))      /* of one alone the route's own counts before */
			add_authority(k, authority_of(val_get(r, "headers")), &b.filters);
		if (b.ref.why)
			table_finding(k->t, true, vs->o.id, at, "%s: requests are answered %d", b.ref.why, b.ref.status);
		vec_add(k->a, &act->backends, b);
	}
	return act;
}

/* ---- matches */

static struct l7_cond cond_of(struct mesh_compile *k, const char *name, const struct val *match, const char **why)
{
	struct l7_cond c = { .name = name };
	const char *exact = val_str_at(match, "exact"), *prefix = val_str_at(match, "prefix"), *regex = val_str_at(match, "regex");

	regex = regex && streq(regex, "*") ? NULL : regex;      /* no expression: it is there (route.go canBeConvertedToPresentMatch) */
	c.how = exact ? L7_EXACT : prefix ? L7_PREFIX : regex ? L7_REGEX : L7_PRESENT;
	c.value = exact ? exact : prefix ? prefix : regex;
	if (regex && !exact && !prefix) {
		c.re = regex_compile(k->a, regex, false, why);
		if (!c.re)
			c.how = L7_PRESENT;
	}
	return c;
}

static const char *quoted(struct mesh_compile *k, const char *text)
{
	struct sb s = { 0 };
	const char *out;

	for (const char *p = text; *p; p++) {
		if (strchr("\\^$.|?*+()[]{}", *p))
			sb_addc(&s, '\\');
		sb_addc(&s, *p);
	}
	out = arena_strdup(k->a, sb_text(&s));
	sb_free(&s);
	return out;
}

static struct l7_route *new_route(struct mesh_compile *k, const char *vhost, const struct val *m, const char **why)
{
	const struct val *uri = val_get(m, "uri");
	const char *exact = val_str_at(uri, "exact"), *prefix = val_str_at(uri, "prefix"), *regex = val_str_at(uri, "regex");
	bool nocase = val_bool_or(val_get(m, "ignoreUriCase"), false) && (exact || regex || (prefix && !streq(prefix, "/")));
	enum l7_path kind = exact ? L7_PATH_EXACT : regex ? L7_PATH_REGEX : L7_PATH_STRING;
	const char *text = exact ? exact : prefix ? prefix : regex ? regex : "/";
	struct l7_route *r;

	if (nocase && kind != L7_PATH_REGEX) {
		text = arena_printf(k->a, kind == L7_PATH_EXACT ? "%s" : "%s.*", quoted(k, text));
		kind = L7_PATH_REGEX;
	}
	r = table_route(k->t, table_vhost(k->t, k->group, vhost), kind, text);
	if (kind == L7_PATH_REGEX) {
		r->nocase = nocase;
		r->re = regex_compile(k->a, text, nocase, why);
		if (!r->re) {
			r->re = regex_compile(k->a, "", false, NULL);
			r->search = true;
		}
	}
	r->text = arena_printf(k->a, "%s %s", exact ? "exact" : regex ? "regex" : "prefix", exact ? exact : regex ? regex : prefix ? prefix : "/");
	return r;
}

bool mesh_applies(struct mesh_compile *k, const struct raw_object *vs, const struct val *m)
{
	const struct val *gateways = val_get(m, "gateways"), *port = val_get(m, "port"), *labels = val_get(m, "sourceLabels");
	const char *ns = val_str_at(m, "sourceNamespace");

	if (port && k->port && val_int_or(port, 0) != k->port)
		return false;
	if (gateways && gateways->nr && !mesh_gateway_listed(k, vs, gateways))
		return false;
	if ((ns || labels) && !k->who.labels)
		return false;
	if (ns && !streq(ns, k->who.ns))
		return false;
	return !labels || pairs_match(mesh_labels(k, labels), k->who.labels);
}

/* Of requests, where gateways are listed, the other conditions on who asks are not looked at (route.go sourceMatchHTTP; those of connections are, tls.go). */
static bool applies_to_requests(struct mesh_compile *k, const struct raw_object *vs, const struct val *m)
{
	const struct val *gateways = val_get(m, "gateways"), *port = val_get(m, "port");

	if (!gateways || !gateways->nr)
		return mesh_applies(k, vs, m);
	return mesh_gateway_listed(k, vs, gateways) && (!port || !k->port || val_int_or(port, 0) == k->port);
}

bool mesh_catches_all(const struct l7_route *r)
{
	return !r->headers.nr && !r->query.nr && !r->methods.nr && streq(r->path, r->path_kind == L7_PATH_REGEX ? ".*" : "/") && r->path_kind != L7_PATH_EXACT;
}

/* NULL: it is not for this proxy. */
static struct l7_route *add_match(struct mesh_compile *k, const char *vhost, const struct raw_object *vs, const struct val *m, const struct l7_action *act, const char *at)
{
	const char *why = NULL;
	struct l7_route *r;

	if (!applies_to_requests(k, vs, m))
		return NULL;
	r = new_route(k, vhost, m, &why);
	r->action = act;
	r->cause = vs->o.id;
	r->cause_path = at;
	if (val_get(m, "method"))
		vec_add(k->a, &r->methods, cond_of(k, "method", val_get(m, "method"), &why));
	if (val_get(m, "authority"))
		vec_add(k->a, &r->headers, cond_of(k, ":authority", val_get(m, "authority"), &why));
	if (val_get(m, "scheme"))
		vec_add(k->a, &r->headers, cond_of(k, ":scheme", val_get(m, "scheme"), &why));
	VAL_EACH_KEY(h, val_get(m, "headers"))
		vec_add(k->a, &r->headers, cond_of(k, h->key, h, &why));
	VAL_EACH_KEY(h, val_get(m, "withoutHeaders")) {
		struct l7_cond c = cond_of(k, h->key, h, &why);

		c.not = true;
		c.absent_is_empty = c.how != L7_PRESENT;        /* TreatMissingHeaderAsEmpty */
		vec_add(k->a, &r->headers, c);
	}
	VAL_EACH_KEY(q, val_get(m, "queryParams"))
		vec_add(k->a, &r->query, cond_of(k, q->key, q, &why));
	if (why) {
		struct l7_action *cannot = arena_make(k->a, struct l7_action);

		cannot->unknown = arena_printf(k->a, "a regular expression of VirtualService %s/%s is not understood: %s", vs->o.ns, vs->o.name, why);
		r->action = cannot;
	}
	return r;
}

/* What stands behind a route that catches all is never sent to a proxy (BuildHTTPRoutesForVirtualService). */
bool mesh_add_virtual_service(struct mesh_compile *k, const char *vhost, const struct raw_object *vs)
{
	static const struct val always[1];
	uint32_t nr;
	const struct mesh_http *v = mesh_http_routes(k, vs, &nr);
	bool any = false, caught = false;

	for (uint32_t i = 0; i < nr; i++) {
		const struct l7_action *act = action_of(k, v[i].vs, v[i].http, v[i].at);
		const struct val *first = val_first(val_get(v[i].http, "match"));
		uint32_t n = 0;

		for (const struct val *m = first ? first : always; m; m = m == always ? NULL : m->next) {
			struct l7_route *r = add_match(k, vhost, v[i].vs, first ? m : NULL, act, first && !v[i].merged ? arena_printf(k->a, "%s.match[%u]", v[i].at, n++) : v[i].at);

			if (r) {
				any = true;
				r->behind = caught;
				caught = caught || mesh_catches_all(r);
			}
		}
	}
	return any;
}

bool mesh_gateway_listed(const struct mesh_compile *k, const struct raw_object *vs, const struct val *gateways)
{
	if (!gateways || !gateways->nr)
		return streq(k->who.gateway, "mesh");
	VAL_EACH(g, gateways) {
		const char *name = val_str(g);

		if (!name)
			continue;
		if (streq(name, k->who.gateway) || (!strchr(name, '/') && !streq(name, "mesh") && streq(arena_printf(k->a, "%s/%s", vs->o.ns, name), k->who.gateway)))
			return true;
	}
	return false;
}
