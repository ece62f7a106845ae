/* Preemption: Pods of lower priority make room. Sources: pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go, framework/preemption/{preemption,executor}.go;
 * plugin/pkg/admission/priority. Every node is tried; upstream tries a tenth of them, at least a hundred, from a random one on. */
#include <stdlib.h>

#include "model/api/kept.h"
#include "model/cluster/apply.h"
#include "model/cluster/priority.h"
#include "model/control/disruption.h"
#include "model/control/scheduler.h"

#define BY_SCHEDULER "PreemptionByScheduler"

struct victim { struct pod *pod; int32_t priority; bool violates; };
struct victims { struct victim *v; uint32_t nr; uint32_t violating; };
struct trial {
	struct look *l;
	uint32_t at;                            /* place of the node */
	struct node_info *real, bare;           /* the node as it is, and without those that are thought away */
	struct map without;
	struct arena *a;
};

/* ---- a node without some of its Pods */

static struct amount *amount_in(struct trial *x, str name)
{
	for (uint32_t n = 0; n < x->bare.other.nr; n++)
		if (streq(x->bare.other.v[n].name, name))
			return &x->bare.other.v[n];
	vec_add(x->a, &x->bare.other, ((struct amount){ .name = name }));
	return &x->bare.other.v[x->bare.other.nr - 1];
}

static void count(struct trial *x, const struct pod *p, int sign)
{
	const struct demand *d = demand_for(x->l->t, p->spec);

	x->bare.nr_ports += (uint32_t)(sign * has_host_ports(p->spec));
	x->bare.cpu += sign * d->cpu;
	x->bare.memory += sign * d->memory;
	for (uint32_t i = 0; i < d->other.nr; i++)
		amount_in(x, d->other.v[i].name)->milli += sign * d->other.v[i].milli;
}

static void put_back(struct trial *x, struct pod *p)
{
	map_remove(&x->without, p->o.id.i);
	x->bare.pods.v[x->bare.pods.nr++] = p;
	count(x, p, 1);
}

/* The one that was put back last. */
static void take_away(struct trial *x)
{
	struct pod *p = x->bare.pods.v[--x->bare.pods.nr];

	*map_put(&x->without, x->a, p->o.id.i) = 1;
	count(x, p, -1);
}

static void begin(struct trial *x)
{
	struct node_info *b = &x->bare;

	*b = *x->real;
	b->pods.v = arena_array(x->a, struct pod *, x->real->pods.nr);
	b->pods.nr = b->nr_ports = 0;
	b->cpu = b->memory = 0;
	b->other.v = NULL;
	b->other.nr = b->other.alloc = 0;
	for (uint32_t k = 0; k < x->real->pods.nr; k++)
		if (!map_find(&x->without, x->real->pods.v[k]->o.id.i))
			put_back(x, x->real->pods.v[k]);
}

/* Does the Pod fit now? Else why not. */
static uint32_t fits_without(struct trial *x, const char **why)
{
	struct look l = *x->l;
	uint32_t nr;
	bool resolvable;

	l.without = &x->without;
	l.scratch = x->a;
	l.kin = (struct map){ 0 };
	l.x->node[x->at] = &x->bare;
	look_round(&l);
	nr = look_problems(&l, &x->bare, why, &resolvable);
	l.x->node[x->at] = x->real;
	return nr;
}

/* ---- victims */

/* MoreImportantPod: more priority, then the longer running. */
static int by_importance(const void *a, const void *b)
{
	const struct victim *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	if (x->pod->start != y->pod->start)
		return x->pod->start < y->pod->start ? -1 : 1;
	return x->pod->o.id.i < y->pod->o.id.i ? -1 : 1;
}

/* filterPodsWithPDBViolation */
static void mark_violations(struct look *l, struct victim *v, uint32_t nr, struct arena *a)
{
	struct cluster *c = control_cluster(l->t);
	struct object_list budgets = cluster_count(c, &pdb_kind) ? cluster_list(c, &pdb_kind) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < budgets.nr; k++) {
		int32_t left = budget_of(c, budgets.v[k], a).allowed;

		for (uint32_t i = 0; i < nr; i++)
			if (budget_covers(c, budgets.v[k], v[i].pod, a) && --left < 0)
				v[i].violates = true;
	}
}

static struct victims find_victims(struct trial *x, const char **why, uint32_t *nr_why)
{
	struct cluster *c = control_cluster(x->l->t);
	int32_t own = pod_priority(c, x->l->pod->spec);
	struct victims out = { .v = arena_array(x->a, struct victim, x->real->pods.nr) };
	struct victim *all = arena_array(x->a, struct victim, x->real->pods.nr);
	uint32_t nr = 0;

	*nr_why = 0;
	for (uint32_t k = 0; k < x->real->pods.nr; k++) {
		struct pod *p = x->real->pods.v[k];
		int32_t priority = pod_priority(c, p->spec);

		if (priority >= own)
			continue;
		all[nr++] = (struct victim){ p, priority, false };
		*map_put(&x->without, x->a, p->o.id.i) = 1;
	}
	if (!nr) {
		why[0] = "No preemption victims found for incoming pod";
		*nr_why = 1;
		return out;
	}
	begin(x);
	*nr_why = fits_without(x, why);
	if (*nr_why)
		return out;
	qsort(all, nr, sizeof(*all), by_importance);
	mark_violations(x->l, all, nr, x->a);
	for (int violates = 1; violates >= 0; violates--)
		for (uint32_t k = 0; k < nr; k++) {             /* as many as possible stay, the important ones first */
			const char *still[MAX_LACKS];

			if (all[k].violates != (violates == 1))
				continue;
			put_back(x, all[k].pod);
			if (!fits_without(x, still))
				continue;
			take_away(x);
			out.v[out.nr++] = all[k];
			out.violating += all[k].violates;
		}
	if (out.nr)
		qsort(out.v, out.nr, sizeof(*out.v), by_importance);
	return out;
}

