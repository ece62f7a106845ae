/*
 * The YAML that most manifests are made of, read without libyaml: block maps and lists by their indentation, plain and quoted scalars of one line, flow
 * collections of one line, comments; printable ASCII. Whatever else is met (anchors, tags, block scalars, escapes, scalars of several lines, other
 * characters, every error) makes it give up without a word, and libyaml reads the document from its beginning. What it does read it reads as libyaml
 * does, places included: tests/unit/yaml_plain_test.c compares the two.
 */
#include "model/base/docs.h"
#include "model/base/scalar.h"

#include <string.h>

#define LONGEST_KEY 1000                /* libyaml looks no further than 1024 for the colon */

struct plain {
	const char *p, *end, *bol;      /* bol: where the line at hand begins */
	uint32_t line;                  /* from 1 */
	uint32_t depth, nodes;
	const struct doc_budget *budget;
	struct arena *arena;
};

struct scalar { const char *s; uint32_t n, line, col; bool quoted; };

/* What a character may be to a scalar without quotes. */
enum { NOT_FIRST = 1, IN_BLOCK = 2, IN_FLOW = 4 };      /* it cannot begin one; it may end one, outside and inside of flow collections */
static const unsigned char sign[256] = {
	['\n'] = IN_BLOCK | IN_FLOW, [':'] = NOT_FIRST | IN_BLOCK | IN_FLOW, ['#'] = NOT_FIRST | IN_BLOCK | IN_FLOW, ['?'] = NOT_FIRST | IN_FLOW, [','] = NOT_FIRST | IN_FLOW,
	['['] = NOT_FIRST | IN_FLOW, [']'] = NOT_FIRST | IN_FLOW, ['{'] = NOT_FIRST | IN_FLOW, ['}'] = NOT_FIRST | IN_FLOW, ['&'] = NOT_FIRST, ['*'] = NOT_FIRST,
	['!'] = NOT_FIRST, ['|'] = NOT_FIRST, ['>'] = NOT_FIRST, ['\''] = NOT_FIRST, ['"'] = NOT_FIRST, ['%'] = NOT_FIRST, ['@'] = NOT_FIRST, ['`'] = NOT_FIRST,
};

static bool is_end(const struct plain *y, const char *p)
{
	return p == y->end || *p == '\n';
}

static bool is_blank_or_end(const struct plain *y, const char *p)
{
	return is_end(y, p) || *p == ' ';
}

static uint32_t column(const struct plain *y)
{
	return (uint32_t)(y->p - y->bol);
}

static bool skip_blanks(struct plain *y)        /* within the line; true: there is more on it */
{
	while (y->p < y->end && *y->p == ' ')
		y->p++;
	if (y->p < y->end && *y->p == '#' && (y->p == y->bol || y->p[-1] == ' '))
		while (!is_end(y, y->p))
			y->p++;
	return !is_end(y, y->p);
}

/* Over blanks, comments and line ends. false: the text is over. */
static bool skip_lines(struct plain *y)
{
	while (!skip_blanks(y)) {
		if (y->p == y->end)
			return false;
		y->bol = ++y->p;
		y->line++;
	}
	return true;
}

static bool is_dash(const struct plain *y)
{
	return *y->p == '-' && is_blank_or_end(y, y->p + 1);
}

static bool scan_quoted(struct plain *y, struct scalar *out)
{
	char quote = *y->p++;

	out->s = y->p;
	while (y->p < y->end && *y->p != quote && *y->p != '\n' && (quote == '\'' || *y->p != '\\'))
		y->p++;
	if (y->p == y->end || *y->p != quote || (quote == '\'' && y->p + 1 < y->end && y->p[1] == '\''))
		return false;
	out->n = (uint32_t)(y->p++ - out->s);
	out->quoted = true;
	return true;
}

static bool scan_plain(struct plain *y, bool flow, struct scalar *out)
{
	const unsigned char look = flow ? IN_FLOW : IN_BLOCK;
	const char *p = y->p;

	if (sign[(unsigned char)*p] & NOT_FIRST || (*p == '-' && (flow || is_blank_or_end(y, p + 1))))
		return false;
	for (;; p++) {
		while (p < y->end && !(sign[(unsigned char)*p] & look))
			p++;
		if (is_end(y, p))
			break;
		if (*p == ':' ? is_blank_or_end(y, p + 1) : *p == '#' ? p[-1] == ' ' : *p != '?')
			break;
		if (flow && (*p == '?' || (*p == ':' && strchr(",[]{}", p[1]))))
			return false;
	}
	out->s = y->p;
	y->p = p;
	while (p > out->s && p[-1] == ' ')
		p--;
	out->n = (uint32_t)(p - out->s);
	return out->n > 0;
}

