/* What autoscalers make of what is measured: upstream's tables (pkg/controller/podautoscaler/replica_calculator_test.go, horizontal_test.go) through the objects. */
#include "model/control/autoscaler.h"
#include "model/api/kept.h"
#include "tests/conformance/placing.h"
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

/* ready: one letter a Pod: y ready, n not, f failed, d deleted, p pending; levels and requests: of each Pod in thousandths of a CPU, - where nothing is measured. */
static const struct { const char *name, *ready, *levels, *requests; int percent; int64_t value; const char *want; } table[] = {
	{ "TestReplicaCalcScaleUp", "yyy", "300 500 700", "1000 1000 1000", 30, 0, "5 50% 500" },
	{ "TestReplicaCalcScaleUpUnreadyLessScale", "nyy", "300 500 700", "1000 1000 1000", 30, 0, "4 60% 600" },
	{ "TestReplicaCalcScaleUpUnreadyNoScale", "ynn", "400 500 700", "1000 1000 1000", 30, 0, "3 40% 400" },
	{ "TestReplicaCalcScaleUpIgnoresFailedPods", "yyff", "500 700 - -", "1000 1000 1000 1000", 30, 0, "4 60% 600" },
	{ "TestReplicaCalcScaleUpIgnoresDeletionPods", "yydd", "500 700 - -", "1000 1000 1000 1000", 30, 0, "4 60% 600" },
	{ "TestReplicaCalcScaleUpUnreadyHotCpuNoScale: pending Pods", "ypp", "400 - -", "1000 1000 1000", 30, 0, "3 40% 400" },
	{ "TestReplicaCalcScaleDown", "yyyyy", "100 300 500 250 250", "1000 1000 1000 1000 1000", 50, 0, "3 28% 280" },
	{ "TestReplicaCalcScaleDownIncludeUnreadyPods", "nyyyy", "100 300 500 250 250", "1000 1000 1000 1000 1000", 50, 0, "3 32% 325" },
	{ "TestReplicaCalcTolerance", "yyy", "1010 1030 1020", "900 1000 1100", 100, 0, "3 102% 1020" },
	{ "TestReplicaCalcMissingMetrics", "yyyy", "400 95 - -", "1000 1000 1000 1000", 100, 0, "3 24% 247" },
	{ "TestReplicaCalcMissingMetricsNoChangeEq", "yy", "1000 -", "1000 1000", 100, 0, "2 100% 1000" },
	{ "TestReplicaCalcMissingMetricsNoChangeGt", "yy", "1900 -", "1000 1000", 100, 0, "2 190% 1900" },
	{ "TestReplicaCalcMissingMetricsNoChangeLt", "yy", "600 -", "1000 1000", 100, 0, "2 60% 600" },
	{ "TestReplicaCalcMissingMetricsUnreadyChange", "nyyy", "100 450 - -", "1000 1000 1000 1000", 50, 0, "4 45% 450" },
	{ "TestReplicaCalcMissingMetricsUnreadyScaleUp", "nyy", "100 2000 -", "1000 1000 1000", 50, 0, "4 200% 2000" },
	{ "TestReplicaCalcEmptyMetrics", "yyyy", "- - - -", "1000 1000 1000 1000", 100, 0,
	  "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API" },
	{ "TestReplicaCalcEmptyCPURequest", "y", "200", "-", 100, 0, "failed to get cpu utilization: missing request for cpu in container c of Pod p0" },
	{ "nobody is ready", "nn", "200 300", "1000 1000", 100, 0, "failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)" },
	{ "an average value, up", "yyy", "20000 10000 30000", "- - -", 0, 15000, "4 - 20000" },
	{ "an average value, down", "yyyyy", "12000 12000 12000 12000 12000", "- - - - -", 0, 20000, "3 - 12000" },
	{ "an average value, missing, on the way down", "yyyy", "400 95 - -", "- - - -", 0, 1000, "3 - 247" },
};

static const char *word(const char *list, size_t nr, struct arena *a)
{
	while (nr--)
		list += strcspn(list, " ") + 1;
	return arena_strndup(a, list, strcspn(list, " "));
}

