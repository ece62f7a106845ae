/* Records of a run, and the plain forms: text and JSON. TAP and JUnit are in run_ci.c. */
#include "viz/report/run_ci.h"

static const char *time_of(struct arena *a, nsec t)
{
	char *text = arena_printf(a, "%" PRId64 ".%09" PRId64, t / SECONDS(1), t % SECONDS(1));
	size_t n = strlen(text);

	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	text[n] = '\0';
	return arena_printf(a, "%ss", text);
}

static struct val *add(struct arena *a, struct val *list, const struct scenario *s, bool ok)
{
	struct val *v = val_add(a, list, val_new(a, VAL_MAP));

	val_put(a, v, "scenario", val_string(a, s->name));
	if (s->title)
		val_put(a, v, "title", val_string(a, s->title));
	val_put(a, v, "step", val_new(a, VAL_NULL));
	val_put(a, v, "ok", val_bool(a, ok));
	return v;
}

static void put_place(struct arena *a, struct val *v, const struct scenario *s, uint32_t line)
{
	val_put(a, v, "file", val_string(a, s->file));
	val_put(a, v, "line", val_int(a, line));
}

void run_records(struct arena *a, const struct play *p, struct val *list)
{
	const struct scenario *s = p->scenario;

	for (uint32_t k = 0; k < p->records.nr; k++) {
		const struct record *r = &p->records.v[k];
		struct val *v = add(a, list, s, r->ok);

		val_put(a, v, "step", val_string(a, r->step));
		val_put(a, v, "expected", r->expected ? val_string(a, r->expected) : val_new(a, VAL_NULL));
		val_put(a, v, "actual", val_string(a, r->actual ? r->actual : ""));
		val_put(a, v, "time", val_string(a, time_of(a, r->at)));
		put_place(a, v, s, r->line);
		if (!r->ok && s->expect_failure)
			val_put(a, v, "todo", val_string(a, s->failure_reason));
	}
	if (s->expect_failure && !p->failed) {
		struct val *v = add(a, list, s, false);

		val_put(a, v, "expected", val_string(a, arena_printf(a, "a failure: %s", s->failure_reason)));
		val_put(a, v, "actual", val_string(a, "everything holds: the gap is closed, take expectFailure away"));
		val_put(a, v, "time", val_string(a, time_of(a, cluster_now(p->world->cluster))));
		put_place(a, v, s, s->line);
	}
}

void run_skipped(struct arena *a, const struct scenario *s, const char *why, struct val *list)
{
	struct val *v = add(a, list, s, true);

	val_put(a, v, "skipped", val_string(a, why));
	put_place(a, v, s, s->line);
}

void run_broken(struct arena *a, const struct scenario *s, const char *why, struct val *list)
{
	struct val *v = add(a, list, s, false);

	val_put(a, v, "actual", val_string(a, why));
	put_place(a, v, s, s->line);
}

void run_check(struct arena *a, const struct run_check *c, struct val *list)
{
	struct val *v = val_add(a, list, val_new(a, VAL_MAP));

	val_put(a, v, "scenario", val_string(a, c->group));
	val_put(a, v, "noun", val_string(a, c->noun));
	val_put(a, v, "step", val_string(a, c->what));
	val_put(a, v, "ok", val_bool(a, c->ok));
	val_put(a, v, "expected", c->expected ? val_string(a, c->expected) : val_new(a, VAL_NULL));
	val_put(a, v, "actual", val_string(a, c->actual ? c->actual : ""));
	val_put(a, v, "file", val_string(a, c->file ? c->file : "-"));
	val_put(a, v, "line", val_int(a, MAX(c->line, 1u)));
}

void run_figure(struct arena *a, struct val *list, const char *title, const char *description, const char *svg)
{
	struct val *last = list->last, *v;

	if (!last)
		return;
	v = val_add(a, val_get_or_put(a, last, "figures", VAL_LIST), val_new(a, VAL_MAP));
	val_put(a, v, "title", val_string(a, title));
	val_put(a, v, "description", val_string(a, description));
	val_put(a, v, "svg", val_string(a, svg));
}

const char *record_text(const struct val *r, const char *key)
{
	const char *s = val_str(val_get(r, key));

	return s ? s : "";
}

bool record_is(const struct val *r, const char *key)
{
	const struct val *v = val_get(r, key);

	return v && !val_is(v, VAL_NULL) && (!val_is(v, VAL_BOOL) || v->b);
}

bool same_scenario(const struct val *a, const struct val *b)
{
	return a && b && streq(record_text(a, "scenario"), record_text(b, "scenario")) && streq(record_text(a, "file"), record_text(b, "file"));
}

