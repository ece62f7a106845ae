/* The sidecar mesh: injection, the redirect as istio-iptables writes it, routes of VirtualServices, policies. */
#include "model/cluster/apply.h"
#include "model/control/control.h"
#include "model/dataplane/packet.h"
#include "model/l7/mesh.h"
#include "tests/unit/feed.h"

/* A cluster with a mesh; namespace in is injected, out is not. */
static struct cluster *mesh(void)
{
	return feed_mesh("apiVersion: v1\nkind: Namespace\nmetadata: {name: in, labels: {istio-injection: enabled}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: out}\n");
}

static void add_pod(struct cluster *c, struct arena *a, const char *ns, const char *name, const char *labels, const char *more, const char *ip)
{
	feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {%s}%s}\nspec: {serviceAccountName: %s, containers: [{name: c, image: x}]}\n"
				 "status: {phase: Running, podIP: %s, conditions: [{type: Ready, status: 'True'}]}\n", name, ns, labels, more, name, ip));
}

TEST(sidecars_are_injected_where_labels_ask)
{
	static const struct { const char *ns, *labels, *more; bool injected; } rows[] = {
		{ "in", "app: x", "", true },
		{ "out", "app: x", "", false },
		{ "out", "sidecar.istio.io/inject: 'true'", "", true },
		{ "in", "sidecar.istio.io/inject: 'false'", "", false },
		{ "in", "app: x", ", annotations: {sidecar.istio.io/inject: 'false'}", false },
	};
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const char *name = arena_printf(a, "p%zu", k);
		const struct pod *p;

		add_pod(c, a, rows[k].ns, name, rows[k].labels, rows[k].more, "10.244.1.1");
		p = find_pod(c, rows[k].ns, name);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(mesh_sidecar(p->spec) != NULL, rows[k].injected);
		CU_ASSERT_EQUAL(mesh_capture(p->spec).set, rows[k].injected);
		CU_ASSERT_EQUAL(p->spec->containers.nr, rows[k].injected ? 2u : 1u);
	}
	arena_free(a);
	cluster_free(c);
}

static void check_rules(const char *annotations, bool v6, const char *want)
{
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");
	struct ruleset *rs = ruleset_new(a, cluster_strings(c), NULL);
	struct print_rules how = { .counters = false };
	struct mesh_capture m;
	struct sb out = { 0 };

	add_pod(c, a, "in", "p", "app: x", annotations, "10.244.1.1");
	m = mesh_capture(find_pod(c, "in", "p")->spec);
	mesh_rules(rs, &m, v6, 0);
	ruleset_finish(rs);
	print_iptables(rs, v6 ? NF_IP6 : NF_IP, &how, NULL, NULL, &out);
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), want));
	if (!strstr(sb_text(&out), want))
		SAME_TEXT(strstr(sb_text(&out), "-A"), want);
	sb_free(&out);
	arena_free(a);
	cluster_free(c);
}

