/* Calico: a veth per Pod, nothing bridged. The Pod has a /32 address and 169.254.1.1 as its only next hop, which the node answers by proxy ARP;
 * the node has a /32 route to each cali…; each node owns blocks of the pool, announced by BIRD (or written by felix where packets are
 * encapsulated). Sources: calico felix/routetable, felix/dataplane/linux/endpoint_mgr.go, libcalico-go/lib/ipam; facts 13, 42, 45. */
#include <stdlib.h>

#include "model/dataplane/bgp.h"
#include "model/dataplane/compile.h"

static const uint8_t calico_mac[6] = { 0xee, 0xee, 0xee, 0xee, 0xee, 0xee };

static ip_addr next_hop4(void) { return ip_from4(0xa9fe0101); }                                         /* 169.254.1.1 */
static ip_addr next_hop6(void) { return (ip_addr){ 0xfe80000000000000u, 0xeceeeefffeeeeeeeu }; }        /* fe80::ecee:eeff:feee:eeee */

/* cali and the first 11 digits of sha1("NAMESPACE.POD"): libcalico-go/lib/names/workloadendpoint.go, VethNameForWorkload. */
static const char *veth_name(struct compile *x, const struct pod *p)
{
	const char *id = arena_printf(x->arena, "%s.%s", p->o.ns, p->o.name);
	static const char digits[] = "0123456789abcdef";
	char *name = arena_strdup(x->arena, "cali00000000000");
	uint8_t sum[20];

	sha1(id, strlen(id), sum);
	for (int k = 0; k < 11; k++)
		name[4 + k] = digits[sum[k / 2] >> (k % 2 ? 0 : 4) & 15];
	return name;
}

static const struct pool_setting *pool_of(const struct settings *s, ip_addr ip)
{
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (cidr_contains(s->pools.v[k].cidr, ip))
			return &s->pools.v[k];
	return NULL;
}

static struct cidr host_route(ip_addr ip)
{
	return (struct cidr){ ip, (uint8_t)ip_bits(ip), true };
}

/* ---- encapsulation */

/* The kinds of tunnel that a node has: one where any pool asks for it, be it only across subnets. */
static const struct tunnel {
	enum link_kind kind;
	bool v6;
	const char *name, *annotation;          /* projectcalico.org/… : the tunnel's own address, as calico-node tells it */
	uint32_t vni, overhead;                 /* bytes that the outer header costs: felix/dataplane/linux/int_dataplane.go, determinePodMTU */
} tunnels[] = {
	{ LINK_IPIP, false, "tunl0", "projectcalico.org/IPv4IPIPTunnelAddr", 0, 20 },
	{ LINK_VXLAN, false, "vxlan.calico", "projectcalico.org/IPv4VXLANTunnelAddr", 4096, 50 },
	{ LINK_VXLAN, true, "vxlan-v6.calico", "projectcalico.org/IPv6VXLANTunnelAddr", 4096, 70 },
};

static bool asks_for(const struct pool_setting *p, const struct tunnel *t)
{
	return !ip_is4(p->cidr.addr) == t->v6 && (t->kind == LINK_VXLAN ? p->vxlan : p->ipip) != ENCAP_NEVER;
}

static const struct pool_setting *wanted_by(const struct settings *s, const struct tunnel *t)
{
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (asks_for(&s->pools.v[k], t))
			return &s->pools.v[k];
	return NULL;
}

static void network(struct compile *x)
{
	x->dp->blackhole_own = true;
	x->pod_mtu = x->uplink_mtu;
	for (size_t k = 0; k < ARRAY_LEN(tunnels); k++)
		if (wanted_by(x->settings, &tunnels[k]))
			x->pod_mtu = MIN(x->pod_mtu, x->uplink_mtu - tunnels[k].overhead);
}

/* CrossSubnet encapsulates nothing here: all nodes are on one L2. What BIRD announced is withdrawn when its sessions are gone for good, and a pool with disableBGPExport
 * is never announced (calico_export_to_bgp_peers rejects it for all peers); felix knows no such thing. From v3.33 felix writes the routes of pools that may be encapsulated, BIRD those of the others. */
