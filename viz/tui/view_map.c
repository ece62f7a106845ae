/* The cluster map: what is selected, and where the arrows lead: to the nearest thing in their direction. */
#include "viz/tui/map_draw.h"

#include <stdio.h>
#include <stdlib.h>

static struct map_drawing begin(const struct tui *t, const struct view *v, struct cells *c, struct thing *things)
{
	return (struct map_drawing){ .t = t, .v = v, .map = &v->page.map, .c = c, .things = things, .selected = v->seek };
}

static void draw(const struct tui *t, const struct view *v, struct cells *c, struct rect r)
{
	struct thing things[MAX_THINGS];
	struct map_drawing d = begin(t, v, c, things);

	map_draw(&d, r);
}

/* The things as they are on the screen now. */
static struct map_drawing look(const struct tui *t, const struct view *v, struct rect r, struct thing *things, struct cells *scratch)
{
	struct map_drawing d = begin(t, v, scratch, things);

	cells_resize(scratch, t->w, t->h);
	map_draw(&d, r);
	return d;
}

static int64_t index_of(const struct map_drawing *d)
{
	for (uint32_t k = 0; k < d->nr; k++)
		if (d->things[k].ref && strcmp(d->things[k].ref, d->selected) == 0)
			return k;
	return -1;
}

static void choose(struct view *v, const struct thing *x)
{
	snprintf(v->seek, sizeof(v->seek), "%.255s", x->ref ? x->ref : "");
	v->moved = true;
}

/* The nearest whose middle lies in that direction; what lies beside counts twice. */
static void go_towards(struct view *v, const struct map_drawing *d, int dx, int dy)
{
	int64_t at = index_of(d), best = -1;
	long least = 0;
	int cx, cy;

	if (at < 0) {
		if (d->nr)
			choose(v, &d->things[0]);
		return;
	}
	cx = 2 * d->things[at].r.x + d->things[at].r.w;
	cy = 4 * d->things[at].r.y + 2 * d->things[at].r.h;
	for (uint32_t k = 0; k < d->nr; k++) {
		const struct rect *r = &d->things[k].r;
		long x = 2 * r->x + r->w - cx, y = 4 * r->y + 2 * r->h - cy, ahead = dx ? x * dx : y * dy, aside = labs(dx ? y : x), cost = ahead + 2 * aside;

		if (dx ? r->x * dx <= (d->things[at].r.x + (dx > 0 ? d->things[at].r.w - 1 : 0)) * dx - (dx < 0 ? 0 : 0) && ahead <= 0 : ahead <= 0)
			continue;
		if (dx && ((dx > 0 && r->x < d->things[at].r.x + d->things[at].r.w) || (dx < 0 && r->x + r->w > d->things[at].r.x)))
			continue;
		if (k != at && (best < 0 || cost < least)) {
			best = k;
			least = cost;
		}
	}
	if (best >= 0)
		choose(v, &d->things[best]);
}

/* From what runs to the Services and back; where there are none, from node to node. */
static void other_pane(struct view *v, const struct map_drawing *d, bool back)
{
	int64_t at = index_of(d);
	bool in_services = at >= 0 && d->things[at].kind == THING_SERVICE;

	for (uint32_t k = 0; k < d->nr; k++)
		if (d->things[k].kind == THING_SERVICE ? !in_services : in_services) {
			choose(v, &d->things[k]);
			return;
		}
	for (uint32_t k = 1; at >= 0 && k < d->nr; k++) {
		const struct thing *x = &d->things[((uint32_t)at + (back ? d->nr - k : k)) % d->nr];

		if (x->kind == THING_NODE || x->kind == THING_GROUP) {
			choose(v, x);
			return;
		}
	}
}

static void open_thing(struct tui *t, struct view *v, const struct thing *x)
{
	if (x->kind == THING_GROUP) {
		snprintf(v->zoom, sizeof(v->zoom), "%.63s", x->ref);
		return;
	}
	if (v->tracing) {
		char both[660];
		struct tui_want w;

		v->tracing = false;
		snprintf(t->to, sizeof(t->to), "%.319s", x->ref);
		snprintf(both, sizeof(both), "%s %s", t->from, t->to);
		w = tui_want(PAGE_TRACE, both, NULL, 0);
		tui_open(t, &w);
		return;
	}
	tui_open_ref(t, x->ref, NULL);
}

