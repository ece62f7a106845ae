#include "viz/report/events.h"

#include <stdlib.h>

#include "model/base/quantity.h"

static int by_last(const void *x, const void *y)
{
	const struct told *a = x, *b = y;

	return a->last->at != b->last->at ? (a->last->at < b->last->at ? -1 : 1) : (a->last > b->last) - (a->last < b->last);
}

/* Of one object: only its own are put into words, of a cluster's that may be a million. */
static const struct event *events_of(struct cluster *c, const struct object *of, struct arena *a, uint32_t *nr)
{
	uint32_t all = cluster_event_count(c), own = 0;
	struct event *v;

	*nr = 0;
	for (uint32_t k = 0; k < all; k++)
		own += obj_get(c, cluster_event_note(c, k).object) == of;
	v = arena_array(a, struct event, own + 1);
	for (uint32_t k = 0; *nr < own; k++)
		if (obj_get(c, cluster_event_note(c, k).object) == of)
			v[(*nr)++] = cluster_event_told(c, k);
	return v;
}

struct told_list events_told(struct cluster *c, const struct object *of, const char *ns, bool apart, struct arena *a)
{
	struct told_list out = { 0 };
	struct map known = { 0 };
	uint32_t nr;
	const struct event *v = of ? events_of(c, of, a, &nr) : cluster_events(c, &nr);

	for (uint32_t k = 0; k < nr; k++) {
		const struct object *o = obj_get(c, v[k].object);
		uint64_t *at;

		if (!of && ns && o && o->ns && strcmp(o->ns, ns) != 0)
			continue;
		at = map_put(&known, a, hash_mix(hash_mix(v[k].object.i, map_ptr(v[k].reason)), map_ptr(v[k].message)));
		if (*at && !apart) {
			struct told *t = &out.v[*at - 1];

			t->last = &v[k];
			t->count++;
			continue;
		}
		vec_add(a, &out, (struct told){ &v[k], v[k].at, 1 });
		*at = out.nr;
	}
	if (out.nr)
		qsort(out.v, out.nr, sizeof(*out.v), by_last);
	return out;
}

static void put(struct arena *a, struct val *map, const char *key, const char *text)
{
	if (text)
		val_put(a, map, key, val_string(a, text));
}

struct val *event_doc(struct cluster *c, const struct told *t, struct arena *a)
{
	const struct object *o = obj_get(c, t->last->object);
	const char *ns = o && o->ns ? o->ns : "default";
	struct val *v = val_new(a, VAL_MAP), *meta, *about, *source;
	char time[32];

	put(a, v, "apiVersion", "v1");
	val_put(a, v, "count", val_int(a, t->count));
	put(a, v, "firstTimestamp", time_text(t->first, time));
	about = val_put(a, v, "involvedObject", val_new(a, VAL_MAP));
	if (o) {
		put(a, about, "apiVersion", o->kind->apis[0]);
		put(a, about, "kind", o->kind->name);
		put(a, about, "name", o->name);
		put(a, about, "namespace", o->ns);
		put(a, about, "uid", o->uid);
	}
	put(a, v, "kind", "Event");
	put(a, v, "lastTimestamp", time_text(t->last->at, time));
	put(a, v, "message", t->last->message);
	meta = val_put(a, v, "metadata", val_new(a, VAL_MAP));
	put(a, meta, "creationTimestamp", time_text(t->first, time));
	put(a, meta, "name", arena_printf(a, "%s.%016" PRIx64, o ? o->name : "event", (uint64_t)t->first));
	put(a, meta, "namespace", ns);
	put(a, v, "reason", t->last->reason);
	put(a, v, "reportingComponent", t->last->component);
	source = val_put(a, v, "source", val_new(a, VAL_MAP));
	put(a, source, "component", t->last->component);
	put(a, v, "type", t->last->warning ? "Warning" : "Normal");
	return v;
}

const char *told_ago(const struct cluster *c, const struct told *t, struct arena *a)
{
	char last[16], first[16];

	age_text(cluster_now(c) - t->last->at, last);
	if (t->count < 2)
		return arena_strdup(a, last);
	return arena_printf(a, "%s (x%u over %s)", last, t->count, age_text(cluster_now(c) - t->first, first));
}
