#include "model/policy/tiers.h"
#include "sim/ask/question.h"

#include "sim/engine/connections.h"

#include <stdlib.h>

#include "sim/ask/names.h"
#include "sim/engine/import.h"
#include "sim/ask/request.h"
#include "sim/ask/sidecar.h"
#include "sim/ask/stream.h"

static void add_pair(struct http_pair **v, uint32_t *nr, struct arena *a, const char *name, const char *value)
{
	struct http_pair *to = arena_array(a, struct http_pair, *nr + 1);

	if (*nr)
		memcpy(to, *v, *nr * sizeof(*to));
	to[(*nr)++] = (struct http_pair){ name, value ? value : "" };
	*v = to;
}

void question_header(struct question *q, struct arena *a, const char *name, const char *value)
{
	add_pair(&q->headers, &q->nr_headers, a, name, value);
}

void question_backend_header(struct question *q, struct arena *a, const char *name, const char *value)
{
	add_pair(&q->backend_headers, &q->nr_backend_headers, a, name, value);
}

/* ---- L4 */

struct asking {
	struct world *w;
	const struct question *q;
	struct arena *a;
	struct answer *out;
	struct err *err;
};

/* A policy's chain lets nothing pass that no rule allows: why none does, asked of the policies for the packet as the chain saw it. A Pod that calls itself through a
 * Service is judged there as any other. */
bool outcome_policies(struct world *w, const struct outcome_view *v, struct arena *a, struct denial *out)
{
	const struct cause *c = v->walk && v->cause.i ? cause_get(w->dp, v->cause) : NULL;
	const struct object *o = c && c->object ? obj_get(w->cluster, (obj_h){ c->object }) : NULL;
	const struct tuple *t;
	struct reach_end end[2];

	if (!o || (o->kind != &network_policy_kind && !tiers_read(o->kind)) || (v->verdict != V_DROPPED && v->verdict != V_REJECTED))
		return false;
	t = &v->walk->there.as_seen;
	end[0] = (struct reach_end){ find_pod_by_ip(w->cluster, t->src), t->src };
	end[1] = (struct reach_end){ find_pod_by_ip(w->cluster, t->dst), t->dst };
	out->why = policy_why(w->cluster, &end[0], &end[1], t->proto, t->dport, a);
	out->why.itself = false;
	out->why.allowed = out->why.out && out->why.in;
	for (int k = 0; k < 2; k++)
		*(k ? &out->to : &out->from) = end[k].pod ? arena_printf(a, "%s/%s", end[k].pod->o.ns, end[k].pod->o.name) : arena_printf(a, "%s", IP(end[k].ip));
	out->pod[0] = end[0].pod;
	out->pod[1] = end[1].pod;
	out->proto = t->proto;
	out->port = t->dport;
	return !out->why.allowed;
}

static const char *why_policy(struct world *w, const struct outcome_view *v)
{
	struct arena *a = arena_new(NULL, "why");
	struct denial d;
	const char *text = v->reason;

	if (outcome_policies(w, v, a, &d))
		text = str_printf(cluster_strings(w->cluster), "%s; %s", v->reason, reach_why_sentence(&d.why, d.from, d.to, a));
	arena_free(a);
	return text;
}

static bool has_ready_endpoint(struct cluster *c, const struct service *s)
{
	struct object_list l = service_slices(c, s);

	for (uint32_t k = 0; k < l.nr; k++)
		for (uint32_t i = 0; i < ((const struct endpointslice *)l.v[k])->endpoints.nr; i++)
			if (((const struct endpointslice *)l.v[k])->endpoints.v[i].ready != TRI_FALSE)
				return true;
	return false;
}

/* What the rule that refused a packet has to do with its Service, or its policy. */
static const char *why_refused(struct world *w, const struct outcome_view *v)
{
	const struct cause *c = v->cause.i ? cause_get(w->dp, v->cause) : NULL;
	const struct object *o = c && c->object ? obj_get(w->cluster, (obj_h){ c->object }) : NULL;

	if (o && o->kind == &network_policy_kind && v->reason)
		return why_policy(w, v);
	if (!o || o->kind != &service_kind || !c->path || !v->reason)
		return v->reason;
	if (streq(c->path, "spec.externalTrafficPolicy") || streq(c->path, "spec.internalTrafficPolicy"))
		return str_printf(cluster_strings(w->cluster), "%s (Service %s/%s: %s is Local, and this node has no ready endpoint of it)", v->reason, o->ns, o->name, c->path + 5);
	return v->verdict == V_REJECTED && !has_ready_endpoint(w->cluster, (const struct service *)o) ?
		str_printf(cluster_strings(w->cluster), "%s (Service %s/%s has no ready endpoint)", v->reason, o->ns, o->name) : v->reason;
}

