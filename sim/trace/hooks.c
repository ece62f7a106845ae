/* The base chains of one hook, in order of priority: jumps and returns, verdicts, NAT. An accept ends only its own base chain; a chain of type nat speaks once per
 * connection (nf_nat_core.c nf_nat_inet_fn). */
#include "sim/trace/walker.h"

#define MAX_DEPTH 16            /* NFT_JUMP_STACK_SIZE; iptables allows more, but nobody needs it */

static bool is_local(void *ctx, ip_addr a)
{
	struct walker *w = ctx;

	return addr_is_local(w->dp, w->ns, a);
}

static bool local_known(void *ctx, ip_addr a)
{
	struct walker *w = ctx;

	return !netns_get(w->dp, w->ns)->addrs_unknown || ip_is_multicast(a);
}

static int reverse(void *ctx, ip_addr src, str iif, bool loose)
{
	struct walker *w = ctx;
	struct flow_key f = { .src = w->p.dst, .dst = src, .mark = w->p.mark };
	const char *why = NULL;
	struct route r;
	int found;

	if (netns_get(w->dp, w->ns)->routes_unknown & (ip_is4(src) ? 1 : 2))
		return -1;
	found = route_lookup_flow(w->dp, w->ns, &f, &r, &why);
	if (found <= 0)
		return found;
	return r.type == RT_UNICAST && (loose || (r.dev.i && link_get(w->dp, r.dev)->name == iif));
}

static bool dyn_has(void *ctx, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	struct walker *w = ctx;

	(void)seconds;
	return w->flows && flows_has(w->flows, w->dp, w->ns, s, key, n);
}

static void dyn_add(void *ctx, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	struct walker *w = ctx;

	if (w->flows && w->flags & WALK_KEEP)
		flows_add(w->flows, w->dp, w->ns, s, key, n, seconds);
}

enum says { SAYS_NOTHING, SAYS_ACCEPT, SAYS_END };      /* END: dropped, rejected, unknown: half has the verdict */

struct eval {
	struct walker *w;
	const struct ruleset *rs;
	struct op_env env;
	enum nf_hook hook;
	link_h where;
	bool nat;               /* a chain of type nat */
	bool natted;
	cause_h by;             /* of the rule or element that sent the packet into this chain: a rule that all share has no cause of its own */
	uint64_t at[MAX_DEPTH + 1];     /* where it is: chain and rule by depth */
};

static const enum stage stages[] = { ST_SOCKET, ST_PREROUTING, ST_INPUT, ST_FORWARD, ST_OUTPUT, ST_POSTROUTING };

static void note_rule(struct hop *h, const struct ruleset *owner, chain_h c, uint32_t rule, const struct elem *e, cause_h cause)
{
	if (!h)
		return;
	h->owner = owner;
	h->chain = c;
	h->rule = rule;
	h->elem = e;
	h->cause = e && e->cause.i ? e->cause : cause;
}

static struct hop *decided(struct eval *x, const struct ruleset *owner, chain_h c, uint32_t i, const struct rule *r, const struct elem *e, const char *what)
{
	struct hop *h = note_hop(x->w, stages[x->hook], x->where, what);

	note_rule(h, owner, c, i, e, r->cause.i ? r->cause : x->by);
	x->w->out.rule_cause = e && e->cause.i ? e->cause : r->cause.i ? r->cause : x->w->out.rule_cause;
	if (h && x->w->considered.nr) {
		h->considered = arena_copy(x->w->a, x->w->considered.v, x->w->considered.nr * sizeof(*h->considered));
		h->nr_considered = x->w->considered.nr;
	}
	x->w->considered.nr = 0;
	return h;
}

static const char *rule_string(struct walker *w, const struct ruleset *owner, chain_h c, const struct rule *r)
{
	struct sb b = { 0 };
	const char *s;

	rule_text(owner, ruleset_chain_get(owner, c), r, &b);
	s = arena_strdup(w->a, sb_text(&b));
	sb_free(&b);
	return s;
}

