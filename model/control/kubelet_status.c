/* From what runs to what the API says of it, and back. Sources: pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses), status/generate.go. */
#include "model/control/kubelet.h"

#include <stdio.h>

const struct container *container_at(const struct pod_spec *s, uint32_t k)
{
	return k < s->init_containers.nr ? &s->init_containers.v[k] : &s->containers.v[k - s->init_containers.nr];
}

uint32_t container_count(const struct pod_spec *s)
{
	return MIN(s->init_containers.nr + s->containers.nr, (uint32_t)MAX_CONTAINERS);
}

enum container_role role_of(const struct pod *p, uint32_t k)
{
	const struct owner_ref *ref = controller_of(&p->o);

	if (k < p->spec->init_containers.nr)
		return is_sidecar(&p->spec->init_containers.v[k]) ? ROLE_SIDECAR : ROLE_INIT;
	return ref && streq(ref->kind, "Job") ? ROLE_JOB : ROLE_MAIN;
}

/* ---- container statuses */

static bool init_done(const struct pod_spec *s, const struct prun *r)
{
	for (uint32_t k = 0; k < r->nr_init; k++) {
		const struct crun *c = &r->c[k];

		if (is_sidecar(&s->init_containers.v[k]) ? !(c->run.state == RUN_RUNNING && c->started) : !(c->run.state == RUN_EXITED && c->run.exit == 0))
			return false;
	}
	return true;
}

static const char *exit_reason(int32_t code)
{
	return code ? "Error" : "Completed";
}

/* Go's time.Duration text of whole seconds: 10s, 1m20s, 5m0s. */
static const char *go_duration(nsec d, char out[24])
{
	int64_t s = d / SECONDS(1);

	if (s < 60)
		snprintf(out, 24, "%" PRId64 "s", s);
	else
		snprintf(out, 24, "%" PRId64 "m%" PRId64 "s", s / 60, s % 60);
	return out;
}

static void waiting(struct cluster *c, const struct pod *p, const struct prun *r, const struct crun *x, struct container_status *st)
{
	const char *reason = r->nr_init ? "PodInitializing" : "ContainerCreating";

	char text[24];

	st->state = CS_WAITING;
	st->started_at = st->finished_at = NEVER;
	if (x->backing_off) {
		reason = x->no_image ? "ImagePullBackOff" : "CrashLoopBackOff";
		if (x->no_image)
			st->message = str_printf(cluster_strings(c), "Back-off pulling image \"%s\"", st->image);
		else
			st->message = str_printf(cluster_strings(c), "back-off %s restarting failed container=%s pod=%s_%s(%s)", go_duration(x->backoff, text), st->name,
						 p->o.name, p->o.ns, p->o.uid);
	}
	st->reason = cluster_str(c, reason);
}

static void one_status(struct cluster *c, const struct pod *p, const struct prun *r, uint32_t k, struct container_status *st)
{
	const struct container *spec = container_at(p->spec, k);
	const struct crun *x = &r->c[k];
	bool restarting = x->run.state == RUN_EXITED && x->backing_off;       /* kubelet_pods.go convertToAPIContainerStatuses: only with a reason in the cache; else it stays Terminated until it runs again */

	st->name = spec->name;
	st->image = spec->image;
	st->init = k < r->nr_init;
	st->restarts = x->restarts;
	st->last_finished = NEVER;
	if (x->has_last || restarting) {
		st->last_exit = restarting ? x->run.exit : x->last_exit;
		st->last_finished = restarting ? x->to : x->last_to;
		st->last_reason = cluster_str(c, exit_reason(st->last_exit));
	}
	st->started = TRI_FALSE;
	if (x->run.state == RUN_RUNNING) {
		st->state = CS_RUNNING;
		st->started_at = x->from;
		st->finished_at = NEVER;
		st->ready = x->ready;
		st->started = x->started ? TRI_TRUE : TRI_FALSE;
	} else if (x->run.state == RUN_EXITED && !restarting) {
		st->state = CS_TERMINATED;
		st->started_at = x->from;
		st->finished_at = x->to;
		st->exit_code = x->run.exit;
		st->reason = cluster_str(c, exit_reason(x->run.exit));
		st->ready = st->init && x->run.exit == 0;
	} else {
		waiting(c, p, r, x, st);
	}
}

