#include "sim/reachability/grid.h"

#include "model/dataplane/packet.h"

const char *reach_port_text(const struct reach_port *p, struct arena *a)
{
	if (p->name)
		return arena_printf(a, "%s/%s", l4_name(p->proto), p->name);
	return p->lo == p->hi ? arena_printf(a, "%s/%u", l4_name(p->proto), p->lo) : arena_printf(a, "%s/%u-%u", l4_name(p->proto), p->lo, p->hi);
}

static struct reach_grid new_grid(uint32_t nr, struct reach_port port, struct arena *a)
{
	struct reach_grid g = { .port = port, .nr = nr };

	g.names = arena_array(a, const char *, nr + 1);
	g.pods = arena_array(a, uint32_t, nr + 1);
	g.allowed = arena_array(a, uint64_t, (size_t)nr * nr + 1);
	g.pairs = arena_array(a, uint64_t, (size_t)nr * nr + 1);
	g.unknown = arena_array(a, bool, (size_t)nr * nr + 1);
	return g;
}

static uint16_t port_on(const struct reach_port *p, const struct reach_end *to)
{
	enum l4 l4 = p->proto == PROTO_UDP ? L4_UDP : p->proto == PROTO_SCTP ? L4_SCTP : L4_TCP;

	return !p->name ? p->lo : to->pod ? pod_port_by_name(to->pod->spec, p->name, l4) : 0;
}

#define HIDDEN UINT32_MAX

static bool shown(const struct reach_filter *f, const struct reach_end *e, bool outside)
{
	return outside || !f || ((!f->ns || streq(f->ns, e->pod->o.ns)) && (!f->labels || selector_matches(f->labels, &e->pod->o.labels)));
}

/* Row by row: also where each destination has its own number. group: of each end. */
static void by_ends(struct reach *r, const uint32_t *group, struct reach_grid *g)
{
	uint32_t nr = reach_nr(r);

	for (uint32_t to = 0; to < nr; to++) {
		uint16_t port = group[to] == HIDDEN ? 0 : port_on(&g->port, reach_end(r, to));
		const uint64_t *row = port ? reach_row(r, to, g->port.proto, port) : NULL, *unknown = row ? reach_row_unknown(r) : NULL;

		for (uint32_t from = 0; row && group[to] != HIDDEN && from < nr; from++) {
			size_t at = (size_t)group[from] * g->nr + group[to];

			if (group[from] == HIDDEN)
				continue;
			g->unknown[at] = g->unknown[at] || (unknown && unknown[from / 64] >> (from % 64) & 1);
			g->pairs[at]++;
			g->allowed[at] += row[from / 64] >> (from % 64) & 1;
		}
	}
	for (size_t k = 0; k < (size_t)g->nr * g->nr; k++)
		if (g->unknown[k])
			g->allowed[k] = g->pairs[k] = 0;
}

static uint32_t count_pods(struct reach *r)
{
	return reach_nr(r) - reach_nr_external(r);
}

static void pod_grid(struct reach *r, const struct reach_filter *f, struct reach_port port, struct arena *a, struct reach_grid *g)
{
	uint32_t nr = reach_nr(r), pods = count_pods(r), *group = arena_array(a, uint32_t, nr + 1), rows = 0;

	for (uint32_t k = 0; k < nr; k++)
		group[k] = shown(f, reach_end(r, k), k >= pods) ? rows++ : HIDDEN;
	*g = new_grid(rows, port, a);
	for (uint32_t k = 0; k < nr; k++)
		if (group[k] != HIDDEN) {
			g->names[group[k]] = reach_name(r, k, a);
			g->pods[group[k]] = k < pods;
		}
	by_ends(r, group, g);
}

/* Groups of Pods, and each address outside as a row of its own. A group of which nothing is shown stays, empty. */
static bool group_grid(struct reach *r, enum reach_by by, const struct reach_filter *f, struct reach_port port, struct arena *a, struct reach_grid *g, struct err *err)
{
	struct reach_table t = reach_groups(r, by, port.proto, port.name ? 1 : port.lo, a);
	uint32_t nr = reach_nr(r), pods = count_pods(r), *group;

	if (!t.cells)
		return err_add(err, ERR_INPUT, NULL, "a table of %u rows is no answer; ask --by namespace, or with --explain FROM TO", t.nr);
	*g = new_grid(t.nr + nr - pods, port, a);
	for (uint32_t k = 0; k < t.nr; k++) {
		g->names[k] = t.groups[k].name;
		g->pods[k] = t.groups[k].pods;
	}
	for (uint32_t k = pods; k < nr; k++)
		g->names[t.nr + k - pods] = reach_name(r, k, a);
	if (nr == pods && !port.name && !f && !reach_may_be_unknown(r)) {
		for (size_t k = 0; k < (size_t)t.nr * t.nr; k++) {
			g->allowed[k] = t.cells[k];
			g->pairs[k] = (uint64_t)t.groups[k / t.nr].pods * t.groups[k % t.nr].pods;
		}
		return true;
	}
	if (nr > GRID_MAX_ENDS)
		return err_add(err, ERR_INPUT, NULL, "addresses outside, names of ports, -n and -l need a table of at most %u Pods; these are %u", GRID_MAX_ENDS, nr);
	group = reach_group_of(r, by, a);
	for (uint32_t k = 0; k < nr; k++)
		group[k] = k >= pods ? t.nr + k - pods : shown(f, reach_end(r, k), false) ? group[k] : HIDDEN;
	by_ends(r, group, g);
	return true;
}

