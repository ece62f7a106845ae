#include "viz/cli/history.h"
#include "viz/cli/inside.h"
#include "viz/cli/labwork.h"

#include <stdio.h>
#include <unistd.h>

#include "model/control/defaults.h"

const char *cli_lab(const struct cli *cli)
{
	return cli->lab ? cli->lab : "podwire.db";
}

static bool dry(struct cli *cli, struct labwork *w, struct err *err)
{
	struct lab_point now;
	struct lab *lab;
	bool ok;

	if (access(cli_lab(cli), F_OK) != 0) {
		world_init(&w->world, &w->opt);
		defaults_add(w->world.cluster);
		return true;
	}
	lab = lab_open(cli_lab(cli), LAB_READ, NULL, err);
	ok = lab && lab_find(lab, NULL, &now, err) && lab_load_world(lab, now, &w->world, err);
	lab_close(lab);
	return ok;
}

const char *labwork_mark(const struct cli *cli)
{
	return cli->dry_run ? " (dry run)" : "";
}

struct val *labwork_document(struct cli *cli, struct labwork *w, const struct object *o)
{
	return o->doc ? object_live(o, cli->arena) : object_render(w->world.cluster, o, cli->arena);
}

enum apply_result labwork_change(struct cli *cli, struct labwork *w, struct object *o, const struct val *to, struct err *err)
{
	struct apply_options opt = w->opt.apply;
	enum apply_result how;

	if (val_equal(object_live(o, cli->arena), to))
		return APPLY_UNCHANGED;
	opt.unknown = VALIDATE_IGNORE;
	how = apply_replace(w->world.cluster, o, to, &opt, err);
	if (how != APPLY_ERROR)
		vec_add(cli->arena, &w->docs, (struct doc){ o->file ? o->file : "-", val_copy(cli->arena, to) });
	return how;
}

void labwork_delete(struct cli *cli, struct labwork *w, struct object *o, int64_t grace, bool force, enum cascade cascade)
{
	struct arena *a = cli->arena;
	struct val *v = val_new(a, VAL_MAP), *meta;

	val_put(a, v, "apiVersion", val_string(a, o->kind->apis[0]));
	val_put(a, v, "kind", val_string(a, o->kind->name));
	meta = val_put(a, v, "metadata", val_new(a, VAL_MAP));
	val_put(a, meta, "name", val_string(a, o->name));
	if (o->ns)
		val_put(a, meta, "namespace", val_string(a, o->ns));
	val_put(a, v, "$patch", val_string(a, "delete"));
	vec_add(a, &w->docs, (struct doc){ "-", v });
	apply_delete_as(w->world.cluster, o, grace, force, cascade);
}

void labwork_remove(const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm", "-journal" };
	char file[4200];

	for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
		snprintf(file, sizeof(file), "%s%s", path, parts[k]);
		unlink(file);
	}
}

bool labwork_begin(struct cli *cli, struct labwork *w, bool create, struct err *err)
{
	struct lab_point now;
	bool fresh = false, absent = access(cli_lab(cli), F_OK) != 0;

	*w = (struct labwork){ 0 };
	if (!cli_world_options(cli, &w->opt, err))
		return false;
	w->opt.ask = false;
	w->opt.apply = (struct apply_options){ .unknown = VALIDATE_STRICT, .validate = true, .dflt_ns = cli_ns(cli) };
	if (cli->validate)
		w->opt.apply.unknown = cli->validate[0] == 's' ? VALIDATE_STRICT : cli->validate[0] == 'w' ? VALIDATE_WARN : VALIDATE_IGNORE;
	if (cli->dry_run)               /* on a copy that is forgotten */
		return dry(cli, w, err);
	w->lab = lab_open(cli_lab(cli), create ? LAB_CREATE : LAB_WRITE, &fresh, err);
	if (!w->lab)
		return false;
	if (fresh) {
		w->made = absent;
		world_init(&w->world, &w->opt);
		defaults_add_namespaces(w->world.cluster);
		return true;
	}
	if (!lab_find(w->lab, NULL, &now, err) || !lab_load_world(w->lab, now, &w->world, err)) {
		lab_close(w->lab);
		w->lab = NULL;
		return false;
	}
	w->from = cluster_now(w->world.cluster);
	return true;
}

bool labwork_end(struct cli *cli, struct labwork *w, bool ok, struct err *err)
{
	struct lab_input in = { .argv = (const char *const *)cli->argv, .argc = (uint32_t)cli->argc, .docs = w->docs.v, .nr_docs = w->docs.nr, .from = w->from };

	ok = ok && !err_any(err);
	if (ok && !cli->dry_run) {
		w->opt.no_settle = cli->no_settle;
		world_settle(&w->world, &w->opt);
		if (!w->world.settled.settled && !cli->no_settle && w->world.settled.moving)
			err_warn(err, NULL, "not settled after one virtual hour: %s still moves", w->world.settled.moving);
		ok = lab_save_world(w->lab, &w->world, &in, err);
	}
	lab_close(w->lab);
	world_free(&w->world);
	if (!ok && w->made)
		labwork_remove(cli_lab(cli));
	if (ok && !cli->dry_run)
		inside_follow(cli, err);
	return ok;
}

/* A moment within a command: the command is done again from the state before it. */
static bool go_on(struct cli *cli, struct lab *lab, struct lab_point at, struct world *w, struct err *err)
{
	struct lab_history h;

	if (at.at == NEVER)
		return true;
	if (!lab_history(lab, cli->arena, &h, err))
		return false;
	for (uint32_t k = 0; k < h.nr; k++)
		if (h.v[k].nr == at.input + 1)
			return history_redo(w, &h.v[k], at.at, err);
	return true;
}

bool labwork_read(struct cli *cli, struct world *w, struct err *err)
{
	struct lab *lab = lab_open(cli_lab(cli), LAB_READ, NULL, err);
	struct lab_point at;
	bool ok = lab && lab_find(lab, cli->at, &at, err) && lab_load_world(lab, at, w, err);

	if (ok && !go_on(cli, lab, at, w, err)) {
		world_free(w);
		ok = false;
	}
	lab_close(lab);
	return ok;
}
