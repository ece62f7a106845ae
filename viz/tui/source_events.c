/* Events over virtual time, with lanes: Pods that are ready, events, warnings. */
#include "viz/tui/source.h"

#include <stdlib.h>

struct timeline_data {
	struct tui_model *m;
	struct arena *a;
	const struct event *v; uint32_t nr;
	nsec *ready; uint32_t nr_ready, nr_pods;        /* when each Pod that is ready became so, sorted */
	nsec *warned; uint32_t nr_warned;
};

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
	const struct event *e = &d->v[i];
	const struct object *o = obj_get(d->m->world->cluster, e->object);

	*out = (struct tui_event_row){ .at = e->at, .warning = e->warning, .reason = e->reason, .message = e->message, .object = object_name(d, o), .ref = o && !o->gone ? ref_of(d->a, o) : NULL };
}

static uint32_t first(void *ctx, nsec at)
{
	const struct timeline_data *d = ctx;
	uint32_t lo = 0, hi = d->nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (d->v[mid].at < at)
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

static uint32_t lane(void *ctx, uint32_t k, nsec from, nsec to)
{
	struct timeline_data *d = ctx;

	if (k == 0)
		return d->nr_pods ? (uint32_t)((uint64_t)count_before(d->ready, d->nr_ready, to) * 1000 / d->nr_pods) : 0;
	if (k == 1)
		return first(d, to) - first(d, from);
	return count_before(d->warned, d->nr_warned, to) - count_before(d->warned, d->nr_warned, from);
}

static int by_time(const void *x, const void *y)
{
	nsec a = *(const nsec *)x, b = *(const nsec *)y;

	return (a > b) - (a < b);
}

void fill_timeline(struct tui_model *m, struct arena *a, struct tui_timeline *out)
{
	struct timeline_data *d = arena_make(a, struct timeline_data);
	struct object_list pods = cluster_list(m->world->cluster, &pod_kind);

	d->m = m;
	d->a = a;
	d->v = cluster_events(m->world->cluster, &d->nr);
	d->ready = arena_array(a, nsec, pods.nr);
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		const struct condition *c = condition_get(&p->conditions, "Ready");

		d->nr_pods += !pod_is_terminal(p);
		if (pod_is_ready(p) && c)
			d->ready[d->nr_ready++] = c->changed;
	}
	if (d->nr_ready)
		qsort(d->ready, d->nr_ready, sizeof(nsec), by_time);
	for (uint32_t k = 0; k < d->nr; k++)
		d->nr_warned += d->v[k].warning;
	d->warned = arena_array(a, nsec, d->nr_warned);
	d->nr_warned = 0;
	for (uint32_t k = 0; k < d->nr; k++)
		if (d->v[k].warning)
			d->warned[d->nr_warned++] = d->v[k].at;
	*out = (struct tui_timeline){ .nr = d->nr, .begin = 0, .end = cluster_now(m->world->cluster), .ctx = d, .event = event, .lane = lane, .first = first,
				      .lanes = { { "Pods ready", LANE_BARS }, { "events", LANE_MARKS }, { "warnings", LANE_MARKS } }, .nr_lanes = 3 };
}