static const struct service *refusing_service(struct world *w, const struct outcome_view *v)
{
	const struct cause *c = v->cause.i ? cause_get(w->dp, v->cause) : NULL;
	const struct object *o = c && c->object ? obj_get(w->cluster, (obj_h){ c->object }) : NULL;

	return o && o->kind == &service_kind ? (const struct service *)o : NULL;
}

static bool endpoints_untold(struct world *w, const struct outcome_view *v)
{
	const struct service *s = refusing_service(w, v);

	return s && !s->selector.nr && import_lacks(w, "EndpointSlice");
}

const struct outcome *outcome_last(const struct outcome_view *o)
{
	if (o->third && o->third->there.verdict == V_DELIVERED)
		return o->third;
	if (o->second && ip_eq(o->second->there.as_seen.dst, o->end_ip))
		return o->second;
	return o->nr_between ? o->between[o->nr_between - 1] : o->walk;
}

struct outcome_view outcome_view_of(struct world *w, const struct outcome *o, struct frac share)
{
	const struct dataplane *dp = w->dp;
	struct outcome_view v = {
		.p = frac_mul(o->p, share), .verdict = o->there.verdict, .answered = o->answered, .assumed = o->assumed, .masqueraded = o->masqueraded,
		.reason = o->there.verdict == V_DELIVERED && !o->answered ? o->back.reason : o->there.reason, .walk = o, .cause = o->rule_cause,
	};
	const struct netns *end = o->there.end.i ? netns_get(dp, o->there.end) : NULL;

	if ((v.verdict == V_DROPPED || v.verdict == V_REJECTED) && endpoints_untold(w, &v)) {
		v.verdict = V_UNKNOWN;
		v.reason = str_printf(cluster_strings(w->cluster), "Service %s/%s has no selector, and the dump holds neither Endpoints nor EndpointSlices: nobody told where it leads",
				      refusing_service(w, &v)->o.ns, refusing_service(w, &v)->o.name);
	} else if (v.verdict == V_DROPPED || v.verdict == V_REJECTED) {
		v.reason = why_refused(w, &v);
	}
	v.end_ip = o->there.as_seen.dst;
	v.end_port = o->there.as_seen.dport;
	if (o->listener)
		v.container = o->listener->container;
	if (end && end->kind == NS_POD) {
		v.pod = (const struct pod *)obj_get(w->cluster, (obj_h){ end->object });
		v.node = v.pod ? v.pod->node : NULL;
	} else if (end && end->kind == NS_NODE) {
		v.node = end->hostname;
		if (o->listener && o->listener->cause.i) {      /* a hostNetwork Pod's socket */
			const struct object *by = obj_get(w->cluster, (obj_h){ cause_get(dp, o->listener->cause)->object });

			if (by && by->kind == &pod_kind)
				v.pod = (const struct pod *)by;
		}
	}
	return v;
}

static uint32_t mtu_of(const struct dataplane *dp, netns_h h)
{
	const struct netns *ns = h.i ? netns_get(dp, h) : NULL;

	return ns && ns->uplink.i ? link_get(dp, ns->uplink)->mtu : UINT32_MAX;
}

/* TCP cuts what it sends into segments that fit both ends' links (the MSS that they tell each other), and forbids to fragment them. */
static uint32_t largest_segment(struct asking *k, struct walk_from p)
{
	uint32_t most = mtu_of(k->w->dp, p.from);
	struct trace t;

	p.size = 0;
	t = walk(k->w->dp, NULL, &p, WALK_ONE_WAY, k->a);
	for (uint32_t i = 0; i < t.nr; i++)
		if (t.v[i].there.verdict == V_DELIVERED)
			most = MIN(most, mtu_of(k->w->dp, t.v[i].there.end));
	return most;
}

static struct trace send_packet(struct asking *k, ip_addr dst, uint16_t port)
{
	const struct question *q = k->q;
	uint32_t header = (ip_is4(dst) ? 20u : 40u) + (q->proto == PROTO_TCP ? 20u : 8u);
	struct walk_from p = {
		.from = k->out->source.netns, .enters = k->out->source.enters, .in = k->out->source.in, .in_name = k->out->source.in_name,
		.t = { .src = source_address(&k->out->source, dst), .dst = dst, .dport = port, .proto = q->proto == PROTO_ICMP && !ip_is4(dst) ? PROTO_ICMPV6 : q->proto },
		.size = q->size ? q->size + header : 0, .df = q->df, .icmp_type = q->proto == PROTO_ICMP ? (ip_is4(dst) ? 8 : 128) : 0,
	};
	struct flows *f;

