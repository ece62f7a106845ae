/* What the ends of rules in tiers mean, as bits over shapes: their selectors (terms.c) and their addresses. */
#include "model/dataplane/packet.h"
#include "sim/reachability/ordered.h"

static bool selects_anything(const struct tier_end *e, const struct end_terms *t)
{
	return t->nr || e->space;
}

/* ---- profiles: which ends count for a shape's own line, and which for those of the others (as ordered.c asks them) */

static uint64_t token(uint32_t n, int k)
{
	return hash_mix(n + 1, (uint64_t)k + 177);
}

/* What one more end means of a shape that it means. */
struct mark { uint64_t token[2]; bool in[2][2]; /* which profiles it counts for, as in struct profile_key */ };

static struct mark mark_of(const struct o_policy *p, const struct o_rule *rule, int end, uint32_t number, bool maybe)
{
	struct mark m = { .token = { token(number * 2 + maybe, 0), token(number * 2 + maybe, 1) } };
	int line = end ? NP_INGRESS : NP_EGRESS;

	if (rule)
		m.in[line][rule->r->dir == line] = true;
	for (int d = 0; !rule && d < 2; d++)
		m.in[d][1] = p->p->decides[d];
	return m;
}

static void sign(struct reach *r, uint32_t shape, const struct mark *m)
{
	struct profile_key *key = &r->ordered->keys.v[shape];

	for (int k = 0; k < 2; k++)
		r->shapes.v[shape].sig[k] ^= m->token[k];
	for (int d = 0; d < 2; d++)
		for (int own = 0; own < 2; own++)
			key->of[d][own] ^= m->in[d][own] ? m->token[0] : 0;
}

/* What a line also depends on: families, and where rules have names of ports, the destination's. */
static void sign_first(struct reach *r, uint32_t shape)
{
	const struct shape *s = &r->shapes.v[shape];

	for (int d = 0; d < 2; d++)
		for (int own = 0; own < 2; own++)
			r->ordered->keys.v[shape].of[d][own] = hash_mix(d == NP_INGRESS && r->ordered->names[own] ? s->ports + 1u : 0, s->families);
}

/* ---- all shapes at once */

struct all_shapes {
	struct reach *r;
	uint64_t *live, *inside, *addresses;     /* all; those with a namespace */
	uint64_t *sure, *maybe, *without, *scratch[2];
	uint32_t token;
};

static struct all_shapes all_shapes_new(struct reach *r)
{
	struct all_shapes x = { .r = r, .live = heap_words(r->words * 8) };

	x.inside = x.live + r->words;
	x.addresses = x.live + r->words * 2;
	x.sure = x.live + r->words * 3;
	x.maybe = x.live + r->words * 4;
	x.without = x.live + r->words * 5;
	x.scratch[0] = x.live + r->words * 6;
	x.scratch[1] = x.live + r->words * 7;
	for (uint32_t s = 0; s < r->shapes.nr; s++) {
		BIT_ON(x.live, s);
		if (r->shapes.v[s].space != NONE)
			BIT_ON(x.inside, s);
	}
	return x;
}

static void to_words(uint64_t *to, uint32_t words, const struct bits *b)
{
	memset(to, 0, words * sizeof(*to));
	if (bits_is_span(b))
		memcpy(to + bits_first(b), b->word, bits_length(b) * sizeof(*to));
	else
		for (uint32_t k = 0; k < b->nr; k++)
			to[bits_places(b)[k]] = bits_masks(b)[k];
}

/* Of a single namespace: its shapes are asked one by one. */
static void selected_in(const struct all_shapes *x, uint32_t space, const struct end_terms *t, uint64_t *to)
{
	for (uint32_t s = space != NONE ? x->r->spaces.v[space].first : NONE; s != NONE; s = x->r->shapes.v[s].next) {
		bool is = true;

		for (uint32_t k = 0; is && k < t->nr; k++)
			is = x->r->ordered->terms.v[t->all[k]].faulty || bits_has(&x->r->ordered->terms.v[t->all[k]].b, s);
		if (is)
			BIT_ON(to, s);
	}
}

/* What all selectors mean; faulty ones mean anything, but not for sure. */
static void selected(struct all_shapes *x, const struct tier_end *e, const struct end_terms *t)
{
	uint32_t words = x->r->words;
	uint64_t *to = x->scratch[0], *of = x->scratch[1];
	bool faulty = false;

	memset(to, 0, words * sizeof(*to));
	if (e->space)
		selected_in(x, reach_known_space(x->r, e->space), t, to);
	else
		memcpy(to, x->inside, words * sizeof(*to));
	for (uint32_t k = 0; k < t->nr; k++) {
		const struct term *is = &x->r->ordered->terms.v[t->all[k]];

		faulty = faulty || is->faulty;
		if (is->faulty || e->space)
			continue;
		to_words(of, words, &is->b);
		for (uint32_t w = 0; w < words; w++)
			to[w] &= of[w];
	}
	memset(x->sure, 0, words * sizeof(*to));
	memset(x->maybe, 0, words * sizeof(*to));
	memcpy(faulty ? x->maybe : x->sure, to, words * sizeof(*to));
}

