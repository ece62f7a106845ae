/* The frame of every screen: program and lab, where one is, the view, what it means, the keys. */
#include "viz/tui/tui.h"

#include <stdio.h>

/* What does not fit is left out, the first words first. */
static void head_row(const struct tui *t, struct cells *c)
{
	const struct tui_head *h = &t->head;
	char now[32], part[6][64] = { "" };
	struct sb right = { 0 };
	int left, nr = 0;
	bool tight = c->w < 100;

	left = 1 + cells_text(c, 1, 0, c->w - 2, TR_HEAD | TA_BOLD, "podwire");
	left += 2 + cells_text(c, left + 2, 0, MAX(c->w - left - 4, 0), TR_TEXT, h->lab);
	if (!t->head_known)
		return;
	time_short(h->past ? h->at : h->now, now);
	snprintf(part[nr++], 64, "%.20s", h->mode ? h->mode : "sim");
	if (!tight)
		snprintf(part[nr++], 64, "seed %" PRIu64, h->seed);
	snprintf(part[nr++], 64, "%st=%.31s", h->past ? "PAST " : "", now);
	if (tui_top(t)->id == VIEW_MAP || tui_top(t)->id == VIEW_LIST) {
		snprintf(part[nr++], 64, "nodes %u/%u", h->nodes_ready, h->nodes);
		snprintf(part[nr++], 64, "Pods %u/%u", h->pods_ready, h->pods);
		if (h->warnings)
			snprintf(part[nr++], 64, tight ? "!%u" : "warnings %u", h->warnings);
	}
	for (int from = 0; from < nr; from++) {
		sb_reset(&right);
		for (int k = from; k < nr; k++)
			sb_printf(&right, "%s%s", k > from ? tight ? " " : "  " : "", part[k]);
		if (text_width(sb_text(&right)) <= c->w - left - 3)
			break;
		sb_reset(&right);
	}
	cells_right(c, left + 1, 0, c->w - left - 2, h->past ? TR_WARN | TA_BOLD : TR_TEXT, sb_text(&right));
	if (h->nr_faults && left + 12 < c->w - 2 - text_width(sb_text(&right)))
		cells_printf(c, left + 2, 0, c->w - left - 4 - text_width(sb_text(&right)), TR_BAD, "%s broken: %s%s", glyph(TG_FAILED), h->faults[0], h->nr_faults > 1 ? " …" : "");
	sb_free(&right);
}

static void where_row(const struct tui *t, struct cells *c)
{
	const struct view *v = tui_top(t);
	struct sb left = { 0 }, right = { 0 };
	int x = 1, room;

	if (v->id == VIEW_OBJECT || v->id == VIEW_LIST)
		for (uint32_t k = 0; k + 1 < t->depth; k++) {
			const struct view *below = &t->stack[k];
			struct sb one = { 0 }, none = { 0 };

			if (below->id != VIEW_MAP && below->id != VIEW_LIST && below->id != VIEW_OBJECT)
				continue;
			view_ops_of(below->id)->where(t, below, &one, &none);
			sb_printf(&left, "%s › ", sb_text(&one));
			sb_free(&one);
			sb_free(&none);
		}
	view_ops_of(v->id)->where(t, v, &left, &right);
	room = c->w - 2 - (right.len ? text_width(sb_text(&right)) + 2 : 0);
	if (room < c->w / 3)
		room = c->w * 2 / 3;
	if (text_width(sb_text(&left)) > room && strstr(sb_text(&left), " › ")) {       /* the near end of a long way */
		const char *s = sb_text(&left), *next;

		while (text_width(s) + 2 > room && (next = strstr(s, " › ")))
			s = next + strlen(" › ");
		x += cells_text(c, x, 1, 2, TR_DIM, "… ");
		x += cells_middle(c, x, 1, room - 2, TR_HEAD, s);
	} else {
		x += cells_middle(c, x, 1, room, TR_HEAD, sb_text(&left));
	}
	cells_right(c, x + 1, 1, c->w - x - 2, TR_TEXT, sb_text(&right));
	sb_free(&left);
	sb_free(&right);
}

/* Is there nothing that it could do to what is shown? */
static bool has_no_use(const struct view *v, int act)
{
	const struct tui_object *o = v->id == VIEW_OBJECT && v->page.kind ? &v->page.object : NULL;

	switch (act) {
	case ACT_CHOOSE: return !v->page.kind || !v->page.lesson.nr_choices;
	case ACT_HINT: return !v->page.kind || v->hints >= v->page.lesson.nr_hints;
	case ACT_NEXT_PANE: return !o || o->nr_panes < 2;
	case ACT_TURN: return !o || !o->turns;
	case ACT_OTHER_MODE: return !o || !o->modes;
	case ACT_PLAN: return !o || o->nr_tabs < 2 || strcmp(o->tabs[o->nr_tabs - 1], "plan") != 0;
	default: return false;
	}
}

