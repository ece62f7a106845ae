/* Ops as nf_tables expressions. Registers are counted in words of 32 bits; the kernel's name of one is NFT_REG_n where it begins 16 bytes. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "model/dataplane/packet.h"
#include "sim/linux/netlink.h"
#include "sim/linux/nf_spell.h"

enum { UDATA_RULE_COMMENT = 0, DIRECTION = 1 };

const struct nf_field nf_fields[PF_COUNT] = {
	[PF_SADDR] = { NF_PAYLOAD, { 12, 8 }, NFT_PAYLOAD_NETWORK_HEADER, { 4, 16 }, NF_NETWORK, { 7, 8 }, { 0, 0 } },
	[PF_DADDR] = { NF_PAYLOAD, { 16, 24 }, NFT_PAYLOAD_NETWORK_HEADER, { 4, 16 }, NF_NETWORK, { 7, 8 }, { 0, 0 } },
	[PF_SPORT] = { NF_PAYLOAD, { 0, 0 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 2, 2 }, NF_NETWORK, { 13, 13 }, { 0, 0 } },
	[PF_DPORT] = { NF_PAYLOAD, { 2, 2 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 2, 2 }, NF_NETWORK, { 13, 13 }, { 0, 0 } },
	[PF_ICMP_TYPE] = { NF_PAYLOAD, { 0, 0 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 1, 1 }, NF_NETWORK, { 0, 0 }, { PROTO_ICMP, PROTO_ICMPV6 } },
	[PF_TCP_FLAGS] = { NF_PAYLOAD, { 13, 13 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 1, 1 }, NF_NETWORK, { 0, 0 }, { PROTO_TCP, PROTO_TCP } },
	[PF_L4PROTO] = { NF_META, { NFT_META_L4PROTO, NFT_META_L4PROTO }, 0, { 1, 1 }, NF_NETWORK, { 12, 12 }, { 0, 0 } },
	[PF_IIFNAME] = { NF_META, { NFT_META_IIFNAME, NFT_META_IIFNAME }, 0, { 16, 16 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_OIFNAME] = { NF_META, { NFT_META_OIFNAME, NFT_META_OIFNAME }, 0, { 16, 16 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_MARK] = { NF_META, { NFT_META_MARK, NFT_META_MARK }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_SKUID] = { NF_META, { NFT_META_SKUID, NFT_META_SKUID }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_SKGID] = { NF_META, { NFT_META_SKGID, NFT_META_SKGID }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_STATE] = { NF_CT, { NFT_CT_STATE, NFT_CT_STATE }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_STATUS] = { NF_CT, { NFT_CT_STATUS, NFT_CT_STATUS }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_MARK] = { NF_CT, { NFT_CT_MARK, NFT_CT_MARK }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_REPLY_DIR] = { NF_CT, { NFT_CT_DIRECTION, NFT_CT_DIRECTION }, 0, { 1, 1 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_DNATED_FROM] = { NF_CT, { NFT_CT_DST_IP, NFT_CT_DST_IP6 }, DIRECTION + IP_CT_DIR_ORIGINAL, { 4, 16 }, NF_NETWORK, { 7, 8 }, { 0, 0 } },
	[PF_CT_ORIG_DPORT] = { NF_CT, { NFT_CT_PROTO_DST, NFT_CT_PROTO_DST }, DIRECTION + IP_CT_DIR_ORIGINAL, { 2, 2 }, NF_NETWORK, { 13, 13 }, { 0, 0 } },
	[PF_REGISTER] = { NF_NOWHERE, { 0, 0 }, 0, { 4, 4 }, NF_HOST, { 4, 4 }, { 0, 0 } },
};

size_t nf_value(uint8_t field, bool v6, ip_addr word_, uint8_t out[16])
{
	const struct nf_field *f = &nf_fields[field];
	uint32_t host = (uint32_t)word_.lo;
	uint16_t net = htons((uint16_t)word_.lo);

	memset(out, 0, 16);
	if (f->len[v6] == 16 && f->order == NF_HOST)
		snprintf((char *)out, 16, "%s", (const char *)(uintptr_t)word_.lo);
	else if (f->type[v6] == 7 || f->type[v6] == 8)
		return nl_ip_bytes(word_, out) == f->len[v6] ? f->len[v6] : 0;
	else if (f->len[v6] == 1)
		out[0] = (uint8_t)host;
	else if (f->len[v6] == 2)
		memcpy(out, &net, sizeof(net));
	else
		memcpy(out, &host, sizeof(host));
	return f->len[v6];
}

bool nf_cannot(struct nf_writer *w, const char *what)
{
	if (!w->cannot)
		w->cannot = what;
	return false;
}

struct nlmsghdr *nf_message(struct nf_writer *w, int nft_msg, uint16_t flags, uint16_t table_attr)
{
	struct nlmsghdr *h = nf_begin(w->b, nft_msg, flags, w->v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);

	if (table_attr)
		nf_put_str(h, table_attr, w->table);
	return h;
}

void nf_put_comment(struct nf_writer *w, uint16_t attr, uint8_t type, const char *comment)
{
	uint8_t data[2 + 256];
	size_t n = comment ? strlen(comment) + 1 : 0;

	if (n > 129)
		nf_cannot(w, "a comment of more than 128 characters");
	else if (n) {
		data[0] = type;
		data[1] = (uint8_t)n;
		memcpy(data + 2, comment, n);
		nf_put(w->b->h, attr, n + 2, data);
	}
}

void nf_put_verdict(struct nf_writer *w, uint16_t attr, struct verdict_value v)
{
	static const int codes[OP_COUNT] = { [OP_ACCEPT] = NF_ACCEPT, [OP_DROP] = NF_DROP, [OP_RETURN] = NFT_RETURN, [OP_JUMP] = NFT_JUMP, [OP_GOTO] = NFT_GOTO };
	struct nlattr *data = mnl_attr_nest_start(w->b->h, attr), *verdict = mnl_attr_nest_start(w->b->h, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(w->b->h, NFTA_VERDICT_CODE, htonl((uint32_t)codes[v.code]));
	if (v.code == OP_JUMP || v.code == OP_GOTO)
		nf_put_str(w->b->h, NFTA_VERDICT_CHAIN, ruleset_chain_get(w->rs, v.chain)->name);
	mnl_attr_nest_end(w->b->h, verdict);
	mnl_attr_nest_end(w->b->h, data);
}

/* ---- expressions */