static bool grid(struct reach *r, enum reach_rows rows, const struct reach_filter *f, struct reach_port port, struct arena *a, struct reach_grid *g, struct err *err)
{
	if (rows != ROWS_POD)
		return group_grid(r, rows == ROWS_WORKLOAD ? REACH_BY_WORKLOAD : rows == ROWS_NAMESPACE ? REACH_BY_NAMESPACE : REACH_BY_CLASS, f, port, a, g, err);
	if (reach_nr(r) > GRID_MAX_ENDS)
		return err_add(err, ERR_INPUT, NULL, "a table of %u rows is no answer; ask --by namespace|workload|class, or with --explain FROM TO", reach_nr(r));
	pod_grid(r, f, port, a, g);
	return true;
}

static bool same_answer(const struct reach_grid *x, const struct reach_grid *y)
{
	return x->nr == y->nr && memcmp(x->allowed, y->allowed, (size_t)x->nr * x->nr * sizeof(*x->allowed)) == 0;
}

bool reach_grids_make(struct reach *r, enum reach_rows rows, const struct reach_filter *f, const struct reach_port *ports, uint32_t nr, struct arena *a, reach_grids *out, struct err *err)
{
	for (uint32_t k = 0; k < nr; k++) {
		struct reach_port p = ports[k];
		uint16_t *at = &p.lo;
		uint32_t parts = 1;

		if (!p.name && p.lo != p.hi)
			parts = reach_port_atoms(r, p.proto, p.lo, p.hi, a, &at);
		for (uint32_t i = 0; i < parts; i++) {
			struct reach_port part = { p.proto, at[i], i + 1 < parts ? (uint16_t)(at[i + 1] - 1) : p.hi, p.name };
			struct reach_grid g;

			if (!grid(r, rows, f, part, a, &g, err))
				return false;
			if (i && same_answer(&out->v[out->nr - 1], &g))
				out->v[out->nr - 1].port.hi = part.hi;
			else
				*vec_push(a, out) = g;
		}
	}
	return true;
}

int64_t reach_grid_find(const struct reach_grid *g, const char *name)
{
	for (uint32_t k = 0; k < g->nr; k++)
		if (strcmp(g->names[k], name) == 0)
			return k;
	return -1;
}

/* Whose range holds the first of the other's. */
const struct reach_grid *reach_grid_same(const reach_grids *all, const struct reach_grid *like)
{
	for (uint32_t k = 0; all && k < all->nr; k++)
		if (all->v[k].port.proto == like->port.proto && streq(all->v[k].port.name, like->port.name) && like->port.lo >= all->v[k].port.lo && like->port.lo <= all->v[k].port.hi)
			return &all->v[k];
	return NULL;
}

enum grid_cell reach_cell(const struct reach_grid *g, const struct reach_grid *was, uint32_t from, uint32_t to)
{
	size_t at = (size_t)from * g->nr + to;
	int64_t f = was ? reach_grid_find(was, g->names[from]) : -1, t = was ? reach_grid_find(was, g->names[to]) : -1;

	if (g->unknown[at])
		return CELL_UNKNOWN;
	if (f >= 0 && t >= 0) {
		size_t before = (size_t)f * was->nr + (size_t)t;
		double x = was->pairs[before] ? (double)was->allowed[before] / (double)was->pairs[before] : 0, y = g->pairs[at] ? (double)g->allowed[at] / (double)g->pairs[at] : 0;

		if (y > x)
			return CELL_ADDED;
		if (y < x)
			return CELL_REMOVED;
	}
	return !g->pairs[at] ? CELL_NONE : g->allowed[at] == g->pairs[at] ? CELL_ALLOWED : g->allowed[at] ? CELL_PART : CELL_DENIED;
}
