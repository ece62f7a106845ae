/* From a request to a decision: which listener, which certificate, which route, and what the route does to the request. */
#include "model/l7/table.h"

#include <strings.h>

#define CONSIDERED 20

/* One matching at work. */
struct deciding {
	const struct route_table *t;
	struct l7_query q;
	struct arena *a;
	const struct l7_route *route;
	const char *host;               /* the virtual host's pattern */
	const char *why;
	struct http_decision *out;
	VEC(struct http_backend) v;
};
struct share { uint64_t num, den; nsec delay; };

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a ? a : 1;
}

static struct share part(struct share s, uint64_t num, uint64_t den)
{
	uint64_t g = gcd(num, den);

	num /= g;
	den /= g;
	g = gcd(s.num, den);
	s.num /= g;
	den /= g;
	g = gcd(num, s.den);
	num /= g;
	s.den /= g;
	s.num *= num;
	s.den *= den;
	return s;
}

static struct http_backend *answer(struct deciding *d, struct share s, int status, const char *why)
{
	struct http_backend *b = vec_push(d->a, &d->v);

	*b = (struct http_backend){ .num = s.num, .den = s.den, .status = status, .delay = s.delay, .why = why };
	if (d->route) {
		b->cause = d->route->cause;
		b->cause_path = d->route->cause_path;
	}
	return b;
}

static const char *object_text(const struct deciding *d, obj_h h)
{
	const struct object *o = obj_get(d->t->cluster, h);

	return !o ? d->t->server : o->ns ? arena_printf(d->a, "%s %s/%s", o->kind->name, o->ns, o->name) : arena_printf(d->a, "%s %s", o->kind->name, o->name);
}

static const char *sentence(struct deciding *d, const struct l7_route *r, const char *host)
{
	return arena_printf(d->a, "%s%s%s decides: %s, host %s", object_text(d, r->cause), r->cause_path ? ", " : "", r->cause_path ? r->cause_path : "",
			    r->text ? r->text : r->path, streq(host, "*") ? "any" : host);
}

/* ---- listener and certificate */

static const struct l7_listener *best_listener(const struct route_table *t, uint16_t port, uint8_t proto, const char *name)
{
	const struct l7_listener *best = NULL;

	for (uint32_t k = 0; k < t->listeners.nr; k++) {
		const struct l7_listener *l = &t->listeners.v[k];

		if (l->dead || l->port != port || l->proto != proto || !host_matches(l->host, name, t->groups.v[l->group].one_label))
			continue;
		if (!best || host_rank(l->host) > host_rank(best->host))
			best = l;
	}
	return best;
}

static bool port_open(const struct route_table *t, uint16_t port, uint8_t *proto)
{
	for (uint32_t k = 0; k < t->listeners.nr; k++)
		if (!t->listeners.v[k].dead && t->listeners.v[k].port == port) {
			*proto = t->listeners.v[k].proto;
			return true;
		}
	return false;
}

static const char *joined(const struct cert_names *c, struct arena *a)
{
	const char *out = c->nr ? c->v[0] : "";

	for (uint32_t k = 1; k < c->nr; k++)
		out = arena_printf(a, "%s %s", out, c->v[k]);
	return out;
}

static bool fails(struct http_decision *out, const char *why)
{
	out->tls_failed = true;
	out->tls_why = why;
	return false;
}

/* The wrong protocol on a port that is open. */
static bool mismatch(struct deciding *d, uint8_t there, bool tls)
{
	static const struct share all = { 1, 1, 0 };

	if (tls && there == L7_HTTP)
		return fails(d->out, "the TLS handshake fails: this port speaks plain HTTP");
	if (!tls && d->t->own_cert) {
		answer(d, all, 400, "a plain HTTP request was sent to a port that speaks HTTPS");
		return false;
	}
	return fails(d->out, tls ? "the TLS handshake fails: no listener on this port is for that name" : "a plain HTTP request on a port that expects TLS is cut off");
}

