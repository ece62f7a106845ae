#include "viz/report/findings.h"

static const char *const level_names[] = { "note", "warning", "error" };

/* ---- text: as compilers say it, so that editors find the place */

static void findings_text(const struct finding *v, uint32_t nr, bool colour, struct sb *out)
{
	static const char *const colours[] = { "\033[2m", "\033[33m", "\033[31m" };

	for (uint32_t k = 0; k < nr; k++) {
		const struct finding *f = &v[k];

		if (f->file)
			sb_printf(out, "%s:%u: ", f->file, f->line);
		sb_printf(out, "%s%s%s: %s%s%s: ", colour ? colours[f->level] : "", level_names[f->level], colour ? "\033[0m" : "", f->object, f->path ? ": " : "", f->path ? f->path : "");
		sb_add_shown(out, f->text, true);
		sb_printf(out, " [%s]\n", f->rule);
		for (uint32_t i = 0; i < f->nr_steps; i++) {
			sb_add(out, "    ");
			if (f->steps[i].file)
				sb_printf(out, "%s:%u: ", f->steps[i].file, f->steps[i].line);
			sb_add_shown(out, f->steps[i].text, true);
			sb_addc(out, '\n');
		}
		if (f->remedy) {
			sb_add(out, "    → ");
			sb_add_shown(out, f->remedy, true);
			sb_addc(out, '\n');
		}
	}
}

/* ---- JSON */

static void put(struct arena *a, struct val *m, const char *key, const char *text)
{
	if (text)
		val_put(a, m, key, val_string(a, text));
}

static void findings_json(const struct finding *v, uint32_t nr, struct arena *a, struct sb *out)
{
	struct val *root = val_new(a, VAL_MAP), *list = val_put(a, root, "findings", val_new(a, VAL_LIST));

	for (uint32_t k = 0; k < nr; k++) {
		struct val *m = val_add(a, list, val_new(a, VAL_MAP));

		put(a, m, "rule", v[k].rule);
		put(a, m, "level", level_names[v[k].level]);
		put(a, m, "object", v[k].object);
		put(a, m, "path", v[k].path);
		put(a, m, "file", v[k].file);
		if (v[k].file)
			val_put(a, m, "line", val_int(a, v[k].line));
		put(a, m, "text", v[k].text);
		put(a, m, "remedy", v[k].remedy);
	}
	val_print_json(root, out, 2, false);
	sb_addc(out, '\n');
}

/* ---- SARIF 2.1.0 (OASIS, sarif-schema-2.1.0.json) */

static struct val *map_in(struct arena *a, struct val *in, const char *key)
{
	return val_put(a, in, key, val_new(a, VAL_MAP));
}

static struct val *list_in(struct arena *a, struct val *in, const char *key)
{
	return val_put(a, in, key, val_new(a, VAL_LIST));
}

