/* A request's way: the name, the connection to whoever takes it, TLS, the route, and the connection from the proxy to the backend. Who takes it decides: a
 * controller's Pod reads its routing table and dials an endpoint itself; any other Pod is the server. */
#include "sim/ask/request.h"

#include <stdlib.h>
#include <strings.h>

#include "model/dataplane/compile.h"
#include "model/l7/gateway.h"
#include "model/l7/mesh.h"
#include "sim/ask/proxies.h"
#include "sim/ask/sidecar.h"

struct asking {
	struct world *w;
	struct cluster *c;
	const struct question *q;
	const struct end *to;
	struct arena *a;
	struct answer *out;
	struct err *err;
	bool v6;
	const struct route_table *meant;        /* --resolve named a gateway: its table, where one Pod serves several */
};

static struct outcome_view *push(struct asking *k) { return answer_push(k->out, k->a); }

static bool nowhere(struct asking *k, enum verdict verdict, const char *why)
{
	*push(k) = (struct outcome_view){ .p = { 1, 1 }, .verdict = verdict, .reason = why };
	return true;
}

/* ---- where to connect */

static bool resolve_end(struct asking *k, const struct end *e, struct target *t, const char **why)
{
	if (e->kind == END_GATEWAY || e->kind == END_CONTROLLER) {
		if (!proxies_address(k->c, e, k->v6, k->a, t, why, k->err))
			return false;
		if (e->kind == END_GATEWAY)
			k->meant = proxies_gateway(k->w, (const struct gateway *)cluster_find(k->c, &gateway_kind, e->ns, e->name), k->a);
		else
			k->meant = proxies_ingress(k->w, e->name, k->a);
		return true;
	}
	if (e->kind == END_NAME)
		return question_resolve(k->w, &k->out->source, e->name, k->v6, k->a, &t->ip, &t->nr, why);
	return end_target(k->c, e, L4_TCP, k->v6, k->a, t, k->err);
}

/* The addresses to connect to. false: *why says why the name is not resolved, or err why it cannot be asked. */
static bool find_address(struct asking *k, struct target *t, const char **why)
{
	struct serving s;
	struct end e;

	*why = NULL;
	*t = (struct target){ 0 };
	if (k->q->resolve) {
		if (!end_parse(k->c, k->q->resolve, k->q->ns, &e, k->err))
			return false;
		if (!e.port && !e.port_name)
			e.port = k->to->port;
		return resolve_end(k, &e, t, why);
	}
	if (k->to->has_ip) {
		t->ip = arena_copy(k->a, &k->to->ip, sizeof(ip_addr));
		t->nr = 1;
		return true;
	}
	if (!streq(k->out->source.kind, "Client"))
		return question_resolve(k->w, &k->out->source, k->to->name, k->v6, k->a, &t->ip, &t->nr, why);
	s = proxies_serving(&(struct looking){ k->w, k->c, k->a }, k->to->name, k->to->port);
	if (s.nr > 1)
		return err_add(k->err, ERR_INPUT, NULL, "\"%s\" is served by %s: say which one with --resolve", k->to->name, s.names);
	if (s.nr == 1)
		return resolve_end(k, &s.end, t, why);
	if (question_resolve(k->w, &k->out->source, k->to->name, k->v6, k->a, &t->ip, &t->nr, why))
		return true;
	s = proxies_serving(&(struct looking){ k->w, k->c, k->a }, NULL, k->to->port);          /* rules for any host, if only one has such */
	return s.nr == 1 && resolve_end(k, &s.end, t, why);
}

/* ---- the second connection */

/* The first connection has come to a proxy: a controller's Pod, or the sender's own sidecar. */
struct way {
	const struct outcome_view *first;
	netns_h from;                           /* where the proxy dials */
	const struct pod *pod;                  /* whose identity it has */
	const struct route_table *table;        /* NULL: no proxy; the server itself took it */
	const struct http_request *rq;
	bool sidecar;                           /* it dials as the sidecar of its Pod */
	bool envoy;                             /* its answers to failures are Envoy's */
	bool next;                              /* it is the second proxy in a row */
};

static struct trace dial(struct asking *k, netns_h from, ip_addr ip, uint16_t port)
{
	struct walk_from w = { .from = from, .t = { .dst = ip, .dport = port, .sport = 40001, .proto = PROTO_TCP } };

	return walk(k->w->dp, flows_new(k->a, cluster_now(k->c), cluster_seed(k->c)), &w, k->q->flags & ~(unsigned)WALK_KEEP, k->a);
}

static struct http_view *view_of(struct asking *k, const struct http_decision *d, const struct http_backend *b, int status)
{
	struct http_view *h = arena_make(k->a, struct http_view);

