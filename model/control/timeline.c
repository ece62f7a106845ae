/* What happened to an object, in order of time: its events, and for a Pod what its status tells of sandbox, address, containers and readiness. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/control/nodes.h"

struct rows { struct control *t; struct arena *a; struct { struct timeline_row *v; uint32_t nr, alloc; } list; };

static void PRINTF(4, 5) add(struct rows *r, nsec at, const char *lane, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	if (at == NEVER)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vec_add(r->a, &r->list, (struct timeline_row){ at, lane, arena_strdup(r->a, text) });
}

static void tell_events(struct rows *r, const struct object *o)
{
	uint32_t nr;
	const struct event *e = cluster_events(control_cluster(r->t), &nr);

	for (uint32_t k = 0; k < nr; k++)
		if (e[k].object.i == o->id.i)
			add(r, e[k].at, "event", "%s: %s", e[k].reason, e[k].message);
}

static void tell_container(struct rows *r, const struct container_status *s)
{
	const char *lane = arena_printf(r->a, "container %s", s->name);

	if (s->last_reason)
		add(r, s->last_finished, lane, "ended before: %s, exit code %d", s->last_reason, s->last_exit);
	add(r, s->started_at, lane, "runs%s", s->restarts ? arena_printf(r->a, ", restart %d", s->restarts) : "");
	if (s->state == CS_TERMINATED)
		add(r, s->finished_at, lane, "ended: %s, exit code %d", s->reason ? s->reason : "", s->exit_code);
}

/* Services whose slices have the Pod: it came in with its address, and counts since it is ready. */
static void tell_endpoints(struct rows *r, const struct pod *p, nsec address, const struct condition *ready)
{
	struct cluster *c = control_cluster(r->t);
	struct object_list l = cluster_list_ns(c, &endpointslice_kind, p->o.ns);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)l.v[k];

		for (uint32_t i = 0; s->service && i < s->endpoints.nr; i++) {
			const struct endpoint *e = &s->endpoints.v[i];

			if (!e->target || !streq(e->target->uid, p->o.uid))
				continue;
			add(r, address, "endpoints", "in slice %s of Service %s", s->o.name, s->service);
			if (ready)
				add(r, ready->changed, "endpoints", "%s in Service %s", e->ready == TRI_FALSE ? "not ready" : "ready", s->service);
		}
	}
}

static void tell_pod(struct rows *r, const struct pod *p)
{
	const struct condition *sandbox = condition_get(&p->conditions, "PodReadyToStartContainers"), *ready = condition_get(&p->conditions, "Ready"),
			       *init = condition_get(&p->conditions, "Initialized"), *scheduled = condition_get(&p->conditions, "PodScheduled");
	bool made = sandbox && sandbox->status == COND_TRUE;

	if (scheduled)
		add(r, scheduled->changed, "phase", scheduled->status == COND_TRUE ? "bound to %s" : "not scheduled: %s",
		    scheduled->status == COND_TRUE ? p->node : scheduled->message ? scheduled->message : "");
	add(r, p->start, "sandbox", "the kubelet of %s begins", p->node ? p->node : "");
	if (sandbox)
		add(r, sandbox->changed, "sandbox", made ? "ready: network namespace, CNI, pause" : "gone");
	if (made && ip_set(p->ip))
		add(r, sandbox->changed, "address", "%s%s%s", IP(p->ip), ip_set(p->ip2) ? ", " : "", IP(p->ip2));
	if (init && init->status == COND_TRUE && p->spec->init_containers.nr)
		add(r, init->changed, "phase", "initialized");
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		tell_container(r, &p->statuses.v[k]);
	if (ready)
		add(r, ready->changed, "readiness", "%s%s%s", ready->status == COND_TRUE ? "ready" : "not ready", ready->message ? ": " : "", ready->message ? ready->message : "");
	tell_endpoints(r, p, made ? sandbox->changed : NEVER, ready);
}

/* A stable sort by time: what is told first stays first. */
static int by_time(const void *a, const void *b)
{
	const struct timeline_row *x = *(struct timeline_row *const *)a, *y = *(struct timeline_row *const *)b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : (x > y) - (x < y);
}

struct timeline control_timeline(const struct control *t, const struct object *o, struct arena *scratch)
{
	struct rows r = { .t = (struct control *)t, .a = scratch };
	struct timeline out = { 0 };
	struct timeline_row **order;

	add(&r, o->created, "phase", "created");
	tell_events(&r, o);
	if (o->kind == &pod_kind)
		tell_pod(&r, (const struct pod *)o);
	if (o->deleted != NEVER)
		add(&r, o->deleted, "phase", "deletion asked for");
	order = arena_array(scratch, struct timeline_row *, r.list.nr);
	for (uint32_t k = 0; k < r.list.nr; k++)
		order[k] = &r.list.v[k];
	qsort(order, r.list.nr, sizeof(*order), by_time);
	out.v = arena_array(scratch, struct timeline_row, r.list.nr);
	for (; out.nr < r.list.nr; out.nr++)
		out.v[out.nr] = *order[out.nr];
	return out;
}
