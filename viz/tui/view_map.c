/* The cluster map: Services, nodes with their Pods, what is on no node. Few nodes are boxes, beside each other or stacked; many are a grid of cells; very many are a
 * list of zones. What is drawn is also what can be selected: drawing leaves a list of things with their places, and the arrows go to the nearest one. */
#include "viz/tui/tui.h"

#include <stdio.h>
#include <stdlib.h>

enum thing_kind { THING_SERVICE, THING_NODE, THING_POD, THING_HOMELESS, THING_GROUP };
struct thing { struct rect r; uint8_t kind; const char *ref; uint32_t i; };
enum { MAX_THINGS = 1024, GRID_OVER = 200, GROUP_SIZE = 100, SERVICES_W = 26, NODE_MIN_W = 19 };

struct drawing {
	const struct tui *t;
	const struct view *v;
	const struct tui_map *map;
	struct cells *c;
	struct thing *things; uint32_t nr;
	const char *selected;                   /* ref */
	uint32_t first, last;                   /* nodes of the zoomed group, in the grid */
};

static const char *thing(struct drawing *d, enum thing_kind kind, const char *ref, struct rect r, uint32_t i)
{
	if (d->nr < MAX_THINGS && r.h > 0 && r.w > 0)
		d->things[d->nr++] = (struct thing){ r, (uint8_t)kind, ref, i };
	return ref;
}

static bool is_selected(const struct drawing *d, const char *ref) { return d->selected && ref && strcmp(d->selected, ref) == 0; }

static unsigned name_style(const struct drawing *d, const char *ref)
{
	return is_selected(d, ref) ? TR_TEXT | TA_REVERSE | TA_BOLD : *d->t->search && ref && text_has(ref, d->t->search) ? TR_MATCH | TA_UNDER : TR_TEXT;
}

/* ---- boxes */

static void pod_lines(struct drawing *d, struct rect r, const struct tui_pod *p, enum thing_kind kind, int step, int *y)
{
	cells_glyph(d->c, r.x, *y, mark_role(p->mark), mark_glyph(p->mark));
	if (step == 1) {
		int addr = MIN(15, r.w / 2 - 2);

		cells_middle(d->c, r.x + 2, *y, MAX(r.w - 2 - addr - 1, 8), name_style(d, p->ref), p->name);
		if (addr > 8)
			cells_right(d->c, r.x + r.w - addr, *y, addr, TR_DIM, p->address ? p->address : "-");
	} else {
		cells_middle(d->c, r.x + 2, *y, r.w - 2, name_style(d, p->ref), p->name);
		cells_text(d->c, r.x + 2, *y + 1, r.w - 2, p->address ? TR_PACKET : TR_DIM, p->address ? p->address : "no address yet");
	}
	thing(d, kind, p->ref, (struct rect){ r.x, *y, r.w, MIN(step, 2) }, 0);
	*y += step;
}

static void more_line(struct drawing *d, struct rect r, int y, uint32_t more, const char *what)
{
	cells_printf(d->c, r.x, y, r.w, TR_DIM, "… %u more%s", more, what);
}

static void agent_box(struct drawing *d, const struct tui_node *n, struct rect r)
{
	struct rect a = { r.x, r.y + r.h - (int)n->nr_agent - 1, r.w, (int)n->nr_agent + 1 };

	cells_box(d->c, a, BOX_LIGHT, TR_ROUTING, n->agent[0], NULL);
	for (uint32_t k = 1; k < n->nr_agent; k++)
		cells_text(d->c, a.x + 2, a.y + (int)k, a.w - 3, TR_TEXT, n->agent[k]);
}

