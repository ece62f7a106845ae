/* A cluster with Calico: Services above, Pods on nodes, a calico-node Pod with felix and BIRD on each, BGP sessions between them. Above eight nodes, or sixty
 * Pods, the rest is a sentence. */
#include "viz/diagram/figure.h"

#define MAX_NODES    5
#define MAX_PODS     4
#define MAX_SERVICES 6

struct drawing { struct world *w; struct scene *s; box_h pod[512]; const struct pod *pod_of[512]; uint32_t nr_pods; };

static box_h box_of(const struct drawing *d, const struct object *p)
{
	for (uint32_t k = 0; k < d->nr_pods; k++)
		if (&d->pod_of[k]->o == p)
			return d->pod[k];
	return (box_h){ 0 };
}

/* The block of the pool that the node owns, from the dataplane. */
static const char *block_text(struct drawing *d, const struct node *n)
{
	const struct dataplane *dp = d->w->dp;
	netns_h ns = netns_find(dp, arena_printf(d->s->arena, "node/%s", n->o.name));

	for (uint32_t k = 0; k < dp->blocks.nr; k++)
		if (dp->blocks.v[k].owner.i == ns.i && !dp->blocks.v[k].borrowed)
			return arena_strdup(d->s->arena, CIDR(dp->blocks.v[k].cidr));
	return "no block yet";
}

static bool worth_drawing(const struct pod *p)
{
	return p->node && !p->spec->host_network && !pod_is_terminal(p) && !streq(label_get(&p->o.labels, "app.kubernetes.io/name"), "metallb");
}

static box_h add_node(struct drawing *d, const struct node *n, box_h *upper, uint32_t *nr_upper, box_h *lower, uint32_t *nr_lower)
{
	struct scene *s = d->s;
	struct object_list pods = cluster_list(d->w->cluster, &pod_kind);
	ip_addr ip = node_ip(n);
	box_h group = scene_group(s, (box_h){ 0 }, ROLE_NODE, part_id(s, &n->o), NULL, NULL), last = { 0 }, plate, cal;
	uint32_t here = 0, more = 0;

	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (!pod_on(p, n) || !worth_drawing(p))
			continue;
		if (here == MAX_PODS || d->nr_pods == ARRAY_LEN(d->pod)) {
			more++;
			continue;
		}
		last = scene_box(s, group, ROLE_POD, part_id(s, &p->o), p->o.name, ip_set(p->ip) ? arena_strdup(s->arena, IP(p->ip)) : "Pending");
		d->pod[d->nr_pods] = upper[(*nr_upper)++] = last;
		d->pod_of[d->nr_pods++] = p;
		here++;
	}
	if (more)
		upper[(*nr_upper)++] = last = scene_box(s, group, ROLE_OUTSIDE, arena_printf(s->arena, "more-%s", n->o.name), NULL, arena_printf(s->arena, "%u more Pods", more));
	plate = scene_box(s, group, ROLE_PLAIN, arena_printf(s->arena, "plate-%s", n->o.name), n->o.name, ip_set(ip) ? arena_strdup(s->arena, IP(ip)) : NULL);
	scene_get(s, plate)->nameplate = true;
	cal = scene_box(s, group, ROLE_ROUTER, arena_printf(s->arena, "calico-node-%s", n->o.name), "calico-node", NULL);
	scene_pill(s, cal, ROLE_PLAIN, "felix", false);
	scene_pill(s, cal, ROLE_PLAIN, "BIRD", true);
	scene_pill(s, cal, ROLE_ROUTER, block_text(d, n), false);
	lower[(*nr_lower)++] = plate;
	lower[(*nr_lower)++] = cal;
	scene_below(s, plate, cal, 1);
	if (last.i)
		scene_below(s, last, cal, 4);
	return cal;
}

