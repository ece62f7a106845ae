/* Sets of shapes: equal ones are one, counted by who refers to it; each shape knows its sets, and both follow when shapes or namespaces change. */
#include "sim/reachability/inside.h"

static uint64_t set_hash(const struct shape_set *t)
{
	return hash_mix(hash_mix((uint64_t)t->where << 32 | t->selector, (uint64_t)t->scope << 16 | (uint64_t)t->families << 8 | t->seen), 3);
}

static uint64_t token(uint32_t set, int k)
{
	return hash_mix(set + 1, (uint64_t)k + 77);
}

static void take(struct reach *r, uint32_t shape, uint32_t set)
{
	struct shape *s = &r->shapes.v[shape];

	*heap_push(&s->sets) = set;
	s->sig[0] ^= token(set, 0);
	s->sig[1] ^= token(set, 1);
}

static void leave(struct reach *r, uint32_t shape, uint32_t set)
{
	struct shape *s = &r->shapes.v[shape];

	for (uint32_t k = 0; k < s->sets.nr; k++)
		if (s->sets.v[k] == set) {
			s->sets.v[k] = s->sets.v[--s->sets.nr];
			s->sig[0] ^= token(set, 0);
			s->sig[1] ^= token(set, 1);
			return;
		}
}

static uint32_t *head_of(struct reach *r, const struct shape_set *t)
{
	return t->scope == SCOPE_SPACE ? &r->spaces.v[t->where].sets : t->scope == SCOPE_SPACES ? &r->spaces_ids.v[t->where].sets : &r->block_sets;
}

enum { PASS_WORDS = 8 };                /* a line of the cache of each span */

/* In how many sets the shapes of a word are, 64 counters side by side: plane p has bit p of each. */
enum { PLANES = 32 };

static inline void count_word(uint64_t *planes, uint64_t carry)
{
	for (; carry; planes++) {
		uint64_t both = *planes & carry;

		*planes ^= carry;
		carry = both;
	}
}

static void read_planes(const uint64_t *planes, uint32_t at[64])
{
	for (uint32_t p = 0; p < PLANES; p++)
		for (uint64_t m = planes[p]; m; m &= m - 1)
			at[__builtin_ctzll(m)] += (uint32_t)1 << p;
}

/* at[shape]: its sets. */
static void count_all(const struct reach *r, uint32_t *at)
{
	uint64_t (*planes)[PLANES] = (uint64_t (*)[PLANES])heap_words(r->words * PLANES);

	for (uint32_t k = 0; k < r->sets.nr; k++) {
		const struct bits *b = &r->sets.v[k].b;

		if (bits_is_span(b))
			for (uint32_t i = 0; i < bits_length(b); i++)
				count_word(planes[bits_first(b) + i], b->word[i]);
		else
			for (uint32_t i = 0; i < b->nr; i++)
				for (uint64_t m = bits_masks(b)[i]; m; m &= m - 1)
					at[bits_places(b)[i] * 64 + (uint32_t)__builtin_ctzll(m)]++;
	}
	for (uint32_t w = 0; w < r->words; w++)
		read_planes(planes[w], at + (size_t)w * 64);
	free(planes);
}

static inline void fill_word(uint32_t *at, uint32_t *lists, uint32_t set, uint64_t m)
{
	for (; m; m &= m - 1)
		lists[at[__builtin_ctzll(m)]++] = set;
}

/* Each set into the lists that begin at at[shape]: sparse ones one by one; spans eight words at a time, so that the shapes at hand stay in the cache. */
static void fill_all(const struct reach *r, uint32_t *at, uint32_t *lists)
{
	numbers spans = { 0 };

	for (uint32_t k = 0; k < r->sets.nr; k++) {
		const struct bits *b = &r->sets.v[k].b;

		if (bits_is_span(b)) {
			*heap_push(&spans) = k;
			continue;
		}
		for (uint32_t i = 0; i < b->nr; i++)
			fill_word(at + (size_t)bits_places(b)[i] * 64, lists, k, bits_masks(b)[i]);
	}
	for (uint32_t from = 0; from < r->words; from += PASS_WORDS)
		for (uint32_t k = 0; k < spans.nr; k++) {
			const struct bits *b = &r->sets.v[spans.v[k]].b;
			uint32_t first = bits_first(b);

			for (uint32_t w = MAX(from, first); w < MIN(from + PASS_WORDS, first + bits_length(b)); w++)
				fill_word(at + (size_t)w * 64, lists, spans.v[k], b->word[w - first]);
		}
	heap_free(&spans);
}

