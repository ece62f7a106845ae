/* What a client's sidecar does with what it took. Which listener of Envoy has it is said by the address and port that were dialled: a Service's own (TCP, TLS, or a protocol that
 * is looked for), or that of all HTTP Services with that port, where the Host decides: the VirtualService that the client sees, else its HTTPRoutes, else the Service itself. What no
 * listener has goes on as it was sent, or not at all. Source: istio pilot/pkg/networking/core/{listener,httproute,tls}.go, pilot/pkg/model/virtualservice.go. */
#include "model/l7/gateway.h"
#include "model/l7/mesh_routes.h"

/* The VirtualService for this host, as the client sees it: the most precise host, the oldest of equally precise ones. part: http, tls or tcp, which it must have. */
static const struct raw_object *service_routes(struct mesh_compile *k, const char *fqdn, const char *part)
{
	struct object_list all = cluster_list(k->c, &virtual_service_kind);
	const struct raw_object *best = NULL;
	int rank = -1;

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct raw_object *vs = (const struct raw_object *)all.v[i];

		if (!val_get(vs->spec, part) || !mesh_gateway_listed(k, vs, val_get(vs->spec, "gateways")) || !mesh_sees_routes(k->scope, vs, k->a))
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

/* The only route of the group, where nothing else is said. */
static struct l7_action *plain_route(struct mesh_compile *k, struct l7_ref ref, obj_h cause, const char *text, bool stream)
{
	struct l7_action *act = arena_make(k->a, struct l7_action);
	struct l7_route *r = table_route(k->t, table_vhost(k->t, k->group, "*"), L7_PATH_STRING, stream ? "" : "/");

	act->stream = stream;
	act->patience = stream ? NULL : mesh_patience(NULL, k->a);
	vec_add(k->a, &act->backends, (struct l7_backend){ .weight = 1, .ref = ref });
	r->action = act;
	r->cause = cause;
	r->text = text;
	return act;
}

static bool headless(const struct service *s) { return streq(s->cluster_ip, "None"); }

/* Endpoints of a headless Service are dialled as they were (Envoy: ORIGINAL_DST). */
static struct l7_ref service_ref(const struct service *s, int32_t port)
{
	return (struct l7_ref){ .ns = s->o.ns, .name = s->o.name, .port = port, .service = s, .as_sent = headless(s) };
}

static const char *fqdn_of(struct cluster *c, const struct service *s, struct arena *a)
{
	return arena_printf(a, "%s.%s.svc.%s", s->o.name, s->o.ns, cluster_settings(c)->domain);
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

/* ---- requests */

/* One Service's port, as this client's sidecar routes it. A VirtualService none of whose routes is for this client and port leaves it as it was (BuildSidecarVirtualHostWrapper). */
static void service_requests(struct mesh_compile *k, const struct service *s, const char *fqdn)
{
	static const struct kind *const read[] = { &http_route_kind, &grpc_route_kind, NULL };
	const struct raw_object *vs = service_routes(k, fqdn, "http");

	if (vs && mesh_add_virtual_service(k, "*", vs))
		return;
	if (vs || !gateway_add_service_routes(k->t, k->group, s, k->port, k->who.ns, read))
		plain_route(k, service_ref(s, k->port), s->o.id, "all requests", false);
}

static bool reads(enum mesh_speaks p) { return p == MESH_HTTP || p == MESH_AUTO; }

static bool entry_requests(struct mesh_compile *k, const char *host)
{
	const struct raw_object *vs = service_routes(k, host, "http");
	struct l7_ref ref = { .status = 503 };
	const char *unknown = NULL;
	struct mesh_entry e;
	uint32_t at = 0;
	bool there = false;

	while (!there && mesh_entry_next(k->scope, k->port, &at, &e))
		there = reads(e.speaks) && mesh_entry_host(k->scope, &e, host);
	if (vs && (there || k->port == 80) && mesh_add_virtual_service(k, "*", vs))     /* on port 80 a VirtualService is enough (BuildSidecarOutboundVirtualHosts) */
		return true;
	if (!there)
		return false;
	mesh_entry_ref(&e, host, k->a, &ref, &unknown);
	plain_route(k, ref, e.o->o.id, "all requests", false)->unknown = unknown;
	return true;
}

/* Is there a listener for all HTTP Services with that port? */
static bool http_port(struct mesh_compile *k)
{
	struct object_list all = cluster_list(k->c, &service_kind);
	struct mesh_entry e;
	uint32_t at = 0;

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct service *s = (const struct service *)all.v[i];
		const struct svc_port *p = mesh_port(s, k->port);

		if (p && mesh_speaks(p) == MESH_HTTP && mesh_sees(k->scope, s, fqdn_of(k->c, s, k->a)))
			return true;
	}
	while (mesh_entry_next(k->scope, k->port, &at, &e))
		if (e.speaks == MESH_HTTP && mesh_entry_visible(k->scope, &e))
			return true;
	return false;
}

static bool by_host(struct mesh_compile *k, str ns, const char *host)
{
	const struct service *s = service_meant(k->c, ns, host, k->a);
	const struct svc_port *p = s ? mesh_port(s, k->port) : NULL;
	const char *fqdn = s ? fqdn_of(k->c, s, k->a) : host;

	if (!s)
		return entry_requests(k, host);
	if (!p || !reads(mesh_speaks(p)) || !mesh_sees(k->scope, s, fqdn))
		return false;
	service_requests(k, s, fqdn);
	return true;
}

/* ---- connections */

static bool service_connection(struct mesh_compile *k, const struct service *s, enum mesh_speaks speaks, const struct mesh_dialled *d)
{
	static const struct kind *const tcp[] = { &tcp_route_kind, NULL }, *const tls[] = { &tls_route_kind, NULL };
	const char *fqdn = fqdn_of(k->c, s, k->a);
	const struct raw_object *vs = service_routes(k, fqdn, speaks == MESH_TLS ? "tls" : "tcp");

	if (vs && mesh_add_stream(k, vs, speaks == MESH_TLS ? (d->sni ? d->sni : "") : NULL, &d->dst))
		return true;
	if (!vs && gateway_add_service_routes(k->t, k->group, s, d->port, k->who.ns, speaks == MESH_TLS ? tls : tcp))
		return true;
	if (vs && speaks == MESH_TLS)           /* then nothing stands for the rest */
		return false;
	plain_route(k, service_ref(s, d->port), s->o.id, "any connection", true);
	return true;
}

/* Names outside: by their addresses, by the name in the hello, or by the port alone. */
static bool entry_connection(struct mesh_compile *k, const struct mesh_dialled *d)
{
	struct mesh_entry e;
	uint32_t at = 0;

	while (mesh_entry_next(k->scope, d->port, &at, &e)) {
		const struct val *addresses = val_get(e.o->spec, "addresses"), *first = val_at(val_get(e.o->spec, "hosts"), 0);
		const char *host = d->sni ? mesh_entry_host(k->scope, &e, d->sni) : NULL, *unknown = NULL;
		bool by_name = host && e.speaks == MESH_TLS, by_address = mesh_entry_has(&e, d->dst), by_port = e.speaks == MESH_TCP && !val_first(addresses);
		const struct raw_object *vs;
		struct l7_ref ref = { .status = 503 };

		if (e.speaks == MESH_HTTP || !mesh_entry_visible(k->scope, &e) || !(by_name || by_address || by_port))
			continue;
		host = by_name ? d->sni : val_str(first) ? val_str(first) : "";
		vs = service_routes(k, host, e.speaks == MESH_TLS ? "tls" : "tcp");
		if (vs && mesh_add_stream(k, vs, e.speaks == MESH_TLS ? (d->sni ? d->sni : "") : NULL, &d->dst))
			return true;
		mesh_entry_ref(&e, host, k->a, &ref, &unknown);
		plain_route(k, ref, e.o->o.id, "any connection", true)->unknown = unknown;
		return true;
	}
	return false;
}

/* ---- which listener */

/* The Service whose own listener has this address and port; of a headless one Envoy makes a listener for each endpoint, at the Service's port. */
static const struct service *service_dialled(struct mesh_compile *k, const struct mesh_dialled *d, enum mesh_speaks *speaks)
{
	const struct service *own = find_service_by_ip(k->c, d->dst);
	struct object_list all = own ? (struct object_list){ 0 } : cluster_list(k->c, &service_kind);
	const struct svc_port *p = own ? mesh_port(own, d->port) : NULL;

	if (p && mesh_sees(k->scope, own, fqdn_of(k->c, own, k->a))) {
		*speaks = mesh_speaks(p);
		return own;
	}
	for (uint32_t i = 0; i < all.nr; i++) {
		const struct service *s = (const struct service *)all.v[i];
		uint32_t nr = 0;
		struct http_endpoint *e;

		p = headless(s) ? mesh_port(s, d->port) : NULL;
		if (!p || mesh_speaks(p) == MESH_HTTP || !mesh_sees(k->scope, s, fqdn_of(k->c, s, k->a)))
			continue;
		e = service_endpoints(k->c, s, d->port, NULL, k->a, &nr);
		for (uint32_t j = 0; j < nr; j++)
			if (ip_eq(e[j].ip, d->dst)) {
				*speaks = mesh_speaks(p);
				return s;
			}
	}
	return NULL;
}

/* What the mesh does not know. */
static void unknown_to_it(struct mesh_compile *k, bool request)
{
	struct l7_action *act;
	struct l7_route *r;

	if (k->scope->any) {
		plain_route(k, (struct l7_ref){ .as_sent = true }, (obj_h){ 0 }, request ? "the mesh knows no service of that name, and passes the request on" : "the mesh knows no service there, and passes the connection on",
			    !request);
		return;
	}
	r = table_route(k->t, table_vhost(k->t, k->group, "*"), L7_PATH_STRING, request ? "/" : "");
	act = arena_make(k->a, struct l7_action);
	act->stream = !request;
	act->direct = 502;
	r->action = act;
	r->cause = k->scope->sidecar ? k->scope->sidecar->o.id : (obj_h){ 0 };
	r->text = "REGISTRY_ONLY: what the mesh does not know is not let out";
}

struct route_table *routes_compile_sidecar(struct cluster *c, const struct pod *client, const struct mesh_dialled *d, struct arena *a)
{
	struct mesh_scope scope = mesh_scope(c, client, a);
	struct mesh_compile k = { .c = c, .a = a, .who = { client->o.ns, &client->o.labels, "mesh" }, .port = d->port, .scope = &scope };
	enum mesh_speaks speaks = MESH_AUTO;
	const struct service *s = service_dialled(&k, d, &speaks);
	bool own = s && speaks != MESH_HTTP, request = d->host && (own ? speaks == MESH_AUTO : http_port(&k)), found = true;

	k.t = table_new(c, a, arena_printf(a, "sidecar of pod/%s/%s", client->o.ns, client->o.name), "istio");
	k.t->keeps_forwarded = true;
	k.group = table_group(k.t, false, false);
	table_listener(k.t, NULL, d->port, request ? L7_HTTP : L7_TCP, k.group);
	if (own && request)
		service_requests(&k, s, fqdn_of(c, s, a));
	else if (own)
		found = service_connection(&k, s, speaks, d);
	else
		found = request ? by_host(&k, client->o.ns, d->host) : !s && entry_connection(&k, d);
	if (!found)
		unknown_to_it(&k, request);
	table_finish(k.t);
	return k.t;
}

/* ---- for a real proxy */

static void listener(struct mesh_compile *k, const struct service *s, const char *host, const char *dst)
{
	struct l7_listener *l = table_listener(k->t, NULL, (uint16_t)k->port, L7_HTTP, k->group);

	l->host = host;
	l->dst = dst;
	l->cause = s->o.id;
}

struct route_table *routes_compile_mesh(struct cluster *c, const struct pod *client, struct arena *a)
{
	struct object_list all = cluster_list(c, &service_kind);
	struct mesh_scope scope = mesh_scope(c, client, a);
	struct mesh_compile k = { .c = c, .a = a, .who = { client->o.ns, &client->o.labels, "mesh" }, .scope = &scope };

	k.t = table_new(c, a, arena_printf(a, "sidecar of pod/%s/%s", client->o.ns, client->o.name), "istio");
	k.t->keeps_forwarded = true;
	for (uint32_t i = 0; i < all.nr; i++) {
		const struct service *s = (const struct service *)all.v[i];
		const char *const names[] = {           /* the shortest last: what DNS would complete in the client's namespace */
			fqdn_of(c, s, a), arena_printf(a, "%s.%s.svc", s->o.name, s->o.ns), arena_printf(a, "%s.%s", s->o.name, s->o.ns),
			service_has_vip(s) ? s->cluster_ip : NULL, s->o.ns == client->o.ns ? s->o.name : NULL,
		};

		for (uint32_t n = 0; n < s->ports.nr; n++) {
			if (!reads(mesh_speaks(&s->ports.v[n])) || !mesh_sees(&scope, s, names[0]))
				continue;
			k.group = table_group(k.t, false, false);
			k.port = s->ports.v[n].port;
			service_requests(&k, s, names[0]);
			for (uint32_t j = 0; service_has_vip(s) && mesh_speaks(&s->ports.v[n]) == MESH_AUTO && j < MAX(s->cluster_ips.nr, 1u); j++)
				listener(&k, s, NULL, s->cluster_ips.nr ? s->cluster_ips.v[j] : s->cluster_ip);
			for (size_t j = 0; j < ARRAY_LEN(names); j++)
				if (names[j])
					listener(&k, s, names[j], NULL);
		}
	}
	table_finish(k.t);
	return k.t;
}
