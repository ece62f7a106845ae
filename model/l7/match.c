/* From a request to a decision: which listener, which certificate, which route. What the route then does to the request is act.c. */
#include "model/l7/deciding.h"
#include "model/l7/mesh.h"

#include <stdlib.h>
#include <strings.h>

#define CONSIDERED 20

/* "404, 503" */
static bool has_status(const char *list, int status)
{
	for (char *end; *list; list = end + (end[0] != '\0' || end == list))
		if (strtol(list, &end, 10) == status)
			return true;
	return false;
}

struct http_backend *l7_answer(struct deciding *d, struct share s, int status, const char *why)
{
	struct http_backend *b = vec_push(d->a, &d->v);

	*b = (struct http_backend){ .num = s.num, .den = s.den, .status = status, .delay = s.delay, .why = why };
	if (d->stream && status >= 400) {       /* nobody speaks HTTP here: the connection is cut off */
		b->status = 0;
		b->reset = true;
	}
	if (d->route) {
		b->cause = d->route->cause;
		b->cause_path = d->route->cause_path;
		if (status >= 400 && d->route->action->intercepts && has_status(d->route->action->intercepts, status))
			b->unknown = arena_printf(d->a, "custom-http-errors: instead of %d the default backend answers, and what it says is not modelled", status);
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

/* protos: a bit for each that will do. */
static const struct l7_listener *best_listener(const struct route_table *t, uint16_t port, unsigned protos, const char *name)
{
	const struct l7_listener *best = NULL;

	for (uint32_t k = 0; k < t->listeners.nr; k++) {
		const struct l7_listener *l = &t->listeners.v[k];

		if (l->dead || l->port != port || !(protos >> l->proto & 1) || !host_matches(l->host, name, t->groups.v[l->group].one_label))
			continue;
		if (!best || host_rank(l->host) > host_rank(best->host))
			best = l;
	}
	return best;
}

static bool port_open(const struct route_table *t, uint16_t port, uint8_t *proto)
{
	for (uint32_t k = 0; k < t->listeners.nr; k++)
		if (!t->listeners.v[k].dead && t->listeners.v[k].port == port && t->listeners.v[k].proto != L7_UDP) {
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
		l7_answer(d, all, 400, "a plain HTTP request was sent to a port that speaks HTTPS");
		return false;
	}
	return fails(d->out, tls ? "the TLS handshake fails: no listener on this port is for that name" : "a plain HTTP request on a port that expects TLS is cut off");
}

static bool handshake(struct deciding *d, const struct l7_listener *l, const char *sni)
{
	const struct l7_cert *c = table_cert(d->t, (uint32_t)(l - d->t->listeners.v), sni, &d->out->tls_why);

	if (l->client_certificates && !d->q.rq->cert)
		return fails(d->out, "the TLS handshake fails: the listener asks clients for a certificate, and this one has none");
	if (l->client_certificates && !l->client_ca) {
		l7_answer(d, (struct share){ 1, 1, 0 }, 0, NULL)->unknown = "the listener asks clients for a certificate, and whose it takes is not known";
		return false;
	}
	if (l->client_certificates && !cert_trusted(d->q.rq->cert, l->client_ca, d->a))
		return fails(d->out, "the TLS handshake fails: the client's certificate is signed by none of the listener's CA certificates");
	if (!c && !d->t->own_cert)
		return fails(d->out, "the TLS handshake fails: the listener has no certificate");
	if (c) {
		d->out->tls_secret = c->secret;
		d->out->tls_names = joined(&c->names, d->a);
	}
	return true;
}

static const unsigned with_tls = 1u << L7_HTTPS | 1u << L7_TLS_PASSTHROUGH | 1u << L7_TLS_TERMINATE;

/* Gateway API (HTTPS listeners): where the Host belongs to another listener than the name in the hello, 421; where it belongs to none, 404. */
static bool misdirected(struct deciding *d, const struct l7_listener *l)
{
	static const struct share all = { 1, 1, 0 };
	const struct l7_listener *own = best_listener(d->t, l->port, with_tls, d->q.host);

	if (!d->t->misdirected || own == l)
		return false;
	if (!own)
		l7_answer(d, all, 404, arena_printf(d->a, "no listener of %s is for the host %s", d->t->server, d->q.host));
	else
		l7_answer(d, all, 421, arena_printf(d->a, "the host %s belongs to listener %s, and the TLS connection was made to listener %s", d->q.host, own->name, l->name));
	return true;
}

/* false: there are several, and it is answered. */
static bool one_host(struct deciding *d)
{
	static const struct share all = { 1, 1, 0 };
	const struct http_request *rq = d->q.rq;
	bool same = true;

	for (uint32_t k = 1; k < rq->nr_hosts; k++)
		same = same && strcasecmp(rq->host, rq->hosts[k]) == 0;
	if (rq->nr_hosts < 2 || (same && d->t->second_host == L7_HOST_SAME))
		return true;
	if (d->t->second_host == L7_HOST_OPEN)
		l7_answer(d, all, 0, NULL)->unknown = arena_printf(d->a, "the request has %u Host headers, and whether %s refuses that (RFC 9112, 3.2) or reads one of them is not known",
								   rq->nr_hosts, d->t->server);
	else
		l7_answer(d, all, 400, arena_printf(d->a, "%s refuses the request: it has %u Host headers (RFC 9112, 3.2)", d->t->server, rq->nr_hosts));
	return false;
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
	l = there == L7_TCP ? best_listener(d->t, rq->port, 1u << L7_TCP, "") : best_listener(d->t, rq->port, tls ? with_tls : 1u << L7_HTTP, name);
	if (!l && (there == L7_HTTP) == tls)
		return (void)mismatch(d, there, tls), NULL;
	if (!l && tls)
		return (void)fails(d->out, arena_printf(d->a, "the TLS handshake fails: no listener of %s is for the name %s", d->t->server, name)), NULL;
	if (!l) {
		if (one_host(d))
			l7_answer(d, all, 404, arena_printf(d->a, "no listener of %s is for the host %s", d->t->server, d->q.host));
		return NULL;
	}
	d->out->listener = l->name;
	d->out->passthrough = l->proto == L7_TLS_PASSTHROUGH || l->proto == L7_TCP;
	if (l->unknown) {
		l7_answer(d, all, 0, NULL)->unknown = l->unknown;
		return NULL;
	}
	d->out->stream = d->stream = l->proto == L7_TCP || l->proto == L7_TLS_PASSTHROUGH || l->proto == L7_TLS_TERMINATE;
	if (d->stream && tls)                   /* what is inside is not read: the name in the hello is all that is known */
		d->q.host = query_host(name, d->a);
	if ((l->proto == L7_HTTPS || l->proto == L7_TLS_TERMINATE) && !handshake(d, l, name))
		return NULL;
	if (!d->stream && !one_host(d))
		return NULL;
	return l->proto == L7_HTTPS && misdirected(d, l) ? NULL : l;
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
	if (d->stream)
		return arena_printf(d->a, "the connection is cut off: no route of %s is for %s%s", d->t->server, *d->q.host ? "the name " : "it", d->q.host);
	if (!host)
		return arena_printf(d->a, "no rule of %s is for the host %s", d->t->server, *d->q.host ? d->q.host : "(none)");
	return arena_printf(d->a, "no rule of %s for the host %s matches %s %s", d->t->server, streq(host->pattern, "*") ? d->q.host : host->pattern,
			    d->q.rq->method ? d->q.rq->method : "GET", d->q.path);
}

/* A header that is given more than once, read in each of the ways in which proxies read it: does it change the route? NULL: it does not. */
static const char *repeats_decide(struct deciding *d, uint32_t group)
{
	const char *name = d->t->repeats == L7_REPEATS_OPEN ? header_repeated(d->q.rq) : NULL;
	const struct l7_vhost *host;
	struct l7_query q = d->q;

	for (q.repeats = L7_REPEATS_COMMA; name && q.repeats <= L7_REPEATS_ANY; q.repeats++)
		if (table_find(d->t, group, &q, &host) != d->route)
			return arena_printf(d->a, "header %s is given more than once, and how %s reads that (the first, the last, all as one) is not known", name, d->t->server);
	return NULL;
}

/* Likewise a path that is not in its normal form: Exact /foo and a request for /x/../foo. */
static const char *spelling_decides(struct deciding *d, uint32_t group)
{
	static const struct { bool all, merge; } readings[] = { { false, false }, { false, true }, { true, true } };
	const struct l7_vhost *host;
	struct l7_query q = d->q;

	if (d->t->normal_paths || d->stream || path_is_normal(d->q.path))
		return NULL;
	for (size_t k = 0; k < ARRAY_LEN(readings); k++) {
		q.path = path_normal(d->q.path, readings[k].all, readings[k].merge, d->a);
		q.path_len = q.path ? (uint32_t)strlen(q.path) : 0;
		if (!q.path || table_find(d->t, group, &q, &host) != d->route)
			return arena_printf(d->a, "path %s is not in its normal form, and whether %s brings it there before it compares is not known", d->q.path, d->t->server);
	}
	return NULL;
}

/* A gateway's own AuthorizationPolicies: of requests, or of connections where it reads none. Nobody comes with an identity: its listeners end TLS themselves. false: it is answered. */
static bool allowed(struct deciding *d, const struct l7_listener *l)
{
	static const struct share all = { 1, 1, 0 };
	struct mesh_source from = { .ip = d->q.rq->client };
	struct mesh_verdict v;

	if (!d->t->gate || cluster_count(d->t->cluster, &authorization_policy_kind) + cluster_count(d->t->cluster, &request_authentication_kind) == 0)
		return true;
	v = mesh_authorized(d->t->cluster, d->t->gate, l->port, &from, d->stream ? NULL : d->q.rq, d->a);
	if (v.unknown)
		l7_answer(d, all, 0, NULL)->unknown = v.unknown;
	else if (!v.allowed)
		l7_answer(d, all, 403, arena_printf(d->a, "%s answers: %s", d->t->server, v.why));
	return v.allowed && !v.unknown;
}

static void route(struct deciding *d, const struct l7_listener *l)
{
	static const struct share all = { 1, 1, 0 };
	const struct l7_hosts *g = &d->t->groups.v[l->group];
	const struct l7_vhost *host;
	const char *open;

	if (!allowed(d, l))
		return;
	d->route = table_find(d->t, l->group, &d->q, &host);
	if (d->q.rq->explain)
		consider(d, host);
	open = repeats_decide(d, l->group);
	open = open ? open : spelling_decides(d, l->group);
	if (open) {
		l7_answer(d, all, 0, NULL)->unknown = open;
	} else if (d->route) {
		d->host = host->pattern;
		d->why = sentence(d, d->route, host->pattern);
		l7_act(d, d->route->action);
	} else if (g->dflt) {
		struct l7_route fallback = { .path_kind = L7_PATH_ELEMENTS, .path = "/", .action = g->dflt, .cause = g->dflt_cause, .cause_path = g->dflt_path };

		d->why = arena_printf(d->a, "%s: the default backend of %s takes it", nothing(d, host), object_text(d, g->dflt_cause));
		d->route = arena_copy(d->a, &fallback, sizeof(fallback));
		l7_act(d, g->dflt);
	} else {
		l7_answer(d, all, 404, nothing(d, host));
	}
}

struct http_decision routes_connection(const struct route_table *t, uint16_t port, bool udp, struct arena *a)
{
	struct http_request rq = { .host = "", .port = port };
	struct http_decision out = { .stream = true };
	struct deciding d = { .t = t, .q = query_make(&rq, a), .a = a, .stream = true, .out = &out };
	const struct l7_listener *l = best_listener(t, port, 1u << (udp ? L7_UDP : L7_TCP), "");

	out.connect = l != NULL;
	if (l) {
		out.listener = l->name;
		route(&d, l);
	}
	out.v = d.v.v;
	out.nr = d.v.nr;
	return out;
}

/* What a client of gRPC makes of an answer that comes without a status of gRPC. Source: grpc/doc/http-grpc-status-mapping.md. */
const char *grpc_status(int http)
{
	static const struct { int http; const char *name; } known[] = {
		{ 200, "OK" }, { 400, "INTERNAL" }, { 401, "UNAUTHENTICATED" }, { 403, "PERMISSION_DENIED" }, { 404, "UNIMPLEMENTED" },
		{ 429, "UNAVAILABLE" }, { 502, "UNAVAILABLE" }, { 503, "UNAVAILABLE" }, { 504, "UNAVAILABLE" },
	};

	for (size_t k = 0; k < ARRAY_LEN(known); k++)
		if (known[k].http == http)
			return known[k].name;
	return "UNKNOWN";
}

/* nginx compares paths in their normal form; one that has none is a bad request. */
static bool brought_to_normal(struct deciding *d)
{
	static const struct share all = { 1, 1, 0 };
	const char *path = d->t->normal_paths && !path_is_normal(d->q.path) ? path_normal(d->q.path, true, true, d->a) : d->q.path;

	if (!path) {
		l7_answer(d, all, 400, arena_printf(d->a, "%s refuses the path %s", d->t->server, d->q.path));
		return false;
	}
	d->q.path = path;
	d->q.path_len = (uint32_t)strlen(path);
	return true;
}

struct http_decision routes_match(const struct route_table *t, const struct http_request *rq, struct arena *a)
{
	const char *type = header_of(rq, "Content-Type");
	struct http_decision out = { .grpc = type && strncasecmp(type, "application/grpc", 16) == 0 };
	struct deciding d = { .t = t, .q = query_make(t->second_host == L7_HOST_JOINED ? request_hosts_joined(rq, a) : rq, a), .a = a, .out = &out };
	const struct l7_listener *l;

	d.q.repeats = t->repeats;
	l = find_listener(&d);
	if (l && brought_to_normal(&d))
		route(&d, l);
	out.v = d.v.v;
	out.nr = d.v.nr;
	return out;
}
