/* HorizontalPodAutoscalers where nothing measures: the bounds hold, and the rest is said as without metrics-server. Who imports a cluster keeps what its controller said.
 * Source: pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler, computeReplicasForMetrics; replica_calculator.go; metrics/client.go. */
#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "model/control/common.h"
#include "model/control/workloads.h"

struct scaling { struct control *t; struct cluster *c; struct object *o; struct arena *a; struct val *status; bool changed; nsec now; };

/* Each is looked at in periods from its beginning, whoever is opened anew meanwhile. */
static void come_back(struct control *t, struct object *o)
{
	control_timer(t, CTL_AUTOSCALER, o, o->created + ((control_now(t) - o->created) / timing(T_HPA_SYNC) + 1) * timing(T_HPA_SYNC));
}

static void watch(struct control *t, const struct change *ch)
{
	if (ch->kind == CHANGE_ADD)
		come_back(t, ch->object);
}

/* ---- the status, which is kept in the document */

static void put(struct scaling *x, const char *key, const struct val *v)
{
	const struct val *have = val_get(x->status, key);

	if (have && val_equal(have, v))
		return;
	val_put(x->a, x->status, key, val_copy(x->a, v));
	x->changed = true;
}

static void condition(struct scaling *x, const char *type, bool yes, const char *reason, const char *message)
{
	const char *status = yes ? "True" : "False";
	struct val *list = val_get_or_put(x->a, x->status, "conditions", VAL_LIST), *v = NULL;
	char time[32];

	VAL_EACH_MUT(k, list)
		if (streq(val_str_at(k, "type"), type))
			v = k;
	if (v && streq(val_str_at(v, "status"), status) && streq(val_str_at(v, "reason"), reason) && streq(val_str_at(v, "message"), message))
		return;
	if (!v) {
		v = val_add(x->a, list, val_new(x->a, VAL_MAP));
		val_put(x->a, v, "type", val_string(x->a, type));
	}
	if (!streq(val_str_at(v, "status"), status))
		val_put(x->a, v, "lastTransitionTime", val_string(x->a, time_text(x->now, time)));
	val_put(x->a, v, "status", val_string(x->a, status));
	val_put(x->a, v, "reason", val_string(x->a, reason));
	val_put(x->a, v, "message", val_string(x->a, message));
	x->changed = true;
}

/* ---- the target */

static struct workload *target_of(struct scaling *x, const char **missing)
{
	const struct val *ref = val_path(x->o->doc, "spec.scaleTargetRef");
	const char *api = val_str_at(ref, "apiVersion"), *name = val_str_at(ref, "name"), *of = val_str_at(ref, "kind");
	const struct kind *kind = of && api ? kind_find(api, of) : NULL;
	struct object *o;

	*missing = NULL;
	if (!kind || !kind_scales(kind)) {
		*missing = arena_printf(x->a, "no matches for kind \"%s\" in group \"%s\"", of ? of : "", api && strchr(api, '/') ? arena_strndup(x->a, api, strcspn(api, "/")) : "");
		return NULL;
	}
	o = name ? cluster_find(x->c, kind, x->o->ns, name) : NULL;
	if (!o)
		*missing = arena_printf(x->a, "%s%s%s \"%s\" not found", kind->plural, strchr(api, '/') ? "." : "", strchr(api, '/') ? arena_strndup(x->a, api, strcspn(api, "/")) : "", name ? name : "");
	return (struct workload *)o;
}

static void scale_to(struct scaling *x, struct workload *w, int32_t replicas)
{
	struct val *doc = object_edit(x->c, &w->o), *spec = val_get_mut(doc, "spec");

	w->replicas = replicas;
	if (spec)
		val_put(cluster_arena(x->c), spec, "replicas", val_int(cluster_arena(x->c), replicas));
	w->o.generation++;
	cluster_touch(x->c, &w->o);
}

/* ---- metrics that nobody has: in the words of each client */

static const char *no_metric(struct scaling *x, const struct val *m, const char **reason, const char **outer)
{
	const char *type = m ? val_str_at(m, "type") : "Resource", *name;

	if (streq(type, "Resource") || streq(type, "ContainerResource")) {
		const struct val *of = val_get(m, streq(type, "Resource") ? "resource" : "containerResource");
		bool share = !m || val_path(of, "target.averageUtilization");

		name = m ? val_str_at(of, "name") : "cpu";
		*reason = streq(type, "Resource") ? "FailedGetResourceMetric" : "FailedGetContainerResourceMetric";
		*outer = arena_printf(x->a, "failed to get %s %s metric value: ", name, streq(type, "Resource") ? "resource" : "container");
		return arena_printf(x->a, "failed to get %s %s: unable to get metrics for resource %s: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
				    name, share ? "utilization" : "usage", name);
	}
	if (streq(type, "External")) {
		name = val_str_at(m, "external.metric.name");
		*reason = "FailedGetExternalMetric";
		*outer = arena_printf(x->a, "failed to get %s external metric value: ", name);
		return arena_printf(x->a, "failed to get %s external metric: unable to get external metric %s/%s/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get %s.external.metrics.k8s.io)",
				    name, x->o->ns, name, name);
	}
	name = val_str_at(m, streq(type, "Pods") ? "pods.metric.name" : "object.metric.name");
	*reason = streq(type, "Pods") ? "FailedGetPodsMetric" : "FailedGetObjectMetric";
	*outer = arena_printf(x->a, "failed to get %s %s metric value: ", name, streq(type, "Pods") ? "pods" : "object");
	return arena_printf(x->a, "unable to get metric %s: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered", name);
}

