/* All kinds, in the order of `api-resources`, and how a document's apiVersion and kind find theirs. */
#include <strings.h>

#include "model/api/check.h"
#include "model/api/config.h"
#include "model/api/kept.h"
#include "model/api/net.h"
#include "model/api/workload.h"

const struct kind *const kinds[] = {
	&namespace_kind, &node_kind, &pod_kind, &service_kind, &endpoints_kind, &endpointslice_kind, &config_map_kind, &secret_kind, &service_account_kind,
	&deployment_kind, &replicaset_kind, &statefulset_kind, &daemonset_kind, &replication_controller_kind, &job_kind, &cron_job_kind,
	&network_policy_kind, &ingress_kind, &ingress_class_kind, &service_cidr_kind, &gateway_class_kind, &gateway_kind, &http_route_kind, &reference_grant_kind,
	&pvc_kind, &pv_kind, &storage_class_kind, &event_kind,
	&ip_pool_kind, &bgp_configuration_kind, &bgp_peer_kind, &bgp_filter_kind, &felix_configuration_kind, &ipam_config_kind, &ipam_configuration_kind, &node_network_state_kind, &metallb_pool_kind, &l2_advertisement_kind, &bgp_advertisement_kind,
	&virtual_service_kind, &destination_rule_kind, &istio_gateway_kind, &peer_authentication_kind, &authorization_policy_kind,
	&kind_cluster_kind, &kubeadm_config_kind, &kube_proxy_config_kind, &kubelet_config_kind, &kubeadm_init_kind, &kubeadm_join_kind, &kubeadm_reset_kind, &kubeadm_upgrade_kind,
	&limit_range_kind, &quota_kind, &pod_template_kind, &component_status_kind, &role_kind, &cluster_role_kind, &role_binding_kind, &cluster_role_binding_kind,
	&crd_kind, &hpa_kind, &pod_metrics_kind, &pdb_kind, &priority_class_kind, &runtime_class_kind, &lease_kind, &api_service_kind, &validating_kind, &mutating_kind, &vap_kind,
	&vap_binding_kind, &map_kind, &map_binding_kind, &controller_revision_kind, &csi_driver_kind, &csi_node_kind, &csi_capacity_kind, &volume_attachment_kind,
	&attributes_class_kind, &csr_kind, &ip_address_kind, &flow_schema_kind, &priority_level_kind, &device_class_kind, &resource_claim_kind,
	&resource_claim_template_kind, &resource_slice_kind, &kustomization_kind, &component_kind,
	&service_entry_kind, &istio_sidecar_kind, &envoy_filter_kind, &workload_entry_kind, &workload_group_kind, &request_authentication_kind, &istio_telemetry_kind,
	&cluster_network_policy_kind, &admin_network_policy_kind, &baseline_admin_network_policy_kind, &calico_policy_kind, &calico_global_policy_kind, &staged_policy_kind,
	&staged_global_policy_kind, &staged_kubernetes_policy_kind, &calico_tier_kind, &network_set_kind, &global_network_set_kind, &host_endpoint_kind,
	&grpc_route_kind, &tls_route_kind, &tcp_route_kind, &udp_route_kind, &listener_set_kind, &backend_tls_policy_kind,
	NULL
};

/* The groups that the API server itself serves; kinds that are not theirs are refused, not kept. "": the core group. */
static const char *const own_groups[] = {
	"", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io",
	"discovery.k8s.io", "events.k8s.io", "extensions", "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io",
	"scheduling.k8s.io", "storage.k8s.io", NULL
};

const struct kind *kind_find(const char *api, const char *name)
{
	for (uint32_t k = 0; kinds[k]; k++)
		if (strcmp(kinds[k]->name, name) == 0 && one_of(api, kinds[k]->apis))
			return kinds[k];
	return NULL;
}

static bool own_group(const char *api)
{
	const char *slash = strchr(api, '/');
	char group[64];
	size_t n = slash ? (size_t)(slash - api) : 0;

	if (n >= sizeof(group))
		return false;
	memcpy(group, api, n);
	group[n] = '\0';
	return one_of(group, own_groups) && (slash || strcmp(api, "v1") == 0);
}

/* Alpha and beta versions come and go: what this list lacks may be served. */
static bool stable(const char *api)
{
	return !strstr(api, "alpha") && !strstr(api, "beta");
}

bool kind_refused(const char *api, const char *name, struct sb *why)
{
	const char *names[256] = { NULL }, *near;
	size_t nr = 0;

	sb_printf(why, "no matches for kind \"%s\" in version \"%s\"", name, api);
	for (uint32_t k = 0; kinds[k]; k++) {
		const struct kind *kind = kinds[k];

		if (strcmp(kind->name, name) == 0 && ((kind->removed && one_of(api, kind->removed)) || (own_group(api) && own_group(kind->apis[0])))) {
			sb_printf(why, ": Kubernetes 1.36 serves it as %s", kind->apis[0]);
			return true;
		}
		if (nr + 1 < ARRAY_LEN(names) && one_of(api, kind->apis))
			names[nr++] = kind->name;
	}
	if (strcmp(name, "PodSecurityPolicy") == 0 && own_group(api)) {
		sb_add(why, ": Kubernetes 1.25 was the first without it");
		return true;
	}
	near = nearest(name, names);
	if (near)
		sb_printf(why, "; did you mean \"%s\"?", near);
	return own_group(api) && (near || stable(api));
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

/* apps, or v1.apps, for apps/v1 */
static bool in_group(const struct kind *k, const char *where)
{
	for (const char *const *api = k->apis; *api; api++) {
		const char *slash = strchr(*api, '/');
		size_t n = slash ? (size_t)(slash - *api) : 0, version = slash ? strlen(slash + 1) : 0;

		if (!n)
			continue;
		if (strncmp(where, slash + 1, version) == 0 && where[version] == '.' && strncmp(where + version + 1, *api, n) == 0 && !where[version + 1 + n])
			return true;
		if (strncmp(where, *api, n) == 0 && !where[n])
			return true;
	}
	return false;
}

static bool is_called(const struct kind *k, const char *name)
{
	return strcasecmp(k->name, name) == 0 || strcasecmp(k->plural, name) == 0 || among(k->shorts, name);
}

/* With its group: deployment.apps, as `get -o name` prints it. */
static bool is_called_in_group(const struct kind *k, const char *word)
{
	const char *dot = strchr(word, '.');
	char name[64];

	if (!dot || (size_t)(dot - word) >= sizeof(name))
		return false;
	memcpy(name, word, (size_t)(dot - word));
	name[dot - word] = '\0';
	return is_called(k, name) && in_group(k, dot + 1);
}

bool kind_has_word(const struct kind *k, const char *word)
{
	return is_called(k, word) || is_called_in_group(k, word);
}

const struct kind *kind_by_word(const char *word)
{
	for (uint32_t k = 0; kinds[k]; k++)
		if (is_called(kinds[k], word))
			return kinds[k];
	for (uint32_t k = 0; strchr(word, '.') && kinds[k]; k++)
		if (is_called_in_group(kinds[k], word))
			return kinds[k];
	return NULL;
}