	if (p.size && q->proto == PROTO_TCP && !q->df) {
		p.df = true;
		p.size = MIN(p.size, largest_segment(k, p));
	}
	f = q->keep ? world_flows_make(k->w) : world_flows(k->w);

	if (!f)
		f = flows_new(k->a, cluster_now(k->w->cluster), cluster_seed(k->w->cluster));
	return walk(k->w->dp, f, &p, q->flags | (q->keep ? WALK_KEEP | WALK_DRAW : 0u), k->a);
}

static void ask_addresses(struct asking *k, const ip_addr *ip, uint32_t nr, uint16_t port)
{
	struct frac share = { 1, nr };

	k->out->target = ip[0];
	k->out->port = port;
	for (uint32_t i = 0; i < nr; i++) {
		struct trace t = send_packet(k, ip[i], port);

		for (uint32_t j = 0; j < t.nr; j++)
			stream_follow(k->w, k->q, k->out, outcome_view_of(k->w, &t.v[j], share), k->a);
	}
}

static bool wants_v6(const struct question *q, const struct end *from, const struct end *to, struct cluster *c)
{
	const struct settings *s = cluster_settings(c);

	if (to->has_ip)
		return !ip_is4(to->ip);
	if (q->v6 || q->v4)
		return q->v6;
	if (from->has_ip)
		return !ip_is4(from->ip);
	if (to->kind == END_SERVICE) {
		const struct service *svc = find_service(c, to->ns, to->name);

		if (svc && svc->families.nr)
			return streq(svc->families.v[0], "IPv6");
	}
	return s->pod_cidrs.nr && !ip_is4(s->pod_cidrs.v[0].addr);
}

const char *outcome_failed(const struct outcome *o, const struct outcome_view *end, struct arena *a)
{
	const char *verdict = verdict_names[o->there.verdict], *reason = text_behind(verdict, end->reason);

	return arena_printf(a, "%s was %s%s%s", end->pod ? end->pod->o.name : IP(o->there.as_sent.dst), verdict, reason ? ": " : "", reason ? reason : "");
}

struct outcome_view *answer_push(struct answer *out, struct arena *a)
{
	struct outcome_view *v = arena_array(a, struct outcome_view, out->nr + 1);

	if (out->nr)
		memcpy(v, out->v, out->nr * sizeof(*v));
	out->v = v;
	return &v[out->nr++];
}

/* ---- names */

static bool unresolved(struct asking *k, const char *why, bool unknown)
{
	struct outcome_view *v = arena_make(k->a, struct outcome_view);

	*v = (struct outcome_view){ .p = { 1, 1 }, .verdict = unknown ? V_UNKNOWN : V_UNRESOLVED, .reason = why };
	k->out->v = v;
	k->out->nr = 1;
	return true;
}

bool question_resolve(struct world *w, const struct source *from, const char *name, bool v6, struct arena *a, ip_addr **ip, uint32_t *nr, const char **why, bool *unknown)
{
	struct resolv_conf conf = from->pod ? dns_resolv_conf(w->cluster, from->pod, a) : dns_node_resolv_conf(w->cluster, a);
	struct names n = names_resolve(w, from, &conf, RESOLVER_GLIBC, name, v6 ? DNS_AAAA : DNS_A, a);
	struct dns_lookup l = n.l;

	*ip = l.result.ips;
	*nr = l.result.nr_ips;
	if (*nr)
		return true;
	*unknown = n.unknown;
	if (!n.server || l.result.unknown)
		*why = arena_printf(a, "\"%s\" is not resolved: %s", name, n.why);
	else
		*why = arena_printf(a, "\"%s\" is not resolved: %s after %u name%s, the last was %s%s%s", name, dns_rcode_names[l.result.rcode], l.nr, l.nr == 1 ? "" : "s",
				    l.nr ? l.v[l.nr - 1].name : name, n.why ? "; " : "", n.why ? n.why : "");
	return false;
}

/* ---- connections that stay open */

static bool keep(struct asking *k, struct err *err)
{
	const struct outcome_view *o = &k->out->v[0];
	const struct connection c = { .name = k->q->keep, .from = k->q->from, .to = k->q->to, .netns = netns_get(k->w->dp, k->out->source.netns)->name, .t = o->walk->there.as_sent,
				      .pod_uid = o->pod ? o->pod->o.uid : NULL, .opened = cluster_now(k->w->cluster) };

	if (o->verdict != V_DELIVERED || !o->answered)
		return err_add(err, ERR_FAILED, NULL, "no connection: %s", o->reason ? o->reason : verdict_names[o->verdict]);
	connection_keep(k->w, &c);
	return true;
}

