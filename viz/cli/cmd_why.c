/* why END, why FROM TO: the diagnosis. What it suggests was tried on a copy of the cluster and asked again. */
#include "model/cluster/merge.h"
#include "viz/cli/select.h"
#include "viz/report/why_report.h"

struct asking { struct cli *cli; const struct kind *kind; const char *ns, *name; bool way; struct question q; };

static bool diagnose(struct asking *x, struct world *w, struct arena *a, struct diagnosis *d, struct err *err)
{
	const struct object *o;

	if (x->way)
		return diagnose_way(d, w, a, &x->q, err);
	o = cluster_find(w->cluster, x->kind, x->kind->namespaced ? x->ns : NULL, x->name);
	if (!o)
		return false;
	diagnose_object(d, w, a, o);
	return true;
}

/* The same cluster once more, with the change made and its consequences awaited. */
static void try_fix(struct asking *x, struct finding *f)
{
	struct arena *a = x->cli->arena;
	struct apply_options opt = { .unknown = VALIDATE_IGNORE, .respect_status = true, .create_namespaces = true };
	struct diagnosis again;
	struct err err = { 0 };
	struct world copy;
	struct object *o;
	bool done = false;

	for (uint32_t k = 0; k < x->cli->files.nr; k++)
		if (strcmp(x->cli->files.v[k], "-") == 0)
			return;                         /* what came by stdin cannot be read again; untried, it is not shown */
	if (!cli_world(x->cli, &copy, &err)) {
		err_free(&err);
		return;
	}
	err_clear(&err);
	if (f->fix->patch) {
		o = cluster_find(copy.cluster, f->fix->kind, f->fix->ns, f->fix->name);
		if (o) {
			struct val *to = strategic_patch(a, o->doc ? object_live(o, a) : object_render(copy.cluster, o, a), f->fix->patch, &err);

			done = to && apply_replace(copy.cluster, o, to, &opt, &err) != APPLY_ERROR;
		}
	} else {
		const struct val *items = val_get(f->fix->doc, "items");        /* several together */

		done = true;
		for (const struct val *doc = items ? items->first : f->fix->doc; done && doc; doc = items ? doc->next : NULL)
			done = apply_doc(copy.cluster, &(struct doc){ "fix", val_copy(a, doc) }, &opt, NULL, &err) != APPLY_ERROR;
	}
	if (done) {
		control_settle(copy.control);
		f->fix->tried = true;
		if (diagnose(x, &copy, a, &again, &err)) {
			f->fix->works = !diagnosis_has(&again, f->code) && !(x->way && diagnosis_ill(&again));
			f->fix->then = arena_strdup(a, again.summary);  /* the copy goes */
		}
	}
	err_free(&err);
	world_free(&copy);
}

/* A word that names an object, as pod/web, svc/shop/web, node/worker-1. */
static bool object_of(struct cli *cli, struct cluster *c, const char *text, struct asking *x, struct err *err)
{
	const char *slash = strchr(text, '/'), *second = slash ? strchr(slash + 1, '/') : NULL, *colon;
	const struct kind *k = slash ? kind_by_word(arena_strndup(cli->arena, text, (size_t)(slash - text))) : NULL;
	struct object_list l;
	const char **names, *near;

	if (!k)
		return cli_usage(cli, err, "\"%s\" is not KIND/NAME, as svc/web", text) == ERR_NONE;
	x->kind = k;
	x->ns = second ? arena_strndup(cli->arena, slash + 1, (size_t)(second - slash) - 1) : cli_ns(cli);
	x->name = second ? second + 1 : slash + 1;
	colon = strchr(x->name, ':');
	if (colon)
		x->name = arena_strndup(cli->arena, x->name, (size_t)(colon - x->name));
	if (cluster_find(c, k, k->namespaced ? x->ns : NULL, x->name))
		return true;
	l = cluster_list(c, k);
	for (uint32_t i = 0; i < l.nr; i++)
		if (streq(l.v[i]->name, x->name))
			return err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found in namespace %s; there is one in namespace %s", resource_plural(cli->arena, k), x->name, x->ns, l.v[i]->ns);
	names = arena_array(cli->arena, const char *, l.nr + 1);
	for (uint32_t i = 0, nr = 0; i < l.nr; i++)
		if (!k->namespaced || streq(l.v[i]->ns, x->ns))
			names[nr++] = l.v[i]->name;
	near = nearest(x->name, names);
	return err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found%s%s%s", resource_plural(cli->arena, k), x->name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

enum err_kind cmd_why(struct cli *cli, struct err *err)
{
	struct asking x = { .cli = cli };
	struct diagnosis d;
	struct sb out = { 0 };
	struct world w;
	enum err_kind how = ERR_NONE;

	if (cli->args.nr != 1 && cli->args.nr != 2)
		return cli_usage(cli, err, "why needs an object, or two ends");
	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not text or json", cli->output);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	x.way = cli->args.nr == 2;
	if ((x.way ? cli_question(cli, cli->args.v[0], cli->args.v[1], &x.q, err) : object_of(cli, w.cluster, cli->args.v[0], &x, err)) && diagnose(&x, &w, cli->arena, &d, err)) {
		for (uint32_t k = 0; k < d.findings.nr; k++)
			if (d.findings.v[k].fix)
				try_fix(&x, &d.findings.v[k]);
		if (cli_output_is(cli, "json")) {
			val_print_json(diagnosis_json(&d, cli->arena), &out, 2, false);
			sb_addc(&out, '\n');
		} else {
			diagnosis_text(&d, cli->verbose, &out);
		}
		how = d.unknown ? ERR_UNKNOWN : diagnosis_ill(&d) ? ERR_FAILED : ERR_NONE;
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_any(err) ? err_kind(err) : how;
}
