/* Host ports, taints, evictions: units/14, through the API and the controllers. */
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

static struct cell begin(const struct val *c)
{
	struct cell x = cell_new(1);

	x.lax = true;
	VAL_EACH(o, val_path(c, "given.objects"))
		CASE_ASSERT(c, cell_doc(&x, o) != APPLY_ERROR);
	if (err_any(&x.err))
		err_print(&x.err, stderr);
	return x;
}

static void placing(const struct val *c)
{
	struct cell x = begin(c);
	struct pod *p = cell_pod(&x, "new") ? cell_pod(&x, "new") : cell_pod(&x, "pod1");
	const char *reason = val_str_at(c, "expect.reason");

	cell_settle(&x);
	CASE_ASSERT(c, (p->node != NULL) == val_bool_or(val_path(c, "expect.fits"), false));
	if (reason) {
		const struct condition *why = condition_get(&p->conditions, "PodScheduled");

		CASE_ASSERT(c, why && why->status == COND_FALSE && strstr(why->message, reason));
		CASE_ASSERT(c, strstr(cell_event(&x, "FailedScheduling"), "0/1 nodes are available: 1 ") != NULL);
	}
	cell_free(&x);
}

static void change_tolerations(struct cell *x, const struct val *c, const char *step)
{
	struct val *pod = val_copy(x->a, val_at(val_path(c, "given.objects"), 1));
	struct val *t = (struct val *)(uintptr_t)val_at(val_path(pod, "spec.tolerations"), 0);
	struct apply_options opt = { .respect_status = true };

	val_put(x->a, t, "tolerationSeconds", val_int(x->a, atoi(strstr(step, "tolerationSeconds ") + 18)));
	CASE_ASSERT(c, apply_replace(x->c, &cell_pod(x, "pod1")->o, pod, &opt, &x->err) != APPLY_ERROR);
}

static bool leaving(void *ctx)
{
	const struct pod *p = cell_pod(ctx, "pod1");

	return !p || p->o.deleted != NEVER;
}

static void evicting(const struct val *c)
{
	struct cell x = begin(c);
	nsec after = SECONDS(val_int_or(val_path(c, "expect.after"), 1000));
	bool gone;

	VAL_EACH(step, val_path(c, "given.steps")) {
		nsec at = (nsec)(strtod(step->s + 2, NULL) * 1e9);

		control_advance_until(x.t, at, leaving, &x);
		if (at)
			change_tolerations(&x, c, step->s);
	}
	gone = control_advance_until(x.t, SECONDS(600), leaving, &x);
	CASE_ASSERT(c, gone == val_bool_or(val_path(c, "expect.evicted"), false));
	CASE_ASSERT(c, !gone || cluster_now(x.c) == after);
	cell_free(&x);
}

static void one_case(const struct val *c)
{
	if (val_path(c, "expect.fits"))
		placing(c);
	else
		evicting(c);
}

TEST(pods_fit_and_leave_as_upstream_says)
{
	unit_each("14-scheduling", 17, one_case);
}
