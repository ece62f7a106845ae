/* A request's whole way through a cluster that is given with status: name, connection, decision, second connection, answer. */
#include "model/l7/controllers.h"
#include "sim/ask/question.h"
#include "tests/unit/feed.h"

struct lab { struct world w; struct arena *a; };

static void apply(struct lab *l, const char *yaml)
{
	struct world_options opt = { .apply = { .unknown = VALIDATE_IGNORE, .validate = true, .respect_status = true, .create_namespaces = true }, .ask = true };

	feed_world(&l->w, &opt, yaml);
}

static void pod(struct lab *l, const char *ns, const char *name, const char *labels, const char *node, const char *ip, int port)
{
	apply(l, arena_printf(l->a, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {%s}}\n"
				    "spec: {nodeName: %s, serviceAccountName: %s, containers: [{name: c, image: x, ports: [{containerPort: %d}]}]}\n"
				    "status: {phase: Running, podIP: %s, podIPs: [{ip: %s}], conditions: [{type: Ready, status: 'True'}]}\n",
			      name, ns, labels, node, name, port, ip, ip));
}

static struct lab lab_new(const char *controller)
{
	struct lab l = { .a = arena_new(NULL, "test") };
	struct world_options opt = { .ask = true };
	str *names = arena_array(l.a, str, 1);

	names[0] = controller;
	if (controller)
		opt.flags.controllers = (str_list){ names, 1, true };
	opt.flags.respect = true;
	world_init(&l.w, &opt);
	for (int k = 1; k <= 2; k++)
		apply(&l, arena_printf(l.a, "apiVersion: v1\nkind: Node\nmetadata: {name: n%d}\nspec: {podCIDR: 10.244.%d.0/24}\n"
					    "status: {addresses: [{type: InternalIP, address: 172.18.0.%d}], conditions: [{type: Ready, status: 'True'}]}\n", k, k, k + 1));
	return l;
}

static void lab_free(struct lab *l)
{
	world_free(&l->w);
	arena_free(l->a);
}

static void settle(struct lab *l)
{
	struct world_options opt = { .flags = { .no_defaults = true } };

	world_settle(&l->w, &opt);
}

/* An installation of ingress-nginx with one Pod and an address. */
static void install_nginx(struct lab *l)
{
	apply(l, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ingress-nginx-controller, namespace: ingress-nginx}\nspec:\n  replicas: 0\n"
		 "  selector: {matchLabels: {app: nginx}}\n  template:\n    metadata: {labels: {app: nginx}}\n"
		 "    spec: {containers: [{name: controller, image: 'registry.k8s.io/ingress-nginx/controller:v1.14.0@sha256:0'}]}\n"
		 "---\napiVersion: v1\nkind: Service\nmetadata: {name: ingress-nginx-controller, namespace: ingress-nginx}\nspec: {type: LoadBalancer, clusterIP: 10.96.9.9, "
		 "selector: {app: nginx}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080}, {name: https, port: 443, targetPort: 443, nodePort: 30443}]}\n"
		 "status: {loadBalancer: {ingress: [{ip: 192.0.2.50}]}}\n"
		 "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n");
	pod(l, "ingress-nginx", "nginx-0", "app: nginx", "n1", "10.244.1.10", 80);
}

static void service(struct lab *l, const char *ns, const char *name, const char *vip)
{
	apply(l, arena_printf(l->a, "apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec: {clusterIP: %s, selector: {app: %s}, ports: [{name: http, port: 80, "
				    "targetPort: 8080}]}\n", name, ns, vip, name));
}

/* VERDICT[ STATUS BACKEND ENDPOINT], one outcome after the other. */
static const char *ask(struct lab *l, const char *from, const char *to, const char *resolve)
{
	struct question q = { .from = from, .to = to, .l4 = L4_TCP, .proto = PROTO_TCP, .resolve = resolve, .flags = WALK_RECORD };
	struct err err = { 0 };
	struct answer answer;
	const char *out = "";

	if (!question_ask(&l->w, &q, l->a, &answer, &err)) {
		out = arena_printf(l->a, "error: %s", err.v[0].text);
		err_free(&err);
		return out;
	}
	for (uint32_t k = 0; k < answer.nr; k++) {
		const struct outcome_view *o = &answer.v[k];
		const char *one = verdict_names[o->verdict];

		if (o->http)
			one = arena_printf(l->a, "%s %d %s", one, o->http->status, o->http->backend ? o->http->backend : "-");
		if (o->verdict == V_DELIVERED && o->pod)
			one = arena_printf(l->a, "%s %s:%u", one, o->pod->o.name, o->end_port);
		out = k ? arena_printf(l->a, "%s; %s", out, one) : one;
	}
	return out;
}

