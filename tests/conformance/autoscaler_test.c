/* HorizontalPodAutoscalers in a cluster where nothing measures: pkg/controller/podautoscaler/horizontal_test.go TestMinReplicas…, TestMaxReplicas…, TestZeroReplicas, TestMissingMetrics, TestScaleDownRCImmediately. */
#include "tests/conformance/placing.h"
#include "tests/unit/cell.h"

#define DEPLOY(replicas) "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {replicas: " replicas ", selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}\n---\n"
#define HPA(name, spec)  "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: " name "}, " spec "}}\n---\n"

static const char *condition(struct cell *x, const char *type, const char *member)
{
	VAL_EACH(c, val_path(cluster_find(x->c, kind_find("autoscaling/v2", "HorizontalPodAutoscaler"), "default", "h")->doc, "status.conditions"))
		if (streq(val_str_at(c, "type"), type))
			return val_str_at(c, member);
	return "";
}

static int32_t replicas(struct cell *x)
{
	return ((const struct workload *)cluster_find(x->c, &deployment_kind, "default", "d"))->replicas;
}

TEST(bounds_of_an_autoscaler_hold_without_metrics)
{
	static const struct { const char *yaml; int32_t after; const char *event; } rows[] = {
		{ DEPLOY("1") HPA("d", "minReplicas: 3, maxReplicas: 5"), 3, "New size: 3; reason: Current number of replicas below Spec.MinReplicas" },
		{ DEPLOY("9") HPA("d", "minReplicas: 3, maxReplicas: 5"), 5, "New size: 5; reason: Current number of replicas above Spec.MaxReplicas" },
		{ DEPLOY("4") HPA("d", "minReplicas: 3, maxReplicas: 5"), 4, "(none)" },
		{ DEPLOY("0") HPA("d", "minReplicas: 3, maxReplicas: 5"), 0, "(none)" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		int32_t before;

		cell_apply(&x, NODE("n1", "", ROOM("8", "")));
		cell_apply(&x, rows[k].yaml);
		control_advance(x.t, SECONDS(14));      /* it is looked at for the first time after a period */
		before = replicas(&x);
		control_advance(x.t, SECONDS(2));
		CU_ASSERT_EQUAL(replicas(&x), rows[k].after);
		CU_ASSERT(before == replicas(&x) || cell_events(&x, "SuccessfulRescale") == 1);
		SAME_TEXT(cell_event(&x, "SuccessfulRescale"), rows[k].event);
		cell_free(&x);
	}
}

TEST(an_autoscaler_says_that_nothing_measures)
{
	struct cell x = cell_new(1);

	cell_apply(&x, NODE("n1", "", ROOM("8", "")) DEPLOY("2") HPA("d", "maxReplicas: 5"));
	control_advance(x.t, SECONDS(16));
	SAME_TEXT(condition(&x, "AbleToScale", "reason"), "SucceededGetScale");
	SAME_TEXT(condition(&x, "ScalingActive", "status"), "False");
	SAME_TEXT(condition(&x, "ScalingActive", "reason"), "FailedGetResourceMetric");
	SAME_TEXT(cell_event(&x, "FailedGetResourceMetric"), "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: "
							     "the server could not find the requested resource (get pods.metrics.k8s.io)");
	cell_free(&x);
	x = cell_new(1);
	cell_apply(&x, DEPLOY("0") HPA("d", "maxReplicas: 5"));
	control_advance(x.t, SECONDS(16));
	SAME_TEXT(condition(&x, "ScalingActive", "reason"), "ScalingDisabled");
	cell_free(&x);
	x = cell_new(1);
	cell_apply(&x, HPA("e", "maxReplicas: 5"));
	control_advance(x.t, SECONDS(16));
	SAME_TEXT(condition(&x, "AbleToScale", "message"), "the HPA controller was unable to get the target's current scale: deployments.apps \"e\" not found");
	cell_free(&x);
}

/* Somebody who measures is there: what he measures is not known, and nothing is made up. */
TEST(an_autoscaler_with_metrics_is_left_alone)
{
	struct cell x = cell_new(1);

	cell_apply(&x, DEPLOY("2") HPA("d", "maxReplicas: 5") "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.metrics.k8s.io}, spec: {group: metrics.k8s.io, version: v1beta1, "
				    "groupPriorityMinimum: 100, versionPriority: 100, service: {name: metrics-server, namespace: kube-system}}}");
	control_advance(x.t, SECONDS(40));
	SAME_TEXT(condition(&x, "ScalingActive", "reason"), "");
	CU_ASSERT_EQUAL(replicas(&x), 2);
	cell_free(&x);
}

/* What controllers have written is no change of a manifest that is applied again (apply.go; the last-applied annotation). */
TEST(applied_again_nothing_is_changed)
{
	struct cell x = cell_new(1);
	struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = true };
	nsec changed;

	cell_apply(&x, NODE("n1", "", ROOM("8", "")) DEPLOY("2") HPA("d", "maxReplicas: 5"));
	control_advance(x.t, SECONDS(20));
	changed = condition_get(&((const struct workload *)cluster_find(x.c, &deployment_kind, "default", "d"))->conditions, "Available")->changed;
	VAL_EACH(v, val_get(val_copy(x.a, yaml_parse(x.a, "again", "items:\n- " DEPLOY("2"), strlen("items:\n- " DEPLOY("2")) - 5, NULL, &x.err)), "items"))
		CU_ASSERT_EQUAL(apply_doc(x.c, &(struct doc){ "test.yaml", (struct val *)(uintptr_t)v }, &opt, NULL, &x.err), APPLY_UNCHANGED);
	cell_apply(&x, DEPLOY("3"));
	CU_ASSERT_EQUAL(condition_get(&((const struct workload *)cluster_find(x.c, &deployment_kind, "default", "d"))->conditions, "Available")->changed, changed);
	CU_ASSERT(label_get(&cluster_find(x.c, &deployment_kind, "default", "d")->annotations, "deployment.kubernetes.io/revision") != NULL);
	cell_free(&x);
}