static void node_box(struct drawing *d, const struct tui_node *n, struct rect r)
{
	bool sel = is_selected(d, n->ref), agent = n->nr_agent > 1 && r.h >= 14;
	struct rect in = { r.x + 2, r.y + 1, r.w - 4, r.h - 2 - (agent ? (int)n->nr_agent + 1 : 0) };
	int y = in.y, lines, step;
	uint32_t k;

	cells_box(d->c, r, sel ? BOX_HEAVY : BOX_LIGHT, sel ? TR_FOCUS : TR_BORDER, n->name, glyph(mark_glyph(n->mark)));
	cells_style(d->c, (struct rect){ r.x + r.w - 4, r.y, 1, 1 }, mark_role(n->mark));
	thing(d, THING_NODE, n->ref, (struct rect){ r.x, r.y, r.w, 2 }, 0);
	cells_text(d->c, in.x, y, in.w, TR_DIM, n->address);
	if (!agent && n->nr_agent > 1 && n->address && text_width(n->address) + text_width(n->agent[1]) + 2 <= in.w)
		cells_right(d->c, in.x, y, in.w, TR_ROUTING, n->agent[1]);
	y++;
	lines = in.y + in.h - y;
	step = (int)n->nr_pods * 3 + 1 <= lines ? 3 : (int)n->nr_pods * 2 + 1 <= lines ? 2 : 1;
	y += lines > (int)n->nr_pods * step;
	for (k = 0; k < n->nr_pods && y + (step > 1) < in.y + in.h - (step == 1 && k + 1 < n->nr_pods); k++)
		pod_lines(d, in, &n->pods[k], THING_POD, step, &y);
	if (k < n->nr_pods)
		more_line(d, in, in.y + in.h - 1, n->nr_pods - k, "");
	if (agent)
		agent_box(d, n, (struct rect){ r.x + 1, r.y + 1, r.w - 2, r.h - 2 });
}

static const char *endpoints(char out[32], uint32_t nr)
{
	snprintf(out, 32, nr == 1 ? "%u endpoint" : "%u endpoints", nr);
	return out;
}

static void service_lines(struct drawing *d, struct rect r, const struct tui_service *s, int step, int *y)
{
	char ends[32];
	int used;

	cells_glyph(d->c, r.x, *y, TR_SERVICE, TG_SERVICE);
	used = cells_middle(d->c, r.x + 2, *y, r.w - 2 - (s->type && strcmp(s->type, "LB") == 0 ? 4 : 0), name_style(d, s->ref), s->name);
	if (s->type && strcmp(s->type, "LB") == 0)
		cells_text(d->c, r.x + 4 + used, *y, 2, TR_SERVICE, "LB");
	if (step > 1)
		cells_text(d->c, r.x + 2, *y + 1, r.w - 2, TR_SERVICE, s->address);
	if (step > 2)
		cells_text(d->c, r.x + 2, *y + 2, r.w - 2, s->endpoints ? TR_TEXT : TR_BAD, endpoints(ends, s->endpoints));
	thing(d, THING_SERVICE, s->ref, (struct rect){ r.x, *y, r.w, MIN(step, 3) }, 0);
	*y += step;
}

static const struct { uint8_t mark; const char *text; } legend[] = {
	{ TM_READY, "ready" }, { TM_STARTING, "starting" }, { TM_PENDING, "pending" }, { TM_FAILED, "failed" }, { TM_ENDING, "terminating" },
};

static void legend_lines(struct drawing *d, struct rect r, int y)
{
	cells_text(d->c, r.x, y, r.w, TR_SERVICE, "╌╌ rules, no process");
	cells_text(d->c, r.x, y + 1, r.w, TR_TEXT, "── a thing that runs");
	for (size_t k = 0; k < ARRAY_LEN(legend); k++) {
		int x = r.x + (int)(k % 2) * 12;

		cells_glyph(d->c, x, y + 2 + (int)k / 2, mark_role(legend[k].mark), mark_glyph(legend[k].mark));
		cells_text(d->c, x + 2, y + 2 + (int)k / 2, r.w, TR_TEXT, legend[k].text);
	}
}

static void services_box(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	struct rect in = { r.x + 2, r.y + 1, r.w - 4, r.h - 2 };
	int legend_h = 5, outside = m->nr_outside ? (int)m->nr_outside + 1 : 0, lines = in.h - legend_h - outside, step, y = in.y;
	char nr[32];
	uint32_t k;

	snprintf(nr, sizeof(nr), "%u", m->nr_services);
	cells_box(d->c, r, BOX_DASHED, TR_SERVICE, "Services", nr);
	if (lines < 6) {
		lines = in.h;
		legend_h = outside = 0;
	}
	step = (int)m->nr_services * 4 - 1 <= lines ? 4 : (int)m->nr_services * 3 <= lines ? 3 : (int)m->nr_services * 2 <= lines ? 2 : 1;
	for (k = 0; k < m->nr_services && y + MIN(step, 3) - 1 < in.y + lines - (step == 1 && k + 1 < m->nr_services); k++)
		service_lines(d, in, &m->services[k], step, &y);
	if (k < m->nr_services)
		more_line(d, in, in.y + lines - 1, m->nr_services - k, ": :svc");
	y = in.y + lines;
	if (outside)
		cells_text(d->c, in.x, y++, in.w, TR_HEAD, "outside");
	for (uint32_t i = 0; outside && i < m->nr_outside; i++)
		cells_text(d->c, in.x + 2, y++, in.w - 2, TR_TEXT, m->outside[i]);
	if (legend_h)
		legend_lines(d, in, in.y + in.h - 5);
}

