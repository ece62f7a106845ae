#include "model/control/kubelet_actions.h"

#define BIT(i) ((uint64_t)1 << (i))

static const struct container *at(const struct pod_spec *s, uint32_t nr_init, uint32_t k)
{
	return k < nr_init ? &s->init_containers.v[k] : &s->containers.v[k - nr_init];
}

/* May any of its containers be started again after it has ended? */
static bool never(const struct pod_spec *s)
{
	for (uint32_t k = 0; k < s->containers.nr; k++)
		if (container_may_restart(s, &s->containers.v[k]))
			return false;
	return true;
}

/* container/helpers.go ShouldContainerBeRestarted */
static bool wants_start(const struct pod_spec *s, const struct pod_runs *p, const struct container *c, const struct run *r)
{
	if (p->deleted)
		return false;
	if (r->state == RUN_NONE)
		return true;
	return r->state == RUN_EXITED && container_restarts(s, c, r->exit);
}

/* container/helpers.go ShouldAllContainersRestart: one of them has ended with a code whose rule says so. */
static bool all_anew(const struct pod_spec *s, const struct pod_runs *p, uint32_t nr_init, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		if (p->runs[k].state == RUN_EXITED && restarts_all(at(s, nr_init, k), p->runs[k].exit))
			return true;
	return false;
}

static bool sandbox_changed(const struct pod_runs *p, uint32_t *attempt)
{
	*attempt = p->sandbox == SANDBOX_NONE ? 0 : p->attempt + 1;
	if (p->sandbox != SANDBOX_READY || p->no_ip)
		return true;
	*attempt = p->attempt;
	return false;
}

/* A new sandbox: all begins anew, but for what has succeeded and need not run again. */
static void renew(const struct pod_spec *s, const struct pod_runs *p, uint32_t nr_init, uint32_t nr, struct pod_actions *a)
{
	bool any = false, initialized = false;
	uint64_t again = 0;

	for (uint32_t k = 0; k < nr; k++)
		any = any || p->runs[k].state != RUN_NONE;
	if (never(s) && a->attempt != 0 && any)
		return;
	for (uint32_t k = nr_init; k < nr; k++) {
		initialized = initialized || p->runs[k].state != RUN_NONE;
		if (!(p->runs[k].state == RUN_EXITED && p->runs[k].exit == 0 && container_may_restart(s, at(s, nr_init, k)) && !container_restarts(s, at(s, nr_init, k), 0)))
			again |= BIT(k);
	}
	if (!again && initialized)
		return;
	a->create_sandbox = true;
	a->start = nr_init ? BIT(0) : again;
}

/* One init container that has been created. true: the walk is over, the Pod has failed. initialized is set where the last of them is done. */
static bool look_at_init(const struct pod_spec *s, const struct pod_runs *p, uint32_t k, uint32_t nr_init, bool before, bool *initialized, struct pod_actions *a)
{
	const struct container *c = &s->init_containers.v[k];
	const struct run *r = &p->runs[k];
	bool last = k == nr_init - 1;

	if (is_sidecar(c)) {
		if (r->state == RUN_EXITED) {
			a->start |= BIT(k);
			return false;
		}
		if (c->startup && r->startup != PROBED_SUCCESS) {
			if (r->startup == PROBED_FAILURE) {
				a->kill |= BIT(k);
				a->start |= BIT(k);
			}
			return false;
		}
		if (last)
			*initialized = true;
		else if (!before)
			a->start |= BIT(k + 1);
		if (c->liveness && r->liveness == PROBED_FAILURE) {
			a->kill |= BIT(k);
			a->start |= BIT(k);
		}
		return false;
	}
	if (r->state == RUN_RUNNING)
		return false;
	if (r->exit != 0) {
		if (!container_restarts(s, c, r->exit)) {
			a->kill_pod = true;
			a->start = 0;
			return true;
		}
		a->start |= BIT(k);
	} else if (last) {
		*initialized = true;
	} else {
		a->start |= BIT(k + 1);
	}
	return false;
}

/* Walks the list backwards, as the kubelet does: the last one that was created tells how far the Pod is. */
static bool init_actions(const struct pod_spec *s, const struct pod_runs *p, uint32_t nr_init, uint32_t nr, struct pod_actions *a)
{
	bool initialized = false, before;

	if (!nr_init)
		return true;
	for (uint32_t k = nr_init; k < nr; k++)
		initialized = initialized || p->runs[k].state == RUN_RUNNING;
	before = initialized;
	for (uint32_t k = nr_init; k-- > 0;) {
		bool sidecar = is_sidecar(&s->init_containers.v[k]);

		if (p->runs[k].state == RUN_NONE) {
			if (before && sidecar)
				a->start |= BIT(k);
			continue;
		}
		if (before && !sidecar)
			continue;
		if (look_at_init(s, p, k, nr_init, before, &initialized, a))
			return false;
		before = true;
	}
	if (!before)
		a->start |= BIT(0);
	return initialized;
}

struct pod_actions pod_actions(const struct pod_spec *s, const struct pod_runs *p)
{
	uint32_t nr_init = MIN(s->init_containers.nr, MAX_CONTAINERS - 1u), nr = MIN(nr_init + s->containers.nr, (uint32_t)MAX_CONTAINERS), keep = 0;
	struct pod_actions a = { 0 };
	uint64_t main = 0;

	if (sandbox_changed(p, &a.attempt)) {
		a.kill_pod = true;
		renew(s, p, nr_init, nr, &a);
		return a;
	}
	if (!p->deleted && all_anew(s, p, nr_init, nr)) {
		a.restart_all = true;
		return a;
	}
	if (!init_actions(s, p, nr_init, nr, &a) || a.kill_pod)
		return a;
	for (uint32_t k = nr_init; k < nr; k++) {
		const struct run *r = &p->runs[k];

		if (r->state != RUN_RUNNING) {
			if (wants_start(s, p, at(s, nr_init, k), r))
				main |= BIT(k);
		} else if (r->liveness == PROBED_FAILURE || r->startup == PROBED_FAILURE) {
			a.kill |= BIT(k);
			if (container_may_restart(s, at(s, nr_init, k)))
				main |= BIT(k);
		} else {
			keep++;
		}
	}
	if (!keep && !main) {
		a.kill_pod = true;
		a.start = 0;
	}
	a.start |= main;
	return a;
}
