/* An object, from several sides: tabs of panes, panes of lines. A line may lead somewhere (Enter), mean something (the message row) and be shown by a command on a
 * real node (c). What a command printed is shown the same way. */
#include "viz/tui/tui.h"

#include <stdio.h>
#include <stdlib.h>

static const struct tui_object *object_of(const struct view *v) { return &v->page.object; }
static const struct tui_pane *pane_of(const struct view *v) { return &object_of(v)->panes[MIN(v->pane, MAX(object_of(v)->nr_panes, 1u) - 1)]; }

static const struct tui_line *line_of(const struct view *v)
{
	const struct tui_pane *p = pane_of(v);

	return p->nr ? &p->v[MIN(v->pane_cursor[v->pane], p->nr - 1)] : NULL;
}

void draw_lines(struct cells *c, struct rect r, const struct tui_pane *p, uint32_t top, int64_t cursor, const char *search)
{
	for (uint32_t k = top; k < p->nr && (int)(k - top) < r.h; k++) {
		const struct tui_line *l = &p->v[k];
		int y = r.y + (int)(k - top), x = r.x + 1;
		bool hit = search && *search && l->text && text_has(l->text, search);

		if (k == cursor)
			cells_glyph(c, r.x, y, TR_CURSOR | TA_BOLD, TG_CURSOR);
		if (l->mark) {
			cells_glyph(c, x, y, mark_role(l->mark), mark_glyph(l->mark));
			x += 2;
		}
		cells_text(c, x, y, r.x + r.w - x, hit ? TR_MATCH | TA_UNDER : l->role, l->text ? l->text : "");
		if (k == cursor)
			cells_attr(c, (struct rect){ r.x, y, r.w, 1 }, TA_REVERSE);
	}
}

/* ---- where the panes stand */

static int tabs_rows(const struct tui *t, const struct view *v) { return object_of(v)->nr_tabs > 1 && !tui_small(t); }

/* What its longest line needs, with the border. */
static int pane_width(const struct tui_pane *p)
{
	int w = 0;

	for (uint32_t k = 0; k < p->nr; k++)
		w = MAX(w, text_width(p->v[k].text ? p->v[k].text : "") + (p->v[k].mark ? 2 : 0));
	return w + 4;
}

/* Whether a pane is a box, one line, or not there: h is 0, 1 or more. */
static void places(const struct tui *t, const struct view *v, struct rect r, struct rect out[MAX_PANES])
{
	const struct tui_object *o = object_of(v);
	int tabs = tabs_rows(t, v), n = (int)o->nr_panes, above, first, brief = 0, wants = 0;

	for (int k = 0; k < MAX_PANES; k++)
		out[k] = (struct rect){ 0 };
	r.y += tabs;
	r.h -= tabs;
	if (tui_small(t) || n <= 1) {
		out[MIN(v->pane, MAX(n, 1) - 1)] = r;
		return;
	}
	if (o->layout == LAYOUT_TWO && r.w >= 100 && n == 2) {
		out[0] = (struct rect){ r.x, r.y, r.w / 2, r.h };
		out[1] = (struct rect){ r.x + r.w / 2, r.y, r.w - r.w / 2, r.h };
		return;
	}
	if (r.w >= 100 && o->layout == LAYOUT_POD && n == 4) {
		above = MIN(MAX((int)MAX(o->panes[0].nr, o->panes[1].nr) + 2, 5), r.h / 2 - 2);
		for (int k = 0; k < 4; k++)
			out[k] = (struct rect){ r.x + (k & 1 ? r.w / 2 : 0), k < 2 ? r.y : r.y + above, k & 1 ? r.w - r.w / 2 : r.w / 2, k < 2 ? above : r.h - above };
		return;
	}
	if (r.w >= 100 && o->layout == LAYOUT_SERVICE && n == 3) {
		above = MIN(MAX((int)MAX(o->panes[0].nr, o->panes[1].nr) + 2, 5), r.h * 2 / 5);
		first = MIN(MAX(pane_width(&o->panes[0]), 34), MAX(r.w - 1 - pane_width(&o->panes[1]), 34));
		out[0] = (struct rect){ r.x, r.y, first, above };
		out[1] = (struct rect){ r.x + first + 1, r.y, r.w - first - 1, above };
		out[2] = (struct rect){ r.x, r.y + above, r.w, r.h - above };
		return;
	}
	for (int k = 0; k < n; k++) {           /* one below the other; the short ones as a line */
		brief += o->panes[k].brief != NULL;
		wants += o->panes[k].brief ? 0 : (int)o->panes[k].nr + 2;
	}
	for (int k = 0, y = r.y, boxes = n - brief, left = r.h - brief; k < n; k++) {
		int h, want = (int)o->panes[k].nr + 2;

		if (o->panes[k].brief) {
			out[k] = (struct rect){ r.x, y++, r.w, 1 };
			continue;
		}
		wants -= want;                  /* of those below it */
		h = boxes > 1 ? MIN(MAX(want, 4), MAX(left / boxes, left - wants)) : left;
		out[k] = (struct rect){ r.x, y, r.w, h };
		y += h;
		left -= h;
		boxes--;
	}
}

