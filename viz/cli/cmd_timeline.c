/* timeline: the life of one object, watched while it happens once more. */
#include "sim/engine/chronicle.h"
#include "viz/cli/history.h"
#include "viz/cli/select.h"
#include "viz/report/timeline.h"

/* KIND/NAME, KIND NAME; a Pod of a workload by the name that it has or had. */
static bool object_of(struct cli *cli, const struct kind **kind, const char **name, struct err *err)
{
	const char *slash = cli->args.nr ? strchr(cli->args.v[0], '/') : NULL, *word;

	if (cli->args.nr != (slash ? 1u : 2u))
		return cli_usage(cli, err, "timeline needs one object, as pod/web") == ERR_NONE;
	word = slash ? arena_strndup(cli->arena, cli->args.v[0], (size_t)(slash - cli->args.v[0])) : cli->args.v[0];
	*name = slash ? slash + 1 : cli->args.v[1];
	*kind = kind_by_word(word);
	return *kind || err_add(err, ERR_INPUT, NULL, "the server doesn't have a resource type \"%s\"; podwire api-resources lists them", word);
}

static void not_found(struct cli *cli, struct cluster *c, const struct kind *k, const char *name, struct err *err)
{
	struct object_list l = k->namespaced ? cluster_list_ns(c, k, cli_ns(cli)) : cluster_list(c, k);
	const char **names = arena_array(cli->arena, const char *, l.nr + 1), *near;

	for (uint32_t i = 0; i < l.nr; i++)
		names[i] = l.v[i]->name;
	near = nearest(name, names);
	err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found, now or before%s%s%s", resource_plural(cli->arena, k), name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

enum err_kind cmd_timeline(struct cli *cli, struct err *err)
{
	struct watcher watcher;
	struct chronicle c;
	const struct kind *k = NULL;
	const char *name = "";
	struct sb out = { 0 };
	struct world w;
	bool ok;

	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text") && !cli_output_is(cli, "yaml"))
		return cli_usage(cli, err, "-o: \"%s\" is not text, json or yaml", cli->output);
	if (!object_of(cli, &k, &name, err))
		return err_kind(err);
	chronicle_begin(&c, cli->arena, k, cli_ns(cli), name);
	watcher = (struct watcher){ chronicle_look, &c };
	if (cli->files.nr) {
		cli->watcher = watcher;
		ok = cli_world(cli, &w, err);
	} else {
		ok = history_watch(cli, watcher, &w, err);
	}
	if (!ok)
		return err_kind(err);
	if (!c.found) {
		not_found(cli, w.cluster, k, name, err);
	} else if (cli_output_is(cli, "json") || cli_output_is(cli, "yaml")) {
		struct val *v = timeline_json(w.cluster, &c, cli->arena);

		if (cli_output_is(cli, "json")) {
			val_print_json(v, &out, 2, false);
			sb_addc(&out, '\n');
		} else {
			val_print_yaml(v, &out, false);
		}
	} else {
		timeline_text(w.cluster, &c, cli->arena, &out);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_kind(err);
}
