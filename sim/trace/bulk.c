/*
 * Theory of operation. An ordinary packet from a Pod meets two or three kinds of places: its own namespace, where it has one way out and no rules; a node, where
 * the hooks run and which knows each Pod address either as its own or as another node's; the namespace where it is delivered. So the walk is a loop over nodes,
 * with conntrack of these nodes in a few words on the stack, and the answer is the same loop the other way. As soon as anything is not ordinary (the address is
 * nobody's, a rule drops, an op wants to fork) the probe is left to walk(), which starts again with the same draws: it, and not this file, says what happens in
 * all but the plainest case, and tests/unit/bulk_test.c compares both on everything.
 */
#include "sim/trace/bulk.h"

#include "model/dataplane/low_run.h"
#include "sim/trace/fetch.h"
#include "sim/trace/walker.h"

#define MAX_CT    6
#define MAX_NODES 6

struct key { uint64_t ends, ports; };           /* src << 32 | dst; sport << 16 | dport */
struct conn { netns_h ns; struct key orig, reply; uint32_t mark; uint8_t status /* CTS_… */; bool dst_done, src_done; };

struct bulk {
	const struct dataplane *dp;
	struct arena *arena, *scratch;
	struct seats *seats;
	struct fetch fetch;
};

struct bulk_state {
	struct low_state low;           /* the packet is in it */
	struct seats *seats;
	const struct seat *at;          /* the node */
	const struct low_bases *hooks;  /* what the packet meets there, by hook; NULL: nothing */
	netns_h ns;
	struct conn ct[MAX_CT]; uint32_t nr_ct;
	struct conn *c;
	bool is_reply, back;
	struct bulk_result *out;
	struct bulk_hop *hop; uint32_t nr_hops, room;   /* hop NULL: not recorded */
	uint8_t stage; link_h where;
};

#define P(b) (&(b)->low.p)

static inline uint32_t src_of(const struct packet *p) { return (uint32_t)p->src.lo; }
static inline uint32_t dst_of(const struct packet *p) { return (uint32_t)p->dst.lo; }
LOW_INLINE struct key key_of(const struct packet *p)
{
	return (struct key){ (uint64_t)src_of(p) << 32 | dst_of(p), (uint64_t)p->sport << 16 | p->dport };
}
static inline struct key turned(struct key k) { return (struct key){ k.ends << 32 | k.ends >> 32, (k.ports & 65535) << 16 | k.ports >> 16 }; }
static inline bool same_key(struct key a, struct key b) { return a.ends == b.ends && a.ports == b.ports; }

LOW_INLINE void note(struct bulk_state *b, uint8_t what, chain_h chain, uint32_t rule)
{
	const struct packet *p = P(b);

	if (b->nr_hops < b->room)
		b->hop[b->nr_hops] = (struct bulk_hop){ b->ns, b->where, b->stage, what, p->sport, p->dport, src_of(p), dst_of(p), p->mark, chain, rule };
	b->nr_hops++;
}

LOW_INLINE void moved(struct bulk_state *b, enum stage st, link_h l, const bool record)
{
	if (!record)
		return;
	b->stage = (uint8_t)st;
	b->where = l;
	note(b, 0, (chain_h){ 0 }, UINT32_MAX);
}

/* What a rule did; translations are noted when they are done. */
static void tell(void *ctx, const struct low_event *e)
{
	struct bulk_state *b = ctx;

	note(b, e->what, e->chain, e->rule);
}

/* ---- conntrack, as conntrack.c says */

LOW_INLINE void show_state(struct bulk_state *b)
{
	struct packet *p = P(b);
	const struct conn *c = b->c;

	p->ct_state = c->status & CTS_SEEN_REPLY ? CT_ESTABLISHED : CT_NEW;
	p->ct_status = c->status;
	p->orig_dst = ip_from4((uint32_t)c->orig.ends);
	p->orig_dport = (uint16_t)c->orig.ports;
	p->reply = b->is_reply;
}

LOW_INLINE bool connect_to(struct bulk_state *b)
{
	struct key k = key_of(P(b));
	struct conn *c = NULL;

	b->is_reply = false;
	for (uint32_t i = 0; i < b->nr_ct && !c; i++) {
		if (b->ct[i].ns.i != b->ns.i)
			continue;
		if (same_key(b->ct[i].orig, k))
			c = &b->ct[i];
		else if (same_key(b->ct[i].reply, k)) {
			c = &b->ct[i];
			b->is_reply = true;
		}
	}
	if (!c) {
		if (b->nr_ct == MAX_CT)
			return false;
		c = &b->ct[b->nr_ct++];
		*c = (struct conn){ .ns = b->ns, .orig = k, .reply = turned(k) };
	}
	if (b->is_reply)
		c->status |= CTS_SEEN_REPLY | CTS_ASSURED;
	b->c = c;
	P(b)->ct_mark = c->mark;
	show_state(b);
	return true;
}

