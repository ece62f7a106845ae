/* CHANCE and CHOOSE: where a walk forks. numgen draws anew on each evaluation (kernel nft_numgen.c), -m statistic likewise (xt_statistic.c). */
#include "model/dataplane/lower.h"
#include "model/dataplane/op.h"

static enum op_does chance_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
				struct op_result *out)
{
	(void)rs;
	(void)owner;
	(void)p;
	(void)reg;
	(void)env;
	out->k = op->a;
	out->n = op->b;
	out->choose = false;
	return op->a >= op->b ? DOES_NEXT : DOES_FORK;
}

static enum op_does choose_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
				struct op_result *out)
{
	(void)rs;
	(void)owner;
	(void)p;
	(void)env;
	out->n = op->a;
	out->choose = true;
	if (op->a > 1)
		return DOES_FORK;
	reg->num = 0;
	reg->set = true;
	return DOES_NEXT;
}

static void chance_nft(const struct spelling *s)
{
	sb_printf(s->out, "numgen random mod %u < %u", s->op->b, s->op->a);
}

static void choose_nft(const struct spelling *s)
{
	sb_printf(s->out, "numgen random mod %u", s->op->a);
}

/* The kernel keeps the probability as a multiple of 2^-31, made from what kube-proxy prints with ten decimals; iptables-save shows that. */
static void chance_iptables(const struct spelling *s)
{
	double printed = (double)(int64_t)((double)s->op->a / s->op->b * 1e10 + 0.5) / 1e10;
	uint32_t kept = (uint32_t)(printed * 0x80000000u + 0.5);

	sb_printf(s->out, "-m statistic --mode random --probability %.11f", (double)kept / 0x80000000u);
}

static void choose_iptables(const struct spelling *s)
{
	(void)s;                /* iptables has no register: its writers use chances */
}

static bool chance_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	(void)l;
	*out = (struct insn){ .code = LOW_CHANCE, .a = op->a, .b = op->b };
	return true;
}

static bool choose_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	(void)l;
	*out = (struct insn){ .code = LOW_CHOOSE, .a = op->a };
	return true;
}

const struct op_def op_chance = { chance_eval, chance_nft, chance_iptables, chance_lower };
const struct op_def op_choose = { choose_eval, choose_nft, choose_iptables, choose_lower };
