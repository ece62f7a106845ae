/* patch, scale, label, annotate, taint: a part of an object is changed; the rest stays as it was applied. */
#include <stdlib.h>

#include "model/cluster/merge.h"
#include "viz/cli/changing.h"
#include "viz/cli/select.h"

/* --resource-version */
static bool version_fits(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	const char *have = cli->resource_version ? val_str_at(object_render(w->world.cluster, o, cli->arena), "metadata.resourceVersion") : NULL;

	return !cli->resource_version || streq(have, cli->resource_version) ||
	       err_add(err, ERR_FAILED, NULL, "Expected resource version to be %s, was %s", cli->resource_version, have ? have : "");
}

enum err_kind change_objects(struct cli *cli, change_fn fn, const char *done, const char *unchanged, uint32_t names, struct err *err)
{
	struct texts all = cli->args;
	struct selection s;
	struct labwork w;
	struct sb said = { 0 };

	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	cli->args.nr = names;
	if (select_objects(cli, w.world.cluster, &s, err)) {
		cli->args = all;
		if (!s.objects.nr)
			err_add(err, ERR_FAILED, NULL, "nothing is selected");
		for (uint32_t k = 0; k < s.objects.nr && !err_any(err); k++) {
			struct object *o = s.objects.v[k];
			struct val *to = version_fits(cli, &w, o, err) ? fn(cli, &w, o, err) : NULL;
			enum apply_result how = to ? labwork_change(cli, &w, o, to, err) : APPLY_ERROR;

			if (how != APPLY_ERROR)
				sb_printf(&said, "%s/%s %s%s\n", resource_word(cli->arena, o->kind), o->name, how == APPLY_UNCHANGED ? unchanged : done, labwork_mark(cli));
		}
	}
	cli->args = all;
	if (labwork_end(cli, &w, true, err) || cli->dry_run)
		if (!err_any(err) && !cli->quiet)
			fputs(sb_text(&said), cli->to);
	sb_free(&said);
	return err_kind(err);
}

uint32_t names_before(const struct cli *cli, const char *signs)
{
	uint32_t k = 0;

	while (k < cli->args.nr && !strpbrk(cli->args.v[k], signs) && cli->args.v[k][0] && cli->args.v[k][strlen(cli->args.v[k]) - 1] != '-')
		k++;
	return k;
}

bool names_objects(const struct cli *cli, uint32_t names)
{
	return names > 1 || (names && (strchr(cli->args.v[0], '/') || cli->selector || cli->all));
}

enum err_kind list_objects(struct cli *cli, list_fn show, struct err *err)
{
	struct selection s;
	struct world w;

	if (!labwork_read(cli, &w, err))
		return err_kind(err);
	if (select_objects(cli, w.cluster, &s, err))
		for (uint32_t k = 0; k < s.objects.nr; k++)
			show(cli, s.objects.v[k], object_render(w.cluster, s.objects.v[k], cli->arena), s.objects.nr > 1);
	world_free(&w);
	return err_kind(err);
}

/* ---- patch */

/* What a patch brings stands at no place of the object's file. */
static void forget_places(struct val *v)
{
	v->line = v->col = 0;
	VAL_EACH_MUT(m, v)
		forget_places(m);
}

/* A JSON patch names what the API server keeps, defaults and what it assigned included. */
static struct val *patched_as_it_stands(struct cli *cli, struct labwork *w, const struct object *o, const struct val *doc, const struct val *ops, struct err *err)
{
	struct val *was = object_render(w->world.cluster, o, cli->arena), *now = json_patch(cli->arena, was, ops, err);

	return now ? changes_carry(cli->arena, doc, was, now) : NULL;
}

static const char *patch_type(const struct cli *cli)
{
	return cli->type ? cli->type : cli->patch_type ? cli->patch_type : "strategic";
}

