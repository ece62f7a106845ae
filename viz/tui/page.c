/* Helpers for those who fill pages. */
#include "viz/tui/cells.h"
#include "viz/tui/data.h"

#include <stdarg.h>
#include <stdio.h>

struct tui_line *pane_line(struct arena *a, struct tui_pane *p, int role, const char *text)
{
	struct tui_line *l = vec_push(a, p);

	l->text = text;
	l->role = (uint8_t)role;
	return l;
}

struct tui_line *pane_printf(struct arena *a, struct tui_pane *p, int role, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return pane_line(a, p, role, arena_strdup(a, text));
}

/* A tab is four blanks. */
static const char *without_tabs(struct arena *a, const char *s, size_t n)
{
	char *out = arena_array(a, char, n * 4 + 1), *to = out;

	for (size_t k = 0; k < n; k++) {
		if (s[k] != '\t') {
			*to++ = s[k];
			continue;
		}
		memcpy(to, "    ", 4);
		to += 4;
	}
	return out;
}

void pane_text(struct arena *a, struct tui_pane *p, int role, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		pane_line(a, p, role, memchr(text, '\t', n) ? without_tabs(a, text, n) : arena_strndup(a, text, n));
		text += n + (text[n] == '\n');
	}
}

uint64_t list_text_key(const char *s)
{
	uint64_t key = 0;

	for (int k = 0; k < 8; k++)
		key = key << 8 | (unsigned char)(*s ? *s++ : 0);
	return key;
}
