/* What happened, over virtual time: lanes above, events below, one cursor for both. The moment at the cursor can be made the present of all other views (a). */
#include "viz/tui/tui.h"

#include <stdio.h>
#include <stdlib.h>

enum { LANE_NAME = 14 };

static const struct tui_timeline *line_of(const struct view *v) { return &v->page.timeline; }
static nsec now_of(const struct view *v) { return v->at == NEVER ? line_of(v)->end : v->at; }

static bool is_filtered(const struct view *v) { return v->only_warnings || *v->filter; }
static uint32_t event_at(const struct view *v, uint32_t k) { return is_filtered(v) ? v->shown[k] : k; }
static uint32_t nr_events(const struct view *v) { return is_filtered(v) ? v->nr_shown : line_of(v)->nr; }

static void event_of(const struct view *v, uint32_t k, struct tui_event_row *out)
{
	*out = (struct tui_event_row){ 0 };
	if (k < nr_events(v))
		line_of(v)->event(line_of(v)->ctx, event_at(v, k), out);
}

/* 1, 2 or 5 of a power of ten. */
static nsec round_up(nsec t)
{
	nsec unit = 1;

	while (unit * 10 <= t)
		unit *= 10;
	return t <= unit ? unit : t <= unit * 2 ? unit * 2 : t <= unit * 5 ? unit * 5 : unit * 10;
}

static nsec default_zoom(const struct view *v, int columns)
{
	const struct tui_timeline *l = line_of(v);

	return round_up(MAX((l->end - l->begin) / MAX(columns, 1) + 1, MILLIS(1)));
}

static nsec zoom_of(const struct view *v, int columns)
{
	return v->per_column ? v->per_column : default_zoom(v, columns);
}

static nsec window_from(const struct view *v, int columns)
{
	const struct tui_timeline *l = line_of(v);
	nsec per = zoom_of(v, columns), all = per * columns, from;

	if (l->end - l->begin <= all)
		return l->begin;
	from = (now_of(v) - all / 2) / per * per;
	return MAX(l->begin, MIN(from, l->end - all + per));
}

/* ---- drawing */

/* A number stands where it begins to be so; dots say that it stays. */
static void number_column(struct cells *c, int x, int y, int room, uint32_t n, uint32_t before, int *busy)
{
	if (*busy > 0) {
		(*busy)--;
	} else if (n && n != before) {
		*busy = cells_printf(c, x, y, MIN(room, 8), TR_SERVICE, "%u", n - 1) - 1;
	} else {
		cells_glyph(c, x, y, TR_DIM, n ? TG_DOT : TG_BLANK);
	}
}

static void lane(const struct view *v, struct cells *c, int x, int y, int columns, uint32_t k)
{
	static const uint8_t bars[] = { TG_DOT, TG_BAR1, TG_BAR2, TG_BAR3, TG_BAR4, TG_BAR5, TG_BAR6, TG_BAR7 };
	const struct tui_timeline *l = line_of(v);
	nsec per = zoom_of(v, columns), from = window_from(v, columns);
	uint32_t before = 0;
	int busy = 0;

	cells_text(c, x, y, LANE_NAME - 1, TR_DIM, l->lanes[k].name);
	for (int i = 0; i < columns; i++) {
		nsec t = from + i * per;
		int at = x + LANE_NAME + i;
		uint32_t n;

		if (t > l->end)
			break;
		n = l->lane(l->ctx, k, t, t + per);
		switch (l->lanes[k].form) {
		case LANE_BARS: cells_glyph(c, at, y, n ? TR_SERVICE : TR_DIM, (enum tui_glyph)bars[n ? MIN(1 + n * 6 / 1000, 7u) : 0]); break;
		case LANE_NUMBERS: number_column(c, at, y, columns - i, n, before, &busy); break;
		case LANE_LINE: cells_glyph(c, at, y, n == 1 ? TR_BAD : TR_ROUTING, n == 2 ? TG_DOUBLE_H : n ? TG_DASHED_H : TG_BLANK); break;
		case LANE_WARNS: cells_glyph(c, at, y, TR_BAD, n ? TG_FAILED : TG_BLANK); break;
		case LANE_MARKS: cells_glyph(c, at, y, TR_PACKET, n > 9 ? TG_READY : n ? TG_DOT : TG_BLANK); break;
		}
		before = n;
	}
}

static void mark(const struct view *v, struct cells *c, int x, int y, int columns, nsec t, uint32_t ch, unsigned style)
{
	nsec per = zoom_of(v, columns), from = window_from(v, columns);

	if (t != NEVER && t >= from && t < from + per * columns)
		cells_put(c, x + LANE_NAME + (int)((t - from) / per), y, style, ch);
}

