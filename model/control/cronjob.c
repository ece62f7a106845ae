/* CronJobs: a Job at each time of the schedule. Source: pkg/controller/cronjob/cronjob_controllerv2.go. */
#include <stdlib.h>

#include "model/base/quantity.h"
#include "model/cluster/apply.h"
#include "model/control/cron.h"
#include "model/control/gc.h"
#include "model/control/workloads.h"

struct sync { struct control *t; struct cluster *c; struct cron_job *j; struct arena *scratch; nsec now; struct object_list jobs; const struct zone *zone; };

/* Zones that were asked for, by the interned name. */
struct zones { struct map by_name; };
struct known_zone { struct zone zone; const char *why; };

static const struct known_zone *zone_named(struct control *t, str name)
{
	struct zones *z = control_state(t, CTL_CRONJOB);
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at = map_put(&z->by_name, a, map_ptr(name));

	if (!*at) {
		struct known_zone *k = arena_make(a, struct known_zone);

		zone_load(a, name, &k->zone, &k->why);
		*at = map_ptr(k);
	}
	return (const struct known_zone *)(uintptr_t)*at;
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct zones);
}

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

static void limit_history(struct sync *x, enum cond_status which, int32_t keep)
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

/* RFC 3339, in the zone of the schedule. */
static const char *local_text(struct sync *x, nsec at)
{
	int32_t ahead = x->zone ? zone_offset(x->zone, at / SECONDS(1)) : 0;
	char text[32];

	time_text(at + SECONDS((int64_t)ahead), text);
	if (!ahead)
		return arena_strdup(x->scratch, text);
	return arena_printf(x->scratch, "%.19s%c%02d:%02d", text, ahead < 0 ? '-' : '+', abs(ahead) / 3600, abs(ahead) / 60 % 60);
}

static void make_job(struct sync *x, const char *name, nsec at)
{
	struct job *j = (struct job *)object_new(x->c, &job_kind, x->j->o.ns, name);
	struct object o = j->o;

	memcpy(j, x->j->template, sizeof(*j));
	o.labels = x->j->template->o.labels;
	o.annotations = pairs_with(x->c, &x->j->template->o.annotations, "batch.kubernetes.io/cronjob-scheduled-timestamp", local_text(x, at));
	j->o = o;
	own(x->c, &j->o, &x->j->o);
	cluster_add(x->c, &j->o);
	cluster_event(x->c, &x->j->o, false, "cronjob-controller", "SuccessfulCreate", "Created job %s", name);
}

static uint32_t running(const struct sync *x)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < x->jobs.nr; k++)
		nr += !x->jobs.v[k]->gone && outcome((struct job *)x->jobs.v[k]) == COND_NONE;
	return nr;
}

/* Is a Job of that name in the way? Somebody else's, or one of its own that still runs; of one that has ended the status may tell again. */
static bool in_the_way(const struct sync *x, const struct object *job)
{
	return job && (owner_uid(job) != x->j->o.uid || (job->deleted == NEVER && outcome((const struct job *)job) == COND_NONE));
}

