/* Deployments: one ReplicaSet per template, and the way from the old ones to the new one.
 * Sources: pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go, util/deployment_util.go. */
#include <stdio.h>
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/control/gc.h"
#include "model/control/workloads.h"

#define HASH_LABEL "pod-template-hash"
#define MAX_NAME   253                  /* of a DNS subdomain */
#define REVISION   "deployment.kubernetes.io/revision"

struct deploying {
	struct control *t;
	struct cluster *c;
	struct workload *d;
	struct workload *newer;                 /* NULL: not made yet */
	struct workload **old; uint32_t nr_old; /* oldest first */
	struct arena *scratch;
	nsec now;
};

struct memory {
	struct map progress;                    /* handle → time of the last step forward, + 1 */
	bool lone_sets;                         /* a ReplicaSet without an owner was seen: it may be adopted */
};

static void lone_set(struct control *t, const struct object *rs)
{
	struct object_list l = cluster_list_ns(control_cluster(t), &deployment_kind, rs->ns);

	((struct memory *)control_state(t, CTL_DEPLOYMENT))->lone_sets = true;
	for (uint32_t k = 0; k < l.nr; k++)
		if (selector_matches(&((struct workload *)l.v[k])->selector, &rs->labels))
			control_wake(t, CTL_DEPLOYMENT, l.v[k], 0);
}

static void watch(struct control *t, const struct change *ch)
{
	struct object *o = ch->object;
	const struct owner_ref *ref = o->kind == &deployment_kind ? NULL : controller_of(o);
	struct object *owner;

	if (o->kind == &pod_kind) {             /* Recreate waits until the old Pods are gone: only its end matters */
		if (ch->kind != CHANGE_DELETE && !pod_is_terminal((struct pod *)o))
			return;
		owner = ref ? control_by_uid(t, ref->uid) : NULL;
		ref = owner ? controller_of(owner) : NULL;
	}
	if (o->kind == &replicaset_kind && ch->kind == CHANGE_ADD && !ref)
		lone_set(t, o);
	owner = ref ? control_by_uid(t, ref->uid) : o;
	if (owner && owner->kind == &deployment_kind && !owner->gone)
		control_wake(t, CTL_DEPLOYMENT, owner, 0);
}

/* ---- the ReplicaSets that there are */

static int oldest_first(const void *a, const void *b)
{
	const struct workload *x = *(struct workload *const *)a, *y = *(struct workload *const *)b;

	if (x->o.created != y->o.created)
		return x->o.created < y->o.created ? -1 : 1;
	return str_order(x->o.name, y->o.name);
}

static int32_t revision(const struct object *o)
{
	const char *s = label_get(&o->annotations, REVISION);

	return s ? atoi(s) : 0;
}

static void adopt_sets(struct deploying *x)
{
	struct object_list l = cluster_list_ns(x->c, &replicaset_kind, x->d->o.ns);

	for (uint32_t k = 0; k < l.nr; k++)
		if (!controller_of(l.v[k]) && l.v[k]->deleted == NEVER && selector_matches(&x->d->selector, &l.v[k]->labels)) {
			own(x->c, l.v[k], &x->d->o);
			gc_learn(x->t, l.v[k]);
			cluster_touch(x->c, l.v[k]);
		}
}

/* Equal but for the hash; or a set that was made here, which bears the hash of what it was made from. */
static bool has_our_template(struct deploying *x, const struct workload *rs)
{
	const char *label = label_get(&rs->o.labels, HASH_LABEL);
	char hash[11];

	if (same_template(&rs->template, &x->d->template))
		return true;
	for (int32_t k = 0; label && !rs->o.doc && k <= x->d->st_collisions; k++) {
		template_hash(&x->d->template, k, hash);
		if (streq(hash, label))
			return true;
	}
	return false;
}

