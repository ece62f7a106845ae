/* Who may reach whom by policy, as a heat map: workloads (or namespaces, where there are many) against each other, a cell says how many of the pairs of Pods are
 * allowed. Row: from, column: to. Told apart by sign and number, not by colour alone. */
#include "sim/reachability/reach.h"
#include "viz/diagram/figure.h"

enum { MAX_ENDS = 40 };

struct end_group { const char *ns, *name; uint32_t nr; uint64_t *mask; };
struct drawing {
	struct world *w;
	struct scene *s;
	struct arena *a;
	struct end_group *v; uint32_t nr;
	uint32_t *of;                           /* by end: its group; UINT32_MAX: not shown */
	uint32_t ends, words;
	uint64_t *allowed, *pairs;              /* from * nr + to */
};

static uint32_t group_at(struct drawing *d, const char *ns, const char *name)
{
	for (uint32_t k = d->nr; k-- > 0;)
		if (strcmp(d->v[k].ns, ns) == 0 && strcmp(d->v[k].name, name) == 0)
			return k;
	d->v[d->nr] = (struct end_group){ .ns = ns, .name = name, .mask = arena_array(d->a, uint64_t, d->words) };
	return d->nr++;
}

/* Workload by workload; namespace by namespace where that would be too many. */
static void group_ends(struct drawing *d, struct reach *r, const struct figure_options *opt, bool by_ns)
{
	struct pod_groups groups = pods_grouped(d->w->cluster, opt, d->a);

	d->nr = 0;
	d->v = arena_array(d->a, struct end_group, (size_t)groups.nr + 1);
	for (uint32_t k = 0; k < d->ends; k++) {
		const struct pod *p = reach_end(r, k)->pod;
		const struct pod_group *g = p && figure_shows(opt, &p->o) ? pod_group_of(&groups, p, d->a) : NULL;

		d->of[k] = UINT32_MAX;
		if (!g)
			continue;
		d->of[k] = group_at(d, g->ns, by_ns ? "all Pods" : g->name);
		d->v[d->of[k]].nr++;
		d->v[d->of[k]].mask[k / 64] |= (uint64_t)1 << (k % 64);
	}
}

/* The sources that may open a connection to one of the ports. */
static const uint64_t *sources(struct drawing *d, struct reach *r, uint32_t to, const struct pod_ports *p, uint64_t *any)
{
	memset(any, 0, d->words * sizeof(*any));
	for (uint32_t i = 0; i < p->nr; i++) {
		const uint64_t *row = reach_row(r, to, p->proto[i], p->v[i]);

		for (uint32_t k = 0; k < d->words; k++)
			any[k] |= row[k];
	}
	return any;
}

/* port 0: a destination is asked on the ports that it declares. */
static void count(struct drawing *d, struct reach *r, uint8_t proto, uint16_t port)
{
	uint64_t *any = arena_array(d->a, uint64_t, d->words);

	d->allowed = arena_array(d->a, uint64_t, (size_t)d->nr * d->nr);
	d->pairs = arena_array(d->a, uint64_t, (size_t)d->nr * d->nr);
	for (uint32_t to = 0; to < d->ends; to++) {
		struct pod_ports asked = { .v = { port }, .proto = { proto }, .nr = 1 };
		const uint64_t *row;

		if (d->of[to] == UINT32_MAX)
			continue;
		if (!port)
			asked = pod_ports(reach_end(r, to)->pod);
		row = sources(d, r, to, &asked, any);
		for (uint32_t g = 0; g < d->nr; g++) {
			size_t at = (size_t)g * d->nr + d->of[to];
			uint64_t n = 0, self = d->of[to] == g;

			for (uint32_t k = 0; k < d->words; k++)
				n += (uint64_t)__builtin_popcountll(row[k] & d->v[g].mask[k]);
			self = self && (row[to / 64] >> (to % 64) & 1);
			d->allowed[at] += n - self;             /* a Pod always reaches itself: that says nothing of a policy */
			d->pairs[at] += d->v[g].nr - (d->of[to] == g);
		}
	}
}