TEST(the_redirect_is_istios)
{
	check_rules("", false,
		    "-A PREROUTING -p tcp -j ISTIO_INBOUND\n"
		    "-A OUTPUT -j ISTIO_OUTPUT\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15090 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15021 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15020 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\n"
		    "-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006\n"
		    "-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\n"
		    "-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_OUTPUT -o lo -m owner ! --gid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n"
		    "-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n");
	check_rules(", annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: '3306', traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.1.0.0/16, "
		    "traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8}", false,
		    "-A ISTIO_OUTPUT -p tcp -m tcp --dport 3306 -j RETURN\n"
		    "-A ISTIO_OUTPUT -p udp -m udp --dport 3306 -j RETURN\n"
		    "-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\n");
	check_rules(", annotations: {traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.1.0.0/16, traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8}", false,
		    "-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n"
		    "-A ISTIO_OUTPUT -d 10.1.0.0/16 -j RETURN\n"
		    "-A ISTIO_OUTPUT -d 10.0.0.0/8 -j ISTIO_REDIRECT\n");
	check_rules(", annotations: {traffic.sidecar.istio.io/includeInboundPorts: '8080,9090'}", false,
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 8080 -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 9090 -j ISTIO_IN_REDIRECT\n");
}

/* ---- routes */

static const char services[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: in}\nspec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: ratings, namespace: in}\nspec: {ports: [{name: http, port: 9080}]}\n"
	"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews, namespace: in}\n"
	"spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}\n"
	"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews-more, namespace: in}\nspec: {host: reviews.in.svc.cluster.local, subsets: [{name: more, labels: {version: v2}}]}\n"
	"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ratings, namespace: istio-system}\nspec: {host: ratings.in.svc.cluster.local, exportTo: ['.'], subsets: [{name: far, labels: {a: b}}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: one, namespace: in}\nspec: {ports: [{name: http, port: 8000}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: two, namespace: in}\nspec: {ports: [{name: http, port: 80}, {name: more, port: 81}]}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: o-1, namespace: in, labels: {kubernetes.io/service-name: one}}\naddressType: IPv4\n"
	"ports: [{name: http, port: 9080, protocol: TCP}]\nendpoints: [{addresses: [10.244.2.9]}]\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: w-1, namespace: in, labels: {kubernetes.io/service-name: two}}\naddressType: IPv4\n"
	"ports: [{name: more, port: 9080, protocol: TCP}]\nendpoints: [{addresses: [10.244.2.9]}]\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: r-1, namespace: in, labels: {kubernetes.io/service-name: reviews}}\naddressType: IPv4\n"
	"ports: [{name: http, port: 9080, protocol: TCP}]\nendpoints:\n"
	"- {addresses: [10.244.2.1], targetRef: {kind: Pod, name: r1, namespace: in}}\n- {addresses: [10.244.2.2], targetRef: {kind: Pod, name: r2, namespace: in}}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: t-1, namespace: in, labels: {kubernetes.io/service-name: ratings}}\naddressType: IPv4\n"
	"ports: [{name: http, port: 9080, protocol: TCP}]\nendpoints: [{addresses: [10.244.2.9]}]\n";

static const char *answer(struct cluster *c, const struct route_table *t, const char *path, const char *header, struct arena *a)
{
	const char *colon = header ? strchr(header, ':') : NULL, *out = "";
	struct http_pair h = { colon ? arena_strndup(a, header, (size_t)(colon - header)) : "", colon ? colon + 2 : "" };
	struct http_request rq = { .scheme = "http", .host = "reviews", .port = 9080, .method = "GET", .path = path, .headers = &h, .nr_headers = colon != NULL };
	struct http_decision d = routes_match(t, &rq, a);

	for (uint32_t k = 0; k < d.nr; k++) {
		const struct http_backend *b = &d.v[k];
		const char *one = b->location ? arena_printf(a, "%d → %s", b->status, b->location) : b->service ? arena_printf(a, "%d %s %s", b->status, b->service->o.name, b->req_path)
													   : arena_printf(a, "%d", b->status);
		uint32_t nr = 0;
		struct http_endpoint *e = b->service ? service_endpoints(c, b->service, b->port, b->subset, a, &nr) : NULL;

		for (uint32_t i = 0; i < nr; i++)
			one = arena_printf(a, "%s %s", one, IP(e[i].ip));
		if (b->delay)
			one = arena_printf(a, "%s after %d s", one, (int)(b->delay / SECONDS(1)));
		if (b->den != 1)
			one = arena_printf(a, "%" PRIu64 "/%" PRIu64 " %s", b->num, b->den, one);
		out = *out ? arena_printf(a, "%s, %s", out, one) : one;
	}
	return out;
}

