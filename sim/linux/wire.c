/* One space's links, addresses, neighbours and routes, by rtnetlink: the difference between what it has and what it should have, in two batches. */
#include "sim/linux/live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LAN_INDEX 1000u                 /* the kernel's index of segment 1's bridge in the fabric */

struct wiring {
	struct live *live;
	struct space *space;
	struct nl nl;
	bool removals, moved;           /* moved: a link went up or down, and took routes with it */
	struct { struct { const struct k_link *link; bool was_cut; } *v; uint32_t nr, alloc; } ports;
	struct arena *arena;
	struct err *err;
};

bool write_setting(const char *path, int value, const char *where, struct err *err)
{
	char text[16], full[128];
	int fd, n = snprintf(text, sizeof(text), "%d\n", value);

	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n) {
		int e = errno;

		if (fd >= 0)
			close(fd);
		return err_add(err, ERR_MACHINE, NULL, "%s in %s: %s", full, where, strerror(e));
	}
	close(fd);
	return true;
}

static bool settings(struct wiring *w, const struct k_settings *to)
{
	static const struct { const char *path; int value; } once[] = {
		{ "ipv4/conf/all/rp_filter", 0 }, { "ipv4/conf/default/rp_filter", 0 }, { "ipv4/conf/all/send_redirects", 0 }, { "ipv4/conf/default/send_redirects", 0 },
		{ "ipv6/conf/default/accept_dad", 0 }, { "ipv6/conf/all/accept_dad", 0 },
	};
	const char *name = w->space->name;
	bool ok = true;

	for (size_t k = 0; w->space->fresh && k < ARRAY_LEN(once); k++)
		ok = ok && write_setting(once[k].path, once[k].value, name, w->err);
	ok = ok && write_setting("ipv4/ip_forward", to->forward4, name, w->err) && write_setting("ipv6/conf/all/forwarding", to->forward6, name, w->err);
	if (ok && (to->bridge_nf || access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) == 0))
		ok = write_setting("bridge/bridge-nf-call-iptables", to->bridge_nf, name, w->err) && write_setting("bridge/bridge-nf-call-ip6tables", to->bridge_nf, name, w->err);
	return ok;
}

/* ---- links */

static const struct k_link *far_of(const struct wiring *w, const struct k_link *l, const struct space **space)
{
	*space = l->far_space ? w->live->spaces.v[l->far_space - 1] : NULL;
	for (uint32_t k = 0; *space && k < (*space)->want.links.nr; k++)
		if ((*space)->want.links.v[k].index == l->far_index)
			return &(*space)->want.links.v[k];
	return NULL;
}

static void put_mac(struct nlmsghdr *h, const struct k_link *l)
{
	if (l->has_mac)
		mnl_attr_put(h, IFLA_ADDRESS, 6, l->mac);
}

void wire_port(const struct space *s, const struct k_link *l, char out[16])
{
	snprintf(out, 16, "s%u.%u", s->id % 100000, l->index % 100000);
}

static void put_veth(struct wiring *w, struct nlmsghdr *h, const struct k_link *l)
{
	const struct space *space;
	const struct k_link *far = far_of(w, l, &space);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = far ? (int)far->index : 0 };
	char name[16];

	mnl_attr_put_u32(h, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(h, IFLA_NUM_RX_QUEUES, 1);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_str(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_put_extra_header(h, sizeof(head)), &head, sizeof(head));
	wire_port(w->space, l, name);
	mnl_attr_put_strz(h, IFLA_IFNAME, far ? far->name : name);
	mnl_attr_put_u32(h, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(h, IFLA_NUM_RX_QUEUES, 1);
	mnl_attr_put_u32(h, IFLA_MTU, far ? far->mtu : l->mtu);
	if (far)
		put_mac(h, far);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)(far ? space->netfd : w->live->own_net));
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static void put_kind(struct nlmsghdr *h, const char *kind)
{
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);

	mnl_attr_put_str(h, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(h, info);
}

static void put_vxlan(struct nlmsghdr *h, const struct k_link *l)
{
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO), *data;

	mnl_attr_put_str(h, IFLA_INFO_KIND, "vxlan");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_VXLAN_ID, l->vni);
	if (ip_set(l->local))
		nl_put_ip(h, ip_is4(l->local) ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, l->local);
	mnl_attr_put_u16(h, IFLA_VXLAN_PORT, (uint16_t)(l->dstport >> 8 | l->dstport << 8));
	mnl_attr_put_u8(h, IFLA_VXLAN_LEARNING, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
}

