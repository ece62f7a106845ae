/* Any cluster: the world outside, Services, and nodes with their Pods.
 *
 * Two forms. Where few Pods are shown each is a box on its node, with a line from every Service to its endpoints. Where there are more (or with --collapse) the Pods of
 * a workload become one box, lines lead from Services to workloads and from workloads to the Services that they are told of, and nodes stand below with what they
 * carry. Of ten thousand Pods the largest workloads are drawn and the rest is counted. */
#include "viz/diagram/figure.h"
#include "viz/diagram/tally.h"

enum { MAX_NODES = 8, MAX_PODS = 10, MAX_SERVICES = 24, MAX_GROUPS = 24, MAX_LINES = 6 };

struct drawing {
	struct world *w;
	struct scene *s;
	struct arena *a;
	const struct figure_options *opt;
	struct pod_groups groups;
	const struct service **svc; uint32_t nr_svcs, more_svcs;
	struct map seen;                        /* object or group → 1 + steps from the focus; empty without a focus */
	struct map box;                         /* object or group → box */
	box_h *upper; uint32_t nr_upper;
	bool many;                              /* a summary of several namespaces: names stand with theirs */
};

static const char *name_of(const struct drawing *d, const char *ns, const char *name)
{
	return d->many ? arena_printf(d->a, "%s/%s", ns, name) : name;
}

static box_h box_of(const struct drawing *d, const void *what)
{
	uint64_t *at = map_find(&d->box, map_ptr(what));

	return (box_h){ at ? (uint32_t)*at : 0 };
}

static void put_box(struct drawing *d, const void *what, box_h h)
{
	*map_put(&d->box, d->a, map_ptr(what)) = h.i;
}

static bool near_focus(const struct drawing *d, const void *what)
{
	return !d->opt->focus || map_find(&d->seen, map_ptr(what));
}

/* ---- what is shown */

static void collect_services(struct drawing *d)
{
	struct object_list l = cluster_list(d->w->cluster, &service_kind);

	d->svc = arena_array(d->a, const struct service *, (size_t)l.nr + 1);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *v = (const struct service *)l.v[k];

		if (figure_shows(d->opt, &v->o) && !(streq(v->o.ns, "default") && streq(v->o.name, "kubernetes")))
			d->svc[d->nr_svcs++] = v;
	}
}

static bool from_outside(const struct service *v) { return v->type == SVC_LOADBALANCER || v->type == SVC_NODEPORT; }

/* Does it lead to one of the workloads that are drawn? */
static bool leads_somewhere(struct drawing *d, const struct map *drawn, const struct service *v)
{
	struct object_list ends = part_endpoints(d->w->cluster, v, d->a);

	for (uint32_t i = 0; i < ends.nr; i++)
		if (map_find(drawn, map_ptr(pod_group_of(&d->groups, (const struct pod *)ends.v[i], d->a))))
			return true;
	return false;
}

/* Those that lead to what is drawn come first, for there is room for a few only; and of them those that are reached from outside: where workloads call each other in
 * circles, the picture begins with what it meets first. */
static void rank_services(struct drawing *d)
{
	enum { LEADS = 2, OUTSIDE = 1, RANKS = 4 };
	const struct service **v = arena_array(d->a, const struct service *, (size_t)d->nr_svcs + 1);
	uint8_t *rank = arena_array(d->a, uint8_t, (size_t)d->nr_svcs + 1);
	struct map drawn = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < d->groups.nr; k++)
		*map_put(&drawn, d->a, map_ptr(d->groups.v[k])) = 1;
	for (uint32_t k = 0; k < d->nr_svcs; k++)
		rank[k] = (uint8_t)((leads_somewhere(d, &drawn, d->svc[k]) ? LEADS : 0) + (from_outside(d->svc[k]) ? OUTSIDE : 0));
	for (int r = RANKS; r-- > 0;)
		for (uint32_t k = 0; k < d->nr_svcs; k++)
			if (rank[k] == r)
				v[nr++] = d->svc[k];
	d->svc = v;
}

static void see(struct drawing *d, const void *what, uint64_t steps, bool *news)
{
	uint64_t *at;

	if (map_find(&d->seen, map_ptr(what)))
		return;
	at = map_put(&d->seen, d->a, map_ptr(what));
	*at = 1 + steps;
	*news = true;
}

static bool seen_at(const struct drawing *d, const void *what, uint64_t steps)
{
	uint64_t *at = map_find(&d->seen, map_ptr(what));

	return at && *at == 1 + steps;
}

