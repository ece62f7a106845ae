/* What an end means in a cluster: the sockets that send, and the addresses that are sent to. */
#include "sim/ask/end.h"

#include "model/dataplane/compile.h"

static bool no_such(struct cluster *c, const struct kind *k, str ns, str name, struct err *err)
{
	struct object_list l = ns ? cluster_list_ns(c, k, ns) : cluster_list(c, k);
	const char **names;
	const char *near;

	names = arena_array(cluster_arena(c), const char *, l.nr + 1);
	for (uint32_t i = 0; i < l.nr; i++)
		names[i] = l.v[i]->name;
	near = nearest(name, names);
	if (near)
		return err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found%s%s; did you mean \"%s\"?", k->plural, name, ns ? " in namespace " : "", ns ? ns : "", near);
	for (uint32_t i = 0; ns && i < cluster_list(c, k).nr; i++)
		if (streq(cluster_list(c, k).v[i]->name, name))
			return err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found in namespace %s; there is one in namespace %s", k->plural, name, ns, cluster_list(c, k).v[i]->ns);
	return err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found%s%s", k->plural, name, ns ? " in namespace " : "", ns ? ns : "");
}

/* Whether its controller, or that one's controller, is the workload. */
static bool is_of(struct cluster *c, const struct pod *p, const struct end *e, const struct object *workload)
{
	const struct object *owner = NULL;

	for (uint32_t i = 0; i < p->o.owners.nr; i++)
		if (p->o.owners.v[i].controller) {
			const struct kind *k = kind_find(p->o.owners.v[i].api, p->o.owners.v[i].kind);

			owner = k ? cluster_find(c, k, e->ns, p->o.owners.v[i].name) : NULL;
		}
	return owner == workload || (owner && streq(owner_uid(owner), workload->uid));
}

/* The workload's Pods by name, most of them at most; none: err. */
static struct object_list first_pods(struct cluster *c, const struct end *e, uint32_t most, struct arena *a, struct err *err)
{
	const struct object *o = cluster_find(c, e->workload, e->ns, e->name);
	struct object_list all = cluster_list_ns(c, &pod_kind, e->ns), out = { arena_array(a, struct object *, MIN(all.nr, most)), 0 };

	for (uint32_t k = 0; o && k < all.nr && out.nr < most; k++)
		if (is_of(c, (const struct pod *)all.v[k], e, o))
			out.v[out.nr++] = all.v[k];
	if (!o)
		no_such(c, e->workload, e->ns, e->name, err);
	else if (!out.nr)
		err_add(err, ERR_FAILED, NULL, "%s \"%s\" has no Pod", e->workload->name, e->name);
	return out;
}

struct object_list end_pods(struct cluster *c, const struct end *e, struct arena *a, struct err *err)
{
	return first_pods(c, e, UINT32_MAX, a, err);
}

struct pod *end_pod(struct cluster *c, const struct end *e, struct err *err)
{
	struct pod *p;

	if (e->kind == END_WORKLOAD) {
		struct object_list first = first_pods(c, e, 1, cluster_arena(c), err);

		return first.nr ? (struct pod *)first.v[0] : NULL;
	}
	p = find_pod(c, e->ns, e->name);
	if (!p)
		no_such(c, &pod_kind, e->ns, e->name, err);
	return p;
}

static ip_addr pod_address(const struct pod *p, bool v6)
{
	if (ip_set(p->ip) && ip_is4(p->ip) != v6)
		return p->ip;
	return ip_set(p->ip2) && ip_is4(p->ip2) != v6 ? p->ip2 : (ip_addr){ 0 };
}

static netns_h node_netns(struct cluster *c, const struct dataplane *dp, const char *name, struct err *err)
{
	char text[300];

	if (!find_node(c, name)) {
		no_such(c, &node_kind, NULL, cluster_str(c, name), err);
		return (netns_h){ 0 };
	}
	snprintf(text, sizeof(text), "node/%s", name);
	return netns_find(dp, text);
}