static ip_addr address_of(const struct reach *r, uint32_t shape, int end, int other)
{
	const struct shape *s = &r->shapes.v[shape];

	return r->atoms.v[s->atom[r->dual ? reach_address_used(end, s->families, (uint8_t)other) : 0]].at;
}

static bool family_is(ip_addr ip, int end, uint8_t family)
{
	return !end || !family || ip_is4(ip) == (family == 4);
}

enum about { MEMBERS, WITHOUT_MEMBERS, NETS };
static bool address_has(const struct tier_end *e, enum about what, ip_addr ip, int end, uint8_t family)
{
	switch (what) {
	case MEMBERS:         return tier_members_have(&e->members, ip);
	case WITHOUT_MEMBERS: return tier_members_have(&e->without_members, ip);
	case NETS:            return tier_nets_have(e, ip) && family_is(ip, end, family);
	}
	return false;
}

/* The shapes whose address that part of an end has; each atom is asked once. */
static const uint64_t *addresses(struct all_shapes *x, const struct tier_end *e, enum about what, int end, int other, uint8_t family)
{
	const struct reach *r = x->r;

	memset(x->addresses, 0, r->words * sizeof(*x->addresses));
	for (uint32_t k = 0; !r->dual && k + 1 < r->atom_from.nr; k++)
		if (r->atom_from.v[k] < r->atom_from.v[k + 1] && address_has(e, what, r->atoms.v[k].at, end, family))
			for (uint32_t i = r->atom_from.v[k]; i < r->atom_from.v[k + 1]; i++)
				BIT_ON(x->addresses, r->by_atom.v[i]);
	for (uint32_t s = 0; r->dual && s < r->shapes.nr; s++)
		if (address_has(e, what, address_of(r, s, end, other), end, family))
			BIT_ON(x->addresses, s);
	return x->addresses;
}

static void mean_end(struct all_shapes *x, const struct tier_end *e, const struct end_terms *t, int end, int other, uint8_t family)
{
	uint32_t words = x->r->words;
	const uint64_t *at;
	bool faulty = t->without != NONE && x->r->ordered->terms.v[t->without].faulty;

	if (selects_anything(e, t)) {
		selected(x, e, t);
		at = e->members.nr ? addresses(x, e, MEMBERS, end, other, family) : NULL;
		for (uint32_t w = 0; at && w < words; w++) {
			x->sure[w] |= at[w];
			x->maybe[w] &= ~at[w];
		}
	} else {
		memcpy(x->sure, x->live, words * sizeof(*x->sure));
		memset(x->maybe, 0, words * sizeof(*x->maybe));
	}
	if (t->without != NONE) {
		if (faulty)
			memset(x->without, 0, words * sizeof(*x->without));
		else
			to_words(x->without, words, &x->r->ordered->terms.v[t->without].b);
		at = e->without_members.nr ? addresses(x, e, WITHOUT_MEMBERS, end, other, family) : NULL;
		for (uint32_t w = 0; w < words; w++) {
			uint64_t out = x->without[w] | (at ? at[w] : 0), doubtful = faulty ? x->inside[w] : 0;

			x->maybe[w] = (x->maybe[w] | (x->sure[w] & doubtful)) & ~out;
			x->sure[w] &= ~out & ~doubtful;
		}
	}
	if (e->has_nets || e->has_without_nets || (end && family)) {
		at = addresses(x, e, NETS, end, other, family);
		for (uint32_t w = 0; w < words; w++) {
			x->sure[w] &= at[w];
			x->maybe[w] &= at[w];
		}
	}
}

static void sign_all(struct all_shapes *x, const struct bits *b, const struct o_policy *p, const struct o_rule *rule, int end, bool maybe)
{
	struct mark mark = mark_of(p, rule, end, x->token, maybe);
	numbers *m = &x->r->scratch;

	m->nr = 0;
	bits_list(b, m);
	for (uint32_t k = 0; k < m->nr; k++)
		sign(x->r, m->v[k], &mark);
}

static void mean(void *ctx, struct meant *m, const struct o_policy *p, const struct o_rule *rule, int end)
{
	struct all_shapes *x = ctx;

	for (int f = 0; f < m->nr && !m->any; f++) {
		if (rule)
			mean_end(x, &rule->r->end[end], &rule->ids[end], end, f, rule->r->family);
		else
			selected(x, &p->p->subject, &p->ids);
		x->token++;
		bits_from_words(&m->sure[f], x->sure, x->r->words, reach_pool(x->r));
		bits_from_words(&m->maybe[f], x->maybe, x->r->words, reach_pool(x->r));
		x->r->ordered->doubt = x->r->ordered->doubt || m->maybe[f].nr;
		sign_all(x, &m->sure[f], p, rule, end, false);
		sign_all(x, &m->maybe[f], p, rule, end, true);
	}
}

