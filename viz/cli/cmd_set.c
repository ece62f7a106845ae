/* set image, env, resources, selector, serviceaccount (staging/src/k8s.io/kubectl/pkg/cmd/set). */
#include <fnmatch.h>

#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "viz/cli/changing.h"
#include "viz/cli/select.h"

static struct val *pod_spec(struct val *doc)
{
	struct val *cron = val_path_mut(doc, "spec.jobTemplate.spec.template.spec"), *template = val_path_mut(doc, "spec.template.spec");

	return cron ? cron : template ? template : val_get_mut(doc, "spec");
}

static struct val *containers_of(struct val *doc, const char *list)
{
	return val_get_mut(pod_spec(doc), list);
}

/* ---- image: CONTAINER=IMAGE, or *=IMAGE */

static struct val *set_images(struct cli *cli, struct val *doc, const char *word, struct err *err)
{
	const char *eq = strchr(word, '='), *const lists[] = { "containers", "initContainers" };
	uint32_t found = 0;

	if (!eq)
		return err_add(err, ERR_INPUT, NULL, "\"%s\" is not CONTAINER=IMAGE", word), NULL;
	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		struct val *list = containers_of(doc, lists[l]);

		for (struct val *c = list ? list->first : NULL; c; c = c->next) {
			const char *name = val_str(val_get(c, "name"));

			if (name && (strncmp(word, "*=", 2) == 0 || (strlen(name) == (size_t)(eq - word) && strncmp(name, word, strlen(name)) == 0))) {
				val_put(cli->arena, c, "image", val_string(cli->arena, eq + 1));
				found++;
			}
		}
	}
	return found ? doc : (err_add(err, ERR_FAILED, NULL, "unable to find container named \"%.*s\"", (int)(eq - word), word), NULL);
}

/* ---- containers by --containers */

static bool asked_for(const struct cli *cli, const struct val *container)
{
	const char *name = val_str(val_get(container, "name"));

	return !cli->container || fnmatch(cli->container, name ? name : "", 0) == 0;
}

static bool any_container(struct cli *cli, const struct object *o, struct val *doc, struct err *err)
{
	VAL_EACH(c, containers_of(doc, "containers"))
		if (asked_for(cli, c))
			return true;
	return err_add(err, ERR_FAILED, NULL, "%s/%s does not have any containers matching \"%s\"", resource_word(cli->arena, o->kind), o->name, cli->container ? cli->container : "*");
}

/* ---- env: NAME=VALUE, NAME- */

/* A name that is there keeps its place (updateEnv). */
static struct val *set_env(struct cli *cli, struct val *doc, const char *word, struct err *err)
{
	const char *eq = strchr(word, '=');
	size_t n = eq ? (size_t)(eq - word) : strlen(word) - (*word != '\0');

	if (!n || (!eq && word[n] != '-'))
		return err_add(err, ERR_INPUT, NULL, "\"%s\" is neither NAME=VALUE nor NAME-", word), NULL;
	VAL_EACH_MUT(c, containers_of(doc, "containers")) {
		struct val *env, *one = eq ? val_new(cli->arena, VAL_MAP) : NULL;

		if (!asked_for(cli, c))
			continue;
		if (one) {
			val_put(cli->arena, one, "name", val_string(cli->arena, arena_strndup(cli->arena, word, n)));
			val_put(cli->arena, one, "value", val_string(cli->arena, eq + 1));
		}
		env = val_new(cli->arena, VAL_LIST);
		VAL_EACH(e, val_get(c, "env")) {
			const char *name = val_str(val_get(e, "name"));

			if (!name || strlen(name) != n || strncmp(name, word, n) != 0)
				val_add(cli->arena, env, val_copy(cli->arena, e));
			else if (one)
				val_add(cli->arena, env, one), one = NULL;
		}
		if (one)
			val_add(cli->arena, env, one);
		val_put(cli->arena, c, "env", env);
	}
	return doc;
}

static const char *source_text(struct cli *cli, const struct val *from)
{
	static const char *const refs[][2] = { { "configMapKeyRef", "configmap" }, { "secretKeyRef", "secret" } };
	const struct val *resource = val_get(from, "resourceFieldRef");
	const char *container = val_str_at(resource, "containerName");

	for (size_t k = 0; k < ARRAY_LEN(refs); k++)
		if (val_get(from, refs[k][0]))
			return arena_printf(cli->arena, "%s %s, key %s", refs[k][1], val_str_at(val_get(from, refs[k][0]), "name"), val_str_at(val_get(from, refs[k][0]), "key"));
	if (val_get(from, "fieldRef"))
		return arena_printf(cli->arena, "field path %s", val_str_at(val_get(from, "fieldRef"), "fieldPath"));
	if (resource)
		return arena_printf(cli->arena, "resource field %s%s%s", container ? container : "", container ? "/" : "", val_str_at(resource, "resource"));
	return "invalid valueFrom";
}

static void list_env(struct cli *cli, const struct object *o, struct val *doc, bool several)
{
	(void)several;
	VAL_EACH(c, containers_of(doc, "containers")) {
		if (!asked_for(cli, c))
			continue;
		fprintf(cli->to, "# %s %s, container %s\n", o->kind->name, o->name, val_str_at(c, "name"));
		VAL_EACH(e, val_get(c, "env"))
			if (val_get(e, "valueFrom"))
				fprintf(cli->to, "# %s from %s\n", val_str_at(e, "name"), source_text(cli, val_get(e, "valueFrom")));
			else
				fprintf(cli->to, "%s=%s\n", val_str_at(e, "name"), val_str_at(e, "value") ? val_str_at(e, "value") : "");
	}
}

