#include "viz/report/table.h"

void table_begin(struct table_text *t, struct arena *a, uint32_t columns)
{
	*t = (struct table_text){ .arena = a, .columns = columns };
}

void table_cell(struct table_text *t, const char *text)
{
	struct sb safe = { 0 };

	sb_add_shown(&safe, text ? text : "", true);
	vec_add(t->arena, &t->cells, arena_strdup(t->arena, sb_text(&safe)));
	sb_free(&safe);
}

static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table_text *t, struct sb *out)
{
	size_t *at = arena_array(t->arena, size_t, t->columns + 1);

	for (uint32_t k = 0; k < t->cells.nr; k++)
		at[k % t->columns + 1] = MAX(at[k % t->columns + 1], width_of(t->cells.v[k]) + 3);
	for (uint32_t c = 1; c <= t->columns; c++)
		at[c] += at[c - 1];
	for (uint32_t k = 0; k < t->cells.nr; k++) {
		uint32_t c = k % t->columns;

		if (c)
			sb_pad(out, at[c]);
		sb_add(out, t->cells.v[k]);
		if (c + 1 == t->columns)
			sb_addc(out, '\n');
	}
}
