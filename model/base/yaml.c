/* YAML: libyaml's events into a tree, with the line and column of every value. A List in block style is read item by item. */
#include "model/base/docs.h"
#include "model/base/scalar.h"

#include <stdarg.h>
#include <yaml.h>

#define TAG "tag:yaml.org,2002:"

struct anchor {
	const char *name;
	const struct val *v;            /* NULL: its value is not complete */
	uint32_t nodes;                 /* values in it */
	uint32_t line;
};

struct yaml {
	yaml_parser_t parser;
	yaml_event_t event;             /* the one at hand */
	const char *text, *end, *fed;   /* fed: up to where libyaml has the text */
	size_t taken;                   /* bytes that libyaml had when the event at hand came */
	bool too_long;
	uint32_t line;                  /* lines before the text */
	uint32_t depth, nodes, aliased;
	const struct doc_budget *budget;
	struct arena *arena;
	const char *file;
	struct err *err;
	struct stream *stream;          /* NULL: a single text */
	struct list_kind list;          /* of the document at hand */
	bool streamed;                  /* its items have been handed over */
	VEC(struct anchor) anchors;
};

static struct where place(const struct yaml *y, yaml_mark_t m)
{
	return (struct where){ .file = y->file, .line = y->line + (uint32_t)m.line + 1, .col = (uint32_t)m.column + 1 };
}

static void *fail(struct yaml *y, const char *fmt, ...) PRINTF(2, 3);
static void *fail(struct yaml *y, const char *fmt, ...)
{
	struct where w = place(y, y->event.start_mark);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_add(y->err, ERR_INPUT, &w, "bad YAML: %s", text);
	return NULL;
}

/* ---- feeding libyaml */

/* One scalar or comment stands in memory as a whole, so its length is bounded: what is fed since the last event. */
static int feed(void *ctx, unsigned char *buf, size_t size, size_t *got)
{
	struct yaml *y = ctx;
	size_t left = (size_t)(y->end - y->fed);

	*got = MIN(size, left);
	if ((size_t)(y->fed - y->text) - y->taken > (size_t)y->budget->scalar + 65536) {
		y->too_long = true;
		return 0;
	}
	if (*got)
		memcpy(buf, y->fed, *got);
	y->fed += *got;
	if (y->stream)
		stream_passed(y->stream, y->fed);
	return 1;
}

static uint32_t lines_before(const char *text, const char *at)
{
	uint32_t n = 0;

	while ((text = memchr(text, '\n', (size_t)(at - text)))) {
		n++;
		text++;
	}
	return n;
}

/* libyaml's own words. What its reader refuses has an offset instead of a line. */
static bool parser_error(struct yaml *y, yaml_mark_t last)
{
	const yaml_parser_t *p = &y->parser;
	struct where w = place(y, p->problem_mark);
	const char *problem = p->problem ? p->problem : "cannot be read";

	if (y->too_long) {
		w = place(y, last);
		return err_add(y->err, ERR_INPUT, &w, "bad YAML: what begins here goes on for more than %u bytes", y->budget->scalar);
	}
	if (p->error == YAML_READER_ERROR) {
		const char *at = y->text + MIN(p->problem_offset, (size_t)(y->end - y->text));
		const char *bol = at;

		while (bol > y->text && bol[-1] != '\n')
			bol--;
		w.line = y->line + lines_before(y->text, at) + 1;
		w.col = (uint32_t)(at - bol) + 1;
		if (p->problem_value >= 0)
			return err_add(y->err, ERR_INPUT, &w, "bad YAML: %s (0x%02x)", problem, (unsigned)p->problem_value);
	} else if (p->context && p->context_mark.line != p->problem_mark.line) {
		return err_add(y->err, ERR_INPUT, &w, "bad YAML: %s %s that begins on line %zu", problem, p->context, y->line + p->context_mark.line + 1);
	} else if (p->context) {
		return err_add(y->err, ERR_INPUT, &w, "bad YAML: %s %s", problem, p->context);
	}
	return err_add(y->err, ERR_INPUT, &w, "bad YAML: %s", problem);
}

