/* A cluster with Calico: Services above, Pods on nodes, a calico-node Pod with felix and BIRD on each, BGP sessions between them. What does not fit is a sentence. */
#include "model/dataplane/bgp.h"
#include "viz/diagram/figure.h"

enum { MAX_NODES = 5, MAX_PODS = 4, MANY_NODES = 4, MAX_SERVICES = 6, MAX_LINES = 4 };

enum { BESIDE /* a Pod that no Service leads to */, BEHIND, BEHIND_OUTSIDE, LEVELS };

struct drawing {
	struct world *w;
	struct scene *s;
	const struct figure_options *opt;
	const struct pod *pod_of[MAX_NODES * MAX_PODS]; box_h pod[MAX_NODES * MAX_PODS]; uint32_t nr_pods;
	const struct service *svc_of[MAX_SERVICES]; box_h svc[MAX_SERVICES]; uint32_t nr_svcs;
	struct map behind;              /* Pods behind those: their level */
	const struct node *node[MAX_NODES]; bool many;
	box_h upper[MAX_NODES * (MAX_PODS + 1)], lower[MAX_NODES * 2]; uint32_t nr_upper, nr_lower;
};

static box_h box_of(const struct drawing *d, const struct object *p)
{
	for (uint32_t k = 0; k < d->nr_pods; k++)
		if (&d->pod_of[k]->o == p)
			return d->pod[k];
	return (box_h){ 0 };
}

/* The blocks of the pools that the node owns, from the dataplane. */
static const char *block_text(struct drawing *d, const struct node *n)
{
	const struct dataplane *dp = d->w->dp;
	netns_h ns = netns_find(dp, arena_printf(d->s->arena, "node/%s", n->o.name));
	const char *first = NULL;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < dp->blocks.nr; k++)
		if (dp->blocks.v[k].owner.i == ns.i && !dp->blocks.v[k].borrowed) {
			nr++;
			first = first ? first : arena_strdup(d->s->arena, CIDR(dp->blocks.v[k].cidr));
		}
	return nr > 1 ? arena_printf(d->s->arena, "%s and %u more", first, nr - 1) : first ? first : "no block yet";
}

static bool is_balanced(const struct service *v) { return v->type == SVC_LOADBALANCER; }

static bool is_drawn(const struct drawing *d, const struct object *o)
{
	return service_has_vip((const struct service *)o) && !(streq(o->ns, "default") && streq(o->name, "kubernetes")) && figure_shows(d->opt, o);
}

/* Where there is room for a few only, those that are reached from outside are among them; in the order of the names. → how many are left out. */
static uint32_t choose_services(struct drawing *d)
{
	struct object_list l = cluster_list(d->w->cluster, &service_kind);
	uint32_t balanced = 0, all = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		all += is_drawn(d, l.v[k]);
		balanced += is_drawn(d, l.v[k]) && is_balanced((const struct service *)l.v[k]);
	}
	balanced = MIN(balanced, (uint32_t)MAX_SERVICES);
	for (uint32_t k = 0, others = MAX_SERVICES - balanced; k < l.nr; k++) {
		const struct service *v = (const struct service *)l.v[k];
		uint32_t *room = is_balanced(v) ? &balanced : &others;
		struct object_list ends;

		if (!is_drawn(d, l.v[k]) || !*room)
			continue;
		--*room;
		d->svc_of[d->nr_svcs++] = v;
		ends = part_endpoints(d->w->cluster, v, d->s->arena);
		for (uint32_t i = 0; i < ends.nr; i++) {
			uint64_t *level = map_put(&d->behind, d->s->arena, map_ptr(ends.v[i]));

			*level = MAX(*level, is_balanced(v) ? (uint64_t)BEHIND_OUTSIDE : (uint64_t)BEHIND);
		}
	}
	return all - d->nr_svcs;
}

static bool worth_drawing(const struct drawing *d, const struct pod *p)
{
	return p->node && !p->spec->host_network && !pod_is_terminal(p) && figure_shows(d->opt, &p->o);
}

static unsigned level_of(struct drawing *d, const struct pod *p)
{
	const uint64_t *at = map_find(&d->behind, map_ptr(p));

	return at ? (unsigned)*at : BESIDE;
}