/* The Job's name tells the scheduled minute: two times of one minute have one Job. */
static void fire(struct sync *x, nsec at)
{
	struct cron_job *j = x->j;
	const char *name = arena_printf(x->scratch, "%s-%" PRId64, j->o.name, at / MINUTES(1));
	const struct object *there;

	if (streq(j->concurrency, "Forbid") && running(x)) {
		cluster_event(x->c, &j->o, false, "cronjob-controller", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
		return;
	}
	for (uint32_t k = 0; streq(j->concurrency, "Replace") && k < x->jobs.nr; k++)
		if (!x->jobs.v[k]->gone && outcome((struct job *)x->jobs.v[k]) == COND_NONE)
			apply_delete(x->c, x->jobs.v[k]);
	there = cluster_find(x->c, &job_kind, j->o.ns, name);
	if (in_the_way(x, there))
		return;
	if (!there)
		make_job(x, name, at);
	j->st_last_schedule = at;
	cluster_touch(x->c, &j->o);
}

/* What became of its Jobs since it was looked at last. */
static void see_jobs(struct sync *x)
{
	nsec latest = x->j->st_seen;

	for (uint32_t k = 0; k < x->jobs.nr; k++) {
		const struct job *j = (const struct job *)x->jobs.v[k];
		enum cond_status how = outcome(j);
		nsec at = how == COND_NONE ? NEVER : condition_get(&j->conditions, how == COND_TRUE ? "Complete" : "Failed")->changed;

		if (at == NEVER || j->o.gone || at <= x->j->st_seen)
			continue;
		latest = MAX(latest, at);
		cluster_event(x->c, &x->j->o, false, "cronjob-controller", "SawCompletedJob", "Saw completed job: %s, condition: %s", j->o.name, how == COND_TRUE ? "Complete" : "Failed");
		if (how == COND_TRUE)
			x->j->st_last_success = MAX(x->j->st_last_success == NEVER ? 0 : x->j->st_last_success, at);
	}
	if (latest == x->j->st_seen)
		return;
	x->j->st_seen = latest;
	cluster_touch(x->c, &x->j->o);
}

/* The last time of the schedule that has come and was not served; NEVER: none (utils.go mostRecentScheduleTime). How many were missed is estimated by the first two. */
static nsec unmet(struct sync *x, const struct cron *s)
{
	const struct cron_job *j = x->j;
	nsec from = j->st_last_schedule == NEVER ? j->o.created : j->st_last_schedule, at = NEVER, first, second;
	int64_t missed;

	if (j->has_starting_deadline)
		from = MAX(from, x->now - SECONDS(j->starting_deadline));
	first = schedule_next(s, x->zone, from);
	second = first <= x->now ? schedule_next(s, x->zone, first) : NEVER;
	if (second > x->now)
		return first <= x->now ? first : NEVER;
	missed = (x->now - first) / (second - first) + 1;
	for (nsec next = schedule_next(s, x->zone, first + (missed - 2) * (second - first)); next <= x->now; next = schedule_next(s, x->zone, next))
		at = next;
	if (missed > 100)
		cluster_event(x->c, &j->o, true, "cronjob-controller", "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
	return at;
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct sync x = { .t = t, .c = control_cluster(t), .j = (struct cron_job *)o, .now = now };
	const struct known_zone *zone;
	struct cron s;
	const char *name;
	char why[256];
	nsec at;

	if (o->gone || o->deleted != NEVER || !x.j->schedule || !cron_parse(x.j->schedule, &s, why))
		return;
	name = *s.zone ? s.zone : x.j->time_zone ? x.j->time_zone : "";
	zone = zone_named(t, cluster_str(x.c, name));
	x.zone = &zone->zone;
	x.scratch = arena_new(NULL, "cronjob");
	x.jobs = dependents(t, o, &job_kind, x.scratch);
	if (x.jobs.nr)
		qsort(x.jobs.v, x.jobs.nr, sizeof(*x.jobs.v), oldest_first);
	see_jobs(&x);
	limit_history(&x, COND_TRUE, x.j->success_limit);
	limit_history(&x, COND_FALSE, x.j->failed_limit);
	if (zone->why) {
		cluster_event(x.c, o, true, "cronjob-controller", "UnknownTimeZone", "invalid timeZone: \"%s\": %s%s%s", name, zone->why, strstr(zone->why, "unknown") ? " " : "",
			      strstr(zone->why, "unknown") ? name : "");
	} else if (!x.j->suspend) {
		at = unmet(&x, &s);
		if (at != NEVER)
			fire(&x, at);
		control_timer(t, CTL_CRONJOB, o, schedule_next(&s, x.zone, now));
	}
	arena_free(x.scratch);
}

static const struct kind *const kinds_heard[] = { &cron_job_kind, &job_kind, NULL };
const struct controller cronjob_controller = { .name = "cronjob", .kinds = kinds_heard, .init = init, .watch = watch, .run = run };
