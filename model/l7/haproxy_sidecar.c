/* A sidecar: what the Pod's rules redirect comes to its two ports. Where a connection was meant to go says the kernel (SO_ORIGINAL_DST: `dst`, `dst_port`). A request is
 * handed on with both addresses (PROXY protocol) to the frontend that knows the routes; anything else goes to the endpoints of the Service that was meant, or to where it was
 * sent. Inbound, the application is dialled from 127.0.0.6, as Istio's does. Source: istio/istio pilot/pkg/networking/core (listener_builder, listener_inbound). */
#include "model/l7/haproxy_parts.h"

static struct sb *text(struct hap *x) { return &x->out->text; }

static void opens(struct hap *x, const char *name, uint16_t port, bool v6)
{
	sb_printf(text(x), "\nfrontend %s from proxy\n", name);
	hap_bind(x, port, v6, "", "");
	/* who dials the sidecar itself would be sent on to it, for ever (Istio's blackhole) */
	sb_printf(text(x), "    tcp-request connection reject if { dst_port %u %u }\n", x->plane->sidecar->outbound, x->plane->sidecar->inbound);
	sb_add(text(x), "    mode tcp\n    tcp-request inspect-delay 2s\n");
}

static void inbound(struct hap *x, bool v6)
{
	opens(x, "inbound", x->plane->sidecar->inbound, v6);
	hap_mesh_peers(x);
	sb_add(text(x), "    tcp-request content accept if HTTP\n");
	hap_mesh_connections(x);
	sb_add(text(x), "    use_backend inbound.mutual if mutual\n    use_backend inbound.requests if HTTP\n");
}

static void handed_on(struct hap *x, const char *name)
{
	sb_printf(text(x), "\nbackend %s.requests from proxy\n    mode tcp\n    server requests abns@podwire-%s send-proxy-v2\n", name, name);
}

/* Each port of each Service that this sidecar knows: what is written for it. */
typedef void (*service_fn)(struct hap *, const struct service *, const struct svc_port *, const char *name);

static const char *fqdn_of(struct hap *x, const struct service *s)
{
	return arena_printf(x->a, "%s.%s.svc.%s", s->o.name, s->o.ns, cluster_settings(x->t->cluster)->domain);
}

static void each_service(struct hap *x, service_fn how)
{
	struct object_list all = cluster_list(x->t->cluster, &service_kind);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct service *s = (const struct service *)all.v[k];

		for (uint32_t i = 0; mesh_sees(&x->scope, s, fqdn_of(x, s)) && i < s->ports.nr; i++)
			if (mesh_speaks(&s->ports.v[i]) != MESH_UDP)
				how(x, s, &s->ports.v[i], arena_printf(x->a, "s%u.%u", k, i));
	}
}

/* That a Service's port was dialled; NULL: it has no address. */
static const char *dialled(struct hap *x, const struct service *s, const struct svc_port *p)
{
	const char *out = NULL;
	ip_addr addr;

	for (uint32_t k = 0; service_has_vip(s) && k < MAX(s->cluster_ips.nr, 1u); k++)
		if (ip_parse(s->cluster_ips.nr ? s->cluster_ips.v[k] : s->cluster_ip, &addr))
			out = arena_printf(x->a, "%s %s", out ? out : "{ dst", IP(addr));
	return out ? arena_printf(x->a, "%s } { dst_port %d }", out, p->port) : NULL;
}

/* Ports at which requests are read: those of HTTP Services whatever was dialled, those whose protocol is looked for at their Service's address. */
static void reading(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	(void)name;
	(void)s;
	if (mesh_speaks(p) == MESH_HTTP)
		sb_printf(text(x), "    acl http_port dst_port %d\n", p->port);
	if (mesh_speaks(p) == MESH_HTTP || mesh_speaks(p) == MESH_AUTO)
		sb_printf(text(x), "    acl read dst_port %d\n", p->port);
}

/* What becomes of a connection to a Service's port; NULL: it goes on as it was sent. Routes by the name in a hello are not told apart here. Looked up once: the
 * connection's rule and its backend are written apart. */
static const struct l7_action *stream_of(struct hap *x, const struct service *s, const struct svc_port *p)
{
	struct mesh_dialled d = { .port = (uint16_t)p->port };
	const struct route_table *t;
	const struct l7_action *act;
	uint64_t *known;

	if (mesh_speaks(p) == MESH_HTTP || !service_has_vip(s) || !ip_parse(s->cluster_ip, &d.dst))
		return NULL;
	known = map_find(&x->streams, map_ptr(p));
	if (known)
		return (const struct l7_action *)(uintptr_t)*known;
	t = routes_compile_sidecar(x->t->cluster, x->plane->pod, &d, x->a);
	act = t->vhosts.nr && t->vhosts.v[0].routes.nr ? t->vhosts.v[0].routes.v[0].action : NULL;
	*map_put(&x->streams, x->a, map_ptr(p)) = map_ptr(act);
	return act;
}

