/* ingress-nginx: what its annotations, and its ConfigMap, do to the requests of one location. Source: kubernetes/ingress-nginx internal/ingress/annotations,
 * internal/ingress/controller/config/config.go, rootfs/etc/nginx/template/nginx.tmpl, rootfs/etc/nginx/lua/lua_ingress.lua. */
#include "model/l7/nginx_parts.h"

#include <stdlib.h>

/* What an annotation means for one request. */
enum effect {
	MODELLED,
	NO_EFFECT,              /* on which answer one request gets: times, sizes, logs, rates, cookies */
	DECIDES,                /* may decide, and is not modelled: the answer is unknown */
};
static const struct { const char *name; enum effect effect; } annotations[] = {
	{ "affinity", NO_EFFECT }, { "affinity-canary-behavior", NO_EFFECT }, { "affinity-mode", NO_EFFECT },
	{ "allowlist-source-range", MODELLED }, { "app-root", MODELLED }, { "auth-realm", MODELLED }, { "auth-secret", MODELLED },
	{ "auth-secret-type", MODELLED }, { "auth-type", MODELLED }, { "backend-protocol", MODELLED },
	{ "canary", MODELLED }, { "canary-by-cookie", MODELLED }, { "canary-by-header", MODELLED }, { "canary-by-header-pattern", MODELLED },
	{ "canary-by-header-value", MODELLED }, { "canary-weight", MODELLED }, { "canary-weight-total", MODELLED },
	{ "client-body-buffer-size", NO_EFFECT }, { "connection-proxy-header", NO_EFFECT }, { "cors-allow-credentials", MODELLED },
	{ "cors-allow-headers", MODELLED }, { "cors-allow-methods", MODELLED }, { "cors-allow-origin", MODELLED }, { "cors-expose-headers", MODELLED },
	{ "cors-max-age", MODELLED }, { "custom-headers", NO_EFFECT }, { "custom-http-errors", MODELLED }, { "default-backend", MODELLED },
	{ "denylist-source-range", MODELLED }, { "disable-proxy-intercept-errors", NO_EFFECT }, { "enable-access-log", NO_EFFECT },
	{ "enable-cors", MODELLED }, { "enable-opentelemetry", NO_EFFECT }, { "enable-opentracing", NO_EFFECT }, { "enable-rewrite-log", NO_EFFECT },
	{ "force-ssl-redirect", MODELLED }, { "from-to-www-redirect", MODELLED }, { "grpc-backend", NO_EFFECT }, { "http2-push-preload", NO_EFFECT },
	{ "limit-allowlist", NO_EFFECT }, { "limit-burst-multiplier", NO_EFFECT }, { "limit-connections", NO_EFFECT }, { "limit-rate", NO_EFFECT },
	{ "limit-rate-after", NO_EFFECT }, { "limit-rpm", NO_EFFECT }, { "limit-rps", NO_EFFECT }, { "limit-whitelist", NO_EFFECT },
	{ "load-balance", NO_EFFECT }, { "mirror-host", NO_EFFECT }, { "mirror-request-body", NO_EFFECT }, { "mirror-target", NO_EFFECT },
	{ "opentelemetry-operation-name", NO_EFFECT }, { "opentelemetry-trust-incoming-span", NO_EFFECT }, { "permanent-redirect", MODELLED },
	{ "permanent-redirect-code", MODELLED }, { "preserve-trailing-slash", MODELLED }, { "proxy-body-size", NO_EFFECT }, { "proxy-buffer-size", NO_EFFECT },
	{ "proxy-buffering", NO_EFFECT }, { "proxy-buffers-number", NO_EFFECT }, { "proxy-busy-buffers-size", NO_EFFECT }, { "proxy-connect-timeout", NO_EFFECT },
	{ "proxy-cookie-domain", NO_EFFECT }, { "proxy-cookie-path", NO_EFFECT }, { "proxy-http-version", NO_EFFECT }, { "proxy-max-temp-file-size", NO_EFFECT },
	{ "proxy-next-upstream", NO_EFFECT }, { "proxy-next-upstream-timeout", NO_EFFECT }, { "proxy-next-upstream-tries", NO_EFFECT },
	{ "proxy-read-timeout", NO_EFFECT }, { "proxy-redirect-from", NO_EFFECT }, { "proxy-redirect-to", NO_EFFECT }, { "proxy-request-buffering", NO_EFFECT },
	{ "proxy-send-timeout", NO_EFFECT }, { "proxy-ssl-ciphers", NO_EFFECT }, { "proxy-ssl-name", NO_EFFECT }, { "proxy-ssl-protocols", NO_EFFECT },
	{ "proxy-ssl-secret", NO_EFFECT }, { "proxy-ssl-server-name", NO_EFFECT }, { "proxy-ssl-verify", NO_EFFECT }, { "proxy-ssl-verify-depth", NO_EFFECT },
	{ "relative-redirects", NO_EFFECT }, { "rewrite-target", MODELLED }, { "server-alias", MODELLED }, { "service-upstream", MODELLED },
	{ "session-cookie-change-on-failure", NO_EFFECT }, { "session-cookie-conditional-samesite-none", NO_EFFECT }, { "session-cookie-domain", NO_EFFECT },
	{ "session-cookie-expires", NO_EFFECT }, { "session-cookie-hash", NO_EFFECT }, { "session-cookie-max-age", NO_EFFECT }, { "session-cookie-name", NO_EFFECT },
	{ "session-cookie-path", NO_EFFECT }, { "session-cookie-samesite", NO_EFFECT }, { "session-cookie-secure", NO_EFFECT }, { "ssl-ciphers", NO_EFFECT },
	{ "ssl-passthrough", DECIDES }, { "ssl-prefer-server-ciphers", NO_EFFECT }, { "ssl-redirect", MODELLED }, { "temporal-redirect", MODELLED },
	{ "temporal-redirect-code", MODELLED }, { "upstream-hash-by", NO_EFFECT }, { "upstream-hash-by-subset", NO_EFFECT },
	{ "upstream-hash-by-subset-size", NO_EFFECT }, { "upstream-vhost", MODELLED }, { "use-port-in-redirects", NO_EFFECT }, { "use-regex", MODELLED },
	{ "whitelist-source-range", MODELLED }, { "x-forwarded-prefix", MODELLED },
};

