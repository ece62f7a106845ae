/* ingress-nginx: how it turns Ingresses into servers and locations, and what its annotations do. Source: kubernetes/ingress-nginx
 * internal/ingress/controller/controller.go (createServers, getBackendServers, mergeAlternativeBackends), location.go (updateServerLocations),
 * template/template.go (buildLocation, enforceRegexModifier, buildProxyPass), docs/user-guide/nginx-configuration/annotations.md. */
#include <ctype.h>
#include <stdlib.h>

#include "model/l7/ingress.h"

#define PREFIX "nginx.ingress.kubernetes.io/"

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
	{ "client-body-buffer-size", NO_EFFECT }, { "connection-proxy-header", NO_EFFECT }, { "cors-allow-credentials", NO_EFFECT },
	{ "cors-allow-headers", NO_EFFECT }, { "cors-allow-methods", NO_EFFECT }, { "cors-allow-origin", NO_EFFECT }, { "cors-expose-headers", NO_EFFECT },
	{ "cors-max-age", NO_EFFECT }, { "custom-headers", NO_EFFECT }, { "custom-http-errors", NO_EFFECT }, { "default-backend", MODELLED },
	{ "denylist-source-range", MODELLED }, { "disable-proxy-intercept-errors", NO_EFFECT }, { "enable-access-log", NO_EFFECT },
	{ "enable-cors", MODELLED }, { "enable-opentelemetry", NO_EFFECT }, { "enable-opentracing", NO_EFFECT }, { "enable-rewrite-log", NO_EFFECT },
	{ "force-ssl-redirect", MODELLED }, { "from-to-www-redirect", MODELLED }, { "grpc-backend", NO_EFFECT }, { "http2-push-preload", NO_EFFECT },
	{ "limit-allowlist", NO_EFFECT }, { "limit-burst-multiplier", NO_EFFECT }, { "limit-connections", NO_EFFECT }, { "limit-rate", NO_EFFECT },
	{ "limit-rate-after", NO_EFFECT }, { "limit-rpm", NO_EFFECT }, { "limit-rps", NO_EFFECT }, { "limit-whitelist", NO_EFFECT },
	{ "load-balance", NO_EFFECT }, { "mirror-host", NO_EFFECT }, { "mirror-request-body", NO_EFFECT }, { "mirror-target", NO_EFFECT },
	{ "opentelemetry-operation-name", NO_EFFECT }, { "opentelemetry-trust-incoming-span", NO_EFFECT }, { "permanent-redirect", MODELLED },
	{ "permanent-redirect-code", MODELLED }, { "preserve-trailing-slash", NO_EFFECT }, { "proxy-body-size", NO_EFFECT }, { "proxy-buffer-size", NO_EFFECT },
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

struct location {
	str path;
	const char *type;                       /* Exact, Prefix */
	const struct ingress *ing;
	const struct ing_backend *backend;      /* NULL: the default backend, 404 */
	const char *at;
	bool dflt;                              /* stands in until a rule claims the path */
};
typedef VEC(struct location) locations;
struct server { str host; locations locs; bool tls; const char *aliases; };
typedef VEC(struct server) servers;
struct alternative { const struct ingress *ing; const struct ing_backend *backend; struct l7_ref primary; };
struct nginx {
	struct route_table *t;
	uint32_t group;
	servers servers;
	struct map by_host;             /* interned host → server + 1 */
	struct map by_path;             /* (server, interned path) → the first location of that path + 1 */
	VEC(struct alternative) alternatives;
};

static const char *note(const struct ingress *ing, const char *name)
{
	char key[128];

	snprintf(key, sizeof(key), PREFIX "%s", name);
	return label_get(&ing->o.annotations, key);
}

static bool is_true(const char *v) { return v && (streq(v, "true") || streq(v, "True") || streq(v, "TRUE") || streq(v, "1") || streq(v, "t") || streq(v, "T")); }
static bool noted(const struct ingress *ing, const char *name) { return is_true(note(ing, name)); }

static bool is_canary(const struct ingress *ing) { return noted(ing, "canary"); }

static const char *undecided(struct nginx *n, const struct ingress *ing)
{
	for (uint32_t k = 0; k < ing->o.annotations.nr; k++) {
		const char *key = ing->o.annotations.v[k].key, *value = ing->o.annotations.v[k].value;
		size_t i = 0;

		if (strncmp(key, PREFIX, strlen(PREFIX)) != 0)
			continue;
		while (i < ARRAY_LEN(annotations) && strcmp(annotations[i].name, key + strlen(PREFIX)) != 0)
			i++;
		if (i < ARRAY_LEN(annotations) && annotations[i].effect != DECIDES)
			continue;
		if (streq(value, "false") || !*value)
			continue;
		return arena_printf(n->t->arena, "the annotation %s of Ingress %s/%s is not modelled and may change the answer", key, ing->o.ns, ing->o.name);
	}
	return NULL;
}

