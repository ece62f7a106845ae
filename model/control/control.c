/*
 * Theory of operation. Keys that are due now stand in one list per controller, each key once (a bit says that it is in); keys that are due later
 * stand in buckets, one per point in time, and a heap orders the buckets: most work of a big cluster falls on few points in time. One moment is worked off by
 * taking the first controller that has keys, running all of them in the order of their handles, and looking again, until no controller has any.
 */
#include "model/control/admission.h"
#include "model/control/common.h"

#include <stdlib.h>

static const struct controller *const controllers[CTL_COUNT] = {
#define X(id, name) [CTL_##id] = &name##_controller,
	CONTROLLERS(X)
#undef X
};

/* Rounds within one moment after which controllers are taken to quarrel for ever. */
#define MAX_ROUNDS 20000
#define SCRATCH_KEPT (64u << 10)

struct wake { uint32_t key; uint8_t controller; bool standing; };
struct bucket { nsec at; VEC(struct wake) wakes; };
struct keys { uint32_t *v; uint32_t nr, alloc; };
struct due { struct keys keys, other; uint64_t *in; uint32_t words; };  /* of one controller: what is due now; in: a bit per handle */

struct control {
	struct cluster *cluster;
	void (*look)(void *ctx); void *look_ctx;        /* of control_observe */
	struct arena *arena, *scratch;
	void *state[CTL_COUNT];
	struct map listeners;                           /* kind → bits of the controllers that hear of it, beside those that hear of all */
	uint64_t hear_pods[8];                          /* by what of a Pod has changed: bits of those that hear of it */
	uint64_t hear_some[8];                          /* the same of those that hear of it if the Pod concerns them */
	uint64_t picky;                                 /* of those that say which Pods concern them */
	struct { const struct owner_ref *owners; const struct pod_spec *spec; const struct pair *annotations; uint64_t concerns; } last_pod;
	uint64_t hear_all;
	uint64_t hear_owned;                            /* of those that hear of Pods: only if their owner concerns them, or may have been another before */
	struct map of_owner;                            /* kind of owner → bits of those that hear of its Pods */
	struct map by_uid;                              /* handles of all but Pods */
	struct due due[CTL_COUNT];
	VEC(struct bucket *) heap;
	VEC(struct bucket *) spare;
	struct map bucket_at;                           /* time → bucket */
	struct bucket *last_bucket;                     /* that bucket_for found last, still in the heap */
	struct table last_wish[CTL_COUNT];              /* key → time of its newest wish, so that repeating it costs nothing */
	uint32_t moving;                                /* wakes in the heap that are not standing */
	uint32_t runs;
	struct map shared;
	struct { const struct owner_ref *list; struct object *owner; uint64_t concerns; } last_owner;   /* what control_owner found last; concerns: bits */
	bool orphans;
};

struct cluster *control_cluster(struct control *t) { return t->cluster; }
void *control_state(const struct control *t, enum controller_id id) { return t->state[id]; }
bool control_orphans(const struct control *t) { return t->orphans; }
struct map *control_shared(struct control *t) { return &t->shared; }
nsec control_now(const struct control *t) { return cluster_now(t->cluster); }
struct scratch control_scratch(struct control *t) { return (struct scratch){ t->scratch, arena_mark(t->scratch) }; }

/* ---- the heap of points in time */

static void heap_up(struct control *t, uint32_t i)
{
	struct bucket *b = t->heap.v[i];

	for (; i && t->heap.v[(i - 1) / 2]->at > b->at; i = (i - 1) / 2)
		t->heap.v[i] = t->heap.v[(i - 1) / 2];
	t->heap.v[i] = b;
}

static struct bucket *heap_pop(struct control *t)
{
	struct bucket *top = t->heap.v[0], *b = t->heap.v[--t->heap.nr];
	uint32_t i = 0, nr = t->heap.nr;

	for (uint32_t child; (child = 2 * i + 1) < nr; i = child) {
		if (child + 1 < nr && t->heap.v[child + 1]->at < t->heap.v[child]->at)
			child++;
		if (b->at <= t->heap.v[child]->at)
			break;
		t->heap.v[i] = t->heap.v[child];
	}
	if (nr)
		t->heap.v[i] = b;
	map_remove(&t->bucket_at, (uint64_t)top->at);
	t->last_bucket = NULL;
	return top;
}