static struct val *patched(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *patch = NULL, *to = labwork_document(cli, w, o);
	const char *type = patch_type(cli);

	if (cli->patch_file) {
		const char *text = file_read(cli, cli->patch_file, err);

		patch = text ? yaml_parse(cli->arena, cli->patch_file, text, strlen(text), NULL, err) : NULL;
	} else {
		patch = yaml_parse(cli->arena, "--patch", cli->patch, strlen(cli->patch), NULL, err);
	}
	if (!patch)
		return NULL;
	forget_places(patch);
	if (strcmp(type, "json") == 0)
		return patched_as_it_stands(cli, w, o, to, patch, err);
	if (patch->type != VAL_MAP)
		return err_add(err, ERR_INPUT, NULL, "--patch: a map was expected, as {spec: {replicas: 3}}"), NULL;
	if (strcmp(type, "merge") == 0)
		return val_merge_patch(cli->arena, to, patch);
	if (!kind_is_strategic(o->kind))
		return err_add(err, ERR_INPUT, NULL, "%s: application/strategic-merge-patch+json is not supported for custom resources; use --type=merge", resource_plural(cli->arena, o->kind)), NULL;
	return strategic_patch(cli->arena, to, patch, err);
}

enum err_kind cmd_patch(struct cli *cli, struct err *err)
{
	const char *type = patch_type(cli);

	if (!options_only(cli, G_PATCH, CHANGE_TAKES("type", "patch", "patch-type", "patch-file"), "", err))
		return err_kind(err);
	if ((!cli->patch && !cli->patch_file) || !names_objects(cli, cli->args.nr))
		return cli_usage(cli, err, "patch needs an object and -p PATCH");
	if (strcmp(type, "merge") != 0 && strcmp(type, "strategic") != 0 && strcmp(type, "json") != 0)
		return cli_usage(cli, err, "--type: \"%s\" is not strategic, merge or json", type);
	return change_objects(cli, patched, "patched", "patched (no change)", cli->args.nr, err);
}

/* ---- scale */

static struct val *scaled(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *doc = labwork_document(cli, w, o), *spec = val_get_mut(doc, "spec");

	if (!spec || !kind_scales(o->kind))
		return err_add(err, ERR_INPUT, NULL, "%s \"%s\" cannot be scaled: it has no replicas", o->kind->name, o->name), NULL;
	if (cli->current_replicas && strcmp(cli->current_replicas, "-1") != 0) {
		int64_t have = val_int_or(val_path(object_render(w->world.cluster, o, cli->arena), "spec.replicas"), 1);

		if (have != strtol(cli->current_replicas, NULL, 10))
			return err_add(err, ERR_FAILED, NULL, "Expected replicas to be %s, was %" PRId64, cli->current_replicas, have), NULL;
	}
	val_put(cli->arena, spec, "replicas", val_int(cli->arena, strtol(cli->replicas, NULL, 10)));
	return doc;
}

static bool counts(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s) && strlen(s) <= 9;
}

enum err_kind cmd_scale(struct cli *cli, struct err *err)
{
	if (!options_only(cli, G_PATCH, CHANGE_TAKES("replicas", "current-replicas", "timeout"), "", err))
		return err_kind(err);
	if (!cli->replicas || !counts(cli->replicas) || !names_objects(cli, cli->args.nr))
		return cli_usage(cli, err, "scale needs an object and --replicas N, and N must be greater than or equal to 0");
	if (cli->current_replicas && strcmp(cli->current_replicas, "-1") != 0 && !counts(cli->current_replicas))
		return cli_usage(cli, err, "--current-replicas: \"%s\" is not an integer of -1 or greater", cli->current_replicas);
	return change_objects(cli, scaled, "scaled", "scaled", cli->args.nr, err);
}

/* ---- label, annotate: KEY=VALUE sets, KEY- removes */

static bool labels(const struct cli *cli)
{
	return strcmp(cli->command, "label") == 0;
}

