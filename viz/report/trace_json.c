/* The answer to a trace as JSON: the contract of docs/cli.md. */
#include "viz/report/matrix_report.h"
#include "viz/report/trace_report.h"

static struct val *text(struct arena *a, const char *s)
{
	return s ? val_string(a, s) : val_new(a, VAL_NULL);
}

static struct val *share(struct arena *a, struct frac p)
{
	struct val *v;

	if (p.num == p.den)
		return val_int(a, 1);
	v = val_new(a, VAL_FLOAT);
	v->f = frac_value(p);
	return v;
}

static const char *socket_text(struct arena *a, ip_addr ip, uint16_t port)
{
	return port ? arena_printf(a, ip_is4(ip) ? "%s:%u" : "[%s]:%u", IP(ip), port) : arena_strdup(a, IP(ip));
}

static struct val *ip_port(struct arena *a, ip_addr ip, uint16_t port)
{
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "ip", val_string(a, IP(ip)));
	if (port)
		val_put(a, v, "port", val_int(a, port));
	return v;
}

/* ---- hops */

static struct val *tuple_json(struct arena *a, const struct tuple *t, uint32_t mark)
{
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "src", val_string(a, socket_text(a, t->src, t->sport)));
	val_put(a, v, "dst", val_string(a, socket_text(a, t->dst, t->dport)));
	val_put(a, v, "mark", val_int(a, mark));
	return v;
}

static bool same_tuple(const struct tuple *x, const struct tuple *y)
{
	return ip_eq(x->src, y->src) && ip_eq(x->dst, y->dst) && x->sport == y->sport && x->dport == y->dport;
}

static struct val *considered_json(const struct hop *h, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);
	struct sb rule = { 0 };

	for (uint32_t k = 0; k < h->nr_considered; k++) {
		const struct considered *c = &h->considered[k];
		const struct ruleset *owner;
		const struct chain_body *body = chain_body(c->owner, c->chain, &owner);

		sb_reset(&rule);
		rule_text(owner, ruleset_chain_get(c->owner, c->chain), &body->rules.v[c->rule], &rule);
		val_add(a, list, val_string(a, sb_text(&rule)));
	}
	sb_free(&rule);
	return list;
}

/* FAMILY TABLE CHAIN, as nft wants it; for iptables: iptables TABLE CHAIN. */
static const char *chain_text(const struct hop *h, struct arena *a)
{
	const struct chain *c = ruleset_chain_get(h->owner, h->chain);
	const struct table *t = ruleset_table_get(h->owner, c->table);

	return arena_printf(a, "%s %s %s", t->iptables ? t->family == NF_IP6 ? "ip6tables" : "iptables" : nf_family_names[t->family], t->name, c->name);
}

static struct val *hop_json(struct world *w, const struct hop *h, uint32_t seq, struct arena *a)
{
	struct val *v = val_new(a, VAL_MAP);
	bool changed = !same_tuple(&h->before, &h->after) || h->mark_before != h->mark_after;
	struct sb rule = { 0 };

	hop_rule_text(w->dp, h, &rule);
	val_put(a, v, "seq", val_int(a, seq));
	val_put(a, v, "netns", val_string(a, netns_get(w->dp, h->netns)->name));
	val_put(a, v, "interface", text(a, h->link.i ? link_get(w->dp, h->link)->name : NULL));
	val_put(a, v, "stage", val_string(a, stage_names[h->stage]));
	val_put(a, v, "decision", text(a, h->decision));
	val_put(a, v, "rule", text(a, rule.len ? sb_text(&rule) : NULL));
	if (h->owner && h->rule != UINT32_MAX && h->chain.i)
		val_put(a, v, "chain", val_string(a, chain_text(h, a)));
	val_put(a, v, "before", tuple_json(a, &h->before, h->mark_before));
	val_put(a, v, "after", changed ? tuple_json(a, &h->after, h->mark_after) : val_new(a, VAL_MAP));
	val_put(a, v, "ct", text(a, h->ct));
	if (h->nr_considered)
		val_put(a, v, "considered", considered_json(h, a));
	val_put(a, v, "causes", causes_json(w, h->cause, a));
	sb_free(&rule);
	return v;
}

