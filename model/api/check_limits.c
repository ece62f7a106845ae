/* ResourceQuota and LimitRange; small kinds beside them. Source: kubernetes pkg/apis/core/validation/validation.go ValidateResourceQuotaSpec, ValidateLimitRange; pkg/apis/core/helper/helpers.go. */
#include "model/api/fill.h"
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

/* What a quota counts, and in whole numbers. storage alone is a resource, but none for a quota. */
static const char *const compute[] = { "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory", NULL };
static const char *const storage[] = { "ephemeral-storage", "limits.ephemeral-storage", "requests.ephemeral-storage", "requests.storage", NULL };
static const char *const counts[] = {
	"configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services", "services.loadbalancers", "services.nodeports", NULL
};

static bool of_quota(const char *name)
{
	return one_of(name, compute) || one_of(name, storage) || one_of(name, counts) || huge(name) || strncmp(name, "requests.hugepages-", 19) == 0;
}

static bool qualified(struct check *c, const struct path *p, const char *name)
{
	uint32_t before = c->found;

	must_be_label_key(c, p, name);
	return c->found == before;
}

static bool standard(struct check *c, const struct path *p, const char *name)
{
	return qualified(c, p, name) && (strchr(name, '/') || of_quota(name) || strcmp(name, "storage") == 0 || refuse_str(c, p, name, "must be a standard resource type or fully qualified"));
}

void must_be_resource_of_container(struct check *c, const struct path *p, const char *name)
{
	static const char *const of_containers[] = { "cpu", "ephemeral-storage", "memory", NULL };

	standard(c, p, name);
	if (!strchr(name, '/') && !one_of(name, of_containers) && !huge(name))
		refuse_str(c, p, name, "must be a standard resource for containers");
}

/* ---- ResourceQuota */

static void check_hard(struct check *c, const struct val *hard, const struct path *p)
{
	VAL_EACH_KEY(v, hard) {
		const struct path *at = ENTRY(p, v->key);
		int64_t milli = 0;
		char text[64];

		standard(c, at, v->key);
		if (!strchr(v->key, '/') && !of_quota(v->key))
			refuse_str(c, at, v->key, "must be a standard resource for quota");
		if (!quantity_of(v, &milli))
			continue;
		if (milli < 0)
			refuse_str(c, at, quantity_written(v, text), "must be greater than or equal to 0");
		if (milli % 1000 && (one_of(v->key, counts) || (strchr(v->key, '/') && !strstr(v->key, "kubernetes.io/") && strncmp(v->key, "requests.", 9) != 0)))
			refuse_str(c, at, quantity_written(v, text), "must be an integer");
	}
}

static bool scope_fits(const char *scope, const char *resource)
{
	if (strcmp(scope, "BestEffort") == 0)
		return strcmp(resource, "pods") == 0;
	if (strcmp(scope, "VolumeAttributesClass") == 0)
		return strcmp(resource, "persistentvolumeclaims") == 0 || strcmp(resource, "requests.storage") == 0;
	return strcmp(resource, "pods") == 0 || one_of(resource, compute);
}

static const char *const all_scopes[] = {
	"BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass", NULL
};

static bool conflict(bool (*names)(const struct val *, const char *), const struct val *list)
{
	return (names(list, "BestEffort") && names(list, "NotBestEffort")) || (names(list, "Terminating") && names(list, "NotTerminating"));
}

static bool lists(const struct val *list, const char *scope)
{
	VAL_EACH(v, list)
		if (val_str(v) && strcmp(val_str(v), scope) == 0)
			return true;
	return false;
}

static bool selects(const struct val *list, const char *scope)
{
	VAL_EACH(v, list)
		if (strcmp(text_of(v, "scopeName"), scope) == 0)
			return true;
	return false;
}

static bool misfits(const struct val *hard, const char *scope)
{
	VAL_EACH_KEY(v, hard)
		if (of_quota(v->key) && one_of(scope, all_scopes) && !scope_fits(scope, v->key))
			return true;
	return false;
}

static void check_scopes(struct check *c, const struct val *spec, const struct path *p)
{
	const struct val *scopes = val_get(spec, "scopes");

	VAL_EACH(v, scopes) {
		if (!one_of(val_str(v), all_scopes))
			refuse_val(c, p, scopes, "unsupported scope");
		else if (misfits(val_get(spec, "hard"), val_str(v)))
			refuse_val(c, p, scopes, "unsupported scope applied to resource");
	}
	if (conflict(lists, scopes))
		refuse_val(c, p, scopes, "conflicting scopes");
}

