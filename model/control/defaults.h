/* What a cluster has before anybody applies anything, as far as no document brought it: nodes, system namespaces, default/kubernetes,
 * CoreDNS, kube-proxy and the Pod network's DaemonSet. Ordinary objects: they can be looked at, changed and broken.
 *
 * Nodes that come with addresses in their status are a living cluster's: it is taken as it is, and but for the system namespaces nothing is added. */
#ifndef PODWIRE_DEFAULTS_H
#define PODWIRE_DEFAULTS_H

#include "model/cluster/cluster.h"

void defaults_add(struct cluster *);
/* Of these, only the namespaces that every cluster begins with: what is applied first may need them. */
void defaults_add_namespaces(struct cluster *);

#endif
