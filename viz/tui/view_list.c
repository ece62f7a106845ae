/* Lists: rows of anything, of which only those that are seen are put into words. Filter and search look at the row's words (namespace, name, node, state). */
#include "viz/tui/tui.h"

#include <stdio.h>
#include <stdlib.h>

static const struct tui_list *list_of(const struct view *v) { return &v->page.list; }

static void ref_of(const struct view *v, uint32_t shown, struct sb *out)
{
	if (shown < v->nr_shown)
		list_of(v)->ref(list_of(v)->ctx, v->shown[shown], out);
}

/* Back to the row where one was, wherever it is now. */
static void loaded(struct tui *t, struct view *v)
{
	struct sb ref = { 0 };

	free(v->marked);
	v->marked = calloc(list_of(v)->nr / 8 + 1, 1);
	if (!v->marked)
		abort();
	list_refilter(t, v);
	for (uint32_t k = 0; *v->seek && k < v->nr_shown; k++) {
		uint32_t i = (v->cursor + k) % v->nr_shown;

		sb_reset(&ref);
		ref_of(v, i, &ref);
		if (strcmp(sb_text(&ref), v->seek) != 0)
			continue;
		v->cursor = i;
		break;
	}
	tui_keep_seen(&v->top, v->cursor, v->nr_shown, (uint32_t)MAX(tui_body(t).h - 1, 1));
	sb_free(&ref);
}

/* ---- drawing */

enum { MAX_COLUMNS = 12 };

/* The namespace is not said again where only one is shown. */
static bool column_shown(const struct view *v, uint32_t column, bool wide)
{
	const struct tui_list *l = list_of(v);

	return (wide || l->columns[column].wide < 2) && !(l->namespaced && column == 0 && *v->ns);
}

/* The widest of those gives up a cell, as long as one is wider than least. false: none is. */
static bool cut_widest(const struct tui_list *l, int *w, uint8_t keep, int least)
{
	uint32_t widest = l->nr_columns;

	for (uint32_t c = 0; c < l->nr_columns; c++)
		if (l->columns[c].keep <= keep && w[c] > least && (widest == l->nr_columns || w[c] > w[widest]))
			widest = c;
	if (widest < l->nr_columns)
		w[widest]--;
	return widest < l->nr_columns;
}

/* As wide as what is seen. Where that is too much: columns that need not be there go; then what can be cut is cut; then numbers go; then names are cut, and at last
 * addresses, for a part of one says nothing. */
static void widths(const struct view *v, uint32_t rows, bool wide, int room, int *w)
{
	const struct tui_list *l = list_of(v);
	struct sb text = { 0 };
	int sum = 0;

	for (uint32_t c = 0; c < l->nr_columns; c++) {
		w[c] = column_shown(v, c, wide) ? text_width(l->columns[c].head) + (v->sort == c + 1) : 0;
		for (uint32_t k = v->top; w[c] && k < MIN(v->nr_shown, v->top + rows); k++) {
			sb_reset(&text);
			l->cell(l->ctx, v->shown[k], c, &text);
			w[c] = MAX(w[c], text_width(sb_text(&text)));
		}
		sum += w[c] ? w[c] + 2 : 0;
	}
	sb_free(&text);
	for (uint32_t c = l->nr_columns; sum > room + 2 && c-- > 0;)
		if (l->columns[c].wide && w[c]) {
			sum -= w[c] + 2;
			w[c] = 0;
		}
	while (sum > room + 2 && cut_widest(l, w, KEEP_NOTHING, 10))
		sum--;
	for (uint32_t c = l->nr_columns; sum > room + 2 && c-- > 0;)
		if (l->columns[c].right && w[c] && v->sort != c + 1) {
			sum -= w[c] + 2;
			w[c] = 0;
		}
	for (uint8_t keep = KEEP_NAME; sum > room + 2 && keep <= KEEP_ADDRESS; keep++)
		while (sum > room + 2 && cut_widest(l, w, keep, 10))
			sum--;
}

static void draw_row(const struct tui *t, const struct view *v, struct cells *c, struct rect r, int y, uint32_t k, const int *w, struct sb *text)
{
	const struct tui_list *l = list_of(v);
	uint32_t row = v->shown[k];
	uint8_t mark = l->mark ? l->mark(l->ctx, row) : 0;
	int x = r.x + 1;

	if (k == v->cursor)
		cells_glyph(c, r.x, y, TR_CURSOR, TG_CURSOR);
	if (v->marked && v->marked[row / 8] >> (row % 8) & 1)
		cells_put(c, r.x + 1, y, TR_KEY | TA_BOLD, '*');
	x++;
	if (l->mark) {
		cells_glyph(c, x, y, mark_role(mark), mark_glyph(mark));
		x += 2;
	}
	for (uint32_t col = v->left; col < l->nr_columns && x < r.x + r.w; col++) {
		bool hit;

		if (!w[col])
			continue;
		sb_reset(text);
		l->cell(l->ctx, row, col, text);
		hit = *t->search && text_has(sb_text(text), t->search);
		if (l->columns[col].right)
			cells_right(c, x, y, MIN(w[col], r.x + r.w - x), TR_TEXT, sb_text(text));
		else
			cells_middle(c, x, y, MIN(w[col], r.x + r.w - x), hit ? TR_MATCH | TA_UNDER : TR_TEXT, sb_text(text));
		x += w[col] + 2;
	}
	if (k == v->cursor)
		cells_attr(c, (struct rect){ r.x, y, r.w, 1 }, TA_REVERSE);
}

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_list *l = list_of(v);
	int w[MAX_COLUMNS], x = r.x + (l->mark ? 4 : 2);
	uint32_t rows = (uint32_t)MAX(r.h - 1, 0);
	struct sb text = { 0 };

	widths(v, rows, r.w >= 120, r.w - (l->mark ? 5 : 3), w);
	for (uint32_t col = v->left; col < l->nr_columns && x < r.x + r.w; col++) {
		int used;

		if (!w[col])
			continue;
		if (l->columns[col].right)
			cells_right(c, x, r.y, MIN(w[col], r.x + r.w - x), TR_HEAD | TA_BOLD, l->columns[col].head);
		else {
			used = cells_text(c, x, r.y, MIN(w[col], r.x + r.w - x), TR_HEAD | TA_BOLD, l->columns[col].head);
			if (v->sort == col + 1)
				cells_glyph(c, x + used, r.y, TR_KEY, v->invert ? TG_UP : TG_DOWNWARD);
		}
		x += w[col] + 2;
	}
	for (uint32_t k = v->top; k < v->nr_shown && k < v->top + rows; k++)
		draw_row(t, v, c, r, r.y + 1 + (int)(k - v->top), k, w, &text);
	if (!v->nr_shown)
		cells_printf(c, r.x + 2, r.y + 2, r.w - 4, TR_DIM, l->nr ? "none of %u matches" : "none", l->nr);
	sb_free(&text);
}

