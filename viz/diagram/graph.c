/* The one file that knows cgraph and gvc: a scene becomes a graph, the graph a picture.
 *
 * What Graphviz has taught (2.42): boxes with rows are HTML tables with shape=plain; labels pass label.c; errors do not reach return values, so a handler
 * collects them; edges on one rank that cross clusters carry no label; sessions between boxes of one rank are drawn in a second pass, as our own splines
 * below the boxes, when everything else has its place (nop2). */
#include <graphviz/gvc.h>

#include <stdlib.h>

#include "model/base/err.h"
#include "viz/diagram/scene.h"

#define SANS "Liberation Sans,Arial,Helvetica,sans-serif"
#define MONO "DejaVu Sans Mono,Liberation Mono,monospace"

struct place { double x, bottom; };
struct drawing {
	const struct scene *s;
	enum theme theme;
	Agraph_t *g;
	Agraph_t **cluster;             /* by box, of groups */
	Agnode_t **node;                /* by box, of the others */
	struct place *place;            /* by box, once laid out; points */
};

/* Graphviz 2.42 takes char * for what it only reads. */
static char *gv(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* libcgraph's error handler has no context argument: what it says is kept here until scene_render, which holds the only graph, has asked. */
static _Thread_local struct sb complaints;

static int complain(char *text)
{
	sb_add(&complaints, text);
	return 0;
}

static void set_html(struct drawing *d, void *obj, const char *attr, const char *html)
{
	char *h = agstrdup_html(d->g, gv(html));

	agsafeset(obj, gv(attr), h, gv(""));
	agstrfree(d->g, h);
}

static void set(void *obj, const char *attr, const char *value)
{
	agsafeset(obj, gv(attr), gv(value), gv(""));
}

/* ---- labels */

static void bold_name(struct sb *h, const char *name, const char *address, const char *between)
{
	if (name && *name) {
		sb_add(h, "<B>");
		label_html(h, name);
		sb_add(h, address && *address && *between == '&' ? "&#160;&#160;</B>" : "</B>");        /* the gap inside the bold run: SVG drops leading blanks */
	}
	if (address && *address) {
		if (name && *name && *between == '<')
			sb_add(h, between);
		label_html(h, address);
	}
}

static void cell(struct drawing *d, struct sb *h, const struct scene_row *r, const char *text, uint32_t span)
{
	const struct paper *paper = paper_style(d->theme);
	const struct role_style *pill = role_style(d->theme, r->role);

	sb_add(h, "<TD");
	if (span > 1)
		sb_printf(h, " COLSPAN=\"%u\"", span);
	if (r->kind == ROW_PILLS)
		sb_printf(h, " STYLE=\"ROUNDED\" BGCOLOR=\"%s\">", r->role == ROLE_PLAIN ? paper->inside : pill->fill);
	else
		sb_add(h, " ALIGN=\"LEFT\" BALIGN=\"LEFT\">");
	if (r->kind == ROW_NOTE)
		sb_printf(h, "<FONT COLOR=\"%s\">", paper->muted);
	else if (r->kind == ROW_MONO)
		sb_printf(h, "<FONT FACE=\"" MONO "\" POINT-SIZE=\"9.5\">");
	else if (r->kind == ROW_CHANGED)
		sb_printf(h, "<FONT COLOR=\"%s\"><B>", paper->changed);
	if (text && *text)
		label_html(h, text);
	else
		sb_add(h, "&#160;");
	sb_add(h, r->kind == ROW_NOTE || r->kind == ROW_MONO ? "</FONT></TD>" : r->kind == ROW_CHANGED ? "</B></FONT></TD>" : "</TD>");
}

static uint32_t columns_of(const struct box *b)
{
	uint32_t n = 1;

	for (uint32_t k = 0; k < b->rows.nr; k++)
		n = MAX(n, b->rows.v[k].nr);
	return n;
}

static bool has_texts(const struct box *b)
{
	for (uint32_t k = 0; k < b->rows.nr; k++)
		if (b->rows.v[k].kind != ROW_PILLS)
			return true;
	return false;
}

/* A box with rows: a table, its name in the first row. Boxes of pills only are centred, lists of texts stand left. */
static void table_label(struct drawing *d, const struct box *b, struct sb *h)
{
	const struct role_style *st = role_style(d->theme, b->role);
	uint32_t columns = columns_of(b);
	bool left = has_texts(b);

	sb_printf(h, "<TABLE BORDER=\"%d\" CELLBORDER=\"0\" CELLSPACING=\"4\" CELLPADDING=\"%d\" STYLE=\"ROUNDED%s\" COLOR=\"%s\" BGCOLOR=\"%s\"", b->nameplate ? 0 : 1, left ? 3 : 4,
		  b->dashed ? ",DASHED" : "", st->line, st->fill);
	if (b->width)
		sb_printf(h, " WIDTH=\"%u\"", b->width);
	sb_add(h, ">");
	if (b->name || b->address) {
		sb_printf(h, "<TR><TD COLSPAN=\"%u\"%s>", columns, left ? " ALIGN=\"LEFT\"" : "");
		bold_name(h, b->name, b->address, left ? "&" : "<BR/>");
		sb_add(h, "</TD></TR>");
	}
	for (uint32_t k = 0; k < b->rows.nr; k++) {
		const struct scene_row *r = &b->rows.v[k];

		sb_add(h, "<TR>");
		for (uint32_t c = 0; c < r->nr; c++)
			cell(d, h, r, r->cell[c], c + 1 == r->nr ? columns - c : 1);
		sb_add(h, "</TR>");
	}
	sb_add(h, "</TABLE>");
}

static void nameplate_label(const struct box *b, struct sb *h)
{
	sb_add(h, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">");
	if (b->name) {
		sb_add(h, "<TR><TD ALIGN=\"LEFT\"><B>");
		label_html(h, b->name);
		sb_add(h, "</B></TD></TR>");
	}
	if (b->address) {
		sb_add(h, "<TR><TD ALIGN=\"LEFT\">");
		label_html(h, b->address);
		sb_add(h, "</TD></TR>");
	}
	sb_add(h, "</TABLE>");
}

/* ---- boxes */

static void add_group(struct drawing *d, uint32_t i, Agraph_t *parent)
{
	const struct box *b = &d->s->boxes.v[i];
	const struct role_style *st = role_style(d->theme, b->role);
	char name[32];
	struct sb h = { 0 };

	snprintf(name, sizeof(name), "cluster_%u", i);
	d->cluster[i] = agsubg(parent, name, 1);
	bold_name(&h, b->name, b->address, "&");
	if (h.len)
		set_html(d, d->cluster[i], "label", sb_text(&h));
	else
		set(d->cluster[i], "label", "");
	set(d->cluster[i], "labelloc", b->label_below ? "b" : "t");
	set(d->cluster[i], "labeljust", "l");
	set(d->cluster[i], "style", b->dashed ? "rounded,dashed" : "rounded,filled");
	set(d->cluster[i], "color", st->line);
	set(d->cluster[i], "fillcolor", st->fill);
	set(d->cluster[i], "margin", "14");
	set(d->cluster[i], "id", b->id);
	sb_free(&h);
}

static void add_node(struct drawing *d, uint32_t i, Agraph_t *parent)
{
	const struct box *b = &d->s->boxes.v[i];
	const struct role_style *st = role_style(d->theme, b->role);
	char name[32];
	struct sb h = { 0 };
	Agnode_t *n;

	snprintf(name, sizeof(name), "b%u", i);
	n = d->node[i] = agnode(parent, name, 1);
	if (b->nameplate) {
		nameplate_label(b, &h);
		set(n, "fontsize", "13");
	} else if (b->rows.nr) {
		table_label(d, b, &h);
	} else {
		bold_name(&h, b->name, b->address, "<BR/>");
	}
	if (b->nameplate || b->rows.nr) {
		set(n, "shape", "plain");
		set(n, "style", "");
	} else {
		set(n, "shape", b->cylinder ? "cylinder" : "box");
		set(n, "style", b->cylinder ? "filled" : b->dashed ? "rounded,filled,dashed" : "rounded,filled");
		set(n, "color", st->line);
		set(n, "fillcolor", st->fill);
	}
	set_html(d, n, "label", h.len ? sb_text(&h) : "&#160;");
	set(n, "id", b->id);
	if (b->column)
		set(n, "group", b->column);
	sb_reset(&h);
	label_plain(&h, b->title ? b->title : b->name);
	set(n, "tooltip", sb_text(&h));
	sb_free(&h);
}

static void add_boxes(struct drawing *d)
{
	for (uint32_t i = 1; i < d->s->boxes.nr; i++) {
		const struct box *b = &d->s->boxes.v[i];
		Agraph_t *parent = b->parent.i ? d->cluster[b->parent.i] : d->g;

		if (b->group)
			add_group(d, i, parent);
		else
			add_node(d, i, parent);
	}
}

/* ---- edges and ranks */

/* The end of an edge at a group is its first box; the line is clipped at the group's border. */
static Agnode_t *end_node(struct drawing *d, box_h h)
{
	if (!d->s->boxes.v[h.i].group)
		return d->node[h.i];
	for (uint32_t i = h.i + 1; i < d->s->boxes.nr; i++)
		if (d->s->boxes.v[i].parent.i == h.i)
			return end_node(d, (box_h){ i });
	return NULL;
}

static void badge(struct drawing *d, struct sb *h, uint8_t n, const struct line_style *st)
{
	sb_printf(h, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"3\"><TR><TD BGCOLOR=\"%s\" STYLE=\"ROUNDED\" WIDTH=\"22\"><FONT COLOR=\"%s\"><B>%u</B></FONT></TD></TR></TABLE>",
		  st->color, paper_style(d->theme)->background, n);
}

static void style_edge(struct drawing *d, Agedge_t *e, const struct scene_edge *l)
{
	const struct line_style *st = line_style(d->theme, l->line);
	char number[32];

	set(e, "color", st->color);
	set(e, "style", st->style);
	snprintf(number, sizeof(number), "%.1f", (double)st->width);
	set(e, "penwidth", number);
	set(e, "arrowhead", st->head);
	if (strcmp(st->tail, "none") != 0) {
		set(e, "arrowtail", st->tail);
		set(e, "dir", "both");
		set(e, "arrowsize", "0.6");
	} else if (l->back) {
		set(e, "dir", "back");
		set(e, "arrowtail", st->head);
	}
	if (l->weight) {
		snprintf(number, sizeof(number), "%u", l->weight);
		set(e, "weight", number);
	}
	if (l->loose)
		set(e, "constraint", "false");
}

static void add_edge(struct drawing *d, const struct scene_edge *l)
{
	Agnode_t *from = end_node(d, l->back ? l->to : l->from), *to = end_node(d, l->back ? l->from : l->to);
	struct sb h = { 0 };
	char name[32];
	Agedge_t *e;

	if (!from || !to)
		return;
	e = agedge(d->g, from, to, NULL, 1);
	style_edge(d, e, l);
	if (l->badge) {
		badge(d, &h, l->badge, line_style(d->theme, l->line));
	} else if (l->label) {
		sb_add(&h, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\"><TR><TD ALIGN=\"LEFT\" BALIGN=\"LEFT\">");
		label_html(&h, l->label);
		sb_add(&h, "</TD></TR></TABLE>");
	}
	if (h.len)
		set_html(d, e, "label", sb_text(&h));
	if (d->s->boxes.v[(l->back ? l->to : l->from).i].group) {
		snprintf(name, sizeof(name), "cluster_%u", (l->back ? l->to : l->from).i);
		set(e, "ltail", name);
	}
	if (d->s->boxes.v[(l->back ? l->from : l->to).i].group) {
		snprintf(name, sizeof(name), "cluster_%u", (l->back ? l->from : l->to).i);
		set(e, "lhead", name);
	}
	sb_free(&h);
}

static void add_ranks(struct drawing *d)
{
	for (uint32_t k = 0; k < d->s->ranks.nr; k++) {
		char name[32];
		Agraph_t *sub;

		snprintf(name, sizeof(name), "rank_%u", k);
		sub = agsubg(d->g, name, 1);
		set(sub, "rank", "same");
		for (uint32_t i = 0; i < d->s->ranks.v[k].boxes.nr; i++) {
			Agnode_t *n = end_node(d, d->s->ranks.v[k].boxes.v[i]);

			if (n)
				agsubnode(sub, n, 1);
		}
	}
}

/* ---- the legend: made from what occurs */

static bool occurs(const struct scene *s, enum line line, uint8_t number)
{
	for (uint32_t k = 0; k < s->edges.nr; k++)
		if (number ? s->edges.v[k].badge == number : s->edges.v[k].line == line)
			return true;
	return false;
}

static void legend_rows(struct drawing *d, struct sb *h, bool badges)
{
	for (uint32_t k = 0; k < d->s->legend.nr; k++) {
		const struct legend_row *r = &d->s->legend.v[k];
		const struct line_style *st = line_style(d->theme, r->line);

		if ((r->badge != 0) != badges || !occurs(d->s, r->line, r->badge))
			continue;
		if (r->badge)
			sb_printf(h, "<TR><TD ALIGN=\"LEFT\"><B>%u</B></TD><TD ALIGN=\"LEFT\">", r->badge);
		else
			sb_printf(h, "<TR><TD ALIGN=\"LEFT\"><FONT COLOR=\"%s\"><B>%s</B></FONT></TD><TD ALIGN=\"LEFT\">", st->color, st->sample);
		label_html(h, r->text ? r->text : st->name);
		sb_add(h, "</TD></TR>");
	}
}

static void add_legend(struct drawing *d)
{
	struct sb lines = { 0 }, badges = { 0 }, h = { 0 };
	Agnode_t *n, *last = NULL;

	legend_rows(d, &lines, false);
	legend_rows(d, &badges, true);
	if (lines.len || badges.len) {
		sb_add(&h, "<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"3\"><TR>");
		for (int part = 0; part < 2; part++)
			if (sb_text(part ? &badges : &lines)[0])
				sb_printf(&h, "<TD VALIGN=\"TOP\"><TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"3\">%s</TABLE></TD>",
					  sb_text(part ? &badges : &lines));
		sb_add(&h, "</TR></TABLE>");
		n = agnode(d->g, gv("legend"), 1);
		set(n, "shape", "plain");
		set(n, "style", "");
		set(n, "id", "legend");
		set_html(d, n, "label", sb_text(&h));
		for (uint32_t k = d->s->ranks.nr ? d->s->ranks.nr - 1 : 0; k < d->s->ranks.nr; k++) {    /* below the middle of the lowest rank */
			const struct scene_rank *r = &d->s->ranks.v[k];

			last = r->boxes.nr ? end_node(d, r->boxes.v[r->boxes.nr / 2]) : NULL;
		}
		if (last) {
			Agedge_t *e = agedge(d->g, last, n, NULL, 1);

			set(e, "style", "invis");
			set(e, "minlen", "1");
		}
	}
	sb_free(&lines);
	sb_free(&badges);
	sb_free(&h);
}

/* ---- the second pass: arcs below boxes that have their place */

static bool has_arcs(const struct scene *s)
{
	for (uint32_t k = 0; k < s->edges.nr; k++)
		if (s->edges.v[k].arc)
			return true;
	return false;
}

/* A layout's places are gone once it is freed, and an edge may be added only after that. */
static void keep_places(struct drawing *d)
{
	d->place = arena_array(d->s->arena, struct place, d->s->boxes.nr);
	for (uint32_t k = 0; k < d->s->boxes.nr; k++)
		if (d->node[k])
			d->place[k] = (struct place){ ND_coord(d->node[k]).x, ND_coord(d->node[k]).y - ND_height(d->node[k]) * 36 };
}

/* The legend makes room for the arcs. */
static void lower_legend(struct drawing *d, double by)
{
	Agnode_t *n = agnode(d->g, gv("legend"), 0);
	char *pos = n ? agget(n, gv("pos")) : NULL, text[64];
	double x, y;

	if (!pos || sscanf(pos, "%lf,%lf", &x, &y) != 2)
		return;
	snprintf(text, sizeof(text), "%.1f,%.1f", x, y - by);
	set(n, "pos", text);
}

/* Ends of several arcs at one box stand apart; an arc hangs as deep as its ends are far from each other. */
static void add_arcs(struct drawing *d)
{
	double deepest = 0;

	for (uint32_t k = 0; k < d->s->edges.nr; k++) {
		const struct scene_edge *l = &d->s->edges.v[k];
		bool swap = d->place[l->from.i].x > d->place[l->to.i].x;
		uint32_t a = swap ? l->to.i : l->from.i, b = swap ? l->from.i : l->to.i;
		double off = 18, ax = d->place[a].x + off, ay = d->place[a].bottom, bx = d->place[b].x - off, by = d->place[b].bottom, depth;
		Agedge_t *e;
		char pos[256];

		if (!l->arc)
			continue;
		depth = 30 + (bx - ax) / 14;
		depth = MIN(depth, 110);
		deepest = MAX(deepest, depth);
		snprintf(pos, sizeof(pos), "s,%.1f,%.1f e,%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f", ax, ay, bx, by, ax, ay - 5, ax, ay - depth, bx, by - depth, bx, by - 5);
		e = agedge(d->g, d->node[a], d->node[b], gv(""), 1);
		style_edge(d, e, l);
		set(e, "pos", pos);
	}
	lower_legend(d, deepest * 0.75);
}

/* ---- all of it */

static void defaults(struct drawing *d)
{
	const struct paper *p = paper_style(d->theme);
	const struct scene *s = d->s;
	struct sb title = { 0 };
	char number[32];
	const struct { int kind; const char *name, *value; } rows[] = {
		{ AGRAPH, "fontname", SANS }, { AGRAPH, "fontsize", "13" }, { AGRAPH, "fontcolor", p->ink }, { AGRAPH, "bgcolor", p->background },
		{ AGRAPH, "rankdir", s->left_to_right ? "LR" : "TB" }, { AGRAPH, "newrank", "true" }, { AGRAPH, "compound", "true" },
		{ AGRAPH, "splines", s->ortho ? "ortho" : "spline" }, { AGRAPH, "pad", "0.25" }, { AGRAPH, "labeljust", "l" }, { AGRAPH, "style", "rounded,filled" },
		{ AGRAPH, "penwidth", "1.2" }, { AGNODE, "fontname", SANS }, { AGNODE, "fontsize", "12" }, { AGNODE, "fontcolor", p->ink }, { AGNODE, "shape", "box" },
		{ AGNODE, "style", "rounded,filled" }, { AGNODE, "penwidth", "1.2" }, { AGNODE, "margin", "0.14,0.08" }, { AGEDGE, "fontname", SANS },
		{ AGEDGE, "fontsize", "11" }, { AGEDGE, "fontcolor", p->muted }, { AGEDGE, "arrowsize", "0.8" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		agattr(d->g, rows[k].kind, gv(rows[k].name), gv(rows[k].value));
	snprintf(number, sizeof(number), "%.2f", s->node_gap > 0 ? (double)s->node_gap : 0.45);
	agattr(d->g, AGRAPH, gv("nodesep"), number);
	snprintf(number, sizeof(number), "%.2f", s->rank_gap > 0 ? (double)s->rank_gap : 0.5);
	agattr(d->g, AGRAPH, gv("ranksep"), number);
	label_plain(&title, s->title);
	agattr(d->g, AGRAPH, gv("tooltip"), gv(sb_text(&title)));
	sb_free(&title);
}

static void build(struct drawing *d)
{
	defaults(d);
	add_boxes(d);
	add_ranks(d);
	for (uint32_t k = 0; k < d->s->edges.nr; k++)
		if (!d->s->edges.v[k].arc)
			add_edge(d, &d->s->edges.v[k]);
	add_legend(d);
}

static bool write_dot(struct drawing *d, struct sb *out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool ok = f && agwrite(d->g, f) == 0;

	if (f)
		fclose(f);
	if (ok)
		sb_addn(out, text, len);
	free(text);
	return ok;
}

/* The SVG says what it shows to those who do not see it. */
static void describe_svg(const struct scene *s, struct sb *svg, size_t from)
{
	const char *at = strstr(svg->s + from, "<g id=");
	struct sb with = { 0 };

	if (!at)
		return;
	sb_addn(&with, svg->s + from, (size_t)(at - (svg->s + from)));
	sb_add(&with, "<title>");
	label_html(&with, s->title);
	sb_add(&with, "</title>\n<desc>");
	label_html(&with, s->description ? s->description : s->title);
	sb_add(&with, "</desc>\n");
	sb_add(&with, at);
	svg->len = from;
	sb_addn(svg, sb_text(&with), with.len);
	sb_free(&with);
}

static bool render(struct drawing *d, GVC_t *gvc, const char *format, struct sb *out)
{
	bool arcs = has_arcs(d->s);
	char *data = NULL, *dot = NULL;
	unsigned len = 0, dot_len = 0;
	size_t from = out->len;
	bool ok = gvLayout(gvc, d->g, "dot") == 0;

	if (ok && arcs) {
		ok = gvRenderData(gvc, d->g, "dot", &dot, &dot_len) == 0;       /* writes every place into the graph's attributes */
		keep_places(d);
		gvFreeRenderData(dot);
		gvFreeLayout(gvc, d->g);
		add_arcs(d);
		ok = ok && gvLayout(gvc, d->g, "nop2") == 0;
	}
	ok = ok && gvRenderData(gvc, d->g, format, &data, &len) == 0;
	if (ok)
		sb_addn(out, data, len);
	gvFreeRenderData(data);
	gvFreeLayout(gvc, d->g);
	if (ok && strcmp(format, "svg") == 0)
		describe_svg(d->s, out, from);
	return ok;
}

bool scene_render(const struct scene *s, const char *format, enum theme theme, struct sb *out, struct err *err)
{
	struct drawing d = { .s = s, .theme = theme };
	bool ok, dot = strcmp(format, "dot") == 0;
	GVC_t *gvc = NULL;

	agseterrf(complain);
	sb_reset(&complaints);
	d.g = agopen(gv(s->name), Agdirected, NULL);
	d.cluster = arena_array(s->arena, Agraph_t *, s->boxes.nr);
	d.node = arena_array(s->arena, Agnode_t *, s->boxes.nr);
	build(&d);
	if (dot) {
		ok = write_dot(&d, out);
	} else {
		gvc = gvContext();
		ok = render(&d, gvc, format, out);
	}
	agclose(d.g);
	if (gvc)
		gvFreeContext(gvc);
	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "Graphviz cannot make %s here: %s (apt install graphviz)", format, sb_text(&complaints));
	else if (strstr(sb_text(&complaints), "Error"))
		ok = err_add(err, ERR_BUG, NULL, "Graphviz refuses the picture: %s", sb_text(&complaints));
	sb_free(&complaints);
	return ok;
}
