/* All kinds, and those whose struct is small: Calico's, MetalLB's, Istio's, and what has no effect on the network. */
#include <strings.h>

#include "model/api/config.h"
#include "model/api/net.h"
#include "model/api/rows.h"
#include "model/api/workload.h"

#define TOP ROW_KEEP("apiVersion"), ROW_KEEP("kind"), ROW_KEEP("metadata")

/* ---- Calico. Source: calico api/pkg/apis/projectcalico/v3 */
static const struct field pool_spec_fields[] = {
	ROW(F_STR, "cidr", struct ip_pool, cidr), ROW(F_STR, "ipipMode", struct ip_pool, ipip_mode), ROW(F_STR, "vxlanMode", struct ip_pool, vxlan_mode),
	ROW(F_STR, "nodeSelector", struct ip_pool, node_selector), ROW(F_STR, "assignmentMode", struct ip_pool, assignment), ROW(F_INT, "blockSize", struct ip_pool, block_size),
	ROW(F_BOOL, "natOutgoing", struct ip_pool, nat_outgoing), ROW(F_BOOL, "disabled", struct ip_pool, disabled), ROW(F_TRI, "disableBGPExport", struct ip_pool, disable_bgp_export),
	ROW_KEEP("allowedUses"), ROW_KEEP("namespaceSelector"), ROW_KEEP("ipip"), ROW_KEEP("nat-outgoing"),
	FIELD_END
};
static const struct field pool_fields[] = { TOP, ROW_HERE("spec", pool_spec_fields), FIELD_END };
static const struct field bgp_spec_fields[] = { ROW(F_TRI, "nodeToNodeMeshEnabled", struct bgp_configuration, mesh), ROW(F_I64, "asNumber", struct bgp_configuration, as_number), FIELD_END };
static const struct field bgp_fields[] = { TOP, ROW_HERE("spec", bgp_spec_fields), FIELD_END };
static const struct field peer_spec_fields[] = {
	ROW(F_STR, "node", struct bgp_peer, node), ROW(F_STR, "peerIP", struct bgp_peer, peer_ip), ROW(F_STR, "nodeSelector", struct bgp_peer, node_selector),
	ROW(F_STR, "peerSelector", struct bgp_peer, peer_selector), ROW(F_I64, "asNumber", struct bgp_peer, as_number),
	FIELD_END
};
static const struct field peer_fields[] = { TOP, ROW_HERE("spec", peer_spec_fields), FIELD_END };
static const struct field felix_spec_fields[] = { ROW(F_STR, "defaultEndpointToHostAction", struct felix_configuration, endpoint_to_host), FIELD_END };
static const struct field felix_fields[] = { TOP, ROW_HERE("spec", felix_spec_fields), FIELD_END };

static void pool_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct ip_pool *p = (struct ip_pool *)o;
	struct cidr c;

	(void)a;
	if (!p->block_size)
		p->block_size = p->cidr && cidr_parse(p->cidr, &c) && !ip_is4(c.addr) ? 122 : 26;
	if (!p->ipip_mode)
		p->ipip_mode = str_intern(t, "Never");
	if (!p->vxlan_mode)
		p->vxlan_mode = str_intern(t, "Never");
}

/* ---- MetalLB. Source: metallb api/v1beta1 */
static const struct field lb_pool_spec_fields[] = {
	ROW(F_STRS, "addresses", struct metallb_pool, addresses), ROW(F_TRI, "autoAssign", struct metallb_pool, auto_assign), ROW_KEEP("avoidBuggyIPs"), ROW_KEEP("serviceAllocation"), FIELD_END
};
static const struct field lb_pool_fields[] = { TOP, ROW_HERE("spec", lb_pool_spec_fields), ROW_KEEP("status"), FIELD_END };
static const struct field ad_spec_fields[] = {
	ROW(F_STRS, "ipAddressPools", struct metallb_advertisement, pools), ROW_KEEP("ipAddressPoolSelectors"), ROW_KEEP("nodeSelectors"), ROW_KEEP("interfaces"),
	ROW_KEEP("aggregationLength"), ROW_KEEP("aggregationLengthV6"), ROW_KEEP("localPref"), ROW_KEEP("communities"), ROW_KEEP("peers"),
	FIELD_END
};
static const struct field ad_fields[] = { TOP, ROW_HERE("spec", ad_spec_fields), ROW_KEEP("status"), FIELD_END };

static const struct field cidr_spec_fields[] = { ROW(F_STRS, "cidrs", struct service_cidr, cidrs), FIELD_END };
static const struct field cidr_fields[] = { TOP, ROW_HERE("spec", cidr_spec_fields), ROW_KEEP("status"), FIELD_END };
static const struct field raw_fields[] = { TOP, ROW(F_RAW, "spec", struct raw_object, spec), ROW_KEEP("status"), FIELD_END };

