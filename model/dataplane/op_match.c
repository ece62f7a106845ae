/* MATCH: a field of the packet against a value. */
#include "model/dataplane/lower.h"
#include "model/dataplane/op.h"

static bool is_address(const struct op *op)
{
	return op->field == PF_SADDR || op->field == PF_DADDR || op->field == PF_CT_DNATED_FROM;
}

static bool is_name(const struct op *op)
{
	return op->field == PF_IIFNAME || op->field == PF_OIFNAME;
}

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

static bool address_holds(const struct ruleset *owner, const struct op *op, const struct packet *p)
{
	ip_addr have = packet_field(p, op->field), want = owner->wide.v[op->a];

	if (op->rel == REL_EQ)
		return ip_eq(have, want);
	if (op->rel == REL_NE)
		return !ip_eq(have, want);
	return (ip_order(have, want) >= 0 && ip_order(have, owner->wide.v[op->a + 1]) <= 0) == (op->rel == REL_IN);
}

static bool name_holds(const struct ruleset *owner, const struct op *op, const struct packet *p)
{
	str have = op->field == PF_IIFNAME ? p->iif : p->oif, want = owner->text.v[op->a];

	if (op->rel == REL_EQ || op->rel == REL_NE)
		return (have == want || streq(have, want)) == (op->rel == REL_EQ);
	return (have && strncmp(have, want, str_len(want)) == 0) == (op->rel == REL_NAME_PREFIX);
}

static bool number_holds(const struct op *op, const struct packet *p)
{
	uint32_t have = (uint32_t)packet_field(p, op->field).lo;

	if ((op->field == PF_SPORT || op->field == PF_DPORT) && !has_ports(p->proto))
		return false;
	if ((op->field == PF_SKUID || op->field == PF_SKGID) && !p->has_skuid)
		return false;
	switch ((enum op_rel)op->rel) {
	case REL_EQ:
		return op->field == PF_CT_STATE || op->field == PF_CT_STATUS ? (have & op->a) != 0 : have == op->a;    /* a state is one bit of the field */
	case REL_NE:
		return op->field == PF_CT_STATE || op->field == PF_CT_STATUS ? (have & op->a) == 0 : have != op->a;
	case REL_IN:
		return op->field == PF_CT_STATE || op->field == PF_CT_STATUS ? (have & op->a) != 0 : have >= op->a && have <= op->b;
	case REL_NOT_IN:
		return op->field == PF_CT_STATE || op->field == PF_CT_STATUS ? (have & op->a) == 0 : have < op->a || have > op->b;
	case REL_MASK_EQ:
		return (have & op->a) == op->b;
	case REL_MASK_NE:
		return (have & op->a) != op->b;
	case REL_NAME_PREFIX:
	case REL_NOT_NAME_PREFIX:
		break;
	}
	return false;
}

static enum op_does eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
			 struct op_result *out)
{
	bool holds = is_address(op) ? address_holds(owner, op, p) : is_name(op) ? name_holds(owner, op, p) : number_holds(op, p);

	(void)rs;
	(void)reg;
	(void)env;
	if (is_name(op) && (op->field == PF_IIFNAME ? p->iif_unknown : p->oif_unknown)) {
		out->why = op->field == PF_IIFNAME ? "nobody told by which interface the packet comes in" : "nobody told by which interface the packet leaves";
		return DOES_UNKNOWN;
	}
	return holds ? DOES_NEXT : DOES_FAIL;
}

/* ---- spelling */

static const struct { uint32_t bit; const char *nft, *ipt; } states[] = {
	{ CT_INVALID, "invalid", "INVALID" }, { CT_ESTABLISHED, "established", "ESTABLISHED" }, { CT_RELATED, "related", "RELATED" }, { CT_NEW, "new", "NEW" },
	{ CT_UNTRACKED, "untracked", "UNTRACKED" }, { CT_DNATED, "dnat", "DNAT" },
};
static const struct { uint32_t bit; const char *nft, *ipt; } statuses[] = { { CTS_SNAT, "snat", "SNAT" }, { CTS_DNAT, "dnat", "DNAT" }, { CTS_ASSURED, "assured", NULL },
	{ CTS_CONFIRMED, "confirmed", NULL }, { CTS_SEEN_REPLY, "seen-reply", NULL } };

