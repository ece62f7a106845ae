/* init, apply, delete, advance: the lab's cluster is changed as kubectl changes one. */
#include <stdlib.h>

#include "model/base/quantity.h"
#include "viz/cli/labwork.h"
#include "viz/cli/select.h"

struct applying { struct cli *cli; struct labwork *w; uint32_t nr; };

static const char *lower(struct cli *cli, const struct kind *k)
{
	char *s = arena_printf(cli->arena, "%s%s%s", k->name, strchr(k->apis[0], '/') ? "." : "", strchr(k->apis[0], '/') ? k->apis[0] : "");

	for (char *p = s; *p; p++) {
		if (*p == '/') {
			*p = '\0';
			break;
		}
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	}
	return s;
}

static bool apply_one(void *ctx, const struct doc *d, struct err *err)
{
	struct applying *a = ctx;
	struct doc *kept = vec_push(a->cli->arena, &a->w->docs);
	struct object *o = NULL;
	enum apply_result how;

	if (d->root && streq(val_str(val_get(d->root, "kind")), "Scenario")) {
		struct where w = { .file = d->file, .line = d->root->line };

		return err_add(err, ERR_INPUT, &w, "a Scenario is not applied: podwire run plays it");
	}
	kept->file = arena_strdup(a->cli->arena, d->file);
	kept->root = val_copy(a->cli->arena, d->root);
	how = apply_doc(a->w->world.cluster, d, &a->w->opt.apply, &o, err);
	a->nr++;
	if (how != APPLY_ERROR && o && !a->cli->quiet)
		fprintf(a->cli->to, "%s/%s %s%s\n", lower(a->cli, o->kind), o->name, apply_result_names[how], a->cli->dry_run ? " (dry run)" : "");
	return true;
}

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
		docs_read_path(cli->files.v[k], NULL, apply_one, &a, err);
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
		docs_read_path(cli->config, NULL, apply_one, &a, err);
	} else if (cli->nodes) {
		struct sb yaml = { 0 };
		char *rest;
		unsigned long n = strtoul(cli->nodes, &rest, 10);

		if (*rest || n > 5000)
			err_add(err, ERR_INPUT, NULL, "--nodes: \"%s\" is not a number of workers up to 5000", cli->nodes);
		sb_add(&yaml, "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n");
		for (unsigned long k = 0; k < n && !err_any(err); k++)
			sb_add(&yaml, "- role: worker\n");
		docs_read("--nodes", sb_text(&yaml), yaml.len, NULL, apply_one, &a, err);
		sb_free(&yaml);
	}
	if (labwork_end(cli, &w, true, err) && !cli->quiet)
		fprintf(cli->to, "%s: a new lab\n", cli_lab(cli));
	return err_kind(err);
}

/* The history keeps which objects a command deleted: their kinds and names. */
static void delete_one(struct cli *cli, struct labwork *w, struct object *o)
{
	struct arena *a = cli->arena;
	struct val *v = val_new(a, VAL_MAP), *meta;

	val_put(a, v, "apiVersion", val_string(a, o->kind->apis[0]));
	val_put(a, v, "kind", val_string(a, o->kind->name));
	meta = val_put(a, v, "metadata", val_new(a, VAL_MAP));
	val_put(a, meta, "name", val_string(a, o->name));
	if (o->ns)
		val_put(a, meta, "namespace", val_string(a, o->ns));
	vec_add(a, &w->docs, (struct doc){ "-", v });
	fprintf(cli->to, "%s \"%s\" deleted\n", lower(cli, o->kind), o->name);
	apply_delete(w->world.cluster, o);
}

static bool delete_doc(void *ctx, const struct doc *d, struct err *err)
{
	struct applying *a = ctx;
	const char *api = val_str(val_get(d->root, "apiVersion")), *kind = val_str(val_get(d->root, "kind")), *name = val_str_at(d->root, "metadata.name");
	const char *ns = val_str_at(d->root, "metadata.namespace");
	const struct kind *k = api && kind ? kind_find(api, kind) : NULL;
	struct object *o = k && name ? cluster_find(a->w->world.cluster, k, ns ? ns : cli_ns(a->cli), name) : NULL;
	struct where w = { .file = d->file, .line = d->root->line };

	if (!o)
		return err_add(err, ERR_FAILED, &w, "%s \"%s\" not found", kind ? kind : "object", name ? name : "");
	delete_one(a->cli, a->w, o);
	return true;
}

enum err_kind cmd_delete(struct cli *cli, struct err *err)
{
	struct applying a = { .cli = cli };
	struct selection s = { 0 };
	struct labwork w;

	if (!cli->files.nr && !cli->args.nr)
		return cli_usage(cli, err, "delete what?");
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	a.w = &w;
	for (uint32_t k = 0; k < cli->files.nr; k++)
		docs_read_path(cli->files.v[k], NULL, delete_doc, &a, err);
	if (cli->args.nr && select_objects(cli, w.world.cluster, &s, err)) {
		if (!s.by_name && !cli->selector)
			cli_usage(cli, err, "delete needs names or a selector");
		for (uint32_t k = 0; k < s.objects.nr && !err_any(err); k++)
			delete_one(cli, &w, s.objects.v[k]);
	}
	labwork_end(cli, &w, true, err);
	return err_kind(err);
}

enum err_kind cmd_advance(struct cli *cli, struct err *err)
{
	struct labwork w;
	nsec by;

	if (cli->args.nr != 1 || !duration_parse(cli->args.v[0], &by) || by < 0)
		return cli_usage(cli, err, "advance needs a duration, as 40s or 5m");
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	control_advance(w.world.control, by);
	cli->no_settle = true;
	labwork_end(cli, &w, true, err);
	return err_kind(err);
}
