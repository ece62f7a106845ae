/* The tree of a document: looking, making, changing. */
#include "model/base/docs.h"

#include <math.h>

const char *const val_type_names[] = {
	[VAL_NULL] = "null", [VAL_BOOL] = "boolean", [VAL_INT] = "integer", [VAL_FLOAT] = "number",
	[VAL_STRING] = "string", [VAL_LIST] = "array", [VAL_MAP] = "object",
};

bool val_is(const struct val *v, enum val_type type)
{
	return v && v->type == type;
}

static bool holds(const struct val *v)
{
	return v && (v->type == VAL_MAP || v->type == VAL_LIST);
}

const struct val *val_get(const struct val *map, const char *key)
{
	const struct val *found = NULL;

	if (!val_is(map, VAL_MAP) || !key)
		return NULL;
	for (const struct val *m = map->first; m; m = m->next) {
		if (m->key[0] != key[0] || strcmp(m->key, key) != 0)
			continue;
		if (!(map->flags & VAL_REPEATS))
			return m;
		found = m;
	}
	return found;
}

const struct val *val_at(const struct val *list, uint32_t i)
{
	const struct val *m = val_is(list, VAL_LIST) && i < list->nr ? list->first : NULL;

	while (m && i--)
		m = m->next;
	return m;
}

static const struct val *member(const struct val *v, const char *name)
{
	uint32_t i = 0;

	if (!val_is(v, VAL_LIST))
		return val_get(v, name);
	for (; *name >= '0' && *name <= '9' && i < UINT32_MAX / 16; name++)
		i = i * 10 + (uint32_t)(*name - '0');
	return *name ? NULL : val_at(v, i);
}

const struct val *val_path(const struct val *v, const char *dotted)
{
	char part[256];

	while (v && *dotted) {
		size_t n = strcspn(dotted, ".");

		if (n >= sizeof(part))
			return NULL;
		memcpy(part, dotted, n);
		part[n] = '\0';
		v = member(v, part);
		dotted += n + (dotted[n] == '.');
	}
	return v;
}

const char *val_str(const struct val *v)
{
	return val_is(v, VAL_STRING) ? v->s : NULL;
}

const char *val_str_at(const struct val *v, const char *dotted)
{
	return val_str(val_path(v, dotted));
}

/* 2^63 is the first double that no int64 holds. */
static bool whole(double f)
{
	return f >= -0x1p63 && f < 0x1p63 && floor(f) == f;
}

int64_t val_int_or(const struct val *v, int64_t dflt)
{
	if (val_is(v, VAL_INT))
		return v->i;
	return val_is(v, VAL_FLOAT) && whole(v->f) ? (int64_t)v->f : dflt;
}

double val_number_or(const struct val *v, double dflt)
{
	return val_is(v, VAL_FLOAT) ? v->f : val_is(v, VAL_INT) ? (double)v->i : dflt;
}

bool val_bool_or(const struct val *v, bool dflt)
{
	return val_is(v, VAL_BOOL) ? v->b : dflt;
}

static bool same_number(const struct val *a, const struct val *b)
{
	double x = a->type == VAL_INT ? (double)a->i : a->f, y = b->type == VAL_INT ? (double)b->i : b->f;

	return a->type == VAL_INT && b->type == VAL_INT ? a->i == b->i : !(x < y) && !(x > y);
}

/* The members that count: the last of each key. */
static uint32_t keys_of(const struct val *map)
{
	uint32_t n = 0;

	for (const struct val *m = map->first; m; m = m->next)
		n += !(m->flags & VAL_AGAIN);
	return n;
}

static bool same_map(const struct val *a, const struct val *b)
{
	const struct val *other = b->first;

	if (keys_of(a) != keys_of(b))
		return false;
	for (const struct val *m = a->first; m; m = m->next) {
		bool in_step = other && !(b->flags & VAL_REPEATS) && strcmp(other->key, m->key) == 0;
		const struct val *mine = a->flags & VAL_REPEATS ? val_get(a, m->key) : m;
		const struct val *theirs = in_step ? other : val_get(b, m->key);

		if (!theirs || !val_equal(mine, theirs))
			return false;
		other = theirs->next;
	}
	return true;
}

