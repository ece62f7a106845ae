/* PodDisruptionBudgets: how many of a budget's Pods may be evicted now. Worked out from the cluster when asked, so that it is never stale.
 * Source: Kubernetes 1.36 pkg/controller/disruption/disruption.go (getExpectedPodCount, countHealthyPods, updatePdbStatus), pkg/registry/core/pod/storage/eviction.go. */
#ifndef PODWIRE_DISRUPTION_H
#define PODWIRE_DISRUPTION_H

#include "model/cluster/cluster.h"

struct budget { int32_t expected, desired, healthy, allowed; };
bool budget_covers(struct cluster *, const struct object *pdb, const struct pod *, struct arena *scratch);       /* for preemption: a selector that selects everybody covers nobody */
struct budget budget_of(struct cluster *, const struct object *pdb, struct arena *scratch);
/* May this Pod be evicted? Terminal, terminating and Pending Pods always; an unready one under the budget's unhealthyPodEvictionPolicy. *blocks: the budget that
 * forbids it; more than one budget for a Pod forbids it, too. */
bool eviction_allowed(struct cluster *, const struct pod *, struct arena *scratch, const struct object **blocks, bool *many);

#endif