/* ---- acting */

/* 1 to 9: the namespaces in the order of their names. */
static void choose_ns(struct tui *t, struct view *v, int key)
{
	const struct tui_list *l = list_of(v);
	const char *last = "";
	int nr = 0;

	if (!l->namespaced)
		return;
	v->ns[0] = '\0';
	for (uint32_t k = 0; key > '0' && k < l->nr; k++) {
		const char *ns = list_row_ns(l, k);

		if (strcmp(ns, last) == 0)
			continue;
		last = ns;
		if (++nr == key - '0') {
			snprintf(v->ns, sizeof(v->ns), "%.63s", ns);
			break;
		}
	}
	v->left = 0;
	list_refilter(t, v);
}

static void open_row(struct tui *t, const struct view *v)
{
	struct sb ref = { 0 };
	struct tui_want w;

	ref_of(v, v->cursor, &ref);
	if (strncmp(sb_text(&ref), "lesson/", 7) == 0) {
		w = tui_want(PAGE_LESSON, sb_text(&ref) + 7, NULL, 0);
		tui_open(t, &w);
	} else {
		tui_open_ref(t, sb_text(&ref), NULL);
	}
	sb_free(&ref);
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	const struct tui_list *l = list_of(v);
	uint32_t rows = (uint32_t)MAX(r.h - 1, 1);
	struct sb ref = { 0 };

	switch (id) {
	case ACT_LEFT: v->left -= v->left > 0; break;
	case ACT_RIGHT: v->left += v->left + 1 < l->nr_columns; break;
	case ACT_OPEN: open_row(t, v); return true;
	case ACT_SORT_LEFT: v->sort = (uint8_t)(v->sort > 0 ? v->sort - 1u : l->nr_columns); list_refilter(t, v); break;
	case ACT_SORT_RIGHT: v->sort = (uint8_t)((v->sort + 1u) % (l->nr_columns + 1)); list_refilter(t, v); break;
	case ACT_INVERT: v->invert = !v->invert; list_turn_round(v); break;
	case ACT_NAMESPACE: choose_ns(t, v, key); break;
	case ACT_MARK:
		if (v->cursor < v->nr_shown)
			v->marked[v->shown[v->cursor] / 8] ^= (uint8_t)(1u << v->shown[v->cursor] % 8);
		tui_move(ACT_DOWN, &v->cursor, v->nr_shown, rows);
		break;
	default:
		if (!tui_move(id, &v->cursor, v->nr_shown, rows))
			return false;
	}
	tui_keep_seen(&v->top, v->cursor, v->nr_shown, rows);
	ref_of(v, v->cursor, &ref);
	snprintf(v->seek, sizeof(v->seek), "%.255s", sb_text(&ref));
	sb_free(&ref);
	return true;
}

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	uint32_t k = v->top + (uint32_t)(y - r.y - 1);

	(void)t;
	(void)x;
	if (y > r.y && y < r.y + r.h && k < v->nr_shown)
		v->cursor = k;
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	const struct tui_list *l = list_of(v);

	(void)t;
	if (!v->page.kind) {
		sb_add(left, v->want.a);
		return;
	}
	sb_add(left, l->title);
	if (*v->want.b)
		sb_printf(left, " %s", v->want.b);
	if (l->namespaced)
		sb_printf(right, "namespace: %s    ", *v->ns ? v->ns : "all");
	sb_printf(right, "filter: %s    %u", *v->filter ? v->filter : "-", v->nr_shown);
	if (v->nr_shown != l->nr)
		sb_printf(right, " of %u", l->nr);
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_list *l = list_of(v);

	(void)t;
	if (v->cursor >= v->nr_shown)
		return;
	if (l->say)
		l->say(l->ctx, v->shown[v->cursor], out);
	if (!out->len)
		ref_of(v, v->cursor, out);
}

static void selected(const struct tui *t, const struct view *v, struct sb *out)
{
	(void)t;
	ref_of(v, v->cursor, out);
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	(void)t;
	return i < v->nr_shown && list_row_matches(list_of(v), v->shown[i], word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return v->nr_shown; }

static void go(struct tui *t, struct view *v, uint32_t i)
{
	v->cursor = i;
	tui_keep_seen(&v->top, v->cursor, v->nr_shown, (uint32_t)MAX(tui_body(t).h - 1, 1));
}

const struct view_ops view_list = { .name = "List", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .matches = matches, .count = count, .go = go,
	.loaded = loaded };
