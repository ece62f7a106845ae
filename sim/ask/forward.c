/* What a proxy does with a request: its decision, the connection to the backend, and what comes back. The backend may have a sidecar, or be a proxy itself. */
#include "sim/ask/forward.h"

#include <stdlib.h>

#include "model/dataplane/compile.h"
#include "sim/ask/proxies.h"
#include "sim/ask/sidecar.h"

static struct trace dial(struct asking *k, netns_h from, ip_addr ip, uint16_t port)
{
	struct walk_from w = { .from = from, .t = { .dst = ip, .dport = port, .sport = 40001, .proto = PROTO_TCP } };

	return walk(k->w->dp, flows_new(k->a, cluster_now(k->c), cluster_seed(k->c)), &w, k->q->flags & ~(unsigned)WALK_KEEP, k->a);
}

struct http_view *forward_view(struct asking *k, const struct http_decision *d, const struct http_backend *b, int status)
{
	struct http_view *h = arena_make(k->a, struct http_view);

	*h = (struct http_view){ .status = status, .location = b->location, .tls_secret = d->tls_secret, .upstream = b->upstream, .why = b->why, .listener = d->listener,
				 .grpc = d->grpc && status != 200 ? grpc_status(status) : NULL, .tls_names = d->tls_names, .tls_why = d->tls_why, .delay = b->delay, .considered = d->considered, .nr_considered = d->nr_considered };
	if (!b->service && !b->upstream && !b->as_sent) {       /* the proxy's own answer */
		h->resp_headers = b->resp_headers;
		h->nr_resp_headers = b->nr_resp_headers;
	}
	return h;
}

void forward_backend(struct asking *k, struct http_view *h, const struct http_backend *b)
{
	h->backend = b->service ? arena_printf(k->a, "%s/%s:%d", b->service->o.ns, b->service->o.name, b->port) : NULL;
	h->req_path = b->req_path;
	h->req_host = b->req_host;
	h->req_headers = b->req_headers;
	h->nr_req_headers = b->nr_req_headers;
	h->resp_headers = b->resp_headers;
	h->nr_resp_headers = b->nr_resp_headers;
	h->mirrors = b->mirrors;
	h->nr_mirrors = b->nr_mirrors;
}

/* What the proxy says when its own connection fails: 502 if it was refused, 504 if nothing came back; Envoy: 503. */
static int failure(const struct way *way, const struct http_backend *b, enum verdict v)
{
	if (v == V_REFUSED || v == V_REJECTED)
		return way->envoy ? 503 : 502;
	return l7_silent_status(b->patience, way->envoy);
}

static void fill_end(struct outcome_view *v, const struct outcome_view *end)
{
	v->assumed = end->assumed;
	v->masqueraded = end->masqueraded;
	v->end_ip = end->end_ip;
	v->end_port = end->end_port;
	v->pod = end->pod;
	v->container = end->container;
	v->node = end->node;
}

/* The request as a proxy has changed it; one that is not read stays as it was. */
struct http_request forward_passed_on(const struct way *way, const struct http_backend *b)
{
	struct http_request rq = *way->rq;

	if (!way->stream && b->req_path) {
		rq.scheme = way->table ? "http" : rq.scheme;
		rq.path = b->req_path;
		rq.host = b->req_host;
		rq.nr_hosts = 1;
		rq.headers = b->req_headers;
		rq.nr_headers = b->nr_req_headers;
	}
	return rq;
}

/* Can a sidecar read it? */
static bool is_plain(const struct http_request *rq, const struct http_backend *b)
{
	return streq(rq->scheme, "http") && !streq(b->protocol, "HTTPS") && !streq(b->protocol, "GRPCS");
}

bool forward_received(struct asking *k, const struct way *way, const struct http_backend *b, const struct outcome *second, struct outcome_view *v, struct http_view *h)
{
	struct http_request rq = forward_passed_on(way, b);
	struct received r = sidecar_receives(k->w, second, (struct sender){ way->pod, way->sidecar || way->table }, b->service, is_plain(&rq, b) ? &rq : NULL, k->q->flags, k->a);

	if (!r.captured)
		return false;
	v->third = r.local;
	if (r.status == 200) {
		struct outcome_view app = outcome_view_of(k->w, r.local, (struct frac){ 1, 1 });

		v->end_port = app.end_port;
		v->container = app.container;
		v->assumed = app.assumed;
		return false;
	}
	v->verdict = r.verdict;
	v->reason = r.why;
	h->status = r.status ? r.status : way->table ? failure(way, b, V_REJECTED) : 0;
	h->why = r.why;
	if (r.verdict == V_REJECTED && way->table && !way->stream)
		v->verdict = V_DELIVERED;               /* the proxy lives, and says that its backend did not */
	if (v->verdict != V_DELIVERED) {
		v->http = NULL;
		v->answered = false;
	}
	return true;
}

