/* Which shapes a set holds. Each is evaluated once, by the shortest way: the shapes of its namespace one by one, or words of 64 shapes with what each requirement
 * means. */
#include "sim/reachability/inside.h"

/* All shapes that have the pair, or the key with any value. */
static uint64_t *bits_of(struct reach *r, uint64_t ***memo, uint32_t *nr_memo, uint32_t id, uint32_t nr_ids, bool key)
{
	if (id >= *nr_memo) {
		uint64_t **more = realloc(*memo, nr_ids * sizeof(*more));

		if (!more)
			abort();
		memset(more + *nr_memo, 0, (nr_ids - *nr_memo) * sizeof(*more));
		*memo = more;
		*nr_memo = nr_ids;
	}
	if ((*memo)[id])
		return (*memo)[id];
	(*memo)[id] = heap_words(r->words);
	for (uint32_t p = key ? 0 : id; p < (key ? r->pairs.nr : id + 1) && p + 1 < r->pair_from.nr; p++)
		for (uint32_t k = r->pair_from.v[p]; (!key || r->key_of.v[p] == id) && k < r->pair_from.v[p + 1]; k++)
			BIT_ON((*memo)[id], r->by_pair.v[k]);
	for (uint32_t s = r->built; s < r->shapes.nr; s++)
		for (uint32_t k = 0; k < r->shapes.v[s].nr_labels; k++) {
			uint32_t pair = r->labels.v[r->shapes.v[s].labels + k];

			if (key ? r->key_of.v[pair] == id : pair == id)
				BIT_ON((*memo)[id], s);
		}
	return (*memo)[id];
}

WIDE static void keep(uint64_t *restrict to, const uint64_t *restrict of, uint32_t nr, bool not_these)
{
	uint64_t flip = not_these ? UINT64_MAX : 0;

	for (uint32_t k = 0; k < nr; k++)
		to[k] &= of[k] ^ flip;
}

WIDE static void both(uint64_t *restrict to, const uint64_t *restrict of, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		to[k] |= of[k];
}

static void narrow(struct reach *r, uint64_t *to, const uint32_t *w)
{
	uint64_t *any = w[1] <= SEL_NOT_IN && w[2] != 1 ? r->in.w : NULL;
	const uint64_t *of;

	for (uint32_t i = 0; any && i < w[2]; i++) {
		of = bits_of(r, &r->pair_bits, &r->nr_pair_bits, w[3 + i], r->pairs.nr, false);
		if (i)
			both(any, of, r->words);
		else
			memcpy(any, of, r->words * sizeof(*any));
	}
	of = any ? any : w[1] <= SEL_NOT_IN ? bits_of(r, &r->pair_bits, &r->nr_pair_bits, w[3], r->pairs.nr, false)
					     : bits_of(r, &r->key_bits, &r->nr_key_bits, w[0], r->key_ids.nr, true);
	keep(to, of, r->words, w[1] != SEL_IN && w[1] != SEL_EXISTS);
	if (any)
		memset(any, 0, r->words * sizeof(*any));
}

static uint64_t *spaces_shapes(struct reach *r, struct spaces_id *s)
{
	if (!s->shapes) {
		s->shapes = heap_words(r->words);
		for (uint32_t k = 0; k < s->list.nr; k++)
			for (uint32_t x = r->spaces.v[s->list.v[k]].first; x != NONE; x = r->shapes.v[x].next)
				BIT_ON(s->shapes, x);
	}
	return s->shapes;
}

static uint64_t *space_shapes(struct reach *r, struct space *s)
{
	if (!s->shapes) {
		s->shapes = heap_words(r->words);
		for (uint32_t x = s->first; x != NONE; x = r->shapes.v[x].next)
			BIT_ON(s->shapes, x);
	}
	return s->shapes;
}

static void evaluate_words(struct reach *r, struct shape_set *t)
{
	uint64_t *to = r->out.w;                /* a union that nobody makes just now */
	const struct selector_id *sel = &r->selectors.v[t->selector];
	const uint32_t *w = r->words_of.v + sel->from;

	if (t->scope == SCOPE_SPACES) {
		memcpy(to, spaces_shapes(r, &r->spaces_ids.v[t->where]), r->words * sizeof(*to));
	} else {
		memcpy(to, space_shapes(r, &r->spaces.v[t->where]), r->words * sizeof(*to));
	}
	for (uint32_t k = 0; k < sel->nr; k++, w += w[2] + 3)
		narrow(r, to, w);
	for (uint32_t x = 0; t->families && x < r->shapes.nr; x++)
		if (r->shapes.v[x].families != t->families - 1)
			BIT_OFF(to, x);
	bits_from_words(&t->b, to, r->words, reach_pool(r));
	memset(to, 0, r->words * sizeof(*to));
}

