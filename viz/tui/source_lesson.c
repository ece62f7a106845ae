/* Lessons: a scenario played step by step. Earlier steps are done as they are written; the task of the step at hand is the learner's. While a lesson is open, its
 * cluster is the one that all screens show. */
#include "viz/tui/source.h"

#include <stdio.h>
#include <stdlib.h>

struct lesson_rows { struct scenario_list all; const char **progress; };

static const char *base_name(struct arena *a, const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file, *dot = strrchr(name, '.');

	return arena_strndup(a, name, dot ? (size_t)(dot - name) : strlen(name));
}

static void cell(void *ctx, uint32_t row, uint32_t column, struct sb *out)
{
	const struct lesson_rows *r = ctx;
	const struct scenario *s = r->all.v[row];

	if (column == 0)
		sb_add(out, s->name);
	else if (column == 1)
		sb_add(out, s->title ? s->title : "");
	else if (column == 2)
		sb_add(out, label_get(&s->labels, "level") ? label_get(&s->labels, "level") : "");
	else if (column == 4)
		sb_add(out, r->progress[row] ? r->progress[row] : "");
	else
		sb_printf(out, "%u%s", s->steps.nr, scenario_has_task(s) ? " +task" : "");
}

static void say(void *ctx, uint32_t row, struct sb *out)
{
	const struct lesson_rows *r = ctx;
	const struct scenario *s = r->all.v[row];

	sb_printf(out, "Enter begins it: %s%s", s->title ? s->title : s->name, scenario_has_task(s) ? "  Something in it is broken, and yours to mend." : "");
}

static void ref(void *ctx, uint32_t row, struct sb *out)
{
	const struct lesson_rows *r = ctx;

	sb_printf(out, "lesson/%s", r->all.v[row]->file);
}

static void words(void *ctx, uint32_t row, const char *out[4])
{
	const struct lesson_rows *r = ctx;

	out[0] = r->all.v[row]->name;
	out[1] = r->all.v[row]->title;
}

bool fill_lessons(struct tui_model *m, struct arena *a, struct tui_list *out, struct err *err)
{
	static const struct tui_column columns[] = { { .head = "LESSON", .keep = KEEP_NAME }, { .head = "TITLE" }, { .head = "LEVEL", .wide = 1 }, { .head = "STEPS" }, { .head = "DONE" } };
	struct lesson_rows *r = arena_make(a, struct lesson_rows);

	if (!m->host.lessons(m->host.ctx, a, &r->all, err))
		return false;
	r->progress = arena_array(a, const char *, r->all.nr + 1);
	if (m->host.progress)
		m->host.progress(m->host.ctx, &r->all, r->progress, a);
	*out = (struct tui_list){ .title = "Lessons", .kind = "lesson", .columns = columns, .nr_columns = 5, .nr = r->all.nr, .ctx = r, .cell = cell, .ref = ref, .words = words, .say = say };
	return true;
}

/* ---- playing */

void lesson_leave(struct tui_model *m)
{
	if (!m->in_lesson)
		return;
	m->in_lesson = false;
	model_changed(m, m->outer);
	world_free(m->lesson_world);
	free(m->lesson_world);
	m->lesson_world = NULL;
	arena_free(m->lesson_arena);
	m->lesson_arena = NULL;
	m->lesson = NULL;
}

static bool begin(struct tui_model *m, const char *file, struct err *err)
{
	struct scenario_list all = { 0 };
	const struct scenario *found = NULL;
	struct arena *a = arena_new(NULL, "lesson");

	if (strchr(file, '/') || strstr(file, ".y") ? !scenarios_load(a, file, &all, err) : !m->host.lessons(m->host.ctx, a, &all, err)) {
		arena_free(a);
		return false;
	}
	for (uint32_t k = 0; k < all.nr && !found; k++)
		if (strchr(file, '/') || strstr(file, ".y") || strcmp(all.v[k]->name, file) == 0 || strcmp(base_name(a, all.v[k]->file), file) == 0)
			found = all.v[k];
	if (!found) {
		arena_free(a);
		return err_add(err, ERR_INPUT, NULL, "no lesson is called \"%s\"; :learn lists them", file);
	}
	lesson_leave(m);
	m->lesson_world = calloc(1, sizeof(*m->lesson_world));
	if (!m->lesson_world)
		abort();
	world_init(m->lesson_world, &(struct world_options){ .seed = found->seed });
	if (!play_begin(&m->play, found, m->lesson_world, &play_sim, a, err)) {
		world_free(m->lesson_world);
		free(m->lesson_world);
		m->lesson_world = NULL;
		arena_free(a);
		return false;
	}
	m->lesson_arena = a;
	m->lesson = found;
	m->lesson_file = arena_strdup(a, file);
	m->outer = m->world;
	m->in_lesson = true;
	m->lesson_step = UINT32_MAX;
	m->solved = false;
	model_changed(m, m->lesson_world);
	return true;
}

