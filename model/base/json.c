/* JSON, read strictly (RFC 8259) into a tree, with the line and column of every value. A List is read item by item. */
#include "model/base/docs.h"
#include "model/base/scalar.h"

#include <stdarg.h>

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u
#define BLANKS 0x2020202020202020u

struct json {
	const char *p, *end, *bol;      /* bol: where the line begins */
	uint32_t line, depth, nodes;
	const struct doc_budget *budget;
	struct arena *arena;
	const char *file;
	struct err *err;
	struct stream *stream;          /* NULL: a single text */
	struct list_kind list;          /* of the value at hand */
};

static uint32_t column(const struct json *j, const char *at)
{
	return (uint32_t)(at - j->bol) + 1;
}

static void *fail(struct json *j, const char *at, const char *fmt, ...) PRINTF(3, 4);
static void *fail(struct json *j, const char *at, const char *fmt, ...)
{
	struct where w = { .file = j->file, .line = j->line, .col = column(j, at) };
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_add(j->err, ERR_INPUT, &w, "bad JSON: %s", text);
	if (j->stream)
		j->stream->broken = true;
	return NULL;
}

static void *unexpected(struct json *j, const char *wanted)
{
	if (j->p >= j->end)
		return fail(j, j->p, "the text ends where %s was expected", wanted);
	if (*j->p > ' ' && *j->p < 0x7f)
		return fail(j, j->p, "expected %s, found '%c'", wanted, *j->p);
	return fail(j, j->p, "expected %s, found byte 0x%02x", wanted, (unsigned char)*j->p);
}

/* Over blanks; what is indented has many in a row. */
static inline const char *over_blanks(const char *p, const char *end)
{
	uint64_t w;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		if (w != BLANKS)
			break;
	}
	while (p < end && *p == ' ')
		p++;
	return p;
}

static void skip_space(struct json *j)
{
	const char *p = j->p, *end = j->end;

	for (; p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'); p++) {
		if (*p == '\n') {
			j->line++;
			j->bol = p + 1;
		}
		p = over_blanks(p + 1, end) - 1;
	}
	j->p = p;
}

/* ---- strings */

/* The first byte at or behind p that ends a run of plain ASCII: a quote, a backslash, a control character, a byte above 0x7f. */
static const char *plain_end(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t w, odd;

		memcpy(&w, p, 8);
		odd = (w - 0x2020202020202020u) | ((w ^ 0x2222222222222222u) - ONES) | ((w ^ 0x5c5c5c5c5c5c5c5cu) - ONES) | w;
		if (odd & HIGHS) {              /* the lowest that is marked is meant; those above it may be marked by what was borrowed */
			if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
				return p + (__builtin_ctzll(odd & HIGHS) >> 3);
			break;
		}
	}
	while (p < end && *p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\')
		p++;
	return p;
}

