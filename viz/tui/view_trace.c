/* A trace, hop by hop: the hops, the place of each on a small map with the way already gone drawn double, and the hop itself: rule, verdict, the packet before and
 * after, what made the rule, what to type on a real node. Shows one answer and nothing else. */
#include "viz/tui/tui.h"

#include <stdio.h>

static const struct tui_outcome *outcome_of(const struct view *v)
{
	const struct tui_trace *x = &v->page.trace;

	return &x->outcomes[MIN(v->outcome, x->nr - 1)];
}

static const struct tui_way *way_of(const struct view *v)
{
	static const struct tui_way none = { .name = "" };
	const struct tui_outcome *o = outcome_of(v);

	return o->nr_ways ? &o->ways[MIN(v->way, o->nr_ways - 1)] : &none;
}

static const struct tui_hop *hop_of(const struct view *v)
{
	const struct tui_way *w = way_of(v);

	return w->nr ? &w->hops[MIN(v->hop, w->nr - 1)] : NULL;
}

static bool is_pod(const struct tui_hop *h) { return strncmp(h->netns, "pod/", 4) == 0; }

/* The last hop of the way there bears the verdict. */
static uint8_t hop_mark(const struct view *v, uint32_t k)
{
	const struct tui_outcome *o = outcome_of(v);

	if (k + 1 < way_of(v)->nr)
		return TM_READY;
	return o->good || (v->way + 1u < o->nr_ways && strcmp(o->verdict, "delivered") == 0) ? TM_READY : strcmp(o->verdict, "unknown") == 0 ? TM_PENDING : TM_FAILED;
}

/* ---- hops */

