/* Driving: one run for each way that chance can decide, the answer behind each, and all of them as outcomes with exact shares. */
#include "sim/trace/walker.h"

#include "model/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const verdict_names[V_COUNT] = {
	[V_DELIVERED] = "delivered", [V_REFUSED] = "refused", [V_REJECTED] = "rejected", [V_DROPPED] = "dropped", [V_UNROUTABLE] = "unroutable", [V_UNRESOLVED] = "unresolved",
	[V_LOST] = "lost", [V_UNKNOWN] = "unknown",
};
const char *const stage_names[ST_COUNT] = {
	[ST_SOCKET] = "socket", [ST_OUTPUT] = "output", [ST_ROUTE] = "route", [ST_FORWARD] = "forward", [ST_INPUT] = "input", [ST_PREROUTING] = "prerouting",
	[ST_POSTROUTING] = "postrouting", [ST_LINK] = "link", [ST_BRIDGE] = "bridge", [ST_ENCAP] = "encap", [ST_DECAP] = "decap", [ST_DELIVER] = "deliver", [ST_PROXY] = "proxy",
};

/* ---- what the run says */

void end(struct walker *w, enum verdict v, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (w->over)
		return;
	va_start(ap, fmt);
	text_format(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->over = true;
	w->half->verdict = v;
	w->half->reason = arena_strdup(w->a, text);
	if (!w->half->end.i && v != V_DELIVERED)
		w->half->end = w->ns;
	if (v != V_DELIVERED)
		w->half->as_seen = tuple_of(&w->p);
}

struct hop *add_hop(struct walker *w, enum stage st, link_h l, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!(w->flags & WALK_RECORD))
		return NULL;
	va_start(ap, fmt);
	text_format(text, sizeof(text), fmt, ap);
	va_end(ap);
	return note_hop(w, st, l, arena_strdup(w->a, text));
}

struct hop *note_hop(struct walker *w, enum stage st, link_h l, const char *decision)
{
	struct hop *h;

	if (!(w->flags & WALK_RECORD))
		return NULL;
	h = vec_push(w->a, &w->hops);
	*h = (struct hop){ .netns = w->ns, .link = l, .stage = (uint8_t)st, .decision = decision, .rule = UINT32_MAX, .before = tuple_of(&w->p), .after = tuple_of(&w->p),
			   .mark_before = w->p.mark, .mark_after = w->p.mark, .size = w->p.size };
	if (w->ct && w->p.ct_state)
		h->ct = w->p.ct_state & CT_ESTABLISHED ? "established" : w->p.ct_state & CT_NEW ? "new" : "invalid";
	return h;
}

uint32_t choose_way(struct walker *w, uint32_t ways, uint64_t num, uint64_t den)
{
	struct choice *c;

	if (w->at_choice == w->choices.nr) {
		c = vec_push(w->a, &w->choices);
		*c = (struct choice){ .ways = ways };
		if (w->flags & WALK_DRAW && w->flows) {
			uint64_t r = flows_draw(w->flows) >> 32;

			c->taken = den ? (r * den >> 32) >= num : (uint32_t)(r * ways >> 32);
		}
	}
	c = &w->choices.v[w->at_choice++];
	c->num = den ? (c->taken == 0 ? num : den - num) : 1;
	c->den = den ? den : ways;
	return c->taken;
}

/* ---- shares */

struct frac frac_of_choices(const struct choice *v, uint32_t nr)
{
	struct frac p = { 1, 1 };

	for (uint32_t k = 0; k < nr; k++)
		p = frac_mul(p, (struct frac){ v[k].num, v[k].den });
	return p;
}

/* The next script: the last choice that has another way takes it; what came behind is forgotten. false: all were followed. */
static bool next_script(struct walker *w)
{
	for (; w->choices.nr; w->choices.nr--) {
		struct choice *c = &w->choices.v[w->choices.nr - 1];

		if (++c->taken < c->ways)
			return true;
	}
	return false;
}

/* ---- one run: there and back */

