/* A range of ClusterIPs and its bands. Sources: ipallocator.go NewIPAllocator, allocateNextService; bitmap.go calculateRangeOffset; portallocator/allocator.go. */
#include "model/control/alloc.h"

const char *const range_words[] = {
	[RANGE_OK] = "",
	[RANGE_OUTSIDE] = "the provided network does not match the current range",
	[RANGE_ALLOCATED] = "provided IP is already allocated",
	[RANGE_FULL] = "range is full",
};

static uint32_t band(uint64_t size, uint32_t share, uint32_t most)
{
	return size <= 16 ? 0 : (uint32_t)MIN(MAX((uint64_t)16, size / share), (uint64_t)most);
}

uint32_t node_port_band(uint32_t size)
{
	return band(size, 32, 128);
}

struct ip_range ip_range_of(struct cidr cidr)
{
	uint64_t all = cidr_size(cidr), kept = ip_is4(cidr.addr) ? 2 : 1;
	struct ip_range r = { .cidr = cidr, .first = ip_add(cidr.addr, 1), .last = cidr_last(cidr), .size = all > kept ? all - kept : 0 };

	if (ip_is4(cidr.addr))
		r.last = ip_sub(r.last, 1);
	r.band = band(all, 16, 256);
	return r;
}

enum range_answer ip_range_check(const struct ip_range *r, ip_addr ip, range_used used, void *ctx)
{
	if (!r->size)
		return RANGE_FULL;
	if (!cidr_contains(r->cidr, ip) || ip_order(ip, r->first) < 0 || ip_order(ip, r->last) > 0)
		return RANGE_OUTSIDE;
	return used(ctx, ip) ? RANGE_ALLOCATED : RANGE_OK;
}

/* The first free one of `nr` addresses from `first`, beginning at the place `from` and going round. */
static bool search(ip_addr first, uint64_t nr, uint64_t from, range_used used, void *ctx, ip_addr *out)
{
	for (uint64_t k = 0; k < nr; k++) {
		*out = ip_add(first, (from + k) % nr);
		if (!used(ctx, *out))
			return true;
	}
	return false;
}

enum range_answer ip_range_next(const struct ip_range *r, uint64_t random, range_used used, void *ctx, ip_addr *out)
{
	uint64_t upper = r->size > r->band ? r->size - r->band : 0;

	if (!upper)
		return RANGE_FULL;
	if (search(ip_add(r->first, r->band), upper, random % upper, used, ctx, out))
		return RANGE_OK;
	if (r->band && search(r->first, r->band, random % r->band, used, ctx, out))
		return RANGE_OK;
	return RANGE_FULL;
}