/* ---- servers and locations */

static struct server *server_find(struct nginx *n, const char *host)
{
	str key = str_find(cluster_strings(n->t->cluster), host);
	const uint64_t *at = key ? map_find(&n->by_host, map_ptr(key)) : NULL;

	return at ? &n->servers.v[*at - 1] : NULL;
}

static uint64_t path_key(const struct nginx *n, const struct server *s, str path) { return hash_mix(map_ptr(path), (uint64_t)(s - n->servers.v)); }

static void push_location(struct nginx *n, struct server *s, struct location l)
{
	uint64_t *at = map_put(&n->by_path, n->t->arena, path_key(n, s, l.path));

	vec_add(n->t->arena, &s->locs, l);
	if (!*at)
		*at = s->locs.nr;
}

static str host_of(const struct nginx *n, const struct ing_rule *r) { return r->host && *r->host ? r->host : cluster_str(n->t->cluster, "*"); }
static str path_of(const struct nginx *n, const struct ing_path *p) { return p->path && *p->path ? p->path : cluster_str(n->t->cluster, "/"); }

static void add_servers(struct nginx *n, const struct ingress *ing)
{
	for (uint32_t k = 0; k < ing->rules.nr; k++) {
		str host = host_of(n, &ing->rules.v[k]);
		const char *aliases = note(ing, "server-alias");
		struct server *s = server_find(n, host);

		if (!s) {
			s = vec_push(n->t->arena, &n->servers);
			s->host = host;
			*map_put(&n->by_host, n->t->arena, map_ptr(host)) = n->servers.nr;
			push_location(n, s, (struct location){ cluster_str(n->t->cluster, "/"), "Prefix", ing, ing->dflt_backend,
							       ing->dflt_backend ? "spec.defaultBackend" : NULL, true });
		}
		s->tls = s->tls || ing->tls.nr;
		s->aliases = s->aliases ? s->aliases : aliases;
	}
}

static void add_location(struct nginx *n, struct server *s, struct location l)
{
	const uint64_t *at = map_find(&n->by_path, path_key(n, s, l.path));
	struct location *have = at ? &s->locs.v[*at - 1] : NULL;

	if (!have || strcmp(have->type, l.type) != 0)
		push_location(n, s, l);
	else if (have->dflt)
		*have = l;
	else
		table_finding(n->t, false, l.ing->o.id, l.at, "path %s of host %s is claimed by an older rule: this one never matches", l.path, s->host);
}

static void add_paths(struct nginx *n, const struct ingress *ing)
{
	for (uint32_t i = 0; i < ing->rules.nr; i++)
		for (uint32_t k = 0; k < ing->rules.v[i].paths.nr; k++) {
			const struct ing_path *p = &ing->rules.v[i].paths.v[k];

			if (p->backend.service)
				add_location(n, server_find(n, host_of(n, &ing->rules.v[i])),
					     (struct location){ path_of(n, p), streq(p->type, "Exact") ? "Exact" : "Prefix", ing, &p->backend,
								arena_printf(n->t->arena, "spec.rules[%u].http.paths[%u]", i, k), false });
			else
				table_finding(n->t, true, ing->o.id, arena_printf(n->t->arena, "spec.rules[%u].http.paths[%u]", i, k),
					      "a resource backend is skipped by ingress-nginx");
		}
}

static int longest_first(const void *x, const void *y)
{
	const struct location *a = x, *b = y;
	size_t m = strlen(a->path), k = strlen(b->path);

	return m != k ? (m > k ? -1 : 1) : -strcmp(a->path, b->path) ? -strcmp(a->path, b->path) : strcmp(a->type, b->type);
}

static bool rewrites(const struct location *l)
{
	const char *target = note(l->ing, "rewrite-target");

	return target && *target && strcmp(target, l->path) != 0;
}

static bool wants_regex(const struct location *l) { return rewrites(l) || noted(l->ing, "use-regex"); }

