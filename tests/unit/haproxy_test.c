/* HAProxy's configuration that follows from a routing table: its text, and that no text of a manifest becomes a line or a word of it. */
#include "model/cluster/apply.h"
#include "model/l7/haproxy.h"
#include "tests/unit/feed.h"

static struct l7_port two_ports[] = { { 8080, 80 }, { 8443, 443 } };

static const char services[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, targetPort: 8080}]}\n---\n"
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\naddressType: IPv4\n"
	"ports: [{port: 8080}]\nendpoints: [{addresses: [10.244.1.2], targetRef: {kind: Pod, name: a-1}}, {addresses: [10.244.2.2]}, {addresses: [10.244.3.2], conditions: {ready: false}}]\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: [{port: 80}]}\n---\n"
	"apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: web}\nspec: {controller: example.net/ingress}\n---\n"
	"apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n---\n"
	"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: gc}\nspec: {controllerName: example.net/gateway}\n---\n";

struct wrote { struct cluster *c; struct arena *a; struct haproxy_conf conf; };

static struct wrote write_up(const char *yaml, const char *controller, const char *gateway)
{
	struct wrote w = { .c = cluster_new(NULL, 1), .a = arena_new(NULL, "test") };
	struct l7_plane p = { .ports = two_ports, .nr = gateway ? 1 : 2 };
	const struct world_options as_it_is = { .apply = { .unknown = VALIDATE_IGNORE, .create_namespaces = true } };         /* an import checks nothing */

	feed_cluster(w.c, VALIDATE_IGNORE, services);
	feed_text(&(struct feed){ .c = w.c, .opt = &as_it_is }, yaml);
	p.table = gateway ? routes_compile_gateway(w.c, (const struct gateway *)cluster_find(w.c, &gateway_kind, cluster_str(w.c, "default"), gateway), w.a)
			  : routes_compile_ingress(w.c, controller, w.a);
	haproxy_write(&p, "/lab", w.a, &w.conf);
	return w;
}

static void wrote_free(struct wrote *w)
{
	haproxy_free(&w->conf);
	arena_free(w->a);
	cluster_free(w->c);
}

static bool has(const struct wrote *w, const char *text)
{
	bool there = strstr(sb_text(&w->conf.text), text) != NULL;

	if (!there)
		fprintf(stderr, "\nnot in the configuration: %s\n%s\n", text, sb_text(&w->conf.text));
	return there;
}

