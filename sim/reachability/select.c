/* What selectors and ipBlocks mean, as sets of shapes. Each is evaluated once, by the shortest way: the shapes of its namespace one by one, or words of 64 shapes with
 * what each requirement means. */
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

uint32_t reach_selector(struct reach *r, const struct selector *s)
{
	uint32_t from = r->words_of.nr;
	numbers *w = &r->words_sel, *at = &r->words_at;

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

bool reach_matches(const struct reach *r, uint32_t selector, const uint32_t *pairs, uint32_t nr, uint64_t bloom)
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

static bool matches_shape(const struct reach *r, uint32_t selector, const struct shape *s)
{
	return reach_matches(r, selector, r->labels.v + s->labels, s->nr_labels, s->bloom);
}

/* ---- namespaceSelectors */

bool reach_spaces_have(const struct reach *r, uint32_t spaces, uint32_t space)
{
	const struct spaces_id *s = &r->spaces_ids.v[spaces];

	return space / 64 < s->in.nr && BIT(s->in.v, space);
}

static void add_space(struct spaces_id *s, uint32_t space)
{
	heap_room(&s->in, space / 64 + 1);
	s->in.nr = MAX(s->in.nr, space / 64 + 1);
	BIT_ON(s->in.v, space);
	*heap_push(&s->list) = space;
}

static bool selects_space(const struct reach *r, const struct spaces_id *s, uint32_t space)
{
	return reach_matches(r, s->selector, r->spaces.v[space].pairs.v, r->spaces.v[space].pairs.nr, UINT64_MAX);
}

static void find_spaces(struct reach *r, struct spaces_id *s)
{
	for (uint32_t k = 0; k < r->spaces.nr; k++)
		if (selects_space(r, s, k))
			add_space(s, k);
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

static bool block_has_address(const struct block_id *b, ip_addr first)
{
	if (!cidr_contains(b->cidr, first))
		return false;
	for (uint32_t k = 0; k < b->nr_except; k++)
		if (cidr_contains(b->except[k], first))
			return false;
	return true;
}

/* Which of its addresses an end uses towards another: the destination's first of a family that the source has too. */
static int address_used(bool as_dst, uint8_t mine, uint8_t other)
{
	static const uint8_t has[FAM_COUNT] = { 1, 2, 3, 3 }, first[FAM_COUNT] = { 1, 2, 1, 2 };
	uint8_t src = as_dst ? other : mine, dst = as_dst ? mine : other, family;

	family = has[src] & first[dst] ? first[dst] : has[src] & has[dst] ? has[src] & has[dst] : first[dst];
	return has[mine] & family && first[mine] != family ? 1 : 0;
}

static bool block_has(const struct reach *r, const struct shape_set *t, const struct shape *s)
{
	const struct block_id *b = &r->blocks.v[t->where];
	int which = t->seen ? address_used(t->seen > FAM_COUNT, s->families, (uint8_t)((t->seen - 1) % FAM_COUNT)) : 0;

	return block_has_address(b, r->atoms.v[s->atom[which]].at);
}

bool reach_set_means(const struct reach *r, const struct shape_set *t, const struct shape *s)
{
	if (t->families && s->families != t->families - 1)
		return false;
	switch ((enum scope)t->scope) {
	case SCOPE_ALL:
		return true;
	case SCOPE_SPACE:
		return s->space == t->where && matches_shape(r, t->selector, s);
	case SCOPE_SPACES:
		return s->space != NONE && reach_spaces_have(r, t->where, s->space) && matches_shape(r, t->selector, s);
	case SCOPE_BLOCK:
		return block_has(r, t, s);
	}
	return false;
}

/* ---- evaluation */

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
	bits_from_words(&t->b, to, r->words);
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

		if (atom + 1 >= r->atom_from.nr || !block_has_address(b, r->atoms.v[atom].at))
			continue;
		for (uint32_t i = r->atom_from.v[atom]; i < r->atom_from.v[atom + 1]; i++)
			BIT_ON(to, r->by_atom.v[i]);
	}
	for (uint32_t x = t->seen ? 0 : r->built; x < r->shapes.nr; x++)
		if (reach_set_means(r, t, &r->shapes.v[x]))
			BIT_ON(to, x);
	bits_from_words(&t->b, to, r->words);
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

static void look_through(const struct reach *r, const struct shape_set *t, uint32_t space, numbers *m)
{
	bool every = !r->selectors.v[t->selector].nr;

	for (uint32_t x = r->spaces.v[space].first; x != NONE; x = r->shapes.v[x].next)
		if ((every || matches_shape(r, t->selector, &r->shapes.v[x])) && (!t->families || r->shapes.v[x].families == t->families - 1))
			*heap_push(m) = x;
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
	bits_from(&t->b, m->v, m->nr, r->words);
}

/* ---- sets */

static uint64_t set_hash(const struct shape_set *t)
{
	return hash_mix(hash_mix((uint64_t)t->where << 32 | t->selector, (uint64_t)t->scope << 16 | (uint64_t)t->families << 8 | t->seen), 3);
}

static uint64_t token(uint32_t set, int k)
{
	return hash_mix(set + 1, (uint64_t)k + 77);
}

static bool is_pooled(const struct reach *r, const numbers *l)
{
	return l->v >= r->pool && l->v < r->pool + r->pool_nr;
}

static void take(struct reach *r, uint32_t shape, uint32_t set)
{
	struct shape *s = &r->shapes.v[shape];

	if (s->sets.nr == s->sets.alloc && is_pooled(r, &s->sets)) {
		numbers own = { 0 };

		heap_room(&own, s->sets.nr + 4);
		memcpy(own.v, s->sets.v, s->sets.nr * sizeof(*own.v));
		own.nr = s->sets.nr;
		s->sets = own;
	}
	*heap_push(&s->sets) = set;
	s->sig[0] ^= token(set, 0);
	s->sig[1] ^= token(set, 1);
}

void reach_free_sets(struct reach *r, uint32_t shape)
{
	if (!is_pooled(r, &r->shapes.v[shape].sets))
		heap_free(&r->shapes.v[shape].sets);
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

enum { PASS_WORDS = 8 };                /* a line of the cache of each dense set */

struct filling { struct reach *r; uint32_t *nr; bool fill; uint64_t token[2]; uint32_t set; };

static inline void fill_word(struct filling *f, uint32_t at, uint64_t m)
{
	for (; m; m &= m - 1) {
		uint32_t x = at * 64 + (uint32_t)__builtin_ctzll(m);
		struct shape *s;

		if (!f->fill) {
			f->nr[x]++;
			continue;
		}
		s = &f->r->shapes.v[x];
		s->sets.v[s->sets.nr++] = f->set;
		s->sig[0] ^= f->token[0];
		s->sig[1] ^= f->token[1];
	}
}

static void fill_begin(struct filling *f, uint32_t set)
{
	f->set = set;
	f->token[0] = token(set, 0);
	f->token[1] = token(set, 1);
}

/* Sparse sets one by one; dense ones eight words at a time, so that the shapes at hand stay in the cache. */
static void fill_all(struct filling *f)
{
	struct reach *r = f->r;
	numbers dense = { 0 };

	for (uint32_t k = 0; k < r->sets.nr; k++) {
		const struct bits *b = &r->sets.v[k].b;

		if (b->nr == BITS_DENSE) {
			*heap_push(&dense) = k;
			continue;
		}
		fill_begin(f, k);
		for (uint32_t i = 0; i < b->nr; i++)
			fill_word(f, bits_places(b)[i], bits_masks(b)[i]);
	}
	for (uint32_t from = 0; from < r->words; from += PASS_WORDS)
		for (uint32_t k = 0; k < dense.nr; k++) {
			fill_begin(f, dense.v[k]);
			for (uint32_t w = from; w < MIN(from + PASS_WORDS, r->words); w++)
				fill_word(f, w, r->sets.v[dense.v[k]].b.word[w]);
		}
	heap_free(&dense);
}

void reach_members(struct reach *r)
{
	struct filling f = { .r = r, .nr = (uint32_t *)heap_words(r->shapes.nr / 2 + 1) };
	uint32_t *at;

	fill_all(&f);
	for (uint32_t s = 0; s < r->shapes.nr; s++)
		r->pool_nr += f.nr[s];
	at = r->pool = malloc((r->pool_nr + 1) * sizeof(*r->pool));
	if (!at)
		abort();
	for (uint32_t s = 0; s < r->shapes.nr; at += f.nr[s++])
		r->shapes.v[s].sets = (numbers){ f.nr[s] ? at : NULL, 0, f.nr[s] };
	f.fill = true;
	fill_all(&f);
	free(f.nr);
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
	bits_list(&r->sets.v[id].b, r->words, &m);
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
	bits_list(&t->b, r->words, &m);
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
		add_space(s, space);
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
		bool now = selects_space(r, &r->spaces_ids.v[k], space);

		if (now != reach_spaces_have(r, k, space))
			space_switched(r, &r->spaces_ids.v[k], space, now);
	}
}

/* Once, when all namespaces are known. */
void reach_find_spaces(struct reach *r)
{
	for (uint32_t k = 0; k < r->spaces_ids.nr; k++)
		find_spaces(r, &r->spaces_ids.v[k]);
}