void reach_members(struct reach *r)
{
	uint32_t *at = (uint32_t *)heap_words(r->capacity / 2 + 1), *lists, from = 0, all = 0;
	uint64_t (*tokens)[2] = (uint64_t (*)[2])heap_words(r->sets.nr * 2);

	count_all(r, at);
	for (uint32_t s = 0; s < r->shapes.nr; s++) {
		uint32_t nr = at[s];

		at[s] = all;
		all += nr;
	}
	r->nr_members = all;
	lists = region_take(&r->region, all * sizeof(*lists));
	fill_all(r, at, lists);
	for (uint32_t k = 0; k < r->sets.nr; k++)
		for (int i = 0; i < 2; i++)
			tokens[k][i] = token(k, i);
	for (uint32_t s = 0; s < r->shapes.nr; from = at[s++]) {        /* each place is now behind its list */
		struct shape *x = &r->shapes.v[s];

		if (at[s] > from)               /* the place of an empty list is that of the next one */
			x->sets = (numbers){ lists + from, at[s] - from, 1 };
		for (uint32_t k = 0; k < x->sets.nr; k++) {
			x->sig[0] ^= tokens[x->sets.v[k]][0];
			x->sig[1] ^= tokens[x->sets.v[k]][1];
		}
	}
	free(at);
	free(tokens);
}

/* Are the sets of its namespace or namespaceSelector looked up? NULL: those of blocks always are. */
static bool *many_of(struct reach *r, const struct shape_set *t)
{
	return t->scope == SCOPE_SPACE ? &r->spaces.v[t->where].many : t->scope == SCOPE_SPACES ? &r->spaces_ids.v[t->where].many : NULL;
}

static bool is_set(const struct shape_set *t, const struct shape_set *like)
{
	return t->refs && t->scope == like->scope && t->where == like->where && t->selector == like->selector && t->families == like->families && t->seen == like->seen;
}

static uint32_t known_set(struct reach *r, const struct shape_set *like)
{
	const bool *many = many_of(r, like);
	uint64_t h = set_hash(like);
	uint32_t at, id;

	if (many && !*many) {
		for (id = *head_of(r, like); id != NONE && !is_set(&r->sets.v[id], like); id = r->sets.v[id].next)
			;
		return id;
	}
	for (id = lookup_first(&r->set_ids, h, &at); id != NONE && !is_set(&r->sets.v[id], like); id = lookup_next(&r->set_ids, h, &at))
		;
	return id;
}

/* It stands in its chain already. */
static void note_set(struct reach *r, uint32_t set)
{
	const struct shape_set *t = &r->sets.v[set];
	bool *many = many_of(r, t);
	uint32_t nr = 0;

	if (!many || *many) {
		lookup_put(&r->set_ids, set_hash(t), set);
		return;
	}
	for (uint32_t k = set; k != NONE; k = r->sets.v[k].next)
		nr++;
	*many = nr > FEW;
	for (uint32_t k = set; *many && k != NONE; k = r->sets.v[k].next)
		lookup_put(&r->set_ids, set_hash(&r->sets.v[k]), k);
}

uint32_t reach_set(struct reach *r, struct shape_set like)
{
	uint32_t id = known_set(r, &like);
	numbers m = { 0 };

	if (id != NONE) {
		r->sets.v[id].refs++;
		return id;
	}
	if (r->free_sets.nr)
		id = r->free_sets.v[--r->free_sets.nr];
	else
		id = (heap_push(&r->sets), r->sets.nr - 1);
	heap_room(&r->roles, r->sets.nr);
	r->roles.nr = r->sets.nr;
	r->roles.v[id] = 0;
	like.refs = 1;
	like.next = *head_of(r, &like);
	*head_of(r, &like) = id;
	r->sets.v[id] = like;
	note_set(r, id);
	if (r->building)
		return id;
	reach_evaluate(r, id);
	bits_list(&r->sets.v[id].b, &m);
	for (uint32_t k = 0; k < m.nr; k++)
		take(r, m.v[k], id);
	heap_free(&m);
	return id;
}