static void draw_panes(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_object *o = object_of(v);
	struct rect at[MAX_PANES];

	places(t, v, r, at);
	for (uint32_t k = 0; k < o->nr_panes; k++) {
		const struct tui_pane *p = &o->panes[k];
		bool sel = o->nr_panes > 1 && k == v->pane;
		struct rect in = rect_inner(at[k]);
		char of[64];

		if (at[k].h == 1) {
			cells_text(c, at[k].x + 1, at[k].y, at[k].w - 2, sel ? TR_TEXT | TA_REVERSE : TR_TEXT, p->brief);
			continue;
		}
		if (at[k].h < 2)
			continue;
		snprintf(of, sizeof(of), "%u of %u", p->nr ? MIN(v->pane_cursor[k], p->nr - 1) + 1 : 0, p->nr);
		cells_box(c, at[k], p->dashed ? BOX_DASHED : sel ? BOX_HEAVY : BOX_LIGHT, sel ? TR_FOCUS : p->dashed ? TR_SERVICE : TR_BORDER, p->title,
			  p->right ? p->right : (int)p->nr > in.h ? of : NULL);
		draw_lines(c, in, p, v->pane_top[k], k == v->pane ? (int64_t)v->pane_cursor[k] : -1, t->search);
	}
}

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_object *o = object_of(v);
	int x = r.x + 1;

	for (uint32_t k = 0; tabs_rows(t, v) && k < o->nr_tabs; k++) {
		bool here = k == o->tab;

		x += cells_printf(c, x, r.y, r.x + r.w - x, TR_KEY, "%u", k + 1) + 1;
		x += cells_text(c, x, r.y, r.x + r.w - x, here ? TR_HEAD | TA_BOLD | TA_REVERSE : TR_TEXT, o->tabs[k]) + 3;
	}
	draw_panes(t, v, c, r);
}

/* ---- acting */

static void keep_seen(const struct tui *t, struct view *v, struct rect r)
{
	struct rect at[MAX_PANES];

	places(t, v, r, at);
	for (uint32_t k = 0; k < object_of(v)->nr_panes; k++) {
		const struct tui_pane *p = &object_of(v)->panes[k];

		if (v->pane_cursor[k] >= p->nr)
			v->pane_cursor[k] = p->nr ? p->nr - 1 : 0;
		if (at[k].h > 2)
			tui_keep_seen(&v->pane_top[k], v->pane_cursor[k], p->nr, (uint32_t)at[k].h - 2);
	}
}

static void choose_tab(struct tui *t, struct view *v, int key)
{
	const struct tui_object *o = object_of(v);
	uint32_t k = (uint32_t)(key - '1');

	if (k >= o->nr_tabs)
		tui_say(t, TR_DIM, o->nr_tabs ? "there are %u parts" : "this has one part only", o->nr_tabs);
	if (k >= o->nr_tabs || k == o->tab)
		return;
	snprintf(v->want.b, sizeof(v->want.b), "%.300s", o->tabs[k]);
	v->pane = 0;
	v->moved = false;
	memset(v->pane_cursor, 0, sizeof(v->pane_cursor));
	memset(v->pane_top, 0, sizeof(v->pane_top));
	tui_do(t, CMD_LOAD, "%s", "");
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	const struct tui_object *o = object_of(v);
	struct rect at[MAX_PANES];
	uint32_t page;

	places(t, v, r, at);
	page = (uint32_t)MAX(at[MIN(v->pane, MAX_PANES - 1)].h - 2, 1);
	switch (id) {
	case ACT_TAB: choose_tab(t, v, key); return true;
	case ACT_NEXT_PANE: v->pane = (uint8_t)(o->nr_panes ? (v->pane + 1u) % o->nr_panes : 0); break;
	case ACT_PREV_PANE: v->pane = (uint8_t)(o->nr_panes ? (v->pane + o->nr_panes - 1u) % o->nr_panes : 0); break;
	case ACT_TURN: case ACT_TURN_BACK:
		if (!o->turns) {
			tui_say(t, TR_DIM, "only a Service is shown node by node");
			return true;
		}
		v->want.n += id == ACT_TURN ? 1 : -1;
		tui_do(t, CMD_LOAD, "%s", "");
		return true;
	case ACT_OTHER_MODE:
		if (!o->modes) {
			tui_say(t, TR_DIM, "only a Service's rules are written in two ways");
			return true;
		}
		v->want.other = !v->want.other;
		tui_do(t, CMD_LOAD, "%s", "");
		return true;
	case ACT_PLAN: {
		uint32_t k = 0;

		while (k < o->nr_tabs && strcmp(o->tabs[k], "plan") != 0)
			k++;
		if (k < o->nr_tabs)
			choose_tab(t, v, o->tab == k ? '1' : (int)('1' + k));   /* and back */
		else
			tui_say(t, TR_DIM, "Linux is told nothing of it: Pods, Services and nodes have a plan");
		return true;
	}
	case ACT_OPEN:
		if (line_of(v) && line_of(v)->ref)
			tui_open_ref(t, line_of(v)->ref, NULL);
		else
			tui_say(t, TR_DIM, "this line leads nowhere");
		return true;
	default:
		if (!tui_move(id, &v->pane_cursor[v->pane], pane_of(v)->nr, page))
			return false;
	}
	keep_seen(t, v, r);
	return true;
}

