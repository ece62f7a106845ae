#include "model/l7/planes.h"

#include "model/l7/gateway.h"

/* ---- who a Pod is */

static const struct gateway *gateway_among(struct cluster *c, struct object_list all, const struct pod *p)
{
	for (uint32_t i = 0; i < all.nr; i++) {
		const char *of = label_get(&all.v[i]->annotations, GATEWAY_ANNOTATION), *slash = of ? strchr(of, '/') : NULL;

		if (slash && controller_has(all.v[i], p))
			return (const struct gateway *)cluster_find(c, &gateway_kind, str_intern_n(cluster_strings(c), of, (size_t)(slash - of)), slash + 1);
	}
	return NULL;
}

const struct gateway *plane_gateway(struct cluster *c, const struct pod *p)
{
	return cluster_count(c, &gateway_kind) ? gateway_among(c, cluster_list_ns(c, &deployment_kind, p->o.ns), p) : NULL;
}

/* The Deployments that are some Gateway's own: few of all, and looked through for each Pod. */
static struct object_list own_planes(struct cluster *c, struct arena *a)
{
	struct object_list all = cluster_count(c, &gateway_kind) ? cluster_list(c, &deployment_kind) : (struct object_list){ 0 };
	struct object_list out = { arena_array(a, struct object *, all.nr), 0 };

	for (uint32_t k = 0; k < all.nr; k++)
		if (label_get(&all.v[k]->annotations, GATEWAY_ANNOTATION))
			out.v[out.nr++] = all.v[k];
	return out;
}

bool plane_is_envoy(const struct l7_controller *who)
{
	return who && (streq(who->product, "Istio") || streq(who->product, "Envoy Gateway") || streq(who->product, "Contour") || strncmp(who->name, "istio.io/", 9) == 0);
}

const struct service *plane_service(struct cluster *c, const struct pod *p)
{
	struct object_list all = cluster_list_ns(c, &service_kind, p->o.ns);

	for (uint32_t i = 0; i < all.nr; i++)
		if (((const struct service *)all.v[i])->selector.nr && pairs_match(&((const struct service *)all.v[i])->selector, &p->o.labels))
			return (const struct service *)all.v[i];
	return NULL;
}

/* ---- all of them */

struct planes { struct cluster *c; struct arena *a; struct object_list own; VEC(struct l7_plane) v; };

uint16_t plane_port(const struct service *s, const struct pod *p, int64_t port)
{
	for (uint32_t k = 0; s && k < s->ports.nr; k++) {
		const struct svc_port *sp = &s->ports.v[k];

		if (sp->port == port)
			return sp->target.set && sp->target.s ? pod_port_by_name(p->spec, sp->target.s, L4_TCP) : (uint16_t)(sp->target.set ? sp->target.i : sp->port);
	}
	return (uint16_t)port;
}

/* Its table, with a port for each listener; where the table has its ports from the Pod (Istio's), as they stand. */
static void add(struct planes *x, struct l7_plane p, bool own_ports)
{
	const struct route_table *t = p.table;

	p.ports = arena_array(x->a, struct l7_port, t->listeners.nr);
	for (uint32_t k = 0; k < t->listeners.nr; k++) {
		uint16_t port = t->listeners.v[k].port, bind = own_ports ? port : plane_port(p.service, p.pod, port);
		uint32_t i = 0;

		while (i < p.nr && p.ports[i].bind != bind)
			i++;
		if (!t->listeners.v[k].dead && bind && i == p.nr)
			p.ports[p.nr++] = (struct l7_port){ bind, port };
	}
	vec_add(x->a, &x->v, p);
}

static bool says_something(const struct route_table *t)
{
	return routes_serve(t, NULL) || t->vhosts.nr;
}

static const struct l7_controller *gateway_served_by(struct planes *x, const struct l7_controller *all, uint32_t nr, const struct gateway *gw)
{
	const char *name = gateway_controller_name(x->c, gw);

	for (uint32_t k = 0; name && k < nr; k++)
		if (streq(all[k].name, name))
			return &all[k];
	return NULL;
}

/* Tables that the Pods of a controller serve together: its Ingresses', and those of Gateways that have no data plane of their own. The first that has a rule is served. */
static struct l7_plane shared(struct planes *x, const struct l7_controller *all, uint32_t nr, const struct l7_controller *who)
{
	struct object_list gateways = cluster_list(x->c, &gateway_kind);
	struct route_table *own = routes_compile_ingress(x->c, who->name, x->a);
	struct l7_plane p = { .table = own, .service = who->service, .target = arena_printf(x->a, "controller/%s", who->name), .envoy = plane_is_envoy(who) };

	for (uint32_t k = 0; k < gateways.nr; k++) {
		const struct gateway *gw = (const struct gateway *)gateways.v[k];
		const struct l7_controller *other = gateway_served_by(x, all, nr, gw);

		if (!other || other->place != 's' || other->workload != who->workload)
			continue;
		if (says_something(p.table))
			p.left_out = arena_printf(x->a, "%s%sgateway %s/%s", p.left_out ? p.left_out : "", p.left_out ? ", " : "", gw->o.ns, gw->o.name);
		else
			p = (struct l7_plane){ .table = routes_compile_gateway(x->c, gw, x->a), .service = who->service, .envoy = plane_is_envoy(other),
					       .target = arena_printf(x->a, "gateway/%s/%s", gw->o.ns, gw->o.name) };
	}
	return p;
}