/* "not on a node: ○ default/batch-x8k2" in one line. */
static void homeless_line(struct drawing *d, int x, int y, int w)
{
	const struct tui_map *m = d->map;
	int at = x, end = x + w;

	if (!m->nr_homeless)
		return;
	at += cells_text(d->c, x, y, w, TR_TEXT, "not on a node:  ");
	for (uint32_t k = 0; k < m->nr_homeless; k++) {
		int len = text_width(m->homeless[k].name);

		if (at + len + 4 > end) {
			cells_printf(d->c, at, y, end - at, TR_DIM, "… %u more", m->nr_homeless - k);
			break;
		}
		cells_glyph(d->c, at, y, mark_role(m->homeless[k].mark), mark_glyph(m->homeless[k].mark));
		cells_text(d->c, at + 2, y, end - at - 2, name_style(d, m->homeless[k].ref), m->homeless[k].name);
		thing(d, THING_HOMELESS, m->homeless[k].ref, (struct rect){ at, y, len + 2, 1 }, k);
		at += len + 4;
	}
}

static void links_line(struct drawing *d, int x, int y, int w)
{
	const struct tui_map *m = d->map;
	int at = x;

	for (uint32_t k = 0; k < m->nr_nodes && at < x + w; k++) {
		if (!m->nodes[k].link)
			continue;
		at += cells_text(d->c, at, y, x + w - at, TR_DIM, at == x ? "links: " : " │ ");
		at += cells_printf(d->c, at, y, x + w - at, strcmp(m->nodes[k].link, "down") == 0 ? TR_BAD : TR_TEXT, "%s %s", m->nodes[k].name, m->nodes[k].link);
	}
}

static void mesh_line(struct drawing *d, const int *middle, int nr, int y)
{
	int len = text_width(d->map->mesh);

	for (int k = 0; k < nr; k++) {
		if (k + 1 < nr && middle[k + 1] > middle[k]) {
			cells_run(d->c, middle[k], y, middle[k + 1] - middle[k], TR_ROUTING, TG_HEAVY_H);
			cells_printf(d->c, (middle[k] + middle[k + 1] - len) / 2 - 1, y, len + 2, TR_ROUTING, " %s ", d->map->mesh);
		}
	}
	for (int k = 0; k < nr; k++)
		cells_glyph(d->c, middle[k], y, TR_ROUTING, TG_READY);
}

/* ---- beside each other */

static bool side_by_side(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	int x0 = r.x + (m->nr_services ? SERVICES_W + 1 : 0), room = r.x + r.w - x0, n = (int)m->nr_nodes, per = MIN(n, (room + 1) / (NODE_MIN_W + 1)), rows, h, middle[MAP_DETAIL];

	if (r.w < 100 || !n || n > MAP_DETAIL || per < 1)
		return false;
	rows = (n + per - 1) / per;
	per = (n + rows - 1) / rows;
	h = (r.h - 4) / rows;
	if (h < 6)
		return false;
	if (m->nr_services)
		services_box(d, (struct rect){ r.x, r.y, SERVICES_W, r.h });
	for (int k = 0; k < n; k++) {
		int col = k % per, w = (room - (per - 1)) / per, extra = (room - (per - 1)) % per, x = x0 + col * (w + 1) + MIN(col, extra);

		w += col < extra;
		if (k < per)
			middle[k] = x + w / 2;
		node_box(d, &m->nodes[k], (struct rect){ x, r.y + k / per * h, w, h });
	}
	if (m->mesh && n > 1)
		mesh_line(d, middle, per, r.y + rows * h);
	homeless_line(d, x0, r.y + rows * h + 1, room);
	links_line(d, x0, r.y + rows * h + 2, room);
	return true;
}

/* ---- stacked */

