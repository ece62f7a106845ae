/* DNAT, SNAT, MASQUERADE, REDIRECT. Which address a masquerade takes is the namespace's business: the walk picks it. */
#include "model/dataplane/lower.h"
#include "model/dataplane/op.h"

static enum op_does nat(const struct ruleset *owner, const struct op *op, const struct op_reg *reg, struct op_result *out)
{
	out->nat = (enum op_code)op->code;
	out->addr = (ip_addr){ 0, 0 };
	out->port = (uint16_t)op->b;
	if (op->code == OP_DNAT || op->code == OP_SNAT) {
		if (op->rel == REL_IN) {
			out->addr = reg->addr;
			out->port = (uint16_t)reg->num;
		} else if (op->a) {
			out->addr = owner->wide.v[op->a];
		}
	}
	return DOES_NAT;
}

static enum op_does eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
			 struct op_result *out)
{
	(void)rs;
	(void)p;
	(void)env;
	return nat(owner, op, reg, out);
}

static void target(const struct spelling *s)
{
	ip_addr a = s->op->a ? s->owner->wide.v[s->op->a] : (ip_addr){ 0, 0 };
	bool six = ip_set(a) && !ip_is4(a);

	sb_printf(s->out, "%s%s%s", six && s->op->b ? "[" : "", IP(a), six && s->op->b ? "]" : "");
	if (s->op->b)
		sb_printf(s->out, ":%u", s->op->b);
}

static void dnat_nft(const struct spelling *s)
{
	sb_printf(s->out, "%s", s->op->code == OP_DNAT ? "dnat" : "snat");
	if (s->op->rel == REL_IN) {
		sb_add(s->out, s->v6 ? " ip6 addr . port to" : " ip addr . port to");
		return;
	}
	sb_add(s->out, " to ");
	target(s);
}

static void dnat_iptables(const struct spelling *s)
{
	sb_add(s->out, s->op->code == OP_DNAT ? "-j DNAT --to-destination " : "-j SNAT --to-source ");
	target(s);
}

static void masq_nft(const struct spelling *s) { sb_add(s->out, s->op->a ? "masquerade fully-random" : "masquerade"); }
static void masq_iptables(const struct spelling *s) { sb_add(s->out, s->op->a ? "-j MASQUERADE --random-fully" : "-j MASQUERADE"); }
static void redirect_nft(const struct spelling *s) { sb_printf(s->out, "redirect to :%u", s->op->b); }
static void redirect_iptables(const struct spelling *s) { sb_printf(s->out, "-j REDIRECT --to-ports %u", s->op->b); }

static bool dnat_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	ip_addr to = op->rel != REL_IN && op->a ? l->owner->wide.v[op->a] : ip_from4(0);

	*out = (struct insn){ .code = LOW_DNAT, .rel = op->rel, .b = op->b, .value = ip_to4(to) };
	return ip_is4(to);
}

static bool masquerade_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	(void)l;
	*out = (struct insn){ .code = LOW_MASQUERADE, .b = op->b };
	return true;
}

const struct op_def op_dnat = { eval, dnat_nft, dnat_iptables, dnat_lower };
const struct op_def op_snat = { eval, dnat_nft, dnat_iptables, NULL };
const struct op_def op_masquerade = { eval, masq_nft, masq_iptables, masquerade_lower };
const struct op_def op_redirect = { eval, redirect_nft, redirect_iptables, NULL };
