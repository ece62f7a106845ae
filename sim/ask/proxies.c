#include "sim/ask/proxies.h"

#include "model/l7/gateway.h"
#include "model/l7/mesh.h"
#include "model/l7/planes.h"
#include "sim/ask/request.h"

static const char *const no_address = "has no address: nobody can connect to it";

/* ---- controllers and tables, looked for and compiled at their first use */

static struct arena *routes_of_now(struct world *w)
{
	if (w->routes_arena && w->routes_rev != cluster_rev(w->cluster)) {
		arena_free(w->routes_arena);
		w->routes_arena = NULL;
		w->routes.v = NULL;
		w->routes.nr = w->routes.alloc = 0;
		w->controllers_known = false;
	}
	if (!w->routes_arena) {
		w->routes_arena = arena_new(NULL, "routes");
		w->routes_rev = cluster_rev(w->cluster);
	}
	return w->routes_arena;
}

static const struct l7_controller *controllers_of_now(struct world *w, uint32_t *nr)
{
	struct arena *a = routes_of_now(w);

	if (!w->controllers_known)
		w->controllers = controllers_list(w->cluster, a, &w->nr_controllers);
	w->controllers_known = true;
	*nr = w->nr_controllers;
	return w->controllers;
}

void proxies_find(struct world *w)
{
	uint32_t nr;

	controllers_of_now(w, &nr);
}

static const struct l7_controller *controller_of_now(struct world *w, const char *name)
{
	uint32_t nr;
	const struct l7_controller *v = controllers_of_now(w, &nr);

	for (uint32_t i = 0; i < nr; i++)
		if (streq(v[i].name, name))
			return &v[i];
	return NULL;
}

static const struct route_table *remembered(struct world *w, const char *name)
{
	routes_of_now(w);
	for (uint32_t k = 0; k < w->routes.nr; k++)
		if (streq(routes_name(w->routes.v[k]), name))
			return w->routes.v[k];
	return NULL;
}

const struct route_table *proxies_ingress(struct world *w, const char *controller, struct arena *a)
{
	const struct route_table *t = remembered(w, arena_printf(a, "controller %s", controller));

	return t ? t : (*vec_push(w->routes_arena, &w->routes) = routes_compile_ingress(w->cluster, controller, w->routes_arena));
}

const struct route_table *proxies_gateway(struct world *w, const struct gateway *gw, struct arena *a)
{
	const struct route_table *t = remembered(w, arena_printf(a, "gateway %s/%s", gw->o.ns, gw->o.name));

	return t ? t : (*vec_push(w->routes_arena, &w->routes) = routes_compile_gateway(w->cluster, gw, w->routes_arena));
}

/* Istio's Gateways for a Pod; NULL: none selects it. */
static const struct route_table *istio_table(const struct looking *k, const struct pod *p)
{
	const struct route_table *t;
	struct route_table *made;

	if (!cluster_count(k->c, &istio_gateway_kind))
		return NULL;
	t = remembered(k->w, arena_printf(k->a, "istio gateway pod/%s/%s", p->o.ns, p->o.name));
	made = t ? NULL : routes_compile_istio(k->c, p, plane_service(k->c, p), k->w->routes_arena);
	return made ? (*vec_push(k->w->routes_arena, &k->w->routes) = made) : t;
}

/* ---- addresses of gateways and controllers */

static bool first_address(struct lb_ingress *v, uint32_t nr, bool v6, struct arena *a, struct target *out)
{
	for (uint32_t i = 0; i < nr; i++) {
		ip_addr ip;

		if (!v[i].ip || !ip_parse(v[i].ip, &ip) || ip_is4(ip) == v6)
			continue;
		out->ip = arena_make(a, ip_addr);
		*out->ip = ip;
		out->nr = 1;
		return true;
	}
	return false;
}

/* *who: "Gateway default/gw"; false with *why set: it exists, and has no address. false without: err. */
bool proxies_address(struct cluster *c, const struct end *e, bool v6, struct arena *a, struct target *out, const char **why, struct err *err)
{
	const struct gateway *gw = e->kind == END_GATEWAY ? (const struct gateway *)cluster_find(c, &gateway_kind, e->ns, e->name) : NULL;
	const char *name = gw ? gateway_controller_name(c, gw) : e->kind == END_CONTROLLER ? e->name : NULL;
	const struct l7_controller *who = name ? controller_find(c, name, a) : NULL;
	const struct service *s;
	struct lb_list all;

	*why = NULL;
	if (e->kind == END_GATEWAY && !gw)
		return err_add(err, ERR_FAILED, NULL, "gateways \"%s\" not found in namespace %s", e->name, e->ns);
	if (!who && gw)
		*why = arena_printf(a, "Gateway %s/%s %s (%s)", e->ns, e->name, no_address, name ? arena_printf(a, "no controller %s runs", name) : "its class does not exist");
	else if (!who)
		return err_add(err, ERR_FAILED, NULL, "no controller serves classes of \"%s\": --controller gives the cluster one", e->name);
	if (*why)
		return false;
	s = gw ? gateway_service(c, gw, who) : NULL;
	all = controller_addresses(c, who, a);
	if (gw ? s && first_address(s->lb_ingress.v, s->lb_ingress.nr, v6, a, out) : first_address(all.v, all.nr, v6, a, out))
		return true;
	*why = arena_printf(a, "%s %s (%s)", e->text, no_address, gw && !s ? "it has no data plane" : "no load balancer answered for its Service, or it has no ready Pod");
	return false;
}

