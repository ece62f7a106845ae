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

void pane_text(struct arena *a, struct tui_pane *p, int role, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		pane_line(a, p, role, arena_strndup(a, text, n));
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