static bool handshake(struct deciding *d, const struct l7_listener *l, const char *sni)
{
	const struct l7_cert *c = table_cert(d->t, (uint32_t)(l - d->t->listeners.v), sni, &d->out->tls_why);

	if (!c && !d->t->own_cert)
		return fails(d->out, "the TLS handshake fails: the listener has no certificate");
	if (c) {
		d->out->tls_secret = c->secret;
		d->out->tls_names = joined(&c->names, d->a);
	}
	return true;
}

/* Gateway API (HTTPS listeners): where the Host belongs to another listener than the name in the hello, 421; where it belongs to none, 404. */
static bool misdirected(struct deciding *d, const struct l7_listener *l)
{
	static const struct share all = { 1, 1, 0 };
	const struct l7_listener *own = best_listener(d->t, l->port, L7_HTTPS, d->q.host);

	if (!d->t->misdirected || own == l)
		return false;
	if (!own)
		answer(d, all, 404, arena_printf(d->a, "no listener of %s is for the host %s", d->t->server, d->q.host));
	else
		answer(d, all, 421, arena_printf(d->a, "the host %s belongs to listener %s, and the TLS connection was made to listener %s", d->q.host, own->name, l->name));
	return true;
}

static const struct l7_listener *find_listener(struct deciding *d)
{
	static const struct share all = { 1, 1, 0 };
	const struct http_request *rq = d->q.rq;
	bool tls = streq(rq->scheme, "https");
	const char *name = tls ? (rq->sni ? rq->sni : "") : d->q.host;
	const struct l7_listener *l;
	uint8_t there = 0;

	d->out->connect = port_open(d->t, rq->port, &there);
	if (!d->out->connect)
		return NULL;
	l = best_listener(d->t, rq->port, tls ? L7_HTTPS : L7_HTTP, name);
	if (!l && tls && best_listener(d->t, rq->port, L7_TLS_PASSTHROUGH, name)) {
		d->out->passthrough = true;
		answer(d, all, 0, NULL)->unknown = "TLS is passed through: the backend ends it, and TLSRoute is not modelled";
		return NULL;
	}
	if (!l && there != (tls ? L7_HTTPS : L7_HTTP))
		return (void)mismatch(d, there, tls), NULL;
	if (!l && tls)
		return (void)fails(d->out, arena_printf(d->a, "the TLS handshake fails: no listener of %s is for the name %s", d->t->server, name)), NULL;
	if (!l) {
		answer(d, all, 404, arena_printf(d->a, "no listener of %s is for the host %s", d->t->server, d->q.host));
		return NULL;
	}
	d->out->listener = l->name;
	if (tls && (!handshake(d, l, name) || misdirected(d, l)))
		return NULL;
	return l;
}

/* ---- what the route does */

static bool in_ranges(const struct l7_guard *g, ip_addr ip)
{
	for (uint32_t k = 0; k < g->nr; k++)
		if (cidr_contains(g->cidrs[k], ip))
			return true;
	return false;
}

/* ingress-nginx: the slash at the end is dropped (rootfs/etc/nginx/lua/lua_ingress.lua rewrite). */
static const char *tls_location(struct deciding *d)
{
	const char *uri = d->q.rq->path && *d->q.rq->path ? d->q.rq->path : "/";
	size_t n = strlen(uri);

	return arena_printf(d->a, "https://%s%.*s", d->q.host, (int)(uri[n - 1] == '/' ? n - 1 : n), uri);
}

/* nginx' variables in a redirect's URL; one that is not known here: *unknown. */
static const char *with_variables(struct deciding *d, const char *text, const char **unknown)
{
	const struct http_request *rq = d->q.rq;
	const struct { const char *name, *value; } known[] = {
		{ "$request_uri", rq->path ? rq->path : "/" }, { "$scheme", rq->scheme ? rq->scheme : "http" }, { "$http_host", rq->host ? rq->host : "" },
		{ "$host", d->q.host }, { "$uri", d->q.path },
	};
	struct sb out = { 0 };
	const char *done;

	for (const char *p = text; *p; p++) {
		size_t k = 0;

		while (*p == '$' && k < ARRAY_LEN(known) && strncmp(p, known[k].name, strlen(known[k].name)) != 0)
			k++;
		if (*p == '$' && k == ARRAY_LEN(known))
			*unknown = arena_printf(d->a, "the redirect to %s holds a variable that is not modelled", text);
		if (*p == '$' && k < ARRAY_LEN(known)) {
			sb_add(&out, known[k].value);
			p += strlen(known[k].name) - 1;
		} else {
			sb_addc(&out, *p);
		}
	}
	done = arena_strdup(d->a, sb_text(&out));
	sb_free(&out);
	return done;
}

