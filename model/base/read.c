/* Files into objects: encodings, documents of a stream, Lists, directories. */
#include "model/base/docs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAPPED (1u << 20)               /* larger files are mapped, smaller ones read */
#define GIVE_BACK (8u << 20)            /* pages are returned to the kernel in steps of so much */

struct doc_budget budget_or_default(const struct doc_budget *b)
{
	struct doc_budget all = b ? *b : (struct doc_budget){ 0 };

	all.depth = all.depth ? all.depth : 200;
	all.nodes = all.nodes ? all.nodes : 4000000;
	all.aliased = all.aliased ? all.aliased : 200000;
	all.scalar = all.scalar ? all.scalar : 16u << 20;
	all.bytes = all.bytes ? all.bytes : (uint64_t)2 << 30;
	return all;
}

bool utf8_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;

	while (p < end) {
		uint32_t more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : *p >= 0xe0 && *p < 0xf0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : 9;

		if (more == 9 || (size_t)(end - p) <= more)
			return false;
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
			return false;
		for (uint32_t k = 1; k <= more; k++)
			if ((p[k] & 0xc0) != 0x80)
				return false;
		p += more + 1;
	}
	return true;
}

char *utf8_put(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 63));
		*to++ = (char)(0x80 | (c & 63));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 63));
		*to++ = (char)(0x80 | (c >> 6 & 63));
		*to++ = (char)(0x80 | (c & 63));
	}
	return to;
}

/* ---- objects */

void list_kind_set(struct list_kind *l, const char *api, size_t api_len, const char *kind, size_t kind_len)
{
	*l = (struct list_kind){ 0 };
	if (kind_len < 4 || memcmp(kind + kind_len - 4, "List", 4) != 0 || kind_len >= sizeof(l->item) || api_len >= sizeof(l->api))
		return;
	l->is_list = true;
	if (kind_len > 4) {
		memcpy(l->item, kind, kind_len - 4);
		memcpy(l->api, api, api_len);
	}
}

static bool give_list(struct stream *s, struct val *root)
{
	const struct val *items = val_get(root, "items");
	const char *kind = val_str_at(root, "kind"), *api = val_str_at(root, "apiVersion");
	struct list_kind list;

	list_kind_set(&list, api ? api : "", api ? strlen(api) : 0, kind, strlen(kind));
	for (struct val *item = items->first, *after; item; item = after) {
		after = item->next;
		if (!stream_give(s, item, &list))
			return false;
	}
	return true;
}

static bool is_list(const struct val *root)
{
	const char *kind = val_str_at(root, "kind");
	size_t n = kind ? strlen(kind) : 0;

	return n >= 4 && n < 100 && strcmp(kind + n - 4, "List") == 0 && val_is(val_get(root, "items"), VAL_LIST);
}

bool stream_give(struct stream *s, struct val *root, const struct list_kind *of)
{
	struct doc d = { s->file, root };
	uint32_t mark = s->err->nr;

	if (!val_is(root, VAL_MAP)) {
		struct where w = { .file = s->file, .line = root->line, .col = root->col };

		return err_add(s->err, ERR_INPUT, &w, "expected an object with apiVersion and kind, found %s %s",
			       strchr("aio", val_type_names[root->type][0]) ? "an" : "a", val_type_names[root->type]);
	}
	if (is_list(root))
		return give_list(s, root);
	if (of && of->item[0] && !val_get(root, "kind") && !val_get(root, "apiVersion")) {
		val_put(s->scratch, root, "apiVersion", val_string(s->scratch, of->api));
		val_put(s->scratch, root, "kind", val_string(s->scratch, of->item));
	}
	if (s->given++ < s->skip)
		return true;
	if (s->take(s->ctx, &d, s->err))
		return true;
	s->stopped = s->err->nr == mark;
	return false;
}

static const char *page_of(const char *p)
{
	return p - ((uintptr_t)p & 4095);
}

void stream_passed(struct stream *s, const char *here)
{
	if (!s->held || here < s->held + GIVE_BACK || here > s->mapped_to)
		return;
	here = page_of(here);
	madvise((void *)(uintptr_t)s->held, (size_t)(here - s->held), MADV_DONTNEED);
	s->held = here;
}

/* ---- documents */

/* A line that begins with --- and then ends, or goes on behind a blank. */
static bool is_separator(const char *p, const char *end)
{
	return end - p >= 3 && memcmp(p, "---", 3) == 0 && (end - p == 3 || p[3] == ' ' || p[3] == '\t' || p[3] == '\r' || p[3] == '\n');
}