static inline void nat_dst_of(struct bulk_state *b)
{
	P(b)->dst = ip_from4((uint32_t)(b->is_reply ? b->c->orig.ends >> 32 : b->c->reply.ends >> 32));
	P(b)->dport = (uint16_t)(b->is_reply ? b->c->orig.ports >> 16 : b->c->reply.ports >> 16);
}

static inline void nat_src_of(struct bulk_state *b)
{
	P(b)->src = ip_from4((uint32_t)(b->is_reply ? b->c->orig.ends : b->c->reply.ends));
	P(b)->sport = (uint16_t)(b->is_reply ? b->c->orig.ports : b->c->reply.ports);
}

/* ---- hooks, as hooks.c says */

LOW_INLINE void apply_known(struct bulk_state *b, bool dst, bool src)
{
	if (dst && b->c->status & (b->is_reply ? CTS_SNAT : CTS_DNAT))
		nat_dst_of(b);
	if (src && b->c->status & (b->is_reply ? CTS_DNAT : CTS_SNAT))
		nat_src_of(b);
}

LOW_INLINE bool translate(struct bulk_state *b, uint32_t masquerade)
{
	struct conn *c = b->c;
	uint32_t ip = b->low.ip;

	if (b->low.nat == OP_DNAT) {
		if (ip)
			c->reply.ends = (uint64_t)ip << 32 | (uint32_t)c->reply.ends;
		if (b->low.port)
			c->reply.ports = (uint64_t)b->low.port << 16 | (c->reply.ports & 65535);
		c->status |= CTS_DNAT;
		c->dst_done = true;
		nat_dst_of(b);
		if (!b->back)
			b->out->dnat = true;
	} else {
		if (!masquerade)
			return false;
		c->reply.ends = (c->reply.ends & ~0xffffffffull) | masquerade;
		if (b->low.port)
			c->reply.ports = (c->reply.ports & ~65535ull) | b->low.port;
		c->status |= CTS_SNAT;
		c->src_done = true;
		nat_src_of(b);
		if (!b->back)
			b->out->snat = b->out->masqueraded = true;
	}
	show_state(b);
	return true;
}

/* The rules of one hook. *nat_applied: what was known of NAT has been applied. false: walk() has to say. */
LOW_INLINE bool run_rules(struct bulk_state *b, const struct low_bases *at, bool dst, bool src, uint32_t masquerade, bool *nat_applied, const bool record)
{
	bool natted = false;

	for (const struct low_base *base = at->v, *behind = base + at->nr; base < behind; base++) {
		if (!*nat_applied && ((dst && base->priority >= -100) || (src && base->priority >= 100))) {
			*nat_applied = true;
			apply_known(b, dst, src);
		}
		if (base->nat && (natted || (dst ? b->c->dst_done : b->c->src_done)))
			continue;
		switch (low_run(b->at->rules, base->run, &b->low, record, tell, b)) {
		case LOW_SAYS_NOTHING:
			if (base->drops)
				return false;
			break;
		case LOW_SAYS_ACCEPT:
			break;
		case LOW_SAYS_NAT:
			if (!base->nat || !translate(b, masquerade))
				return false;
			natted = true;
			if (record) {           /* the rule was noted before the packet changed */
				struct bulk_hop *x = b->nr_hops <= b->room ? &b->hop[b->nr_hops - 1] : NULL;

				if (x)
					*x = (struct bulk_hop){ x->netns, x->link, x->stage, x->what, P(b)->sport, P(b)->dport, src_of(P(b)), dst_of(P(b)), P(b)->mark, x->chain, x->rule };
			}
			break;
		case LOW_SAYS_DROP:
		case LOW_SAYS_REJECT:
		case LOW_SAYS_ASK:
			return false;
		}
	}
	return true;
}

/* false: walk() has to say. */
LOW_INLINE bool hook(struct bulk_state *b, enum nf_hook h, link_h where, uint32_t masquerade, const bool record)
{
	static const uint8_t stages[] = { ST_SOCKET, ST_PREROUTING, ST_INPUT, ST_FORWARD, ST_OUTPUT, ST_POSTROUTING };
	const struct low_bases *at = b->hooks ? &b->hooks[h] : NULL;
	bool dst = h == HOOK_PREROUTING, src = h == HOOK_POSTROUTING, nat_applied = false;

	if (record) {
		b->stage = stages[h];
		b->where = where;
	}
	if (at && (record ? at->nr : !at->quiet) && !run_rules(b, at, dst, src, masquerade, &nat_applied, record))
		return false;
	if ((dst || src) && !nat_applied && b->c->status & (CTS_DNAT | CTS_SNAT)) {
		struct key before = key_of(P(b));

		apply_known(b, dst, src);
		if (record && !(at && at->translates) && !same_key(before, key_of(P(b))))
			moved(b, (enum stage)stages[h], where, true);
	}
	if (dst)
		b->c->dst_done = true;
	if (src)
		b->c->src_done = true;
	return true;
}