TEST(an_ingress_is_a_frontend_and_a_backend_for_each_route)
{
	struct wrote w = write_up("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  ingressClassName: web\n  rules:\n  - host: '*.x.test'\n"
				  "    http: {paths: [{path: /foo/, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}},\n"
				  "                   {path: /bar, pathType: Exact, backend: {service: {name: b, port: {number: 80}}}}]}\n", "example.net/ingress", NULL);

	SAME_TEXT(sb_text(&w.conf.text),
		  "# HAProxy 2.6 as controller example.net/ingress\n"
		  "global\n"
		  "    nbthread 1\n"
		  "    maxconn 1000\n"
		  "    hard-stop-after 5s\n"
		  "\n"
		  "defaults proxy\n"
		  "    mode http\n"
		  "    timeout connect 2s\n"
		  "    timeout client 60s\n"
		  "    timeout server 60s\n"
		  "    retries 0\n"
		  "\n"
		  "defaults endpoints from proxy\n"
		  "    # a connection to an endpoint that was refused is 502, one that nobody answered 504\n"
		  "    http-request set-var(txn.began) date(0,ms)\n"
		  "    http-response set-var(txn.answered) int(1)\n"
		  "    http-after-response set-status 502 if { status 503 } !{ var(txn.answered) -m found } { date(0,ms),sub(txn.began) lt 1900 }\n"
		  "    http-after-response set-status 504 if { status 503 } !{ var(txn.answered) -m found } { date(0,ms),sub(txn.began) ge 1900 }\n"
		  "\n"
		  "frontend requests from proxy\n"
		  "    bind :8080 id 8080\n"
		  "    bind :8443 id 8443 ssl crt-list /lab/8443.list\n"
		  "\n"
		  "    http-request set-var(txn.host) req.fhdr(host,1),host_only,lower,regsub(\\.$,)\n"
		  "    acl on80 so_id 8080\n"
		  "    http-request set-var(txn.port) int(80) if on80\n"
		  "    http-request set-var(txn.scheme) str(http) if on80\n"
		  "    acl on443 so_id 8443\n"
		  "    http-request set-var(txn.port) int(443) if on443\n"
		  "    http-request set-var(txn.scheme) str(https) if on443\n"
		  "\n"
		  "    # port 80\n"
		  "    http-request set-var(txn.listener) int(0) if on80 !{ var(txn.listener) -m found }\n"
		  "\n"
		  "    # port 443\n"
		  "    http-request set-var(txn.sni) ssl_fc_sni,lower if on443\n"
		  "    http-request set-var(txn.listener) int(1) if on443 !{ var(txn.listener) -m found }\n"
		  "\n"
		  "    acl decided var(txn.route) -m found\n"
		  "    acl group0 var(txn.listener) -m int 0\n"
		  "    acl group0 var(txn.listener) -m int 1\n"
		  "\n"
		  "    # host *.x.test\n"
		  "    acl host0 var(txn.host) -m reg -- '^[^.]+\\.x\\.test$'\n"
		  "    # Ingress default/i, spec.rules[0].http.paths[0]: Prefix /foo/\n"
		  "    acl r1.path path -m str -- '/foo'\n"
		  "    acl r1.path path -m beg -- '/foo/'\n"
		  "    http-request set-var(txn.route) str(r1) if !decided group0 host0 r1.path\n"
		  "    # Ingress default/i, spec.rules[0].http.paths[1]: Exact /bar\n"
		  "    acl r2.path path -m str -- '/bar'\n"
		  "    http-request set-var(txn.route) str(r2) if !decided group0 host0 r2.path\n"
		  "    http-request set-var(txn.route) str(none) if !decided group0 host0\n"
		  "\n"
		  "    http-request set-var(txn.route) str(none) if !decided\n"
		  "\n"
		  "    # of the client, for the backend\n"
		  "    http-request return status 501 content-type text/plain string 'of a header that is given more than once HAProxy compares single lines' hdr X-Podwire-Cannot 'of a header that is given more than once HAProxy compares single lines' if { req.fhdr_cnt(x-forwarded-for) gt 1 }\n"
		  "    acl forwarded req.fhdr(x-forwarded-for,1) -m found\n"
		  "    http-request set-header X-Forwarded-For '%[req.fhdr(x-forwarded-for,1)], %[src]' if forwarded\n"
		  "    http-request set-header X-Forwarded-For %[src] if !forwarded\n"
		  "    http-request set-header X-Forwarded-Proto %[var(txn.scheme)]\n"
		  "\n"
		  "    use_backend %[var(txn.route)]\n"
		  "\n"
		  "backend none from proxy\n"
		  "    http-request return status 404\n"
		  "\n"
		  "backend r1 from endpoints\n"
		  "    # Ingress default/i, spec.rules[0].http.paths[0]: Prefix /foo/\n"
		  "    # Service default/a, port 80\n"
		  "    balance roundrobin\n"
		  "    server a-1 10.244.1.2:8080\n"
		  "    server e1 10.244.2.2:8080\n"
		  "\n"
		  "backend r2 from proxy\n"
		  "    # Ingress default/i, spec.rules[0].http.paths[1]: Exact /bar\n"
		  "    # Service default/b has no ready endpoint for port 80\n"
		  "    http-request return status 503\n");
	CU_ASSERT_EQUAL(w.conf.files.nr, 1);
	SAME_TEXT(w.conf.files.v[0].text, "/lab/own.pem default.invalid\n");
	CU_ASSERT_EQUAL(w.conf.cannot.nr, 0);
	wrote_free(&w);
}

