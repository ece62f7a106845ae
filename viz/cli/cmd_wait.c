/* wait: virtual time passes until the objects are as --for says (staging/src/k8s.io/kubectl/pkg/cmd/wait). */
#include <stdlib.h>
#include <strings.h>

#include "model/base/quantity.h"
#include "viz/cli/labwork.h"
#include "viz/cli/select.h"
#include "viz/report/jsonpath_print.h"

enum goal { GOAL_CONDITION, GOAL_PATH, GOAL_CREATED, GOAL_DELETED };
struct aim {
	enum goal goal;
	const char *what, *value;       /* the condition's name, or the path; value NULL: any */
};
struct waiting {
	struct cli *cli;
	struct labwork *w;
	VEC(struct aim) aims;           /* one after the other */
	nsec until;
	bool at_once;                   /* no time may pass */
};

static bool read_timeout(struct cli *cli, nsec *out, struct err *err)
{
	*out = SECONDS(30);
	if (!cli->timeout)
		return true;
	if (streq(cli->timeout, "-1") || streq(cli->timeout, "-1s")) {
		*out = SECONDS(7 * 24 * 3600);
		return true;
	}
	if (streq(cli->timeout, "0")) {
		*out = 0;
		return true;
	}
	return (duration_parse(cli->timeout, out) && *out >= 0) || cli_usage(cli, err, "--timeout: \"%s\" is not a duration, as 30s", cli->timeout) == ERR_NONE;
}

/* The = that splits a path from its value: not one of ==. */
static char *value_behind(char *text)
{
	char *p = strchr(text, '=');

	while (p && p[1] == '=')
		p = strchr(p + 2, '=');
	return p;
}

static const char *unquoted(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	return n > 1 && (*s == '\'' || *s == '"') && s[n - 1] == *s ? arena_strndup(a, s + 1, n - 2) : s;
}

/* PATH[=VALUE]: quotes around either are the shell's or the writer's. */
static bool read_path(struct waiting *x, const char *text, struct aim *aim, struct err *err)
{
	char *path = arena_strdup(x->cli->arena, text), *eq = value_behind(path);

	if (eq) {
		*eq = '\0';
		aim->value = unquoted(x->cli->arena, eq + 1);
		if (value_behind(eq + 1))
			return cli_usage(x->cli, err, "--for: jsonpath wait format must be jsonpath='{.status.readyReplicas}'=3 or jsonpath='{.status.readyReplicas}'") == ERR_NONE;
	}
	aim->what = unquoted(x->cli->arena, path);
	aim->goal = GOAL_PATH;
	if (!*aim->what)
		return cli_usage(x->cli, err, "--for: jsonpath expression cannot be empty") == ERR_NONE;
	if (aim->value && !*aim->value)
		return cli_usage(x->cli, err, "--for: jsonpath wait has to have a value after equal sign, like jsonpath='{.status.readyReplicas}'=3") == ERR_NONE;
	return true;
}

static bool read_aim(struct waiting *x, const char *text, struct aim *aim, struct err *err)
{
	if (strcasecmp(text, "delete") == 0 || strcasecmp(text, "create") == 0) {
		aim->goal = strcasecmp(text, "delete") == 0 ? GOAL_DELETED : GOAL_CREATED;
		return true;
	}
	if (strncmp(text, "condition=", 10) == 0) {
		char *name = arena_strdup(x->cli->arena, text + 10), *eq = strchr(name, '=');

		aim->value = eq ? eq + 1 : "True";
		if (eq)
			*eq = '\0';
		aim->what = name;
		aim->goal = GOAL_CONDITION;
		return *name || cli_usage(x->cli, err, "--for: condition= needs a name, as condition=Ready") == ERR_NONE;
	}
	if (strncmp(text, "jsonpath=", 9) == 0)
		return read_path(x, text + 9, aim, err);
	return cli_usage(x->cli, err, "--for: \"%s\" is not condition=NAME[=VALUE], jsonpath='{PATH}'[=VALUE], create or delete", text) == ERR_NONE;
}