/* true: this guard has answered. */
static bool guarded(struct deciding *d, const struct l7_guard *g, struct share s)
{
	const struct http_request *rq = d->q.rq;
	struct http_backend *b;

	switch ((enum l7_guard_kind)g->kind) {
	case L7_GUARD_SOURCE:
		if (in_ranges(g, rq->client) != g->deny)
			return false;
		answer(d, s, 403, arena_printf(d->a, "%s; the source address %s is not allowed", d->why, IP(rq->client)));
		return true;
	case L7_GUARD_TLS:
		if (streq(rq->scheme, "https"))
			return false;
		b = answer(d, s, g->status, arena_printf(d->a, "%s; %s sends plain HTTP to https", d->why, d->t->server));
		b->location = tls_location(d);
		return true;
	case L7_GUARD_REDIRECT:
		b = answer(d, s, g->status, arena_printf(d->a, "%s; it redirects", d->why));
		b->location = with_variables(d, g->text, &b->unknown);
		return true;
	case L7_GUARD_PREFLIGHT:
		if (!streq(rq->method, "OPTIONS"))
			return false;
		answer(d, s, 204, arena_printf(d->a, "%s; cross-origin requests are answered by the proxy", d->why));
		return true;
	case L7_GUARD_BASIC_AUTH:
		b = answer(d, s, 401, arena_printf(d->a, "%s; it asks for a user name and a password", d->why));
		if (header_of(rq, "Authorization"))
			b->unknown = "whether these credentials are accepted is not modelled";
		return true;
	case L7_GUARD_APP_ROOT:
		if (!streq(d->q.path, "/"))
			return false;
		b = answer(d, s, 302, arena_printf(d->a, "%s; app-root sends / on", d->why));
		b->location = arena_printf(d->a, "%s://%s%s", rq->scheme, rq->host ? rq->host : "", g->text);
		return true;
	case L7_GUARD_UNKNOWN:
		answer(d, s, 0, d->why)->unknown = g->text;
		return true;
	}
	return false;
}

/* Headers, path and host on the way to one backend. */
struct maybe { const char *mirror; uint64_t num, den; };       /* some of the requests are copied */
struct changing { struct headers request, response; const char *path, *host; VEC(const char *) mirrors; VEC(struct maybe) maybe; };

static void forwarded(struct deciding *d, struct changing *c)
{
	const struct http_request *rq = d->q.rq;
	const char *client = ip_set(rq->client) ? arena_strdup(d->a, IP(rq->client)) : NULL;
	const char *before = header_of(rq, "X-Forwarded-For");

	if (client)
		headers_set(&c->request, "X-Forwarded-For", before && !d->t->replace_forwarded ? arena_printf(d->a, "%s, %s", before, client) : client);
	headers_set(&c->request, "X-Forwarded-Proto", rq->scheme ? rq->scheme : "http");
	if (!d->t->replace_forwarded)
		return;
	headers_set(&c->request, "X-Forwarded-Host", rq->host ? rq->host : "");
	headers_set(&c->request, "X-Forwarded-Port", arena_printf(d->a, "%u", rq->port));
	headers_set(&c->request, "X-Forwarded-Scheme", rq->scheme ? rq->scheme : "http");
	headers_set(&c->request, "X-Scheme", rq->scheme ? rq->scheme : "http");
	if (client)
		headers_set(&c->request, "X-Real-IP", client);
}

static struct changing changing_new(struct deciding *d)
{
	const struct http_request *rq = d->q.rq;
	struct changing c = { .request.arena = d->a, .response.arena = d->a, .path = d->q.path, .host = rq->host ? rq->host : "" };