static bool scan_scalar(struct plain *y, bool flow, struct scalar *out)
{
	*out = (struct scalar){ .line = y->line, .col = column(y) + 1 };
	if (is_end(y, y->p) || (y->p == y->bol && y->end - y->p >= 3 && (memcmp(y->p, "---", 3) == 0 || memcmp(y->p, "...", 3) == 0)))
		return false;
	return (*y->p == '"' || *y->p == '\'' ? scan_quoted(y, out) : scan_plain(y, flow, out)) && out->n <= y->budget->scalar;
}

static struct val *new_val(struct plain *y, uint32_t line, uint32_t col, enum val_type type)
{
	struct val *v;

	if (++y->nodes > y->budget->nodes)
		return NULL;
	v = arena_make(y->arena, struct val);
	v->line = line;
	v->col = (uint16_t)MIN(col, UINT16_MAX);
	v->type = (uint8_t)type;
	return v;
}

static struct val *scalar_val(struct plain *y, const struct scalar *s)
{
	struct val *v = new_val(y, s->line, s->col, VAL_STRING);

	if (!v || (!s->quoted && !scalar_resolve(s->s, s->n, v)))
		return NULL;
	if (v->type == VAL_STRING) {
		v->s = arena_strndup(y->arena, s->s, s->n);
		v->nr = s->n;
	}
	return v;
}

/* Keys that are not plain texts are libyaml's matter. */
static const char *key_of(struct plain *y, const struct scalar *s)
{
	struct val v = { 0 };

	if (s->n > LONGEST_KEY || (s->n == 2 && memcmp(s->s, "<<", 2) == 0))
		return NULL;
	if (!s->quoted && (!scalar_resolve(s->s, s->n, &v) || v.type != VAL_STRING))
		return NULL;
	return arena_strndup(y->arena, s->s, s->n);
}

static bool go_deeper(struct plain *y)
{
	return y->depth++ < y->budget->depth;
}

/* ---- flow collections of one line */

static struct val *flow_value(struct plain *y);

static bool flow_member(struct plain *y, struct val *map)
{
	struct scalar s;
	const char *key;
	struct val *v;

	if (!scan_scalar(y, true, &s) || !(key = key_of(y, &s)) || !skip_blanks(y) || *y->p != ':')
		return false;
	y->p++;
	if (!s.quoted && !is_blank_or_end(y, y->p))
		return false;
	if (!skip_blanks(y) || !(v = flow_value(y)))
		return false;
	v->key = key;
	docs_append(map, v);
	return true;
}

static bool flow_item(struct plain *y, struct val *list)
{
	struct val *v = flow_value(y);

	if (v)
		docs_append(list, v);
	return v;
}

static struct val *flow_value(struct plain *y)
{
	bool map = *y->p == '{';
	struct scalar s;
	struct val *v;

	if (!map && *y->p != '[') {
		if (!scan_scalar(y, true, &s))
			return NULL;
		return scalar_val(y, &s);
	}
	v = new_val(y, y->line, column(y) + 1, map ? VAL_MAP : VAL_LIST);
	if (!v || !go_deeper(y))
		return NULL;
	y->p++;
	for (bool more = false;; more = true) {
		if (!skip_blanks(y))
			return NULL;
		if (*y->p == (map ? '}' : ']'))
			break;
		if (more) {
			if (*y->p++ != ',' || !skip_blanks(y))
				return NULL;
			if (*y->p == (map ? '}' : ']'))
				break;
		}
		if (!(map ? flow_member(y, v) : flow_item(y, v)))
			return NULL;
	}
	y->p++;
	y->depth--;
	if (map)
		map_mark_repeats(v, y->arena, false);
	return v;
}

/* ---- blocks. Each begins at its first key or dash, in column `indent`, and ends before the first content that stands left of it. */

static struct val *value(struct plain *y, bool in_line);

/* A value on the line of its key or dash. *ended: content may follow on deeper lines no more. */
static struct val *inline_value(struct plain *y)
{
	struct scalar s;
	struct val *v;

	if (*y->p == '[' || *y->p == '{')
		v = flow_value(y);
	else
		v = scan_scalar(y, false, &s) ? scalar_val(y, &s) : NULL;
	return v && !skip_blanks(y) ? v : NULL;         /* nothing but a comment may follow */
}