/* Several are waited for in their order, but create comes first (RunWaitContext). */
static bool read_aims(struct waiting *x, struct err *err)
{
	const struct texts *all = &x->cli->aims;

	if (!all->nr)
		return cli_usage(x->cli, err, "wait for what? --for") == ERR_NONE;
	for (int later = 0; later < 2; later++)
		for (uint32_t k = 0; k < all->nr; k++) {
			struct aim aim = { 0 };

			if (!read_aim(x, all->v[k], &aim, err))
				return false;
			if ((aim.goal == GOAL_CREATED) != later)
				vec_add(x->cli->arena, &x->aims, aim);
		}
	return true;
}

static bool aims_at(const struct waiting *x, enum goal goal)
{
	for (uint32_t k = 0; k < x->aims.nr; k++)
		if (x->aims.v[k].goal == goal)
			return true;
	return false;
}

/* A condition of an older generation than the object's says nothing. */
static bool condition_holds(const struct val *doc, const char *name, const char *value)
{
	VAL_EACH(c, val_path(doc, "status.conditions")) {
		const char *type = val_str_at(c, "type"), *status = val_str_at(c, "status");
		const struct val *of = val_get(c, "observedGeneration") ? val_get(c, "observedGeneration") : val_path(doc, "status.observedGeneration");

		if (!type || !status || strcasecmp(type, name) != 0)
			continue;
		if (of && val_int_or(of, 0) < val_int_or(val_path(doc, "metadata.generation"), 0))
			return false;
		return strcasecmp(status, value) == 0;
	}
	return false;
}

static bool path_holds(struct waiting *x, const struct aim *aim, const struct val *doc, struct err *err)
{
	struct val_list found = { 0 };
	struct sb text = { 0 };
	bool holds;

	if (!jsonpath(x->cli->arena, doc, aim->what, &found, err))
		return false;
	if (found.nr != 1) {
		if (found.nr)
			err_add(err, ERR_INPUT, NULL, "--for: %s finds %u values: wait needs one", aim->what, found.nr);
		return false;
	}
	if (found.v[0]->type == VAL_MAP || found.v[0]->type == VAL_LIST)
		return !aim->value || err_add(err, ERR_INPUT, NULL, "--for: %s is an %s, which is compared with no value", aim->what, val_type_names[found.v[0]->type]);
	if (val_str(found.v[0]))
		sb_add(&text, val_str(found.v[0]));
	else
		val_print_json(found.v[0], &text, 0, false);
	holds = !aim->value || strcmp(sb_text(&text), aim->value) == 0;
	sb_free(&text);
	return holds;
}

static bool holds(struct waiting *x, const struct aim *aim, const struct kind *k, const char *ns, const char *name, struct err *err)
{
	struct object *o = cluster_find(x->w->world.cluster, k, ns, name);
	const struct val *doc;

	if (aim->goal == GOAL_DELETED || aim->goal == GOAL_CREATED)
		return (o != NULL) == (aim->goal == GOAL_CREATED);
	if (!o)
		return err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found", resource_plural(x->cli->arena, k), name);
	doc = object_render(x->w->world.cluster, o, x->cli->arena);
	return aim->goal == GOAL_CONDITION ? condition_holds(doc, aim->what, aim->value) : path_holds(x, aim, doc, err);
}

/* What is looked at is forgotten: in a week there are many looks. */
static bool look(struct waiting *x, const struct aim *aim, const struct kind *k, const char *ns, const char *name, struct err *err)
{
	struct arena_mark mark = arena_mark(x->cli->arena);
	bool is = holds(x, aim, k, ns, name, err);

	arena_rewind(x->cli->arena, mark);
	return is;
}

static bool wait_one_aim(struct waiting *x, const struct aim *aim, const struct kind *k, const char *ns, const char *name, struct err *err)
{
	struct control *control = x->w->world.control;

	while (!look(x, aim, k, ns, name, err)) {
		nsec next = control_next(control);

		if (err_any(err))
			return false;
		if (next > x->until)
			return err_add(err, ERR_FAILED, NULL, x->at_once ? "condition not met for %s/%s" : "timed out waiting for the condition on %s/%s", k->plural, name);
		control_advance_until(control, next, NULL, NULL);
	}
	return true;
}

