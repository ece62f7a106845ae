/* A trace, hop by hop: the hops, the place of each on a small map with the way already gone drawn double, and the hop itself: rule, verdict, the packet before and
 * after, what made the rule, what to type on a real node. Shows one answer and nothing else. */
#include "viz/tui/trace_draw.h"

#include <stdio.h>

const struct tui_outcome *trace_outcome(const struct view *v)
{
	const struct tui_trace *x = &v->page.trace;

	return &x->outcomes[MIN(v->outcome, x->nr - 1)];
}

const struct tui_way *trace_way(const struct view *v)
{
	static const struct tui_way none = { .name = "" };
	const struct tui_outcome *o = trace_outcome(v);

	return o->nr_ways ? &o->ways[MIN(v->way, o->nr_ways - 1)] : &none;
}

const struct tui_hop *trace_hop(const struct view *v)
{
	const struct tui_way *w = trace_way(v);

	return w->nr ? &w->hops[MIN(v->hop, w->nr - 1)] : NULL;
}

bool hop_in_pod(const struct tui_hop *h) { return strncmp(h->netns, "pod/", 4) == 0; }

/* The last hop of the way there bears the verdict. */
static uint8_t hop_mark(const struct view *v, uint32_t k)
{
	const struct tui_outcome *o = trace_outcome(v);

	if (k + 1 < trace_way(v)->nr)
		return TM_READY;
	return o->good || (v->way + 1u < o->nr_ways && strcmp(o->verdict, "delivered") == 0) ? TM_READY : strcmp(o->verdict, "unknown") == 0 ? TM_PENDING : TM_FAILED;
}

/* ---- hops */

static void hop_line(const struct view *v, struct cells *c, struct rect r, uint32_t k, int number)
{
	const struct tui_hop *h = &trace_way(v)->hops[k];
	int stage = MIN(13, r.w / 3), name = r.w - 7 - stage;
	bool sel = k == MIN(v->hop, trace_way(v)->nr - 1);
	const char *netns = h->netns, *slash = strrchr(netns, '/');

	if (sel)
		cells_glyph(c, r.x, r.y, TR_CURSOR | TA_BOLD, TG_CURSOR);
	cells_printf(c, r.x + 1, r.y, 2, TR_DIM, "%2d", number);
	cells_glyph(c, r.x + 4, r.y, mark_role(hop_mark(v, k)), mark_glyph(hop_mark(v, k)));
	if (slash && text_width(netns) > name && strncmp(netns, "pod/", 4) == 0)
		netns = slash + 1;
	cells_middle(c, r.x + 6, r.y, name, TR_TEXT | (sel ? TA_BOLD : 0), netns);
	cells_text(c, r.x + 7 + name, r.y, stage, h->changed ? TR_CHANGED : TR_DIM, h->stage);
	if (sel)
		cells_attr(c, r, TA_REVERSE);
}

static void hops(const struct view *v, struct cells *c, struct rect r, int columns)
{
	const struct tui_way *w = trace_way(v);
	struct rect in = rect_inner(r);
	int rows = in.h, width = in.w / columns;
	uint32_t fits = (uint32_t)(rows * columns), top = v->hop >= fits ? v->hop - fits + 1 : 0;
	char of[48], title[48];

	snprintf(title, sizeof(title), "hops%s%s", strcmp(w->name, "there") == 0 ? "" : ": ", strcmp(w->name, "there") == 0 ? "" : w->name);
	snprintf(of, sizeof(of), "%u of %u", w->nr ? MIN(v->hop, w->nr - 1) + 1 : 0, w->nr);
	cells_box(c, r, BOX_LIGHT, TR_BORDER, title, of);
	for (uint32_t k = top; k < w->nr && k < top + fits; k++) {
		int col = (int)(k - top) / rows, row = (int)(k - top) % rows;

		hop_line(v, c, (struct rect){ in.x + col * width, in.y + row, width - (columns > 1 && col + 1 < columns), 1 }, k, (int)k + 1);
	}
}

