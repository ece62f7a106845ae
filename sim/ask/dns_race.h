/* Two queries of one socket, A and AAAA, that meet in a node before conntrack has entered either. A packet that is translated gets its entry when it leaves the node;
 * the second of two with one 5-tuple finds its place taken (insert_failed) and is dropped, where the kernel does not know better.
 * Sources: linux net/netfilter/nf_conntrack_core.c nf_ct_resolve_clash (without NAT since 4.7, to one destination since 5.0, to several since 5.7); glibc resolv/res_send.c
 * (both queries from one socket, but for single-request and single-request-reopen; timeout 5 s); musl src/network/res_msend.c (always; again after timeout / attempts). */
#ifndef PODWIRE_DNS_RACE_H
#define PODWIRE_DNS_RACE_H

#include "model/dns/dns.h"
#include "sim/ask/question.h"

struct dns_race {
	const char *never;                      /* why it cannot happen, a sentence; NULL: it can, and then: */
	const char *netns;                      /* where they meet */
	struct tuple sent;                      /* both of them */
	const char *server;                     /* an endpoint that one of them is sent to */
	uint32_t endpoints;
	nsec again;                             /* after which the resolver asks again */
};
/* from: the Pod as an end, "pod/NS/NAME". false: it cannot be asked; err says so. */
bool dns_race(struct world *, const char *from, const struct resolv_conf *, enum resolver, struct arena *, struct dns_race *, struct err *);

#endif