/* A Prefix without regular expressions becomes `location PATH/` and `location = PATH` (updateServerLocations). */
static locations spelled(struct nginx *n, const struct server *s)
{
	locations out = { 0 };
	struct map exacts = { 0 };

	for (uint32_t k = 0; k < s->locs.nr; k++)
		if (streq(s->locs.v[k].type, "Exact"))
			map_put(&exacts, n->t->arena, map_ptr(s->locs.v[k].path));
	for (uint32_t k = 0; k < s->locs.nr; k++) {
		struct location l = s->locs.v[k], exact = l;
		size_t len = strlen(l.path);

		if (streq(l.type, "Prefix") && strcmp(l.path, "/") != 0 && !wants_regex(&l)) {
			bool taken = map_find(&exacts, map_ptr(l.path)) != NULL;

			if (l.path[len - 1] != '/')
				l.path = arena_printf(n->t->arena, "%s/", l.path);
			vec_add(n->t->arena, &out, l);
			exact.type = "Exact";
			if (!taken)
				vec_add(n->t->arena, &out, exact);
			continue;
		}
		vec_add(n->t->arena, &out, l);
	}
	return out;
}

/* ---- annotations of one location */

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

static void guard_source(struct nginx *n, struct l7_action *act, const char *list, bool deny)
{
	struct l7_guard g = { .kind = L7_GUARD_SOURCE, .deny = deny, .status = 403 };

	if (!list)
		return;
	if (!ranges(n, &g, list))
		g = (struct l7_guard){ .kind = L7_GUARD_UNKNOWN, .text = arena_printf(n->t->arena, "the source ranges \"%s\" cannot be read", list) };
	vec_add(n->t->arena, &act->guards, g);
}

static int code_or(const char *text, int lo, int hi, int dflt)
{
	int v = text ? atoi(text) : 0;

	return v >= lo && v <= hi ? v : dflt;
}

/* In nginx' order: the rewrite phase (app-root, redirects, https), then the access phase (source ranges, passwords), then cross-origin answers. */
static void add_guards(struct nginx *n, struct l7_action *act, const struct location *l, const struct server *s)
{
	const char *root = note(l->ing, "app-root"), *temporal = note(l->ing, "temporal-redirect"), *permanent = note(l->ing, "permanent-redirect");
	const char *ssl = note(l->ing, "ssl-redirect"), *list = note(l->ing, "whitelist-source-range");
	struct arena *a = n->t->arena;

	if (root && *root == '/' && streq(l->path, "/"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_APP_ROOT, .text = root });
	if (temporal)
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_REDIRECT, .text = temporal, .status = code_or(note(l->ing, "temporal-redirect-code"), 300, 307, 302) });
	else if (permanent)
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_REDIRECT, .text = permanent, .status = code_or(note(l->ing, "permanent-redirect-code"), 300, 308, 301) });
	if (noted(l->ing, "force-ssl-redirect") || (s->tls && (!ssl || is_true(ssl))))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_TLS, .status = 308 });
	guard_source(n, act, note(l->ing, "denylist-source-range"), true);
	guard_source(n, act, list ? list : note(l->ing, "allowlist-source-range"), false);
	if (streq(note(l->ing, "auth-type"), "basic"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_BASIC_AUTH });
	else if (note(l->ing, "auth-type"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_UNKNOWN, .text = "authentication by digest is not modelled" });
	if (noted(l->ing, "enable-cors"))
		vec_add(a, &act->guards, (struct l7_guard){ .kind = L7_GUARD_PREFLIGHT });
}

static void add_filters(struct nginx *n, struct l7_action *act, const struct location *l)
{
	const char *vhost = note(l->ing, "upstream-vhost"), *prefix = note(l->ing, "x-forwarded-prefix"), *target = note(l->ing, "rewrite-target");
	struct l7_filter f = { .kind = L7_REWRITE };
	struct http_pair *set;

	f.rewrite.host = vhost;
	if (rewrites(l))
		f.rewrite.path = (struct l7_path_change){ L7_CAPTURES, target, NULL };
	if (vhost || rewrites(l))
		vec_add(n->t->arena, &act->filters, f);
	if (!prefix || !rewrites(l))
		return;
	set = arena_make(n->t->arena, struct http_pair);
	*set = (struct http_pair){ "X-Forwarded-Prefix", prefix };
	vec_add(n->t->arena, &act->filters, (struct l7_filter){ .kind = L7_REQUEST_HEADERS, .headers = { .set = set, .nr_set = 1 } });
}

static struct l7_ref ref_of(struct nginx *n, const struct ingress *ing, const struct ing_backend *b)
{
	struct l7_ref r = ingress_ref(n->t->cluster, ing->o.ns, b, n->t->arena);
	const char *dflt = note(ing, "default-backend");
	const struct service *s = dflt ? find_service(n->t->cluster, ing->o.ns, dflt) : NULL;