/* ---- the way */

LOW_INLINE bool is_local(const struct seat *n, uint32_t ip)
{
	for (uint8_t k = 0; k < n->nr_locals; k++)
		if (n->locals[k] == ip)
			return true;
	return false;
}

static bool env_is_local(void *ctx, ip_addr ip)
{
	const struct bulk_state *b = ctx;

	return ip_is_loopback(ip) || (ip_is4(ip) ? is_local(b->at, ip_to4(ip)) : addr_is_local(b->seats->dp, b->ns, ip));
}

static int env_reverse(void *ctx, ip_addr src, str iif, bool loose)
{
	(void)ctx, (void)src, (void)iif, (void)loose;
	return -1;
}

static bool env_dyn_has(void *ctx, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	(void)ctx, (void)s, (void)key, (void)n, (void)seconds;
	return false;           /* nothing was kept */
}

static void env_dyn_add(void *ctx, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	(void)ctx, (void)s, (void)key, (void)n, (void)seconds;
}

/* From a Pod over nodes to a Pod; → its seat, NULL: walk() has to say. */
LOW_INLINE const struct seat *one_way(struct bulk_state *b, const struct seat *from, netns_h *end, const bool record)
{
	struct packet *p = P(b);
	str iif = from->in_name;
	link_h in = from->in;

	if (dst_of(p) == from->gateway || seat_special(dst_of(p)) || dst_of(p) == from->ip)
		return NULL;
	moved(b, ST_SOCKET, (link_h){ 0 }, record);
	moved(b, ST_ROUTE, from->out, record);
	b->ns = from->node;
	for (uint32_t step = 0; step < MAX_NODES; step++) {
		const struct seat *n = seat_of(b->seats, b->ns), *to;
		netns_h holder;
		link_h out;
		uint32_t masquerade;

		if (n->kind != SEAT_NODE)
			return NULL;
		b->at = n;
		p->mark = 0;
		p->iif = iif;
		p->oif = NULL;
		if (!connect_to(b))
			return NULL;
		b->hooks = n->rules ? n->rules->at[p->ct_state == CT_NEW ? LOW_NEW : LOW_ESTABLISHED] : NULL;
		if (!hook(b, HOOK_PREROUTING, in, 0, record))
			return NULL;
		if (is_local(n, dst_of(p)) || p->ttl-- <= 1)
			return NULL;
		holder = seat_holder(b->seats, dst_of(p));
		if (!holder.i)
			return NULL;
		to = seat_of(b->seats, holder);
		if (to->kind == SEAT_POD && to->node.i == b->ns.i && to->from_node) {
			out = to->in;
			p->oif = to->in_name;
			masquerade = to->masquerade;
		} else if (to->kind == SEAT_POD ? to->node.i != b->ns.i && to->from_afar && !seat_connected(n, dst_of(p)) : to->kind == SEAT_NODE && seat_connected(n, dst_of(p)) && to->ip == dst_of(p)) {
			out = n->out;
			p->oif = n->in_name;
			masquerade = n->masquerade;
		} else {
			return NULL;
		}
		moved(b, ST_FORWARD, out, record);
		if (!hook(b, HOOK_FORWARD, out, 0, record) || !hook(b, HOOK_POSTROUTING, out, masquerade, record))
			return NULL;
		b->c->mark = p->ct_mark;
		if (to->kind == SEAT_POD && to->node.i == b->ns.i) {
			*end = b->ns = holder;
			p->mark = 0;            /* marks do not cross namespaces */
			return to;
		}
		holder = to->kind == SEAT_POD ? to->node : holder;
		to = seat_of(b->seats, holder);
		if (to->kind != SEAT_NODE || to->segment != n->segment)
			return NULL;
		b->ns = holder;
		iif = to->in_name;
		in = to->out;
	}
	return NULL;
}

static bool takes(const struct seat *s, const struct packet *p, bool *assumed)
{
	for (uint8_t k = 0; k < s->nr_listens; k++)
		if (s->listens[k].port == p->dport && s->listens[k].proto == p->proto)
			return true;
	*assumed = s->any;
	return s->any;
}

