/* From what was read of a node to its namespace in the dataplane: what is missing in the capture, then links, routes, rules, listeners. */
#include "model/dataplane/read.h"
#include "model/dataplane/ruleset_bodies.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what is missing */

static void unknown_chain(struct node_in *n, table_h t, const char *name, const char *why)
{
	chain_h c = ruleset_chain(n->rules, t, name);

	*map_put(&n->declared, n->arena, c.i) = 1;
	w_unknown(rule_begin(n->rules, c), why, 3);
}

/* A table that was not captured: at each of its hooks something may decide. */
static void table_gap(struct node_in *n, bool v6, int table, const char *why)
{
	static const struct { uint8_t table, hook; int16_t priority; } at[] = {
		{ IPT_NAT, HOOK_PREROUTING, -100 }, { IPT_NAT, HOOK_OUTPUT, -100 }, { IPT_NAT, HOOK_POSTROUTING, 100 }, { IPT_FILTER, HOOK_INPUT, 0 }, { IPT_FILTER, HOOK_FORWARD, 0 },
		{ IPT_FILTER, HOOK_OUTPUT, 0 },
	};
	table_h t = ruleset_table(n->rules, v6 ? NF_IP6 : NF_IP, "not captured", true);

	n->rules->tables.v[t.i].hidden = true;
	for (size_t k = 0; k < ARRAY_LEN(at); k++) {
		char name[32];

		if (at[k].table != table)
			continue;
		snprintf(name, sizeof(name), "%s-%d", ipt_tables[table], at[k].hook);
		ruleset_base_chain(n->rules, ruleset_chain(n->rules, t, name), (enum nf_hook)at[k].hook, NFT_FILTER, at[k].priority, OP_ACCEPT);
		unknown_chain(n, t, name, why);
	}
}

/* A table of which only a part was captured: before its first rule, and where a built-in chain was not shown. */
static void cut_table(struct node_in *n, bool v6, int table)
{
	table_h t = ruleset_table(n->rules, v6 ? NF_IP6 : NF_IP, ipt_tables[table], true);
	const char *why = arena_printf(n->arena, "table %s of %s is not complete in the capture", ipt_tables[table], v6 ? "ip6tables" : "iptables");
	static const char *const chains[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };

	for (size_t k = 0; k < ARRAY_LEN(chains); k++) {
		chain_h c = iptables_chain(n, t, chains[k], NULL);
		struct chain_body *b;
		struct rule first;

		if (!ruleset_chain_get(n->rules, c)->hook)
			continue;
		w_unknown(rule_begin(n->rules, c), why, 3);
		b = ruleset_own_body(n->rules, c);
		first = b->rules.v[b->rules.nr - 1];
		memmove(b->rules.v + 1, b->rules.v, (b->rules.nr - 1) * sizeof(first));
		b->rules.v[0] = first;
	}
}

static void rules_gaps(struct node_in *n)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		bool any = false;
		const char *tool = v6 ? "ip6tables" : "iptables";

		for (int k = 0; k < IPT_TABLES; k++)
			any = any || n->ipt[v6][k].seen;
		for (int k = 0; k < IPT_TABLES; k++)
			if (n->ipt[v6][k].seen && n->ipt[v6][k].cut)
				cut_table(n, v6, k);
		for (int k = IPT_NAT; k <= IPT_FILTER; k++) {
			if (n->legacy_hidden)
				table_gap(n, v6, k, "the iptables-legacy tables are not in the capture");
			else if (n->ipt[v6][k].seen || n->whole_save[v6] || n->nft_seen)
				continue;
			else
				table_gap(n, v6, k, any ? arena_printf(n->arena, "table %s of %s is not in the capture", ipt_tables[k], tool)
							: arena_printf(n->arena, "the rules of %s are not in the capture", tool));
			if (any && !n->legacy_hidden)
				note(n, NOTE_MISSING, NULL, 0, "table %s of %s is not in the capture", ipt_tables[k], tool);
		}
		if (!any && !n->nft_seen && !v6)
			note(n, NOTE_MISSING, NULL, 0, "no rules at all (iptables-save, nft list ruleset)");
	}
	for (uint32_t k = 1; k <= ruleset_nr_chains(n->rules); k++) {
		const struct chain *c = ruleset_chain_get(n->rules, (chain_h){ k });

		if (map_find(&n->declared, k))
			continue;
		note(n, NOTE_MISSING, NULL, 0, "chain %s of table %s is a target, and is not in the capture", c->name, ruleset_table_get(n->rules, c->table)->name);
		w_unknown(rule_begin(n->rules, (chain_h){ k }), arena_printf(n->arena, "chain %s is not in the capture", c->name), 3);
	}
}