static void wide_node(struct drawing *d, const struct tui_node *n, struct rect r)
{
	bool sel = is_selected(d, n->ref);
	struct sb title = { 0 };
	int half = (r.w - 4) / 2, shown = (r.h - 2) * 2;

	sb_printf(&title, "%s  %s", n->name, n->address ? n->address : "");
	cells_box(d->c, r, sel ? BOX_HEAVY : BOX_LIGHT, sel ? TR_FOCUS : TR_BORDER, sb_text(&title), n->nr_agent > 1 ? n->agent[1] : glyph(mark_glyph(n->mark)));
	sb_free(&title);
	thing(d, THING_NODE, n->ref, (struct rect){ r.x, r.y, r.w, 1 }, 0);
	for (int k = 0; k < (int)n->nr_pods && k < shown; k++) {
		int x = r.x + 2 + k % 2 * half, y = r.y + 1 + k / 2;
		const struct tui_pod *p = &n->pods[k];

		if (k == shown - 1 && (int)n->nr_pods > shown) {
			more_line(d, (struct rect){ x, y, half - 1, 1 }, y, n->nr_pods - (uint32_t)k, " Pods");
			break;
		}
		cells_glyph(d->c, x, y, mark_role(p->mark), mark_glyph(p->mark));
		cells_middle(d->c, x + 2, y, half - 19, name_style(d, p->ref), p->name);
		cells_text(d->c, x + half - 16, y, 15, p->address ? TR_PACKET : TR_DIM, p->address ? p->address : "no address yet");
		thing(d, THING_POD, p->ref, (struct rect){ x, y, half - 1, 1 }, 0);
	}
}

static void wide_services(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	char ends[32], nr[32];
	int rows = r.h - 2, name = MIN(28, r.w / 3);

	snprintf(nr, sizeof(nr), "%u", m->nr_services);
	cells_box(d->c, r, BOX_DASHED, TR_SERVICE, "Services (Tab)", nr);
	for (int k = 0; k < (int)m->nr_services && k < rows; k++) {
		const struct tui_service *s = &m->services[k];
		int y = r.y + 1 + k, x = r.x + 2;

		if (k == rows - 1 && (int)m->nr_services > rows) {
			more_line(d, (struct rect){ x, y, r.w - 4, 1 }, y, m->nr_services - (uint32_t)k, ": :svc");
			break;
		}
		cells_middle(d->c, x, y, name, name_style(d, s->ref), s->name);
		cells_text(d->c, x + name + 2, y, 12, TR_TEXT, s->type && strcmp(s->type, "LB") == 0 ? "LoadBalancer" : s->type);
		cells_text(d->c, x + name + 16, y, r.w - name - 32, TR_SERVICE, s->address);
		cells_right(d->c, r.x + r.w - 15, y, 13, s->endpoints ? TR_TEXT : TR_BAD, endpoints(ends, s->endpoints));
		thing(d, THING_SERVICE, s->ref, (struct rect){ x, y, r.w - 4, 1 }, 0);
	}
}

static bool stacked(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	int y = r.y, n = (int)m->nr_nodes, services = m->nr_services ? MIN((int)m->nr_services, 4) + 2 : 0, most = 0, rows, need, left;

	if (n > MAP_DETAIL || !n || r.w < 60)
		return false;
	for (int k = 0; k < n; k++)
		most = MAX(most, ((int)m->nodes[k].nr_pods + 1) / 2);
	left = r.h - services - (m->nr_homeless ? 2 : 1);
	for (rows = most; rows > 1; rows--) {           /* as many rows of Pods as fit */
		need = 0;
		for (int k = 0; k < n; k++)
			need += MIN(((int)m->nodes[k].nr_pods + 1) / 2, rows) + 2;
		if (need <= left)
			break;
	}
	need = 0;
	for (int k = 0; k < n; k++)
		need += MIN(((int)m->nodes[k].nr_pods + 1) / 2, rows) + 2;
	if (need > left)
		return false;
	for (int k = 0; k < n; k++) {
		int h = MIN(((int)m->nodes[k].nr_pods + 1) / 2, rows) + 2;

		wide_node(d, &m->nodes[k], (struct rect){ r.x, y, r.w, h });
		y += h;
	}
	if (m->nr_homeless)
		homeless_line(d, r.x + 2, y++, r.w - 4);
	y++;
	if (m->nr_services && r.y + r.h - y >= 3)
		wide_services(d, (struct rect){ r.x, y, r.w, MIN((int)m->nr_services + 2, r.y + r.h - y) });
	return true;
}

/* ---- many */

