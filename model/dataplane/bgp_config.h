/* What BGPConfiguration, BGPPeers and BGPFilters say beside who speaks with whom: addresses of Services that a node tells, communities, the port, passwords. Sources:
 * calico confd/pkg/backends/calico/routes.go (advertiseThisService, getAllRoutesForService), confd templates, api/pkg/apis/projectcalico/v3/bgp*.go. */
#ifndef PODWIRE_BGP_CONFIG_H
#define PODWIRE_BGP_CONFIG_H

#include "model/cluster/cluster.h"

const struct val *bgp_spec(struct cluster *);                           /* of the BGPConfiguration `default`; NULL: there is none */
uint32_t bgp_listen_port(struct cluster *);                             /* 0: 179 */

/* Routes that a node tells beside its blocks: ranges of serviceClusterIPs, serviceExternalIPs, serviceLoadBalancerIPs as a whole (from every node), and single addresses
 * of Services: with externalTrafficPolicy Local where a ready endpoint is on the node, with Cluster where a range is that one address. */
struct bgp_told { struct cidr net; const char *why; };
struct bgp_tells { VEC(struct bgp_told) v; };
struct bgp_tells bgp_service_routes(struct cluster *, const struct node *, bool four, struct arena *);

/* "64512:100" or "1:2:3" for each community of a prefixAdvertisement, names looked up; calls each once. */
void bgp_communities(struct cluster *, bool four, void (*each)(void *ctx, struct cidr, const char *value), void *ctx);

/* The password that a secretKeyRef holds, in the namespace of calico-node. NULL: none is asked for, or (*missing: what) it is not there. */
const char *bgp_password(struct cluster *, const struct val *password, struct arena *, const char **missing);

#endif
