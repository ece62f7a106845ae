/* What an update may change of a Pod: ValidatePodUpdate. */
#include "model/api/pod_rules.h"

#define REQUIRED "requiredDuringSchedulingIgnoredDuringExecution"

static const char *const container_lists[] = { "containers", "initContainers" };

static uint32_t length(const struct val *list)
{
	return list ? list->nr : 0;
}

static bool empty(const struct val *v)
{
	return !v || v->type == VAL_NULL || ((v->type == VAL_MAP || v->type == VAL_LIST) && !v->nr);
}

static bool same(const struct val *a, const struct val *b)
{
	return empty(a) ? empty(b) : b && val_equal(a, b);
}

/* ---- tolerations, gates */

/* The admission plug-in DefaultTolerationSeconds puts these back before anybody looks. */
static bool put_back(const struct val *t)
{
	const char *key = text_of(t, "key");

	return (strcmp(key, "node.kubernetes.io/not-ready") == 0 || strcmp(key, "node.kubernetes.io/unreachable") == 0) && strcmp(text_of(t, "operator"), "Exists") == 0 &&
	       strcmp(text_of(t, "effect"), "NoExecute") == 0;
}

static void check_tolerations_kept(struct check *c, const struct val *now, const struct val *old, const struct path *p)
{
	static const char *const keys[] = { "key", "operator", "value", "effect" };

	VAL_EACH(t, old) {
		bool found = put_back(t);

		VAL_EACH(x, now) {
			bool equal = true;

			for (size_t k = 0; k < ARRAY_LEN(keys); k++)
				equal = equal && strcmp(text_of(x, keys[k]), text_of(t, keys[k])) == 0;
			found = found || equal;
		}
		if (!found) {
			refuse_forbidden(c, p, "existing toleration can not be modified except its tolerationSeconds");
			return;
		}
	}
}

static void check_gates_deleted(struct check *c, const struct val *now, const struct val *old, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(gate, now) {
		bool found = false;

		VAL_EACH(other, old)
			found = found || strcmp(text_of(other, "name"), text_of(gate, "name")) == 0;
		if (!found)
			refuse_forbidden(c, SUB(ITEM(p, i), "name"), "only deletion is allowed, but found new scheduling gate '%s'", text_of(gate, "name"));
		i++;
	}
}

/* ---- what may change while a gate holds the Pod: validateNodeSelectorMutation, validateNodeAffinityMutation */