/* Where the document that begins at text ends: at the next separator. *lines: how many lines it has. */
static const char *document_end(struct stream *s, const char *text, const char *end, uint32_t *lines)
{
	const char *p = text;

	*lines = 0;
	while (p < end) {
		const char *newline = memchr(p, '\n', MIN((size_t)(end - p), GIVE_BACK));

		p = newline ? newline + 1 : p + MIN((size_t)(end - p), GIVE_BACK);
		*lines += newline != NULL;
		if (newline && is_separator(p, end))
			return p;
		stream_passed(s, p);
	}
	return end;
}

static const char *first_character(const char *p, const char *end)
{
	if (is_separator(p, end))
		p += 3;
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* What looks like JSON is tried as YAML when it is none. Of two refusals the one that came further tells more. */
static bool read_json_or_yaml(struct stream *s, const char *json, const char *text, size_t len)
{
	uint32_t line = s->line, mark;
	struct err_msg as_json;
	bool ok;

	for (const char *p = text; p < json; p++)
		s->line += *p == '\n';
	ok = json_stream(s, json, len - (size_t)(json - text));
	s->line = line;
	if (!s->broken)
		return ok;
	as_json = err_pop(s->err);
	mark = s->err->nr;
	s->broken = false;
	s->skip = s->given;
	s->given = 0;
	ok = yaml_stream(s, text, len);
	if (!ok && s->err->nr > mark && s->given <= s->skip && s->err->v[s->err->nr - 1].line <= as_json.line) {
		err_msg_free(err_pop(s->err));
		err_push(s->err, as_json);
	} else {
		err_msg_free(as_json);
	}
	return ok;
}

static bool read_documents(struct stream *s, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		uint32_t lines;
		const char *to = document_end(s, text, end, &lines), *first = first_character(text, to);
		bool ok = true;

		s->given = s->skip = 0;
		if (s->held > text)
			s->held = page_of(text);
		if (first < to && *first == '{')
			ok = read_json_or_yaml(s, first, text, (size_t)(to - text));
		else if (first < to)
			ok = yaml_stream(s, text, (size_t)(to - text));
		if (!ok)
			return false;
		s->line += lines;
		text = to;
	}
	return true;
}

/* UTF-16 with its mark, as UTF-8 on the heap; NULL: half a character. */
static char *from_utf16(const unsigned char *p, size_t len, size_t *out)
{
	size_t high = p[0] == 0xfe ? 0 : 1, n = 0;
	char *text = malloc(len / 2 * 3 + 1);

	if (!text)
		abort();
	for (size_t k = 2; k + 1 < len; k += 2) {
		uint32_t c = (uint32_t)p[k + high] << 8 | p[k + 1 - high];

		if (c >= 0xd800 && c < 0xdc00 && k + 3 < len && (p[k + 2 + high] & 0xfc) == 0xdc) {
			k += 2;
			c = 0x10000 + ((c & 0x3ff) << 10) + (((uint32_t)p[k + high] << 8 | p[k + 1 - high]) & 0x3ff);
		} else if (c >= 0xd800 && c < 0xe000) {
			free(text);
			return NULL;
		}
		n = (size_t)(utf8_put(text + n, c) - text);
	}
	*out = n;
	return text;
}

/* Nobody but Helm reads a chart's templates: where reading stopped at one, that is what to say. */
static void say_template(const char *file, uint32_t first, const char *text, size_t len, struct err *err)
{
	uint32_t at = err->nr ? err->v[err->nr - 1].line : 0;
	const char *end = text + len;

	for (uint32_t line = first; line <= at && text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text)), *to = newline ? newline : end;

		if (line + 1 >= at && memmem(text, (size_t)(to - text), "{{", 2)) {
			err_warn(err, &(struct where){ .file = file, .line = line }, "{{ begins a template, not an object: render it first (helm template CHART | podwire … -f -)");
			return;
		}
		text = to + 1;
	}
}

static bool read_text(const char *file, uint32_t line, const char *text, size_t len, bool mapped, const struct doc_budget *b, doc_take take, void *ctx, struct err *err)
{
	struct stream s = { .file = file, .line = line - 1, .budget = budget_or_default(b), .take = take, .ctx = ctx, .err = err };
	const unsigned char *p = (const unsigned char *)text;
	struct where w = { .file = file, .line = 1 };
	char *converted = NULL;
	bool ok;

	if (len > s.budget.bytes)
		return err_add(err, ERR_INPUT, &w, "the file has %zu bytes, more than the limit of %" PRIu64, len, s.budget.bytes);
	if (len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
		converted = len % 2 ? NULL : from_utf16(p, len, &len);
		if (!converted)
			return err_add(err, ERR_INPUT, &w, "the text is not UTF-16, as its first bytes promise");
		text = converted;
		mapped = false;
	} else if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	s.held = mapped ? page_of(text) : NULL;
	s.mapped_to = text + len;
	s.scratch = arena_new(NULL, "documents");
	arena_alloc(s.scratch, 1, 1);                   /* the first block stays */
	ok = read_documents(&s, text, len);
	if (!ok && !s.stopped)
		say_template(file, line, text, len, err);
	arena_free(s.scratch);
	free(converted);
	return ok;
}

