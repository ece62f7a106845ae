/* Inside the HorizontalPodAutoscaler's controller: what Pods use, how many Pods that asks for, and how fast the number may change.
 * Source: pkg/controller/podautoscaler/{horizontal,replica_calculator}.go, metrics/utilization.go. */
#ifndef PODWIRE_AUTOSCALER_H
#define PODWIRE_AUTOSCALER_H

#include "model/control/common.h"

/* Within these of 1 a ratio of usage to target changes nothing. */
struct tolerances { double up, down; };

/* What one metric asks for. error: why it cannot be told; NULL: it can. */
struct proposal {
	int32_t replicas;
	int64_t utilization;                    /* percent of the requests; -1: the target is a value */
	int64_t average;                        /* of the Pods that count, in thousandths */
	const char *name, *error;               /* name: as the event of a change says it */
};

/* PodMetrics (metrics.k8s.io) measure. One that bears the name of a Pod speaks of that Pod, as metrics-server's do. One that bears none speaks of each Pod with its labels;
 * annotated podwire.io/total: "true", of all of them together, and those that are ready share it. Without a timestamp it was measured just now. */
bool pods_are_measured(struct cluster *, const char *ns);
/* metric: of type Resource or ContainerResource; w: the target, with current replicas. Texts live in the arena. */
struct proposal resource_proposal(struct cluster *, const struct val *metric, const struct workload *, struct tolerances, struct arena *);

/* ---- rates: what was recommended and done before */
struct scale_event { int32_t change; nsec at; };         /* told: the number that was recommended; up, down: by how many Pods it changed */
typedef VEC(struct scale_event) scale_events;
struct hpa_memory { scale_events told, up, down; };
struct pace { int32_t least, most, current; nsec now; const struct val *behavior; };   /* behavior: with its defaults; NULL: there is none */
struct paced { int32_t replicas; const char *able, *able_why; bool limited; const char *limit, *limit_why; };
/* Remembers what is desired now; says how far it may go (normalizeDesiredReplicas, …WithBehaviors). */
struct paced pace_replicas(struct hpa_memory *, struct arena *, const struct pace *, int32_t desired);
void pace_done(struct hpa_memory *, struct arena *, const struct pace *, int32_t replicas);    /* it was scaled to that */

#endif
