/* HostEndpoints: what they decide about a node's own connections is not modelled. Source: calico api/pkg/apis/projectcalico/v3. */
#ifndef PODWIRE_FOREIGN_H
#define PODWIRE_FOREIGN_H

#include "model/policy/tiers.h"

bool foreign_is(const struct kind *);            /* a kind that tiers are read from, or HostEndpoint */
/* A HostEndpoint of that node that may decide about packets to and from the node itself: one that lets not all pass by its profile, or that a policy selects; NULL: none.
 * *forwards: some such policy is also about what the node forwards. Kept like the policies. */
const struct object *host_endpoint_decides(struct cluster *, const struct node *, bool *forwards);
const char *foreign_text(const struct object *, struct arena *);       /* HostEndpoint "w2" is not modelled */

#endif
