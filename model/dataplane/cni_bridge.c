/* The networks with a bridge on each node: the bridge plugin with host-local (its egress masquerade as kindnet writes it), and flannel (host-gw or
 * VXLAN). cni0 has the first address of the node's podCIDR and the Pods a /24 on it; other nodes' podCIDRs are routes.
 * Sources: containernetworking/plugins plugins/main/bridge; flannel pkg/backend/{hostgw,vxlan}, pkg/trafficmngr/iptables; facts 43 to 45. */
#include <stdio.h>

#include "model/dataplane/hostport.h"

static bool pod_cidr(const struct node *n, uint32_t i, struct cidr *out)
{
	if (n->pod_cidrs.nr)
		return i < n->pod_cidrs.nr && cidr_parse(n->pod_cidrs.v[i], out);
	return i == 0 && n->pod_cidr && cidr_parse(n->pod_cidr, out);
}

/* flannel's backend as the ConfigMap of its manifest says it: net-conf.json, Backend.Type; vxlan where nothing is said. */
static bool flannel_is_vxlan(struct cluster *c)
{
	struct object_list maps = cluster_list(c, &config_map_kind);

	for (uint32_t k = 0; k < maps.nr; k++) {
		const struct config_map *m = (const struct config_map *)maps.v[k];
		const char *conf = streq(m->o.name, "kube-flannel-cfg") ? label_get(&m->data, "net-conf.json") : NULL;
		struct err err = { 0 };
		const struct val *v = conf ? json_parse(cluster_arena(c), m->o.file, conf, strlen(conf), NULL, &err) : NULL;
		const char *type = val_str_at(v, "Backend.Type");

		err_free(&err);
		if (type)
			return !streq(type, "host-gw");
	}
	return true;
}

static bool is_flannel(const struct compile *x)
{
	return x->settings->cni == CNI_FLANNEL;
}

static void network(struct compile *x)
{
	bool vxlan = is_flannel(x) && flannel_is_vxlan(x->cluster);

	x->dp->encap = vxlan ? LINK_VXLAN : 0;
	x->dp->block_proto = str_intern(x->dp->strings, is_flannel(x) ? "" : "static");
}

static void finish(struct compile *x)
{
	for (uint32_t k = 0; k < x->nr_nodes; k++) {
		struct cidr net;

		for (uint32_t i = 0; pod_cidr(x->nodes[k].node, i, &net); i++)
			block_add(x, net, &x->nodes[k], cause_of(x, &x->nodes[k].node->o, "spec.podCIDR"), false);
	}
}

static void add_flannel1(struct compile *x, struct node_build *nb)
{
	link_h h = link_add(x->dp, nb->ns, "flannel.1", LINK_VXLAN);
	struct link *l = link_get(x->dp, h);
	struct cidr net;

	l->up = true;
	l->forwarding = true;
	l->mtu = UPLINK_MTU - 50;
	l->vni = 1;
	l->local = nb->ip4;
	if (pod_cidr(nb->node, 0, &net)) {
		addr_add(x->dp, h, net.addr, 32);
		pod_mac(l->mac, net.addr);
	}
}

static void wire_node(struct compile *x, struct node_build *nb, link_h *pod_link)
{
	link_h cni0;
	struct cidr net;
	struct route *r;

	netns_get(x->dp, nb->ns)->bridge_nf = true;     /* kubeadm's preflight asks for br_netfilter; bridge-nf-call-iptables is 1 by default */
	if (x->dp->encap)
		add_flannel1(x, nb);
	cni0 = link_add(x->dp, nb->ns, "cni0", LINK_BRIDGE);
	link_get(x->dp, cni0)->up = nb->nr_pods > 0;
	link_get(x->dp, cni0)->forwarding = true;
	link_get(x->dp, cni0)->mtu = pod_mtu(x);
	link_get(x->dp, cni0)->cause = cause_of(x, &nb->node->o, "spec.podCIDR");
	for (uint32_t i = 0; pod_cidr(nb->node, i, &net); i++)
		addr_add(x->dp, cni0, ip_add(net.addr, 1), net.len);
	if (pod_cidr(nb->node, 0, &net))
		pod_mac(link_get(x->dp, cni0)->mac, ip_add(net.addr, 1));
	for (uint32_t k = 0; k < nb->nr_pods; k++) {
		uint32_t id = fnv32a(nb->pods[k]->o.uid, strlen(nb->pods[k]->o.uid));
		struct link *l;

		pod_link[k] = add_veth(x, nb->ns, arena_printf(x->arena, "veth%08x", id), (link_h){ 0 });
		l = link_get(x->dp, pod_link[k]);
		l->master = cni0;
		if (hostport_needs_route_localnet(nb->pods[k]))
			link_get(x->dp, cni0)->route_localnet = true;
		l->hairpin = is_flannel(x);             /* flannel's delegate says hairpinMode: true; the plugin's own default is false */
		l->cause = cause_of(x, &nb->pods[k]->o, "status.podIP");
	}
	for (uint32_t i = 0; pod_cidr(nb->node, i, &net); i++) {
		r = route_add(x->dp, nb->ns, net);
		r->dev = cni0;
		r->scope_link = true;
		r->proto = RTP_KERNEL;
		r->src = ip_add(net.addr, 1);
	}
}

static struct cidr net_of(const struct node *n, ip_addr ip)
{
	struct cidr net = { ip, (uint8_t)ip_bits(ip), true };

	for (uint32_t i = 0; pod_cidr(n, i, &net) && !cidr_contains(net, ip); i++)
		;
	return net;
}