/* A key with its colon, behind which y stands then. false: what is at hand is none, as far as the line tells, and y stays where it is. */
static bool scan_key(struct plain *y, struct scalar *key)
{
	const char *from = y->p;

	if (scan_scalar(y, false, key)) {
		while (y->p < y->end && *y->p == ' ')
			y->p++;
		if (y->p < y->end && *y->p == ':' && is_blank_or_end(y, y->p + 1)) {
			y->p++;
			return true;
		}
	}
	y->p = from;
	return false;
}

/* Content has been skipped to: is the block of that indentation at its end? *bad: it stands where nothing may stand. */
static bool block_ends(struct plain *y, uint32_t indent, bool *bad)
{
	if (!skip_lines(y))
		return true;
	*bad = column(y) > indent;
	return column(y) != indent;
}

static bool block_map(struct plain *y, struct val *map, uint32_t indent, struct scalar key)
{
	bool bad = false;

	do {
		const char *name = key_of(y, &key);
		uint32_t after = column(y) + 1;
		struct val *v;

		if (!name)
			return false;
		if (skip_blanks(y))
			v = inline_value(y);
		else if (skip_lines(y) && (column(y) > indent || (column(y) == indent && is_dash(y))))
			v = value(y, false);
		else
			v = new_val(y, key.line, after, VAL_NULL);
		if (!v)
			return false;
		if (v->line > key.line && v->type >= VAL_LIST) {        /* a block begins at its key */
			v->line = key.line;
			v->col = (uint16_t)MIN(key.col, UINT16_MAX);
		}
		v->key = name;
		docs_append(map, v);
		if (block_ends(y, indent, &bad)) {
			map_mark_repeats(map, y->arena, false);
			return !bad;
		}
	} while (scan_key(y, &key));
	return false;
}

static bool block_list(struct plain *y, struct val *list, uint32_t indent)
{
	bool bad = false;

	do {
		uint32_t line = y->line, after;
		struct val *v;

		if (!is_dash(y))
			return true;            /* the next key of a map whose list is not indented; of others libyaml complains, for it stands too deep there */
		y->p++;
		after = column(y) + 1;
		if (skip_blanks(y))
			v = value(y, true);
		else if (skip_lines(y) && column(y) > indent)
			v = value(y, false);
		else
			v = new_val(y, line, after, VAL_NULL);
		if (!v)
			return false;
		docs_append(list, v);
	} while (!block_ends(y, indent, &bad));
	return !bad;
}

/* The block that begins at the content at hand, or, on a line that has begun already, what else stands there. */
static struct val *value(struct plain *y, bool in_line)
{
	uint32_t indent = column(y);
	bool list = is_dash(y);
	struct scalar key;
	struct val *v;

	if (!list && !scan_key(y, &key))
		return in_line ? inline_value(y) : NULL;
	v = new_val(y, y->line, indent + 1, list ? VAL_LIST : VAL_MAP);
	if (!v || !go_deeper(y) || !(list ? block_list(y, v, indent) : block_map(y, v, indent, key)))
		return NULL;
	y->depth--;
	return v;
}

/* ---- documents */

#define EACH(byte) (0x0101010101010101u * (byte))

/* Eight characters at once: a byte's high bit says what holds of it. Bytes below 0x80 carry nothing into their neighbours; others are bad already. */
static bool is_printable(const char *s, size_t n)
{
	uint64_t bad = 0, word = EACH(' ');

	for (size_t k = 0; k < n; k += 8) {
		if (n - k < 8)
			word = EACH(' ');
		memcpy(&word, s + k, MIN(n - k, 8));
		bad |= word | (word + EACH(1)) | (~(word + EACH(0x60)) & ((word ^ EACH('\n')) + EACH(0x7f)));
	}
	return !(bad & EACH(0x80));
}

struct val *yaml_plain(struct arena *a, const struct doc_budget *b, uint32_t lines_before, const char *text, size_t len, bool *empty)
{
	struct plain y = { .p = text, .end = text + len, .bol = text, .line = lines_before + 1, .budget = b, .arena = a };
	struct val *v;

	*empty = false;
	if (!is_printable(text, len))
		return NULL;
	if (len >= 3 && memcmp(text, "---", 3) == 0) {
		y.p += 3;
		if (!is_blank_or_end(&y, y.p) || skip_blanks(&y))
			return NULL;
	}
	if (!skip_lines(&y)) {
		*empty = true;
		return NULL;
	}
	if (column(&y) || is_dash(&y))
		return NULL;
	v = value(&y, false);
	return v && y.p == y.end ? v : NULL;
}
