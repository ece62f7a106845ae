/* Flat base chains (lower.h): what packets of one state of their connection can meet, in one piece. A rule is left out only if it fails before it does anything, so
 * a flat chain says the same as the chain does, after the same draws. */
#include "model/dataplane/lower.h"

#define MAX_RULES 16u           /* of a chain that is put in place */
#define MAX_INSNS 128u          /* of the whole */
#define MAX_PLACE 8u            /* chains in chains */

struct flat {
	struct lowered *l;
	uint64_t state;                 /* the connection's, as PF_CT_STATE */
	struct insn *v; uint32_t nr, alloc;     /* skip and a goto's mask are labels as long as it grows */
	VEC(uint32_t) labels;           /* where they are */
};

static uint32_t new_label(struct flat *f)
{
	vec_add(f->l->arena, &f->labels, 0u);
	return f->labels.nr - 1;
}

static void put(struct flat *f, struct insn in, uint32_t depth, uint32_t skip, uint32_t end)
{
	in.depth = (uint8_t)depth;
	in.skip = skip;
	if (low_may_goto(&in))
		in.mask = end;
	if (f->nr == f->alloc) {
		struct insn *more = arena_array(f->l->arena, struct insn, f->alloc ? 2 * f->alloc : 16u);

		if (f->nr)
			memcpy(more, f->v, f->nr * sizeof(*more));
		f->v = more;
		f->alloc = f->alloc ? 2 * f->alloc : 16u;
	}
	f->v[f->nr++] = in;
}

static void depend(struct lowered *l, bool chain, uint32_t handle)
{
	if (chain)
		vec_add(l->arena, &l->placed, handle);
	else
		vec_add(l->arena, &l->found_empty, handle);
}

/* ---- what is known of a packet: its connection's state */

enum knows { DEPENDS, HOLDS, FAILS };

static enum knows knows(const struct flat *f, const struct insn *in)
{
	uint32_t off = offsetof(struct packet, ct_state), shift = 8 * (off - in->at);
	uint64_t known, value;

	if ((in->code != LOW_EQ && in->code != LOW_NE) || in->at > off || off >= in->at + 8u)
		return DEPENDS;
	known = in->mask & 0xffull << shift;
	value = f->state << shift;
	if ((value ^ in->value) & known)        /* unequal whatever the rest is */
		return in->code == LOW_EQ ? FAILS : HOLDS;
	return known != in->mask ? DEPENDS : in->code == LOW_EQ ? HOLDS : FAILS;
}

static bool finds_nothing(const struct flat *f, const struct insn *in)
{
	const struct low_set *s;

	if (in->code != LOW_VMAP && (in->code != LOW_SET || in->rel != REL_EQ))
		return false;
	s = low_set_of(f->l, (set_h){ in->a });
	return !s->plain && s->empty;
}

static bool only_asks(const struct insn *in)
{
	return in->code <= LOW_VMAP;
}

/* Does the rule of instructions v[0] … v[nr - 1] fail before it does anything? */
static bool in_vain(const struct flat *f, const struct insn *v, uint32_t nr)
{
	for (uint32_t k = 0; k < nr && only_asks(&v[k]); k++) {
		if (knows(f, &v[k]) == FAILS)
			return true;
		if (finds_nothing(f, &v[k])) {
			depend(f->l, false, v[k].a);
			return true;
		}
	}
	return false;
}

/* ---- putting in place */

static const struct low_chain *short_chain(const struct flat *f, const struct ruleset *owner, chain_h h, uint32_t depth)
{
	const struct ruleset *of;
	const struct low_chain *c;

	if (depth >= MAX_PLACE || f->nr >= MAX_INSNS || chain_body(f->l->rs, h, &of)->rules.nr > MAX_RULES)
		return NULL;
	c = low_chain_of(f->l, h);
	if (c->nr_runs || c->nr > MAX_INSNS)
		return NULL;
	for (uint32_t k = 0; k < c->nr && of != owner; k++)
		if (c->v[k].code == LOW_OP)     /* asked of its owner, which is that of the whole */
			return NULL;
	return c;
}

static bool ends(const struct insn *in)
{
	return in->code == LOW_ACCEPT || in->code == LOW_DROP || in->code == LOW_REJECT || in->code == LOW_DNAT || in->code == LOW_MASQUERADE || in->code == LOW_GOTO || in->code == LOW_ENTER;
}

static void flatten(struct flat *f, const struct low_chain *c, const struct ruleset *owner, chain_h h, uint32_t depth, uint32_t end);

/* One rule; false: what follows it in its chain is never met. */
static bool put_rule(struct flat *f, const struct insn *v, uint32_t nr, const struct ruleset *owner, uint32_t depth, uint32_t end)
{
	uint32_t next = new_label(f), first = f->nr;
	bool asks = true, always = true, goes = true;

	for (uint32_t k = 0; k < nr; k++) {
		const struct insn *in = &v[k];
		const struct low_chain *placed = in->code == LOW_JUMP || in->code == LOW_GOTO ? short_chain(f, owner, (chain_h){ in->a }, depth) : NULL;
		uint32_t before = f->nr;

		if (knows(f, in) == HOLDS)
			continue;
		if (placed) {
			flatten(f, placed, owner, (chain_h){ in->a }, depth + 1, in->code == LOW_GOTO ? end : next);
			if (in->code == LOW_GOTO)
				put(f, (struct insn){ .code = LOW_ENTER, .chain = in->chain, .rule = in->rule }, depth, end, end);
			else if (f->nr == before && asks)
				f->nr = first;  /* what it jumps to does nothing */
			goes = !(in->code == LOW_GOTO && always);
		} else if (in->code == LOW_RETURN) {
			put(f, (struct insn){ .code = LOW_ENTER, .chain = in->chain, .rule = in->rule }, depth, end, end);
			goes = !always;
		} else {
			put(f, *in, depth, next, end);
			goes = !(always && ends(in));
		}
		asks = asks && only_asks(in);
		always = always && !(in->code <= LOW_PICK || in->code == LOW_CHANCE || in->code == LOW_OP);
	}
	f->labels.v[next] = f->nr;
	return goes;
}

