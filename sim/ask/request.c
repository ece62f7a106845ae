/* A request's way: the name, the connection to whoever takes it, and what becomes of it there. Who takes it decides: a controller's Pod reads its routing table and
 * dials an endpoint itself (forward.c); any other Pod is the server. */
#include "sim/ask/forward.h"

#include <stdlib.h>
#include <strings.h>

#include "model/dataplane/compile.h"
#include "model/l7/gateway.h"
#include "model/l7/mesh.h"
#include "sim/ask/proxies.h"
#include "sim/ask/sidecar.h"

static bool nowhere(struct asking *k, enum verdict verdict, const char *why)
{
	*answer_push(k->out, k->a) = (struct outcome_view){ .p = { 1, 1 }, .verdict = verdict, .reason = why };
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
		return question_resolve(k->w, &k->out->source, e->name, k->v6, k->a, &t->ip, &t->nr, why, &k->name_unknown);
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
		return question_resolve(k->w, &k->out->source, k->to->name, k->v6, k->a, &t->ip, &t->nr, why, &k->name_unknown);
	s = proxies_serving(&(struct looking){ k->w, k->c, k->a }, k->to->name, k->to->port);
	if (s.nr > 1)
		return err_add(k->err, ERR_INPUT, NULL, "\"%s\" is served by %s: say which one with --resolve", k->to->name, s.names);
	if (s.nr == 1)
		return resolve_end(k, &s.end, t, why);
	if (question_resolve(k->w, &k->out->source, k->to->name, k->v6, k->a, &t->ip, &t->nr, why, &k->name_unknown))
		return true;
	s = proxies_serving(&(struct looking){ k->w, k->c, k->a }, NULL, k->to->port);          /* rules for any host, if only one has such */
	return s.nr == 1 && resolve_end(k, &s.end, t, why);
}

/* ---- who took it */

struct http_request request_of(struct asking *k, const struct outcome_view *first, uint16_t port)
{
	const struct question *q = k->q;
	struct http_request rq = { .scheme = k->to->scheme, .sni = k->to->has_ip ? "" : k->to->name, .host = k->to->name, .port = port, .method = q->method ? q->method : "GET",
				   .path = k->to->path, .client = first->walk->there.as_seen.src, .backend_headers = q->backend_headers,
				   .nr_backend_headers = q->nr_backend_headers };

	rq.cert = k->cert;
	rq.explain = (q->flags & WALK_CONSIDERED) != 0;
	rq.headers = arena_array(k->a, struct http_pair, q->nr_headers);
	rq.hosts = arena_array(k->a, const char *, q->nr_headers);
	if (k->to->port != (streq(rq.scheme, "https") ? 443 : 80))
		rq.host = arena_printf(k->a, "%s:%u", k->to->name, k->to->port);
	if (k->to->host)
		rq.host = k->to->host;
	for (uint32_t i = 0; i < q->nr_headers; i++) {
		if (strcasecmp(q->headers[i].name, "Host") == 0)
			rq.hosts[rq.nr_hosts++] = q->headers[i].value;
		else
			rq.headers[rq.nr_headers++] = q->headers[i];
	}
	if (rq.nr_hosts)
		rq.host = rq.hosts[0];
	return rq;
}

/* Whose ClusterIP, or else whose load balancer's address it is. */
static const struct service *service_at(struct cluster *c, ip_addr ip)
{
	const struct service *own = find_service_by_ip(c, ip);
	struct object_list all = own ? (struct object_list){ 0 } : cluster_list(c, &service_kind);
	ip_addr have;

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct service *s = (const struct service *)all.v[i];

		for (uint32_t j = 0; j < s->lb_ingress.nr; j++)
			if (s->lb_ingress.v[j].ip && ip_parse(s->lb_ingress.v[j].ip, &have) && ip_eq(have, ip))
				return s;
	}
	return own;
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
	struct outcome_view v = *first;
	struct http_view *h;

	if (!health && rq.nr_hosts > 1) {
		v.verdict = V_UNKNOWN;
		v.reason = "nothing stands between: whether the server itself refuses a request with more than one Host (RFC 9112, 3.2) is not known";
		*answer_push(k->out, k->a) = v;
		return;
	}
	if (health && rq.nr_hosts > 1)          /* it is a server of Go's net/http */
		health = 400;
	h = forward_view(k, &none, &b, (uint16_t)(health ? health : 200));
	if (health == 400)
		b.why = "kube-proxy: the request has more than one Host";
	else if (health)
		b.why = health == 200 ? "kube-proxy: the node has a ready endpoint of that Service" : "kube-proxy: the node has no ready endpoint of that Service";

	v.http = h;
	v.reason = b.why;
	if (!forward_received(k, &way, &b, first->walk, &v, h)) {
		forward_backend(k, h, &b);
		if (!health)
			forward_answers(k, &way, &none, &b, first, &v, h);
	}
	*answer_push(k->out, k->a) = v;
}

