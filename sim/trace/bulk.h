/* Many walks at once: one outcome each, drawn by the seed, from Pods to addresses by TCP, UDP or SCTP over IPv4, with the answer. What is ordinary (seat.h)
 * goes through lowered rules and short records; everything else is asked of walk(), so that every probe gets the answer that walk() gives. */
#ifndef PODWIRE_BULK_H
#define PODWIRE_BULK_H

#include "sim/trace/trace.h"

struct bulk_probe { netns_h from; ip_addr dst; uint16_t sport /* 0: as walk() */, dport; uint8_t proto; };
struct bulk_result {
	uint8_t verdict;                /* enum verdict, of the way there */
	bool answered, assumed, dnat, snat, masqueraded;
	bool asked;                     /* walk() was asked */
	netns_h end;                    /* where it ended */
	ip_addr dst; uint16_t dport;    /* what it was addressed to there */
	uint32_t hop; uint16_t nr_hops; /* in the caller's hops; none if walk() was asked */
};
struct bulk_hop {                               /* a step, as short as it can be kept */
	netns_h netns; link_h link;
	uint8_t stage, what;            /* enum stage; an enum op_code, or 0: moved on */
	uint16_t sport, dport;
	uint32_t src, dst, mark;        /* after it */
	chain_h chain; uint32_t rule;   /* what decided; rule UINT32_MAX: no rule */
};
#define BULK_HOPS 64u                           /* that one probe can take */

struct bulk;
struct bulk *bulk_new(const struct dataplane *, struct arena *);        /* good as long as the dataplane is */
void bulk_free(struct bulk *);
/* seed: probe k draws from hash_mix(seed, k), whatever was asked before. hops: room for nr_hops, or NULL; probes whose hops find no room left keep none. */
void bulk_walk(struct bulk *, const struct bulk_probe *, uint32_t nr, uint64_t seed, struct bulk_result *, struct bulk_hop *hops, uint32_t nr_hops);

#endif
