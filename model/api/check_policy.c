/* RBAC, PodDisruptionBudget, HorizontalPodAutoscaler, PriorityClass. Sources: kubernetes pkg/apis/{rbac,policy,autoscaling,scheduling}/validation/validation.go. */
#include "model/api/kept.h"
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

static bool filled(const struct val *v, const char *key)
{
	const struct val *list = val_get(v, key);

	return list && list->type != VAL_NULL && list->nr;
}

/* ---- RBAC */

void role_check(struct check *c, const struct object *o)
{
	const struct val *aggregation = val_get(c->root, "aggregationRule");
	const struct path *p = SUB(NULL, "aggregationRule.clusterRoleSelectors");
	uint32_t i = 0;

	VAL_EACH(v, val_get(c->root, "rules")) {
		const struct path *at = ITEM(SUB(NULL, "rules"), i++), *urls = SUB(at, "nonResourceURLs");

		if (!filled(v, "verbs"))
			refuse_missing(c, SUB(at, "verbs"), "verbs must contain at least one value");
		if (filled(v, "nonResourceURLs")) {
			if (o->kind == &role_kind)
				refuse_val(c, urls, val_get(v, "nonResourceURLs"), "namespaced rules cannot apply to non-resource URLs");
			if (filled(v, "apiGroups") || filled(v, "resources") || filled(v, "resourceNames"))
				refuse_val(c, urls, val_get(v, "nonResourceURLs"), "rules cannot apply to both regular resources and non-resource URLs");
			continue;
		}
		if (!filled(v, "apiGroups"))
			refuse_missing(c, SUB(at, "apiGroups"), "resource rules must supply at least one api group");
		if (!filled(v, "resources"))
			refuse_missing(c, SUB(at, "resources"), "resource rules must supply at least one resource");
	}
	if (!val_is(aggregation, VAL_MAP))
		return;
	if (!filled(aggregation, "clusterRoleSelectors"))
		refuse_missing(c, p, "at least one clusterRoleSelector required if aggregationRule is non-nil");
	i = 0;
	VAL_EACH(v, val_get(aggregation, "clusterRoleSelectors"))
		must_be_selector_val(c, ITEM(p, i++), v, false);
}

static void check_subject(struct check *c, const struct val *v, const struct path *p)
{
	static const char *const none[] = { "", NULL }, *const rbac[] = { RBAC_GROUP, NULL }, *const kinds_of[] = { "ServiceAccount", "User", "Group", NULL };
	const char *kind = text_of(v, "kind"), *group = text_of(v, "apiGroup");
	bool account = strcmp(kind, "ServiceAccount") == 0;

	need(c, v, p, "name");
	if (!one_of(kind, kinds_of)) {
		refuse_unsupported(c, SUB(p, "kind"), kind, kinds_of);
	} else if (account) {
		if (*text_of(v, "name"))
			must_be_subdomain(c, SUB(p, "name"), text_of(v, "name"));
		if (*group)
			refuse_unsupported(c, SUB(p, "apiGroup"), group, none);
	} else if (has(v, "apiGroup") && strcmp(group, RBAC_GROUP) != 0) {
		refuse_unsupported(c, SUB(p, "apiGroup"), group, rbac);
	}
}

void binding_check(struct check *c, const struct object *o)
{
	static const char *const rbac[] = { RBAC_GROUP, NULL }, *const both[] = { "Role", "ClusterRole", NULL }, *const cluster[] = { "ClusterRole", NULL };
	const struct val *ref = val_get(c->root, "roleRef");
	const char *const *roles = o->kind->namespaced ? both : cluster;
	const struct path *p = SUB(NULL, "roleRef");
	uint32_t i = 0;

	if (*text_of(ref, "apiGroup") && strcmp(text_of(ref, "apiGroup"), RBAC_GROUP) != 0)
		refuse_unsupported(c, SUB(p, "apiGroup"), text_of(ref, "apiGroup"), rbac);
	if (!one_of(text_of(ref, "kind"), roles))
		refuse_unsupported(c, SUB(p, "kind"), text_of(ref, "kind"), roles);
	if (need(c, ref, p, "name"))
		must_be_path_segment(c, SUB(p, "name"), text_of(ref, "name"));
	VAL_EACH(v, val_get(c->root, "subjects"))
		check_subject(c, v, ITEM(SUB(NULL, "subjects"), i++));
}

