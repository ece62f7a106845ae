/* Go's random source: known draws, and the start state recomputed by jumping 7.8e12 steps ahead. */
#include "tests/unit/test.h"

#include "model/control/go_rand.h"

#define LEN GO_RAND_LEN
#define STEP (LEN - 273)

TEST(go_draws_what_go_draws)
{
	static const uint32_t known[] = { 81, 87, 47, 59, 81, 18, 25, 40, 56, 0 };      /* rand.New(rand.NewSource(1)).Intn(100) */
	struct go_rand r;

	go_rand_seed(&r, 1);
	for (size_t k = 0; k < ARRAY_LEN(known); k++)
		CU_ASSERT((go_rand_u64(&r) << 1 >> 33) % 100 == known[k]);
}

/* x^607 = x^334 + 1 */
static void reduce(uint64_t *p, int n)
{
	for (int k = n - 1; k >= LEN; k--) {
		p[k - LEN] += p[k];
		p[k - LEN + STEP] += p[k];
		p[k] = 0;
	}
}

static void square(uint64_t a[LEN])
{
	static uint64_t r[2 * LEN];

	memset(r, 0, sizeof(r));
	for (int i = 0; i < LEN; i++)
		for (int k = 0; k < LEN; k++)
			r[i + k] += a[i] * a[k];
	reduce(r, 2 * LEN);
	memcpy(a, r, LEN * sizeof(*a));
}

static void times_x(uint64_t a[LEN])
{
	uint64_t t[LEN + 1];

	t[0] = 0;
	memcpy(t + 1, a, LEN * sizeof(*a));
	reduce(t, LEN + 1);
	memcpy(a, t, LEN * sizeof(*a));
}

static uint64_t next_seed(uint64_t *x)
{
	return *x = *x * 48271 % 2147483647;
}

TEST(the_start_state_is_7800000000000_steps_behind_seed_1)
{
	static uint64_t first[LEN], t[2 * LEN], power[LEN];
	const uint64_t steps = 7800000000000;
	uint64_t x = 1;
	uint32_t wrong = 0;

	for (int k = 0; k < 20; k++)
		next_seed(&x);
	for (int k = 0; k < LEN; k++) {
		first[k] = next_seed(&x) << 20;
		first[k] ^= next_seed(&x) << 10;
		first[k] ^= next_seed(&x);
	}
	for (int k = 0; k < LEN; k++)
		t[k] = first[(STEP - 1 - k + LEN) % LEN];
	for (int k = LEN; k < 2 * LEN; k++)
		t[k] = t[k - LEN] + t[k - LEN + STEP];
	power[0] = 1;
	for (int bit = 63; bit >= 0; bit--) {
		square(power);
		if (steps >> bit & 1)
			times_x(power);
	}
	for (uint64_t k = 0; k < LEN; k++) {
		uint64_t sum = 0, place = (STEP - 1 + LEN - (steps + k) % LEN) % LEN;

		for (uint64_t i = 0; i < LEN; i++)
			sum += power[i] * t[k + i];
		wrong += sum != go_rand_start[place];
	}
	CU_ASSERT(wrong == 0);
}