struct in_rule { struct nf_writer *w; struct nlmsghdr *h; const struct ruleset *owner; const struct op *op; uint8_t proto /* that is known to be */; uint32_t set /* anonymous, next */; uint32_t reg; };
struct expr { struct nlattr *elem, *data; };

static struct expr begin(const struct in_rule *r, const char *name)
{
	struct expr e = { .elem = mnl_attr_nest_start(r->h, NFTA_LIST_ELEM) };

	nf_put_str(r->h, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(r->h, NFTA_EXPR_DATA);
	return e;
}

static void end(const struct in_rule *r, struct expr e)
{
	mnl_attr_nest_end(r->h, e.data);
	mnl_attr_nest_end(r->h, e.elem);
}

static void number(const struct in_rule *r, uint16_t attr, uint32_t n) { mnl_attr_put_u32(r->h, attr, htonl(n)); }

static void reg(const struct in_rule *r, uint16_t attr, uint32_t word_)
{
	number(r, attr, word_ % 4 == 0 ? NFT_REG_1 + word_ / 4 : NFT_REG32_00 + word_);
}

static void data(const struct in_rule *r, uint16_t attr, const void *bytes, size_t n)
{
	struct nlattr *nest = mnl_attr_nest_start(r->h, attr);

	nf_put(r->h, NFTA_DATA_VALUE, n, bytes);
	mnl_attr_nest_end(r->h, nest);
}

static void payload(const struct in_rule *r, uint32_t to, uint32_t base, uint32_t offset, uint32_t len)
{
	struct expr e = begin(r, "payload");

	reg(r, NFTA_PAYLOAD_DREG, to);
	number(r, NFTA_PAYLOAD_BASE, base);
	number(r, NFTA_PAYLOAD_OFFSET, offset);
	number(r, NFTA_PAYLOAD_LEN, len);
	end(r, e);
}

static void load_from(const struct in_rule *r, const char *name, uint32_t to, uint32_t key, int direction)
{
	bool ct = name[0] == 'c';
	struct expr e = begin(r, name);

	if (!ct)
		number(r, NFTA_META_KEY, key);
	reg(r, ct ? NFTA_CT_DREG : NFTA_META_DREG, to);
	if (ct)
		number(r, NFTA_CT_KEY, key);
	if (ct && direction >= 0)
		nf_put(r->h, NFTA_CT_DIRECTION, 1, &(uint8_t){ (uint8_t)direction });
	end(r, e);
}

static void cmp(const struct in_rule *r, enum nft_cmp_ops how, const void *bytes, size_t n)
{
	struct expr e = begin(r, "cmp");

	reg(r, NFTA_CMP_SREG, 0);
	number(r, NFTA_CMP_OP, how);
	data(r, NFTA_CMP_DATA, bytes, n);
	end(r, e);
}

static void bitwise(const struct in_rule *r, const void *mask, const void *xor, size_t n)
{
	struct expr e = begin(r, "bitwise");

	reg(r, NFTA_BITWISE_SREG, 0);
	reg(r, NFTA_BITWISE_DREG, 0);
	number(r, NFTA_BITWISE_LEN, (uint32_t)n);
	number(r, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
	data(r, NFTA_BITWISE_MASK, mask, n);
	data(r, NFTA_BITWISE_XOR, xor, n);
	end(r, e);
}

static void immediate(const struct in_rule *r, uint32_t to, const void *bytes, size_t n)
{
	struct expr e = begin(r, "immediate");

	reg(r, NFTA_IMMEDIATE_DREG, to);
	data(r, NFTA_IMMEDIATE_DATA, bytes, n);
	end(r, e);
}

static void within(const struct in_rule *r, const void *first, const void *last, size_t n, bool in)
{
	struct expr e;

	if (in) {
		cmp(r, NFT_CMP_GTE, first, n);
		cmp(r, NFT_CMP_LTE, last, n);
		return;
	}
	e = begin(r, "range");
	reg(r, NFTA_RANGE_SREG, 0);
	number(r, NFTA_RANGE_OP, NFT_RANGE_NEQ);
	data(r, NFTA_RANGE_FROM_DATA, first, n);
	data(r, NFTA_RANGE_TO_DATA, last, n);
	end(r, e);
}

static void must_be(struct in_rule *r, uint8_t proto)
{
	if (!proto || r->proto == proto)
		return;
	load_from(r, "meta", 0, NFT_META_L4PROTO, -1);
	cmp(r, NFT_CMP_EQ, &proto, 1);
	r->proto = proto;
}

/* len: of a part, from its beginning; 0: all of it */
static bool load(struct in_rule *r, uint8_t field, uint32_t to, uint32_t len)
{
	const struct nf_field *f = &nf_fields[field];
	bool v6 = r->w->v6;

	if (f->from == NF_NOWHERE)
		return nf_cannot(r->w, "a field of the packet that nft has not");
	must_be(r, f->proto[v6]);
	if (f->from == NF_PAYLOAD)
		payload(r, to, f->base, f->what[v6], len ? len : f->len[v6]);
	else
		load_from(r, f->from == NF_CT ? "ct" : "meta", to, f->what[v6], f->base ? f->base - DIRECTION : -1);
	return true;
}

/* ---- ops */

static bool negated(const struct op *op) { return op->rel == REL_NE || op->rel == REL_NOT_IN || op->rel == REL_MASK_NE || op->rel == REL_NOT_NAME_PREFIX; }

static bool address(struct in_rule *r)
{
	const struct op *op = r->op;
	bool v6 = r->w->v6, one = op->rel == REL_EQ || op->rel == REL_NE;
	ip_addr from = r->owner->wide.v[op->a], to = one ? from : r->owner->wide.v[op->a + 1];
	struct cidr c = { from, one ? (uint8_t)ip_bits(from) : (uint8_t)op->b, true };
	uint8_t first[16], last[16], mask[16] = { 0 }, none[16] = { 0 };
	size_t n = nf_value(op->field, v6, from, first);
	enum nft_cmp_ops how = negated(op) ? NFT_CMP_NEQ : NFT_CMP_EQ;

	if (!n || nf_value(op->field, v6, to, last) != n)
		return nf_cannot(r->w, "an address of the other family");
	if (!one && (!ip_eq(ip_mask(from, c.len), from) || !ip_eq(cidr_last(c), to))) {
		load(r, op->field, 0, 0);
		within(r, first, last, n, !negated(op));
		return true;
	}
	if (c.len % 8 == 0 && c.len && nf_fields[op->field].from == NF_PAYLOAD) {       /* whole bytes: only these are loaded */
		load(r, op->field, 0, c.len / 8u);
		cmp(r, how, first, c.len / 8u);
		return true;
	}
	load(r, op->field, 0, 0);
	for (size_t k = 0; k < n; k++)
		mask[k] = (uint8_t)~(first[k] ^ last[k]);
	if (!one)
		bitwise(r, mask, none, n);
	cmp(r, how, first, n);
	return true;
}

static bool name(struct in_rule *r)
{
	const struct op *op = r->op;
	str text = r->owner->text.v[op->a];
	bool prefix = op->rel == REL_NAME_PREFIX || op->rel == REL_NOT_NAME_PREFIX;
	uint8_t bytes[16];

	nf_value(op->field, r->w->v6, word((uint64_t)(uintptr_t)text), bytes);
	if (strlen(text) > 15 || !*text)
		return nf_cannot(r->w, "a name that no interface can have");
	load(r, op->field, 0, 0);
	cmp(r, negated(op) ? NFT_CMP_NEQ : NFT_CMP_EQ, bytes, prefix ? strlen(text) : 16);
	return true;
}

/* Our bits of conntrack's state and status → the kernel's; 0: there is no such. */
static uint32_t kernel_bits(uint8_t field, uint32_t ours)
{
	static const struct { uint8_t field, ours; uint32_t kernel; } rows[] = {
		{ PF_CT_STATE, CT_NEW, 8 }, { PF_CT_STATE, CT_ESTABLISHED, 2 }, { PF_CT_STATE, CT_RELATED, 4 }, { PF_CT_STATE, CT_INVALID, 1 }, { PF_CT_STATE, CT_UNTRACKED, 64 },
		{ PF_CT_STATUS, CTS_SNAT, IPS_SRC_NAT }, { PF_CT_STATUS, CTS_DNAT, IPS_DST_NAT }, { PF_CT_STATUS, CTS_ASSURED, IPS_ASSURED },
		{ PF_CT_STATUS, CTS_CONFIRMED, IPS_CONFIRMED }, { PF_CT_STATUS, CTS_SEEN_REPLY, IPS_SEEN_REPLY },
	};
	uint32_t out = 0;

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (rows[k].field == field && ours & rows[k].ours) {
			out |= rows[k].kernel;
			ours &= ~(uint32_t)rows[k].ours;
		}
	return ours ? 0 : out;
}

static bool bits(struct in_rule *r)
{
	const struct op *op = r->op;
	uint32_t mask = kernel_bits(op->field, op->a), none = 0;

	if (!mask || op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE || (negated(op) && mask & (mask - 1)))
		return nf_cannot(r->w, "a state of connections");
	load(r, op->field, 0, 0);
	if (!negated(op))
		bitwise(r, &mask, &none, sizeof(mask));
	cmp(r, NFT_CMP_NEQ, negated(op) ? &mask : &none, sizeof(mask));
	return true;
}

static bool any_number(struct in_rule *r)
{
	const struct op *op = r->op;
	const struct nf_field *f = &nf_fields[op->field];
	uint8_t a[16], b[16], none[16] = { 0 };
	size_t n = nf_value(op->field, r->w->v6, word(op->a), a);

	nf_value(op->field, r->w->v6, word(op->b), b);
	if ((op->rel == REL_IN || op->rel == REL_NOT_IN) && f->order != NF_NETWORK)
		return nf_cannot(r->w, "a range of numbers");
	if (!load(r, op->field, 0, 0))
		return false;
	if (op->field == PF_L4PROTO && op->rel == REL_EQ)
		r->proto = (uint8_t)op->a;
	if (op->rel == REL_IN || op->rel == REL_NOT_IN) {
		within(r, a, b, n, op->rel == REL_IN);
	} else if (op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE) {
		bitwise(r, a, none, n);
		cmp(r, negated(op) ? NFT_CMP_NEQ : NFT_CMP_EQ, b, n);
	} else {
		cmp(r, negated(op) ? NFT_CMP_NEQ : NFT_CMP_EQ, a, n);
	}
	return true;
}

static bool match(struct in_rule *r)
{
	switch ((enum pkt_field)r->op->field) {
	case PF_SADDR:
	case PF_DADDR:
	case PF_CT_DNATED_FROM: return address(r);
	case PF_IIFNAME:
	case PF_OIFNAME: return name(r);
	case PF_CT_STATE:
	case PF_CT_STATUS: return bits(r);
	default: return any_number(r);
	}
}

/* The fields of a key in registers, one behind the other. */
static bool load_key(struct in_rule *r)
{
	uint32_t to = 0;

	for (uint8_t k = 0; k < r->op->nkey; k++) {
		uint8_t field = r->op->c >> (4 * k) & 15;

		if (field == PF_REGISTER && r->op->nkey == 1)           /* a choice has left it there */
			return true;
		if (!load(r, field, to, 0))
			return false;
		to += (nf_fields[field].len[r->w->v6] + 3u) / 4;
	}
	return true;
}

static bool lookup(struct in_rule *r)
{
	const struct set *s = ruleset_set_get(r->w->rs, (set_h){ r->op->a });
	struct expr e;

	if (s->flags & SETF_IPSET)
		return nf_cannot(r->w, "an ipset");
	if (!load_key(r))
		return false;
	e = begin(r, "lookup");
	reg(r, NFTA_LOOKUP_SREG, 0);
	if (s->kind == SET_VMAP)
		number(r, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	else if (s->kind == SET_MAP)
		reg(r, NFTA_LOOKUP_DREG, 0);
	nf_set_name(r->w, NFTA_LOOKUP_SET, s, r->set);
	if (s->flags & SETF_ANONYMOUS)
		nf_put_set_id(r->w->b, NFTA_LOOKUP_SET_ID, r->set++);
	if (r->op->rel == REL_NE)
		number(r, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	end(r, e);
	return true;
}

static bool update(struct in_rule *r)
{
	struct expr e;

	if (!load_key(r))
		return false;
	e = begin(r, "dynset");
	reg(r, NFTA_DYNSET_SREG_KEY, 0);
	number(r, NFTA_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nf_put_str(r->h, NFTA_DYNSET_SET_NAME, ruleset_set_get(r->w->rs, (set_h){ r->op->a })->name);
	end(r, e);
	return true;
}

static bool fib(struct in_rule *r)
{
	uint32_t local = RTN_LOCAL;
	struct expr e;

	if (r->op->field == FIB_REVERSE)
		return nf_cannot(r->w, "a check of the way back");
	e = begin(r, "fib");
	reg(r, NFTA_FIB_DREG, 0);
	number(r, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	number(r, NFTA_FIB_FLAGS, r->op->field == FIB_DADDR_LOCAL ? NFTA_FIB_F_DADDR : NFTA_FIB_F_SADDR);
	end(r, e);
	cmp(r, r->op->rel == REL_EQ ? NFT_CMP_EQ : NFT_CMP_NEQ, &local, sizeof(local));
	return true;
}

static void numgen(struct in_rule *r, uint32_t mod)
{
	struct expr e = begin(r, "numgen");

	reg(r, NFTA_NG_DREG, 0);
	number(r, NFTA_NG_MODULUS, mod);
	number(r, NFTA_NG_TYPE, NFT_NG_RANDOM);
	number(r, NFTA_NG_OFFSET, 0);
	end(r, e);
}

static bool choose(struct in_rule *r)
{
	numgen(r, r->op->a);
	return true;
}

static bool chance(struct in_rule *r)
{
	uint32_t below = htonl(r->op->a);
	struct expr e;

	numgen(r, r->op->b);
	e = begin(r, "byteorder");
	reg(r, NFTA_BYTEORDER_SREG, 0);
	reg(r, NFTA_BYTEORDER_DREG, 0);
	number(r, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	number(r, NFTA_BYTEORDER_LEN, 4);
	number(r, NFTA_BYTEORDER_SIZE, 4);
	end(r, e);
	cmp(r, NFT_CMP_LT, &below, sizeof(below));
	return true;
}

static void store_mark(struct in_rule *r, bool ct)
{
	struct expr e = begin(r, ct ? "ct" : "meta");

	number(r, ct ? NFTA_CT_KEY : NFTA_META_KEY, ct ? (uint32_t)NFT_CT_MARK : (uint32_t)NFT_META_MARK);
	reg(r, ct ? NFTA_CT_SREG : NFTA_META_SREG, 0);
	end(r, e);
}

static bool mark(struct in_rule *r)
{
	bool ct = r->op->code == OP_CTMARK;

	if (ct && r->op->field != CTM_SET) {
		bool restore = r->op->field == CTM_RESTORE;

		if (r->op->a || r->op->b != UINT32_MAX)
			return nf_cannot(r->w, "a part of a mark that is saved");
		load(r, restore ? PF_CT_MARK : PF_MARK, 0, 0);
		store_mark(r, !restore);
		return true;
	}
	if (r->op->a) {
		load(r, ct ? PF_CT_MARK : PF_MARK, 0, 0);
		bitwise(r, &r->op->a, &r->op->b, 4);
	} else {
		immediate(r, 0, &r->op->b, 4);
	}
	store_mark(r, ct);
	return true;
}

static bool nat(struct in_rule *r)
{
	const struct op *op = r->op;
	bool mapped = op->rel == REL_IN;
	uint32_t at = 0, len = r->w->v6 ? 16 : 4;
	ip_addr to = op->a && !mapped ? r->owner->wide.v[op->a] : (ip_addr){ 0, 0 };
	uint16_t port = htons((uint16_t)op->b);
	uint8_t bytes[16];
	struct expr e;

	if (ip_set(to) && nl_ip_bytes(to, bytes) != len)
		return nf_cannot(r->w, "an address of the other family");
	if (ip_set(to)) {
		immediate(r, 0, bytes, len);
		at = 4;
	}
	if (op->b && !mapped)
		immediate(r, at, &port, sizeof(port));
	e = begin(r, "nat");
	number(r, NFTA_NAT_TYPE, op->code == OP_DNAT ? NFT_NAT_DNAT : NFT_NAT_SNAT);
	number(r, NFTA_NAT_FAMILY, r->w->v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	if (mapped || ip_set(to))
		reg(r, NFTA_NAT_REG_ADDR_MIN, 0);
	if (mapped || op->b)
		reg(r, NFTA_NAT_REG_PROTO_MIN, mapped ? len / 4 : at);
	if (!mapped && op->b)
		number(r, NFTA_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	end(r, e);
	return true;
}

static bool masquerade(struct in_rule *r)
{
	struct expr e = begin(r, "masq");

	if (r->op->a)
		number(r, NFTA_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
	end(r, e);
	return true;
}

static bool redirect(struct in_rule *r)
{
	uint16_t port = htons((uint16_t)r->op->b);
	struct expr e;

	immediate(r, 0, &port, sizeof(port));
	e = begin(r, "redir");
	reg(r, NFTA_REDIR_REG_PROTO_MIN, 0);
	number(r, NFTA_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	end(r, e);
	return true;
}

static bool reject(struct in_rule *r)
{
	static const uint8_t codes[][2] = { [REJECT_DEFAULT] = { 3, 4 }, [REJECT_TCP_RESET] = { 0, 0 }, [REJECT_ADMIN] = { 13, 1 } };     /* ICMP's, ICMPv6's */
	bool reset = r->op->a == REJECT_TCP_RESET;
	struct expr e;

	must_be(r, reset ? PROTO_TCP : 0);
	e = begin(r, "reject");
	number(r, NFTA_REJECT_TYPE, reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH);
	nf_put(r->h, NFTA_REJECT_ICMP_CODE, 1, &(uint8_t){ codes[r->op->a][r->w->v6] });
	end(r, e);
	return true;
}

static bool log_packet(struct in_rule *r)
{
	struct expr e = begin(r, "log");

	nf_put_str(r->h, NFTA_LOG_PREFIX, r->owner->text.v[r->op->a]);
	end(r, e);
	return true;
}

static bool notrack(struct in_rule *r)
{
	end(r, begin(r, "notrack"));
	return true;
}

static bool verdict(struct in_rule *r)
{
	struct expr e = begin(r, "immediate");

	number(r, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nf_put_verdict(r->w, NFTA_IMMEDIATE_DATA, (struct verdict_value){ r->op->code, { r->op->a } });
	end(r, e);
	return true;
}

static bool (*const spelled[OP_COUNT])(struct in_rule *) = {
	[OP_MATCH] = match, [OP_LOOKUP] = lookup, [OP_UPDATE] = update, [OP_FIB] = fib, [OP_CHANCE] = chance, [OP_CHOOSE] = choose, [OP_MARK] = mark, [OP_CTMARK] = mark,
	[OP_DNAT] = nat, [OP_SNAT] = nat, [OP_MASQUERADE] = masquerade, [OP_REDIRECT] = redirect, [OP_REJECT] = reject, [OP_LOG] = log_packet, [OP_NOTRACK] = notrack,
	[OP_ACCEPT] = verdict, [OP_DROP] = verdict, [OP_RETURN] = verdict, [OP_JUMP] = verdict, [OP_GOTO] = verdict,
};

static uint32_t anonymous_sets(struct nf_writer *w, const struct ruleset *owner, const struct rule *r)
{
	uint32_t first = w->sets;

	for (uint16_t k = 0; k < r->nr_ops; k++) {
		const struct op *op = &owner->ops.v[r->op + k];
		const struct set *s = op->code == OP_LOOKUP ? ruleset_set_get(w->rs, (set_h){ op->a }) : NULL;
		const struct ruleset *from;
		const struct set_body *b;

		if (!s || !(s->flags & SETF_ANONYMOUS))
			continue;
		b = set_body(w->rs, (set_h){ op->a }, &from);
		nf_set(w, from, s, b);
		nf_elements(w, from, s, b, NULL, 0);
		w->sets++;
	}
	return first;
}

void nf_rule(struct nf_writer *w, const struct chain *c, const struct ruleset *owner, const struct rule *rule)
{
	struct in_rule r = { .w = w, .owner = owner };
	struct nlattr *list;

	if (rule->raw) {
		nf_cannot(w, "a rule that was read from a node");
		return;
	}
	r.set = anonymous_sets(w, owner, rule);
	r.h = nf_message(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_TABLE);
	nf_put_str(r.h, NFTA_RULE_CHAIN, c->name);
	list = mnl_attr_nest_start(r.h, NFTA_RULE_EXPRESSIONS);
	for (uint16_t k = 0; k < rule->nr_ops && r.h->nlmsg_len < NF_NEST; k++) {
		r.op = &owner->ops.v[rule->op + k];
		if (!spelled[r.op->code])
			nf_cannot(w, "an operation that nft does not know");
		else
			spelled[r.op->code](&r);
	}
	if (r.h->nlmsg_len >= NF_NEST)
		nf_cannot(w, "a rule of more than 30 KiB");
	mnl_attr_nest_end(r.h, list);
	nf_put_comment(w, NFTA_RULE_USERDATA, UDATA_RULE_COMMENT, rule->comment);
	nf_end(w->b);
}
