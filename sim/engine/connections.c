#include "sim/engine/connections.h"

#include "model/dataplane/kube_proxy.h"

struct connections {
	struct arena *arena;
	struct flows *flows;
	VEC(struct connection) open;
	rev_t flushed;                          /* the revision up to which was flushed */
};

/* ---- who flushes what */

struct flush { struct cluster *c; const struct settings *s; struct dataplane *dp; struct kube_proxy *proxy /* NULL: not asked yet */; };

static const struct node *node_of(const struct flush *f, const char *netns)
{
	return strncmp(netns, "node/", 5) == 0 ? find_node(f->c, netns + 5) : NULL;
}

static bool has_address(const struct kp_port *p, ip_addr ip)
{
	for (uint32_t k = 0; k < p->nr_external_ips; k++)
		if (ip_eq(p->external_ips[k], ip))
			return true;
	for (uint32_t k = 0; k < p->nr_lb_ips; k++)
		if (ip_eq(p->lb_ips[k], ip))
			return true;
	return ip_eq(p->cluster_ip, ip);
}

static bool serves(const struct kp_endpoints *all, const struct tuple *reply)
{
	for (uint32_t k = 0; k < all->nr; k++)
		if (ip_eq(all->v[k].ip, reply->src) && all->v[k].port == reply->sport && (all->v[k].ready || all->v[k].serving))
			return true;
	return false;
}

/* kube-proxy: UDP to a Service, answered by what is no endpoint of it any more. One without endpoints is not cleaned up. */
static bool kube_proxy_flushes(struct flush *f, const struct flow_entry *e, const struct node *n)
{
	const struct kp_ports *ports;
	bool v6 = !ip_is4(e->orig.dst), node_port = addr_is_local(f->dp, netns_find(f->dp, e->netns), e->orig.dst);

	if (e->orig.proto != PROTO_UDP || f->s->proxy_mode == PROXY_NONE || label_get(&n->o.annotations, "podwire.io/kube-proxy-stopped"))
		return false;
	if (!f->proxy)
		f->proxy = kube_proxy_new(f->c, cluster_proxy_view(f->c, NULL), f->s, f->dp);
	ports = kp_ports_of(f->proxy, v6);
	for (uint32_t k = 0; k < ports->nr; k++) {
		struct kp_port *p = &ports->v[k];

		if (p->proto == PROTO_UDP && ((p->port == e->orig.dport && has_address(p, e->orig.dst)) || (node_port && p->node_port && p->node_port == e->orig.dport))) {
			const struct kp_endpoints *all = kp_endpoints_of(f->proxy, p, v6);

			return all->nr && !serves(all, &e->reply);
		}
	}
	return false;
}

static bool owned_here(const struct dataplane *dp, netns_h node, ip_addr ip)
{
	for (uint32_t k = 0; k < dp->blocks.nr; k++)
		if (dp->blocks.v[k].owner.i == node.i && cidr_contains(dp->blocks.v[k].cidr, ip))
			return true;
	return false;
}

static bool workload_left(const struct flush *f, const struct node *n, netns_h ns, ip_addr ip, nsec since)
{
	const struct pod *p;

	if (!owned_here(f->dp, ns, ip))
		return false;
	p = find_pod_by_ip(f->c, ip);
	return !p || !streq(p->node, n->o.name) || p->start > since;
}

/* felix: every flow of an address of this node's whose Pod has gone. */
static bool felix_flushes(const struct flush *f, const struct flow_entry *e, const struct node *n)
{
	netns_h ns = netns_find(f->dp, e->netns);

	if (f->s->cni != CNI_CALICO || !ns.i)
		return false;
	return workload_left(f, n, ns, e->orig.src, e->since) || workload_left(f, n, ns, e->orig.dst, e->since) || workload_left(f, n, ns, e->reply.src, e->since);
}

/* portmap: UDP to a host port, whenever a Pod with that host port comes. */
static bool portmap_flushes(const struct flush *f, const struct flow_entry *e, const struct node *n)
{
	struct object_list pods = cluster_list(f->c, &pod_kind);

	for (uint32_t k = 0; k < pods.nr && e->orig.proto == PROTO_UDP; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (!streq(p->node, n->o.name) || p->spec->host_network || p->start == NEVER || p->start <= e->since)
			continue;
		for (uint32_t i = 0; i < p->spec->containers.nr; i++)
			for (uint32_t j = 0; j < p->spec->containers.v[i].ports.nr; j++)
				if (p->spec->containers.v[i].ports.v[j].host_port == e->orig.dport && p->spec->containers.v[i].ports.v[j].protocol == L4_UDP)
					return true;
	}
	return false;
}

/* A Pod's own conntrack goes with its namespace, and so does a node's. */
static bool goes(void *ctx, const struct flow_entry *e)
{
	struct flush *f = ctx;
	netns_h ns = netns_find(f->dp, e->netns);
	const struct node *n = node_of(f, e->netns);
	const struct pod *p;

	if (!ns.i)
		return true;
	if (netns_get(f->dp, ns)->kind == NS_POD) {
		p = (const struct pod *)obj_get(f->c, (obj_h){ netns_get(f->dp, ns)->object });
		return !p || p->start > e->since;
	}
	return n && (kube_proxy_flushes(f, e, n) || felix_flushes(f, e, n) || portmap_flushes(f, e, n));
}

