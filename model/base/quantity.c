/* Numbers with units: quantities, durations, times. */
#include "model/base/quantity.h"

#include <stdio.h>
#include <string.h>

typedef unsigned __int128 u128;

/* Digits with at most one point. → behind them, or NULL if there is no digit. */
static const char *parse_decimal(const char *p, u128 *digits, unsigned *fraction, bool *huge)
{
	bool point = false, any = false;

	*digits = 0;
	*fraction = 0;
	*huge = false;
	for (;; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			return any ? p : NULL;
		any = true;
		if (point && *fraction >= 18)
			continue;
		if (*digits > ((u128)1 << 100)) {
			*huge = true;
			continue;
		}
		*digits = *digits * 10 + (unsigned)(*p - '0');
		*fraction += point;
	}
}

/* What a suffix multiplies with, as thousandths of 10^-6: n is 1, the unit 10^9. */
static bool suffix_scale(const char *s, u128 *scale)
{
	static const char decimal[] = "num kMGTPE", binary[] = "KMGTPE";
	const char *at;
	unsigned exp = 0, nr = 0;
	bool negative;

	*scale = 1000000000;
	if (!*s)
		return true;
	at = s[1] == 'i' && !s[2] ? strchr(binary, *s) : NULL;
	if (at) {
		*scale <<= 10 * (at - binary + 1);
		return true;
	}
	at = *s != ' ' && !s[1] ? strchr(decimal, *s) : NULL;
	if (at) {
		*scale = 1;
		for (; at > decimal; at--)
			*scale *= 1000;
		return true;
	}
	if (*s != 'e' && *s != 'E')
		return false;
	negative = *++s == '-';
	s += *s == '-' || *s == '+';
	for (; *s >= '0' && *s <= '9' && nr < 4; s++, nr++)
		exp = exp * 10 + (unsigned)(*s - '0');
	if (*s || !nr)
		return false;
	for (; exp && *scale && *scale < (u128)1 << 100; exp--)
		*scale = negative ? *scale / 10 : *scale * 10;
	return true;
}