void reach_unref(struct reach *r, uint32_t set)
{
	struct shape_set *t = &r->sets.v[set];
	numbers m = { 0 };
	uint32_t *at;

	if (--t->refs || set == 0)
		return;
	bits_list(&t->b, &m);
	for (uint32_t k = 0; k < m.nr; k++)
		leave(r, m.v[k], set);
	heap_free(&m);
	for (at = head_of(r, t); *at != set;)
		at = &r->sets.v[*at].next;
	*at = t->next;
	if (!many_of(r, t) || *many_of(r, t))
		lookup_drop(&r->set_ids, set_hash(t), set);
	bits_free(&t->b);
	for (int d = 0; d < 2; d++) {
		few_free(&t->uses[d]);
		few_free(&t->users[d]);
	}
	*heap_push(&r->free_sets) = set;
}

static void join(struct reach *r, uint32_t set, uint32_t shape)
{
	struct shape_set *t = &r->sets.v[set];

	if (!reach_set_means(r, t, &r->shapes.v[shape]))
		return;
	bits_add(&t->b, shape, r->words);
	take(r, shape, set);
	for (int d = 0; d < 2; d++) {
		if (t->isolates[d])
			BIT_OFF(r->open[d], shape);
		for (uint32_t k = 0; k < t->uses[d].nr; k++) {
			struct use *u = &r->used.v[few_v(&t->uses[d])[k]];

			if (u->subjects.nr > 1)
				bits_add(&u->u, shape, r->words);
		}
	}
}

void reach_join(struct reach *r, uint32_t shape)
{
	uint32_t space = r->shapes.v[shape].space;

	for (uint32_t t = r->block_sets; t != NONE; t = r->sets.v[t].next)
		join(r, t, shape);
	if (space == NONE)
		return;
	for (uint32_t t = r->spaces.v[space].sets; t != NONE; t = r->sets.v[t].next)
		join(r, t, shape);
	for (uint32_t k = 0; k < r->spaces_ids.nr; k++)
		for (uint32_t t = reach_spaces_have(r, k, space) ? r->spaces_ids.v[k].sets : NONE; t != NONE; t = r->sets.v[t].next)
			join(r, t, shape);
}

/* A namespaceSelector that now says something else of the namespace: its shapes join the sets or leave them. Such sets are peers only, never subjects. */
static void space_switched(struct reach *r, struct spaces_id *s, uint32_t space, bool now)
{
	if (now) {
		reach_spaces_add(s, space);
	} else {
		BIT_OFF(s->in.v, space);
		for (uint32_t k = 0; k < s->list.nr; k++)
			if (s->list.v[k] == space)
				s->list.v[k--] = s->list.v[--s->list.nr];
	}
	for (uint32_t x = r->spaces.v[space].first; x != NONE; x = r->shapes.v[x].next) {
		if (s->shapes && now)
			BIT_ON(s->shapes, x);
		else if (s->shapes)
			BIT_OFF(s->shapes, x);
		for (uint32_t t = s->sets; t != NONE; t = r->sets.v[t].next) {
			if (now) {
				join(r, t, x);
			} else if (bits_has(&r->sets.v[t].b, x)) {
				bits_drop(&r->sets.v[t].b, x);
				leave(r, x, t);
			}
		}
	}
	r->counted = false;
}

void reach_space_changed(struct reach *r, uint32_t space)
{
	for (uint32_t k = 0; k < r->spaces_ids.nr && !r->building; k++) {
		bool now = reach_spaces_mean(r, &r->spaces_ids.v[k], space);

		if (now != reach_spaces_have(r, k, space))
			space_switched(r, &r->spaces_ids.v[k], space, now);
	}
}
