/* Who listens where. Declared ports and numeric probe ports are known; where agnhost listens, its arguments say; of a Pod that says nothing of the kind it is assumed
 * that it listens where it is asked (and the walk says so). A process may listen on a port that it does not declare, but of a Pod that declares some, others are taken
 * as closed. */
#include "model/api/agnhost.h"
#include "model/dataplane/compile.h"
#include "model/dataplane/kube_proxy.h"

struct known {                          /* what one container listens on */
	struct compile *x;
	const struct pod *pod;
	const struct container *c;
	netns_h ns;
	uint32_t nr;
};

static bool listens_already(const struct known *k, uint8_t proto, int32_t port, ip_addr addr)
{
	const struct netns *ns = netns_get(k->x->dp, k->ns);

	for (uint32_t i = 0; i < ns->listeners.nr; i++)
		if (ns->listeners.v[i].proto == proto && ns->listeners.v[i].port == port && ns->listeners.v[i].container == k->c->name && ip_eq(ns->listeners.v[i].addr, addr))
			return true;
	return false;
}

/* A port may be declared, probed, and named in the arguments. */
static void listens_at(struct known *k, uint8_t proto, int32_t port, ip_addr addr, const char *path)
{
	struct listener *l;

	if (port < 1 || port > 65535)
		return;
	k->nr++;
	if (!k->ns.i || listens_already(k, proto, port, addr))
		return;
	l = listener_add(k->x->dp, k->ns, proto, (uint16_t)port);
	l->addr = addr;
	l->container = k->c->name;
	l->cause = cause_of(k->x, &k->pod->o, path);
	l->http = proto == PROTO_TCP;
}

static void listens(struct known *k, uint8_t proto, int32_t port, const char *path)
{
	listens_at(k, proto, port, (ip_addr){ 0 }, path);
}

static void agnhost_listener(void *known, const struct agnhost_port *p)
{
	ip_addr addr = { 0 };

	if (streq(p->addr, "0.0.0.0") || !ip_parse(streq(p->addr, "localhost") ? "127.0.0.1" : p->addr, &addr))
		addr = (ip_addr){ 0 };          /* of the Pod itself, as $(POD_IP) */
	listens_at(known, l4_number(p->protocol), p->port, addr, p->path);
}

static void probe_port(struct known *k, const struct probe *p)
{
	const struct int_or_str *port = p && p->http ? &p->http->port : p && p->tcp ? &p->tcp->port : NULL;

	if (port && port->set && !port->s)
		listens(k, PROTO_TCP, port->i, "spec.containers.readinessProbe");
	if (p && p->grpc)
		listens(k, PROTO_TCP, p->grpc->port, "spec.containers.readinessProbe");
}

static bool runs(const struct pod *p, const struct container *c)
{
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].name == c->name)
			return p->statuses.v[k].state == CS_RUNNING;
	return p->phase == POD_RUNNING || p->phase == 0;        /* given without container statuses */
}

/* Istio's proxy (outbound, inbound, its agent's status, readiness); 15090 is declared. What it listens on says nothing of the Pod's application. */
static const int32_t sidecar_ports[] = { 15001, 15006, 15020, 15021 };
static bool is_mesh_proxy(const struct pod *p, const struct container *c) { return streq(c->name, "istio-proxy") && (p->spec->containers.nr > 1 || c->restart_policy); }

static void one_container(struct known *k)
{
	struct agnhost agnhost = agnhost_of(k->c);

	if (agnhost.subcommand) {
		k->nr++;                /* it is known, also if it listens nowhere */
		agnhost_ports(k->c, agnhost_listener, k);
	}
	if (agnhost.named)              /* and nowhere else, whatever it declares */
		return;
	for (uint32_t i = 0; i < k->c->ports.nr; i++)
		listens(k, l4_number(k->c->ports.v[i].protocol), k->c->ports.v[i].port, "spec.containers.ports");
	probe_port(k, k->c->readiness);
	probe_port(k, k->c->liveness);
	probe_port(k, k->c->startup);
	if (is_mesh_proxy(k->pod, k->c))
		for (size_t i = 0; i < ARRAY_LEN(sidecar_ports); i++)
			listens(k, PROTO_TCP, sidecar_ports[i], "spec.containers.args");
}

static uint32_t each_container(struct compile *x, const struct pod *p, netns_h ns)
{
	uint32_t nr = 0;

	for (int list = 0; list < 2; list++) {
		const container_list *l = list ? &p->spec->init_containers : &p->spec->containers;

		for (uint32_t i = 0; i < l->nr; i++) {
			struct known k = { x, p, &l->v[i], ns, 0 };

			if ((list && !streq(l->v[i].restart_policy, "Always")) || (ns.i && !runs(p, &l->v[i])))
				continue;
			one_container(&k);
			nr += is_mesh_proxy(p, &l->v[i]) ? 0 : k.nr;
		}
	}
	return nr;
}

void pod_listeners(struct compile *x, const struct pod *p, netns_h ns)
{
	bool any_known = each_container(x, p, (netns_h){ 0 }) > 0;

	each_container(x, p, ns);
	if (any_known || p->spec->host_network)
		return;
	for (uint32_t i = 0; i < p->spec->containers.nr; i++)
		if (runs(p, &p->spec->containers.v[i])) {
			struct listener *l = listener_add(x->dp, ns, 0, 0);

			l->kind = LISTEN_ANY;
			l->container = p->spec->containers.v[i].name;
			l->cause = cause_of(x, &p->o, "spec.containers");
			return;
		}
}

static void node_listener(struct compile *x, struct node_build *nb, uint16_t port, ip_addr addr, const char *path)
{
	struct listener *l = listener_add(x->dp, nb->ns, PROTO_TCP, port);

	l->addr = addr;
	l->http = true;
	l->cause = cause_of(x, &nb->node->o, path);
}

uint16_t health_port(const struct service *s)
{
	return kp_watches_service(s) && s->type == SVC_LOADBALANCER && s->external_policy == TP_LOCAL ? (uint16_t)s->health_check_node_port : 0;
}

void find_health_ports(struct compile *x)
{
	struct object_list services = cluster_list(x->cluster, &service_kind);

	x->health.nr = 0;
	for (uint32_t k = 0; k < services.nr; k++) {
		const struct service *s = (const struct service *)services.v[k];

		if (!health_port(s))
			continue;
		vec_add(x->arena, &x->health, s);
		*map_put(&x->health_ports, x->arena, map_ptr(s)) = health_port(s);
	}
}

void node_listeners(struct compile *x, struct node_build *nb)
{
	ip_addr any = { 0 };

	node_listener(x, nb, 10250, any, "kubelet");
	if (x->settings->proxy_mode != PROXY_NONE)
		node_listener(x, nb, 10256, any, "kube-proxy healthz");
	if (label_get(&nb->node->o.labels, "node-role.kubernetes.io/control-plane"))
		node_listener(x, nb, 6443, any, "kube-apiserver");
	for (uint32_t k = 0; x->settings->proxy_mode != PROXY_NONE && k < x->health.nr; k++)
		node_listener(x, nb, health_port(x->health.v[k]), any, "kube-proxy health check node port");
}
