/* Admission, as apply.c asks for it (cluster_set_admit; ctx is the control). */
#ifndef PODWIRE_ADMISSION_H
#define PODWIRE_ADMISSION_H

#include "model/control/control.h"

bool control_admit(void *ctx, struct cluster *, struct object *, const struct object *old, struct check *);

#endif
