/* The kinds of kept.c. */
#ifndef PODWIRE_KEPT_H
#define PODWIRE_KEPT_H

#include "model/api/core.h"

extern const struct kind limit_range_kind, quota_kind, pod_template_kind, component_status_kind, role_kind, cluster_role_kind, role_binding_kind, cluster_role_binding_kind,
	crd_kind, hpa_kind, pod_metrics_kind, pdb_kind, priority_class_kind, runtime_class_kind, lease_kind, api_service_kind, validating_kind, mutating_kind, vap_kind, vap_binding_kind,
	map_kind, map_binding_kind, csi_driver_kind, csi_node_kind, csi_capacity_kind, volume_attachment_kind, attributes_class_kind, csr_kind,
	ip_address_kind, flow_schema_kind, priority_level_kind, device_class_kind, resource_claim_kind, resource_claim_template_kind, resource_slice_kind,
	cluster_network_policy_kind, admin_network_policy_kind, baseline_admin_network_policy_kind, calico_policy_kind, calico_global_policy_kind, staged_policy_kind,
	staged_global_policy_kind, staged_kubernetes_policy_kind, calico_tier_kind, network_set_kind, global_network_set_kind, host_endpoint_kind,
	kustomization_kind, component_kind, kubeadm_init_kind, kubeadm_join_kind, kubeadm_reset_kind, kubeadm_upgrade_kind;

/* What a Calico network reads beside NetworkPolicies, from their documents: policies in tiers (model/policy/tiers.h), and HostEndpoints, of which it is unknown what they decide. api: apiVersion. */
enum kept_policy { KEPT_NO_POLICY, KEPT_CALICO_POLICY, KEPT_ADMIN_POLICY, KEPT_TIER, KEPT_NETWORK_SET, KEPT_HOST_ENDPOINT };
enum kept_policy kept_policy(const char *api, const char *kind);
bool kept_cluster_wide(const char *api, const char *kind);       /* Calico's and the policy API's kinds that have no namespace */

#endif