/* Another packet on a connection: what it meets is decided by what conntrack remembers; a server that does not know it answers with a reset. */
static bool ask_connection(struct asking *k, const char *name, struct err *err)
{
	const struct connection *c = connection_find(k->w, name);
	struct walk_from p;
	struct trace t;

	if (!c)
		return err_add(err, ERR_FAILED, NULL, "there is no connection \"%s\"", name);
	p = (struct walk_from){ .from = netns_find(k->w->dp, c->netns), .t = c->t };
	if (!p.from.i)
		return err_add(err, ERR_FAILED, NULL, "connection \"%s\": its client, %s, is not there any more", name, c->from);
	k->out->source.netns = p.from;
	k->out->source.ip = c->t.src;
	k->out->target = c->t.dst;
	k->out->port = c->t.dport;
	t = walk(k->w->dp, world_flows(k->w), &p, k->q->flags, k->a);
	for (uint32_t j = 0; j < t.nr; j++) {
		struct outcome_view v = outcome_view_of(k->w, &t.v[j], (struct frac){ 1, 1 });
		const char *why;

		if (v.verdict == V_DELIVERED && !connection_is_known(c, v.pod, v.container, &why)) {
			v.verdict = V_REFUSED;
			v.answered = false;
			v.reason = why;
		}
		sidecar_follow(k->w, k->q, k->out, v, k->a);
	}
	return true;
}

bool question_connection(struct world *w, const char *name, struct question *q, struct err *err)
{
	const struct connection *c = connection_find(w, name);

	if (!c)
		return err_add(err, ERR_FAILED, NULL, "there is no connection \"%s\"", name);
	q->connection = c->name;
	q->from = c->from;
	q->to = c->to;
	q->proto = c->t.proto;
	q->l4 = c->t.proto == PROTO_UDP ? L4_UDP : c->t.proto == PROTO_SCTP ? L4_SCTP : L4_TCP;
	return true;
}

static bool ask_ends(struct world *w, const struct question *q, struct arena *a, struct answer *out, struct err *err)
{
	struct asking k = { w, q, a, out, err };
	struct end from, to;
	struct target target;
	bool v6;

	*out = (struct answer){ .q = q };
	if (!end_parse(w->cluster, q->from, q->ns, &from, err) || !end_parse(w->cluster, q->to, q->ns, &to, err))
		return false;
	from.container = q->container;
	out->to = to;
	world_dataplane(w);
	v6 = wants_v6(q, &from, &to, w->cluster);
	if (!end_source(w->cluster, w->dp, &from, v6, &out->source, err))
		return q->connection ? err_add(err, ERR_FAILED, NULL, "connection \"%s\": its client is not there any more", q->connection) : false;
	if (q->connection)
		return ask_connection(&k, q->connection, err);
	if (q->keep && to.kind == END_URL)
		return err_add(err, ERR_INPUT, NULL, "\"%s\" is a request: name an end, as in svc/web:80, to keep a connection to it", q->to);
	if (to.kind == END_URL)
		return request_ask(w, q, &to, a, out, err);
	if (to.kind == END_GATEWAY || to.kind == END_CONTROLLER)
		return request_target(w, &to, v6, a, &target, err) && (ask_addresses(&k, target.ip, target.nr, target.port), true);
	if (to.kind == END_NAME) {
		const char *why = NULL;
		bool unknown;

		if (!to.port && q->proto != PROTO_ICMP)
			return err_add(err, ERR_INPUT, NULL, "\"%s\": which port? name it as %s:80", q->to, q->to);
		if (!question_resolve(w, &out->source, to.name, v6, a, &target.ip, &target.nr, &why, &unknown))
			return unresolved(&k, why, unknown);
		ask_addresses(&k, target.ip, target.nr, to.port);
		return true;
	}
	if (!end_target(w->cluster, &to, q->l4, v6, a, &target, err))
		return false;
	if (!target.port && q->proto != PROTO_ICMP)
		return err_add(err, ERR_INPUT, NULL, "\"%s\": which port? name it as %s:80, or ask with --protocol icmp", q->to, q->to);
	ask_addresses(&k, target.ip, target.nr, target.port);
	return true;
}

bool question_ask(struct world *w, const struct question *q, struct arena *a, struct answer *out, struct err *err)
{
	if (!ask_ends(w, q, a, out, err))
		return false;
	if (q->keep) {
		struct asking k = { w, q, a, out, err };

		return keep(&k, err);
	}
	return true;
}
