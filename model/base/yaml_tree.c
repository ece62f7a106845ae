/* YAML: a tree out of libyaml's events: scalars and their tags, anchors, merges. A List of a stream is handed over item by item. */
#include "model/base/scalar.h"
#include "model/base/yaml_reader.h"

#define TAG "tag:yaml.org,2002:"

/* ---- scalars */

static bool is_tag(const char *tag, const char *name)
{
	return tag && strncmp(tag, TAG, strlen(TAG)) == 0 && strcmp(tag + strlen(TAG), name) == 0;
}

static bool decode_binary(struct yaml *y, const char *s, size_t n, struct val *v)
{
	size_t nr = 0;
	const char *to = (const char *)base64_decode(y->arena, s, n, &nr);

	if (!to)
		return yaml_fail(y, "!!binary value is not base64");
	if (memchr(to, '\0', nr) || !utf8_valid(to, nr))
		return yaml_fail(y, "!!binary value is not text");
	v->s = to;
	v->nr = (uint32_t)nr;
	return true;
}

static bool set_string(struct yaml *y, const char *s, size_t n, struct val *v)
{
	if (memchr(s, '\0', n))
		return yaml_fail(y, "a string may not hold the character \\0");
	if (n > y->budget->scalar)
		return yaml_fail(y, "the string has %zu bytes, more than the limit of %u", n, y->budget->scalar);
	v->type = VAL_STRING;
	v->s = arena_strndup(y->arena, s, n);
	v->nr = (uint32_t)n;
	return true;
}

/* A scalar with one of YAML's own tags has to be that. */
static bool check_tag(struct yaml *y, const char *tag, const char *text, const struct val *v)
{
	bool number = v->type == VAL_INT || v->type == VAL_FLOAT;

	if ((is_tag(tag, "int") && v->type == VAL_INT) || (is_tag(tag, "float") && number) || (is_tag(tag, "bool") && v->type == VAL_BOOL) ||
	    (is_tag(tag, "null") && v->type == VAL_NULL))
		return true;
	return yaml_fail(y, "cannot read \"%.60s\" as !!%s", text, tag + strlen(TAG));
}

