/* Schedules as cron writes them: minute hour day month weekday; lists, ranges, steps, names, @hourly … . Times are virtual; time 0 is midnight of
 * Thursday, 1 January 1970, UTC. Source: robfig/cron v3, which Kubernetes uses. */
#ifndef PODWIRE_CRON_H
#define PODWIRE_CRON_H

#include "model/base/base.h"

struct schedule { uint64_t minute, hour, day, month, weekday; bool any_day, any_weekday; nsec every; };  /* bits; every: "@every 5m", else 0 */
bool schedule_parse(const char *, struct schedule *);           /* false: it is not one */
nsec schedule_next(const struct schedule *, nsec after);        /* the first time behind `after`; NEVER within five years */

#endif
