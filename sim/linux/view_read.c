/* A view of what the kernel has: three dumps and a few files of /proc/sys. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/linux/view.h"

struct reading { struct view *out; const struct view *like; struct arena *arena; };

static const struct k_link *like_link(const struct reading *r, uint32_t index)
{
	for (uint32_t k = 0; r->like && k < r->like->links.nr; k++)
		if (r->like->links.v[k].index == index)
			return &r->like->links.v[k];
	return NULL;
}

/* ---- links */

static void read_vxlan(struct k_link *l, const struct nlattr *data)
{
	struct nl_iter i = nl_nested(data);
	const struct nlattr *a;

	while (nl_next(&i, &a))
		switch (mnl_attr_get_type(a)) {
		case IFLA_VXLAN_ID:
			l->vni = mnl_attr_get_u32(a);
			break;
		case IFLA_VXLAN_LOCAL:
		case IFLA_VXLAN_LOCAL6:
			l->local = nl_ip(a);
			break;
		case IFLA_VXLAN_PORT:
			l->dstport = (uint16_t)(mnl_attr_get_u16(a) >> 8 | mnl_attr_get_u16(a) << 8);
		}
}

static void read_info(struct k_link *l, const struct nlattr *info)
{
	static const struct { const char *name; uint8_t kind; } known[] = { { "veth", LINK_VETH }, { "bridge", LINK_BRIDGE }, { "vxlan", LINK_VXLAN }, { "ipip", LINK_IPIP } };
	const struct nlattr *a, *b, *data = NULL;
	struct nl_iter i = nl_nested(info), j;

	while (nl_next(&i, &a)) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			for (size_t k = 0; k < ARRAY_LEN(known); k++)
				if (strcmp(mnl_attr_get_str(a), known[k].name) == 0)
					l->kind = known[k].kind;
		if (mnl_attr_get_type(a) == IFLA_INFO_DATA)
			data = a;
		if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_DATA)
			for (j = nl_nested(a); nl_next(&j, &b);)
				if (mnl_attr_get_type(b) == IFLA_BRPORT_MODE)
					l->hairpin = mnl_attr_get_u8(b);
	}
	if (data && l->kind == LINK_VXLAN)
		read_vxlan(l, data);
}

static void read_inet(struct k_link *l, const struct nlattr *spec)
{
	struct nl_iter i = nl_nested(spec), j;
	const struct nlattr *a, *b;

	while (nl_next(&i, &a))
		for (j = nl_nested(a); mnl_attr_get_type(a) == AF_INET && nl_next(&j, &b);) {
			const uint32_t *conf = mnl_attr_get_payload(b);

			if (mnl_attr_get_type(b) != IFLA_INET_CONF || mnl_attr_get_payload_len(b) < IPV4_DEVCONF_ROUTE_LOCALNET * 4)
				continue;
			l->proxy_arp = conf[IPV4_DEVCONF_PROXY_ARP - 1];
			l->route_localnet = conf[IPV4_DEVCONF_ROUTE_LOCALNET - 1];
			l->rp_filter = (uint8_t)conf[IPV4_DEVCONF_RP_FILTER - 1];
		}
}

/* What no dump says (where the other end is, what the segment is), and what was left to the kernel (an address that it drew), is taken from what should be there. */
static void complete(const struct reading *r, struct k_link *l)
{
	const struct k_link *like = like_link(r, l->index);

	if (!like)
		return;
	if (like->kind == LINK_PHYS && l->kind == LINK_VETH)
		l->kind = LINK_PHYS;
	if (like->kind == LINK_LO || like->kind == LINK_IPIP || !like->has_mac) {
		memset(l->mac, 0, 6);
		l->has_mac = false;
	}
	l->segment = like->segment;
	l->far_space = like->far_space;
	l->far_index = like->far_index;
	l->loss_permille = like->loss_permille;
	l->carries = like->carries;
	if (like->kind == LINK_IPIP)
		l->local = like->local;
}