TEST(a_gateway_has_its_matches_filters_and_weights)
{
	struct wrote w = write_up("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec: {gatewayClassName: gc, listeners: [{name: all, port: 80, protocol: HTTP},\n"
				  "  {name: one, port: 80, protocol: HTTP, hostname: '*.one.test'}]}\n---\n"
				  "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n  parentRefs: [{name: gw, sectionName: one}]\n  rules:\n"
				  "  - matches: [{path: {type: PathPrefix, value: /a}, method: POST, headers: [{name: X-Kind, value: it's}], queryParams: [{name: q, type: RegularExpression, value: '[0-9]+'}]}]\n"
				  "    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Set, value: '50%'}], add: [{name: X-Add, value: b}], remove: [X-Gone]}},\n"
				  "      {type: URLRewrite, urlRewrite: {hostname: in.test, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]\n"
				  "    backendRefs: [{name: a, port: 80, weight: 3}, {name: b, port: 80}]\n"
				  "  - matches: [{path: {type: Exact, value: /old}}]\n"
				  "    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, path: {type: ReplaceFullPath, replaceFullPath: /new}, statusCode: 301}}]\n"
				  "  - matches: [{path: {type: PathPrefix, value: /}}]\n"
				  "    filters: [{type: ExtensionRef, extensionRef: {group: x, kind: Y, name: z}}]\n", NULL, "gw");

	CU_ASSERT(has(&w, "\n    acl l1.host var(txn.host) -m reg -- '^[^.].*\\.one\\.test$'\n"
			  "    http-request set-var(txn.listener) int(1) if on80 !{ var(txn.listener) -m found } l1.host\n"
			  "    http-request set-var(txn.listener) int(0) if on80 !{ var(txn.listener) -m found }\n"));
	CU_ASSERT(has(&w, "    acl r2.path path -m str -- '/a'\n    acl r2.path path -m beg -- '/a/'\n    acl r2.method method -m str -- 'POST'\n"
			  "    acl r2.header0 req.fhdr(X-Kind,1) -m str -- 'it'\\''s'\n    acl r2.query0 urlp(q),url_dec(1) -m reg -- '^(?:[0-9]+)$'\n"
			  "    http-request return status 501 content-type text/plain string 'of a header that is given more than once HAProxy compares single lines' hdr X-Podwire-Cannot 'of a header that is given more than once HAProxy compares single lines' if !decided group1 host0 r2.path r2.method { req.fhdr_cnt(X-Kind) gt 1 }\n"
			  "    http-request set-var(txn.route) str(r2) if !decided group1 host0 r2.path r2.method r2.header0 r2.query0\n"));
	CU_ASSERT(has(&w, "    acl at.r2 var(txn.route) -m str r2\n    http-request set-var(txn.pick) rand(4) if at.r2\n"
			  "    http-request set-var(txn.route) str(r2.0) if at.r2 { var(txn.pick) -m int 0:2 }\n"
			  "    http-request set-var(txn.route) str(r2.1) if at.r2 { var(txn.pick) -m int 3:3 }\n"));
	CU_ASSERT(has(&w, "\nbackend r2.0 from endpoints\n    # HTTPRoute default/r, spec.rules[0].matches[0]: PathPrefix /a, method POST, header X-Kind=it's, query q=[0-9]+\n"
			  "    http-request del-header X-Gone\n    http-request set-header X-Set '50%%'\n    http-request add-header X-Add 'b'\n"
			  "    http-request set-path / if { path -m str -- '/a' }\n    http-request replace-path '^/a(.*)$' '\\1'\n    http-request set-header Host 'in.test'\n"));
	CU_ASSERT(has(&w, "    http-request set-path '/new'\n    http-request redirect location 'https://%[var(txn.host)]%[pathq]' code 301\n"));
	CU_ASSERT(has(&w, "    http-request return status 501 content-type text/plain string 'filters of type ExtensionRef are not modelled' hdr X-Podwire-Cannot "));
	CU_ASSERT_EQUAL(w.conf.cannot.nr, 1);
	wrote_free(&w);
}

TEST(other_origins_get_what_a_filter_lets_them)
{
	struct wrote w = write_up("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: gc, listeners: [{name: h, port: 80, protocol: HTTP}]}\n---\n"
				  "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n  parentRefs: [{name: g}]\n  rules:\n"
				  "  - filters: [{type: CORS, cors: {allowOrigins: ['https://*.x.test', 'http://y.test:81'], allowMethods: [GET, PUT], allowHeaders: ['*'], maxAge: 7}}]\n"
				  "    backendRefs: [{name: a, port: 80}]\n", NULL, "g");

	CU_ASSERT(has(&w, "    acl cors.allowed req.fhdr(origin,1) -m reg -i -- '^https://.+\\.x\\.test(:443)?$'\n    acl cors.allowed req.fhdr(origin,1) -m reg -i -- '^http://y\\.test:81$'\n"));
	CU_ASSERT(has(&w, "    http-request return status 200 hdr Access-Control-Allow-Origin '%[req.fhdr(origin,1)]' hdr Access-Control-Allow-Methods 'GET, PUT' hdr Access-Control-Allow-Headers "
			  "'%[req.fhdr(access-control-request-headers,1)]' hdr Access-Control-Max-Age 7 if { method OPTIONS } cors.preflight cors.allowed "
			  "{ req.fhdr(access-control-request-headers,1) -m found }\n"));
	CU_ASSERT(has(&w, "    http-request return status 200 if { method OPTIONS } cors.preflight cors.asks !cors.allowed\n"));
	CU_ASSERT(has(&w, "    http-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if cors.adds\n"));
	CU_ASSERT_EQUAL(w.conf.cannot.nr, 0);
	wrote_free(&w);
}

