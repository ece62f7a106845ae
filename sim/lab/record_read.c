/* Structs by their tables of fields, as bytes: the reader. Nothing that stands in the bytes is trusted. */
#include "sim/lab/record_plan.h"

#define DEEPEST 250                     /* documents are nested 200 deep at most */

/* A plan as it was written; what its fields are here is found out when they are met by a table. */
struct written { uint32_t nr; struct { str name; uint8_t type; struct written *sub; } *v; };
struct bound { const struct leaf *leaf; uint8_t type; const struct written *within; struct bound *sub; };     /* of each field as written; leaf NULL: no such field here */

void scan_begin(struct scan *s, struct cluster *c)
{
	*s = (struct scan){ .cluster = c, .arena = arena_new(NULL, "scan") };
}

void scan_end(struct scan *s)
{
	arena_free(s->arena);
	*s = (struct scan){ 0 };
}

static void *bad(struct scan *s)
{
	s->bad = true;
	s->p = s->end;
	return NULL;
}

uint64_t scan_number(struct scan *s)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned char c;

		if (s->p == s->end) {
			bad(s);
			return 0;
		}
		c = *s->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return v;
	}
	bad(s);
	return 0;
}

int64_t scan_signed(struct scan *s)
{
	uint64_t v = scan_number(s);

	return (int64_t)(v >> 1 ^ -(v & 1));
}

/* A number of things that take at least a byte each. */
static uint32_t scan_count(struct scan *s, uint64_t n)
{
	if (n <= (uint64_t)(s->end - s->p) && n < UINT32_MAX)
		return (uint32_t)n;
	bad(s);
	return 0;
}

void scan_tell(struct scan *s, str text)
{
	vec_add(s->arena, &s->texts, text);
}

str scan_text(struct scan *s)
{
	uint64_t k = scan_number(s);
	uint32_t n;
	str text;

	if (k == TEXT_NONE)
		return NULL;
	if (k > TEXT_NEW)
		return k - TEXT_NEW <= s->texts.nr ? s->texts.v[k - TEXT_NEW - 1] : bad(s);
	n = scan_count(s, scan_number(s));
	if (memchr(s->p, '\0', n))
		return bad(s);
	text = str_intern_n(cluster_strings(s->cluster), (const char *)s->p, n);
	s->p += n;
	scan_tell(s, text);
	return text;
}

static struct val *tree(struct scan *s, bool in_map, int64_t *line, unsigned depth)
{
	struct arena *a = cluster_arena(s->cluster);
	uint64_t head = scan_number(s);
	struct val *v = arena_make(a, struct val);

	v->type = head & TREE_TYPE;
	v->flags = (uint8_t)(head >> TREE_FLAGS & 3);
	if (v->type > VAL_MAP || depth > DEEPEST || (in_map && !(v->key = scan_text(s))))
		return bad(s);
	if (head & TREE_PLACED) {
		*line += scan_signed(s);
		v->line = (uint32_t)*line;
		v->col = (uint16_t)scan_number(s);
	}
	switch ((enum val_type)v->type) {
	case VAL_NULL:
		break;
	case VAL_BOOL:
		v->b = scan_number(s);
		break;
	case VAL_INT:
		v->i = scan_signed(s);
		break;
	case VAL_FLOAT:
		if (s->end - s->p < (ptrdiff_t)sizeof(v->f))
			return bad(s);
		memcpy(&v->f, s->p, sizeof(v->f));
		s->p += sizeof(v->f);
		break;
	case VAL_STRING:
		if (!(v->s = scan_text(s)))
			return bad(s);
		v->nr = (uint32_t)str_len(v->s);
		break;
	case VAL_LIST:
	case VAL_MAP: {
		struct val **next = &v->first;

		v->nr = scan_count(s, scan_number(s));
		for (uint32_t k = 0; k < v->nr; k++) {
			struct val *m = tree(s, v->type == VAL_MAP, line, depth + 1);

			if (!m)
				return NULL;
			*next = v->last = m;
			next = &m->next;
		}
		break;
	}
	}
	return s->bad ? NULL : v;
}

struct val *scan_tree(struct scan *s)
{
	int64_t line = 0;