static void look(struct deploying *x)
{
	struct object_list l = dependents(x->t, &x->d->o, &replicaset_kind, x->scratch);

	x->old = arena_array(x->scratch, struct workload *, l.nr);
	for (uint32_t k = 0; k < l.nr; k++)
		x->old[x->nr_old++] = (struct workload *)l.v[k];
	if (x->nr_old)
		qsort(x->old, x->nr_old, sizeof(*x->old), oldest_first);
	for (uint32_t k = 0; k < x->nr_old; k++)
		if (has_our_template(x, x->old[k])) {
			x->newer = x->old[k];
			memmove(x->old + k, x->old + k + 1, (x->nr_old - k - 1) * sizeof(*x->old));
			x->nr_old--;
			return;
		}
}

static int32_t sum(const struct deploying *x, size_t field, bool with_new)
{
	int32_t n = with_new && x->newer ? *(const int32_t *)((const char *)x->newer + field) : 0;

	for (uint32_t k = 0; k < x->nr_old; k++)
		n += *(const int32_t *)((const char *)x->old[k] + field);
	return n;
}
#define SUM(x, field, with_new) sum(x, offsetof(struct workload, field), with_new)

static void set_size(struct deploying *x, struct workload *rs, int32_t to)
{
	int32_t from = rs->replicas;

	if (from == to)
		return;
	rs->replicas = to;
	rs->o.generation++;
	cluster_event(x->c, &x->d->o, false, "deployment-controller", "ScalingReplicaSet", "Scaled %s replica set %s from %d to %d", to > from ? "up" : "down", rs->o.name, from, to);
	cluster_touch(x->c, &rs->o);
}

/* ---- the new one */

static void name_template(struct deploying *x, struct workload *rs, const char *hash)
{
	rs->template = x->d->template;
	rs->template.labels = pairs_with(x->c, &x->d->template.labels, HASH_LABEL, hash);
	rs->o.labels = rs->template.labels;
	rs->selector = x->d->selector;
	rs->selector.labels = pairs_with(x->c, &x->d->selector.labels, HASH_LABEL, hash);
}

static int32_t next_revision(const struct deploying *x)
{
	int32_t most = 0;

	for (uint32_t k = 0; k < x->nr_old; k++)
		most = MAX(most, revision(&x->old[k]->o));
	return most + 1;
}

static void annotate_revision(struct deploying *x, struct object *o, int32_t n)
{
	o->annotations = pairs_with(x->c, &o->annotations, REVISION, arena_printf(x->scratch, "%d", n));
}

static bool made_condition(struct deploying *x)
{
	return condition_put(x->c, &x->d->conditions, "Progressing", COND_TRUE, "NewReplicaSetCreated", arena_printf(x->scratch, "Created new replica set \"%s\"", x->newer->o.name));
}

/* The name tells the template; a set of that name with another template makes the hash be drawn again (collisionCount). */
static void make_new(struct deploying *x)
{
	struct workload *d = x->d, *rs;
	char hash[11];
	const char *name;

	for (;; d->st_collisions++) {
		template_hash(&d->template, d->st_collisions, hash);
		name = arena_printf(x->scratch, "%.*s-%s", (int)(MAX_NAME - 1 - strlen(hash)), d->o.name, hash);        /* generateReplicaSetName */
		if (!cluster_find(x->c, &replicaset_kind, d->o.ns, name))
			break;
	}
	rs = (struct workload *)object_new(x->c, &replicaset_kind, d->o.ns, name);
	own(x->c, &rs->o, &d->o);
	name_template(x, rs, hash);
	rs->min_ready_seconds = d->min_ready_seconds;
	rs->o.annotations = pairs_with(x->c, &rs->o.annotations, "deployment.kubernetes.io/desired-replicas", arena_printf(x->scratch, "%d", d->replicas));
	rs->o.annotations = pairs_with(x->c, &rs->o.annotations, "deployment.kubernetes.io/max-replicas", arena_printf(x->scratch, "%d", most_pods(d)));
	annotate_revision(x, &rs->o, next_revision(x));
	annotate_revision(x, &d->o, next_revision(x));
	rs->replicas = new_replicas(d, SUM(x, replicas, false), 0);
	x->newer = rs;
	cluster_add(x->c, &rs->o);
	cluster_event(x->c, &d->o, false, "deployment-controller", "ScalingReplicaSet", "Scaled up replica set %s from 0 to %d", rs->o.name, rs->replicas);
	made_condition(x);
}

