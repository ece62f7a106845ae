/* Admission, as apply.c asks for it (cluster_set_admit; ctx is the control). */
#ifndef PODWIRE_ADMISSION_H
#define PODWIRE_ADMISSION_H

#include "model/control/control.h"

/* Why no such Pod may be made: its PriorityClass, then the LimitRanges, then the quotas; in the API server's words (behind `pods "x" is forbidden: `), in the arena. NULL: it may. */
const char *pod_refused(struct cluster *, const char *ns, const struct pod_spec *, struct arena *);
bool control_admit(void *ctx, struct cluster *, struct object *, const struct object *old, struct check *);

#endif