static void without_metrics(struct scaling *x)
{
	const struct val *metrics = val_path(x->o->doc, "spec.metrics"), *m = metrics ? metrics->first : NULL;
	uint32_t nr = metrics && metrics->nr ? metrics->nr : 1;
	const char *first = NULL, *first_reason = NULL, *first_outer = NULL;

	for (uint32_t k = 0; k < nr; k++, m = m ? m->next : NULL) {
		const char *reason, *outer, *why = no_metric(x, m, &reason, &outer);

		cluster_event(x->c, x->o, true, "horizontal-pod-autoscaler", reason, "%s", why);
		if (!first) {
			first = why;
			first_reason = reason;
			first_outer = outer;
		}
	}
	cluster_event(x->c, x->o, true, "horizontal-pod-autoscaler", "FailedComputeMetricsReplicas", "invalid metrics (%u invalid out of %u), first error is: %s%s", nr, nr, first_outer, first);
	condition(x, "ScalingActive", false, first_reason, arena_printf(x->a, "the HPA was unable to compute the replica count: %s", first));
}

/* Somebody may measure in this cluster; what, podwire cannot know. */
static bool measured(struct cluster *c)
{
	struct object_list l = cluster_list(c, &api_service_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (strstr(l.v[k]->name, "metrics.k8s.io"))
			return true;
	return false;
}

/* ---- one look */

static void reconcile(struct scaling *x)
{
	int32_t least = (int32_t)val_int_or(val_path(x->o->doc, "spec.minReplicas"), 1), most = (int32_t)val_int_or(val_path(x->o->doc, "spec.maxReplicas"), INT32_MAX), desired;
	const char *missing, *reason;
	struct workload *w = target_of(x, &missing);
	char time[32];

	if (!w) {
		cluster_event(x->c, x->o, true, "horizontal-pod-autoscaler", "FailedGetScale", "%s", missing);
		condition(x, "AbleToScale", false, "FailedGetScale", arena_printf(x->a, "the HPA controller was unable to get the target's current scale: %s", missing));
		return;
	}
	put(x, "currentReplicas", val_int(x->a, w->st_replicas));
	if (!w->replicas && least) {
		condition(x, "AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
		condition(x, "ScalingActive", false, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero");
		put(x, "desiredReplicas", val_int(x->a, 0));
		return;
	}
	desired = w->replicas > most ? most : MAX(w->replicas, least);
	if (desired == w->replicas) {
		condition(x, "AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
		if (!measured(x->c))
			without_metrics(x);
		return;
	}
	reason = desired < w->replicas ? "Current number of replicas above Spec.MaxReplicas" : "Current number of replicas below Spec.MinReplicas";
	scale_to(x, w, desired);
	condition(x, "AbleToScale", true, "SucceededRescale", arena_printf(x->a, "the HPA controller was able to update the target scale to %d", desired));
	cluster_event(x->c, x->o, false, "horizontal-pod-autoscaler", "SuccessfulRescale", "New size: %d; reason: %s", desired, reason);
	put(x, "desiredReplicas", val_int(x->a, desired));
	put(x, "lastScaleTime", val_string(x->a, time_text(x->now, time)));
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct scaling x = { .t = t, .c = control_cluster(t), .o = o, .a = cluster_arena(control_cluster(t)), .now = now };
	const struct val *have = val_get(o->doc, "status");

	if (o->gone || o->deleted != NEVER || !o->doc || cluster_flags(x.c)->no_defaults)
		return;
	x.a = arena_new(NULL, "autoscaler");
	x.status = have ? val_copy(x.a, have) : val_new(x.a, VAL_MAP);
	reconcile(&x);
	if (x.changed) {
		struct arena *a = cluster_arena(x.c);

		val_put(a, object_edit(x.c, o), "status", val_copy(a, x.status));
		cluster_touch(x.c, o);
	}
	arena_free(x.a);
	come_back(t, o);
}

static const struct kind *const kinds_heard[] = { &hpa_kind, NULL };
const struct controller autoscaler_controller = { .name = "autoscaler", .kinds = kinds_heard, .watch = watch, .run = run };