/* A rollback brings an old set back: it gets the newest revision. */
static void renew_revision(struct deploying *x)
{
	int32_t own = revision(&x->newer->o), next = MAX(next_revision(x), own);

	if (own != next) {
		annotate_revision(x, &x->newer->o, next);
		cluster_touch(x->c, &x->newer->o);
	}
	if (revision(&x->d->o) != next) {
		annotate_revision(x, &x->d->o, next);
		cluster_touch(x->c, &x->d->o);
	}
}

/* ---- scaling without a rollout (sync.go scale) */

static bool active(const struct workload *rs)
{
	return rs->replicas > 0;
}

static bool saturated(const struct deploying *x)
{
	return x->newer && x->newer->replicas == x->d->replicas && x->newer->st_available == x->d->replicas;
}

/* The size of the Deployment was changed in the middle of a rollout: each set gets its share of the difference, the bigger and newer first (util.GetReplicaSetProportion). */
static void scale_in_proportion(struct deploying *x)
{
	int32_t all = SUM(x, replicas, true), allowed = x->d->replicas > 0 ? most_pods(x->d) : 0, left = allowed - all, add = left, given = 0;

	for (uint32_t k = 0; k <= x->nr_old && left; k++) {
		struct workload *rs = k ? x->old[x->nr_old - k] : x->newer;
		int32_t share;

		if (!rs || !active(rs))
			continue;
		share = (int32_t)(((int64_t)rs->replicas * allowed + all / 2) / MAX(all, 1)) - rs->replicas;
		share = add > 0 ? MIN(MAX(share, 0), add - given) : MAX(MIN(share, 0), add - given);
		if (k == x->nr_old)
			share = add - given;
		given += share;
		set_size(x, rs, MAX(rs->replicas + share, 0));
	}
}

static bool scaling_event(const struct deploying *x)
{
	for (uint32_t k = 0; k <= x->nr_old; k++) {
		const struct workload *rs = k ? x->old[k - 1] : x->newer;
		const char *s = rs && active(rs) ? label_get(&rs->o.annotations, "deployment.kubernetes.io/desired-replicas") : NULL;

		if (s && atoi(s) != x->d->replicas)
			return true;
	}
	return false;
}

static void note_size(struct deploying *x)
{
	for (uint32_t k = 0; k <= x->nr_old; k++) {
		struct workload *rs = k ? x->old[k - 1] : x->newer;

		if (rs)
			rs->o.annotations = pairs_with(x->c, &rs->o.annotations, "deployment.kubernetes.io/desired-replicas", arena_printf(x->scratch, "%d", x->d->replicas));
	}
}

static void scale(struct deploying *x)
{
	struct workload *only = NULL;
	uint32_t nr = 0;

	for (uint32_t k = 0; k <= x->nr_old; k++) {
		struct workload *rs = k ? x->old[k - 1] : x->newer;

		if (rs && active(rs)) {
			only = rs;
			nr++;
		}
	}
	if (nr <= 1)
		only = only ? only : x->newer ? x->newer : x->nr_old ? x->old[x->nr_old - 1] : NULL;
	if (nr <= 1 && only)
		set_size(x, only, x->d->replicas);
	else if (saturated(x))
		for (uint32_t k = 0; k < x->nr_old; k++)
			set_size(x, x->old[k], 0);
	else if (!streq(x->d->strategy, "Recreate"))
		scale_in_proportion(x);
	note_size(x);
}

/* ---- rolling update (rolling.go) */

/* Pods that are not ready need not wait for anything: they go first. */
static int32_t drop_unhealthy(struct deploying *x, int32_t most)
{
	int32_t dropped = 0;

	for (uint32_t k = 0; k < x->nr_old && dropped < most; k++) {
		struct workload *rs = x->old[k];
		int32_t n;

		if (!rs->replicas || rs->replicas == rs->st_available)
			continue;
		n = MIN(most - dropped, rs->replicas - rs->st_available);
		if (n <= 0)
			continue;
		set_size(x, rs, rs->replicas - n);
		dropped += n;
	}
	return dropped;
}

