/* MARK, CTMARK, NOTRACK, LOG, ACCOUNT, UNKNOWN: what changes nothing but the packet's own state, or cannot be told. */
#include "model/dataplane/lower.h"
#include "model/dataplane/op.h"

static enum op_does mark_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
			      struct op_result *out)
{
	(void)rs;
	(void)owner;
	(void)reg;
	(void)env;
	(void)out;
	p->mark = (p->mark & op->a) ^ op->b;
	return DOES_NEXT;
}

static void mark_nft(const struct spelling *s)
{
	uint32_t keep = s->op->a, xor = s->op->b;

	if (keep == 0xffffffffu)
		sb_printf(s->out, "meta mark set meta mark ^ 0x%08x", xor);
	else if (keep == ~xor)
		sb_printf(s->out, "meta mark set meta mark | 0x%08x", xor);
	else if (!keep)
		sb_printf(s->out, "meta mark set 0x%08x", xor);
	else if (!xor)
		sb_printf(s->out, "meta mark set meta mark & 0x%08x", keep);
	else
		sb_printf(s->out, "meta mark set meta mark & 0x%08x ^ 0x%08x", keep, xor);
}

/* iptables-save shows every change of the mark as --set-xmark VALUE/MASK: mark = (mark & ~mask) ^ value. */
static void mark_iptables(const struct spelling *s)
{
	sb_printf(s->out, "-j MARK --set-xmark 0x%x/0x%x", s->op->b, ~s->op->a);
}

static bool mark_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	(void)l;
	*out = (struct insn){ .code = LOW_MARK, .mask = op->a, .value = op->b };
	return true;
}

const struct op_def op_mark = { mark_eval, mark_nft, mark_iptables, mark_lower };

/* xt_connmark.c: the masks of saving and restoring stand on different sides. */
static enum op_does ctmark_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
				struct op_result *out)
{
	(void)rs;
	(void)owner;
	(void)reg;
	(void)env;
	(void)out;
	switch ((enum ctmark_does)op->field) {
	case CTM_SET:
		p->ct_mark = (p->ct_mark & op->a) ^ op->b;
		break;
	case CTM_SAVE:
		p->ct_mark = (p->ct_mark & op->a) ^ (p->mark & op->b);
		break;
	case CTM_RESTORE:
		p->mark = (p->mark & op->a) ^ (p->ct_mark & op->b);
		break;
	}
	return DOES_NEXT;
}

static void ctmark_nft(const struct spelling *s)
{
	bool restore = s->op->field == CTM_RESTORE;
	const char *to = restore ? "meta mark" : "ct mark", *from = s->op->field == CTM_SAVE ? "meta mark" : "ct mark";

	sb_printf(s->out, "%s set ", to);
	if (s->op->field == CTM_SET && !s->op->a)
		sb_printf(s->out, "0x%08x", s->op->b);
	else if (s->op->field == CTM_SET)
		sb_printf(s->out, "ct mark & 0x%08x ^ 0x%08x", s->op->a, s->op->b);
	else if (!s->op->a && s->op->b == 0xffffffffu)
		sb_add(s->out, from);
	else
		sb_printf(s->out, "%s & 0x%08x | ( %s & 0x%08x )", to, s->op->a, from, s->op->b);
}

static void ctmark_iptables(const struct spelling *s)
{
	static const char *const words[] = { [CTM_SAVE] = "save", [CTM_RESTORE] = "restore" };

	if (s->op->field == CTM_SET)
		sb_printf(s->out, "-j CONNMARK --set-xmark 0x%x/0x%x", s->op->b, ~s->op->a);
	else
		sb_printf(s->out, "-j CONNMARK --%s-mark --nfmask 0x%x --ctmask 0x%x", words[s->op->field], s->op->field == CTM_SAVE ? s->op->b : ~s->op->a,
			  s->op->field == CTM_SAVE ? ~s->op->a : s->op->b);
}

const struct op_def op_ctmark = { ctmark_eval, ctmark_nft, ctmark_iptables, NULL };

static enum op_does notrack_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
				 struct op_result *out)
{
	(void)rs;
	(void)owner;
	(void)op;
	(void)reg;
	(void)env;
	(void)out;
	p->ct_state = CT_UNTRACKED;
	return DOES_NEXT;
}

static void notrack_nft(const struct spelling *s) { sb_add(s->out, "notrack"); }
static void notrack_iptables(const struct spelling *s) { sb_add(s->out, "-j CT --notrack"); }
const struct op_def op_notrack = { notrack_eval, notrack_nft, notrack_iptables, NULL };

static enum op_does log_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
			     struct op_result *out)
{
	(void)rs;
	(void)owner;
	(void)op;
	(void)p;
	(void)reg;
	(void)env;
	(void)out;
	return DOES_NEXT;
}

static void log_nft(const struct spelling *s) { sb_printf(s->out, "log prefix \"%s\"", s->owner->text.v[s->op->a]); }
static void log_iptables(const struct spelling *s) { sb_printf(s->out, "-j LOG --log-prefix \"%s\"", s->owner->text.v[s->op->a]); }
const struct op_def op_log = { log_eval, log_nft, log_iptables, NULL };

static void account_nft(const struct spelling *s) { sb_printf(s->out, "counter name \"%s\"", s->owner->text.v[s->op->a]); }
static void account_iptables(const struct spelling *s) { sb_printf(s->out, "-m nfacct --nfacct-name %s", s->owner->text.v[s->op->a]); }
const struct op_def op_account = { log_eval, account_nft, account_iptables, NULL };

static enum op_does unknown_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
				 struct op_result *out)
{
	(void)rs;
	(void)p;
	(void)reg;
	(void)env;
	out->why = owner->text.v[op->a];
	return DOES_UNKNOWN;
}

static void unknown_text(const struct spelling *s) { sb_add(s->out, s->owner->text.v[s->op->a]); }
const struct op_def op_unknown = { unknown_eval, unknown_text, unknown_text, NULL };
