/* The node ports of a Service, and the port of its health check. Sources: storage/alloc.go initNodePorts, updateNodePorts; strategy.go patchAllocatedValues. */
#include "model/api/check.h"
#include "model/control/alloc_job.h"

static bool uses_port(const struct service *s, int32_t port)
{
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (s->ports.v[k].node_port == port)
			return true;
	return false;
}

static bool has_port(const struct service *s, int32_t port)
{
	return uses_port(s, port) || s->health_check_node_port == port;
}

static bool port_taken(const struct alloc *j, int32_t port)
{
	const struct service *s = map_get_ptr(&j->a->by_port, (uint64_t)port);

	return lives(s) && s != j->self && has_port(s, port);
}

static void take_port(const struct alloc *j, int32_t port)
{
	*map_put(&j->a->by_port, cluster_arena(j->c), (uint64_t)port) = map_ptr(j->self);
}

/* ---- what an update does not name stays */

/* Another entry, of another port, asks for the number now. */
static bool asked_elsewhere(const struct service *s, uint32_t k, int32_t port)
{
	for (uint32_t i = 0; i < s->ports.nr; i++)
		if (i != k && s->ports.v[i].node_port == port && s->ports.v[i].port != s->ports.v[k].port)
			return true;
	return false;
}

/* An entry that stays is known by its port (the merge key of patches); one whose port is new has the node port of its name, unless that is still somebody's. */
void alloc_keep_ports(struct alloc *j)
{
	struct service *s = j->s;
	const struct service *old = j->old;

	for (uint32_t k = 0; k < s->ports.nr; k++)
		for (uint32_t i = 0; !s->ports.v[k].node_port && i < old->ports.nr; i++)
			if (old->ports.v[i].port == s->ports.v[k].port && old->ports.v[i].protocol == s->ports.v[k].protocol &&
			    !asked_elsewhere(s, k, old->ports.v[i].node_port))
				s->ports.v[k].node_port = old->ports.v[i].node_port;
	for (uint32_t k = 0; k < s->ports.nr; k++)
		for (uint32_t i = 0; !s->ports.v[k].node_port && i < old->ports.nr; i++)
			if (streq(old->ports.v[i].name, s->ports.v[k].name) && !uses_port(s, old->ports.v[i].node_port))
				s->ports.v[k].node_port = old->ports.v[i].node_port;
	if (!s->health_check_node_port && s->external_policy == TP_LOCAL && s->type == SVC_LOADBALANCER)
		s->health_check_node_port = old->health_check_node_port;
}

/* ---- what is given, and what is drawn */

static bool port_outside(const struct alloc *j, int32_t port)
{
	return port < j->settings->node_port_lo || port > j->settings->node_port_hi;
}

static bool among(const int32_t *mine, uint32_t nr_mine, int32_t port)
{
	for (uint32_t k = 0; k < nr_mine; k++)
		if (mine[k] == port)
			return true;
	return false;
}

/* What the update lets go is free only when it has succeeded. */
static bool own_before(const struct alloc *j, int32_t port)
{
	return j->old && has_port(j->old, port);
}

static const char *port_problem(struct alloc *j, int32_t port, const int32_t *mine, uint32_t nr_mine)
{
	if (j->take_all)
		return NULL;
	if (port_outside(j, port))
		return arena_printf(cluster_arena(j->c), "provided port is not in the valid range. The range of valid ports is %u-%u", j->settings->node_port_lo,
				    j->settings->node_port_hi);
	return among(mine, nr_mine, port) || own_before(j, port) || port_taken(j, port) ? "provided port is already allocated" : NULL;
}

static bool free_port(const struct alloc *j, uint64_t n, const int32_t *mine, uint32_t nr_mine, int32_t *out)
{
	uint32_t size = (uint32_t)(j->settings->node_port_hi - j->settings->node_port_lo + 1), lower = node_port_band(size);
	const char *key = arena_printf(cluster_arena(j->c), "%s/%s", j->s->o.ns, j->s->o.name);

	for (int half = 0; half < 2; half++) {
		uint32_t from = half ? 0 : lower, nr = half ? lower : size - lower, start = nr ? draw_below(j->c, "nodePort", key, n, nr) : 0;

		for (uint32_t k = 0; k < nr; k++) {
			int32_t port = (int32_t)(j->settings->node_port_lo + from + (start + k) % nr);

			if (!port_taken(j, port) && !own_before(j, port) && !among(mine, nr_mine, port)) {
				*out = port;
				return true;
			}
		}
	}
	return false;
}

