#include "model/dataplane/compile.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/dataplane/kube_proxy.h"
#include "model/dataplane/policy_calico.h"
#include "model/l7/mesh.h"

#define CLIENT_SEGMENT 2
#define NODE_SEGMENT   1

cause_h cause_of(struct compile *x, const struct object *o, const char *path)
{
	return cause_add(x->dp, o->id.i, path, (cause_h){ 0 });
}

/* ---- who is where */

static bool has_sandbox(const struct pod *p)
{
	return p->node && ip_set(p->ip) && !pod_is_terminal(p);
}

static int by_node(const void *a, const void *b)
{
	const struct pod *p = *(struct pod *const *)a, *q = *(struct pod *const *)b;
	int d = str_order(p->node, q->node);

	d = d ? d : (int)p->spec->host_network - (int)q->spec->host_network;
	d = d ? d : str_order(p->o.ns, q->o.ns);
	return d ? d : str_order(p->o.name, q->o.name);
}

static void find_nodes(struct compile *x)
{
	struct object_list nodes = cluster_list(x->cluster, &node_kind), pods = cluster_list(x->cluster, &pod_kind);
	struct pod **all = arena_array(x->arena, struct pod *, pods.nr);
	uint32_t nr = 0, at = 0;

	for (uint32_t k = 0; k < pods.nr; k++)
		if (has_sandbox((struct pod *)pods.v[k]))
			all[nr++] = (struct pod *)pods.v[k];
	qsort(all, nr, sizeof(*all), by_node);
	x->nr_nodes = nodes.nr;
	x->nodes = arena_array(x->arena, struct node_build, nodes.nr);
	for (uint32_t k = 0; k < nodes.nr; k++) {
		struct node_build *nb = &x->nodes[k];

		nb->node = (struct node *)nodes.v[k];
		while (at < nr && strcmp(all[at]->node, nb->node->o.name) < 0)  /* on a node that has no object: not wired */
			at++;
		nb->pods = all + at;
		while (at < nr && all[at]->node == nb->node->o.name && !all[at]->spec->host_network)
			at++, nb->nr_pods++;
		nb->host_pods = all + at;
		while (at < nr && all[at]->node == nb->node->o.name)
			at++, nb->nr_host_pods++;
	}
}

static bool node_is_dead(const struct node *n)
{
	return label_get(&n->o.annotations, "podwire.io/down") != NULL;
}

/* ---- the underlay: one L2, a gateway, the client behind it */

struct underlay { struct cidr net4, net6; };

static bool internal_ip(const struct node *n, uint32_t i, ip_addr *ip)
{
	return streq(n->addresses.v[i].type, "InternalIP") && n->addresses.v[i].address && ip_parse(n->addresses.v[i].address, ip);
}

/* The longest prefix that covers every InternalIP of the family, with room for a gateway. */
static struct cidr covering(const struct compile *x, bool four)
{
	struct cidr net = { .len = four ? 24 : 64 };

	for (uint32_t k = 0; k < x->nr_nodes; k++)
		for (uint32_t i = 0; i < x->nodes[k].node->addresses.nr; i++) {
			ip_addr ip;

			if (!internal_ip(x->nodes[k].node, i, &ip) || ip_is4(ip) != four)
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
			for (uint32_t i = 0; i < x->nodes[k].node->addresses.nr && !again; i++) {
				ip_addr ip;

				again = internal_ip(x->nodes[k].node, i, &ip) && ip_eq(ip, at);
			}
		if (again)
			at = ip_add(at, 1);
	}
	return at;
}

static void make_mac(uint8_t mac[6], ip_addr ip)
{
	uint32_t low = (uint32_t)ip.lo;

	mac[0] = 0x02;
	mac[1] = ip_is4(ip) ? 0x42 : 0x46;
	for (int k = 0; k < 4; k++)
		mac[2 + k] = (uint8_t)(low >> (24 - 8 * k));
}