static struct block_way way_to(const struct compile *x, struct cidr block, const struct node *owner, bool borrowed)
{
	const struct pool_setting *p = pool_of(x->settings, block.addr);
	bool encapsulates = p && bgp_may_encapsulate(p);

	return (struct block_way){ .tunnel = !p ? 0 : p->vxlan == ENCAP_ALWAYS ? LINK_VXLAN : p->ipip == ENCAP_ALWAYS ? LINK_IPIP : 0,
				   .proto = encapsulates ? RTP_FELIX : RTP_BIRD, .borrowed = borrowed,
				   .withdrawn = !encapsulates && (label_get(&owner->o.annotations, "podwire.io/routes-withdrawn") || (p && !bgp_tells_pool(x->cluster, p))) };
}

/* The tunnel's own address comes from the pool: what the node's annotation says, else the first address of its block that no Pod has. */
static ip_addr tunnel_address(const struct compile *x, const struct node_build *nb, const struct tunnel *t)
{
	const char *said = label_get(&nb->node->o.annotations, t->annotation);
	ip_addr ip = { 0 };

	if (said && ip_parse(said, &ip))
		return ip;
	for (uint32_t k = 0; k < nb->nr_pods; k++)
		for (int second = 0; second < 2; second++) {
			ip_addr pod = second ? nb->pods[k]->ip2 : nb->pods[k]->ip;
			const struct pool_setting *pool = ip_set(pod) ? pool_of(x->settings, pod) : NULL;

			if (!pool || !asks_for(pool, t))
				continue;
			for (ip = ip_mask(pod, pool->block_size); find_pod_by_ip(x->cluster, ip); ip = ip_add(ip, 1))
				;
			return ip;
		}
	return ip;
}

/* 'f' and the first five bytes of sha1(node name), for IPv6 of the name with -v6 behind it: felix/calc/vxlan_resolver.go, vtepMACForHost. */
static void tunnel_mac(struct compile *x, const struct node *n, const struct tunnel *t, uint8_t mac[6])
{
	const char *id = t->v6 ? arena_printf(x->arena, "%s-v6", n->o.name) : n->o.name;
	uint8_t sum[20];

	sha1(id, strlen(id), sum);
	mac[0] = 'f';
	memcpy(mac + 1, sum, 5);
}

static void add_tunnel(struct compile *x, struct node_build *nb, const struct tunnel *t)
{
	link_h h = link_add(x->dp, nb->ns, t->name, t->kind);
	struct link *l = link_get(x->dp, h);
	ip_addr ip = tunnel_address(x, nb, t);

	l->up = true;
	l->forwarding = true;
	l->mtu = x->uplink_mtu - t->overhead;
	l->vni = t->vni;
	l->local = t->v6 ? nb->net6 : nb->net4;
	if (t->kind == LINK_VXLAN)
		tunnel_mac(x, nb->node, t, l->mac);
	if (ip_set(ip))
		addr_add(x->dp, h, ip, (uint8_t)ip_bits(ip));
}

/* ---- blocks: who owns which part of the pool */

struct held { struct cidr block; uint32_t node; struct pod *pod; ip_addr ip; };

static struct cidr pool_block(const struct compile *x, ip_addr ip)
{
	const struct pool_setting *pool = pool_of(x->settings, ip);

	return pool ? (struct cidr){ ip_mask(ip, pool->block_size), pool->block_size, true } : host_route(ip);
}

/* One block while its Pods are counted. Nearly all belong to one node alone; those of the others are looked at one by one afterwards. */
struct tally { struct cidr block; uint32_t node; bool mixed; };
struct tallies { VEC(struct tally) v; struct map at; struct arena *scratch; };

static struct tally *tally_of(struct tallies *t, struct cidr block, uint32_t node)
{
	struct tally *last = t->v.nr ? &t->v.v[t->v.nr - 1] : NULL;
	uint64_t *at;

	if (last && ip_eq(last->block.addr, block.addr))        /* the usual case: the same block as the Pod before */
		return last;
	at = map_put(&t->at, t->scratch, hash_mix(block.addr.hi, block.addr.lo));
	if (!*at) {
		vec_add(t->scratch, &t->v, (struct tally){ block, node, false });
		*at = t->v.nr;
	}
	return &t->v.v[*at - 1];
}

