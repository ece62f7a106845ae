/* Probes as the kubelet makes them: real connections from the node's namespace, answered as the model scripts it. */
#ifndef PODWIRE_LINUX_PROBES_H
#define PODWIRE_LINUX_PROBES_H

#include "sim/linux/verify.h"

#define PROBE_HEADER "Podwire-Probe"            /* which probe a request is, where several ask for one path */

/* Tells the container's process (log: its log file) which of its probes fail now: lines of KIND PORT PATH in LOG.fails. → they are others than before: a process that runs
 * is to be told (SIGHUP). */
bool probes_script(struct cluster *, const struct pod *, const struct container *, const char *log);
/* Every HTTP and TCP probe of every container that runs, or a sample by the seed: does it end as the model says? */
bool verify_probes(struct live *, struct world *, const struct verify_options *, struct arena *, struct verified *out, struct err *);

#endif
