/* A cluster out of the file, as a command left it. */
#include "sim/engine/connections.h"
#include "sim/lab/load.h"

#include <stdlib.h>

#include "model/base/quantity.h"

#define MAX_HANDLES (1u << 28)          /* more is damage */

/* Calls each for every row. */
static bool each_row(struct loading *l, const char *sql, bool (*each)(struct loading *, sqlite3_stmt *))
{
	sqlite3_stmt *st = store_prepare(l->lab, sql, l->err);
	bool ok = st;
	int code = SQLITE_DONE;

	if (ok && sqlite3_bind_parameter_count(st))
		sqlite3_bind_int64(st, 1, l->input);
	while (ok && (code = sqlite3_step(st)) == SQLITE_ROW)
		ok = each(l, st);
	if (ok && code != SQLITE_DONE)
		ok = store_failed(l->lab, "cannot be read", l->err);
	sqlite3_finalize(st);
	return ok;
}

static bool load_event(struct loading *l, sqlite3_stmt *st)
{
	struct event e = {
		.at = sqlite3_column_int64(st, 0), .warning = sqlite3_column_int(st, 1), .object = { (uint32_t)sqlite3_column_int64(st, 2) },
		.reason = cluster_str(l->cluster, text_at(st, 3)), .message = cluster_str(l->cluster, text_at(st, 4)), .component = cluster_str(l->cluster, text_at(st, 5)),
	};

	if (e.object.i > cluster_handles(l->cluster))
		return err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: an event names object %u, which is missing", e.object.i);
	cluster_restore_event(l->cluster, &e);
	return true;
}

/* Before all else: the seed is the cluster's from its beginning. */
static bool load_fact(struct loading *l, sqlite3_stmt *st)
{
	const char *name = text_at(st, 0);
	struct { const char *name; int64_t *v; } numbers[] = {
		{ "seed", &l->fact.seed }, { "rows", &l->fact.rows }, { "whole", &l->fact.whole }, { "wholeBytes", &l->fact.whole_bytes },
	};

	for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
		if (streq(name, numbers[k].name))
			*numbers[k].v = sqlite3_column_int64(st, 1);
	if (strncmp(name, "flags", 5) == 0) {
		int64_t of = name[5] == ':' ? strtoll(name + 6, NULL, 10) : 0;

		if (of >= l->fact.flags_of && of <= l->input) {
			l->fact.flags_of = of;
			l->fact.flags = arena_strdup(l->scratch, text_at(st, 1));
		}
	}
	return true;
}

static bool load_flags(struct loading *l)
{
	const struct val *v = l->fact.flags ? json_parse(l->arena, l->lab->path, l->fact.flags, strlen(l->fact.flags), NULL, l->err) : NULL;

	if (v)
		flags_unpack(cluster_flags(l->cluster), v, l->cluster);
	free(l->lab->flags);
	l->lab->flags = v ? strdup(l->fact.flags) : NULL;
	return v || !l->fact.flags;
}

static struct val *control_at(struct loading *l, sqlite3_stmt *st)
{
	const unsigned char *bytes = sqlite3_column_blob(st, 0);
	size_t n = (size_t)sqlite3_column_bytes(st, 0);
	struct scan scan;
	struct val *v;

	if (n && *bytes == '{')
		return piece_json(l, l->arena, &(struct piece){ (const char *)bytes, n });
	scan_begin(&scan, l->cluster);
	scan.p = bytes;
	scan.end = bytes + n;
	v = scan_tree(&scan);
	if (!v || scan.bad) {
		v = NULL;
		err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: what controllers remember cannot be read");
	}
	scan_end(&scan);
	return v;
}

static struct val *load_control(struct loading *l)
{
	sqlite3_stmt *st = store_prepare(l->lab, "SELECT state FROM control WHERE input <= ?1 ORDER BY input DESC LIMIT 1", l->err);
	struct val *v = NULL;

	if (st) {
		sqlite3_bind_int64(st, 1, l->input);
		if (sqlite3_step(st) == SQLITE_ROW)
			v = control_at(l, st);
	}
	sqlite3_finalize(st);
	return v;
}

static bool load_moment(struct loading *l, sqlite3_stmt *st)
{
	cluster_set_now(l->cluster, sqlite3_column_int64(st, 0));
	cluster_restore_rev(l->cluster, (rev_t)sqlite3_column_int64(st, 1));
	return true;
}

/* ---- objects: of each the newest version, from a bundle or, in older labs, from a row, in the order of handles */

