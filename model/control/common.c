#include "model/control/common.h"

#include "model/cluster/apply.h"

/* ---- pairs, conditions, owners */

pair_list pairs_with(struct cluster *c, const pair_list *old, const char *key, const char *value)
{
	struct pair *v = arena_array(cluster_arena(c), struct pair, old->nr + 1);
	uint32_t to = 0;
	bool put = !value;

	for (uint32_t k = 0; k < old->nr; k++) {
		int d = strcmp(old->v[k].key, key);

		if (d >= 0 && !put) {
			v[to++] = (struct pair){ cluster_str(c, key), cluster_str(c, value) };
			put = true;
		}
		if (d)
			v[to++] = old->v[k];
	}
	if (!put)
		v[to++] = (struct pair){ cluster_str(c, key), cluster_str(c, value) };
	return (pair_list){ v, to, true };
}

void annotate(struct control *t, struct object *o, const char *key, const char *value)
{
	struct cluster *c = control_cluster(t);

	if (streq(label_get(&o->annotations, key), value))
		return;
	o->annotations = pairs_with(c, &o->annotations, key, value);
	cluster_touch(c, o);
}

enum cond_status condition_status(const condition_list *l, const char *type)
{
	const struct condition *have = condition_get(l, type);

	return have ? (enum cond_status)have->status : COND_NONE;
}

bool condition_put(struct cluster *c, condition_list *l, const char *type, enum cond_status status, const char *reason, const char *message)
{
	const struct condition *have = condition_get(l, type);
	struct condition *v;
	uint32_t at = have ? (uint32_t)(have - l->v) : l->nr;

	if (have && have->status == status && streq(have->reason, reason) && streq(have->message, message))
		return false;
	v = arena_array(cluster_arena(c), struct condition, l->nr + !have);
	if (l->nr)
		memcpy(v, l->v, l->nr * sizeof(*v));
	if (!have || have->status != status)
		v[at].changed = cluster_now(c);
	v[at].type = cluster_str(c, type);
	v[at].status = (uint8_t)status;
	v[at].reason = cluster_str(c, reason);
	v[at].message = cluster_str(c, message);
	v[at].heartbeat = NEVER;
	*l = (condition_list){ v, l->nr + !have, true };
	return true;
}

void own(struct cluster *c, struct object *child, const struct object *owner)
{
	struct owner_ref *v = arena_array(cluster_arena(c), struct owner_ref, child->owners.nr + 1);

	if (child->owners.nr)
		memcpy(v, child->owners.v, child->owners.nr * sizeof(*v));
	v[child->owners.nr] = (struct owner_ref){ cluster_str(c, owner->kind->apis[0]), cluster_str(c, owner->kind->name), owner->name, owner->uid, true, true };
	child->owners.v = v;
	child->owners.nr++;
	child->owners.set = true;
}

void disown(struct cluster *c, struct object *child, const char *uid)
{
	struct owner_ref *v = arena_array(cluster_arena(c), struct owner_ref, child->owners.nr);
	uint32_t to = 0;

	for (uint32_t k = 0; k < child->owners.nr; k++)
		if (!streq(child->owners.v[k].uid, uid))
			v[to++] = child->owners.v[k];
	child->owners.v = v;
	child->owners.nr = to;
}

const struct owner_ref *controller_of(const struct object *o)
{
	for (uint32_t k = 0; k < o->owners.nr; k++)
		if (o->owners.v[k].controller)
			return &o->owners.v[k];
	return NULL;
}

/* ---- names */

#define LETTERS (sizeof(random_alphabet) - 1)

void safe_encode(const char *s, char *out)
{
	for (; *s; s++)
		*out++ = random_alphabet[(unsigned char)*s % LETTERS];
	*out = '\0';
}

/* ---- shared lists */

const void *share_bytes(struct control *t, const void *p, size_t size)
{
	struct map *m = control_shared(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t h = size;
	uint64_t *at;

	for (size_t k = 0; k + 8 <= size; k += 8) {
		uint64_t word;

		memcpy(&word, (const char *)p + k, 8);
		h = hash_mix(h, word);
	}
	at = map_put(m, a, h);
	if (!*at || memcmp((const void *)(uintptr_t)*at, p, size) != 0)
		*at = map_ptr(arena_copy(a, p, size));
	return (const void *)(uintptr_t)*at;
}

uint64_t *table_make(struct control *t, struct table *x, uint32_t handle)
{
	struct arena *a = cluster_arena(control_cluster(t));
	uint32_t want = handle / TABLE_PAGE;

	if (want >= x->pages) {
		uint32_t pages = MAX(x->pages * 2, want + 4);
		uint64_t **page = arena_array(a, uint64_t *, pages);

		if (x->pages)
			memcpy(page, x->page, x->pages * sizeof(*page));
		x->page = page;
		x->pages = pages;
	}
	if (!x->page[want])
		x->page[want] = arena_array(a, uint64_t, TABLE_PAGE);
	return &x->page[want][handle % TABLE_PAGE];
}

/* ---- the index of selectors */

struct members { obj_h *v; uint32_t nr, alloc; };

static void member_add(struct control *t, struct map *m, uint64_t key, obj_h h)
{
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at = map_put(m, a, key);

	if (!*at)
		*at = map_ptr(arena_make(a, struct members));
	vec_add(a, (struct members *)(uintptr_t)*at, h);
}

static uint64_t pair_key(str ns, str key, str value)
{
	return hash_mix(hash_mix(map_ptr(ns), map_ptr(key)), map_ptr(value));
}

void selector_index_add(struct control *t, struct selector_index *x, const struct object *o, const pair_list *pairs)
{
	/* The last pair: sorted by key, "version" or the like tells more than "app" does. */
	uint64_t key = pairs->nr ? pair_key(o->ns, pairs->v[pairs->nr - 1].key, pairs->v[pairs->nr - 1].value) : map_ptr(o->ns);
	uint64_t *known = map_put(&x->known, cluster_arena(control_cluster(t)), hash_mix(key, o->id.i));

	if (*known)
		return;
	*known = 1;
	member_add(t, pairs->nr ? &x->by_pair : &x->all_of_ns, key, o->id);
}

static void visit_all(struct control *t, const struct map *m, uint64_t key, selector_visit visit, void *ctx)
{
	const struct members *l = map_get_ptr(m, key);

	for (uint32_t k = 0; l && k < l->nr; k++) {
		struct object *o = obj_get(control_cluster(t), l->v[k]);

		if (!o->gone)
			visit(t, ctx, o);
	}
}

void selector_index_find(struct control *t, const struct selector_index *x, str ns, const pair_list *labels, selector_visit visit, void *ctx)
{
	for (uint32_t k = 0; k < labels->nr; k++)
		visit_all(t, &x->by_pair, pair_key(ns, labels->v[k].key, labels->v[k].value), visit, ctx);
	visit_all(t, &x->all_of_ns, map_ptr(ns), visit, ctx);
}

struct val *object_edit(struct cluster *c, struct object *o)
{
	struct val *doc = o->doc ? val_copy(cluster_arena(c), o->doc) : object_render(c, o, cluster_arena(c));

	if (!o->applied && o->file)
		o->applied = o->doc;
	o->doc = doc;
	return doc;
}
