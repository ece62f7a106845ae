/* HorizontalPodAutoscalers. PodMetrics say what is measured; where there are none the bounds hold, and the rest is said as without metrics-server. Who imports a cluster keeps
 * what its controller said. Source: pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler, computeReplicasForMetrics; metrics/client.go. */
#include "model/control/autoscaler.h"

#include "model/api/fill.h"
#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "model/control/workloads.h"

struct scaling { struct control *t; struct cluster *c; struct object *o; struct arena *a; struct val *status; const struct val *spec; /* with its defaults */ bool changed; nsec now; };
struct memory { struct map of; };               /* autoscaler → struct hpa_memory */

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

static double tolerance(const struct scaling *x, const char *way)
{
	const struct val *set = val_get(val_path(x->spec, way), "tolerance");
	int64_t milli;

	return set && quantity_of(set, &milli) ? (double)milli / 1000 : 0.1;
}

/* setCurrentReplicasAndMetricsInStatus: what a metric shows now. */
static void show(struct scaling *x, struct val *list, const struct val *m, const struct proposal *p)
{
	const char *type = val_str_at(m, "type"), *key = streq(type, "Resource") ? "resource" : "containerResource", *resource = val_str_at(val_get(m, key), "name");
	struct val *one = val_add(x->a, list, val_new(x->a, VAL_MAP)), *of, *current;
	char text[32];

	val_put(x->a, one, "type", val_string(x->a, type));
	of = val_put_new(x->a, one, key, val_new(x->a, VAL_MAP));
	val_put(x->a, of, "name", val_string(x->a, resource));
	if (val_get(val_get(m, key), "container"))
		val_put(x->a, of, "container", val_copy(x->a, val_get(val_get(m, key), "container")));
	current = val_put_new(x->a, of, "current", val_new(x->a, VAL_MAP));
	if (p->utilization >= 0)
		val_put(x->a, current, "averageUtilization", val_int(x->a, p->utilization));
	val_put(x->a, current, "averageValue", val_string(x->a, quantity_text(p->average, streq(resource, "memory"), text)));
}

/* computeReplicasForMetrics: the highest of all that can be told; with one that cannot, none that would take Pods away. false: nothing can be told. */
static bool compute(struct scaling *x, const struct workload *w, int32_t *desired, const char **name)
{
	const struct val *metrics = val_get(x->spec, "metrics");
	struct tolerances tol = { tolerance(x, "behavior.scaleUp"), tolerance(x, "behavior.scaleDown") };
	struct val *current = val_new(x->a, VAL_LIST);
	const char *first = NULL, *first_reason = NULL, *first_outer = NULL;
	uint32_t invalid = 0;
	bool known = pods_are_measured(x->c, x->o->ns);

	*desired = -1;
	VAL_EACH(m, metrics) {
		bool of_pods = known && (val_get(m, "resource") || val_get(m, "containerResource"));
		const char *reason, *outer, *why = no_metric(x, m, &reason, &outer);
		struct proposal p = of_pods ? resource_proposal(x->c, m, w, tol, x->a) : (struct proposal){ .error = why };

		if (p.error) {
			cluster_event(x->c, x->o, true, "horizontal-pod-autoscaler", reason, "%s", p.error);
			if (!invalid++) {
				first = p.error;
				first_reason = reason;
				first_outer = outer;
			}
			val_put(x->a, val_add(x->a, current, val_new(x->a, VAL_MAP)), "type", val_string(x->a, ""));     /* the list runs parallel to the spec's */
			continue;
		}
		show(x, current, m, &p);
		if (p.replicas > *desired) {
			*desired = p.replicas;
			*name = p.name;
		}
	}
	if (invalid && (invalid >= metrics->nr || *desired < w->replicas)) {
		cluster_event(x->c, x->o, true, "horizontal-pod-autoscaler", "FailedComputeMetricsReplicas", "invalid metrics (%u invalid out of %u), first error is: %s%s", invalid, metrics->nr, first_outer,
			      first);
		condition(x, "ScalingActive", false, first_reason, arena_printf(x->a, "the HPA was unable to compute the replica count: %s", first));
		return false;
	}
	condition(x, "ScalingActive", true, "ValidMetricFound", arena_printf(x->a, "the HPA was able to successfully calculate a replica count from %s", *name));
	put(x, "currentMetrics", current);
	return true;
}

static struct hpa_memory *memory_of(const struct scaling *x)
{
	struct arena *a = cluster_arena(x->c);
	uint64_t *at = map_put(&((struct memory *)control_state(x->t, CTL_AUTOSCALER))->of, a, x->o->id.i);

