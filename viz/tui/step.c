/* The commands that an update leaves, done by asking the source. */
#include "viz/tui/tui.h"

#include <stdio.h>

void tui_init(struct tui *t, const struct tui_source *s, int w, int h)
{
	struct tui_want map = tui_want(PAGE_MAP, NULL, NULL, 0);

	*t = (struct tui){ .w = w, .h = h, .speed = 1000, .list_word = s->list_word, .list_ctx = s->ctx };
	tui_open(t, &map);
}

void tui_free(struct tui *t)
{
	while (t->depth)
		view_end(&t->stack[--t->depth]);
}

static void say_err(struct tui *t, const struct err *err)
{
	for (uint32_t k = 0; k < err->nr; k++) {
		const struct err_msg *m = &err->v[k];

		if (m->warning && err_any(err))
			continue;
		if (m->file && !m->line)
			tui_say(t, m->warning ? TR_WARN : TR_BAD, "%s: %s", m->file, m->text);
		else if (m->file)
			tui_say(t, m->warning ? TR_WARN : TR_BAD, "%s:%u: %s", m->file, m->line, m->text);
		else
			tui_say(t, m->warning ? TR_WARN : TR_BAD, "%s", m->text);
		return;
	}
}

static void load(struct tui *t, const struct tui_source *s)
{
	struct view *v = tui_top(t);
	struct arena *a;
	struct tui_page page = { 0 };
	struct err err = { 0 };

	if (!v->want.kind) {
		s->head(s->ctx, &t->head);
		return;
	}
	a = arena_new(NULL, "page");
	if (s->load(s->ctx, &v->want, a, &page, &err)) {
		view_forget_page(v);
		v->page = page;
		v->have = v->want;
		v->arena = a;
		if (view_ops_of(v->id)->loaded)
			view_ops_of(v->id)->loaded(t, v);
	} else {
		arena_free(a);
		if (v->page.kind)
			v->want = v->have;
		else if (t->depth > 1)
			tui_pop(t);
	}
	s->head(s->ctx, &t->head);
	t->head_known = true;
	say_err(t, &err);
	err_free(&err);
}

static void stale(struct tui *t)
{
	tui_update(t, &(struct tui_event){ .kind = EV_STALE });
}

/* One line is said, more are shown. */
static void show_output(struct tui *t, const char *line, const struct sb *out)
{
	size_t n = out->len;
	struct tui_want none = { 0 };
	struct view *v;

	while (n && (out->s[n - 1] == '\n' || out->s[n - 1] == ' '))
		n--;
	if (!n)
		return;
	if (!memchr(out->s, '\n', n) && n < 2 * (size_t)t->w) {
		tui_say(t, TR_TEXT, "%.*s", (int)n, out->s);
		return;
	}
	tui_push(t, VIEW_OBJECT, &none);
	v = tui_top(t);
	v->arena = arena_new(NULL, "output");
	v->page.kind = PAGE_OBJECT;
	v->page.object = (struct tui_object){ .title = arena_printf(v->arena, ":%s", line), .nr_panes = 1, .note = "q goes back" };
	v->page.object.panes[0].title = arena_printf(v->arena, "podwire %s", line);
	pane_text(v->arena, &v->page.object.panes[0], TR_TEXT, arena_strndup(v->arena, out->s, n));
}

static void run(struct tui *t, const struct tui_source *s, const struct tui_cmd *c)
{
	struct sb out = { 0 };
	struct err err = { 0 };
	bool changed = false;

	if (c->kind == CMD_RUN && s->run) {
		s->run(s->ctx, c->text, &out, &changed, &err);
	} else if (c->kind == CMD_UNDO && s->undo) {
		changed = s->undo(s->ctx, &out, &err);
	} else if (c->kind == CMD_SEEK && s->seek) {
		changed = s->seek(s->ctx, c->text, &err);
	} else {
		err_add(&err, ERR_FAILED, NULL, "this cannot be done here");
	}
	if (changed)
		stale(t);
	show_output(t, c->text, &out);
	say_err(t, &err);
	sb_free(&out);
	err_free(&err);
}

static void one_word(void *ctx, const char *word, const char *help)
{
	struct tui *t = ctx;
	size_t k = 0;

	(void)help;
	if (!t->nr_words++)
		snprintf(t->common, sizeof(t->common), "%s", word);
	while (t->common[k] && t->common[k] == word[k])
		k++;
	t->common[k] = '\0';
	if (t->nr_words <= ARRAY_LEN(t->words))
		snprintf(t->words[t->nr_words - 1], sizeof(t->words[0]), "%s", word);
}

