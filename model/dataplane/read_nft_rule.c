/* One rule of nft: matches and statements from left to right. Where the words are not understood the rest of the rule is one op `unknown`. */
#include "model/dataplane/nft_rule.h"

/* fib daddr type local; fib saddr . mark . iif oif 0 */
static bool fib(struct rule_at *r)
{
	struct nft *x = r->x;
	bool daddr = nft_take(x, "daddr"), iif = false, not;
	uint32_t v;

	if (!daddr && !nft_take(x, "saddr"))
		return false;
	while (nft_take(x, ".")) {
		iif = iif || nft_is(x, "iif");
		nft_next(x);
	}
	if (nft_take(x, "type")) {
		not = nft_take(x, "!=");
		if (!not)
			nft_take(x, "==");
		if (iif || !nft_take(x, "local"))
			return false;
		w_fib(r->w, daddr ? FIB_DADDR_LOCAL : FIB_SADDR_LOCAL, !not);
		return true;
	}
	if (daddr || (!nft_take(x, "oif") && !nft_take(x, "oifname")))
		return false;
	not = nft_take(x, "!=");
	if (!not && !nft_take(x, "=="))
		nft_take(x, "eq");
	if (nft_take(x, "missing"))
		v = 0;
	else if (nft_take(x, "exists"))
		v = 1;
	else if (nft_take(x, "0"))
		v = 0;
	else
		return false;
	w_reverse(r->w, (v == 0) == not, !iif);
	return true;
}

static bool meta(struct rule_at *r)
{
	struct nft *x = r->x;
	uint32_t from = x->at;
	struct selector s;
	struct cidr all4 = { 0 };
	bool not;

	if (nft_selector(x, &s)) {
		if (nft_take(x, "set"))
			return s.field == PF_MARK && nft_set_mark(r, PF_MARK);
		return nft_is(x, ".") ? nft_concatenated(r, s) : nft_compare(r, &s);
	}
	x->at = from + 1;
	if (nft_take(x, "random"))
		return nft_random(r);
	if (nft_take(x, "nfproto")) {
		not = nft_take(x, "!=");
		cidr_parse("0.0.0.0/0", &all4);
		if (!nft_is(x, "ipv4") && !nft_is(x, "ipv6"))
			return false;
		w_cidr(r->w, PF_SADDR, (nft_next(x)->s[3] == '4') != not, all4);
		return true;
	}
	if (nft_take(x, "pkttype")) {
		not = nft_take(x, "!=");
		if (nft_take(x, "host") || nft_take(x, "unicast"))
			not = !not;
		else if (!nft_take(x, "broadcast") && !nft_take(x, "multicast"))
			return false;
		if (!not)               /* nothing but unicast is walked */
			w_num(r->w, PF_L4PROTO, REL_EQ, 256, 0);
		return true;
	}
	if ((nft_take(x, "nftrace") || nft_take(x, "priority")) && nft_take(x, "set")) {
		nft_next(x);
		return true;
	}
	return false;
}

static bool verdict(struct rule_at *r)
{
	struct verdict_value v;

	if (!nft_verdict(r->x, &v))
		return false;
	if (v.code == OP_JUMP)
		w_jump(r->w, v.chain);
	else if (v.code == OP_GOTO)
		w_goto(r->w, v.chain);
	else if (v.code != OP_LOG)
		w_verdict(r->w, (enum op_code)v.code);
	return true;
}

static bool statement(struct rule_at *r)
{
	struct nft *x = r->x;
	nft_statement_fn *fn = nft_statement(x);
	struct selector s;

	if (fn)
		return fn(r);
	if (nft_take(x, "fib"))
		return fib(r);
	if (nft_is(x, "numgen") || nft_is(x, "jhash") || nft_is(x, "symhash"))
		return nft_chosen(r);
	if (nft_is(x, "meta"))
		return meta(r);
	if (nft_is(x, "xt") && strcmp(x->t.v[x->at + 1].s, "match") == 0 && strcmp(x->t.v[x->at + 2].s, "comment") == 0) {
		x->at += 3;
		return true;
	}
	if (nft_is(x, "tcp") && strcmp(x->t.v[x->at + 1].s, "option") == 0) {   /* tcp option maxseg size set … */
		while (!nft_ends(x) && !nft_is(x, "set"))
			x->at++;
		if (!nft_take(x, "set"))
			return false;
		nft_next(x);
		nft_take(x, "mtu");
		return true;
	}
	if (verdict(r))
		return true;
	if (!nft_selector(x, &s))
		return false;
	if (nft_take(x, "set"))
		return s.field == PF_CT_MARK || s.field == PF_MARK ? nft_set_mark(r, s.field) : false;
	if (nft_is(x, "."))
		return nft_concatenated(r, s);
	return nft_compare(r, &s);
}

/* The rule's text, without its comment and without `# handle`. */
static const char *text_of(struct nft *x, uint32_t from, uint32_t to)
{
	const struct tok *last;
	const char *end;

	while (to > from && x->t.v[to - 1].type == TOK_LINE)
		to--;
	if (to >= from + 2 && strcmp(x->t.v[to - 2].s, "comment") == 0 && x->t.v[to - 1].type == TOK_STRING)
		to -= 2;
	if (to <= from)
		return "";
	last = &x->t.v[to - 1];
	end = last->at + strlen(last->s) + (last->type == TOK_STRING ? 2 : 0);
	return arena_strndup(x->n->arena, x->t.v[from].at, (size_t)(end - x->t.v[from].at));
}

static uint32_t rule_end(const struct nft *x)
{
	uint32_t at = x->at;

	for (int depth = 0; x->t.v[at].type != TOK_END; at++) {
		if (x->t.v[at].type == TOK_LINE && depth == 0)
			break;
		if (x->t.v[at].type == TOK_SIGN)
			depth += (x->t.v[at].s[0] == '{') - (x->t.v[at].s[0] == '}');
		if (depth < 0)
			break;
	}
	return at;
}

void nft_rule(struct nft *x, chain_h c)
{
	uint32_t from = x->at, to = rule_end(x), comment;
	struct rule_at r = { .x = x, .w = rule_begin(x->n->rules, c) };

	rule_raw(r.w, text_of(x, from, to));
	while (x->at < to) {
		uint32_t at = x->at;

		if (statement(&r) && x->at <= to && x->at > at)
			continue;
		for (comment = to; comment > at && strcmp(x->t.v[comment - 1].s, "comment") != 0; comment--)
			;
		if (comment > at && comment < to && x->t.v[comment].type == TOK_STRING)
			rule_comment(r.w, x->t.v[comment].s);
		w_unknown(r.w, arena_printf(x->n->arena, "\"%s\" is not modelled", text_of(x, at, to)), 3);
		if (strcmp(x->t.v[at].s, "xt") == 0)
			note(x->n, NOTE_MISSING, x->p, x->t.v[at].line, "nft does not show what iptables' own extensions (xt) are told: iptables-save does");
		else
			note(x->n, NOTE_UNKNOWN, x->p, x->t.v[at].line, "\"%s\" is not modelled", text_of(x, at, to));
		break;
	}
	x->at = to;
}
