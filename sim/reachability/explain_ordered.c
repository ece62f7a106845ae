/* Why, tier by tier: each policy that selects the Pod until one decides, and of each of its rules the first thing that does not hold. */
#include "model/dataplane/packet.h"
#include "sim/reachability/explaining.h"

struct asking { struct asked_why *w; enum np_dir dir; const struct reach_end *self; const pair_list *labels[2]; ip_addr ip[2]; const struct reach_end *end[2]; };

static void say(struct asking *q, struct reach_reason *x, uint32_t *room, const struct tier_rule *r, bool allows, const char *path, uint32_t line, const char *text)
{
	if (x->nr == *room)
		x->v = vec_grow(q->w->a, x->v, x->nr, room, sizeof(*x->v));
	x->v[x->nr++] = (struct reach_miss){ .rule = r ? r->index : UINT32_MAX, .allows = allows, .path = path, .text = text, .line = line ? line : x->line };
}

static const char *who(struct asking *q, int k)
{
	const struct pod *p = q->end[k]->pod;

	return p ? arena_printf(q->w->a, "%s/%s", p->o.ns, p->o.name) : arena_printf(q->w->a, "%s", IP(q->ip[k]));
}

/* Of the labels that a selector speaks of, those that are there. */
static const char *has_labels(struct asking *q, const char *selector, const pair_list *l, const char *prefix)
{
	struct sb s = { 0 };
	const char *text;

	for (uint32_t k = 0; k < l->nr; k++) {
		const char *key = l->v[k].key;

		if (strncmp(key, prefix, strlen(prefix)) == 0 && (*prefix || strncmp(key, "pcns.", 5) != 0) && strstr(selector, key + strlen(prefix)))
			sb_printf(&s, "%s%s=%s", s.len ? ", " : "", key + strlen(prefix), l->v[k].value);
	}
	text = s.len ? arena_strdup(q->w->a, sb_text(&s)) : "none of its labels";
	sb_free(&s);
	return text;
}

static const char *nets_text(struct arena *a, const cidrs *l)
{
	struct sb s = { 0 };
	const char *text;

	for (uint32_t k = 0; k < MIN(l->nr, 6u); k++)
		sb_printf(&s, "%s%s", k ? ", " : "", CIDR(l->v[k]));
	if (l->nr > 6)
		sb_printf(&s, " and %u more", l->nr - 6);
	text = arena_strdup(a, s.len ? sb_text(&s) : "no address");
	sb_free(&s);
	return text;
}

static bool in(const cidrs *l, ip_addr ip)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (cidr_contains(l->v[k], ip))
			return true;
	return false;
}

/* The first part of an end that does not hold: each is tried alone. *path: the field behind the end's own. */
static const char *end_misses(struct asking *q, const struct tier_end *e, int k, const char **field)
{
	const pair_list none = { 0 }, *l = q->labels[k] ? q->labels[k] : &none;
	struct arena *a = q->w->a;
	const struct { const char *selector, *field, *prefix, *of; struct tier_end alone; } parts[] = {
		{ e->spaces, "namespaceSelector", "pcns.", "the namespace of ", { .spaces = e->spaces, .members = e->members } },
		{ e->accounts, "serviceAccounts.selector", "pcsa.", "the ServiceAccount of ", { .accounts = e->accounts, .members = e->members } },
		{ e->named, "serviceAccounts.names", "", "", { .named = e->named, .members = e->members } },
		{ e->selector, "selector", "", "", { .selector = e->selector, .members = e->members } },
		{ e->without, "notSelector", "", "", { .without = e->without, .without_members = e->without_members } },
	};
	const struct tier_end space = { .space = e->space, .members = e->members };

	*field = "selector";
	if (!q->labels[k] && (e->selector || e->spaces || e->accounts || e->named) && !in(&e->members, q->ip[k]))
		return arena_printf(a, "selects endpoints and NetworkSets; %s is none of these", who(q, k));
	if (e->space && tier_end_has(&space, q->labels[k], q->ip[k]) == NO)
		return arena_printf(a, "means endpoints of namespace %s; %s is in another one", e->space, who(q, k));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		*field = parts[i].field;
		if (parts[i].selector && tier_end_has(&parts[i].alone, q->labels[k], q->ip[k]) == NO)
			return arena_printf(a, "%s %s; %s%s has %s", parts[i].alone.without ? "leaves out" : "wants", parts[i].selector, parts[i].of, who(q, k),
					    has_labels(q, parts[i].selector, l, parts[i].prefix));
	}
	*field = "nets";
	if (e->has_nets && !in(&e->nets, q->ip[k]))
		return arena_printf(a, "%s: %s is not in it", nets_text(a, &e->nets), IP(q->ip[k]));
	*field = "notNets";
	return arena_printf(a, "leaves out %s: %s is in it, or of another family", nets_text(a, &e->without_nets), IP(q->ip[k]));
}