	if (!*at)
		*at = map_ptr(arena_make(a, struct hpa_memory));
	return (struct hpa_memory *)(uintptr_t)*at;
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

static void rescale(struct scaling *x, struct workload *w, const struct pace *p, int32_t desired, const char *reason)
{
	char time[32];

	scale_to(x, w, desired);
	condition(x, "AbleToScale", true, "SucceededRescale", arena_printf(x->a, "the HPA controller was able to update the target scale to %d", desired));
	cluster_event(x->c, x->o, false, "horizontal-pod-autoscaler", "SuccessfulRescale", "New size: %d; reason: %s", desired, reason);
	pace_done(memory_of(x), cluster_arena(x->c), p, desired);
	put(x, "lastScaleTime", val_string(x->a, time_text(x->now, time)));
	put(x, "desiredReplicas", val_int(x->a, desired));
}

/* By what is measured. */
static void follow(struct scaling *x, struct workload *w, const struct pace *p)
{
	const char *name = NULL;
	struct paced paced;
	int32_t desired;

	if (!compute(x, w, &desired, &name))
		return;
	paced = pace_replicas(memory_of(x), cluster_arena(x->c), p, desired);
	condition(x, "AbleToScale", true, paced.able, paced.able_why);
	condition(x, "ScalingLimited", paced.limited, paced.limit, paced.limit_why);
	if (paced.replicas != w->replicas)
		rescale(x, w, p, paced.replicas, desired > w->replicas ? arena_printf(x->a, "%s above target", name) : desired < w->replicas ? "All metrics below target" : "");
	else
		put(x, "desiredReplicas", val_int(x->a, paced.replicas));
}

static void reconcile(struct scaling *x)
{
	struct pace pace = { .least = (int32_t)val_int_or(val_get(x->spec, "minReplicas"), 1), .most = (int32_t)val_int_or(val_get(x->spec, "maxReplicas"), INT32_MAX), .now = x->now,
			     .behavior = val_get(x->spec, "behavior") };
	int32_t least = pace.least, most = pace.most, desired;
	const char *missing;
	struct workload *w = target_of(x, &missing);

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
	pace.current = w->replicas;
	desired = w->replicas > most ? most : MAX(w->replicas, least);
	if (desired != w->replicas) {
		rescale(x, w, &pace, desired, desired < w->replicas ? "Current number of replicas above Spec.MaxReplicas" : "Current number of replicas below Spec.MinReplicas");
		return;
	}
	condition(x, "AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
	if (pods_are_measured(x->c, x->o->ns) || !measured(x->c))
		follow(x, w, &pace);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct scaling x = { .t = t, .c = control_cluster(t), .o = o, .a = cluster_arena(control_cluster(t)), .now = now };
	const struct val *have = val_get(o->doc, "status");
	struct val *doc;

	if (o->gone || o->deleted != NEVER || !o->doc || cluster_flags(x.c)->no_defaults)
		return;
	x.a = arena_new(NULL, "autoscaler");
	doc = val_copy(x.a, o->doc);
	hpa_fill(x.a, doc);
	x.spec = val_get(doc, "spec");
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

/* ---- what it remembers */

static void save_events(struct arena *a, struct val *out, const char *key, const scale_events *l)
{
	struct val *list = val_put_new(a, out, key, val_new(a, VAL_LIST));

	for (uint32_t k = 0; k < l->nr; k++) {
		struct val *one = val_add(a, list, val_new(a, VAL_LIST));

		val_add(a, one, val_int(a, l->v[k].change));
		val_add(a, one, val_int(a, l->v[k].at));
	}
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	struct cluster *c = control_cluster(t);
	struct object_list l = cluster_list(c, &hpa_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct hpa_memory *m = map_get_ptr(&((struct memory *)control_state(t, CTL_AUTOSCALER))->of, l.v[k]->id.i);
		struct val *one;

		if (!m)
			continue;
		one = val_put_new(a, out, l.v[k]->uid, val_new(a, VAL_MAP));
		save_events(a, one, "told", &m->told);
		save_events(a, one, "up", &m->up);
		save_events(a, one, "down", &m->down);
	}
}

static void load_events(struct arena *a, const struct val *list, scale_events *out)
{
	VAL_EACH(one, list)
		vec_add(a, out, ((struct scale_event){ (int32_t)val_int_or(val_at(one, 0), 0), val_int_or(val_at(one, 1), 0) }));
}

static void load(struct control *t, const struct val *v)
{
	VAL_EACH(one, v) {
		struct object *o = control_by_uid(t, cluster_str(control_cluster(t), one->key));
		struct arena *a = cluster_arena(control_cluster(t));
		struct hpa_memory *m;

		if (!o || o->kind != &hpa_kind)
			continue;
		m = memory_of(&(struct scaling){ .t = t, .c = control_cluster(t), .o = o });
		load_events(a, val_get(one, "told"), &m->told);
		load_events(a, val_get(one, "up"), &m->up);
		load_events(a, val_get(one, "down"), &m->down);
	}
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct memory);
}

static const struct kind *const kinds_heard[] = { &hpa_kind, NULL };
const struct controller autoscaler_controller = { .name = "autoscaler", .kinds = kinds_heard, .init = init, .watch = watch, .run = run, .save = save, .load = load };
