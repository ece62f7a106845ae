/* Selectors, namespaceSelectors and ipBlocks: each known once, by what it says, and what it means of one shape. */
#include "sim/reachability/inside.h"

/* ---- selectors, canonical: requirements in ascending order of their words, values in ascending order */

static int word_order(const uint32_t *x, const uint32_t *y)
{
	uint32_t n = MIN(x[2], y[2]) + 3;

	for (uint32_t k = 0; k < n; k++)
		if (x[k] != y[k])
			return x[k] < y[k] ? -1 : 1;
	return x[2] == y[2] ? 0 : x[2] < y[2] ? -1 : 1;
}

static void sort_requirements(uint32_t *w, const uint32_t *at, uint32_t nr, numbers *out)
{
	uint32_t *order = malloc((nr + 1) * sizeof(*order));

	if (!order)
		abort();
	for (uint32_t k = 0; k < nr; k++) {
		uint32_t i = k;

		for (; i > 0 && word_order(w + at[order[i - 1]], w + at[k]) > 0; i--)
			order[i] = order[i - 1];
		order[i] = k;
	}
	for (uint32_t k = 0; k < nr; k++) {
		const uint32_t *v = w + at[order[k]];

		if (k && word_order(w + at[order[k - 1]], v) == 0)
			continue;               /* said twice */
		for (uint32_t i = 0; i < v[2] + 3; i++)
			*heap_push(out) = v[i];
	}
	free(order);
}

static void requirement(struct reach *r, str key, uint8_t op, const str *values, uint32_t nr, numbers *w)
{
	uint32_t from = w->nr;

	*heap_push(w) = reach_key(r, key);
	*heap_push(w) = op;
	*heap_push(w) = nr;
	for (uint32_t k = 0; k < nr; k++) {
		uint32_t pair = reach_pair(r, key, values[k]), i = w->nr;

		heap_push(w);
		for (; i > from + 3 && w->v[i - 1] > pair; i--)
			w->v[i] = w->v[i - 1];
		w->v[i] = pair;
	}
}

static uint32_t intern_selector(struct reach *r, uint32_t from)
{
	uint32_t nr = r->words_of.nr - from, at;
	uint64_t h = nr;
	struct selector_id *id;

	for (uint32_t k = 0; k < nr; k++)
		h = hash_mix(h, r->words_of.v[from + k]);
	for (uint32_t n = lookup_first(&r->selector_ids, h, &at); n != NONE; n = lookup_next(&r->selector_ids, h, &at)) {
		id = &r->selectors.v[n];
		if (id->nr_words == nr && (!nr || memcmp(r->words_of.v + id->from, r->words_of.v + from, nr * sizeof(uint32_t)) == 0)) {
			r->words_of.nr = from;
			return n;
		}
	}
	id = heap_push(&r->selectors);
	*id = (struct selector_id){ .from = from, .nr_words = nr };
	for (const uint32_t *w = r->words_of.v + from, *end = w + nr; w < end; w += w[2] + 3) {
		id->nr++;
		if (w[1] == SEL_IN && w[2] == 1)
			id->bloom |= (uint64_t)1 << (hash_mix(w[3], 1) >> 58);
	}
	lookup_put(&r->selector_ids, h, r->selectors.nr - 1);
	return r->selectors.nr - 1;
}

/* What most say: one label. */
static uint32_t selector_of_pair(struct reach *r, uint32_t pair)
{
	uint32_t from = r->words_of.nr, *at;

	heap_room(&r->selector_of, r->pairs.nr);
	at = &r->selector_of.v[pair];
	if (!*at) {
		heap_room(&r->words_of, from + 4);
		memcpy(r->words_of.v + from, (uint32_t[4]){ r->key_of.v[pair], SEL_IN, 1, pair }, 4 * sizeof(uint32_t));
		r->words_of.nr = from + 4;
		*at = 1 + intern_selector(r, from);
	}
	return *at - 1;
}