/* One step on: from a Service to its endpoints' workloads and to those that are told of it, and back. */
static bool spread(struct drawing *d, uint64_t steps)
{
	bool news = false;

	for (uint32_t k = 0; k < d->nr_svcs; k++) {
		struct object_list ends = part_endpoints(d->w->cluster, d->svc[k], d->a);

		for (uint32_t i = 0; i < ends.nr; i++) {
			struct pod_group *g = pod_group_of(&d->groups, (const struct pod *)ends.v[i], d->a);

			if (g && seen_at(d, d->svc[k], steps))
				see(d, g, steps + 1, &news);
			else if (g && seen_at(d, g, steps))
				see(d, d->svc[k], steps + 1, &news);
		}
		for (uint32_t i = 0; i < d->groups.nr; i++) {
			struct pod_group *g = d->groups.v[i];

			if (!seen_at(d, d->svc[k], steps) && !seen_at(d, g, steps))
				continue;
			if (!pod_names_service(g->first, d->svc[k]))
				continue;
			if (seen_at(d, d->svc[k], steps))
				see(d, g, steps + 1, &news);
			else
				see(d, d->svc[k], steps + 1, &news);
		}
	}
	return news;
}

/* KIND/[NS/]NAME: svc, pod, or a workload. */
static bool focus(struct drawing *d, struct err *err)
{
	const char *slash = d->opt->focus ? strchr(d->opt->focus, '/') : NULL, *name = slash ? slash + 1 : d->opt->focus, *inner = name ? strchr(name, '/') : NULL;
	const struct kind *kind = slash ? kind_by_word(arena_strndup(d->a, d->opt->focus, (size_t)(slash - d->opt->focus))) : NULL;
	const char *ns = inner ? arena_strndup(d->a, name, (size_t)(inner - name)) : figure_ns(d->opt);
	bool news = false;

	if (!d->opt->focus)
		return true;
	if (!kind)
		return err_add(err, ERR_INPUT, NULL, "--focus: \"%s\" is not KIND/[NS/]NAME, as in svc/web", d->opt->focus);
	name = inner ? inner + 1 : name;
	for (uint32_t k = 0; kind == &service_kind && k < d->nr_svcs; k++)
		if (strcmp(d->svc[k]->o.name, name) == 0 && strcmp(d->svc[k]->o.ns, ns) == 0)
			see(d, d->svc[k], 0, &news);
	for (uint32_t k = 0; kind != &service_kind && k < d->groups.nr; k++) {
		struct pod_group *g = d->groups.v[k];
		bool hit = strcmp(g->name, name) == 0 && strcmp(g->kind, kind->name) == 0;

		for (uint32_t i = 0; kind == &pod_kind && i < g->pods.nr; i++)
			hit = hit || strcmp(g->pods.v[i]->o.name, name) == 0;
		if (hit && strcmp(g->ns, ns) == 0)
			see(d, g, 0, &news);
	}
	if (!news)
		return err_add(err, ERR_FAILED, NULL, "--focus: there is no %s \"%s\" in namespace %s with Pods", kind->name, name, ns);
	for (uint32_t k = 0; k < (d->opt->depth ? d->opt->depth : 2) && spread(d, k); k++)
		;
	return true;
}

/* What remains of both lists; the largest workloads, if there are too many. */
static void cut_down(struct drawing *d, uint32_t *more_groups, uint32_t *more_pods)
{
	uint32_t nr = 0, least = 0;

	for (uint32_t k = 0; k < d->nr_svcs; k++)
		if (near_focus(d, d->svc[k]))
			d->svc[nr++] = d->svc[k];
	d->nr_svcs = nr;
	nr = 0;
	for (uint32_t k = 0; k < d->groups.nr; k++)
		if (near_focus(d, d->groups.v[k]))
			d->groups.v[nr++] = d->groups.v[k];
	d->groups.nr = nr;
	*more_groups = *more_pods = 0;
	while (nr > MAX_GROUPS) {                       /* those with the fewest Pods go, the last by name first, until enough are gone */
		uint32_t kept = 0, gone = 0, excess = nr - MAX_GROUPS;

		least++;
		for (uint32_t k = nr; k-- > 0;)
			if (d->groups.v[k]->nr <= least && gone < excess) {
				gone++;
				++*more_groups;
				*more_pods += d->groups.v[k]->nr;
				d->groups.v[k] = NULL;
			}
		for (uint32_t k = 0; k < nr; k++)
			if (d->groups.v[k])
				d->groups.v[kept++] = d->groups.v[k];
		nr = d->groups.nr = kept;
	}
}