const char *pod_sockets_name(const struct pod *p, struct arena *a)
{
	return p->spec->host_network ? arena_printf(a, "node/%s", p->node ? p->node : "") : arena_printf(a, "pod/%s/%s", p->o.ns, p->o.name);
}

netns_h pod_sockets(const struct dataplane *dp, const struct pod *p)
{
	struct arena *scratch = arena_new(NULL, "name");
	netns_h h = netns_find(dp, pod_sockets_name(p, scratch));

	arena_free(scratch);
	return h;
}

static bool pod_source(struct cluster *c, const struct dataplane *dp, const struct end *e, bool v6, struct source *out, struct err *err)
{
	struct pod *p = end_pod(c, e, err);

	if (!p)
		return false;
	out->pod = p;
	out->kind = "Pod";
	out->ip = pod_address(p, v6);
	if (p->spec->host_network && p->node)
		out->netns = node_netns(c, dp, p->node, err);
	else
		out->netns = pod_sockets(dp, p);
	if (err_any(err))
		return false;
	if (!ip_set(p->ip))
		return err_add(err, ERR_FAILED, NULL, "pod \"%s\" has no address yet: it is %s%s%s", p->o.name, pod_phase_names[p->phase ? p->phase : POD_PENDING],
			       p->node ? ", bound to " : ", not scheduled", p->node ? p->node : "");
	if (!out->netns.i)
		return err_add(err, ERR_FAILED, NULL, "pod \"%s\" is on node \"%s\", of which there is no object: apply the Node as well", p->o.name, p->node ? p->node : "");
	return true;
}

static bool in_pod_range(const struct settings *s, ip_addr ip)
{
	for (uint32_t k = 0; k < s->pod_cidrs.nr; k++)
		if (cidr_contains(s->pod_cidrs.v[k], ip))
			return true;
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (cidr_contains(s->pools.v[k].cidr, ip))
			return true;
	return false;
}

/* ip/ADDR@NODE: a process on the node, the Pod side, or the uplink. */
static bool at_node(struct cluster *c, const struct dataplane *dp, const struct end *e, struct source *out, struct err *err)
{
	const struct settings *s = cluster_settings(c);
	struct pod *p;

	out->netns = node_netns(c, dp, e->node, err);
	if (!out->netns.i)
		return false;
	out->ip = e->ip;
	out->node = find_node(c, e->node);
	out->kind = "Node";
	if (addr_is_local(dp, out->netns, e->ip) || ip_is_loopback(e->ip))
		return true;
	out->enters = true;
	out->kind = "Address";
	p = find_pod_by_ip(c, e->ip);
	if (p && p->node == out->node->o.name) {
		netns_h ns = pod_sockets(dp, p);

		out->pod = p;
		out->in = ns.i ? link_get(dp, netns_get(dp, ns)->uplink)->peer : out->in;
		if (out->in.i)
			return true;
	}
	if (in_pod_range(s, e->ip))
		out->in_name = s->detect_local == DETECT_PREFIX && s->interface_prefix ? str_printf(cluster_strings(c), "%s0", s->interface_prefix)
										       : cni_table[s->cni]->in_name(s);
	else
		out->in = netns_get(dp, out->netns)->uplink;
	return true;
}

/* A bare name is one that DNS knows; who writes it for a source means something in the cluster. */
static bool no_source(struct cluster *c, const struct end *e, struct err *err)
{
	static const struct { const struct kind *kind; const char *form; } sources[] = { { &pod_kind, "pod" }, { &node_kind, "node" }, { &deployment_kind, "deploy" } };

	for (size_t k = 0; e->kind == END_NAME && k < ARRAY_LEN(sources); k++) {
		struct object_list l = cluster_list(c, sources[k].kind);

		for (uint32_t i = 0; i < l.nr; i++)
			if (streq(l.v[i]->name, e->name))
				return err_add(err, ERR_INPUT, NULL, "\"%s\" cannot be a source: did you mean %s/%s?", e->text, sources[k].form, e->name);
	}
	return err_add(err, ERR_INPUT, NULL, "\"%s\" cannot be a source: a packet starts at a Pod (pod/NAME), a node, a client or ip/ADDR@NODE", e->text);
}