#define APIS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define CALICO    APIS("crd.projectcalico.org/v1", "projectcalico.org/v3")
const struct kind ip_pool_kind = { .name = "IPPool", .apis = CALICO, .plural = "ippools", .size = sizeof(struct ip_pool), .fields = pool_fields, .dflt = pool_default };
const struct kind bgp_configuration_kind = { .name = "BGPConfiguration", .apis = CALICO, .plural = "bgpconfigurations", .size = sizeof(struct bgp_configuration), .fields = bgp_fields };
const struct kind bgp_peer_kind = { .name = "BGPPeer", .apis = CALICO, .plural = "bgppeers", .size = sizeof(struct bgp_peer), .fields = peer_fields };
const struct kind felix_configuration_kind = { .name = "FelixConfiguration", .apis = CALICO, .plural = "felixconfigurations", .size = sizeof(struct felix_configuration),
					       .fields = felix_fields };
const struct kind metallb_pool_kind = { .name = "IPAddressPool", .apis = APIS("metallb.io/v1beta1"), .plural = "ipaddresspools", .namespaced = true,
					.size = sizeof(struct metallb_pool), .fields = lb_pool_fields };
const struct kind l2_advertisement_kind = { .name = "L2Advertisement", .apis = APIS("metallb.io/v1beta1"), .plural = "l2advertisements", .namespaced = true,
					    .size = sizeof(struct metallb_advertisement), .fields = ad_fields };
const struct kind bgp_advertisement_kind = { .name = "BGPAdvertisement", .apis = APIS("metallb.io/v1beta1"), .plural = "bgpadvertisements", .namespaced = true,
					     .size = sizeof(struct metallb_advertisement), .fields = ad_fields };
const struct kind service_cidr_kind = { .name = "ServiceCIDR", .apis = APIS("networking.k8s.io/v1", "networking.k8s.io/v1beta1"), .plural = "servicecidrs",
					.size = sizeof(struct service_cidr), .fields = cidr_fields };
#define ISTIO_NET APIS("networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3")
#define ISTIO_SEC APIS("security.istio.io/v1", "security.istio.io/v1beta1")
#define RAW(n, a, pl) { .name = n, .apis = a, .plural = pl, .namespaced = true, .size = sizeof(struct raw_object), .fields = raw_fields }
const struct kind virtual_service_kind = RAW("VirtualService", ISTIO_NET, "virtualservices");
const struct kind destination_rule_kind = RAW("DestinationRule", ISTIO_NET, "destinationrules");
const struct kind istio_gateway_kind = RAW("Gateway", ISTIO_NET, "istiogateways");
const struct kind peer_authentication_kind = RAW("PeerAuthentication", ISTIO_SEC, "peerauthentications");
const struct kind authorization_policy_kind = RAW("AuthorizationPolicy", ISTIO_SEC, "authorizationpolicies");

/* ---- no effect on the network */
static const char kept[] = "kept, without effect on the network";
#define KEPT_AS(id, n, a, pl, sh, ns) const struct kind id = { .name = n, .apis = a, .plural = pl, .shorts = sh, .namespaced = ns, .size = sizeof(struct generic), .note = kept }
KEPT_AS(service_account_kind, "ServiceAccount", APIS("v1"), "serviceaccounts", "sa", true);
KEPT_AS(pvc_kind, "PersistentVolumeClaim", APIS("v1"), "persistentvolumeclaims", "pvc", true);
KEPT_AS(pv_kind, "PersistentVolume", APIS("v1"), "persistentvolumes", "pv", false);
KEPT_AS(storage_class_kind, "StorageClass", APIS("storage.k8s.io/v1"), "storageclasses", "sc", false);
KEPT_AS(event_kind, "Event", APIS("v1", "events.k8s.io/v1"), "events", "ev", true);
KEPT_AS(unknown_kind, "Unknown", APIS(""), "unknown", NULL, true);

#define KEPT(id, n, a, pl, sh, ns) static const struct kind id = { .name = n, .apis = a, .plural = pl, .shorts = sh, .namespaced = ns, .size = sizeof(struct generic), .note = kept }
#define REMOVED(id, n, a, old, pl, sh, ns) \
	static const struct kind id = { .name = n, .apis = a, .removed = old, .plural = pl, .shorts = sh, .namespaced = ns, .size = sizeof(struct generic), .note = kept }
