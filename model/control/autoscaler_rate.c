#include "model/control/autoscaler.h"

#include <math.h>

/* ---- what was recommended: the steadiest within the windows */

static nsec window_of(const struct pace *p, const char *way)
{
	const struct val *set = val_get(p->behavior, way), *seconds = val_get(set, "stabilizationWindowSeconds");

	return seconds ? SECONDS(val_int_or(seconds, 0)) : streq(way, "scaleUp") ? 0 : timing(T_HPA_DOWN_STABLE);
}

static int32_t stabilized(struct hpa_memory *m, struct arena *a, const struct pace *p, int32_t desired)
{
	nsec up_window = window_of(p, "scaleUp"), down_window = window_of(p, "scaleDown"), longest = MAX(up_window, down_window);
	int32_t up = desired, down = desired, out = p->current;
	uint32_t to = 0;

	for (uint32_t k = 0; k < m->told.nr; k++) {
		const struct scale_event *r = &m->told.v[k];

		if (r->at > p->now - up_window)
			up = MIN(up, r->change);
		if (r->at > p->now - down_window)
			down = MAX(down, r->change);
		if (r->at > p->now - longest)
			m->told.v[to++] = *r;
	}
	m->told.nr = to;
	vec_add(a, &m->told, ((struct scale_event){ desired, p->now }));
	if (!p->behavior)
		return down;
	out = MAX(out, up);
	return MIN(out, down);
}

/* ---- how fast it may change */

static int32_t as_count(double v)
{
	return (int32_t)MAX(MIN(v, (double)INT32_MAX), (double)INT32_MIN);
}

static int32_t changed_within(const struct scale_event *v, uint32_t nr, nsec since)
{
	int32_t sum = 0;

	for (uint32_t k = 0; k < nr; k++)
		sum += v[k].at > since ? v[k].change : 0;
	return sum;
}

static int32_t limit_of(const struct hpa_memory *m, const struct pace *p, const char *way, bool up)
{
	const struct val *rules = val_get(p->behavior, way);
	const char *select = val_str_at(rules, "selectPolicy");
	bool least = streq(select, "Min") == up, any = false;        /* of limits below, Max is the lowest */
	int32_t out = p->current;

	if (streq(select, "Disabled"))
		return p->current;
	VAL_EACH(policy, val_get(rules, "policies")) {
		nsec since = p->now - SECONDS(val_int_or(val_get(policy, "periodSeconds"), 0));
		int32_t start = p->current - changed_within(m->up.v, m->up.nr, since) + changed_within(m->down.v, m->down.nr, since);
		int32_t value = (int32_t)val_int_or(val_get(policy, "value"), 0), one;

		if (streq(val_str_at(policy, "type"), "Pods"))
			one = as_count(up ? (double)start + value : (double)start - value);
		else
			one = as_count(up ? ceil(start * (1 + value / 100.0)) : start * (1 - value / 100.0));
		out = !any ? one : least ? MIN(out, one) : MAX(out, one);
		any = true;
	}
	return out;
}

static void limited(struct paced *out, bool yes, const char *reason, const char *why)
{
	out->limited = yes;
	out->limit = reason;
	out->limit_why = why;
}

/* convertDesiredReplicasWithRules, convertDesiredReplicasWithBehaviorRate: the nearer of two bounds gives the reason. */
static void bounded(struct hpa_memory *m, const struct pace *p, struct paced *out)
{
	bool up = out->replicas > p->current || !p->behavior, down = out->replicas < p->current || !p->behavior;
	int32_t most = p->most, least = p->least;
	bool by_rate = false;

	if (up) {
		int32_t rate = p->behavior ? MAX(limit_of(m, p, "scaleUp", true), p->current) : as_count(MAX(2.0 * p->current, 4));

		by_rate = rate < most;
		most = MIN(most, rate);
	}
	if (down && p->behavior) {
		int32_t rate = MIN(limit_of(m, p, "scaleDown", false), p->current);

		by_rate = rate > least;
		least = MAX(least, rate);
	}
	limited(out, false, "DesiredWithinRange", "the desired count is within the acceptable range");
	if (out->replicas < least) {
		if (p->behavior && by_rate)
			limited(out, true, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
		else
			limited(out, true, "TooFewReplicas", "the desired replica count is less than the minimum replica count");
		out->replicas = least;
	} else if (out->replicas > most) {
		if (by_rate)
			limited(out, true, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
		else
			limited(out, true, "TooManyReplicas", "the desired replica count is more than the maximum replica count");
		out->replicas = most;
	}
}

struct paced pace_replicas(struct hpa_memory *m, struct arena *a, const struct pace *p, int32_t desired)
{
	struct paced out = { .able = "ReadyForNewScale", .able_why = "recommended size matches current size" };

	if (!m->told.nr)
		vec_add(a, &m->told, ((struct scale_event){ p->current, p->now }));
	out.replicas = stabilized(m, a, p, desired);
	if (out.replicas > desired) {
		out.able = "ScaleDownStabilized";
		out.able_why = "recent recommendations were higher than current one, applying the highest recent recommendation";
	} else if (out.replicas < desired) {
		out.able = "ScaleUpStabilized";
		out.able_why = "recent recommendations were lower than current one, applying the lowest recent recommendation";
	}
	bounded(m, p, &out);
	return out;
}

/* One that is older than all periods has no say any more, and gives its place to the new one (markScaleEventsOutdated). */
static void store(scale_events *l, struct arena *a, const struct val *rules, struct scale_event e)
{
	struct scale_event *old = NULL;
	nsec longest = 0;

	VAL_EACH(policy, val_get(rules, "policies"))
		longest = MAX(longest, SECONDS(val_int_or(val_get(policy, "periodSeconds"), 0)));
	for (uint32_t k = 0; k < l->nr; k++)
		if (l->v[k].at < e.at - longest)
			old = &l->v[k];
	if (old)
		*old = e;
	else
		vec_add(a, l, e);
}

/* storeScaleEvent: where there is no behavior nothing asks for them. */
void pace_done(struct hpa_memory *m, struct arena *a, const struct pace *p, int32_t replicas)
{
	int32_t change = replicas - p->current;

	if (!p->behavior)
		return;
	if (change > 0)
		store(&m->up, a, val_get(p->behavior, "scaleUp"), (struct scale_event){ change, p->now });
	else
		store(&m->down, a, val_get(p->behavior, "scaleDown"), (struct scale_event){ -change, p->now });
}
