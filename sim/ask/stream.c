#include "sim/ask/stream.h"

#include <stdlib.h>

#include "sim/ask/proxies.h"
#include "sim/ask/request.h"
#include "sim/ask/sidecar.h"

struct stream {
	struct world *w;
	const struct question *q;
	struct answer *out;
	const struct outcome_view *first;
	const struct tuple *t;                  /* as the proxy took it; a sidecar: as it was sent */
	struct sender who;                      /* dials on */
	bool sidecar;                           /* the sender's own took it */
	struct arena *a;
};

/* Of TCP the proxy cuts off what it cannot pass on; of UDP nothing is heard. */
static void stops(struct stream *k, struct frac share, enum verdict v, const struct outcome *second, const char *why)
{
	struct outcome_view o = *k->first;

	o.p = frac_mul(k->first->p, share);
	o.second = second;
	o.verdict = v;
	o.answered = false;
	o.reason = why;
	*answer_push(k->out, k->a) = o;
}

static enum verdict failure(const struct stream *k) { return k->t->proto == PROTO_UDP ? V_DROPPED : V_REJECTED; }

static void arrived(struct stream *k, const struct http_backend *b, const struct outcome *second, struct frac share)
{
	struct outcome_view v = outcome_view_of(k->w, second, share);
	struct frac whole = frac_mul(share, second->p);

	if (second->there.verdict == V_UNKNOWN) {
		stops(k, whole, V_UNKNOWN, second, v.reason);
	} else if (!k->sidecar && (second->there.verdict != V_DELIVERED || !second->answered)) {
		stops(k, whole, failure(k), second, arena_printf(k->a, "%s; the proxy's own connection to %s", b->why, outcome_failed(second, &v, k->a)));
	} else {
		v.p = frac_mul(k->first->p, whole);
		v.walk = k->first->walk;
		v.second = second;
		v.reason = k->sidecar ? v.reason : b->why;
		sidecar_deliver(k->w, k->q, k->out, v, second, k->who, b->service, k->a);
	}
}

static struct trace dial(struct stream *k, ip_addr ip, uint16_t port)
{
	netns_h from = k->sidecar ? k->out->source.netns : k->first->walk->there.end;
	struct walk_from f = { .from = from, .t = { .dst = ip, .dport = port, .sport = 40001, .proto = k->t->proto } };

	if (k->sidecar)
		return sidecar_dials(k->w, from, (ip_addr){ 0 }, ip, port, k->q->flags, k->a);
	return walk(k->w->dp, flows_new(k->a, cluster_now(k->w->cluster), cluster_seed(k->w->cluster)), &f, k->q->flags & ~(unsigned)WALK_KEEP, k->a);
}

static void connect_to(struct stream *k, const struct http_backend *b, ip_addr ip, uint16_t port, struct frac share)
{
	struct trace t = dial(k, ip, port);

	for (uint32_t j = 0; j < t.nr; j++) {
		if (!k->sidecar && sidecar_took(k->first->pod, k->first->walk->there.end, &t.v[j]))
			stops(k, frac_mul(share, t.v[j].p), V_UNKNOWN, &t.v[j], "a proxy of connections whose own sidecar takes what it sends is not modelled");
		else
			arrived(k, b, &t.v[j], share);
	}
}

/* NAME:PORT, as the Pod that dials would find it. */
static void connect_to_name(struct stream *k, const struct http_backend *b, struct frac share)
{
	const char *colon = strrchr(b->upstream, ':'), *why = NULL;
	const char *name = arena_strndup(k->a, b->upstream, (size_t)(colon - b->upstream));
	struct source proxy = { .netns = k->out->source.netns, .pod = (struct pod *)k->who.pod, .kind = "Pod" };
	uint16_t port = (uint16_t)atoi(colon + 1);
	ip_addr literal, *ip = &literal;
	bool unknown = false;
	uint32_t nr = 1;

	if (!ip_parse(name, &literal) && !question_resolve(k->w, &proxy, name, !ip_is4(k->t->dst), k->a, &ip, &nr, &why, &unknown)) {
		stops(k, share, !unknown && cluster_settings(k->w->cluster)->flags->zone ? failure(k) : V_UNKNOWN, NULL, why);
		return;
	}
	for (uint32_t i = 0; i < nr; i++)
		connect_to(k, b, ip[i], port, frac_mul(share, (struct frac){ 1, nr }));
}

static void pass_on(struct stream *k, const struct http_backend *b)
{
	struct frac share = { b->num, b->den };
	uint32_t nr = 0;
	struct http_endpoint *e;

	if (b->unknown || b->reset || !(b->service || b->as_sent || b->upstream)) {
		stops(k, share, b->unknown ? V_UNKNOWN : failure(k), NULL, b->unknown ? b->unknown : b->why);
		return;
	}
	if (b->as_sent) {
		connect_to(k, b, k->t->dst, k->t->dport, share);
		return;
	}
	if (b->upstream) {
		connect_to_name(k, b, share);
		return;
	}
	e = service_endpoints(k->w->cluster, b->service, b->port, b->subset, k->a, &nr);
	for (uint32_t i = 0; i < nr; i++)
		connect_to(k, b, e[i].ip, e[i].port, frac_mul(share, (struct frac){ 1, nr }));
}

static void pass_on_all(struct stream *k, const struct http_decision *d)
{
	for (uint32_t i = 0; i < d->nr; i++)
		pass_on(k, &d->v[i]);
}

void sidecar_follow(struct world *w, const struct question *q, struct answer *out, struct outcome_view first, struct arena *a)
{
	const struct pod *sender = out->source.pod;
	struct stream k = { w, q, out, &first, &first.walk->there.as_sent, { sender, true }, true, a };
	struct mesh_dialled dialled = { k.t->dst, k.t->dport, NULL, NULL };
	struct http_decision d;
	const char *unmodelled;

	if (!sidecar_took(sender, out->source.netns, first.walk)) {
		sidecar_deliver(w, q, out, first, first.walk, (struct sender){ sender, false }, NULL, a);
		return;
	}
	unmodelled = mesh_unmodelled(w->cluster, sender, a);
	if (unmodelled) {
		stops(&k, (struct frac){ 1, 1 }, V_UNKNOWN, NULL, unmodelled);
		return;
	}
	d = routes_connection(routes_compile_sidecar(w->cluster, sender, &dialled, a), k.t->dport, false, a);
	pass_on_all(&k, &d);
}

void stream_follow(struct world *w, const struct question *q, struct answer *out, struct outcome_view first, struct arena *a)
{
	const struct tuple *t = &first.walk->there.as_seen;
	bool ended = first.verdict == V_DELIVERED && first.answered && first.pod && (t->proto == PROTO_TCP || t->proto == PROTO_UDP);
	struct proxy p = ended ? proxies_of(&(struct looking){ w, w->cluster, a }, first.pod, first.walk->there.as_sent.dport, t->dport, NULL) : (struct proxy){ 0 };
	struct http_decision d = p.table ? routes_connection(p.table, p.port, t->proto == PROTO_UDP, a) : (struct http_decision){ 0 };
	struct stream k = { w, q, out, &first, t, { first.pod, true }, false, a };

	if (!d.connect) {
		sidecar_follow(w, q, out, first, a);
		return;
	}
	pass_on_all(&k, &d);
}
