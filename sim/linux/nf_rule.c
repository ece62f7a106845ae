/* Ops as nf_tables expressions, each as nft has it. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "model/dataplane/packet.h"
#include "sim/linux/netlink.h"
#include "sim/linux/nf_expr.h"

enum { UDATA_RULE_COMMENT = 0 };

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
		expr_load(r, op->field, 0, 0);
		expr_within(r, first, last, n, !negated(op));
		return true;
	}
	if (c.len % 8 == 0 && c.len && nf_fields[op->field].from == NF_PAYLOAD) {       /* whole bytes: only these are loaded */
		expr_load(r, op->field, 0, c.len / 8u);
		expr_cmp(r, how, first, c.len / 8u);
		return true;
	}
	expr_load(r, op->field, 0, 0);
	for (size_t k = 0; k < n; k++)
		mask[k] = (uint8_t)~(first[k] ^ last[k]);
	if (!one)
		expr_bitwise(r, mask, none, n);
	expr_cmp(r, how, first, n);
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
	expr_load(r, op->field, 0, 0);
	expr_cmp(r, negated(op) ? NFT_CMP_NEQ : NFT_CMP_EQ, bytes, prefix ? strlen(text) : 16);
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
	expr_load(r, op->field, 0, 0);
	if (!negated(op))
		expr_bitwise(r, &mask, &none, sizeof(mask));
	expr_cmp(r, NFT_CMP_NEQ, negated(op) ? &mask : &none, sizeof(mask));
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
	if (!expr_load(r, op->field, 0, 0))
		return false;
	if (op->field == PF_L4PROTO && op->rel == REL_EQ)
		r->proto = (uint8_t)op->a;
	if (op->rel == REL_IN || op->rel == REL_NOT_IN) {
		expr_within(r, a, b, n, op->rel == REL_IN);
	} else if (op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE) {
		expr_bitwise(r, a, none, n);
		expr_cmp(r, negated(op) ? NFT_CMP_NEQ : NFT_CMP_EQ, b, n);
	} else {
		expr_cmp(r, negated(op) ? NFT_CMP_NEQ : NFT_CMP_EQ, a, n);
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
		if (!expr_load(r, field, to, 0))
			return false;
		to += (nf_fields[field].len[r->w->v6] + 3u) / 4;
	}
	return true;
}

/* The only element of an anonymous set of single fields: nft makes a plain comparison of that (src/evaluate.c, expr_evaluate_set). NULL: it stays a set. */
static const struct elem *only_element(const struct nf_writer *w, set_h h, const struct ruleset **from)
{
	const struct set *s = ruleset_set_get(w->rs, h);
	const struct set_body *b = set_body(w->rs, h, from);

	bool has_type = nf_fields[s->key[0]].from != NF_NOWHERE && nf_fields[s->key[0]].type[w->v6];   /* else it cannot be told of as a set (nf_set.c), and is not here */

	return s->flags & SETF_ANONYMOUS && s->kind == SET_PLAIN && s->nkey == 1 && b->nr == 1 && has_type ? b->v : NULL;
}

static bool compare_with(struct in_rule *r, const struct set *s, const struct elem *e, const struct ruleset *from)
{
	struct in_rule as = *r;
	struct op op = { .code = OP_MATCH, .field = s->key[0], .rel = r->op->rel, .a = e->key };
	bool range = s->flags & SETF_INTERVAL, ok;
	struct cidr c;

	if (range)
		op.rel = op.rel == REL_NE ? REL_NOT_IN : REL_IN;
	if (op.field == PF_SADDR || op.field == PF_DADDR || op.field == PF_CT_DNATED_FROM) {
		op.b = (uint32_t)(range && cidr_of_range(from->wide.v[e->key], from->wide.v[e->key + 1], &c) ? c.len : ip_bits(from->wide.v[e->key]));
	} else {
		op.a = (uint32_t)from->wide.v[e->key].lo;
		op.b = range ? (uint32_t)from->wide.v[e->key + 1].lo : 0;
	}
	as.owner = from;
	as.op = &op;
	ok = match(&as);
	r->proto = as.proto;
	return ok;
}

