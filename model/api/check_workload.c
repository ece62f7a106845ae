/* Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, PodTemplate. Sources: kubernetes pkg/apis/apps/validation/validation.go,
 * pkg/apis/core/validation/validation.go (ValidateReplicationControllerSpec). */
#include <stdlib.h>

#include "model/api/kept.h"
#include "model/api/pod_rules.h"

static const char *const always[] = { "Always", NULL }, *const retains[] = { "Retain", "Delete", NULL };

/* ---- what they share */

static bool selector_is_empty(const struct selector *s)
{
	return !s->labels.nr && !s->exprs.nr;
}

/* Can it be made a selector at all? (metav1.LabelSelectorAsSelector) */
static bool selector_works(const struct selector *s)
{
	for (uint32_t k = 0; k < s->exprs.nr; k++) {
		const struct requirement *r = &s->exprs.v[k];
		bool sets = r->op == 1 + SEL_IN || r->op == 1 + SEL_NOT_IN;

		if (!r->op || sets != (r->values.nr > 0))
			return false;
	}
	return true;
}

static void check_match(struct check *c, const struct workload *w, const struct path *template)
{
	const struct val *selector = val_path(c->root, "spec.selector");
	bool none = !val_is(selector, VAL_MAP), all = !none && selector_is_empty(&w->selector);

	if (!all && (none || !selector_matches(&w->selector, &w->template.labels)))
		refuse_val(c, SUB(template, "metadata.labels"), val_path(c->root, "spec.template.metadata.labels"), "`selector` does not match template `labels`");
}

/* restartPolicy Always is the only one, and there is no deadline. */
static void check_endless(struct check *c, const struct val *template, const struct path *p, const char *kind)
{
	const struct val *spec = val_get(template, "spec");
	const char *restart = text_of(spec, "restartPolicy");

	if (*restart && strcmp(restart, "Always") != 0)
		refuse_unsupported(c, SUB(p, "spec.restartPolicy"), restart, always);
	if (has(spec, "activeDeadlineSeconds"))
		refuse_forbidden(c, SUB(p, "spec.activeDeadlineSeconds"), "activeDeadlineSeconds in %s is not Supported", kind);
}

static void check_selector(struct check *c, const struct workload *w, const char *kind)
{
	const struct val *v = val_path(c->root, "spec.selector");
	const struct path *p = SUB(NULL, "spec.selector");

	if (!val_is(v, VAL_MAP)) {
		refuse_missing(c, p, "%s", "");
		return;
	}
	must_be_selector_val(c, p, v, false);
	if (selector_is_empty(&w->selector))
		refuse_val(c, p, v, "empty selector is invalid for %s", kind);
}

static void check_template_of(struct check *c, const struct workload *w, const struct val *template, const struct val *claims, const char *kind)
{
	const struct path *p = SUB(NULL, "spec.template");

	if (!selector_works(&w->selector)) {
		refuse_val(c, SUB(NULL, "spec.selector"), val_path(c->root, "spec.selector"), "invalid label selector");
		return;
	}
	check_match(c, w, p);
	template_check(c, template, p, claims);
	check_endless(c, template, p, kind);
}

static void check_numbers(struct check *c, const char *const *keys)
{
	const struct val *spec = val_get(c->root, "spec");

	for (; *keys; keys++)
		must_not_be_negative(c, SUB(SUB(NULL, "spec"), *keys), int_of(spec, *keys, 0));
}

/* ---- amounts: "25%" or 3 */

static bool percent(const struct int_or_str *x, int32_t *value)
{
	size_t n = x->s ? strspn(x->s, "0123456789") : 0;

	if (!x->s || !n || strcmp(x->s + n, "%") != 0)
		return false;
	*value = atoi(x->s);
	return true;
}

static int32_t amount(const struct int_or_str *x)
{
	int32_t v = 0;

	return percent(x, &v) ? v : x->s ? atoi(x->s) : x->i;
}

static void refuse_amount(struct check *c, const struct path *p, const struct int_or_str *x, const char *why)
{
	if (x->s)
		refuse_str(c, p, x->s, "%s", why);
	else
		refuse_int(c, p, x->i, "%s", why);
}

