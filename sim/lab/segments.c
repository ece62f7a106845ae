/* Segments: many documents of one command go into few compressed rows, and each document's row says where; in older labs objects, too. */
#include "sim/lab/store.h"

#define SEGMENT_SIZE (64u << 10)
#define SEGMENT_MOST (256u << 20)       /* a larger one is damage: the largest document makes one of 16 MiB and a little */

bool segments_begin(struct segment_writer *w, struct lab *lab, int64_t input, struct err *err)
{
	w->lab = lab;
	w->input = input;
	w->id = store_number(lab, "SELECT max(id) FROM segment", 0) + 1;
	w->put = store_prepare(lab, "INSERT INTO segment VALUES(?1,?2,?3,?4)", err);
	return w->put;
}

static bool flush(struct segment_writer *w, struct err *err)
{
	if (!w->text.len)
		return true;
	pack_squeeze(&w->text, &w->packed);
	sqlite3_bind_int64(w->put, 1, w->id++);
	sqlite3_bind_int64(w->put, 2, w->input);
	sqlite3_bind_int64(w->put, 3, (int64_t)w->text.len);
	sqlite3_bind_blob(w->put, 4, w->packed.s, (int)w->packed.len, SQLITE_STATIC);
	sb_reset(&w->text);
	return store_do(w->lab, w->put, "cannot be written", err);
}

bool segments_add(struct segment_writer *w, const struct piece *v, uint32_t nr, struct segment_place *out, struct err *err)
{
	if (w->text.len >= SEGMENT_SIZE && !flush(w, err))
		return false;
	*out = (struct segment_place){ w->id, (int64_t)w->text.len };
	for (uint32_t k = 0; k < nr; k++) {
		pack_number(&w->text, v[k].s ? v[k].n + 1 : 0);
		sb_addn(&w->text, v[k].s, v[k].s ? v[k].n : 0);
	}
	return true;
}

bool segments_end(struct segment_writer *w, struct err *err)
{
	bool ok = !w->put || !err || flush(w, err);

	sqlite3_finalize(w->put);
	sb_free(&w->text);
	sb_free(&w->packed);
	*w = (struct segment_writer){ 0 };
	return ok;
}

/* ---- reading: objects come in the order in which they were written, mostly */

static bool load(struct segment_reader *r, struct lab *lab, int64_t id, struct sb *out, struct err *err)
{
	const struct where w = { .file = lab->path };
	bool ok = false;

	if (!r->get && !(r->get = store_prepare(lab, "SELECT size, body FROM segment WHERE id = ?1", err)))
		return false;
	sqlite3_bind_int64(r->get, 1, id);
	if (sqlite3_step(r->get) == SQLITE_ROW && sqlite3_column_int64(r->get, 0) > 0 && sqlite3_column_int64(r->get, 0) <= SEGMENT_MOST)
		ok = pack_expand(sqlite3_column_blob(r->get, 1), (size_t)sqlite3_column_bytes(r->get, 1), (size_t)sqlite3_column_int64(r->get, 0), out);
	sqlite3_reset(r->get);
	return ok || err_add(err, ERR_INPUT, &w, "damaged: segment %" PRId64 " cannot be read", id);
}

bool segments_get(struct segment_reader *r, struct lab *lab, struct segment_place at, struct piece *v, uint32_t nr, struct err *err)
{
	const unsigned char *p, *end;
	uint32_t k = 0;

	while (k < SEGMENTS_KEPT && r->kept[k].id != at.id)
		k++;
	if (k == SEGMENTS_KEPT) {
		k = r->next++ % SEGMENTS_KEPT;
		r->kept[k].id = 0;
		if (!load(r, lab, at.id, &r->kept[k].text, err))
			return false;
		r->kept[k].id = at.id;
	}
	if (at.at < 0 || (size_t)at.at > r->kept[k].text.len)
		return err_add(err, ERR_INPUT, &(struct where){ .file = lab->path }, "damaged: segment %" PRId64 " has no byte %" PRId64, at.id, at.at);
	p = (const unsigned char *)r->kept[k].text.s + at.at;
	end = (const unsigned char *)r->kept[k].text.s + r->kept[k].text.len;
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t n = unpack_number(&p, end);

		if (n > (uint64_t)(end - p) + 1)
			return err_add(err, ERR_INPUT, &(struct where){ .file = lab->path }, "damaged: segment %" PRId64 " ends too early", at.id);
		v[i] = (struct piece){ n ? (const char *)p : NULL, n ? (size_t)n - 1 : 0 };
		p += v[i].n;
	}
	return true;
}

void segments_close(struct segment_reader *r)
{
	sqlite3_finalize(r->get);
	for (uint32_t k = 0; k < SEGMENTS_KEPT; k++)
		sb_free(&r->kept[k].text);
	*r = (struct segment_reader){ 0 };
}
