#include "model/base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_SECONDS 86400

static const char *const folders[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo" };

bool zone_database(void)
{
	for (size_t k = 0; k < ARRAY_LEN(folders); k++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/Etc/UTC", folders[k]);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}

/* ---- the file */

static uint64_t big_endian(const unsigned char *p, int bytes)
{
	uint64_t v = 0;

	for (int k = 0; k < bytes; k++)
		v = v << 8 | p[k];
	return v;
}

struct part { uint32_t isut, isstd, leap, time, type, chars; size_t size; };

static bool part_at(const unsigned char *p, size_t left, int time_bytes, struct part *out)
{
	if (left < 44 || memcmp(p, "TZif", 4) != 0)
		return false;
	*out = (struct part){ (uint32_t)big_endian(p + 20, 4), (uint32_t)big_endian(p + 24, 4), (uint32_t)big_endian(p + 28, 4), (uint32_t)big_endian(p + 32, 4), (uint32_t)big_endian(p + 36, 4),
			      (uint32_t)big_endian(p + 40, 4), 0 };
	if (out->time > 100000 || out->type > 256 || out->chars > 100000 || out->leap > 100000 || out->isut > 256 || out->isstd > 256)
		return false;
	out->size = 44 + out->time * ((size_t)time_bytes + 1) + out->type * 6u + out->chars + out->leap * ((size_t)time_bytes + 4) + out->isstd + out->isut;
	return out->size <= left;
}

/* ---- the rule behind the last transition: CET-1CEST,M3.5.0,M10.5.0/3 */

static const char *skip_name(const char *s)
{
	if (*s == '<')
		return strchr(s, '>') ? strchr(s, '>') + 1 : s;
	while ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))
		s++;
	return s;
}

/* [+-]hh[:mm[:ss]] */
static const char *clock_time(const char *s, int32_t *out)
{
	int32_t sign = *s == '-' ? -1 : 1, unit = 3600, v = 0;
	char *end;

	if (*s == '-' || *s == '+')
		s++;
	for (;; s++) {
		v += (int32_t)strtol(s, &end, 10) * unit;
		if (end == s)
			return NULL;
		s = end;
		unit /= 60;
		if (*s != ':' || !unit)
			break;
	}
	*out = sign * v;
	return s;
}

static const char *rule(const char *s, struct zone_rule *r)
{
	int n = 0;

	*r = (struct zone_rule){ .at = 2 * 3600 };
	if (sscanf(s, ",M%d.%d.%d%n", &r->month, &r->week, &r->day, &n) < 3 || !n || r->month < 1 || r->month > 12 || r->week < 1 || r->week > 5 || r->day < 0 || r->day > 6)
		return NULL;
	s += n;
	return *s == '/' ? clock_time(s + 1, &r->at) : s;
}

static void footer(const char *s, struct zone *z)
{
	int32_t v;

	s = clock_time(skip_name(s), &v);
	if (!s)
		return;
	z->standard = z->summer = -v;
	s = skip_name(s);
	z->summer = z->standard + 3600;
	if (*s && *s != ',') {
		s = clock_time(s, &v);
		z->summer = -v;
	}
	if (!s || !(s = rule(s, &z->start)) || !rule(s, &z->end))
		z->summer = z->standard;
	else
		z->has_rules = true;
}

static bool decode(struct arena *a, const unsigned char *p, size_t left, struct zone *z)
{
	struct part one;
	int bytes = 4;
	const unsigned char *types;

	if (!part_at(p, left, 4, &one))
		return false;
	if (p[4] >= '2') {              /* the second part has the same in 64 bits, and the footer */
		bytes = 8;
		p += one.size;
		left -= one.size;
		if (!part_at(p, left, 8, &one))
			return false;
	}
	if (!one.type)
		return false;
	*z = (struct zone){ .at = arena_array(a, int64_t, one.time), .offset = arena_array(a, int32_t, one.time), .nr = one.time };
	types = p + 44 + one.time * ((size_t)bytes + 1);
	for (uint32_t k = 0; k < one.time; k++) {
		uint64_t t = big_endian(p + 44 + (size_t)k * (size_t)bytes, bytes);
		unsigned type = p[44 + (size_t)one.time * (size_t)bytes + k];

		if (type >= one.type)
			return false;
		z->at[k] = bytes == 4 ? (int32_t)t : (int64_t)t;
		z->offset[k] = (int32_t)big_endian(types + type * 6, 4);
	}
	z->before = (int32_t)big_endian(types, 4);
	z->standard = z->summer = one.time ? z->offset[one.time - 1] : z->before;
	if (bytes == 8 && left > one.size + 1 && p[one.size] == '\n') {
		char text[128];
		size_t n = 0;

		while (n + 1 < sizeof(text) && one.size + 1 + n < left && p[one.size + 1 + n] != '\n') {
			text[n] = (char)p[one.size + 1 + n];
			n++;
		}
		text[n] = '\0';
		if (n)
			footer(text, z);
	}
	return true;
}

bool zone_load(struct arena *a, const char *name, struct zone *out, const char **why)
{
	enum { MOST = 1 << 16 };
	unsigned char *text;
	size_t n = 0;
	FILE *f = NULL;

	*out = (struct zone){ 0 };
	*why = NULL;
	if (!*name || strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0)
		return true;
	if (*name == '/' || strstr(name, "..") || strchr(name, '\\') || strlen(name) > 200) {
		*why = "time: invalid location name";
		return false;
	}
	for (size_t k = 0; !f && k < ARRAY_LEN(folders); k++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", folders[k], name);
		f = fopen(path, "rb");
	}
	text = arena_alloc(a, MOST, 1);
	if (f) {
		n = fread(text, 1, MOST, f);
		fclose(f);
	}
	if (n && decode(a, text, n, out))
		return true;
	*why = zone_database() ? "unknown time zone" : "no time zone database on this machine";
	return false;
}

/* ---- what it says */

/* Days since 1970 of a month's first day (Howard Hinnant, days_from_civil). */
static int64_t month_start(int64_t year, int month)
{
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400, doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t rule_moment(const struct zone_rule *r, int64_t year, int32_t offset)
{
	int64_t first = month_start(year, r->month), next = r->month == 12 ? month_start(year + 1, 1) : month_start(year, r->month + 1);
	int64_t day = first + (r->day - (first + 4) % 7 + 7) % 7 + (r->week - 1) * 7;

	while (day >= next)
		day -= 7;
	return day * DAY_SECONDS + r->at - offset;
}

static int64_t year_of(int64_t t)
{
	int64_t year = 1970 + t / (DAY_SECONDS * 365);

	while (month_start(year, 1) * DAY_SECONDS > t)
		year--;
	return year;
}

static uint32_t transition(const struct zone *z, int64_t t)     /* how many are at or before t */
{
	uint32_t lo = 0, hi = z->nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (z->at[mid] <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int32_t zone_offset(const struct zone *z, int64_t t)
{
	uint32_t nr = transition(z, t);
	int64_t start, end, year;

	if (nr < z->nr)
		return nr ? z->offset[nr - 1] : z->before;
	if (!z->has_rules)
		return z->nr ? z->offset[z->nr - 1] : z->before ? z->before : z->standard;
	year = year_of(t + z->standard);
	start = rule_moment(&z->start, year, z->standard);
	end = rule_moment(&z->end, year, z->summer);
	return start < end ? (t >= start && t < end ? z->summer : z->standard) : t >= start || t < end ? z->summer : z->standard;
}

int64_t zone_change(const struct zone *z, int64_t t)
{
	uint32_t nr = transition(z, t);
	int64_t best = INT64_MAX;

	if (nr < z->nr)
		return z->at[nr];
	for (int64_t year = z->has_rules ? year_of(t) : INT64_MAX; z->has_rules && year <= year_of(t) + 1; year++) {
		int64_t start = rule_moment(&z->start, year, z->standard), end = rule_moment(&z->end, year, z->summer);

		best = start > t ? MIN(best, start) : best;
		best = end > t ? MIN(best, end) : best;
	}
	return best;
}
