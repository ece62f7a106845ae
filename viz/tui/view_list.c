/* Lists: rows of anything, of which only those that are seen are put into words. Filter and search look at the row's words (namespace, name, node, state). */
#include "viz/tui/tui.h"

#include <stdio.h>
#include <stdlib.h>

static const struct tui_list *list_of(const struct view *v) { return &v->page.list; }

/* What was found of words that come again and again (namespaces, nodes, states are the same texts at the same place). */
enum { SEEN = 4096 };
struct seen { struct { const char *text; bool has; } v[SEEN]; };

static bool has_word(struct seen *seen, const char *text, const char *word)
{
	size_t at = ((uintptr_t)text >> 4 ^ (uintptr_t)text >> 16) % SEEN;

	if (!seen)
		return text_has(text, word);
	if (seen->v[at].text != text) {
		seen->v[at].text = text;
		seen->v[at].has = text_has(text, word);
	}
	return seen->v[at].has;
}

static bool row_matches(const struct tui_list *l, uint32_t row, const char *word, struct seen *seen)
{
	const char *words[4] = { NULL };

	if (strncmp(word, "-l ", 3) == 0)
		return l->selected && l->selected(l->ctx, row, word + 3, NULL);
	l->words(l->ctx, row, words);
	for (int k = 0; k < 4 && words[k]; k++)
		if (k == l->namespaced ? text_has(words[k], word) : has_word(seen, words[k], word))
			return true;
	return false;
}

static bool word_matches(const struct tui_list *l, uint32_t row, const char *word) { return row_matches(l, row, word, NULL); }

/* ---- which rows, in which order */

struct keyed { uint64_t key; uint32_t row; };

/* By one byte at a time, the lowest first: stable, and the same for every size. */
static void sort_keyed(struct keyed *v, struct keyed *other, uint32_t nr)
{
	enum { BYTES = sizeof(v->key) };
	uint32_t at[BYTES][256] = { 0 };
	struct keyed *to = other, *home = v;
	uint32_t in_order = 1;

	while (in_order < nr && v[in_order - 1].key <= v[in_order].key)
		in_order++;
	if (in_order >= nr)
		return;
	for (uint32_t k = 0; k < nr; k++)
		for (unsigned b = 0; b < BYTES; b++)
			at[b][v[k].key >> 8 * b & 0xff]++;
	for (unsigned b = 0; b < BYTES; b++) {
		uint32_t before = 0;
		struct keyed *from = v;

		if (at[b][v[0].key >> 8 * b & 0xff] == nr)      /* all alike there */
			continue;
		for (int k = 0; k < 256; k++) {
			uint32_t many = at[b][k];

			at[b][k] = before;
			before += many;
		}
		for (uint32_t k = 0; k < nr; k++)
			to[at[b][from[k].key >> 8 * b & 0xff]++] = from[k];
		v = to;
		to = from;
	}
	if (v != home)
		memcpy(home, v, sizeof(*v) * nr);
}

/* The namespace and the name need no putting into words. */
static const char *plain_word(const struct tui_list *l, uint32_t row, uint32_t column)
{
	const char *words[4] = { NULL };

	if (column > (uint32_t)l->namespaced)
		return NULL;
	l->words(l->ctx, row, words);
	return words[column];
}

static const char *cell_text(const struct tui_list *l, uint32_t row, uint32_t column, struct sb *text)
{
	const char *plain = plain_word(l, row, column);

	if (plain)
		return plain;
	sb_reset(text);
	l->cell(l->ctx, row, column, text);
	return sb_text(text);
}

struct texted { const char *text; struct keyed at; };

static int by_text(const void *x, const void *y)
{
	const struct texted *a = x, *b = y;
	int order = a->text == b->text ? 0 : strcmp(a->text, b->text);

	return order ? order : a->at.row < b->at.row ? -1 : 1;
}

/* Texts that begin alike for eight bytes, and go on: each is put into words once. */
static void sort_ties(struct keyed *v, uint32_t nr, const struct tui_list *l, uint32_t column)
{
	struct arena *a = arena_new(NULL, "ties");
	struct sb text = { 0 };

	arena_alloc(a, 1, 1);                           /* the first block stays */
	for (uint32_t from = 0, to; from < nr; from = to) {
		struct arena_mark mark = arena_mark(a);
		struct texted *run;

		for (to = from + 1; to < nr && v[to].key == v[from].key; to++)
			;
		if (to - from < 2 || !(v[from].key & 0xff))
			continue;
		run = arena_array(a, struct texted, to - from);
		for (uint32_t k = from; k < to; k++) {
			const char *plain = plain_word(l, v[k].row, column), *before = k > from ? run[k - from - 1].text : "";
			const char *have = plain ? plain : cell_text(l, v[k].row, column, &text);

			run[k - from] = (struct texted){ plain ? plain : strcmp(have, before) == 0 ? before : arena_strdup(a, have), v[k] };
		}
		for (uint32_t k = 1; k < to - from; k++)
			if (by_text(&run[k - 1], &run[k]) > 0) {        /* else they are in order already */
				qsort(run, to - from, sizeof(*run), by_text);
				break;
			}
		for (uint32_t k = from; k < to; k++)
			v[k] = run[k - from].at;
		arena_rewind(a, mark);
	}
	sb_free(&text);
	arena_free(a);
}

