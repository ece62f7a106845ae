/* What a sidecar does with what it took: the listener by address, port and protocol, then Host or hello (istio pilot/pkg/networking/core/listener.go, tls.go, httproute.go); and a
 * gateway with what it does not read. */
#include "tests/unit/mesh.h"

static const char world[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: in}\nspec: {clusterIP: 10.96.0.20, ports: [{name: tcp-db, port: 5432}, {name: auto, port: 7000}, {name: http, port: 80}, {name: https, port: 443}, {port: 3306, name: sql}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: far, namespace: out}\nspec: {clusterIP: 10.96.0.30, ports: [{name: http-web, port: 80}, {name: x, port: 5432, appProtocol: tcp}, {name: z, port: 81, appProtocol: kubernetes.io/h2c}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: hidden, namespace: out, annotations: {networking.istio.io/exportTo: '.'}}\nspec: {clusterIP: 10.96.0.40, ports: [{name: http, port: 80}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: set, namespace: in}\nspec: {clusterIP: None, ports: [{name: tcp, port: 9000}]}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, namespace: in, labels: {kubernetes.io/service-name: set}}\naddressType: IPv4\n"
	"ports: [{name: tcp, port: 9000, protocol: TCP}]\nendpoints: [{addresses: [10.244.3.1]}]\n"
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: in}\n"
	"spec: {hosts: [www.example.com, api.other], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}, {number: 80, name: http, protocol: HTTP}]}\n"
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: fixed, namespace: in}\n"
	"spec: {hosts: [ldap.test], addresses: [198.51.100.0/24], resolution: STATIC, ports: [{number: 389, name: tcp, protocol: TCP, targetPort: 1389}], endpoints: [{address: 10.9.9.9}]}\n"
	"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: db, namespace: in}\nspec:\n  hosts: [db, '*.test']\n"
	"  tcp: [{match: [{port: 5432, destinationSubnets: [10.97.0.0/16]}], route: [{destination: {host: set}}]}, {match: [{port: 5432}], route: [{destination: {host: db, port: {number: 7000}}, weight: 75}, {destination: {host: far.out.svc.cluster.local, port: {number: 80}}, weight: 25}]}]\n"
	"  tls: [{match: [{port: 443, sniHosts: ['*.test']}], route: [{destination: {host: db, port: {number: 80}}}]}, {match: [{sniHosts: [a.test]}], route: [{destination: {host: db, port: {number: 7000}}}]}]\n"
	"  http: [{match: [{port: 80}], route: [{destination: {host: db, port: {number: 7000}}}]}]\n";

static const char registry_only[] = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, namespace: in}\n"
				    "spec: {workloadSelector: {labels: {app: client}}, outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ['./*', '~./set.in.svc.cluster.local']}]}\n"
				    "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: another, namespace: in}\nspec: {workloadSelector: {labels: {app: another}}, egress: [{hosts: ['~/*']}]}\n"
				    "---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: all, namespace: istio-system}\nspec: {ingress: [{port: {number: 1, protocol: HTTP}}]}\n";
static const char mesh_wide[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: 'outboundTrafficPolicy: {mode: REGISTRY_ONLY}'}\n";

