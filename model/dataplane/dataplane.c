#include "model/dataplane/dataplane.h"

#include <stdlib.h>

const struct cause *cause_get(const struct dataplane *dp, cause_h h)
{
	assert(h.i < dp->causes.nr);
	return &dp->causes.v[h.i];
}

/* ---- building */

void dataplane_begin(struct dataplane *dp)
{
	vec_push(dp->arena, &dp->netns);
	vec_push(dp->arena, &dp->causes);
	dp->rules_age = 1;
	dp->nr_links = 1;
	vec_add(dp->arena, &dp->link_pieces, arena_array(dp->arena, struct link, LINKS_EACH));
}

netns_h netns_reserve(struct dataplane *dp)
{
	vec_push(dp->arena, &dp->netns);
	return (netns_h){ dp->netns.nr - 1 };
}

netns_h netns_add(struct dataplane *dp, enum netns_kind kind, const char *name)
{
	netns_h h = netns_reserve(dp);

	netns_begin(dp, h, kind, name);
	return h;
}

struct netns *netns_begin(struct dataplane *dp, netns_h h, enum netns_kind kind, const char *name)
{
	struct netns *ns = arena_make(dp->arena, struct netns);

	ns->name = str_intern(dp->strings, name);
	ns->kind = (uint8_t)kind;
	ns->links.at = dp->nr_links;
	ns->ip_rules.at = dp->ip_rules.nr;
	*map_put(&dp->netns_by_name, dp->arena, map_ptr(ns->name)) = h.i;
	return dp->netns.v[h.i] = ns;
}

void netns_write(const struct dataplane *cdp, netns_h h)
{
	struct dataplane *dp = (struct dataplane *)(uintptr_t)cdp;

	assert(dp->writer);
	dp->writer->netns(dp->ctx, dp, h);
	netns_end(dp, h);
}

static uint64_t addr_key(netns_h ns, ip_addr ip)
{
	return hash_mix(hash_mix(ns.i, ip.hi), ip.lo);
}

void netns_forget(struct dataplane *dp, netns_h h)
{
	struct netns *ns = dp->netns.v[h.i];

	for (uint32_t k = 0; ns && k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		for (uint32_t i = 0; i < l->nr_addrs; i++)
			map_remove(&dp->addr_owner, addr_key(h, dp->addrs.v[l->addr + i].ip));
	}
	if (ns)
		map_remove(&dp->netns_by_name, map_ptr(ns->name));
	dp->netns.v[h.i] = NULL;
}

uint32_t netns_nth(const struct dataplane *cdp, uint32_t k)
{
	struct dataplane *dp = (struct dataplane *)(uintptr_t)cdp;

	if (!dp->moved)
		return k + 1 < dp->netns.nr ? k + 1 : 0;
	if (!dp->order_known) {
		dp->order.nr = 0;
		dp->writer->order(dp->ctx, dp);
		dp->order_known = true;
	}
	return k < dp->order.nr ? dp->order.v[k].i : 0;
}

netns_h netns_find(const struct dataplane *dp, const char *name)
{
	str s = str_find(dp->strings, name);
	uint64_t *at = s ? map_find(&dp->netns_by_name, map_ptr(s)) : NULL;

	if (!at && dp->writer)
		return dp->writer->find(dp->ctx, dp, name);
	return (netns_h){ at ? (uint32_t)*at : 0 };
}

link_h link_add(struct dataplane *dp, netns_h ns, const char *name, enum link_kind kind)
{
	link_h h = { dp->nr_links++ };
	struct netns *n = netns_get(dp, ns);
	struct link *l;

	if (h.i / LINKS_EACH == dp->link_pieces.nr)
		vec_add(dp->arena, &dp->link_pieces, arena_array(dp->arena, struct link, LINKS_EACH));
	assert(n->links.at + n->links.nr == h.i);
	l = link_get(dp, h);
	l->name = str_intern(dp->strings, name);
	l->kind = (uint8_t)kind;
	l->netns = ns;
	l->addr = dp->addrs.nr;
	n->links.nr++;
	return h;
}

link_h link_find(const struct dataplane *dp, netns_h ns, const char *name)
{
	const struct netns *n = netns_get(dp, ns);

	for (uint32_t k = 0; k < n->links.nr; k++)
		if (streq(link_get(dp, netns_link(n, k))->name, name))
			return netns_link(n, k);
	return (link_h){ 0 };
}

link_h link_peer(const struct dataplane *dp, link_h h)
{
	const struct link *l = link_get(dp, h);

	if (!l->peer.i && l->toward.i)
		netns_get(dp, l->toward);
	return l->peer;
}

void addr_add(struct dataplane *dp, link_h h, ip_addr ip, uint8_t len)
{
	struct link *l = link_get(dp, h);

	if (!l->nr_addrs)
		l->addr = dp->addrs.nr;
	assert(l->addr + l->nr_addrs == dp->addrs.nr);
	vec_add(dp->arena, &dp->addrs, (struct if_addr){ ip, len, h });
	l->nr_addrs++;
}

struct route *route_add(struct dataplane *dp, netns_h ns, struct cidr dst)
{
	struct route *r = vec_push(dp->arena, &netns_get(dp, ns)->routes);

	r->dst = dst;
	return r;
}

