#include "model/cluster/dump.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const redactions[] = { "***HIDDEN***", "**HIDDEN**", "<redacted>", "REDACTED", NULL };

struct dumping {
	doc_take take;
	void *ctx;
	struct dump_report *report;
	struct err *err;
	const char *file;
	struct arena *scratch;
	const char *list_kind, *list_api;       /* of the list at hand, where its items have none */
	bool stopped;
};

/* ---- one object */

static bool is_redacted(const struct val *v)
{
	for (int k = 0; v->type == VAL_STRING && redactions[k]; k++)
		if (strcmp(v->s, redactions[k]) == 0)
			return true;
	return false;
}

/* What was blacked out is not known: it is left out, so that nobody takes it for a value. */
static void remove_redacted(struct val *v, struct dump_report *report)
{
	struct val **at = v->type == VAL_MAP || v->type == VAL_LIST ? &v->first : NULL;
	struct val *last = NULL;

	while (at && *at) {
		if (is_redacted(*at)) {
			*at = (*at)->next;
			v->nr--;
			report->redacted++;
			continue;
		}
		remove_redacted(*at, report);
		last = *at;
		at = &(*at)->next;
	}
	if (v->type == VAL_MAP || v->type == VAL_LIST)
		v->last = last;
}

/* networking.k8s.io/v1beta1 said serviceName and servicePort where v1 has a service. */
static void new_backend(struct arena *a, struct val *backend)
{
	const struct val *name = val_get(backend, "serviceName"), *port = val_get(backend, "servicePort");
	struct val *service, *p;

	if (!name)
		return;
	service = val_new(a, VAL_MAP);
	val_put(a, service, "name", val_copy(a, name));
	p = val_put(a, service, "port", val_new(a, VAL_MAP));
	if (port)
		val_put(a, p, port->type == VAL_INT ? "number" : "name", val_copy(a, port));
	val_del(backend, "serviceName");
	val_del(backend, "servicePort");
	val_put(a, backend, "service", service);
}

/* The first map in a list; NULL if it is none. */
static struct val *first_map(struct val *list)
{
	struct val *v = list && list->type == VAL_LIST ? list->first : NULL;

	while (v && v->type != VAL_MAP)
		v = v->next;
	return v;
}

static struct val *next_map(struct val *v)
{
	do {
		v = v->next;
	} while (v && v->type != VAL_MAP);
	return v;
}

static void new_ingress(struct arena *a, struct val *root)
{
	struct val *spec = val_get_mut(root, "spec"), *backend = val_get_mut(spec, "backend");

	if (val_is(backend, VAL_MAP)) {
		struct val *copy = val_copy(a, backend);

		new_backend(a, copy);
		val_del(spec, "backend");
		val_put(a, spec, "defaultBackend", copy);
	}
	for (struct val *rule = first_map(val_get_mut(spec, "rules")); rule; rule = next_map(rule)) {
		for (struct val *path = first_map(val_get_mut(val_get_mut(rule, "http"), "paths")); path; path = next_map(path)) {
			if (val_is(val_get_mut(path, "backend"), VAL_MAP))
				new_backend(a, val_get_mut(path, "backend"));
			if (!val_get(path, "pathType"))
				val_put(a, path, "pathType", val_string(a, "ImplementationSpecific"));
		}
	}
}

static void new_slice(struct arena *a, struct val *root)
{
	for (struct val *e = first_map(val_get_mut(root, "endpoints")); e; e = next_map(e)) {
		const char *node = val_str(val_get(val_get(e, "topology"), "kubernetes.io/hostname"));

		if (node && !val_get(e, "nodeName"))
			val_put(a, e, "nodeName", val_string(a, node));
		val_del(e, "topology");
	}
}

/* Versions that 1.36 does not serve any more, as the API server would say the object in one that it does. */
static void new_version(struct dumping *d, struct val *root)
{
	const char *api = val_str(val_get(root, "apiVersion")), *name = val_str(val_get(root, "kind"));
	struct sb why = { 0 };
	const struct kind *k;

	if (!api || !name || kind_find(api, name) || !kind_refused(api, name, &why)) {
		sb_free(&why);
		return;
	}
	sb_free(&why);
	k = kind_by_word(name);
	if (!k || strcmp(k->name, name) != 0)
		return;
	if (strcmp(name, "Ingress") == 0)
		new_ingress(d->scratch, root);
	else if (strcmp(name, "EndpointSlice") == 0)
		new_slice(d->scratch, root);
	val_put(d->scratch, root, "apiVersion", val_string(d->scratch, k->apis[0]));
	d->report->old_versions++;
}

