/*
 * The scheduler. Sources: pkg/scheduler/schedule_one.go, framework/plugins/…, framework/types.go FitError; facts 9, timings.
 *
 * Theory of operation. A Pod's fixed demands (selector, node affinity, tolerations) make its profile; equal profiles are one. For each profile a tree
 * holds the load of every node that it may use, so that the least loaded is found in log n; nodes that have Pods of the same owner already are set aside
 * while the owner's Pods are placed, which spreads them, as the default topology constraints do. Pods with demands that depend on other Pods (affinity,
 * spread constraints, host ports) or with preferences look at every node instead. Where Kubernetes throws dice among equal nodes, the first by name is taken.
 */

#include <stdlib.h>

#include "model/control/nodes.h"
#include "model/control/workloads.h"

#define NOWHERE UINT64_MAX              /* a leaf of a node that may not be used */
#define MAX_PROFILES 64

struct profile {
	str key;
	bool *may;                      /* by place in the order of names */
	uint64_t *tree; uint32_t leaves;        /* tree[1] is the root; leaf k at leaves + k */
	uint32_t version;               /* of the nodes */
};

struct failure { const struct pod_spec *spec; uint32_t seen; str message; };

struct scheduler {
	struct node_info **node; uint32_t nr; uint32_t version;         /* in the order of names, as of that version of the nodes */
	struct map place;                                               /* node_info → place + 1 */
	struct map by_spec;                                             /* spec → struct profile */
	VEC(struct profile *) profiles;
	str owner; struct profile *owner_profile; VEC(uint32_t) aside;  /* places set aside for the owner that is being placed */
	struct map waiting;                                             /* handle of an unschedulable Pod → attempts */
	VEC(obj_h) waiters;
	uint32_t changes;                                               /* grows when room may have come */
	struct failure last;
	struct map selectors;                                           /* labelSelector document → struct selector */
	VEC(struct pod *) repelling;                                    /* Pods with required anti-affinity */
	str pod_scheduled;
};

static struct scheduler *state(const struct control *t)
{
	return control_state(t, CTL_SCHEDULER);
}

/* ---- loads and trees */

#define USUAL_CPU    8000               /* of a node that does not say: thousandths of a core, of a byte */
#define USUAL_MEMORY (16 * (int64_t)1024 * 1024 * 1024 * 1000)

/* LeastAllocated: the mean of the shares of cpu and memory that are asked for, in millionths. */
static uint64_t load_of(const struct node_info *i)
{
	double cpu = (double)i->nz_cpu / (double)(i->can_cpu == INT64_MAX ? USUAL_CPU : MAX(i->can_cpu, 1));
	double memory = (double)i->nz_memory / (double)(i->can_memory == INT64_MAX ? USUAL_MEMORY : MAX(i->can_memory, 1));

	return (uint64_t)((cpu + memory) * 500000);
}

static void set_leaf(struct profile *p, uint32_t place, uint64_t v)
{
	uint32_t at = p->leaves + place;

	for (p->tree[at] = v; at > 1; at /= 2) {
		uint64_t least = MIN(p->tree[at & ~1u], p->tree[at | 1]);

		if (p->tree[at / 2] == least)
			return;
		p->tree[at / 2] = least;
	}
}

static uint32_t least_leaf(const struct profile *p)
{
	uint32_t at = 1;

	while (at < p->leaves)
		at = 2 * at + (p->tree[2 * at] > p->tree[2 * at + 1]);
	return at - p->leaves;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct node_info *const *)a)->name, (*(struct node_info *const *)b)->name);
}

