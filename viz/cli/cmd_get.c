/* get: objects as tables, documents, or whatever a path selects. */
#include "viz/cli/select.h"
#include "viz/report/columns.h"
#include "viz/report/events.h"
#include "viz/report/jsonpath_print.h"
#include "viz/report/table.h"

struct rows { VEC(struct row) list; };

static const struct kind *kind_of_row(const struct row *r)
{
	return r->o ? r->o->kind : &event_kind;
}

static const char *ns_of(const struct row *r)
{
	return r->o ? r->o->ns : val_str_at(r->doc, "metadata.namespace");
}

/* What happened is not stored as objects; `get events` shows it as if it were. */
static void add_events(struct cli *cli, struct cluster *c, const struct selection *s, struct rows *rows, struct err *err)
{
	struct told_list l = events_told(c, NULL, cli->all_ns ? NULL : cli_ns(cli), false, cli->arena);
	struct field_terms fields = { 0 };
	pair_list none = { 0 };

	if (s->by && !selector_matches(s->by, &none))   /* an event has no labels */
		return;
	if (cli->field_selector && (err_any(err) || !fields_parse(cli->arena, &event_kind, cli->field_selector, cli->selector, &fields, err)))
		return;

	for (uint32_t k = 0; k < l.nr; k++) {
		struct row r = { .c = c, .doc = event_doc(c, &l.v[k], cli->arena), .scratch = cli->arena };

		if ((cli->all_ns || streq(ns_of(&r), cli_ns(cli))) && fields_match(&fields, r.doc))
			vec_add(cli->arena, &rows->list, r);
	}
}

static uint32_t distinct(const struct selection *s)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->kinds.nr; k++) {
		bool again = false;

		for (uint32_t i = 0; i < k; i++)
			again = again || s->kinds.v[i] == s->kinds.v[k];
		nr += !again;
	}
	return nr;
}

static void rows_of(struct cli *cli, struct cluster *c, const struct selection *s, struct rows *rows, struct err *err)
{
	bool many = distinct(s) > 1, wide = cli_output_is(cli, "wide");

	for (uint32_t k = 0; k < s->objects.nr; k++) {
		struct object *o = s->objects.v[k];

		vec_add(cli->arena, &rows->list, (struct row){ .c = c, .o = o, .wide = wide, .scratch = cli->arena,
							       .prefix = many ? arena_printf(cli->arena, "%s/", resource_word(cli->arena, o->kind)) : NULL });
	}
	for (uint32_t k = 0; k < s->kinds.nr; k++)
		if (s->kinds.v[k] == &event_kind && !s->by_name)
			add_events(cli, c, s, rows, err);
}

static bool sort_rows(struct cli *cli, struct rows *rows, struct err *err)
{
	uint32_t nr = rows->list.nr, *order = arena_array(cli->arena, uint32_t, nr);
	const struct val **docs = arena_array(cli->arena, const struct val *, nr);
	struct row *was = arena_copy(cli->arena, rows->list.v, nr * sizeof(*was));

	for (uint32_t k = 0; k < nr; k++)
		docs[k] = row_doc(&was[k]);
	if (!order_by_path(cli->arena, docs, nr, cli->sort_by, order, err))
		return false;
	for (uint32_t k = 0; k < nr; k++)
		rows->list.v[k] = was[order[k]];
	return true;
}

static const char *labels_text(struct cli *cli, const struct row *r)
{
	struct sb out = { 0 };
	const char *text;

	if (r->o)
		pairs_print(&r->o->labels, &out);
	text = arena_strdup(cli->arena, out.len ? sb_text(&out) : "<none>");
	sb_free(&out);
	return text;
}

/* -L a,b -L c */
static struct texts label_columns(struct cli *cli)
{
	struct texts all = { 0 };

	for (uint32_t i = 0; i < cli->label_columns.nr; i++)
		for (const char *p = cli->label_columns.v[i]; *p;) {
			size_t n = strcspn(p, ",");

			if (n)
				vec_add(cli->arena, &all, arena_strndup(cli->arena, p, n));
			p += n + (p[n] == ',');
		}
	return all;
}