static link_h add_phys(struct compile *x, netns_h ns, const char *name, uint32_t segment)
{
	link_h h = link_add(x->dp, ns, name, LINK_PHYS);
	struct link *l = link_get(x->dp, h);

	l->up = true;
	l->mtu = UPLINK_MTU;
	l->segment = segment;
	l->forwarding = true;
	return h;
}

static void add_lo(struct compile *x, netns_h ns)
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

/* The gateway and, on a segment of its own, the host outside the cluster. */
static void add_outside(struct compile *x, const struct underlay *u)
{
	netns_h router = netns_add(x->dp, NS_ROUTER, "router"), client;
	ip_addr gw4 = ip_from4(0xcb007101), client4 = ip_from4(0xcb00710a);     /* 203.0.113.1, 203.0.113.10 */
	struct cidr net4 = { ip_mask(gw4, 24), 24, true }, net6 = { 0 };
	ip_addr gw6 = { 0 }, client6 = { 0 };
	link_h in, out;

	cidr_parse("2001:db8:113::/64", &net6);
	gw6 = ip_add(net6.addr, 1);
	client6 = ip_add(net6.addr, 10);
	add_lo(x, router);
	in = add_phys(x, router, "eth0", NODE_SEGMENT);
	out = add_phys(x, router, "eth1", CLIENT_SEGMENT);
	netns_get(x->dp, router)->forward4 = netns_get(x->dp, router)->forward6 = true;
	if (u->net4.set) {
		addr_add(x->dp, in, x->gateway4, u->net4.len);
		add_connected(x, router, in, u->net4, x->gateway4);
	}
	if (u->net6.set) {
		addr_add(x->dp, in, x->gateway6, u->net6.len);
		add_connected(x, router, in, u->net6, x->gateway6);
	}
	addr_add(x->dp, out, gw4, 24);
	addr_add(x->dp, out, gw6, 64);
	make_mac(link_get(x->dp, in)->mac, u->net4.set ? x->gateway4 : x->gateway6);
	make_mac(link_get(x->dp, out)->mac, gw4);
	add_connected(x, router, out, net4, gw4);
	add_connected(x, router, out, net6, gw6);
	lb_routes(x, router, in);

	client = netns_add(x->dp, NS_CLIENT, "client");
	add_lo(x, client);
	out = add_phys(x, client, "eth0", CLIENT_SEGMENT);
	addr_add(x->dp, out, client4, 24);
	addr_add(x->dp, out, client6, 64);
	make_mac(link_get(x->dp, out)->mac, client4);
	netns_get(x->dp, client)->uplink = out;
	add_connected(x, client, out, net4, client4);
	add_connected(x, client, out, net6, client6);
	add_default(x, client, out, gw4);
	add_default(x, client, out, gw6);
	listener_add(x->dp, client, 0, 0)->kind = LISTEN_ANY;
}

/* ---- nodes and Pods */

link_h add_veth(struct compile *x, netns_h ns, const char *name, link_h peer)
{
	link_h h = link_add(x->dp, ns, name, LINK_VETH);
	struct link *l = link_get(x->dp, h);

	l->up = true;
	l->forwarding = true;
	l->mtu = pod_mtu(x);
	l->peer = peer;
	if (peer.i)
		link_get(x->dp, peer)->peer = h;
	return h;
}