static void begin(struct walker *w, struct half *half, netns_h ns, struct tuple t)
{
	const struct walk_from *f = w->from;

	w->half = half;
	w->ns = ns;
	w->over = false;
	w->steps = 0;
	w->piece = 0;
	w->ct = NULL;
	w->hops.v = NULL;
	w->hops.nr = w->hops.alloc = 0;
	w->p = (struct packet){ .src = t.src, .dst = t.dst, .sport = t.sport, .dport = t.dport, .proto = t.proto, .ttl = FIRST_TTL, .tcp_flags = w->back ? 18 : 2,
				.size = w->error ? 0 : f->size, .df = f->df && !w->error, .icmp_type = f->icmp_type, .skuid = f->skuid, .has_skuid = (f->has_skuid || !f->enters) && !w->back };
	*half = (struct half){ .verdict = V_UNKNOWN, .as_sent = t };
}

static void finish_half(struct walker *w)
{
	w->half->hops = w->hops.v;
	w->half->nr_hops = w->hops.nr;
}

static void go_there(struct walker *w)
{
	const struct walk_from *f = w->from;
	struct tuple t = f->t;

	t.sport = t.sport || t.proto == PROTO_ICMP || t.proto == PROTO_ICMPV6 ? t.sport : FIRST_PORT;
	while (!f->t.sport && w->flows && t.sport >= FIRST_PORT && flows_port_in_use(w->flows, t.src, t.sport, t.proto))
		t.sport++;
	w->back = false;
	begin(w, &w->out.there, f->from, t);
	if (f->enters)
		come_in(w, f->in);
	else
		leave_socket(w);
	finish_half(w);
}

static bool known_outside(const struct walker *w, ip_addr ip)
{
	netns_h router = netns_find(w->dp, "router");
	struct route r;

	return addr_is_local(w->dp, router, ip) || (route_lookup(w->dp, router, ip, &r) && r.type == RT_UNICAST);
}

static void go_back(struct walker *w)
{
	struct half there = w->out.there;
	struct tuple t = inverse(there.as_seen);

	w->back = true;
	if (w->p.proto == PROTO_ICMP || w->p.proto == PROTO_ICMPV6)
		t = (struct tuple){ there.as_seen.dst, there.as_seen.src, there.as_seen.sport, there.as_seen.dport, there.as_seen.proto };
	if (w->assumed_outside && !known_outside(w, there.as_seen.src)) {
		w->out.back = (struct half){ .verdict = V_UNROUTABLE, .as_sent = t,
					     .reason = arena_printf(w->a, "nobody outside has a route to %s, which no node has translated", IP(there.as_seen.src)) };
		return;
	}
	if (w->out.assumed && !there.end.i && !w->assumed_at.i) {       /* outside: taken to answer, by whatever way */
		w->out.back = (struct half){ .verdict = V_DELIVERED, .reason = "taken to answer" };
		w->out.answered = true;
		return;
	}
	begin(w, &w->out.back, there.end.i ? there.end : w->assumed_at, t);
	if (there.end.i) {
		leave_socket(w);
	} else {
		w->half->as_sent = t;
		come_in(w, w->left_by);
	}
	finish_half(w);
	{
		struct tuple want = inverse(w->out.there.as_sent), got = w->out.back.as_seen;
		bool icmp = got.proto == PROTO_ICMP || got.proto == PROTO_ICMPV6;
		bool same = icmp ? ip_eq(got.src, want.src) && ip_eq(got.dst, want.dst) : same_tuple(&got, &want);

		w->out.answered = w->out.back.verdict == V_DELIVERED && w->out.back.end.i == w->from->from.i && same;
		if (w->out.back.verdict == V_DELIVERED && !same)
			w->out.back.reason = arena_printf(w->a, "the answer comes from %s, but %s was asked: the socket does not know it", IP(got.src), IP(want.src));
	}
}

/* A reset, or an ICMP error, needs its way back as any answer does; where it has none the client does not learn of it and waits. It is no answer. → it arrives, or nobody can tell */
static bool carry_refusal(struct walker *w, bool error)
{
	bool arrives;

	w->error = error;
	go_back(w);
	w->error = false;
	arrives = w->out.answered || w->out.back.verdict == V_UNKNOWN;
	if (!arrives)
		w->out.there.reason = arena_printf(w->a, "%s, which does not come back: %s", w->out.there.reason, w->out.back.reason ? w->out.back.reason : "it ends elsewhere");
	w->out.answered = false;
	return arrives;
}

/* Path MTU discovery: the sender makes smaller packets of what follows, if it hears of it; else it sends the same again and again. */
static void carry_too_large(struct walker *w)
{
	if (carry_refusal(w, true) && w->out.back.verdict != V_UNKNOWN)
		w->out.there.reason = arena_printf(w->a, "%s; its sender is told, and sends smaller ones", w->out.there.reason);
}

