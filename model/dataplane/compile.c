#include "model/dataplane/compile.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/dataplane/hostport.h"
#include "model/dataplane/kube_proxy.h"
#include "model/dataplane/nics.h"
#include "model/dataplane/policy_calico.h"
#include "model/l7/mesh.h"

cause_h cause_of(struct compile *x, const struct object *o, const char *path)
{
	return cause_add(x->dp, o->id.i, path, (cause_h){ 0 });
}

/* ---- who is where */

bool pod_is_wired(const struct pod *p)
{
	return p->node && ip_set(p->ip) && !pod_is_terminal(p);
}

struct named { struct pod *pod; uint64_t seen; };

static int by_name(const void *a, const void *b)
{
	const struct pod *p = ((const struct named *)a)->pod, *q = ((const struct named *)b)->pod;
	int d = str_order(p->o.ns, q->o.ns);

	return d ? d : str_order(p->o.name, q->o.name);
}

static void sort_pods(struct pod **pods, uint64_t *seen, uint32_t nr)
{
	struct arena *a = nr > 1 ? arena_new(NULL, "names") : NULL;
	struct named *v = a ? arena_array(a, struct named, nr) : NULL;

	for (uint32_t k = 0; a && k < nr; k++)
		v[k] = (struct named){ pods[k], seen[k] };
	if (a)
		qsort(v, nr, sizeof(*v), by_name);
	for (uint32_t k = 0; a && k < nr; k++) {
		pods[k] = v[k].pod;
		seen[k] = v[k].seen;
	}
	arena_free(a);
}

void node_pods(struct node_build *nb)
{
	if (nb->sorted)
		return;
	nb->sorted = true;
	sort_pods(nb->pods, nb->seen, nb->nr_pods);
	sort_pods(nb->host_pods, nb->seen + nb->nr_pods, nb->nr_host_pods);
}

struct node_build *node_of_name(const struct compile *x, str name)
{
	uint64_t *at = name ? map_find(&x->node_by_name, map_ptr(name)) : NULL;

	return at ? &x->nodes[*at - 1] : NULL;
}

static void read_addresses(struct compile *x, struct node_build *nb)
{
	const struct node *n = nb->node;

	nb->ips = arena_array(x->arena, struct node_ip, n->addresses.nr);
	for (uint32_t k = 0; k < n->addresses.nr; k++) {
		ip_addr ip;

		if (!n->addresses.v[k].address || !ip_parse(n->addresses.v[k].address, &ip))
			continue;
		*map_put(&x->node_ips, x->arena, hash_mix(ip.hi, ip.lo)) = 1;
		if (streq(n->addresses.v[k].type, "Hostname"))
			continue;
		nb->ips[nb->nr_ips++] = (struct node_ip){ ip, streq(n->addresses.v[k].type, "InternalIP") };
		if (ip_is4(ip) && !ip_set(nb->ip4))
			nb->ip4 = ip;
		if (!ip_is4(ip) && !ip_set(nb->ip6))
			nb->ip6 = ip;
	}
	nics_read(x, nb);
}

