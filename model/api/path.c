#include "model/api/path.h"

#include <stdio.h>

static size_t add(const struct path *p, char *out, size_t at)
{
	const char *fmt = "%s";
	int n;

	if (!p)
		return at;
	at = add(p->up, out, at);
	if (p->part == PATH_MEMBER && !*p->name)
		return at;
	if (p->part == PATH_ITEM)
		n = snprintf(out + at, PATH_TEXT - at, "[%u]", p->index);
	else
		n = snprintf(out + at, PATH_TEXT - at, p->part == PATH_ENTRY ? "[%s]" : at ? ".%s" : fmt, p->name);
	return MIN(at + (size_t)n, PATH_TEXT - 1);
}

const char *path_text(const struct path *p, char out[PATH_TEXT])
{
	out[0] = '\0';
	add(p, out, 0);
	return out;
}
