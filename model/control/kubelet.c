/*
 * The kubelet in virtual time. Sources: pkg/kubelet/kubelet.go SyncPod, kuberuntime/kuberuntime_manager.go, pod_workers.go, prober/; facts 1–9.
 *
 * Theory of operation. Each run brings one Pod to what it should be now: it takes in what has fallen due (a sandbox is made, an image is there, a container
 * ended, a probe has spoken), asks pod_actions what comes next, begins it, and repeats until nothing moves; then it writes the status once and wakes itself
 * at the next time that matters. One worker serves a Pod: it starts one container after another, and is held up by a postStart hook.
 */
#include "model/control/kubelet.h"

#include <stdio.h>

#include "model/control/ipam.h"

#define COMPONENT "kubelet"

struct visit {
	struct control *t;
	struct cluster *c;
	struct kubelet *k;
	struct pod *p;
	struct prun *r;
	const struct node_info *on;
	nsec now, next, later;                  /* next: work falls due; later: a standing timer does */
	ip_addr ip, ip2;
	bool removed;
};

static struct kubelet *state(const struct control *t)
{
	return control_state(t, CTL_KUBELET);
}

/* ---- memory */

struct prun *kubelet_remember(struct control *t, const struct pod *p)
{
	struct arena *a = cluster_arena(control_cluster(t));
	struct kubelet *k = state(t);
	uint32_t nr = container_count(p->spec);
	struct prun *r = map_get_ptr(&k->runs, p->o.id.i);

	if (r)
		return r;
	for (uint32_t i = k->spare.nr; i-- > 0 && i + 8 > k->spare.nr && !r;)
		if (k->spare.v[i]->alloc >= nr) {
			r = k->spare.v[i];
			k->spare.v[i] = k->spare.v[--k->spare.nr];
		}
	if (!r) {
		r = arena_make(a, struct prun);
		r->alloc = nr;
		r->c = arena_array(a, struct crun, nr);
	}
	memset(r->c, 0, nr * sizeof(*r->c));
	*r = (struct prun){ .c = r->c, .alloc = r->alloc, .nr = nr, .nr_init = MIN(p->spec->init_containers.nr, nr) };
	*map_put(&k->runs, a, p->o.id.i) = map_ptr(r);
	vec_add(a, &k->moving, p->o.id);
	return r;
}