/* Other ways and other outcomes, below the hops. */
static void other_ways(const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_outcome *o = trace_outcome(v);
	const struct tui_trace *x = &v->page.trace;
	int at = r.x + 1, y = r.y;

	for (uint32_t k = 0; k < o->nr_ways && y < r.y + r.h; k++)
		if (k != v->way) {
			cells_printf(c, at, y++, r.w - 1, TR_DIM, "r %s: %u hops", o->ways[k].name, o->ways[k].nr);
			break;
		}
	if (x->nr < 2 || y >= r.y + r.h)
		return;
	at += cells_text(c, at, y, r.w, TR_DIM, "o other draws:");
	for (uint32_t k = 0; k < x->nr && at < r.x + r.w - 6; k++) {
		const char *end = strrchr(x->outcomes[k].end, '/');

		if (k != MIN(v->outcome, x->nr - 1))
			at += cells_printf(c, at, y, r.x + r.w - at, TR_DIM, " %u %s %s", k + 1, end ? end + 1 : x->outcomes[k].end, x->outcomes[k].share);
	}
}

/* ---- the hop */

/* Breaks at blanks; → lines used. */
static int wrapped(struct cells *c, int x, int y, int w, int lines, unsigned style, const char *text)
{
	int used = 0;

	while (*text && used < lines) {
		const char *end = text, *blank = NULL;
		char line[1024];
		uint32_t ch;
		int width, sum = 0;

		for (size_t n; (n = text_next(end, &ch, &width)) > 0 && sum + width <= w; end += n) {
			sum += width;
			if (ch == ' ')
				blank = end;
		}
		if (*end && blank && blank > text && used + 1 < lines)
			end = blank;
		if (used + 1 == lines) {
			cells_text(c, x, y + used, w, style, text);
			return lines;
		}
		snprintf(line, sizeof(line), "%.*s", (int)MIN((size_t)(end - text), sizeof(line) - 1), text);
		cells_text(c, x, y + used++, w, style, line);
		text = end + strspn(end, " ");
	}
	return used;
}

static void field(struct cells *c, int x, int y, int w, const char *was, const char *is, bool after)
{
	bool differs = is && was && strcmp(was, is) != 0;
	int used = cells_text(c, x, y, w, after && differs ? TR_CHANGED | TA_BOLD : TR_TEXT, after ? is : was);

	if (after && differs)
		cells_run(c, x, y + 1, used, TR_CHANGED, TG_UNDER);
}

static void packets(const struct tui_hop *h, struct cells *c, int x, int y, int w)
{
	int wide = MIN(MAX(23, MAX(text_width(h->before.src ? h->before.src : ""), text_width(h->before.dst ? h->before.dst : "")) + 3), (w - 26) / 2), src = x + 11, dst = src + wide, mark = dst + wide,
	    ct = mark + 11;
	char was[16], is[16];

	snprintf(was, sizeof(was), "0x%x", h->before.mark);
	snprintf(is, sizeof(is), "0x%x", h->after.mark);
	cells_text(c, src, y, wide, TR_DIM, "source");
	cells_text(c, dst, y, wide, TR_DIM, "destination");
	cells_text(c, mark, y, 10, TR_DIM, "mark");
	cells_text(c, ct, y, x + w - ct, TR_DIM, "ct");
	for (int k = 0; k < 2; k++) {
		cells_text(c, x, y + 1 + k, 9, TR_DIM, k ? "after" : "before");
		field(c, src, y + 1 + k, wide - 1, h->before.src, h->after.src, k);
		field(c, dst, y + 1 + k, wide - 1, h->before.dst, h->after.dst, k);
		field(c, mark, y + 1 + k, 10, was, is, k);
		cells_text(c, ct, y + 1 + k, x + w - ct, TR_TEXT, h->ct ? h->ct : "-");
	}
}

