/* DaemonSets: a Pod on every node that wants it. Sources: pkg/controller/daemon/{daemon_controller,update}.go, util/daemonset_util.go; facts 4. */
#include <stdio.h>
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/control/limits.h"
#include "model/control/nodes.h"
#include "model/control/revisions.h"
#include "model/control/workloads.h"

#define BURST          250              /* BurstReplicas */

struct daemon {
	struct control *t;
	struct cluster *c;
	struct workload *d;
	struct arena *scratch;
	nsec now, again;
	char hash[11];
	struct pod_template template;           /* with the daemon's tolerations and the revision in its labels */
	struct map at;                          /* node name → struct pod: the one of the daemon there; while surging, the old one */
	struct map surged;                      /* node name → struct pod: the new one beside an old one */
	bool surges;                            /* a new Pod may come before the old one goes (AllowsSurge) */
	uint32_t made;
	bool refused;                           /* by admission: no more are tried in this run */
};

static struct selector_index *index_of(struct control *t)
{
	return control_state(t, CTL_DAEMONSET);
}

static void watch(struct control *t, const struct change *ch)
{
	struct object *o = ch->object;

	if (o->kind == &pod_kind) {
		wake_owner(t, CTL_DAEMONSET, &daemonset_kind, index_of(t), (struct pod *)o);
	} else if (o->kind == &node_kind) {
		struct object_list l = cluster_list(control_cluster(t), &daemonset_kind);

		for (uint32_t k = 0; k < l.nr; k++)
			control_wake(t, CTL_DAEMONSET, l.v[k], 0);
	} else if (ch->kind != CHANGE_DELETE) {
		selector_index_add(t, index_of(t), o, &((struct workload *)o)->selector.labels);
		control_wake(t, CTL_DAEMONSET, o, 0);
	}
}

/* ---- its Pods tolerate what happens to nodes (AddOrUpdateDaemonPodTolerations) */

static void add_tolerations(struct control *t, struct pod_spec *s, void *ctx)
{
	static const struct { const char *key, *effect; bool host_network; } rows[] = {
		{ "node.kubernetes.io/not-ready", "NoExecute", false },       { "node.kubernetes.io/unreachable", "NoExecute", false },
		{ "node.kubernetes.io/disk-pressure", "NoSchedule", false },  { "node.kubernetes.io/memory-pressure", "NoSchedule", false },
		{ "node.kubernetes.io/pid-pressure", "NoSchedule", false },   { "node.kubernetes.io/unschedulable", "NoSchedule", false },
		{ "node.kubernetes.io/network-unavailable", "NoSchedule", true },
	};
	struct cluster *c = control_cluster(t);
	struct toleration *v = arena_array(cluster_arena(c), struct toleration, s->tolerations.nr + ARRAY_LEN(rows));
	uint32_t nr = s->tolerations.nr;

	(void)ctx;
	if (nr)
		memcpy(v, s->tolerations.v, nr * sizeof(*v));
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (!rows[k].host_network || s->host_network)
			v[nr++] = (struct toleration){ .key = cluster_str(c, rows[k].key), .op = cluster_str(c, "Exists"), .effect = cluster_str(c, rows[k].effect), .seconds = -1 };
	s->tolerations.v = v;
	s->tolerations.nr = nr;
	s->tolerations.set = true;
}

