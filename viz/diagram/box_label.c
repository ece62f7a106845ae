/* Labels in the HTML that Graphviz reads: tables of cells. Strings only; graph.c hands them to cgraph. No element is ever empty: 2.42 refuses those, and the box
 * would fall back to its internal name. */
#include "viz/diagram/scene.h"

#define MONO "DejaVu Sans Mono,Liberation Mono,monospace"

enum { MAX_NAME = 48, MAX_ADDRESS = 64, MAX_CELL = 72, MAX_MONO = 96, MAX_LABEL = 72 };

static void break_line(struct sb *h, bool stacked)
{
	sb_add(h, stacked ? "</B><BR/>" : "&#160;&#160;</B>");  /* the gap inside the bold run: SVG drops leading blanks */
}

static void bold_name(struct sb *h, const struct box *b, bool stacked)
{
	static const char *const sign[] = { "", "+ ", "− " };
	bool address = b->address && *b->address;

	if (b->name && *b->name) {
		sb_printf(h, "<B>%s", sign[b->mark]);
		label_fit(h, b->name, MAX_NAME);
		if (address)
			break_line(h, stacked);
		else
			sb_add(h, "</B>");
	}
	if (address)
		label_fit(h, b->address, MAX_ADDRESS);
	if (b->mark)
		sb_printf(h, "%s<I>%s</I>", stacked && (address || b->name) ? "<BR/>" : "&#160;&#160;", b->mark == MARK_ADDED ? "added" : "removed");
}

static void open_cell(const struct scene_cell *c, enum theme theme, uint32_t span, struct sb *h)
{
	const struct paper *paper = paper_style(theme);
	const struct role_style *st = role_style(theme, c->role);
	const char *fill = c->role == ROLE_PLAIN ? paper->inside : st->fill;

	sb_add(h, "<TD");
	if (span > 1)
		sb_printf(h, " COLSPAN=\"%u\"", span);
	if (c->down > 1)
		sb_printf(h, " ROWSPAN=\"%u\"", c->down);
	if (c->port)
		sb_printf(h, " PORT=\"p%u\"", c->port);
	switch ((enum row_kind)c->kind) {
	case ROW_PILLS:
		sb_printf(h, " STYLE=\"ROUNDED\" BGCOLOR=\"%s\"", fill);
		break;
	case ROW_HEAD:
		if (c->role != ROLE_PLAIN)
			sb_printf(h, " STYLE=\"ROUNDED\" BGCOLOR=\"%s\"", fill);
		break;
	case ROW_GRID:
		sb_printf(h, " WIDTH=\"40\" HEIGHT=\"26\" STYLE=\"ROUNDED\" BORDER=\"1\" COLOR=\"%s\" BGCOLOR=\"%s\"", c->role == ROLE_DENIED ? st->line : paper->grid, fill);
		break;
	case ROW_BAR:
		sb_printf(h, " ALIGN=\"LEFT\" STYLE=\"ROUNDED\" BORDER=\"1\" COLOR=\"%s\" BGCOLOR=\"%s\"", st->line, fill);
		break;
	case ROW_GAP:
		break;
	case ROW_TEXT: case ROW_NOTE: case ROW_MONO: case ROW_CHANGED: case ROW_MONO_CHANGED:
		sb_add(h, " ALIGN=\"LEFT\" BALIGN=\"LEFT\"");
		break;
	}
	sb_addc(h, '>');
}

