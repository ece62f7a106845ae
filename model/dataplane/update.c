/*
 * Theory of operation. The dataplane hears of every change and notes the object; nothing is done before somebody asks (dataplane_update). Then each kind of object
 * has its way: a Pod that came or went takes its node's namespace and those of the node's Pods with it (links are numbered in one go), an EndpointSlice the chains
 * of its Service (in the rules of each node where they differ); policies and what they select, the own rules of all nodes. All that is thrown away is written again
 * when it is looked at, by the same writers that write it the first time. What changes everything (nodes, addresses of nodes, settings) is not taken in: the dataplane is compiled anew.
 * tests/unit/update_test.c holds both against each other, byte for byte.
 */
#include <stdlib.h>

#include "model/dataplane/compile.h"
#include "model/dataplane/hostport.h"
#include "model/dataplane/kube_proxy.h"
#include "model/policy/foreign.h"

#define MAX_HEARD 4096u         /* changes from which compiling anew costs less */

/* ---- what of an object matters */

static uint64_t mix_pairs(uint64_t h, const pair_list *l)
{
	for (uint32_t k = 0; k < l->nr; k++)
		h = hash_mix(hash_mix(h, map_ptr(l->v[k].key)), map_ptr(l->v[k].value));
	return h;
}

uint64_t pod_look(const struct pod *p, bool host_ports)
{
	uint64_t addresses = hash_mix(hash_mix(p->ip.hi, p->ip.lo), hash_mix(p->ip2.hi, p->ip2.lo)), rest = hash_mix(map_ptr(p->spec), hash_mix(map_ptr(p->o.labels.v), p->o.labels.nr));

	return (addresses & 0xffffffff00000000u) | (uint32_t)(rest & 0xfffffffe) | host_ports;
}

uint64_t node_look(const struct node *n)
{
	uint64_t h = mix_pairs(mix_pairs(node_is_kept_away(n), &n->o.labels), &n->o.annotations);

	for (uint32_t k = 0; k < n->addresses.nr; k++)
		h = hash_mix(hash_mix(h, map_ptr(n->addresses.v[k].type)), map_ptr(n->addresses.v[k].address));
	for (uint32_t k = 0; k < n->pod_cidrs.nr; k++)
		h = hash_mix(h, map_ptr(n->pod_cidrs.v[k]));
	return hash_mix(h, map_ptr(n->pod_cidr));
}

uint64_t installed_look(struct cluster *c)
{
	struct object_list l = cluster_list(c, &daemonset_kind);
	uint64_t h = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		h = hash_mix(hash_mix(h, l.v[k]->id.i), (uint64_t)l.v[k]->generation);
	return h;
}

/* ---- hearing */

static void hear(void *ctx, const struct change *ch)
{
	static const struct kind *const taken[] = { &pod_kind, &endpointslice_kind, &service_kind, &node_kind, &network_policy_kind, &namespace_kind, &daemonset_kind };
	struct compile *x = ctx;
	const struct kind *kind = ch->object->kind;
	bool whole = bears_on_settings(kind) || kind == &node_network_state_kind || kind == &bgp_peer_kind || kind == &bgp_filter_kind || kind == &metallb_pool_kind || kind == &l2_advertisement_kind ||
		     kind == &bgp_advertisement_kind;
	bool take = false, kept = foreign_is(kind) || (x->tiers.nr_policies && (kind == &service_account_kind || kind == &namespace_kind));      /* whose labels Calico's selectors see */

	for (size_t k = 0; k < ARRAY_LEN(taken); k++)
		take = take || kind == taken[k];
	take = take && !kept && !(kind == &network_policy_kind && x->tiers.kubernetes_within);
	kept = kept || (kind == &network_policy_kind && !take);
	if (x->lost || (!take && !kept && !whole) || (x->heard.nr && x->heard.v[x->heard.nr - 1].i == ch->object->id.i))
		return;
	if (take && x->heard.nr < MAX_HEARD)
		vec_add(x->arena, &x->heard, ch->object->id);
	else
		x->lost = true;
}

