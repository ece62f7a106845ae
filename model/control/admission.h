/* Admission, as apply.c asks for it (cluster_set_admit; ctx is the control). */
#ifndef PODWIRE_ADMISSION_H
#define PODWIRE_ADMISSION_H

#include "model/control/control.h"

/* A bound of the model, not of Kubernetes: a manifest that asks for 2^31 Pods must not eat the machine. */
#define MOST_PODS 500000
/* Why no such Pod may be made: that bound, its PriorityClass, then the LimitRanges, then the quotas; in the API server's words (behind `pods "x" is forbidden: `), in the arena. NULL: it may.
 * more: how many Pods are asked for at once, this one included: if all of them are beyond the bound, the first is already. */
const char *pod_refused(struct cluster *, const char *ns, const struct pod_spec *, uint32_t more, struct arena *);
bool control_admit(void *ctx, struct cluster *, struct object *, const struct object *old, struct check *);

#endif
