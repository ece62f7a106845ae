/* Menus: what can be broken where one is, and what is broken. */
#include "viz/tui/tui.h"

#include <stdio.h>

static void row(struct tui *t, bool asks, const char *text, const char *run)
{
	struct menu_row *r = &t->menu.rows[t->menu.nr];

	if (t->menu.nr == ARRAY_LEN(t->menu.rows))
		return;
	t->menu.nr++;
	snprintf(r->text, sizeof(r->text), "%.159s", text);
	snprintf(r->run, sizeof(r->run), "%.399s", run);
	r->asks = asks;
}

static void rowf(struct tui *t, const char *text, const char *fmt, const char *a)
{
	char run[400];

	snprintf(run, sizeof(run), fmt, a);
	row(t, false, text, run);
}

static void break_rows(struct tui *t, const char *ref)
{
	const char *name = strrchr(ref, '/');

	if (strncmp(ref, "node/", 5) == 0) {
		rowf(t, "the node dies", "fault node %s", name + 1);
		rowf(t, "its link is cut", "fault link %s", name + 1);
		rowf(t, "its link loses 20 %", "fault link %s loss=20%%", name + 1);
		rowf(t, "its link delays by 100 ms", "fault link %s delay=100ms", name + 1);
		rowf(t, "its BGP sessions are closed", "fault bgp %s", name + 1);
		rowf(t, "its kube-proxy stops", "fault kubeProxy %s", name + 1);
		rowf(t, "its CNI plugin fails", "fault cni %s", name + 1);
	} else if (strncmp(ref, "pod/", 4) == 0) {
		rowf(t, "its container exits", "fault container %s", ref);
		rowf(t, "its pause container is killed: a new sandbox, a new address", "fault pause %s", ref);
	}
	row(t, false, "cluster DNS", "fault dns");
	row(t, false, "the load balancer", "fault loadBalancer");
	row(t, true, "something else …", "fault ");
}

void menu_open_faults(struct tui *t, bool heal)
{
	struct sb ref = { 0 };

	t->menu = (struct tui_menu){ .title = heal ? "mend" : "break" };
	if (heal) {
		for (uint32_t k = 0; k < t->head.nr_faults; k++)
			rowf(t, t->head.faults[k], "heal %s", t->head.faults[k]);
		if (!t->menu.nr) {
			tui_say(t, TR_DIM, "nothing is broken on purpose");
			return;
		}
	} else {
		const struct view *v = tui_top(t);

		if (view_ops_of(v->id)->selected)
			view_ops_of(v->id)->selected(t, v, &ref);
		break_rows(t, sb_text(&ref));
		sb_free(&ref);
	}
	t->menu_open = true;
}

void menu_key(struct tui *t, int key)
{
	struct tui_menu *m = &t->menu;

	if (key >= '1' && key <= '9' && (uint32_t)(key - '1') < m->nr) {
		m->cursor = (uint32_t)(key - '1');
		key = TK_ENTER;
	}
	if (key == TK_ENTER) {
		struct menu_row r = m->rows[m->cursor];

		t->menu_open = false;
		if (r.asks)
			tui_ask(t, ASK_COMMAND, r.run);
		else
			tui_do(t, CMD_RUN, "%s", r.run);
	} else if (!tui_move(action_of(key, VIEW_LIST), &m->cursor, m->nr, 5)) {
		t->menu_open = false;
	}
}

void menu_draw(const struct tui *t, struct cells *c)
{
	const struct tui_menu *m = &t->menu;
	struct sb ref = { 0 };
	int w = 30, h = MIN((int)m->nr + 2, c->h);
	struct rect r;
	const struct view *v = tui_top(t);

	for (uint32_t k = 0; k < m->nr; k++)
		w = MAX(w, text_width(m->rows[k].text) + 8);
	w = MIN(w, c->w);
	r = (struct rect){ (c->w - w) / 2, (c->h - h) / 2, w, h };
	if (view_ops_of(v->id)->selected)
		view_ops_of(v->id)->selected(t, v, &ref);
	for (int y = r.y; y < r.y + r.h; y++)
		cells_printf(c, r.x, y, r.w, TR_TEXT, "%*s", r.w, "");
	cells_box(c, r, BOX_HEAVY, TR_FOCUS, m->title, sb_text(&ref));
	sb_free(&ref);
	for (uint32_t k = 0; k < m->nr && (int)k < h - 2; k++) {
		int y = r.y + 1 + (int)k;

		cells_printf(c, r.x + 2, y, 2, TR_KEY, k < 9 ? "%u" : " ", k + 1);
		cells_text(c, r.x + 4, y, r.w - 6, TR_TEXT, m->rows[k].text);
		if (k == m->cursor)
			cells_attr(c, (struct rect){ r.x + 1, y, r.w - 2, 1 }, TA_REVERSE);
	}
}
