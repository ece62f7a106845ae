#include "sim/linux/nft_run.h"

#include <dlfcn.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/arena.h"

enum { LISTINGS = 100, PAUSE_US = 5000 };       /* at most so many, so far apart */

struct words { const char *s; size_t n; };
struct elements { struct arena *arena; VEC(struct words) v; };

static int by_words(const void *a, const void *b)
{
	const struct words *x = a, *y = b;
	int d = memcmp(x->s, y->s, MIN(x->n, y->n));

	return d ? d : (x->n > y->n) - (x->n < y->n);
}

static void add(struct elements *e, const char *from, const char *to)
{
	from += strspn(from, " \t\n");
	while (to > from && strchr(" \t\n", to[-1]))
		to--;
	vec_add(e->arena, &e->v, (struct words){ from, (size_t)(to - from) });
}

/* Up to the bracket that closes the list; → behind it. */
static const char *split(struct elements *e, const char *p)
{
	const char *from = p;
	uint32_t depth = 1;
	bool quoted = false;

	for (; depth && *p; p++) {
		quoted ^= *p == '"';
		if (quoted)
			continue;
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		if (!depth || (depth == 1 && *p == ',')) {
			add(e, from, p);
			from = p + 1;
		}
	}
	return p;
}

bool nft_says_twice(const char *listing)
{
	const char *opens = *listing == '{' ? "\"elem\": [" : "elements = {", *p = listing;
	struct elements e = { .arena = arena_new(NULL, "elements") };
	bool twice = false;

	while (!twice && (p = strstr(p, opens))) {
		e.v.nr = 0;
		p = split(&e, p + strlen(opens));
		if (e.v.nr)
			qsort(e.v.v, e.v.nr, sizeof(*e.v.v), by_words);
		for (uint32_t k = 1; k < e.v.nr && !twice; k++)
			twice = by_words(&e.v.v[k - 1], &e.v.v[k]) == 0;
	}
	arena_free(e.arena);
	return twice;
}

#ifndef NFTABLES_SO             /* the Makefile says what the linker would take */
#define NFTABLES_SO "libnftables.so.1"
#endif

/* libnftables is opened when it is first asked: with what it brings along it would cost the start of every command 0.7 ms. */
#define FUNCTIONS(X)                                                                                                                            \
	X(nft_ctx_new) X(nft_ctx_free) X(nft_ctx_buffer_error) X(nft_ctx_buffer_output) X(nft_ctx_output_set_flags) X(nft_run_cmd_from_buffer) \
	X(nft_ctx_get_output_buffer) X(nft_ctx_get_error_buffer)
struct nft_lib {
#define X(f) __typeof__(&f) f;
	FUNCTIONS(X)
#undef X
};

static const struct nft_lib *library(struct err *err)
{
	static struct nft_lib lib;
	static bool open;
	void *so;

	if (open)
		return &lib;
	so = dlopen(NFTABLES_SO, RTLD_NOW);
	if (!so)
		return err_add(err, ERR_MACHINE, NULL, "libnftables cannot be loaded: %s (apt install libnftables1)", dlerror()), NULL;
	open = true;
#define X(f)                                                      \
	do {                                                      \
		void *at = dlsym(so, #f);                         \
                                                                  \
		memcpy(&lib.f, &at, sizeof(at));                  \
		open = open && at;                                \
	} while (0);
	FUNCTIONS(X)
#undef X
	return open ? &lib : (err_add(err, ERR_MACHINE, NULL, "%s is not the library that podwire was built with", NFTABLES_SO), NULL);
}

static bool run(const char *commands, unsigned flags, struct sb *out, const char *where, struct err *err)
{
	const struct nft_lib *lib = library(err);
	struct nft_ctx *nft = lib ? lib->nft_ctx_new(NFT_CTX_DEFAULT) : NULL;
	const char *said;
	bool ok;

	if (!nft)
		return lib ? err_add(err, ERR_MACHINE, NULL, "libnftables cannot be used") : false;
	lib->nft_ctx_buffer_error(nft);
	lib->nft_ctx_buffer_output(nft);
	lib->nft_ctx_output_set_flags(nft, flags);
	ok = lib->nft_run_cmd_from_buffer(nft, commands) == 0;
	if (ok)
		sb_add(out, lib->nft_ctx_get_output_buffer(nft));
	said = lib->nft_ctx_get_error_buffer(nft);
	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "nft in %s: %.*s", where, (int)MIN(strlen(said), 800u), said);
	lib->nft_ctx_free(nft);
	return ok;
}

bool nft_run(const char *commands, unsigned flags, struct sb *out, const char *where, struct err *err)
{
	struct sb said = { 0 };
	bool ok = run(commands, flags, &said, where, err);

	for (int k = 1; ok && out && k < LISTINGS && nft_says_twice(sb_text(&said)); k++) {
		usleep(PAUSE_US);
		sb_reset(&said);
		ok = run(commands, flags, &said, where, err);
	}
	if (ok && out)
		sb_add(out, sb_text(&said));
	sb_free(&said);
	return ok;
}
