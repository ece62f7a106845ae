/* Values that are one thing, by the type of their field; and the words for what is wrong with them. */
#include "model/api/field_value.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/base/quantity.h"

bool field_complain(struct decode *d, const struct val *v, const struct path *p, const char *fmt, ...)
{
	char text[1024], path[PATH_TEXT];
	struct where w = { d->file, v ? v->line : 0, v ? v->col : 0, d->object, path_text(p, path) };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_add(d->err, ERR_INPUT, &w, "%s", text);
}

bool field_wrong_type(struct decode *d, const struct val *v, const struct path *p, const char *wanted)
{
	return field_complain(d, v, p, "Invalid value: \"%s\": must be of type %s", val_type_names[v->type], wanted);
}

bool decode_int(struct decode *d, const struct val *v, const struct path *p, int64_t lo, int64_t hi, int64_t *out)
{
	int64_t i;

	if (v->type == VAL_FLOAT && v->f > -9e15 && v->f < 9e15 && v->f == (double)(int64_t)v->f)
		i = (int64_t)v->f;
	else if (v->type == VAL_INT)
		i = v->i;
	else
		return field_wrong_type(d, v, p, "integer");
	if (i < lo || i > hi)
		return field_complain(d, v, p, "Invalid value: %" PRId64 ": must fit into %s", i, hi > INT32_MAX ? "int64" : "int32");
	*out = i;
	return true;
}

static bool decode_number(struct decode *d, const struct field *f, const struct val *v, const struct path *p, void *at)
{
	bool wide = f->type == F_I64;
	int64_t i;

	if (!decode_int(d, v, p, wide ? INT64_MIN : INT32_MIN, wide ? INT64_MAX : INT32_MAX, &i))
		return false;
	if (!at)
		return true;
	if (wide)
		*(int64_t *)at = i;
	else if (f->type == F_INT)
		*(int32_t *)at = (int32_t)i;
	else if (f->type == F_PORT)
		*(uint16_t *)at = i >= 0 && i <= 65535 ? (uint16_t)i : 0;
	else
		*(struct opt_int *)at = (struct opt_int){ (int32_t)i, true };
	return true;
}

str field_text(const struct decode *d, const struct val *v)
{
	return d->keeps && v->flags & VAL_INTERNED ? v->s : str_intern_n(d->strings, v->s, v->nr);
}

static bool decode_int_or_str(struct decode *d, const struct val *v, const struct path *p, struct int_or_str *out)
{
	struct int_or_str x = { .set = true };
	int64_t i = 0;

	if (v->type == VAL_STRING)
		x.s = field_text(d, v);
	else if (!decode_int(d, v, p, INT32_MIN, INT32_MAX, &i))
		return false;
	x.i = (int32_t)i;
	if (out)
		*out = x;
	return true;
}

/* The API server's order is that of the names. */
static void list_names(struct sb *out, const char *const *names)
{
	const char *last = "";

	for (;;) {
		const char *next = NULL;

		for (uint32_t k = 1; names[k]; k++)
			if (strcmp(names[k], last) > 0 && (!next || strcmp(names[k], next) < 0))
				next = names[k];
		if (!next)
			return;
		sb_printf(out, "%s\"%s\"", *last ? ", " : "", next);
		last = next;
	}
}

static bool decode_enum(struct decode *d, const struct field *f, const struct val *v, const struct path *p, uint8_t *out)
{
	struct sb all = { 0 }, who = { 0 };
	struct decode in_form = *d;

	if (v->type != VAL_STRING)
		return field_wrong_type(d, v, p, "string");
	for (uint32_t k = f->flags & FIELD_POINTER ? 1 : 0; f->names[k]; k++)
		if (strcmp(f->names[k], v->s) == 0) {
			if (out)
				*out = (uint8_t)(k == 0 && f->has_dflt ? f->dflt : (int32_t)k);
			return true;
		}
	if (f->flags & FIELD_LATER || d->status)
		return true;
	list_names(&all, f->names);
	if (d->object)
		sb_printf(&who, strstr(d->object, "\"\"") ? "%s" : "The %s is invalid", d->object);     /* a finding of validation; configuration has no name, and is no server's */
	in_form.object = d->object ? sb_text(&who) : NULL;
	field_complain(&in_form, v, p, "Unsupported value: \"%s\": supported values: %s", v->s, sb_text(&all));
	sb_free(&all);
	sb_free(&who);
	return true;
}

