#include "viz/report/handout.h"

#include "viz/diagram/figure.h"
#include "viz/report/trace_report.h"

struct writer {
	const struct handout *h;
	struct sb *out;
	struct arena *a;
	const char *lesson; unsigned figures;   /* its name; how many so far */
};

/* ---- the three forms */

static void text(struct writer *w, const char *s)
{
	if (w->h->form == HANDOUT_HTML)
		label_html_lines(w->out, s);
	else
		sb_add(w->out, s);
}

static void heading(struct writer *w, int level, const char *s)
{
	if (w->h->form == HANDOUT_HTML) {
		sb_printf(w->out, "<h%d>", level);
		text(w, s);
		sb_printf(w->out, "</h%d>\n", level);
	} else if (w->h->form == HANDOUT_MARKDOWN) {
		sb_printf(w->out, "%.*s %s\n\n", level, "####", s);
	} else {
		sb_printf(w->out, "%s%s\n", level == 1 ? "" : "\n", s);
		for (const char *c = s; *c; c++)
			if ((*c & 0xc0) != 0x80)
				sb_addc(w->out, level == 1 ? '=' : '-');
		sb_add(w->out, "\n");
	}
}

/* Markdown as lessons use it: paragraphs, **bold**, *italic*, `code`. */
static void inline_html(struct writer *w, const char *s, size_t n)
{
	bool bold = false, italic = false, code = false;

	for (size_t k = 0; k < n; k++) {
		if (s[k] == '`') {
			sb_add(w->out, code ? "</code>" : "<code>");
			code = !code;
		} else if (!code && s[k] == '*' && k + 1 < n && s[k + 1] == '*') {
			sb_add(w->out, bold ? "</b>" : "<b>");
			bold = !bold;
			k++;
		} else if (!code && s[k] == '*') {
			sb_add(w->out, italic ? "</i>" : "<i>");
			italic = !italic;
		} else {
			char one[2] = { s[k], '\0' };
			bool plain = s[k] & 0x80 || s[k] == '\n';

			label_html(w->out, plain ? "" : one);
			if (plain)
				sb_addc(w->out, s[k]);
		}
	}
	sb_add(w->out, code ? "</code>" : "");
	sb_add(w->out, italic ? "</i>" : "");
	sb_add(w->out, bold ? "</b>" : "");
}

static void paragraph(struct writer *w, const char *class, const char *s)
{
	size_t n = strlen(s);

	while (n && s[n - 1] == '\n')
		n--;
	if (w->h->form == HANDOUT_HTML) {
		sb_printf(w->out, "<p class=\"%s\">", class);
		inline_html(w, s, n);
		sb_add(w->out, "</p>\n");
	} else {
		sb_printf(w->out, "%.*s\n\n", (int)n, s);
	}
}

static void output(struct writer *w, const char *s)
{
	size_t n = strlen(s);

	while (n && s[n - 1] == '\n')
		n--;
	if (w->h->form == HANDOUT_HTML) {
		sb_add(w->out, "<pre>");
		text(w, arena_strndup(w->a, s, n));
		sb_add(w->out, "</pre>\n");
	} else if (w->h->form == HANDOUT_MARKDOWN) {
		sb_printf(w->out, "```text\n%.*s\n```\n\n", (int)n, s);
	} else {
		for (const char *line = s, *end = s + n; line < end;) {
			size_t len = strcspn(line, "\n");

			sb_printf(w->out, "    %.*s\n", (int)MIN(len, (size_t)(end - line)), line);
			line += len + 1;
		}
		sb_addc(w->out, '\n');
	}
}

/* ---- a step */

static void answers(struct writer *w, struct play *p)
{
	for (uint32_t k = 0; k < p->nr_asked; k++) {
		const struct asked *q = &p->asked[k];
		struct sb b = { 0 };

		sb_printf(&b, "$ podwire trace %s %s%s\n", q->q.from ? q->q.from : "", q->q.to ? q->q.to : "", q->q.proto == PROTO_UDP ? " --protocol udp" : q->q.l4 == L4_NONE ? " --protocol icmp" : "");
		if (q->why)
			sb_printf(&b, "%s\n", q->why);
		else
			trace_text(p->world, &q->answer, false, &b);
		output(w, sb_text(&b));
		sb_free(&b);
	}
	for (uint32_t k = 0; k < p->nr_looked; k++) {
		const struct looked *q = &p->looked[k];
		struct sb b = { 0 };

		sb_printf(&b, "$ podwire dns %s %s\n%s", q->doc->from, q->doc->to, q->why ? q->why : q->rcode);
		for (uint32_t i = 0; !q->why && i < q->answers.nr; i++)
			sb_printf(&b, " %s", q->answers.v[i]);
		output(w, sb_text(&b));
		sb_free(&b);
	}
}

