#include "viz/report/matrix_report.h"

#include "viz/diagram/label.h"

static const char marks[] = { [CELL_NONE] = ' ', [CELL_ALLOWED] = '.', [CELL_DENIED] = 'X', [CELL_PART] = '%', [CELL_ADDED] = '+', [CELL_REMOVED] = '-', [CELL_UNKNOWN] = '?' };
static const char *const words[] = { [CELL_NONE] = "none", [CELL_ALLOWED] = "allowed", [CELL_DENIED] = "denied", [CELL_PART] = "part", [CELL_ADDED] = "added", [CELL_REMOVED] = "removed", [CELL_UNKNOWN] = "unknown" };

static bool is_change(enum grid_cell c)
{
	return c == CELL_ADDED || c == CELL_REMOVED;
}

static uint32_t changes_of(const struct reach_grid *g, const struct reach_grid *was)
{
	uint32_t n = 0;

	for (uint32_t k = 0; was && k < g->nr; k++)
		for (uint32_t i = 0; i < g->nr; i++)
			n += is_change(reach_cell(g, was, k, i));
	return n;
}

static bool any_unknown(const struct reach_grid *g)
{
	for (size_t k = 0; k < (size_t)g->nr * g->nr; k++)
		if (g->unknown[k])
			return true;
	return false;
}

static bool any_empty(const struct reach_grid *g)
{
	for (size_t k = 0; k < (size_t)g->nr * g->nr; k++)
		if (!g->pairs[k])
			return true;
	return false;
}

static bool any_part(const struct reach_grid *g)
{
	for (size_t k = 0; k < (size_t)g->nr * g->nr; k++)
		if (g->allowed[k] && g->allowed[k] < g->pairs[k])
			return true;
	return false;
}

/* ---- text: rows are sources; the destinations' names stand above, numbered, with a column for each */

static void cell_text(const struct reach_grid *g, const struct reach_grid *was, uint32_t from, uint32_t to, bool wide, bool colour, struct sb *out)
{
	static const char *const colours[] = { [CELL_ALLOWED] = "\033[32m", [CELL_DENIED] = "\033[31m", [CELL_PART] = "\033[33m", [CELL_ADDED] = "\033[1;32m", [CELL_REMOVED] = "\033[1;31m" };
	enum grid_cell c = reach_cell(g, was, from, to);
	size_t at = (size_t)from * g->nr + to;
	bool part = g->allowed[at] && g->allowed[at] < g->pairs[at];
	char text[8];

	if (part && c != CELL_UNKNOWN)
		snprintf(text, sizeof(text), "%s%u%%", c == CELL_ADDED ? "+" : c == CELL_REMOVED ? "-" : "", (unsigned)MIN(MAX(g->allowed[at] * 100 / g->pairs[at], 1u), 99u));
	else
		snprintf(text, sizeof(text), "%c", marks[c]);
	sb_printf(out, "%s%*s%s", colour && colours[c] ? colours[c] : "", wide ? 5 : 4, text, colour && colours[c] ? "\033[0m" : "");
}

static void gone_and_new(const struct reach_grid *g, const struct reach_grid *was, struct sb *out)
{
	for (uint32_t k = 0; k < g->nr; k++)
		if (reach_grid_find(was, g->names[k]) < 0)
			sb_printf(out, "  new: %s\n", g->names[k]);
	for (uint32_t k = 0; k < was->nr; k++)
		if (reach_grid_find(g, was->names[k]) < 0)
			sb_printf(out, "  gone: %s\n", was->names[k]);
}

uint32_t matrix_text(const reach_grids *all, const reach_grids *before, bool colour, struct sb *out)
{
	struct arena *a = arena_new(NULL, "text");
	uint32_t changed = 0;

	for (uint32_t t = 0; t < all->nr; t++) {
		const struct reach_grid *g = &all->v[t], *was = reach_grid_same(before, g);
		bool wide = any_part(g);

		changed += changes_of(g, was);
		sb_printf(out, "%s%s   row: from, column: to   . allowed   X denied%s%s%s%s\n\n", t ? "\n" : "", reach_port_text(&g->port, a), wide ? "   % of the pairs of Pods" : "",
			  g->port.name && any_empty(g) ? "   blank: no port of that name" : "", any_unknown(g) ? "   ? cannot be told" : "", was ? "   + now allowed   - now denied" : "");
		for (uint32_t k = 0; t == 0 && k < g->nr; k++) {
			sb_printf(out, "%4u  ", k + 1);
			sb_add_shown(out, g->names[k], true);
			if (g->pods[k] > 1)
				sb_printf(out, "  (%u Pods)", g->pods[k]);
			sb_addc(out, '\n');
		}
		sb_add(out, t ? "     " : "\n     ");
		for (uint32_t k = 0; k < g->nr; k++)
			sb_printf(out, "%*u", wide ? 5 : 4, k + 1);
		sb_addc(out, '\n');
		for (uint32_t k = 0; k < g->nr; k++) {
			sb_printf(out, "%4u ", k + 1);
			for (uint32_t i = 0; i < g->nr; i++)
				cell_text(g, was, k, i, wide, colour, out);
			sb_addc(out, '\n');
		}
		if (was)
			gone_and_new(g, was, out);
	}
	arena_free(a);
	return changed;
}

