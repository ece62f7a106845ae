/* Why a connection is allowed or denied: read from the compiled policies themselves, not from what the fast engine made of them; so it is a second opinion too. */
#include "model/api/path.h"
#include "model/dataplane/packet.h"
#include "sim/reachability/explaining.h"
#include "sim/reachability/inside.h"

#include <stdarg.h>

struct asking {
	struct cluster *c;
	struct arena *a;
	const struct np_compiled *p;
	const struct np_compiled_rule *rule;    /* NULL: the subject */
	struct reach_reason *out;
	const struct reach_end *self, *peer, *src, *dst;
	uint8_t proto; uint16_t port;
	uint32_t alloc;
};

/* The line of a path in the document that was applied: that of the deepest value that stands there. */
static const struct val *find(const struct object *o, const struct path *p, const struct val **last)
{
	const struct val *v = p->up ? find(o, p->up, last) : o->doc;
	char name[128];

	for (const char *s = p->part == PATH_ITEM ? NULL : p->name; v && s && *s;) {      /* a member may hold several names; an entry is a whole key */
		size_t n = p->part == PATH_ENTRY ? strlen(s) : strcspn(s, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, s);
		v = val_get(v, p->part == PATH_ENTRY ? s : name);
		s += n + (s[n] == '.');
		*last = v ? v : *last;
	}
	if (v && p->part == PATH_ITEM)
		v = val_at(v, p->index);
	*last = v ? v : *last;
	return v;
}

uint32_t reach_line_of(const struct object *o, const struct path *p)
{
	const struct val *last = o->doc;

	find(o, p, &last);
	return last && last->line ? last->line : o->line;
}

static void miss(struct asking *q, const struct path *p, bool allows, const char *fmt, ...) PRINTF(4, 5);
static void miss(struct asking *q, const struct path *p, bool allows, const char *fmt, ...)
{
	char text[PATH_TEXT], words[1600];
	struct reach_miss *m;
	va_list ap;

	if (q->out->nr == q->alloc)
		q->out->v = vec_grow(q->a, q->out->v, q->out->nr, &q->alloc, sizeof(*q->out->v));
	m = &q->out->v[q->out->nr++];
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	*m = (struct reach_miss){ .rule = q->rule ? q->rule->index : UINT32_MAX, .allows = allows, .path = arena_strdup(q->a, path_text(p, text)), .text = arena_strdup(q->a, words) };
	m->line = reach_line_of(&q->p->policy->o, p);
}

/* ---- selectors: the first requirement that does not hold */

static bool member(const struct requirement *q, str v)
{
	for (uint32_t k = 0; k < q->values.nr; k++)
		if (streq(q->values.v[k], v))
			return true;
	return false;
}

enum { VALUES = 6 };                    /* in a sentence */

static const char *values_text(const struct requirement *q, struct arena *a)
{
	struct sb s = { 0 };
	const char *text;

	for (uint32_t k = 0; k < MIN(q->values.nr, VALUES); k++)
		sb_printf(&s, "%s%s", k ? ", " : "", q->values.v[k]);
	if (q->values.nr > VALUES)
		sb_printf(&s, " and %u more", q->values.nr - VALUES);
	text = arena_strdup(a, sb_text(&s));
	sb_free(&s);
	return text;
}