static void count_blocks(struct compile *x, struct tallies *t)
{
	for (uint32_t k = 0; k < x->nr_nodes; k++)
		for (uint32_t i = 0; i < x->nodes[k].nr_pods; i++)
			for (int family = 0; family < 2; family++) {
				ip_addr ip = family ? x->nodes[k].pods[i]->ip2 : x->nodes[k].pods[i]->ip;
				struct tally *b = ip_set(ip) ? tally_of(t, pool_block(x, ip), k) : NULL;

				if (b)
					b->mixed = b->mixed || b->node != k;
			}
}

static int by_block(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int d = ip_order(x->block.addr, y->block.addr);

	return d ? d : x->node < y->node ? -1 : x->node > y->node;
}

/* The node that the block belongs to: the one with most Pods in it. */
static uint32_t owner_of(const struct held *h, uint32_t nr)
{
	uint32_t best = h[0].node, most = 0;

	for (uint32_t k = 0; k < nr;) {
		uint32_t run = k;

		while (run < nr && h[run].node == h[k].node)
			run++;
		if (run - k > most) {
			most = run - k;
			best = h[k].node;
		}
		k = run;
	}
	return best;
}

/* Blocks in which several nodes have Pods: the owner's, and the borrowed addresses, which are announced one by one. */
static void mixed_blocks(struct compile *x, struct tallies *t)
{
	VEC(struct held) h = { 0 };

	for (uint32_t k = 0; k < x->nr_nodes; k++)
		node_pods(&x->nodes[k]);
	for (uint32_t k = 0; k < x->nr_nodes; k++)
		for (uint32_t i = 0; i < x->nodes[k].nr_pods; i++)
			for (int family = 0; family < 2; family++) {
				struct pod *p = x->nodes[k].pods[i];
				ip_addr ip = family ? p->ip2 : p->ip;
				struct cidr block = ip_set(ip) ? pool_block(x, ip) : (struct cidr){ 0 };

				if (block.set && t->v.v[*map_find(&t->at, hash_mix(block.addr.hi, block.addr.lo)) - 1].mixed)
					vec_add(t->scratch, &h, (struct held){ block, k, p, ip });
			}
	if (h.nr)
		qsort(h.v, h.nr, sizeof(*h.v), by_block);
	for (uint32_t k = 0, run; k < h.nr; k = run) {
		uint32_t owner;

		for (run = k; run < h.nr && ip_eq(h.v[run].block.addr, h.v[k].block.addr); run++)
			;
		owner = owner_of(h.v + k, run - k);
		block_add(x, h.v[k].block, &x->nodes[owner], cause_of(x, &x->nodes[owner].node->o, "spec"), way_to(x, h.v[k].block, x->nodes[owner].node, false));
		for (uint32_t i = k; i < run; i++)
			if (h.v[i].node != owner)
				block_add(x, host_route(h.v[i].ip), &x->nodes[h.v[i].node], cause_of(x, &h.v[i].pod->o, "status.podIP"),
					  way_to(x, h.v[k].block, x->nodes[h.v[i].node].node, true));
	}
}

static void hearing(struct compile *x)
{
	struct bgp_hearing h = { .everybody = true };

	if (!x->dp->hearing)            /* it changes with nodes, settings and peers only, and then all is compiled anew */
		h = bgp_hear(x->cluster, x->arena);
	if (h.everybody)
		return;
	x->dp->hearing = arena_copy(x->arena, &h, sizeof(h));
	for (uint32_t k = 0; k < x->nr_nodes; k++)
		*map_put(&x->dp->node_number, x->arena, x->nodes[k].ns.i) = k + 1;
}

static void finish(struct compile *x)
{
	struct tallies t = { .scratch = arena_new(NULL, "blocks") };
	bool mixed = false;

	hearing(x);

	count_blocks(x, &t);
	for (uint32_t k = 0; k < t.v.nr; k++) {
		const struct node_build *owner = &x->nodes[t.v.v[k].node];

		mixed = mixed || t.v.v[k].mixed;
		if (!t.v.v[k].mixed)
			block_add(x, t.v.v[k].block, owner, cause_of(x, &owner->node->o, "spec"), way_to(x, t.v.v[k].block, owner->node, false));
	}
	if (mixed)
		mixed_blocks(x, &t);
	arena_free(t.scratch);
}