/* ---- building */

static int64_t conf(const struct node_in *n, const char *dev, const char *key, int64_t dflt)
{
	for (uint32_t k = n->confs.nr; k > 0; k--)
		if (streq(n->confs.v[k - 1].dev, dev) && streq(n->confs.v[k - 1].key, key))
			return n->confs.v[k - 1].value;
	return dflt;
}

static void build_links(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	link_in(n, "lo");
	for (uint32_t k = 0; k < n->links.nr; k++) {
		const struct link_in *l = &n->links.v[k];
		link_h h = link_add(dp, ns, l->name, (enum link_kind)l->kind);
		struct link *to = link_get(dp, h);

		to->up = !l->known || l->up;
		to->mtu = l->mtu ? l->mtu : 65536;
		to->segment = 1;
		to->vni = l->vni;
		to->local = l->local;
		memcpy(to->mac, l->mac, 6);
		to->rp_filter = (uint8_t)MAX(conf(n, "all", "net.ipv4.rp_filter", 0), conf(n, l->name, "net.ipv4.rp_filter", 0));
		to->route_localnet = conf(n, "all", "net.ipv4.route_localnet", 0) || conf(n, l->name, "net.ipv4.route_localnet", 0);
		to->proxy_arp = conf(n, "all", "net.ipv4.proxy_arp", 0) || conf(n, l->name, "net.ipv4.proxy_arp", 0);
		for (uint32_t i = 0; i < n->addrs.nr; i++)
			if (n->addrs.v[i].dev == l->name)
				addr_add(dp, h, n->addrs.v[i].ip, n->addrs.v[i].len);
	}
	for (uint32_t k = 0; k < n->links.nr; k++)
		if (n->links.v[k].master)
			link_get(dp, link_find(dp, ns, n->links.v[k].name))->master = link_find(dp, ns, n->links.v[k].master);
}

/* The outer address of a route into a tunnel: the neighbour's MAC, and where the forwarding database sends it. */
static ip_addr tunnel_end(const struct node_in *n, const struct route_in *r)
{
	ip_addr hop = ip_set(r->r.via) ? r->r.via : r->r.dst.addr;

	for (uint32_t k = 0; k < n->neighs.nr; k++) {
		if (n->neighs.v[k].dev != r->dev || !ip_eq(n->neighs.v[k].ip, hop))
			continue;
		for (uint32_t i = 0; i < n->fdbs.nr; i++)
			if (n->fdbs.v[i].dev == r->dev && memcmp(n->fdbs.v[i].mac, n->neighs.v[k].mac, 6) == 0)
				return n->fdbs.v[i].dst;
	}
	return (ip_addr){ 0, 0 };
}

static void build_routes(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	uint32_t elsewhere = 0;

	for (uint32_t k = 0; k < n->routes.nr; k++) {
		const struct route_in *in = &n->routes.v[k];
		struct route *r = route_add(dp, ns, in->r.dst);

		*r = in->r;
		r->table = r->table == TABLE_MAIN ? 0 : r->table;
		r->dev = in->dev ? link_find(dp, ns, in->dev) : (link_h){ 0 };
		if (r->dev.i && (link_get(dp, r->dev)->kind == LINK_VXLAN || link_get(dp, r->dev)->kind == LINK_IPIP))
			r->encap = link_get(dp, r->dev)->kind == LINK_IPIP ? r->via : tunnel_end(n, in);
		elsewhere += r->table && r->table != TABLE_DEFAULT;
		if (!r->dst.len && !r->table && r->dev.i && !netns_get(dp, ns)->uplink.i)
			netns_get(dp, ns)->uplink = r->dev;
	}
	if (elsewhere && !n->has_rule[0] && !n->has_rule[1] && !n->ip_rules.nr)
		note(n, NOTE_MISSING, NULL, 0, "routes in other tables than main, and no ip rule that says when they are used: they are left out");
	for (int v6 = 0; v6 <= 1; v6++)
		if (!n->has_route[v6])
			netns_get(dp, ns)->routes_unknown |= (uint8_t)(v6 ? 2 : 1);
	if (!n->has_route[0])
		note(n, NOTE_MISSING, NULL, 0, "the routes (ip route)");
}

