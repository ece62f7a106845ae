/* SARIF 2.1.0 (OASIS): what does not hold, as findings at lines of the scenario files, for tools that annotate pull requests. */
#include "viz/report/run_ci.h"
#include "viz/report/version.h"

static struct val *text(struct arena *a, const char *s)
{
	struct val *v = val_new(a, VAL_MAP);

	val_put(a, v, "text", val_string(a, s));
	return v;
}

static void add_rule(struct arena *a, struct val *rules, const char *id, const char *what)
{
	struct val *v = val_add(a, rules, val_new(a, VAL_MAP));

	val_put(a, v, "id", val_string(a, id));
	val_put(a, v, "shortDescription", text(a, what));
}

static void add_result(struct arena *a, struct val *results, const struct val *r)
{
	struct val *v = val_add(a, results, val_new(a, VAL_MAP)), *where = val_new(a, VAL_MAP), *physical, *artifact, *region;
	const char *expected = record_text(r, "expected"), *step = record_text(r, "step");
	int64_t line = val_int_or(val_get(r, "line"), 0);
	bool known = record_is(r, "todo");

	val_put(a, v, "ruleId", val_string(a, known ? "known-gap" : "expectation"));
	val_put(a, v, "level", val_string(a, known ? "note" : "error"));
	val_put(a, v, "message", text(a, arena_printf(a, "%s%s%s%s%s%s", step, *step ? ": " : "", *expected ? "expected " : "", expected, *expected ? "; actual: " : "", record_text(r, "actual"))));
	physical = val_put(a, where, "physicalLocation", val_new(a, VAL_MAP));
	artifact = val_put(a, physical, "artifactLocation", val_new(a, VAL_MAP));
	val_put(a, artifact, "uri", val_string(a, record_text(r, "file")));
	region = val_put(a, physical, "region", val_new(a, VAL_MAP));
	val_put(a, region, "startLine", val_int(a, MAX(line, 1)));
	val_add(a, val_put(a, v, "locations", val_new(a, VAL_LIST)), where);
}

void print_sarif(struct arena *a, const struct val *records, bool verbose, bool colour, struct sb *out)
{
	struct val *root = val_new(a, VAL_MAP), *run, *tool, *driver, *rules, *results;

	(void)verbose;
	(void)colour;
	val_put(a, root, "$schema", val_string(a, "https://json.schemastore.org/sarif-2.1.0.json"));
	val_put(a, root, "version", val_string(a, "2.1.0"));
	run = val_add(a, val_put(a, root, "runs", val_new(a, VAL_LIST)), val_new(a, VAL_MAP));
	tool = val_put(a, run, "tool", val_new(a, VAL_MAP));
	driver = val_put(a, tool, "driver", val_new(a, VAL_MAP));
	val_put(a, driver, "name", val_string(a, "podwire"));
	val_put(a, driver, "version", val_string(a, PODWIRE_VERSION));
	rules = val_put(a, driver, "rules", val_new(a, VAL_LIST));
	add_rule(a, rules, "expectation", "what a scenario expects does not hold");
	add_rule(a, rules, "known-gap", "what a scenario knows not to hold yet");
	results = val_put(a, run, "results", val_new(a, VAL_LIST));
	VAL_EACH(r, records)
		if (!record_is(r, "ok") && !record_is(r, "skipped"))
			add_result(a, results, r);
	val_print_json(root, out, 2, false);
	sb_addc(out, '\n');
}