static bool act(struct tui *t, struct view *v, enum action_id id, int key, struct rect r)
{
	struct thing things[MAX_THINGS];
	struct cells scratch = { 0 };
	struct map_drawing d = look(t, v, r, things, &scratch);
	int64_t at = index_of(&d);
	bool mine = true;

	switch (id) {
	case ACT_LEFT: go_towards(v, &d, -1, 0); break;
	case ACT_RIGHT: go_towards(v, &d, 1, 0); break;
	case ACT_UP: go_towards(v, &d, 0, -1); break;
	case ACT_DOWN: go_towards(v, &d, 0, 1); break;
	case ACT_FIRST: if (d.nr) choose(v, &d.things[0]); break;
	case ACT_LAST: if (d.nr) choose(v, &d.things[d.nr - 1]); break;
	case ACT_PAGE_DOWN: for (int k = 0; k < 10; k++) { d.selected = v->seek; go_towards(v, &d, 0, 1); } break;
	case ACT_PAGE_UP: for (int k = 0; k < 10; k++) { d.selected = v->seek; go_towards(v, &d, 0, -1); } break;
	case ACT_NEXT_PANE: case ACT_PREV_PANE: other_pane(v, &d, id == ACT_PREV_PANE); break;
	case ACT_OPEN: if (at >= 0) open_thing(t, v, &d.things[at]); break;
	case ACT_TRACE:
		if (v->tracing || at < 0) {
			v->tracing = false;
			mine = false;
			break;
		}
		snprintf(t->from, sizeof(t->from), "%.319s", v->seek);
		v->tracing = true;
		tui_say(t, TR_KEY, "trace from %s: go to where it leads and press Enter; t again to type it", t->from);
		break;
	case ACT_BACK:
		mine = v->tracing || *v->zoom || (t->nr_path && key == TK_ESC && t->depth == 1);
		if (v->tracing)
			v->tracing = false;
		else if (*v->zoom) {
			snprintf(v->seek, sizeof(v->seek), "%s", v->zoom);
			v->zoom[0] = '\0';
		} else if (mine) {
			t->nr_path = 0;
		}
		break;
	default: mine = false;
	}
	cells_free(&scratch);
	return mine;
}

static void mouse(struct tui *t, struct view *v, int x, int y, struct rect r)
{
	struct thing things[MAX_THINGS];
	struct cells scratch = { 0 };
	struct map_drawing d = look(t, v, r, things, &scratch);

	for (uint32_t k = 0; k < d.nr; k++)
		if (x >= things[k].r.x && x < things[k].r.x + things[k].r.w && y >= things[k].r.y && y < things[k].r.y + things[k].r.h)
			choose(v, &things[k]);
	cells_free(&scratch);
}

/* What was selected stays so if it is still there; else the first node is. */
static void loaded(struct tui *t, struct view *v)
{
	struct thing things[MAX_THINGS];
	struct cells scratch = { 0 };
	struct map_drawing d = look(t, v, tui_body(t), things, &scratch);

	if (index_of(&d) < 0) {
		const struct tui_map *m = &v->page.map;

		v->moved = false;
		snprintf(v->seek, sizeof(v->seek), "%.255s", m->nr_nodes ? m->nodes[0].ref : d.nr ? things[0].ref : "");
	}
	cells_free(&scratch);
}

static void where(const struct tui *t, const struct view *v, struct sb *left, struct sb *right)
{
	(void)t;
	sb_add(left, "Cluster");
	if (*v->zoom)
		sb_printf(left, " › %s …", v->zoom);
	if (v->page.kind)
		sb_printf(right, "%u nodes   %u Services", v->page.map.nr_nodes, MAX(v->page.map.all_services, v->page.map.nr_services));
}

static void say_service(const struct tui_service *s, struct sb *out)
{
	if (!s->endpoints)
		sb_printf(out, "%s has no ready endpoint: who asks it is refused", s->name);
	else if (s->address && strcmp(s->address, "<pending>") == 0)
		sb_printf(out, "%s waits for an address of a load balancer; without a controller that gives one it waits for ever", s->name);
	else if (s->address)
		sb_printf(out, "%s: %s is on no interface; it exists only in rules, the same on every node", s->name, s->address);
}

