/* Taking out what was written at one place, so that it can be written again, and the order in which everything is listed. */
#include "model/dataplane/ruleset_bodies.h"

#include <stdlib.h>

/* ---- order */

struct placed { uint32_t place, h; };

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->h < y->h ? -1 : x->h > y->h;
}

uint32_t *ruleset_in_order(const struct ruleset *rs, bool sets, struct arena *a, uint32_t *nr)
{
	uint32_t all = sets ? ruleset_nr_sets(rs) : ruleset_nr_chains(rs), own = sets ? rs->sets.nr : rs->chains.nr, below = all + 1 - own, *out = arena_array(a, uint32_t, all);
	struct placed *v = arena_array(a, struct placed, own);
	uint32_t n = 0;

	*nr = 0;
	if (rs->base) {
		uint32_t *base = ruleset_in_order(rs->base, sets, a, nr);

		if (*nr)
			memcpy(out, base, *nr * sizeof(*out));
	}
	for (uint32_t k = 1; k < own; k++)
		if (sets ? rs->sets.v[k].table.i : rs->chains.v[k].table.i)
			v[n++] = (struct placed){ sets ? rs->sets.v[k].place : rs->chains.v[k].place, below + k };
	if (rs->mixed && n)
		qsort(v, n, sizeof(*v), by_place);
	for (uint32_t k = 0; k < n; k++)
		out[(*nr)++] = v[k].h;
	return out;
}

/* Keys lie in wide[] in the order in which elements were added. */
static int by_place_and_key(const void *a, const void *b)
{
	const struct elem *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

void set_body_order(const struct ruleset *owner, const struct set *s, const struct set_body *cb)
{
	struct set_body *b = (struct set_body *)(uintptr_t)cb;

	if (!b->mixed)
		return;
	qsort(b->v, b->nr, sizeof(*b->v), by_place_and_key);
	b->mixed = false;
	set_body_index((struct ruleset *)(uintptr_t)owner, s, b);
}

/* ---- cutting */

void ruleset_cut_chains(struct ruleset *rs, uint32_t from, uint32_t to)
{
	for (uint32_t h = from; h < to; h++) {
		struct chain *c = &rs->chains.v[h - rs->below_chains];

		assert(h > rs->below_chains);
		if (c->name)
			map_remove(&rs->chain_by_name, ruleset_name_key(c->table, c->name));
		*c = (struct chain){ .name = "" };
	}
}

void ruleset_cut_sets(struct ruleset *rs, uint32_t from, uint32_t to)
{
	for (uint32_t h = from; h < to; h++) {
		struct set *s = &rs->sets.v[h - rs->below_sets];

		assert(h > rs->below_sets);
		if (s->name)
			map_remove(&rs->set_by_name, ruleset_name_key(s->table, s->name));
		*s = (struct set){ .flags = s->flags & SETF_ANONYMOUS };
	}
}

/* Rules of one chain lie in the order of their places. */
void ruleset_cut_rules(struct ruleset *rs, chain_h h, uint32_t place)
{
	struct chain_body *b = ruleset_own_body(rs, h);
	uint32_t lo = 0, hi = b ? b->rules.nr : 0, to;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (b->rules.v[mid].place < place)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (to = lo; b && to < b->rules.nr && b->rules.v[to].place == place; to++)
		;
	if (b && to > lo) {
		b->index = NULL;
		b->asked = 0;
		memmove(&b->rules.v[lo], &b->rules.v[to], (b->rules.nr - to) * sizeof(*b->rules.v));
		b->rules.nr -= to - lo;
	}
}

void ruleset_cut_elements(struct ruleset *rs, set_h h, uint32_t place)
{
	struct set_body *b = ruleset_own_elements(rs, h);
	const struct set *s = ruleset_set_get(rs, h);

	for (uint32_t k = 0; b && k < b->nr;) {
		if (b->v[k].place == place)
			set_body_remove(rs, s, b, k);
		else
			k++;
	}
}
