/* Over a link into the next namespace: veth pairs, bridges, the nodes' segment, tunnels. Neighbours answer or they do not. */
#include "sim/trace/walker.h"

static void nobody(struct walker *w, link_h out, ip_addr hop)
{
	add_hop(w, ST_LINK, out, "nobody answers for %s", IP(hop));
	end(w, V_LOST, "nobody on %s of %s answers for %s", link_get(w->dp, out)->name, netns_get(w->dp, w->ns)->name, IP(hop));
}

/* Does the namespace behind this end answer ARP (or neighbour solicitations) for the address? proxy_arp does if it forwards and has a route by another device
 * (net/ipv4/arp.c arp_process). */
bool link_answers(const struct dataplane *dp, link_h far, ip_addr hop)
{
	const struct link *l = link_get(dp, far);
	struct route r;

	if (addr_is_local(dp, l->netns, hop))
		return true;
	if (!l->proxy_arp || !ip_is4(hop) || !netns_get(dp, l->netns)->forward4)
		return false;
	return route_lookup(dp, l->netns, hop, &r) && r.type == RT_UNICAST && r.dev.i != far.i;
}

static void enter(struct walker *w, link_h far)
{
	w->ns = link_get(w->dp, far)->netns;
	come_in(w, far);
}

/* The port of a bridge behind which the address is; 0: none. */
static link_h port_of(const struct walker *w, link_h bridge, ip_addr ip)
{
	const struct netns *ns = netns_get(w->dp, link_get(w->dp, bridge)->netns);

	if (ip_is_loopback(ip))                 /* everybody has it, nobody is behind it */
		return (link_h){ 0 };
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(w->dp, netns_link(ns, k));

		if (l->master.i == bridge.i && l->toward.i && addr_is_local(w->dp, l->toward, ip))
			return netns_link(ns, k);
	}
	return (link_h){ 0 };
}

static void bridge_in(struct walker *, link_h port);

static void over_veth(struct walker *w, link_h out, ip_addr hop)
{
	const struct link *l = link_get(w->dp, out);

	if (!link_peer(w->dp, out).i || !link_get(w->dp, l->peer)->up) {
		nobody(w, out, hop);
		return;
	}
	if (link_get(w->dp, l->peer)->master.i) {
		bridge_in(w, l->peer);
		return;
	}
	if (!link_answers(w->dp, l->peer, hop)) {
		const struct netns *far = netns_get(w->dp, link_get(w->dp, l->peer)->netns);

		if (!link_get(w->dp, l->peer)->proxy_arp) {
			nobody(w, out, hop);
		} else if (!far->forward4) {
			add_hop(w, ST_LINK, out, "nobody answers for %s: ip_forward is 0", IP(hop));
			end(w, V_LOST, "%s does not answer for %s: proxy ARP needs forwarding, and ip_forward is 0", far->name, IP(hop));
		} else {
			end(w, V_LOST, "%s does not answer for %s: proxy ARP needs a route to it by another interface, and there is none", far->name, IP(hop));
		}
		return;
	}
	enter(w, l->peer);
}

/* A port of the underlay that a fault has hurt. overhead: bytes that an encapsulation adds. false: the packet ends here. */
static bool passes(struct walker *w, link_h port, uint32_t overhead)
{
	const struct link *l = link_get(w->dp, port);
	const char *where = netns_get(w->dp, l->netns)->name;
	uint32_t size = largest_piece(w) + overhead;

	if (l->loss_permille >= 1000) {
		add_hop(w, ST_LINK, port, "the link of %s is cut", where);
		end(w, V_LOST, "the link of %s is cut: what is sent over it is lost", where);
		return false;
	}
	if (l->carries && w->p.size && size > l->carries) {
		add_hop(w, ST_LINK, port, "%u bytes%s do not pass: the link of %s carries %u", size, overhead ? " with the encapsulation" : "", where, l->carries);
		end(w, V_LOST, "too large: %u bytes do not pass the link of %s, which carries %u though the node's MTU is %u: they vanish, and nobody tells the sender", size, where, l->carries, l->mtu);
		return false;
	}
	if (l->loss_permille && choose_way(w, 2, 1000u - l->loss_permille, 1000) != 0) {
		add_hop(w, ST_LINK, port, "lost on the link of %s", where);
		end(w, V_LOST, "lost on the link of %s, which loses %u of 1000 packets", where, l->loss_permille);
		return false;
	}
	return true;
}