static bool lookup(struct in_rule *r)
{
	const struct set *s = ruleset_set_get(r->w->rs, (set_h){ r->op->a });
	const struct ruleset *from;
	const struct elem *only = only_element(r->w, (set_h){ r->op->a }, &from);
	struct expr e;

	if (only)
		return compare_with(r, s, only, from);
	if (s->flags & SETF_IPSET)
		return nf_cannot(r->w, "an ipset");
	if (!load_key(r))
		return false;
	e = expr_begin(r, "lookup");
	expr_register(r, NFTA_LOOKUP_SREG, 0);
	if (s->kind == SET_VMAP)
		expr_number(r, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	else if (s->kind == SET_MAP)
		expr_register(r, NFTA_LOOKUP_DREG, 0);
	nf_set_name(r->w, NFTA_LOOKUP_SET, s, r->set);
	if (s->flags & SETF_ANONYMOUS)
		nf_put_set_id(r->w->b, NFTA_LOOKUP_SET_ID, r->set++);
	if (r->op->rel == REL_NE)
		expr_number(r, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	expr_end(r, e);
	return true;
}

static bool update(struct in_rule *r)
{
	struct expr e;

	if (!load_key(r))
		return false;
	e = expr_begin(r, "dynset");
	expr_register(r, NFTA_DYNSET_SREG_KEY, 0);
	expr_number(r, NFTA_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nf_put_str(r->h, NFTA_DYNSET_SET_NAME, ruleset_set_get(r->w->rs, (set_h){ r->op->a })->name);
	expr_end(r, e);
	return true;
}

static bool fib(struct in_rule *r)
{
	uint32_t local = RTN_LOCAL;
	struct expr e;

	if (r->op->field == FIB_REVERSE)
		return nf_cannot(r->w, "a check of the way back");
	e = expr_begin(r, "fib");
	expr_register(r, NFTA_FIB_DREG, 0);
	expr_number(r, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	expr_number(r, NFTA_FIB_FLAGS, r->op->field == FIB_DADDR_LOCAL ? NFTA_FIB_F_DADDR : NFTA_FIB_F_SADDR);
	expr_end(r, e);
	expr_cmp(r, r->op->rel == REL_EQ ? NFT_CMP_EQ : NFT_CMP_NEQ, &local, sizeof(local));
	return true;
}

static void numgen(struct in_rule *r, uint32_t mod)
{
	struct expr e = expr_begin(r, "numgen");

	expr_register(r, NFTA_NG_DREG, 0);
	expr_number(r, NFTA_NG_MODULUS, mod);
	expr_number(r, NFTA_NG_TYPE, NFT_NG_RANDOM);
	expr_number(r, NFTA_NG_OFFSET, 0);
	expr_end(r, e);
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
	e = expr_begin(r, "byteorder");
	expr_register(r, NFTA_BYTEORDER_SREG, 0);
	expr_register(r, NFTA_BYTEORDER_DREG, 0);
	expr_number(r, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	expr_number(r, NFTA_BYTEORDER_LEN, 4);
	expr_number(r, NFTA_BYTEORDER_SIZE, 4);
	expr_end(r, e);
	expr_cmp(r, NFT_CMP_LT, &below, sizeof(below));
	return true;
}

static void store_mark(struct in_rule *r, bool ct)
{
	struct expr e = expr_begin(r, ct ? "ct" : "meta");

	expr_number(r, ct ? NFTA_CT_KEY : NFTA_META_KEY, ct ? (uint32_t)NFT_CT_MARK : (uint32_t)NFT_META_MARK);
	expr_register(r, ct ? NFTA_CT_SREG : NFTA_META_SREG, 0);
	expr_end(r, e);
}

static bool mark(struct in_rule *r)
{
	bool ct = r->op->code == OP_CTMARK;

	if (ct && r->op->field != CTM_SET) {
		bool restore = r->op->field == CTM_RESTORE;

		if (r->op->a || r->op->b != UINT32_MAX)
			return nf_cannot(r->w, "a part of a mark that is saved");
		expr_load(r, restore ? PF_CT_MARK : PF_MARK, 0, 0);
		store_mark(r, !restore);
		return true;
	}
	if (r->op->a) {
		expr_load(r, ct ? PF_CT_MARK : PF_MARK, 0, 0);
		expr_bitwise(r, &r->op->a, &r->op->b, 4);
	} else {
		expr_immediate(r, 0, &r->op->b, 4);
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
		expr_immediate(r, 0, bytes, len);
		at = 4;
	}
	if (op->b && !mapped)
		expr_immediate(r, at, &port, sizeof(port));
	e = expr_begin(r, "nat");
	expr_number(r, NFTA_NAT_TYPE, op->code == OP_DNAT ? NFT_NAT_DNAT : NFT_NAT_SNAT);
	expr_number(r, NFTA_NAT_FAMILY, r->w->v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	if (mapped || ip_set(to))
		expr_register(r, NFTA_NAT_REG_ADDR_MIN, 0);
	if (mapped || op->b)
		expr_register(r, NFTA_NAT_REG_PROTO_MIN, mapped ? len / 4 : at);
	if (!mapped && op->b)
		expr_number(r, NFTA_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	expr_end(r, e);
	return true;
}

static bool masquerade(struct in_rule *r)
{
	struct expr e = expr_begin(r, "masq");

	if (r->op->a)
		expr_number(r, NFTA_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
	expr_end(r, e);
	return true;
}

static bool redirect(struct in_rule *r)
{
	uint16_t port = htons((uint16_t)r->op->b);
	struct expr e;

	expr_immediate(r, 0, &port, sizeof(port));
	e = expr_begin(r, "redir");
	expr_register(r, NFTA_REDIR_REG_PROTO_MIN, 0);
	expr_number(r, NFTA_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	expr_end(r, e);
	return true;
}

static bool reject(struct in_rule *r)
{
	static const uint8_t codes[][2] = { [REJECT_DEFAULT] = { 3, 4 }, [REJECT_TCP_RESET] = { 0, 0 }, [REJECT_ADMIN] = { 13, 1 } };     /* ICMP's, ICMPv6's */
	bool reset = r->op->a == REJECT_TCP_RESET;
	struct expr e;

	expr_proto(r, reset ? PROTO_TCP : 0);
	e = expr_begin(r, "reject");
	expr_number(r, NFTA_REJECT_TYPE, reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH);
	nf_put(r->h, NFTA_REJECT_ICMP_CODE, 1, &(uint8_t){ codes[r->op->a][r->w->v6] });
	expr_end(r, e);
	return true;
}

static bool log_packet(struct in_rule *r)
{
	struct expr e = expr_begin(r, "log");

	nf_put_str(r->h, NFTA_LOG_PREFIX, r->owner->text.v[r->op->a]);
	expr_end(r, e);
	return true;
}

static bool notrack(struct in_rule *r)
{
	expr_end(r, expr_begin(r, "notrack"));
	return true;
}

static bool verdict(struct in_rule *r)
{
	struct expr e = expr_begin(r, "immediate");

	expr_number(r, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nf_put_verdict(r->w, NFTA_IMMEDIATE_DATA, (struct verdict_value){ r->op->code, { r->op->a } });
	expr_end(r, e);
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

		if (!s || !(s->flags & SETF_ANONYMOUS) || only_element(w, (set_h){ op->a }, &from))
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
