/* Any cluster: the world outside, Services, and nodes with their Pods. */
#include "viz/diagram/figure.h"

enum { MAX_NODES = 12, MAX_PODS = 10, MAX_SERVICES = 12, MAX_LINES = 6 };

struct drawing {
	struct world *w;
	struct scene *s;
	const struct figure_options *opt;
	const struct pod *pod[MAX_NODES * MAX_PODS];
	box_h box[MAX_NODES * MAX_PODS];
	uint32_t nr_pods;
	box_h first[MAX_NODES];                 /* of each node */
	uint32_t nr_first;
};

static bool shown(const struct drawing *d, const struct object *o)
{
	return d->opt->ns ? o->ns && strcmp(o->ns, d->opt->ns) == 0 : d->opt->all_ns || !is_system(o);
}

static box_h box_of(const struct drawing *d, const struct object *pod)
{
	for (uint32_t k = 0; k < d->nr_pods; k++)
		if (&d->pod[k]->o == pod)
			return d->box[k];
	return (box_h){ 0 };
}

static void put_pod(struct drawing *d, box_h group, const struct pod *p)
{
	d->pod[d->nr_pods] = p;
	d->box[d->nr_pods++] = part_pod(d->s, group, p, true);
}

static void add_node(struct drawing *d, const struct node *n)
{
	struct object_list pods = cluster_list(d->w->cluster, &pod_kind);
	box_h group = part_node(d->s, (box_h){ 0 }, n);
	uint32_t here = 0, more = 0, from = d->nr_pods;
	box_h rest = { 0 };

	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (!pod_on(p, n) || pod_is_terminal(p) || !shown(d, &p->o))
			continue;
		if (here++ < MAX_PODS)
			put_pod(d, group, p);
		else
			more++;
	}
	if (more || !here)
		rest = scene_box(d->s, group, ROLE_OUTSIDE, arena_printf(d->s->arena, "more-%s", n->o.name), NULL,
				 more ? arena_printf(d->s->arena, "%u more Pods", more) : "no Pods");
	d->first[d->nr_first++] = here ? d->box[from] : rest;
}

/* Pods that no node has taken yet; said, not hidden. */
static void add_pending(struct drawing *d)
{
	struct object_list pods = cluster_list(d->w->cluster, &pod_kind);
	box_h group = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < pods.nr && nr < MAX_PODS; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (p->node || pod_is_terminal(p) || !shown(d, &p->o))
			continue;
		if (!nr++)
			group = scene_group(d->s, (box_h){ 0 }, ROLE_DENIED, "unscheduled", "on no node yet", NULL);
		part_pod(d->s, group, p, false);
	}
}

static void add_services(struct drawing *d)
{
	struct object_list l = cluster_list(d->w->cluster, &service_kind);
	struct scene *s = d->s;
	box_h client = { 0 }, group = { 0 };
	uint32_t nr = 0, more = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *v = (const struct service *)l.v[k];
		struct object_list ends;
		box_h h;

		if (!shown(d, &v->o) || (streq(v->o.ns, "default") && streq(v->o.name, "kubernetes")))
			continue;
		if (nr++ >= MAX_SERVICES) {
			more++;
			continue;
		}
		if (!group.i) {
			group = scene_group(s, (box_h){ 0 }, ROLE_SERVICE, "services", "Services", "rules on every node, no process anywhere");
			scene_get(s, group)->dashed = true;
		}
		h = part_service(s, group, v);
		if (nr == 1)
			for (uint32_t i = 0; i < d->nr_first; i++)
				scene_below(s, h, d->first[i], 1);
		if (v->type == SVC_LOADBALANCER || v->type == SVC_NODEPORT) {
			if (!client.i)
				client = part_client(s);
			scene_line(s, client, h, LINE_PACKET, NULL);
		}
		ends = part_endpoints(d->w->cluster, v, s->arena);
		for (uint32_t i = 0; i < ends.nr && i < MAX_LINES; i++)
			if (box_of(d, ends.v[i]).i)
				scene_line(s, h, box_of(d, ends.v[i]), LINE_PACKET, NULL);
	}
	if (more)
		scene_box(s, group, ROLE_SERVICE, "more-services", NULL, arena_printf(s->arena, "%u more", more));
}

bool fig_cluster(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	struct object_list nodes = cluster_list(w->cluster, &node_kind);

	(void)rest;
	(void)args;
	(void)nr;
	if (!nodes.nr)
		return err_add(err, ERR_FAILED, NULL, "the cluster has no node");
	*d = (struct drawing){ .w = w, .s = s, .opt = opt };
	scene_init(s, s->arena, "cluster", "The cluster: Services, nodes and their Pods");
	s->description = arena_printf(s->arena, "%u nodes; a line leads from each Service to the Pods that are its endpoints.", nodes.nr);
	for (uint32_t k = 0; k < nodes.nr && k < MAX_NODES; k++)
		add_node(d, (const struct node *)nodes.v[k]);
	if (nodes.nr > MAX_NODES)
		scene_box(s, (box_h){ 0 }, ROLE_OUTSIDE, "more-nodes", NULL, arena_printf(s->arena, "%u more nodes", nodes.nr - MAX_NODES));
	add_pending(d);
	add_services(d);
	scene_legend(s, LINE_PACKET, 0, "may be sent there");
	return true;
}