static void over_segment(struct walker *w, link_h out, ip_addr hop)
{
	link_h far = segment_owner(w->dp, link_get(w->dp, out)->segment, hop);

	if (!far.i && link_get(w->dp, out)->lone) {
		end(w, V_UNKNOWN, "what lies behind %s of %s is not known: other nodes have its address too, so it is behind a NAT of its own", link_get(w->dp, out)->name, netns_get(w->dp, w->ns)->name);
		return;
	}
	if (far.i && link_get(w->dp, far)->netns.i == w->ns.i) {
		add_hop(w, ST_LINK, out, "%s is this node's own address", IP(hop));
		end(w, V_LOST, "%s sends it to %s, which is its own address: other nodes tell the same one", netns_get(w->dp, w->ns)->name, IP(hop));
		return;
	}
	if (!far.i) {
		nobody(w, out, hop);
		return;
	}
	if (netns_get(w->dp, link_get(w->dp, far)->netns)->down || !link_get(w->dp, far)->up) {
		add_hop(w, ST_LINK, out, "%s is down", netns_get(w->dp, link_get(w->dp, far)->netns)->name);
		end(w, V_LOST, "%s is down: what is sent to it is lost", netns_get(w->dp, link_get(w->dp, far)->netns)->name);
		return;
	}
	if (passes(w, out, 0) && passes(w, far, 0))
		enter(w, far);
}

/* What a tunnel adds to a packet: VXLAN its header, UDP, IP and the inner Ethernet header; IPIP an IP header. */
static uint32_t overhead_of(const struct link *l, bool v6)
{
	return l->kind == LINK_VXLAN ? v6 ? 70 : 50 : v6 ? 40 : 20;
}

static void over_tunnel(struct walker *w, const struct route *r)
{
	const struct link *l = link_get(w->dp, r->dev);
	struct route outer;
	link_h far, there;

	if (!ip_set(r->encap) || !route_lookup(w->dp, w->ns, r->encap, &outer) || !outer.dev.i) {
		end(w, V_UNROUTABLE, "%s: no way to the tunnel's other end %s", l->name, IP(r->encap));
		return;
	}
	if (addr_is_local(w->dp, w->ns, r->encap)) {
		add_hop(w, ST_ENCAP, r->dev, "%s is this node's own address", IP(r->encap));
		end(w, V_LOST, "%s of %s sends it to %s, which is the node's own address: several nodes tell the same one", l->name, netns_get(w->dp, w->ns)->name, IP(r->encap));
		return;
	}
	add_hop(w, ST_ENCAP, r->dev, "%s to %s", l->kind == LINK_VXLAN ? "encapsulated in VXLAN" : "encapsulated in IPIP", IP(r->encap));
	far = segment_owner(w->dp, link_get(w->dp, outer.dev)->segment, ip_set(outer.via) ? outer.via : r->encap);
	if (!far.i || netns_get(w->dp, link_get(w->dp, far)->netns)->down) {
		nobody(w, outer.dev, r->encap);
		return;
	}
	if (!passes(w, outer.dev, overhead_of(l, !ip_is4(r->encap))) || !passes(w, far, overhead_of(l, !ip_is4(r->encap))))
		return;
	w->ns = link_get(w->dp, far)->netns;
	there = tunnel_of(w->dp, w->ns, (enum link_kind)l->kind, !ip_is4(r->encap));
	if (!there.i) {
		end(w, V_LOST, "%s has no %s to unpack what came", netns_get(w->dp, w->ns)->name, l->name);
		return;
	}
	add_hop(w, ST_DECAP, there, "unpacked");
	enter(w, there);
}

static bool other_captured(const struct walker *w, const struct route *r, const struct link *l, ip_addr hop)
{
	struct route outer;
	link_h far = { 0 };

	if (l && l->kind == LINK_PHYS)
		far = segment_owner(w->dp, l->segment, hop);
	else if (l && (l->kind == LINK_VXLAN || l->kind == LINK_IPIP) && ip_set(r->encap) && route_lookup(w->dp, w->ns, r->encap, &outer) && outer.dev.i)
		far = segment_owner(w->dp, link_get(w->dp, outer.dev)->segment, ip_set(outer.via) ? outer.via : r->encap);
	return far.i && link_get(w->dp, far)->netns.i != w->ns.i;
}

