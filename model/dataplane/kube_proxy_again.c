/* kube-proxy's list of Services and slices, and how it follows the cluster: of a Service that changed, or whose endpoints did, what was written is taken out of the
 * variant and written anew at the same place. */
#include <stdlib.h>

#include "model/dataplane/kube_proxy_again.h"

/* ---- Services */

static bool one_differs(const struct service *s)
{
	return kp_watches_service(s) && (s->internal_policy == TP_LOCAL || s->external_policy == TP_LOCAL || s->lb_source_ranges.nr);
}

static uint32_t new_service(struct kube_proxy *k, const struct service *s, uint32_t place)
{
	vec_add(k->arena, &k->services, (struct kp_service){ .svc = s, .ns = s->o.ns, .name = s->o.name, .place = place, .differs = one_differs(s) });
	k->nr_differing += k->services.v[k->services.nr - 1].differs;
	*map_put(&k->service_at, k->arena, map_ptr(s)) = k->services.nr;
	return k->services.nr - 1;
}

void kp_find_services(struct kube_proxy *k)
{
	struct object_list l = view_services(k->cluster, k->view);
	uint32_t room = PLACE_LAST / (l.nr + 1);

	for (uint32_t i = 0; i < l.nr; i++)
		vec_add(k->arena, &k->order, new_service(k, (const struct service *)l.v[i], (i + 1) * room));
}

bool kp_differs(const struct kube_proxy *k)
{
	return k->nr_hinted || k->s->detect_local == DETECT_NODE_CIDR || (k->s->proxy_mode == PROXY_IPTABLES && k->s->node_port_addresses_set) || k->some_primary || k->nr_differing;
}

/* Where in `order` a Service of that name is, or belongs. */
static uint32_t where_in_order(const struct kube_proxy *k, str ns, str name)
{
	uint32_t lo = 0, hi = k->order.nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct kp_service *s = &k->services.v[k->order.v[mid]];
		int d = str_order(s->ns, ns);

		if ((d ? d : str_order(s->name, name)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A place between its neighbours; 0: there is no room left. New names mostly come in order: so not in the middle. */
static uint32_t place_at(const struct kube_proxy *k, uint32_t at)
{
	uint32_t before = at ? k->services.v[k->order.v[at - 1]].place : PLACE_FIRST, behind = at < k->order.nr ? k->services.v[k->order.v[at]].place : PLACE_LAST;

	return behind - before < 2 ? 0 : before + MIN((behind - before) / 2, 1u << 16);
}

static void to_write(struct kube_proxy *k, uint32_t service)
{
	for (uint32_t i = 0; i < k->again.nr; i++)
		if (k->again.v[i] == service)
			return;
	vec_add(k->arena, &k->again, service);
}

static void count_endpoints(struct kube_proxy *k, const struct kp_service *s, bool more)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (uint32_t n = 0; k->counted[v6] && n < s->nr[v6]; n++) {
			struct kp_port *p = &k->ports[v6].v[s->first[v6] + n];

			if (more)
				k->nr_endpoints[v6] += kp_endpoints_of(k, p, v6)->nr;
			else if (p->joined)
				k->nr_endpoints[v6] -= p->all.nr;
		}
}

/* Its ports as they are now; it is not there any more: none. */
static void read_again(struct kube_proxy *k, uint32_t service)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct kp_service *s = &k->services.v[service];

		for (uint32_t n = 0; n < s->nr[v6]; n++)
			k->ports[v6].v[s->first[v6] + n].svc = NULL;
		if (k->known[v6])
			kp_read_ports(k, service, v6);
	}
}

