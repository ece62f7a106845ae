/* A scene as a Mermaid flowchart, for Markdown that draws those. Texts from outside become quoted labels in which everything that Mermaid or HTML would read is an
 * entity code. Ranks, widths and arcs have no equal there and are left to Mermaid. */
#include "viz/diagram/scene.h"

static void label(struct sb *out, const char *text)
{
	struct sb safe = { 0 };

	label_json(&safe, text);                /* drops controls, mends UTF-8; its own escapes are undone below */
	for (const char *p = sb_text(&safe) + 1; *p && p[1]; p++) {
		if (p[0] == '\\' && p[1] == 'u') {
			sb_printf(out, "#%d;", p[5] == 'c' ? '<' : p[5] == 'e' ? '>' : '&');
			p += 5;
		} else if (p[0] == '\\') {
			sb_printf(out, p[1] == 'n' ? " " : "#%d;", p[1]);
			p++;
		} else if (strchr("#`;[]{}()|", *p)) {
			sb_printf(out, "#%d;", *p);
		} else {
			sb_addc(out, *p);
		}
	}
	sb_free(&safe);
}

static void indent(const struct scene *s, uint32_t i, struct sb *out)
{
	sb_add(out, "  ");
	for (uint32_t p = s->boxes.v[i].parent.i; p; p = s->boxes.v[p].parent.i)
		sb_add(out, "  ");
}

static void words(const struct box *b, struct sb *out)
{
	static const char *const sign[] = { "", "+ ", "− " };
	bool any = false;

	if (b->badge)
		sb_printf(out, "%u. ", b->badge);
	if (b->name) {
		sb_printf(out, "<b>%s", sign[b->mark]);
		label(out, b->name);
		sb_add(out, "</b>");
		any = true;
	}
	if (b->address && *b->address) {
		sb_add(out, any ? "<br/>" : "");
		label(out, b->address);
		any = true;
	}
	for (uint32_t k = 0; k < b->rows.nr; k++) {
		sb_add(out, any ? "<br/>" : "");
		any = true;
		for (uint32_t c = 0; c < b->rows.v[k].cells.nr; c++) {
			const struct scene_cell *cell = &b->rows.v[k].cells.v[c];

			sb_add(out, c ? "  " : "");
			label(out, cell->text ? cell->text : "");
			if (cell->changed) {
				sb_add(out, "<b>");
				label(out, cell->changed);
				sb_add(out, "</b>");
			}
			label(out, cell->rest ? cell->rest : "");
		}
	}
	if (!any)
		sb_addc(out, ' ');
}

static void box(const struct scene *s, uint32_t i, struct sb *out)
{
	const struct box *b = &s->boxes.v[i];

	indent(s, i, out);
	if (b->group) {
		sb_printf(out, "subgraph b%u[\"", i);
		words(b, out);
		sb_add(out, "\"]\n");
		for (uint32_t k = i + 1; k < s->boxes.nr; k++)
			if (s->boxes.v[k].parent.i == i)
				box(s, k, out);
		indent(s, i, out);
		sb_add(out, "end\n");
		return;
	}
	sb_printf(out, "b%u%s\"", i, b->cylinder ? "[(" : "(");
	words(b, out);
	sb_printf(out, "\"%s\n", b->cylinder ? ")]" : ")");
}

static const char *arrow(const struct scene_edge *l)
{
	switch ((enum line)l->line) {
	case LINE_WATCH: case LINE_WRITES: case LINE_CHOOSES: case LINE_STORAGE:
		return "-.->";
	case LINE_BGP:
		return "o--o";
	case LINE_FAILED:
		return "--x";
	case LINE_WIRE:
		return "---";
	case LINE_ADDED:
		return "==>";
	case LINE_REMOVED:
		return "-.-x";
	case LINE_INVISIBLE:
		return "~~~";
	case LINE_PACKET: case LINE_SECOND: case LINE_SAME: case LINE_COUNT:
		break;
	}
	return "-->";
}

static void classes(const struct scene *s, enum theme theme, struct sb *out)
{
	for (uint32_t i = 1; i < s->boxes.nr; i++) {
		const struct box *b = &s->boxes.v[i];
		const struct role_style *st = role_style(theme, b->role);

		if (b->nameplate)
			continue;
		sb_printf(out, "  style b%u fill:%s,stroke:%s,color:%s%s\n", i, st->fill, st->line, paper_style(theme)->ink,
			  b->mark == MARK_REMOVED ? ",stroke-dasharray:2 3" : b->dashed ? ",stroke-dasharray:6 4" : b->mark == MARK_ADDED ? ",stroke-width:3px" : "");
	}
}

void mermaid_render(const struct scene *s, enum theme theme, struct sb *out)
{
	sb_add(out, "---\ntitle: \"");
	label(out, s->title);
	sb_printf(out, "\"\n---\nflowchart %s\n", s->left_to_right ? "LR" : "TB");
	for (uint32_t i = 1; i < s->boxes.nr; i++)
		if (!s->boxes.v[i].parent.i)
			box(s, i, out);
	for (uint32_t k = 0; k < s->edges.nr; k++) {
		const struct scene_edge *l = &s->edges.v[k];

		if (!l->from.i || !l->to.i)
			continue;
		sb_printf(out, "  b%u %s%s", l->from.i, l->both ? "<" : "", arrow(l));
		if (l->label || l->changed || l->badge) {
			sb_add(out, "|\"");
			if (l->badge)
				sb_printf(out, "%u ", l->badge);
			label(out, l->label ? l->label : "");
			if (l->changed) {
				sb_add(out, "<b>");
				label(out, l->changed);
				sb_add(out, "</b>");
			}
			label(out, l->rest ? l->rest : "");
			sb_add(out, "\"|");
		}
		sb_printf(out, " b%u\n", l->to.i);
	}
	classes(s, theme, out);
}