static void put_inet_conf(struct nlmsghdr *h, const struct k_link *l)
{
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC), *inet = mnl_attr_nest_start(h, AF_INET), *conf = mnl_attr_nest_start(h, IFLA_INET_CONF);

	mnl_attr_put_u32(h, IPV4_DEVCONF_PROXY_ARP, l->proxy_arp);
	mnl_attr_put_u32(h, IPV4_DEVCONF_ROUTE_LOCALNET, l->route_localnet);
	mnl_attr_put_u32(h, IPV4_DEVCONF_RP_FILTER, l->rp_filter);
	mnl_attr_nest_end(h, conf);
	mnl_attr_nest_end(h, inet);
	mnl_attr_nest_end(h, spec);
}

/* What can be said of a link that is there. from: what it is now; NULL: it has just been made with most of it. */
static bool set_link(struct wiring *w, const struct k_link *from, const struct k_link *l)
{
	bool created = !from;
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)l->index, .ifi_flags = l->up ? IFF_UP : 0, .ifi_change = IFF_UP };
	bool conf = l->proxy_arp || l->route_localnet || l->rp_filter;
	struct nlmsghdr *h;

	if (created && !conf && !l->hairpin)
		return true;
	h = nl_begin(&w->nl, RTM_NEWLINK, 0, &head, sizeof(head), w->err);
	if (!h)
		return false;
	if (!created && from->mtu != l->mtu)
		mnl_attr_put_u32(h, IFLA_MTU, l->mtu);
	if (!created && memcmp(from->mac, l->mac, 6) != 0) {    /* the kernel then forgets all neighbours */
		put_mac(h, l);
		w->moved = true;
	}
	if (!created && from->master != l->master)
		mnl_attr_put_u32(h, IFLA_MASTER, l->master);
	if (conf || !created)
		put_inet_conf(h, l);
	if (l->master && (l->hairpin || !created)) {
		struct ifinfomsg port = { .ifi_family = AF_BRIDGE, .ifi_index = (int)l->index };
		struct nlattr *info;

		h = nl_begin(&w->nl, RTM_SETLINK, 0, &port, sizeof(port), w->err);
		if (!h)
			return false;
		info = mnl_attr_nest_start(h, IFLA_PROTINFO | NLA_F_NESTED);
		mnl_attr_put_u8(h, IFLA_BRPORT_MODE, l->hairpin);
		mnl_attr_nest_end(h, info);
	}
	return true;
}

static bool bring_up(struct wiring *w, uint32_t index, bool up)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP };

	return nl_begin(&w->nl, RTM_NEWLINK, 0, &head, sizeof(head), w->err) != NULL;
}

static bool new_link(struct wiring *w, const struct k_link *l)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)l->index, .ifi_flags = l->up ? IFF_UP : 0, .ifi_change = IFF_UP };
	struct nlmsghdr *h;

	if (l->kind == LINK_LO)
		return bring_up(w, l->index, l->up) && set_link(w, NULL, l);
	if (l->kind == LINK_VETH && w->space->kind == NS_POD && l->far_space)           /* made from the node's side, with name, address and MTU */
		return bring_up(w, l->index, l->up);
	h = nl_begin(&w->nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head), w->err);
	if (!h)
		return false;
	mnl_attr_put_strz(h, IFLA_IFNAME, l->name);
	if (l->kind != LINK_IPIP) {
		mnl_attr_put_u32(h, IFLA_MTU, l->mtu);
		put_mac(h, l);
	}
	if (l->master)
		mnl_attr_put_u32(h, IFLA_MASTER, l->master);
	if (l->kind == LINK_BRIDGE)
		put_kind(h, "bridge");
	else if (l->kind == LINK_VXLAN)
		put_vxlan(h, l);
	else if (l->kind == LINK_IPIP)
		put_kind(h, "ipip");
	else
		put_veth(w, h, l);
	if (l->kind == LINK_PHYS)
		vec_push(w->arena, &w->ports)->link = l;
	return set_link(w, NULL, l);
}

static bool is_cut(const struct k_link *l) { return l->loss_permille >= 1000; }

static bool change_link(struct wiring *w, const struct k_link *from, const struct k_link *to)
{
	if (from && to && from->up != to->up)
		w->moved = true;
	if (!to) {
		struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)from->index };

		return !w->removals || nl_begin(&w->nl, RTM_DELLINK, 0, &head, sizeof(head), w->err);
	}
	if (w->removals)
		return true;
	if (!from)
		return new_link(w, to);
	if (to->kind == LINK_PHYS && (from->carrier != to->carrier || is_cut(from) != is_cut(to))) {
		vec_push(w->arena, &w->ports)->link = to;
		w->ports.v[w->ports.nr - 1].was_cut = from->carrier && is_cut(from);       /* one that was down forwards as soon as it is up */
	}
	return set_link(w, from, to);
}

/* ---- what stands on them */

