/* More of life: orders, back-offs, schedules, hooks, gates. Sources beside each test. */
#include "tests/unit/cell.h"

static nsec event_at(struct cell *x, const char *reason, const char *words)
{
	uint32_t nr;
	const struct event *e = cluster_events(x->c, &nr);

	for (uint32_t k = 0; k < nr; k++)
		if (streq(e[k].reason, reason) && strstr(e[k].message, words))
			return e[k].at;
	return NEVER;
}

/* pkg/controller/statefulset/stateful_set_control.go: down from the highest ordinal, one at a time, each gone before the next. */
TEST(a_statefulset_shrinks_from_the_highest_ordinal)
{
	struct cell x = cell_settled("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: 3\n  serviceName: db\n  selector: {matchLabels: {app: db}}\n"
				"  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: postgres}]}}\n");
	struct pod *p[3] = { find_pod(x.c, "default", "db-0"), find_pod(x.c, "default", "db-1"), find_pod(x.c, "default", "db-2") };
	bool together = false;

	CU_ASSERT_FATAL(p[0] && p[1] && p[2]);
	cell_apply(&x, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: 1\n  serviceName: db\n  selector: {matchLabels: {app: db}}\n"
		       "  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: postgres}]}}\n");
	for (int k = 0; k < 200 && !p[1]->o.gone; k++) {
		control_advance(x.t, MILLIS(50));
		together = together || (p[1]->o.deleted != NEVER && !p[2]->o.gone);
	}
	CU_ASSERT(p[2]->o.gone && p[1]->o.gone && !p[0]->o.gone);
	CU_ASSERT(!together);
	cell_free(&x);
}

/* pkg/controller/job/job_controller.go: a failed Pod is followed by the next after 10 s, 20 s …; more than backoffLimit failures end it. */
TEST(a_failing_job_waits_longer_each_time)
{
	struct cell x = cell_settled("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  backoffLimit: 2\n"
				"  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, exit 1]}]}}\n");
	const struct job *j;
	const struct condition *failed;

	control_advance(x.t, SECONDS(300));
	j = (const struct job *)cluster_find(x.c, &job_kind, "default", "j");
	failed = condition_get(&j->conditions, "Failed");
	CU_ASSERT(failed && failed->status == COND_TRUE && streq(failed->reason, "BackoffLimitExceeded"));
	CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "j-"), 3);
	CU_ASSERT(failed && failed->changed >= SECONDS(30) && failed->changed < SECONDS(60));    /* 10 + 20, and three runs */
	cell_free(&x);
}

/* pkg/controller/cronjob: the Job's name ends in the minutes since 1970 of its scheduled time. */
TEST(a_cron_job_makes_jobs_in_time)
{
	struct cell x = cell_settled("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick}\nspec:\n  schedule: '*/5 * * * *'\n  successfulJobsHistoryLimit: 1\n"
				"  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, exit 0]}]}}}}\n");

	control_advance_until(x.t, MINUTES(4), NULL, NULL);
	CU_ASSERT_EQUAL(cell_count(&x, &job_kind, "tick-"), 0);
	control_advance_until(x.t, MINUTES(6), NULL, NULL);
	CU_ASSERT_PTR_NOT_NULL(cluster_find(x.c, &job_kind, "default", "tick-5"));
	control_advance_until(x.t, MINUTES(16), NULL, NULL);
	CU_ASSERT_PTR_NULL(cluster_find(x.c, &job_kind, "default", "tick-5"));
	CU_ASSERT_PTR_NOT_NULL(cluster_find(x.c, &job_kind, "default", "tick-15"));
	cell_free(&x);
}