static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int k = 0; k < 4; k++) {
		char c = p[k];
		int d = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* \uXXXX at p (behind the u). A surrogate without its other half is U+FFFD, as in Go; \u0000 is refused. */
static const char *unescape_u(struct json *j, const char *p, char **to)
{
	int c = hex4(p, j->end), low;

	if (c < 0)
		return fail(j, p - 2, "\\u needs four hexadecimal digits");
	if (c == 0)
		return fail(j, p - 2, "\\u0000 is not allowed in a string");
	p += 4;
	if (c >= 0xd800 && c < 0xdc00 && j->end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
		low = hex4(p + 2, j->end);
		if (low >= 0xdc00 && low < 0xe000) {
			*to = utf8_put(*to, 0x10000u + ((uint32_t)(c - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
			return p + 6;
		}
	}
	*to = utf8_put(*to, c >= 0xd800 && c < 0xe000 ? 0xfffdu : (uint32_t)c);
	return p;
}

/* Where the string that begins behind the quote at p ends, its end checked; *escaped: it holds backslashes. */
static const char *string_end(struct json *j, const char *p, bool *escaped)
{
	const char *from = p;
	bool ascii = true;

	*escaped = false;
	for (;;) {
		p = plain_end(p, j->end);
		if (p >= j->end)
			return fail(j, from - 1, "the string that begins here does not end");
		if (*p == '"')
			break;
		if (*p == '\\') {
			*escaped = true;
			p += p + 1 < j->end ? 2 : 1;
		} else if ((unsigned char)*p < 0x20) {
			return fail(j, p, "byte 0x%02x must be written as an escape in a string", (unsigned char)*p);
		} else {
			ascii = ascii && (unsigned char)*p < 0x80;
			p++;
		}
	}
	if (!ascii && !utf8_valid(from, (size_t)(p - from)))
		return fail(j, from - 1, "the string is not UTF-8");
	if ((uint64_t)(p - from) > j->budget->scalar)
		return fail(j, from - 1, "the string has %zu bytes, more than the limit of %u", (size_t)(p - from), j->budget->scalar);
	return p;
}

static char *unescape(struct json *j, const char *p, const char *end, uint32_t *len)
{
	char *text = arena_alloc(j->arena, (size_t)(end - p) + 1, 1), *to = text;
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

	while (p < end) {
		const char *k;

		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		p++;
		k = *p ? strchr(names, *p) : NULL;
		if (k) {
			*to++ = values[k - names];
			p++;
		} else if (*p == 'u') {
			p = unescape_u(j, p + 1, &to);
			if (!p)
				return NULL;
		} else {
			return fail(j, p - 1, "unknown escape in a string");
		}
	}
	*len = (uint32_t)(to - text);
	return text;
}

/* At a quote. */
static const char *parse_string(struct json *j, uint32_t *len)
{
	const char *from = j->p + 1, *end;
	bool escaped;

	end = string_end(j, from, &escaped);
	if (!end)
		return NULL;
	j->p = end + 1;
	if (escaped)
		return unescape(j, from, end, len);
	*len = (uint32_t)(end - from);
	return arena_strndup(j->arena, from, *len);
}

/* ---- other values */

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static bool parse_number(struct json *j, struct val *v)
{
	const char *from = j->p, *p = from + (*from == '-'), *digits = p;

	p = skip_digits(p, j->end);
	if (p == digits || (*digits == '0' && p > digits + 1))
		return fail(j, from, p == digits ? "expected a digit behind -" : "a number may not begin with 0");
	if (p < j->end && *p == '.') {
		digits = p + 1;
		p = skip_digits(digits, j->end);
		if (p == digits)
			return fail(j, from, "expected a digit behind the point of a number");
	}
	if (p < j->end && (*p | 0x20) == 'e') {
		p++;
		p += p < j->end && (*p == '-' || *p == '+');
		digits = p;
		p = skip_digits(digits, j->end);
		if (p == digits)
			return fail(j, from, "expected a digit in the exponent of a number");
	}
	if (!number_parse(from, (size_t)(p - from), v))
		return fail(j, from, "the number %.*s is too large", (int)MIN(p - from, 40), from);
	j->p = p;
	return true;
}

static bool parse_word(struct json *j, const char *word, struct val *v, enum val_type type)
{
	size_t n = strlen(word);

	if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0)
		return unexpected(j, "a value");
	j->p += n;
	v->type = (uint8_t)type;
	v->b = *word == 't';
	return true;
}

static struct val *parse_value(struct json *j);

/* The key of a member, and the colon behind it. */
static const char *parse_key(struct json *j)
{
	const char *key;
	uint32_t len;

	skip_space(j);
	if (j->p >= j->end || *j->p != '"')
		return unexpected(j, "a key in quotes");
	key = parse_string(j, &len);
	if (!key)
		return NULL;
	skip_space(j);
	if (j->p >= j->end || *j->p != ':')
		return unexpected(j, "':' behind the key");
	j->p++;
	return key;
}

/* The items of a List, one at a time: each leaves the arena before the next comes. */
static bool give_items(struct json *j)
{
	struct list_kind list = j->list;
	uint32_t nodes = j->nodes;
	bool more;

	j->p++;
	skip_space(j);
	if (j->p < j->end && *j->p == ']') {
		j->p++;
		return true;
	}
	do {
		struct arena_mark mark = arena_mark(j->arena);
		struct val *item;

		j->nodes = nodes;
		j->list = (struct list_kind){ 0 };
		item = parse_value(j);
		if (!item || !stream_give(j->stream, item, &list))
			return false;
		arena_rewind(j->arena, mark);
		stream_passed(j->stream, j->p);
		skip_space(j);
		more = j->p < j->end && *j->p == ',';
		j->p += more;
		if (more)
			skip_space(j);
	} while (more);
	if (j->p >= j->end || *j->p != ']')
		return unexpected(j, "',' or ']'");
	j->p++;
	j->list = list;
	return true;
}

static bool parse_map(struct json *j, struct val *map)
{
	struct val **at = &map->first;

	j->p++;
	skip_space(j);
	if (j->p < j->end && *j->p == '}') {
		j->p++;
		return true;
	}
	for (;;) {
		const char *key = parse_key(j);
		struct val *m;

		if (!key)
			return false;
		skip_space(j);
		if (j->list.is_list && j->depth == 1 && strcmp(key, "items") == 0 && j->p < j->end && *j->p == '[') {
			if (!give_items(j))
				return false;
		} else {
			m = parse_value(j);
			if (!m)
				return false;
			m->key = key;
			*at = map->last = m;
			at = &m->next;
			map->nr++;
		}
		skip_space(j);
		if (j->p >= j->end || (*j->p != ',' && *j->p != '}'))
			return unexpected(j, "',' or '}'");
		if (*j->p++ == '}')
			break;
	}
	map_mark_repeats(map, j->arena, false);
	return true;
}

static bool parse_list(struct json *j, struct val *list)
{
	struct val **at = &list->first;

	j->p++;
	skip_space(j);
	if (j->p < j->end && *j->p == ']') {
		j->p++;
		return true;
	}
	for (;;) {
		struct val *item;

		skip_space(j);
		item = parse_value(j);
		if (!item)
			return false;
		*at = list->last = item;
		at = &item->next;
		list->nr++;
		skip_space(j);
		if (j->p >= j->end || (*j->p != ',' && *j->p != ']'))
			return unexpected(j, "',' or ']'");
		if (*j->p++ == ']')
			return true;
	}
}

/* At the first character of the value. */
static struct val *parse_value(struct json *j)
{
	struct val *v;
	bool ok;

	if (j->p >= j->end)
		return unexpected(j, "a value");
	if (++j->nodes > j->budget->nodes)
		return fail(j, j->p, "more than %u values in one object", j->budget->nodes);
	v = arena_make(j->arena, struct val);
	v->line = j->line;
	v->col = (uint16_t)MIN(column(j, j->p), UINT16_MAX);
	switch (*j->p) {
	case '{':
	case '[':
		if (j->depth >= j->budget->depth)
			return fail(j, j->p, "nested deeper than %u", j->budget->depth);
		v->type = *j->p == '{' ? VAL_MAP : VAL_LIST;
		j->depth++;
		ok = v->type == VAL_MAP ? parse_map(j, v) : parse_list(j, v);
		j->depth--;
		break;
	case '"':
		v->type = VAL_STRING;
		v->s = parse_string(j, &v->nr);
		ok = v->s;
		break;
	case 't':
		ok = parse_word(j, "true", v, VAL_BOOL);
		break;
	case 'f':
		ok = parse_word(j, "false", v, VAL_BOOL);
		break;
	case 'n':
		ok = parse_word(j, "null", v, VAL_NULL);
		break;
	case '-':
	case '0' ... '9':
		ok = parse_number(j, v);
		break;
	default:
		return unexpected(j, "a value");
	}
	return ok ? v : NULL;
}

struct val *json_parse(struct arena *a, const char *file, const char *text, size_t len, const struct doc_budget *b, struct err *err)
{
	struct doc_budget budget = budget_or_default(b);
	struct json j = { .p = text, .end = text + len, .bol = text, .line = 1, .budget = &budget, .arena = a, .file = file, .err = err };
	struct val *v;

	skip_space(&j);
	v = parse_value(&j);
	if (!v)
		return NULL;
	skip_space(&j);
	return j.p < j.end ? unexpected(&j, "the end of the text") : v;
}

/* ---- streams */

/* Over strings and brackets, to the end of the value at p; NULL where there is none. Nothing else is checked. */
static const char *skip_value(struct json *j, const char *p)
{
	uint32_t depth = 0;

	do {
		while (p < j->end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r' || *p == ',' || *p == ':'))
			p = over_blanks(p + 1, j->end);
		if (p >= j->end)
			return NULL;
		if (*p == '"') {
			for (p++; p < j->end && *p != '"'; p = plain_end(p, j->end))
				p += *p == '\\' ? 2 : *p != '"';
			p++;
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			if (!depth--)
				return NULL;
			p++;
		} else {
			while (p < j->end && (!*p || !strchr(" \n\t\r,:{}[]\"", *p)))
				p++;
		}
		stream_passed(j->stream, MIN(p, j->end));
	} while (depth && p < j->end);
	return p < j->end ? p : NULL;
}

static const char *skip_over(const struct json *j, const char *p, char mark)
{
	while (p < j->end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r' || *p == mark))
		p++;
	return p;
}

/* Is the object at j->p a List? Its kind may stand behind its items: then they are passed over here, once. */
static void look_ahead(struct json *j)
{
	const char *p = j->p + 1, *key, *value;
	struct { const char *s; size_t n; } api = { "", 0 }, kind = { NULL, 0 };
	bool items = false;

	while (!(items && kind.s)) {
		size_t n;

		key = skip_over(j, p, ',');
		p = key < j->end && *key == '"' ? skip_value(j, key) : NULL;
		if (!p)
			break;
		n = (size_t)(p - key);
		value = skip_over(j, p, ':');
		if (value < j->end && *value == '[' && n == 7 && memcmp(key, "\"items\"", n) == 0) {
			items = true;
			if (kind.s)
				break;
		}
		p = value < j->end ? skip_value(j, value) : NULL;
		if (!p)
			break;
		if (*value == '"' && n == 6 && memcmp(key, "\"kind\"", n) == 0) {
			kind.s = value + 1;
			kind.n = (size_t)(p - value) - 2;
		} else if (*value == '"' && n == 12 && memcmp(key, "\"apiVersion\"", n) == 0) {
			api.s = value + 1;
			api.n = (size_t)(p - value) - 2;
		}
	}
	if (items && kind.s)
		list_kind_set(&j->list, api.s, api.n, kind.s, kind.n);
}

bool json_stream(struct stream *s, const char *text, size_t len)
{
	struct json j = { .p = text, .end = text + len, .bol = text, .line = s->line + 1, .budget = &s->budget, .arena = s->scratch,
			  .file = s->file, .err = s->err, .stream = s };

	for (;;) {
		struct arena_mark mark = arena_mark(s->scratch);
		struct val *v;

		skip_space(&j);
		if (j.p >= j.end)
			return true;
		j.nodes = 0;
		j.list = (struct list_kind){ 0 };
		if (*j.p == '{')
			look_ahead(&j);
		v = parse_value(&j);
		if (!v || (!j.list.is_list && !stream_give(s, v, NULL)))
			return false;
		arena_rewind(s->scratch, mark);
		stream_passed(s, j.p);
	}
}
