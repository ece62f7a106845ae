/* Pods of fixed demands. Equal demands are one profile, and each profile has a tree of the loads of the nodes that it may use. Source: pkg/scheduler/framework/plugins/noderesources. */
#include "model/control/scheduler.h"

#include <stdlib.h>

#include "model/base/quantity.h"

#define NOWHERE UINT64_MAX              /* a leaf of a node that may not be used */
#define MAX_PROFILES 64

/* ---- loads and trees */

#define USUAL_CPU    8000               /* of a node that does not say: thousandths of a core, of a byte */
#define USUAL_MEMORY (16 * (int64_t)1024 * 1024 * 1024 * 1000)

int64_t node_can_cpu(const struct node_info *i) { return i->can_cpu == INT64_MAX ? USUAL_CPU : i->can_cpu; }
int64_t node_can_memory(const struct node_info *i) { return i->can_memory == INT64_MAX ? USUAL_MEMORY : i->can_memory; }

uint64_t node_load(const struct node_info *i)
{
	double cpu = (double)i->nz_cpu / (double)MAX(node_can_cpu(i), 1), memory = (double)i->nz_memory / (double)MAX(node_can_memory(i), 1);

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

void scheduler_list_nodes(struct control *t)
{
	struct scheduler *x = scheduler_of(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint32_t nr;
	struct node_info *const *all = nodes_all(t, &nr);

	if (x->version == nodes_version(t) + 1)
		return;
	x->node = arena_array(a, struct node_info *, nr);
	x->nr = 0;
	x->images = false;
	for (uint32_t k = 0; k < nr; k++)
		if (all[k]->node) {
			x->node[x->nr++] = all[k];
			x->images = x->images || val_path(all[k]->node->o.doc, "status.images.0");
		}
	if (x->nr)
		qsort(x->node, x->nr, sizeof(*x->node), by_name);
	for (uint32_t k = 0; k < nr; k++)
		all[k]->place = 0;
	for (uint32_t k = 0; k < x->nr; k++)
		x->node[k]->place = k + 1;
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
	struct scheduler *x = scheduler_of(t);
	struct arena *a = cluster_arena(control_cluster(t));
	struct profile *p;
	uint64_t *at;
	str key;

	if (x->last_profile.spec == s)
		return x->last_profile.profile;
	at = map_put(&x->by_spec, a, map_ptr(s));
	if (*at) {
		x->last_profile.spec = s;
		return x->last_profile.profile = (struct profile *)(uintptr_t)*at;
	}
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

struct profile *profile_of(struct control *t, const struct pod_spec *s)
{
	struct scheduler *x = scheduler_of(t);
	struct arena *a = cluster_arena(control_cluster(t));
	struct profile *p = find_profile(t, s);

	if (!p || p->version == x->version)
		return p;
	p->version = x->version;
	p->nr_may = 0;
	for (p->leaves = 1; p->leaves < x->nr;)
		p->leaves *= 2;
	p->may = arena_array(a, bool, x->nr);
	p->tree = arena_array(a, uint64_t, 2 * (size_t)p->leaves);
	for (uint32_t k = 0; k < p->leaves; k++) {
		if (k < x->nr)
			p->nr_may += p->may[k] = fixed_fit(s, x->node[k]->node);
		p->tree[p->leaves + k] = k < x->nr && p->may[k] ? node_load(x->node[k]) : NOWHERE;
	}
	for (uint32_t k = p->leaves; k-- > 1;)
		p->tree[k] = MIN(p->tree[2 * k], p->tree[2 * k + 1]);
	return p;
}

void profile_reload(struct scheduler *x, uint32_t place)
{
	for (uint32_t k = 0; k < x->profiles.nr; k++) {
		struct profile *p = x->profiles.v[k];

		if (p->version == x->version && p->may[place] && p->tree[p->leaves + place] != NOWHERE)
			set_leaf(p, place, node_load(x->node[place]));
	}
}

/* ---- what a Pod leaves free */

static int64_t free_of(const struct node_info *i, const struct amount *v, int64_t *can)
{
	const char *text = label_get(&i->node->allocatable, v->name);
	int64_t has = 0;

	if (!text)
		text = label_get(&i->node->capacity, v->name);
	if (!text || !quantity_parse(text, &has))
		has = streq(v->name, "ephemeral-storage") ? INT64_MAX : 0;      /* every node has a disk, whether it is said or not */
	*can = has;
	for (uint32_t k = 0; has != INT64_MAX && k < i->other.nr; k++)
		if (streq(i->other.v[k].name, v->name))
			return has - i->other.v[k].milli;
	return has;
}

bool node_room(const struct node_info *i, const struct demand *d, const char **lacks, uint32_t *nr, bool *never)
{
	uint32_t before = *nr;

	if (i->pods.nr + 1 > i->max_pods)
		lacks[(*nr)++] = FIT_PODS;
	if (d->cpu && i->can_cpu != INT64_MAX && d->cpu > i->can_cpu - i->cpu)
		lacks[(*nr)++] = "Insufficient cpu", *never |= d->cpu > i->can_cpu;
	if (d->memory && i->can_memory != INT64_MAX && d->memory > i->can_memory - i->memory)
		lacks[(*nr)++] = "Insufficient memory", *never |= d->memory > i->can_memory;
	for (uint32_t k = 0; k < d->other.nr && *nr < MAX_LACKS; k++) {
		int64_t can;

		if (d->other.v[k].milli <= free_of(i, &d->other.v[k], &can))
			continue;
		lacks[(*nr)++] = d->other.v[k].lack;
		*never |= d->other.v[k].milli > can;
	}
	return *nr == before;
}

static bool fits(const struct node_info *i, const struct demand *d)
{
	const char *lacks[MAX_LACKS];
	uint32_t nr = 0;
	bool never = false;

	return node_room(i, d, lacks, &nr, &never);
}

/* ---- the quick way: a tree per profile, the owner's nodes set aside */

static void bring_back(struct scheduler *x)
{
	for (uint32_t k = 0; k < x->aside.nr; k++)
		set_leaf(x->owner_profile, x->aside.v[k], node_load(x->node[x->aside.v[k]]));
	x->aside.nr = 0;
}

static void put_aside(struct control *t, uint32_t place)
{
	struct scheduler *x = scheduler_of(t);

	set_leaf(x->owner_profile, place, NOWHERE);
	vec_add(cluster_arena(control_cluster(t)), &x->aside, place);
}

static int by_place(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Where the owner's active Pods stand: places that the profile may use, in order, one for each Pod. */
static uint32_t places_of(struct control *t, const struct profile *p, str owner, struct arena *scratch, uint32_t **out)
{
	struct object_list pods = pods_made_by(control_cluster(t), owner);
	uint32_t *v = arena_array(scratch, uint32_t, pods.nr), nr = 0;

	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *pod = (const struct pod *)pods.v[k];
		const struct node_info *on = pod->node && pod_is_active(pod) ? node_of_pod(t, pod) : NULL;

		if (on && on->place && p->may[on->place - 1])
			v[nr++] = on->place - 1;
	}
	if (nr > 1)
		qsort(v, nr, sizeof(*v), by_place);
	*out = v;
	return nr;
}

/* Sets aside the nodes that have more of the owner's Pods than the others. */
static void take_up_owner(struct control *t, struct profile *p, str owner)
{
	struct scheduler *x = scheduler_of(t);
	uint32_t *v, nr, distinct = 0, least = UINT32_MAX;
	struct scratch scratch = control_scratch(t);

	if (x->owner == owner && x->owner_profile == p)
		return;
	if (x->owner)
		bring_back(x);
	x->owner = owner;
	x->owner_profile = p;
	nr = places_of(t, p, owner, scratch.arena, &v);
	for (uint32_t k = 0, n = 0; k < nr; k++) {
		n = k && v[k] == v[k - 1] ? n + 1 : 1;
		if (k + 1 < nr && v[k + 1] == v[k])
			continue;
		least = MIN(least, n);
		distinct++;
	}
	if (distinct < p->nr_may)
		least = 0;
	for (uint32_t k = 0, n = 0; k < nr; k++) {
		n = k && v[k] == v[k - 1] ? n + 1 : 1;
		if ((k + 1 == nr || v[k + 1] != v[k]) && n > least)
			put_aside(t, v[k]);
	}
	scratch_end(scratch);
}

/* The least loaded of those not set aside; those that are full are set aside for this Pod only. */
static struct node_info *pick(struct control *t, struct profile *p, const struct demand *d)
{
	struct scheduler *x = scheduler_of(t);
	uint32_t from = x->aside.nr, place = 0;
	bool found;

	while (p->tree[1] != NOWHERE && !fits(x->node[least_leaf(p)], d))
		put_aside(t, least_leaf(p));
	found = p->tree[1] != NOWHERE;
	if (found)
		place = least_leaf(p);
	while (x->aside.nr > from) {
		uint32_t full = x->aside.v[--x->aside.nr];

		set_leaf(p, full, node_load(x->node[full]));
	}
	if (found)
		put_aside(t, place);
	return found ? x->node[place] : NULL;
}

struct node_info *profile_choice(struct control *t, struct profile *p, const struct pod *pod, const struct demand *d)
{
	const struct owner_ref *ref = controller_of(&pod->o);
	struct scheduler *x = scheduler_of(t);
	struct node_info *found;

	take_up_owner(t, p, ref ? ref->uid : pod->o.uid);
	found = pick(t, p, d);
	if (!found && x->aside.nr) {            /* all have one of the owner's, or are full: go round again */
		bring_back(x);
		found = pick(t, p, d);
	}
	return found;
}