struct source { struct bundle_reader reader; struct sources *all; };
struct sources {
	struct loading *l;
	struct arena *arena;
	VEC(int64_t) newest;            /* of each handle: the command that left it so */
	VEC(struct source *) bundles;   /* in the order of commands, the whole first */
	sqlite3_stmt *part, *part_of_whole, *rows;
	int64_t row;                    /* the handle of the present row; 0: there is none */
};

static bool see(struct sources *s, uint32_t id, int64_t input)
{
	while (s->newest.nr <= id)
		vec_add(s->arena, &s->newest, 0);
	s->newest.v[id] = MAX(s->newest.v[id], input);
	return true;
}

static bool see_handle(void *ctx, uint32_t id)
{
	struct source *b = ctx;

	return id <= MAX_HANDLES && see(b->all, id, b->reader.input);
}

static bool see_bundle(struct sources *s, int64_t input, bool whole)
{
	struct loading *l = s->l;
	struct source *b = arena_make(s->arena, struct source);
	sqlite3_stmt **get = whole ? &s->part_of_whole : &s->part;

	if (!*get && !(*get = store_prepare(l->lab, whole ? "SELECT body FROM whole WHERE place = ?1" : "SELECT body FROM bundle WHERE place = ?1", l->err)))
		return false;
	vec_add(s->arena, &s->bundles, b);
	b->all = s;
	return bundle_open(&b->reader, l->lab, l->cluster, input, whole, *get, l->err) && bundle_handles(&b->reader, see_handle, b, l->err);
}