	r.via_service = noted(ing, "service-upstream");
	r.protocol = note(ing, "backend-protocol");
	if (s && s->ports.nr) {
		struct l7_ref *f = arena_make(n->t->arena, struct l7_ref);

		*f = (struct l7_ref){ .ns = s->o.ns, .name = s->o.name, .port = s->ports.v[0].port, .service = s };
		r.fallback = f;
		if (r.why)
			r = *f;
	}
	return r;
}

static bool same_upstream(const struct l7_ref *a, const struct l7_ref *b) { return a->ns == b->ns && a->name == b->name && a->port == b->port; }

static void add_canaries(struct nginx *n, struct l7_action *act)
{
	for (uint32_t k = 0; k < n->alternatives.nr && !act->canaries.nr; k++) {
		const struct alternative *alt = &n->alternatives.v[k];
		const char *pattern = note(alt->ing, "canary-by-header-pattern"), *why = NULL;
		struct l7_canary c = { .header = note(alt->ing, "canary-by-header"), .value = note(alt->ing, "canary-by-header-value"),
				       .cookie = note(alt->ing, "canary-by-cookie"), .ref = ref_of(n, alt->ing, alt->backend) };

		if (!same_upstream(&alt->primary, &act->backends.v[0].ref))
			continue;
		c.weight = (uint32_t)code_or(note(alt->ing, "canary-weight"), 0, INT32_MAX, 0);
		c.total = (uint32_t)code_or(note(alt->ing, "canary-weight-total"), 101, INT32_MAX, 100);
		if (pattern && !(c.value && *c.value))
			c.pattern = regex_compile(n->t->arena, pattern, false, &why);
		if (why)
			act->unknown = arena_printf(n->t->arena, "canary-by-header-pattern \"%s\" is not understood: %s", pattern, why);
		vec_add(n->t->arena, &act->canaries, c);
	}
}

static const struct l7_action *location_action(struct nginx *n, const struct location *l, const struct server *s)
{
	struct l7_action *act = arena_make(n->t->arena, struct l7_action);

	act->unknown = undecided(n, l->ing);
	add_guards(n, act, l, s);
	if (!l->backend || !l->backend->service) {
		act->direct = 404;
		return act;
	}
	add_filters(n, act, l);
	vec_add(n->t->arena, &act->backends, (struct l7_backend){ .ref = ref_of(n, l->ing, l->backend), .weight = 1 });
	if (act->backends.v[0].ref.why)
		table_finding(n->t, true, l->ing->o.id, l->at, "%s: requests are answered %d", act->backends.v[0].ref.why, act->backends.v[0].ref.status);
	add_canaries(n, act);
	return act;
}

static void emit(struct nginx *n, const char *host, const struct server *s, const struct location *l, enum l7_path kind)
{
	const struct l7_action *act = location_action(n, l, s);
	struct l7_route *r = table_route(n->t, table_vhost(n->t, n->group, host), kind, l->path);
	const char *why = NULL;

	r->action = act;
	r->cause = l->ing->o.id;
	r->cause_path = l->at;
	if (kind == L7_PATH_REGEX) {
		r->search = r->nocase = true;
		r->re = regex_compile(n->t->arena, arena_printf(n->t->arena, "^%s", l->path), true, &why);
		r->text = arena_printf(n->t->arena, "location ~* \"^%s\"", l->path);
		if (!r->re) {
			struct l7_action *cannot = arena_make(n->t->arena, struct l7_action);

			cannot->unknown = arena_printf(n->t->arena, "the regular expression %s is not understood: %s", l->path, why);
			r->re = regex_compile(n->t->arena, "", true, NULL);
			r->action = cannot;
		}
		return;
	}
	r->text = arena_printf(n->t->arena, kind == L7_PATH_EXACT ? "location = %s" : "location %s", l->path);
}

static void emit_server(struct nginx *n, const char *host, const struct server *s, const locations *locs)
{
	bool regex = false;

	for (uint32_t k = 0; k < locs->nr; k++)
		regex = regex || wants_regex(&locs->v[k]);
	table_vhost(n->t, n->group, host);
	for (int exact = 1; exact >= 0 && !regex; exact--)
		for (uint32_t k = 0; k < locs->nr; k++)
			if (streq(locs->v[k].type, "Exact") == exact)
				emit(n, host, s, &locs->v[k], exact ? L7_PATH_EXACT : L7_PATH_STRING);
	for (uint32_t k = 0; k < locs->nr && regex; k++)
		emit(n, host, s, &locs->v[k], L7_PATH_REGEX);
}

