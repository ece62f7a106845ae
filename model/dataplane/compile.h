/* From the objects of a cluster to its dataplane: the underlay, a namespace per node and Pod, wired by the Pod network (cni_*.c), rules by kube-proxy,
 * the network's own rules and policies. Each Pod network is one file and one row of cni[]. */
#ifndef PODWIRE_COMPILE_H
#define PODWIRE_COMPILE_H

#include "model/cluster/cluster.h"
#include "model/dataplane/dataplane.h"
#include "model/dataplane/packet.h"
#include "model/policy/policy.h"

/* One node while its namespaces are written. */
struct node_build {
	struct node *node;
	netns_h ns;
	link_h uplink;
	ip_addr ip4, ip6;                       /* primary InternalIP of each family */
	struct pod **pods; uint32_t nr_pods;    /* those with an address and a sandbox here, in name order; hostNetwork ones are apart */
	struct pod **host_pods; uint32_t nr_host_pods;
};

struct compile {
	struct cluster *cluster;
	const struct settings *settings;
	struct dataplane *dp;
	struct arena *arena;                    /* the dataplane's */
	struct node_build *nodes; uint32_t nr_nodes;    /* in name order */
	struct np_compiled *policies; uint32_t nr_policies;
	bool nothing_shared;                    /* kube-proxy's rules differ by node */
	struct ruleset *variant;                /* what all nodes share; NULL until the first node is asked for */
	const struct cni *cni;
	ip_addr gateway4, gateway6;
};

struct cni {
	const char *name;
	bool enforces_policy;
	/* Before any node: shared tables (blocks), settings of the dataplane. */
	void (*network)(struct compile *);
	/* The node's links and routes beside its uplink (its netns is being written); sets in pod_link[k] the node's end for nb->pods[k]. */
	void (*node)(struct compile *, struct node_build *, link_h *pod_link);
	/* The Pod's netns: eth0, addresses, routes. host_end: its other end on the node, 0 if there is none. → eth0 */
	link_h (*pod)(struct compile *, struct node_build *, struct pod *, netns_h, link_h host_end);
	/* The network's own rules: egress masquerade, forward accepts. variant: shared ones; node: its own. Any may be NULL. */
	void (*rules_variant)(struct compile *, struct ruleset *);
	void (*rules_node)(struct compile *, struct node_build *, struct ruleset *);
	void (*finish)(struct compile *);       /* after all namespaces; may be NULL */
	/* Name of the interface on a node by which a Pod of that address would come in. */
	const char *(*in_name)(const struct settings *);
};
extern const struct cni *const cni_table[CNI_COUNT];

cause_h cause_of(struct compile *, const struct object *, const char *path);
uint32_t pod_mtu(const struct compile *);               /* bytes; uplink's less the encapsulation */
/* Listeners of a Pod's containers in the given namespace (listeners.c): declared ports, numeric probe ports, what known images listen on by their arguments. */
void pod_listeners(struct compile *, const struct pod *, netns_h);

/* What the node itself listens on: kubelet, kube-proxy's health ports, the API server on a control plane (listeners.c). */
void node_listeners(struct compile *, struct node_build *);
/* Routes of the gateway to load balancer addresses: to the node that answers for each (lb.c). */
void lb_routes(struct compile *, netns_h router, link_h nodes);
/* A pair of veths between a node and a Pod's eth0; both up, peers of each other. The Pod's end is made by the caller afterwards. */
link_h add_veth(struct compile *, netns_h, const char *name, link_h peer);

void pod_mac(uint8_t mac[6], ip_addr);                  /* 0a:58 and the address's last four bytes */

#define UPLINK_MTU 1500u

#endif
