#include "viz/report/progress_report.h"

#include "viz/diagram/label.h"

static const struct step *step_of(const struct scenario *s, uint32_t k) { return s && k < s->steps.nr ? &s->steps.v[k] : NULL; }

static bool asks(const struct step *s) { return s && s->ask; }
static bool sets_a_task(const struct step *s) { return s && s->goal.nr; }

/* Its last step was reached, and no question or task stands open. */
static bool progress_done(const struct progress *p, const struct scenario *s)
{
	if (!p->nr_steps || p->at + 1 < p->nr_steps)
		return false;
	for (uint32_t k = 0; k < p->nr_steps; k++)
		if ((asks(step_of(s, k)) && !p->steps[k].right) || (sets_a_task(step_of(s, k)) && p->steps[k].task == TASK_OPEN))
			return false;
	return true;
}

static const char *progress_text(const struct progress *p, const struct scenario *s, struct arena *a)
{
	return !p->nr_steps ? "" : progress_done(p, s) ? "done" : arena_printf(a, "%u of %u", p->at + 1, p->nr_steps);
}

const char *progress_text_in(const progress_list *l, const struct scenario *s, struct arena *a)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (streq(l->v[k].lesson, s->name))
			return progress_text(&l->v[k], s, a);
	return "";
}

static const char *answered(const struct progress_step *x, struct arena *a)
{
	if (!x->tries)
		return "not answered";
	return x->right ? x->tries == 1 ? "answered rightly at once" : arena_printf(a, "answered rightly at try %u", x->tries)
			: arena_printf(a, "answered wrongly (%u %s)", x->tries, x->tries == 1 ? "try" : "tries");
}

static const char *const task_words[] = { [TASK_OPEN] = "open", [TASK_SOLVED] = "solved", [TASK_SHOWN] = "was shown" };

struct writer { const struct handout *h; struct sb *out; struct arena *a; };

static void words(struct writer *w, const char *s)
{
	if (w->h->form == HANDOUT_HTML)
		label_html(w->out, s);
	else if (w->h->form == HANDOUT_MARKDOWN)
		label_markdown(w->out, s);
	else
		sb_add_shown(w->out, s, true);
}

/* A point of the list below a step. */
static void point(struct writer *w, const char *key, const char *text)
{
	sb_add(w->out, w->h->form == HANDOUT_HTML ? "<li>" : w->h->form == HANDOUT_MARKDOWN ? "- " : "     ");
	words(w, key);
	sb_add(w->out, ": ");
	words(w, text);
	sb_add(w->out, w->h->form == HANDOUT_HTML ? "</li>\n" : "\n");
}

static void typed(struct writer *w, const struct progress_step *x)
{
	bool html = w->h->form == HANDOUT_HTML, text = w->h->form == HANDOUT_TEXT;

	if (!x->commands.nr)
		return;
	sb_add(w->out, html ? "<pre>" : text ? "" : "```text\n");
	for (uint32_t k = 0; k < x->commands.nr; k++) {
		sb_add(w->out, text ? "     $ podwire " : "podwire ");
		if (html)
			label_html(w->out, x->commands.v[k]);
		else
			sb_add_shown(w->out, x->commands.v[k], true);   /* one line behind a word: it closes no fence */
		sb_addc(w->out, '\n');
	}
	sb_add(w->out, html ? "</pre>\n" : text ? "" : "```\n\n");
}

static void one_step(struct writer *w, const struct progress *p, uint32_t k, const struct step *s)
{
	const struct progress_step *x = &p->steps[k];
	bool html = w->h->form == HANDOUT_HTML, points = asks(s) || sets_a_task(s) || x->hints;

	sb_printf(w->out, "%s%u. ", html ? "<h3>" : w->h->form == HANDOUT_MARKDOWN ? "### " : "  ", k + 1);
	words(w, s && s->name ? s->name : "a step");
	sb_add(w->out, html ? "</h3>\n" : w->h->form == HANDOUT_MARKDOWN ? "\n\n" : "\n");
	sb_add(w->out, html && points ? "<ul>\n" : "");
	if (asks(s)) {
		point(w, "question", s->ask->question);
		point(w, "answer", answered(x, w->a));
		if (x->chosen && x->chosen <= s->ask->choices.nr)
			point(w, "said", s->ask->choices.v[x->chosen - 1]);
	}
	if (sets_a_task(s))
		point(w, "task", task_words[x->task]);
	if (x->hints)
		point(w, "hints", arena_printf(w->a, "%u", x->hints));
	sb_add(w->out, html && points ? "</ul>\n" : w->h->form == HANDOUT_MARKDOWN && points ? "\n" : "");
	typed(w, x);
}

void progress_report(const struct progress *p, const struct scenario *s, const struct handout *h, struct arena *a, struct sb *out)
{
	struct writer w = { h, out, a };
	bool html = h->form == HANDOUT_HTML;

	sb_add(out, html ? "<h2>" : h->form == HANDOUT_MARKDOWN ? "## " : "");
	words(&w, s && s->title ? s->title : p->lesson);
	sb_add(out, html ? "</h2>\n<p>" : h->form == HANDOUT_MARKDOWN ? "\n\n" : "\n  ");
	words(&w, arena_printf(a, "Lesson %s: %s", p->lesson, progress_done(p, s) ? "done" : arena_printf(a, "step %u of %u", p->at + 1, p->nr_steps)));
	sb_add(out, html ? "</p>\n" : h->form == HANDOUT_MARKDOWN ? "\n\n" : "\n");
	for (uint32_t k = 0; k < p->nr_steps && (k <= p->at || p->steps[k].tries || p->steps[k].commands.nr); k++)
		one_step(&w, p, k, step_of(s, k));
	sb_add(out, h->form == HANDOUT_TEXT ? "\n" : "");
}

struct val *progress_json(const struct progress *p, const struct scenario *s, struct arena *a)
{
	struct val *root = val_new(a, VAL_MAP), *steps;

	val_put(a, root, "lesson", val_string(a, p->lesson));
	val_put(a, root, "step", val_int(a, p->at + 1));
	val_put(a, root, "steps", val_int(a, p->nr_steps));
	val_put(a, root, "done", val_bool(a, progress_done(p, s)));
	steps = val_put(a, root, "did", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < p->nr_steps; k++) {
		const struct progress_step *x = &p->steps[k];
		struct val *v = val_add(a, steps, val_new(a, VAL_MAP)), *commands;

		val_put(a, v, "name", val_string(a, step_of(s, k) && step_of(s, k)->name ? step_of(s, k)->name : ""));
		val_put(a, v, "tries", val_int(a, x->tries));
		val_put(a, v, "right", val_bool(a, x->right));
		val_put(a, v, "hints", val_int(a, x->hints));
		val_put(a, v, "task", sets_a_task(step_of(s, k)) ? val_string(a, task_words[x->task]) : val_new(a, VAL_NULL));
		commands = val_put(a, v, "commands", val_new(a, VAL_LIST));
		for (uint32_t i = 0; i < x->commands.nr; i++)
			val_add(a, commands, val_string(a, x->commands.v[i]));
	}
	return root;
}