static void list_nodes(struct control *t)
{
	struct scheduler *x = state(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint32_t nr;
	struct node_info *const *all = nodes_all(t, &nr);

	if (x->version == nodes_version(t) + 1)
		return;
	x->node = arena_array(a, struct node_info *, nr);
	x->nr = 0;
	for (uint32_t k = 0; k < nr; k++)
		if (all[k]->node)
			x->node[x->nr++] = all[k];
	if (x->nr)
		qsort(x->node, x->nr, sizeof(*x->node), by_name);
	for (uint32_t k = 0; k < x->nr; k++)
		*map_put(&x->place, a, map_ptr(x->node[k])) = k + 1;
	x->version = nodes_version(t) + 1;
	x->owner = NULL;
	x->aside.nr = 0;
}

static bool fixed_fit(const struct pod_spec *s, const struct node *n)
{
	struct taint unschedulable = { .key = "node.kubernetes.io/unschedulable", .effect = "NoSchedule" };

	if (n->unschedulable) {
		bool tolerated = false;

		for (uint32_t k = 0; k < s->tolerations.nr; k++)
			tolerated = tolerated || tolerates(&s->tolerations.v[k], &unschedulable);
		if (!tolerated)
			return false;
	}
	return !untolerated(s, n, EFFECT_NO_SCHEDULE | EFFECT_NO_EXECUTE) && node_selected(s, n);
}

/* What of a spec bears on the nodes that it may use, as text. */
static str profile_key(struct control *t, const struct pod_spec *s)
{
	struct sb text = { 0 };
	str key;

	for (uint32_t k = 0; k < s->node_selector.nr; k++)
		sb_printf(&text, "%s=%s\n", s->node_selector.v[k].key, s->node_selector.v[k].value);
	for (uint32_t k = 0; k < s->tolerations.nr; k++) {
		const struct toleration *l = &s->tolerations.v[k];

		sb_printf(&text, "%s|%s|%s|%s\n", l->key ? l->key : "", l->op ? l->op : "", l->value ? l->value : "", l->effect ? l->effect : "");
	}
	if (val_get(s->affinity, "nodeAffinity"))
		val_print_json(val_get(s->affinity, "nodeAffinity"), &text, 0, true);
	key = cluster_str(control_cluster(t), sb_text(&text));
	sb_free(&text);
	return key;
}

static struct profile *find_profile(struct control *t, const struct pod_spec *s)
{
	struct scheduler *x = state(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at = map_put(&x->by_spec, a, map_ptr(s));
	struct profile *p;
	str key;

	if (*at)
		return (struct profile *)(uintptr_t)*at;
	key = profile_key(t, s);
	for (uint32_t k = 0; k < x->profiles.nr; k++)
		if (x->profiles.v[k]->key == key) {
			*at = map_ptr(x->profiles.v[k]);
			return x->profiles.v[k];
		}
	if (x->profiles.nr == MAX_PROFILES)
		return NULL;
	p = arena_make(a, struct profile);
	p->key = key;
	*at = map_ptr(p);
	vec_add(a, &x->profiles, p);
	return p;
}

/* NULL: too many profiles, look at every node. */
static struct profile *profile_of(struct control *t, const struct pod_spec *s)
{
	struct scheduler *x = state(t);
	struct arena *a = cluster_arena(control_cluster(t));
	struct profile *p = find_profile(t, s);

	if (!p || p->version == x->version)
		return p;
	p->version = x->version;
	for (p->leaves = 1; p->leaves < x->nr;)
		p->leaves *= 2;
	p->may = arena_array(a, bool, x->nr);
	p->tree = arena_array(a, uint64_t, 2 * (size_t)p->leaves);
	for (uint32_t k = 0; k < p->leaves; k++) {
		if (k < x->nr)
			p->may[k] = fixed_fit(s, x->node[k]->node);
		p->tree[p->leaves + k] = k < x->nr && p->may[k] ? load_of(x->node[k]) : NOWHERE;
	}
	for (uint32_t k = p->leaves; k-- > 1;)
		p->tree[k] = MIN(p->tree[2 * k], p->tree[2 * k + 1]);
	return p;
}

/* A node's load has changed: in every tree that has it and does not set it aside. */
static void reload(struct scheduler *x, uint32_t place)
{
	for (uint32_t k = 0; k < x->profiles.nr; k++) {
		struct profile *p = x->profiles.v[k];

		if (p->version == x->version && p->may[place] && p->tree[p->leaves + place] != NOWHERE)
			set_leaf(p, place, load_of(x->node[place]));
	}
}

/* ---- what a Pod leaves free */

static bool room(const struct node_info *i, const struct demand *d, const char **lacks, uint32_t *nr)
{
	uint32_t before = *nr;

	if (i->pods.nr + 1 > i->max_pods)
		lacks[(*nr)++] = FIT_PODS;
	if (d->cpu && i->can_cpu != INT64_MAX && d->cpu > i->can_cpu - i->cpu)
		lacks[(*nr)++] = "Insufficient cpu";
	if (d->memory && i->can_memory != INT64_MAX && d->memory > i->can_memory - i->memory)
		lacks[(*nr)++] = "Insufficient memory";
	return *nr == before;
}

static bool fits(const struct node_info *i, const struct demand *d)
{
	const char *lacks[8];
	uint32_t nr = 0;

	return room(i, d, lacks, &nr);
}

static bool ports_free(const struct node_info *i, const struct pod *p)
{
	for (uint32_t k = 0; i->nr_ports && k < i->pods.nr; k++)
		if (i->pods.v[k] != p && host_ports_collide(p->spec, i->pods.v[k]->spec))
			return false;
	return true;
}

/* ---- the quick way: a tree per profile, the owner's nodes set aside */

static void bring_back(struct scheduler *x)
{
	for (uint32_t k = 0; k < x->aside.nr; k++)
		set_leaf(x->owner_profile, x->aside.v[k], load_of(x->node[x->aside.v[k]]));
	x->aside.nr = 0;
}

static void put_aside(struct control *t, uint32_t place)
{
	struct scheduler *x = state(t);

	set_leaf(x->owner_profile, place, NOWHERE);
	vec_add(cluster_arena(control_cluster(t)), &x->aside, place);
}

/* Sets aside the nodes that have more of the owner's Pods than the others. */
static void take_up_owner(struct control *t, struct profile *p, str owner)
{
	struct scheduler *x = state(t);
	struct arena *scratch;
	struct object_list pods;
	uint32_t *count, least = UINT32_MAX;

	if (x->owner == owner && x->owner_profile == p)
		return;
	if (x->owner)
		bring_back(x);
	x->owner = owner;
	x->owner_profile = p;
	pods = pods_of(control_cluster(t), owner);
	scratch = arena_new(NULL, "scheduler");
	count = arena_array(scratch, uint32_t, x->nr);
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *pod = (const struct pod *)pods.v[k];
		const uint64_t *place = pod->node && pod_is_active(pod) ? map_find(&x->place, map_ptr(node_info(t, pod->node))) : NULL;

		if (place)
			count[*place - 1]++;
	}
	for (uint32_t k = 0; k < x->nr; k++)
		if (p->may[k])
			least = MIN(least, count[k]);
	for (uint32_t k = 0; k < x->nr; k++)
		if (p->may[k] && count[k] > least)
			put_aside(t, k);
	arena_free(scratch);
}

/* The least loaded of those not set aside; those that are full are set aside for this Pod only. */
static struct node_info *pick(struct control *t, struct profile *p, const struct demand *d)
{
	struct scheduler *x = state(t);
	uint32_t from = x->aside.nr, place = 0;
	bool found;

	while (p->tree[1] != NOWHERE && !fits(x->node[least_leaf(p)], d))
		put_aside(t, least_leaf(p));
	found = p->tree[1] != NOWHERE;
	if (found)
		place = least_leaf(p);
	while (x->aside.nr > from) {
		uint32_t full = x->aside.v[--x->aside.nr];

		set_leaf(p, full, load_of(x->node[full]));
	}
	if (found)
		put_aside(t, place);
	return found ? x->node[place] : NULL;
}

static struct node_info *quick_choice(struct control *t, struct profile *p, const struct pod *pod, const struct demand *d)
{
	const struct owner_ref *ref = controller_of(&pod->o);
	struct scheduler *x = state(t);
	struct node_info *found;

	take_up_owner(t, p, ref ? ref->uid : pod->o.uid);
	found = pick(t, p, d);
	if (!found && x->aside.nr) {            /* all have one of the owner's, or are full: go round again */
		bring_back(x);
		found = pick(t, p, d);
	}
	return found;
}

/* ---- other Pods: affinity, anti-affinity, spread */

static const struct selector *selector_at(struct control *t, const struct val *doc)
{
	struct scheduler *x = state(t);
	struct cluster *c = control_cluster(t);
	uint64_t *at = map_put(&x->selectors, cluster_arena(c), map_ptr(doc));

	if (!*at) {
		struct selector *s = arena_make(cluster_arena(c), struct selector);
		struct err none = { 0 };
		struct decode d = { .strings = cluster_strings(c), .arena = cluster_arena(c), .unknown = VALIDATE_IGNORE, .err = &none };

		fields_decode(&d, selector_fields, doc, "", s);
		err_free(&none);
		*at = map_ptr(s);
	}
	return (const struct selector *)(uintptr_t)*at;
}

/* The namespaces of a term: those named, those selected, or the Pod's own where neither is said. */
static bool term_covers(struct control *t, const struct val *term, const char *own, const char *ns)
{
	const struct val *names = val_get(term, "namespaces"), *selector = val_get(term, "namespaceSelector");
	const struct namespace_ *n;

	if (!(names && names->nr) && !val_is(selector, VAL_MAP))
		return streq(own, ns);
	VAL_EACH(v, names)
		if (streq(val_str(v), ns))
			return true;
	n = val_is(selector, VAL_MAP) ? find_namespace(control_cluster(t), ns) : NULL;
	return n && selector_matches(selector_at(t, selector), &n->o.labels);
}

static bool term_matches(struct control *t, const struct val *term, const struct pod *of, const struct pod *other)
{
	const struct val *selector = val_get(term, "labelSelector");

	return val_is(selector, VAL_MAP) && term_covers(t, term, of->o.ns, other->o.ns) && selector_matches(selector_at(t, selector), &other->o.labels);
}

static const struct val *terms(const struct pod *p, const char *which, const char *how)
{
	return val_get(val_get(p->spec->affinity, which), how);
}
#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

static str domain(const struct node_info *i, const char *key)
{
	return label_get(&i->node->o.labels, key);
}

/* How many bound Pods that the term matches stand in each domain: counts by domain, in scratch. */
static struct map count_domains(struct control *t, const struct val *term, const struct pod *of, struct arena *scratch, uint32_t *total)
{
	struct scheduler *x = state(t);
	const char *key = val_str_at(term, "topologyKey");
	struct map m = { 0 };

	*total = 0;
	for (uint32_t k = 0; k < x->nr; k++) {
		str d = key ? domain(x->node[k], key) : NULL;

		for (uint32_t i = 0; d && i < x->node[k]->pods.nr; i++)
			if (x->node[k]->pods.v[i] != of && term_matches(t, term, of, x->node[k]->pods.v[i])) {
				++*map_put(&m, scratch, map_ptr(d));
				++*total;
			}
	}
	return m;
}

/* One look at all nodes for one Pod. */
struct look {
	struct control *t;
	struct scheduler *x;
	const struct pod *pod;
	const struct demand *demand;
	struct arena *scratch;
	struct { const struct val *term; struct map count; uint32_t total; int32_t weight; bool anti, preferred; } *terms; uint32_t nr_terms;
	struct { const struct spread *s; struct map count; uint64_t least; } *spreads; uint32_t nr_spreads;
	struct map kin; struct map kin_zone;            /* Pods of the same owner: by node, by zone */
};

static void add_terms(struct look *l, const char *which, const char *how, bool anti, bool preferred)
{
	VAL_EACH(v, terms(l->pod, which, how)) {
		const struct val *term = preferred ? val_get(v, "podAffinityTerm") : v;

		l->terms[l->nr_terms].term = term;
		l->terms[l->nr_terms].anti = anti;
		l->terms[l->nr_terms].preferred = preferred;
		l->terms[l->nr_terms].weight = preferred ? (int32_t)val_int_or(val_get(v, "weight"), 0) : 0;
		l->terms[l->nr_terms].count = count_domains(l->t, term, l->pod, l->scratch, &l->terms[l->nr_terms].total);
		l->nr_terms++;
	}
}

static void count_spread(struct look *l, const struct spread *s)
{
	struct map m = { 0 };
	uint64_t least = UINT64_MAX;

	for (uint32_t k = 0; k < l->x->nr; k++) {
		const struct node_info *i = l->x->node[k];
		str d = domain(i, s->topology_key);
		uint64_t *at;

		if (!d || !node_selected(l->pod->spec, i->node))
			continue;
		at = map_put(&m, l->scratch, map_ptr(d));
		for (uint32_t p = 0; p < i->pods.nr; p++)
			*at += i->pods.v[p] != l->pod && i->pods.v[p]->o.ns == l->pod->o.ns && i->pods.v[p]->o.deleted == NEVER && s->selector &&
			       selector_matches(s->selector, &i->pods.v[p]->o.labels);
	}
	for (uint32_t k = 0; k < l->x->nr; k++) {
		str d = domain(l->x->node[k], s->topology_key);
		const uint64_t *at = d ? map_find(&m, map_ptr(d)) : NULL;

		if (at)
			least = MIN(least, *at);
	}
	l->spreads[l->nr_spreads].s = s;
	l->spreads[l->nr_spreads].count = m;
	l->spreads[l->nr_spreads++].least = least == UINT64_MAX ? 0 : least;
}

static void count_kin(struct look *l)
{
	const struct owner_ref *ref = controller_of(&l->pod->o);
	struct object_list pods = ref ? pods_of(control_cluster(l->t), ref->uid) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		const struct node_info *i = p->node && pod_is_active(p) ? node_info(l->t, p->node) : NULL;

		if (!i || !i->node)
			continue;
		++*map_put(&l->kin, l->scratch, map_ptr(i));
		if (domain(i, "topology.kubernetes.io/zone"))
			++*map_put(&l->kin_zone, l->scratch, map_ptr(domain(i, "topology.kubernetes.io/zone")));
	}
}