static struct bucket *bucket_for(struct control *t, nsec at)
{
	struct bucket *b = t->last_bucket && t->last_bucket->at == at ? t->last_bucket : map_get_ptr(&t->bucket_at, (uint64_t)at);

	t->last_bucket = b;
	if (b)
		return b;
	b = t->spare.nr ? t->spare.v[--t->spare.nr] : arena_make(t->arena, struct bucket);
	b->at = at;
	b->wakes.nr = 0;
	*map_put(&t->bucket_at, t->arena, (uint64_t)at) = map_ptr(b);
	vec_add(t->arena, &t->heap, b);
	heap_up(t, t->heap.nr - 1);
	return t->last_bucket = b;
}

/* ---- wishes */

static void make_due(struct control *t, enum controller_id id, uint32_t key)
{
	struct due *d = &t->due[id];

	if (key / 64 >= d->words) {
		uint32_t words = MAX(d->words * 2, key / 64 + 16);
		uint64_t *in = arena_array(t->arena, uint64_t, words);

		if (d->words)
			memcpy(in, d->in, d->words * sizeof(*in));
		d->in = in;
		d->words = words;
	}
	if (d->in[key / 64] >> (key % 64) & 1)
		return;
	d->in[key / 64] |= (uint64_t)1 << (key % 64);
	vec_add(t->arena, &d->keys, key);
}

static void wish(struct control *t, enum controller_id id, const struct object *key, nsec at, bool standing)
{
	uint64_t *last;

	if (at == NEVER)
		return;
	if (at <= cluster_now(t->cluster)) {
		make_due(t, id, key->id.i);
		return;
	}
	last = table_at(t, &t->last_wish[id], key->id.i);
	if (*last == (uint64_t)at)
		return;
	*last = (uint64_t)at;
	vec_add(t->arena, &bucket_for(t, at)->wakes, (struct wake){ key->id.i, (uint8_t)id, standing });
	t->moving += !standing;
}

void control_wake(struct control *t, enum controller_id id, const struct object *key, nsec at)
{
	wish(t, id, key, at, false);
}

void control_timer(struct control *t, enum controller_id id, const struct object *key, nsec at)
{
	wish(t, id, key, at, true);
}

/* Who says that such a Pod concerns it. Pods of one template come one after another. */
static uint64_t concerned(struct control *t, const struct pod *p)
{
	if (t->last_pod.spec == p->spec && t->last_pod.owners == p->o.owners.v && t->last_pod.annotations == p->o.annotations.v)
		return t->last_pod.concerns;
	t->last_pod.spec = p->spec;
	t->last_pod.owners = p->o.owners.v;
	t->last_pod.annotations = p->o.annotations.v;
	t->last_pod.concerns = 0;
	for (uint64_t left = t->picky; left; left &= left - 1)
		if (controllers[__builtin_ctzll(left)]->concerns(t, &p->o))
			t->last_pod.concerns |= left & -left;
	return t->last_pod.concerns;
}

void control_concerns_anew(struct control *t)
{
	t->last_pod.spec = NULL;
}

static uint64_t who_hears_of_pod(struct control *t, const struct change *ch)
{
	uint64_t bits = 0, some = 0;

	for (unsigned left = ch->pod; left; left &= left - 1) {
		bits |= t->hear_pods[__builtin_ctz(left)];
		some |= t->hear_some[__builtin_ctz(left)];
	}
	bits |= some & concerned(t, (const struct pod *)ch->object);
	t->orphans = t->orphans || !ch->object->owners.nr;
	return control_owner(t, ch->object) && !(ch->pod & POD_OTHER) ? bits & ~(t->hear_owned & ~t->last_owner.concerns) : bits;
}

static uint64_t who_hears(struct control *t, const struct change *ch)
{
	const uint64_t *bits = map_find(&t->listeners, map_ptr(ch->object->kind));

	if (ch->kind == CHANGE_ADD) {
		*map_put(&t->by_uid, t->arena, map_ptr(ch->object->uid)) = ch->object->id.i;
		t->last_owner.list = NULL;
	}
	return t->hear_all | (bits ? *bits : 0);
}

static void on_change(void *ctx, const struct change *ch)
{
	struct control *t = ctx;

	for (uint64_t left = ch->pod ? who_hears_of_pod(t, ch) : who_hears(t, ch); left; left &= left - 1)
		controllers[__builtin_ctzll(left)]->watch(t, ch);
}

