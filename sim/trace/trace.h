/* The packet walk: one packet from a socket to where it ends, and the answer back, through the dataplane as the kernel would take it: output
 * hooks, routing, postrouting, link, next namespace, prerouting, conntrack, forward or input, socket. Random choices fork the walk: all
 * outcomes come with exact probabilities. Knows rules, not Services: includes nothing of model/api/ (a test checks it).
 *
 * A walk takes a const dataplane and a `flows` (conntrack, dynamic sets), the only thing that it writes; so many can run in parallel. */
#ifndef PODWIRE_TRACE_H
#define PODWIRE_TRACE_H

#include "model/base/frac.h"
#include "model/dataplane/dataplane.h"
#include "model/dataplane/packet.h"

enum verdict { V_DELIVERED, V_REFUSED, V_REJECTED, V_DROPPED, V_UNROUTABLE, V_UNRESOLVED, V_LOST, V_UNKNOWN, V_COUNT };
extern const char *const verdict_names[V_COUNT];

enum stage { ST_SOCKET, ST_OUTPUT, ST_ROUTE, ST_FORWARD, ST_INPUT, ST_PREROUTING, ST_POSTROUTING, ST_LINK, ST_BRIDGE, ST_ENCAP, ST_DECAP, ST_DELIVER, ST_PROXY, ST_COUNT };
extern const char *const stage_names[ST_COUNT];         /* socket, output, route, … */

struct tuple { ip_addr src, dst; uint16_t sport, dport; uint8_t proto; };

struct considered { const struct ruleset *owner; chain_h chain; uint32_t rule; };       /* a rule that did not match */

/* One step. Texts are made on demand from owner, chain, rule (hop_rule_text), so that recording stays cheap. */
struct hop {
	netns_h netns;
	link_h link;                            /* where it is, or leaves by; 0: none */
	uint8_t stage;
	const char *decision;                   /* "accepted", "routed to 10.244.7.66 via 172.18.0.3 dev eth0", …; in the walk's arena */
	const struct ruleset *owner; chain_h chain; uint32_t rule;      /* the rule that decided; rule UINT32_MAX: none (policy, routing) */
	const struct elem *elem; set_h set;     /* and the element, in a map */
	struct route route; bool has_route;
	struct tuple before, after; uint32_t mark_before, mark_after;
	uint32_t size;                          /* bytes, the encapsulation not counted; 0: small */
	const char *ct;                         /* new, established, … */
	cause_h cause;
	struct considered *considered; uint32_t nr_considered;
};

struct half {                                   /* one direction */
	enum verdict verdict;
	const char *reason;                     /* one sentence */
	struct hop *hops; uint32_t nr_hops;
	netns_h end;                            /* where it ended */
	struct tuple as_sent, as_seen;          /* at the sender's socket; where it ended */
};
struct outcome {
	struct frac p;
	struct half there, back;                /* back.nr_hops 0 and verdict V_UNKNOWN if none was sent */
	bool answered;                          /* the reply came back to the client's socket, with the addresses that it knows */
	bool assumed;                           /* nothing is known of what listens there */
	bool dnat, snat, masqueraded;           /* dnat: rewritten by the first node; snat, masqueraded: on the whole way there */
	struct tuple first_nat;                 /* dst after the first node's NAT, if dnat */
	ip_addr snat_to; uint16_t snat_port;
	uint32_t too_large_for;                 /* the MTU that a router tells the sender in an ICMP error, whose way is `back`; 0: none does */
	const struct listener *listener;        /* who took it; NULL: the namespace itself (icmp), or nobody */
	cause_h rule_cause;                     /* of the rule that decided, if any */
};
struct trace { struct outcome *v; uint32_t nr; };       /* sorted by endpoint address, port, verdict; equal ones merged */

/* Where a packet starts. */
struct walk_from {
	netns_h from;                           /* the namespace of the sending socket, or (enters) the one that it comes into */
	bool enters;                            /* it arrives from outside by the link `in` instead of leaving a socket; its reply is delivered where it came from */
	link_h in;                              /* 0: a Pod of that address is not there, but would be: the packet comes in by an interface named in_name */
	const char *in_name;
	struct tuple t;                         /* src unset: the kernel picks it; sport 0: 40000 */
	uint32_t size; bool df;                 /* bytes; 0: small */
	uint8_t icmp_type;                      /* PROTO_ICMP: 8 */
	uint32_t skuid; bool has_skuid;         /* not has_skuid: a socket of root's; what enters has none */
};

/* What a walk may write: connections and dynamic sets, per namespace (flows.c). Lives in its arena. A walk without WALK_KEEP only reads them. */
struct flows;
struct val;
struct flows *flows_new(struct arena *, nsec now, uint64_t seed);
void flows_set_now(struct flows *, nsec);
void flows_print(const struct flows *, const char *netns, struct sb *);         /* as `conntrack -L` */
void flows_print_sets(const struct flows *, const char *netns, struct sb *);    /* who sticks to what: SET KEY expires 42s */
bool flows_port_in_use(const struct flows *, ip_addr src, uint16_t port, uint8_t proto);        /* by a connection from that address (unset: any) */
/* Forgets what has expired, and the connections of which goes() says so: somebody flushes them. */
struct flow_entry { const char *netns; struct tuple orig, reply; nsec since; };
void flows_drop(struct flows *, bool (*goes)(void *, const struct flow_entry *), void *ctx);
bool flows_any(const struct flows *);
struct val *tuple_save(struct arena *, const struct tuple *);           /* "6 10.244.1.2 40000 10.96.0.10 80" */
bool tuple_load(const char *, struct tuple *);
struct val *flows_save(const struct flows *, struct arena *);
void flows_load(struct flows *, const struct val *);

enum { WALK_RECORD = 1, WALK_DRAW = 2 /* one outcome, drawn by flows' seed */, WALK_ONE_WAY = 4, WALK_CONSIDERED = 8, WALK_KEEP = 16 /* connections stay in flows */ };
/* The result, hops included, lives in `scratch`. */
struct trace walk(const struct dataplane *, struct flows *, const struct walk_from *, unsigned flags, struct arena *scratch);
void hop_rule_text(const struct dataplane *, const struct hop *, struct sb *);  /* as `nft list` or iptables-save prints it; empty if no rule decided */

#endif