const char *nginx_note(const struct ingress *ing, const char *name)
{
	const size_t n = strlen(NGINX_PREFIX);

	for (uint32_t k = 0; k < ing->o.annotations.nr; k++)
		if (strncmp(ing->o.annotations.v[k].key, NGINX_PREFIX, n) == 0 && strcmp(ing->o.annotations.v[k].key + n, name) == 0)
			return ing->o.annotations.v[k].value;
	return NULL;
}

bool nginx_true(const char *v) { return v && (streq(v, "true") || streq(v, "True") || streq(v, "TRUE") || streq(v, "1") || streq(v, "t") || streq(v, "T")); }
bool nginx_noted(const struct ingress *ing, const char *name) { return nginx_true(nginx_note(ing, name)); }

static const char *undecided(struct nginx *n, const struct ingress *ing)
{
	for (uint32_t k = 0; k < ing->o.annotations.nr; k++) {
		const char *key = ing->o.annotations.v[k].key, *value = ing->o.annotations.v[k].value;
		size_t i = 0;

		if (strncmp(key, NGINX_PREFIX, strlen(NGINX_PREFIX)) != 0)
			continue;
		while (i < ARRAY_LEN(annotations) && strcmp(annotations[i].name, key + strlen(NGINX_PREFIX)) != 0)
			i++;
		if (i < ARRAY_LEN(annotations) && annotations[i].effect != DECIDES)
			continue;
		if (streq(value, "false") || !*value)
			continue;
		return arena_printf(n->t->arena, "the annotation %s of Ingress %s/%s is not modelled and may change the answer", key, ing->o.ns, ing->o.name);
	}
	return NULL;
}

bool nginx_rewrites(const struct location *l)
{
	const char *target = nginx_note(l->ing, "rewrite-target");

	return target && *target && strcmp(target, l->path) != 0;
}

int nginx_code(const char *text, int lo, int hi, int dflt)
{
	int v = text ? atoi(text) : 0;

	return v >= lo && v <= hi ? v : dflt;
}

/* ---- the ConfigMap */