static void scale(const struct view *v, struct cells *c, int x, int y, int columns)
{
	nsec per = zoom_of(v, columns), from = window_from(v, columns);

	for (int i = 0; i + 6 < columns; i += 10) {
		char at[32];

		time_short(from + i * per, at);
		cells_text(c, x + LANE_NAME + i, y, 9, TR_DIM, at);
	}
	mark(v, c, x, y + 1, columns, now_of(v), '^', TR_KEY | TA_BOLD);
	mark(v, c, x, y + 1, columns, v->mark_a, 'A', TR_CHANGED | TA_BOLD);
	mark(v, c, x, y + 1, columns, v->mark_b, 'B', TR_CHANGED | TA_BOLD);
}

static void per_text(nsec per, char out[32])
{
	if (per < SECONDS(1))
		snprintf(out, 32, "%" PRId64 " ms", per / MILLIS(1));
	else
		snprintf(out, 32, "%" PRId64 " s", per / SECONDS(1));
}

static void event_line(const struct view *v, struct cells *c, struct rect r, int y, uint32_t k)
{
	struct tui_event_row e;
	int x = r.x + 2;
	bool wide = r.w >= 98;

	event_of(v, k, &e);
	if (k == v->cursor)
		cells_glyph(c, r.x, y, TR_CURSOR | TA_BOLD, TG_CURSOR);
	cells_printf(c, x, y, 10, TR_TEXT, "%9.3f", (double)e.at / 1e9);
	x += 11;
	if (wide) {
		cells_text(c, x, y, 8, e.warning ? TR_WARN : TR_DIM, e.warning ? "Warning" : "Normal");
		x += 9;
	} else {
		cells_text(c, x, y, 1, TR_WARN | TA_BOLD, e.warning ? "!" : " ");
		x += 2;
	}
	cells_text(c, x, y, wide ? 20 : 19, e.warning ? TR_WARN : TR_TEXT, e.reason ? e.reason : "");
	x += wide ? 21 : 20;
	cells_middle(c, x, y, wide ? 24 : 18, TR_TEXT, e.object ? e.object : "");
	x += wide ? 25 : 19;
	cells_text(c, x, y, r.x + r.w - x, TR_TEXT, e.message ? e.message : "");
	if (k == v->cursor)
		cells_attr(c, (struct rect){ r.x, y, r.w, 1 }, TA_REVERSE);
}

static int lanes_height(const struct tui *t, const struct view *v, struct rect r)
{
	return tui_small(t) ? 0 : (int)MIN(line_of(v)->nr_lanes, r.w < 100 ? 4u : 7u) + (r.w < 100 ? 3 : 4);
}

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_timeline *l = line_of(v);
	int h = lanes_height(t, v, r), columns = r.w - LANE_NAME - 4, x = r.x + 2, y = r.y;
	char per[32], right[80];
	struct rect list = { r.x, r.y + h, r.w, r.h - h };

	per_text(zoom_of(v, columns), per);
	snprintf(right, sizeof(right), "1 column = %s", per);
	if (h && r.w >= 100) {
		cells_box(c, (struct rect){ r.x, r.y, r.w, h }, BOX_LIGHT, TR_BORDER, "timeline", right);
		y++;
	}
	for (uint32_t k = 0; h && k < MIN(l->nr_lanes, r.w < 100 ? 4u : 7u); k++)
		lane(v, c, x, y++, columns, k);
	if (h)
		scale(v, c, x, y, columns);
	if (r.w >= 100) {
		snprintf(right, sizeof(right), "%u of %u", nr_events(v) ? v->cursor + 1 : 0, nr_events(v));
		cells_box(c, list, BOX_LIGHT, TR_BORDER, v->only_warnings ? "warnings" : "events", right);
		list = rect_inner(list);
		cells_printf(c, list.x + 2, list.y, list.w - 2, TR_HEAD | TA_BOLD, "%9s  %-8s %-20s %-24s %s", "t", "type", "reason", "object", "message");
		list.y++;
		list.h--;
	} else if (h) {
		cells_run(c, r.x, list.y - 1, r.w, TR_BORDER, TG_H);
	}
	for (uint32_t k = v->top; k < nr_events(v) && (int)(k - v->top) < list.h; k++)
		event_line(v, c, list, list.y + (int)(k - v->top), k);
	if (!nr_events(v))
		cells_text(c, list.x + 2, list.y, list.w - 4, TR_DIM, !l->nr ? "nothing has happened yet: . goes to what is due next, + lets time pass" : *v->filter ? "no event says that; F4 changes the filter" : "no warnings; w shows all events");
}