/* The task of the step at hand stays undone: its solution is put aside. */
static void play_one(struct tui_model *m, uint32_t k, bool at_hand)
{
	struct step *s = (struct step *)(uintptr_t)&m->lesson->steps.v[k];
	struct changes *solution = s->solution;

	if (at_hand)
		s->solution = NULL;
	m->step_from = cluster_now(m->lesson_world->cluster);
	m->record_from = m->play.records.nr;
	play_step(&m->play, k);
	s->solution = solution;
	m->lesson_step = k;
	m->solved = false;
}

static bool to_step(struct tui_model *m, const char *file, uint32_t step, struct err *err)
{
	bool same = m->in_lesson && strcmp(m->lesson_file, file) == 0, over;

	if (!same || (m->lesson_step != UINT32_MAX && step < m->lesson_step)) {
		if (!begin(m, file, err))
			return false;
	}
	if (!m->lesson->steps.nr)
		return err_add(err, ERR_INPUT, NULL, "%s has no steps", file);
	over = step >= m->lesson->steps.nr;
	step = MIN(step, m->lesson->steps.nr - 1);
	while (m->lesson_step == UINT32_MAX || m->lesson_step < step) {
		uint32_t next = m->lesson_step == UINT32_MAX ? 0 : m->lesson_step + 1;
		const struct step *now = next ? &m->lesson->steps.v[next - 1] : NULL;

		if (now && now->solution && !m->solved && m->at_hand)
			play_changes(&m->play, now->solution);
		m->at_hand = next == step;
		play_one(m, next, m->at_hand);
		model_changed(m, m->lesson_world);
	}
	if (over && m->lesson->steps.v[step].solution && !m->solved && m->at_hand) {   /* behind the last step: its task is done */
		play_changes(&m->play, m->lesson->steps.v[step].solution);
		model_changed(m, m->lesson_world);
		lesson_judge(m);
	}
	return true;
}

void lesson_judge(struct tui_model *m)
{
	const struct step *s = &m->lesson->steps.v[m->lesson_step];
	const char *actual;

	m->solved = s->goal.nr > 0;
	play_questions(&m->play);
	for (uint32_t k = 0; k < s->goal.nr; k++)
		m->solved = judge(&m->play, &s->goal.v[k], &actual) && m->solved;
}

/* ---- the page */

static void half_lines(const struct dataplane *dp, const struct half *half, struct arena *a, struct tui_pane *p, bool first)
{
	const char *last = "";

	for (uint32_t i = 0; i < half->nr_hops; i++) {
		const struct hop *h = &half->hops[i];
		const char *at = netns_get(dp, h->netns)->name;

		if (strcmp(at, last) != 0)
			pane_printf(a, p, TR_PACKET, "%s %s", i || !first ? "▼" : " ", at);
		last = at;
		pane_printf(a, p, ip_eq(h->before.dst, h->after.dst) && ip_eq(h->before.src, h->after.src) ? TR_DIM : TR_CHANGED, "    %s: %s", stage_names[h->stage], h->decision ? h->decision : "");
	}
}

