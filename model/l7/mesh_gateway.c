/* Istio's Gateway: servers of the Pods that its selector takes, and the VirtualServices bound to it. Source: istio/api networking/v1/gateway.proto;
 * istio pilot/pkg/networking/core/gateway.go (buildGatewayListeners, buildGatewayHTTPRouteConfig). */
#include <stdlib.h>
#include <strings.h>

#include "model/l7/mesh_routes.h"
#include "model/l7/planes.h"

static bool selects(const struct raw_object *gw, const struct pod *p)
{
	VAL_EACH_KEY(v, val_get(gw->spec, "selector"))
		if (!streq(label_get(&p->o.labels, v->key), val_str(v)))
			return false;
	return true;
}

/* NS/HOST or HOST; "./HOST" is the Gateway's own namespace. */
static const char *host_part(const char *host)
{
	const char *slash = strchr(host, '/');

	return slash ? slash + 1 : host;
}

static bool host_ns_allows(const struct raw_object *gw, const char *host, str ns)
{
	const char *slash = strchr(host, '/');
	size_t n = slash ? (size_t)(slash - host) : 0;

	if (!slash || (n == 1 && *host == '*'))
		return true;
	return n == 1 && *host == '.' ? gw->o.ns == ns : strncmp(host, ns, n) == 0 && !ns[n];
}

static const char *pem_of(struct arena *a, const char *base64)
{
	size_t n = 0;
	const char *text = (const char *)base64_decode(a, base64, strlen(base64), &n);

	return text && !memchr(text, 0, n) ? arena_strndup(a, text, n) : NULL;
}

static void server_certs(struct mesh_compile *k, const struct raw_object *gw, const struct pod *p, const struct val *server, struct l7_listener *l, const char *at)
{
	const char *name = val_str_at(server, "tls.credentialName"), *why = NULL;
	const struct secret *s = name ? (const struct secret *)cluster_find(k->c, &secret_kind, p->o.ns, name) : NULL;
	struct l7_cert c = { .secret = name ? arena_printf(k->a, "%s/%s", p->o.ns, name) : NULL };

	if (!name) {
		c.secret = NULL;                /* files in the Pod: there, as far as one can tell */
		vec_add(k->a, &l->certs, c);
		return;
	}
	l->client_ca = s && label_get(&s->data, "ca.crt") ? pem_of(k->a, label_get(&s->data, "ca.crt")) : NULL;
	if (!s)
		why = "does not exist";
	else
		cert_of_secret(s, k->a, &c.names, &why);
	if (why) {
		l->dead = arena_printf(k->a, "Secret %s %s", c.secret, why);
		table_finding(k->t, true, gw->o.id, at, "%s", l->dead);
	}
	vec_add(k->a, &l->certs, c);
}

static void https_redirect(struct mesh_compile *k, const char *host, const struct raw_object *gw, const char *at)
{
	struct l7_action *act = arena_make(k->a, struct l7_action);
	struct l7_route *r = table_route(k->t, table_vhost(k->t, k->group, host), L7_PATH_STRING, "/");

	vec_add(k->a, &act->filters, (struct l7_filter){ .kind = L7_REDIRECT, .redirect = { .scheme = "https", .status = 301 } });
	r->action = act;
	r->cause = gw->o.id;
	r->cause_path = at;
	r->text = "httpsRedirect";
}

static int oldest_first(const void *x, const void *y)
{
	const struct object *a = *(const struct object *const *)x, *b = *(const struct object *const *)y;
	int order = (object_born(a) > object_born(b)) - (object_born(a) < object_born(b));

	order = order ? order : str_order(a->ns, b->ns);
	return order ? order : str_order(a->name, b->name);
}

static const char *intersect(const char *a, const char *b)
{
	if (streq(a, "*") || streq(b, "*"))
		return streq(a, "*") ? b : a;
	if (strncmp(a, "*.", 2) != 0 && strncmp(b, "*.", 2) != 0)
		return streq(a, b) ? a : NULL;
	if (strncmp(b, "*.", 2) == 0 && strncmp(a, "*.", 2) == 0)
		return strlen(a) >= strlen(b) ? (streq(a + strlen(a) - strlen(b) + 1, b + 1) ? a : NULL) : (streq(b + strlen(b) - strlen(a) + 1, a + 1) ? b : NULL);
	if (strncmp(b, "*.", 2) == 0)
		return host_matches(b, a, false) ? a : NULL;
	return host_matches(a, b, false) ? b : NULL;
}

