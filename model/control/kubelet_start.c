/* How a Pod begins: its sandbox with an address, then container after container. Sources: pkg/kubelet/kuberuntime/{kuberuntime_sandbox,kuberuntime_container,kuberuntime_manager}.go,
 * pkg/kubelet/images/image_manager.go; facts 1–6. */
#include "model/control/kubelet_visit.h"

#include <stdio.h>

#include "model/control/ipam.h"

/* What is told of every Pod. */
static const struct event_form PULLING = { false, COMPONENT, "Pulling", "Pulling image \"%s\"" },
			       PULLED = { false, COMPONENT, "Pulled", "Successfully pulled image \"%s\" in 1s (1s including waiting)." },
			       PRESENT = { false, COMPONENT, "Pulled", "Container image \"%s\" already present on machine and can be accessed by the pod" },
			       CREATED = { false, COMPONENT, "Created", "Container created" }, STARTED = { false, COMPONENT, "Started", "Container started" };

/* ---- the sandbox */

static void say_no_network(struct visit *v)
{
	v->notes.own = true;
	if (v->r->announced)
		return;
	v->r->announced = true;
	SAY(v, true, "NetworkNotReady",
	    "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized");
}

void sandbox_begin(struct visit *v, uint32_t attempt)
{
	struct prun *r = v->r;

	v->notes.network = true;
	if (!v->p->spec->host_network && !network_ready(v->t, v->on)) {
		say_no_network(v);
		return;
	}
	r->announced = false;
	if (v->now < r->retry) {
		visit_some_time(v, r->retry);
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
	visit_some_time(v, v->r->retry);
}

void sandbox_made(struct visit *v)
{
	struct scratch scratch = control_scratch(v->t);
	const char *problem;

	v->r->making = false;
	v->notes.network = v->notes.address = true;
	if (v->p->spec->host_network) {
		v->ip = v->on->ip;
		v->ip2 = v->on->ip2;
	} else if (!network_ready(v->t, v->on)) {
		say_no_network(v);
		return;
	} else {
		problem = ipam_assign(v->t, v->on->node, v->p, &v->ip, &v->ip2, scratch.arena);
		if (problem)
			cni_failed(v, problem);
		scratch_end(scratch);
		if (problem)
			return;
	}
	v->r->sandbox = SANDBOX_READY;
	v->r->made_before = true;
}

/* ---- starting one container */

nsec image_there(struct visit *v, str image)
{
	struct arena *a = cluster_arena(v->c);
	uint64_t *at;

	if (v->on->image.image == image)
		return v->on->image.at;
	at = map_put(&v->k->images, a, hash_mix(map_ptr(v->on->name), map_ptr(image)));
	if (!*at) {
		vec_add(a, &v->k->all_images, (struct image){ v->on->name, image, v->now + timing(T_STEP_PULL) });
		*at = v->k->all_images.nr;
	}
	v->on->image.image = image;
	return v->on->image.at = v->k->all_images.v[*at - 1].at;
}

/* kuberuntime_manager.go doBackOff, client-go flowcontrol/backoff.go: the first restart is at once, then 10 s, 20 s … */
static bool in_backoff(struct visit *v, struct crun *x, const struct container *c)
{
	bool expired = x->backoff && x->to - x->backoff_at > 2 * timing(T_CRASH_BACKOFF_MAX);

	if (x->backoff && !expired && v->now - x->to < x->backoff) {
		if (!x->backing_off)
			SAY(v, true, "BackOff", "Back-off restarting failed container %s in pod %s_%s(%s)", c->name, v->p->o.name, v->p->o.ns, v->p->o.uid);
		x->backing_off = true;
		visit_some_time(v, x->to + x->backoff);
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
bool container_begin(struct visit *v, uint32_t k)
{
	const struct container *c = container_at(v->p->spec, k);
	struct crun *x = &v->r->c[k];
	nsec there;

	if (x->run.state == RUN_EXITED && in_backoff(v, x, c))
		return false;
	if (without_image(v, x, c))
		return false;
	v->r->busy = (int32_t)k;
	there = c->image ? image_there(v, c->image) : 0;
	if (c->image && v->notes.nr_images < ARRAY_LEN(v->notes.images)) {
		v->notes.images[v->notes.nr_images].image = c->image;
		v->notes.images[v->notes.nr_images++].at = there;
	} else if (c->image) {
		v->notes.own = true;
	}
	if (v->now >= there) {
		if (c->image)
			visit_tell(v, &PRESENT, c->image);
		x->step = STEP_STARTING;
		v->r->due = v->now + timing(T_STEP_START);
		return true;
	}
	visit_tell(v, &PULLING, c->image);
	x->step = STEP_IMAGE;
	v->r->due = there;
	return true;
}

/* Cluster DNS is broken on purpose (fault.c): its containers do not stay up. */
static bool dns_is_broken(struct visit *v)
{
	const struct service *s = streq(v->p->o.ns, "kube-system") ? find_service(v->c, "kube-system", "kube-dns") : NULL;

	v->notes.own = v->notes.own || s;       /* it may be otherwise by the next one */
	return s && s->selector.nr && fault_since(&s->o, DOWN_ANNOTATION) != NEVER && pairs_match(&s->selector, &v->p->o.labels);
}

/* Pods of one template share their containers. */
static struct ending ending_of(struct visit *v, const struct container *c, enum container_role role)
{
	if (v->p->o.annotations.nr)
		return container_ending(v->p, c, role);
	if (v->k->last_ending.c != c || v->k->last_ending.role != role) {
		v->k->last_ending.ending = container_ending(v->p, c, role);
		v->k->last_ending.c = c;
		v->k->last_ending.role = role;
	}
	return v->k->last_ending.ending;
}

static void runs_now(struct visit *v, uint32_t k)
{
	const struct container *c = container_at(v->p->spec, k);
	struct crun *x = &v->r->c[k];
	struct ending e = ending_of(v, c, role_of(v->p, k));

	if (x->run.state == RUN_EXITED) {
		x->has_last = true;
		x->last_exit = x->run.exit;
		x->last_to = x->to;
		x->restarts++;
	}
	visit_tell(v, &CREATED, NULL);
	visit_tell(v, &STARTED, NULL);
	x->run = (struct run){ .state = RUN_RUNNING };
	x->step = STEP_NONE;
	x->from = v->now;
	x->to = NEVER;
	x->ends = e.after == NEVER ? NEVER : v->now + e.after;
	x->ends_with = e.code;
	x->stopping = x->complained = x->ready = x->started = false;
	x->probes = kubelet_probing(v->t, container_probing(v->p, c, v->now));
	if (dns_is_broken(v)) {
		x->ends = v->now + timing(T_STEP_START);
		x->ends_with = 1;
	}
	if (c->lifecycle && c->lifecycle->post_start)
		v->r->free_at = v->now + hook_lasts(c->lifecycle->post_start);
}

void container_step_done(struct visit *v)
{
	uint32_t k = (uint32_t)v->r->busy;
	struct crun *x = &v->r->c[k];

	if (x->step == STEP_IMAGE) {
		visit_tell(v, &PULLED, container_at(v->p->spec, k)->image);
		x->step = STEP_STARTING;
		v->r->due = v->now + timing(T_STEP_START);
		return;
	}
	v->r->busy = -1;
	runs_now(v, k);
}
