/* Structs by their tables of fields, as bytes: the writer. */
#include "sim/lab/record_plan.h"

/* ---- plans */

static bool is_kept(const struct field *f)
{
	switch ((enum field_type)f->type) {
	case F_NONE: case F_KEEP: case F_NUMBER: case F_INTS: case F_MAP: case F_STRS_MAP:
		return true;
	default:
		return f->flags & FIELD_KEPT;
	}
}

static bool has_place(const struct leaves *l, uint32_t at)
{
	for (uint32_t k = 0; l && k < l->nr; k++)
		if (l->v[k].at == at)
			return true;
	return false;
}

static const char *way(struct arena *a, const char *prefix, const char *name)
{
	size_t n = strlen(prefix), m = strlen(name);
	char *s;

	if (!n)
		return name;
	s = arena_alloc(a, n + m + 2, 1);
	memcpy(s, prefix, n);
	s[n] = '.';
	memcpy(s + n + 1, name, m);
	return s;
}

static void flatten(struct leaves *l, struct arena *a, const struct field *t, uint32_t base, const char *prefix, const struct leaves *left_out)
{
	for (const struct field *f = t; f->name; f++) {
		if (is_kept(f) || (f->type != F_STRUCT && has_place(left_out, base + f->at)))
			continue;
		if (f->type == F_STRUCT)
			flatten(l, a, f->sub, base + f->at, way(a, prefix, f->name), left_out);
		else
			vec_add(a, l, (struct leaf){ way(a, prefix, f->name), f, base + f->at, f->type == F_PTR && f->sub == pod_spec_fields ? LEAF_SPEC : f->type });
	}
}

struct leaves *leaves_of(struct map *known, struct arena *a, const struct field *table, const struct field *left_out)
{
	uint64_t key = hash_mix(map_ptr(table), map_ptr(left_out));
	struct leaves *l = map_get_ptr(known, key);

	if (l)
		return l;
	l = arena_make(a, struct leaves);
	flatten(l, a, table, 0, "", left_out ? leaves_of(known, a, left_out, NULL) : NULL);
	*map_put(known, a, key) = map_ptr(l);
	return l;
}

static size_t size_of(uint8_t type)
{
	static const size_t sizes[] = {
		[F_STR] = sizeof(str), [F_BYTES] = sizeof(str), [F_BOOL] = 1, [F_TRI] = 1, [F_ENUM] = 1, [F_INT] = 4, [F_OPT_INT] = sizeof(struct opt_int), [F_I64] = 8,
		[F_PORT] = 2, [F_INT_OR_STR] = sizeof(struct int_or_str), [F_QUANTITY] = 8, [F_TIME] = 8, [F_STRS] = sizeof(str_list), [F_PAIRS] = sizeof(pair_list),
		[F_AMOUNTS] = sizeof(pair_list), [F_BLOBS] = sizeof(pair_list), [F_PTR] = sizeof(void *), [F_LIST] = sizeof(str_list), [F_RAW] = sizeof(void *),
	};

	return sizes[type];
}

void fields_zero(const struct field *t, void *out)
{
	for (const struct field *f = t; f->name; f++) {
		if (is_kept(f))
			continue;
		if (f->type == F_STRUCT)
			fields_zero(f->sub, (char *)out + f->at);
		else
			memset((char *)out + f->at, 0, size_of(f->type));
	}
}

/* ---- numbers, texts, trees */

void pen_begin(struct pen *p)
{
	*p = (struct pen){ .arena = arena_new(NULL, "pen") };
	p->words = strtab_new(p->arena);
}

void pen_end(struct pen *p)
{
	sb_free(&p->out);
	arena_free(p->arena);
	*p = (struct pen){ 0 };
}

void pen_long_number(struct pen *p, uint64_t v)
{
	struct sb *b = &p->out;

	if (b->alloc - b->len <= 10) {
		sb_room(b, 10);
		b->len -= 10;
	}
	for (; v >= 0x80; v >>= 7)
		b->s[b->len++] = (char)(v | 0x80);
	b->s[b->len++] = (char)v;
}

