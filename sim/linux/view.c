#include "sim/linux/view.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- from the dataplane */

static bool mac_set(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return memcmp(mac, none, 6) != 0;
}

/* The tunnel ends of all nodes, one after another; begin with n = i = 0. */
static const struct link *next_vxlan(const struct dataplane *dp, uint32_t *n, uint32_t *i)
{
	for (uint32_t h; (h = netns_nth(dp, *n)) != 0; (*n)++, *i = 0) {
		const struct netns *ns = netns_get(dp, (netns_h){ h });

		for (; ns->kind == NS_NODE && *i < ns->links.nr;) {
			const struct link *l = link_get(dp, netns_link(ns, (*i)++));

			if (l->kind == LINK_VXLAN)
				return l;
		}
	}
	return NULL;
}

static const struct link *vxlan_of(const struct dataplane *dp, ip_addr local)
{
	const struct link *l;

	for (uint32_t n = 0, i = 0; (l = next_vxlan(dp, &n, &i));)
		if (ip_eq(l->local, local))
			return l;
	return NULL;
}

/* The port by which a namespace stands on a segment. */
static const struct link *port_on(const struct dataplane *dp, const struct on_segment *on)
{
	const struct netns *ns = netns_get(dp, on->netns);

	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));

		if (l->kind == LINK_PHYS && l->segment == on->segment)
			return l;
	}
	return NULL;
}

static void add_link(const struct dataplane *dp, link_h h, const uint32_t *index, const uint32_t *space, struct arena *a, struct view *out)
{
	const struct link *l = link_get(dp, h);
	link_h peer = l->kind == LINK_VETH ? link_peer(dp, h) : (link_h){ 0 };
	struct k_link *k = vec_push(a, &out->links);

	snprintf(k->name, sizeof(k->name), "%s", l->name);
	k->index = index[h.i];
	k->kind = l->kind;
	k->up = l->up;
	k->mtu = l->mtu;
	k->proxy_arp = l->proxy_arp;
	k->route_localnet = l->route_localnet;
	k->rp_filter = l->rp_filter;
	k->hairpin = l->hairpin;
	k->loss_permille = l->loss_permille;
	k->carries = l->carries;
	k->master = l->master.i ? index[l->master.i] : 0;
	if (l->kind != LINK_LO && mac_set(l->mac)) {
		memcpy(k->mac, l->mac, 6);
		k->has_mac = true;
	}
	if (l->kind == LINK_PHYS) {
		k->segment = l->segment;
		k->carrier = !netns_get(dp, l->netns)->down && l->loss_permille < 1000;
	}
	if (l->kind == LINK_VXLAN) {
		k->vni = l->vni;
		k->local = l->local;
		k->dstport = l->vni == 1 ? 8472 : 4789;         /* flannel's; Calico's */
	}
	if (l->kind == LINK_IPIP)
		k->local = l->local;
	if (peer.i) {
		k->far_space = space[link_get(dp, peer)->netns.i];
		k->far_index = index[peer.i];
	}
	for (uint32_t i = 0; l->kind != LINK_LO && i < l->nr_addrs; i++) {
		struct k_addr *addr = vec_push(a, &out->addrs);

		addr->index = k->index;
		addr->ip = dp->addrs.v[l->addr + i].ip;
		addr->len = dp->addrs.v[l->addr + i].len;
	}
}

static void add_neigh(struct view *out, struct arena *a, uint32_t index, ip_addr ip, const uint8_t mac[6], bool fdb)
{
	struct k_neigh *n;

	if (!mac_set(mac) || !ip_set(ip))
		return;
	n = vec_push(a, &out->neighs);
	n->index = index;
	n->fdb = fdb;
	n->ip = ip;
	memcpy(n->mac, mac, 6);
}