void reach_mean_all(struct reach *r)
{
	struct all_shapes x = all_shapes_new(r);

	for (uint32_t s = 0; s < r->shapes.nr; s++)
		sign_first(r, s);
	reach_terms_evaluate(r);
	reach_each_meant(r->ordered, mean, &x);
	free(x.live);
}

void reach_may_select(struct reach *r, const struct tier_end *e, uint64_t *to)
{
	struct all_shapes x = all_shapes_new(r);
	struct end_terms t = reach_end_terms(r, r->ordered, e);

	selected(&x, e, &t);
	if (t.without != NONE && !r->ordered->terms.v[t.without].faulty)
		to_words(x.without, r->words, &r->ordered->terms.v[t.without].b);
	for (uint32_t w = 0; w < r->words; w++)
		to[w] = (x.sure[w] | x.maybe[w]) & ~x.without[w];
	free(x.live);
}

/* ---- one shape */

struct one_shape { struct reach *r; uint32_t shape, token; const pair_list *labels; uint8_t *truth; /* of terms: 1 + enum truth */ };

static enum truth term_truth(const struct one_shape *x, uint32_t id)
{
	const struct term *t = &x->r->ordered->terms.v[id];

	if (!x->labels)
		return NO;
	if (!x->truth[id])
		x->truth[id] = (uint8_t)(1 + (t->faulty ? MAYBE : reach_term_holds(t, x->labels, x->r->scratch_arena) ? YES : NO));
	return (enum truth)(x->truth[id] - 1);
}

static enum truth selects(const struct one_shape *x, const struct tier_end *e, const struct end_terms *t)
{
	const struct shape *s = &x->r->shapes.v[x->shape];
	enum truth is = x->labels && (!e->space || streq(e->space, x->r->spaces.v[s->space].name)) ? YES : NO;

	for (uint32_t k = 0; is != NO && k < t->nr; k++)
		is = truth_and(is, term_truth(x, t->all[k]));
	return is;
}

/* As tier_end_has. */
static enum truth end_truth(const struct one_shape *x, const struct o_rule *rule, int end, int other)
{
	const struct tier_end *e = &rule->r->end[end];
	const struct end_terms *t = &rule->ids[end];
	ip_addr ip = address_of(x->r, x->shape, end, other);
	enum truth is = YES;

	if (!address_has(e, NETS, ip, end, rule->r->family))
		return NO;
	if (selects_anything(e, t))
		is = truth_or(tier_members_have(&e->members, ip) ? YES : NO, selects(x, e, t));
	if (t->without != NONE)
		is = truth_and(is, truth_not(truth_or(tier_members_have(&e->without_members, ip) ? YES : NO, term_truth(x, t->without))));
	return is;
}

static void look(void *ctx, struct meant *m, const struct o_policy *p, const struct o_rule *rule, int end)
{
	struct one_shape *x = ctx;

	for (int f = 0; f < m->nr && !m->any; f++) {
		enum truth t = rule ? end_truth(x, rule, end, f) : selects(x, &p->p->subject, &p->ids);
		struct mark mark;

		x->token++;
		if (t == NO)
			continue;
		bits_add(t == YES ? &m->sure[f] : &m->maybe[f], x->shape, x->r->words);
		x->r->ordered->doubt = x->r->ordered->doubt || t == MAYBE;
		mark = mark_of(p, rule, end, x->token, t == MAYBE);
		sign(x->r, x->shape, &mark);
	}
}

void reach_mean_one(struct reach *r, uint32_t shape)
{
	struct arena_mark mark = arena_mark(r->scratch_arena);
	const struct shape *s = &r->shapes.v[shape];
	struct one_shape x = { .r = r, .shape = shape, .truth = arena_array(r->scratch_arena, uint8_t, r->ordered->terms.nr + 1) };
	pair_list own = { 0 }, all;

	if (s->space != NONE) {
		own.nr = s->nr_labels;
		own.v = arena_array(r->scratch_arena, struct pair, s->nr_labels + 1u);
		for (uint32_t k = 0; k < s->nr_labels; k++)
			own.v[k] = r->pairs.v[r->labels.v[s->labels + k]];
		all = tier_labels(r->c, &own, r->spaces.v[s->space].name, r->ordered->accounts.v[shape], r->scratch_arena);
		x.labels = &all;
	}
	sign_first(r, shape);
	reach_each_meant(r->ordered, look, &x);
	arena_rewind(r->scratch_arena, mark);
}