static bool see_bundles(struct sources *s)
{
	struct loading *l = s->l;
	sqlite3_stmt *st = store_prepare(l->lab, "SELECT place, length(body) FROM bundle WHERE place BETWEEN ?1 AND ?2 ORDER BY place", l->err);
	size_t base = (size_t)l->fact.whole_bytes, behind = 0;
	bool ok = st && (!l->fact.whole || see_bundle(s, l->fact.whole, true));
	int code = SQLITE_DONE;

	if (ok) {
		sqlite3_bind_int64(st, 1, bundle_place(l->fact.whole + 1, 0, false));
		sqlite3_bind_int64(st, 2, bundle_place(l->input + 1, 0, false) - 1);
	}
	while (ok && (code = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t place = sqlite3_column_int64(st, 0), input = place >> 20;
		bool first = place == bundle_place(input, 0, false);

		*(s->bundles.nr + first > 1 ? &behind : &base) += (size_t)sqlite3_column_int64(st, 1) + (first ? BUNDLE_COST : 0);
		ok = !first || see_bundle(s, input, false);
	}
	if (ok && code != SQLITE_DONE)
		ok = store_failed(l->lab, "cannot be read", l->err);
	sqlite3_finalize(st);
	l->lab->base = base;
	l->lab->behind = behind + (l->fact.rows && !l->fact.whole ? base + WHOLE_FROM : 0);        /* the next change leaves the rows behind */
	return ok;
}

/* Of the past: what stood in object before a later command changed it. */
static bool see_rows(struct sources *s)
{
	struct loading *l = s->l;
	bool past = l->input != l->lab->input;
	sqlite3_stmt *st = store_prepare(l->lab, past ? "SELECT id, input FROM object WHERE input <= ?1 UNION ALL SELECT id, input FROM object_was WHERE input <= ?1 AND until > ?1"
						      : "SELECT id, input FROM object", l->err);
	bool ok = st;

	s->rows = store_prepare(l->lab, past ? "SELECT " ROW_COLUMNS " FROM object WHERE input <= ?1 UNION ALL"
					       " SELECT " ROW_COLUMNS " FROM object_was WHERE input <= ?1 AND until > ?1 ORDER BY id"
					     : "SELECT " ROW_COLUMNS " FROM object ORDER BY id", l->err);
	ok = ok && s->rows;
	if (ok && past) {
		sqlite3_bind_int64(st, 1, l->input);
		sqlite3_bind_int64(s->rows, 1, l->input);
	}
	while (ok && sqlite3_step(st) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(st, 0);

		ok = (id > 0 && id <= MAX_HANDLES && see(s, (uint32_t)id, sqlite3_column_int64(st, 1))) ||
		     err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: there is no object %" PRId64, id);
	}
	sqlite3_finalize(st);
	return ok;
}

/* The row of that handle, if the newest version stands in it; rows that a bundle has replaced are passed over. */
static struct object *from_row(struct sources *s, uint32_t id)
{
	do {
		int code = sqlite3_step(s->rows);

		s->row = code == SQLITE_ROW ? sqlite3_column_int64(s->rows, 0) : 0;
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			store_failed(s->l->lab, "cannot be read", s->l->err);
	} while (s->row && (s->row < id || sqlite3_column_int64(s->rows, 1) != s->newest.v[id]));
	return s->row == id ? row_object(s->l, s->rows) : NULL;
}

static struct object *from_bundle(struct sources *s, struct source *b, uint32_t id)
{
	struct object *o;

	do
		o = bundle_next(&b->reader, s->l->err);
	while (o && o->id.i < id);
	return o && o->id.i == id ? o : NULL;
}

static bool restore(struct sources *s, uint32_t id)
{
	uint32_t mark = s->l->err->nr;
	struct object *o = NULL;

	for (uint32_t k = s->bundles.nr; k-- > 0 && !o && s->l->err->nr == mark;)
		if (s->bundles.v[k]->reader.input == s->newest.v[id])
			o = from_bundle(s, s->bundles.v[k], id);
	if (!o && s->l->err->nr == mark && s->newest.v[id])
		o = from_row(s, id);
	if (!o)
		return s->l->err->nr > mark ? false : err_add(s->l->err, ERR_INPUT, &(struct where){ .file = s->l->lab->path }, "damaged: object %u is missing", id);
	cluster_restore(s->l->cluster, o);
	return true;
}

static bool load_objects(struct loading *l)
{
	struct sources s = { .l = l, .arena = arena_new(NULL, "sources") };
	bool ok = see_bundles(&s) && (!l->fact.rows || l->fact.whole || see_rows(&s));

	str_expect(cluster_strings(l->cluster), MIN(s.newest.nr, 1u << 24));
	for (uint32_t id = 1; ok && id < s.newest.nr; id++)
		ok = restore(&s, id);
	for (uint32_t k = 0; k < s.bundles.nr; k++)
		bundle_close(&s.bundles.v[k]->reader);
	sqlite3_finalize(s.part);
	sqlite3_finalize(s.part_of_whole);
	sqlite3_finalize(s.rows);
	arena_free(s.arena);
	return ok;
}

static bool load_rest(struct loading *l)
{
	bool rows = l->fact.rows;

	/* Flags first: settings may be asked for while objects are decoded. */
	return load_flags(l) && (!rows || rows_begin(l)) && each_row(l, "SELECT ended, rev FROM input WHERE nr = ?1", load_moment) && load_objects(l) &&
	       (!rows || each_row(l, "SELECT at, warning, object, reason, message, component FROM event WHERE input <= ?1 ORDER BY nr", load_event)) &&
	       notes_load(l->lab, l->cluster, l->input, l->err);
}

struct cluster *lab_load(struct lab *lab, struct lab_point at, struct val **control, struct err *err)
{
	struct loading l = { .lab = lab, .input = at.input, .scratch = arena_new(NULL, "lab"), .fact.seed = 1, .err = err };
	uint32_t mark = err->nr;
	bool ok;

	arena_alloc(l.scratch, 1, 1);
	*control = NULL;
	ok = each_row(&l, "SELECT name, value FROM fact WHERE name NOT GLOB 'lesson:*'", load_fact);
	if (l.fact.whole > at.input)
		l.fact.whole = l.fact.whole_bytes = 0;
	l.cluster = cluster_new(NULL, (uint64_t)l.fact.seed);
	l.arena = cluster_arena(l.cluster);
	ok = ok && load_rest(&l) && ((*control = load_control(&l)) || err->nr == mark);
	arena_free(l.scratch);
	rows_end(&l);
	if (!ok) {
		cluster_free(l.cluster);
		return NULL;
	}
	lab->rev = cluster_rev(l.cluster);
	lab->objects = cluster_handles(l.cluster);
	lab->events = cluster_event_count(l.cluster);
	return l.cluster;
}

bool lab_load_world(struct lab *lab, struct lab_point at, struct world *w, struct err *err)
{
	struct val *control;

	*w = (struct world){ .cluster = lab_load(lab, at, &control, err) };
	if (!w->cluster)
		return false;
	w->control = control_new(w->cluster);
	control_load(w->control, control);
	connections_load(w, val_get(control, "connections"));
	return true;
}

/* ---- moments */

static bool find_rev(struct lab *lab, const char *text, struct lab_point *out, struct err *err)
{
	char *end, sql[120];
	unsigned long rev = strtoul(text + 4, &end, 10);

	if (end == text + 4 || *end || rev > UINT32_MAX)
		return err_add(err, ERR_INPUT, NULL, "--at: \"%s\": a revision is a number, as in rev:17", text);
	snprintf(sql, sizeof(sql), "SELECT max(nr) FROM input WHERE rev <= %lu", rev);
	out->input = store_number(lab, sql, 0);
	if (rev > (unsigned long)store_number(lab, "SELECT max(rev) FROM input", 0))
		return err_add(err, ERR_INPUT, NULL, "--at: \"%s\": the lab has come to revision %" PRId64 " only", text, store_number(lab, "SELECT max(rev) FROM input", 0));
	return true;
}

bool lab_find(struct lab *lab, const char *text, struct lab_point *out, struct err *err)
{
	int64_t ended, last;
	char sql[120];
	nsec at;

	*out = (struct lab_point){ lab->input, NEVER };
	if (!text)
		return true;
	if (strncmp(text, "rev:", 4) == 0)
		return find_rev(lab, text, out, err);
	if (!duration_parse(text, &at) || at < 0)
		return err_add(err, ERR_INPUT, NULL, "--at: \"%s\" is neither a time, as in 12.5s, nor a revision, as in rev:17", text);
	last = store_number(lab, "SELECT max(ended) FROM input", 0);
	if (at > last)
		return err_add(err, ERR_INPUT, NULL, "--at: \"%s\": the lab has come to %.3fs only; podwire advance lets time pass", text, (double)last / 1e9);
	snprintf(sql, sizeof(sql), "SELECT max(nr) FROM input WHERE ended <= %" PRId64, at);
	out->input = store_number(lab, sql, 0);
	snprintf(sql, sizeof(sql), "SELECT ended FROM input WHERE nr = %" PRId64, out->input);
	ended = store_number(lab, sql, 0);
	out->at = at == ended ? NEVER : at;
	return true;
}

/* ---- history */

static const char *copy_at(struct arena *a, sqlite3_stmt *st, int at)
{
	const char *s = text_at(st, at);

	return s ? arena_strdup(a, s) : NULL;
}

static bool read_entry(struct loading *l, sqlite3_stmt *st, struct lab_entry *e)
{
	const struct val *argv = json_at(l, st, 5);
	const char **words = arena_array(l->arena, const char *, argv ? argv->nr + 1 : 1);

	*e = (struct lab_entry){ .nr = sqlite3_column_int64(st, 0), .to = sqlite3_column_int64(st, 2), .rev = (rev_t)sqlite3_column_int64(st, 3) };
	e->input.from = sqlite3_column_int64(st, 1);
	e->input.status = (enum err_kind)sqlite3_column_int(st, 4);
	e->input.result = copy_at(l->arena, st, 6);
	VAL_EACH(v, argv)
		words[e->input.argc++] = val_str(v);
	e->input.argv = words;
	return argv;
}

static bool read_documents(struct loading *l, struct lab_entry *e)
{
	sqlite3_stmt *st = store_prepare(l->lab, "SELECT file, body, places, segment, at FROM document WHERE input = ?1 ORDER BY nr", l->err);
	VEC(struct doc) docs = { 0 };
	bool ok = st;

	if (st)
		sqlite3_bind_int64(st, 1, e->nr);
	while (ok && sqlite3_step(st) == SQLITE_ROW) {
		struct doc d = { .file = copy_at(l->arena, st, 0) };
		struct piece v[2];

		if (pieces_at(l, st, 1, 3, v, 2))
			d.root = document_of(l, v);
		ok = d.root;
		vec_add(l->arena, &docs, d);
	}
	e->input.docs = docs.v;
	e->input.nr_docs = docs.nr;
	sqlite3_finalize(st);
	return ok;
}

bool lab_history(struct lab *lab, struct arena *a, struct lab_history *out, struct err *err)
{
	struct loading l = { .lab = lab, .arena = a, .err = err };
	sqlite3_stmt *st = store_prepare(lab, "SELECT nr, begun, ended, rev, status, argv, result FROM input ORDER BY nr", err);
	VEC(struct lab_entry) entries = { 0 };
	bool ok = st;

	while (ok && sqlite3_step(st) == SQLITE_ROW) {
		struct lab_entry e;

		ok = read_entry(&l, st, &e) && read_documents(&l, &e);
		vec_add(a, &entries, e);
	}
	sqlite3_finalize(st);
	segments_close(&l.segments);
	*out = (struct lab_history){ entries.v, entries.nr };
	return ok;
}
