/*
 * The scheduler. Sources: pkg/scheduler/schedule_one.go, framework/plugins/…, framework/types.go FitError; facts 9, timings.
 *
 * Theory of operation. A Pod's fixed demands (selector, node affinity, tolerations) make its profile; equal profiles are one. For each profile a tree
 * holds the load of every node that it may use, so that the least loaded is found in log n; nodes that have Pods of the same owner already are set aside
 * while the owner's Pods are placed, which spreads them, as the default topology constraints do. Pods with demands that depend on other Pods (affinity,
 * spread constraints, host ports) or with preferences, and all Pods of small clusters,
 * look at every node instead and weigh those that fit (scheduler_score.c). Where Kubernetes throws dice among equal nodes, the less loaded and then the first by name is taken.
 */

#include <stdlib.h>

#include "model/control/scheduler.h"

struct scheduler *scheduler_of(const struct control *t)
{
	return control_state(t, CTL_SCHEDULER);
}

/* ---- one Pod */

/* Would the affinity of a Pod that is there draw this one, or keep it away? One of each spec is asked. */
static bool is_liked(struct control *t, const struct pod *p)
{
	static const struct { const char *which, *how; } rows[] = { { "podAffinity", REQUIRED }, { "podAffinity", PREFERRED }, { "podAntiAffinity", PREFERRED } };
	const struct scheduler *x = scheduler_of(t);

	for (uint32_t k = 0; k < x->liking.nr; k++)
		for (size_t r = 0; r < ARRAY_LEN(rows); r++)
			VAL_EACH(v, affinity_terms(x->liking.v[k], rows[r].which, rows[r].how))
				if (affinity_term_matches(t, rows[r].how[0] == 'p' ? val_get(v, "podAffinityTerm") : v, x->liking.v[k], p))
					return true;
	return false;
}

static bool needs_care(struct control *t, const struct pod *p)
{
	const struct scheduler *x = scheduler_of(t);
	const struct pod_spec *s = p->spec;

	return (x->liking.nr && is_liked(t, p)) || s->spread.nr || x->repelling.nr || has_host_ports(s) ||
	       (s->affinity && (val_get(s->affinity, "podAffinity") || val_get(s->affinity, "podAntiAffinity") || val_path(s->affinity, "nodeAffinity." PREFERRED)));
}

/* A cluster of a few nodes is looked at with care always. */
#define SMALL 40

/* The one node that a Pod of a DaemonSet names. */
static struct node_info *pinned_to(struct control *t, const struct pod_spec *s)
{
	const struct val *terms = !s->affinity ? NULL : val_path(s->affinity, "nodeAffinity." REQUIRED ".nodeSelectorTerms"), *fields = terms && terms->nr == 1 ? val_get(val_at(terms, 0), "matchFields") : NULL;
	const struct val *values = fields && fields->nr == 1 && streq(val_str_at(val_at(fields, 0), "operator"), "In") ? val_get(val_at(fields, 0), "values") : NULL;
	const char *name = values && values->nr == 1 ? val_str(val_at(values, 0)) : NULL;

	return name ? node_info(t, str_find(cluster_strings(control_cluster(t)), name)) : NULL;
}

static struct node_info *choose(struct look *l)
{
	struct node_info *pin = pinned_to(l->t, l->pod->spec);
	struct profile *p;
	const char *why[MAX_LACKS];
	bool resolvable;

	if (pin && pin->node && !l->volumes && !needs_care(l->t, l->pod) && !look_problems(l, pin, why, &resolvable))
		return pin;
	if (l->x->nr > SMALL && !pin && !l->volumes && !l->x->images && !needs_care(l->t, l->pod) && (p = profile_of(l->t, l->pod->spec)))
		return profile_choice(l->t, p, l->pod, l->demand);
	look_round(l);
	return look_choice(l);
}

static const struct event_form assigned = { false, "default-scheduler", "Scheduled", "Successfully assigned %o to %s" };

static const struct condition *scheduled_now(struct control *t)
{
	struct scheduler *x = scheduler_of(t);
	struct condition one;

	if (x->scheduled.list && x->scheduled.at == control_now(t))
		return x->scheduled.list;
	memset(&one, 0, sizeof(one));           /* padding counts when bytes are compared */
	one.type = x->pod_scheduled;
	one.status = COND_TRUE;
	one.changed = control_now(t);
	one.heartbeat = NEVER;
	x->scheduled.at = control_now(t);
	return x->scheduled.list = share_bytes(t, &one, sizeof(one));
}