static bool set_scalar(struct yaml *y, struct val *v)
{
	const char *s = (const char *)y->event.data.scalar.value, *tag = (const char *)y->event.data.scalar.tag;
	size_t n = y->event.data.scalar.length;
	bool own = is_tag(tag, "int") || is_tag(tag, "float") || is_tag(tag, "bool") || is_tag(tag, "null");

	if (is_tag(tag, "binary")) {
		v->type = VAL_STRING;
		return decode_binary(y, s, n, v);
	}
	if (tag ? !own : y->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return set_string(y, s, n, v);
	if (!scalar_resolve(s, n, v))
		return yaml_fail(y, "%s has no value in JSON", s);
	if (own && !check_tag(y, tag, s, v))
		return false;
	return v->type != VAL_STRING || set_string(y, s, n, v);
}

/* What is no string becomes one in a key: convertToJSONableObject of sigs.k8s.io/yaml. */
static const char *key_text(struct yaml *y, const struct val *k)
{
	char text[NUMBER_TEXT];

	switch ((enum val_type)k->type) {
	case VAL_STRING:
		return k->s;
	case VAL_BOOL:
		return k->b ? "true" : "false";
	case VAL_INT:
		return arena_printf(y->arena, "%" PRId64, k->i);
	case VAL_FLOAT:
		return arena_strdup(y->arena, number_yaml(k->f, text));
	case VAL_NULL:
		return yaml_fail(y, "a key may not be null");
	case VAL_LIST:
	case VAL_MAP:
		break;
	}
	return yaml_fail(y, "a key must be a string, not an %s", val_type_names[k->type]);
}

/* ---- anchors */

static struct anchor *find_anchor(struct yaml *y, const char *name)
{
	for (uint32_t k = y->anchors.nr; k-- > 0;)
		if (strcmp(y->anchors.v[k].name, name) == 0)
			return &y->anchors.v[k];
	return NULL;
}

static uint32_t add_anchor(struct yaml *y, const char *name)
{
	vec_add(y->arena, &y->anchors, (struct anchor){ .name = arena_strdup(y->arena, name), .line = y->line + (uint32_t)y->event.start_mark.line + 1 });
	return y->anchors.nr - 1;
}

static struct val *copy_shared(struct yaml *y, const struct val *v)
{
	struct val *to = arena_copy(y->arena, v, sizeof(*v)), **at = &to->first;

	to->next = NULL;
	if (v->type != VAL_MAP && v->type != VAL_LIST)
		return to;
	for (const struct val *m = v->first; m; m = m->next) {
		*at = to->last = copy_shared(y, m);
		at = &to->last->next;
	}
	return to;
}

/* The place to look at is where it begins: at the first anchor. */
static void *too_many(struct yaml *y)
{
	const struct anchor *a = y->anchors.v;
	struct where w = { .file = y->file, .line = a->line };

	err_add(y->err, ERR_INPUT, &w, "bad YAML: the aliases of \"%s\" and what follows expand to more than %u values, by line %zu", a->name,
		y->budget->aliased, y->line + y->event.start_mark.line + 1);
	return NULL;
}

static struct val *expand_alias(struct yaml *y)
{
	const char *name = (const char *)y->event.data.alias.anchor;
	struct anchor *a = find_anchor(y, name);
	struct val *v;

	if (!a)
		return yaml_fail(y, "unknown anchor \"%s\"", name);
	if (!a->v)
		return yaml_fail(y, "anchor \"%s\" contains itself", name);
	if (a->nodes > y->budget->aliased - y->aliased)
		return too_many(y);
	y->aliased += a->nodes;
	y->nodes += a->nodes - 1;
	v = copy_shared(y, a->v);
	v->key = NULL;
	return v;
}

/* ---- the tree */

/* `<<`: the members of another map, or of several, of which the earlier ones count. As in goyaml.v2 a merge behind a key replaces it. */
static bool merge(struct yaml *y, struct val *map, const struct val *from)
{
	if (from->type == VAL_LIST) {
		for (uint32_t k = from->nr; k-- > 0;)
			if (!val_is(val_at(from, k), VAL_MAP) || !merge(y, map, val_at(from, k)))
				return yaml_fail(y, "<< needs an object or an array of objects");
		return true;
	}
	if (from->type != VAL_MAP)
		return yaml_fail(y, "<< needs an object or an array of objects");
	for (const struct val *m = from->first; m; m = m->next) {
		struct val *copy = arena_copy(y->arena, m, sizeof(*m));

		copy->next = NULL;
		copy->flags &= (uint8_t)~VAL_AGAIN;
		docs_append(map, copy);
	}
	return true;
}

/* An item leaves the arena before the next comes, unless it has anchors that a later one may name. */
static bool give_items(struct yaml *y)
{
	uint32_t anchors = y->anchors.nr;

	y->streamed = true;
	if (!yaml_next(y))
		return false;
	while (y->event.type != YAML_SEQUENCE_END_EVENT) {
		struct arena_mark mark = arena_mark(y->arena);
		struct list_kind list = y->list;
		struct val *item;

		y->list = (struct list_kind){ 0 };
		y->nodes = 0;
		item = yaml_build(y);
		if (!item || !stream_give(y->stream, item, &list))
			return false;
		y->list = list;
		if (y->anchors.nr == anchors)
			arena_rewind(y->arena, mark);
		if (!yaml_next(y))
			return false;
	}
	return true;
}

/* At the event of a key. *merging: it is `<<` and not a key. */
static const char *read_key(struct yaml *y, bool *merging)
{
	const char *anchor;
	struct val k = { 0 };
	const struct val *v;
	uint32_t at;

	*merging = false;
	if (y->event.type == YAML_ALIAS_EVENT) {
		v = expand_alias(y);
		return v ? key_text(y, v) : NULL;
	}
	if (y->event.type != YAML_SCALAR_EVENT)
		return yaml_fail(y, "a key must be a string, not an %s", y->event.type == YAML_MAPPING_START_EVENT ? "object" : "array");
	if (!set_scalar(y, &k))
		return NULL;
	anchor = (const char *)y->event.data.scalar.anchor;
	if (anchor) {
		at = add_anchor(y, anchor);
		y->anchors.v[at].nodes = 1;
		y->anchors.v[at].v = arena_copy(y->arena, &k, sizeof(k));
	}
	*merging = y->event.data.scalar.plain_implicit && val_is(&k, VAL_STRING) && strcmp(k.s, "<<") == 0;
	return key_text(y, &k);
}

static void set_place(const struct yaml *y, struct val *v, yaml_mark_t at)
{
	v->line = y->line + (uint32_t)at.line + 1;
	v->col = (uint16_t)MIN(at.column + 1, UINT16_MAX);
}

static bool build_map(struct yaml *y, struct val *map)
{
	bool merged = false;

	for (;;) {
		const char *key;
		struct val *v;
		yaml_mark_t at;
		bool merging;

		if (!yaml_next(y))
			return false;
		if (y->event.type == YAML_MAPPING_END_EVENT)
			break;
		at = y->event.start_mark;
		key = read_key(y, &merging);
		if (!key || !yaml_next(y))
			return false;
		if (y->list.is_list && y->depth == 1 && strcmp(key, "items") == 0 && y->event.type == YAML_SEQUENCE_START_EVENT) {
			if (!give_items(y))
				return false;
			continue;
		}
		v = yaml_build(y);
		if (!v || (merging && !merge(y, map, v)))
			return false;
		merged |= merging;
		if (v->line > y->line + at.line + 1 && v->type >= VAL_LIST)   /* a block begins at its key */
			set_place(y, v, at);
		v->key = key;
		if (!merging)
			docs_append(map, v);
	}
	map_mark_repeats(map, y->arena, merged);
	return true;
}

static bool build_list(struct yaml *y, struct val *list)
{
	for (;;) {
		struct val *v;

		if (!yaml_next(y))
			return false;
		if (y->event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		v = yaml_build(y);
		if (!v)
			return false;
		docs_append(list, v);
	}
}

static bool fill(struct yaml *y, struct val *v)
{
	bool ok;

	if (y->event.type == YAML_SCALAR_EVENT)
		return set_scalar(y, v);
	if (y->depth >= y->budget->depth)
		return yaml_fail(y, "nested deeper than %u", y->budget->depth);
	v->type = y->event.type == YAML_MAPPING_START_EVENT ? VAL_MAP : VAL_LIST;
	y->depth++;
	ok = v->type == VAL_MAP ? build_map(y, v) : build_list(y, v);
	y->depth--;
	return ok;
}

static const char *anchor_of(const yaml_event_t *e)
{
	return (const char *)(e->type == YAML_SCALAR_EVENT ? e->data.scalar.anchor :
			      e->type == YAML_MAPPING_START_EVENT ? e->data.mapping_start.anchor : e->data.sequence_start.anchor);
}

struct val *yaml_build(struct yaml *y)
{
	uint32_t before = y->nodes, at = 0;
	const char *anchor;
	struct val *v;

	if (++y->nodes > y->budget->nodes)
		return yaml_fail(y, "more than %u values in one object", y->budget->nodes);
	if (y->event.type == YAML_ALIAS_EVENT)
		return expand_alias(y);
	v = arena_make(y->arena, struct val);
	set_place(y, v, y->event.start_mark);
	anchor = anchor_of(&y->event);
	if (anchor)
		at = add_anchor(y, anchor);
	if (!fill(y, v))
		return NULL;
	if (anchor) {
		y->anchors.v[at].nodes = y->nodes - before;
		y->anchors.v[at].v = v;
	}
	return v;
}