/* ---- acting */

static uint32_t list_rows(const struct tui *t, const struct view *v, struct rect r)
{
	return (uint32_t)MAX(1, r.h - lanes_height(t, v, r) - (r.w >= 100 ? 3 : 0));
}

static void cursor_to(struct tui *t, struct view *v, nsec at)
{
	uint32_t i = line_of(v)->first(line_of(v)->ctx, at), k = 0;

	if (is_filtered(v)) {
		while (k < v->nr_shown && v->shown[k] < i)
			k++;
		i = k;
	}
	v->cursor = MIN(v->at == NEVER ? UINT32_MAX : i, nr_events(v) ? nr_events(v) - 1 : 0);
	tui_keep_seen(&v->top, v->cursor, nr_events(v), list_rows(t, v, tui_body(t)));
}

static void time_to_cursor(struct view *v)
{
	struct tui_event_row e;

	event_of(v, v->cursor, &e);
	v->at = v->cursor + 1 >= nr_events(v) ? NEVER : e.at;
}

static bool says(const struct tui_event_row *e, const char *word)
{
	return (e->object && text_has(e->object, word)) || (e->reason && text_has(e->reason, word)) || (e->message && text_has(e->message, word));
}

static bool passes(const struct view *v, const struct tui_event_row *e)
{
	return !*v->filter || (*v->filter == '!' ? !says(e, v->filter + 1) : says(e, v->filter));
}

static void shown_again(struct tui *t, struct view *v)
{
	const struct tui_timeline *l = line_of(v);
	struct tui_event_row e;

	v->nr_shown = 0;
	if (is_filtered(v)) {
		free(v->shown);
		v->shown = malloc(sizeof(*v->shown) * (l->nr + 1));
		if (!v->shown)
			abort();
		for (uint32_t k = 0; k < l->nr; k++) {
			if (v->only_warnings && l->warns && !l->warns(l->ctx, k))
				continue;
			if (l->warns && !*v->filter) {
				v->shown[v->nr_shown++] = k;
				continue;
			}
			l->event(l->ctx, k, &e);
			if ((e.warning || !v->only_warnings) && passes(v, &e))
				v->shown[v->nr_shown++] = k;
		}
	}
	cursor_to(t, v, now_of(v));
}

static uint32_t warnings_in(const struct view *v, uint32_t from, uint32_t to)
{
	uint32_t nr = 0;
	struct tui_event_row e;

	for (; from < to; from++) {
		if (!line_of(v)->warns)
			line_of(v)->event(line_of(v)->ctx, from, &e);
		nr += line_of(v)->warns ? line_of(v)->warns(line_of(v)->ctx, from) : e.warning;
	}
	return nr;
}

void events_refilter(struct tui *t, struct view *v) { shown_again(t, v); }

static void set_mark(struct tui *t, struct view *v)
{
	char a[32], b[32], by[32];
	uint32_t from, to;

	if (v->mark_a == NEVER || v->mark_b != NEVER) {
		v->mark_a = now_of(v);
		v->mark_b = NEVER;
		time_short(v->mark_a, a);
		tui_say(t, TR_KEY, "marked A at %s; Space again marks B", a);
		return;
	}
	v->mark_b = now_of(v);
	if (v->mark_b < v->mark_a) {
		nsec x = v->mark_a;

		v->mark_a = v->mark_b;
		v->mark_b = x;
	}
	time_short(v->mark_a, a);
	time_short(v->mark_b, b);
	time_short(v->mark_b - v->mark_a, by);
	from = line_of(v)->first(line_of(v)->ctx, v->mark_a);
	to = line_of(v)->first(line_of(v)->ctx, v->mark_b + 1);
	tui_say(t, TR_TEXT, "marked A %s → B %s: %s, %u events, %u of them warnings", a, b, by, to - from, warnings_in(v, from, to));
}