static void add_uplink(struct compile *x, struct node_build *nb, const struct underlay *u)
{
	const struct node *n = nb->node;
	struct netns *ns;

	nb->ns = netns_add(x->dp, NS_NODE, arena_printf(x->arena, "node/%s", n->o.name));
	ns = netns_get(x->dp, nb->ns);
	ns->object = n->o.id.i;
	ns->hostname = n->o.name;
	ns->forward4 = ns->forward6 = true;
	ns->down = node_is_dead(n);
	ns->uses_blocks = true;
	add_lo(x, nb->ns);
	nb->uplink = add_phys(x, nb->ns, "eth0", NODE_SEGMENT);
	netns_get(x->dp, nb->ns)->uplink = nb->uplink;
	link_get(x->dp, nb->uplink)->cause = cause_of(x, &n->o, "status.addresses");
	for (uint32_t i = 0; i < n->addresses.nr; i++) {
		ip_addr ip;

		if (streq(n->addresses.v[i].type, "Hostname") || !n->addresses.v[i].address || !ip_parse(n->addresses.v[i].address, &ip))
			continue;
		if (ip_is4(ip) && !ip_set(nb->ip4))
			nb->ip4 = ip;
		if (!ip_is4(ip) && !ip_set(nb->ip6))
			nb->ip6 = ip;
		addr_add(x->dp, nb->uplink, ip, (ip_is4(ip) ? u->net4 : u->net6).len);
	}
	make_mac(link_get(x->dp, nb->uplink)->mac, ip_set(nb->ip4) ? nb->ip4 : nb->ip6);
	if (u->net4.set && ip_set(nb->ip4))
		add_connected(x, nb->ns, nb->uplink, u->net4, nb->ip4);
	if (u->net6.set && ip_set(nb->ip6))
		add_connected(x, nb->ns, nb->uplink, u->net6, nb->ip6);
	if (ip_set(nb->ip4))
		add_default(x, nb->ns, nb->uplink, x->gateway4);
	if (ip_set(nb->ip6))
		add_default(x, nb->ns, nb->uplink, x->gateway6);
}

/* A sidecar's redirect, as the init container wrote it. */
static void pod_rules(struct compile *x, const struct pod *p, netns_h ns)
{
	struct mesh_capture m = mesh_capture(p->spec);
	cause_h cause;
	struct ruleset *rs;

	if (!m.set)
		return;
	cause = cause_of(x, &p->o, "spec.initContainers");
	rs = ruleset_new(x->arena, x->dp->strings, NULL);
	mesh_rules(rs, &m, false, cause.i);
	mesh_rules(rs, &m, true, cause.i);
	ruleset_finish(rs);
	netns_get(x->dp, ns)->rules = rs;
}

static void add_node(struct compile *x, struct node_build *nb, const struct underlay *u)
{
	link_h *host_end = arena_array(x->arena, link_h, nb->nr_pods);
	struct kube_proxy_sysctls sysctls;

	add_uplink(x, nb, u);
	x->cni->node(x, nb, host_end);
	sysctls = kube_proxy_sysctls(x->settings);
	if (sysctls.route_localnet)
		for (uint32_t k = 0; k < netns_get(x->dp, nb->ns)->links.nr; k++)
			x->dp->links.v[netns_get(x->dp, nb->ns)->links.at + k].route_localnet = true;
	node_listeners(x, nb);
	for (uint32_t k = 0; k < nb->nr_host_pods; k++)
		pod_listeners(x, nb->host_pods[k], nb->ns);
	for (uint32_t k = 0; k < nb->nr_pods; k++) {
		struct pod *p = nb->pods[k];
		netns_h ns = netns_add(x->dp, NS_POD, arena_printf(x->arena, "pod/%s/%s", p->o.ns, p->o.name));
		link_h eth0;

		netns_get(x->dp, ns)->object = p->o.id.i;
		netns_get(x->dp, ns)->node = nb->ns;
		netns_get(x->dp, ns)->hostname = p->hostname ? p->hostname : p->o.name;
		add_lo(x, ns);
		eth0 = x->cni->pod(x, nb, p, ns, host_end[k]);
		netns_get(x->dp, ns)->uplink = eth0;
		pod_listeners(x, p, ns);
		pod_rules(x, p, ns);
	}
}

/* ---- addresses in EndpointSlices that no object owns */

static bool somebody_has(const struct compile *x, ip_addr ip)
{
	if (find_pod_by_ip(x->cluster, ip))
		return true;
	for (uint32_t k = 0; k < x->nr_nodes; k++)
		for (uint32_t i = 0; i < x->nodes[k].node->addresses.nr; i++) {
			ip_addr have;

			if (x->nodes[k].node->addresses.v[i].address && ip_parse(x->nodes[k].node->addresses.v[i].address, &have) && ip_eq(have, ip))
				return true;
		}
	return false;
}

