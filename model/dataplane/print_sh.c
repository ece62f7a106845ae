/* `rules -o sh`: a script that builds all of the dataplane in fresh namespaces, with the tools of a real node. Run it under `unshare -nm`: the namespaces are bound
 * below a tmpfs of its own and go with it. Neighbours are permanent: the kernel's neighbour table is the machine's, not the namespace's. */
#include "model/dataplane/dataplane.h"

#include <stdio.h>
#include <stdlib.h>

static void name_of(const struct dataplane *dp, netns_h h, struct sb *out)
{
	for (const char *p = netns_get(dp, h)->name; *p; p++)
		sb_addc(out, *p == '/' ? '.' : *p);
}

/* All links, in the order of their namespaces: their places in it are their names while they stand in the first namespace. */
struct all_links { const struct link **v; uint32_t nr; uint32_t *place; struct on_segment *on; uint32_t nr_on; };

static int by_segment(const void *a, const void *b)
{
	const struct on_segment *x = a, *y = b;

	return x->segment != y->segment ? (x->segment < y->segment ? -1 : 1) : ip_order(x->ip, y->ip);
}

static struct all_links all_links(const struct dataplane *dp, struct arena *a)
{
	struct all_links all = { .nr = 1 };

	dataplane_write_all(dp);
	all.v = arena_array(a, const struct link *, dp->nr_links);
	all.place = arena_array(a, uint32_t, dp->nr_links);
	NETNS_EACH(dp, n)
		for (uint32_t k = 0; k < netns_get(dp, (netns_h){ n })->links.nr; k++) {
			link_h h = netns_link(netns_get(dp, (netns_h){ n }), k);

			all.place[h.i] = all.nr;
			all.v[all.nr++] = link_get(dp, h);
		}
	all.nr_on = dp->on_segment.nr;
	all.on = arena_copy(a, dp->on_segment.v, all.nr_on * sizeof(*all.on));
	if (all.nr_on)
		qsort(all.on, all.nr_on, sizeof(*all.on), by_segment);
	return all;
}

/* Interface names are made unique while they stand in the first namespace, and get their own name where they belong. */
static void make_links(const struct dataplane *dp, const struct all_links *all, struct sb *out)
{
	for (uint32_t k = 1; k < all->nr; k++) {
		const struct link *l = all->v[k];

		if (l->kind == LINK_VETH && all->place[l->peer.i] > k) {
			sb_printf(out, "ip link add v%u type veth peer name v%u\n", k, all->place[l->peer.i]);
		} else if (l->kind == LINK_PHYS) {
			sb_printf(out, "ip link show lan%u >/dev/null 2>&1 || { ip link add lan%u type bridge; ip link set lan%u up; }\n", l->segment, l->segment, l->segment);
			sb_printf(out, "ip link add v%u type veth peer name p%u; ip link set p%u master lan%u up\n", k, k, k, l->segment);
		}
	}
	for (uint32_t k = 1; k < all->nr; k++) {
		const struct link *l = all->v[k];

		if (l->kind != LINK_VETH && l->kind != LINK_PHYS)
			continue;
		sb_printf(out, "ip link set v%u netns ", k);
		name_of(dp, l->netns, out);
		sb_printf(out, " name %s\n", l->name);
	}
}

static void mac_text(const struct link *l, struct sb *out)
{
	sb_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1], l->mac[2], l->mac[3], l->mac[4], l->mac[5]);
}

static bool has_mac(const struct link *l)
{
	return l->mac[0] || l->mac[1] || l->mac[2];
}

static void one_link(const struct dataplane *dp, const struct link *l, struct sb *out)
{
	if (l->kind == LINK_BRIDGE)
		sb_printf(out, "link add %s type bridge\n", l->name);
	if (l->kind == LINK_VXLAN)
		sb_printf(out, "link add %s type vxlan id %u local %s dstport %s nolearning\n", l->name, l->vni, IP(l->local), l->vni == 1 ? "8472" : "4789");
	if (l->kind != LINK_LO && has_mac(l)) {
		sb_printf(out, "link set %s address ", l->name);
		mac_text(l, out);
		sb_addc(out, '\n');
	}
	if (l->kind != LINK_LO)
		sb_printf(out, "link set %s mtu %u\n", l->name, l->mtu);
	if (l->master.i)
		sb_printf(out, "link set %s master %s\n", l->name, link_get(dp, l->master)->name);
	if (l->up)
		sb_printf(out, "link set %s up\n", l->name);
	for (uint32_t k = 0; l->kind != LINK_LO && k < l->nr_addrs; k++)
		sb_printf(out, "addr add %s/%u dev %s%s\n", IP(dp->addrs.v[l->addr + k].ip), dp->addrs.v[l->addr + k].len, l->name, ip_is4(dp->addrs.v[l->addr + k].ip) ? "" : " nodad");
}

