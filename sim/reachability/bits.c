#include "sim/reachability/bits.h"

#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

struct region_block { struct region_block *older; size_t size; };       /* what is taken of it stands behind */

static void region_add(struct region *r, size_t bytes)
{
	size_t size = bytes + sizeof(struct region_block);
	struct region_block *b;

	if (size >= HUGE_PAGE / 2)
		size = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);       /* a whole number of them: then the kernel puts them where they belong */
	b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED)
		abort();
	if (size >= HUGE_PAGE)
		madvise(b, size, MADV_HUGEPAGE);
	*b = (struct region_block){ r->blocks, size };
	r->blocks = b;
	r->nr++;
	r->next = (char *)(b + 1);
	r->left = size - sizeof(*b);
}

void region_room(struct region *r, size_t bytes)
{
	if (r->left < bytes)
		region_add(r, bytes);
}

void *region_take(struct region *r, size_t bytes)
{
	size_t size = (bytes + 15) & ~(size_t)15;
	void *at;

	if (r->left < size)
		region_add(r, MAX(size, (size_t)65536 << MIN(r->nr * 2, 6u)));
	at = r->next;
	r->next += size;
	r->left -= size;
	return at;
}

void region_free(struct region *r)
{
	while (r->blocks) {
		struct region_block *b = r->blocks;

		r->blocks = b->older;
		munmap(b, b->size);
	}
	*r = (struct region){ 0 };
}

void *heap_grow(void *v, uint32_t nr, uint32_t *alloc, uint32_t need, size_t size)
{
	uint32_t to = (MAX(*alloc ? *alloc + *alloc / 2 : 4, need) + 1) & ~1u, had = *alloc;
	char *now = !had || had & 1 ? calloc(to, size) : realloc(v, to * size); /* new memory is zero without being touched */

	if (!now)
		abort();
	if (had & 1)
		memcpy(now, v, MAX(nr, had) * size);
	else if (had)
		memset(now + had * size, 0, (to - had) * size);
	*alloc = to;
	return now;
}

void few_push(few *f, uint32_t x)
{
	if (f->nr == 2 && !f->alloc) {
		uint32_t *v = heap_grow(NULL, 0, &f->alloc, 4, sizeof(*v));

		memcpy(v, f->two, sizeof(f->two));
		f->many = v;
	} else if (f->alloc && f->nr == f->alloc) {
		f->many = heap_grow(f->many, f->nr, &f->alloc, f->nr + 1, sizeof(*f->many));
	}
	(f->alloc ? f->many : f->two)[f->nr++] = x;
}

bool few_has(const few *f, uint32_t x)
{
	const uint32_t *v = few_v(f);

	for (uint32_t k = 0; k < f->nr; k++)
		if (v[k] == x)
			return true;
	return false;
}

void few_drop(few *f, uint32_t x)
{
	uint32_t *v = f->alloc ? f->many : f->two;

	for (uint32_t k = 0; k < f->nr; k++)
		if (v[k] == x) {
			v[k] = v[--f->nr];
			return;
		}
}

void few_free(few *f)
{
	if (f->alloc)
		free(f->many);
	*f = (few){ 0 };
}

void lookup_room_in(struct lookup *t, uint32_t nr, struct region *region)
{
	for (t->alloc = 256; t->alloc < 2 * nr;)
		t->alloc *= 2;
	t->slot = region ? region_take(region, t->alloc * sizeof(*t->slot)) : heap_words(t->alloc);
	t->lent = region != NULL;
}

void lookup_free(struct lookup *t)
{
	if (!t->lent)
		free(t->slot);
	*t = (struct lookup){ 0 };
}

void lookup_put(struct lookup *t, uint64_t hash, uint32_t number)
{
	uint32_t at;

	if (t->nr >= t->alloc / 2) {
		struct lookup was = *t;

		*t = (struct lookup){ .alloc = was.alloc ? was.alloc * 2 : 256 };
		t->slot = calloc(t->alloc, sizeof(*t->slot));
		if (!t->slot)
			abort();
		for (uint32_t k = 0; k < was.alloc; k++)
			if ((uint32_t)was.slot[k] && (uint32_t)was.slot[k] != LOOKUP_GONE)
				lookup_put(t, was.slot[k], (uint32_t)was.slot[k] - 1);
		lookup_free(&was);
	}
	for (at = (uint32_t)(hash >> 32) & (t->alloc - 1); t->slot[at];)
		at = (at + 1) & (t->alloc - 1);
	t->slot[at] = (hash >> 32 << 32) | (number + 1);
	t->nr++;
}

