/* The way between the hooks: from a socket or a link to a socket or a link. Source: linux net/ipv4/{ip_input,ip_forward,ip_output,route}.c. */
#include "sim/trace/walker.h"

static struct hop *moved(struct walker *w, enum stage st, link_h l, const char *what, const struct route *r)
{
	struct hop *h = note_hop(w, st, l, what);

	if (h && r) {
		h->route = *r;
		h->has_route = true;
		h->cause = r->cause;
	}
	return h;
}

static const char *route_words(struct walker *w, const struct route *r)
{
	const char *dev = r->dev.i ? link_get(w->dp, r->dev)->name : "?", *dst = r->dst.len ? CIDR(r->dst) : "default";

	if (!r->dev.i && netns_get(w->dp, w->ns)->captured)
		return arena_printf(w->a, "nobody told the routes: %s leaves by some interface", IP(w->p.dst));
	if (r->table && r->table != TABLE_MAIN)
		return arena_printf(w->a, "%s%s%s dev %s table %u", dst, ip_set(r->via) ? " via " : "", IP(r->via), dev, r->table);
	if (ip_set(r->via))
		return arena_printf(w->a, "%s via %s dev %s", dst, IP(r->via), dev);
	return arena_printf(w->a, "%s dev %s", dst, dev);
}

/* ---- delivery */

static const struct listener *listener_for(const struct walker *w, bool *any)
{
	const struct netns *ns = netns_get(w->dp, w->ns);

	*any = false;
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t k = 0; k < ns->listeners.nr; k++) {
			const struct listener *l = &ns->listeners.v[k];

			if (pass && l->kind == LISTEN_ANY) {
				*any = true;
				return l;
			}
			if (!pass && l->kind == LISTEN_PORT && l->proto == w->p.proto && l->port == w->p.dport && (!ip_set(l->addr) || ip_eq(l->addr, w->p.dst)))
				return l;
		}
	return NULL;
}

static bool is_icmp(const struct walker *w)
{
	return w->p.proto == PROTO_ICMP || w->p.proto == PROTO_ICMPV6;
}

static void arrive(struct walker *w, link_h in)
{
	const char *where = netns_get(w->dp, w->ns)->name;
	const struct listener *l;
	bool any;

	if (w->back) {
		add_hop(w, ST_DELIVER, in, w->out.too_large_for ? "the error reaches %s" : "the answer reaches %s", where);
		w->half->as_seen = tuple_of(&w->p);
		w->half->end = w->ns;
		end(w, V_DELIVERED, "the answer reached %s", where);
		return;
	}
	w->half->as_seen = tuple_of(&w->p);
	w->half->end = w->ns;
	if (is_icmp(w)) {
		add_hop(w, ST_DELIVER, in, "echo request for %s itself", where);
		end(w, V_DELIVERED, "%s answers echo requests", where);
		return;
	}
	l = listener_for(w, &any);
	if (!l) {
		add_hop(w, ST_DELIVER, in, "nobody listens on port %u", w->p.dport);
		end(w, V_REFUSED, "nobody in %s listens on port %u: %s", where, w->p.dport, w->p.proto == PROTO_TCP ? "the answer is a reset" : "the answer is port unreachable");
		return;
	}
	w->out.listener = l;
	w->out.assumed = any;
	{
		struct hop *h = add_hop(w, ST_DELIVER, in, "taken by %s%s", l->container ? "container " : "", l->container ? l->container : where);

		if (h)
			h->cause = l->cause;
	}
	end(w, V_DELIVERED, "delivered to %s", where);
}

static void go_in(struct walker *w, link_h in)
{
	ip_addr asked = w->p.dst;

	if (!run_hook(w, HOOK_INPUT, in))
		return;
	if (ip_eq(asked, w->p.dst) || addr_is_local(w->dp, w->ns, w->p.dst)) {
		arrive(w, in);
		return;
	}
	/* IPVS rewrites on the way in and sends on through the output hooks (ip_vs_xmit.c ip_vs_nat_xmit). */
	w->p.iif = NULL;
	w->ct->dst_done = true;
	w->ct->src_done = false;
	if (run_hook(w, HOOK_OUTPUT, (link_h){ 0 }))
		route_on(w, (link_h){ 0 }, true);
}

/* ---- endpoints that no object owns: taken as a listener that answers */