static uint32_t pods_shown(const struct drawing *d)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < d->groups.nr; k++)
		n += d->groups.v[k]->nr;
	return n;
}

/* ---- Services */

static box_h client_of(struct drawing *d)
{
	static const char who;

	if (!box_of(d, &who).i)
		put_box(d, &who, part_client(d->s, d->w));
	return box_of(d, &who);
}

static void add_services(struct drawing *d)
{
	box_h group = { 0 };
	bool own_rank = !d->opt->collapse;

	for (uint32_t k = 0; k < d->nr_svcs && k < MAX_SERVICES; k++) {
		const struct service *v = d->svc[k];
		box_h h;

		if (own_rank && !group.i) {
			box_h plate;

			group = part_services(d->s, &plate);
			d->upper[d->nr_upper++] = plate;
		}
		h = part_service(d->s, group, d->w->cluster, v);
		scene_get(d->s, h)->name = arena_printf(d->a, "%s%s  %s", own_rank ? "" : "Service ", name_of(d, v->o.ns, v->o.name), svc_type_names[v->type]);
		put_box(d, v, h);
		if (own_rank)
			d->upper[d->nr_upper++] = h;
		if (from_outside(v))
			scene_line(d->s, client_of(d), h, LINE_PACKET, NULL);
	}
	if (d->nr_svcs > MAX_SERVICES)
		scene_note(d->s, ROLE_DENIED, arena_printf(d->a, "%u more Services", d->nr_svcs - MAX_SERVICES), "are not drawn: -n, or --focus svc/NAME, chooses");
	if (d->nr_upper > 1) {
		scene_same_rank(d->s, d->upper, d->nr_upper);
		scene_below(d->s, d->upper[0], d->upper[1], 1);
	}
}

/* ---- each Pod a box */

static bool carries(const struct drawing *d, const struct node *n)
{
	for (uint32_t k = 0; k < d->groups.nr; k++)
		for (uint32_t i = 0; i < d->groups.v[k]->pods.nr; i++)
			if (pod_on(d->groups.v[k]->pods.v[i], n))
				return true;
	return false;
}

static void add_pod_boxes(struct drawing *d)
{
	struct object_list nodes = part_nodes(d->w->cluster, d->a);
	box_h row[MAX_PODS + MAX_NODES], pending = { 0 };
	uint32_t nr = 0;

	for (uint32_t n = 0; n <= nodes.nr && n <= MAX_NODES; n++) {
		const struct node *node = n < nodes.nr ? (const struct node *)nodes.v[n] : NULL;
		box_h group = { 0 };
		uint32_t here = 0;

		if (node && n < MAX_NODES && (!d->opt->focus || carries(d, node))) {
			group = part_node(d->s, (box_h){ 0 }, d->w->cluster, node);
			scene_get(d->s, group)->label_below = true;
		}
		for (uint32_t k = 0; k < d->groups.nr; k++)
			for (uint32_t i = 0; i < d->groups.v[k]->pods.nr; i++) {
				const struct pod *p = d->groups.v[k]->pods.v[i];

				if (node ? !pod_on(p, node) : p->node && find_node(d->w->cluster, p->node))
					continue;
				if (!node && !pending.i)
					pending = group = scene_group(d->s, (box_h){ 0 }, ROLE_DENIED, "unscheduled", "on no node yet", NULL);
				row[nr] = part_pod(d->s, group, d->w->cluster, p, true);
				put_box(d, p, row[nr++]);
				here++;
			}
		if (group.i && !here)
			row[nr++] = scene_box(d->s, group, ROLE_OUTSIDE, arena_printf(d->a, "none-%s", node->o.name), NULL, "no Pods");
	}
	scene_same_rank(d->s, row, nr);
	if (d->nr_upper && nr)
		scene_below(d->s, d->upper[0], row[0], 1);
}