/* Ids are unique on a page of many figures: each gets its lesson and number. */
static void inline_svg(struct writer *w, const char *svg)
{
	static const char id[] = " id=\"", names[] = "aria-labelledby=\"title desc\"";
	struct sb name = { 0 };
	const char *prefix;

	label_id(&name, w->lesson);
	prefix = arena_printf(w->a, "%s-%u", sb_text(&name), ++w->figures);
	sb_free(&name);
	sb_add(w->out, "<figure>\n");
	while (*svg) {
		const char *next = strstr(svg, id), *label = strstr(svg, names);
		const char *at = label && (!next || label < next) ? label : next;

		if (!at)
			break;
		sb_addn(w->out, svg, (size_t)(at - svg));
		if (at == label)
			sb_printf(w->out, "aria-labelledby=\"%s-title %s-desc\"", prefix, prefix);
		else
			sb_printf(w->out, "%s%s-", id, prefix);
		svg = at + (at == label ? sizeof(names) : sizeof(id)) - 1;
	}
	sb_printf(w->out, "%s</figure>\n", svg);
}

static void figure(struct writer *w, struct play *p, const char *what, const char *const *args, uint32_t nr, const struct question *ask)
{
	struct figure_options opt = { .dflt_ns = p->scenario->ns, .depth = 2, .ask = ask };
	struct scene scene = { .arena = arena_new(NULL, "figure") };
	struct err err = { 0 };
	struct sb svg = { 0 };

	if (figure_fill(p->world, &opt, what, args, nr, &scene, &err) && scene_render(&scene, "svg", THEME_LIGHT, &svg, &err)) {
		const char *from = strstr(sb_text(&svg), "<svg");

		inline_svg(w, from ? from : sb_text(&svg));
	}
	sb_free(&svg);
	err_free(&err);
	arena_free(scene.arena);
}

/* What the step draws; else the way of the first packet that it asks about. On paper without pictures, the command that draws them. */
static void figures_of(struct writer *w, struct play *p, const struct step *s)
{
	const struct asked *first = p->nr_asked && !p->asked[0].why && p->asked[0].q.from && p->asked[0].q.to ? &p->asked[0] : NULL;

	for (uint32_t k = 0; k < s->draw.nr; k++) {
		const struct draw_doc *d = &s->draw.v[k];

		if (w->h->form == HANDOUT_HTML)
			figure(w, p, d->figure, d->args.v, d->args.nr, NULL);
		else
			paragraph(w, "figure", arena_printf(w->a, "Figure: podwire draw %s", d->figure));
	}
	if (!s->draw.nr && first && w->h->form == HANDOUT_HTML)
		figure(w, p, "trace", (const char *const[]){ first->q.from, first->q.to }, 2, &first->q);
}

static void question(struct writer *w, const struct ask_doc *q)
{
	paragraph(w, "question", arena_printf(w->a, "**%s**", q->question));
	for (uint32_t k = 0; k < q->choices.nr; k++)
		paragraph(w, "choice", arena_printf(w->a, "%u. %s", k + 1, q->choices.v[k]));
	if (w->h->teacher && q->answer)
		paragraph(w, "answer", arena_printf(w->a, "Answer: %d. %s", q->answer, q->why ? q->why : ""));
}

static void task(struct writer *w, const struct step *s)
{
	for (uint32_t k = 0; k < s->goal.nr; k++)
		paragraph(w, "task", arena_printf(w->a, "**%s** %s", k ? "And:" : "Task:", expect_text(w->a, &s->goal.v[k])));
	for (uint32_t k = 0; w->h->teacher && k < s->hints.nr; k++)
		paragraph(w, "hint", arena_printf(w->a, "Hint %u: %s", k + 1, s->hints.v[k]));
}