static void add_heads(struct drawing *d, box_h h)
{
	scene_cell(d->s, h, true, ROW_NOTE, ROLE_PLAIN, "from ↓  to →")->down = 2;
	d->s->boxes.v[h.i].rows.v[0].cells.v[0].span = 2;
	for (uint32_t k = 0, n; k < d->nr; k += n) {
		for (n = 1; k + n < d->nr && strcmp(d->v[k].ns, d->v[k + n].ns) == 0; n++)
			;
		scene_cell(d->s, h, false, ROW_HEAD, ROLE_OUTSIDE, d->v[k].ns)->span = (uint16_t)n;
	}
	for (uint32_t k = 0; k < d->nr; k++)
		scene_cell(d->s, h, !k, ROW_PILLS, ROLE_PLAIN, d->nr > 12 ? arena_printf(d->a, "%u", k + 1) : d->v[k].name);
}

static void add_cell(struct drawing *d, box_h h, uint32_t from, uint32_t to)
{
	uint64_t yes = d->allowed[(size_t)from * d->nr + to], all = d->pairs[(size_t)from * d->nr + to];

	if (!all)
		scene_cell(d->s, h, false, ROW_GRID, ROLE_OUTSIDE, "–");
	else if (yes == all)
		scene_cell(d->s, h, false, ROW_GRID, ROLE_CONTAINER, "●");
	else if (!yes)
		scene_cell(d->s, h, false, ROW_GRID, ROLE_PLAIN, "·");
	else
		scene_cell(d->s, h, false, ROW_GRID, ROLE_STORAGE, arena_printf(d->a, "%" PRIu64 "%%", MIN(MAX(yes * 100 / all, 1u), 99u)));
}

static void add_rows(struct drawing *d, box_h h)
{
	for (uint32_t from = 0; from < d->nr; from++) {
		bool first = !from || strcmp(d->v[from - 1].ns, d->v[from].ns) != 0;
		uint32_t n = 1;

		while (from + n < d->nr && strcmp(d->v[from].ns, d->v[from + n].ns) == 0)
			n++;
		if (first)
			scene_cell(d->s, h, true, ROW_HEAD, ROLE_OUTSIDE, d->v[from].ns)->down = (uint16_t)n;
		scene_cell(d->s, h, !first, ROW_TEXT, ROLE_PLAIN, arena_printf(d->a, "%s%s%s", d->nr > 12 ? arena_printf(d->a, "%u  ", from + 1) : "", d->v[from].name,
									       d->v[from].nr > 1 ? arena_printf(d->a, "  ×%u", d->v[from].nr) : ""));
		for (uint32_t to = 0; to < d->nr; to++)
			add_cell(d, h, from, to);
	}
}

bool fig_matrix(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing d = { .w = w, .s = s, .a = s->arena };
	struct reach *r = reach_new(w->cluster, NULL, 0);
	uint16_t port = opt->port;
	uint8_t proto = opt->proto ? opt->proto : PROTO_TCP;
	box_h h;

	(void)rest;
	(void)args;
	(void)nr;
	d.ends = reach_nr(r);
	d.words = (d.ends + 63) / 64;
	d.of = arena_array(s->arena, uint32_t, (size_t)d.ends + 1);
	group_ends(&d, r, opt, opt->collapse);
	if (d.nr > MAX_ENDS)
		group_ends(&d, r, opt, true);
	if (!d.nr || d.nr > 4 * MAX_ENDS) {
		reach_free(r);
		return err_add(err, ERR_FAILED, NULL, d.nr ? "%u namespaces are too many for a picture: choose one with -n" : "there is no Pod to draw", d.nr);
	}
	count(&d, r, proto, port);
	reach_free(r);
	scene_init(s, s->arena, "matrix", port ? arena_printf(s->arena, "Who may reach whom by policy on %s port %u", l4_name(proto), port)
						: "Who may reach whom by policy, on the ports that the destination declares");
	s->description = arena_printf(s->arena, "%u groups of Pods, row: from, column: to. Routes and listeners do not count.", d.nr);
	h = scene_box(s, (box_h){ 0 }, ROLE_PLAIN, "matrix", NULL, NULL);
	scene_get(s, h)->title = s->title;
	add_heads(&d, h);
	add_rows(&d, h);
	scene_note(s, ROLE_PLAIN, port ? arena_printf(s->arena, "port %u", port) : "declared ports", "row: from, column: to; routes and listeners do not count");
	scene_note(s, ROLE_PLAIN, "●", "allowed for every pair of Pods");
	scene_note(s, ROLE_PLAIN, "·", "denied for every pair");
	scene_note(s, ROLE_PLAIN, "40%", "allowed for that share of the pairs");
	scene_note(s, ROLE_PLAIN, "–", "a single Pod and itself");
	return true;
}