static void sort_rows(struct view *v)
{
	const struct tui_list *l = list_of(v);
	struct keyed *keys;
	struct sb text = { 0 };
	const uint32_t column = v->sort - 1u;
	bool numbers = false;

	if (!v->nr_shown || column >= l->nr_columns)
		return;
	keys = malloc(sizeof(*keys) * v->nr_shown * 2);
	if (!keys)
		abort();
	for (uint32_t k = 0; k < v->nr_shown; k++) {
		uint64_t key = l->order ? l->order(l->ctx, v->shown[k], column) : 0;

		numbers = numbers || key;               /* the source's own order is as fine as it wants */
		if (!key)
			key = list_text_key(cell_text(l, v->shown[k], column, &text));
		keys[k] = (struct keyed){ key, v->shown[k] };
	}
	sort_keyed(keys, keys + v->nr_shown, v->nr_shown);
	if (!numbers)
		sort_ties(keys, v->nr_shown, l, column);
	for (uint32_t k = 0; k < v->nr_shown; k++)
		v->shown[k] = keys[k].row;
	free(keys);
	sb_free(&text);
}

static void turn_round(struct view *v)
{
	for (uint32_t k = 0; k < v->nr_shown / 2; k++) {
		uint32_t row = v->shown[k];

		v->shown[k] = v->shown[v->nr_shown - 1 - k];
		v->shown[v->nr_shown - 1 - k] = row;
	}
}

static const char *row_ns(const struct tui_list *l, uint32_t row)
{
	const char *words[4] = { NULL };

	l->words(l->ctx, row, words);
	return words[0] ? words[0] : "";
}

void list_refilter(struct tui *t, struct view *v)
{
	const struct tui_list *l = list_of(v);
	const char *word = v->filter + (*v->filter == '!');
	bool not = *v->filter == '!', any = *word;
	struct sb why = { 0 };
	struct seen seen = { 0 };

	free(v->shown);
	v->shown = malloc(sizeof(*v->shown) * (l->nr + 1));
	if (!v->shown)
		abort();
	v->nr_shown = 0;
	if (strncmp(word, "-l ", 3) == 0 && l->nr && (!l->selected || (!l->selected(l->ctx, 0, word + 3, &why) && why.len))) {
		tui_say(t, TR_BAD, "%s", l->selected ? sb_text(&why) : "these have no labels");
		any = false;
	}
	for (uint32_t k = 0; k < l->nr; k++)
		if ((!*v->ns || !l->namespaced || strcmp(row_ns(l, k), v->ns) == 0) && (!any || row_matches(l, k, word, &seen) != not))
			v->shown[v->nr_shown++] = k;
	sb_free(&why);
	sort_rows(v);
	if (v->invert)
		turn_round(v);
	if (v->cursor >= v->nr_shown)
		v->cursor = v->nr_shown ? v->nr_shown - 1 : 0;
	tui_keep_seen(&v->top, v->cursor, v->nr_shown, (uint32_t)MAX(tui_body(t).h - 1, 1));
}

static void ref_of(const struct view *v, uint32_t shown, struct sb *out)
{
	if (shown < v->nr_shown)
		list_of(v)->ref(list_of(v)->ctx, v->shown[shown], out);
}

/* The filter was typed on: what did not match before does not now. */
void list_narrow(struct tui *t, struct view *v)
{
	const struct tui_list *l = list_of(v);
	struct seen seen = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < v->nr_shown; k++)
		if (row_matches(l, v->shown[k], v->filter, &seen))
			v->shown[nr++] = v->shown[k];
	v->nr_shown = nr;
	if (v->cursor >= nr)
		v->cursor = nr ? nr - 1 : 0;
	tui_keep_seen(&v->top, v->cursor, nr, (uint32_t)MAX(tui_body(t).h - 1, 1));
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
		const char *ns = row_ns(l, k);

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
	case ACT_INVERT: v->invert = !v->invert; turn_round(v); break;
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
	return i < v->nr_shown && word_matches(list_of(v), v->shown[i], word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return v->nr_shown; }

static void go(struct tui *t, struct view *v, uint32_t i)
{
	v->cursor = i;
	tui_keep_seen(&v->top, v->cursor, v->nr_shown, (uint32_t)MAX(tui_body(t).h - 1, 1));
}

const struct view_ops view_list = { .name = "List", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .matches = matches, .count = count, .go = go,
	.loaded = loaded };
