/* Pods by label, owner and address, slices by Service: lists of handles under a hash, corrected when they are read. */
#include "model/cluster/store.h"

#include <stdlib.h>

static struct handles *handles_at(const struct map *m, uint64_t key)
{
	return map_get_ptr(m, key);
}

static struct handles *handles_make(struct cluster *c, struct map *m, uint64_t key)
{
	struct handles *l = handles_at(m, key);

	if (!l) {
		l = arena_make(c->arena, struct handles);
		*map_put(m, c->arena, key) = map_ptr(l);
	}
	return l;
}

/* An object that comes again, as it does whenever it changes, stands there twice until the list is read. */
static void handles_push(struct cluster *c, struct handles *l, obj_h h)
{
	if (l->nr && l->v[l->nr - 1].i == h.i)
		return;
	l->mixed |= l->nr && l->v[l->nr - 1].i > h.i;
	vec_add(c->arena, l, h);
}

static uint64_t ip_key(ip_addr a)
{
	return hash_mix(a.hi, a.lo);
}

static uint64_t label_key(str ns, str key, str value)
{
	return hash_mix(hash_mix(map_ptr(ns), map_ptr(key)), map_ptr(value));
}

static struct handles *list_of_label(struct cluster *c, const struct object *o, uint32_t k)
{
	return handles_make(c, &c->pods_by_label, label_key(o->ns, o->labels.v[k].key, o->labels.v[k].value));
}

/* Pods of one template come one after another and share their labels. */
static void index_labels(struct cluster *c, const struct object *o)
{
	bool same = o->labels.v == c->last_labels.labels && o->ns == c->last_labels.ns;

	if (!same) {
		c->last_labels.ns = o->ns;
		c->last_labels.labels = o->labels.v;
		for (uint32_t k = 0; k < MIN(o->labels.nr, (uint32_t)LABELS_KNOWN); k++)
			c->last_labels.list[k] = list_of_label(c, o, k);
	}
	for (uint32_t k = 0; k < o->labels.nr; k++)
		handles_push(c, k < LABELS_KNOWN ? c->last_labels.list[k] : list_of_label(c, o, k), o->id);
}

static void index_owner(struct cluster *c, str uid, obj_h h)
{
	if (c->last_owner.uid != uid) {
		c->last_owner.uid = uid;
		c->last_owner.list = handles_make(c, &c->pods_by_owner, map_ptr(uid));
	}
	handles_push(c, c->last_owner.list, h);
}

static bool owns_address(const struct pod *p)
{
	return !p->o.gone && !p->spec->host_network && !pod_is_terminal(p);
}

void index_address(struct cluster *c, const struct pod *p, ip_addr ip)
{
	uint32_t tag = (uint32_t)ip_key(ip), at = UINT32_MAX, *h;

	if (!ip_set(ip) || p->spec->host_network)
		return;
	while ((h = names_next(&c->pod_by_ip, tag, &at))) {
		const struct pod *have = (const struct pod *)c->all.v[*h];

		if (have->o.gone || ip_eq(have->ip, ip) || ip_eq(have->ip2, ip)) {
			*h = p->o.id.i;
			return;
		}
	}
	names_add(&c->pod_by_ip, c->arena, (struct name_slot){ tag, p->o.id.i });
}

void index_object(struct cluster *c, struct object *o)
{
	if (o->kind == &pod_kind) {
		const struct pod *p = (const struct pod *)o;
		str owner = owner_uid(o);

		index_labels(c, o);
		if (owner)
			index_owner(c, owner, o->id);
		index_address(c, p, p->ip);
		index_address(c, p, p->ip2);
	} else if (o->kind == &service_kind) {
		const struct service *s = (const struct service *)o;
		ip_addr ip;

		for (uint32_t k = 0; k < s->cluster_ips.nr; k++)
			if (ip_parse(s->cluster_ips.v[k], &ip))
				*map_put(&c->service_by_ip, c->arena, ip_key(ip)) = o->id.i;
	} else if (o->kind == &endpointslice_kind) {
		struct endpointslice *s = (struct endpointslice *)o;

		s->service = label_get(&o->labels, "kubernetes.io/service-name");
		if (s->service)
			handles_push(c, handles_make(c, &c->slices_of, hash_mix(map_ptr(o->ns), map_ptr(s->service))), o->id);
	}
}

/* The first of each stays where it is. */
static void drop_repeats(struct handles *l)
{
	struct arena *scratch = arena_new(NULL, "repeats");
	struct map seen = { 0 };
	uint32_t to = 0;

	for (uint32_t k = 0; k < l->nr; k++)
		if (!map_find(&seen, l->v[k].i)) {
			map_put(&seen, scratch, l->v[k].i);
			l->v[to++] = l->v[k];
		}
	l->nr = to;
	l->mixed = false;
	arena_free(scratch);
}

/* Makes the answer from a list of handles; drops members for which belongs() is false. The answer is good until the next of its kind. */
static struct object_list pick_from(const struct cluster *cc, struct handles *l, bool (*belongs)(const struct object *, const void *), const void *ctx)
{
	struct cluster *c = (struct cluster *)cc;
	uint32_t to = 0;

	if (!l)
		return (struct object_list){ 0 };
	if (l->mixed)
		drop_repeats(l);
	if (c->answer_alloc < l->nr) {
		c->answer_alloc = MAX(l->nr * 2, 64);
		c->answer = arena_array(c->arena, struct object *, c->answer_alloc);
	}
	for (uint32_t k = 0; k < l->nr; k++) {
		struct object *o = c->all.v[l->v[k].i];

		if (o->gone || !belongs(o, ctx))
			continue;
		l->v[to] = o->id;
		c->answer[to++] = o;
	}
	l->nr = to;
	return (struct object_list){ c->answer, to };
}