static bool give(struct dumping *d, struct val *root, struct err *err)
{
	struct doc doc = { d->file, root };

	remove_redacted(root, d->report);
	new_version(d, root);
	d->report->objects++;
	if (d->take(d->ctx, &doc, err))
		return true;
	d->stopped = true;
	return false;
}

static bool one(struct dumping *d, struct val *root, const char *link, struct err *err);

static bool items(struct dumping *d, struct val *list, const char *link, struct err *err)
{
	for (struct val *item = list->first, *next; item; item = next) {
		next = item->next;
		if (!one(d, item, link, err))
			return false;
	}
	return true;
}

static bool one(struct dumping *d, struct val *root, const char *link, struct err *err)
{
	const char *kind = val_str(val_get(root, "kind"));
	const struct kind *k;
	struct val *v;

	if (!val_is(root, VAL_MAP))
		return true;
	if (!kind && val_is(val_get(root, "Items"), VAL_LIST))
		return items(d, val_get_mut(root, "Items"), val_str(val_get(root, "selfLink")), err);
	if (!kind && val_is(val_get(root, "items"), VAL_LIST)) {
		link = val_str(val_get(root, "selfLink")) ? val_str(val_get(root, "selfLink")) : val_str_at(root, "metadata.selfLink");
		return items(d, val_get_mut(root, "items"), link, err);
	}
	v = dump_from_go(d->scratch, root, link, d->file);
	if (v) {
		d->report->go_structs++;
		return give(d, v, err);
	}
	if (!kind && val_get(root, "metadata")) {
		k = dump_kind_of_file(d->file);
		if (k) {
			val_put(d->scratch, root, "apiVersion", val_string(d->scratch, k->apis[0]));
			val_put(d->scratch, root, "kind", val_string(d->scratch, k->name));
			kind = k->name;
		}
	}
	if (!kind || !val_str(val_get(root, "apiVersion")))
		return true;            /* JSON of something else */
	return give(d, root, err);
}

static bool take_one(void *ctx, const struct doc *doc, struct err *err)
{
	struct dumping *d = ctx;
	struct arena_mark m = arena_mark(d->scratch);
	bool ok = one(d, doc->root, NULL, err);

	arena_rewind(d->scratch, m);
	return ok;
}

/* ---- one text */

#define STEP (8u << 20)                 /* a mapped file is looked through in steps, whose pages are given back */

static void give_back(const char *p, const char *end)
{
	const char *page = p + (4096 - ((uintptr_t)p & 4095)) % 4096;

	if (page < end)
		madvise((void *)(uintptr_t)page, (size_t)(end - page) & ~(size_t)4095, MADV_DONTNEED);
}

/* The mark, which begins with a byte that is rare in what is read; NULL: it is not there. */
static const char *find(const char *p, const char *end, const char *mark, bool mapped)
{
	size_t n = strlen(mark);

	while (p < end) {
		const char *to = end - p > (ptrdiff_t)STEP ? p + STEP : end, *at = p;

		while ((at = memchr(at, mark[0], (size_t)(to - at)))) {
			if ((size_t)(end - at) >= n && memcmp(at, mark, n) == 0)
				return at;
			at++;
		}
		if (mapped)
			give_back(p, to);
		p = to;
	}
	return NULL;
}

static const char *next_log(const char *p, const char *end, bool mapped)
{
	const char *begin = p;

	while ((p = find(p, end, "==== START logs for container ", mapped))) {
		if (p == begin || p[-1] == '\n')
			return p;
		p++;
	}
	return NULL;
}

static const char *behind_log(const char *p, const char *end)
{
	const char *at = memmem(p, (size_t)(end - p), "\n==== END logs for container ", 29), *line;

	if (!at)
		return end;
	line = memchr(at + 1, '\n', (size_t)(end - at - 1));
	return line ? line + 1 : end;
}