void pen_signed(struct pen *p, int64_t v)
{
	pen_number(p, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

void pen_tell(struct pen *p, str s)
{
	uint32_t number;

	if (str_number(&p->texts, p->arena, s, &number))
		vec_add(p->arena, &p->texts, s);        /* the reader gives it another number: both are good */
}

void pen_text(struct pen *p, str s)
{
	uint32_t number;
	size_t n;

	if (!s) {
		pen_number(p, TEXT_NONE);
		return;
	}
	if (str_number(&p->texts, p->arena, s, &number)) {
		pen_number(p, (uint64_t)number + TEXT_NEW);
		return;
	}
	n = str_len(s);
	pen_number(p, TEXT_NEW);
	pen_number(p, n);
	sb_addn(&p->out, s, n);
}

void pen_word(struct pen *p, const char *s, size_t n)
{
	pen_text(p, str_intern_n(p->words, s, n));
}

static void put_tree(struct pen *p, const struct val *v, bool in_map, int64_t *line)
{
	bool placed = v->line || v->col;

	pen_number(p, (uint64_t)v->type | (uint64_t)(v->flags & (VAL_AGAIN | VAL_REPEATS)) << TREE_FLAGS | (placed ? TREE_PLACED : 0u));
	if (in_map)
		pen_word(p, v->key, strlen(v->key));
	if (placed) {
		pen_signed(p, (int64_t)v->line - *line);
		pen_number(p, v->col);
		*line = v->line;
	}
	switch ((enum val_type)v->type) {
	case VAL_NULL:
		break;
	case VAL_BOOL:
		pen_number(p, v->b);
		break;
	case VAL_INT:
		pen_signed(p, v->i);
		break;
	case VAL_FLOAT:
		sb_addn(&p->out, (const char *)&v->f, sizeof(v->f));
		break;
	case VAL_STRING:
		pen_word(p, v->s, v->nr);
		break;
	case VAL_LIST:
	case VAL_MAP:
		pen_number(p, v->nr);
		for (const struct val *m = v->first; m; m = m->next)
			put_tree(p, m, v->type == VAL_MAP, line);
		break;
	}
}

void pen_tree(struct pen *p, const struct val *v)
{
	int64_t line = 0;

	pen_number(p, v != NULL);
	if (v)
		put_tree(p, v, false, &line);
}

/* ---- fields */

static struct plan *plan_of(struct pen *p, const struct field *table, const struct field *left_out);

/* The number of a plan; behind a 0 what it is, the first time. */
static struct plan *put_plan(struct pen *p, const struct field *table, const struct field *left_out)
{
	struct plan *plan = plan_of(p, table, left_out);

	if (plan->number) {
		pen_number(p, plan->number);
		return plan;
	}
	plan->number = ++p->nr_plans;
	pen_number(p, 0);
	pen_number(p, plan->leaves->nr);
	plan->sub = arena_array(p->arena, struct plan *, plan->leaves->nr);
	for (uint32_t k = 0; k < plan->leaves->nr; k++) {
		const struct leaf *f = &plan->leaves->v[k];

		pen_word(p, f->name, strlen(f->name));
		pen_number(p, f->type == F_PTR || f->type == F_LIST || f->type == LEAF_SPEC ? f->type | LEAF_LATER : f->type);
	}
	return plan;
}

static const struct plan *put_plan_within(struct pen *p, const struct plan *plan, uint32_t k)
{
	if (plan->sub[k])
		pen_number(p, plan->sub[k]->number);
	else
		plan->sub[k] = put_plan(p, plan->leaves->v[k].f->sub, NULL);
	return plan->sub[k];
}

static struct plan *plan_of(struct pen *p, const struct field *table, const struct field *left_out)
{
	uint64_t *at = map_put(&p->plans, p->arena, hash_mix(map_ptr(table), map_ptr(left_out)));
	struct plan *plan;

	if (*at)
		return (struct plan *)(uintptr_t)*at;
	plan = arena_make(p->arena, struct plan);
	*at = map_ptr(plan);
	plan->leaves = leaves_of(&p->shapes, p->arena, table, left_out);
	return plan;
}

static bool is_zero(uint8_t type, const void *at)
{
	switch (type) {
	case F_BOOL: case F_TRI: case F_ENUM:
		return !*(const uint8_t *)at;
	case F_PORT:
		return !*(const uint16_t *)at;
	case F_INT:
		return !*(const int32_t *)at;
	case F_STR: case F_BYTES: case F_PTR: case F_RAW: case LEAF_SPEC:
		return !*(const void *const *)at;
	case F_STRS: case F_PAIRS: case F_AMOUNTS: case F_BLOBS: case F_LIST:
		return !((const str_list *)at)->nr && !((const str_list *)at)->set;
	case F_OPT_INT:
		return !((const struct opt_int *)at)->v && !((const struct opt_int *)at)->set;
	case F_INT_OR_STR:
		return !((const struct int_or_str *)at)->s && !((const struct int_or_str *)at)->i && !((const struct int_or_str *)at)->set;
	default:                        /* F_I64, F_QUANTITY, F_TIME */
		return !*(const int64_t *)at;
	}
}

static void put_values(struct pen *p, const struct plan *plan, const void *in);

static void put_length(struct pen *p, const str_list *l)
{
	pen_number(p, (uint64_t)l->nr << 1 | l->set);
}

static void put_value(struct pen *p, const struct plan *plan, uint32_t k, const void *at)
{
	const struct leaf *f = &plan->leaves->v[k];

	switch (f->type) {
	case F_STR: case F_BYTES:
		pen_text(p, *(const str *)at);
		break;
	case F_BOOL: case F_TRI:
		pen_number(p, *(const uint8_t *)at);
		break;
	case F_ENUM: {
		const char *name = f->f->names[*(const uint8_t *)at];

		pen_word(p, name, strlen(name));
		break;
	}
	case F_INT:
		pen_signed(p, *(const int32_t *)at);
		break;
	case F_PORT:
		pen_signed(p, *(const uint16_t *)at);
		break;
	case F_I64: case F_QUANTITY: case F_TIME:
		pen_signed(p, *(const int64_t *)at);
		break;
	case F_OPT_INT:
		pen_number(p, ((const struct opt_int *)at)->set);
		pen_signed(p, ((const struct opt_int *)at)->v);
		break;
	case F_INT_OR_STR:
		pen_number(p, ((const struct int_or_str *)at)->set);
		pen_text(p, ((const struct int_or_str *)at)->s);
		pen_signed(p, ((const struct int_or_str *)at)->i);
		break;
	case F_STRS: {
		const str_list *l = at;

		put_length(p, l);
		for (uint32_t i = 0; i < l->nr; i++)
			pen_text(p, l->v[i]);
		break;
	}
	case F_PAIRS: case F_AMOUNTS: case F_BLOBS: {
		const pair_list *l = at;

		put_length(p, at);
		for (uint32_t i = 0; i < l->nr; i++) {
			pen_text(p, l->v[i].key);
			pen_text(p, l->v[i].value);
		}
		break;
	}
	case F_PTR:
		put_values(p, put_plan_within(p, plan, k), *(const void *const *)at);
		break;
	case LEAF_SPEC:
		pen_spec(p, *(const struct pod_spec *const *)at);
		break;
	case F_LIST: {
		const str_list *l = at;
		const struct plan *sub;

		put_length(p, l);
		sub = l->nr ? put_plan_within(p, plan, k) : NULL;
		for (uint32_t i = 0; i < l->nr; i++)
			put_values(p, sub, (const char *)l->v + (size_t)f->f->size * i);
		break;
	}
	case F_RAW:
		pen_tree(p, *(const struct val *const *)at);
		break;
	}
}

/* Each value behind the distance of its field from the one before; 0 ends them. */
static void put_values(struct pen *p, const struct plan *plan, const void *in)
{
	uint32_t last = 0;

	for (uint32_t k = 0; k < plan->leaves->nr; k++) {
		const void *at = (const char *)in + plan->leaves->v[k].at;

		if (is_zero(plan->leaves->v[k].type, at))
			continue;
		pen_number(p, k + 1 - last);
		last = k + 1;
		put_value(p, plan, k, at);
	}
	pen_number(p, 0);
}

void pen_spec(struct pen *p, const struct pod_spec *spec)
{
	uint64_t *at = map_put(&p->specs, p->arena, map_ptr(spec));

	if (*at) {
		pen_number(p, *at);
		return;
	}
	*at = ++p->nr_specs;
	pen_number(p, 0);
	put_values(p, put_plan(p, pod_spec_fields, NULL), spec);
}

void pen_fields(struct pen *p, const struct field *table, const struct field *left_out, const void *in)
{
	put_values(p, put_plan(p, table, left_out), in);
}
