/* Policies of other APIs that the Pod network enforces and podwire does not model: Calico's own, AdminNetworkPolicy, ClusterNetworkPolicy. What they may decide is unknown:
 * which Pods one is about, and in which direction, is read from it; its rules are not. Staged policies decide nothing; policies with preDNAT or doNotTrack are about host
 * endpoints alone. Source: calico api/pkg/apis/projectcalico/v3, network-policy-api apis/v1alpha1 and v1alpha2. */
#ifndef PODWIRE_FOREIGN_H
#define PODWIRE_FOREIGN_H

#include "model/policy/policy.h"

struct foreign_policy {
	const struct object *o;
	bool decides[2];                        /* by enum np_dir */
	bool baseline;                          /* asked only where nothing else isolates the Pod */
	const char *selector, *namespaces, *accounts;   /* Calico's; NULL: absent */
	const struct selector *pods, *spaces;   /* the others': of the subject; NULL: all */
	bool calico;
};
struct foreign_policies { struct foreign_policy *v; uint32_t nr; bool host_endpoints; /* there are HostEndpoints */ };
bool foreign_is(const struct kind *);            /* a policy of these, or HostEndpoint */
/* In the order of the objects. Empty where the network enforces none of them (all but Calico). Lives in the arena. */
struct foreign_policies foreign_policies(struct cluster *, struct arena *);
/* The first that may decide about what comes to the Pod, or leaves it; NULL: none. isolated: a NetworkPolicy isolates it in that direction. */
const struct foreign_policy *foreign_decides(const struct foreign_policies *, struct cluster *, const struct pod *, enum np_dir, bool isolated, struct arena *scratch);
/* A HostEndpoint of that node that may decide about packets to and from the node itself: one that lets not all pass by its profile, or that a policy selects; NULL: none.
 * *forwards: some such policy is also about what the node forwards. Kept like the policies. */
const struct object *host_endpoint_decides(struct cluster *, const struct node *, bool *forwards);
const char *foreign_text(const struct object *, struct arena *);       /* GlobalNetworkPolicy "deny" is not modelled */

#endif