/* ReplaceDaemonSetPodNodeNameNodeAffinity: the scheduler binds it, to this node only. */
static void pin(struct control *t, struct pod_spec *s, void *node)
{
	struct arena *a = cluster_arena(control_cluster(t));
	struct val *affinity = s->affinity ? val_copy(a, s->affinity) : val_new(a, VAL_MAP);
	struct val *field = val_new(a, VAL_MAP), *term = val_new(a, VAL_MAP), *required = val_new(a, VAL_MAP), *of_node;

	val_put(a, field, "key", val_string(a, "metadata.name"));
	val_put(a, field, "operator", val_string(a, "In"));
	val_add(a, val_put(a, field, "values", val_new(a, VAL_LIST)), val_string(a, node));
	val_add(a, val_put(a, term, "matchFields", val_new(a, VAL_LIST)), field);
	val_add(a, val_put(a, required, "nodeSelectorTerms", val_new(a, VAL_LIST)), term);
	of_node = val_put(a, affinity, "nodeAffinity", val_get(affinity, "nodeAffinity") ? val_copy(a, val_get(affinity, "nodeAffinity")) : val_new(a, VAL_MAP));
	val_put(a, of_node, "requiredDuringSchedulingIgnoredDuringExecution", required);
	s->affinity = affinity;
}

/* ---- where it should run (NodeShouldRunDaemonPod) */

static bool should_run(const struct daemon *x, const struct node *n, bool *go_on)
{
	const struct pod_spec *s = x->template.spec;

	*go_on = false;
	if ((s->node_name && !streq(s->node_name, n->o.name)) || !node_selected(s, n))
		return false;
	*go_on = !untolerated(s, n, EFFECT_NO_EXECUTE);
	return !untolerated(s, n, EFFECT_NO_SCHEDULE | EFFECT_NO_EXECUTE);
}

/* The node that a Pod of the daemon is meant for. */
static str target(struct daemon *x, const struct pod *p)
{
	const char *name = val_str(val_at(val_path(p->spec->affinity,
						   "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchFields.0.values"), 0));

	return p->node ? p->node : name ? cluster_str(x->c, name) : NULL;
}

static void make(struct daemon *x, str node)
{
	const struct object *o = &x->d->o;
	const char *base = arena_printf(x->scratch, "%s-", o->name);
	struct pod *p;

	x->refused = x->refused || admission_refuses(x->t, CTL_DAEMONSET, o, x->template.spec, 1, base, "daemonset-controller", "Error creating", x->scratch);
	if (x->refused)
		return;
	p = pod_from(x->t, o, &x->template, generate_name(x->c, &pod_kind, o->ns, base, o->uid, made_count(x->t, o)));
	p->o.generate_name = cluster_str(x->c, base);
	p->spec = spec_variant(x->t, limits_apply(x->t, o->ns, x->template.spec), arena_printf(x->scratch, "daemon on %s", node), pin, (void *)(uintptr_t)node);
	cluster_add(x->c, &p->o);
	cluster_event(x->c, o, false, "daemonset-controller", "SuccessfulCreate", "Created pod: %s", p->o.name);
	x->made++;
}

static void unmake(struct daemon *x, struct pod *p)
{
	cluster_event(x->c, &x->d->o, false, "daemonset-controller", "SuccessfulDelete", "Deleted pod: %s", p->o.name);
	apply_delete(x->c, &p->o);
}

static bool updated(const struct daemon *x, const struct pod *p)
{
	return streq(label_get(&p->o.labels, REVISION_LABEL), x->hash);
}

/* A second Pod on a node: one old and one new may stand there while they surge, until the new one is available or the old one is unready (podsShouldBeOnNode). */
static void beside(struct daemon *x, str node, struct pod *first, struct pod *second)
{
	bool other = updated(x, first) != updated(x, second);
	struct pod *new = updated(x, first) ? first : second, *old = new == first ? second : first;

	if (!x->surges || !other || map_find(&x->surged, map_ptr(node))) {
		unmake(x, second);
	} else if (!pod_is_ready(old) || pod_is_available(new, x->d->min_ready_seconds, x->now, &x->again)) {
		unmake(x, old);
		*map_put(&x->at, x->scratch, map_ptr(node)) = map_ptr(new);
	} else {
		*map_put(&x->at, x->scratch, map_ptr(node)) = map_ptr(old);
		*map_put(&x->surged, x->scratch, map_ptr(node)) = map_ptr(new);
	}
}

