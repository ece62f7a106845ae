/*
 * The kubelet in virtual time. Sources: pkg/kubelet/kubelet.go SyncPod, kuberuntime/kuberuntime_manager.go, pod_workers.go, prober/; facts 1–9.
 *
 * Theory of operation. Each run brings one Pod to what it should be now: it takes in what has fallen due (a sandbox is made, an image is there, a container
 * ended, a probe has spoken), asks pod_actions what comes next, begins it, and repeats until nothing moves; then it writes the status once and wakes itself
 * at the next time that matters. One worker serves a Pod: it starts one container after another, and is held up by a postStart hook.
 */
#include "model/control/kubelet_visit.h"

#include "model/control/ipam.h"

struct kubelet *kubelet_of(const struct control *t)
{
	return control_state(t, CTL_KUBELET);
}

/* ---- memory */

struct prun *kubelet_remember(struct control *t, const struct pod *p)
{
	struct arena *a = cluster_arena(control_cluster(t));
	struct kubelet *k = kubelet_of(t);
	uint32_t nr = container_count(p->spec);
	struct prun *was = kubelet_run_of(k, p), *r = NULL;

	if (was && was->held == 1)
		return was;
	for (uint32_t i = k->spare.nr; i-- > 0 && i + 8 > k->spare.nr && !r;)
		if (k->spare.v[i]->alloc >= nr) {
			r = k->spare.v[i];
			k->spare.v[i] = k->spare.v[--k->spare.nr];
		}
	if (!r) {
		r = arena_alloc(a, sizeof(*r) + nr * sizeof(r->c[0]), alignof(struct prun));
		r->alloc = (uint8_t)nr;
	}
	*table_at(t, &k->runs, p->o.id.i) = map_ptr(r);
	if (was) {
		uint8_t alloc = r->alloc;

		memcpy(r, was, sizeof(*was) + was->nr * sizeof(was->c[0]));
		r->alloc = alloc;
		r->held = 1;
		prun_drop(t, was);
		return r;
	}
	*r = (struct prun){ .alloc = r->alloc, .nr = (uint8_t)nr, .nr_init = (uint8_t)MIN(p->spec->init_containers.nr, nr), .held = 1 };
	memset(r->c, 0, nr * sizeof(r->c[0]));
	vec_add(a, &k->moving, p->o.id);
	return r;
}

static void forget(struct control *t, const struct pod *p)
{
	struct kubelet *k = kubelet_of(t);
	struct prun *r = kubelet_run_of(k, p);

	if (!r)
		return;
	k->runs.page[p->o.id.i / TABLE_PAGE][p->o.id.i % TABLE_PAGE] = 0;
	prun_drop(t, r);
}

static bool at_rest(const struct visit *v)
{
	const struct prun *r = v->r;

	if (pod_is_terminal(v->p))
		return true;
	if (v->next != NEVER || v->later != NEVER || r->making || r->busy >= 0 || r->stopping || r->announced || r->sandbox != SANDBOX_READY)
		return false;
	for (uint32_t k = 0; k < r->nr; k++)
		if (r->c[k].backoff || (r->c[k].run.state == RUN_RUNNING && !r->c[k].ready))
			return false;
	return true;
}

/* ---- one step: takes in what is due, begins what comes next. true: something moved */

static bool probes_speak(struct visit *v, uint32_t k)
{
	static const char *const words[] = { [PROBE_STARTUP] = "Startup", [PROBE_READINESS] = "Readiness", [PROBE_LIVENESS] = "Liveness" };
	struct crun *x = &v->r->c[k];
	const struct probing *b = x->probes;
	bool started, ready, moved;

	if (x->run.state != RUN_RUNNING)
		return false;
	started = v->now >= b->started && b->started != NEVER;
	ready = started && b->ready != NEVER && v->now >= b->ready && v->now < b->unready;
	moved = started != x->started || ready != x->ready;
	x->started = started;
	x->ready = ready;
	if (b->complaint && v->now >= b->complains && !x->complained) {
		x->complained = true;
		SAY(v, true, "Unhealthy", "%s probe failed: %s", words[b->complainer], b->complaint);
	}
	if (b->killed != NEVER && v->now >= b->killed && !x->stopping && !v->r->stopping) {
		SAY(v, false, "Killing", "Container %s failed %s probe, will be restarted", container_at(v->p->spec, k)->name, b->by_startup ? "startup" : "liveness");
		container_stop(v, k, pod_grace(v->p));
		moved = true;
	}
	return moved;
}

