/* ingress-nginx: what its annotations, and its ConfigMap, do to the requests of one location. Source: kubernetes/ingress-nginx internal/ingress/annotations,
 * internal/ingress/controller/config/config.go, rootfs/etc/nginx/template/nginx.tmpl, rootfs/etc/nginx/lua/lua_ingress.lua. */
#include "model/l7/nginx_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

bool nginx_rewrites(const struct nginx *n, const struct location *l)
{
	const char *target = nginx_note(n, l->ing, "rewrite-target");

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

/* Is it of the version 1.MINOR or newer? One that says no version is taken for one of today. */
static bool since(const struct l7_controller *who, int minor)
{
	const char *image = who ? who->image : NULL, *name = image ? strrchr(image, '/') : NULL, *tag = image ? strstr(name ? name : image, ":v") : NULL;
	int major = 0, have = 0;

	return !tag || sscanf(tag, ":v%d.%d", &major, &have) != 2 || major > 1 || (major == 1 && have >= minor);
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
	out.validates = who && who->validation ? nginx_true(who->validation) : since(who, 12);
	v = val_str_at(data, "strict-validate-path-type");
	out.strict_paths = v ? nginx_true(v) : since(who, 12);
	v = val_str_at(data, "annotations-risk-level");
	out.refuses_critical = who && who->image && since(who, 12) && (!v || strcasecmp(v, "Critical") != 0);
	out.blocked = val_str_at(data, "annotation-value-word-blocklist");
	out.response_headers = val_str_at(data, "global-allowed-response-headers");
	out.redirect = nginx_code(val_str_at(data, "http-redirect-code"), 301, 308, out.redirect);
	return out;
}

/* ---- source ranges */

bool nginx_ranges(struct arena *a, struct l7_guard *g, const char *list)
{
	const char *p = list;
	uint32_t commas = 1;

	for (const char *q = list; *q; q++)
		commas += *q == ',';
	g->cidrs = arena_array(a, struct cidr, commas);
	while (*p) {
		size_t len;
		const char *one;
		ip_addr ip;

		p += strspn(p, ", ");
		len = strcspn(p, ", ");
		one = arena_strndup(a, p, len);
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

	if (list && *list && nginx_ranges(n->t->arena, &g, list))
		vec_add(n->t->arena, &act->guards, g);
}

/* ---- passwords. Source: internal/ingress/annotations/auth/main.go Parse: what does not hold denies the location. */

static const char *bad_auth(struct nginx *n, const struct ingress *ing)
{
	const char *type = nginx_note(n, ing, "auth-type"), *secret = nginx_note(n, ing, "auth-secret"), *how = nginx_note(n, ing, "auth-secret-type");
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

static bool lists(const char *list, const char *name)
{
	for (const char *p = list; p && *p; p += *p == ',') {
		p += strspn(p, " ");
		if (strcspn(p, ", ") == strlen(name) && strncmp(p, name, strlen(name)) == 0)
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

/* custom-headers names a ConfigMap whose headers the controller's own one must allow (annotations/customheaders/main.go). */
static const char *bad_headers(struct nginx *n, const struct ingress *ing, const char *map)
{
	const char *slash = strchr(map, '/');
	const struct object *o = named(n->t->cluster, &config_map_kind, slash ? map : arena_printf(n->t->arena, "%s/%s", ing->o.ns, map));

	if (!o)
		return arena_printf(n->t->arena, "the ConfigMap %s of custom-headers does not exist", map);
	VAL_EACH_KEY(h, val_get(o->doc, "data"))
		if (!lists(n->config.response_headers, h->key))
			return arena_printf(n->t->arena, "header %s of custom-headers is not one of global-allowed-response-headers", h->key);
	return NULL;
}

/* proxy-ssl-secret: NS/NAME of a Secret of the same namespace (annotations/proxyssl/main.go). */
static const char *bad_client(struct nginx *n, const struct ingress *ing, const char *secret)
{
	const char *slash = strchr(secret, '/');

	if (!slash)
		return "proxy-ssl-secret must be of the form NAMESPACE/NAME";
	if (strlen(ing->o.ns) != (size_t)(slash - secret) || strncmp(secret, ing->o.ns, (size_t)(slash - secret)) != 0)
		return "proxy-ssl-secret is of another namespace";
	return named(n->t->cluster, &secret_kind, secret) ? NULL : arena_printf(n->t->arena, "the Secret %s of proxy-ssl-secret does not exist", secret);
}

/* Why every request of the location is answered 503; NULL: it is allowed. */
static const char *denied(struct nginx *n, const struct location *l, const char *allow, const char *deny)
{
	const char *headers = nginx_note(n, l->ing, "custom-headers"), *client = nginx_note(n, l->ing, "proxy-ssl-secret"), *why = NULL;
	struct l7_guard g = { 0 };

	if (nginx_blank(l->ing, "denylist-source-range") || (nginx_blank(l->ing, "allowlist-source-range") && !nginx_note(n, l->ing, "whitelist-source-range")) ||
	    (allow && !nginx_ranges(n->t->arena, &g, allow)) || (deny && (g.nr = 0, !nginx_ranges(n->t->arena, &g, deny))))
		return "its source ranges cannot be read";
	why = nginx_note(n, l->ing, "auth-type") ? bad_auth(n, l->ing) : NULL;
	why = why || !headers ? why : bad_headers(n, l->ing, headers);
	return why || !client ? why : bad_client(n, l->ing, client);
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
	const char *origin = nginx_note(n, ing, "cors-allow-origin"), *headers = nginx_note(n, ing, "cors-allow-headers"), *methods = nginx_note(n, ing, "cors-allow-methods");
	const char *credentials = nginx_note(n, ing, "cors-allow-credentials"), *age = nginx_note(n, ing, "cors-max-age"), *re = origin ? origins_regex(n, origin) : NULL;

	c->nginx = true;
	c->origin = re ? regex_compile(a, re, true, NULL) : NULL;
	c->methods = one_text(a, methods ? methods : "GET, PUT, POST, DELETE, PATCH, OPTIONS");
	c->headers = one_text(a, headers ? headers : "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization");
	c->expose = one_text(a, nginx_note(n, ing, "cors-expose-headers"));
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
	const char *ssl = nginx_note(n, l->ing, "ssl-redirect"), *force = nginx_note(n, l->ing, "force-ssl-redirect");

	if (stays_plain(l->path, n->config.plain))
		return;
	if ((force ? nginx_true(force) : n->config.force_ssl_redirect) || (s->tls && (ssl ? nginx_true(ssl) : n->config.ssl_redirect)))
		vec_add(n->t->arena, &act->guards, (struct l7_guard){ .kind = L7_GUARD_TLS, .status = n->config.redirect, .keep_slash = nginx_noted(n, l->ing, "preserve-trailing-slash") });
}

static void guard_redirect(struct nginx *n, struct l7_action *act, const struct location *l)
{
	const char *temporal = nginx_note(n, l->ing, "temporal-redirect"), *permanent = nginx_note(n, l->ing, "permanent-redirect");
	struct l7_guard g = { .kind = L7_GUARD_REDIRECT, .text = temporal ? temporal : permanent };

	if (nginx_bare_redirect(l->ing) || (temporal && strncmp(temporal, "http", 4) != 0))     /* then it reads none (annotations/redirect/main.go) */
		return;
	g.status = temporal ? nginx_code(nginx_note(n, l->ing, "temporal-redirect-code"), 300, 307, 302) : nginx_code(nginx_note(n, l->ing, "permanent-redirect-code"), 300, 308, 301);
	if (g.text)
		vec_add(n->t->arena, &act->guards, g);
}

/* satisfy any: a source that is allowed needs no password; one that is not is asked for it (ngx_http_core_access_phase: 401 before 403). */
static void guard_either(struct nginx *n, struct l7_action *act, const char *allow, const char *deny)
{
	struct l7_guard g = { .kind = L7_GUARD_BASIC_AUTH };

	if (allow)
		nginx_ranges(n->t->arena, &g, allow);
	if (allow && deny)
		act->unknown = act->unknown ? act->unknown : "satisfy any with allowed and denied source ranges is not modelled";
	vec_add(n->t->arena, &act->guards, g);
}

/* In nginx' order: the rewrite phase (app-root, cross-origin answers, redirects, then https by Lua), the access phase (source ranges, passwords). A location that is
 * denied has of all this only app-root and https. */
void nginx_guards(struct nginx *n, struct l7_action *act, const struct location *l, const struct server *s)
{
	const char *root = nginx_note(n, l->ing, "app-root"), *allow = nginx_note(n, l->ing, "allowlist-source-range"), *deny = nginx_note(n, l->ing, "denylist-source-range");
	const char *errors = nginx_note(n, l->ing, "custom-http-errors"), *no;
	struct arena *a = n->t->arena;

	allow = allow ? allow : nginx_note(n, l->ing, "whitelist-source-range");        /* its older name counts where it is absent */
	allow = allow ? allow : n->config.allow;
	deny = deny ? deny : n->config.deny;
	act->unknown = n->config.unknown ? n->config.unknown : nginx_undecided(n, l->ing);
	act->intercepts = errors ? errors : n->config.errors;
	no = denied(n, l, allow, deny);
	if (n->config.forwarded)
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_FORWARDED });
	if (root && *root == '/' && streq(l->path, "/"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_APP_ROOT, .text = root });
	if (!no && nginx_noted(n, l->ing, "enable-cors"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_PREFLIGHT, .cors = cors_of(n, l->ing) });
	if (!no)
		guard_redirect(n, act, l);
	guard_tls(n, act, l, s);
	if (no) {
		add_denied(n, act, arena_printf(a, "ingress-nginx denies the location: %s", no));
		table_finding(n->t, true, l->ing->o.id, l->at, "every request is answered 503: %s", no);
		return;
	}
	if (streq(nginx_note(n, l->ing, "satisfy"), "any") && nginx_note(n, l->ing, "auth-type")) {
		guard_either(n, act, allow, deny);
		return;
	}
	guard_source(n, act, deny, true);
	guard_source(n, act, allow, false);
	if (nginx_note(n, l->ing, "auth-type"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_BASIC_AUTH });
}

/* ---- changes */

void nginx_filters(struct nginx *n, struct l7_action *act, const struct location *l)
{
	const char *vhost = nginx_note(n, l->ing, "upstream-vhost"), *prefix = nginx_note(n, l->ing, "x-forwarded-prefix"), *target = nginx_note(n, l->ing, "rewrite-target");
	struct l7_filter f = { .kind = L7_REWRITE };
	struct http_pair *set;

	f.rewrite.host = vhost;
	if (nginx_rewrites(n, l))
		f.rewrite.path = (struct l7_path_change){ L7_CAPTURES, target, NULL };
	if (vhost || nginx_rewrites(n, l))
		vec_add(n->t->arena, &act->filters, f);
	if (nginx_noted(n, l->ing, "enable-cors"))
		vec_add(n->t->arena, &act->filters, (struct l7_filter){ .kind = L7_CORS, .cors = cors_of(n, l->ing) });
	if (!prefix || !nginx_rewrites(n, l))
		return;
	set = arena_make(n->t->arena, struct http_pair);
	*set = (struct http_pair){ "X-Forwarded-Prefix", prefix };
	vec_add(n->t->arena, &act->filters, (struct l7_filter){ .kind = L7_REQUEST_HEADERS, .headers = { .set = set, .nr_set = 1 } });
}