/* Neighbours are permanent: the kernel's table of learned ones is the machine's, not the namespace's. */
static void neighbours_of(const struct dataplane *dp, link_h h, const uint32_t *index, struct arena *a, struct view *out)
{
	const struct link *l = link_get(dp, h), *other;
	link_h peer = l->kind == LINK_VETH ? link_peer(dp, h) : (link_h){ 0 };
	const struct link *far = peer.i ? link_get(dp, peer) : NULL;
	uint32_t dev = index[l->master.i ? l->master.i : h.i];

	for (uint32_t i = 0; l->kind == LINK_PHYS && i < dp->on_segment.nr; i++)
		if (dp->on_segment.v[i].segment == l->segment && dp->on_segment.v[i].netns.i != l->netns.i && (other = port_on(dp, &dp->on_segment.v[i])))
			add_neigh(out, a, dev, dp->on_segment.v[i].ip, other->mac, false);
	if (far && netns_get(dp, l->netns)->kind == NS_NODE)
		for (uint32_t i = 0; i < far->nr_addrs; i++)
			add_neigh(out, a, dev, dp->addrs.v[far->addr + i].ip, far->mac, false);
	if (l->kind == LINK_VXLAN)
		for (uint32_t n = 0, i = 0; (other = next_vxlan(dp, &n, &i));)
			if (other != l && other->vni == l->vni && ip_is4(other->local) == ip_is4(l->local))
				add_neigh(out, a, dev, other->local, other->mac, true);
}

static void add_route(const struct dataplane *dp, const struct netns *ns, const struct route *r, const uint32_t *index, struct arena *a, struct view *out)
{
	static const uint8_t protos[] = { [RTP_KERNEL] = RTPROT_KERNEL, [RTP_BOOT] = RTPROT_BOOT, [RTP_STATIC] = RTPROT_STATIC, [RTP_BIRD] = RTPROT_BIRD, [RTP_FELIX] = 80,
					  [RTP_FLANNEL] = RTPROT_BOOT };
	static const uint8_t types[] = { [RT_UNICAST] = RTN_UNICAST, [RT_BLACKHOLE] = RTN_BLACKHOLE, [RT_UNREACHABLE] = RTN_UNREACHABLE, [RT_PROHIBIT] = RTN_PROHIBIT };
	struct k_route *k;
	bool six = !ip_is4(r->dst.addr);

	if (r->type == RT_UNICAST && (!r->dev.i || !link_get(dp, r->dev)->up))
		return;                 /* the kernel keeps no route over a link that is down */
	if (r->type == RT_UNICAST && ns->kind == NS_POD && ip_set(r->via) && link_peer(dp, r->dev).i) {
		const struct link *far = link_get(dp, link_peer(dp, r->dev));

		add_neigh(out, a, index[r->dev.i], r->via, far->master.i ? link_get(dp, far->master)->mac : far->mac, false);
	}
	if (r->dev.i && link_get(dp, r->dev)->kind == LINK_VXLAN) {
		const struct link *far = vxlan_of(dp, r->encap);

		if (far)
			add_neigh(out, a, index[r->dev.i], r->via, far->mac, false);
	}
	k = vec_push(a, &out->routes);
	k->dst = r->dst.addr;
	k->len = r->dst.len;
	k->type = types[r->type];
	k->proto = protos[r->proto];
	k->index = r->type == RT_UNICAST ? index[r->dev.i] : 0;
	k->via = r->via;
	k->onlink = r->onlink;
	k->scope_link = !six && r->type == RT_UNICAST && !ip_set(r->via);
	if (!six)
		k->src = r->src;
}

/* ---- order and difference */

