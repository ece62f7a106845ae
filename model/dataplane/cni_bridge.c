/* The bridge plugin with host-local, its egress masquerade as kindnet writes it; other nodes' podCIDRs are static routes. */
#include "model/dataplane/cni_bridge.h"

#include "model/dataplane/hostport.h"

bool bridge_pod_cidr(const struct node *n, uint32_t i, struct cidr *out)
{
	if (n->pod_cidrs.nr)
		return i < n->pod_cidrs.nr && cidr_parse(n->pod_cidrs.v[i], out);
	return i == 0 && n->pod_cidr && cidr_parse(n->pod_cidr, out);
}

static void network(struct compile *x)
{
	x->pod_mtu = x->uplink_mtu;
}

void bridge_blocks(struct compile *x, bool v6, struct block_way way)
{
	for (uint32_t k = 0; k < x->nr_nodes; k++) {
		struct cidr net;

		for (uint32_t i = 0; bridge_pod_cidr(x->nodes[k].node, i, &net); i++)
			if (ip_is4(net.addr) != v6)
				block_add(x, net, &x->nodes[k], cause_of(x, &x->nodes[k].node->o, "spec.podCIDR"), way);
	}
}

static void finish(struct compile *x)
{
	const struct block_way way = { .proto = RTP_STATIC };

	bridge_blocks(x, false, way);
	bridge_blocks(x, true, way);
}

void bridge_wire_node(struct compile *x, struct node_build *nb, link_h *pod_link, bool hairpin)
{
	link_h cni0;
	struct cidr net;
	struct route *r;

	netns_get(x->dp, nb->ns)->bridge_nf = !x->settings->kernel.no_bridge_nf;        /* kubeadm's preflight asks for br_netfilter; bridge-nf-call-iptables is 1 by default */
	cni0 = link_add(x->dp, nb->ns, "cni0", LINK_BRIDGE);
	link_get(x->dp, cni0)->up = nb->nr_pods > 0;
	link_get(x->dp, cni0)->forwarding = true;
	link_get(x->dp, cni0)->mtu = x->pod_mtu;
	link_get(x->dp, cni0)->cause = cause_of(x, &nb->node->o, "spec.podCIDR");
	for (uint32_t i = 0; bridge_pod_cidr(nb->node, i, &net); i++)
		addr_add(x->dp, cni0, ip_add(net.addr, 1), net.len);
	if (bridge_pod_cidr(nb->node, 0, &net))
		pod_mac(link_get(x->dp, cni0)->mac, ip_add(net.addr, 1));
	for (uint32_t k = 0; k < nb->nr_pods; k++) {
		uint32_t id = fnv32a(nb->pods[k]->o.uid, strlen(nb->pods[k]->o.uid));
		struct link *l;

		pod_link[k] = add_veth(x, nb->ns, arena_printf(x->arena, "veth%08x", id), (link_h){ 0 });
		l = link_get(x->dp, pod_link[k]);
		l->master = cni0;
		if (hostport_needs_route_localnet(nb->pods[k]))
			link_get(x->dp, cni0)->route_localnet = true;
		l->hairpin = hairpin;
		l->cause = cause_of(x, &nb->pods[k]->o, "status.podIP");
	}
	for (uint32_t i = 0; bridge_pod_cidr(nb->node, i, &net); i++) {
		r = route_add(x->dp, nb->ns, net);
		r->dev = cni0;
		r->scope_link = true;
		r->proto = RTP_KERNEL;
		r->src = ip_add(net.addr, 1);
	}
}

/* The plugin's own default is hairpinMode: false. */
static void wire_node(struct compile *x, struct node_build *nb, link_h *pod_link)
{
	bridge_wire_node(x, nb, pod_link, false);
}

static struct cidr net_of(const struct node *n, ip_addr ip)
{
	struct cidr net = { ip, (uint8_t)ip_bits(ip), true };

	for (uint32_t i = 0; bridge_pod_cidr(n, i, &net) && !cidr_contains(net, ip); i++)
		;
	return net;
}

uint8_t bridge_pod_prefix(struct compile *x, struct node_build *nb, ip_addr ip)
{
	(void)x;
	return net_of(nb->node, ip).len;
}

