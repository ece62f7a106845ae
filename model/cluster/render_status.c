/* What the tables of fields do not say of a status: a kubelet writes every required field, zero or not, and one state of a container, not all that its struct could hold.
 * Source: kubernetes staging/src/k8s.io/api/core/v1/types.go; pkg/kubelet/status; pkg/apis/core/v1/helper/qos. */
#include "model/base/quantity.h"
#include "model/cluster/render.h"

static void put_time(struct arena *a, struct val *v, const char *key, nsec t)
{
	char text[32];

	if (t != NEVER)
		val_put(a, v, key, val_string(a, time_text(t, text)));
}

static void put_text(struct arena *a, struct val *v, const char *key, const char *s)
{
	if (s && *s)
		val_put(a, v, key, val_string(a, s));
}

/* ---- conditions */

/* generation: what a Pod's kubelet has seen (PodObservedGenerationTracking); 0: conditions of others. */
static struct val *conditions(struct arena *a, const condition_list *l, bool heartbeat, int64_t generation)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < l->nr; k++) {
		const struct condition *c = &l->v[k];
		struct val *v = val_add(a, list, val_new(a, VAL_MAP));

		if (heartbeat)
			put_time(a, v, "lastHeartbeatTime", c->heartbeat == NEVER || !c->heartbeat ? c->changed : c->heartbeat);         /* the first */
		else
			val_put(a, v, "lastProbeTime", val_new(a, VAL_NULL));
		put_time(a, v, "lastTransitionTime", c->changed);
		put_text(a, v, "message", c->message);
		if (c->observed || generation)
			val_put(a, v, "observedGeneration", val_int(a, c->observed ? c->observed : generation));
		put_text(a, v, "reason", c->reason);
		val_put(a, v, "status", val_string(a, cond_status_names[c->status]));
		val_put(a, v, "type", val_string(a, c->type));
	}
	return list;
}

void render_node_status(struct arena *a, struct val *status, const struct node *n)
{
	if (n->conditions.nr)
		val_put(a, status, "conditions", conditions(a, &n->conditions, true, 0));
}

/* ---- conditions of the other kinds: the tables lay everything but the times */

condition_list *object_conditions(const struct object *o)
{
	for (const struct field *f = o->kind->fields; f && f->name; f++)
		for (const struct field *g = strcmp(f->name, "status") == 0 && f->type == F_STRUCT ? f->sub : NULL; g && g->name; g++)
			if (strcmp(g->name, "conditions") == 0 && g->sub == condition_fields && !(g->flags & FIELD_KEPT))
				return (condition_list *)(uintptr_t)((const char *)o + f->at + g->at);
	return NULL;
}

void render_condition_times(struct arena *a, struct val *status, const struct object *o)
{
	const condition_list *l = object_conditions(o);
	const struct val *list = val_get(status, "conditions");
	struct val *v = list && l && list->nr == l->nr ? list->first : NULL;

	for (uint32_t k = 0; v && k < l->nr; k++, v = v->next) {
		if (v->type != VAL_MAP || !streq(val_str_at(v, "type"), l->v[k].type) || val_get(v, "lastTransitionTime"))
			continue;
		put_time(a, v, "lastTransitionTime", l->v[k].changed);
		if (o->kind == &deployment_kind)
			put_time(a, v, "lastUpdateTime", l->v[k].changed);
		if (o->kind == &job_kind)
			put_time(a, v, "lastProbeTime", l->v[k].changed);
	}
}

/* ---- Jobs and CronJobs */

void render_job_status(struct arena *a, struct val *status, const struct job *j)
{
	put_time(a, status, "startTime", j->st_start);
	put_time(a, status, "completionTime", j->st_completion);
}

void render_cron_job_status(struct cluster *c, struct arena *a, struct val *status, const struct cron_job *j)
{
	struct object_list l = cluster_list_ns(c, &job_kind, j->o.ns);
	struct val *active = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct job *x = (const struct job *)l.v[k];
		const struct condition *done = condition_get(&x->conditions, "Complete"), *failed = condition_get(&x->conditions, "Failed");
		struct val *v;

		if (owner_uid(&x->o) != j->o.uid || (done && done->status == COND_TRUE) || (failed && failed->status == COND_TRUE))
			continue;
		v = val_add(a, active, val_new(a, VAL_MAP));
		val_put(a, v, "apiVersion", val_string(a, "batch/v1"));
		val_put(a, v, "kind", val_string(a, "Job"));
		val_put(a, v, "name", val_string(a, x->o.name));
		val_put(a, v, "namespace", val_string(a, x->o.ns));
		val_put(a, v, "resourceVersion", val_string(a, arena_printf(a, "%u", x->o.rev)));
		val_put(a, v, "uid", val_string(a, x->o.uid));
	}
	if (active->nr)
		val_put(a, status, "active", active);
	put_time(a, status, "lastScheduleTime", j->st_last_schedule);
	put_time(a, status, "lastSuccessfulTime", j->st_last_success > 0 ? j->st_last_success : NEVER);         /* labs of before have 0 */
}