static struct val *set_words(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	bool image = strcmp(cli->rest.v[0], "image") == 0;
	struct val *doc = labwork_document(cli, w, o);

	if (!any_container(cli, o, doc, err))
		return NULL;
	for (uint32_t k = names_before(cli, "="); doc && k < cli->args.nr; k++)
		doc = image ? set_images(cli, doc, cli->args.v[k], err) : set_env(cli, doc, cli->args.v[k], err);
	return doc;
}

/* ---- resources */

static bool put_amounts(struct cli *cli, struct val *resources, const char *key, const char *text, struct err *err)
{
	struct val *map = text ? val_get_or_put(cli->arena, resources, key, VAL_MAP) : NULL;

	for (const char *p = text; p && *p;) {
		size_t n = strcspn(p, ","), name = MIN(strcspn(p, "="), n);
		const char *value = name < n ? arena_strndup(cli->arena, p + name + 1, n - name - 1) : "";
		int64_t milli;

		if (!name || name >= n)
			return err_add(err, ERR_INPUT, NULL, "--%s: \"%.*s\" is not RESOURCE=AMOUNT", key, (int)n, p);
		if (!quantity_parse(value, &milli))
			return err_add(err, ERR_INPUT, NULL, "--%s: \"%s\" is no amount, as 200m or 512Mi", key, value);
		val_put(cli->arena, map, arena_strndup(cli->arena, p, name), val_string(cli->arena, value));
		p += n + (p[n] == ',');
	}
	return true;
}

static struct val *set_resources(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *doc = labwork_document(cli, w, o);

	if (!any_container(cli, o, doc, err))
		return NULL;
	VAL_EACH_MUT(c, containers_of(doc, "containers")) {
		struct val *resources = asked_for(cli, c) ? val_get_or_put(cli->arena, c, "resources", VAL_MAP) : NULL;

		if (resources && (!put_amounts(cli, resources, "limits", cli->limits, err) || !put_amounts(cli, resources, "requests", cli->requests, err)))
			return NULL;
	}
	return doc;
}

/* ---- selector, serviceaccount */

static struct val *set_selector(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *doc = labwork_document(cli, w, o), *map = val_new(cli->arena, VAL_MAP);

	if (o->kind != &service_kind)
		return err_add(err, ERR_INPUT, NULL, "setting a selector is only supported for Services"), NULL;
	for (const char *p = cli->args.v[cli->args.nr - 1]; *p;) {
		size_t n = strcspn(p, ","), key = MIN(strcspn(p, "="), n);

		if (!key || key >= n)
			return err_add(err, ERR_INPUT, NULL, "\"%.*s\" is not KEY=VALUE: a Service selects by equal labels alone", (int)n, p), NULL;
		val_put(cli->arena, map, arena_strndup(cli->arena, p, key), val_string(cli->arena, arena_strndup(cli->arena, p + key + 1, n - key - 1)));
		p += n + (p[n] == ',');
	}
	val_put(cli->arena, val_get_or_put(cli->arena, doc, "spec", VAL_MAP), "selector", map);
	return doc;
}

static struct val *set_account(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *doc = labwork_document(cli, w, o), *spec = pod_spec(doc);

	if (!val_get(spec, "containers"))
		return err_add(err, ERR_INPUT, NULL, "%s \"%s\" has no Pods whose service account could be set", o->kind->name, o->name), NULL;
	val_put(cli->arena, spec, "serviceAccountName", val_string(cli->arena, cli->args.v[cli->args.nr - 1]));
	return doc;
}

/* What stands behind the objects' names. */
enum behind { NOTHING, ONE_WORD, PAIRS };

static const struct { const char *word, *short_word; change_fn fn; const char *done; enum behind behind; const char *const *takes; } parts[] = {
	{ "image", NULL, set_words, "image updated", PAIRS, CHANGE_TAKES() },
	{ "env", NULL, set_words, "env updated", PAIRS, CHANGE_TAKES("containers", "list", "overwrite") },
	{ "resources", NULL, set_resources, "resource requirements updated", NOTHING, CHANGE_TAKES("containers", "limits", "requests") },
	{ "selector", NULL, set_selector, "selector updated", ONE_WORD, CHANGE_TAKES() },
	{ "serviceaccount", "sa", set_account, "serviceaccount updated", ONE_WORD, CHANGE_TAKES() },
};

enum err_kind cmd_set(struct cli *cli, struct err *err)
{
	const char *what = cli->args.nr ? cli->args.v[0] : "";
	uint32_t names;
	size_t k = 0;

	while (k < ARRAY_LEN(parts) && strcmp(what, parts[k].word) != 0 && !streq(parts[k].short_word, what))
		k++;
	if (k == ARRAY_LEN(parts))
		return cli_usage(cli, err, "set what? image, env, resources, selector or serviceaccount");
	if (!options_only(cli, G_PATCH, parts[k].takes, what, err))
		return err_kind(err);
	cli->args.v++;
	cli->args.nr--;
	cli->rest = (struct texts){ 0 };
	vec_add(cli->arena, &cli->rest, what);
	names = parts[k].behind == PAIRS ? names_before(cli, "=") : cli->args.nr - MIN(cli->args.nr, parts[k].behind == ONE_WORD ? 1u : 0u);
	if (cli->list && strcmp(what, "env") == 0 && names && names == cli->args.nr)
		return list_objects(cli, list_env, err);
	if (!names_objects(cli, names) || (parts[k].behind == PAIRS && names == cli->args.nr))
		return cli_usage(cli, err, "set %s needs an object and what to set", what);
	if (parts[k].fn == set_resources && !cli->limits && !cli->requests)
		return cli_usage(cli, err, "you must specify an update to requests or limits (in the form of --requests/--limits)");
	return change_objects(cli, parts[k].fn, parts[k].done, parts[k].done, names, err);
}