/* ---- phase (kubelet_pods.go getPhase) */

static enum pod_phase phase_of(const struct pod *p, const struct prun *r)
{
	uint32_t waiting = 0, running = 0, stopped = 0, succeeded = 0, for_ever = 0;

	for (uint32_t k = 0; k < r->nr_init; k++) {
		const struct crun *x = &r->c[k];

		if (is_sidecar(&p->spec->init_containers.v[k])) {
			if (x->run.state != RUN_RUNNING && !(x->run.state == RUN_EXITED && r->c[r->nr - 1].run.state != RUN_NONE))
				return POD_PENDING;
			continue;
		}
		if (x->run.state == RUN_EXITED && x->run.exit != 0 && !container_restarts(p->spec, &p->spec->init_containers.v[k], x->run.exit))
			return POD_FAILED;
		if (x->run.state != RUN_EXITED || x->run.exit != 0)
			return POD_PENDING;
	}
	for (uint32_t k = r->nr_init; k < r->nr; k++) {
		const struct crun *x = &r->c[k];
		bool ended = x->run.state == RUN_EXITED;

		waiting += x->run.state == RUN_NONE;
		running += x->run.state == RUN_RUNNING;
		stopped += ended;
		succeeded += ended && x->run.exit == 0;
		for_ever += ended && !container_restarts(p->spec, container_at(p->spec, k), x->run.exit);
	}
	if (waiting)
		return POD_PENDING;
	if (running || for_ever < stopped)
		return POD_RUNNING;
	return stopped == succeeded ? POD_SUCCEEDED : POD_FAILED;
}

/* ---- conditions (status/generate.go) */

const char *const kubelet_words[KUBELET_WORDS] = {
	[W_START] = "PodReadyToStartContainers", [W_INIT] = "Initialized", [W_READY] = "Ready", [W_CONTAINERS] = "ContainersReady", [W_SCHEDULED] = "PodScheduled",
	[W_NOT_READY] = "ContainersNotReady", [W_NOT_INITIALIZED] = "ContainersNotInitialized", [W_COMPLETED] = "PodCompleted", [W_FAILED] = "PodFailed",
	[W_GATES] = "ReadinessGatesNotReady",
};

struct saying { bool yes; enum kubelet_word reason; str message; };       /* reason 0: none */

static str list_names(struct cluster *c, const char *what, const struct pod *p, const struct prun *r, bool init)
{
	struct sb text = { 0 };
	uint32_t nr = 0;
	str out;

	for (uint32_t k = 0; k < r->nr; k++) {
		const struct crun *x = &r->c[k];
		bool sidecar = k < r->nr_init && is_sidecar(&p->spec->init_containers.v[k]), bad;

		if (init)
			bad = k < r->nr_init && (sidecar ? !(x->run.state == RUN_RUNNING && x->started) : !(x->run.state == RUN_EXITED && x->run.exit == 0));
		else
			bad = (k >= r->nr_init || sidecar) && !(x->run.state == RUN_RUNNING && x->ready);
		if (bad)
			sb_printf(&text, "%s%s", nr++ ? " " : "", container_at(p->spec, k)->name);
	}
	out = str_printf(cluster_strings(c), "containers with %s status: [%s]", what, sb_text(&text));
	sb_free(&text);
	return out;
}

static bool containers_ready(const struct pod *p, const struct prun *r)
{
	for (uint32_t k = 0; k < r->nr; k++)
		if ((k >= r->nr_init || is_sidecar(&p->spec->init_containers.v[k])) && !(r->c[k].run.state == RUN_RUNNING && r->c[k].ready))
			return false;
	return true;
}

