/* The one file that knows cgraph and gvc: a scene becomes a graph, the graph a picture.
 *
 * What Graphviz has taught (2.42): boxes with rows are HTML tables with shape=plain; labels pass label.c; errors do not reach return values, so a handler
 * collects them; edges on one rank that cross clusters carry no label; sessions between boxes of one rank are drawn in a second pass, as our own splines
 * below the boxes, when everything else has its place (nop2). */
#include "viz/diagram/gvlib.h"

#include <stdlib.h>

#include "model/base/err.h"
#include "viz/diagram/arcs.h"

#define SANS "Liberation Sans,Arial,Helvetica,sans-serif"

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

/* libcgraph's error handler has no context argument: what it says is kept here until graph_render, which holds the only graph, has asked. */
static _Thread_local struct sb complaints;

/* libgvc's pango plugin keeps, in a variable of its own, a pointer to the font of the last text, which belongs to the context: a second context in one process would
 * read what the first has freed. So there is one, made at the first picture and kept; whoever draws does so in one thread. */
static GVC_t *context(void)
{
	static GVC_t *only;

	if (!only)
		only = gvContext();
	return only;
}

static int complain(char *text)
{
	sb_add(&complaints, text);
	return 0;
}

/* cgraph orders subgraphs by number, and its own numbers are addresses: another run would draw clusters in another order. These count. Names are left to cgraph. */
static void *ids_open(Agraph_t *g, Agdisc_t *disc)
{
	(void)g;
	(void)disc;
	return calloc(1, sizeof(uint64_t));
}

static long ids_map(void *state, int type, char *name, IDTYPE *id, int create)
{
	(void)type;
	(void)create;
	if (name || !state)
		return 0;
	*id = *(uint64_t *)state += 2;
	return 1;
}

static long ids_alloc(void *state, int type, IDTYPE id)
{
	(void)state;
	(void)type;
	(void)id;
	return 0;
}

static void ids_free(void *state, int type, IDTYPE id)
{
	(void)state;
	(void)type;
	(void)id;
}

static char *ids_print(void *state, int type, IDTYPE id)
{
	(void)state;
	(void)type;
	(void)id;
	return NULL;
}

static void ids_register(void *state, int type, void *obj)
{
	(void)state;
	(void)type;
	(void)obj;
}

static Agiddisc_t counted_ids = { .open = ids_open, .map = ids_map, .alloc = ids_alloc, .free = ids_free, .print = ids_print, .close = free, .idregister = ids_register };
static Agdisc_t counted = { .id = &counted_ids };       /* the rest: cgraph's own; constant, but cgraph takes no const */

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

static void set_number(void *obj, const char *attr, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%g", value);
	set(obj, attr, text);
}

static void set_id(void *obj, const char *id)
{
	struct sb text = { 0 };

	label_id(&text, id);
	set(obj, "id", sb_text(&text));
	sb_free(&text);
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
	group_label(b, d->theme, &h);
	if (h.len)
		set_html(d, d->cluster[i], "label", sb_text(&h));
	else
		set(d->cluster[i], "label", "");
	set(d->cluster[i], "labelloc", b->label_below ? "b" : "t");
	set(d->cluster[i], "labeljust", b->label_right ? "r" : "l");
	set(d->cluster[i], "style", b->mark == MARK_REMOVED ? "rounded,filled,dotted" : b->dashed ? "rounded,dashed" : "rounded,filled");
	set(d->cluster[i], "color", st->line);
	set(d->cluster[i], "fillcolor", st->fill);
	set(d->cluster[i], "margin", "14");
	set(d->cluster[i], "class", "box");
	set_id(d->cluster[i], b->id);
	if (b->mark == MARK_ADDED)
		set(d->cluster[i], "penwidth", "3");
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
	box_label(b, d->theme, &h);
	set_html(d, n, "label", sb_text(&h));
	if (b->nameplate)
		set(n, "fontsize", "13");
	if (box_is_table(b)) {
		set(n, "shape", "plain");
		set(n, "style", "");
	} else {
		set(n, "shape", b->cylinder ? "cylinder" : "box");
		set(n, "style", b->cylinder ? "filled" : b->mark == MARK_REMOVED ? "rounded,filled,dotted" : b->dashed ? "rounded,filled,dashed" : "rounded,filled");
		set(n, "color", st->line);
		set(n, "fillcolor", st->fill);
		if (b->mark == MARK_ADDED)
			set(n, "penwidth", "3");
	}
	set_id(n, b->id);
	set(n, "class", "box");
	if (b->column)
		set(n, "group", b->column);
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
	if (!h.i || !d->s->boxes.v[h.i].group)
		return h.i ? d->node[h.i] : NULL;
	for (uint32_t i = h.i + 1; i < d->s->boxes.nr; i++)
		if (d->s->boxes.v[i].parent.i == h.i)
			return end_node(d, (box_h){ i });
	return NULL;
}

