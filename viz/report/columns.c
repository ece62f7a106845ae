#include "viz/report/columns.h"

#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "model/control/derived.h"
#include "sim/engine/import.h"

const struct val *row_doc(struct row *r)
{
	if (!r->doc) {
		struct val *doc = object_render(r->c, r->o, r->scratch);

		derived_status(r->c, r->o, r->scratch, doc);
		r->doc = doc;
	}
	return r->doc;
}

void col_name(struct row *r, struct sb *out)
{
	sb_printf(out, "%s%s", r->prefix ? r->prefix : "", r->o ? r->o->name : val_str_at(r->doc, "metadata.name"));
}

void ago_print(const struct row *r, nsec since, struct sb *out)
{
	char age[16];

	sb_add(out, since == NEVER ? "<unknown>" : age_text(cluster_now(r->c) - since, age));
}

void col_age(struct row *r, struct sb *out)
{
	char age[16];

	sb_add(out, age_text(import_age(r->c, r->o), age));
}

void col_created(struct row *r, struct sb *out)
{
	char time[32];

	sb_add(out, time_text(r->o->created, time));
}

void pairs_print(const pair_list *l, struct sb *out)
{
	for (uint32_t k = 0; k < l->nr; k++)
		sb_printf(out, "%s%s=%s", k ? "," : "", l->v[k].key, l->v[k].value);
	if (!l->nr)
		sb_add(out, "<none>");
}

static void found(struct row *r, const char *path, struct val_list *out)
{
	struct err none = { 0 };

	jsonpath(r->scratch, row_doc(r), arena_printf(r->scratch, "{%s}", path), out, &none);
	err_free(&none);
}

const char *path_text_of(struct row *r, const char *path)
{
	struct val_list l = { 0 };

	found(r, path, &l);
	return l.nr ? val_str(l.v[0]) : NULL;
}

void path_print(struct row *r, const char *path, const char *dflt, struct sb *out)
{
	struct val_list l = { 0 };

	found(r, path, &l);
	if (!l.nr || l.v[0]->type == VAL_NULL)
		sb_add(out, dflt ? dflt : "");
	else if (val_is(l.v[0], VAL_STRING))
		sb_add(out, l.v[0]->s);
	else
		val_print_json(l.v[0], out, 0, false);
}

static void date_print(struct row *r, const char *path, struct sb *out)
{
	const char *text = path_text_of(r, path);
	nsec at;

	if (streq(path, ".metadata.creationTimestamp"))
		col_age(r, out);
	else if (text && time_parse(text, &at))
		ago_print(r, at, out);
}

void column_print(struct row *r, const struct column *c, struct sb *out)
{
	if (c->print)
		c->print(r, out);
	else if (c->flags & COL_DATE)
		date_print(r, c->path, out);
	else
		path_print(r, c->path, c->dflt, out);
}

const char *column_text(struct row *r, const struct column *c)
{
	struct sb out = { 0 };
	const char *text;

	column_print(r, c, &out);
	text = arena_strdup(r->scratch, sb_text(&out));
	sb_free(&out);
	return text;
}

/* A CustomResourceDefinition's own columns, in their order; without any, NAME and AGE. */
static const struct column *from_crd(struct cluster *c, const struct kind *k, struct arena *a)
{
	struct object_list l = cluster_list(c, &crd_kind);
	const char *slash = strchr(k->apis[0], '/');
	VEC(struct column) out = { 0 };

	for (uint32_t i = 0; slash && i < l.nr; i++) {
		const struct val *doc = l.v[i]->doc;
		const char *group = val_str_at(doc, "spec.group");

		if (!group || !streq(val_str_at(doc, "spec.names.kind"), k->name) || strlen(group) != (size_t)(slash - k->apis[0]) || strncmp(group, k->apis[0], strlen(group)) != 0)
			continue;
		VAL_EACH(version, val_path(doc, "spec.versions")) {
			if (!streq(val_str(val_get(version, "name")), slash + 1))
				continue;
			vec_add(a, &out, (struct column)COL_NAME);
			VAL_EACH(col, val_get(version, "additionalPrinterColumns")) {
				const char *head = val_str(val_get(col, "name")), *path = val_str(val_get(col, "jsonPath"));
				char *up = arena_strdup(a, head ? head : "");

				for (char *p = up; *p; p++)
					*p = (char)(*p >= 'a' && *p <= 'z' ? *p & ~0x20 : *p);
				if (head && path)
					vec_add(a, &out, (struct column){ up, (uint8_t)((val_int_or(val_get(col, "priority"), 0) > 0 ? COL_WIDE : 0) |
							(streq(val_str(val_get(col, "type")), "date") ? COL_DATE : 0)), NULL, path, NULL });
			}
			if (out.nr == 1)
				vec_add(a, &out, (struct column)COL_AGE);
			vec_add(a, &out, (struct column)COL_END);
			return out.v;
		}
	}
	return NULL;
}

const struct column *columns_of(struct cluster *c, const struct kind *k, struct arena *scratch)
{
	static const struct kind_columns *const tables[] = { columns_core, columns_workload, columns_net, columns_kept, NULL };
	static const struct column name_age[] = NAME_AGE();
	const struct column *own;

	for (int t = 0; tables[t]; t++)
		for (const struct kind_columns *row = tables[t]; row->kind; row++)
			if (row->kind == k)
				return row->columns;
	own = from_crd(c, k, scratch);
	return own ? own : name_age;
}
