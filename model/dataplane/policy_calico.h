/* NetworkPolicy in the rules of a node (policy_calico.c). Nothing is written where there is no policy, or where the Pod network enforces none. */
#ifndef PODWIRE_POLICY_CALICO_H
#define PODWIRE_POLICY_CALICO_H

#include "model/dataplane/compile.h"

void policy_calico_hooks(struct compile *, struct ruleset *);   /* the jumps from the base chains: before kube-proxy's own, for felix inserts and kube-proxy appends */
/* What felix appends to FORWARD for the sake of a policy that drops there: what no chain of a Pod has dropped is accepted. In iptables mode; nftables' verdict of
 * one table says nothing to another's. */
void policy_calico_accept(struct compile *, struct ruleset *);
void policy_calico_node(struct compile *, struct node_build *, struct ruleset *);      /* the chains of the node's own Pods */

#endif
