/* What the networks with a bridge on each node have in common (the bridge plugin itself, flannel): cni0 has the first address of the node's podCIDR and the Pods
 * a prefix of its length on it. Sources: containernetworking/plugins plugins/main/bridge; facts 43 to 45. */
#ifndef PODWIRE_CNI_BRIDGE_H
#define PODWIRE_CNI_BRIDGE_H

#include "model/dataplane/compile.h"

bool bridge_pod_cidr(const struct node *, uint32_t i, struct cidr *out);        /* the node's i-th podCIDR; false: it has no more */
void bridge_blocks(struct compile *, bool v6, struct block_way);                /* the podCIDRs of one family, as routes between nodes */
void bridge_wire_node(struct compile *, struct node_build *, link_h *pod_link, bool hairpin);
link_h bridge_wire_pod(struct compile *, struct node_build *, struct pod *, netns_h, link_h host_end);
uint8_t bridge_pod_prefix(struct compile *, struct node_build *, ip_addr);
const char *bridge_in_name(const struct settings *);

/* Egress masquerade: a chain of table nat of one family, entered from POSTROUTING, and its rules; src, dst NULL: any. */
struct nat { table_h table; chain_h chain; };
struct masq { const struct cidr *src, *dst; bool not_src, not_dst, masquerade /* else RETURN */, random_fully; const char *comment; };
struct nat bridge_masq_chain(struct ruleset *, bool v6, const char *name, bool only_outside, const char *comment);
void bridge_masq_rule(struct ruleset *, struct nat, const struct masq *);
const struct cidr *bridge_cluster_cidr(const struct compile *, bool v6);        /* the Pod range of a family; NULL: none */

#endif
