/* Gateway API: the kinds of routes. All decode into one struct, so that attachment, references and statuses are the same for all; what only one of them has stays
 * empty in the others. Source: gateway-api apis/v1/{httproute,grpcroute,tlsroute,tcproute,udproute}_types.go. */
#include "model/api/checks.h"
#include "model/api/net.h"
#include "model/api/rows.h"

static const struct field parent_fields[] = {
	ROW(F_STR, "group", struct parent_ref, group), ROW(F_STR, "kind", struct parent_ref, kind), ROW(F_STR, "namespace", struct parent_ref, ns), ROW_NEED(F_STR, "name", struct parent_ref, name),
	ROW(F_STR, "sectionName", struct parent_ref, section), ROW(F_OPT_INT, "port", struct parent_ref, port),
	FIELD_END
};
static const struct field header_match_fields[] = {
	ROW(F_STR, "type", struct header_match, type), ROW(F_STR, "name", struct header_match, name), ROW(F_STR, "value", struct header_match, value), FIELD_END
};
static const struct field path_fields[] = { ROW(F_STR, "type", struct path_match, type), ROW(F_STR, "value", struct path_match, value), FIELD_END };
static const struct field match_fields[] = {
	ROW_STRUCT("path", struct route_match, path, path_fields), ROW_LIST("headers", struct route_match, headers, struct header_match, header_match_fields),
	ROW_LIST("queryParams", struct route_match, query, struct header_match, header_match_fields), ROW(F_STR, "method", struct route_match, method),
	FIELD_END
};
static const struct field header_fields[] = { ROW(F_STR, "name", struct http_header, name), ROW(F_STR, "value", struct http_header, value), FIELD_END };
static const struct field mod_fields[] = {
	ROW_LIST("set", struct header_mod, set, struct http_header, header_fields), ROW_LIST("add", struct header_mod, add, struct http_header, header_fields),
	ROW(F_STRS, "remove", struct header_mod, remove),
	FIELD_END
};
static const struct field modifier_fields[] = {
	ROW(F_STR, "type", struct path_modifier, type), ROW(F_STR, "replaceFullPath", struct path_modifier, full), ROW(F_STR, "replacePrefixMatch", struct path_modifier, prefix), FIELD_END
};
static const struct field redirect_fields[] = {
	ROW(F_STR, "scheme", struct redirect, scheme), ROW(F_STR, "hostname", struct redirect, hostname), ROW_PTR("path", struct redirect, path, struct path_modifier, modifier_fields),
	ROW(F_OPT_INT, "port", struct redirect, port), ROW(F_OPT_INT, "statusCode", struct redirect, status),
	FIELD_END
};
static const struct field rewrite_fields[] = {
	ROW(F_STR, "hostname", struct rewrite, hostname), ROW_PTR("path", struct rewrite, path, struct path_modifier, modifier_fields), FIELD_END
};
static const struct field mirror_ref_fields[] = {
	ROW(F_STR, "group", struct mirror, ref.group), ROW(F_STR, "kind", struct mirror, ref.kind), ROW(F_STR, "namespace", struct mirror, ref.ns), ROW(F_STR, "name", struct mirror, ref.name),
	ROW(F_OPT_INT, "port", struct mirror, port),
	FIELD_END
};
static const struct field fraction_fields[] = { ROW(F_INT, "numerator", struct fraction, numerator), ROW(F_OPT_INT, "denominator", struct fraction, denominator), FIELD_END };
static const struct field cors_fields[] = {
	ROW(F_STRS, "allowOrigins", struct cors, origins), ROW(F_TRI, "allowCredentials", struct cors, credentials), ROW(F_STRS, "allowMethods", struct cors, methods),
	ROW(F_STRS, "allowHeaders", struct cors, headers), ROW(F_STRS, "exposeHeaders", struct cors, expose), ROW(F_OPT_INT, "maxAge", struct cors, max_age),
	FIELD_END
};
static const struct field mirror_fields[] = { ROW_HERE("backendRef", mirror_ref_fields), ROW(F_OPT_INT, "percent", struct mirror, percent), ROW_PTR("fraction", struct mirror, fraction, struct fraction, fraction_fields), FIELD_END };
static const struct field filter_fields[] = {
	ROW(F_STR, "type", struct route_filter, type), ROW_PTR("requestHeaderModifier", struct route_filter, request, struct header_mod, mod_fields),
	ROW_PTR("responseHeaderModifier", struct route_filter, response, struct header_mod, mod_fields),
	ROW_PTR("requestRedirect", struct route_filter, redirect, struct redirect, redirect_fields), ROW_PTR("urlRewrite", struct route_filter, rewrite, struct rewrite, rewrite_fields),
	ROW_PTR("requestMirror", struct route_filter, mirror, struct mirror, mirror_fields), ROW(F_RAW, "extensionRef", struct route_filter, doc), ROW_PTR("cors", struct route_filter, cors, struct cors, cors_fields),
	ROW_KEEP("externalAuth"),
	FIELD_END
};
#define BACKEND_ROWS                                                                                                                                      \
	ROW(F_STR, "group", struct backend_ref, group), ROW(F_STR, "kind", struct backend_ref, kind), ROW(F_STR, "namespace", struct backend_ref, ns),      \
		ROW_NEED(F_STR, "name", struct backend_ref, name), ROW(F_OPT_INT, "port", struct backend_ref, port), ROW(F_OPT_INT, "weight", struct backend_ref, weight)