static bool change_addr(struct wiring *w, const struct k_addr *from, const struct k_addr *to)
{
	const struct k_addr *a = to ? to : from;
	struct ifaddrmsg head = { .ifa_family = ip_is4(a->ip) ? AF_INET : AF_INET6, .ifa_prefixlen = a->len, .ifa_flags = ip_is4(a->ip) ? 0 : IFA_F_NODAD, .ifa_index = a->index,
				  .ifa_scope = ip_is_linklocal(a->ip) && !ip_is4(a->ip) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE };
	struct nlmsghdr *h;

	if (w->removals == (to != NULL))
		return true;
	if (!to)                        /* with an interface's last address go its routes and neighbours */
		w->space->restore = true;
	h = nl_begin(&w->nl, to ? RTM_NEWADDR : RTM_DELADDR, to ? NLM_F_CREATE | NLM_F_REPLACE : 0, &head, sizeof(head), w->err);
	if (!h)
		return false;
	nl_put_ip(h, IFA_LOCAL, a->ip);
	nl_put_ip(h, IFA_ADDRESS, a->ip);
	return true;
}

static bool change_neigh(struct wiring *w, const struct k_neigh *from, const struct k_neigh *to)
{
	const struct k_neigh *n = to ? to : from;
	struct ndmsg head = { .ndm_family = n->fdb ? AF_BRIDGE : ip_is4(n->ip) ? AF_INET : AF_INET6, .ndm_ifindex = (int)n->index, .ndm_state = n->fdb ? NUD_PERMANENT | NUD_NOARP : NUD_PERMANENT,
			      .ndm_flags = n->fdb ? NTF_SELF : 0 };
	struct nlmsghdr *h;

	if (w->removals == (to != NULL))
		return true;
	h = nl_begin(&w->nl, to ? RTM_NEWNEIGH : RTM_DELNEIGH, to ? NLM_F_CREATE | NLM_F_REPLACE : 0, &head, sizeof(head), w->err);
	if (!h)
		return false;
	nl_put_ip(h, NDA_DST, n->ip);
	mnl_attr_put(h, NDA_LLADDR, 6, n->mac);
	return true;
}

static bool change_route(struct wiring *w, const struct k_route *from, const struct k_route *to)
{
	const struct k_route *r = to ? to : from;
	struct rtmsg head = { .rtm_family = ip_is4(r->dst) ? AF_INET : AF_INET6, .rtm_dst_len = r->len, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = r->proto, .rtm_type = r->type,
			      .rtm_scope = r->scope_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, .rtm_flags = r->onlink ? RTNH_F_ONLINK : 0 };
	struct nlmsghdr *h;

	if (w->removals == (to != NULL) || r->proto == RTPROT_KERNEL)           /* connected routes come and go with the address */
		return true;
	if (w->live->birds && w->space->kind == NS_NODE && r->proto == RTPROT_BIRD)
		return true;
	h = nl_begin(&w->nl, to ? RTM_NEWROUTE : RTM_DELROUTE, to ? NLM_F_CREATE | NLM_F_REPLACE : 0, &head, sizeof(head), w->err);
	if (!h)
		return false;
	if (r->len)
		nl_put_ip(h, RTA_DST, r->dst);
	if (ip_set(r->via))
		nl_put_ip(h, RTA_GATEWAY, r->via);
	if (r->index)
		mnl_attr_put_u32(h, RTA_OIF, r->index);
	if (ip_set(r->src))
		nl_put_ip(h, RTA_PREFSRC, r->src);
	return true;
}

static bool change(void *ctx, enum view_part part, const void *from, const void *to)
{
	struct wiring *w = ctx;

	switch (part) {
	case VIEW_SETTINGS: return w->removals || settings(w, to);
	case VIEW_LINK: return change_link(w, from, to);
	case VIEW_ADDR: return change_addr(w, from, to);
	case VIEW_NEIGH: return change_neigh(w, from, to);
	case VIEW_ROUTE: return change_route(w, from, to);
	}
	return false;
}

/* ---- the fabric */

static bool segment_bridge(struct live *live, uint32_t segment, struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)(LAN_INDEX + segment), .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	char name[16];
	struct nlmsghdr *h;

	if (segment < 32 && live->segments & 1u << segment)
		return true;
	h = nl_begin(&live->fabric, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head), err);
	if (!h)
		return false;
	snprintf(name, sizeof(name), "lan%u", segment);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	put_kind(h, "bridge");
	live->segments |= 1u << segment;
	return true;
}

/* The kernel takes note of a link's carrier some time later, and then makes the port of a bridge forward; who asks for the link makes it do so now
 * (net/core/rtnetlink.c, linkwatch_sync_dev). */
static bool notice(struct nl *nl, const char *name, struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nlmsghdr *h = nl_begin(nl, RTM_GETLINK, 0, &head, sizeof(head), err);

	if (!h)
		return false;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return true;
}