static void cell(const struct scene_cell *c, enum theme theme, uint32_t span, struct sb *h)
{
	const struct paper *paper = paper_style(theme);
	const struct role_style *st = role_style(theme, c->role);
	const char *end = "";

	open_cell(c, theme, span, h);
	switch ((enum row_kind)c->kind) {
	case ROW_NOTE:
		sb_printf(h, "<FONT COLOR=\"%s\">", paper->muted);
		end = "</FONT>";
		break;
	case ROW_MONO:
		sb_add(h, "<FONT FACE=\"" MONO "\" POINT-SIZE=\"9.5\">");
		end = "</FONT>";
		break;
	case ROW_MONO_CHANGED:
		sb_printf(h, "<FONT FACE=\"" MONO "\" POINT-SIZE=\"9.5\" COLOR=\"%s\"><B>", paper->changed);
		end = "</B></FONT>";
		break;
	case ROW_CHANGED:
		sb_printf(h, "<FONT COLOR=\"%s\"><B>", paper->changed);
		end = "</B></FONT>";
		break;
	case ROW_HEAD:
		sb_add(h, "<B>");
		end = "</B>";
		break;
	case ROW_GRID:
		sb_printf(h, "<FONT COLOR=\"%s\"><B>", c->role == ROLE_PLAIN || c->role == ROLE_OUTSIDE ? paper->muted : st->line);
		end = "</B></FONT>";
		break;
	case ROW_BAR:
		sb_add(h, "<FONT POINT-SIZE=\"10.5\">");
		end = "</FONT>";
		break;
	case ROW_TEXT: case ROW_PILLS: case ROW_GAP:
		break;
	}
	if (c->text && *c->text)
		label_fit(h, c->text, c->kind == ROW_MONO || c->kind == ROW_MONO_CHANGED ? MAX_MONO : MAX_CELL);
	else if (!c->changed)
		sb_add(h, "&#160;");
	if (c->changed && *c->changed) {
		sb_printf(h, "<FONT COLOR=\"%s\"><B>", paper->changed);
		label_fit(h, c->changed, MAX_CELL);
		sb_add(h, "</B></FONT>");
	}
	if (c->rest)
		label_fit(h, c->rest, MAX_CELL);
	sb_printf(h, "%s</TD>", end);
}

static uint32_t width_of(const struct scene_row *r)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < r->cells.nr; k++)
		n += MAX(r->cells.v[k].span, 1u);
	return n;
}

/* Cells of other rows that reach down count as well, so that the last cell of a row does not push the table apart. */
static uint32_t columns_of(const struct box *b)
{
	uint32_t n = 1;

	for (uint32_t k = 0; k < b->rows.nr; k++)
		n = MAX(n, width_of(&b->rows.v[k]));
	return n;
}

static bool is_left(const struct box *b)
{
	for (uint32_t k = 0; k < b->rows.nr; k++)
		for (uint32_t i = 0; i < b->rows.v[k].cells.nr; i++)
			if (b->rows.v[k].cells.v[i].kind != ROW_PILLS)
				return true;
	return false;
}

static bool is_grid(const struct box *b)
{
	for (uint32_t k = 0; k < b->rows.nr; k++)
		for (uint32_t i = 0; i < b->rows.v[k].cells.nr; i++)
			if (b->rows.v[k].cells.v[i].kind == ROW_GRID || b->rows.v[k].cells.v[i].kind == ROW_BAR)
				return true;
	return false;
}

static void badge(uint32_t n, enum theme theme, uint8_t line, struct sb *h)
{
	sb_printf(h, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"3\"><TR><TD BGCOLOR=\"%s\" STYLE=\"ROUNDED\" FIXEDSIZE=\"TRUE\" WIDTH=\"%u\" HEIGHT=\"20\"><FONT COLOR=\"%s\" POINT-SIZE=\"11\"><B>%u</B></FONT></TD></TR></TABLE>",
		  line_style(theme, line)->color, n > 99 ? 32u : 24u, paper_style(theme)->background, n);
}

static void rows(const struct box *b, enum theme theme, uint32_t columns, bool named, struct sb *h)
{
	bool grid = is_grid(b);

	for (uint32_t k = 0; k < b->rows.nr; k++) {
		const struct scene_row *r = &b->rows.v[k];
		uint32_t used = 0;

		sb_add(h, "<TR>");
		if (!k && !named && b->badge) {
			sb_printf(h, "<TD ROWSPAN=\"%u\">", b->rows.nr);
			badge(b->badge, theme, b->badge_line, h);
			sb_add(h, "</TD>");
		}
		for (uint32_t c = 0; c < r->cells.nr; c++) {
			uint32_t span = MAX(r->cells.v[c].span, 1u);

			if (c + 1 == r->cells.nr && !grid)
				span = MAX(span, columns - used);
			cell(&r->cells.v[c], theme, span, h);
			used += span;
		}
		sb_add(h, "</TR>");
	}
}