static void check_amount(struct check *c, const struct path *p, const struct int_or_str *x, bool bounded)
{
	int32_t v;

	if (x->s)
		must_be_percent(c, p, x->s);
	else
		must_not_be_negative(c, p, x->i);
	if (bounded && percent(x, &v) && v > 100)
		refuse_amount(c, p, x, "must not be greater than 100%");
}

static void refuse_strategy(struct check *c, const struct path *p, const struct workload *w, const char *const *names)
{
	struct sb sb = { 0 };

	sb_add(&sb, "{\"Type\":");
	json_quote(&sb, w->strategy);
	sb_add(&sb, ",\"RollingUpdate\":null}");
	refuse_unsupported_text(c, p, sb_text(&sb), names);
	sb_free(&sb);
}

/* ---- kinds */

static void check_deployment_strategy(struct check *c, const struct workload *w)
{
	static const char *const names[] = { "Recreate", "RollingUpdate", NULL };
	const struct path *p = SUB(NULL, "spec.strategy"), *most = SUB(p, "rollingUpdate.maxUnavailable");

	if (streq(w->strategy, "Recreate")) {
		if (val_is(val_path(c->root, "spec.strategy.rollingUpdate"), VAL_MAP))
			refuse_forbidden(c, SUB(p, "rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'");
		return;
	}
	if (!streq(w->strategy, "RollingUpdate")) {
		refuse_strategy(c, p, w, names);
		return;
	}
	check_amount(c, most, &w->max_unavailable, true);
	check_amount(c, SUB(p, "rollingUpdate.maxSurge"), &w->max_surge, false);
	if (amount(&w->max_unavailable) == 0 && amount(&w->max_surge) == 0)
		refuse_amount(c, most, &w->max_unavailable, "may not be 0 when `maxSurge` is 0");
}

void deployment_check(struct check *c, const struct object *o)
{
	const struct workload *w = (const struct workload *)o;

	check_numbers(c, (const char *const[]){ "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds", NULL });
	check_selector(c, w, "deployment");
	check_template_of(c, w, val_path(c->root, "spec.template"), NULL, "ReplicaSet");
	check_deployment_strategy(c, w);
	if (w->progress_deadline <= w->min_ready_seconds)
		refuse_int(c, SUB(NULL, "spec.progressDeadlineSeconds"), w->progress_deadline, "must be greater than minReadySeconds");
}

void replicaset_check(struct check *c, const struct object *o)
{
	const struct workload *w = (const struct workload *)o;

	check_numbers(c, (const char *const[]){ "replicas", "minReadySeconds", NULL });
	check_selector(c, w, "deployment");
	check_template_of(c, w, val_path(c->root, "spec.template"), NULL, "ReplicaSet");
}

void daemonset_check(struct check *c, const struct object *o)
{
	static const char *const names[] = { "RollingUpdate", "OnDelete", NULL };
	const struct workload *w = (const struct workload *)o;
	const struct val *selector = val_path(c->root, "spec.selector"), *template = val_path(c->root, "spec.template");
	const struct path *p = SUB(NULL, "spec.updateStrategy"), *most = SUB(p, "rollingUpdate.maxUnavailable"), *surge = SUB(p, "rollingUpdate.maxSurge");

	must_be_selector_val(c, SUB(NULL, "spec.selector"), selector, false);
	if (selector_works(&w->selector))
		check_match(c, w, SUB(NULL, "spec.template"));
	if (val_is(selector, VAL_MAP) && selector_is_empty(&w->selector))
		refuse_val(c, SUB(NULL, "spec.selector"), selector, "empty selector is invalid for daemonset");
	template_check(c, template, SUB(NULL, "spec.template"), NULL);
	check_endless(c, template, SUB(NULL, "spec.template"), "DaemonSet");
	check_numbers(c, (const char *const[]){ "minReadySeconds", "revisionHistoryLimit", NULL });
	if (!one_of(w->strategy, names))
		refuse_strategy(c, p, w, names);
	if (!streq(w->strategy, "RollingUpdate"))
		return;
	check_amount(c, most, &w->max_unavailable, true);
	check_amount(c, surge, &w->max_surge, true);
	if (amount(&w->max_unavailable) && amount(&w->max_surge))
		refuse_amount(c, surge, &w->max_surge, "may not be set when maxUnavailable is non-zero");
	else if (!amount(&w->max_unavailable) && !amount(&w->max_surge))
		refuse_missing(c, most, "cannot be 0 when maxSurge is 0");
}

static void check_claims(struct check *c, const struct val *spec)
{
	const struct val *policy = val_get(spec, "persistentVolumeClaimRetentionPolicy");
	const struct path *p = SUB(NULL, "spec.persistentVolumeClaimRetentionPolicy");
	uint32_t i = 0;

	need_one_of(c, policy, p, "whenDeleted", retains);
	need_one_of(c, policy, p, "whenScaled", retains);
	VAL_EACH(v, val_get(spec, "volumeClaimTemplates"))
		claim_spec_check(c, val_get(v, "spec"), SUB(ITEM(SUB(NULL, "spec.volumeClaimTemplates"), i++), "spec"));
}

/* The controller writes its own hostname and subdomain over those of the template, which are not judged. */
static void check_set_template(struct check *c, const struct workload *w, const struct val *spec)
{
	struct arena *scratch = arena_new(NULL, "template");
	const struct val *template = val_get(spec, "template");

	if (has(val_get(template, "spec"), "hostname") || has(val_get(template, "spec"), "subdomain")) {
		struct val *copy = val_copy(scratch, template);

		val_del(val_get_mut(copy, "spec"), "hostname");
		val_del(val_get_mut(copy, "spec"), "subdomain");
		template = copy;
	}
	check_template_of(c, w, template, val_get(spec, "volumeClaimTemplates"), "StatefulSet");
	arena_free(scratch);
}

void statefulset_check(struct check *c, const struct object *o)
{
	static const char *const names[] = { "RollingUpdate", "OnDelete", NULL };
	const struct workload *w = (const struct workload *)o;
	const struct val *spec = val_get(c->root, "spec"), *rolling = val_path(spec, "updateStrategy.rollingUpdate");
	const struct path *p = SUB(NULL, "spec.updateStrategy");

	if (!streq(w->pod_management, "OrderedReady") && !streq(w->pod_management, "Parallel"))
		refuse_str(c, SUB(NULL, "spec.podManagementPolicy"), w->pod_management, "must be 'OrderedReady' or 'Parallel'");
	if (!one_of(w->strategy, names))
		refuse_val(c, p, val_get(spec, "updateStrategy"), "must be 'RollingUpdate' or 'OnDelete'");
	if (streq(w->strategy, "OnDelete") && val_is(rolling, VAL_MAP))
		refuse_val(c, SUB(p, "rollingUpdate"), rolling, "only allowed for updateStrategy 'RollingUpdate'");
	if (streq(w->strategy, "RollingUpdate"))        /* maxUnavailable was dropped: its gate, MaxUnavailableStatefulSet, is off */
		must_not_be_negative(c, SUB(p, "rollingUpdate.partition"), w->partition);
	check_claims(c, spec);
	check_numbers(c, (const char *const[]){ "replicas", "minReadySeconds", NULL });
	must_not_be_negative(c, SUB(NULL, "spec.ordinals.start"), w->ordinal_start);
	if (w->service_name && *w->service_name)
		must_be_label(c, SUB(NULL, "spec.serviceName"), w->service_name);
	check_selector(c, w, "statefulset");
	check_set_template(c, w, spec);
}

void replication_controller_check(struct check *c, const struct object *o)
{
	const struct workload *w = (const struct workload *)o;
	const struct val *template = val_path(c->root, "spec.template");
	const struct path *p = SUB(NULL, "spec.template");

	check_numbers(c, (const char *const[]){ "minReadySeconds", "replicas", NULL });
	if (!w->selector.labels.nr)
		refuse_missing(c, SUB(NULL, "spec.selector"), "%s", "");
	if (!val_is(template, VAL_MAP)) {
		refuse_missing(c, p, "%s", "");
		return;
	}
	if (w->selector.labels.nr && !pairs_match(&w->selector.labels, &w->template.labels))
		refuse_val(c, SUB(p, "metadata.labels"), val_path(template, "metadata.labels"), "`selector` does not match template `labels`");
	template_check(c, template, p, NULL);
	check_endless(c, template, p, "ReplicationController");
}

void pod_template_check(struct check *c, const struct object *o)
{
	(void)o;
	template_check(c, val_get(c->root, "template"), SUB(NULL, "template"), NULL);
}

/* ValidateControllerRevisionCreate; an update asks less */
void controller_revision_check(struct check *c, const struct object *o)
{
	const struct val *data = val_get(c->root, "data");

	must_not_be_negative(c, SUB(NULL, "revision"), ((const struct controller_revision *)o)->revision);
	if (c->was)
		return;
	if (!data || val_is(data, VAL_NULL))
		refuse_missing(c, SUB(NULL, "data"), "data is mandatory");
	else if (!val_is(data, VAL_MAP))
		refuse_missing(c, SUB(NULL, "data"), "data must be a valid JSON object");
}

/* ---- update */

static void must_not_change(struct check *c, const struct object *now, const struct object *old, const char *path)
{
	const struct val *a = val_path(now->doc, path), *b = val_path(old->doc, path);

	if (now->doc && old->doc && !val_equal(a, b) && !(val_is(a, VAL_NULL) && !b) && !(val_is(b, VAL_NULL) && !a))
		refuse_val(c, SUB(NULL, path), a, "field is immutable");
}

void selector_check_update(struct check *c, const struct object *now, const struct object *old)
{
	must_not_change(c, now, old, "spec.selector");
}

/* The three-way merge of an apply takes out what is null, as {creationTimestamp: null} of a revision of old; it is no change. */
static bool same_but_nulls(const struct val *a, const struct val *b)
{
	if (val_is(a, VAL_LIST) && val_is(b, VAL_LIST) && a->nr == b->nr) {
		for (const struct val *x = a->first, *y = b->first; x && y; x = x->next, y = y->next)
			if (!same_but_nulls(x, y))
				return false;
		return true;
	}
	if (!val_is(a, VAL_MAP) || !val_is(b, VAL_MAP))
		return val_equal(a, b);
	VAL_EACH_KEY(m, a)
		if (has(a, m->key) && !same_but_nulls(val_get(a, m->key), val_get(b, m->key)))
			return false;
	VAL_EACH_KEY(m, b)
		if (has(b, m->key) && !has(a, m->key))
			return false;
	return true;
}

/* ValidateControllerRevisionUpdate */
void controller_revision_check_update(struct check *c, const struct object *now, const struct object *old)
{
	const struct val *data = ((const struct controller_revision *)now)->data;

	if (!same_but_nulls(data, ((const struct controller_revision *)old)->data))
		refuse_val(c, SUB(NULL, "data"), data, "field is immutable");
}

void statefulset_check_update(struct check *c, const struct object *now, const struct object *old)
{
	static const char *const fixed[] = { "spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates" };
	bool changed = false;

	for (size_t k = 0; now->doc && old->doc && k < ARRAY_LEN(fixed); k++) {
		const struct val *a = val_path(now->doc, fixed[k]), *b = val_path(old->doc, fixed[k]);

		changed = changed || !(a ? b && val_equal(a, b) : !b);
	}
	if (changed)
		refuse_forbidden(c, SUB(NULL, "spec"), "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
						       "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

void job_check_update(struct check *c, const struct object *now, const struct object *old)
{
	static const char *const fixed[] = { "spec.selector", "spec.template", "spec.completionMode", "spec.podFailurePolicy", "spec.backoffLimitPerIndex", "spec.managedBy", "spec.successPolicy" };
	const struct job *a = (const struct job *)now, *b = (const struct job *)old;

	if (!streq(a->completion_mode, "Indexed") && (a->completions.set != b->completions.set || a->completions.v != b->completions.v))
		refuse_val(c, SUB(NULL, "spec.completions"), val_path(now->doc, "spec.completions"), "field is immutable");
	else if (a->completions.set && a->completions.v != b->completions.v && a->completions.v != a->parallelism.v)
		refuse_int(c, SUB(NULL, "spec.completions"), a->completions.v, "can only be modified in tandem with spec.parallelism");
	for (size_t k = 0; k < ARRAY_LEN(fixed); k++)
		must_not_change(c, now, old, fixed[k]);
}
