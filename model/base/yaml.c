/* YAML: libyaml's events, with the line and column of each, and the documents that a text has. yaml_tree.c makes values of them. */
#include "model/base/yaml_reader.h"

#include <stdarg.h>

static struct where place(const struct yaml *y, yaml_mark_t m)
{
	return (struct where){ .file = y->file, .line = y->line + (uint32_t)m.line + 1, .col = (uint32_t)m.column + 1 };
}

void *yaml_fail(struct yaml *y, const char *fmt, ...)
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

bool yaml_next(struct yaml *y)
{
	yaml_mark_t last = y->event.end_mark;

	yaml_event_delete(&y->event);
	y->taken = (size_t)(y->fed - y->text);
	return yaml_parser_parse(&y->parser, &y->event) || parser_error(y, last);
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
		if (!yaml_next(y))
			return false;
	} while (y->event.type == YAML_STREAM_START_EVENT || y->event.type == YAML_DOCUMENT_END_EVENT);
	y->depth = y->nodes = y->aliased = 0;
	y->anchors.nr = y->anchors.alloc = 0;
	y->anchors.v = NULL;
	return y->event.type != YAML_DOCUMENT_START_EVENT || yaml_next(y);
}

/* Past the end of the document at hand, where only another may begin. */
static bool find_end(struct yaml *y)
{
	while (y->event.type != YAML_DOCUMENT_END_EVENT)
		if (!yaml_next(y))
			return false;
	return yaml_next(y);
}

struct val *yaml_parse(struct arena *a, const char *file, const char *text, size_t len, const struct doc_budget *b, struct err *err)
{
	struct doc_budget budget = budget_or_default(b);
	struct yaml y = { .budget = &budget, .arena = a, .file = file, .err = err };
	struct val *v = NULL;

	start(&y, text, len);
	if (find_document(&y)) {
		v = y.event.type == YAML_STREAM_END_EVENT ? val_new(a, VAL_NULL) : yaml_build(&y);
		if (v && y.event.type != YAML_STREAM_END_EVENT && (!find_document(&y) || y.event.type != YAML_STREAM_END_EVENT))
			v = err_any(err) ? NULL : yaml_fail(&y, "only one document was expected");
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
		v = yaml_build(&y);
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