	for (uint32_t k = 0; k < rq->nr_headers; k++)
		if (strcasecmp(rq->headers[k].name, "Host") != 0)
			vec_add(d->a, &c.request.v, rq->headers[k]);
	for (uint32_t k = 0; k < rq->nr_backend_headers; k++)
		vec_add(d->a, &c.response.v, rq->backend_headers[k]);
	forwarded(d, &c);
	return c;
}

/* true: a filter has answered. */
static bool filtered(struct deciding *d, const l7_filters *f, struct changing *c, struct share s)
{
	struct http_backend *b;
	const char *to;

	for (uint32_t k = 0; k < f->nr; k++) {
		const struct l7_filter *one = &f->v[k];

		switch ((enum l7_filter_kind)one->kind) {
		case L7_REQUEST_HEADERS:
			headers_change(&c->request, &one->headers);
			break;
		case L7_RESPONSE_HEADERS:
			headers_change(&c->response, &one->headers);
			break;
		case L7_REWRITE:
			if (one->rewrite.host)
				c->host = one->rewrite.host;
			if (one->rewrite.path.how != L7_KEEP)
				c->path = path_changed(&one->rewrite.path, d->route, &d->q);
			break;
		case L7_MIRROR:
			if (!one->mirror.service || (one->den && !one->num))
				break;
			to = arena_printf(d->a, "%s/%s:%d", one->mirror.ns, one->mirror.name, one->mirror.port);
			if (one->num < one->den)
				vec_add(d->a, &c->maybe, (struct maybe){ to, one->num, one->den });
			else
				vec_add(d->a, &c->mirrors, to);
			break;
		case L7_CORS:
			if (one->cors->unknown && header_of(d->q.rq, "Origin")) {
				answer(d, s, 0, d->why)->unknown = one->cors->unknown;
				return true;
			}
			if (!cors_answers(one->cors, d->q.rq, &c->response))
				break;
			b = answer(d, s, 200, arena_printf(d->a, "%s; its CORS filter answers the preflight request", d->why));
			b->resp_headers = c->response.v.v;
			b->nr_resp_headers = c->response.v.nr;
			return true;
		case L7_REDIRECT:
			b = answer(d, s, one->redirect.status, arena_printf(d->a, "%s; it redirects", d->why));
			b->location = location_of(&one->redirect, d->route, &d->q);
			return true;
		case L7_UNKNOWN:
			answer(d, s, 0, d->why)->unknown = one->unknown;
			return true;
		}
	}
	return false;
}

static void copy_mirrors(struct deciding *d, const struct changing *from, struct changing *to)
{
	to->mirrors.v = arena_copy(d->a, from->mirrors.v, from->mirrors.nr * sizeof(*from->mirrors.v));
	to->mirrors.alloc = from->mirrors.nr;
}

static void reach(struct deciding *d, const struct l7_ref *r, struct changing *c, struct share s)
{
	struct http_backend *b;
	uint32_t nr = 0;

	if (c->maybe.nr) {                      /* with the copy, and without */
		struct changing with = *c, without = *c;
		struct maybe m = c->maybe.v[--with.maybe.nr];

		without.maybe.nr = with.maybe.nr;
		copy_mirrors(d, c, &with);
		vec_add(d->a, &with.mirrors, m.mirror);
		reach(d, r, &with, part(s, m.num, m.den));
		reach(d, r, &without, part(s, m.den - m.num, m.den));
		return;
	}

	if (r->why) {
		answer(d, s, r->status, arena_printf(d->a, "%s; %s", d->why, r->why));
		return;
	}
	if (r->service && !r->upstream)
		service_endpoints(d->t->cluster, r->service, r->port, r->subset, d->a, &nr);
	if (!r->upstream && !nr && r->fallback) {
		reach(d, r->fallback, c, s);
		return;
	}
	if (!r->upstream && !nr) {
		answer(d, s, 503, arena_printf(d->a, "%s; Service %s/%s has no ready endpoint for port %d", d->why, r->ns, r->name, r->port));
		return;
	}
	b = answer(d, s, 200, d->why);
	b->service = r->service;
	b->port = r->port;
	b->upstream = r->upstream;
	b->subset = r->subset;
	b->via_service = r->via_service;
	b->protocol = r->protocol;
	b->req_path = d->q.query && !strchr(c->path, '?') ? arena_printf(d->a, "%s?%s", c->path, d->q.query) : c->path;
	b->req_host = c->host;
	b->req_headers = c->request.v.v;
	b->nr_req_headers = c->request.v.nr;
	b->resp_headers = c->response.v.v;
	b->nr_resp_headers = c->response.v.nr;
	b->mirrors = c->mirrors.v;
	b->nr_mirrors = c->mirrors.nr;
}