void lookup_drop(struct lookup *t, uint64_t hash, uint32_t number)
{
	uint32_t at;

	for (uint32_t n = lookup_first(t, hash, &at); n != UINT32_MAX; n = lookup_next(t, hash, &at))
		if (n == number) {
			t->slot[at] |= LOOKUP_GONE;
			return;
		}
}

static uint64_t *new_words(uint32_t nr, uint32_t places)
{
	uint64_t *w = calloc(1, nr * sizeof(*w) + places * sizeof(uint32_t) + 1);

	if (!w)
		abort();
	return w;
}

uint64_t *heap_words(uint32_t nr)
{
	return new_words(nr, 0);
}

/* For nr words and as many places, or for the words of a span. */
static void room_for(struct bits *b, uint32_t nr, uint32_t places, struct region *region)
{
	b->at |= region != NULL;
	b->word = region ? region_take(region, nr * sizeof(*b->word) + places * sizeof(uint32_t)) : new_words(nr, places);
}

static bool is_close(uint32_t have, uint32_t first, uint32_t last)
{
	return have > 2 && last - first < have * 3;
}

static uint32_t *places(struct bits *b)
{
	return (uint32_t *)(b->word + b->nr);
}

static void make_span(struct bits *b, uint32_t first, uint32_t last, struct region *region)
{
	*b = (struct bits){ .nr = BITS_SPAN | (last - first + 1), .at = first * 2 };
	room_for(b, last - first + 1, 0, region);
}

void bits_from(struct bits *b, const uint32_t *m, uint32_t nr, struct region *region)
{
	uint32_t have = 0, last = UINT32_MAX;

	bits_free(b);
	for (uint32_t k = 0; k < nr; k++) {
		have += m[k] / 64 != last;
		last = m[k] / 64;
	}
	if (nr && is_close(have, m[0] / 64, last)) {
		make_span(b, m[0] / 64, last, region);
		for (uint32_t k = 0; k < nr; k++)
			BIT_ON(b->word, m[k] - m[0] / 64 * 64);
		return;
	}
	b->nr = have;
	if (have > 1)
		room_for(b, have, have, region);
	have = 0;
	for (uint32_t k = 0; k < nr; k++) {
		uint64_t bit = (uint64_t)1 << (m[k] % 64);

		if (b->nr == 1) {
			b->at = m[k] / 64;
			b->one |= bit;
			continue;
		}
		if (!have || places(b)[have - 1] != m[k] / 64)
			places(b)[have++] = m[k] / 64;
		b->word[have - 1] |= bit;
	}
}

void bits_from_words(struct bits *b, const uint64_t *w, uint32_t words, struct region *region)
{
	uint32_t have = 0, to = 0, first = 0, last = 0;

	bits_free(b);
	for (uint32_t k = 0; k < words; k++) {
		if (!w[k])
			continue;
		first = have++ ? first : k;
		last = k;
	}
	if (is_close(have, first, last)) {
		make_span(b, first, last, region);
		memcpy(b->word, w + first, (last - first + 1) * sizeof(*w));
		return;
	}
	b->nr = have;
	if (have > 1)
		room_for(b, have, have, region);
	for (uint32_t k = first; k <= last && have; k++) {
		if (!w[k])
			continue;
		if (have == 1) {
			b->at = k;
			b->one = w[k];
		} else {
			places(b)[to] = k;
			b->word[to++] = w[k];
		}
	}
}

void bits_free(struct bits *b)
{
	if (b->nr > 1 && !(b->at & 1))
		free(b->word);
	*b = (struct bits){ 0 };
}

