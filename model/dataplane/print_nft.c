/* A ruleset as `nft list ruleset` prints it, in the form that `nft -f` reads. */
#include "model/dataplane/op.h"

const char *const nf_family_names[] = { [NF_IP] = "ip", [NF_IP6] = "ip6", [NF_INET] = "inet", [NF_BRIDGE] = "bridge" };
const char *const nf_hook_names[NF_HOOKS] = { "", "prerouting", "input", "forward", "output", "postrouting" };
const char *const nf_type_names[NF_TYPES] = { "filter", "nat", "route" };

static bool is_v6(const struct ruleset *rs, table_h t)
{
	return ruleset_table_get(rs, t)->family == NF_IP6;
}

/* The type of a key field as sets declare it. */
static const char *type_of(uint8_t field, bool v6)
{
	switch ((enum pkt_field)field) {
	case PF_SADDR:
	case PF_DADDR:
	case PF_CT_DNATED_FROM: return v6 ? "ipv6_addr" : "ipv4_addr";
	case PF_SPORT:
	case PF_DPORT: return "inet_service";
	case PF_L4PROTO: return "inet_proto";
	case PF_IIFNAME:
	case PF_OIFNAME: return "ifname";
	case PF_MARK: return "mark";
	case PF_CT_STATE: return "ct_state";
	case PF_CT_STATUS: return "ct_status";
	case PF_SKUID: return "uid";
	case PF_SKGID: return "gid";
	case PF_ICMP_TYPE: return v6 ? "icmpv6_type" : "icmp_type";
	case PF_TCP_FLAGS: return "tcp_flag";
	case PF_CT_MARK: return "mark";
	case PF_CT_ORIG_DPORT: return "inet_service";
	case PF_CT_REPLY_DIR: return "ct_dir";
	case PF_REGISTER:
	case PF_COUNT: break;
	}
	return "integer";
}

/* ---- elements */

static void key_word(struct sb *out, uint8_t field, ip_addr w)
{
	switch ((enum pkt_field)field) {
	case PF_SADDR:
	case PF_DADDR:
	case PF_CT_DNATED_FROM:
		sb_add(out, IP(w));
		return;
	case PF_L4PROTO:
		if (proto_word((uint32_t)w.lo))
			sb_add(out, proto_word((uint32_t)w.lo));
		else
			sb_printf(out, "%u", (uint32_t)w.lo);
		return;
	case PF_IIFNAME:
	case PF_OIFNAME:
		sb_printf(out, "\"%s\"", (const char *)(uintptr_t)w.lo);
		return;
	case PF_SPORT:
	case PF_DPORT:
	case PF_MARK:
	case PF_CT_STATE:
	case PF_CT_STATUS:
	case PF_SKUID:
	case PF_SKGID:
	case PF_ICMP_TYPE:
	case PF_TCP_FLAGS:
	case PF_REGISTER:
	case PF_CT_MARK:
	case PF_CT_ORIG_DPORT:
	case PF_CT_REPLY_DIR:
	case PF_COUNT:
		sb_printf(out, "%" PRIu64, w.lo);
	}
}

/* A range as a prefix where it is one. */
static void range_text(struct sb *out, ip_addr first, ip_addr last)
{
	struct cidr c;

	if (cidr_of_range(first, last, &c)) {
		sb_add(out, c.len == ip_bits(first) ? IP(first) : CIDR(c));
		return;
	}
	sb_printf(out, "%s-", IP(first));
	sb_add(out, IP(last));
}

static void verdict_text(const struct ruleset *rs, struct verdict_value v, struct sb *out)
{
	static const char *const words[OP_COUNT] = { [OP_ACCEPT] = "accept", [OP_DROP] = "drop", [OP_RETURN] = "return", [OP_JUMP] = "jump", [OP_GOTO] = "goto" };

	sb_add(out, words[v.code] ? words[v.code] : "continue");
	if (v.code == OP_JUMP || v.code == OP_GOTO)
		sb_printf(out, " %s", ruleset_chain_get(rs, v.chain)->name);
}

static void comment_text(struct sb *out, str comment)
{
	if (comment)
		sb_printf(out, " comment \"%s\"", comment);
}