static void print_table(struct cli *cli, struct row *first, uint32_t many, const struct kind *k, struct sb *out)
{
	const struct column *columns = columns_of(first->c, k, cli->arena);
	bool wide = cli_output_is(cli, "wide"), with_ns = cli->all_ns && k->namespaced;
	struct texts labels = label_columns(cli);
	uint32_t nr = with_ns + cli->show_labels + labels.nr;
	struct table_text t;

	for (const struct column *col = columns; col->head; col++)
		nr += wide || !(col->flags & COL_WIDE);
	table_begin(&t, cli->arena, nr);
	if (!cli->no_headers) {
		if (with_ns)
			table_cell(&t, "NAMESPACE");
		for (const struct column *col = columns; col->head; col++)
			if (wide || !(col->flags & COL_WIDE))
				table_cell(&t, col->head);
		for (uint32_t i = 0; i < labels.nr; i++) {
			const char *slash = strrchr(labels.v[i], '/');
			char *up = arena_strdup(cli->arena, slash ? slash + 1 : labels.v[i]);

			for (char *p = up; *p; p++)
				*p = (char)(*p >= 'a' && *p <= 'z' ? *p & ~0x20 : *p);
			table_cell(&t, up);
		}
		if (cli->show_labels)
			table_cell(&t, "LABELS");
	}
	for (uint32_t i = 0; i < many; i++) {
		struct row *r = &first[i];

		if (kind_of_row(r) != k)
			continue;
		if (with_ns)
			table_cell(&t, ns_of(r));
		for (const struct column *col = columns; col->head; col++)
			if (wide || !(col->flags & COL_WIDE))
				table_cell(&t, column_text(r, col));
		for (uint32_t l = 0; l < labels.nr; l++) {
			const char *value = r->o ? label_get(&r->o->labels, labels.v[l]) : NULL;

			table_cell(&t, value ? value : "");
		}
		if (cli->show_labels)
			table_cell(&t, labels_text(cli, r));
	}
	table_print(&t, out);
}

/* A table for each kind; of what was asked by name, in the order of the names, a new one whenever the kind changes. */
static void print_tables(struct cli *cli, struct rows *rows, bool by_name, struct sb *out)
{
	const struct kind *done[512];
	uint32_t nr = 0;

	for (uint32_t i = 0; i < rows->list.nr && nr < ARRAY_LEN(done); i++) {
		const struct kind *k = kind_of_row(&rows->list.v[i]);
		bool before = false;

		for (uint32_t d = 0; d < nr && !before; d++)
			before = done[d] == k;
		if (before)
			continue;
		sb_add(out, i ? "\n" : "");
		if (by_name) {
			uint32_t many = 1;

			while (i + many < rows->list.nr && kind_of_row(&rows->list.v[i + many]) == k)
				many++;
			print_table(cli, &rows->list.v[i], many, k, out);
			i += many - 1;
			continue;
		}
		done[nr++] = k;
		print_table(cli, &rows->list.v[i], rows->list.nr - i, k, out);
	}
}

static struct val *as_list(struct cli *cli, struct rows *rows)
{
	struct val *list = val_new(cli->arena, VAL_MAP), *items;

	val_put(cli->arena, list, "apiVersion", val_string(cli->arena, "v1"));
	items = val_put(cli->arena, list, "items", val_new(cli->arena, VAL_LIST));
	for (uint32_t i = 0; i < rows->list.nr; i++)
		val_add(cli->arena, items, val_copy(cli->arena, row_doc(&rows->list.v[i])));
	val_put(cli->arena, list, "kind", val_string(cli->arena, "List"));
	val_put(cli->arena, val_put(cli->arena, list, "metadata", val_new(cli->arena, VAL_MAP)), "resourceVersion", val_string(cli->arena, ""));
	return list;
}