/* The sender's sidecar took it: its routes decide. */
static void through_sidecar(struct asking *k, const struct outcome_view *first)
{
	const struct source *source = &k->out->source;
	const struct tuple *sent = &first->walk->there.as_sent;
	struct http_request asked = request_of(k, first, sent->dport), rq = *request_hosts_joined(&asked, k->a);
	struct way way = { .first = first, .from = source->netns, .pod = source->pod, .rq = &rq, .sidecar = true, .envoy = true, .sent = sent };
	bool plain = streq(k->to->scheme, "http");
	struct mesh_dialled dialled = { sent->dst, sent->dport, plain ? query_make(&rq, k->a).host : NULL, plain ? NULL : rq.sni };
	const char *unmodelled = mesh_unmodelled(k->c, source->pod, k->a);
	struct http_decision d;

	if (unmodelled) {
		struct outcome_view v = *first;

		v.verdict = V_UNKNOWN;
		v.reason = unmodelled;
		*answer_push(k->out, k->a) = v;
		return;
	}
	way.table = routes_compile_sidecar(k->c, source->pod, &dialled, k->a);
	d = routes_match(way.table, &rq, k->a);
	way.stream = d.stream;
	forward_decided(k, &way, &d);
}

/* The sidecar of a proxy's own Pod, before the proxy: it may answer itself. false: it did. */
static bool let_in(struct asking *k, struct outcome_view *first, const struct arriving *in)
{
	struct http_decision none = { .connect = true };
	struct http_backend b = { .why = in->r.why };

	if (!in->r.captured)
		return true;
	if (in->r.status == 200) {
		first->between[first->nr_between++] = in->r.local;
		return true;
	}
	first->verdict = in->r.verdict;
	first->reason = in->r.why;
	first->third = in->r.local;
	first->answered = first->answered && in->r.verdict == V_DELIVERED;
	if (in->r.verdict == V_DELIVERED && in->rq)
		first->http = forward_view(k, &none, &b, in->r.status);
	else if (in->r.verdict == V_DELIVERED)  /* it does not read what comes, and resets */
		first->verdict = V_REJECTED;
	*answer_push(k->out, k->a) = *first;
	return false;
}

static void connected(struct asking *k, const struct outcome *o, struct frac share)
{
	struct outcome_view first = outcome_view_of(k->w, o, share);
	struct way way = { .first = &first, .from = o->there.end, .pod = first.pod };
	struct arriving in;
	struct proxy p;
	struct http_request rq;
	struct http_decision d;

	if (o->there.verdict != V_DELIVERED || !o->answered) {
		*answer_push(k->out, k->a) = first;
		return;
	}
	if (sidecar_took(k->out->source.pod, k->out->source.netns, o)) {
		through_sidecar(k, &first);
		return;
	}
	rq = request_of(k, &first, o->there.as_sent.dport);
	in = (struct arriving){ .walk = o, .sender = { k->out->source.pod, false }, .service = service_at(k->c, o->there.as_sent.dst), .rq = streq(rq.scheme, "http") ? &rq : NULL };
	p = forward_arrives(k, first.pod, &in, k->meant);
	if (!p.table) {
		direct(k, &first, in.service, o->there.as_sent.dport);
		return;
	}
	if (!let_in(k, &first, &in))
		return;
	rq = request_of(k, &first, p.port);
	rq.client = in.r.captured ? in.r.local->there.as_seen.src : rq.client;
	way.table = p.table;
	way.rq = &rq;
	way.envoy = p.envoy;
	d = routes_match(p.table, &rq, k->a);
	way.stream = d.stream;
	forward_decided(k, &way, &d);
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

/* The certificate that the question names. */
static bool client_cert(struct asking *k)
{
	const char *slash = strchr(k->q->cert, '/'), *name = slash ? slash + 1 : k->q->cert;
	str ns = slash ? cluster_str(k->c, arena_strndup(k->a, k->q->cert, (size_t)(slash - k->q->cert))) : cluster_str(k->c, k->q->ns ? k->q->ns : "default");
	const struct secret *s = (const struct secret *)cluster_find(k->c, &secret_kind, ns, name);
	struct cert *cert = arena_make(k->a, struct cert);

	if (!s)
		return err_add(k->err, ERR_INPUT, NULL, "the client's certificate: there is no Secret %s/%s", ns, name);
	if (!cert_in_secret(s, k->a, cert))
		return err_add(k->err, ERR_INPUT, NULL, "the client's certificate: Secret %s/%s has no certificate under tls.crt", ns, name);
	k->cert = cert;
	return true;
}

bool request_ask(struct world *w, const struct question *q, const struct end *to, struct arena *a, struct answer *out, struct err *err)
{
	struct asking k = { .w = w, .c = w->cluster, .q = q, .to = to, .a = a, .out = out, .err = err };
	struct answers checked;
	struct target t;
	const char *why = NULL;

	if (q->backend_answers && !answers_parse(q->backend_answers, a, &checked, &why))
		return err_add(err, ERR_INPUT, NULL, "what the backend answers: %s", why);
	if (q->cert && !client_cert(&k))
		return false;
	k.v6 = asked_v6(&k);
	if (!find_address(&k, &t, &why))
		return why ? nowhere(&k, k.name_unknown ? V_UNKNOWN : V_UNRESOLVED, why) : false;
	out->target = t.ip[0];
	out->port = to->port;
	for (uint32_t i = 0; i < t.nr; i++) {
		struct walk_from from = { .from = out->source.netns, .enters = out->source.enters, .in = out->source.in, .in_name = out->source.in_name,
					  .t = { .src = source_address(&out->source, t.ip[i]), .dst = t.ip[i], .dport = to->port, .proto = PROTO_TCP } };
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
