/* draw: a figure as DOT, SVG, PNG or PDF. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "viz/cli/cli.h"
#include "viz/diagram/figure.h"



/* -o, else the ending of --out, else svg. NULL: it is none of them. */
static const char *format_of(const struct cli *cli)
{
	const char *dot = cli->out ? strrchr(cli->out, '.') : NULL, *wanted = cli->output ? cli->output : dot ? dot + 1 : "svg";

	if (strcmp(wanted, "mmd") == 0)
		wanted = "mermaid";
	for (int k = 0; scene_formats[k]; k++)
		if (strcmp(scene_formats[k], wanted) == 0)
			return scene_formats[k];
	return NULL;
}

static bool write_out(struct cli *cli, const struct sb *text, struct err *err)
{
	FILE *f = cli->out && strcmp(cli->out, "-") != 0 ? fopen(cli->out, "wb") : cli->to;
	bool ok;

	if (!f)
		return err_add(err, ERR_INPUT, NULL, "--out: %s cannot be written", cli->out);
	ok = fwrite(sb_text(text), 1, text->len, f) == text->len;
	if (f != cli->to)
		ok = fclose(f) == 0 && ok;
	return ok || err_add(err, ERR_MACHINE, NULL, "%s could not be written whole", cli->out ? cli->out : "the answer");
}

enum err_kind cmd_draw(struct cli *cli, struct err *err)
{
	const char *format = format_of(cli);
	struct figure_options opt = { .ns = cli->ns, .all_ns = cli->all_ns, .collapse = cli->collapse, .focus = cli->focus, .depth = 2 };
	bool dark = cli->theme && strcmp(cli->theme, "dark") == 0;
	struct sb out = { 0 };
	struct scene scene = { .arena = cli->arena };
	struct world w;

	if (!cli->args.nr) {
		const char *names = "";

		for (const struct figure *f = figures; f->name; f++)
			names = arena_printf(cli->arena, "%s%s%s", names, *names ? ", " : "", f->name);
		return cli_usage(cli, err, "which figure: %s", names);
	}
	if (!format)
		return cli_usage(cli, err, "\"%s\" is not a format: svg, png, pdf, dot, html, mermaid", cli->output ? cli->output : strrchr(cli->out, '.') + 1);
	if (cli->theme && !dark && strcmp(cli->theme, "light") != 0)
		return cli_usage(cli, err, "--theme: \"%s\" is not light or dark", cli->theme);
	if ((strcmp(format, "png") == 0 || strcmp(format, "pdf") == 0) && !cli->out && isatty(fileno(cli->to)))
		return cli_usage(cli, err, "a %s belongs into a file: --out FILE", format);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	if (figure_fill(&w, &opt, cli->args.v[0], cli->args.v + 1, cli->args.nr - 1, &scene, err) &&
	    scene_render(&scene, format, dark ? THEME_DARK : THEME_LIGHT, &out, err))
		write_out(cli, &out, err);
	sb_free(&out);
	world_free(&w);
	return err_kind(err);
}
