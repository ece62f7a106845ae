/* Events, many together: their forms and texts once, then of each event its time, form, object and text as differences and places. */
#include "sim/lab/store.h"

#define NOTES_EACH 8192u                /* in one row */
#define NOTES_MOST (64u << 20)          /* bytes of one row; more is damage */
#define NOTES_SMALL 4096u               /* bytes that are not worth compressing */

struct book { struct map at; VEC(const void *) v; };            /* what has been met, in that order */

static uint32_t place_in(struct book *b, struct arena *a, const void *p)
{
	uint64_t *at;

	for (uint32_t k = 0; k < b->v.nr && k < 8; k++)         /* what every Pod is told comes early */
		if (b->v.v[k] == p)
			return k + 1;
	at = map_put(&b->at, a, map_ptr(p));
	if (!*at) {
		vec_add(a, &b->v, p);
		*at = b->v.nr;
	}
	return (uint32_t)*at;
}

static void add_text(struct sb *out, const char *s)
{
	sb_addn(out, s ? s : "", (s ? strlen(s) : 0) + 1);
}

static void pack_some(const struct cluster *c, uint32_t from, uint32_t nr, struct sb *out)
{
	struct arena *a = arena_new(NULL, "notes");
	struct book forms = { 0 };
	struct str_numbers texts = { 0 };
	struct sb body = { 0 };
	int64_t at = 0, object = 0;

	for (uint32_t k = from; k < from + nr; k++) {
		struct event_note n = cluster_event_note(c, k);
		uint32_t text = 0;

		pack_signed(&body, n.at - at);
		pack_number(&body, place_in(&forms, a, n.form) - 1);
		pack_signed(&body, (int64_t)n.object.i - object);
		if (n.a)
			str_number(&texts, a, n.a, &text);
		pack_number(&body, n.a ? text : 0);
		at = n.at;
		object = n.object.i;
	}
	sb_reset(out);
	pack_number(out, forms.v.nr);
	for (uint32_t k = 0; k < forms.v.nr; k++) {
		const struct event_form *f = forms.v.v[k];

		pack_number(out, (f->warning ? 1u : 0u) | (f->component ? 2u : 0u) | (f->reason ? 4u : 0u));
		add_text(out, f->component);
		add_text(out, f->reason);
		add_text(out, f->format);
	}
	pack_number(out, texts.nr);
	for (uint32_t k = 0; k < texts.nr; k++)
		add_text(out, texts.v[k]);
	sb_addn(out, body.s, body.len);
	sb_free(&body);
	arena_free(a);
}

bool notes_save(struct lab *lab, const struct cluster *c, int64_t input, struct err *err)
{
	sqlite3_stmt *st = NULL;
	struct sb text = { 0 }, packed = { 0 };
	bool ok = true, small;

	for (uint32_t k = lab->events, nr = cluster_event_count(c); ok && k < nr; k += NOTES_EACH) {
		uint32_t n = MIN(nr - k, NOTES_EACH);

		st = st ? st : store_prepare(lab, "INSERT INTO notes VALUES(?1,?2,?3,?4,?5)", err);
		if (!st)
			return false;
		pack_some(c, k, n, &text);
		small = text.len < NOTES_SMALL;
		if (!small)
			pack_squeeze(&text, &packed);
		sqlite3_bind_int64(st, 1, k + 1);
		sqlite3_bind_int64(st, 2, input);
		sqlite3_bind_int64(st, 3, n);
		sqlite3_bind_int64(st, 4, small ? 0 : (int64_t)text.len);
		sqlite3_bind_blob(st, 5, small ? text.s : packed.s, (int)(small ? text.len : packed.len), SQLITE_STATIC);
		ok = store_do(lab, st, "cannot be written", err);
	}
	sqlite3_finalize(st);
	sb_free(&text);
	sb_free(&packed);
	return ok;
}

/* ---- back */

static const char *next_text(const unsigned char **p, const unsigned char *end)
{
	const unsigned char *s = *p, *nul = s < end ? memchr(s, '\0', (size_t)(end - s)) : NULL;

	if (!nul)
		return NULL;
	*p = nul + 1;
	return (const char *)s;
}

