/* Where a Pod may run: affinity, node selectors, tolerations, topology spread. */
#include "model/api/pod_rules.h"

static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL }, *const operators[] = { "Equal", "Exists", NULL };
static const char *const all_operators[] = { "Equal", "Exists", "Lt", "Gt", NULL };
static const char *const actions[] = { "DoNotSchedule", "ScheduleAnyway", NULL }, *const honours[] = { "Honor", "Ignore", NULL };
#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

static bool is(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

/* ValidateNodeSelectorRequirement */
static void check_expression(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *values = val_get(v, "values");
	const char *op = text_of(v, "operator");
	uint32_t nr = values ? values->nr : 0, i = 0;

	if (is(op, "In", "NotIn")) {
		if (!nr)
			refuse_missing(c, SUB(p, "values"), "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (is(op, "Exists", "DoesNotExist")) {
		if (nr)
			refuse_forbidden(c, SUB(p, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else if (is(op, "Gt", "Lt")) {
		if (nr != 1)
			refuse_missing(c, SUB(p, "values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
	} else {
		refuse_str(c, SUB(p, "operator"), op, "not a valid selector operator");
	}
	must_be_label_key(c, SUB(p, "key"), text_of(v, "key"));
	VAL_EACH(x, values)
		must_be_label_value(c, ITEM(SUB(p, "values"), i++), val_str(x) ? val_str(x) : "");
}

static void check_field(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *values = val_get(v, "values");
	uint32_t i = 0;

	if (!is(text_of(v, "operator"), "In", "NotIn"))
		refuse_str(c, SUB(p, "operator"), text_of(v, "operator"), "not a valid selector operator");
	else if (!values || values->nr != 1)
		refuse_missing(c, SUB(p, "values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
	if (strcmp(text_of(v, "key"), "metadata.name") != 0) {
		refuse_str(c, SUB(p, "key"), text_of(v, "key"), "not a valid field selector key");
		return;
	}
	VAL_EACH(x, values)
		must_be_subdomain(c, ITEM(SUB(p, "values"), i++), val_str(x) ? val_str(x) : "");
}

static void check_node_term(struct check *c, const struct val *v, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(e, val_get(v, "matchExpressions"))
		check_expression(c, e, ITEM(SUB(p, "matchExpressions"), i++));
	i = 0;
	VAL_EACH(e, val_get(v, "matchFields"))
		check_field(c, e, ITEM(SUB(p, "matchFields"), i++));
}

void check_node_selector(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *terms = val_get(v, "nodeSelectorTerms");
	uint32_t i = 0;

	if (!terms || !terms->nr)
		refuse_missing(c, SUB(p, "nodeSelectorTerms"), "must have at least one node selector term");
	VAL_EACH(t, terms)
		check_node_term(c, t, ITEM(SUB(p, "nodeSelectorTerms"), i++));
}

static void check_weight(struct check *c, const struct val *v, const struct path *p)
{
	int64_t weight = int_of(v, "weight", 0);

	if (weight < 1 || weight > 100)
		refuse_int(c, SUB(p, "weight"), weight, "must be in the range 1-100");
}

/* ValidateMatchLabelKeysAndMismatchLabelKeys, but for check_asked_once. */
static void check_label_keys(struct check *c, const struct val *v, const struct path *p, const char *which)
{
	const struct val *keys = val_get(v, which);
	uint32_t i = 0;

	if (keys && keys->nr && !has(v, "labelSelector")) {
		refuse_forbidden(c, SUB(p, which), "must not be specified when labelSelector is not set");
		return;
	}
	VAL_EACH(k, keys) {
		const char *key = val_str(k) ? val_str(k) : "";

		must_be_label_key(c, ITEM(SUB(p, which), i), key);
		VAL_EACH(other, val_get(v, "mismatchLabelKeys"))
			if (strcmp(which, "matchLabelKeys") == 0 && streq(val_str(other), key))
				refuse_str(c, ITEM(SUB(p, which), i), key, "exists in both matchLabelKeys and mismatchLabelKeys");
		i++;
	}
}

/* No selector may ask for one of the matchLabelKeys twice. When a Pod is made, each of them that it has a label for is asked for by the API server itself. */
static void check_asked_once(struct pod_rules *r, const struct val *v, const struct path *p)
{
	const struct val *selector = val_get(v, "labelSelector");
	uint32_t i = 0;

	VAL_EACH(k, val_get(v, "matchLabelKeys")) {
		const char *key = val_str(k) ? val_str(k) : "";
		uint32_t nr = val_get(val_get(selector, "matchLabels"), key) != NULL;

		nr += selector && val_get(val_get(r->meta, "labels"), key);
		VAL_EACH(e, val_get(selector, "matchExpressions"))
			nr += strcmp(text_of(e, "key"), key) == 0;
		if (nr > 1)
			refuse_str(r->c, ITEM(p, i), key, "exists in both matchLabelKeys and labelSelector");
		i++;
	}
}

static void check_pod_term(struct pod_rules *r, const struct val *v, const struct path *p)
{
	struct check *c = r->c;

	must_be_selector_val(c, SUB(p, "labelSelector"), val_get(v, "labelSelector"), false);
	must_be_selector_val(c, SUB(p, "namespaceSelector"), val_get(v, "namespaceSelector"), false);
	VAL_EACH(ns, val_get(v, "namespaces"))
		must_be_label(c, SUB(p, "namespace"), val_str(ns) ? val_str(ns) : "");
	check_label_keys(c, v, p, "matchLabelKeys");
	check_label_keys(c, v, p, "mismatchLabelKeys");
	check_asked_once(r, v, p);
	if (!*text_of(v, "topologyKey"))
		refuse_missing(c, SUB(p, "topologyKey"), "can not be empty");
	must_be_label_key(c, SUB(p, "topologyKey"), text_of(v, "topologyKey"));
}

static void check_pods(struct pod_rules *r, const struct val *v, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(t, val_get(v, REQUIRED))
		check_pod_term(r, t, ITEM(SUB(p, REQUIRED), i++));
	i = 0;
	VAL_EACH(t, val_get(v, PREFERRED)) {
		check_weight(r->c, t, ITEM(SUB(p, PREFERRED), i));
		check_pod_term(r, val_get(t, "podAffinityTerm"), SUB(ITEM(SUB(p, PREFERRED), i), "podAffinityTerm"));
		i++;
	}
}

void check_affinity(struct pod_rules *r, const struct path *p)
{
	struct check *c = r->c;
	const struct val *v = val_get(r->spec, "affinity"), *node = val_get(v, "nodeAffinity");
	const struct path *at = SUB(p, "nodeAffinity"), *preferred = SUB(at, PREFERRED);
	uint32_t i = 0;

	if (has(node, REQUIRED))
		check_node_selector(c, val_get(node, REQUIRED), SUB(at, REQUIRED));
	VAL_EACH(t, val_get(node, PREFERRED)) {
		check_weight(c, t, ITEM(preferred, i));
		check_node_term(c, val_get(t, "preference"), SUB(ITEM(preferred, i), "preference"));
		i++;
	}
	check_pods(r, val_get(v, "podAffinity"), SUB(p, "podAffinity"));
	check_pods(r, val_get(v, "podAntiAffinity"), SUB(p, "podAntiAffinity"));
}

void check_tolerations(struct check *c, const struct val *list, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i++);
		const char *key = text_of(v, "key"), *op = text_of(v, "operator"), *value = text_of(v, "value"), *effect = text_of(v, "effect");

		if (*key)
			must_be_label_key(c, SUB(at, "key"), key);
		else if (strcmp(op, "Exists") != 0)
			refuse_str(c, SUB(at, "operator"), op, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
		if (has(v, "tolerationSeconds") && strcmp(effect, "NoExecute") != 0)
			refuse_str(c, SUB(at, "effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
		if (!*op || strcmp(op, "Equal") == 0)
			must_be_label_value(c, SUB(at, "operator"), value);
		else if (strcmp(op, "Exists") != 0)
			refuse_unsupported(c, SUB(at, "operator"), op, is(op, "Lt", "Gt") ? all_operators : operators);   /* TaintTolerationComparisonOperators is off */
		else if (*value)
			refuse_str(c, SUB(at, "operator"), value, "value must be empty when `operator` is 'Exists'");
		need_one_of(c, v, at, "effect", effects);
	}
}

void check_spread(struct pod_rules *r, const struct path *p)
{
	const struct val *list = val_get(r->spec, "topologySpreadConstraints");
	struct check *c = r->c;
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i++);
		const char *key = text_of(v, "topologyKey"), *action = text_of(v, "whenUnsatisfiable");

		if (int_of(v, "maxSkew", 0) <= 0)
			refuse_int(c, SUB(at, "maxSkew"), int_of(v, "maxSkew", 0), "must be greater than zero");
		if (!*key)
			refuse_missing(c, SUB(at, "topologyKey"), "can not be empty");
		if (!one_of(action, actions))
			refuse_unsupported(c, SUB(at, "whenUnsatisfiable"), action, actions);
		for (const struct val *later = v->next; later; later = later->next)
			if (strcmp(text_of(later, "topologyKey"), key) == 0 && strcmp(text_of(later, "whenUnsatisfiable"), action) == 0) {
				char text[256];

				snprintf(text, sizeof(text), "{%.100s, %.100s}", key, action);
				refuse_duplicate(c, SUB(at, "{topologyKey, whenUnsatisfiable}"), text);
				break;
			}
		if (has(v, "minDomains") && int_of(v, "minDomains", 0) <= 0)
			refuse_int(c, SUB(at, "minDomains"), int_of(v, "minDomains", 0), "must be greater than zero");
		if (has(v, "minDomains") && strcmp(action, "DoNotSchedule") != 0)
			refuse_int(c, SUB(at, "minDomains"), int_of(v, "minDomains", 0), "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %s", action);
		need_one_of(c, v, at, "nodeAffinityPolicy", honours);
		need_one_of(c, v, at, "nodeTaintsPolicy", honours);
		check_label_keys(c, v, at, "matchLabelKeys");
		check_asked_once(r, v, at);
		must_be_selector_val(c, SUB(at, "labelSelector"), val_get(v, "labelSelector"), false);
	}
}
