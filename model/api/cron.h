/* The five fields of a CronJob's schedule, as robfig/cron v3 ParseStandard reads them. */
#ifndef PODWIRE_CRON_H
#define PODWIRE_CRON_H

#include "model/base/base.h"

struct cron {
	uint64_t minutes;                       /* bit n: minute n */
	uint32_t hours, days, months, weekdays; /* weekdays: bit 0 is Sunday */
	bool any_day, any_weekday;              /* * or ?: the other one alone decides */
	nsec every;                             /* @every: the distance; 0: the fields hold */
	char zone[64];                          /* TZ= or CRON_TZ= before them; "": none */
};

/* false: *why says what is wrong, as the library does. */
bool cron_parse(const char *schedule, struct cron *out, char why[256]);

#endif