static void loaded(struct tui *t, struct view *v)
{
	if (v->pane >= object_of(v)->nr_panes)
		v->pane = 0;
	if (object_of(v)->layout == LAYOUT_SERVICE && !v->moved && object_of(v)->nr_panes == 3)
		v->pane = 2;
	if (object_of(v)->layout == LAYOUT_POD && !v->moved && object_of(v)->nr_panes == 4)
		v->pane = 2;
	v->moved = true;
	keep_seen(t, v, tui_body(t));
}

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	struct rect at[MAX_PANES];

	if (y == r.y && tabs_rows(t, v)) {
		int from = r.x + 1;

		for (uint32_t k = 0; k < object_of(v)->nr_tabs; k++) {
			int to = from + 5 + text_width(object_of(v)->tabs[k]);

			if (x >= from && x < to)
				choose_tab(t, v, (int)('1' + k));
			from = to;
		}
		return;
	}
	places(t, v, r, at);
	for (uint32_t k = 0; k < object_of(v)->nr_panes; k++)
		if (x >= at[k].x && x < at[k].x + at[k].w && y >= at[k].y && y < at[k].y + at[k].h) {
			v->pane = (uint8_t)k;
			if (y > at[k].y && y < at[k].y + at[k].h - 1)
				v->pane_cursor[k] = v->pane_top[k] + (uint32_t)(y - at[k].y - 1);
		}
	keep_seen(t, v, r);
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	(void)t;
	sb_add(left, v->page.kind && object_of(v)->title ? object_of(v)->title : v->want.a);
	if (!v->page.kind)
		return;
	if (object_of(v)->right)
		sb_add(right, object_of(v)->right);
	else if (object_of(v)->nr_tabs)
		sb_printf(right, "view: %s", object_of(v)->tabs[object_of(v)->tab]);
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_line *l = line_of(v);
	struct rect at[MAX_PANES];
	int wide;

	places(t, v, tui_body(t), at);
	wide = at[MIN(v->pane, MAX_PANES - 1)].w;
	if (l && l->text && text_width(l->text) > wide - 3)     /* what was cut, in full */
		sb_add(out, l->text + strspn(l->text, " "));
	if (l && l->note)
		sb_printf(out, "%s%s", out->len ? "  ·  " : "", l->note);
	else if (!out->len && object_of(v)->note)
		sb_add(out, object_of(v)->note);
	else if (!out->len && l && l->ref)
		sb_printf(out, "Enter: %s", l->ref);
	else if (!out->len && l && l->copy)
		sb_printf(out, "c copies what shows it on a real node: %s", l->copy);
	else if (!out->len && object_of(v)->nr_panes > 1)
		sb_add(out, "Tab: the other pane; Enter: go where the line leads");
}

static void selected(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_line *l = line_of(v);

	(void)t;
	if (object_of(v)->ref)
		sb_add(out, object_of(v)->ref);
	else if (l && l->ref)
		sb_add(out, l->ref);
}

static void command_for(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_line *l = line_of(v);

	(void)t;
	if (l && l->copy)
		sb_add(out, l->copy);
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	const struct tui_pane *p = pane_of(v);

	(void)t;
	return i < p->nr && p->v[i].text && text_has(p->v[i].text, word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return pane_of(v)->nr; }

static void go(struct tui *t, struct view *v, uint32_t i)
{
	v->pane_cursor[v->pane] = i;
	keep_seen(t, v, tui_body(t));
}

const struct view_ops view_object = { .name = "Object", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .command = command_for, .matches = matches,
	.count = count, .go = go, .loaded = loaded };
