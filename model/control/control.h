/* Controllers complete what people wrote: they run in virtual time, each as run(cluster, key, now). A change dirties keys; dirty keys are worked
 * off in the order (time, controller, key). No timer is state: each follows from times in objects. */
#ifndef PODWIRE_CONTROL_H
#define PODWIRE_CONTROL_H

#include "model/cluster/cluster.h"

struct control;

/* One controller: a file, and a row in controllers[]. */
struct controller {
	const char *name;                               /* deployment, scheduler, kubelet, … */
	/* Which keys does this change dirty? Calls control_wake for each. May look, must not change. */
	void (*watch)(struct control *, const struct change *);
	/* Brings one key to what it should be now; calling it twice changes nothing. May wake itself later by control_wake. */
	void (*run)(struct control *, struct object *key, nsec now);
};
extern const struct controller *const controllers[];    /* NULL-terminated, in the order of work within one moment */

struct control *control_new(struct cluster *);           /* watches it, and dirties what is there already; lives in the cluster's arena */
struct cluster *control_cluster(struct control *);
/* Work on `key` at time `at` (now or later); an earlier wish for the same key and controller wins over a later one only for itself: both happen. */
void control_wake(struct control *, const struct controller *, const struct object *key, nsec at);

struct settle_result { bool settled; nsec from, to; uint32_t runs; const char *moving; };       /* moving: what still moves, if not settled */
/* Runs until only standing timers remain (periodic, back-off, cron), one virtual hour at most. */
struct settle_result control_settle(struct control *);
void control_advance(struct control *, nsec by);         /* lets time pass, doing all that falls due */
bool control_advance_until(struct control *, nsec limit, bool (*done)(void *), void *ctx);      /* true: done became true */
nsec control_next(const struct control *);               /* time of the next due key; NEVER */

/* Faults (scenario-format.md). target: worker-1, pod/ns/name/container … kind as written: node, link, bgp, kubeProxy, container, pause, cni, dns, loadBalancer. */
struct fault { str kind, target; const struct val *args; nsec since; };
bool control_fault(struct control *, const char *kind, const char *target, const struct val *args, struct err *);
bool control_heal(struct control *, const char *kind, const char *target, struct err *);
const struct fault *control_faults(const struct control *, uint32_t *nr);

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
