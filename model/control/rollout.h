/* The arithmetic of workloads: how many may be added and taken away in a rollout, who is deleted first, how fast Pods are made. Pure.
 * Sources: Kubernetes 1.36 pkg/controller/deployment/util/deployment_util.go, rolling.go; pkg/controller/controller_utils.go ActivePodsWithRanks. */
#ifndef PODWIRE_ROLLOUT_H
#define PODWIRE_ROLLOUT_H

#include "model/api/workload.h"

struct fence { int32_t surge, unavailable; };
/* Percentages of `replicas`: surge up, unavailable down; both 0 makes unavailable 1. Absent ones are 0. */
struct fence resolve_fenceposts(const struct int_or_str *surge, const struct int_or_str *unavailable, int32_t replicas);
int32_t scaled(const struct int_or_str *, int32_t total, bool up, int32_t absent);
int32_t max_unavailable(const struct workload *);       /* at most replicas; 0 unless RollingUpdate */
int32_t most_pods(const struct workload *);             /* replicas and surge; beyond 2^31 it wraps as Go's int32 does, and no Pod is made */
/* The size that the new ReplicaSet is given next; all: replicas of all ReplicaSets, it included. */
int32_t new_replicas(const struct workload *, int32_t all, int32_t now);

/* One Pod that may be deleted. */
struct candidate {
	const struct pod *pod;
	uint32_t rank;                  /* how many active siblings its node has */
	int32_t restarts, sidecar_restarts;     /* from here on: what sort_for_deletion saw; the most of a container */
	int32_t cost;                   /* its annotation pod-deletion-cost */
	nsec ready_since;               /* 0: it is not ready */
	bool ready;
};
/* Looks at the Pods and puts the `first` that go before all others in front, in their order; now: virtual time. */
void sort_for_deletion(struct candidate *, uint32_t nr, uint32_t first, nsec now);
/* In the order in which a Job takes them away; those that are alike keep theirs. */
void sort_active_pods(struct candidate *, uint32_t nr);
/* Of two that have been looked at, qsort-like. */
int deletion_order(const struct candidate *, const struct candidate *, nsec now);
const char *deletion_reason(const struct candidate *, const struct candidate *, nsec now);      /* what decides between the two, in words */
struct control;
/* The active Pods of a ReplicaSet or ReplicationController, in the order in which they would be deleted; in scratch. */
struct candidate *deletion_candidates(struct control *, const struct workload *, struct arena *scratch, uint32_t *nr);

/* Batches of 1, 2, 4, 8 …; a batch with a failure is the last. → how many succeeded. */
uint32_t slow_start(uint32_t count, bool (*make)(void *ctx), void *ctx);

#endif
