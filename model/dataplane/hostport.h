/* hostPort as the portmap plugin makes it: DNAT on the Pod's node for what is sent to any of the node's addresses; nothing listens. Every network's CNI configuration has portmap
 * chained behind it. Source: containernetworking/plugins plugins/meta/portmap/{main,portmap_iptables}.go; kubernetes pkg/kubelet/kuberuntime/kuberuntime_sandbox.go
 * (generatePodSandboxConfig hands over the ports of spec.containers, not those of sidecars). */
#ifndef PODWIRE_HOSTPORT_H
#define PODWIRE_HOSTPORT_H

#include "model/dataplane/compile.h"

/* The chains that all of a node's Pods share, and the jumps to them; nothing if no Pod of the cluster asks for a host port. Masquerading is asked for before
 * kube-proxy does it, DNAT after: portmap prepends the one and appends the other. */
void hostport_masquerade(struct compile *, struct ruleset *variant);
void hostport_dnat(struct compile *, struct ruleset *variant);
/* A chain for each Pod of this node that has host ports. */
void hostport_node(struct compile *, struct node_build *, struct ruleset *);
/* portmap lets packets from 127.0.0.1 out of the interface towards a Pod with host ports. */
bool hostport_wanted(const struct pod *);                /* has a container a hostPort, in a network of its own? */
bool hostport_needs_route_localnet(const struct pod *);
/* The id that the runtime draws for the Pod's sandbox: 64 hexadecimal digits. */
const char *hostport_container_id(struct cluster *, const struct pod *, struct arena *);
extern const char *const hostport_network_names[];       /* by enum cni_kind: what the network's CNI configuration calls it */

#endif