/* www.HOST for HOST and the other way round, by 308. */
static void emit_www(struct nginx *n, const struct server *s)
{
	const char *other = strncmp(s->host, "www.", 4) == 0 ? s->host + 4 : arena_printf(n->t->arena, "www.%s", s->host);
	struct l7_action *act;
	struct l7_route *r;
	bool wanted = false;

	for (uint32_t k = 0; k < s->locs.nr; k++)
		wanted = wanted || noted(s->locs.v[k].ing, "from-to-www-redirect");
	if (!wanted || server_find(n, other) || streq(s->host, "*"))
		return;
	act = arena_make(n->t->arena, struct l7_action);
	vec_add(n->t->arena, &act->guards, (struct l7_guard){ .kind = L7_GUARD_REDIRECT, .status = 308, .text = arena_printf(n->t->arena, "$scheme://%s$request_uri", s->host) });
	r = table_route(n->t, table_vhost(n->t, n->group, other), L7_PATH_STRING, "/");
	r->action = act;
	r->cause = s->locs.v[0].ing->o.id;
	r->text = "from-to-www-redirect";
}

static void emit_aliases(struct nginx *n, const struct server *s, const locations *locs)
{
	const char *p = s->aliases;

	while (p && *p) {
		size_t len;
		const char *alias;

		p += strspn(p, ", ");
		len = strcspn(p, ", ");
		alias = arena_strndup(n->t->arena, p, len);
		if (len && !server_find(n, alias))
			emit_server(n, alias, s, locs);
		p += len;
	}
}

/* A canary stands for the locations of the same host, path and type; it then serves that upstream wherever it is used. */
static void add_alternatives(struct nginx *n, const struct ingress *ing)
{
	for (uint32_t i = 0; i < ing->rules.nr; i++) {
		const struct server *s = server_find(n, host_of(n, &ing->rules.v[i]));

		for (uint32_t k = 0; s && k < ing->rules.v[i].paths.nr; k++) {
			const struct ing_path *p = &ing->rules.v[i].paths.v[k];
			const struct l7_ref own = ref_of(n, ing, &p->backend);

			for (uint32_t j = 0; j < s->locs.nr; j++) {
				const struct location *l = &s->locs.v[j];
				struct l7_ref primary;

				if (!l->backend || !l->backend->service || l->path != path_of(n, p) ||
				    !streq(l->type, streq(p->type, "Exact") ? "Exact" : "Prefix"))
					continue;
				primary = ref_of(n, l->ing, l->backend);
				if (!same_upstream(&primary, &own))
					vec_add(n->t->arena, &n->alternatives, (struct alternative){ ing, &p->backend, primary });
			}
		}
	}
}

/* An Ingress with a backend and no rules serves what no host takes. */
static void catch_all(struct nginx *n, const struct ingress *ing)
{
	struct l7_hosts *g = &n->t->groups.v[n->group];
	struct location l = { "/", "Prefix", ing, ing->dflt_backend, "spec.defaultBackend", false };
	struct server none = { .host = "*", .tls = ing->tls.nr > 0 };

	if (!ing->dflt_backend || ing->rules.nr || g->dflt)
		return;
	g->dflt = location_action(n, &l, &none);
	g->dflt_cause = ing->o.id;
	g->dflt_path = "spec.defaultBackend";
}

void nginx_compile(struct route_table *t, uint32_t group, const struct served *s)
{
	struct nginx n = { .t = t, .group = group };

	for (uint32_t k = 0; k < s->nr; k++)
		if (!is_canary(s->v[k]))
			add_servers(&n, s->v[k]);
	for (uint32_t k = 0; k < s->nr; k++)
		if (!is_canary(s->v[k]))
			add_paths(&n, s->v[k]);
	for (uint32_t k = 0; k < s->nr; k++)
		if (is_canary(s->v[k]))
			add_alternatives(&n, s->v[k]);
	for (uint32_t k = 0; k < s->nr; k++)
		if (!is_canary(s->v[k]))
			catch_all(&n, s->v[k]);
	for (uint32_t k = 0; k < n.servers.nr; k++) {
		struct server *one = &n.servers.v[k];
		locations locs;

		qsort(one->locs.v, one->locs.nr, sizeof(*one->locs.v), longest_first);
		locs = spelled(&n, one);
		emit_server(&n, one->host, one, &locs);
		emit_aliases(&n, one, &locs);
		emit_www(&n, one);
	}
}