static void style_edge(struct drawing *d, Agedge_t *e, const struct scene_edge *l)
{
	const struct line_style *st = line_style(d->theme, l->line);
	char id[32];

	set(e, "color", st->color);
	set(e, "style", st->style);
	set_number(e, "penwidth", (double)st->width);
	set(e, "arrowhead", st->head);
	if (strcmp(st->tail, "none") != 0) {
		set(e, "arrowtail", st->tail);
		set(e, "dir", "both");
		set(e, "arrowsize", "0.6");
	} else if (l->both || l->back) {
		set(e, "dir", l->both ? "both" : "back");
		set(e, "arrowtail", st->head);
	}
	if (l->weight)
		set_number(e, "weight", l->weight);
	if (l->loose)
		set(e, "constraint", "false");
	snprintf(id, sizeof(id), "e%u", (uint32_t)(l - d->s->edges.v));
	set(e, "id", id);
	set(e, "class", "line");
}

static void clip(struct drawing *d, Agedge_t *e, const char *attr, box_h at)
{
	char name[32];

	if (!d->s->boxes.v[at.i].group)
		return;
	snprintf(name, sizeof(name), "cluster_%u", at.i);
	set(e, attr, name);
}

static bool has_port(const struct box *b, uint16_t port)
{
	for (uint32_t k = 0; port && k < b->rows.nr; k++)
		for (uint32_t i = 0; i < b->rows.v[k].cells.nr; i++)
			if (b->rows.v[k].cells.v[i].port == port)
				return true;
	return false;
}

static void side(struct drawing *d, Agedge_t *e, const char *attr, box_h h, char at, uint16_t port)
{
	char text[16] = { at };

	if (has_port(&d->s->boxes.v[h.i], port))
		snprintf(text, sizeof(text), at ? "p%u:%c" : "p%u", port, at);
	if (*text)
		set(e, attr, text);
}

