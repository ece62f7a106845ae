/* What the server at the end answers, and what the proxy before it makes of that: timeouts and retries, and a certificate that it does not take. */
#include "sim/ask/forward.h"

#include "sim/ask/served_cert.h"

/* An attempt that is made again may come to another endpoint: would its Pod answer otherwise? */
static bool others_answer_otherwise(struct asking *k, const struct http_backend *b, const struct answers *these, const struct http_request *rq)
{
	uint32_t nr = 0;
	struct http_endpoint *e = b->service ? service_endpoints(k->c, b->service, b->port, b->subset, k->a, &nr) : NULL;

	for (uint32_t i = 0; i < nr; i++) {
		const struct pod *p = e[i].ep->target && streq(e[i].ep->target->kind, "Pod") ? find_pod(k->c, b->service->o.ns, e[i].ep->target->name) : NULL;
		struct answers its = answers_of(NULL, p, NULL, rq, k->a);

		if (!answers_same(&its, these))
			return true;
	}
	return false;
}

static void cannot_tell(struct outcome_view *v, const char *why)
{
	v->verdict = V_UNKNOWN;
	v->http = NULL;
	v->reason = why;
}

void forward_answers(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const struct outcome_view *end, struct outcome_view *v, struct http_view *h)
{
	struct http_request rq = forward_passed_on(way, b);
	struct answers says = d->stream ? (struct answers){ 0 } : answers_of(k->q->backend_answers, end->pod, end->container, &rq, k->a);
	struct l7_patience patience = { 0 };
	struct l7_tried t;

	if (says.wrong) {
		cannot_tell(v, says.wrong);
		return;
	}
	if (!says.nr)
		return;
	h->scripted = true;
	if (!way->table && !says.v[0].status) {
		v->verdict = V_REJECTED;
		v->answered = false;
		v->http = NULL;
		v->reason = "the server cuts the connection off";
		return;
	}
	if (!way->table) {
		h->status = says.v[0].status;
		return;
	}
	if (b->patience && b->patience->istio && end->pod && mesh_sidecar(end->pod->spec)) {
		patience = *b->patience;
		patience.behind = true;
	}
	t = l7_tried_of(patience.behind ? &patience : b->patience, says.v, says.nr, way->envoy, k->a);
	if (!t.unknown && t.attempts > 1 && says.of_pod && others_answer_otherwise(k, b, &says, &rq))
		t.unknown = "an attempt has failed, and whether the next comes to another endpoint, which answers otherwise, is the proxy's affair";
	if (t.unknown) {
		cannot_tell(v, arena_printf(k->a, "%s; %s", b->why, t.unknown));
		return;
	}
	v->reason = t.why ? arena_printf(k->a, t.own ? "%s; the proxy answers %d: %s" : "%s; it passes on %d: %s", b->why, t.status, t.why) : v->reason;
	if (t.own) {
		*h = *forward_view(k, d, b, t.status);
		h->scripted = true;
	}
	h->status = t.status;
	h->why = v->reason;
}

bool forward_untrusted(struct asking *k, const struct way *way, const struct http_decision *d, const struct http_backend *b, const struct outcome_view *end, struct outcome_view *v,
		       struct http_view *h)
{
	const char *why = b->tls && !d->passthrough ? served_cert_refused(k->c, b->tls, end->pod, end->container, k->a) : NULL;

	if (!why)
		return false;
	if (d->stream) {
		v->verdict = V_REJECTED;
		v->answered = false;
		v->http = NULL;
		v->reason = arena_printf(k->a, "%s; the proxy cuts the connection off: %s", b->why, why);
		return true;
	}
	h->status = way->envoy ? 503 : 502;
	h->grpc = d->grpc ? grpc_status(h->status) : NULL;
	v->reason = h->why = arena_printf(k->a, "%s; the proxy answers %d: %s", b->why, h->status, why);
	return true;
}