static uint32_t members(const struct val *v)
{
	return v ? v->nr : 0;
}

static void look_round(struct look *l)
{
	static const struct { const char *which; bool anti; } rows[] = { { "podAffinity", false }, { "podAntiAffinity", true } };
	uint32_t nr = 0;

	for (size_t k = 0; k < 2; k++)
		nr += members(terms(l->pod, rows[k].which, REQUIRED)) + members(terms(l->pod, rows[k].which, PREFERRED));
	l->terms = arena_alloc(l->scratch, nr * sizeof(*l->terms), 16);
	for (size_t k = 0; k < 2; k++) {
		add_terms(l, rows[k].which, REQUIRED, rows[k].anti, false);
		add_terms(l, rows[k].which, PREFERRED, rows[k].anti, true);
	}
	l->spreads = arena_alloc(l->scratch, l->pod->spec->spread.nr * sizeof(*l->spreads), 16);
	for (uint32_t k = 0; k < l->pod->spec->spread.nr; k++)
		count_spread(l, &l->pod->spec->spread.v[k]);
	count_kin(l);
}

static uint64_t at_domain(const struct map *m, str d)
{
	const uint64_t *at = d ? map_find(m, map_ptr(d)) : NULL;

	return at ? *at : 0;
}

static const char *spread_problem(const struct look *l, const struct node_info *i, bool *resolvable)
{
	for (uint32_t k = 0; k < l->nr_spreads; k++) {
		const struct spread *s = l->spreads[k].s;
		str d = domain(i, s->topology_key);
		bool self = s->selector && selector_matches(s->selector, &l->pod->o.labels);

		if (streq(s->when_unsatisfiable, "ScheduleAnyway"))
			continue;
		if (!d) {
			*resolvable = false;
			return FIT_SPREAD_LABEL;
		}
		if ((int64_t)at_domain(&l->spreads[k].count, d) + self - (int64_t)l->spreads[k].least > s->max_skew)
			return FIT_SPREAD;
	}
	return NULL;
}