static bool assumed_here(struct walker *w, netns_h *node)
{
	uint32_t nr = 0;
	const struct assumed *v = w->back ? NULL : assumed_find(w->dp, w->p.dst, &nr);

	for (uint32_t k = 0; k < nr; k++) {
		if (v[k].doubt) {
			end(w, V_UNKNOWN, "%s", v[k].doubt);
			return false;
		}
		*node = v[k].node;
		if (v[k].port == w->p.dport || !v[k].port)
			return true;
	}
	return nr > 0;
}

static void take_assumed(struct walker *w, netns_h node, link_h l)
{
	w->out.assumed = true;
	w->assumed_at = node;
	w->half->as_seen = tuple_of(&w->p);
	w->half->end = (netns_h){ 0 };
	add_hop(w, ST_DELIVER, l, "no object owns %s: it is taken to exist and to answer", IP(w->p.dst));
	end(w, V_DELIVERED, "delivered to %s, which no object owns", IP(w->p.dst));
}

/* ---- routing */

static bool forwards(const struct walker *w)
{
	const struct netns *ns = netns_get(w->dp, w->ns);

	return ip_is4(w->p.dst) ? ns->forward4 : ns->forward6;
}

/* The packet as policy routing sees it. */
static struct flow_key flow_of(const struct walker *w)
{
	return (struct flow_key){ .src = w->p.src, .dst = w->p.dst, .mark = w->p.mark, .iif = w->p.iif, .oif = NULL, .iif_unknown = w->p.iif_unknown };
}

static bool is_here(const struct walker *w)
{
	struct flow_key f = flow_of(w);

	return route_is_local(w->dp, w->ns, &f);
}

/* false: none; or nobody can tell, and then it is over. Where nobody told the routes, a way by some interface is taken to exist. */
static bool find_route(struct walker *w, struct route *r)
{
	const struct netns *ns = netns_get(w->dp, w->ns);
	struct flow_key f = flow_of(w);
	const char *why = NULL;
	int found = route_lookup_flow(w->dp, w->ns, &f, r, &why);

	if (found < 0) {
		add_hop(w, ST_ROUTE, (link_h){ 0 }, "ip rule \"%s\" cannot be judged", why);
		end(w, V_UNKNOWN, "the routing of %s to %s: ip rule \"%s\" cannot be judged", ns->name, IP(w->p.dst), why);
	}
	if (found == 0 && ns->routes_unknown & (ip_is4(w->p.dst) ? 1 : 2)) {
		*r = (struct route){ .dst = { w->p.dst, (uint8_t)ip_bits(w->p.dst), true } };
		return true;
	}
	if (found > 0 && r->nr_also) {
		uint32_t way = choose_way(w, r->nr_also + 1, 0, 0);

		r->via = way ? r->also[way - 1] : r->via;
	}
	return found > 0;
}

/* Several next hops by several links: each is followed. */
static bool which_hop(struct walker *w, struct route *r)
{
	struct route other;

	while (r->several && route_next_hop(w->dp, w->ns, r, &other)) {
		uint32_t way = unknown_way(w, arena_printf(w->a, "the route of %s to %s has several next hops, and which one a connection takes its hash decides", netns_get(w->dp, w->ns)->name, CIDR(r->dst)),
					   hash_mix(hash_mix(w->ns.i, 0x6e686f70), r->hop));

		if (way == WAY_ENDS)
			return false;
		if (way == 0)
			return true;
		*r = other;
	}
	return true;
}

static bool route_of(struct walker *w, struct route *r)
{
	const char *where = netns_get(w->dp, w->ns)->name;

	if (!find_route(w, r)) {
		if (w->over)
			return false;
		add_hop(w, ST_ROUTE, (link_h){ 0 }, "no route to %s", IP(w->p.dst));
		end(w, V_UNROUTABLE, "%s has no route to %s", where, IP(w->p.dst));
		return false;
	}
	if (r->type != RT_UNICAST) {
		moved(w, ST_ROUTE, (link_h){ 0 }, r->type == RT_BLACKHOLE ? "blackhole" : "unreachable", r);
		end(w, r->type == RT_BLACKHOLE ? V_DROPPED : V_UNROUTABLE, "%s has a %s route for %s, and no longer one to %s: no such Pod is there", where,
		    r->type == RT_BLACKHOLE ? "blackhole" : "unreachable", CIDR(r->dst), IP(w->p.dst));
		return false;
	}
	return which_hop(w, r);
}

