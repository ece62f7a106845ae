/* ReplicaSets and ReplicationControllers: as many Pods as they say. Source: pkg/controller/replicaset/replica_set.go; facts 59. */
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/control/gc.h"
#include "model/control/nodes.h"
#include "model/control/workloads.h"

#define BURST 500               /* BurstReplicas: at most so many are made or deleted in one sync */

static struct selector_index *index_of(struct control *t)
{
	return &((struct owners *)control_state(t, CTL_REPLICASET))->index;
}

static void wake_either(struct control *t, const struct pod *p)
{
	const struct object *owner = control_owner(t, &p->o);

	if (owner) {
		if ((owner->kind == &replicaset_kind || owner->kind == &replication_controller_kind) && !owner->gone)
			control_wake(t, CTL_REPLICASET, owner, 0);
		return;
	}
	wake_owner(t, CTL_REPLICASET, &replicaset_kind, index_of(t), p);
	wake_owner(t, CTL_REPLICASET, &replication_controller_kind, index_of(t), p);
}

static void watch(struct control *t, const struct change *ch)
{
	struct object *o = ch->object;

	if (o->kind == &pod_kind) {
		wake_either(t, (struct pod *)o);
		return;
	}
	if (ch->kind == CHANGE_DELETE)
		return;
	selector_index_add(t, index_of(t), o, &((struct workload *)o)->selector.labels);
	control_wake(t, CTL_REPLICASET, o, 0);
}

/* ---- making and deleting */

static const struct event_form created[] = { { false, "replicaset-controller", "SuccessfulCreate", "Created pod: %s" },
					     { false, "replication-controller", "SuccessfulCreate", "Created pod: %s" } };
static const struct event_form deleted[] = { { false, "replicaset-controller", "SuccessfulDelete", "Deleted pod: %s" },
					     { false, "replication-controller", "SuccessfulDelete", "Deleted pod: %s" } };

static const char *component(const struct object *o)
{
	return o->kind == &replication_controller_kind ? "replication-controller" : "replicaset-controller";
}

struct making { struct control *t; struct workload *w; struct arena *scratch; uint32_t more; const char *refused; };

static bool make_one(void *ctx)
{
	struct making *m = ctx;
	struct cluster *c = control_cluster(m->t);
	const struct object *o = &m->w->o;
	str base = name_base(m->t, o);
	struct pod *p;

	m->refused = admission_refuses(m->t, CTL_REPLICASET, o, m->w->template.spec, m->more, base, component(o), "Error creating", m->scratch);
	if (m->refused)
		return false;
	m->more--;
	p = pod_from(m->t, o, &m->w->template, generate_name(c, &pod_kind, o->ns, base, o->uid, made_count(m->t, o)));
	p->o.generate_name = base;
	cluster_add(c, &p->o);
	cluster_event_form(c, o, &created[o->kind == &replication_controller_kind], p->o.name);
	return true;
}

/* How many active Pods of all ReplicaSets of the same owner each node has (getPodsRankedByRelatedPodsOnSameNode). */
static void rank(struct control *t, const struct workload *w, struct candidate *v, uint32_t nr, struct arena *scratch)
{
	const struct owner_ref *ref = controller_of(&w->o);
	const struct object *owner = ref ? control_by_uid(t, ref->uid) : NULL;
	struct object_list sets = owner ? dependents(t, owner, w->o.kind, scratch) : (struct object_list){ 0 };
	struct map on = { 0 };

	for (uint32_t s = 0; s < MAX(sets.nr, 1u); s++) {
		uint32_t n;
		struct pod **pods = pods_controlled(t, sets.nr ? sets.v[s] : &w->o, scratch, &n);

		for (uint32_t k = 0; k < n; k++)
			if (pods[k]->node && pod_is_active(pods[k]))
				++*map_put(&on, scratch, map_ptr(pods[k]->node));
	}
	for (uint32_t k = 0; k < nr; k++) {
		const uint64_t *at = v[k].pod->node ? map_find(&on, map_ptr(v[k].pod->node)) : NULL;

		v[k].rank = at ? (uint32_t)*at : 0;
	}
}

struct candidate *deletion_candidates(struct control *t, const struct workload *w, struct arena *scratch, uint32_t *nr)
{
	struct pod **pods = pods_controlled(t, &w->o, scratch, nr);
	struct candidate *v = arena_array(scratch, struct candidate, *nr);
	uint32_t all = *nr;

	*nr = 0;
	for (uint32_t k = 0; k < all; k++)
		if (pod_is_active(pods[k]))
			v[(*nr)++].pod = pods[k];
	rank(t, w, v, *nr, scratch);
	sort_for_deletion(v, *nr, *nr, control_now(t));
	return v;
}

