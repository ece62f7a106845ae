/* What a client's sidecar does with requests: for each host the VirtualService that the client sees, else its HTTPRoutes, else the Service itself. Source: istio
 * pilot/pkg/networking/core/httproute.go, pilot/pkg/model/virtualservice.go. */
#include "model/l7/gateway.h"
#include "model/l7/mesh_routes.h"

/* The VirtualService for this host, as the client sees it: the most precise host, the oldest of equally precise ones. */
static const struct raw_object *service_routes(struct mesh_compile *k, const char *fqdn)
{
	struct object_list all = cluster_list(k->c, &virtual_service_kind);
	const struct raw_object *best = NULL;
	int rank = -1;

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct raw_object *vs = (const struct raw_object *)all.v[i];

		if (!val_get(vs->spec, "http") || !mesh_gateway_listed(k, vs, val_get(vs->spec, "gateways")) || !mesh_exported(&vs->o, vs->spec, k->who.ns))
			continue;
		VAL_EACH(h, val_get(vs->spec, "hosts")) {
			const char *host = val_str(h) ? mesh_fqdn(k->c, val_str(h), vs->o.ns, k->a) : NULL;

			if (!host || !host_matches(host, fqdn, false) || host_rank(host) < rank || (host_rank(host) == rank && object_born(&vs->o) >= object_born(&best->o)))
				continue;
			best = vs;
			rank = host_rank(host);
		}
	}
	return best;
}

static void plain_route(struct mesh_compile *k, const struct service *s, int32_t port)
{
	struct l7_action *act = arena_make(k->a, struct l7_action);
	struct l7_route *r = table_route(k->t, table_vhost(k->t, k->group, "*"), L7_PATH_STRING, "/");

	vec_add(k->a, &act->backends, (struct l7_backend){ .weight = 1, .ref = { .ns = s->o.ns, .name = s->o.name, .port = port, .service = s } });
	r->action = act;
	r->cause = s->o.id;
	r->text = "all requests";
}

/* The Service that a client means by a host: the name that DNS would complete in its namespace. */
static const struct service *service_meant(struct cluster *c, str ns, const char *host, struct arena *a)
{
	const struct service *s;
	ip_addr ip;

	if (ip_parse(host, &ip))
		return find_service_by_ip(c, ip);
	s = mesh_service(c, arena_printf(a, "%s.%s.svc.%s", host, ns, cluster_settings(c)->domain));
	s = s ? s : mesh_service(c, arena_printf(a, "%s.svc.%s", host, cluster_settings(c)->domain));
	s = s ? s : mesh_service(c, arena_printf(a, "%s.%s", host, cluster_settings(c)->domain));
	return s ? s : mesh_service(c, host);
}

/* One Service's port, or a name outside, as this client's sidecar routes it; false: the mesh has nothing to say. */
static bool sidecar_routes(struct mesh_compile *k, const struct service *s, const char *fqdn)
{
	const struct raw_object *vs = service_routes(k, fqdn);

	if (vs)
		mesh_add_virtual_service(k, "*", vs);
	else if (!s)
		return false;
	else if (!gateway_add_service_routes(k->t, k->group, s, k->port, k->who.ns))
		plain_route(k, s, k->port);
	return true;
}

struct route_table *routes_compile_mesh(struct cluster *c, const struct pod *client, struct arena *a)
{
	struct object_list all = cluster_list(c, &service_kind);
	struct mesh_compile k = { .c = c, .a = a, .who = { client->o.ns, &client->o.labels, "mesh" } };

	k.t = table_new(c, a, arena_printf(a, "sidecar of pod/%s/%s", client->o.ns, client->o.name), "istio");
	for (uint32_t i = 0; i < all.nr; i++) {
		const struct service *s = (const struct service *)all.v[i];
		const char *const names[] = {           /* the shortest last: what DNS would complete in the client's namespace */
			arena_printf(a, "%s.%s.svc.%s", s->o.name, s->o.ns, cluster_settings(c)->domain), arena_printf(a, "%s.%s.svc", s->o.name, s->o.ns), arena_printf(a, "%s.%s", s->o.name, s->o.ns),
			service_has_vip(s) ? s->cluster_ip : NULL, s->o.ns == client->o.ns ? s->o.name : NULL,
		};

		for (uint32_t n = 0; n < s->ports.nr; n++) {
			if (s->ports.v[n].protocol && s->ports.v[n].protocol != L4_TCP)
				continue;
			k.group = table_group(k.t, false, false);
			k.port = s->ports.v[n].port;
			for (size_t j = 0; j < ARRAY_LEN(names); j++)
				if (names[j]) {
					struct l7_listener *l = table_listener(k.t, NULL, (uint16_t)k.port, L7_HTTP, k.group);

					l->host = names[j];
					l->cause = s->o.id;
				}
			sidecar_routes(&k, s, names[0]);
		}
	}
	table_finish(k.t);
	return k.t;
}

struct route_table *routes_compile_sidecar(struct cluster *c, const struct pod *client, const char *host, uint16_t port, struct arena *a)
{
	const struct service *s = service_meant(c, client->o.ns, host, a);
	struct mesh_compile k = { .c = c, .a = a, .who = { client->o.ns, &client->o.labels, "mesh" }, .port = port };
	const char *fqdn = s ? arena_printf(a, "%s.%s.svc.%s", s->o.name, s->o.ns, cluster_settings(c)->domain) : host;

	if (s ? !mesh_has_port(s, port) : !mesh_outside(c, host))
		return NULL;
	k.t = table_new(c, a, arena_printf(a, "sidecar of pod/%s/%s", client->o.ns, client->o.name), "istio");
	k.group = table_group(k.t, false, false);
	table_listener(k.t, NULL, port, L7_HTTP, k.group);
	if (!sidecar_routes(&k, s, fqdn))
		return NULL;
	table_finish(k.t);
	return k.t;
}