/* A packet that came from a Pod address without a Pod goes back to where that Pod would be. */
static bool homeward(struct walker *w, struct route *r)
{
	if (!w->back || !w->from->enters || !ip_eq(w->p.dst, w->out.there.as_sent.src) || w->ns.i == w->from->from.i)
		return false;
	if (netns_get(w->dp, w->ns)->kind != NS_NODE || netns_get(w->dp, w->from->from)->kind != NS_NODE || w->from->in.i)
		return false;
	for (uint32_t k = 0; k < netns_get(w->dp, w->from->from)->links.nr; k++) {
		const struct link *l = link_get(w->dp, netns_link(netns_get(w->dp, w->from->from), k));

		if (l->kind == LINK_PHYS && l->nr_addrs) {
			*r = (struct route){ .dst = { w->p.dst, (uint8_t)ip_bits(w->p.dst), true }, .via = w->dp->addrs.v[l->addr].ip, .dev = netns_get(w->dp, w->ns)->uplink };
			return true;
		}
	}
	return false;
}

/* Is this where an answer leaves towards the one who asked from outside of what is modelled? */
static bool home(const struct walker *w)
{
	return w->back && w->from->enters && w->ns.i == w->from->from.i && ip_eq(w->p.dst, w->out.there.as_sent.src) && !addr_is_local(w->dp, w->ns, w->p.dst);
}

static void answer_left(struct walker *w, link_h l)
{
	w->half->as_seen = tuple_of(&w->p);
	w->half->end = w->ns;
	add_hop(w, ST_DELIVER, l, "the answer leaves towards %s, where it came from", IP(w->p.dst));
	end(w, V_DELIVERED, "the answer left towards %s", IP(w->p.dst));
}

uint32_t largest_piece(const struct walker *w)
{
	return w->piece ? w->piece : w->p.size;
}

/* All of a fragment's payload but the last one's comes in eights; in IPv6 each has a header of its own more. */
static uint32_t fragment_of(uint32_t mtu, bool six)
{
	uint32_t header = six ? 48 : 20;

	return mtu > header ? header + ((mtu - header) & ~7u) : mtu;
}

/* What does not fit is cut into pieces: by who sends it, and by an IPv4 router; an IPv6 router tells the sender, who cuts what follows (net/ipv6/ip6_output.c ip6_forward). Conntrack
 * puts pieces together and cuts them as they were. */
static bool too_large(struct walker *w, const struct route *r, bool from_socket)
{
	const struct link *l = r->dev.i ? link_get(w->dp, r->dev) : NULL;
	bool six = !ip_is4(w->p.dst);
	uint32_t size = largest_piece(w);

	if (!l || !size || size <= l->mtu)
		return false;
	if (!w->p.df && (from_socket || !six)) {
		w->piece = fragment_of(l->mtu, six);
		add_hop(w, ST_LINK, r->dev, "%u bytes do not fit into an MTU of %u: sent in fragments", w->p.size, l->mtu);
		return false;
	}
	if (!from_socket && !w->back)
		w->out.too_large_for = l->mtu;
	add_hop(w, ST_LINK, r->dev, "%u bytes do not fit into an MTU of %u", size, l->mtu);
	if (w->p.df)
		end(w, V_LOST, "too large: %u bytes with DF do not fit into the MTU of %u of %s in %s (%s)", size, l->mtu, l->name, netns_get(w->dp, w->ns)->name, six ? "packet too big" : "fragmentation needed");
	else
		end(w, V_LOST, "too large: %u bytes do not fit into the MTU of %u of %s in %s, and an IPv6 router does not fragment (packet too big: the sender fragments what follows)", size, l->mtu, l->name,
		    netns_get(w->dp, w->ns)->name);
	return true;
}

/* Does the route's next hop lead out of the nodes' network? */
static bool leads_outside(const struct walker *w, const struct route *r)
{
	const struct link *l = r->dev.i ? link_get(w->dp, r->dev) : NULL;
	link_h far = l && l->kind == LINK_PHYS && ip_set(r->via) ? segment_owner(w->dp, l->segment, r->via) : (link_h){ 0 };

	return far.i && netns_get(w->dp, link_get(w->dp, far)->netns)->kind == NS_ROUTER;
}

