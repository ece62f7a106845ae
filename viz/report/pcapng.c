#include "viz/report/pcapng.h"

#include "viz/report/trace_report.h"

enum { BLOCK_SECTION = 0x0A0D0D0A, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6, LINKTYPE_RAW = 101 };
enum { OPT_END = 0, OPT_COMMENT = 1, OPT_APPLICATION = 4, OPT_IF_NAME = 2, OPT_IF_TSRESOL = 9 };
enum { TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

struct seen { netns_h netns; link_h link; };
struct capture {
	struct world *w;
	const struct answer *answer;
	struct arena *a;
	struct sb *out;
	VEC(struct seen) seen;
	nsec now;
};

/* ---- bytes; blocks are little endian, packets are not */

static void le16(struct sb *b, uint32_t v) { sb_addn(b, (const char[]){ (char)v, (char)(v >> 8) }, 2); }
static void le32(struct sb *b, uint32_t v) { le16(b, v & 0xffff); le16(b, v >> 16); }
static void be8(struct sb *b, uint32_t v) { sb_addn(b, (const char[]){ (char)v }, 1); }
static void be16(struct sb *b, uint32_t v) { sb_addn(b, (const char[]){ (char)(v >> 8), (char)v }, 2); }
static void be32(struct sb *b, uint32_t v) { be16(b, v >> 16); be16(b, v & 0xffff); }

static void padded(struct sb *b, const char *s, size_t n)
{
	sb_addn(b, s, n);
	sb_addn(b, "\0\0\0", (4 - n % 4) % 4);
}

static void option(struct sb *b, uint32_t code, const char *s, size_t n)
{
	n = MIN(n, (size_t)65000);
	le16(b, code);
	le16(b, (uint32_t)n);
	padded(b, s, n);
}

static void block(struct sb *out, uint32_t type, const struct sb *body)
{
	uint32_t len = (uint32_t)body->len + 12;

	le32(out, type);
	le32(out, len);
	sb_addn(out, body->s, body->len);
	le32(out, len);
}

static void section(struct capture *c)
{
	struct sb b = { 0 };

	le32(&b, 0x1A2B3C4D);
	le16(&b, 1);
	le16(&b, 0);
	le32(&b, UINT32_MAX);                   /* length not told */
	le32(&b, UINT32_MAX);
	option(&b, OPT_APPLICATION, "podwire (simulated)", 19);
	option(&b, OPT_END, "", 0);
	block(c->out, BLOCK_SECTION, &b);
	sb_free(&b);
}

/* The number of the interface, written at its first packet. */
static uint32_t interface_of(struct capture *c, const struct hop *h)
{
	const char *name = h->link.i ? arena_printf(c->a, "%s %s", netns_get(c->w->dp, h->netns)->name, link_get(c->w->dp, h->link)->name) : netns_get(c->w->dp, h->netns)->name;
	struct sb b = { 0 };

	for (uint32_t k = 0; k < c->seen.nr; k++)
		if (c->seen.v[k].netns.i == h->netns.i && c->seen.v[k].link.i == h->link.i)
			return k;
	vec_add(c->a, &c->seen, (struct seen){ h->netns, h->link });
	le16(&b, LINKTYPE_RAW);
	le16(&b, 0);
	le32(&b, 0);
	option(&b, OPT_IF_NAME, name, strlen(name));
	option(&b, OPT_IF_TSRESOL, "\x09", 1);  /* nanoseconds */
	option(&b, OPT_END, "", 0);
	block(c->out, BLOCK_INTERFACE, &b);
	sb_free(&b);
	return c->seen.nr - 1;
}

/* ---- packets */

static uint32_t sum16(uint32_t sum, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t k = 0; k + 1 < n; k += 2)
		sum += (uint32_t)(p[k] << 8 | p[k + 1]);
	if (n % 2)
		sum += (uint32_t)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put_sum(struct sb *b, size_t at, uint32_t sum)
{
	sum = ~sum & 0xffff;
	b->s[at] = (char)(sum >> 8);
	b->s[at + 1] = (char)sum;
}

static void address(struct sb *b, ip_addr ip)
{
	if (ip_is4(ip)) {
		be32(b, ip_to4(ip));
		return;
	}
	be32(b, (uint32_t)(ip.hi >> 32));
	be32(b, (uint32_t)ip.hi);
	be32(b, (uint32_t)(ip.lo >> 32));
	be32(b, (uint32_t)ip.lo);
}

/* CRC32c, RFC 9260 appendix A. */
static uint32_t crc32c(const char *s, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t k = 0; k < n; k++) {
		crc ^= (unsigned char)s[k];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
	}
	return ~crc;
}

struct packet_of {
	const struct tuple *t;
	bool back, refused;                     /* refused: a reset */
	bool unreachable;                       /* an ICMP message that carries the packet that it speaks of */
	uint32_t mtu;                           /* which is too large for this MTU; 0: nobody listens */
	uint32_t hops, size;
};
static void ip_packet(const struct packet_of *, struct sb *out);

