/* The proxier of a node: its configuration, and what is shared between nodes. */
#include "model/dataplane/kube_proxy_again.h"

#include "model/dataplane/node_ports.h"
#include "model/dataplane/packet.h"

cause_h kp_cause(struct kp *k, const struct kp_port *p)
{
	struct kube_proxy *all = k->all;

	if (p->index >= all->nr_port_paths) {
		uint32_t nr = p->index + 8;

		all->port_path = arena_array(all->arena, str, nr);
		all->nr_port_paths = nr;
	}
	if (!all->port_path[p->index])
		all->port_path[p->index] = str_printf(k->dp->strings, "spec.ports[%u]", p->index);
	return cause_add(k->dp, p->svc->o.id.i, all->port_path[p->index], (cause_h){ 0 });
}

cause_h kp_cause_refused(struct kp *k, const struct kp_port *p, bool any, bool external)
{
	if (!any || !(external ? p->external_local : p->internal_local))
		return kp_cause(k, p);
	return cause_add(k->dp, p->svc->o.id.i, external ? "spec.externalTrafficPolicy" : "spec.internalTrafficPolicy", (cause_h){ 0 });
}

cause_h kp_cause_slice(struct kp *k, const struct kp_port *p, const struct kp_endpoints *e)
{
	return e->nr ? cause_add(k->dp, e->v[0].slice.i, "endpoints", kp_cause(k, p)) : kp_cause(k, p);
}

static void node_port_addresses(struct kp *k, netns_h ns)
{
	struct node_port_cidrs f;
	ip_addr primary[2] = { { 0 } }, *have;
	uint32_t nr;

	if (!k->node) {                 /* what nodes share: addresses are each one's own */
		k->node_port_all = node_port_primary(k->s) ? k->all->no_primary[k->v6] : node_port_cidrs(&k->s->node_port_addresses, k->v6, k->arena).all;
		return;
	}
	primary[k->v6] = k->node_ip;
	f = node_port_cidrs_of(k->s, primary, k->v6, k->arena);
	k->node_port_all = f.all;
	if (f.all)
		return;
	nr = node_port_ips(&f, k->dp, ns, k->arena, &have);
	k->node_port_ips = have;
	for (uint32_t i = 0; i < nr; i++)       /* nftables has none on loopback, nor has IPv6 */
		if (!ip_is_loopback(have[i]) || (!k->v6 && k->s->proxy_mode == PROXY_IPTABLES && k->s->localhost_node_ports))
			k->node_port_ips[k->nr_node_port_ips++] = have[i];
}

static void local_detector(struct kp *k)
{
	const struct settings *s = k->s;

	switch ((enum detect_local)s->detect_local) {
	case DETECT_CLUSTER_CIDR:
		for (uint32_t i = 0; i < s->cluster_cidrs.nr && !k->detector; i++)
			if (ip_is4(s->cluster_cidrs.v[i].addr) != k->v6) {
				k->local_cidr = s->cluster_cidrs.v[i];
				k->detector = true;
			}
		break;
	case DETECT_NODE_CIDR:
		for (uint32_t i = 0; k->node && i < k->node->pod_cidrs.nr && !k->detector; i++)
			k->detector = cidr_parse(k->node->pod_cidrs.v[i], &k->local_cidr) && ip_is4(k->local_cidr.addr) != k->v6;
		if (!k->detector && k->node && k->node->pod_cidr)
			k->detector = cidr_parse(k->node->pod_cidr, &k->local_cidr) && ip_is4(k->local_cidr.addr) != k->v6;
		break;
	case DETECT_BRIDGE:
		k->local_name = s->bridge_interface;
		k->detector = k->local_name && *k->local_name;
		break;
	case DETECT_PREFIX:
		k->local_name = s->interface_prefix;
		k->local_prefix = true;
		k->detector = k->local_name && *k->local_name;
		break;
	case DETECT_NONE:
		break;
	}
}

static struct kp *proxier(struct kube_proxy *all, const struct node *n, netns_h ns, struct ruleset *rs, bool v6)
{
	struct kp *k = arena_make(all->arena, struct kp);

