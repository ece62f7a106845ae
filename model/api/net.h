/* networking.k8s.io, gateway.networking.k8s.io, Calico's, MetalLB's and Istio's kinds that shape the network. */
#ifndef PODWIRE_NET_H
#define PODWIRE_NET_H

#include "model/api/core.h"

/* ---- NetworkPolicy (networking.k8s.io/v1) */
struct ip_block { str cidr; str_list except; };
struct np_peer { struct selector *pods, *namespaces; struct ip_block *block; };
struct np_port { uint8_t protocol; struct int_or_str port; struct opt_int end; };       /* protocol defaulted to TCP */
struct np_rule { LIST(struct np_port) ports; LIST(struct np_peer) peers; };             /* peers: from or to */
struct network_policy {
	struct object o;
	struct selector pods;
	LIST(struct np_rule) ingress, egress;
	str_list types;                         /* defaulted: Ingress, and Egress iff len(egress) != 0 */
};

/* ---- Ingress, IngressClass */
struct svc_backend { str name; str port_name; int32_t port; };
struct res_backend { str api_group, kind, name; };
struct ing_backend { struct svc_backend *service; struct res_backend *resource; };
struct ing_path { str path, type; struct ing_backend backend; };        /* type: Exact, Prefix, ImplementationSpecific */
struct ing_rule { str host; LIST(struct ing_path) paths; };
struct ing_tls { str_list hosts; str secret; };
struct ingress {
	struct object o;
	str class_name;                         /* spec.ingressClassName; the annotation is label_get(&o.annotations, …) */
	struct ing_backend *dflt_backend;
	LIST(struct ing_rule) rules;
	LIST(struct ing_tls) tls;
	LIST(struct lb_ingress) lb_ingress;     /* status */
};
struct ingress_class { struct object o; str controller; const struct val *parameters; };

/* ---- Gateway API v1 */
struct gateway_class { struct object o; str controller; condition_list conditions; };
struct route_ns { str from; struct selector *selector; };               /* allowedRoutes.namespaces; from defaulted to Same */
struct route_kind { str group, kind; };
struct secret_ref { str group, kind, ns, name; };
struct gw_tls { str mode; LIST(struct secret_ref) certificates; };
struct gw_listener {
	str name, hostname, protocol;
	int32_t port;
	struct gw_tls *tls;
	struct route_ns allowed;
	LIST(struct route_kind) kinds;
};
struct gw_address { str type, value; };
struct listener_status { str name; int32_t attached; LIST(struct route_kind) kinds; condition_list conditions; };
struct gateway {
	struct object o;
	str class_name;
	LIST(struct gw_listener) listeners;
	LIST(struct gw_address) addresses;
	LIST(struct gw_address) st_addresses;
	condition_list conditions;
	LIST(struct listener_status) st_listeners;
	struct route_ns allowed_sets;           /* allowedListeners.namespaces; from defaulted to None */
	struct opt_int st_sets;                 /* attachedListenerSets */
};
struct parent_ref { str group, kind, ns, name, section; struct opt_int port; };
struct listener_set {                           /* listeners more of a Gateway */
	struct object o;
	struct parent_ref parent;
	LIST(struct gw_listener) listeners;
	condition_list conditions;
	LIST(struct listener_status) st_listeners;
};
struct header_match { str type, name, value; };                         /* type defaulted to Exact */
struct path_match { str type, value; };                                 /* defaulted to PathPrefix / */
struct grpc_match { str type, service, method; };                       /* type defaulted to Exact; NULL: any service, any method */
struct route_match { struct path_match path; LIST(struct header_match) headers, query; str method; struct grpc_match *grpc; };
struct header_mod { LIST(struct http_header) set, add; str_list remove; };
struct path_modifier { str type, full, prefix; };                       /* ReplaceFullPath, ReplacePrefixMatch */
struct redirect { str scheme, hostname; struct path_modifier *path; struct opt_int port, status; };
struct rewrite { str hostname; struct path_modifier *path; };
struct backend_ref;
struct fraction { int32_t numerator; struct opt_int denominator; };
struct mirror { struct secret_ref ref; struct opt_int port; struct opt_int percent; struct fraction *fraction; };
struct cors { str_list origins, methods, headers, expose; uint8_t credentials /* enum tri */; struct opt_int max_age; };
struct route_filter {
	str type;
	struct header_mod *request, *response;
	struct redirect *redirect;
	struct rewrite *rewrite;
	struct mirror *mirror;
	struct cors *cors;
	const struct val *doc;                  /* extensionRef as given */
};
struct backend_ref { str group, kind, ns, name; struct opt_int port, weight; LIST(struct route_filter) filters; };
struct route_rule { str name; LIST(struct route_match) matches; LIST(struct route_filter) filters; LIST(struct backend_ref) backends; const struct val *timeouts, *retry, *session; };
struct route_parent_status { struct parent_ref ref; str controller; condition_list conditions; };
typedef LIST(struct route_parent_status) parent_status_list;
struct gw_route {                               /* HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute: o.kind says which */
	struct object o;
	LIST(struct parent_ref) parents;
	str_list hostnames;
	LIST(struct route_rule) rules;
	parent_status_list st_parents;
};
struct policy_target { str group, kind, name, section; };
struct backend_tls_policy {                     /* how Gateways speak TLS to a Service */
	struct object o;
	LIST(struct policy_target) targets;
	LIST(struct secret_ref) cas;            /* validation.caCertificateRefs, of its own namespace */
	str well_known, hostname;
	parent_status_list st_ancestors;
};
struct grant_from { str group, kind, ns; };
struct grant_to { str group, kind, name; };
struct reference_grant { struct object o; LIST(struct grant_from) from; LIST(struct grant_to) to; };