void binding_check_update(struct check *c, const struct object *now, const struct object *old)
{
	const struct val *a = val_get(now->doc, "roleRef"), *b = val_get(old->doc, "roleRef");

	if (a && b && !val_equal(a, b))
		refuse_val(c, SUB(NULL, "roleRef"), a, "cannot change roleRef");
}

/* ---- PodDisruptionBudget */

static void check_share(struct check *c, const struct val *spec, const struct path *p, const char *key)
{
	const struct val *v = val_get(spec, key);
	int64_t n = 0;

	if (!has(spec, key))
		return;
	if (!val_str(v)) {
		must_not_be_negative(c, SUB(p, key), val_int_or(v, 0));
		return;
	}
	must_be_percent(c, SUB(p, key), val_str(v));
	for (const char *s = val_str(v); *s >= '0' && *s <= '9' && n < 1000; s++)
		n = n * 10 + (*s - '0');
	if (n > 100)
		refuse_val(c, SUB(p, key), v, "must not be greater than 100%%");
}

void pdb_check(struct check *c, const struct object *o)
{
	static const char *const policies[] = { "AlwaysAllow", "IfHealthyBudget", NULL };
	const struct val *spec = val_get(c->root, "spec");
	const struct path *p = SUB(NULL, "spec");

	(void)o;
	if (has(spec, "minAvailable") && has(spec, "maxUnavailable"))
		refuse_val(c, p, spec, "minAvailable and maxUnavailable cannot be both set");
	check_share(c, spec, p, "minAvailable");
	check_share(c, spec, p, "maxUnavailable");
	must_be_selector_val(c, SUB(p, "selector"), val_get(spec, "selector"), false);
	need_one_of(c, spec, p, "unhealthyPodEvictionPolicy", policies);
}

/* ---- HorizontalPodAutoscaler */

/* ValidateAPIVersion: group/version; the version alone where the core API may be meant. */
static bool check_api_version(struct check *c, const char *api, const struct path *p, bool core)
{
	const char *slash = strchr(api, '/');

	if (slash && strchr(slash + 1, '/'))
		return refuse_str(c, SUB(p, "apiVersion"), api, "unexpected GroupVersion string: %s", api);
	return core || (slash && slash != api) || refuse_str(c, SUB(p, "apiVersion"), api, "apiVersion must specify API group");
}

static void check_ref(struct check *c, const struct val *v, const struct path *p)
{
	static const char *const keys[] = { "kind", "name", NULL };

	for (uint32_t k = 0; keys[k]; k++)
		if (need(c, v, p, keys[k]))
			must_be_path_segment(c, SUB(p, keys[k]), text_of(v, keys[k]));
}

static void check_target(struct check *c, const struct val *v, const struct path *p)
{
	static const char *const types[] = { "Utilization", "Value", "AverageValue", NULL }, *const amounts[] = { "value", "averageValue", NULL };
	const char *type = text_of(v, "type");
	char text[64];
	int64_t milli;

	if (!*type)
		refuse_missing(c, SUB(p, "type"), "must specify a metric target type");
	if (!one_of(type, types))
		refuse_str(c, SUB(p, "type"), type, "must be either Utilization, Value, or AverageValue");
	for (uint32_t k = 0; amounts[k]; k++)
		if (quantity_of(val_get(v, amounts[k]), &milli) && milli <= 0)
			refuse_str(c, SUB(p, amounts[k]), quantity_written(val_get(v, amounts[k]), text), "must be positive");
	if (has(v, "averageUtilization") && int_of(v, "averageUtilization", 1) < 1)
		refuse_int(c, SUB(p, "averageUtilization"), int_of(v, "averageUtilization", 1), "must be greater than 0");
}