TEST(a_canary_goes_by_header_then_chance)
{
	struct wrote w = write_up("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: main}\nspec: {ingressClassName: nginx, rules: [{host: x.test, http: {paths: [{path: /, pathType: Prefix, "
				  "backend: {service: {name: a, port: {number: 80}}}}]}}]}\n---\n"
				  "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: new, annotations: {nginx.ingress.kubernetes.io/canary: 'true', nginx.ingress.kubernetes.io/canary-by-header: X-New, "
				  "nginx.ingress.kubernetes.io/canary-weight: '20'}}\nspec: {ingressClassName: nginx, rules: [{host: x.test, http: {paths: [{path: /, pathType: Prefix, "
				  "backend: {service: {name: b, port: {number: 80}}}}]}}]}\n", "k8s.io/ingress-nginx", NULL);

	CU_ASSERT(has(&w, "    acl r1.always req.fhdr(X-New,1) -m str always\n    acl r1.never req.fhdr(X-New,1) -m str never\n"
			  "    http-request set-var(txn.route) str(r1.canary) if at.r1 r1.always\n    http-request set-var(txn.route) str(r1.main) if at.r1 r1.never\n"
			  "    http-request set-var(txn.route) str(r1.canary) if at.r1 { rand(100) lt 20 }\n    acl rest.r1 var(txn.route) -m str r1 r1.main\n"));
	wrote_free(&w);
}

/* Connections that are not read: shares as draws among what is left, names in the hello, and what has no backend cut off. */
TEST(connections_are_passed_on_by_weight_and_name)
{
	static struct l7_port ports[] = { { 5432, 5432 }, { 443, 443 }, { 53, 53 } };
	struct wrote w = { .c = cluster_new(NULL, 1), .a = arena_new(NULL, "test") };
	struct l7_plane p = { .ports = ports, .nr = ARRAY_LEN(ports) };

	feed_cluster(w.c, VALIDATE_IGNORE, services);
	feed_cluster(w.c, VALIDATE_IGNORE, "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec:\n  gatewayClassName: gc\n  listeners: [{name: tcp, port: 5432, protocol: TCP},\n"
				 "    {name: pass, port: 443, protocol: TLS, hostname: '*.test', tls: {mode: Passthrough}}, {name: udp, port: 53, protocol: UDP}]\n"
				 "---\napiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\nmetadata: {name: t}\nspec: {parentRefs: [{name: gw, sectionName: tcp}], rules: [{backendRefs: [{name: a, port: 80, weight: 3}, {name: nobody, port: 80}]}]}\n"
				 "---\napiVersion: gateway.networking.k8s.io/v1\nkind: TLSRoute\nmetadata: {name: s}\nspec: {parentRefs: [{name: gw, sectionName: pass}], hostnames: [x.test], rules: [{backendRefs: [{name: a, port: 80}]}]}\n");
	p.table = routes_compile_gateway(w.c, (const struct gateway *)cluster_find(w.c, &gateway_kind, cluster_str(w.c, "default"), "gw"), w.a);
	haproxy_write(&p, "/lab", w.a, &w.conf);
	CU_ASSERT(has(&w, "\nfrontend stream5432 from proxy\n    mode tcp\n    bind :5432\n"));
	CU_ASSERT(has(&w, "    use_backend stream0.0.0 if { rand(4) lt 3 }\n    use_backend stream0.0.1\n    default_backend cut.off\n"));
	CU_ASSERT(has(&w, "    mode tcp\n    # Service default/nobody does not exist\n"));
	CU_ASSERT(has(&w, "    tcp-request content set-var(sess.name) req.ssl_sni,lower\n    acl l1.host var(sess.name) -m reg -- '^[^.].*\\.test$'\n"));
	CU_ASSERT(has(&w, "    acl l1.name1 var(sess.name) -m str -- 'x.test'\n    # TLSRoute default/s, spec.rules[0]: any connection\n    use_backend stream1.1.0 if { var(sess.listener) -m int 1 } l1.name1\n"));
	CU_ASSERT(has(&w, "UDP: HAProxy passes no datagrams on"));
	wrote_free(&w);
}

