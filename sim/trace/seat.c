#include "sim/trace/seat.h"

#include "sim/trace/walker.h"

static const ip_addr anywhere = { 0, 0xffff01010101u };         /* 1.1.1.1: an address that no route but the default one is for */

/* ---- who has an address */

static void put_holder(struct seats *s, uint32_t ip, netns_h ns)
{
	uint32_t at = seat_hash(ip) & s->mask;

	while (s->holder[at].ns.i && s->holder[at].ip != ip)
		at = (at + 1) & s->mask;
	if (!s->holder[at].ns.i) {
		s->holder[at].ip = ip;
		s->holder[at].ns = ns;
	}
}

static void add_holder(void *ctx, ip_addr ip, netns_h ns)
{
	if (ip_is4(ip) && !seat_special(ip_to4(ip)))
		put_holder(ctx, ip_to4(ip), ns);
}

struct seats *seats_new(const struct dataplane *dp, struct arena *a)
{
	struct seats *s = arena_make(a, struct seats);
	uint32_t size = 8;

	s->dp = dp;
	s->arena = a;
	s->v = arena_alloc(a, (dp->netns.nr + 1) * sizeof(*s->v), 16);
	s->v = (struct seat *)(((uintptr_t)s->v + sizeof(*s->v) - 1) & ~(uintptr_t)(sizeof(*s->v) - 1));
	while (size < 2 * dp->netns.nr + 2 * dp->on_segment.nr)
		size *= 2;
	s->mask = size - 1;
	s->holder = arena_alloc(a, size * sizeof(*s->holder), 8);
	if (dp->writer)
		dp->writer->holders(dp->ctx, add_holder, s);
	return s;
}

/* ---- making */

static bool is_default(const struct route *r) { return r->dst.len == 0; }

static bool ordinary(const struct netns *ns)
{
	return !ns->down && !ns->captured && !ns->addrs_unknown && !ns->routes_unknown && !ns->ip_rules.nr;
}

/* The one IPv4 address of a link; 0: it has none, or several. */
static uint32_t only_address(const struct dataplane *dp, const struct link *l)
{
	uint32_t found = 0;

	for (uint32_t k = 0; k < l->nr_addrs; k++) {
		ip_addr ip = dp->addrs.v[l->addr + k].ip;

		if (!ip_is4(ip))
			continue;
		if (found)
			return 0;
		found = ip_to4(ip);
	}
	return found;
}

/* All that leaves goes by eth0 to one next hop, which the node answers for. */
static bool one_way_out(const struct dataplane *dp, const struct netns *ns, struct seat *s)
{
	const struct link *eth0 = link_get(dp, s->out), *far;
	ip_addr gateway = { 0, 0 };

	for (uint32_t k = 0; k < ns->links.nr; k++)
		if (link_get(dp, netns_link(ns, k))->kind != LINK_LO && netns_link(ns, k).i != s->out.i)
			return false;
	for (uint32_t k = 0; k < ns->routes.nr; k++)
		if (ip_is4(ns->routes.v[k].dst.addr) && is_default(&ns->routes.v[k]))
			gateway = ns->routes.v[k].via;
	for (uint32_t k = 0; k < ns->routes.nr; k++) {
		const struct route *r = &ns->routes.v[k];
		bool to_gateway = r->dst.len == 32 && ip_eq(r->dst.addr, gateway) && !ip_set(r->via);

		if (ip_is4(r->dst.addr) && (r->type != RT_UNICAST || r->dev.i != s->out.i || r->table || (!is_default(r) && !to_gateway)))
			return false;
	}
	if (!ip_is4(gateway) || eth0->kind != LINK_VETH || !eth0->up || eth0->rp_filter || !link_peer(dp, s->out).i)
		return false;
	s->in = eth0->peer;
	s->gateway = ip_to4(gateway);
	far = link_get(dp, s->in);
	return far->up && !far->master.i && !far->rp_filter && far->netns.i == s->node.i && link_answers(dp, s->in, gateway);
}

static bool listens(const struct netns *ns, struct seat *s)
{
	for (uint32_t k = 0; k < ns->listeners.nr; k++) {
		const struct listener *l = &ns->listeners.v[k];

		if (l->kind == LISTEN_ANY) {
			s->any = true;
			continue;
		}
		if (ip_set(l->addr) || s->nr_listens == SEAT_LISTENS)
			return false;
		s->listens[s->nr_listens].port = l->port;
		s->listens[s->nr_listens++].proto = l->proto;
	}
	return true;
}

