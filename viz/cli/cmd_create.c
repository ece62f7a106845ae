/* create, expose, autoscale, run NAME --image: objects from a few words. */
#include <stdlib.h>

#include "viz/cli/applying.h"
#include "viz/cli/generate.h"
#include "viz/cli/select.h"

/* -o: the object itself in place of what was done. */
static bool print_made(struct cli *cli, const struct val *v, const struct kind *k, struct sb *out, struct err *err)
{
	if (cli_output_is(cli, "yaml"))
		val_print_yaml(v, out, true);
	else if (cli_output_is(cli, "json"))
		val_print_json(v, out, 4, true), sb_addc(out, '\n');
	else if (cli_output_is(cli, "name"))
		sb_printf(out, "%s/%s\n", resource_word(cli->arena, k), val_str_at(v, "metadata.name"));
	else
		return err_add(err, ERR_INPUT, NULL, "-o: \"%s\" is not yaml, json or name", cli->output);
	return true;
}

/* Ends a command that has applied documents: settles, saves, and says what was done, or shows it. */
static enum err_kind made(struct cli *cli, struct applying *a, FILE *to, char **text, struct err *err)
{
	struct sb out = { 0 };
	bool ok;

	applying_rest(a, err);
	fclose(cli->to);
	cli->to = to;
	for (uint32_t k = 0; cli->output && k < a->objects.nr && !err_any(err); k++)
		print_made(cli, object_render(a->w->world.cluster, a->objects.v[k], cli->arena), a->objects.v[k]->kind, &out, err);
	ok = labwork_end(cli, a->w, true, err);
	if (ok)
		fputs(cli->output ? sb_text(&out) : *text, cli->to);
	free(*text);
	sb_free(&out);
	return err_kind(err);
}

/* A dry run shows it as it was made, as kubectl's client does. */
static void print_alone(struct cli *cli, struct val *root, struct err *err)
{
	const struct kind *k = kind_find(val_str_at(root, "apiVersion"), val_str_at(root, "kind"));
	struct sb out = { 0 };

	if (print_made(cli, generate_empties(cli, root), k, &out, err))
		fputs(sb_text(&out), cli->to);
	sb_free(&out);
}

static enum err_kind apply_made(struct cli *cli, struct labwork *w, struct val *root, const char *done, struct err *err)
{
	struct applying a = { .cli = cli, .w = w, .done = done };
	struct doc d = { cli->command, root };
	FILE *to = cli->to;
	char *text = NULL;
	size_t len = 0;

	w->opt.apply.create = true;
	cli->to = open_memstream(&text, &len);
	if (root)
		applying_take(&a, &d, err);
	return made(cli, &a, to, &text, err);
}

/* What is made without a look at the cluster. */
static enum err_kind make_alone(struct cli *cli, struct val *root, struct err *err)
{
	struct labwork w;

	if (!root)
		return err_kind(err);
	if (cli->dry_run && cli->output) {
		print_alone(cli, root, err);
		return err_kind(err);
	}
	if (!labwork_begin(cli, &w, true, err))
		return err_kind(err);
	return apply_made(cli, &w, root, NULL, err);
}

static enum err_kind create_files(struct cli *cli, struct err *err)
{
	struct applying a = { .cli = cli };
	struct labwork w;
	FILE *to = cli->to;
	char *text = NULL;
	size_t len = 0;

	if (cli->args.nr)
		return cli_usage(cli, err, "create: files or a name, not both");
	if (!options_only(cli, G_CREATE, (const char *const[]){ NULL }, "-f", err) || !labwork_begin(cli, &w, true, err))
		return err_kind(err);
	a.w = &w;
	w.opt.apply.create = true;
	cli->to = open_memstream(&text, &len);
	for (uint32_t k = 0; k < cli->files.nr; k++)
		docs_read_path(cli->files.v[k], NULL, applying_take, &a, err);
	if (!a.nr && !err_any(err))
		err_add(err, ERR_INPUT, NULL, "no objects in what was given");
	return made(cli, &a, to, &text, err);
}

enum err_kind create_pod(struct cli *cli, struct err *err)
{
	if (cli->args.nr != 1)
		return cli_usage(cli, err, "run --image needs the Pod's name");
	return make_alone(cli, generate_pod(cli, cli->args.v[0], err), err);
}

typedef struct val *(*generate_fn)(struct cli *, const struct object *, const struct val *doc, struct err *);

static enum err_kind make_for(struct cli *cli, generate_fn fn, const char *done, struct err *err)
{
	const char *selector = cli->selector;
	struct selection s;
	struct labwork w;
	struct val *root = NULL;

	if (!cli->args.nr)
		return cli_usage(cli, err, "%s what?", cli->command);
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	cli->selector = NULL;           /* is for what is made, not for what it is made of */
	if (select_objects(cli, w.world.cluster, &s, err)) {
		cli->selector = selector;
		if (!s.by_name || s.objects.nr != 1)
			cli_usage(cli, err, "%s one object, by its name", cli->command);
		else
			root = fn(cli, s.objects.v[0], object_render(w.world.cluster, s.objects.v[0], cli->arena), err);
	}
	if (!root || !cli->dry_run || !cli->output)
		return apply_made(cli, &w, root, done, err);
	print_alone(cli, root, err);
	labwork_end(cli, &w, true, err);
	return err_kind(err);
}

/* create job NAME --from=cronjob/NAME */
static enum err_kind make_from(struct cli *cli, struct err *err)
{
	const char *name;

	if (cli->args.nr != 2 || kind_by_word(cli->args.v[0]) != &job_kind)
		return cli_usage(cli, err, "--from: a Job has a CronJob's template: create job NAME --from=cronjob/NAME");
	if (cli->images.nr || cli->rest.nr)
		return cli_usage(cli, err, "--from: image and command are the CronJob's");
	name = cli->args.v[1];
	cli->args.v[0] = cli->from;
	cli->args.nr = 1;
	cli->name = name;
	return make_for(cli, generate_job, "created", err);
}

enum err_kind cmd_create(struct cli *cli, struct err *err)
{
	if (cli->files.nr)
		return create_files(cli, err);
	return cli->from ? make_from(cli, err) : make_alone(cli, generate_object(cli, err), err);
}

enum err_kind cmd_expose(struct cli *cli, struct err *err)
{
	return make_for(cli, generate_service, "exposed", err);
}

enum err_kind cmd_autoscale(struct cli *cli, struct err *err)
{
	return make_for(cli, generate_scaler, "autoscaled", err);
}