/* A link that loses everything: the bridge lets nothing through its port, and neither end notices. */
static bool cut_ports(struct wiring *w)
{
	struct nl *nl = &w->live->fabric;
	bool entered = false;

	for (uint32_t k = 0; k < w->ports.nr; k++) {
		const struct k_link *l = w->ports.v[k].link;
		struct ifinfomsg head = { .ifi_family = AF_BRIDGE };
		struct nlattr *info;
		struct nlmsghdr *h;
		char name[16];

		if (!l->carrier || (!is_cut(l) && !w->ports.v[k].was_cut))         /* a port that is down has no state to set */
			continue;
		if (!entered && !(entered = live_enter(w->live, NULL, w->err)))
			return false;
		wire_port(w->space, l, name);
		head.ifi_index = (int)if_nametoindex(name);
		if (!notice(nl, name, w->err) || !(h = nl_begin(nl, RTM_SETLINK, 0, &head, sizeof(head), w->err)))
			return false;
		info = mnl_attr_nest_start(h, IFLA_PROTINFO | NLA_F_NESTED);
		mnl_attr_put_u8(h, IFLA_BRPORT_STATE, is_cut(l) ? BR_STATE_DISABLED : BR_STATE_FORWARDING);
		mnl_attr_nest_end(h, info);
	}
	return nl_send(nl, w->err);
}

static bool plug_in(struct wiring *w)
{
	struct nl *nl = &w->live->fabric;

	for (uint32_t k = 0; k < w->ports.nr; k++) {
		const struct k_link *l = w->ports.v[k].link;
		struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_flags = l->carrier ? IFF_UP : 0, .ifi_change = IFF_UP };
		char name[16];
		struct nlmsghdr *h;

		if (!segment_bridge(w->live, l->segment, w->err) || !(h = nl_begin(nl, RTM_NEWLINK, 0, &head, sizeof(head), w->err)))
			return false;
		wire_port(w->space, l, name);
		mnl_attr_put_strz(h, IFLA_IFNAME, name);
		mnl_attr_put_u32(h, IFLA_MASTER, LAN_INDEX + l->segment);
	}
	return nl_send(nl, w->err) && cut_ports(w);
}

/* ---- one space */

static bool restore(struct wiring *w)           /* a link that went down took them along */
{
	const struct view *v = &w->space->want;
	bool ok = true;

	for (uint32_t k = 0; k < v->addrs.nr; k++)
		ok = ok && change_addr(w, NULL, &v->addrs.v[k]);
	for (uint32_t k = 0; k < v->neighs.nr; k++)
		ok = ok && change_neigh(w, NULL, &v->neighs.v[k]);
	for (uint32_t k = 0; k < v->routes.nr; k++)
		ok = ok && change_route(w, NULL, &v->routes.v[k]);
	return ok;
}

bool wire_links(struct live *live, struct space *s, bool removals, struct err *err)
{
	static const struct view nothing;
	struct wiring w = { .live = live, .space = s, .removals = removals, .arena = s->want_arena, .err = err };
	bool ok;

	if (removals && s->fresh)
		return true;
	if (!live_enter(live, s, err) || !nl_open(&w.nl, NETLINK_ROUTE, s->name, err))
		return false;
	if (removals) {
		static const int gone[] = { ESRCH, ENODEV, EADDRNOTAVAIL, ENOENT };

		memcpy(w.nl.forgive, gone, sizeof(gone));
	}
	ok = view_diff(s->fresh ? &nothing : &s->now, &s->want, change, &w);
	if (ok && s->fresh && !removals && memcmp(&nothing.settings, &s->want.settings, sizeof(nothing.settings)) == 0 && s->kind != NS_POD)
		ok = settings(&w, &s->want.settings);
	ok = ok && (removals || !(w.moved || s->restore) || restore(&w)) && nl_send(&w.nl, err) && plug_in(&w);
	live->fabric.sent += w.nl.sent;
	if (!removals)
		s->restore = false;
	nl_close(&w.nl);
	return ok;
}

bool wire_ready(struct live *live, struct space *s, struct err *err)
{
	struct nl nl;
	bool ok = live_enter(live, s, err) && nl_open(&nl, NETLINK_ROUTE, s->name, err);

	if (!ok)
		return false;
	for (uint32_t k = 0; ok && k < s->want.links.nr; k++) {
		const struct k_link *l = &s->want.links.v[k];
		char port[16];

		if (l->kind != LINK_VETH && l->kind != LINK_PHYS)
			continue;
		ok = notice(&nl, l->name, err);
		if (ok && l->kind == LINK_PHYS && l->carrier && !is_cut(l)) {
			wire_port(s, l, port);
			ok = notice(&live->fabric, port, err);
		}
		if (ok && k % 32 == 31)
			ok = nl_send(&nl, err);
	}
	ok = ok && nl_send(&nl, err) && nl_send(&live->fabric, err);
	nl_close(&nl);
	return ok;
}
