/* kube-proxy: which endpoints a node may use for a Service port (one function decides), and two writers that only spell it, with kube-proxy 1.36's own names
 * (nftables and iptables). What all nodes have in common is written once, into the variant; a node writes the bodies in which it differs.
 * Source: kubernetes v1.36 pkg/proxy/{topology.go, nftables/proxier.go, iptables/proxier.go}. */
#ifndef PODWIRE_KUBE_PROXY_H
#define PODWIRE_KUBE_PROXY_H

#include "model/cluster/proxy_view.h"
#include "model/dataplane/dataplane.h"

struct kp_endpoint {
	ip_addr ip;
	uint16_t port;
	const char *text;                       /* IP:PORT, [IP]:PORT */
	bool ready, serving, terminating;
	str node;                               /* NULL: not known; then it is local nowhere */
	const struct ep_hints *hints;
	obj_h slice;
};
struct kp_endpoints { struct kp_endpoint *v; uint32_t nr; };

struct kp_port {                                /* a Service port in one family */
	const struct service *svc;              /* NULL: the Service has changed since, or is gone */
	uint32_t service;                       /* → kube_proxy.services */
	uint32_t index;                         /* spec.ports[index] */
	uint8_t proto;                          /* IP protocol number */
	const char *proto_word;                 /* tcp */
	uint16_t port, node_port;
	const char *name, *base;                /* once asked for: kp_name, kp_base */
	ip_addr cluster_ip;
	ip_addr *external_ips; uint32_t nr_external_ips;
	ip_addr *lb_ips; uint32_t nr_lb_ips;    /* VIP mode only */
	struct cidr *ranges; uint32_t nr_ranges;        /* loadBalancerSourceRanges of the family; a /0 among them: none */
	bool internal_local, external_local;
	uint32_t affinity;                      /* seconds; 0: none */
	struct kp_endpoints all; bool joined;   /* once asked for: kp_endpoints_of */
};

/* What one node makes of a port (topology.go CategorizeEndpoints). */
enum kp_topology {
	KP_NO_HINTS,                            /* no ready endpoint has any */
	KP_SAME_NODE, KP_SAME_ZONE,             /* the node uses those that are hinted for it, or for its zone */
	KP_BARE_ENDPOINT, KP_NO_ZONE, KP_NONE_FOR_ZONE, /* hints are there and ignored: an endpoint has none, the node has no zone, no endpoint is meant for its zone */
};
struct kp_sets {
	struct kp_endpoints cluster, local, reachable; bool any;
	uint8_t topology;                       /* enum kp_topology: what became of the hints in `cluster` */
	const struct kp_endpoint *bare;         /* the first ready endpoint without a hint for a zone; NULL: all have one */
};
bool kp_externally_accessible(const struct kp_port *);
bool kp_uses_cluster(const struct kp_port *);
bool kp_uses_local(const struct kp_port *);
struct kp_sets kp_categorize(const struct kp_port *, const char *node, const char *zone, bool same_node_hints, struct arena *);        /* its endpoints are joined */

/* All Service ports of a family that kube-proxy cares about. A port keeps its number. */
struct kp_ports { struct kp_port *v; uint32_t nr, alloc; };

/* A Service: its place in every ruleset, and its ports, which follow each other. */
struct kp_service {
	const struct service *svc;              /* gone: NULL */
	str ns, name;
	uint32_t place;                         /* between PLACE_FIRST and PLACE_LAST, in the order (namespace, name) */
	uint32_t first[2], nr[2];               /* by family → kp_ports */
	bool differs;                           /* from node to node */
};
/* What one writer wrote for one Service: handles from … to - 1. */
struct kp_wrote { uint32_t chain, chain_end, set, set_end; };
/* A slice as it was last looked at. */
struct kp_slice { str service; bool hints; };

/* kube-proxy's view of the cluster, which all nodes share: Service ports with what is known of their endpoints, found out once and when somebody asks. */
struct kube_proxy {
	struct cluster *cluster;
	const struct proxy_view *view;          /* the Services and slices that it knows; NULL: those of now */
	const struct settings *s;
	struct dataplane *dp;
	struct arena *arena;                    /* the dataplane's */
	bool differs;                           /* something in the rules of Services differs from node to node, but for the set of hairpin connections */
	bool used[2];                           /* does the cluster speak IPv4, IPv6 at all? */
	bool no_primary[2], some_primary;        /* nodePortAddresses `primary`: no node has an address of the family; some have one, some have none */
	VEC(struct kp_service) services; struct map service_at;         /* Service → index + 1 */
	VEC(uint32_t) order;                    /* indices of those that are there, in the order (namespace, name) */
	uint32_t nr_differing, nr_hinted;       /* Services, slices for which `differs` holds */
	uint32_t nr_endpoints[2]; bool counted[2];      /* of all ports together, once asked for */
	struct map slices; VEC(struct kp_slice) slice_seen;             /* slice → index + 1 */
	VEC(uint32_t) again;                    /* Services, of which the variant's chains are to be written again */
	VEC(uint32_t) changed;                  /* where nodes differ: Services that have changed, in order; each node catches up when it is asked for */
	uint64_t forgotten;                     /* changes before the first of these: they are no more than there are Services, or a few */
	struct kp *variant[2];
	struct kp_ports ports[2]; bool known[2];
	struct map slices_at;                   /* node name → first of a list in `at_node`, + 1: the slices that have endpoints there, or had */
	VEC(struct { const struct endpointslice *slice; uint32_t older; }) at_node;
	str *port_path;                         /* spec.ports[0] … */
	uint32_t nr_port_paths;
};
struct kube_proxy *kube_proxy_new(struct cluster *, const struct proxy_view *, const struct settings *, struct dataplane *);
/* What kube-proxy asks the API server for: no Service that is headless or another proxy's (label service-proxy-name), no slice with the label headless
 * (cmd/kube-proxy/app/server.go Run). */
