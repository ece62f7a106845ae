/* Real proxies in the Pods of controllers and Gateways. */
#ifndef PODWIRE_HAPROXIES_H
#define PODWIRE_HAPROXIES_H

#include "sim/linux/live.h"

/* Before the wiring and the workloads: which Pods have one, at which ports, with which configuration; those that should not run any more are ended. Where the machine
 * has no haproxy, a warning. */
bool haproxies_plan(struct live *, struct cluster *, const struct dataplane *, struct err *);
/* Of the words that a workload of that Pod is started with: without the ports that its HAProxy has. */
void haproxies_leave_out(const struct live *, const struct pod *, struct sb *conf);
/* Behind the workloads: starts them, or gives them their new configuration; listening when it returns. One that does not start is a warning. */
bool haproxies_sync(struct live *, uint32_t *started, struct err *);

/* Why what the Pods' sidecars need cannot be made here; NULL: it can. */
const char *haproxies_missing(struct cluster *, struct arena *);

#endif
