#include "sim/engine/chronicle.h"

#include <stdarg.h>
#include <stdio.h>

void chronicle_begin(struct chronicle *c, struct arena *a, const struct kind *kind, const char *ns, const char *name)
{
	*c = (struct chronicle){ .arena = a, .kind = kind, .ns = ns, .name = name };
}

static struct lane *lane_named(struct chronicle *c, const char *name)
{
	struct lane *l;

	for (uint32_t k = 0; k < c->lanes.nr; k++)
		if (strcmp(c->lanes.v[k].name, name) == 0)
			return &c->lanes.v[k];
	l = vec_push(c->arena, &c->lanes);
	l->name = arena_strdup(c->arena, name);
	return l;
}

static void put(struct chronicle *c, struct lane *l, const char *text)
{
	const char *was = l->states.nr ? l->states.v[l->states.nr - 1].text : "";

	l->seen = true;
	if (strcmp(was, text) == 0)
		return;
	if (l->states.nr && l->states.v[l->states.nr - 1].at == c->now) {       /* within one moment the last word counts */
		l->states.v[l->states.nr - 1].text = arena_strdup(c->arena, text);
		return;
	}
	vec_add(c->arena, &l->states, (struct state){ c->now, arena_strdup(c->arena, text) });
}

static void PRINTF(3, 4) tell(struct chronicle *c, const char *lane, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(c, lane_named(c, lane), text);
}

/* ---- Pods */

static const char *container_text(const struct container_status *s, char *out, size_t size)
{
	char again[24] = "";

	if (s->restarts)
		snprintf(again, sizeof(again), " #%d", s->restarts);
	if (s->state == CS_RUNNING)
		snprintf(out, size, "running%s", again);
	else if (s->state == CS_TERMINATED)
		snprintf(out, size, "%s %d%s", s->reason ? s->reason : "ended", s->exit_code, again);
	else
		snprintf(out, size, "%s%s", s->reason ? s->reason : "waiting", streq(s->reason, "CrashLoopBackOff") ? again : "");
	return out;
}

static bool tell_endpoints(struct chronicle *c, struct world *w, const struct pod *p)
{
	struct object_list l = cluster_list_ns(w->cluster, &endpointslice_kind, p->o.ns);
	bool any = false;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)l.v[k];
		char lane[300];

		for (uint32_t i = 0; s->service && i < s->endpoints.nr; i++) {
			const struct endpoint *e = &s->endpoints.v[i];

			if (!e->target || !streq(e->target->uid, p->o.uid))
				continue;
			any = true;
			snprintf(lane, sizeof(lane), "endpoint of %s", s->service);
			tell(c, lane, "%s%s", e->ready == TRI_FALSE ? e->serving == TRI_TRUE ? "serving" : "not ready" : "ready", e->terminating == TRI_TRUE ? ", terminating" : "");
		}
	}
	return any;
}

static void look_proxies(struct chronicle *, struct world *);

static void look_pod(struct chronicle *c, struct world *w, const struct pod *p)
{
	const struct condition *sandbox = condition_get(&p->conditions, "PodReadyToStartContainers"), *ready = condition_get(&p->conditions, "Ready"),
			       *scheduled = condition_get(&p->conditions, "PodScheduled");
	const char *phase = pod_phase_names[p->phase ? p->phase : POD_PENDING];
	char text[128];

	if (p->o.deleted != NEVER)
		tell(c, "phase", "%s, deleting", phase);
	else
		tell(c, "phase", "%s%s%s", phase, p->reason ? ": " : "", p->reason ? p->reason : "");
	if (p->node)
		tell(c, "node", "%s", p->node);
	else if (scheduled && scheduled->status == COND_FALSE)
		tell(c, "node", "%s", scheduled->reason ? scheduled->reason : "unscheduled");
	if (sandbox)
		tell(c, "sandbox", sandbox->status == COND_TRUE ? "ready" : "none");
	if (ip_set(p->ip))
		tell(c, "address", "%s", IP(p->ip));
	for (uint32_t k = 0; k < p->statuses.nr; k++) {
		char lane[300];

		snprintf(lane, sizeof(lane), "%s%s", p->statuses.v[k].init ? "init " : "", p->statuses.v[k].name);
		tell(c, lane, "%s", container_text(&p->statuses.v[k], text, sizeof(text)));
	}
	if (ready)
		tell(c, "readiness", ready->status == COND_TRUE ? "ready" : "not ready");
	if (tell_endpoints(c, w, p))
		look_proxies(c, w);
}

/* ---- what else has a life */

static void look_service(struct chronicle *c, struct world *w, const struct service *s)
{
	struct object_list l = service_slices(w->cluster, s);

	tell(c, "ClusterIP", "%s", s->cluster_ip && *s->cluster_ip ? s->cluster_ip : "none");
	for (uint32_t k = 0; s->type == SVC_LOADBALANCER && k < MAX(s->lb_ingress.nr, 1u); k++)
		tell(c, "load balancer", "%s", !s->lb_ingress.nr ? "<pending>" : s->lb_ingress.v[k].ip ? s->lb_ingress.v[k].ip : s->lb_ingress.v[k].hostname);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)l.v[k];

		for (uint32_t i = 0; i < sl->endpoints.nr; i++) {
			const struct endpoint *e = &sl->endpoints.v[i];

			if (e->addresses.nr)
				tell(c, e->target && e->target->name ? e->target->name : e->addresses.v[0], "%s%s",
				     e->ready == TRI_FALSE ? e->serving == TRI_TRUE ? "serving" : "not ready" : "ready", e->terminating == TRI_TRUE ? ", terminating" : "");
		}
	}
}

