/* LOOKUP and UPDATE: fields of the packet against a set or map. Dynamic sets (session affinity, `recent`) are state of the walk, not of the rules. */
#include "model/dataplane/lower.h"
#include "model/dataplane/op.h"

static void make_key(const struct op *op, const struct packet *p, const struct op_reg *reg, ip_addr *key)
{
	for (uint8_t k = 0; k < op->nkey; k++) {
		enum pkt_field f = (enum pkt_field)(op->c >> (4 * k) & 15);

		key[k] = f == PF_REGISTER ? word(reg->num) : f == PF_CT_STATE ? word(p->ct_state) : packet_field(p, f);
	}
}

static bool needs_ports(const struct op *op)
{
	for (uint8_t k = 0; k < op->nkey; k++) {
		enum pkt_field f = (enum pkt_field)(op->c >> (4 * k) & 15);

		if (f == PF_SPORT || f == PF_DPORT)
			return true;
	}
	return false;
}

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

static enum op_does lookup_eval(const struct ruleset *rs, const struct ruleset *outer, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
				struct op_result *out)
{
	set_h h = { op->a };
	const struct set *s = ruleset_set_get(rs, h);
	const struct ruleset *owner;
	const struct set_body *b;
	const struct elem *e;
	ip_addr key[5];

	(void)outer;
	if (needs_ports(op) && !has_ports(p->proto))
		return op->rel == REL_NE ? DOES_NEXT : DOES_FAIL;
	b = set_body(rs, h, &owner);
	if (!b->nr && !(s->flags & SETF_DYNAMIC))
		return op->rel == REL_NE ? DOES_NEXT : DOES_FAIL;
	make_key(op, p, reg, key);
	e = set_lookup(owner, s, b, key);
	if (s->flags & SETF_DYNAMIC && s->kind == SET_PLAIN)
		return (e || env->dyn_has(env->ctx, h, key, op->nkey, op->b ? op->b : s->timeout)) == (op->rel == REL_EQ) ? DOES_NEXT : DOES_FAIL;
	if ((e != NULL) != (op->rel == REL_EQ))
		return DOES_FAIL;
	out->elem = e;
	if (!e || s->kind == SET_PLAIN)
		return DOES_NEXT;
	if (s->kind == SET_VMAP) {
		out->verdict = (enum op_code)e->verdict.code;
		out->chain = e->verdict.chain;
		return DOES_VERDICT;
	}
	reg->addr = owner->wide.v[e->value];
	reg->num = (uint32_t)owner->wide.v[e->value + 1].lo;
	reg->set = true;
	return DOES_NEXT;
}

static enum op_does update_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
				struct op_result *out)
{
	set_h h = { op->a };
	ip_addr key[5];

	(void)owner;
	(void)out;
	make_key(op, p, reg, key);
	env->dyn_add(env->ctx, h, key, op->nkey, op->b ? op->b : ruleset_set_get(rs, h)->timeout);
	return DOES_NEXT;
}

/* ---- spelling */

static void key_text(const struct spelling *s)
{
	const char *sep = "";

	for (uint8_t k = 0; k < s->op->nkey; k++) {
		sb_printf(s->out, "%s%s", sep, nft_field((enum pkt_field)(s->op->c >> (4 * k) & 15), s->v6));
		sep = " . ";
	}
}

/* { 0 : goto endpoint-…, 1 : … } */
static void anonymous(const struct spelling *s, const struct set *set, set_h h)
{
	const struct ruleset *owner;
	const struct set_body *b = set_body(s->owner, h, &owner);

	sb_add(s->out, "{ ");
	for (uint32_t k = 0; k < b->nr; k++) {
		sb_add(s->out, k ? ", " : "");
		elem_text(owner, set, &b->v[k], s->out);
	}
	sb_add(s->out, " }");
}