/* Each backend with its own copy of what was changed so far, for its own filters. */
static void spread(struct deciding *d, const struct l7_action *act, struct changing *c, struct share s)
{
	uint64_t total = 0;

	for (uint32_t k = 0; k < act->backends.nr; k++)
		total += act->backends.v[k].weight;
	if (!total)
		answer(d, s, 500, arena_printf(d->a, act->backends.nr ? "%s; all its backends have the weight 0" : "%s; it has no backends", d->why));
	for (uint32_t k = 0; k < act->backends.nr; k++) {
		const struct l7_backend *to = &act->backends.v[k];
		struct share mine = to->weight ? part(s, to->weight, total) : s;
		struct changing own = *c;

		if (!to->weight)
			continue;
		own.request.v.v = arena_copy(d->a, c->request.v.v, c->request.v.nr * sizeof(*c->request.v.v));
		own.request.v.alloc = c->request.v.nr;
		own.response.v.v = arena_copy(d->a, c->response.v.v, c->response.v.nr * sizeof(*c->response.v.v));
		own.response.v.alloc = c->response.v.nr;
		copy_mirrors(d, c, &own);
		own.maybe.v = arena_copy(d->a, c->maybe.v, c->maybe.nr * sizeof(*c->maybe.v));
		own.maybe.alloc = c->maybe.nr;
		if (!filtered(d, &to->filters, &own, mine))
			reach(d, &to->ref, &own, mine);
	}
}

static const char *cookie_of(const struct http_request *rq, const char *name, struct arena *a)
{
	const char *all = header_of(rq, "Cookie"), *p = all;
	size_t n = strlen(name);

	while (p && *p) {
		p += strspn(p, "; ");
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return arena_strndup(a, p + n + 1, strcspn(p + n + 1, ";"));
		p = strchr(p, ';');
	}
	return NULL;
}

/* always 1, never -1, not decided 0. */
static int canary_decides(struct deciding *d, const struct l7_canary *c)
{
	const char *v = c->header ? header_of(d->q.rq, c->header) : NULL;

	if (v && (c->value ? streq(v, c->value) : c->pattern && regex_search(c->pattern, v, NULL, d->a)))
		return 1;
	if (v && !c->pattern && !c->value && (streq(v, "always") || streq(v, "never")))
		return streq(v, "always") ? 1 : -1;
	v = c->cookie ? cookie_of(d->q.rq, c->cookie, d->a) : NULL;
	return v && streq(v, "always") ? 1 : v && streq(v, "never") ? -1 : 0;
}

/* Canaries, then the rest. Source: ingress-nginx rootfs/etc/nginx/lua/balancer.lua route_to_alternative_balancer (the first alternative counts). */
static void proceed(struct deciding *d, const struct l7_action *act, struct changing *c, struct share s)
{
	const struct l7_canary *alt = act->canaries.nr ? &act->canaries.v[0] : NULL;
	int says = alt ? canary_decides(d, alt) : -1;

	if (says > 0) {
		reach(d, &alt->ref, c, s);
	} else if (says < 0 || !alt->weight) {
		spread(d, act, c, s);
	} else if (alt->weight >= alt->total) {
		reach(d, &alt->ref, c, s);
	} else {
		reach(d, &alt->ref, c, part(s, alt->weight, alt->total));
		spread(d, act, c, part(s, alt->total - alt->weight, alt->total));
	}
}

static void faulted(struct deciding *d, const struct l7_action *act, struct changing *c, struct share s)
{
	const struct l7_fault *f = act->fault;

	if (f->abort_millionths)
		answer(d, part(s, f->abort_millionths, 1000000), f->status, arena_printf(d->a, "%s; its fault injection aborts the request", d->why));
	if (f->abort_millionths < 1000000)
		proceed(d, act, c, f->abort_millionths ? part(s, 1000000 - f->abort_millionths, 1000000) : s);
}