/* ---- */

struct flows *world_flows(struct world *w)
{
	struct connections *x = w->connections;

	if (!x)
		return NULL;
	flows_set_now(x->flows, cluster_now(w->cluster));
	if (x->flushed != cluster_rev(w->cluster) && flows_any(x->flows)) {
		struct flush f = { .c = w->cluster, .s = cluster_settings(w->cluster), .dp = world_dataplane(w) };

		flows_drop(x->flows, goes, &f);
	}
	x->flushed = cluster_rev(w->cluster);
	return x->flows;
}

static struct connections *make(struct world *w)
{
	struct arena *a;

	if (w->connections)
		return w->connections;
	a = arena_new(NULL, "connections");
	w->connections = arena_make(a, struct connections);
	w->connections->arena = a;
	w->connections->flows = flows_new(a, cluster_now(w->cluster), cluster_seed(w->cluster));
	return w->connections;
}

struct flows *world_flows_make(struct world *w)
{
	make(w);
	return world_flows(w);
}

void connections_free(struct connections *x)
{
	if (x)
		arena_free(x->arena);
}

void connection_keep(struct world *w, const struct connection *in)
{
	struct connections *x = make(w);
	struct connection c = *in, *at = NULL;

	for (uint32_t k = 0; k < x->open.nr; k++)
		if (streq(x->open.v[k].name, in->name))
			at = &x->open.v[k];
	c.name = arena_strdup(x->arena, in->name);
	c.from = arena_strdup(x->arena, in->from);
	c.to = arena_strdup(x->arena, in->to);
	c.netns = arena_strdup(x->arena, in->netns);
	c.pod_uid = in->pod_uid ? arena_strdup(x->arena, in->pod_uid) : NULL;
	if (at)
		*at = c;
	else
		vec_add(x->arena, &x->open, c);
}

const struct connection *connection_find(const struct world *w, const char *name)
{
	for (uint32_t k = 0; w->connections && k < w->connections->open.nr; k++)
		if (streq(w->connections->open.v[k].name, name))
			return &w->connections->open.v[k];
	return NULL;
}

const struct connection *connections_all(const struct world *w, uint32_t *nr)
{
	*nr = w->connections ? w->connections->open.nr : 0;
	return *nr ? w->connections->open.v : NULL;
}

bool connection_is_known(const struct connection *c, const struct pod *p, const char *container, const char **why)
{
	*why = NULL;
	if (c->t.proto != PROTO_TCP || !c->pod_uid || !p)
		return true;
	if (!streq(p->o.uid, c->pod_uid))
		*why = "the Pod that has the address now does not know the connection: it answers with a reset";
	for (uint32_t k = 0; !*why && k < p->statuses.nr; k++)
		if (!p->statuses.v[k].init && (!container || streq(p->statuses.v[k].name, container)) && p->statuses.v[k].started_at > c->opened && p->statuses.v[k].started_at != NEVER)
			*why = "the container has started again since: its new process does not know the connection and answers with a reset";
	return !*why;
}

/* ---- saving */

struct val *connections_save(const struct world *w, struct arena *a)
{
	const struct connections *x = w->connections;
	struct val *v, *open;

	if (!x || (!flows_any(x->flows) && !x->open.nr))
		return NULL;
	v = val_new(a, VAL_MAP);
	open = val_put(a, v, "open", val_new(a, VAL_LIST));
	val_put(a, v, "flows", flows_save(x->flows, a));
	for (uint32_t k = 0; k < x->open.nr; k++) {
		const struct connection *c = &x->open.v[k];
		struct val *one = val_add(a, open, val_new(a, VAL_MAP));

		val_put(a, one, "name", val_string(a, c->name));
		val_put(a, one, "from", val_string(a, c->from));
		val_put(a, one, "to", val_string(a, c->to));
		val_put(a, one, "netns", val_string(a, c->netns));
		if (c->pod_uid)
			val_put(a, one, "pod", val_string(a, c->pod_uid));
		val_put(a, one, "opened", val_int(a, c->opened));
		val_put(a, one, "tuple", tuple_save(a, &c->t));
	}
	return v;
}

void connections_load(struct world *w, const struct val *v)
{
	if (!v)
		return;
	flows_load(make(w)->flows, val_get(v, "flows"));
	VAL_EACH(one, val_get(v, "open"))
	{
		struct connection c = { .name = val_str_at(one, "name"), .from = val_str_at(one, "from"), .to = val_str_at(one, "to"), .netns = val_str_at(one, "netns"),
					.pod_uid = val_str_at(one, "pod"), .opened = val_int_or(val_get(one, "opened"), 0) };

		if (c.name && c.from && c.to && c.netns && tuple_load(val_str_at(one, "tuple"), &c.t))
			connection_keep(w, &c);
	}
}
