/* Jobs with policies: pkg/controller/job/{job_controller,pod_failure_policy,success_policy,indexed_job_utils}_test.go, the shapes of their tables through the API and the controllers. */
#include "model/control/job_policy.h"
#include "model/cluster/apply.h"
#include "model/control/workloads.h"
#include "tests/unit/cell.h"

#define JOB(spec, pod) "{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {" spec ", template: {spec: {" pod "}}}}"
#define NEVER_AGAIN(cmd) "restartPolicy: Never, containers: [{name: c, image: i, command: [sh, -c, '" cmd "']}]"

static const struct { const char *name, *yaml, *type, *reason, *message; int32_t failed, succeeded; const char *done, *lost; } table[] = {
	{ "matching container exit code: FailJob", JOB("podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}", NEVER_AGAIN("exit 42")),
	  "Failed", "PodFailurePolicy", "Container c for pod default/", 1, 0, NULL, NULL },
	{ "exit code that no rule matches counts", JOB("backoffLimit: 0, podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: NotIn, values: [1, 2]}}]}", NEVER_AGAIN("exit 1")),
	  "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1, 0, NULL, NULL },
	{ "exit codes of another container", JOB("backoffLimit: 0, podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: d, operator: In, values: [1]}}]}",
	  "restartPolicy: Never, containers: [{name: c, image: i, command: [sh, -c, exit 1]}, {name: d, image: i, command: [sh, -c, exit 0]}]"), "Failed", "BackoffLimitExceeded", "Job has reached", 1, 0, NULL, NULL },
	{ "backoffLimitPerIndex: all indexes fail", JOB("completionMode: Indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 1", NEVER_AGAIN("exit 1")),
	  "Failed", "FailedIndexes", "Job has failed indexes", 4, 0, "", "0,1" },
	{ "maxFailedIndexes", JOB("completionMode: Indexed, completions: 4, parallelism: 2, backoffLimitPerIndex: 0, maxFailedIndexes: 1", NEVER_AGAIN("exit 1")),
	  "Failed", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes", 2, 0, "", "0,1" },
	{ "FailIndex before the limit of the index", JOB("completionMode: Indexed, completions: 1, backoffLimitPerIndex: 5, podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {operator: In, values: [42]}}]}", NEVER_AGAIN("exit 42")),
	  "Failed", "FailedIndexes", "Job has failed indexes", 1, 0, "", "0" },
	{ "success policy: index 0 is enough", JOB("completionMode: Indexed, completions: 5, parallelism: 1, successPolicy: {rules: [{succeededIndexes: '0'}]}", NEVER_AGAIN("exit 0")),
	  "Complete", "SuccessPolicy", "Matched rules at index 0", 0, 1, "0", NULL },
	{ "success policy: succeededCount", JOB("completionMode: Indexed, completions: 5, parallelism: 1, successPolicy: {rules: [{succeededIndexes: '3,4'}, {succeededCount: 2}]}", NEVER_AGAIN("exit 0")),
	  "Complete", "SuccessPolicy", "Matched rules at index 1", 0, 2, "0,1", NULL },
	{ "indexed job completed", JOB("completionMode: Indexed, completions: 3, parallelism: 2", NEVER_AGAIN("exit 0")), "Complete", "CompletionsReached", "Reached expected number of succeeded pods", 0, 3, "0-2", NULL },
	{ "restarts reach the limit", JOB("backoffLimit: 2", "restartPolicy: OnFailure, containers: [{name: c, image: i, command: [sh, -c, exit 1]}]"), "Failed", "BackoffLimitExceeded", "Job has reached", 1, 0, NULL, NULL },
	{ "what runs at the deadline has failed", JOB("parallelism: 2, completions: 2, activeDeadlineSeconds: 30", NEVER_AGAIN("sleep 100")), "Failed", "DeadlineExceeded", "Job was active longer", 2, 0, NULL, NULL },
};

TEST(jobs_end_as_upstreams_tables_say)
{
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_settled(table[k].yaml);
		const struct condition *c;
		const struct job *j;

		control_advance(x.t, SECONDS(600));
		j = (const struct job *)cluster_find(x.c, &job_kind, "default", "j");
		c = j ? condition_get(&j->conditions, table[k].type) : NULL;
		if (!c || !streq(c->reason, table[k].reason) || j->st_failed != table[k].failed || j->st_succeeded != table[k].succeeded)
			fprintf(stderr, "\n%s: %s, %d failed, %d succeeded\n", table[k].name, c ? c->reason : "not over", j ? j->st_failed : -1, j ? j->st_succeeded : -1);
		CU_ASSERT(c && c->status == COND_TRUE && streq(c->reason, table[k].reason) && strstr(c->message, table[k].message));
		CU_ASSERT(j && j->st_failed == table[k].failed && j->st_succeeded == table[k].succeeded && !j->st_active);
		if (table[k].done)
			SAME_TEXT(j && j->st_completed ? j->st_completed : "none", table[k].done);
		if (table[k].lost)
			SAME_TEXT(j && j->st_failed_indexes ? j->st_failed_indexes : "none", table[k].lost);
		cell_free(&x);
	}
}

TEST(ignored_failures_do_not_count)
{
	struct cell x = cell_settled(JOB("backoffLimit: 0, podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [7]}}]}", NEVER_AGAIN("exit 7")));
	const struct job *j;

	control_advance(x.t, SECONDS(100));
	j = (const struct job *)cluster_find(x.c, &job_kind, "default", "j");
	CU_ASSERT(!condition_get(&j->conditions, "Failed"));
	CU_ASSERT_EQUAL(j->st_failed, 0);
	CU_ASSERT(pods_of(x.c, j->o.uid).nr >= 3);
	cell_free(&x);
}

static const struct job *the_job(struct cell *x)
{
	return (const struct job *)cluster_find(x->c, &job_kind, "default", "j");
}

static uint32_t pods_made(struct cell *x)
{
	uint32_t nr, n = 0;
	const struct event *e = cluster_events(x->c, &nr);

	for (uint32_t k = 0; k < nr; k++)
		n += streq(e[k].reason, "SuccessfulCreate") && e[k].object.i == the_job(x)->o.id.i;
	return n;
}

/* Deletes what has ended, or what runs. */
static void delete_pods(struct cell *x, bool ended)
{
	struct object_list l = cluster_list(x->c, &pod_kind);
	struct object **v = arena_copy(x->a, l.v, (l.nr + 1) * sizeof(*v));
	uint32_t nr = l.nr;

	for (uint32_t k = 0; k < nr; k++)
		if (strncmp(v[k]->name, "j-", 2) == 0 && pod_is_terminal((const struct pod *)v[k]) == ended)
			apply_delete(x->c, v[k]);
	control_advance(x->t, SECONDS(1));
}

/* trackJobStatusAndRemoveFinalizers: what was counted stays counted. */
TEST(counts_of_a_job_outlive_its_pods)
{
	struct cell x = cell_settled(JOB("backoffLimit: 3", NEVER_AGAIN("exit 1")));
	int32_t failed;

	control_advance(x.t, SECONDS(40));
	failed = the_job(&x)->st_failed;
	CU_ASSERT(failed >= 2 && failed < 4);
	delete_pods(&x, true);
	CU_ASSERT_EQUAL(the_job(&x)->st_failed, failed);
	control_advance(x.t, SECONDS(600));
	CU_ASSERT_EQUAL(the_job(&x)->st_failed, 4);
	CU_ASSERT(condition_get(&the_job(&x)->conditions, "Failed") != NULL);
	CU_ASSERT_EQUAL(pods_made(&x), 4);
	cell_free(&x);
	for (int indexed = 0; indexed < 2; indexed++) {
		x = cell_new(1);
		defaults_add(x.c);
		cell_apply(&x, indexed ? JOB("completionMode: Indexed, completions: 2, parallelism: 1", NEVER_AGAIN("sleep 100")) : JOB("completions: 2, parallelism: 1", NEVER_AGAIN("sleep 100")));
		for (int k = 0; k < 200 && !the_job(&x)->st_succeeded; k++)
			control_advance(x.t, SECONDS(1));
		CU_ASSERT_EQUAL(the_job(&x)->st_succeeded, 1);
		delete_pods(&x, true);
		CU_ASSERT_EQUAL(the_job(&x)->st_succeeded, 1);
		control_advance(x.t, SECONDS(150));
		CU_ASSERT_EQUAL(the_job(&x)->st_succeeded, 2);
		CU_ASSERT_EQUAL(pods_made(&x), 2);
		cell_free(&x);
	}
}

/* isPodFailed, deleteJobPods: a Pod that others delete has failed, one that the Job gives up has not. */
TEST(only_pods_that_others_delete_have_failed)
{
	struct cell x = cell_settled(JOB("backoffLimit: 3", NEVER_AGAIN("sleep 1000")));

	delete_pods(&x, false);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_EQUAL(the_job(&x)->st_failed, 1);
	CU_ASSERT_EQUAL(the_job(&x)->st_active, 1);
	cell_apply(&x, JOB("backoffLimit: 3, suspend: true", NEVER_AGAIN("sleep 1000")));
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_EQUAL(the_job(&x)->st_failed, 1);
	CU_ASSERT_EQUAL(the_job(&x)->st_active, 0);
	CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "j-"), 0);
	cell_free(&x);
}