/* Forms live as long as the cluster; the same again is the same. */
static const struct event_form *read_form(struct cluster *c, struct map *known, const unsigned char **p, const unsigned char *end)
{
	uint64_t flags = unpack_number(p, end);
	const char *component = next_text(p, end), *reason = component ? next_text(p, end) : NULL, *format = reason ? next_text(p, end) : NULL;
	struct event_form f;
	uint64_t *at;

	if (!format)
		return NULL;
	for (const char *s = strchr(format, '%'); s; s = strchr(s + 2, '%'))
		if (s[1] != 's' && s[1] != 'o')
			return NULL;
	f = (struct event_form){ flags & 1, flags & 2 ? cluster_str(c, component) : NULL, flags & 4 ? cluster_str(c, reason) : NULL, cluster_str(c, format) };
	at = map_put(known, cluster_arena(c), hash_mix(hash_mix(map_ptr(f.component), map_ptr(f.reason)), hash_mix(map_ptr(f.format), f.warning)));
	if (!*at)
		*at = map_ptr(arena_copy(cluster_arena(c), &f, sizeof(f)));
	return (const struct event_form *)(uintptr_t)*at;
}

static bool unpack_some(struct cluster *c, struct map *known, uint64_t nr, const unsigned char *p, const unsigned char *end, struct arena *scratch)
{
	uint64_t nr_forms = unpack_number(&p, end), nr_texts;
	const struct event_form **forms;
	int64_t at = 0, object = 0;
	str *texts;

	if (nr_forms > (uint64_t)(end - p))
		return false;
	forms = arena_array(scratch, const struct event_form *, nr_forms);
	for (uint64_t k = 0; k < nr_forms; k++)
		if (!(forms[k] = read_form(c, known, &p, end)))
			return false;
	nr_texts = unpack_number(&p, end);
	if (nr_texts > (uint64_t)(end - p))
		return false;
	texts = arena_array(scratch, str, nr_texts);
	for (uint64_t k = 0; k < nr_texts; k++) {
		const char *s = next_text(&p, end);

		if (!s)
			return false;
		texts[k] = cluster_str(c, s);
	}
	for (uint64_t k = 0; k < nr; k++) {
		uint64_t form, text;

		at += unpack_signed(&p, end);
		form = unpack_number(&p, end);
		object += unpack_signed(&p, end);
		text = unpack_number(&p, end);
		if (form >= nr_forms || text > nr_texts || object < 0 || object > cluster_handles(c))
			return false;
		cluster_restore_note(c, (struct event_note){ at, forms[form], text ? texts[text - 1] : NULL, { (uint32_t)object } });
	}
	return true;
}

bool notes_load(struct lab *lab, struct cluster *c, int64_t input, struct err *err)
{
	sqlite3_stmt *st = store_prepare(lab, "SELECT nr, size, body FROM notes WHERE input <= ?1 ORDER BY first", err);
	struct map known = { 0 };
	struct sb text = { 0 };
	bool ok = st;
	int code = SQLITE_DONE;

	if (ok)
		sqlite3_bind_int64(st, 1, input);
	while (ok && (code = sqlite3_step(st)) == SQLITE_ROW) {
		struct arena *scratch = arena_new(NULL, "notes");
		int64_t nr = sqlite3_column_int64(st, 0), size = sqlite3_column_int64(st, 1);

		const unsigned char *bytes = sqlite3_column_blob(st, 2);
		size_t n = (size_t)sqlite3_column_bytes(st, 2);

		ok = size >= 0 && size <= NOTES_MOST && nr >= 0 && nr <= NOTES_EACH && (!size || pack_expand(bytes, n, (size_t)size, &text)) &&
		     unpack_some(c, &known, (uint64_t)nr, size ? (const unsigned char *)text.s : bytes, size ? (const unsigned char *)text.s + text.len : bytes + n, scratch);
		if (!ok)
			err_add(err, ERR_INPUT, &(struct where){ .file = lab->path }, "damaged: events cannot be read");
		arena_free(scratch);
	}
	if (ok && code != SQLITE_DONE)
		ok = store_failed(lab, "cannot be read", err);
	sqlite3_finalize(st);
	sb_free(&text);
	return ok;
}