/* true: it matches, and nothing is said. */
static bool selector_says(struct asking *q, const struct path *p, const struct selector *s, const pair_list *labels, const char *who)
{
	for (uint32_t k = 0; k < s->labels.nr; k++) {
		str have = label_get(labels, s->labels.v[k].key);
		const struct path *at = ENTRY(SUB(p, "matchLabels"), s->labels.v[k].key);

		if (have && streq(have, s->labels.v[k].value))
			continue;
		if (have)
			miss(q, at, false, "wants %s=%s; %s has %s=%s", s->labels.v[k].key, s->labels.v[k].value, who, s->labels.v[k].key, have);
		else
			miss(q, at, false, "wants %s=%s; %s has no label %s", s->labels.v[k].key, s->labels.v[k].value, who, s->labels.v[k].key);
		return false;
	}
	for (uint32_t k = 0; k < s->exprs.nr; k++) {
		const struct requirement *e = &s->exprs.v[k];
		str have = label_get(labels, e->key);
		const struct path *at = ITEM(SUB(p, "matchExpressions"), k);
		bool in = have && member(e, have);

		if (e->op - 1 == SEL_IN ? in : e->op - 1 == SEL_NOT_IN ? !in : e->op - 1 == SEL_EXISTS ? have != NULL : !have)
			continue;
		if (e->op - 1 <= SEL_NOT_IN)
			miss(q, at, false, "wants %s %s (%s); %s has %s%s%s", e->key, e->op - 1 == SEL_IN ? "in" : "not in", values_text(e, q->a), who, have ? e->key : "no label ",
			     have ? "=" : e->key, have ? have : "");
		else
			miss(q, at, false, "wants %s %s; %s has %s%s%s", e->op - 1 == SEL_EXISTS ? "a label" : "no label", e->key, who, have ? e->key : "none", have ? "=" : "", have ? have : "");
		return false;
	}
	return true;
}

/* ---- peers and ports */

/* Its address towards the other end; see select.c. */
ip_addr reach_address_towards(const struct reach_end *src, const struct reach_end *dst, const struct reach_end *e)
{
	bool src4 = false, src6 = false, want4;
	ip_addr d[2] = { dst->ip, dst->pod ? dst->pod->ip2 : (ip_addr){ 0 } }, s[2] = { src->ip, src->pod ? src->pod->ip2 : (ip_addr){ 0 } }, target = d[0];

	for (int k = 0; k < 2; k++) {
		src4 = src4 || (ip_set(s[k]) && ip_is4(s[k]));
		src6 = src6 || (ip_set(s[k]) && !ip_is4(s[k]));
	}
	for (int k = 1; k >= 0; k--)
		if (ip_set(d[k]) && (ip_is4(d[k]) ? src4 : src6))
			target = d[k];
	if (e == dst)
		return target;
	want4 = ip_is4(target);
	return ip_set(s[1]) && ip_is4(s[0]) != want4 && ip_is4(s[1]) == want4 ? s[1] : s[0];
}

static bool block_says(struct asking *q, const struct path *p, const struct np_peers *peer)
{
	ip_addr ip = reach_address_towards(q->src, q->dst, q->peer);

	if (!cidr_contains(peer->block, ip)) {
		miss(q, SUB(p, "ipBlock.cidr"), false, "%s does not hold %s", CIDR(peer->block), IP(ip));
		return false;
	}
	for (uint32_t k = 0; k < peer->nr_except; k++)
		if (cidr_contains(peer->except[k], ip)) {
			miss(q, ITEM(SUB(p, "ipBlock.except"), k), false, "%s is excepted: %s", IP(ip), CIDR(peer->except[k]));
			return false;
		}
	return true;
}

static bool peer_says(struct asking *q, const struct path *p, const struct np_peers *peer)
{
	const struct pod *pod = q->peer->pod;
	const struct namespace_ *ns;
	const char *who;

	if (peer->all)
		return true;
	if (peer->block.set)
		return block_says(q, p, peer);
	if (!pod) {
		miss(q, SUB(p, peer->namespaces ? "namespaceSelector" : "podSelector"), false, "selects Pods by their own address; %s is no Pod's own", IP(q->peer->ip));
		return false;
	}
	who = arena_printf(q->a, "%s/%s", pod->o.ns, pod->o.name);
	if (pod->spec->host_network) {
		miss(q, SUB(p, peer->namespaces ? "namespaceSelector" : "podSelector"), false, "selects Pods by their own address; %s is in its node's network", who);
		return false;
	}
	ns = find_namespace(q->c, pod->o.ns);
	if (!peer->namespaces && pod->o.ns != q->p->policy->o.ns) {
		miss(q, SUB(p, "podSelector"), false, "without a namespaceSelector it means Pods of namespace %s; %s is in %s", q->p->policy->o.ns, who, pod->o.ns);
		return false;
	}
	if (peer->namespaces && ns && !selector_says(q, SUB(p, "namespaceSelector"), peer->namespaces, &ns->o.labels, arena_printf(q->a, "namespace %s", pod->o.ns)))
		return false;
	return !peer->pods || selector_says(q, SUB(p, "podSelector"), peer->pods, &pod->o.labels, who);
}