bool end_source(struct cluster *c, const struct dataplane *dp, const struct end *e, bool v6, struct source *out, struct err *err)
{
	*out = (struct source){ 0 };
	switch (e->kind) {
	case END_POD:
	case END_WORKLOAD:
		return pod_source(c, dp, e, v6, out, err);
	case END_NODE:
		out->netns = node_netns(c, dp, e->name, err);
		out->node = find_node(c, e->name);
		out->kind = "Node";
		return out->netns.i != 0;
	case END_CLIENT:
		out->netns = netns_find(dp, "client");
		out->kind = "Client";
		if (e->has_ip) {
			out->ip = e->ip;
			if (!addr_is_local(dp, out->netns, e->ip)) {    /* another host out there: it enters by the gateway, where it is answered */
				out->netns = netns_find(dp, "router");
				out->enters = true;
				out->in = link_find(dp, out->netns, "eth1");
			}
		}
		return true;
	case END_IP_AT:
		return at_node(c, dp, e, out, err);
	case END_NONE:
	case END_SERVICE:
	case END_LB:
	case END_ADDR:
	case END_NAME:
	case END_GATEWAY:
	case END_CONTROLLER:
	case END_URL:
		break;
	}
	return no_source(c, e, err);
}

static bool add_ip(struct target *t, struct arena *a, ip_addr ip)
{
	ip_addr *v = arena_array(a, ip_addr, t->nr + 1);

	if (t->nr)
		memcpy(v, t->ip, t->nr * sizeof(*v));
	v[t->nr++] = ip;
	t->ip = v;
	return true;
}

/* The number of a Service's port that was named, or of its only port. */
static bool service_port(const struct service *s, const struct end *e, enum l4 l4, uint16_t *out, struct err *err)
{
	if (!e->port_name && e->port) {
		*out = e->port;
		return true;
	}
	for (uint32_t k = 0; e->port_name && k < s->ports.nr; k++)
		if (streq(s->ports.v[k].name, e->port_name) && s->ports.v[k].protocol == l4) {
			*out = (uint16_t)s->ports.v[k].port;
			return true;
		}
	if (e->port_name)
		return err_add(err, ERR_FAILED, NULL, "service \"%s\" has no %s port named \"%s\"", s->o.name, l4_names[l4], e->port_name);
	if (s->ports.nr == 1) {
		*out = (uint16_t)s->ports.v[0].port;
		return true;
	}
	return err_add(err, ERR_INPUT, NULL, "svc/%s/%s has %u ports: say which, as svc/%s/%s:PORT", s->o.ns, s->o.name, s->ports.nr, s->o.ns, s->o.name);
}

static bool headless_target(struct cluster *c, const struct service *s, const struct end *e, bool v6, struct arena *a, struct target *out, struct err *err)
{
	struct object_list slices = service_slices(c, s);
	ip_addr ip;

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < sl->endpoints.nr; i++)
			if (sl->endpoints.v[i].ready != TRI_FALSE && sl->endpoints.v[i].addresses.nr && ip_parse(sl->endpoints.v[i].addresses.v[0], &ip) &&
			    ip_is4(ip) != v6)
				add_ip(out, a, ip);
	}
	if (!out->nr)
		return err_add(err, ERR_FAILED, NULL, "%s is headless and has no ready endpoint: its name has no address", e->text);
	return true;
}

