#include "model/api/cron.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/quantity.h"

struct bounds { uint32_t lo, hi; const char *names; };          /* names: three letters each, from lo on */

static const struct bounds bounds[] = { { 0, 59, NULL }, { 0, 23, NULL }, { 1, 31, NULL }, { 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" }, { 0, 6, "sunmontuewedthufrisat" } };

static bool number(const char *s, const struct bounds *b, uint32_t *out, char why[256])
{
	char *end;
	long n;

	for (uint32_t k = 0; b && b->names && strlen(s) == 3 && k + b->lo <= b->hi; k++)
		if (strncasecmp(b->names + 3 * (size_t)k, s, 3) == 0) {
			*out = b->lo + k;
			return true;
		}
	n = strtol(s, &end, 10);
	if (!*s || *end) {
		snprintf(why, 256, "failed to parse int from %.60s: strconv.Atoi: parsing \"%.60s\": invalid syntax", s, s);
		return false;
	}
	if (n < 0) {
		snprintf(why, 256, "negative number (%ld) not allowed: %.60s", n, s);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

/* number | number-number [ /number ], * and ? stand for the whole range. */
static bool range(const char *expr, const struct bounds *b, uint64_t *bits, bool *any, char why[256])
{
	char text[64], *slash, *hyphen;
	uint32_t from, to, step = 1;

	snprintf(text, sizeof(text), "%s", expr);
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	if (slash && strchr(slash, '/'))
		return snprintf(why, 256, "too many slashes: %.60s", expr), false;
	hyphen = strchr(text, '-');
	if (hyphen)
		*hyphen++ = '\0';
	if (strcmp(text, "*") == 0 || strcmp(text, "?") == 0) {
		from = b->lo;
		to = b->hi;
	} else {
		if (!number(text, b, &from, why))
			return false;
		if (hyphen && strchr(hyphen, '-'))
			return snprintf(why, 256, "too many hyphens: %.60s", expr), false;
		to = from;
		if (hyphen && !number(hyphen, b, &to, why))
			return false;
	}
	if (slash && !number(slash, NULL, &step, why))
		return false;
	*any = *any || (step == 1 && (strcmp(text, "*") == 0 || strcmp(text, "?") == 0));
	if (slash && !hyphen && !(strcmp(text, "*") == 0 || strcmp(text, "?") == 0))
		to = b->hi;
	if (from < b->lo)
		return snprintf(why, 256, "beginning of range (%u) below minimum (%u): %.60s", from, b->lo, expr), false;
	if (to > b->hi)
		return snprintf(why, 256, "end of range (%u) above maximum (%u): %.60s", to, b->hi, expr), false;
	if (from > to)
		return snprintf(why, 256, "beginning of range (%u) beyond end of range (%u): %.60s", from, to, expr), false;
	if (!step)
		return snprintf(why, 256, "step of range should be a positive number: %.60s", expr), false;
	for (uint32_t k = from; k <= to; k += step)
		*bits |= (uint64_t)1 << k;
	return true;
}

static bool field(const char *s, const struct bounds *b, uint64_t *bits, bool *any, char why[256])
{
	char part[64];

	*bits = 0;
	while (*s) {
		size_t n = strcspn(s, ",");

		snprintf(part, sizeof(part), "%.*s", (int)MIN(n, sizeof(part) - 1), s);
		if (n && !range(part, b, bits, any, why))
			return false;
		s += n + (s[n] == ',');
	}
	return true;
}

static bool fields(const char *s, struct cron *out, char why[256])
{
	char words[5][64];
	uint64_t bits[5] = { 0 };
	bool any[5] = { false };
	const char *all = s;
	uint32_t nr = 0;

	while (*(s += strspn(s, " \t\n\r"))) {
		size_t n = strcspn(s, " \t\n\r");

		if (nr < 5)
			snprintf(words[nr], sizeof(words[nr]), "%.*s", (int)MIN(n, sizeof(words[0]) - 1), s);
		nr++;
		s += n;
	}
	if (nr != 5)
		return snprintf(why, 256, "expected exactly 5 fields, found %u: [%.100s]", nr, all), false;
	for (int k = 0; k < 5; k++)
		if (!field(words[k], &bounds[k], &bits[k], &any[k], why))
			return false;
	out->minutes = bits[0];
	out->hours = (uint32_t)bits[1];
	out->days = (uint32_t)bits[2];
	out->months = (uint32_t)bits[3];
	out->weekdays = (uint32_t)bits[4];
	out->any_day = any[2];
	out->any_weekday = any[4];
	return true;
}

static bool descriptor(const char *s, struct cron *out, char why[256])
{
	static const struct { const char *name, *fields; } known[] = {
		{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
		{ "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" },
	};

	for (size_t k = 0; k < ARRAY_LEN(known); k++)
		if (strcmp(known[k].name, s) == 0)
			return fields(known[k].fields, out, why);
	if (strncmp(s, "@every ", 7) == 0) {
		if (duration_parse(s + 7, &out->every) && out->every > 0)
			return true;
		return snprintf(why, 256, "failed to parse duration %.60s: time: invalid duration \"%.60s\"", s, s + 7), false;
	}
	return snprintf(why, 256, "unrecognized descriptor: %.60s", s), false;
}

bool cron_parse(const char *s, struct cron *out, char why[256])
{
	*out = (struct cron){ 0 };
	if (strncmp(s, "TZ=", 3) == 0 || strncmp(s, "CRON_TZ=", 8) == 0) {
		snprintf(out->zone, sizeof(out->zone), "%.*s", (int)MIN(strcspn(s, " ") - (size_t)(strchr(s, '=') + 1 - s), sizeof(out->zone) - 1), strchr(s, '=') + 1);
		s += strcspn(s, " ");
		s += strspn(s, " ");
	}
	if (!*s)
		return snprintf(why, 256, "empty spec string"), false;
	if (*s == '@')
		return descriptor(s, out, why);
	return fields(s, out, why);
}