static bool one_link(void *ctx, const struct nlmsghdr *h)
{
	struct reading *r = ctx;
	const struct ifinfomsg *head = mnl_nlmsg_get_payload(h);
	struct nl_iter i = nl_attrs(h, sizeof(*head));
	const struct nlattr *a;
	struct k_link *l;

	if (h->nlmsg_type != RTM_NEWLINK)
		return true;
	l = vec_push(r->arena, &r->out->links);
	l->index = (uint32_t)head->ifi_index;
	l->up = head->ifi_flags & IFF_UP;
	l->kind = head->ifi_flags & IFF_LOOPBACK ? LINK_LO : LINK_PHYS;
	while (nl_next(&i, &a))
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			snprintf(l->name, sizeof(l->name), "%s", mnl_attr_get_str(a));
			break;
		case IFLA_MTU:
			l->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_MASTER:
			l->master = mnl_attr_get_u32(a);
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(a) == 6) {
				memcpy(l->mac, mnl_attr_get_payload(a), 6);
				l->has_mac = true;
			}
			break;
		case IFLA_CARRIER:
			l->carrier = mnl_attr_get_u8(a);
			break;
		case IFLA_LINKINFO:
			read_info(l, a);
			break;
		case IFLA_AF_SPEC:
			read_inet(l, a);
		}
	complete(r, l);
	if (l->kind != LINK_PHYS)
		l->carrier = false;
	return true;
}

/* ---- addresses, neighbours, routes */

static bool one_addr(void *ctx, const struct nlmsghdr *h)
{
	struct reading *r = ctx;
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(h);
	struct nl_iter i = nl_attrs(h, sizeof(*head));
	const struct nlattr *a;
	struct k_addr *out;
	ip_addr ip = { 0, 0 };
	bool local = false;

	if (h->nlmsg_type != RTM_NEWADDR || head->ifa_index == 1)
		return true;
	while (nl_next(&i, &a))
		if (mnl_attr_get_type(a) == IFA_LOCAL || (mnl_attr_get_type(a) == IFA_ADDRESS && !local)) {
			local = local || mnl_attr_get_type(a) == IFA_LOCAL;
			ip = nl_ip(a);
		}
	/* link-local ones that the kernel has made of the hardware address itself */
	if (!ip_is4(ip) && ip_is_linklocal(ip)) {
		bool wanted = false;

		for (uint32_t k = 0; r->like && k < r->like->addrs.nr; k++)
			wanted = wanted || (r->like->addrs.v[k].index == head->ifa_index && ip_eq(r->like->addrs.v[k].ip, ip));
		if (!wanted)
			return true;
	}
	out = vec_push(r->arena, &r->out->addrs);
	out->index = head->ifa_index;
	out->ip = ip;
	out->len = head->ifa_prefixlen;
	return true;
}

static bool one_neigh(void *ctx, const struct nlmsghdr *h)
{
	struct reading *r = ctx;
	const struct ndmsg *head = mnl_nlmsg_get_payload(h);
	struct nl_iter i = nl_attrs(h, sizeof(*head));
	const struct nlattr *a;
	struct k_neigh n;
	const struct k_link *l;

	memset(&n, 0, sizeof(n));
	if (h->nlmsg_type != RTM_NEWNEIGH || !(head->ndm_state & NUD_PERMANENT))
		return true;
	n.index = (uint32_t)head->ndm_ifindex;
	n.fdb = head->ndm_family == AF_BRIDGE;
	while (nl_next(&i, &a))
		if (mnl_attr_get_type(a) == NDA_DST)
			n.ip = nl_ip(a);
		else if (mnl_attr_get_type(a) == NDA_LLADDR && mnl_attr_get_payload_len(a) == 6)
			memcpy(n.mac, mnl_attr_get_payload(a), 6);
	l = like_link(r, n.index);
	if (!ip_set(n.ip) || (n.fdb && (!l || l->kind != LINK_VXLAN)))  /* a bridge's own entries for its ports */
		return true;
	*vec_push(r->arena, &r->out->neighs) = n;
	return true;
}