	*k = (struct kp){ .all = all, .cluster = all->cluster, .s = all->s, .node = n, .rs = rs, .dp = all->dp, .arena = all->arena, .v6 = v6, .mark = 1u << all->s->masquerade_bit };
	if (n) {
		k->node_name = all->s->proxy_hostname && cluster_count(all->cluster, &node_kind) == 1 ? all->s->proxy_hostname : n->o.name;
		k->zone = label_get(&n->o.labels, "topology.kubernetes.io/zone");
		k->node_ip = node_internal_ip(n, v6);
	}
	node_port_addresses(k, ns);
	local_detector(k);
	k->ports = kp_ports_of(all, v6);
	return k;
}

/* Does the cluster speak this family at all? (kube-proxy runs a proxier per family; one without any address writes empty tables, which are left out.) */
static bool family_used(struct cluster *c, const struct settings *s, bool v6)
{
	struct object_list nodes = cluster_list(c, &node_kind);

	for (uint32_t k = 0; k < s->service_cidrs.nr; k++)
		if (ip_is4(s->service_cidrs.v[k].addr) != v6)
			return true;
	for (uint32_t k = 0; k < s->pod_cidrs.nr; k++)
		if (ip_is4(s->pod_cidrs.v[k].addr) != v6)
			return true;
	for (uint32_t k = 0; k < nodes.nr; k++)
		if (ip_set(node_internal_ip((const struct node *)nodes.v[k], v6)))
			return true;
	return false;
}

/* A node without a primary address in a family has node ports on all its addresses there: whether all nodes are so, or but some. */
static void primary_addresses(struct kube_proxy *all)
{
	struct object_list nodes = cluster_list(all->cluster, &node_kind);

	for (int v6 = 0; v6 < 2 && node_port_primary(all->s); v6++) {
		uint32_t nr = 0;

		for (uint32_t k = 0; k < nodes.nr; k++)
			nr += ip_set(node_internal_ip((const struct node *)nodes.v[k], v6));
		all->no_primary[v6] = !nr;
		all->some_primary |= all->used[v6] && nr && nr < nodes.nr;
	}
}

struct kube_proxy *kube_proxy_new(struct cluster *c, const struct proxy_view *view, const struct settings *s, struct dataplane *dp)
{
	struct kube_proxy *all = arena_make(dp->arena, struct kube_proxy);

	all->cluster = c;
	all->view = view;
	all->s = s;
	all->dp = dp;
	all->arena = dp->arena;
	if (s->proxy_mode == PROXY_NONE)
		return all;
	for (int v6 = 0; v6 < 2; v6++)
		all->used[v6] = family_used(c, s, v6);
	primary_addresses(all);
	kp_find_services(all);
	kp_find_slices(all);
	all->differs = kp_differs(all);
	return all;
}

static void write(struct kp *k)
{
	if (k->s->proxy_mode == PROXY_NFTABLES)
		kp_write_nft(k);
	else if (k->s->proxy_mode == PROXY_IPTABLES)
		kp_write_iptables(k);
}

/* IPVS mode is not modelled: what it would decide is unknown. */
static void write_ipvs(struct kp *k)
{
	table_h t = ruleset_table(k->rs, k->v6 ? NF_IP6 : NF_IP, "kube-proxy-ipvs", false);
	static const struct { const char *name; enum nf_hook hook; } at[] = { { "prerouting", HOOK_PREROUTING }, { "output", HOOK_OUTPUT } };

	for (size_t h = 0; h < ARRAY_LEN(at); h++) {
		chain_h c = ruleset_chain(k->rs, t, at[h].name);

		ruleset_base_chain(k->rs, c, at[h].hook, NFT_FILTER, -101, OP_ACCEPT);
		for (uint32_t i = 0; i < k->all->order.nr; i++) {
			const struct kp_service *s = &k->all->services.v[k->all->order.v[i]];

			for (uint32_t n = 0; n < s->nr[k->v6]; n++) {
				const struct kp_port *p = &k->ports->v[s->first[k->v6] + n];
				struct rw w = rule_begin(k->rs, c);

				w_addr(w, PF_DADDR, REL_EQ, p->cluster_ip);
				w_unknown(w, "kube-proxy's IPVS mode is not modelled", 3);
				rule_cause(w, kp_cause(k, p));
			}
		}
	}
}