static uint32_t lines_between(const char *p, const char *end)
{
	uint32_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

static const char *line_start(const char *p, const char *end, uint32_t lines)
{
	while (lines && p < end) {
		const char *at = memchr(p, '\n', (size_t)(end - p));

		p = at ? at + 1 : end;
		lines--;
	}
	return p;
}

/* Does it begin as objects do? What is neither is no concern of ours (logs, tables, descriptions). */
static bool looks_like_objects(const char *p, const char *end)
{
	static const char *const words[] = { "apiVersion:", "kind:", "items:", "- apiVersion:", "metadata:", "---", NULL };

	while (p < end) {
		const char *line = memchr(p, '\n', (size_t)(end - p));

		while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
			p++;
		if (p < end && *p == '{')
			return true;
		if (p < end && *p == '[')
			return end - p > 1 && (isspace((unsigned char)p[1]) || p[1] == '{' || p[1] == ']');
		for (int k = 0; words[k]; k++)
			if ((size_t)(end - p) >= strlen(words[k]) && memcmp(p, words[k], strlen(words[k])) == 0)
				return true;
		if (p < end && *p != '\n' && *p != '#')
			return false;
		p = line ? line + 1 : end;
	}
	return false;
}

/* Where the next value may begin behind a broken place: a brace at the beginning of a line, or a separator. */
static const char *next_value(const char *p, const char *end)
{
	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		if (p < end && (*p == '{' || (end - p > 3 && memcmp(p, "---", 3) == 0)))
			return p;
	}
	return NULL;
}

/* A part without logs. A broken place is passed by, with a warning. */
static void read_part(struct dumping *d, uint32_t line, const char *p, const char *end, bool mapped)
{
	while (p && p < end && !d->stopped) {
		struct err err = { 0 };
		struct err_msg broken = { 0 };
		uint32_t at;

		docs_read_part(d->file, line, p, (size_t)(end - p), mapped, NULL, take_one, d, &err);
		for (uint32_t k = 0; k < err.nr; k++)
			if (!err.v[k].warning && k + 1 == err.nr && err.v[k].kind == ERR_INPUT && err.v[k].file && !d->stopped)
				broken = err.v[k];
		for (uint32_t k = 0; k < err.nr; k++)
			err_warn(d->err, &(struct where){ .file = err.v[k].file, .line = err.v[k].line, .col = err.v[k].col }, "%s", err.v[k].text);
		at = broken.line;
		err_free(&err);
		if (!at || at < line)
			return;
		{
			const char *from = line_start(p, end, at - line), *next = next_value(from, end);

			line = next ? at + lines_between(from, next) : at;
			p = next;
		}
	}
}

/* A list without a name: [ {…}, … ] */
static void read_array(struct dumping *d, const char *p, const char *end)
{
	struct arena *a = arena_new(NULL, "list");
	struct val *v = json_parse(a, d->file, p, (size_t)(end - p), NULL, d->err);

	if (v && v->type == VAL_LIST)
		items(d, v, NULL, d->err);
	arena_free(a);
}

/* ***HIDDEN*** without quotes is an alias in YAML: quoted in place, at the price of two stars. */
static void quote_redacted(char *p, char *end)
{
	static const char mark[] = "***HIDDEN***";

	while ((p = (char *)(uintptr_t)find(p, end, mark, false))) {
		char *behind = p + sizeof(mark) - 1;

		if (p[-1] == ' ' && (behind == end || *behind == '\n' || *behind == '\r')) {
			p[0] = '"';
			behind[-1] = '"';
		}
		p = behind;
	}
}

static void read_text(struct dumping *d, char *text, size_t n, bool mapped)
{
	const char *p = text, *end = text + n;
	uint32_t line = 1;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	if (!looks_like_objects(p, end)) {
		d->report->skipped++;
		return;
	}
	d->report->files++;
	if (n > 1 && !mapped)
		quote_redacted(text + 1, text + n);
	while (p < end && isspace((unsigned char)*p) && *p != '\n')
		p++;
	if (*p == '[') {
		read_array(d, p, end);
		return;
	}
	while (p < end && !d->stopped) {
		const char *log = next_log(p, end, mapped), *to = log ? log : end;

		if (looks_like_objects(p, to))
			read_part(d, line, p, to, mapped);
		if (!log)
			break;
		d->report->logs++;
		line += lines_between(p, log);
		p = behind_log(log, end);
		line += lines_between(log, p);
	}
}