static void add_hops(struct world *w, const struct half *half, struct val *list, struct arena *a)
{
	for (uint32_t k = 0; k < half->nr_hops; k++)
		val_add(a, list, hop_json(w, &half->hops[k], k + 1, a));
}

static struct val *hops_json(struct world *w, const struct half *half, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	add_hops(w, half, list, a);
	return list;
}

/* ---- HTTP */

static struct val *message_json(struct arena *a, const char *path, const char *host, const struct http_pair *h, uint32_t nr)
{
	struct val *v = val_new(a, VAL_MAP), *headers;

	if (path)
		val_put(a, v, "path", val_string(a, path));
	if (host)
		val_put(a, v, "host", val_string(a, host));
	headers = val_put(a, v, "headers", val_new(a, VAL_MAP));
	for (uint32_t k = 0; k < nr; k++)
		val_put(a, headers, h[k].name, val_string(a, h[k].value));
	return v;
}

static struct val *http_json(const struct http_view *h, struct arena *a)
{
	struct val *v, *mirrors, *considered = NULL;

	if (!h)
		return val_new(a, VAL_NULL);
	v = val_new(a, VAL_MAP);
	val_put(a, v, "status", val_int(a, h->status));
	if (h->grpc)
		val_put(a, v, "grpcStatus", val_string(a, h->grpc));
	val_put(a, v, "backend", text(a, h->backend));
	if (h->location)
		val_put(a, v, "location", val_string(a, h->location));
	if (h->upstream)
		val_put(a, v, "upstream", val_string(a, h->upstream));
	val_put(a, v, "tlsSecret", text(a, h->tls_secret));
	val_put(a, v, "request", message_json(a, h->req_path, h->req_host, h->req_headers, h->nr_req_headers));
	val_put(a, v, "response", message_json(a, NULL, NULL, h->resp_headers, h->nr_resp_headers));
	mirrors = val_put(a, v, "mirrors", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < h->nr_mirrors; k++)
		val_add(a, mirrors, val_string(a, h->mirrors[k]));
	if (h->why)
		val_put(a, v, "why", val_string(a, h->why));
	if (h->listener)
		val_put(a, v, "listener", val_string(a, h->listener));
	if (h->tls_names)
		val_put(a, v, "tlsNames", val_string(a, h->tls_names));
	if (h->tls_why)
		val_put(a, v, "tlsWhy", val_string(a, h->tls_why));
	if (h->delay)
		val_put(a, v, "delayMilliseconds", val_int(a, h->delay / MILLIS(1)));
	if (h->nr_considered)
		considered = val_put(a, v, "considered", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < h->nr_considered; k++) {
		struct val *one = val_add(a, considered, val_new(a, VAL_MAP));

		val_put(a, one, "rule", val_string(a, h->considered[k].rule));
		val_put(a, one, "why", val_string(a, h->considered[k].why));
	}
	return v;
}

/* ---- the answer */

static struct val *endpoint_json(const struct outcome_view *o, struct arena *a)
{
	struct val *v;

	if (o->verdict != V_DELIVERED || !ip_set(o->end_ip))
		return val_new(a, VAL_NULL);
	v = ip_port(a, o->end_ip, o->end_port);
	val_put(a, v, "pod", text(a, o->pod ? o->pod->o.name : NULL));
	val_put(a, v, "namespace", text(a, o->pod ? o->pod->o.ns : NULL));
	val_put(a, v, "container", text(a, o->container));
	val_put(a, v, "node", text(a, o->node));
	return v;
}