void elem_text(const struct ruleset *owner, const struct set *s, const struct elem *e, struct sb *out)
{
	for (uint8_t k = 0; k < s->nkey; k++) {
		sb_add(out, k ? " . " : "");
		if (s->flags & SETF_INTERVAL && (s->key[k] == PF_SADDR || s->key[k] == PF_DADDR))
			range_text(out, owner->wide.v[e->key + 2u * k], owner->wide.v[e->key + 2u * k + 1]);
		else if (s->flags & SETF_INTERVAL && owner->wide.v[e->key + 2u * k].lo != owner->wide.v[e->key + 2u * k + 1].lo)
			sb_printf(out, "%" PRIu64 "-%" PRIu64, owner->wide.v[e->key + 2u * k].lo, owner->wide.v[e->key + 2u * k + 1].lo);
		else
			key_word(out, s->key[k], owner->wide.v[e->key + (s->flags & SETF_INTERVAL ? 2u : 1u) * k]);
	}
	if (!(s->flags & SETF_ANONYMOUS))
		comment_text(out, elem_comment(owner, e));
	if (s->kind == SET_VMAP) {
		sb_add(out, " : ");
		verdict_text(owner, e->verdict, out);
	} else if (s->kind == SET_MAP) {
		sb_printf(out, " : %s", IP(owner->wide.v[e->value]));
		if (!s->value_addr)
			sb_printf(out, " . %" PRIu64, owner->wide.v[e->value + 1].lo);
	}
}

/* ---- rules */

static bool is_choice(const struct op *op, uint16_t left)
{
	return op->code == OP_CHOOSE && left > 1 && op[1].code == OP_LOOKUP && op[1].nkey == 1 && (op[1].c & 15) == PF_REGISTER;
}

/* `meta l4proto tcp th dport 80` is listed as `tcp dport 80`. */
static bool is_port_of(const struct op *op, uint16_t left)
{
	return op->code == OP_MATCH && op->field == PF_L4PROTO && op->rel == REL_EQ && left > 1 && op[1].code == OP_MATCH && (op[1].field == PF_DPORT || op[1].field == PF_SPORT) &&
	       (op->a == PROTO_TCP || op->a == PROTO_UDP || op->a == PROTO_SCTP);
}

static void nft_rule(const struct ruleset *rs, const struct ruleset *owner, const struct chain *c, const struct rule *r, struct sb *out)
{
	struct spelling s = { owner, NULL, is_v6(rs, c->table), out };

	if (r->raw) {
		sb_add(out, r->raw);
		return;
	}
	for (uint16_t k = 0; k < r->nr_ops; k++) {
		const struct op *op = &owner->ops.v[r->op + k];
		uint16_t left = (uint16_t)(r->nr_ops - k);

		if (k)
			sb_addc(out, ' ');
		s.op = op;
		if (is_choice(op, left) && left > 2 && op[2].code == OP_DNAT) {        /* dnat ip addr . port to numgen random mod 3 map { … } */
			s.op = &op[2];
			op_defs[OP_DNAT]->nft(&s);
			sb_addc(out, ' ');
			s.op = op;
			op_defs[OP_CHOOSE]->nft(&s);
			sb_addc(out, ' ');
			s.op = &op[1];
			op_defs[OP_LOOKUP]->nft(&s);
			k = (uint16_t)(k + 2);
		} else if (is_port_of(op, left)) {
			sb_printf(out, "%s ", proto_word(op->a));
			s.op = &op[1];
			{
				size_t at = out->len;

				op_defs[OP_MATCH]->nft(&s);
				memmove(out->s + at, out->s + at + 3, out->len - at - 3);      /* "th dport" without "th " */
				out->len -= 3;
				out->s[out->len] = '\0';
			}
			k++;
		} else {
			op_defs[op->code]->nft(&s);
		}
	}
}

void iptables_rule(const struct ruleset *, const struct ruleset *, const struct chain *, const struct rule *, bool comment, struct sb *);

void rule_text(const struct ruleset *owner, const struct chain *c, const struct rule *r, struct sb *out)
{
	if (ruleset_table_get(owner, c->table)->iptables)
		iptables_rule(owner, owner, c, r, false, out);
	else
		nft_rule(owner, owner, c, r, out);
}

/* ---- tables */

struct listing { const struct ruleset *rs; const struct print_rules *how; void (*cause)(void *, cause_h, struct sb *); void *ctx; struct sb *out; };

static void cause_line(const struct listing *l, cause_h h)
{
	struct sb text = { 0 };

	if (l->how && l->how->causes && h.i && l->cause) {
		l->cause(l->ctx, h, &text);
		if (text.len)
			sb_printf(l->out, "\t# %s", sb_text(&text));
	}
	sb_free(&text);
}