bool kp_watches_service(const struct service *);
bool kp_watches_slice(const struct endpointslice *);
const struct kp_ports *kp_ports_of(struct kube_proxy *, bool v6);
const char *kp_name(struct kube_proxy *, struct kp_port *);                     /* NAMESPACE/NAME:PORTNAME */
const char *kp_base(struct kube_proxy *, struct kp_port *);                     /* nftables: NAMESPACE/NAME/tcp/PORTNAME */
const struct kp_endpoints *kp_endpoints_of(struct kube_proxy *, struct kp_port *, bool v6);     /* sorted by text, merged */
uint32_t kp_nr_endpoints(struct kube_proxy *, bool v6);                         /* of all ports together */
/* Has the port an endpoint that a node may use, policies being Cluster and without hints? Without joining them, where that can be told. */
bool kp_has_endpoints(struct kube_proxy *, struct kp_port *, bool v6);
/* The ports that have an endpoint on that node, in order; the list lives in the arena. */
struct kp_port **kp_ports_at(struct kube_proxy *, str node, bool v6, struct arena *, uint32_t *nr);

/* The proxier of one node (node NULL: the variant) and family. */
struct kp {
	struct kube_proxy *all;
	struct cluster *cluster;
	const struct settings *s;
	const struct node *node;
	struct ruleset *rs;
	struct dataplane *dp;
	struct arena *arena;
	bool v6;
	uint32_t mark;
	const char *node_name, *zone;
	ip_addr node_ip;
	ip_addr *node_port_ips; uint32_t nr_node_port_ips; bool node_port_all;  /* nodePortAddresses */
	struct cidr local_cidr;                 /* what counts as a local Pod: by prefix … */
	const char *local_name; bool local_prefix;      /* … or by interface */
	bool detector;
	const struct kp_ports *ports;
	VEC(struct kp_wrote) wrote;             /* by Service */
	void *writer;                           /* the mode's own */
	bool large;                             /* iptables: see kp_iptables_large */
	uint64_t caught_up;                     /* with how many changes: those that are forgotten, and kube_proxy.changed */
};
/* Do the chains of a port mean the same on every node, and have names that no other port's have? Nearly all do: they are promised, and written when somebody looks. */
bool kp_same_everywhere(const struct kp *, const struct kp_port *);
void kp_write_nft(struct kp *);
void kp_write_iptables(struct kp *);
/* One Service alone: taking out what was written of it, and writing it anew. */
void kp_nft_service(struct kp *, uint32_t service);
void kp_iptables_service(struct kp *, uint32_t service);
void kp_nft_cut(struct kp *, uint32_t service);
void kp_iptables_cut(struct kp *, uint32_t service);
bool kp_iptables_large(struct kube_proxy *, bool v6);           /* so many endpoints that their rules have no comments */
/* Around the writing of one Service. */
void kp_service_begin(struct kp *, uint32_t service);
void kp_service_end(struct kp *, uint32_t service);
void kp_cut(struct kp *, uint32_t service);                     /* its own chains and sets */
/* The jumps out of the built-in chains, which other writers of iptables share with kube-proxy: the same on every node, so they always stand in the variant. */
void kp_iptables_jumps(struct kp *);

/* Follows the cluster, if its view is the present. What it hears of are objects as they are now, gone ones too; each once. false: what nodes share is no longer
 * what it was, and all rules are to be written anew by a new kube_proxy. Then kube_proxy_write_again brings the variant up to date, and kube_proxy_node_again a node's own
 * rules (false: they are to be written anew). */
bool kube_proxy_service_changed(struct kube_proxy *, const struct service *);
bool kube_proxy_slice_changed(struct kube_proxy *, const struct endpointslice *);
bool kube_proxy_write_again(struct kube_proxy *);
void kube_proxy_variant(struct kube_proxy *, struct ruleset *);         /* what all nodes share: little if they differ */
void kube_proxy_node(struct kube_proxy *, const struct node *, netns_h, struct ruleset *, struct kp *proxiers[2]);      /* proxiers: by family; NULL: it has not written Services */
bool kube_proxy_node_again(const struct kube_proxy *, struct kp *const proxiers[2]);
struct kube_proxy_sysctls { bool route_localnet; };
struct kube_proxy_sysctls kube_proxy_sysctls(const struct settings *);

cause_h kp_cause(struct kp *, const struct kp_port *);  /* the Service's port */
/* Why a packet to it is dropped or rejected before it reaches an endpoint: a traffic policy Local where other nodes have endpoints (any), else the port itself. */
cause_h kp_cause_refused(struct kp *, const struct kp_port *, bool any, bool external);
cause_h kp_cause_slice(struct kp *, const struct kp_port *, const struct kp_endpoints *);

#endif
