/* The rows of pkg/controller/job/{pod_failure_policy,success_policy}_test.go, as they stand there: units/20. */
#include "model/control/job_policy.h"
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

static const char *const actions[] = { [FAILURE_COUNTS] = "Count", [FAILURE_IGNORED] = "Ignore", [FAILURE_FAILS_INDEX] = "FailIndex", [FAILURE_FAILS_JOB] = "FailJob" };

static void check_failure(const struct val *row)
{
	const struct val *want = val_get(row, "want");
	struct cell x = cell_new(1);
	const char *message = NULL, *name = val_str_at(want, "action");
	enum failure_action got;

	x.lax = true;
	*cluster_flags(x.c) = (struct settings_flags){ .no_defaults = true, .respect = true };
	CASE_ASSERT(row, cell_doc(&x, val_get(row, "pod")) != APPLY_ERROR);
	got = failure_action(val_get(row, "policy"), cell_pod(&x, "mypod"), x.a, &message);
	CASE_ASSERT(row, strcmp(actions[got], name ? name : "Count") == 0);     /* no rule: it counts */
	CASE_ASSERT(row, (got != FAILURE_IGNORED) == val_bool_or(val_get(want, "counts"), false));
	CASE_ASSERT(row, strcmp(message ? message : "", val_str_at(want, "message") ? val_str_at(want, "message") : "") == 0);
	cell_free(&x);
}

static void check_success(const struct val *row)
{
	struct arena *a = arena_new(NULL, "test");
	int32_t completions = (int32_t)val_int_or(val_get(row, "completions"), 0);
	bool *in = arena_array(a, bool, completions);
	const char *want = val_str_at(val_get(row, "want"), "message"), *got;

	VAL_EACH(span, val_get(row, "succeeded"))
		for (int64_t k = val_int_or(val_at(span, 0), 0); k <= val_int_or(val_at(span, 1), -1) && k < completions; k++)
			in[k] = true;
	got = success_met(val_get(row, "success"), in, completions, completions, a);
	CASE_ASSERT(row, strcmp(got ? got : "", want ? want : "") == 0);
	arena_free(a);
}

static void check(const struct val *row)
{
	if (val_get(row, "policy"))
		check_failure(row);
	else
		check_success(row);
}

TEST(policies_of_jobs_decide_as_each_row_says)
{
	unit_each("20-job", 30, check);
}
