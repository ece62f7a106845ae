/* What the Priority admission plugin makes of a Pod's class. */
#ifndef PODWIRE_PRIORITY_H
#define PODWIRE_PRIORITY_H

#include "model/cluster/cluster.h"

int32_t pod_priority(struct cluster *, const struct pod_spec *);
/* preemptionPolicy Never: its own, or its class's. */
bool pod_never_preempts(struct cluster *, const struct pod_spec *);
/* NULL, or why the plugin lets no such Pod be made. */
const char *priority_refuses(struct cluster *, const struct pod_spec *, struct arena *);

#endif
