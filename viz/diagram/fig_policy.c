/* What NetworkPolicies let in, workload by workload: a line where a connection is allowed to a workload that some policy isolates; workloads that no policy isolates
 * stand apart, open to all. Computed from the compiled policies of both ends (sim/reachability), port by port, not read off one policy alone. */
#include "model/policy/tiers.h"
#include "sim/reachability/reach.h"
#include "viz/diagram/figure.h"

enum { MAX_GROUPS = 24 };

struct drawing {
	struct world *w;
	struct scene *s;
	struct arena *a;
	struct reach *r;
	struct tiers tiers;
	const char *unknown[2][MAX_GROUPS];             /* by enum np_dir: why it cannot be told of one who would connect, or to whom it would */
	struct pod_group *group[MAX_GROUPS]; uint32_t end[MAX_GROUPS]; box_h box[MAX_GROUPS]; bool isolated[MAX_GROUPS]; struct pod_ports ports[MAX_GROUPS];
	struct names { const char *text; uint32_t nr; } barred[MAX_GROUPS];    /* the ports of workloads that are open, but not to it: its own policies do not let it out */
	const char *lets[MAX_GROUPS][MAX_GROUPS];       /* from, to: ports that may be connected to; NULL: none, or nobody is kept out */
	const char *open[MAX_GROUPS];                   /* the ports that all who get in may connect to; NULL: they differ, and stand on the lines */
	bool apart[MAX_GROUPS];                         /* has nothing to do with any policy */
	uint32_t nr, nr_apart, more;
	struct np_compiled *policy; uint32_t nr_policies;
};

static void add_name(struct drawing *d, struct names *n, const char *name)
{
	if (++n->nr <= 3)
		n->text = n->text ? arena_printf(d->a, "%s, %s", n->text, name) : name;
}

/* NULL: none. */
static const char *names_text(struct drawing *d, const struct names *n)
{
	return n->nr > 3 ? arena_printf(d->a, "%s and %u more", n->text, n->nr - 3) : n->text;
}

/* Whether a policy of a tier selects the Pod; their names are added. */
static bool tiers_on(struct drawing *d, const struct pod *p, enum np_dir dir, struct names *names)
{
	const pair_list *labels = d->tiers.nr_policies ? tier_labels_of(d->w->cluster, p, d->a) : NULL;
	bool any = false;

	for (uint32_t k = 0; k < d->tiers.v.nr; k++)
		for (uint32_t i = 0; i < d->tiers.v.v[k].policies.nr; i++) {
			const struct tier_policy *x = &d->tiers.v.v[k].policies.v[i];

			if (!x->decides[dir] || tier_selects(x, labels) == NO)
				continue;
			any = true;
			if (names)
				add_name(d, names, x->o->name);
		}
	return any;
}

static void choose(struct drawing *d, const struct figure_options *opt)
{
	struct pod_groups g = pods_grouped(d->w->cluster, opt, d->a);

	for (uint32_t k = 0; k < g.nr; k++) {
		int64_t end;

		if (d->nr == MAX_GROUPS) {
			d->more++;
			continue;
		}
		end = reach_find(d->r, arena_printf(d->a, "%s/%s", g.v[k]->ns, g.v[k]->first->o.name));
		if (end < 0)
			continue;
		d->group[d->nr] = g.v[k];
		d->end[d->nr] = (uint32_t)end;
		d->ports[d->nr] = pod_ports(g.v[k]->first);
		for (uint32_t i = 0; i < d->nr_policies; i++)
			d->isolated[d->nr] = d->isolated[d->nr] || (d->policy[i].isolates[NP_INGRESS] && np_selects(d->w->cluster, &d->policy[i], g.v[k]->first));
		d->isolated[d->nr] = d->isolated[d->nr] || tiers_on(d, g.v[k]->first, NP_INGRESS, NULL);
		d->nr++;
	}
}

static const char *policies_on(struct drawing *d, const struct pod *p, enum np_dir dir)
{
	struct names names = { 0 };

	tiers_on(d, p, dir, &names);
	for (uint32_t i = 0; i < d->nr_policies; i++) {
		const struct np_compiled *c = &d->policy[i];

		if (c->isolates[dir] && np_selects(d->w->cluster, c, p))
			add_name(d, &names, c->policy->o.name);
	}
	return names_text(d, &names);
}