/* A URI reference: what may not stand in one is written as %XX. */
static const char *uri(struct arena *a, const char *file)
{
	struct sb s = { 0 };
	const char *text;

	for (const unsigned char *p = (const unsigned char *)file; *p; p++)
		if (strchr("-._~/", *p) || (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
			sb_addc(&s, (char)*p);
		else
			sb_printf(&s, "%%%02X", *p);
	text = arena_strdup(a, sb_text(&s));
	sb_free(&s);
	return text;
}

static struct val *location(struct arena *a, const char *file, uint32_t line, const char *text, const char *object)
{
	struct val *l = val_new(a, VAL_MAP);

	if (file) {
		struct val *p = map_in(a, l, "physicalLocation");

		put(a, map_in(a, p, "artifactLocation"), "uri", uri(a, file));
		val_put(a, map_in(a, p, "region"), "startLine", val_int(a, MAX(line, 1u)));
	}
	if (object)
		put(a, val_add(a, list_in(a, l, "logicalLocations"), val_new(a, VAL_MAP)), "fullyQualifiedName", object);
	if (text)
		put(a, map_in(a, l, "message"), "text", text);
	return l;
}

static void result(struct arena *a, struct val *results, const struct finding *f)
{
	struct val *r = val_add(a, results, val_new(a, VAL_MAP)), *flow;

	put(a, r, "ruleId", f->rule);
	put(a, r, "level", level_names[f->level]);
	put(a, map_in(a, r, "message"), "text", arena_printf(a, "%s%s%s: %s%s%s", f->object, f->path ? ": " : "", f->path ? f->path : "", f->text, f->remedy ? " → " : "", f->remedy ? f->remedy : ""));
	val_add(a, list_in(a, r, "locations"), location(a, f->file, f->line, NULL, f->object));
	if (!f->nr_steps)
		return;
	flow = val_add(a, list_in(a, val_add(a, list_in(a, r, "codeFlows"), val_new(a, VAL_MAP)), "threadFlows"), val_new(a, VAL_MAP));
	flow = list_in(a, flow, "locations");
	for (uint32_t k = 0; k < f->nr_steps; k++)
		val_put(a, val_add(a, flow, val_new(a, VAL_MAP)), "location", location(a, f->steps[k].file, f->steps[k].line, f->steps[k].text, NULL));
}

void findings_sarif(const struct finding *v, uint32_t nr, const struct finding_rule *rules, struct arena *a, struct sb *out)
{
	struct val *root = val_new(a, VAL_MAP), *run, *driver, *list;

	put(a, root, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	put(a, root, "version", "2.1.0");
	run = val_add(a, list_in(a, root, "runs"), val_new(a, VAL_MAP));
	driver = map_in(a, map_in(a, run, "tool"), "driver");
	put(a, driver, "name", "podwire");
	list = list_in(a, driver, "rules");
	for (; rules && rules->id; rules++) {
		struct val *r = val_add(a, list, val_new(a, VAL_MAP));

		put(a, r, "id", rules->id);
		put(a, map_in(a, r, "shortDescription"), "text", rules->help);
	}
	list = list_in(a, run, "results");
	for (uint32_t k = 0; k < nr; k++)
		result(a, list, &v[k]);
	val_print_json(root, out, 2, false);
	sb_addc(out, '\n');
}

/* ---- GitHub: workflow commands; % and line ends are escaped, in properties : and , as well */

static void escaped(struct sb *out, const char *s, bool property)
{
	for (; *s; s++)
		if (*s == '%' || *s == '\r' || *s == '\n' || (property && (*s == ':' || *s == ',')))
			sb_printf(out, "%%%02X", (unsigned char)*s);
		else
			sb_addc(out, *s);
}

static void findings_github(const struct finding *v, uint32_t nr, struct sb *out)
{
	static const char *const commands[] = { "notice", "warning", "error" };

	for (uint32_t k = 0; k < nr; k++) {
		sb_printf(out, "::%s ", commands[v[k].level]);
		if (v[k].file) {
			sb_add(out, "file=");
			escaped(out, v[k].file, true);
			sb_printf(out, ",line=%u,", v[k].line);
		}
		sb_add(out, "title=");
		escaped(out, v[k].rule, true);
		sb_add(out, "::");
		escaped(out, v[k].object, false);
		if (v[k].path) {
			sb_add(out, ": ");
			escaped(out, v[k].path, false);
		}
		sb_add(out, ": ");
		escaped(out, v[k].text, false);
		sb_addc(out, '\n');
	}
}

bool findings_print(const char *format, const struct finding *v, uint32_t nr, const struct finding_rule *rules, bool colour, struct arena *a, struct sb *out)
{
	if (!format || strcmp(format, "text") == 0)
		findings_text(v, nr, colour, out);
	else if (strcmp(format, "json") == 0)
		findings_json(v, nr, a, out);
	else if (strcmp(format, "sarif") == 0)
		findings_sarif(v, nr, rules, a, out);
	else if (strcmp(format, "github") == 0)
		findings_github(v, nr, out);
	else
		return false;
	return true;
}