static void say_ready(struct cluster *c, const struct pod *p, const struct prun *r, enum pod_phase phase, struct saying s[W_OWN])
{
	s[W_CONTAINERS].yes = containers_ready(p, r);
	if (!s[W_CONTAINERS].yes && phase == POD_SUCCEEDED) {
		s[W_CONTAINERS].reason = W_COMPLETED;
	} else if (!s[W_CONTAINERS].yes && phase == POD_FAILED) {
		s[W_CONTAINERS].reason = W_FAILED;
	} else if (!s[W_CONTAINERS].yes) {
		s[W_CONTAINERS].reason = W_NOT_READY;
		s[W_CONTAINERS].message = list_names(c, "unready", p, r, false);
	}
	s[W_READY] = s[W_CONTAINERS];
	for (uint32_t k = 0; k < p->spec->readiness_gates.nr && s[W_READY].yes; k++) {
		const char *gate = p->spec->readiness_gates.v[k];
		const struct condition *have = condition_get(&p->conditions, gate);

		if (have && have->status == COND_TRUE)
			continue;
		s[W_READY].yes = false;
		s[W_READY].reason = W_GATES;
		s[W_READY].message = str_printf(cluster_strings(c), have ? "the status of pod readiness gate \"%s\" is not \"True\", but %s" :
						"corresponding condition of pod readiness gate \"%s\" does not exist.%s", gate, have ? cond_status_names[have->status] : "");
	}
}

static condition_list conditions_of(struct control *t, const struct pod *p, const struct prun *r, enum pod_phase phase, bool has_ip)
{
	struct cluster *c = control_cluster(t);
	struct saying s[W_OWN] = { { 0 } };
	const struct kubelet *k = control_state(t, CTL_KUBELET);
	struct condition v[W_OWN + 16];
	uint32_t nr = W_OWN;

	memset(v, 0, sizeof(v));
	s[W_START].yes = r->sandbox == SANDBOX_READY && (has_ip || p->spec->host_network);
	s[W_INIT].yes = init_done(p->spec, r) || phase == POD_SUCCEEDED;
	if (!s[W_INIT].yes) {
		s[W_INIT].reason = W_NOT_INITIALIZED;
		s[W_INIT].message = list_names(c, "incomplete", p, r, true);
	} else if (phase == POD_SUCCEEDED) {
		s[W_INIT].reason = W_COMPLETED;
	}
	say_ready(c, p, r, phase, s);
	s[W_SCHEDULED].yes = true;
	for (int i = 0; i < W_OWN; i++) {
		v[i].type = k->words[i];
		v[i].status = s[i].yes ? COND_TRUE : COND_FALSE;
		v[i].reason = s[i].reason ? k->words[s[i].reason] : NULL;
		v[i].message = s[i].message;
		v[i].changed = cluster_now(c);
		v[i].heartbeat = NEVER;
	}
	for (uint32_t i = 0; i < p->conditions.nr; i++) {
		const struct condition *have = &p->conditions.v[i];
		int own = 0;

		while (own < W_OWN && have->type != k->words[own])
			own++;
		if (own == W_OWN && nr < ARRAY_LEN(v))          /* other people's */
			memcpy(&v[nr++], have, sizeof(v[0]));
		else if (own < W_OWN && have->status == v[own].status)
			v[own].changed = have->changed;
	}
	return (condition_list){ (struct condition *)(uintptr_t)share_bytes(t, v, nr * sizeof(*v)), nr, true };
}

