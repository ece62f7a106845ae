/* Who may reach whom on a port. Only the cells that are seen are asked for; the names of rows stay while columns pass by. */
#include "viz/tui/tui.h"

#include <stdio.h>

enum { WHY_W = 36, HEAD_H = 12 };

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
		p.table.w = r.w - WHY_W;
		p.why = (struct rect){ r.x + r.w - WHY_W, r.y, WHY_W, r.h };
	} else if (v->why_open) {
		p.why = (struct rect){ r.x + 2, r.y + 1, r.w - 4, MAX(r.h - 2, 3) };
	}
	p.head = 1;
	for (uint32_t k = v->left_col; r.w >= 100 && k < matrix_of(v)->nr && k < v->left_col + 40; k++)
		p.head = MAX(p.head, MIN(text_width(short_name(v, k, name)), MIN(HEAD_H, r.h / 2)));
	p.head += r.w >= 100 && p.head == 1;
	p.names = 8;
	p.rows = MAX(1, p.table.h - (r.w >= 100 ? 4 : 3) - p.head);
	for (uint32_t k = v->top_row; k < matrix_of(v)->nr && k < v->top_row + (uint32_t)p.rows; k++)
		p.names = MAX(p.names, text_width(name_of(v, k, name, true)) + 1);
	p.names = MIN(p.names, p.table.w / 2 - 4);
	p.columns = MAX(1, (p.table.w - 3 - p.names) / p.per);
	return p;
}

static void cell(const struct view *v, struct cells *c, int x, int y, uint32_t from, uint32_t to)
{
	static const struct { char is; uint8_t glyph; unsigned style; } looks[] = {
		{ '.', TG_DOT, TR_DIM }, { '*', TG_READY, TR_GOOD }, { '+', TG_PLUS, TR_CHANGED | TA_BOLD }, { '-', TG_FAILED, TR_BAD | TA_BOLD }, { ' ', TG_DASH, TR_DIM },
	};
	char is = matrix_of(v)->cell(matrix_of(v)->ctx, from, to);

	for (size_t k = 0; k < ARRAY_LEN(looks); k++)
		if (looks[k].is == is)
			cells_glyph(c, x, y, looks[k].style, (enum tui_glyph)looks[k].glyph);
	if (from == v->row && to == v->col) {
		cells_put(c, x - 1, y, TR_FOCUS | TA_BOLD, '[');
		cells_put(c, x + 1, y, TR_FOCUS | TA_BOLD, ']');
	}
}

