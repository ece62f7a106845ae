/* Job and CronJob. Source: kubernetes pkg/apis/batch/validation/validation.go. */
#include <stdlib.h>
#include <strings.h>

#include "model/api/cron.h"
#include "model/base/zone.h"
#include "model/api/pod_rules.h"

static const char *const modes[] = { "NonIndexed", "Indexed", NULL }, *const ends[] = { "OnFailure", "Never", NULL };
static const char *const replacements[] = { "Failed", "TerminatingOrFailed", NULL }, *const failed[] = { "Failed", NULL };
static const char *const actions[] = { "Count", "FailIndex", "FailJob", "Ignore", NULL }, *const operators[] = { "In", "NotIn", NULL };
static const char *const statuses[] = { "False", "True", "Unknown", NULL }, *const concurrencies[] = { "Allow", "Forbid", "Replace", NULL };

/* ---- podFailurePolicy, successPolicy */

static bool container_named(const struct val *pod, const char *name)
{
	const char *const lists[] = { "containers", "initContainers" };

	for (int k = 0; k < 2; k++)
		VAL_EACH(v, val_get(pod, lists[k]))
			if (strcmp(text_of(v, "name"), name) == 0)
				return true;
	return false;
}

static void check_exit_codes(struct check *c, const struct val *v, const struct val *pod, const struct path *p)
{
	const struct val *values = val_get(v, "values");
	bool in = strcmp(text_of(v, "operator"), "In") == 0, ordered = true;
	uint32_t i = 0;

	if (!*text_of(v, "operator"))
		refuse_missing(c, SUB(p, "operator"), "valid values: [\"In\" \"NotIn\"]");
	need_one_of(c, v, p, "operator", operators);
	if (has(v, "containerName") && !container_named(pod, text_of(v, "containerName")))
		refuse_str(c, SUB(p, "containerName"), text_of(v, "containerName"), "must be one of the container or initContainer names in the pod template");
	if (!values || !values->nr)
		refuse_val(c, SUB(p, "values"), values, "at least one value is required");
	else if (values->nr > 255)
		refuse_many(c, SUB(p, "values"), values->nr, 255);
	VAL_EACH(x, values) {
		const struct path *at = ITEM(SUB(p, "values"), i++);

		if (in && val_int_or(x, 1) == 0)
			refuse_int(c, at, 0, "must not be 0 for the In operator");
		VAL_EACH(other, values) {
			if (other == x)
				break;
			if (val_equal(other, x)) {
				refuse_duplicate_val(c, at, x);
				break;
			}
		}
		ordered = ordered && (!x->next || val_int_or(x, 0) <= val_int_or(x->next, 0));
	}
	if (!ordered)
		refuse_val(c, SUB(p, "values"), values, "must be ordered");
}

