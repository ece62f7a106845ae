/*
 * Theory of operation. Every object has a handle, an index into `all`; objects never move and handles are never used again. Indexes map
 * hashes of interned names to handles, or to lists of handles. Lists are corrected lazily: a member that no longer belongs (gone, relabelled, readdressed)
 * is passed over when it is met and dropped when the list is next read, so that a change costs O(1) however long the lists are.
 * What is returned is sorted by (namespace, name): no hash order shows.
 */
#include "model/cluster/store.h"

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
	if (!c)
		return;
	for (uint32_t k = 0; k < c->side.nr; k++)
		arena_free(c->side.v[k]);
	arena_free(c->arena);
}

struct arena *cluster_side_arena(struct cluster *c, const char *name)
{
	struct arena *a = arena_new(c->mem, name);

	vec_add(c->arena, &c->side, a);
	return a;
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

void cluster_drop_watch(struct cluster *c, cluster_watch fn, void *ctx)
{
	for (uint32_t k = 0; k < c->nr_watches; k++)
		if (c->watches[k].fn == fn && c->watches[k].ctx == ctx) {
			memmove(&c->watches[k], &c->watches[k + 1], (--c->nr_watches - k) * sizeof(c->watches[0]));
			return;
		}
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

const struct corefile **cluster_corefile(struct cluster *c)
{
	return &c->corefile;
}

struct object *obj_get(const struct cluster *c, obj_h h)
{
	assert(h.i < c->all.nr);
	return c->all.v[h.i];
}

/* ---- changing */

/* A DaemonSet may be the installation of a Pod network. */
bool bears_on_settings(const struct kind *k)
{
	return k == &kind_cluster_kind || k == &kubeadm_config_kind || k == &kube_proxy_config_kind || k == &kubelet_config_kind || k == &config_map_kind ||
	       k == &ip_pool_kind || k == &bgp_configuration_kind || k == &felix_configuration_kind || k == &ipam_config_kind || k == &ipam_configuration_kind || k == &service_cidr_kind || k == &daemonset_kind;
}

static void changed(struct cluster *c, struct object *o, enum change_kind how, unsigned pod)
{
	struct change ch = { how, o, ++c->rev, o->kind == &pod_kind ? (uint8_t)pod : 0 };

	o->rev = c->rev;
	if (!ch.pod && bears_on_settings(o->kind)) {
		c->settings_known = false;
		c->corefile = NULL;
	}
	for (uint32_t k = 0; k < c->nr_watches; k++)
		c->watches[k].fn(c->watches[k].ctx, &ch);
}

struct object *object_make(struct cluster *c, const struct kind *k, str ns, str name)
{
	struct object *o = arena_alloc(c->arena, k->size, 16);

	o->kind = k;
	o->ns = ns;
	o->name = name;
	o->created = c->now;
	o->deleted = NEVER;
	return o;
}

struct object *object_new(struct cluster *c, const struct kind *k, const char *ns, const char *name)
{
	return object_make(c, k, k->namespaced ? cluster_str(c, ns ? ns : "default") : NULL, cluster_str(c, name));
}

void cluster_add(struct cluster *c, struct object *o)
{
	struct pool *p = pool_make(c, o->kind);

	o->id = (obj_h){ c->all.nr };
	vec_add(c->arena, &c->all, o);
	index_name(c, o);
	if (!o->uid)
		o->uid = cluster_uid_of(c, o);
	if (!o->generation)
		o->generation = 1;
	vec_add(c->arena, p, o);
	index_object(c, o);
	changed(c, o, CHANGE_ADD, POD_ADDED);
}

void cluster_restore(struct cluster *c, struct object *o)
{
	uint32_t life = o->life;

	assert(o->id.i == c->all.nr);
	vec_add(c->arena, &c->all, o);
	index_name(c, o);
	o->life = life & LIFE_MOST;
	if (o->gone)
		return;
	vec_add(c->arena, pool_make(c, o->kind), o);
	index_object(c, o);
}

void cluster_restore_rev(struct cluster *c, rev_t rev) { c->rev = rev; }
uint32_t cluster_handles(const struct cluster *c) { return c->all.nr - 1; }

void cluster_touch(struct cluster *c, struct object *o)
{
	if (o->kind == &endpointslice_kind || o->kind == &service_kind)
		index_object(c, o);
	changed(c, o, CHANGE_UPDATE, POD_OTHER);
}

void cluster_touch_pod(struct cluster *c, struct pod *p, unsigned what)
{
	changed(c, &p->o, CHANGE_UPDATE, what);
}

void cluster_relabel(struct cluster *c, struct object *o, pair_list labels)
{
	o->labels = labels;
	index_object(c, o);
	changed(c, o, CHANGE_UPDATE, POD_OTHER);
}

void cluster_set_pod_ip(struct cluster *c, struct pod *p, ip_addr ip, ip_addr ip2, unsigned what)
{
	p->ip = ip;
	p->ip2 = ip2;
	index_address(c, p, ip);
	index_address(c, p, ip2);
	changed(c, &p->o, CHANGE_UPDATE, POD_ADDRESS | what);
}

void cluster_remove(struct cluster *c, struct object *o)
{
	struct pool *p = pool_of(c, o->kind);

	assert(p && !o->gone);
	o->gone = true;
	p->nr_gone++;
	changed(c, o, CHANGE_DELETE, POD_GONE);
}