static void pod_lines(struct drawing *d)
{
	for (uint32_t k = 0; k < d->nr_svcs && k < MAX_SERVICES; k++) {
		struct object_list ends = part_endpoints(d->w->cluster, d->svc[k], d->a);
		box_h svc = box_of(d, d->svc[k]);

		for (uint32_t i = 0, nr = 0; i < ends.nr && nr < MAX_LINES; i++)
			if (box_of(d, ends.v[i]).i && ++nr)
				scene_line(d->s, svc, box_of(d, ends.v[i]), LINE_PACKET, NULL)->weight = 2;
		for (uint32_t g = 0; g < d->groups.nr; g++)
			if (pod_names_service(d->groups.v[g]->first, d->svc[k]))
				for (uint32_t i = 0; i < d->groups.v[g]->pods.nr && i < MAX_LINES; i++)
					if (box_of(d, d->groups.v[g]->pods.v[i]).i)
						scene_line(d->s, box_of(d, d->groups.v[g]->pods.v[i]), svc, LINE_SECOND, NULL)->back = true;
	}
	scene_legend(d->s, LINE_PACKET, 0, "the rules of a Service choose one ready Pod per connection");
	scene_legend(d->s, LINE_SECOND, 0, "a Pod that is told of the Service (environment, arguments) calls it");
}

/* ---- each workload a box */

static void add_group_box(struct drawing *d, const struct pod_group *g)
{
	box_h h = scene_box(d->s, (box_h){ 0 }, g->ready == g->nr ? ROLE_POD : ROLE_DENIED, arena_printf(d->a, "workload-%s-%s", g->ns, g->name), arena_printf(d->a, "%s %s", g->kind, name_of(d, g->ns, g->name)), NULL);
	uint32_t nodes = 0;
	str last = NULL;

	for (uint32_t i = 0; i < g->pods.nr && nodes < 1000; i++) {
		bool again = g->pods.v[i]->node == last || !g->pods.v[i]->node;

		for (uint32_t j = 0; j < i && !again && g->pods.nr < 500; j++)
			again = g->pods.v[j]->node == g->pods.v[i]->node;
		nodes += !again;
		last = g->pods.v[i]->node;
	}
	scene_get(d->s, h)->address = g->nr == 1 ? ip_set(g->first->ip) ? arena_strdup(d->a, IP(g->first->ip)) : "Pending"
						 : g->pods.nr < 500 ? arena_printf(d->a, "%u Pods on %u node%s", g->nr, nodes, nodes == 1 ? "" : "s") : arena_printf(d->a, "%u Pods", g->nr);
	scene_get(d->s, h)->title = arena_printf(d->a, "%s %s/%s, %u of %u Pods ready", g->kind, g->ns, g->name, g->ready, g->nr);
	if (g->ready != g->nr)
		scene_pill(d->s, h, ROLE_PLAIN, arena_printf(d->a, "%u of %u ready", g->ready, g->nr), false);
	part_details(d->s, h, d->w->cluster, &g->first->o);
	put_box(d, g, h);
}

static void group_lines(struct drawing *d)
{
	for (uint32_t k = 0; k < d->nr_svcs && k < MAX_SERVICES; k++) {
		struct object_list ends = part_endpoints(d->w->cluster, d->svc[k], d->a);
		box_h svc = box_of(d, d->svc[k]);
		const struct pod_group *last = NULL;

		for (uint32_t i = 0, nr = 0; i < ends.nr && nr < MAX_LINES; i++) {
			const struct pod_group *g = pod_group_of(&d->groups, (const struct pod *)ends.v[i], d->a);

			if (g && g != last && box_of(d, g).i && ++nr)
				scene_line(d->s, svc, box_of(d, g), LINE_PACKET, NULL)->weight = 4;
			last = g;
		}
		for (uint32_t g = 0; g < d->groups.nr; g++)
			if (pod_names_service(d->groups.v[g]->first, d->svc[k]) && box_of(d, d->groups.v[g]).i)
				scene_line(d->s, box_of(d, d->groups.v[g]), svc, LINE_SECOND, NULL);
	}
	scene_legend(d->s, LINE_PACKET, 0, "the rules of a Service choose one ready Pod per connection");
	scene_legend(d->s, LINE_SECOND, 0, "is told of the Service (environment, arguments) and calls it");
}

/* What neither calls nor is called would stand in one endless row: it is put in rows. */
struct heap { box_h top[MAX_GROUPS + MAX_SERVICES], bottom[MAX_GROUPS + MAX_SERVICES]; uint32_t nr; };

static void put_into(struct scene *s, struct heap *b, box_h top, box_h bottom)
{
	enum { COLUMNS = 6 };

	b->top[b->nr] = top;
	b->bottom[b->nr++] = bottom;
	if (b->nr > COLUMNS)
		scene_below(s, b->bottom[b->nr - 1 - COLUMNS], top, 6);
	if (b->nr == COLUMNS + 1)
		scene_same_rank(s, b->top, COLUMNS);
}