static void name_row(const struct box *b, enum theme theme, uint32_t columns, bool left, struct sb *h)
{
	sb_add(h, "<TR>");
	if (b->badge) {
		sb_printf(h, "<TD ROWSPAN=\"%u\">", b->rows.nr + 1);
		badge(b->badge, theme, b->badge_line, h);
		sb_add(h, "</TD>");
	}
	sb_printf(h, "<TD COLSPAN=\"%u\"%s>", columns, left ? " ALIGN=\"LEFT\"" : "");
	bold_name(h, b, !left);
	sb_add(h, "</TD></TR>");
}

/* A box with rows: a table, its name in the first row (name_below: in the last). Boxes of pills only are centred, lists of texts stand left. */
static void table_label(const struct box *b, enum theme theme, struct sb *h)
{
	const struct role_style *st = role_style(theme, b->role);
	uint32_t columns = columns_of(b);
	bool left = is_left(b), grid = is_grid(b), named = b->name || b->address;

	sb_printf(h, "<TABLE BORDER=\"%d\" CELLBORDER=\"0\" CELLSPACING=\"%d\" CELLPADDING=\"%d\" STYLE=\"ROUNDED%s\" COLOR=\"%s\" BGCOLOR=\"%s\"", b->nameplate ? 0 : b->mark == MARK_ADDED ? 3 : 1,
		  grid ? 2 : b->badge ? 2 : 4, left ? grid ? 4 : b->badge ? 2 : 3 : 4, b->mark == MARK_REMOVED ? ",DOTTED" : b->dashed ? ",DASHED" : "", st->line,
		  grid ? paper_style(theme)->background : st->fill);
	if (b->width)
		sb_printf(h, " WIDTH=\"%u\"", b->width);
	sb_addc(h, '>');
	if (named && !b->name_below)
		name_row(b, theme, columns, left, h);
	rows(b, theme, columns, named, h);
	if (named && b->name_below)
		name_row(b, theme, columns, left, h);
	sb_add(h, "</TABLE>");
}

static void nameplate_label(const struct box *b, struct sb *h)
{
	sb_add(h, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">");
	if (b->name) {
		sb_add(h, "<TR><TD ALIGN=\"LEFT\"><B>");
		label_fit(h, b->name, MAX_NAME);
		sb_add(h, "&#160;</B></TD></TR>");
	}
	sb_add(h, "<TR><TD ALIGN=\"LEFT\">");
	label_fit(h, b->address ? b->address : "", MAX_ADDRESS);
	sb_add(h, "&#160;</TD></TR></TABLE>");
}

bool box_is_table(const struct box *b)
{
	return b->nameplate || b->rows.nr || b->badge;
}

void box_label(const struct box *b, enum theme theme, struct sb *h)
{
	size_t from = h->len;

	if (b->rows.nr || b->badge)
		table_label(b, theme, h);
	else if (b->nameplate)
		nameplate_label(b, h);
	else
		bold_name(h, b, true);
	if (h->len == from)
		sb_add(h, "&#160;");
}

void group_label(const struct box *b, enum theme theme, struct sb *h)
{
	(void)theme;
	bold_name(h, b, false);
}

void edge_label(const struct scene_edge *l, enum theme theme, struct sb *h)
{
	if (l->badge && !l->label && !l->changed) {
		badge(l->badge, theme, l->line, h);
		return;
	}
	if (!l->label && !l->changed && !l->rest)
		return;
	sb_add(h, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\"><TR>");
	if (l->badge) {
		sb_add(h, "<TD>");
		badge(l->badge, theme, l->line, h);
		sb_add(h, "</TD>");
	}
	sb_add(h, "<TD ALIGN=\"LEFT\" BALIGN=\"LEFT\">");
	if (l->mono)
		sb_add(h, "<FONT FACE=\"" MONO "\" POINT-SIZE=\"9.5\">");
	label_fit(h, l->label ? l->label : "", MAX_LABEL);
	if (l->changed && *l->changed) {
		sb_printf(h, "<FONT COLOR=\"%s\"><B>", paper_style(theme)->changed);
		label_fit(h, l->changed, MAX_LABEL);
		sb_add(h, "</B></FONT>");
	}
	label_fit(h, l->rest ? l->rest : "", MAX_LABEL);
	sb_add(h, l->mono ? "</FONT></TD></TR></TABLE>" : "</TD></TR></TABLE>");
}

/* ---- the legend: made from what occurs */