static const char *ports_text(struct arena *a, const tier_ports *l)
{
	struct sb s = { 0 };
	const char *text;

	for (uint32_t k = 0; k < l->nr; k++)
		if (l->v[k].name)
			sb_printf(&s, "%s%s", k ? ", " : "", l->v[k].name);
		else if (l->v[k].lo == l->v[k].hi)
			sb_printf(&s, "%s%u", k ? ", " : "", l->v[k].lo);
		else
			sb_printf(&s, "%s%u-%u", k ? ", " : "", l->v[k].lo, l->v[k].hi);
	text = arena_strdup(a, sb_text(&s));
	sb_free(&s);
	return text;
}

static const char *protocol_text(struct arena *a, int proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP ? l4_name((uint8_t)proto) : proto == PROTO_ICMP ? "ICMP" : proto == PROTO_ICMPV6 ? "ICMPv6" : arena_printf(a, "protocol %d", proto);
}

static const char *ports_miss(struct asking *q, const struct tier_rule *r, const char **field)
{
	struct arena *a = q->w->a;
	const char *asked = protocol_text(a, q->w->proto);

	*field = "protocol";
	if (r->proto >= 0 && r->proto != q->w->proto)
		return arena_printf(a, "is about %s; asked is %s", protocol_text(a, r->proto), asked);
	*field = "notProtocol";
	if (r->no_proto == q->w->proto)
		return arena_printf(a, "is about all but %s; that is asked", asked);
	*field = r->end[1].ports.nr ? "destination.ports" : r->end[1].without_ports.nr ? "destination.notPorts" : "source.ports";
	if (r->end[1].ports.nr)
		return arena_printf(a, "is about port%s %s; asked is %u", r->end[1].ports.nr > 1 ? "s" : "", ports_text(a, &r->end[1].ports), q->w->port);
	return arena_printf(a, "leaves out %s; asked is %u", ports_text(a, &r->end[1].without_ports), q->w->port);
}

static bool names_port(void *ctx, str name, uint8_t proto, uint16_t port)
{
	const struct pod *p = ((const struct asking *)ctx)->end[1]->pod;

	return p && !p->spec->host_network && pod_names_port(p, name, proto, port);
}

static bool is_calico(const struct tier_end *e)
{
	size_t n = strlen(e->path);

	return n > 7 && (streq(e->path + n - 7, ".source") || strstr(e->path, ".destination"));
}

/* Does the rule match? If not, what failed first is said: the other end, for most fail there, then ports. */
static enum truth rule_truth(struct asking *q, const struct tier_rule *r, struct reach_reason *x, uint32_t *room)
{
	int peer = q->dir == NP_EGRESS, order[2] = { peer, !peer };
	const char *field, *text;
	enum truth t = tier_rule_open(r, q->w->proto, q->w->port, names_port, q);

	for (int k = 0; k < 2; k++) {
		const struct tier_end *e = &r->end[order[k]];
		enum truth has = tier_end_has(e, q->labels[order[k]], q->ip[order[k]]);

		if (order[k] == 1 && r->family && ip_is4(q->ip[1]) != (r->family == 4)) {
			say(q, x, room, r, false, arena_printf(q->w->a, "%s.ipVersion", r->path), r->line, arena_printf(q->w->a, "is about IPv%u; the connection goes to %s", r->family, IP(q->ip[1])));
			return NO;
		}
		if (has == NO) {
			text = end_misses(q, e, order[k], &field);
			say(q, x, room, r, false, is_calico(e) ? arena_printf(q->w->a, "%s.%s", e->path, field) : e->path, e->line, text);
			return NO;
		}
		t = truth_and(t, has);
	}
	if (t == NO) {
		text = ports_miss(q, r, &field);
		say(q, x, room, r, false, is_calico(&r->end[0]) ? arena_printf(q->w->a, "%s.%s", r->path, field) : r->path, r->line, text);
	}
	return t;
}

/* Of one written rule there is one for each protocol: what the others are about is not told where one is about the protocol that is asked. */
static bool told_by_another(const struct asking *q, const struct tier_policy *p, const struct tier_rule *r)
{
	int peer = q->dir == NP_EGRESS;

	if (r->proto < 0 || r->proto == q->w->proto)
		return false;
	for (uint32_t k = 0; k < p->rules[q->dir].nr; k++) {
		const struct tier_rule *other = &p->rules[q->dir].v[k];

		if (other->index == r->index && other->proto == q->w->proto && streq(other->end[peer].path, r->end[peer].path))
			return true;
	}
	return false;
}

struct state { bool open, passed, yes, no; enum truth in; /* does a policy of the tier select the Pod? */ };