/* Where there is room for a few only, those behind the Services that are drawn are among them, first those that are reached from outside. */
static void add_pods(struct drawing *d, const struct node *n, box_h group, box_h *last)
{
	struct object_list pods = cluster_list(d->w->cluster, &pod_kind);
	struct scene *s = d->s;
	uint32_t room[LEVELS] = { 0 }, left = d->many ? MAX_PODS / 2 : MAX_PODS, more = 0, here = 0;

	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (pod_on(p, n) && worth_drawing(d, p))
			room[level_of(d, p)]++;
	}
	for (unsigned level = LEVELS; level-- > 0;) {
		more += room[level] - MIN(room[level], left);
		room[level] = MIN(room[level], left);
		left -= room[level];
	}
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (!pod_on(p, n) || !worth_drawing(d, p) || !room[level_of(d, p)])
			continue;
		room[level_of(d, p)]--;
		*last = part_pod(s, group, d->w->cluster, p, false);
		scene_get(s, *last)->name = pod_short(s->arena, p);
		d->pod[d->nr_pods] = d->upper[d->nr_upper++] = *last;
		d->pod_of[d->nr_pods++] = p;
		here++;
	}
	if (more || !here)
		d->upper[d->nr_upper++] = *last = scene_box(s, group, ROLE_OUTSIDE, arena_printf(s->arena, "more-%s", n->o.name), NULL,
							    more ? arena_printf(s->arena, "%u more Pods", more) : "no Pods");
}

static box_h add_node(struct drawing *d, const struct node *n)
{
	struct scene *s = d->s;
	ip_addr ip = node_ip(n);
	box_h group = part_node(s, (box_h){ 0 }, d->w->cluster, n), last = { 0 }, plate, cal;
	const char *address = scene_get(s, group)->address;

	scene_get(s, group)->name = scene_get(s, group)->address = NULL;        /* its name stands within, where no line passes */
	add_pods(d, n, group, &last);
	plate = scene_box(s, group, ROLE_PLAIN, arena_printf(s->arena, "plate-%s", n->o.name), n->o.name, address ? address : ip_set(ip) ? arena_strdup(s->arena, IP(ip)) : NULL);
	scene_get(s, plate)->nameplate = true;
	cal = scene_box(s, group, ROLE_ROUTER, arena_printf(s->arena, "calico-node-%s", n->o.name), "calico-node", NULL);
	scene_get(s, cal)->title = arena_printf(s->arena, "the calico-node Pod on %s: felix and BIRD", n->o.name);
	scene_pill(s, cal, ROLE_PLAIN, "felix", false);
	scene_pill(s, cal, ROLE_PLAIN, "BIRD", true);
	scene_pill(s, cal, ROLE_ROUTER, block_text(d, n), false);
	d->lower[d->nr_lower++] = plate;
	d->lower[d->nr_lower++] = cal;
	scene_below(s, plate, cal, 1);
	scene_below(s, last, cal, 4);
	return cal;
}

static void service_lines(struct drawing *d, uint32_t k, box_h client)
{
	const struct service *v = d->svc_of[k];
	struct object_list ends = part_endpoints(d->w->cluster, v, d->s->arena);

	for (uint32_t i = 0, nr = 0; i < ends.nr && nr < MAX_LINES; i++)
		if (box_of(d, ends.v[i]).i && ++nr)
			scene_line(d->s, d->svc[k], box_of(d, ends.v[i]), LINE_PACKET, NULL)->weight = is_balanced(v) ? 1 : 2;
	if (is_balanced(v) && client.i)
		scene_line(d->s, client, d->svc[k], LINE_PACKET, NULL)->weight = 3;
	for (uint32_t i = 0, nr = 0; i < d->nr_pods && nr < MAX_LINES; i++)
		if (pod_names_service(d->pod_of[i], v) && ++nr) {
			struct scene_edge *e = scene_line(d->s, d->pod[i], d->svc[k], LINE_SECOND, NULL);

			e->back = true;         /* ranked as the others are: Services above */
		}
}

/* All of them stand in one row: a second one would stand beside the nodes, and push them away. */
static void add_services(struct drawing *d, uint32_t more, box_h client)
{
	struct scene *s = d->s;
	box_h plate, group = part_services(s, &plate), row[MAX_SERVICES + 2];
	uint32_t nr = 0;

	row[nr++] = plate;
	for (uint32_t k = 0; k < d->nr_svcs; k++) {
		const struct service *v = d->svc_of[k];

		d->svc[k] = row[nr++] = part_service(s, group, d->w->cluster, v);
		scene_get(s, d->svc[k])->name = arena_printf(s->arena, "%s  %s", v->o.name, svc_type_names[v->type]);
	}
	for (uint32_t k = 0; k < d->nr_svcs; k++)
		service_lines(d, k, client);
	if (more)
		row[nr++] = scene_box(s, group, ROLE_SERVICE, "more-services", NULL, arena_printf(s->arena, "%u more", more));
	scene_same_rank(s, row, nr);
	scene_below(s, plate, d->svc[0], 1);
}

