#include "model/control/rollout.h"

#include <stdlib.h>

int32_t scaled(const struct int_or_str *v, int32_t total, bool up, int32_t absent)
{
	int64_t percent = 0;

	if (!v->set)
		return absent;
	if (!v->s)
		return v->i;
	for (const char *s = v->s; *s >= '0' && *s <= '9' && percent < 1000000; s++)
		percent = percent * 10 + (*s - '0');
	percent *= total;
	return (int32_t)(up ? (percent + 99) / 100 : percent / 100);
}

struct fence resolve_fenceposts(const struct int_or_str *surge, const struct int_or_str *unavailable, int32_t replicas)
{
	struct fence f = { scaled(surge, replicas, true, 0), scaled(unavailable, replicas, false, 0) };

	if (!f.surge && !f.unavailable)
		f.unavailable = 1;      /* else a rollout could never move */
	return f;
}

static bool rolling(const struct workload *w)
{
	return !streq(w->strategy, "Recreate");
}

int32_t max_unavailable(const struct workload *w)
{
	if (!rolling(w) || !w->replicas)
		return 0;
	return MIN(resolve_fenceposts(&w->max_surge, &w->max_unavailable, w->replicas).unavailable, w->replicas);
}

int32_t max_surge(const struct workload *w)
{
	return rolling(w) ? resolve_fenceposts(&w->max_surge, &w->max_unavailable, w->replicas).surge : 0;
}

int32_t new_replicas(const struct workload *w, int32_t all, int32_t now)
{
	int32_t most = w->replicas + max_surge(w);

	if (!rolling(w))
		return w->replicas;
	if (all >= most)
		return now;
	return now + MIN(most - all, w->replicas - now);
}

/* ---- who goes first */

static int phase_order(const struct pod *p)
{
	return p->phase == POD_RUNNING ? 2 : p->phase == POD_PHASE_UNKNOWN ? 1 : 0;
}

static long deletion_cost(const struct pod *p)
{
	const char *s = label_get(&p->o.annotations, "controller.kubernetes.io/pod-deletion-cost");

	return s ? strtol(s, NULL, 10) : 0;
}

static int32_t restarts(const struct pod *p)
{
	int32_t most = 0;

	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (!p->statuses.v[k].init)
			most = MAX(most, p->statuses.v[k].restarts);
	return most;
}

static nsec ready_since(const struct pod *p)
{
	const struct condition *c = condition_get(&p->conditions, "Ready");

	return c && c->status == COND_TRUE ? c->changed : 0;
}

/* Ages are compared by their powers of two only (logarithmicRankDiff). */
static int power_of_age(nsec since, nsec now)
{
	return now > since ? 63 - __builtin_clzll((uint64_t)(now - since)) : -1;
}

static int by_age(const struct pod *a, const struct pod *b, nsec ta, nsec tb, nsec now)
{
	int d = power_of_age(ta, now) - power_of_age(tb, now);

	return d ? d : str_order(a->o.uid, b->o.uid);
}

int deletion_order(const struct candidate *x, const struct candidate *y, nsec now)
{
	const struct pod *a = x->pod, *b = y->pod;
	bool ready_a = pod_is_ready(a), ready_b = pod_is_ready(b);
	int d;

	if (!a->node != !b->node)
		return a->node ? 1 : -1;
	if ((d = phase_order(a) - phase_order(b)))
		return d;
	if (ready_a != ready_b)
		return ready_a ? 1 : -1;
	if (deletion_cost(a) != deletion_cost(b))
		return deletion_cost(a) < deletion_cost(b) ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	if (ready_a && ready_since(a) != ready_since(b))
		return by_age(a, b, ready_since(a), ready_since(b), now);
	if (restarts(a) != restarts(b))
		return restarts(a) > restarts(b) ? -1 : 1;
	if (a->o.created != b->o.created)
		return by_age(a, b, a->o.created, b->o.created, now);
	return str_order(a->o.uid, b->o.uid);
}

static int with_now(const void *x, const void *y, void *now)
{
	return deletion_order(x, y, *(const nsec *)now);
}

void sort_for_deletion(struct candidate *v, uint32_t nr, nsec now)
{
	qsort_r(v, nr, sizeof(*v), with_now, &now);
}

uint32_t slow_start(uint32_t count, bool (*make)(void *), void *ctx)
{
	uint32_t done = 0;

	for (uint32_t batch = MIN(count, 1u); batch; batch = MIN(2 * batch, count - done)) {
		uint32_t failed = 0;

		for (uint32_t k = 0; k < batch; k++)
			failed += !make(ctx);
		done += batch - failed;
		if (failed)
			break;
	}
	return done;
}
