/* ACCEPT, DROP, REJECT, JUMP, GOTO, RETURN. */
#include "model/dataplane/lower.h"
#include "model/dataplane/op.h"

static enum op_does eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
			 struct op_result *out)
{
	(void)rs;
	(void)owner;
	(void)p;
	(void)reg;
	(void)env;
	out->verdict = (enum op_code)op->code;
	out->chain = (chain_h){ op->a };
	out->reject = (uint8_t)op->a;
	return DOES_VERDICT;
}

static const char *chain_name(const struct spelling *s)
{
	return ruleset_chain_get(s->owner, (chain_h){ s->op->a })->name;
}

static void accept_nft(const struct spelling *s) { sb_add(s->out, "accept"); }
static void drop_nft(const struct spelling *s) { sb_add(s->out, "drop"); }
static void return_nft(const struct spelling *s) { sb_add(s->out, "return"); }
static void jump_nft(const struct spelling *s) { sb_printf(s->out, "jump %s", chain_name(s)); }
static void goto_nft(const struct spelling *s) { sb_printf(s->out, "goto %s", chain_name(s)); }
static void accept_ipt(const struct spelling *s) { sb_add(s->out, "-j ACCEPT"); }
static void drop_ipt(const struct spelling *s) { sb_add(s->out, "-j DROP"); }
static void return_ipt(const struct spelling *s) { sb_add(s->out, "-j RETURN"); }
static void jump_ipt(const struct spelling *s) { sb_printf(s->out, "-j %s", chain_name(s)); }
static void goto_ipt(const struct spelling *s) { sb_printf(s->out, "-g %s", chain_name(s)); }

static void reject_nft(const struct spelling *s)
{
	sb_add(s->out, s->op->a == REJECT_TCP_RESET ? "reject with tcp reset" : s->op->a == REJECT_ADMIN ? (s->v6 ? "reject with icmpv6 admin-prohibited" : "reject with icmp admin-prohibited") : "reject");
}

static void reject_ipt(const struct spelling *s)
{
	sb_printf(s->out, "-j REJECT --reject-with %s", s->op->a == REJECT_TCP_RESET ? "tcp-reset" : s->op->a == REJECT_ADMIN ? (s->v6 ? "icmp6-adm-prohibited" : "icmp-admin-prohibited")
													     : s->v6 ? "icmp6-port-unreachable" : "icmp-port-unreachable");
}

static bool verdict_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	static const uint8_t codes[OP_COUNT] = {
		[OP_ACCEPT] = LOW_ACCEPT, [OP_DROP] = LOW_DROP, [OP_REJECT] = LOW_REJECT, [OP_RETURN] = LOW_RETURN, [OP_JUMP] = LOW_JUMP, [OP_GOTO] = LOW_GOTO,
	};

	(void)l;
	*out = (struct insn){ .code = codes[op->code], .a = op->a };
	return true;
}

const struct op_def op_accept = { eval, accept_nft, accept_ipt, verdict_lower };
const struct op_def op_drop = { eval, drop_nft, drop_ipt, verdict_lower };
const struct op_def op_reject = { eval, reject_nft, reject_ipt, verdict_lower };
const struct op_def op_jump = { eval, jump_nft, jump_ipt, verdict_lower };
const struct op_def op_goto = { eval, goto_nft, goto_ipt, verdict_lower };
const struct op_def op_return = { eval, return_nft, return_ipt, verdict_lower };
