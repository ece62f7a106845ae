/* Help: the keys of the view from which it was called, those that work everywhere, and commands; all from the tables, so never out of date. */
#include "viz/tui/tui.h"

#include <stdio.h>

enum { HELP_EVERYWHERE, HELP_VIEW, HELP_COMMANDS, HELP_PARTS };

static bool belongs(const struct action *a, enum view_id of, int part)
{
	bool everywhere = (a->views | V_HELP | V_LESSON | V_MATRIX | V_EVENTS) == V_ALL;

	return part == HELP_EVERYWHERE ? everywhere : !everywhere && a->views & 1u << of;
}

static uint32_t nr_rows(const struct view *v, int part)
{
	uint32_t nr = 0;

	if (part == HELP_COMMANDS) {
		while (tui_commands[nr][0])
			nr++;
		return nr;
	}
	for (int k = 1; k < ACT_COUNT; k++)
		nr += belongs(&actions[k], v->of, part);
	return nr;
}

static const struct action *row_of(const struct view *v, int part, uint32_t i)
{
	for (int k = 1; k < ACT_COUNT; k++)
		if (belongs(&actions[k], v->of, part) && i-- == 0)
			return &actions[k];
	return NULL;
}

static void row_text(const struct tui *t, const struct view *v, int part, uint32_t i, char left[48], const char **right)
{
	const struct action *a;

	*right = "";
	left[0] = '\0';
	if (part == HELP_COMMANDS) {
		snprintf(left, 48, ":%s", tui_commands[i][0]);
		*right = tui_commands[i][1];
		return;
	}
	a = row_of(v, part, i);
	if (!a)
		return;
	action_keys(a, t->ascii, left);
	*right = a->help;
}

static void signs(struct cells *c, struct rect r)
{
	static const struct { uint8_t mark; const char *text; } marks[] = { { TM_READY, "ready" }, { TM_STARTING, "starting" }, { TM_PENDING, "pending" },
		{ TM_FAILED, "failed, denied" }, { TM_ENDING, "ending" } };
	int x = r.x;

	for (size_t k = 0; k < ARRAY_LEN(marks) && x < r.x + r.w; k++) {
		cells_glyph(c, x, r.y, mark_role(marks[k].mark), mark_glyph(marks[k].mark));
		x += 2 + cells_text(c, x + 2, r.y, r.x + r.w - x - 2, TR_TEXT, marks[k].text) + 1;
	}
	cells_text(c, x + 1, r.y, r.x + r.w - x - 1, TR_DIM, r.w < 90 ? "── runs ╌╌ rules" : "── runs  ╌╌ rules only  ▔ changed");
}

static void part(const struct tui *t, const struct view *v, struct cells *c, struct rect in, int which, bool here)
{
	uint32_t top = here ? v->top : 0;
	int wide = which == HELP_COMMANDS ? in.w > 26 ? 16 : 10 : 12;

	for (uint32_t k = top; k < nr_rows(v, which) && (int)(k - top) < in.h; k++) {
		char left[48];
		const char *right;
		int y = in.y + (int)(k - top), used;

		row_text(t, v, which, k, left, &right);
		used = cells_text(c, in.x + 1, y, in.w - 2, TR_KEY, left);
		used = MAX(used + 1, MIN(wide, in.w / 2));
		cells_text(c, in.x + 1 + used, y, in.w - 2 - used, *t->search && text_has(right, t->search) ? TR_MATCH | TA_UNDER : TR_TEXT, right);
		if (here && k == v->cursor)
			cells_attr(c, (struct rect){ in.x, y, in.w, 1 }, TA_REVERSE);
	}
}

/* What a column wants: as wide as its longest row, and at least as its title. */
static int part_width(const struct tui *t, const struct view *v, int which, int all)
{
	int most[HELP_PARTS] = { 0 }, rest;

	for (int k = 0; k < HELP_PARTS; k++)
		for (uint32_t i = 0; i < nr_rows(v, k); i++) {
			char left[48];
			const char *right;

			row_text(t, v, k, i, left, &right);
			most[k] = MAX(most[k], MAX(text_width(left) + 1, k == HELP_COMMANDS ? 16 : 12) + text_width(right) + 4);
		}
	most[HELP_VIEW] = MAX(most[HELP_VIEW], 28);
	rest = all - most[HELP_EVERYWHERE] - most[HELP_VIEW] - most[HELP_COMMANDS];
	if (rest < 0)                           /* the others give what the one at hand needs, each the same part */
		return which == v->pane ? most[which] : most[which] + rest * most[which] / MAX(all - rest - most[v->pane], 1);
	return most[which] + rest / HELP_PARTS;
}