/* Deals the Pods out to their nodes: count, then fill. In the order of handles, which is that of memory; names are sorted node by node when somebody looks. */
static void deal_pods(struct compile *x)
{
	uint32_t handles = cluster_handles(x->cluster), nr = cluster_count(x->cluster, &pod_kind), at = 0, k = 0;
	struct place { struct pod *pod; struct node_build *nb; uint64_t look; } *all = malloc((nr + 1) * sizeof(*all));
	const struct pod_spec *last = NULL;
	bool host_ports = false;
	struct pod **room;
	uint64_t *seen;

	if (!all)
		abort();
	for (uint32_t h = 1; h <= handles && at < nr; h++) {
		const struct object *o = obj_get(x->cluster, (obj_h){ h });
		struct node_build *nb;

		if (h + 8 <= handles)
			__builtin_prefetch(obj_get(x->cluster, (obj_h){ h + 8 }));
		if (o->kind != &pod_kind || o->gone || !pod_is_wired((const struct pod *)o) || !(nb = node_of_name(x, ((const struct pod *)o)->node)))
			continue;       /* on a node that has no object: not wired */
		if (((const struct pod *)o)->spec != last) {
			last = ((const struct pod *)o)->spec;
			host_ports = hostport_wanted((const struct pod *)o);
		}
		x->nr_host_ports += host_ports;
		all[at++] = (struct place){ (struct pod *)(uintptr_t)o, nb, pod_look((const struct pod *)o, host_ports) };
		*(((const struct pod *)o)->spec->host_network ? &nb->nr_host_pods : &nb->nr_pods) += 1;
	}
	room = arena_array(x->arena, struct pod *, at);
	seen = arena_array(x->arena, uint64_t, at);
	for (uint32_t n = 0; n < x->nr_nodes; n++) {
		struct node_build *nb = &x->nodes[n];

		nb->pods = room + k;
		nb->seen = seen + k;
		nb->run = nb->nr_pods;
		nb->host_pods = nb->pods + nb->nr_pods;
		k += nb->nr_pods + nb->nr_host_pods;
		nb->nr_pods = nb->nr_host_pods = 0;
	}
	for (k = 0; k < at; k++) {
		struct node_build *nb = all[k].nb;

		if (all[k].pod->spec->host_network) {
			nb->seen[nb->run + nb->nr_host_pods] = all[k].look;
			nb->host_pods[nb->nr_host_pods++] = all[k].pod;
		} else {
			nb->seen[nb->nr_pods] = all[k].look;
			nb->pods[nb->nr_pods++] = all[k].pod;
		}
	}
	free(all);
}

static void find_nodes(struct compile *x)
{
	struct object_list nodes = cluster_list(x->cluster, &node_kind);

	x->nr_nodes = nodes.nr;
	x->nodes = arena_array(x->arena, struct node_build, nodes.nr);
	for (uint32_t k = 0; k < nodes.nr; k++) {
		x->nodes[k].node = (struct node *)nodes.v[k];
		x->nodes[k].looks = node_look(x->nodes[k].node);
		*map_put(&x->node_by_name, x->arena, map_ptr(nodes.v[k]->name)) = k + 1;
		read_addresses(x, &x->nodes[k]);
	}
	nics_settle(x);
	deal_pods(x);
	for (uint32_t k = 0; k < nodes.nr; k++) {
		x->nodes[k].ns = netns_reserve(x->dp);
		for (uint32_t i = 0; i < x->nodes[k].nr_pods; i++)
			netns_reserve(x->dp);
		for (uint32_t n = 0; n < x->nodes[k].nr_nics; n++)
			for (uint32_t i = 0; i < x->nodes[k].nics[n].nr; i++)
				segment_add(x->dp, x->nodes[k].nics[n].segment, x->nodes[k].nics[n].v[i].ip, x->nodes[k].ns);
		for (uint32_t i = 0; !x->nodes[k].nr_nics && i < x->nodes[k].nr_ips; i++)
			segment_add(x->dp, NODE_SEGMENT, x->nodes[k].ips[i].ip, x->nodes[k].ns);
	}
}

bool node_is_dead(const struct node *n)
{
	return label_get(&n->o.annotations, "podwire.io/down") != NULL;
}

void block_add(struct compile *x, struct cidr c, const struct node_build *owner, cause_h why, struct block_way way)
{
	vec_add(x->arena, &x->dp->blocks, (struct block){ .cidr = c, .owner = owner->ns, .cause = why, .borrowed = way.borrowed, .withdrawn = way.withdrawn, .tunnel = way.tunnel, .proto = way.proto,
							  .via = ip_is4(c.addr) ? owner->net4 : owner->net6 });
}

/* ---- nodes and Pods */

