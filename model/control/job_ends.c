#include "model/control/job_ends.h"

#include <stdlib.h>

#include "model/cluster/apply.h"

struct job_memory *job_memory(const struct control *t)
{
	return control_state(t, CTL_JOB);
}

bool job_finished(const struct job *j)
{
	return condition_status(&j->conditions, "Complete") == COND_TRUE || condition_status(&j->conditions, "Failed") == COND_TRUE;
}

bool only_failed_are_replaced(const struct job *j)
{
	return streq(j->replacement, "Failed");
}

int32_t index_of_pod(const struct pod *p)
{
	const char *s = label_get(&p->o.labels, "batch.kubernetes.io/job-completion-index");

	return s ? atoi(s) : -1;
}

static nsec ended_at(const struct pod *p)
{
	nsec last = 0;

	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].state == CS_TERMINATED && p->statuses.v[k].finished_at != NEVER)
			last = MAX(last, p->statuses.v[k].finished_at);
	return last;
}

static void remember(struct control *t, const struct job *j, const struct ended *e)
{
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at = map_put(&job_memory(t)->past, a, j->o.id.i);

	if (!*at)
		*at = map_ptr(arena_make(a, struct past));
	vec_add(a, (struct past *)(uintptr_t)*at, *e);
}

/* matchPodFailurePolicy */
struct ended job_end_of(const struct job *j, const struct pod *p, struct arena *a, const char **why)
{
	struct ended e = { streq(j->completion_mode, "Indexed") ? index_of_pod(p) : -1, p->phase == POD_SUCCEEDED, FAILURE_COUNTS, ended_at(p) };

	if (!e.succeeded)
		e.action = (uint8_t)failure_action(j->failure_policy, p, a, why);
	return e;
}

nsec job_batch(struct control *t, const struct object *job)
{
	uint64_t *at = table_at(t, &job_memory(t)->batch, job->id.i);

	if (*at <= (uint64_t)control_now(t))
		*at = (uint64_t)(control_now(t) + timing(T_JOB_BATCH));
	return (nsec)*at;
}

bool job_is_new(struct control *t, const struct object *job)
{
	uint64_t *seen = table_at(t, &job_memory(t)->seen, job->id.i), now = (uint64_t)job->generation + 1;
	bool differs = *seen != now;

	*seen = now;
	return differs;
}

/* isPodFailed: one that goes without having ended has failed, unless only failed ones are replaced. */
void job_pod_gone(struct control *t, const struct pod *p)
{
	const struct object *owner = control_owner(t, &p->o);
	const struct job *j = (const struct job *)owner;
	struct scratch s;
	struct ended e;
	const char *why;

	if (!owner || owner->kind != &job_kind || owner->gone || owner->deleted != NEVER || job_finished(j) || table_get(&job_memory(t)->given_up, p->o.id.i) ||
	    (!pod_is_terminal(p) && only_failed_are_replaced(j)))
		return;
	s = control_scratch(t);
	e = job_end_of(j, p, s.arena, &why);
	e.at = e.at ? e.at : control_now(t);
	remember(t, j, &e);
	scratch_end(s);
}

void job_gives_up(struct control *t, struct pod *p)
{
	*table_at(t, &job_memory(t)->given_up, p->o.id.i) = 1;
	apply_delete(control_cluster(t), &p->o);
}

void job_ends_save(struct control *t, struct arena *a, struct val *out)
{
	struct cluster *c = control_cluster(t);
	struct object_list l = cluster_list(c, &job_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct past *past = map_get_ptr(&job_memory(t)->past, l.v[k]->id.i);
		struct object_list pods = pods_made_by(c, l.v[k]->uid);
		struct val *ends = val_new(a, VAL_LIST), *given_up = val_new(a, VAL_LIST), *both;

		for (uint32_t i = 0; past && i < past->nr; i++) {
			struct val *e = val_add(a, ends, val_new(a, VAL_LIST));

			val_add(a, e, val_int(a, past->v[i].index));
			val_add(a, e, val_bool(a, past->v[i].succeeded));
			val_add(a, e, val_int(a, past->v[i].action));
			val_add(a, e, val_int(a, past->v[i].at));
		}
		for (uint32_t i = 0; i < pods.nr; i++)
			if (table_get(&job_memory(t)->given_up, pods.v[i]->id.i))
				val_add(a, given_up, val_string(a, pods.v[i]->name));
		uint64_t batch = table_get(&job_memory(t)->batch, l.v[k]->id.i);

		if (!ends->nr && !given_up->nr && !batch)
			continue;
		both = val_put_new(a, out, l.v[k]->uid, val_new(a, VAL_MAP));
		val_put(a, both, "ended", ends);
		val_put(a, both, "givenUp", given_up);
		if (batch)
			val_put(a, both, "batch", val_int(a, (int64_t)batch));
	}
}

void job_ends_load(struct control *t, const struct val *v)
{
	struct object_list l = cluster_list(control_cluster(t), &job_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		job_is_new(t, l.v[k]);
	VAL_EACH(one, v) {
		const struct object *o = control_by_uid(t, cluster_str(control_cluster(t), one->key));

		if (!o || o->kind != &job_kind)
			continue;
		*table_at(t, &job_memory(t)->batch, o->id.i) = (uint64_t)val_int_or(val_get(one, "batch"), 0);
		VAL_EACH(e, val_get(one, "ended"))
			remember(t, (const struct job *)o, &(struct ended){ .index = (int32_t)val_int_or(val_at(e, 0), -1), .succeeded = val_bool_or(val_at(e, 1), false),
									    .action = (uint8_t)val_int_or(val_at(e, 2), FAILURE_COUNTS), .at = val_int_or(val_at(e, 3), 0) });
		VAL_EACH(name, val_get(one, "givenUp")) {
			const struct pod *p = val_str(name) ? find_pod(control_cluster(t), o->ns, val_str(name)) : NULL;

			if (p)
				*table_at(t, &job_memory(t)->given_up, p->o.id.i) = 1;
		}
	}
}