static void neighbour(struct sb *out, ip_addr ip, const struct link *to, const char *dev)
{
	if (!has_mac(to))
		return;
	sb_printf(out, "neigh replace %s dev %s lladdr ", IP(ip), dev);
	mac_text(to, out);
	sb_add(out, " nud permanent\n");
}

static void one_route(const struct dataplane *dp, const struct all_links *all, const struct route *r, struct sb *out)
{
	if (r->proto == RTP_KERNEL || (r->type == RT_UNICAST && !r->dev.i))
		return;                 /* connected routes come with the address */
	if (r->dev.i && link_get(dp, r->dev)->kind == LINK_VXLAN) {
		const struct link *far = NULL;

		for (uint32_t k = 1; k < all->nr; k++)
			if (all->v[k]->kind == LINK_VXLAN && ip_eq(all->v[k]->local, r->encap))
				far = all->v[k];
		if (far)
			neighbour(out, r->via, far, link_get(dp, r->dev)->name);
	}
	sb_printf(out, "route replace %s", r->type == RT_BLACKHOLE ? "blackhole " : r->type == RT_UNREACHABLE ? "unreachable " : "");
	sb_add(out, r->dst.len ? CIDR(r->dst) : ip_is4(r->dst.addr) ? "default" : "::/0");
	if (ip_set(r->via) && !r->nr_also)
		sb_printf(out, " via %s", IP(r->via));
	if (r->dev.i && r->type == RT_UNICAST && !r->nr_also)
		sb_printf(out, " dev %s", link_get(dp, r->dev)->name);
	if (*route_proto_names[r->proto])
		sb_printf(out, " proto %s", route_proto_names[r->proto]);
	if (r->scope_link && !ip_set(r->via) && ip_is4(r->dst.addr))
		sb_add(out, " scope link");
	if (r->onlink)
		sb_add(out, " onlink");
	if (r->nr_also)
		print_next_hops(dp, r, out);
	sb_addc(out, '\n');
}

static void sysctls(const struct dataplane *dp, const struct netns *ns, struct sb *out)
{
	sb_printf(out, "sysctl -qw net.ipv4.ip_forward=%d net.ipv6.conf.all.forwarding=%d net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 "
		       "net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0", ns->forward4, ns->forward6);
	if (ns->kind == NS_NODE)
		sb_printf(out, " net.bridge.bridge-nf-call-iptables=%d", ns->bridge_nf);
	sb_addc(out, '\n');
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		if (l->proxy_arp || l->route_localnet || l->rp_filter)
			sb_printf(out, "sysctl -qw net/ipv4/conf/%s/proxy_arp=%d net/ipv4/conf/%s/route_localnet=%d net/ipv4/conf/%s/rp_filter=%u net/ipv4/neigh/%s/proxy_delay=0\n", l->name,
				  l->proxy_arp, l->name, l->route_localnet, l->name, l->rp_filter, l->name);
	}
}

static void tunnel_fdb(const struct all_links *all, const struct link *own, struct sb *out)
{
	for (uint32_t k = 1; own->kind == LINK_VXLAN && k < all->nr; k++) {
		const struct link *l = all->v[k];

		if (l->kind != LINK_VXLAN || l == own || !ip_set(l->local) || ip_is4(l->local) != ip_is4(own->local))
			continue;
		sb_printf(out, "bridge fdb replace ");
		mac_text(l, out);
		sb_printf(out, " dev %s dst %s self permanent\n", own->name, IP(l->local));
	}
}

static const struct link *port_on(const struct dataplane *dp, const struct on_segment *on)
{
	const struct netns *ns = netns_get(dp, on->netns);
	uint32_t k = 0;

	while (k + 1 < ns->links.nr && (link_get(dp, netns_link(ns, k))->kind != LINK_PHYS || link_get(dp, netns_link(ns, k))->segment != on->segment))
		k++;
	return link_get(dp, netns_link(ns, k));
}

static void one_namespace(const struct dataplane *dp, const struct all_links *all, netns_h h, struct sb *out)
{
	const struct netns *ns = netns_get(dp, h);
	struct arena *a = arena_new(NULL, "routes");
	struct route *v;
	uint32_t nr;

	sb_add(out, "\ninside ");
	name_of(dp, h, out);
	sb_add(out, " <<'END'\nip -batch - <<'IP'\n");
	for (uint32_t k = 0; k < ns->links.nr; k++)
		one_link(dp, link_get(dp, netns_link(ns, k)), out);
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		for (uint32_t i = 0; l->kind == LINK_PHYS && i < all->nr_on; i++)
			if (all->on[i].segment == l->segment && all->on[i].netns.i != h.i)
				neighbour(out, all->on[i].ip, port_on(dp, &all->on[i]), l->name);
	}
	routes_of(dp, h, a, &v, &nr);
	for (uint32_t k = nr; k > 0; k--)       /* default routes last: they may lead over what comes before */
		one_route(dp, all, &v[k - 1], out);
	sb_add(out, "IP\n");
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		tunnel_fdb(all, l, out);
		if (l->hairpin)
			sb_printf(out, "bridge link set dev %s hairpin on\n", l->name);
	}
	sysctls(dp, ns, out);
	sb_add(out, "END\n");
	arena_free(a);
}

