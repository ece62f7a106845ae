/* Which rows of a list are shown, in which order: filter, namespace, sort. Only what a filter or an order needs of a row is put into words. */
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

bool list_row_matches(const struct tui_list *l, uint32_t row, const char *word) { return row_matches(l, row, word, NULL); }

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

void list_turn_round(struct view *v)
{
	for (uint32_t k = 0; k < v->nr_shown / 2; k++) {
		uint32_t row = v->shown[k];

		v->shown[k] = v->shown[v->nr_shown - 1 - k];
		v->shown[v->nr_shown - 1 - k] = row;
	}
}

const char *list_row_ns(const struct tui_list *l, uint32_t row)
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
		if ((!*v->ns || !l->namespaced || strcmp(list_row_ns(l, k), v->ns) == 0) && (!any || row_matches(l, k, word, &seen) != not))
			v->shown[v->nr_shown++] = k;
	sb_free(&why);
	sort_rows(v);
	if (v->invert)
		list_turn_round(v);
	if (v->cursor >= v->nr_shown)
		v->cursor = v->nr_shown ? v->nr_shown - 1 : 0;
	tui_keep_seen(&v->top, v->cursor, v->nr_shown, (uint32_t)MAX(tui_body(t).h - 1, 1));
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