/* Names from top to bottom, or their first three letters. */
static void heads(const struct view *v, struct cells *c, const struct place *p, int y)
{
	for (int k = 0; k < p->columns && v->left_col + (uint32_t)k < matrix_of(v)->nr; k++) {
		uint32_t col = v->left_col + (uint32_t)k, ch;
		int x = p->table.x + 2 + p->names + k * p->per, width, row;
		char name[128];
		const char *s = short_name(v, col, name);
		unsigned style = col == v->col ? TR_TEXT | TA_BOLD | TA_REVERSE : TR_TEXT;

		if (p->head == 1) {
			cells_printf(c, x - 1, y, 3, style, "%.3s", s);
			continue;
		}
		row = MAX(0, p->head - text_width(s));
		for (size_t n; (n = text_next(s, &ch, &width)) > 0 && row < p->head; s += n)
			cells_put(c, x + 1, y + row++, style, ch);
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
	for (uint32_t k = v->top_row; k < m->nr && k < v->top_row + (uint32_t)p.rows; k++, y++) {
		cells_middle(c, p.table.x + 2, y, p.names - 1, k == v->row ? TR_TEXT | TA_BOLD | TA_REVERSE : TR_TEXT, name_of(v, k, name, true));
		for (int i = 0; i < p.columns && v->left_col + (uint32_t)i < m->nr; i++)
			cell(v, c, p.table.x + 2 + p.names + i * p.per + shift, y, k, v->left_col + (uint32_t)i);
	}
	y = p.table.y + p.table.h - (p.head > 1 ? 2 : 2);
	cells_printf(c, p.table.x + 2, y, p.table.w - 4, TR_DIM, "row %u of %u   column %u of %u", v->row + 1, m->nr, v->col + 1, m->nr);
	if (m->asked)
		cells_printf(c, p.table.x + 36, y, p.table.w - 38, TR_DIM, "allowed %u of %u", m->allowed, m->asked);
	cells_text(c, p.table.x + 3, y + 1, p.table.w - 5, TR_DIM, m->compared ? " · denied  ● allowed  ✕ ✚ changed  – itself " : " · denied  ● allowed  – itself ");
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

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	const struct tui_matrix *m = matrix_of(v);
	struct place p = place_of(t, v, r);
	uint32_t row = v->row, col = v->col, last = m->nr ? m->nr - 1 : 0;

	(void)key;
	switch (id) {
	case ACT_LEFT: col -= col > 0; break;
	case ACT_RIGHT: col += col < last; break;
	case ACT_OPEN: if (m->nr) tui_do(t, CMD_EXPLAIN, "%s", ""); return true;
	case ACT_EXPAND: v->want.n = !v->want.n; v->row = v->col = v->top_row = v->left_col = 0; tui_do(t, CMD_LOAD, "%s", ""); return true;
	case ACT_PORT: tui_ask(t, ASK_PORT, ""); return true;
	case ACT_BACK:
		if (!v->why_open || p.head > 1)
			return false;
		v->why_open = false;
		return true;
	default:
		if (!tui_move(id, &row, m->nr, (uint32_t)p.rows))
			return false;
	}
	if (row != v->row || col != v->col) {
		v->row = row;
		v->col = col;
		v->why_open = false;
		if (p.head > 1 && m->nr)
			tui_do(t, CMD_EXPLAIN, "%s", "");
	}
	tui_keep_seen(&v->top_row, row, m->nr, (uint32_t)p.rows);
	tui_keep_seen(&v->left_col, col, m->nr, (uint32_t)p.columns);
	return true;
}

static void loaded(struct tui *t, struct view *v)
{
	const struct tui_matrix *m = matrix_of(v);

	v->row = MIN(v->row, m->nr ? m->nr - 1 : 0);
	v->col = MIN(v->col, m->nr ? m->nr - 1 : 0);
	if (m->nr > 1 && !v->moved)
		v->col = 1;
	v->moved = true;
	if (tui_body(t).w >= 100 && m->nr)
		tui_do(t, CMD_EXPLAIN, "%s", "");
}

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	struct place p = place_of(t, v, r);
	int row = y - r.y - p.head - (p.head > 1), col = (x - p.table.x - 1 - p.names) / p.per;

	if (row < 0 || col < 0 || row >= p.rows || col >= p.columns || v->top_row + (uint32_t)row >= matrix_of(v)->nr || v->left_col + (uint32_t)col >= matrix_of(v)->nr)
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
	if (m->compared)
		sb_printf(right, "compared with: %s", m->compared);
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	char a[128], b[128];

	(void)t;
	if (!matrix_of(v)->nr)
		return;
	if (v->why_open && v->why_say) {
		sb_add(out, v->why_say);
		return;
	}
	sb_printf(out, "%s → %s", name_of(v, v->row, a, true), name_of(v, v->col, b, true));
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	char name[128];

	(void)t;
	return text_has(name_of(v, i, name, true), word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return matrix_of(v)->nr; }

static void go(struct tui *t, struct view *v, uint32_t i)
{
	v->row = v->cursor = i;
	tui_keep_seen(&v->top_row, i, matrix_of(v)->nr, (uint32_t)place_of(t, v, tui_body(t)).rows);
}

const struct view_ops view_matrix = { .name = "Matrix", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .matches = matches, .count = count, .go = go, .loaded = loaded };