	*h = (struct http_view){ .status = status, .location = b->location, .tls_secret = d->tls_secret, .upstream = b->upstream, .why = b->why, .listener = d->listener,
				 .grpc = d->grpc && status != 200 ? grpc_status(status) : NULL, .tls_names = d->tls_names, .tls_why = d->tls_why, .delay = b->delay, .considered = d->considered, .nr_considered = d->nr_considered };
	if (!b->service && !b->upstream) {      /* the proxy's own answer */
		h->resp_headers = b->resp_headers;
		h->nr_resp_headers = b->nr_resp_headers;
	}
	return h;
}

static void set_backend(struct asking *k, struct http_view *h, const struct http_backend *b)
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
static int failure(const struct way *way, enum verdict v) { return way->envoy ? 503 : v == V_REFUSED || v == V_REJECTED ? 502 : 504; }

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

/* The receiver's sidecar, if there is one, has the last word. true: it answered instead of the application. */
static bool received_by(struct asking *k, const struct way *way, const struct http_backend *b, const struct outcome *second, struct outcome_view *v, struct http_view *h)
{
	struct http_request rq = *way->rq;
	struct received r;

	if (b->req_path) {                      /* as the proxy before has changed it */
		rq.path = b->req_path;
		rq.host = b->req_host;
		rq.headers = b->req_headers;
		rq.nr_headers = b->nr_req_headers;
	}
	r = sidecar_receives(k->w, second, (struct sender){ way->pod, way->sidecar || way->table }, b->service, &rq, k->q->flags, k->a);

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
	h->status = r.status ? r.status : way->table ? failure(way, V_REJECTED) : 0;
	h->why = r.why;
	if (r.verdict == V_REJECTED && way->table)
		v->verdict = V_DELIVERED;               /* the proxy lives, and says that its backend did not */
	if (v->verdict != V_DELIVERED) {
		v->http = NULL;
		v->answered = false;
	}
	return true;
}

/* ---- the backend is a proxy itself */

static void decided(struct asking *k, const struct way *way, const struct http_decision *d);
static struct http_request request_of(struct asking *k, const struct outcome_view *first, uint16_t port);

/* What the first proxy makes of the second one's answer. */
static void outward(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, struct outcome_view *v)
{
	struct http_view *h;

	if (v->verdict == V_UNKNOWN)
		return;
	if (!v->http) {
		h = view_of(k, d, b, failure(way, v->verdict));
		v->reason = h->why = arena_printf(k->a, "%s; the proxy answers %d, because the next one gave no answer: %s", b->why, h->status, v->reason);
		v->verdict = V_DELIVERED;
		v->answered = true;
		v->http = h;
		return;
	}
	h = arena_copy(k->a, v->http, sizeof(*h));
	h->delay += b->delay;
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

/* The connection to the backend, `to`, came to another proxy. false: it is none. */
static bool next_proxy(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const struct outcome *to, const struct outcome_view *end,
		       struct frac share)
{
	struct proxy p = proxies_of(&(struct looking){ k->w, k->c, k->a }, end->pod, to, NULL);
	struct outcome_view first = *way->first;
	struct way next = { .first = &first, .from = to->there.end, .pod = end->pod, .table = p.table, .envoy = p.envoy, .next = true };
	uint32_t from = k->out->nr;
	struct http_request rq;
	struct http_decision answer;

	if (!p.table || !routes_listen(p.table, p.port))
		return false;
	fill_end(&first, end);
	first.p = frac_mul(frac_mul(first.p, share), to->p);
	if (way->next) {
		first.verdict = V_UNKNOWN;
		first.reason = "more than two proxies in a row are not modelled";
		*push(k) = first;
		return true;
	}
	first.between = to;
	rq = request_of(k, &first, p.port);
	rq.client = to->there.as_seen.src;
	if (way->table) {
		rq.scheme = d->passthrough ? rq.scheme : "http";
		rq.host = b->req_host;
		rq.path = b->req_path;
		rq.headers = b->req_headers;
		rq.nr_headers = b->nr_req_headers;
	}
	next.rq = &rq;
	answer = routes_match(p.table, &rq, k->a);
	decided(k, &next, &answer);
	for (uint32_t i = from; i < k->out->nr; i++)
		outward(k, way, d, b, &k->out->v[i]);
	return true;
}

/* One way to the backend: `second` is the walk from the proxy to it. */
static void arrive(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const struct outcome *second, struct frac share)
{
	const struct outcome_view *first = way->first;
	struct outcome_view end = outcome_view_of(k->w, second, (struct frac){ 1, 1 }), v = *first;
	bool good = second->there.verdict == V_DELIVERED && second->answered;
	struct http_view *h = view_of(k, d, b, good ? 200 : failure(way, second->there.verdict));

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
	} else if (!good) {
		v.reason = arena_printf(k->a, "%s; the proxy answers %d, because its connection to %s", b->why, h->status, outcome_failed(second, &end, k->a));
		h->why = v.reason;
	} else {
		fill_end(&v, &end);
		v.reason = b->why;
		if (!received_by(k, way, b, second, &v, h))
			set_backend(k, h, b);
	}
	*push(k) = v;
}