static uint8_t worst_mark(const struct tui_node *n)
{
	static const uint8_t order[] = { TM_FAILED, TM_PENDING, TM_STARTING, TM_ENDING };

	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		if (n->count[order[k]])
			return order[k];
	return n->all ? TM_READY : TM_NONE;
}

/* Six dots stand for the Pods, each state has at least one. */
static void dots(struct drawing *d, int x, int y, const uint32_t count[TM_COUNT], uint32_t all, int width)
{
	static const uint8_t order[] = { TM_READY, TM_STARTING, TM_PENDING, TM_FAILED, TM_ENDING };
	int share[TM_COUNT] = { 0 }, sum = 0;

	for (size_t k = 0; all && k < ARRAY_LEN(order); k++) {
		share[order[k]] = count[order[k]] ? MAX(1, (int)((uint64_t)count[order[k]] * (unsigned)width / all)) : 0;
		sum += share[order[k]];
	}
	while (sum > width) {
		int most = TM_READY;

		for (size_t k = 0; k < ARRAY_LEN(order); k++)
			if (share[order[k]] > share[most])
				most = order[k];
		share[most]--;
		sum--;
	}
	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		for (int i = 0; i < share[order[k]]; i++)
			cells_glyph(d->c, x++, y, mark_role(order[k]), mark_glyph(order[k]));
}

static void node_cell(struct drawing *d, const struct tui_node *n, uint32_t i, struct rect r)
{
	char of[32];
	int name = r.w - 19;

	if (n->room)
		snprintf(of, sizeof(of), "%u/%u", n->all, n->room);
	else
		snprintf(of, sizeof(of), "%u", n->all);
	cells_glyph(d->c, r.x, r.y, mark_role(n->mark), mark_glyph(n->mark == TM_READY ? worst_mark(n) ? n->mark : TM_READY : n->mark));
	cells_middle(d->c, r.x + 2, r.y, name, name_style(d, n->ref), n->name);
	dots(d, r.x + 3 + name, r.y, n->count, n->all, 6);
	cells_right(d->c, r.x + 10 + name, r.y, 7, TR_DIM, of);
	thing(d, THING_NODE, n->ref, (struct rect){ r.x, r.y, r.w - 1, 1 }, i);
}

/* Nodes of one zone, or (without zones) of one hundred. Sorted by zone, then as they come. */
static uint32_t group_end(const struct tui_map *m, uint32_t from)
{
	uint32_t to = from + 1;

	if (!m->nodes[from].zone)
		return MIN((from / GROUP_SIZE + 1) * GROUP_SIZE, m->nr_nodes);
	while (to < m->nr_nodes && m->nodes[to].zone && strcmp(m->nodes[to].zone, m->nodes[from].zone) == 0)
		to++;
	return to;
}

static void summary(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	int x = r.x + 1;

	x += cells_printf(d->c, x, r.y, r.w - 2, TR_SERVICE, "%u Services", m->nr_services);
	cells_text(d->c, x + 2, r.y, r.w - x - 2, TR_DIM, ":svc lists them");
	homeless_line(d, r.x + 1, r.y + 1, r.w - 2);
}

static void grid(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	int cell = 28, per, rows = r.h - 3;
	uint32_t nr = d->last - d->first, sel = 0;
	uint32_t top;

	for (uint32_t k = d->first; k < d->last; k++) {
		cell = MAX(cell, MIN(text_width(m->nodes[k].name), 21) + 20);
		if (is_selected(d, m->nodes[k].ref))
			sel = k - d->first;
	}
	per = MAX(1, r.w / MIN(cell, r.w));
	cell = r.w / per;
	if (rows < 1)
		rows = r.h;
	top = 0;
	if (sel / (uint32_t)per >= (uint32_t)rows)
		top = (sel / (uint32_t)per - (uint32_t)rows / 2) * (uint32_t)per;
	for (uint32_t k = top; k < nr && k < top + (uint32_t)(rows * per); k++)
		node_cell(d, &m->nodes[d->first + k], d->first + k, (struct rect){ r.x + 1 + (int)((k - top) % (uint32_t)per) * cell, r.y + (int)((k - top) / (uint32_t)per), cell - 1, 1 });
	if (top + (uint32_t)(rows * per) < nr)
		cells_printf(d->c, r.x + 1, r.y + rows, r.w - 2, TR_DIM, "… %u more nodes: arrows go on, :nodes lists them", nr - top - (uint32_t)(rows * per));
	if (r.h > 3)
		summary(d, (struct rect){ r.x, r.y + r.h - 2, r.w, 2 });
}