static bool take_in(struct visit *v)
{
	bool moved = false;

	for (uint32_t k = 0; k < v->r->nr; k++) {
		struct crun *x = &v->r->c[k];

		if (x->run.state == RUN_RUNNING && x->ends <= v->now) {
			container_ended(v, x);
			moved = true;
		}
		moved |= probes_speak(v, k);
	}
	if (v->r->making && v->r->due <= v->now) {
		sandbox_made(v);
		moved = true;
	}
	if (v->r->busy >= 0 && v->r->due <= v->now) {
		container_step_done(v);
		moved = true;
	}
	return moved;
}

static struct pod_actions what_next(const struct visit *v, struct run runs[MAX_CONTAINERS])
{
	struct pod_runs there = { .sandbox = v->r->sandbox, .attempt = v->r->attempt, .runs = runs };

	for (uint32_t k = 0; k < v->r->nr; k++) {
		runs[k] = v->r->c[k].run;
		runs[k].startup = v->r->c[k].started ? PROBED_SUCCESS : PROBED_UNKNOWN;
	}
	return pod_actions(v->p->spec, &there);
}

/* The Pod has ended: its sandbox goes, and with it its address. */
static void wind_up(struct visit *v)
{
	v->notes.own = true;
	if (v->r->sandbox == SANDBOX_READY && !v->p->spec->host_network)
		ipam_release(v->t, v->on->node, v->ip, v->ip2);
	v->r->sandbox = SANDBOX_NONE;
}

/* In place: the sandbox and its address stay, the init containers run again too. */
static bool all_again(struct visit *v)
{
	bool told = false;

	for (uint32_t k = 0; k < v->r->nr; k++) {
		told = told || (v->r->c[k].run.state == RUN_RUNNING && !v->r->c[k].stopping);
		container_stop(v, k, pod_grace(v->p));
	}
	if (any_running(v, 0))
		return told;
	for (uint32_t k = 0; k < v->r->nr; k++) {
		struct crun *x = &v->r->c[k];

		if (x->run.state != RUN_EXITED)
			continue;
		x->has_last = true;
		x->last_exit = x->run.exit;
		x->last_to = x->to;
		x->restarts++;
		x->run.state = RUN_NONE;
	}
	return true;
}

static bool begin_next(struct visit *v)
{
	struct run runs[MAX_CONTAINERS];
	struct pod_actions a;

	if (v->p->o.deleted != NEVER) {
		pod_stop(v);
		return false;
	}
	if (v->r->making || v->r->busy >= 0 || v->now < v->r->free_at)
		return false;
	a = what_next(v, runs);
	if (a.restart_all)
		return all_again(v);
	if (a.kill_pod) {
		bool told = false;

		if (v->r->sandbox == SANDBOX_DEAD)
			containers_die(v);
		for (uint32_t k = 0; k < v->r->nr; k++) {
			told = told || (v->r->c[k].run.state == RUN_RUNNING && !v->r->c[k].stopping);
			container_stop(v, k, pod_grace(v->p));
		}
		if (any_running(v, 0))
			return told;
		if (a.create_sandbox)
			sandbox_begin(v, a.attempt);
		else
			wind_up(v);
		return false;
	}
	for (uint32_t k = 0; k < v->r->nr; k++)
		if (a.start >> k & 1 && container_begin(v, k))
			return v->r->due <= v->now;
	return false;
}

/* ---- when to come back */

static const struct probing nothing;

static void plan_container(struct visit *v, uint32_t k)
{
	const struct crun *x = &v->r->c[k];
	enum container_role role = role_of(v->p, k);
	bool always = role == ROLE_SIDECAR || (role == ROLE_MAIN && container_restarts(v->p->spec, container_at(v->p->spec, k), 0));
	bool expected = x->stopping || !always || (!x->restarts && x->ends - x->from <= timing(T_SETTLE_SHORT_RUN));
	const struct probing *b = x->run.state == RUN_RUNNING ? x->probes : &nothing;
	const nsec at[] = { b->killed, b->unready, b->complaint && !x->complained ? b->complains : NEVER };

	if (x->run.state != RUN_RUNNING)
		return;
	if (x->ends != NEVER)
		(expected && x->ends - v->now <= timing(T_SETTLE_EXPECTED) ? visit_soon : visit_some_time)(v, x->ends);
	if (!x->started && b->started != NEVER)
		visit_soon(v, b->started);
	if (!x->ready && b->ready != NEVER && v->now < b->ready)
		visit_soon(v, b->ready);
	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		if (at[i] > v->now && !x->stopping)
			visit_some_time(v, at[i]);
}