static const struct pod *named_on(const struct asking *q)
{
	const struct pod *p = q->dst->pod;

	return p && !p->spec->host_network ? p : NULL;
}

static void port_misses(struct asking *q, const struct path *p, const struct np_ports *port)
{
	const struct pod *pod = named_on(q);
	enum l4 l4 = port->proto == PROTO_UDP ? L4_UDP : port->proto == PROTO_SCTP ? L4_SCTP : L4_TCP;

	if (port->proto != q->proto) {
		miss(q, SUB(p, "protocol"), false, "allows %s; asked is %s", l4_name(port->proto), l4_name(q->proto));
	} else if (port->name && !pod) {
		miss(q, SUB(p, "port"), false, "the name %s is looked for on Pods; the destination is none", port->name);
	} else if (port->name) {
		uint16_t has = pod_port_by_name(pod->spec, port->name, l4);

		if (has)
			miss(q, SUB(p, "port"), false, "%s/%s calls port %u %s; asked is %u", pod->o.ns, pod->o.name, has, port->name, q->port);
		else
			miss(q, SUB(p, "port"), false, "%s/%s has no %s port that is called %s", pod->o.ns, pod->o.name, l4_name(port->proto), port->name);
	} else if (port->lo != port->hi) {
		miss(q, SUB(p, q->port > port->hi ? "endPort" : "port"), false, "allows %u to %u; asked is %u", port->lo, port->hi, q->port);
	} else {
		miss(q, SUB(p, "port"), false, "allows %u; asked is %u", port->lo, q->port);
	}
}

/* Who comes first, for most rules fail there; ports are looked at where somebody fits. */
static bool rule_says(struct asking *q)
{
	const char *section = q->rule->dir == NP_EGRESS ? "egress" : "ingress", *side = q->rule->dir == NP_EGRESS ? "to" : "from";
	const struct path *rule = ITEM(SUB(SUB(NULL, "spec"), section), q->rule->index), *peers = SUB(rule, side), *ports = SUB(rule, "ports");
	uint32_t before = q->out->nr;
	bool who = false;

	for (uint32_t k = 0; k < q->rule->nr_peers && !who; k++)
		who = peer_says(q, ITEM(peers, k), &q->rule->peers[k]);
	if (!who)
		return false;
	q->out->nr = before;            /* other items that failed do not matter */
	if (!np_ports_allow(q->rule, named_on(q), q->proto, q->port)) {
		for (uint32_t k = 0; k < q->rule->nr_ports; k++)
			port_misses(q, ITEM(ports, k), &q->rule->ports[k]);
		return false;
	}
	miss(q, rule, true, "allows it");
	return true;
}

struct reach_reason *reach_new_reason(struct asked_why *w, const struct object *o, enum np_dir d)
{
	struct reach_reason *reason;

	if (w->out->nr == w->alloc)
		w->out->v = vec_grow(w->a, w->out->v, w->out->nr, &w->alloc, sizeof(*w->out->v));
	reason = &w->out->v[w->out->nr++];
	*reason = (struct reach_reason){ .policy = o, .dir = d, .allows = -1, .denies = -1, .passes = -1 };
	reason->name = o->ns ? arena_printf(w->a, "%s %s/%s", o->kind->name, o->ns, o->name) : arena_printf(w->a, "%s %s", o->kind->name, o->name);
	return reason;
}

struct reach_reason *reach_explain_one(struct asked_why *w, const struct np_compiled *p, enum np_dir d)
{
	const struct reach_end *self = d == NP_EGRESS ? w->from : w->to, *peer = d == NP_EGRESS ? w->to : w->from;
	struct asking q = { .c = w->c, .a = w->a, .p = p, .self = self, .peer = peer, .src = w->from, .dst = w->to, .proto = w->proto, .port = w->port };
	struct reach_reason *reason;

