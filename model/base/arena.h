/* Memory with one lifetime. Nothing in it is freed singly; arena_free ends them all. Not thread-safe.
 * Out of memory, or over the budget: mem->oom is called and must not return (main: a message and exit status 4; a
 * test: longjmp). So no caller checks, and no library exits. */
#ifndef PODWIRE_ARENA_H
#define PODWIRE_ARENA_H

#include "model/base/base.h"

struct mem {
	void (*oom)(struct mem *, size_t wanted);   /* NULL: abort() */
	size_t used, budget;                        /* bytes; budget 0: none */
};

struct arena;
struct arena_mark { void *block; size_t used; };

struct arena *arena_new(struct mem *, const char *name);    /* mem may be NULL; the name is borrowed and shows in memory reports */
void arena_free(struct arena *);                            /* NULL is allowed */
void *arena_alloc(struct arena *, size_t size, size_t align);   /* zeroed; size 0 is allowed */
void *arena_copy(struct arena *, const void *p, size_t size);   /* aligned for anything */
char *arena_strdup(struct arena *, const char *s);
char *arena_strndup(struct arena *, const char *s, size_t n);
char *arena_printf(struct arena *, const char *fmt, ...) PRINTF(2, 3);
struct arena_mark arena_mark(const struct arena *);
void arena_rewind(struct arena *, struct arena_mark);       /* frees what came after the mark */
/* What a growing array leaves behind: its pages go back to the system, the addresses stay the arena's until it ends. Small pieces are left alone. */
void arena_discard(struct arena *, void *p, size_t size);

#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n), alignof(T)))   /* the caller bounds n */
#define arena_make(a, T)     arena_array(a, T, 1)

/* A growing array in an arena: struct { T *v; uint32_t nr, alloc; }. {0} is valid and empty. A growing step copies, so
 * pointers to members last until the next push only. */
#define VEC(T) struct { T *v; uint32_t nr, alloc; }
#define vec_push(a, vec)                                                                              \
	((vec)->nr == (vec)->alloc                                                                    \
	 ? (void)((vec)->v = vec_grow((a), (vec)->v, (vec)->nr, &(vec)->alloc, sizeof(*(vec)->v)))    \
	 : (void)0,                                                                                   \
	 &(vec)->v[(vec)->nr++])                    /* → a zeroed new member */
#define vec_add(a, vec, ...) (*vec_push(a, vec) = (__VA_ARGS__))
void *vec_grow(struct arena *, void *v, uint32_t nr, uint32_t *alloc, size_t size);

#endif