/* Workloads that no policy names and that no line leads from: one list of each namespace instead of many boxes that say the same. */
static void add_apart(struct drawing *d, uint32_t first, box_h ns)
{
	box_h box = scene_box(d->s, ns, ROLE_PLAIN, arena_printf(d->a, "open-%s", d->group[first]->ns), "open to all", NULL);
	uint32_t nr = 0;
	const char *row = NULL;

	for (uint32_t k = first; k < d->nr && strcmp(d->group[k]->ns, d->group[first]->ns) == 0; k++) {
		if (!d->apart[k])
			continue;
		row = row ? arena_printf(d->a, "%s, %s", row, d->group[k]->name) : d->group[k]->name;
		d->box[k] = box;
		if (++nr % 3 == 0) {
			scene_row(d->s, box, ROW_TEXT, row, NULL);
			row = NULL;
		}
	}
	if (row)
		scene_row(d->s, box, ROW_TEXT, row, NULL);
	scene_get(d->s, box)->title = arena_printf(d->a, "%u workloads of namespace %s that no policy isolates", nr, d->group[first]->ns);
}

/* The namespaces are boxes; workloads stand in them. */
static void add_boxes(struct drawing *d)
{
	box_h ns = { 0 };
	const char *listed = NULL;
	bool many = false;

	for (uint32_t k = 1; k < d->nr; k++)
		many = many || strcmp(d->group[k]->ns, d->group[0]->ns) != 0;
	for (uint32_t k = 0; k < d->nr; k++) {
		const struct pod_group *g = d->group[k];
		const char *in = policies_on(d, g->first, NP_INGRESS), *out = policies_on(d, g->first, NP_EGRESS);
		bool told = !d->unknown[NP_INGRESS][k];

		if (many && (!k || strcmp(d->group[k - 1]->ns, g->ns) != 0))
			ns = scene_group(d->s, (box_h){ 0 }, ROLE_NODE, arena_printf(d->a, "namespace-%s", g->ns), "namespace", g->ns);
		if (d->apart[k]) {
			if (!listed || strcmp(listed, g->ns) != 0)
				add_apart(d, k, ns);
			listed = g->ns;
			continue;
		}
		d->box[k] = scene_box(d->s, ns, d->isolated[k] ? ROLE_POD : ROLE_PLAIN, arena_printf(d->a, "workload-%s-%s", g->ns, g->name), g->name,
				      g->nr > 1 ? arena_printf(d->a, "%u Pods", g->nr) : NULL);
		scene_get(d->s, d->box[k])->title = arena_printf(d->a, "%s %s/%s, %s", g->kind, g->ns, g->name, d->isolated[k] ? "isolated by policy" : told ? "open to all" : "subject to a policy that is not modelled");
		part_details(d->s, d->box[k], d->w->cluster, &g->first->o);
		if (in || told)
			scene_row(d->s, d->box[k], in ? ROW_TEXT : ROW_NOTE, "in", in ? in : "no policy: open to all");
		if (d->open[k])
			scene_row(d->s, d->box[k], ROW_TEXT, "ports", d->open[k]);
		if (out)
			scene_row(d->s, d->box[k], ROW_TEXT, "out", out);
		if (d->barred[k].nr)
			scene_row(d->s, d->box[k], ROW_TEXT, "not to", names_text(d, &d->barred[k]));
		for (int dir = NP_INGRESS; dir <= NP_EGRESS; dir++) {
			const char *why = d->unknown[dir][k];

			if (!why)
				continue;
			scene_row(d->s, d->box[k], ROW_CHANGED, arena_printf(d->a, "? %s cannot be told:", dir == NP_INGRESS ? "who gets in" : "where it gets"), NULL);
			scene_row(d->s, d->box[k], ROW_NOTE, why, NULL);
		}
	}
}

/* Which of its ports one may connect to; NULL: none. */
static const char *allowed_ports(struct drawing *d, uint32_t from, uint32_t to)
{
	const struct pod_ports *p = &d->ports[to];
	const char *text = NULL;

	for (uint32_t k = 0; k < p->nr; k++)
		if (reach_unknown(d->r, d->end[from], d->end[to], p->proto[k], p->v[k]))
			d->unknown[NP_INGRESS][to] = reach_explain(d->r, d->end[from], d->end[to], p->proto[k], p->v[k], d->a).unknown;
		else if (reach_allowed(d->r, d->end[from], d->end[to], p->proto[k], p->v[k]))
			text = arena_printf(d->a, "%s%s:%u%s", text ? text : "", text ? ", " : "", p->v[k], p->proto[k] == PROTO_UDP ? "/udp" : "");
	return text;
}

/* What stands once in a box need not stand on each line to it. */
static void ask_one(struct drawing *d, uint32_t to)
{
	bool differ = false;

	for (uint32_t from = 0; from < d->nr; from++) {
		const char *ports = from == to ? NULL : allowed_ports(d, from, to);

		d->lets[from][to] = ports;
		differ = differ || (ports && d->open[to] && strcmp(ports, d->open[to]) != 0);
		d->open[to] = ports ? ports : d->open[to];
	}
	if (differ)
		d->open[to] = NULL;
}

