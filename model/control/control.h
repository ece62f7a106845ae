/* Controllers complete what people wrote: they run in virtual time. A change dirties keys; dirty keys are worked off in the order
 * (time, controller, key). Times follow from times in objects, so that a cluster that is read back goes on where it stood; the little that objects do not
 * hold (addresses given before, attempts counted) is in control_save. */
#ifndef PODWIRE_CONTROL_H
#define PODWIRE_CONTROL_H

#include "model/cluster/cluster.h"

struct control;

struct control *control_new(struct cluster *);          /* watches and admits for it, and dirties what is there already; lives in the cluster's arena */
struct cluster *control_cluster(struct control *);

struct settle_result {
	bool settled;
	nsec from, to;                                  /* virtual time at which it began and ended */
	uint32_t runs;                                  /* of controllers */
	const char *moving;                             /* not settled: who still moves, e.g. "kubelet: Pod default/web"; in the cluster's arena. Else NULL */
};
/* Runs until only standing timers remain (periodic, back-off, eviction, cron), one virtual hour at most. */
struct settle_result control_settle(struct control *);
void control_advance(struct control *, nsec by);        /* lets time pass, doing all that falls due */
bool control_advance_until(struct control *, nsec limit, bool (*done)(void *), void *ctx);      /* true: done became true; it is asked after each moment */
nsec control_next(const struct control *);              /* time of the next due key; NEVER */

/* What the objects do not hold: block queues, next node range, restart back-offs, waiting timers. control_load after all objects are there, before
 * anything runs; NULL is allowed (a cluster without memory: everything is recomputed). */
struct val *control_save(struct control *, struct arena *);
void control_load(struct control *, const struct val *);

/* Faults (docs: scenario-format, "fault, heal"). kind: node, link, bgp, kubeProxy, container, pause, cni, dns, loadBalancer; target: a node's name, pod/[NS/]NAME[/CONTAINER],
 * or "" where there is only one. What is broken stands on the object itself, as an annotation podwire.io/…, so that it is saved, shown and seen by the dataplane. */
struct fault { str kind, target; nsec since; };
bool control_fault(struct control *, const char *kind, const char *target, const struct val *args, struct err *);
bool control_heal(struct control *, const char *kind, const char *target, struct err *);
const struct fault *control_faults(const struct control *, uint32_t *nr);       /* those that last, in the order in which they came */

/* The revision up to which a node's kube-proxy has programmed its rules, and when the next sync comes (facts 57): a node whose kube-proxy is
 * stopped stays behind. */
struct proxy_sync { rev_t synced; nsec last_end, next; bool stopped; };
struct proxy_sync control_proxy(const struct control *, const struct node *);

/* What the objects of now tell of a Pod's past, a Service's, a node's …, in order of time: events, conditions and what stands in neither. In `scratch`.
 * What they do not tell any more, sim/engine/chronicle.h watches while it happens. */
struct timeline_row { nsec at; const char *lane; const char *text; };          /* lane: sandbox, address, container NAME, readiness, endpoints, phase, event */
struct timeline { struct timeline_row *v; uint32_t nr; };
struct timeline control_timeline(const struct control *, const struct object *, struct arena *scratch);

/* Called after the work of each moment: to look, not to change. One at a time; NULL ends it. */
void control_observe(struct control *, void (*look)(void *ctx), void *ctx);

/* Kubernetes' own times: one row per number, with its source; nothing else in the tree spells one (model/control/timings.c). */
enum timing_id {
#define TIMING(id, name, value, source) T_##id,
#include "model/control/timings.def"
#undef TIMING
	T_COUNT
};
nsec timing(enum timing_id);
struct timing_row { const char *name; nsec value; const char *source; };
extern const struct timing_row timings[T_COUNT];

#endif