static void pod_family(struct compile *x, const struct node *n, netns_h ns, link_h eth0, ip_addr ip)
{
	struct cidr net = net_of(n, ip), all = { ip_is4(ip) ? ip_from4(0) : (ip_addr){ 0, 0 }, 0, true };
	struct route *r;

	addr_add(x->dp, eth0, ip, net.len);
	r = route_add(x->dp, ns, (struct cidr){ ip_mask(ip, net.len), net.len, true });
	r->dev = eth0;
	r->scope_link = true;
	r->proto = RTP_KERNEL;
	r->src = ip;
	r = route_add(x->dp, ns, all);
	r->dev = eth0;
	r->via = ip_add(ip_mask(ip, net.len), 1);
	r->proto = RTP_BOOT;
}

link_h bridge_wire_pod(struct compile *x, struct node_build *nb, struct pod *p, netns_h ns, link_h host_end)
{
	link_h eth0 = add_veth(x, ns, "eth0", host_end);

	link_get(x->dp, eth0)->cause = cause_of(x, &p->o, "status.podIP");
	pod_mac(link_get(x->dp, eth0)->mac, p->ip);
	pod_family(x, nb->node, ns, eth0, p->ip);
	if (ip_set(p->ip2))
		pod_family(x, nb->node, ns, eth0, p->ip2);
	return eth0;
}

/* ---- egress masquerade */

struct nat bridge_masq_chain(struct ruleset *rs, bool v6, const char *name, bool only_outside, const char *comment)
{
	struct nat n = { .table = ruleset_table(rs, v6 ? NF_IP6 : NF_IP, "nat", true) };
	chain_h post = ruleset_chain(rs, n.table, "POSTROUTING");
	struct rw w;

	ruleset_base_chain(rs, post, HOOK_POSTROUTING, NFT_NAT, 100, OP_ACCEPT);
	n.chain = ruleset_chain(rs, n.table, name);
	w = rule_begin(rs, post);
	if (only_outside)
		w_fib(w, FIB_DADDR_LOCAL, false);
	rule_comment(w, comment);
	w_jump(w, n.chain);
	return n;
}

void bridge_masq_rule(struct ruleset *rs, struct nat n, const struct masq *m)
{
	struct rw w = rule_begin(rs, n.chain);

	if (m->src)
		w_cidr(w, PF_SADDR, !m->not_src, *m->src);
	if (m->dst)
		w_cidr(w, PF_DADDR, !m->not_dst, *m->dst);
	rule_comment(w, m->comment);
	if (m->masquerade)
		w_masquerade(w, m->random_fully);
	else
		w_verdict(w, OP_RETURN);
}

const struct cidr *bridge_cluster_cidr(const struct compile *x, bool v6)
{
	for (uint32_t k = 0; k < x->settings->pod_cidrs.nr; k++)
		if (ip_is4(x->settings->pod_cidrs.v[k].addr) != v6)
			return &x->settings->pod_cidrs.v[k];
	return NULL;
}

static void rules_variant(struct compile *x, struct ruleset *rs)
{
	const struct masq inside = { .dst = bridge_cluster_cidr(x, false), .comment = "kind-masq-agent: local traffic is not subject to MASQUERADE" };
	const struct masq outside = { .masquerade = true, .comment = "kind-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)" };
	struct nat n;

	if (!inside.dst)
		return;
	n = bridge_masq_chain(rs, false, "KIND-MASQ-AGENT", true, "kind-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom KIND-MASQ-AGENT chain");
	bridge_masq_rule(rs, n, &inside);
	bridge_masq_rule(rs, n, &outside);
}

const char *bridge_in_name(const struct settings *s)
{
	return s->detect_local == DETECT_BRIDGE && s->bridge_interface ? s->bridge_interface : "cni0";
}

const struct cni cni_bridge = {
	.name = "bridge", .network = network, .node = wire_node, .pod = bridge_wire_pod, .rules_variant = rules_variant, .finish = finish,
	.pod_prefix = bridge_pod_prefix, .in_name = bridge_in_name,
};
