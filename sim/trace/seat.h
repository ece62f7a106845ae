/* Namespaces as bulk walks see them: one short record each, made at the first walk that meets it from the plain data and by the plain functions (route_lookup,
 * link_answers, masquerade_addr …), so that nothing about the way of a packet is decided here a second time. A namespace that is not ordinary (a bridge, a
 * tunnel, policy routing, rp_filter, rules in a Pod, several addresses, something unknown) says so, and walks that meet it are done by walk(). */
#ifndef PODWIRE_SEAT_H
#define PODWIRE_SEAT_H

#include "model/dataplane/lower.h"
#include "sim/trace/trace.h"

enum seat_kind { SEAT_UNSEEN, SEAT_OTHER /* not ordinary */, SEAT_POD, SEAT_NODE };
#define SEAT_LISTENS 4
#define SEAT_LOCALS  4

struct seat {                           /* a cache line */
	uint8_t kind;
	uint8_t nr_listens, nr_locals;  /* POD, NODE */
	uint8_t shift;                  /* NODE: 32 less the length of the connected network */
	bool any;                       /* POD: listens where it is asked (assumed) */
	bool from_node, from_afar;      /* POD: its node has a straight route to it; other nodes reach it through its node's uplink */
	uint32_t ip;                    /* POD: its address. NODE: that of the uplink which others use as next hop */
	uint32_t masquerade;            /* POD: the address that the node masquerades with towards it. NODE: towards the uplink */
	link_h out, in;                 /* POD: eth0 and the node's end. NODE: out is the uplink */
	str in_name;                    /* POD: the node's end. NODE: the uplink */
	union {
		struct {                /* POD */
			netns_h node;
			uint32_t gateway;       /* the next hop, which is no destination */
			struct { uint16_t port; uint8_t proto; } listens[SEAT_LISTENS];
		};
		struct {                /* NODE */
			struct lowered *rules;
			uint32_t segment;       /* of the uplink */
			uint32_t net, locals[SEAT_LOCALS];      /* connected network, own addresses */
		};
	};
};
static_assert(sizeof(struct seat) == 64, "a cache line");
static inline bool seat_connected(const struct seat *n, uint32_t ip) { return !((ip ^ n->net) >> n->shift); }

struct seats;
struct seats *seats_new(const struct dataplane *, struct arena *);
const struct seat *seat_make(struct seats *, netns_h);

struct seats {
	const struct dataplane *dp;
	struct arena *arena;
	struct seat *v;                 /* by namespace */
	struct { uint32_t ip; netns_h ns; } *holder; uint32_t mask;     /* hash of IPv4 addresses */
	struct map shared;              /* ruleset that others stand on → its lowered form */
};
LOW_INLINE const struct seat *seat_of(struct seats *s, netns_h h)
{
	return s->v[h.i].kind != SEAT_UNSEEN ? &s->v[h.i] : seat_make(s, h);
}
/* Addresses that are routed nowhere, or not as others are. */
static inline bool seat_special(uint32_t ip) { return ip >> 24 == 127 || ip >> 24 == 0 || ip >> 28 >= 14 || ip >> 16 == 0xa9fe; }
static inline uint32_t seat_hash(uint32_t ip) { return (uint32_t)((ip * 0x9e3779b97f4a7c15ull) >> 32); }
/* The namespace of the Pod or node that has the address; .i 0: none, or the address is special. */
LOW_INLINE netns_h seat_holder(const struct seats *s, uint32_t ip)
{
	uint32_t at = seat_hash(ip) & s->mask;

	while (s->holder[at].ns.i && s->holder[at].ip != ip)
		at = (at + 1) & s->mask;
	return s->holder[at].ns;
}

#endif