/* The Pods of the daemon by their nodes; doubles and failed ones go. */
static void sort_out(struct daemon *x)
{
	uint32_t nr;
	struct pod **v = pods_claimed(x->t, &x->d->o, &x->d->selector, NULL, x->scratch, &nr);

	for (uint32_t k = 0; k < nr; k++) {
		str node = target(x, v[k]);
		uint64_t *at;

		if (v[k]->o.deleted != NEVER && !node)
			continue;
		if (v[k]->phase == POD_FAILED && v[k]->o.deleted == NEVER) {
			cluster_event(x->c, &x->d->o, true, "daemonset-controller", "FailedDaemonPod", "Found failed daemon pod %s/%s on node %s, will try to kill it", v[k]->o.ns,
				      v[k]->o.name, node ? node : "");
			unmake(x, v[k]);
			continue;
		}
		if (!node)
			continue;
		at = map_put(&x->at, x->scratch, map_ptr(node));
		if (*at && v[k]->o.deleted == NEVER && ((struct pod *)(uintptr_t)*at)->o.deleted == NEVER)
			beside(x, node, (struct pod *)(uintptr_t)*at, v[k]);
		else if (!*at || v[k]->o.deleted == NEVER)
			*at = map_ptr(v[k]);
	}
}

/* ---- all nodes: make what is missing, take away what does not belong, count */

static void go_round(struct daemon *x, struct workload *count)
{
	struct object_list nodes = cluster_list(x->c, &node_kind);

	for (uint32_t k = 0; k < nodes.nr; k++) {
		const struct node *n = (const struct node *)nodes.v[k];
		struct pod *p = map_get_ptr(&x->at, map_ptr(n->o.name));
		bool go_on, want = should_run(x, n, &go_on);
		struct pod *new = map_get_ptr(&x->surged, map_ptr(n->o.name));

		count->st_desired += want;
		if (p && !want && !go_on && p->o.deleted == NEVER)
			unmake(x, p);
		if (new && !want && !go_on)
			unmake(x, new);
		if ((!p || (x->surges && p->o.deleted != NEVER)) && want && x->made < BURST)
			make(x, n->o.name);
		if (!p)
			continue;
		if (!want) {
			count->st_misscheduled++;
			continue;
		}
		count->st_current++;
		if (p->o.deleted != NEVER)
			continue;
		count->st_ready += pod_is_ready(p);
		count->st_available += pod_is_available(p, x->d->min_ready_seconds, x->now, &x->again);
		count->st_updated += updated(x, p);
	}
	count->st_unavailable = count->st_desired - count->st_available;
}

/* update.go rollingUpdate, with surge: where the old Pod is not available a new one comes at once, elsewhere at most maxSurge at a time. */
static void surge(struct daemon *x, const struct workload *count)
{
	struct object_list nodes = cluster_list(x->c, &node_kind);
	int32_t most = scaled(&x->d->max_surge, count->st_desired, true, 0), out = (int32_t)x->surged.nr;

	for (int pass = 0; pass < 2; pass++)
		for (uint32_t k = 0; k < nodes.nr; k++) {
			const struct node *n = (const struct node *)nodes.v[k];
			struct pod *p = map_get_ptr(&x->at, map_ptr(n->o.name));
			bool available, go_on;
			nsec never = NEVER;

			if (!p || p->o.deleted != NEVER || updated(x, p) || map_find(&x->surged, map_ptr(n->o.name)))
				continue;
			available = pod_is_available(p, x->d->min_ready_seconds, x->now, &never);
			if (available != (pass == 1) || (available && out >= most))
				continue;
			if (!should_run(x, n, &go_on)) {
				unmake(x, p);
				continue;
			}
			make(x, n->o.name);
			out += available;
		}
}