static enum says stop(struct eval *x, const struct ruleset *owner, chain_h c, uint32_t i, const struct rule *r, const struct op_result *res, bool reject)
{
	struct walker *w = x->w;
	const char *chain = ruleset_chain_get(owner, c)->name, *where = netns_get(w->dp, w->ns)->name;

	decided(x, owner, c, i, r, res->elem, reject ? "rejected" : "dropped");
	end(w, reject ? V_REJECTED : V_DROPPED, "%s in %s: chain %s, rule \"%s\"%s%s", reject ? "rejected" : "dropped silently", where, chain, rule_string(w, owner, c, r),
	    r->comment ? ", " : "", r->comment ? r->comment : "");
	return SAYS_END;
}

static void do_nat(struct eval *x, const struct ruleset *owner, chain_h c, uint32_t i, const struct rule *r, const struct op_result *res, const struct elem *e)
{
	struct walker *w = x->w;
	struct tuple before = tuple_of(&w->p);
	ip_addr to = res->addr;
	struct hop *h;
	const char *what;

	if (res->nat == OP_DNAT || res->nat == OP_REDIRECT) {
		if (res->nat == OP_REDIRECT)
			to = x->hook == HOOK_OUTPUT ? (ip_is4(w->p.dst) ? ip_from4(0x7f000001) : (ip_addr){ 0, 1 }) : masquerade_addr(w->dp, w->ns, x->where, w->p.dst);
		set_dnat(w, to, res->port);
		what = w->flags & WALK_RECORD ? arena_printf(w->a, "destination becomes %s", IP(w->p.dst)) : "";
	} else {
		if (res->nat == OP_MASQUERADE) {
			to = masquerade_addr(w->dp, w->ns, x->where, w->p.dst);
			if (!w->back)
				w->out.masqueraded = true;
			if (!ip_set(to) && netns_get(w->dp, w->ns)->captured)
				end(w, V_UNKNOWN, "masqueraded, but nobody told the address of %s in %s",
				    x->where.i ? link_get(w->dp, x->where)->name : "the interface by which it leaves", netns_get(w->dp, w->ns)->name);
		}
		set_snat(w, to, res->port);
		what = w->flags & WALK_RECORD ? arena_printf(w->a, "source becomes %s", IP(w->p.src)) : "";
	}
	x->natted = true;
	h = decided(x, owner, c, i, r, e, what);
	if (h)
		h->before = before;
}

static enum says run_chain(struct eval *x, chain_h c, int depth);

/* One rule. *next: what the chain does then. */
enum flow { FLOW_NEXT, FLOW_RETURN, FLOW_ACCEPT, FLOW_END, FLOW_GONE /* a goto: what it said stands */ };

static enum flow verdict(struct eval *x, const struct ruleset *owner, chain_h c, uint32_t i, const struct rule *r, const struct op_result *res, int depth)
{
	cause_h by = x->by;
	enum says s;

	switch (res->verdict) {
	case OP_ACCEPT:
		if (r->cause.i || (res->elem && res->elem->cause.i))
			decided(x, owner, c, i, r, res->elem, "accepted");
		return FLOW_ACCEPT;
	case OP_DROP:
		stop(x, owner, c, i, r, res, false);
		return FLOW_END;
	case OP_REJECT:
		stop(x, owner, c, i, r, res, true);
		return FLOW_END;
	case OP_RETURN:
		return FLOW_RETURN;
	case OP_JUMP:
	case OP_GOTO:
		if (depth >= MAX_DEPTH) {
			end(x->w, V_UNKNOWN, "chain %s jumps deeper than the kernel allows", ruleset_chain_get(owner, c)->name);
			return FLOW_END;
		}
		if (res->elem && res->elem->cause.i)
			x->by = x->w->out.rule_cause = res->elem->cause;
		else if (r->cause.i)
			x->by = r->cause;
		s = run_chain(x, res->chain, depth + 1);
		x->by = by;
		if (s == SAYS_END)
			return FLOW_END;
		if (s == SAYS_ACCEPT)
			return FLOW_ACCEPT;
		return res->verdict == OP_GOTO ? FLOW_RETURN : FLOW_NEXT;
	default:
		return FLOW_NEXT;
	}
}

