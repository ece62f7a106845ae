#include <stdlib.h>

#include "viz/report/trace_report.h"

static const struct object *cause_object(struct world *w, cause_h h)
{
	const struct cause *c = h.i ? cause_get(w->dp, h) : NULL;

	return c && c->object ? obj_get(w->cluster, (obj_h){ c->object }) : NULL;
}

/* The line of a path in a stored document: that of its deepest node that exists. */
static uint32_t line_of(const struct object *o, const char *path)
{
	const struct val *v = o->doc;

	while (v && path && *path) {
		size_t n = strcspn(path, ".[]");
		char word[128];
		const struct val *next = v;

		memcpy(word, path, MIN(n, sizeof(word) - 1));
		word[MIN(n, sizeof(word) - 1)] = '\0';
		if (n && val_is(v, VAL_LIST))
			next = word[0] >= '0' && word[0] <= '9' ? val_at(v, (uint32_t)strtoul(word, NULL, 10)) : NULL;
		else if (n)
			next = val_get(v, word);
		if (!next)
			break;
		v = next;
		path += n + (path[n] != '\0');
	}
	return v && v->line ? v->line : o->line;
}

struct val *causes_json(struct world *w, cause_h h, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	for (int depth = 0; h.i && depth < 8; depth++, h = cause_get(w->dp, h)->because) {
		const struct object *o = cause_object(w, h);
		const char *path = cause_get(w->dp, h)->path;
		struct val *v;

		if (!o)
			continue;
		v = val_add(a, list, val_new(a, VAL_MAP));
		val_put(a, v, "object", val_string(a, arena_printf(a, "%s %s%s%s", o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name)));
		if (path)
			val_put(a, v, "path", val_string(a, path));
		if (o->file) {
			val_put(a, v, "file", val_string(a, o->file));
			val_put(a, v, "line", val_int(a, line_of(o, path)));
		}
	}
	return list;
}

void cause_text(struct world *w, cause_h h, struct sb *out)
{
	const struct object *o = cause_object(w, h);

	if (!o)
		return;
	sb_printf(out, "%s %s%s%s", o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name);
	if (o->file)
		sb_printf(out, " (%s:%u)", o->file, line_of(o, cause_get(w->dp, h)->path));
}