static bool range_full(const struct alloc *j, const char *what)
{
	return err_add(j->check->err, ERR_INPUT, &(struct where){ .file = j->check->file, .object = j->check->object },
		       "Internal error occurred: failed to allocate a %s: %s", what, range_words[RANGE_FULL]);
}

/* Entries of one new Service with the same `port` share a node port (alloc.go initNodePorts); in an update each draws its own (updateNodePorts), and may ask for another's. */
static const struct svc_port *share(const struct service *s, uint32_t i, uint32_t before)
{
	for (uint32_t k = 0; k < before; k++)
		if (k != i && s->ports.v[k].port == s->ports.v[i].port && s->ports.v[k].node_port)
			return &s->ports.v[k];
	return NULL;
}

static bool one_port(struct alloc *j, uint32_t i, int32_t *mine, uint32_t *nr_mine)
{
	struct svc_port *p = &j->s->ports.v[i];
	const struct svc_port *same = j->old ? NULL : share(j->s, i, i), *asked = j->old || p->node_port ? NULL : share(j->s, i, j->s->ports.nr);
	const char *problem;

	if (!p->node_port && same)
		p->node_port = same->node_port;
	else if (!p->node_port && asked)
		p->node_port = asked->node_port;
	if (!p->node_port) {
		if (!free_port(j, i, mine, *nr_mine, &p->node_port))
			return range_full(j, "nodePort");
	} else if (!(same && same->node_port == p->node_port) && !(j->old && uses_port(j->old, p->node_port)) && !(j->old && among(mine, *nr_mine, p->node_port))) {
		problem = port_problem(j, p->node_port, mine, *nr_mine);
		if (problem)
			return refuse_text(j->check, SUB(NULL, arena_printf(cluster_arena(j->c), "spec.ports[%u].nodePort", i)),
					     arena_printf(cluster_arena(j->c), "%d", p->node_port), "%s", problem);
	}
	mine[(*nr_mine)++] = p->node_port;
	take_port(j, p->node_port);
	return true;
}

static bool health_port(struct alloc *j, const int32_t *mine, uint32_t nr_mine)
{
	struct service *s = j->s;
	const char *problem;

	if (s->type != SVC_LOADBALANCER || s->external_policy != TP_LOCAL)
		return true;
	if (!s->health_check_node_port) {
		if (!free_port(j, 1u << 20, mine, nr_mine, &s->health_check_node_port))
			return range_full(j, "HealthCheck NodePort 0");
	} else if (!(j->old && j->old->health_check_node_port == s->health_check_node_port) && (problem = port_problem(j, s->health_check_node_port, mine, nr_mine))) {
		return err_add(j->check->err, ERR_INPUT, &(struct where){ .file = j->check->file, .object = j->check->object },
			       "Internal error occurred: failed to allocate requested HealthCheck NodePort %d: %s", s->health_check_node_port, problem);
	}
	take_port(j, s->health_check_node_port);
	return true;
}

/* A document of a living cluster names the families and addresses that its API server gave: a node port that it lacks was not given either. */
static bool stored_before(const struct alloc *j)
{
	const struct val *doc = j->s->o.doc;

	return j->take_all && !j->old && val_path(doc, "spec.clusterIPs") && val_path(doc, "spec.ipFamilies");
}

bool alloc_ports(struct alloc *j)
{
	struct service *s = j->s;
	int32_t *mine = arena_array(cluster_arena(j->c), int32_t, s->ports.nr + 1);
	uint32_t nr_mine = 0;

	if (!wants_ports(s) || stored_before(j))
		return true;
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		if (!s->ports.v[k].node_port && s->type == SVC_LOADBALANCER && s->allocate_node_ports == TRI_FALSE)
			continue;
		if (!one_port(j, k, mine, &nr_mine))
			return false;
	}
	return health_port(j, mine, nr_mine);
}