static void write_family(struct kp *k)
{
	if (k->s->proxy_mode == PROXY_IPVS)
		write_ipvs(k);
	else
		write(k);
}

void kube_proxy_variant(struct kube_proxy *all, struct ruleset *rs)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct kp *k = all->used[v6] ? proxier(all, NULL, (netns_h){ 0 }, rs, v6) : NULL;

		if (k && all->s->proxy_mode == PROXY_IPTABLES)
			kp_iptables_jumps(k);
		if (k && !all->differs)
			write_family(k);
		all->variant[v6] = k;
	}
}

/* In nftables mode two sets are a node's own: its addresses for node ports, and the hairpin connections of its endpoints. */
static void own_sets(struct kp *k)
{
	static const uint8_t hairpin_key[] = { PF_SADDR, PF_DADDR, PF_L4PROTO, PF_DPORT }, ip_key[] = { PF_DADDR };
	table_h t = ruleset_table(k->rs, k->v6 ? NF_IP6 : NF_IP, "kube-proxy", false);
	set_h hairpin = ruleset_set(k->rs, t, "hairpin-connections", SET_PLAIN, 0, hairpin_key, 4), ips;
	struct kp_port **ports;
	struct arena *scratch;
	uint32_t nr;

	ruleset_own_set(k->rs, hairpin);
	if (!k->node_port_all) {
		ips = ruleset_set(k->rs, t, "nodeport-ips", SET_PLAIN, 0, ip_key, 1);
		ruleset_own_set(k->rs, ips);
		for (uint32_t i = 0; i < k->nr_node_port_ips; i++)
			set_add(k->rs, ips, &k->node_port_ips[i]);
	}
	scratch = arena_new(NULL, "hairpin");
	ports = kp_ports_at(k->all, str_find(k->dp->strings, k->node_name), k->v6, scratch, &nr);
	for (uint32_t i = 0; i < nr; i++) {
		struct kp_endpoints reach;

		kp_endpoints_of(k->all, ports[i], k->v6);
		reach = kp_categorize(ports[i], k->node_name, k->zone, k->s->same_node_hints, scratch).reachable;
		for (uint32_t e = 0; e < reach.nr; e++)
			if (reach.v[e].node && streq(reach.v[e].node, k->node_name))
				set_add(k->rs, hairpin, (ip_addr[]){ reach.v[e].ip, reach.v[e].ip, word(ports[i]->proto), word(reach.v[e].port) });
	}
	arena_free(scratch);
}

void kube_proxy_node(struct kube_proxy *all, const struct node *n, netns_h ns, struct ruleset *rs, struct kp *proxiers[2])
{
	for (int v6 = 0; v6 < 2; v6++) {
		proxiers[v6] = all->used[v6] && all->differs ? proxier(all, n, ns, rs, v6) : NULL;
		if (proxiers[v6]) {
			write_family(proxiers[v6]);
			proxiers[v6]->caught_up = all->forgotten + all->changed.nr;
		} else if (all->used[v6] && all->s->proxy_mode == PROXY_NFTABLES) {
			own_sets(proxier(all, n, ns, rs, v6));
		}
	}
}

/* With localhost node ports kube-proxy sets route_localnet=1 (iptables/proxier.go), if node ports are taken on a loopback address at all. */
struct kube_proxy_sysctls kube_proxy_sysctls(const struct settings *s)
{
	struct kube_proxy_sysctls out = { s->proxy_mode == PROXY_IPTABLES && s->localhost_node_ports };
	struct arena *scratch;

	if (!out.route_localnet)
		return out;
	scratch = arena_new(NULL, "node port CIDRs");
	out.route_localnet = !node_port_primary(s) && node_port_cidrs(&s->node_port_addresses, false, scratch).loopback4;
	arena_free(scratch);
	return out;
}
