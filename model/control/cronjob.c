/* CronJobs: a Job at each time of the schedule. Source: pkg/controller/cronjob/cronjob_controllerv2.go. */
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/control/cron.h"
#include "model/control/gc.h"
#include "model/control/workloads.h"

struct cron { struct control *t; struct cluster *c; struct cron_job *j; struct arena *scratch; nsec now; struct object_list jobs; };

static void watch(struct control *t, const struct change *ch)
{
	const struct owner_ref *ref = controller_of(ch->object);
	struct object *o = ch->object->kind == &cron_job_kind ? ch->object : ref ? control_by_uid(t, ref->uid) : NULL;

	if (o && o->kind == &cron_job_kind && !o->gone)
		control_wake(t, CTL_CRONJOB, o, 0);
}

static enum cond_status outcome(const struct job *j)
{
	return condition_status(&j->conditions, "Complete") == COND_TRUE ? COND_TRUE : condition_status(&j->conditions, "Failed") == COND_TRUE ? COND_FALSE : COND_NONE;
}

static int oldest_first(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;

	return x->created != y->created ? (x->created < y->created ? -1 : 1) : str_order(x->name, y->name);
}

static void limit_history(struct cron *x, enum cond_status which, int32_t keep)
{
	int32_t nr = 0;

	for (uint32_t k = 0; k < x->jobs.nr; k++)
		nr += outcome((struct job *)x->jobs.v[k]) == which;
	for (uint32_t k = 0; k < x->jobs.nr && nr > keep; k++)
		if (outcome((struct job *)x->jobs.v[k]) == which && !x->jobs.v[k]->gone) {
			cluster_event(x->c, &x->j->o, false, "cronjob-controller", "SuccessfulDelete", "Deleted job %s", x->jobs.v[k]->name);
			apply_delete(x->c, x->jobs.v[k]);
			nr--;
		}
}

/* The name tells the scheduled minute. */
static void make_job(struct cron *x, nsec at)
{
	const char *name = arena_printf(x->scratch, "%s-%" PRId64, x->j->o.name, at / MINUTES(1));
	struct job *j = (struct job *)object_new(x->c, &job_kind, x->j->o.ns, name);
	struct object o = j->o;

	memcpy(j, x->j->template, sizeof(*j));
	o.labels = x->j->template->o.labels;
	o.annotations = pairs_with(x->c, &x->j->template->o.annotations, "batch.kubernetes.io/cronjob-scheduled-timestamp", arena_printf(x->scratch, "%" PRId64, at / SECONDS(1)));
	j->o = o;
	own(x->c, &j->o, &x->j->o);
	cluster_add(x->c, &j->o);
	cluster_event(x->c, &x->j->o, false, "cronjob-controller", "SuccessfulCreate", "Created job %s", name);
}

static uint32_t running(const struct cron *x)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < x->jobs.nr; k++)
		nr += !x->jobs.v[k]->gone && outcome((struct job *)x->jobs.v[k]) == COND_NONE;
	return nr;
}

static void fire(struct cron *x, nsec at)
{
	struct cron_job *j = x->j;

	if (streq(j->concurrency, "Forbid") && running(x)) {
		cluster_event(x->c, &j->o, false, "cronjob-controller", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
		return;
	}
	for (uint32_t k = 0; streq(j->concurrency, "Replace") && k < x->jobs.nr; k++)
		if (!x->jobs.v[k]->gone && outcome((struct job *)x->jobs.v[k]) == COND_NONE)
			apply_delete(x->c, x->jobs.v[k]);
	make_job(x, at);
	j->st_last_schedule = at;
	cluster_touch(x->c, &j->o);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct cron x = { .t = t, .c = control_cluster(t), .j = (struct cron_job *)o, .now = now };
	struct schedule s;
	nsec next, last;

	if (o->gone || o->deleted != NEVER || !schedule_parse(x.j->schedule, &s))
		return;
	x.scratch = arena_new(NULL, "cronjob");
	x.jobs = dependents(t, o, &job_kind, x.scratch);
	if (x.jobs.nr)
		qsort(x.jobs.v, x.jobs.nr, sizeof(*x.jobs.v), oldest_first);
	limit_history(&x, COND_TRUE, x.j->success_limit);
	limit_history(&x, COND_FALSE, x.j->failed_limit);
	last = x.j->st_last_schedule == NEVER ? o->created : x.j->st_last_schedule;
	next = schedule_next(&s, last);
	while (next <= now && schedule_next(&s, next) <= now)           /* of several missed times only the last counts */
		next = schedule_next(&s, next);
	if (!x.j->suspend && next <= now && !(x.j->has_starting_deadline && now - next > SECONDS(x.j->starting_deadline)))
		fire(&x, next);
	if (!x.j->suspend)
		control_timer(t, CTL_CRONJOB, o, schedule_next(&s, now));
	arena_free(x.scratch);
}

static const struct kind *const kinds_heard[] = { &cron_job_kind, &job_kind, NULL };
const struct controller cronjob_controller = { .name = "cronjob", .kinds = kinds_heard, .watch = watch, .run = run };
