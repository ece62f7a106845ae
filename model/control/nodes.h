/* What the controllers know of each node: its Pods, what they ask for, whether its kubelet and its Pod network are at work. Kept up to date by the node controller's watch, which
 * hears of every change first. */
#ifndef PODWIRE_NODES_H
#define PODWIRE_NODES_H

#include "model/api/link_fault.h"
#include "model/control/common.h"
#include "model/control/fit.h"

struct node_info {
	str name;
	struct node *node;                      /* NULL: only named by Pods */
	str zone;                               /* label topology.kubernetes.io/zone of the Node; NULL: it has none */
	uint32_t index;                         /* place in nodes_all */
	uint32_t place;                         /* in the scheduler's order of names, + 1; 0: not among them */
	VEC(struct pod *) pods;                 /* bound, not terminal; in the order in which they came */
	VEC(const struct demand *) demands;     /* of each: what it was counted with */
	uint32_t nr_ports;                      /* Pods with host ports among them */
	int64_t cpu, memory, nz_cpu, nz_memory; /* asked for, all together; thousandths */
	VEC(struct amount) other;               /* the same of what is neither */
	int64_t can_cpu, can_memory;            /* allocatable; INT64_MAX: not said */
	uint32_t max_pods;
	nsec silent, no_cni;                    /* node_silent_since; the Pod network is broken there since; NEVER */
	bool given;                             /* the Node came with a Ready condition: its kubelet says what it says */
	bool cordoned;                          /* as its kubelet has told */
	uint32_t version;                       /* grows with every change of the Node itself */
	struct { str image; nsec at; } image;   /* the kubelet's: the one that was asked for last, and when the node has it */
	ip_addr ip, ip2;                        /* its InternalIPs: the first, and the first of the other family */
};

struct node_info *node_info(const struct control *, str name);   /* NULL if nobody has named it */
struct node_info *node_of_pod(const struct control *, const struct pod *);   /* the node that it is bound to; NULL: none */
struct node_info *const *nodes_all(const struct control *, uint32_t *nr);       /* in the order in which they were named */
uint32_t nodes_version(const struct control *);         /* grows with every change of any Node */
const struct demand *demand_for(struct control *, const struct pod_spec *);     /* worked out once for each spec */

/* Faults stand as annotations on the Node: down (nothing answers), no-cni, proxy-stopped, … with the time since when, in nanoseconds. */
#define DOWN_ANNOTATION    "podwire.io/down"
#define NO_CNI_ANNOTATION  "podwire.io/no-cni"
#define NO_PROXY_ANNOTATION "podwire.io/kube-proxy-stopped"
nsec fault_since(const struct object *, const char *annotation);                 /* NEVER: it is not broken */
nsec node_silent_since(const struct node *);                                     /* down, or cut off; NEVER: it is heard of */
bool kubelet_works(const struct node_info *);
bool network_ready(struct control *, const struct node_info *);                  /* the Pod network is configured on the node */

/* A node's kube-proxy stops with what it knows, or goes on (proxy.c). */
void proxy_stop(struct control *, const struct node *, bool stop);

#endif
