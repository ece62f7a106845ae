/* A scenario as a lesson: what is said, what was expected and what happened, where, and a question. A wrong answer shows why, and one may look around: the other
 * views show the lesson's cluster while it is open. */
#include "viz/tui/tui.h"

#include <stdio.h>

static const struct tui_lesson *lesson_of(const struct view *v) { return &v->page.lesson; }

struct ink { bool bold, code, stressed; };

/* Is there a sign here that changes the ink? → its length; 0: it is text, as the star of *.example.com. */
static size_t ink_sign(const char *s, struct ink *ink)
{
	const char *to;

	if (*s == '`') {
		ink->code = !ink->code;
		return 1;
	}
	if (*s != '*' || ink->code)
		return 0;
	if (s[1] == '*') {
		ink->bold = !ink->bold;
		return 2;
	}
	to = s + 1 + strcspn(s + 1, "*\n");
	if (!ink->stressed && (*to != '*' || to == s + 1 || s[1] == ' ' || to[-1] == ' '))
		return 0;
	ink->stressed = !ink->stressed;
	return 1;
}

static bool begins_item(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return *s == ' ' || ((*s == '-' || *s == '*') && s[1] == ' ') || (digits && s[digits] == '.');
}

/* Markdown of the simple kind: paragraphs, lists, `code`, *stress*, **bold**. Measures if c is NULL. → lines used. */
static int words(struct cells *c, struct rect r, const char *s, int skip)
{
	int x = 0, y = 0;
	struct ink ink = { 0 };
	bool fresh = true;

	while (*s) {
		const char *end = s;
		int width = 0, w;
		uint32_t ch;

		if (*s == '\n') {
			bool para = s[1] == '\n', item = begins_item(s + 1);

			if (para || item) {
				y += x > 0;
				x = 0;
				y += para;
				s += 1 + para;
				while (*s == '\n')
					s++;
				fresh = true;
			} else {
				s++;
			}
			continue;
		}
		if (*s == ' ') {
			s++;
			if (fresh && !x)
				x++;
			continue;
		}
		for (struct ink i = ink; *end && *end != ' ' && *end != '\n';) {
			size_t n = ink_sign(end, &i);

			if (!n) {
				n = text_next(end, &ch, &w);
				width += w;
			}
			end += n;
		}
		if (x && !fresh && x + 1 + width > r.w) {
			y++;
			x = 0;
		} else if (x && !fresh) {
			x++;
		}
		while (s < end) {
			size_t n = ink_sign(s, &ink);

			if (n) {
				s += n;
				continue;
			}
			n = text_next(s, &ch, &w);
			if (x + w > r.w) {
				y++;
				x = 0;
			}
			if (c && y >= skip && y - skip < r.h)
				cells_put(c, r.x + x, r.y + y - skip, (ink.code ? TR_PACKET : TR_TEXT) | (ink.bold ? TA_BOLD : 0u) | (ink.stressed ? TA_UNDER : 0u), ch);
			x += w;
			s += n;
		}
		fresh = false;
	}
	return y + (x > 0);
}

static unsigned state_style(const struct tui_lesson *l, uint32_t k, const char **sign)
{
	*sign = k == l->step ? glyph(TG_CURSOR) : l->steps[k].state == 1 ? glyph(TG_CHECK) : l->steps[k].state == 2 ? glyph(TG_FAILED) : " ";
	return k == l->step ? TR_TEXT | TA_BOLD : l->steps[k].state == 1 ? TR_GOOD : l->steps[k].state == 2 ? TR_BAD : TR_DIM;
}

static void steps_column(const struct tui_lesson *l, struct cells *c, struct rect *r)
{
	uint32_t top = l->step > 5 ? l->step - 5 : 0;

	for (uint32_t k = top; k < l->nr_steps && (int)(k - top) < MIN(8, r->h / 3); k++) {
		const char *sign;
		unsigned style = state_style(l, k, &sign);

		cells_text(c, r->x, r->y, 2, style, sign);
		cells_printf(c, r->x + 2, r->y, r->w - 2, style, "%u %s", k + 1, l->steps[k].name);
		r->y++;
		r->h--;
	}
	r->y++;
	r->h--;
}