/* Port unreachable: RFC 792 type 3 code 3, RFC 4443 type 1 code 4. Too large: RFC 1191 type 3 code 4, RFC 4443 type 2. With the header and the first eight bytes of what could not
 * be delivered. */
static void unreachable(const struct packet_of *p, struct sb *b)
{
	struct tuple was = { .src = p->t->dst, .dst = p->t->src, .sport = p->t->dport, .dport = p->t->sport, .proto = p->t->proto };
	struct sb inner = { 0 };

	ip_packet(&(struct packet_of){ .t = &was, .size = p->size }, &inner);
	be8(b, ip_is4(was.src) ? 3 : p->mtu ? 2 : 1);
	be8(b, ip_is4(was.src) ? p->mtu ? 4 : 3 : p->mtu ? 0 : 4);
	be16(b, 0);                             /* checksum */
	be32(b, p->mtu);
	sb_addn(b, inner.s, MIN(inner.len, (size_t)(ip_is4(was.src) ? 28 : 48)));
	sb_free(&inner);
}

static void transport(const struct packet_of *p, struct sb *b, size_t *checksum)
{
	const struct tuple *t = p->t;

	*checksum = SIZE_MAX;
	switch (t->proto) {
	case PROTO_TCP:
		be16(b, t->sport);
		be16(b, t->dport);
		be32(b, p->back ? 2000 : 1000);
		be32(b, p->back ? 1001 : 0);
		be8(b, 5 << 4);
		be8(b, !p->back ? TCP_SYN : p->refused ? TCP_RST | TCP_ACK : TCP_SYN | TCP_ACK);
		be16(b, 64240);
		*checksum = 16;
		be32(b, 0);
		break;
	case PROTO_UDP:
		be16(b, t->sport);
		be16(b, t->dport);
		be16(b, 8 + p->size);
		*checksum = 6;
		be16(b, 0);
		for (uint32_t k = 0; k < p->size; k++)
			be8(b, 0);
		break;
	case PROTO_SCTP: {                      /* INIT or INIT ACK, without parameters */
		uint32_t crc;

		be16(b, t->sport);
		be16(b, t->dport);
		be32(b, p->back ? 1 : 0);
		be32(b, 0);
		be8(b, p->refused ? 6 : p->back ? 2 : 1);
		be8(b, 0);
		be16(b, p->refused ? 4 : 20);
		for (int k = 0; k < 4 && !p->refused; k++)
			be32(b, k == 2 ? 0x000a000a : k == 1 ? 65535 : 1);
		crc = crc32c(b->s, b->len);
		for (int k = 0; k < 4; k++)
			b->s[8 + k] = (char)(crc >> (8 * k));
		break;
	}
	default:                                /* ICMP echo */
		be8(b, ip_is4(t->src) ? p->back ? 0 : 8 : p->back ? 129 : 128);
		be8(b, 0);
		*checksum = 2;
		be16(b, 0);
		be16(b, t->sport);
		be16(b, 1);
		break;
	}
}

static void ip_packet(const struct packet_of *p, struct sb *out)
{
	const struct tuple *t = p->t;
	bool v4 = ip_is4(t->src);
	uint8_t proto = p->unreachable || t->proto == PROTO_ICMP ? v4 ? PROTO_ICMP : PROTO_ICMPV6 : t->proto;
	struct sb b = { 0 }, pseudo = { 0 };
	size_t checksum = 2, from = out->len;

	if (p->unreachable)
		unreachable(p, &b);
	else
		transport(p, &b, &checksum);
	address(&pseudo, t->src);
	address(&pseudo, t->dst);
	be32(&pseudo, (uint32_t)b.len);
	be32(&pseudo, proto);
	if (checksum != SIZE_MAX)
		put_sum(&b, checksum, sum16(proto == PROTO_ICMP ? 0 : sum16(0, pseudo.s, pseudo.len), b.s, b.len));
	if (v4) {
		be16(out, 0x4500);
		be16(out, (uint32_t)b.len + 20);
		be32(out, 0x00004000);          /* don't fragment */
		be8(out, 64 - MIN(p->hops, 63u));
		be8(out, proto);
		be16(out, 0);
		address(out, t->src);
		address(out, t->dst);
		put_sum(out, from + 10, sum16(0, out->s + from, 20));
	} else {
		be32(out, 0x60000000);
		be16(out, (uint32_t)b.len);
		be8(out, proto);
		be8(out, 64 - MIN(p->hops, 63u));
		address(out, t->src);
		address(out, t->dst);
	}
	sb_addn(out, b.s, b.len);
	sb_free(&b);
	sb_free(&pseudo);
}

/* ---- hops */

