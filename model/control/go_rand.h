/* Go's math/rand source, as far as names and blocks on real clusters follow from it: an additive lagged Fibonacci generator, x[n] = x[n-607] + x[n-273]
 * mod 2^64, started from a state that has already run 7.8e12 steps (Go src/math/rand/rng.go; a test recomputes the table). */
#ifndef PODWIRE_GO_RAND_H
#define PODWIRE_GO_RAND_H

#include "model/base/base.h"

#define GO_RAND_LEN 607
struct go_rand {
	uint64_t seed;
	uint64_t made[(GO_RAND_LEN + 63) / 64];         /* which words of v have been made from the seed */
	uint64_t v[GO_RAND_LEN];
	uint32_t tap, feed;
};

void go_rand_seed(struct go_rand *, int64_t seed);      /* rand.New(rand.NewSource(seed)) */
uint64_t go_rand_u64(struct go_rand *);
uint32_t go_rand_u32(struct go_rand *);                 /* Uint32 */
uint64_t go_rand_below(struct go_rand *, uint64_t limit);       /* big.Int.Rand: 0 … limit-1; limit > 0 */

extern const uint64_t go_rand_start[GO_RAND_LEN];

#endif