static void groups(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	int rows = r.h - 4, y = r.y + 1;
	uint32_t nr = 0, sel = 0, top;
	char id[80];

	for (uint32_t at = 0; at < m->nr_nodes; at = group_end(m, at), nr++)
		if (is_selected(d, m->nodes[at].ref))
			sel = nr;
	top = sel >= (uint32_t)MAX(rows, 1) ? sel - (uint32_t)MAX(rows, 1) / 2 : 0;
	cells_printf(d->c, r.x + 1, r.y, r.w - 2, TR_HEAD | TA_BOLD, "%-30s %12s %22s %16s", m->nodes[0].zone ? "zone" : "nodes", "ready", "Pods ready", "starting … failed");
	nr = 0;
	for (uint32_t at = 0; at < m->nr_nodes && y < r.y + 1 + rows; nr++) {
		uint32_t to = group_end(m, at), count[TM_COUNT] = { 0 }, all = 0, ready = 0;

		for (uint32_t k = at; k < to; k++) {
			for (int i = 0; i < TM_COUNT; i++)
				count[i] += m->nodes[k].count[i];
			all += m->nodes[k].all;
			ready += m->nodes[k].mark == TM_READY;
		}
		if (nr >= top) {
			if (m->nodes[at].zone)
				snprintf(id, sizeof(id), "%.60s", m->nodes[at].zone);
			else
				snprintf(id, sizeof(id), "%.30s … %.30s", m->nodes[at].name, m->nodes[to - 1].name);
			cells_glyph(d->c, r.x + 1, y, mark_role(ready == to - at ? TM_READY : TM_FAILED), mark_glyph(ready == to - at ? TM_READY : TM_FAILED));
			cells_middle(d->c, r.x + 3, y, 28, name_style(d, m->nodes[at].ref), id);
			cells_printf(d->c, r.x + 32, y, 12, TR_TEXT, "%5u/%u", ready, to - at);
			cells_printf(d->c, r.x + 46, y, 22, TR_TEXT, "%10u/%u", count[TM_READY], all);
			dots(d, r.x + 70, y, count, all, MAX(6, MIN(24, r.w - 72)));
			thing(d, THING_GROUP, m->nodes[at].ref, (struct rect){ r.x + 1, y, r.w - 2, 1 }, at);
			y++;
		}
		at = to;
	}
	if (r.h > 3)
		summary(d, (struct rect){ r.x, r.y + r.h - 2, r.w, 2 });
}

static void walk(struct drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;

	d->first = 0;
	d->last = m->nr_nodes;
	if (!m->nr_nodes && !m->nr_services && !m->nr_homeless) {
		cells_text(d->c, r.x + 2, r.y + 1, r.w - 4, TR_DIM, "the cluster has no node yet:  :apply -f FILE");
		return;
	}
	if (m->nr_nodes > GRID_OVER && !*d->v->zoom) {
		groups(d, r);
		return;
	}
	if (m->nr_nodes > GRID_OVER) {
		for (uint32_t at = 0; at < m->nr_nodes; at = group_end(m, at))
			if (strcmp(m->nodes[at].ref, d->v->zoom) == 0) {
				d->first = at;
				d->last = group_end(m, at);
			}
		grid(d, r);
		return;
	}
	if (!tui_small(d->t) && (side_by_side(d, r) || stacked(d, r)))
		return;
	grid(d, r);
}

/* ---- */

static struct drawing begin(const struct tui *t, const struct view *v, struct cells *c, struct thing *things)
{
	return (struct drawing){ .t = t, .v = v, .map = &v->page.map, .c = c, .things = things, .selected = v->seek };
}

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	struct thing things[MAX_THINGS];
	struct drawing d = begin(t, v, c, things);

	walk(&d, r);
}

/* The things as they are on the screen now. */
static struct drawing look(const struct tui *t, const struct view *v, struct rect r, struct thing *things, struct cells *scratch)
{
	struct drawing d = begin(t, v, scratch, things);

	cells_resize(scratch, t->w, t->h);
	walk(&d, r);
	return d;
}

static int64_t index_of(const struct drawing *d)
{
	for (uint32_t k = 0; k < d->nr; k++)
		if (d->things[k].ref && strcmp(d->things[k].ref, d->selected) == 0)
			return k;
	return -1;
}

