/* Objects by kind and name: a pool per kind, sorted when it is asked for, and one index of names. */
#include "model/cluster/store.h"

#include <stdlib.h>

struct pool *pool_of(const struct cluster *c, const struct kind *k)
{
	return map_get_ptr(&c->pool_of, map_ptr(k));
}

struct pool *pool_make(struct cluster *c, const struct kind *k)
{
	struct pool *p = pool_of(c, k);

	if (p)
		return p;
	p = arena_make(c->arena, struct pool);
	p->kind = k;
	vec_add(c->arena, &c->pools, p);
	*map_put(&c->pool_of, c->arena, map_ptr(k)) = map_ptr(p);
	return p;
}

/* ---- the index of names */

uint32_t *names_next(const struct name_map *m, uint32_t tag, uint32_t *at)
{
	if (!m->alloc)
		return NULL;
	*at = (*at == UINT32_MAX ? tag : *at + 1) & (m->alloc - 1);
	while (m->slot[*at].handle && m->slot[*at].tag != tag)
		*at = (*at + 1) & (m->alloc - 1);
	return m->slot[*at].handle ? &m->slot[*at].handle : NULL;
}

static void put_in(struct name_map *m, struct name_slot s)
{
	uint32_t at = s.tag & (m->alloc - 1);

	while (m->slot[at].handle)
		at = (at + 1) & (m->alloc - 1);
	m->slot[at] = s;
}

void names_add(struct name_map *m, struct arena *a, struct name_slot s)
{
	if (m->nr >= m->alloc / 2) {
		struct name_map old = *m;

		m->alloc = old.alloc ? old.alloc * 2 : 8;
		m->slot = arena_array(a, struct name_slot, m->alloc);
		for (uint32_t k = 0; k < old.alloc; k++)
			if (old.slot[k].handle)
				put_in(m, old.slot[k]);
		arena_discard(a, old.slot, old.alloc * sizeof(*old.slot));
	}
	put_in(m, s);
	m->nr++;
}

static uint32_t name_key(const struct kind *k, str ns, str name)
{
	return (uint32_t)hash_mix(hash_mix(map_ptr(k), map_ptr(ns)), map_ptr(name));
}

struct object *cluster_at(const struct cluster *c, const struct kind *k, str ns, str name)
{
	uint32_t key = name_key(k, ns, name), at = UINT32_MAX, *h;

	while ((h = names_next(&c->by_name, key, &at))) {
		struct object *o = c->all.v[*h];

		if (o->kind == k && o->ns == ns && o->name == name)
			return o->gone ? NULL : o;
	}
	return NULL;
}

struct object *cluster_find(const struct cluster *c, const struct kind *k, const char *ns_text, const char *name_text)
{
	str ns = k->namespaced ? str_find(c->strings, ns_text) : NULL, name = str_find(c->strings, name_text);

	return !name || (k->namespaced && !ns) ? NULL : cluster_at(c, k, ns, name);
}

/* An object takes the place of a gone one of the same name. */
void index_name(struct cluster *c, struct object *o)
{
	uint32_t key = name_key(o->kind, o->ns, o->name), at = UINT32_MAX, *h;

	while ((h = names_next(&c->by_name, key, &at))) {
		const struct object *have = c->all.v[*h];

		if (have->kind == o->kind && have->ns == o->ns && have->name == o->name) {
			assert(have->gone);
			o->life = (have->life + 1u) & LIFE_MOST;
			*h = o->id.i;
			return;
		}
	}
	names_add(&c->by_name, c->arena, (struct name_slot){ key, o->id.i });
}

int by_name_order(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	int d = str_order(x->ns, y->ns);

	return d ? d : str_order(x->name, y->name);
}

static void drop_gone(struct pool *p)
{
	uint32_t to = 0, sorted = 0;

	for (uint32_t k = 0; k < p->nr; k++) {
		if (p->v[k]->gone)
			continue;
		sorted += k < p->nr_sorted;
		p->v[to++] = p->v[k];
	}
	p->nr = to;
	p->nr_sorted = sorted;
	p->nr_gone = 0;
}