static void complete(struct tui *t, const struct tui_source *s)
{
	char before[512];
	const char *word = strrchr(t->ask.text, ' ');

	word = word ? word + 1 : t->ask.text;
	snprintf(before, sizeof(before), "%.*s", (int)(word - t->ask.text), t->ask.text);
	t->nr_words = 0;
	t->common[0] = '\0';
	if (!*before && t->ask.kind == ASK_COMMAND) {
		for (int k = 1; k < ACT_COUNT; k++)
			if (strncmp(actions[k].name, word, strlen(word)) == 0)
				one_word(t, actions[k].name, actions[k].help);
		for (int k = 0; tui_commands[k][0]; k++)
			if (!strchr(tui_commands[k][0], ' ') && strncmp(tui_commands[k][0], word, strlen(word)) == 0)
				one_word(t, tui_commands[k][0], tui_commands[k][1]);
	}
	if (s->complete)
		s->complete(s->ctx, t->ask.kind == ASK_TRACE ? "trace x " : before, word, one_word, t);
	if (strlen(t->common) > strlen(word)) {
		char whole[700];

		snprintf(whole, sizeof(whole), "%s%s%s", before, t->common, t->nr_words == 1 && t->common[strlen(t->common) - 1] != '/' ? " " : "");
		ask_set(t, whole);
	}
}

static void explain(struct tui *t)
{
	struct view *v = tui_top(t);
	uint32_t from, to;

	if (v->id != VIEW_MATRIX || !v->page.kind)
		return;
	arena_free(v->why_arena);
	v->why_arena = arena_new(NULL, "why");
	v->why = (struct tui_pane){ 0 };
	v->why_say = NULL;
	matrix_selected(v, &from, &to);
	v->why_open = v->page.matrix.explain(v->page.matrix.ctx, from, to, v->why_arena, &v->why, &v->why_say);
}

/* In words that follow "working on". */
static void say_doing(const struct tui *t, const struct tui_cmd *c, tui_edge edge, void *ctx)
{
	static const char *const pages[PAGE_KINDS] = { [PAGE_NONE] = "", [PAGE_MAP] = "the map", [PAGE_LIST] = "", [PAGE_OBJECT] = "", [PAGE_TRACE] = "the trace ", [PAGE_MATRIX] = "who may reach whom ", [PAGE_TIMELINE] = "what happened",
		[PAGE_LESSON] = "the lesson " };
	const struct tui_want *w = &tui_top(t)->want;
	struct tui_cmd doing = { .kind = CMD_DOING };

	switch ((enum tui_cmd_kind)c->kind) {
	case CMD_LOAD: snprintf(doing.text, sizeof(doing.text), "%s%.250s %.250s", pages[w->kind], w->a, w->b); break;
	case CMD_RUN: snprintf(doing.text, sizeof(doing.text), "%s", c->text); break;
	case CMD_UNDO: snprintf(doing.text, sizeof(doing.text), "undo"); break;
	case CMD_SEEK: snprintf(doing.text, sizeof(doing.text), "%s", *c->text ? c->text : "the present"); break;
	case CMD_EXPLAIN: snprintf(doing.text, sizeof(doing.text), "why"); break;
	default: return;
	}
	edge(ctx, &doing);
}

void tui_step(struct tui *t, const struct tui_source *s, const struct tui_event *e, tui_edge edge, void *ctx)
{
	if (e)
		tui_update(t, e);
	for (int budget = 64; t->nr_todo && budget > 0; budget--) {
		struct tui_cmd c = t->todo[0];

		memmove(&t->todo[0], &t->todo[1], sizeof(c) * --t->nr_todo);
		if (edge)
			say_doing(t, &c, edge, ctx);
		switch ((enum tui_cmd_kind)c.kind) {
		case CMD_LOAD: load(t, s); break;
		case CMD_RUN: case CMD_UNDO: case CMD_SEEK: run(t, s, &c); break;
		case CMD_COMPLETE: complete(t, s); break;
		case CMD_EXPLAIN: explain(t); break;
		case CMD_LEAVE:
			if (s->leave) {
				s->leave(s->ctx);
				stale(t);
			}
			break;
		case CMD_NOTE:
			if (s->note)
				s->note(s->ctx, c.text);
			break;
		case CMD_QUIT: t->quit = true; break;
		case CMD_COPY:
			tui_say(t, TR_TEXT, "copied: %s", c.text);
			if (edge)
				edge(ctx, &c);
			break;
		case CMD_DOING: break;
		case CMD_REDRAW: case CMD_SUSPEND: case CMD_LOOK:
			if (edge)
				edge(ctx, &c);
			break;
		}
	}
}