static void doubt(struct asking *q, const struct tier_policy *p, const char *path, const char *what)
{
	if (!q->w->out->unknown)
		q->w->out->unknown = arena_printf(q->w->a, "%s: %s (%s) is not modelled", p->name, what, path);
}

static void ask_policy(struct asking *q, const struct tier_policy *p, const char *tier, struct state *s)
{
	static const char *const words[] = { "allows it", "denies it", "passes it to the next tier" };
	enum truth selected = tier_selects(p, q->labels[q->dir == NP_INGRESS]);
	struct reach_reason *x;
	uint32_t room = 0;

	if (!p->decides[q->dir] || selected == NO)
		return;
	if (selected == MAYBE)
		doubt(q, p, p->subject.path, p->unmodelled ? p->unmodelled : "its selector");
	s->in = truth_or(s->in, selected);
	if (p->kubernetes) {
		x = reach_explain_one(q->w, p->kubernetes, q->dir);
		if (x && x->allows >= 0) {
			s->yes = x->decides = true;
			s->open = false;
		}
		if (x)
			x->tier = tier;
		return;
	}
	x = reach_new_reason(q->w, p->o, q->dir);
	x->name = p->name;
	x->selects = p->subject.path;
	x->line = p->subject.line;
	x->tier = tier;
	for (uint32_t k = 0; k < p->rules[q->dir].nr && s->open; k++) {
		const struct tier_rule *r = &p->rules[q->dir].v[k];
		enum truth t = told_by_another(q, p, r) ? NO : rule_truth(q, r, x, &room);
		bool *to = r->action == TIER_ALLOW ? &s->yes : r->action == TIER_DENY ? &s->no : &s->passed;
		int32_t *says = r->action == TIER_ALLOW ? &x->allows : r->action == TIER_DENY ? &x->denies : &x->passes;

		if (t == NO)
			continue;
		*to = true;
		if (t == MAYBE || selected == MAYBE) {
			doubt(q, p, r->path, r->unmodelled ? r->unmodelled : "the source's port");
			say(q, x, &room, r, false, r->path, r->line, "cannot be told");
			continue;
		}
		*says = (int32_t)r->index;
		x->decides = r->action != TIER_PASS;
		s->open = false;
		say(q, x, &room, r, r->action == TIER_ALLOW, r->path, r->line, words[r->action]);
	}
	if (!p->rules[q->dir].nr)
		say(q, x, &room, NULL, false, q->dir == NP_EGRESS ? "spec.egress" : "spec.ingress", x->line, "has no rule: nothing matches");
}

static void end_tier(struct asking *q, const struct tier *t, uint32_t first, struct state *s)
{
	if (s->open && s->in != NO && !t->passes) {
		s->no = true;
		for (uint32_t k = first; k < q->w->out->nr; k++)
			q->w->out->v[k].decides = q->w->out->v[k].passes < 0;
	}
	s->open = s->passed || (s->open && (s->in != YES || t->passes));
	s->passed = false;
	s->in = NO;
}

enum truth reach_explain_ordered(struct asked_why *w, enum np_dir d)
{
	struct asking q = { .w = w, .dir = d, .self = d == NP_EGRESS ? w->from : w->to, .end = { w->from, w->to } };
	struct state s = { .open = true };

	if (!q.self->pod || q.self->pod->spec->host_network)
		return YES;
	if (w->tiers.tied) {
		uint32_t nr;
		struct np_compiled *np = policies_compile(w->c, w->a, &nr);

		tiers_of_kubernetes(&w->tiers, w->c, np, nr, w->a);
	}
	for (int k = 0; k < 2; k++) {
		q.labels[k] = tier_labels_of(w->c, q.end[k]->pod, w->a);
		q.ip[k] = reach_address_towards(w->from, w->to, q.end[k]);
	}
	for (uint32_t k = 0; k < w->tiers.v.nr && s.open; k++) {
		const struct tier *t = &w->tiers.v.v[k];
		bool kubernetes = k == w->tiers.before[0] && !w->tiers.kubernetes_within;
		uint32_t first = w->out->nr;

		for (uint32_t i = 0; i <= t->policies.nr && s.open; i++) {
			if (kubernetes && i == w->tiers.before[1]) {
				uint32_t from = w->out->nr;
				bool isolated, allowed = reach_explain_kubernetes(w, d, &isolated);

				for (uint32_t n = from; n < w->out->nr; n++) {
					w->out->v[n].tier = t->name;
					w->out->v[n].decides = allowed && w->out->v[n].allows >= 0;
				}
				s.in = isolated ? YES : s.in;
				s.yes = s.yes || allowed;
				s.open = !allowed;
			}
			if (i < t->policies.nr && s.open)
				ask_policy(&q, &t->policies.v[i], t->name, &s);
		}
		end_tier(&q, t, first, &s);
	}
	return s.yes || s.open ? s.no ? MAYBE : YES : NO;
}