static void state(struct control *t, const struct pod *p, const struct prun *r, bool has_ip, struct stated *out)
{
	struct cluster *c = control_cluster(t);
	struct container_status v[MAX_CONTAINERS];

	out->phase = (uint8_t)(p->reason && p->phase == POD_FAILED ? POD_FAILED : phase_of(p, r));
	memset(v, 0, r->nr * sizeof(*v));
	for (uint32_t k = 0; k < r->nr; k++)
		one_status(c, p, r, k, &v[k]);
	out->statuses = share_bytes(t, v, r->nr * sizeof(*v));
	out->conditions = conditions_of(t, p, r, out->phase, has_ip);
	out->was_ready = pod_is_ready(p);
	out->ready = condition_status(&out->conditions, "Ready") == COND_TRUE;
}

/* All that state() looks at. 0: it looks at more, such as the Pod's name, or at too many containers. */
static uint32_t stated_key(const struct control *t, const struct pod *p, const struct prun *r, bool has_ip, uint64_t key[STATED_WORDS])
{
	uint32_t nr = 0;

	if (5 + 5 * r->nr > STATED_WORDS)
		return 0;
	key[nr++] = map_ptr(p->spec);
	key[nr++] = map_ptr(p->conditions.v);
	key[nr++] = p->conditions.nr | (uint64_t)r->nr << 32;
	key[nr++] = (uint64_t)control_now(t);
	key[nr++] = (uint64_t)(p->reason && p->phase == POD_FAILED) | (uint64_t)has_ip << 1 | (uint64_t)r->sandbox << 8;
	for (uint32_t k = 0; k < r->nr; k++) {
		const struct crun *x = &r->c[k];

		if (x->backing_off)
			return 0;
		key[nr++] = (uint64_t)x->run.state | (uint64_t)x->ready << 8 | (uint64_t)x->started << 9 | (uint64_t)x->has_last << 10 | (uint64_t)x->step << 16 |
			    (uint64_t)(uint32_t)x->run.exit << 32;
		key[nr++] = (uint64_t)x->from;
		key[nr++] = (uint64_t)x->to;
		key[nr++] = (uint64_t)x->last_to;
		key[nr++] = (uint64_t)(uint32_t)x->restarts | (uint64_t)(uint32_t)x->last_exit << 32;
	}
	return nr;
}

static const struct stated *stated(struct control *t, const struct pod *p, const struct prun *r, bool has_ip, struct stated *own)
{
	struct kubelet *k = control_state(t, CTL_KUBELET);
	uint64_t hash = 0;
	struct stated *s;

	own->words = stated_key(t, p, r, has_ip, own->key);
	for (uint32_t w = 0; w < own->words; w++)
		hash = (hash ^ own->key[w]) * 0x9e3779b97f4a7c15u;
	s = &k->stated[hash >> 32 & (STATED - 1)];
	if (own->words && s->words == own->words && memcmp(s->key, own->key, own->words * sizeof(own->key[0])) == 0)
		return s;
	state(t, p, r, has_ip, own);
	if (!own->words)
		return own;
	*s = *own;
	return s;
}

struct told kubelet_status(struct control *t, const struct pod *p, const struct prun *r, bool has_ip)
{
	struct stated own;
	const struct stated *s = stated(t, p, r, has_ip, &own);
	bool same = p->phase == s->phase && p->statuses.nr == r->nr && p->conditions.nr == s->conditions.nr &&
		    (p->statuses.v == s->statuses || memcmp(p->statuses.v, s->statuses, r->nr * sizeof(*s->statuses)) == 0) &&
		    (p->conditions.v == s->conditions.v || memcmp(p->conditions.v, s->conditions.v, s->conditions.nr * sizeof(*s->conditions.v)) == 0);
	struct told told = { .phase = s->phase, .same = same, .what = same ? 0 : POD_STATUS, .statuses = s->statuses, .nr = r->nr, .conditions = s->conditions };
	bool ended = s->phase == POD_SUCCEEDED || s->phase == POD_FAILED;

	if (s->was_ready != s->ready || ended != pod_is_terminal(p))
		told.what |= POD_READY;
	return told;
}