static void delete_some(struct control *t, struct workload *w, struct pod **active, uint32_t nr, uint32_t surplus, nsec now, struct arena *scratch)
{
	struct candidate *v = arena_array(scratch, struct candidate, nr);

	for (uint32_t k = 0; k < nr; k++)
		v[k].pod = active[k];
	if (surplus < nr) {
		rank(t, w, v, nr, scratch);
		sort_for_deletion(v, nr, surplus, now);
	}
	for (uint32_t k = 0; k < surplus; k++) {
		struct object *p = (struct object *)(uintptr_t)&v[k].pod->o;

		cluster_event_form(control_cluster(t), &w->o, &deleted[w->o.kind == &replication_controller_kind], p->name);
		apply_delete(control_cluster(t), p);
	}
}

/* ---- status */

struct tally { int32_t replicas, ready, available; nsec again; };

static struct tally count(const struct workload *w, struct pod **v, uint32_t nr, nsec now)
{
	struct tally s = { .again = NEVER };
	const struct pod *like = NULL;          /* Pods that have moved together share their conditions */
	bool ready = false, available = false;

	for (uint32_t k = 0; k < nr; k++) {
		if (!pod_is_active(v[k]))
			continue;
		if (!like || v[k]->conditions.v != like->conditions.v || v[k]->given != like->given) {
			ready = pod_is_ready(v[k]);
			available = pod_is_available(v[k], w->min_ready_seconds, now, &s.again);
			like = v[k];
		}
		s.replicas++;
		s.ready += ready;
		s.available += available;
	}
	return s;
}

static void write_status(struct control *t, struct workload *w, const struct tally *s)
{
	if (w->st_replicas == s->replicas && w->st_ready == s->ready && w->st_available == s->available && w->st_observed == w->o.generation)
		return;
	w->st_replicas = s->replicas;
	w->st_ready = s->ready;
	w->st_available = s->available;
	w->st_observed = w->o.generation;
	cluster_touch(control_cluster(t), &w->o);
}

/* replica_set_utils.go calculateStatus: the condition stands for as long as Pods cannot be made. */
static void tell_refusal(struct control *t, struct workload *w, const char *why)
{
	const struct condition *told = w->conditions.nr ? condition_get(&w->conditions, "ReplicaFailure") : NULL;
	condition_list rest = { 0 };

	if (!told == !why)
		return;
	if (why) {
		condition_put(control_cluster(t), &w->conditions, "ReplicaFailure", COND_TRUE, "FailedCreate", why);
	} else {
		rest.v = arena_array(cluster_arena(control_cluster(t)), struct condition, w->conditions.nr);
		rest.set = true;
		for (uint32_t k = 0; k < w->conditions.nr; k++)
			if (&w->conditions.v[k] != told)
				rest.v[rest.nr++] = w->conditions.v[k];
		w->conditions = rest;
	}
	cluster_touch(control_cluster(t), &w->o);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct workload *w = (struct workload *)o;
	struct scratch work = control_scratch(t);
	struct arena *scratch = work.arena;
	struct making making = { .t = t, .w = w, .scratch = scratch };
	uint32_t nr = 0, active = 0, want = (uint32_t)MAX(w->replicas, 0);
	struct pod **v;
	struct tally s;

	if (!o->gone) {
		v = pods_claimed(t, o, &w->selector, NULL, scratch, &nr);
		for (uint32_t k = 0; k < nr; k++)
			if (pod_is_active(v[k])) {
				struct pod *p = v[k];

				v[k] = v[active];
				v[active++] = p;
			}
		/* The status is of what there was; what is made or deleted now changes it by the next run. */
		s = count(w, v, nr, now);
		making.more = want - MIN(active, want);
		if (o->deleted == NEVER && making.more)
			slow_start(MIN(making.more, BURST), make_one, &making);
		else if (o->deleted == NEVER && active > want)
			delete_some(t, w, v, active, MIN(active - want, BURST), now, scratch);
		tell_refusal(t, w, making.refused);
		write_status(t, w, &s);
		control_wake(t, CTL_REPLICASET, o, s.again);
	}
	scratch_end(work);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct owners);
}

static const struct kind *const kinds_heard[] = { &pod_kind, &replicaset_kind, &replication_controller_kind, NULL };
static const struct kind *const owners[] = { &replicaset_kind, &replication_controller_kind, NULL };
const struct controller replicaset_controller = { .name = "replicaset", .kinds = kinds_heard, .owners = owners, .pods = POD_ADDED | POD_GONE | POD_READY | POD_OTHER, .init = init, .watch = watch, .run = run,
						  .save = owners_save, .load = owners_load };