/* The Pods have run for an hour, but what is not ready has not been so for a minute. */
static void add_pod(struct cell *x, size_t row, size_t k)
{
	char how = table[row].ready[k];
	const char *level = word(table[row].levels, k, x->a), *asks = word(table[row].requests, k, x->a);
	struct sb y = { 0 };

	sb_printf(&y, "{apiVersion: v1, kind: Pod, metadata: {name: p%zu, labels: {a: b}%s}, spec: {nodeName: n1, containers: [{name: c, image: i%s}]}, "
		  "status: {phase: %s, startTime: '2026-01-01T00:00:00Z', conditions: [{type: Ready, status: '%s', lastTransitionTime: '2026-01-01T00:00:%sZ'}]}}\n---\n",
		  k, how == 'd' ? ", finalizers: [a.b/c], deletionTimestamp: '2026-01-01T01:00:00Z', deletionGracePeriodSeconds: 30" : "",
		  *asks == '-' ? "" : arena_printf(x->a, ", resources: {requests: {cpu: %sm}}", asks), how == 'f' ? "Failed" : how == 'p' ? "Pending" : "Running", how == 'n' ? "False" : "True",
		  how == 'n' ? "05" : "40");
	if (*level != '-')
		sb_printf(&y, "{apiVersion: metrics.k8s.io/v1beta1, kind: PodMetrics, metadata: {name: p%zu}, timestamp: '2026-01-01T01:00:00Z', window: 30s, containers: [{name: c, usage: {cpu: %sm}}]}\n---\n", k, level);
	cell_apply(x, sb_text(&y));
	sb_free(&y);
}

TEST(replicas_follow_usage_as_upstreams_tables_say)
{
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_new(1);
		struct val *metric;
		struct proposal p;
		struct err none = { 0 };
		const char *text, *got;
		int32_t current = 0;

		x.lax = true;
		*cluster_flags(x.c) = (struct settings_flags){ .no_defaults = true, .respect = true };
		for (size_t i = 0; table[k].ready[i]; i++) {
			add_pod(&x, k, i);
			current += !strchr("fd", table[k].ready[i]);
		}
		cell_apply(&x, arena_printf(x.a, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: %d, selector: {matchLabels: {a: b}}, "
							 "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}", current));
		text = table[k].percent ? arena_printf(x.a, "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: %d}}}", table[k].percent) :
					  arena_printf(x.a, "{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: %dm}}}", (int)table[k].value);
		metric = (struct val *)(uintptr_t)yaml_parse(x.a, "metric", text, strlen(text), NULL, &none);
		p = resource_proposal(x.c, metric, (const struct workload *)cluster_find(x.c, &deployment_kind, "default", "d"), (struct tolerances){ 0.1, 0.1 }, x.a);
		got = p.error ? p.error : p.utilization < 0 ? arena_printf(x.a, "%d - %d", p.replicas, (int)p.average) :
							     arena_printf(x.a, "%d %d%% %d", p.replicas, (int)p.utilization, (int)p.average);
		if (!streq(got, table[k].want))
			fprintf(stderr, "\n%s\n", table[k].name);
		SAME_TEXT(got, table[k].want);
		cell_free(&x);
	}
}

static const char *told(struct arena *a, const struct proposal *p)
{
	return p->error ? p->error : arena_printf(a, "%d replicas, %d%%, %d", p->replicas, (int)p->utilization, (int)p->average);
}

static void check_row(const struct val *row)
{
	struct cell x = cell_new(1);
	const struct val *want = val_get(row, "want");
	struct proposal p;
	const char *text;

	x.lax = true;
	*cluster_flags(x.c) = (struct settings_flags){ .no_defaults = true, .respect = true };
	VAL_EACH(o, val_get(row, "objects"))
		CASE_ASSERT(row, cell_doc(&x, o) != APPLY_ERROR);
	cell_apply(&x, arena_printf(x.a, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: %d, selector: {matchLabels: {a: b}}, "
						 "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}", (int)val_int_or(val_get(row, "current"), -1)));
	p = resource_proposal(x.c, val_get(row, "metric"), (const struct workload *)cluster_find(x.c, &deployment_kind, "default", "d"), (struct tolerances){ 0.1, 0.1 }, x.a);
	text = val_str_at(want, "error");
	if (text) {
		CASE_ASSERT(row, p.error && strstr(p.error, text));
		if (!p.error || !strstr(p.error, text))
			fprintf(stderr, "  %s\n  not %s\n", told(x.a, &p), text);
	} else {
		text = arena_printf(x.a, "%d replicas, %d%%, %d", (int)val_int_or(val_get(want, "replicas"), -1), (int)val_int_or(val_get(want, "utilization"), -1), (int)val_int_or(val_get(want, "average"), -1));
		CASE_ASSERT(row, strcmp(told(x.a, &p), text) == 0);
		if (strcmp(told(x.a, &p), text) != 0)
			fprintf(stderr, "  %s\n  not %s\n", told(x.a, &p), text);
	}
	cell_free(&x);
}

