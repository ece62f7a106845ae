/* Pods that may not stay: on nodes with NoExecute taints, each after its toleration; and Pods whose node is gone.
 * Sources: pkg/controller/tainteviction/taint_eviction.go (processPodOnNode), pkg/controller/podgc/gc_controller.go (gcOrphaned); facts 47, 69. */
#include "model/cluster/apply.h"
#include "model/control/nodes.h"

struct eviction { struct map at; };             /* Pod's handle → when it goes, + 1; no entry: it stays */

static struct eviction *state(const struct control *t)
{
	return control_state(t, CTL_EVICTION);
}

static void watch(struct control *t, const struct change *ch)
{
	const struct node_info *i;

	if (ch->object->kind == &pod_kind) {
		const struct pod *p = (const struct pod *)ch->object;

		i = node_of_pod(t, p);
		if (i && (!i->node || i->node->taints.nr))
			control_wake(t, CTL_EVICTION, ch->object, 0);
		return;
	}
	i = node_info(t, ch->object->name);
	for (uint32_t k = 0; i && k < i->pods.nr; k++)
		control_wake(t, CTL_EVICTION, &i->pods.v[k]->o, 0);
}

/* PodGC looks every 20 s and lets a node that is gone rest for 40 s before its Pods go for good. */
static void orphan(struct control *t, struct pod *p, nsec now)
{
	struct eviction *x = state(t);
	nsec period = timing(T_POD_GC_PERIOD);
	uint64_t *at = map_put(&x->at, cluster_arena(control_cluster(t)), p->o.id.i);

	if (!*at)
		*at = (uint64_t)((now + timing(T_POD_GC_QUARANTINE) + period - 1) / period * period) + 1;
	if (now < (nsec)*at - 1) {
		control_timer(t, CTL_EVICTION, &p->o, (nsec)*at - 1);
		return;
	}
	cluster_event(control_cluster(t), &p->o, false, "pod-garbage-collector", "PodGC", "PodGC: node no longer exists");
	cluster_remove(control_cluster(t), &p->o);
}

static void evict(struct control *t, struct pod *p)
{
	struct cluster *c = control_cluster(t);

	cluster_event(c, &p->o, false, "taint-eviction-controller", "TaintManagerEviction", "Marking for deletion Pod %s/%s", p->o.ns, p->o.name);
	condition_put(c, &p->conditions, "DisruptionTarget", COND_TRUE, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
	apply_delete(c, &p->o);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct eviction *x = state(t);
	struct pod *p = (struct pod *)o;
	const struct node_info *i = node_of_pod(t, p);
	uint64_t *at;
	nsec stays;

	if (o->gone || !i || pod_is_terminal(p)) {
		map_remove(&x->at, o->id.i);
		return;
	}
	if (!i->node) {
		if (i->version)         /* it was there once; a node that is only named is left alone */
			orphan(t, p, now);
		return;
	}
	if (o->deleted != NEVER)
		return;
	stays = stays_for(p->spec, i->node);
	if (stays == NEVER) {
		map_remove(&x->at, o->id.i);
		return;
	}
	at = map_find(&x->at, o->id.i);
	if (stays && !at) {             /* a clock that runs is not set again, whatever the Pod tolerates by now */
		at = map_put(&x->at, cluster_arena(control_cluster(t)), o->id.i);
		*at = (uint64_t)(now + stays) + 1;
	}
	if (stays && now < (nsec)*at - 1) {
		control_timer(t, CTL_EVICTION, o, (nsec)*at - 1);
		return;
	}
	map_remove(&x->at, o->id.i);
	evict(t, p);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct eviction);
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	struct object_list l = state(t)->at.nr ? cluster_list(control_cluster(t), &pod_kind) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < l.nr; k++) {
		const uint64_t *at = map_find(&state(t)->at, l.v[k]->id.i);

		if (at)
			val_put_new(a, out, l.v[k]->uid, val_int(a, (int64_t)*at));
	}
}

static void load(struct control *t, const struct val *v)
{
	struct object_list l = v->nr ? cluster_list(control_cluster(t), &pod_kind) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct val *at = val_get(v, l.v[k]->uid);

		if (at)
			*map_put(&state(t)->at, cluster_arena(control_cluster(t)), l.v[k]->id.i) = (uint64_t)val_int_or(at, 0);
	}
}

static const struct kind *const kinds_heard[] = { &pod_kind, &node_kind, NULL };
const struct controller eviction_controller = { .name = "taint-eviction", .kinds = kinds_heard, .pods = (uint8_t)~(POD_ADDRESS | POD_STATUS), .init = init, .watch = watch, .run = run, .save = save, .load = load };
