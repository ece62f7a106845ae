/* Kinds that are read, checked, kept and shown, and have no effect on the network. */
#include "model/api/checks.h"
#include "model/api/fill.h"
#include "model/api/kept.h"
#include "model/api/shape.h"

static const char kept[] = "kept, without effect on the network";

#define APIS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define KIND(id, n, a, old, pl, sh, ns, ...) \
	const struct kind id = { .name = n, .apis = a, .removed = old, .plural = pl, .shorts = sh, .namespaced = ns, .size = sizeof(struct generic), .note = kept, __VA_ARGS__ }
#define RBAC     APIS("rbac.authorization.k8s.io/v1")
#define RBAC_OLD APIS("rbac.authorization.k8s.io/v1alpha1", "rbac.authorization.k8s.io/v1beta1")
#define ADMIT    APIS("admissionregistration.k8s.io/v1")
#define ADMIT_OLD APIS("admissionregistration.k8s.io/v1beta1")
#define STORE    APIS("storage.k8s.io/v1")
#define STORE_OLD APIS("storage.k8s.io/v1beta1", "storage.k8s.io/v1alpha1")
#define FLOW     APIS("flowcontrol.apiserver.k8s.io/v1")
#define FLOW_OLD APIS("flowcontrol.apiserver.k8s.io/v1beta1", "flowcontrol.apiserver.k8s.io/v1beta2", "flowcontrol.apiserver.k8s.io/v1beta3")
#define DRA      APIS("resource.k8s.io/v1")

KIND(service_account_kind, "ServiceAccount", APIS("v1"), NULL, "serviceaccounts", "sa", true, .fields = ServiceAccount);
KIND(pvc_kind, "PersistentVolumeClaim", APIS("v1"), NULL, "persistentvolumeclaims", "pvc", true, .fields = PersistentVolumeClaim, .fill = claim_fill, .check = pvc_check, .check_update = pvc_check_update);
KIND(pv_kind, "PersistentVolume", APIS("v1"), NULL, "persistentvolumes", "pv", false, .fields = PersistentVolume, .check = pv_check,
     .check_update = pv_check_update);
KIND(storage_class_kind, "StorageClass", STORE, STORE_OLD, "storageclasses", "sc", false, .fields = StorageClass, .check = storage_class_check,
     .check_update = storage_class_check_update);
KIND(event_kind, "Event", APIS("v1", "events.k8s.io/v1"), APIS("events.k8s.io/v1beta1"), "events", "ev", true, .fields = Event);
KIND(limit_range_kind, "LimitRange", APIS("v1"), NULL, "limitranges", "limits", true, .fields = LimitRange, .fill = limit_range_fill, .check = limit_range_check);
KIND(quota_kind, "ResourceQuota", APIS("v1"), NULL, "resourcequotas", "quota", true, .fields = ResourceQuota, .check = quota_check);
KIND(pod_template_kind, "PodTemplate", APIS("v1"), NULL, "podtemplates", NULL, true, .fields = PodTemplate, .fill = template_fill, .check = pod_template_check);
KIND(component_status_kind, "ComponentStatus", APIS("v1"), NULL, "componentstatuses", "cs", false, .fields = ComponentStatus);
KIND(role_kind, "Role", RBAC, RBAC_OLD, "roles", NULL, true, .fields = Role, .check = role_check, .name_rule = must_be_path_segment);
KIND(cluster_role_kind, "ClusterRole", RBAC, RBAC_OLD, "clusterroles", NULL, false, .fields = ClusterRole, .check = role_check, .name_rule = must_be_path_segment);
KIND(role_binding_kind, "RoleBinding", RBAC, RBAC_OLD, "rolebindings", NULL, true, .fields = RoleBinding, .fill = binding_fill, .check = binding_check, .check_update = binding_check_update, .name_rule = must_be_path_segment);
KIND(cluster_role_binding_kind, "ClusterRoleBinding", RBAC, RBAC_OLD, "clusterrolebindings", NULL, false, .fields = ClusterRoleBinding, .fill = binding_fill, .check = binding_check, .check_update = binding_check_update,
     .name_rule = must_be_path_segment);
KIND(crd_kind, "CustomResourceDefinition", APIS("apiextensions.k8s.io/v1"), APIS("apiextensions.k8s.io/v1beta1"), "customresourcedefinitions", "crd crds", false,
     .fields = CustomResourceDefinition, .check = crd_check);
