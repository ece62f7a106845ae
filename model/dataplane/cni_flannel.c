/* flannel: a bridge on each node, and between nodes VXLAN or the node itself as next hop (host-gw). Enforces no policy.
 * Sources: flannel pkg/backend/{vxlan,hostgw}, pkg/subnet/config.go, pkg/trafficmngr/iptables/iptables.go; facts 43 to 45. */
#include "model/dataplane/cni_bridge.h"

#define VXLAN_OVERHEAD 50u      /* vxlan_network.go encapOverhead: what Pods get less, in both families */

/* net-conf.json of ConfigMap kube-flannel-cfg, as far as packets are concerned. */
struct flannel { bool vxlan, direct /* DirectRouting */, v6; uint32_t vni; };

static const struct val *net_conf(struct cluster *c)
{
	struct object_list maps = cluster_list(c, &config_map_kind);
	const struct val *v = NULL;

	for (uint32_t k = 0; k < maps.nr && !v; k++) {
		const struct config_map *m = (const struct config_map *)maps.v[k];
		const char *conf = streq(m->o.name, "kube-flannel-cfg") ? label_get(&m->data, "net-conf.json") : NULL;
		struct err err = { 0 };

		v = conf ? json_parse(cluster_arena(c), m->o.file, conf, strlen(conf), NULL, &err) : NULL;
		err_free(&err);
	}
	return v;
}

static void network(struct compile *x)
{
	struct flannel *f = arena_make(x->arena, struct flannel);
	const struct val *conf = net_conf(x->cluster), *backend = val_get(conf, "Backend"), *vni = val_get(backend, "VNI");
	const char *type = val_str_at(conf, "Backend.Type");

	*f = (struct flannel){ .vxlan = !type || streq(type, "vxlan"), .direct = val_bool_or(val_get(backend, "DirectRouting"), false), .vni = 1,
			       .v6 = !conf || val_bool_or(val_get(conf, "EnableIPv6"), false) };
	if (val_is(vni, VAL_INT) && vni->i > 0)
		f->vni = (uint32_t)vni->i;
	x->network = f;
	x->pod_mtu = f->vxlan ? x->uplink_mtu - VXLAN_OVERHEAD : x->uplink_mtu;
}

/* With DirectRouting nothing is encapsulated here: all nodes are on one L2. */
static void finish(struct compile *x)
{
	const struct flannel *f = x->network;
	const struct block_way way = { .tunnel = f->vxlan && !f->direct ? LINK_VXLAN : 0, .proto = RTP_FLANNEL };

	bridge_blocks(x, false, way);
	if (f->v6)
		bridge_blocks(x, true, way);
}

/* flannel.1 has the first address of the node's podCIDR, as a /32; flannel-v6.1 likewise. */
static void add_tunnel(struct compile *x, struct node_build *nb, const struct flannel *f, bool v6)
{
	link_h h = link_add(x->dp, nb->ns, arena_printf(x->arena, v6 ? "flannel-v6.%u" : "flannel.%u", f->vni), LINK_VXLAN);
	struct link *l = link_get(x->dp, h);
	struct cidr net;

	l->up = true;
	l->forwarding = true;
	l->mtu = x->uplink_mtu - VXLAN_OVERHEAD - (v6 ? 20 : 0);
	l->vni = f->vni;
	l->local = v6 ? nb->net6 : nb->net4;
	for (uint32_t i = 0; bridge_pod_cidr(nb->node, i, &net); i++)
		if (ip_is4(net.addr) != v6) {
			addr_add(x->dp, h, net.addr, (uint8_t)ip_bits(net.addr));
			pod_mac(l->mac, v6 ? l->local : net.addr);      /* the last bytes of an IPv6 podCIDR are the same on every node */
			return;
		}
}