static bool next(struct yaml *y)
{
	yaml_mark_t last = y->event.end_mark;

	yaml_event_delete(&y->event);
	y->taken = (size_t)(y->fed - y->text);
	return yaml_parser_parse(&y->parser, &y->event) || parser_error(y, last);
}

/* ---- scalars */

static bool is_tag(const char *tag, const char *name)
{
	return tag && strncmp(tag, TAG, strlen(TAG)) == 0 && strcmp(tag + strlen(TAG), name) == 0;
}

static int base64_value(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool decode_binary(struct yaml *y, const char *s, size_t n, struct val *v)
{
	char *to = arena_alloc(y->arena, n + 1, 1);
	uint32_t bits = 0, nr = 0, have = 0;

	for (size_t k = 0; k < n && s[k] != '='; k++) {
		int d = base64_value(s[k]);

		if (s[k] == '\n' || s[k] == ' ' || s[k] == '\t' || s[k] == '\r')
			continue;
		if (d < 0)
			return fail(y, "!!binary value is not base64");
		bits = (bits << 6 | (uint32_t)d) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			to[nr++] = (char)(bits >> have & 0xff);
		}
	}
	if (memchr(to, '\0', nr) || !utf8_valid(to, nr))
		return fail(y, "!!binary value is not text");
	v->s = to;
	v->nr = nr;
	return true;
}

static bool set_string(struct yaml *y, const char *s, size_t n, struct val *v)
{
	if (memchr(s, '\0', n))
		return fail(y, "a string may not hold the character \\0");
	if (n > y->budget->scalar)
		return fail(y, "the string has %zu bytes, more than the limit of %u", n, y->budget->scalar);
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
	return fail(y, "cannot read \"%.60s\" as !!%s", text, tag + strlen(TAG));
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
		return fail(y, "%s has no value in JSON", s);
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
		return fail(y, "a key may not be null");
	case VAL_LIST:
	case VAL_MAP:
		break;
	}
	return fail(y, "a key must be a string, not an %s", val_type_names[k->type]);
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
		return fail(y, "unknown anchor \"%s\"", name);
	if (!a->v)
		return fail(y, "anchor \"%s\" contains itself", name);
	if (a->nodes > y->budget->aliased - y->aliased)
		return too_many(y);
	y->aliased += a->nodes;
	y->nodes += a->nodes - 1;
	v = copy_shared(y, a->v);
	v->key = NULL;
	return v;
}

/* ---- the tree */

static struct val *build(struct yaml *y);

static void append(struct val *holder, struct val *v)
{
	if (holder->first)
		holder->last->next = v;
	else
		holder->first = v;
	holder->last = v;
	holder->nr++;
}

/* `<<`: the members of another map, or of several, of which the earlier ones count. As in goyaml.v2 a merge behind a key replaces it. */
static bool merge(struct yaml *y, struct val *map, const struct val *from)
{
	if (from->type == VAL_LIST) {
		for (uint32_t k = from->nr; k-- > 0;)
			if (!val_is(val_at(from, k), VAL_MAP) || !merge(y, map, val_at(from, k)))
				return fail(y, "<< needs an object or an array of objects");
		return true;
	}
	if (from->type != VAL_MAP)
		return fail(y, "<< needs an object or an array of objects");
	for (const struct val *m = from->first; m; m = m->next) {
		struct val *copy = arena_copy(y->arena, m, sizeof(*m));

		copy->next = NULL;
		copy->flags &= (uint8_t)~VAL_AGAIN;
		append(map, copy);
	}
	return true;
}