bool docs_read(const char *file, const char *text, size_t len, const struct doc_budget *b, doc_take take, void *ctx, struct err *err)
{
	return read_text(file, 1, text, len, false, b, take, ctx, err);
}

bool docs_read_part(const char *file, uint32_t line, const char *text, size_t len, bool mapped, const struct doc_budget *b, doc_take take, void *ctx, struct err *err)
{
	return read_text(file, line, text, len, mapped, b, take, ctx, err);
}

char *text_from_utf16(const char *text, size_t len, size_t *out)
{
	const unsigned char *p = (const unsigned char *)text;

	if (len < 2 || len % 2 || !((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return NULL;
	return from_utf16(p, len, out);
}

/* ---- paths */

struct reader {
	const struct doc_budget *budget;
	doc_take take;
	void *ctx;
	struct err *err;
};

static bool failed(const struct reader *r, const char *path)
{
	return err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "%s%s", strerror(errno), strstr(path, "://") ? ": podwire reads no addresses of the web: fetch it first, and pipe it to -f -" : "");
}

static bool read_mapped(const struct reader *r, const char *path, int fd, size_t size)
{
	char *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	bool ok;

	if (text == MAP_FAILED)
		return failed(r, path);
	madvise(text, size, MADV_SEQUENTIAL);
	ok = read_text(path, 1, text, size, true, r->budget, r->take, r->ctx, r->err);
	munmap(text, size);
	return ok;
}

/* A pipe, or a small file: into memory. What grows beyond MAPPED goes on into a file without a name. */
static bool read_rest(const struct reader *r, const char *path, int fd)
{
	uint64_t limit = budget_or_default(r->budget).bytes, size = 0;
	char *buf = malloc(MAPPED);
	FILE *spool = NULL;
	ssize_t got = 0;
	bool ok = true;

	if (!buf)
		abort();
	while (ok) {
		size_t at = spool ? 0 : (size_t)size;

		if (!spool && size == MAPPED) {
			spool = tmpfile();
			ok = spool && fwrite(buf, 1, MAPPED, spool) == MAPPED;
			continue;
		}
		got = read(fd, buf + at, MAPPED - at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		size += (size_t)got;
		if (size > limit) {
			err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "more than the limit of %" PRIu64 " bytes", limit);
			break;
		}
		ok = !spool || fwrite(buf, 1, (size_t)got, spool) == (size_t)got;
	}
	ok = ok && got >= 0 && (!spool || fflush(spool) == 0);
	if (!ok)
		failed(r, path);
	else if (size > limit)
		ok = false;
	else
		ok = spool ? read_mapped(r, path, fileno(spool), (size_t)size) : read_text(path, 1, buf, (size_t)size, false, r->budget, r->take, r->ctx, r->err);
	if (spool)
		fclose(spool);
	free(buf);
	return ok;
}

static bool read_path(const struct reader *r, const char *path, unsigned depth);

static bool has_ending(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool read_directory(const struct reader *r, const char *path, unsigned depth)
{
	struct dirent **name;
	int nr = scandir(path, &name, NULL, by_bytes);
	bool ok = nr >= 0;

	if (!ok)
		return failed(r, path);
	for (int k = 0; k < nr; k++) {
		struct sb at = { 0 };
		struct stat st;

		sb_printf(&at, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", name[k]->d_name);
		if (ok && name[k]->d_name[0] != '.' && stat(at.s, &st) == 0 && (S_ISDIR(st.st_mode) || has_ending(name[k]->d_name)))
			ok = read_path(r, at.s, depth + 1);
		sb_free(&at);
		free(name[k]);
	}
	free(name);
	return ok;
}

static bool read_path(const struct reader *r, const char *path, unsigned depth)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd < 0 || fstat(fd, &st) < 0) {
		ok = failed(r, path);
	} else if (S_ISDIR(st.st_mode)) {
		ok = depth < 64 ? read_directory(r, path, depth) : err_add(r->err, ERR_INPUT, &(struct where){ .file = path }, "directories nested deeper than 64");
	} else if (S_ISREG(st.st_mode) && (size_t)st.st_size > MAPPED && (!is_stdin || lseek(0, 0, SEEK_CUR) == 0)) {
		ok = read_mapped(r, path, fd, (size_t)st.st_size);
	} else {
		ok = read_rest(r, path, fd);
	}
	if (fd > 0)
		close(fd);
	return ok;
}

bool docs_read_path(const char *path, const struct doc_budget *b, doc_take take, void *ctx, struct err *err)
{
	struct reader r = { b, take, ctx, err };

	return read_path(&r, path, 0);
}
