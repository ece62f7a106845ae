/* The configuration kinds: kind's Cluster, kubeadm, kube-proxy, kubelet. Sources: kind pkg/apis/config/v1alpha4, kubeadm app/apis/kubeadm/v1beta4,
 * kube-proxy config/v1alpha1, kubelet config/v1beta1. */
#include "model/api/config.h"
#include "model/api/checks.h"
#include "model/api/rows.h"

#define CONFIG_TOP ROW_TOP, ROW_KEEP("name")

static const struct field kind_node_fields[] = {
	ROW(F_STR, "role", struct kind_node, role), ROW(F_STR, "image", struct kind_node, image), ROW(F_PAIRS, "labels", struct kind_node, labels), ROW_KEEP("extraMounts"),
	ROW_KEEP("extraPortMappings"), ROW(F_STRS, "kubeadmConfigPatches", struct kind_node, patches), ROW_KEEP("kubeadmConfigPatchesJSON6902"),
	FIELD_END
};
static const struct field kind_net_fields[] = {
	ROW(F_STR, "podSubnet", struct kind_cluster, pod_subnet), ROW(F_STR, "serviceSubnet", struct kind_cluster, service_subnet),
	ROW(F_STR, "ipFamily", struct kind_cluster, ip_family), ROW(F_STR, "kubeProxyMode", struct kind_cluster, proxy_mode),
	ROW(F_BOOL, "disableDefaultCNI", struct kind_cluster, disable_default_cni), ROW_KEEP("dnsSearch"), ROW_KEEP("apiServerPort"), ROW_KEEP("apiServerAddress"),
	FIELD_END
};
static const struct field kind_fields[] = {
	ROW_TOP, ROW(F_STR, "name", struct kind_cluster, name), ROW_LIST("nodes", struct kind_cluster, nodes, struct kind_node, kind_node_fields), ROW_HERE("networking", kind_net_fields), ROW_KEEP("featureGates"),
	ROW_KEEP("runtimeConfig"), ROW(F_STRS, "kubeadmConfigPatches", struct kind_cluster, patches), ROW_KEEP("kubeadmConfigPatchesJSON6902"), ROW_KEEP("containerdConfigPatches"),
	ROW_KEEP("containerdConfigPatchesJSON6902"),
	FIELD_END
};

static const struct field kubeadm_net_fields[] = {
	ROW(F_STR, "podSubnet", struct kubeadm_config, pod_subnet), ROW(F_STR, "serviceSubnet", struct kubeadm_config, service_subnet),
	ROW(F_STR, "dnsDomain", struct kubeadm_config, dns_domain),
	FIELD_END
};
static const struct field api_server_fields[] = {
	ROW(F_RAW, "extraArgs", struct kubeadm_config, api_server_args), ROW_KEEP("extraVolumes"), ROW_KEEP("extraEnvs"), ROW_KEEP("certSANs"), ROW_KEEP("timeoutForControlPlane"), FIELD_END
};
static const struct field controller_fields[] = {
	ROW(F_RAW, "extraArgs", struct kubeadm_config, controller_args), ROW_KEEP("extraVolumes"), ROW_KEEP("extraEnvs"), FIELD_END
};
static const struct field kubeadm_fields[] = {
	CONFIG_TOP, ROW_HERE("networking", kubeadm_net_fields), ROW_HERE("apiServer", api_server_fields), ROW_HERE("controllerManager", controller_fields),
	ROW(F_STR, "kubernetesVersion", struct kubeadm_config, version), ROW_KEEP("scheduler"), ROW_KEEP("etcd"), ROW_KEEP("dns"), ROW_KEEP("proxy"), ROW_KEEP("certificatesDir"),
	ROW_KEEP("imageRepository"), ROW_KEEP("featureGates"), ROW_KEEP("clusterName"), ROW_KEEP("controlPlaneEndpoint"), ROW_KEEP("encryptionAlgorithm"),
	ROW_KEEP("certificateValidityPeriod"), ROW_KEEP("caCertificateValidityPeriod"),
	FIELD_END
};