static const struct { const char *http, *path, *header, *want; } routes[] = {
	{ "[{route: [{destination: {host: reviews, subset: v1}}]}]", "/", NULL, "200 reviews / 10.244.2.1" },
	{ "[{route: [{destination: {host: reviews}}]}]", "/", NULL, "200 reviews / 10.244.2.1 10.244.2.2" },
	{ "[{route: [{destination: {host: reviews, subset: v1}, weight: 75}, {destination: {host: reviews, subset: v2}, weight: 25}]}]", "/", NULL,
	  "3/4 200 reviews / 10.244.2.1, 1/4 200 reviews / 10.244.2.2" },
	{ "[{route: [{destination: {host: reviews, subset: v3}}]}]", "/", NULL, "503" },
	{ "[{match: [{headers: {end-user: {exact: jason}}}], route: [{destination: {host: reviews, subset: v2}}]}, {route: [{destination: {host: reviews, subset: v1}}]}]", "/",
	  "end-user: jason", "200 reviews / 10.244.2.2" },
	{ "[{match: [{headers: {end-user: {exact: jason}}}], route: [{destination: {host: reviews, subset: v2}}]}, {route: [{destination: {host: reviews, subset: v1}}]}]", "/",
	  "end-user: other", "200 reviews / 10.244.2.1" },
	{ "[{match: [{uri: {prefix: /a}}], route: [{destination: {host: ratings}}]}, {match: [{uri: {prefix: /a/b}}], route: [{destination: {host: reviews}}]}]", "/a/b", NULL,
	  "200 ratings /a/b 10.244.2.9" },              /* the first in the text, not the longest */
	{ "[{match: [{uri: {prefix: /rev}}], rewrite: {uri: /}, route: [{destination: {host: ratings}}]}]", "/reviews/0", NULL, "200 ratings /iews/0 10.244.2.9" },
	{ "[{match: [{uri: {regex: '/v[12]/.*'}}], rewrite: {uriRegexRewrite: {match: '^/v([12])/(.*)$', rewrite: '/\\2/\\1'}}, route: [{destination: {host: ratings}}]}]", "/v1/x", NULL,
	  "200 ratings /x/1 10.244.2.9" },
	{ "[{match: [{uri: {exact: /OLD}, ignoreUriCase: true}], redirect: {uri: /new, authority: other.test}}]", "/old", NULL, "301 → http://other.test/new" },
	{ "[{match: [{uri: {prefix: /old/}}], redirect: {prefixRewrite: /new/, redirectCode: 308}}]", "/old/x", NULL, "308 → http://reviews/new/x" },
	{ "[{match: [{withoutHeaders: {x: {regex: '*'}}}], directResponse: {status: 201}}, {directResponse: {status: 202}}]", "/", NULL, "201" },
	{ "[{match: [{withoutHeaders: {x: {regex: '*'}}}], directResponse: {status: 201}}, {directResponse: {status: 202}}]", "/", "x: y", "202" },
	{ "[{match: [{withoutHeaders: {x: {exact: z}}}], directResponse: {status: 201}}, {directResponse: {status: 202}}]", "/", NULL, "201" },
	{ "[{match: [{withoutHeaders: {x: {regex: '.*'}}}], directResponse: {status: 201}}, {directResponse: {status: 202}}]", "/", NULL, "202" },     /* absent is compared as empty */
	{ "[{directResponse: {status: 418}}]", "/", NULL, "418" },
	{ "[{fault: {abort: {percentage: {value: 10}, httpStatus: 503}}, route: [{destination: {host: ratings}}]}]", "/", NULL, "1/10 503, 9/10 200 ratings / 10.244.2.9" },
	{ "[{fault: {delay: {percentage: {value: 100}, fixedDelay: 7s}}, route: [{destination: {host: ratings}}]}]", "/", NULL, "200 ratings / 10.244.2.9 after 7 s" },
	{ "[{match: [{uri: {prefix: /x}}], route: [{destination: {host: ratings}}]}]", "/y", NULL, "404" },
	{ "[{match: [{scheme: {exact: https}}], route: [{destination: {host: ratings}}]}, {route: [{destination: {host: reviews, subset: v1}}]}]", "/", NULL, "200 reviews / 10.244.2.1" },
	{ "[{match: [{scheme: {exact: http}}], route: [{destination: {host: ratings}}]}]", "/", NULL, "200 ratings / 10.244.2.9" },
	{ "[{route: [{destination: {host: one}}]}]", "/", NULL, "200 one / 10.244.2.9" },               /* its only port, whatever was asked */
	{ "[{route: [{destination: {host: two}}]}]", "/", NULL, "503" },                                /* several ports, and 9080 is none of them */
	{ "[{route: [{destination: {host: two, port: {number: 81}}}]}]", "/", NULL, "200 two / 10.244.2.9" },
	{ "[{route: [{destination: {host: reviews, subset: more}}]}]", "/", NULL, "200 reviews / 10.244.2.2" },  /* subsets of two rules for one host */
	{ "[{route: [{destination: {host: ratings, subset: far}}]}]", "/", NULL, "503" },               /* that rule is not exported */
	{ "[{match: [{sourceLabels: {app: nobody}}], route: [{destination: {host: ratings}}]}, {route: [{destination: {host: reviews, subset: v1}}]}]", "/", NULL, "200 reviews / 10.244.2.1" },
};

