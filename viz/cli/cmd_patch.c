/* patch, scale, label, annotate: a part of an object is changed; the rest stays as it was applied. */
#include <stdlib.h>

#include "viz/cli/labwork.h"
#include "viz/cli/select.h"

/* The document of an object as it would be applied now: what was applied, or all of it for one that a controller made. */
static struct val *document(struct cli *cli, struct labwork *w, const struct object *o)
{
	return o->doc ? val_copy(cli->arena, o->doc) : object_render(w->world.cluster, o, cli->arena);
}

typedef struct val *(*change_fn)(struct cli *, struct labwork *, const struct object *, struct err *);

static enum err_kind change(struct cli *cli, change_fn fn, const char *done, uint32_t names, struct err *err)
{
	struct texts all = cli->args;
	struct selection s;
	struct labwork w;

	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	w.opt.apply.unknown = VALIDATE_IGNORE;
	cli->args.nr = MIN(cli->args.nr, names);
	if (select_objects(cli, w.world.cluster, &s, err)) {
		cli->args = all;
		if (!s.objects.nr)
			err_add(err, ERR_FAILED, NULL, "nothing is selected");
		for (uint32_t k = 0; k < s.objects.nr && !err_any(err); k++) {
			struct val *to = fn(cli, &w, s.objects.v[k], err);

			if (to && apply_replace(w.world.cluster, s.objects.v[k], to, &w.opt.apply, err) != APPLY_ERROR) {
				vec_add(cli->arena, &w.docs, (struct doc){ s.objects.v[k]->file ? s.objects.v[k]->file : "-", to });
				fprintf(cli->to, "%s/%s %s\n", s.objects.v[k]->kind->plural, s.objects.v[k]->name, done);
			}
		}
	}
	labwork_end(cli, &w, true, err);
	return err_kind(err);
}

/* ---- patch: merge patches (RFC 7386); strategic ones merge lists of maps by their key */