static void steps_row(const struct tui_lesson *l, struct cells *c, int x, int y, int w)
{
	int at = x;

	for (uint32_t k = 0; k < l->nr_steps && at < x + w - 4; k++) {
		const char *sign;
		unsigned style = state_style(l, k, &sign);

		at += cells_printf(c, at, y, x + w - at, style, "%s%u ", *sign == ' ' ? "" : sign, k + 1);
		if (k == l->step)
			at += cells_printf(c, at, y, MAX(0, x + w - at - 4 * (int)(l->nr_steps - k)), style, "%s  ", l->steps[k].name);
	}
}

/* → lines used. */
static int plain_lines(struct cells *c, int x, int y, int w, int lines, const char *s)
{
	int used = 0;

	for (; *s && used < lines; used++) {
		char line[1024];
		const char *end = text_break(s, w);
		size_t n = used + 1 < lines ? (size_t)(end - s) : strlen(s);

		while (used + 1 < lines && n && s[n - 1] == ' ')
			n--;
		snprintf(line, sizeof(line), "%.*s", (int)n, s);
		cells_text(c, x, y + used, w, TR_TEXT, line);
		s = end;
	}
	return MAX(used, 1);
}

static int checks(const struct tui_lesson *l, struct cells *c, struct rect r, int y)
{
	for (uint32_t k = 0; k < l->nr_checks && y < r.y + r.h; k++) {
		const struct tui_check *x = &l->checks[k];

		cells_glyph(c, r.x + 1, y, x->ok ? TR_GOOD : TR_BAD, x->ok ? TG_CHECK : TG_FAILED);
		y += plain_lines(c, r.x + 3, y, r.w - 3, MIN(2, r.y + r.h - y), x->expected ? x->expected : x->actual);
		if (!x->ok && x->expected && y < r.y + r.h)
			cells_printf(c, r.x + 3, y++, r.w - 3, TR_BAD, "got: %s", x->actual ? x->actual : "");
	}
	return y;
}

static void tell(const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_lesson *l = lesson_of(v);
	int lines = words(NULL, r, l->say ? l->say : "", 0), y;
	char took[32];

	words(c, r, l->say ? l->say : "", (int)v->top);
	y = r.y + MAX(0, lines - (int)v->top) + 1;
	for (uint32_t k = 0; k < l->nr_task && y < r.y + r.h; k++) {
		struct rect line = { r.x + 7, y, r.w - 7, r.y + r.h - y };

		if (l->solved || (l->reached && l->reached[k]))
			cells_glyph(c, r.x, y, TR_GOOD | TA_BOLD, TG_CHECK);
		if (!l->solved)
			cells_text(c, r.x + 2, y, 4, TR_KEY | TA_BOLD, k ? "and" : "task");
		y += MAX(words(NULL, line, l->task[k], 0), 1);
		words(c, line, l->task[k], 0);
	}
	if (l->nr_task && y < r.y + r.h)
		cells_text(c, r.x + 7, y++, r.w - 7, l->solved ? TR_GOOD : TR_DIM, !l->solved ? ":apply, :patch, :delete … do it" : l->step + 1 < l->nr_steps ? "done; → goes on" : "done; L shows the other lessons");
	y = checks(l, c, r, y);
	if (l->took && y + 1 < r.y + r.h) {
		time_short(l->took, took);
		cells_printf(c, r.x, y + 1, r.w, TR_DIM, "time passed in this step: %s", took);
	}
}

static void question(const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_lesson *l = lesson_of(v);
	struct rect in = rect_inner(r);
	int y = in.y;

	cells_box(c, r, BOX_HEAVY, TR_FOCUS, l->question ? "question" : "hints", NULL);
	in.x++;
	in.w -= 2;
	if (l->question) {
		y += words(NULL, in, l->question, 0);
		words(c, in, l->question, 0);
		y++;
	}
	for (uint32_t k = 0; k < l->nr_choices && y < in.y + in.h; k++) {
		struct rect line = { in.x + 4, y, in.w - 4, in.y + in.h - y };
		bool right = v->answered && l->answer == k + 1, wrong = v->answered && v->chosen == k + 1 && l->answer && l->answer != k + 1;

		cells_printf(c, in.x + 1, y, 3, right ? TR_GOOD | TA_BOLD : wrong ? TR_BAD | TA_BOLD : TR_KEY, "%s%u", v->chosen == k + 1 ? glyph(TG_CURSOR) : " ", k + 1);
		y += MAX(1, words(NULL, line, l->choices[k], 0));
		words(c, line, l->choices[k], 0);
	}
	y++;
	if (l->question && y < in.y + in.h && !v->answered)
		cells_printf(c, in.x, y++, in.w, TR_TEXT, "your answer: %s", v->chosen ? (char[]){ (char)('0' + v->chosen), 0 } : "_");
	if (v->answered && y < in.y + in.h) {
		bool right = !l->answer || v->chosen == l->answer;
		struct rect why = { in.x, y + 1, in.w, in.y + in.h - y - 1 };

		cells_printf(c, in.x, y, in.w, right ? TR_GOOD | TA_BOLD : TR_BAD | TA_BOLD, "%s", right ? "✓ right" : "✕ not so");
		y += 1 + words(NULL, why, l->why ? l->why : "", 0);
		words(c, why, l->why ? l->why : "", 0);
	}
	for (uint32_t k = 0; k < MIN(v->hints, l->nr_hints) && y < in.y + in.h; k++) {
		struct rect line = { in.x + 6, y, in.w - 6, in.y + in.h - y };

		cells_text(c, in.x, y, 6, TR_STORAGE, "hint");
		y += words(NULL, line, l->hints[k], 0);
		words(c, line, l->hints[k], 0);
	}
}

