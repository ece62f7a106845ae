#include "model/control/job_tally.h"

/* What job_memory.counted holds of a Pod: its Job, and which of the ends is its; NO_END: none (yet). */
#define NO_END 0u

static uint64_t place(const struct object *job, uint32_t end)
{
	return (uint64_t)(job->id.i + 1) << 32 | end;
}

static struct tally *find(const struct control *t, uint32_t job)
{
	return map_get_ptr(&job_memory(t)->tallies, job);
}

static void admit(struct control *t, struct tally *x, const struct object *job, struct pod *p)
{
	struct living one = { p, NULL, -1 };

	vec_add(cluster_arena(control_cluster(t)), &x->living, one);
	*table_at(t, &job_memory(t)->counted, p->o.id.i) = place(job, NO_END);
}

static bool ended_alike(struct control *t, const struct tally *x, const struct job *j, const struct pod *p, uint32_t end)
{
	const struct ended *was = &x->ends.v[end - 1];
	struct scratch s = control_scratch(t);
	const char *why = NULL;
	struct ended e = job_end_of(j, p, s.arena, &why);

	scratch_end(s);
	return !why && pod_is_terminal(p) && e.index == was->index && e.succeeded == was->succeeded && e.action == was->action && e.at == was->at;
}

void tally_hears(struct control *t, const struct object *owner, const struct change *ch)
{
	struct pod *p = (struct pod *)ch->object;
	uint64_t known = table_get(&job_memory(t)->counted, p->o.id.i);
	struct tally *x = owner ? find(t, owner->id.i) : NULL, *was;
	uint32_t end = (uint32_t)known;

	if (known && (!owner || known >> 32 != owner->id.i + 1) && (was = find(t, (uint32_t)(known >> 32) - 1)))
		was->counted = false;
	if (!x || !x->counted)
		return;
	if (ch->kind == CHANGE_ADD && !known)
		admit(t, x, owner, p);
	else if (ch->kind == CHANGE_DELETE || known >> 32 != owner->id.i + 1 || (end != NO_END && !ended_alike(t, x, (const struct job *)owner, p, end)))
		x->counted = false;
}

#define GROWN(a, v, had, nr) ((v) = grown(a, v, (size_t)(had) * sizeof(*(v)), (size_t)(nr) * sizeof(*(v))))

static void *grown(struct arena *a, const void *v, size_t had, size_t size)
{
	void *to = arena_alloc(a, size, alignof(nsec));

	if (had)
		memcpy(to, v, had);
	return to;
}

static void hold(struct control *t, struct tally *x, int32_t nr)
{
	struct arena *a = cluster_arena(control_cluster(t));
	int32_t had = x->most;

	if (nr <= had)
		return;
	nr = had > INT32_MAX / 2 ? nr : MAX(nr, 2 * had);
	GROWN(a, x->done_index, had, nr);
	GROWN(a, x->lost_index, had, nr);
	GROWN(a, x->index_failures, had, nr);
	GROWN(a, x->index_counted, had, nr);
	GROWN(a, x->index_last, had, nr);
	x->most = nr;
}

static void count_of_index(struct tally *x, const struct job *j, const struct ended *e)
{
	int32_t i = e->index;

	x->index_failures[i]++;
	x->index_counted[i] += e->action != FAILURE_IGNORED;
	x->index_last[i] = MAX(x->index_last[i], e->at);
	if (!x->lost_index[i] && j->backoff_per_index.set && (e->action == FAILURE_FAILS_INDEX || x->index_counted[i] > j->backoff_per_index.v)) {
		x->lost_index[i] = true;
		x->lost++;
	}
}

static void count_end(struct control *t, struct tally *x, const struct job *j, int32_t completions, const struct ended *e)
{
	int32_t i = completions ? e->index : -1;

	x->highest = MAX(x->highest, e->index);
	if (!e->succeeded)
		vec_add(cluster_arena(control_cluster(t)), &x->failures, e->at);
	if (completions && (i < 0 || i >= completions))
		return;
	if (i >= 0)
		hold(t, x, i + 1);
	if (e->succeeded) {
		x->last_success = MAX(x->last_success, e->at);
		x->succeeded += i < 0 || !x->done_index[i];
		if (i >= 0)
			x->done_index[i] = true;
		return;
	}
	x->failed += e->action != FAILURE_IGNORED;
	x->last_failure = MAX(x->last_failure, e->at);
	if (i >= 0)
		count_of_index(x, j, e);
}

static void begin(struct control *t, struct tally *x, const struct job *j)
{
	struct object_list pods = pods_made_by(control_cluster(t), j->o.uid);
	struct tally anew = { .counted = true, .generation = j->o.generation, .living = x->living, .ends = x->ends, .failures = x->failures, .highest = -1 };

	anew.living.nr = anew.ends.nr = anew.failures.nr = 0;
	*x = anew;
	for (uint32_t k = 0; k < pods.nr; k++)
		admit(t, x, &j->o, (struct pod *)pods.v[k]);
}

/* Those that have ended since leave the living. */
static void count_living(struct control *t, struct tally *x, const struct job *j, int32_t completions, struct arena *scratch)
{
	struct cluster *c = control_cluster(t);
	uint32_t to = 0;

	for (uint32_t k = 0; k < x->living.nr; k++) {
		struct living one = x->living.v[k];

		if (one.labels != one.pod->o.labels.v || !one.labels) {
			one.labels = one.pod->o.labels.v;
			one.index = index_of_pod(one.pod);
			x->highest = MAX(x->highest, one.index);
		}
		if (!pod_is_terminal(one.pod)) {
			x->living.v[to++] = one;
		} else if (!table_get(&job_memory(t)->given_up, one.pod->o.id.i)) {
			const char *says = NULL;
			struct ended e = job_end_of(j, one.pod, scratch, &says);

			x->fails = x->fails || !says ? x->fails : cluster_str(c, says);
			vec_add(cluster_arena(c), &x->ends, e);
			*table_at(t, &job_memory(t)->counted, one.pod->o.id.i) = place(&j->o, x->ends.nr);
			count_end(t, x, j, completions, &e);
		}
	}
	x->living.nr = to;
}

int32_t tally_indexes(const struct tally *x, int32_t completions, int32_t ahead)
{
	return completions <= ahead || x->highest >= completions - 1 - ahead ? completions : MIN(completions, x->highest + 1 + ahead);
}

struct tally *tally_of(struct control *t, const struct job *j, int32_t completions, int32_t ahead, struct arena *scratch)
{
	const struct past *gone = map_get_ptr(&job_memory(t)->past, j->o.id.i);
	struct tally *x = find(t, j->o.id.i);
	uint32_t to = 0;

	if (!x) {
		x = arena_make(cluster_arena(control_cluster(t)), struct tally);
		*map_put(&job_memory(t)->tallies, cluster_arena(control_cluster(t)), j->o.id.i) = map_ptr(x);
	}
	if (!x->counted || x->generation != j->o.generation)
		begin(t, x, j);
	for (; gone && x->gone < gone->nr; x->gone++)
		count_end(t, x, j, completions, &gone->v[x->gone]);
	count_living(t, x, j, completions, scratch);
	for (uint32_t k = 0; k < x->failures.nr; k++)
		if (x->failures.v[k] > x->last_success)
			x->failures.v[to++] = x->failures.v[k];
	x->failures.nr = to;
	hold(t, x, tally_indexes(x, completions, ahead));
	while (x->low < MIN(x->most, completions) && (x->done_index[x->low] || x->lost_index[x->low]))
		x->low++;
	return x;
}