TEST(a_job_of_another_controller_is_left_alone)
{
	struct cell x = cell_settled(JOB("managedBy: example.com/queue", NEVER_AGAIN("exit 0")));

	CU_ASSERT_EQUAL(pods_of(x.c, cluster_find(x.c, &job_kind, "default", "j")->uid).nr, 0);
	cell_free(&x);
}

TEST(indexes_are_written_as_intervals)
{
	static const struct { const char *in, *want; } rows[] = { { "", "" }, { "x", "0" }, { "xx", "0,1" }, { "xxx", "0-2" }, { "x.xx.xxxx", "0,2,3,5-8" }, { "..x", "2" } };
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		bool in[16];
		int32_t nr = 0;

		for (; rows[k].in[nr]; nr++)
			in[nr] = rows[k].in[nr] == 'x';
		SAME_TEXT(indexes_text(in, nr, a), rows[k].want);
	}
	arena_free(a);
}

/* enactJobFinished: Failed and Complete wait for the last of its Pods, FailureTarget and SuccessCriteriaMet do not; what failed with the Job is counted at once. */
TEST(a_job_has_ended_when_its_last_pod_is_gone)
{
	struct cell x = cell_settled(JOB("parallelism: 2, completions: 2, activeDeadlineSeconds: 60", "restartPolicy: Never, containers: [{name: c, image: i, command: [sleep, '1000'], lifecycle: {preStop: {sleep: {seconds: 20}}}}]"));

	control_advance(x.t, SECONDS(62));
	CU_ASSERT(condition_status(&the_job(&x)->conditions, "FailureTarget") == COND_TRUE);
	CU_ASSERT(!condition_get(&the_job(&x)->conditions, "Failed"));
	CU_ASSERT_EQUAL(the_job(&x)->st_failed, 2);
	CU_ASSERT_EQUAL(the_job(&x)->st_terminating.v, 2);
	CU_ASSERT_EQUAL(cell_events(&x, "DeadlineExceeded"), 0);
	control_advance(x.t, SECONDS(40));
	CU_ASSERT(condition_status(&the_job(&x)->conditions, "Failed") == COND_TRUE);
	CU_ASSERT(streq(condition_get(&the_job(&x)->conditions, "Failed")->reason, "DeadlineExceeded"));
	CU_ASSERT_EQUAL(the_job(&x)->st_failed, 2);
	CU_ASSERT_EQUAL(the_job(&x)->st_terminating.v, 0);
	CU_ASSERT_EQUAL(cell_events(&x, "DeadlineExceeded"), 1);
	CU_ASSERT_EQUAL(pods_made(&x), 2);
	cell_free(&x);
}

