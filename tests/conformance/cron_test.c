/* When schedules come: the rows of robfig/cron v3 spec_test.go TestNext, in minutes, and what local clocks do. Zones are those of the machine; without them those rows are left out. */
#include "model/base/quantity.h"
#include "model/control/cron.h"
#include "tests/conformance/placing.h"
#include "tests/unit/cell.h"

#define NY "America/New_York"

static const struct { const char *zone, *from, *schedule, *next; } rows[] = {
	/* simple cases, wrap around hours, days, months, years */
	{ "", "2012-07-09T14:45:00Z", "0/15 * * * *", "2012-07-09T15:00:00Z" }, { "", "2012-07-09T14:59:00Z", "0/15 * * * *", "2012-07-09T15:00:00Z" },
	{ "", "2012-07-09T15:45:00Z", "20-35/15 * * * *", "2012-07-09T16:20:00Z" }, { "", "2012-07-09T23:46:00Z", "*/15 * * * *", "2012-07-10T00:00:00Z" },
	{ "", "2012-07-09T23:45:00Z", "20-35/15 * * * *", "2012-07-10T00:20:00Z" }, { "", "2012-07-09T23:35:00Z", "0/35 10-16/2 * * *", "2012-07-10T10:00:00Z" },
	{ "", "2012-07-09T23:35:00Z", "0 0 1/3 * *", "2012-07-10T00:00:00Z" }, { "", "2012-07-09T23:35:00Z", "0 0 9 Apr-Oct ?", "2012-08-09T00:00:00Z" },
	{ "", "2012-07-09T23:35:00Z", "0 0 * Feb Mon", "2013-02-04T00:00:00Z" }, { "", "2012-07-09T23:35:00Z", "0 0 * Feb Mon/2", "2013-02-01T00:00:00Z" },
	{ "", "2012-12-31T23:59:45Z", "* * * * *", "2013-01-01T00:00:00Z" }, { "", "2012-07-09T23:35:00Z", "0 0 29 Feb ?", "2016-02-29T00:00:00Z" },
	{ "", "2012-07-09T23:35:00Z", "0 0 30 Feb ?", NULL }, { "", "2012-07-09T23:35:00Z", "0 0 31 Apr ?", NULL },
	/* clocks are put forward: what is skipped does not come */
	{ NY, "2012-03-11T05:00:00Z", "30 2 11 Mar ?", "2013-03-11T06:30:00Z" },
	{ NY, "2012-03-11T05:00:00Z", "0 * * * ?", "2012-03-11T06:00:00Z" }, { NY, "2012-03-11T06:00:00Z", "0 * * * ?", "2012-03-11T07:00:00Z" }, { NY, "2012-03-11T07:00:00Z", "0 * * * ?", "2012-03-11T08:00:00Z" },
	{ NY, "2012-03-11T05:00:00Z", "0 1 * * ?", "2012-03-11T06:00:00Z" }, { NY, "2012-03-11T06:00:00Z", "0 1 * * ?", "2012-03-12T05:00:00Z" },
	{ NY, "2012-03-11T05:00:00Z", "0 2 * * ?", "2012-03-12T06:00:00Z" },
	/* and back: what they show twice comes twice */
	{ NY, "2012-11-04T04:00:00Z", "30 2 04 Nov ?", "2012-11-04T07:30:00Z" }, { NY, "2012-11-04T05:45:00Z", "30 1 04 Nov ?", "2012-11-04T06:30:00Z" },
	{ NY, "2012-11-04T04:00:00Z", "0 * * * ?", "2012-11-04T05:00:00Z" }, { NY, "2012-11-04T05:00:00Z", "0 * * * ?", "2012-11-04T06:00:00Z" }, { NY, "2012-11-04T06:00:00Z", "0 * * * ?", "2012-11-04T07:00:00Z" },
	{ NY, "2012-11-04T04:00:00Z", "0 1 * * ?", "2012-11-04T05:00:00Z" }, { NY, "2012-11-04T05:00:00Z", "0 1 * * ?", "2012-11-04T06:00:00Z" }, { NY, "2012-11-04T06:00:00Z", "0 1 * * ?", "2012-11-05T06:00:00Z" },
	{ NY, "2012-11-04T04:00:00Z", "0 2 * * ?", "2012-11-04T07:00:00Z" }, { NY, "2012-11-04T07:00:00Z", "0 2 * * ?", "2012-11-05T07:00:00Z" },
	/* midnight that there is not: São Paulo put its clocks forward at 0:00 */
	{ "America/Sao_Paulo", "2018-11-03T04:00:00Z", "0 0 * * *", "2018-11-05T02:00:00Z" }, { "Asia/Kolkata", "2026-01-01T00:00:00Z", "0 6 * * *", "2026-01-01T00:30:00Z" },
	/* behind the last transition that a file holds: by its rule */
	{ "Europe/Berlin", "2060-03-28T00:30:00Z", "30 2 * * *", "2060-03-29T00:30:00Z" }, { "Europe/Berlin", "2060-10-31T00:00:00Z", "30 2 * * *", "2060-10-31T00:30:00Z" },
	{ "Europe/Berlin", "2060-10-31T00:30:00Z", "30 2 * * *", "2060-10-31T01:30:00Z" }, { "Australia/Sydney", "2060-01-10T00:00:00Z", "0 12 * * *", "2060-01-10T01:00:00Z" },
};