/* 0: go on as if it held (a match) or did nothing (a target); 1: as if it did not hold; else it is over. */
static uint32_t unknown(struct eval *x, const struct ruleset *owner, chain_h c, uint32_t i, const struct rule *r, const struct op *op, uint16_t k, const char *text, int depth)
{
	struct walker *w = x->w;
	bool target = op->code == OP_UNKNOWN && op->b & 2;
	const char *why = arena_printf(w->a, "%s: rule \"%s\" in chain %s of %s cannot be judged", text, rule_string(w, owner, c, r), ruleset_chain_get(owner, c)->name,
				       netns_get(w->dp, w->ns)->name);
	uint64_t state = hash_mix(x->hook, k);
	uint32_t way;

	for (int d = 0; d <= depth; d++)
		state = hash_mix(state, x->at[d]);
	way = unknown_way(w, why, state);
	if (way == WAY_ENDS)
		return way;
	if (target && way == 1) {
		decided(x, owner, c, i, r, NULL, "cannot be told");
		end(w, V_UNKNOWN, "%s", why);
		return WAY_ENDS;
	}
	decided(x, owner, c, i, r, NULL, target ? "cannot be told: taken to do nothing" : way == 0 ? "cannot be told: taken to hold" : "cannot be told: taken not to hold");
	return way;
}

static enum flow run_rule(struct eval *x, const struct ruleset *owner, chain_h c, uint32_t i, const struct rule *r, int depth)
{
	struct walker *w = x->w;
	struct op_result res = { 0 };
	struct op_reg reg = { 0 };
	const struct elem *e = NULL;

	for (uint16_t k = 0; k < r->nr_ops; k++) {
		const struct op *op = &owner->ops.v[r->op + k];
		uint32_t mark = w->p.mark;

		res.elem = NULL;
		switch (op_eval(x->rs, owner, op, &w->p, &reg, &x->env, &res)) {
		case DOES_NEXT:
			e = res.elem ? res.elem : e;
			if (w->p.mark != mark) {
				struct hop *h = decided(x, owner, c, i, r, e, "marked");

				if (h)
					h->mark_before = mark;
			}
			break;
		case DOES_FAIL:
			if (w->flags & WALK_CONSIDERED)
				vec_add(w->a, &w->considered, (struct considered){ x->rs, c, i });
			return FLOW_NEXT;
		case DOES_FORK:
			if (res.choose) {
				reg.num = choose_way(w, res.n, 0, 0);
				reg.set = true;
			} else if (choose_way(w, 2, res.k, res.n) != 0) {
				return FLOW_NEXT;
			}
			break;
		case DOES_NAT:
			do_nat(x, owner, c, i, r, &res, e);
			return w->over ? FLOW_END : FLOW_ACCEPT;
		case DOES_UNKNOWN:
			switch (unknown(x, owner, c, i, r, op, k, res.why, depth)) {
			case 0:
				break;
			case 1:
				return FLOW_NEXT;
			default:
				return FLOW_END;
			}
			break;
		case DOES_VERDICT:
			res.elem = res.elem ? res.elem : e;
			return verdict(x, owner, c, i, r, &res, depth);
		}
	}
	return FLOW_NEXT;
}

static enum says run_chain(struct eval *x, chain_h c, int depth)
{
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(x->rs, c, &owner);
	struct chain_at at = { .nr = b->rules.nr };

	if (!(x->w->flags & WALK_CONSIDERED))
		at = chain_rules(owner, b, x->w->p.dst);
	for (uint32_t i; (i = chain_next(&at)) != UINT32_MAX;) {
		x->at[depth] = (uint64_t)c.i << 32 | i;
		switch (run_rule(x, owner, c, i, &b->rules.v[i], depth)) {
		case FLOW_NEXT:
			break;
		case FLOW_RETURN:
		case FLOW_GONE:
			return SAYS_NOTHING;
		case FLOW_ACCEPT:
			return SAYS_ACCEPT;
		case FLOW_END:
			return SAYS_END;
		}
	}
	return SAYS_NOTHING;
}