static int by_index(const void *a, const void *b)
{
	const struct k_link *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static int by_addr(const void *a, const void *b)
{
	const struct k_addr *x = a, *y = b;
	int d = (x->index > y->index) - (x->index < y->index);

	d = d ? d : ip_order(x->ip, y->ip);
	return d ? d : (int)x->len - (int)y->len;
}

static int by_neigh(const void *a, const void *b)
{
	const struct k_neigh *x = a, *y = b;
	int d = (x->index > y->index) - (x->index < y->index);

	d = d ? d : (int)x->fdb - (int)y->fdb;
	d = d ? d : ip_order(x->ip, y->ip);
	return d || !x->fdb ? d : memcmp(x->mac, y->mac, 6);
}

static int by_route(const void *a, const void *b)
{
	const struct k_route *x = a, *y = b;
	int d = (int)ip_is4(y->dst) - (int)ip_is4(x->dst);

	d = d ? d : (int)y->len - (int)x->len;          /* default routes last: they may lead over what comes before */
	d = d ? d : ip_order(x->dst, y->dst);
	return d ? d : (int)x->type - (int)y->type;
}

static void drop_doubles(void *v, uint32_t *nr, size_t size, int (*order)(const void *, const void *))
{
	char *p = v;
	uint32_t to = 0;

	for (uint32_t k = 0; k < *nr; k++)
		if (!to || order(p + (to - 1) * size, p + k * size) != 0) {
			if (to != k)
				memcpy(p + to * size, p + k * size, size);
			to++;
		}
	*nr = to;
}

void view_order(struct view *v)
{
	if (v->links.nr)
		qsort(v->links.v, v->links.nr, sizeof(*v->links.v), by_index);
	if (v->addrs.nr)
		qsort(v->addrs.v, v->addrs.nr, sizeof(*v->addrs.v), by_addr);
	if (v->neighs.nr)
		qsort(v->neighs.v, v->neighs.nr, sizeof(*v->neighs.v), by_neigh);
	if (v->routes.nr)
		qsort(v->routes.v, v->routes.nr, sizeof(*v->routes.v), by_route);
	drop_doubles(v->neighs.v, &v->neighs.nr, sizeof(*v->neighs.v), by_neigh);
	drop_doubles(v->routes.v, &v->routes.nr, sizeof(*v->routes.v), by_route);
}

void view_of(const struct dataplane *dp, netns_h h, const uint32_t *index, const uint32_t *space, struct arena *a, struct view *out)
{
	const struct netns *ns = netns_get(dp, h);
	struct route *v;
	uint32_t nr;

	*out = (struct view){ .settings = { ns->forward4, ns->forward6, ns->bridge_nf } };
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		add_link(dp, netns_link(ns, k), index, space, a, out);
		neighbours_of(dp, netns_link(ns, k), index, a, out);
	}
	routes_of(dp, h, a, &v, &nr);
	for (uint32_t k = 0; k < nr; k++)
		add_route(dp, ns, &v[k], index, a, out);
	view_order(out);
}

struct differ { view_each each; void *ctx; bool ok; };

/* Both sides are in order: what is missing on the other, or differs. What goes is said in the first round, what comes in the second. */
static void diff_part(struct differ *d, enum view_part part, const void *a, uint32_t na, const void *b, uint32_t nb, size_t size, int (*order)(const void *, const void *))
{
	for (int round = 0; round < 2; round++) {
		const char *p = a, *q = b;
		uint32_t i = 0, j = 0;

		while (i < na || j < nb) {
			int way = i == na ? 1 : j == nb ? -1 : order(p, q);

			if (way < 0 && round == 0)
				d->ok = d->each(d->ctx, part, p, NULL) && d->ok;
			if (way > 0 && round == 1)
				d->ok = d->each(d->ctx, part, NULL, q) && d->ok;
			if (way == 0 && round == 1 && memcmp(p, q, size) != 0)
				d->ok = d->each(d->ctx, part, p, q) && d->ok;
			if (way <= 0)
				p += size, i++;
			if (way >= 0)
				q += size, j++;
		}
	}
}

bool view_diff(const struct view *a, const struct view *b, view_each each, void *ctx)
{
	struct differ d = { each, ctx, true };

	if (memcmp(&a->settings, &b->settings, sizeof(a->settings)) != 0)
		d.ok = each(ctx, VIEW_SETTINGS, &a->settings, &b->settings);
	diff_part(&d, VIEW_LINK, a->links.v, a->links.nr, b->links.v, b->links.nr, sizeof(*a->links.v), by_index);
	diff_part(&d, VIEW_ADDR, a->addrs.v, a->addrs.nr, b->addrs.v, b->addrs.nr, sizeof(*a->addrs.v), by_addr);
	diff_part(&d, VIEW_NEIGH, a->neighs.v, a->neighs.nr, b->neighs.v, b->neighs.nr, sizeof(*a->neighs.v), by_neigh);
	diff_part(&d, VIEW_ROUTE, a->routes.v, a->routes.nr, b->routes.v, b->routes.nr, sizeof(*a->routes.v), by_route);
	return d.ok;
}