/* Of a Pod that is bound: what it wants of those that come later. */
static void remember_affinity(struct control *t, struct pod *p)
{
	struct scheduler *x = scheduler_of(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *known;

	if (!p->spec->affinity)
		return;
	if (affinity_terms(p, "podAntiAffinity", REQUIRED))
		vec_add(a, &x->repelling, p);
	if (!val_get(p->spec->affinity, "podAffinity") && !affinity_terms(p, "podAntiAffinity", PREFERRED))
		return;
	known = map_put(&x->liking_specs, a, map_ptr(p->spec));
	if (!*known)
		vec_add(a, &x->liking, (const struct pod *)p);
	*known = 1;
}

static void bind(struct control *t, struct pod *p, struct node_info *on)
{
	struct scheduler *x = scheduler_of(t);
	struct cluster *c = control_cluster(t);

	if (x->waiting.nr)
		map_remove(&x->waiting, p->o.id.i);
	if (has_claims(p->spec) && volumes_matter(c))
		claims_bind(t, p, on->node);
	p->node = on->name;
	x->least_priority = MIN(x->least_priority, pod_priority(c, p->spec));
	if (p->conditions.nr)
		condition_put(c, &p->conditions, "PodScheduled", COND_TRUE, NULL, NULL);
	else
		p->conditions = (condition_list){ (struct condition *)(uintptr_t)scheduled_now(t), 1, true };
	cluster_event_form(c, &p->o, &assigned, on->name);
	remember_affinity(t, p);
	cluster_touch_pod(c, p, POD_BOUND);
	if (on->place)
		profile_reload(x, on->place - 1);
}

static void fail(struct look *l, struct pod *p)
{
	struct scheduler *x = l->x;
	struct cluster *c = control_cluster(l->t);
	uint64_t *attempts = map_find(&x->waiting, p->o.id.i);
	str why;

	if (x->last.spec == p->spec && x->last.seen == x->changes) {
		why = x->last.message;
	} else {
		if (!l->terms)
			look_round(l);
		preempt(l);
		why = look_explain(l);
		if (l->unhelpful)
			x->last = (struct failure){ p->spec, x->changes, why };
	}
	if (!attempts) {
		attempts = map_put(&x->waiting, cluster_arena(c), p->o.id.i);
		vec_add(cluster_arena(c), &x->waiters, p->o.id);
	}
	++*attempts;
	if (!condition_put(c, &p->conditions, "PodScheduled", COND_FALSE, "Unschedulable", why))
		return;
	cluster_event(c, &p->o, true, "default-scheduler", "FailedScheduling", "%s", why);
	cluster_touch(c, &p->o);
}

/* A Pod with gates is not looked at (schedulinggates; registry/core/pod/strategy.go applySchedulingGatedCondition). */
static void hold(struct control *t, struct pod *p)
{
	struct cluster *c = control_cluster(t);

	if (condition_put(c, &p->conditions, "PodScheduled", COND_FALSE, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"))
		cluster_touch(c, &p->o);
}

static bool wants_a_node(const struct pod *p)
{
	return !p->o.gone && !p->node && p->o.deleted == NEVER && !pod_is_terminal(p) && !p->given &&
	       (!p->spec->scheduler || streq(p->spec->scheduler, "default-scheduler"));
}

/* Has a Pod of the same shape just been found to fit nowhere, and nothing has made room since? Pods whose fit depends on others are always looked at. */
static bool known_to_fail(const struct look *l, const struct pod *p)
{
	return l->x->last.spec == p->spec && l->x->last.seen == l->x->changes && !l->volumes && !needs_care(l->t, p);
}

static void place(struct look *l, struct pod *p)
{
	struct cluster *c = control_cluster(l->t);
	struct node_info *on;

	scheduler_list_nodes(l->t);
	l->demand = demand_for(l->t, p->spec);
	l->volumes = has_claims(p->spec) && volumes_matter(c);
	l->block = l->volumes ? claims_block(c, p, l->scratch) : NULL;
	on = l->block || known_to_fail(l, p) ? NULL : choose(l);
	if (on)
		bind(l->t, p, on);
	else
		fail(l, p);
}

/* ---- the queue: who has more priority comes first (plugins/queuesort PrioritySort), so that the room that preemption made is not taken by others */

struct waiter { struct pod *pod; int32_t priority; };

static int by_priority(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return x->pod->o.id.i < y->pod->o.id.i ? -1 : 1;
}

static void place_alone(struct control *t, struct pod *p)
{
	struct scratch scratch = control_scratch(t);
	struct look l = { .t = t, .x = scheduler_of(t), .pod = p, .scratch = scratch.arena };

	place(&l, p);
	scratch_end(scratch);
}

/* Room may have come: those that wait for it, and have more priority than this one, are looked at first. */
static void more_important_first(struct control *t, const struct pod *than)
{
	struct scheduler *x = scheduler_of(t);
	struct cluster *c = control_cluster(t);
	struct scratch scratch = control_scratch(t);
	int32_t own = pod_priority(c, than->spec);
	VEC(struct waiter) first = { 0 };

	x->offered = x->changes;
	for (uint32_t k = 0; k < x->waiters.nr; k++) {
		struct pod *p = (struct pod *)obj_get(c, x->waiters.v[k]);

		if (map_find(&x->waiting, p->o.id.i) && wants_a_node(p) && !p->spec->scheduling_gates.nr && pod_priority(c, p->spec) > own)
			vec_add(scratch.arena, &first, ((struct waiter){ p, pod_priority(c, p->spec) }));
	}
	if (first.nr)
		qsort(first.v, first.nr, sizeof(*first.v), by_priority);
	for (uint32_t k = 0; k < first.nr; k++)
		place_alone(t, first.v[k].pod);
	scratch_end(scratch);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct pod *p = (struct pod *)o;
	struct scheduler *x = scheduler_of(t);

	(void)now;
	x->all_woken = false;
	if (!wants_a_node(p))
		return;
	x->writing = true;
	if (p->spec->scheduling_gates.nr) {
		hold(t, p);
	} else {
		if (x->waiters.nr && x->offered != x->changes)
			more_important_first(t, p);
		place_alone(t, p);
	}
	x->writing = false;
}

/* ---- when to look (again) */

static void room_came(struct control *t)
{
	struct scheduler *x = scheduler_of(t);
	uint32_t to = 0;

	x->changes++;
	if (x->all_woken)
		return;
	x->all_woken = true;
	for (uint32_t k = 0; k < x->waiters.nr; k++) {
		struct object *o = obj_get(control_cluster(t), x->waiters.v[k]);

		if (!map_find(&x->waiting, o->id.i) || !wants_a_node((struct pod *)o))
			continue;
		x->waiters.v[to++] = o->id;
		control_wake(t, CTL_SCHEDULER, o, 0);
	}
	x->waiters.nr = to;
}

static void load_changed(struct control *t, str node)
{
	struct scheduler *x = scheduler_of(t);
	const struct node_info *i = node_info(t, node);

	if (i && i->place && x->version == nodes_version(t) + 1)
		profile_reload(x, i->place - 1);
}

static void watch(struct control *t, const struct change *ch)
{
	struct scheduler *x = scheduler_of(t);
	struct pod *p = (struct pod *)ch->object;

	if (ch->object->kind != &pod_kind) {
		room_came(t);
		return;
	}
	if (wants_a_node(p) && (ch->kind == CHANGE_ADD || (ch->kind == CHANGE_UPDATE && !x->writing)))
		control_wake(t, CTL_SCHEDULER, ch->object, 0);
	if (p->node && ch->kind == CHANGE_ADD)
		x->least_priority = MIN(x->least_priority, pod_priority(control_cluster(t), p->spec));
	if (p->node && (ch->kind != CHANGE_UPDATE || pod_is_terminal(p)))
		load_changed(t, p->node);
	if (p->node && (ch->kind == CHANGE_DELETE || pod_is_terminal(p))) {
		if (x->waiters.nr)
			room_came(t);
	} else if (ch->kind == CHANGE_ADD && p->node) {
		remember_affinity(t, p);
	} else if (p->node && x->waiters.nr && ch->kind == CHANGE_UPDATE && map_find(&x->waiting, p->o.id.i)) {
		room_came(t);           /* bound: others may have waited for its company */
	}
}

static void *init(struct control *t)
{
	struct cluster *c = control_cluster(t);
	struct scheduler *x = arena_make(cluster_arena(c), struct scheduler);

	x->pod_scheduled = cluster_str(c, "PodScheduled");
	x->least_priority = INT32_MAX;
	return x;
}

static const struct kind *const kinds_heard[] = { &pod_kind, &node_kind, &pvc_kind, &pv_kind, &storage_class_kind, NULL };
const struct controller scheduler_controller = { .name = "scheduler", .kinds = kinds_heard, .pods = (uint8_t)~(POD_ADDRESS | POD_STATUS),
						 .init = init, .watch = watch, .run = run };