#define FEW 32                          /* so many are put in order as they come */

void objects_sort(struct object_list *l)
{
	if (l->nr > FEW) {
		qsort(l->v, l->nr, sizeof(*l->v), by_name_order);
		return;
	}
	for (uint32_t k = 1; k < l->nr; k++) {
		struct object *o = l->v[k];
		uint32_t at = k;

		for (; at && by_name_order(&l->v[at - 1], &o) > 0; at--)
			l->v[at] = l->v[at - 1];
		l->v[at] = o;
	}
}

static struct object_list answer_from(const struct cluster *c, struct handles *l, bool (*belongs)(const struct object *, const void *), const void *ctx)
{
	struct object_list out = pick_from(c, l, belongs, ctx);

	objects_sort(&out);
	return out;
}

static bool slice_is_of(const struct object *o, const void *name)
{
	return ((const struct endpointslice *)o)->service == (str)name;
}

struct object_list service_slices(const struct cluster *c, const struct service *s)
{
	return answer_from(c, handles_at(&c->slices_of, hash_mix(map_ptr(s->o.ns), map_ptr(s->o.name))), slice_is_of, s->o.name);
}

static bool is_owned_by(const struct object *o, const void *uid)
{
	return owner_uid(o) == (str)uid;
}

struct object_list pods_of(const struct cluster *c, str uid)
{
	return answer_from(c, uid ? handles_at(&c->pods_by_owner, map_ptr(uid)) : NULL, is_owned_by, uid);
}

struct object_list pods_made_by(const struct cluster *c, str uid)
{
	return pick_from(c, uid ? handles_at(&c->pods_by_owner, map_ptr(uid)) : NULL, is_owned_by, uid);
}

str owner_uid(const struct object *o)
{
	for (uint32_t k = 0; k < o->owners.nr; k++)
		if (o->owners.v[k].controller)
			return o->owners.v[k].uid;
	return NULL;
}

static struct object_list copy_of(struct object_list l, struct arena *a)
{
	return (struct object_list){ l.nr ? arena_copy(a, l.v, l.nr * sizeof(*l.v)) : NULL, l.nr };
}

struct having { const struct pair *pair; const struct pair *last; };   /* last: labels that have it */

static bool has_pair(const struct object *o, const void *ctx)
{
	struct having *h = (struct having *)(uintptr_t)ctx;

	if ((!h->last || o->labels.v != h->last) && !streq(label_get(&o->labels, h->pair->key), h->pair->value))
		return false;
	h->last = o->labels.v;
	return true;
}

/* The Pods that have the rarest of the pairs, in any order; all of the namespace if there is no pair. */
static struct object_list candidates(const struct cluster *c, const char *ns, const pair_list *pairs)
{
	const struct handles *best = NULL;
	const struct pair *by = NULL;
	str own = str_find(c->strings, ns);

	for (uint32_t k = 0; k < pairs->nr; k++) {
		const struct handles *l = handles_at(&c->pods_by_label, label_key(own, pairs->v[k].key, pairs->v[k].value));

		if (!l)
			return (struct object_list){ 0 };
		if (!best || l->nr < best->nr) {
			best = l;
			by = &pairs->v[k];
		}
	}
	if (!best)
		return cluster_list_ns(c, &pod_kind, ns);
	return pick_from(c, (struct handles *)best, has_pair, &(struct having){ by, NULL });
}

/* Pods of one template share their labels: those are looked at once. */
struct object_list pods_picked(const struct cluster *c, const char *ns, const pair_list *pairs, struct arena *scratch)
{
	struct object_list l = copy_of(candidates(c, ns, pairs), scratch);
	const struct pair *same = NULL;
	uint32_t to = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		if ((same && l.v[k]->labels.v == same) || pairs_match(pairs, &l.v[k]->labels)) {
			same = l.v[k]->labels.v;
			l.v[to++] = l.v[k];
		}
	l.nr = to;
	return l;
}

struct object_list pods_selected(const struct cluster *c, const char *ns, const pair_list *pairs, struct arena *scratch)
{
	struct object_list l = pods_picked(c, ns, pairs, scratch);

	objects_sort(&l);
	return l;
}

struct object_list pods_matching(const struct cluster *c, const char *ns, const struct selector *s, struct arena *scratch)
{
	struct object_list l = copy_of(candidates(c, ns, &s->labels), scratch);
	uint32_t to = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		if (selector_matches(s, &l.v[k]->labels))
			l.v[to++] = l.v[k];
	l.nr = to;
	objects_sort(&l);
	return l;
}

struct pod *find_pod_by_ip(const struct cluster *c, ip_addr ip)
{
	uint32_t at = UINT32_MAX, *h;

	while ((h = names_next(&c->pod_by_ip, (uint32_t)ip_key(ip), &at))) {
		struct pod *p = (struct pod *)c->all.v[*h];

		if (owns_address(p) && (ip_eq(p->ip, ip) || ip_eq(p->ip2, ip)))
			return p;
	}
	return NULL;
}

struct service *find_service_by_ip(const struct cluster *c, ip_addr ip)
{
	uint64_t *at = map_find(&c->service_by_ip, ip_key(ip));
	struct service *s = at ? (struct service *)c->all.v[*at] : NULL;
	ip_addr own;

	for (uint32_t k = 0; s && !s->o.gone && k < s->cluster_ips.nr; k++)
		if (ip_parse(s->cluster_ips.v[k], &own) && ip_eq(own, ip))
			return s;
	return NULL;
}

bool cluster_has_pod_ips(const struct cluster *c)
{
	return c->pod_by_ip.nr > 0;
}
