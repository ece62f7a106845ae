/* get, api-resources, version, help. */
#include "model/base/quantity.h"
#include "viz/cli/select.h"
#include "viz/report/table.h"

static void print_table(struct cli *cli, struct cluster *c, const struct selection *s, const struct kind *k, bool many, struct sb *out)
{
	bool wide = cli_output_is(cli, "wide"), with_ns = cli->all_ns && k->namespaced;
	struct table_text t;
	uint32_t columns = 2 + with_ns;
	char age[16];
	struct sb cell = { 0 };

	for (const struct column *col = k->columns; col && col->head; col++)
		columns += wide || !col->wide;
	table_begin(&t, cli->arena, columns);
	if (with_ns)
		table_cell(&t, "NAMESPACE");
	table_cell(&t, "NAME");
	for (const struct column *col = k->columns; col && col->head; col++)
		if (!col->wide)
			table_cell(&t, col->head);
	table_cell(&t, "AGE");
	for (const struct column *col = k->columns; wide && col && col->head; col++)
		if (col->wide)
			table_cell(&t, col->head);
	for (uint32_t i = 0; i < s->objects.nr; i++) {
		const struct object *o = s->objects.v[i];

		if (o->kind != k)
			continue;
		if (with_ns)
			table_cell(&t, o->ns);
		table_cell(&t, many ? arena_printf(cli->arena, "%s/%s", k->plural, o->name) : o->name);
		for (int pass = 0; pass <= wide; pass++) {
			for (const struct column *col = k->columns; col && col->head; col++) {
				if (col->wide != (bool)pass)
					continue;
				sb_reset(&cell);
				col->print(c, o, &cell);
				table_cell(&t, cell.len ? sb_text(&cell) : "");
			}
			if (!pass)
				table_cell(&t, age_text(cluster_now(c) - o->created, age));
		}
	}
	table_print(&t, out);
	sb_free(&cell);
}

static struct val *as_list(struct cli *cli, struct cluster *c, const struct selection *s)
{
	struct val *list = val_new(cli->arena, VAL_MAP), *items;

	val_put(cli->arena, list, "apiVersion", val_string(cli->arena, "v1"));
	items = val_put(cli->arena, list, "items", val_new(cli->arena, VAL_LIST));
	for (uint32_t i = 0; i < s->objects.nr; i++)
		val_add(cli->arena, items, object_render(c, s->objects.v[i], cli->arena));
	val_put(cli->arena, list, "kind", val_string(cli->arena, "List"));
	return list;
}

static bool print_path(struct cli *cli, const struct val *root, const char *path, struct sb *out, struct err *err)
{
	struct val_list found = { 0 };

	if (!jsonpath(cli->arena, root, path, &found, err))
		return false;
	for (uint32_t i = 0; i < found.nr; i++) {
		if (i)
			sb_addc(out, ' ');
		if (val_is(found.v[i], VAL_STRING))
			sb_add(out, found.v[i]->s);
		else
			val_print_json(found.v[i], out, 0, true);
	}
	return true;
}

static enum err_kind print_objects(struct cli *cli, struct cluster *c, const struct selection *s, struct sb *out, struct err *err)
{
	bool one = s->by_name && s->objects.nr == 1;
	const struct val *v;

	if (cli_output_is(cli, "name")) {
		for (uint32_t i = 0; i < s->objects.nr; i++) {
			const char *slash = strchr(s->objects.v[i]->kind->apis[0], '/');
			char *low = arena_strdup(cli->arena, s->objects.v[i]->kind->name);

			for (char *p = low; *p; p++)
				*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
			sb_printf(out, "%s%s%.*s/%s\n", low, slash ? "." : "", slash ? (int)(slash - s->objects.v[i]->kind->apis[0]) : 0, s->objects.v[i]->kind->apis[0],
				  s->objects.v[i]->name);
		}
		return ERR_NONE;
	}
	v = one ? object_render(c, s->objects.v[0], cli->arena) : as_list(cli, c, s);
	if (cli_output_is(cli, "json")) {
		val_print_json(v, out, 4, true);
		sb_addc(out, '\n');
	} else if (cli_output_is(cli, "yaml")) {
		val_print_yaml(v, out, true);
	} else if (strncmp(cli->output, "jsonpath=", 9) == 0) {
		print_path(cli, v, cli->output + 9, out, err);
	} else {
		return cli_usage(cli, err, "-o: \"%s\" is not wide, yaml, json, name or jsonpath=…", cli->output);
	}
	return err_kind(err);
}

enum err_kind cmd_get(struct cli *cli, struct err *err)
{
	struct world w;
	struct selection s;
	struct sb out = { 0 };
	enum err_kind how = ERR_NONE;

	if (!cli_world(cli, &w, err))
		return err_kind(err);
	select_objects(cli, w.cluster, &s, err);
	if (cli->output && !cli_output_is(cli, "wide") && (s.objects.nr || !err_any(err))) {
		how = print_objects(cli, w.cluster, &s, &out, err);
	} else if (s.objects.nr) {
		const struct kind *last = NULL;

		for (uint32_t i = 0; i < s.objects.nr; i++) {
			if (s.objects.v[i]->kind == last)
				continue;
			sb_add(&out, last ? "\n" : "");
			last = s.objects.v[i]->kind;
			print_table(cli, w.cluster, &s, last, s.kinds.nr > 1 && !s.by_name, &out);
		}
	} else if (!err_any(err)) {
		err_warn(err, NULL, cli->all_ns ? "no resources found" : "no resources found in %s namespace", cli_ns(cli));
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_any(err) ? err_kind(err) : how;
}

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

enum err_kind cmd_help(struct cli *cli, struct err *err)
{
	const struct command *c = cli->args.nr ? command_find(cli->args.v[0]) : NULL;

	if (cli->args.nr && !c) {
		err_add(err, ERR_INPUT, NULL, "unknown command \"%s\"; podwire help lists all", cli->args.v[0]);
		return ERR_INPUT;
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
