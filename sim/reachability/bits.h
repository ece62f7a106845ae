/* Sets of small numbers, kept as what is shorter: the words of 64 that are not empty, or all between the first and the last of them. And unions of many sets, made in one accumulator. On the heap,
 * since they change for as long as the cluster does; out of memory aborts, as the lists of the cluster do. */
#ifndef PODWIRE_BITS_H
#define PODWIRE_BITS_H

#include <stdlib.h>
#include <string.h>

#include "model/base/base.h"

/* Memory that many things share and that ends at once; all zero. What is much comes in the processor's large pages: it is there sooner, and found sooner. {0} is valid
 * and empty. */
struct region { struct region_block *blocks; uint32_t nr; char *next; size_t left; };
void region_room(struct region *, size_t bytes);         /* so much is going to be taken */
void *region_take(struct region *, size_t bytes);
void region_free(struct region *);

/* A growing array on the heap: {0} is valid and empty. An odd alloc: what is there is a region's; it moves to the heap when it grows. */
#define HEAP(T) struct { T *v; uint32_t nr, alloc; }
void *heap_grow(void *v, uint32_t nr, uint32_t *alloc, uint32_t need, size_t size);     /* new members are zero */
uint64_t *heap_words(uint32_t nr);                       /* zero; freed with free */
#define heap_lent(h)     ((h)->alloc & 1)
#define heap_room(h, n)  ((h)->alloc < (n) ? (void)((h)->v = heap_grow((h)->v, (h)->nr, &(h)->alloc, (n), sizeof(*(h)->v))) : (void)0)
#define heap_room_in(h, n, region) ((h)->v = region_take(region, ((n) | 1) * sizeof(*(h)->v)), (h)->alloc = (uint32_t)(n) | 1)      /* while it is empty */
#define heap_push(h)     (heap_room(h, (h)->nr + 1), &(h)->v[(h)->nr++])
#define heap_free(h)     (heap_lent(h) ? (void)0 : free((h)->v), (h)->v = NULL, (h)->nr = (h)->alloc = 0)
typedef HEAP(uint32_t) numbers;
/* The same for lists that are short as a rule: two stand in place. */
typedef struct { union { uint32_t *many; uint32_t two[2]; }; uint32_t nr, alloc; } few;
static inline const uint32_t *few_v(const few *f) { return f->alloc ? f->many : f->two; }
void few_push(few *, uint32_t);
bool few_has(const few *, uint32_t);
void few_drop(few *, uint32_t);                 /* one of that value, if there is one; the last takes its place */
void few_free(few *);

/* Numbers by the hash of what they stand for; whoever asks compares. A slot: the hash's upper half, and the number plus one; 0 is empty, GONE was taken out. */
struct lookup { uint64_t *slot; uint32_t alloc, nr; bool lent; };         /* lent: the slots are of a region */
#define LOOKUP_GONE UINT32_MAX
static inline uint32_t lookup_from(const struct lookup *t, uint64_t hash, uint32_t *at)
{
	for (;; (*at)++) {
		uint64_t s = t->slot[*at &= t->alloc - 1];

		if (!s || (s >> 32 == hash >> 32 && (uint32_t)s != LOOKUP_GONE))
			return (uint32_t)s - 1;
	}
}
static inline void lookup_call_for(const struct lookup *t, uint64_t hash)
{
	if (t->alloc)
		__builtin_prefetch(&t->slot[(uint32_t)(hash >> 32) & (t->alloc - 1)]);
}
/* A number that may be meant; UINT32_MAX: none. */
static inline uint32_t lookup_first(const struct lookup *t, uint64_t hash, uint32_t *at)
{
	*at = (uint32_t)(hash >> 32);
	return t->alloc ? lookup_from(t, hash, at) : UINT32_MAX;
}
static inline uint32_t lookup_next(const struct lookup *t, uint64_t hash, uint32_t *at)
{
	++*at;
	return lookup_from(t, hash, at);
}
void lookup_put(struct lookup *, uint64_t hash, uint32_t number);
void lookup_room_in(struct lookup *, uint32_t nr, struct region *);     /* for so many; while it is empty. region NULL: on the heap */
void lookup_free(struct lookup *);
void lookup_drop(struct lookup *, uint64_t hash, uint32_t number);

/* What lies close together is kept as all words from the first to the last, for these are joined many at a time. */
#define BITS_SPAN 0x80000000u
struct bits {
	uint32_t nr;                    /* words that are not empty; BITS_SPAN | n: all of n words that follow each other */
	uint32_t at;                    /* nr 1: its place; a span: 2 × its first place + lent; else lent. Lent, 1: the words are a region's */
	union {
		uint64_t one;           /* nr 1 */
		uint64_t *word;         /* nr > 1: that many words and behind them their places (uint32_t); a span: its words */
	};
};
static inline bool bits_is_span(const struct bits *b) { return b->nr & BITS_SPAN; }
static inline uint32_t bits_length(const struct bits *b) { return b->nr & ~BITS_SPAN; }         /* of a span */
static inline uint32_t bits_first(const struct bits *b) { return b->at / 2; }
static inline struct bits bits_lent(const uint64_t *w, uint32_t words)                          /* somebody's words, to be read only */
{
	return (struct bits){ .nr = BITS_SPAN | words, .at = 1, .word = (uint64_t *)(uintptr_t)w };
}
/* region NULL: on the heap. */
void bits_from(struct bits *, const uint32_t *members, uint32_t nr, struct region *);       /* members in ascending order */
void bits_from_words(struct bits *, const uint64_t *, uint32_t words, struct region *);
void bits_free(struct bits *);
bool bits_has(const struct bits *, uint32_t x);
void bits_add(struct bits *, uint32_t x, uint32_t words);
void bits_drop(struct bits *, uint32_t x);              /* a word may become empty and stay */
void bits_list(const struct bits *, numbers *out);      /* members in ascending order, behind what is there */

static inline const uint32_t *bits_places(const struct bits *b) { return b->nr == 1 ? &b->at : b->nr ? (const uint32_t *)(b->word + b->nr) : NULL; }
static inline const uint64_t *bits_masks(const struct bits *b) { return b->nr == 1 ? &b->one : b->word; }

/* A union in the making. All words are zero but those whose bit is set in `touched`, unless dense; and its bits lie in touched[from] … touched[end - 1]. */
struct acc { uint64_t *w, *touched; uint32_t words, from, end; bool dense, any; };       /* any: something was joined */
void acc_init(struct acc *, uint32_t words);
void acc_free(struct acc *);
void acc_clear(struct acc *);
void acc_or(struct acc *, const struct bits *);
void acc_or_masked(struct acc *, const struct bits *, const uint64_t *mask);

/* Functions that count or join whole words: for processors that have popcount and wide registers as well. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2,popcnt", "default"), optimize("O3")))
#else
#define WIDE
#endif

#define BIT(w, i)    ((w)[(i) / 64] >> ((i) % 64) & 1)
#define BIT_ON(w, i) ((w)[(i) / 64] |= (uint64_t)1 << ((i) % 64))
#define BIT_OFF(w, i) ((w)[(i) / 64] &= ~((uint64_t)1 << ((i) % 64)))

#endif