/* ---- containers */

static struct val *state_of(struct arena *a, const struct container_status *s)
{
	struct val *v = val_new(a, VAL_MAP), *in;

	switch (s->state) {
	case CS_RUNNING:
		put_time(a, val_put(a, v, "running", val_new(a, VAL_MAP)), "startedAt", s->started_at);
		break;
	case CS_TERMINATED:
		in = val_put(a, v, "terminated", val_new(a, VAL_MAP));
		val_put(a, in, "exitCode", val_int(a, s->exit_code));
		put_time(a, in, "finishedAt", s->finished_at);
		put_text(a, in, "message", s->message);
		put_text(a, in, "reason", s->reason);
		put_time(a, in, "startedAt", s->started_at);
		break;
	default:
		in = val_put(a, v, "waiting", val_new(a, VAL_MAP));
		put_text(a, in, "message", s->message);
		put_text(a, in, "reason", s->reason);
		break;
	}
	return v;
}

static struct val *last_state(struct arena *a, const struct container_status *s)
{
	struct val *v = val_new(a, VAL_MAP), *in;

	if (!s->last_reason)
		return v;
	in = val_put(a, v, "terminated", val_new(a, VAL_MAP));
	val_put(a, in, "exitCode", val_int(a, s->last_exit));
	put_time(a, in, "finishedAt", s->last_finished);
	put_text(a, in, "reason", s->last_reason);
	return v;
}

static struct val *container(struct arena *a, const struct container_status *s)
{
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "image", val_string(a, s->image ? s->image : ""));
	val_put(a, v, "imageID", val_string(a, ""));
	val_put(a, v, "lastState", last_state(a, s));
	val_put(a, v, "name", val_string(a, s->name));
	val_put(a, v, "ready", val_bool(a, s->ready));
	val_put(a, v, "restartCount", val_int(a, s->restarts));
	if (s->started)
		val_put(a, v, "started", val_bool(a, s->started == TRI_TRUE));
	val_put(a, v, "state", state_of(a, s));
	return v;
}

static void put_containers(struct arena *a, struct val *status, const struct pod *p, bool init)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].init == init)
			val_add(a, list, container(a, &p->statuses.v[k]));
	if (list->nr)
		val_put(a, status, init ? "initContainerStatuses" : "containerStatuses", list);
}

/* ---- quality of service */

static bool asks(const pair_list *l, const char *name, int64_t *out)
{
	const char *text = label_get(l, name);

	return text && quantity_parse(text, out) && *out > 0;
}

static const char *qos_class(const struct pod_spec *s)
{
	static const char *const names[] = { "cpu", "memory" };
	const container_list *lists[] = { &s->containers, &s->init_containers };
	bool any = false, guaranteed = true;

	for (int l = 0; l < 2; l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++)
			for (size_t i = 0; i < ARRAY_LEN(names); i++) {
				const struct resources *r = &lists[l]->v[k].resources;
				int64_t limit = 0, request = 0;
				bool limited = asks(&r->limits, names[i], &limit), requested = asks(&r->requests, names[i], &request);

				any = any || limited || requested;
				guaranteed = guaranteed && limited && (!requested || request == limit);
			}
	return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

void render_pod_status(struct arena *a, struct val *status, const struct pod *p)
{
	if (!val_get(status, "phase"))
		val_put(a, status, "phase", val_string(a, "Pending"));
	if (!val_get(status, "qosClass"))
		val_put(a, status, "qosClass", val_string(a, qos_class(p->spec)));
	if (p->given)
		return;
	if (p->conditions.nr)
		val_put(a, status, "conditions", conditions(a, &p->conditions, false, p->o.generation));
	val_put(a, status, "observedGeneration", val_int(a, p->o.generation));
	put_containers(a, status, p, false);
	put_containers(a, status, p, true);
	put_time(a, status, "startTime", p->start);
	if (ip_set(p->host_ip))
		val_put(a, val_add(a, val_put(a, status, "hostIPs", val_new(a, VAL_LIST)), val_new(a, VAL_MAP)), "ip", val_string(a, IP(p->host_ip)));
}
