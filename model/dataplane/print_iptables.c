/* A ruleset as iptables-save prints it, in the form that iptables-restore reads. */
#include "model/dataplane/op.h"

static bool leads(const struct op *op)
{
	return op->code == OP_MATCH && (op->field == PF_SADDR || op->field == PF_DADDR || op->field == PF_IIFNAME || op->field == PF_OIFNAME || op->field == PF_L4PROTO);
}

static bool is_target(const struct op *op)
{
	switch ((enum op_code)op->code) {
	case OP_MARK:
	case OP_CTMARK:
	case OP_DNAT:
	case OP_SNAT:
	case OP_MASQUERADE:
	case OP_REDIRECT:
	case OP_NOTRACK:
	case OP_LOG:
	case OP_ACCEPT:
	case OP_DROP:
	case OP_REJECT:
	case OP_JUMP:
	case OP_GOTO:
	case OP_RETURN:
		return true;
	case OP_UNKNOWN:
		return op->b == 2;
	case OP_MATCH:
	case OP_LOOKUP:
	case OP_FIB:
	case OP_CHANCE:
	case OP_CHOOSE:
	case OP_ACCOUNT:
	case OP_UPDATE:
	case OP_COUNT:
		break;
	}
	return false;
}

static void one(struct spelling *s, const struct op *op, const char *before)
{
	sb_add(s->out, before);
	s->op = op;
	op_defs[op->code]->iptables(s);
}

static void quoted(struct sb *out, const char *comment)
{
	bool plain = *comment != '\0';

	for (const char *p = comment; *p; p++)
		plain = plain && *p != ' ' && *p != '"' && *p != '\\' && *p != '\'';
	if (plain) {
		sb_add(out, comment);
		return;
	}
	sb_addc(out, '"');
	for (const char *p = comment; *p; p++) {
		if (*p == '"' || *p == '\\' || *p == '\'')
			sb_addc(out, '\\');
		sb_addc(out, *p);
	}
	sb_addc(out, '"');
}

/* -s -d -i -o -p, then the comment, the matches in order (ports behind their -m tcp), then the target. */
void iptables_rule(const struct ruleset *rs, const struct ruleset *owner, const struct chain *c, const struct rule *r, bool comment, struct sb *out)
{
	static const uint8_t first[] = { PF_SADDR, PF_DADDR, PF_IIFNAME, PF_OIFNAME, PF_L4PROTO };
	struct spelling s = { owner, NULL, ruleset_table_get(rs, c->table)->family == NF_IP6, out };
	const struct op *ops = owner->ops.v + r->op, *proto = NULL;

	sb_printf(out, "-A %s", c->name);
	if (r->raw) {
		sb_printf(out, " %s", r->raw);
		return;
	}
	for (size_t f = 0; f < ARRAY_LEN(first); f++)
		for (uint16_t k = 0; k < r->nr_ops; k++)
			if (leads(&ops[k]) && ops[k].field == first[f]) {
				one(&s, &ops[k], " ");
				proto = ops[k].field == PF_L4PROTO ? &ops[k] : proto;
			}
	if (comment && r->comment) {
		sb_add(out, " -m comment --comment ");
		quoted(out, r->comment);
	}
	for (uint16_t k = 0; k < r->nr_ops; k++) {
		bool port = ops[k].code == OP_MATCH && (ops[k].field == PF_SPORT || ops[k].field == PF_DPORT);

		if (leads(&ops[k]) || is_target(&ops[k]))
			continue;
		if (port && proto && proto_word(proto->a) && (k == 0 || ops[k - 1].code != OP_MATCH || (ops[k - 1].field != PF_SPORT && ops[k - 1].field != PF_DPORT)))
			sb_printf(out, " -m %s", proto_word(proto->a));
		one(&s, &ops[k], " ");
	}
	for (uint16_t k = 0; k < r->nr_ops; k++) {
		if (is_target(&ops[k]))
			one(&s, &ops[k], " ");
	}
}

static bool built_in(const struct chain *c)
{
	return c->hook != HOOK_NONE;
}

static void list_table(const struct ruleset *rs, table_h t, const struct print_rules *how, void (*cause)(void *, cause_h, struct sb *), void *ctx, struct sb *out)
{
	const struct table *table = ruleset_table_get(rs, t);
	struct arena *a = arena_new(NULL, "listing");
	uint32_t nr, *chains = ruleset_in_order(rs, false, a, &nr);

	sb_printf(out, "*%s\n", table->name);
	for (int pass = 1; pass >= 0; pass--)
		for (uint32_t k = 0; k < nr; k++) {
			const struct chain *c = ruleset_chain_get(rs, (chain_h){ chains[k] });

			if (how && how->most && !pass && k >= how->most)
				break;
			if (c->table.i == t.i && built_in(c) == (bool)pass)
				sb_printf(out, ":%s %s [0:0]\n", c->name, !built_in(c) ? "-" : c->policy == OP_DROP ? "DROP" : "ACCEPT");
		}
	for (uint32_t k = 0; k < nr; k++) {
		const struct chain *c = ruleset_chain_get(rs, (chain_h){ chains[k] });
		const struct ruleset *owner;
		const struct chain_body *b = chain_body(rs, (chain_h){ chains[k] }, &owner);

		if (how && how->most && k >= how->most) {
			sb_printf(out, "# … up to %u more chains\n", nr - k);
			break;
		}
		for (uint32_t i = 0; c->table.i == t.i && i < b->rules.nr; i++) {
			if (how && how->most && i == how->most) {
				sb_printf(out, "# … %u more rules of %s\n", b->rules.nr - i, c->name);
				break;
			}
			if (how && how->causes && cause && b->rules.v[i].cause.i) {
				sb_add(out, "# ");
				cause(ctx, b->rules.v[i].cause, out);
				sb_addc(out, '\n');
			}
			if (rule_is_no_text(owner, &b->rules.v[i]))
				sb_add(out, "# ");
			iptables_rule(rs, owner, c, &b->rules.v[i], !how || how->comments, out);
			sb_addc(out, '\n');
		}
	}
	sb_add(out, "COMMIT\n");
	arena_free(a);
}

void print_iptables(const struct ruleset *rs, enum nf_family family, const struct print_rules *how, void (*cause)(void *, cause_h, struct sb *), void *ctx, struct sb *out)
{
	bool any = false;

	for (uint32_t t = 1; t <= ruleset_nr_tables(rs); t++) {
		const struct table *table = ruleset_table_get(rs, (table_h){ t });

		if (!table->iptables || table->hidden || table->family != family)
			continue;
		if (!any)
			sb_printf(out, "# Generated by %s-save v1.8.9\n", family == NF_IP6 ? "ip6tables" : "iptables");
		any = true;
		list_table(rs, (table_h){ t }, how, cause, ctx, out);
	}
}