static void add_edge(struct drawing *d, const struct scene_edge *l)
{
	box_h tail = l->back ? l->to : l->from, head = l->back ? l->from : l->to;
	Agnode_t *from = end_node(d, tail), *to = end_node(d, head);
	struct sb h = { 0 };
	Agedge_t *e;

	if (!from || !to)
		return;
	e = agedge(d->g, from, to, NULL, 1);
	style_edge(d, e, l);
	edge_label(l, d->theme, &h);
	if (h.len)
		set_html(d, e, "label", sb_text(&h));
	clip(d, e, "ltail", tail);
	clip(d, e, "lhead", head);
	side(d, e, l->back ? "headport" : "tailport", l->from, l->from_side, 0);
	side(d, e, l->back ? "tailport" : "headport", l->to, l->to_side, l->to_port);
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

static bool has_arcs(const struct scene *s)
{
	for (uint32_t k = 0; k < s->edges.nr; k++)
		if (s->edges.v[k].arc)
			return true;
	return false;
}

/* Below everything: the picture's own label. Where arcs are drawn in a second pass it is a box, that can be moved out of their way, under each box that nothing
 * stands below. */
static void add_legend(struct drawing *d)
{
	struct sb h = { 0 };
	uint32_t nr = d->s->boxes.nr;
	bool *above = arena_array(d->s->arena, bool, nr);
	Agnode_t *n;

	legend_label(d->s, d->theme, &h);
	if (h.len && !has_arcs(d->s)) {
		set_html(d, d->g, "label", sb_text(&h));
		set(d->g, "labelloc", "b");
	}
	if (!h.len || !has_arcs(d->s)) {
		sb_free(&h);
		return;
	}
	n = agnode(d->g, gv("legend"), 1);
	set(n, "shape", "plain");
	set(n, "style", "");
	set(n, "id", "legend");
	set_html(d, n, "label", sb_text(&h));
	sb_free(&h);
	for (uint32_t k = 0; k < d->s->edges.nr; k++)
		if (!d->s->edges.v[k].arc && !d->s->edges.v[k].loose)
			above[d->s->edges.v[k].back ? d->s->edges.v[k].to.i : d->s->edges.v[k].from.i] = true;
	for (uint32_t i = 1; i < nr; i++)
		if (d->node[i] && !above[i]) {
			Agedge_t *e = agedge(d->g, d->node[i], n, NULL, 1);

			set(e, "style", "invis");
			set(e, "weight", "0");
		}
}

/* ---- the second pass: arcs below boxes that have their place */

/* A layout's places are gone once it is freed, and an edge may be added only after that. */
static void keep_places(struct drawing *d)
{
	d->place = arena_array(d->s->arena, struct place, d->s->boxes.nr);
	for (uint32_t k = 0; k < d->s->boxes.nr; k++)
		if (d->node[k])
			d->place[k] = (struct place){ ND_coord(d->node[k]).x, ND_coord(d->node[k]).y - ND_height(d->node[k]) * 36, (ND_lw(d->node[k]) + ND_rw(d->node[k])) / 2 };
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

static void add_arcs(struct drawing *d)
{
	double deepest = 0;

	for (uint32_t k = 0; k < d->s->edges.nr; k++) {
		const struct scene_edge *l = &d->s->edges.v[k];
		struct arc arc;
		Agedge_t *e;

		if (!l->arc || !d->node[l->from.i] || !d->node[l->to.i])
			continue;
		arc = arc_between(d->s, d->place, l);
		deepest = MAX(deepest, arc.depth);
		e = agedge(d->g, d->node[arc.left], d->node[arc.right], gv(""), 1);
		style_edge(d, e, l);
		set(e, "pos", arc.spline);
	}
	lower_legend(d, deepest * 0.75);
}

/* ---- all of it */

static void defaults(struct drawing *d)
{
	const struct paper *p = paper_style(d->theme);
	const struct scene *s = d->s;
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

static bool draw_it(struct drawing *d, GVC_t *gvc, const char *format, struct sb *out)
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
		svg_finish(d->s, out, from);
	return ok;
}

/* Right angles and labels on lines do not go together, Graphviz says each time; it is known and looked at. */
static bool matters(const char *complaint)
{
	const char *p = complaint;

	for (; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strstr(p, "Orthogonal edges do not currently handle edge labels") || strstr(p, "Orthogonal") > strchr(p, '\n'))
			return true;
	return false;
}

bool graph_render(const struct scene *s, const char *format, enum theme theme, struct sb *out, struct err *err)
{
	struct drawing d = { .s = s, .theme = theme };
	bool ok, dot = strcmp(format, "dot") == 0;

	if (!gvlib_open(err))
		return false;
	agseterrf(complain);
	sb_reset(&complaints);
	d.g = agopen(gv(s->name), Agdirected, &counted);
	d.cluster = arena_array(s->arena, Agraph_t *, s->boxes.nr);
	d.node = arena_array(s->arena, Agnode_t *, s->boxes.nr);
	build(&d);
	ok = dot ? write_dot(&d, out) : draw_it(&d, context(), format, out);
	agclose(d.g);
	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "Graphviz cannot make %s here: %s (apt install graphviz)", format, sb_text(&complaints));
	else if (strstr(sb_text(&complaints), "Error"))
		ok = err_add(err, ERR_BUG, NULL, "Graphviz refuses the picture: %s", sb_text(&complaints));
	else if (complaints.len && matters(sb_text(&complaints)))
		err_warn(err, NULL, "Graphviz on this picture: %s", sb_text(&complaints));
	sb_free(&complaints);
	return ok;
}