/* ---- working */

static int by_key(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void run_controller(struct control *t, enum controller_id id)
{
	struct due *d = &t->due[id];
	uint32_t nr = d->keys.nr, *keys = d->keys.v;
	struct keys work = d->keys;
	nsec now = cluster_now(t->cluster);
	bool sorted = true;

	d->keys = d->other;             /* what the runs dirty goes into the other list */
	d->keys.nr = 0;
	d->other = work;
	for (uint32_t k = 1; k < nr && sorted; k++)
		sorted = keys[k - 1] < keys[k];
	if (!sorted)
		qsort(keys, nr, sizeof(*keys), by_key);
	for (uint32_t k = 0; k < nr; k++) {
		d->in[keys[k] / 64] &= ~((uint64_t)1 << (keys[k] % 64));
		controllers[id]->run(t, obj_get(t->cluster, (obj_h){ keys[k] }), now);
	}
	t->runs += nr;
}

/* Works off all that is due now. → the controller that had keys last, if they never came to rest; CTL_COUNT if they did. */
static enum controller_id work(struct control *t)
{
	enum controller_id id = CTL_COUNT;

	for (uint32_t round = 0; round < MAX_ROUNDS; round++) {
		for (id = 0; id < CTL_COUNT && !t->due[id].keys.nr; id++)
			;
		if (id == CTL_COUNT)
			return id;
		run_controller(t, id);
	}
	return id;
}

/* Goes to the next point in time that has wishes, and makes them due. */
static void step(struct control *t)
{
	struct bucket *b = heap_pop(t);

	cluster_set_now(t->cluster, MAX(b->at, cluster_now(t->cluster)));
	for (uint32_t k = 0; k < b->wakes.nr; k++) {
		const struct wake *w = &b->wakes.v[k];
		uint64_t *last = table_at(t, &t->last_wish[w->controller], w->key);

		t->moving -= !w->standing;
		if (*last == (uint64_t)b->at)
			*last = 0;
		make_due(t, w->controller, w->key);
	}
	vec_add(t->arena, &t->spare, b);
}

nsec control_next(const struct control *t)
{
	for (int id = 0; id < CTL_COUNT; id++)
		if (t->due[id].keys.nr)
			return cluster_now(t->cluster);
	return t->heap.nr ? t->heap.v[0]->at : NEVER;
}

struct object *control_by_uid(const struct control *t, str uid)
{
	const uint64_t *id = map_find(&t->by_uid, map_ptr(uid));

	return id ? obj_get(t->cluster, (obj_h){ (uint32_t)*id }) : NULL;
}

struct object *control_owner(struct control *t, const struct object *o)
{
	const struct owner_ref *ref;
	const uint64_t *concerns;

	if (!o->owners.nr)
		return NULL;
	if (o->owners.v != t->last_owner.list) {
		ref = controller_of(o);
		t->last_owner.owner = ref ? control_by_uid(t, ref->uid) : NULL;
		t->last_owner.list = o->owners.v;
		concerns = t->last_owner.owner ? map_find(&t->of_owner, map_ptr(t->last_owner.owner->kind)) : NULL;
		t->last_owner.concerns = concerns ? *concerns : 0;
	}
	return t->last_owner.owner;
}

static const char *name_key(struct control *t, enum controller_id id, uint32_t key)
{
	const struct object *o = obj_get(t->cluster, (obj_h){ key });

	return arena_printf(t->arena, "%s: %s %s%s%s", controllers[id]->name, o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name);
}

static const char *still_moving(struct control *t)
{
	const struct bucket *first = NULL;
	const struct wake *who = NULL;

	for (uint32_t k = 0; k < t->heap.nr; k++)
		for (uint32_t i = 0; (!first || t->heap.v[k]->at < first->at) && i < t->heap.v[k]->wakes.nr; i++)
			if (!t->heap.v[k]->wakes.v[i].standing) {
				first = t->heap.v[k];
				who = &first->wakes.v[i];
				break;
			}
	return who ? name_key(t, who->controller, who->key) : NULL;
}

void control_observe(struct control *t, void (*look)(void *ctx), void *ctx)
{
	t->look = look;
	t->look_ctx = ctx;
}

static void looked(const struct control *t)
{
	if (t->look)
		t->look(t->look_ctx);
}

struct settle_result control_settle(struct control *t)
{
	struct settle_result r = { .from = cluster_now(t->cluster) };
	nsec limit = r.from + timing(T_SETTLE_LIMIT);
	uint32_t before = t->runs;
	enum controller_id quarrel = work(t);

	looked(t);
	while (quarrel == CTL_COUNT && t->moving && t->heap.v[0]->at <= limit) {
		step(t);
		quarrel = work(t);
		looked(t);
	}
	r.to = cluster_now(t->cluster);
	r.runs = t->runs - before;
	r.settled = quarrel == CTL_COUNT && !t->moving;
	if (quarrel != CTL_COUNT)
		r.moving = name_key(t, quarrel, t->due[quarrel].keys.v[0]);
	else if (!r.settled)
		r.moving = still_moving(t);
	return r;
}

bool control_advance_until(struct control *t, nsec limit, bool (*done)(void *), void *ctx)
{
	work(t);
	looked(t);
	while (!done || !done(ctx)) {
		if (!t->heap.nr || t->heap.v[0]->at > limit) {
			cluster_set_now(t->cluster, MAX(limit, cluster_now(t->cluster)));
			return done && done(ctx);
		}
		step(t);
		work(t);
		looked(t);
	}
	return true;
}

void control_advance(struct control *t, nsec by)
{
	control_advance_until(t, cluster_now(t->cluster) + by, NULL, NULL);
}

/* ---- beginning, saving */

static void dirty_all(struct control *t)
{
	for (uint32_t p = 0; cluster_pool_kind(t->cluster, p); p++) {
		struct object_list l = cluster_list(t->cluster, cluster_pool_kind(t->cluster, p));

		for (uint32_t k = 0; k < l.nr; k++)
			on_change(t, &(struct change){ CHANGE_ADD, l.v[k], l.v[k]->rev, l.v[k]->kind == &pod_kind ? POD_ADDED : 0 });
	}
}

static void listen(struct control *t, enum controller_id id)
{
	const struct controller *x = controllers[id];
	bool pods = !x->kinds;

	if (!x->kinds)
		t->hear_all |= (uint64_t)1 << id;
	for (const struct kind *const *k = x->kinds; k && *k; k++) {
		*map_put(&t->listeners, t->arena, map_ptr(*k)) |= (uint64_t)1 << id;
		pods = pods || *k == &pod_kind;
	}
	for (const struct kind *const *k = x->owners; k && *k; k++)
		*map_put(&t->of_owner, t->arena, map_ptr(*k)) |= (uint64_t)1 << id;
	if (x->owners)
		t->hear_owned |= (uint64_t)1 << id;
	if (x->concerns)
		t->picky |= (uint64_t)1 << id;
	for (size_t bit = 0; pods && bit < ARRAY_LEN(t->hear_pods); bit++)
		if (x->some >> bit & 1)
			t->hear_some[bit] |= (uint64_t)1 << id;
		else if (!x->pods || x->pods >> bit & 1)
			t->hear_pods[bit] |= (uint64_t)1 << id;
}

struct control *control_new(struct cluster *c)
{
	struct arena *a = cluster_arena(c);
	struct control *t = arena_make(a, struct control);

	static_assert(CTL_COUNT <= 64, "a bit for each controller");
	t->cluster = c;
	t->arena = a;
	t->scratch = cluster_side_arena(c, "control");
	arena_alloc(t->scratch, SCRATCH_KEPT, 1);
	arena_rewind(t->scratch, (struct arena_mark){ arena_mark(t->scratch).block, 0 });
	for (int id = 0; id < CTL_COUNT; id++) {
		listen(t, (enum controller_id)id);
		t->state[id] = controllers[id]->init ? controllers[id]->init(t) : NULL;
	}
	cluster_add_watch(c, on_change, t);
	cluster_set_admit(c, control_admit, t);
	dirty_all(t);
	return t;
}

struct val *control_save(struct control *t, struct arena *a)
{
	struct val *all = val_new(a, VAL_MAP);

	for (int id = 0; id < CTL_COUNT; id++)
		if (controllers[id]->save)
			controllers[id]->save(t, a, val_put(a, all, controllers[id]->name, val_new(a, VAL_MAP)));
	return all;
}

void control_load(struct control *t, const struct val *v)
{
	for (int id = 0; id < CTL_COUNT; id++) {
		const struct val *own = val_get(v, controllers[id]->name);

		if (controllers[id]->load && own)
			controllers[id]->load(t, own);
	}
}
