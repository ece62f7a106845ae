/* What later screens need, a piece at a time, while no key waits: the dataplane, the rules of a node (what nodes share is written with them), the names of their
 * chains, who may reach whom, who runs which controller; once a Service was looked at, its rules in the other mode of kube-proxy, too. */
#include "sim/ask/proxies.h"
#include "viz/cli/tui_session.h"

/* A piece of it. → is there more? */
static bool make_rules(struct warmth *x, struct dataplane *dp, struct cluster *c, struct arena *a)
{
	enum { AT_ONCE = 2000 };
	struct object_list nodes = cluster_list(c, &node_kind);
	netns_h h = nodes.nr ? netns_find(dp, arena_printf(a, "node/%s", nodes.v[nodes.nr - 1]->name)) : (netns_h){ 0 };
	const struct ruleset *rs;
	uint32_t nr, last;

	if (x->dp != dp)
		*x = (struct warmth){ .dp = dp };
	if (x->names || !h.i)
		return false;
	if (!x->rules) {
		dataplane_node_ready(dp, h);
		x->rules = true;
		return true;
	}
	rs = netns_get(dp, h)->rules;
	nr = rs ? ruleset_nr_chains(rs) : 0;
	last = MIN(x->chains + AT_ONCE, nr);
	while (x->chains < last)
		ruleset_chain_get(rs, (chain_h){ ++x->chains });
	x->names = x->chains == nr;
	return true;
}

static bool warm_own(struct session *s, struct arena *a)
{
	struct world *w = s->model.world;
	uint32_t nr;

	if (!w->dp) {
		world_dataplane(w);
		return true;
	}
	if (make_rules(&s->warm, world_dataplane(w), w->cluster, a))
		return true;
	if (!w->controllers_known) {
		proxies_find(w);
		assumed_find(w->dp, (ip_addr){ 0 }, &nr);        /* finds which addresses are in slices */
		return true;
	}
	if (s->model.reached)
		return false;
	model_reach(&s->model);
	return true;
}

static bool warm_other(struct session *s, struct arena *a)
{
	bool begun = s->model.other_mode != NULL;

	return s->model.services_seen && ((model_other_mode(&s->model) && !begun) || make_rules(&s->other_warm, s->model.other_mode->dp, s->model.world->cluster, a));
}

bool session_warm(void *ctx)
{
	struct arena *a = arena_new(NULL, "warm");
	bool more = warm_own(ctx, a) || warm_other(ctx, a);

	arena_free(a);
	return more;
}
