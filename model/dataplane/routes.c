/* Routing tables: what is in them, and which route an address takes. Source: net/ipv4/fib_trie.c, net/core/fib_rules.c. */
#include "model/dataplane/bgp.h"
#include "model/dataplane/dataplane.h"

#include <stdlib.h>

const char *const route_type_names[] = { [RT_UNICAST] = "", [RT_BLACKHOLE] = "blackhole", [RT_UNREACHABLE] = "unreachable", [RT_PROHIBIT] = "prohibit", [RT_THROW] = "throw" };
const char *const route_proto_names[] = { [RTP_KERNEL] = "kernel", [RTP_BOOT] = "", [RTP_STATIC] = "static", [RTP_BIRD] = "bird", [RTP_FELIX] = "80", [RTP_FLANNEL] = "" };

/* ---- the order in which they are looked through: lookups search for their place */

static int longest_first(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int d = ip_is4(x->dst.addr) - ip_is4(y->dst.addr);

	d = d ? -d : (int)y->dst.len - (int)x->dst.len;
	d = d ? d : ip_order(x->dst.addr, y->dst.addr);
	return d ? d : x->metric != y->metric ? (x->metric < y->metric ? -1 : 1) : (int)x->hop - (int)y->hop;
}

void routes_order(struct netns *ns)
{
	if (ns->routes.nr)
		qsort(ns->routes.v, ns->routes.nr, sizeof(struct route), longest_first);
}

/* ---- blocks: what all nodes share */

static int by_address(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	int d = ip_order(x->cidr.addr, y->cidr.addr);

	return d ? d : (int)x->cidr.len - (int)y->cidr.len;
}

void dataplane_order_blocks(struct dataplane *dp)
{
	const struct block *before = NULL;

	if (dp->blocks.nr)
		qsort(dp->blocks.v, dp->blocks.nr, sizeof(*dp->blocks.v), by_address);
	dp->blocks_disjoint = true;
	for (uint32_t k = 0; k < dp->blocks.nr; k++) {
		const struct block *b = &dp->blocks.v[k];

		if (b->borrowed)
			continue;
		dp->blocks_disjoint = dp->blocks_disjoint && (!before || ip_order(cidr_last(before->cidr), b->cidr.addr) < 0);
		before = b;
	}
}