/* update.go rollingUpdate, without surge: at most maxUnavailable nodes at a time are without a Pod that is available. */
static void roll(struct daemon *x, const struct workload *count)
{
	struct object_list nodes = cluster_list(x->c, &node_kind);
	int32_t most = scaled(&x->d->max_unavailable, count->st_desired, true, 1), out = count->st_unavailable;

	if (streq(x->d->strategy, "OnDelete"))
		return;
	if (x->surges) {
		surge(x, count);
		return;
	}
	for (int pass = 0; pass < 2; pass++)    /* those that are down anyway go first */
		for (uint32_t k = 0; k < nodes.nr; k++) {
			struct pod *p = map_get_ptr(&x->at, map_ptr(nodes.v[k]->name));
			nsec never = NEVER;
			bool available;

			if (!p || p->o.deleted != NEVER || updated(x, p))
				continue;
			available = pod_is_available(p, x->d->min_ready_seconds, x->now, &never);
			if (pass == 0 ? available : !available || out >= most)
				continue;
			unmake(x, p);
			out += available;
		}
}

static void keep_revision(struct daemon *x)
{
	str name = cluster_str(x->c, arena_printf(x->scratch, "%s-%s", x->d->o.name, x->hash));
	uint32_t nr;

	if (!revision_is_kept(x->c, x->d, name)) {
		struct pod **pods = pods_controlled(x->t, &x->d->o, x->scratch, &nr);

		revision_keep(x->t, x->d, name, pods, nr);
	}
}

static void write_status(struct daemon *x, const struct workload *n)
{
	struct workload *d = x->d;
	const int32_t have[] = { d->st_current, d->st_desired, d->st_misscheduled, d->st_ready, d->st_available, d->st_unavailable, d->st_updated };
	const int32_t want[] = { n->st_current, n->st_desired, n->st_misscheduled, n->st_ready, n->st_available, n->st_unavailable, n->st_updated };

	if (memcmp(have, want, sizeof(have)) == 0 && d->st_observed == d->o.generation)
		return;
	d->st_current = n->st_current;
	d->st_desired = n->st_desired;
	d->st_misscheduled = n->st_misscheduled;
	d->st_ready = n->st_ready;
	d->st_available = n->st_available;
	d->st_unavailable = n->st_unavailable;
	d->st_updated = n->st_updated;
	d->st_observed = d->o.generation;
	cluster_touch(x->c, &d->o);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct daemon x = { .t = t, .c = control_cluster(t), .d = (struct workload *)o, .now = now, .again = NEVER };
	struct workload count = { .replicas = 0 };
	const char *generation;

	if (o->gone || o->deleted != NEVER)
		return;
	x.scratch = arena_new(NULL, "daemonset");
	template_hash(&x.d->template, 0, x.hash);
	x.template = x.d->template;
	x.template.spec = spec_variant(t, x.template.spec, "daemon", add_tolerations, NULL);
	x.template.labels = pairs_with(x.c, &x.template.labels, REVISION_LABEL, x.hash);
	generation = label_get(&o->annotations, TEMPLATE_GENERATION);
	if (generation)
		x.template.labels = pairs_with(x.c, &x.template.labels, "pod-template-generation", generation);
	x.template.labels.v = (struct pair *)(uintptr_t)share_bytes(t, x.template.labels.v, x.template.labels.nr * sizeof(*x.template.labels.v));
	x.surges = !streq(x.d->strategy, "OnDelete") && x.d->max_surge.set && scaled(&x.d->max_surge, 1, true, 0) > 0;
	sort_out(&x);
	keep_revision(&x);
	go_round(&x, &count);
	roll(&x, &count);
	write_status(&x, &count);
	control_wake(t, CTL_DAEMONSET, o, x.again);
	if (x.made == BURST)
		control_wake(t, CTL_DAEMONSET, o, now);
	arena_free(x.scratch);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct selector_index);
}

static const struct kind *const kinds_heard[] = { &pod_kind, &node_kind, &daemonset_kind, NULL };
static const struct kind *const owners[] = { &daemonset_kind, NULL };
const struct controller daemonset_controller = { .name = "daemonset", .kinds = kinds_heard, .owners = owners, .init = init, .watch = watch, .run = run };
