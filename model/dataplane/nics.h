/* Nodes with several networks (nics.c). A node without any nic here has one interface, eth0, with all its addresses. */
#ifndef PODWIRE_NICS_H
#define PODWIRE_NICS_H

#include "model/dataplane/compile.h"

/* Right after the node's addresses: interfaces by NodeNetworkState and annotations, added to nb->nics, their addresses to nb->ips. */
void nics_read(struct compile *, struct node_build *);
/* When all nodes are read: which interfaces are on one L2; the address that the Pod network uses on each node (net4, net6); the smallest MTU. */
void nics_settle(struct compile *);
/* Links, addresses and routes of a node that has nics. */
void nics_write(struct compile *, struct node_build *);

#endif
