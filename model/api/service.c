/* Service, Endpoints, EndpointSlice. Source: kubernetes staging/src/k8s.io/api/{core,discovery}/v1/types.go; defaults: pkg/apis/core/v1/defaults.go SetDefaults_Service. */
#include "model/api/checks.h"
#include "model/api/fill.h"
#include "model/api/rows.h"

const char *const family_names[] = { "", "IPv4", "IPv6", NULL };
const char *const svc_type_names[] = { "", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName", NULL };
const char *const traffic_policy_names[] = { "", "Cluster", "Local", NULL };

static const struct field port_fields[] = {
	ROW(F_STR, "name", struct svc_port, name), ROW_ENUM_DFLT("protocol", struct svc_port, protocol, l4_names, L4_TCP), ROW(F_INT, "port", struct svc_port, port),
	ROW(F_INT_OR_STR, "targetPort", struct svc_port, target), ROW(F_INT, "nodePort", struct svc_port, node_port), ROW(F_STR, "appProtocol", struct svc_port, app_protocol),
	FIELD_END
};
static const struct field client_ip_fields[] = { ROW(F_INT, "timeoutSeconds", struct service, affinity_seconds), FIELD_END };
static const struct field affinity_fields[] = { ROW_HERE("clientIP", client_ip_fields), FIELD_END };
static const struct field spec_fields[] = {
	ROW_ENUM("type", struct service, type, svc_type_names), ROW(F_PAIRS, "selector", struct service, selector),
	ROW_LIST("ports", struct service, ports, struct svc_port, port_fields), ROW(F_STR, "clusterIP", struct service, cluster_ip),
	ROW(F_STRS, "clusterIPs", struct service, cluster_ips), ROW(F_STRS, "ipFamilies", struct service, families), ROW(F_STR, "ipFamilyPolicy", struct service, family_policy),
	ROW(F_STRS, "externalIPs", struct service, external_ips), ROW(F_STR, "externalName", struct service, external_name),
	ROW_ENUM("externalTrafficPolicy", struct service, external_policy, traffic_policy_names),
	ROW_ENUM_PTR("internalTrafficPolicy", struct service, internal_policy, traffic_policy_names), ROW(F_STR, "sessionAffinity", struct service, affinity),
	ROW_HERE("sessionAffinityConfig", affinity_fields), ROW(F_INT, "healthCheckNodePort", struct service, health_check_node_port),
	ROW(F_BOOL, "publishNotReadyAddresses", struct service, publish_not_ready), ROW(F_TRI, "allocateLoadBalancerNodePorts", struct service, allocate_node_ports),
	ROW(F_STR, "loadBalancerIP", struct service, lb_ip), ROW(F_STR, "loadBalancerClass", struct service, lb_class),
	ROW(F_STRS, "loadBalancerSourceRanges", struct service, lb_source_ranges), ROW(F_STR, "trafficDistribution", struct service, traffic_distribution),
	FIELD_END
};
static const struct field lb_port_fields[] = {
	ROW(F_INT, "port", struct lb_port, port), ROW(F_STR, "protocol", struct lb_port, protocol), ROW(F_STR, "error", struct lb_port, error), FIELD_END
};
const struct field lb_ingress_fields[] = {
	ROW(F_STR, "ip", struct lb_ingress, ip), ROW(F_STR, "hostname", struct lb_ingress, hostname), ROW(F_STR, "ipMode", struct lb_ingress, ip_mode),
	ROW_LIST("ports", struct lb_ingress, ports, struct lb_port, lb_port_fields),
	FIELD_END
};
static const struct field lb_fields[] = { ROW_LIST("ingress", struct service, lb_ingress, struct lb_ingress, lb_ingress_fields), FIELD_END };
static const struct field status_fields[] = {
	ROW_HERE("loadBalancer", lb_fields), ROW_LIST("conditions", struct service, conditions, struct condition, condition_fields), FIELD_END
};
static const struct field service_fields[] = {
	ROW_TOP, ROW_HERE("spec", spec_fields), ROW_HERE("status", status_fields), FIELD_END
};

static void service_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct service *s = (struct service *)o;
	bool outside;

	if (!s->type)
		s->type = SVC_CLUSTERIP;
	if (!s->affinity || !*s->affinity)
		s->affinity = str_intern(t, "None");
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		struct int_or_str *target = &s->ports.v[k].target;

		if (target->set && (target->s ? !*target->s : !target->i))
			target->set = false;            /* 0 and "" ask for the port's own number */
	}
	if (streq(s->affinity, "ClientIP") && !s->affinity_seconds)
		s->affinity_seconds = 10800;
	outside = s->type == SVC_NODEPORT || s->type == SVC_LOADBALANCER || (s->type == SVC_CLUSTERIP && s->external_ips.nr);   /* pkg/api/service ExternallyAccessible */
	if (outside && !s->external_policy)
		s->external_policy = TP_CLUSTER;
	if (s->type != SVC_EXTERNALNAME && !s->internal_policy)
		s->internal_policy = TP_CLUSTER;
	if (s->type == SVC_LOADBALANCER && !s->allocate_node_ports)
		s->allocate_node_ports = TRI_TRUE;
	if (s->cluster_ip && *s->cluster_ip && !s->cluster_ips.nr) {
		s->cluster_ips.v = arena_make(a, str);
		s->cluster_ips.v[0] = s->cluster_ip;
		s->cluster_ips.nr = 1;
		s->cluster_ips.set = true;
	}
	if (s->cluster_ips.nr && (!s->cluster_ip || !*s->cluster_ip))
		s->cluster_ip = s->cluster_ips.v[0];
	for (uint32_t k = 0; k < s->lb_ingress.nr; k++)
		if (s->lb_ingress.v[k].ip && !s->lb_ingress.v[k].ip_mode)
			s->lb_ingress.v[k].ip_mode = str_intern(t, "VIP");
}

