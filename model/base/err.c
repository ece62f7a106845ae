#include "model/base/err.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/str.h"

static char *dup(const char *s)
{
	char *to = s ? strdup(s) : NULL;

	if (s && !to)
		abort();
	return to;
}

static struct err_msg *push(struct err *e)
{
	if (e->nr == e->alloc) {
		e->alloc = e->alloc ? e->alloc * 2 : 4;
		e->v = realloc(e->v, e->alloc * sizeof(*e->v));
		if (!e->v)
			abort();
	}
	return &e->v[e->nr++];
}

static void add(struct err *e, enum err_kind kind, bool warning, const struct where *w, const char *fmt, va_list ap)
{
	struct sb b = { 0 };
	char text[4096];

	if (e->nr >= ERR_MAX) {
		e->dropped++;
		return;
	}
	vsnprintf(text, sizeof(text), fmt, ap);
	if (w && w->object)
		sb_printf(&b, "%s: ", w->object);
	if (w && w->path && w->path[0])
		sb_printf(&b, "%s: ", w->path);
	sb_add(&b, text);
	*push(e) = (struct err_msg){ kind, warning, dup(w ? w->file : NULL), w ? w->line : 0, w ? w->col : 0, dup(sb_text(&b)) };
	sb_free(&b);
}

bool err_add(struct err *e, enum err_kind kind, const struct where *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(e, kind, false, w, fmt, ap);
	va_end(ap);
	return false;
}

void err_warn(struct err *e, const struct where *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(e, ERR_NONE, true, w, fmt, ap);
	va_end(ap);
}

bool err_wrap(struct err *e, uint32_t mark, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (uint32_t k = mark; k < e->nr; k++) {
		struct sb b = { 0 };

		sb_printf(&b, "%s: %s", text, e->v[k].text);
		free(e->v[k].text);
		e->v[k].text = dup(sb_text(&b));
		sb_free(&b);
	}
	return false;
}

struct err_msg err_pop(struct err *e)
{
	assert(e->nr);
	return e->v[--e->nr];
}

void err_push(struct err *e, struct err_msg m)
{
	*push(e) = m;
}

void err_msg_free(struct err_msg m)
{
	free(m.file);
	free(m.text);
}

enum err_kind err_kind(const struct err *e)
{
	for (uint32_t k = 0; k < e->nr; k++)
		if (!e->v[k].warning)
			return e->v[k].kind;
	return ERR_NONE;
}

void err_cut(struct err *e, uint32_t from, uint32_t to)
{
	for (uint32_t k = from; k < to; k++)
		err_msg_free(e->v[k]);
	if (to > from)
		memmove(e->v + from, e->v + to, (e->nr - to) * sizeof(*e->v));
	e->nr -= to - from;
}

bool err_any(const struct err *e)
{
	return err_kind(e) != ERR_NONE;
}

static void print_safe(FILE *f, const char *s)
{
	struct sb shown = { 0 };

	sb_add_shown(&shown, s, false);
	fputs(sb_text(&shown), f);
	sb_free(&shown);
}

void err_print(const struct err *e, FILE *f)
{
	for (uint32_t k = 0; k < e->nr; k++) {
		const struct err_msg *m = &e->v[k];

		if (m->file) {
			print_safe(f, m->file);
			if (m->line)
				fprintf(f, ":%u", m->line);
			if (m->line && m->col)
				fprintf(f, ":%u", m->col);
			fputs(": ", f);
		} else {
			fputs("podwire: ", f);
		}
		if (m->warning)
			fputs("warning: ", f);
		print_safe(f, m->text);
		fputc('\n', f);
	}
	if (e->dropped)
		fprintf(f, "podwire: %u more messages were left out\n", e->dropped);
}

void err_clear(struct err *e)
{
	for (uint32_t k = 0; k < e->nr; k++)
		err_msg_free(e->v[k]);
	e->nr = 0;
	e->dropped = 0;
}

void err_free(struct err *e)
{
	err_clear(e);
	free(e->v);
	*e = (struct err){ 0 };
}

/* Edit distance (Levenshtein, a swap of neighbours counts one), case ignored; texts over 63 bytes are never near. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[3][64];

	if (n > 63 || m > 63)
		return 99;
	for (size_t j = 0; j <= m; j++)
		row[1][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[(i + 1) % 3], *prev = row[i % 3], *prev2 = row[(i + 2) % 3];       /* they rotate */

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			char x = (char)(a[i - 1] | 0x20), y = (char)(b[j - 1] | 0x20);
			unsigned best = MIN(prev[j] + 1, now[j - 1] + 1);

			best = MIN(best, prev[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == (char)(b[j - 2] | 0x20) && (char)(a[i - 2] | 0x20) == y)
				best = MIN(best, prev2[j - 2] + 1);
			now[j] = best;
		}
	}
	return row[(n + 1) % 3][m];
}

const char *nearest(const char *word, const char *const *known)
{
	const char *best = NULL;
	unsigned least = (unsigned)strlen(word) / 3 + 1;

	for (; *known; known++) {
		unsigned d = distance(word, *known);

		if (d < least || (d == least && !best && d <= 2)) {
			least = d;
			best = *known;
		}
	}
	return best;
}
