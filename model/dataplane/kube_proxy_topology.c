/* What a node may use of a port's endpoints: pkg/proxy/topology.go. */
#include "model/dataplane/kube_proxy.h"

bool kp_externally_accessible(const struct kp_port *p)
{
	return p->node_port || p->nr_external_ips || p->nr_lb_ips;
}

/* Even with external policy Local, Cluster endpoints are needed for short-circuiting. */
bool kp_uses_cluster(const struct kp_port *p)
{
	return !p->internal_local || kp_externally_accessible(p);
}

bool kp_uses_local(const struct kp_port *p)
{
	return p->internal_local || (p->external_local && kp_externally_accessible(p));
}

static bool hinted(const struct kp_endpoint *e, const char *name, bool zone, bool *has)
{
	uint32_t nr = e->hints ? (zone ? e->hints->for_zones.nr : e->hints->for_nodes.nr) : 0;
	bool found = false;

	*has = nr > 0;
	for (uint32_t k = 0; k < nr; k++)
		found = found || streq(zone ? e->hints->for_zones.v[k].name : e->hints->for_nodes.v[k].name, name);
	return found;
}

/* Which endpoints the hints leave to the node, and why; *bare: the first ready endpoint without a hint for a zone. */
static enum kp_topology hints_say(const struct kp_endpoints *all, const char *node, const char *zone, bool same_node, const struct kp_endpoint **bare)
{
	bool all_node = true, all_zone = true, for_node = false, for_zone = false, any = false, has;

	for (uint32_t k = 0; k < all->nr; k++) {
		if (!all->v[k].ready)
			continue;
		for_node = hinted(&all->v[k], node, false, &has) || for_node;
		all_node = all_node && has;
		any = any || has;
		for_zone = hinted(&all->v[k], zone, true, &has) || for_zone;
		all_zone = all_zone && has;
		any = any || has;
		if (!has && !*bare)
			*bare = &all->v[k];
	}
	if (same_node && all_node && for_node)
		return KP_SAME_NODE;
	if (!any)
		return KP_NO_HINTS;
	if (!all_zone)
		return KP_BARE_ENDPOINT;
	return !zone || !*zone ? KP_NO_ZONE : for_zone ? KP_SAME_ZONE : KP_NONE_FOR_ZONE;
}

static bool restricts(enum kp_topology how)
{
	return how == KP_SAME_NODE || how == KP_SAME_ZONE;
}

static bool available(const struct kp_endpoint *e, enum kp_topology how, const char *node, const char *zone)
{
	bool has;

	return !restricts(how) || hinted(e, how == KP_SAME_NODE ? node : zone, how == KP_SAME_ZONE, &has);
}

/* As long as none is left out, they are the first of all. */
static void add(struct kp_endpoints *to, const struct kp_endpoints *all, uint32_t k, struct arena *a)
{
	if (to->nr == k && (!k || to->v == all->v)) {
		to->v = all->v;
		to->nr++;
		return;
	}
	if (!to->nr || to->v == all->v) {
		struct kp_endpoint *own = arena_array(a, struct kp_endpoint, all->nr);

		if (to->nr)
			memcpy(own, to->v, to->nr * sizeof(*own));
		to->v = own;
	}
	to->v[to->nr++] = all->v[k];
}

static struct kp_endpoints merged(const struct kp_endpoints *all, const struct kp_endpoints *x, const struct kp_endpoints *y, struct arena *a)
{
	struct kp_endpoints out = { 0 };

	for (uint32_t k = 0; k < all->nr; k++) {
		bool in = false;

		for (uint32_t i = 0; i < x->nr && !in; i++)
			in = x->v[i].text == all->v[k].text;
		for (uint32_t i = 0; i < y->nr && !in; i++)
			in = y->v[i].text == all->v[k].text;
		if (in)
			add(&out, all, k, a);
	}
	return out;
}

static bool is_local(const struct kp_endpoint *e, const char *node)
{
	return e->node && node && streq(e->node, node);
}

struct kp_sets kp_categorize(const struct kp_port *p, const char *node, const char *zone, bool same_node, struct arena *a)
{
	const struct kp_endpoints *all = &p->all;
	struct kp_sets out = { 0 };
	bool local_ready = false, local_terminating = false;

	if (kp_uses_cluster(p)) {
		out.topology = (uint8_t)hints_say(all, node, zone, same_node, &out.bare);
		for (uint32_t k = 0; k < all->nr; k++)
			if (all->v[k].ready && available(&all->v[k], (enum kp_topology)out.topology, node, zone))
				add(&out.cluster, all, k, a);
		if (!out.cluster.nr)            /* no ready one anywhere: those that terminate but still serve */
			for (uint32_t k = 0; k < all->nr; k++)
				if (all->v[k].serving && all->v[k].terminating)
					add(&out.cluster, all, k, a);
		out.any = out.cluster.nr > 0;
	}
	if (!kp_uses_local(p)) {
		out.reachable = out.cluster;
		return out;
	}
	for (uint32_t k = 0; k < all->nr; k++) {
		bool terminating = !all->v[k].ready && all->v[k].serving && all->v[k].terminating;

		out.any = out.any || all->v[k].ready || terminating;
		local_ready = local_ready || (all->v[k].ready && is_local(&all->v[k], node));
		local_terminating = local_terminating || (terminating && is_local(&all->v[k], node));
	}
	for (uint32_t k = 0; k < all->nr; k++) {
		bool good = local_ready ? all->v[k].ready : local_terminating && all->v[k].serving && all->v[k].terminating;

		if (good && is_local(&all->v[k], node))
			add(&out.local, all, k, a);
	}
	if (!kp_uses_cluster(p))
		out.reachable = out.local;
	else if (!restricts((enum kp_topology)out.topology) && (local_ready || !local_terminating))
		out.reachable = out.cluster;
	else
		out.reachable = merged(all, &out.cluster, &out.local, a);
	return out;
}

bool kp_same_everywhere(const struct kp *k, const struct kp_port *p)
{
	const struct svc_port *own = &p->svc->ports.v[p->index];

	if (k->node || p->affinity || p->internal_local || p->external_local)
		return false;
	for (uint32_t i = 0; i < p->svc->ports.nr; i++) {       /* two ports of one name share their chains: only where nobody validated */
		const struct svc_port *other = &p->svc->ports.v[i];

		if (i != p->index && other->protocol == own->protocol && streq(other->name ? other->name : "", own->name ? own->name : ""))
			return false;
	}
	return true;
}