static void use_stream(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	const struct l7_action *act = stream_of(x, s, p);

	if (act)
		hap_stream_use(x, name, act, dialled(x, s, p));
}

static void never_read(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	if (mesh_speaks(p) == MESH_TCP || mesh_speaks(p) == MESH_TLS)
		use_stream(x, s, p, name);
}

static void read_there(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	(void)name;
	if (mesh_speaks(p) == MESH_AUTO && dialled(x, s, p))
		sb_printf(text(x), "    use_backend outbound.requests if HTTP %s\n", dialled(x, s, p));
}

static void not_http(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	if (mesh_speaks(p) == MESH_AUTO)
		use_stream(x, s, p, name);
}

/* Endpoints of headless Services are dialled as they were sent to; in the mesh by mutual TLS. */
static void each_headless(struct hap *x)
{
	struct object_list all = cluster_list(x->t->cluster, &service_kind);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct service *s = (const struct service *)all.v[k];

		for (uint32_t i = 0; streq(s->cluster_ip, "None") && mesh_sees(&x->scope, s, fqdn_of(x, s)) && i < s->ports.nr; i++) {
			uint32_t nr;
			const struct http_endpoint *e;

			if (mesh_speaks(&s->ports.v[i]) == MESH_HTTP || mesh_speaks(&s->ports.v[i]) == MESH_UDP)
				continue;
			e = service_endpoints(x->t->cluster, s, s->ports.v[i].port, NULL, x->a, &nr);

			for (uint32_t j = 0; j < nr; j++) {
				const char *tls = hap_mutual(x, s, e[j].ip, e[j].port);

				if (!*tls)
					continue;
				x->headless = tls;
				sb_printf(text(x), "    use_backend outbound.as_sent.mutual if { dst %s } { dst_port %d }\n", IP(e[j].ip), s->ports.v[i].port);
			}
		}
	}
}

static void stream_backends(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	const struct l7_action *act = stream_of(x, s, p);

	/* without a name in the hello none of a VirtualService's tls routes is for it */
	if (act && mesh_speaks(p) == MESH_TLS && (!act->backends.nr || !act->backends.v[0].ref.service))
		hap_cannot(x, hap_object(x, s->o.id, NULL), "tls routes, by the name in the hello, are not told apart: connections go on as they were sent");
	if (act)
		hap_stream_backends(x, name, act, hap_object(x, s->o.id, NULL));
}

void hap_sidecar(struct hap *x, bool v6)
{
	const struct mesh_capture *m = x->plane->sidecar;

	sb_add(text(x), "\n# what the Pod sends\n");
	x->scope = mesh_scope(x->t->cluster, x->plane->pod, x->a);
	opens(x, "outbound", m->outbound, v6);
	each_service(x, reading);
	sb_add(text(x), "    acl http_port always_false\n    acl read always_false\n    tcp-request content accept if !read\n    tcp-request content accept if HTTP\n");
	each_service(x, never_read);
	each_service(x, read_there);
	each_service(x, not_http);
	sb_add(text(x), "    use_backend outbound.requests if HTTP http_port\n");
	each_headless(x);
	sb_printf(text(x), "    default_backend outbound.%s\n", x->scope.any ? "as_sent" : "kept_in");
	handed_on(x, "outbound");
	sb_add(text(x), x->scope.any ? "\nbackend outbound.as_sent from proxy\n    mode tcp\n    server sent 0.0.0.0\n"
				     : "\n# REGISTRY_ONLY: a backend without a server ends connections\nbackend outbound.kept_in from proxy\n    mode tcp\n");
	if (x->headless)
		sb_printf(text(x), "\nbackend outbound.as_sent.mutual from proxy\n    mode tcp\n    server sent 0.0.0.0%s\n", x->headless);
	each_service(x, stream_backends);
	sb_add(text(x), "\n# what it receives\n");
	inbound(x, v6);
	sb_add(text(x), "    default_backend inbound.application\n");
	handed_on(x, "inbound");
	sb_add(text(x), "\nbackend inbound.application from proxy\n    mode tcp\n    source 127.0.0.6\n    server application 0.0.0.0\n"
			"\nfrontend inbound.http from proxy\n    bind abns@podwire-inbound accept-proxy\n    default_backend inbound.http.application\n"
			"\nbackend inbound.http.application from endpoints\n");
	hap_mesh_requests(x);
	sb_add(text(x), "    source 127.0.0.6\n    server application 0.0.0.0\n");
	hap_mesh_mutual(x);
	sb_add(text(x), "\n# requests that the Pod sends\n");
}

/* A request for a host that the mesh has not goes to where it was sent, or is not let out. */
void hap_sidecar_unknown(struct hap *x)
{
	if (!x->scope.any)
		sb_add(text(x), "    http-request return status 502 if !decided\n");
	sb_add(text(x), "    default_backend http.as_sent\n");
}

void hap_sidecar_backends(struct hap *x)
{
	sb_add(text(x), "\nbackend http.as_sent from endpoints\n    server sent 0.0.0.0\n");
}
