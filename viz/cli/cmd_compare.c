/* compare A B: which connections change between two sets of manifests. */
#include "sim/compare/connections.h"
#include "viz/cli/captured.h"
#include "viz/cli/compare_networks.h"
#include "viz/report/table.h"

static struct val *side_json(struct arena *a, const struct connection *c)
{
	struct val *v;

	if (!c)
		return val_new(a, VAL_NULL);
	v = val_new(a, VAL_MAP);
	val_put(a, v, "works", val_bool(a, c->works));
	val_put(a, v, "what", val_string(a, c->what));
	if (c->place)
		val_put(a, v, "because", val_string(a, c->place));
	return v;
}

static void changes_json(struct cli *cli, const struct connections *b, const struct changes_list *l, struct sb *out)
{
	struct arena *a = cli->arena;
	struct val *root = val_new(a, VAL_MAP), *list;

	val_put(a, root, "connections", val_int(a, b->nr));
	list = val_put(a, root, "changed", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct connection *c = l->v[k].before ? l->v[k].before : l->v[k].after;
		struct val *v = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, v, "change", val_string(a, change_names[l->v[k].change]));
		val_put(a, v, "from", val_string(a, c->from));
		val_put(a, v, "to", val_string(a, c->to));
		val_put(a, v, "before", side_json(a, l->v[k].before));
		val_put(a, v, "after", side_json(a, l->v[k].after));
	}
	val_print_json(root, out, 2, false);
	sb_addc(out, '\n');
}

static const char *side_text(struct arena *a, const struct connection *c)
{
	return !c ? "-" : c->place && !c->works ? arena_printf(a, "%s (%s)", c->what, c->place) : c->what;
}

static void changes_text(struct cli *cli, const struct connections *b, const struct changes_list *l, struct sb *out)
{
	struct table_text t;

	if (!l->nr) {
		sb_printf(out, "none of %u connections changes\n", b->nr);
		return;
	}
	sb_printf(out, "%u connection%s change%s; afterwards there are %u\n\n", l->nr, &"s"[l->nr == 1], l->nr == 1 ? "s" : "", b->nr);
	table_begin(&t, cli->arena, 5);
	for (const char *const *h = (const char *const[]){ "CHANGE", "FROM", "TO", "BEFORE", "AFTER", NULL }; *h; h++)
		table_cell(&t, *h);
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct connection *c = l->v[k].before ? l->v[k].before : l->v[k].after;

		table_cell(&t, change_names[l->v[k].change]);
		table_cell(&t, c->from);
		table_cell(&t, c->to);
		table_cell(&t, side_text(cli->arena, l->v[k].before));
		table_cell(&t, side_text(cli->arena, l->v[k].after));
	}
	table_print(&t, out);
}

static enum err_kind two_sets(struct cli *cli, struct err *err)
{
	struct connections side[2];
	struct changes_list l;
	struct sb out = { 0 };

	for (int k = 0; k < 2; k++) {
		struct world w;

		if (!cli_world_from(cli, &cli->args.v[k], 1, &w, err))
			return err_kind(err);
		connections_of(&w, cli->arena, &side[k]);
		world_free(&w);
	}
	connections_compare(&side[0], &side[1], cli->arena, &l);
	if (cli_output_is(cli, "json"))
		changes_json(cli, &side[1], &l, &out);
	else
		changes_text(cli, &side[1], &l, &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return l.nr ? ERR_FAILED : ERR_NONE;
}

enum err_kind cmd_compare(struct cli *cli, struct err *err)
{
	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not text or json", cli->output);
	if (cli->dataplane)
		return captured_compare(cli, err);
	if (cli->cni && strchr(cli->cni, ',') && !cli->args.nr && cli->files.nr)
		return compare_networks(cli, err);
	if (cli->args.nr == 2 && !cli->files.nr && (!cli->cni || !strchr(cli->cni, ',')))
		return two_sets(cli, err);
	return cli_usage(cli, err, "two sets of manifests, or several Pod networks and -f");
}