link_h add_veth(struct compile *x, netns_h ns, const char *name, link_h peer)
{
	link_h h = link_add(x->dp, ns, name, LINK_VETH);
	struct link *l = link_get(x->dp, h);

	l->up = true;
	l->forwarding = true;
	l->mtu = x->pod_mtu;
	l->peer = peer;
	if (peer.i)
		link_get(x->dp, peer)->peer = h;
	return h;
}

/* A sidecar's redirect, as the init container wrote it. */
static void pod_rules(struct compile *x, const struct pod *p, netns_h ns)
{
	struct mesh_capture m = mesh_capture(p->spec);
	cause_h cause;
	struct ruleset *rs;

	if (!m.set)
		return;
	cause = cause_of(x, &p->o, "spec.initContainers");
	rs = ruleset_new(x->arena, x->dp->strings, NULL);
	mesh_rules(rs, &m, false, cause.i);
	mesh_rules(rs, &m, true, cause.i);
	ruleset_finish(rs);
	netns_get(x->dp, ns)->rules = rs;
}

static void write_node(struct compile *x, struct node_build *nb)
{
	struct netns *ns = netns_begin(x->dp, nb->ns, NS_NODE, arena_printf(x->arena, "node/%s", nb->node->o.name));

	node_pods(nb);
	nb->host_end = arena_array(x->arena, link_h, nb->nr_pods);
	add_uplink(x, nb);
	x->cni->node(x, nb, nb->host_end);
	for (uint32_t k = 0; k < nb->nr_pods; k++)
		if (nb->host_end[k].i)
			link_get(x->dp, nb->host_end[k])->toward = pod_netns(nb, k);
	if (kube_proxy_sysctls(x->settings).route_localnet)
		for (uint32_t k = 0; k < ns->links.nr; k++)
			link_get(x->dp, netns_link(ns, k))->route_localnet = true;
	node_listeners(x, nb);
	for (uint32_t k = 0; k < nb->nr_host_pods; k++)
		pod_listeners(x, nb->host_pods[k], nb->ns);
}

static void write_pod(struct compile *x, struct node_build *nb, uint32_t k)
{
	netns_h h = pod_netns(nb, k);
	const struct pod *p;
	struct netns *ns;
	link_h eth0;

	netns_get(x->dp, nb->ns);       /* the node's end comes first */
	p = nb->pods[k];
	ns = netns_begin(x->dp, h, NS_POD, arena_printf(x->arena, "pod/%s/%s", p->o.ns, p->o.name));
	ns->object = p->o.id.i;
	ns->node = nb->ns;
	ns->hostname = pod_host_name(p);
	add_lo(x, h);
	eth0 = x->cni->pod(x, nb, nb->pods[k], h, nb->host_end[k]);
	if (eth0.i)
		link_get(x->dp, eth0)->toward = nb->ns;
	ns->uplink = eth0;
	pod_listeners(x, p, h);
	pod_rules(x, p, h);
}

/* The node whose handle, or whose Pods' handle, this one is; NULL: of none. */
static struct node_build *node_of_netns(const struct compile *x, netns_h h)
{
	uint64_t *extra = map_find(&x->extra_netns, h.i);
	uint32_t lo = 0, hi = x->nr_nodes;

	if (extra)
		return &x->nodes[*extra - 1];
	while (lo < hi) {               /* the last whose run begins at or before it */
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->nodes[mid].ns.i <= h.i)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && h.i <= x->nodes[lo - 1].ns.i + x->nodes[lo - 1].run ? &x->nodes[lo - 1] : NULL;
}

static uint32_t pod_of_netns(const struct node_build *nb, netns_h h)
{
	uint32_t k = nb->pod_ns ? 0 : h.i - nb->ns.i - 1;

	while (k < nb->nr_pods && pod_netns(nb, k).i != h.i)
		k++;
	assert(k < nb->nr_pods);
	return k;
}

