/* draw: a figure as SVG, PNG, PDF, DOT, HTML or Mermaid. */
#include <stdio.h>
#include <stdlib.h>
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

static bool load_other(void *ctx, const char *path, struct world *w, struct err *err)
{
	return cli_world_from(ctx, &path, 1, w, err);
}

static bool read_depth(struct cli *cli, uint32_t *depth, struct err *err)
{
	char *end;
	unsigned long n = strtoul(cli->depth ? cli->depth : "2", &end, 10);

	*depth = (uint32_t)n;
	return (!*end && n >= 1 && n <= 100) || err_add(err, ERR_INPUT, NULL, "--depth: \"%s\" is not a number from 1 to 100", cli->depth);
}

static bool read_options(struct cli *cli, struct figure_options *opt, struct question *q, struct err *err)
{
	unsigned long port;
	char *end;

	*opt = (struct figure_options){ .ns = cli->ns, .all_ns = cli->all_ns, .collapse = cli->collapse, .focus = cli->focus, .load = load_other, .ctx = cli, .ask = q };
	port = strtoul(cli->port ? cli->port : "0", &end, 10);
	if (*end || port > 65535)
		return err_add(err, ERR_INPUT, NULL, "--port: \"%s\" is not a port", cli->port);
	if (!read_depth(cli, &opt->depth, err) || !cli_question(cli, "", "", q, err))
		return false;
	opt->port = (uint16_t)port;
	opt->proto = q->proto;
	return true;
}

/* compare brings its own two sets of manifests. */
static bool world_for(struct cli *cli, struct world *w, struct err *err)
{
	if (strcmp(cli->args.v[0], "compare") != 0 || cli->files.nr)
		return cli_world(cli, w, err);
	if (cli->args.nr != 3)
		return err_add(err, ERR_INPUT, NULL, "draw compare needs A B: two files or folders of manifests");
	return cli_world_from(cli, &cli->args.v[1], 1, w, err);
}

enum err_kind cmd_draw(struct cli *cli, struct err *err)
{
	const char *format = format_of(cli);
	struct figure_options opt;
	struct question q;
	bool dark = cli->theme && strcmp(cli->theme, "dark") == 0;
	struct sb out = { 0 };
	struct scene scene = { .arena = cli->arena };
	struct world w;

	if (!cli->args.nr) {
		figure_names(&out);
		cli_usage(cli, err, "which figure: %s", sb_text(&out));
		sb_free(&out);
		return ERR_INPUT;
	}
	if (!format)
		return cli_usage(cli, err, "\"%s\" is not a format: svg, png, pdf, dot, html, mermaid", cli->output ? cli->output : strrchr(cli->out, '.') + 1);
	if (cli->theme && !dark && strcmp(cli->theme, "light") != 0)
		return cli_usage(cli, err, "--theme: \"%s\" is not light or dark", cli->theme);
	if ((strcmp(format, "png") == 0 || strcmp(format, "pdf") == 0) && !cli->out && isatty(fileno(cli->to)))
		return cli_usage(cli, err, "a %s belongs into a file: --out FILE", format);
	if (!read_options(cli, &opt, &q, err) || !world_for(cli, &w, err))
		return err_kind(err);
	scene.details = strcmp(format, "html") == 0;
	if (figure_fill(&w, &opt, cli->args.v[0], cli->args.v + 1, cli->args.nr - 1, &scene, err) &&
	    scene_render(&scene, format, dark ? THEME_DARK : THEME_LIGHT, &out, err))
		write_out(cli, &out, err);
	sb_free(&out);
	world_free(&w);
	return err_kind(err);
}
