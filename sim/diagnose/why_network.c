/* Packets that fail for what the nodes themselves are like: their kernel's settings, their way back, the size that fits. */
#include "sim/diagnose/diagnose.h"

static const struct hop *last_hop(const struct half *h)
{
	return h->nr_hops ? &h->hops[h->nr_hops - 1] : NULL;
}

static void evidence_hop(struct diagnosis *d, struct finding *f, const struct hop *h)
{
	if (h)
		vec_add(d->arena, &f->evidence, (struct evidence){ arena_printf(d->arena, "in %s", netns_get(d->world->dp, h->netns)->name), stage_names[h->stage], h->decision, NULL, 0 });
}

/* Was the answer switched inside a bridge, past the conntrack entry that would have translated it back? */
static const struct hop *switched(struct diagnosis *d, const struct half *back)
{
	for (uint32_t k = 0; k < back->nr_hops; k++)
		if (back->hops[k].stage == ST_BRIDGE && !netns_get(d->world->dp, back->hops[k].netns)->bridge_nf)
			return &back->hops[k];
	return NULL;
}

/* The answer came, from an address that was not asked. */
static bool past_the_translation(struct diagnosis *d, const struct outcome *o)
{
	const struct hop *bridge = switched(d, &o->back);
	struct finding *f;

	if (bridge) {
		f = finding(d, FINDING_CAUSE, "bridge-nf-off", "the answer is switched inside the bridge and not translated back: it comes from %s, and the client asked %s", IP(o->first_nat.dst), IP(o->there.as_sent.dst));
		evidence_hop(d, f, bridge);
		evidence_hop(d, f, last_hop(&o->back));
		remedy(d, f, "load br_netfilter and set net.bridge.bridge-nf-call-iptables=1 on the nodes");
		return true;
	}
	f = finding(d, FINDING_CAUSE, "answer-bypasses-nat", "the answer does not pass the node that translated: it comes from %s, and the client asked %s", IP(o->first_nat.dst), IP(o->there.as_sent.dst));
	evidence_hop(d, f, last_hop(&o->back));
	remedy(d, f, "what comes from outside must be masqueraded, so that the answer goes back the same way: kube-proxy does that for a ClusterIP only if it knows which sources are Pods (clusterCIDR)");
	return true;
}

/* A link of the underlay that is cut, loses, or carries less than the nodes believe. false: this one is whole. */
static bool hurt_link(struct diagnosis *d, const struct outcome_view *o, const struct hop *last)
{
	const struct link *l = last->link.i ? link_get(d->world->dp, last->link) : NULL;
	const struct netns *ns = l ? netns_get(d->world->dp, l->netns) : NULL;
	const struct object *node = ns && ns->object ? obj_get(d->world->cluster, (obj_h){ ns->object }) : NULL;
	bool narrow = l && l->carries && last->size;
	struct finding *f;

	if (last->stage != ST_LINK || !l || (!l->loss_permille && !l->carries) || !node)
		return false;
	for (uint32_t k = 0; k < d->findings.nr; k++)
		if (streq(d->findings.v[k].code, narrow ? "link-mtu" : "link-broken"))
			return true;
	f = finding(d, FINDING_CAUSE, narrow ? "link-mtu" : "link-broken", "%s", o->reason);
	evidence(d, f, node, "metadata.annotations.podwire.io/link", label_get(&node->annotations, "podwire.io/link"));
	evidence_hop(d, f, last);
	if (narrow)
		remedy(d, f, "small packets pass and large ones hang: give Pods an MTU that fits, %u less what an encapsulation adds (VXLAN 50, IPIP 20, WireGuard 60): mtu in calico's Installation or FelixConfiguration, "
			     "MTU in flannel's net-conf.json; or let the path carry what the nodes send", l->carries);
	else
		remedy(d, f, "podwire heal link %s", ns->hostname);
	return true;
}

