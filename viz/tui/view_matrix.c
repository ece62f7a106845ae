/* Who may reach whom on a port. Only the cells that are seen are asked for; the names of rows stay while columns pass by. */
#include "viz/tui/tui.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEAD_H = 12 };

static int why_width(struct rect r) { return MAX(36, r.w * 36 / 100); }

static const struct tui_matrix *matrix_of(const struct view *v) { return &v->page.matrix; }

static const char *name_of(const struct view *v, uint32_t i, char out[128], bool with_ns)
{
	const char *ns = NULL, *name = "";
	uint32_t count = 1;

	matrix_of(v)->name(matrix_of(v)->ctx, i, &ns, &name, &count);
	if (count > 1)
		snprintf(out, 128, "%.48s%s%.64s ×%u", with_ns && ns ? ns : "", with_ns && ns ? "/" : "", name, count);
	else
		snprintf(out, 128, "%.48s%s%.64s", with_ns && ns ? ns : "", with_ns && ns ? "/" : "", name);
	return out;
}

/* ---- which of them are shown */

static uint32_t nr_rows(const struct view *v) { return v->shown ? v->nr_shown : matrix_of(v)->nr; }
static uint32_t nr_cols(const struct view *v) { return v->across ? v->nr_across : matrix_of(v)->nr; }
static uint32_t row_at(const struct view *v, uint32_t k) { return v->shown ? v->shown[k] : k; }
static uint32_t col_at(const struct view *v, uint32_t k) { return v->across ? v->across[k] : k; }

void matrix_selected(const struct view *v, uint32_t *from, uint32_t *to)
{
	*from = nr_rows(v) ? row_at(v, MIN(v->row, nr_rows(v) - 1)) : 0;
	*to = nr_cols(v) ? col_at(v, MIN(v->col, nr_cols(v) - 1)) : 0;
}

static void those_named(const struct view *v, const char *word, uint32_t **out, uint32_t *nr)
{
	char name[128];

	free(*out);
	*out = NULL;
	*nr = 0;
	if (!*word)
		return;
	*out = malloc(sizeof(**out) * (matrix_of(v)->nr + 1));
	if (!*out)
		abort();
	for (uint32_t k = 0; k < matrix_of(v)->nr; k++)
		if (text_has(name_of(v, k, name, true), word))
			(*out)[(*nr)++] = k;
}

static void word_of(const char *s, size_t n, char out[128])
{
	while (n && *s == ' ')
		s++, n--;
	while (n && s[n - 1] == ' ')
		n--;
	snprintf(out, 128, "%.*s", (int)MIN(n, 127u), s);
}

/* "shop": both ends; "web > db", "> db": from and to. */
static void refilter(struct view *v)
{
	const char *mid = strchr(v->filter, '>');
	char from[128], to[128];

	word_of(v->filter, mid ? (size_t)(mid - v->filter) : strlen(v->filter), from);
	word_of(mid ? mid + 1 : v->filter, strlen(mid ? mid + 1 : v->filter), to);
	those_named(v, from, &v->shown, &v->nr_shown);
	those_named(v, to, &v->across, &v->nr_across);
	v->row = MIN(v->row, nr_rows(v) ? nr_rows(v) - 1 : 0);
	v->col = MIN(v->col, nr_cols(v) ? nr_cols(v) - 1 : 0);
}

void matrix_refilter(struct tui *t, struct view *v)
{
	v->row = v->col = v->top_row = v->left_col = 0;
	refilter(v);
	v->why_open = false;
	if (!nr_rows(v) || !nr_cols(v))
		tui_say(t, TR_WARN, "nobody is named so; f and Enter show all again");
	else if (tui_body(t).w >= 100)
		tui_do(t, CMD_EXPLAIN, "%s", "");
}

static const char *short_name(const struct view *v, uint32_t i, char out[128])
{
	const char *ns, *name = "";
	uint32_t count;

	matrix_of(v)->name(matrix_of(v)->ctx, i, &ns, &name, &count);
	snprintf(out, 128, "%.127s", name);
	return out;
}