uint32_t reach_selector(struct reach *r, const struct selector *s)
{
	uint32_t from = r->words_of.nr;
	numbers *w = &r->words_sel, *at = &r->words_at;

	if (s && s->labels.nr == 1 && !s->exprs.nr)
		return selector_of_pair(r, reach_pair(r, s->labels.v[0].key, s->labels.v[0].value));
	if ((!s || (!s->labels.nr && !s->exprs.nr)) && r->selectors.nr)
		return 0;                       /* everything: the first that is made */

	w->nr = at->nr = 0;
	for (uint32_t k = 0; s && k < s->labels.nr; k++) {
		*heap_push(at) = w->nr;
		requirement(r, s->labels.v[k].key, SEL_IN, &s->labels.v[k].value, 1, w);
	}
	for (uint32_t k = 0; s && k < s->exprs.nr; k++) {
		const struct requirement *q = &s->exprs.v[k];

		*heap_push(at) = w->nr;
		requirement(r, q->key, (uint8_t)(q->op - 1), q->values.v, q->op - 1 <= SEL_NOT_IN ? q->values.nr : 0, w);
	}
	if (at->nr == 1)
		for (uint32_t k = 0; k < w->nr; k++)
			*heap_push(&r->words_of) = w->v[k];
	else
		sort_requirements(w->v, at->v, at->nr, &r->words_of);
	return intern_selector(r, from);
}

static bool holds(const struct reach *r, const uint32_t *w, const uint32_t *pairs, uint32_t nr)
{
	bool there = false;

	for (uint32_t k = 0; k < nr && !there; k++) {
		if (w[1] >= SEL_EXISTS)
			there = r->key_of.v[pairs[k]] == w[0];
		else
			for (uint32_t i = 0; i < w[2] && !there; i++)
				there = w[3 + i] == pairs[k];
	}
	return (w[1] == SEL_IN || w[1] == SEL_EXISTS) == there;
}

static bool reach_matches(const struct reach *r, uint32_t selector, const uint32_t *pairs, uint32_t nr, uint64_t bloom)
{
	const struct selector_id *s = &r->selectors.v[selector];
	const uint32_t *w = r->words_of.v + s->from;

	if ((bloom & s->bloom) != s->bloom)
		return false;
	for (uint32_t k = 0; k < s->nr; k++, w += w[2] + 3)
		if (!holds(r, w, pairs, nr))
			return false;
	return true;
}

bool reach_matches_shape(const struct reach *r, uint32_t selector, const struct shape *s)
{
	return reach_matches(r, selector, r->labels.v + s->labels, s->nr_labels, s->bloom);
}

/* ---- namespaceSelectors */

bool reach_spaces_have(const struct reach *r, uint32_t spaces, uint32_t space)
{
	const struct spaces_id *s = &r->spaces_ids.v[spaces];

	return space / 64 < s->in.nr && BIT(s->in.v, space);
}

void reach_spaces_add(struct spaces_id *s, uint32_t space)
{
	heap_room(&s->in, space / 64 + 1);
	s->in.nr = MAX(s->in.nr, space / 64 + 1);
	BIT_ON(s->in.v, space);
	*heap_push(&s->list) = space;
}

bool reach_spaces_mean(const struct reach *r, const struct spaces_id *s, uint32_t space)
{
	return reach_matches(r, s->selector, r->spaces.v[space].pairs.v, r->spaces.v[space].pairs.nr, UINT64_MAX);
}

static void find_spaces(struct reach *r, struct spaces_id *s)
{
	for (uint32_t k = 0; k < r->spaces.nr; k++)
		if (reach_spaces_mean(r, s, k))
			reach_spaces_add(s, k);
}

uint32_t reach_spaces(struct reach *r, const struct selector *sel)
{
	uint32_t selector = reach_selector(r, sel);
	uint64_t *at = map_put(&r->spaces_of, r->a, selector + 1);
	struct spaces_id *s;

	if (*at)
		return (uint32_t)*at - 1;
	*at = r->spaces_ids.nr + 1;
	s = heap_push(&r->spaces_ids);
	*s = (struct spaces_id){ .selector = selector, .sets = NONE };
	if (!r->building)
		find_spaces(r, s);
	return r->spaces_ids.nr - 1;
}