static uint8_t pod_prefix(struct compile *x, struct node_build *nb, ip_addr ip)
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

static link_h wire_pod(struct compile *x, struct node_build *nb, struct pod *p, netns_h ns, link_h host_end)
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

struct nat { table_h table; chain_h chain; };

static struct nat masq_chain(struct compile *x, struct ruleset *rs, const char *name, bool only_outside, const char *comment)
{
	struct nat n = { .table = ruleset_table(rs, NF_IP, "nat", true) };
	chain_h post = ruleset_chain(rs, n.table, "POSTROUTING");
	struct rw w;

	(void)x;
	ruleset_base_chain(rs, post, HOOK_POSTROUTING, NFT_NAT, 100, OP_ACCEPT);
	n.chain = ruleset_chain(rs, n.table, name);
	w = rule_begin(rs, post);
	if (only_outside)
		w_fib(w, FIB_DADDR_LOCAL, false);
	rule_comment(w, comment);
	w_jump(w, n.chain);
	return n;
}

static void masq_rule(struct ruleset *rs, struct nat n, const struct cidr *src, bool src_in, const struct cidr *dst, bool dst_in, bool masq, bool random_fully, const char *comment)
{
	struct rw w = rule_begin(rs, n.chain);

	if (src)
		w_cidr(w, PF_SADDR, src_in, *src);
	if (dst)
		w_cidr(w, PF_DADDR, dst_in, *dst);
	rule_comment(w, comment);
	if (masq)
		w_masquerade(w, random_fully);
	else
		w_verdict(w, OP_RETURN);
}

static const struct cidr *cluster_cidr(const struct compile *x)
{
	for (uint32_t k = 0; k < x->settings->pod_cidrs.nr; k++)
		if (ip_is4(x->settings->pod_cidrs.v[k].addr))
			return &x->settings->pod_cidrs.v[k];
	return NULL;
}

static void flannel_node_rules(struct compile *x, struct node_build *nb, struct ruleset *rs)
{
	static const char why[] = "flanneld masq";
	const struct cidr *all = cluster_cidr(x);
	struct cidr own, multicast;
	bool random = x->settings->kernel.random_fully;
	struct nat n;

	if (!all || !pod_cidr(nb->node, 0, &own))
		return;
	cidr_parse("224.0.0.0/4", &multicast);
	n.table = ruleset_table(rs, NF_IP, "nat", true);
	n.chain = ruleset_chain(rs, n.table, "FLANNEL-POSTRTG");
	ruleset_own_chain(rs, n.chain);
	{
		struct rw w = rule_begin(rs, n.chain);

		w_num(w, PF_MARK, REL_MASK_EQ, 0x4000, 0x4000);
		rule_comment(w, why);
		w_verdict(w, OP_RETURN);
	}
	masq_rule(rs, n, &own, true, all, true, false, false, why);
	masq_rule(rs, n, all, true, &own, true, false, false, why);
	masq_rule(rs, n, all, false, &own, true, false, false, why);
	masq_rule(rs, n, all, true, &multicast, false, true, random, why);
	masq_rule(rs, n, all, false, all, true, true, random, why);
}

static void flannel_forward(struct compile *x, struct ruleset *rs)
{
	table_h t = ruleset_table(rs, NF_IP, "filter", true);
	chain_h fwd = ruleset_chain(rs, t, "FORWARD"), own = ruleset_chain(rs, t, "FLANNEL-FWD");
	struct rw w;

	ruleset_base_chain(rs, fwd, HOOK_FORWARD, NFT_FILTER, 0, OP_ACCEPT);
	w = rule_begin(rs, fwd);
	rule_comment(w, "flanneld forward");
	w_jump(w, own);
	for (int src = 1; src >= 0; src--) {
		w = rule_begin(rs, own);
		w_cidr(w, src ? PF_SADDR : PF_DADDR, true, *cluster_cidr(x));
		rule_comment(w, "flanneld forward");
		w_verdict(w, OP_ACCEPT);
	}
}

static void rules_variant(struct compile *x, struct ruleset *rs)
{
	const struct cidr *all = cluster_cidr(x);
	struct nat n;

	if (!all)
		return;
	if (is_flannel(x)) {
		masq_chain(x, rs, "FLANNEL-POSTRTG", false, "flanneld masq");
		flannel_forward(x, rs);
		return;
	}
	n = masq_chain(x, rs, "KIND-MASQ-AGENT", true, "kind-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom KIND-MASQ-AGENT chain");
	masq_rule(rs, n, NULL, true, all, true, false, false, "kind-masq-agent: local traffic is not subject to MASQUERADE");
	masq_rule(rs, n, NULL, true, NULL, true, true, false, "kind-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)");
}

static void rules_node(struct compile *x, struct node_build *nb, struct ruleset *rs)
{
	if (is_flannel(x))
		flannel_node_rules(x, nb, rs);
}

static const char *in_name(const struct settings *s)
{
	return s->detect_local == DETECT_BRIDGE && s->bridge_interface ? s->bridge_interface : "cni0";
}

const struct cni cni_bridge = {
	.name = "bridge", .network = network, .node = wire_node, .pod = wire_pod, .rules_variant = rules_variant, .rules_node = rules_node, .finish = finish,
	.pod_prefix = pod_prefix, .in_name = in_name,
};
const struct cni cni_flannel = {
	.name = "flannel", .network = network, .node = wire_node, .pod = wire_pod, .rules_variant = rules_variant, .rules_node = rules_node, .finish = finish,
	.pod_prefix = pod_prefix, .in_name = in_name,
};
