#include "viz/report/tabs.h"

#define PADDING 2

struct line { const char **cell; uint32_t nr; };
struct tabs { struct arena *arena; struct line *line; VEC(size_t) widths; struct sb *out; };

static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void write_lines(struct tabs *t, uint32_t from, uint32_t to)
{
	for (uint32_t l = from; l < to; l++) {
		for (uint32_t c = 0; c < t->line[l].nr; c++) {
			size_t w = width(t->line[l].cell[c]);

			sb_add(t->out, t->line[l].cell[c]);
			for (; c + 1 < t->line[l].nr && c < t->widths.nr && w < t->widths.v[c]; w++)
				sb_addc(t->out, ' ');
		}
		sb_addc(t->out, '\n');
	}
}

static void format(struct tabs *t, uint32_t from, uint32_t to)
{
	uint32_t column = t->widths.nr;

	for (uint32_t this = from; this < to; this++) {
		size_t widest = 0;

		if (column + 1 >= t->line[this].nr)
			continue;
		write_lines(t, from, this);
		from = this;
		for (; this < to && column + 1 < t->line[this].nr; this++)
			widest = MAX(widest, width(t->line[this].cell[column]) + PADDING);
		vec_add(t->arena, &t->widths, widest);
		format(t, from, this);
		t->widths.nr--;
		from = this--;
	}
	write_lines(t, from, to);
}

void tabs_print(struct arena *a, const char *text, struct sb *out)
{
	struct tabs t = { .arena = a, .out = out };
	uint32_t nr = 0, l = 0;

	for (const char *p = text; *p; p++)
		nr += *p == '\n';
	t.line = arena_array(a, struct line, nr + 1);
	for (const char *p = text; *p; l++) {
		size_t n = strcspn(p, "\n");
		uint32_t cells = 1;

		for (size_t k = 0; k < n; k++)
			cells += p[k] == '\t';
		t.line[l].cell = arena_array(a, const char *, cells);
		for (const char *q = p;;) {
			size_t m = strcspn(q, "\t\n");

			t.line[l].cell[t.line[l].nr++] = arena_strndup(a, q, m);
			if (q[m] != '\t')
				break;
			q += m + 1;
		}
		p += n + (p[n] == '\n');
	}
	format(&t, 0, l);
}