static bool wait_for(struct waiting *x, const struct kind *k, const char *ns, const char *name, struct sb *said, struct err *err)
{
	for (uint32_t i = 0; i < x->aims.nr; i++) {
		if (!wait_one_aim(x, &x->aims.v[i], k, ns, name, err))
			return false;
		sb_printf(said, "%s/%s condition met\n", resource_word(x->cli->arena, k), name);
	}
	return true;
}

/* Objects are remembered by their names: they may go while time passes. */
static void wait_all(struct waiting *x, const struct selection *s, struct sb *said, struct err *err)
{
	struct { const struct kind *k; const char *ns, *name; } *all = arena_alloc(x->cli->arena, (s->objects.nr + 1) * sizeof(*all), alignof(void *));

	for (uint32_t k = 0; k < s->objects.nr; k++) {
		all[k].k = s->objects.v[k]->kind;
		all[k].ns = s->objects.v[k]->ns;
		all[k].name = s->objects.v[k]->name;
	}
	for (uint32_t k = 0; k < s->objects.nr; k++)
		wait_for(x, all[k].k, all[k].ns, all[k].name, said, err);
}

static void wait_one(struct waiting *x, const char *kind, size_t n, const char *name, struct sb *said, struct err *err)
{
	const struct kind *k = kind_named(x->w->world.cluster, arena_strndup(x->cli->arena, kind, n), err);

	if (k)
		wait_for(x, k, k->namespaced ? cli_ns(x->cli) : NULL, name, said, err);
}

/* What is waited for need not be there: KIND/NAME…, or each of KIND,… with each NAME. */
static void wait_named(struct waiting *x, struct sb *said, struct err *err)
{
	const struct texts *args = &x->cli->args;
	const char *first = args->v[0];

	for (uint32_t i = 0; i < args->nr; i++)
		if (!strchr(args->v[i], '/') != !strchr(first, '/')) {
			cli_usage(x->cli, err, "\"%s\": with KIND/NAME, every argument is one", strchr(first, '/') ? args->v[i] : first);
			return;
		}
	if (strchr(first, '/')) {
		for (uint32_t i = 0; i < args->nr && !err_any(err); i++)
			wait_one(x, args->v[i], strcspn(args->v[i], "/"), strchr(args->v[i], '/') + 1, said, err);
		return;
	}
	for (const char *p = first; *p;) {
		size_t n = strcspn(p, ",");

		for (uint32_t i = 1; i < args->nr && !err_any(err); i++)
			wait_one(x, p, n, args->v[i], said, err);
		p += n + (p[n] == ',');
	}
}

enum err_kind cmd_wait(struct cli *cli, struct err *err)
{
	struct waiting x = { .cli = cli };
	bool by_kind = cli->args.nr == 1 && !strchr(cli->args.v[0], '/');
	struct labwork w;
	struct selection s;
	struct sb said = { 0 };
	nsec timeout;

	if (!cli->args.nr)
		return cli_usage(cli, err, "wait for which objects?");
	if (!read_aims(&x, err) || !read_timeout(cli, &timeout, err))
		return err_kind(err);
	if (by_kind && !cli->selector && !cli->all && !cli->all_ns)
		return cli_usage(cli, err, "resource(s) were provided, but no name was specified: wait needs names, a selector or --all");
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	x.w = &w;
	x.until = cluster_now(w.world.cluster) + timeout;
	x.at_once = timeout == 0;
	if (!by_kind && (aims_at(&x, GOAL_CREATED) || aims_at(&x, GOAL_DELETED))) {
		wait_named(&x, &said, err);
	} else if (select_objects(cli, w.world.cluster, &s, err)) {
		if (!s.objects.nr && !aims_at(&x, GOAL_DELETED))
			err_add(err, ERR_FAILED, NULL, "no matching resources found");
		wait_all(&x, &s, &said, err);
	}
	fputs(sb_text(&said), cli->to);
	sb_free(&said);
	cli->no_settle = true;
	labwork_end(cli, &w, true, err);
	return err_kind(err);
}