/* ---- JSON: one table as the contract has it; several as {"tables": […]} */

static void json_pairs(const struct reach_grid *g, const struct reach_grid *was, enum grid_cell want, struct sb *out)
{
	const char *sep = "";

	for (uint32_t k = 0; k < g->nr; k++)
		for (uint32_t i = 0; i < g->nr; i++) {
			if (reach_cell(g, was, k, i) != want)
				continue;
			sb_printf(out, "%s[", sep);
			json_quote(out, g->names[k]);
			sb_add(out, ", ");
			json_quote(out, g->names[i]);
			sb_addc(out, ']');
			sep = ", ";
		}
}

static void json_names(const char *const *names, uint32_t nr, struct sb *out)
{
	for (uint32_t k = 0; k < nr; k++) {
		sb_add(out, k ? ", " : "");
		json_quote(out, names[k]);
	}
}

static void json_cells(const struct reach_grid *g, bool by_pod, struct sb *out)
{
	for (uint32_t k = 0; k < g->nr; k++) {
		sb_add(out, k ? ",\n  [" : "\n  [");
		for (uint32_t i = 0; i < g->nr; i++) {
			size_t at = (size_t)k * g->nr + i;

			if (!g->pairs[at])
				sb_printf(out, "%snull", i ? ", " : "");
			else if (by_pod)
				sb_printf(out, "%s%s", i ? ", " : "", g->allowed[at] ? "true" : "false");
			else
				sb_printf(out, "%s%" PRIu64, i ? ", " : "", g->allowed[at]);
		}
		sb_addc(out, ']');
	}
}

static void json_table(const struct reach_grid *g, const struct reach_grid *was, bool by_pod, struct sb *out)
{
	sb_add(out, "{\"port\": ");
	if (g->port.name)
		json_quote(out, g->port.name);
	else
		sb_printf(out, "%u", g->port.lo);
	if (!g->port.name && g->port.hi != g->port.lo)
		sb_printf(out, ", \"endPort\": %u", g->port.hi);
	sb_printf(out, ", \"protocol\": \"%s\", \"names\": [", l4_name(g->port.proto));
	json_names(g->names, g->nr, out);
	if (!by_pod) {
		sb_add(out, "], \"pods\": [");
		for (uint32_t k = 0; k < g->nr; k++)
			sb_printf(out, "%s%u", k ? ", " : "", g->pods[k]);
	}
	sb_add(out, "],\n \"allowed\": [");
	json_cells(g, by_pod, out);
	sb_addc(out, ']');
	if (was) {
		sb_add(out, ",\n \"added\": [");
		json_pairs(g, was, CELL_ADDED, out);
		sb_add(out, "],\n \"removed\": [");
		json_pairs(g, was, CELL_REMOVED, out);
		sb_addc(out, ']');
	}
	sb_addc(out, '}');
}

uint32_t matrix_json(const reach_grids *all, const reach_grids *before, bool by_pod, struct arena *a, struct sb *out)
{
	uint32_t changed = 0;

	(void)a;
	if (all->nr != 1)
		sb_add(out, "{\"tables\": [\n");
	for (uint32_t t = 0; t < all->nr; t++) {
		const struct reach_grid *was = reach_grid_same(before, &all->v[t]);

		sb_add(out, t ? ",\n" : "");
		json_table(&all->v[t], was, by_pod, out);
		changed += changes_of(&all->v[t], was);
	}
	sb_add(out, all->nr != 1 ? "]}\n" : "\n");
	return changed;
}

/* ---- CSV (RFC 4180): a field with a comma, a quote or a line end is quoted */

static void csv_field(struct sb *out, const char *s)
{
	if (!strpbrk(s, ",\"\r\n")) {
		sb_add(out, s);
		return;
	}
	sb_addc(out, '"');
	for (; *s; s++) {
		if (*s == '"')
			sb_addc(out, '"');
		sb_addc(out, *s);
	}
	sb_addc(out, '"');
}