TEST(virtual_services_route_in_the_order_of_their_text)
{
	for (size_t k = 0; k < ARRAY_LEN(routes); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		struct route_table *t;

		feed_cluster(c, VALIDATE_IGNORE, services);
		add_pod(c, a, "in", "client", "app: client", "", "10.244.1.1");
		add_pod(c, a, "in", "r1", "app: reviews, version: v1", "", "10.244.2.1");
		add_pod(c, a, "in", "r2", "app: reviews, version: v2", "", "10.244.2.2");
		feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews, namespace: in}\nspec: {hosts: [reviews], http: %s}\n", routes[k].http));
		t = routes_compile_sidecar(c, find_pod(c, "in", "client"), &(struct mesh_dialled){ .port = 9080, .host = "reviews" }, a);
		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		SAME_TEXT(answer(c, t, routes[k].path, routes[k].header, a), routes[k].want);
		arena_free(a);
		cluster_free(c);
	}
}

/* Of several VirtualServices for one host of a Gateway, what catches all comes last, whoever is older. */
TEST(catch_alls_of_a_gateway_come_last)
{
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");
	struct route_table *t;

	feed_cluster(c, VALIDATE_IGNORE, services);
	add_pod(c, a, "in", "gw", "istio: ingressgateway", "", "10.244.1.1");
	feed_cluster(c, VALIDATE_IGNORE,
		     "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: in}\nspec: {selector: {istio: ingressgateway}, servers: [{port: {number: 9080, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
		     "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, namespace: in}\nspec: {hosts: ['*'], gateways: [g], http: [{route: [{destination: {host: one}}]}]}\n"
		     "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: b, namespace: in}\nspec: {hosts: ['*'], gateways: [g], http: [{match: [{uri: {prefix: /b}}], route: [{destination: {host: ratings}}]}]}\n");
	t = routes_compile_istio(c, find_pod(c, "in", "gw"), NULL, a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	SAME_TEXT(answer(c, t, "/b/c", NULL, a), "200 ratings /b/c 10.244.2.9");
	SAME_TEXT(answer(c, t, "/", NULL, a), "200 one / 10.244.2.9");
	arena_free(a);
	cluster_free(c);
}

/* One route, asked by the client's sidecar. */
static struct http_decision decide(struct cluster *c, const char *http, struct arena *a)
{
	const struct http_request rq = { .scheme = "http", .host = "reviews", .port = 9080, .method = "GET", .path = "/" };
	struct route_table *t;

	feed_cluster(c, VALIDATE_IGNORE, services);
	add_pod(c, a, "in", "client", "app: client", "", "10.244.1.1");
	feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews, namespace: in}\nspec: {hosts: [reviews], http: [%s]}\n", http));
	t = routes_compile_sidecar(c, find_pod(c, "in", "client"), &(struct mesh_dialled){ .port = 9080, .host = "reviews" }, a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	return routes_match(t, &rq, a);
}

#define COPY "{destination: {host: reviews}, percentage: {value: 33.3331}}"

TEST(shares_of_many_chances_add_up)
{
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");
	struct http_decision d = decide(c, "{fault: {delay: {percentage: {value: 33.3333}, fixedDelay: 1s}, abort: {percentage: {value: 12.3457}, httpStatus: 503}}, "
					   "mirrors: [" COPY ", " COPY ", " COPY "], route: [{destination: {host: ratings}}]}", a);
	double sum = 0;

	CU_ASSERT_EQUAL(d.nr, 2 * (1 + 8));
	for (uint32_t k = 0; k < d.nr; k++)
		sum += (double)d.v[k].num / (double)d.v[k].den;
	CU_ASSERT(sum > 0.999999 && sum < 1.000001);
	arena_free(a);
	cluster_free(c);
}

TEST(more_mirrors_than_can_be_told_apart_are_unknown)
{
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");
	struct http_decision d = decide(c, "{mirrors: [" COPY ", " COPY ", " COPY ", " COPY ", " COPY ", " COPY ", " COPY ", " COPY ", " COPY "], route: [{destination: {host: ratings}}]}", a);

	CU_ASSERT_EQUAL(d.nr, 1);
	CU_ASSERT_PTR_NOT_NULL(d.v[0].unknown);
	arena_free(a);
	cluster_free(c);
}

/* ---- policies */

static const struct { const char *policies, *client_ns, *method, *path; bool allowed; } rules[] = {
	{ "", "in", "GET", "/", true },
	{ "spec: {}", "in", "GET", "/", false },                                                        /* an ALLOW without rules: nobody */
	{ "spec: {rules: [{}]}", "in", "GET", "/", true },
	{ "spec: {action: DENY, rules: [{}]}", "in", "GET", "/", false },
	{ "spec: {selector: {matchLabels: {app: other}}}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {principals: [cluster.local/ns/in/sa/client]}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {principals: ['*/sa/client']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {namespaces: [in]}}]}]}", "out", "GET", "/", false },         /* without a sidecar there is no identity */
	{ "spec: {rules: [{from: [{source: {notNamespaces: [in]}}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{from: [{source: {ipBlocks: [10.244.1.0/24]}}]}]}", "out", "GET", "/", true },
	{ "spec: {rules: [{to: [{operation: {methods: [GET], paths: [/info*]}}]}]}", "in", "GET", "/info/x?y", true },
	{ "spec: {rules: [{to: [{operation: {methods: [GET], paths: [/info*]}}]}]}", "in", "POST", "/info", false },
	{ "spec: {rules: [{to: [{operation: {methods: [GET]}}, {operation: {paths: [/open]}}]}]}", "in", "POST", "/open", true },
	{ "spec: {rules: [{to: [{operation: {ports: ['9080']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{to: [{operation: {methods: [GET]}}]}]}", "in", NULL, NULL, false },           /* no HTTP: the rule cannot match */
	{ "spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}", "in", NULL, NULL, false },     /* a DENY leaves the HTTP field out */
	{ "spec: {rules: [{when: [{key: 'request.headers[x]', values: [a*]}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{to: [{operation: {ports: ['9080']}}, {operation: {methods: [GET]}}]}]}", "in", NULL, NULL, false },  /* the whole rule is none for TCP */
	{ "spec: {rules: [{to: [{operation: {ports: ['9080']}}]}, {to: [{operation: {methods: [GET]}}]}]}", "in", NULL, NULL, true },
	{ "spec: {rules: [{from: [{source: {serviceAccounts: [client]}}]}]}", "in", "GET", "/", true },         /* of the policy's namespace */
	{ "spec: {rules: [{from: [{source: {serviceAccounts: [out/client]}}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{from: [{source: {trustDomains: [cluster.local]}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {trustDomains: ['*.local']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {notTrustDomains: [cluster.local]}}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{from: [{source: {namespaces: ['i*']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{when: [{key: destination.ip, values: [10.244.2.0/24]}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{when: [{key: source.serviceAccount, notValues: [in/client]}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{to: [{operation: {paths: ['/a/{*}/c']}}]}]}", "in", "GET", "/a/b/c?d", true },
	{ "spec: {rules: [{to: [{operation: {paths: ['/a/{*}/c']}}]}]}", "in", "GET", "/a/b/b/c", false },
	{ "spec: {rules: [{to: [{operation: {paths: ['/a/{**}']}}]}]}", "in", "GET", "/a/b/b/c", true },
	{ "spec: {rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}", "in", "GET", "/", false },         /* nobody reads tokens */
	{ "spec: {action: DENY, rules: [{from: [{source: {notRequestPrincipals: ['*']}}]}]}", "in", "GET", "/", false },
	{ "spec: {targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}]}", "in", "GET", "/", true },         /* not for sidecars */
	{ "spec: {action: CUSTOM, provider: {name: x}, rules: [{to: [{operation: {paths: [/admin]}}]}]}", "in", "GET", "/", true },     /* is not asked */
	{ "metadata: {annotations: {istio.io/dry-run: 'true'}, name: p, namespace: in}\nspec: {action: DENY, rules: [{}]}", "in", "GET", "/", true },
};

TEST(authorization_policies_decide_as_istio_does)
{
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		struct mesh_source from = { 0 };
		struct http_request rq = { .method = rules[k].method, .path = rules[k].path, .host = "web" };
		const struct pod *client, *web;
		struct mesh_verdict v;

		add_pod(c, a, rules[k].client_ns, "client", "app: client", "", "10.244.1.1");
		add_pod(c, a, "in", "web", "app: web", "", "10.244.2.1");
		if (*rules[k].policies)
			feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n%s%s\n",
						   strstr(rules[k].policies, "metadata:") ? "" : "metadata: {name: p, namespace: in}\n", rules[k].policies));
		client = find_pod(c, rules[k].client_ns, "client");
		web = find_pod(c, "in", "web");
		from.ip = client->ip;
		if (mesh_mutual_tls(c, client, web, 9080, NULL)) {
			from.principal = mesh_principal(c, client, a);
			from.ns = client->o.ns;
		}
		v = mesh_authorized(c, web, 9080, &from, rules[k].method ? &rq : NULL, a);
		if (v.allowed != rules[k].allowed)
			fprintf(stderr, "\n%s: %s\n", rules[k].policies, v.why);
		CU_ASSERT_EQUAL(v.allowed, rules[k].allowed);
		CU_ASSERT_PTR_NULL(v.unknown);
		arena_free(a);
		cluster_free(c);
	}
}