static void comment(struct capture *c, const struct hop *h, const char *what, uint32_t seq, uint32_t of, struct sb *out)
{
	struct sb text = { 0 }, raw = { 0 };

	sb_printf(&raw, "%s, step %u of %u: %s", what, seq, of, stage_names[h->stage]);
	if (h->decision)
		sb_printf(&raw, ": %s", h->decision);
	hop_rule_text(c->w->dp, h, &text);
	if (text.len)
		sb_printf(&raw, "\nrule: %s", sb_text(&text));
	sb_reset(&text);
	cause_text(c->w, h->cause, &text);
	if (text.len)
		sb_printf(&raw, "\nbecause: %s", sb_text(&text));
	if (h->mark_before != h->mark_after)
		sb_printf(&raw, "\nmark: 0x%x becomes 0x%x", h->mark_before, h->mark_after);
	sb_add_shown(out, sb_text(&raw), false);
	sb_free(&text);
	sb_free(&raw);
}

enum answer_kind { REQUEST, ACCEPTED, RESET, UNREACHABLE, TOO_LARGE };

/* What the other side, or a rule, says: the walk's own words tell a reset from port unreachable. */
static enum answer_kind kind_of_answer(const struct outcome *o)
{
	const struct half *h = &o->there;

	if (h->verdict == V_DELIVERED)
		return ACCEPTED;
	if (o->too_large_for)
		return TOO_LARGE;
	if (h->verdict == V_REFUSED)
		return h->as_sent.proto == PROTO_TCP ? RESET : UNREACHABLE;
	return h->reason && strstr(h->reason, "reset") ? RESET : UNREACHABLE;
}

static void half(struct capture *c, const struct half *half, const char *what, enum answer_kind kind, uint32_t mtu)
{
	uint32_t forwards = 0;

	for (uint32_t k = 0; k < half->nr_hops; k++) {
		const struct hop *h = &half->hops[k];
		struct packet_of p = { .t = &h->after, .back = kind != REQUEST, .refused = kind == RESET, .unreachable = kind == UNREACHABLE || kind == TOO_LARGE, .mtu = mtu, .hops = forwards, .size = MIN(c->answer->q->size, 1400u) };
		struct sb b = { 0 }, data = { 0 }, text = { 0 };
		uint32_t at = interface_of(c, h);

		forwards += h->stage == ST_FORWARD && h->rule == UINT32_MAX;
		if (!ip_set(p.t->src) || !ip_set(p.t->dst))
			p.t = &h->before;
		if (!ip_set(p.t->dst))
			continue;               /* it is not known yet where it goes */
		ip_packet(&p, &data);
		c->now += 1000;                 /* a microsecond: order, not duration */
		le32(&b, at);
		le32(&b, (uint32_t)((uint64_t)c->now >> 32));
		le32(&b, (uint32_t)c->now);
		le32(&b, (uint32_t)data.len);
		le32(&b, (uint32_t)data.len);
		padded(&b, data.s, data.len);
		comment(c, h, what, k + 1, half->nr_hops, &text);
		if (k + 1 == half->nr_hops && half->verdict != V_DELIVERED && half->reason) {
			sb_printf(&text, "\n%s: ", verdict_names[half->verdict]);
			sb_add_shown(&text, text_behind(verdict_names[half->verdict], half->reason), false);
		}
		option(&b, OPT_COMMENT, sb_text(&text), text.len);
		option(&b, OPT_END, "", 0);
		block(c->out, BLOCK_PACKET, &b);
		sb_free(&b);
		sb_free(&data);
		sb_free(&text);
	}
}

void trace_pcapng(struct world *w, const struct answer *answer, struct sb *out)
{
	struct capture c = { .w = w, .answer = answer, .a = arena_new(NULL, "pcapng"), .out = out, .now = cluster_now(w->cluster) };

	section(&c);
	for (uint32_t k = 0; k < answer->nr; k++) {
		const struct outcome_view *o = &answer->v[k];
		const char *way = answer->nr > 1 ? arena_printf(c.a, " (way %u of %u, probability %" PRIu64 "/%" PRIu64 ")", k + 1, answer->nr, o->p.num, o->p.den) : "";

		if (!o->walk)
			continue;
		half(&c, &o->walk->there, arena_printf(c.a, "there%s", way), REQUEST, 0);
		for (uint32_t i = 0; i < o->nr_between; i++)
			half(&c, &o->between[i]->there, arena_printf(c.a, "from proxy %u%s", i + 1, way), REQUEST, 0);
		if (o->second)
			half(&c, &o->second->there, arena_printf(c.a, "from the proxy%s", way), REQUEST, 0);
		if (o->third)
			half(&c, &o->third->there, arena_printf(c.a, "from the sidecar%s", way), REQUEST, 0);
		half(&c, &o->walk->back, arena_printf(c.a, "and back%s", way), kind_of_answer(o->walk), o->walk->too_large_for);
	}
	arena_free(c.a);
}