struct place { struct rect table, why; int names, per, columns, rows, head; };

static struct place place_of(const struct tui *t, const struct view *v, struct rect r)
{
	struct place p = { .table = r, .per = 4 };
	char name[128];

	if (r.w >= 100 && !tui_small(t)) {
		p.table.w = r.w - why_width(r);
		p.why = (struct rect){ r.x + p.table.w, r.y, r.w - p.table.w, r.h };
	} else if (v->why_open) {
		p.why = (struct rect){ r.x + 2, r.y + 1, r.w - 4, MAX(r.h - 2, 3) };
	}
	p.head = 1;
	for (uint32_t k = v->left_col; r.w >= 100 && k < nr_cols(v) && k < v->left_col + 40; k++)
		p.head = MAX(p.head, MIN(text_width(short_name(v, col_at(v, k), name)), MIN(HEAD_H, r.h / 2)));
	p.head += r.w >= 100 && p.head == 1;
	p.names = p.head == 1 ? 13 : 8;
	p.rows = MAX(1, p.table.h - (r.w >= 100 ? 4 : 3) - p.head);
	for (uint32_t k = v->top_row; k < nr_rows(v) && k < v->top_row + (uint32_t)p.rows; k++)
		p.names = MAX(p.names, text_width(name_of(v, row_at(v, k), name, true)) + 1);
	p.names = MIN(p.names, p.table.w / 2 - 4);
	p.columns = MAX(1, (p.table.w - 3 - p.names) / p.per);
	return p;
}

static void cell(const struct view *v, struct cells *c, int x, int y, uint32_t from, uint32_t to)
{
	static const struct { char is; uint8_t glyph; unsigned style; } looks[] = {
		{ '.', TG_DOT, TR_DIM }, { '*', TG_READY, TR_GOOD }, { '+', TG_PLUS, TR_CHANGED | TA_BOLD }, { '-', TG_FAILED, TR_BAD | TA_BOLD }, { ' ', TG_DASH, TR_DIM },
	};
	char is = matrix_of(v)->cell(matrix_of(v)->ctx, row_at(v, from), col_at(v, to));

	for (size_t k = 0; k < ARRAY_LEN(looks); k++)
		if (looks[k].is == is)
			cells_glyph(c, x, y, looks[k].style, (enum tui_glyph)looks[k].glyph);
	if (is == '?')
		cells_put(c, x, y, TR_WARN | TA_BOLD, '?');
	if (from == v->row && to == v->col) {
		cells_put(c, x - 1, y, TR_FOCUS | TA_BOLD, '[');
		cells_put(c, x + 1, y, TR_FOCUS | TA_BOLD, ']');
	}
}

