/* Flat base chains (lower.h): what packets of one state of their connection can meet, in one piece. A rule is left out only if it fails before it does anything, so
 * a flat chain says the same as the chain does, after the same draws. */
#include "model/dataplane/lower.h"

#define MAX_RULES 16u           /* of a chain that is put in place */
#define MAX_INSNS 128u          /* of the whole */
#define MAX_PLACE 8u            /* chains in chains */
#define MAX_FORMS 8u            /* of one base; a ruleset that fits none has its own */

struct flat {
	struct lowered *l;
	struct low_form *form;
	const struct ruleset *except;   /* what it has of its own is left alone; NULL: nothing */
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

/* A set that is the same for all that share the form; NULL: it is not. */
static const struct low_set *shared_set(const struct flat *f, uint32_t handle)
{
	return f->except && map_find(&f->except->own_set, handle) ? NULL : low_set_of(f->l, (set_h){ handle });
}

static bool finds_nothing(const struct flat *f, const struct insn *in)
{
	const struct low_set *s = in->code == LOW_VMAP || (in->code == LOW_SET && in->rel == REL_EQ) ? shared_set(f, in->a) : NULL;

	return s && !s->plain && s->empty;
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
			vec_add(f->l->arena, &f->form->sets, v[k].a);
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

	if (f->except && map_find(&f->except->own_chain, h.i))
		return NULL;
	if (depth >= MAX_PLACE || f->nr >= MAX_INSNS || chain_body(f->l->rs, h, &of)->rules.nr > MAX_RULES)
		return NULL;
	c = low_chain_of(f->l, h);
	if (c->whole || c->nr > MAX_INSNS)
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
			struct insn out = *in;

			if (in->code == LOW_SET || in->code == LOW_VMAP) {
				out.value = map_ptr(shared_set(f, in->a));
				if (out.value)
					vec_add(f->l->arena, &f->form->sets, in->a);
			}
			put(f, out, depth, next, end);
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

	vec_add(f->l->arena, &f->form->chains, h.i);
	for (uint32_t k = 0, nr; k + 1 < c->nr && goes; k += nr) {
		for (nr = 1; c->v[k + nr].rule == c->v[k].rule; nr++)
			;
		if (!in_vain(f, &c->v[k], nr))
			goes = put_rule(f, &c->v[k], nr, owner, depth, end);
	}
}

static const struct low_chain *flat_chain(struct lowered *l, struct low_form *form, const struct ruleset *except, chain_h h, uint64_t state)
{
	struct flat f = { .l = l, .form = form, .except = except, .state = state };
	const struct low_chain *c = low_chain_of(l, h);
	struct low_chain *flat;
	uint32_t end;

	if (c->whole || c->nr > MAX_INSNS) {
		vec_add(l->arena, &form->chains, h.i);
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

static void one_hook(struct lowered *l, struct low_form *form, const struct ruleset *except, enum nf_hook hook, enum low_class class)
{
	static const uint64_t states[] = { CT_NEW, CT_ESTABLISHED };
	struct low_bases *out = &form->at[class][hook];
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
		b.run = flat_chain(l, form, except, h, states[class]);
		if (b.run->nr == 1 && !b.drops)
			continue;
		b.quiet = is_quiet(b.run) && !b.drops;
		out->quiet = out->quiet && b.quiet;
		out->v[out->nr++] = b;
	}
}

/* Does rs meet packets with the base chains of its base, and with their bodies? */
static bool same_bases(const struct ruleset *rs, const struct ruleset *base)
{
	for (size_t hook = 0; hook < ARRAY_LEN(rs->at); hook++) {
		if (rs->at[hook].nr != base->at[hook].nr || memcmp(rs->at[hook].v, base->at[hook].v, rs->at[hook].nr * sizeof(*rs->at[hook].v)) != 0)
			return false;
		for (uint32_t k = 0; rs->own_chain.nr && k < rs->at[hook].nr; k++)
			if (map_find(&rs->own_chain, rs->at[hook].v[k].i))
				return false;
	}
	return true;
}

static bool has_any(const struct map *own, const uint32_t *v, uint32_t nr)
{
	for (uint32_t k = 0; own->nr && k < nr; k++)
		if (map_find(own, v[k]))
			return true;
	return false;
}

static bool fits(const struct low_form *form, const struct ruleset *rs)
{
	return !has_any(&rs->own_chain, form->chains.v, form->chains.nr) && !has_any(&rs->own_set, form->sets.v, form->sets.nr);
}

static struct low_form *new_form(struct lowered *l, const struct ruleset *except)
{
	struct low_form *form = arena_make(l->arena, struct low_form);

	for (unsigned hook = 0; hook < NF_HOOKS; hook++)
		for (unsigned class = 0; class < LOW_CLASSES; class++)
			one_hook(l, form, except, (enum nf_hook)hook, (enum low_class)class);
	return form;
}

void low_flatten(struct lowered *l)
{
	struct lowered *b = l->base;
	struct low_form **at = NULL;

	if (b && same_bases(l->rs, b->rs)) {
		uint32_t nr = 0;

		for (at = &b->forms; *at && !fits(*at, l->rs) && nr < MAX_FORMS; at = &(*at)->next)
			nr++;
		if (!*at && nr < MAX_FORMS)
			*at = new_form(b, l->rs);
	}
	if (!at || !*at)
		*(at = &l->forms) = new_form(l, NULL);
	l->at = (const struct low_bases (*)[NF_HOOKS])(*at)->at;
}