/* pkg/kubelet/status/generate.go GeneratePodReadyCondition: containers are ready, the Pod is not, until the gate's condition is True. */
TEST(a_readiness_gate_holds_the_pod_back)
{
	struct cell x = cell_settled("apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: p}}\nspec: {containers: [{name: c, image: nginx}], readinessGates: [{conditionType: example.io/ok}]}\n");
	const struct pod *p = find_pod(x.c, "default", "p");
	const struct condition *containers = condition_get(&p->conditions, "ContainersReady"), *ready = condition_get(&p->conditions, "Ready");

	CU_ASSERT(containers && containers->status == COND_TRUE);
	CU_ASSERT(ready && ready->status == COND_FALSE && streq(ready->reason, "ReadinessGatesNotReady"));
	cell_free(&x);
}

/* pkg/kubelet/lifecycle/handlers.go: a sleeping preStop keeps the container alive so long, within the grace. */
TEST(a_prestop_that_sleeps_delays_the_end)
{
	struct cell x = cell_settled("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: nginx, lifecycle: {preStop: {sleep: {seconds: 8}}}}]}\n");
	struct pod *p = find_pod(x.c, "default", "p");

	apply_delete(x.c, &p->o);
	control_advance(x.t, SECONDS(7));
	CU_ASSERT(!p->o.gone && p->statuses.v[0].state == CS_RUNNING);
	control_advance(x.t, SECONDS(4));
	CU_ASSERT(p->o.gone);
	cell_free(&x);
}

/* pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations: for ever, but never not-ready:NoSchedule. */
TEST(daemon_pods_tolerate_what_upstream_says)
{
	struct cell x = cell_settled("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {app: d}}\n"
				"  template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c, image: nginx}]}}\n");
	const struct pod *p = cell_pod(&x, "d-");
	uint32_t forever = 0;
	bool no_schedule = false;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	for (uint32_t k = 0; k < p->spec->tolerations.nr; k++) {
		const struct toleration *t = &p->spec->tolerations.v[k];

		forever += (streq(t->key, "node.kubernetes.io/not-ready") || streq(t->key, "node.kubernetes.io/unreachable")) && streq(t->effect, "NoExecute") && !t->has_seconds;
		no_schedule = no_schedule || (streq(t->key, "node.kubernetes.io/not-ready") && streq(t->effect, "NoSchedule"));
	}
	CU_ASSERT_EQUAL(forever, 2);
	CU_ASSERT(!no_schedule);
	cell_free(&x);
}

/* pkg/kubelet/prober: exec and grpc probes decide as the others do; what is scripted of a container holds for them, too. */
TEST(exec_and_grpc_probes_decide_too)
{
	struct cell x = cell_settled("apiVersion: v1\nkind: Pod\nmetadata: {name: e, annotations: {podwire.io/c.ready: never}}\nspec: {containers: [{name: c, image: nginx, readinessProbe: {exec: {command: [cat, /ok]}}}]}\n---\n"
				"apiVersion: v1\nkind: Pod\nmetadata: {name: g, annotations: {podwire.io/c.ready: after 20s}}\nspec: {containers: [{name: c, image: nginx, readinessProbe: {grpc: {port: 9000}}}]}\n");

	control_advance_until(x.t, SECONDS(60), NULL, NULL);
	CU_ASSERT(!pod_is_ready(find_pod(x.c, "default", "e")));
	CU_ASSERT(pod_is_ready(find_pod(x.c, "default", "g")));
	CU_ASSERT(event_at(&x, "Unhealthy", "Readiness probe") != NEVER);
	cell_free(&x);
}