static void drop_available(struct deploying *x)
{
	int32_t available = SUM(x, st_available, true), least = x->d->replicas - max_unavailable(x->d), may = available - least;

	for (uint32_t k = 0; k < x->nr_old && may > 0; k++) {
		int32_t n = MIN(may, x->old[k]->replicas);

		set_size(x, x->old[k], x->old[k]->replicas - n);
		may -= n;
	}
}

static bool reconcile_old(struct deploying *x)
{
	int32_t old = SUM(x, replicas, false), all = old + x->newer->replicas, least = x->d->replicas - max_unavailable(x->d);
	int32_t may = all - least - (x->newer->replicas - x->newer->st_available);

	if (!old || may <= 0)
		return false;
	drop_unhealthy(x, may);
	drop_available(x);
	return SUM(x, replicas, false) != old;
}

static bool reconcile_new(struct deploying *x)
{
	int32_t before = x->newer->replicas;

	if (before > x->d->replicas)
		set_size(x, x->newer, x->d->replicas);
	else if (before < x->d->replicas)
		set_size(x, x->newer, new_replicas(x->d, SUM(x, replicas, true), before));
	return x->newer->replicas != before;
}

/* ---- Recreate (recreate.go) */

static bool old_pods_run(struct deploying *x)
{
	for (uint32_t k = 0; k < x->nr_old; k++) {
		uint32_t nr;
		struct pod **v = pods_controlled(x->t, &x->old[k]->o, x->scratch, &nr);

		for (uint32_t i = 0; i < nr; i++)
			if (!pod_is_terminal(v[i]))
				return true;
	}
	return false;
}

static void recreate(struct deploying *x)
{
	for (uint32_t k = 0; k < x->nr_old; k++)
		set_size(x, x->old[k], 0);
	if (old_pods_run(x))
		return;
	if (!x->newer)
		make_new(x);
	set_size(x, x->newer, x->d->replicas);
}

/* ---- status */

static bool complete(const struct workload *d)
{
	return d->st_updated == d->replicas && d->st_replicas == d->replicas && d->st_available == d->replicas && d->st_observed >= d->o.generation;
}

/* When it last came forward: the time of the condition's last update, which the object does not show. */
static uint64_t *last_progress(struct deploying *x)
{
	return map_put(&((struct memory *)control_state(x->t, CTL_DEPLOYMENT))->progress, cluster_arena(x->c), x->d->o.id.i);
}

static bool progress(struct deploying *x, bool forward)
{
	struct workload *d = x->d;
	const char *name = x->newer ? x->newer->o.name : d->o.name, *what = x->newer ? "ReplicaSet" : "Deployment";
	const struct condition *have = condition_get(&d->conditions, "Progressing");
	nsec deadline = SECONDS(d->progress_deadline);

	if (forward || !*last_progress(x))
		*last_progress(x) = (uint64_t)x->now + 1;
	if (complete(d) && x->newer)
		return condition_put(x->c, &d->conditions, "Progressing", COND_TRUE, "NewReplicaSetAvailable", arena_printf(x->scratch, "%s \"%s\" has successfully progressed.", what, name));
	if (forward && have && !streq(have->reason, "NewReplicaSetCreated"))
		return condition_put(x->c, &d->conditions, "Progressing", COND_TRUE, "ReplicaSetUpdated", arena_printf(x->scratch, "%s \"%s\" is progressing.", what, name));
	if (forward)
		return condition_put(x->c, &d->conditions, "Progressing", COND_TRUE, "ReplicaSetUpdated", arena_printf(x->scratch, "%s \"%s\" is progressing.", what, name));
	if (!have || streq(have->reason, "NewReplicaSetAvailable") || d->progress_deadline == INT32_MAX || d->paused)
		return false;
	if (x->now < (nsec)(*last_progress(x) - 1) + deadline) {
		control_timer(x->t, CTL_DEPLOYMENT, &d->o, (nsec)(*last_progress(x) - 1) + deadline);
		return false;
	}
	return condition_put(x->c, &d->conditions, "Progressing", COND_FALSE, "ProgressDeadlineExceeded", arena_printf(x->scratch, "%s \"%s\" has timed out progressing.", what, name));
}

