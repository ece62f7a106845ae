/* api-resources, version, help. */
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

enum err_kind cmd_version(struct cli *cli, struct err *err)
{
	(void)err;
	fprintf(cli->to, "podwire %s, models Kubernetes %s\n", PODWIRE_VERSION, KUBERNETES_VERSION);
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