static void dial_all(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const ip_addr *ip, const uint16_t *port, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct trace t = way->sidecar ? sidecar_dials(k->w, way->from, (ip_addr){ 0 }, ip[i], port[i], k->q->flags, k->a) : dial(k, way->from, ip[i], port[i]);

		for (uint32_t j = 0; j < t.nr; j++)
			arrive(k, way, d, b, &t.v[j], frac_mul((struct frac){ b->num, b->den }, (struct frac){ 1, nr }));
	}
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
		dial_all(k, way, d, b, &literal, &port, 1);
		return;
	}
	if (question_resolve(k->w, &proxy, name, k->v6, k->a, &ip, &nr, &why)) {
		uint16_t *ports = arena_array(k->a, uint16_t, nr);

		for (uint32_t i = 0; i < nr; i++)
			ports[i] = port;
		dial_all(k, way, d, b, ip, ports, nr);
		return;
	}
	v.assumed = !cluster_settings(k->c)->flags->zone;
	h = view_of(k, d, b, v.assumed ? 200 : 502);
	v.p = frac_mul(first->p, (struct frac){ b->num, b->den });
	v.http = h;
	v.reason = v.assumed ? arena_printf(k->a, "%s; %s lies outside the cluster and is taken to answer", b->why, b->upstream) : arena_printf(k->a, "%s; %s", b->why, why);
	if (v.assumed)
		set_backend(k, h, b);
	*push(k) = v;
}

static void to_backend(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b)
{
	struct http_endpoint *e;
	uint32_t nr = 0;
	ip_addr *ip, vip;
	uint16_t *port;

	if (b->upstream) {
		dial_name(k, way, d, b);
		return;
	}
	if (b->via_service && b->service->cluster_ip && ip_parse(b->service->cluster_ip, &vip)) {
		uint16_t number = (uint16_t)b->port;

		dial_all(k, way, d, b, &vip, &number, 1);
		return;
	}
	e = service_endpoints(k->c, b->service, b->port, b->subset, k->a, &nr);
	ip = arena_array(k->a, ip_addr, nr);
	port = arena_array(k->a, uint16_t, nr);
	for (uint32_t i = 0; i < nr; i++) {
		ip[i] = e[i].ip;
		port[i] = e[i].port;
	}
	dial_all(k, way, d, b, ip, port, nr);
}

/* ---- the proxy's answer */

static struct http_request request_of(struct asking *k, const struct outcome_view *first, uint16_t port)
{
	const struct question *q = k->q;
	struct http_request rq = { .scheme = k->to->scheme, .sni = k->to->has_ip ? "" : k->to->name, .host = k->to->name, .port = port, .method = q->method ? q->method : "GET",
				   .path = k->to->path, .client = first->walk->there.as_seen.src, .backend_headers = q->backend_headers,
				   .nr_backend_headers = q->nr_backend_headers };

	rq.explain = (q->flags & WALK_CONSIDERED) != 0;
	rq.headers = arena_array(k->a, struct http_pair, q->nr_headers);
	if (k->to->port != (streq(rq.scheme, "https") ? 443 : 80))
		rq.host = arena_printf(k->a, "%s:%u", k->to->name, k->to->port);
	if (k->to->host)
		rq.host = k->to->host;
	for (uint32_t i = 0; i < q->nr_headers; i++) {
		if (strcasecmp(q->headers[i].name, "Host") == 0)
			rq.host = q->headers[i].value;
		else
			rq.headers[rq.nr_headers++] = q->headers[i];
	}
	return rq;
}