	if (!p->isolates[d] || !self->pod || !np_selects(w->c, p, self->pod))
		return NULL;
	reason = reach_new_reason(w, &p->policy->o, d);
	reason->selects = "spec.podSelector";
	reason->line = reach_line_of(&p->policy->o, SUB(SUB(NULL, "spec"), "podSelector"));
	q.out = reason;
	for (uint32_t i = 0; i < p->nr_rules[d]; i++) {
		q.rule = &p->rules[d][i];
		if (rule_says(&q) && reason->allows < 0)
			reason->allows = (int32_t)i;
	}
	q.rule = NULL;
	if (!p->nr_rules[d])
		miss(&q, SUB(SUB(NULL, "spec"), d == NP_EGRESS ? "egress" : "ingress"), false, "has no rule: nothing is allowed");
	return reason;
}

/* Isolated: denied unless some rule of some policy allows it. */
bool reach_explain_kubernetes(struct asked_why *w, enum np_dir d, bool *isolated)
{
	const struct reach_end *self = d == NP_EGRESS ? w->from : w->to;
	struct object_list l = self->pod ? cluster_list_ns(w->c, &network_policy_kind, self->pod->o.ns) : (struct object_list){ 0 };
	uint32_t first = w->out->nr;
	bool allowed = false;

	for (uint32_t k = 0; k < l.nr; k++) {
		struct np_compiled *p = arena_make(w->a, struct np_compiled);
		const struct reach_reason *reason;

		policy_compile((const struct network_policy *)l.v[k], w->a, p);
		reason = reach_explain_one(w, p, d);
		allowed = allowed || (reason && reason->allows >= 0);
	}
	*isolated = w->out->nr > first;
	for (uint32_t k = first; k < w->out->nr; k++)
		w->out->v[k].decides = !allowed || w->out->v[k].allows >= 0;
	return allowed;
}

static enum truth explain_dir(struct asked_why *w, enum np_dir d)
{
	bool isolated, allowed;

	if (w->tiers.nr_policies)
		return reach_explain_ordered(w, d);
	allowed = reach_explain_kubernetes(w, d, &isolated);
	return allowed || !isolated ? YES : NO;
}

static struct reach_why why_of(struct asked_why w)
{
	struct reach_why out = { 0 };
	enum truth side[2];

	w.out = &out;
	side[NP_EGRESS] = explain_dir(&w, NP_EGRESS);
	side[NP_INGRESS] = explain_dir(&w, NP_INGRESS);
	out.out = side[NP_EGRESS] == YES;
	out.in = side[NP_INGRESS] == YES;
	out.itself = w.from->pod && w.from->pod == w.to->pod;
	out.allowed = out.itself || (out.out && out.in);
	if (truth_and(side[0], side[1]) != MAYBE || out.itself)
		out.unknown = NULL;
	return out;
}

struct reach_why policy_why(struct cluster *c, const struct reach_end *from, const struct reach_end *to, uint8_t proto, uint16_t port, struct arena *a)
{
	return why_of((struct asked_why){ .c = c, .from = from, .to = to, .proto = proto, .port = port, .a = a, .tiers = policy_tiers(c, a) });
}

struct reach_why reach_explain_by(struct reach *r, const struct tiers *t, uint32_t from, uint32_t to, uint8_t proto, uint16_t port, struct arena *a)
{
	bool allowed = reach_allowed(r, from, to, proto, port);
	struct reach_why out = { .out = true, .in = true };

	if (!r->idle)
		out = why_of((struct asked_why){ .c = r->c, .from = &r->ends[from], .to = &r->ends[to], .proto = proto, .port = port, .a = a, .tiers = t ? *t : policy_tiers(r->c, a) });
	out.allowed = allowed;
	out.itself = out.itself || from == to;
	out.from_node = reach_from_own_node(r, from, to);
	out.to_node = reach_to_own_node(r, from, to);
	out.out = out.out || out.to_node;
	out.in = out.in || out.from_node;
	if (!reach_unknown(r, from, to, proto, port))
		out.unknown = NULL;
	return out;
}

struct reach_why reach_explain(struct reach *r, uint32_t from, uint32_t to, uint8_t proto, uint16_t port, struct arena *a)
{
	return reach_explain_by(r, NULL, from, to, proto, port, a);
}