static void one_ruleset(const struct dataplane *dp, netns_h h, struct sb *out)
{
	struct print_rules how = { .comments = true };
	struct sb text = { 0 };

	dataplane_node_ready(dp, h);
	if (!netns_get(dp, h)->rules)
		return;
	/* Of base chains with one priority the kernel asks the one first that was registered last (net/netfilter/core.c, nf_hook_entries_grow): the walk's first
	 * table is written last, as felix comes after kube-proxy. */
	for (uint32_t k = ruleset_nr_tables(netns_get(dp, h)->rules); k > 0; k--) {
		const struct table *t = ruleset_table_get(netns_get(dp, h)->rules, (table_h){ k });
		bool again = t->iptables;

		for (uint32_t i = k + 1; i <= ruleset_nr_tables(netns_get(dp, h)->rules); i++)
			again = again || ruleset_table_get(netns_get(dp, h)->rules, (table_h){ i })->name == t->name;
		how.only_table = t->name;
		if (!again)
			print_nft(netns_get(dp, h)->rules, &how, NULL, NULL, &text);
	}
	how.only_table = NULL;
	if (text.len) {
		sb_add(out, "inside ");
		name_of(dp, h, out);
		sb_printf(out, " <<'END'\nnft -f - <<'NFT'\n%sNFT\nEND\n", sb_text(&text));
	}
	for (int v6 = 0; v6 < 2; v6++) {
		sb_reset(&text);
		print_iptables(netns_get(dp, h)->rules, v6 ? NF_IP6 : NF_IP, &how, NULL, NULL, &text);
		if (!text.len)
			continue;
		sb_add(out, "inside ");
		name_of(dp, h, out);
		sb_printf(out, " <<'END'\n%s-restore <<'IPT'\n%sIPT\nEND\n", v6 ? "ip6tables" : "iptables", sb_text(&text));
	}
	sb_free(&text);
}

static void ip_sets(const struct dataplane *dp, netns_h h, struct sb *out)
{
	const struct ruleset *rs = netns_get(dp, h)->rules;
	bool any = false;

	for (uint32_t k = 1; rs && k <= ruleset_nr_sets(rs); k++) {
		const struct set *s = ruleset_set_get(rs, (set_h){ k });
		const struct ruleset *owner;
		const struct set_body *b = set_body(rs, (set_h){ k }, &owner);

		if (!(s->flags & SETF_IPSET))
			continue;
		if (!any) {
			sb_add(out, "inside ");
			name_of(dp, h, out);
			sb_add(out, " <<'END'\nipset restore <<'SETS'\n");
		}
		any = true;
		sb_printf(out, "create %s hash:net%s\n", s->name, ruleset_table_get(rs, s->table)->family == NF_IP6 ? " family inet6" : "");
		for (uint32_t i = 0; i < b->nr; i++) {
			sb_printf(out, "add %s ", s->name);
			elem_text(owner, s, &b->v[i], out);
			sb_addc(out, '\n');
		}
	}
	if (any)
		sb_add(out, "SETS\nEND\n");
}

void print_sh(const struct dataplane *dp, struct sb *out)
{
	struct arena *a = arena_new(NULL, "links");
	struct all_links all = all_links(dp, a);

	sb_add(out, "#!/usr/bin/env bash\n# Builds this cluster's network in fresh namespaces. Run it as  unshare -nm bash THIS  (root), and look around with\n"
		    "#   ip netns exec node.worker-1 nft list ruleset\nset -euo pipefail\n"
		    "mount -t tmpfs tmpfs /run && mkdir -p /run/netns\ninside() { ip netns exec \"$1\" bash -euo pipefail; }\n\n");
	NETNS_EACH(dp, k) {
		sb_add(out, "ip netns add ");
		name_of(dp, (netns_h){ k }, out);
		sb_addc(out, '\n');
	}
	make_links(dp, &all, out);
	NETNS_EACH(dp, k)
		one_namespace(dp, &all, (netns_h){ k }, out);
	sb_addc(out, '\n');
	NETNS_EACH(dp, k) {
		dataplane_node_ready(dp, (netns_h){ k });
		ip_sets(dp, (netns_h){ k }, out);
		one_ruleset(dp, (netns_h){ k }, out);
	}
	sb_add(out, "\n[ $# = 0 ] || exec \"$@\"\n");
	arena_free(a);
}