	return scan_number(s) ? tree(s, false, &line, 0) : NULL;
}

/* ---- fields */

static bool nests(uint8_t type)         /* and is described at once */
{
	return type == F_PTR || type == F_LIST || type == LEAF_SPEC;
}

static struct written *scan_plan(struct scan *s, unsigned depth)
{
	uint64_t number = scan_number(s);
	struct written *w;

	if (number)
		return number <= s->plans.nr ? s->plans.v[number - 1] : bad(s);
	if (depth > DEEPEST)
		return bad(s);
	w = arena_make(s->arena, struct written);
	vec_add(s->arena, &s->plans, w);
	w->nr = scan_count(s, scan_number(s));
	w->v = arena_alloc(s->arena, w->nr * sizeof(*w->v), 16);
	for (uint32_t k = 0; k < w->nr; k++) {
		w->v[k].name = scan_text(s);
		w->v[k].type = (uint8_t)scan_number(s);
		if (!w->v[k].name || (nests(w->v[k].type) && !(w->v[k].sub = scan_plan(s, depth + 1))))
			return bad(s);
	}
	return w;
}

/* Mostly it stands where it stood. */
static const struct leaf *leaf_of(const struct leaves *have, uint32_t guess, str name, uint8_t type)
{
	for (uint32_t k = 0, i = guess; k < have->nr; k++, i++) {
		const struct leaf *f = &have->v[i % have->nr];

		if (f->type == type && strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

/* The fields of a plan by a table of today; table NULL: none of them is known. */
static struct bound *bind(struct scan *s, const struct written *w, const struct field *table)
{
	uint64_t *at = map_put(&s->bound, s->arena, hash_mix(map_ptr(w), map_ptr(table)));
	const struct leaves *have;
	struct bound *b;

	if (*at)
		return (struct bound *)(uintptr_t)*at;
	b = arena_array(s->arena, struct bound, w->nr + 1);
	*at = map_ptr(b);
	have = table ? leaves_of(&s->leaves, s->arena, table, NULL) : NULL;
	for (uint32_t k = 0; k < w->nr; k++) {
		b[k].type = w->v[k].type & (LEAF_LATER - 1);
		b[k].leaf = have ? leaf_of(have, k, w->v[k].name, b[k].type) : NULL;
		if ((b[k].within = w->v[k].sub))
			b[k].sub = bind(s, w->v[k].sub, b[k].leaf ? b[k].leaf->f->sub : NULL);
	}
	return b;
}

/* What the values to come are: as they were written with the table, or as it stands before them. */
static bool within(struct scan *s, struct bound *b, bool later, unsigned depth)
{
	const struct written *w = later ? scan_plan(s, depth) : b->within;

	if (!w)
		return false;
	if (b->within != w) {
		b->within = w;
		b->sub = bind(s, w, b->leaf ? b->leaf->f->sub : NULL);
	}
	return true;
}

static void scan_values(struct scan *s, const struct written *w, struct bound *b, void *out, unsigned depth);

static uint8_t enum_of(const char *const *names, str text)
{
	for (uint8_t k = 0; text && names[k]; k++)
		if (strcmp(names[k], text) == 0)
			return k;
	return 0;
}

static void scan_texts(struct scan *s, str_list *l, uint32_t each)
{
	uint64_t n = scan_number(s);
	uint32_t nr = scan_count(s, n >> 1);
	str *v = nr ? arena_array(cluster_arena(s->cluster), str, (size_t)nr * each) : NULL;

	for (uint32_t k = 0; k < nr * each; k++)
		v[k] = scan_text(s);
	if (l)
		*l = (str_list){ v, nr, n & 1 };
}

static void scan_list(struct scan *s, struct bound *b, bool later, str_list *l, unsigned depth)
{
	uint64_t n = scan_number(s);
	uint32_t nr = scan_count(s, n >> 1), size = b->leaf ? b->leaf->f->size : 0;
	char *v;

	if (nr && !within(s, b, later, depth))
		return;
	v = l && nr ? arena_alloc(cluster_arena(s->cluster), (size_t)nr * size, 16) : NULL;
	for (uint32_t k = 0; k < nr && !s->bad; k++)
		scan_values(s, b->within, b->sub, v ? v + (size_t)size * k : NULL, depth + 1);
	if (l)
		*l = (str_list){ (str *)(void *)v, nr, n & 1 };
}

/* at NULL: what stands there is passed over. */
static void scan_value(struct scan *s, struct bound *b, bool later, void *at, unsigned depth)
{
	const struct leaf *f = b->leaf;
	uint8_t type = b->type;

	switch (type) {
	case F_STR: case F_BYTES: {
		str text = scan_text(s);

		if (at)
			*(str *)at = text;
		break;
	}
	case F_BOOL: case F_TRI: {
		uint64_t v = scan_number(s);

		if (at)
			*(uint8_t *)at = type == F_BOOL ? v != 0 : v <= TRI_TRUE ? (uint8_t)v : TRI_UNSET;
		break;
	}
	case F_ENUM: {
		str text = scan_text(s);

		if (at)
			*(uint8_t *)at = enum_of(f->f->names, text);
		break;
	}
	case F_INT: case F_PORT: case F_I64: case F_QUANTITY: case F_TIME: {
		int64_t v = scan_signed(s);

		if (at && type == F_INT)
			*(int32_t *)at = (int32_t)v;
		else if (at && type == F_PORT)
			*(uint16_t *)at = (uint16_t)v;
		else if (at)
			*(int64_t *)at = v;
		break;
	}
	case F_OPT_INT: {
		bool set = scan_number(s);
		int32_t v = (int32_t)scan_signed(s);

		if (at)
			*(struct opt_int *)at = (struct opt_int){ v, set };
		break;
	}
	case F_INT_OR_STR: {
		bool set = scan_number(s);
		str text = scan_text(s);
		int32_t v = (int32_t)scan_signed(s);

		if (at)
			*(struct int_or_str *)at = (struct int_or_str){ text, v, set };
		break;
	}
	case F_STRS:
		scan_texts(s, at, 1);
		break;
	case F_PAIRS: case F_AMOUNTS: case F_BLOBS:
		scan_texts(s, at, 2);
		break;
	case F_PTR: {
		void *to = at ? arena_alloc(cluster_arena(s->cluster), f->f->size, 16) : NULL;

		if (!within(s, b, later, depth))
			break;
		scan_values(s, b->within, b->sub, to, depth + 1);
		if (at)
			*(void **)at = to;
		break;
	}
	case LEAF_SPEC: {
		const struct pod_spec *spec = scan_spec(s);

		if (at)
			*(const struct pod_spec **)at = spec;
		break;
	}
	case F_LIST:
		scan_list(s, b, later, at, depth);
		break;
	case F_RAW: {
		struct val *v = scan_tree(s);

		if (at)
			*(const struct val **)at = v;
		break;
	}
	default:
		bad(s);
	}
}

static void scan_values(struct scan *s, const struct written *w, struct bound *b, void *out, unsigned depth)
{
	uint64_t k = 0, step;

	if (depth > DEEPEST)
		bad(s);
	while ((step = scan_number(s)) && !s->bad) {
		const struct leaf *f;

		if (step > w->nr || (k += step) > w->nr) {
			bad(s);
			return;
		}
		f = b[k - 1].leaf;
		scan_value(s, &b[k - 1], w->v[k - 1].type & LEAF_LATER, out && f ? (char *)out + f->at : NULL, depth);
	}
}

const struct pod_spec *scan_spec(struct scan *s)
{
	uint64_t number = scan_number(s);
	struct pod_spec *spec;
	uint32_t place;

	if (number)
		return number <= s->specs.nr ? s->specs.v[number - 1] : bad(s);
	spec = arena_make(cluster_arena(s->cluster), struct pod_spec);
	place = s->specs.nr;
	vec_add(s->arena, &s->specs, spec);
	scan_fields(s, pod_spec_fields, spec);
	return place < s->specs.nr ? spec : NULL;
}

void scan_fields(struct scan *s, const struct field *table, void *out)
{
	struct written *w = scan_plan(s, 0);

	if (w)
		scan_values(s, w, bind(s, w, table), out, 0);
}
