/* BGP in a cluster with Calico: which nodes speak with which, and so which node hears of whose blocks. The node-to-node mesh, BGPPeers between nodes (by selector or by
 * address), route reflectors, AS numbers and BGPFilters are followed as the protocol has it (RFC 4271, 4456). What routers outside do is not known: nodes that peer with any
 * of them are taken to hear of one another, as far as their own filters let it pass. Sources: calico confd/etc/calico/confd/templates, confd/pkg/backends/calico/client.go. */
#ifndef PODWIRE_BGP_H
#define PODWIRE_BGP_H

#include "model/cluster/cluster.h"

/* NULL, or why calico-node runs no BIRD: its backend (CALICO_NETWORKING_BACKEND, or calico_backend in ConfigMap calico-config) is another. */
const char *bgp_backend_without_bird(struct cluster *);
/* Does BIRD write the routes of any pool of the family? felix writes those of pools that may be encapsulated. */
bool bgp_writes_routes(const struct settings *, bool four);
bool bgp_may_encapsulate(const struct pool_setting *);                  /* always, or across subnets */
bool bgp_tells_pool(struct cluster *, const struct pool_setting *);     /* false: its IPPool has disableBGPExport */

ip_addr bgp_address(const struct node *, bool four);                    /* the node's address of the family; unset: none */
int64_t bgp_as(const struct settings *, const struct node *);
const char *bgp_reflector_id(const struct node *);                      /* NULL: no route reflector */
bool bgp_peer_is_global(const struct bgp_peer *);                       /* names no node: Calico's Global_ peers come before Node_ peers */
int bgp_peer_is_for(const struct bgp_peer *, const struct node *);      /* 1, 0; -1: a nodeSelector that Calico would not take */
const struct node *bgp_node_at(struct cluster *, ip_addr);              /* the node that has the address; NULL: a router outside */
bool bgp_peer_address(const char *text, ip_addr *, uint32_t *port);     /* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; port 0: none said */

/* Who hears of whom, by the order of cluster_list(&node_kind). */
struct bgp_hearing {
	uint32_t nr;
	bool everybody;                 /* each hears of all: the whole mesh; bits is NULL then */
	bool outside;                   /* some node peers with a router that is no node */
	uint32_t sessions;              /* between nodes, while all is well */
	uint64_t *bits, *with;          /* nr × nr: does hearer hear of the node, has it a session with it */
	struct bgp_graph *filtered;     /* BGPFilters stand between nodes: then it depends on the block (bgp_hears_net); NULL: none do */
};
struct bgp_hearing bgp_hear(struct cluster *, struct arena *);
static inline bool bgp_hears(const struct bgp_hearing *h, uint32_t hearer, uint32_t of)
{
	uint64_t k = (uint64_t)hearer * h->nr + of;

	return h->everybody || h->bits[k >> 6] >> (k & 63) & 1;
}
/* The same of one block, or one borrowed address, of that node: after the BGPFilters. borrowed: its route leads to a Pod's link. */
bool bgp_hears_net(const struct bgp_hearing *, uint32_t hearer, uint32_t of, struct cidr, bool borrowed);
/* The BGPFilter that keeps a node's own block from a node with which it has a session; NULL: none does. *import: it is the hearer's. */
const char *bgp_kept_back(const struct bgp_hearing *, uint32_t hearer, uint32_t of, struct cidr, bool *import);
static inline bool bgp_session(const struct bgp_hearing *h, uint32_t a, uint32_t b)
{
	uint64_t k = (uint64_t)a * h->nr + b;

	return a != b && (h->everybody || h->with[k >> 6] >> (k & 63) & 1);
}
/* Does its end of the sessions hold? Not where BIRD was stopped; a node that is down keeps them until its peers' hold timers. */
bool bgp_end_holds(const struct node *);
/* Of the sessions between nodes those that are established. node: only its own, by its number; UINT32_MAX: all. *all: how many there are while all is well. */
uint32_t bgp_sessions_up(struct cluster *, const struct bgp_hearing *, uint32_t node, uint32_t *all);

#endif