/* ---- as text */

static const char *name_of(const struct view *v, uint32_t index, char out[24])
{
	for (uint32_t k = 0; k < v->links.nr; k++)
		if (v->links.v[k].index == index)
			return v->links.v[k].name;
	snprintf(out, 24, "if%u", index);
	return out;
}

static void mac_text(struct sb *out, const uint8_t m[6])
{
	sb_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void link_text(const struct k_link *l, const struct view *names, struct sb *out)
{
	char name[24];

	sb_printf(out, "link %s %s %s mtu %u", l->name, link_kind_names[l->kind], l->up ? "up" : "down", l->mtu);
	if (l->has_mac) {
		sb_add(out, " address ");
		mac_text(out, l->mac);
	}
	if (l->master)
		sb_printf(out, " master %s", name_of(names, l->master, name));
	if (l->kind == LINK_VXLAN)
		sb_printf(out, " id %u local %s dstport %u", l->vni, IP(l->local), l->dstport);
	if (l->proxy_arp)
		sb_add(out, " proxy_arp on");
	if (l->route_localnet)
		sb_add(out, " route_localnet on");
	if (l->rp_filter)
		sb_printf(out, " rp_filter %u", l->rp_filter);
	if (l->hairpin)
		sb_add(out, " hairpin on");
	if (l->kind == LINK_PHYS && !l->carrier)
		sb_add(out, " no-carrier");
}

static void route_text(const struct k_route *r, const struct view *names, struct sb *out)
{
	struct cidr dst = { r->dst, r->len, true };
	char name[24];

	sb_printf(out, "route %s%s", r->type == RTN_BLACKHOLE ? "blackhole " : r->type == RTN_UNREACHABLE ? "unreachable " : r->type == RTN_PROHIBIT ? "prohibit " : "",
		  r->len ? CIDR(dst) : ip_is4(r->dst) ? "default" : "default (IPv6)");
	if (ip_set(r->via))
		sb_printf(out, " via %s", IP(r->via));
	if (r->index)
		sb_printf(out, " dev %s", name_of(names, r->index, name));
	sb_printf(out, " proto %s", r->proto == RTPROT_KERNEL ? "kernel" : r->proto == RTPROT_BOOT ? "boot" : r->proto == RTPROT_STATIC ? "static" : r->proto == RTPROT_BIRD ? "bird" : "felix");
	if (r->scope_link)
		sb_add(out, " scope link");
	if (ip_set(r->src))
		sb_printf(out, " src %s", IP(r->src));
	if (r->onlink)
		sb_add(out, " onlink");
}

void view_text(enum view_part part, const void *item, const struct view *names, struct sb *out)
{
	const struct k_addr *a = item;
	const struct k_neigh *n = item;
	const struct k_settings *s = item;
	char name[24];

	switch (part) {
	case VIEW_LINK:
		link_text(item, names, out);
		return;
	case VIEW_ADDR:
		sb_printf(out, "address %s/%u dev %s", IP(a->ip), a->len, name_of(names, a->index, name));
		return;
	case VIEW_NEIGH:
		sb_printf(out, "%s %s dev %s lladdr ", n->fdb ? "fdb dst" : "neigh", IP(n->ip), name_of(names, n->index, name));
		mac_text(out, n->mac);
		return;
	case VIEW_ROUTE:
		route_text(item, names, out);
		return;
	case VIEW_SETTINGS:
		sb_printf(out, "ip_forward %d, ipv6 forwarding %d, bridge-nf-call-iptables %d", s->forward4, s->forward6, s->bridge_nf);
	}
}
