/* The node lifecycle controller: silence is noticed, NotReady becomes taints, taints by conditions follow at once, those that evict one node in ten seconds.
 * Sources: pkg/controller/nodelifecycle/node_lifecycle_controller.go (monitorNodeHealth, doNoScheduleTaintingPass, processTaintBaseEviction, handleDisruption); facts 5, 47. */
#include "model/control/nodes.h"

struct watchdog {
	nsec next_eviction;                     /* no node gets a NoExecute taint before */
	struct map bad;                         /* handles of nodes that were not healthy when last heard of */
};

#define NOT_READY   "node.kubernetes.io/not-ready"
#define UNREACHABLE "node.kubernetes.io/unreachable"

static const char *health_taint(const struct node *n)
{
	switch (condition_status(&n->conditions, "Ready")) {
	case COND_FALSE:
		return NOT_READY;
	case COND_UNKNOWN:
		return UNREACHABLE;
	case COND_NONE:
	case COND_TRUE:
		break;
	}
	return NULL;
}

/* A node that falls ill or recovers bears on all that are ill: whether anybody is evicted depends on how many they are. */
static void watch(struct control *t, const struct change *ch)
{
	struct watchdog *x = control_state(t, CTL_LIFECYCLE);
	const struct node *n = (const struct node *)ch->object;
	bool bad = ch->kind != CHANGE_DELETE && health_taint(n);
	struct object_list l;

	if (ch->kind != CHANGE_DELETE)
		control_wake(t, CTL_LIFECYCLE, ch->object, 0);
	if (bad == (map_find(&x->bad, n->o.id.i) != NULL) && ch->kind == CHANGE_UPDATE)
		return;
	if (bad)
		map_put(&x->bad, cluster_arena(control_cluster(t)), n->o.id.i);
	else
		map_remove(&x->bad, n->o.id.i);
	if (!x->bad.nr)
		return;
	l = cluster_list(control_cluster(t), &node_kind);
	for (uint32_t k = 0; k < l.nr; k++)
		if (health_taint((const struct node *)l.v[k]))
			control_wake(t, CTL_LIFECYCLE, l.v[k], 0);
}

/* ---- silence */

/* The kubelet renews its lease every ten seconds, each node in a phase of its own; the controller looks every five. */
static nsec silence_noticed(struct control *t, const struct node *n, nsec down)
{
	struct cluster *c = control_cluster(t);
	nsec period = timing(T_NODE_LEASE_RENEW), look = timing(T_NODE_MONITOR_PERIOD);
	nsec grace = cluster_settings(c)->node_monitor_grace ? cluster_settings(c)->node_monitor_grace : timing(T_NODE_MONITOR_GRACE);
	nsec phase = (nsec)(draw(c, "lease", n->o.name, 0) % (uint64_t)period);
	nsec last = down < phase ? down : down - (down - phase) % period;

	return (last + grace + look - 1) / look * look;
}

/* What is said of a node that says nothing. */
static bool mark_silent(struct control *t, struct node *n)
{
	static const char *const types[] = { "MemoryPressure", "DiskPressure", "PIDPressure", "Ready" };
	struct cluster *c = control_cluster(t);
	bool changed = false;

	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		if (condition_get(&n->conditions, types[k]) || k == ARRAY_LEN(types) - 1)
			changed |= condition_put(c, &n->conditions, types[k], COND_UNKNOWN, "NodeStatusUnknown", "Kubelet stopped posting node status.");
	return changed;
}

static void pods_not_ready(struct control *t, const struct node_info *i)
{
	struct cluster *c = control_cluster(t);

	for (uint32_t k = 0; k < i->pods.nr; k++) {
		struct pod *p = i->pods.v[k];
		const struct condition *ready = condition_get(&p->conditions, "Ready");

		if (!ready || ready->status != COND_TRUE)
			continue;
		condition_put(c, &p->conditions, "Ready", COND_FALSE, ready->reason, ready->message);
		cluster_event(c, &p->o, true, "node-controller", "NodeNotReady", "Node is not ready");
		cluster_touch(c, &p->o);
	}
}

static void watch_silence(struct control *t, struct node *n, nsec now)
{
	nsec down = node_silent_since(n), at;

	if (down == NEVER)
		return;
	at = silence_noticed(t, n, down);
	if (now < at) {
		control_timer(t, CTL_LIFECYCLE, &n->o, at);
		return;
	}
	if (!mark_silent(t, n))
		return;
	cluster_event(control_cluster(t), &n->o, false, "node-controller", "NodeNotReady", "Node %s status is now: NodeNotReady", n->o.name);
	cluster_touch(control_cluster(t), &n->o);
	pods_not_ready(t, node_info(t, n->o.name));
}

/* ---- taints */

static bool is_ours(const struct taint *t, const char *effect)
{
	static const char *const keys[] = { NOT_READY, UNREACHABLE, "node.kubernetes.io/unschedulable", "node.kubernetes.io/network-unavailable",
					    "node.kubernetes.io/memory-pressure", "node.kubernetes.io/disk-pressure", "node.kubernetes.io/pid-pressure" };

	for (size_t k = 0; k < ARRAY_LEN(keys) && streq(t->effect, effect); k++)
		if (streq(t->key, keys[k]))
			return true;
	return false;
}