bool compile_follows(struct compile *x)
{
	find_health_ports(x);
	x->installed = installed_look(x->cluster);
	x->views = cluster_proxy_views(x->cluster);
	return cluster_add_watch(x->cluster, hear, x);
}

void compile_ends(struct compile *x)
{
	cluster_drop_watch(x->cluster, hear, x);
}

/* ---- Pods */

/* What is to be written anew: the blocks, policies, own rules of nodes, of these only what Services have there, all nodes. */
struct update { struct compile *x; bool blocks, policies, rules, services, nodes; };

/* The node and all its Pods: each of them holds the handle of a link of the node's. */
static void forget_node(struct update *u, struct node_build *nb)
{
	if (!u->x->dp->netns.v[nb->ns.i])
		return;                 /* then no Pod of it is written either */
	netns_forget(u->x->dp, nb->ns);
	for (uint32_t k = 0; k < nb->nr_pods; k++)
		netns_forget(u->x->dp, pod_netns(nb, k));
	u->x->nr_rewritten += 1 + nb->nr_pods;
}

static uint32_t place_of(struct pod *const *pods, uint32_t nr, const struct pod *p)
{
	for (uint32_t k = 0; k < nr; k++)
		if (pods[k] == p)
			return k;
	return UINT32_MAX;
}

/* Arrays of the node's own, with room for one more. */
static void own_arrays(struct compile *x, struct node_build *nb)
{
	uint32_t nr = nb->nr_pods + 1;
	struct pod **pods = arena_array(x->arena, struct pod *, nr + nb->nr_host_pods + 1);
	uint64_t *seen = arena_array(x->arena, uint64_t, nr + nb->nr_host_pods + 1);
	netns_h *ns = arena_array(x->arena, netns_h, nr);

	for (uint32_t k = 0; k < nb->nr_pods; k++) {
		pods[k] = nb->pods[k];
		seen[k] = nb->seen[k];
		ns[k] = pod_netns(nb, k);
	}
	for (uint32_t k = 0; k < nb->nr_host_pods; k++) {
		pods[nr + k] = nb->host_pods[k];
		seen[nb->nr_pods + k] = nb->seen[nb->nr_pods + k];
	}
	nb->pods = pods;
	nb->host_pods = pods + nr;
	nb->seen = seen;
	nb->pod_ns = ns;
}

static netns_h new_netns(struct compile *x, struct node_build *nb)
{
	netns_h h;

	if (nb->free.nr)
		return nb->free.v[--nb->free.nr];
	h = netns_reserve(x->dp);
	*map_put(&x->extra_netns, x->arena, h.i) = (uint64_t)(nb - x->nodes) + 1;
	return h;
}

static bool comes_before(const struct pod *p, const struct pod *q)
{
	int d = str_order(p->o.ns, q->o.ns);

	return (d ? d : str_order(p->o.name, q->o.name)) < 0;
}

/* Puts the Pod in at its place in name order; host_pods and what was seen of them lie behind. */
static void put_in(struct compile *x, struct node_build *nb, struct pod *p)
{
	bool host = p->spec->host_network;
	struct pod **v = host ? nb->host_pods : nb->pods;
	uint32_t nr = host ? nb->nr_host_pods : nb->nr_pods, at = nr, all = nb->nr_pods + nb->nr_host_pods, first = host ? nb->nr_pods : 0;

	while (at > 0 && comes_before(p, v[at - 1]))
		at--;
	memmove(&v[at + 1], &v[at], (nr - at) * sizeof(struct pod *));
	v[at] = p;
	memmove(&nb->seen[first + at + 1], &nb->seen[first + at], (all - first - at) * sizeof(*nb->seen));
	nb->seen[first + at] = pod_look(p, hostport_wanted(p));
	if (host) {
		nb->nr_host_pods++;
		return;
	}
	memmove(&nb->pod_ns[at + 1], &nb->pod_ns[at], (nr - at) * sizeof(*nb->pod_ns));
	nb->pod_ns[at] = new_netns(x, nb);
	nb->nr_pods++;
}