static void check_selector_grows(struct check *c, const struct val *now, const struct val *old, const struct path *p)
{
	VAL_EACH(m, old)
		if (!val_equal(m, val_get(now, m->key))) {
			refuse_val(c, p, now, "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
			return;
		}
}

/* The old list, and perhaps more behind it. */
static bool grows(const struct val *now, const struct val *old)
{
	uint32_t i = 0;

	VAL_EACH(v, old)
		if (!val_at(now, i) || !val_equal(v, val_at(now, i++)))
			return false;
	return true;
}

static bool term_grows(const struct val *now, const struct val *old)
{
	const struct val *expressions = val_get(old, "matchExpressions"), *fields = val_get(old, "matchFields");

	if (empty(expressions) && empty(fields))
		return empty(val_get(now, "matchExpressions")) && empty(val_get(now, "matchFields"));
	return grows(val_get(now, "matchExpressions"), expressions) && grows(val_get(now, "matchFields"), fields);
}

/* Terms are told in the API server's internal form. */
static void say_requirements(struct sb *sb, const struct val *list)
{
	bool first = true;

	if (!length(list)) {
		sb_add(sb, "null");
		return;
	}
	VAL_EACH(e, list) {
		const struct val *values = val_get(e, "values");

		sb_add(sb, first ? "[{\"Key\":" : ",{\"Key\":");
		json_quote(sb, text_of(e, "key"));
		sb_add(sb, ",\"Operator\":");
		json_quote(sb, text_of(e, "operator"));
		sb_add(sb, ",\"Values\":");
		if (!length(values))
			sb_add(sb, "null");
		VAL_EACH(x, values) {
			sb_add(sb, x == val_first(values) ? "[" : ",");
			json_quote(sb, val_str(x) ? val_str(x) : "");
		}
		sb_add(sb, length(values) ? "]}" : "}");
		first = false;
	}
	sb_add(sb, "]");
}

static void say_term(struct sb *sb, const struct val *term)
{
	sb_add(sb, "{\"MatchExpressions\":");
	say_requirements(sb, val_get(term, "matchExpressions"));
	sb_add(sb, ",\"MatchFields\":");
	say_requirements(sb, val_get(term, "matchFields"));
	sb_add(sb, "}");
}

static void check_node_affinity_grows(struct check *c, const struct val *now, const struct val *old, const struct path *p)
{
	const struct val *terms = val_path(now, REQUIRED ".nodeSelectorTerms"), *before = val_path(old, REQUIRED ".nodeSelectorTerms");
	const struct path *at = SUB(SUB(p, REQUIRED), "nodeSelectorTerms");
	uint32_t i = 0;

	if (length(before) && length(before) != length(terms)) {
		struct sb sb = { 0 };

		if (!length(terms))
			sb_add(&sb, "null");
		VAL_EACH(t, terms) {
			sb_add(&sb, t == val_first(terms) ? "[" : ",");
			say_term(&sb, t);
		}
		sb_add(&sb, length(terms) ? "]" : "");
		refuse_text(c, at, sb_text(&sb), "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
		sb_free(&sb);
		return;
	}
	VAL_EACH(t, before) {
		const struct val *grown = val_at(terms, i);

		if (!term_grows(grown, t)) {
			struct sb sb = { 0 };

			say_term(&sb, grown);
			refuse_text(c, ITEM(at, i), sb_text(&sb), "only additions are allowed (no mutations or deletions)");
			sb_free(&sb);
		}
		i++;
	}
}

static void check_gated(struct check *c, const struct val *now, const struct val *old, const struct path *p)
{
	const struct val *affinity = val_path(now, "affinity.nodeAffinity"), *before = val_path(old, "affinity.nodeAffinity");

	check_selector_grows(c, val_get(now, "nodeSelector"), val_get(old, "nodeSelector"), SUB(p, "nodeSelector"));
	if (!same(affinity, before))
		check_node_affinity_grows(c, affinity, before, SUB(SUB(p, "affinity"), "nodeAffinity"));
}

/* ---- the rest */

/* The spec without what an update may change. schedulingGroup: a field of the feature GenericWorkload, which is off: the API server drops it. */
static struct val *fixed_part(struct arena *a, const struct val *spec, bool gated)
{
	static const char *const free_keys[] = { "activeDeadlineSeconds", "tolerations", "schedulingGates", "schedulingGroup" };
	struct val *v = val_copy(a, spec);

	for (size_t k = 0; k < ARRAY_LEN(free_keys); k++)
		val_del(v, free_keys[k]);
	for (size_t k = 0; k < ARRAY_LEN(container_lists); k++)
		VAL_EACH_MUT(x, val_get_mut(v, container_lists[k]))
			val_del(x, "image");
	if (gated) {
		val_del(v, "nodeSelector");
		if (has(v, "affinity"))
			val_del(val_get_mut(v, "affinity"), "nodeAffinity");
		if (empty(val_get(v, "affinity")))
			val_del(v, "affinity");
	}
	return v;
}

/* False: nothing more is said. */
static bool check_deadline(struct check *c, const struct val *now, const struct val *old, const struct path *p)
{
	int64_t asked = int_of(now, "activeDeadlineSeconds", 0);

	if (has(now, "activeDeadlineSeconds")) {
		if (asked < 0 || asked > INT32_MAX)
			return refuse_int(c, p, asked, "must be between 0 and %d, inclusive", INT32_MAX);
		if (has(old, "activeDeadlineSeconds") && asked > int_of(old, "activeDeadlineSeconds", 0))
			return refuse_int(c, p, asked, "must be less than or equal to previous value");
	} else if (has(old, "activeDeadlineSeconds")) {
		refuse_text(c, p, "null", "must not update from a positive integer to nil value");
	}
	return true;
}

void pod_check_update(struct check *c, const struct object *o, const struct object *was)
{
	const struct val *now = val_get(o->doc, "spec"), *old = val_get(was->doc, "spec");
	const struct path *p = SUB(NULL, "spec");
	struct val *after, *before;
	bool gated;
	struct arena *a;

	if (!now || !old)
		return;
	check_annotations_update(c, val_path(o->doc, "metadata.annotations"), val_path(was->doc, "metadata.annotations"), SUB(SUB(NULL, "metadata"), "annotations"));
	for (size_t k = 0; k < ARRAY_LEN(container_lists); k++)
		if (length(val_get(now, container_lists[k])) != length(val_get(old, container_lists[k]))) {
			refuse_forbidden(c, SUB(p, container_lists[k]), "pod updates may not add or remove containers");
			return;
		}
	if (!check_deadline(c, now, old, SUB(p, "activeDeadlineSeconds")))
		return;
	check_tolerations_kept(c, val_get(now, "tolerations"), val_get(old, "tolerations"), SUB(p, "tolerations"));
	check_gates_deleted(c, val_get(now, "schedulingGates"), val_get(old, "schedulingGates"), SUB(p, "schedulingGates"));
	gated = length(val_get(old, "schedulingGates")) > 0;
	if (gated)
		check_gated(c, now, old, p);
	a = arena_new(NULL, "pod update");
	after = fixed_part(a, now, gated);
	before = fixed_part(a, old, gated);
	if (int_of(old, "terminationGracePeriodSeconds", 0) < 0 && int_of(now, "terminationGracePeriodSeconds", 0) == 1)
		val_put(a, after, "terminationGracePeriodSeconds", val_copy(a, val_get(old, "terminationGracePeriodSeconds")));
	if (!val_equal(after, before))
		refuse_forbidden(c, p, "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
				       "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
	arena_free(a);
}
