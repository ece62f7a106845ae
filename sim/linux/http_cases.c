/* Which requests `verify` makes of a proxy: each rule of its table is asked by a request that matches, by one deeper in the tree, and by others that just miss it (another
 * path, host, method, header, parameter); by TLS where a listener speaks it. What has to come out is not said here: the model answers each of them. */
#include <ctype.h>
#include <strings.h>

#include "model/l7/planes.h"
#include "sim/linux/verify_http.h"

struct casing {
	struct world *w;
	struct arena *a;
	const struct l7_plane *plane;
	const struct l7_listener *l;
	const char *from, *resolve;
	uint16_t port;                          /* in the URL */
	bool own_host;                          /* the URL's port is not what the Host should say */
	struct map seen;
	VEC(struct question) v;
};

/* ---- texts that match */

static bool sendable(const char *s)
{
	for (; *s; s++)
		if (isspace((unsigned char)*s) || iscntrl((unsigned char)*s) || *s == '#')
			return false;
	return true;
}

/* A text for an expression, by its plainest parts: classes become one of their characters, alternatives the first, repetitions one. NULL: it does not match after all. */
static const char *sample(const struct regex *re, const char *pattern, bool whole, struct arena *a)
{
	struct sb out = { 0 };
	const char *text;
	int depth = 0, skip = 0;

	for (const char *p = pattern; *p; p++) {
		char c = *p;

		if (c == '(') {
			depth++;
			p += p[1] == '?' && p[2] == ':' ? 2 : 0;
		} else if (c == ')') {
			skip = skip == depth ? 0 : skip;
			depth--;
		} else if (c == '|') {
			skip = skip ? skip : depth;
			if (!depth)
				break;
		} else if (skip || c == '^' || c == '$' || c == '*' || c == '+' || c == '?') {
			continue;
		} else if (c == '[') {
			const char *end = strchr(p + 2, ']');

			if (!end)
				break;
			sb_addc(&out, p[1] == '^' ? 'x' : p[1] == '\\' ? (p[2] == 'd' ? '7' : p[2]) : p[1]);
			p = end;
		} else if (c == '{') {
			p += strcspn(p, "}");
			p -= *p == '\0';
		} else if (c == '\\' && p[1]) {
			c = *++p;
			sb_addc(&out, c == 'd' ? '7' : c == 'w' ? 'x' : c == 's' ? ' ' : c);
		} else {
			sb_addc(&out, c == '.' ? 'x' : c);
		}
	}
	text = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return re && (whole ? regex_full(re, text, a) : regex_search(re, text, NULL, a)) ? text : NULL;
}

static const char *value_for(const struct l7_cond *c, struct arena *a)
{
	switch ((enum l7_how)c->how) {
	case L7_EXACT:
	case L7_PREFIX: return c->value ? c->value : "";
	case L7_REGEX: return sample(c->re, c->value ? c->value : "", true, a);
	case L7_PRESENT: return "podwire";
	}
	return NULL;
}

static const char *path_for(const struct l7_route *r, struct arena *a)
{
	return r->path_kind == L7_PATH_REGEX ? sample(r->re, r->path, !r->search, a) : *r->path ? r->path : "/";
}

static const char *host_for(const char *pattern, struct arena *a)
{
	return streq(pattern, "*") ? "any.podwire.test" : strncmp(pattern, "*.", 2) == 0 ? arena_printf(a, "one%s", pattern + 1) : pattern;
}

/* What a listener takes: requests, or connections in which a request is passed on unread. TLS that is passed through would have to end at a container, and those of a lab speak plain HTTP. */
static bool is_asked(const struct l7_listener *l) { return l->proto == L7_HTTP || l->proto == L7_HTTPS || l->proto == L7_TCP || l->proto == L7_TLS_TERMINATE; }
static bool by_tls(const struct l7_listener *l) { return l->proto == L7_HTTPS || l->proto == L7_TLS_TERMINATE; }

/* ---- one request */

struct wanted { const char *host, *path, *method; const l7_conds *headers, *query; const char *name, *value; const struct http_pair *more; uint32_t nr_more; bool forwarded; const struct l7_action *act; };

