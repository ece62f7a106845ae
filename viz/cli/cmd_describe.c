/* describe and events: an object with what belongs to it, and what happened. */
#include "viz/cli/select.h"
#include "viz/report/describe.h"
#include "viz/report/events.h"
#include "viz/report/table.h"

/* --types Normal,Warning, in any case of letters. */
static bool types_wanted(struct cli *cli, bool of[2], struct err *err)
{
	of[0] = of[1] = !cli->types;
	for (const char *p = cli->types ? cli->types : ""; *p;) {
		static const char *const words[] = { "Normal", "Warning" };
		size_t n = strcspn(p, ",");
		bool any = false;

		for (int k = 0; k < 2; k++)
			if (strlen(words[k]) == n && strncasecmp(words[k], p, n) == 0)
				of[k] = any = true;
		if (!any)
			return cli_usage(cli, err, "--types: \"%.*s\": valid --types are Normal or Warning", (int)n, p) == ERR_NONE;
		p += n + (p[n] == ',');
	}
	return true;
}

/* Those that --for, --types, -n and -A mean. An object that is gone has its events still. */
static bool events_wanted(struct cli *cli, struct cluster *c, struct told_list *l, struct err *err)
{
	const char *slash = cli->about ? strchr(cli->about, '/') : NULL;
	const struct kind *k = slash ? kind_named(c, arena_strndup(cli->arena, cli->about, (size_t)(slash - cli->about)), err) : NULL;
	bool of[2];
	uint32_t nr = 0;

	*l = (struct told_list){ 0 };
	if (cli->about && (!slash || !slash[1] || strchr(slash + 1, '/')))
		return cli_usage(cli, err, "--for: \"%s\" must be in resource/name form", cli->about) == ERR_NONE;
	if (err_any(err) || !types_wanted(cli, of, err))
		return false;
	*l = events_told(c, NULL, cli->all_ns ? NULL : cli_ns(cli), cli->watch, cli->arena);
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct object *o = obj_get(c, l->v[i].last->object);

		if (of[l->v[i].last->warning] && (!k || (o && o->kind == k && strcmp(o->name, slash + 1) == 0)))
			l->v[nr++] = l->v[i];
	}
	l->nr = nr;
	return true;
}

/* kubectl events: LAST SEEN TYPE REASON OBJECT MESSAGE; equal events of one object are one line with a count (with -w, each for itself). */
static void print_events(struct cli *cli, struct cluster *c, const struct told_list *l, struct sb *out)
{
	struct table_text t;

	table_begin(&t, cli->arena, 5 + cli->all_ns);
	for (const char *const *h = (const char *const[]){ "NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE", NULL }; *h && !cli->no_headers; h++)
		if (cli->all_ns || strcmp(*h, "NAMESPACE") != 0)
			table_cell(&t, *h);
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct event *e = l->v[k].last;
		const struct object *o = obj_get(c, e->object);
		char *low = arena_strdup(cli->arena, o ? o->kind->name : "");

		for (char *p = low; *p; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
		if (cli->all_ns)
			table_cell(&t, o && o->ns ? o->ns : "");
		table_cell(&t, told_ago(c, &l->v[k], cli->arena));
		table_cell(&t, e->warning ? "Warning" : "Normal");
		table_cell(&t, e->reason);
		table_cell(&t, arena_printf(cli->arena, "%s/%s", low, o ? o->name : ""));
		table_cell(&t, e->message);
	}
	if (l->nr)
		table_print(&t, out);
	else if (!cli->quiet)
		fprintf(stderr, cli->all_ns ? "No events found.\n" : "No events found in %s namespace.\n", cli_ns(cli));
}

/* -o json|yaml: as v1 Events. */
static void print_documents(struct cli *cli, struct cluster *c, const struct told_list *l, struct sb *out)
{
	struct val *list = val_new(cli->arena, VAL_MAP), *items;

	val_put(cli->arena, list, "apiVersion", val_string(cli->arena, "v1"));
	items = val_put(cli->arena, list, "items", val_new(cli->arena, VAL_LIST));
	for (uint32_t k = 0; k < l->nr; k++)
		val_add(cli->arena, items, event_doc(c, &l->v[k], cli->arena));
	val_put(cli->arena, list, "kind", val_string(cli->arena, "EventList"));
	if (cli_output_is(cli, "yaml")) {
		val_print_yaml(list, out, true);
	} else {
		val_print_json(list, out, 4, true);
		sb_addc(out, '\n');
	}
}

enum err_kind cmd_events(struct cli *cli, struct err *err)
{
	struct sb out = { 0 };
	struct told_list l;
	struct world w;

	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "yaml") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not json or yaml", cli->output);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	if (!events_wanted(cli, w.cluster, &l, err))
		;
	else if (cli->output && !cli_output_is(cli, "text"))
		print_documents(cli, w.cluster, &l, &out);
	else
		print_events(cli, w.cluster, &l, &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_kind(err);
}

enum err_kind cmd_describe(struct cli *cli, struct err *err)
{
	struct sb out = { 0 };
	struct selection s;
	struct world w;

	if (!cli_world(cli, &w, err))
		return err_kind(err);
	select_objects(cli, w.cluster, &s, err);
	for (uint32_t i = 0; i < s.objects.nr; i++) {
		sb_add(&out, i ? "\n\n" : "");
		describe(w.cluster, s.objects.v[i], cli->arena, &out);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_kind(err);
}