/* Every row of replica_calculator_test.go that is of a resource, but for those of Pods that start (their times are those of the machine), of other tolerances, and of metrics that know none of the Pods: units/19. */
TEST(replicas_follow_usage_as_each_row_says)
{
	unit_each("19-autoscaler", 32, check_row);
}

/* horizontal_test.go TestScaleUpBehavior…, TestScaleDownBehavior…, TestNormalizeDesiredReplicas…: one step, or several at their seconds. steps: SECOND:DESIRED… */
TEST(the_pace_of_scaling_is_upstreams)
{
#define UP(select, ...)   "{scaleUp: {stabilizationWindowSeconds: 0, selectPolicy: " select ", policies: [" __VA_ARGS__ "]}, scaleDown: {selectPolicy: Max, policies: [" PERCENT("100") "]}}"
#define DOWN(window, select, ...) "{scaleDown: {stabilizationWindowSeconds: " window ", selectPolicy: " select ", policies: [" __VA_ARGS__ "]}, scaleUp: {stabilizationWindowSeconds: 0, selectPolicy: Max, policies: [" PERCENT("100") "]}}"
#define PODS(n)    "{type: Pods, value: " n ", periodSeconds: 60}"
#define PERCENT(n) "{type: Percent, value: " n ", periodSeconds: 60}"
	static const struct { const char *behavior; int32_t least, most, current; const char *steps, *want; } rows[] = {
		{ NULL, 1, 1000, 3, "0:100", "6 ScaleUpLimit" },
		{ NULL, 1, 1000, 1, "0:100", "4 ScaleUpLimit" },
		{ NULL, 1, 5, 3, "0:100", "5 TooManyReplicas" },
		{ NULL, 2, 10, 3, "0:1", "3 DesiredWithinRange" },
		{ NULL, 2, 10, 3, "0:1 301:1", "2 TooFewReplicas" },
		{ NULL, 1, 10, 8, "0:6 200:4 301:3 560:3", "3 DesiredWithinRange" },
		{ UP("Max", PERCENT("200")), 1, 1000, 10, "0:500", "30 ScaleUpLimit" },
		{ UP("Max", PODS("100")), 1, 1000, 10, "0:500", "110 ScaleUpLimit" },
		{ UP("Max", PODS("100") ", " PERCENT("100")), 1, 1000, 110, "0:500", "220 ScaleUpLimit" },
		{ UP("Min", PODS("100") ", " PERCENT("100")), 1, 1000, 110, "0:500", "210 ScaleUpLimit" },
		{ UP("Disabled", PODS("100")), 1, 1000, 10, "0:500", "10 ScaleUpLimit" },
		{ UP("Max", PODS("5")), 1, 1000, 3, "0:100 15:100 30:100", "8 ScaleUpLimit" },
		{ UP("Max", PODS("5")), 1, 1000, 3, "0:100 61:100 122:100", "18 ScaleUpLimit" },
		{ UP("Max", PODS("100")), 1, 40, 10, "0:500", "40 TooManyReplicas" },
		{ DOWN("0", "Max", PERCENT("20")), 1, 1000, 10, "0:5", "8 ScaleDownLimit" },
		{ DOWN("0", "Max", PODS("1")), 1, 1000, 10, "0:5", "9 ScaleDownLimit" },
		{ DOWN("0", "Max", PODS("4") ", " PERCENT("50")), 1, 1000, 100, "0:10", "50 ScaleDownLimit" },
		{ DOWN("0", "Min", PODS("4") ", " PERCENT("50")), 1, 1000, 100, "0:10", "96 ScaleDownLimit" },
		{ DOWN("0", "Disabled", PODS("4")), 1, 1000, 100, "0:10", "100 ScaleDownLimit" },
		{ DOWN("0", "Max", PERCENT("100")), 4, 1000, 10, "0:2", "4 TooFewReplicas" },
		{ DOWN("0", "Max", PODS("2")), 1, 1000, 10, "0:1 30:1 61:1", "6 ScaleDownLimit" },
		{ DOWN("120", "Max", PERCENT("100")), 1, 1000, 10, "0:5 60:5 119:3", "10 DesiredWithinRange" },
		{ DOWN("120", "Max", PERCENT("100")), 1, 1000, 10, "0:5 60:5 121:3", "5 DesiredWithinRange" },
		{ UP("Max", PODS("2147483647")), 1, 1000, 10, "0:500", "500 DesiredWithinRange" },
		{ UP("Max", PERCENT("2147483647")), 1, 5000, 1000, "0:2000", "2000 DesiredWithinRange" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct arena *a = arena_new(NULL, "test");
		struct err none = { 0 };
		struct hpa_memory m = { 0 };
		struct pace p = { .least = rows[k].least, .most = rows[k].most, .current = rows[k].current,
				  .behavior = rows[k].behavior ? yaml_parse(a, "behavior", rows[k].behavior, strlen(rows[k].behavior), NULL, &none) : NULL };
		struct paced out = { 0 };

		for (const char *s = rows[k].steps; *s; s += strcspn(s, " "), s += *s == ' ') {
			int second, desired;

			CU_ASSERT_EQUAL_FATAL(sscanf(s, "%d:%d", &second, &desired), 2);
			p.now = SECONDS(1000) + SECONDS(second);
			out = pace_replicas(&m, a, &p, desired);
			if (out.replicas != p.current)
				pace_done(&m, a, &p, out.replicas);
			p.current = out.replicas;
		}
		if (!streq(arena_printf(a, "%d %s", out.replicas, out.limit), rows[k].want))
			fprintf(stderr, "\nrow %zu\n", k);
		SAME_TEXT(arena_printf(a, "%d %s", out.replicas, out.limit), rows[k].want);
		arena_free(a);
	}
}

/* TestStoreScaleEvents: what is older than every period gives its place to the next. */
TEST(changes_that_no_period_reaches_are_forgotten)
{
	struct arena *a = arena_new(NULL, "test");
	struct err none = { 0 };
	const char *text = "{scaleUp: {policies: [{type: Pods, value: 4, periodSeconds: 60}, {type: Percent, value: 100, periodSeconds: 120}]}}";
	struct pace p = { .least = 1, .most = 1000, .current = 10, .behavior = yaml_parse(a, "behavior", text, strlen(text), NULL, &none) };
	struct hpa_memory m = { 0 };

	for (int k = 0; k < 100; k++) {
		p.now = SECONDS(1000) + SECONDS(50 * k);
		pace_done(&m, a, &p, p.current + 1 + k);
	}
	CU_ASSERT_EQUAL(m.up.nr, 3);            /* 0, 50 and 100 seconds old: that of 150 has given its place */
	CU_ASSERT_EQUAL(m.down.nr, 0);
	for (uint32_t k = 0; k < m.up.nr; k++)
		CU_ASSERT(m.up.v[k].change > 97);
	arena_free(a);
}

#define WEB "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i, " \
	    "resources: {requests: {cpu: 500m}}}]}}}}\n---\n"
#define SCALER "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, minReplicas: 2, maxReplicas: 10, " \
	       "metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}}\n---\n"
#define LOAD(cpu) "{apiVersion: metrics.k8s.io/v1beta1, kind: PodMetrics, metadata: {name: load, labels: {a: b}, annotations: {podwire.io/total: 'true'}}, containers: [{name: c, usage: {cpu: '" cpu "'}}]}\n---\n"

static const char *of_status(struct cell *x, const char *path)
{
	const struct val *v = val_path(cluster_find(x->c, &hpa_kind, "default", "h")->doc, path);

	return v && v->type == VAL_INT ? arena_printf(x->a, "%d", (int)val_int_or(v, -1)) : val_str(v);
}

/* A load that the Pods share: up at once, by twice as many at most; down when five minutes have not asked for more. */
TEST(a_load_is_followed_up_and_down)
{
	struct cell x = cell_new(1);
	const struct workload *w;

	cell_apply(&x, NODE("n1", "", ROOM("64", "")) WEB SCALER LOAD("500m"));
	control_advance(x.t, MINUTES(8));
	w = (const struct workload *)cluster_find(x.c, &deployment_kind, "default", "d");
	CU_ASSERT_EQUAL(w->replicas, 2);
	SAME_TEXT(of_status(&x, "status.currentMetrics.0.resource.current.averageUtilization"), "50");
	cell_apply(&x, LOAD("2"));
	control_advance(x.t, SECONDS(16));
	CU_ASSERT_EQUAL(w->replicas, 4);
	SAME_TEXT(cell_event(&x, "SuccessfulRescale"), "New size: 4; reason: cpu resource utilization (percentage of request) above target");
	control_advance(x.t, MINUTES(7));
	CU_ASSERT_EQUAL(w->replicas, 8);
	cell_apply(&x, LOAD("9E"));             /* more than can be counted is much */
	control_advance(x.t, SECONDS(16));
	CU_ASSERT_EQUAL(w->replicas, 10);
	cell_apply(&x, LOAD("100m"));
	control_advance(x.t, MINUTES(4));
	CU_ASSERT_EQUAL(w->replicas, 10);
	control_advance(x.t, MINUTES(3));
	CU_ASSERT_EQUAL(w->replicas, 2);
	CU_ASSERT_EQUAL(w->st_ready, 2);
	cell_free(&x);
}