static const struct { const char *more, *dst; uint16_t port; const char *host, *sni, *want; } taken[] = {
	{ NULL, "10.96.0.20", 5432, NULL, NULL, "stream 3/4 db:7000, 1/4 far:80" },             /* tcp routes, the first whose subnets fit */
	{ NULL, "10.96.0.20", 5432, "db", NULL, "stream 3/4 db:7000, 1/4 far:80" },             /* of a TCP port requests are not read */
	{ NULL, "10.96.0.20", 80, "db", NULL, "http db:7000" },
	{ NULL, "10.96.0.20", 80, "far.out", NULL, "http far:80" },                             /* of an HTTP port the Host counts, not the address */
	{ NULL, "10.96.0.20", 80, NULL, NULL, "stream as sent" },                               /* what is not HTTP at an HTTP port */
	{ NULL, "10.96.0.20", 7000, NULL, NULL, "stream db:7000" },
	{ NULL, "10.96.0.20", 7000, "far.out", NULL, "http db:7000" },                          /* its own listener, for any Host; no route of the VirtualService is for this port */
	{ NULL, "10.96.0.20", 3306, "db", NULL, "stream db:3306" },                             /* a port where servers speak first */
	{ NULL, "10.96.0.20", 443, NULL, "x.test", "stream db:80" },
	{ NULL, "10.96.0.20", 443, NULL, "a.test", "stream db:7000" },                          /* the most precise name */
	{ NULL, "10.96.0.20", 443, NULL, "elsewhere", "stream as sent" },
	{ NULL, "10.96.0.30", 81, "far.out", NULL, "http far:81" },                             /* appProtocol */
	{ NULL, "10.96.0.30", 5432, "far.out", NULL, "stream far:5432" },
	{ NULL, "10.96.0.40", 80, "hidden.out", NULL, "http as sent" },                         /* exported to its own namespace only */
	{ NULL, "10.244.3.1", 9000, NULL, NULL, "stream set:9000 as sent" },                    /* headless */
	{ NULL, "10.244.9.9", 8080, "db", NULL, "stream as sent" },                             /* a Pod's address, and no HTTP Service has that port */
	{ NULL, "10.244.9.9", 80, "db", NULL, "http db:7000" },                                 /* one has: the Host decides */
	{ NULL, "203.0.113.9", 80, "api.other", NULL, "http api.other:80" },
	{ NULL, "203.0.113.9", 443, NULL, "www.example.com", "stream www.example.com:443" },
	{ NULL, "198.51.100.7", 389, NULL, NULL, "stream 10.9.9.9:1389" },
	{ registry_only, "10.96.0.20", 80, "db", NULL, "http db:7000" },
	{ registry_only, "10.96.0.30", 80, "far.out", NULL, "http 502" },
	{ registry_only, "10.96.0.30", 5432, NULL, NULL, "stream reset" },
	{ registry_only, "10.244.3.1", 9000, NULL, NULL, "stream reset" },                      /* taken out again by ~ */
	{ registry_only, "203.0.113.9", 443, NULL, "www.example.com", "stream www.example.com:443" },
	{ registry_only, "203.0.113.9", 443, NULL, "www.other.test", "stream reset" },
	{ mesh_wide, "203.0.113.9", 8443, NULL, "www.other.test", "stream reset" },
	{ mesh_wide, "203.0.113.9", 80, "www.other.example", NULL, "http 502" },
};

static const char *ways_text(const struct route_table *t, const struct http_decision *d, struct arena *a)
{
	const char *out = t->listeners.v[0].proto == L7_HTTP ? "http" : "stream";

	for (uint32_t k = 0; k < d->nr; k++) {
		const struct http_backend *b = &d->v[k];

		out = arena_printf(a, "%s%s%s", out, k ? "," : "", b->den != 1 ? arena_printf(a, " %" PRIu64 "/%" PRIu64, b->num, b->den) : "");
		if (b->unknown || b->reset || b->status != 200)
			out = arena_printf(a, "%s %s", out, b->unknown ? "unknown" : b->reset ? "reset" : arena_printf(a, "%d", b->status));
		if (b->service)
			out = arena_printf(a, "%s %s:%d", out, b->service->o.name, b->port);
		if (b->upstream)
			out = arena_printf(a, "%s %s", out, b->upstream);
		if (b->as_sent)
			out = arena_printf(a, "%s as sent", out);
	}
	return out;
}

TEST(a_sidecar_knows_what_to_do_by_address_protocol_and_scope)
{
	for (size_t k = 0; k < ARRAY_LEN(taken); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		struct mesh_dialled d = { .port = taken[k].port, .host = taken[k].host, .sni = taken[k].sni };
		struct http_request rq = { .scheme = d.host ? "http" : "https", .host = d.host ? d.host : "", .sni = d.sni, .port = d.port, .path = "/", .method = "GET" };
		static const char *const backed[] = { "db", "far" };
		struct http_decision did;
		struct route_table *t;

		feed_cluster(c, VALIDATE_IGNORE, world);
		for (size_t i = 0; i < ARRAY_LEN(backed); i++)
			feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %s-1, namespace: %s, labels: {kubernetes.io/service-name: %s}}\naddressType: IPv4\n"
							 "ports: [{name: tcp-db, port: 1}, {name: auto, port: 2}, {name: http, port: 3}, {name: https, port: 4}, {name: sql, port: 5}, {name: http-web, port: 6}, {name: x, port: 7}, {name: z, port: 8}]\n"
							 "endpoints: [{addresses: [10.244.2.9]}]\n", backed[i], i ? "out" : "in", backed[i]));
		add_pod(c, a, "in", "client", "app: client", "", "10.244.1.1");
		if (taken[k].more)
			feed_cluster(c, VALIDATE_IGNORE, taken[k].more);
		CU_ASSERT_FATAL(ip_parse(taken[k].dst, &d.dst));
		CU_ASSERT_PTR_NULL(mesh_unmodelled(c, find_pod(c, "in", "client"), a));
		t = routes_compile_sidecar(c, find_pod(c, "in", "client"), &d, a);
		did = d.host || d.sni ? routes_match(t, &rq, a) : routes_connection(t, d.port, false, a);
		SAME_TEXT(ways_text(t, &did, a), taken[k].want);
		arena_free(a);
		cluster_free(c);
	}
}

