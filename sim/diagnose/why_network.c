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

bool why_network(struct diagnosis *d, const struct outcome_view *o)
{
	const struct settings *s = cluster_settings(d->world->cluster);
	const struct outcome *w = o->walk;
	const struct hop *last = w ? last_hop(&w->there) : NULL;
	struct finding *f;

	if (!w || !last)
		return false;
	if (o->verdict == V_DELIVERED && w->dnat && w->back.verdict == V_DELIVERED && !o->answered)
		return past_the_translation(d, w);
	if (o->verdict == V_DROPPED && s->kernel.forward_drop && last->stage == ST_FORWARD && !w->rule_cause.i && last->rule == UINT32_MAX) {
		f = finding(d, FINDING_CAUSE, "forward-policy", "%s drops what it forwards: the policy of iptables' FORWARD chain is DROP, and no rule accepted the packet", netns_get(d->world->dp, last->netns)->name);
		evidence_hop(d, f, last);
		remedy(d, f, "iptables -P FORWARD ACCEPT (Docker sets DROP), or a Pod network that adds rules which accept its own range, as flannel does and felix does in iptables mode");
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