static bool one_route(void *ctx, const struct nlmsghdr *h)
{
	struct reading *r = ctx;
	const struct rtmsg *head = mnl_nlmsg_get_payload(h);
	struct nl_iter i = nl_attrs(h, sizeof(*head));
	const struct nlattr *a;
	struct k_route k;
	bool six = head->rtm_family == AF_INET6;
	uint32_t table = head->rtm_table;

	memset(&k, 0, sizeof(k));
	if (h->nlmsg_type != RTM_NEWROUTE)
		return true;
	k.dst = six ? (ip_addr){ 0, 0 } : ip_from4(0);
	k.len = head->rtm_dst_len;
	k.type = head->rtm_type;
	k.proto = head->rtm_protocol;
	k.onlink = head->rtm_flags & RTNH_F_ONLINK;
	while (nl_next(&i, &a))
		switch (mnl_attr_get_type(a)) {
		case RTA_DST:
			k.dst = nl_ip(a);
			break;
		case RTA_GATEWAY:
			k.via = nl_ip(a);
			break;
		case RTA_OIF:
			k.index = mnl_attr_get_u32(a);
			break;
		case RTA_PREFSRC:
			k.src = nl_ip(a);
			break;
		case RTA_TABLE:
			table = mnl_attr_get_u32(a);
		}
	if (table != RT_TABLE_MAIN || head->rtm_flags & RTM_F_CLONED)
		return true;
	if (six && k.proto == RTPROT_KERNEL && (ip_is_linklocal(k.dst) || ip_is_multicast(k.dst)))
		return true;                            /* every interface has them */
	if (six && k.proto == RTPROT_KERNEL && k.len == 128)
		return true;                            /* the kernel's own, of an address with a prefix of its own */
	if (k.type != RTN_UNICAST)
		k.index = 0;
	k.scope_link = !six && k.type == RTN_UNICAST && head->rtm_scope == RT_SCOPE_LINK;
	if (six)
		k.src = (ip_addr){ 0, 0 };
	*vec_push(r->arena, &r->out->routes) = k;
	return true;
}

/* ---- settings */

static bool setting(const char *path)
{
	char full[128], text[8] = "";
	int fd;

	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '0';
	close(fd);
	return text[0] != '0';
}

bool view_read(struct nl *nl, const struct view *like, struct arena *a, struct view *out, struct err *err)
{
	struct reading r = { out, like, a };
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC };
	struct rtmsg route = { .rtm_family = AF_UNSPEC };
	struct ndmsg neigh = { .ndm_family = AF_UNSPEC };
	struct nlmsghdr *h;
	bool ok;

	*out = (struct view){ 0 };
	ok = (h = nl_begin(nl, RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link), err)) != NULL;
	if (ok)
		mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	ok = ok && nl_ask(nl, h, one_link, &r, err);
	ok = ok && (h = nl_begin(nl, RTM_GETADDR, NLM_F_DUMP, &addr, sizeof(addr), err)) && nl_ask(nl, h, one_addr, &r, err);
	for (int family = 0; ok && family < 3; family++) {
		neigh.ndm_family = (uint8_t)(const int[]){ AF_INET, AF_INET6, AF_BRIDGE }[family];
		ok = (h = nl_begin(nl, RTM_GETNEIGH, NLM_F_DUMP, &neigh, sizeof(neigh), err)) && nl_ask(nl, h, one_neigh, &r, err);
	}
	for (int family = 0; ok && family < 2; family++) {
		route.rtm_family = family ? AF_INET6 : AF_INET;
		ok = (h = nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP, &route, sizeof(route), err)) && nl_ask(nl, h, one_route, &r, err);
	}
	out->settings.forward4 = setting("ipv4/ip_forward");
	out->settings.forward6 = setting("ipv6/conf/all/forwarding");
	out->settings.bridge_nf = like->settings.bridge_nf && setting("bridge/bridge-nf-call-iptables");
	view_order(out);
	return ok;
}