bool val_equal(const struct val *a, const struct val *b)
{
	if (!a || !b)
		return a == b;
	if ((a->type == VAL_INT || a->type == VAL_FLOAT) && (b->type == VAL_INT || b->type == VAL_FLOAT))
		return same_number(a, b);
	if (a->type != b->type)
		return false;
	switch ((enum val_type)a->type) {
	case VAL_NULL:
		return true;
	case VAL_BOOL:
		return a->b == b->b;
	case VAL_STRING:
		return strcmp(a->s, b->s) == 0;
	case VAL_LIST:
		if (a->nr != b->nr)
			return false;
		for (const struct val *x = a->first, *y = b->first; x && y; x = x->next, y = y->next)
			if (!val_equal(x, y))
				return false;
		return true;
	case VAL_MAP:
		return same_map(a, b);
	case VAL_INT:
	case VAL_FLOAT:
		break;
	}
	return false;
}

/* ---- making */

struct val *val_new(struct arena *a, enum val_type type)
{
	struct val *v = arena_make(a, struct val);

	v->type = (uint8_t)type;
	if (type == VAL_STRING)
		v->s = "";
	return v;
}

struct val *val_string(struct arena *a, const char *s)
{
	struct val *v = val_new(a, VAL_STRING);

	v->nr = (uint32_t)strlen(s);
	v->s = arena_strndup(a, s, v->nr);
	return v;
}

struct val *val_int(struct arena *a, int64_t i)
{
	struct val *v = val_new(a, VAL_INT);

	v->i = i;
	return v;
}

struct val *val_bool(struct arena *a, bool b)
{
	struct val *v = val_new(a, VAL_BOOL);

	v->b = b;
	return v;
}

static void append(struct val *holder, struct val *item)
{
	struct val *last = holder->last;

	item->next = NULL;
	if (!holder->first) {
		holder->first = item;
	} else {
		if (!last || last->next)                /* built by hand */
			for (last = holder->first; last->next; last = last->next)
				;
		last->next = item;
	}
	holder->last = item;
	holder->nr++;
}

struct val *val_add(struct arena *a, struct val *list, struct val *item)
{
	(void)a;
	item->key = NULL;
	append(list, item);
	return item;
}

struct val *val_put(struct arena *a, struct val *map, const char *key, struct val *v)
{
	v->flags &= (uint8_t)~VAL_AGAIN;
	if (map->flags & VAL_REPEATS)
		val_del(map, key);
	for (struct val *m = map->first, *before = NULL; m; before = m, m = m->next) {
		if (strcmp(m->key, key) != 0)
			continue;
		v->key = m->key;
		v->next = m->next;
		if (before)
			before->next = v;
		else
			map->first = v;
		if (!v->next)
			map->last = v;
		return v;
	}
	return val_put_new(a, map, key, v);
}

struct val *val_put_new(struct arena *a, struct val *map, const char *key, struct val *v)
{
	v->flags &= (uint8_t)~VAL_AGAIN;
	v->key = arena_strdup(a, key);
	append(map, v);
	return v;
}

struct val *val_get_or_put(struct arena *a, struct val *map, const char *key, enum val_type type)
{
	struct val *have = val_get_mut(map, key);

	return have ? have : val_put(a, map, key, val_new(a, type));
}

bool val_del(struct val *map, const char *key)
{
	struct val **at = &map->first;
	bool found = false;

	map->last = NULL;
	while (*at) {
		if (strcmp((*at)->key, key) == 0) {
			*at = (*at)->next;
			map->nr--;
			found = true;
			continue;
		}
		map->last = *at;
		at = &(*at)->next;
	}
	return found;
}