static void open_event(struct tui *t, const struct view *v)
{
	struct tui_event_row e;

	event_of(v, v->cursor, &e);
	if (e.ref)
		tui_open_ref(t, e.ref, NULL);
	else
		tui_say(t, TR_DIM, "what it was about is not there any more");
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	const struct tui_timeline *l = line_of(v);
	int columns = r.w - LANE_NAME - 4;
	nsec per = zoom_of(v, columns);

	(void)key;
	switch (id) {
	case ACT_SOONER: case ACT_LATER: {
		nsec at = now_of(v) + (id == ACT_LATER ? per : -per);

		v->at = at >= l->end ? NEVER : MAX(at, l->begin);
		if (v->at == NEVER)
			v->playing = false;
		v->follow = v->at == NEVER;
		cursor_to(t, v, now_of(v));
		return true;
	}
	case ACT_ZOOM_OUT: v->per_column = round_up(MIN(per * 2, SECONDS(86400))); return true;
	case ACT_ZOOM_IN: v->per_column = MAX(MILLIS(1), per == round_up(per / 2) ? per / 5 : round_up(per / 2)); return true;
	case ACT_FOLLOW: v->follow = !v->follow; if (v->follow) { v->at = NEVER; cursor_to(t, v, l->end); } return true;
	case ACT_WARNINGS: v->only_warnings = !v->only_warnings; shown_again(t, v); return true;
	case ACT_MARK: set_mark(t, v); return true;
	case ACT_PLAY_TIME:
		v->playing = !v->playing;
		if (v->playing && now_of(v) >= l->end) {
			v->at = l->begin;
			cursor_to(t, v, v->at);
		}
		t->waited = 0;
		t->speed = MIN(t->speed, 250u);
		return true;
	case ACT_FASTER: t->speed = MAX(t->speed / 2, 30u); return true;
	case ACT_SLOWER: t->speed = MIN(t->speed * 2, 8000u); return true;
	case ACT_AT:
		tui_do(t, CMD_SEEK, "%.9fs", (double)now_of(v) / 1e9);
		return true;
	case ACT_OPEN: open_event(t, v); return true;
	default:
		if (!tui_move(id, &v->cursor, nr_events(v), list_rows(t, v, r)))
			return false;
	}
	time_to_cursor(v);
	v->follow = v->at == NEVER;
	tui_keep_seen(&v->top, v->cursor, nr_events(v), list_rows(t, v, r));
	return true;
}

static void loaded(struct tui *t, struct view *v)
{
	if (v->follow)
		v->at = NEVER;
	shown_again(t, v);
}

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	int h = lanes_height(t, v, r), columns = r.w - LANE_NAME - 4, row = y - r.y - h - (r.w >= 100 ? 2 : 0);

	if (y < r.y + h && x >= r.x + 2 + LANE_NAME && x < r.x + 2 + LANE_NAME + columns) {
		v->at = MIN(window_from(v, columns) + zoom_of(v, columns) * (x - r.x - 2 - LANE_NAME), line_of(v)->end);
		cursor_to(t, v, v->at);
	} else if (row >= 0 && v->top + (uint32_t)row < nr_events(v)) {
		v->cursor = v->top + (uint32_t)row;
		time_to_cursor(v);
	}
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	char at[32];

	(void)t;
	sb_add(left, "Events");
	if (!v->page.kind)
		return;
	time_short(now_of(v), at);
	sb_printf(left, "   at t=%s", at);
	if (is_filtered(v))
		sb_printf(right, "filter: %s%s%s    ", v->only_warnings ? "warnings" : "", v->only_warnings && *v->filter ? ", " : "", v->filter);
	sb_printf(right, "%s", v->playing ? "playing ►" : v->follow ? "following ▼" : "");
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	struct rect r = tui_body(t);
	const struct tui_timeline *l = line_of(v);
	const char *bad = l->say && v->page.kind ? l->say(l->ctx, now_of(v), now_of(v) + zoom_of(v, MAX(r.w - LANE_NAME - 4, 1))) : NULL;
	struct tui_event_row e;

	event_of(v, v->cursor, &e);
	if (e.message)
		sb_printf(out, "%s: %s", e.object ? e.object : "", e.message);
	if (bad)
		sb_printf(out, "%slost at that time: %s", out->len ? "  ·  " : "", bad);
}

static void selected(const struct tui *t, const struct view *v, struct sb *out)
{
	struct tui_event_row e;

	(void)t;
	event_of(v, v->cursor, &e);
	if (e.ref)
		sb_add(out, e.ref);
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	struct tui_event_row e;

	(void)t;
	event_of(v, i, &e);
	return says(&e, word);
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return nr_events(v); }

static void go(struct tui *t, struct view *v, uint32_t i)
{
	v->cursor = i;
	time_to_cursor(v);
	tui_keep_seen(&v->top, i, nr_events(v), list_rows(t, v, tui_body(t)));
}

const struct view_ops view_events = { .name = "Events", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .matches = matches, .count = count, .go = go,
	.loaded = loaded };