static void check_selector(struct check *c, const struct val *spec, const struct path *p)
{
	static const char *const plain[] = { "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating", NULL };
	const struct val *list = val_path(spec, "scopeSelector.matchExpressions");

	VAL_EACH(v, list) {
		const char *scope = text_of(v, "scopeName"), *op = text_of(v, "operator");
		const struct val *values = val_get(v, "values");
		uint32_t nr = values ? values->nr : 0;

		if (!one_of(scope, all_scopes))
			refuse_str(c, SUB(p, "scopeName"), scope, "unsupported scope");
		else if (misfits(val_get(spec, "hard"), scope))
			refuse_val(c, p, val_get(spec, "scopeSelector"), "unsupported scope applied to resource");
		if (one_of(scope, plain) && strcmp(op, "Exists") != 0)
			refuse_str(c, SUB(p, "operator"), op, "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
							      "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
		if (strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0) {
			if (!nr)
				refuse_missing(c, SUB(p, "values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
		} else if (strcmp(op, "Exists") != 0 && strcmp(op, "DoesNotExist") != 0) {
			refuse_str(c, SUB(p, "operator"), op, "not a valid selector operator");
		} else if (nr) {
			refuse_val(c, SUB(p, "values"), values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
		}
	}
	if (conflict(selects, list))
		refuse_val(c, SUB(NULL, "spec.scopes"), val_get(spec, "scopes"), "conflicting scopes");
}

void quota_check(struct check *c, const struct object *o)
{
	const struct val *spec = val_get(c->root, "spec");

	(void)o;
	check_hard(c, val_get(spec, "hard"), SUB(NULL, "spec.hard"));
	check_scopes(c, spec, SUB(NULL, "spec.scopes"));
	check_selector(c, spec, SUB(NULL, "spec.scopeSelector.matchExpressions"));
}

/* ---- Lease (pkg/apis/coordination/validation), RuntimeClass (pkg/apis/node/validation) */

void lease_check(struct check *c, const struct object *o)
{
	const struct val *spec = val_get(c->root, "spec");

	(void)o;
	if (has(spec, "leaseDurationSeconds") && int_of(spec, "leaseDurationSeconds", 1) <= 0)
		refuse_int(c, SUB(NULL, "spec.leaseDurationSeconds"), int_of(spec, "leaseDurationSeconds", 1), "must be greater than 0");
	if (has(spec, "leaseTransitions"))
		must_not_be_negative(c, SUB(NULL, "spec.leaseTransitions"), int_of(spec, "leaseTransitions", 0));
}

void runtime_class_check(struct check *c, const struct object *o)
{
	(void)o;
	must_be_label(c, SUB(NULL, "handler"), text_of(c->root, "handler"));
}

/* ---- LimitRange */

/* One bound may not lie beyond another: where the finding stands, and whose value it shows. */
struct order { const char *low, *high, *low_word, *high_word, *at, *shown; };
static const struct order orders[] = {
	{ "min", "max", "min", "max", "min", "min" },
	{ "min", "defaultRequest", "min", "default request", "defaultRequest", "defaultRequest" },
	{ "defaultRequest", "max", "default request", "max", "defaultRequest", "defaultRequest" },
	{ "defaultRequest", "default", "default request", "default limit", "defaultRequest", "defaultRequest" },
	{ "min", "default", "min", "default", "default", "min" },
	{ "default", "max", "default", "max", "default", "max" },
};

static const char *amount(const struct val *item, const char *member, const char *resource, int64_t *milli, char text[64])
{
	const struct val *v = val_get(val_get(item, member), resource);

	return v && quantity_of(v, milli) ? quantity_written(v, text) : NULL;
}

static void check_orders(struct check *c, const struct val *item, bool pod, const char *resource, const struct path *p)
{
	for (size_t k = 0; k < (pod ? 1 : ARRAY_LEN(orders)); k++) {
		const struct order *o = &orders[k];
		char a[64], b[64];
		int64_t low, high;
		const char *x = amount(item, o->low, resource, &low, a), *y = amount(item, o->high, resource, &high, b);

		if (x && y && low > high)
			refuse_str(c, ENTRY(SUB(p, o->at), resource), strcmp(o->shown, o->low) == 0 ? x : y, "%s value %s is greater than %s value %s", o->low_word, x, o->high_word, y);
	}
}

static void check_ratio(struct check *c, const struct val *item, const char *resource, const struct path *p)
{
	char text[64], other[64];
	int64_t ratio, min, max;
	const char *r = amount(item, "maxLimitRequestRatio", resource, &ratio, text);

	if (!r)
		return;
	if (ratio < 1000)
		refuse_str(c, ENTRY(SUB(p, "maxLimitRequestRatio"), resource), r, "ratio %s is less than 1", r);
	if (amount(item, "min", resource, &min, other) && amount(item, "max", resource, &max, other) && (double)ratio / 1000 > (double)max / (double)min)
		refuse_str(c, ENTRY(SUB(p, "maxLimitRequestRatio"), resource), r, "ratio %s is greater than max/min = %f", r, (double)max / (double)min);
}

static void check_name(struct check *c, const char *type, const char *resource, const struct path *p)
{
	if (strcmp(type, "Pod") == 0 || strcmp(type, "Container") == 0)
		must_be_resource_of_container(c, p, resource);
	else
		standard(c, p, resource);
}

static const char *const members[] = { "max", "min", "default", "defaultRequest", "maxLimitRequestRatio" };

static bool named_before(const struct val *item, size_t member, const char *resource)
{
	for (size_t k = 0; k < member; k++)
		if (val_get(val_get(item, members[k]), resource))
			return true;
	return false;
}

static void check_item(struct check *c, const struct val *item, const struct path *p)
{
	const char *type = text_of(item, "type");
	bool pod = strcmp(type, "Pod") == 0;
	char text[64];

	for (size_t k = 0; k < ARRAY_LEN(members); k++) {
		bool unfit = pod && strncmp(members[k], "default", 7) == 0;

		if (unfit && val_first(val_get(item, members[k])))
			refuse_forbidden(c, SUB(p, members[k]), "may not be specified when `type` is 'Pod'");
		VAL_EACH_KEY(v, unfit ? NULL : val_get(item, members[k]))
			check_name(c, type, v->key, ENTRY(SUB(p, members[k]), v->key));
	}
	if (strcmp(type, "PersistentVolumeClaim") == 0 && !val_get(val_get(item, "min"), "storage") && !val_get(val_get(item, "max"), "storage"))
		refuse_missing(c, SUB(p, "limits"), "either minimum or maximum storage value is required, but neither was provided");
	for (size_t k = 0; k < ARRAY_LEN(members); k++)
		VAL_EACH_KEY(v, val_get(item, members[k])) {
			int64_t a, b;
			char other[64];
			const char *x, *y;

			if (named_before(item, k, v->key))
				continue;
			check_orders(c, item, pod, v->key, p);
			check_ratio(c, item, v->key, p);
			if ((strchr(v->key, '/') || huge(v->key)) && (x = amount(item, "default", v->key, &a, text)) &&
			    (y = amount(item, "defaultRequest", v->key, &b, other)) && a != b)
				refuse_str(c, ENTRY(SUB(p, "defaultRequest"), v->key), y, "default value %s must equal to defaultRequest value %s in %s", x, y, v->key);
		}
}

void limit_range_check(struct check *c, const struct object *o)
{
	static const char *const types[] = { "Container", "PersistentVolumeClaim", "Pod", NULL };
	const struct path *list = SUB(NULL, "spec.limits");
	struct arena *scratch = arena_new(NULL, "limit range");
	struct val *whole = val_copy(scratch, c->root);
	uint32_t i = 0;

	(void)o;
	limit_range_fill(scratch, whole);       /* what follows from a bound is judged like a bound */
	VAL_EACH(v, val_path(whole, "spec.limits")) {
		const struct path *p = ITEM(list, i++);
		const char *type = text_of(v, "type");

		if (qualified(c, SUB(p, "type"), type) && !strchr(type, '/') && !one_of(type, types))
			refuse_str(c, SUB(p, "type"), type, "must be a standard limit type or fully qualified");
		for (const struct val *other = val_path(whole, "spec.limits")->first; other != v; other = other->next)
			if (strcmp(text_of(other, "type"), type) == 0) {
				refuse_duplicate(c, SUB(p, "type"), type);
				break;
			}
		check_item(c, v, p);
	}
	arena_free(scratch);
}