/* The oldest first. */
static struct object_list virtual_services(struct mesh_compile *k)
{
	struct object_list all = cluster_list(k->c, &virtual_service_kind);

	all.v = arena_copy(k->a, all.v, all.nr * sizeof(*all.v));
	if (all.nr)
		qsort(all.v, all.nr, sizeof(*all.v), oldest_first);
	return all;
}

static void bind_services(struct mesh_compile *k, const struct raw_object *gw, const char *server_host)
{
	struct object_list all = virtual_services(k);

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct raw_object *vs = (const struct raw_object *)all.v[i];

		if (!mesh_gateway_listed(k, vs, val_get(vs->spec, "gateways")) || !host_ns_allows(gw, server_host, vs->o.ns))
			continue;
		VAL_EACH(h, val_get(vs->spec, "hosts")) {
			const char *host = val_str(h) ? intersect(host_part(server_host), mesh_fqdn(k->c, val_str(h), vs->o.ns, k->a)) : NULL;

			if (host)
				mesh_add_virtual_service(k, host, vs);
		}
	}
}

/* ---- servers that read no requests: tls routes where TLS is passed through, else tcp routes (createGatewayTCPFilterChainOpts) */

static void add_stream(struct mesh_compile *k, const struct raw_object *vs, const struct val *rule, const char *host, const char *at)
{
	struct l7_vhost *v = table_vhost(k->t, k->group, host);
	struct l7_route *r;

	if (v->routes.nr)                       /* the name is taken */
		return;
	r = table_route(k->t, v, L7_PATH_STRING, "");
	r->action = mesh_stream_action(k, vs, val_get(rule, "route"), at);
	r->cause = vs->o.id;
	r->cause_path = at;
	r->text = streq(host, "*") ? "any connection" : arena_printf(k->a, "TLS to %s", host);
}

static void add_streams(struct mesh_compile *k, const struct raw_object *vs, bool tls)
{
	uint32_t i = 0;

	VAL_EACH(rule, val_get(vs->spec, tls ? "tls" : "tcp")) {
		const char *at = arena_printf(k->a, "spec.%s[%u]", tls ? "tls" : "tcp", i++);
		const struct val *matches = val_get(rule, "match");

		if (!val_first(val_get(rule, "route")))
			continue;
		if (!tls && !val_first(matches))
			add_stream(k, vs, rule, "*", at);
		VAL_EACH(m, matches) {
			if (!mesh_applies(k, vs, m))
				continue;
			VAL_EACH(name, tls ? val_get(m, "sniHosts") : NULL)
				if (val_str(name))
					add_stream(k, vs, rule, val_str(name), at);
			if (!tls)
				add_stream(k, vs, rule, "*", at);
		}
	}
}

static void bind_streams(struct mesh_compile *k, const struct raw_object *gw, const char *server_host, bool tls)
{
	struct object_list all = virtual_services(k);

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct raw_object *vs = (const struct raw_object *)all.v[i];
		bool bound = false;

		if (!mesh_gateway_listed(k, vs, val_get(vs->spec, "gateways")) || !host_ns_allows(gw, server_host, vs->o.ns))
			continue;
		VAL_EACH(h, val_get(vs->spec, "hosts"))
			bound = bound || (val_str(h) && intersect(host_part(server_host), mesh_fqdn(k->c, val_str(h), vs->o.ns, k->a)));
		if (bound)
			add_streams(k, vs, tls);
	}
}

/* TLS without a mode is terminated; without the section a server is plain, whatever it is called. */
static enum l7_proto proto_of(const char *protocol, const struct val *tls)
{
	const char *mode = val_str_at(tls, "mode");
	bool passes = mode && (streq(mode, "PASSTHROUGH") || streq(mode, "AUTO_PASSTHROUGH"));
	bool http = protocol && (strcasecmp(protocol, "HTTPS") == 0 || strcasecmp(protocol, "HTTP") == 0 || strcasecmp(protocol, "HTTP2") == 0 || strncasecmp(protocol, "GRPC", 4) == 0);