static int because(const struct tui_hop *h, struct cells *c, int x, int y, int w, int lines)
{
	int used = 0;

	for (uint32_t k = 0; k < h->nr_why && used < lines; k++, used++) {
		const struct tui_why *y_ = &h->why[k];
		int at = x + 11;

		cells_text(c, x, y + used, 10, TR_DIM, k ? "  of" : "because");
		at += cells_text(c, at, y + used, x + w - at, TR_SERVICE, y_->object) + 2;
		if (y_->path)
			at += cells_text(c, at, y + used, x + w - at, TR_TEXT, y_->path) + 2;
		if (y_->file)
			cells_printf(c, at, y + used, x + w - at, TR_STORAGE, "%s:%u", y_->file, y_->line);
	}
	return used;
}

/* A field at that hop, as a text; out is for what is no text yet. */
static const char *field_text(const struct tui_hop *h, uint8_t which, bool after, char out[16])
{
	const struct tui_packet *p = after ? &h->after : &h->before;

	switch (which) {
	case FOLLOW_SOURCE: return p->src ? p->src : "-";
	case FOLLOW_DESTINATION: return p->dst ? p->dst : "-";
	case FOLLOW_MARK: snprintf(out, 16, "0x%x", p->mark); return out;
	default: return h->ct ? h->ct : "-";
	}
}

/* One field from hop to hop: what it was, and where it was changed. */
static void followed(const struct view *v, struct cells *c, struct rect in)
{
	const struct tui_way *w = trace_way(v);
	uint32_t now = MIN(v->hop, w->nr - 1), fits = (uint32_t)MAX(in.h, 1), top = now >= fits ? now - fits + 1 : 0;
	int name = MIN(30, in.w / 3), stage = 12;

	for (uint32_t k = top; k < w->nr && k < top + fits; k++) {
		const struct tui_hop *h = &w->hops[k];
		char was[16], is[16];
		const char *before = field_text(h, v->follow_field, false, was), *after = field_text(h, v->follow_field, true, is);
		int y = in.y + (int)(k - top), x = in.x + 5;

		if (k == now)
			cells_glyph(c, in.x, y, TR_CURSOR | TA_BOLD, TG_CURSOR);
		cells_printf(c, in.x + 1, y, 3, TR_DIM, "%3u", k + 1);
		cells_middle(c, x, y, name, TR_TEXT, strncmp(h->netns, "pod/", 4) == 0 ? netns_short(h->netns) : h->netns);
		cells_text(c, x + name + 1, y, stage, TR_DIM, h->stage);
		x += name + stage + 2;
		if (strcmp(before, after) != 0) {
			x += cells_text(c, x, y, in.x + in.w - x, TR_TEXT, before);
			x += cells_text(c, x, y, in.x + in.w - x, TR_DIM, " → ");
			cells_text(c, x, y, in.x + in.w - x, TR_CHANGED | TA_BOLD | TA_UNDER, after);
		} else {
			cells_text(c, x, y, in.x + in.w - x, k == now ? TR_TEXT | TA_BOLD : TR_TEXT, after);
		}
	}
}

static void explained(const struct view *v, struct cells *c, struct rect in)
{
	const struct tui_hop *h = trace_hop(v);
	int y = in.y, end = in.y + in.h;
	uint32_t top = MIN(v->top, h->nr_considered ? h->nr_considered - 1 : 0);

	for (uint32_t k = top; k < h->nr_considered && y < end - 3; k++) {
		cells_glyph(c, in.x, y, TR_DIM, TG_FAILED);
		cells_middle(c, in.x + 2, y++, in.w - 2, TR_DIM, h->considered[k]);
	}
	if (!h->nr_considered)
		cells_text(c, in.x, y++, in.w, TR_DIM, "no rule was tried before");
	if (h->rule) {
		cells_glyph(c, in.x, y, TR_GOOD, TG_READY);
		y += wrapped(c, in.x + 2, y, in.w - 2, 2, TR_RULE | TA_BOLD, h->rule);
	}
	because(h, c, in.x, y, in.w, end - y);
}

