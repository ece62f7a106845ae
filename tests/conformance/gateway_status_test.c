/* Gateways and Ingresses under their controllers: the objects of --controller, conditions, and that a second settling changes nothing. */
#include "model/cluster/apply.h"
#include "model/control/control.h"
#include "model/control/defaults.h"
#include "model/l7/controllers.h"
#include "tests/unit/feed.h"

static const char yaml[] =
	"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: example}\nspec: {controllerName: example.net/gateway}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: foreign}\nspec: {controllerName: other.example/gateway}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec:\n  gatewayClassName: example\n  listeners:\n"
	"  - {name: http, port: 80, protocol: HTTP}\n  - {name: odd, port: 81, protocol: INVALID}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: waits}\nspec: {gatewayClassName: foreign, listeners: [{name: http, port: 80, protocol: HTTP}]}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n  parentRefs: [{name: gw}, {name: gw, sectionName: none}, {name: waits}]\n"
	"  rules: [{backendRefs: [{name: ghost, port: 80}]}]\n"
	"---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: web, annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}}\n"
	"spec: {controller: example.net/ingress}\n"
	"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {defaultBackend: {service: {name: ghost, port: {number: 80}}}}\n";

static const char *condition_text(const condition_list *l, const char *type)
{
	static char text[200];
	const struct condition *c = condition_get(l, type);

	snprintf(text, sizeof(text), "%s %s", c ? cond_status_names[c->status] : "-", c ? c->reason : "-");
	return text;
}

TEST(gateways_get_data_planes_and_conditions)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct control *t = control_new(c);
	str names[] = { cluster_str(c, "example.net/gateway"), cluster_str(c, "example.net/ingress") };
	const struct gateway *gw, *waits;
	const struct http_route *r;
	rev_t rev;

	cluster_flags(c)->controllers = (str_list){ names, 2, true };
	feed_cluster(c, VALIDATE_STRICT, yaml);
	defaults_add(c);
	control_settle(t);
	CU_ASSERT_PTR_NOT_NULL(cluster_find(c, &deployment_kind, CONTROLLER_NS, "example-net-ingress"));
	CU_ASSERT_PTR_NOT_NULL(find_service(c, CONTROLLER_NS, "gateway-default-gw"));
	CU_ASSERT_PTR_NULL(find_service(c, CONTROLLER_NS, "gateway-default-waits"));
	CU_ASSERT_EQUAL(find_service(c, CONTROLLER_NS, "gateway-default-gw")->ports.nr, 2);

	gw = (const struct gateway *)cluster_find(c, &gateway_kind, "default", "gw");
	waits = (const struct gateway *)cluster_find(c, &gateway_kind, "default", "waits");
	r = (const struct http_route *)cluster_find(c, &http_route_kind, "default", "r");
	SAME_TEXT(condition_text(&gw->conditions, "Accepted"), "True ListenersNotValid");
	CU_ASSERT_EQUAL_FATAL(gw->st_listeners.nr, 2);
	SAME_TEXT(condition_text(&gw->st_listeners.v[0].conditions, "Accepted"), "True Accepted");
	SAME_TEXT(condition_text(&gw->st_listeners.v[0].conditions, "Programmed"), "True Programmed");
	SAME_TEXT(condition_text(&gw->st_listeners.v[0].conditions, "Conflicted"), "False NoConflicts");
	CU_ASSERT_EQUAL(gw->st_listeners.v[0].attached, 1);
	SAME_TEXT(condition_text(&gw->st_listeners.v[1].conditions, "Accepted"), "False UnsupportedProtocol");
	SAME_TEXT(condition_text(&waits->conditions, "Accepted"), "Unknown Pending");
	CU_ASSERT_EQUAL_FATAL(r->st_parents.nr, 2);             /* nobody speaks for the third parent */
	SAME_TEXT(condition_text(&r->st_parents.v[0].conditions, "Accepted"), "True Accepted");
	SAME_TEXT(condition_text(&r->st_parents.v[0].conditions, "ResolvedRefs"), "False BackendNotFound");
	SAME_TEXT(condition_text(&r->st_parents.v[1].conditions, "Accepted"), "False NoMatchingParent");
	SAME_TEXT(condition_text(&((const struct gateway_class *)cluster_find(c, &gateway_class_kind, NULL, "example"))->conditions, "Accepted"), "True Accepted");
	SAME_TEXT(((const struct ingress *)cluster_find(c, &ingress_kind, "default", "i"))->class_name, "web");
	rev = cluster_rev(c);
	control_settle(t);
	CU_ASSERT_EQUAL(cluster_rev(c), rev);

	apply_delete(c, cluster_find(c, &gateway_kind, "default", "gw"));
	control_settle(t);
	CU_ASSERT_PTR_NULL(find_service(c, CONTROLLER_NS, "gateway-default-gw"));
	CU_ASSERT_EQUAL(r->st_parents.nr, 0);
	cluster_free(c);
}

TEST(grpc_requests_are_unknown_where_a_GRPCRoute_is_attached)
{
	static const char routes[] = "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: calls}\nspec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: a, port: 80}]}]}\n";
	struct http_pair grpc = { "content-type", "application/grpc+proto" };
	struct http_request rq = { .scheme = "http", .host = "x.test", .port = 80, .method = "POST", .path = "/foo.Bar/Login", .headers = &grpc, .nr_headers = 1 };

	for (int with = 0; with < 2; with++) {
		struct cluster *c = cluster_new(NULL, 1);
		struct arena *a = arena_new(NULL, "test");
		struct http_decision d;

		feed_cluster(c, VALIDATE_STRICT, yaml);
		if (with)
			feed_cluster(c, VALIDATE_STRICT, routes);
		d = routes_match(routes_compile_gateway(c, (const struct gateway *)cluster_find(c, &gateway_kind, "default", "gw"), a), &rq, a);
		CU_ASSERT_FATAL(d.nr == 1);
		CU_ASSERT_EQUAL(d.v[0].unknown != NULL, with == 1);
		rq.nr_headers = 0;                      /* a request that is no gRPC */
		d = routes_match(routes_compile_gateway(c, (const struct gateway *)cluster_find(c, &gateway_kind, "default", "gw"), a), &rq, a);
		CU_ASSERT_PTR_NULL(d.v[0].unknown);
		rq.nr_headers = 1;
		arena_free(a);
		cluster_free(c);
	}
}
