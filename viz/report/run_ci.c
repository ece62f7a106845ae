/* TAP 14 (testanything.org, one subtest for each scenario) and JUnit XML (one suite for each scenario). */
#include "viz/report/run_ci.h"

#include <stdlib.h>

static uint32_t count_of(const struct val *first)
{
	uint32_t n = 0;

	for (const struct val *r = first; r && same_scenario(first, r); r = r->next)
		n++;
	return n;
}

/* What one record is called: its step, and what it expects. */
static const char *title_of(struct arena *a, const struct val *r)
{
	const char *step = record_text(r, "step"), *expected = record_text(r, "expected");

	if (record_is(r, "skipped"))
		return record_text(r, "scenario");
	return arena_printf(a, "%s%s%s", step, *step && *expected ? ": " : "", *expected || *step ? expected : "the scenario");
}

/* ---- TAP */

/* A description ends at the line, and a # begins a directive. */
static void tap_text(struct sb *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '#' || *s == '\\')
			sb_addc(out, '\\');
		sb_addc(out, *s == '\n' || *s == '\r' ? ' ' : *s);
	}
}

static void tap_detail(struct arena *a, const struct val *r, struct sb *out)
{
	static const char *const keys[] = { "expected", "actual", "time", "file", "line" };
	struct val *v = val_new(a, VAL_MAP);
	struct sb yaml = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (record_is(r, keys[k]))
			val_put(a, v, keys[k], val_copy(a, val_get(r, keys[k])));
	val_print_yaml(v, &yaml, false);
	sb_add(out, "      ---\n");
	for (const char *p = sb_text(&yaml); *p;) {
		size_t n = strcspn(p, "\n");

		sb_printf(out, "      %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
	sb_add(out, "      ...\n");
	sb_free(&yaml);
}

static const struct val *tap_scenario(struct arena *a, const struct val *first, uint32_t nr, struct sb *out)
{
	bool ok = true, skipped = record_is(first, "skipped");
	uint32_t k = 0;
	const struct val *r;

	if (skipped) {
		sb_printf(out, "ok %u - ", nr);
		tap_text(out, record_text(first, "scenario"));
		sb_add(out, " # SKIP ");
		tap_text(out, record_text(first, "skipped"));
		sb_addc(out, '\n');
		return first->next;
	}
	sb_add(out, "# Subtest: ");
	tap_text(out, record_text(first, "scenario"));
	sb_printf(out, "\n    1..%u\n", count_of(first));
	for (r = first; r && same_scenario(first, r); r = r->next) {
		sb_printf(out, "    %s %u - ", record_is(r, "ok") ? "ok" : "not ok", ++k);
		tap_text(out, title_of(a, r));
		if (record_is(r, "todo")) {
			sb_add(out, " # TODO ");
			tap_text(out, record_text(r, "todo"));
		}
		sb_addc(out, '\n');
		if (!record_is(r, "ok"))
			tap_detail(a, r, out);
		ok = ok && (record_is(r, "ok") || record_is(r, "todo"));
	}
	sb_printf(out, "%s %u - ", ok ? "ok" : "not ok", nr);
	tap_text(out, record_text(first, "scenario"));
	sb_addc(out, '\n');
	return r;
}

void print_tap(struct arena *a, const struct val *records, bool verbose, bool colour, struct sb *out)
{
	uint32_t nr = 0;

	(void)verbose;
	(void)colour;
	sb_printf(out, "TAP version 14\n1..%u\n", run_sum(records).scenarios);
	for (const struct val *r = records->first; r;)
		r = tap_scenario(a, r, ++nr, out);
}

/* ---- JUnit */

/* XML 1.0 has no way to write most control characters. */
static void xml_text(struct sb *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		const char *entity = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : c == '\n' ? "&#10;" : c == '\t' ? "&#9;" : NULL;

		if (entity)
			sb_add(out, entity);
		else if (c >= 0x20 && c != 0x7f)
			sb_addc(out, *s);
		else
			sb_printf(out, "\\x%02x", c);
	}
}

static void xml_attribute(struct sb *out, const char *name, const char *value)
{
	sb_printf(out, " %s=\"", name);
	xml_text(out, value);
	sb_addc(out, '"');
}

static double seconds(const struct val *r)
{
	return strtod(record_text(r, "time"), NULL);
}

static void junit_case(struct arena *a, const struct val *r, double since, struct sb *out)
{
	char time[32];

	snprintf(time, sizeof(time), "%.3f", MAX(seconds(r) - since, 0));
	sb_add(out, "    <testcase");
	xml_attribute(out, "classname", record_text(r, "scenario"));
	xml_attribute(out, "name", title_of(a, r));
	xml_attribute(out, "time", time);
	xml_attribute(out, "file", record_text(r, "file"));
	sb_printf(out, " line=\"%" PRId64 "\"", val_int_or(val_get(r, "line"), 0));
	if (record_is(r, "skipped") || record_is(r, "todo")) {
		sb_add(out, ">\n      <skipped");
		xml_attribute(out, "message", record_is(r, "skipped") ? record_text(r, "skipped") : arena_printf(a, "known gap: %s", record_text(r, "todo")));
		sb_add(out, "/>\n    </testcase>\n");
	} else if (!record_is(r, "ok")) {
		sb_add(out, ">\n      <failure");
		xml_attribute(out, "message", record_text(r, "actual"));
		sb_add(out, ">expected: ");
		xml_text(out, record_text(r, "expected"));
		sb_add(out, "&#10;actual: ");
		xml_text(out, record_text(r, "actual"));
		sb_add(out, "</failure>\n    </testcase>\n");
	} else {
		sb_add(out, "/>\n");
	}
}

static void junit_counts(struct sb *out, const struct val *first, const struct val *end)
{
	uint32_t tests = 0, failures = 0, skipped = 0;

	for (const struct val *r = first; r != end; r = r->next) {
		bool known = record_is(r, "skipped") || record_is(r, "todo");

		tests++;
		skipped += known;
		failures += !known && !record_is(r, "ok");
	}
	sb_printf(out, " tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\"", tests, failures, skipped);
}

void print_junit(struct arena *a, const struct val *records, bool verbose, bool colour, struct sb *out)
{
	const struct val *end;

	(void)verbose;
	(void)colour;
	sb_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"podwire\"");
	junit_counts(out, records->first, NULL);
	sb_add(out, ">\n");
	for (const struct val *first = records->first; first; first = end) {
		double since = 0;

		for (end = first; end && same_scenario(first, end); end = end->next)
			;
		sb_add(out, "  <testsuite");
		xml_attribute(out, "name", record_text(first, "scenario"));
		junit_counts(out, first, end);
		sb_add(out, ">\n");
		for (const struct val *r = first; r != end; r = r->next) {
			junit_case(a, r, since, out);
			since = MAX(since, seconds(r));
		}
		sb_add(out, "  </testsuite>\n");
	}
	sb_add(out, "</testsuites>\n");
}
