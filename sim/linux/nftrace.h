/* The kernel's own word on the way of one packet: netfilter's trace of a connection whose packets carry a DSCP value of ours, from all namespaces, in the order in which
 * it happened. */
#ifndef PODWIRE_NFTRACE_H
#define PODWIRE_NFTRACE_H

#include "sim/linux/dial.h"

#define NFTRACE_TOS (46 << 2)           /* expedited forwarding: survives from namespace to namespace, as marks do not */

struct traced {
	const struct space *space;
	const char *table, *chain;      /* ip kube-proxy, service-ips */
	const char *rule;               /* as nft lists it; NULL: the chain's policy, or its end */
	const char *verdict;            /* accept, drop, jump X, goto X, continue, return */
	const char *iif, *oif;          /* NULL: none */
	ip_addr src, dst; uint16_t sport, dport; uint8_t proto;
	uint32_t mark, id;
};
struct nftrace { struct traced *v; uint32_t nr, alloc; bool lost; /* the kernel had more than could be read */ };
/* Does something in which packets marked NFTRACE_TOS are sent (in a namespace where a proxy runs, the first packets of its own connections are marked besides), and collects what
 * happens to the first packet of each connection. The result lives in the arena. */
typedef bool (*nftrace_fn)(void *ctx, struct err *);
bool nftrace_during(struct live *, nftrace_fn, void *ctx, struct arena *, struct nftrace *out, struct err *);
/* The same with one connection. */
bool nftrace_dial(struct live *, struct dialer *, struct dial *, struct arena *, struct nftrace *out, struct err *);

#endif