/* Keys that may decide about a request and are not modelled. */
static const char *const deciding_keys[] = {
	"block-cidrs", "block-referers", "block-user-agents", "enable-modsecurity", "global-auth-url", "http-snippet", "location-snippet", "main-snippet", "server-snippet",
	"use-proxy-protocol", NULL
};

static const struct object *named(struct cluster *c, const struct kind *kind, const char *text)
{
	const char *slash = text ? strchr(text, '/') : NULL;
	str ns = slash ? str_intern_n(cluster_strings(c), text, (size_t)(slash - text)) : NULL;

	return slash ? cluster_find(c, kind, ns, slash + 1) : NULL;
}

struct nginx_config nginx_config(struct cluster *c, const struct l7_controller *who, struct arena *a)
{
	struct nginx_config out = { .ssl_redirect = true, .plain = "/.well-known/acme-challenge", .redirect = 308 };
	const struct object *o = named(c, &config_map_kind, who ? who->config : NULL);
	const struct val *data = o && o->doc ? val_get(o->doc, "data") : NULL;
	const char *v;

	for (size_t k = 0; deciding_keys[k] && !out.unknown; k++) {
		v = val_str_at(data, deciding_keys[k]);
		if (v && *v && !streq(v, "false"))
			out.unknown = arena_printf(a, "%s in ConfigMap %s is not modelled and may change the answer", deciding_keys[k], who->config);
	}
	out.ssl_redirect = (v = val_str_at(data, "ssl-redirect")) ? nginx_true(v) : true;
	out.force_ssl_redirect = nginx_true(val_str_at(data, "force-ssl-redirect"));
	out.forwarded = nginx_true(val_str_at(data, "use-forwarded-headers"));
	out.allow = val_str_at(data, "whitelist-source-range");
	out.deny = val_str_at(data, "denylist-source-range");
	out.plain = (v = val_str_at(data, "no-tls-redirect-locations")) ? v : out.plain;
	out.errors = val_str_at(data, "custom-http-errors");
	out.fallback = (const struct service *)named(c, &service_kind, who ? who->fallback : NULL);
	out.redirect = nginx_code(val_str_at(data, "http-redirect-code"), 301, 308, out.redirect);
	return out;
}

/* ---- source ranges */

static bool ranges(struct nginx *n, struct l7_guard *g, const char *list)
{
	const char *p = list;
	uint32_t commas = 1;

	for (const char *q = list; *q; q++)
		commas += *q == ',';
	g->cidrs = arena_array(n->t->arena, struct cidr, commas);
	while (*p) {
		size_t len;
		const char *one;
		ip_addr ip;

		p += strspn(p, ", ");
		len = strcspn(p, ", ");
		one = arena_strndup(n->t->arena, p, len);
		if (len && ip_parse(one, &ip))
			g->cidrs[g->nr++] = (struct cidr){ ip, (uint8_t)ip_bits(ip), true };
		else if (len && cidr_parse(one, &g->cidrs[g->nr]))
			g->nr++;
		else if (len)
			return false;
		p += len;
	}
	return true;
}

static void add_denied(struct nginx *n, struct l7_action *act, const char *why)
{
	vec_add(n->t->arena, &act->guards, (struct l7_guard){ .kind = L7_GUARD_DENIED, .status = 503, .text = why });
}

static void guard_source(struct nginx *n, struct l7_action *act, const char *list, bool deny)
{
	struct l7_guard g = { .kind = L7_GUARD_SOURCE, .deny = deny, .status = 403 };

	if (list && *list && ranges(n, &g, list))
		vec_add(n->t->arena, &act->guards, g);
}

/* ---- passwords. Source: internal/ingress/annotations/auth/main.go Parse: what does not hold denies the location. */

