/* Status of routes and of BackendTLSPolicies: an entry for each parent that somebody serves. Source: kubernetes-sigs/gateway-api apis/v1/{shared,backendtlspolicy}_types.go; of Services as
 * parents istio pilot/pkg/config/kube/gateway/conversion.go referenceAllowed. */
#include "model/control/gateway_parts.h"

#include "model/l7/mesh.h"

static uint64_t backend_key(uint32_t k, str ns, str name) { return hash_mix(hash_mix(map_ptr(ns), map_ptr(name)), k); }

/* Of an accepted route the Services, where a policy may be for them. */
static void index_backends(struct gw_run *r, struct gw_states *all, uint32_t k, const struct gw_route *route)
{
	for (uint32_t n = 0; n < route->rules.nr; n++)
		for (uint32_t i = 0; i < route->rules.v[n].backends.nr; i++) {
			const struct backend_ref *b = &route->rules.v[n].backends.v[i];

			*map_put(&all->by_backend, r->a, backend_key(k, b->ns ? b->ns : route->o.ns, b->name)) = 1;
		}
}

void gw_index_state(struct gw_run *r, struct gw_states *all, uint32_t k)
{
	bool policies = cluster_count(r->c, &backend_tls_policy_kind) > 0;

	for (uint32_t i = 0; i < all->v[k].nr_routes; i++) {
		const struct gw_attachment *at = &all->v[k].routes[i];

		*map_put(&all->by_parent, r->a, hash_mix(map_ptr(at->route), at->parent_index)) = (uint64_t)k << 32 | i;
		if (policies && at->accepted.yes)
			index_backends(r, all, k, at->route);
	}
}

/* ---- a status in the making: it takes the place of `list` where they differ */

struct status { struct object *of; parent_status_list *list; struct route_parent_status *v; uint32_t nr; bool changed; };

static bool same_parent(const struct parent_ref *a, const struct parent_ref *b)
{
	return streq(a->group, b->group) && streq(a->kind, b->kind) && streq(a->ns, b->ns) && streq(a->name, b->name) && streq(a->section, b->section) &&
	       a->port.set == b->port.set && (!a->port.set || a->port.v == b->port.v);
}

static const struct route_parent_status *had_parent(const parent_status_list *list, const struct parent_ref *p, const char *controller)
{
	for (uint32_t k = 0; k < list->nr; k++)
		if (same_parent(&list->v[k].ref, p) && streq(list->v[k].controller, controller))
			return &list->v[k];
	return NULL;
}

static void add_parent(struct gw_run *r, struct status *s, const struct parent_ref *ref, const char *controller, struct gw_says accepted, struct gw_says resolved)
{
	const struct route_parent_status *had = had_parent(s->list, ref, controller);
	struct route_parent_status *v = &s->v[s->nr++];

	*v = had ? *had : (struct route_parent_status){ .ref = *ref, .controller = cluster_str(r->c, controller) };
	s->changed = gw_set_says(r, &v->conditions, "Accepted", accepted, s->of->generation) || s->changed || !had;
	s->changed = gw_set_says(r, &v->conditions, "ResolvedRefs", resolved, s->of->generation) || s->changed;
}

static void put_status(struct gw_run *r, struct status *s)
{
	if (!s->changed && s->nr == s->list->nr)
		return;
	s->list->v = arena_copy(cluster_arena(r->c), s->v, s->nr * sizeof(*s->v));
	s->list->nr = s->nr;
	s->list->set = true;
	cluster_touch(r->c, s->of);
}

/* ---- routes: one entry for each parentRef whose Gateway has a controller, or which a mesh takes */

static const struct gw_attachment *attachment_of(const struct gw_states *all, const struct gw_route *route, uint32_t parent, const struct gw_state **state)
{
	const uint64_t *at = map_find(&all->by_parent, hash_mix(map_ptr(route), parent));

	if (!at)
		return NULL;
	*state = &all->v[*at >> 32];
	return &(*state)->routes[*at & UINT32_MAX];
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
	struct status s = { &route->o, &route->st_parents, arena_array(r->a, struct route_parent_status, route->parents.nr), 0, false };
	bool mesh = mesh_present(r->c);

	for (uint32_t k = 0; k < route->parents.nr; k++) {
		const struct parent_ref *p = &route->parents.v[k];
		const char *controller = NULL;
		struct gw_says accepted;

		if (parent_says(r, route, k, all, mesh, &controller, &accepted))
			add_parent(r, &s, p, controller, accepted, route_references(r->c, route, gateway_service_parent(p), r->a));
	}
	put_status(r, &s);
}

/* ---- BackendTLSPolicies: an entry for each Gateway with a route to the Service */

static bool leads_to(const struct gw_states *all, uint32_t k, const struct backend_tls_policy *p)
{
	for (uint32_t i = 0; i < p->targets.nr; i++)
		if (map_find(&all->by_backend, backend_key(k, p->o.ns, p->targets.v[i].name)))
			return true;
	return false;
}

void gw_policy_status(struct gw_run *r, struct backend_tls_policy *p, const struct gw_states *all)
{
	struct status s = { &p->o, &p->st_ancestors, arena_array(r->a, struct route_parent_status, all->nr), 0, false };
	struct gw_policy_says says = backend_tls_judge(r->c, p, r->a);

	for (uint32_t k = 0; k < all->nr; k++) {
		const struct gateway *gw = all->v[k].gw;
		struct parent_ref ref = { cluster_str(r->c, GATEWAY_GROUP), cluster_str(r->c, "Gateway"), gw->o.ns, gw->o.name, NULL, { 0 } };

		if (leads_to(all, k, p))
			add_parent(r, &s, &ref, all->v[k].controller, says.accepted, says.resolved);
	}
	put_status(r, &s);
}
