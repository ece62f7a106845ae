/* The underlay: one L2 of all nodes, a gateway, and on a segment of its own the host outside the cluster. */
#include <stdlib.h>

#include "model/api/link_fault.h"
#include "model/dataplane/compile.h"
#include "model/dataplane/nics.h"

/* The longest prefix that covers every InternalIP of the family, with room for a gateway. */
static struct cidr covering(const struct compile *x, bool four)
{
	struct cidr net = { .len = four ? 24 : 64 };

	for (uint32_t k = 0; k < x->nr_nodes; k++)
		for (uint32_t i = 0; i < x->nodes[k].nr_ips; i++) {
			ip_addr ip = x->nodes[k].ips[i].ip;

			if (!x->nodes[k].ips[i].internal || ip_is4(ip) != four)
				continue;
			if (!net.set)
				net = (struct cidr){ ip_mask(ip, net.len), net.len, true };
			while (!cidr_contains(net, ip)) {
				net.len--;
				net.addr = ip_mask(net.addr, net.len);
			}
		}
	return net;
}

static ip_addr free_address(const struct compile *x, struct cidr net)
{
	ip_addr at = ip_add(net.addr, 1);

	for (bool again = true; again;) {
		again = false;
		for (uint32_t k = 0; k < x->nr_nodes && !again; k++)
			for (uint32_t i = 0; i < x->nodes[k].nr_ips && !again; i++)
				again = x->nodes[k].ips[i].internal && ip_eq(x->nodes[k].ips[i].ip, at);
		if (again)
			at = ip_add(at, 1);
	}
	return at;
}

void make_mac(uint8_t mac[6], ip_addr ip)
{
	uint32_t low = (uint32_t)ip.lo;

	mac[0] = 0x02;
	mac[1] = ip_is4(ip) ? 0x42 : 0x46;
	for (int k = 0; k < 4; k++)
		mac[2 + k] = (uint8_t)(low >> (24 - 8 * k));
}

link_h add_phys(struct compile *x, netns_h ns, const char *name, uint32_t segment)
{
	link_h h = link_add(x->dp, ns, name, LINK_PHYS);
	struct link *l = link_get(x->dp, h);

	l->up = true;
	l->mtu = UPLINK_MTU;
	l->segment = segment;
	l->forwarding = true;
	l->rp_filter = x->settings->kernel.rp_strict && netns_get(x->dp, ns)->kind == NS_NODE;
	return h;
}

void add_lo(struct compile *x, netns_h ns)
{
	link_h h = link_add(x->dp, ns, "lo", LINK_LO);
	ip_addr six = { 0, 1 };

	link_get(x->dp, h)->up = true;
	link_get(x->dp, h)->mtu = 65536;
	addr_add(x->dp, h, ip_from4(0x7f000001), 8);
	addr_add(x->dp, h, six, 128);
}

static void add_connected(struct compile *x, netns_h ns, link_h dev, struct cidr net, ip_addr src)
{
	struct route *r = route_add(x->dp, ns, net);

	r->dev = dev;
	r->proto = RTP_KERNEL;
	r->scope_link = true;
	r->src = src;
}

static void add_default(struct compile *x, netns_h ns, link_h dev, ip_addr via)
{
	struct cidr all = { { 0, 0 }, 0, true };
	struct route *r;

	if (!ip_set(via))
		return;
	if (ip_is4(via))
		all.addr = ip_from4(0);
	r = route_add(x->dp, ns, all);
	r->dev = dev;
	r->via = via;
	r->proto = RTP_BOOT;
}

#define ROUTER4 0xcb007101u      /* 203.0.113.1 */
#define DNS_PORT 53
#define CLIENT4 0xcb00710au      /* 203.0.113.10 */

static const struct cidr outside6 = { { 0x20010db801130000u, 0 }, 64, true };   /* 2001:db8:113::/64 */

static struct cidr outside4(void)
{
	return (struct cidr){ ip_mask(ip_from4(ROUTER4), 24), 24, true };
}

void underlay_find(struct compile *x)
{
	x->net4 = covering(x, true);
	x->net6 = covering(x, false);
	if (x->net4.set)
		x->gateway4 = free_address(x, x->net4);
	if (x->net6.set)
		x->gateway6 = free_address(x, x->net6);
	x->router = netns_reserve(x->dp);
	if (x->net4.set)
		segment_add(x->dp, NODE_SEGMENT, x->gateway4, x->router);
	if (x->net6.set)
		segment_add(x->dp, NODE_SEGMENT, x->gateway6, x->router);
	segment_add(x->dp, CLIENT_SEGMENT, ip_from4(ROUTER4), x->router);
	segment_add(x->dp, CLIENT_SEGMENT, ip_add(outside6.addr, 1), x->router);
	x->client = netns_reserve(x->dp);
	segment_add(x->dp, CLIENT_SEGMENT, ip_from4(CLIENT4), x->client);
	segment_add(x->dp, CLIENT_SEGMENT, ip_add(outside6.addr, 10), x->client);
}

