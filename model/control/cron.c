#include "model/control/cron.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/quantity.h"

#define MINUTE MINUTES(1)
#define DAY    (MINUTE * 60 * 24)

static int named(const char *s, size_t n, const char *const *names, int base)
{
	for (int k = 0; names && names[k]; k++)
		if (n == 3 && strncasecmp(s, names[k], 3) == 0)
			return k + base;
	return -1;
}

static bool number(const char **s, const char *const *names, int base, int *out)
{
	size_t n = strcspn(*s, ",-/ \t");
	char *end;
	int v = named(*s, n, names, base);

	if (v < 0) {
		if (!isdigit((unsigned char)**s))
			return false;
		v = (int)strtol(*s, &end, 10);
		if (end != *s + n)
			return false;
	}
	*s += n;
	*out = v;
	return true;
}

/* One field: comma-separated ranges with steps. */
static bool field(const char **s, int lo, int hi, const char *const *names, uint64_t *bits, bool *any)
{
	*bits = 0;
	*any = **s == '*' || **s == '?';
	for (;; ++*s) {
		int from = lo, to = hi, step = 1;

		if (**s == '*' || **s == '?') {
			++*s;
		} else {
			if (!number(s, names, lo, &from))
				return false;
			to = from;
			if (**s == '-' && (++*s, !number(s, names, lo, &to)))
				return false;
			if (**s == '/' && to == from)
				to = hi;
		}
		if (**s == '/' && (++*s, !number(s, NULL, 0, &step) || step < 1))
			return false;
		if (from < lo || to > hi || from > to)
			return false;
		for (int k = from; k <= to; k += step)
			*bits |= (uint64_t)1 << k;
		if (**s != ',')
			break;
	}
	if (**s && **s != ' ' && **s != '\t')
		return false;
	*s += strspn(*s, " \t");
	return true;
}

bool schedule_parse(const char *s, struct schedule *out)
{
	static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };
	static const char *const words[][2] = { { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
						{ "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" } };
	bool any;

	*out = (struct schedule){ 0 };
	if (!s)
		return false;
	if (strncmp(s, "@every ", 7) == 0)
		return duration_parse(s + 7, &out->every) && out->every >= SECONDS(1);
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (strcmp(s, words[k][0]) == 0)
			s = words[k][1];
	s += strspn(s, " \t");
	return field(&s, 0, 59, NULL, &out->minute, &any) && field(&s, 0, 23, NULL, &out->hour, &any) && field(&s, 1, 31, NULL, &out->day, &out->any_day) &&
	       field(&s, 1, 12, months, &out->month, &any) && field(&s, 0, 6, days, &out->weekday, &out->any_weekday) && !*s;
}

struct date { int month, day, weekday; };

/* Days since 1970-01-01 to month, day, weekday (Howard Hinnant's civil_from_days). */
static struct date date_of(int64_t days)
{
	int64_t z = days + 719468, era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	return (struct date){ (int)(mp < 10 ? mp + 3 : mp - 9), (int)(doy - (153 * mp + 2) / 5 + 1), (int)((days + 4) % 7) };
}

static bool day_matches(const struct schedule *s, int64_t days)
{
	struct date d = date_of(days);
	bool day = s->day >> d.day & 1, weekday = s->weekday >> d.weekday & 1;

	if (!(s->month >> d.month & 1))
		return false;
	return s->any_day || s->any_weekday ? day && weekday : day || weekday;  /* both restricted: either will do */
}

nsec schedule_next(const struct schedule *s, nsec after)
{
	nsec at = (after / MINUTE + 1) * MINUTE;

	if (s->every)
		return after / SECONDS(1) * SECONDS(1) + s->every;
	for (int64_t day = at / DAY, last = day + 5 * 366; day < last; day++) {
		if (!day_matches(s, day))
			continue;
		for (int64_t m = MAX(at - day * DAY, 0) / MINUTE; m < 24 * 60; m++)
			if (s->hour >> (m / 60) & 1 && s->minute >> (m % 60) & 1)
				return day * DAY + m * MINUTE;
	}
	return NEVER;
}
