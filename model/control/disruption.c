#include "model/control/disruption.h"

#include <stdlib.h>

#include "model/api/kept.h"

static bool selector_of(struct cluster *c, const struct object *pdb, struct arena *a, struct selector *out)
{
	const struct val *v = val_path(pdb->doc, "spec.selector");
	struct err none = { 0 };
	struct decode d = { .strings = cluster_strings(c), .arena = a, .unknown = VALIDATE_IGNORE, .err = &none };

	*out = (struct selector){ 0 };
	if (v)
		fields_decode(&d, selector_fields, v, "", out);
	err_free(&none);
	return v != NULL;
}

/* GetScaledValueFromIntOrPercent, rounding up. */
static int32_t scaled(const struct val *v, int32_t of)
{
	const char *text = val_str(v);

	if (!text)
		return (int32_t)val_int_or(v, 0);
	return (int32_t)((strtol(text, NULL, 10) * of + 99) / 100);
}

/* The scale of the Pods' controllers, each counted once; Pods that nobody controls count for nothing (and upstream complains). */
static int32_t scale_of(struct cluster *c, const struct object_list *pods, struct arena *a)
{
	struct map seen = { 0 };
	int32_t sum = 0;

	for (uint32_t k = 0; k < pods->nr; k++) {
		const struct object *o = pods->v[k];
		const struct workload *w = NULL;

		for (uint32_t i = 0; i < o->owners.nr && !w; i++) {
			const struct owner_ref *r = &o->owners.v[i];
			static const struct kind *const scaled_kinds[] = { &replicaset_kind, &statefulset_kind, &replication_controller_kind };

			for (size_t s = 0; r->controller && s < ARRAY_LEN(scaled_kinds); s++)
				if (streq(r->kind, scaled_kinds[s]->name))
					w = (const struct workload *)cluster_find(c, scaled_kinds[s], o->ns, r->name);
		}
		if (w && w->o.kind == &replicaset_kind && owner_uid(&w->o)) {            /* getPodDeployment: the Deployment's scale counts */
			for (uint32_t i = 0; i < w->o.owners.nr; i++)
				if (w->o.owners.v[i].controller && streq(w->o.owners.v[i].kind, "Deployment")) {
					const struct object *deploy = cluster_find(c, &deployment_kind, o->ns, w->o.owners.v[i].name);

					w = deploy ? (const struct workload *)deploy : w;
				}
		}
		if (!w || *map_put(&seen, a, w->o.id.i))
			continue;
		*map_put(&seen, a, w->o.id.i) = 1;
		sum += w->replicas;
	}
	return sum;
}

bool budget_covers(struct cluster *c, const struct object *pdb, const struct pod *p, struct arena *a)
{
	struct selector s;

	return streq(pdb->ns, p->o.ns) && selector_of(c, pdb, a, &s) && (s.labels.nr || s.exprs.nr) && selector_matches(&s, &p->o.labels);
}

struct budget budget_of(struct cluster *c, const struct object *pdb, struct arena *a)
{
	const struct val *min = val_path(pdb->doc, "spec.minAvailable"), *max = val_path(pdb->doc, "spec.maxUnavailable");
	struct budget b = { 0 };
	struct selector s;
	struct object_list pods = { 0 };

	if (selector_of(c, pdb, a, &s))                 /* {} is every Pod of the namespace, absent none (policy/v1) */
		pods = pods_matching(c, pdb->ns, &s, a);
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		b.healthy += p->o.deleted == NEVER && pod_is_ready(p);
	}
	if (max) {
		b.expected = scale_of(c, &pods, a);
		b.desired = MAX(b.expected - scaled(max, b.expected), 0);
	} else if (val_str(min)) {
		b.expected = scale_of(c, &pods, a);
		b.desired = scaled(min, b.expected);
	} else {
		b.expected = (int32_t)pods.nr;
		b.desired = (int32_t)val_int_or(min, 0);
	}
	b.allowed = b.expected > 0 ? MAX(b.healthy - b.desired, 0) : 0;
	return b;
}

bool eviction_allowed(struct cluster *c, const struct pod *p, struct arena *a, const struct object **blocks, bool *many)
{
	struct object_list l = cluster_list_ns(c, &pdb_kind, p->o.ns);
	const struct object *found = NULL;
	struct budget b;

	*blocks = NULL;
	*many = false;
	if (pod_is_terminal(p) || p->o.deleted != NEVER || p->phase == POD_PENDING || !p->phase)
		return true;
	for (uint32_t k = 0; k < l.nr; k++) {
		struct selector s;

		if (!selector_of(c, l.v[k], a, &s) || !selector_matches(&s, &p->o.labels))
			continue;
		if (found) {
			*blocks = found;
			*many = true;
			return false;
		}
		found = l.v[k];
	}
	if (!found)
		return true;
	b = budget_of(c, found, a);
	if (!pod_is_ready(p) && (streq(val_str_at(found->doc, "spec.unhealthyPodEvictionPolicy"), "AlwaysAllow") || (b.healthy >= b.desired && b.desired > 0)))
		return true;
	if (b.allowed > 0)
		return true;
	*blocks = found;
	return false;
}
