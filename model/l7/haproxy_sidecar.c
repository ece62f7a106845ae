/* A sidecar: what the Pod's rules redirect comes to its two ports. Where a connection was meant to go says the kernel (SO_ORIGINAL_DST: `dst`, `dst_port`). A request is
 * handed on with both addresses (PROXY protocol) to the frontend that knows the routes; anything else goes to the endpoints of the Service that was meant, or to where it was
 * sent. Inbound, the application is dialled from 127.0.0.6, as Istio's does. Source: istio/istio pilot/pkg/networking/core (listener_builder, listener_inbound). */
#include "model/l7/haproxy_parts.h"

static struct sb *text(struct hap *x) { return &x->out->text; }

static void frontend(struct hap *x, const char *name, uint16_t port, bool inbound, bool v6)
{
	sb_printf(text(x), "\nfrontend %s from proxy\n", name);
	hap_bind(x, port, v6, "", "");
	/* who dials the sidecar itself would be sent on to it, for ever (Istio's blackhole) */
	sb_printf(text(x), "    tcp-request connection reject if { dst_port %u %u }\n", x->plane->sidecar->outbound, x->plane->sidecar->inbound);
	sb_add(text(x), "    mode tcp\n    tcp-request inspect-delay 2s\n");
	if (inbound)
		hap_mesh_peers(x);
	sb_add(text(x), "    tcp-request content accept if HTTP\n");
	if (inbound)
		hap_mesh_connections(x);
	sb_printf(text(x), "%s    use_backend %s.requests if HTTP\n", inbound ? "    use_backend inbound.mutual if mutual\n" : "", name);
}

static void handed_on(struct hap *x, const char *name)
{
	sb_printf(text(x), "\nbackend %s.requests from proxy\n    mode tcp\n    server requests abns@podwire-%s send-proxy-v2\n", name, name);
}

/* Each Service by its address: `how` writes what is done where it is meant. */
typedef void (*service_fn)(struct hap *, const struct service *, const struct svc_port *, const char *name);

static void each_service(struct hap *x, service_fn how)
{
	struct object_list all = cluster_list(x->t->cluster, &service_kind);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct service *s = (const struct service *)all.v[k];

		for (uint32_t i = 0; service_has_vip(s) && i < s->ports.nr; i++)
			if (!s->ports.v[i].protocol || s->ports.v[i].protocol == L4_TCP)
				how(x, s, &s->ports.v[i], arena_printf(x->a, "s%u.%u", k, i));
	}
}

static void meant(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	for (uint32_t k = 0; k < MAX(s->cluster_ips.nr, 1u); k++) {
		const char *ip = s->cluster_ips.nr ? s->cluster_ips.v[k] : s->cluster_ip;
		ip_addr addr;

		if (ip && ip_parse(ip, &addr))
			sb_printf(text(x), "    use_backend %s if { dst %s } { dst_port %d }\n", name, IP(addr), p->port);
	}
}

/* Endpoints of headless Services are dialled as they were sent to; in the mesh by mutual TLS. */
static void each_headless(struct hap *x)
{
	struct object_list all = cluster_list(x->t->cluster, &service_kind);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct service *s = (const struct service *)all.v[k];

		for (uint32_t i = 0; streq(s->cluster_ip, "None") && i < s->ports.nr; i++) {
			uint32_t nr;
			const struct http_endpoint *e = service_endpoints(x->t->cluster, s, s->ports.v[i].port, NULL, x->a, &nr);

			for (uint32_t j = 0; j < nr; j++) {
				const char *tls = hap_mutual(x, s, e[j].ip, e[j].port);

				if (!*tls)
					continue;
				x->headless = tls;
				sb_printf(text(x), "    use_backend outbound.as_sent.mutual if { dst %s } { dst_port %u }\n", IP(e[j].ip), e[j].port);
			}
		}
	}
}

static void servers(struct hap *x, const struct service *s, const struct svc_port *p)
{
	uint32_t nr = 0;
	const struct http_endpoint *e = service_endpoints(x->t->cluster, s, p->port, NULL, x->a, &nr);

	sb_add(text(x), "    balance roundrobin\n");
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(text(x), ip_is4(e[k].ip) ? "    server e%u %s:%u%s\n" : "    server e%u [%s]:%u%s\n", k, IP(e[k].ip), e[k].port, hap_mutual(x, s, e[k].ip, e[k].port));
}

static void endpoints(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	sb_printf(text(x), "\nbackend %s from proxy\n    # Service %s/%s, port %d\n    mode tcp\n", name, hap_comment(x, s->o.ns), hap_comment(x, s->o.name), p->port);
	servers(x, s, p);
}

static void meant_http(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	meant(x, s, p, arena_printf(x->a, "http.%s", name));
}

void hap_sidecar(struct hap *x, bool v6)
{
	const struct mesh_capture *m = x->plane->sidecar;

	sb_add(text(x), "\n# what the Pod sends\n");
	frontend(x, "outbound", m->outbound, false, v6);
	each_service(x, meant);
	each_headless(x);
	sb_add(text(x), "    default_backend outbound.as_sent\n");
	handed_on(x, "outbound");
	sb_add(text(x), "\nbackend outbound.as_sent from proxy\n    mode tcp\n    server sent 0.0.0.0\n");
	if (x->headless)
		sb_printf(text(x), "\nbackend outbound.as_sent.mutual from proxy\n    mode tcp\n    server sent 0.0.0.0%s\n", x->headless);
	each_service(x, endpoints);
	sb_add(text(x), "\n# what it receives\n");
	frontend(x, "inbound", m->inbound, true, v6);
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

/* A request for a host that the mesh has not: to the Service that was meant by its address, else to where it was sent. */
void hap_sidecar_unknown(struct hap *x)
{
	each_service(x, meant_http);
	sb_add(text(x), "    default_backend http.as_sent\n");
}

static void http_endpoints(struct hap *x, const struct service *s, const struct svc_port *p, const char *name)
{
	sb_printf(text(x), "\nbackend http.%s from endpoints\n", name);
	servers(x, s, p);
}

void hap_sidecar_backends(struct hap *x)
{
	sb_add(text(x), "\nbackend http.as_sent from endpoints\n    server sent 0.0.0.0\n");
	each_service(x, http_endpoints);
}
