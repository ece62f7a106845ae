/* api-resources, version, help. */
#include "sim/linux/features.h"
#include "viz/cli/cli.h"
#include "viz/report/table.h"

enum err_kind cmd_api_resources(struct cli *cli, struct err *err)
{
	struct table_text t;
	struct sb out = { 0 };

	(void)err;
	table_begin(&t, cli->arena, 6);
	for (const char *const *h = (const char *const[]){ "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "MODELLED", NULL }; *h; h++)
		table_cell(&t, *h);
	for (uint32_t i = 0; kinds[i]; i++) {
		table_cell(&t, kinds[i]->plural);
		table_cell(&t, kinds[i]->shorts);
		table_cell(&t, kinds[i]->apis[0]);
		table_cell(&t, kinds[i]->namespaced ? "true" : "false");
		table_cell(&t, kinds[i]->name);
		table_cell(&t, kinds[i]->note ? "kept" : "yes");
	}
	table_print(&t, &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return ERR_NONE;
}

/* What this machine can do in real namespaces, tried now. */
static void features_text(struct cli *cli, const struct features *f)
{
	struct table_text t;
	struct sb out = { 0 };

	table_begin(&t, cli->arena, 3);
	for (const char *const *h = (const char *const[]){ "FEATURE", "THERE", "USED FOR", NULL }; *h; h++)
		table_cell(&t, *h);
	for (enum feature k = 0; k < FEATURE_COUNT; k++) {
		table_cell(&t, feature_rows[k].name);
		table_cell(&t, f->v[k].there ? "yes" : "no");
		table_cell(&t, f->v[k].there ? feature_rows[k].use : arena_printf(cli->arena, "%s: %s", feature_rows[k].use, f->v[k].why));
	}
	table_print(&t, &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
}

static void features_json(struct cli *cli, const struct features *f)
{
	struct arena *a = cli->arena;
	struct val *v = val_new(a, VAL_MAP), *list;
	struct sb out = { 0 };

	val_put(a, v, "podwire", val_string(a, PODWIRE_VERSION));
	val_put(a, v, "kubernetes", val_string(a, KUBERNETES_VERSION));
	list = val_put(a, v, "features", val_new(a, VAL_LIST));
	for (enum feature k = 0; k < FEATURE_COUNT; k++) {
		struct val *one = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, one, "name", val_string(a, feature_rows[k].name));
		val_put(a, one, "there", val_bool(a, f->v[k].there));
		val_put(a, one, "use", val_string(a, feature_rows[k].use));
		if (!f->v[k].there)
			val_put(a, one, "why", val_string(a, f->v[k].why));
	}
	val_print_json(v, &out, 2, false);
	fprintf(cli->to, "%s\n", sb_text(&out));
	sb_free(&out);
}

enum err_kind cmd_version(struct cli *cli, struct err *err)
{
	struct features f;

	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not text or json", cli->output);
	if (!cli_output_is(cli, "json"))
		fprintf(cli->to, "podwire %s, models Kubernetes %s\n", PODWIRE_VERSION, KUBERNETES_VERSION);
	if (!cli->verbose && !cli_output_is(cli, "json"))
		return ERR_NONE;
	if (!features_probe(&f, err))
		return err_kind(err);
	if (cli_output_is(cli, "json"))
		features_json(cli, &f);
	else
		features_text(cli, &f);
	return ERR_NONE;
}

/* The reference of docs/cli.md (tests/cli/reference_test.sh compares them). */
static void reference(FILE *f)
{
	static const unsigned common = G_ALWAYS | G_FILES | G_CLUSTER;

	fprintf(f, "### Options of every command\n\n");
	options_markdown(G_ALWAYS, 0, f);
	fprintf(f, "\n### Options of questions about files\n\n");
	options_markdown(G_FILES, G_ALWAYS, f);
	fprintf(f, "\n### Options that make the cluster\n\n");
	options_markdown(G_CLUSTER, G_ALWAYS | G_FILES, f);
	for (const struct command *c = commands; c->name; c++) {
		fprintf(f, "\n### %s\n\n`podwire %s%s%s`\n\n%s.%s%s\n", c->name, c->name, *c->args ? " " : "", c->args, c->help,
			c->takes & CHANGES_LAB ? "\nChanges the lab." : c->takes & READS_LAB ? "\nAsks the lab, or the files of `-f`." : "", c->takes & G_CLUSTER ? " Takes the options that make the cluster." : "");
		if (c->about)
			fprintf(f, "\n%s\n", c->about);
		if (c->takes & ~(common | CHANGES_LAB | READS_LAB)) {
			fputc('\n', f);
			options_markdown(c->takes, common, f);
		}
	}
}

enum err_kind cmd_help(struct cli *cli, struct err *err)
{
	const struct command *c = cli->args.nr ? command_find(cli->args.v[0]) : NULL;

	if (cli->args.nr && !c) {
		err_add(err, ERR_INPUT, NULL, "unknown command \"%s\"; podwire help lists all", cli->args.v[0]);
		return ERR_INPUT;
	}
	if (cli_output_is(cli, "markdown")) {
		reference(cli->to);
		return ERR_NONE;
	}
	if (c) {
		fprintf(cli->to, "podwire %s %s\n\n  %s\n\n", c->name, c->args, c->help);
		if (c->about)
			fprintf(cli->to, "%s\n\n", c->about);
		options_help(c->takes, cli->to);
		return ERR_NONE;
	}
	fprintf(cli->to, "podwire turns Kubernetes objects into the Linux network that they imply, and shows the way of a packet through it.\n\n");
	for (c = commands; c->name; c++)
		fprintf(cli->to, "  %-14s %s\n", c->name, c->help);
	fprintf(cli->to, "\nTry:  podwire trace -f MANIFESTS pod/NAME svc/NAME:PORT\n      podwire help COMMAND\n");
	return ERR_NONE;
}