static uint32_t place_of(const struct bits *b, uint32_t at)
{
	const uint32_t *p = bits_places(b);
	uint32_t lo = 0, hi = b->nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p[mid] < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The word that x is in; NULL: it is not there. */
static uint64_t *word_of(struct bits *b, uint32_t x)
{
	uint32_t at = x / 64;

	if (bits_is_span(b))
		return at - bits_first(b) < bits_length(b) ? b->word + (at - bits_first(b)) : NULL;
	if (b->nr <= 1)
		return b->nr && b->at == at ? &b->one : NULL;
	at = place_of(b, x / 64);
	return at < b->nr && bits_places(b)[at] == x / 64 ? b->word + at : NULL;
}

bool bits_has(const struct bits *b, uint32_t x)
{
	const uint64_t *w = word_of((struct bits *)(uintptr_t)b, x);

	return w && *w >> (x % 64) & 1;
}

void bits_add(struct bits *b, uint32_t x, uint32_t words)
{
	uint64_t *w = word_of(b, x), *all;
	struct bits wider = { 0 };

	if (w) {
		*w |= (uint64_t)1 << (x % 64);
		return;
	}
	all = new_words(words, 0);
	for (uint32_t k = 0; bits_is_span(b) && k < bits_length(b); k++)
		all[bits_first(b) + k] = b->word[k];
	for (uint32_t k = 0; !bits_is_span(b) && k < b->nr; k++)
		all[bits_places(b)[k]] = bits_masks(b)[k];
	BIT_ON(all, x);
	bits_from_words(&wider, all, words, NULL);
	free(all);
	bits_free(b);
	*b = wider;
}

void bits_drop(struct bits *b, uint32_t x)
{
	uint64_t *w = word_of(b, x);

	if (w)
		*w &= ~((uint64_t)1 << (x % 64));
}

static void list_word(uint64_t m, uint32_t at, numbers *out)
{
	heap_room(out, out->nr + 64);
	for (; m; m &= m - 1)
		out->v[out->nr++] = at * 64 + (uint32_t)__builtin_ctzll(m);
}

void bits_list(const struct bits *b, numbers *out)
{
	if (bits_is_span(b))
		for (uint32_t k = 0; k < bits_length(b); k++)
			list_word(b->word[k], bits_first(b) + k, out);
	else
		for (uint32_t k = 0; k < b->nr; k++)
			list_word(bits_masks(b)[k], bits_places(b)[k], out);
}

/* ---- unions */

void acc_init(struct acc *a, uint32_t words)
{
	*a = (struct acc){ .w = new_words(words, 0), .touched = new_words(words / 64 + 1, 0), .words = words };
}

void acc_free(struct acc *a)
{
	free(a->w);
	free(a->touched);
	*a = (struct acc){ 0 };
}

void acc_clear(struct acc *a)
{
	if (a->dense)
		memset(a->w, 0, a->words * sizeof(*a->w));
	for (uint32_t k = a->from; k < a->end; k++) {
		for (uint64_t m = a->dense ? 0 : a->touched[k]; m; m &= m - 1)
			a->w[k * 64 + (uint32_t)__builtin_ctzll(m)] = 0;
		a->touched[k] = 0;
	}
	a->any = a->dense = false;
	a->from = a->end = 0;
}

WIDE static void or_words(uint64_t *restrict to, const uint64_t *restrict from, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		to[k] |= from[k];
}

WIDE static void or_words_masked(uint64_t *restrict to, const uint64_t *restrict from, const uint64_t *restrict mask, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		to[k] |= from[k] & mask[k];
}

static void reaches(struct acc *a, uint32_t first, uint32_t last)
{
	a->from = a->any ? MIN(a->from, first / 64) : first / 64;
	a->end = MAX(a->end, last / 64 + 1);
	a->any = true;
}

/* Where much is touched, to remember all of it costs more than to go through all words once. */
static void touch(struct acc *a, uint32_t first, uint32_t nr)
{
	a->dense = a->dense || nr > a->words / 4;
	reaches(a, first, first + nr - 1);
	while (!a->dense && nr) {
		uint32_t here = MIN(64 - first % 64, nr);

		a->touched[first / 64] |= (here == 64 ? UINT64_MAX : ((uint64_t)1 << here) - 1) << (first % 64);
		first += here;
		nr -= here;
	}
}

/* mask: NULL for all; a constant of the two callers, so that neither asks it in the loop. */
static inline __attribute__((always_inline)) void or_into(struct acc *a, const struct bits *b, const uint64_t *mask)
{
	const uint32_t *at;
	const uint64_t *m;

	if (!b->nr)
		return;
	if (bits_is_span(b)) {
		touch(a, bits_first(b), bits_length(b));
		if (mask)
			or_words_masked(a->w + bits_first(b), b->word, mask + bits_first(b), bits_length(b));
		else
			or_words(a->w + bits_first(b), b->word, bits_length(b));
		return;
	}
	at = bits_places(b);
	m = bits_masks(b);
	reaches(a, at[0], at[b->nr - 1]);
	for (uint32_t k = 0; k < b->nr; k++) {
		a->w[at[k]] |= mask ? m[k] & mask[at[k]] : m[k];
		a->touched[at[k] / 64] |= (uint64_t)1 << (at[k] % 64);
	}
}

void acc_or(struct acc *a, const struct bits *b)
{
	or_into(a, b, NULL);
}

void acc_or_masked(struct acc *a, const struct bits *b, const uint64_t *mask)
{
	or_into(a, b, mask);
}