static void check_failure_rule(struct check *c, const struct val *spec, const struct val *v, const struct path *p)
{
	const struct val *conditions = val_get(v, "onPodConditions"), *codes = val_get(v, "onExitCodes");
	const char *action = text_of(v, "action");
	bool conditional = conditions && conditions->nr;
	uint32_t i = 0;

	if (!*action)
		refuse_missing(c, SUB(p, "action"), "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
	else if (strcmp(action, "FailIndex") == 0 && !has(spec, "backoffLimitPerIndex"))
		refuse_str(c, SUB(p, "action"), action, "requires the backoffLimitPerIndex to be set");
	need_one_of(c, v, p, "action", actions);
	if (has(v, "onExitCodes"))
		check_exit_codes(c, codes, val_path(spec, "template.spec"), SUB(p, "onExitCodes"));
	if (conditional && conditions->nr > 20)
		refuse_many(c, SUB(p, "onPodConditions"), conditions->nr, 20);
	VAL_EACH(x, conditions) {
		const struct path *at = ITEM(SUB(p, "onPodConditions"), i++);

		must_be_label_key(c, SUB(at, "type"), text_of(x, "type"));
		need_one_of(c, x, at, "status", statuses);
	}
	if (has(v, "onExitCodes") && conditional)
		refuse_omitted(c, p, "specifying both OnExitCodes and OnPodConditions is not supported");
	if (!has(v, "onExitCodes") && !conditional)
		refuse_omitted(c, p, "specifying one of OnExitCodes and OnPodConditions is required");
}

/* validateIndexesFormat: "1,3-5" in ascending order, below the number of completions. The number of indexes, or -1 with why. */
static int64_t count_indexes(const char *text, int64_t completions, char why[160])
{
	int64_t total = 0, last = -1;

	while (*text) {
		size_t n = strcspn(text, ",");
		int64_t at[2] = { 0, 0 };
		uint32_t nr = 0;

		for (const char *p = text; p <= text + n; nr++) {
			size_t digits = MIN(strcspn(p, "-"), (size_t)(text + n - p));
			char *end;

			if (nr == 2) {
				snprintf(why, 160, "the fragment \"%.*s\" violates the requirement that an index interval can have at most two parts separated by '-'", (int)MIN(n, 24U), text);
				return -1;
			}
			at[nr] = strtol(p, &end, 10);
			if (!digits || end != p + digits || strspn(p, "0123456789+") < digits) {
				snprintf(why, 160, "cannot convert string to integer for index: \"%.*s\"", (int)MIN(digits, 64U), p);
				return -1;
			}
			if (at[nr] >= completions) {
				snprintf(why, 160, "too large index: \"%.*s\"", (int)MIN(digits, 64U), p);
				return -1;
			}
			p += digits + 1;
		}
		if (last >= at[0] || (nr == 2 && at[0] >= at[1])) {
			snprintf(why, 160, "non-increasing order, previous: %" PRId64 ", current: %" PRId64, last >= at[0] ? last : at[0], last >= at[0] ? at[0] : at[1]);
			return -1;
		}
		last = nr == 2 ? at[1] : at[0];
		total += last - at[0] + 1;
		text += n;
		if (*text && !*++text) {
			snprintf(why, 160, "cannot convert string to integer for index: \"\"");
			return -1;
		}
	}
	return total;
}

static void check_success_rule(struct check *c, const struct val *spec, const struct val *v, const struct path *p)
{
	int64_t completions = int_of(spec, "completions", INT32_MAX), nr = int_of(v, "succeededCount", 0), named = 0;
	char why[160];

	if (!has(v, "succeededCount") && !has(v, "succeededIndexes"))
		refuse_missing(c, p, "at least one of succeededCount or succeededIndexes must be specified");
	if (strlen(text_of(v, "succeededIndexes")) > 64 * 1024)
		refuse_long(c, SUB(p, "succeededIndexes"), 64 * 1024);
	if (has(v, "succeededIndexes"))
		named = count_indexes(text_of(v, "succeededIndexes"), completions, why);
	if (named < 0)
		refuse_str(c, SUB(p, "succeededIndexes"), text_of(v, "succeededIndexes"), "error parsing succeededIndexes: %s", why);
	must_not_be_negative(c, SUB(p, "succeededCount"), nr);
	if (nr > completions)
		refuse_int(c, SUB(p, "succeededCount"), nr, "must be less than or equal to %" PRId64 " (the number of specified completions)", completions);
	if (has(v, "succeededIndexes") && nr > MAX(named, 0))
		refuse_int(c, SUB(p, "succeededCount"), nr, "must be less than or equal to %" PRId64 " (the number of indexes in the specified succeededIndexes field)", MAX(named, 0));
}

static void check_policies(struct check *c, const struct val *spec, const struct path *p, bool indexed)
{
	const struct val *failures = val_path(spec, "podFailurePolicy.rules"), *successes = val_path(spec, "successPolicy.rules");
	const struct path *at = SUB(p, "podFailurePolicy.rules");
	uint32_t i = 0;

	if (failures && failures->nr > 20)
		refuse_many(c, at, failures->nr, 20);
	VAL_EACH(v, failures)
		check_failure_rule(c, spec, v, ITEM(at, i++));
	need_one_of(c, spec, p, "podReplacementPolicy", has(spec, "podFailurePolicy") ? failed : replacements);
	if (!has(spec, "successPolicy"))
		return;
	at = SUB(p, "successPolicy.rules");
	if (!indexed) {
		refuse_val(c, SUB(p, "successPolicy"), val_get(spec, "successPolicy"), "requires indexed completion mode");
		return;
	}
	if (!successes || !successes->nr)
		refuse_missing(c, at, "at least one rules must be specified when the successPolicy is specified");
	i = 0;
	if (successes && successes->nr > 20)
		refuse_many(c, at, successes->nr, 20);
	VAL_EACH(v, successes)
		check_success_rule(c, spec, v, ITEM(at, i++));
}

/* ---- Job */

static void check_indexed(struct check *c, const struct val *spec, const struct path *p)
{
	static const char *const bounded[] = { "parallelism", "maxFailedIndexes" };

	if (!has(spec, "completions") && has(spec, "parallelism"))
		refuse_missing(c, SUB(p, "completions"), "when completion mode is Indexed");
	if (int_of(spec, "parallelism", 0) > 100000)
		refuse_int(c, SUB(p, "parallelism"), int_of(spec, "parallelism", 0), "must be less than or equal to 100000 when completion mode is Indexed");
	if (has(spec, "completions") && int_of(spec, "maxFailedIndexes", 0) > int_of(spec, "completions", 0))
		refuse_int(c, SUB(p, "maxFailedIndexes"), int_of(spec, "maxFailedIndexes", 0), "must be less than or equal to completions");
	if (int_of(spec, "maxFailedIndexes", 0) > 100000)
		refuse_int(c, SUB(p, "maxFailedIndexes"), int_of(spec, "maxFailedIndexes", 0), "must be less than or equal to 100000");
	if (int_of(spec, "completions", 0) <= 100000 || !has(spec, "backoffLimitPerIndex"))
		return;
	if (!has(spec, "maxFailedIndexes"))
		refuse_missing(c, SUB(p, "maxFailedIndexes"), "must be specified when completions is above 100000");
	for (size_t k = 0; k < ARRAY_LEN(bounded); k++)
		if (int_of(spec, bounded[k], 0) > 10000)
			refuse_int(c, SUB(p, bounded[k]), int_of(spec, bounded[k], 0), "must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index");
}

static void job_spec_check(struct check *c, const struct val *spec, const struct path *p)
{
	static const char *const numbers[] = { "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes" };
	const char *restart = text_of(val_path(spec, "template.spec"), "restartPolicy");
	bool indexed = strcmp(text_of(spec, "completionMode"), "Indexed") == 0;
	const struct path *at = SUB(p, "template.spec.restartPolicy");

	for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
		must_not_be_negative(c, SUB(p, numbers[k]), int_of(spec, numbers[k], 0));
	if (has(spec, "maxFailedIndexes") && !has(spec, "backoffLimitPerIndex"))
		refuse_missing(c, SUB(p, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	if (has(spec, "managedBy"))
		must_be_domain_path(c, SUB(p, "managedBy"), text_of(spec, "managedBy"));
	if (strlen(text_of(spec, "managedBy")) > 63)
		refuse_long(c, SUB(p, "managedBy"), 63);
	need_one_of(c, spec, p, "completionMode", modes);
	if (indexed)
		check_indexed(c, spec, p);
	for (int k = 5; !indexed && k < 7; k++)
		if (has(spec, numbers[k]))
			refuse_int(c, SUB(p, numbers[k]), int_of(spec, numbers[k], 0), "requires indexed completion mode");
	check_policies(c, spec, p, indexed);
	template_check(c, val_get(spec, "template"), SUB(p, "template"), NULL);
	if (!*restart || strcmp(restart, "Always") == 0)
		refuse_missing(c, at, "valid values: \"OnFailure\", \"Never\"");
	else if (!one_of(restart, ends))
		refuse_unsupported(c, at, restart, ends);
	else if (has(spec, "podFailurePolicy") && strcmp(restart, "Never") != 0)
		refuse_str(c, at, restart, "only \"Never\" is supported when podFailurePolicy is specified");
}

void job_check(struct check *c, const struct object *o)
{
	const struct job *j = (const struct job *)o;
	const struct val *selector = val_path(c->root, "spec.selector");
	const struct path *p = SUB(NULL, "spec");

	job_spec_check(c, val_get(c->root, "spec"), p);
	if (j->manual_selector && !val_is(selector, VAL_MAP))
		refuse_missing(c, SUB(p, "selector"), "%s", "");
	must_be_selector_val(c, SUB(p, "selector"), selector, false);
	if (j->manual_selector && val_is(selector, VAL_MAP) && !selector_matches(&j->selector, &j->template.labels))
		refuse_val(c, SUB(p, "template.metadata.labels"), val_path(c->root, "spec.template.metadata.labels"), "`selector` does not match template `labels`");
	if (!j->manual_selector && val_is(selector, VAL_MAP) && selector->nr && !has(val_get(c->root, "status"), "startTime") && !val_path(c->root, "metadata.uid"))
		refuse_val(c, SUB(p, "selector"), selector, "`selector` not auto-generated");
}

/* ---- CronJob */

static bool zone_form(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		if (n < 1 || n > 14 || *s == '-' || (n == 1 && *s == '.') || (n == 2 && strncmp(s, "..", 2) == 0))
			return false;
		if (strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_0123456789+") < n)
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

static void check_zone(struct check *c, const struct path *p, const char *name)
{
	struct arena *a = arena_new(NULL, "zone");
	struct zone z;
	const char *why;

	if (!zone_load(a, name, &z, &why)) {
		if (zone_database())
			refuse_str(c, p, name, "unknown time zone %s", name);
		else
			warn_of(c, p, "%s (/usr/share/zoneinfo, package tzdata): nobody knows when %s is, and no Job is made", why, name);
	}
	arena_free(a);
}

static void check_schedule(struct check *c, const char *schedule)
{
	const struct path *p = SUB(NULL, "spec.schedule");
	struct cron cron;
	char why[256];

	if (!*schedule) {
		refuse_missing(c, p, "%s", "");
		return;
	}
	if (!cron_parse(schedule, &cron, why))
		refuse_str(c, p, schedule, "%s", why);
	if (strstr(schedule, "TZ"))
		refuse_str(c, p, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
}

void cron_job_check(struct check *c, const struct object *o)
{
	const struct cron_job *j = (const struct cron_job *)o;
	const struct val *template = val_path(c->root, "spec.jobTemplate"), *spec = val_get(c->root, "spec");
	const struct path *p = SUB(NULL, "spec"), *zone = SUB(p, "timeZone");

	check_schedule(c, j->schedule ? j->schedule : "");
	must_not_be_negative(c, SUB(p, "startingDeadlineSeconds"), int_of(spec, "startingDeadlineSeconds", 0));
	if (j->time_zone && !*j->time_zone)
		refuse_str(c, zone, "", "timeZone must be nil or non-empty string");
	else if (j->time_zone && strcasecmp(j->time_zone, "Local") == 0)
		refuse_str(c, zone, j->time_zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
	else if (j->time_zone && !zone_form(j->time_zone))
		refuse_str(c, zone, j->time_zone, "unknown time zone %s", j->time_zone);
	else if (j->time_zone)
		check_zone(c, zone, j->time_zone);
	need_one_of(c, spec, p, "concurrencyPolicy", concurrencies);
	job_spec_check(c, val_get(template, "spec"), SUB(p, "jobTemplate.spec"));
	if (has(val_get(template, "spec"), "selector"))
		refuse_val(c, SUB(p, "jobTemplate.spec.selector"), val_path(template, "spec.selector"), "`selector` will be auto-generated");
	if (true_of(val_get(template, "spec"), "manualSelector"))
		refuse_unsupported_text(c, SUB(p, "jobTemplate.spec.manualSelector"), "true", (const char *const[]){ "nil", "false", NULL });
	must_not_be_negative(c, SUB(p, "successfulJobsHistoryLimit"), int_of(spec, "successfulJobsHistoryLimit", 0));
	must_not_be_negative(c, SUB(p, "failedJobsHistoryLimit"), int_of(spec, "failedJobsHistoryLimit", 0));
	if (strlen(o->name) > 52)
		refuse_str(c, SUB(NULL, "metadata.name"), o->name, "must be no more than 52 characters");
}