static struct val *noted(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	const char *where = labels(cli) ? "labels" : "annotations";
	struct val *doc = labwork_document(cli, w, o), *meta = val_get_mut(doc, "metadata"), *map = val_get_or_put(cli->arena, meta, where, VAL_MAP);

	for (uint32_t k = names_before(cli, "="); k < cli->args.nr; k++) {
		const char *word = cli->args.v[k], *eq = strchr(word, '='), *key;
		size_t n = eq ? (size_t)(eq - word) : strlen(word) - (*word != '\0');
		const struct val *have;

		if (!eq && word[n] != '-')
			return err_add(err, ERR_INPUT, NULL, "\"%s\" is neither KEY=VALUE nor KEY-", word), NULL;
		key = arena_strndup(cli->arena, word, n);
		have = val_get(map, key);
		if (!eq && !have)
			err_warn(err, NULL, "%s \"%s\" not found.", labels(cli) ? "label" : "annotation", key);
		else if (!eq)
			val_del(map, key);
		else if (have && !streq(val_str(have), eq + 1) && !cli->overwrite)
			return err_add(err, ERR_FAILED, NULL, "'%s' already has a value (%s), and --overwrite is false", key, val_str(have)), NULL;
		else
			val_put(cli->arena, map, key, val_string(cli->arena, eq + 1));
	}
	if (!map->nr)
		val_del(meta, where);
	return doc;
}

static bool only_removes(const struct cli *cli, uint32_t names)
{
	for (uint32_t k = names; k < cli->args.nr; k++)
		if (strchr(cli->args.v[k], '='))
			return false;
	return true;
}

/* A key that is both set and removed, or NULL. */
static const char *set_and_removed(const struct cli *cli, uint32_t names)
{
	for (uint32_t k = names; k < cli->args.nr; k++)
		for (uint32_t i = names; i < cli->args.nr; i++) {
			size_t n = strlen(cli->args.v[i]) - 1, key = strcspn(cli->args.v[k], "=");

			if (cli->args.v[k][key] && !strchr(cli->args.v[i], '=') && n == key && cli->args.v[i][n] == '-' && strncmp(cli->args.v[k], cli->args.v[i], n) == 0)
				return arena_strndup(cli->arena, cli->args.v[k], key);
		}
	return NULL;
}

/* Sorted by key. */
static void list_notes(struct cli *cli, const struct object *o, struct val *doc, bool several)
{
	const char *where = labels(cli) ? "labels" : "annotations";

	if (several)
		fprintf(cli->to, "Listing %s for %s/%s:\n", where, resource_word(cli->arena, o->kind), o->name);
	VAL_EACH_KEY(v, val_get(val_get(doc, "metadata"), where))
		fprintf(cli->to, "%s%s=%s\n", several ? " " : "", v->key, val_str(v) ? val_str(v) : "");
}

static enum err_kind note(struct cli *cli, const char *set, const char *removed, const char *not, struct err *err)
{
	uint32_t names = names_before(cli, "=");
	const char *both = set_and_removed(cli, names);

	if (!options_only(cli, G_PATCH, CHANGE_TAKES("list", "overwrite"), "", err))
		return err_kind(err);
	if (cli->list && names && names == cli->args.nr)
		return list_objects(cli, list_notes, err);
	if (both)
		return cli_usage(cli, err, "can not both modify and remove %s \"%s\" in the same command", labels(cli) ? "label" : "annotation", both);
	if (!names_objects(cli, names) || names == cli->args.nr)
		return cli_usage(cli, err, "%s needs an object and KEY=VALUE or KEY-", cli->command);
	return change_objects(cli, noted, only_removes(cli, names) ? removed : set, not, names, err);
}

enum err_kind cmd_label(struct cli *cli, struct err *err) { return note(cli, "labeled", "unlabeled", "not labeled", err); }
enum err_kind cmd_annotate(struct cli *cli, struct err *err) { return note(cli, "annotated", "annotated", "annotated", err); }

/* ---- taint: KEY[=VALUE]:EFFECT sets, KEY[:EFFECT]- removes */

struct taint_word { const char *key, *value, *effect; bool removes; };