static void print_custom(struct cli *cli, struct rows *rows, const char *text, struct sb *out, struct err *err)
{
	struct custom_columns c;
	struct table_text t;

	if (!custom_columns_parse(cli->arena, text, &c, err))
		return;
	table_begin(&t, cli->arena, c.nr);
	for (uint32_t k = 0; k < c.nr && !cli->no_headers; k++)
		table_cell(&t, c.heads[k]);
	for (uint32_t i = 0; i < rows->list.nr; i++)
		for (uint32_t k = 0; k < c.nr; k++) {
			struct sb cell = { 0 };

			if (!path_cell(cli->arena, row_doc(&rows->list.v[i]), c.paths[k], &cell, err)) {
				sb_free(&cell);
				return;
			}
			table_cell(&t, sb_text(&cell));
			sb_free(&cell);
		}
	table_print(&t, out);
}

/* jsonpath-as-json: what the path finds, as one list. */
static void print_found(struct cli *cli, const struct val *v, const char *path, struct sb *out, struct err *err)
{
	struct val *list = val_new(cli->arena, VAL_LIST);
	struct val_list found = { 0 };

	if (!jsonpath(cli->arena, v, path, &found, err))
		return;
	for (uint32_t k = 0; k < found.nr; k++)
		val_add(cli->arena, list, val_copy(cli->arena, found.v[k]));
	val_print_json(list, out, 4, true);
	sb_addc(out, '\n');
}

static enum err_kind print_objects(struct cli *cli, struct rows *rows, bool one, struct sb *out, struct err *err)
{
	const char *format = cli->output;
	const struct val *v;

	if (strcmp(format, "name") == 0) {
		for (uint32_t i = 0; i < rows->list.nr; i++) {
			struct row *r = &rows->list.v[i];

			sb_printf(out, "%s/%s\n", resource_word(cli->arena, kind_of_row(r)), r->o ? r->o->name : val_str_at(r->doc, "metadata.name"));
		}
		return ERR_NONE;
	}
	if (strncmp(format, "custom-columns=", 15) == 0) {
		print_custom(cli, rows, format + 15, out, err);
		return err_kind(err);
	}
	v = one ? row_doc(&rows->list.v[0]) : as_list(cli, rows);
	if (strcmp(format, "json") == 0) {
		val_print_json(v, out, 4, true);
		sb_addc(out, '\n');
	} else if (strcmp(format, "yaml") == 0) {
		val_print_yaml(v, out, true);
	} else if (strncmp(format, "jsonpath-as-json=", 17) == 0) {
		print_found(cli, v, format + 17, out, err);
	} else if (strncmp(format, "jsonpath=", 9) == 0) {
		jsonpath_print(cli->arena, v, format + 9, out, err);
	} else {
		return cli_usage(cli, err, "-o: \"%s\" is not wide, yaml, json, name, jsonpath=… or custom-columns=…", format);
	}
	return err_kind(err);
}

static bool all_namespaced(const struct selection *s)
{
	for (uint32_t k = 0; k < s->kinds.nr; k++)
		if (!s->kinds.v[k]->namespaced)
			return false;
	return true;
}

enum err_kind cmd_get(struct cli *cli, struct err *err)
{
	enum err_kind how = ERR_NONE;
	struct rows rows = { 0 };
	struct sb out = { 0 };
	struct selection s;
	struct world w;

	if (!cli_world(cli, &w, err))
		return err_kind(err);
	select_objects(cli, w.cluster, &s, err);
	rows_of(cli, w.cluster, &s, &rows, err);
	if (cli->sort_by && rows.list.nr)
		sort_rows(cli, &rows, err);
	if (cli->ignore_not_found && !rows.list.nr && s.by_name)
		how = err_kind(err);
	else if (cli->output && !cli_output_is(cli, "wide") && (rows.list.nr || !err_any(err)))
		how = print_objects(cli, &rows, s.by_name && rows.list.nr == 1, &out, err);
	else if (rows.list.nr)
		print_tables(cli, &rows, s.by_name, &out);
	else if (!err_any(err) && !cli->quiet)
		fprintf(stderr, cli->all_ns || !all_namespaced(&s) ? "No resources found\n" : "No resources found in %s namespace.\n", cli_ns(cli));
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_any(err) ? err_kind(err) : how;
}