/* ---- which node */

static nsec earliest_start(const struct victims *v)
{
	nsec at = v->v[0].pod->start;

	for (uint32_t k = 1; k < v->nr && v->v[k].priority == v->v[0].priority; k++)
		at = MIN(at, v->v[k].pod->start);
	return at;
}

/* pickOneNodeForPreemption: below 0 if a costs less. */
static int cost(const struct victims *a, const struct victims *b)
{
	int64_t x = 0, y = 0;

	if (a->violating != b->violating)
		return a->violating < b->violating ? -1 : 1;
	if (a->v[0].priority != b->v[0].priority)
		return a->v[0].priority < b->v[0].priority ? -1 : 1;
	for (uint32_t k = 0; k < a->nr; k++)
		x += (int64_t)a->v[k].priority + INT32_MAX + 1;
	for (uint32_t k = 0; k < b->nr; k++)
		y += (int64_t)b->v[k].priority + INT32_MAX + 1;
	if (x != y)
		return x < y ? -1 : 1;
	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	return earliest_start(a) == earliest_start(b) ? 0 : earliest_start(a) > earliest_start(b) ? -1 : 1;
}

static void put_to_death(struct look *l, const struct node_info *on, const struct victim *v)
{
	struct cluster *c = control_cluster(l->t);

	if (condition_put(c, &v->pod->conditions, "DisruptionTarget", COND_TRUE, BY_SCHEDULER, "default-scheduler: preempting to accommodate a higher priority pod"))
		cluster_touch(c, &v->pod->o);
	cluster_event(c, &v->pod->o, false, "default-scheduler", "Preempted", "Preempted by pod %s on node %s", l->pod->o.uid, on->name);
	if (v->pod->o.deleted == NEVER)
		apply_delete(c, &v->pod->o);
}

/* PodEligibleToPreemptOthers: those that it has sent away are still going. */
static bool room_is_coming(struct look *l)
{
	struct cluster *c = control_cluster(l->t);
	int32_t own = pod_priority(c, l->pod->spec);

	for (uint32_t k = 0; k < l->x->nr; k++)
		for (uint32_t i = 0; i < l->x->node[k]->pods.nr; i++) {
			const struct pod *p = l->x->node[k]->pods.v[i];
			const struct condition *d = p->o.deleted != NEVER ? condition_get(&p->conditions, "DisruptionTarget") : NULL;

			if (d && streq(d->reason, BY_SCHEDULER) && pod_priority(c, p->spec) < own)
				return true;
		}
	return false;
}

static const char *no_victims(const struct look *l)
{
	struct tally help[MAX_TALLY];
	uint32_t nr = 0;
	struct sb text = { 0 };
	const char *out;

	for (uint32_t k = 0; k < l->x->nr; k++) {
		const char *reasons[MAX_LACKS];
		bool resolvable = false;

		if (!l->block)
			look_problems(l, l->x->node[k], reasons, &resolvable);
		tally_add(help, &nr, resolvable ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling");
	}
	sb_printf(&text, "0/%u nodes are available: ", l->x->nr);
	tally_print(&text, help, nr);
	out = arena_printf(l->scratch, "%s", sb_text(&text));
	sb_free(&text);
	return out;
}

static void try_all(struct look *l, struct arena *a)
{
	struct tally help[MAX_TALLY];
	struct victims best = { 0 };
	const struct node_info *on = NULL;
	uint32_t nr = 0;
	struct sb text = { 0 };

	for (uint32_t k = 0; k < l->x->nr; k++) {
		struct trial x = { .l = l, .at = k, .real = l->x->node[k], .a = a };
		const char *why[MAX_LACKS];
		uint32_t nr_why;
		bool resolvable = false;
		struct victims v;

		look_problems(l, l->x->node[k], why, &resolvable);
		if (!resolvable) {
			tally_add(help, &nr, "Preemption is not helpful for scheduling");
			continue;
		}
		v = find_victims(&x, why, &nr_why);
		for (uint32_t i = 0; i < nr_why; i++)
			tally_add(help, &nr, why[i]);
		if (!nr_why && v.nr && (!on || cost(&v, &best) < 0)) {
			best = v;
			on = x.real;
		}
	}
	l->unhelpful = NULL;
	for (uint32_t k = 0; on && k < best.nr; k++)
		put_to_death(l, on, &best.v[k]);
	if (on)
		return;
	sb_printf(&text, "0/%u nodes are available: ", l->x->nr);
	tally_print(&text, help, nr);
	l->unhelpful = arena_printf(l->scratch, "%s", sb_text(&text));
	sb_free(&text);
}

void preempt(struct look *l)
{
	struct arena *a;

	if (pod_never_preempts(control_cluster(l->t), l->pod->spec)) {
		l->unhelpful = "not eligible due to preemptionPolicy=Never.";
	} else if (l->block || pod_priority(control_cluster(l->t), l->pod->spec) <= l->x->least_priority) {
		l->unhelpful = no_victims(l);
	} else if (room_is_coming(l)) {
		l->unhelpful = "not eligible due to a terminating pod on the nominated node.";
	} else {
		a = arena_new(NULL, "preemption");
		try_all(l, a);
		arena_free(a);
	}
}