static void plan(struct visit *v)
{
	if (v->r->making || v->r->busy >= 0)
		visit_soon(v, v->r->due);
	if (v->r->free_at > v->now)
		visit_soon(v, v->r->free_at);
	for (uint32_t k = 0; k < v->r->nr; k++)
		plan_container(v, k);
}

/* ---- the first look at a Pod */

/* A Pod that the kubelet has admitted before this one. */
static bool was_before(const struct visit *v, const struct pod *other)
{
	return other->o.id.i < v->p->o.id.i && other->start != NEVER;
}

/* noderesources.Fits; what the node does not know of is not asked for (removeMissingExtendedResources). The words of InsufficientResourceError; NULL: there is enough. */
static const char *out_of(const struct visit *v, struct arena *a, const char **reason)
{
	const struct demand *d = demand_for(v->t, v->p->spec);
	const struct node_info *i = v->on;
	const struct { const char *name; int64_t unit, asked, can; } rows[] = {
		{ "pods", 1, 1, i->max_pods }, { "cpu", 1, d->cpu, i->can_cpu }, { "memory", 1000, d->memory, i->can_memory },
	};
	int64_t used[ARRAY_LEN(rows)] = { 0 };

	for (uint32_t k = 0; k < i->pods.nr; k++)
		if (was_before(v, i->pods.v[k])) {
			const struct demand *o = demand_for(v->t, i->pods.v[k]->spec);

			used[0]++;
			used[1] += o->cpu;
			used[2] += o->memory;
		}
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (rows[k].asked && rows[k].can != INT64_MAX && rows[k].asked > rows[k].can - used[k]) {
			*reason = arena_printf(a, "OutOf%s", rows[k].name);
			return arena_printf(a, "Node didn't have enough resource: %s, requested: %" PRId64 ", used: %" PRId64 ", capacity: %" PRId64, rows[k].name, rows[k].asked / rows[k].unit,
					    used[k] / rows[k].unit, rows[k].can / rows[k].unit);
		}
	return NULL;
}

/* The kubelet's own admission (lifecycle/predicate.go generalFilter): a Pod that was bound past the scheduler may not fit. */
static bool rejected(struct visit *v)
{
	struct arena *a = cluster_arena(v->c);
	const struct pod_spec *s = v->p->spec;
	const char *reason = NULL, *words = s->node_name ? out_of(v, a, &reason) : NULL;

	if (!reason && !node_selected(s, v->on->node)) {
		reason = "NodeAffinity";
		words = FIT_AFFINITY;
	}
	for (uint32_t k = 0; !reason && v->on->nr_ports && k < v->on->pods.nr; k++)
		if (was_before(v, v->on->pods.v[k]) && host_ports_collide(s, v->on->pods.v[k]->spec)) {
			reason = "NodePorts";
			words = FIT_PORTS;
		}
	if (!reason && !stays_for(s, v->on->node)) {
		reason = "TaintToleration";
		words = FIT_TAINT;
	}
	if (!reason)
		return false;
	if (strncmp(reason, "OutOf", 5) != 0)
		words = arena_printf(a, "Predicate %s failed: %s", reason, words);
	v->p->phase = POD_FAILED;
	v->p->reason = cluster_str(v->c, reason);
	v->p->message = str_printf(cluster_strings(v->c), "Pod was rejected: %s", words);
	SAY(v, true, reason, "%s", words);
	cluster_touch(v->c, &v->p->o);
	return true;
}

void visit_greets(struct visit *v)
{
	v->p->start = v->now;
	v->p->host_ip = v->on->ip;
	v->ip = v->ip2 = (ip_addr){ 0, 0 };
}

static void greet(struct visit *v)
{
	struct prun *r = v->r;

	visit_greets(v);
	r->busy = -1;
	for (uint32_t k = 0; k < r->nr; k++)
		r->c[k].from = r->c[k].to = r->c[k].ends = NEVER;
}