void reach_find_spaces(struct reach *r)
{
	for (uint32_t k = 0; k < r->spaces_ids.nr; k++)
		find_spaces(r, &r->spaces_ids.v[k]);
}

/* ---- ipBlocks */

static uint64_t cidrs_hash(struct cidr c, uint64_t h)
{
	return hash_mix(hash_mix(hash_mix(h, c.addr.hi), c.addr.lo), c.len);
}

static bool same_cidr(struct cidr a, struct cidr b)
{
	return ip_eq(a.addr, b.addr) && a.len == b.len;
}

uint32_t reach_block(struct reach *r, const struct np_peers *p)
{
	uint64_t h = cidrs_hash(p->block, p->nr_except);
	struct block_id *b;
	uint32_t at, i;

	for (uint32_t k = 0; k < p->nr_except; k++)
		h = cidrs_hash(p->except[k], h);
	for (uint32_t id = lookup_first(&r->block_ids, h, &at); id != NONE; id = lookup_next(&r->block_ids, h, &at)) {
		b = &r->blocks.v[id];
		for (i = 0; b->nr_except == p->nr_except && i < p->nr_except && same_cidr(b->except[i], p->except[i]);)
			i++;
		if (same_cidr(b->cidr, p->block) && b->nr_except == p->nr_except && i == p->nr_except)
			return id;
	}
	b = heap_push(&r->blocks);
	*b = (struct block_id){ p->block, arena_array(r->a, struct cidr, p->nr_except), p->nr_except };
	reach_bound(r, p->block);
	for (uint32_t k = 0; k < p->nr_except; k++) {
		r->blocks.v[r->blocks.nr - 1].except[k] = p->except[k];
		reach_bound(r, p->except[k]);
	}
	lookup_put(&r->block_ids, h, r->blocks.nr - 1);
	return r->blocks.nr - 1;
}

bool reach_block_holds(const struct block_id *b, ip_addr first)
{
	if (!cidr_contains(b->cidr, first))
		return false;
	for (uint32_t k = 0; k < b->nr_except; k++)
		if (cidr_contains(b->except[k], first))
			return false;
	return true;
}

/* Which of its addresses an end uses towards another: the destination's first of a family that the source has too. */
int reach_address_used(bool as_dst, uint8_t mine, uint8_t other)
{
	static const uint8_t has[FAM_COUNT] = { 1, 2, 3, 3 }, first[FAM_COUNT] = { 1, 2, 1, 2 };
	uint8_t src = as_dst ? other : mine, dst = as_dst ? mine : other, family;

	family = has[src] & first[dst] ? first[dst] : has[src] & has[dst] ? has[src] & has[dst] : first[dst];
	return has[mine] & family && first[mine] != family ? 1 : 0;
}

static bool block_has(const struct reach *r, const struct shape_set *t, const struct shape *s)
{
	const struct block_id *b = &r->blocks.v[t->where];
	int which = t->seen ? reach_address_used(t->seen > FAM_COUNT, s->families, (uint8_t)((t->seen - 1) % FAM_COUNT)) : 0;

	return reach_block_holds(b, r->atoms.v[s->atom[which]].at);
}

bool reach_set_means(const struct reach *r, const struct shape_set *t, const struct shape *s)
{
	if (t->families && s->families != t->families - 1)
		return false;
	switch ((enum scope)t->scope) {
	case SCOPE_ALL:
		return true;
	case SCOPE_SPACE:
		return s->space == t->where && reach_matches_shape(r, t->selector, s);
	case SCOPE_SPACES:
		return s->space != NONE && reach_spaces_have(r, t->where, s->space) && reach_matches_shape(r, t->selector, s);
	case SCOPE_BLOCK:
		return block_has(r, t, s);
	}
	return false;
}
