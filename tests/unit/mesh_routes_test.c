/* Routes of VirtualServices, as a client's sidecar and a gateway compile them. */
#include "tests/unit/mesh.h"

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
