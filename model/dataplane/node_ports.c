#include "model/dataplane/node_ports.h"

static void add_cidr(struct node_port_cidrs *f, struct cidr c)
{
	static const uint32_t loopback_net = 0x7f000000;

	if (f->all)
		return;
	f->loopback4 = f->loopback4 || (ip_is4(c.addr) && (ip_is_loopback(c.addr) || cidr_contains(c, ip_from4(loopback_net))));
	f->all = c.len == 0;
	if (f->all)
		f->nr = 0;
	f->v[f->nr++] = c;
}

/* A family of which nothing was told is taken whole, though the other was told of. */
static struct node_port_cidrs or_all(struct node_port_cidrs f, bool v6)
{
	if (!f.nr)
		add_cidr(&f, (struct cidr){ .addr = v6 ? (ip_addr){ 0, 0 } : ip_from4(0), .len = 0, .set = true });
	return f;
}

struct node_port_cidrs node_port_cidrs(const str_list *l, bool v6, struct arena *a)
{
	struct node_port_cidrs f = { .v = arena_array(a, struct cidr, l->nr + 1) };

	for (uint32_t k = 0; k < l->nr; k++) {
		struct cidr c;

		if (cidr_parse_lenient(l->v[k], &c) && ip_is4(c.addr) != v6)
			add_cidr(&f, c);
	}
	return or_all(f, v6);
}

/* iptables' default is everything. */
bool node_port_primary(const struct settings *s)
{
	if (!s->node_port_addresses_set)
		return s->proxy_mode == PROXY_NFTABLES;
	return s->node_port_addresses.nr == 1 && streq(s->node_port_addresses.v[0], "primary");
}

struct node_port_cidrs node_port_cidrs_of(const struct settings *s, const ip_addr primary[2], bool v6, struct arena *a)
{
	struct node_port_cidrs f = { 0 };

	if (!node_port_primary(s))
		return node_port_cidrs(&s->node_port_addresses, v6, a);
	f.v = arena_array(a, struct cidr, 1);
	if (ip_set(primary[v6]) && !ip_is_loopback(primary[v6]))
		add_cidr(&f, (struct cidr){ .addr = primary[v6], .len = v6 ? 128 : 32, .set = true });
	return or_all(f, v6);
}

bool node_port_cidrs_have(const struct node_port_cidrs *f, ip_addr ip)
{
	for (uint32_t k = 0; k < f->nr; k++)
		if (cidr_contains(f->v[k], ip))
			return true;
	return false;
}

static bool among(const ip_addr *v, uint32_t nr, ip_addr ip)
{
	for (uint32_t k = 0; k < nr; k++)
		if (ip_eq(v[k], ip))
			return true;
	return false;
}

uint32_t node_port_ips(const struct node_port_cidrs *f, const struct dataplane *dp, netns_h h, struct arena *a, ip_addr **out)
{
	const struct netns *ns = netns_get(dp, h);
	uint32_t room = 0, nr = 0;

	for (uint32_t k = 0; k < ns->links.nr; k++)
		room += link_get(dp, netns_link(ns, k))->nr_addrs;
	*out = arena_array(a, ip_addr, room);
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		for (uint32_t i = 0; i < l->nr_addrs; i++) {
			ip_addr ip = dp->addrs.v[l->addr + i].ip;

			if (node_port_cidrs_have(f, ip) && !among(*out, nr, ip))
				(*out)[nr++] = ip;
		}
	}
	return nr;
}