static void add(struct casing *x, struct wanted w)
{
	bool tls = by_tls(x->l);
	const char *scheme = tls ? "https" : "http", *text = w.path, *key = "";
	struct question q = { .from = x->from, .ns = "default", .l4 = L4_TCP, .proto = PROTO_TCP, .method = w.method, .resolve = x->resolve };
	uint64_t *at;

	for (uint32_t k = 0; w.query && text && k < w.query->nr; k++) {
		const char *value = w.query->v[k].not ? "" : value_for(&w.query->v[k], x->a);

		if (!w.query->v[k].not)
			text = value ? arena_printf(x->a, "%s%c%s=%s", text, strchr(text, '?') ? '&' : '?', w.query->v[k].name, value) : NULL;
	}
	if (!text || *text != '/' || !sendable(text) || !sendable(w.host) || strpbrk(w.host, "/:"))
		return;
	for (uint32_t k = 0; w.headers && k < w.headers->nr; k++) {
		const char *value = w.headers->v[k].not ? NULL : value_for(&w.headers->v[k], x->a);

		if (value && strcasecmp(w.headers->v[k].name, "host") != 0 && w.headers->v[k].name[0] != ':')
			question_header(&q, x->a, w.headers->v[k].name, value);
	}
	if (w.name)
		question_header(&q, x->a, w.name, w.value);
	for (uint32_t k = 0; k < w.nr_more; k++)
		question_header(&q, x->a, w.more[k].name, w.more[k].value);
	if (w.forwarded)
		question_header(&q, x->a, "X-Forwarded-For", "192.0.2.7");
	for (uint32_t k = 0; w.act && k < w.act->filters.nr; k++)               /* what it takes away should be there */
		for (uint32_t i = 0; w.act->filters.v[k].kind == L7_REQUEST_HEADERS && i < w.act->filters.v[k].headers.nr_remove; i++)
			question_header(&q, x->a, w.act->filters.v[k].headers.remove[i], "to-be-removed");
	if (x->own_host)
		question_header(&q, x->a, "Host", w.host);
	q.to = x->port == (tls ? 443 : 80) ? arena_printf(x->a, "%s://%s%s", scheme, w.host, text) : arena_printf(x->a, "%s://%s:%u%s", scheme, w.host, x->port, text);
	for (uint32_t k = 0; k < q.nr_headers; k++)
		key = arena_printf(x->a, "%s\n%s: %s", key, q.headers[k].name, q.headers[k].value);
	key = arena_printf(x->a, "%s %s %s %s%s", q.from, q.resolve, q.method ? q.method : "GET", q.to, key);
	at = map_put(&x->seen, x->a, hash_mix(fnv32a(key, strlen(key)), fnv32(key, strlen(key))));
	if (!(*at)++)
		vec_add(x->a, &x->v, q);
}

/* ---- a table */

static const char *other_method(const struct l7_route *r) { return r->methods.nr && streq(r->methods.v[0].value, "POST") ? "PUT" : "POST"; }

/* From an origin that is allowed, from one that is not, by a preflight request from each. */
static void cross_origin(struct casing *x, const struct wanted *match, const struct l7_cors *c)
{
	static const struct http_pair asks[] = { { "Access-Control-Request-Method", "PUT" }, { "Access-Control-Request-Headers", "x-one, x-two" } };
	const char *star = c->origins.nr ? strchr(c->origins.v[0], '*') : NULL, *allowed = NULL;

	if (c->origins.nr)
		allowed = streq(c->origins.v[0], "*") ? "https://any.podwire.test" : !star ? c->origins.v[0] :
			  arena_printf(x->a, "%.*sone.two%s", (int)(star - c->origins.v[0]), c->origins.v[0], star + 1);
	for (int k = allowed ? 0 : 1; k < 2; k++)
		for (uint32_t more = 0; more <= ARRAY_LEN(asks); more++) {
			struct wanted one = *match;

			one.name = "Origin";
			one.value = k ? "https://other.podwire.invalid" : allowed;
			one.more = asks;
			one.nr_more = more;
			one.method = more ? "OPTIONS" : match->method;
			add(x, one);
		}
}

