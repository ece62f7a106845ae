/* A cluster out of the file, as a command left it. */
#include "sim/engine/connections.h"
#include "sim/lab/store.h"

#include <stdlib.h>

#include "model/base/quantity.h"

enum { C_ID, C_API, C_KIND, C_NS, C_NAME, C_UID, C_LIFE, C_REV, C_GENERATION, C_CREATED, C_DELETED, C_FILE, C_LINE, C_GONE, C_SPEC, C_OWN, C_STATE, C_DOC, C_PLACES, C_SHAPE,
       C_NODE, C_IP, C_SEGMENT, C_AT };
#define COLUMNS "id, api, kind, ns, name, uid, life, rev, generation, created, deleted, file, line, gone, spec, own, state, doc, places, shape, node, ip, segment, at"

struct loading {
	struct lab *lab;
	struct cluster *cluster;
	struct arena *arena;            /* the cluster's */
	struct arena *scratch;          /* for one row */
	int64_t input;
	sqlite3_stmt *spec;
	struct map specs;               /* row + 1 → struct pod_spec */
	sqlite3_stmt *shape;
	struct map shapes;              /* row → struct pod without what its own row says */
	struct segment_reader segments;
	struct err *err;
};

static const char *text_at(sqlite3_stmt *st, int at)
{
	return (const char *)sqlite3_column_text(st, at);
}

/* What stands in the columns from `first` on, or in a segment. */
static bool pieces_at(struct loading *l, sqlite3_stmt *st, int first, int segment, struct piece *v, uint32_t nr)
{
	if (sqlite3_column_type(st, segment) != SQLITE_NULL)
		return segments_get(&l->segments, l->lab, (struct segment_place){ sqlite3_column_int64(st, segment), sqlite3_column_int64(st, segment + 1) }, v, nr, l->err);
	for (uint32_t k = 0; k < nr; k++) {
		bool null = sqlite3_column_type(st, first + (int)k) == SQLITE_NULL;
		const void *bytes = null ? NULL : sqlite3_column_blob(st, first + (int)k);

		v[k] = (struct piece){ null ? NULL : bytes ? bytes : "", (size_t)sqlite3_column_bytes(st, first + (int)k) };
	}
	return true;
}

static struct val *json_of(struct loading *l, struct arena *a, const struct piece *p)
{
	uint32_t mark = l->err->nr;
	struct val *v = p->s ? json_parse(a, l->lab->path, p->s, p->n, NULL, l->err) : NULL;

	if (p->s && !v)
		err_wrap(l->err, mark, "a stored document is damaged");
	return v;
}

static struct val *json_at(struct loading *l, sqlite3_stmt *st, int at)
{
	return json_of(l, l->arena, &(struct piece){ text_at(st, at), (size_t)sqlite3_column_bytes(st, at) });
}

/* JSON with its places in the piece behind it. */
static struct val *document_of(struct loading *l, const struct piece p[2])
{
	struct val *v = json_of(l, l->arena, &p[0]);

	if (v)
		places_unpack(v, p[1].s ? p[1].s : "", p[1].s ? p[1].n : 0);
	return v;
}

/* A Pod spec by its row; Pods of one template share it. */
static const struct pod_spec *spec_at(struct loading *l, int64_t row)
{
	uint64_t *known = map_put(&l->specs, l->arena, (uint64_t)row + 1);
	struct decode d = { cluster_strings(l->cluster), l->arena, VALIDATE_IGNORE, l->lab->path, "Pod", l->err };
	struct pod_spec *spec;

	if (*known)
		return (const struct pod_spec *)(uintptr_t)*known;
	spec = arena_make(l->arena, struct pod_spec);
	sqlite3_bind_int64(l->spec, 1, row);
	if (sqlite3_step(l->spec) == SQLITE_ROW)
		fields_decode(&d, pod_spec_fields, json_at(l, l->spec, 0), "spec", spec);
	else
		err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: Pod spec %" PRId64 " is missing", row);
	sqlite3_reset(l->spec);
	*known = map_ptr(spec);
	return spec;
}