static void lookup_nft(const struct spelling *s)
{
	set_h h = { s->op->a };
	const struct set *set = ruleset_set_get(s->owner, h);

	if (s->op->c != PF_REGISTER || s->op->nkey != 1) {
		key_text(s);
		sb_addc(s->out, ' ');
	}
	if (set->kind == SET_VMAP)
		sb_add(s->out, "vmap ");
	else if (set->kind == SET_MAP)
		sb_add(s->out, "map ");
	else if (s->op->rel == REL_NE)
		sb_add(s->out, "!= ");
	if (set->flags & SETF_ANONYMOUS)
		anonymous(s, set, h);
	else
		sb_printf(s->out, "@%s", set->name);
}

static void update_nft(const struct spelling *s)
{
	sb_printf(s->out, "update @%s { ", ruleset_set_get(s->owner, (set_h){ s->op->a })->name);
	key_text(s);
	sb_add(s->out, " }");
}

static const char *direction(const struct spelling *s)
{
	static const char *const pairs[] = { "src", "dst" };

	return pairs[(s->op->c & 15) == PF_DADDR];
}

/* Ports of an anonymous set: -m multiport --dports 80,443 */
static void multiport(const struct spelling *s, set_h h)
{
	const struct ruleset *owner;
	const struct set_body *b = set_body(s->owner, h, &owner);

	sb_printf(s->out, "-m multiport %s--%s ", s->op->rel == REL_NE ? "! " : "", (s->op->c & 15) == PF_SPORT ? "sports" : "dports");
	for (uint32_t k = 0; k < b->nr; k++)
		sb_printf(s->out, "%s%u", k ? "," : "", (unsigned)owner->wide.v[b->v[k].key].lo);
}

static void lookup_iptables(const struct spelling *s)
{
	const struct set *set = ruleset_set_get(s->owner, (set_h){ s->op->a });

	if (set->flags & SETF_DYNAMIC) {        /* xt_recent */
		sb_printf(s->out, "-m recent %s--rcheck --seconds %u --reap --name %s --mask %s --rsource", s->op->rel == REL_NE ? "! " : "", s->op->b ? s->op->b : set->timeout,
			  set->name, s->v6 ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255");
		return;
	}
	if (set->flags & SETF_ANONYMOUS) {
		multiport(s, (set_h){ s->op->a });
		return;
	}
	sb_printf(s->out, "-m set %s--match-set %s %s", s->op->rel == REL_NE ? "! " : "", set->name, direction(s));
	if (s->op->nkey > 1)
		sb_printf(s->out, ",%s", (s->op->c & 15) == PF_DADDR ? "dst" : "src");
}

static void update_iptables(const struct spelling *s)
{
	sb_printf(s->out, "-m recent --set --name %s --mask %s --rsource", ruleset_set_get(s->owner, (set_h){ s->op->a })->name,
		  s->v6 ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255");
}

static bool lookup_lower(const struct lowering *l, const struct op *op, struct insn *out)
{
	const struct set *s = ruleset_set_get(l->owner, (set_h){ op->a });
	bool from_register = op->nkey == 1 && (op->c & 15) == PF_REGISTER;
	uint32_t fields = 0;

	if (s->flags & SETF_DYNAMIC || (s->kind == SET_MAP) != from_register || (s->kind != SET_PLAIN && op->rel != REL_EQ))
		return false;
	for (uint8_t k = op->nkey; k-- > 0 && !from_register;) {
		enum pkt_field f = (enum pkt_field)(op->c >> (4 * k) & 15);

		if ((f != PF_SADDR && f != PF_DADDR && f != PF_L4PROTO && f != PF_SPORT && f != PF_DPORT) || (fields && f == PF_SPORT))
			return false;
		fields = fields << 4 | (f + 1u);
	}
	*out = (struct insn){ .code = from_register ? LOW_PICK : s->kind == SET_VMAP ? LOW_VMAP : LOW_SET, .rel = op->rel, .a = op->a, .b = fields };
	return true;
}

const struct op_def op_lookup = { lookup_eval, lookup_nft, lookup_iptables, lookup_lower };
const struct op_def op_update = { update_eval, update_nft, update_iptables, NULL };
