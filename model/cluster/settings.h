/* What holds for the cluster as a whole, drawn from the configuration kinds among its objects (docs: cli-contract, "Where the
 * cluster's settings come from"), each with the default that stands beside it. Plain data; strings are interned. */
#ifndef PODWIRE_SETTINGS_H
#define PODWIRE_SETTINGS_H

#include "model/api/object.h"

enum proxy_mode { PROXY_NFTABLES, PROXY_IPTABLES, PROXY_IPVS, PROXY_NONE };
enum cni_kind { CNI_CALICO, CNI_FLANNEL, CNI_BRIDGE, CNI_NONE, CNI_COUNT };
extern const char *const cni_names[CNI_COUNT];
enum encap { ENCAP_NEVER, ENCAP_ALWAYS, ENCAP_CROSS_SUBNET };
enum detect_local { DETECT_NONE, DETECT_CLUSTER_CIDR, DETECT_NODE_CIDR, DETECT_BRIDGE, DETECT_PREFIX };

struct pool_setting { struct cidr cidr; uint8_t block_size, ipip, vxlan; bool nat_outgoing, disabled; str name; obj_h cause; };     /* ipip, vxlan: enum encap */

/* --kernel: facts of the nodes that no object holds. Defaults true, false, none; br_netfilter on, iptables' FORWARD accepts, clashing entries are resolved. */
struct kernel_facts {
	bool random_fully, be_liberal;
	str_list nfacct;
	bool no_bridge_nf;                      /* net.bridge.bridge-nf-call-iptables = 0 */
	bool forward_drop;                      /* iptables -P FORWARD DROP, as Docker does it */
	bool no_forward;                        /* net.ipv4.ip_forward = 0: felix and the bridge plugin set 1, so somebody has set it back */
	bool rp_strict;                         /* net.ipv4.conf.*.rp_filter = 1 on the nodes' interfaces, as some distributions set it */
	bool clash_drop;                        /* before Linux 5.0: of two UDP packets of one flow that meet before either is in conntrack, one is dropped */
};

/* From the command line; copied into settings. Zero: not given. */
struct settings_flags {
	str cni;                                /* --cni */
	struct kernel_facts kernel; bool kernel_set;
	str_list cloud_lb;                      /* --cloud-lb CIDR */
	str_list controllers;                   /* --controller NAME */
	str node_resolv_conf;                   /* text of --node-resolv-conf; "" for none */
	bool node_resolv_conf_set;
	str zone;                               /* text of --zone */
	bool enforce_set; uint8_t enforce;      /* --enforce */
	bool no_defaults;                       /* an import: nothing is invented (no default nodes, no CoreDNS) */
	bool respect;                           /* a question or an import: what documents assign is taken as it is, not judged */
};

struct settings {
	/* cluster */
	LIST(struct cidr) pod_cidrs, service_cidrs;     /* first of each family counts; defaults 10.244.0.0/16, 10.96.0.0/16 */
	bool service_cidrs_known;               /* given by an object (nftables' drop rule) or by default */
	uint8_t node_mask4, node_mask6;         /* 24, 64 */
	uint16_t node_port_lo, node_port_hi;    /* 30000, 32767 */
	str domain;                             /* cluster.local */
	str_list cluster_dns;                   /* addresses of the DNS Service; default the 10th of the service range */
	bool cluster_dns_set;                   /* given by a KubeletConfiguration */
	nsec node_monitor_grace;
	uint32_t max_pods;                      /* 110 */
	/* network */
	uint8_t cni;                            /* enum cni_kind */
	LIST(struct pool_setting) pools;        /* Calico's, or one per podSubnet */
	uint32_t max_blocks; bool strict_affinity;      /* Calico's, of each node: 20, false (libcalico-go lib/ipam/ipam.go autoAssign) */
	int64_t as_number; bool mesh;           /* 64512, true */
	bool endpoint_to_host_accept;           /* Calico's defaultEndpointToHostAction: true (calico.yaml sets ACCEPT) */
	/* kube-proxy */
	uint8_t proxy_mode;
	bool masquerade_all, localhost_node_ports;
	uint8_t masquerade_bit;                 /* 14 */
	uint8_t detect_local; LIST(struct cidr) cluster_cidrs;   /* clusterCIDR; empty: no detector */
	str bridge_interface, interface_prefix;
	str_list node_port_addresses; bool node_port_addresses_set;
	str proxy_hostname;                     /* hostnameOverride, or NULL */
	bool external_ips_allowed, same_node_hints;     /* feature gates, both true */
	struct kernel_facts kernel;
	/* where a node has its own configuration: none yet; all nodes are alike */
	const struct settings_flags *flags;
};

struct cluster;
struct kind_cluster;
/* `base` with the kubeadmConfigPatches of that kind: the cluster's, then those of the node that kubeadm init runs on. */
struct val *kind_patched(struct cluster *, const struct kind_cluster *, const char *kind, struct val *base);
/* nodeRegistration of the patches of Init- or JoinConfiguration that bear on that node; NULL: none. */
struct val *kind_registration(struct cluster *, const struct kind_cluster *, uint32_t node);
void settings_build(struct cluster *, struct settings *out);    /* from the objects as they are now; called by cluster_settings */

#endif