TEST(strict_peers_refuse_plain_connections)
{
	static const struct { const char *spec; bool plain, mutual; } modes[] = {
		{ NULL, true, true },
		{ "spec: {mtls: {mode: STRICT}}", false, true },
		{ "spec: {mtls: {mode: PERMISSIVE}}", true, true },
		{ "spec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {'9080': {mode: DISABLE}}}", true, false },
		{ "spec: {selector: {matchLabels: {app: other}}, mtls: {mode: STRICT}}", true, true },
		{ "spec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {'9080': {mode: UNSET}}}", false, true },
	};

	for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");

		add_pod(c, a, "in", "web", "app: web", "", "10.244.2.1");
		if (modes[k].spec)
			feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: in}\n%s\n", modes[k].spec));
		CU_ASSERT_EQUAL(mesh_peer_allowed(c, find_pod(c, "in", "web"), 9080, false, a).allowed, modes[k].plain);
		CU_ASSERT_EQUAL(mesh_peer_allowed(c, find_pod(c, "in", "web"), 9080, true, a).allowed, modes[k].mutual);
		arena_free(a);
		cluster_free(c);
	}
}

/* What should be a list or map and is not never reaches the model. */
TEST(values_of_another_type_are_refused)
{
	static const char *const odd[] = {
		"security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {selector: {matchLabels: [{}]}, rules: -1}",
		"security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {rules: [{from: 1, to: x, when: [{key: source.ip, values: x}]}]}",
		"security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {rules: [{from: [{source: [null]}], to: [{operation: {paths: x}}]}]}",
		"security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: in}\nspec: {selector: {matchLabels: -1}, portLevelMtls: [null]}",
		"networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: p, namespace: in}\nspec: {host: web, exportTo: x, subsets: -1}",
		"networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: p, namespace: in}\nspec: {egress: [{hosts: [1, x, '~', '/', '~/', '*/']}, 3, x], workloadSelector: {labels: [1]}, outboundTrafficPolicy: 3}",
		"networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: p, namespace: in}\nspec: x",
		"networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: p, namespace: in}\nspec: {hosts: [1, web], addresses: x, exportTo: [1], ports: [{number: 80, protocol: 7}, x], endpoints: {a: b}, resolution: STATIC}",
		"networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: p, namespace: in}\nspec: {hosts: [web], tcp: [1, {match: x, route: y}, {match: [{port: x, destinationSubnets: [1, z]}], route: [1]}], tls: {a: 1}}",
		"networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: p, namespace: in}\nspec: {hosts: [web], http: [{match: [{headers: [{}], queryParams: x}], headers: {request: {set: [{}]}}}]}",
	};

	for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
		struct cluster *c = mesh();
		struct world_options opt = { .apply = { .unknown = VALIDATE_IGNORE, .validate = true, .create_namespaces = true } };
		struct arena *a = arena_new(NULL, "test");
		const char *text = arena_printf(a, "apiVersion: %s\n", odd[k]);
		struct err err = { 0 };

		docs_read("test.yaml", text, strlen(text), NULL, feed_take, &(struct feed){ .c = c, .opt = &opt }, &err);
		CU_ASSERT_TRUE(err_any(&err));
		err_free(&err);
		arena_free(a);
		cluster_free(c);
	}
}

