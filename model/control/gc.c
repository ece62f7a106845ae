/* What belongs to an owner goes with it: owner references (pkg/controller/garbagecollector). And the index of who belongs to whom. */
#include "model/control/gc.h"

#include "model/cluster/apply.h"
#include "model/control/common.h"
#include "model/control/finalizers.h"

struct members { obj_h *v; uint32_t nr, alloc; };

void gc_learn(struct control *t, const struct object *o)
{
	struct arena *a = cluster_arena(control_cluster(t));
	struct map *children = control_state(t, CTL_GC);

	for (uint32_t k = 0; k < o->owners.nr; k++) {
		uint64_t *at;

		if (o->kind == &pod_kind && o->owners.v[k].controller)
			continue;               /* the cluster knows those: pods_of */
		at = map_put(children, a, map_ptr(o->owners.v[k].uid));
		if (!*at)
			*at = map_ptr(arena_make(a, struct members));
		vec_add(a, (struct members *)(uintptr_t)*at, o->id);
	}
}

/* An owner that is being deleted in the foreground waits for what has just gone. */
static void wake_waiting(struct control *t, const struct object *o)
{
	for (uint32_t k = 0; k < o->owners.nr; k++) {
		const struct object *owner = control_by_uid(t, o->owners.v[k].uid);

		if (owner && !owner->gone && owner->deleted != NEVER && owner->finalizers.nr)
			control_wake(t, CTL_GC, owner, 0);
	}
}

static void watch(struct control *t, const struct change *ch)
{
	if (ch->kind == CHANGE_DELETE && ch->object->kind != &pod_kind)
		control_wake(t, CTL_GC, ch->object, 0);
	if (ch->kind == CHANGE_UPDATE && ch->object->deleted != NEVER && ch->object->finalizers.nr && ch->object->kind != &pod_kind)
		control_wake(t, CTL_GC, ch->object, 0);
	if (ch->kind == CHANGE_DELETE)
		wake_waiting(t, ch->object);
	if (ch->kind == CHANGE_ADD)
		gc_learn(t, ch->object);
}

static bool is_owned(const struct object *o, const char *uid)
{
	for (uint32_t k = 0; k < o->owners.nr; k++)
		if (streq(o->owners.v[k].uid, uid))
			return true;
	return false;
}

struct object_list dependents(const struct control *t, const struct object *owner, const struct kind *kind, struct arena *scratch)
{
	struct cluster *c = control_cluster((struct control *)t);
	str uid = owner->kind == &pod_kind ? str_find(cluster_strings(c), owner->uid) : owner->uid;
	const struct members *m = map_get_ptr(control_state(t, CTL_GC), map_ptr(uid));
	struct object_list out = { m ? arena_array(scratch, struct object *, m->nr) : NULL, 0 };

	for (uint32_t k = 0; m && k < m->nr; k++) {
		struct object *o = obj_get(c, m->v[k]);

		if (!o->gone && (!kind || o->kind == kind) && is_owned(o, owner->uid))
			out.v[out.nr++] = o;
	}
	return out;
}

static bool another_owner_lives(struct control *t, const struct object *o, const char *uid)
{
	for (uint32_t k = 0; k < o->owners.nr; k++) {
		const struct object *other = streq(o->owners.v[k].uid, uid) ? NULL : control_by_uid(t, o->owners.v[k].uid);

		if (other && !other->gone)
			return true;
	}
	return false;
}

static void collect(struct control *t, struct object *o, const char *uid)
{
	struct cluster *c = control_cluster(t);

	if (another_owner_lives(t, o, uid)) {
		disown(c, o, uid);
		cluster_touch(c, o);
	} else if (o->deleted == NEVER) {
		apply_delete(c, o);
	}
}

/* --cascade=orphan: the dependents stay, and know no owner any more. */
static void orphan(struct control *t, struct object *owner, const struct object_list *l, const struct object_list *pods)
{
	struct cluster *c = control_cluster(t);

	for (uint32_t k = 0; k < l->nr + pods->nr; k++) {
		struct object *o = k < l->nr ? l->v[k] : pods->v[k - l->nr];

		if (o->gone)
			continue;
		disown(c, o, owner->uid);
		cluster_touch(c, o);
	}
	finalizer_drop(c, owner, "orphan");
}

static void run(struct control *t, struct object *owner, nsec now)
{
	struct arena *scratch = arena_new(NULL, "gc");
	struct object_list l = dependents(t, owner, NULL, scratch), pods;

	(void)now;
	if (!owner->gone) {
		pods = pods_of(control_cluster(t), owner->uid);
		pods.v = pods.nr ? arena_copy(scratch, pods.v, pods.nr * sizeof(*pods.v)) : NULL;
		if (finalizer_has(owner, "orphan"))
			orphan(t, owner, &l, &pods);
		else if (finalizer_has(owner, "foregroundDeletion") && !l.nr && !pods.nr)
			finalizer_drop(control_cluster(t), owner, "foregroundDeletion");
		if (owner->gone || !finalizer_has(owner, "foregroundDeletion")) {
			arena_free(scratch);
			return;
		}
	}
	for (uint32_t k = 0; k < l.nr; k++)
		if (!l.v[k]->gone)
			collect(t, l.v[k], owner->uid);
	pods = pods_of(control_cluster(t), owner->uid);
	pods.v = pods.nr ? arena_copy(scratch, pods.v, pods.nr * sizeof(*pods.v)) : NULL;
	for (uint32_t k = 0; k < pods.nr; k++)
		collect(t, pods.v[k], owner->uid);
	arena_free(scratch);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct map);
}

const struct controller gc_controller = { .name = "garbage-collector", .pods = POD_ADDED | POD_GONE, .init = init, .watch = watch, .run = run };