static bool make_pod(struct seats *all, netns_h h, const struct netns *ns, struct seat *s)
{
	const struct dataplane *dp = all->dp;
	const struct netns *node = ns->node.i ? netns_get(dp, ns->node) : NULL;
	ip_addr ip;
	struct route r;
	const struct block *b;
	const struct link *uplink;

	s->out = ns->uplink;
	s->node = ns->node;
	if (!node || ns->rules || !s->out.i || !(s->ip = only_address(dp, link_get(dp, s->out))) || !one_way_out(dp, ns, s) || !listens(ns, s))
		return false;
	ip = ip_from4(s->ip);
	s->in_name = link_get(dp, s->in)->name;
	s->masquerade = ip_to4(masquerade_addr(dp, s->node, s->in, ip));
	s->from_node = route_lookup(dp, s->node, ip, &r) && r.type == RT_UNICAST && !ip_set(r.via) && r.dev.i == s->in.i && link_answers(dp, s->out, ip) &&
		       seat_holder(all, s->ip).i == h.i;
	b = block_of(dp, ip);
	uplink = node->uplink.i ? link_get(dp, node->uplink) : NULL;
	s->from_afar = b && uplink && !b->tunnel && b->owner.i == s->node.i && ip_is4(b->via) && segment_owner(dp, uplink->segment, b->via).i == node->uplink.i;
	return true;
}

/* A node's own routes: its Pods, the connected network, the default one. */
static bool plain_routes(const struct dataplane *dp, const struct netns *ns, struct seat *s)
{
	s->shift = 32;
	for (uint32_t k = 0; k < ns->routes.nr; k++) {
		const struct route *r = &ns->routes.v[k];

		if (!ip_is4(r->dst.addr))
			continue;
		if (r->type != RT_UNICAST || r->table || !r->dev.i)
			return false;
		if (r->dst.len == 32 && !ip_set(r->via) && link_get(dp, r->dev)->kind == LINK_VETH)
			continue;
		if (r->dev.i != s->out.i)
			return false;
		if (is_default(r))
			continue;
		if (ip_set(r->via) || s->shift < 32)
			return false;
		s->shift = (uint8_t)(32 - r->dst.len);
		s->net = ip_to4(r->dst.addr);
	}
	return s->shift < 32;
}

/* Lowered once for all nodes that stand on it. */
static struct lowered *shared_rules(struct seats *all, const struct ruleset *base)
{
	uint64_t *at = map_put(&all->shared, all->arena, map_ptr(base));

	if (!*at)
		*at = map_ptr(lower(base, NULL, all->arena));
	return (struct lowered *)(uintptr_t)*at;
}

static bool make_node(struct seats *all, netns_h h, const struct netns *ns, struct seat *s)
{
	const struct dataplane *dp = all->dp;
	const struct link *uplink;

	s->out = ns->uplink;
	if (!s->out.i || !ns->forward4 || !ns->uses_blocks)
		return false;
	uplink = link_get(dp, s->out);
	if (uplink->kind != LINK_PHYS || !uplink->up || uplink->loss_permille || uplink->carries || uplink->rp_filter || !plain_routes(dp, ns, s))
		return false;
	s->segment = uplink->segment;
	s->in_name = uplink->name;
	s->ip = only_address(dp, uplink);
	s->masquerade = ip_to4(masquerade_addr(dp, h, s->out, anywhere));
	if (!s->ip || segment_owner(dp, s->segment, ip_from4(s->ip)).i != s->out.i || seat_holder(all, s->ip).i != h.i)
		return false;
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		if (l->kind != LINK_LO && l->kind != LINK_VETH && l->kind != LINK_PHYS)
			return false;
		for (uint32_t i = 0; l->kind != LINK_LO && i < l->nr_addrs; i++) {
			ip_addr ip = dp->addrs.v[l->addr + i].ip;

			if (ip_is4(ip) && s->nr_locals == SEAT_LOCALS)
				return false;
			if (ip_is4(ip))
				s->locals[s->nr_locals++] = ip_to4(ip);
		}
	}
	dataplane_node_ready(dp, h);
	if (!ns->rules)
		return true;
	s->rules = lower(ns->rules, ns->rules->base ? shared_rules(all, ns->rules->base) : NULL, all->arena);
	return true;
}

const struct seat *seat_make(struct seats *all, netns_h h)
{
	const struct netns *ns = netns_get(all->dp, h);
	struct seat s = { .kind = SEAT_OTHER };
	bool fine = ordinary(ns) && (ns->kind == NS_POD ? make_pod(all, h, ns, &s) : ns->kind == NS_NODE && make_node(all, h, ns, &s));

	all->v[h.i] = fine ? s : (struct seat){ .kind = SEAT_OTHER };
	if (fine)
		all->v[h.i].kind = ns->kind == NS_POD ? SEAT_POD : SEAT_NODE;
	return &all->v[h.i];
}