static const struct field backend_fields[] = { BACKEND_ROWS, ROW_LIST("filters", struct backend_ref, filters, struct route_filter, filter_fields), FIELD_END };
static const struct field rule_fields[] = {
	ROW(F_STR, "name", struct route_rule, name), ROW_LIST("matches", struct route_rule, matches, struct route_match, match_fields),
	ROW_LIST("filters", struct route_rule, filters, struct route_filter, filter_fields), ROW_LIST("backendRefs", struct route_rule, backends, struct backend_ref, backend_fields),
	ROW(F_RAW, "timeouts", struct route_rule, timeouts), ROW(F_RAW, "retry", struct route_rule, retry), ROW(F_RAW, "sessionPersistence", struct route_rule, session),
	FIELD_END
};
static const struct field parent_status_fields[] = {
	ROW_STRUCT("parentRef", struct route_parent_status, ref, parent_fields), ROW(F_STR, "controllerName", struct route_parent_status, controller),
	ROW_LIST("conditions", struct route_parent_status, conditions, struct condition, condition_fields),
	FIELD_END
};
static const struct field route_status_fields[] = { ROW_LIST("parents", struct gw_route, st_parents, struct route_parent_status, parent_status_fields), FIELD_END };

/* ---- GRPCRoute: the same, with other matches and fewer filters */

static const struct field method_fields[] = {
	ROW(F_STR, "type", struct grpc_match, type), ROW(F_STR, "service", struct grpc_match, service), ROW(F_STR, "method", struct grpc_match, method), FIELD_END
};
static const struct field grpc_match_fields[] = {
	ROW_PTR("method", struct route_match, grpc, struct grpc_match, method_fields), ROW_LIST("headers", struct route_match, headers, struct header_match, header_match_fields),
	FIELD_END
};
static const struct field grpc_filter_fields[] = {
	ROW(F_STR, "type", struct route_filter, type), ROW_PTR("requestHeaderModifier", struct route_filter, request, struct header_mod, mod_fields),
	ROW_PTR("responseHeaderModifier", struct route_filter, response, struct header_mod, mod_fields),
	ROW_PTR("requestMirror", struct route_filter, mirror, struct mirror, mirror_fields), ROW(F_RAW, "extensionRef", struct route_filter, doc),
	FIELD_END
};
static const struct field grpc_backend_fields[] = { BACKEND_ROWS, ROW_LIST("filters", struct backend_ref, filters, struct route_filter, grpc_filter_fields), FIELD_END };
static const struct field grpc_rule_fields[] = {
	ROW(F_STR, "name", struct route_rule, name), ROW_LIST("matches", struct route_rule, matches, struct route_match, grpc_match_fields),
	ROW_LIST("filters", struct route_rule, filters, struct route_filter, grpc_filter_fields),
	ROW_LIST("backendRefs", struct route_rule, backends, struct backend_ref, grpc_backend_fields), ROW(F_RAW, "sessionPersistence", struct route_rule, session),
	FIELD_END
};

/* ---- TLSRoute, TCPRoute, UDPRoute: backends alone */

static const struct field plain_backend_fields[] = { BACKEND_ROWS, FIELD_END };
static const struct field plain_rule_fields[] = {
	ROW(F_STR, "name", struct route_rule, name), ROW_LIST("backendRefs", struct route_rule, backends, struct backend_ref, plain_backend_fields), FIELD_END
};

/* ---- all of them */

