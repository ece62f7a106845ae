/* init, apply, delete, advance: the lab's cluster is changed as kubectl changes one. */
#include <stdlib.h>

#include "model/base/quantity.h"
#include "viz/cli/applying.h"
#include "viz/cli/select.h"

enum err_kind cmd_apply(struct cli *cli, struct err *err)
{
	struct applying a = { .cli = cli };
	struct labwork w;
	FILE *to = cli->to;
	char *text = NULL;
	size_t len = 0;
	bool ok;

	if (!cli->files.nr || cli->args.nr)
		return cli_usage(cli, err, "apply needs -f FILE");
	if (!labwork_begin(cli, &w, true, err))
		return err_kind(err);
	a.w = &w;
	if (cli->dry_run)
		w.opt.apply.create_namespaces = true;
	cli->to = open_memstream(&text, &len);          /* what was done is said when it is done: all or nothing */
	for (uint32_t k = 0; k < cli->files.nr; k++)
		docs_read_path(cli->files.v[k], NULL, applying_take, &a, err);
	applying_rest(&a, err);
	fclose(cli->to);
	cli->to = to;
	if (!a.nr && !err_any(err))
		err_add(err, ERR_INPUT, NULL, "no objects in what was given");
	ok = labwork_end(cli, &w, true, err);
	if (ok)
		fputs(text, cli->to);
	free(text);
	return err_kind(err);
}

enum err_kind cmd_init(struct cli *cli, struct err *err)
{
	struct applying a = { .cli = cli };
	struct labwork w = { 0 };
	bool fresh;

	if (!cli_world_options(cli, &w.opt, err))
		return err_kind(err);
	w.lab = lab_open(cli_lab(cli), LAB_NEW, &fresh, err);
	if (!w.lab)
		return err_kind(err);
	w.opt.ask = false;
	w.opt.apply = (struct apply_options){ .unknown = VALIDATE_STRICT, .validate = true };
	world_init(&w.world, &w.opt);
	a.w = &w;
	if (cli->config) {
		docs_read_path(cli->config, NULL, applying_take, &a, err);
		applying_rest(&a, err);
	} else if (cli->nodes) {
		struct sb yaml = { 0 };
		char *rest;
		unsigned long n = strtoul(cli->nodes, &rest, 10);

		if (*rest || n > 5000)
			err_add(err, ERR_INPUT, NULL, "--nodes: \"%s\" is not a number of workers up to 5000", cli->nodes);
		sb_add(&yaml, "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n");
		for (unsigned long k = 0; k < n && !err_any(err); k++)
			sb_add(&yaml, "- role: worker\n");
		docs_read("--nodes", sb_text(&yaml), yaml.len, NULL, applying_take, &a, err);
		sb_free(&yaml);
	}
	if (labwork_end(cli, &w, true, err) && !cli->quiet)
		fprintf(cli->to, "%s: a new lab\n", cli_lab(cli));
	return err_kind(err);
}

struct deleting { struct applying a; int64_t grace; bool force; enum cascade cascade; struct sb said; };

/* kubectl's words: force deleted without grace; where it was. */
static void delete_one(struct deleting *d, struct object *o)
{
	struct cli *cli = d->a.cli;
	bool forced = d->force && d->grace == 0;

	sb_printf(&d->said, "%s \"%s\" %sdeleted%s%s%s%s\n", resource_word(cli->arena, o->kind), o->name, forced ? "force " : "", labwork_mark(cli), o->ns ? " from " : "", o->ns ? o->ns : "", o->ns ? " namespace" : "");
	labwork_delete(cli, d->a.w, o, d->grace, forced, d->cascade);
}

static bool delete_doc(void *ctx, const struct doc *d, struct err *err)
{
	struct deleting *x = ctx;
	struct applying *a = &x->a;
	const char *api = val_str(val_get(d->root, "apiVersion")), *kind = val_str(val_get(d->root, "kind")), *name = val_str_at(d->root, "metadata.name");
	const char *ns = val_str_at(d->root, "metadata.namespace");
	const struct kind *k = api && kind ? kind_find(api, kind) : NULL;
	struct object *o = k && name ? cluster_find(a->w->world.cluster, k, ns ? ns : cli_ns(a->cli), name) : NULL;
	struct where w = { .file = d->file, .line = d->root->line };

	if (!o && a->cli->ignore_not_found)
		return true;
	if (!o)
		return err_add(err, ERR_FAILED, &w, "%s \"%s\" not found", k ? resource_plural(a->cli->arena, k) : kind ? kind : "object", name ? name : "");
	delete_one(x, o);
	return true;
}