/* The fields as applied, over them those that changed since, the defaults that follow, and what controllers keep. */
static void fill_from(struct loading *l, struct object *o, const struct val *own, const struct val *state, int64_t spec)
{
	struct decode d = { cluster_strings(l->cluster), l->arena, VALIDATE_IGNORE, l->lab->path, o->kind->name, l->err };
	const struct kind *k = o->kind;

	if (!own || !state)
		return;
	if (k->fields && o->doc && k != &pod_kind)
		fields_decode(&d, k->fields, o->doc, "", o);
	if (k->fields)
		fields_decode(&d, k->fields, own, "", o);
	if (k == &pod_kind)
		((struct pod *)o)->spec = spec_at(l, spec);
	if (k->dflt) {
		const struct val *doc = o->doc;

		o->doc = doc ? doc : own;
		k->dflt(o, l->arena, cluster_strings(l->cluster));
		o->doc = doc;
	}
	state_unpack(o, state, l->cluster);
}

static const struct val *body_of_shape(struct loading *l)
{
	struct segment_place at = { sqlite3_column_int64(l->shape, 0), sqlite3_column_int64(l->shape, 1) };
	struct piece body;

	return segments_get(&l->segments, l->lab, at, &body, 1, l->err) ? json_of(l, l->scratch, &body) : NULL;
}

static const struct pod *shape_at(struct loading *l, int64_t row)
{
	uint64_t *known = map_put(&l->shapes, l->arena, (uint64_t)row);
	const struct val *body = NULL;
	struct pod *p;

	if (*known)
		return (const struct pod *)(uintptr_t)*known;
	p = (struct pod *)object_make(l->cluster, &pod_kind, NULL, NULL);
	sqlite3_bind_int64(l->shape, 1, row);
	if (sqlite3_step(l->shape) == SQLITE_ROW)
		body = body_of_shape(l);
	else
		err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: Pod shape %" PRId64 " is missing", row);
	sqlite3_reset(l->shape);
	fill_from(l, &p->o, val_get(body, "own"), val_get(body, "state"), val_int_or(val_get(body, "spec"), 0));
	*known = map_ptr(p);
	return p;
}

static void fill_from_shape(struct loading *l, sqlite3_stmt *st, struct pod *p)
{
	struct object own = p->o;
	const struct pod *shape = shape_at(l, sqlite3_column_int64(st, C_SHAPE));

	memcpy(p, shape, sizeof(*p));
	p->o.id = own.id;
	p->o.ns = own.ns;
	p->o.name = own.name;
	p->o.uid = own.uid;
	p->o.life = own.life;
	p->o.rev = own.rev;
	p->o.generation = own.generation;
	p->o.created = own.created;
	p->o.deleted = own.deleted;
	p->o.file = own.file;
	p->o.line = own.line;
	p->node = cluster_str(l->cluster, text_at(st, C_NODE));
	if (!addresses_unpack(p, sqlite3_column_blob(st, C_IP), (size_t)sqlite3_column_bytes(st, C_IP)))
		err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: the addresses of a Pod cannot be read");
}

static void fill_object(struct loading *l, sqlite3_stmt *st, struct object *o)
{
	bool stays = o->kind != &pod_kind;      /* what a template says is looked up in it later */
	struct piece v[4];
	const struct val *own, *state;

	if (!pieces_at(l, st, C_OWN, C_SEGMENT, v, 4))
		return;
	own = json_of(l, stays ? l->arena : l->scratch, &v[0]);
	state = json_of(l, l->scratch, &v[1]);
	o->doc = document_of(l, &v[2]);
	fill_from(l, o, own, state, sqlite3_column_int64(st, C_SPEC));
}

