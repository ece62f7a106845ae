#include "sim/ask/sidecar.h"

static const struct pod *pod_at(struct world *w, netns_h ns)
{
	const struct netns *n = ns.i ? netns_get(w->dp, ns) : NULL;

	return n && n->kind == NS_POD ? (const struct pod *)obj_get(w->cluster, (obj_h){ n->object }) : NULL;
}

bool sidecar_took(const struct pod *from, netns_h netns, const struct outcome *o)
{
	struct mesh_capture m;

	if (!from || !from->spec || o->there.verdict != V_DELIVERED || o->there.end.i != netns.i)
		return false;
	m = mesh_capture(from->spec);
	return m.set && o->there.as_seen.dport == m.outbound && o->there.as_sent.dport != m.outbound;
}

struct trace sidecar_dials(struct world *w, netns_h from, ip_addr src, ip_addr dst, uint16_t port, unsigned flags, struct arena *a)
{
	struct walk_from f = { .from = from, .t = { .src = src, .dst = dst, .sport = 40001, .dport = port, .proto = PROTO_TCP }, .skuid = MESH_UID, .has_skuid = true };

	return walk(w->dp, flows_new(a, cluster_now(w->cluster), cluster_seed(w->cluster)), &f, flags & ~(unsigned)WALK_KEEP, a);
}

/* The port that the sender meant, before the Pod's own redirect. */
static uint16_t meant_port(const struct outcome *o, uint16_t inbound)
{
	return o->dnat && o->first_nat.dport && o->first_nat.dport != inbound ? o->first_nat.dport : o->there.as_sent.dport;
}

static struct received refused(struct received r, enum verdict v, int status, const char *why)
{
	r.verdict = v;
	r.status = status;
	r.why = why;
	return r;
}

struct received sidecar_receives(struct world *w, const struct outcome *o, struct sender sender, const struct service *s, const struct http_request *rq, unsigned flags, struct arena *a)
{
	const struct pod *from = sender.pod, *to = pod_at(w, o->there.end);
	struct mesh_capture m = to ? mesh_capture(to->spec) : (struct mesh_capture){ 0 };
	struct received r = { .verdict = V_DELIVERED, .status = 200 };
	struct mesh_source who = { .ip = o->there.as_seen.src };
	struct mesh_verdict peer, policy;
	struct trace local;
	ip_addr loopback = { 0 };
	bool mutual;

	if (o->there.verdict == V_DELIVERED && ((to && mesh_ambient(w->cluster, to)) || (from && mesh_ambient(w->cluster, from)))) {
		r.captured = true;
		return refused(r, V_UNKNOWN, 0, mesh_ambient(w->cluster, to && mesh_ambient(w->cluster, to) ? to : from));
	}
	if (!m.set || o->there.verdict != V_DELIVERED || o->there.as_seen.dport != m.inbound || !mesh_sidecar(to->spec))
		return r;
	r.captured = true;
	r.port = meant_port(o, m.inbound);
	r.http = rq && mesh_reads_http(w->cluster, to, r.port);
	rq = r.http ? rq : NULL;
	/* what is no Service's goes through PassthroughCluster, which has no TLS of its own (pilot/pkg/networking/core cluster_builder.go) */
	mutual = sender.proxy && s && from && mesh_mutual_tls(w->cluster, from, to, r.port, mesh_client_tls(w->cluster, from, s, a));
	if (mutual) {
		who.principal = mesh_principal(w->cluster, from, a);
		who.ns = from->o.ns;
	}
	peer = mesh_peer_allowed(w->cluster, to, r.port, mutual, a);
	if (!peer.allowed)
		return refused(r, V_REJECTED, 0, peer.why);
	policy = mesh_authorized(w->cluster, to, r.port, &who, rq, a);
	if (policy.unknown)
		return refused(r, V_UNKNOWN, 0, policy.unknown);
	if (!policy.allowed)
		return refused(r, rq ? V_DELIVERED : V_REJECTED, 403, arena_printf(a, "the sidecar of %s/%s answers: %s", to->o.ns, to->o.name, policy.why));
	if (ip_is4(o->there.as_seen.dst))
		ip_parse("127.0.0.6", &loopback);
	else
		ip_parse("::6", &loopback);
	local = sidecar_dials(w, o->there.end, loopback, o->there.as_seen.dst, r.port, flags, a);
	r.local = &local.v[0];
	r.local = arena_copy(a, r.local, sizeof(*r.local));
	if (r.local->there.verdict != V_DELIVERED)
		return refused(r, V_DELIVERED, 503, arena_printf(a, "the sidecar of %s/%s cannot reach the application on port %u: %s", to->o.ns, to->o.name, r.port, r.local->there.reason));
	return r;
}

/* ---- connections that are not requests */

void sidecar_deliver(struct world *w, const struct question *q, struct answer *out, struct outcome_view v, const struct outcome *o, struct sender from, const struct service *s,
		     struct arena *a)
{
	struct received r = sidecar_receives(w, o, from, s, NULL, q->flags, a);

	if (r.captured && r.status != 200) {
		v.verdict = r.verdict == V_DELIVERED ? V_REFUSED : r.verdict;   /* the application does not listen: the connection is reset */
		v.answered = false;
		v.reason = r.why;
	} else if (r.captured) {
		struct outcome_view app = outcome_view_of(w, r.local, (struct frac){ 1, 1 });

		v.third = r.local;
		v.assumed = app.assumed;
		v.end_port = app.end_port;
		v.container = app.container;
	}
	*answer_push(out, a) = v;
}
