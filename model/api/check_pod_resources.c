/* Resources of a whole Pod, and what its containers may ask for beside them: validatePodResources, validatePodResourceConsistency. */
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

/* What a container has of it; a request that is not there is the limit (SetDefaults_Pod). */
static int64_t of_container(const struct val *container, const char *list, const char *name)
{
	const struct val *v = val_get(val_path(container, list), name);
	int64_t milli;

	if (!v && strcmp(list, "resources.requests") == 0)
		v = val_get(val_path(container, "resources.limits"), name);
	return v && quantity_of(v, &milli) ? milli : 0;
}

/* component-helpers resource AggregateContainerRequests, AggregateContainerLimits: all containers that run together; sidecars run beside every init container after them. */
static int64_t together(const struct val *spec, const char *list, const char *name)
{
	int64_t sum = 0, sidecars = 0, most = 0;

	VAL_EACH(v, val_get(spec, "containers"))
		sum += of_container(v, list, name);
	VAL_EACH(v, val_get(spec, "initContainers")) {
		int64_t own = of_container(v, list, name);

		if (strcmp(text_of(v, "restartPolicy"), "Always") == 0)
			own = sidecars += own;
		else
			own += sidecars;
		most = MAX(most, own);
	}
	return MAX(most, sum + sidecars);
}

static void check_total(struct pod_rules *r, const struct val *given, const char *list, const struct path *p)
{
	const char *which = strrchr(list, '.') + 1;
	int64_t all = together(r->spec, list, given->key), have;
	char written[64], text[32];

	if (quantity_of(given, &have) && all > have)
		refuse_str(r->c, ENTRY(SUB(p, which), given->key), quantity_written(given, written), "must be greater than or equal to aggregate container %s of %s", which,
			   quantity_text(all, strcmp(given->key, "cpu") != 0, text));
}

/* A Pod with a limit and no request asks for what its containers do together (SetDefaults_PodResources); pages are asked for as they are limited. */
static void check_asked(struct pod_rules *r, const struct val *limit, const struct path *p)
{
	int64_t all = together(r->spec, "resources.requests", limit->key), most;
	char written[64], text[32];

	if (!huge(limit->key) && quantity_of(limit, &most) && all > most)
		refuse_str(r->c, SUB(p, "requests"), quantity_text(all, strcmp(limit->key, "cpu") != 0, text), "must be less than or equal to %s limit of %s", limit->key,
			   quantity_written(limit, written));
}

static void check_consistency(struct pod_rules *r, const struct val *v, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(m, val_get(v, "requests"))
		check_total(r, m, "resources.requests", p);
	VAL_EACH(m, val_get(v, "limits")) {
		if (huge(m->key))
			check_total(r, m, "resources.limits", p);
		if (r->is_pod && !val_get(val_get(v, "requests"), m->key))
			check_asked(r, m, p);
	}
	VAL_EACH(container, val_get(r->spec, "containers")) {
		VAL_EACH(m, val_path(container, "resources.limits")) {
			const struct val *limit = val_get(val_get(v, "limits"), m->key);
			char asked[64], most_text[64];
			int64_t have, most;

			if (limit && quantity_of(m, &have) && quantity_of(limit, &most) && have > most)
				refuse_str(r->c, SUB(ENTRY(ITEM(SUB(p, "containers"), i), m->key), "limits"), quantity_written(m, asked), "must be less than or equal to pod limits of %s",
					   quantity_written(limit, most_text));
		}
		i++;
	}
}

void check_pod_resources(struct pod_rules *r, const struct path *p)
{
	static const char *const supported[] = { "cpu", "memory", NULL };
	const struct val *v = val_get(r->spec, "resources");
	const char *const lists[] = { "limits", "requests" };

	if (val_is(v, VAL_MAP) && strcmp(text_of(val_get(r->spec, "os"), "name"), "windows") == 0) {
		refuse_forbidden(r->c, p, "may not be set for a windows pod");
		return;
	}
	if (has(v, "claims"))
		refuse_forbidden(r->c, SUB(p, "claims"), "claims may not be set for Resources at pod-level");
	for (uint32_t k = 0; k < 2; k++)
		VAL_EACH(m, val_get(v, lists[k]))
			if (!one_of(m->key, supported) && !huge(m->key))
				refuse_unsupported(r->c, ENTRY(SUB(p, lists[k]), m->key), m->key, supported);
	VAL_EACH(m, val_get(v, "requests")) {
		const struct val *limit = val_get(val_get(v, "limits"), m->key);
		char asked[64], most_text[64];
		int64_t have, most;

		if (limit && quantity_of(m, &have) && quantity_of(limit, &most) && have > most)
			refuse_str(r->c, SUB(p, "requests"), quantity_written(m, asked), "must be less than or equal to %s limit of %s", m->key, quantity_written(limit, most_text));
	}
	check_consistency(r, v, p);
}
