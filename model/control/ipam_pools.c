#include "model/control/ipam_pools.h"

#include <string.h>

#include "model/api/calico_selector.h"

static const struct ip_pool *object_of(const struct cluster *c, const struct pool_setting *p)
{
	const struct object *o = p->cause.i ? obj_get(c, p->cause) : NULL;

	return o && o->kind == &ip_pool_kind ? (const struct ip_pool *)o : NULL;
}

uint32_t pools_in(struct cluster *c, bool four, struct calico_pool out[MAX_POOLS])
{
	const struct settings *s = cluster_settings(c);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->pools.nr && nr < MAX_POOLS; k++)
		if (!s->pools.v[k].disabled && ip_is4(s->pools.v[k].cidr.addr) == four)
			out[nr++] = (struct calico_pool){ s->pools.v[k].cidr, s->pools.v[k].block_size };
	return nr;
}

int pool_selects(const struct cluster *c, const struct pool_setting *p, const struct node *n, const struct namespace_ *ns)
{
	static const pair_list none;
	const struct ip_pool *o = object_of(c, p);
	int node;

	if (p->disabled || !o)
		return !p->disabled;
	if (streq(o->assignment, "Manual"))
		return 0;
	node = calico_selects(o->node_selector ? o->node_selector : "", &n->o.labels);
	return node == 1 ? calico_selects(o->namespace_selector ? o->namespace_selector : "", ns ? &ns->o.labels : &none) : node;
}

/* Who asks for no pool gets no address of any while one cannot be read (checkSelection). */
static const char *unreadable(const struct cluster *c, const struct pool_setting *p, struct arena *a)
{
	static const pair_list none;
	const struct ip_pool *o = object_of(c, p);
	bool node = o->node_selector && calico_selects(o->node_selector, &none) < 0;

	return arena_printf(a, "IPPool \"%s\": its %s \"%s\" is no selector that Calico can read", o->o.name, node ? "nodeSelector" : "namespaceSelector",
			    node ? o->node_selector : o->namespace_selector);
}

bool pool_allows(const struct cluster *c, const struct pool_setting *p, const char *use)
{
	const struct ip_pool *o = object_of(c, p);

	for (uint32_t k = 0; o && k < o->allowed_uses.nr; k++)
		if (streq(o->allowed_uses.v[k], use))
			return true;
	return !o || !o->allowed_uses.nr;
}

const char *pool_uses(const struct cluster *c, const struct pool_setting *p, struct arena *a)
{
	const struct ip_pool *o = object_of(c, p);
	const char *words = "[";

	for (uint32_t k = 0; o && k < o->allowed_uses.nr; k++)
		words = arena_printf(a, "%s%s%s", words, k ? " " : "", o->allowed_uses.v[k]);
	return arena_printf(a, "%s]", words);
}

const struct pool_setting *pool_with_address(struct cluster *c, ip_addr ip)
{
	const struct settings *s = cluster_settings(c);

	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (!s->pools.v[k].disabled && cidr_contains(s->pools.v[k].cidr, ip))
			return &s->pools.v[k];
	return NULL;
}

static const struct pool_setting *named(const struct settings *s, const char *name)
{
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (streq(s->pools.v[k].name, name))
			return &s->pools.v[k];
	return NULL;
}

static const struct pool_setting *with_range(const struct settings *s, struct cidr cidr)
{
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (!s->pools.v[k].disabled && s->pools.v[k].cidr.len == cidr.len && ip_eq(s->pools.v[k].cidr.addr, cidr.addr))
			return &s->pools.v[k];
	return NULL;
}

/* Names become ranges, ranges are taken as they are (ResolvePools). */
static const char *resolve(const struct settings *s, const struct val *list, bool four, struct cidr out[MAX_POOLS], uint32_t *nr, struct arena *a)
{
	*nr = 0;
	VAL_EACH(w, list) {
		const char *text = val_str(w) ? val_str(w) : "";
		const struct pool_setting *p;
		struct cidr cidr;

		if (!strchr(text, '/') || !cidr_parse(text, &cidr)) {
			p = named(s, text);
			if (!p)
				return arena_printf(a, "error parsing pool \"%s\": invalid CIDR address: %s", text, text);
			cidr = p->cidr;
		}
		if (ip_is4(cidr.addr) != four)
			return arena_printf(a, "\"%s\" isn't a IPv%d address", IP(cidr.addr), four ? 4 : 6);
		if (*nr < MAX_POOLS)
			out[(*nr)++] = cidr;
	}
	return NULL;
}

const char *pools_asked(struct cluster *c, const struct node *n, const struct calico_asked *asked, bool four, const char *use, struct calico_pool out[MAX_POOLS], uint32_t *nr,
			struct arena *a)
{
	const struct settings *s = cluster_settings(c);
	const struct pool_setting *chosen[MAX_POOLS];
	struct cidr cidrs[MAX_POOLS];
	struct calico_pool enabled[MAX_POOLS];
	uint32_t nr_cidrs, nr_chosen = 0;
	const char *problem = resolve(s, asked->pools[four], four, cidrs, &nr_cidrs, a);

	*nr = 0;
	if (problem || !pools_in(c, four, enabled))
		return problem ? problem : "cannot find a qualified ippool";
	for (uint32_t k = 0; k < nr_cidrs; k++) {
		chosen[nr_chosen] = with_range(s, cidrs[k]);
		if (!chosen[nr_chosen++])
			return arena_printf(a, "the given pool (%s) does not exist, or is not enabled", CIDR(cidrs[k]));
	}
	for (uint32_t k = 0; !nr_cidrs && k < s->pools.nr && nr_chosen < MAX_POOLS; k++) {
		int selects = ip_is4(s->pools.v[k].cidr.addr) == four ? pool_selects(c, &s->pools.v[k], n, asked->ns) : 0;

		if (selects < 0)
			return unreadable(c, &s->pools.v[k], a);
		if (selects)
			chosen[nr_chosen++] = &s->pools.v[k];
	}
	for (uint32_t k = 0; k < nr_chosen; k++)
		if (pool_allows(c, chosen[k], use))
			out[(*nr)++] = (struct calico_pool){ chosen[k]->cidr, chosen[k]->block_size };
	if (!nr_chosen)
		return arena_printf(a, "no configured Calico pools for node %s", n->o.name);
	return *nr ? NULL : arena_printf(a, "cannot find a qualified ippool, no pools match the required use (%s)", use);
}