/* What each source wants of its target (validateResourceSource, validatePodsSource, validateObjectSource, validateExternalSource). */
static void check_amounts(struct check *c, const struct val *v, const char *source, const struct path *p)
{
	bool percent = has(v, "averageUtilization"), average = has(v, "averageValue"), value = has(v, "value");
	bool resource = strcmp(source, "resource") == 0 || strcmp(source, "containerResource") == 0;

	if (resource && !percent && !average)
		refuse_missing(c, SUB(p, "averageUtilization"), "must set either a target raw value or a target utilization");
	if (resource && percent && average)
		refuse_forbidden(c, SUB(p, "averageValue"), "may not set both a target raw value and a target utilization");
	if (strcmp(source, "pods") == 0 && !average)
		refuse_missing(c, SUB(p, "averageValue"), "must specify a positive target averageValue");
	if (strcmp(source, "object") == 0 && !value && !average)
		refuse_missing(c, SUB(p, "averageValue"), "must set either a target value or averageValue");
	if (strcmp(source, "external") == 0 && !value && !average)
		refuse_missing(c, SUB(p, "averageValue"), "must set either a target value for metric or a per-pod target");
	if (strcmp(source, "external") == 0 && value && average)
		refuse_forbidden(c, SUB(p, "value"), "may not set both a target value for metric and a per-pod target");
}

static bool need_of(struct check *c, const struct val *v, const struct path *p, const char *key, const char *why)
{
	return *text_of(v, key) || refuse_missing(c, SUB(p, key), "%s", why);
}

static void check_metric(struct check *c, const struct val *v, const struct path *p)
{
	static const char *const types[] = { "ContainerResource", "External", "Object", "Pods", "Resource", NULL };
	static const char *const fields[] = { "containerResource", "external", "object", "pods", "resource", NULL };
	const char *type = text_of(v, "type"), *wanted = NULL;
	uint32_t nr = 0;

	if (!*type)
		refuse_missing(c, SUB(p, "type"), "must specify a metric source type");
	if (!one_of(type, types))
		refuse_unsupported(c, SUB(p, "type"), type, types);
	for (uint32_t k = 0; types[k]; k++) {
		wanted = strcmp(types[k], type) == 0 ? fields[k] : wanted;
		nr += has(v, fields[k]);
	}
	if (wanted && !has(v, wanted))
		refuse_missing(c, SUB(p, wanted), "must populate information for the given metric source");
	for (uint32_t k = 0; fields[k]; k++) {
		const struct val *source = val_get(v, fields[k]);
		const struct path *at = SUB(p, fields[k]);

		if (!has(v, fields[k]))
			continue;
		if (nr > 1 && !streq(wanted, fields[k])) {
			refuse_forbidden(c, at, "must populate the given metric source only");
			continue;
		}
		if (strcmp(fields[k], "resource") == 0 || strcmp(fields[k], "containerResource") == 0) {
			if (!*text_of(source, "name"))
				refuse_missing(c, SUB(at, "name"), "must specify a resource name");
			else if (k == 0)
				must_be_resource_of_container(c, SUB(at, "name"), text_of(source, "name"));
			if (k == 0 && need_of(c, source, at, "container", "must specify a container"))
				must_be_label(c, SUB(at, "container"), text_of(source, "container"));
		} else if (need_of(c, val_get(source, "metric"), SUB(at, "metric"), "name", "must specify a metric name")) {
			must_be_path_segment(c, SUB(at, "metric.name"), text_of(val_get(source, "metric"), "name"));
		}
		if (strcmp(fields[k], "object") == 0) {
			check_ref(c, val_get(source, "describedObject"), SUB(at, "describedObject"));
			if (!c->was)
				check_api_version(c, text_of(val_get(source, "describedObject"), "apiVersion"), SUB(at, "describedObject"), true);
		}
		check_target(c, val_get(source, "target"), SUB(at, "target"));
		check_amounts(c, val_get(source, "target"), fields[k], SUB(at, "target"));
	}
}