void kubelet_tell(struct cluster *c, struct pod *p, const struct told *told, ip_addr ip, ip_addr ip2)
{
	p->phase = told->phase;
	p->statuses.v = (struct container_status *)(uintptr_t)told->statuses;
	p->statuses.nr = told->nr;
	p->statuses.set = true;
	p->conditions = told->conditions;
	if (!ip_eq(ip, p->ip) || !ip_eq(ip2, p->ip2))
		cluster_set_pod_ip(c, p, ip, ip2, told->what);
	else if (!told->same)
		cluster_touch_pod(c, p, told->what);
}

/* ---- and back */

const struct probing *kubelet_probing(struct control *t, struct probing p)
{
	struct kubelet *k = control_state(t, CTL_KUBELET);
	struct probing clean;

	memset(&clean, 0, sizeof(clean));       /* padding counts when bytes are compared */
	clean.started = p.started;
	clean.ready = p.ready;
	clean.unready = p.unready;
	clean.killed = p.killed;
	clean.by_startup = p.by_startup;
	clean.complaint = p.complaint;
	clean.complainer = p.complainer;
	clean.complains = p.complains;
	if (!k->last_probing || memcmp(k->last_probing, &clean, sizeof(clean)) != 0)
		k->last_probing = share_bytes(t, &clean, sizeof(clean));
	return k->last_probing;
}

static const struct container_status *status_named(const struct pod *p, const char *name)
{
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (streq(p->statuses.v[k].name, name))
			return &p->statuses.v[k];
	return NULL;
}

static void recall_one(const struct pod *p, uint32_t k, struct crun *x)
{
	const struct container *spec = container_at(p->spec, k);
	const struct container_status *st = status_named(p, spec->name);
	enum container_role role = role_of(p, k);

	x->from = x->to = x->ends = NEVER;
	if (!st) {
		if (p->phase == POD_RUNNING) {
			x->run.state = role == ROLE_INIT ? RUN_EXITED : RUN_RUNNING;
			x->from = p->start;
			x->ready = pod_is_ready(p);
			x->started = true;
		}
		return;
	}
	x->run.state = st->state == CS_RUNNING ? RUN_RUNNING : st->state == CS_TERMINATED || st->last_reason ? RUN_EXITED : RUN_NONE;
	x->run.exit = st->state == CS_TERMINATED ? st->exit_code : st->last_exit;
	x->from = st->started_at;
	x->to = st->state == CS_TERMINATED ? st->finished_at : st->last_finished;
	x->ready = st->ready;
	x->started = st->started != TRI_FALSE;
	x->restarts = st->restarts;
	x->has_last = st->last_reason != NULL;
	x->last_exit = st->last_exit;
	x->last_to = st->last_finished;
}

void kubelet_recall(struct control *t, const struct pod *p, struct prun *r)
{
	r->busy = -1;
	r->due = r->retry = r->free_at = 0;
	r->sandbox = ip_set(p->ip) || (p->phase >= POD_RUNNING && !pod_is_terminal(p)) ? SANDBOX_READY : SANDBOX_NONE;
	r->made_before = r->sandbox == SANDBOX_READY;
	for (uint32_t k = 0; k < r->nr; k++) {
		struct crun *x = &r->c[k];

		*x = (struct crun){ 0 };
		recall_one(p, k, x);
		x->probes = kubelet_probing(t, (struct probing){ .started = 0, .ready = x->ready ? 0 : NEVER, .unready = NEVER, .killed = NEVER, .complains = NEVER });
		if (x->run.state != RUN_RUNNING || p->given)
			continue;
		x->probes = kubelet_probing(t, container_probing(p, container_at(p->spec, k), x->from));
		x->ends = container_ending(p, container_at(p->spec, k), role_of(p, k)).after;
		x->ends_with = container_ending(p, container_at(p->spec, k), role_of(p, k)).code;
		if (x->ends != NEVER)
			x->ends += x->from;
	}
}