bool service_is_headless(const struct service *s)
{
	return streq(s->cluster_ip, "None");
}

bool service_has_vip(const struct service *s)
{
	return s->type != SVC_EXTERNALNAME && s->cluster_ip && *s->cluster_ip && !service_is_headless(s);
}

/* ---- EndpointSlice */

static const struct field ref_fields[] = {
	ROW(F_STR, "kind", struct obj_ref, kind), ROW(F_STR, "namespace", struct obj_ref, ns), ROW(F_STR, "name", struct obj_ref, name), ROW(F_STR, "uid", struct obj_ref, uid),
	ROW(F_STR, "apiVersion", struct obj_ref, api), KEPT(F_STR, "resourceVersion"), KEPT(F_STR, "fieldPath"),
	FIELD_END
};
static const struct field zone_fields[] = { ROW(F_STR, "name", struct zone_hint, name), FIELD_END };
static const struct field hint_fields[] = {
	ROW_LIST("forZones", struct ep_hints, for_zones, struct zone_hint, zone_fields), ROW_LIST("forNodes", struct ep_hints, for_nodes, struct zone_hint, zone_fields), FIELD_END
};
static const struct field ep_condition_fields[] = {
	ROW(F_TRI, "ready", struct endpoint, ready), ROW(F_TRI, "serving", struct endpoint, serving), ROW(F_TRI, "terminating", struct endpoint, terminating), FIELD_END
};
static const struct field endpoint_fields[] = {
	ROW(F_STRS, "addresses", struct endpoint, addresses), ROW_HERE("conditions", ep_condition_fields), ROW(F_STR, "hostname", struct endpoint, hostname),
	ROW_PTR("targetRef", struct endpoint, target, struct obj_ref, ref_fields), ROW(F_STR, "nodeName", struct endpoint, node), ROW(F_STR, "zone", struct endpoint, zone),
	ROW_PTR("hints", struct endpoint, hints, struct ep_hints, hint_fields), KEPT(F_PAIRS, "deprecatedTopology"),
	FIELD_END
};
static const struct field ep_port_fields[] = {
	ROW(F_STR, "name", struct ep_port, name), ROW_ENUM_PTR_DFLT("protocol", struct ep_port, protocol, l4_names, L4_TCP), ROW(F_OPT_INT, "port", struct ep_port, port),
	ROW(F_STR, "appProtocol", struct ep_port, app_protocol),
	FIELD_END
};
static const struct field slice_fields[] = {
	ROW_TOP, ROW(F_STR, "addressType", struct endpointslice, address_type),
	ROW_LIST("endpoints", struct endpointslice, endpoints, struct endpoint, endpoint_fields), ROW_LIST("ports", struct endpointslice, ports, struct ep_port, ep_port_fields),
	FIELD_END
};

static void slice_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct endpointslice *s = (struct endpointslice *)o;

	(void)a;
	s->service = label_get(&o->labels, "kubernetes.io/service-name");
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (!s->ports.v[k].name)
			s->ports.v[k].name = str_intern(t, "");
}

/* ---- Endpoints */

static const struct field address_fields[] = {
	ROW(F_STR, "ip", struct ep_address, ip), ROW(F_STR, "hostname", struct ep_address, hostname), ROW(F_STR, "nodeName", struct ep_address, node),
	ROW_PTR("targetRef", struct ep_address, target, struct obj_ref, ref_fields),
	FIELD_END
};
static const struct field subset_port_fields[] = {
	ROW(F_STR, "name", struct ep_port, name), ROW_ENUM_DFLT("protocol", struct ep_port, protocol, l4_names, L4_TCP), ROW(F_OPT_INT, "port", struct ep_port, port),
	ROW(F_STR, "appProtocol", struct ep_port, app_protocol),
	FIELD_END
};
static const struct field subset_fields[] = {
	ROW_LIST("addresses", struct ep_subset, addresses, struct ep_address, address_fields), ROW_LIST("notReadyAddresses", struct ep_subset, not_ready, struct ep_address, address_fields),
	ROW_LIST("ports", struct ep_subset, ports, struct ep_port, subset_port_fields),
	FIELD_END
};
static const struct field endpoints_fields[] = {
	ROW_TOP, ROW_LIST("subsets", struct endpoints, subsets, struct ep_subset, subset_fields), FIELD_END
};

static const char *const v1[] = { "v1", NULL };
static const char *const discovery[] = { "discovery.k8s.io/v1", NULL };
static const char *const discovery_old[] = { "discovery.k8s.io/v1beta1", NULL };
const struct kind service_kind = { .name = "Service", .apis = v1, .plural = "services", .shorts = "svc", .namespaced = true, .size = sizeof(struct service), .fields = service_fields,
				   .dflt = service_default, .fill = service_fill, .check = service_check, .check_update = service_check_update, .name_rule = must_be_label };
const struct kind endpointslice_kind = { .name = "EndpointSlice", .apis = discovery, .removed = discovery_old, .plural = "endpointslices", .namespaced = true,
					 .size = sizeof(struct endpointslice), .fields = slice_fields, .dflt = slice_default, .check = endpointslice_check,
					 .check_update = endpointslice_check_update };
const struct kind endpoints_kind = { .name = "Endpoints", .apis = v1, .plural = "endpoints", .shorts = "ep", .namespaced = true, .size = sizeof(struct endpoints), .fields = endpoints_fields,
				     .check = endpoints_check };