KIND(hpa_kind, "HorizontalPodAutoscaler", APIS("autoscaling/v2", "autoscaling/v1"), APIS("autoscaling/v2beta1", "autoscaling/v2beta2"), "horizontalpodautoscalers", "hpa", true,
     .fields = HorizontalPodAutoscaler, .fill = hpa_fill, .check = hpa_check);
KIND(pod_metrics_kind, "PodMetrics", APIS("metrics.k8s.io/v1beta1"), NULL, "podmetrics", NULL, true, .fields = PodMetrics);
KIND(pdb_kind, "PodDisruptionBudget", APIS("policy/v1"), APIS("policy/v1beta1"), "poddisruptionbudgets", "pdb", true, .fields = PodDisruptionBudget, .check = pdb_check,
     .name_rule = must_be_path_segment);
KIND(priority_class_kind, "PriorityClass", APIS("scheduling.k8s.io/v1"), APIS("scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1alpha1"), "priorityclasses", "pc", false,
     .fields = PriorityClass, .check = priority_class_check, .check_update = priority_class_check_update);
KIND(runtime_class_kind, "RuntimeClass", APIS("node.k8s.io/v1"), APIS("node.k8s.io/v1beta1", "node.k8s.io/v1alpha1"), "runtimeclasses", NULL, false, .fields = RuntimeClass, .check = runtime_class_check);
KIND(lease_kind, "Lease", APIS("coordination.k8s.io/v1"), APIS("coordination.k8s.io/v1beta1"), "leases", NULL, true, .fields = Lease, .check = lease_check);
KIND(api_service_kind, "APIService", APIS("apiregistration.k8s.io/v1"), APIS("apiregistration.k8s.io/v1beta1"), "apiservices", NULL, false, .fields = APIService,
     .name_rule = must_be_path_segment);
KIND(validating_kind, "ValidatingWebhookConfiguration", ADMIT, ADMIT_OLD, "validatingwebhookconfigurations", NULL, false, .fields = ValidatingWebhookConfiguration,
     .check = webhook_check);
KIND(mutating_kind, "MutatingWebhookConfiguration", ADMIT, ADMIT_OLD, "mutatingwebhookconfigurations", NULL, false, .fields = MutatingWebhookConfiguration,
     .check = webhook_check);
KIND(vap_kind, "ValidatingAdmissionPolicy", ADMIT, ADMIT_OLD, "validatingadmissionpolicies", NULL, false, .fields = ValidatingAdmissionPolicy);
KIND(vap_binding_kind, "ValidatingAdmissionPolicyBinding", ADMIT, ADMIT_OLD, "validatingadmissionpolicybindings", NULL, false, .fields = ValidatingAdmissionPolicyBinding);
KIND(map_kind, "MutatingAdmissionPolicy", ADMIT, NULL, "mutatingadmissionpolicies", NULL, false, .fields = MutatingAdmissionPolicy);
KIND(map_binding_kind, "MutatingAdmissionPolicyBinding", ADMIT, NULL, "mutatingadmissionpolicybindings", NULL, false, .fields = MutatingAdmissionPolicyBinding);
KIND(csi_driver_kind, "CSIDriver", STORE, STORE_OLD, "csidrivers", NULL, false, .fields = CSIDriver);
KIND(csi_node_kind, "CSINode", STORE, STORE_OLD, "csinodes", NULL, false, .fields = CSINode);
KIND(csi_capacity_kind, "CSIStorageCapacity", STORE, STORE_OLD, "csistoragecapacities", NULL, true, .fields = CSIStorageCapacity);
KIND(volume_attachment_kind, "VolumeAttachment", STORE, STORE_OLD, "volumeattachments", NULL, false, .fields = VolumeAttachment);
KIND(attributes_class_kind, "VolumeAttributesClass", APIS("storage.k8s.io/v1", "storage.k8s.io/v1beta1"), NULL, "volumeattributesclasses", "vac", false,
     .fields = VolumeAttributesClass);
KIND(csr_kind, "CertificateSigningRequest", APIS("certificates.k8s.io/v1"), APIS("certificates.k8s.io/v1beta1"), "certificatesigningrequests", "csr", false,
     .fields = CertificateSigningRequest);