static void take_out(struct compile *x, struct node_build *nb, bool host, uint32_t at)
{
	struct pod **v = host ? nb->host_pods : nb->pods;
	uint32_t nr = host ? nb->nr_host_pods : nb->nr_pods, all = nb->nr_pods + nb->nr_host_pods, first = host ? nb->nr_pods : 0;

	memmove(&v[at], &v[at + 1], (nr - 1 - at) * sizeof(struct pod *));
	memmove(&nb->seen[first + at], &nb->seen[first + at + 1], (all - 1 - first - at) * sizeof(*nb->seen));
	if (host) {
		nb->nr_host_pods--;
		return;
	}
	vec_add(x->arena, &nb->free, nb->pod_ns[at]);
	memmove(&nb->pod_ns[at], &nb->pod_ns[at + 1], (nr - 1 - at) * sizeof(*nb->pod_ns));
	nb->nr_pods--;
}

static bool has_host_ports(uint64_t look) { return look & 1; }

static void pod_changed(struct update *u, struct pod *p)
{
	struct compile *x = u->x;
	struct node_build *nb = node_of_name(x, p->node);
	bool is = !p->o.gone && pod_is_wired(p), host, was;
	uint32_t at, before = x->nr_host_ports;
	uint64_t look = 0, now = pod_look(p, hostport_wanted(p));

	if (!nb)
		return;
	node_pods(nb);
	host = (at = place_of(nb->pods, nb->nr_pods, p)) == UINT32_MAX;
	if (host)
		at = place_of(nb->host_pods, nb->nr_host_pods, p);
	was = at != UINT32_MAX;
	if (was)
		look = nb->seen[host ? nb->nr_pods + at : at];
	if (is == was && (!is || (look == now && host == p->spec->host_network))) {
		if (is && host)         /* which of its containers run, and listen, may be another thing */
			forget_node(u, nb);
		else if (is)
			netns_forget(x->dp, pod_netns(nb, at));
		return;
	}
	forget_node(u, nb);
	u->policies = true;
	u->blocks = u->blocks || (was && look >> 32 != now >> 32);
	x->nr_host_ports += is && has_host_ports(now);
	x->nr_host_ports -= was && has_host_ports(look);
	if (is && was && host == p->spec->host_network) {
		nb->seen[host ? nb->nr_pods + at : at] = now;
	} else {
		own_arrays(x, nb);
		if (was)
			take_out(x, nb, host, at);
		if (is)
			put_in(x, nb, p);
		x->dp->moved = true;
		x->dp->order_known = false;
		u->blocks = u->blocks || (x->cni->blocks_stay && !x->cni->blocks_stay(x, nb, p));
	}
	if (!before != !x->nr_host_ports) {
		x->proxies.nr = 0;
		u->rules = true;
	}
}

/* ---- the rest */

static void service_changed(struct update *u, const struct service *s)
{
	struct compile *x = u->x;
	uint64_t *was = map_find(&x->health_ports, map_ptr(s));
	uint16_t port = s->o.gone ? 0 : health_port(s);

	if (port != (was ? *was : 0)) {
		*map_put(&x->health_ports, x->arena, map_ptr(s)) = port;
		find_health_ports(x);
		u->nodes = true;
	}
}

/* Nodes that know the present follow; those that do not are written from their view, by another kube_proxy. */
static void kube_proxies(struct update *u, struct object *const *v, uint32_t nr)
{
	struct compile *x = u->x;
	struct proxier_view *now;
	bool follows = true, any = false;

	for (uint32_t k = x->proxies.nr; k-- > 0;)
		if (x->proxies.v[k].view) {
			x->proxies.v[k] = x->proxies.v[--x->proxies.nr];
			u->services = true;
		}
	if (x->views != cluster_proxy_views(x->cluster))
		u->services = true;
	x->views = cluster_proxy_views(x->cluster);
	now = compile_present(x);
	for (uint32_t k = 0; k < nr; k++) {
		bool service = v[k]->kind == &service_kind;

		if (!service && v[k]->kind != &endpointslice_kind)
			continue;
		any = true;
		if (service)
			service_changed(u, (const struct service *)v[k]);
		else
			slice_named(x, (const struct endpointslice *)v[k]);
		if (now && follows)
			follows = service ? kube_proxy_service_changed(now->kube_proxy, (const struct service *)v[k]) : kube_proxy_slice_changed(now->kube_proxy, (const struct endpointslice *)v[k]);
		x->nr_rewritten++;
	}
	if (!any)
		return;
	if (now && !(follows && kube_proxy_write_again(now->kube_proxy))) {
		x->proxies.nr = 0;
		u->rules = true;
	}
	u->services = true;
	netns_forget(x->dp, x->router);                 /* it has routes to load balancers' addresses */
}