static const struct field iptables_fields[] = {
	ROW(F_BOOL, "masqueradeAll", struct proxy_iptables, masquerade_all), ROW(F_OPT_INT, "masqueradeBit", struct proxy_iptables, masquerade_bit),
	ROW(F_TRI, "localhostNodePorts", struct proxy_iptables, localhost_node_ports), ROW_KEEP("minSyncPeriod"), ROW_KEEP("syncPeriod"),
	FIELD_END
};
static const struct field nftables_fields[] = {
	ROW(F_BOOL, "masqueradeAll", struct proxy_nftables, masquerade_all), ROW(F_OPT_INT, "masqueradeBit", struct proxy_nftables, masquerade_bit), ROW_KEEP("minSyncPeriod"),
	ROW_KEEP("syncPeriod"),
	FIELD_END
};
static const struct field detect_fields[] = {
	ROW(F_STR, "bridgeInterface", struct kube_proxy_config, bridge_interface), ROW(F_STR, "interfaceNamePrefix", struct kube_proxy_config, interface_prefix), FIELD_END
};
static const struct field proxy_fields[] = {
	CONFIG_TOP, ROW(F_STR, "mode", struct kube_proxy_config, mode), ROW(F_STR, "clusterCIDR", struct kube_proxy_config, cluster_cidr),
	ROW(F_STR, "detectLocalMode", struct kube_proxy_config, detect_local_mode), ROW(F_STR, "hostnameOverride", struct kube_proxy_config, hostname_override),
	ROW(F_STR, "bindAddress", struct kube_proxy_config, bind_address), ROW_HERE("detectLocal", detect_fields),
	ROW(F_STRS, "nodePortAddresses", struct kube_proxy_config, node_port_addresses), ROW_STRUCT("iptables", struct kube_proxy_config, iptables, iptables_fields),
	ROW_STRUCT("nftables", struct kube_proxy_config, nftables, nftables_fields), ROW(F_RAW, "featureGates", struct kube_proxy_config, feature_gates), ROW_KEEP("ipvs"),
	ROW_KEEP("conntrack"), ROW_KEEP("clientConnection"), ROW_KEEP("logging"), ROW_KEEP("healthzBindAddress"), ROW_KEEP("metricsBindAddress"), ROW_KEEP("bindAddressHardFail"),
	ROW_KEEP("enableProfiling"), ROW_KEEP("showHiddenMetricsForVersion"), ROW_KEEP("oomScoreAdj"), ROW_KEEP("configSyncPeriod"), ROW_KEEP("portRange"), ROW_KEEP("winkernel"),
	ROW_KEEP("windowsRunAsService"), ROW_KEEP("udpIdleTimeout"), ROW_KEEP("resourceContainer"),
	FIELD_END
};
static const struct field kubelet_fields[] = {
	CONFIG_TOP, ROW_KEEP("*"),     /* its other fields do not bear on the network */
	ROW(F_STR, "clusterDomain", struct kubelet_config, cluster_domain), ROW(F_STRS, "clusterDNS", struct kubelet_config, cluster_dns),
	ROW(F_OPT_INT, "maxPods", struct kubelet_config, max_pods), ROW(F_STR, "resolvConf", struct kubelet_config, resolv_conf),
	FIELD_END
};

static const char *const kind_apis[] = { "kind.x-k8s.io/v1alpha4", NULL };
static const char *const kubeadm_apis[] = { "kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta3", NULL };
static const char *const proxy_apis[] = { "kubeproxy.config.k8s.io/v1alpha1", NULL };
static const char *const kubelet_apis[] = { "kubelet.config.k8s.io/v1beta1", NULL };
const struct kind kind_cluster_kind = { .nameless = true, .name = "Cluster", .apis = kind_apis, .plural = "clusters", .size = sizeof(struct kind_cluster), .fields = kind_fields, .check = kind_cluster_check };
const struct kind kubeadm_config_kind = { .nameless = true, .name = "ClusterConfiguration", .apis = kubeadm_apis, .plural = "clusterconfigurations", .size = sizeof(struct kubeadm_config),
					  .fields = kubeadm_fields, .check = kubeadm_config_check };
const struct kind kube_proxy_config_kind = { .nameless = true, .name = "KubeProxyConfiguration", .apis = proxy_apis, .plural = "kubeproxyconfigurations", .size = sizeof(struct kube_proxy_config),
					     .fields = proxy_fields, .check = kube_proxy_config_check };
const struct kind kubelet_config_kind = { .nameless = true, .name = "KubeletConfiguration", .apis = kubelet_apis, .plural = "kubeletconfigurations", .size = sizeof(struct kubelet_config),
					  .fields = kubelet_fields, .check = kubelet_config_check };