/* A rule of the VRFs holds for what comes in by a link that is enslaved to one, and for each in its own table (net/l3mdev/l3mdev.c). */
static void vrf_rules(struct node_in *n)
{
	VEC(struct ip_rule) all = { 0 };

	for (uint32_t k = 0; k < n->ip_rules.nr; k++) {
		const struct ip_rule *r = &n->ip_rules.v[k];

		if (!r->text || !strstr(r->text, "[l3mdev-table]")) {
			vec_add(n->arena, &all, *r);
			continue;
		}
		for (uint32_t i = 0; i < n->links.nr; i++)
			for (uint32_t j = 0; n->links.v[i].master && j < n->links.nr; j++) {
				struct ip_rule own = *r;

				if (n->links.v[j].name != n->links.v[i].master || n->links.v[j].kind == LINK_BRIDGE)
					continue;
				own.iif = n->links.v[i].name;
				own.table = n->links.v[j].vrf;
				own.unknown = !own.table;
				vec_add(n->arena, &all, own);
			}
	}
	n->ip_rules.v = all.v;
	n->ip_rules.nr = all.nr;
	n->ip_rules.alloc = all.alloc;
}

static void build_rules(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	static const struct { uint32_t priority, table; } usual[] = { { 0, TABLE_LOCAL }, { 32766, TABLE_MAIN }, { 32767, TABLE_DEFAULT } };
	struct netns *to = netns_get(dp, ns);

	if (!n->ip_rules.nr)
		return;
	for (int v6 = 0; v6 <= 1; v6++)
		for (size_t u = 0; u < ARRAY_LEN(usual); u++) {
			bool there = n->has_rule[v6];

			for (uint32_t k = 0; k < n->ip_rules.nr; k++)
				there = there || (n->ip_rules.v[k].v6 == v6 && n->ip_rules.v[k].table == usual[u].table && !n->ip_rules.v[k].from.set && !n->ip_rules.v[k].to.set);
			if (!there)
				vec_add(n->arena, &n->ip_rules, (struct ip_rule){ .priority = usual[u].priority, .v6 = v6, .does = RULE_LOOKUP, .table = usual[u].table, .suppress = -1 });
		}
	vrf_rules(n);
	to->ip_rules.at = dp->ip_rules.nr;
	/* a stable order: priorities repeat */
	for (uint32_t k = 1; k < n->ip_rules.nr; k++)
		for (uint32_t i = k; i > 0 && n->ip_rules.v[i - 1].priority > n->ip_rules.v[i].priority; i--) {
			struct ip_rule x = n->ip_rules.v[i];

			n->ip_rules.v[i] = n->ip_rules.v[i - 1];
			n->ip_rules.v[i - 1] = x;
		}
	for (uint32_t k = 0; k < n->ip_rules.nr; k++)
		vec_add(n->arena, &dp->ip_rules, n->ip_rules.v[k]);
	to->ip_rules.nr = n->ip_rules.nr;
}

static void build_listeners(struct node_in *n, struct dataplane *dp, netns_h ns)
{
	if (!n->has_listeners) {
		listener_add(dp, ns, 0, 0)->kind = LISTEN_ANY;
		return;
	}
	for (uint32_t k = 0; k < n->listeners.nr; k++)
		*listener_add(dp, ns, 0, 0) = n->listeners.v[k];
}

static void addresses_known(struct node_in *n, const struct capture_options *opt, struct netns *ns)
{
	bool derived = false;

	for (uint32_t k = 0; k < n->addrs.nr; k++)
		derived = derived || n->addrs.v[k].derived;
	if (opt && opt->nr_node_ips) {
		for (uint32_t k = 0; k < opt->nr_node_ips; k++) {
			ip_addr ip = opt->node_ips[k];
			str dev = NULL;
			bool known = false;

			for (uint32_t i = 0; i < n->addrs.nr; i++)
				known = known || ip_eq(n->addrs.v[i].ip, ip);
			for (uint32_t i = 0; i < n->routes.nr && !dev; i++)
				if (n->routes.v[i].dev && !n->routes.v[i].r.table && n->routes.v[i].r.dst.len && cidr_contains(n->routes.v[i].r.dst, ip) && !ip_set(n->routes.v[i].r.via))
					dev = n->routes.v[i].dev;
			if (known)
				continue;
			if (!dev) {
				dev = str_intern(n->strings, "lo");
				link_in(n, "lo");
			}
			vec_add(n->arena, &n->addrs, (struct addr_in){ .dev = dev, .ip = ip, .len = (uint8_t)ip_bits(ip) });
		}
	} else if (!n->has_addr && derived) {
		note(n, NOTE_ASSUMED, NULL, 0, "the node's addresses are those that its routes name (ip addr was not captured)");
	} else if (!n->has_addr) {
		ns->addrs_unknown = true;
		note(n, NOTE_MISSING, NULL, 0, "the node's addresses (ip addr); --node-ip can tell them");
	}
}

