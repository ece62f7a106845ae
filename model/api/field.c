#include "model/api/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/quantity.h"

/* ---- messages */

static const char *join(struct arena *a, const char *path, const char *name)
{
	return *path ? arena_printf(a, "%s.%s", path, name) : name;
}

static bool complain(struct decode *d, const struct val *v, const char *path, const char *fmt, ...) PRINTF(4, 5);
static bool complain(struct decode *d, const struct val *v, const char *path, const char *fmt, ...)
{
	struct where w = { d->file, v ? v->line : 0, v ? v->col : 0, d->object, path };
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_add(d->err, ERR_INPUT, &w, "%s", text);
}

static bool wrong_type(struct decode *d, const struct val *v, const char *path, const char *wanted)
{
	return complain(d, v, path, "Invalid value: \"%s\": must be of type %s", val_type_names[v->type], wanted);
}

static bool unknown_field(struct decode *d, const struct field *t, const struct val *v, const char *path)
{
	const char *names[128] = { NULL }, *near, *full = join(d->arena, path, v->key);
	struct where w = { d->file, v->line, v->col, d->object, NULL };
	char text[512];
	size_t nr = 0;

	if (d->unknown == VALIDATE_IGNORE)
		return true;
	for (const struct field *f = t; f->name && nr + 1 < ARRAY_LEN(names); f++)
		names[nr++] = f->name;
	near = nearest(v->key, names);
	snprintf(text, sizeof(text), "unknown field \"%s\"%s%s%s", full, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	if (d->unknown == VALIDATE_WARN) {
		err_warn(d->err, &w, "%s", text);
		return true;
	}
	return err_add(d->err, ERR_INPUT, &w, "%s", text);
}

static bool repeated(struct decode *d, const struct val *v, const char *path)
{
	struct where w = { d->file, v->line, v->col, d->object, NULL };

	if (d->unknown == VALIDATE_STRICT)
		return err_add(d->err, ERR_INPUT, &w, "duplicate field \"%s\"", join(d->arena, path, v->key));
	if (d->unknown == VALIDATE_WARN)
		err_warn(d->err, &w, "duplicate field \"%s\": the last one counts", join(d->arena, path, v->key));
	return true;
}

/* ---- decoding */

struct any_list { void *v; uint32_t nr; bool set; };

static bool decode_one(struct decode *, const struct field *, const struct val *, const char *path, void *at);

static bool decode_pairs(struct decode *d, const struct val *v, const char *path, pair_list *out)
{
	bool ok = true;

	if (v->type != VAL_MAP)
		return wrong_type(d, v, path, "object");
	out->v = arena_array(d->arena, struct pair, v->nr);
	out->nr = 0;
	out->set = true;
	VAL_EACH(m, v) {
		struct pair p = { str_intern(d->strings, m->key), NULL };
		uint32_t k;

		if (m->type == VAL_STRING)
			p.value = str_intern_n(d->strings, m->s, m->nr);
		else if (m->type == VAL_NULL)
			p.value = str_intern(d->strings, "");
		else if (m->type == VAL_INT)            /* quantities may be written as numbers */
			p.value = str_printf(d->strings, "%" PRId64, m->i);
		else {
			ok = wrong_type(d, m, join(d->arena, path, m->key), "string");
			continue;
		}
		for (k = out->nr; k > 0 && str_order(out->v[k - 1].key, p.key) > 0; k--)
			;
		if (k > 0 && out->v[k - 1].key == p.key) {
			out->v[k - 1] = p;
			continue;
		}
		memmove(&out->v[k + 1], &out->v[k], (out->nr - k) * sizeof(*out->v));
		out->v[k] = p;
		out->nr++;
	}
	return ok;
}

static bool decode_list(struct decode *d, const struct field *f, const struct val *v, const char *path, struct any_list *out)
{
	uint32_t i = 0;
	bool ok = true;

	if (v->type != VAL_LIST)
		return wrong_type(d, v, path, "array");
	*out = (struct any_list){ arena_alloc(d->arena, (size_t)f->size * v->nr, 16), 0, true };
	VAL_EACH(m, v) {
		const char *at = arena_printf(d->arena, "%s[%u]", path, i++);

		if (m->type == VAL_NULL) {
			out->nr++;
			continue;
		}
		ok = fields_decode(d, f->sub, m, at, (char *)out->v + (size_t)f->size * out->nr++) && ok;
	}
	return ok;
}

static bool decode_strs(struct decode *d, const struct val *v, const char *path, str_list *out)
{
	uint32_t i = 0;
	bool ok = true;

	if (v->type != VAL_LIST)
		return wrong_type(d, v, path, "array");
	out->v = arena_array(d->arena, str, v->nr);
	out->nr = 0;
	out->set = true;
	VAL_EACH(m, v) {
		if (m->type == VAL_STRING)
			out->v[out->nr++] = str_intern_n(d->strings, m->s, m->nr);
		else
			ok = wrong_type(d, m, arena_printf(d->arena, "%s[%u]", path, i), "string");
		i++;
	}
	return ok;
}

static bool decode_int(struct decode *d, const struct val *v, const char *path, int64_t lo, int64_t hi, int64_t *out)
{
	int64_t i;

	if (v->type == VAL_FLOAT && v->f == (double)(int64_t)v->f && v->f > -9e15 && v->f < 9e15)
		i = (int64_t)v->f;
	else if (v->type == VAL_INT)
		i = v->i;
	else
		return wrong_type(d, v, path, "integer");
	if (i < lo || i > hi)
		return complain(d, v, path, "Invalid value: %" PRId64 ": must fit into %s", i, hi > INT32_MAX ? "int64" : "int32");
	*out = i;
	return true;
}

static bool decode_number(struct decode *d, const struct field *f, const struct val *v, const char *path, void *at)
{
	int64_t i;

	if (!decode_int(d, v, path, f->type == F_I64 ? INT64_MIN : INT32_MIN, f->type == F_I64 ? INT64_MAX : INT32_MAX, &i))
		return false;
	if (f->type == F_I64)
		*(int64_t *)at = i;
	else if (f->type == F_INT)
		*(int32_t *)at = (int32_t)i;
	else if (f->type == F_PORT)
		*(uint16_t *)at = i >= 0 && i <= 65535 ? (uint16_t)i : 0;
	else
		*(struct opt_int *)at = (struct opt_int){ (int32_t)i, true };
	return true;
}

static bool decode_enum(struct decode *d, const struct field *f, const struct val *v, const char *path, uint8_t *out)
{
	struct sb all = { 0 };
	bool ok;

	if (v->type != VAL_STRING)
		return wrong_type(d, v, path, "string");
	for (uint32_t k = 0; f->names[k]; k++)
		if (strcmp(f->names[k], v->s) == 0) {
			*out = (uint8_t)k;
			return true;
		}
	for (uint32_t k = 1; f->names[k]; k++)
		sb_printf(&all, "%s\"%s\"", k > 1 ? ", " : "", f->names[k]);
	ok = complain(d, v, path, "Unsupported value: \"%s\": supported values: %s", v->s, sb_text(&all));
	sb_free(&all);
	return ok;
}

static bool decode_quantity(struct decode *d, const struct val *v, const char *path, int64_t *out)
{
	char text[64];

	if (v->type == VAL_INT)
		snprintf(text, sizeof(text), "%" PRId64, v->i);
	else if (v->type == VAL_FLOAT)
		snprintf(text, sizeof(text), "%.9g", v->f);
	if (v->type == VAL_STRING ? quantity_parse(v->s, out) : (v->type == VAL_INT || v->type == VAL_FLOAT) && quantity_parse(text, out))
		return true;
	return complain(d, v, path, "Invalid value: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

static bool decode_struct(struct decode *d, const struct field *f, const struct val *v, const char *path, void *at)
{
	void *to = at;

	if (v->type != VAL_MAP)
		return wrong_type(d, v, path, "object");
	if (f->type == F_PTR) {
		to = arena_alloc(d->arena, f->size, 16);
		*(void **)at = to;
	}
	return fields_decode(d, f->sub, v, path, to);
}

static bool decode_one(struct decode *d, const struct field *f, const struct val *v, const char *path, void *at)
{
	switch ((enum field_type)f->type) {
	case F_STR:
		if (v->type != VAL_STRING)
			return wrong_type(d, v, path, "string");
		*(str *)at = str_intern_n(d->strings, v->s, v->nr);
		return true;
	case F_BOOL:
	case F_TRI:
		if (v->type != VAL_BOOL)
			return wrong_type(d, v, path, "boolean");
		if (f->type == F_BOOL)
			*(bool *)at = v->b;
		else
			*(uint8_t *)at = v->b ? TRI_TRUE : TRI_FALSE;
		return true;
	case F_INT:
	case F_I64:
	case F_PORT:
	case F_OPT_INT:
		return decode_number(d, f, v, path, at);
	case F_INT_OR_STR: {
		struct int_or_str *p = at;
		int64_t i = 0;

		if (v->type == VAL_STRING)
			p->s = str_intern_n(d->strings, v->s, v->nr);
		else if (!decode_int(d, v, path, INT32_MIN, INT32_MAX, &i))
			return false;
		p->i = (int32_t)i;
		p->set = true;
		return true;
	}
	case F_QUANTITY:
		return decode_quantity(d, v, path, at);
	case F_TIME:
		if (v->type != VAL_STRING || !time_parse(v->s, at))
			return complain(d, v, path, "Invalid value: a time as 2006-01-02T15:04:05Z was expected");
		return true;
	case F_ENUM:
		return decode_enum(d, f, v, path, at);
	case F_STRS:
		return decode_strs(d, v, path, at);
	case F_PAIRS:
		return decode_pairs(d, v, path, at);
	case F_STRUCT:
	case F_PTR:
		return decode_struct(d, f, v, path, at);
	case F_LIST:
		return decode_list(d, f, v, path, at);
	case F_RAW:
		*(const struct val **)at = val_copy(d->arena, v);
		return true;
	case F_KEEP:
		return true;
	}
	return true;
}

/* What is kept without effect is still checked for unknown fields, as deep as its table goes. */
static bool check_kept(struct decode *d, const struct field *f, const struct val *v, const char *path);

static const struct field *field_named(const struct field *t, const char *name)
{
	for (; t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static bool keys_known(struct decode *d, const struct field *t, const struct val *v, const char *path)
{
	bool ok = true;

	VAL_EACH(m, v) {
		if (!field_named(t, m->key) && !field_named(t, "*"))
			ok = unknown_field(d, t, m, path) && ok;
		for (const struct val *later = m->next; later; later = later->next)
			if (strcmp(later->key, m->key) == 0) {
				ok = repeated(d, later, path) && ok;
				break;
			}
	}
	return ok;
}

static bool check_kept(struct decode *d, const struct field *f, const struct val *v, const char *path)
{
	bool ok = true;

	if (!f->sub)
		return true;
	if (v->type == VAL_LIST) {
		uint32_t i = 0;

		VAL_EACH(m, v)
			ok = check_kept(d, f, m, arena_printf(d->arena, "%s[%u]", path, i++)) && ok;
		return ok;
	}
	if (v->type != VAL_MAP)
		return true;
	ok = keys_known(d, f->sub, v, path);
	VAL_EACH(m, v) {
		const struct field *s = field_named(f->sub, m->key);

		if (s && s->type == F_KEEP)
			ok = check_kept(d, s, m, join(d->arena, path, m->key)) && ok;
	}
	return ok;
}

static void put_default(const struct field *f, void *at)
{
	switch ((enum field_type)f->type) {
	case F_BOOL:
		*(bool *)at = f->dflt != 0;
		break;
	case F_INT:
		*(int32_t *)at = f->dflt;
		break;
	case F_I64:
		*(int64_t *)at = f->dflt;
		break;
	case F_PORT:
		*(uint16_t *)at = (uint16_t)f->dflt;
		break;
	case F_ENUM:
	case F_TRI:
		*(uint8_t *)at = (uint8_t)f->dflt;
		break;
	case F_OPT_INT:
		*(struct opt_int *)at = (struct opt_int){ f->dflt, true };
		break;
	case F_TIME:
		*(nsec *)at = NEVER;
		break;
	case F_STR:
	case F_INT_OR_STR:
	case F_QUANTITY:
	case F_STRS:
	case F_PAIRS:
	case F_STRUCT:
	case F_PTR:
	case F_LIST:
	case F_RAW:
	case F_KEEP:
		break;
	}
}

/* A struct that is absent still has the defaults of its fields. */
static void put_defaults(const struct field *t, void *out)
{
	for (const struct field *f = t; f && f->name; f++) {
		if (f->has_dflt || f->type == F_TIME)
			put_default(f, (char *)out + f->at);
		else if (f->type == F_STRUCT)
			put_defaults(f->sub, (char *)out + f->at);
	}
}

bool fields_decode(struct decode *d, const struct field *t, const struct val *v, const char *path, void *out)
{
	bool ok;

	if (!v || v->type == VAL_NULL) {
		put_defaults(t, out);
		return true;
	}
	if (v->type != VAL_MAP)
		return wrong_type(d, v, *path ? path : "", "object");
	put_defaults(t, out);
	ok = keys_known(d, t, v, path);
	for (const struct field *f = t; f->name; f++) {
		const struct val *m = val_get(v, f->name);
		const char *at;

		if (!m || m->type == VAL_NULL) {
			if (f->flags & FIELD_REQUIRED)
				ok = complain(d, v, join(d->arena, path, f->name), "Required value");
			continue;
		}
		at = join(d->arena, path, f->name);
		if (f->type == F_KEEP)
			ok = check_kept(d, f, m, at) && ok;
		else
			ok = decode_one(d, f, m, at, (char *)out + f->at) && ok;
	}
	return ok;
}

/* ---- encoding */

static struct val *encode_one(struct arena *a, const struct field *f, const void *at);

/* NULL if nothing is in it. What is behind a pointer is there, even if it is empty: podSelector: {} is not the same as none. */
static struct val *encode_struct(struct arena *a, const struct field *t, const void *at)
{
	struct val *m = val_new(a, VAL_MAP);

	fields_encode(a, t, at, m);
	return m->nr ? m : NULL;
}

static struct val *encode_ptr(struct arena *a, const struct field *t, const void *at)
{
	struct val *m = val_new(a, VAL_MAP);

	if (!at)
		return NULL;
	fields_encode(a, t, at, m);
	return m;
}

static struct val *encode_list(struct arena *a, const struct field *f, const struct any_list *l)
{
	struct val *v;

	if (!l->nr && !l->set)
		return NULL;
	v = val_new(a, VAL_LIST);
	for (uint32_t k = 0; k < l->nr; k++) {
		struct val *m = encode_struct(a, f->sub, (const char *)l->v + (size_t)f->size * k);

		val_add(a, v, m ? m : val_new(a, VAL_MAP));
	}
	return v;
}

static struct val *encode_strs(struct arena *a, const str_list *l)
{
	struct val *v;

	if (!l->nr && !l->set)
		return NULL;
	v = val_new(a, VAL_LIST);
	for (uint32_t k = 0; k < l->nr; k++)
		val_add(a, v, val_string(a, l->v[k]));
	return v;
}

static struct val *encode_pairs(struct arena *a, const pair_list *l)
{
	struct val *v;

	if (!l->nr)
		return NULL;
	v = val_new(a, VAL_MAP);
	for (uint32_t k = 0; k < l->nr; k++)
		val_put(a, v, l->v[k].key, val_string(a, l->v[k].value));
	return v;
}

static struct val *encode_number(struct arena *a, const struct field *f, const void *at)
{
	int64_t i = 0;
	bool set = f->has_dflt;

	if (f->type == F_OPT_INT) {
		i = ((const struct opt_int *)at)->v;
		set = ((const struct opt_int *)at)->set;
	} else {
		i = f->type == F_I64 ? *(const int64_t *)at : f->type == F_INT ? *(const int32_t *)at : *(const uint16_t *)at;
		set = (set || i != 0) && !(f->has_dflt && f->dflt < 0 && i == f->dflt);        /* a default below 0 says "absent" */
	}
	return set ? val_int(a, i) : NULL;
}

static struct val *encode_one(struct arena *a, const struct field *f, const void *at)
{
	char text[32];

	switch ((enum field_type)f->type) {
	case F_STR:
		return *(const str *)at ? val_string(a, *(const str *)at) : NULL;
	case F_BOOL:
		return *(const bool *)at || f->has_dflt || f->flags & FIELD_REQUIRED ? val_bool(a, *(const bool *)at) : NULL;
	case F_TRI:
		return *(const uint8_t *)at ? val_bool(a, *(const uint8_t *)at == TRI_TRUE) : NULL;
	case F_INT:
	case F_I64:
	case F_PORT:
	case F_OPT_INT:
		return encode_number(a, f, at);
	case F_INT_OR_STR: {
		const struct int_or_str *p = at;

		return !p->set ? NULL : p->s ? val_string(a, p->s) : val_int(a, p->i);
	}
	case F_TIME:
		return *(const nsec *)at != NEVER && *(const nsec *)at ? val_string(a, time_text(*(const nsec *)at, text)) : NULL;
	case F_ENUM:
		return *(const uint8_t *)at ? val_string(a, f->names[*(const uint8_t *)at]) : NULL;
	case F_STRS:
		return encode_strs(a, at);
	case F_PAIRS:
		return encode_pairs(a, at);
	case F_STRUCT:
		return encode_struct(a, f->sub, at);
	case F_PTR:
		return encode_ptr(a, f->sub, *(void *const *)at);
	case F_LIST:
		return encode_list(a, f, at);
	case F_RAW:
		return *(const struct val *const *)at ? val_copy(a, *(const struct val *const *)at) : NULL;
	case F_QUANTITY:
	case F_KEEP:
		return NULL;
	}
	return NULL;
}

void fields_encode(struct arena *a, const struct field *t, const void *in, struct val *map)
{
	for (const struct field *f = t; f->name; f++) {
		struct val *v = encode_one(a, f, (const char *)in + f->at);

		if (v)
			val_put(a, map, f->name, v);
	}
}

/* ---- Kubernetes' words */

/* The deepest value of the path that the document has: its line is where to look. */
static struct where find(const struct check *c, const char *path)
{
	const struct val *v = c->root, *last = v;
	char word[256];

	for (const char *p = path; v && *p;) {
		size_t n = strcspn(p, ".[");

		if (*p == '[') {
			n = strcspn(p, "]") + 1;
			v = v->type == VAL_LIST ? val_at(v, (uint32_t)strtoul(p + 1, NULL, 10)) : NULL;
		} else {
			snprintf(word, sizeof(word), "%.*s", (int)MIN(n, sizeof(word) - 1), p);
			v = val_get(v, word);
		}
		last = v ? v : last;
		p += n;
		p += *p == '.';
	}
	return (struct where){ c->file, last ? last->line : 0, last ? last->col : 0, c->object, path };
}

#define SAY(c, path, ...)                                                \
	do {                                                             \
		struct where w_ = find((c), (path));                     \
		err_add((c)->err, ERR_INPUT, &w_, __VA_ARGS__);          \
	} while (0)

static void format(char *out, size_t n, const char *fmt, va_list ap)
{
	vsnprintf(out, n, fmt, ap);
}

bool check_invalid(struct check *c, const char *path, const char *value, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	format(text, sizeof(text), fmt, ap);
	va_end(ap);
	SAY(c, path, "Invalid value: %s: %s", value, text);
	return false;
}

bool check_required(struct check *c, const char *path, const char *fmt, ...)
{
	char text[1024] = "";
	va_list ap;

	va_start(ap, fmt);
	format(text, sizeof(text), fmt, ap);
	va_end(ap);
	SAY(c, path, "Required value%s%s", *text ? ": " : "", text);
	return false;
}

bool check_duplicate(struct check *c, const char *path, const char *value)
{
	SAY(c, path, "Duplicate value: %s", value);
	return false;
}

bool check_forbidden(struct check *c, const char *path, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	format(text, sizeof(text), fmt, ap);
	va_end(ap);
	SAY(c, path, "Forbidden: %s", text);
	return false;
}

bool check_unsupported(struct check *c, const char *path, const char *value, const char *const *supported)
{
	struct sb all = { 0 };

	for (uint32_t k = 0; supported[k]; k++)
		sb_printf(&all, "%s\"%s\"", k ? ", " : "", supported[k]);
	SAY(c, path, "Unsupported value: %s: supported values: %s", value, sb_text(&all));
	sb_free(&all);
	return false;
}

bool check_toolong(struct check *c, const char *path, uint32_t max)
{
	SAY(c, path, "Too long: may not be more than %u bytes", max);
	return false;
}