#define PARENTS       ROW_LIST("parentRefs", struct gw_route, parents, struct parent_ref, parent_fields), ROW_KEEP("useDefaultGateways")
#define HOSTNAMES     ROW(F_STRS, "hostnames", struct gw_route, hostnames)
#define RULES(table)  ROW_LIST("rules", struct gw_route, rules, struct route_rule, table)
static const struct field http_spec_fields[] = { PARENTS, HOSTNAMES, RULES(rule_fields), FIELD_END };
static const struct field grpc_spec_fields[] = { PARENTS, HOSTNAMES, RULES(grpc_rule_fields), FIELD_END };
static const struct field tls_spec_fields[] = { PARENTS, HOSTNAMES, RULES(plain_rule_fields), FIELD_END };
static const struct field plain_spec_fields[] = { PARENTS, RULES(plain_rule_fields), FIELD_END };

#define ROUTE_FIELDS(spec) ((const struct field[]){ ROW_TOP, ROW_HERE("spec", spec), ROW_HERE("status", route_status_fields), FIELD_END })
#define GROUP(version)     "gateway.networking.k8s.io/" version
#define ROUTE(id, n, pl, spec, judge, ...)                                                                                                                              \
	const struct kind id = { .name = n, .apis = (const char *const[]){ __VA_ARGS__, NULL }, .plural = pl, .namespaced = true, .size = sizeof(struct gw_route), \
				 .fields = ROUTE_FIELDS(spec), .check = judge }
ROUTE(http_route_kind, "HTTPRoute", "httproutes", http_spec_fields, http_route_check, GROUP("v1"), GROUP("v1beta1"));
ROUTE(grpc_route_kind, "GRPCRoute", "grpcroutes", grpc_spec_fields, grpc_route_check, GROUP("v1"), GROUP("v1alpha2"));
ROUTE(tls_route_kind, "TLSRoute", "tlsroutes", tls_spec_fields, tls_route_check, GROUP("v1"), GROUP("v1alpha3"), GROUP("v1alpha2"));
ROUTE(tcp_route_kind, "TCPRoute", "tcproutes", plain_spec_fields, plain_route_check, GROUP("v1"), GROUP("v1alpha2"));
ROUTE(udp_route_kind, "UDPRoute", "udproutes", plain_spec_fields, plain_route_check, GROUP("v1"), GROUP("v1alpha2"));
const struct kind *const route_kinds[] = { &http_route_kind, &grpc_route_kind, &tls_route_kind, &tcp_route_kind, &udp_route_kind, NULL };

/* ---- BackendTLSPolicy. Source: apis/v1/backendtlspolicy_types.go */

static const struct field target_fields[] = {
	ROW(F_STR, "group", struct policy_target, group), ROW(F_STR, "kind", struct policy_target, kind), ROW(F_STR, "name", struct policy_target, name),
	ROW(F_STR, "sectionName", struct policy_target, section),
	FIELD_END
};
static const struct field ca_fields[] = {
	ROW(F_STR, "group", struct secret_ref, group), ROW(F_STR, "kind", struct secret_ref, kind), ROW(F_STR, "name", struct secret_ref, name), FIELD_END
};
static const struct field validation_fields[] = {
	ROW_LIST("caCertificateRefs", struct backend_tls_policy, cas, struct secret_ref, ca_fields), ROW(F_STR, "wellKnownCACertificates", struct backend_tls_policy, well_known),
	ROW(F_STR, "hostname", struct backend_tls_policy, hostname), ROW_KEEP("subjectAltNames"),
	FIELD_END
};
static const struct field policy_spec_fields[] = {
	ROW_LIST("targetRefs", struct backend_tls_policy, targets, struct policy_target, target_fields), ROW_HERE("validation", validation_fields), ROW_KEEP("options"), FIELD_END
};
static const struct field ancestor_fields[] = {
	ROW_STRUCT("ancestorRef", struct route_parent_status, ref, parent_fields), ROW(F_STR, "controllerName", struct route_parent_status, controller),
	ROW_LIST("conditions", struct route_parent_status, conditions, struct condition, condition_fields),
	FIELD_END
};
static const struct field policy_status_fields[] = { ROW_LIST("ancestors", struct backend_tls_policy, st_ancestors, struct route_parent_status, ancestor_fields), FIELD_END };
const struct kind backend_tls_policy_kind = {
	.name = "BackendTLSPolicy", .apis = (const char *const[]){ GROUP("v1"), GROUP("v1alpha3"), NULL }, .plural = "backendtlspolicies", .shorts = "btlspolicy", .namespaced = true,
	.size = sizeof(struct backend_tls_policy), .fields = (const struct field[]){ ROW_TOP, ROW_HERE("spec", policy_spec_fields), ROW_HERE("status", policy_status_fields), FIELD_END },
	.check = backend_tls_policy_check,
};
