#include "model/control/ipam.h"

struct local_range local_range_of(struct cidr subnet)
{
	ip_addr last = cidr_last(subnet);

	return (struct local_range){ ip_add(subnet.addr, 1), ip_is4(last) ? ip_sub(last, 1) : last, ip_add(subnet.addr, 1) };
}

static bool within(const struct local_range *r, ip_addr ip)
{
	return ip_is4(ip) == ip_is4(r->first) && ip_order(ip, r->first) >= 0 && ip_order(ip, r->last) <= 0;
}

/* The circle of allocator.go RangeIter: from behind `last`, over the ends of the ranges, until it is met again. */
bool local_next(const struct local_range *r, uint32_t nr, ip_addr last, ip_taken taken, void *ctx, ip_addr *out)
{
	uint32_t in = 0;
	ip_addr at, start;

	while (in < nr && !(ip_set(last) && within(&r[in], last)))
		in++;
	if (in == nr)
		at = r[in = 0].first;
	else if (ip_eq(last, r[in].last))
		at = r[in = (in + 1) % nr].first;
	else
		at = ip_add(last, 1);
	start = at;
	do {
		if (!ip_eq(at, r[in].gateway) && !taken(ctx, at)) {
			*out = at;
			return true;
		}
		at = ip_eq(at, r[in].last) ? r[in = (in + 1) % nr].first : ip_add(at, 1);
	} while (!ip_eq(at, start));
	return false;
}

const char *local_full(const struct local_range *r, uint32_t nr, struct arena *a)
{
	const char *ranges = "";

	for (uint32_t k = 0; k < nr; k++)
		ranges = arena_printf(a, "%s%s%s-%s", ranges, k ? "," : "", IP(r[k].first), IP(r[k].last));
	return arena_printf(a, "no IP addresses available in range set: %s", ranges);
}
