/* report merge FILE…: joins the JSON reports of several runs, and prints them in any form. */
#include "viz/cli/cli.h"
#include "viz/report/run_report.h"

static bool is_records(const struct val *v)
{
	VAL_EACH(r, v)
		if (!val_is(r, VAL_MAP) || !val_str(val_get(r, "scenario")) || !val_is(val_get(r, "ok"), VAL_BOOL))
			return false;
	return val_is(v, VAL_LIST);
}

static bool read_report(struct cli *cli, const char *path, struct val *all, struct err *err)
{
	FILE *f = fopen(path, "rb");
	struct where w = { .file = path };
	struct sb text = { 0 };
	char buf[65536];
	struct val *v;
	size_t n;

	if (!f)
		return err_add(err, ERR_INPUT, &w, "cannot be read");
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		sb_addn(&text, buf, n);
	fclose(f);
	v = json_parse(cli->arena, path, sb_text(&text), text.len, NULL, err);
	sb_free(&text);
	if (!v)
		return false;
	if (!is_records(v))
		return err_add(err, ERR_INPUT, &w, "is no report: podwire run -o json writes one");
	for (struct val *r = v->first, *after; r; r = after) {
		after = r->next;
		val_add(cli->arena, all, r);
	}
	return true;
}

enum err_kind cmd_report(struct cli *cli, struct err *err)
{
	const struct run_format *format = run_format_find(cli->output ? cli->output : "json");
	struct val *all = val_new(cli->arena, VAL_LIST);
	struct sb out = { 0 };

	if (cli->args.nr < 2 || strcmp(cli->args.v[0], "merge") != 0)
		return cli_usage(cli, err, "report merge needs the JSON reports of podwire run");
	if (!format) {
		run_format_names(&out);
		cli_usage(cli, err, "-o: \"%s\" is not %s", cli->output, sb_text(&out));
		sb_free(&out);
		return ERR_INPUT;
	}
	for (uint32_t k = 1; k < cli->args.nr; k++)
		read_report(cli, cli->args.v[k], all, err);
	if (err_any(err))
		return err_kind(err);
	format->print(cli->arena, all, cli->verbose, out_wants_colour(cli->color, fileno(cli->to)), &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return run_sum(all).failed ? ERR_FAILED : ERR_NONE;
}