/* Pods that are there already may not want this one near. */
static bool repelled(const struct look *l, const struct node_info *i)
{
	for (uint32_t k = 0; k < l->x->repelling.nr; k++) {
		const struct pod *other = l->x->repelling.v[k];
		const struct node_info *on = other->node && !other->o.gone && !pod_is_terminal(other) && other != l->pod ? node_info(l->t, other->node) : NULL;

		if (!on || !on->node)
			continue;
		VAL_EACH(term, terms(other, "podAntiAffinity", REQUIRED)) {
			const char *key = val_str_at(term, "topologyKey");

			if (key && domain(i, key) && domain(i, key) == domain(on, key) && term_matches(l->t, term, other, l->pod))
				return true;
		}
	}
	return false;
}

static const char *affinity_problem(const struct look *l, const struct node_info *i, bool *resolvable)
{
	for (uint32_t k = 0; k < l->nr_terms; k++) {
		const char *key = val_str_at(l->terms[k].term, "topologyKey");
		str d = key ? domain(i, key) : NULL;

		if (l->terms[k].preferred)
			continue;
		if (l->terms[k].anti) {
			if (at_domain(&l->terms[k].count, d))
				return FIT_POD_ANTI;
		} else if (!d || (!at_domain(&l->terms[k].count, d) && (l->terms[k].total || !term_matches(l->t, l->terms[k].term, l->pod, l->pod)))) {
			*resolvable = false;            /* the first of its kind may go anywhere */
			return FIT_POD_AFFINITY;
		}
	}
	return repelled(l, i) ? FIT_EXISTING_ANTI : NULL;
}

