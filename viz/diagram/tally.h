/* Tables that count what is not drawn one by one: nodes with the Pods on each, namespaces with their workloads. */
#ifndef PODWIRE_TALLY_H
#define PODWIRE_TALLY_H

#include "viz/diagram/figure.h"

struct tally { struct tally_ns { const char *ns; uint32_t workloads, pods, services; } *v; uint32_t nr; };

void tally_count(struct tally *, const struct pod_groups *, const struct service *const *, uint32_t nr_services, struct arena *);
box_h tally_namespaces(struct scene *, const struct tally *);           /* the largest first */
box_h tally_nodes(struct scene *, struct world *);                      /* system Pods are counted, too */

#endif