static int number_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void evaluate_block(struct reach *r, struct shape_set *t)
{
	const struct block_id *b = &r->blocks.v[t->where];
	const struct bound *in;
	uint64_t *to = r->out.w;
	uint32_t nr = t->seen ? 0 : reach_bounds_in(r, b->cidr, &in);

	for (uint32_t k = 0; k < nr; k++) {
		uint32_t atom = in[k].atom;

		if (atom + 1 >= r->atom_from.nr || !reach_block_holds(b, r->atoms.v[atom].at))
			continue;
		for (uint32_t i = r->atom_from.v[atom]; i < r->atom_from.v[atom + 1]; i++)
			BIT_ON(to, r->by_atom.v[i]);
	}
	for (uint32_t x = t->seen ? 0 : r->built; x < r->shapes.nr; x++)
		if (reach_set_means(r, t, &r->shapes.v[x]))
			BIT_ON(to, x);
	bits_from_words(&t->b, to, r->words, reach_pool(r));
	memset(to, 0, r->words * sizeof(*to));
}

/* By looking at each shape, or NONE: it would take longer than by words. */
static bool is_small(const struct reach *r, const struct shape_set *t, uint32_t *nr)
{
	uint32_t limit = 64 + r->words / 4 * (1 + r->selectors.v[t->selector].nr);

	*nr = 0;
	if (t->scope == SCOPE_SPACE)
		*nr = r->spaces.v[t->where].nr_shapes;
	else
		for (uint32_t k = 0; k < r->spaces_ids.v[t->where].list.nr && *nr <= limit; k++)
			*nr += r->spaces.v[r->spaces_ids.v[t->where].list.v[k]].nr_shapes;
	return *nr <= limit;
}

/* Of the pairs that a selector asks for one by one, that which the fewest shapes have; NONE: it asks for none. */
static uint32_t rarest_pair(const struct reach *r, const struct selector_id *sel)
{
	const uint32_t *w = r->words_of.v + sel->from;
	uint32_t rarest = NONE, fewest = NONE;

	for (uint32_t k = 0; sel->bloom && k < sel->nr; k++, w += w[2] + 3) {
		uint32_t nr = w[1] == SEL_IN && w[2] == 1 ? r->pair_from.v[w[3] + 1] - r->pair_from.v[w[3]] : NONE;

		if (nr < fewest) {
			fewest = nr;
			rarest = w[3];
		}
	}
	return rarest;
}

/* When it is built, the shapes of a namespace follow each other, and so they do in the index. */
static void look_up(const struct reach *r, const struct shape_set *t, const struct space *s, uint32_t pair, numbers *m)
{
	uint32_t lo = r->pair_from.v[pair], end = r->pair_from.v[pair + 1], hi = end;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (r->by_pair.v[mid] < s->first)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < end && r->by_pair.v[lo] <= s->last; lo++) {
		const struct shape *x = &r->shapes.v[r->by_pair.v[lo]];

		if (x->space == (uint32_t)(s - r->spaces.v) && reach_matches_shape(r, t->selector, x) && (!t->families || x->families == t->families - 1))
			*heap_push(m) = r->by_pair.v[lo];
	}
}

static void look_through(const struct reach *r, const struct shape_set *t, uint32_t space, numbers *m)
{
	const struct selector_id *sel = &r->selectors.v[t->selector];
	const struct space *s = &r->spaces.v[space];
	uint32_t pair = r->building && s->nr_shapes > FEW ? rarest_pair(r, sel) : NONE;

	if (pair != NONE) {
		look_up(r, t, s, pair, m);
		return;
	}
	for (uint32_t x = s->first; x != NONE; x = r->shapes.v[x].next) {
		const struct shape *is = &r->shapes.v[x];

		if ((is->bloom & sel->bloom) == sel->bloom && (!sel->nr || reach_matches_shape(r, t->selector, is)) && (!t->families || is->families == t->families - 1))
			*heap_push(m) = x;
	}
}

void reach_evaluate(struct reach *r, uint32_t set)
{
	struct shape_set *t = &r->sets.v[set];
	numbers *m = &r->scratch;
	uint32_t nr;

	m->nr = 0;
	if (t->scope == SCOPE_ALL)
		return;
	if (t->scope == SCOPE_BLOCK) {
		evaluate_block(r, t);
		return;
	} else if (!is_small(r, t, &nr)) {
		evaluate_words(r, t);
		return;
	} else if (t->scope == SCOPE_SPACE) {
		look_through(r, t, t->where, m);
	} else {
		for (uint32_t k = 0; k < r->spaces_ids.v[t->where].list.nr; k++)
			look_through(r, t, r->spaces_ids.v[t->where].list.v[k], m);
	}
	for (uint32_t k = 1; k < m->nr; k++)
		if (m->v[k - 1] > m->v[k]) {
			qsort(m->v, m->nr, sizeof(*m->v), number_order);
			break;
		}
	bits_from(&t->b, m->v, m->nr, reach_pool(r));
}