struct listener *listener_add(struct dataplane *dp, netns_h ns, uint8_t proto, uint16_t port)
{
	struct listener *l = vec_push(dp->arena, &netns_get(dp, ns)->listeners);

	l->proto = proto;
	l->port = port;
	return l;
}

static uint64_t segment_key(uint32_t segment, ip_addr ip)
{
	return hash_mix(hash_mix(segment, ip.hi), ip.lo);
}

void segment_add(struct dataplane *dp, uint32_t segment, ip_addr ip, netns_h ns)
{
	uint64_t *at = map_put(&dp->segment_ip, dp->arena, segment_key(segment, ip));

	vec_add(dp->arena, &dp->on_segment, (struct on_segment){ segment, ip, ns });
	if (!*at)               /* of two that have it the first answers */
		*at = dp->on_segment.nr;
}

cause_h cause_add(struct dataplane *dp, uint32_t object, const char *path, cause_h because)
{
	vec_add(dp->arena, &dp->causes, (struct cause){ object, str_intern(dp->strings, path), because });
	return (cause_h){ dp->causes.nr - 1 };
}

/* ---- finishing */

static void index_link(struct dataplane *dp, link_h h)
{
	const struct link *l = link_get(dp, h);

	for (uint32_t k = 0; k < l->nr_addrs; k++) {
		uint64_t *at = map_put(&dp->addr_owner, dp->arena, addr_key(l->netns, dp->addrs.v[l->addr + k].ip));

		if (!*at)
			*at = h.i;
		if (l->kind == LINK_PHYS && !map_find(&dp->segment_ip, segment_key(l->segment, dp->addrs.v[l->addr + k].ip)))
			segment_add(dp, l->segment, dp->addrs.v[l->addr + k].ip, l->netns);
	}
}

void netns_end(struct dataplane *dp, netns_h h)
{
	struct netns *ns = netns_get(dp, h);

	if (ns->ended)
		return;
	ns->ended = true;
	routes_order(ns);
	for (uint32_t k = 0; k < ns->links.nr; k++)
		index_link(dp, netns_link(ns, k));
}

void dataplane_finish(struct dataplane *dp)
{
	for (uint32_t k = 1; k < dp->netns.nr; k++)
		if (dp->netns.v[k])
			netns_end(dp, (netns_h){ k });
	dataplane_order_blocks(dp);
}

void dataplane_write_all(const struct dataplane *dp)
{
	NETNS_EACH(dp, k)
		netns_get(dp, (netns_h){ k });
}

void dataplane_node_ready(const struct dataplane *dp, netns_h h)
{
	struct netns *ns = netns_get(dp, h);

	if (ns->ready == dp->rules_age)
		return;
	ns->ready = dp->rules_age;
	if (dp->writer)
		dp->writer->rules(dp->ctx, (struct dataplane *)(uintptr_t)dp, h);
}

/* ---- asking */

bool addr_is_local(const struct dataplane *dp, netns_h ns, ip_addr ip)
{
	return ip_is_loopback(ip) || addr_link(dp, ns, ip).i;
}

link_h addr_link(const struct dataplane *dp, netns_h ns, ip_addr ip)
{
	uint64_t *at;

	netns_get(dp, ns);
	at = map_find(&dp->addr_owner, addr_key(ns, ip));
	return (link_h){ at ? (uint32_t)*at : 0 };
}

link_h segment_owner(const struct dataplane *dp, uint32_t segment, ip_addr ip)
{
	uint64_t *at = map_find(&dp->segment_ip, segment_key(segment, ip));
	const struct netns *ns = at ? netns_get(dp, dp->on_segment.v[*at - 1].netns) : NULL;

	for (uint32_t k = 0; ns && k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		if (l->kind != LINK_PHYS || l->segment != segment)
			continue;
		for (uint32_t i = 0; i < l->nr_addrs; i++)
			if (ip_eq(dp->addrs.v[l->addr + i].ip, ip))
				return netns_link(ns, k);
	}
	return (link_h){ 0 };
}

static int by_ip(const void *a, const void *b)
{
	const struct assumed *x = a, *y = b;
	int d = ip_order(x->ip, y->ip);

	return d ? d : x->cause.i < y->cause.i ? -1 : x->cause.i > y->cause.i;         /* causes count up: as they were written */
}

const struct assumed *assumed_find(const struct dataplane *cdp, ip_addr ip, uint32_t *nr)
{
	struct dataplane *dp = (struct dataplane *)(uintptr_t)cdp;
	uint32_t lo = 0, hi;

	*nr = 0;
	if (dp->writer && !dp->writer->assumable(dp->ctx, ip))
		return NULL;
	if (!dp->assumed_known) {
		dp->assumed_known = true;
		if (dp->writer)
			dp->writer->assumed(dp->ctx, dp);
		if (dp->assumed.nr)
			qsort(dp->assumed.v, dp->assumed.nr, sizeof(*dp->assumed.v), by_ip);
	}
	for (hi = dp->assumed.nr; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (ip_order(dp->assumed.v[mid].ip, ip) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + *nr < dp->assumed.nr && ip_eq(dp->assumed.v[lo + *nr].ip, ip))
		++*nr;
	return *nr ? &dp->assumed.v[lo] : NULL;
}
