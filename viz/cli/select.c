#include <stdlib.h>

#include "viz/cli/select.h"

#include "model/control/standing.h"

#include "viz/report/columns.h"
#include "viz/report/endpoints.h"

/* pod/, deployment.apps/ */
const char *resource_word(struct arena *a, const struct kind *k)
{
	const char *slash = strchr(k->apis[0], '/');
	char *word = arena_printf(a, "%s%s%.*s", k->name, slash ? "." : "", slash ? (int)(slash - k->apis[0]) : 0, k->apis[0]);

	for (char *p = word; *p && *p != '.'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	return word;
}

const char *resource_plural(struct arena *a, const struct kind *k)
{
	const char *slash = strchr(k->apis[0], '/');

	return arena_printf(a, "%s%s%.*s", k->plural, slash ? "." : "", slash ? (int)(slash - k->apis[0]) : 0, k->apis[0]);
}

const struct kind *kind_named(struct cluster *c, const char *word, struct err *err)
{
	const struct kind *k = kind_by_word(word);
	const char *names[256] = { NULL };
	size_t nr = 0;

	for (uint32_t i = 0; !k && cluster_pool_kind(c, i); i++) {     /* kinds that only this cluster knows */
		const struct kind *have = cluster_pool_kind(c, i);

		if (kind_has_word(have, word))
			k = have;
	}
	if (k)
		return k;
	for (uint32_t i = 0; kinds[i] && nr + 2 < ARRAY_LEN(names); i++) {
		names[nr++] = kinds[i]->plural;
		names[nr++] = kinds[i]->name;
	}
	if (nearest(word, names))
		err_add(err, ERR_INPUT, NULL, "the server doesn't have a resource type \"%s\"; did you mean \"%s\"?", word, nearest(word, names));
	else
		err_add(err, ERR_INPUT, NULL, "the server doesn't have a resource type \"%s\"; podwire api-resources lists them", word);
	return NULL;
}

/* Of those that are listed, is it one that -l and --field-selector mean? */
static bool wanted(struct cli *cli, struct cluster *c, const struct selection *s, const struct object *o)
{
	struct row r = { .c = c, .o = o, .scratch = cli->arena };

	return (!s->by || selector_matches(s->by, &o->labels)) && (!s->fields.list.nr || fields_match(&s->fields, row_doc(&r)));
}

static bool add_named(struct cli *cli, struct cluster *c, struct selection *s, const struct kind *k, const char *name, struct err *err)
{
	struct object_list l;
	struct object *o;
	const char **names, *near;

	s->by_name = true;
	standing_add(c, k, cli_ns(cli));
	o = cluster_find(c, k, cli_ns(cli), name);
	if (cli->all_ns && k->namespaced)
		return err_add(err, ERR_INPUT, NULL, "a resource cannot be retrieved by name across all namespaces: say which with -n");
	if (!o && k == &endpoints_kind && find_service(c, cli_ns(cli), name))
		o = endpoints_of_service(c, find_service(c, cli_ns(cli), name), cli->arena);
	if (o) {
		vec_add(cli->arena, &s->objects, o);
		return true;
	}
	if (cli->ignore_not_found)
		return true;
	l = k->namespaced ? cluster_list_ns(c, k, cli_ns(cli)) : cluster_list(c, k);
	names = arena_array(cli->arena, const char *, l.nr + 1);
	for (uint32_t i = 0; i < l.nr; i++)
		names[i] = l.v[i]->name;
	near = nearest(name, names);
	return err_add(err, ERR_FAILED, NULL, "%s \"%s\" not found%s%s%s", resource_plural(cli->arena, k), name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void add_endpoints(struct cli *cli, struct cluster *c, struct selection *s)
{
	struct object_list l = cli->all_ns ? cluster_list(c, &service_kind) : cluster_list_ns(c, &service_kind, cli_ns(cli));

	for (uint32_t i = 0; i < l.nr; i++) {
		struct object *o = cluster_find(c, &endpoints_kind, l.v[i]->ns, l.v[i]->name) ? NULL : endpoints_of_service(c, (struct service *)l.v[i], cli->arena);

		if (o && wanted(cli, c, s, o))
			vec_add(cli->arena, &s->objects, o);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a, *y = *(const struct object *const *)b;
	int d = strcmp(x->ns ? x->ns : "", y->ns ? y->ns : "");

	return d ? d : strcmp(x->name, y->name);
}

static void add_all(struct cli *cli, struct cluster *c, struct selection *s, const struct kind *k)
{
	uint32_t from = s->objects.nr;
	struct object_list l;

	standing_add(c, k, cli->all_ns ? NULL : cli_ns(cli));
	l = cli->all_ns || !k->namespaced ? cluster_list(c, k) : cluster_list_ns(c, k, cli_ns(cli));

	for (uint32_t i = 0; i < l.nr; i++)
		if (wanted(cli, c, s, l.v[i]))
			vec_add(cli->arena, &s->objects, l.v[i]);
	if (k == &endpoints_kind) {
		add_endpoints(cli, c, s);
		if (s->objects.nr > from)
			qsort(s->objects.v + from, s->objects.nr - from, sizeof(*s->objects.v), by_name);
	}
}

static bool add_kind(struct cli *cli, struct cluster *c, struct selection *s, const char *word, struct err *err)
{
	const struct kind *k = kind_named(c, word, err);

	for (uint32_t i = 0; k && i < s->kinds.nr; i++)         /* each once, however often it is named */
		if (s->kinds.v[i] == k)
			return true;
	if (k)
		vec_add(cli->arena, &s->kinds, k);
	return k != NULL;
}

/* A kind, or the category that stands for many. */
static bool add_kinds(struct cli *cli, struct cluster *c, struct selection *s, const char *word, struct err *err)
{
	static const char *const all[] = { "pods", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "statefulsets", "horizontalpodautoscalers", "cronjobs", "jobs", NULL };

	if (strcmp(word, "all") != 0)
		return add_kind(cli, c, s, word, err);
	for (int i = 0; all[i]; i++)
		add_kind(cli, c, s, all[i], err);
	return true;
}

bool select_objects(struct cli *cli, struct cluster *c, struct selection *s, struct err *err)
{
	struct selector *by = arena_array(cli->arena, struct selector, 1);
	bool ok = true, filtered = cli->selector || cli->field_selector;

	*s = (struct selection){ 0 };
	if (!cli->args.nr)
		return cli_usage(cli, err, "which kind? podwire api-resources lists them") == ERR_NONE;
	if (cli->selector && !selector_parse(cluster_strings(c), cluster_arena(c), cli->selector, by, err))
		return false;
	s->by = cli->selector ? by : NULL;
	if (filtered && strchr(cli->args.v[0], '/'))
		return cli_usage(cli, err, "selectors and the all flag cannot be used when passing resource/name arguments") == ERR_NONE;
	if (filtered && cli->args.nr > 1)
		return cli_usage(cli, err, "name cannot be provided when a selector is specified") == ERR_NONE;
	if (strchr(cli->args.v[0], '/')) {
		for (uint32_t i = 0; i < cli->args.nr; i++) {
			const char *slash = strchr(cli->args.v[i], '/');
			const struct kind *k = slash ? kind_named(c, arena_strndup(cli->arena, cli->args.v[i], (size_t)(slash - cli->args.v[i])), err) : NULL;

			if (!slash)
				return cli_usage(cli, err, "\"%s\": with KIND/NAME, every argument is one", cli->args.v[i]) == ERR_NONE;
			ok = k && add_named(cli, c, s, k, slash + 1, err) && ok;
			if (k)
				vec_add(cli->arena, &s->kinds, k);
		}
		return ok;
	}
	for (const char *p = cli->args.v[0]; *p;) {
		size_t n = strcspn(p, ",");

		ok = add_kinds(cli, c, s, arena_strndup(cli->arena, p, n), err) && ok;
		p += n + (p[n] == ',');
	}
	for (uint32_t i = 0; ok && i < s->kinds.nr; i++) {
		for (uint32_t n = 1; n < cli->args.nr; n++)
			ok = add_named(cli, c, s, s->kinds.v[i], cli->args.v[n], err) && ok;
		if (cli->field_selector)
			ok = fields_parse(cli->arena, s->kinds.v[i], cli->field_selector, cli->selector, &s->fields, err) && ok;
		if (cli->args.nr == 1 && ok)
			add_all(cli, c, s, s->kinds.v[i]);
	}
	return ok;
}