/* ---- the backend is a proxy itself */

/* What the first proxy makes of the second one's answer. */
static void outward(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, struct outcome_view *v)
{
	struct http_view *h;

	if (v->verdict == V_UNKNOWN)
		return;
	if (!v->http) {
		h = forward_view(k, d, b, failure(way, b, v->verdict));
		v->reason = h->why = arena_printf(k->a, "%s; the proxy answers %d, because the next one gave no answer: %s", b->why, h->status, v->reason);
		v->verdict = V_DELIVERED;
		v->answered = true;
		v->http = h;
		return;
	}
	h = arena_copy(k->a, v->http, sizeof(*h));
	h->delay += b->delay;
	if (!h->backend && b->service && v->pod && h->status == 200) {  /* the next one only passed it on */
		h->backend = arena_printf(k->a, "%s/%s:%d", b->service->o.ns, b->service->o.name, b->port);
		v->reason = h->why = b->why;
	}
	h->mirrors = h->nr_mirrors ? h->mirrors : b->mirrors;
	h->nr_mirrors = h->nr_mirrors ? h->nr_mirrors : b->nr_mirrors;
	if (d->tls_names) {
		h->tls_secret = d->tls_secret;
		h->tls_names = d->tls_names;
		h->tls_why = d->tls_why;
	}
	if (way->table) {                       /* it changes the headers of the answer as well */
		struct http_request rq = *way->rq;
		struct http_decision again;

		rq.backend_headers = h->resp_headers;
		rq.nr_backend_headers = h->nr_resp_headers;
		again = routes_match(way->table, &rq, k->a);
		h->resp_headers = again.v[b - d->v].resp_headers;
		h->nr_resp_headers = again.v[b - d->v].nr_resp_headers;
	}
	v->http = h;
}

/* Where the connection to the backend came to another proxy: its answers, as the one before it hands them on. first: without the hop that came to it. */
static void through_next(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, struct way *next, struct outcome_view *first,
			 const struct http_request *rq)
{
	uint32_t from = k->out->nr;
	struct http_decision answer;

	next->first = first;
	next->rq = rq;
	next->depth = way->depth + 1;
	if (next->depth > 2 || first->nr_between >= MOST_BETWEEN) {
		first->verdict = V_UNKNOWN;
		first->reason = "more than three proxies in a row are not modelled";
		*answer_push(k->out, k->a) = *first;
		return;
	}
	answer = routes_match(next->table, rq, k->a);
	next->stream = answer.stream;
	forward_decided(k, next, &answer);
	for (uint32_t i = from; i < k->out->nr; i++)
		outward(k, way, d, b, &k->out->v[i]);
}

static void to_be_between(struct outcome_view *first, const struct outcome *hop)
{
	if (first->nr_between < MOST_BETWEEN)
		first->between[first->nr_between++] = hop;
}

/* false: what the connection `to` came to is no proxy. */
static bool next_proxy(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const struct outcome *to, const struct outcome_view *end,
		       struct frac share)
{
	struct outcome_view first = *way->first;
	struct way next = { .from = to->there.end, .pod = end->pod };
	struct http_request rq = forward_passed_on(way, b);
	struct arriving in = { .walk = to, .sender = { way->pod, way->sidecar || way->table }, .service = b->service, .rq = is_plain(&rq, b) ? &rq : NULL };
	struct proxy p = forward_arrives(k, end->pod, &in, NULL);
	struct http_request own;

	if (!p.table || !routes_listen(p.table, p.port))
		return false;
	if (in.r.captured && in.r.status != 200)         /* its own sidecar answers instead: as with any server */
		return false;
	fill_end(&first, end);
	first.p = frac_mul(frac_mul(first.p, share), to->p);
	to_be_between(&first, to);
	if (in.r.captured)
		to_be_between(&first, in.r.local);
	own = request_of(k, &first, p.port);
	own.client = in.r.captured ? in.r.local->there.as_seen.src : to->there.as_seen.src;
	if (way->table) {
		own.scheme = rq.scheme;
		own.host = rq.host;
		own.nr_hosts = rq.nr_hosts;
		own.path = rq.path;
		own.headers = rq.headers;
		own.nr_headers = rq.nr_headers;
	}
	next.table = p.table;
	next.envoy = p.envoy;
	through_next(k, way, d, b, &next, &first, &own);
	return true;
}

