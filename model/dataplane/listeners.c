/* Who listens where. Declared ports, numeric probe ports, and the arguments of images that everybody tests with are known; of a Pod that says nothing of the
 * kind it is assumed that it listens where it is asked (and the walk says so). A process may listen on a port that it does not declare, but of a
 * Pod that declares some, others are taken as closed. */
#include <stdlib.h>

#include "model/dataplane/compile.h"
#include "model/dataplane/kube_proxy.h"

struct known {                          /* what one container listens on */
	struct compile *x;
	const struct pod *pod;
	const struct container *c;
	netns_h ns;
	uint32_t nr;
	bool any;
};

static bool listens_already(const struct known *k, uint8_t proto, int32_t port)
{
	const struct netns *ns = netns_get(k->x->dp, k->ns);

	for (uint32_t i = 0; i < ns->listeners.nr; i++)
		if (ns->listeners.v[i].proto == proto && ns->listeners.v[i].port == port && ns->listeners.v[i].container == k->c->name)
			return true;
	return false;
}

/* A port may be declared, probed, and named in the arguments. */
static void listens(struct known *k, uint8_t proto, int32_t port, const char *path)
{
	struct listener *l;

	if (port < 1 || port > 65535)
		return;
	k->nr++;
	if (!k->ns.i || listens_already(k, proto, port))
		return;
	l = listener_add(k->x->dp, k->ns, proto, (uint16_t)port);
	l->container = k->c->name;
	l->cause = cause_of(k->x, &k->pod->o, path);
	l->http = proto == PROTO_TCP;
}

/* --http-port=8080, --http-port 8080: the number behind a flag of any of the arguments; 0 if it is not there. */
static int32_t flag_number(const struct container *c, const char *flag)
{
	const str_list *lists[] = { &c->command, &c->args };
	size_t n = strlen(flag);

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (uint32_t k = 0; k < lists[i]->nr; k++) {
			const char *a = lists[i]->v[k];

			if (strncmp(a, flag, n) != 0)
				continue;
			if (a[n] == '=')
				return atoi(a + n + 1);
			if (!a[n] && k + 1 < lists[i]->nr)
				return atoi(lists[i]->v[k + 1]);
		}
	return 0;
}

static bool has_arg(const struct container *c, const char *word)
{
	for (uint32_t k = 0; k < c->command.nr; k++)
		if (streq(c->command.v[k], word))
			return true;
	for (uint32_t k = 0; k < c->args.nr; k++)
		if (streq(c->args.v[k], word))
			return true;
	return false;
}

/* Kubernetes' own test image: test/images/agnhost/README.md. */
static void agnhost(struct known *k)
{
	int32_t n;

	if (has_arg(k->c, "netexec")) {
		listens(k, PROTO_TCP, (n = flag_number(k->c, "--http-port")) ? n : 8080, "spec.containers.args");
		listens(k, PROTO_UDP, (n = flag_number(k->c, "--udp-port")) ? n : 8081, "spec.containers.args");
		if ((n = flag_number(k->c, "--sctp-port")) > 0)
			listens(k, PROTO_SCTP, n, "spec.containers.args");
	} else if (has_arg(k->c, "serve-hostname")) {
		n = flag_number(k->c, "--port");
		listens(k, has_arg(k->c, "--udp") ? PROTO_UDP : PROTO_TCP, n ? n : 9376, "spec.containers.args");
	} else if (has_arg(k->c, "porter")) {
		for (uint32_t i = 0; i < k->c->env.nr; i++) {
			const char *name = k->c->env.v[i].name;

			if (name && strncmp(name, "SERVE_PORT_", 11) == 0)
				listens(k, PROTO_TCP, atoi(name + 11), "spec.containers.env");
			if (name && strncmp(name, "SERVE_SCTP_PORT_", 16) == 0)
				listens(k, PROTO_SCTP, atoi(name + 16), "spec.containers.env");
		}
	}
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
	for (uint32_t i = 0; i < k->c->ports.nr; i++)
		listens(k, l4_number(k->c->ports.v[i].protocol), k->c->ports.v[i].port, "spec.containers.ports");
	probe_port(k, k->c->readiness);
	probe_port(k, k->c->liveness);
	probe_port(k, k->c->startup);
	if (k->c->image && strstr(k->c->image, "agnhost"))
		agnhost(k);
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
			struct known k = { x, p, &l->v[i], ns, 0, false };

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
