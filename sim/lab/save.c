/* What a command changed, into the file. */
#include "sim/engine/connections.h"
#include "sim/lab/bundle.h"

#include <stdlib.h>

/* The columns of object, in the order of the schema. */
enum { C_ID = 1, C_INPUT, C_API, C_KIND, C_NS, C_NAME, C_UID, C_LIFE, C_REV, C_GENERATION, C_CREATED, C_DELETED, C_FILE, C_LINE, C_GONE, C_SPEC, C_OWN, C_STATE, C_DOC, C_PLACES };
#define MANY 64                         /* objects or documents of one command from which on they are written together */

struct saving {
	struct lab *lab;
	struct cluster *cluster;
	struct arena *scratch;
	int64_t input;                  /* the number of this command */
	sqlite3_stmt *keep, *put, *find_spec, *put_spec;
	struct arena *kept;             /* as long as the command is saved */
	struct map specs;               /* struct pod_spec → its row */
	struct sb own, state, doc, places;
	struct segment_writer segments;
	struct bundle_writer bundle;
	struct err *err;
};

static void bind_time(sqlite3_stmt *st, int at, nsec t)
{
	if (t == NEVER)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_int64(st, at, t);
}

static void print_tree(const struct val *v, struct sb *text)
{
	sb_reset(text);
	val_print_json(v, text, 0, false);
}

static void print_document(struct saving *s, const struct val *v)
{
	sb_reset(&s->doc);
	sb_reset(&s->places);
	if (!v)
		return;
	val_print_json(v, &s->doc, 0, false);
	places_pack(v, &s->places);
}

/* The pieces in their columns from `first` on. Places, the last, are bytes, all else is text. */
static void bind_pieces(sqlite3_stmt *st, int first, const struct piece *v, int nr)
{
	for (int k = 0; k < nr; k++) {
		if (!v[k].s)
			sqlite3_bind_null(st, first + k);
		else if (k == nr - 1)
			sqlite3_bind_blob(st, first + k, v[k].s, (int)v[k].n, SQLITE_STATIC);
		else
			sqlite3_bind_text(st, first + k, v[k].s, (int)v[k].n, SQLITE_STATIC);
	}
}

static struct piece piece_of(const struct sb *text, bool there)
{
	return (struct piece){ there ? sb_text(text) : NULL, text->len };
}

/* The row of a Pod spec; a new one if none has that content. */
static int64_t spec_row(struct saving *s, const struct pod_spec *spec)
{
	uint64_t *known = map_put(&s->specs, s->kept, map_ptr(spec));
	struct val *v = val_new(s->scratch, VAL_MAP);
	struct sb text = { 0 };

	if (*known)
		return (int64_t)*known;
	fields_encode(s->scratch, pod_spec_fields, spec, v);
	val_print_json(v, &text, 0, false);
	sqlite3_bind_int64(s->find_spec, 1, fnv32a(text.s, text.len));
	store_bind_text(s->find_spec, 2, text.s);
	if (sqlite3_step(s->find_spec) == SQLITE_ROW)
		*known = (uint64_t)sqlite3_column_int64(s->find_spec, 0);
	sqlite3_reset(s->find_spec);
	if (!*known) {
		sqlite3_bind_int64(s->put_spec, 1, fnv32a(text.s, text.len));
		store_bind_text(s->put_spec, 2, text.s);
		if (store_do(s->lab, s->put_spec, "cannot be written", s->err))
			*known = (uint64_t)sqlite3_last_insert_rowid(s->lab->db);
	}
	sb_free(&text);
	return (int64_t)*known;
}

static void bind_content(struct saving *s, const struct object *o)
{
	struct arena_mark mark = arena_mark(s->scratch);

	for (int k = C_SPEC; k <= C_PLACES; k++)
		sqlite3_bind_null(s->put, k);
	if (o->gone)
		return;
	if (o->kind == &pod_kind)
		sqlite3_bind_int64(s->put, C_SPEC, spec_row(s, ((const struct pod *)o)->spec));
	print_tree(own_pack(o, s->scratch), &s->own);
	print_tree(state_pack(o, s->scratch), &s->state);
	arena_rewind(s->scratch, mark);
	print_document(s, o->doc);
	bind_pieces(s->put, C_OWN, (struct piece[]){ piece_of(&s->own, true), piece_of(&s->state, true), piece_of(&s->doc, o->doc), piece_of(&s->places, o->doc) }, 4);
}