/* Without its end: what comes there stands behind it. */
static void flatten(struct flat *f, const struct low_chain *c, const struct ruleset *owner, chain_h h, uint32_t depth, uint32_t end)
{
	bool goes = true;

	depend(f->l, true, h.i);
	for (uint32_t k = 0, nr; k + 1 < c->nr && goes; k += nr) {
		for (nr = 1; c->v[k + nr].rule == c->v[k].rule; nr++)
			;
		if (!in_vain(f, &c->v[k], nr))
			goes = put_rule(f, &c->v[k], nr, owner, depth, end);
	}
}

static const struct low_chain *flat_chain(struct lowered *l, chain_h h, uint64_t state)
{
	struct flat f = { .l = l, .state = state };
	const struct low_chain *c = low_chain_of(l, h);
	struct low_chain *flat;
	uint32_t end;

	if (c->nr_runs || c->nr > MAX_INSNS) {
		depend(l, true, h.i);
		return c;
	}
	end = new_label(&f);
	flatten(&f, c, c->owner, h, 0, end);
	f.labels.v[end] = f.nr;
	put(&f, (struct insn){ .code = LOW_RETURN, .chain = h.i, .rule = UINT32_MAX }, 0, end, end);
	flat = arena_alloc(l->arena, sizeof(*flat) + f.nr * sizeof(struct insn), 16);
	*flat = (struct low_chain){ .owner = c->owner, .v = memcpy(flat + 1, f.v, f.nr * sizeof(struct insn)), .nr = f.nr };
	for (uint32_t k = 0; k < f.nr; k++) {
		struct insn *in = (struct insn *)(void *)(flat + 1) + k;

		in->skip = f.labels.v[in->skip];
		if (low_may_goto(in))
			in->mask = f.labels.v[in->mask];
	}
	return flat;
}

/* ---- hooks */

static bool is_quiet(const struct low_chain *c)
{
	for (uint32_t k = 0; k < c->nr; k++)
		if (c->v[k].code > LOW_RANGE && c->v[k].code != LOW_ACCEPT && c->v[k].code != LOW_ENTER && c->v[k].code != LOW_RETURN)
			return false;
	return true;
}

static void one_hook(struct lowered *l, enum nf_hook hook, enum low_class class, struct low_bases *out)
{
	static const uint64_t states[] = { CT_NEW, CT_ESTABLISHED };
	int nat = hook == HOOK_PREROUTING || hook == HOOK_OUTPUT ? -100 : 100;          /* NF_IP_PRI_NAT_DST, _SRC */

	out->quiet = true;
	out->v = arena_array(l->arena, struct low_base, l->rs->at[hook].nr);
	for (uint32_t k = 0; k < l->rs->at[hook].nr; k++) {
		chain_h h = l->rs->at[hook].v[k];
		const struct chain *c = ruleset_chain_get(l->rs, h);
		uint8_t family = ruleset_table_get(l->rs, c->table)->family;
		struct low_base b = { .priority = c->priority, .nat = c->type == NFT_NAT, .drops = c->policy == OP_DROP };

		if (family != NF_INET && family != NF_IP)
			continue;
		out->translates = out->translates || c->priority >= nat;
		if (b.nat && class == LOW_ESTABLISHED)          /* the nat chains have had their say */
			continue;
		b.run = flat_chain(l, h, states[class]);
		if (b.run->nr == 1 && !b.drops)
			continue;
		b.quiet = is_quiet(b.run) && !b.drops;
		out->quiet = out->quiet && b.quiet;
		out->v[out->nr++] = b;
	}
}

static bool same_bases(const struct ruleset *x, const struct ruleset *y)
{
	for (size_t hook = 0; hook < ARRAY_LEN(x->at); hook++)
		if (x->at[hook].nr != y->at[hook].nr || memcmp(x->at[hook].v, y->at[hook].v, x->at[hook].nr * sizeof(*x->at[hook].v)) != 0)
			return false;
	return true;
}

/* Is there a body of l's own for one of them? */
static bool touched(const struct map *own, uint64_t filter, const uint32_t *v, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		if (filter >> (v[k] & 63) & 1 && map_find(own, v[k]))
			return true;
	return false;
}

void low_flatten(struct lowered *l)
{
	const struct lowered *b = l->base;
	struct low_bases (*at)[LOW_CLASSES];

	if (b && same_bases(l->rs, b->rs) && !touched(&l->rs->own_chain, l->own_chains, b->placed.v, b->placed.nr) &&
	    !touched(&l->rs->own_set, l->own_sets, b->found_empty.v, b->found_empty.nr)) {
		l->at = b->at;
		return;
	}
	at = arena_alloc(l->arena, NF_HOOKS * sizeof(*at), 16);
	for (unsigned hook = 0; hook < NF_HOOKS; hook++)
		for (unsigned class = 0; class < LOW_CLASSES; class++)
			one_hook(l, (enum nf_hook)hook, (enum low_class)class, &at[hook][class]);
	l->at = (const struct low_bases (*)[LOW_CLASSES])at;
}
