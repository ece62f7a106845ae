/* Objects that choose others: why a HorizontalPodAutoscaler does not scale, a budget lets nobody go, a policy is nobody's. */
#include "model/api/kept.h"
#include "model/control/disruption.h"
#include "sim/diagnose/diagnose.h"

/* ---- HorizontalPodAutoscaler: by the conditions of its status, once its controller has looked */

static const struct val *condition_in(const struct object *o, const char *type)
{
	VAL_EACH(c, val_path(o->doc, "status.conditions"))
		if (streq(val_str_at(c, "type"), type))
			return c;
	return NULL;
}

static void target_missing(struct diagnosis *d, const struct object *o)
{
	const struct val *ref = val_path(o->doc, "spec.scaleTargetRef");
	const char *api = val_str_at(ref, "apiVersion"), *of = val_str_at(ref, "kind"), *name = val_str_at(ref, "name"), *names[256] = { NULL };
	const struct kind *kind = api && of ? kind_find(api, of) : NULL;
	struct object_list l = kind ? cluster_list_ns(d->world->cluster, kind, o->ns) : (struct object_list){ 0 };
	struct finding *f = finding(d, FINDING_CAUSE, "scale-target", "what it is to scale, %s \"%s\", is not in namespace %s", of ? of : "?", name ? name : "", o->ns);

	for (uint32_t k = 0; k < l.nr && k + 1 < ARRAY_LEN(names); k++)
		names[k] = l.v[k]->name;
	evidence(d, f, o, "spec.scaleTargetRef", NULL);
	if (!name || !nearest(name, names)) {
		remedy(d, f, "apply it, or correct the reference");
		return;
	}
	remedy(d, f, "perhaps \"%s\" was meant", nearest(name, names));
	fix_patch(d, f, o, "{spec: {scaleTargetRef: {name: %s}}}", nearest(name, names));
}

void why_autoscaler(struct diagnosis *d, const struct object *o)
{
	const struct val *ref = val_path(o->doc, "spec.scaleTargetRef"), *active = condition_in(o, "ScalingActive");
	const char *api = val_str_at(ref, "apiVersion"), *of = val_str_at(ref, "kind"), *name = val_str_at(ref, "name"), *reason = active ? val_str_at(active, "reason") : NULL;
	const struct kind *kind = api && of ? kind_find(api, of) : NULL;
	struct finding *f;

	if (!kind || !name || !cluster_find(d->world->cluster, kind, o->ns, name)) {
		target_missing(d, o);
	} else if (reason && streq(reason, "ScalingDisabled")) {
		f = finding(d, FINDING_CAUSE, "scaling-disabled", "its target is scaled to 0: that switches it off");
		evidence(d, f, cluster_find(d->world->cluster, kind, o->ns, name), "spec.replicas", "0");
		remedy(d, f, "podwire scale %s/%s --replicas 1", of, name);
	} else if (reason && streq(val_str_at(active, "status"), "False")) {
		f = finding(d, FINDING_CAUSE, "no-metrics", "nothing measures what it goes by, so only its bounds hold: %s", val_str_at(active, "message") ? val_str_at(active, "message") : reason);
		evidence_text(d, f, o, "status.conditions[ScalingActive]", "False: %s", reason);
		evidence(d, f, o, "spec.metrics", NULL);
		remedy(d, f, "install metrics-server (for Resource metrics; their Pods must have requests) or an adapter for custom and external ones");
	} else if (!val_path(o->doc, "status.conditions")) {
		finding(d, FINDING_NOTE, "not-yet", "its controller has not looked at it yet: it does every 15 s");
	}
	d->summary = diagnosis_ill(d) ? first_cause(d, 0) : reason && streq(reason, "ValidMetricFound") ? val_str_at(active, "message") : "its bounds hold; podwire knows no metrics";
}

/* ---- PodDisruptionBudget */

void why_budget(struct diagnosis *d, const struct object *o)
{
	struct arena *scratch = arena_new(NULL, "budget");
	struct budget b = budget_of(d->world->cluster, o, scratch);
	struct finding *f;

	if (!b.expected) {
		f = finding(d, FINDING_WARNING, "selects-nobody", "it selects no Pod of its namespace: it protects nobody");
		evidence(d, f, o, "spec.selector", NULL);
		remedy(d, f, "give it the labels of the Pods that it is for");
	} else if (!b.allowed) {
		bool never = b.desired >= b.expected;

		f = finding(d, FINDING_CAUSE, "no-disruptions", never ? "it lets nobody go, ever: of %d Pods %d must be there, so a drain waits for ever" : "it lets nobody go now: of %d Pods %d must be there, and %d are healthy",
			    b.expected, b.desired, b.healthy);
		evidence(d, f, o, val_path(o->doc, "spec.minAvailable") ? "spec.minAvailable" : "spec.maxUnavailable", NULL);
		remedy(d, f, never ? "more replicas, or a smaller minAvailable (maxUnavailable: 1 lets one go at a time)" : "mend the Pods that are not healthy");
	}
	d->summary = diagnosis_ill(d) ? first_cause(d, 0) : arena_printf(d->arena, "%d of %d Pods may go", b.allowed, b.expected);
	arena_free(scratch);
}

/* ---- NetworkPolicy */

void why_policy_object(struct diagnosis *d, const struct network_policy *p)
{
	struct object_list l = cluster_list_ns(d->world->cluster, &pod_kind, p->o.ns);
	uint32_t nr = 0;
	struct finding *f;

	for (uint32_t k = 0; k < l.nr; k++)
		nr += selector_matches(&p->pods, &l.v[k]->labels);
	if (!nr) {
		f = finding(d, FINDING_WARNING, "selects-nobody", "it selects no Pod of namespace %s: it isolates nobody", p->o.ns);
		evidence(d, f, &p->o, "spec.podSelector", NULL);
		remedy(d, f, "a policy selects in its own namespace, by the Pods' labels (podwire get pods -n %s --show-labels)", p->o.ns);
	}
	d->summary = nr ? arena_printf(d->arena, "it isolates %u Pod%s; podwire lint looks at policies more closely", nr, nr == 1 ? "" : "s") : "it isolates nobody";
}