static void decided(struct asking *k, const struct way *way, const struct http_decision *d)
{
	const struct outcome_view *first = way->first;

	if (!d->connect || d->tls_failed) {
		struct outcome_view v = *first;

		v.verdict = d->connect ? V_REJECTED : V_REFUSED;
		v.answered = false;
		v.reason = d->connect ? d->tls_why : "nobody listens on that port: no listener of the proxy is programmed for it";
		*push(k) = v;
	}
	for (uint32_t i = 0; i < d->nr; i++) {
		const struct http_backend *b = &d->v[i];
		struct outcome_view v = *first;

		if (b->status == 200 && !b->unknown && (b->service || b->upstream)) {
			to_backend(k, way, d, b);
			continue;
		}
		v.p = frac_mul(first->p, (struct frac){ b->num, b->den });
		v.reason = b->unknown ? b->unknown : b->why;
		v.verdict = b->unknown ? V_UNKNOWN : b->reset ? V_REJECTED : v.verdict;
		v.answered = v.answered && !b->reset;
		if (!b->unknown && !b->reset)
			v.http = view_of(k, d, b, b->status);
		*push(k) = v;
	}
}

static const struct service *service_at(struct cluster *c, ip_addr ip)
{
	struct object_list all = cluster_list(c, &service_kind);
	ip_addr have;

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct service *s = (const struct service *)all.v[i];

		if (s->cluster_ip && ip_parse(s->cluster_ip, &have) && ip_eq(have, ip))
			return s;
		for (uint32_t j = 0; j < s->lb_ingress.nr; j++)
			if (s->lb_ingress.v[j].ip && ip_parse(s->lb_ingress.v[j].ip, &have) && ip_eq(have, ip))
				return s;
	}
	return NULL;
}

/* kube-proxy's health check node port: 200 where the node has a ready endpoint of the Service, else 503 (pkg/proxy/healthcheck/service_health.go). 0: it is none. */
static uint32_t health_status(struct asking *k, const struct outcome_view *first, uint16_t port)
{
	const struct netns *ns = netns_get(world_dataplane(k->w), first->walk->there.end);
	struct object_list all = cluster_list(k->c, &service_kind);

	for (uint32_t i = 0; ns->kind == NS_NODE && i < all.nr; i++) {
		const struct service *s = (const struct service *)all.v[i];
		struct object_list slices = health_port(s) == port ? service_slices(k->c, s) : (struct object_list){ 0 };

		for (uint32_t n = 0; n < slices.nr; n++) {
			const struct endpointslice *e = (const struct endpointslice *)slices.v[n];

			for (uint32_t m = 0; m < e->endpoints.nr; m++)
				if (e->endpoints.v[m].ready != TRI_FALSE && e->endpoints.v[m].node && streq(arena_printf(k->a, "node/%s", e->endpoints.v[m].node), ns->name))
					return 200;
		}
		if (health_port(s) == port)
			return 503;
	}
	return 0;
}

/* A Pod that is no proxy, or a process on a node, answers by itself, unless its sidecar does. */
static void direct(struct asking *k, const struct outcome_view *first, const struct service *service, uint16_t port)
{
	struct http_request rq = request_of(k, first, k->to->port);
	struct way way = { .first = first, .from = first->walk->there.end, .pod = k->out->source.pod, .rq = &rq };
	struct http_backend b = { .service = service, .port = port, .req_path = rq.path, .req_host = rq.host, .req_headers = rq.headers, .nr_req_headers = rq.nr_headers,
				  .resp_headers = rq.backend_headers, .nr_resp_headers = rq.nr_backend_headers, .why = "nothing stands between: the server itself answers" };
	struct http_decision none = { .connect = true };
	uint32_t health = health_status(k, first, port);
	struct http_view *h = view_of(k, &none, &b, (uint16_t)(health ? health : 200));
	struct outcome_view v = *first;

	if (health)
		b.why = health == 200 ? "kube-proxy: the node has a ready endpoint of that Service" : "kube-proxy: the node has no ready endpoint of that Service";

	v.http = h;
	v.reason = b.why;
	if (!received_by(k, &way, &b, first->walk, &v, h))
		set_backend(k, h, &b);
	*push(k) = v;
}

