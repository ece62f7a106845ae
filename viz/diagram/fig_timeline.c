/* What happened to an object, and when: a row for each lane (sandbox, address, containers, readiness, endpoints), a column for each moment, a bar from one change to
 * the next; the events with their words below. Moments stand beside each other at equal distance: what matters is the order, and the times are written. */
#include <stdio.h>
#include <stdlib.h>

#include "viz/diagram/figure.h"

enum { MAX_MOMENTS = 14, MAX_LANES = 16, MAX_EVENTS = 16 };

struct drawing {
	struct scene *s;
	struct arena *a;
	struct timeline t;
	nsec moment[MAX_MOMENTS]; uint32_t nr_moments; bool cut;
	const char *lane[MAX_LANES]; uint32_t nr_lanes;
};

static const char *time_text(struct arena *a, nsec t)
{
	char text[48];
	size_t n;

	snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64, t / SECONDS(1), t % SECONDS(1) / MILLIS(1));
	for (n = strlen(text); text[n - 1] == '0'; n--)
		;
	n -= text[n - 1] == '.';
	return arena_printf(a, "%.*s s", (int)n, text);
}

static void collect(struct drawing *d)
{
	for (uint32_t k = 0; k < d->t.nr; k++) {
		const struct timeline_row *r = &d->t.v[k];
		bool known = strcmp(r->lane, "event") == 0;

		if (!known && (!d->nr_moments || d->moment[d->nr_moments - 1] != r->at)) {
			if (d->nr_moments == MAX_MOMENTS) {
				d->cut = true;
				break;
			}
			d->moment[d->nr_moments++] = r->at;
		}
		for (uint32_t i = 0; i < d->nr_lanes; i++)
			known = known || strcmp(d->lane[i], r->lane) == 0;
		if (!known && d->nr_lanes < MAX_LANES)
			d->lane[d->nr_lanes++] = r->lane;
	}
}

/* The last thing that is said of the lane at that moment; things of one moment are joined. */
static const char *said(struct drawing *d, const char *lane, nsec at)
{
	const char *text = NULL;

	for (uint32_t k = 0; k < d->t.nr; k++)
		if (d->t.v[k].at == at && strcmp(d->t.v[k].lane, lane) == 0)
			text = text ? arena_printf(d->a, "%s; %s", text, d->t.v[k].text) : d->t.v[k].text;
	return text;
}

static enum role role_of(const char *lane, const char *text)
{
	if (strstr(text, "not ") || strstr(text, "ended") || strstr(text, "gone") || strstr(text, "deletion"))
		return ROLE_DENIED;
	if (strncmp(lane, "container", 9) == 0)
		return ROLE_CONTAINER;
	if (strcmp(text, "ready") == 0)
		return ROLE_SERVICE;
	return strcmp(lane, "sandbox") == 0 ? ROLE_PAUSE : strcmp(lane, "endpoints") == 0 || strcmp(lane, "readiness") == 0 ? ROLE_SERVICE : strcmp(lane, "address") == 0 ? ROLE_ROUTER : ROLE_NODE;
}

static void add_lane(struct drawing *d, box_h h, const char *lane)
{
	struct scene_cell *bar = NULL;
	uint32_t gap = 0;

	scene_cell(d->s, h, true, ROW_TEXT, ROLE_PLAIN, lane);
	for (uint32_t m = 0; m < d->nr_moments; m++) {
		const char *text = said(d, lane, d->moment[m]);

		if (!text && bar) {
			bar->span++;
		} else if (!text) {
			gap++;
		} else {
			if (gap)
				scene_cell(d->s, h, false, ROW_GAP, ROLE_PLAIN, NULL)->span = (uint16_t)gap;
			gap = 0;
			bar = scene_cell(d->s, h, false, ROW_BAR, role_of(lane, text), text);
			bar->span = 1;
		}
	}
	if (gap)
		scene_cell(d->s, h, false, ROW_GAP, ROLE_PLAIN, NULL)->span = (uint16_t)gap;
}

static void add_events(struct drawing *d, box_h above)
{
	box_h h = { 0 };
	uint32_t nr = 0, more = 0;

	for (uint32_t k = 0; k < d->t.nr; k++) {
		if (strcmp(d->t.v[k].lane, "event") != 0)
			continue;
		if (nr++ >= MAX_EVENTS) {
			more++;
			continue;
		}
		if (!h.i)
			h = scene_box(d->s, (box_h){ 0 }, ROLE_PLAIN, "events", "events", NULL);
		scene_row(d->s, h, ROW_TEXT, time_text(d->a, d->t.v[k].at), d->t.v[k].text);
	}
	if (more)
		scene_row(d->s, h, ROW_NOTE, arena_printf(d->a, "%u more", more), NULL);
	if (h.i)
		scene_below(d->s, above, h, 1);
}