/* Names from top to bottom, their middle left out where they are too long, or their first three letters. */
static void heads(const struct view *v, struct cells *c, const struct place *p, int y)
{
	for (int k = 0; k < p->columns && v->left_col + (uint32_t)k < nr_cols(v); k++) {
		uint32_t col = v->left_col + (uint32_t)k, letters[128];
		int x = p->table.x + 2 + p->names + k * p->per, width, n = 0, tail = (p->head - 1) / 2, used;
		char name[128];
		const char *s = short_name(v, col_at(v, col), name);
		unsigned style = col == v->col ? TR_TEXT | TA_BOLD | TA_REVERSE : TR_TEXT;

		if (p->head == 1) {
			cells_printf(c, x - 1, y, 3, style, "%.3s", s);
			continue;
		}
		for (size_t by; n < (int)ARRAY_LEN(letters) && (by = text_next(s, &letters[n], &width)) > 0; s += by)
			n++;
		used = MIN(n, p->head);
		for (int i = 0; i < used; i++) {
			int at = n <= p->head || i < used - tail ? i : n - (used - i);

			if (n > p->head && i == used - tail - 1)
				cells_glyph(c, x + 1, y + p->head - used + i, style, TG_MORE);
			else
				cells_put(c, x + 1, y + p->head - used + i, style, letters[at]);
		}
	}
}

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_matrix *m = matrix_of(v);
	struct place p = place_of(t, v, r);
	int y = r.y, shift = p.head > 1;
	char name[128];

	if (!m->nr) {
		cells_text(c, r.x + 2, r.y + 1, r.w - 4, TR_DIM, "there is nobody to reach: the cluster has no Pod");
		return;
	}
	if (p.head > 1) {
		cells_box(c, p.table, BOX_LIGHT, TR_BORDER, "from ↓  to →", m->what);
		y++;
	} else {
		cells_text(c, r.x + 1, y, p.names, TR_HEAD, "from ↓ to →");
	}
	heads(v, c, &p, y);
	y += p.head;
	for (uint32_t k = v->top_row; k < nr_rows(v) && k < v->top_row + (uint32_t)p.rows; k++, y++) {
		cells_middle(c, p.table.x + 2, y, p.names - 1, k == v->row ? TR_TEXT | TA_BOLD | TA_REVERSE : TR_TEXT, name_of(v, row_at(v, k), name, true));
		for (int i = 0; i < p.columns && v->left_col + (uint32_t)i < nr_cols(v); i++)
			cell(v, c, p.table.x + 2 + p.names + i * p.per + shift, y, k, v->left_col + (uint32_t)i);
	}
	y = p.table.y + p.table.h - (p.head > 1 ? 2 : 2);
	cells_printf(c, p.table.x + 2, y, p.table.w - 4, TR_DIM, "row %u of %u   column %u of %u", v->row + 1, nr_rows(v), v->col + 1, nr_cols(v));
	if (m->asked)
		cells_printf(c, p.table.x + 36, y, p.table.w - 38, TR_DIM, "allowed %u of %u", m->allowed, m->asked);
	cells_text(c, p.table.x + 3, y + 1, p.table.w - 5, TR_DIM, m->compared ? m->unknown ? " · denied  ● allowed  ✕ ✚ changed  ? cannot tell " : " · denied  ● allowed  ✕ ✚ changed  – itself "
		   : m->unknown ? " · denied  ● allowed  ? cannot tell  – itself " : " · denied  ● allowed  – itself ");
	if (p.why.w) {
		struct rect in = rect_inner(p.why);

		for (int k = 0; k < p.why.h; k++)
			cells_printf(c, p.why.x, p.why.y + k, p.why.w, TR_TEXT, "%*s", p.why.w, "");
		cells_box(c, p.why, p.head > 1 ? BOX_LIGHT : BOX_HEAVY, p.head > 1 ? TR_BORDER : TR_FOCUS, v->why.title ? v->why.title : "why", NULL);
		if (v->why_open)
			draw_lines(c, in, &v->why, 0, -1, NULL);
		else
			cells_text(c, in.x + 1, in.y, in.w - 2, TR_DIM, "Enter explains the cell");
	}
}