static void look_node(struct chronicle *c, struct world *w, const struct node *n)
{
	const struct condition *ready = condition_get(&n->conditions, "Ready");
	struct object_list l = cluster_list(w->cluster, &pod_kind);
	uint32_t pods = 0, ready_pods = 0;

	tell(c, "Ready", "%s", ready ? cond_status_names[ready->status] : "Unknown");
	if (n->unschedulable)
		tell(c, "scheduling", "disabled");
	for (uint32_t k = 0; k < n->taints.nr; k++) {
		char lane[300];

		snprintf(lane, sizeof(lane), "%s:%s", n->taints.v[k].key, n->taints.v[k].effect);
		tell(c, lane, "tainted");
	}
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		if (streq(p->node, n->o.name) && !pod_is_terminal(p)) {
			pods++;
			ready_pods += pod_is_ready(p);
		}
	}
	tell(c, "Pods ready", "%u of %u", ready_pods, pods);
}

static void look_workload(struct chronicle *c, struct world *w, const struct workload *d)
{
	const struct kind *k = d->o.kind;
	struct object_list l;

	if (k == &daemonset_kind) {
		tell(c, "ready", "%d of %d", d->st_ready, d->st_desired);
		tell(c, "updated", "%d", d->st_updated);
	} else {
		tell(c, "ready", "%d of %d", d->st_ready, d->replicas);
		if (k != &replicaset_kind && k != &replication_controller_kind)
			tell(c, "updated", "%d", d->st_updated);
	}
	if (k == &deployment_kind) {
		tell(c, "available", "%d", d->st_available);
		l = cluster_list_ns(w->cluster, &replicaset_kind, d->o.ns);
		for (uint32_t i = 0; i < l.nr; i++)
			if (owner_uid(l.v[i]) == d->o.uid)
				tell(c, l.v[i]->name, "%d of %d", ((const struct workload *)l.v[i])->st_ready, ((const struct workload *)l.v[i])->replicas);
		return;
	}
	l = pods_of(w->cluster, d->o.uid);
	for (uint32_t i = 0; i < l.nr && i < 40; i++) {
		const struct pod *p = (const struct pod *)l.v[i];

		tell(c, p->o.name, "%s", p->o.deleted != NEVER ? "deleting" : pod_is_ready(p) ? "ready" : pod_phase_names[p->phase ? p->phase : POD_PENDING]);
	}
}

static void look_job(struct chronicle *c, struct world *w, const struct job *j)
{
	struct object_list l = pods_of(w->cluster, j->o.uid);
	const struct condition *done = condition_get(&j->conditions, "Complete"), *failed = condition_get(&j->conditions, "Failed");

	tell(c, "job", done && done->status == COND_TRUE ? "Complete" : failed && failed->status == COND_TRUE ? "Failed" : "Running");
	tell(c, "succeeded", "%d", j->st_succeeded);
	if (j->st_failed)
		tell(c, "failed", "%d", j->st_failed);
	for (uint32_t i = 0; i < l.nr && i < 40; i++)
		tell(c, l.v[i]->name, "%s", pod_phase_names[((const struct pod *)l.v[i])->phase]);
}

/* When a node's rules hold what the slices said: a lane that says how long they lag behind. */
static void look_proxies(struct chronicle *c, struct world *w)
{
	struct object_list l = cluster_list(w->cluster, &node_kind);
	uint32_t behind = 0, stopped = 0;
	const char *who = NULL;

	for (uint32_t k = 0; k < l.nr; k++) {
		struct proxy_sync s = control_proxy(w->control, (const struct node *)l.v[k]);

		stopped += s.stopped;
		behind += !s.stopped && s.next != NEVER;
		who = s.stopped ? l.v[k]->name : who;
	}
	if (stopped)
		tell(c, "kube-proxy", "stopped on %s%s%s", stopped > 1 ? "several nodes" : who, behind ? ", behind elsewhere" : "", "");
	else
		tell(c, "kube-proxy", behind ? "behind" : "synced");
}

void chronicle_look(void *ctx, struct world *w)
{
	struct chronicle *c = ctx;
	const struct object *o = cluster_find(w->cluster, c->kind, c->kind->namespaced ? c->ns : NULL, c->name);

	c->now = cluster_now(w->cluster);
	for (uint32_t k = 0; k < c->lanes.nr; k++)
		c->lanes.v[k].seen = false;
	if (o) {
		c->found = true;
		if (o->kind == &pod_kind)
			look_pod(c, w, (const struct pod *)o);
		else if (o->kind == &service_kind)
			look_service(c, w, (const struct service *)o);
		else if (o->kind == &node_kind)
			look_node(c, w, (const struct node *)o);
		else if (o->kind == &job_kind)
			look_job(c, w, (const struct job *)o);
		else if (o->kind == &deployment_kind || o->kind == &replicaset_kind || o->kind == &statefulset_kind || o->kind == &daemonset_kind || o->kind == &replication_controller_kind)
			look_workload(c, w, (const struct workload *)o);
		else
			tell(c, "object", "revision %u%s", o->rev, o->deleted != NEVER ? ", deleting" : "");
		if (o->kind == &service_kind)
			look_proxies(c, w);
	}
	for (uint32_t k = 0; k < c->lanes.nr; k++)
		if (!c->lanes.v[k].seen && c->lanes.v[k].states.nr)
			put(c, &c->lanes.v[k], "");
}