/* Does this policy have a part in the answer? Denied: it decides on the side that is closed; allowed: its rule lets it pass. */
static bool takes_part(const struct reach_why *y, const struct reach_reason *x)
{
	return y->allowed ? x->allows >= 0 : x->decides && !(x->dir == NP_EGRESS ? y->out : y->in);
}

static void add_place(struct sb *s, const struct reach_reason *x, uint32_t line)
{
	if (x->policy->file)
		sb_printf(s, " (%s:%u)", x->policy->file, line);
}

enum { MISSES = 8 };                    /* of one policy, in a sentence; the lists have all */

static void add_misses(struct sb *s, const struct reach_reason *x)
{
	for (uint32_t i = 0; i < MIN(x->nr, MISSES); i++) {
		sb_printf(s, "%s%s %s", i ? ", " : ": ", x->v[i].path, x->v[i].text);
		add_place(s, x, x->v[i].line);
	}
	if (x->nr > MISSES)
		sb_printf(s, ", and %u more", x->nr - MISSES);
}

const char *reach_why_sentence(const struct reach_why *y, const char *from, const char *to, struct arena *a)
{
	struct sb s = { 0 };
	const char *text;

	if (y->itself)
		return "a Pod always reaches itself";
	if (y->allowed && !y->nr)
		return "no policy isolates either end";
	for (uint32_t k = 0; k < y->nr; k++) {
		const struct reach_reason *x = &y->v[k];
		const char *side = x->dir == NP_EGRESS ? "egress" : "ingress";

		if (!takes_part(y, x))
			continue;
		sb_printf(&s, "%s%s ", s.len ? "; " : "", x->name);
		if (y->allowed || x->denies >= 0) {
			sb_printf(&s, "%s %s by spec.%s[%d]", y->allowed ? "allows" : "denies", side, side, y->allowed ? x->allows : x->denies);
			if (!y->allowed && x->nr)
				add_place(&s, x, x->v[x->nr - 1].line);
			continue;
		}
		sb_printf(&s, "isolates %s for %s and no rule allows it", x->dir == NP_EGRESS ? from : to, side);
		add_misses(&s, x);
	}
	if (y->allowed && y->from_node && !s.len)
		sb_add(&s, "traffic from a Pod's own node is always let in");
	text = arena_strdup(a, sb_text(&s));
	sb_free(&s);
	return text;
}

const char *reach_why_names(const struct reach_why *y, const char *from, const char *to, struct arena *a)
{
	struct sb s = { 0 };
	const char *text;

	for (int d = NP_EGRESS; d >= NP_INGRESS; d--) {
		const char *kind = NULL, *who = d == NP_EGRESS ? from : to, *side = d == NP_EGRESS ? "egress" : "ingress";
		uint32_t nr = 0, at = 0;
		bool mixed = false;

		for (uint32_t k = 0; k < y->nr; k++) {
			const struct reach_reason *x = &y->v[k];

			if ((int)x->dir != d || !takes_part(y, x))
				continue;
			mixed = mixed || (kind && !streq(kind, x->policy->kind->name));
			kind = x->policy->kind->name;
			nr++;
		}
		for (uint32_t k = 0; k < y->nr; k++) {
			const struct reach_reason *x = &y->v[k];

			if ((int)x->dir != d || !takes_part(y, x))
				continue;
			if (x->denies >= 0) {
				sb_printf(&s, "%s%s denies %s of %s by spec.%s[%d]", s.len ? "; " : "", x->name, side, who, side, x->denies);
				nr = 0;
				break;
			}
			if (at)
				sb_add(&s, at + 1 < nr ? ", " : " and ");
			else if (s.len)
				sb_add(&s, "; ");
			if (nr > 1 && !mixed && !at)
				sb_printf(&s, "%.*sies ", (int)strlen(kind) - 1, kind);
			sb_add(&s, nr > 1 && !mixed ? x->name + strlen(kind) + 1 : x->name);
			at++;
		}
		if (nr)
			sb_printf(&s, nr > 1 ? " isolate %s for %s, and no rule of theirs allows it" : " isolates %s for %s, and no rule of it allows it", who, side);
	}
	text = arena_strdup(a, sb_text(&s));
	sb_free(&s);
	return text;
}