static const char ingress[] =
	"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  ingressClassName: nginx\n  rules:\n  - host: x.test\n    http:\n      paths:\n"
	"      - {path: /web, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}\n"
	"      - {path: /ghost, pathType: Prefix, backend: {service: {name: ghost, port: {number: 80}}}}\n"
	"      - {path: /shut, pathType: Prefix, backend: {service: {name: shut, port: {number: 80}}}}\n";

TEST(requests_go_through_a_controller_to_the_endpoints)
{
	struct lab l = lab_new(NULL);

	install_nginx(&l);
	service(&l, "default", "web", "10.96.1.1");
	service(&l, "default", "shut", "10.96.1.2");
	pod(&l, "default", "web-0", "app: web", "n1", "10.244.1.2", 8080);
	pod(&l, "default", "web-1", "app: web", "n2", "10.244.2.2", 8080);
	pod(&l, "default", "shut-0", "app: shut", "n2", "10.244.2.3", 9999);
	pod(&l, "default", "client", "app: client", "n2", "10.244.2.4", 1);
	apply(&l, ingress);
	settle(&l);
	SAME_TEXT(ask(&l, "client", "http://x.test/web", NULL), "delivered 200 default/web:80 web-0:8080; delivered 200 default/web:80 web-1:8080");
	SAME_TEXT(ask(&l, "client", "http://x.test/ghost", NULL), "delivered 503 - nginx-0:80");
	SAME_TEXT(ask(&l, "client", "http://x.test/shut", NULL), "delivered 502 - nginx-0:80");        /* the Pod does not listen on its target port */
	SAME_TEXT(ask(&l, "client", "http://x.test/other", NULL), "delivered 404 - nginx-0:80");
	SAME_TEXT(ask(&l, "client", "http://other.test/", NULL), "unresolved");
	SAME_TEXT(ask(&l, "client", "http://other.test/", "controller/k8s.io/ingress-nginx"), "delivered 404 - nginx-0:80");
	SAME_TEXT(ask(&l, "pod/client", "http://x.test/web", "svc/ingress-nginx/ingress-nginx-controller"), "delivered 200 default/web:80 web-0:8080; delivered 200 default/web:80 web-1:8080");
	SAME_TEXT(ask(&l, "pod/client", "http://10.244.1.2:8080/", NULL), "delivered 200 - web-0:8080");
	SAME_TEXT(ask(&l, "pod/client", "http://10.96.1.1/", NULL), "delivered 200 default/web:80 web-0:8080; delivered 200 default/web:80 web-1:8080");
	SAME_TEXT(((const struct ingress *)cluster_find(l.w.cluster, &ingress_kind, "default", "i"))->lb_ingress.v[0].ip, "192.0.2.50");
	lab_free(&l);
}

/* RFC 9112, 3.2: nginx refuses it; what a server would do that nothing stands before is not known. */
TEST(a_second_host_is_refused_or_not_known)
{
	struct lab l = lab_new(NULL);
	struct http_pair hosts[] = { { "Host", "x.test" }, { "host", "x.test" } };
	static const char *const to[] = { "http://x.test/web", "http://10.244.1.2:8080/" };

	install_nginx(&l);
	service(&l, "default", "web", "10.96.1.1");
	pod(&l, "default", "web-0", "app: web", "n1", "10.244.1.2", 8080);
	pod(&l, "default", "client", "app: client", "n2", "10.244.2.4", 1);
	apply(&l, ingress);
	settle(&l);
	for (size_t k = 0; k < ARRAY_LEN(to); k++)
		for (uint32_t nr = 1; nr <= 2; nr++) {
			struct question q = { .from = "pod/client", .to = to[k], .l4 = L4_TCP, .proto = PROTO_TCP, .headers = hosts, .nr_headers = nr, .flags = WALK_RECORD,
					      .resolve = k ? NULL : "svc/ingress-nginx/ingress-nginx-controller" };
			struct err err = { 0 };
			struct answer answer;

			CU_ASSERT_FATAL(question_ask(&l.w, &q, l.a, &answer, &err));
			CU_ASSERT_FATAL(answer.nr == 1);
			if (k && nr == 2) {
				CU_ASSERT(answer.v[0].verdict == V_UNKNOWN && !answer.v[0].http);
				continue;
			}
			CU_ASSERT_FATAL(answer.v[0].http != NULL);
			CU_ASSERT_EQUAL(answer.v[0].http->status, nr == 1 ? 200 : 400);
		}
	lab_free(&l);
}

