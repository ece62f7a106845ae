/* A trace, hop by hop: forward and back, the other outcomes, the reply. */
#include "viz/tui/trace_draw.h"

#include <stdio.h>

/* The map shows the way of the outcome that was looked at last. */
static void leave_path(struct tui *t, const struct view *v)
{
	const struct tui_outcome *o = trace_outcome(v);

	t->nr_path = 0;
	for (uint32_t w = 0; w < o->nr_ways; w++)
		for (uint32_t k = 0; k < o->ways[w].nr && t->nr_path < ARRAY_LEN(t->path); k++)
			if (!tui_on_path(t, o->ways[w].hops[k].netns))
				snprintf(t->path[t->nr_path++], sizeof(t->path[0]), "%.319s", o->ways[w].hops[k].netns);
}

static void loaded(struct tui *t, struct view *v) { leave_path(t, v); }

static void choose_outcome(struct view *v, int by)
{
	const struct tui_trace *x = &v->page.trace;
	const struct tui_way *before = trace_way(v), *now;
	uint32_t same = 0;

	v->outcome = (MIN(v->outcome, x->nr - 1) + x->nr + (uint32_t)by) % x->nr;
	v->way = (uint8_t)MIN(v->way, trace_outcome(v)->nr_ways ? trace_outcome(v)->nr_ways - 1u : 0u);
	now = trace_way(v);
	while (same < before->nr && same < now->nr && strcmp(before->hops[same].netns, now->hops[same].netns) == 0 && strcmp(before->hops[same].stage, now->hops[same].stage) == 0)
		same++;
	v->hop = MIN(v->hop, same ? MIN(same, now->nr ? now->nr - 1 : 0) : 0);  /* stays where they agree, else goes to where they part */
}

