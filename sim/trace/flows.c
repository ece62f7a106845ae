/* What outlives one walk: connections, and the keys in dynamic sets (session affinity). They are known by the names of namespaces and sets, so that they outlive a
 * dataplane, too: after a change of the cluster its handles are others, the names are the same. */
#include "sim/trace/walker.h"

#include "model/base/val.h"

#include <inttypes.h>
#include <stdlib.h>

#define TCP_SECONDS    432000   /* nf_conntrack_tcp_timeout_established */
#define UDP_SECONDS    30       /* nf_conntrack_udp_timeout */
#define STREAM_SECONDS 120      /* nf_conntrack_udp_timeout_stream: answered, and still in use STREAM_AFTER later (nf_conntrack_proto_udp.c nf_conntrack_udp_packet) */
#define STREAM_AFTER   2
#define SCTP_SECONDS   210      /* nf_conntrack_sctp_timeout_established */
#define OTHER_SECONDS  30       /* icmp */

struct kept { str netns; struct ct ct; };
struct dyn { str netns, table, set; ip_addr key[2]; uint8_t n; nsec until; };
struct flows {
	struct arena *arena;
	nsec now;
	uint64_t seed, draws;
	VEC(struct kept) cts;
	VEC(struct dyn) dyns;
};

struct flows *flows_new(struct arena *a, nsec now, uint64_t seed)
{
	struct flows *f = arena_make(a, struct flows);

	f->arena = a;
	f->now = now;
	f->seed = seed;
	return f;
}

void flows_set_now(struct flows *f, nsec now) { f->now = now; }
uint64_t flows_draw(struct flows *f) { return hash_mix(f->seed, ++f->draws); }
uint64_t flows_draws(const struct flows *f) { return f->draws; }
void flows_set_draws(struct flows *f, uint64_t n) { f->draws = n; }
bool flows_any(const struct flows *f) { return f->cts.nr || f->dyns.nr; }

/* ---- dynamic sets */

static struct dyn dyn_of(const struct dataplane *dp, netns_h ns, set_h s, const ip_addr *key, uint8_t n)
{
	const struct set *set = ruleset_set_get(netns_get(dp, ns)->rules, s);
	struct dyn d = { netns_get(dp, ns)->name, ruleset_table_get(netns_get(dp, ns)->rules, set->table)->name, set->name, .n = n };

	for (uint8_t i = 0; i < n && i < ARRAY_LEN(d.key); i++)
		d.key[i] = key[i];
	return d;
}

static struct dyn *dyn_find(struct flows *f, const struct dyn *like)
{
	for (uint32_t k = 0; k < f->dyns.nr; k++) {
		struct dyn *d = &f->dyns.v[k];
		bool same = d->n == like->n && streq(d->set, like->set) && streq(d->netns, like->netns) && streq(d->table, like->table);

		for (uint8_t i = 0; same && i < d->n && i < ARRAY_LEN(d->key); i++)
			same = ip_eq(d->key[i], like->key[i]);
		if (same)
			return d;
	}
	return NULL;
}

bool flows_has(struct flows *f, const struct dataplane *dp, netns_h ns, set_h s, const ip_addr *key, uint8_t n)
{
	struct dyn like;
	const struct dyn *d;

	if (!f->dyns.nr)
		return false;
	like = dyn_of(dp, ns, s, key, n);
	d = dyn_find(f, &like);
	return d && d->until > f->now;
}

void flows_add(struct flows *f, const struct dataplane *dp, netns_h ns, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	struct dyn like = dyn_of(dp, ns, s, key, n), *d = dyn_find(f, &like);

	if (!d) {
		d = vec_push(f->arena, &f->dyns);
		*d = like;
		d->netns = arena_strdup(f->arena, like.netns);
		d->table = arena_strdup(f->arena, like.table);
		d->set = arena_strdup(f->arena, like.set);
	}
	d->until = f->now + SECONDS((nsec)seconds);
}

/* ---- connections */

struct ct *flows_find(struct flows *f, const struct dataplane *dp, netns_h ns, const struct tuple *t, bool *reply)
{
	str name = f->cts.nr ? netns_get(dp, ns)->name : NULL;

	for (uint32_t k = 0; k < f->cts.nr; k++) {
		struct ct *c = &f->cts.v[k].ct;

		if (c->expires <= f->now || !streq(f->cts.v[k].netns, name))
			continue;
		*reply = !same_tuple(&c->orig, t);
		if (*reply && !same_tuple(&c->reply, t))
			continue;
		c->ns = ns;
		return c;
	}
	return NULL;
}

