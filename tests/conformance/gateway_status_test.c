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
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\nspec:\n  parentRefs: [{name: gw}, {name: gw, namespace: default, sectionName: none}, {name: waits}]\n"
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
	const struct gw_route *r;
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
	r = (const struct gw_route *)cluster_find(c, &http_route_kind, "default", "r");
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

static const char more[] =
	"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: example}\nspec: {controllerName: example.net/gateway}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec:\n  gatewayClassName: example\n  allowedListeners: {namespaces: {from: Same}}\n"
	"  listeners: [{name: http, port: 80, protocol: HTTP}, {name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP},\n"
	"    {name: odd, port: 80, protocol: SCTP}]\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\nmetadata: {name: set}\nspec: {parentRef: {name: gw}, listeners: [{name: more, port: 8080, protocol: HTTP}]}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: calls}\nspec: {parentRefs: [{name: gw}, {name: set, kind: ListenerSet}], rules: [{backendRefs: [{name: a, port: 80}]}]}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: UDPRoute\nmetadata: {name: names}\nspec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: a, port: 53}]}]}\n"
	"---\napiVersion: gateway.networking.k8s.io/v1\nkind: TLSRoute\nmetadata: {name: sealed}\nspec: {parentRefs: [{name: gw}], hostnames: [x.test], rules: [{backendRefs: [{name: a, port: 443}]}]}\n";

static const struct gw_route *route_of(struct cluster *c, const struct kind *kind, const char *name)
{
	const struct object *o = cluster_find(c, kind, "default", name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	return (const struct gw_route *)o;
}

TEST(routes_of_every_kind_and_listener_sets_get_conditions)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct control *t = control_new(c);
	str names[] = { cluster_str(c, "example.net/gateway") };
	const struct gateway *gw;
	const struct listener_set *set;
	const struct service *s;
	const struct gw_route *calls;
	rev_t rev;

	cluster_flags(c)->controllers = (str_list){ names, 1, true };
	feed_cluster(c, VALIDATE_STRICT, more);
	defaults_add(c);
	control_settle(t);
	gw = (const struct gateway *)cluster_find(c, &gateway_kind, "default", "gw");
	set = (const struct listener_set *)cluster_find(c, &listener_set_kind, "default", "set");
	s = find_service(c, CONTROLLER_NS, "gateway-default-gw");
	CU_ASSERT_FATAL(gw && set && s);
	CU_ASSERT_EQUAL_FATAL(s->ports.nr, 4);
	CU_ASSERT(s->ports.v[1].port == 53 && s->ports.v[1].protocol == L4_UDP && s->ports.v[2].port == 53 && s->ports.v[2].protocol != L4_UDP && s->ports.v[3].port == 8080);
	CU_ASSERT_EQUAL_FATAL(gw->st_listeners.nr, 4);
	SAME_TEXT(condition_text(&gw->st_listeners.v[3].conditions, "Accepted"), "False UnsupportedProtocol");
	SAME_TEXT(condition_get(&gw->st_listeners.v[3].conditions, "Accepted")->message, "protocol SCTP is not supported: HTTP, HTTPS, TLS, TCP, UDP are");
	CU_ASSERT(gw->st_sets.set && gw->st_sets.v == 1);
	SAME_TEXT(condition_text(&set->conditions, "Accepted"), "True Accepted");
	SAME_TEXT(condition_text(&set->conditions, "Programmed"), "True Programmed");
	CU_ASSERT_EQUAL_FATAL(set->st_listeners.nr, 1);
	CU_ASSERT_EQUAL(set->st_listeners.v[0].attached, 1);
	calls = route_of(c, &grpc_route_kind, "calls");
	CU_ASSERT_EQUAL_FATAL(calls->st_parents.nr, 2);
	for (uint32_t k = 0; k < 2; k++) {
		SAME_TEXT(condition_text(&calls->st_parents.v[k].conditions, "Accepted"), "True Accepted");
		SAME_TEXT(condition_text(&calls->st_parents.v[k].conditions, "ResolvedRefs"), "False BackendNotFound");
	}
	SAME_TEXT(condition_text(&route_of(c, &udp_route_kind, "names")->st_parents.v[0].conditions, "Accepted"), "True Accepted");
	SAME_TEXT(condition_text(&route_of(c, &tls_route_kind, "sealed")->st_parents.v[0].conditions, "Accepted"), "False NotAllowedByListeners");
	rev = cluster_rev(c);
	control_settle(t);
	CU_ASSERT_EQUAL(cluster_rev(c), rev);
	cluster_free(c);
}
