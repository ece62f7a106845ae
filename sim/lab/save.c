/* What a command changed, into the file. */
#include "sim/engine/connections.h"
#include "sim/lab/bundle.h"

#include <stdlib.h>

#define MANY 64                         /* documents of one command from which on they are written together */

struct fact { const char *name; int64_t number; const char *text; };   /* text NULL: the number */

struct saving {
	struct lab *lab;
	struct cluster *cluster;
	struct arena *scratch;
	int64_t input;                  /* the number of this command */
	struct sb doc, places;
	struct segment_writer segments;
	struct bundle_writer bundle;
	struct err *err;
};

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

static bool has_changed(const struct saving *s, uint32_t id)
{
	return id > s->lab->objects || obj_get(s->cluster, (obj_h){ id })->rev > s->lab->rev;
}

static bool save_bundle(struct saving *s, bool whole, size_t *bytes)
{
	bool ok = bundle_begin(&s->bundle, s->lab, s->cluster, s->input, whole, s->err);

	for (uint32_t id = 1, nr = cluster_handles(s->cluster); ok && id <= nr; id++)
		if (whole || has_changed(s, id))
			ok = bundle_add(&s->bundle, obj_get(s->cluster, (obj_h){ id }), s->err);
	ok = ok && bundle_end(&s->bundle, bytes, s->err);
	bundle_end(&s->bundle, NULL, NULL);
	return ok;
}

static bool save_facts(struct saving *s, const struct fact *, uint32_t nr);

/* What reading the bundles costs is never much more than what reading all objects would; what writing all of them costs has been saved before. */
static bool save_whole(struct saving *s)
{
	size_t bytes;

	return store_run(s->lab, "DELETE FROM whole", "cannot be written", s->err) && save_bundle(s, true, &bytes) &&
	       save_facts(s, (struct fact[]){ { "whole", s->input, NULL }, { "wholeBytes", (int64_t)bytes, NULL } }, 2);
}

static bool save_objects(struct saving *s)
{
	size_t bytes;
	bool changed = false;

	for (uint32_t id = 1, nr = cluster_handles(s->cluster); id <= nr && !changed; id++)
		changed = has_changed(s, id);
	if (!changed)
		return true;
	if (!save_bundle(s, false, &bytes))
		return false;
	return !s->lab->input || s->lab->behind + bytes + BUNDLE_COST < s->lab->base + WHOLE_FROM || save_whole(s);
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

static bool save_facts(struct saving *s, const struct fact *f, uint32_t nr)
{
	sqlite3_stmt *st = store_prepare(s->lab, "INSERT OR REPLACE INTO fact VALUES(?1,?2)", s->err);
	bool ok = st;

	for (; ok && nr; f++, nr--) {
		store_bind_text(st, 1, f->name);
		if (f->text)
			store_bind_text(st, 2, f->text);
		else
			sqlite3_bind_int64(st, 2, f->number);
		ok = store_do(s->lab, st, "cannot be written", s->err);
	}
	sqlite3_finalize(st);
	return ok;
}

/* Seed and flags with the first command, then the flags where a command, as import, changed them: undo takes that away, and the past has those of before. */
static bool save_settings(struct saving *s)
{
	struct sb flags = { 0 };
	bool first = !s->lab->input, ok;
	const char *name = first ? "flags" : arena_printf(s->scratch, "flags:%" PRId64, s->input);

	val_print_json(flags_pack(cluster_flags(s->cluster), s->scratch), &flags, 0, true);
	ok = streq(s->lab->flags, sb_text(&flags)) ||
	     save_facts(s, (struct fact[]){ { name, 0, sb_text(&flags) }, { "seed", (int64_t)cluster_seed(s->cluster), NULL } }, 1 + first);
	sb_free(&flags);
	return ok;
}

/* A row only where the state differs from the newest. */
static bool save_control(struct saving *s, const struct val *control)
{
	sqlite3_stmt *st = store_prepare(s->lab, "INSERT INTO control SELECT ?1, ?2 WHERE ?2 IS NOT (SELECT state FROM control ORDER BY input DESC LIMIT 1)", s->err);
	struct pen pen;
	bool ok = st;

	pen_begin(&pen);
	pen_tree(&pen, control);
	if (ok) {
		sqlite3_bind_int64(st, 1, s->input);
		sqlite3_bind_blob(st, 2, pen.out.s, (int)pen.out.len, SQLITE_STATIC);
		ok = store_do(s->lab, st, "cannot be written", s->err);
	}
	sqlite3_finalize(st);
	pen_end(&pen);
	return ok;
}

bool lab_save(struct lab *lab, struct cluster *c, const struct val *control, const struct lab_input *in, struct err *err)
{
	struct saving s = { .lab = lab, .cluster = c, .scratch = arena_new(NULL, "lab"), .input = lab->input + 1, .err = err };
	bool ok;

	assert(lab->writing);
	arena_alloc(s.scratch, 1, 1);                   /* the first block stays */
	ok = save_input(&s, in) && save_documents(&s, in) && save_objects(&s) && notes_save(lab, c, s.input, err) && save_settings(&s) && save_control(&s, control) &&
	     segments_end(&s.segments, err) && store_commit(lab, err);
	lab->writing = !ok;
	segments_end(&s.segments, NULL);
	sb_free(&s.doc);
	sb_free(&s.places);
	arena_free(s.scratch);
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
