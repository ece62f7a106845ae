#include "viz/diagram/grid_scene.h"

static bool has(const struct reach_grid *g, const struct reach_grid *was, enum grid_cell want)
{
	for (uint32_t from = 0; from < g->nr; from++)
		for (uint32_t to = 0; to < g->nr; to++)
			if (reach_cell(g, was, from, to) == want)
				return true;
	return false;
}

/* "40%", with what came before it; NULL: all pairs or none. */
static const char *part(struct scene *s, const struct reach_grid *g, size_t at, const char *before)
{
	return g->allowed[at] && g->allowed[at] < g->pairs[at] ? arena_printf(s->arena, "%s%" PRIu64 "%%", before, MIN(MAX(g->allowed[at] * 100 / g->pairs[at], 1u), 99u)) : NULL;
}

static void add_cell(struct scene *s, box_h h, const struct reach_grid *g, const struct reach_grid *was, uint32_t from, uint32_t to)
{
	size_t at = (size_t)from * g->nr + to;
	const char *share;

	switch (reach_cell(g, was, from, to)) {
	case CELL_NONE:
		scene_cell(s, h, false, ROW_GRID, ROLE_OUTSIDE, "–");
		break;
	case CELL_UNKNOWN:
		scene_cell(s, h, false, ROW_GRID, ROLE_OUTSIDE, "?");
		break;
	case CELL_ALLOWED:
		scene_cell(s, h, false, ROW_GRID, ROLE_CONTAINER, "●");
		break;
	case CELL_DENIED:
		scene_cell(s, h, false, ROW_GRID, ROLE_PLAIN, "·");
		break;
	case CELL_PART:
		scene_cell(s, h, false, ROW_GRID, ROLE_STORAGE, part(s, g, at, ""));
		break;
	case CELL_ADDED:
		share = part(s, g, at, "+");
		scene_cell(s, h, false, ROW_GRID, ROLE_CONTAINER, share ? share : "●+");
		break;
	case CELL_REMOVED:
		share = part(s, g, at, "−");
		scene_cell(s, h, false, ROW_GRID, ROLE_DENIED, share ? share : "✕");
		break;
	}
}

void grid_scene(const struct reach_grid *g, const struct reach_grid *was, struct scene *s)
{
	const char *port = reach_port_text(&g->port, s->arena);
	box_h h;

	scene_init(s, s->arena, "matrix", arena_printf(s->arena, "Who may reach whom by policy on %s", port));
	s->description = arena_printf(s->arena, "%u rows and columns; row: from, column: to. Routes and listeners do not count.", g->nr);
	h = scene_box(s, (box_h){ 0 }, ROLE_PLAIN, "matrix", NULL, NULL);
	scene_get(s, h)->title = s->title;
	scene_cell(s, h, true, ROW_NOTE, ROLE_PLAIN, "from ↓  to →");
	for (uint32_t k = 0; k < g->nr; k++)
		scene_cell(s, h, false, ROW_PILLS, ROLE_PLAIN, g->nr > 12 ? arena_printf(s->arena, "%u", k + 1) : g->names[k]);
	for (uint32_t from = 0; from < g->nr; from++) {
		scene_cell(s, h, true, ROW_TEXT, ROLE_PLAIN, arena_printf(s->arena, "%s%s%s", g->nr > 12 ? arena_printf(s->arena, "%u  ", from + 1) : "", g->names[from],
									 g->pods[from] > 1 ? arena_printf(s->arena, "  ×%u", g->pods[from]) : ""));
		for (uint32_t to = 0; to < g->nr; to++)
			add_cell(s, h, g, was, from, to);
	}
	scene_note(s, ROLE_PLAIN, port, "row: from, column: to; routes and listeners do not count");
	scene_note(s, ROLE_PLAIN, "●", "allowed");
	scene_note(s, ROLE_PLAIN, "·", "denied");
	if (has(g, was, CELL_PART))
		scene_note(s, ROLE_PLAIN, "40%", "allowed for that share of the pairs");
	if (has(g, was, CELL_NONE))
		scene_note(s, ROLE_PLAIN, "–", "the destination has no port of that name");
	if (has(g, was, CELL_UNKNOWN))
		scene_note(s, ROLE_PLAIN, "?", "cannot be told");
	if (was) {
		scene_note(s, ROLE_PLAIN, "●+", "allowed since the change");
		scene_note(s, ROLE_DENIED, "✕", "denied since the change");
	}
}
