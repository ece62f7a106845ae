/* From a document into structs, by tables of fields: lists, maps, structs, and the fields that no table has. */
#include "model/api/field_value.h"

#include "model/base/quantity.h"

struct any_list { void *v; uint32_t nr; bool set; };

/* ---- fields that are not there, or twice */

/* Unknown and repeated fields: apiserver's strict decoding; the words are sigs.k8s.io/json's. */
static bool odd_field(struct decode *d, const struct val *v, const char *text)
{
	struct where w = { d->file, v->line, v->col, d->object, NULL };

	if (d->unknown == VALIDATE_STRICT)
		return err_add(d->err, ERR_INPUT, &w, "%s", text);
	if (d->unknown == VALIDATE_WARN)
		err_warn(d->err, &w, "%s", text);
	return true;
}

static bool unknown_field(struct decode *d, const struct field *t, const struct val *v, const struct path *p)
{
	const char *names[128] = { NULL }, *near;
	char text[PATH_TEXT + 256], path[PATH_TEXT];
	size_t nr = 0;

	if (d->unknown == VALIDATE_IGNORE)
		return true;
	for (const struct field *f = t; f->name && nr + 1 < ARRAY_LEN(names); f++)
		names[nr++] = f->name;
	near = nearest(v->key, names);
	snprintf(text, sizeof(text), "unknown field \"%s\"%s%s%s", path_text(SUB(p, v->key), path), near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return odd_field(d, v, text);
}

static bool repeated_field(struct decode *d, const struct val *v, const struct path *p)
{
	char text[PATH_TEXT + 64], path[PATH_TEXT];

	snprintf(text, sizeof(text), "duplicate field \"%s\"%s", path_text(SUB(p, v->key), path), d->unknown == VALIDATE_WARN ? ": the last one counts" : "");
	return odd_field(d, v, text);
}

/* ---- lists and maps */

static bool decode_strs(struct decode *d, const struct val *v, const struct path *p, str_list *out)
{
	str_list l = { .set = true };
	uint32_t i = 0;
	bool ok = true;

	if (v->type != VAL_LIST)
		return field_wrong_type(d, v, p, "array");
	if (out)
		l.v = arena_array(d->arena, str, v->nr);
	VAL_EACH(m, v) {
		if (m->type != VAL_STRING && m->type != VAL_NULL)
			ok = field_wrong_type(d, m, ITEM(p, i), "string");
		else if (out)
			l.v[l.nr++] = m->type == VAL_NULL ? str_intern(d->strings, "") : field_text(d, m);
		i++;
	}
	if (out)
		*out = l;
	return ok;
}

static bool decode_ints(struct decode *d, const struct val *v, const struct path *p)
{
	uint32_t i = 0;
	int64_t any;
	bool ok = true;

	if (v->type != VAL_LIST)
		return field_wrong_type(d, v, p, "array");
	VAL_EACH(m, v)
		ok = decode_int(d, m, ITEM(p, i++), INT64_MIN, INT64_MAX, &any) && ok;
	return ok;
}

/* One value of a map of scalars. NULL: it is not of that type. */
static bool pair_value(struct decode *d, enum field_type type, const struct val *m, const struct path *p, str *out)
{
	char text[64];

	if (m->type == VAL_NULL) {
		*out = str_intern(d->strings, "");
		return true;
	}
	if (type == F_BLOBS)
		return decode_bytes(d, m, p, out);
	if (type == F_AMOUNTS) {
		if (!decode_quantity(d, m, p, NULL, text))
			return false;
		*out = str_intern(d->strings, quantity_canonical(text, (char[64]){ "" }));
		return true;
	}
	if (m->type != VAL_STRING)
		return field_wrong_type(d, m, p, "string");
	*out = field_text(d, m);
	return true;
}

static void pair_put(pair_list *l, struct pair x)
{
	uint32_t k;

	for (k = l->nr; k > 0 && str_order(l->v[k - 1].key, x.key) > 0; k--)
		;
	if (k > 0 && l->v[k - 1].key == x.key) {
		l->v[k - 1] = x;                /* the last one counts */
		return;
	}
	memmove(&l->v[k + 1], &l->v[k], (l->nr - k) * sizeof(*l->v));
	l->v[k] = x;
	l->nr++;
}

static bool repeats_known(struct decode *d, const struct val *map, const struct path *p)
{
	bool ok = true;

	if (!(map->flags & VAL_REPEATS))
		return true;
	VAL_EACH(m, map)
		if (m->flags & VAL_AGAIN)
			ok = repeated_field(d, m, p) && ok;
	return ok;
}

/* Where anything goes, a key still stands only once. */
static bool repeats_below(struct decode *d, const struct val *v, const struct path *p)
{
	uint32_t i = 0;
	bool ok = true;

	if (v->type == VAL_MAP)
		ok = repeats_known(d, v, p);
	else if (v->type != VAL_LIST)
		return true;
	VAL_EACH(m, v)
		ok = repeats_below(d, m, v->type == VAL_MAP ? SUB(p, m->key) : ITEM(p, i++)) && ok;
	return ok;
}

static bool decode_pairs(struct decode *d, enum field_type type, const struct val *v, const struct path *p, pair_list *out)
{
	pair_list l = { .set = true };
	bool ok;

	if (v->type != VAL_MAP)
		return field_wrong_type(d, v, p, "object");
	ok = repeats_known(d, v, p);
	if (out)
		l.v = arena_array(d->arena, struct pair, v->nr);
	VAL_EACH(m, v) {
		struct pair x = { 0 };

		if (!pair_value(d, type, m, ENTRY(p, m->key), &x.value)) {
			ok = false;
		} else if (out) {
			x.key = d->keeps ? m->key : str_intern(d->strings, m->key);
			pair_put(&l, x);
		}
	}
	if (out)
		*out = l;
	return ok;
}

static bool decode_struct(struct decode *, const struct field *, const struct val *, const struct path *, char *out);
static void put_defaults(const struct field *, char *out);

static bool decode_list(struct decode *d, const struct field *f, const struct val *v, const struct path *p, struct any_list *out)
{
	struct any_list l = { .set = true };
	uint32_t i = 0;
	bool ok = true;

	if (v->type != VAL_LIST)
		return field_wrong_type(d, v, p, "array");
	if (out)
		l.v = arena_alloc(d->arena, (size_t)f->size * v->nr, 16);
	VAL_EACH(m, v) {
		char *at = out ? (char *)l.v + (size_t)f->size * l.nr++ : NULL;

		put_defaults(f->sub, at);
		ok = decode_struct(d, f->sub, m, ITEM(p, i++), at) && ok;
	}
	if (out)
		*out = l;
	return ok;
}

static bool decode_map(struct decode *d, const struct field *f, const struct val *v, const struct path *p)
{
	bool ok;

	if (v->type != VAL_MAP)
		return field_wrong_type(d, v, p, "object");
	ok = repeats_known(d, v, p);
	VAL_EACH(m, v) {
		const struct path *at = ENTRY(p, m->key);

		if (m->type != VAL_NULL)
			ok = (f->type == F_MAP ? decode_struct(d, f->sub, m, at, NULL) : decode_strs(d, m, at, NULL)) && ok;
	}
	return ok;
}

static bool decode_ptr(struct decode *d, const struct field *f, const struct val *v, const struct path *p, void **out)
{
	char *to = NULL;

	if (out && v->type == VAL_MAP) {
		to = arena_alloc(d->arena, f->size, 16);
		put_defaults(f->sub, to);
		*out = to;
	}
	return decode_struct(d, f->sub, v, p, to);
}

/* ---- fields */

/* at NULL: only the form is judged. */
static bool decode_field(struct decode *d, const struct field *f, const struct val *v, const struct path *p, void *at)
{
	switch ((enum field_type)f->type) {
	case F_STRS:
		return decode_strs(d, v, p, at);
	case F_PAIRS:
	case F_AMOUNTS:
	case F_BLOBS:
		return decode_pairs(d, (enum field_type)f->type, v, p, at);
	case F_STRUCT:
		return decode_struct(d, f->sub, v, p, at);
	case F_PTR:
		return decode_ptr(d, f, v, p, at);
	case F_LIST:
		return decode_list(d, f, v, p, at);
	case F_RAW:
		if (at)
			*(const struct val **)at = d->keeps ? v : val_copy(d->arena, v);
		return f->sub ? decode_struct(d, f->sub, v, p, NULL) : repeats_below(d, v, p);
	case F_NONE:
		return true;
	case F_KEEP:
		return repeats_below(d, v, p);
	case F_INTS:
		return decode_ints(d, v, p);
	case F_MAP:
	case F_STRS_MAP:
		return decode_map(d, f, v, p);
	default:
		return decode_value(d, f, v, p, at);
	}
}

static const struct field *field_named(const struct field *t, const char *name)
{
	for (; t->name; t++)
		if (t->name[0] == name[0] && strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static bool comes_again(const struct val *m)
{
	for (const struct val *later = m->next; later; later = later->next)
		if (later->flags & VAL_AGAIN && strcmp(later->key, m->key) == 0)
			return true;
	return false;
}

static bool decode_member(struct decode *d, const struct field *f, const struct val *m, const struct path *p, void *at)
{
	bool inside = d->status, ok;

	if (!p->up && !*p->name && strcmp(f->name, "status") == 0)
		d->status = true;
	ok = decode_field(d, f, m, SUB(p, f->name), at);
	d->status = inside;
	return ok;
}

static bool decode_struct(struct decode *d, const struct field *t, const struct val *v, const struct path *p, char *out)
{
	bool ok;

	if (v->type == VAL_NULL)
		return true;
	if (v->type != VAL_MAP)
		return field_wrong_type(d, v, p, "object");
	ok = repeats_known(d, v, p);
	VAL_EACH(m, v) {
		const struct field *f = field_named(t, m->key);
		void *at = !f || f->flags & FIELD_KEPT || !out ? NULL : out + f->at;

		if (!f)
			ok = (field_named(t, "*") ? repeats_below(d, m, SUB(p, m->key)) : unknown_field(d, t, m, p)) && ok;
		else if (m->type != VAL_NULL && !(v->flags & VAL_REPEATS && comes_again(m)))
			ok = decode_member(d, f, m, p, at) && ok;
	}
	for (const struct field *f = t; f->name && !d->status; f++)
		if (f->flags & FIELD_REQUIRED && (!val_get(v, f->name) || val_get(v, f->name)->type == VAL_NULL))
			ok = field_complain(d, v, SUB(p, f->name), "Required value");
	return ok;
}

/* ---- defaults */

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
	case F_NONE:
	case F_NUMBER:
	case F_BYTES:
	case F_INTS:
	case F_AMOUNTS:
	case F_BLOBS:
	case F_MAP:
	case F_STRS_MAP:
		break;
	}
}

/* A struct that is absent still has the defaults of its fields. */
static void put_defaults(const struct field *t, char *out)
{
	for (const struct field *f = t; out && f->name; f++) {
		if (f->flags & FIELD_KEPT)
			continue;
		if (f->has_dflt || f->type == F_TIME)
			put_default(f, out + f->at);
		else if (f->type == F_STRUCT)
			put_defaults(f->sub, out + f->at);
	}
}

bool fields_lay(struct decode *d, const struct field *t, const struct val *v, const char *path, void *out)
{
	if (!v)
		return true;
	return t ? decode_struct(d, t, v, SUB(NULL, path), out) : repeats_below(d, v, SUB(NULL, path));
}

bool fields_decode(struct decode *d, const struct field *t, const struct val *v, const char *path, void *out)
{
	put_defaults(t, t ? out : NULL);
	return fields_lay(d, t, v, path, out);
}