static bool has_taint(const struct node *n, const char *key, const char *effect)
{
	for (uint32_t k = 0; k < n->taints.nr; k++)
		if (streq(n->taints.v[k].key, key) && streq(n->taints.v[k].effect, effect))
			return true;
	return false;
}

/* Replaces the controller's taints of one effect by `keys`. */
static bool set_taints(struct control *t, struct node *n, const char *effect, const char *const *keys, uint32_t nr)
{
	struct cluster *c = control_cluster(t);
	struct taint *v = arena_array(cluster_arena(c), struct taint, n->taints.nr + nr);
	uint32_t to = 0;
	bool changed = false;

	for (uint32_t k = 0; k < n->taints.nr; k++) {
		bool keep = !is_ours(&n->taints.v[k], effect);

		for (uint32_t i = 0; i < nr && !keep; i++)
			keep = streq(n->taints.v[k].key, keys[i]);
		changed |= !keep;
		if (keep)
			v[to++] = n->taints.v[k];
	}
	for (uint32_t k = 0; k < nr; k++)
		if (!has_taint(n, keys[k], effect)) {
			v[to++] = (struct taint){ cluster_str(c, keys[k]), NULL, cluster_str(c, effect), cluster_now(c) };
			changed = true;
		}
	if (!changed)
		return false;
	n->taints.v = v;
	n->taints.nr = to;
	n->taints.set = to > 0;
	return true;
}

static bool taint_by_condition(struct control *t, struct node *n)
{
	static const struct { const char *condition, *key; } rows[] = {
		{ "NetworkUnavailable", "node.kubernetes.io/network-unavailable" },
		{ "MemoryPressure", "node.kubernetes.io/memory-pressure" },
		{ "DiskPressure", "node.kubernetes.io/disk-pressure" },
		{ "PIDPressure", "node.kubernetes.io/pid-pressure" },
	};
	const char *keys[8];
	uint32_t nr = 0;

	if (health_taint(n))
		keys[nr++] = health_taint(n);
	if (n->unschedulable)
		keys[nr++] = "node.kubernetes.io/unschedulable";
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (condition_status(&n->conditions, rows[k].condition) == COND_TRUE)
			keys[nr++] = rows[k].key;
	return set_taints(t, n, "NoSchedule", keys, nr);
}

struct census { uint32_t all, bad, zone, zone_bad; };

static struct census count_nodes(struct control *t, const struct node *of)
{
	struct object_list l = cluster_list(control_cluster(t), &node_kind);
	str zone = label_get(&of->o.labels, "topology.kubernetes.io/zone");
	struct census s = { 0 };

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct node *n = (const struct node *)l.v[k];
		bool bad = health_taint(n) != NULL, same = streq(label_get(&n->o.labels, "topology.kubernetes.io/zone"), zone);

		s.all++;
		s.bad += bad;
		s.zone += same;
		s.zone_bad += same && bad;
	}
	return s;
}

/* ComputeZoneState, ReducedQPSFunc: how long one node waits for another. 0: nobody is evicted. */
static nsec eviction_period(const struct census *s)
{
	if (s->bad == s->all)
		return 0;               /* all nodes of the cluster: it is the controller that is blind */
	if (s->zone_bad > 2 && (uint64_t)s->zone_bad * 100 >= (uint64_t)s->zone * 55)
		return s->zone > 50 ? timing(T_NODE_EVICTION_PERIOD_SECONDARY) : 0;
	return timing(T_NODE_EVICTION_PERIOD);
}

static bool taint_to_evict(struct control *t, struct node *n, nsec now)
{
	struct watchdog *x = control_state(t, CTL_LIFECYCLE);
	const char *key = health_taint(n);
	struct census s;
	nsec period;

	if (!key)
		return set_taints(t, n, "NoExecute", NULL, 0);
	s = count_nodes(t, n);
	period = eviction_period(&s);
	if (!period)
		return set_taints(t, n, "NoExecute", NULL, 0);
	if (has_taint(n, key, "NoExecute"))
		return set_taints(t, n, "NoExecute", &key, 1);
	if (now < x->next_eviction) {
		control_timer(t, CTL_LIFECYCLE, &n->o, x->next_eviction);
		return false;
	}
	x->next_eviction = now + period;
	return set_taints(t, n, "NoExecute", &key, 1);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct node *n = (struct node *)o;
	bool changed;

	if (o->gone)
		return;
	watch_silence(t, n, now);
	if (condition_status(&n->conditions, "Ready") == COND_NONE)
		return;                 /* the kubelet has not spoken yet */
	changed = taint_by_condition(t, n);
	changed |= taint_to_evict(t, n, now);
	if (changed)
		cluster_touch(control_cluster(t), o);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct watchdog);
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	val_put(a, out, "nextEviction", val_int(a, ((struct watchdog *)control_state(t, CTL_LIFECYCLE))->next_eviction));
}

static void load(struct control *t, const struct val *v)
{
	((struct watchdog *)control_state(t, CTL_LIFECYCLE))->next_eviction = val_int_or(val_get(v, "nextEviction"), 0);
}

static const struct kind *const kinds_heard[] = { &node_kind, NULL };
const struct controller lifecycle_controller = { .name = "node-lifecycle", .kinds = kinds_heard, .init = init, .watch = watch, .run = run, .save = save, .load = load };