bool request_target(struct world *w, const struct end *e, bool v6, struct arena *a, struct target *out, struct err *err)
{
	const char *why = NULL;

	*out = (struct target){ .port = e->port ? e->port : 80 };
	if (proxies_address(w->cluster, e, v6, a, out, &why, err))
		return true;
	return why ? err_add(err, ERR_FAILED, NULL, "%s", why) : false;
}

/* ---- who serves a host: what external DNS would answer */

static void serves(const struct looking *k, struct serving *s, struct end e, const char *name)
{
	s->names = s->nr ? arena_printf(k->a, "%s, %s", s->names, name) : name;
	s->end = e;
	s->nr++;
}

/* Istio's Gateways: the load balancer of the Service before their Pods. */
static void istio_serves(const struct looking *k, struct serving *s, const char *host, uint16_t port)
{
	struct object_list pods = cluster_list(k->c, &pod_kind);
	const struct service *last = NULL;

	for (uint32_t i = 0; cluster_count(k->c, &istio_gateway_kind) && i < pods.nr; i++) {
		const struct pod *p = (const struct pod *)pods.v[i];
		const struct service *front = plane_service(k->c, p);
		const struct route_table *t = front && front != last && front->lb_ingress.nr ? istio_table(k, p) : NULL;
		const char *text;

		if (!t || !routes_serve(t, host))
			continue;
		text = arena_printf(k->a, "lb/%s/%s", front->o.ns, front->o.name);
		serves(k, s, (struct end){ .kind = END_LB, .ns = front->o.ns, .name = front->o.name, .port = port, .text = text }, text);
		last = front;
	}
}

struct serving proxies_serving(const struct looking *k, const char *host, uint16_t port)
{
	struct serving s = { .names = "" };
	struct object_list gateways = cluster_list(k->c, &gateway_kind);
	uint32_t nr;
	const struct l7_controller *v = controllers_of_now(k->w, &nr);

	for (uint32_t i = 0; i < nr; i++)
		if (routes_serve(proxies_ingress(k->w, v[i].name, k->a), host))
			serves(k, &s, (struct end){ .kind = END_CONTROLLER, .name = v[i].name, .text = arena_printf(k->a, "controller/%s", v[i].name) },
			       arena_printf(k->a, "controller/%s", v[i].name));
	for (uint32_t i = 0; i < gateways.nr; i++) {
		const struct gateway *gw = (const struct gateway *)gateways.v[i];
		const char *name = gateway_controller_name(k->c, gw), *text;

		if (!name || !controller_of_now(k->w, name) || !routes_serve(proxies_gateway(k->w, gw, k->a), host))
			continue;
		text = arena_printf(k->a, "gateway/%s/%s", gw->o.ns, gw->o.name);
		serves(k, &s, (struct end){ .kind = END_GATEWAY, .ns = gw->o.ns, .name = gw->o.name, .text = text }, text);
	}
	istio_serves(k, &s, host, port);
	return s;
}

/* ---- who took the connection */

/* The port as the proxy's configuration calls it: that of its Service, whatever the container's. */
static uint16_t service_side(const struct service *s, uint16_t dialled, uint16_t taken)
{
	for (uint32_t i = 0; s && i < s->ports.nr; i++)
		if (s->ports.v[i].port == dialled || s->ports.v[i].node_port == dialled)
			return (uint16_t)s->ports.v[i].port;
	for (uint32_t i = 0; s && i < s->ports.nr; i++)
		if (s->ports.v[i].target.set && !s->ports.v[i].target.s && s->ports.v[i].target.i == taken)
			return (uint16_t)s->ports.v[i].port;
	return dialled;
}

struct proxy proxies_of(const struct looking *k, const struct pod *p, uint16_t dialled, uint16_t taken, const struct route_table *meant)
{
	const struct gateway *gw = p ? plane_gateway(k->c, p) : NULL;
	const struct l7_controller *v;
	const struct route_table *t;
	uint32_t nr;

	if (!p)
		return (struct proxy){ 0 };
	if (gw) {
		const char *name = gateway_controller_name(k->c, gw);
		const struct l7_controller *who = name ? controller_of_now(k->w, name) : NULL;

		return (struct proxy){ proxies_gateway(k->w, gw, k->a), service_side(who ? gateway_service(k->c, gw, who) : NULL, dialled, taken), plane_is_envoy(who) };
	}
	t = istio_table(k, p);
	if (t && routes_listen(t, taken))
		return (struct proxy){ t, taken, true };
	v = controllers_of_now(k->w, &nr);
	for (uint32_t i = 0; i < nr; i++)
		if (controller_has(v[i].workload, p))
			return (struct proxy){ meant ? meant : proxies_ingress(k->w, v[i].name, k->a), service_side(v[i].service, dialled, taken), plane_is_envoy(&v[i]) };
	return (struct proxy){ t, taken, true };
}