static void say_node(const struct tui_node *n, struct sb *out)
{
	static const char *const states[TM_COUNT] = { [TM_READY] = "ready", [TM_STARTING] = "takes no new Pods", [TM_PENDING] = "not known yet", [TM_FAILED] = "NOT ready" };

	sb_printf(out, "node %s is %s", n->name, states[n->mark] ? states[n->mark] : "there");
	if (n->room)
		sb_printf(out, " and carries %u of at most %u Pods", n->all, n->room);
	if (n->link)
		sb_printf(out, "; its link: %s", n->link);
}

static void say_pod(const struct tui_pod *p, struct sb *out)
{
	static const char *const states[TM_COUNT] = { [TM_NONE] = "is done", [TM_READY] = "is ready", [TM_STARTING] = "starts", [TM_PENDING] = "waits", [TM_FAILED] = "has failed", [TM_ENDING] = "ends" };

	sb_printf(out, "%s %s%s%s", p->ref, states[p->mark], p->address ? " at " : ", no address yet", p->address ? p->address : "");
}

static void say(const struct tui *t, const struct view *v, struct sb *out)
{
	const struct tui_map *m = &v->page.map;

	if (!v->page.kind)
		return;
	if (!m->nr_nodes)
		sb_add(out, "an empty cluster: :apply -f FILE puts something into it, L opens the lessons");
	else if (m->worst && (!v->moved || (m->worst_ref && strcmp(m->worst_ref, v->seek) == 0)))
		sb_add(out, m->worst);
	for (uint32_t k = 0; !out->len && k < m->nr_services; k++)
		if (strcmp(m->services[k].ref, v->seek) == 0)
			say_service(&m->services[k], out);
	for (uint32_t k = 0; !out->len && k < m->nr_nodes; k++) {
		if (strcmp(m->nodes[k].ref, v->seek) == 0)
			say_node(&m->nodes[k], out);
		for (uint32_t i = 0; !out->len && i < m->nodes[k].nr_pods; i++)
			if (strcmp(m->nodes[k].pods[i].ref, v->seek) == 0)
				say_pod(&m->nodes[k].pods[i], out);
	}
	for (uint32_t k = 0; !out->len && k < m->nr_homeless; k++)
		if (strcmp(m->homeless[k].ref, v->seek) == 0)
			say_pod(&m->homeless[k], out);
	if (!out->len)
		sb_add(out, v->seek);
	if (!v->moved && !m->worst && text_width(sb_text(out)) + 40 < t->w)
		sb_add(out, "; arrows move, Enter opens, ? helps");
}

static void selected(const struct tui *t, const struct view *v, struct sb *out)
{
	(void)t;
	if (!(v->page.map.nr_nodes > GRID_OVER && !*v->zoom))
		sb_add(out, v->seek);
}

static const struct tui_pod *pod_at(const struct tui_map *m, uint32_t i)
{
	for (uint32_t k = 0; k < m->nr_nodes; k++) {
		if (i < m->nodes[k].nr_pods)
			return &m->nodes[k].pods[i];
		i -= m->nodes[k].nr_pods;
	}
	return NULL;
}

static uint32_t nr_pods(const struct tui_map *m)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < m->nr_nodes; k++)
		nr += m->nodes[k].nr_pods;
	return nr;
}

/* Services, nodes, Pods, those on no node: one number for each. */
static const char *ref_at(const struct tui_map *m, uint32_t i)
{
	if (i < m->nr_services)
		return m->services[i].ref;
	i -= m->nr_services;
	if (i < m->nr_nodes)
		return m->nodes[i].ref;
	i -= m->nr_nodes;
	if (i < nr_pods(m))
		return pod_at(m, i)->ref;
	i -= nr_pods(m);
	return i < m->nr_homeless ? m->homeless[i].ref : NULL;
}

static uint32_t count(const struct tui *t, const struct view *v)
{
	const struct tui_map *m = &v->page.map;

	(void)t;
	return m->nr_services + m->nr_nodes + nr_pods(m) + m->nr_homeless;
}

static bool matches(const struct tui *t, const struct view *v, uint32_t i, const char *word)
{
	const char *ref = ref_at(&v->page.map, i);

	(void)t;
	return ref && text_has(ref, word);
}

static void go(struct tui *t, struct view *v, uint32_t i)
{
	(void)t;
	v->cursor = i;
	snprintf(v->seek, sizeof(v->seek), "%.255s", ref_at(&v->page.map, i));
	v->moved = true;
}

const struct view_ops view_map = { .name = "Cluster", .draw = draw, .act = act, .mouse = mouse, .where = where, .say = say, .selected = selected, .matches = matches, .count = count, .go = go,
	.loaded = loaded };