static void route(struct casing *x, const char *host, const struct l7_route *r)
{
	const char *path = path_for(r, x->a), *method = r->methods.nr && !r->methods.v[0].not ? value_for(&r->methods.v[0], x->a) : NULL;
	struct wanted match = { .host = host, .path = path, .method = method, .headers = &r->headers, .query = &r->query, .act = r->action }, one;
	bool slash = path && *path && path[strlen(path) - 1] == '/';

	if (!path)
		return;
	add(x, match);
	if (x->l->proto != L7_HTTP)             /* what TLS changes is asked; a handshake costs a process */
		return;
	one = match;
	one.path = arena_printf(x->a, slash ? "%sdeeper" : "%s/deeper", path);
	one.forwarded = true;
	add(x, one);
	one = match;
	one.path = arena_printf(x->a, "%sx", path);
	add(x, one);
	if (slash && path[1]) {
		one = match;
		one.path = arena_strndup(x->a, path, strlen(path) - 1);
		add(x, one);
	}
	if (r->methods.nr) {
		one = match;
		one.method = other_method(r);
		add(x, one);
	}
	for (int query = 0; query < 2; query++)
		if ((query ? r->query : r->headers).nr) {
			one = match;
			*(query ? &one.query : &one.headers) = NULL;
			add(x, one);
		}
	for (uint32_t k = 0; k < r->action->filters.nr; k++)
		if (r->action->filters.v[k].kind == L7_CORS)
			cross_origin(x, &match, r->action->filters.v[k].cors);
	for (uint32_t k = 0; k < r->action->canaries.nr; k++) {
		const struct l7_canary *c = &r->action->canaries.v[k];

		one = match;
		one.name = c->header ? c->header : c->cookie ? "Cookie" : NULL;
		one.value = c->header ? (c->value ? c->value : "always") : c->cookie ? arena_printf(x->a, "%s=always", c->cookie) : NULL;
		if (one.name)
			add(x, one);
		one.value = c->header ? "never" : c->cookie ? arena_printf(x->a, "%s=never", c->cookie) : NULL;
		if (one.name)
			add(x, one);
	}
}

static void listener(struct casing *x)
{
	const struct route_table *t = x->plane->table;
	const struct l7_hosts *g = &t->groups.v[x->l->group];
	const char *own = host_for(x->l->host ? x->l->host : "*", x->a);

	for (uint32_t k = 0; k < g->vhosts.nr; k++) {
		const struct l7_vhost *v = &t->vhosts.v[g->vhosts.v[k]];
		const char *host = v->kind == L7_HOST_ANY ? own : host_for(v->pattern, x->a);

		for (uint32_t i = 0; i < v->routes.nr; i++)
			route(x, host, &v->routes.v[i]);
		add(x, (struct wanted){ .host = host, .path = "/podwire-nowhere" });
		if (v->kind == L7_HOST_SUFFIX) {
			add(x, (struct wanted){ .host = v->pattern + 2, .path = v->routes.nr ? path_for(&v->routes.v[0], x->a) : "/" });
			add(x, (struct wanted){ .host = arena_printf(x->a, "two.labels%s", v->pattern + 1), .path = v->routes.nr ? path_for(&v->routes.v[0], x->a) : "/" });
		}
	}
	if (!x->plane->sidecar)                 /* a client inside resolves it first, and fails */
		add(x, (struct wanted){ .host = "other.podwire.invalid", .path = "/" });
}

/* Does a connection from outside come through to there? */
static bool arrives(struct casing *x, const char *to)
{
	struct question q = { .from = "client", .ns = "default", .l4 = L4_TCP, .proto = PROTO_TCP, .to = to };
	struct err none = { 0 };
	struct answer answer;
	bool ok = question_ask(x->w, &q, x->a, &answer, &none) && answer.nr;

	for (uint32_t k = 0; ok && k < answer.nr; k++)
		ok = answer.v[k].verdict == V_DELIVERED && answer.v[k].answered;
	err_free(&none);
	return ok;
}

/* The port of its Service that leads to this one of the Pod. */
static const struct svc_port *outer(const struct l7_plane *p, uint16_t bind)
{
	for (uint32_t k = 0; p->service && k < p->service->ports.nr; k++)
		if (plane_port(p->service, p->pod, p->service->ports.v[k].port) == bind)
			return &p->service->ports.v[k];
	return NULL;
}