static void write_netns(void *ctx, struct dataplane *dp, netns_h h)
{
	struct compile *x = ctx;
	struct node_build *nb = node_of_netns(x, h);

	(void)dp;
	if (h.i == x->router.i)
		write_router(x);
	else if (h.i == x->client.i)
		write_client(x);
	else if (h.i == nb->ns.i)
		write_node(x, nb);
	else
		write_pod(x, nb, pod_of_netns(nb, h));
}

/* node/NAME, pod/NS/NAME, router, client: as they will be called. */
static netns_h find_netns(void *ctx, const struct dataplane *dp, const char *name)
{
	const struct compile *x = ctx;
	const char *slash = strncmp(name, "pod/", 4) == 0 ? strchr(name + 4, '/') : NULL;
	struct node_build *nb;
	const struct pod *p;
	str ns;

	(void)dp;
	if (strcmp(name, "router") == 0)
		return x->router;
	if (strcmp(name, "client") == 0)
		return x->client;
	if (strncmp(name, "node/", 5) == 0) {
		nb = node_of_name(x, str_find(x->dp->strings, name + 5));
		return nb ? nb->ns : (netns_h){ 0 };
	}
	ns = slash ? str_intern_n(x->dp->strings, name + 4, (size_t)(slash - name - 4)) : NULL;
	p = ns ? find_pod(x->cluster, ns, slash + 1) : NULL;
	nb = p ? node_of_name(x, p->node) : NULL;
	if (!nb)
		return (netns_h){ 0 };
	node_pods(nb);
	for (uint32_t k = 0; k < nb->nr_pods; k++)
		if (nb->pods[k] == p)
			return pod_netns(nb, k);
	return (netns_h){ 0 };
}

static bool is_assumable(void *ctx, ip_addr ip)
{
	return assumable(ctx, ip);
}

static void holders(void *ctx, void (*add)(void *, ip_addr, netns_h), void *to)
{
	const struct compile *x = ctx;

	for (uint32_t n = 0; n < x->nr_nodes; n++) {
		struct node_build *nb = &x->nodes[n];

		for (uint32_t k = 0; k < nb->nr_ips; k++)
			add(to, nb->ips[k].ip, nb->ns);
		node_pods(nb);
		for (uint32_t k = 0; k < nb->nr_pods; k++) {
			add(to, nb->pods[k]->ip, pod_netns(nb, k));
			if (ip_set(nb->pods[k]->ip2))
				add(to, nb->pods[k]->ip2, pod_netns(nb, k));
		}
	}
}

static void write_assumed(void *ctx, struct dataplane *dp)
{
	(void)dp;
	add_assumed(ctx);
}

/* ---- rules of a node, at its first use */

static const struct proxier_view *proxies_of(struct compile *x, struct dataplane *dp, const struct node *n)
{
	const struct proxy_view *view = cluster_proxy_view(x->cluster, n);
	struct proxier_view *v;

	for (uint32_t k = 0; k < x->proxies.nr; k++)
		if (x->proxies.v[k].view == view)
			return &x->proxies.v[k];
	v = vec_push(x->arena, &x->proxies);
	v->view = view;
	v->kube_proxy = kube_proxy_new(x->cluster, view, x->settings, dp);
	v->variant = ruleset_new(x->arena, dp->strings, NULL);
	if (x->settings->kernel.forward_drop)
		ruleset_base_chain(v->variant, ruleset_chain(v->variant, ruleset_table(v->variant, NF_IP, "filter", true), "FORWARD"), HOOK_FORWARD, NFT_FILTER, 0, OP_DROP);
	policy_calico_hooks(x, v->variant);
	hostport_masquerade(x, v->variant);
	kube_proxy_variant(v->kube_proxy, v->variant);
	hostport_dnat(x, v->variant);
	if (x->cni->rules_variant)
		x->cni->rules_variant(x, v->variant);
	policy_calico_accept(x, v->variant);
	ruleset_finish(v->variant);
	return v;
}