/* Out of a captured node: what is behind its links is not known, and taken to exist and to answer, unless the neighbour table says that nobody does. */
static void leave(struct walker *w, const struct route *r, const struct link *l, ip_addr hop)
{
	const struct netns *ns = netns_get(w->dp, w->ns);
	const struct neigh *n = NULL;
	struct sb text = { 0 };

	for (uint32_t k = 0; k < w->dp->neighs.nr && l; k++)
		if (w->dp->neighs.v[k].dev.i == r->dev.i && ip_eq(w->dp->neighs.v[k].ip, hop))
			n = &w->dp->neighs.v[k];
	if (l && !l->up) {
		end(w, V_LOST, "%s of %s is down", l->name, ns->name);
		return;
	}
	if (n && n->failed) {
		add_hop(w, ST_LINK, r->dev, "nobody answers for %s: its neighbour entry has failed", IP(hop));
		end(w, V_LOST, "nobody on %s of %s answers for %s: its neighbour entry has failed", l->name, ns->name, IP(hop));
		return;
	}
	sb_printf(&text, "leaves %s by %s towards %s", ns->name, l ? l->name : "an interface that nobody told", IP(hop));
	if (n)
		sb_printf(&text, " (%02x:%02x:%02x:%02x:%02x:%02x)", n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
	if (ip_set(r->encap))
		sb_printf(&text, ", in %s to %s", l && l->kind == LINK_IPIP ? "IPIP" : "VXLAN", IP(r->encap));
	add_hop(w, ip_set(r->encap) ? ST_ENCAP : ST_LINK, r->dev, "%s", sb_text(&text));
	w->half->as_seen = tuple_of(&w->p);
	if (w->back) {
		end(w, V_LOST, "the answer %s, and not to where the question came from", sb_text(&text));
	} else {
		w->out.assumed = true;
		w->assumed_at = w->ns;
		w->left_by = r->dev;
		w->half->end = (netns_h){ 0 };
		end(w, V_DELIVERED, "%s; what is there was not captured: it is taken to answer", sb_text(&text));
	}
	sb_free(&text);
}

void transmit(struct walker *w, const struct route *r)
{
	ip_addr hop = ip_set(r->via) ? r->via : w->p.dst;
	const struct link *l = r->dev.i ? link_get(w->dp, r->dev) : NULL;
	link_h port;

	if (netns_get(w->dp, w->ns)->captured && !other_captured(w, r, l, hop)) {
		leave(w, r, l, hop);
		return;
	}
	if (!l || !l->up) {
		end(w, V_LOST, "%s of %s is down", l ? l->name : "the interface", netns_get(w->dp, w->ns)->name);
		return;
	}
	switch ((enum link_kind)l->kind) {
	case LINK_VETH:
		over_veth(w, r->dev, hop);
		break;
	case LINK_PHYS:
		over_segment(w, r->dev, hop);
		break;
	case LINK_VXLAN:
	case LINK_IPIP:
		over_tunnel(w, r);
		break;
	case LINK_BRIDGE:
		port = port_of(w, r->dev, hop);
		if (!port.i)
			nobody(w, r->dev, hop);
		else
			enter(w, link_peer(w->dp, port));
		break;
	case LINK_LO:
		end(w, V_LOST, "sent to lo, but %s is no address of %s", IP(w->p.dst), netns_get(w->dp, w->ns)->name);
		break;
	}
}

/* Out of the bridge by a port. With br_netfilter a bridged frame passes forward and postrouting too. */
static void bridge_out(struct walker *w, link_h in, link_h out, bool filtered)
{
	const struct link *port = link_get(w->dp, out);

	if (out.i == in.i && !port->hairpin) {
		add_hop(w, ST_BRIDGE, out, "would have to leave by the port it came in: hairpin mode is off");
		end(w, V_LOST, "the bridge does not send a frame back to the port it came from: hairpin mode of %s is off", port->name);
		return;
	}
	if (filtered) {
		w->p.oif = link_get(w->dp, port->master)->name;
		if (!run_hook(w, HOOK_FORWARD, port->master) || !run_hook(w, HOOK_POSTROUTING, port->master))
			return;
	}
	add_hop(w, ST_BRIDGE, out, "switched");
	enter(w, link_peer(w->dp, out));
}

/* A frame from a Pod: for the bridge itself it goes up; for another port it is switched. With bridge-nf-call-iptables=1 prerouting runs before that is decided, so
 * a DNAT to a Pod on the same bridge is switched as well, if the node forwards: the new address is looked up as that of a packet which is to be forwarded
 * (br_netfilter_hooks.c br_nf_pre_routing_finish, route.c ip_route_input_slow). */
static void bridge_in(struct walker *w, link_h in)
{
	link_h bridge = link_get(w->dp, in)->master, out;
	const struct link *from = link_get(w->dp, link_get(w->dp, in)->peer);
	netns_h pod = from->netns;
	struct netns *ns;
	struct route r;
	ip_addr hop;
	bool routed;

	if (!route_lookup(w->dp, pod, w->p.dst, &r))
		r = (struct route){ 0 };
	hop = ip_set(r.via) ? r.via : w->p.dst;
	w->ns = link_get(w->dp, in)->netns;
	ns = netns_get(w->dp, w->ns);
	routed = addr_is_local(w->dp, w->ns, hop);
	if (!ns->bridge_nf) {
		out = routed ? (link_h){ 0 } : port_of(w, bridge, hop);
		if (routed)
			come_in(w, bridge);
		else if (out.i)
			bridge_out(w, in, out, false);
		else
			nobody(w, bridge, hop);
		return;
	}
	if (++w->steps > MAX_STEPS || ns->down) {
		end(w, V_LOST, "%s is down", ns->name);
		return;
	}
	dataplane_node_ready(w->dp, w->ns);
	w->p.mark = 0;
	w->p.iif = link_get(w->dp, bridge)->name;
	w->p.oif = NULL;
	track(w);
	hop = w->p.dst;
	if (!run_hook(w, HOOK_PREROUTING, bridge))
		return;
	out = port_of(w, bridge, w->p.dst);
	if (out.i && (!routed || !ip_eq(hop, w->p.dst)) && (ip_eq(hop, w->p.dst) || ns->forward4 || !ip_is4(w->p.dst)))
		bridge_out(w, in, out, true);
	else
		route_on(w, bridge, false);
}
