/* Which addresses of a node take node ports: nodePortAddresses of KubeProxyConfiguration, in one family. kube-proxy asks the interfaces, not the Node object: a bridge's,
 * a tunnel's and a second interface's address count where a CIDR has them in it. Sources: Kubernetes 1.36 pkg/proxy/util/nodeport_addresses.go,
 * cmd/kube-proxy/app/server.go (primary), server_linux.go (what goes for nothing given). */
#ifndef PODWIRE_NODE_PORTS_H
#define PODWIRE_NODE_PORTS_H

#include "model/cluster/settings.h"
#include "model/dataplane/dataplane.h"

struct node_port_cidrs {
	bool all;                       /* one of them is everything; or none is of this family */
	bool loopback4;                 /* an IPv4 loopback address is among them (iptables: route_localnet) */
	struct cidr *v; uint32_t nr;    /* those of the family; the one zero CIDR if `all` */
};

/* The filter of CIDRs of both families; what is no CIDR has no meaning. */
struct node_port_cidrs node_port_cidrs(const str_list *, bool v6, struct arena *);
/* The same of the settings and a node's primary addresses: [0] IPv4, [1] IPv6; either may be unset. */
struct node_port_cidrs node_port_cidrs_of(const struct settings *, const ip_addr primary[2], bool v6, struct arena *);
/* Do the settings ask for a node's primary addresses? nftables' default; they differ from node to node. */
bool node_port_primary(const struct settings *);
bool node_port_cidrs_have(const struct node_port_cidrs *, ip_addr);
/* The addresses of the namespace's interfaces that the CIDRs have in them, each once, in the interfaces' order; loopback addresses with them. */
uint32_t node_port_ips(const struct node_port_cidrs *, const struct dataplane *, netns_h, struct arena *, ip_addr **out);

#endif