static bool negated(const struct op *op)
{
	return op->rel == REL_NE || op->rel == REL_NOT_IN || op->rel == REL_MASK_NE || op->rel == REL_NOT_NAME_PREFIX;
}

static void address_text(const struct spelling *s, const struct op *op, bool always_len)
{
	ip_addr a = s->owner->wide.v[op->a];
	struct cidr c = { a, (uint8_t)op->b, true };

	if (op->rel == REL_EQ || op->rel == REL_NE) {
		sb_add(s->out, IP(a));
		if (always_len)
			sb_printf(s->out, "/%d", ip_bits(a));
	} else if (op->b || (!ip_set(ip_mask(a, 0)) || (ip_is4(a) && ip_to4(a) == 0))) {
		sb_add(s->out, CIDR(c));
	} else {
		sb_printf(s->out, "%s-", IP(a));
		sb_add(s->out, IP(s->owner->wide.v[op->a + 1]));
	}
}

static void state_words(struct sb *out, uint32_t bits, bool nft, bool status)
{
	const char *sep = "";

	for (size_t k = 0; k < (status ? ARRAY_LEN(statuses) : ARRAY_LEN(states)); k++) {
		uint32_t bit = status ? statuses[k].bit : states[k].bit;
		const char *w = nft ? (status ? statuses[k].nft : states[k].nft) : (status ? statuses[k].ipt : states[k].ipt);

		if (!(bits & bit) || !w)
			continue;
		sb_printf(out, "%s%s", sep, w);
		sep = ",";
	}
}

static void number_nft(const struct spelling *s)
{
	const struct op *op = s->op;

	if (op->field == PF_CT_STATE || op->field == PF_CT_STATUS) {
		sb_printf(s->out, "%s %s", nft_field(op->field, s->v6), negated(op) ? "!= " : "");
		state_words(s->out, op->a, true, op->field == PF_CT_STATUS);
		return;
	}
	if (op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE) {
		const char *fmt = op->field == PF_TCP_FLAGS ? "%s & 0x%x %s 0x%x" : "%s & 0x%08x %s 0x%08x";

		if (op->rel == REL_MASK_NE && op->b == 0)
			sb_printf(s->out, fmt, nft_field(op->field, s->v6), op->a, "!=", op->b);
		else
			sb_printf(s->out, fmt, nft_field(op->field, s->v6), op->a, op->rel == REL_MASK_EQ ? "==" : "!=", op->b);
		return;
	}
	sb_printf(s->out, "%s %s", nft_field(op->field, s->v6), negated(op) ? "!= " : "");
	if (op->field == PF_L4PROTO && proto_word(op->a))
		sb_add(s->out, proto_word(op->a));
	else if (op->field == PF_MARK || op->field == PF_CT_MARK)
		sb_printf(s->out, "0x%08x", op->a);
	else if (op->rel == REL_IN || op->rel == REL_NOT_IN)
		sb_printf(s->out, "%u-%u", op->a, op->b);
	else
		sb_printf(s->out, "%u", op->a);
}

static void nft(const struct spelling *s)
{
	const struct op *op = s->op;

	if (is_address(op)) {
		sb_printf(s->out, "%s %s", nft_field(op->field, s->v6), negated(op) ? "!= " : "");
		address_text(s, op, false);
	} else if (is_name(op)) {
		sb_printf(s->out, "%s %s\"%s%s\"", nft_field(op->field, s->v6), negated(op) ? "!= " : "", s->owner->text.v[op->a],
			  op->rel == REL_NAME_PREFIX || op->rel == REL_NOT_NAME_PREFIX ? "*" : "");
	} else {
		number_nft(s);
	}
}

