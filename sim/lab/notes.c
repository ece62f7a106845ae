/*
 * Events, many together. A row begins with their forms and texts, each once; a text behind the number of characters that it shares with the one before it. Then come the
 * notes as steps: what time, object and text are more than they were, and the form.
 *
 * Theory of operation. The same is told of one Pod after the other, so after a note of one form comes what came after it the last time: the same form, as much
 * later, of the object as much farther on. So many notes as are what was expected, then one that is not, and so on. Reader and writer expect the same, by the same function.
 */
#include "sim/lab/store.h"

#define NOTES_EACH 8192u                /* in one row */
#define NOTES_MOST (64u << 20)          /* bytes of one row; more is damage */
#define NOTES_SMALL 4096u               /* bytes that are not worth compressing */
#define NOTES_DENSE 12u                 /* bytes of one note: names and numbers, which shrink little for the time that it takes */

enum { IN_STEPS };                      /* stands before the number of forms. Labs of format 4 begin with that number: their notes stand one by one, and their texts in full */

struct step { uint64_t at, object, text, form; };                /* differences may be negative: they wrap */
struct spoken { const struct event_form *form; uint64_t text; struct step next; };       /* text: the number of its last one; next: what came after it */
struct told { VEC(struct spoken) forms; uint64_t last; };       /* what has been met, in that order; last: the form of the last note */

static bool steps_equal(const struct step *a, const struct step *b)
{
	return a->form == b->form && a->object == b->object && a->text == b->text && a->at == b->at;
}

static void step_done(struct told *t, const struct step *s)
{
	t->forms.v[t->last].next = *s;
	t->last = s->form;
	t->forms.v[s->form].text += s->text;
}

/* ---- writing */

static uint64_t form_number(struct told *t, struct map *known, struct arena *a, const struct event_form *form)
{
	uint64_t expected = t->forms.nr ? t->forms.v[t->last].next.form : 0, *at;

	if (t->forms.nr && t->forms.v[expected].form == form)
		return expected;
	at = map_put(known, a, map_ptr(form));
	if (!*at) {
		vec_add(a, &t->forms, (struct spoken){ .form = form });
		*at = t->forms.nr;
	}
	return *at - 1;
}

static void add_text(struct sb *out, const char *s)
{
	sb_addn(out, s ? s : "", (s ? strlen(s) : 0) + 1);
}

static void pack_forms(const struct told *t, struct sb *out)
{
	pack_number(out, t->forms.nr);
	for (uint32_t k = 0; k < t->forms.nr; k++) {
		const struct event_form *f = t->forms.v[k].form;

		pack_number(out, (f->warning ? 1u : 0u) | (f->component ? 2u : 0u) | (f->reason ? 4u : 0u));
		add_text(out, f->component);
		add_text(out, f->reason);
		add_text(out, f->format);
	}
}

static void pack_texts(const struct str_numbers *texts, struct sb *out)
{
	const char *before = "";

	pack_number(out, texts->nr);
	for (uint32_t k = 0; k < texts->nr; k++) {
		const char *s = texts->v[k];
		size_t same = 0;

		while (s[same] && s[same] == before[same])
			same++;
		pack_number(out, same);
		add_text(out, s + same);
		before = s;
	}
}

static void pack_steps(const struct cluster *c, uint32_t from, uint32_t nr, struct told *t, struct str_numbers *texts, struct arena *a, struct sb *out)
{
	struct event_note last = { 0 };
	struct map known = { 0 };
	uint32_t expected = 0;

	for (uint32_t k = from; k < from + nr; k++) {
		struct event_note n = cluster_event_note(c, k);
		struct step s = { (uint64_t)n.at - (uint64_t)last.at, (uint64_t)n.object.i - last.object.i, 0, form_number(t, &known, a, n.form) };
		uint32_t text = 0;

		if (n.a)
			str_number(texts, a, n.a, &text);
		s.text = text - t->forms.v[s.form].text;
		if (steps_equal(&s, &t->forms.v[t->last].next)) {
			expected++;
		} else {
			pack_number(out, expected);
			pack_signed(out, (int64_t)s.at);
			pack_number(out, s.form);
			pack_signed(out, (int64_t)s.object);
			pack_signed(out, (int64_t)s.text);
			expected = 0;
		}
		step_done(t, &s);
		last = n;
	}
	if (expected)
		pack_number(out, expected);
}

