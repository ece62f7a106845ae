/* Lessons in a session: their steps, and what the learner did in them, which the lab keeps (sim/lab/progress.h). */
#include <stdio.h>
#include <unistd.h>

#include "viz/cli/tui_session.h"
#include "viz/report/progress_report.h"

/* Where it is kept; NULL: there is no lab of the learner's. */
static const char *progress_lab(const struct session *s) { return s->lab && !*s->temp ? s->lab : NULL; }

/* A lab that is busy just now, or cannot be written, keeps what it had: no lesson is spoilt by that. */
static void keep_progress(struct session *s)
{
	struct err err = { 0 };
	struct lab *lab = progress_lab(s) && s->model.in_lesson && !s->replaying ? lab_open(progress_lab(s), LAB_WRITE, NULL, &err) : NULL;

	if (lab)
		progress_write(lab, &s->progress, &err);
	lab_close(lab);
	err_free(&err);
}

static struct progress_step *step_at_hand(struct session *s)
{
	return s->model.in_lesson && s->model.lesson_step < s->progress.nr_steps ? &s->progress.steps[s->model.lesson_step] : NULL;
}

/* NULL: there is none yet, or it cannot be read. */
static struct lab *open_to_read(struct session *s, struct err *err)
{
	return progress_lab(s) && access(progress_lab(s), F_OK) == 0 ? lab_open(progress_lab(s), LAB_READ, NULL, err) : NULL;
}

static void read_progress(struct session *s, const struct scenario *lesson, struct arena *a, struct progress *out)
{
	struct err err = { 0 };
	struct lab *lab = open_to_read(s, &err);

	*out = (struct progress){ .lesson = lesson->name };
	if (lab)
		progress_read(lab, lesson->name, a, out, &err);
	lab_close(lab);
	err_free(&err);
}

void session_progress(void *ctx, const struct scenario_list *lessons, const char **out, struct arena *a)
{
	struct err err = { 0 };
	struct lab *lab = open_to_read(ctx, &err);
	progress_list all = { 0 };

	if (lab)
		progress_read_all(lab, a, &all, &err);
	for (uint32_t k = 0; k < lessons->nr; k++)
		out[k] = progress_text_in(&all, lessons->v[k], a);
	lab_close(lab);
	err_free(&err);
}

/* A command changed the lesson's cluster: one more, or one less. */
void session_changed_lesson(struct session *s, const char *line)
{
	struct progress_step *x = step_at_hand(s);

	if (!x || s->replaying)
		return;
	if (line)
		vec_add(s->cli->arena, &x->commands, arena_strdup(s->cli->arena, line));
	else
		x->commands.nr -= x->commands.nr > 0;
	if (s->model.solved || x->task == TASK_SOLVED)
		x->task = s->model.solved ? TASK_SOLVED : TASK_OPEN;
	keep_progress(s);
}

void session_note(void *ctx, const char *what)
{
	struct session *s = ctx;
	struct progress_step *x = step_at_hand(s);
	char verdict[16] = "";
	unsigned n = 0;

	if (!x)
		return;
	if (sscanf(what, "answer %u %15s", &n, verdict) == 2) {
		x->tries++;
		x->chosen = n;
		x->right = strcmp(verdict, "right") == 0;
	} else if (sscanf(what, "hint %u", &n) == 1) {
		x->hints = MAX(x->hints, n);
	} else {
		progress_begin(&s->progress, s->cli->arena, s->progress.lesson, s->progress.nr_steps);
	}
	keep_progress(s);
}

static bool same_lesson(const struct session *s, const char *file) { return s->model.in_lesson && strcmp(s->model.lesson_file, file) == 0; }

/* Another step goes on from the cluster as it is. */
static bool go_to_step(struct session *s, const struct tui_want *w, struct arena *a, struct tui_page *p, struct err *err)
{
	if (s->model.in_lesson && *s->lesson_temp && (w->n != (int)s->model.lesson_step || !same_lesson(s, w->a)))
		session_remove_lab(s->lesson_temp);
	return model_load(&s->model, w, a, p, err);
}

/* Goes through the lesson as the learner did, up to where it was left. */
static bool go_on(struct session *s, struct tui_want *w, struct arena *a, struct tui_page *p, struct err *err)
{
	struct err ignored = { 0 };             /* a file that it applied may be gone */
	struct sb out = { 0 };
	bool ok = true, changed;

	s->replaying = true;
	for (uint32_t k = 0; ok && k <= s->progress.at; k++) {
		w->n = (int)k;
		ok = go_to_step(s, w, a, p, err);
		for (uint32_t i = 0; ok && i < s->progress.steps[k].commands.nr; i++)
			session_run(s, s->progress.steps[k].commands.v[i], &out, &changed, &ignored);
	}
	s->replaying = false;
	sb_free(&out);
	err_free(&ignored);
	return ok && go_to_step(s, w, a, p, err);
}

bool session_load_lesson(struct session *s, const struct tui_want *asked, struct arena *a, struct tui_page *p, struct err *err)
{
	struct tui_want w = *asked;
	bool same = same_lesson(s, w.a);
	struct progress_step *x = same ? step_at_hand(s) : NULL;

	if (x && w.n > (int)s->model.lesson_step && s->model.lesson->steps.v[s->model.lesson_step].goal.nr && !s->model.solved)
		x->task = TASK_SHOWN;
	for (uint32_t k = (uint32_t)MAX(w.n, 0); same && w.n < (int)s->model.lesson_step && k < s->progress.nr_steps; k++)
		s->progress.steps[k].commands.nr = 0;   /* the cluster begins anew there */
	if (!go_to_step(s, &w, a, p, err))
		return false;
	if (!same) {
		const struct scenario *lesson = s->model.lesson;

		read_progress(s, lesson, s->cli->arena, &s->progress);
		if (s->progress.nr_steps != lesson->steps.nr)   /* never begun, or the lesson has changed */
			progress_begin(&s->progress, s->cli->arena, arena_strdup(s->cli->arena, lesson->name), lesson->steps.nr);
		else if (!w.n && !go_on(s, &w, a, p, err))
			return false;
	}
	s->progress.at = s->model.lesson_step;
	x = step_at_hand(s);
	if (x) {
		p->lesson.given = x->chosen;
		p->lesson.hints_seen = x->hints;
	}
	p->lesson.answered = progress_right(&s->progress);
	keep_progress(s);
	return true;
}
