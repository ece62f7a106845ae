/* import DUMP…: a living cluster, as it is, into the lab. */
#include <stdlib.h>

#include "sim/engine/import.h"
#include "viz/cli/labwork.h"

struct keeping { struct cli *cli; struct labwork *w; };

static bool keep(void *ctx, const struct doc *d, struct err *err)
{
	struct keeping *k = ctx;
	struct doc *kept = vec_push(k->cli->arena, &k->w->docs);

	(void)err;
	kept->file = arena_strdup(k->cli->arena, d->file);
	kept->root = val_copy(k->cli->arena, d->root);
	return true;
}

static struct val *texts(struct arena *a, const struct texts_of *t)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < t->nr; k++)
		val_add(a, list, val_string(a, t->v[k]));
	return list;
}

static void say_json(struct cli *cli, const struct import_report *r)
{
	struct arena *a = cli->arena;
	struct val *v = val_new(a, VAL_MAP);
	struct sb out = { 0 };

	val_put(a, v, "objects", val_int(a, r->applied));
	val_put(a, v, "refused", val_int(a, r->refused));
	val_put(a, v, "files", val_int(a, r->dump.files));
	val_put(a, v, "filesWithoutObjects", val_int(a, r->dump.skipped));
	val_put(a, v, "goStructs", val_int(a, r->dump.go_structs));
	val_put(a, v, "oldVersions", val_int(a, r->dump.old_versions));
	val_put(a, v, "redacted", val_int(a, r->dump.redacted));
	val_put(a, v, "missing", texts(a, &r->missing));
	val_put(a, v, "derived", texts(a, &r->derived));
	val_print_json(v, &out, 2, false);
	fprintf(cli->to, "%s\n", sb_text(&out));
	sb_free(&out);
}

static void say_text(struct cli *cli, const struct import_report *r)
{
	fprintf(cli->to, "%u objects from %u file%s", r->applied, r->dump.files, r->dump.files == 1 ? "" : "s");
	if (r->refused)
		fprintf(cli->to, "; %u could not be taken", r->refused);
	if (r->dump.go_structs)
		fprintf(cli->to, "; %u were Go structs of an old kubectl", r->dump.go_structs);
	if (r->dump.old_versions)
		fprintf(cli->to, "; %u in API versions that are not served any more", r->dump.old_versions);
	fputc('\n', cli->to);
	for (uint32_t k = 0; k < r->derived.nr; k++)
		fprintf(cli->to, "derived: %s\n", r->derived.v[k]);
	for (uint32_t k = 0; k < r->missing.nr; k++)
		fprintf(cli->to, "missing: %s\n", r->missing.v[k]);
}

enum err_kind cmd_import(struct cli *cli, struct err *err)
{
	struct labwork w;
	struct keeping k = { cli, &w };
	struct import_report report = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *to = cli->to;
	bool ok;

	if (!cli->args.nr)
		return cli_usage(cli, err, "import what? a file or folder of kubectl get -o json, cluster-info dump, a bundle");
	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not text or json", cli->output);
	if (!labwork_begin(cli, &w, true, err))
		return err_kind(err);
	ok = world_import(&w.world, &w.opt, cli->args.v, cli->args.nr, NULL, keep, &k, &report, err);
	if (ok) {                       /* what was done is said when it is done */
		cli->to = open_memstream(&text, &len);
		if (cli_output_is(cli, "json"))
			say_json(cli, &report);
		else if (!cli->quiet)
			say_text(cli, &report);
		fclose(cli->to);
		cli->to = to;
	}
	if (labwork_end(cli, &w, ok, err) && text)
		fputs(text, cli->to);
	free(text);
	return err_kind(err);
}