/* ---- what a sidecar does with what it took: the listener by address, port and protocol, then Host or hello (istio pilot/pkg/networking/core/listener.go, tls.go, httproute.go) */

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

/* A gateway's own policies come before its routes; it believes no X-Forwarded-For (use_remote_address), a sidecar believes the last of it. */
TEST(a_gateway_asks_its_own_policies)
{
	static const char objects[] =
		"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: in}\nspec: {selector: {app: gate}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
		"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: g, namespace: in}\nspec: {hosts: ['*'], gateways: [gw], http: [{directResponse: {status: 201}}]}\n";
	static const struct { const char *kind, *spec, *ns, *header; int status; } rows[] = {
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, rules: [{from: [{source: {ipBlocks: [203.0.113.0/24]}}]}]}", "out", NULL, 201 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, rules: [{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}]}", "out", NULL, 403 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, rules: [{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}]}", "out", "10.0.0.1", 403 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: other}}, action: DENY, rules: [{}]}", "out", NULL, 201 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, action: DENY, rules: [{to: [{operation: {paths: ['/admin*']}}]}]}", "out", NULL, 403 },
		{ "AuthorizationPolicy", "{action: DENY, rules: [{to: [{operation: {hosts: ['*.TEST']}}]}]}", "istio-system", NULL, 403 },      /* the root namespace's */
		{ "AuthorizationPolicy", "{action: DENY, rules: [{from: [{source: {namespaces: [in]}}]}]}", "out", NULL, 201 },                 /* who comes from outside has no namespace */
		{ "AuthorizationPolicy", "{action: CUSTOM, provider: {name: p}, rules: [{}]}", "out", NULL, 0 },
		{ "RequestAuthentication", "{jwtRules: [{issuer: a}]}", "out", NULL, 201 },
		{ "RequestAuthentication", "{jwtRules: [{issuer: a, fromHeaders: [{name: X-Forwarded-For}]}]}", "out", "a.b.c", 0 },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		struct http_pair header = { "X-Forwarded-For", rows[k].header };
		struct http_request rq = { .scheme = "http", .host = "x.test", .port = 80, .path = "/admin/1", .method = "GET", .headers = &header, .nr_headers = rows[k].header != NULL };
		struct http_decision d;

		feed_cluster(c, VALIDATE_IGNORE, objects);
		feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: security.istio.io/v1\nkind: %s\nmetadata: {name: p, namespace: %s}\nspec: %s\n", rows[k].kind, rows[k].ns, rows[k].spec));
		add_pod(c, a, "out", "gate", "app: gate", "", "10.244.1.1");
		CU_ASSERT_FATAL(ip_parse("203.0.113.9", &rq.client));
		d = routes_match(routes_compile_istio(c, find_pod(c, "out", "gate"), NULL, a), &rq, a);
		CU_ASSERT_EQUAL_FATAL(d.nr, 1);
		CU_ASSERT_EQUAL(d.v[0].status, rows[k].status);
		CU_ASSERT_EQUAL(d.v[0].unknown != NULL, !rows[k].status);
		if (d.v[0].status != rows[k].status)
			fprintf(stderr, "\n%s: %s\n", rows[k].spec, d.v[0].why);
		arena_free(a);
		cluster_free(c);
	}
}