static void forget(struct kubelet *k, struct arena *a, uint32_t handle)
{
	struct prun *r = map_get_ptr(&k->runs, handle);

	if (!r)
		return;
	map_remove(&k->runs, handle);
	vec_add(a, &k->spare, r);
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

static void soon(struct visit *v, nsec at)
{
	v->next = MIN(v->next, at);
}

static void some_time(struct visit *v, nsec at)
{
	v->later = MIN(v->later, at);
}

/* What is told of every Pod. */
static const struct event_form PULLING = { false, COMPONENT, "Pulling", "Pulling image \"%s\"" },
			       PULLED = { false, COMPONENT, "Pulled", "Successfully pulled image \"%s\" in 1s (1s including waiting)." },
			       PRESENT = { false, COMPONENT, "Pulled", "Container image \"%s\" already present on machine and can be accessed by the pod" },
			       CREATED = { false, COMPONENT, "Created", "Container created" }, STARTED = { false, COMPONENT, "Started", "Container started" },
			       STOPPING = { false, COMPONENT, "Killing", "Stopping container %s" };

static void tell(struct visit *v, const struct event_form *form, str what)
{
	cluster_event_form(v->c, &v->p->o, form, what, NULL);
}

#define SAY(v, warning, reason, ...) cluster_event((v)->c, &(v)->p->o, warning, COMPONENT, reason, __VA_ARGS__)

/* ---- the sandbox */

static void node_address(struct visit *v)
{
	const struct node *n = v->on->node;

	v->ip = v->ip2 = (ip_addr){ 0, 0 };
	for (uint32_t k = 0; k < n->addresses.nr; k++) {
		ip_addr ip;

		if (!streq(n->addresses.v[k].type, "InternalIP") || !ip_parse(n->addresses.v[k].address, &ip))
			continue;
		if (!ip_set(v->ip))
			v->ip = ip;
		else if (!ip_set(v->ip2) && ip_is4(ip) != ip_is4(v->ip))
			v->ip2 = ip;
	}
}

static void say_no_network(struct visit *v)
{
	if (v->r->announced)
		return;
	v->r->announced = true;
	SAY(v, true, "NetworkNotReady",
	    "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized");
}

static void begin_sandbox(struct visit *v, uint32_t attempt)
{
	struct prun *r = v->r;

	if (!v->p->spec->host_network && !network_ready(v->t, v->on)) {
		say_no_network(v);
		return;
	}
	r->announced = false;
	if (v->now < r->retry) {
		some_time(v, r->retry);
		return;
	}
	if (r->made_before && r->sandbox != SANDBOX_NONE) {
		SAY(v, false, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
		if (!v->p->spec->host_network)
			ipam_release(v->t, v->on->node, v->ip, v->ip2);
		v->ip = v->ip2 = (ip_addr){ 0, 0 };
	}
	for (uint32_t k = 0; k < r->nr_init; k++)       /* the init list is run again from its first */
		r->c[k].run.state = RUN_NONE;
	r->sandbox = SANDBOX_NONE;
	r->attempt = attempt;
	r->making = true;
	r->due = v->now + timing(T_STEP_SANDBOX);
}

static void sandbox_id(const struct visit *v, char out[65])
{
	for (int k = 0; k < 4; k++)
		snprintf(out + 16 * k, 17, "%016" PRIx64, draw(v->c, "sandbox", v->p->o.uid, 4 * (uint64_t)v->r->attempt + (uint64_t)k));
}

static void cni_failed(struct visit *v, const char *words)
{
	uint8_t cni = cluster_settings(v->c)->cni;
	char id[65];

	sandbox_id(v, id);
	SAY(v, true, "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"%s\": plugin type=\"%s\" failed (add): %s%s",
	    id, cni_names[cni], cni == CNI_CALICO ? "" : cni == CNI_FLANNEL ? "failed to delegate add: failed to allocate for range 0: " : "failed to allocate for range 0: ", words);
	v->r->attempt++;
	v->r->retry = v->now + timing(T_KUBELET_BACKOFF_PERIOD) + (nsec)draw_below(v->c, "sandbox retry", v->p->o.uid, v->r->attempt, 5000) * MILLIS(1);
	some_time(v, v->r->retry);
}

static void sandbox_made(struct visit *v)
{
	struct arena *scratch;
	const char *problem;

	v->r->making = false;
	if (v->p->spec->host_network) {
		node_address(v);
	} else if (!network_ready(v->t, v->on)) {
		say_no_network(v);
		return;
	} else {
		scratch = arena_new(NULL, "kubelet");
		problem = ipam_assign(v->t, v->on->node, v->p, &v->ip, &v->ip2, scratch);
		if (problem)
			cni_failed(v, problem);
		arena_free(scratch);
		if (problem)
			return;
	}
	v->r->sandbox = SANDBOX_READY;
	v->r->made_before = true;
}

/* ---- starting one container */

/* When the node has the image, or will have it; known: somebody has asked for it there before. */
static nsec image_at(struct visit *v, const char *image, bool *known)
{
	struct arena *a = cluster_arena(v->c);
	uint64_t *at = map_put(&v->k->images, a, hash_mix(map_ptr(v->on->name), map_ptr(image)));

	*known = *at != 0;
	if (!*at) {
		vec_add(a, &v->k->all_images, (struct image){ v->on->name, image, v->now + timing(T_STEP_PULL) });
		*at = v->k->all_images.nr;
	}
	return v->k->all_images.v[*at - 1].at;
}

/* kuberuntime_manager.go doBackOff, client-go flowcontrol/backoff.go: the first restart is at once, then 10 s, 20 s … */
static bool in_backoff(struct visit *v, struct crun *x, const struct container *c)
{
	bool expired = x->backoff && x->to - x->backoff_at > 2 * timing(T_CRASH_BACKOFF_MAX);

	if (x->backoff && !expired && v->now - x->to < x->backoff) {
		if (!x->backing_off)
			SAY(v, true, "BackOff", "Back-off restarting failed container %s in pod %s_%s(%s)", c->name, v->p->o.name, v->p->o.ns, v->p->o.uid);
		x->backing_off = true;
		some_time(v, x->to + x->backoff);
		return true;
	}
	x->backoff = !x->backoff || expired ? timing(T_CRASH_BACKOFF_FIRST) : MIN(2 * x->backoff, timing(T_CRASH_BACKOFF_MAX));
	x->backoff_at = v->now;
	x->backing_off = false;
	return false;
}

static bool without_image(struct visit *v, struct crun *x, const struct container *c)
{
	if (!image_missing(v->p, c)) {
		x->no_image = false;
		return false;
	}
	if (!x->no_image) {
		SAY(v, false, "Pulling", "Pulling image \"%s\"", c->image);
		SAY(v, true, "Failed", "Failed to pull image \"%s\": rpc error: code = NotFound desc = failed to pull and unpack image \"%s\": not found", c->image, c->image);
		SAY(v, true, "Failed", "Error: ErrImagePull");
		SAY(v, false, "BackOff", "Back-off pulling image \"%s\"", c->image);
		SAY(v, true, "Failed", "Error: ImagePullBackOff");
	}
	x->no_image = x->backing_off = true;
	return true;
}

/* false: it must wait, others may go on. */
static bool begin_start(struct visit *v, uint32_t k)
{
	const struct container *c = container_at(v->p->spec, k);
	struct crun *x = &v->r->c[k];
	nsec there;
	bool known;

	if (x->run.state == RUN_EXITED && in_backoff(v, x, c))
		return false;
	if (without_image(v, x, c))
		return false;
	v->r->busy = (int32_t)k;
	there = c->image ? image_at(v, c->image, &known) : 0;
	if (v->now >= there) {
		if (c->image)
			tell(v, &PRESENT, c->image);
		x->step = STEP_STARTING;
		v->r->due = v->now + timing(T_STEP_START);
		return true;
	}
	tell(v, &PULLING, c->image);
	x->step = STEP_IMAGE;
	v->r->due = there;
	return true;
}

/* Cluster DNS is broken on purpose (fault.c): its containers do not stay up. */
static bool dns_is_broken(const struct visit *v)
{
	const struct service *s = streq(v->p->o.ns, "kube-system") ? find_service(v->c, "kube-system", "kube-dns") : NULL;

	return s && s->selector.nr && fault_since(&s->o, DOWN_ANNOTATION) != NEVER && pairs_match(&s->selector, &v->p->o.labels);
}

static void runs_now(struct visit *v, uint32_t k)
{
	const struct container *c = container_at(v->p->spec, k);
	struct crun *x = &v->r->c[k];
	struct ending e = container_ending(v->p, c, role_of(v->p, k));

	if (x->run.state == RUN_EXITED) {
		x->has_last = true;
		x->last_exit = x->run.exit;
		x->last_to = x->to;
		x->restarts++;
	}
	tell(v, &CREATED, NULL);
	tell(v, &STARTED, NULL);
	x->run = (struct run){ .state = RUN_RUNNING };
	x->step = STEP_NONE;
	x->from = v->now;
	x->to = NEVER;
	x->ends = e.after == NEVER ? NEVER : v->now + e.after;
	x->ends_with = e.code;
	x->stopping = x->complained = x->ready = x->started = false;
	x->probes = container_probing(v->p, c, v->now);
	if (dns_is_broken(v)) {
		x->ends = v->now + timing(T_STEP_START);
		x->ends_with = 1;
	}
	if (c->lifecycle && c->lifecycle->post_start)
		v->r->free_at = v->now + hook_lasts(c->lifecycle->post_start);
}

static void step_done(struct visit *v)
{
	uint32_t k = (uint32_t)v->r->busy;
	struct crun *x = &v->r->c[k];

	if (x->step == STEP_IMAGE) {
		tell(v, &PULLED, container_at(v->p->spec, k)->image);
		x->step = STEP_STARTING;
		v->r->due = v->now + timing(T_STEP_START);
		return;
	}
	v->r->busy = -1;
	runs_now(v, k);
}

/* ---- ending containers */

static void ended(struct visit *v, struct crun *x)
{
	(void)v;
	x->run = (struct run){ .state = RUN_EXITED, .exit = x->ends_with };
	x->to = x->ends;
	x->ends = NEVER;
	x->stopping = x->ready = x->started = false;
}

static nsec grace_of(const struct pod *p)
{
	return SECONDS(MAX(p->spec->grace, 0));
}

/* preStop, SIGTERM, SIGKILL when the grace is over; after preStop there are always two seconds (killContainer). */
static void stop_container(struct visit *v, uint32_t k, nsec grace)
{
	const struct container *c = container_at(v->p->spec, k);
	struct crun *x = &v->r->c[k];
	nsec hook = c->lifecycle && grace ? MIN(hook_lasts(c->lifecycle->pre_stop), grace) : 0, rest = MAX(grace - hook, timing(T_GRACE_MINIMUM)), at;
	bool deaf = ignores_sigterm(c);

	if (x->run.state != RUN_RUNNING || x->stopping)
		return;
	at = grace ? v->now + hook + (deaf ? rest : MIN(timing(T_STEP_STOP), rest)) : v->now;
	x->stopping = true;
	x->ends_with = deaf || !grace ? 137 : 0;
	x->ends = MIN(x->ends, at);
}

static void kill_at_once(struct visit *v)
{
	for (uint32_t k = 0; k < v->r->nr; k++)
		if (v->r->c[k].run.state == RUN_RUNNING) {
			v->r->c[k].ends = v->now;
			v->r->c[k].ends_with = 137;
			ended(v, &v->r->c[k]);
		}
	if (v->r->busy >= 0)
		v->r->c[v->r->busy].step = STEP_NONE;
	v->r->busy = -1;
}

/* ---- the end of the Pod: main containers together, then sidecars, the last first (kuberuntime_termination_order.go) */

static bool any_running(const struct visit *v, uint32_t from)
{
	for (uint32_t k = from; k < v->r->nr; k++)
		if (v->r->c[k].run.state == RUN_RUNNING)
			return true;
	return false;
}

static void tell_all(struct visit *v)
{
	v->r->stopping = true;
	v->r->told = v->now;
	v->r->making = false;
	if (v->r->busy >= 0)
		v->r->c[v->r->busy].step = STEP_NONE;
	v->r->busy = -1;
	for (uint32_t k = 0; k < v->r->nr; k++)
		if (v->r->c[k].run.state == RUN_RUNNING && !v->r->c[k].stopping && role_of(v->p, k) != ROLE_SIDECAR) {
			tell(v, &STOPPING, container_at(v->p->spec, k)->name);
			stop_container(v, k, grace_of(v->p));
		}
}

static void stop_pod(struct visit *v)
{
	nsec left;

	if (!v->r->stopping)
		tell_all(v);
	left = MAX(grace_of(v->p) - (v->now - v->r->told), 0);
	for (uint32_t k = v->r->nr; k-- > 0 && !any_running(v, v->r->nr_init);) {
		if (v->r->c[k].run.state != RUN_RUNNING)
			continue;
		if (!v->r->c[k].stopping) {
			tell(v, &STOPPING, container_at(v->p->spec, k)->name);
			stop_container(v, k, grace_of(v->p) ? MAX(left, timing(T_GRACE_MINIMUM)) : 0);
		}
		break;
	}
}

static bool all_stopped(const struct visit *v)
{
	return v->r->stopping && !any_running(v, 0);
}

/* ---- one step: takes in what is due, begins what comes next. true: something moved */

static bool probes_speak(struct visit *v, uint32_t k)
{
	static const char *const words[] = { [PROBE_STARTUP] = "Startup", [PROBE_READINESS] = "Readiness", [PROBE_LIVENESS] = "Liveness" };
	struct crun *x = &v->r->c[k];
	const struct probing *b = &x->probes;
	bool started = v->now >= b->started && b->started != NEVER, ready = started && b->ready != NEVER && v->now >= b->ready && v->now < b->unready;
	bool moved = started != x->started || ready != x->ready;

	if (x->run.state != RUN_RUNNING)
		return false;
	x->started = started;
	x->ready = ready;
	if (b->complaint && v->now >= b->complains && !x->complained) {
		x->complained = true;
		SAY(v, true, "Unhealthy", "%s probe failed: %s", words[b->complainer], b->complaint);
	}
	if (b->killed != NEVER && v->now >= b->killed && !x->stopping && !v->r->stopping) {
		SAY(v, false, "Killing", "Container %s failed %s probe, will be restarted", container_at(v->p->spec, k)->name, b->by_startup ? "startup" : "liveness");
		stop_container(v, k, grace_of(v->p));
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
			ended(v, x);
			moved = true;
		}
		moved |= probes_speak(v, k);
	}
	if (v->r->making && v->r->due <= v->now) {
		sandbox_made(v);
		moved = true;
	}
	if (v->r->busy >= 0 && v->r->due <= v->now) {
		step_done(v);
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
	if (v->r->sandbox == SANDBOX_READY && !v->p->spec->host_network)
		ipam_release(v->t, v->on->node, v->ip, v->ip2);
	v->r->sandbox = SANDBOX_NONE;
}

static bool begin_next(struct visit *v)
{
	struct run runs[MAX_CONTAINERS];
	struct pod_actions a;

	if (v->p->o.deleted != NEVER) {
		stop_pod(v);
		return false;
	}
	if (v->r->making || v->r->busy >= 0 || v->now < v->r->free_at)
		return false;
	a = what_next(v, runs);
	if (a.kill_pod) {
		bool told = false;

		if (v->r->sandbox == SANDBOX_DEAD)
			kill_at_once(v);
		for (uint32_t k = 0; k < v->r->nr; k++) {
			told = told || (v->r->c[k].run.state == RUN_RUNNING && !v->r->c[k].stopping);
			stop_container(v, k, grace_of(v->p));
		}
		if (any_running(v, 0))
			return told;
		if (a.create_sandbox)
			begin_sandbox(v, a.attempt);
		else
			wind_up(v);
		return false;
	}
	for (uint32_t k = 0; k < v->r->nr; k++)
		if (a.start >> k & 1 && begin_start(v, k))
			return v->r->due <= v->now;
	return false;
}

/* ---- when to come back */

static void plan_container(struct visit *v, uint32_t k)
{
	const struct crun *x = &v->r->c[k];
	enum container_role role = role_of(v->p, k);
	bool always = role == ROLE_SIDECAR || (role == ROLE_MAIN && !streq(v->p->spec->restart_policy, "Never") && !streq(v->p->spec->restart_policy, "OnFailure"));
	bool expected = x->stopping || !always || (!x->restarts && x->ends - x->from <= SECONDS(10));
	const nsec at[] = { x->probes.killed, x->probes.unready, x->probes.complaint && !x->complained ? x->probes.complains : NEVER };

	if (x->run.state != RUN_RUNNING)
		return;
	if (x->ends != NEVER)
		(expected && x->ends - v->now <= MINUTES(10) ? soon : some_time)(v, x->ends);
	if (!x->started && x->probes.started != NEVER)
		soon(v, x->probes.started);
	if (!x->ready && x->probes.ready != NEVER && v->now < x->probes.ready)
		soon(v, x->probes.ready);
	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		if (at[i] > v->now && !x->stopping)
			some_time(v, at[i]);
}

static void plan(struct visit *v)
{
	if (v->r->making || v->r->busy >= 0)
		soon(v, v->r->due);
	if (v->r->free_at > v->now)
		soon(v, v->r->free_at);
	for (uint32_t k = 0; k < v->r->nr; k++)
		plan_container(v, k);
}

/* ---- the first look at a Pod */

/* The kubelet's own admission (lifecycle/predicate.go): a Pod that was bound past the scheduler may not fit. */
static bool rejected(struct visit *v)
{
	const char *reason = NULL, *words = NULL;

	if (!node_selected(v->p->spec, v->on->node)) {
		reason = "NodeAffinity";
		words = FIT_AFFINITY;
	}
	for (uint32_t k = 0; !reason && v->on->nr_ports && k < v->on->pods.nr; k++) {
		const struct pod *other = v->on->pods.v[k];

		if (other->o.id.i < v->p->o.id.i && other->start != NEVER && host_ports_collide(v->p->spec, other->spec)) {
			reason = "NodePorts";
			words = FIT_PORTS;
		}
	}
	if (!reason)
		return false;
	v->p->phase = POD_FAILED;
	v->p->reason = cluster_str(v->c, reason);
	v->p->message = str_printf(cluster_strings(v->c), "Pod was rejected: Predicate %s failed: %s", reason, words);
	SAY(v, true, reason, "Predicate %s failed: %s", reason, words);
	cluster_touch(v->c, &v->p->o);
	return true;
}

static void greet(struct visit *v)
{
	struct prun *r = v->r;

	v->p->start = v->now;
	node_address(v);
	v->p->host_ip = v->ip;
	v->ip = v->ip2 = (ip_addr){ 0, 0 };
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
	return p->given && !map_find(&v->k->runs, p->o.id.i) && p->o.deleted == NEVER &&
	       !(condition_status(&p->conditions, "Ready") == COND_FALSE && condition_status(&p->conditions, "ContainersReady") == COND_TRUE);
}

static void finish(struct visit *v)
{
	if (all_stopped(v) && v->p->o.deleted != NEVER && !v->p->o.finalizers.nr) {
		v->removed = true;
		cluster_remove(v->c, &v->p->o);
		return;
	}
	v->k->writing = true;
	kubelet_status(v->t, v->p, v->r, v->ip, v->ip2);
	v->k->writing = false;
	if (at_rest(v)) {
		forget(v->k, cluster_arena(v->c), v->p->o.id.i);
		return;
	}
	control_wake(v->t, CTL_KUBELET, &v->p->o, v->next);
	control_timer(v->t, CTL_KUBELET, &v->p->o, v->later);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct pod *p = (struct pod *)o;
	struct visit v = { .t = t, .c = control_cluster(t), .k = state(t), .p = p, .now = now, .next = NEVER, .later = NEVER, .ip = p->ip, .ip2 = p->ip2 };

	v.on = p->node ? node_info(t, p->node) : NULL;
	if (o->gone || !v.on || !kubelet_works(v.on) || left_alone(&v))
		return;
	v.r = map_get_ptr(&v.k->runs, o->id.i);
	if (!v.r) {
		bool known = p->given || p->statuses.nr;

		if (!known && o->deleted == NEVER && rejected(&v))
			return;
		v.r = kubelet_remember(t, p);
		if (known)
			kubelet_recall(p, v.r);
		else
			greet(&v);
	}
	for (int round = 0; round < 1000 && (take_in(&v) || begin_next(&v)); round++)
		;
	plan(&v);
	finish(&v);
}

/* ---- accidents */

/* What is remembered of a Pod that has been started, read back if it was at rest. */
static struct prun *started(struct control *t, struct pod *p)
{
	struct kubelet *k = state(t);
	struct prun *r = map_get_ptr(&k->runs, p->o.id.i);

	if (r || pod_is_terminal(p) || !p->node || !(p->statuses.nr || p->given))
		return r;
	r = kubelet_remember(t, p);
	kubelet_recall(p, r);
	return r;
}

void kubelet_sandbox_dies(struct control *t, struct pod *p)
{
	struct prun *r = started(t, p);

	if (!r)
		return;
	if (r->sandbox == SANDBOX_READY)
		r->sandbox = SANDBOX_DEAD;
	if (p->o.deleted != NEVER)
		for (uint32_t k = 0; k < r->nr; k++)
			r->c[k].ends = MIN(r->c[k].ends, control_now(t));
	control_wake(t, CTL_KUBELET, &p->o, 0);
}

bool kubelet_container_exits(struct control *t, struct pod *p, const char *container, int32_t code)
{
	struct prun *r = started(t, p);
	bool any = false;

	for (uint32_t k = 0; r && k < r->nr; k++) {
		struct crun *x = &r->c[k];

		if (x->run.state != RUN_RUNNING || (container ? !streq(container_at(p->spec, k)->name, container) : k < r->nr_init))
			continue;
		x->ends = control_now(t);
		x->ends_with = code;
		any = true;
	}
	if (any)
		control_wake(t, CTL_KUBELET, &p->o, 0);
	return any;
}

/* ---- what wakes it */

static void watch(struct control *t, const struct change *ch)
{
	struct kubelet *k = state(t);
	struct pod *p = (struct pod *)ch->object;
	const struct node_info *i;

	if (ch->object->kind == &node_kind) {
		i = node_info(t, ch->object->name);
		for (uint32_t n = 0; n < i->pods.nr; n++)
			if (map_find(&k->runs, i->pods.v[n]->o.id.i) || i->pods.v[n]->phase <= POD_PENDING || i->pods.v[n]->o.deleted != NEVER || !pod_is_ready(i->pods.v[n]))
				control_wake(t, CTL_KUBELET, &i->pods.v[n]->o, 0);
		return;
	}
	if (!p->node)
		return;
	if (ch->kind == CHANGE_DELETE) {
		if (ip_set(p->ip) && !p->spec->host_network && !pod_is_terminal(p))
			ipam_release(t, NULL, p->ip, p->ip2);
		forget(k, cluster_arena(control_cluster(t)), p->o.id.i);
		return;
	}
	if (!k->writing)
		control_wake(t, CTL_KUBELET, ch->object, 0);
}

static void *init(struct control *t)
{
	struct cluster *c = control_cluster(t);
	struct kubelet *k = arena_make(cluster_arena(c), struct kubelet);

	for (int w = 0; w < KUBELET_WORDS; w++)
		k->words[w] = cluster_str(c, kubelet_words[w]);
	return k;
}

static const struct kind *const kinds_heard[] = { &pod_kind, &node_kind, NULL };
const struct controller kubelet_controller = { .name = COMPONENT, .kinds = kinds_heard, .init = init, .watch = watch, .run = run,
					       .save = kubelet_save, .load = kubelet_load };