static void assume(struct compile *x, const struct endpointslice *s, const struct endpoint *e)
{
	netns_h node = { 0 };
	ip_addr ip;

	if (!e->addresses.nr || !ip_parse_lenient(e->addresses.v[0], &ip) || somebody_has(x, ip))
		return;
	if (e->node)
		node = netns_find(x->dp, arena_printf(x->arena, "node/%s", e->node));
	for (uint32_t k = 0; k < MAX(s->ports.nr, 1u); k++) {
		uint16_t port = s->ports.nr && s->ports.v[k].port.set ? (uint16_t)s->ports.v[k].port.v : 0;
		cause_h why = cause_of(x, &s->o, "endpoints");

		*vec_push(x->arena, &x->dp->assumed) = (__typeof__(*x->dp->assumed.v)){ ip, port, node, why };
	}
}

static void add_assumed(struct compile *x)
{
	struct object_list slices = cluster_list(x->cluster, &endpointslice_kind);

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++)
			assume(x, s, &s->endpoints.v[i]);
	}
}

/* ---- rules of a node, at its first use */

static void compile_node(void *ctx, struct dataplane *dp, netns_h h)
{
	struct compile *x = ctx;
	struct node_build *nb = NULL;
	struct netns *ns = netns_get(dp, h);

	if (ns->kind != NS_NODE)
		return;
	for (uint32_t lo = 0, hi = x->nr_nodes; lo < hi && !nb;) {      /* namespaces of nodes were made in this order */
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->nodes[mid].ns.i == h.i)
			nb = &x->nodes[mid];
		else if (x->nodes[mid].ns.i < h.i)
			lo = mid + 1;
		else
			hi = mid;
	}
	assert(nb);
	if (!x->variant) {
		uint32_t before;

		x->variant = ruleset_new(x->arena, dp->strings, NULL);
		policy_calico_hooks(x, x->variant);
		before = ruleset_nr_rules(x->variant);
		kube_proxy_variant(x->cluster, x->settings, x->variant, dp);
		x->nothing_shared = ruleset_nr_rules(x->variant) == before;
		if (x->cni->rules_variant)
			x->cni->rules_variant(x, x->variant);
		ruleset_finish(x->variant);
	}
	ns->rules = ruleset_new(x->arena, dp->strings, x->variant);
	if (x->nothing_shared)                  /* kube-proxy writes the base chains of this node itself, and so hides the variant's */
		policy_calico_hooks(x, ns->rules);
	kube_proxy_node(x->cluster, x->settings, nb->node, ns->rules, dp);
	policy_calico_node(x, nb, ns->rules);
	if (x->cni->rules_node)
		x->cni->rules_node(x, nb, ns->rules);
	ruleset_finish(ns->rules);
}

struct dataplane *dataplane_compile(struct cluster *c, struct mem *mem)
{
	struct arena *a = arena_new(mem, "dataplane");
	struct dataplane *dp = arena_make(a, struct dataplane);
	struct compile *x = arena_make(a, struct compile);
	struct underlay u;

	dp->arena = a;
	dp->strings = cluster_strings(c);
	*x = (struct compile){ .cluster = c, .settings = cluster_settings(c), .dp = dp, .arena = a };
	x->cni = cni_table[x->settings->cni];
	dp->compile_node = compile_node;
	dp->ctx = x;
	dataplane_begin(dp);
	x->policies = policies_compile(c, a, &x->nr_policies);
	find_nodes(x);
	u = (struct underlay){ covering(x, true), covering(x, false) };
	if (u.net4.set)
		x->gateway4 = free_address(x, u.net4);
	if (u.net6.set)
		x->gateway6 = free_address(x, u.net6);
	x->cni->network(x);
	for (uint32_t k = 0; k < x->nr_nodes; k++)
		add_node(x, &x->nodes[k], &u);
	add_outside(x, &u);
	if (x->cni->finish)
		x->cni->finish(x);
	add_assumed(x);
	dataplane_finish(dp);
	return dp;
}

void dataplane_free(struct dataplane *dp)
{
	if (dp)
		arena_free(dp->arena);
}