/* To workloads that no policy isolates only those may be kept from connecting whose own policies decide where they get. */
static void ask_open(struct drawing *d, uint32_t from)
{
	for (uint32_t to = 0; to < d->nr; to++) {
		const struct pod_ports *p = &d->ports[to];

		for (uint32_t k = 0; k < p->nr && to != from && !d->isolated[to]; k++)
			if (reach_unknown(d->r, d->end[from], d->end[to], p->proto[k], p->v[k]))
				d->unknown[NP_EGRESS][from] = reach_explain(d->r, d->end[from], d->end[to], p->proto[k], p->v[k], d->a).unknown;
			else if (!reach_allowed(d->r, d->end[from], d->end[to], p->proto[k], p->v[k]))
				add_name(d, &d->barred[from], arena_printf(d->a, "%s:%u%s", d->group[to]->name, p->v[k], p->proto[k] == PROTO_UDP ? "/udp" : ""));
	}
}

static void ask(struct drawing *d)
{
	for (uint32_t to = 0; to < d->nr; to++)
		if (d->isolated[to])
			ask_one(d, to);
	for (uint32_t from = 0; from < d->nr; from++)
		if (policies_on(d, d->group[from]->first, NP_EGRESS))
			ask_open(d, from);
	for (uint32_t k = 0; k < d->nr; k++) {
		d->apart[k] = !d->unknown[NP_INGRESS][k] && !d->unknown[NP_EGRESS][k] && !d->isolated[k] && !policies_on(d, d->group[k]->first, NP_EGRESS);
		for (uint32_t to = 0; to < d->nr; to++)
			d->apart[k] = d->apart[k] && !d->lets[k][to];
		d->nr_apart += d->apart[k];
	}
	if (d->nr_apart < 4)                    /* a few boxes do no harm */
		memset(d->apart, 0, sizeof(d->apart));
}

/* Two that may connect to each other, to the ports in their boxes, have one line. */
static bool both_ways(const struct drawing *d, uint32_t x, uint32_t y)
{
	return d->lets[x][y] && d->lets[y][x] && d->open[x] && d->open[y];
}

static void add_lines(struct drawing *d)
{
	for (uint32_t to = 0; to < d->nr; to++) {
		uint32_t allowed = 0;

		if (!d->isolated[to])
			continue;
		for (uint32_t from = 0; from < d->nr; from++) {
			if (!d->lets[from][to])
				continue;
			allowed++;
			if (from < to || !both_ways(d, from, to))
				scene_line(d->s, d->box[from], d->box[to], LINE_PACKET, d->open[to] ? NULL : d->lets[from][to])->both = both_ways(d, from, to);
		}
		if (!allowed && !d->unknown[NP_INGRESS][to])
			scene_row(d->s, d->box[to], ROW_CHANGED, "✕ nobody gets in", NULL);
	}
}

bool fig_policy(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	bool held = false;
	uint32_t open = 0;

	(void)rest;
	(void)args;
	(void)nr;
	*d = (struct drawing){ .w = w, .s = s, .a = s->arena, .r = reach_new(w->cluster, NULL, 0) };
	d->policy = policies_compile(w->cluster, s->arena, &d->nr_policies);
	d->tiers = policy_tiers(w->cluster, s->arena);
	choose(d, opt);
	if (!d->nr) {
		reach_free(d->r);
		return err_add(err, ERR_FAILED, NULL, "there is no Pod to draw");
	}
	scene_init(s, s->arena, "policy", "What NetworkPolicies let in, workload by workload");
	s->description = arena_printf(s->arena, "%u policies, %u workloads; a line where a connection to an isolated workload is allowed, with its ports.", d->nr_policies + d->tiers.nr_policies, d->nr);
	s->left_to_right = true;
	s->rank_gap = 1.0f;
	ask(d);
	add_boxes(d);
	add_lines(d);
	reach_free(d->r);
	for (uint32_t k = 0; k < d->nr; k++) {
		open += !d->isolated[k] && !d->unknown[NP_INGRESS][k];
		held |= d->barred[k].nr || d->unknown[NP_EGRESS][k];
	}
	scene_legend(s, LINE_PACKET, 0, "may connect, to the ports in the box or on the line; to an isolated workload nobody else may");
	if (open)
		scene_note(s, ROLE_PLAIN, arena_printf(s->arena, "%u workload%s", open, open > 1 ? "s" : ""),
			   held ? "that no policy isolates: everybody may connect but those whose box says that they may not, or that it cannot be told; no line is drawn for it"
				: "that no policy isolates: everybody may connect, and no line is drawn for it");
	if (!d->nr_policies && !d->tiers.nr_policies)
		scene_note(s, ROLE_PLAIN, "no NetworkPolicy", "everybody may connect to everybody");
	if (d->more)
		scene_note(s, ROLE_DENIED, arena_printf(s->arena, "%u more workloads", d->more), "are not drawn: choose a namespace with -n, or draw matrix");
	return true;
}