/* The sender's sidecar took it: its routes decide, by the Host. What the mesh does not know goes on to where it was sent. */
static void through_sidecar(struct asking *k, const struct outcome_view *first)
{
	const struct source *source = &k->out->source;
	const struct tuple *sent = &first->walk->there.as_sent;
	struct http_request rq = request_of(k, first, sent->dport);
	struct way way = { .first = first, .from = source->netns, .pod = source->pod, .rq = &rq, .sidecar = true, .envoy = true };
	const char *host = query_make(&rq, k->a).host;
	struct http_backend b = { .num = 1, .den = 1, .status = 200, .req_path = rq.path, .req_host = rq.host, .req_headers = rq.headers, .nr_req_headers = rq.nr_headers,
				  .resp_headers = rq.backend_headers, .nr_resp_headers = rq.nr_backend_headers, .why = "the mesh knows no service of that name: the sidecar passes the connection on" };
	struct http_decision d = { .connect = true };
	const char *unmodelled = mesh_unmodelled(k->c, source->pod, k->a);

	if (unmodelled) {
		struct outcome_view v = *first;

		v.verdict = V_UNKNOWN;
		v.reason = unmodelled;
		*push(k) = v;
		return;
	}
	if (streq(k->to->scheme, "http"))
		way.table = routes_compile_sidecar(k->c, source->pod, host, sent->dport, k->a);
	if (way.table) {
		d = routes_match(way.table, &rq, k->a);
		decided(k, &way, &d);
		return;
	}
	b.service = service_at(k->c, sent->dst);
	b.port = sent->dport;
	if (b.service) {
		b.why = "the sidecar passes the connection on to the Service's endpoints";
		to_backend(k, &way, &d, &b);
	} else {
		dial_all(k, &way, &d, &b, &sent->dst, &sent->dport, 1);
	}
}

static void connected(struct asking *k, const struct outcome *o, struct frac share)
{
	struct outcome_view first = outcome_view_of(k->w, o, share);
	struct way way = { .first = &first, .from = o->there.end, .pod = first.pod };
	struct proxy p;
	struct http_request rq;
	struct http_decision d;

	if (o->there.verdict != V_DELIVERED || !o->answered) {
		*push(k) = first;
		return;
	}
	if (sidecar_took(k->w, &k->out->source, o)) {
		through_sidecar(k, &first);
		return;
	}
	p = proxies_of(&(struct looking){ k->w, k->c, k->a }, first.pod, o, k->meant);
	if (!p.table) {
		direct(k, &first, service_at(k->c, o->there.as_sent.dst), o->there.as_sent.dport);
		return;
	}
	rq = request_of(k, &first, p.port);
	way.table = p.table;
	way.rq = &rq;
	way.envoy = p.envoy;
	d = routes_match(p.table, &rq, k->a);
	decided(k, &way, &d);
}

/* ---- all of it */

static int by_end(const void *x, const void *y)
{
	const struct outcome_view *a = x, *b = y;
	int order = ip_order(a->end_ip, b->end_ip);

	order = order ? order : (int)a->end_port - (int)b->end_port;
	order = order ? order : (int)a->verdict - (int)b->verdict;
	order = order || !a->http || !b->http ? order : a->http->status - b->http->status;
	return order || !a->http || !b->http ? order : str_order(a->http->backend, b->http->backend);
}

/* --draw: one of the outcomes, by the seed. */
static void draw_one(struct asking *k)
{
	double point = (double)draw_below(k->c, "request", k->to->text, 0, 1u << 30) / (1u << 30);

	for (uint32_t i = 0; i < k->out->nr; i++) {
		point -= frac_value(k->out->v[i].p);
		if (point < 0 || i + 1 == k->out->nr) {
			k->out->v = &k->out->v[i];
			k->out->nr = 1;
			return;
		}
	}
}

static bool asked_v6(struct asking *k)
{
	const struct settings *s = cluster_settings(k->c);

	if (k->q->v4 || k->q->v6)
		return k->q->v6;
	if (k->to->has_ip)
		return !ip_is4(k->to->ip);
	return s->pod_cidrs.nr && !ip_is4(s->pod_cidrs.v[0].addr);
}

bool request_ask(struct world *w, const struct question *q, const struct end *to, struct arena *a, struct answer *out, struct err *err)
{
	struct asking k = { .w = w, .c = w->cluster, .q = q, .to = to, .a = a, .out = out, .err = err };
	struct target t;
	const char *why = NULL;

	k.v6 = asked_v6(&k);
	if (!find_address(&k, &t, &why))
		return why ? nowhere(&k, V_UNRESOLVED, why) : false;
	out->target = t.ip[0];
	out->port = to->port;
	for (uint32_t i = 0; i < t.nr; i++) {
		struct walk_from from = { .from = out->source.netns, .enters = out->source.enters, .in = out->source.in, .in_name = out->source.in_name,
					  .t = { .src = out->source.ip, .dst = t.ip[i], .dport = to->port, .proto = PROTO_TCP } };
		struct trace first = walk(w->dp, flows_new(a, cluster_now(w->cluster), cluster_seed(w->cluster)), &from, q->flags & ~(unsigned)WALK_KEEP, a);

		for (uint32_t j = 0; j < first.nr; j++)
			connected(&k, &first.v[j], (struct frac){ 1, t.nr });
	}
	if (out->nr)
		qsort(out->v, out->nr, sizeof(*out->v), by_end);
	if (q->flags & WALK_DRAW)
		draw_one(&k);
	return true;
}
