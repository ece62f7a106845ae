#include "model/api/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The deepest value of the path that the document has: its line is where to look. */
static const struct val *find(const struct val *root, const char *path)
{
	const struct val *v = root, *last = v;
	char word[PATH_TEXT];

	for (const char *p = path; v && *p;) {
		size_t n = strcspn(p, ".[");

		if (*p == '[') {
			n = v->type == VAL_LIST || !strrchr(p, ']') ? strcspn(p, "]") + 1 : (size_t)(strrchr(p, ']') - p) + 1;
			snprintf(word, sizeof(word), "%.*s", (int)MIN(n > 2 ? n - 2 : 0, sizeof(word) - 1), p + 1);
			v = v->type == VAL_LIST ? val_at(v, (uint32_t)strtoul(word, NULL, 10)) : val_get(v, word);
		} else {
			snprintf(word, sizeof(word), "%.*s", (int)MIN(n, sizeof(word) - 1), p);
			v = val_get(v, word);
			if (!v && n > 1 && n < sizeof(word) && p[n - 1] == 's') {       /* clusterIPs that were given as clusterIP */
				word[n - 1] = '\0';
				v = val_get(last, word);
			}
		}
		last = v ? v : last;
		p += MIN(n, strlen(p));
		p += *p == '.';
	}
	return last;
}

static bool say(struct check *c, const struct path *p, const char *what, const char *value, const char *fmt, va_list ap)
{
	char text[1024], path[PATH_TEXT], who[320];
	const struct val *v = find(c->root, path_text(p, path));
	struct where w = { c->file, v ? v->line : 0, v ? v->col : 0, c->config ? c->object : who, path };

	snprintf(who, sizeof(who), "The %s is invalid", c->object);     /* apimachinery pkg/api/errors NewInvalid, as kubectl prints it */
	vsnprintf(text, sizeof(text), fmt, ap);
	c->found++;
	return err_add(c->err, ERR_INPUT, &w, "%s%s%s%s%s", what, value ? ": " : "", value ? value : "", *text ? ": " : "", text);
}

static bool tell(struct check *c, const struct path *p, const char *what, const char *value, const char *fmt, ...) PRINTF(5, 6);
static bool tell(struct check *c, const struct path *p, const char *what, const char *value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, p, what, value, fmt, ap);
	va_end(ap);
	return false;
}

void warn_of(struct check *c, const struct path *p, const char *fmt, ...)
{
	char text[1024], path[PATH_TEXT];
	const struct val *v = find(c->root, path_text(p, path));
	struct where w = { c->file, v ? v->line : 0, v ? v->col : 0, c->object, path };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_warn(c->err, &w, "%s", text);
}

const char *json_of(const struct val *v, struct sb *sb)
{
	if (v)
		val_print_json(v, sb, 0, true);
	else
		sb_add(sb, "null");
	while (sb->len && sb->s[sb->len - 1] == '\n')
		sb->s[--sb->len] = '\0';
	return sb_text(sb);
}

#define SAY(what, value)                              \
	do {                                          \
		va_list ap_;                          \
		va_start(ap_, fmt);                   \
		say(c, p, what, value, fmt, ap_);     \
		va_end(ap_);                          \
	} while (0)

/* A text as Go's %q has it: unlike JSON's, it leaves &, < and > alone. */
static void quote(struct sb *sb, const char *s)
{
	static const char plain[] = "\a\b\f\n\r\t\v\"\\", names[] = "abfnrtv\"\\";

	sb_add(sb, "\"");
	for (; s && *s; s++) {
		const char *at = strchr(plain, *s);

		if (at)
			sb_printf(sb, "\\%c", names[at - plain]);
		else if ((unsigned char)*s < ' ' || *s == 0x7f)
			sb_printf(sb, "\\x%02x", (unsigned)(unsigned char)*s);
		else
			sb_printf(sb, "%c", *s);
	}
	sb_add(sb, "\"");
}

bool refuse_str(struct check *c, const struct path *p, const char *value, const char *fmt, ...)
{
	struct sb sb = { 0 };

	quote(&sb, value);
	SAY("Invalid value", sb_text(&sb));
	sb_free(&sb);
	return false;
}

bool refuse_int(struct check *c, const struct path *p, int64_t value, const char *fmt, ...)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	SAY("Invalid value", text);
	return false;
}

bool refuse_val(struct check *c, const struct path *p, const struct val *value, const char *fmt, ...)
{
	struct sb sb = { 0 };

	SAY("Invalid value", json_of(value, &sb));
	sb_free(&sb);
	return false;
}

bool refuse_text(struct check *c, const struct path *p, const char *json, const char *fmt, ...)
{
	SAY("Invalid value", json);
	return false;
}

bool refuse_missing(struct check *c, const struct path *p, const char *fmt, ...)
{
	SAY("Required value", NULL);
	return false;
}

bool refuse_forbidden(struct check *c, const struct path *p, const char *fmt, ...)
{
	SAY("Forbidden", NULL);
	return false;
}

static bool tell_str(struct check *c, const struct path *p, const char *what, const char *value, const char *detail)
{
	struct sb sb = { 0 };

	quote(&sb, value);
	tell(c, p, what, sb_text(&sb), "%s", detail);
	sb_free(&sb);
	return false;
}

bool refuse_duplicate(struct check *c, const struct path *p, const char *value)
{
	return tell_str(c, p, "Duplicate value", value, "");
}

bool refuse_duplicate_text(struct check *c, const struct path *p, const char *json)
{
	return tell(c, p, "Duplicate value", json, "%s", "");
}

bool refuse_duplicate_val(struct check *c, const struct path *p, const struct val *value)
{
	struct sb sb = { 0 };

	tell(c, p, "Duplicate value", json_of(value, &sb), "%s", "");
	sb_free(&sb);
	return false;
}

bool refuse_unfound(struct check *c, const struct path *p, const char *value, const char *why)
{
	return tell_str(c, p, "Not found", value, why);
}

bool refuse_unsupported_text(struct check *c, const struct path *p, const char *json, const char *const *supported)
{
	struct sb all = { 0 };

	sb_add(&all, *supported ? "supported values: " : "");
	for (uint32_t k = 0; supported[k]; k++) {
		sb_add(&all, k ? ", " : "");
		json_quote(&all, supported[k]);
	}
	tell(c, p, "Unsupported value", json, "%s", sb_text(&all));
	sb_free(&all);
	return false;
}

bool refuse_unsupported(struct check *c, const struct path *p, const char *value, const char *const *supported)
{
	struct sb sb = { 0 };

	json_quote(&sb, value ? value : "");
	refuse_unsupported_text(c, p, sb_text(&sb), supported);
	sb_free(&sb);
	return false;
}

bool refuse_omitted(struct check *c, const struct path *p, const char *why)
{
	return tell(c, p, "Invalid value", NULL, "%s", why);
}

bool refuse_long(struct check *c, const struct path *p, uint32_t max)
{
	return tell(c, p, "Too long", NULL, "may not be more than %u byte%s", max, max == 1 ? "" : "s");
}

bool refuse_many(struct check *c, const struct path *p, uint32_t have, uint32_t max)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", have);
	return tell(c, p, "Too many", text, "must have at most %u item%s", max, max == 1 ? "" : "s");
}

bool one_of(const char *s, const char *const *names)
{
	for (; s && *names; names++)
		if (strcmp(s, *names) == 0)
			return true;
	return false;
}
