/* lint: what is wrong, or strange, about the policies. Exit status 1 where there is a warning; notes change nothing. */
#include <unistd.h>

#include "sim/reachability/lint.h"
#include "viz/cli/cli.h"
#include "viz/report/findings.h"
#include "viz/report/out.h"

static struct finding shown(struct cli *cli, const struct lint_finding *f)
{
	const struct object *o = f->object;

	return (struct finding){ .rule = f->rule, .level = f->level == LINT_WARNING ? FINDING_WARNING : FINDING_NOTE, .path = f->path, .file = o->file, .line = f->line, .text = f->text,
				 .remedy = f->remedy, .object = arena_printf(cli->arena, "%s %s%s%s", o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name) };
}

enum err_kind cmd_lint(struct cli *cli, struct err *err)
{
	lint_findings found = { 0 };
	struct finding *v;
	struct finding_rule *rules;
	uint32_t nr_rules = 0, warnings = 0;
	struct sb out = { 0 };
	struct reach *r;
	struct world w;
	bool ok;

	if (cli->args.nr)
		return cli_usage(cli, err, "\"%s\" is one word too many: lint looks at all policies, or with -n at those of a namespace", cli->args.v[0]);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	r = reach_new(w.cluster, NULL, 0);
	reach_lint(r, w.cluster, cli->all_ns ? NULL : cli->ns, cli->arena, &found);
	reach_free(r);
	v = arena_array(cli->arena, struct finding, found.nr + 1);
	for (uint32_t k = 0; k < found.nr; k++) {
		v[k] = shown(cli, &found.v[k]);
		warnings += v[k].level >= FINDING_WARNING;
	}
	while (lint_rules[nr_rules].id)
		nr_rules++;
	rules = arena_array(cli->arena, struct finding_rule, nr_rules + 1);
	for (uint32_t k = 0; k < nr_rules; k++)
		rules[k] = (struct finding_rule){ lint_rules[k].id, lint_rules[k].help };
	ok = findings_print(cli->output, v, found.nr, rules, out_wants_colour(cli->color, STDOUT_FILENO), cli->arena, &out) ||
	     err_add(err, ERR_INPUT, NULL, "-o: \"%s\" is not text, json, sarif or github", cli->output);
	if (ok && (!cli->output || cli_output_is(cli, "text")))
		sb_printf(&out, "%u warning%s, %u note%s\n", warnings, warnings == 1 ? "" : "s", found.nr - warnings, found.nr - warnings == 1 ? "" : "s");
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return !ok ? ERR_INPUT : warnings ? ERR_FAILED : ERR_NONE;
}
