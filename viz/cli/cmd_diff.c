/* diff: what apply would change, as kubectl diff says it. */
#include "viz/cli/labwork.h"
#include "viz/report/udiff.h"

struct diffing { struct cli *cli; struct labwork *w; struct sb out; uint32_t nr; };

/* apps.v1.Deployment.default.web */
static const char *file_name(struct arena *a, const struct object *o)
{
	char *api = arena_strdup(a, o->kind->apis[0]);

	for (char *p = api; *p; p++)
		*p = *p == '/' ? '.' : *p;
	return arena_printf(a, "%s.%s.%s.%s", api, o->kind->name, o->ns ? o->ns : "", o->name);
}

/* Values of Secrets are not shown: only whether they differ. */
static void mask(struct arena *a, struct val *v, const struct val *other, const char *where, const char *note)
{
	struct val *data = val_get_mut(v, where);

	VAL_EACH(m, data) {
		const struct val *o = val_get(val_get(other, where), m->key);

		val_put(a, data, m->key, val_string(a, o && !val_equal(o, m) ? note : "***"));
	}
}

static struct val *shown(struct diffing *d, const struct object *o)
{
	struct val *v = object_render(d->w->world.cluster, o, d->cli->arena), *meta = val_get_mut(v, "metadata");
	struct val *notes = val_get_mut(meta, "annotations");

	if (notes) {
		val_del(notes, LAST_APPLIED);
		if (!notes->nr)
			val_del(meta, "annotations");
	}
	val_del(v, "status");
	return v;
}

static void text_of(const struct val *v, struct sb *out)
{
	if (v)
		val_print_yaml(v, out, true);
}

static bool diff_one(void *ctx, const struct doc *doc, struct err *err)
{
	struct diffing *d = ctx;
	struct arena *a = d->cli->arena;
	struct cluster *c = d->w->world.cluster;
	const char *api = val_str(val_get(doc->root, "apiVersion")), *kind = val_str(val_get(doc->root, "kind")), *name = val_str_at(doc->root, "metadata.name");
	const char *ns = val_str_at(doc->root, "metadata.namespace");
	const struct kind *k = api && kind ? kind_find(api, kind) : NULL;
	struct object *o = k && name ? cluster_find(c, k, k->namespaced ? ns ? ns : cli_ns(d->cli) : NULL, name) : NULL;
	struct val *live = o ? shown(d, o) : NULL, *merged = NULL, *bare;
	struct sb before = { 0 }, after = { 0 };

	d->nr++;
	if (apply_doc(c, doc, &d->w->opt.apply, &o, err) == APPLY_ERROR || !o)
		return true;
	merged = shown(d, o);
	if (live) {                             /* the version is the dry run's, not the change's */
		const struct val *rev = val_path(live, "metadata.resourceVersion");

		val_put(a, val_get_mut(merged, "metadata"), "resourceVersion", val_copy(a, rev));
	}
	if (o->kind == &secret_kind) {
		bare = live ? val_copy(a, live) : NULL;
		for (const char *const *part = (const char *const[]){ "data", "stringData", NULL }; *part; part++) {
			if (live)
				mask(a, live, merged, *part, "*** (before)");
			mask(a, merged, bare, *part, "*** (after)");
		}
	}
	text_of(live, &before);
	text_of(merged, &after);
	udiff(a, arena_printf(a, "LIVE/%s", file_name(a, o)), sb_text(&before), arena_printf(a, "MERGED/%s", file_name(a, o)), sb_text(&after), &d->out);
	sb_free(&before);
	sb_free(&after);
	return true;
}

enum err_kind cmd_diff(struct cli *cli, struct err *err)
{
	struct diffing d = { .cli = cli };
	struct labwork w;
	bool differs;

	if (!cli->files.nr || cli->args.nr)
		return cli_usage(cli, err, "diff needs -f FILE");
	cli->dry_run = true;
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	w.opt.apply.create_namespaces = true;
	d.w = &w;
	for (uint32_t k = 0; k < cli->files.nr; k++)
		docs_read_path(cli->files.v[k], NULL, diff_one, &d, err);
	if (!d.nr && !err_any(err))
		err_add(err, ERR_INPUT, NULL, "no objects in what was given");
	labwork_end(cli, &w, false, err);
	differs = d.out.len > 0;
	if (!err_any(err))
		fputs(sb_text(&d.out), cli->to);
	sb_free(&d.out);
	return err_any(err) ? err_kind(err) : differs ? ERR_FAILED : ERR_NONE;
}
