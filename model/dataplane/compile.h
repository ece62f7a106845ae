/* From the objects of a cluster to its dataplane: the underlay, a namespace per node and Pod, wired by the Pod network (cni_*.c), rules by kube-proxy,
 * the network's own rules and policies. Each Pod network is one file and one row of cni[]. */
#ifndef PODWIRE_COMPILE_H
#define PODWIRE_COMPILE_H

#include "model/cluster/cluster.h"
#include "model/dataplane/dataplane.h"
#include "model/dataplane/packet.h"
#include "model/policy/tiers.h"
#include "model/policy/policy.h"

struct node_ip { ip_addr ip; bool internal; };  /* of status.addresses: what parses, but for the Hostname */

struct nic_address { ip_addr ip; uint8_t len; };        /* len 0: that of the nodes' own L2 */
struct nic { str name; uint32_t mtu, segment; bool lone /* behind a NAT of its own */; struct nic_address v[4]; uint32_t nr; };
struct nic_route { struct cidr dst; ip_addr via; uint32_t nic /* index */, metric; };

/* One node. Its own namespace is ns, those of its Pods follow it: pods[k] has the handle ns + 1 + k; once Pods have come or gone, pod_ns[k]. */
struct node_build {
	struct node *node;
	netns_h ns;
	link_h uplink;                          /* once its namespace is written */
	ip_addr ip4, ip6;                       /* the first address of each family */
	ip_addr net4, net6;                     /* the address that the Pod network speaks from (nics.c) */
	struct node_ip *ips; uint32_t nr_ips;
	struct nic *nics; uint32_t nr_nics;     /* none: one interface has all of ips */
	VEC(struct nic_route) nic_routes;
	struct pod **pods; uint32_t nr_pods;    /* those with an address and a sandbox here; hostNetwork ones are apart. In name order once node_pods was called */
	struct pod **host_pods; uint32_t nr_host_pods;
	link_h *host_end;                       /* the node's end for pods[k], once its namespace is written; 0: none */
	bool sorted;
	/* for updates */
	uint64_t *seen;                         /* of pods[k], then of host_pods[k]: pod_look */
	uint64_t looks;                         /* what of the Node itself matters: node_look */
	uint32_t run;                           /* handles ns + 1 … ns + run were its from the beginning */
	struct kp *proxiers[2]; const struct ruleset *followed; uint32_t written;       /* of its rules, if kube-proxy can bring them up to date; when rules_whole was this */
	netns_h *pod_ns; VEC(netns_h) free;     /* pod_ns NULL: no Pod has come or gone; free: handles of Pods that went */
};
static inline netns_h pod_netns(const struct node_build *nb, uint32_t k)
{
	return nb->pod_ns ? nb->pod_ns[k] : (netns_h){ nb->ns.i + 1 + k };
}

/* What nodes share whose kube-proxies know the same. */
struct proxier_view { const struct proxy_view *view; struct kube_proxy *kube_proxy; struct ruleset *variant; };

struct compile {
	struct cluster *cluster;
	const struct settings *settings;
	struct dataplane *dp;
	struct arena *arena;                    /* the dataplane's */
	struct node_build *nodes; uint32_t nr_nodes;    /* in name order */
	struct map node_by_name;                /* interned name → index in nodes + 1 */
	struct map node_ips;                    /* hash of each address that a node has */
	netns_h router, client;
	struct cidr net4, net6;                 /* the nodes' L2 */
	struct np_compiled *policies; uint32_t nr_policies;
	struct tiers tiers;                     /* policies of other APIs; where one has their order, NetworkPolicies among them */
	VEC(struct proxier_view) proxies;       /* made when the first node of each is asked for; mostly there is one */
	uint32_t nr_host_ports;                 /* Pods that have a hostPort */
	const struct cni *cni;
	const void *network;                    /* what the CNI's network() has read of its configuration; its own */
	uint32_t pod_mtu;                       /* bytes: the uplink's, less what the network's encapsulation costs; set by network() */
	ip_addr gateway4, gateway6;
	uint32_t uplink_mtu;                    /* bytes: the smallest of the nodes' interfaces */
	/* for updates (update.c) */
	VEC(obj_h) heard;                       /* objects that have changed; may repeat */
	bool lost;                              /* what changed cannot be taken in */
	uint64_t views;                         /* cluster_proxy_views */
	uint64_t installed;                     /* what of DaemonSets may matter */
	struct map extra_netns;                 /* handles of Pods that came → node's index + 1 */
	uint64_t *named, named_mask;            /* a filter of the addresses that slices have named; NULL: not asked for yet */
	struct map health_ports;                /* Service → its health check node port, or that which it had */
	VEC(const struct service *) health;     /* those that have one, in order */
	uint32_t rules_whole;                   /* counts on when more than Services has changed in nodes' rules */
	uint32_t nr_rewritten;                  /* namespaces, Services: what was there before is garbage */
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
	uint8_t (*pod_prefix)(struct compile *, struct node_build *, ip_addr);  /* length of the prefix that a Pod's address has on its eth0 */
	/* The network's own rules: egress masquerade, forward accepts. variant: shared ones; node: its own. Any may be NULL. */
	void (*rules_variant)(struct compile *, struct ruleset *);
	void (*rules_node)(struct compile *, struct node_build *, struct ruleset *);
	void (*finish)(struct compile *);       /* adds the blocks (block_add); may be NULL */
	bool (*blocks_stay)(struct compile *, struct node_build *, const struct pod *);         /* now that this Pod came to the node, or is gone from it? NULL: they do */
	/* Name of the interface on a node by which a Pod of that address would come in. */
	const char *(*in_name)(const struct settings *);
};
extern const struct cni *const cni_table[CNI_COUNT];

