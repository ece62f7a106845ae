/* What a route does to a request that it took: guards, filters, injected faults, canaries, then its backends by weight. */
#include "model/l7/deciding.h"

#include <strings.h>

#include "model/base/frac.h"

static struct share part(struct share s, uint64_t num, uint64_t den)
{
	struct frac p = frac_mul((struct frac){ s.num, s.den }, (struct frac){ num, den });

	return (struct share){ p.num, p.den, s.delay };
}

/* ---- guards */

static bool in_ranges(const struct l7_guard *g, ip_addr ip)
{
	for (uint32_t k = 0; k < g->nr; k++)
		if (cidr_contains(g->cidrs[k], ip))
			return true;
	return false;
}

/* ingress-nginx: the slash at the end is dropped (rootfs/etc/nginx/lua/lua_ingress.lua rewrite). */
static const char *tls_location(struct deciding *d, bool keep_slash)
{
	const char *uri = d->q.rq->path && *d->q.rq->path ? d->q.rq->path : "/";
	size_t n = strlen(uri);

	return arena_printf(d->a, "https://%s%.*s", d->q.host, (int)(uri[n - 1] == '/' && !keep_slash ? n - 1 : n), uri);
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

static bool preflight(struct deciding *d, const struct l7_cors *cors, struct share s)
{
	struct headers h = { .arena = d->a };
	struct http_backend *b;

	if (!streq(d->q.rq->method, "OPTIONS") || !cors_adds(cors, d->q.rq, &h))
		return false;
	b = l7_answer(d, s, 204, arena_printf(d->a, "%s; cross-origin requests are answered by the proxy", d->why));
	b->resp_headers = h.v.v;
	b->nr_resp_headers = h.v.nr;
	return true;
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
		l7_answer(d, s, 403, arena_printf(d->a, "%s; the source address %s is not allowed", d->why, IP(rq->client)));
		return true;
	case L7_GUARD_TLS:
		if (streq(rq->scheme, "https"))
			return false;
		b = l7_answer(d, s, g->status, arena_printf(d->a, "%s; %s sends plain HTTP to https", d->why, d->t->server));
		b->location = tls_location(d, g->keep_slash);
		return true;
	case L7_GUARD_REDIRECT:
		b = l7_answer(d, s, g->status, arena_printf(d->a, "%s; it redirects", d->why));
		b->location = with_variables(d, g->text, &b->unknown);
		return true;
	case L7_GUARD_PREFLIGHT:
		return preflight(d, g->cors, s);
	case L7_GUARD_DENIED:
		l7_answer(d, s, g->status, arena_printf(d->a, "%s; %s", d->why, g->text));
		return true;
	case L7_GUARD_FORWARDED:
		if (!header_of(rq, "X-Forwarded-For") && !header_of(rq, "X-Forwarded-Proto") && !header_of(rq, "X-Forwarded-Host") && !header_of(rq, "X-Forwarded-Port"))
			return false;
		l7_answer(d, s, 0, d->why)->unknown = "use-forwarded-headers: what a client's X-Forwarded headers change is not modelled";
		return true;
	case L7_GUARD_BASIC_AUTH:
		if (in_ranges(g, rq->client))
			return false;
		b = l7_answer(d, s, 401, arena_printf(d->a, "%s; it asks for a user name and a password", d->why));
		if (header_of(rq, "Authorization"))
			b->unknown = "whether these credentials are accepted is not modelled";
		return true;
	case L7_GUARD_APP_ROOT:
		if (!streq(d->q.path, "/"))
			return false;
		b = l7_answer(d, s, 302, arena_printf(d->a, "%s; app-root sends / on", d->why));
		b->location = arena_printf(d->a, "%s://%s%s", rq->scheme, rq->host ? rq->host : "", g->text);
		return true;
	case L7_GUARD_UNKNOWN:
		l7_answer(d, s, 0, d->why)->unknown = g->text;
		return true;
	}
	return false;
}

/* ---- filters */

/* Headers, path and host on the way to one backend. */
#define MAX_MAYBE 8             /* each doubles the ways */
struct maybe { const char *mirror; uint64_t num, den; };       /* some of the requests are copied */
struct changing { struct headers request, response; const char *path, *host; VEC(const char *) mirrors; VEC(struct maybe) maybe; const struct l7_patience *patience; };