static void iptables(const struct spelling *s)
{
	const struct op *op = s->op;
	const char *not = negated(op) ? "! " : "";

	if (op->field == PF_SADDR || op->field == PF_DADDR) {
		sb_printf(s->out, "%s%s ", not, op->field == PF_SADDR ? "-s" : "-d");
		address_text(s, op, true);
	} else if (is_name(op)) {
		sb_printf(s->out, "%s%s %s%s", not, op->field == PF_IIFNAME ? "-i" : "-o", s->owner->text.v[op->a],
			  op->rel == REL_NAME_PREFIX || op->rel == REL_NOT_NAME_PREFIX ? "+" : "");
	} else if (op->field == PF_L4PROTO) {
		if (proto_word(op->a))
			sb_printf(s->out, "%s-p %s", not, proto_word(op->a));
		else
			sb_printf(s->out, "%s-p %u", not, op->a);
	} else if (op->field == PF_SPORT || op->field == PF_DPORT) {
		sb_printf(s->out, "%s--%s %u", not, op->field == PF_SPORT ? "sport" : "dport", op->a);
		if (op->rel == REL_IN || op->rel == REL_NOT_IN)
			sb_printf(s->out, ":%u", op->b);
	} else if (op->field == PF_MARK) {
		sb_printf(s->out, "-m mark %s--mark 0x%x", not, op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE ? op->b : op->a);
		if (op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE)
			sb_printf(s->out, "/0x%x", op->a);
	} else if (op->field == PF_CT_STATE || op->field == PF_CT_STATUS) {
		bool status = op->field == PF_CT_STATUS;

		sb_printf(s->out, "-m conntrack %s--%s ", not, status ? "ctstatus" : "ctstate");
		state_words(s->out, op->a, false, status);
	} else if (op->field == PF_SKUID || op->field == PF_SKGID) {
		sb_printf(s->out, "-m owner %s--%s-owner %u", not, op->field == PF_SKUID ? "uid" : "gid", op->a);
	} else if (op->field == PF_ICMP_TYPE) {
		sb_printf(s->out, "-m icmp%s %s--icmp%s-type %u", s->v6 ? "6" : "", not, s->v6 ? "v6" : "", op->a);
	} else if (op->field == PF_CT_MARK) {
		sb_printf(s->out, "-m connmark %s--mark 0x%x", not, op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE ? op->b : op->a);
		if (op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE)
			sb_printf(s->out, "/0x%x", op->a);
	} else if (op->field == PF_CT_ORIG_DPORT) {
		sb_printf(s->out, "-m conntrack %s--ctorigdstport %u", not, op->a);
	} else if (op->field == PF_CT_REPLY_DIR) {
		sb_printf(s->out, "-m conntrack --ctdir %s", op->a ? "REPLY" : "ORIGINAL");
	} else if (op->field == PF_CT_DNATED_FROM) {
		sb_printf(s->out, "-m conntrack %s--ctorigdst ", not);
		address_text(s, op, false);
	}
}

/* ---- as compares of eight bytes of a packet of IPv4 that has ports */

static bool lower_address(const struct lowering *l, const struct op *op, struct insn *out)
{
	ip_addr first = l->owner->wide.v[op->a], last = op->rel == REL_EQ || op->rel == REL_NE ? first : l->owner->wide.v[op->a + 1];
	uint64_t varies = first.lo ^ last.lo;

	if (op->field == PF_CT_DNATED_FROM || !ip_is4(first) || !ip_is4(last) || varies & (varies + 1) || first.lo & varies)
		return false;           /* no prefix */
	*out = (struct insn){ .code = op->rel == REL_EQ || op->rel == REL_IN ? LOW_EQ : LOW_NE, .mask = ~varies, .value = first.lo,
			      .at = (uint8_t)(op->field == PF_SADDR ? offsetof(struct packet, src.lo) : offsetof(struct packet, dst.lo)) };
	return true;
}

static bool lower_name(const struct lowering *l, const struct op *op, struct insn *out)
{
	if (op->rel != REL_EQ && op->rel != REL_NE)
		return false;
	*out = (struct insn){ .code = op->rel == REL_EQ ? LOW_EQ : LOW_NE, .mask = UINT64_MAX, .value = map_ptr(l->owner->text.v[op->a]),
			      .at = (uint8_t)(op->field == PF_IIFNAME ? offsetof(struct packet, iif) : offsetof(struct packet, oif)) };
	return true;
}