static nsec lasts(const struct ct *c)
{
	switch (c->orig.proto) {
	case PROTO_TCP:
		return SECONDS(TCP_SECONDS);
	case PROTO_UDP:
		return SECONDS(c->assured ? STREAM_SECONDS : UDP_SECONDS);
	case PROTO_SCTP:
		return SECONDS(SCTP_SECONDS);
	default:
		return SECONDS(OTHER_SECONDS);
	}
}

void flows_keep(struct flows *f, const struct dataplane *dp, const struct ct *ct)
{
	struct kept *c;

	if (!netns_get(dp, ct->ns)->rules)      /* conntrack is at work only where some rule asks for it (nf_ct_netns_get) */
		return;
	c = vec_push(f->arena, &f->cts);
	*c = (struct kept){ arena_strdup(f->arena, netns_get(dp, ct->ns)->name), *ct };
	c->ct.since = f->now;
	c->ct.assured = ct->seen_reply && (ct->orig.proto == PROTO_TCP || ct->orig.proto == PROTO_SCTP);
	c->ct.expires = f->now + lasts(&c->ct);
}

void flows_used(struct flows *f, struct ct *c)
{
	if (c->orig.proto == PROTO_UDP && c->seen_reply && f->now - c->since > SECONDS(STREAM_AFTER))
		c->assured = true;
	c->expires = f->now + lasts(c);
}

bool flows_port_in_use(const struct flows *f, ip_addr src, uint16_t port, uint8_t proto)
{
	for (uint32_t k = 0; k < f->cts.nr; k++) {
		const struct ct *c = &f->cts.v[k].ct;

		if (c->expires > f->now && c->orig.proto == proto && c->orig.sport == port && (!ip_set(src) || ip_eq(c->orig.src, src)))
			return true;
	}
	return false;
}

void flows_drop(struct flows *f, bool (*goes)(void *, const struct flow_entry *), void *ctx)
{
	uint32_t to = 0;

	for (uint32_t k = 0; k < f->cts.nr; k++) {
		const struct kept *c = &f->cts.v[k];
		const struct flow_entry one = { c->netns, c->ct.orig, c->ct.reply, c->ct.since };

		if (c->ct.expires > f->now && !goes(ctx, &one))
			f->cts.v[to++] = *c;
	}
	f->cts.nr = to;
	to = 0;
	for (uint32_t k = 0; k < f->dyns.nr; k++)
		if (f->dyns.v[k].until > f->now)
			f->dyns.v[to++] = f->dyns.v[k];
	f->dyns.nr = to;
}

/* ---- as people read it */

static const char *proto_name(uint8_t proto)
{
	return proto == PROTO_TCP ? "tcp" : proto == PROTO_UDP ? "udp" : proto == PROTO_SCTP ? "sctp" : proto == PROTO_ICMP ? "icmp" : proto == PROTO_ICMPV6 ? "icmpv6" : "unknown";
}

void flows_print(const struct flows *f, const char *netns, struct sb *out)
{
	for (uint32_t k = 0; k < f->cts.nr; k++) {
		const struct ct *c = &f->cts.v[k].ct;

		if (!streq(f->cts.v[k].netns, netns) || c->expires <= f->now)
			continue;
		sb_printf(out, "%-8s %u %" PRId64 " %ssrc=%s ", proto_name(c->orig.proto), c->orig.proto, (c->expires - f->now) / SECONDS(1),
			  c->orig.proto == PROTO_TCP ? "ESTABLISHED " : "", IP(c->orig.src));
		sb_printf(out, "dst=%s sport=%u dport=%u %s", IP(c->orig.dst), c->orig.sport, c->orig.dport, c->seen_reply ? "" : "[UNREPLIED] ");
		sb_printf(out, "src=%s ", IP(c->reply.src));
		sb_printf(out, "dst=%s sport=%u dport=%u %smark=%u use=1\n", IP(c->reply.dst), c->reply.sport, c->reply.dport, c->assured ? "[ASSURED] " : "", c->mark);
	}
}

void flows_print_sets(const struct flows *f, const char *netns, struct sb *out)
{
	for (uint32_t k = 0; k < f->dyns.nr; k++) {
		const struct dyn *d = &f->dyns.v[k];

		if (!streq(d->netns, netns) || d->until <= f->now)
			continue;
		sb_printf(out, "%s ", d->set);
		for (uint8_t i = 0; i < d->n && i < ARRAY_LEN(d->key); i++)
			sb_printf(out, "%s%s", i ? " . " : "", IP(d->key[i]));
		sb_printf(out, " expires %" PRId64 "s\n", (d->until - f->now) / SECONDS(1));
	}
}