/* Why not here? Up to `most` reasons; resolvable: other Pods stand in the way. 0: it fits. */
static uint32_t problems(const struct look *l, const struct node_info *i, const char **why, bool *resolvable)
{
	struct taint unschedulable = { .key = "node.kubernetes.io/unschedulable", .effect = "NoSchedule" };
	const struct pod_spec *s = l->pod->spec;
	uint32_t nr = 0;
	const char *one = NULL;

	*resolvable = false;
	if (i->node->unschedulable) {
		one = FIT_UNSCHEDULABLE;
		for (uint32_t k = 0; k < s->tolerations.nr; k++)
			if (tolerates(&s->tolerations.v[k], &unschedulable))
				one = NULL;
	}
	if (!one && untolerated(s, i->node, EFFECT_NO_SCHEDULE | EFFECT_NO_EXECUTE))
		one = FIT_TAINT;
	if (!one && !node_selected(s, i->node))
		one = FIT_AFFINITY;
	if (one) {
		why[0] = one;
		return 1;
	}
	*resolvable = true;
	if (!ports_free(i, l->pod))
		one = FIT_PORTS;
	else if (!room(i, l->demand, why, &nr))
		return nr;
	else if (!(one = spread_problem(l, i, resolvable)))
		one = affinity_problem(l, i, resolvable);
	why[0] = one;
	return one != NULL;
}

