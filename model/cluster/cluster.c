/*
 * Theory of operation. Every object has a handle, an index into `all`; objects never move and handles are never used again. Indexes map
 * hashes of interned names to handles, or to lists of handles. Lists are corrected lazily: a member that no longer belongs (gone, relabelled, readdressed)
 * is passed over when it is met and dropped when the list is next read, so that a change costs O(1) however long the lists are.
 * What is returned is sorted by (namespace, name): no hash order shows.
 */
#include "model/cluster/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_WATCHES 8

struct pool {
	const struct kind *kind;
	struct object **v;              /* sorted up to nr_sorted */
	uint32_t nr, alloc, nr_sorted, nr_gone;
};

struct handles { obj_h *v; uint32_t nr, alloc; };

struct cluster {
	struct mem *mem;
	struct arena *arena;
	struct strtab *strings;
	uint64_t seed;
	rev_t rev;
	nsec now;
	VEC(struct object *) all;               /* [0] unused */
	VEC(struct pool *) pools;
	struct map pool_of;                     /* kind → pool */
	struct map by_name;                     /* hash(kind, ns, name) → handle */
	struct map pods_by_label;               /* hash(ns, key, value) → struct handles */
	struct map pods_by_owner;               /* uid → struct handles */
	struct map pod_by_ip;                   /* hash(address) → handle */
	struct map slices_of;                   /* hash(ns, service) → struct handles */
	struct event_log events;
	struct { cluster_watch fn; void *ctx; } watches[MAX_WATCHES];
	uint32_t nr_watches;
	struct { cluster_admit fn; void *ctx; } admit;
	struct settings settings;
	bool settings_known;
	struct settings_flags flags;
	struct object **answer;                 /* of the functions that make a list from an index */
	uint32_t answer_alloc;
};

struct cluster *cluster_new(struct mem *mem, uint64_t seed)
{
	struct arena *a = arena_new(mem, "cluster");
	struct cluster *c = arena_make(a, struct cluster);

	c->mem = mem;
	c->arena = a;
	c->strings = strtab_new(a);
	c->seed = seed;
	vec_push(a, &c->all);
	return c;
}

void cluster_free(struct cluster *c)
{
	if (c)
		arena_free(c->arena);
}

struct arena *cluster_arena(struct cluster *c) { return c->arena; }
struct strtab *cluster_strings(const struct cluster *c) { return c->strings; }
str cluster_str(struct cluster *c, const char *s) { return str_intern(c->strings, s); }
uint64_t cluster_seed(const struct cluster *c) { return c->seed; }
rev_t cluster_rev(const struct cluster *c) { return c->rev; }
nsec cluster_now(const struct cluster *c) { return c->now; }
void cluster_set_now(struct cluster *c, nsec now) { c->now = now; }
struct settings_flags *cluster_flags(struct cluster *c) { return &c->flags; }

bool cluster_add_watch(struct cluster *c, cluster_watch fn, void *ctx)
{
	if (c->nr_watches == MAX_WATCHES)
		return false;
	c->watches[c->nr_watches].fn = fn;
	c->watches[c->nr_watches++].ctx = ctx;
	return true;
}

void cluster_set_admit(struct cluster *c, cluster_admit fn, void *ctx)
{
	c->admit.fn = fn;
	c->admit.ctx = ctx;
}

bool cluster_admitted(struct cluster *c, struct object *o, const struct object *old, struct check *check)
{
	return !c->admit.fn || c->admit.fn(c->admit.ctx, c, o, old, check);
}

const struct settings *cluster_settings(struct cluster *c)
{
	if (!c->settings_known) {
		c->settings_known = true;
		settings_build(c, &c->settings);
	}
	return &c->settings;
}

/* ---- pools and the index of names */

static struct pool *pool_of(const struct cluster *c, const struct kind *k)
{
	return map_get_ptr(&c->pool_of, map_ptr(k));
}

static struct pool *pool_make(struct cluster *c, const struct kind *k)
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

static uint64_t name_key(const struct kind *k, str ns, str name)
{
	return hash_mix(hash_mix(map_ptr(k), map_ptr(ns)), map_ptr(name));
}

struct object *obj_get(const struct cluster *c, obj_h h)
{
	assert(h.i < c->all.nr);
	return c->all.v[h.i];
}