/* A Pod that came with its status is left as it is, unless it is to go, is broken on purpose, or was called unready while its node was away. */
static bool left_alone(const struct visit *v)
{
	const struct pod *p = v->p;

	if ((pod_is_terminal(p) && p->o.deleted == NEVER) || (p->given && val_path(p->o.doc, "metadata.deletionTimestamp")))
		return true;
	return p->given && !kubelet_run_of(v->k, p) && p->o.deleted == NEVER &&
	       !(condition_status(&p->conditions, "Ready") == COND_FALSE && condition_status(&p->conditions, "ContainersReady") == COND_TRUE);
}

static void finish(struct visit *v, struct echo *echo)
{
	struct told told;

	if (pod_stopped(v) && v->p->o.deleted != NEVER && !v->p->o.finalizers.nr) {
		cluster_remove(v->c, &v->p->o);
		return;
	}
	told = kubelet_status(v->t, v->p, v->r, ip_set(v->ip));
	kubelet_tell(v->c, v->p, &told, v->ip, v->ip2);
	if (at_rest(v))
		forget(v->t, v->p);
	echo_end(v, echo, &told);
	if (!kubelet_run_of(v->k, v->p))
		return;
	control_wake(v->t, CTL_KUBELET, &v->p->o, v->next);
	control_timer(v->t, CTL_KUBELET, &v->p->o, v->later);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct pod *p = (struct pod *)o;
	struct visit v = { .t = t, .c = control_cluster(t), .k = kubelet_of(t), .p = p, .now = now, .next = NEVER, .later = NEVER, .ip = p->ip, .ip2 = p->ip2 };
	struct echo *echo;
	bool known, first;

	v.on = node_of_pod(t, p);
	if (o->gone || !v.on || !kubelet_works(v.on) || left_alone(&v))
		return;
	v.r = kubelet_run_of(v.k, p);
	known = p->given || p->statuses.nr;
	if (!v.r && !known && o->deleted == NEVER && rejected(&v))
		return;
	if ((v.r || !known) && echo_play(&v))
		return;
	first = !v.r;
	echo = first && known ? NULL : echo_begin(&v);
	v.r = kubelet_remember(t, p);
	if (first && known)
		kubelet_recall(t, p, v.r);
	else if (first)
		greet(&v);
	for (int round = 0; round < 1000 && (take_in(&v) || begin_next(&v)); round++)
		;
	plan(&v);
	finish(&v, echo);
}

/* ---- what wakes it */

static void watch(struct control *t, const struct change *ch)
{
	struct kubelet *k = kubelet_of(t);
	struct pod *p = (struct pod *)ch->object;
	const struct node_info *i;

	if (ch->object->kind == &node_kind) {
		i = node_info(t, ch->object->name);
		for (uint32_t n = 0; n < i->pods.nr; n++)
			if (kubelet_run_of(k, i->pods.v[n]) || i->pods.v[n]->phase <= POD_PENDING || i->pods.v[n]->o.deleted != NEVER || !pod_is_ready(i->pods.v[n]))
				control_wake(t, CTL_KUBELET, &i->pods.v[n]->o, 0);
		return;
	}
	if (!p->node)
		return;
	if (ch->kind == CHANGE_DELETE) {
		if (ip_set(p->ip) && !p->spec->host_network && !pod_is_terminal(p))
			ipam_release(t, NULL, p->ip, p->ip2);
		forget(t, p);
		return;
	}
	control_wake(t, CTL_KUBELET, ch->object, 0);
}

static void *init(struct control *t)
{
	struct cluster *c = control_cluster(t);
	struct kubelet *k = arena_make(cluster_arena(c), struct kubelet);

	for (int w = 0; w < KUBELET_WORDS; w++)
		k->words[w] = cluster_str(c, kubelet_words[w]);
	k->stated = arena_array(cluster_arena(c), struct stated, STATED);
	return k;
}

static const struct kind *const kinds_heard[] = { &pod_kind, &node_kind, NULL };
/* What it writes itself is status and addresses. */
const struct controller kubelet_controller = { .name = COMPONENT, .kinds = kinds_heard, .pods = POD_ADDED | POD_GONE | POD_BOUND | POD_OTHER, .init = init, .watch = watch, .run = run,
					       .save = kubelet_save, .load = kubelet_load };