TEST(a_sidecar_tells_requests_from_connections_and_never_dials_itself)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "test");
	struct sb out = { 0 };
	const char *why = "";
	uint32_t nr;
	struct l7_plane *v;
	static const char pod[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: one, initContainers: [{name: istio-init, image: x, args: [istio-iptables, -p, '15001', -z, '15006', -u, '1337', -i, '*', -b, '*']}], "
				  "containers: [{name: app, image: x}, {name: istio-proxy, image: x}]}\nstatus: {phase: Running, podIP: 10.244.1.9}\n";

	feed_cluster(c, VALIDATE_IGNORE, services);
	feed_text(&(struct feed){ .c = c, .opt = &(const struct world_options){ .apply = { .unknown = VALIDATE_IGNORE, .create_namespaces = true, .respect_status = true } } }, pod);
	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: [a], http: [{match: [{uri: {prefix: /x}}], directResponse: {status: 418}}, "
					 "{match: [{uri: {exact: /late}}], fault: {delay: {percentage: {value: 25}, fixedDelay: 1.5s}}, route: [{destination: {host: a}}]}]}\n");
	v = planes_sidecars(c, a, &nr, &why);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	CU_ASSERT_PTR_NULL(why);
	haproxy_print(v, &out, a);
	for (const char *const *want = (const char *const[]){
		     "    lua-load /run/podwire/proxies/default.p/delay.lua\n    uid 1337\n    gid 1337\n", "    http-request lua.podwire_delay 1500 if { rand(1000000) lt 250000 }\n",
		     "\nfrontend outbound from proxy\n    bind :15001\n    tcp-request connection reject if { dst_port 15001 15006 }\n    mode tcp\n",
		     "    use_backend outbound.requests if HTTP http_port\n", "\nbackend outbound.requests from proxy\n    mode tcp\n    server requests abns@podwire-outbound send-proxy-v2\n",
		     "\nbackend inbound.application from proxy\n    mode tcp\n    source 127.0.0.6\n    server application 0.0.0.0\n",
		     "    acl on80 dst_port 80\n", " var(txn.host) -m str -- 'a.default.svc.cluster.local'\n", " var(txn.host) -m str -- 'a'\n",
		     "    acl r1.path path -m beg -- '/x'\n", "    use_backend %[var(txn.route)] if decided\n", "    default_backend http.as_sent\n", NULL }; *want; want++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), *want));
		if (!strstr(sb_text(&out), *want))
			fprintf(stderr, "\nnot there: %s\n%s", *want, sb_text(&out));
	}
	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: v1\nkind: Service\nmetadata: {name: sealed}\nspec: {clusterIP: 10.96.7.7, ports: [{name: tls, port: 443}]}\n---\n"
					 "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: t}\nspec: {hosts: [sealed, x.test], tls: [{match: [{sniHosts: [x.test]}], route: [{destination: {host: a}}]}]}\n");
	v = planes_sidecars(c, a, &nr, &why);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	sb_reset(&out);
	haproxy_print(v, &out, a);
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), "Service default/sealed: tls routes, by the name in the hello, are not told apart"));
	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: s}\nspec: {mtls: {mode: STRICT}}\n");
	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: {rules: [{from: [{source: {principals: ['*/sa/x'], notIpBlocks: [10.9.0.0/16]}}], "
					 "to: [{operation: {methods: [GET], notPaths: ['/x*']}}], when: [{key: 'request.headers[x-a]', values: ['1']}]}, {to: [{operation: {ports: ['81']}}]}]}\n");
	v = planes_sidecars(c, a, &nr, &why);
	CU_ASSERT_EQUAL_FATAL(nr, 1);
	sb_reset(&out);
	haproxy_print(v, &out, a);
	for (const char *const *want = (const char *const[]){
		     "    acl mutual req.ssl_alpn -m sub istio\n    tcp-request content reject if !mutual\n", "    use_backend inbound.mutual if mutual\n",
		     "    bind abns@podwire-mutual accept-proxy ssl crt /run/podwire/proxies/default.p/identity.pem ca-file /run/podwire/proxies/default.p/authority.pem verify required alpn istio\n",
		     /* its own identity: [6], 44 bytes, spiffe://cluster.local/ns/default/sa/default */
		     " ssl_c_der,hex -m sub 862C7370696666653A2F2F636C75737465722E6C6F63616C2F6E732F64656661756C742F73612F64656661756C74\n",
		     "    acl h0 var(sess.principal) -m end -- '/sa/x'\n    acl h1 src '10.9.0.0/16'\n    acl h2 method -m str -- 'GET'\n    acl h3 path -m beg -- '/x'\n"
		     "    acl h4 req.fhdr(x-a,1) -m str -- '1'\n    http-request allow if h0 !h1 h2 !h3 h4\n    acl h5 dst_port '81'\n    http-request allow if h5\n    http-request deny deny_status 403\n",
		     "    tcp-request content accept if t0\n    tcp-request content reject\n", NULL }; *want; want++) {
		CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), *want));
		if (!strstr(sb_text(&out), *want))
			fprintf(stderr, "\nnot there: %s\n%s", *want, sb_text(&out));
	}
	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: q}\nspec: {rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}\n");
	v = planes_sidecars(c, a, &nr, &why);
	sb_reset(&out);
	haproxy_print(v, &out, a);
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), "an AuthorizationPolicy asks for requestPrincipals' hdr X-Podwire-Cannot "));
	CU_ASSERT_PTR_NULL(strstr(sb_text(&out), "http-request allow"));
	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: s}\nspec: {}\n");
	planes_sidecars(c, a, &nr, &why);
	CU_ASSERT_EQUAL(nr, 0);
	CU_ASSERT_PTR_NOT_NULL(why);
	sb_free(&out);
	arena_free(a);
	cluster_free(c);
}