/* An item leaves the arena before the next comes, unless it has anchors that a later one may name. */
static bool give_items(struct yaml *y)
{
	uint32_t anchors = y->anchors.nr;

	y->streamed = true;
	if (!next(y))
		return false;
	while (y->event.type != YAML_SEQUENCE_END_EVENT) {
		struct arena_mark mark = arena_mark(y->arena);
		struct list_kind list = y->list;
		struct val *item;

		y->list = (struct list_kind){ 0 };
		y->nodes = 0;
		item = build(y);
		if (!item || !stream_give(y->stream, item, &list))
			return false;
		y->list = list;
		if (y->anchors.nr == anchors)
			arena_rewind(y->arena, mark);
		if (!next(y))
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
		return fail(y, "a key must be a string, not an %s", y->event.type == YAML_MAPPING_START_EVENT ? "object" : "array");
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

		if (!next(y))
			return false;
		if (y->event.type == YAML_MAPPING_END_EVENT)
			break;
		at = y->event.start_mark;
		key = read_key(y, &merging);
		if (!key || !next(y))
			return false;
		if (y->list.is_list && y->depth == 1 && strcmp(key, "items") == 0 && y->event.type == YAML_SEQUENCE_START_EVENT) {
			if (!give_items(y))
				return false;
			continue;
		}
		v = build(y);
		if (!v || (merging && !merge(y, map, v)))
			return false;
		merged |= merging;
		if (v->line > y->line + at.line + 1 && v->type >= VAL_LIST)   /* a block begins at its key */
			set_place(y, v, at);
		v->key = key;
		if (!merging)
			append(map, v);
	}
	map_mark_repeats(map, y->arena, merged);
	return true;
}