static void go_out(struct walker *w, const struct route *r, bool from_socket)
{
	netns_h at;
	struct route direct;

	w->p.oif = r->dev.i ? link_get(w->dp, r->dev)->name : NULL;
	w->p.oif_unknown = !w->p.oif && netns_get(w->dp, w->ns)->captured;
	if (!run_hook(w, HOOK_POSTROUTING, r->dev))
		return;
	if (home(w)) {
		answer_left(w, r->dev);
		return;
	}
	if (netns_get(w->dp, w->ns)->kind != NS_POD && assumed_here(w, &at)) {          /* a Pod's packets pass its node first */
		w->assumed_outside = !at.i && leads_outside(w, r);
		if (!at.i || at.i == w->ns.i || netns_get(w->dp, w->ns)->kind != NS_NODE) {
			take_assumed(w, at, r->dev);
			return;
		}
		direct = *r;                    /* its node is another one: there it would be */
		for (uint32_t k = 0; k < netns_get(w->dp, at)->links.nr; k++) {
			const struct link *l = link_get(w->dp, netns_link(netns_get(w->dp, at), k));

			for (uint32_t i = 0; l->kind == LINK_PHYS && i < l->nr_addrs; i++)
				if (ip_is4(w->dp->addrs.v[l->addr + i].ip) == ip_is4(w->p.dst) && netns_get(w->dp, w->ns)->uplink.i) {
					direct.via = w->dp->addrs.v[l->addr + i].ip;
					direct.dev = netns_get(w->dp, w->ns)->uplink;
					direct.encap = (ip_addr){ 0, 0 };
					transmit(w, &direct);
					return;
				}
		}
		take_assumed(w, at, r->dev);
		return;
	}
	if (too_large(w, r, from_socket))
		return;
	transmit(w, r);
}

static bool rp_filtered(struct walker *w, link_h in)
{
	const struct link *l = in.i ? link_get(w->dp, in) : NULL;
	struct flow_key f = { .src = w->p.dst, .dst = w->p.src };
	const char *why = NULL;
	struct route back;

	if (!l || !l->rp_filter)
		return false;
	if (route_lookup_flow(w->dp, w->ns, &f, &back, &why) != 0 && back.type == RT_UNICAST && (l->rp_filter == 2 || back.dev.i == in.i))
		return false;
	add_hop(w, ST_ROUTE, in, "rp_filter");
	end(w, V_DROPPED, "rp_filter of %s in %s: the route back to %s leads elsewhere", l->name, netns_get(w->dp, w->ns)->name, IP(w->p.src));
	return true;
}

/* An IPv4 packet that comes from a link with an address of our own is not believed (net/ipv4/fib_frontend.c fib_validate_source; accept_local is 0). */
static bool own_source(struct walker *w, link_h in)
{
	const struct netns *ns = netns_get(w->dp, w->ns);

	if (!in.i || link_get(w->dp, in)->kind == LINK_LO || ns->captured || !ip_is4(w->p.src) || !addr_is_local(w->dp, w->ns, w->p.src))
		return false;
	add_hop(w, ST_ROUTE, in, "martian source");
	end(w, V_DROPPED, "%s comes in by %s, but it is an address of %s itself: a martian source", IP(w->p.src), link_get(w->dp, in)->name, ns->name);
	return true;
}

/* To an address that is assumed there is a way, be it only the uplink. */
static bool with_route_or_uplink(struct walker *w, struct route *r)
{
	if (!route_lookup(w->dp, w->ns, w->p.dst, r))
		*r = (struct route){ .dev = netns_get(w->dp, w->ns)->uplink };
	return true;
}

