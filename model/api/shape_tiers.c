/* Policies in tiers and what they name: Calico's kinds, and those of the network policy API. Which fields there are: calico api/config/crd/projectcalico.org_*.yaml,
 * network-policy-api config/crd/experimental (v1alpha2; v1alpha1 until v0.1.7). What they say is read from their documents (model/policy/tiers.h). */
#include "model/api/checks.h"
#include "model/api/kept.h"
#include "model/api/shape.h"

/* ---- Calico */

SHAPE(ServiceMatch, STR(name) STR(namespace))
SHAPE(ServiceAccountMatch, STRS(names) STR(selector))
SHAPE(EntityRule, STR(namespaceSelector) STRS(nets) STRS(notNets) ANY(notPorts) STR(notSelector) ANY(ports) STR(selector) OBJ(serviceAccounts, ServiceAccountMatch)
	OBJ(services, ServiceMatch))
SHAPE(ICMPFields, INT(code) INT(type))
SHAPE(HTTPPath, STR(exact) STR(prefix))
SHAPE(HTTPMatch, STRS(methods) OBJS(paths, HTTPPath))
SHAPE(RuleMetadata, PAIRS(annotations))
SHAPE(CalicoRule, STR(action) OBJ(destination, EntityRule) OBJ(http, HTTPMatch) OBJ(icmp, ICMPFields) INT(ipVersion) OBJ(metadata, RuleMetadata) OBJ(notICMP, ICMPFields)
	INTSTR(notProtocol) INTSTR(protocol) OBJ(source, EntityRule))
#define POLICY_ROWS DFLT(F_STR, tier, "\"default\"") NUM(order) OBJS(ingress, CalicoRule) OBJS(egress, CalicoRule) STR(selector) STRS(types) STR(serviceAccountSelector) STRS(performanceHints)
#define GLOBAL_ROWS BOOL(applyOnForward) BOOL(doNotTrack) BOOL(preDNAT) STR(namespaceSelector)
SHAPE(CalicoPolicySpec, POLICY_ROWS)
SHAPE(GlobalPolicySpec, POLICY_ROWS GLOBAL_ROWS)
SHAPE(StagedPolicySpec, POLICY_ROWS STR(stagedAction))
SHAPE(StagedGlobalPolicySpec, POLICY_ROWS GLOBAL_ROWS STR(stagedAction))
SHAPE(TierSpec, DFLT(F_STR, defaultAction, "\"Deny\"") NUM(order))
SHAPE(NetworkSetSpec, STRS(nets))
SHAPE(EndpointPort, STR(name) INT(port) INTSTR(protocol))
SHAPE(HostEndpointSpec, STRS(expectedIPs) STR(interfaceName) STR(node) OBJS(ports, EndpointPort) STRS(profiles))

SHAPE(CalicoPolicy, TOP OBJ(spec, CalicoPolicySpec))
SHAPE(GlobalPolicy, TOP OBJ(spec, GlobalPolicySpec))
SHAPE(StagedPolicy, TOP OBJ(spec, StagedPolicySpec))
SHAPE(StagedGlobalPolicy, TOP OBJ(spec, StagedGlobalPolicySpec))
SHAPE(Tier, TOP OBJ(spec, TierSpec) ANY(status))
SHAPE(NetworkSet, TOP OBJ(spec, NetworkSetSpec))
SHAPE(HostEndpoint, TOP OBJ(spec, HostEndpointSpec))

/* ---- the network policy API */