TEST(a_password_or_an_address_is_refused_with_the_reason)
{
	struct wrote w = write_up("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {auth: 'u:p'}\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i\n  annotations: {nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: s, "
				  "nginx.ingress.kubernetes.io/satisfy: any, nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8}\n"
				  "spec: {ingressClassName: nginx, rules: [{host: x.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}\n",
				  "k8s.io/ingress-nginx", NULL);

	CU_ASSERT(has(&w, "    http-request return status 501 content-type text/plain string 'satisfy any' hdr X-Podwire-Cannot 'satisfy any'\n"));
	CU_ASSERT_EQUAL(w.conf.cannot.nr, 1);
	wrote_free(&w);
}

/* What a policy allows is noted, and the gateway's own rules still count; connections are judged before their hello is read. */
TEST(a_gateways_own_policies_come_before_its_routes)
{
	static const char gateway[] =
		"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec: {selector: {app: gate}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}, "
		"{port: {number: 443, name: tls, protocol: TLS}, hosts: ['*'], tls: {mode: PASSTHROUGH}}]}\n"
		"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: ['*'], gateways: [gw], http: [{directResponse: {status: 201}}], "
		"tls: [{match: [{sniHosts: ['*']}], route: [{destination: {host: a}}]}]}\n"
		"---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: {rules: [{to: [{operation: {methods: [GET], ports: ['80']}}]}, "
		"{from: [{source: {remoteIpBlocks: [192.0.2.1], notTrustDomains: [bad*]}}], to: [{operation: {ports: ['443']}}]}]}\n"
		"---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: q}\nspec: {action: DENY, rules: [{when: [{key: destination.ip, values: [10.9.9.9]}]}]}\n";
	static const char tokens[] = "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: r}\nspec: {jwtRules: [{issuer: a, fromHeaders: [{name: x-jwt}], fromParams: [tok]}]}\n";
	static const char asks[] = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: s}\nspec: {action: DENY, rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}\n";
	static const char *const want[] = {
		"    # AuthorizationPolicy default/q\n    acl gate0 dst '10.9.9.9'\n    http-request deny deny_status 403 if gate0\n",
		"    acl gate1 method -m str -- 'GET'\n    acl gate2 var(txn.port) -m int '80'\n    http-request set-var(txn.allowed) int(1) if gate1 gate2\n",
		"    acl gate4 src '192.0.2.1'\n", "    http-request deny deny_status 403 if !{ var(txn.allowed) -m found }\n",
		"    tcp-request connection reject if gate0\n", "    acl gate3 dst_port '443'\n    tcp-request connection accept if !gate1 gate2 gate3\n    tcp-request connection reject\n", NULL };
	static const char *const refused[] = { " if { req.fhdr(authorization) -m beg 'Bearer ' }\n", " if { query -m sub access_token= }\n", " if { req.fhdr(x-jwt) -m found }\n", " if { query -m sub -- 'tok' }\n",
					       "an AuthorizationPolicy asks for requestPrincipals' hdr X-Podwire-Cannot ", "# no connection passes\n    tcp-request connection reject\n", NULL };
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "test");
	struct sb out = { 0 };

	feed_cluster(c, VALIDATE_IGNORE, services);
	feed_text(&(struct feed){ .c = c, .opt = &(const struct world_options){ .apply = { .unknown = VALIDATE_IGNORE, .create_namespaces = true, .respect_status = true } } },
		  "apiVersion: v1\nkind: Pod\nmetadata: {name: gate, labels: {app: gate}}\nspec: {nodeName: one, containers: [{name: istio-proxy, image: x, ports: [{containerPort: 80}, {containerPort: 443}]}]}\n"
		  "status: {phase: Running, podIP: 10.244.1.9}\n");
	feed_cluster(c, VALIDATE_IGNORE, gateway);
	for (int with_tokens = 0; with_tokens < 2; with_tokens++) {
		uint32_t nr;
		struct l7_plane *v;

		if (with_tokens) {
			feed_cluster(c, VALIDATE_IGNORE, tokens);
			feed_cluster(c, VALIDATE_IGNORE, asks);
		}
		v = planes_list(c, a, &nr);
		CU_ASSERT_EQUAL_FATAL(nr, 1);
		sb_reset(&out);
		haproxy_print(v, &out, a);
		for (const char *const *w = with_tokens ? refused : want; *w; w++) {
			CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), *w));
			if (!strstr(sb_text(&out), *w))
				fprintf(stderr, "\nnot there: %s\n%s", *w, sb_text(&out));
		}
		CU_ASSERT_EQUAL(strstr(sb_text(&out), "set-var(txn.allowed)") != NULL, !with_tokens);
	}
	sb_free(&out);
	arena_free(a);
	cluster_free(c);
}

