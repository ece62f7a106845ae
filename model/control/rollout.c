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

int32_t most_pods(const struct workload *w)
{
	int32_t surge = rolling(w) ? resolve_fenceposts(&w->max_surge, &w->max_unavailable, w->replicas).surge : 0;

	return (int32_t)((uint32_t)w->replicas + (uint32_t)surge);
}

int32_t new_replicas(const struct workload *w, int32_t all, int32_t now)
{
	int32_t most = most_pods(w);

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

/* A number without + and leading zeros; what is none counts as 0 (getDeletionCostFromPodAnnotations). */
static int32_t deletion_cost(const struct pod *p)
{
	const char *s = label_get(&p->o.annotations, "controller.kubernetes.io/pod-deletion-cost"), *digits = s && *s == '-' ? s + 1 : s;
	long long v = 0;

	if (!s || !*digits || strspn(digits, "0123456789") != strlen(digits) || (digits == s && *s == '0'))
		return 0;
	v = strtoll(s, NULL, 10);
	return v < INT32_MIN || v > INT32_MAX ? 0 : (int32_t)v;
}

static bool of_sidecar(const struct pod_spec *s, const char *name)
{
	for (uint32_t k = 0; k < s->init_containers.nr; k++)
		if (streq(s->init_containers.v[k].name, name))
			return is_sidecar(&s->init_containers.v[k]);
	return false;
}

static int32_t most_restarts(const struct pod *p, bool of_sidecars)
{
	int32_t most = 0;

	for (uint32_t k = 0; k < p->statuses.nr; k++) {
		const struct container_status *s = &p->statuses.v[k];

		if (s->restarts > most && s->init == of_sidecars && (!s->init || of_sidecar(p->spec, s->name)))
			most = s->restarts;
	}
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

static int three_way(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int bound(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(x->pod->node != NULL, y->pod->node != NULL);
}

static int phase(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(phase_order(x->pod), phase_order(y->pod));
}

static int readiness(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(x->ready, y->ready);
}

static int cost(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(x->cost, y->cost);
}

static int siblings(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(y->rank, x->rank);
}

static int ready_time(const struct candidate *x, const struct candidate *y, nsec now)
{
	return x->ready && x->ready_since != y->ready_since ? by_age(x->pod, y->pod, x->ready_since, y->ready_since, now) : 0;
}

static int restarted(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(y->restarts, x->restarts);
}

static int sidecars_restarted(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(y->sidecar_restarts, x->sidecar_restarts);
}

static int age(const struct candidate *x, const struct candidate *y, nsec now)
{
	return x->pod->o.created != y->pod->o.created ? by_age(x->pod, y->pod, x->pod->o.created, y->pod->o.created, now) : 0;
}

static int ready_later(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return x->ready ? three_way(y->ready_since, x->ready_since) : 0;
}

static int younger(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return three_way(y->pod->o.created, x->pod->o.created);
}

static int uid(const struct candidate *x, const struct candidate *y, nsec now)
{
	(void)now;
	return str_order(x->pod->o.uid, y->pod->o.uid);
}

static const struct { int (*order)(const struct candidate *, const struct candidate *, nsec now); const char *says; } criteria[] = {
	{ bound, "not bound to a node" }, { phase, "phase: Pending before Unknown before Running" }, { readiness, "not ready" }, { cost, "lower pod-deletion-cost" },
	{ siblings, "more Pods of its owner on its node" }, { ready_time, "ready for less time (powers of two, then uid)" }, { restarted, "more restarts" },
	{ sidecars_restarted, "more restarts of its sidecars" },
	{ age, "younger (powers of two, then uid)" }, { uid, "uid: nothing else differs" },
};

static int compare(const struct candidate *x, const struct candidate *y, nsec now, const char **says)
{
	int d = 0;

	for (size_t k = 0; k < ARRAY_LEN(criteria) && !d; k++) {
		d = criteria[k].order(x, y, now);
		*says = criteria[k].says;
	}
	return d;
}

int deletion_order(const struct candidate *x, const struct candidate *y, nsec now)
{
	const char *says;

	return compare(x, y, now, &says);
}

const char *deletion_reason(const struct candidate *x, const struct candidate *y, nsec now)
{
	const char *says = "";

	compare(x, y, now, &says);
	return says;
}

static int with_now(const void *x, const void *y, void *now)
{
	return deletion_order(x, y, *(const nsec *)now);
}

/* Brings the `first` that go before all others to the front, in any order. */
static void gather(struct candidate *v, uint32_t nr, uint32_t first, nsec now)
{
	while (first && first < nr) {
		struct candidate pivot = v[nr / 2];
		uint32_t at = 0;

		v[nr / 2] = v[nr - 1];
		for (uint32_t k = 0; k + 1 < nr; k++)
			if (deletion_order(&v[k], &pivot, now) < 0) {
				struct candidate x = v[k];

				v[k] = v[at];
				v[at++] = x;
			}
		v[nr - 1] = v[at];
		v[at] = pivot;
		if (first <= at) {
			nr = at;
		} else {
			v += at + 1;
			nr -= at + 1;
			first -= at + 1;
		}
	}
}

static void look_at(struct candidate *v, uint32_t nr)
{
	const struct pod *like = NULL;          /* Pods that have moved together share what is looked at */

	for (struct candidate *x = v; x < v + nr; x++) {
		const struct pod *p = x->pod;

		if (like && like->conditions.v == p->conditions.v && like->statuses.v == p->statuses.v && like->o.annotations.v == p->o.annotations.v) {
			x->restarts = x[-1].restarts;
			x->sidecar_restarts = x[-1].sidecar_restarts;
			x->cost = x[-1].cost;
			x->ready = x[-1].ready;
			x->ready_since = x[-1].ready_since;
			continue;
		}
		like = p;
		x->restarts = most_restarts(p, false);
		x->sidecar_restarts = most_restarts(p, true);
		x->cost = deletion_cost(p);
		x->ready = pod_is_ready(p);
		x->ready_since = ready_since(p);
	}
}

void sort_for_deletion(struct candidate *v, uint32_t nr, uint32_t first, nsec now)
{
	look_at(v, nr);
	gather(v, nr, first, now);
	qsort_r(v, MIN(first, nr), sizeof(*v), with_now, &now);
}

/* ActivePods: neither costs nor siblings, and ages as they are. */
static int active_order(const void *a, const void *b)
{
	static int (*const plain[])(const struct candidate *, const struct candidate *, nsec) = { bound, phase, readiness, ready_later, restarted, sidecars_restarted, younger };
	int d = 0;

	for (size_t k = 0; k < ARRAY_LEN(plain) && !d; k++)
		d = plain[k](a, b, 0);
	return d;
}

void sort_active_pods(struct candidate *v, uint32_t nr)
{
	look_at(v, nr);
	if (nr)
		qsort(v, nr, sizeof(*v), active_order);
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
