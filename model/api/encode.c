/* From a struct back into a document. */
#include "model/api/field.h"
#include "model/base/quantity.h"

struct any_list { void *v; uint32_t nr; bool set; };

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
	case F_BYTES:
		return *(const str *)at ? val_string(a, *(const str *)at) : NULL;
	case F_AMOUNTS:
	case F_BLOBS:
		return encode_pairs(a, at);
	case F_QUANTITY:
	case F_KEEP:
	case F_NONE:
	case F_NUMBER:
	case F_INTS:
	case F_MAP:
	case F_STRS_MAP:
		return NULL;
	}
	return NULL;
}

void fields_encode(struct arena *a, const struct field *t, const void *in, struct val *map)
{
	for (const struct field *f = t; f->name; f++) {
		struct val *v = f->flags & FIELD_KEPT ? NULL : encode_one(a, f, (const char *)in + f->at);

		if (v)
			val_put(a, map, f->name, v);
	}
}