static int lines_of(const char *s, int w) { return words(NULL, (struct rect){ 0, 0, w, 1000 }, s ? s : "", 0); }

/* What the question needs, with its border, in a box of that width. */
static int question_height(const struct view *v, int w)
{
	const struct tui_lesson *l = lesson_of(v);
	int h = 3;                              /* the border, and a line before the answer */

	w = MAX(w - 4, 10);
	if (l->question)
		h += lines_of(l->question, w) + 1;
	for (uint32_t k = 0; k < l->nr_choices; k++)
		h += MAX(1, lines_of(l->choices[k], w - 4));
	if (v->answered)
		h += 1 + lines_of(l->why, w);
	else if (l->question)
		h++;
	for (uint32_t k = 0; k < MIN(v->hints, l->nr_hints); k++)
		h += lines_of(l->hints[k], w - 6);
	return h;
}

static bool has_question(const struct view *v) { return lesson_of(v)->question || v->hints; }

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_lesson *l = lesson_of(v);
	struct rect left = { r.x, r.y, r.w / 2, r.h }, right = { r.x + r.w / 2, r.y, r.w - r.w / 2, r.h }, in;
	int q;

	if (r.w < 100) {
		steps_row(l, c, r.x + 1, r.y, r.w - 2);
		q = has_question(v) && !tui_small(t) ? MIN(question_height(v, r.w), r.h - 1 - MIN(7, r.h / 3)) : 0;
		left = (struct rect){ r.x, r.y + 1, r.w, r.h - 1 - q };
		if (tui_small(t) && l->question && v->pane)
			q = r.h - 1, left.h = 0;
		cells_box(c, left, BOX_LIGHT, TR_BORDER, l->title, NULL);
		in = rect_inner(left);
		in.x++;
		in.w -= 2;
		tell(v, c, in);
		if (q)
			question(v, c, (struct rect){ r.x, r.y + r.h - q, r.w, q });
		return;
	}
	cells_box(c, left, BOX_LIGHT, TR_BORDER, l->title, NULL);
	in = rect_inner(left);
	in.x++;
	in.w -= 2;
	steps_column(l, c, &in);
	tell(v, c, in);
	q = has_question(v) ? MIN(MAX(question_height(v, right.w), r.h - (int)l->place.nr - 2), r.h) : 0;
	if (r.h - q > 2) {
		struct rect place = { right.x, right.y, right.w, right.h - q };

		cells_box(c, place, BOX_LIGHT, TR_BORDER, l->place.title ? l->place.title : "where", NULL);
		draw_lines(c, rect_inner(place), &l->place, 0, -1, NULL);
	}
	if (q)
		question(v, c, (struct rect){ right.x, right.y + right.h - q, right.w, q });
}