bool dump_read_text(const char *file, char *text, size_t n, doc_take take, void *ctx, struct dump_report *report, struct err *err)
{
	struct dumping d = { .take = take, .ctx = ctx, .report = report, .err = err, .file = file, .scratch = arena_new(NULL, "dump") };
	size_t wide = n;
	char *narrow = text_from_utf16(text, n, &wide);

	arena_alloc(d.scratch, 1, 1);
	read_text(&d, narrow ? narrow : text, narrow ? wide : n, false);
	free(narrow);
	arena_free(d.scratch);
	return !d.stopped;
}

/* ---- paths */

static bool no_objects(const char *name)
{
	static const char *const endings[] = { ".log", ".jpg", ".jpeg", ".png", ".gif", ".gz", ".tgz", ".tar", ".zip", ".html", ".svg", ".pdf", ".pcap", ".sh", ".py", ".go", ".c", ".md", NULL };
	size_t n = strlen(name);

	for (int k = 0; endings[k]; k++)
		if (n > strlen(endings[k]) && strcmp(name + n - strlen(endings[k]), endings[k]) == 0)
			return true;
	return strcmp(name, "logs.txt") == 0;
}

static bool read_fd(struct dumping *d, int fd, size_t size)
{
	char *text = size ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : NULL, *narrow;
	size_t wide;

	if (!size) {
		d->report->skipped++;
		return true;
	}
	if (text == MAP_FAILED)
		return err_add(d->err, ERR_INPUT, &(struct where){ .file = d->file }, "%s", strerror(errno));
	madvise(text, size, MADV_SEQUENTIAL);
	narrow = text_from_utf16(text, size, &wide);
	if (narrow)
		read_text(d, narrow, wide, false);
	else
		read_text(d, text, size, !find(text, text + size, "***HIDDEN***", true));     /* pages that are written to must stay */
	free(narrow);
	munmap(text, size);
	return !d->stopped;
}

/* A pipe goes into a file without a name first. */
static bool read_pipe(struct dumping *d, int fd)
{
	FILE *spool = tmpfile();
	char buf[65536];
	size_t size = 0;
	ssize_t got = 0;
	bool ok = spool != NULL;

	while (ok && ((got = read(fd, buf, sizeof(buf))) > 0 || (got < 0 && errno == EINTR))) {
		size += got > 0 ? (size_t)got : 0;
		ok = got <= 0 || fwrite(buf, 1, (size_t)got, spool) == (size_t)got;
	}
	ok = ok && got == 0 && fflush(spool) == 0;
	if (!ok)
		err_add(d->err, ERR_INPUT, &(struct where){ .file = d->file }, "%s", strerror(errno));
	else
		ok = read_fd(d, fileno(spool), size);
	if (spool)
		fclose(spool);
	return ok;
}

static bool read_path(struct dumping *d, const char *path, unsigned depth);

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool read_folder(struct dumping *d, const char *path, unsigned depth)
{
	struct dirent **name;
	int nr = scandir(path, &name, NULL, by_name);
	bool ok = nr >= 0;

	if (!ok)
		return err_add(d->err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
	for (int k = 0; k < nr; k++) {
		struct sb at = { 0 };

		sb_printf(&at, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", name[k]->d_name);
		if (ok && name[k]->d_name[0] != '.' && !no_objects(name[k]->d_name))
			ok = read_path(d, at.s, depth + 1);
		sb_free(&at);
		free(name[k]);
	}
	free(name);
	return ok;
}

static bool read_path(struct dumping *d, const char *path, unsigned depth)
{
	bool is_stdin = strcmp(path, "-") == 0, ok;
	int fd = is_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		ok = err_add(d->err, ERR_INPUT, &(struct where){ .file = path }, "%s", strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		ok = depth < 64 ? read_folder(d, path, depth) : err_add(d->err, ERR_INPUT, &(struct where){ .file = path }, "folders nested deeper than 64");
	} else {
		d->file = path;
		ok = S_ISREG(st.st_mode) && (!is_stdin || lseek(0, 0, SEEK_CUR) == 0) ? read_fd(d, fd, (size_t)st.st_size) : read_pipe(d, fd);
	}
	if (fd > 0)
		close(fd);
	return ok;
}

bool dump_read_path(const char *path, doc_take take, void *ctx, struct dump_report *report, struct err *err)
{
	struct dumping d = { .take = take, .ctx = ctx, .report = report, .err = err, .scratch = arena_new(NULL, "dump") };
	bool ok;

	arena_alloc(d.scratch, 1, 1);
	ok = read_path(&d, path, 0);
	arena_free(d.scratch);
	return ok;
}