/* ---- Calico (crd.projectcalico.org/v1, projectcalico.org/v3) */
struct ip_pool {
	struct object o;
	str cidr, ipip_mode, vxlan_mode, node_selector, namespace_selector, assignment;        /* modes: Never, Always, CrossSubnet */
	str_list allowed_uses;                  /* Workload, Tunnel, LoadBalancer; empty: the first two */
	int32_t block_size;                     /* defaulted to 26, 122 for IPv6 */
	bool nat_outgoing, disabled;
	uint8_t disable_bgp_export;
};
struct bgp_configuration { struct object o; uint8_t mesh; int64_t as_number; };          /* nodeToNodeMeshEnabled, tri */
struct bgp_peer { struct object o; str node, peer_ip, node_selector, peer_selector; int64_t as_number; };
struct felix_configuration { struct object o; str endpoint_to_host; const struct val *spec; };
struct ipam_config { struct object o; uint8_t strict; int32_t max_blocks; };      /* strictAffinity, tri; maxBlocksPerHost, 0: 20 */
/* ---- MetalLB (metallb.io/v1beta1) */
struct metallb_pool {
	struct object o;
	str_list addresses;
	uint8_t auto_assign; bool avoid_buggy;
	int64_t priority; str_list namespaces;                  /* serviceAllocation: whom the pool is for; the lowest number first, 0 last */
	LIST(struct selector) namespace_selectors, service_selectors;
};
/* "192.0.2.0/24" or "192.0.2.10-192.0.2.20", of one family. Source: metallb internal/config/config.go ParseCIDR. */
bool metallb_range(const char *text, ip_addr *first, ip_addr *last);
/* L2Advertisement, BGPAdvertisement: of pools by name or label, all if neither is said; for Services and from nodes that one of the selectors selects, all if there is none.
 * preferred (L2 alone): the weights of nodes that match add up, and the heaviest is elected. */
struct metallb_preference { int32_t weight; struct selector nodes; };
struct metallb_advertisement {
	struct object o;
	str_list pools, interfaces;
	LIST(struct selector) pool_selectors, node_selectors, service_selectors;
	LIST(struct metallb_preference) preferred;
};
bool metallb_has(const struct metallb_pool *, ip_addr);
bool metallb_advertises(const struct metallb_advertisement *, const struct metallb_pool *);     /* from whichever nodes */

extern const struct kind network_policy_kind, ingress_kind, ingress_class_kind, gateway_class_kind, gateway_kind, http_route_kind, reference_grant_kind,
	ip_pool_kind, bgp_configuration_kind, bgp_peer_kind, bgp_filter_kind /* struct raw_object */, felix_configuration_kind, ipam_config_kind, ipam_configuration_kind, node_network_state_kind, metallb_pool_kind, l2_advertisement_kind, bgp_advertisement_kind,
	service_entry_kind, istio_sidecar_kind, envoy_filter_kind, workload_entry_kind, workload_group_kind, request_authentication_kind, istio_telemetry_kind,
	grpc_route_kind, tls_route_kind, tcp_route_kind, udp_route_kind, listener_set_kind, backend_tls_policy_kind,
	service_cidr_kind, virtual_service_kind, destination_rule_kind, istio_gateway_kind, peer_authentication_kind, authorization_policy_kind;
extern const struct kind *const route_kinds[];  /* the Gateway API's kinds of routes, all struct gw_route; NULL-terminated */

struct service_cidr { struct object o; str_list cidrs; };
struct raw_object { struct object o; const struct val *spec; };          /* Istio's kinds: read from the document by the mesh compiler */

#endif
