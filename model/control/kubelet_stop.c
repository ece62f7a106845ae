/* How containers and Pods end. Sources: pkg/kubelet/kuberuntime/{kuberuntime_container,kuberuntime_termination_order}.go; facts 7–9. */
#include "model/control/kubelet_visit.h"

#include "model/api/agnhost.h"

static const struct event_form STOPPING = { false, COMPONENT, "Killing", "Stopping container %s" };

/* ---- ending containers */

void container_ended(struct visit *v, struct crun *x)
{
	(void)v;
	x->run = (struct run){ .state = RUN_EXITED, .exit = x->ends_with };
	x->to = x->ends;
	x->ends = NEVER;
	x->stopping = x->ready = x->started = false;
}

nsec pod_grace(const struct pod *p)
{
	return SECONDS(MAX(p->o.grace ? p->o.grace - 1 : p->spec->grace, 0));
}

/* preStop, SIGTERM, SIGKILL when the grace is over; after preStop there are always two seconds (killContainer). */
void container_stop(struct visit *v, uint32_t k, nsec grace)
{
	const struct container *c = container_at(v->p->spec, k);
	struct crun *x = &v->r->c[k];
	nsec hook, rest, at, goes_on;
	bool deaf;

	if (x->run.state != RUN_RUNNING || x->stopping)
		return;
	hook = c->lifecycle && grace ? MIN(hook_lasts(c->lifecycle->pre_stop), grace) : 0;
	rest = MAX(grace - hook, timing(T_GRACE_MINIMUM));
	goes_on = MAX(agnhost_lingers(c, timing(T_AGNHOST_AWAITS)), timing(T_STEP_STOP));
	deaf = ignores_sigterm(c) || goes_on >= rest;
	at = grace ? v->now + hook + (deaf ? rest : MIN(goes_on, rest)) : v->now;
	x->stopping = true;
	x->ends_with = deaf || !grace ? 137 : 0;
	x->ends = MIN(x->ends, at);
}

void containers_die(struct visit *v)
{
	for (uint32_t k = 0; k < v->r->nr; k++)
		if (v->r->c[k].run.state == RUN_RUNNING) {
			v->r->c[k].ends = v->now;
			v->r->c[k].ends_with = 137;
			container_ended(v, &v->r->c[k]);
		}
	if (v->r->busy >= 0)
		v->r->c[v->r->busy].step = STEP_NONE;
	v->r->busy = -1;
}

/* ---- the end of the Pod: main containers together, then sidecars, the last first (kuberuntime_termination_order.go) */

bool any_running(const struct visit *v, uint32_t from)
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
			visit_tell(v, &STOPPING, container_at(v->p->spec, k)->name);
			container_stop(v, k, pod_grace(v->p));
		}
}

void pod_stop(struct visit *v)
{
	nsec left;

	if (!v->r->stopping)
		tell_all(v);
	left = MAX(pod_grace(v->p) - (v->now - v->r->told), 0);
	for (uint32_t k = v->r->nr; k-- > 0 && !any_running(v, v->r->nr_init);) {
		if (v->r->c[k].run.state != RUN_RUNNING)
			continue;
		if (!v->r->c[k].stopping) {
			visit_tell(v, &STOPPING, container_at(v->p->spec, k)->name);
			container_stop(v, k, pod_grace(v->p) ? MAX(left, timing(T_GRACE_MINIMUM)) : 0);
		}
		break;
	}
}

bool pod_stopped(const struct visit *v)
{
	return v->r->stopping && !any_running(v, 0);
}

/* ---- accidents */

/* What is remembered of a Pod that has been started, read back if it was at rest. */
static struct prun *started(struct control *t, struct pod *p)
{
	struct kubelet *k = kubelet_of(t);
	struct prun *r = kubelet_run_of(k, p);

	if (r)
		return kubelet_remember(t, p);
	if (pod_is_terminal(p) || !p->node || !(p->statuses.nr || p->given))
		return NULL;
	r = kubelet_remember(t, p);
	kubelet_recall(t, p, r);
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