static void put_ways(struct world *w, const struct outcome_view *o, struct val *v, struct arena *a)
{
	struct val *reply, *between = NULL;

	val_put(a, v, "hops", hops_json(w, &o->walk->there, a));
	if (o->nr_between)
		between = val_put(a, v, "nextProxyHops", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < o->nr_between; k++)
		add_hops(w, &o->between[k]->there, between, a);
	if (o->second)
		val_put(a, v, "backendHops", hops_json(w, &o->second->there, a));
	if (o->third)
		val_put(a, v, "applicationHops", hops_json(w, &o->third->there, a));
	reply = val_put(a, v, "reply", val_new(a, VAL_MAP));
	val_put(a, reply, "verdict", val_string(a, verdict_names[o->walk->back.verdict]));
	val_put(a, reply, "reason", text(a, o->walk->back.reason));
	val_put(a, reply, "hops", hops_json(w, &o->walk->back, a));
}

static struct val *outcome_json(struct world *w, const struct answer *answer, const struct outcome_view *o, struct arena *a)
{
	const struct outcome *x = o->walk;
	struct val *v = val_new(a, VAL_MAP);
	struct denial denial;

	val_put(a, v, "probability", share(a, o->p));
	val_put(a, v, "verdict", val_string(a, verdict_names[o->verdict]));
	val_put(a, v, "answered", val_bool(a, o->answered));
	val_put(a, v, "assumed", val_bool(a, o->assumed));
	val_put(a, v, "endpoint", endpoint_json(o, a));
	val_put(a, v, "dnat", x && x->dnat ? ip_port(a, x->first_nat.dst, x->first_nat.dport) : val_new(a, VAL_NULL));
	val_put(a, v, "snat", x && x->snat ? ip_port(a, x->snat_to, x->snat_port) : val_new(a, VAL_NULL));
	val_put(a, v, "sourceSeen", x && o->verdict == V_DELIVERED ? ip_port(a, outcome_last(o)->there.as_seen.src, 0) : val_new(a, VAL_NULL));
	val_put(a, v, "masqueraded", val_bool(a, o->masqueraded));
	val_put(a, v, "http", http_json(o->http, a));
	val_put(a, v, "reason", text(a, o->reason));
	if (outcome_policies(w, o, a, &denial))
		val_put(a, v, "policies", policies_json(&denial.why, a));
	val_put(a, v, "causes", causes_json(w, o->cause, a));
	if (x && answer->q->flags & WALK_RECORD)
		put_ways(w, o, v, a);
	return v;
}

static struct val *from_json(const struct source *s, struct arena *a)
{
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "kind", text(a, s->kind));
	if (s->pod)
		val_put(a, v, "namespace", val_string(a, s->pod->o.ns));
	val_put(a, v, "name", text(a, s->pod ? s->pod->o.name : s->node ? s->node->o.name : NULL));
	val_put(a, v, "node", text(a, s->pod ? s->pod->node : s->node ? s->node->o.name : NULL));
	if (ip_set(s->ip))
		val_put(a, v, "ip", val_string(a, IP(s->ip)));
	return v;
}

static struct val *to_json(const struct answer *answer, struct arena *a)
{
	static const struct { uint8_t proto; const char *name; } names[] = { { PROTO_TCP, "TCP" }, { PROTO_UDP, "UDP" }, { PROTO_SCTP, "SCTP" }, { PROTO_ICMP, "ICMP" } };
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "text", val_string(a, answer->q->to));
	if (ip_set(answer->target))
		val_put(a, v, "ip", val_string(a, IP(answer->target)));
	if (answer->port)
		val_put(a, v, "port", val_int(a, answer->port));
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (names[k].proto == answer->q->proto)
			val_put(a, v, "protocol", val_string(a, names[k].name));
	return v;
}

struct val *trace_json(struct world *w, const struct answer *answer, struct arena *a)
{
	struct val *v = val_new(a, VAL_MAP), *list;

	val_put(a, v, "from", from_json(&answer->source, a));
	val_put(a, v, "to", to_json(answer, a));
	list = val_put(a, v, "outcomes", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < answer->nr; k++)
		val_add(a, list, outcome_json(w, answer, &answer->v[k], a));
	return v;
}