	if (passes)
		return L7_TLS_PASSTHROUGH;
	if (protocol && strcasecmp(protocol, "HTTPS") == 0)
		return L7_HTTPS;
	return http || !protocol ? L7_HTTP : tls && !val_bool_or(val_get(tls, "httpsRedirect"), false) ? L7_TLS_TERMINATE : L7_TCP;
}

/* A server's port number is the Pod's or, where its Service has that number, the target port behind it. */
static void add_server(struct mesh_compile *k, const struct raw_object *gw, const struct pod *p, const struct service *s, const struct val *server, const char *at)
{
	const struct val *tls = val_get(server, "tls");
	enum l7_proto proto = proto_of(val_str_at(server, "port.protocol"), tls);
	uint16_t port = plane_port(s, p, val_int_or(val_path(server, "port.number"), 0));

	VAL_EACH(h, val_get(server, "hosts")) {
		const char *host = val_str(h) ? host_part(val_str(h)) : NULL;
		struct l7_listener *l;

		if (!host)
			continue;
		k->group = table_group(k->t, false, false);
		l = table_listener(k->t, val_str_at(server, "port.name"), port, proto, k->group);
		l->host = streq(host, "*") || proto == L7_TCP ? NULL : arena_strdup(k->a, host);
		l->cause = gw->o.id;
		l->cause_path = at;
		if (streq(val_str_at(tls, "mode"), "AUTO_PASSTHROUGH"))
			l->unknown = "AUTO_PASSTHROUGH passes on by names that other meshes' sidecars make up, which is not modelled";
		if (proto == L7_HTTPS || proto == L7_TLS_TERMINATE) {
			server_certs(k, gw, p, server, l, at);
			l->client_certificates = streq(val_str_at(tls, "mode"), "MUTUAL") || streq(val_str_at(tls, "mode"), "ISTIO_MUTUAL");
		}
		k->port = (int32_t)val_int_or(val_path(server, "port.number"), 0);
		if (val_bool_or(val_get(tls, "httpsRedirect"), false))
			https_redirect(k, host, gw, at);
		if (proto == L7_HTTP || proto == L7_HTTPS)
			bind_services(k, gw, val_str(h));
		else
			bind_streams(k, gw, val_str(h), proto == L7_TLS_PASSTHROUGH);
	}
}

/* Of several VirtualServices for one host: what catches all comes last (core/route/route.go SortVHostRoutes), and behind it what is never reached. */
static int after(const struct l7_route *r) { return r->behind ? 2 : mesh_catches_all(r); }

static void catch_alls_last(struct mesh_compile *k)
{
	for (uint32_t i = 0; i < k->t->vhosts.nr; i++) {
		struct l7_vhost *v = &k->t->vhosts.v[i];
		struct l7_route *sorted = arena_array(k->a, struct l7_route, v->routes.nr);
		uint32_t nr = 0;

		for (int last = 0; last < 3; last++)
			for (uint32_t n = 0; n < v->routes.nr; n++)
				if (after(&v->routes.v[n]) == last)
					sorted[nr++] = v->routes.v[n];
		if (nr)
			memcpy(v->routes.v, sorted, nr * sizeof(*sorted));
	}
}

struct route_table *routes_compile_istio(struct cluster *c, const struct pod *p, const struct service *s, struct arena *a)
{
	struct object_list all = cluster_list(c, &istio_gateway_kind);
	struct mesh_compile k = { .c = c, .a = a };

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct raw_object *gw = (const struct raw_object *)all.v[i];
		uint32_t n = 0;

		if (!selects(gw, p))
			continue;
		if (!k.t) {
			k.t = table_new(c, a, arena_printf(a, "istio gateway pod/%s/%s", p->o.ns, p->o.name), "istio");
			k.t->gate = p;
		}
		k.who = (struct mesh_client){ p->o.ns, &p->o.labels, arena_printf(a, "%s/%s", gw->o.ns, gw->o.name) };
		VAL_EACH(server, val_get(gw->spec, "servers"))
			add_server(&k, gw, p, s, server, arena_printf(a, "spec.servers[%u]", n++));
	}
	if (k.t) {
		catch_alls_last(&k);
		table_finish(k.t);
	}
	return k.t;
}