/* Where the world comes in: by the address that the controller or Gateway shows, or by a NodePort; else a node asks the Pod itself. */
static void way_in(struct casing *x, const struct l7_port *p)
{
	const struct pod *pod = x->plane->pod;
	const struct svc_port *sp = outer(x->plane, p->bind);

	x->from = "client";
	x->resolve = x->plane->target;
	x->port = sp ? (uint16_t)sp->port : p->port;
	if (!x->resolve || !arrives(x, arena_printf(x->a, "%s:%u", x->resolve, x->port))) {
		x->resolve = arena_printf(x->a, "node/%s", pod->node);
		x->port = sp ? (uint16_t)sp->node_port : 0;
		if (!x->port || !arrives(x, arena_printf(x->a, "%s:%u", x->resolve, x->port))) {
			x->from = x->resolve;
			x->resolve = arena_printf(x->a, "pod/%s/%s", pod->o.ns, pod->o.name);
			x->port = p->bind;
		}
	}
	x->own_host = x->port != p->port && x->port != (by_tls(x->l) ? 443 : 80);
}

static bool asked_before(const struct l7_plane *v, uint32_t at)
{
	for (uint32_t k = 0; k < at; k++)
		if (v[k].target && streq(v[k].target, v[at].target))
			return true;
	return false;
}

/* ---- a mesh's policies */

/* Running, in a network of its own. */
static bool can_send(const struct pod *p)
{
	return (p->phase == POD_RUNNING || !p->phase) && p->node && ip_set(p->ip) && !p->spec->host_network && !pod_is_terminal(p);
}

/* A Pod for each identity, and one without. */
#define MOST_SENDERS 6u
static uint32_t senders(struct casing *x, const struct pod **out)
{
	struct object_list pods = cluster_list(x->w->cluster, &pod_kind);
	struct map seen = { 0 };
	bool plain = false;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < pods.nr && nr < MOST_SENDERS; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		bool sidecar = p->spec && mesh_sidecar(p->spec) != NULL;
		const char *who = sidecar ? mesh_principal(x->w->cluster, p, x->a) : "";
		uint64_t *at;

		if (!can_send(p) || (sidecar ? !mesh_capture(p->spec).set : plain))
			continue;
		at = map_put(&seen, x->a, hash_mix(fnv32a(who, strlen(who)), fnv32(who, strlen(who))));
		plain = plain || !sidecar;
		if (!(*at)++)
			out[nr++] = p;
	}
	return nr;
}

/* A text that such a pattern takes. */
static const char *like(struct casing *x, const struct val *v, const char *dflt)
{
	const char *s = val_str(v);
	size_t n = s ? strlen(s) : 0;

	if (!n || streq(s, "*"))
		return dflt;
	return s[n - 1] == '*' ? arena_printf(x->a, "%.*spodwire", (int)n - 1, s) : *s == '*' ? arena_printf(x->a, "%spodwire%s", *dflt == '/' ? "/" : "", s + 1) : s;
}

static void operations(struct casing *x, const struct pod *to, const char *host)
{
	struct mesh_policies all = mesh_policies(x->w->cluster, &authorization_policy_kind, to, x->a);

	add(x, (struct wanted){ .host = host, .path = "/" });
	for (uint32_t k = 0; k < all.nr; k++)
		VAL_EACH(rule, val_get(all.v[k]->spec, "rules"))
			VAL_EACH(t, val_get(rule, "to")) {
				const struct val *op = val_get(t, "operation"), *paths = val_get(op, "paths"), *methods = val_get(op, "methods");
				const char *method = methods && methods->nr ? like(x, methods->first, "GET") : NULL, *path = "/";

				VAL_EACH(p, paths) {
					path = like(x, p, "/");
					add(x, (struct wanted){ .host = host, .path = path, .method = method });
					add(x, (struct wanted){ .host = host, .path = arena_printf(x->a, "%s/deeper", path), .method = method });
				}
				add(x, (struct wanted){ .host = host, .path = path, .method = streq(method, "POST") ? "GET" : "POST" });
				VAL_EACH(m, methods)
					add(x, (struct wanted){ .host = host, .path = path, .method = like(x, m, "GET") });
			}
}

/* A Pod with a sidecar behind the Service; NULL: none. */
static const struct pod *captured_behind(struct casing *x, const struct service *s)
{
	struct object_list pods = cluster_list_ns(x->w->cluster, &pod_kind, s->o.ns);

	for (uint32_t k = 0; s->selector.nr && k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (can_send(p) && pairs_match(&s->selector, &p->o.labels) && mesh_capture(p->spec).set)
			return p;
	}
	return NULL;
}