/* The usual case: a block of this node alone, in which it has another Pod. */
static bool family_stays(struct compile *x, struct node_build *nb, const struct pod *p, ip_addr ip)
{
	struct cidr block = pool_block(x, ip);
	const struct block *b = block_of(x->dp, ip);
	bool alone = true;

	if (!b || b->borrowed || b->owner.i != nb->ns.i || !ip_eq(b->cidr.addr, block.addr) || b->cidr.len != block.len)
		return false;
	for (uint32_t k = 0; k < nb->nr_pods && alone; k++)
		alone = nb->pods[k] == p || (!cidr_contains(block, nb->pods[k]->ip) && !(ip_set(nb->pods[k]->ip2) && cidr_contains(block, nb->pods[k]->ip2)));
	if (alone || (b > x->dp->blocks.v && cidr_contains(block, b[-1].cidr.addr)))
		return false;
	return b + 1 == x->dp->blocks.v + x->dp->blocks.nr || !cidr_contains(block, b[1].cidr.addr);
}

static bool blocks_stay(struct compile *x, struct node_build *nb, const struct pod *p)
{
	return family_stays(x, nb, p, p->ip) && (!ip_set(p->ip2) || family_stays(x, nb, p, p->ip2));
}

/* ---- wiring */

static void add_host_route(struct compile *x, netns_h ns, link_h dev, ip_addr ip, cause_h why)
{
	struct route *r = route_add(x->dp, ns, host_route(ip));

	r->dev = dev;
	r->proto = RTP_BOOT;
	r->scope_link = true;
	r->cause = why;
}

static void wire_node(struct compile *x, struct node_build *nb, link_h *pod_link)
{
	for (size_t k = 0; k < ARRAY_LEN(tunnels); k++)
		if (ip_set(tunnels[k].v6 ? nb->net6 : nb->net4) && wanted_by(x->settings, &tunnels[k]))
			add_tunnel(x, nb, &tunnels[k]);
	for (uint32_t k = 0; k < nb->nr_pods; k++) {
		const struct pod *p = nb->pods[k];
		struct link *l;

		pod_link[k] = add_veth(x, nb->ns, veth_name(x, p), (link_h){ 0 });
		l = link_get(x->dp, pod_link[k]);
		l->proxy_arp = true;
		l->route_localnet = true;
		l->cause = cause_of(x, &p->o, "status.podIP");
		memcpy(l->mac, calico_mac, sizeof(l->mac));
		if (!ip_is4(p->ip) || ip_set(p->ip2))
			addr_add(x->dp, pod_link[k], next_hop6(), 64);
	}
	for (uint32_t k = 0; k < nb->nr_pods; k++) {
		cause_h why = link_get(x->dp, pod_link[k])->cause;

		add_host_route(x, nb->ns, pod_link[k], nb->pods[k]->ip, why);
		if (ip_set(nb->pods[k]->ip2))
			add_host_route(x, nb->ns, pod_link[k], nb->pods[k]->ip2, why);
	}
}

static uint8_t pod_prefix(struct compile *x, struct node_build *nb, ip_addr ip)
{
	(void)x;
	(void)nb;
	return (uint8_t)ip_bits(ip);
}

static void pod_family(struct compile *x, netns_h ns, link_h eth0, ip_addr ip)
{
	ip_addr hop = ip_is4(ip) ? next_hop4() : next_hop6();
	struct cidr all = { ip_is4(ip) ? ip_from4(0) : (ip_addr){ 0, 0 }, 0, true };
	struct route *r;

	if (ip_is4(ip)) {
		r = route_add(x->dp, ns, host_route(hop));
		r->dev = eth0;
		r->scope_link = true;
		r->proto = RTP_BOOT;
	}
	r = route_add(x->dp, ns, all);
	r->dev = eth0;
	r->via = hop;
	r->proto = RTP_BOOT;
}