static const char *bad_auth(struct nginx *n, const struct ingress *ing)
{
	const char *type = nginx_note(ing, "auth-type"), *secret = nginx_note(ing, "auth-secret"), *how = nginx_note(ing, "auth-secret-type");
	const char *slash = secret ? strchr(secret, '/') : NULL;
	const struct object *o;
	struct arena *a = n->t->arena;

	if (!streq(type, "basic") && !streq(type, "digest"))
		return arena_printf(a, "auth-type %s is not one that it knows: basic, digest are", type);
	if (!secret || !*secret)
		return "auth-secret is missing";
	if (slash && (strlen(ing->o.ns) != (size_t)(slash - secret) || strncmp(secret, ing->o.ns, (size_t)(slash - secret)) != 0))
		return "auth-secret is of another namespace";
	o = cluster_find(n->t->cluster, &secret_kind, ing->o.ns, slash ? slash + 1 : secret);
	if (!o)
		return arena_printf(a, "the Secret %s of auth-secret does not exist", secret);
	if (how && !streq(how, "auth-file") && !streq(how, "auth-map"))
		return arena_printf(a, "auth-secret-type %s is not one that it knows: auth-file, auth-map are", how);
	if (!streq(how, "auth-map") && o->doc && !val_path(o->doc, "data.auth") && !val_path(o->doc, "stringData.auth"))
		return arena_printf(a, "the Secret %s of auth-secret has no key \"auth\"", secret);
	return NULL;
}

/* Why every request of the location is answered 503; NULL: it is allowed. */
static const char *denied(struct nginx *n, const struct location *l, const char *allow, const char *deny)
{
	struct l7_guard g = { 0 };

	if ((allow && !ranges(n, &g, allow)) || (deny && (g.nr = 0, !ranges(n, &g, deny))))
		return "its source ranges cannot be read";
	return nginx_note(l->ing, "auth-type") ? bad_auth(n, l->ing) : NULL;
}

/* ---- cross-origin requests. Source: template CORS, buildCorsOriginRegex, annotations/cors/main.go. */

static const char *origins_regex(struct nginx *n, const char *list)
{
	struct arena *a = n->t->arena;
	const char *out = NULL;

	while (*list) {
		size_t len;
		const char *one, *star;

		list += strspn(list, ", ");
		len = strcspn(list, ", ");
		one = arena_strndup(a, list, len);
		if (streq(one, "*"))
			return NULL;
		star = strchr(one, '*');
		one = star ? arena_printf(a, "%s[A-Za-z0-9\\-]+%s", regex_literal(a, arena_strndup(a, one, (size_t)(star - one))), regex_literal(a, star + 1)) : regex_literal(a, one);
		if (len)
			out = arena_printf(a, "%s%s(%s)", out ? out : "", out ? "|" : "", one);
		list += len;
	}
	return out ? arena_printf(a, "(%s)$", out) : NULL;
}

static str_list one_text(struct arena *a, const char *text)
{
	str_list l = { .v = arena_array(a, str, 1), .nr = text && *text ? 1 : 0 };

	l.v[0] = text;
	return l;
}

static const struct l7_cors *cors_of(struct nginx *n, const struct ingress *ing)
{
	struct arena *a = n->t->arena;
	struct l7_cors *c = arena_make(a, struct l7_cors);
	const char *origin = nginx_note(ing, "cors-allow-origin"), *headers = nginx_note(ing, "cors-allow-headers"), *methods = nginx_note(ing, "cors-allow-methods");
	const char *credentials = nginx_note(ing, "cors-allow-credentials"), *age = nginx_note(ing, "cors-max-age"), *re = origin ? origins_regex(n, origin) : NULL;

	c->nginx = true;
	c->origin = re ? regex_compile(a, re, true, NULL) : NULL;
	c->methods = one_text(a, methods ? methods : "GET, PUT, POST, DELETE, PATCH, OPTIONS");
	c->headers = one_text(a, headers ? headers : "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization");
	c->expose = one_text(a, nginx_note(ing, "cors-expose-headers"));
	c->credentials = !credentials || nginx_true(credentials);
	c->max_age = nginx_code(age, 1, INT32_MAX, 1728000);
	return c;
}

/* ---- all of them */

static bool stays_plain(const char *path, const char *list)
{
	while (*list) {
		size_t len;

		list += strspn(list, ", ");
		len = strcspn(list, ", ");
		if (len && strncmp(path, list, len) == 0)
			return true;
		list += len;
	}
	return false;
}

