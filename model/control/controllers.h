/* Among the controllers themselves: their table, the queue of keys, and what several of them need. */
#ifndef PODWIRE_CONTROLLERS_H
#define PODWIRE_CONTROLLERS_H

#include "model/control/control.h"

/* In the order of work within one moment. X(ID, name): the row is `const struct controller name_controller`, in a file of that name. */
#define CONTROLLERS(X)                                                                                                       \
	X(ALLOCATION, allocation) X(NAMESPACE, namespace) X(NODE, node) X(NODE_IPAM, node_ipam) X(LIFECYCLE, lifecycle)      \
	X(EVICTION, eviction) X(GC, gc) X(CRONJOB, cronjob) X(JOB, job) X(AUTOSCALER, autoscaler) X(DEPLOYMENT, deployment) X(REPLICASET, replicaset) X(STATEFULSET, statefulset)      \
	X(DAEMONSET, daemonset) X(VOLUME, volume) X(SCHEDULER, scheduler) X(KUBELET, kubelet) X(ENDPOINTSLICE, endpointslice) X(MIRRORING, mirroring) X(LOADBALANCER, loadbalancer) X(PROXY, proxy) X(FAULT, fault) X(INGRESS, ingress) X(GATEWAY, gateway)

enum controller_id {
#define X(id, name) CTL_##id,
	CONTROLLERS(X)
#undef X
	CTL_COUNT
};

struct controller {
	const char *name;
	const struct kind *const *kinds;                /* whose changes it hears of; NULL-terminated. NULL: all */
	const struct kind *const *owners;               /* of Pods, it hears only of those that objects of these kinds control, and of those that nobody does. NULL: of all */
	uint8_t pods;                                   /* of Pods, it hears only of these changes (enum pod_change); 0: of all */
	uint8_t some;                                   /* of these changes, it hears only of Pods that concern it */
	bool (*concerns)(const struct control *, const struct object *pod);     /* does such a Pod concern it? Asked once for Pods of the same owners, spec and annotations */
	void *(*init)(struct control *);                /* its memory between runs; may be NULL */
	/* Which keys does this change dirty? Calls control_wake for each. May look, must not change the cluster. */
	void (*watch)(struct control *, const struct change *);
	/* Brings one key to what it should be now; called twice it changes nothing. The key may be gone. */
	void (*run)(struct control *, struct object *key, nsec now);
	void (*save)(struct control *, struct arena *, struct val *out);        /* into a map of its own; may be NULL */
	void (*load)(struct control *, const struct val *);
};
#define X(id, name) extern const struct controller name##_controller;
CONTROLLERS(X)
#undef X

/* Work on `key` at time `at`, now or later. Wishes for the same key at one time are one. */
void control_wake(struct control *, enum controller_id, const struct object *key, nsec at);
/* The same for what a settled cluster may wait for: periods, back-offs, evictions, cron. */
void control_timer(struct control *, enum controller_id, const struct object *key, nsec at);
void *control_state(const struct control *, enum controller_id);        /* what init returned */
nsec control_now(const struct control *);
/* Memory for the work of a run, which gives back what it took: the arena is one, and keeps its first block. */
struct scratch { struct arena *arena; struct arena_mark mark; };
struct scratch control_scratch(struct control *);
static inline void scratch_end(struct scratch s) { arena_rewind(s.arena, s.mark); }
void control_concerns_anew(struct control *);            /* what `concerns` said may be otherwise now */
struct map *control_shared(struct control *);           /* of share_bytes */
struct object *control_by_uid(const struct control *, str uid);         /* living or gone; Pods are not among them. NULL: never seen */
/* The controlling owner, living or gone; NULL: none, or never seen. The Pods of one owner share their list of owners, so that it costs little. */
struct object *control_owner(struct control *, const struct object *);
bool control_orphans(const struct control *);            /* has there ever been a Pod that nobody controls? Else nothing needs to be adopted */

#endif