static void list_set(const struct listing *l, set_h h)
{
	const struct set *s = ruleset_set_get(l->rs, h);
	const struct ruleset *owner;
	const struct set_body *b = set_body(l->rs, h, &owner);
	bool v6 = is_v6(l->rs, s->table);
	const char *sep = "";

	set_body_order(owner, s, b);
	sb_printf(l->out, "\t%s %s {\n\t\ttype ", s->kind == SET_PLAIN ? "set" : "map", s->name);
	for (uint8_t k = 0; k < s->nkey; k++, sep = " . ")
		sb_printf(l->out, "%s%s", sep, type_of(s->key[k], v6));
	if (s->kind == SET_MAP)
		sb_printf(l->out, " : %s%s\n", v6 ? "ipv6_addr" : "ipv4_addr", s->value_addr ? "" : " . inet_service");
	else
		sb_add(l->out, s->kind == SET_VMAP ? " : verdict\n" : "\n");
	if (s->flags & (SETF_INTERVAL | SETF_DYNAMIC | SETF_TIMEOUT))
		sb_printf(l->out, "\t\tflags %s%s%s%s%s\n", s->flags & SETF_INTERVAL ? "interval" : "", s->flags & SETF_INTERVAL && s->flags & (SETF_DYNAMIC | SETF_TIMEOUT) ? "," : "",
			  s->flags & SETF_DYNAMIC ? "dynamic" : "", s->flags & SETF_DYNAMIC && s->flags & SETF_TIMEOUT ? "," : "", s->flags & SETF_TIMEOUT ? "timeout" : "");
	if (s->timeout)
		sb_printf(l->out, "\t\ttimeout %us\n", s->timeout);
	if (s->comment)
		sb_printf(l->out, "\t\tcomment \"%s\"\n", s->comment);
	for (uint32_t k = 0; k < b->nr; k++) {
		if (l->how && l->how->most && k == l->how->most) {
			sb_printf(l->out, ",\n\t\t\t     # … %u more }", b->nr - k);
			break;
		}
		sb_add(l->out, k ? ",\n\t\t\t     " : "\t\telements = { ");
		elem_text(owner, s, &b->v[k], l->out);
		if (k + 1 == b->nr)
			sb_add(l->out, " }");
		if (l->how && l->how->causes && k + 1 == b->nr)
			cause_line(l, b->v[k].cause);
	}
	sb_add(l->out, b->nr ? "\n\t}\n\n" : "\t}\n\n");
}

static void list_chain(const struct listing *l, chain_h h)
{
	const struct chain *c = ruleset_chain_get(l->rs, h);
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(l->rs, h, &owner);

	sb_printf(l->out, "\tchain %s {\n", c->name);
	if (c->comment)
		sb_printf(l->out, "\t\tcomment \"%s\"\n", c->comment);
	if (c->hook)
		sb_printf(l->out, "\t\ttype %s hook %s priority %d; policy %s;\n", nf_type_names[c->type], nf_hook_names[c->hook], c->priority, c->policy == OP_DROP ? "drop" : "accept");
	for (uint32_t k = 0; k < b->rules.nr; k++) {
		sb_add(l->out, rule_is_no_text(owner, &b->rules.v[k]) ? "\t\t# " : "\t\t");
		nft_rule(l->rs, owner, c, &b->rules.v[k], l->out);
		comment_text(l->out, b->rules.v[k].comment);
		cause_line(l, b->rules.v[k].cause);
		sb_addc(l->out, '\n');
	}
	sb_add(l->out, "\t}\n\n");
}

void print_nft(const struct ruleset *rs, const struct print_rules *how, void (*cause)(void *, cause_h, struct sb *), void *ctx, struct sb *out)
{
	struct listing l = { rs, how, cause, ctx, out };
	struct arena *a = arena_new(NULL, "listing");
	uint32_t nr_sets, nr_chains, *sets = ruleset_in_order(rs, true, a, &nr_sets), *chains = ruleset_in_order(rs, false, a, &nr_chains);

	for (uint32_t t = 1; t <= ruleset_nr_tables(rs); t++) {
		const struct table *table = ruleset_table_get(rs, (table_h){ t });

		if (table->iptables || (how && how->only_table && strcmp(how->only_table, table->name) != 0) || (how && streq(how->not_table, table->name)))
			continue;
		sb_printf(out, "table %s %s {\n", nf_family_names[table->family], table->name);
		if (table->comment)
			sb_printf(out, "\tcomment \"%s\"\n\n", table->comment);
		for (uint32_t k = 0; k < nr_sets; k++)
			if (ruleset_set_get(rs, (set_h){ sets[k] })->table.i == t && !(ruleset_set_get(rs, (set_h){ sets[k] })->flags & SETF_ANONYMOUS))
				list_set(&l, (set_h){ sets[k] });
		for (uint32_t k = 0, shown = 0; k < nr_chains; k++) {
			if (how && how->most && shown >= how->most) {
				sb_printf(out, "\t# … up to %u more chains\n", nr_chains - k);
				break;
			}
			if (ruleset_chain_get(rs, (chain_h){ chains[k] })->table.i != t)
				continue;
			list_chain(&l, (chain_h){ chains[k] });
			shown++;
		}
		if (out->len > 1 && out->s[out->len - 2] == '\n')
			out->s[--out->len] = '\0';
		sb_add(out, "}\n");
	}
	arena_free(a);
}
