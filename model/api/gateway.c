/* Gateway API v1: GatewayClass, Gateway, HTTPRoute, ReferenceGrant. Source: gateway-api apis/v1. */
#include "model/api/net.h"
#include "model/api/rows.h"

static const struct field class_spec_fields[] = { ROW(F_STR, "controllerName", struct gateway_class, controller), ROW_KEEP("parametersRef"), ROW_KEEP("description"), FIELD_END };
static const struct field class_status_fields[] = {
	ROW_LIST("conditions", struct gateway_class, conditions, struct condition, condition_fields), ROW_KEEP("supportedFeatures"), FIELD_END
};
static const struct field class_fields[] = { ROW_TOP, ROW_HERE("spec", class_spec_fields), ROW_HERE("status", class_status_fields), FIELD_END };

static const struct field kind_fields[] = { ROW(F_STR, "group", struct route_kind, group), ROW(F_STR, "kind", struct route_kind, kind), FIELD_END };
static const struct field ns_fields[] = { ROW(F_STR, "from", struct route_ns, from), ROW_PTR("selector", struct route_ns, selector, struct selector, selector_fields), FIELD_END };
static const struct field allowed_fields[] = {
	ROW_STRUCT("namespaces", struct gw_listener, allowed, ns_fields), ROW_LIST("kinds", struct gw_listener, kinds, struct route_kind, kind_fields), FIELD_END
};
static const struct field secret_fields[] = {
	ROW(F_STR, "group", struct secret_ref, group), ROW(F_STR, "kind", struct secret_ref, kind), ROW(F_STR, "namespace", struct secret_ref, ns), ROW(F_STR, "name", struct secret_ref, name),
	FIELD_END
};
static const struct field tls_fields[] = {
	ROW(F_STR, "mode", struct gw_tls, mode), ROW_LIST("certificateRefs", struct gw_tls, certificates, struct secret_ref, secret_fields), ROW_KEEP("options"),
	ROW_KEEP("frontendValidation"),
	FIELD_END
};
static const struct field listener_fields[] = {
	ROW(F_STR, "name", struct gw_listener, name), ROW(F_STR, "hostname", struct gw_listener, hostname), ROW(F_STR, "protocol", struct gw_listener, protocol),
	ROW(F_INT, "port", struct gw_listener, port), ROW_PTR("tls", struct gw_listener, tls, struct gw_tls, tls_fields), ROW_HERE("allowedRoutes", allowed_fields),
	FIELD_END
};
static const struct field address_fields[] = { ROW(F_STR, "type", struct gw_address, type), ROW(F_STR, "value", struct gw_address, value), FIELD_END };
static const struct field gateway_spec_fields[] = {
	ROW(F_STR, "gatewayClassName", struct gateway, class_name), ROW_LIST("listeners", struct gateway, listeners, struct gw_listener, listener_fields),
	ROW_LIST("addresses", struct gateway, addresses, struct gw_address, address_fields), ROW_KEEP("infrastructure"), ROW_KEEP("backendTLS"), ROW_KEEP("allowedListeners"),
	ROW_KEEP("tls"), ROW_KEEP("defaultScope"),
	FIELD_END
};
static const struct field listener_status_fields[] = {
	ROW(F_STR, "name", struct listener_status, name), { .name = "attachedRoutes", .type = F_INT, .at = (uint32_t)offsetof(struct listener_status, attached), .has_dflt = true },
	ROW_LIST("supportedKinds", struct listener_status, kinds, struct route_kind, kind_fields),
	ROW_LIST("conditions", struct listener_status, conditions, struct condition, condition_fields),
	FIELD_END
};
static const struct field gateway_status_fields[] = {
	ROW_LIST("addresses", struct gateway, st_addresses, struct gw_address, address_fields), ROW_LIST("conditions", struct gateway, conditions, struct condition, condition_fields),
	ROW_LIST("listeners", struct gateway, st_listeners, struct listener_status, listener_status_fields), ROW_KEEP("attachedListenerSets"),
	FIELD_END
};
static const struct field gateway_fields[] = { ROW_TOP, ROW_HERE("spec", gateway_spec_fields), ROW_HERE("status", gateway_status_fields), FIELD_END };

/* ---- HTTPRoute */