/* ---- text from outside */

/* Words as HAProxy reads them: '…' as it stands, \ before one character. */
static uint32_t words(const char *line, char out[64][1024])
{
	uint32_t nr = 0;

	while (*line && *line != '\n' && nr < 64) {
		size_t n = 0;
		bool any = false;

		while (*line == ' ')
			line++;
		if (*line == '#')
			break;
		for (; *line && *line != '\n' && *line != ' '; any = true) {
			if (*line == '\'') {
				for (line++; *line && *line != '\'' && n < 1023; line++)
					out[nr][n++] = *line;
				line += *line == '\'';
			} else {
				line += *line == '\\' && line[1];
				out[nr][n++] = *line++;
			}
		}
		out[nr][n] = '\0';
		nr += any;
	}
	return nr;
}

static const char *const payloads[] = {
	"x\n    lua-load /evil\n", "x\r\nglobal\n    lua-load /evil", "x' lua-load 'y", "x\\' lua-load y", "x\" lua-load \"", "x'\\'' lua-load y", "} lua-load {", "%[env(EVIL)]", "# lua-load",
	"$(lua-load)", "x if TRUE || lua-load", "-f /evil", "\\", "'", "}",
};

static void harmless(const struct wrote *w, const char *payload)
{
	static char word[64][1024];

	for (const char *line = sb_text(&w->conf.text); *line; line += strcspn(line, "\n"), line += *line == '\n') {
		uint32_t nr = words(line, word);

		if (!nr)
			continue;
		CU_ASSERT(line[0] == ' ' ? strncmp(word[0], "http-", 5) == 0 || strstr(" acl bind balance server use_backend nbthread maxconn hard-stop-after mode timeout retries ", word[0]) != NULL
					 : strstr(" global defaults frontend backend ", word[0]) != NULL);
		for (uint32_t k = 0; k < nr; k++) {
			const char *env = strstr(word[k], "%[env"), *before = k ? word[k - 1] : "";
			bool plain = streq(before, "--") || streq(before, "string") || streq(before, "replace-path");           /* patterns and texts, which are no log formats */

			if (!plain && (streq(word[k], "lua-load") || streq(word[k], "-f") || (env && (env == word[k] || env[-1] != '%')))) {
				CU_FAIL("a word of a manifest is a word of the configuration");
				fprintf(stderr, "\n%s:\n%.*s\n", payload, (int)strcspn(line, "\n"), line);
			}
		}
	}
	for (uint32_t k = 0; k < w->conf.files.nr; k++)
		for (const char *line = w->conf.files.v[k].text; *line; line += strcspn(line, "\n"), line += *line == '\n')
			CU_ASSERT(strncmp(line, "/lab/", 5) == 0 && !memmem(line, strcspn(line, "\n"), "lua-load", 8));
}