/* A cell each. → how many. */
static uint32_t legend_rows(const struct scene *s, enum theme theme, bool badges, struct sb *out, uint32_t max)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->legend.nr && nr < max; k++) {
		const struct legend_row *r = &s->legend.v[k];
		const struct line_style *st = line_style(theme, r->line);
		struct sb *h = &out[nr];

		if ((r->badge != 0) != badges || !scene_has_line(s, r->line, r->badge))
			continue;
		nr++;
		if (r->badge)
			sb_printf(h, "<TD ALIGN=\"LEFT\"><B>%u&#160;&#160;</B>", r->badge);
		else
			sb_printf(h, "<TD ALIGN=\"LEFT\"><FONT COLOR=\"%s\"><B>%s&#160;&#160;&#160;</B></FONT>", st->color, st->sample);
		label_fit(h, r->text ? r->text : st->name, 140);
		sb_add(h, "&#160;&#160;</TD>");
	}
	return nr;
}

/* A long sentence takes several lines, so that it does not make the picture wide. */
static void sentence(struct sb *h, const char *text, size_t first)
{
	enum { WIDE = 110, LINES = 4 };
	struct sb piece = { 0 };

	for (int line = 0; line < LINES && *text; line++) {
		size_t room = line ? WIDE : first < WIDE / 2 ? WIDE - first : WIDE, n = strlen(text), cut = n;

		if (n > room + 20) {            /* a few words do not get a line of their own */
			for (cut = room; cut > room / 2 && text[cut] != ' '; cut--)
				;
			if (text[cut] != ' ')
				for (cut = room; cut > 1 && ((unsigned char)text[cut] & 0xc0) == 0x80; cut--)
					;
		}
		if (line)
			sb_add(h, "<BR ALIGN=\"LEFT\"/>");
		if (line + 1 == LINES || cut == n) {
			label_fit(h, text, WIDE + 20);
			break;
		}
		sb_reset(&piece);
		sb_addn(&piece, text, cut);
		label_html(h, sb_text(&piece));
		text += cut;
		text += strspn(text, " ");
	}
	sb_free(&piece);
}

static void notes(const struct scene *s, enum theme theme, struct sb *h)
{
	for (uint32_t k = 0; k < s->notes.nr; k++) {
		const struct scene_note *n = &s->notes.v[k];

		sb_add(h, "<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\" BALIGN=\"LEFT\">");
		if (n->bold) {
			sb_printf(h, "<FONT COLOR=\"%s\"><B>", n->role == ROLE_DENIED ? paper_style(theme)->changed : paper_style(theme)->ink);
			label_fit(h, n->bold, 90);
			sb_add(h, "&#160;&#160;</B></FONT>");
		}
		sentence(h, n->text ? n->text : "", n->bold ? strlen(n->bold) : 0);
		sb_add(h, "&#160;</TD></TR>");
	}
}

/* Sentences, and below them lines with their samples beside numbers with theirs. A sample and its words share a cell: a long sentence would push columns apart. */
void legend_label(const struct scene *s, enum theme theme, struct sb *h)
{
	struct sb lines[32] = { 0 }, numbers[32] = { 0 }, sentences = { 0 };
	uint32_t nr_lines = legend_rows(s, theme, false, lines, ARRAY_LEN(lines)), nr_numbers = legend_rows(s, theme, true, numbers, ARRAY_LEN(numbers));

	notes(s, theme, &sentences);
	if (nr_lines || nr_numbers || sentences.len) {
		sb_add(h, "<FONT POINT-SIZE=\"12\"><TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"3\"><TR><TD HEIGHT=\"12\" COLSPAN=\"2\"></TD></TR>");
		sb_add(h, sb_text(&sentences));
		for (uint32_t k = 0; k < MAX(nr_lines, nr_numbers); k++) {
			sb_add(h, "<TR>");
			sb_add(h, k < nr_lines ? sb_text(&lines[k]) : nr_lines ? "<TD></TD>" : "");
			sb_add(h, k < nr_numbers ? sb_text(&numbers[k]) : nr_numbers ? "<TD></TD>" : "");
			sb_add(h, "</TR>");
		}
		sb_add(h, "</TABLE></FONT>");
	}
	for (size_t k = 0; k < ARRAY_LEN(lines); k++) {
		sb_free(&lines[k]);
		sb_free(&numbers[k]);
	}
	sb_free(&sentences);
}