TEST(schedules_come_when_cron_says)
{
	struct arena *a = arena_new(NULL, "test");
	bool zones = zone_database();

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct zone z;
		struct cron s;
		char why[256], got[32];
		const char *no;
		nsec from = 0, next;

		if (*rows[k].zone && !zones)
			continue;
		CU_ASSERT_FATAL(zone_load(a, rows[k].zone, &z, &no));
		CU_ASSERT(cron_parse(rows[k].schedule, &s, why) && time_parse(rows[k].from, &from));
		next = schedule_next(&s, &z, from);
		if (!rows[k].next) {
			CU_ASSERT_EQUAL(next, NEVER);
			continue;
		}
		if (strcmp(time_text(next, got), rows[k].next) != 0)
			fprintf(stderr, "\n%s from %s, %s\n", rows[k].schedule, rows[k].from, rows[k].zone);
		SAME_TEXT(time_text(next, got), rows[k].next);
	}
	arena_free(a);
}

TEST(zones_that_there_are_not_are_said)
{
	static const char *const names[] = { "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe" };
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		struct zone z;
		const char *why;

		CU_ASSERT(!zone_load(a, names[k], &z, &why) && why);
	}
	arena_free(a);
}

#define CRON(spec) "{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {" spec ", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sleep, '90']}]}}}}}}\n"

static const char *seen(struct cell *x, const char *path)
{
	struct object *o = cluster_find(x->c, &cron_job_kind, "default", "c");
	const char *s = val_str_at(object_render(x->c, o, x->a), path);

	return s ? s : "";
}

/* cronjob_controllerv2.go syncCronJob, utils.go getJobFromTemplate2 */
TEST(a_cron_job_goes_by_its_zone)
{
	struct cell x = cell_new(1);
	const struct object *job;

	if (zone_database()) {
		cell_apply(&x, NODE("n1", "", ROOM("8", "")) CRON("schedule: 0 6 * * *, timeZone: Asia/Kolkata"));
		control_advance(x.t, MINUTES(31));
		job = cluster_find(x.c, &job_kind, "default", "c-30");
		CU_ASSERT_FATAL(job != NULL);
		SAME_TEXT(label_get(&job->annotations, "batch.kubernetes.io/cronjob-scheduled-timestamp"), "1970-01-01T06:00:00+05:30");
		SAME_TEXT(seen(&x, "status.active.0.name"), "c-30");
		SAME_TEXT(seen(&x, "status.lastScheduleTime"), "1970-01-01T00:30:00Z");
		control_advance(x.t, MINUTES(3));
		SAME_TEXT(cell_event(&x, "SawCompletedJob"), "Saw completed job: c-30, condition: Complete");
		SAME_TEXT(seen(&x, "status.active.0.name"), "");
		CU_ASSERT(*seen(&x, "status.lastSuccessfulTime"));
		CU_ASSERT_EQUAL(cell_events(&x, "SawCompletedJob"), 1);
	}
	cell_free(&x);
}

/* syncCronJob, where CreateJob says AlreadyExists. */
TEST(two_times_of_one_minute_have_one_job)
{
	struct cell x = cell_new(1);

	cell_apply(&x, NODE("n1", "", ROOM("8", "")) CRON("schedule: '@every 20s'"));
	control_advance(x.t, SECONDS(59));
	CU_ASSERT_EQUAL(cluster_count(x.c, &job_kind), 1);
	control_advance(x.t, SECONDS(3));
	CU_ASSERT_EQUAL(cluster_count(x.c, &job_kind), 2);
	cell_free(&x);
}

TEST(times_that_were_missed)
{
	struct cell x = cell_new(1);

	cell_apply(&x, CRON("schedule: '*/10 * * * *', suspend: true"));
	control_advance(x.t, MINUTES(35));
	cell_apply(&x, CRON("schedule: '*/10 * * * *', suspend: false"));
	control_advance(x.t, SECONDS(5));
	CU_ASSERT(cluster_find(x.c, &job_kind, "default", "c-30") != NULL);     /* the last of them only */
	CU_ASSERT(cluster_find(x.c, &job_kind, "default", "c-20") == NULL);
	cell_apply(&x, CRON("schedule: '* * * * *', suspend: true"));
	control_advance(x.t, MINUTES(200));
	cell_apply(&x, CRON("schedule: '* * * * *', suspend: false"));
	control_advance(x.t, SECONDS(5));
	CU_ASSERT_EQUAL(cell_events(&x, "TooManyMissedTimes"), 1);
	cell_free(&x);
}