static void go_there(struct tui *t, const struct view *v)
{
	const struct tui_hop *h = trace_hop(v);

	if (h && (strncmp(h->netns, "pod/", 4) == 0 || strncmp(h->netns, "node/", 5) == 0))
		tui_open_ref(t, h->netns, h->chain ? "rules" : NULL);
	else
		tui_say(t, TR_WARN, "%s is outside of the cluster", h ? h->netns : "this");
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	const struct tui_way *w = trace_way(v);
	bool end = v->hop + 1 >= w->nr;

	(void)key;
	(void)r;
	if (v->explain && (id == ACT_UP || id == ACT_DOWN || id == ACT_PAGE_UP || id == ACT_PAGE_DOWN))
		return tui_move(id, &v->top, trace_hop(v) ? trace_hop(v)->nr_considered : 0, 8);
	switch (id) {
	case ACT_HOP_NEXT: case ACT_DOWN:
		if (!end)
			v->hop++;
		else if (v->playing)
			v->playing = false;
		break;
	case ACT_HOP_BACK: case ACT_UP: v->hop = MIN(v->hop, w->nr ? w->nr - 1 : 0); v->hop -= v->hop > 0; break;
	case ACT_FIRST: v->hop = 0; break;
	case ACT_LAST: v->hop = w->nr ? w->nr - 1 : 0; break;
	case ACT_PAGE_UP: case ACT_PAGE_DOWN: tui_move(id, &v->hop, w->nr, 5); break;
	case ACT_PLAY:
		v->playing = !v->playing;
		if (v->playing && end)
			v->hop = 0;
		t->waited = 0;
		break;
	case ACT_FASTER: t->speed = MAX(t->speed / 2, 60u); break;
	case ACT_SLOWER: t->speed = MIN(t->speed * 2, 8000u); break;
	case ACT_OUTCOME: choose_outcome(v, 1); leave_path(t, v); break;
	case ACT_OUTCOME_BACK: choose_outcome(v, -1); leave_path(t, v); break;
	case ACT_REPLY:
		v->way = (uint8_t)(trace_outcome(v)->nr_ways ? (v->way + 1u) % trace_outcome(v)->nr_ways : 0);
		v->hop = 0;
		break;
	case ACT_EXPLAIN: v->explain = !v->explain; v->follow_field = FOLLOW_NONE; break;
	case ACT_FOLLOW_FIELD: v->follow_field = (uint8_t)((v->follow_field + 1) % FOLLOW_COUNT); v->explain = false; break;
	case ACT_OPEN: go_there(t, v); break;
	case ACT_BACK:
		if (!v->explain && !v->follow_field)
			return false;
		v->explain = false;
		v->follow_field = FOLLOW_NONE;
		break;
	default: return false;
	}
	v->top = 0;
	return true;
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	const struct tui_trace *x = &v->page.trace;
	char words[660];
	char *to;

	(void)t;
	snprintf(words, sizeof(words), "%s", v->want.a);
	to = strchr(words, ' ');
	if (to)
		*to++ = '\0';
	if (!v->page.kind) {
		sb_printf(left, "Trace  %s", v->want.a);
		return;
	}
	if (strncmp(v->want.a, "file:", 5) == 0)
		to = NULL;
	sb_printf(left, "Trace  %s → %s", to ? words : x->from ? x->from : "?", to ? to : x->to ? x->to : "?");
	if (x->protocol)
		sb_printf(left, "  %s", x->protocol);
	if (x->nr > 1)
		sb_printf(right, "outcome %u of %u   p=%s   ", MIN(v->outcome, x->nr - 1) + 1, x->nr, trace_outcome(v)->share);
	sb_printf(right, "%s%s %s", trace_outcome(v)->verdict, trace_outcome(v)->good || strcmp(trace_outcome(v)->verdict, "delivered") != 0 ? "" : ", no answer",
		  glyph(mark_glyph(trace_outcome(v)->good ? TM_READY : strcmp(trace_outcome(v)->verdict, "unknown") == 0 ? TM_PENDING : TM_FAILED)));
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_outcome *o = trace_outcome(v);
	const struct tui_hop *h = trace_hop(v);

	(void)t;
	if (v->playing)
		sb_printf(out, "playing, a hop each %u ms; ", t->speed);
	if (h && h->rule && strstr(h->rule, "numgen"))
		sb_printf(out, "chance decides here: %s; o shows what the other draws would have done", v->page.trace.nr > 1 ? o->share : "one endpoint");
	else if (h && v->hop + 1 >= trace_way(v)->nr && o->reason)
		sb_add(out, o->reason);
	else if (h && h->changed)
		sb_printf(out, "the packet is changed here: %s", h->decision ? h->decision : "");
	else if (o->nr_http)
		sb_add(out, o->http[0]);
	else if (h && h->decision)
		sb_add(out, h->decision);
	else if (o->reason)
		sb_add(out, o->reason);
}

static void selected(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_hop *h = trace_hop(v);

	(void)t;
	if (h && (hop_in_pod(h) || strncmp(h->netns, "node/", 5) == 0))
		sb_add(out, h->netns);
}

static void command_for(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_hop *h = trace_hop(v);

	(void)t;
	if (h && h->command)
		sb_add(out, h->command);
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	const struct tui_way *w = trace_way(v);

	(void)t;
	return i < w->nr && (text_has(w->hops[i].netns, word) || text_has(w->hops[i].stage, word) || (w->hops[i].rule && text_has(w->hops[i].rule, word)));
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return trace_way(v)->nr; }
static void go(struct tui *t, struct view *v, uint32_t i) { (void)t; v->hop = i; v->cursor = i; }

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	int row = y - r.y - 1;

	if (!tui_small(t) && r.w >= 100 && x < 40 && row >= 0 && (uint32_t)row < trace_way(v)->nr)
		v->hop = (uint32_t)row;
}

const struct view_ops view_trace = { .name = "Trace", .draw = trace_draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .command = command_for, .matches = matches,
	.count = count, .go = go, .loaded = loaded };