static void place_of(struct tui_model *m, struct arena *a, struct tui_pane *p)
{
	struct dataplane *dp = world_dataplane(m->lesson_world);

	p->title = "where";
	for (uint32_t k = 0; k < m->play.nr_asked && k < 3; k++) {
		const struct asked *x = &m->play.asked[k];
		const struct outcome_view *o = x->answer.nr ? &x->answer.v[0] : NULL;
		struct tui_line *end;

		pane_printf(a, p, TR_HEAD, "%s → %s%s", x->q.from ? x->q.from : "?", x->q.to ? x->q.to : "?", x->answer.nr > 1 ? arena_printf(a, "   (1 of %u ways)", x->answer.nr) : "");
		if (!o) {
			pane_line(a, p, TR_BAD, x->why ? x->why : "it could not be asked");
			continue;
		}
		if (o->walk)
			half_lines(dp, &o->walk->there, a, p, true);
		for (uint32_t i = 0; i < o->nr_between; i++)  /* where proxies stand between, on from each of them */
			half_lines(dp, &o->between[i]->there, a, p, false);
		if (o->second)
			half_lines(dp, &o->second->there, a, p, false);
		if (o->third)
			half_lines(dp, &o->third->there, a, p, false);
		end = pane_printf(a, p, o->verdict == V_DELIVERED ? TR_GOOD : TR_BAD, "%s%s", verdict_names[o->verdict], o->verdict == V_DELIVERED && !o->answered ? ", but the answer does not come back" : "");
		end->mark = o->verdict == V_DELIVERED && o->answered ? TM_READY : o->verdict == V_UNKNOWN ? TM_PENDING : TM_FAILED;
	}
	if (!p->nr)
		pane_line(a, p, TR_DIM, "this step asks no question of the network");
}

/* {verdict: dropped} is for files; people read it without. */
static const char *without_braces(struct arena *a, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n > 2 && s[0] == '{' && s[n - 1] == '}' ? arena_strndup(a, s + 1, n - 2) : s;
}

static const char **texts(struct arena *a, const str_list *l)
{
	const char **v = arena_array(a, const char *, l->nr);

	for (uint32_t k = 0; k < l->nr; k++)
		v[k] = l->v[k];
	return v;
}

bool fill_lesson(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_lesson *out, struct err *err)
{
	const struct step *s;

	if (!to_step(m, want->a, (uint32_t)MAX(want->n, 0), err))
		return false;
	s = &m->lesson->steps.v[m->lesson_step];
	*out = (struct tui_lesson){ .title = m->lesson->title ? m->lesson->title : m->lesson->name, .path = m->lesson->name, .nr_steps = m->lesson->steps.nr, .step = m->lesson_step, .say = s->say,
				    .solved = m->solved, .shows = s->solution != NULL, .took = cluster_now(m->lesson_world->cluster) - m->step_from, .hints = texts(a, &s->hints), .nr_hints = s->hints.nr };
	out->steps = arena_alloc(a, sizeof(*out->steps) * out->nr_steps, alignof(max_align_t));
	for (uint32_t k = 0; k < out->nr_steps; k++) {
		out->steps[k].name = m->lesson->steps.v[k].name;
		out->steps[k].state = k < m->lesson_step;
	}
	out->checks = arena_array(a, struct tui_check, m->play.records.nr);
	for (uint32_t k = m->record_from; k < m->play.records.nr; k++) {
		const struct record *r = &m->play.records.v[k];

		if ((r->expected && !strstr(r->expected, "the goal is not reached")) || !r->ok)
			out->checks[out->nr_checks++] = (struct tui_check){ without_braces(a, r->expected), without_braces(a, r->actual), r->ok };
	}
	if (s->ask) {
		out->question = s->ask->question;
		out->why = s->ask->why;
		out->choices = texts(a, &s->ask->choices);
		out->nr_choices = MIN(s->ask->choices.nr, 9u);
		out->answer = (uint32_t)MAX(s->ask->answer, 0);
	}
	if (s->goal.nr) {
		const char *actual;

		out->task = arena_array(a, const char *, s->goal.nr);
		out->reached = arena_array(a, bool, s->goal.nr);
		for (uint32_t k = 0; k < s->goal.nr; k++) {
			out->reached[k] = judge(&m->play, &s->goal.v[k], &actual);
			out->task[out->nr_task++] = without_braces(a, expect_text(a, &s->goal.v[k]));
		}
	}
	place_of(m, a, &out->place);
	return true;
}
