#include "model/control/ipam.h"

#include <stdlib.h>

#define MAX_V6_DIFF 16          /* cidr_set.go clusterSubnetMaxDiff */

static uint8_t family_bits(struct cidr c)
{
	return (uint8_t)ip_bits(c.addr);
}

static bool holds(const struct cidr_set *s, uint32_t i)
{
	return s->bits[i / 64] >> (i % 64) & 1;
}

bool cidr_set_init(struct cidr_set *s, struct arena *a, struct cidr cluster, uint8_t node_len)
{
	*s = (struct cidr_set){ .cluster = { ip_mask(cluster.addr, cluster.len), cluster.len, true }, .node_len = node_len };
	if (node_len < cluster.len || node_len > family_bits(cluster) || node_len - cluster.len > MAX_V6_DIFF)
		return false;
	s->max = 1u << (node_len - cluster.len);
	s->bits = arena_array(a, uint64_t, (s->max + 63) / 64);
	return true;
}

/* The number of the range that holds an address of the cluster's. */
static uint32_t index_of(const struct cidr_set *s, ip_addr ip)
{
	uint32_t right = (uint32_t)(family_bits(s->cluster) - s->node_len);
	ip_addr d = { ip.hi ^ s->cluster.addr.hi, ip.lo ^ s->cluster.addr.lo };         /* the network's bits cancel out */

	if (right >= 64)
		return (uint32_t)(d.hi >> (right - 64));
	return (uint32_t)(right ? d.hi << (64 - right) | d.lo >> right : d.lo);
}

bool cidr_set_span(const struct cidr_set *s, struct cidr c, uint32_t *first, uint32_t *last)
{
	if (!cidr_overlaps(s->cluster, c))
		return false;
	*first = 0;
	*last = (uint32_t)(((uint64_t)1 << (s->node_len - s->cluster.len)) - 1);
	if (s->cluster.len < c.len) {
		*first = index_of(s, c.addr);
		*last = index_of(s, cidr_last(c));
	}
	return true;
}

bool cidr_set_occupy(struct cidr_set *s, struct cidr c)
{
	uint32_t first, last;

	if (!cidr_set_span(s, c, &first, &last))
		return false;
	for (uint32_t k = first; k <= last; k++) {
		s->used += !holds(s, k);
		s->bits[k / 64] |= (uint64_t)1 << (k % 64);
	}
	return true;
}

bool cidr_set_release(struct cidr_set *s, struct cidr c)
{
	uint32_t first, last;

	if (!cidr_set_span(s, c, &first, &last))
		return false;
	for (uint32_t k = first; k <= last; k++) {
		s->used -= holds(s, k);
		s->bits[k / 64] &= ~((uint64_t)1 << (k % 64));
	}
	return true;
}

static struct cidr range_at(const struct cidr_set *s, uint32_t i)
{
	uint32_t right = (uint32_t)(family_bits(s->cluster) - s->node_len);
	ip_addr a = s->cluster.addr;

	if (right >= 64) {
		a.hi |= (uint64_t)i << (right - 64);
	} else {
		a.hi |= right ? (uint64_t)i >> (64 - right) : 0;
		a.lo |= (uint64_t)i << right;
	}
	return (struct cidr){ a, s->node_len, true };
}

bool cidr_set_next(struct cidr_set *s, struct cidr *out)
{
	if (s->used == s->max)
		return false;
	while (holds(s, s->next))
		s->next = (s->next + 1) % s->max;
	*out = range_at(s, s->next);
	cidr_set_occupy(s, *out);
	s->next = (s->next + 1) % s->max;
	return true;
}
