/* The cluster map: Services, nodes with their Pods, what is on no node. Few nodes are boxes, beside each other or stacked; many are a grid of cells; very many are a
 * list of zones. */
#include "viz/tui/map_draw.h"

#include <stdio.h>

enum { GROUP_SIZE = 100, SERVICES_W = 26, NODE_MIN_W = 19 };

static const char *thing(struct map_drawing *d, enum thing_kind kind, const char *ref, struct rect r, uint32_t i)
{
	if (d->nr < MAX_THINGS && r.h > 0 && r.w > 0)
		d->things[d->nr++] = (struct thing){ r, (uint8_t)kind, ref, i };
	return ref;
}

static bool is_selected(const struct map_drawing *d, const char *ref) { return d->selected && ref && strcmp(d->selected, ref) == 0; }

static unsigned name_style(const struct map_drawing *d, const char *ref)
{
	return is_selected(d, ref) ? TR_TEXT | TA_REVERSE | TA_BOLD : tui_on_path(d->t, ref) ? TR_PACKET | TA_BOLD : *d->t->search && ref && text_has(ref, d->t->search) ? TR_MATCH | TA_UNDER : TR_TEXT;
}

/* ---- boxes */

static void pod_lines(struct map_drawing *d, struct rect r, const struct tui_pod *p, enum thing_kind kind, int step, int *y)
{
	cells_glyph(d->c, r.x, *y, mark_role(p->mark), mark_glyph(p->mark));
	if (tui_on_path(d->t, p->ref))
		cells_glyph(d->c, r.x + 1, *y, TR_PACKET | TA_BOLD, TG_DOUBLE_H);
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

static void more_line(struct map_drawing *d, struct rect r, int y, uint32_t more, const char *what)
{
	cells_printf(d->c, r.x, y, r.w, TR_DIM, "… %u more%s", more, what);
}

static void agent_box(struct map_drawing *d, const struct tui_node *n, struct rect r)
{
	struct rect a = { r.x, r.y + r.h - (int)n->nr_agent - 1, r.w, (int)n->nr_agent + 1 };

	cells_box(d->c, a, BOX_LIGHT, TR_ROUTING, n->agent[0], NULL);
	for (uint32_t k = 1; k < n->nr_agent; k++)
		cells_text(d->c, a.x + 2, a.y + (int)k, a.w - 3, TR_TEXT, n->agent[k]);
}

static void node_box(struct map_drawing *d, const struct tui_node *n, struct rect r)
{
	bool sel = is_selected(d, n->ref), agent = n->nr_agent > 1 && r.h >= 14;
	struct rect in = { r.x + 2, r.y + 1, r.w - 4, r.h - 2 - (agent ? (int)n->nr_agent + 1 : 0) };
	int y = in.y, lines, step;
	uint32_t k;

	cells_box(d->c, r, sel ? BOX_HEAVY : BOX_LIGHT, sel ? TR_FOCUS : tui_on_path(d->t, n->ref) ? TR_PACKET : TR_BORDER, n->name, glyph(mark_glyph(n->mark)));
	if (tui_on_path(d->t, n->ref))
		cells_glyph(d->c, r.x + 1, r.y, TR_PACKET | TA_BOLD, TG_DOUBLE_H);
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

static void service_lines(struct map_drawing *d, struct rect r, const struct tui_service *s, int step, int *y)
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

static void legend_lines(struct map_drawing *d, struct rect r, int y)
{
	cells_text(d->c, r.x, y, r.w, TR_SERVICE, "╌╌ rules, no process");
	cells_text(d->c, r.x, y + 1, r.w, TR_TEXT, "── a thing that runs");
	for (size_t k = 0; k < ARRAY_LEN(legend); k++) {
		int x = r.x + (int)(k % 2) * 12;

		cells_glyph(d->c, x, y + 2 + (int)k / 2, mark_role(legend[k].mark), mark_glyph(legend[k].mark));
		cells_text(d->c, x + 2, y + 2 + (int)k / 2, r.w, TR_TEXT, legend[k].text);
	}
}

static void services_box(struct map_drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	struct rect in = { r.x + 2, r.y + 1, r.w - 4, r.h - 2 };
	int legend_h = 5, outside = m->nr_outside ? (int)m->nr_outside + 1 : 0, lines = in.h - legend_h - outside, step, y = in.y;
	char nr[32];
	uint32_t k;

	snprintf(nr, sizeof(nr), "%u", MAX(m->all_services, m->nr_services));
	cells_box(d->c, r, BOX_DASHED, TR_SERVICE, "Services", nr);
	if (lines < 6) {
		lines = in.h;
		legend_h = outside = 0;
	}
	step = (int)m->nr_services * 4 - 1 <= lines ? 4 : (int)m->nr_services * 3 <= lines ? 3 : (int)m->nr_services * 2 <= lines ? 2 : 1;
	for (k = 0; k < m->nr_services && y + MIN(step, 3) - 1 < in.y + lines - (step == 1 && k + 1 < m->nr_services); k++)
		service_lines(d, in, &m->services[k], step, &y);
	if (k < m->nr_services)
		more_line(d, in, in.y + lines - 1, MAX(m->all_services, m->nr_services) - k, ": :svc");
	y = in.y + lines;
	if (outside)
		cells_text(d->c, in.x, y++, in.w, TR_HEAD, "outside");
	for (uint32_t i = 0; outside && i < m->nr_outside; i++)
		cells_text(d->c, in.x + 2, y++, in.w - 2, TR_TEXT, m->outside[i]);
	if (legend_h)
		legend_lines(d, in, in.y + in.h - 5);
}

/* "not on a node: ○ default/batch-x8k2" in one line. */
static void homeless_line(struct map_drawing *d, int x, int y, int w)
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

static void links_line(struct map_drawing *d, int x, int y, int w)
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

static void mesh_line(struct map_drawing *d, const int *middle, int nr, int y)
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

static bool side_by_side(struct map_drawing *d, struct rect r)
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

static void wide_node(struct map_drawing *d, const struct tui_node *n, struct rect r)
{
	bool sel = is_selected(d, n->ref);
	struct sb title = { 0 };
	int half = (r.w - 4) / 2, shown = (r.h - 2) * 2;

	sb_printf(&title, "%s  %s", n->name, n->address ? n->address : "");
	cells_box(d->c, r, sel ? BOX_HEAVY : BOX_LIGHT, sel ? TR_FOCUS : tui_on_path(d->t, n->ref) ? TR_PACKET : TR_BORDER, sb_text(&title), n->nr_agent > 1 ? n->agent[1] : glyph(mark_glyph(n->mark)));
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
		if (tui_on_path(d->t, p->ref))
			cells_glyph(d->c, x + 1, y, TR_PACKET | TA_BOLD, TG_DOUBLE_H);
		cells_middle(d->c, x + 2, y, half - 19, name_style(d, p->ref), p->name);
		cells_text(d->c, x + half - 16, y, 15, p->address ? TR_PACKET : TR_DIM, p->address ? p->address : "no address yet");
		thing(d, THING_POD, p->ref, (struct rect){ x, y, half - 1, 1 }, 0);
	}
}

static void wide_services(struct map_drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	char ends[32], nr[32];
	int rows = r.h - 2, name = MIN(28, r.w / 3);

	snprintf(nr, sizeof(nr), "%u", MAX(m->all_services, m->nr_services));
	cells_box(d->c, r, BOX_DASHED, TR_SERVICE, "Services (Tab)", nr);
	for (int k = 0; k < (int)m->nr_services && k < rows; k++) {
		const struct tui_service *s = &m->services[k];
		int y = r.y + 1 + k, x = r.x + 2;

		if (k == rows - 1 && (int)m->nr_services > rows) {
			more_line(d, (struct rect){ x, y, r.w - 4, 1 }, y, MAX(m->all_services, m->nr_services) - (uint32_t)k, ": :svc");
			break;
		}
		cells_middle(d->c, x, y, name, name_style(d, s->ref), s->name);
		cells_text(d->c, x + name + 2, y, 12, TR_TEXT, s->type && strcmp(s->type, "LB") == 0 ? "LoadBalancer" : s->type);
		cells_text(d->c, x + name + 16, y, r.w - name - 32, TR_SERVICE, s->address);
		cells_right(d->c, r.x + r.w - 15, y, 13, s->endpoints ? TR_TEXT : TR_BAD, endpoints(ends, s->endpoints));
		thing(d, THING_SERVICE, s->ref, (struct rect){ x, y, r.w - 4, 1 }, 0);
	}
}

static bool stacked(struct map_drawing *d, struct rect r)
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
static void dots(struct map_drawing *d, int x, int y, const uint32_t count[TM_COUNT], uint32_t all, int width)
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

static void node_cell(struct map_drawing *d, const struct tui_node *n, uint32_t i, struct rect r)
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

static void summary(struct map_drawing *d, struct rect r)
{
	const struct tui_map *m = d->map;
	int x = r.x + 1;

	x += cells_printf(d->c, x, r.y, r.w - 2, TR_SERVICE, "%u Services", MAX(m->all_services, m->nr_services));
	cells_text(d->c, x + 2, r.y, r.w - x - 2, TR_DIM, ":svc lists them");
	homeless_line(d, r.x + 1, r.y + 1, r.w - 2);
}

static void grid(struct map_drawing *d, struct rect r)
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

static void groups(struct map_drawing *d, struct rect r)
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

void map_draw(struct map_drawing *d, struct rect r)
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
