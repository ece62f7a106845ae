/* Gateway API v1: GatewayClass, Gateway, ListenerSet, ReferenceGrant; routes are gateway_routes.c. Source: gateway-api apis/v1. */
#include "model/api/checks.h"
#include "model/api/net.h"
#include "model/api/rows.h"
#include "model/api/shape.h"

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
	ROW_NEED(F_STR, "name", struct gw_listener, name), ROW(F_STR, "hostname", struct gw_listener, hostname), ROW_NEED(F_STR, "protocol", struct gw_listener, protocol),
	ROW_NEED(F_INT, "port", struct gw_listener, port), ROW_PTR("tls", struct gw_listener, tls, struct gw_tls, tls_fields), ROW_HERE("allowedRoutes", allowed_fields),
	FIELD_END
};
static const struct field address_fields[] = { ROW(F_STR, "type", struct gw_address, type), ROW(F_STR, "value", struct gw_address, value), FIELD_END };
static const struct field allowed_sets_fields[] = { ROW_STRUCT("namespaces", struct gateway, allowed_sets, ns_fields), FIELD_END };
SHAPE(local_parameters, STR(group) STR(kind) STR(name))
SHAPE(infrastructure, PAIRS(annotations) PAIRS(labels) OBJ(parametersRef, local_parameters))
static const struct field gateway_spec_fields[] = {
	ROW_NEED(F_STR, "gatewayClassName", struct gateway, class_name), ROW_LIST("listeners", struct gateway, listeners, struct gw_listener, listener_fields),
	ROW_LIST("addresses", struct gateway, addresses, struct gw_address, address_fields), KEPT_SUB("infrastructure", infrastructure), ROW_KEEP("backendTLS"), ROW_HERE("allowedListeners", allowed_sets_fields),
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
	ROW_LIST("listeners", struct gateway, st_listeners, struct listener_status, listener_status_fields),
	ROW(F_OPT_INT, "attachedListenerSets", struct gateway, st_sets),
	FIELD_END
};
static const struct field gateway_fields[] = { ROW_TOP, ROW_HERE("spec", gateway_spec_fields), ROW_HERE("status", gateway_status_fields), FIELD_END };

static const struct field set_parent_fields[] = {
	ROW(F_STR, "group", struct parent_ref, group), ROW(F_STR, "kind", struct parent_ref, kind), ROW(F_STR, "namespace", struct parent_ref, ns), ROW_NEED(F_STR, "name", struct parent_ref, name),
	FIELD_END
};
static const struct field set_spec_fields[] = {
	ROW_STRUCT("parentRef", struct listener_set, parent, set_parent_fields), ROW_LIST("listeners", struct listener_set, listeners, struct gw_listener, listener_fields), FIELD_END
};
static const struct field set_status_fields[] = {
	ROW_LIST("conditions", struct listener_set, conditions, struct condition, condition_fields),
	ROW_LIST("listeners", struct listener_set, st_listeners, struct listener_status, listener_status_fields),
	FIELD_END
};
static const struct field set_fields[] = { ROW_TOP, ROW_HERE("spec", set_spec_fields), ROW_HERE("status", set_status_fields), FIELD_END };

static const struct field from_fields[] = {
	ROW(F_STR, "group", struct grant_from, group), ROW(F_STR, "kind", struct grant_from, kind), ROW(F_STR, "namespace", struct grant_from, ns), FIELD_END
};
static const struct field to_fields[] = { ROW(F_STR, "group", struct grant_to, group), ROW(F_STR, "kind", struct grant_to, kind), ROW(F_STR, "name", struct grant_to, name), FIELD_END };
static const struct field grant_spec_fields[] = {
	ROW_LIST("from", struct reference_grant, from, struct grant_from, from_fields), ROW_LIST("to", struct reference_grant, to, struct grant_to, to_fields), FIELD_END
};
static const struct field grant_fields[] = { ROW_TOP, ROW_HERE("spec", grant_spec_fields), FIELD_END };

static const char *const v1[] = { "gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1", NULL };
static const char *const set_apis[] = { "gateway.networking.k8s.io/v1", NULL };
static const char *const grant_apis[] = { "gateway.networking.k8s.io/v1beta1", "gateway.networking.k8s.io/v1", NULL };
const struct kind gateway_class_kind = { .name = "GatewayClass", .apis = v1, .plural = "gatewayclasses", .shorts = "gc", .size = sizeof(struct gateway_class), .fields = class_fields,
					 .check = gateway_class_check, .check_update = gateway_class_check_update };
const struct kind gateway_kind = { .name = "Gateway", .apis = v1, .plural = "gateways", .shorts = "gtw", .namespaced = true, .size = sizeof(struct gateway), .fields = gateway_fields,
				   .check = gateway_check };
const struct kind reference_grant_kind = { .name = "ReferenceGrant", .apis = grant_apis, .plural = "referencegrants", .shorts = "refgrant", .namespaced = true,
					   .size = sizeof(struct reference_grant), .fields = grant_fields, .check = reference_grant_check };
const struct kind listener_set_kind = { .name = "ListenerSet", .apis = set_apis, .plural = "listenersets", .shorts = "lset", .namespaced = true, .size = sizeof(struct listener_set),
					.fields = set_fields, .check = listener_set_check };
