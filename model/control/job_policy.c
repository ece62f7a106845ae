#include "model/control/job_policy.h"

#include <stdlib.h>

static bool code_matches(const struct val *rule, int32_t code)
{
	bool listed = false;

	VAL_EACH(v, val_get(rule, "values"))
		listed = listed || val_int_or(v, -1) == code;
	return streq(val_str_at(rule, "operator"), "In") ? listed : streq(val_str_at(rule, "operator"), "NotIn") && !listed;
}

/* getMatchingContainerFromList: containers first, then init containers. */
static const struct container_status *exit_that_matches(const struct pod *p, const struct val *rule)
{
	const char *name = val_str_at(rule, "containerName");

	for (int init = 0; init < 2; init++)
		for (uint32_t k = 0; k < p->statuses.nr; k++) {
			const struct container_status *s = &p->statuses.v[k];

			if (s->init == (init == 1) && s->state == CS_TERMINATED && (!name || streq(name, s->name)) && s->exit_code && code_matches(rule, s->exit_code))
				return s;
		}
	return NULL;
}

static const struct condition *condition_that_matches(const struct pod *p, const struct val *patterns)
{
	for (uint32_t k = 0; k < p->conditions.nr; k++)
		VAL_EACH(v, patterns) {
			const char *status = val_str_at(v, "status");

			if (streq(p->conditions.v[k].type, val_str_at(v, "type")) && streq(cond_status_names[p->conditions.v[k].status], status ? status : "True"))
				return &p->conditions.v[k];
		}
	return NULL;
}

enum failure_action failure_action(const struct val *policy, const struct pod *p, struct arena *a, const char **message)
{
	uint32_t at = 0;

	VAL_EACH(rule, val_get(policy, "rules")) {
		const struct val *codes = val_get(rule, "onExitCodes"), *patterns = val_get(rule, "onPodConditions");
		const struct container_status *s = val_is(codes, VAL_MAP) ? exit_that_matches(p, codes) : NULL;
		const struct condition *c = val_is(codes, VAL_MAP) ? NULL : condition_that_matches(p, patterns);
		const char *action = val_str_at(rule, "action");
		uint32_t i = at++;

		if (!s && !c)
			continue;
		if (streq(action, "Ignore"))
			return FAILURE_IGNORED;
		if (streq(action, "FailIndex"))
			return FAILURE_FAILS_INDEX;
		if (streq(action, "Count"))
			return FAILURE_COUNTS;
		if (!streq(action, "FailJob"))
			continue;
		*message = s ? arena_printf(a, "Container %s for pod %s/%s failed with exit code %d matching FailJob rule at index %u", s->name, p->o.ns, p->o.name, s->exit_code, i) :
			       arena_printf(a, "Pod %s/%s has condition %s matching FailJob rule at index %u", p->o.ns, p->o.name, c->type, i);
		return FAILURE_FAILS_JOB;
	}
	return FAILURE_COUNTS;
}

/* How many of the indexes that the text names (0,2-4) are there, and how many are in. */
static void count_named(const char *text, const bool *in, int32_t nr, int32_t completions, int64_t *named, int32_t *have)
{
	*named = *have = 0;
	while (text && *text) {
		char *end;
		long first = strtol(text, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;

		if (end == text || (*end && *end != ',')) {     /* an import's may be anything: such a rule is not met */
			*named = *have = 0;
			return;
		}
		first = MAX(first, 0L);
		last = MIN(last, (long)completions - 1);
		*named += MAX(last - first + 1, 0L);
		for (long k = first; k <= last && k < nr; k++)
			*have += in[k];
		text = *end == ',' ? end + 1 : NULL;
	}
}

const char *success_met(const struct val *policy, const bool *in, int32_t nr, int32_t completions, struct arena *a)
{
	int32_t all = 0;
	uint32_t at = 0;

	for (int32_t k = 0; k < nr; k++)
		all += in[k];
	VAL_EACH(rule, all ? val_get(policy, "rules") : NULL) {
		const char *indexes = val_str_at(rule, "succeededIndexes");
		int64_t count = val_int_or(val_get(rule, "succeededCount"), INT64_MAX);
		int64_t named;
		int32_t have;
		bool met;

		count_named(indexes, in, nr, completions, &named, &have);
		met = indexes ? named && (have == named || have >= count) : all >= count;
		if (met)
			return arena_printf(a, "Matched rules at index %u", at);
		at++;
	}
	return NULL;
}

const char *indexes_text(const bool *in, int32_t nr, struct arena *a)
{
	struct sb out = { 0 };
	const char *text;

	for (int32_t k = 0; k < nr; k++) {
		int32_t last = k;

		if (!in[k])
			continue;
		while (last + 1 < nr && in[last + 1])
			last++;
		sb_printf(&out, "%s%d", out.len ? "," : "", k);
		if (last > k)
			sb_printf(&out, "%c%d", last == k + 1 ? ',' : '-', last);
		k = last;
	}
	text = arena_printf(a, "%s", sb_text(&out));
	sb_free(&out);
	return text;
}
