/* ingress-nginx: how it turns Ingresses into servers and locations, and what its annotations do. Source: kubernetes/ingress-nginx
 * internal/ingress/controller/controller.go (createServers, getBackendServers, mergeAlternativeBackends), location.go (updateServerLocations),
 * template/template.go (buildLocation, enforceRegexModifier, buildProxyPass), docs/user-guide/nginx-configuration/annotations.md. */
#include "model/l7/nginx_parts.h"

#include <stdlib.h>

static bool is_canary(const struct nginx *n, const struct ingress *ing) { return nginx_noted(n, ing, "canary"); }

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
		const char *aliases = nginx_note(n, ing, "server-alias");
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

/* What the admission webhook asks of a path that is no regular expression (inspector/rules.go ValidatePathType). Without it the path is served. */
static void judge_path(struct nginx *n, const struct ingress *ing, const struct ing_path *p, const char *at)
{
	const char *path = p->path && *p->path ? p->path : "/";

	if (n->config.strict_paths && !streq(p->type, "ImplementationSpecific") &&
	    strspn(path, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(path))
		table_finding(n->t, true, ing->o.id, at, "the admission webhook of ingress-nginx refuses path %s with pathType %s: ImplementationSpecific takes it", path, p->type);
}

static void add_paths(struct nginx *n, const struct ingress *ing)
{
	for (uint32_t i = 0; i < ing->rules.nr; i++)
		for (uint32_t k = 0; k < ing->rules.v[i].paths.nr; k++) {
			const struct ing_path *p = &ing->rules.v[i].paths.v[k];

			judge_path(n, ing, p, arena_printf(n->t->arena, "spec.rules[%u].http.paths[%u]", i, k));
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

static bool wants_regex(const struct nginx *n, const struct location *l) { return nginx_rewrites(n, l) || nginx_noted(n, l->ing, "use-regex"); }

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

		if (streq(l.type, "Prefix") && strcmp(l.path, "/") != 0 && !wants_regex(n, &l)) {
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

/* ---- backends of one location */

static struct l7_ref ref_of(struct nginx *n, const struct ingress *ing, const struct ing_backend *b)
{
	struct l7_ref r = ingress_ref(n->t->cluster, ing->o.ns, b, n->t->arena);
	const char *dflt = nginx_note(n, ing, "default-backend");
	const struct service *s = dflt ? find_service(n->t->cluster, ing->o.ns, dflt) : NULL;

	r.via_service = nginx_noted(n, ing, "service-upstream");
	r.protocol = nginx_note(n, ing, "backend-protocol");
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
		const char *pattern = nginx_note(n, alt->ing, "canary-by-header-pattern"), *why = NULL;
		struct l7_canary c = { .header = nginx_note(n, alt->ing, "canary-by-header"), .value = nginx_note(n, alt->ing, "canary-by-header-value"),
				       .cookie = nginx_note(n, alt->ing, "canary-by-cookie"), .ref = ref_of(n, alt->ing, alt->backend) };

		if (!same_upstream(&alt->primary, &act->backends.v[0].ref))
			continue;
		c.weight = (uint32_t)nginx_code(nginx_note(n, alt->ing, "canary-weight"), 0, INT32_MAX, 0);
		c.total = (uint32_t)nginx_code(nginx_note(n, alt->ing, "canary-weight-total"), 101, INT32_MAX, 100);
		if (pattern && !(c.value && *c.value))
			c.pattern = regex_compile(n->t->arena, pattern, false, &why);
		if (why)
			act->unknown = arena_printf(n->t->arena, "canary-by-header-pattern \"%s\" is not understood: %s", pattern, why);
		vec_add(n->t->arena, &act->canaries, c);
	}
}

/* --default-backend-service, while it has endpoints; else the controller's own 404 (controller.go getDefaultUpstream). */
static void to_fallback(struct nginx *n, struct l7_action *act)
{
	const struct service *s = n->config.fallback;
	uint32_t nr = 0;

	if (s && s->ports.nr)
		service_endpoints(n->t->cluster, s, s->ports.v[0].port, NULL, n->t->arena, &nr);
	if (nr)
		vec_add(n->t->arena, &act->backends, (struct l7_backend){ .ref = { .ns = s->o.ns, .name = s->o.name, .port = s->ports.v[0].port, .service = s }, .weight = 1 });
	else
		act->direct = 404;
}

static const struct l7_action *location_action(struct nginx *n, const struct location *l, const struct server *s)
{
	struct l7_action *act = arena_make(n->t->arena, struct l7_action);

	nginx_guards(n, act, l, s);
	if (!l->backend || !l->backend->service) {
		to_fallback(n, act);
		return act;
	}
	nginx_filters(n, act, l);
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
		regex = regex || wants_regex(n, &locs->v[k]);
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
		wanted = wanted || nginx_noted(n, s->locs.v[k].ing, "from-to-www-redirect");
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
		if (*alias == '~')
			n->pattern_alias = alias;
		else if (len && !server_find(n, alias))
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

/* Hosts that no Ingress has. */
static void no_host(struct nginx *n)
{
	struct l7_hosts *g = &n->t->groups.v[n->group];
	struct l7_action *act;

	if (n->pattern_alias) {                 /* whatever host nobody has may be one of these */
		act = arena_make(n->t->arena, struct l7_action);
		act->unknown = arena_printf(n->t->arena, "the server-alias %s is a regular expression, which is not modelled", n->pattern_alias);
		g->dflt = act;
		return;
	}
	if (g->dflt || !n->config.fallback)
		return;
	act = arena_make(n->t->arena, struct l7_action);
	act->unknown = n->config.unknown;
	to_fallback(n, act);
	g->dflt = act;
	g->dflt_cause = n->config.fallback->o.id;
}

struct served nginx_reads(struct route_table *t, const struct served *s, const struct l7_controller *who)
{
	const struct nginx n = { .t = t, .config = nginx_config(t->cluster, who, t->arena), .patterns = arena_make(t->arena, struct map) };
	struct served out = { .v = arena_array(t->arena, const struct ingress *, s->nr) };

	for (uint32_t k = 0; k < s->nr; k++) {
		const char *why = nginx_left_out(&n, s->v[k]);

		if (why)
			table_finding(t, true, s->v[k]->o.id, "metadata.annotations", "ingress-nginx refuses the Ingress at admission, or leaves it out: %s", why);
		else
			out.v[out.nr++] = s->v[k];
	}
	return out;
}

void nginx_compile(struct route_table *t, uint32_t group, const struct served *s, const struct l7_controller *who)
{
	struct nginx n = { .t = t, .group = group, .config = nginx_config(t->cluster, who, t->arena), .patterns = arena_make(t->arena, struct map) };

	for (uint32_t k = 0; k < s->nr; k++)
		if (!is_canary(&n, s->v[k]))
			add_servers(&n, s->v[k]);
	for (uint32_t k = 0; k < s->nr; k++)
		if (!is_canary(&n, s->v[k]))
			add_paths(&n, s->v[k]);
	for (uint32_t k = 0; k < s->nr; k++)
		if (is_canary(&n, s->v[k]))
			add_alternatives(&n, s->v[k]);
	for (uint32_t k = 0; k < s->nr; k++)
		if (!is_canary(&n, s->v[k]))
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
	no_host(&n);
}