static void sets_missing(struct node_in *n)
{
	struct sb b = { 0 };

	for (uint32_t k = 0; k < n->cap->missing_sets.nr && k < 5; k++)
		sb_printf(&b, "%s%s", k ? ", " : "", n->cap->missing_sets.v[k]);
	if (n->cap->missing_sets.nr)
		note(n, NOTE_MISSING, NULL, 0, "the members of %u ipset%s that rules ask (ipset list): %s%s", n->cap->missing_sets.nr, n->cap->missing_sets.nr == 1 ? "" : "s", sb_text(&b),
		     n->cap->missing_sets.nr > 5 ? " …" : "");
	sb_free(&b);
}

/* Programs at a link see packets before any rule does, and no tool lists what they decide: from there on nothing is certain. */
static void programs(struct node_in *n)
{
	static const struct { enum nf_hook hook; int priority; } where[] = { { HOOK_PREROUTING, -1000 }, { HOOK_OUTPUT, -1000 } };
	chain_h c;

	for (uint32_t k = 0; k < n->links.nr && !n->programs; k++)
		if (strcmp(n->links.v[k].name, "cilium_host") == 0 || strcmp(n->links.v[k].name, "cilium_net") == 0)
			n->programs = n->links.v[k].name;
	if (!n->programs)
		return;
	note(n, NOTE_UNKNOWN, NULL, 0, "eBPF programs see packets before the rules do (%s): what they decide is not in what was read", n->programs);
	for (size_t k = 0; k < ARRAY_LEN(where); k++) {
		c = ruleset_chain(n->rules, ruleset_table(n->rules, NF_INET, "ebpf", true), k ? "out" : "in");
		ruleset_base_chain(n->rules, c, where[k].hook, NFT_FILTER, where[k].priority, OP_ACCEPT);
		*map_put(&n->declared, n->arena, c.i) = 1;
		w_unknown(rule_begin(n->rules, c), arena_printf(n->arena, "eBPF programs (%s)", n->programs), 2);
	}
}

void capture_build(struct node_in *n, const struct capture_options *opt)
{
	struct dataplane *dp = n->cap->dp;
	netns_h ns;
	struct netns *to;

	rules_gaps(n);
	sets_missing(n);
	programs(n);
	ns = netns_add(dp, NS_NODE, arena_printf(n->arena, "node/%s", n->name));
	to = netns_get(dp, ns);
	to->hostname = n->name;
	to->captured = true;
	to->ready = 1;
	to->rules = n->rules;
	addresses_known(n, opt, to);
	to->forward4 = conf(n, NULL, "net.ipv4.ip_forward", conf(n, "all", "net.ipv4.forwarding", 1)) != 0;
	to->forward6 = conf(n, "all", "net.ipv6.forwarding", 1) != 0;
	to->bridge_nf = conf(n, NULL, "net.bridge.bridge-nf-call-iptables", 1) != 0;
	if (!n->confs.nr)
		note(n, NOTE_ASSUMED, NULL, 0, "no settings (sysctl): it forwards, and rp_filter is off");
	if (!n->has_listeners)
		note(n, NOTE_ASSUMED, NULL, 0, "no listening sockets (ss -lntu): the node listens where it is asked");
	if (n->elsewhere)
		note(n, NOTE_IGNORED, NULL, 0, "listings of other network namespaces (Pods) are left out");
	build_links(n, dp, ns);
	build_routes(n, dp, ns);
	build_rules(n, dp, ns);
	build_listeners(n, dp, ns);
	for (uint32_t k = 0; k < n->neighs.nr; k++) {
		link_h dev = link_find(dp, ns, n->neighs.v[k].dev);
		struct neigh x = { .ip = n->neighs.v[k].ip, .dev = dev, .failed = n->neighs.v[k].failed };

		memcpy(x.mac, n->neighs.v[k].mac, 6);
		if (dev.i)
			vec_add(n->arena, &dp->neighs, x);
	}
	ruleset_finish(n->rules);
}
