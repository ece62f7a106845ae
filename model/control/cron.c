#include "model/control/cron.h"

#define MINUTE MINUTES(1)
#define DAY    (MINUTE * 60 * 24)

struct date { int month, day, weekday; };

/* Days since 1970-01-01 to month, day, weekday (Howard Hinnant's civil_from_days). */
static struct date date_of(int64_t days)
{
	int64_t z = days + 719468, era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	return (struct date){ (int)(mp < 10 ? mp + 3 : mp - 9), (int)(doy - (153 * mp + 2) / 5 + 1), (int)((days + 4) % 7) };
}

static bool day_matches(const struct cron *s, int64_t days)
{
	struct date d = date_of(days);
	bool day = s->days >> d.day & 1, weekday = s->weekdays >> d.weekday & 1;

	if (!(s->months >> d.month & 1))
		return false;
	return s->any_day || s->any_weekday ? day && weekday : day || weekday;  /* both restricted: either will do */
}

/* In local time, as a clock that is never set shows it. */
static nsec local_next(const struct cron *s, nsec after)
{
	nsec at = (after / MINUTE + 1) * MINUTE;

	for (int64_t day = at / DAY, last = day + 5 * 366; day < last; day++) {
		if (!day_matches(s, day))
			continue;
		for (int64_t m = MAX(at - day * DAY, 0) / MINUTE; m < 24 * 60; m++)
			if (s->hours >> (m / 60) & 1 && s->minutes >> (m % 60) & 1)
				return day * DAY + m * MINUTE;
	}
	return NEVER;
}

nsec schedule_next(const struct cron *s, const struct zone *z, nsec after)
{
	if (s->every)
		return after / SECONDS(1) * SECONDS(1) + MAX(s->every / SECONDS(1), 1) * SECONDS(1);
	for (nsec from = after, last = after + 5 * 366 * DAY; from < last;) {  /* from one setting of the clocks to the next */
		int64_t t = from / SECONDS(1), change = zone_change(z, t);
		nsec ahead = SECONDS((int64_t)zone_offset(z, t)), at = local_next(s, from + ahead), end = change > INT64_MAX / SECONDS(1) ? NEVER : SECONDS(change);

		if (at != NEVER && at - ahead < end)
			return at - ahead;
		if (end == NEVER)
			break;
		from = end;
		t = change;
		if (local_next(s, from + SECONDS((int64_t)zone_offset(z, t)) - 1) == from + SECONDS((int64_t)zone_offset(z, t)))
			return from;            /* the minute itself at which they are set */
	}
	return NEVER;
}