static const char *title_of(const struct view *v, int k, char out[64])
{
	snprintf(out, 64, k == HELP_VIEW ? "in this view: %s" : k == HELP_EVERYWHERE ? "everywhere" : "commands  :", view_ops_of(v->of)->name);
	return out;
}

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	char title[64];

	if (r.w < 100) {
		int x = r.x + 2;

		for (int k = 0; k < HELP_PARTS; k++)
			x += cells_text(c, x, r.y, r.w - x, k == v->pane ? TR_HEAD | TA_REVERSE | TA_BOLD : TR_TEXT, title_of(v, k, title)) + 3;
		cells_run(c, r.x, r.y + 1, r.w, TR_BORDER, TG_H);
		part(t, v, c, (struct rect){ r.x + 1, r.y + 2, r.w - 2, r.h - 4 }, v->pane, true);
		signs(c, (struct rect){ r.x + 2, r.y + r.h - 1, r.w - 4, 1 });
		return;
	}
	for (int k = 0, at = 0; k < HELP_PARTS; k++) {
		int wide = k == HELP_COMMANDS ? r.w - at : part_width(t, v, k, r.w);
		struct rect b = { r.x + at, r.y, wide, r.h - 1 };
		bool here = k == v->pane;
		char of[32];

		snprintf(of, sizeof(of), "%u of %u", here ? v->cursor + 1 : 1, nr_rows(v, k));
		cells_box(c, b, here ? BOX_HEAVY : BOX_LIGHT, here ? TR_FOCUS : TR_BORDER, title_of(v, k, title), (int)nr_rows(v, k) > b.h - 2 ? of : NULL);
		part(t, v, c, rect_inner(b), k, here);
		at += wide;
	}
	signs(c, (struct rect){ r.x + 2, r.y + r.h - 1, r.w - 4, 1 });
}

static void run_row(struct tui *t, const struct view *v)
{
	char left[48];
	const char *right;
	const struct action *a;

	if (v->pane == HELP_COMMANDS) {
		row_text(t, v, HELP_COMMANDS, v->cursor, left, &right);
		tui_action(t, ACT_BACK, TK_ESC);
		tui_ask(t, ASK_COMMAND, left + 1);
		return;
	}
	a = row_of(v, v->pane, v->cursor);
	tui_action(t, ACT_BACK, TK_ESC);
	if (a && a->id != ACT_HELP && a->id != ACT_BACK)
		tui_action(t, a->id, a->keys[0]);
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	uint32_t rows = (uint32_t)MAX(r.w < 100 ? r.h - 4 : r.h - 3, 1);

	(void)key;
	if (id == ACT_NEXT_PANE || id == ACT_RIGHT || id == ACT_PREV_PANE || id == ACT_LEFT || id == ACT_TAB) {
		v->pane = (uint8_t)(id == ACT_TAB ? MIN(key - '1', HELP_PARTS - 1) : (v->pane + (id == ACT_NEXT_PANE || id == ACT_RIGHT ? 1 : HELP_PARTS - 1)) % HELP_PARTS);
		v->cursor = v->top = 0;
		return true;
	}
	if (id == ACT_OPEN) {
		run_row(t, v);
		return true;
	}
	if (!tui_move(id, &v->cursor, nr_rows(v, v->pane), rows))
		return false;
	tui_keep_seen(&v->top, v->cursor, nr_rows(v, v->pane), rows);
	return true;
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	(void)t;
	sb_add(left, "Help");
	sb_printf(right, "keys of: %s", view_ops_of(v->of)->name);
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	char left[48];
	const char *right;

	row_text(t, v, v->pane, v->cursor, left, &right);
	sb_printf(out, "%s  %s", left, right);
	if (v->pane != HELP_COMMANDS && row_of(v, v->pane, v->cursor))
		sb_printf(out, "   (:%s)", row_of(v, v->pane, v->cursor)->name);
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	char left[48];
	const char *right;

	row_text(t, v, v->pane, i, left, &right);
	return text_has(left, word) || text_has(right, word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return nr_rows(v, v->pane); }

static void go(struct tui *t, struct view *v, uint32_t i)
{
	v->cursor = i;
	tui_keep_seen(&v->top, i, nr_rows(v, v->pane), (uint32_t)MAX(tui_body(t).h - 4, 1));
}

const struct view_ops view_help = { .name = "Help", .draw = draw, .act = act, .where = where, .say = say, .matches = matches, .count = count, .go = go };
