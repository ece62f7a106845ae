#include "sim/ask/stream.h"

#include "sim/ask/proxies.h"
#include "sim/ask/sidecar.h"

struct stream {
	struct world *w;
	const struct question *q;
	struct answer *out;
	const struct outcome_view *first;
	const struct tuple *t;                  /* as the proxy took it */
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
	} else if (second->there.verdict != V_DELIVERED || !second->answered) {
		stops(k, whole, failure(k), second, arena_printf(k->a, "%s; the proxy's own connection to %s", b->why, outcome_failed(second, &v, k->a)));
	} else {
		v.p = frac_mul(k->first->p, whole);
		v.walk = k->first->walk;
		v.second = second;
		v.reason = b->why;
		sidecar_deliver(k->w, k->q, k->out, v, second, (struct sender){ k->first->pod, true }, b->service, k->a);
	}
}

static void pass_on(struct stream *k, const struct http_backend *b)
{
	struct frac share = { b->num, b->den };
	uint32_t nr = 0;
	struct http_endpoint *e;

	if (b->unknown || b->reset || !b->service) {
		stops(k, share, b->unknown ? V_UNKNOWN : failure(k), NULL, b->unknown ? b->unknown : b->why);
		return;
	}
	e = service_endpoints(k->w->cluster, b->service, b->port, b->subset, k->a, &nr);
	for (uint32_t i = 0; i < nr; i++) {
		struct walk_from from = { .from = k->first->walk->there.end, .t = { .dst = e[i].ip, .dport = e[i].port, .sport = 40001, .proto = k->t->proto } };
		struct trace t = walk(k->w->dp, flows_new(k->a, cluster_now(k->w->cluster), cluster_seed(k->w->cluster)), &from, k->q->flags & ~(unsigned)WALK_KEEP, k->a);

		for (uint32_t j = 0; j < t.nr; j++)
			arrived(k, b, &t.v[j], frac_mul(share, (struct frac){ 1, nr }));
	}
}

void stream_follow(struct world *w, const struct question *q, struct answer *out, struct outcome_view first, struct arena *a)
{
	const struct tuple *t = &first.walk->there.as_seen;
	bool ended = first.verdict == V_DELIVERED && first.answered && first.pod && (t->proto == PROTO_TCP || t->proto == PROTO_UDP);
	struct proxy p = ended ? proxies_of(&(struct looking){ w, w->cluster, a }, first.pod, first.walk, NULL) : (struct proxy){ 0 };
	struct http_decision d = p.table ? routes_connection(p.table, p.port, t->proto == PROTO_UDP, a) : (struct http_decision){ 0 };
	struct stream k = { w, q, out, &first, t, a };

	if (!d.connect) {
		sidecar_follow(w, q, out, first, a);
		return;
	}
	for (uint32_t i = 0; i < d.nr; i++)
		pass_on(&k, &d.v[i]);
}