/* A lesson that is wrong must not look right. */
static void fails(struct writer *w, const char *expected, const char *actual)
{
	paragraph(w, "failed", arena_printf(w->a, "This does not hold: %s; there is: %s", expected, actual));
}

/* What solves it, and what podwire shows then, is for the teacher; the next step goes on from there. */
static void solve(struct writer *w, struct play *p, const struct step *s)
{
	struct sb yaml = { 0 };

	play_changes(p, s->solution);
	play_questions(p);
	for (uint32_t k = 0; k < s->goal.nr; k++) {
		const char *actual;

		if (!judge(p, &s->goal.v[k], &actual))
			fails(w, expect_text(w->a, &s->goal.v[k]), actual);
	}
	if (!w->h->teacher)
		return;
	paragraph(w, "answer", "Solution:");
	val_print_yaml(s->solution_doc, &yaml, false);
	output(w, sb_text(&yaml));
	answers(w, p);
	sb_free(&yaml);
}

/* As the learner meets it: a task is not done yet. */
static void step(struct writer *w, struct play *p, uint32_t nr)
{
	struct step *s = (struct step *)(uintptr_t)&p->scenario->steps.v[nr];
	struct changes *solution = s->solution;
	uint32_t before = p->records.nr;

	heading(w, 3, arena_printf(w->a, "%u. %s", nr + 1, s->name));
	if (s->say)
		paragraph(w, "say", s->say);
	if (s->notes && w->h->teacher)
		paragraph(w, "notes", arena_printf(w->a, "*For the teacher:* %s", s->notes));
	if (s->goal.nr)
		task(w, s);
	s->solution = NULL;
	play_step(p, nr);
	s->solution = solution;
	answers(w, p);
	figures_of(w, p, s);
	for (uint32_t k = before; k < p->records.nr; k++)
		if (!p->records.v[k].ok)
			fails(w, p->records.v[k].expected ? p->records.v[k].expected : p->records.v[k].step, p->records.v[k].actual);
	if (solution)
		solve(w, p, s);
	if (s->ask)
		question(w, s->ask);
}

bool handout_lesson(const struct handout *h, const struct scenario *s, struct arena *a, struct sb *out, struct err *err)
{
	struct world_options opt = { .seed = s->seed };
	struct writer w = { .h = h, .out = out, .a = a, .lesson = s->name };
	struct play play;
	struct world world;
	bool ok;

	world_init(&world, &opt);
	ok = play_begin(&play, s, &world, &play_sim, a, err);
	if (ok) {
		heading(&w, 2, s->title ? s->title : s->name);
		for (uint32_t k = 0; k < s->steps.nr; k++)
			step(&w, &play, k);
	}
	world_free(&world);
	return ok;
}

static const char page_head[] =
	"<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
	"body { font: 16px/1.5 'Liberation Sans', Arial, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #1B2733; }\n"
	"pre { background: #F4F6F8; padding: .8em; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; line-height: 1.35; }\ncode { background: #EEF1F4; padding: 0 .2em; }\n"
	"h2 { border-bottom: 2px solid #0072B2; margin-top: 2.5em; }\n.question { margin-top: 1.5em; }\n.choice { margin: .2em 0 .2em 1.5em; }\n"
	".answer, .notes, .hint { background: #FCEFD2; padding: .4em .8em; }\n.failed { background: #FBE7DA; padding: .4em .8em; font-weight: bold; }\n"
	"figure { margin: 1em 0; } svg { max-width: 100%; height: auto; }\n@media print { h2 { break-before: page; } pre, figure { break-inside: avoid; } }\n</style>\n";

void handout_begin(const struct handout *h, const char *title, struct sb *out)
{
	if (h->form == HANDOUT_HTML) {
		sb_add(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
		label_html(out, title);
		sb_printf(out, "</title>\n%s</head>\n<body>\n", page_head);
	} else if (h->form == HANDOUT_MARKDOWN) {
		sb_printf(out, "# %s\n\n", title);
	}
}

void handout_end(const struct handout *h, struct sb *out)
{
	if (h->form == HANDOUT_HTML)
		sb_add(out, "</body>\n</html>\n");
}