bool quantity_parse(const char *s, int64_t *milli)
{
	bool negative = *s == '-', huge;
	u128 value, scale, per = 1000000;       /* → thousandths */
	unsigned fraction;

	s += *s == '-' || *s == '+';
	s = parse_decimal(s, &value, &fraction, &huge);
	if (!s || !suffix_scale(s, &scale))
		return false;
	for (; fraction; fraction--)
		per *= 10;
	if (huge || __builtin_mul_overflow(value, scale, &value)) {
		*milli = negative ? INT64_MIN : INT64_MAX;
		return true;
	}
	value = value / per + (value % per != 0);       /* up, as Quantity.ScaledValue */
	if (value > INT64_MAX)
		*milli = negative ? INT64_MIN : INT64_MAX;
	else
		*milli = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

bool quantity_of(const struct val *v, int64_t *milli)
{
	if (val_str(v))
		return quantity_parse(val_str(v), milli);
	if (val_is(v, VAL_INT)) {
		if (__builtin_mul_overflow(v->i, 1000, milli))
			*milli = v->i < 0 ? INT64_MIN : INT64_MAX;
		return true;
	}
	if (val_is(v, VAL_FLOAT)) {
		char text[40];

		snprintf(text, sizeof(text), "%.17g", v->f);
		return quantity_parse(text, milli);
	}
	return false;
}

/* Without its factors of `base`, but at most that many. → how many */
static unsigned take_out(u128 *v, unsigned base, unsigned most)
{
	unsigned n = 0;

	for (; *v && *v % base == 0 && n < most; n++)
		*v /= base;
	return n;
}

static const char *print_u128(u128 v, char *end)
{
	*--end = '\0';
	do
		*--end = (char)('0' + (int)(v % 10));
	while (v /= 10);
	return end;
}

const char *quantity_canonical(const char *s, char out[64])
{
	static const char *const decimal[] = { "n", "u", "m", "", "k", "M", "G", "T", "P", "E" }, *const binary[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	static const char *const exponents[] = { "e-9", "e-6", "e-3", "", "e3", "e6", "e9", "e12", "e15", "e18" };
	const char *p = s + (*s == '-' || *s == '+'), *suffix;
	char digits[48];
	u128 v, scale, per = 1;
	unsigned fraction, unit;
	bool huge, bytes;

	suffix = parse_decimal(p, &v, &fraction, &huge);
	if (!suffix || huge || !suffix_scale(suffix, &scale) || __builtin_mul_overflow(v, scale, &v))
		return s;
	for (; fraction; fraction--)
		per *= 10;
	v = v / per + (v % per != 0);           /* in billionths, rounded up */
	bytes = *suffix && suffix[1] == 'i' && v >= (u128)1024 * 1000000000;
	if (bytes) {
		v = v / 1000000000 + (v % 1000000000 != 0);
		unit = take_out(&v, 1024, ARRAY_LEN(binary) - 1);
	} else {
		unit = v ? take_out(&v, 1000, ARRAY_LEN(decimal) - 1) : 3;
	}
	snprintf(out, 64, "%s%s%s", *s == '-' && v ? "-" : "", print_u128(v, digits + sizeof(digits)), bytes ? binary[unit] : *suffix == 'e' || (*suffix == 'E' && suffix[1]) ? exponents[unit] : decimal[unit]);
	return out;
}

const char *quantity_written(const struct val *v, char out[64])
{
	char number[40] = "";

	if (val_str(v))
		return quantity_canonical(val_str(v), out);
	if (val_is(v, VAL_INT))
		snprintf(number, sizeof(number), "%" PRId64, v->i);
	if (val_is(v, VAL_FLOAT))
		snprintf(number, sizeof(number), "%.9g", v->f);
	snprintf(out, 64, "%s", number);        /* for what is no quantity */
	return *number ? strcpy(out, quantity_canonical(number, (char[64]){ "" })) : out;
}

const char *quantity_text(int64_t milli, bool bytes, char out[32])
{
	int64_t v = milli / 1000;

	if (milli % 1000) {
		snprintf(out, 32, "%" PRId64 "m", milli);
		return out;
	}
	for (int u = 5; bytes && v && u > 0; u--)
		if (v % ((int64_t)1 << (10 * u)) == 0) {
			snprintf(out, 32, "%" PRId64 "%ci", v >> (10 * u), "\0KMGTP"[u]);
			return out;
		}
	snprintf(out, 32, "%" PRId64, v);
	return out;
}

bool duration_parse(const char *s, nsec *out)
{
	static const struct { const char *name; int64_t ns; } units[] = {      /* longer names first */
		{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 }, { "ms", MILLIS(1) }, { "s", SECONDS(1) }, { "m", MINUTES(1) }, { "h", MINUTES(60) },
	};
	bool negative = *s == '-', huge;
	u128 sum = 0, value;
	unsigned fraction;

	s += *s == '-' || *s == '+';
	if (strcmp(s, "0") == 0) {
		*out = 0;
		return true;
	}
	do {
		size_t k = 0;

		s = parse_decimal(s, &value, &fraction, &huge);
		if (!s || huge || value >> 64)
			return false;
		while (k < ARRAY_LEN(units) && strncmp(s, units[k].name, strlen(units[k].name)) != 0)
			k++;
		if (k == ARRAY_LEN(units))
			return false;
		s += strlen(units[k].name);
		for (value *= (uint64_t)units[k].ns; fraction; fraction--)
			value /= 10;
		sum += value;
		if (sum > INT64_MAX)
			return false;
	} while (*s);
	*out = negative ? -(nsec)sum : (nsec)sum;
	return true;
}

nsec duration_or_none(const char *s)
{
	nsec out = 0;

	return s && duration_parse(s, &out) ? out : 0;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar; years begin in March, so that the leap day is the last. */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
	int64_t era, day;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	y -= era * 400;
	day = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + y * 365 + y / 4 - y / 100 + day - 719468;
}

static bool number(const char **p, unsigned width, unsigned least, unsigned most, unsigned *out)
{
	unsigned v = 0;

	for (unsigned k = 0; k < width; k++) {
		if ((*p)[k] < '0' || (*p)[k] > '9')
			return false;
		v = v * 10 + (unsigned)((*p)[k] - '0');
	}
	*p += width;
	*out = v;
	return v >= least && v <= most;
}

static bool literal(const char **p, char c)
{
	return **p == c && ++*p;
}

/* Z, +01:00 */
static bool parse_zone(const char *p, int64_t *seconds)
{
	unsigned h, m;
	bool west = *p == '-';

	*seconds = 0;
	if (*p == 'Z')
		return !p[1];
	if (*p != '+' && *p != '-')
		return false;
	p++;
	if (!number(&p, 2, 0, 23, &h) || !literal(&p, ':') || !number(&p, 2, 0, 59, &m) || *p)
		return false;
	*seconds = (west ? -1 : 1) * ((int64_t)h * 3600 + m * 60);
	return true;
}

enum { EARLIEST = 1850, LATEST = 2140 };         /* years: two times in between differ by what fits into an nsec */

bool time_parse(const char *p, nsec *out)
{
	static const unsigned char length[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year, month, day, h, m, s;
	int64_t zone, fraction = 0, seconds;

	if (!number(&p, 4, 0, 9999, &year) || !literal(&p, '-') || !number(&p, 2, 1, 12, &month) || !literal(&p, '-') || !number(&p, 2, 1, 31, &day) ||
	    !literal(&p, 'T') || !number(&p, 2, 0, 23, &h) || !literal(&p, ':') || !number(&p, 2, 0, 59, &m) || !literal(&p, ':') || !number(&p, 2, 0, 59, &s))
		return false;
	if (day > length[month - 1] || (month == 2 && day == 29 && (year % 4 || (year % 100 == 0 && year % 400))))
		return false;
	if (literal(&p, '.')) {
		if (*p < '0' || *p > '9')
			return false;
		for (int64_t unit = SECONDS(1) / 10; *p >= '0' && *p <= '9'; p++, unit /= 10)
			fraction += unit * (*p - '0');
	}
	if (!parse_zone(p, &zone))
		return false;
	seconds = days_of(year, month, day) * 86400 + (int64_t)h * 3600 + m * 60 + s - zone;
	if (seconds == days_of(1, 1, 1) * 86400 && !fraction)
		*out = NEVER;
	else if (seconds < days_of(EARLIEST, 1, 1) * 86400)
		*out = SECONDS(days_of(EARLIEST, 1, 1) * 86400);
	else if (seconds >= days_of(LATEST, 1, 1) * 86400)
		*out = SECONDS(days_of(LATEST, 1, 1) * 86400);
	else
		*out = SECONDS(seconds) + fraction;
	return true;
}

const char *time_text(nsec t, char out[32])
{
	int64_t seconds = t / SECONDS(1) - (t % SECONDS(1) < 0), days = seconds / 86400 - (seconds % 86400 < 0), rest = seconds - days * 86400;
	unsigned year = 1970, month = 1;

	year = (unsigned)(1970 + days / 366);
	while (days_of(year + 1, 1, 1) <= days)
		year++;
	while (days_of(year, 1, 1) > days)
		year--;
	while (month < 12 && days_of(year, month + 1, 1) <= days)
		month++;
	snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month, (unsigned)(days - days_of(year, month, 1)) % 32 + 1, (unsigned)(rest / 3600) % 24,
		 (unsigned)(rest / 60) % 60, (unsigned)rest % 60);
	return out;
}

/* One unit, or two of which the second is left out when it is 0. */
static const char *units_text(char out[16], int64_t a, char unit, int64_t b, char small)
{
	if (b)
		snprintf(out, 16, "%d%c%d%c", (int)a, unit, (int)b, small);
	else
		snprintf(out, 16, "%d%c", (int)a, unit);
	return out;
}

const char *age_text(nsec d, char out[16])
{
	int64_t s = d / SECONDS(1), m = s / 60, h = m / 60, days = h / 24;

	if (s < -1) {
		snprintf(out, 16, "<invalid>");
		return out;
	}
	if (s < 120)
		return units_text(out, MAX(s, 0), 's', 0, 0);
	if (m < 10)
		return units_text(out, m, 'm', s % 60, 's');
	if (m < 180)
		return units_text(out, m, 'm', 0, 0);
	if (h < 8)
		return units_text(out, h, 'h', m % 60, 'm');
	if (h < 48)
		return units_text(out, h, 'h', 0, 0);
	if (h < 192)
		return units_text(out, days, 'd', h % 24, 'h');
	if (days < 730)
		return units_text(out, days, 'd', 0, 0);
	return units_text(out, days / 365, 'y', days < 2920 ? days % 365 : 0, 'd');
}
