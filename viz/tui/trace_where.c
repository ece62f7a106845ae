/* The places that a packet came by: nodes with their Pods side by side, the way already gone drawn double; or all of it in one line. */
#include "viz/tui/trace_draw.h"

#include <stdio.h>

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

		if (hop_in_pod(h))
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

		if (!hop_in_pod(h))
			continue;
		for (uint32_t i = k + 1; i < w->nr && !near; i++)
			near = hop_in_pod(&w->hops[i]) ? NULL : w->hops[i].netns;
		for (uint32_t i = k; i > 0 && (!near || (k && !hop_in_pod(&w->hops[k - 1]))); i--)
			if (!hop_in_pod(&w->hops[i - 1])) {
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

const char *netns_short(const char *netns)
{
	const char *slash = strrchr(netns, '/');

	return slash ? slash + 1 : netns;
}

static unsigned walked(bool yes) { return yes ? TR_PACKET | TA_BOLD : TR_DIM; }

static void one_place(const struct view *v, struct cells *c, struct rect r, const struct place *p)
{
	const struct tui_way *w = trace_way(v);
	uint32_t now = MIN(v->hop, w->nr - 1);
	bool here = now >= p->first && now <= p->last && !hop_in_pod(&w->hops[now]);
	int x, y = r.y + 1, pod_w = p->nr_pods ? (r.w - 2) / p->nr_pods - (p->nr_pods > 1) : 0, stages = r.y + 6;
	const char *name = netns_short(p->netns);

	cells_box(c, r, here ? BOX_HEAVY : BOX_LIGHT, here ? TR_FOCUS : TR_BORDER, *name ? name : NULL, NULL);
	for (int k = 0; k < p->nr_pods; k++) {
		bool in = now >= p->pods[k].first && now <= p->pods[k].last && hop_in_pod(&w->hops[now]) && strcmp(w->hops[now].netns, p->pods[k].netns) == 0;
		bool gone = p->pods[k].leaves ? now > p->pods[k].last || (now >= p->first && *p->netns) : now >= p->pods[k].first;
		struct rect b = { r.x + 1 + k * (pod_w + 1), y, pod_w, 3 };

		cells_box(c, b, in ? BOX_HEAVY : BOX_LIGHT, in ? TR_FOCUS : TR_BORDER, NULL, NULL);
		cells_middle(c, b.x + 2, y + 1, b.w - 4, walked(p->pods[k].leaves || now >= p->pods[k].first), netns_short(p->pods[k].netns));
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

void trace_where(const struct view *v, struct cells *c, struct rect r)
{
	struct place p[MAX_PLACES + 1] = { 0 };
	const struct tui_way *w = trace_way(v);
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

void trace_where_line(const struct view *v, struct cells *c, int x, int y, int w)
{
	const struct tui_way *way = trace_way(v);
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
				snprintf(word, sizeof(word), "%.100s%s%.40s%s", netns_short(h->netns), k == now ? " ►[" : " ", h->stage, k == now ? "]" : "");
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