struct object *cluster_find(const struct cluster *c, const struct kind *k, const char *ns_text, const char *name_text)
{
	str ns = k->namespaced ? str_find(c->strings, ns_text) : NULL, name = str_find(c->strings, name_text);
	uint64_t *at;

	if (!name || (k->namespaced && !ns))
		return NULL;
	for (uint64_t key = name_key(k, ns, name); (at = map_find(&c->by_name, key)); key++) {
		struct object *o = c->all.v[*at];

		if (o->kind == k && o->ns == ns && o->name == name)
			return o->gone ? NULL : o;
	}
	return NULL;
}

/* An object takes the place of a gone one of the same name. */
static void index_name(struct cluster *c, struct object *o)
{
	uint64_t key = name_key(o->kind, o->ns, o->name), *at;

	for (; (at = map_find(&c->by_name, key)); key++) {
		const struct object *have = c->all.v[*at];

		if (have->kind == o->kind && have->ns == o->ns && have->name == o->name) {
			assert(have->gone);
			o->life = have->life + 1;
			break;
		}
	}
	*map_put(&c->by_name, c->arena, key) = o->id.i;
}

static int by_name_order(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	int d = str_order(x->ns, y->ns);

	return d ? d : str_order(x->name, y->name);
}

/* Drops what is gone, sorts what is new and merges it into what was sorted. */
static void pool_tidy(struct pool *p)
{
	uint32_t to = 0, sorted = 0, head, tail;
	struct object **merged;

	if (p->nr_sorted == p->nr && !p->nr_gone)
		return;
	for (uint32_t k = 0; k < p->nr; k++) {
		if (p->v[k]->gone)
			continue;
		sorted += k < p->nr_sorted;
		p->v[to++] = p->v[k];
	}
	p->nr = to;
	p->nr_gone = 0;
	qsort(p->v + sorted, p->nr - sorted, sizeof(*p->v), by_name_order);
	p->nr_sorted = p->nr;
	if (!sorted || sorted == p->nr || by_name_order(&p->v[sorted - 1], &p->v[sorted]) < 0)
		return;
	merged = malloc(p->nr * sizeof(*merged));
	if (!merged)
		abort();
	head = 0;
	tail = sorted;
	for (uint32_t k = 0; k < p->nr; k++)
		merged[k] = tail == p->nr || (head < sorted && by_name_order(&p->v[head], &p->v[tail]) < 0) ? p->v[head++] : p->v[tail++];
	memcpy(p->v, merged, p->nr * sizeof(*merged));
	free(merged);
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
	return cluster_list(c, k).nr;
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

struct pod *find_pod(const struct cluster *c, const char *ns, const char *name)
{
	return (struct pod *)cluster_find(c, &pod_kind, ns, name);
}

struct service *find_service(const struct cluster *c, const char *ns, const char *name)
{
	return (struct service *)cluster_find(c, &service_kind, ns, name);
}

/* ---- indexes of Pods and slices: lists of handles under a hash */

static struct handles *handles_at(const struct map *m, uint64_t key)
{
	return map_get_ptr(m, key);
}

static void handles_add(struct cluster *c, struct map *m, uint64_t key, obj_h h)
{
	struct handles *l = handles_at(m, key);

	if (!l) {
		l = arena_make(c->arena, struct handles);
		*map_put(m, c->arena, key) = map_ptr(l);
	}
	for (uint32_t k = l->nr; k > 0 && k + 4 > l->nr; k--)   /* the usual repeat: the same object again */
		if (l->v[k - 1].i == h.i)
			return;
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

static void index_labels(struct cluster *c, const struct object *o)
{
	for (uint32_t k = 0; k < o->labels.nr; k++)
		handles_add(c, &c->pods_by_label, label_key(o->ns, o->labels.v[k].key, o->labels.v[k].value), o->id);
}

static bool owns_address(const struct pod *p)
{
	return !p->o.gone && !p->spec->host_network && !pod_is_terminal(p);
}

static void index_ip(struct cluster *c, const struct pod *p, ip_addr ip)
{
	if (ip_set(ip) && !p->spec->host_network)
		*map_put(&c->pod_by_ip, c->arena, ip_key(ip)) = p->o.id.i;
}

static void index_object(struct cluster *c, struct object *o)
{
	if (o->kind == &pod_kind) {
		const struct pod *p = (const struct pod *)o;
		str owner = owner_uid(o);

		index_labels(c, o);
		if (owner)
			handles_add(c, &c->pods_by_owner, map_ptr(owner), o->id);
		index_ip(c, p, p->ip);
		index_ip(c, p, p->ip2);
	} else if (o->kind == &endpointslice_kind) {
		struct endpointslice *s = (struct endpointslice *)o;

		s->service = label_get(&o->labels, "kubernetes.io/service-name");
		if (s->service)
			handles_add(c, &c->slices_of, hash_mix(map_ptr(o->ns), map_ptr(s->service)), o->id);
	}
}

/* Makes the answer from a list of handles; drops members for which belongs() is false. The answer is good until the next of its kind. */
static struct object_list pick_from(const struct cluster *cc, struct handles *l, bool (*belongs)(const struct object *, const void *), const void *ctx)
{
	struct cluster *c = (struct cluster *)cc;
	uint32_t to = 0;

	if (!l)
		return (struct object_list){ 0 };
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

static struct object_list answer_from(const struct cluster *c, struct handles *l, bool (*belongs)(const struct object *, const void *), const void *ctx)
{
	struct object_list out = pick_from(c, l, belongs, ctx);

	if (out.nr > 1)
		qsort(out.v, out.nr, sizeof(*out.v), by_name_order);
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

static bool has_pair(const struct object *o, const void *pair)
{
	const struct pair *p = pair;
	str v = label_get(&o->labels, p->key);

	return v && streq(v, p->value);
}

/* The Pods that have the rarest of the pairs; all of the namespace if there is no pair. */
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
	return answer_from(c, (struct handles *)best, has_pair, by);
}

struct object_list pods_selected(const struct cluster *c, const char *ns, const pair_list *pairs, struct arena *scratch)
{
	struct object_list l = copy_of(candidates(c, ns, pairs), scratch);
	uint32_t to = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		if (pairs_match(pairs, &l.v[k]->labels))
			l.v[to++] = l.v[k];
	l.nr = to;
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
	return l;
}

struct pod *find_pod_by_ip(const struct cluster *c, ip_addr ip)
{
	uint64_t *at = map_find(&c->pod_by_ip, ip_key(ip));
	struct pod *p = at ? (struct pod *)c->all.v[*at] : NULL;

	return p && owns_address(p) && (ip_eq(p->ip, ip) || ip_eq(p->ip2, ip)) ? p : NULL;
}

/* ---- changing */

/* The kinds that cluster_settings reads; a DaemonSet or Deployment may be the installation of a Pod network. */
static bool bears_on_settings(const struct kind *k)
{
	return k == &kind_cluster_kind || k == &kubeadm_config_kind || k == &kube_proxy_config_kind || k == &kubelet_config_kind || k == &config_map_kind ||
	       k == &ip_pool_kind || k == &bgp_configuration_kind || k == &felix_configuration_kind || k == &service_cidr_kind || k == &daemonset_kind;
}

static void changed(struct cluster *c, struct object *o, enum change_kind how)
{
	struct change ch = { how, o, ++c->rev };

	o->rev = c->rev;
	if (bears_on_settings(o->kind))
		c->settings_known = false;
	for (uint32_t k = 0; k < c->nr_watches; k++)
		c->watches[k].fn(c->watches[k].ctx, &ch);
}

struct object *object_new(struct cluster *c, const struct kind *k, const char *ns, const char *name)
{
	struct object *o = arena_alloc(c->arena, k->size, 16);

	o->kind = k;
	o->ns = k->namespaced ? cluster_str(c, ns ? ns : "default") : NULL;
	o->name = cluster_str(c, name);
	o->created = c->now;
	o->deleted = NEVER;
	return o;
}

static char *put_hex(char *to, uint64_t v, int digits)
{
	for (int k = digits; k-- > 0;)
		*to++ = "0123456789abcdef"[v >> (4 * k) & 15];
	return to;
}

/* A version 4 shaped UUID that follows from the seed, the name, and how often that name was used before. Written by hand: every object has one. */
static str make_uid(struct cluster *c, const struct object *o)
{
	char text[512], uid[37], *at = text;
	const char *parts[] = { o->kind->name, o->ns ? o->ns : "", o->name };
	uint64_t hi, lo;

	for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
		size_t n = MIN(strlen(parts[k]), (size_t)(text + sizeof(text) - 2 - at));

		if (k)
			*at++ = '/';
		memcpy(at, parts[k], n);
		at += n;
	}
	*at = '\0';
	hi = draw(c, "uid", text, 2 * (uint64_t)o->life);
	lo = draw(c, "uid", text, 2 * (uint64_t)o->life + 1);
	at = put_hex(uid, hi >> 32, 8);
	*at++ = '-';
	at = put_hex(at, hi >> 16, 4);
	*at++ = '-';
	*at++ = '4';
	at = put_hex(at, hi, 3);
	*at++ = '-';
	at = put_hex(at, (lo >> 48 & 0x3fff) | 0x8000, 4);
	*at++ = '-';
	at = put_hex(at, lo, 12);
	return str_intern_n(c->strings, uid, 36);
}

void cluster_add(struct cluster *c, struct object *o)
{
	struct pool *p = pool_make(c, o->kind);

	assert(!cluster_find(c, o->kind, o->ns, o->name));
	o->id = (obj_h){ c->all.nr };
	vec_add(c->arena, &c->all, o);
	index_name(c, o);
	if (!o->uid)
		o->uid = make_uid(c, o);
	if (!o->generation)
		o->generation = 1;
	vec_add(c->arena, p, o);
	index_object(c, o);
	changed(c, o, CHANGE_ADD);
}

void cluster_restore(struct cluster *c, struct object *o)
{
	uint32_t life = o->life;

	assert(o->id.i == c->all.nr);
	vec_add(c->arena, &c->all, o);
	index_name(c, o);
	o->life = life;
	if (o->gone)
		return;
	vec_add(c->arena, pool_make(c, o->kind), o);
	index_object(c, o);
}

void cluster_restore_rev(struct cluster *c, rev_t rev) { c->rev = rev; }
uint32_t cluster_handles(const struct cluster *c) { return c->all.nr - 1; }

void cluster_touch(struct cluster *c, struct object *o)
{
	if (o->kind == &endpointslice_kind)
		index_object(c, o);
	changed(c, o, CHANGE_UPDATE);
}

void cluster_relabel(struct cluster *c, struct object *o, pair_list labels)
{
	o->labels = labels;
	index_object(c, o);
	changed(c, o, CHANGE_UPDATE);
}

void cluster_set_pod_ip(struct cluster *c, struct pod *p, ip_addr ip, ip_addr ip2)
{
	p->ip = ip;
	p->ip2 = ip2;
	index_ip(c, p, ip);
	index_ip(c, p, ip2);
	changed(c, &p->o, CHANGE_UPDATE);
}

void cluster_remove(struct cluster *c, struct object *o)
{
	struct pool *p = pool_of(c, o->kind);

	assert(p && !o->gone);
	o->gone = true;
	p->nr_gone++;
	changed(c, o, CHANGE_DELETE);
}

/* ---- events and draws */

void cluster_event(struct cluster *c, const struct object *o, bool warning, const char *component, const char *reason, const char *fmt, ...)
{
	const struct event_form *form = event_form_for(&c->events, c->arena, warning, cluster_str(c, component), cluster_str(c, reason));
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_log_add(&c->events, c->arena, (struct note){ c->now, form, cluster_str(c, text), NULL, o->id });
}

void cluster_event_form(struct cluster *c, const struct object *o, const struct event_form *form, str a, str b)
{
	event_log_add(&c->events, c->arena, (struct note){ c->now, form, a, b, o->id });
}

const struct event *cluster_events(const struct cluster *cc, uint32_t *nr)
{
	struct cluster *c = (struct cluster *)cc;

	return event_log_read(&c->events, c, nr);
}

void cluster_restore_event(struct cluster *c, const struct event *e)
{
	event_log_add(&c->events, c->arena, (struct note){ e->at, event_form_for(&c->events, c->arena, e->warning, e->component, e->reason), e->message, NULL, e->object });
}

uint64_t draw(const struct cluster *c, const char *purpose, const char *uid, uint64_t n)
{
	uint64_t h = hash_mix(c->seed, n);

	h = hash_mix(h, (uint64_t)fnv32a(purpose, strlen(purpose)) << 32 | fnv32(purpose, strlen(purpose)));
	return hash_mix(h, (uint64_t)fnv32a(uid, strlen(uid)) << 32 | fnv32(uid, strlen(uid)));
}

uint32_t draw_below(const struct cluster *c, const char *purpose, const char *uid, uint64_t n, uint32_t bound)
{
	return (uint32_t)((draw(c, purpose, uid, n) >> 32) * bound >> 32);
}