/* The keys of a view in the order of the table; ?help comes first, so that it always fits. */
static void foot_row(const struct tui *t, struct cells *c)
{
	const struct view *v = tui_top(t);
	int y = c->h - 1;

	for (int gap = 2; gap > 0; gap--) {
		int x = 1;

		for (int k = 1; k < ACT_COUNT; k++) {
			char name[16];
			const char *key = key_text(actions[k].keys[0], t->ascii, name), *foot = actions[k].foot;
			bool quits = k == ACT_BACK && t->depth == 1;
			int w;

			if (!foot || !(actions[k].views & 1u << v->id) || (v->id == VIEW_HELP && k != ACT_HELP && k != ACT_SEARCH && k != ACT_OPEN && k != ACT_BACK) || has_no_use(v, k))
				continue;
			if (k == ACT_OPEN)
				key = t->ascii ? "Enter" : glyph(TG_ENTER);
			if (k == ACT_BACK)
				key = "q";
			if (k == ACT_CHOOSE)
				snprintf(name, sizeof(name), "1-%u", v->page.kind ? v->page.lesson.nr_choices : 4), key = name;
			if (k == ACT_HOP_NEXT || k == ACT_TURN)
				key = t->ascii ? "Left/Right" : "←→";
			foot = quits ? "quit" : foot;
			w = text_width(key) + text_width(foot) + ((key[0] >= 'A' && key[0] <= 'z') ? 1 : 0);
			if (x + w > c->w - (quits || k == ACT_BACK ? 0 : 8) && k != ACT_BACK)
				continue;
			if (x + w > c->w)
				break;
			x += cells_text(c, x, y, c->w - x, TR_KEY, key);
			if (key[0] >= 'A' && key[0] <= 'z')
				x++;
			x += cells_text(c, x, y, c->w - x, TR_TEXT, foot) + gap;
		}
		if (x - gap <= c->w || gap == 1)
			break;
		cells_printf(c, 0, y, c->w, TR_TEXT, "%*s", c->w, "");
	}
}

/* In full: what does not fit into its row takes the ones above. */
static void whole_message(struct cells *c, unsigned style, const char *s)
{
	enum { MOST = 3 };
	const char *line[MOST + 1] = { s };
	int w = c->w - 2, lines = 0;

	while (lines < MOST && (*line[lines] || !lines)) {
		line[lines + 1] = text_break(line[lines], w);
		lines++;
	}
	for (int k = 0; k < lines; k++) {
		int y = c->h - 1 - lines + k;
		size_t n = k + 1 < lines ? (size_t)(line[k + 1] - line[k]) : strlen(line[k]);
		char text[1024];

		while (k + 1 < lines && n && line[k][n - 1] == ' ')
			n--;
		snprintf(text, sizeof(text), "%.*s", (int)n, line[k]);
		if (lines > 1)
			cells_printf(c, 0, y, c->w, TR_TEXT, "%*s", c->w, "");
		cells_text(c, 1, y, w, style, text);
	}
}

static void draw_message(const struct tui *t, struct cells *c)
{
	struct sb said = { 0 };
	const struct view *v = tui_top(t);

	if (*t->message)
		whole_message(c, t->message_role | (t->message_role == TR_BAD ? TA_BOLD : 0u), t->message);
	else if (view_ops_of(v->id)->say)
		view_ops_of(v->id)->say(t, v, &said);
	if (said.len)
		whole_message(c, TR_TEXT, sb_text(&said));
	sb_free(&said);
}

void tui_view(const struct tui *t, struct cells *c)
{
	const struct view *v = tui_top(t);

	c->ascii = t->ascii;
	cells_resize(c, t->w, t->h);
	if (t->w < TUI_MIN_W || t->h < TUI_MIN_H) {
		cells_printf(c, 0, 0, c->w, TR_TEXT, "podwire needs %d×%d; this is %d×%d", TUI_MIN_W, TUI_MIN_H, t->w, t->h);
		return;
	}
	head_row(t, c);
	if (!tui_small(t)) {
		where_row(t, c);
		cells_run(c, 0, 2, c->w, TR_BORDER, TG_H);
	}
	if (v->page.kind || v->id == VIEW_HELP)
		view_ops_of(v->id)->draw(t, v, c, tui_body(t));
	if (tui_small(t) && *t->message)
		cells_text(c, 1, c->h - 1, c->w - 2, t->message_role, t->message);
	else
		foot_row(t, c);
	if (!tui_small(t))
		draw_message(t, c);
	if (t->menu_open)
		menu_draw(t, c);
	if (t->ask.kind)
		ask_draw(t, c);
}