/* Sources: headers.c. 0: unknown. */
TEST(each_data_plane_reads_a_second_host_its_own_way)
{
	static const struct { const char *controller; int same, other; } rows[] = {
		{ "k8s.io/ingress-nginx", 400, 400 }, { "traefik.io/ingress-controller", 400, 400 }, { "haproxy.org/ingress-controller/haproxy", 200, 400 },
		{ "projectcontour.io/ingress-controller", 404, 404 }, { "example.com/controller", 0, 0 },
	};
	struct lab l = lab_new(NULL);

	service(&l, "default", "web", "10.96.1.1");
	pod(&l, "default", "web-0", "app: web", "n1", "10.244.1.2", 8080);
	settle(&l);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		apply(&l, arena_printf(l.a, "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: c%zu}\nspec: {controller: %s}\n---\n"
					    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i%zu}\nspec: {ingressClassName: c%zu, rules: [{host: x.test, "
					    "http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n", k, rows[k].controller, k, k));
		for (int other = 0; other < 2; other++) {
			const char *hosts[] = { "x.test", other ? "y.test" : "X.test" };
			struct http_request rq = { .scheme = "http", .host = hosts[0], .hosts = hosts, .nr_hosts = 2, .port = 80, .path = "/" };
			struct http_decision d = routes_match(routes_compile_ingress(l.w.cluster, rows[k].controller, l.a), &rq, l.a);
			int want = other ? rows[k].other : rows[k].same;

			CU_ASSERT_FATAL(d.nr == 1);
			CU_ASSERT_EQUAL(d.v[0].status, want);
			CU_ASSERT_EQUAL(d.v[0].unknown != NULL, !want);
		}
	}
	lab_free(&l);
}

/* Made by hand, it serves as the Pods of a Deployment do, from when it is there; a status shows its node's address. */
TEST(a_pod_of_its_own_can_be_the_controller)
{
	struct lab l = lab_new(NULL);
	const struct ingress *i;

	apply(&l, "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n");
	service(&l, "default", "web", "10.96.1.1");
	pod(&l, "default", "web-0", "app: web", "n1", "10.244.1.2", 8080);
	pod(&l, "default", "client", "app: client", "n2", "10.244.2.4", 1);
	apply(&l, ingress);
	settle(&l);
	i = (const struct ingress *)cluster_find(l.w.cluster, &ingress_kind, "default", "i");
	CU_ASSERT_EQUAL(i->lb_ingress.nr, 0);
	apply(&l, "apiVersion: v1\nkind: Pod\nmetadata: {name: edge, labels: {app: edge}}\n"
		  "spec: {nodeName: n1, containers: [{name: c, image: 'registry.k8s.io/ingress-nginx/controller:v1.14.0', ports: [{containerPort: 80}]}]}\n"
		  "status: {phase: Running, podIP: 10.244.1.10, podIPs: [{ip: 10.244.1.10}], hostIP: 172.18.0.2, conditions: [{type: Ready, status: 'True'}]}\n");
	pod(&l, "default", "other", "app: edge", "n2", "10.244.2.5", 80);               /* has the same labels, and is none */
	settle(&l);
	CU_ASSERT_EQUAL_FATAL(i->lb_ingress.nr, 1);
	SAME_TEXT(i->lb_ingress.v[0].ip, "172.18.0.2");
	SAME_TEXT(ask(&l, "pod/client", "http://x.test/web", "pod/edge"), "delivered 200 default/web:80 web-0:8080");
	SAME_TEXT(ask(&l, "pod/client", "http://10.244.1.10/", NULL), "delivered 404 - edge:80");
	SAME_TEXT(ask(&l, "pod/client", "http://10.244.2.5/", NULL), "delivered 200 - other:80");
	lab_free(&l);
}

/* ---- a mesh */

static struct lab mesh_lab(void)
{
	struct lab l = lab_new("istio.io/gateway-controller");

	apply(&l, "apiVersion: v1\nkind: Namespace\nmetadata: {name: in, labels: {istio-injection: enabled}}\n");
	service(&l, "in", "web", "10.96.1.1");
	pod(&l, "in", "web-1", "app: web, version: v1", "n1", "10.244.1.2", 8080);
	pod(&l, "in", "web-2", "app: web, version: v2", "n2", "10.244.2.2", 8080);
	pod(&l, "in", "client", "app: client", "n1", "10.244.1.3", 1);
	pod(&l, "default", "plain", "app: plain", "n2", "10.244.2.3", 1);
	return l;
}

TEST(sidecars_take_connections_on_both_sides)
{
	struct lab l = mesh_lab();
	struct question q = { .from = "pod/in/client", .to = "http://10.96.1.1/", .l4 = L4_TCP, .proto = PROTO_TCP, .flags = WALK_RECORD };
	struct answer answer;
	struct err err = { 0 };

	settle(&l);
	SAME_TEXT(ask(&l, "pod/in/client", "http://10.96.1.1/", NULL), "delivered 200 in/web:80 web-1:8080; delivered 200 in/web:80 web-2:8080");
	SAME_TEXT(ask(&l, "pod/in/client", "svc/in/web:80", NULL), "delivered web-1:8080; delivered web-2:8080");
	SAME_TEXT(ask(&l, "pod/default/plain", "http://10.96.1.1/", NULL), "delivered 200 in/web:80 web-1:8080; delivered 200 in/web:80 web-2:8080");
	CU_ASSERT_FATAL(question_ask(&l.w, &q, l.a, &answer, &err));
	CU_ASSERT_EQUAL(answer.v[0].walk->there.as_seen.dport, 15001);         /* the sender's sidecar */
	CU_ASSERT_EQUAL(answer.v[0].second->there.as_seen.dport, 15006);        /* the receiver's */
	CU_ASSERT_PTR_NOT_NULL_FATAL(answer.v[0].third);
	CU_ASSERT_EQUAL(answer.v[0].third->there.as_seen.dport, 8080);          /* its application, over loopback */

	/* what a Pod sends to its own address leaves by lo, and its owner is not the sidecar's: it goes straight */
	q.from = "pod/in/web-1";
	q.to = "pod/in/web-1:8080";
	CU_ASSERT_FATAL(question_ask(&l.w, &q, l.a, &answer, &err));
	CU_ASSERT_EQUAL(answer.v[0].walk->there.as_seen.dport, 8080);

	/* without the redirect the connection passes the sender's sidecar by, and its routes with it */
	apply(&l, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: in}\nspec: {hosts: [web], http: [{directResponse: {status: 418}}]}\n");
	settle(&l);
	SAME_TEXT(ask(&l, "pod/in/client", "http://10.96.1.1/", NULL), "delivered 418 - client:15001");
	netns_get(world_dataplane(&l.w), netns_find(l.w.dp, "pod/in/client"))->rules = NULL;
	SAME_TEXT(ask(&l, "pod/in/client", "http://10.96.1.1/", NULL), "delivered 200 in/web:80 web-1:8080; delivered 200 in/web:80 web-2:8080");
	lab_free(&l);
}

TEST(meshes_route_and_refuse)
{
	static const struct { const char *yaml, *from, *want; } rows[] = {
		{ "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: d, namespace: in}\nspec: {host: web, subsets: [{name: v2, labels: {version: v2}}]}\n---\n"
		  "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: in}\n"
		  "spec: {hosts: [web], http: [{route: [{destination: {host: web, subset: v2}}]}]}\n", "pod/in/client", "delivered 200 in/web:80 web-2:8080" },
		{ "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: in}\nspec:\n  parentRefs: [{group: '', kind: Service, name: web}]\n"
		  "  rules: [{filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]}]\n", "pod/in/client", "delivered 301 - client:15001" },
		{ "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: in}\nspec: {mtls: {mode: STRICT}}\n", "pod/default/plain", "rejected; rejected" },
		{ "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: in}\nspec: {mtls: {mode: STRICT}}\n", "pod/in/client",
		  "delivered 200 in/web:80 web-1:8080; delivered 200 in/web:80 web-2:8080" },
		{ "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {rules: [{from: [{source: {principals: ['*/sa/client']}}]}]}\n",
		  "pod/default/plain", "delivered 403 - web-1:15006; delivered 403 - web-2:15006" },
		{ "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {rules: [{from: [{source: {principals: ['*/sa/client']}}]}]}\n",
		  "pod/in/client", "delivered 200 in/web:80 web-1:8080; delivered 200 in/web:80 web-2:8080" },
		{ "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio.io/dataplane-mode: ambient}}\n", "pod/default/plain", "unknown; unknown" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct lab l = mesh_lab();

		apply(&l, rows[k].yaml);
		settle(&l);
		SAME_TEXT(ask(&l, rows[k].from, "http://10.96.1.1/", NULL), rows[k].want);
		lab_free(&l);
	}
}

TEST(istio_gateways_take_requests_from_outside)
{
	struct lab l = mesh_lab();
	struct question q = { .from = "pod/in/client", .to = "http://10.96.9.9/web", .l4 = L4_TCP, .proto = PROTO_TCP };
	struct answer answer;
	struct err err = { 0 };

	apply(&l, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: gw, namespace: in}\nspec:\n  replicas: 0\n  selector: {matchLabels: {istio: ingressgateway}}\n"
		  "  template: {metadata: {labels: {istio: ingressgateway}}, spec: {containers: [{name: istio-proxy, image: auto}]}}\n"
		  "---\napiVersion: v1\nkind: Service\nmetadata: {name: gw, namespace: in}\nspec: {type: LoadBalancer, clusterIP: 10.96.9.9, selector: {istio: ingressgateway}, "
		  "ports: [{name: http2, port: 80, targetPort: 8080}]}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.60}]}}\n"
		  "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: in}\nspec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, "
		  "protocol: HTTP}, hosts: [shop.test]}]}\n"
		  "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: in}\nspec: {hosts: [shop.test], gateways: [g], http: [{match: [{uri: {prefix: /web}}], "
		  "route: [{destination: {host: web}}]}]}\n");
	pod(&l, "in", "gw-0", "istio: ingressgateway, sidecar.istio.io/inject: 'false'", "n1", "10.244.1.9", 8080);
	settle(&l);
	SAME_TEXT(ask(&l, "client", "http://shop.test/web", NULL), "delivered 200 in/web:80 web-1:8080; delivered 200 in/web:80 web-2:8080");
	SAME_TEXT(ask(&l, "client", "http://shop.test/other", "lb/in/gw"), "delivered 404 - gw-0:8080");
	SAME_TEXT(ask(&l, "client", "http://else.test/web", "lb/in/gw"), "delivered 404 - gw-0:8080");

	/* a Pod with a sidecar asks it: two proxies in a row, and the sidecar of the last Pod */
	q.headers = &(struct http_pair){ "Host", "shop.test" };
	q.nr_headers = 1;
	CU_ASSERT_FATAL(question_ask(&l.w, &q, l.a, &answer, &err));
	CU_ASSERT_EQUAL_FATAL(answer.nr, 2);
	CU_ASSERT_EQUAL(answer.v[0].http->status, 200);
	CU_ASSERT_EQUAL(answer.v[0].walk->there.as_seen.dport, 15001);
	CU_ASSERT_EQUAL_FATAL(answer.v[0].nr_between, 1);
	CU_ASSERT_EQUAL(answer.v[0].between[0]->there.as_seen.dport, 8080);
	CU_ASSERT_TRUE(ip_eq(answer.v[0].second->there.as_seen.src, answer.v[0].between[0]->there.as_seen.dst));   /* the Gateway's Pod dials on */
	CU_ASSERT_PTR_NOT_NULL(answer.v[0].third);
	SAME_TEXT(answer.v[0].pod->o.name, "web-1");
	q.to = "http://10.96.9.9/other";
	CU_ASSERT_FATAL(question_ask(&l.w, &q, l.a, &answer, &err));
	CU_ASSERT_EQUAL(answer.v[0].http->status, 404);

	/* a policy behind it sees the request as the Gateway hands it on */
	apply(&l, "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {selector: {matchLabels: {app: web}}, rules: [{to: [{operation: {hosts: [in.test], "
		  "paths: [/web]}}]}]}\n---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: in}\nspec: {hosts: [shop.test], gateways: [g], http: [{rewrite: "
		  "{authority: in.test}, route: [{destination: {host: web}}]}]}\n");
	settle(&l);
	q.to = "http://10.96.9.9/web";
	CU_ASSERT_FATAL(question_ask(&l.w, &q, l.a, &answer, &err));
	CU_ASSERT_EQUAL(answer.v[0].http->status, 200);
	q.to = "http://10.96.9.9/web/more";
	CU_ASSERT_FATAL(question_ask(&l.w, &q, l.a, &answer, &err));
	CU_ASSERT_EQUAL(answer.v[0].http->status, 403);
	lab_free(&l);
}
