/* What a container does once it runs: when it ends, what its probes find. Known from its command where that says it (sleep 30, sh -c "exit 1", …), scripted by
 * annotations of its Pod, assumed where nothing is known. Times count from the container's start.
 *
 *   podwire.io/CONTAINER.exits:   "3 after 10s"     exit code and time; "never"
 *   podwire.io/CONTAINER.started: "after 15s"       its startup probe fails before; "never": always
 *   podwire.io/CONTAINER.ready:   "after 20s", "until 60s", "never"
 *   podwire.io/CONTAINER.live:    "until 60s"       its liveness probe fails from then on
 *   podwire.io/CONTAINER.image:   "missing"         it cannot be pulled
 */
#ifndef PODWIRE_BEHAVIOUR_H
#define PODWIRE_BEHAVIOUR_H

#include "model/control/kubelet_actions.h"
#include "model/control/control.h"

enum container_role { ROLE_MAIN, ROLE_INIT, ROLE_SIDECAR, ROLE_JOB };   /* JOB: a main container that is there to end */
struct ending { nsec after; int32_t code; };    /* after NEVER: it runs on */
struct ending container_ending(const struct pod *, const struct container *, enum container_role);
bool ignores_sigterm(const struct container *);         /* as PID 1 it has no handler: a shell, sleep, tail … */
bool image_missing(const struct pod *, const struct container *);
nsec hook_lasts(const struct lifecycle_handler *);      /* a postStart or preStop hook; 0 if there is none */

/* Does the probe succeed `since` its container's start? Sets *until: the time since then at which the answer changes (NEVER). why: the event's words if it fails. */
enum probe_kind { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS };
bool probe_succeeds(const struct pod *, const struct container *, enum probe_kind, nsec since, nsec *until, const char **why);

/* When the probes of a container that runs since `from` have said what, if nothing disturbs it. */
struct probing {
	nsec started;                           /* the startup probe has succeeded (no probe: at once); NEVER */
	nsec ready, unready;                    /* ready from, unready again from; NEVER */
	nsec killed;                            /* startup or liveness has failed often enough; NEVER */
	bool by_startup;                        /* killed by the startup probe */
	const char *complaint;                  /* of the first probe that fails, NULL if none does */
	enum probe_kind complainer; nsec complains;
};
struct probing container_probing(const struct pod *, const struct container *, nsec from);

#endif