static void choose(struct view *v, const struct thing *x)
{
	snprintf(v->seek, sizeof(v->seek), "%.255s", x->ref ? x->ref : "");
	v->moved = true;
}

/* The nearest whose middle lies in that direction; what lies beside counts twice. */
static void go_towards(struct view *v, const struct drawing *d, int dx, int dy)
{
	int64_t at = index_of(d), best = -1;
	long least = 0;
	int cx, cy;

	if (at < 0) {
		if (d->nr)
			choose(v, &d->things[0]);
		return;
	}
	cx = 2 * d->things[at].r.x + d->things[at].r.w;
	cy = 4 * d->things[at].r.y + 2 * d->things[at].r.h;
	for (uint32_t k = 0; k < d->nr; k++) {
		const struct rect *r = &d->things[k].r;
		long x = 2 * r->x + r->w - cx, y = 4 * r->y + 2 * r->h - cy, ahead = dx ? x * dx : y * dy, aside = labs(dx ? y : x), cost = ahead + 2 * aside;

		if (dx ? r->x * dx <= (d->things[at].r.x + (dx > 0 ? d->things[at].r.w - 1 : 0)) * dx - (dx < 0 ? 0 : 0) && ahead <= 0 : ahead <= 0)
			continue;
		if (dx && ((dx > 0 && r->x < d->things[at].r.x + d->things[at].r.w) || (dx < 0 && r->x + r->w > d->things[at].r.x)))
			continue;
		if (k != at && (best < 0 || cost < least)) {
			best = k;
			least = cost;
		}
	}
	if (best >= 0)
		choose(v, &d->things[best]);
}

static void next_group(struct view *v, const struct drawing *d, bool back)
{
	int64_t at = index_of(d);

	for (uint32_t k = 1; at >= 0 && k < d->nr; k++) {
		const struct thing *x = &d->things[((uint32_t)at + (back ? d->nr - k : k)) % d->nr];

		if ((x->kind == THING_SERVICE) == (d->things[at].kind == THING_SERVICE) && x->kind != THING_NODE)
			continue;
		if (x->kind == THING_POD)
			continue;
		choose(v, x);
		return;
	}
}

static void open_thing(struct tui *t, struct view *v, const struct thing *x)
{
	if (x->kind == THING_GROUP) {
		snprintf(v->zoom, sizeof(v->zoom), "%.63s", x->ref);
		return;
	}
	if (v->tracing) {
		char both[660];
		struct tui_want w;

		v->tracing = false;
		snprintf(t->to, sizeof(t->to), "%.319s", x->ref);
		snprintf(both, sizeof(both), "%s %s", t->from, t->to);
		w = tui_want(PAGE_TRACE, both, NULL, 0);
		tui_open(t, &w);
		return;
	}
	tui_open_ref(t, x->ref, NULL);
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	struct thing things[MAX_THINGS];
	struct cells scratch = { 0 };
	struct drawing d = look(t, v, r, things, &scratch);
	int64_t at = index_of(&d);
	bool mine = true;

	(void)key;
	switch (id) {
	case ACT_LEFT: go_towards(v, &d, -1, 0); break;
	case ACT_RIGHT: go_towards(v, &d, 1, 0); break;
	case ACT_UP: go_towards(v, &d, 0, -1); break;
	case ACT_DOWN: go_towards(v, &d, 0, 1); break;
	case ACT_FIRST: if (d.nr) choose(v, &d.things[0]); break;
	case ACT_LAST: if (d.nr) choose(v, &d.things[d.nr - 1]); break;
	case ACT_PAGE_DOWN: for (int k = 0; k < 10; k++) { d.selected = v->seek; go_towards(v, &d, 0, 1); } break;
	case ACT_PAGE_UP: for (int k = 0; k < 10; k++) { d.selected = v->seek; go_towards(v, &d, 0, -1); } break;
	case ACT_NEXT_PANE: case ACT_PREV_PANE: next_group(v, &d, id == ACT_PREV_PANE); break;
	case ACT_OPEN: if (at >= 0) open_thing(t, v, &d.things[at]); break;
	case ACT_TRACE:
		if (v->tracing || at < 0) {
			v->tracing = false;
			mine = false;
			break;
		}
		snprintf(t->from, sizeof(t->from), "%.319s", v->seek);
		v->tracing = true;
		tui_say(t, TR_KEY, "trace from %s: go to where it leads and press Enter; t again to type it", t->from);
		break;
	case ACT_BACK:
		mine = v->tracing || *v->zoom;
		if (v->tracing)
			v->tracing = false;
		else if (*v->zoom) {
			snprintf(v->seek, sizeof(v->seek), "%s", v->zoom);
			v->zoom[0] = '\0';
		}
		break;
	default: mine = false;
	}
	cells_free(&scratch);
	return mine;
}

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	struct thing things[MAX_THINGS];
	struct cells scratch = { 0 };
	struct drawing d = look(t, v, r, things, &scratch);

	for (uint32_t k = 0; k < d.nr; k++)
		if (x >= things[k].r.x && x < things[k].r.x + things[k].r.w && y >= things[k].r.y && y < things[k].r.y + things[k].r.h)
			choose(v, &things[k]);
	cells_free(&scratch);
}