/* Nodes that tell the same address for themselves: what is sent to one of them stays here. */
static bool twins(struct diagnosis *d, const struct outcome_view *o, const struct hop *last)
{
	struct object_list nodes = cluster_list(d->world->cluster, &node_kind);
	const struct settings *s = cluster_settings(d->world->cluster);
	struct finding *f;

	if (o->verdict != V_LOST || !strstr(o->reason, "own address"))
		return false;
	f = finding(d, FINDING_CAUSE, "node-address-shared", "%s", o->reason);
	evidence_hop(d, f, last);
	for (uint32_t k = 0; k < nodes.nr && f->evidence.nr < 4; k++) {
		const struct node *n = (const struct node *)nodes.v[k];
		struct sb all = { 0 };

		for (uint32_t i = 0; i < n->addresses.nr; i++)
			if (n->addresses.v[i].address && streq(n->addresses.v[i].type, "InternalIP"))
				sb_printf(&all, "%s%s", all.len ? ", " : "", n->addresses.v[i].address);
		evidence(d, f, &n->o, "status.addresses", arena_strdup(d->arena, sb_text(&all)));
		sb_free(&all);
	}
	remedy(d, f, "the network took the interface of the default route, which is behind a NAT of each node's own: name the one that joins the nodes (%s), and give the kubelets --node-ip",
	       s->cni == CNI_CALICO ? "IP_AUTODETECTION_METHOD=interface=eth1, or can-reach=ADDRESS, in calico-node" : s->cni == CNI_FLANNEL ? "--iface=eth1 in kube-flannel-ds" : "the node's address");
	return true;
}

/* The node at which the packet ends because its ip_forward is 0; NULL: none. */
static const struct netns *not_forwarding(const struct dataplane *dp, const struct half *half)
{
	const struct hop *last = last_hop(half);
	link_h far = last && last->link.i ? link_peer(dp, last->link) : (link_h){ 0 };
	const struct netns *at = NULL;

	if (!last || last->rule != UINT32_MAX)
		return NULL;
	if (half->verdict == V_DROPPED && last->stage == ST_FORWARD)
		at = netns_get(dp, last->netns);
	else if (half->verdict == V_LOST && last->stage == ST_LINK && far.i)
		at = netns_get(dp, link_get(dp, far)->netns);
	return at && at->kind == NS_NODE && !at->forward4 ? at : NULL;
}

bool why_network(struct diagnosis *d, const struct outcome_view *o)
{
	const struct settings *s = cluster_settings(d->world->cluster);
	const struct outcome *w = o->walk;
	const struct hop *last = w ? last_hop(&w->there) : NULL;
	const struct half *half;
	const struct netns *at;
	struct finding *f;

	if (!w || !last)
		return false;
	if (o->verdict == V_DELIVERED && !o->answered && last_hop(&w->back) && hurt_link(d, o, last_hop(&w->back)))
		return true;
	if (o->verdict == V_LOST && (hurt_link(d, o, last) || twins(d, o, last)))
		return true;
	if (o->verdict == V_DELIVERED && w->dnat && w->back.verdict == V_DELIVERED && !o->answered)
		return past_the_translation(d, w);
	if (o->verdict == V_DROPPED && s->kernel.forward_drop && last->stage == ST_FORWARD && !w->rule_cause.i && last->rule == UINT32_MAX) {
		f = finding(d, FINDING_CAUSE, "forward-policy", "%s drops what it forwards: the policy of iptables' FORWARD chain is DROP, and no rule accepted the packet", netns_get(d->world->dp, last->netns)->name);
		evidence_hop(d, f, last);
		remedy(d, f, "iptables -P FORWARD ACCEPT (Docker sets DROP), or a Pod network that adds rules which accept its own range, as flannel does and felix does in iptables mode");
		return true;
	}
	half = o->verdict == V_DELIVERED && !o->answered ? &w->back : &w->there;
	if ((at = not_forwarding(d->world->dp, half))) {
		f = finding(d, FINDING_CAUSE, "ip-forward", "%s forwards nothing%s: its net.ipv4.ip_forward is 0", at->name, half->verdict == V_LOST ? ", and answers no ARP for others" : "");
		evidence_hop(d, f, last_hop(half));
		remedy(d, f, "sysctl -w net.ipv4.ip_forward=1, and the same in /etc/sysctl.d: the Pod network set it when it started, and something (sysctl --system, a hardening role) has set it back");
		return true;
	}
	if (o->verdict == V_LOST && last->stage == ST_BRIDGE) {
		f = finding(d, FINDING_CAUSE, "hairpin", "%s", o->reason);
		evidence_hop(d, f, last);
		remedy(d, f, "set hairpin mode on the bridge's ports (the bridge plugin: hairpinMode: true), for a Pod that calls itself through its Service");
		return true;
	}
	return false;
}