static void check_scaling(struct check *c, const struct val *v, const struct path *p)
{
	static const char *const selects[] = { "Disabled", "Max", "Min", NULL }, *const types[] = { "Percent", "Pods", NULL };
	int64_t window = int_of(v, "stabilizationWindowSeconds", 0), tolerance;
	char text[64];
	uint32_t i = 0;

	if (window < 0)
		refuse_int(c, SUB(p, "stabilizationWindowSeconds"), window, "must be greater than or equal to zero");
	if (window > 3600)
		refuse_int(c, SUB(p, "stabilizationWindowSeconds"), window, "must be less than or equal to 3600");
	need_one_of(c, v, p, "selectPolicy", selects);
	if (quantity_of(val_get(v, "tolerance"), &tolerance) && tolerance < 0)
		refuse_str(c, SUB(p, "tolerance"), quantity_written(val_get(v, "tolerance"), text), "must be greater than or equal to 0");
	if (has(v, "policies") && !val_get(v, "policies")->nr)
		refuse_missing(c, SUB(p, "policies"), "must specify at least one Policy");
	VAL_EACH(policy, val_get(v, "policies")) {
		const struct path *at = ITEM(SUB(p, "policies"), i++);
		int64_t period = int_of(policy, "periodSeconds", 0);

		if (!one_of(text_of(policy, "type"), types))
			refuse_unsupported(c, SUB(at, "type"), text_of(policy, "type"), types);
		if (int_of(policy, "value", 0) <= 0)
			refuse_int(c, SUB(at, "value"), int_of(policy, "value", 0), "must be greater than zero");
		if (period <= 0)
			refuse_int(c, SUB(at, "periodSeconds"), period, "must be greater than zero");
		if (period > 1800)
			refuse_int(c, SUB(at, "periodSeconds"), period, "must be less than or equal to 1800");
	}
}

void hpa_check(struct check *c, const struct object *o)
{
	const struct val *spec = val_get(c->root, "spec"), *target = val_get(spec, "scaleTargetRef"), *was = val_path(c->was, "spec.scaleTargetRef");
	int64_t least = int_of(spec, "minReplicas", 1), most = int_of(spec, "maxReplicas", 0);
	const struct path *p = SUB(NULL, "spec");
	uint32_t i = 0;

	(void)o;
	if (least < 1)
		refuse_int(c, SUB(p, "minReplicas"), least, "must be greater than or equal to 1");
	if (most < 1)
		refuse_int(c, SUB(p, "maxReplicas"), most, "must be greater than 0");
	if (most < least)
		refuse_int(c, SUB(p, "maxReplicas"), most, "must be greater than or equal to `minReplicas`");
	check_ref(c, target, SUB(p, "scaleTargetRef"));
	if (!c->was || strcmp(text_of(target, "apiVersion"), text_of(was, "apiVersion")) != 0 || strcmp(text_of(target, "kind"), text_of(was, "kind")) != 0)
		check_api_version(c, text_of(target, "apiVersion"), SUB(p, "scaleTargetRef"), strcmp(text_of(target, "kind"), "ReplicationController") == 0);
	VAL_EACH(v, val_get(spec, "metrics"))
		check_metric(c, v, ITEM(SUB(p, "metrics"), i++));
	check_scaling(c, val_path(spec, "behavior.scaleUp"), SUB(p, "behavior.scaleUp"));
	check_scaling(c, val_path(spec, "behavior.scaleDown"), SUB(p, "behavior.scaleDown"));
}

/* ---- PriorityClass */

void priority_class_check(struct check *c, const struct object *o)
{
	static const char *const policies[] = { "PreemptLowerPriority", "Never", NULL };
	static const struct { const char *name; int64_t value; } own[] = { { "system-cluster-critical", 2000000000 }, { "system-node-critical", 2000001000 } };
	int64_t value = int_of(c->root, "value", 0);
	bool known = false;

	for (size_t k = 0; k < ARRAY_LEN(own); k++)
		known = known || (streq(o->name, own[k].name) && value == own[k].value);
	if (strncmp(o->name, "system-", 7) == 0 && !known)
		refuse_forbidden(c, SUB(NULL, "metadata.name"), "priority class names with 'system-' prefix are reserved for system use only. error: %s is not a known system priority class", o->name);
	else if (!known && value > 1000000000)
		refuse_forbidden(c, SUB(NULL, "value"), "maximum allowed value of a user defined priority is 1000000000");
	need_one_of(c, c->root, NULL, "preemptionPolicy", policies);
}

void priority_class_check_update(struct check *c, const struct object *now, const struct object *old)
{
	if (now->doc && old->doc && int_of(now->doc, "value", 0) != int_of(old->doc, "value", 0))
		refuse_forbidden(c, SUB(NULL, "value"), "may not be changed in an update.");
}
