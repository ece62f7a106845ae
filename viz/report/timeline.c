#include "viz/report/timeline.h"

#include <stdlib.h>

#include "viz/report/events.h"
#include "viz/report/table.h"

static const char *moment(struct arena *a, nsec t)
{
	return arena_printf(a, "%" PRId64 ".%03" PRId64 "s", t / SECONDS(1), t % SECONDS(1) / MILLIS(1));
}

static int by_time(const void *a, const void *b)
{
	nsec x = *(const nsec *)a, y = *(const nsec *)b;

	return (x > y) - (x < y);
}

static bool of_object(const struct chronicle *c, const struct object *o)
{
	return o && o->kind == c->kind && streq(o->name, c->name) && (!o->ns || streq(o->ns, c->ns));
}

void timeline_text(struct cluster *cl, const struct chronicle *c, struct arena *a, struct sb *out)
{
	struct table_text t;
	nsec *times;
	uint32_t nr = 0, moments = 0, events;
	const struct event *e = cluster_events(cl, &events);

	for (uint32_t l = 0; l < c->lanes.nr; l++)
		nr += c->lanes.v[l].states.nr;
	times = arena_array(a, nsec, nr + 1);
	nr = 0;
	for (uint32_t l = 0; l < c->lanes.nr; l++)
		for (uint32_t s = 0; s < c->lanes.v[l].states.nr; s++)
			times[nr++] = c->lanes.v[l].states.v[s].at;
	if (nr)
		qsort(times, nr, sizeof(*times), by_time);
	for (uint32_t k = 0; k < nr; k++)
		if (!moments || times[moments - 1] != times[k])
			times[moments++] = times[k];
	sb_printf(out, "%s %s%s%s\n\n", c->kind->name, c->kind->namespaced ? c->ns : "", c->kind->namespaced ? "/" : "", c->name);
	table_begin(&t, a, c->lanes.nr + 1);
	table_cell(&t, "TIME");
	for (uint32_t l = 0; l < c->lanes.nr; l++)
		table_cell(&t, c->lanes.v[l].name);
	for (uint32_t k = 0; k < moments; k++) {
		table_cell(&t, moment(a, times[k]));
		for (uint32_t l = 0; l < c->lanes.nr; l++) {
			const char *text = "";

			for (uint32_t s = 0; s < c->lanes.v[l].states.nr && c->lanes.v[l].states.v[s].at <= times[k]; s++) {
				const struct state *st = &c->lanes.v[l].states.v[s];

				text = st->at == times[k] ? *st->text ? st->text : s ? "╵" : "" : *st->text ? "│" : "";
			}
			table_cell(&t, text);
		}
	}
	table_print(&t, out);
	table_begin(&t, a, 4);
	nr = 0;
	for (uint32_t k = 0; k < events; k++) {
		if (!of_object(c, obj_get(cl, e[k].object)))
			continue;
		if (!nr++)
			for (const char *const *h = (const char *const[]){ "TIME", "TYPE", "REASON", "MESSAGE", NULL }; *h; h++)
				table_cell(&t, *h);
		table_cell(&t, moment(a, e[k].at));
		table_cell(&t, e[k].warning ? "Warning" : "Normal");
		table_cell(&t, e[k].reason);
		table_cell(&t, e[k].message);
	}
	if (nr) {
		sb_addc(out, '\n');
		table_print(&t, out);
	}
}

struct val *timeline_json(struct cluster *cl, const struct chronicle *c, struct arena *a)
{
	struct val *root = val_new(a, VAL_MAP), *lanes, *list;
	uint32_t events;
	const struct event *e = cluster_events(cl, &events);

	val_put(a, root, "object", val_string(a, arena_printf(a, "%s %s%s%s", c->kind->name, c->kind->namespaced ? c->ns : "", c->kind->namespaced ? "/" : "", c->name)));
	lanes = val_put(a, root, "lanes", val_new(a, VAL_LIST));
	for (uint32_t l = 0; l < c->lanes.nr; l++) {
		struct val *lane = val_add(a, lanes, val_new(a, VAL_MAP)), *states;

		val_put(a, lane, "name", val_string(a, c->lanes.v[l].name));
		states = val_put(a, lane, "states", val_new(a, VAL_LIST));
		for (uint32_t s = 0; s < c->lanes.v[l].states.nr; s++) {
			struct val *v = val_add(a, states, val_new(a, VAL_MAP));

			val_put(a, v, "at", val_string(a, moment(a, c->lanes.v[l].states.v[s].at)));
			val_put(a, v, "state", *c->lanes.v[l].states.v[s].text ? val_string(a, c->lanes.v[l].states.v[s].text) : val_new(a, VAL_NULL));
		}
	}
	list = val_put(a, root, "events", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < events; k++) {
		struct val *v;

		if (!of_object(c, obj_get(cl, e[k].object)))
			continue;
		v = val_add(a, list, val_new(a, VAL_MAP));
		val_put(a, v, "at", val_string(a, moment(a, e[k].at)));
		val_put(a, v, "type", val_string(a, e[k].warning ? "Warning" : "Normal"));
		val_put(a, v, "reason", val_string(a, e[k].reason ? e[k].reason : ""));
		val_put(a, v, "message", val_string(a, e[k].message ? e[k].message : ""));
	}
	return root;
}
