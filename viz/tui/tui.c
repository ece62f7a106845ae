/* Update: what a key, a click, a new size or a tick makes of the state. */
#include "viz/tui/tui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct view_ops *const all_ops[VIEW_COUNT] = {
	[VIEW_MAP] = &view_map, [VIEW_LIST] = &view_list, [VIEW_OBJECT] = &view_object, [VIEW_TRACE] = &view_trace,
	[VIEW_MATRIX] = &view_matrix, [VIEW_EVENTS] = &view_events, [VIEW_LESSON] = &view_lesson, [VIEW_HELP] = &view_help,
};

const struct view_ops *view_ops_of(enum view_id id) { return all_ops[id]; }
struct view *tui_top(const struct tui *t) { return (struct view *)(uintptr_t)&t->stack[t->depth - 1]; }
bool tui_small(const struct tui *t) { return t->w < 80 || t->h < 24; }

struct rect tui_body(const struct tui *t)
{
	return tui_small(t) ? (struct rect){ 0, 1, t->w, MAX(t->h - 2, 1) } : (struct rect){ 0, 3, t->w, t->h - 5 };
}

/* ---- small helps */

void tui_say(struct tui *t, int role, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->message, sizeof(t->message), fmt, ap);
	va_end(ap);
	t->message_role = (uint8_t)role;
}

void tui_do(struct tui *t, enum tui_cmd_kind kind, const char *fmt, ...)
{
	struct tui_cmd *c = &t->todo[t->nr_todo];
	va_list ap;

	if (t->nr_todo == ARRAY_LEN(t->todo))
		return;
	t->nr_todo++;
	c->kind = (uint8_t)kind;
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
}

struct tui_want tui_want(enum page_kind kind, const char *a, const char *b, int n)
{
	struct tui_want w = { .kind = (uint8_t)kind, .n = n };

	snprintf(w.a, sizeof(w.a), "%s", a ? a : "");
	snprintf(w.b, sizeof(w.b), "%s", b ? b : "");
	return w;
}

bool tui_move(enum action_id act, uint32_t *cursor, uint32_t nr, uint32_t page)
{
	uint32_t last = nr ? nr - 1 : 0, at = MIN(*cursor, last);

	switch (act) {
	case ACT_UP: at -= at > 0; break;
	case ACT_DOWN: at += at < last; break;
	case ACT_PAGE_UP: at -= MIN(at, page); break;
	case ACT_PAGE_DOWN: at = MIN(last, at + page); break;
	case ACT_FIRST: at = 0; break;
	case ACT_LAST: at = last; break;
	default: return false;
	}
	*cursor = at;
	return true;
}

void tui_keep_seen(uint32_t *top, uint32_t cursor, uint32_t nr, uint32_t rows)
{
	if (cursor < *top)
		*top = cursor;
	if (rows && cursor >= *top + rows)
		*top = cursor - rows + 1;
	if (*top + rows > nr)
		*top = nr > rows ? nr - rows : 0;
}

static inline unsigned char low(char c)
{
	unsigned char u = (unsigned char)c;

	return (unsigned char)(u >= 'A' && u <= 'Z' ? u | 0x20 : u);
}

bool text_has(const char *text, const char *word)
{
	const char first = (char)low(*word), other = (char)(first >= 'a' && first <= 'z' ? first & ~0x20 : first);

	if (!first)
		return true;
	for (;; text++) {
		size_t k = 1;

		while (*text && *text != first && *text != other)
			text++;
		if (!*text)
			return false;
		while (word[k] && low(text[k]) == low(word[k]))
			k++;
		if (!word[k])
			return true;
	}
}

bool tui_on_path(const struct tui *t, const char *ref)
{
	for (uint32_t k = 0; ref && k < t->nr_path; k++)
		if (strcmp(t->path[k], ref) == 0)
			return true;
	return false;
}