static uint32_t hash_key(const char *s)
{
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

/* Few keys are compared each with all before it, many go through a table. */
static struct val *first_of_key(struct val *map, struct val *m, struct val **slot, uint32_t mask)
{
	uint32_t at;

	if (!slot) {
		for (struct val *b = map->first; b != m; b = b->next)
			if (b->key[0] == m->key[0] && strcmp(b->key, m->key) == 0)
				return b;
		return NULL;
	}
	for (at = hash_key(m->key) & mask; slot[at]; at = (at + 1) & mask)
		if (strcmp(slot[at]->key, m->key) == 0)
			return slot[at];
	slot[at] = m;
	return NULL;
}

/* Only the last of each key stays, at the place of the first. */
static void drop_repeats(struct val *map, struct val **slot, uint32_t mask)
{
	for (struct val *m = map->first, *before = NULL; m; m = m->next) {
		if (m->flags & VAL_AGAIN) {
			struct val *first = first_of_key(map, m, slot, mask), *next = first->next;

			before->next = m->next;
			*first = *m;
			first->next = next == m ? m->next : next;
			first->flags &= (uint8_t)~VAL_AGAIN;
			map->nr--;
		} else {
			before = m;
		}
		map->last = before;
	}
	map->flags &= (uint8_t)~VAL_REPEATS;
}

void map_mark_repeats(struct val *map, struct arena *a, bool drop)
{
	struct arena_mark mark = arena_mark(a);
	struct val **slot = NULL;
	uint32_t alloc = 64;

	while (alloc < map->nr * 2)
		alloc *= 2;
	if (map->nr >= 16)
		slot = arena_array(a, struct val *, alloc);
	for (struct val *m = map->first; m; m = m->next)
		if (first_of_key(map, m, slot, alloc - 1)) {
			m->flags |= VAL_AGAIN;
			map->flags |= VAL_REPEATS;
		}
	if (drop && map->flags & VAL_REPEATS)
		drop_repeats(map, slot, alloc - 1);
	if (slot)
		arena_rewind(a, mark);
}

/* The node alone, for another place; what it holds is shared. */
static struct val *move(struct arena *a, const struct val *v)
{
	struct val *to = arena_copy(a, v, sizeof(*v));

	to->next = NULL;
	to->key = NULL;
	to->flags &= (uint8_t)~VAL_AGAIN;
	return to;
}

#define LONG_TEXT 256           /* bytes; longer ones hardly come twice */

/* The node alone, with its texts behind it; with a table, its texts are the table's. */
static struct val *copy_node(struct arena *a, struct strtab *t, const struct val *v, const char *key)
{
	bool own_text = v->type == VAL_STRING && (!t || v->nr > LONG_TEXT);
	size_t key_size = key && !t ? strlen(key) + 1 : 0, text = own_text ? v->nr : 0;
	struct val *to = arena_alloc(a, sizeof(*to) + key_size + (own_text ? text + 1 : 0), alignof(struct val));
	char *behind = (char *)(to + 1);

	*to = *v;
	to->next = NULL;
	to->flags &= (uint8_t)~VAL_INTERNED;
	to->key = !key ? NULL : t ? str_intern(t, key) : memcpy(behind, key, key_size);
	if (own_text) {
		to->s = behind + key_size;
		if (text)
			memcpy(behind + key_size, v->s, text);
	} else if (v->type == VAL_STRING) {
		to->s = str_intern_n(t, v->s, v->nr);
		to->flags |= VAL_INTERNED;
	}
	return to;
}

static struct val *copy(struct arena *a, struct strtab *t, const struct val *v, const char *key)
{
	struct val *to = copy_node(a, t, v, key);

	if (!holds(v))
		return to;
	to->first = to->last = NULL;
	to->nr = 0;
	for (const struct val *m = v->first; m; m = m->next)
		append(to, copy(a, t, m, m->key));
	return to;
}

struct val *val_copy_interned(struct arena *a, struct strtab *t, const struct val *v)
{
	struct val *to = v ? copy(a, t, v, NULL) : NULL;

	if (to)
		to->flags &= (uint8_t)~VAL_AGAIN;
	return to;
}

struct val *val_copy(struct arena *a, const struct val *v)
{
	return val_copy_interned(a, NULL, v);
}

struct val *val_merge_patch(struct arena *a, const struct val *to, const struct val *patch)
{
	struct val *merged;

	if (!val_is(patch, VAL_MAP))
		return val_copy(a, patch);
	merged = val_new(a, VAL_MAP);
	merged->line = val_is(to, VAL_MAP) ? to->line : patch->line;
	merged->col = val_is(to, VAL_MAP) ? to->col : patch->col;
	for (const struct val *m = val_is(to, VAL_MAP) ? to->first : NULL; m; m = m->next) {
		const struct val *p = val_get(patch, m->key), *now = val_get(to, m->key);

		if (!(m->flags & VAL_AGAIN) && !val_is(p, VAL_NULL))
			val_put(a, merged, m->key, p ? val_merge_patch(a, now, p) : move(a, now));
	}
	for (const struct val *p = patch->first; p; p = p->next)
		if (!val_get(to, p->key) && !val_is(val_get(patch, p->key), VAL_NULL))
			val_put(a, merged, p->key, val_merge_patch(a, NULL, val_get(patch, p->key)));
	return merged;
}