/* How good a node is for the Pod; smaller is better, first things first. */
struct score { uint64_t kin, spread; int64_t liked; uint64_t zone, soft_taints, load; };

static struct score score_of(const struct look *l, const struct node_info *i)
{
	struct score s = { .load = load_of(i), .liked = -(int64_t)node_preference(l->pod->spec, i->node) };
	const uint64_t *kin = map_find(&l->kin, map_ptr(i));

	s.kin = kin ? *kin : 0;
	s.zone = at_domain(&l->kin_zone, domain(i, "topology.kubernetes.io/zone"));
	for (uint32_t k = 0; k < l->nr_spreads; k++)
		s.spread += at_domain(&l->spreads[k].count, domain(i, l->spreads[k].s->topology_key));
	for (uint32_t k = 0; k < l->nr_terms; k++)
		if (l->terms[k].preferred) {
			const char *key = val_str_at(l->terms[k].term, "topologyKey");
			int64_t n = key ? (int64_t)at_domain(&l->terms[k].count, domain(i, key)) * l->terms[k].weight : 0;

			s.liked += l->terms[k].anti ? n : -n;
		}
	s.soft_taints = untolerated(l->pod->spec, i->node, EFFECT_PREFER) != NULL;
	return s;
}

static bool better(const struct score *a, const struct score *b)
{
	if (a->spread != b->spread)
		return a->spread < b->spread;
	if (a->liked != b->liked)
		return a->liked < b->liked;
	if (a->soft_taints != b->soft_taints)
		return a->soft_taints < b->soft_taints;
	if (a->kin != b->kin)
		return a->kin < b->kin;
	if (a->zone != b->zone)
		return a->zone < b->zone;
	return a->load < b->load;
}

static struct node_info *careful_choice(const struct look *l)
{
	struct node_info *best = NULL;
	struct score best_score = { 0 };

	for (uint32_t k = 0; k < l->x->nr; k++) {
		const char *why[8];
		bool resolvable;
		struct score s;

		if (problems(l, l->x->node[k], why, &resolvable))
			continue;
		s = score_of(l, l->x->node[k]);
		if (!best || better(&s, &best_score)) {
			best = l->x->node[k];
			best_score = s;
		}
	}
	return best;
}

/* ---- words */

struct tally { const char *reason; uint32_t nr; };

