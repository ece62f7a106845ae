/* When a schedule comes next. Times are virtual; time 0 is midnight of Thursday, 1 January 1970, UTC. Source: robfig/cron v3 spec.go, which Kubernetes uses. */
#ifndef PODWIRE_SCHEDULE_H
#define PODWIRE_SCHEDULE_H

#include "model/api/cron.h"
#include "model/base/zone.h"

/* The first minute behind `after` whose local time the schedule names; NEVER within five years. What local clocks skip does not come, what they show twice comes twice. */
nsec schedule_next(const struct cron *, const struct zone *, nsec after);

#endif