static bool service_target(struct cluster *c, const struct end *e, enum l4 l4, bool v6, struct arena *a, struct target *out, struct err *err)
{
	struct service *s = find_service(c, e->ns, e->name);
	ip_addr ip;

	if (!s)
		return no_such(c, &service_kind, e->ns, e->name, err);
	if (s->type == SVC_EXTERNALNAME)
		return err_add(err, ERR_FAILED, NULL, "service \"%s\" is of type ExternalName: it has no address; ask for the name, as %s.%s.svc:PORT", s->o.name, s->o.name, s->o.ns);
	if (!service_port(s, e, l4, &out->port, err))
		return false;
	if (e->kind == END_LB) {
		for (uint32_t k = 0; k < s->lb_ingress.nr; k++)
			if (s->lb_ingress.v[k].ip && ip_parse(s->lb_ingress.v[k].ip, &ip) && ip_is4(ip) != v6)
				return add_ip(out, a, ip);
		return err_add(err, ERR_FAILED, NULL, "service \"%s\" has no load balancer address: EXTERNAL-IP is %s", s->o.name,
			       s->type == SVC_LOADBALANCER ? "<pending>; nobody in the cluster answers for load balancers" : "<none>; its type is not LoadBalancer");
	}
	if (service_is_headless(s))
		return headless_target(c, s, e, v6, a, out, err);
	for (uint32_t k = 0; k < s->cluster_ips.nr; k++)
		if (ip_parse(s->cluster_ips.v[k], &ip) && ip_is4(ip) != v6)
			return add_ip(out, a, ip);
	if (s->cluster_ip && ip_parse(s->cluster_ip, &ip) && ip_is4(ip) != v6)
		return add_ip(out, a, ip);
	return err_add(err, ERR_FAILED, NULL, "service \"%s\" has no %s address", s->o.name, v6 ? "IPv6" : "IPv4");
}

bool end_target(struct cluster *c, const struct end *e, enum l4 l4, bool v6, struct arena *a, struct target *out, struct err *err)
{
	const struct node *n;
	struct pod *p;
	ip_addr ip;

	*out = (struct target){ .port = e->port };
	switch (e->kind) {
	case END_POD:
	case END_WORKLOAD:
		p = end_pod(c, e, err);
		if (!p)
			return false;
		ip = pod_address(p, v6);
		if (!ip_set(ip))
			return err_add(err, ERR_FAILED, NULL, "pod \"%s\" has no %s address: it is %s", p->o.name, v6 ? "IPv6" : "IPv4",
				       pod_phase_names[p->phase ? p->phase : POD_PENDING]);
		if (e->port_name && !(out->port = pod_port_by_name(p->spec, e->port_name, l4)))
			return err_add(err, ERR_FAILED, NULL, "pod \"%s\" has no %s port named \"%s\"", p->o.name, l4_names[l4], e->port_name);
		return add_ip(out, a, ip);
	case END_SERVICE:
	case END_LB:
		return service_target(c, e, l4, v6, a, out, err);
	case END_NODE:
		n = find_node(c, e->name);
		if (!n)
			return no_such(c, &node_kind, NULL, e->name, err);
		ip = node_internal_ip(n, v6);
		if (!ip_set(ip))
			return err_add(err, ERR_FAILED, NULL, "node \"%s\" has no %s address in its status", e->name, v6 ? "IPv6" : "IPv4");
		return add_ip(out, a, ip);
	case END_ADDR:
	case END_CLIENT:
		if (!e->has_ip)
			ip_parse(v6 ? "2001:db8:113::a" : "203.0.113.10", &ip);
		return add_ip(out, a, e->has_ip ? e->ip : ip);
	case END_NONE:
	case END_IP_AT:
	case END_NAME:
	case END_GATEWAY:
	case END_CONTROLLER:
	case END_URL:
		break;
	}
	return err_add(err, ERR_INPUT, NULL, "\"%s\" cannot be a target here", e->text);
}

const char *end_of_address(struct cluster *c, ip_addr ip, struct arena *a)
{
	const struct pod *p = find_pod_by_ip(c, ip);
	struct object_list nodes = cluster_list(c, &node_kind);

	if (p)
		return arena_printf(a, "pod/%s/%s", p->o.ns, p->o.name);
	for (uint32_t k = 0; k < nodes.nr; k++) {
		const struct node *n = (const struct node *)nodes.v[k];

		if (node_has_ip(n, ip))
			return arena_printf(a, "node/%s", n->o.name);
	}
	return ip_is4(ip) && ip_to4(ip) == 0xcb00710au ? "client" : NULL;
}
