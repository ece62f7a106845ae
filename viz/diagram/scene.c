#include "viz/diagram/scene.h"

void scene_init(struct scene *s, struct arena *a, const char *name, const char *title)
{
	*s = (struct scene){ .arena = a, .name = name, .title = title };
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

void scene_row(struct scene *s, box_h h, enum row_kind kind, const char *a, const char *b)
{
	struct box *box = scene_get(s, h);

	vec_add(s->arena, &box->rows, (struct scene_row){ .kind = (uint8_t)kind, .cell = { a, b }, .nr = b ? 2 : 1 });
}

void scene_pill(struct scene *s, box_h h, enum role role, const char *text, bool same_row)
{
	struct box *box = scene_get(s, h);
	struct scene_row *last = box->rows.nr ? &box->rows.v[box->rows.nr - 1] : NULL;

	if (same_row && last && last->kind == ROW_PILLS && last->nr < ARRAY_LEN(last->cell)) {
		last->cell[last->nr++] = text;
		return;
	}
	vec_add(s->arena, &box->rows, (struct scene_row){ .kind = ROW_PILLS, .role = (uint8_t)role, .cell = { text }, .nr = 1 });
}

struct scene_edge *scene_line(struct scene *s, box_h from, box_h to, enum line line, const char *label)
{
	return &(vec_add(s->arena, &s->edges, (struct scene_edge){ .from = from, .to = to, .line = (uint8_t)line, .label = label }), s->edges.v)[s->edges.nr - 1];
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

void scene_legend(struct scene *s, enum line line, uint8_t badge, const char *text)
{
	vec_add(s->arena, &s->legend, (struct legend_row){ badge, (uint8_t)line, text });
}