static void forwarded(struct deciding *d, struct changing *c)
{
	const struct http_request *rq = d->q.rq;
	const char *client = ip_set(rq->client) ? arena_strdup(d->a, IP(rq->client)) : NULL;
	const char *before = header_joined(rq, "X-Forwarded-For", ", ", d->a);

	if (client && !d->t->keeps_forwarded)
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
	struct changing c = { .request.arena = d->a, .response.arena = d->a, .path = d->q.sent, .host = rq->host ? rq->host : "" };

	for (uint32_t k = 0; k < rq->nr_headers; k++)
		if (strcasecmp(rq->headers[k].name, "Host") != 0)
			vec_add(d->a, &c.request.v, rq->headers[k]);
	for (uint32_t k = 0; k < rq->nr_backend_headers; k++)
		vec_add(d->a, &c.response.v, rq->backend_headers[k]);
	if (!d->stream)
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
			if (one->rewrite.path.how == L7_CAPTURES && !streq(d->q.sent, d->q.path) && strpbrk(d->q.path, " \"#%<>?\\^`{|}")) {
				l7_answer(d, s, 0, d->why)->unknown = "how the rewritten path is spelt, where the one that was sent had encoded characters, is not modelled";
				return true;
			}
			if (one->rewrite.host)
				c->host = one->rewrite.host;
			if (one->rewrite.path.how != L7_KEEP)
				c->path = path_changed(&one->rewrite.path, d->route, &d->q);
			break;
		case L7_MIRROR:
			if (!one->mirror.service || (one->den && !one->num))
				break;
			to = arena_printf(d->a, "%s/%s:%d", one->mirror.ns, one->mirror.name, one->mirror.port);
			if (one->num < one->den && c->maybe.nr == MAX_MAYBE) {
				l7_answer(d, s, 0, d->why)->unknown = "more than eight mirrors that copy a part of the requests are not modelled";
				return true;
			}
			if (one->num < one->den)
				vec_add(d->a, &c->maybe, (struct maybe){ to, one->num, one->den });
			else
				vec_add(d->a, &c->mirrors, to);
			break;
		case L7_CORS:
			if (one->cors->nginx) {
				cors_adds(one->cors, d->q.rq, &c->response);
				break;
			}
			if (one->cors->unknown && header_of(d->q.rq, "Origin")) {
				l7_answer(d, s, 0, d->why)->unknown = one->cors->unknown;
				return true;
			}
			if (!cors_answers(one->cors, d->q.rq, &c->response))
				break;
			b = l7_answer(d, s, 200, arena_printf(d->a, "%s; its CORS filter answers the preflight request", d->why));
			b->resp_headers = c->response.v.v;
			b->nr_resp_headers = c->response.v.nr;
			return true;
		case L7_REDIRECT:
			b = l7_answer(d, s, one->redirect.status, arena_printf(d->a, "%s; it redirects", d->why));
			b->location = location_of(&one->redirect, d->route, &d->q);
			return true;
		case L7_UNKNOWN:
			l7_answer(d, s, 0, d->why)->unknown = one->unknown;
			return true;
		}
	}
	return false;
}