static void run(struct walker *w)
{
	w->out = (struct outcome){ 0 };
	w->nr_cts = 0;
	w->at_choice = 0;
	w->considered.nr = 0;
	w->assumed_outside = false;
	w->assumed_at = (netns_h){ 0 };
	w->left_by = (link_h){ 0 };
	w->same = false;
	w->runs++;
	go_there(w);
	if (w->out.there.verdict == V_DELIVERED && !(w->flags & WALK_ONE_WAY))
		go_back(w);
	else if (w->out.there.verdict == V_REFUSED && !(w->flags & WALK_ONE_WAY))
		carry_refusal(w, w->p.proto == PROTO_UDP);
	else if (w->out.too_large_for && !(w->flags & WALK_ONE_WAY))
		carry_too_large(w);
	else
		w->out.back = (struct half){ .verdict = V_UNKNOWN };
	w->out.p = frac_of_choices(w->choices.v, w->at_choice);
}

/* ---- outcomes */

static int by_end(const void *a, const void *b)
{
	const struct outcome *x = a, *y = b;
	int d = ip_order(x->there.as_seen.dst, y->there.as_seen.dst);

	d = d ? d : (int)x->there.as_seen.dport - (int)y->there.as_seen.dport;
	d = d ? d : (int)x->there.verdict - (int)y->there.verdict;
	return d ? d : ip_order(x->there.as_seen.src, y->there.as_seen.src);
}

bool same_outcome(const struct outcome *x, const struct outcome *y)
{
	return by_end(x, y) == 0 && x->answered == y->answered && x->dnat == y->dnat && x->masqueraded == y->masqueraded && x->listener == y->listener &&
	       x->there.end.i == y->there.end.i;
}

struct trace walk(const struct dataplane *dp, struct flows *flows, const struct walk_from *from, unsigned flags, struct arena *a)
{
	struct walker *w = arena_make(a, struct walker);
	VEC(struct outcome) all = { 0 };
	VEC(struct ran) forked = { 0 };
	struct map met = { 0 };
	bool unknown = false;
	uint32_t to = 0;
	uint64_t draws = flows ? flows_draws(flows) : 0;

	w->dp = dp;
	w->flows = flows;
	w->from = from;
	w->flags = flags;
	w->a = a;
	w->met = &met;
	do {
		run(w);
		for (uint32_t k = 0; k < w->at_choice; k++)
			unknown = unknown || w->choices.v[k].unknown;
		if (unknown && !w->same)
			vec_add(a, &forked, ran_of(w, a));
		if (!unknown)
			vec_add(a, &all, w->out);
		for (uint32_t k = 0; flags & WALK_KEEP && flows && k < w->nr_cts; k++)
			flows_keep(flows, dp, ct_at(w, k));
	} while (!(flags & (WALK_DRAW | WALK_KEEP)) && next_script(w));
	if (unknown) {
		struct frac certain = { 0, 1 };
		struct trace merged;

		for (uint32_t k = 0; k < all.nr; k++)
			certain = frac_add(certain, all.v[k].p);
		merged = merge_runs(forked.v, forked.nr, certain, a);
		for (uint32_t k = 0; k < merged.nr; k++)
			vec_add(a, &all, merged.v[k]);
	}
	if (flows && !(flags & WALK_KEEP))
		flows_set_draws(flows, draws);
	if (flags & (WALK_DRAW | WALK_KEEP))
		all.v[0].p = (struct frac){ 1, 1 };
	if (all.nr)
		qsort(all.v, all.nr, sizeof(*all.v), by_end);
	for (uint32_t k = 0; k < all.nr; k++) {
		if (to && same_outcome(&all.v[to - 1], &all.v[k]))
			all.v[to - 1].p = frac_add(all.v[to - 1].p, all.v[k].p);
		else
			all.v[to++] = all.v[k];
	}
	return (struct trace){ all.v, to };
}

void hop_rule_text(const struct dataplane *dp, const struct hop *h, struct sb *out)
{
	const struct ruleset *owner;
	const struct chain_body *b;

	(void)dp;
	if (h->rule == UINT32_MAX || !h->owner)
		return;
	b = chain_body(h->owner, h->chain, &owner);
	if (h->rule < b->rules.nr)
		rule_text(h->owner, ruleset_chain_get(h->owner, h->chain), &b->rules.v[h->rule], out);
}