/* The last of the sorted members that stands before o, + 1. */
static uint32_t place_of(const struct pool *p, struct object *o)
{
	uint32_t lo = 0, hi = p->nr_sorted;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (by_name_order(&p->v[mid], &o) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* From behind: what is greater moves up, so that only the part behind the least new one is touched. */
static void merge_new(struct pool *p)
{
	uint32_t nr = p->nr - p->nr_sorted, head = p->nr_sorted, to = p->nr;
	struct object *few[16], **new = nr <= ARRAY_LEN(few) ? few : malloc(nr * sizeof(*new));

	if (!new)
		abort();
	memcpy(new, p->v + head, nr * sizeof(*new));
	while (nr) {
		uint32_t at;

		p->nr_sorted = head;
		at = place_of(p, new[nr - 1]);
		memmove(p->v + to - (head - at), p->v + at, (head - at) * sizeof(*p->v));
		to -= head - at;
		head = at;
		p->v[--to] = new[--nr];
	}
	if (new != few)
		free(new);
}

/* Drops what is gone, sorts what is new and merges it into what was sorted. */
static void pool_tidy(struct pool *p)
{
	if (p->nr_gone)
		drop_gone(p);
	if (p->nr_sorted == p->nr)
		return;
	if (p->nr - p->nr_sorted > 1)
		qsort(p->v + p->nr_sorted, p->nr - p->nr_sorted, sizeof(*p->v), by_name_order);
	if (p->nr_sorted && by_name_order(&p->v[p->nr_sorted - 1], &p->v[p->nr_sorted]) > 0)
		merge_new(p);
	p->nr_sorted = p->nr;
}

struct object_list cluster_list(const struct cluster *c, const struct kind *k)
{
	struct pool *p = pool_of(c, k);

	if (!p)
		return (struct object_list){ 0 };
	pool_tidy(p);
	return (struct object_list){ p->v, p->nr };
}

static uint32_t first_at_least(const struct object_list *l, const char *ns, int bias)
{
	uint32_t lo = 0, hi = l->nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (str_order(l->v[mid]->ns, ns) < bias)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct object_list cluster_list_ns(const struct cluster *c, const struct kind *k, const char *ns)
{
	struct object_list l = cluster_list(c, k);
	uint32_t from, to;

	if (!ns || !k->namespaced)
		return l;
	from = first_at_least(&l, ns, 0);
	to = first_at_least(&l, ns, 1);
	return (struct object_list){ l.nr ? l.v + from : NULL, to - from };
}

uint32_t cluster_count(const struct cluster *c, const struct kind *k)
{
	const struct pool *p = pool_of(c, k);

	return p ? p->nr - p->nr_gone : 0;
}

const struct kind *cluster_pool_kind(const struct cluster *c, uint32_t i)
{
	return i < c->pools.nr ? c->pools.v[i]->kind : NULL;
}

struct namespace_ *find_namespace(const struct cluster *c, const char *name)
{
	return (struct namespace_ *)cluster_find(c, &namespace_kind, NULL, name);
}

struct node *find_node(const struct cluster *c, const char *name)
{
	return (struct node *)cluster_find(c, &node_kind, NULL, name);
}

bool node_has_ip(const struct node *n, ip_addr ip)
{
	ip_addr own;

	for (uint32_t k = 0; n && k < n->addresses.nr; k++)
		if (ip_parse(n->addresses.v[k].address, &own) && ip_eq(own, ip))
			return true;
	return false;
}

ip_addr node_internal_ip(const struct node *n, bool v6)
{
	ip_addr ip;

	for (uint32_t k = 0; k < n->addresses.nr; k++)
		if (streq(n->addresses.v[k].type, "InternalIP") && ip_parse(n->addresses.v[k].address, &ip) && ip_is4(ip) != v6)
			return ip;
	return (ip_addr){ 0, 0 };
}

struct pod *find_pod(const struct cluster *c, const char *ns, const char *name)
{
	return (struct pod *)cluster_find(c, &pod_kind, ns, name);
}

struct service *find_service(const struct cluster *c, const char *ns, const char *name)
{
	return (struct service *)cluster_find(c, &service_kind, ns, name);
}