void time_short(nsec t, char out[32])
{
	nsec ms = t / MILLIS(1), s = ms / 1000;

	if (s < 100)
		snprintf(out, 32, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
	else if (s < 3600)
		snprintf(out, 32, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
	else
		snprintf(out, 32, "%" PRId64 "h%02" PRId64 "m", s / 3600, s % 3600 / 60);
}

enum tui_glyph mark_glyph(uint8_t mark)
{
	static const uint8_t glyphs[TM_COUNT] = { TG_DOT, TG_READY, TG_STARTING, TG_PENDING, TG_FAILED, TG_ENDING };

	return glyphs[mark < TM_COUNT ? mark : 0];
}

unsigned mark_role(uint8_t mark)
{
	static const uint8_t roles[TM_COUNT] = { TR_DIM, TR_GOOD, TR_WARN, TR_WARN, TR_BAD, TR_CONTROL };

	return roles[mark < TM_COUNT ? mark : 0];
}

/* ---- the stack of views */

void view_end(struct view *v)
{
	arena_free(v->arena);
	arena_free(v->why_arena);
	free(v->shown);
	free(v->marked);
	free(v->across);
	*v = (struct view){ 0 };
}

void view_forget_page(struct view *v)
{
	arena_free(v->arena);
	arena_free(v->why_arena);
	v->arena = v->why_arena = NULL;
	v->why_open = false;
	v->page = (struct tui_page){ 0 };
}

void tui_push(struct tui *t, enum view_id id, const struct tui_want *want)
{
	struct view *v;

	if (t->depth == TUI_DEPTH) {            /* the map stays, the oldest view above it goes */
		view_end(&t->stack[1]);
		memmove(&t->stack[1], &t->stack[2], sizeof(t->stack[0]) * (TUI_DEPTH - 2));
		t->depth--;
	}
	v = &t->stack[t->depth++];
	*v = (struct view){ .id = (uint8_t)id, .at = NEVER, .mark_a = NEVER, .mark_b = NEVER, .follow = true };
	if (want)
		v->want = *want;
	if (want && want->kind)
		tui_do(t, CMD_LOAD, "%s", "");
	if (id == VIEW_HELP || (want && !want->kind))
		return;
	if (t->nr_past && t->past_at + 1 < t->nr_past)
		t->nr_past = t->past_at + 1;
	if (t->nr_past == TUI_PAST)
		memmove(&t->past[0], &t->past[1], sizeof(t->past[0]) * --t->nr_past);
	t->past[t->nr_past].id = (uint8_t)id;
	t->past[t->nr_past].want = v->want;
	t->past_at = t->nr_past++;
}

static enum view_id view_for(uint8_t page)
{
	static const uint8_t views[PAGE_KINDS] = { [PAGE_MAP] = VIEW_MAP, [PAGE_LIST] = VIEW_LIST, [PAGE_OBJECT] = VIEW_OBJECT, [PAGE_TRACE] = VIEW_TRACE,
		[PAGE_MATRIX] = VIEW_MATRIX, [PAGE_TIMELINE] = VIEW_EVENTS, [PAGE_LESSON] = VIEW_LESSON };

	return views[page];
}

void tui_open(struct tui *t, const struct tui_want *want)
{
	tui_push(t, view_for(want->kind), want);
}

void tui_open_ref(struct tui *t, const char *ref, const char *tab)
{
	struct tui_want w = tui_want(PAGE_OBJECT, ref, tab, 0);

	if (ref && *ref)
		tui_open(t, &w);
}

void tui_pop(struct tui *t)
{
	if (t->depth < 2)
		return;
	if (tui_top(t)->id == VIEW_LESSON)
		tui_do(t, CMD_LEAVE, "%s", "");
	view_end(tui_top(t));
	t->depth--;
	if (!tui_top(t)->page.kind && tui_top(t)->want.kind)
		tui_do(t, CMD_LOAD, "%s", "");
}

static void go_past(struct tui *t, int by)
{
	uint32_t to = t->past_at + (uint32_t)by;
	struct tui_want want;
	uint32_t nr = t->nr_past;

	if (to >= nr) {
		tui_say(t, TR_DIM, by < 0 ? "no view before this one" : "no view behind this one");
		return;
	}
	want = t->past[to].want;
	if (want.kind == PAGE_MAP) {
		while (t->depth > 1)
			tui_pop(t);
	} else {
		tui_open(t, &want);
		t->nr_past = nr;                /* going back is not a new visit */
	}
	t->past_at = to;
}

static void last_view(struct tui *t)
{
	struct view v;

	if (t->depth < 3) {
		go_past(t, -1);
		return;
	}
	v = t->stack[t->depth - 1];
	t->stack[t->depth - 1] = t->stack[t->depth - 2];
	t->stack[t->depth - 2] = v;
	if (!tui_top(t)->page.kind && tui_top(t)->want.kind)
		tui_do(t, CMD_LOAD, "%s", "");
}

/* ---- what is everywhere */

static void selected_ref(const struct tui *t, struct sb *out)
{
	const struct view_ops *ops = all_ops[tui_top(t)->id];

	if (ops->selected)
		ops->selected(t, tui_top(t), out);
}

static void with_selected(struct tui *t, enum action_id act)
{
	struct sb ref = { 0 };
	const char *r;

	selected_ref(t, &ref);
	r = sb_text(&ref);
	if (!*r)
		tui_say(t, TR_WARN, "nothing is selected here");
	else if (act == ACT_DESCRIBE || act == ACT_YAML)
		tui_open_ref(t, r, act == ACT_YAML ? "yaml" : "describe");
	else if (act == ACT_DELETE)
		tui_ask(t, ASK_DELETE, r);
	else if (act == ACT_SHELL && strncmp(r, "pod/", 4) == 0)
		tui_do(t, CMD_COPY, "kubectl exec -it -n %.*s %s -- sh", (int)strcspn(r + 4, "/"), r + 4, strrchr(r, '/') + 1);
	else if (act == ACT_SHELL)
		tui_say(t, TR_WARN, "a shell is for Pods");
	sb_free(&ref);
}

static void search_from(struct tui *t, bool back, bool here)
{
	struct view *v = tui_top(t);
	const struct view_ops *ops = all_ops[v->id];
	uint32_t nr = ops->count ? ops->count(t, v) : 0;
	const char *word = t->search + (*t->search == '!');
	bool not = *t->search == '!';
	uint32_t at = v->id == VIEW_OBJECT ? v->pane_cursor[v->pane] : v->id == VIEW_TRACE ? v->hop : v->cursor;

	if (!nr || !ops->matches || !*word)
		return;
	for (uint32_t k = !here; k <= nr; k++) {
		uint32_t i = back ? (at + nr - k % nr) % nr : (at + k) % nr;

		if (ops->matches(t, v, i, word) != not) {
			ops->go(t, v, i);
			return;
		}
	}
	tui_say(t, TR_WARN, "no match for \"%s\"", t->search);
}

static void back(struct tui *t, int key)
{
	if (t->depth > 1)
		tui_pop(t);
	else if (key == 'q')
		tui_do(t, CMD_QUIT, "%s", "");
}

static void copy_command(struct tui *t)
{
	const struct view_ops *ops = all_ops[tui_top(t)->id];
	struct sb text = { 0 };

	if (ops->command)
		ops->command(t, tui_top(t), &text);
	if (!text.len && ops->selected) {
		struct sb ref = { 0 };
		const char *slash, *name;

		ops->selected(t, tui_top(t), &ref);
		slash = strchr(sb_text(&ref), '/');
		name = slash ? strchr(slash + 1, '/') : NULL;
		if (name)
			sb_printf(&text, "kubectl get %.*s -n %.*s %s -o yaml", (int)(slash - ref.s), ref.s, (int)(name - slash - 1), slash + 1, name + 1);
		else if (slash)
			sb_printf(&text, "kubectl get %.*s %s -o yaml", (int)(slash - ref.s), ref.s, slash + 1);
		sb_free(&ref);
	}
	if (text.len)
		tui_do(t, CMD_COPY, "%s", sb_text(&text));
	else
		tui_say(t, TR_WARN, "no command shows this on a real node");
	sb_free(&text);
}

static void open_page(struct tui *t, enum page_kind kind, const char *a)
{
	struct tui_want w = tui_want(kind, a, NULL, 0);

	tui_open(t, &w);
}

static void everywhere(struct tui *t, enum action_id act, int key)
{
	switch (act) {
	case ACT_HELP:
		if (tui_top(t)->id != VIEW_HELP) {
			uint8_t of = tui_top(t)->id;

			tui_push(t, VIEW_HELP, NULL);
			tui_top(t)->of = of;
			tui_top(t)->pane = 1;
		}
		break;
	case ACT_COMMAND: tui_ask(t, ASK_COMMAND, ""); break;
	case ACT_SEARCH: tui_ask(t, ASK_SEARCH, ""); break;
	case ACT_FILTER: tui_ask(t, ASK_FILTER, tui_top(t)->filter); break;
	case ACT_NEXT_MATCH: search_from(t, false, false); break;
	case ACT_PREV_MATCH: search_from(t, true, false); break;
	case ACT_DESCRIBE: case ACT_YAML: case ACT_DELETE: case ACT_SHELL: with_selected(t, act); break;
	case ACT_TRACE: {
		struct sb ref = { 0 };

		selected_ref(t, &ref);
		if (ref.len)
			snprintf(t->from, sizeof(t->from), "%s", sb_text(&ref));
		sb_free(&ref);
		if (*t->from)
			tui_ask(t, ASK_TRACE, t->to);
		else
			tui_say(t, TR_WARN, "select where the trace begins, or type :trace FROM TO");
		break;
	}
	case ACT_MATRIX: open_page(t, PAGE_MATRIX, NULL); break;
	case ACT_EVENTS: open_page(t, PAGE_TIMELINE, NULL); break;
	case ACT_LESSONS: open_page(t, PAGE_LIST, "lessons"); break;
	case ACT_BREAK: case ACT_HEAL: menu_open_faults(t, act == ACT_HEAL); break;
	case ACT_UNDO: tui_do(t, CMD_UNDO, "%s", ""); break;
	case ACT_NEXT_EVENT: tui_do(t, CMD_RUN, "advance next"); break;
	case ACT_ADVANCE: tui_ask(t, ASK_ADVANCE, ""); break;
	case ACT_COMPARE: tui_ask(t, ASK_COMPARE, ""); break;
	case ACT_NOW: tui_do(t, CMD_SEEK, "%s", ""); break;
	case ACT_DRAW: tui_ask(t, ASK_DRAW, ""); break;
	case ACT_SAVE: tui_ask(t, ASK_SAVE, ""); break;
	case ACT_ENDS: tui_ask(t, ASK_ENDS, tui_top(t)->filter); break;
	case ACT_COPY: copy_command(t); break;
	case ACT_HISTORY_BACK: go_past(t, -1); break;
	case ACT_HISTORY_ON: go_past(t, 1); break;
	case ACT_LAST_VIEW: last_view(t); break;
	case ACT_REDRAW: tui_do(t, CMD_REDRAW, "%s", ""); break;
	case ACT_SUSPEND: tui_do(t, CMD_SUSPEND, "%s", ""); break;
	case ACT_BACK: back(t, key); break;
	case ACT_QUIT: tui_do(t, CMD_QUIT, "%s", ""); break;
	default: break;
	}
}

static void do_action(struct tui *t, enum action_id act, int key)
{
	struct view *v = tui_top(t);

	t->message[0] = '\0';
	if (act == ACT_NONE || !(actions[act].views & 1u << v->id)) {
		char name[16];

		if (key > 0 && (key < 127 || key >= TK_UP))
			tui_say(t, TR_DIM, "%s does nothing on this screen; ? lists what does", key_text(key, t->ascii, name));
		return;
	}
	if (v->want.kind && !v->page.kind) {    /* nothing to work on yet */
		if (act == ACT_QUIT || act == ACT_BACK)
			everywhere(t, act, key);
		return;
	}
	if (!all_ops[v->id]->act(t, v, act, key, tui_body(t)))
		everywhere(t, act, key);
}

/* ---- events */

static void tick(struct tui *t, uint32_t ms)
{
	struct view *v = tui_top(t);

	t->waited += ms;
	if (!v->playing || t->waited < t->speed)
		return;
	t->waited = 0;
	do_action(t, v->id == VIEW_TRACE ? ACT_HOP_NEXT : ACT_LATER, 0);
}

static void mouse(struct tui *t, const struct tui_event *e)
{
	struct view *v = tui_top(t);
	const struct view_ops *ops = all_ops[v->id];

	if (t->menu_open || t->ask.kind || (v->want.kind && !v->page.kind))
		return;
	if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN) {
		for (int k = 0; k < 3; k++)
			do_action(t, e->button == MOUSE_WHEEL_UP ? ACT_UP : ACT_DOWN, 0);
		return;
	}
	if (ops->mouse)
		ops->mouse(t, v, e->x, e->y, tui_body(t));
	if (e->button == MOUSE_DOUBLE)
		do_action(t, ACT_OPEN, TK_ENTER);
}

void tui_update(struct tui *t, const struct tui_event *e)
{
	switch ((enum tui_event_kind)e->kind) {
	case EV_NONE: break;
	case EV_RESIZE:
		t->w = MIN(MAX(e->w, 1), 2000);
		t->h = MIN(MAX(e->h, 1), 2000);
		break;
	case EV_TICK: tick(t, e->ms); break;
	case EV_MOUSE: mouse(t, e); break;
	case EV_STALE:
		for (uint32_t k = 0; k < t->depth; k++)
			if (t->stack[k].want.kind)
				view_forget_page(&t->stack[k]);
		tui_do(t, CMD_LOAD, "%s", "");
		break;
	case EV_KEY:
		if (e->key == TK_CTRL('C'))
			tui_do(t, CMD_QUIT, "%s", "");
		else if (e->key == TK_CTRL('Z'))
			tui_do(t, CMD_SUSPEND, "%s", "");
		else if (t->menu_open)
			menu_key(t, e->key);
		else if (t->ask.kind)
			ask_key(t, e->key);
		else
			do_action(t, action_of(e->key, tui_top(t)->id), e->key);
		if (e->key != ' ' && tui_top(t)->playing && action_of(e->key, tui_top(t)->id) != ACT_PLAY_TIME && action_of(e->key, tui_top(t)->id) != ACT_FASTER &&
		    action_of(e->key, tui_top(t)->id) != ACT_SLOWER)
			tui_top(t)->playing = false;
		break;
	}
}

bool tui_plays(const struct tui *t) { return tui_top(t)->playing; }

void tui_search(struct tui *t) { search_from(t, false, true); }
void tui_action(struct tui *t, enum action_id act, int key) { do_action(t, act, key); }
