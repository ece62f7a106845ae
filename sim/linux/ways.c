/* What the walk allows, in the terms of a socket: a program sees a connection, a refusal, an unreachable network, or nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/linux/verify.h"

/* A reset needs its way back, too: where it has none, or comes from an address that nobody asked, the sender waits. */
static bool refusal_arrives(const struct outcome *o, netns_h from)
{
	const struct half *b = &o->back;

	if (b->verdict == V_UNKNOWN)
		return true;
	return b->verdict == V_DELIVERED && b->end.i == from.i && ip_eq(b->as_seen.src, o->there.as_sent.dst) && b->as_seen.sport == o->there.as_sent.dport;
}

static enum dial_end end_of(const struct outcome *o, netns_h from)
{
	switch (o->there.verdict) {
	case V_DELIVERED: return o->answered ? DIAL_CONNECTED : DIAL_TIMEOUT;
	case V_REFUSED: return refusal_arrives(o, from) ? DIAL_REFUSED : DIAL_TIMEOUT;
	case V_REJECTED: return DIAL_REFUSED;
	case V_DROPPED: return DIAL_TIMEOUT;
	case V_UNROUTABLE: return DIAL_UNREACHABLE;
	case V_UNRESOLVED:
	case V_LOST: return DIAL_TIMEOUT;
	case V_UNKNOWN:
	case V_COUNT: break;
	}
	return DIAL_WAITS;
}

struct ways ways_of(const struct dataplane *dp, netns_h from, const struct trace *t, struct arena *a)
{
	struct ways all = { .v = arena_array(a, struct way, t->nr), .least = 1 };

	for (uint32_t k = 0; k < t->nr; k++) {
		const struct outcome *o = &t->v[k];
		struct way w = { .end = end_of(o, from) };
		double share = (double)o->p.num / (double)o->p.den;

		if (o->there.verdict == V_UNKNOWN) {
			all.unknown = true;
			all.why = o->there.reason;
		}
		if (o->there.verdict == V_DELIVERED && (!o->there.end.i || (o->assumed && netns_get(dp, o->there.end)->captured))) {
			all.unknown = true;
			all.why = "an endpoint that no object owns is not in the kernel";
		}
		if (w.end == DIAL_CONNECTED) {
			bool icmp = o->there.as_seen.proto == PROTO_ICMP || o->there.as_seen.proto == PROTO_ICMPV6;

			w.at = o->there.as_seen.dst;
			w.port = o->there.as_seen.dport;
			w.seen = icmp ? (ip_addr){ 0, 0 } : o->there.as_seen.src;
			w.has_port = !icmp;
		}
		if (share < all.least)
			all.least = share;
		w.far = w.end == DIAL_UNREACHABLE && o->there.end.i != from.i;
		for (uint32_t i = 0; i < all.nr; i++)           /* ways that look alike to a program */
			if (memcmp(&all.v[i], &w, sizeof(w)) == 0)
				goto next;
		all.v[all.nr++] = w;
next:;
	}
	return all;
}

bool way_fits(const struct way *w, const struct dial *d)
{
	if (w->end == DIAL_REFUSED)             /* administratively prohibited arrives as unreachable; a datagram that the own output hook rejects, as EPERM */
		return d->end == DIAL_REFUSED || (d->end == DIAL_UNREACHABLE && (d->error == EHOSTUNREACH || d->error == EPERM));
	if (w->end == DIAL_TIMEOUT)             /* nobody answers ARP: the sender hears of it, sooner or later */
		return d->end == DIAL_TIMEOUT || d->end == DIAL_UNREACHABLE || d->error == EMSGSIZE /* too large, says the own kernel or a router */;
	if (w->end == DIAL_UNREACHABLE)         /* a router says so five times at once, then once a second (ip_error, net.ipv4.route.error_cost, which no namespace can set) */
		return d->end == DIAL_UNREACHABLE || (w->far && d->end == DIAL_TIMEOUT);
	if (w->end != DIAL_CONNECTED || d->end != DIAL_CONNECTED)
		return false;
	return ip_eq(w->at, d->end_ip) && (!w->has_port || (w->port == d->end_port && ip_eq(w->seen, d->seen)));
}

static void way_text(const struct way *w, struct sb *out)
{
	sb_add(out, dial_end_names[w->end]);
	if (w->end == DIAL_CONNECTED) {
		sb_printf(out, ip_is4(w->at) ? " at %s:%u" : " at [%s]:%u", IP(w->at), w->port);
		sb_printf(out, " from %s", IP(w->seen));
	}
}

const char *ways_text(const struct ways *all, struct arena *a)
{
	struct sb out = { 0 };
	const char *text;

	for (uint32_t k = 0; k < all->nr; k++) {
		sb_add(&out, k ? ", or " : "");
		way_text(&all->v[k], &out);
	}
	text = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return text;
}

const char *dial_text(const struct dial *d, struct arena *a)
{
	struct way w = { .end = d->end, .at = d->end_ip, .port = d->end_port, .seen = d->seen };
	struct sb out = { 0 };
	const char *text;

	way_text(&w, &out);
	if (d->error)
		sb_printf(&out, " (%s)", strerror(d->error));
	if (d->end == DIAL_CONNECTED && *d->who)
		sb_printf(&out, ", answered by %s", d->who);
	text = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return text;
}