struct run_sum run_sum(const struct val *records)
{
	struct run_sum s = { .noun = records->first && *record_text(records->first, "noun") ? record_text(records->first, "noun") : "scenario" };
	const struct val *last = NULL;

	VAL_EACH(r, records) {
		s.scenarios += !same_scenario(r, last);
		last = r;
		if (record_is(r, "skipped"))
			s.skipped++;
		else if (record_is(r, "ok"))
			s.passed++;
		else if (record_is(r, "todo"))
			s.known++;
		else
			s.failed++;
	}
	return s;
}

void run_sum_text(const struct run_sum *s, struct sb *out)
{
	sb_printf(out, "%u %s%s: %u passed, %u failed, %u skipped", s->scenarios, s->noun, s->scenarios == 1 ? "" : "s", s->passed, s->failed, s->skipped);
	if (s->known)
		sb_printf(out, ", %u known to fail", s->known);
}

/* ---- text: a line for each step, what failed below it */

static void put_mark(const struct out *o, const struct val *r)
{
	bool skipped = record_is(r, "skipped"), todo = record_is(r, "todo"), ok = record_is(r, "ok");

	out_str(o, "  %-8s", skipped || todo ? OUT_WARN : ok ? OUT_GOOD : OUT_BAD, skipped ? "skipped" : todo ? "known" : ok ? "ok" : "FAILED");
}

static void put_detail(const struct out *o, const struct val *r)
{
	char line[24];

	if (record_is(r, "expected"))
		out_str(o, "            expected  %s\n", OUT_PLAIN, record_text(r, "expected"));
	out_str(o, "            actual    %s\n", OUT_PLAIN, record_text(r, "actual"));
	if (record_is(r, "todo"))
		out_str(o, "            known gap %s\n", OUT_DIM, record_text(r, "todo"));
	out_str(o, "            at        %s", OUT_DIM, record_text(r, "file"));
	snprintf(line, sizeof(line), "%" PRId64, val_int_or(val_get(r, "line"), 0));
	out_str(o, ":%s\n", OUT_DIM, line);
}

static bool same_step(const struct val *a, const struct val *b)
{
	return same_scenario(a, b) && streq(record_text(a, "step"), record_text(b, "step"));
}

/* The first record of a step stands for it; → the next step's. */
static const struct val *put_step(const struct out *o, const struct val *first, bool verbose)
{
	const struct val *worst = first, *r;

	for (r = first; r && same_step(first, r); r = r->next)
		if (!record_is(r, "ok") && (record_is(worst, "ok") || (record_is(worst, "todo") && !record_is(r, "todo"))))
			worst = r;
	put_mark(o, worst);
	out_str(o, "%s\n", OUT_PLAIN, record_is(first, "skipped") ? record_text(first, "skipped") : record_text(first, "step"));
	for (r = first; r && same_step(first, r); r = r->next)
		if (!record_is(r, "ok"))
			put_detail(o, r);
		else if (verbose && record_is(r, "expected"))
			out_str(o, "            holds     %s\n", OUT_DIM, record_text(r, "expected"));
	return r;
}

static void print_text(struct arena *a, const struct val *records, bool verbose, bool colour, struct sb *to)
{
	struct run_sum sum = run_sum(records);
	const struct val *last = NULL, *r = records ? records->first : NULL;
	struct out o = { colour, to };

	(void)a;
	while (r) {
		if (!same_scenario(r, last))
			out_str(&o, "%s\n", OUT_HEAD, record_text(r, "scenario"));
		last = r;
		r = put_step(&o, r, verbose);
	}
	run_sum_text(&sum, to);
	sb_addc(to, '\n');
}

static void print_json(struct arena *a, const struct val *records, bool verbose, bool colour, struct sb *to)
{
	(void)a;
	(void)verbose;
	(void)colour;
	val_print_json(records, to, 2, false);
	sb_addc(to, '\n');
}

const struct run_format run_formats[] = {
	{ "text", print_text }, { "tap", print_tap }, { "junit", print_junit }, { "json", print_json }, { "html", print_html }, { "md", print_md }, { "sarif", print_sarif }, { NULL, NULL },
};

void run_format_names(struct sb *out)
{
	for (const struct run_format *f = run_formats; f->name; f++)
		sb_printf(out, "%s%s", f == run_formats ? "" : f[1].name ? ", " : " or ", f->name);
}

const struct run_format *run_format_find(const char *name)
{
	for (const struct run_format *f = run_formats; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}