KEPT(limit_range, "LimitRange", APIS("v1"), "limitranges", "limits", true);
KEPT(quota, "ResourceQuota", APIS("v1"), "resourcequotas", "quota", true);
KEPT(pod_template, "PodTemplate", APIS("v1"), "podtemplates", NULL, true);
KEPT(role, "Role", APIS("rbac.authorization.k8s.io/v1"), "roles", NULL, true);
KEPT(role_binding, "RoleBinding", APIS("rbac.authorization.k8s.io/v1"), "rolebindings", NULL, true);
KEPT(cluster_role, "ClusterRole", APIS("rbac.authorization.k8s.io/v1"), "clusterroles", NULL, false);
KEPT(cluster_role_binding, "ClusterRoleBinding", APIS("rbac.authorization.k8s.io/v1"), "clusterrolebindings", NULL, false);
REMOVED(crd, "CustomResourceDefinition", APIS("apiextensions.k8s.io/v1"), APIS("apiextensions.k8s.io/v1beta1"), "customresourcedefinitions", "crd crds", false);
REMOVED(hpa, "HorizontalPodAutoscaler", APIS("autoscaling/v2", "autoscaling/v1"), APIS("autoscaling/v2beta1", "autoscaling/v2beta2"), "horizontalpodautoscalers", "hpa", true);
REMOVED(pdb, "PodDisruptionBudget", APIS("policy/v1"), APIS("policy/v1beta1"), "poddisruptionbudgets", "pdb", true);
KEPT(priority_class, "PriorityClass", APIS("scheduling.k8s.io/v1"), "priorityclasses", "pc", false);
KEPT(runtime_class, "RuntimeClass", APIS("node.k8s.io/v1"), "runtimeclasses", NULL, false);
KEPT(lease, "Lease", APIS("coordination.k8s.io/v1"), "leases", NULL, true);
KEPT(api_service, "APIService", APIS("apiregistration.k8s.io/v1"), "apiservices", NULL, false);
KEPT(validating, "ValidatingWebhookConfiguration", APIS("admissionregistration.k8s.io/v1"), "validatingwebhookconfigurations", NULL, false);
KEPT(mutating, "MutatingWebhookConfiguration", APIS("admissionregistration.k8s.io/v1"), "mutatingwebhookconfigurations", NULL, false);
KEPT(vap, "ValidatingAdmissionPolicy", APIS("admissionregistration.k8s.io/v1"), "validatingadmissionpolicies", NULL, false);
KEPT(vap_binding, "ValidatingAdmissionPolicyBinding", APIS("admissionregistration.k8s.io/v1"), "validatingadmissionpolicybindings", NULL, false);
KEPT(controller_revision, "ControllerRevision", APIS("apps/v1"), "controllerrevisions", NULL, true);
KEPT(csi_driver, "CSIDriver", APIS("storage.k8s.io/v1"), "csidrivers", NULL, false);
KEPT(csi_node, "CSINode", APIS("storage.k8s.io/v1"), "csinodes", NULL, false);
KEPT(volume_attachment, "VolumeAttachment", APIS("storage.k8s.io/v1"), "volumeattachments", NULL, false);
KEPT(csr, "CertificateSigningRequest", APIS("certificates.k8s.io/v1"), "certificatesigningrequests", "csr", false);
KEPT(component_status, "ComponentStatus", APIS("v1"), "componentstatuses", "cs", false);
KEPT(kustomization, "Kustomization", APIS("kustomize.config.k8s.io/v1beta1"), "kustomizations", NULL, false);

const struct kind *const kinds[] = {
	&namespace_kind, &node_kind, &pod_kind, &service_kind, &endpoints_kind, &endpointslice_kind, &config_map_kind, &secret_kind, &service_account_kind,
	&deployment_kind, &replicaset_kind, &statefulset_kind, &daemonset_kind, &replication_controller_kind, &job_kind, &cron_job_kind,
	&network_policy_kind, &ingress_kind, &ingress_class_kind, &service_cidr_kind, &gateway_class_kind, &gateway_kind, &http_route_kind, &reference_grant_kind,
	&pvc_kind, &pv_kind, &storage_class_kind, &event_kind,
	&ip_pool_kind, &bgp_configuration_kind, &bgp_peer_kind, &felix_configuration_kind, &metallb_pool_kind, &l2_advertisement_kind, &bgp_advertisement_kind,
	&virtual_service_kind, &destination_rule_kind, &istio_gateway_kind, &peer_authentication_kind, &authorization_policy_kind,
	&kind_cluster_kind, &kubeadm_config_kind, &kube_proxy_config_kind, &kubelet_config_kind,
	&limit_range, &quota, &pod_template, &role, &role_binding, &cluster_role, &cluster_role_binding, &crd, &hpa, &pdb, &priority_class, &runtime_class, &lease, &api_service,
	&validating, &mutating, &vap, &vap_binding, &controller_revision, &csi_driver, &csi_node, &volume_attachment, &csr, &component_status, &kustomization,
	NULL
};

const struct kind *kind_find(const char *api, const char *name)
{
	for (uint32_t k = 0; kinds[k]; k++)
		for (const char *const *a = strcmp(kinds[k]->name, name) == 0 ? kinds[k]->apis : NULL; a && *a; a++)
			if (strcmp(*a, api) == 0)
				return kinds[k];
	return NULL;
}

static bool among(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; p && *p;) {
		size_t m = strcspn(p, " ");

		if (m == n && strncasecmp(p, word, n) == 0)
			return true;
		p += m + (p[m] == ' ');
	}
	return false;
}

const struct kind *kind_by_word(const char *word)
{
	for (uint32_t k = 0; kinds[k]; k++)
		if (strcasecmp(kinds[k]->name, word) == 0 || strcasecmp(kinds[k]->plural, word) == 0 || among(kinds[k]->shorts, word))
			return kinds[k];
	return NULL;
}