/* activePodsForRemoval: who is not yet placed, or not ready, goes before who works; each is told of. */
TEST(a_job_takes_away_first_who_works_least)
{
	struct cell x = cell_new(1);
	struct object_list l;

	x.lax = true;
	cell_apply(&x, "{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {allocatable: {cpu: '2', memory: 8Gi, pods: '110'}, conditions: [{type: Ready, status: 'True'}]}}\n---\n"
		   JOB("parallelism: 4, completions: 9", "restartPolicy: Never, containers: [{name: c, image: i, command: [sleep, '1000'], resources: {requests: {cpu: '1'}}}]"));
	control_advance(x.t, SECONDS(30));
	CU_ASSERT_EQUAL(the_job(&x)->st_active, 4);
	cell_apply(&x, JOB("parallelism: 2, completions: 9", "restartPolicy: Never, containers: [{name: c, image: i, command: [sleep, '1000'], resources: {requests: {cpu: '1'}}}]"));
	control_advance(x.t, SECONDS(60));
	l = pods_of(x.c, the_job(&x)->o.uid);
	CU_ASSERT_EQUAL(l.nr, 2);
	for (uint32_t k = 0; k < l.nr; k++)
		CU_ASSERT(((const struct pod *)l.v[k])->node != NULL);
	CU_ASSERT_EQUAL(cell_events(&x, "SuccessfulDelete"), 2);
	cell_free(&x);
}