void write_router(struct compile *x)
{
	netns_h h = x->router;
	struct netns *ns = netns_begin(x->dp, h, NS_ROUTER, "router");
	ip_addr gw4 = ip_from4(ROUTER4), gw6 = ip_add(outside6.addr, 1);
	link_h in, out;

	ns->forward4 = ns->forward6 = true;
	add_lo(x, h);
	in = add_phys(x, h, "eth0", NODE_SEGMENT);
	out = add_phys(x, h, "eth1", CLIENT_SEGMENT);
	if (x->net4.set) {
		addr_add(x->dp, in, x->gateway4, x->net4.len);
		add_connected(x, h, in, x->net4, x->gateway4);
	}
	if (x->net6.set) {
		addr_add(x->dp, in, x->gateway6, x->net6.len);
		add_connected(x, h, in, x->net6, x->gateway6);
	}
	addr_add(x->dp, out, gw4, 24);
	addr_add(x->dp, out, gw6, 64);
	make_mac(link_get(x->dp, in)->mac, x->net4.set ? x->gateway4 : x->gateway6);
	make_mac(link_get(x->dp, out)->mac, gw4);
	add_connected(x, h, out, outside4(), gw4);
	add_connected(x, h, out, outside6, gw6);
	lb_routes(x, h, in);
	listener_add(x->dp, h, PROTO_UDP, DNS_PORT);            /* the name server that nodes have (dns_node_resolv_conf) stands here */
	listener_add(x->dp, h, PROTO_TCP, DNS_PORT);
}

/* The host outside the cluster. */
void write_client(struct compile *x)
{
	netns_h h = x->client;
	struct netns *ns = netns_begin(x->dp, h, NS_CLIENT, "client");
	ip_addr own4 = ip_from4(CLIENT4), own6 = ip_add(outside6.addr, 10);
	link_h out;

	add_lo(x, h);
	out = add_phys(x, h, "eth0", CLIENT_SEGMENT);
	addr_add(x->dp, out, own4, 24);
	addr_add(x->dp, out, own6, 64);
	make_mac(link_get(x->dp, out)->mac, own4);
	ns->uplink = out;
	add_connected(x, h, out, outside4(), own4);
	add_connected(x, h, out, outside6, own6);
	add_default(x, h, out, ip_from4(ROUTER4));
	add_default(x, h, out, ip_add(outside6.addr, 1));
	listener_add(x->dp, h, 0, 0)->kind = LISTEN_ANY;
}

static void impair(struct link *l, const struct node *n)
{
	struct link_fault f = link_fault_of(n);

	l->loss_permille = f.cut ? 1000 : f.loss_permille;
	l->carries = f.carries;
}

void add_uplink(struct compile *x, struct node_build *nb)
{
	const struct node *n = nb->node;
	struct netns *ns = netns_get(x->dp, nb->ns);

	ns->object = n->o.id.i;
	ns->hostname = n->o.name;
	ns->forward4 = !x->settings->kernel.no_forward;
	ns->forward6 = true;
	ns->down = node_is_dead(n);
	ns->uses_blocks = true;
	add_lo(x, nb->ns);
	if (nb->nr_nics)
		nics_write(x, nb);
	else
		nb->uplink = add_phys(x, nb->ns, "eth0", NODE_SEGMENT);
	ns->uplink = nb->uplink;
	link_get(x->dp, nb->uplink)->cause = cause_of(x, &n->o, "status.addresses");
	impair(link_get(x->dp, nb->uplink), n);
	if (nb->nr_nics)
		return;
	for (uint32_t k = 0; k < nb->nr_ips; k++)
		addr_add(x->dp, nb->uplink, nb->ips[k].ip, (ip_is4(nb->ips[k].ip) ? x->net4 : x->net6).len);
	make_mac(link_get(x->dp, nb->uplink)->mac, ip_set(nb->ip4) ? nb->ip4 : nb->ip6);
	if (x->net4.set && ip_set(nb->ip4))
		add_connected(x, nb->ns, nb->uplink, x->net4, nb->ip4);
	if (x->net6.set && ip_set(nb->ip6))
		add_connected(x, nb->ns, nb->uplink, x->net6, nb->ip6);
	if (ip_set(nb->ip4))
		add_default(x, nb->ns, nb->uplink, x->gateway4);
	if (ip_set(nb->ip6))
		add_default(x, nb->ns, nb->uplink, x->gateway6);
}