static void policies(struct update *u, bool changed)
{
	struct compile *x = u->x;
	uint32_t before = x->nr_policies;

	if (changed)
		x->policies = policies_compile(x->cluster, x->arena, &x->nr_policies);
	if (!before != !x->nr_policies)
		x->proxies.nr = 0;
	u->rules = u->rules || before || x->nr_policies || x->tiers.nr_policies;
}

static void blocks(struct update *u)
{
	struct compile *x = u->x;

	x->dp->blocks.nr = 0;
	x->cni->finish(x);
	dataplane_order_blocks(x->dp);
	u->nodes = true;                /* a tunnel's address is one that no Pod has */
}

static int by_number(const void *a, const void *b)
{
	const obj_h *x = a, *y = b;

	return x->i < y->i ? -1 : x->i > y->i;
}

/* What was heard, each object once. */
static struct object **heard(struct compile *x, struct arena *a, uint32_t *nr)
{
	struct object **v = arena_array(a, struct object *, x->heard.nr);

	*nr = 0;
	if (x->heard.nr)
		qsort(x->heard.v, x->heard.nr, sizeof(*x->heard.v), by_number);
	for (uint32_t k = 0; k < x->heard.nr; k++)
		if (!k || x->heard.v[k].i != x->heard.v[k - 1].i)
			v[(*nr)++] = obj_get(x->cluster, x->heard.v[k]);
	x->heard.nr = 0;
	return v;
}

static bool is_known(const struct compile *x, const struct node *n)
{
	const struct node_build *nb = node_of_name(x, n->o.name);

	return nb && nb->node == n && !n->o.gone && nb->looks == node_look(n);
}

static bool take_in(struct update *u, struct object *const *v, uint32_t nr)
{
	struct compile *x = u->x;
	bool new_policies = false;

	for (uint32_t k = 0; k < nr; k++)
		if ((v[k]->kind == &node_kind && !is_known(x, (const struct node *)v[k])) || (v[k]->kind == &daemonset_kind && x->installed != installed_look(x->cluster)))
			return false;
	cluster_settings(x->cluster);   /* the same as before, but perhaps in other places */
	for (uint32_t k = 0; k < nr; k++) {
		if (v[k]->kind == &pod_kind) {
			pod_changed(u, (struct pod *)v[k]);
			pod_named(x, (const struct pod *)v[k]);
		}
		new_policies = new_policies || v[k]->kind == &network_policy_kind;
		u->policies = u->policies || new_policies || v[k]->kind == &namespace_kind;
	}
	if (u->policies)
		policies(u, new_policies);
	kube_proxies(u, v, nr);
	if (u->blocks && x->cni->finish)
		blocks(u);
	for (uint32_t k = 0; k < x->nr_nodes && u->nodes; k++)
		forget_node(u, &x->nodes[k]);
	if (u->rules)
		x->rules_whole++;
	if (u->rules || u->services)
		x->dp->rules_age++;
	x->dp->assumed_known = false;
	x->dp->assumed.nr = 0;
	return true;
}

bool dataplane_update(struct dataplane *dp)
{
	struct compile *x = dp->writer ? dp->ctx : NULL;
	struct update u = { .x = x };
	struct arena *a;
	struct object **v;
	uint32_t nr;
	bool ok;

	if (!x || x->lost || x->nr_rewritten > 4 * dp->netns.nr + 4096)
		return false;
	a = arena_new(NULL, "heard");
	v = heard(x, a, &nr);
	ok = take_in(&u, v, nr);
	x->lost = !ok;
	arena_free(a);
	return ok;
}