static void policies(struct casing *x)
{
	static const struct l7_listener plain = { .proto = L7_HTTP };
	struct object_list services = cluster_list(x->w->cluster, &service_kind);
	const struct pod *from[MOST_SENDERS];
	uint32_t nr = cluster_count(x->w->cluster, &authorization_policy_kind) || cluster_count(x->w->cluster, &peer_authentication_kind) ? senders(x, from) : 0;

	x->l = &plain;
	x->resolve = NULL;
	x->own_host = false;
	for (uint32_t k = 0; nr && k < services.nr; k++) {
		const struct service *s = (const struct service *)services.v[k];
		const struct pod *p = captured_behind(x, s);

		for (uint32_t i = 0; p && i < s->ports.nr; i++)
			for (uint32_t n = 0; n < nr && (!s->ports.v[i].protocol || s->ports.v[i].protocol == L4_TCP); n++) {
				x->from = arena_printf(x->a, "pod/%s/%s", from[n]->o.ns, from[n]->o.name);
				x->port = (uint16_t)s->ports.v[i].port;
				operations(x, p, arena_printf(x->a, "%s.%s.svc.%s", s->o.name, s->o.ns, cluster_settings(x->w->cluster)->domain));
			}
	}
}

/* ---- two proxies in a row: a Pod with a sidecar asks a controller or a Gateway by its Service */
static void in_a_row(struct casing *x, const struct l7_plane *sidecar)
{
	const struct svc_port *sp;

	x->from = arena_printf(x->a, "pod/%s/%s", sidecar->pod->o.ns, sidecar->pod->o.name);
	for (uint32_t p = 0; x->plane->service && p < x->plane->nr; p++)
		for (uint32_t i = 0; i < x->plane->table->listeners.nr; i++) {
			x->l = &x->plane->table->listeners.v[i];
			sp = outer(x->plane, x->plane->ports[p].bind);
			if (!sp || x->l->dead || x->l->port != x->plane->ports[p].port || !is_asked(x->l))
				continue;
			x->resolve = arena_printf(x->a, "svc/%s/%s", x->plane->service->o.ns, x->plane->service->o.name);
			x->port = (uint16_t)sp->port;
			x->own_host = x->port != x->plane->ports[p].port && x->port != (by_tls(x->l) ? 443 : 80);
			listener(x);
		}
}

struct question *http_cases(struct world *w, struct arena *a, uint32_t *nr)
{
	struct casing x = { .w = w, .a = a };
	uint32_t planes, sidecars;
	const struct l7_plane *v = planes_list(w->cluster, a, &planes), *in = planes_sidecars(w->cluster, a, &sidecars, NULL);

	for (uint32_t k = 0; k < planes; k++) {
		if (asked_before(v, k))         /* the next Pod of the same Deployment: each request may come to it already */
			continue;
		x.plane = &v[k];
		for (uint32_t p = 0; p < v[k].nr; p++)
			for (uint32_t i = 0; i < v[k].table->listeners.nr; i++) {
				x.l = &v[k].table->listeners.v[i];
				if (x.l->dead || x.l->port != v[k].ports[p].port || !is_asked(x.l))
					continue;
				way_in(&x, &v[k].ports[p]);
				listener(&x);
			}
		if (sidecars && in[0].pod != v[k].pod)
			in_a_row(&x, &in[0]);
	}
	for (uint32_t k = 0; k < sidecars; k++) {
		x.plane = &in[k];
		x.from = arena_printf(a, "pod/%s/%s", in[k].pod->o.ns, in[k].pod->o.name);
		x.resolve = NULL;
		x.own_host = false;
		for (uint32_t i = 0; i < in[k].table->listeners.nr; i++) {
			x.l = &in[k].table->listeners.v[i];
			x.port = x.l->port;
			/* by the first of a Service's names; a name server does not speak HTTP */
			if (x.port != 53 && (!i || in[k].table->listeners.v[i - 1].group != x.l->group))
				listener(&x);
		}
	}
	if (sidecars)
		policies(&x);
	*nr = x.v.nr;
	return x.v.v;
}
