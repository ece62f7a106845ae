/* The configuration kinds that real clusters are made with: kind's Cluster, kubeadm's ClusterConfiguration, KubeProxyConfiguration,
 * KubeletConfiguration. They are objects like others (no namespace; name "" if they have none); model/cluster/settings.c
 * draws one struct settings from them and from the ConfigMaps that hold them in a living cluster. */
#ifndef PODWIRE_CONFIG_H
#define PODWIRE_CONFIG_H

#include "model/api/object.h"

struct extra_arg { str name, value; };
struct kind_node { str role, image; pair_list labels; str_list patches; };         /* patches: kubeadmConfigPatches */
struct kind_cluster { struct object o; str name; LIST(struct kind_node) nodes; str pod_subnet, service_subnet, ip_family, proxy_mode, dns_search; bool disable_default_cni; str_list patches; };
struct kubeadm_config {
	struct object o;
	str pod_subnet, service_subnet, dns_domain, version;
	const struct val *api_server_args, *controller_args;    /* extraArgs: a map, or a list of {name, value} */
};
struct proxy_iptables { bool masquerade_all; struct opt_int masquerade_bit; uint8_t localhost_node_ports; };
struct proxy_nftables { bool masquerade_all; struct opt_int masquerade_bit; };
struct kube_proxy_config {
	struct object o;
	str mode, cluster_cidr, detect_local_mode, hostname_override, bind_address;
	str bridge_interface, interface_prefix;                 /* detectLocal */
	str_list node_port_addresses;
	struct proxy_iptables iptables;
	struct proxy_nftables nftables;
	const struct val *feature_gates;
};
struct kubelet_config { struct object o; str cluster_domain; str_list cluster_dns; struct opt_int max_pods; str resolv_conf; const struct val *doc; };
extern const struct kind kind_cluster_kind, kubeadm_config_kind, kube_proxy_config_kind, kubelet_config_kind;
/* An argument of extraArgs, kubeletExtraArgs: a map (v1beta3), or a list of {name, value} (v1beta4). NULL: it is not there. */
const char *extra_arg(const struct val *args, const char *name);
/* apimachinery pkg/util/net PortRange: 30000-32767, 30000+2767, 30000. */
bool port_range_parse(const char *, uint16_t *lo, uint16_t *hi);

#endif