static void to_step(struct tui *t, struct view *v, int step)
{
	v->want.n = step;
	v->chosen = v->hints = v->top = 0;
	v->answered = false;
	tui_do(t, CMD_LOAD, "%s", "");
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	const struct tui_lesson *l = lesson_of(v);

	(void)r;
	switch (id) {
	case ACT_CHOOSE:
		if (v->answered && (!l->answer || v->chosen == l->answer))
			return true;
		if ((uint32_t)(key - '0') <= l->nr_choices) {
			v->chosen = (uint32_t)(key - '0');
			v->answered = false;
		}
		return true;
	case ACT_OPEN:
		if (l->question && !v->answered && (v->chosen || !l->nr_choices)) {
			v->answered = true;
			tui_do(t, CMD_NOTE, "answer %u %s", v->chosen, !l->answer || v->chosen == l->answer ? "right" : "wrong");
		} else if (l->question && !v->answered)
			tui_say(t, TR_WARN, "choose an answer first: 1 to %u", l->nr_choices);
		else if (l->step + 1 < l->nr_steps)
			to_step(t, v, (int)l->step + 1);
		return true;
	case ACT_STEP_NEXT:
		if (l->step + 1 < l->nr_steps || (l->nr_task && !l->solved && l->shows)) {
			if (l->nr_task && !l->solved && l->shows)
				tui_say(t, TR_WARN, "the task was done for you; %s", l->step + 1 < l->nr_steps ? "← goes back to do it yourself" : "R begins again, to do it yourself");
			to_step(t, v, (int)l->step + 1);
		} else {
			tui_say(t, TR_GOOD, "this was the last step");
		}
		return true;
	case ACT_STEP_BACK: if (l->step) to_step(t, v, (int)l->step - 1); return true;
	case ACT_RESTART:
		tui_do(t, CMD_NOTE, "restart");
		tui_do(t, CMD_LEAVE, "%s", "");         /* else the first step would keep its cluster as it was changed */
		to_step(t, v, 0);
		return true;
	case ACT_HINT:
		if (v->hints < l->nr_hints)
			tui_do(t, CMD_NOTE, "hint %u", ++v->hints);
		else
			tui_say(t, TR_DIM, l->nr_hints ? "no more hints" : "this step has no hint");
		return true;
	case ACT_NEXT_PANE: case ACT_PREV_PANE: v->pane = !v->pane; return true;
	case ACT_UP: v->top -= v->top > 0; return true;
	case ACT_DOWN: v->top += v->top + 3 < (uint32_t)words(NULL, (struct rect){ 0, 0, MAX(r.w / (r.w < 100 ? 1 : 2) - 4, 10), 1000 }, l->say ? l->say : "", 0); return true;
	case ACT_FIRST: to_step(t, v, 0); return true;
	case ACT_LAST: if (l->nr_steps) to_step(t, v, (int)l->nr_steps - 1); return true;
	default: return false;
	}
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	const struct tui_lesson *l = lesson_of(v);

	(void)t;
	sb_add(left, "Learn");
	if (!v->page.kind)
		return;
	sb_printf(left, " › %s", l->path ? l->path : v->want.a);
	sb_printf(right, "step %u of %u", l->nr_steps ? l->step + 1 : 0, l->nr_steps);
	if (l->answered)
		sb_printf(right, "   %u answered", l->answered);
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_lesson *l = lesson_of(v);

	(void)t;
	if (l->question && !v->answered)
		sb_printf(out, l->nr_choices ? "1 to %u chooses, Enter answers; t, v and m look around in this cluster" : "think, then Enter answers; t, v and m look around in this cluster", l->nr_choices);
	else if (v->answered && l->answer && v->chosen != l->answer)
		sb_add(out, "choose again, or → goes on");
	else if (l->nr_task && !l->solved)
		sb_printf(out, "change the cluster (:apply, :patch …) until the task is done; e hints%s", l->shows ? ", → does it for you" : "");
	else if (l->step + 1 < l->nr_steps)
		sb_add(out, l->nr_task ? "the task is done; → goes on" : "→ goes on");
	else
		sb_add(out, "the last step: q leaves the lesson, R begins it again, L shows the others");
}

/* A lesson goes on where it was left, with what was answered there. */
static void loaded(struct tui *t, struct view *v)
{
	const struct tui_lesson *l = lesson_of(v);

	(void)t;
	v->want.n = (int)l->step;
	if (!v->answered && !v->chosen && l->given) {
		v->chosen = l->given;
		v->answered = true;
	}
	v->hints = MAX(v->hints, MIN(l->hints_seen, l->nr_hints));
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	(void)t;
	return i < lesson_of(v)->nr_steps && lesson_of(v)->steps[i].name && text_has(lesson_of(v)->steps[i].name, word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return lesson_of(v)->nr_steps; }
static void go(struct tui *t, struct view *v, uint32_t i) { v->cursor = i; to_step(t, v, (int)i); }

const struct view_ops view_lesson = { .name = "Lesson", .draw = draw, .act = act, .where = where, .say = say, .matches = matches, .count = count, .go = go, .loaded = loaded };
