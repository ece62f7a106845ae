/* Source: kubernetes plugin/pkg/admission/priority/admission.go. */
#include "model/cluster/priority.h"

#include "model/api/kept.h"
#include "model/cluster/settings.h"

static bool names_class(const struct pod_spec *s)
{
	return s->priority_class && *s->priority_class;
}

static int64_t value_of(const struct object *class)
{
	return val_int_or(val_get(class->doc, "value"), 0);
}

/* The class of a Pod, or the one that is every Pod's: of several the lowest (getDefaultPriorityClass). */
static const struct object *class_of(struct cluster *c, const struct pod_spec *s)
{
	const struct object *lowest = NULL;
	struct object_list l;

	if (!cluster_count(c, &priority_class_kind))
		return NULL;
	if (names_class(s))
		return cluster_find(c, &priority_class_kind, NULL, s->priority_class);
	l = cluster_list(c, &priority_class_kind);
	for (uint32_t k = 0; k < l.nr; k++)
		if (val_bool_or(val_get(l.v[k]->doc, "globalDefault"), false) && (!lowest || value_of(l.v[k]) < value_of(lowest)))
			lowest = l.v[k];
	return lowest;
}

/* The classes that every cluster has. */
static const int32_t *system_value(str name)
{
	static const struct { const char *name; int32_t value; } own[] = { { "system-cluster-critical", 2000000000 }, { "system-node-critical", 2000001000 } };

	for (size_t k = 0; k < ARRAY_LEN(own); k++)
		if (streq(name, own[k].name))
			return &own[k].value;
	return NULL;
}

/* The plugin computes both, and a Pod that has others itself is refused (admitPod): of a Pod that names no class, too, whose number is the default class's or 0. */
static const char *other_refuses(struct cluster *c, const struct pod_spec *s, struct arena *a)
{
	const int32_t *system = system_value(s->priority_class);
	const struct object *class = system ? NULL : class_of(c, s);
	int32_t value = system ? *system : class ? (int32_t)value_of(class) : 0;
	const char *policy = class ? val_str_at(class->doc, "preemptionPolicy") : NULL;

	policy = policy && *policy ? policy : "PreemptLowerPriority";
	if (s->priority.set && s->priority.v != value)
		return arena_printf(a, "the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name",
				    s->priority.v, value);
	if (s->preemption && *s->preemption && !streq(s->preemption, policy))
		return arena_printf(a, "the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name",
				    s->preemption, policy);
	return NULL;
}

const char *priority_refuses(struct cluster *c, const struct pod_spec *s, struct arena *a)
{
	if (cluster_flags(c)->no_defaults && !cluster_count(c, &priority_class_kind))        /* an import that tells of no class: not known */
		return NULL;
	if (!names_class(s) || system_value(s->priority_class) || class_of(c, s))
		return other_refuses(c, s, a);
	return arena_printf(a, "no PriorityClass with name %s was found", s->priority_class);
}

int32_t pod_priority(struct cluster *c, const struct pod_spec *s)
{
	const int32_t *system = system_value(s->priority_class);
	const struct object *class;

	if (s->priority.set || system)
		return s->priority.set ? s->priority.v : *system;
	class = class_of(c, s);
	return class ? (int32_t)value_of(class) : 0;
}

bool pod_never_preempts(struct cluster *c, const struct pod_spec *s)
{
	const struct object *class = s->preemption ? NULL : class_of(c, s);

	return streq(s->preemption ? s->preemption : class ? val_str_at(class->doc, "preemptionPolicy") : NULL, "Never");
}
