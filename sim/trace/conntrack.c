/* Connections: per namespace, by tuples. The first packet decides on NAT; what follows, and every answer, is rewritten by what was decided. */
#include "sim/trace/walker.h"

struct tuple tuple_of(const struct packet *p)
{
	return (struct tuple){ p->src, p->dst, p->sport, p->dport, p->proto };
}

struct tuple inverse(struct tuple t)
{
	return (struct tuple){ t.dst, t.src, t.dport, t.sport, t.proto };
}

bool same_tuple(const struct tuple *x, const struct tuple *y)
{
	return ip_eq(x->src, y->src) && ip_eq(x->dst, y->dst) && x->sport == y->sport && x->dport == y->dport && x->proto == y->proto;
}

static struct ct *new_ct(struct walker *w)
{
	if (!w->cts[w->nr_cts / CTS_EACH])
		w->cts[w->nr_cts / CTS_EACH] = arena_array(w->a, struct ct, CTS_EACH);
	return ct_at(w, w->nr_cts++);
}

/* A walk that keeps nothing works on a copy of what was kept. */
static struct ct *find_kept(struct walker *w, const struct tuple *t, bool *reply)
{
	struct ct *kept = w->flows ? flows_find(w->flows, w->dp, w->ns, t, reply) : NULL, *copy;

	if (!kept)
		return NULL;
	if (w->flags & WALK_KEEP) {
		flows_used(w->flows, kept);
		return kept;
	}
	copy = new_ct(w);
	*copy = *kept;
	return copy;
}

static struct ct *find(struct walker *w, const struct tuple *t, bool *reply)
{
	for (uint32_t k = 0; k < w->nr_cts; k++) {
		struct ct *c = ct_at(w, k);

		if (c->ns.i != w->ns.i)
			continue;
		if (same_tuple(&c->orig, t)) {
			*reply = false;
			return c;
		}
		if (same_tuple(&c->reply, t)) {
			*reply = true;
			return c;
		}
	}
	return find_kept(w, t, reply);
}

static void show_state(struct walker *w)
{
	struct ct *c = w->ct;

	w->p.ct_state = c->invalid ? CT_INVALID : w->error ? CT_RELATED : w->is_reply || c->seen_reply ? CT_ESTABLISHED : CT_NEW;
	w->p.ct_status = (uint8_t)((c->dnat ? CTS_DNAT : 0) | (c->snat ? CTS_SNAT : 0) | (c->seen_reply ? CTS_SEEN_REPLY | CTS_ASSURED : 0));
	w->p.orig_dst = c->orig.dst;
	w->p.orig_dport = c->orig.dport;
	w->p.reply = w->is_reply;
}

/* What begins no connection: a SYN-ACK or a reset, an INIT-ACK, an echo reply, an error of nobody's (net/netfilter/nf_conntrack_proto_{tcp,sctp,icmp}.c). An answer by UDP does. */
static bool begins_none(const struct walker *w)
{
	return w->back && (w->error || w->p.proto != PROTO_UDP);
}

void track(struct walker *w)
{
	struct tuple t = tuple_of(&w->p);
	struct ct *c = find(w, &t, &w->is_reply);

	if (!c) {
		c = new_ct(w);
		*c = (struct ct){ .ns = w->ns, .orig = t, .reply = inverse(t), .invalid = begins_none(w) };
		w->is_reply = false;
	}
	if (w->is_reply && !w->error)
		c->seen_reply = true;
	w->ct = c;
	w->p.ct_mark = c->mark;
	show_state(w);
}

void nat_dst(struct walker *w)
{
	struct ct *c = w->ct;

	if (w->is_reply) {              /* the way back of what was masqueraded */
		w->p.dst = c->orig.src;
		w->p.dport = c->orig.sport;
	} else {
		w->p.dst = c->reply.src;
		w->p.dport = c->reply.sport;
	}
}

void nat_src(struct walker *w)
{
	struct ct *c = w->ct;

	if (w->is_reply) {              /* the way back of what was DNATed */
		w->p.src = c->orig.dst;
		w->p.sport = c->orig.dport;
	} else {
		w->p.src = c->reply.dst;
		w->p.sport = c->reply.dport;
	}
}

void set_dnat(struct walker *w, ip_addr ip, uint16_t port)
{
	struct ct *c = w->ct;

	if (ip_set(ip))
		c->reply.src = ip;
	if (port)
		c->reply.sport = port;
	c->dnat = true;
	c->dst_done = true;
	nat_dst(w);
	show_state(w);
	if (!w->back && !w->out.dnat && !w->out.snat) {
		w->out.dnat = true;
		w->out.first_nat = tuple_of(&w->p);
	} else if (!w->back) {
		w->out.dnat = true;
		if (!ip_set(w->out.first_nat.dst))
			w->out.first_nat = tuple_of(&w->p);
	}
}

/* A port that another connection to the same end has already is changed, as the kernel does (nf_nat_core.c get_unique_tuple). */
void set_snat(struct walker *w, ip_addr ip, uint16_t port)
{
	struct ct *c = w->ct;
	bool reply;

	if (ip_set(ip))
		c->reply.dst = ip;
	if (port)
		c->reply.dport = port;
	for (uint32_t tries = 0; tries < 1000 && w->flows && flows_find(w->flows, w->dp, w->ns, &c->reply, &reply); tries++)
		c->reply.dport = (uint16_t)(c->reply.dport == 65535 ? 1024 : c->reply.dport + 1);
	c->snat = true;
	c->src_done = true;
	nat_src(w);
	show_state(w);
	if (!w->back) {
		w->out.snat = true;
		w->out.snat_to = w->p.src;
		w->out.snat_port = w->p.sport;
	}
}
