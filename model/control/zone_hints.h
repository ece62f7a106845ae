/* Hints of `service.kubernetes.io/topology-mode: Auto`: each zone gets endpoints by its share of the nodes' CPUs, or nobody gets hints. Pure.
 * Source: staging/src/k8s.io/endpointslice/topologycache/{topologycache,sliceinfo,utils}.go. Where upstream goes over a Go map, zones are taken by name here. */
#ifndef PODWIRE_ZONE_HINTS_H
#define PODWIRE_ZONE_HINTS_H

#include "model/control/nodes.h"

struct zone_share {
	str zone;
	int64_t cpu;                            /* thousandths, of its ready nodes that are no control planes */
	double ratio;                           /* of all CPUs */
};
struct zone_shares { struct zone_share *v; uint32_t nr, alloc; };      /* sorted by name; empty: the nodes do not say enough, or all are in one zone */

/* SetNodes. A node that is ready and names no zone or no allocatable CPU leaves the answer empty. */
struct zone_shares zone_shares(const struct control *, struct arena *);

struct hinted { str zone, hint; };              /* a ready endpoint: where it is; the zone that it is meant for, NULL: none */
struct hinted_slice { struct hinted *v; uint32_t nr; bool write; };    /* write: it is written for other reasons; set where its hints have to change */
/* AddHints for the slices of one address family. NULL: the hints are in place. Else why there are none (the words of the event); all hints are NULL then, and `write` set
 * where there were some. */
const char *zone_hints(const struct zone_shares *, struct hinted_slice *, uint32_t nr, struct arena *);
/* serviceOverloaded: has a zone fewer endpoints than its share allows? counts: endpoints hinted for each zone, parallel to the shares; other: for zones that are not among them. */
bool zones_overloaded(const struct zone_shares *, const uint32_t *counts, uint32_t other);

#endif