static bool build_list(struct yaml *y, struct val *list)
{
	for (;;) {
		struct val *v;

		if (!next(y))
			return false;
		if (y->event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		v = build(y);
		if (!v)
			return false;
		append(list, v);
	}
}

static bool fill(struct yaml *y, struct val *v)
{
	bool ok;

	if (y->event.type == YAML_SCALAR_EVENT)
		return set_scalar(y, v);
	if (y->depth >= y->budget->depth)
		return fail(y, "nested deeper than %u", y->budget->depth);
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

/* The value that begins with the event at hand; its last event is at hand afterwards. */
static struct val *build(struct yaml *y)
{
	uint32_t before = y->nodes, at = 0;
	const char *anchor;
	struct val *v;

	if (++y->nodes > y->budget->nodes)
		return fail(y, "more than %u values in one object", y->budget->nodes);
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

/* ---- documents */

static void start(struct yaml *y, const char *text, size_t len)
{
	y->text = y->fed = text;
	y->end = text + len;
	if (!yaml_parser_initialize(&y->parser))
		abort();
	yaml_parser_set_input(&y->parser, feed, y);
	yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
}

static void finish(struct yaml *y)
{
	yaml_event_delete(&y->event);
	yaml_parser_delete(&y->parser);
}

/* → at a document's first event, or at the end of the stream. */
static bool find_document(struct yaml *y)
{
	do {
		if (!next(y))
			return false;
	} while (y->event.type == YAML_STREAM_START_EVENT || y->event.type == YAML_DOCUMENT_END_EVENT);
	y->depth = y->nodes = y->aliased = 0;
	y->anchors.nr = y->anchors.alloc = 0;
	y->anchors.v = NULL;
	return y->event.type != YAML_DOCUMENT_START_EVENT || next(y);
}

/* Past the end of the document at hand, where only another may begin. */
static bool find_end(struct yaml *y)
{
	while (y->event.type != YAML_DOCUMENT_END_EVENT)
		if (!next(y))
			return false;
	return next(y);
}

struct val *yaml_parse(struct arena *a, const char *file, const char *text, size_t len, const struct doc_budget *b, struct err *err)
{
	struct doc_budget budget = budget_or_default(b);
	struct yaml y = { .budget = &budget, .arena = a, .file = file, .err = err };
	struct val *v = NULL;

	start(&y, text, len);
	if (find_document(&y)) {
		v = y.event.type == YAML_STREAM_END_EVENT ? val_new(a, VAL_NULL) : build(&y);
		if (v && y.event.type != YAML_STREAM_END_EVENT && (!find_document(&y) || y.event.type != YAML_STREAM_END_EVENT))
			v = err_any(err) ? NULL : fail(&y, "only one document was expected");
	}
	finish(&y);
	return v;
}

/* The value of a key at the left margin, from the text alone: whether a document is a List must be known before its items. */
static const char *margin_value(const char *text, const char *end, const char *key, size_t *n)
{
	size_t len = strlen(key);

	for (const char *p = text; p && p < end; p = memchr(p, '\n', (size_t)(end - p)), p = p ? p + 1 : NULL) {
		const char *to;

		if ((size_t)(end - p) <= len || memcmp(p, key, len) != 0)
			continue;
		for (p += len; p < end && (*p == ' ' || *p == '"' || *p == '\''); p++)
			;
		for (to = p; to < end && *to > ' ' && *to != '"' && *to != '\'' && *to != '#'; to++)
			;
		*n = (size_t)(to - p);
		return p;
	}
	return NULL;
}

static void look_ahead(struct yaml *y)
{
	size_t api_len = 0, kind_len, len;
	const char *kind = margin_value(y->text, y->end, "kind:", &kind_len), *api;

	y->list = (struct list_kind){ 0 };
	y->streamed = false;
	if (!kind || kind_len < 4 || memcmp(kind + kind_len - 4, "List", 4) != 0 || !margin_value(y->text, y->end, "items:", &len) ||
	    margin_value(y->text, y->end, "...", &len))
		return;
	api = margin_value(y->text, y->end, "apiVersion:", &api_len);
	list_kind_set(&y->list, api ? api : "", api_len, kind, kind_len);
}

/* libyaml's documents from `text` on: one, or all that there are. */
static bool read_documents(struct stream *s, uint32_t lines, const char *text, size_t len, bool one)
{
	struct yaml y = { .line = lines, .budget = &s->budget, .arena = s->scratch, .file = s->file, .err = s->err, .stream = s };
	bool ok = true;

	start(&y, text, len);
	do {
		struct arena_mark mark = arena_mark(s->scratch);
		struct val *v;

		ok = find_document(&y);
		if (!ok || y.event.type == YAML_STREAM_END_EVENT)
			break;
		look_ahead(&y);
		v = build(&y);
		ok = v && (y.streamed || v->type == VAL_NULL || stream_give(s, v, NULL)) && (!one || find_end(&y));
		if (!ok)
			break;
		arena_rewind(s->scratch, mark);
	} while (!one);
	finish(&y);
	return ok;
}

/* Where the next document begins: at the next line of ---. Directives and ... make documents end elsewhere: NULL, libyaml has to find them. */
static const char *next_document(const char *text, const char *end)
{
	if (text < end && (*text == '%' || *text == '.'))
		return NULL;
	for (const char *p = text; (p = memchr(p, '\n', (size_t)(end - p)));) {
		if (++p == end)
			break;
		if (*p == '%' || (*p == '.' && end - p >= 3 && memcmp(p, "...", 3) == 0))
			return NULL;
		if (*p == '-' && end - p >= 3 && memcmp(p, "---", 3) == 0 && (end - p == 3 || strchr(" \t\r\n", p[3])))
			return p;
	}
	return end;
}

#define PLAIN_MOST (256u << 10)         /* a larger document may be a List, of which libyaml's reader hands over item by item */

bool yaml_stream(struct stream *s, const char *text, size_t len)
{
	const char *end = text + len;
	uint32_t lines = s->line;

	while (text < end) {
		const char *next = next_document(text, end);
		struct arena_mark mark = arena_mark(s->scratch);
		struct val *v = NULL;
		bool empty = false;

		if (!next)
			return read_documents(s, lines, text, (size_t)(end - text), false);
		if ((size_t)(next - text) <= PLAIN_MOST)
			v = yaml_plain(s->scratch, &s->budget, lines, text, (size_t)(next - text), &empty);
		if (v && !stream_give(s, v, NULL))
			return false;
		if (!v)
			arena_rewind(s->scratch, mark);
		if (!v && !empty && !read_documents(s, lines, text, (size_t)(end - text), true))
			return false;
		arena_rewind(s->scratch, mark);
		lines += lines_before(text, next);
		text = next;
		stream_passed(s, text);
	}
	return true;
}