LOW_INLINE bool there_and_back(struct bulk_state *b, const struct bulk_probe *q, const bool record)
{
	const struct seat *from = seat_of(b->seats, q->from), *to, *home;
	struct packet *p = P(b);
	struct key sent, seen;
	netns_h end;

	if (from->kind != SEAT_POD || !ip_is4(q->dst) || (q->proto != PROTO_TCP && q->proto != PROTO_UDP && q->proto != PROTO_SCTP))
		return false;
	b->ns = q->from;
	b->back = false;
	p->src = ip_from4(from->ip);
	p->dst = q->dst;
	p->sport = q->sport ? q->sport : FIRST_PORT;
	p->dport = q->dport;
	p->proto = q->proto;
	p->ttl = FIRST_TTL;
	p->tcp_flags = 2;
	p->mark = 0;
	sent = key_of(p);
	if (!(to = one_way(b, from, &end, record)) || !takes(to, p, &b->out->assumed))
		return false;
	moved(b, ST_DELIVER, to->out, record);
	b->out->verdict = V_DELIVERED;
	b->out->end = end;
	b->out->dst = p->dst;
	b->out->dport = p->dport;
	seen = turned(key_of(p));
	b->back = true;
	p->src = ip_from4((uint32_t)(seen.ends >> 32));
	p->dst = ip_from4((uint32_t)seen.ends);
	p->sport = (uint16_t)(seen.ports >> 16);
	p->dport = (uint16_t)seen.ports;
	p->ttl = FIRST_TTL;
	p->tcp_flags = 18;
	p->mark = 0;
	if (!(home = one_way(b, to, &end, record)))
		return false;
	moved(b, ST_DELIVER, home->out, record);
	b->out->answered = end.i == q->from.i && same_key(key_of(p), turned(sent));
	return true;
}

static __attribute__((noinline)) bool walk_silent(struct bulk_state *b, const struct bulk_probe *q) { return there_and_back(b, q, false); }
static __attribute__((noinline)) bool walk_noted(struct bulk_state *b, const struct bulk_probe *q) { return there_and_back(b, q, true); }

/* ---- many */

struct bulk *bulk_new(const struct dataplane *dp, struct arena *a)
{
	struct bulk *k = arena_make(a, struct bulk);

	k->dp = dp;
	k->arena = a;
	k->seats = seats_new(dp, a);
	k->scratch = arena_new(NULL, "bulk");
	return k;
}

void bulk_free(struct bulk *k)
{
	arena_free(k->scratch);
}

static void ask(struct bulk *k, const struct bulk_probe *q, uint64_t seed, struct bulk_result *r)
{
	struct arena_mark m = arena_mark(k->scratch);
	struct walk_from from = { .from = q->from, .t = { .dst = q->dst, .sport = q->sport, .dport = q->dport, .proto = q->proto } };
	struct trace t = walk(k->dp, flows_new(k->scratch, 0, seed), &from, WALK_DRAW, k->scratch);
	const struct outcome *o = &t.v[0];

	*r = (struct bulk_result){ .verdict = (uint8_t)o->there.verdict, .answered = o->answered, .assumed = o->assumed, .dnat = o->dnat, .snat = o->snat, .masqueraded = o->masqueraded,
				    .asked = true, .end = o->there.end, .dst = o->there.as_seen.dst, .dport = o->there.as_seen.dport };
	arena_rewind(k->scratch, m);
}

void bulk_walk(struct bulk *k, const struct bulk_probe *q, uint32_t nr, uint64_t seed, struct bulk_result *out, struct bulk_hop *hops, uint32_t nr_hops)
{
	struct bulk_state b = { .seats = k->seats };
	uint32_t used = 0;

	fetch_begin(&k->fetch, k->seats, q, nr, seed);
	b.low.env = (struct op_env){ .ctx = &b, .is_local = env_is_local, .reverse = env_reverse, .dyn_has = env_dyn_has, .dyn_add = env_dyn_add };
	for (uint32_t i = 0; i < nr; i++) {
		bool done;

		if (k->fetch.goes)
			fetch_next(&k->fetch, i);
		out[i] = (struct bulk_result){ .hop = used };
		b.out = &out[i];
		b.nr_ct = 0;
		b.low.seed = hash_mix(seed, i);
		b.low.draws = 0;
		if (hops && nr_hops - used >= BULK_HOPS) {
			b.hop = hops + used;
			b.nr_hops = 0;
			b.room = BULK_HOPS;
			done = walk_noted(&b, &q[i]) && b.nr_hops <= BULK_HOPS;
			out[i].nr_hops = (uint16_t)(done ? b.nr_hops : 0);
			used += out[i].nr_hops;
		} else {
			done = walk_silent(&b, &q[i]);
		}
		if (!done)
			ask(k, &q[i], b.low.seed, &out[i]);
	}
}
