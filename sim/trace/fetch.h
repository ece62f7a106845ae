/* What probes of bulk walks will need is fetched into the caches while others before them walk, step by step, as each piece tells where the next one is: the sender's
 * seat, its node's; the slot of the Service, its chain, the endpoint that the first draw will choose; who holds that address, its seat, its node's, and
 * the sets that this node has of its own; and who holds the sender's address, to whom the answer goes. Nothing depends on it
 * but speed; what it cannot foresee is fetched by the walk itself. */
#ifndef PODWIRE_FETCH_H
#define PODWIRE_FETCH_H

#include "sim/trace/bulk.h"
#include "sim/trace/seat.h"

#define FETCH_RING 32u          /* a power of two above the largest distance */
struct fetched { const struct low_chain *chain; const struct low_value *value; netns_h end; };
struct fetch {
	struct seats *seats;
	struct lowered *shared; const struct low_set *services;         /* the verdict map that most packets are sent on from; NULL: nothing is fetched */
	bool looked;                                                    /* for these sets, and the next ones */
	const struct low_set *others[4]; uint32_t nr_others;            /* large sets that the packet is looked up in where it arrives */
	const struct bulk_probe *q; uint64_t nr, seed;
	struct fetched ring[FETCH_RING];                                /* by probe modulo its size: what is known of those that come */
};
void fetch_begin(struct fetch *, struct seats *, const struct bulk_probe *, uint64_t nr, uint64_t seed);
void fetch_next(struct fetch *, uint64_t i);                            /* probe i will walk now */

#endif