/* What a proxy sends is taken by the sidecar of its own Pod. */
static void own_sidecar(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const struct outcome *hop, struct frac share)
{
	const struct tuple *sent = &hop->there.as_sent;
	struct outcome_view first = *way->first;
	struct http_request rq = forward_passed_on(way, b);
	bool plain = is_plain(&rq, b);
	struct mesh_dialled dialled = { sent->dst, sent->dport, plain ? query_make(&rq, k->a).host : NULL, plain ? NULL : "" };
	struct way next = { .from = way->from, .pod = way->pod, .sidecar = true, .envoy = true, .sent = sent };
	const char *unmodelled = mesh_unmodelled(k->c, way->pod, k->a);

	rq.port = sent->dport;
	rq.scheme = plain ? "http" : "https";
	rq.sni = plain ? NULL : "";
	rq.client = hop->there.as_seen.src;
	first.p = frac_mul(frac_mul(first.p, share), hop->p);
	to_be_between(&first, hop);
	if (unmodelled) {
		first.verdict = V_UNKNOWN;
		first.reason = unmodelled;
		*answer_push(k->out, k->a) = first;
		return;
	}
	next.table = routes_compile_sidecar(k->c, way->pod, &dialled, k->a);
	through_next(k, way, d, b, &next, &first, &rq);
}

/* One way to the backend: `second` is the walk from the proxy to it. elsewhere: another endpoint would take the connection. */
static void arrive(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const struct outcome *second, struct frac share, bool elsewhere)
{
	const struct outcome_view *first = way->first;
	struct outcome_view end = outcome_view_of(k->w, second, (struct frac){ 1, 1 }), v = *first;
	bool good = second->there.verdict == V_DELIVERED && second->answered;
	struct http_view *h = forward_view(k, d, b, good ? 200 : failure(way, b, second->there.verdict));

	if (good && !way->sidecar && sidecar_took(way->pod, way->from, second)) {
		own_sidecar(k, way, d, b, second, share);
		return;
	}
	if (good && next_proxy(k, way, d, b, second, &end, share))
		return;
	v.p = frac_mul(frac_mul(first->p, share), second->p);
	v.second = second;
	v.http = h;
	if (second->there.verdict == V_UNKNOWN) {
		v.verdict = V_UNKNOWN;
		v.http = NULL;
		v.reason = end.reason;
	} else if (!good && d->stream) {
		v.verdict = V_REJECTED;
		v.answered = false;
		v.http = NULL;
		v.reason = arena_printf(k->a, "%s; the proxy cuts the connection off, because its own to %s", b->why, outcome_failed(second, &end, k->a));
	} else if (!good && elsewhere && b->patience && b->patience->retries && (!b->patience->istio || b->patience->connects)) {
		v.verdict = V_UNKNOWN;
		v.http = NULL;
		v.reason = arena_printf(k->a, "%s; its connection to %s, and whether the retry comes to another endpoint is the proxy's affair", b->why, outcome_failed(second, &end, k->a));
	} else if (!good) {
		v.reason = arena_printf(k->a, "%s; the proxy answers %d, because its connection to %s", b->why, h->status, outcome_failed(second, &end, k->a));
		h->why = v.reason;
	} else {
		fill_end(&v, &end);
		v.reason = b->why;
		if (!forward_untrusted(k, way, d, b, &end, &v, h) && !forward_received(k, way, b, second, &v, h)) {
			forward_backend(k, h, b);
			forward_answers(k, way, d, b, &end, &v, h);
		}
	}
	*answer_push(k->out, k->a) = v;
}

/* To `nr` addresses, each as likely: a backend may be only a name for them. */
static void forward_dial(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const ip_addr *ip, const uint16_t *port, uint32_t nr)
{
	struct trace *t = arena_array(k->a, struct trace, nr);
	bool any = false;

	for (uint32_t i = 0; i < nr; i++) {
		t[i] = way->sidecar ? sidecar_dials(k->w, way->from, (ip_addr){ 0 }, ip[i], port[i], k->q->flags, k->a) : dial(k, way->from, ip[i], port[i]);
		for (uint32_t j = 0; j < t[i].nr; j++)
			any = any || (t[i].v[j].there.verdict == V_DELIVERED && t[i].v[j].answered);
	}
	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t j = 0; j < t[i].nr; j++)
			arrive(k, way, d, b, &t[i].v[j], frac_mul((struct frac){ b->num, b->den }, (struct frac){ 1, nr }), any);
}