void route_on(struct walker *w, link_h in, bool from_socket)
{
	struct route r;
	netns_h at;
	bool assumed;

	if (!from_socket && own_source(w, in))
		return;
	if (is_here(w)) {
		if (ip_is_loopback(w->p.dst) && in.i && !from_socket && !link_get(w->dp, in)->route_localnet && link_get(w->dp, in)->kind != LINK_LO) {
			add_hop(w, ST_ROUTE, in, "martian destination");
			end(w, V_DROPPED, "a loopback address from outside is a martian: route_localnet is 0 on %s", link_get(w->dp, in)->name);
			return;
		}
		go_in(w, in);
		return;
	}
	assumed = assumed_here(w, &at);
	if (w->over)
		return;
	if (home(w) && !find_route(w, &r))
		r = (struct route){ .dev = w->from->in };
	else if (!homeward(w, &r) && !(assumed && with_route_or_uplink(w, &r)) && !route_of(w, &r))
		return;
	if (!from_socket) {
		if (!forwards(w)) {
			add_hop(w, ST_FORWARD, in, "ip_forward is 0");
			end(w, V_DROPPED, "%s does not forward: ip_forward is 0", netns_get(w->dp, w->ns)->name);
			return;
		}
		if (w->p.ttl-- <= 1) {
			end(w, V_LOST, "time to live exceeded in %s: the packet goes round in circles", netns_get(w->dp, w->ns)->name);
			return;
		}
	}
	if (w->over)
		return;
	if (from_socket && r.dev.i && ip_is_loopback(w->p.src) && ip_is4(w->p.src) && link_get(w->dp, r.dev)->kind != LINK_LO && !link_get(w->dp, r.dev)->route_localnet) {
		add_hop(w, ST_ROUTE, r.dev, "martian source");
		end(w, V_DROPPED, "a loopback address does not leave by %s: its route_localnet is 0", link_get(w->dp, r.dev)->name);
		return;
	}
	if (w->flags & WALK_RECORD)
		moved(w, from_socket ? ST_ROUTE : ST_FORWARD, r.dev, route_words(w, &r), &r);
	w->p.oif = r.dev.i ? link_get(w->dp, r.dev)->name : NULL;
	w->p.oif_unknown = !w->p.oif && netns_get(w->dp, w->ns)->captured;
	if (!from_socket && !run_hook(w, HOOK_FORWARD, r.dev))
		return;
	go_out(w, &r, from_socket);
}

/* ---- ways in */

void come_in(struct walker *w, link_h in)
{
	struct netns *ns = netns_get(w->dp, w->ns);

	if (++w->steps > MAX_STEPS) {
		end(w, V_LOST, "the packet goes round in circles");
		return;
	}
	if (ns->down) {
		end(w, V_LOST, "%s is down: nobody is there to take it", ns->name);
		return;
	}
	dataplane_node_ready(w->dp, w->ns);
	w->p.mark = 0;          /* marks do not cross namespaces */
	w->p.oif = NULL;
	w->p.iif = in.i ? link_get(w->dp, in)->name : w->from->in_name ? str_intern(w->dp->strings, w->from->in_name) : NULL;
	w->p.iif_unknown = !w->p.iif && ns->captured;
	w->p.oif_unknown = false;
	track(w);
	if (!run_hook(w, HOOK_PREROUTING, in) || rp_filtered(w, in))
		return;
	route_on(w, in, false);
}

/* From a process: the output hooks, and a new look at the route if they changed the destination. A local destination comes back over lo. */
void leave_socket(struct walker *w)
{
	struct netns *ns = netns_get(w->dp, w->ns);
	struct route r = { 0 };
	link_h lo = link_find(w->dp, w->ns, "lo");

	dataplane_node_ready(w->dp, w->ns);
	if (!ip_set(w->p.src)) {
		if (!is_here(w) && !route_of(w, &r))
			return;
		w->p.src = source_for(w->dp, w->ns, &r, w->p.dst);
		if (!ip_set(w->p.src) && ns->captured) {
			end(w, V_UNKNOWN, "nobody told an address of %s from which it could send", ns->name);
			return;
		}
	}
	w->half->as_sent = tuple_of(&w->p);
	w->p.mark = 0;
	w->p.iif = NULL;
	w->p.iif_unknown = w->p.oif_unknown = false;
	add_hop(w, ST_SOCKET, (link_h){ 0 }, !w->back ? "a process in %s sends" : w->out.too_large_for ? "%s says that it is too large" : "%s answers", ns->name);
	if (is_here(w)) {
		w->p.oif = lo.i ? link_get(w->dp, lo)->name : NULL;
	} else if (find_route(w, &r)) {
		w->p.oif = r.dev.i ? link_get(w->dp, r.dev)->name : NULL;
		w->p.oif_unknown = !w->p.oif && ns->captured;
	} else {
		if (w->over)
			return;
		route_of(w, &r);
		return;
	}
	track(w);
	if (!run_hook(w, HOOK_OUTPUT, r.dev))
		return;
	if (is_here(w)) {
		w->p.oif = lo.i ? link_get(w->dp, lo)->name : NULL;
		if (!run_hook(w, HOOK_POSTROUTING, lo))
			return;
		w->p.iif = w->p.oif;
		w->ct->dst_done = true;         /* the connection travels with the packet over lo */
		if (run_hook(w, HOOK_PREROUTING, lo))
			go_in(w, lo);
		return;
	}
	route_on(w, (link_h){ 0 }, true);
}