static void wire_node(struct compile *x, struct node_build *nb, link_h *pod_link)
{
	const struct flannel *f = x->network;

	if (f->vxlan && ip_set(nb->net4))
		add_tunnel(x, nb, f, false);
	if (f->vxlan && f->v6 && ip_set(nb->net6))
		add_tunnel(x, nb, f, true);
	bridge_wire_node(x, nb, pod_link, true);        /* the delegate says hairpinMode: true */
}

/* ---- rules */

static const char masq_comment[] = "flanneld masq", forward_comment[] = "flanneld forward";

static void node_rules(struct compile *x, const struct node *n, struct ruleset *rs, bool v6)
{
	const struct cidr *all = bridge_cluster_cidr(x, v6);
	struct cidr own = { 0 }, multicast;
	struct nat nat = { .table = ruleset_table(rs, v6 ? NF_IP6 : NF_IP, "nat", true) };
	struct rw w;

	for (uint32_t i = 0; bridge_pod_cidr(n, i, &own) && ip_is4(own.addr) == v6; i++)
		;
	if (!all || !own.set || ip_is4(own.addr) == v6)
		return;
	cidr_parse(v6 ? "ff00::/8" : "224.0.0.0/4", &multicast);
	nat.chain = ruleset_chain(rs, nat.table, "FLANNEL-POSTRTG");
	ruleset_own_chain(rs, nat.chain);
	w = rule_begin(rs, nat.chain);
	w_num(w, PF_MARK, REL_MASK_EQ, 0x4000, 0x4000); /* kube-proxy's: it masquerades itself */
	rule_comment(w, masq_comment);
	w_verdict(w, OP_RETURN);
	{
		bool random = x->settings->kernel.random_fully;
		const struct masq rules[] = {
			{ .src = &own, .dst = all }, { .src = all, .dst = &own }, { .src = all, .not_src = true, .dst = &own },
			{ .src = all, .dst = &multicast, .not_dst = true, .masquerade = true, .random_fully = random },
			{ .src = all, .not_src = true, .dst = all, .masquerade = true, .random_fully = random },
		};

		for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
			struct masq m = rules[k];

			m.comment = masq_comment;
			bridge_masq_rule(rs, nat, &m);
		}
	}
}

static void rules_node(struct compile *x, struct node_build *nb, struct ruleset *rs)
{
	const struct flannel *f = x->network;

	node_rules(x, nb->node, rs, false);
	if (f->v6)
		node_rules(x, nb->node, rs, true);
}

static void forward(struct ruleset *rs, const struct cidr *all, bool v6)
{
	table_h t = ruleset_table(rs, v6 ? NF_IP6 : NF_IP, "filter", true);
	chain_h fwd = ruleset_chain(rs, t, "FORWARD"), own = ruleset_chain(rs, t, "FLANNEL-FWD");
	struct rw w;

	ruleset_base_chain(rs, fwd, HOOK_FORWARD, NFT_FILTER, 0, OP_ACCEPT);
	w = rule_begin(rs, fwd);
	rule_comment(w, forward_comment);
	w_jump(w, own);
	for (int src = 1; src >= 0; src--) {
		w = rule_begin(rs, own);
		w_cidr(w, src ? PF_SADDR : PF_DADDR, true, *all);
		rule_comment(w, forward_comment);
		w_verdict(w, OP_ACCEPT);
	}
}

static void rules_variant(struct compile *x, struct ruleset *rs)
{
	const struct flannel *f = x->network;

	for (int v6 = 0; v6 <= f->v6; v6++) {
		const struct cidr *all = bridge_cluster_cidr(x, v6);

		if (!all)
			continue;
		bridge_masq_chain(rs, v6, "FLANNEL-POSTRTG", false, masq_comment);
		forward(rs, all, v6);
	}
}

const struct cni cni_flannel = {
	.name = "flannel", .network = network, .node = wire_node, .pod = bridge_wire_pod, .rules_variant = rules_variant, .rules_node = rules_node, .finish = finish,
	.pod_prefix = bridge_pod_prefix, .in_name = bridge_in_name,
};