/* What was selected stays so if it is still there; else the first node is. */
static void loaded(struct tui *t, struct view *v)
{
	struct thing things[MAX_THINGS];
	struct cells scratch = { 0 };
	struct drawing d = look(t, v, tui_body(t), things, &scratch);

	if (index_of(&d) < 0) {
		const struct tui_map *m = &v->page.map;

		v->moved = false;
		snprintf(v->seek, sizeof(v->seek), "%.255s", m->nr_nodes ? m->nodes[0].ref : d.nr ? things[0].ref : "");
	}
	cells_free(&scratch);
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	(void)t;
	sb_add(left, "Cluster");
	if (*v->zoom)
		sb_printf(left, " › %s …", v->zoom);
	if (v->page.kind)
		sb_printf(right, "%u nodes   %u Services", v->page.map.nr_nodes, v->page.map.nr_services);
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_map *m = &v->page.map;

	(void)t;
	if (!v->page.kind)
		return;
	if (m->worst && (!v->moved || (m->worst_ref && strcmp(m->worst_ref, v->seek) == 0))) {
		sb_add(out, m->worst);
		return;
	}
	for (uint32_t k = 0; k < m->nr_services; k++)
		if (strcmp(m->services[k].ref, v->seek) == 0 && m->services[k].address)
			sb_printf(out, "%s: %s is on no interface; it exists only in rules, the same on every node", m->services[k].name, m->services[k].address);
	if (!out->len && *v->seek)
		sb_printf(out, "%s", v->seek);
}

static void selected(const struct tui *t, const struct view *v, struct sb *out)
{
	(void)t;
	if (!(v->page.map.nr_nodes > GRID_OVER && !*v->zoom))
		sb_add(out, v->seek);
}

static const struct tui_pod *pod_at(const struct tui_map *m, uint32_t i)
{
	for (uint32_t k = 0; k < m->nr_nodes; k++) {
		if (i < m->nodes[k].nr_pods)
			return &m->nodes[k].pods[i];
		i -= m->nodes[k].nr_pods;
	}
	return NULL;
}

static uint32_t nr_pods(const struct tui_map *m)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < m->nr_nodes; k++)
		nr += m->nodes[k].nr_pods;
	return nr;
}

/* Services, nodes, Pods, those on no node: one number for each. */
static const char *ref_at(const struct tui_map *m, uint32_t i)
{
	if (i < m->nr_services)
		return m->services[i].ref;
	i -= m->nr_services;
	if (i < m->nr_nodes)
		return m->nodes[i].ref;
	i -= m->nr_nodes;
	if (i < nr_pods(m))
		return pod_at(m, i)->ref;
	i -= nr_pods(m);
	return i < m->nr_homeless ? m->homeless[i].ref : NULL;
}

static uint32_t count(const struct tui *t, const struct view *v)
{
	const struct tui_map *m = &v->page.map;

	(void)t;
	return m->nr_services + m->nr_nodes + nr_pods(m) + m->nr_homeless;
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	const char *ref = ref_at(&v->page.map, i);

	(void)t;
	return ref && text_has(ref, word);
}

static void go(struct tui *t, struct view *v, uint32_t i)
{
	(void)t;
	v->cursor = i;
	snprintf(v->seek, sizeof(v->seek), "%.255s", ref_at(&v->page.map, i));
	v->moved = true;
}

const struct view_ops view_map = { .name = "Cluster", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .matches = matches, .count = count, .go = go,
	.loaded = loaded };
