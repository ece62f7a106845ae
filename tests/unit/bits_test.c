/* Sets of numbers in both of their forms, against plain arrays: made, added to, dropped from, listed and joined. */
#include "sim/reachability/bits.h"
#include "tests/unit/test.h"

enum { WORDS = 300, ALL = WORDS * 64 };

static uint32_t below(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % n;
}

/* From nothing to thousands, in a narrow or in a wide part of all; → of how many. */
static uint32_t some(uint64_t *state, bool *has)
{
	static const uint32_t most[] = { 0, 1, 2, 9, 200, 5000 };
	uint32_t from = below(state, ALL), wide = 1 + below(state, below(state, 2) ? ALL : 2000), nr = 0;

	memset(has, 0, ALL);
	for (uint32_t k = most[below(state, ARRAY_LEN(most))]; k > 0; k--)
		has[(from + below(state, wide)) % ALL] = true;
	for (uint32_t k = 0; k < ALL; k++)
		nr += has[k];
	return nr;
}

static uint32_t wrong(const struct bits *b, const bool *has)
{
	numbers m = { 0 };
	uint32_t bad = 0, next = 0;

	bits_list(b, &m);
	for (uint32_t k = 0; k < ALL; k++) {
		bad += bits_has(b, k) != has[k];
		if (has[k])
			bad += next >= m.nr || m.v[next++] != k;
	}
	bad += next != m.nr;
	heap_free(&m);
	return bad;
}

TEST(bits_hold_what_was_put_in)
{
	static bool has[ALL], joined[ALL];
	struct region region = { 0 };
	struct acc acc;
	uint64_t state = 7;

	acc_init(&acc, WORDS);
	for (int round = 0; round < 60; round++) {
		memset(joined, 0, sizeof(joined));
		for (int k = 0; k < 1 + round % 4; k++) {
			struct bits b = { 0 }, same = { 0 };
			uint64_t *words = heap_words(WORDS);
			numbers m = { 0 };

			some(&state, has);
			for (uint32_t i = 0; i < ALL; i++)
				if (has[i]) {
					*heap_push(&m) = i;
					BIT_ON(words, i);
					joined[i] = joined[i] || round % 2 == 0 || i % 3;
				}
			bits_from(&b, m.v, m.nr, round % 3 ? NULL : &region);
			bits_from_words(&same, words, WORDS, NULL);
			CU_ASSERT_EQUAL(wrong(&b, has), 0);
			CU_ASSERT_EQUAL(wrong(&same, has), 0);
			if (round % 2 == 0) {
				acc_or(&acc, &b);
			} else {
				for (uint32_t i = 0; i < WORDS; i++)
					words[i] = 0;
				for (uint32_t i = 0; i < ALL; i++)
					if (i % 3)
						BIT_ON(words, i);
				acc_or_masked(&acc, &same, words);
			}
			for (int step = 0; step < 12; step++) {
				uint32_t x = below(&state, 2) ? below(&state, ALL) : below(&state, 64 * (1 + below(&state, WORDS)));

				if (m.nr && below(&state, 2)) {
					bits_drop(&b, m.v[x % m.nr]);
					has[m.v[x % m.nr]] = false;
				} else {
					bits_add(&b, x, WORDS);
					has[x] = true;
				}
			}
			CU_ASSERT_EQUAL(wrong(&b, has), 0);
			bits_free(&b);
			bits_free(&same);
			heap_free(&m);
			free(words);
		}
		for (uint32_t i = 0; i < ALL; i++)
			CU_ASSERT_EQUAL_FATAL(BIT(acc.w, i), joined[i]);
		acc_clear(&acc);
		for (uint32_t i = 0; i < WORDS; i++)
			CU_ASSERT_EQUAL_FATAL(acc.w[i], 0);
	}
	acc_free(&acc);
	region_free(&region);
}