static const struct field parent_fields[] = {
	ROW(F_STR, "group", struct parent_ref, group), ROW(F_STR, "kind", struct parent_ref, kind), ROW(F_STR, "namespace", struct parent_ref, ns), ROW(F_STR, "name", struct parent_ref, name),
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
static const struct field backend_fields[] = {
	ROW(F_STR, "group", struct backend_ref, group), ROW(F_STR, "kind", struct backend_ref, kind), ROW(F_STR, "namespace", struct backend_ref, ns), ROW(F_STR, "name", struct backend_ref, name),
	ROW(F_OPT_INT, "port", struct backend_ref, port), ROW(F_OPT_INT, "weight", struct backend_ref, weight),
	ROW_LIST("filters", struct backend_ref, filters, struct route_filter, filter_fields),
	FIELD_END
};
static const struct field rule_fields[] = {
	ROW(F_STR, "name", struct route_rule, name), ROW_LIST("matches", struct route_rule, matches, struct route_match, match_fields),
	ROW_LIST("filters", struct route_rule, filters, struct route_filter, filter_fields), ROW_LIST("backendRefs", struct route_rule, backends, struct backend_ref, backend_fields),
	ROW(F_RAW, "timeouts", struct route_rule, timeouts), ROW_KEEP("retry"), ROW_KEEP("sessionPersistence"),
	FIELD_END
};
static const struct field route_spec_fields[] = {
	ROW_LIST("parentRefs", struct http_route, parents, struct parent_ref, parent_fields), ROW(F_STRS, "hostnames", struct http_route, hostnames),
	ROW_LIST("rules", struct http_route, rules, struct route_rule, rule_fields), ROW_KEEP("useDefaultGateways"),
	FIELD_END
};
static const struct field parent_status_fields[] = {
	ROW_STRUCT("parentRef", struct route_parent_status, ref, parent_fields), ROW(F_STR, "controllerName", struct route_parent_status, controller),
	ROW_LIST("conditions", struct route_parent_status, conditions, struct condition, condition_fields),
	FIELD_END
};
static const struct field route_status_fields[] = { ROW_LIST("parents", struct http_route, st_parents, struct route_parent_status, parent_status_fields), FIELD_END };
static const struct field route_fields[] = { ROW_TOP, ROW_HERE("spec", route_spec_fields), ROW_HERE("status", route_status_fields), FIELD_END };

static const struct field from_fields[] = {
	ROW(F_STR, "group", struct grant_from, group), ROW(F_STR, "kind", struct grant_from, kind), ROW(F_STR, "namespace", struct grant_from, ns), FIELD_END
};
static const struct field to_fields[] = { ROW(F_STR, "group", struct grant_to, group), ROW(F_STR, "kind", struct grant_to, kind), ROW(F_STR, "name", struct grant_to, name), FIELD_END };
static const struct field grant_spec_fields[] = {
	ROW_LIST("from", struct reference_grant, from, struct grant_from, from_fields), ROW_LIST("to", struct reference_grant, to, struct grant_to, to_fields), FIELD_END
};
static const struct field grant_fields[] = { ROW_TOP, ROW_HERE("spec", grant_spec_fields), FIELD_END };

static const char *const v1[] = { "gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1", NULL };
static const char *const grant_apis[] = { "gateway.networking.k8s.io/v1beta1", "gateway.networking.k8s.io/v1", NULL };
const struct kind gateway_class_kind = { .name = "GatewayClass", .apis = v1, .plural = "gatewayclasses", .shorts = "gc", .size = sizeof(struct gateway_class), .fields = class_fields };
const struct kind gateway_kind = { .name = "Gateway", .apis = v1, .plural = "gateways", .shorts = "gtw", .namespaced = true, .size = sizeof(struct gateway), .fields = gateway_fields };
const struct kind http_route_kind = { .name = "HTTPRoute", .apis = v1, .plural = "httproutes", .namespaced = true, .size = sizeof(struct http_route), .fields = route_fields };
const struct kind reference_grant_kind = { .name = "ReferenceGrant", .apis = grant_apis, .plural = "referencegrants", .shorts = "refgrant", .namespaced = true,
					   .size = sizeof(struct reference_grant), .fields = grant_fields };
