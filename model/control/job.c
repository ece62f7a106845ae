/* Jobs: Pods until enough have succeeded, or too many failed. Source: pkg/controller/job/job_controller.go, indexed_job_utils.go. */
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/control/workloads.h"

struct jobbing {
	struct control *t;
	struct cluster *c;
	struct job *j;
	struct arena *scratch;
	nsec now;
	struct pod **pods; uint32_t nr;
	int32_t active, succeeded, failed, ready, restarts;
	nsec last_failure;
	bool indexed;
	bool *done_index, *live_index;
};

static struct selector_index *index_of(struct control *t)
{
	return control_state(t, CTL_JOB);
}

static void watch(struct control *t, const struct change *ch)
{
	if (ch->object->kind == &pod_kind) {
		wake_owner(t, CTL_JOB, &job_kind, index_of(t), (struct pod *)ch->object);
		return;
	}
	if (ch->kind != CHANGE_DELETE)
		control_wake(t, CTL_JOB, ch->object, 0);
}

static bool finished(const struct job *j)
{
	return condition_status(&j->conditions, "Complete") == COND_TRUE || condition_status(&j->conditions, "Failed") == COND_TRUE;
}

/* registry/batch/job/strategy.go generateSelector: its Pods are known by the Job's uid. */
static void claim_labels(struct jobbing *x)
{
	struct job *j = x->j;
	pair_list *l = &j->template.labels;

	if (j->manual_selector || label_get(l, "batch.kubernetes.io/controller-uid"))
		return;
	*l = pairs_with(x->c, l, "batch.kubernetes.io/controller-uid", j->o.uid);
	*l = pairs_with(x->c, l, "batch.kubernetes.io/job-name", j->o.name);
	*l = pairs_with(x->c, l, "controller-uid", j->o.uid);
	*l = pairs_with(x->c, l, "job-name", j->o.name);
	if (!j->selector.labels.nr)
		j->selector.labels = pairs_with(x->c, &j->selector.labels, "batch.kubernetes.io/controller-uid", j->o.uid);
}

static int32_t index_of_pod(const struct pod *p)
{
	const char *s = label_get(&p->o.labels, "batch.kubernetes.io/job-completion-index");

	return s ? atoi(s) : -1;
}

static nsec ended_at(const struct pod *p)
{
	nsec last = 0;

	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].state == CS_TERMINATED && p->statuses.v[k].finished_at != NEVER)
			last = MAX(last, p->statuses.v[k].finished_at);
	return last;
}

static void count(struct jobbing *x)
{
	int32_t most = x->j->completions.set ? x->j->completions.v : 0;

	x->pods = pods_controlled(x->t, &x->j->o, x->scratch, &x->nr);
	x->done_index = arena_array(x->scratch, bool, most + 1);
	x->live_index = arena_array(x->scratch, bool, most + 1);
	for (uint32_t k = 0; k < x->nr; k++) {
		const struct pod *p = x->pods[k];
		int32_t i = x->indexed ? index_of_pod(p) : -1;

		x->succeeded += p->phase == POD_SUCCEEDED;
		x->failed += p->phase == POD_FAILED;
		if (p->phase == POD_FAILED)
			x->last_failure = MAX(x->last_failure, ended_at(p));
		if (i >= 0 && i < most)
			*(p->phase == POD_SUCCEEDED ? &x->done_index[i] : &x->live_index[i]) |= p->phase == POD_SUCCEEDED || pod_is_active(p);
		if (!pod_is_active(p))
			continue;
		x->active++;
		x->ready += pod_is_ready(p);
		for (uint32_t s = 0; s < p->statuses.nr; s++)
			x->restarts += p->statuses.v[s].restarts;
	}
}

static void end(struct jobbing *x, const char *first, const char *second, const char *reason, const char *message)
{
	condition_put(x->c, &x->j->conditions, first, COND_TRUE, reason, message);
	condition_put(x->c, &x->j->conditions, second, COND_TRUE, reason, message);
	if (streq(second, "Complete")) {
		x->j->st_completion = x->now;
		cluster_event(x->c, &x->j->o, false, "job-controller", "Completed", "Job completed");
	} else {
		cluster_event(x->c, &x->j->o, true, "job-controller", reason, "%s", message);
	}
}

static void stop_all(struct jobbing *x)
{
	for (uint32_t k = 0; k < x->nr; k++)
		if (pod_is_active(x->pods[k])) {
			cluster_event(x->c, &x->j->o, false, "job-controller", "SuccessfulDelete", "Deleted pod: %s", x->pods[k]->o.name);
			apply_delete(x->c, &x->pods[k]->o);
		}
	x->active = x->ready = 0;
}