/* One after the other, as a request would find them: a Gateway's own, Istio's Gateways, a controller's. */
static void look(struct planes *x, const struct l7_controller *all, uint32_t nr, struct l7_plane *tables, const struct pod *p)
{
	const struct gateway *gw = gateway_among(x->c, x->own, p);
	const struct service *s;
	struct route_table *t;

	if (gw) {
		const struct l7_controller *who = gateway_served_by(x, all, nr, gw);

		add(x, (struct l7_plane){ .pod = p, .table = routes_compile_gateway(x->c, gw, x->a), .service = who ? gateway_service(x->c, gw, who) : NULL,
					  .target = arena_printf(x->a, "gateway/%s/%s", gw->o.ns, gw->o.name), .envoy = plane_is_envoy(who) }, false);
		return;
	}
	s = cluster_count(x->c, &istio_gateway_kind) ? plane_service(x->c, p) : NULL;
	t = cluster_count(x->c, &istio_gateway_kind) ? routes_compile_istio(x->c, p, s, x->a) : NULL;
	if (t) {
		add(x, (struct l7_plane){ .pod = p, .table = t, .service = s, .target = s ? arena_printf(x->a, "lb/%s/%s", s->o.ns, s->o.name) : NULL, .envoy = true }, true);
		return;
	}
	for (uint32_t k = 0; k < nr; k++)
		if (controller_has(all[k].workload, p)) {
			if (!tables[k].table)
				tables[k] = shared(x, all, nr, &all[k]);
			tables[k].pod = p;
			add(x, tables[k], false);
			return;
		}
}

struct l7_plane *planes_list(struct cluster *c, struct arena *a, uint32_t *nr)
{
	struct planes x = { .c = c, .a = a, .own = own_planes(c, a) };
	struct object_list pods = cluster_list(c, &pod_kind);
	uint32_t controllers;
	const struct l7_controller *all = controllers_list(c, a, &controllers);
	struct l7_plane *tables = arena_array(a, struct l7_plane, controllers);

	for (uint32_t k = 0; (controllers || cluster_count(c, &istio_gateway_kind)) && k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if ((p->phase == POD_RUNNING || !p->phase) && p->node && !pod_is_terminal(p))
			look(&x, all, controllers, tables, p);
	}
	*nr = x.v.nr;
	return x.v.v;
}

/* ---- sidecars */

/* What a sidecar would have to do, and HAProxy does not. */
static const char *beyond(struct cluster *c, const struct pod *p, const struct mesh_capture *m, struct arena *a)
{
	if (cluster_count(c, &request_authentication_kind))
		return "RequestAuthentication asks for tokens, which are not looked at";
	return m->unknown ? m->unknown : mesh_unmodelled(c, p, a);
}

/* Namespace and service account are interned, and make the identity. */
static const struct mesh_peers *peers_of(struct cluster *c, struct object_list pods, struct arena *a)
{
	struct mesh_peers *out = arena_make(a, struct mesh_peers);
	struct map seen = { 0 };

	out->v = arena_array(a, const struct pod *, pods.nr);
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		str account = p->spec->service_account ? p->spec->service_account : cluster_str(c, "default");
		uint64_t *at = mesh_sidecar(p->spec) ? map_put(&seen, a, hash_mix(map_ptr(p->o.ns), map_ptr(account))) : NULL;

		if (at && !(*at)++)
			out->v[out->nr++] = p;
	}
	return out;
}

static bool is_plane(struct cluster *c, struct object_list own, const struct pod *p, const struct l7_controller *all, uint32_t nr)
{
	bool out = gateway_among(c, own, p) != NULL;

	for (uint32_t k = 0; k < nr; k++)
		out = out || controller_has(all[k].workload, p);
	return out;
}

struct l7_plane *planes_sidecars(struct cluster *c, struct arena *a, uint32_t *nr, const char **why)
{
	struct object_list pods = cluster_list(c, &pod_kind), own = own_planes(c, a);
	VEC(struct l7_plane) out = { 0 };
	const struct mesh_peers *peers = NULL;
	const char *no = NULL;
	uint32_t controllers = 0;
	const struct l7_controller *all = cluster_count(c, &pod_kind) ? controllers_list(c, a, &controllers) : NULL;

	for (uint32_t k = 0; k < pods.nr && !no; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		struct mesh_capture m;
		struct l7_plane *plane;

		if ((p->phase && p->phase != POD_RUNNING) || !p->node || p->spec->host_network || !mesh_sidecar(p->spec))
			continue;
		m = mesh_capture(p->spec);
		if (!m.set)
			continue;
		no = beyond(c, p, &m, a);
		plane = vec_push(a, &out);
		peers = peers ? peers : peers_of(c, pods, a);
		*plane = (struct l7_plane){ .pod = p, .peers = peers, .table = routes_compile_mesh(c, p, a), .sidecar = arena_copy(a, &m, sizeof(m)), .envoy = true,
					    .beside = is_plane(c, own, p, all, controllers) };
		plane->ports = arena_array(a, struct l7_port, plane->table->listeners.nr);
		for (uint32_t i = 0; i < plane->table->listeners.nr; i++) {
			uint32_t j = 0;

			while (j < plane->nr && plane->ports[j].port != plane->table->listeners.v[i].port)
				j++;
			if (j == plane->nr)
				plane->ports[plane->nr++].port = plane->table->listeners.v[i].port;
		}
	}
	if (why)
		*why = no;
	*nr = no ? 0 : out.nr;
	return out.v;
}