static void hop(const struct view *v, struct cells *c, struct rect r)
{
	const struct tui_hop *h = trace_hop(v);
	struct rect in = rect_inner(r);
	struct sb title = { 0 };
	char not_matched[48] = "";
	int y = in.y, end = in.y + in.h, x = in.x + 1, w = in.w - 2;

	if (!h) {
		cells_box(c, r, BOX_LIGHT, TR_BORDER, "no packet was sent", NULL);
		wrapped(c, x, y, w, in.h, TR_TEXT, trace_outcome(v)->reason ? trace_outcome(v)->reason : "");
		return;
	}
	if (v->follow_field) {
		static const char *const fields[FOLLOW_COUNT] = { [FOLLOW_SOURCE] = "source", [FOLLOW_DESTINATION] = "destination", [FOLLOW_MARK] = "mark", [FOLLOW_CT] = "connection (ct)" };

		sb_printf(&title, "%s, hop by hop", fields[v->follow_field]);
		cells_box(c, r, BOX_LIGHT, TR_BORDER, sb_text(&title), "f: another field");
		sb_free(&title);
		followed(v, c, in);
		return;
	}
	if (h->nr_considered)
		snprintf(not_matched, sizeof(not_matched), v->explain ? "rules tried" : "e: %u did not match", h->nr_considered);
	sb_printf(&title, "hop %u   %s   %s%s%s", MIN(v->hop, trace_way(v)->nr - 1) + 1, h->netns, h->interface ? h->interface : "", h->interface ? "   " : "", h->stage);
	if (h->chain && text_width(sb_text(&title)) + text_width(h->chain) + text_width(not_matched) + 12 < r.w)
		sb_printf(&title, "   %s", h->chain);
	cells_box(c, r, BOX_LIGHT, TR_BORDER, sb_text(&title), not_matched);
	sb_free(&title);
	if (v->explain) {
		explained(v, c, (struct rect){ x, in.y, w, in.h });
		return;
	}
	if (h->rule) {
		cells_text(c, x, y, 10, TR_DIM, "rule");
		y += wrapped(c, x + 11, y, w - 11, in.h > 12 ? 3 : 2, TR_RULE, h->rule);
	}
	cells_text(c, x, y, 10, TR_DIM, "verdict");
	y += wrapped(c, x + 11, y, w - 11, 2, hop_mark(v, v->hop) == TM_FAILED && v->hop + 1 >= trace_way(v)->nr ? TR_BAD | TA_BOLD : TR_TEXT, h->decision ? h->decision : "passes");
	y += because(h, c, x, y, w, MIN(3, end - y - 5));
	if (end - y > 5)
		y++;
	if (end - y >= 4)
		packets(h, c, x, y, w);
	y += 4;
	if (h->command && y < end) {
		cells_text(c, x, end - 1, 10, TR_DIM, "on a node");
		cells_middle(c, x + 11, end - 1, w - 11, TR_KEY, h->command);
	}
}

void trace_draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	int list;

	if (tui_small(t)) {
		hop(v, c, r);
		return;
	}
	if (r.w < 100) {
		list = MIN(MAX(((int)trace_way(v)->nr + 1) / 2 + 2, 4), MAX(4, r.h / 3));
		hops(v, c, (struct rect){ r.x, r.y, r.w, list }, 2);
		trace_where_line(v, c, r.x + 2, r.y + list, r.w - 4);
		hop(v, c, (struct rect){ r.x, r.y + list + 1, r.w, r.h - list - 1 });
		return;
	}
	list = MIN(MAX((int)trace_way(v)->nr + 5, 12), r.h / 2);
	hops(v, c, (struct rect){ r.x, r.y, 40, list }, 1);
	if (list - 2 - (int)trace_way(v)->nr >= 3)
		other_ways(v, c, (struct rect){ r.x + 1, r.y + list - 3, 38, 2 });
	trace_where(v, c, (struct rect){ r.x + 40, r.y, r.w - 40, list });
	hop(v, c, (struct rect){ r.x, r.y + list, r.w, r.h - list });
}