bool kube_proxy_service_changed(struct kube_proxy *k, const struct service *svc)
{
	uint64_t *known = map_find(&k->service_at, map_ptr(svc));
	uint32_t at = where_in_order(k, svc->o.ns, svc->o.name), service, place;

	if (k->s->proxy_mode == PROXY_NONE || (!known && svc->o.gone))
		return true;
	if (!known) {
		if (!(place = place_at(k, at)))
			return false;
		service = new_service(k, svc, place);
		vec_push(k->arena, &k->order);
		memmove(&k->order.v[at + 1], &k->order.v[at], (k->order.nr - 1 - at) * sizeof(*k->order.v));
		k->order.v[at] = service;
	} else {
		struct kp_service *s = &k->services.v[service = (uint32_t)*known - 1];

		count_endpoints(k, s, false);
		k->nr_differing -= s->differs;
		s->differs = !svc->o.gone && one_differs(svc);
		k->nr_differing += s->differs;
		if (svc->o.gone) {
			s->svc = NULL;
			map_remove(&k->service_at, map_ptr(svc));
			while (k->order.v[at] != service)       /* one of the same name may be there already */
				at++;
			memmove(&k->order.v[at], &k->order.v[at + 1], (--k->order.nr - at) * sizeof(*k->order.v));
		}
	}
	read_again(k, service);
	count_endpoints(k, &k->services.v[service], true);
	to_write(k, service);
	return kp_differs(k) == k->differs;
}

/* ---- slices */

static void note_nodes(struct kube_proxy *k, const struct endpointslice *e)
{
	for (uint32_t i = 0; i < e->endpoints.nr && kp_watches_slice(e); i++) {
		uint64_t *head;
		uint32_t at;

		if (!e->endpoints.v[i].node)
			continue;
		head = map_put(&k->slices_at, k->arena, map_ptr(e->endpoints.v[i].node));
		for (at = (uint32_t)*head; at && k->at_node.v[at - 1].slice != e; at = k->at_node.v[at - 1].older)
			;
		if (at)
			continue;
		*vec_push(k->arena, &k->at_node) = (__typeof__(*k->at_node.v)){ e, (uint32_t)*head };
		*head = k->at_node.nr;
	}
}

static bool has_hints(const struct endpointslice *e)
{
	bool hints = false;

	for (uint32_t i = 0; i < e->endpoints.nr; i++)
		hints = hints || e->endpoints.v[i].hints;
	return hints && kp_watches_slice(e);
}

void kp_find_slices(struct kube_proxy *k)
{
	struct object_list l = view_slices(k->cluster, k->view);

	for (uint32_t i = 0; i < l.nr; i++) {
		const struct endpointslice *e = (const struct endpointslice *)l.v[i];

		vec_add(k->arena, &k->slice_seen, (struct kp_slice){ e->service, has_hints(e) });
		*map_put(&k->slices, k->arena, map_ptr(e)) = k->slice_seen.nr;
		k->nr_hinted += k->slice_seen.v[k->slice_seen.nr - 1].hints;
		note_nodes(k, e);
	}
}

static void endpoints_changed(struct kube_proxy *k, str ns, str name)
{
	const struct service *svc = name ? find_service(k->cluster, ns, name) : NULL;
	uint64_t *known = svc ? map_find(&k->service_at, map_ptr(svc)) : NULL;
	struct kp_service *s = known ? &k->services.v[*known - 1] : NULL;

	if (!s)
		return;
	count_endpoints(k, s, false);
	for (int v6 = 0; v6 < 2; v6++)
		for (uint32_t n = 0; n < s->nr[v6]; n++)
			k->ports[v6].v[s->first[v6] + n].joined = false;
	count_endpoints(k, s, true);
	to_write(k, (uint32_t)*known - 1);
}