static bool taint_parse(struct cli *cli, const char *word, struct taint_word *t, struct err *err)
{
	size_t n = strlen(word);
	bool removes = n && word[n - 1] == '-';
	char *text = arena_strndup(cli->arena, word, n - removes), *colon = strrchr(text, ':'), *eq = strchr(text, '=');

	*t = (struct taint_word){ .key = text, .removes = removes };
	if (colon) {
		*colon = '\0';
		t->effect = colon + 1;
	}
	if (eq && (!colon || eq < colon)) {
		*eq = '\0';
		t->value = eq + 1;
	}
	if (!*text || (!removes && !colon))
		return err_add(err, ERR_INPUT, NULL, "\"%s\" is neither KEY[=VALUE]:EFFECT nor KEY[:EFFECT]-", word);
	if (t->effect && strcmp(t->effect, "NoSchedule") != 0 && strcmp(t->effect, "PreferNoSchedule") != 0 && strcmp(t->effect, "NoExecute") != 0)
		return err_add(err, ERR_INPUT, NULL, "invalid taint effect: %s, unsupported taint effect; NoSchedule, PreferNoSchedule or NoExecute", t->effect);
	return true;
}

static struct val *tainted(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *doc = labwork_document(cli, w, o), *spec, *list = val_new(cli->arena, VAL_LIST);
	const struct val *full = object_render(w->world.cluster, o, cli->arena);

	spec = val_get_or_put(cli->arena, doc, "spec", VAL_MAP);
	VAL_EACH(t, val_path(full, "spec.taints"))
		val_add(cli->arena, list, val_copy(cli->arena, t));
	for (uint32_t k = names_before(cli, ":="); k < cli->args.nr; k++) {
		struct taint_word t;
		struct val *rest = val_new(cli->arena, VAL_LIST), *one;
		bool had = false;

		if (!taint_parse(cli, cli->args.v[k], &t, err))
			return NULL;
		VAL_EACH(x, list) {
			bool same = streq(val_str(val_get(x, "key")), t.key) && (!t.effect || streq(val_str(val_get(x, "effect")), t.effect));

			had = had || same;
			if (!same)
				val_add(cli->arena, rest, val_copy(cli->arena, x));
			else if (!t.removes && !cli->overwrite && !streq(val_str(val_get(x, "value")) ? val_str(val_get(x, "value")) : "", t.value ? t.value : ""))
				return err_add(err, ERR_FAILED, NULL, "node %s already has %s taint(s) with same effect(s) and --overwrite is false", o->name, t.key), NULL;
		}
		if (t.removes && !had)
			return err_add(err, ERR_FAILED, NULL, "taint \"%s%s%s\" not found", t.key, t.effect ? ":" : "", t.effect ? t.effect : ""), NULL;
		if (!t.removes) {
			one = val_add(cli->arena, rest, val_new(cli->arena, VAL_MAP));
			val_put(cli->arena, one, "effect", val_string(cli->arena, t.effect));
			val_put(cli->arena, one, "key", val_string(cli->arena, t.key));
			if (t.value)
				val_put(cli->arena, one, "value", val_string(cli->arena, t.value));
		}
		list = rest;
	}
	val_put(cli->arena, spec, "taints", list);
	return doc;
}

enum err_kind cmd_taint(struct cli *cli, struct err *err)
{
	uint32_t names = names_before(cli, ":=");
	const char *done = "untainted";

	if (!options_only(cli, G_PATCH, CHANGE_TAKES("overwrite"), "", err))
		return err_kind(err);
	if (!cli->args.nr || (strcmp(cli->args.v[0], "node") != 0 && strcmp(cli->args.v[0], "nodes") != 0 && strcmp(cli->args.v[0], "no") != 0))
		return cli_usage(cli, err, "only nodes have taints");
	if (!names_objects(cli, names) || names == cli->args.nr)
		return cli_usage(cli, err, "taint needs a node and KEY[=VALUE]:EFFECT or KEY[:EFFECT]-");
	for (uint32_t k = names; k < cli->args.nr; k++)
		if (cli->args.v[k][MAX(strlen(cli->args.v[k]), 1u) - 1] != '-')
			done = "tainted";
	return change_objects(cli, tainted, done, done, names, err);
}
