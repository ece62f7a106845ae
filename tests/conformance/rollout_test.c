/* Fenceposts, sizes, who is deleted first, slow start: units/12. */
#include "model/control/rollout.h"
#include "tests/conformance/units.h"

static struct int_or_str number(const struct val *v)
{
	return (struct int_or_str){ .s = val_str(v), .i = (int32_t)val_int_or(v, 0), .set = v && v->type != VAL_NULL };
}

static void fenceposts(const struct val *c)
{
	const struct val *want = val_path(c, "expect.rows")->first;

	VAL_EACH(r, val_path(c, "given.rows")) {
		struct int_or_str surge = number(val_get(r, "maxSurge")), unavailable = number(val_get(r, "maxUnavailable"));
		struct fence f = resolve_fenceposts(&surge, &unavailable, (int32_t)val_int_or(val_get(r, "replicas"), 0));

		CASE_ASSERT(c, f.surge == val_int_or(val_get(want, "surge"), -1));
		CASE_ASSERT(c, f.unavailable == val_int_or(val_get(want, "unavailable"), -1));
		want = want->next;
	}
}

static struct workload deployment(const struct val *spec)
{
	return (struct workload){ .replicas = (int32_t)val_int_or(val_get(spec, "replicas"), 1), .strategy = val_str_at(spec, "strategy.type"),
				  .max_surge = number(val_path(spec, "strategy.rollingUpdate.maxSurge")),
				  .max_unavailable = number(val_path(spec, "strategy.rollingUpdate.maxUnavailable")) };
}

static void unavailable(const struct val *c)
{
	const struct val *want = val_path(c, "expect.maxUnavailable")->first;

	VAL_EACH(r, val_path(c, "given.rows")) {
		struct workload w = deployment(r);

		CASE_ASSERT(c, max_unavailable(&w) == val_int_or(want, -1));
		want = want->next;
	}
}

static void sizes(const struct val *c)
{
	const struct val *want = val_path(c, "expect.newRSReplicas")->first;

	VAL_EACH(r, val_path(c, "given.rows")) {
		struct workload w = { .replicas = (int32_t)val_int_or(val_get(r, "deploymentReplicas"), 0), .strategy = val_str_at(r, "strategy"),
				      .max_surge = number(val_get(r, "maxSurge")) };
		int32_t now = (int32_t)val_int_or(val_get(r, "newRSReplicas"), 0);

		CASE_ASSERT(c, new_replicas(&w, now, now) == val_int_or(want, -1));
		want = want->next;
	}
}

static void quarter(const struct val *c)
{
	const struct val *surge = val_path(c, "expect.surge")->first, *down = val_path(c, "expect.unavailable")->first;
	const struct int_or_str q = { .s = "25%", .set = true };

	VAL_EACH(r, val_path(c, "given.rows")) {
		struct fence f = resolve_fenceposts(&q, &q, (int32_t)r->i);

		CASE_ASSERT(c, f.surge == surge->i && f.unavailable == down->i);
		surge = surge->next;
		down = down->next;
	}
}

static struct candidate candidate(struct arena *a, const struct val *v)
{
	struct pod *p = arena_make(a, struct pod);
	const char *phase = val_str_at(v, "status.phase"), *cost = val_str(val_get(val_path(v, "metadata.annotations"), "controller.kubernetes.io/pod-deletion-cost"));
	struct condition *ready = arena_make(a, struct condition);

	cost = cost ? cost : val_str(val_get(val_get(v, "annotations"), "controller.kubernetes.io/pod-deletion-cost"));
	p->o.name = val_str_at(v, "metadata.name") ? val_str_at(v, "metadata.name") : val_str_at(v, "name");
	p->o.uid = p->o.name;
	p->node = val_str_at(v, "spec.nodeName");
	p->phase = streq(phase, "Pending") ? POD_PENDING : POD_RUNNING;
	ready->type = "Ready";
	ready->status = phase && !streq(val_str_at(v, "status.conditions.0.status"), "True") ? COND_FALSE : COND_TRUE;
	ready->changed = streq(val_str_at(v, "readySince"), "0 s ago") ? SECONDS(30 * 86400) : 0;
	p->conditions.v = ready;
	p->conditions.nr = 1;
	if (val_get(v, "restartCount")) {
		p->statuses.v = arena_make(a, struct container_status);
		p->statuses.v[0].restarts = (int32_t)val_int_or(val_get(v, "restartCount"), 0);
		p->statuses.nr = 1;
	}
	if (cost) {
		p->o.annotations.v = arena_make(a, struct pair);
		p->o.annotations.v[0] = (struct pair){ "controller.kubernetes.io/pod-deletion-cost", cost };
		p->o.annotations.nr = 1;
	}
	return (struct candidate){ .pod = p };
}

static void deleted_first(struct arena *a, const struct val *c)
{
	const struct val *list = val_path(c, "expect.deleted"), *one = val_path(c, "expect.deletedFirst");
	struct candidate v[8];
	uint32_t nr = 0, k = 0;

	VAL_EACH(p, val_path(c, "given.pods"))
		v[nr++] = candidate(a, p);
	sort_for_deletion(v, nr, nr, SECONDS(30 * 86400));
	VAL_EACH(name, list) {
		CASE_ASSERT(c, strcmp(v[k++].pod->o.name, name->s) == 0);
	}
	if (one)
		CASE_ASSERT(c, strcmp(v[0].pod->o.name, val_str(one)) == 0);
}

struct calls { int64_t made, fail_after; };

static bool make(void *ctx)
{
	struct calls *x = ctx;

	return x->made++ < x->fail_after;
}

static void slow(const struct val *c)
{
	const struct val *calls = val_path(c, "expect.calls")->first, *good = val_path(c, "expect.successes")->first;

	VAL_EACH(r, val_path(c, "given.rows")) {
		struct calls x = { 0, val_int_or(val_get(r, "failAfter"), INT64_MAX) };

		CASE_ASSERT(c, slow_start((uint32_t)val_int_or(val_get(r, "count"), 0), make, &x) == good->i);
		CASE_ASSERT(c, x.made == calls->i);
		calls = calls->next;
		good = good->next;
	}
}

TEST(workload_arithmetic)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "12-workloads");

	if (all) {
		fenceposts(unit_case(all, "wl-01-fenceposts"));
		unavailable(unit_case(all, "wl-02-max-unavailable"));
		sizes(unit_case(all, "wl-03-new-rs-size"));
		quarter(unit_case(all, "wl-05-default-25"));
		slow(unit_case(all, "wl-15-slow-start"));
		VAL_EACH(c, all)
			if (val_path(c, "given.pods"))
				deleted_first(a, c);
	}
	arena_free(a);
}