/* A name outside: what the source's DNS knows of it. Of names outside of which nothing is known at all (no --zone), it is assumed that they exist and answer. */
static void dial_name(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b)
{
	const struct outcome_view *first = way->first;
	struct source proxy = { .netns = way->from, .pod = (struct pod *)way->pod, .kind = "Pod" };
	const char *colon = strrchr(b->upstream, ':'), *why = NULL;
	const char *name = arena_strndup(k->a, b->upstream, (size_t)(colon - b->upstream));
	uint16_t port = (uint16_t)atoi(colon + 1);
	struct outcome_view v = *first;
	struct http_view *h;
	ip_addr *ip, literal;
	uint32_t nr = 0;

	if (ip_parse(name, &literal)) {
		forward_dial(k, way, d, b, &literal, &port, 1);
		return;
	}
	if (question_resolve(k->w, &proxy, name, k->v6, k->a, &ip, &nr, &why, &k->name_unknown)) {
		uint16_t *ports = arena_array(k->a, uint16_t, nr);

		for (uint32_t i = 0; i < nr; i++)
			ports[i] = port;
		forward_dial(k, way, d, b, ip, ports, nr);
		return;
	}
	v.assumed = !cluster_settings(k->c)->flags->zone && !k->name_unknown;
	h = forward_view(k, d, b, v.assumed ? 200 : 502);
	v.p = frac_mul(first->p, (struct frac){ b->num, b->den });
	v.http = h;
	if (k->name_unknown)
		v.verdict = V_UNKNOWN;
	v.reason = v.assumed ? arena_printf(k->a, "%s; %s lies outside the cluster and is taken to answer", b->why, b->upstream) : arena_printf(k->a, "%s; %s", b->why, why);
	if (v.assumed)
		forward_backend(k, h, b);
	*answer_push(k->out, k->a) = v;
}

static void forward_request(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b)
{
	struct http_endpoint *e;
	uint32_t nr = 0;
	ip_addr *ip, vip;
	uint16_t *port;

	if (b->upstream) {
		dial_name(k, way, d, b);
		return;
	}
	if (b->as_sent && way->sent) {
		forward_dial(k, way, d, b, &way->sent->dst, &way->sent->dport, 1);
		return;
	}
	if (b->via_service && b->service->cluster_ip && ip_parse(b->service->cluster_ip, &vip)) {
		uint16_t number = (uint16_t)b->port;

		forward_dial(k, way, d, b, &vip, &number, 1);
		return;
	}
	e = service_endpoints(k->c, b->service, b->port, b->subset, k->a, &nr);
	ip = arena_array(k->a, ip_addr, nr);
	port = arena_array(k->a, uint16_t, nr);
	for (uint32_t i = 0; i < nr; i++) {
		ip[i] = e[i].ip;
		port[i] = e[i].port;
	}
	forward_dial(k, way, d, b, ip, port, nr);
}

/* ---- who a connection comes to */

struct proxy forward_arrives(struct asking *k, const struct pod *pod, struct arriving *in, const struct route_table *meant)
{
	uint16_t dialled = in->walk->there.as_sent.dport;

	in->r = sidecar_receives(k->w, in->walk, in->sender, in->service, in->rq, k->q->flags, k->a);
	return proxies_of(&(struct looking){ k->w, k->c, k->a }, pod, dialled, in->r.captured ? in->r.port : in->walk->there.as_seen.dport, meant);
}

/* ---- the proxy's answer */

void forward_decided(struct asking *k, const struct way *way, const struct http_decision *d)
{
	const struct outcome_view *first = way->first;

	if (!d->connect || d->tls_failed) {
		struct outcome_view v = *first;

		v.verdict = d->connect ? V_REJECTED : V_REFUSED;
		v.answered = false;
		v.reason = d->connect ? d->tls_why : "nobody listens on that port: no listener of the proxy is programmed for it";
		*answer_push(k->out, k->a) = v;
	}
	for (uint32_t i = 0; i < d->nr; i++) {
		const struct http_backend *b = &d->v[i];
		struct outcome_view v = *first;

		if (b->status == 200 && !b->unknown && (b->service || b->upstream || b->as_sent)) {
			forward_request(k, way, d, b);
			continue;
		}
		v.p = frac_mul(first->p, (struct frac){ b->num, b->den });
		v.reason = b->unknown ? b->unknown : b->why;
		v.verdict = b->unknown ? V_UNKNOWN : b->reset ? V_REJECTED : v.verdict;
		v.answered = v.answered && !b->reset;
		if (!b->unknown && !b->reset)
			v.http = forward_view(k, d, b, b->status);
		*answer_push(k->out, k->a) = v;
	}
}