/* The row as it was goes to object_was first. */
static bool save_object(struct saving *s, const struct object *o)
{
	if (s->lab->input && o->id.i <= s->lab->objects) {
		sqlite3_bind_int64(s->keep, 1, s->input);
		sqlite3_bind_int64(s->keep, 2, o->id.i);
		if (!store_do(s->lab, s->keep, "cannot be written", s->err))
			return false;
	}
	sqlite3_bind_int64(s->put, C_ID, o->id.i);
	sqlite3_bind_int64(s->put, C_INPUT, s->input);
	store_bind_text(s->put, C_API, o->kind->apis[0]);
	store_bind_text(s->put, C_KIND, o->kind->name);
	store_bind_text(s->put, C_NS, o->ns);
	store_bind_text(s->put, C_NAME, o->name);
	store_bind_text(s->put, C_UID, streq(o->uid, cluster_uid_of(s->cluster, o)) ? "" : o->uid);
	sqlite3_bind_int64(s->put, C_LIFE, o->life);
	sqlite3_bind_int64(s->put, C_REV, o->rev);
	sqlite3_bind_int64(s->put, C_GENERATION, o->generation);
	sqlite3_bind_int64(s->put, C_CREATED, o->created);
	bind_time(s->put, C_DELETED, o->deleted);
	store_bind_text(s->put, C_FILE, o->file);
	sqlite3_bind_int64(s->put, C_LINE, o->line);
	sqlite3_bind_int(s->put, C_GONE, o->gone);
	bind_content(s, o);
	return store_do(s->lab, s->put, "cannot be written", s->err);
}

static bool has_changed(const struct saving *s, uint32_t id)
{
	return id > s->lab->objects || obj_get(s->cluster, (obj_h){ id })->rev > s->lab->rev;
}

static bool save_rows(struct saving *s, uint32_t nr)
{
	bool ok;

	s->keep = store_prepare(s->lab, "INSERT INTO object_was(" OBJECT_COLUMNS ", until) SELECT " OBJECT_COLUMNS ", ?1 FROM object WHERE id = ?2", s->err);
	s->put = store_prepare(s->lab, "INSERT OR REPLACE INTO object(id, input, api, kind, ns, name, uid, life, rev, generation, created, deleted, file, line, gone, spec, own, state, doc, places)"
			       " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)", s->err);
	s->find_spec = store_prepare(s->lab, "SELECT id FROM spec WHERE hash = ?1 AND body = ?2", s->err);
	s->put_spec = store_prepare(s->lab, "INSERT INTO spec(hash, body) VALUES(?1,?2)", s->err);
	ok = s->keep && s->put && s->find_spec && s->put_spec;
	for (uint32_t id = 1; ok && id <= nr; id++)
		if (has_changed(s, id))
			ok = save_object(s, obj_get(s->cluster, (obj_h){ id }));
	sqlite3_finalize(s->keep);
	sqlite3_finalize(s->put);
	sqlite3_finalize(s->find_spec);
	sqlite3_finalize(s->put_spec);
	return ok;
}

static bool save_bundle(struct saving *s, uint32_t nr)
{
	bool ok = bundle_begin(&s->bundle, s->lab, s->cluster, s->input, s->err);

	for (uint32_t id = 1; ok && id <= nr; id++)
		if (has_changed(s, id))
			ok = bundle_add(&s->bundle, obj_get(s->cluster, (obj_h){ id }), s->err);
	ok = ok && bundle_end(&s->bundle, s->err);
	bundle_end(&s->bundle, NULL);
	return ok;
}

static bool save_objects(struct saving *s)
{
	uint32_t nr = cluster_handles(s->cluster), changed = 0;

	for (uint32_t id = 1; id <= nr; id++)
		changed += has_changed(s, id);
	return changed < MANY ? save_rows(s, nr) : save_bundle(s, nr);
}

static bool save_input(struct saving *s, const struct lab_input *in)
{
	sqlite3_stmt *st = store_prepare(s->lab, "INSERT INTO input VALUES(?1,?2,?3,?4,?5,?6,?7)", s->err);
	struct val *argv = val_new(s->scratch, VAL_LIST);
	struct sb text = { 0 };
	bool ok = st;

	for (uint32_t k = 0; k < in->argc; k++)
		val_add(s->scratch, argv, val_string(s->scratch, in->argv[k]));
	val_print_json(argv, &text, 0, false);
	if (ok) {
		sqlite3_bind_int64(st, 1, s->input);
		sqlite3_bind_int64(st, 2, in->from);
		sqlite3_bind_int64(st, 3, cluster_now(s->cluster));
		sqlite3_bind_int64(st, 4, cluster_rev(s->cluster));
		sqlite3_bind_int(st, 5, (int)in->status);
		store_bind_text(st, 6, sb_text(&text));
		store_bind_text(st, 7, in->result);
		ok = store_do(s->lab, st, "cannot be written", s->err);
	}
	sqlite3_finalize(st);
	sb_free(&text);
	return ok;
}