static void write_status(struct deploying *x)
{
	struct workload *d = x->d;
	int32_t replicas = SUM(x, st_replicas, true), updated = x->newer ? x->newer->st_replicas : 0, ready = SUM(x, st_ready, true), available = SUM(x, st_available, true);
	int32_t unavailable = MAX(SUM(x, replicas, true) - available, 0);
	bool forward = updated > d->st_updated || replicas - updated < d->st_replicas - d->st_updated || ready > d->st_ready || available > d->st_available;
	bool changed = d->st_replicas != replicas || d->st_updated != updated || d->st_ready != ready || d->st_available != available ||
		       d->st_unavailable != unavailable || d->st_observed != d->o.generation;

	d->st_replicas = replicas;
	d->st_updated = updated;
	d->st_ready = ready;
	d->st_available = available;
	d->st_unavailable = unavailable;
	d->st_observed = d->o.generation;
	if (available >= d->replicas - max_unavailable(d))
		changed |= condition_put(x->c, &d->conditions, "Available", COND_TRUE, "MinimumReplicasAvailable", "Deployment has minimum availability.");
	else
		changed |= condition_put(x->c, &d->conditions, "Available", COND_FALSE, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.");
	changed |= progress(x, forward);
	if (changed)
		cluster_touch(x->c, &d->o);
}

/* Old sets without Pods go, but for the newest revisionHistoryLimit of them. */
static void clean_up(struct deploying *x)
{
	int32_t surplus = (int32_t)x->nr_old - x->d->history_limit;

	for (uint32_t k = 0; k < x->nr_old && surplus > 0; k++) {
		struct workload *rs = x->old[k];

		if (rs->st_replicas || rs->replicas || rs->o.deleted != NEVER)
			continue;
		apply_delete(x->c, &rs->o);
		surplus--;
	}
}

/* ---- one sync */

static void roll(struct deploying *x)
{
	if (streq(x->d->strategy, "Recreate")) {
		recreate(x);
		return;
	}
	if (!x->newer)
		make_new(x);
	else if (!reconcile_new(x))
		reconcile_old(x);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct scratch scratch = control_scratch(t);
	struct deploying x = { .t = t, .c = control_cluster(t), .d = (struct workload *)o, .now = now, .scratch = scratch.arena };

	if (o->gone || o->deleted != NEVER)
		return;
	if (((struct memory *)control_state(t, CTL_DEPLOYMENT))->lone_sets)
		adopt_sets(&x);
	look(&x);
	if (x.newer)
		renew_revision(&x);
	if (x.d->paused || scaling_event(&x))
		scale(&x);
	if (!x.d->paused)
		roll(&x);
	write_status(&x);
	if (complete(x.d))
		clean_up(&x);
	scratch_end(scratch);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct memory);
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	struct object_list l = cluster_list(control_cluster(t), &deployment_kind);
	const struct memory *m = control_state(t, CTL_DEPLOYMENT);

	for (uint32_t k = 0; k < l.nr; k++) {
		const uint64_t *at = map_find(&m->progress, l.v[k]->id.i);

		if (at)
			val_put_new(a, out, l.v[k]->uid, val_int(a, (int64_t)*at));
	}
}

static void load(struct control *t, const struct val *v)
{
	struct memory *m = control_state(t, CTL_DEPLOYMENT);

	VAL_EACH(at, v) {
		const struct object *o = control_by_uid(t, cluster_str(control_cluster(t), at->key));

		if (o)
			*map_put(&m->progress, cluster_arena(control_cluster(t)), o->id.i) = (uint64_t)val_int_or(at, 0);
	}
}

static const struct kind *const kinds_heard[] = { &deployment_kind, &replicaset_kind, &pod_kind, NULL };
const struct controller deployment_controller = { .name = "deployment", .kinds = kinds_heard, .pods = POD_GONE | POD_READY | POD_OTHER, .init = init, .watch = watch, .run = run, .save = save, .load = load };