/* ---- saving */

struct val *tuple_save(struct arena *a, const struct tuple *t)
{
	return val_string(a, arena_printf(a, "%u %s %u %s %u", t->proto, IP(t->src), t->sport, IP(t->dst), t->dport));
}

bool tuple_load(const char *text, struct tuple *t)
{
	char src[IP_TEXT], dst[IP_TEXT];
	unsigned proto, sport, dport;

	if (!text || sscanf(text, "%u %45s %u %45s %u", &proto, src, &sport, dst, &dport) != 5 || !ip_parse(src, &t->src) || !ip_parse(dst, &t->dst))
		return false;
	t->proto = (uint8_t)proto;
	t->sport = (uint16_t)sport;
	t->dport = (uint16_t)dport;
	return true;
}

static struct val *connection_val(struct arena *a, const struct kept *k)
{
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "netns", val_string(a, k->netns));
	val_put(a, v, "orig", tuple_save(a, &k->ct.orig));
	val_put(a, v, "reply", tuple_save(a, &k->ct.reply));
	val_put(a, v, "flags", val_int(a, (k->ct.dnat ? 1 : 0) | (k->ct.snat ? 2 : 0) | (k->ct.seen_reply ? 4 : 0) | (k->ct.assured ? 8 : 0)));
	val_put(a, v, "mark", val_int(a, k->ct.mark));
	val_put(a, v, "since", val_int(a, k->ct.since));
	val_put(a, v, "expires", val_int(a, k->ct.expires));
	return v;
}

struct val *flows_save(const struct flows *f, struct arena *a)
{
	struct val *v = val_new(a, VAL_MAP), *cts = val_put(a, v, "connections", val_new(a, VAL_LIST)), *sets = val_put(a, v, "sets", val_new(a, VAL_LIST));

	val_put(a, v, "draws", val_int(a, (int64_t)f->draws));
	for (uint32_t k = 0; k < f->cts.nr; k++)
		val_add(a, cts, connection_val(a, &f->cts.v[k]));
	for (uint32_t k = 0; k < f->dyns.nr; k++) {
		const struct dyn *d = &f->dyns.v[k];
		struct val *one = val_add(a, sets, val_new(a, VAL_MAP));

		val_put(a, one, "netns", val_string(a, d->netns));
		val_put(a, one, "table", val_string(a, d->table));
		val_put(a, one, "set", val_string(a, d->set));
		val_put(a, one, "key", val_string(a, IP(d->key[0])));
		if (d->n > 1)
			val_put(a, one, "key2", val_string(a, IP(d->key[1])));
		val_put(a, one, "until", val_int(a, d->until));
	}
	return v;
}

static int64_t number(const struct val *v, const char *key)
{
	return val_int_or(val_get(v, key), 0);
}

void flows_load(struct flows *f, const struct val *v)
{
	f->draws = (uint64_t)number(v, "draws");
	VAL_EACH(one, val_get(v, "connections"))
	{
		struct kept k = { .netns = val_str_at(one, "netns"), .ct.since = number(one, "since") };
		int64_t flags = number(one, "flags");

		if (!k.netns || !tuple_load(val_str_at(one, "orig"), &k.ct.orig) || !tuple_load(val_str_at(one, "reply"), &k.ct.reply))
			continue;
		k.netns = arena_strdup(f->arena, k.netns);
		k.ct.dnat = flags & 1;
		k.ct.snat = flags & 2;
		k.ct.seen_reply = flags & 4;
		k.ct.assured = flags & 8;
		k.ct.dst_done = k.ct.src_done = true;
		k.ct.mark = (uint32_t)number(one, "mark");
		k.ct.expires = number(one, "expires");
		vec_add(f->arena, &f->cts, k);
	}
	VAL_EACH(one, val_get(v, "sets"))
	{
		struct dyn d = { val_str_at(one, "netns"), val_str_at(one, "table"), val_str_at(one, "set"), .n = val_str_at(one, "key2") ? 2 : 1, .until = number(one, "until") };

		if (!d.netns || !d.table || !d.set || !val_str_at(one, "key") || !ip_parse(val_str_at(one, "key"), &d.key[0]) ||
		    (d.n > 1 && !ip_parse(val_str_at(one, "key2"), &d.key[1])))
			continue;
		d.netns = arena_strdup(f->arena, d.netns);
		d.table = arena_strdup(f->arena, d.table);
		d.set = arena_strdup(f->arena, d.set);
		vec_add(f->arena, &f->dyns, d);
	}
}
