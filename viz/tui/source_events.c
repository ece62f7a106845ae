/* Events over virtual time, with lanes: Pods that are ready, endpoints, BGP, what was broken. */
#include "viz/tui/source.h"

#include <stdlib.h>

struct timeline_data {
	struct tui_model *m;
	struct arena *a;
	struct arena_mark words; uint32_t told;         /* what rows are put into words behind that mark, and used at once */
	uint32_t nr;
	nsec *ready; uint32_t nr_ready, nr_pods;        /* when each Pod that is ready became so, sorted */
	nsec *warned; uint32_t nr_warned;
	struct census census;                   /* without points: nothing but the objects tell what was */
	uint32_t most;                          /* Pods at any moment */
	struct probing probing;
	uint8_t lanes[7];
};
enum { ON_READY, ON_ENDPOINTS, ON_WARNINGS, ON_BGP, ON_PROXY, ON_FAULTS, ON_EVENTS, ON_LOST };

static const char *object_name(struct timeline_data *d, const struct object *o)
{
	char *s = o ? arena_printf(d->a, "%s/%s", o->kind->name, o->name) : arena_strdup(d->a, "");

	for (char *p = s; *p && *p != '/'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	return s;
}

static void event(void *ctx, uint32_t i, struct tui_event_row *out)
{
	struct timeline_data *d = ctx;
	struct event e;
	const struct object *o;

	if (d->told++ == 64) {
		arena_rewind(d->a, d->words);
		d->told = 1;
	}
	e = cluster_event_told(d->m->world->cluster, i);
	o = obj_get(d->m->world->cluster, e.object);
	*out = (struct tui_event_row){ .at = e.at, .warning = e.warning, .reason = e.reason, .message = e.message, .object = object_name(d, o), .ref = o && !o->gone ? ref_of(d->a, o) : NULL };
}

static bool warns(void *ctx, uint32_t i) { return cluster_event_note(((struct timeline_data *)ctx)->m->world->cluster, i).form->warning; }

static uint32_t first(void *ctx, nsec at)
{
	const struct timeline_data *d = ctx;
	uint32_t lo = 0, hi = d->nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (cluster_event_note(d->m->world->cluster, mid).at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t count_before(const nsec *v, uint32_t nr, nsec at)
{
	uint32_t lo = 0, hi = nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (v[mid] < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t ready_at(struct timeline_data *d, nsec to)
{
	const struct census_point *p = census_at(&d->census, to - 1);

	if (d->census.points.nr)
		return p && d->most ? p->ready * 1000 / d->most : 0;
	return d->nr_pods ? (uint32_t)((uint64_t)count_before(d->ready, d->nr_ready, to) * 1000 / d->nr_pods) : 0;
}

static uint32_t lane(void *ctx, uint32_t k, nsec from, nsec to)
{
	struct timeline_data *d = ctx;
	const struct census_point *p = census_at(&d->census, to - 1);

	switch (d->lanes[k]) {
	case ON_READY: return ready_at(d, to);
	case ON_ENDPOINTS: return p ? p->endpoints + 1 : 0;
	case ON_WARNINGS: return count_before(d->warned, d->nr_warned, to) - count_before(d->warned, d->nr_warned, from);
	case ON_BGP: return p && p->sessions ? p->sessions_up < p->sessions ? 1 : 2 : 0;
	case ON_PROXY: return p && p->nodes ? p->behind ? 1 : 2 : 0;
	case ON_LOST: {
		const struct probing_point *worst = probing_worst(&d->probing, from, to);

		return worst ? worst->lost : 0;
	}
	case ON_FAULTS: return p ? p->faults : 0;
	default: return first(d, to) - first(d, from);
	}
}

/* What was lost then. */
static const char *say_moment(void *ctx, nsec from, nsec to)
{
	const struct probing_point *worst = probing_worst(&((struct timeline_data *)ctx)->probing, from, to);

	return worst && worst->lost ? worst->what : NULL;
}

static int by_time(const void *x, const void *y)
{
	nsec a = *(const nsec *)x, b = *(const nsec *)y;

	return (a > b) - (a < b);
}

static void add_lanes(struct tui_model *m, struct timeline_data *d, struct tui_timeline *out)
{
	const struct settings *s = cluster_settings(m->world->cluster);
	bool known = d->census.points.nr, broke = false, speaks = false, asks = false;
	for (uint32_t k = 0; k < d->census.points.nr; k++) {
		broke = broke || d->census.points.v[k].faults;
		speaks = speaks || d->census.points.v[k].sessions;
	}
	for (uint32_t k = 0; k < d->probing.points.nr && !d->probing.too_many; k++)
		asks = asks || d->probing.points.v[k].asked;
	const struct { bool is; uint8_t what; struct tui_lane lane; } all[] = {
		{ true, ON_READY, { "Pods ready", LANE_BARS } }, { known, ON_ENDPOINTS, { "endpoints", LANE_NUMBERS } }, { asks, ON_LOST, { "lost", LANE_WARNS } },
		{ true, ON_WARNINGS, { "warnings", LANE_WARNS } },
		{ speaks, ON_BGP, { "BGP", LANE_LINE } }, { known && s->proxy_mode != PROXY_NONE, ON_PROXY, { "kube-proxy", LANE_LINE } },
		{ true, ON_FAULTS, { "broken", LANE_WARNS } }, { true, ON_EVENTS, { "events", LANE_MARKS } },
	};

	for (size_t k = 0; k < ARRAY_LEN(all) && out->nr_lanes < ARRAY_LEN(out->lanes); k++) {
		if (!all[k].is || (all[k].what == ON_FAULTS && !broke))
			continue;
		d->lanes[out->nr_lanes] = all[k].what;
		out->lanes[out->nr_lanes++] = all[k].lane;
	}
}

void fill_timeline(struct tui_model *m, struct arena *a, struct tui_timeline *out)
{
	struct timeline_data *d = arena_make(a, struct timeline_data);
	struct object_list pods = cluster_list(m->world->cluster, &pod_kind);
	uint32_t room = 0;
	bool sorted = true;

	d->m = m;
	d->a = a;
	d->nr = cluster_event_count(m->world->cluster);
	d->ready = arena_array(a, nsec, pods.nr);
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		const struct condition *c = condition_get(&p->conditions, "Ready");

		d->nr_pods += !pod_is_terminal(p);
		if (!c || c->status != COND_TRUE)
			continue;
		sorted = sorted && (!d->nr_ready || d->ready[d->nr_ready - 1] <= c->changed);
		d->ready[d->nr_ready++] = c->changed;
	}
	if (!sorted)
		qsort(d->ready, d->nr_ready, sizeof(nsec), by_time);
	for (uint32_t k = 0; k < d->nr; k++) {
		struct event_note n = cluster_event_note(m->world->cluster, k);

		if (!n.form->warning)
			continue;
		if (d->nr_warned == room) {
			room = room ? 2 * room : 64;
			d->warned = memcpy(arena_array(a, nsec, room), d->warned ? d->warned : &n.at, sizeof(nsec) * d->nr_warned);
		}
		d->warned[d->nr_warned++] = n.at;
	}
	*out = (struct tui_timeline){ .nr = d->nr, .begin = 0, .end = cluster_now(m->world->cluster), .ctx = d, .event = event, .warns = warns, .lane = lane, .first = first, .say = say_moment };
	census_begin(&d->census, a);
	probing_begin(&d->probing, a);
	if (!m->host.census || !m->host.census(m->host.ctx, &d->census, &d->probing))
		d->census.points.nr = d->probing.points.nr = 0;
	if (d->census.too_many)
		d->census.points.nr = 0;
	for (uint32_t k = 0; k < d->census.points.nr; k++)
		d->most = MAX(d->most, d->census.points.v[k].pods);
	add_lanes(m, d, out);
	d->words = arena_mark(a);
}
