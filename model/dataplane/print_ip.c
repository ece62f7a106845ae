/* One namespace as the tools of a real node show it: ip addr, ip route, the settings that matter. */
#include "model/dataplane/dataplane.h"

#include <stdio.h>

const char *const link_kind_names[] = { [LINK_LO] = "loopback", [LINK_VETH] = "veth", [LINK_BRIDGE] = "bridge", [LINK_VXLAN] = "vxlan", [LINK_IPIP] = "ipip", [LINK_PHYS] = "ether" };

static void link_lines(const struct dataplane *dp, const struct netns *ns, uint32_t i, struct sb *out)
{
	const struct link *l = link_get(dp, netns_link(ns, i));

	sb_printf(out, "%u: %s: <%s%s> mtu %u", i + 1, l->name, l->kind == LINK_LO ? "LOOPBACK," : "BROADCAST,MULTICAST,", l->up ? "UP,LOWER_UP" : "DOWN", l->mtu);
	if (l->master.i)
		sb_printf(out, " master %s", link_get(dp, l->master)->name);
	if (link_peer(dp, netns_link(ns, i)).i)
		sb_printf(out, " link-netns %s", netns_get(dp, link_get(dp, l->peer)->netns)->name);
	sb_printf(out, "\n    link/%s", link_kind_names[l->kind]);
	if (l->kind != LINK_LO)
		sb_printf(out, " %02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1], l->mac[2], l->mac[3], l->mac[4], l->mac[5]);
	if (l->kind == LINK_VXLAN)
		sb_printf(out, " id %u local %s dstport %s nolearning", l->vni, IP(l->local), l->vni == 1 ? "8472" : "4789");
	if (l->proxy_arp)
		sb_add(out, " proxy_arp on");
	if (l->hairpin)
		sb_add(out, " hairpin on");
	sb_addc(out, '\n');
	for (uint32_t k = 0; k < l->nr_addrs; k++) {
		const struct if_addr *a = &dp->addrs.v[l->addr + k];

		sb_printf(out, "    %s %s/%u scope %s\n", ip_is4(a->ip) ? "inet" : "inet6", IP(a->ip), a->len, l->kind == LINK_LO ? "host" : ip_is_linklocal(a->ip) ? "link" : "global");
	}
}

static void next_hops(const struct dataplane *dp, const struct route *r, const char *before, struct sb *out)
{
	for (uint32_t k = 0; k <= r->nr_also; k++)
		sb_printf(out, "%snexthop via %s dev %s weight 1", before, IP(k ? r->also[k - 1] : r->via), link_get(dp, r->dev)->name);
}

void print_next_hops(const struct dataplane *dp, const struct route *r, struct sb *out)
{
	next_hops(dp, r, " ", out);
}

void print_route(const struct dataplane *dp, const struct route *r, struct sb *out)
{
	if (r->type != RT_UNICAST)
		sb_printf(out, "%s ", route_type_names[r->type]);
	if (!r->dst.len)
		sb_add(out, "default");
	else
		sb_add(out, r->dst.len == ip_bits(r->dst.addr) ? IP(r->dst.addr) : CIDR(r->dst));
	if (ip_set(r->via) && !r->nr_also)
		sb_printf(out, " via %s", IP(r->via));
	if (r->dev.i && r->type == RT_UNICAST && !r->nr_also)
		sb_printf(out, " dev %s", link_get(dp, r->dev)->name);
	if (*route_proto_names[r->proto])
		sb_printf(out, " proto %s", route_proto_names[r->proto]);
	if (r->scope_link)
		sb_add(out, " scope link");
	if (ip_set(r->src))
		sb_printf(out, " src %s", IP(r->src));
	if (r->metric)
		sb_printf(out, " metric %u", r->metric);
	if (r->onlink)
		sb_add(out, " onlink");
	if (r->table && r->table != TABLE_MAIN)
		sb_printf(out, " table %u", r->table);
	if (r->nr_also)
		next_hops(dp, r, "\n\t", out);
	sb_addc(out, '\n');
}

void print_routes(const struct dataplane *dp, netns_h h, struct sb *out)
{
	struct arena *a = arena_new(NULL, "routes");
	struct route *v;
	uint32_t nr;

	routes_of(dp, h, a, &v, &nr);
	for (uint32_t k = 0; k < nr; k++)
		print_route(dp, &v[k], out);
	arena_free(a);
}

void print_neigh(ip_addr ip, const char *dev, const uint8_t mac[6], const char *state, struct sb *out)
{
	sb_printf(out, "%s dev %s", IP(ip), dev);
	if (mac)
		sb_printf(out, " lladdr %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	sb_printf(out, "%s%s\n", *state ? " " : "", state);
}

void print_links(const struct dataplane *dp, netns_h h, struct sb *out)
{
	const struct netns *ns = netns_get(dp, h);

	for (uint32_t i = 0; i < ns->links.nr; i++)
		link_lines(dp, ns, i, out);
}

void print_listeners(const struct dataplane *dp, netns_h h, struct sb *out)
{
	const struct netns *ns = netns_get(dp, h);

	sb_add(out, "Netid  State   Local Address:Port  Process\n");
	for (uint32_t k = 0; k < ns->listeners.nr; k++) {
		const struct listener *l = &ns->listeners.v[k];

		if (l->kind == LISTEN_ANY)
			sb_printf(out, "any    assumed *:*                 %s\n", l->container ? l->container : "");
		else
			sb_printf(out, "%-6s LISTEN  %s:%-17u %s\n", l->proto == 17 ? "udp" : l->proto == 132 ? "sctp" : "tcp", ip_set(l->addr) ? IP(l->addr) : "*", l->port, l->container ? l->container : "");
	}
}

void print_ip(const struct dataplane *dp, netns_h h, struct sb *out)
{
	const struct netns *ns = netns_get(dp, h);

	sb_printf(out, "# %s: ip addr\n", ns->name);
	print_links(dp, h, out);
	sb_printf(out, "# %s: ip route\n", ns->name);
	print_routes(dp, h, out);
	sb_printf(out, "# %s: sysctl\nnet.ipv4.ip_forward = %d\nnet.ipv6.conf.all.forwarding = %d\n", ns->name, ns->forward4, ns->forward6);
	if (ns->kind == NS_NODE)
		sb_printf(out, "net.bridge.bridge-nf-call-iptables = %d\n", ns->bridge_nf);
	for (uint32_t i = 0; i < ns->links.nr; i++) {
		const struct link *l = link_get(dp, netns_link(ns, i));

		if (l->route_localnet)
			sb_printf(out, "net.ipv4.conf.%s.route_localnet = 1\n", l->name);
		if (l->rp_filter)
			sb_printf(out, "net.ipv4.conf.%s.rp_filter = %u\n", l->name, l->rp_filter);
	}
}
