/* A Pod whose address is not one that its node's network would have given: another network made its sandbox. */
#include "model/cluster/pod_network.h"
#include "model/dataplane/cni_bridge.h"
#include "sim/diagnose/diagnose.h"

static bool in_node_range(const struct node *n, ip_addr ip)
{
	struct cidr c;

	for (uint32_t i = 0; bridge_pod_cidr(n, i, &c); i++)
		if (cidr_contains(c, ip))
			return true;
	return false;
}

/* Pools that no IPPool tells are a guess, and say nothing. */
static bool in_pool(const struct settings *s, ip_addr ip)
{
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (!s->pools.v[k].cause.i)
			return true;
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (cidr_contains(s->pools.v[k].cidr, ip))
			return true;
	return false;
}

static const struct node *owner_of(struct cluster *c, ip_addr ip)
{
	struct object_list l = cluster_list(c, &node_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (in_node_range((const struct node *)l.v[k], ip))
			return (const struct node *)l.v[k];
	return NULL;
}

/* The Pod of the network's DaemonSet on that node. */
static const struct pod *agent_on(struct cluster *c, const struct node *n)
{
	const struct workload *ds = pod_network_daemonset(c);
	struct object_list l = ds ? pods_of(c, ds->o.uid) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < l.nr; k++)
		if (streq(((const struct pod *)l.v[k])->node, n->o.name))
			return (const struct pod *)l.v[k];
	return NULL;
}

void why_address(struct diagnosis *d, const struct pod *p)
{
	struct cluster *c = d->world->cluster;
	const struct settings *s = cluster_settings(c);
	const struct node *n = p->node ? find_node(c, p->node) : NULL, *other;
	const struct pod *agent;
	struct cidr own;
	struct finding *f;

	if (!n || !ip_set(p->ip) || p->spec->host_network || s->cni == CNI_NONE || pod_is_terminal(p))
		return;
	if (s->cni == CNI_CALICO ? in_pool(s, p->ip) || !s->pools.nr : in_node_range(n, p->ip) || !bridge_pod_cidr(n, 0, &own))
		return;
	other = s->cni == CNI_CALICO ? NULL : owner_of(c, p->ip);
	f = finding(d, FINDING_CAUSE, "address-elsewhere", "its address %s is not one that the Pod network gives on node %s%s%s: other nodes' Pods do not find it there", IP(p->ip), n->o.name,
		    other ? "; it is of the range of " : "", other ? other->o.name : "");
	evidence(d, f, &p->o, "status.podIP", arena_strdup(d->arena, IP(p->ip)));
	if (s->cni == CNI_CALICO)
		for (uint32_t k = 0; k < s->pools.nr; k++)
			evidence_text(d, f, obj_get(c, s->pools.v[k].cause), "spec.cidr", "pool %s is %s", s->pools.v[k].name, CIDR(s->pools.v[k].cidr));
	else
		evidence(d, f, &n->o, "spec.podCIDR", NULL);
	if (other)
		evidence(d, f, &other->o, "spec.podCIDR", NULL);
	agent = agent_on(c, n);
	if (agent && agent->start != NEVER && p->start != NEVER && p->start < agent->start) {
		evidence_text(d, f, &agent->o, "status.startTime", "the network's agent came to the node %.0f s after this Pod", (double)(agent->start - p->start) / 1e9);
		remedy(d, f, "the sandbox is older than the network, and keeps what it was given: delete the Pod, and the next one has the new network");
	} else {
		remedy(d, f, "a runtime takes the first file of /etc/cni/net.d in the order of names: see whether another conflist (CRI-O's or Podman's bridge) stands before the network's; no object tells "
			     "which one was used. Remove it, then delete the Pod: a sandbox keeps its network");
	}
}
