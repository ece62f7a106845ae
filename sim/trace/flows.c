/* What a walk may write: connections that stay, and dynamic sets. */
#include "sim/trace/walker.h"

#include <stdlib.h>

#define TCP_SECONDS 432000      /* nf_conntrack_tcp_timeout_established */
#define UDP_SECONDS 120         /* nf_conntrack_udp_timeout_stream */

struct dyn { netns_h ns; set_h set; ip_addr key[2]; uint8_t n; nsec until; };
struct flows {
	struct arena *arena;
	nsec now;
	uint64_t seed, draws;
	VEC(struct ct) cts;
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

static struct dyn *dyn_find(struct flows *f, netns_h ns, set_h s, const ip_addr *key, uint8_t n)
{
	for (uint32_t k = 0; k < f->dyns.nr; k++) {
		struct dyn *d = &f->dyns.v[k];
		bool same = d->ns.i == ns.i && d->set.i == s.i && d->n == n;

		for (uint8_t i = 0; same && i < n && i < ARRAY_LEN(d->key); i++)
			same = ip_eq(d->key[i], key[i]);
		if (same)
			return d;
	}
	return NULL;
}

bool flows_has(struct flows *f, netns_h ns, set_h s, const ip_addr *key, uint8_t n)
{
	const struct dyn *d = dyn_find(f, ns, s, key, n);

	return d && d->until > f->now;
}

void flows_add(struct flows *f, netns_h ns, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	struct dyn *d = dyn_find(f, ns, s, key, n);

	if (!d)
		d = vec_push(f->arena, &f->dyns);
	*d = (struct dyn){ .ns = ns, .set = s, .n = n, .until = f->now + (nsec)seconds * 1000000000 };
	for (uint8_t i = 0; i < n && i < ARRAY_LEN(d->key); i++)
		d->key[i] = key[i];
}

struct ct *flows_find(struct flows *f, netns_h ns, const struct tuple *t, bool *reply)
{
	for (uint32_t k = 0; k < f->cts.nr; k++) {
		struct ct *c = &f->cts.v[k];

		if (c->ns.i != ns.i || c->expires <= f->now)
			continue;
		*reply = !same_tuple(&c->orig, t);
		if (!*reply || same_tuple(&c->reply, t))
			return c;
	}
	return NULL;
}

void flows_keep(struct flows *f, const struct ct *v, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++) {
		struct ct c = v[k];

		c.expires = f->now + (nsec)(c.orig.proto == PROTO_UDP ? UDP_SECONDS : TCP_SECONDS) * 1000000000;
		vec_add(f->arena, &f->cts, c);
	}
}

void flows_flush_udp(struct flows *f, ip_addr dst, uint16_t dport, bool (*still)(void *, ip_addr, uint16_t), void *ctx)
{
	for (uint32_t k = 0; k < f->cts.nr; k++) {
		struct ct *c = &f->cts.v[k];

		if (c->orig.proto == PROTO_UDP && ip_eq(c->orig.dst, dst) && c->orig.dport == dport && !still(ctx, c->reply.src, c->reply.sport))
			c->expires = f->now;
	}
}

void flows_print(const struct flows *f, const struct dataplane *dp, netns_h ns, struct sb *out)
{
	static const struct { uint8_t proto; const char *name; } names[] = { { PROTO_TCP, "tcp" }, { PROTO_UDP, "udp" }, { PROTO_SCTP, "sctp" }, { PROTO_ICMP, "icmp" } };

	(void)dp;
	for (uint32_t k = 0; k < f->cts.nr; k++) {
		const struct ct *c = &f->cts.v[k];
		const char *name = "unknown";

		if (c->ns.i != ns.i || c->expires <= f->now)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (names[i].proto == c->orig.proto)
				name = names[i].name;
		sb_printf(out, "%-8s %u %" PRId64 " %ssrc=%s ", name, c->orig.proto, (c->expires - f->now) / 1000000000, c->orig.proto == PROTO_TCP ? "ESTABLISHED " : "", IP(c->orig.src));
		sb_printf(out, "dst=%s sport=%u dport=%u ", IP(c->orig.dst), c->orig.sport, c->orig.dport);
		sb_printf(out, "src=%s ", IP(c->reply.src));
		sb_printf(out, "dst=%s sport=%u dport=%u %s\n", IP(c->reply.dst), c->reply.sport, c->reply.dport, c->seen_reply ? "[ASSURED]" : "[UNREPLIED]");
	}
}
