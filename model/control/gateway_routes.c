/* Status of routes and of BackendTLSPolicies: an entry for each parent that somebody serves. Source: kubernetes-sigs/gateway-api apis/v1/{shared,backendtlspolicy}_types.go; of Services as
 * parents istio pilot/pkg/config/kube/gateway/conversion.go referenceAllowed. */
#include "model/control/gateway_parts.h"

#include "model/l7/mesh.h"

/* ---- routes: one entry for each parentRef whose Gateway has a controller, or which a mesh takes */

void gw_index_state(struct gw_run *r, struct gw_states *all, uint32_t k)
{
	for (uint32_t i = 0; i < all->v[k].nr_routes; i++) {
		const struct gw_attachment *at = &all->v[k].routes[i];

		*map_put(&all->by_parent, r->a, hash_mix(map_ptr(at->route), at->parent_index)) = (uint64_t)k << 32 | i;
	}
}

static const struct gw_attachment *attachment_of(const struct gw_states *all, const struct gw_route *route, uint32_t parent, const struct gw_state **state)
{
	const uint64_t *at = map_find(&all->by_parent, hash_mix(map_ptr(route), parent));

	if (!at)
		return NULL;
	*state = &all->v[*at >> 32];
	return &(*state)->routes[*at & UINT32_MAX];
}

static bool same_parent(const struct parent_ref *a, const struct parent_ref *b)
{
	return streq(a->group, b->group) && streq(a->kind, b->kind) && streq(a->ns, b->ns) && streq(a->name, b->name) && streq(a->section, b->section) &&
	       a->port.set == b->port.set && (!a->port.set || a->port.v == b->port.v);
}

static const struct route_parent_status *had_parent(const struct gw_route *route, const struct parent_ref *p, const char *controller)
{
	for (uint32_t k = 0; k < route->st_parents.nr; k++)
		if (same_parent(&route->st_parents.v[k].ref, p) && streq(route->st_parents.v[k].controller, controller))
			return &route->st_parents.v[k];
	return NULL;
}

/* Who answers for a parentRef, and what: a Gateway's controller, or Istio for a Service. false: nobody. */
static bool parent_says(struct gw_run *r, const struct gw_route *route, uint32_t k, const struct gw_states *all, bool mesh, const char **controller, struct gw_says *accepted)
{
	const struct parent_ref *p = &route->parents.v[k];
	const struct gw_state *s = NULL;
	const struct gw_attachment *at = attachment_of(all, route, k, &s);
	str ns = p->ns ? p->ns : route->o.ns;

	if (at) {
		*controller = s->controller;
		*accepted = at->accepted;
		return true;
	}
	if (!mesh || !gateway_service_parent(p))
		return false;
	*controller = MESH_CONTROLLER;
	*accepted = find_service(r->c, ns, p->name) ? (struct gw_says){ true, "Accepted", "" }
						    : (struct gw_says){ false, "NoMatchingParent", arena_printf(r->a, "Service %s/%s does not exist", ns, p->name) };
	return true;
}

void gw_route_status(struct gw_run *r, struct gw_route *route, const struct gw_states *all)
{
	struct route_parent_status *v = arena_array(r->a, struct route_parent_status, route->parents.nr);
	bool mesh = mesh_present(r->c), changed = false;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < route->parents.nr; k++) {
		const struct parent_ref *p = &route->parents.v[k];
		const struct route_parent_status *had;
		const char *controller = NULL;
		struct gw_says accepted;

		if (!parent_says(r, route, k, all, mesh, &controller, &accepted))
			continue;
		had = had_parent(route, p, controller);
		v[nr] = had ? *had : (struct route_parent_status){ .ref = *p, .controller = cluster_str(r->c, controller) };
		changed = gw_set_says(r, &v[nr].conditions, "Accepted", accepted, route->o.generation) || changed || !had;
		changed = gw_set_says(r, &v[nr].conditions, "ResolvedRefs", route_references(r->c, route, gateway_service_parent(p), r->a), route->o.generation) || changed;
		nr++;
	}
	if (!changed && nr == route->st_parents.nr)
		return;
	route->st_parents.v = arena_copy(cluster_arena(r->c), v, nr * sizeof(*v));
	route->st_parents.nr = nr;
	route->st_parents.set = true;
	cluster_touch(r->c, &route->o);
}

/* ---- BackendTLSPolicies: an entry for each Gateway with a route to the Service */

static bool leads_to(const struct gw_attachment *at, const struct backend_tls_policy *p)
{
	for (uint32_t k = 0; at->accepted.yes && k < at->route->rules.nr; k++)
		for (uint32_t i = 0; i < at->route->rules.v[k].backends.nr; i++) {
			const struct backend_ref *b = &at->route->rules.v[k].backends.v[i];

			for (uint32_t n = 0; n < p->targets.nr; n++)
				if ((b->ns ? b->ns : at->route->o.ns) == p->o.ns && b->name == p->targets.v[n].name)
					return true;
		}
	return false;
}

static bool gateway_leads_to(const struct gw_state *s, const struct backend_tls_policy *p)
{
	for (uint32_t k = 0; k < s->nr_routes; k++)
		if (leads_to(&s->routes[k], p))
			return true;
	return false;
}

void gw_policy_status(struct gw_run *r, struct backend_tls_policy *p, const struct gw_states *all)
{
	struct route_parent_status *v = arena_array(r->a, struct route_parent_status, all->nr);
	struct gw_policy_says says = backend_tls_judge(r->c, p, r->a);
	bool changed = false;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < all->nr; k++) {
		const struct gw_state *s = &all->v[k];
		struct parent_ref ref = { cluster_str(r->c, GATEWAY_GROUP), cluster_str(r->c, "Gateway"), s->gw->o.ns, s->gw->o.name, NULL, { 0 } };
		const struct route_parent_status *had = NULL;

		if (!gateway_leads_to(s, p))
			continue;
		for (uint32_t i = 0; i < p->st_ancestors.nr && !had; i++)
			had = same_parent(&p->st_ancestors.v[i].ref, &ref) ? &p->st_ancestors.v[i] : NULL;
		v[nr] = had ? *had : (struct route_parent_status){ .ref = ref, .controller = cluster_str(r->c, s->controller) };
		changed = gw_set_says(r, &v[nr].conditions, "Accepted", says.accepted, p->o.generation) || changed || !had;
		changed = gw_set_says(r, &v[nr].conditions, "ResolvedRefs", says.resolved, p->o.generation) || changed;
		nr++;
	}
	if (!changed && nr == p->st_ancestors.nr)
		return;
	p->st_ancestors.v = arena_copy(cluster_arena(r->c), v, nr * sizeof(*v));
	p->st_ancestors.nr = nr;
	p->st_ancestors.set = true;
	cluster_touch(r->c, &p->o);
}
