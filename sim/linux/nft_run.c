#include "sim/linux/nft_run.h"

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

static bool run(const char *commands, unsigned flags, struct sb *out, const char *where, struct err *err)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	const char *said;
	bool ok;

	if (!nft)
		return err_add(err, ERR_MACHINE, NULL, "libnftables cannot be used");
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	nft_ctx_output_set_flags(nft, flags);
	ok = nft_run_cmd_from_buffer(nft, commands) == 0;
	if (ok)
		sb_add(out, nft_ctx_get_output_buffer(nft));
	said = nft_ctx_get_error_buffer(nft);
	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "nft in %s: %.*s", where, (int)MIN(strlen(said), 800u), said);
	nft_ctx_free(nft);
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
