/* Jobs: Pods until enough have succeeded, or too many failed. Source: pkg/controller/job/job_controller.go, indexed_job_utils.go. */
#include "model/cluster/apply.h"
#include "model/control/job_tally.h"
#include "model/control/rollout.h"

#define BURST 500               /* MaxPodCreateDeletePerSync */

struct jobbing {
	struct control *t;
	struct cluster *c;
	struct job *j;
	struct arena *scratch;
	nsec now;
	struct tally *ended;                    /* what those Pods have come to that have ended */
	const struct living *pods; uint32_t nr; /* those that have not */
	int32_t active, succeeded, failed, ready, restarts, terminating;
	bool indexed;
	int32_t most;                           /* indexes that have had a Pod, and those that may get one now: it is the lowest that do; 0 where there are none */
	uint32_t more;                          /* Pods that are still to be made */
	int32_t next;                           /* no index below may get a Pod in this run */
	bool *live_index;                       /* has a Pod */
};

static struct selector_index *index_of(struct control *t)
{
	return &job_memory(t)->index;
}

static void watch(struct control *t, const struct change *ch)
{
	if (ch->object->kind == &pod_kind) {
		const struct object *owner = control_owner(t, ch->object);

		tally_hears(t, owner && owner->kind == &job_kind ? owner : NULL, ch);
		if (ch->kind == CHANGE_DELETE)
			job_pod_gone(t, (struct pod *)ch->object);
		if (owner && owner->kind == &job_kind && !owner->gone)
			control_wake(t, CTL_JOB, owner, job_batch(t, owner));
		else if (!owner)
			wake_owner(t, CTL_JOB, &job_kind, index_of(t), (struct pod *)ch->object);
		return;
	}
	if (ch->kind != CHANGE_DELETE)
		control_wake(t, CTL_JOB, ch->object, job_is_new(t, ch->object) ? 0 : job_batch(t, ch->object));
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

static void count_pod(struct jobbing *x, const struct pod *p, int32_t i)
{
	x->terminating += p->o.deleted != NEVER && !pod_is_terminal(p);
	if (i >= 0)
		x->live_index[i] = x->live_index[i] || pod_is_active(p) || (only_failed_are_replaced(x->j) && !pod_is_terminal(p));
	if (!pod_is_active(p))
		return;
	x->active++;
	x->ready += pod_is_ready(p);
	for (uint32_t s = 0; s < p->statuses.nr; s++)
		x->restarts += p->statuses.v[s].restarts;
}

static void count(struct jobbing *x)
{
	int32_t all = x->indexed ? MAX(x->j->completions.v, 0) : 0;

	x->ended = tally_of(x->t, x->j, all, BURST, x->scratch);
	x->succeeded = x->ended->succeeded;
	x->failed = x->ended->failed;
	x->pods = x->ended->living.v;
	x->nr = x->ended->living.nr;
	x->most = tally_indexes(x->ended, all, BURST);
	x->next = x->ended->low;
	x->live_index = arena_array(x->scratch, bool, x->most + 1);
	for (uint32_t k = 0; k < x->nr; k++) {
		int32_t i = x->indexed ? x->pods[k].index : -1;

		if (!x->indexed || (i >= 0 && i < x->most))
			count_pod(x, x->pods[k].pod, i);
	}
}

/* Why it is to end; the condition that says that it has ended comes when its last Pod is gone (enactJobFinished). */
static void aim(struct jobbing *x, const char *target, const char *reason, const char *message)
{
	condition_put(x->c, &x->j->conditions, target, COND_TRUE, reason, message);
}

static void end(struct jobbing *x, const struct condition *target)
{
	bool well = streq(target->type, "SuccessCriteriaMet");
	const char *reason = target->reason, *message = target->message;

	condition_put(x->c, &x->j->conditions, well ? "Complete" : "Failed", COND_TRUE, reason, message);
	if (well) {
		x->j->st_completion = x->now;
		cluster_event(x->c, &x->j->o, false, "job-controller", "Completed", "Job completed");
	} else {
		cluster_event(x->c, &x->j->o, true, "job-controller", reason, "%s", message);
	}
}

static void give_up(struct jobbing *x, struct pod *p)
{
	cluster_event(x->c, &x->j->o, false, "job-controller", "SuccessfulDelete", "Deleted pod: %s", p->o.name);
	job_gives_up(x->t, p);
}

static void stop_all(struct jobbing *x)
{
	for (uint32_t k = 0; k < x->nr; k++)
		if (pod_is_active(x->pods[k].pod))
			give_up(x, x->pods[k].pod);
	x->active = x->ready = x->terminating = 0;
	for (uint32_t k = 0; k < x->nr; k++)
		x->terminating += !x->pods[k].pod->o.gone && x->pods[k].pod->o.deleted != NEVER && !pod_is_terminal(x->pods[k].pod);
}

/* pastBackoffLimitOnFailure */
static bool restarted_too_often(const struct jobbing *x)
{
	return streq(x->j->template.spec->restart_policy, "OnFailure") && (x->j->backoff_limit ? x->restarts >= x->j->backoff_limit : x->restarts > 0);
}

/* syncJob: failures before successes. */
static void find_target(struct jobbing *x)
{
	struct job *j = x->j;
	int32_t lost = x->ended->lost, completions = j->completions.v;
	const char *met;

	if (x->ended->fails)
		aim(x, "FailureTarget", "PodFailurePolicy", x->ended->fails);
	else if (x->failed > j->backoff_limit || restarted_too_often(x))
		aim(x, "FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
	else if (j->has_active_deadline && j->st_start != NEVER && x->now >= j->st_start + SECONDS(j->active_deadline))
		aim(x, "FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline");
	else if (j->max_failed_indexes.set && lost > j->max_failed_indexes.v)
		aim(x, "FailureTarget", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
	else if (lost && lost + x->succeeded >= completions)
		aim(x, "FailureTarget", "FailedIndexes", "Job has failed indexes");
	else if (x->indexed && j->success_policy && (met = success_met(j->success_policy, x->ended->done_index, x->most, completions, x->scratch)))
		aim(x, "SuccessCriteriaMet", "SuccessPolicy", met);
	else if (j->completions.set ? x->succeeded >= j->completions.v : x->succeeded > 0 && !x->active)
		aim(x, "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods");
}

static const struct condition *target_of(const struct job *j)
{
	return condition_status(&j->conditions, "SuccessCriteriaMet") == COND_TRUE ? condition_get(&j->conditions, "SuccessCriteriaMet") :
	       condition_status(&j->conditions, "FailureTarget") == COND_TRUE ? condition_get(&j->conditions, "FailureTarget") : NULL;
}

/* false: it goes on. */
static bool judge(struct jobbing *x)
{
	const struct condition *target = target_of(x->j);

	if (target) {                                   /* what was counted when it was to end stays */
		x->failed = MAX(x->failed, x->j->st_failed);
		x->succeeded = MAX(x->succeeded, x->j->st_succeeded);
	} else {
		find_target(x);
		target = target_of(x->j);
		if (!target)
			return false;
		if (streq(target->type, "FailureTarget"))       /* trackJobStatusAndRemoveFinalizers: what is still active when a Job fails has failed, too */
			x->failed += x->active;
	}
	stop_all(x);
	if (!x->terminating)
		end(x, target);
	return true;
}

/* ---- making Pods */

static nsec backoff(int32_t failures)
{
	nsec d = timing(T_JOB_BACKOFF_FIRST);

	for (int32_t k = 1; k < failures && d < timing(T_JOB_BACKOFF_MAX); k++)
		d *= 2;
	return failures ? MIN(d, timing(T_JOB_BACKOFF_MAX)) : 0;
}

/* When may the next Pod of this index be made? With a limit per index each has its own back-off (getRemainingTimePerIndex). */
static nsec index_due(const struct jobbing *x, int32_t i)
{
	return x->j->backoff_per_index.set && x->ended->index_failures[i] ? x->ended->index_last[i] + backoff(x->ended->index_failures[i]) : 0;
}

static bool index_is_free(const struct jobbing *x, int32_t i)
{
	return !x->ended->done_index[i] && !x->live_index[i] && !x->ended->lost_index[i];
}

static int32_t free_index(struct jobbing *x)
{
	while (x->next < x->most && (!index_is_free(x, x->next) || index_due(x, x->next) > x->now))
		x->next++;
	return x->next < x->most ? x->next : -1;
}

static void count_on_pod(struct jobbing *x, struct pod *p, int32_t i)
{
	p->o.annotations = pairs_with(x->c, &p->o.annotations, "batch.kubernetes.io/job-index-failure-count", arena_printf(x->scratch, "%d", x->ended->index_counted[i]));
	if (x->ended->index_failures[i] > x->ended->index_counted[i])
		p->o.annotations = pairs_with(x->c, &p->o.annotations, "batch.kubernetes.io/job-index-ignored-failure-count",
					      arena_printf(x->scratch, "%d", x->ended->index_failures[i] - x->ended->index_counted[i]));
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
	if (admission_refuses(x->t, CTL_JOB, o, x->j->template.spec, x->more, base, "job-controller", "Error creating", x->scratch))
		return false;
	x->more--;
	p = pod_from(x->t, o, &x->j->template, generate_name(x->c, &pod_kind, o->ns, base, o->uid, made_count(x->t, o)));
	p->o.generate_name = cluster_str(x->c, base);
	if (i >= 0) {
		x->live_index[i] = true;
		p->o.labels = pairs_with(x->c, &p->o.labels, "batch.kubernetes.io/job-completion-index", arena_printf(x->scratch, "%d", i));
		p->o.annotations = pairs_with(x->c, &p->o.annotations, "batch.kubernetes.io/job-completion-index", arena_printf(x->scratch, "%d", i));
		p->hostname = cluster_str(x->c, arena_printf(x->scratch, "%s-%d", o->name, i));
		if (x->j->backoff_per_index.set)
			count_on_pod(x, p, i);
	}
	cluster_add(x->c, &p->o);
	cluster_event(x->c, o, false, "job-controller", "SuccessfulCreate", "Created pod: %s", p->o.name);
	return true;
}

/* The next index whose back-off ends. */
static void wait_for_indexes(struct jobbing *x)
{
	nsec at = NEVER;

	for (int32_t k = x->ended->low; x->indexed && x->j->backoff_per_index.set && k < x->most; k++)
		if (index_is_free(x, k) && index_due(x, k) > x->now)
			at = MIN(at, index_due(x, k));
	if (at != NEVER)
		control_timer(x->t, CTL_JOB, &x->j->o, at);
}

/* activePodsForRemoval; of Pods that are alike the last. */
static void take_away(struct jobbing *x, uint32_t nr)
{
	struct candidate *v = arena_array(x->scratch, struct candidate, x->nr);
	uint32_t active = 0;

	for (uint32_t k = x->nr; k-- > 0;)
		if (pod_is_active(x->pods[k].pod))
			v[active++].pod = x->pods[k].pod;
	sort_active_pods(v, active);
	for (uint32_t k = 0; k < MIN(nr, active); k++, x->active--)
		give_up(x, (struct pod *)(uintptr_t)v[k].pod);
}

static void make_pods(struct jobbing *x)
{
	struct job *j = x->j;
	int32_t want = j->parallelism.v, more;
	nsec at = x->ended->last_failure + backoff((int32_t)x->ended->failures.nr);

	if (j->completions.set)
		want = MIN(want, j->completions.v - x->succeeded);
	else if (x->succeeded)
		want = x->active;
	more = want - x->active - (only_failed_are_replaced(j) ? x->terminating : 0);
	if (more > 0 && !j->backoff_per_index.set && x->ended->failures.nr && x->now < at) {
		control_timer(x->t, CTL_JOB, &j->o, at);
		return;
	}
	x->more = (uint32_t)MAX(more, 0);
	if (more > 0)                   /* the next so many when those are seen */
		x->active += (int32_t)slow_start((uint32_t)MIN(more, BURST), make_one, x);
	wait_for_indexes(x);
	if (x->active > want)
		take_away(x, (uint32_t)MIN(x->active - MAX(want, 0), BURST));
}

static void write_status(struct jobbing *x, const struct job *was)
{
	struct job *j = x->j;

	j->st_active = x->active;
	j->st_succeeded = x->succeeded;
	j->st_failed = x->failed;
	j->st_ready = x->ready;
	j->st_terminating = (struct opt_int){ x->terminating, true };
	if (x->indexed)
		j->st_completed = cluster_str(x->c, indexes_text(x->ended->done_index, x->most, x->scratch));
	if (x->indexed && j->backoff_per_index.set)
		j->st_failed_indexes = cluster_str(x->c, indexes_text(x->ended->lost_index, x->most, x->scratch));
	if (was->st_completed != j->st_completed || was->st_failed_indexes != j->st_failed_indexes || was->st_terminating.v != j->st_terminating.v || was->st_active != j->st_active || was->st_succeeded != j->st_succeeded || was->st_failed != j->st_failed || was->st_ready != j->st_ready ||
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
	struct scratch work;
	struct job was;

	if (o->gone || o->deleted != NEVER || (x.j->managed_by && !streq(x.j->managed_by, "kubernetes.io/job-controller")))
		return;
	work = control_scratch(t);
	x.scratch = work.arena;
	was = *x.j;
	x.indexed = streq(x.j->completion_mode, "Indexed") && x.j->completions.set;
	claim_labels(&x);
	if (job_finished(x.j)) {
		expire(&x);
		scratch_end(work);
		return;
	}
	count(&x);
	if (x.j->suspend) {
		suspend(&x);
	} else {
		if (x.j->st_start == NEVER)
			x.j->st_start = now;
		if (condition_status(&x.j->conditions, "Suspended") == COND_TRUE) {
			condition_put(x.c, &x.j->conditions, "Suspended", COND_FALSE, "JobResumed", "Job resumed");
			cluster_event(x.c, o, false, "job-controller", "Resumed", "Job resumed");
			x.j->st_start = now;
		}
		if (!judge(&x))
			make_pods(&x);
		if (x.j->has_active_deadline && !target_of(x.j))
			control_timer(t, CTL_JOB, o, x.j->st_start + SECONDS(x.j->active_deadline));
	}
	write_status(&x, &was);
	if (job_finished(x.j))
		expire(&x);
	scratch_end(work);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct job_memory);
}

static const struct kind *const kinds_heard[] = { &pod_kind, &job_kind, NULL };
static const struct kind *const owners[] = { &job_kind, NULL };
const struct controller job_controller = { .name = "job", .kinds = kinds_heard, .owners = owners, .init = init, .watch = watch, .run = run, .save = job_ends_save, .load = job_ends_load };