/* The smallest block that holds the address: a borrowed /32 before the block that it was borrowed from. */
const struct block *block_of(const struct dataplane *dp, ip_addr ip)
{
	uint32_t lo = 0, hi = dp->blocks.nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (ip_order(dp->blocks.v[mid].cidr.addr, ip) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (uint32_t k = lo; k > 0 && lo - k < 300; k--) {     /* borrowed ones lie behind the block's start: at most a block's worth */
		if (cidr_contains(dp->blocks.v[k - 1].cidr, ip))
			return &dp->blocks.v[k - 1];
		if (dp->blocks_disjoint && !dp->blocks.v[k - 1].borrowed)
			break;
	}
	return NULL;
}

link_h tunnel_of(const struct dataplane *dp, netns_h node, enum link_kind kind, bool v6)
{
	const struct netns *ns = netns_get(dp, node);

	for (uint32_t k = 0; k < ns->links.nr; k++)
		if (link_get(dp, netns_link(ns, k))->kind == kind && ip_is4(link_get(dp, netns_link(ns, k))->local) != v6)
			return netns_link(ns, k);
	return (link_h){ 0 };
}

static bool heard(const struct dataplane *dp, netns_h by, const struct block *of)
{
	const uint64_t *a = dp->hearing ? map_find(&dp->node_number, by.i) : NULL, *b = dp->hearing ? map_find(&dp->node_number, of->owner.i) : NULL;

	return !a || !b || bgp_hears_net(dp->hearing, (uint32_t)*a - 1, (uint32_t)*b - 1, of->cidr, of->borrowed);
}

/* What a node's routing table says about a block: its own is a blackhole (Calico) or nothing; another's leads to that node, through the tunnel if there is one. */
static bool block_route(const struct dataplane *dp, netns_h node, const struct block *b, struct route *out)
{
	bool v6 = !ip_is4(b->cidr.addr);
	link_h tunnel = b->tunnel ? tunnel_of(dp, node, (enum link_kind)b->tunnel, v6) : (link_h){ 0 };
	ip_addr via = b->via;

	*out = (struct route){ .dst = b->cidr, .proto = b->proto, .cause = b->cause };
	if (b->owner.i == node.i) {
		out->type = RT_BLACKHOLE;
		return dp->blackhole_own && !b->borrowed;
	}
	if (!ip_set(via) || b->withdrawn || (b->proto == RTP_BIRD && !heard(dp, node, b)))
		return false;
	if (tunnel.i) {
		link_h far = tunnel_of(dp, b->owner, (enum link_kind)b->tunnel, v6);
		const struct link *l = far.i ? link_get(dp, far) : NULL;

		out->encap = via;
		out->via = l && l->nr_addrs ? dp->addrs.v[l->addr].ip : via;
		out->dev = tunnel;
		out->onlink = true;
		return true;
	}
	out->via = via;
	out->dev = netns_get(dp, node)->uplink;
	return true;
}

/* ---- the main table */

static bool in_table(const struct route *r, uint32_t table)
{
	return (r->table ? r->table : TABLE_MAIN) == table;
}

/* The first route, in the order of longest_first, that does not come before one of this prefix. */
static uint32_t first_from(const struct netns *ns, ip_addr addr, uint8_t len)
{
	const struct route want = { .dst = { addr, len, true } };
	uint32_t lo = 0, hi = ns->routes.nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (longest_first(&ns->routes.v[mid], &want) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Where a look through the routes for an address may begin: a node has a route of full length for each of its Pods, all but one of which cannot match. */
static uint32_t where_to_begin(const struct netns *ns, ip_addr dst)
{
	uint8_t bits = (uint8_t)ip_bits(dst);
	uint32_t k = first_from(ns, dst, bits);

	if (k < ns->routes.nr && ns->routes.v[k].dst.len == bits && ip_eq(ns->routes.v[k].dst.addr, dst))
		return k;
	return first_from(ns, ip_is4(dst) ? ip_from4(0) : (ip_addr){ 0, 0 }, (uint8_t)(bits - 1));
}

bool route_next_hop(const struct dataplane *dp, netns_h h, const struct route *r, struct route *out)
{
	const struct netns *ns = netns_get(dp, h);

	for (uint32_t k = 0; k < ns->routes.nr; k++) {
		const struct route *x = &ns->routes.v[k];

		if (x->hop > r->hop && x->dev.i != r->dev.i && x->metric == r->metric && x->dst.len == r->dst.len && ip_eq(x->dst.addr, r->dst.addr) && in_table(x, r->table ? r->table : TABLE_MAIN)) {
			*out = *x;
			return true;
		}
	}
	return false;
}

bool route_lookup(const struct dataplane *dp, netns_h h, ip_addr dst, struct route *out)
{
	const struct netns *ns = netns_get(dp, h);
	const struct route *best = NULL;
	const struct block *b = ns->uses_blocks ? block_of(dp, dst) : NULL;

	for (uint32_t k = where_to_begin(ns, dst); k < ns->routes.nr && !best; k++)
		if (cidr_contains(ns->routes.v[k].dst, dst) && in_table(&ns->routes.v[k], TABLE_MAIN) && !ns->routes.v[k].hop)
			best = &ns->routes.v[k];
	if (b && (!best || best->dst.len < b->cidr.len) && block_route(dp, h, b, out))
		return true;
	if (!best || best->type == RT_THROW)
		return false;
	*out = *best;
	return true;
}

/* ---- policy routing (net/core/fib_rules.c) */

static bool table_lookup(const struct dataplane *dp, netns_h h, uint32_t table, ip_addr dst, struct route *out)
{
	const struct netns *ns = netns_get(dp, h);

	if (table == TABLE_MAIN)
		return route_lookup(dp, h, dst, out);
	for (uint32_t k = 0; k < ns->routes.nr; k++) {
		const struct route *r = &ns->routes.v[k];

		if (in_table(r, table) && !r->hop && cidr_contains(r->dst, dst)) {
			*out = *r;
			return true;
		}
	}
	return false;
}

/* 1: it applies, 0: it does not, -1: cannot tell. */
static int rule_applies(const struct ip_rule *r, const struct flow_key *f, const char **why)
{
	bool holds;

	if (r->v6 == ip_is4(f->dst))
		return 0;
	holds = (!r->from.set || cidr_contains(r->from, f->src)) && (!r->to.set || cidr_contains(r->to, f->dst)) && (f->mark & r->mask) == r->mark;
	if (holds && r->oif)
		holds = f->oif == r->oif;
	if (holds && (r->unknown || (r->iif && f->iif_unknown))) {
		*why = r->text;
		return -1;
	}
	if (holds && r->iif)
		holds = f->iif == r->iif || (!f->iif && streq(r->iif, "lo"));  /* what a process sends counts as coming in by lo */
	return holds != r->not;
}

static int run_rules(const struct dataplane *dp, netns_h h, const struct flow_key *f, bool until_local, struct route *out, const char **why)
{
	const struct netns *ns = netns_get(dp, h);
	uint32_t from = 0;

	for (uint32_t k = 0; k < ns->ip_rules.nr; k++) {
		const struct ip_rule *r = &dp->ip_rules.v[ns->ip_rules.at + k];
		int applies = r->priority < from ? 0 : rule_applies(r, f, why);

		if (applies < 0)
			return -1;
		if (!applies || r->does == RULE_NOP)
			continue;
		if (r->does == RULE_GOTO) {
			from = r->target;
			continue;
		}
		if (r->does != RULE_LOOKUP) {
			*out = (struct route){ .dst = { f->dst, (uint8_t)ip_bits(f->dst), true },
					       .type = r->does == RULE_BLACKHOLE ? RT_BLACKHOLE : r->does == RULE_PROHIBIT ? RT_PROHIBIT : RT_UNREACHABLE };
			return 1;
		}
		if (r->table == TABLE_LOCAL && until_local)
			return 0;
		if (r->table == TABLE_LOCAL || !table_lookup(dp, h, r->table, f->dst, out) || out->type == RT_THROW || (int)out->dst.len <= r->suppress)
			continue;
		out->table = r->table;
		return 1;
	}
	return 0;
}

int route_lookup_flow(const struct dataplane *dp, netns_h h, const struct flow_key *f, struct route *out, const char **why)
{
	return netns_get(dp, h)->ip_rules.nr ? run_rules(dp, h, f, false, out, why) : route_lookup(dp, h, f->dst, out);
}

bool route_is_local(const struct dataplane *dp, netns_h h, const struct flow_key *f)
{
	struct route r;
	const char *why;

	return addr_is_local(dp, h, f->dst) && (!netns_get(dp, h)->ip_rules.nr || run_rules(dp, h, f, true, &r, &why) <= 0);
}

/* ---- all, as listed */

static int as_listed(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int d = ip_is4(y->dst.addr) - ip_is4(x->dst.addr);

	if (d)
		return d;
	if (!x->dst.len != !y->dst.len)
		return x->dst.len ? 1 : -1;
	d = ip_order(x->dst.addr, y->dst.addr);
	return d ? d : (int)x->dst.len - (int)y->dst.len;
}

uint32_t routes_nr(const struct dataplane *dp, netns_h h)
{
	const struct netns *ns = netns_get(dp, h);
	uint32_t nr = 0;
	struct route one;

	for (uint32_t k = 0; k < ns->routes.nr; k++)
		nr += !ns->routes.v[k].hop;
	for (uint32_t k = 0; ns->uses_blocks && k < dp->blocks.nr; k++)
		nr += block_route(dp, h, &dp->blocks.v[k], &one);
	return nr;
}

void routes_of(const struct dataplane *dp, netns_h h, struct arena *a, struct route **v, uint32_t *nr)
{
	const struct netns *ns = netns_get(dp, h);
	struct route one;

	*v = arena_array(a, struct route, ns->routes.nr + (ns->uses_blocks ? dp->blocks.nr : 0));
	*nr = 0;
	for (uint32_t k = 0; k < ns->routes.nr; k++)
		if (!ns->routes.v[k].hop)
			(*v)[(*nr)++] = ns->routes.v[k];
	for (uint32_t k = 0; ns->uses_blocks && k < dp->blocks.nr; k++)
		if (block_route(dp, h, &dp->blocks.v[k], &one))
			(*v)[(*nr)++] = one;
	if (*nr)
		qsort(*v, *nr, sizeof(**v), as_listed);
}