SHAPE(NamespacedPod, OBJ(namespaceSelector, selector_fields) OBJ(podSelector, selector_fields))
SHAPE(AdminSubject, OBJ(namespaces, selector_fields) OBJ(pods, NamespacedPod))
SHAPE(AdminPeer, OBJ(namespaces, selector_fields) OBJ(pods, NamespacedPod) STRS(networks) OBJ(nodes, selector_fields) STRS(domainNames))
SHAPE(PortNumber, DFLT(F_STR, protocol, "\"TCP\"") INT(port))
SHAPE(PortRange, DFLT(F_STR, protocol, "\"TCP\"") INT(start) INT(end))
SHAPE(AdminPort, OBJ(portNumber, PortNumber) STR(namedPort) OBJ(portRange, PortRange))
SHAPE(AdminRule, STR(name) STR(action) OBJS(from, AdminPeer) OBJS(to, AdminPeer) OBJS(ports, AdminPort))
SHAPE(AdminSpec, INT(priority) OBJ(subject, AdminSubject) OBJS(ingress, AdminRule) OBJS(egress, AdminRule))
SHAPE(Admin, TOP OBJ(spec, AdminSpec) ANY(status))
SHAPE(ClusterRange, INT(start) INT(end))
SHAPE(ClusterPort, INT(number) OBJ(range, ClusterRange))
SHAPE(ClusterL4, OBJ(destinationPort, ClusterPort))
SHAPE(ClusterProtocol, OBJ(tcp, ClusterL4) OBJ(udp, ClusterL4) OBJ(sctp, ClusterL4) STR(destinationNamedPort))
SHAPE(ClusterRule, STR(name) STR(action) OBJS(from, AdminPeer) OBJS(to, AdminPeer) OBJS(protocols, ClusterProtocol))
SHAPE(ClusterSpec, STR(tier) INT(priority) OBJ(subject, AdminSubject) OBJS(ingress, ClusterRule) OBJS(egress, ClusterRule))
SHAPE(ClusterPolicy, TOP OBJ(spec, ClusterSpec) ANY(status))

/* ---- the kinds: the group whose name comes first in the alphabet has a short name that both want */

#define APIS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define CALICO    APIS("projectcalico.org/v3", "crd.projectcalico.org/v1")
#define KIND(id, n, a, pl, sh, ns, ...) const struct kind id = { .name = n, .apis = a, .plural = pl, .shorts = sh, .namespaced = ns, .size = sizeof(struct generic), __VA_ARGS__ }

static const char staged[] = "kept: staged policies decide nothing";
static const char host[] = "kept, and what it decides in a Calico network is unknown";

KIND(cluster_network_policy_kind, "ClusterNetworkPolicy", APIS("policy.networking.k8s.io/v1alpha2", "policy.networking.k8s.io/v1beta1"), "clusternetworkpolicies", "cnp", false, .fields = ClusterPolicy, .check = cluster_network_policy_check);
KIND(admin_network_policy_kind, "AdminNetworkPolicy", APIS("policy.networking.k8s.io/v1alpha1"), "adminnetworkpolicies", "anp", false, .fields = Admin, .check = admin_policy_check);
KIND(baseline_admin_network_policy_kind, "BaselineAdminNetworkPolicy", APIS("policy.networking.k8s.io/v1alpha1"), "baselineadminnetworkpolicies", "banp", false, .fields = Admin,
     .check = admin_policy_check);
KIND(calico_policy_kind, "NetworkPolicy", CALICO, "networkpolicies", "cnp caliconetworkpolicy", true, .fields = CalicoPolicy, .check = calico_policy_check);
KIND(calico_global_policy_kind, "GlobalNetworkPolicy", CALICO, "globalnetworkpolicies", "gnp cgnp", false, .fields = GlobalPolicy, .check = calico_policy_check);
KIND(staged_policy_kind, "StagedNetworkPolicy", CALICO, "stagednetworkpolicies", "snp", true, .fields = StagedPolicy, .check = calico_policy_check, .note = staged);
KIND(staged_global_policy_kind, "StagedGlobalNetworkPolicy", CALICO, "stagedglobalnetworkpolicies", "sgnp", false, .fields = StagedGlobalPolicy, .check = calico_policy_check, .note = staged);
KIND(staged_kubernetes_policy_kind, "StagedKubernetesNetworkPolicy", CALICO, "stagedkubernetesnetworkpolicies", "sknp", true, .note = staged);
KIND(calico_tier_kind, "Tier", CALICO, "tiers", NULL, false, .fields = Tier, .check = calico_tier_check);
KIND(network_set_kind, "NetworkSet", CALICO, "networksets", NULL, true, .fields = NetworkSet, .check = network_set_check);
KIND(global_network_set_kind, "GlobalNetworkSet", CALICO, "globalnetworksets", "gns", false, .fields = NetworkSet, .check = network_set_check);
KIND(host_endpoint_kind, "HostEndpoint", CALICO, "hostendpoints", "hep heps", false, .fields = HostEndpoint, .check = host_endpoint_check, .note = host);