static void guard_tls(struct nginx *n, struct l7_action *act, const struct location *l, const struct server *s)
{
	const char *ssl = nginx_note(l->ing, "ssl-redirect"), *force = nginx_note(l->ing, "force-ssl-redirect");

	if (stays_plain(l->path, n->config.plain))
		return;
	if ((force ? nginx_true(force) : n->config.force_ssl_redirect) || (s->tls && (ssl ? nginx_true(ssl) : n->config.ssl_redirect)))
		vec_add(n->t->arena, &act->guards, (struct l7_guard){ .kind = L7_GUARD_TLS, .status = n->config.redirect, .keep_slash = nginx_noted(l->ing, "preserve-trailing-slash") });
}

static void guard_redirect(struct nginx *n, struct l7_action *act, const struct location *l)
{
	const char *temporal = nginx_note(l->ing, "temporal-redirect"), *permanent = nginx_note(l->ing, "permanent-redirect");
	struct l7_guard g = { .kind = L7_GUARD_REDIRECT, .text = temporal ? temporal : permanent };

	g.status = temporal ? nginx_code(nginx_note(l->ing, "temporal-redirect-code"), 300, 307, 302) : nginx_code(nginx_note(l->ing, "permanent-redirect-code"), 300, 308, 301);
	if (g.text)
		vec_add(n->t->arena, &act->guards, g);
}

/* In nginx' order: the rewrite phase (app-root, cross-origin answers, redirects, then https by Lua), the access phase (source ranges, passwords). A location that is
 * denied has of all this only app-root and https. */
void nginx_guards(struct nginx *n, struct l7_action *act, const struct location *l, const struct server *s)
{
	const char *root = nginx_note(l->ing, "app-root"), *allow = nginx_note(l->ing, "whitelist-source-range"), *deny = nginx_note(l->ing, "denylist-source-range");
	const char *errors = nginx_note(l->ing, "custom-http-errors"), *no;
	struct arena *a = n->t->arena;

	allow = allow ? allow : nginx_note(l->ing, "allowlist-source-range");
	allow = allow ? allow : n->config.allow;
	deny = deny ? deny : n->config.deny;
	act->unknown = n->config.unknown ? n->config.unknown : undecided(n, l->ing);
	act->intercepts = errors ? errors : n->config.errors;
	no = denied(n, l, allow, deny);
	if (n->config.forwarded)
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_FORWARDED });
	if (root && *root == '/' && streq(l->path, "/"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_APP_ROOT, .text = root });
	if (!no && nginx_noted(l->ing, "enable-cors"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_PREFLIGHT, .cors = cors_of(n, l->ing) });
	if (!no)
		guard_redirect(n, act, l);
	guard_tls(n, act, l, s);
	if (no) {
		add_denied(n, act, arena_printf(a, "ingress-nginx denies the location: %s", no));
		table_finding(n->t, true, l->ing->o.id, l->at, "every request is answered 503: %s", no);
		return;
	}
	guard_source(n, act, deny, true);
	guard_source(n, act, allow, false);
	if (nginx_note(l->ing, "auth-type"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_BASIC_AUTH });
}

/* ---- changes */

void nginx_filters(struct nginx *n, struct l7_action *act, const struct location *l)
{
	const char *vhost = nginx_note(l->ing, "upstream-vhost"), *prefix = nginx_note(l->ing, "x-forwarded-prefix"), *target = nginx_note(l->ing, "rewrite-target");
	struct l7_filter f = { .kind = L7_REWRITE };
	struct http_pair *set;

	f.rewrite.host = vhost;
	if (nginx_rewrites(l))
		f.rewrite.path = (struct l7_path_change){ L7_CAPTURES, target, NULL };
	if (vhost || nginx_rewrites(l))
		vec_add(n->t->arena, &act->filters, f);
	if (nginx_noted(l->ing, "enable-cors"))
		vec_add(n->t->arena, &act->filters, (struct l7_filter){ .kind = L7_CORS, .cors = cors_of(n, l->ing) });
	if (!prefix || !nginx_rewrites(l))
		return;
	set = arena_make(n->t->arena, struct http_pair);
	*set = (struct http_pair){ "X-Forwarded-Prefix", prefix };
	vec_add(n->t->arena, &act->filters, (struct l7_filter){ .kind = L7_REQUEST_HEADERS, .headers = { .set = set, .nr_set = 1 } });
}
