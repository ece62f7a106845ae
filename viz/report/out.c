#include "viz/report/out.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

const char *const out_format_names[OUT_FORMATS] = { "text", "json", "yaml" };

static const char *const colours[OUT_ROLES] = {         /* of ECMA-48, so that the terminal's own theme decides */
	[OUT_PLAIN] = "", [OUT_HEAD] = "1", [OUT_NAME] = "36", [OUT_GOOD] = "32", [OUT_BAD] = "31", [OUT_WARN] = "33", [OUT_DIM] = "2",
};

void out_begin(struct out *o, struct arena *a, enum out_format format, bool colour, struct sb *to)
{
	*o = (struct out){ .format = format, .colour = colour && format == OUT_TEXT, .arena = a, .to = to };
}

/* ---- the tree */

static void put(struct out *o, const char *key, struct val *v)
{
	struct val *holder;

	if (!o->open.nr)
		vec_add(o->arena, &o->open, v->type == VAL_LIST || v->type == VAL_MAP ? v : val_new(o->arena, key ? VAL_MAP : VAL_LIST));
	holder = o->open.v[o->open.nr - 1];
	if (holder == v)
		return;
	if (holder->type == VAL_MAP)
		val_put(o->arena, holder, key, v);
	else
		val_add(o->arena, holder, v);
}

static void open_one(struct out *o, const char *key, enum val_type type)
{
	struct val *v;

	if (o->format == OUT_TEXT)
		return;
	if (key && !o->open.nr)
		vec_add(o->arena, &o->open, val_new(o->arena, VAL_MAP));
	v = val_new(o->arena, type);
	put(o, key, v);
	if (o->open.v[o->open.nr - 1] != v)
		vec_add(o->arena, &o->open, v);
}

void out_map(struct out *o, const char *key)
{
	open_one(o, key, VAL_MAP);
}

void out_list(struct out *o, const char *key)
{
	open_one(o, key, VAL_LIST);
}

void out_close(struct out *o)
{
	if (o->open.nr > 1)
		o->open.nr--;
}

void out_end(struct out *o)
{
	const struct val *root = o->open.nr ? o->open.v[0] : NULL;

	if (o->format == OUT_JSON) {
		val_print_json(root, o->to, 2, false);
		sb_addc(o->to, '\n');
	} else if (o->format == OUT_YAML) {
		val_print_yaml(root, o->to, false);
	}
	o->open.nr = 0;
}

/* ---- text */

static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void put_value(struct out *o, enum out_role role, const char *text, size_t width, bool left)
{
	struct sb safe = { 0 };
	size_t pad;

	sb_add_shown(&safe, text, false);
	pad = width_of(sb_text(&safe));
	pad = pad < width ? width - pad : 0;
	sb_printf(o->to, "%*s", left ? 0 : (int)pad, "");
	if (o->colour && *colours[role])
		sb_printf(o->to, "\033[%sm%s\033[m", colours[role], sb_text(&safe));
	else
		sb_add(o->to, sb_text(&safe));
	sb_printf(o->to, "%*s", left ? (int)pad : 0, "");
	sb_free(&safe);
}

/* The one place of the format is filled with the value. */
static void put_text(struct out *o, const char *fmt, enum out_role role, const char *text)
{
	for (; *fmt; fmt++) {
		bool left;
		size_t width = 0;

		if (*fmt != '%' || *++fmt == '%') {
			sb_addc(o->to, *fmt);
			continue;
		}
		left = *fmt == '-';
		for (fmt += left; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (size_t)(*fmt - '0');
		assert(*fmt == 's');
		put_value(o, role, text, width, left);
	}
}

static bool in_tree(const struct out *o, const char *key)
{
	return o->format != OUT_TEXT && (!key || *key);
}

void out_str(struct out *o, const char *key, const char *fmt, enum out_role role, const char *s)
{
	if (in_tree(o, key))
		put(o, key, s ? val_string(o->arena, s) : val_new(o->arena, VAL_NULL));
	else if (o->format == OUT_TEXT && fmt && s)
		put_text(o, fmt, role, s);
}

void out_int(struct out *o, const char *key, const char *fmt, enum out_role role, int64_t i)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, i);
	if (in_tree(o, key))
		put(o, key, val_int(o->arena, i));
	else if (o->format == OUT_TEXT && fmt)
		put_text(o, fmt, role, text);
}

void out_bool(struct out *o, const char *key, const char *fmt, bool b)
{
	if (in_tree(o, key))
		put(o, key, val_bool(o->arena, b));
	else if (o->format == OUT_TEXT && fmt && b)
		put_text(o, fmt, OUT_PLAIN, "");
}

void out_text(struct out *o, enum out_role role, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (o->format != OUT_TEXT)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_value(o, role, text, 0, true);
}

bool out_wants_colour(const char *when, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when && strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}