/* SyncJobBatchPeriod, MaxPodCreateDeletePerSync: what becomes of its Pods a Job sees once a second, and then makes 500 more at most. */
TEST(a_job_looks_at_its_pods_once_a_second)
{
	static const uint32_t made[] = { 500, 1000, 1200 };
	struct cell x = cell_new(1);
	const struct job *j;

	x.lax = true;
	cell_apply(&x, JOB("parallelism: 1200, completions: 1200", NEVER_AGAIN("exit 0")));
	for (size_t k = 0; k < ARRAY_LEN(made); k++) {
		control_advance(x.t, k ? SECONDS(1) : MILLIS(500));
		CU_ASSERT_EQUAL(cluster_count(x.c, &pod_kind), made[k]);
		j = (const struct job *)cluster_find(x.c, &job_kind, "default", "j");
		CU_ASSERT_EQUAL(j->st_active, (int32_t)made[k]);
	}
	cell_free(&x);
}

#define MANY "completionMode: Indexed, completions: 2000000000, parallelism: 2"

static struct pod *pod_of_index(struct cell *x, const char *index)
{
	struct object_list l = cluster_list(x->c, &pod_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const char *has = label_get(&l.v[k]->labels, "batch.kubernetes.io/job-completion-index");

		if (has && streq(has, index))
			return (struct pod *)l.v[k];
	}
	CU_FAIL_FATAL("no Pod of this index");
	return NULL;
}

static void look_again(struct cell *x, int32_t succeeded, const char *done)
{
	control_advance(x->t, SECONDS(3));
	CU_ASSERT_EQUAL(the_job(x)->st_succeeded, succeeded);
	SAME_TEXT(the_job(x)->st_completed, done);
}

/* An end is counted once, but what is said of a Pod afterwards holds: of which index it is, whose it is, and that it is gone. */
TEST(an_ended_pod_that_changes_is_counted_anew)
{
	struct cell x = cell_new(1);
	struct pod *p;

	defaults_add(x.c);
	cell_apply(&x, JOB(MANY, NEVER_AGAIN("exit 0")));
	while (the_job(&x)->st_succeeded < 4)
		control_advance(x.t, SECONDS(1));
	cell_apply(&x, JOB(MANY ", suspend: true", NEVER_AGAIN("exit 0")));
	control_advance(x.t, SECONDS(60));
	look_again(&x, 6, "0-5");          /* two more had ended when it looked */
	p = pod_of_index(&x, "1");
	cluster_relabel(x.c, &p->o, pairs_with(x.c, &p->o.labels, "batch.kubernetes.io/job-completion-index", "1700"));
	look_again(&x, 6, "0,2-5,1700");
	p = pod_of_index(&x, "3");
	disown(x.c, &p->o, the_job(&x)->o.uid);
	cluster_relabel(x.c, &p->o, p->o.labels);
	cluster_touch(x.c, &pod_of_index(&x, "0")->o);
	look_again(&x, 5, "0,2,4,5,1700");
	apply_delete(x.c, &pod_of_index(&x, "0")->o);
	look_again(&x, 5, "0,2,4,5,1700");
	cell_free(&x);
}