static void tally_add(struct tally *v, uint32_t *nr, const char *reason)
{
	for (uint32_t k = 0; k < *nr; k++)
		if (streq(v[k].reason, reason)) {
			v[k].nr++;
			return;
		}
	v[*nr].reason = reason;
	v[(*nr)++].nr = 1;
}

static int by_text(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	char p[200], q[200];

	snprintf(p, sizeof(p), "%u %s", x->nr, x->reason);
	snprintf(q, sizeof(q), "%u %s", y->nr, y->reason);
	return strcmp(p, q);
}

static void print_tally(struct sb *out, struct tally *v, uint32_t nr)
{
	qsort(v, nr, sizeof(*v), by_text);
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(out, "%s%u %s", k ? ", " : "", v[k].nr, v[k].reason);
	sb_addc(out, '.');
}

static str explain(const struct look *l)
{
	struct tally why[40], help[2];
	uint32_t nr = 0, nr_help = 0;
	struct sb text = { 0 };
	str out;

	if (!l->x->nr)
		return cluster_str(control_cluster(l->t), "no nodes available to schedule pods");
	for (uint32_t k = 0; k < l->x->nr; k++) {
		const char *reasons[8];
		bool resolvable;

		for (uint32_t i = problems(l, l->x->node[k], reasons, &resolvable); i-- > 0 && nr < ARRAY_LEN(why);)
			tally_add(why, &nr, reasons[i]);
		tally_add(help, &nr_help, resolvable ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling");
	}
	sb_printf(&text, "0/%u nodes are available: ", l->x->nr);
	print_tally(&text, why, nr);
	sb_printf(&text, " no new claims to deallocate, preemption: 0/%u nodes are available: ", l->x->nr);
	print_tally(&text, help, nr_help);
	out = cluster_str(control_cluster(l->t), sb_text(&text));
	sb_free(&text);
	return out;
}

/* ---- one Pod */

static bool needs_care(const struct scheduler *x, const struct pod *p)
{
	const struct pod_spec *s = p->spec;

	return s->spread.nr || val_get(s->affinity, "podAffinity") || val_get(s->affinity, "podAntiAffinity") || x->repelling.nr || has_host_ports(s) ||
	       val_path(s->affinity, "nodeAffinity." PREFERRED);
}

/* A cluster of a few nodes is looked at with care always. */
#define SMALL 40

static struct node_info *pinned_to(struct control *t, const struct pod_spec *s)
{
	const char *name = val_str(val_at(val_path(s->affinity, "nodeAffinity." REQUIRED ".nodeSelectorTerms.0.matchFields.0.values"), 0));

	return name ? node_info(t, str_find(cluster_strings(control_cluster(t)), name)) : NULL;
}

static struct node_info *choose(struct look *l)
{
	struct node_info *pin = pinned_to(l->t, l->pod->spec);
	struct profile *p;
	const char *why[8];
	bool resolvable;

	if (pin && pin->node && !problems(l, pin, why, &resolvable))
		return pin;
	if (l->x->nr > SMALL && !pin && !needs_care(l->x, l->pod) && (p = profile_of(l->t, l->pod->spec)))
		return quick_choice(l->t, p, l->pod, l->demand);
	look_round(l);
	return careful_choice(l);
}

static const struct event_form assigned = { false, "default-scheduler", "Scheduled", "Successfully assigned %o to %s" };

static void bind(struct control *t, struct pod *p, struct node_info *on)
{
	struct scheduler *x = state(t);
	struct cluster *c = control_cluster(t);
	const uint64_t *place = map_find(&x->place, map_ptr(on));
	struct condition scheduled;

	map_remove(&x->waiting, p->o.id.i);
	p->node = on->name;
	if (p->conditions.nr) {
		condition_put(c, &p->conditions, "PodScheduled", COND_TRUE, NULL, NULL);
	} else {
		memset(&scheduled, 0, sizeof(scheduled));
		scheduled.type = x->pod_scheduled;
		scheduled.status = COND_TRUE;
		scheduled.changed = cluster_now(c);
		scheduled.heartbeat = NEVER;
		p->conditions = (condition_list){ (struct condition *)(uintptr_t)share_bytes(t, &scheduled, sizeof(scheduled)), 1, true };
	}
	cluster_event_form(c, &p->o, &assigned, on->name, NULL);
	if (terms(p, "podAntiAffinity", REQUIRED))
		vec_add(cluster_arena(c), &x->repelling, p);
	cluster_touch(c, &p->o);
	if (place)
		reload(x, (uint32_t)*place - 1);
}

static void fail(struct look *l, struct pod *p)
{
	struct scheduler *x = l->x;
	struct cluster *c = control_cluster(l->t);
	uint64_t *attempts = map_find(&x->waiting, p->o.id.i);
	str why;

	if (x->last.spec == p->spec && x->last.seen == x->changes) {
		why = x->last.message;
	} else {
		if (!l->terms)
			look_round(l);
		why = explain(l);
		x->last = (struct failure){ p->spec, x->changes, why };
	}
	if (!attempts) {
		attempts = map_put(&x->waiting, cluster_arena(c), p->o.id.i);
		vec_add(cluster_arena(c), &x->waiters, p->o.id);
	}
	++*attempts;
	if (!condition_put(c, &p->conditions, "PodScheduled", COND_FALSE, "Unschedulable", why))
		return;
	cluster_event(c, &p->o, true, "default-scheduler", "FailedScheduling", "%s", why);
	cluster_touch(c, &p->o);
}

static bool wants_a_node(const struct pod *p)
{
	return !p->o.gone && !p->node && p->o.deleted == NEVER && !pod_is_terminal(p) && !p->given &&
	       (!p->spec->scheduler || streq(p->spec->scheduler, "default-scheduler"));
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct pod *p = (struct pod *)o;
	struct look l = { .t = t, .x = state(t), .pod = p };
	struct node_info *on;

	(void)now;
	if (!wants_a_node(p))
		return;
	list_nodes(t);
	l.demand = demand_for(t, p->spec);
	l.scratch = arena_new(NULL, "scheduler");
	on = choose(&l);
	if (on)
		bind(t, p, on);
	else
		fail(&l, p);
	arena_free(l.scratch);
}

/* ---- when to look (again) */

static void room_came(struct control *t)
{
	struct scheduler *x = state(t);
	uint32_t to = 0;

	x->changes++;
	for (uint32_t k = 0; k < x->waiters.nr; k++) {
		struct object *o = obj_get(control_cluster(t), x->waiters.v[k]);

		if (!map_find(&x->waiting, o->id.i) || !wants_a_node((struct pod *)o))
			continue;
		x->waiters.v[to++] = o->id;
		control_wake(t, CTL_SCHEDULER, o, 0);
	}
	x->waiters.nr = to;
}

static void load_changed(struct control *t, str node)
{
	struct scheduler *x = state(t);
	const uint64_t *place = map_find(&x->place, map_ptr(node_info(t, node)));

	if (place && x->version == nodes_version(t) + 1)
		reload(x, (uint32_t)*place - 1);
}

static void watch(struct control *t, const struct change *ch)
{
	struct scheduler *x = state(t);
	struct pod *p = (struct pod *)ch->object;

	if (ch->object->kind == &node_kind) {
		room_came(t);
		return;
	}
	if (wants_a_node(p) && ch->kind == CHANGE_ADD)
		control_wake(t, CTL_SCHEDULER, ch->object, 0);
	if (p->node && (ch->kind != CHANGE_UPDATE || pod_is_terminal(p)))
		load_changed(t, p->node);
	if (p->node && (ch->kind == CHANGE_DELETE || pod_is_terminal(p))) {
		if (x->waiters.nr)
			room_came(t);
	} else if (ch->kind == CHANGE_ADD && p->node && terms(p, "podAntiAffinity", REQUIRED)) {
		vec_add(cluster_arena(control_cluster(t)), &x->repelling, p);
	} else if (p->node && x->waiters.nr && ch->kind == CHANGE_UPDATE && map_find(&x->waiting, p->o.id.i)) {
		room_came(t);           /* bound: others may have waited for its company */
	}
}

static void *init(struct control *t)
{
	struct cluster *c = control_cluster(t);
	struct scheduler *x = arena_make(cluster_arena(c), struct scheduler);

	x->pod_scheduled = cluster_str(c, "PodScheduled");
	return x;
}

static const struct kind *const kinds_heard[] = { &pod_kind, &node_kind, NULL };
const struct controller scheduler_controller = { .name = "scheduler", .kinds = kinds_heard, .init = init, .watch = watch, .run = run };