/* In double quotes of YAML. */
static const char *escaped(struct arena *a, const char *s)
{
	struct sb out = { 0 };
	const char *text;

	for (; *s; s++)
		sb_add(&out, *s == '\n' ? "\\n" : *s == '\r' ? "\\r" : *s == '"' ? "\\\"" : *s == '\\' ? "\\\\" : (char[]){ *s, 0 });
	text = arena_strdup(a, sb_text(&out));
	sb_free(&out);
	return text;
}

static const char *hostile_ingress(struct arena *a, const char *p, const char *class)
{
	const char *backend = "backend: {service: {name: a, port: {number: 80}}}";

	return arena_printf(a,
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: \"%s\", annotations: {nginx.ingress.kubernetes.io/%s: \"/%s\", nginx.ingress.kubernetes.io/%s: \"%s\"}}\n"
		"spec: {ingressClassName: %s, tls: [{hosts: [\"%s\"], secretName: \"%s\"}], rules: [{host: \"%s\", http: {paths: [{path: \"/%s\", pathType: Prefix, %s}]}},\n"
		" {host: ok.test, http: {paths: [{path: \"/%s\", pathType: ImplementationSpecific, %s}, {path: \"/%s\", pathType: Exact, %s}]}}]}\n",
		p, "rewrite-target", p, "permanent-redirect", p, class, p, p, p, p, backend, p, backend, p, backend);
}

TEST(no_text_of_a_manifest_becomes_a_line_or_a_word)
{
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(payloads); k++) {
		const char *p = escaped(a, payloads[k]);
		const char *notes[] = { "permanent-redirect", "app-root", "upstream-vhost", "x-forwarded-prefix", "whitelist-source-range", "auth-realm", "backend-protocol", "server-alias" };
		struct wrote w = write_up(hostile_ingress(a, p, "web"), "example.net/ingress", NULL);

		harmless(&w, payloads[k]);
		wrote_free(&w);
		for (size_t n = 0; n < ARRAY_LEN(notes); n++) {
			const char *text = hostile_ingress(a, p, "nginx"), *at = strstr(text, "permanent-redirect");

			text = arena_printf(a, "%.*s%s%s", (int)(at - text), text, notes[n], at + strlen("permanent-redirect"));
			w = write_up(text, "k8s.io/ingress-nginx", NULL);
			harmless(&w, payloads[k]);
			wrote_free(&w);
		}
		w = write_up(arena_printf(a, "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec: {gatewayClassName: gc, listeners: [{name: \"%s\", port: 80, protocol: HTTP, hostname: \"%s\"}]}\n---\n"
						"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: \"%s\"}\nspec: {parentRefs: [{name: gw}], rules: [{matches: [{path: {type: PathPrefix, value: \"/%s\"}, "
						"headers: [{name: \"%s\", value: \"%s\"}, {name: x-y, value: \"%s\"}], queryParams: [{name: \"%s\", value: v}, {name: q, value: \"%s\"}]}], filters: [{type: RequestHeaderModifier, "
						"requestHeaderModifier: {set: [{name: \"%s\", value: v}, {name: x-z, value: \"%s\"}], remove: [\"%s\"]}}, {type: URLRewrite, urlRewrite: {hostname: \"%s\", "
						"path: {type: ReplaceFullPath, replaceFullPath: \"/%s\"}}}], backendRefs: [{name: a, port: 80}]}, {matches: [{path: {type: PathPrefix, value: \"/%s\"}}], "
						"filters: [{type: RequestRedirect, requestRedirect: {hostname: \"%s\", path: {type: ReplacePrefixMatch, replacePrefixMatch: \"/%s\"}}}]}]}\n",
						p, p, p, p, p, p, p, p, p, p, p, p, p, p, p, p, p), NULL, "gw");
		harmless(&w, payloads[k]);
		wrote_free(&w);
	}
	arena_free(a);
}