TEST(what_a_sidecar_cannot_be_told_of_is_said)
{
	static const struct { const char *spec, *want; } rows[] = {
		{ "{egress: [{hosts: ['./*']}]}", NULL },
		{ "{egress: [{hosts: ['./*'], port: {number: 80, protocol: HTTP, name: x}}]}", "egress listeners" },
		{ "{ingress: [{port: {number: 80, protocol: HTTP, name: x}, defaultEndpoint: '127.0.0.1:8080'}]}", "ingress listeners" },
		{ "{outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: x, port: {number: 80}}}}", "egressProxy" },
		{ "{workloadSelector: {labels: {app: another}}, ingress: [{port: {number: 80}}]}", NULL },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		const char *why;

		add_pod(c, a, "in", "client", "app: client", "", "10.244.1.1");
		feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, namespace: in}\nspec: %s\n", rows[k].spec));
		why = mesh_unmodelled(c, find_pod(c, "in", "client"), a);
		CU_ASSERT_EQUAL(why != NULL, rows[k].want != NULL);
		CU_ASSERT(!rows[k].want || (why && strstr(why, rows[k].want)));
		arena_free(a);
		cluster_free(c);
	}
}

/* An Istio Gateway's servers that read no requests. */
TEST(a_gateway_passes_on_by_name_and_port)
{
	static const char gateway[] =
		"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: in}\nspec:\n  selector: {app: gate}\n  servers:\n"
		"  - {port: {number: 443, name: tls, protocol: TLS}, tls: {mode: PASSTHROUGH}, hosts: ['*.test']}\n  - {port: {number: 5432, name: tcp, protocol: TCP}, hosts: ['*']}\n"
		"  - {port: {number: 8443, name: auto, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: ['*.local']}\n"
		"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: g, namespace: in}\nspec:\n  hosts: ['*.test']\n  gateways: [gw]\n"
		"  tls: [{match: [{sniHosts: ['*.test']}], route: [{destination: {host: db, port: {number: 443}}}]}, {match: [{sniHosts: [a.test], port: 443}], route: [{destination: {host: db, port: {number: 7000}}}]}]\n"
		"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: t, namespace: in}\nspec:\n  hosts: [x]\n  gateways: [gw]\n"
		"  tcp: [{match: [{port: 1}], route: [{destination: {host: db, port: {number: 80}}}]}, {match: [{port: 5432}], route: [{destination: {host: db, port: {number: 5432}}}]}]\n";
	static const struct { uint16_t port; const char *sni, *want; } rows[] = {
		{ 443, "a.test", "http db:7000" }, { 443, "b.test", "http db:443" }, { 443, "elsewhere", NULL }, { 5432, NULL, "http db:5432" }, { 8443, "x.local", "http unknown" },
	};
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");
	struct route_table *t;

	feed_cluster(c, VALIDATE_IGNORE, world);
	feed_cluster(c, VALIDATE_IGNORE, gateway);
	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: db-1, namespace: in, labels: {kubernetes.io/service-name: db}}\naddressType: IPv4\n"
					 "ports: [{name: tcp-db, port: 1}, {name: auto, port: 2}, {name: http, port: 3}, {name: https, port: 4}]\nendpoints: [{addresses: [10.244.2.9]}]\n");
	add_pod(c, a, "out", "gate", "app: gate", "", "10.244.1.1");
	t = routes_compile_istio(c, find_pod(c, "out", "gate"), NULL, a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct http_request rq = { .scheme = "https", .sni = rows[k].sni, .host = "", .port = rows[k].port, .path = "/", .method = "GET" };
		struct http_decision d = rows[k].sni ? routes_match(t, &rq, a) : routes_connection(t, rows[k].port, false, a);
		struct route_table shown = { .listeners = { .v = &(struct l7_listener){ .proto = L7_HTTP } } };

		CU_ASSERT(rows[k].want || d.tls_failed);
		if (rows[k].want)
			SAME_TEXT(ways_text(&shown, &d, a), rows[k].want);
	}
	arena_free(a);
	cluster_free(c);
}