static bool for_family(const struct ruleset *rs, const struct chain *c, bool v6)
{
	uint8_t f = ruleset_table_get(rs, c->table)->family;

	return f == NF_INET || f == (v6 ? NF_IP6 : NF_IP);
}

/* Has this connection's NAT of that kind been decided? Replies and later packets never meet the nat chains. */
static bool nat_settled(const struct walker *w, enum nf_hook hook)
{
	bool dst = hook == HOOK_PREROUTING || hook == HOOK_OUTPUT;

	return w->is_reply || w->p.ct_state != CT_NEW || (dst ? w->ct->dst_done : w->ct->src_done);
}

static bool base_chain(struct eval *x, chain_h h)
{
	struct walker *w = x->w;
	const struct chain *c = ruleset_chain_get(x->rs, h);
	enum says s;

	x->nat = c->type == NFT_NAT;
	if (x->nat && (x->natted || nat_settled(w, x->hook)))
		return true;
	s = run_chain(x, h, 0);
	if (s == SAYS_END)
		return false;
	if (s == SAYS_NOTHING && c->policy == OP_DROP) {
		add_hop(w, stages[x->hook], x->where, "dropped by the policy of chain %s", c->name);
		w->out.rule_cause = (cause_h){ 0 };     /* no rule decided */
		end(w, V_DROPPED, "dropped in %s by the policy of chain %s", netns_get(w->dp, w->ns)->name, c->name);
		return false;
	}
	return true;
}

/* What the connection says of NAT, where it has been decided. */
static void apply_known(struct walker *w, bool dst, bool src)
{
	if (dst && (w->is_reply ? w->ct->snat : w->ct->dnat))
		nat_dst(w);
	if (src && (w->is_reply ? w->ct->dnat : w->ct->snat))
		nat_src(w);
}

/* false: the packet ends here. *nat_applied: what was known of NAT has been applied, where the nat chains would stand. */
static bool run_rules(struct walker *w, const struct ruleset *rs, enum nf_hook hook, link_h where, bool dst, bool src, bool *nat_applied)
{
	struct eval x = { .w = w, .rs = rs, .env = { w, is_local, local_known, reverse, dyn_has, dyn_add }, .hook = hook, .where = where };
	bool v6 = !ip_is4(w->p.dst);

	for (uint32_t k = 0; k < rs->at[hook].nr; k++) {
		const struct chain *c = ruleset_chain_get(rs, rs->at[hook].v[k]);

		if (!for_family(rs, c, v6))
			continue;
		if (!*nat_applied && w->ct && ((dst && c->priority >= -100) || (src && c->priority >= 100))) {
			*nat_applied = true;
			apply_known(w, dst, src);
		}
		if (!base_chain(&x, rs->at[hook].v[k]))
			return false;
		if (w->ct)
			w->ct->mark = w->p.ct_mark;
	}
	return true;
}

bool run_hook(struct walker *w, enum nf_hook hook, link_h where)
{
	const struct ruleset *rs = netns_get(w->dp, w->ns)->rules;
	bool dst = hook == HOOK_PREROUTING || hook == HOOK_OUTPUT, src = hook == HOOK_POSTROUTING || hook == HOOK_INPUT, nat_applied = false;

	if (rs && !run_rules(w, rs, hook, where, dst, src, &nat_applied))
		return false;
	if (!nat_applied && w->ct && (w->ct->dnat || w->ct->snat)) {
		struct tuple before = tuple_of(&w->p), after;
		struct hop *h;

		apply_known(w, dst, src);
		after = tuple_of(&w->p);
		if (!same_tuple(&before, &after) && (h = add_hop(w, stages[hook], where, "rewritten back by conntrack")))
			h->before = before;
	}
	if (w->ct && dst)
		w->ct->dst_done = true;
	if (w->ct && src)
		w->ct->src_done = true;
	return true;
}