#define IN_WORD(field, name) [field] = { true, offsetof(struct packet, name) & ~7u, 8 * (offsetof(struct packet, name) & 7u), 8 * sizeof(((struct packet *)0)->name) }
static const struct { bool has; uint8_t at, shift, bits; } words[PF_COUNT] = {
	IN_WORD(PF_SPORT, sport), IN_WORD(PF_DPORT, dport), IN_WORD(PF_L4PROTO, proto), IN_WORD(PF_MARK, mark), IN_WORD(PF_CT_STATE, ct_state), IN_WORD(PF_CT_STATUS, ct_status),
};

static bool lower_number(const struct op *op, struct insn *out)
{
	uint64_t all = (1ull << words[op->field].bits) - 1;
	uint8_t shift = words[op->field].shift;
	bool bits = op->field == PF_CT_STATE || op->field == PF_CT_STATUS, range = !bits && (op->rel == REL_IN || op->rel == REL_NOT_IN);

	if (!words[op->field].has || (op->field == PF_CT_STATE && op->a & CT_DNATED))
		return false;
	if (range) {
		*out = (struct insn){ .code = LOW_RANGE, .rel = op->rel, .at = (uint8_t)(words[op->field].at + shift / 8), .mask = op->a, .value = op->b };
		return words[op->field].bits == 16;
	}
	*out = (struct insn){ .at = words[op->field].at, .mask = all << shift, .value = (uint64_t)op->a << shift };
	if (op->rel == REL_MASK_EQ || op->rel == REL_MASK_NE) {
		out->mask = (uint64_t)op->a << shift;
		out->value = (uint64_t)op->b << shift;
		out->code = op->rel == REL_MASK_EQ ? LOW_EQ : LOW_NE;
	} else if (bits) {              /* any of them */
		out->mask = (uint64_t)op->a << shift & all << shift;
		out->value = 0;
		out->code = op->rel == REL_EQ || op->rel == REL_IN ? LOW_NE : LOW_EQ;
	} else {
		out->code = op->rel == REL_EQ ? LOW_EQ : LOW_NE;
	}
	return (op->a <= all) && (op->rel != REL_MASK_EQ && op->rel != REL_MASK_NE ? true : op->b <= all);
}

static bool match_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	return is_address(op) ? lower_address(l, op, out) : is_name(op) ? lower_name(l, op, out) : lower_number(op, out);
}

const struct op_def op_match = { eval, nft, iptables, match_lower };

/* ---- FIB: is the address local? */

static enum op_does fib_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
			     struct op_result *out)
{
	ip_addr a = op->field == FIB_DADDR_LOCAL ? p->dst : p->src;
	bool local;

	(void)rs;
	(void)owner;
	(void)reg;
	if (op->field == FIB_REVERSE) {
		int way = p->iif_unknown || !env->reverse ? -1 : env->reverse(env->ctx, p->src, p->iif, op->a);

		out->why = "nobody told the way back to the packet's source";
		return way < 0 ? DOES_UNKNOWN : (way != 0) == (op->rel == REL_EQ) ? DOES_NEXT : DOES_FAIL;
	}
	local = env->is_local(env->ctx, a);
	if (!local && env->local_known && !env->local_known(env->ctx, a)) {
		out->why = "nobody told all addresses of the node";
		return DOES_UNKNOWN;
	}
	return local == (op->rel == REL_EQ) ? DOES_NEXT : DOES_FAIL;
}

static void fib_nft(const struct spelling *s)
{
	if (s->op->field == FIB_REVERSE) {
		sb_printf(s->out, "fib saddr . mark%s oif %s0", s->op->a ? "" : " . iif", s->op->rel == REL_EQ ? "!= " : "");
		return;
	}
	sb_printf(s->out, "fib %s type %slocal", s->op->field == FIB_DADDR_LOCAL ? "daddr" : "saddr", s->op->rel == REL_EQ ? "" : "!= ");
}

static void fib_iptables(const struct spelling *s)
{
	if (s->op->field == FIB_REVERSE) {
		sb_printf(s->out, "-m rpfilter%s --validmark%s", s->op->a ? " --loose" : "", s->op->rel == REL_EQ ? "" : " --invert");
		return;
	}
	sb_printf(s->out, "-m addrtype %s--%s-type LOCAL", s->op->rel == REL_EQ ? "" : "! ", s->op->field == FIB_DADDR_LOCAL ? "dst" : "src");
}

const struct op_def op_fib = { fib_eval, fib_nft, fib_iptables, NULL };