uint32_t matrix_csv(const reach_grids *all, const reach_grids *before, struct arena *a, struct sb *out)
{
	uint32_t changed = 0;

	sb_printf(out, "from,to,port,allowed,pairs%s\n", before ? ",change" : "");
	for (uint32_t t = 0; t < all->nr; t++) {
		const struct reach_grid *g = &all->v[t], *was = reach_grid_same(before, g);

		changed += changes_of(g, was);
		for (uint32_t k = 0; k < g->nr; k++)
			for (uint32_t i = 0; i < g->nr; i++) {
				enum grid_cell c = reach_cell(g, was, k, i);
				size_t at = (size_t)k * g->nr + i;

				csv_field(out, g->names[k]);
				sb_addc(out, ',');
				csv_field(out, g->names[i]);
				sb_printf(out, ",%s,%" PRIu64 ",%" PRIu64, reach_port_text(&g->port, a), g->allowed[at], g->pairs[at]);
				sb_printf(out, "%s%s\n", before ? "," : "", before && is_change(c) ? words[c] : "");
			}
	}
	return changed;
}

/* ---- Markdown */

uint32_t matrix_markdown(const reach_grids *all, const reach_grids *before, struct arena *a, struct sb *out)
{
	static const char *const signs[] = { [CELL_NONE] = " ", [CELL_ALLOWED] = "✓", [CELL_DENIED] = "✗", [CELL_PART] = "", [CELL_ADDED] = "**+**", [CELL_REMOVED] = "**−**", [CELL_UNKNOWN] = "?" };
	uint32_t changed = 0;

	for (uint32_t t = 0; t < all->nr; t++) {
		const struct reach_grid *g = &all->v[t], *was = reach_grid_same(before, g);

		changed += changes_of(g, was);
		sb_printf(out, "%s**%s** (row: from, column: to; ✓ allowed, ✗ denied%s)\n\n| |", t ? "\n" : "", reach_port_text(&g->port, a), was ? ", + now allowed, − now denied" : "");
		for (uint32_t k = 0; k < g->nr; k++) {
			sb_addc(out, ' ');
			label_markdown(out, g->names[k]);
			sb_add(out, " |");
		}
		sb_add(out, "\n|---|");
		for (uint32_t k = 0; k < g->nr; k++)
			sb_add(out, ":-:|");
		sb_addc(out, '\n');
		for (uint32_t k = 0; k < g->nr; k++) {
			sb_add(out, "| ");
			label_markdown(out, g->names[k]);
			sb_add(out, " |");
			for (uint32_t i = 0; i < g->nr; i++) {
				enum grid_cell c = reach_cell(g, was, k, i);
				size_t at = (size_t)k * g->nr + i;

				if (c == CELL_PART)
					sb_printf(out, " %" PRIu64 "/%" PRIu64 " |", g->allowed[at], g->pairs[at]);
				else
					sb_printf(out, " %s |", signs[c]);
			}
			sb_addc(out, '\n');
		}
	}
	return changed;
}

/* ---- DOT: an edge for what is allowed; what one group may do to itself is no edge */

static void dot_quote(struct sb *out, const char *s)
{
	sb_addc(out, '"');
	label_plain(out, s);
	sb_addc(out, '"');
}

static void dot_edges(const struct reach_grid *g, const struct reach_grid *was, const char *port, struct sb *out)
{
	for (uint32_t k = 0; k < g->nr; k++)
		for (uint32_t i = 0; i < g->nr; i++) {
			enum grid_cell c = reach_cell(g, was, k, i);
			size_t at = (size_t)k * g->nr + i;

			if (k == i || c == CELL_NONE || c == CELL_DENIED)
				continue;
			sb_add(out, "  ");
			dot_quote(out, g->names[k]);
			sb_add(out, " -> ");
			dot_quote(out, g->names[i]);
			sb_printf(out, " [label=\"%s", port);
			if (c == CELL_PART)
				sb_printf(out, "\\n%" PRIu64 " of %" PRIu64, g->allowed[at], g->pairs[at]);
			sb_printf(out, "%s\"%s]\n", c == CELL_ADDED ? "\\n+ added" : c == CELL_REMOVED ? "\\n− removed" : "",
				  c == CELL_PART ? " style=dashed" : c == CELL_ADDED ? " color=\"#A56A00\" penwidth=2.6" : c == CELL_REMOVED ? " color=\"#B34700\" style=dashed" : "");
		}
}

uint32_t matrix_dot(const reach_grids *all, const reach_grids *before, struct arena *a, struct sb *out)
{
	uint32_t changed = 0;

	sb_add(out, "digraph matrix {\n  rankdir=LR\n  node [shape=box]\n");
	for (uint32_t k = 0; all->nr && k < all->v[0].nr; k++) {
		sb_add(out, "  ");
		dot_quote(out, all->v[0].names[k]);
		sb_addc(out, '\n');
	}
	for (uint32_t t = 0; t < all->nr; t++) {
		const struct reach_grid *was = reach_grid_same(before, &all->v[t]);

		changed += changes_of(&all->v[t], was);
		dot_edges(&all->v[t], was, reach_port_text(&all->v[t].port, a), out);
	}
	sb_add(out, "}\n");
	return changed;
}