static bool has_line(const struct scene *s, box_h h, uint32_t lines)
{
	for (uint32_t i = 0; i < lines; i++)
		if (s->edges.v[i].from.i == h.i || s->edges.v[i].to.i == h.i)
			return true;
	return false;
}

static void arrange(struct drawing *d)
{
	struct heap apart = { .nr = 0 };
	uint32_t lines = d->s->edges.nr;        /* not counting those that hold those rows together */

	for (uint32_t k = 0; k < d->groups.nr; k++) {
		box_h h = box_of(d, d->groups.v[k]), above = { 0 };
		bool calls = false;

		for (uint32_t i = 0; h.i && i < lines; i++) {
			const struct scene_edge *e = &d->s->edges.v[i];

			if (e->to.i == h.i)
				above = e->from;
			calls = calls || (e->from.i == h.i && e->line == LINE_SECOND);
		}
		for (uint32_t i = 0; above.i && i < lines; i++)
			calls = calls || d->s->edges.v[i].to.i == above.i;
		if (h.i && !calls)
			put_into(d->s, &apart, above.i ? above : h, h);
	}
	for (uint32_t k = 0; k < d->nr_svcs && k < MAX_SERVICES; k++)
		if (!has_line(d->s, box_of(d, d->svc[k]), lines))
			put_into(d->s, &apart, box_of(d, d->svc[k]), box_of(d, d->svc[k]));
}

bool fig_cluster(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	struct object_list nodes = part_nodes(w->cluster, s->arena);
	struct figure_options mine = *opt;
	uint32_t more_groups, more_pods;
	struct tally tally = { 0 };
	box_h below;

	(void)rest;
	(void)args;
	(void)nr;
	if (!nodes.nr)
		return err_add(err, ERR_FAILED, NULL, "the cluster has no node");
	*d = (struct drawing){ .w = w, .s = s, .a = s->arena, .opt = &mine, .groups = pods_grouped(w->cluster, opt, s->arena) };
	collect_services(d);
	if (!focus(d, err))
		return false;
	tally_count(&tally, &d->groups, d->svc, d->nr_svcs, s->arena);
	cut_down(d, &more_groups, &more_pods);
	mine.collapse = opt->collapse || more_groups || pods_shown(d) > MAX_PODS || nodes.nr > MAX_NODES;
	d->many = more_groups && tally.nr > 1;
	if (mine.collapse)
		rank_services(d);
	d->upper = arena_array(s->arena, box_h, MAX_SERVICES + 2);
	scene_init(s, s->arena, "cluster", mine.collapse ? "The cluster: Services, workloads and nodes" : "The cluster: Services, nodes and their Pods");
	s->description = arena_printf(s->arena, "%u node%s, %u Service%s, %u Pod%s of %u workload%s%s; a line leads from each Service to the Pods that are its endpoints.", nodes.nr,
				      &"s"[nodes.nr == 1], d->nr_svcs, &"s"[d->nr_svcs == 1], pods_shown(d) + more_pods, &"s"[pods_shown(d) + more_pods == 1], d->groups.nr + more_groups,
				      &"s"[d->groups.nr + more_groups == 1], opt->focus ? arena_printf(s->arena, " near %s", opt->focus) : "");
	add_services(d);
	if (mine.collapse) {
		s->node_gap = 0.3f;
		for (uint32_t k = 0; k < d->groups.nr; k++)
			add_group_box(d, d->groups.v[k]);
		group_lines(d);
		arrange(d);
		below = tally_nodes(s, w);
		for (uint32_t k = 0; k < d->groups.nr; k++)
			if (box_of(d, d->groups.v[k]).i)
				scene_line(s, box_of(d, d->groups.v[k]), below, LINE_INVISIBLE, NULL);
		if (more_groups && tally.nr > 1 && !opt->focus)
			scene_line(s, below, tally_namespaces(s, &tally), LINE_INVISIBLE, NULL);
	} else {
		add_pod_boxes(d);
		pod_lines(d);
	}
	if (more_groups)
		scene_note(s, ROLE_DENIED, arena_printf(s->arena, "%u more workloads", more_groups), arena_printf(s->arena, "with %u Pods are not drawn: -n, or --focus KIND/NAME, chooses", more_pods));
	if (!d->groups.nr && !opt->all_ns && !opt->ns)
		scene_note(s, ROLE_PLAIN, "no Pods", "but those of the system, which -A shows");
	else if (!d->nr_svcs)
		scene_note(s, ROLE_PLAIN, "no Service", opt->focus ? "is near it" : "stands in front of these Pods");
	return true;
}