static void hop_line(const struct view *v, struct cells *c, struct rect r, uint32_t k, int number)
{
	const struct tui_hop *h = &way_of(v)->hops[k];
	int stage = MIN(13, r.w / 3), name = r.w - 7 - stage;
	bool sel = k == MIN(v->hop, way_of(v)->nr - 1);
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
	const struct tui_way *w = way_of(v);
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
	const struct tui_outcome *o = outcome_of(v);
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

/* ---- where */

enum { MAX_PLACES = 12 };
struct place { const char *netns; uint32_t first, last; struct { const char *netns; uint32_t first, last; bool leaves; const char *link; } pods[2]; int nr_pods; const char *in, *out; };

static int find_place(const struct place *v, int nr, const char *netns)
{
	for (int k = 0; k < nr; k++)
		if (strcmp(v[k].netns, netns) == 0)
			return k;
	return -1;
}

/* The nodes and other places in the order in which they are passed, Pods in the node that is passed next to them. */
static int places(const struct tui_way *w, struct place *v)
{
	int nr = 0;

	for (uint32_t k = 0; k < w->nr; k++) {
		const struct tui_hop *h = &w->hops[k];
		int at;

		if (is_pod(h))
			continue;
		at = find_place(v, nr, h->netns);
		if (at < 0) {
			if (nr == MAX_PLACES)
				continue;
			v[at = nr++] = (struct place){ .netns = h->netns, .first = k };
		}
		v[at].last = k;
		if (h->interface && !v[at].in)
			v[at].in = h->interface;
		if (h->interface && strcmp(h->interface, v[at].in) != 0)
			v[at].out = h->interface;
	}
	for (uint32_t k = 0; k < w->nr; k++) {
		const struct tui_hop *h = &w->hops[k];
		const char *near = NULL;
		int at, p = 0;

		if (!is_pod(h))
			continue;
		for (uint32_t i = k + 1; i < w->nr && !near; i++)
			near = is_pod(&w->hops[i]) ? NULL : w->hops[i].netns;
		for (uint32_t i = k; i > 0 && (!near || (k && !is_pod(&w->hops[k - 1]))); i--)
			if (!is_pod(&w->hops[i - 1])) {
				near = w->hops[i - 1].netns;
				break;
			}
		at = near ? find_place(v, nr, near) : nr ? 0 : -1;
		if (at < 0) {
			v[at = nr++] = (struct place){ .netns = "", .first = k, .last = k };
		}
		while (p < v[at].nr_pods && strcmp(v[at].pods[p].netns, h->netns) != 0)
			p++;
		if (p == 2)
			continue;
		if (p == v[at].nr_pods) {
			v[at].pods[v[at].nr_pods++].netns = h->netns;
			v[at].pods[p].first = k;
			v[at].pods[p].leaves = k <= v[at].first;
		}
		v[at].pods[p].last = k;
		if (h->interface)
			v[at].pods[p].link = h->interface;
	}
	return nr;
}

static const char *last_word(const char *netns)
{
	const char *slash = strrchr(netns, '/');

	return slash ? slash + 1 : netns;
}

static unsigned walked(bool yes) { return yes ? TR_PACKET | TA_BOLD : TR_DIM; }

static void one_place(const struct view *v, struct cells *c, struct rect r, const struct place *p)
{
	const struct tui_way *w = way_of(v);
	uint32_t now = MIN(v->hop, w->nr - 1);
	bool here = now >= p->first && now <= p->last && !is_pod(&w->hops[now]);
	int x, y = r.y + 1, pod_w = p->nr_pods ? (r.w - 2) / p->nr_pods - (p->nr_pods > 1) : 0, stages = r.y + 6;
	const char *name = last_word(p->netns);

	cells_box(c, r, here ? BOX_HEAVY : BOX_LIGHT, here ? TR_FOCUS : TR_BORDER, *name ? name : NULL, NULL);
	for (int k = 0; k < p->nr_pods; k++) {
		bool in = now >= p->pods[k].first && now <= p->pods[k].last && is_pod(&w->hops[now]) && strcmp(w->hops[now].netns, p->pods[k].netns) == 0;
		bool gone = p->pods[k].leaves ? now > p->pods[k].last || (now >= p->first && *p->netns) : now >= p->pods[k].first;
		struct rect b = { r.x + 1 + k * (pod_w + 1), y, pod_w, 3 };

		cells_box(c, b, in ? BOX_HEAVY : BOX_LIGHT, in ? TR_FOCUS : TR_BORDER, NULL, NULL);
		cells_middle(c, b.x + 2, y + 1, b.w - 4, walked(p->pods[k].leaves || now >= p->pods[k].first), last_word(p->pods[k].netns));
		if (p->pods[k].link)
			cells_text(c, b.x + 3, y + 2, b.w - 5, walked(gone), p->pods[k].link);
		if (*p->netns)
			cells_glyph(c, b.x + 4, y + 3, walked(gone), gone ? TG_DOUBLE_V : TG_V);
		if (*p->netns && r.h >= 9) {
			const char *link = p->pods[k].leaves ? p->in : p->out ? p->out : p->in;

			cells_middle(c, b.x + 2, y + 4, b.w - 2, walked(gone), link && strncmp(link, "eth", 3) != 0 ? link : "veth");
		}
	}
	if (!p->nr_pods)
		stages = r.y + 3;
	x = r.x + 1;
	for (uint32_t k = p->first; k <= p->last && k < w->nr; k++) {
		const struct tui_hop *h = &w->hops[k];
		int len = text_width(h->stage);

		if (strcmp(h->netns, p->netns) != 0)
			continue;
		if (x + len + 3 >= r.x + r.w) {
			x = r.x + 1;
			stages++;
		}
		if (stages >= r.y + r.h - 1)
			break;
		if (k == now) {
			cells_glyph(c, x, stages, TR_PACKET | TA_BOLD, TG_HERE);
			cells_printf(c, x + 1, stages, r.x + r.w - x - 2, TR_PACKET | TA_BOLD, "[%s]", h->stage);
			x += len + 4;
		} else {
			x += 1 + cells_text(c, x + 1, stages, r.x + r.w - x - 2, walked(k < now), h->stage);
		}
	}
}

static void where_map(const struct view *v, struct cells *c, struct rect r)
{
	struct place p[MAX_PLACES + 1] = { 0 };
	const struct tui_way *w = way_of(v);
	struct rect in = rect_inner(r);
	int nr, per, from = 0, gap = 4, width;
	uint32_t now;

	cells_box(c, r, BOX_LIGHT, TR_BORDER, "where", NULL);
	if (!w->nr)
		return;
	now = MIN(v->hop, w->nr - 1);
	nr = places(w, p);
	per = MAX(1, MIN(nr, (in.w + gap) / (17 + gap)));
	for (int k = 0; k < nr; k++)            /* the one at hand is among those that are seen */
		if (now >= p[k].first && k >= per && from < k - per + 1)
			from = k - per + 1;
	width = MIN(30, (in.w - 2 - (per - 1) * gap) / per);
	for (int k = from; k < nr && k < from + per; k++)
		one_place(v, c, (struct rect){ in.x + 1 + (k - from) * (width + gap), in.y, width, in.h }, &p[k]);
	for (int k = from; k + 1 < nr && k < from + per; k++) {         /* the wire to the next one */
		bool gone = now >= p[k + 1].first, seen = k + 1 < from + per;
		int x = in.x + (k - from + 1) * (width + gap) - gap, y = in.y + in.h - 2;

		cells_glyph(c, x, y, walked(gone), TG_CROSS);
		cells_run(c, x + 1, y, seen ? gap : 1, walked(gone), gone ? TG_DOUBLE_H : TG_H);
		cells_right(c, x - 5, y, 4, walked(gone), "eth0");
		cells_glyph(c, x - 1, y, walked(gone), gone ? TG_DOUBLE_H : TG_H);
		if (!seen)
			continue;
		cells_glyph(c, x + gap + 1, y, walked(gone), TG_CROSS);
		cells_glyph(c, x + gap + 2, y, walked(gone), gone ? TG_DOUBLE_H : TG_H);
		cells_text(c, x + gap + 3, y, 4, walked(gone), "eth0");
	}
}

/* The way in one line, where there is little room. */
static void where_line(const struct view *v, struct cells *c, int x, int y, int w)
{
	const struct tui_way *way = way_of(v);
	const char *last = "";
	uint32_t now = MIN(v->hop, way->nr ? way->nr - 1 : 0), from = 0;

	for (int pass = 0; pass < 2; pass++) {
		int at = x, here = x;

		last = "";
		for (uint32_t k = from; k < way->nr && (pass == 0 || at < x + w); k++) {
			const struct tui_hop *h = &way->hops[k];
			char word[160];

			if (k > from && pass)
				cells_glyph(c, at + 1, y, walked(k <= now), k <= now ? TG_DOUBLE_H : TG_H);
			at += k > from ? 3 : 0;
			if (strcmp(h->netns, last) != 0)
				snprintf(word, sizeof(word), "%.100s%s%.40s%s", last_word(h->netns), k == now ? " ►[" : " ", h->stage, k == now ? "]" : "");
			else
				snprintf(word, sizeof(word), "%s%.40s%s", k == now ? "►[" : "", h->stage, k == now ? "]" : "");
			last = h->netns;
			if (pass)
				cells_text(c, at, y, x + w - at, walked(k <= now) | (k == now ? TA_BOLD : 0), word);
			at += text_width(word);
			if (k == now)
				here = at;
		}
		if (here <= x + w)
			continue;
		from = now > 1 ? now - 1 : now;
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

static void explained(const struct view *v, struct cells *c, struct rect in)
{
	const struct tui_hop *h = hop_of(v);
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
	const struct tui_hop *h = hop_of(v);
	struct rect in = rect_inner(r);
	struct sb title = { 0 };
	char not_matched[48] = "";
	int y = in.y, end = in.y + in.h, x = in.x + 1, w = in.w - 2;

	if (!h) {
		cells_box(c, r, BOX_LIGHT, TR_BORDER, "no packet was sent", NULL);
		wrapped(c, x, y, w, in.h, TR_TEXT, outcome_of(v)->reason ? outcome_of(v)->reason : "");
		return;
	}
	if (h->nr_considered)
		snprintf(not_matched, sizeof(not_matched), v->explain ? "rules tried" : "e: %u did not match", h->nr_considered);
	sb_printf(&title, "hop %u   %s   %s%s%s", MIN(v->hop, way_of(v)->nr - 1) + 1, h->netns, h->interface ? h->interface : "", h->interface ? "   " : "", h->stage);
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
	y += wrapped(c, x + 11, y, w - 11, 2, hop_mark(v, v->hop) == TM_FAILED && v->hop + 1 >= way_of(v)->nr ? TR_BAD | TA_BOLD : TR_TEXT, h->decision ? h->decision : "passes");
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

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	int list;

	if (tui_small(t)) {
		hop(v, c, r);
		return;
	}
	if (r.w < 100) {
		list = MIN(MAX(((int)way_of(v)->nr + 1) / 2 + 2, 4), MAX(4, r.h / 3));
		hops(v, c, (struct rect){ r.x, r.y, r.w, list }, 2);
		where_line(v, c, r.x + 2, r.y + list, r.w - 4);
		hop(v, c, (struct rect){ r.x, r.y + list + 1, r.w, r.h - list - 1 });
		return;
	}
	list = MIN(MAX((int)way_of(v)->nr + 5, 12), r.h / 2);
	hops(v, c, (struct rect){ r.x, r.y, 40, list }, 1);
	if (list - 2 - (int)way_of(v)->nr >= 3)
		other_ways(v, c, (struct rect){ r.x + 1, r.y + list - 3, 38, 2 });
	where_map(v, c, (struct rect){ r.x + 40, r.y, r.w - 40, list });
	hop(v, c, (struct rect){ r.x, r.y + list, r.w, r.h - list });
}

/* ---- acting */

static void choose_outcome(struct view *v, int by)
{
	const struct tui_trace *x = &v->page.trace;
	const struct tui_way *before = way_of(v), *now;
	uint32_t same = 0;

	v->outcome = (MIN(v->outcome, x->nr - 1) + x->nr + (uint32_t)by) % x->nr;
	v->way = (uint8_t)MIN(v->way, outcome_of(v)->nr_ways ? outcome_of(v)->nr_ways - 1u : 0u);
	now = way_of(v);
	while (same < before->nr && same < now->nr && strcmp(before->hops[same].netns, now->hops[same].netns) == 0 && strcmp(before->hops[same].stage, now->hops[same].stage) == 0)
		same++;
	v->hop = MIN(v->hop, same ? MIN(same, now->nr ? now->nr - 1 : 0) : 0);  /* stays where they agree, else goes to where they part */
}

static void go_there(struct tui *t, const struct view *v)
{
	const struct tui_hop *h = hop_of(v);

	if (h && (strncmp(h->netns, "pod/", 4) == 0 || strncmp(h->netns, "node/", 5) == 0))
		tui_open_ref(t, h->netns, h->chain ? "rules" : NULL);
	else
		tui_say(t, TR_WARN, "%s is outside of the cluster", h ? h->netns : "this");
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	const struct tui_way *w = way_of(v);
	bool end = v->hop + 1 >= w->nr;

	(void)key;
	(void)r;
	if (v->explain && (id == ACT_UP || id == ACT_DOWN || id == ACT_PAGE_UP || id == ACT_PAGE_DOWN))
		return tui_move(id, &v->top, hop_of(v) ? hop_of(v)->nr_considered : 0, 8);
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
	case ACT_OUTCOME: choose_outcome(v, 1); break;
	case ACT_OUTCOME_BACK: choose_outcome(v, -1); break;
	case ACT_REPLY:
		v->way = (uint8_t)(outcome_of(v)->nr_ways ? (v->way + 1u) % outcome_of(v)->nr_ways : 0);
		v->hop = 0;
		break;
	case ACT_EXPLAIN: v->explain = !v->explain; break;
	case ACT_OPEN: go_there(t, v); break;
	case ACT_BACK:
		if (!v->explain)
			return false;
		v->explain = false;
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
	sb_printf(left, "Trace  %s → %s", to ? words : x->from ? x->from : "?", to ? to : x->to ? x->to : "?");
	if (x->protocol)
		sb_printf(left, "  %s", x->protocol);
	if (x->nr > 1)
		sb_printf(right, "outcome %u of %u   p=%s   ", MIN(v->outcome, x->nr - 1) + 1, x->nr, outcome_of(v)->share);
	sb_printf(right, "%s%s %s", outcome_of(v)->verdict, outcome_of(v)->good || strcmp(outcome_of(v)->verdict, "delivered") != 0 ? "" : ", no answer",
		  glyph(mark_glyph(outcome_of(v)->good ? TM_READY : strcmp(outcome_of(v)->verdict, "unknown") == 0 ? TM_PENDING : TM_FAILED)));
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_outcome *o = outcome_of(v);
	const struct tui_hop *h = hop_of(v);

	(void)t;
	if (v->playing)
		sb_printf(out, "playing, a hop each %u ms; ", t->speed);
	if (h && h->rule && strstr(h->rule, "numgen"))
		sb_printf(out, "chance decides here: %s; o shows what the other draws would have done", v->page.trace.nr > 1 ? o->share : "one endpoint");
	else if (h && v->hop + 1 >= way_of(v)->nr && o->reason)
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
	const struct tui_hop *h = hop_of(v);

	(void)t;
	if (h && (is_pod(h) || strncmp(h->netns, "node/", 5) == 0))
		sb_add(out, h->netns);
}

static void command_for(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_hop *h = hop_of(v);

	(void)t;
	if (h && h->command)
		sb_add(out, h->command);
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	const struct tui_way *w = way_of(v);

	(void)t;
	return i < w->nr && (text_has(w->hops[i].netns, word) || text_has(w->hops[i].stage, word) || (w->hops[i].rule && text_has(w->hops[i].rule, word)));
}

static uint32_t count(const struct tui *t, const struct view *v) { (void)t; return way_of(v)->nr; }
static void go(struct tui *t, struct view *v, uint32_t i) { (void)t; v->hop = i; v->cursor = i; }

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	int row = y - r.y - 1;

	if (!tui_small(t) && r.w >= 100 && x < 40 && row >= 0 && (uint32_t)row < way_of(v)->nr)
		v->hop = (uint32_t)row;
}

const struct view_ops view_trace = { .name = "Trace", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .command = command_for, .matches = matches,
	.count = count, .go = go };