static link_h wire_pod(struct compile *x, struct node_build *nb, struct pod *p, netns_h ns, link_h host_end)
{
	link_h eth0 = add_veth(x, ns, "eth0", host_end);
	struct link *l = link_get(x->dp, eth0);

	(void)nb;
	l->cause = cause_of(x, &p->o, "status.podIP");
	pod_mac(l->mac, p->ip);
	addr_add(x->dp, eth0, p->ip, (uint8_t)ip_bits(p->ip));
	if (ip_set(p->ip2))
		addr_add(x->dp, eth0, p->ip2, (uint8_t)ip_bits(p->ip2));
	pod_family(x, ns, eth0, p->ip);
	if (ip_set(p->ip2))
		pod_family(x, ns, eth0, p->ip2);
	return eth0;
}

/* ---- natOutgoing: what leaves a pool for no pool is masqueraded (felix/rules/nat.go) */

static set_h pool_set(struct compile *x, struct ruleset *rs, table_h t, bool four, bool masq, bool ipset)
{
	static const uint8_t key[] = { PF_SADDR };
	const char *name = arena_printf(x->arena, "cali%d0%s-ipam-pools", four ? 4 : 6, masq ? "masq" : "all");
	set_h set = ruleset_set(rs, t, name, SET_PLAIN, SETF_INTERVAL | (ipset ? SETF_IPSET : 0), key, 1);

	for (uint32_t k = 0; k < x->settings->pools.nr; k++) {
		const struct pool_setting *p = &x->settings->pools.v[k];

		if (ip_is4(p->cidr.addr) == four && (!masq || (p->nat_outgoing && !p->disabled)))
			set_add_cidr(rs, set, p->cidr);
	}
	return set;
}

static void nat_outgoing(struct compile *x, struct ruleset *rs, bool four)
{
	bool ipt = x->settings->proxy_mode == PROXY_IPTABLES;
	enum nf_family family = four ? NF_IP : NF_IP6;
	const char *prefix = ipt ? "" : "nat-";
	table_h t = ruleset_table(rs, family, ipt ? "nat" : "calico", ipt);
	chain_h base = ruleset_chain(rs, t, arena_printf(x->arena, "%sPOSTROUTING", prefix));
	chain_h post = ruleset_chain(rs, t, arena_printf(x->arena, "%scali-POSTROUTING", prefix));
	chain_h out = ruleset_chain(rs, t, arena_printf(x->arena, "%scali-nat-outgoing", prefix));
	set_h masq = pool_set(x, rs, t, four, true, ipt), all = pool_set(x, rs, t, four, false, ipt);
	struct rw w;

	ruleset_base_chain(rs, base, HOOK_POSTROUTING, NFT_NAT, 100, OP_ACCEPT);
	w_jump(rule_begin(rs, base), post);
	w_jump(rule_begin(rs, post), out);
	w = rule_begin(rs, out);
	w_lookup(w, masq, true, 1, PF_SADDR);
	w_lookup(w, all, false, 1, PF_DADDR);
	w_masquerade(w, x->settings->kernel.random_fully);
	rule_comment(w, "natOutgoing of the pools");
	if (x->settings->pools.nr && x->settings->pools.v[0].cause.i)
		rule_cause(w, cause_add(x->dp, x->settings->pools.v[0].cause.i, "spec.natOutgoing", (cause_h){ 0 }));
}

static void rules_variant(struct compile *x, struct ruleset *rs)
{
	for (int four = 1; four >= 0; four--)
		for (uint32_t k = 0; k < x->settings->pools.nr; k++)
			if (ip_is4(x->settings->pools.v[k].cidr.addr) == (bool)four && x->settings->pools.v[k].nat_outgoing) {
				nat_outgoing(x, rs, four);
				break;
			}
}

static const char *in_name(const struct settings *s)
{
	return s->detect_local == DETECT_BRIDGE && s->bridge_interface ? s->bridge_interface : "cali00000000000";
}

const struct cni cni_calico = {
	.name = "calico", .enforces_policy = true, .network = network, .node = wire_node, .pod = wire_pod, .rules_variant = rules_variant, .finish = finish, .blocks_stay = blocks_stay,
	.pod_prefix = pod_prefix, .in_name = in_name,
};