static void pack_some(const struct cluster *c, uint32_t from, uint32_t nr, struct sb *out)
{
	struct arena *a = arena_new(NULL, "notes");
	struct str_numbers texts = { 0 };
	struct told told = { 0 };
	struct sb steps = { 0 };

	pack_steps(c, from, nr, &told, &texts, a, &steps);
	sb_reset(out);
	pack_number(out, IN_STEPS);
	pack_forms(&told, out);
	pack_texts(&texts, out);
	sb_addn(out, steps.s, steps.len);
	sb_free(&steps);
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
		small = text.len < MAX(NOTES_SMALL, n * NOTES_DENSE);
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

struct packed { const unsigned char *p, *end; bool in_steps; };

/* The texts, from 1. NULL: damage. */
static str *unpack_texts(struct cluster *c, struct packed *in, struct arena *scratch, uint64_t *nr)
{
	struct sb text = { 0 };
	size_t all = 0;
	str *texts;
	bool ok = true;

	*nr = unpack_number(&in->p, in->end);
	if (*nr > (uint64_t)(in->end - in->p))
		return NULL;
	texts = arena_array(scratch, str, *nr + 1);
	for (uint64_t k = 1; k <= *nr && ok; k++) {
		uint64_t same = in->in_steps ? unpack_number(&in->p, in->end) : 0;
		const char *rest = next_text(&in->p, in->end);

		ok = rest && same <= text.len;
		if (!ok)
			break;
		sb_cut(&text, (size_t)same);
		sb_add(&text, rest);
		texts[k] = cluster_str(c, sb_text(&text));
		all += text.len;
		ok = all <= NOTES_MOST;
	}
	sb_free(&text);
	return ok ? texts : NULL;
}

static struct step unpack_step(struct packed *in, const struct told *t)
{
	struct step s = { .at = (uint64_t)unpack_signed(&in->p, in->end) };

	s.form = unpack_number(&in->p, in->end);
	s.object = (uint64_t)unpack_signed(&in->p, in->end);
	if (in->in_steps)
		s.text = (uint64_t)unpack_signed(&in->p, in->end);
	else if (s.form < t->forms.nr)
		s.text = unpack_number(&in->p, in->end) - t->forms.v[s.form].text;
	return s;
}

static bool unpack_some(struct cluster *c, struct map *known, uint64_t nr, const unsigned char *p, const unsigned char *end, struct arena *scratch)
{
	struct packed in = { .p = p, .end = end };
	uint64_t nr_forms = unpack_number(&in.p, end), nr_texts, expected = 0;
	struct told told = { 0 };
	uint64_t at = 0, object = 0;
	str *texts;

	in.in_steps = nr_forms == IN_STEPS;
	if (in.in_steps)
		nr_forms = unpack_number(&in.p, end);
	if (nr_forms > (uint64_t)(end - in.p))
		return false;
	for (uint64_t k = 0; k < nr_forms; k++) {
		const struct event_form *f = read_form(c, known, &in.p, end);

		if (!f)
			return false;
		vec_add(scratch, &told.forms, (struct spoken){ .form = f });
	}
	texts = unpack_texts(c, &in, scratch, &nr_texts);
	if (!texts || (nr && !nr_forms))
		return false;
	if (in.in_steps)
		expected = unpack_number(&in.p, end);
	for (uint64_t k = 0; k < nr; k++) {
		bool as_expected = expected > 0;
		struct step s = as_expected ? told.forms.v[told.last].next : unpack_step(&in, &told);
		uint64_t text;

		if (s.form >= nr_forms)
			return false;
		step_done(&told, &s);
		at += s.at;
		object += s.object;
		text = told.forms.v[s.form].text;
		if (text > nr_texts || object > cluster_handles(c))
			return false;
		cluster_restore_note(c, (struct event_note){ (int64_t)at, told.forms.v[s.form].form, texts[text], { (uint32_t)object } });
		if (as_expected)
			expected--;
		else if (in.in_steps)
			expected = unpack_number(&in.p, end);
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