static int by_time(const void *a, const void *b)
{
	const struct timeline_row *x = *(const struct timeline_row *const *)a, *y = *(const struct timeline_row *const *)b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : (x > y) - (x < y);
}

/* Of a workload: a lane for each of its Pods beside its own. */
static void add_pods(struct drawing *d, struct world *w, const struct object *o)
{
	struct figure_options all = { .all_ns = true };
	struct pod_groups groups = pods_grouped(w->cluster, &all, d->a);
	VEC(struct timeline_row) rows = { 0 };
	struct timeline_row **order;

	for (uint32_t k = 0; k < d->t.nr; k++)
		vec_add(d->a, &rows, d->t.v[k]);
	for (uint32_t g = 0; g < groups.nr; g++) {
		if (strcmp(groups.v[g]->name, o->name) != 0 || groups.v[g]->ns != o->ns || strcmp(groups.v[g]->kind, o->kind->name) != 0)
			continue;
		for (uint32_t i = 0; i < groups.v[g]->pods.nr && i < MAX_LANES - 2; i++) {
			const struct pod *p = groups.v[g]->pods.v[i];
			struct timeline t = control_timeline(w->control, &p->o, d->a);

			for (uint32_t k = 0; k < t.nr; k++)
				if (strcmp(t.v[k].lane, "phase") == 0 || strcmp(t.v[k].lane, "address") == 0 || strcmp(t.v[k].lane, "readiness") == 0)
					vec_add(d->a, &rows, (struct timeline_row){ t.v[k].at, pod_short(d->a, p), t.v[k].text });
		}
	}
	order = arena_array(d->a, struct timeline_row *, (size_t)rows.nr + 1);
	for (uint32_t k = 0; k < rows.nr; k++)
		order[k] = &rows.v[k];
	qsort(order, rows.nr, sizeof(*order), by_time);
	d->t = (struct timeline){ arena_array(d->a, struct timeline_row, (size_t)rows.nr + 1), rows.nr };
	for (uint32_t k = 0; k < rows.nr; k++)
		d->t.v[k] = *order[k];
}

bool fig_timeline(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	const char *slash = strchr(args[0], '/'), *name = slash ? slash + 1 : NULL, *ns = figure_ns(opt), *inner = name ? strchr(name, '/') : NULL;
	const struct kind *kind = slash ? kind_by_word(arena_strndup(s->arena, args[0], (size_t)(slash - args[0]))) : NULL;
	const struct object *o;
	box_h h;

	(void)rest;
	(void)nr;
	if (!kind)
		return err_add(err, ERR_INPUT, NULL, "timeline: \"%s\" is not KIND/NAME, as in pod/web", args[0]);
	if (inner) {
		ns = arena_strndup(s->arena, name, (size_t)(inner - name));
		name = inner + 1;
	}
	o = cluster_find(w->cluster, kind, kind->namespaced ? ns : NULL, name);
	if (!o && kind->namespaced) {                   /* the first Pod of a workload of that name, or a Pod of which only the beginning is told */
		struct object_list l = cluster_list_ns(w->cluster, kind, ns);

		for (uint32_t k = 0; k < l.nr && !o; k++)
			if (strncmp(l.v[k]->name, name, strlen(name)) == 0 && l.v[k]->name[strlen(name)] == '-')
				o = l.v[k];
	}
	if (!o)
		return err_add(err, ERR_FAILED, NULL, "there is no %s \"%s\"%s%s", kind->name, name, kind->namespaced ? " in namespace " : "", kind->namespaced ? ns : "");
	*d = (struct drawing){ .s = s, .a = s->arena, .t = control_timeline(w->control, o, s->arena) };
	if (kind != &pod_kind)
		add_pods(d, w, o);
	collect(d);
	scene_init(s, s->arena, "timeline", arena_printf(s->arena, "What happened to %s %s, and when", kind->name, o->name));
	s->description = arena_printf(s->arena, "%u moments in %u lanes, and the events below.", d->nr_moments, d->nr_lanes);
	h = scene_box(s, (box_h){ 0 }, ROLE_PLAIN, part_id(s, o), NULL, NULL);
	part_details(s, h, w->cluster, o);
	scene_get(s, h)->title = arena_printf(s->arena, "%s %s", kind->name, o->name);
	scene_cell(s, h, true, ROW_HEAD, ROLE_PLAIN, arena_printf(s->arena, "%s %s", kind->name, o->name));
	for (uint32_t m = 0; m < d->nr_moments; m++)
		scene_cell(s, h, false, ROW_HEAD, ROLE_OUTSIDE, time_text(s->arena, d->moment[m]));
	for (uint32_t k = 0; k < d->nr_lanes; k++)
		add_lane(d, h, d->lane[k]);
	add_events(d, h);
	scene_note(s, ROLE_PLAIN, NULL, "times count from the start of the lab; a bar lasts until something changes");
	if (d->cut)
		scene_note(s, ROLE_DENIED, "not all moments are drawn", "there are more than 14");
	return true;
}