cause_h cause_of(struct compile *, const struct object *, const char *path);
struct node_build *node_of_name(const struct compile *, str name);      /* NULL: there is no object of that name */
bool pod_is_wired(const struct pod *);                  /* it has a sandbox */
uint64_t pod_look(const struct pod *, bool host_ports); /* what of a Pod matters to others than itself; the high half: its addresses; host_ports: hostport_wanted */
uint64_t node_look(const struct node *);
uint64_t installed_look(struct cluster *);
uint16_t health_port(const struct service *);           /* that nodes listen on; 0: none */
void find_health_ports(struct compile *);
bool compile_follows(struct compile *);                 /* hears of changes from now on; false: it cannot */
void compile_ends(struct compile *);
struct proxier_view *compile_present(struct compile *); /* of the nodes that know the present; NULL: no such node was asked for */
void node_pods(struct node_build *);                    /* brings nb->pods and nb->host_pods into name order; cheap when they are */
bool node_is_dead(const struct node *);
bool node_is_kept_away(const struct node *);             /* from load balancers */
/* How other nodes get to a part of the Pod range. */
struct block_way { uint8_t tunnel /* LINK_VXLAN, LINK_IPIP, 0 */, proto /* enum route_proto */; bool borrowed, withdrawn; };
void block_add(struct compile *, struct cidr, const struct node_build *owner, cause_h why, struct block_way);
/* Listeners of a Pod's containers in the given namespace (listeners.c): declared ports, numeric probe ports, what known images listen on by their arguments. */
void pod_listeners(struct compile *, const struct pod *, netns_h);

/* What the node itself listens on: kubelet, kube-proxy's health ports, the API server on a control plane (listeners.c). */
void node_listeners(struct compile *, struct node_build *);
/* Routes of the gateway to load balancer addresses: to the node that answers for each (lb.c). */
void lb_routes(struct compile *, netns_h router, link_h nodes);
/* One end of a pair of veths between a node and a Pod's eth0; both up. The node's end is written first, with peer 0 (link_peer finds the Pod's); then the Pod's. */
link_h add_veth(struct compile *, netns_h, const char *name, link_h peer);

/* The nodes' L2, the gateway, the host outside (underlay.c). */
void underlay_find(struct compile *);                   /* net4, net6, gateway4, gateway6; reserves router and client */
void write_router(struct compile *);
void write_client(struct compile *);
void add_uplink(struct compile *, struct node_build *);         /* lo, eth0, addresses, default route of a node whose namespace was begun */
void add_lo(struct compile *, netns_h);
link_h add_phys(struct compile *, netns_h, const char *name, uint32_t segment);
void make_mac(uint8_t mac[6], ip_addr);
/* Endpoint addresses that no object owns (assumed.c). */
bool somebody_has(const struct compile *, ip_addr);
bool assumable(struct compile *, ip_addr);              /* may it be such an address? mostly false is known at once */
void pod_named(struct compile *, const struct pod *);   /* likewise: floating addresses */
void slice_named(struct compile *, const struct endpointslice *);       /* it has changed, and may name others */
void add_assumed(struct compile *);

void pod_mac(uint8_t mac[6], ip_addr);                  /* 0a:58 and the address's last four bytes */

#define UPLINK_MTU 1500u
#define NODE_SEGMENT   1u        /* the L2s: of the nodes and the gateway, and of the gateway and the host outside */
#define CLIENT_SEGMENT 2u

#endif
