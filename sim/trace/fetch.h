/* What probes of bulk walks will need is fetched into the caches while others before them walk, step by step, as each piece tells where the next one is: the sender's
 * seat, its node's; the slot of the Service (in nftables' map, or in the index of iptables' long chain), its chain, the endpoint that the draws will choose, iptables' chain
 * of that; who holds its address, its seat, its node's, and the sets that this node has of its own; and who holds the sender's address, to whom the answer goes.
 * Nothing depends on it but speed; what it cannot foresee is fetched by the walk itself. */
#ifndef PODWIRE_FETCH_H
#define PODWIRE_FETCH_H

#include "sim/trace/bulk.h"
#include "sim/trace/seat.h"

#define FETCH_RING 32u          /* a power of two above the largest distance */
struct fetched {
	const struct insn *rule;                /* of the Service, in the index */
	const struct low_chain *chain;          /* of the Service; then of the endpoint */
	const struct insn *drawn;               /* what will draw */
	uint32_t ticket;                        /* the chain that it will jump to; 0: it picks a value */
	const struct low_value *value; struct low_value to;     /* the endpoint; ip 0: not known */
	netns_h end;
};
struct fetch {
	struct seats *seats;
	bool goes;
	struct lowered *shared;
	const struct low_set *services;                                 /* the verdict map that most packets are sent on from; NULL: there is none, but */
	const struct low_chain *long_chain; const struct insn *index;   /* the longest run of rules, and the chain that it is in */
	const struct low_set *others[4]; uint32_t nr_others;            /* large sets that the packet is looked up in where it arrives */
	const struct bulk_probe *q; uint64_t nr, seed;
	struct fetched ring[FETCH_RING];                                /* by probe modulo its size: what is known of those that come */
};
void fetch_begin(struct fetch *, struct seats *, const struct bulk_probe *, uint64_t nr, uint64_t seed);
void fetch_next(struct fetch *, uint64_t i);                            /* probe i will walk now */

#endif
