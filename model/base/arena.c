#include "model/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "model/base/text.h"

#define FIRST_BLOCK 4096u
#define MAX_BLOCK   (8u << 20)
#define PAGE        4096u
#define HUGE_PAGE   ((size_t)2 << 20)
#define MAPPED      (2 * HUGE_PAGE)     /* from this size on blocks stand on the bounds of huge pages and are asked for in them: a big cluster has a hundred thousand small ones */
#define DISCARDED   (64u << 10)         /* smaller pieces are not worth a system call */
#define FRESH       (256u << 10)        /* from this size on blocks come zeroed from the system: clearing them piece by piece would write every page twice */

struct block {
	struct block *older;
	size_t size, used;              /* of data */
	size_t clean;                   /* from here on data is zero */
	alignas(16) unsigned char data[];
};

struct arena {
	struct mem *mem;
	const char *name;
	struct block *newest;
	size_t handed_out;
};

static size_t whole(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* NULL: there is no room. */
static void *map_huge(size_t size)
{
	unsigned char *p = mmap(NULL, whole(size) + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *from;

	if (p == MAP_FAILED)
		return NULL;
	from = (unsigned char *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	if (from != p)
		munmap(p, (size_t)(from - p));
	if (p + HUGE_PAGE != from)
		munmap(from + whole(size), (size_t)(p + HUGE_PAGE - from));
	madvise(from, whole(size), MADV_HUGEPAGE);
	return from;
}

static void *get(struct mem *mem, size_t size)
{
	bool over = mem && mem->budget && (size > mem->budget || mem->used > mem->budget - size);
	void *p = over ? NULL : size >= MAPPED ? map_huge(size) : size >= FRESH ? calloc(1, size) : malloc(size);

	if (!p) {
		if (mem && mem->oom)
			mem->oom(mem, size);
		abort();
	}
	if (mem)
		mem->used += size;
	return p;
}

static void put_back(struct arena *a, struct block *b)
{
	if (a->mem)
		a->mem->used -= sizeof(*b) + b->size;
	if (sizeof(*b) + b->size >= MAPPED)
		munmap(b, whole(sizeof(*b) + b->size));
	else
		free(b);
}

struct arena *arena_new(struct mem *mem, const char *name)
{
	struct arena *a = get(mem, sizeof(*a));

	*a = (struct arena){ .mem = mem, .name = name };
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->newest) {
		struct block *b = a->newest;

		a->newest = b->older;
		put_back(a, b);
	}
	if (a->mem)
		a->mem->used -= sizeof(*a);
	free(a);
}

static void add_block(struct arena *a, size_t at_least)
{
	size_t size = a->newest ? MIN((a->newest->size + sizeof(struct block)) * 2, MAX_BLOCK) : FIRST_BLOCK;       /* with its head */
	struct block *b;

	size = MAX(size - sizeof(*b), at_least);
	b = get(a->mem, sizeof(*b) + size);
	b->older = a->newest;
	b->size = size;
	b->used = 0;
	b->clean = sizeof(*b) + size >= FRESH ? 0 : size;
	a->newest = b;
}

/* Room of which the first bytes, as many as *dirty says, hold what was there before; the rest is zero. */
static inline void *take(struct arena *a, size_t size, size_t align, size_t *dirty)
{
	struct block *b = a->newest;
	size_t at = b ? (b->used + align - 1) & ~(align - 1) : 0;

	assert(align && align <= 16 && (align & (align - 1)) == 0);
	if (!b || at > b->size || size > b->size - at) {
		add_block(a, size);
		b = a->newest;
		at = 0;
	}
	b->used = at + size;
	a->handed_out += size;
	*dirty = at < b->clean ? MIN(size, b->clean - at) : 0;
	b->clean = MAX(b->clean, b->used);
	return b->data + at;
}

void *arena_alloc(struct arena *a, size_t size, size_t align)
{
	size_t dirty;
	void *p = take(a, size, align, &dirty);

	return dirty ? memset(p, 0, dirty) : p;
}

void *arena_copy(struct arena *a, const void *p, size_t size)
{
	size_t dirty;
	void *to = take(a, size, 16, &dirty);

	return size ? memcpy(to, p, size) : to;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t dirty;
	char *to = take(a, n + 1, 1, &dirty);

	if (n)
		memcpy(to, s, n);
	to[n] = '\0';
	return to;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char small[256], *to;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = text_format(small, sizeof(small), fmt, ap);
	to = arena_alloc(a, (size_t)MAX(n, 0) + 1, 1);
	if (n < (int)sizeof(small))
		memcpy(to, small, (size_t)MAX(n, 0));
	else
		text_format(to, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return to;
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->newest, a->newest ? a->newest->used : 0 };
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
	while (a->newest && a->newest != m.block) {
		struct block *b = a->newest;

		a->newest = b->older;
		put_back(a, b);
	}
	if (a->newest)
		a->newest->used = m.used;
}

void arena_discard(struct arena *a, void *p, size_t size)
{
	uintptr_t from = ((uintptr_t)p + PAGE - 1) & ~(uintptr_t)(PAGE - 1), to = ((uintptr_t)p + size) & ~(uintptr_t)(PAGE - 1);

	(void)a;
	if (size >= DISCARDED)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

void *vec_grow(struct arena *a, void *v, uint32_t nr, uint32_t *alloc, size_t size)
{
	uint32_t want = *alloc ? *alloc * 2 : 4;
	void *to = arena_alloc(a, want * size, 16);

	assert(want > *alloc);
	if (nr) {
		memcpy(to, v, nr * size);
		arena_discard(a, v, nr * size);
	}
	*alloc = want;
	return to;
}