static void add_services(struct drawing *d, box_h client)
{
	struct object_list l = cluster_list(d->w->cluster, &service_kind);
	struct scene *s = d->s;
	box_h group = scene_group(s, (box_h){ 0 }, ROLE_SERVICE, "services", "Services", "rules on every node, no process anywhere");
	uint32_t nr = 0, more = 0;

	scene_get(s, group)->dashed = true;
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *v = (const struct service *)l.v[k];
		struct object_list ends;
		box_h h;

		if (!service_has_vip(v) || (streq(v->o.ns, "default") && streq(v->o.name, "kubernetes")))
			continue;
		if (nr++ >= MAX_SERVICES) {
			more++;
			continue;
		}
		h = part_service(s, group, v);
		scene_get(s, h)->name = arena_printf(s->arena, "%s  %s", v->o.name, svc_type_names[v->type]);
		ends = part_endpoints(d->w->cluster, v, s->arena);
		for (uint32_t i = 0; i < ends.nr && i < 4; i++)
			if (box_of(d, ends.v[i]).i)
				scene_line(s, h, box_of(d, ends.v[i]), LINE_PACKET, NULL);
		if (v->type == SVC_LOADBALANCER && client.i)
			scene_line(s, client, h, LINE_PACKET, NULL);
	}
	if (more)
		scene_box(s, group, ROLE_SERVICE, "more-services", NULL, arena_printf(s->arena, "%u more", more));
}

bool fig_calico(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	struct object_list nodes = cluster_list(w->cluster, &node_kind), services = cluster_list(w->cluster, &service_kind);
	box_h upper[MAX_NODES * (MAX_PODS + 1)], lower[MAX_NODES * 2], cal[MAX_NODES], client = { 0 };
	uint32_t nr_upper = 0, nr_lower = 0, shown = MIN(nodes.nr, MAX_NODES);

	(void)opt;
	(void)rest;
	(void)args;
	(void)nr;
	if (cluster_settings(w->cluster)->cni != CNI_CALICO)
		return err_add(err, ERR_FAILED, NULL, "this cluster's Pod network is %s, not calico: draw cluster instead", cni_names[cluster_settings(w->cluster)->cni]);
	if (!nodes.nr)
		return err_add(err, ERR_FAILED, NULL, "the cluster has no node");
	world_dataplane(w);
	d->w = w;
	d->s = s;
	scene_init(s, s->arena, "calico", "A cluster with Calico: a calico-node Pod on each node, BGP between them, Services above");
	s->description = arena_printf(s->arena, "%u nodes; on each, felix writes routes to the node's own Pods and BIRD tells the others which block of addresses the node has.", nodes.nr);
	s->node_gap = 0.35f;
	s->rank_gap = 0.45f;
	for (uint32_t k = 0; k < services.nr; k++)
		if (!client.i && ((const struct service *)services.v[k])->type == SVC_LOADBALANCER)
			client = part_client(s);
	for (uint32_t k = 0; k < shown; k++)
		cal[k] = add_node(d, (const struct node *)nodes.v[k], upper, &nr_upper, lower, &nr_lower);
	add_services(d, client);
	if (nr_upper)
		scene_same_rank(s, upper, nr_upper);
	scene_same_rank(s, lower, nr_lower);
	for (uint32_t i = 0; i < shown && cluster_settings(w->cluster)->mesh; i++)
		for (uint32_t j = i + 1; j < shown; j++)
			scene_line(s, cal[i], cal[j], LINE_BGP, NULL)->arc = true;
	scene_legend(s, LINE_BGP, 0, arena_printf(s->arena, "BGP sessions: each BIRD tells every other which addresses its node has, AS %" PRId64 "%s", cluster_settings(w->cluster)->as_number,
						  shown < nodes.nr ? arena_printf(s->arena, "; %u more nodes likewise", nodes.nr - shown) : ""));
	scene_legend(s, LINE_PACKET, 0, "the rules of a Service choose one ready Pod per connection");
	return true;
}
