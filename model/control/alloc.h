/* What the API server hands out when a Service is stored: ClusterIPs, node ports, health check node ports.
 * Sources: Kubernetes 1.36 pkg/registry/core/service/storage/alloc.go, ipallocator/{ipallocator,cidrallocator}.go, portallocator/allocator.go; facts 14, 16, 33, 60. */
#ifndef PODWIRE_ALLOC_H
#define PODWIRE_ALLOC_H

#include "model/control/control.h"

/* One range of ClusterIPs: the network address is never used, nor an IPv4 broadcast address. */
struct ip_range {
	struct cidr cidr;
	ip_addr first, last;
	uint64_t size;                          /* usable addresses; 0: none */
	uint32_t band;                          /* the first so many are for static choices; dynamic ones come here only when the rest is full */
};
enum range_answer { RANGE_OK, RANGE_OUTSIDE, RANGE_ALLOCATED, RANGE_FULL };
extern const char *const range_words[];         /* as the API server says them; "" for RANGE_OK */
typedef bool (*range_used)(void *ctx, ip_addr);
struct ip_range ip_range_of(struct cidr);
enum range_answer ip_range_check(const struct ip_range *, ip_addr, range_used, void *ctx);
/* A free address: the first from a place in the upper band that `random` chooses, then in the lower band. */
enum range_answer ip_range_next(const struct ip_range *, uint64_t random, range_used, void *ctx, ip_addr *out);

uint32_t node_port_band(uint32_t size);         /* how many of the range's first ports are for static choices */

/* Completes a Service as the API server does: families, ClusterIPs, node ports, health check node port. old: what it was before this update, or NULL. Values that
 * the old one has and the new one does not name are kept. What is given is taken, or refused in the API server's words; settings_flags.respect takes
 * everything. Nothing needs to be released: an address is free when no living Service has it. */
bool service_allocate(struct control *, struct service *, const struct service *old, struct check *);

#endif