bool kube_proxy_slice_changed(struct kube_proxy *k, const struct endpointslice *e)
{
	uint64_t *at;
	struct kp_slice *seen;
	str before;

	if (k->s->proxy_mode == PROXY_NONE)
		return true;
	at = map_put(&k->slices, k->arena, map_ptr(e));
	if (!*at) {
		vec_push(k->arena, &k->slice_seen);
		*at = k->slice_seen.nr;
	}
	seen = &k->slice_seen.v[*at - 1];
	before = seen->service;
	k->nr_hinted -= seen->hints;
	*seen = (struct kp_slice){ e->o.gone ? NULL : e->service, !e->o.gone && has_hints(e) };
	k->nr_hinted += seen->hints;
	if (!e->o.gone)
		note_nodes(k, e);
	endpoints_changed(k, e->o.ns, before);
	if (seen->service != before)
		endpoints_changed(k, e->o.ns, seen->service);
	return kp_differs(k) == k->differs;
}

/* ---- writing again */

void kp_service_begin(struct kp *k, uint32_t service)
{
	while (k->wrote.nr <= service)
		vec_push(k->arena, &k->wrote);
	k->rs->place = k->all->services.v[service].place;
	k->wrote.v[service] = (struct kp_wrote){ .chain = ruleset_nr_chains(k->rs) + 1, .set = ruleset_nr_sets(k->rs) + 1 };
}

void kp_service_end(struct kp *k, uint32_t service)
{
	k->wrote.v[service].chain_end = ruleset_nr_chains(k->rs) + 1;
	k->wrote.v[service].set_end = ruleset_nr_sets(k->rs) + 1;
	k->rs->place = PLACE_LAST;
}

void kp_cut(struct kp *k, uint32_t service)
{
	const struct kp_wrote *w = service < k->wrote.nr ? &k->wrote.v[service] : NULL;

	if (!w || !w->chain)
		return;
	ruleset_cut_chains(k->rs, w->chain, w->chain_end);
	ruleset_cut_sets(k->rs, w->set, w->set_end);
}

static void write_service(struct kp *k, uint32_t service)
{
	bool nft = k->s->proxy_mode == PROXY_NFTABLES;

	(nft ? kp_nft_cut : kp_iptables_cut)(k, service);
	(nft ? kp_nft_service : kp_iptables_service)(k, service);
}

static bool can_follow(const struct kp *k)
{
	bool modelled = k->s->proxy_mode == PROXY_NFTABLES || k->s->proxy_mode == PROXY_IPTABLES;

	return modelled && (k->s->proxy_mode != PROXY_IPTABLES || k->large == kp_iptables_large(k->all, k->v6));
}

enum { FEW_CHANGES = 32 };

/* A node that has missed as many changes as there are Services is written anew; so no more need be known. */
static void tell_nodes(struct kube_proxy *k)
{
	if (k->changed.nr >= MAX(k->services.nr, (uint32_t)FEW_CHANGES)) {
		k->forgotten += k->changed.nr;
		k->changed.nr = 0;
	}
	for (uint32_t i = 0; i < k->again.nr; i++)
		vec_add(k->arena, &k->changed, k->again.v[i]);
}

bool kube_proxy_write_again(struct kube_proxy *k)
{
	if (k->differs)
		tell_nodes(k);
	for (int v6 = 0; v6 < 2 && k->again.nr; v6++) {
		struct kp *variant = k->variant[v6];

		if (!variant || k->differs)
			continue;
		if (!can_follow(variant))
			return false;
		for (uint32_t i = 0; i < k->again.nr && !variant->rs->entangled; i++)
			write_service(variant, k->again.v[i]);
		if (variant->rs->entangled)
			return false;
	}
	k->again.nr = 0;
	return true;
}

bool kube_proxy_node_again(const struct kube_proxy *all, struct kp *const proxiers[2])
{
	bool any = false;

	for (int v6 = 0; v6 < 2; v6++) {
		struct kp *k = proxiers[v6];

		if (!k)
			continue;
		if (k->all != all || k->caught_up < all->forgotten || !can_follow(k))
			return false;
		for (; k->caught_up < all->forgotten + all->changed.nr && !k->rs->entangled; k->caught_up++)
			write_service(k, all->changed.v[k->caught_up - all->forgotten]);
		if (k->rs->entangled)
			return false;
		any = true;
	}
	return any;
}