/* ---- backends */

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
		l7_answer(d, s, r->status, arena_printf(d->a, "%s; %s", d->why, r->why));
		return;
	}
	if (r->as_sent || r->upstream)
		nr = 1;
	else if (r->service)
		service_endpoints(d->t->cluster, r->service, r->port, r->subset, d->a, &nr);
	if (!nr && r->fallback) {
		reach(d, r->fallback, c, s);
		return;
	}
	if (!nr) {
		l7_answer(d, s, 503, arena_printf(d->a, "%s; Service %s/%s has no ready endpoint for port %d", d->why, r->ns, r->name, r->port));
		return;
	}
	b = l7_answer(d, s, 200, d->why);
	b->service = r->service;
	b->port = r->port;
	b->upstream = r->upstream;
	b->subset = r->subset;
	b->via_service = r->via_service;
	b->as_sent = r->as_sent;
	b->protocol = r->protocol;
	b->tls = r->tls;
	b->req_path = d->q.query && !strchr(c->path, '?') ? arena_printf(d->a, "%s?%s", c->path, d->q.query) : c->path;
	b->req_host = c->host;
	b->req_headers = c->request.v.v;
	b->nr_req_headers = c->request.v.nr;
	b->resp_headers = c->response.v.v;
	b->nr_resp_headers = c->response.v.nr;
	b->patience = c->patience;
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
		l7_answer(d, s, act->without ? act->without : 500, arena_printf(d->a, act->backends.nr ? "%s; all its backends have the weight 0" : "%s; it has no backends", d->why));
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
	const char *p = header_joined(rq, "Cookie", "; ", a);        /* RFC 6265: one list, whatever the lines */
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
	const char *v = c->header ? header_read(d->q.rq, c->header, d->q.repeats, d->a) : NULL;

	if (v && (c->value && *c->value ? streq(v, c->value) : c->pattern && regex_search(c->pattern, v, NULL, d->a)))
		return 1;
	if (v && !c->pattern && !(c->value && *c->value) && (streq(v, "always") || streq(v, "never")))
		return streq(v, "always") ? 1 : -1;
	v = c->cookie ? cookie_of(d->q.rq, c->cookie, d->a) : NULL;
	return v && streq(v, "always") ? 1 : v && streq(v, "never") ? -1 : 0;
}

/* Has it an endpoint that a balancer could choose? */
static bool balanced(const struct deciding *d, const struct l7_ref *r)
{
	uint32_t nr = 0;

	if (r->service && !r->upstream && !r->why)
		service_endpoints(d->t->cluster, r->service, r->port, r->subset, d->a, &nr);
	return nr || (r->upstream && !r->why) || r->fallback;
}

/* Canaries, then the rest. Source: ingress-nginx rootfs/etc/nginx/lua/balancer.lua get_balancer, route_to_alternative_balancer: the first alternative counts; one without
 * endpoints is left out, and where the primary has none there is no canary either. */
static void proceed(struct deciding *d, const struct l7_action *act, struct changing *c, struct share s)
{
	const struct l7_canary *alt = act->canaries.nr && balanced(d, &act->canaries.v[0].ref) && balanced(d, &act->backends.v[0].ref) ? &act->canaries.v[0] : NULL;
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
		l7_answer(d, part(s, f->abort_millionths, 1000000), f->status, arena_printf(d->a, "%s; its fault injection aborts the request", d->why));
	if (f->abort_millionths < 1000000)
		proceed(d, act, c, f->abort_millionths ? part(s, 1000000 - f->abort_millionths, 1000000) : s);
}

/* Does it bring a session, and is there more than one endpoint that this could lead to? */
static bool led_back(const struct deciding *d, const struct l7_action *act)
{
	const struct l7_session *s = act->session;
	const char *sent = !s->name ? NULL : s->header ? header_of(d->q.rq, s->name) : cookie_of(d->q.rq, s->name, d->a);
	uint32_t ends = 0, nr;

	for (uint32_t k = 0; sent && k < act->backends.nr; k++) {
		const struct l7_ref *r = &act->backends.v[k].ref;

		nr = 0;
		if (r->service && !r->why)
			service_endpoints(d->t->cluster, r->service, r->port, r->subset, d->a, &nr);
		ends += nr;
	}
	return ends > 1;
}

void l7_act(struct deciding *d, const struct l7_action *act)
{
	struct share s = { 1, 1, 0 };
	struct changing c;

	if (act->unknown) {
		l7_answer(d, s, 0, d->why)->unknown = act->unknown;
		return;
	}
	for (uint32_t k = 0; k < act->guards.nr; k++)
		if (guarded(d, &act->guards.v[k], s))
			return;
	if (act->direct) {
		l7_answer(d, s, act->direct, d->stream ? d->why : arena_printf(d->a, "%s; it answers by itself", d->why));
		return;
	}
	c = changing_new(d);
	c.patience = act->patience;
	if (filtered(d, &act->filters, &c, s))
		return;
	if (act->session && led_back(d, act)) {
		l7_answer(d, s, 0, d->why)->unknown = "the request brings its session, and to which endpoint that leads stands in it";
		return;
	}
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