static bool judge(struct jobbing *x)
{
	struct job *j = x->j;

	if (x->failed + (streq(j->template.spec->restart_policy, "OnFailure") ? x->restarts : 0) > j->backoff_limit) {
		end(x, "FailureTarget", "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
	} else if (j->has_active_deadline && j->st_start != NEVER && x->now >= j->st_start + SECONDS(j->active_deadline)) {
		end(x, "FailureTarget", "Failed", "DeadlineExceeded", "Job was active longer than specified deadline");
	} else if (j->completions.set ? x->succeeded >= j->completions.v : x->succeeded > 0 && !x->active) {
		end(x, "SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods");
	} else {
		return false;
	}
	stop_all(x);
	return true;
}

/* ---- making Pods */

static nsec backoff(const struct jobbing *x)
{
	nsec d = timing(T_JOB_BACKOFF_FIRST);

	for (int32_t k = 1; k < x->failed && d < timing(T_JOB_BACKOFF_MAX); k++)
		d *= 2;
	return x->failed ? MIN(d, timing(T_JOB_BACKOFF_MAX)) : 0;
}

static int32_t free_index(const struct jobbing *x)
{
	for (int32_t k = 0; k < x->j->completions.v; k++)
		if (!x->done_index[k] && !x->live_index[k])
			return k;
	return -1;
}

static bool make_one(void *ctx)
{
	struct jobbing *x = ctx;
	const struct object *o = &x->j->o;
	int32_t i = x->indexed ? free_index(x) : -1;
	const char *base = i >= 0 ? arena_printf(x->scratch, "%s-%d-", o->name, i) : arena_printf(x->scratch, "%s-", o->name);
	struct pod *p;

	if (x->indexed && i < 0)
		return false;
	p = pod_from(x->t, o, &x->j->template, generate_name(x->c, &pod_kind, o->ns, base, o->uid, made_count(x->t, o)));
	p->o.generate_name = cluster_str(x->c, base);
	if (i >= 0) {
		x->live_index[i] = true;
		p->o.labels = pairs_with(x->c, &p->o.labels, "batch.kubernetes.io/job-completion-index", arena_printf(x->scratch, "%d", i));
		p->o.annotations = pairs_with(x->c, &p->o.annotations, "batch.kubernetes.io/job-completion-index", arena_printf(x->scratch, "%d", i));
		p->hostname = cluster_str(x->c, arena_printf(x->scratch, "%s-%d", o->name, i));
	}
	cluster_add(x->c, &p->o);
	cluster_event(x->c, o, false, "job-controller", "SuccessfulCreate", "Created pod: %s", p->o.name);
	return true;
}

static void make_pods(struct jobbing *x)
{
	struct job *j = x->j;
	int32_t want = j->parallelism.v;
	nsec at = x->last_failure + backoff(x);

	if (j->completions.set)
		want = MIN(want, j->completions.v - x->succeeded);
	else if (x->succeeded)
		want = x->active;
	if (want > x->active && x->failed && x->now < at) {
		control_timer(x->t, CTL_JOB, &j->o, at);
		return;
	}
	if (want > x->active)
		x->active += (int32_t)slow_start((uint32_t)(want - x->active), make_one, x);
	for (uint32_t k = x->nr; k-- > 0 && x->active > want;)
		if (pod_is_active(x->pods[k])) {
			apply_delete(x->c, &x->pods[k]->o);
			x->active--;
		}
}

static void write_status(struct jobbing *x, const struct job *was)
{
	struct job *j = x->j;

	j->st_active = x->active;
	j->st_succeeded = x->succeeded;
	j->st_failed = x->failed;
	j->st_ready = x->ready;
	if (was->st_active != j->st_active || was->st_succeeded != j->st_succeeded || was->st_failed != j->st_failed || was->st_ready != j->st_ready ||
	    was->st_start != j->st_start || was->conditions.v != j->conditions.v)
		cluster_touch(x->c, &j->o);
}

static void expire(struct jobbing *x)
{
	nsec at = 0;

	if (!x->j->has_ttl)
		return;
	for (uint32_t k = 0; k < x->j->conditions.nr; k++)
		if (streq(x->j->conditions.v[k].type, "Complete") || streq(x->j->conditions.v[k].type, "Failed"))
			at = x->j->conditions.v[k].changed + SECONDS(x->j->ttl);
	if (x->now >= at)
		apply_delete(x->c, &x->j->o);
	else
		control_timer(x->t, CTL_JOB, &x->j->o, at);
}

static void suspend(struct jobbing *x)
{
	stop_all(x);
	if (condition_put(x->c, &x->j->conditions, "Suspended", COND_TRUE, "JobSuspended", "Job suspended"))
		cluster_event(x->c, &x->j->o, false, "job-controller", "Suspended", "Job suspended");
	x->j->st_start = NEVER;
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct jobbing x = { .t = t, .c = control_cluster(t), .j = (struct job *)o, .now = now };
	struct job was;

	if (o->gone || o->deleted != NEVER)
		return;
	x.scratch = arena_new(NULL, "job");
	was = *x.j;
	x.indexed = streq(x.j->completion_mode, "Indexed") && x.j->completions.set;
	claim_labels(&x);
	if (finished(x.j)) {
		expire(&x);
		arena_free(x.scratch);
		return;
	}
	count(&x);
	if (x.j->suspend) {
		suspend(&x);
	} else {
		if (x.j->st_start == NEVER)
			x.j->st_start = now;
		if (condition_status(&x.j->conditions, "Suspended") == COND_TRUE)
			condition_put(x.c, &x.j->conditions, "Suspended", COND_FALSE, "JobResumed", "Job resumed");
		if (!judge(&x))
			make_pods(&x);
		if (x.j->has_active_deadline && !finished(x.j))
			control_timer(t, CTL_JOB, o, x.j->st_start + SECONDS(x.j->active_deadline));
	}
	write_status(&x, &was);
	if (finished(x.j))
		expire(&x);
	arena_free(x.scratch);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct selector_index);
}

static const struct kind *const kinds_heard[] = { &pod_kind, &job_kind, NULL };
static const struct kind *const owners[] = { &job_kind, NULL };
const struct controller job_controller = { .name = "job", .kinds = kinds_heard, .owners = owners, .init = init, .watch = watch, .run = run };