static void write_rules(void *ctx, struct dataplane *dp, netns_h h)
{
	struct compile *x = ctx;
	struct node_build *nb = node_of_netns(x, h);
	struct netns *ns = netns_get(dp, h);
	const struct proxier_view *shared;

	if (ns->kind != NS_NODE)
		return;
	assert(nb);
	shared = proxies_of(x, dp, nb->node);
	if (ns->rules && nb->followed == ns->rules && nb->written == x->rules_whole && kube_proxy_node_again(shared->kube_proxy, nb->proxiers))
		return;
	ns->rules = ruleset_new(x->arena, dp->strings, shared->variant);
	kube_proxy_node(shared->kube_proxy, nb->node, h, ns->rules, nb->proxiers);
	policy_calico_node(x, nb, ns->rules);
	hostport_node(x, nb, ns->rules);
	if (x->cni->rules_node)
		x->cni->rules_node(x, nb, ns->rules);
	ruleset_finish(ns->rules);
	nb->followed = ns->rules;
	nb->written = x->rules_whole;
}

struct proxier_view *compile_present(struct compile *x)
{
	for (uint32_t k = 0; k < x->proxies.nr; k++)
		if (!x->proxies.v[k].view)
			return &x->proxies.v[k];
	return NULL;
}

static void order(void *ctx, struct dataplane *dp)
{
	struct compile *x = ctx;

	for (uint32_t n = 0; n < x->nr_nodes; n++) {
		node_pods(&x->nodes[n]);
		vec_add(x->arena, &dp->order, x->nodes[n].ns);
		for (uint32_t k = 0; k < x->nodes[n].nr_pods; k++)
			vec_add(x->arena, &dp->order, pod_netns(&x->nodes[n], k));
	}
	vec_add(x->arena, &dp->order, x->router);
	vec_add(x->arena, &dp->order, x->client);
}

static void end(void *ctx)
{
	compile_ends(ctx);
}

static const struct dataplane_writer writer = { write_netns, write_rules, write_assumed, find_netns, holders, is_assumable, order, end };

static struct dataplane *compile(struct cluster *c, struct mem *mem, int mode)
{
	struct arena *a = arena_new(mem, "dataplane");
	struct dataplane *dp = arena_make(a, struct dataplane);
	struct compile *x = arena_make(a, struct compile);

	dp->arena = a;
	dp->strings = cluster_strings(c);
	*x = (struct compile){ .cluster = c, .settings = cluster_settings(c), .dp = dp, .arena = a, .uplink_mtu = UPLINK_MTU };
	if (mode >= 0) {
		struct settings *own = arena_make(a, struct settings);

		*own = *x->settings;
		own->proxy_mode = (uint8_t)mode;
		x->settings = own;
	}
	x->cni = cni_table[x->settings->cni];
	dp->writer = &writer;
	dp->ctx = x;
	dataplane_begin(dp);
	x->policies = policies_compile(c, a, &x->nr_policies);
	x->tiers = policy_tiers(c, a);
	if (x->tiers.tied)
		tiers_of_kubernetes(&x->tiers, c, x->policies, x->nr_policies, a);
	find_nodes(x);
	underlay_find(x);
	x->cni->network(x);
	if (x->cni->finish)
		x->cni->finish(x);
	dataplane_finish(dp);
	x->lost = mode >= 0 || !compile_follows(x);
	return dp;
}

struct dataplane *dataplane_compile(struct cluster *c, struct mem *mem) { return compile(c, mem, -1); }
struct dataplane *dataplane_compile_mode(struct cluster *c, struct mem *mem, uint8_t mode) { return compile(c, mem, mode); }

void dataplane_free(struct dataplane *dp)
{
	if (dp && dp->writer && dp->writer->end)
		dp->writer->end(dp->ctx);
	if (dp)
		arena_free(dp->arena);
}