/* pkg/probe/exec: a command that ends with another code than 0, or not within its timeout, has failed. What a command would find is not known, and taken as success. */
TEST(an_exec_probe_whose_end_is_known_ends_so)
{
	static const struct { const char *command, *words; bool ready; } rows[] = {
		{ "['true']", NULL, true }, { "[/bin/true]", NULL, true }, { "['false']", NULL, false }, { "[/bin/false]", NULL, false },
		{ "[sh, -c, exit 0]", NULL, true }, { "[sh, -c, exit 3]", NULL, false }, { "[sh, -c, 'true && exit 1']", NULL, false },
		{ "[sh, -c, 'false && exit 0; true']", NULL, true }, { "[sh, -c, 'false && true']", NULL, false }, { "[sleep, '5']", "command timed out", false },
		{ "[cat, /tmp/healthy]", NULL, true }, { "[sh, -c, 'exit $?']", NULL, true }, { "[pg_isready]", NULL, true },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		char text[512];
		struct cell x;

		snprintf(text, sizeof(text), "{apiVersion: v1, kind: Pod, metadata: {name: e}, spec: {containers: [{name: c, image: nginx, readinessProbe: {exec: {command: %s}}}]}}\n", rows[k].command);
		x = cell_settled(text);
		control_advance_until(x.t, SECONDS(30), NULL, NULL);
		CU_ASSERT_EQUAL(pod_is_ready(find_pod(x.c, "default", "e")), rows[k].ready);
		CU_ASSERT_EQUAL(event_at(&x, "Unhealthy", rows[k].words ? rows[k].words : "Readiness probe failed") == NEVER, rows[k].ready);
		cell_free(&x);
	}
}

/* pkg/quota/v1/evaluator/core/pods.go; replica_set.go: ReplicaFailure, FailedCreate, and the rest when there is room again. */
TEST(a_quota_stops_the_third_pod)
{
	struct cell x = cell_settled("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 2}}\n---\n"
				"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: r}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: r}}\n"
				"  template: {metadata: {labels: {app: r}}, spec: {containers: [{name: c, image: nginx}]}}\n");
	const struct workload *w = (const struct workload *)cluster_find(x.c, &replicaset_kind, "default", "r");
	struct err err = { 0 };
	struct apply_options opt = { .validate = true };
	static const char pod[] = "{apiVersion: v1, kind: Pod, metadata: {name: bare}, spec: {containers: [{name: c, image: nginx}]}}";
	struct doc d = { "bare.yaml", yaml_parse(x.a, "bare.yaml", pod, strlen(pod), NULL, &err) };

	CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "r-"), 2);
	CU_ASSERT(condition_get(&w->conditions, "ReplicaFailure") != NULL);
	CU_ASSERT(cell_has_event(&x, "FailedCreate", "is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"));
	CU_ASSERT(apply_doc(x.c, &d, &opt, NULL, &err) == APPLY_ERROR);
	CU_ASSERT(err.nr == 1 && strstr(err.v[0].text, "pods \"bare\" is forbidden: exceeded quota: q"));
	cell_apply(&x, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 5}}\n");
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "r-"), 3);
	CU_ASSERT(condition_get(&w->conditions, "ReplicaFailure") == NULL);
	err_free(&err);
	cell_free(&x);
}

/* No server takes such an object (apps/validation: ValidatePodTemplateSpecForReplicaSet), but a file may tell of one: Pods that are never its own would be made for ever. */
TEST(a_controller_whose_template_misses_its_selector_makes_nothing)
{
	static const char *const forms[] = { "apps/v1, kind: Deployment", "apps/v1, kind: ReplicaSet", "apps/v1, kind: StatefulSet", "apps/v1, kind: DaemonSet", "v1, kind: ReplicationController" };

	for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
		struct cell x = cell_new(1);

		x.lax = true;
		defaults_add(x.c);
		cell_apply(&x, arena_printf(x.a, "{apiVersion: %s, metadata: {name: r}, spec: {selector: %s, template: {metadata: {labels: {app: other}}, spec: {containers: [{name: c, image: i}]}}}}",
					    forms[k], k == 4 ? "{app: r}" : "{matchLabels: {app: r}}"));
		control_advance(x.t, SECONDS(30));
		CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "r-"), 0);
		CU_ASSERT(cell_has_event(&x, "FailedCreate", "`selector` does not match template `labels`"));
		cell_free(&x);
	}
}