static const char *merge_key(const char *list)
{
	static const struct { const char *list, *key; } rows[] = {
		{ "containers", "name" }, { "initContainers", "name" }, { "env", "name" }, { "volumes", "name" }, { "volumeMounts", "mountPath" }, { "ports", "containerPort" },
		{ "tolerations", "key" }, { "hostAliases", "ip" }, { "imagePullSecrets", "name" }, { "ownerReferences", "uid" }, { "taints", "key" }, { "addresses", "type" },
		{ "conditions", "type" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (strcmp(rows[k].list, list) == 0)
			return rows[k].key;
	return NULL;
}

static struct val *strategic(struct arena *a, const struct val *to, const struct val *patch);

static const struct val *member(const struct val *list, const char *key, const struct val *of)
{
	const struct val *want = val_get(of, key);

	VAL_EACH(m, list)
		if (want && val_get(m, key) && val_equal(val_get(m, key), want))
			return m;
	return NULL;
}

static struct val *merge_list(struct arena *a, const struct val *to, const struct val *patch, const char *name)
{
	const char *key = merge_key(name);
	struct val *out;

	if (key && strcmp(key, "containerPort") == 0 && patch->first && !val_get(patch->first, key))
		key = "port";           /* a Service's ports */
	if (!key || !to || to->type != VAL_LIST || (patch->first && patch->first->type != VAL_MAP))
		return val_copy(a, patch);
	out = val_new(a, VAL_LIST);
	VAL_EACH(m, to) {
		const struct val *p = member(patch, key, m);

		if (p && streq(val_str(val_get(p, "$patch")), "delete"))
			continue;
		val_add(a, out, p ? strategic(a, m, p) : val_copy(a, m));
	}
	VAL_EACH(p, patch)
		if (!member(to, key, p) && !val_get(p, "$patch"))
			val_add(a, out, val_copy(a, p));
	return out;
}

static struct val *strategic(struct arena *a, const struct val *to, const struct val *patch)
{
	struct val *out;

	if (patch->type != VAL_MAP || !to || to->type != VAL_MAP)
		return val_copy(a, patch);
	out = val_copy(a, to);
	VAL_EACH(p, patch) {
		const struct val *have = val_get(to, p->key);

		if (p->type == VAL_NULL)
			val_del(out, p->key);
		else if (p->type == VAL_LIST)
			val_put(a, out, p->key, merge_list(a, have, p, p->key));
		else
			val_put(a, out, p->key, strategic(a, have, p));
	}
	return out;
}

static struct val *patched(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *patch = yaml_parse(cli->arena, "--patch", cli->patch, strlen(cli->patch), NULL, err);
	bool merge = cli->patch_type && strcmp(cli->patch_type, "merge") == 0;

	if (!patch)
		return NULL;
	if (patch->type != VAL_MAP)
		return err_add(err, ERR_INPUT, NULL, "--patch: a map was expected, as {spec: {replicas: 3}}"), NULL;
	return merge ? val_merge_patch(cli->arena, document(cli, w, o), patch) : strategic(cli->arena, document(cli, w, o), patch);
}

enum err_kind cmd_patch(struct cli *cli, struct err *err)
{
	if (!cli->patch || !cli->args.nr)
		return cli_usage(cli, err, "patch needs an object and -p PATCH");
	if (cli->patch_type && strcmp(cli->patch_type, "merge") != 0 && strcmp(cli->patch_type, "strategic") != 0)
		return cli_usage(cli, err, "--patch-type: \"%s\" is not merge or strategic", cli->patch_type);
	return change(cli, patched, "patched", UINT32_MAX, err);
}

/* ---- scale */

static struct val *scaled(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *doc = document(cli, w, o), *spec = (struct val *)(uintptr_t)val_get(doc, "spec");

	if (!spec || (o->kind != &deployment_kind && o->kind != &replicaset_kind && o->kind != &statefulset_kind && o->kind != &replication_controller_kind))
		return err_add(err, ERR_INPUT, NULL, "%s \"%s\" cannot be scaled: it has no replicas", o->kind->name, o->name), NULL;
	val_put(cli->arena, spec, "replicas", val_int(cli->arena, strtol(cli->replicas, NULL, 10)));
	return doc;
}

enum err_kind cmd_scale(struct cli *cli, struct err *err)
{
	if (!cli->replicas || strspn(cli->replicas, "0123456789") != strlen(cli->replicas) || !*cli->replicas || !cli->args.nr)
		return cli_usage(cli, err, "scale needs an object and --replicas N");
	return change(cli, scaled, "scaled", UINT32_MAX, err);
}

/* ---- label, annotate: KEY=VALUE sets, KEY- removes */

static struct val *noted(struct cli *cli, struct labwork *w, const struct object *o, const char *where, struct err *err)
{
	struct val *doc = document(cli, w, o), *meta = (struct val *)(uintptr_t)val_get(doc, "metadata"), *map;

	if (!val_get(meta, where))
		val_put(cli->arena, meta, where, val_new(cli->arena, VAL_MAP));
	map = (struct val *)(uintptr_t)val_get(meta, where);
	for (uint32_t k = strchr(cli->args.v[0], '/') ? 1 : 2; k < cli->args.nr; k++) {
		const char *eq = strchr(cli->args.v[k], '=');
		size_t n = eq ? (size_t)(eq - cli->args.v[k]) : strlen(cli->args.v[k]) - 1;
		const char *key = arena_strndup(cli->arena, cli->args.v[k], n);
		const struct val *have = val_get(map, key);

		if (!eq && cli->args.v[k][n] != '-')
			return err_add(err, ERR_INPUT, NULL, "\"%s\" is neither KEY=VALUE nor KEY-", cli->args.v[k]), NULL;
		if (!eq)
			val_del(map, key);
		else if (have && !streq(val_str(have), eq + 1) && !cli->overwrite)
			return err_add(err, ERR_FAILED, NULL, "'%s' already has a value (%s), and --overwrite is false", key, val_str(have)), NULL;
		else
			val_put(cli->arena, map, key, val_string(cli->arena, eq + 1));
	}
	return doc;
}

static struct val *labelled(struct cli *cli, struct labwork *w, const struct object *o, struct err *err) { return noted(cli, w, o, "labels", err); }
static struct val *annotated(struct cli *cli, struct labwork *w, const struct object *o, struct err *err) { return noted(cli, w, o, "annotations", err); }

static enum err_kind note(struct cli *cli, change_fn fn, const char *done, struct err *err)
{
	bool slash = cli->args.nr && strchr(cli->args.v[0], '/');

	if (cli->args.nr < (slash ? 2u : 3u))
		return cli_usage(cli, err, "%s needs an object and KEY=VALUE or KEY-", cli->command);
	return change(cli, fn, done, slash ? 1 : 2, err);
}

enum err_kind cmd_label(struct cli *cli, struct err *err) { return note(cli, labelled, "labeled", err); }
enum err_kind cmd_annotate(struct cli *cli, struct err *err) { return note(cli, annotated, "annotated", err); }