bool decode_quantity(struct decode *d, const struct val *v, const struct path *p, int64_t *out, char text[64])
{
	int64_t milli;

	if (v->type == VAL_STRING)
		stpncpy(text, v->s, 63)[0] = '\0';
	else if (v->type == VAL_INT)
		snprintf(text, 64, "%" PRId64, v->i);
	else if (v->type == VAL_FLOAT)
		snprintf(text, 64, "%.9g", v->f);
	else
		return field_wrong_type(d, v, p, "string");
	if (!quantity_parse(text, &milli))
		return field_complain(d, v, p, "Invalid value: \"%s\": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'", text);
	if (out)
		*out = milli;
	return true;
}

static bool base64(const char *s)
{
	size_t n = 0, pad = 0;

	for (; *s; s++) {
		bool digit = (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '+' || *s == '/';

		if (*s == '\n' || *s == '\r')
			continue;
		if (*s == '=' ? ++pad > 2 : !digit || pad)
			return false;
		n++;
	}
	return n % 4 == 0;
}

bool decode_bytes(struct decode *d, const struct val *v, const struct path *p, str *out)
{
	if (v->type != VAL_STRING)
		return field_wrong_type(d, v, p, "string");
	if (!base64(v->s))
		return field_complain(d, v, p, "Invalid value: illegal base64 data");
	if (out)
		*out = field_text(d, v);
	return true;
}

static bool decode_text(struct decode *d, const struct val *v, const struct path *p, str *out)
{
	if (v->type != VAL_STRING)
		return field_wrong_type(d, v, p, "string");
	if (out)
		*out = field_text(d, v);
	return true;
}

static bool decode_bool(struct decode *d, const struct field *f, const struct val *v, const struct path *p, void *at)
{
	if (v->type != VAL_BOOL)
		return field_wrong_type(d, v, p, "boolean");
	if (at && f->type == F_BOOL)
		*(bool *)at = v->b;
	else if (at)
		*(uint8_t *)at = v->b ? TRI_TRUE : TRI_FALSE;
	return true;
}

static bool decode_time(struct decode *d, const struct val *v, const struct path *p, nsec *out)
{
	nsec t;

	if (v->type != VAL_STRING)
		return field_wrong_type(d, v, p, "string");
	if (!time_parse(v->s, &t))
		return field_complain(d, v, p, "Invalid value: \"%s\": a time as 2006-01-02T15:04:05Z was expected", v->s);
	if (out)
		*out = t;
	return true;
}

bool decode_value(struct decode *d, const struct field *f, const struct val *v, const struct path *p, void *at)
{
	char text[64];

	switch ((enum field_type)f->type) {
	case F_STR:
		return decode_text(d, v, p, at);
	case F_BOOL:
	case F_TRI:
		return decode_bool(d, f, v, p, at);
	case F_INT:
	case F_I64:
	case F_PORT:
	case F_OPT_INT:
		return decode_number(d, f, v, p, at);
	case F_INT_OR_STR:
		return decode_int_or_str(d, v, p, at);
	case F_QUANTITY:
		return decode_quantity(d, v, p, at, text);
	case F_TIME:
		return decode_time(d, v, p, at);
	case F_ENUM:
		return decode_enum(d, f, v, p, at);
	case F_BYTES:
		return decode_bytes(d, v, p, at);
	case F_NUMBER:
		return v->type == VAL_INT || v->type == VAL_FLOAT || field_wrong_type(d, v, p, "number");
	default:
		return true;
	}
}
