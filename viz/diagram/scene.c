#include "viz/diagram/scene.h"

void scene_init(struct scene *s, struct arena *a, const char *name, const char *title)
{
	*s = (struct scene){ .arena = a, .name = name, .title = title, .details = s->details };
	vec_push(a, &s->boxes);
}

struct box *scene_get(struct scene *s, box_h h)
{
	assert(h.i && h.i < s->boxes.nr);
	return &s->boxes.v[h.i];
}

box_h scene_box(struct scene *s, box_h parent, enum role role, const char *id, const char *name, const char *address)
{
	box_h h = { s->boxes.nr };

	vec_add(s->arena, &s->boxes, (struct box){ .id = id, .parent = parent, .role = (uint8_t)role, .name = name, .address = address });
	return h;
}

box_h scene_group(struct scene *s, box_h parent, enum role role, const char *id, const char *name, const char *address)
{
	box_h h = scene_box(s, parent, role, id, name, address);

	scene_get(s, h)->group = true;
	return h;
}

struct scene_cell *scene_cell(struct scene *s, box_h h, bool new_row, enum row_kind kind, enum role role, const char *text)
{
	struct box *box = scene_get(s, h);
	struct scene_row *row = new_row || !box->rows.nr ? vec_push(s->arena, &box->rows) : &box->rows.v[box->rows.nr - 1];
	struct scene_cell *c = vec_push(s->arena, &row->cells);

	*c = (struct scene_cell){ .text = text, .kind = (uint8_t)kind, .role = (uint8_t)role };
	return c;
}

void scene_row(struct scene *s, box_h h, enum row_kind kind, const char *a, const char *b)
{
	scene_cell(s, h, true, kind, ROLE_PLAIN, a);
	if (b)
		scene_cell(s, h, false, kind, ROLE_PLAIN, b);
}

void scene_pill(struct scene *s, box_h h, enum role role, const char *text, bool same_row)
{
	scene_cell(s, h, !same_row, ROW_PILLS, role, text);
}

struct scene_edge *scene_line(struct scene *s, box_h from, box_h to, enum line line, const char *label)
{
	struct scene_edge *e = vec_push(s->arena, &s->edges);

	*e = (struct scene_edge){ .from = from, .to = to, .line = (uint8_t)line, .label = label };
	return e;
}

void scene_same_rank(struct scene *s, const box_h *v, uint32_t nr)
{
	struct scene_rank *r = vec_push(s->arena, &s->ranks);

	for (uint32_t k = 0; k < nr; k++)
		vec_add(s->arena, &r->boxes, v[k]);
}

void scene_below(struct scene *s, box_h upper, box_h lower, uint16_t weight)
{
	scene_line(s, upper, lower, LINE_INVISIBLE, NULL)->weight = weight;
}

void scene_legend(struct scene *s, enum line line, uint16_t badge, const char *text)
{
	vec_add(s->arena, &s->legend, (struct legend_row){ .line = (uint8_t)line, .badge = badge, .text = text });
}

void scene_note(struct scene *s, enum role role, const char *bold, const char *text)
{
	vec_add(s->arena, &s->notes, (struct scene_note){ (uint8_t)role, bold, text });
}

bool scene_has_line(const struct scene *s, enum line line, uint16_t badge)
{
	for (uint32_t k = 0; k < s->edges.nr; k++)
		if (badge ? s->edges.v[k].badge == badge : s->edges.v[k].line == line)
			return true;
	return false;
}

const char *const scene_formats[] = { "svg", "png", "pdf", "dot", "html", "mermaid", NULL };

bool scene_render(const struct scene *s, const char *format, enum theme theme, struct sb *out, struct err *err)
{
	if (strcmp(format, "html") == 0)
		return html_render(s, theme, out, err);
	if (strcmp(format, "mermaid") == 0) {
		mermaid_render(s, theme, out);
		return true;
	}
	return graph_render(s, format, theme, out, err);
}