static void act_on(struct deciding *d, const struct l7_action *act)
{
	struct share s = { 1, 1, 0 };
	struct changing c;

	if (act->unknown) {
		answer(d, s, 0, d->why)->unknown = act->unknown;
		return;
	}
	for (uint32_t k = 0; k < act->guards.nr; k++)
		if (guarded(d, &act->guards.v[k], s))
			return;
	if (act->direct) {
		answer(d, s, act->direct, arena_printf(d->a, "%s; it answers by itself", d->why));
		return;
	}
	c = changing_new(d);
	if (filtered(d, &act->filters, &c, s))
		return;
	if (!act->fault) {
		proceed(d, act, &c, s);
		return;
	}
	if (act->fault->delay_millionths) {
		struct share late = part(s, act->fault->delay_millionths, 1000000);

		late.delay = act->fault->delay;
		faulted(d, act, &c, late);
	}
	if (act->fault->delay_millionths < 1000000)
		faulted(d, act, &c, act->fault->delay_millionths ? part(s, 1000000 - act->fault->delay_millionths, 1000000) : s);
}

/* ---- all of it */

static void consider(struct deciding *d, const struct l7_vhost *v)
{
	VEC(struct http_considered) list = { 0 };
	bool before = true;

	for (uint32_t k = 0; v && k < v->routes.nr && list.nr < CONSIDERED; k++) {
		const struct l7_route *r = &v->routes.v[k];
		const char *miss;

		if (r == d->route) {
			before = false;
			continue;
		}
		miss = route_misses(r, &d->q);
		if (!miss && !before)
			miss = arena_printf(d->a, "matches too; %s takes precedence", d->route ? (d->route->text ? d->route->text : d->route->path) : "another");
		if (miss)
			vec_add(d->a, &list, (struct http_considered){ arena_printf(d->a, "%s %s", object_text(d, r->cause), r->text ? r->text : r->path), miss, r->cause });
	}
	d->out->considered = list.v;
	d->out->nr_considered = list.nr;
}

static const char *nothing(struct deciding *d, const struct l7_vhost *host)
{
	if (!host)
		return arena_printf(d->a, "no rule of %s is for the host %s", d->t->server, *d->q.host ? d->q.host : "(none)");
	return arena_printf(d->a, "no rule of %s for the host %s matches %s %s", d->t->server, streq(host->pattern, "*") ? d->q.host : host->pattern,
			    d->q.rq->method ? d->q.rq->method : "GET", d->q.path);
}

static void route(struct deciding *d, const struct l7_listener *l)
{
	static const struct share all = { 1, 1, 0 };
	const struct l7_hosts *g = &d->t->groups.v[l->group];
	const struct l7_vhost *host;

	d->route = table_find(d->t, l->group, &d->q, &host);
	if (d->q.rq->explain)
		consider(d, host);
	if (d->route) {
		d->host = host->pattern;
		d->why = sentence(d, d->route, host->pattern);
		act_on(d, d->route->action);
	} else if (g->dflt) {
		struct l7_route fallback = { .path_kind = L7_PATH_ELEMENTS, .path = "/", .action = g->dflt, .cause = g->dflt_cause, .cause_path = g->dflt_path };

		d->why = arena_printf(d->a, "%s: the default backend of %s takes it", nothing(d, host), object_text(d, g->dflt_cause));
		d->route = arena_copy(d->a, &fallback, sizeof(fallback));
		act_on(d, g->dflt);
	} else {
		answer(d, all, 404, nothing(d, host));
	}
}

struct http_decision routes_match(const struct route_table *t, const struct http_request *rq, struct arena *a)
{
	struct http_decision out = { 0 };
	struct deciding d = { .t = t, .q = query_make(rq, a), .a = a, .out = &out };
	const struct l7_listener *l = find_listener(&d);

	if (l)
		route(&d, l);
	out.v = d.v.v;
	out.nr = d.v.nr;
	return out;
}