static bool deletion_of(struct cli *cli, struct deleting *d, struct err *err)
{
	static const char *const cascades[] = { "background", "foreground", "orphan", NULL };
	const char *word = cli->cascade ? cli->cascade : "background";
	char *end = NULL;

	*d = (struct deleting){ .a = { .cli = cli }, .grace = cli->now ? 1 : -1, .force = cli->force };
	while (cascades[d->cascade] && strcmp(cascades[d->cascade], word) != 0)
		d->cascade++;
	if (!cascades[d->cascade])
		return cli_usage(cli, err, "--cascade: \"%s\" is not background, foreground or orphan", word) == ERR_NONE;
	if (cli->grace) {
		d->grace = strtoll(cli->grace, &end, 10);
		if (*end || !*cli->grace || d->grace < -1)
			return cli_usage(cli, err, "--grace-period: \"%s\" is not a number of seconds", cli->grace) == ERR_NONE;
	}
	if (d->force && d->grace < 0)
		d->grace = 0;                           /* kubectl: --force without a grace period is at once */
	if (d->grace == 0 && !d->force)
		d->grace = 1;                           /* and without --force, as soon as possible */
	return true;
}

enum err_kind cmd_delete(struct cli *cli, struct err *err)
{
	struct selection s = { 0 };
	struct deleting d;
	struct labwork w;
	bool ok;

	if (!cli->files.nr && !cli->args.nr)
		return cli_usage(cli, err, "delete what?");
	if (!deletion_of(cli, &d, err) || !labwork_begin(cli, &w, false, err))
		return err_kind(err);
	d.a.w = &w;
	for (uint32_t k = 0; k < cli->files.nr; k++)
		docs_read_path(cli->files.v[k], NULL, delete_doc, &d, err);
	if (cli->args.nr && select_objects(cli, w.world.cluster, &s, err)) {
		if (!s.by_name && !cli->selector && !cli->field_selector && !cli->all)
			cli_usage(cli, err, "resource(s) were provided, but no name was specified: delete needs names, a selector or --all");
		for (uint32_t k = 0; k < s.objects.nr && !err_any(err); k++)
			delete_one(&d, s.objects.v[k]);
	}
	if (d.force && d.grace == 0 && !err_any(err))
		err_warn(err, NULL, "Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
	if (!d.said.len && !err_any(err) && !cli->ignore_not_found)
		fprintf(cli->to, "No resources found\n");
	ok = labwork_end(cli, &w, true, err);
	if (ok && !cli->quiet)
		fputs(sb_text(&d.said), cli->to);
	sb_free(&d.said);
	return err_kind(err);
}

/* What happened meanwhile, in one line: the first bad news, else the first news. */
static void tell_time(struct cli *cli, struct cluster *c, uint32_t from)
{
	uint32_t nr = cluster_event_count(c), warnings = 0, at = from;

	for (uint32_t k = nr; k > from; k--)
		if (cluster_event_note(c, k - 1).form->warning) {
			warnings++;
			at = k - 1;
		}
	fprintf(cli->to, "t=%.3fs, %u event%s", (double)cluster_now(c) / 1e9, nr - from, &"s"[nr - from == 1]);
	if (warnings)
		fprintf(cli->to, ", %u of them warnings", warnings);
	if (from < nr) {
		struct event e = cluster_event_told(c, at);
		const struct object *o = obj_get(c, e.object);
		struct sb text = { 0 };

		sb_printf(&text, "; %s%s%s: ", o ? o->name : "", o ? " " : "", e.reason);
		sb_add_shown(&text, e.message ? e.message : "", true);
		fputs(sb_text(&text), cli->to);
		sb_free(&text);
	}
	fputc('\n', cli->to);
}

enum err_kind cmd_advance(struct cli *cli, struct err *err)
{
	struct labwork w;
	uint32_t events;
	nsec by;

	if (cli->args.nr != 1 || !duration_parse(cli->args.v[0], &by) || by < 0)
		return cli_usage(cli, err, "advance needs a duration, as 40s or 5m");
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	events = cluster_event_count(w.world.cluster);
	control_advance(w.world.control, by);
	if (!cli->quiet)
		tell_time(cli, w.world.cluster, events);
	cli->no_settle = true;
	labwork_end(cli, &w, true, err);
	return err_kind(err);
}