/* From one Pod of the row to one of the column, on the port that is shown: a packet, or what would let it through or keep it out. */
static void between(struct tui *t, const struct view *v, bool trace)
{
	const struct tui_matrix *m = matrix_of(v);
	struct sb from = { 0 }, to = { 0 };
	char proto[8] = "tcp", both[660];
	unsigned port = 80;
	uint32_t a, b;

	matrix_selected(v, &a, &b);
	if (m->ref && nr_rows(v) && nr_cols(v)) {
		m->ref(m->ctx, a, &from);
		m->ref(m->ctx, b, &to);
	}
	sscanf(m->what, "%7s %u", proto, &port);
	if (!from.len || !to.len) {
		tui_say(t, TR_WARN, "no Pod stands for this cell");
	} else if (trace) {
		struct tui_want w;

		snprintf(both, sizeof(both), "%s %s:%u%s%s", sb_text(&from), sb_text(&to), port, strcmp(proto, "tcp") == 0 ? "" : " --protocol ", strcmp(proto, "tcp") == 0 ? "" : proto);
		w = tui_want(PAGE_TRACE, both, NULL, 0);
		tui_open(t, &w);
	} else {
		tui_do(t, CMD_RUN, "matrix --explain %s %s --port %u --protocol %s", sb_text(&from), sb_text(&to), port, proto);
	}
	sb_free(&from);
	sb_free(&to);
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	struct place p = place_of(t, v, r);
	uint32_t row = v->row, col = v->col, last = nr_cols(v) ? nr_cols(v) - 1 : 0;

	(void)key;
	switch (id) {
	case ACT_LEFT: col -= col > 0; break;
	case ACT_RIGHT: col += col < last; break;
	case ACT_OPEN: if (nr_rows(v) && nr_cols(v)) tui_do(t, CMD_EXPLAIN, "%s", ""); return true;
	case ACT_EXPAND: v->want.n = !v->want.n; v->row = v->col = v->top_row = v->left_col = 0; tui_do(t, CMD_LOAD, "%s", ""); return true;
	case ACT_TRACE: between(t, v, true); return true;
	case ACT_NEAREST: between(t, v, false); return true;
	case ACT_PORT: tui_ask(t, ASK_PORT, ""); return true;
	case ACT_BACK:
		if (!v->why_open || p.head > 1)
			return false;
		v->why_open = false;
		return true;
	default:
		if (!tui_move(id, &row, nr_rows(v), (uint32_t)p.rows))
			return false;
	}
	if (row != v->row || col != v->col) {
		v->row = row;
		v->col = col;
		v->why_open = false;
		if (p.head > 1 && nr_rows(v) && nr_cols(v))
			tui_do(t, CMD_EXPLAIN, "%s", "");
	}
	tui_keep_seen(&v->top_row, row, nr_rows(v), (uint32_t)p.rows);
	tui_keep_seen(&v->left_col, col, nr_cols(v), (uint32_t)p.columns);
	return true;
}

static void loaded(struct tui *t, struct view *v)
{
	refilter(v);
	if (nr_cols(v) > 1 && !v->moved)
		v->col = 1;
	v->moved = true;
	if (tui_body(t).w >= 100 && nr_rows(v) && nr_cols(v))
		tui_do(t, CMD_EXPLAIN, "%s", "");
}

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	struct place p = place_of(t, v, r);
	int row = y - r.y - p.head - (p.head > 1), col = (x - p.table.x - 1 - p.names) / p.per;

	if (row < 0 || col < 0 || row >= p.rows || col >= p.columns || v->top_row + (uint32_t)row >= nr_rows(v) || v->left_col + (uint32_t)col >= nr_cols(v))
		return;
	v->row = v->top_row + (uint32_t)row;
	v->col = v->left_col + (uint32_t)col;
	tui_do(t, CMD_EXPLAIN, "%s", "");
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	const struct tui_matrix *m = matrix_of(v);

	(void)t;
	sb_add(left, "Matrix");
	if (!v->page.kind)
		return;
	sb_printf(left, "  %s   %u × %u (%u Pods)", m->what, m->nr, m->nr, m->pods);
	if (*v->filter)
		sb_printf(right, "only: %s%s", v->filter, m->compared ? "   " : "");
	if (m->compared)
		sb_printf(right, "compared with: %s", m->compared);
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	char a[128], b[128];

	(void)t;
	if (!nr_rows(v) || !nr_cols(v))
		return;
	if (v->why_open && v->why_say) {
		sb_add(out, v->why_say);
		return;
	}
	sb_printf(out, "%s → %s", name_of(v, row_at(v, v->row), a, true), name_of(v, col_at(v, v->col), b, true));
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	char name[128];

	(void)t;
	return text_has(name_of(v, row_at(v, i), name, true), word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return nr_rows(v); }

static void go(struct tui *t, struct view *v, uint32_t i)
{
	v->row = v->cursor = i;
	tui_keep_seen(&v->top_row, i, nr_rows(v), (uint32_t)place_of(t, v, tui_body(t)).rows);
}

const struct view_ops view_matrix = { .name = "Matrix", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .matches = matches, .count = count, .go = go, .loaded = loaded };