static bool load_object(struct loading *l, sqlite3_stmt *st)
{
	const struct kind *k = cluster_kind(l->cluster, text_at(st, C_API), text_at(st, C_KIND));
	struct object *o = object_new(l->cluster, k, text_at(st, C_NS), text_at(st, C_NAME));
	struct arena_mark row = arena_mark(l->scratch);
	uint32_t mark = l->err->nr;

	o->id = (obj_h){ (uint32_t)sqlite3_column_int64(st, C_ID) };
	o->life = (uint32_t)sqlite3_column_int64(st, C_LIFE);
	o->uid = *text_at(st, C_UID) ? cluster_str(l->cluster, text_at(st, C_UID)) : cluster_uid_of(l->cluster, o);
	o->rev = (rev_t)sqlite3_column_int64(st, C_REV);
	o->generation = sqlite3_column_int64(st, C_GENERATION);
	o->created = sqlite3_column_int64(st, C_CREATED);
	o->deleted = sqlite3_column_type(st, C_DELETED) == SQLITE_NULL ? NEVER : sqlite3_column_int64(st, C_DELETED);
	o->file = cluster_str(l->cluster, text_at(st, C_FILE));
	o->line = (uint32_t)sqlite3_column_int64(st, C_LINE);
	o->gone = sqlite3_column_int(st, C_GONE);
	if (!o->gone && k == &pod_kind && sqlite3_column_type(st, C_SHAPE) != SQLITE_NULL)
		fill_from_shape(l, st, (struct pod *)o);
	else if (!o->gone)
		fill_object(l, st, o);
	arena_rewind(l->scratch, row);
	if (l->err->nr > mark)
		return err_wrap(l->err, mark, "%s \"%s\" cannot be restored", k->name, o->name);
	if (o->id.i != cluster_handles(l->cluster) + 1)
		return err_add(l->err, ERR_INPUT, &(struct where){ .file = l->lab->path }, "damaged: object %u is missing", cluster_handles(l->cluster) + 1);
	cluster_restore(l->cluster, o);
	return true;
}

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

static bool load_flags(struct loading *l, sqlite3_stmt *st)
{
	struct val *v = json_at(l, st, 0);

	if (v)
		flags_unpack(cluster_flags(l->cluster), v, l->cluster);
	return v;
}

static struct val *load_control(struct loading *l)
{
	sqlite3_stmt *st = store_prepare(l->lab, "SELECT state FROM control WHERE input <= ?1 ORDER BY input DESC LIMIT 1", l->err);
	struct val *v = NULL;

	if (st) {
		sqlite3_bind_int64(st, 1, l->input);
		if (sqlite3_step(st) == SQLITE_ROW)
			v = json_at(l, st, 0);
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

static bool load_all(struct loading *l)
{
	bool past = l->input != l->lab->input, ok;

	l->spec = store_prepare(l->lab, "SELECT body FROM spec WHERE id = ?1", l->err);
	l->shape = store_prepare(l->lab, "SELECT segment, at FROM shape WHERE id = ?1", l->err);
	if (!l->spec || !l->shape)
		return false;
	/* Flags first: settings may be asked for while objects are decoded. Of the past: what stood in object before a later command changed it. */
	ok = each_row(l, "SELECT value FROM fact WHERE name = 'flags'", load_flags) &&
	       each_row(l, "SELECT ended, rev FROM input WHERE nr = ?1", load_moment) &&
	       each_row(l, past ? "SELECT " COLUMNS " FROM object WHERE input <= ?1 UNION ALL"
				  " SELECT " COLUMNS " FROM object_was WHERE input <= ?1 AND until > ?1 ORDER BY id"
				: "SELECT " COLUMNS " FROM object ORDER BY id", load_object) &&
	       each_row(l, "SELECT at, warning, object, reason, message, component FROM event WHERE input <= ?1 ORDER BY nr", load_event) &&
	       notes_load(l->lab, l->cluster, l->input, l->err);
	sqlite3_finalize(l->spec);
	sqlite3_finalize(l->shape);
	return ok;
}

struct cluster *lab_load(struct lab *lab, struct lab_point at, struct val **control, struct err *err)
{
	uint64_t seed = (uint64_t)store_number(lab, "SELECT value FROM fact WHERE name = 'seed'", 1);
	struct loading l = { .lab = lab, .cluster = cluster_new(NULL, seed), .input = at.input, .scratch = arena_new(NULL, "lab"), .err = err };
	uint32_t mark = err->nr;
	bool ok;

	l.arena = cluster_arena(l.cluster);
	arena_alloc(l.scratch, 1, 1);
	*control = NULL;
	ok = load_all(&l) && ((*control = load_control(&l)) || err->nr == mark);
	arena_free(l.scratch);
	segments_close(&l.segments);
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