/* Of many documents the pieces stand in segments. */
static bool bind_document(struct saving *s, sqlite3_stmt *st, const struct doc *d, bool many)
{
	struct piece pieces[2];
	struct segment_place at;

	print_document(s, d->root);
	pieces[0] = piece_of(&s->doc, true);
	pieces[1] = piece_of(&s->places, d->root);
	for (int k = 4; k <= 7; k++)
		sqlite3_bind_null(st, k);
	if (!many) {
		bind_pieces(st, 4, pieces, 2);
		return true;
	}
	if (!segments_add(&s->segments, pieces, 2, &at, s->err))
		return false;
	sqlite3_bind_text(st, 4, "", 0, SQLITE_STATIC);         /* it may not be NULL */
	sqlite3_bind_int64(st, 6, at.id);
	sqlite3_bind_int64(st, 7, at.at);
	return true;
}

static bool save_documents(struct saving *s, const struct lab_input *in)
{
	sqlite3_stmt *st = in->nr_docs ? store_prepare(s->lab, "INSERT INTO document VALUES(?1,?2,?3,?4,?5,?6,?7)", s->err) : NULL;
	bool ok = st || !in->nr_docs, many = in->nr_docs >= MANY;

	if (many)
		ok = ok && segments_begin(&s->segments, s->lab, s->input, s->err);
	for (uint32_t k = 0; ok && k < in->nr_docs; k++) {
		sqlite3_bind_int64(st, 1, s->input);
		sqlite3_bind_int64(st, 2, k + 1);
		store_bind_text(st, 3, in->docs[k].file);
		ok = bind_document(s, st, &in->docs[k], many) && store_do(s->lab, st, "cannot be written", s->err);
	}
	sqlite3_finalize(st);
	return ok;
}

static bool save_fact(struct saving *s, sqlite3_stmt *st, const char *name, int64_t value)
{
	store_bind_text(st, 1, name);
	sqlite3_bind_int64(st, 2, value);
	return store_do(s->lab, st, "cannot be written", s->err);
}

static bool save_facts(struct saving *s)
{
	sqlite3_stmt *st = store_prepare(s->lab, "INSERT OR REPLACE INTO fact VALUES(?1,?2)", s->err);
	struct sb flags = { 0 };
	bool ok = st && save_fact(s, st, "seed", (int64_t)cluster_seed(s->cluster)) && save_fact(s, st, "rev", cluster_rev(s->cluster)) &&
		  save_fact(s, st, "now", cluster_now(s->cluster));

	if (ok) {
		val_print_json(flags_pack(cluster_flags(s->cluster), s->scratch), &flags, 0, true);
		store_bind_text(st, 1, "flags");
		store_bind_text(st, 2, sb_text(&flags));
		ok = store_do(s->lab, st, "cannot be written", s->err);
	}
	sqlite3_finalize(st);
	sb_free(&flags);
	return ok;
}

/* A row only where the state differs from the newest. */
static bool save_control(struct saving *s, const struct val *control)
{
	sqlite3_stmt *st = store_prepare(s->lab, "INSERT INTO control SELECT ?1, ?2 WHERE ?2 IS NOT (SELECT state FROM control ORDER BY input DESC LIMIT 1)", s->err);
	struct sb text = { 0 };
	bool ok = st;

	val_print_json(control, &text, 0, false);
	if (ok) {
		sqlite3_bind_int64(st, 1, s->input);
		store_bind_text(st, 2, sb_text(&text));
		ok = store_do(s->lab, st, "cannot be written", s->err);
	}
	sqlite3_finalize(st);
	sb_free(&text);
	return ok;
}

bool lab_save(struct lab *lab, struct cluster *c, const struct val *control, const struct lab_input *in, struct err *err)
{
	struct saving s = { .lab = lab, .cluster = c, .scratch = arena_new(NULL, "lab"), .kept = arena_new(NULL, "lab"), .input = lab->input + 1, .err = err };
	bool ok;

	assert(lab->writing);
	arena_alloc(s.scratch, 1, 1);                   /* the first block stays */
	ok = save_input(&s, in) && save_documents(&s, in) && save_objects(&s) && notes_save(lab, c, s.input, err) && save_facts(&s) && save_control(&s, control) &&
	     segments_end(&s.segments, err) && store_run(lab, "COMMIT", "cannot be written", err);
	lab->writing = !ok;
	segments_end(&s.segments, NULL);
	sb_free(&s.own);
	sb_free(&s.state);
	sb_free(&s.doc);
	sb_free(&s.places);
	arena_free(s.scratch);
	arena_free(s.kept);
	return ok;
}

bool lab_save_world(struct lab *lab, struct world *w, const struct lab_input *in, struct err *err)
{
	struct arena *a = arena_new(NULL, "control");
	struct val *control = control_save(w->control, a), *connections = connections_save(w, a);
	bool ok;

	if (connections)
		val_put(a, control, "connections", connections);
	ok = lab_save(lab, w->cluster, control, in, err);

	arena_free(a);
	return ok;
}