static void add_sessions(struct drawing *d, const box_h *cal, uint32_t shown, uint32_t all)
{
	const struct settings *set = cluster_settings(d->w->cluster);
	struct object_list nodes = cluster_list(d->w->cluster, &node_kind);
	struct scene *s = d->s;
	const struct bgp_hearing h = bgp_hear(d->w->cluster, s->arena);
	uint32_t of[MAX_NODES] = { 0 };         /* the number of each drawn node among all */

	for (uint32_t i = 0; i < shown; i++)
		for (uint32_t k = 0; k < nodes.nr; k++)
			of[i] = nodes.v[k] == &d->node[i]->o ? k : of[i];
	for (uint32_t i = 0; i < shown && (h.everybody || h.with) && !bgp_backend_without_bird(d->w->cluster); i++)
		for (uint32_t j = i + 1; j < shown; j++)
			if (bgp_session(&h, of[i], of[j]))
				scene_line(s, cal[i], cal[j], bgp_down(d->node[i]) || bgp_down(d->node[j]) ? LINE_REMOVED : LINE_BGP, NULL)->arc = true;
	scene_legend(s, LINE_BGP, 0, arena_printf(s->arena, "BGP sessions: each BIRD tells %s which addresses its node has, AS %" PRId64 "%s", h.everybody ? "every other" : "its peers", set->as_number,
						  shown < all ? arena_printf(s->arena, "; %u more nodes likewise", all - shown) : ""));
	if (bgp_backend_without_bird(d->w->cluster))
		scene_note(s, ROLE_PLAIN, "no BGP", "calico-node runs without BIRD");
	else if (!set->mesh)
		scene_note(s, ROLE_PLAIN, "no node-to-node mesh", "BGPConfiguration says nodeToNodeMeshEnabled: false; the sessions are those of BGPPeers");
}

bool fig_calico(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	struct object_list nodes = part_nodes(w->cluster, s->arena);
	box_h cal[MAX_NODES], client = { 0 };
	uint32_t more, shown = MIN(nodes.nr, (uint32_t)MAX_NODES);

	(void)rest;
	(void)args;
	(void)nr;
	if (cluster_settings(w->cluster)->cni != CNI_CALICO)
		return err_add(err, ERR_FAILED, NULL, "this cluster's Pod network is %s, not calico: draw cluster instead", cni_names[cluster_settings(w->cluster)->cni]);
	if (!nodes.nr)
		return err_add(err, ERR_FAILED, NULL, "the cluster has no node");
	world_dataplane(w);
	*d = (struct drawing){ .w = w, .s = s, .opt = opt, .many = shown > MANY_NODES };
	scene_init(s, s->arena, "calico", "A cluster with Calico: a calico-node Pod on each node, BGP between them, Services above");
	s->description = arena_printf(s->arena, "%u nodes; on each, felix writes routes to the node's own Pods and BIRD tells the others which block of addresses the node has.", nodes.nr);
	s->node_gap = 0.35f;
	s->rank_gap = 0.5f;
	more = choose_services(d);
	for (uint32_t k = 0; k < d->nr_svcs && !client.i; k++)
		if (is_balanced(d->svc_of[k]))
			client = part_client(s, w);
	for (uint32_t k = 0; k < shown; k++)
		d->node[k] = (const struct node *)nodes.v[k];
	for (uint32_t k = 0; k < shown; k++)
		cal[k] = add_node(d, (const struct node *)nodes.v[k]);
	if (d->nr_svcs)
		add_services(d, more, client);
	scene_same_rank(s, d->upper, d->nr_upper);
	scene_same_rank(s, d->lower, d->nr_lower);
	add_sessions(d, cal, shown, nodes.nr);
	scene_legend(s, LINE_REMOVED, 0, "session down: one of its ends does not answer");
	scene_legend(s, LINE_PACKET, 0, "the rules of a Service choose one ready Pod per connection");
	scene_legend(s, LINE_SECOND, 0, "a Pod that is told of the Service (environment, arguments) calls it");
	return true;
}