KIND(ip_address_kind, "IPAddress", APIS("networking.k8s.io/v1"), NULL, "ipaddresses", "ip", false, .fields = IPAddress, .name_rule = must_be_path_segment);
KIND(flow_schema_kind, "FlowSchema", FLOW, FLOW_OLD, "flowschemas", NULL, false, .fields = FlowSchema);
KIND(priority_level_kind, "PriorityLevelConfiguration", FLOW, FLOW_OLD, "prioritylevelconfigurations", NULL, false, .fields = PriorityLevelConfiguration);
KIND(device_class_kind, "DeviceClass", DRA, NULL, "deviceclasses", NULL, false, .fields = DeviceClass);
KIND(resource_claim_kind, "ResourceClaim", DRA, NULL, "resourceclaims", NULL, true, .fields = ResourceClaim_resource);
KIND(resource_claim_template_kind, "ResourceClaimTemplate", DRA, NULL, "resourceclaimtemplates", NULL, true, .fields = ResourceClaimTemplate);
KIND(resource_slice_kind, "ResourceSlice", DRA, NULL, "resourceslices", NULL, false, .fields = ResourceSlice);
KIND(kustomization_kind, "Kustomization", APIS("kustomize.config.k8s.io/v1beta1", "kustomize.config.k8s.io/v1"), NULL, "kustomizations", NULL, false, .nameless = true);
KIND(component_kind, "Component", APIS("kustomize.config.k8s.io/v1alpha1"), NULL, "components", NULL, false, .nameless = true);
/* They stand in one file with kubeadm's ClusterConfiguration. */
#define KUBEADM APIS("kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta3")
KIND(kubeadm_init_kind, "InitConfiguration", KUBEADM, NULL, "initconfigurations", NULL, false, .nameless = true);
KIND(kubeadm_join_kind, "JoinConfiguration", KUBEADM, NULL, "joinconfigurations", NULL, false, .nameless = true);
KIND(kubeadm_reset_kind, "ResetConfiguration", KUBEADM, NULL, "resetconfigurations", NULL, false, .nameless = true);
KIND(kubeadm_upgrade_kind, "UpgradeConfiguration", KUBEADM, NULL, "upgradeconfigurations", NULL, false, .nameless = true);
KIND(unknown_kind, "Unknown", APIS(""), NULL, "unknown", NULL, true, .name_rule = must_be_path_segment);

enum kept_policy kept_policy(const char *api, const char *kind)
{
	static const struct { const char *group, *kind; enum kept_policy is; } all[] = {
		{ "projectcalico.org/", "GlobalNetworkPolicy", KEPT_CALICO_POLICY }, { "crd.projectcalico.org/", "GlobalNetworkPolicy", KEPT_CALICO_POLICY },
		{ "projectcalico.org/", "NetworkPolicy", KEPT_CALICO_POLICY }, { "crd.projectcalico.org/", "NetworkPolicy", KEPT_CALICO_POLICY },
		{ "policy.networking.k8s.io/", "AdminNetworkPolicy", KEPT_ADMIN_POLICY }, { "policy.networking.k8s.io/", "BaselineAdminNetworkPolicy", KEPT_ADMIN_POLICY },
		{ "policy.networking.k8s.io/", "ClusterNetworkPolicy", KEPT_ADMIN_POLICY },
		{ "projectcalico.org/", "Tier", KEPT_TIER }, { "crd.projectcalico.org/", "Tier", KEPT_TIER },
		{ "projectcalico.org/", "NetworkSet", KEPT_NETWORK_SET }, { "crd.projectcalico.org/", "NetworkSet", KEPT_NETWORK_SET },
		{ "projectcalico.org/", "GlobalNetworkSet", KEPT_NETWORK_SET }, { "crd.projectcalico.org/", "GlobalNetworkSet", KEPT_NETWORK_SET },
		{ "projectcalico.org/", "HostEndpoint", KEPT_HOST_ENDPOINT }, { "crd.projectcalico.org/", "HostEndpoint", KEPT_HOST_ENDPOINT },
	};

	for (size_t k = 0; k < ARRAY_LEN(all); k++)
		if (strcmp(kind, all[k].kind) == 0 && strncmp(api, all[k].group, strlen(all[k].group)) == 0)
			return all[k].is;
	return KEPT_NO_POLICY;
}

bool kept_cluster_wide(const char *api, const char *kind)
{
	static const char *const groups[] = { "projectcalico.org/", "crd.projectcalico.org/", "policy.networking.k8s.io/" };
	static const char *const in_a_namespace[] = { "NetworkPolicy", "NetworkSet", "StagedNetworkPolicy", "StagedKubernetesNetworkPolicy" };
	bool ours = false;

	for (size_t k = 0; k < ARRAY_LEN(groups); k++)
		ours = ours || strncmp(api, groups[k], strlen(groups[k])) == 0;
	for (size_t k = 0; k < ARRAY_LEN(in_a_namespace); k++)
		ours = ours && strcmp(kind, in_a_namespace[k]) != 0;
	return ours;
}
