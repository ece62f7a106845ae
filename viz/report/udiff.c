#include "viz/report/udiff.h"

#define CONTEXT 3

struct lines { const char **v; uint32_t nr; };

static struct lines split(struct arena *a, const char *text)
{
	struct lines l = { NULL, 0 };
	uint32_t nr = 0;

	for (const char *p = text; *p; p++)
		nr += *p == '\n';
	l.v = arena_array(a, const char *, nr + 2);
	while (*text) {
		size_t n = strcspn(text, "\n");

		l.v[l.nr++] = arena_strndup(a, text, n);
		text += n + (text[n] == '\n');
	}
	return l;
}

struct edit { char mark; const char *text; };

/* The longest common subsequence, from the back; what is equal at both ends is left out of the table. Past a bound it is all taken away and put back. */
static uint32_t edits(struct arena *a, const struct lines *x, const struct lines *y, struct edit *out)
{
	uint32_t head = 0, tail = 0, n, m, nr = 0, i = 0, j = 0;
	uint32_t *lcs;

	while (head < x->nr && head < y->nr && strcmp(x->v[head], y->v[head]) == 0)
		head++;
	while (tail < x->nr - head && tail < y->nr - head && strcmp(x->v[x->nr - 1 - tail], y->v[y->nr - 1 - tail]) == 0)
		tail++;
	n = x->nr - head - tail;
	m = y->nr - head - tail;
	for (uint32_t k = 0; k < head; k++)
		out[nr++] = (struct edit){ ' ', x->v[k] };
	if ((uint64_t)n * m > 25000000) {
		for (; i < n; i++)
			out[nr++] = (struct edit){ '-', x->v[head + i] };
		for (; j < m; j++)
			out[nr++] = (struct edit){ '+', y->v[head + j] };
	} else {
		lcs = arena_array(a, uint32_t, (size_t)(n + 1) * (m + 1));
#define L(p, q) lcs[(size_t)(p) * (m + 1) + (q)]
		for (uint32_t p = n; p-- > 0;)
			for (uint32_t q = m; q-- > 0;)
				L(p, q) = strcmp(x->v[head + p], y->v[head + q]) == 0 ? L(p + 1, q + 1) + 1 : MAX(L(p + 1, q), L(p, q + 1));
		while (i < n || j < m) {
			if (i < n && j < m && strcmp(x->v[head + i], y->v[head + j]) == 0)
				out[nr++] = (struct edit){ ' ', x->v[head + i] }, i++, j++;
			else if (i < n && (j == m || L(i + 1, j) >= L(i, j + 1)))
				out[nr++] = (struct edit){ '-', x->v[head + i++] };
			else
				out[nr++] = (struct edit){ '+', y->v[head + j++] };
		}
#undef L
	}
	for (uint32_t k = 0; k < tail; k++)
		out[nr++] = (struct edit){ ' ', x->v[x->nr - tail + k] };
	return nr;
}

static void range(struct sb *out, char mark, uint32_t at, uint32_t nr)
{
	if (nr == 1)
		sb_printf(out, "%c%u", mark, at + 1);
	else
		sb_printf(out, "%c%u,%u", mark, nr ? at + 1 : at, nr);
}

bool udiff(struct arena *a, const char *from_name, const char *from, const char *to_name, const char *to, struct sb *out)
{
	struct lines x = split(a, from), y = split(a, to);
	struct edit *e = arena_array(a, struct edit, x.nr + y.nr);
	uint32_t nr = edits(a, &x, &y, e), line_x = 0, line_y = 0;
	bool any = false;

	for (uint32_t k = 0; k < nr;) {
		uint32_t first = k, last, in_x = 0, in_y = 0, quiet = 0;

		if (e[k].mark == ' ') {
			line_x++;
			line_y++;
			k++;
			continue;
		}
		while (first && k - first < CONTEXT && e[first - 1].mark == ' ')
			first--;
		for (last = k; last < nr && quiet <= 2 * CONTEXT; last++)
			quiet = e[last].mark == ' ' ? quiet + 1 : 0;
		last -= quiet > CONTEXT ? quiet - CONTEXT : 0;
		line_x -= k - first;
		line_y -= k - first;
		for (uint32_t i = first; i < last; i++) {
			in_x += e[i].mark != '+';
			in_y += e[i].mark != '-';
		}
		if (!any)
			sb_printf(out, "--- %s\n+++ %s\n", from_name, to_name);
		any = true;
		sb_add(out, "@@ ");
		range(out, '-', line_x, in_x);
		sb_addc(out, ' ');
		range(out, '+', line_y, in_y);
		sb_add(out, " @@\n");
		for (uint32_t i = first; i < last; i++)
			sb_printf(out, "%c%s\n", e[i].mark, e[i].text);
		line_x += in_x;
		line_y += in_y;
		k = last;
	}
	return any;
}
