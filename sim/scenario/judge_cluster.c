/* Expectations against the cluster: objects, events, the matrix of policy. */
#include "sim/scenario/play.h"

#include <stdlib.h>

#include "model/base/regex.h"

/* ---- objects */

static const char *value_text(struct play *p, const struct val *v)
{
	struct sb out = { 0 };
	const char *text;

	if (val_is(v, VAL_STRING))
		return v->s;
	val_print_json(v, &out, 0, true);
	text = arena_strdup(p->arena, sb_text(&out));
	sb_free(&out);
	return text;
}

/* 80 and "80" are equal: what is compared was typed by people. */
static bool equal(struct play *p, const struct val *want, const struct val *have)
{
	return val_equal(want, have) || (want->type < VAL_LIST && have->type < VAL_LIST && streq(value_text(p, want), value_text(p, have)));
}

static bool equals(struct play *p, const struct val *want, const struct val_list *found)
{
	uint32_t k = 0;

	if (found->nr == 1 && equal(p, want, found->v[0]))
		return true;
	if (!val_is(want, VAL_LIST) || want->nr != found->nr)
		return false;
	VAL_EACH(v, want)
		if (!equal(p, v, found->v[k++]))
			return false;
	return true;
}

static bool holds_value(struct play *p, const struct val *want, const struct val *have)
{
	if (val_is(have, VAL_STRING))
		return val_is(want, VAL_STRING) && strstr(have->s, want->s);
	if (val_is(have, VAL_MAP) && val_is(want, VAL_STRING))
		return val_get(have, want->s);
	if (val_is(have, VAL_MAP) && val_is(want, VAL_MAP)) {
		VAL_EACH(m, want)
			if (!val_get(have, m->key) || !equal(p, m, val_get(have, m->key)))
				return false;
		return true;
	}
	VAL_EACH(m, val_is(have, VAL_LIST) ? have : NULL)
		if (equal(p, want, m) || (val_is(want, VAL_MAP) && holds_value(p, want, m)))
			return true;
	return false;
}

static bool contains(struct play *p, const struct val *want, const struct val_list *found)
{
	for (uint32_t k = 0; k < found->nr; k++)
		if (holds_value(p, want, found->v[k]) || (found->nr > 1 && equal(p, want, found->v[k])))
			return true;
	return false;
}

static bool matches(struct play *p, const char *pattern, const struct val_list *found)
{
	const struct regex *re = regex_compile(p->arena, pattern, false, NULL);

	for (uint32_t k = 0; k < found->nr; k++)
		if (!re || !regex_search(re, value_text(p, found->v[k]), NULL, p->arena))
			return false;
	return found->nr > 0;
}

static bool values_hold(struct play *p, const struct expect *e, const struct val_list *found)
{
	struct err none = { 0 };
	struct parse w = { p->arena, cluster_strings(p->world->cluster), NULL, NULL, &none };
	struct range r;

	if (e->exists != TRI_UNSET && (found->nr > 0) != (e->exists == TRI_TRUE))
		return false;
	if (e->equals && !equals(p, e->equals, found))
		return false;
	if (e->contains && !contains(p, e->contains, found))
		return false;
	if (e->matches && !matches(p, e->matches, found))
		return false;
	if (e->count && !(range_parse(&w, e->count, NULL, &r) && range_holds(&r, found->nr, found->nr)))
		return false;
	return true;
}

static const char *found_text(struct play *p, const struct val_list *found)
{
	struct sb out = { 0 };
	const char *text;

	for (uint32_t k = 0; k < found->nr && out.len < 500; k++)
		sb_printf(&out, "%s%s", k ? ", " : "", value_text(p, found->v[k]));
	text = found->nr ? arena_strdup(p->arena, sb_text(&out)) : "nothing there";
	sb_free(&out);
	return text;
}

/* No path: the objects themselves are counted. */
static bool objects_hold(struct play *p, const struct expect *e, const struct object_list *l, const char **actual)
{
	struct err none = { 0 };
	struct parse w = { p->arena, cluster_strings(p->world->cluster), NULL, NULL, &none };
	struct range r;
	bool ok = true;

	*actual = arena_printf(p->arena, "%u object%s", l->nr, l->nr == 1 ? "" : "s");
	if (e->exists != TRI_UNSET)
		ok = (l->nr > 0) == (e->exists == TRI_TRUE);
	if (e->count)
		ok = ok && range_parse(&w, e->count, NULL, &r) && range_holds(&r, l->nr, l->nr);
	return ok;
}

/* Each object must be so; with `count`, their values are counted together. */
static bool paths_hold(struct play *p, const struct expect *e, const struct object_list *l, const char **actual)
{
	struct val_list all = { 0 };
	struct err none = { 0 };
	struct expect each = *e;
	bool ok = true;

	each.count = NULL;
	for (uint32_t k = 0; k < l->nr; k++) {
		struct val_list found = { 0 };

		jsonpath(p->arena, object_render(p->world->cluster, l->v[k], p->arena), e->path, &found, &none);
		for (uint32_t i = 0; i < found.nr; i++)
			vec_add(p->arena, &all, found.v[i]);
		ok = values_hold(p, &each, &found) && ok;
	}
	each = (struct expect){ .count = e->count };
	*actual = found_text(p, &all);
	err_free(&none);
	return ok && values_hold(p, &each, &all);
}

bool judge_object(struct play *p, const struct expect *e, const char **actual)
{
	struct err none = { 0 };
	struct parse w = { p->arena, cluster_strings(p->world->cluster), p->scenario->file, NULL, &none };
	struct pick pick;
	struct object_list l;
	const char *inner;
	bool ok;

	if (!e->object)
		return e->not_ && !judge_object(p, e->not_, actual);
	ok = pick_parse(&w, e->object, NULL, &pick);
	err_free(&none);
	if (!ok)
		return false;
	l = pick_objects(p->world->cluster, &pick, p->scenario->ns, p->arena);
	if (e->path && !l.nr) {
		*actual = arena_printf(p->arena, "there is no %s", e->object);
		return false;
	}
	ok = e->path ? paths_hold(p, e, &l, actual) : objects_hold(p, e, &l, actual);
	return ok && (!e->not_ || !judge_object(p, e->not_, &inner));
}

/* ---- events */

static bool event_is(struct play *p, const struct event_expect *want, const struct event *e)
{
	const struct object *o = obj_get(p->world->cluster, e->object);
	struct err none = { 0 };
	struct parse w = { p->arena, cluster_strings(p->world->cluster), NULL, NULL, &none };
	struct pick pick;
	bool ok;

	if ((want->reason && !streq(e->reason, want->reason)) || (want->message && !(e->message && strstr(e->message, want->message))))
		return false;
	if (want->type && streq(want->type, "Warning") != e->warning)
		return false;
	if (!want->object)
		return true;
	ok = pick_parse(&w, want->object, NULL, &pick) && pick_kind(p->world->cluster, &pick) == o->kind && (!pick.name || streq(pick.name, o->name)) &&
	     (!o->ns || pick.all_ns || streq(o->ns, pick.ns ? pick.ns : p->scenario->ns)) && (!pick.by_label || selector_matches(&pick.by, &o->labels));
	err_free(&none);
	return ok;
}

bool judge_event(struct play *p, const struct expect *e, const char **actual)
{
	struct err none = { 0 };
	struct parse w = { p->arena, cluster_strings(p->world->cluster), NULL, NULL, &none };
	struct range r = { .lo = 1, .hi = 1e18 };
	const struct event *all;
	const char *inner, *last = NULL;
	uint32_t nr, count = 0;

	if (!e->event)
		return e->not_ && !judge_event(p, e->not_, actual);
	if (e->event->count)
		range_parse(&w, e->event->count, NULL, &r);
	err_free(&none);
	all = cluster_events(p->world->cluster, &nr);
	for (uint32_t k = 0; k < nr; k++)
		if (event_is(p, e->event, &all[k])) {
			count++;
			last = all[k].message;
		}
	*actual = arena_printf(p->arena, "%u such event%s%s%s", count, count == 1 ? "" : "s", last ? ", the last: " : "", last ? last : "");
	return range_holds(&r, count, nr) && (!e->not_ || !judge_event(p, e->not_, &inner));
}

/* ---- the matrix, as Kubernetes' own network policy tests draw it */

static const char *word_at(struct arena *a, const char **p, const char *end)
{
	const char *from = *p;

	while (from < end && (*from == ' ' || *from == '\t' || *from == '|'))
		from++;
	*p = from;
	while (*p < end && **p != ' ' && **p != '\t' && **p != '|')
		(*p)++;
	return *p > from ? arena_strndup(a, from, (size_t)(*p - from)) : NULL;
}

static int32_t index_of(const struct matrix_table *m, const char *name)
{
	for (uint32_t k = 0; k < m->nr; k++)
		if (strcmp(m->names[k], name) == 0)
			return (int32_t)k;
	return -1;
}

/* One drawn row; the first gives the columns. */
static bool row_holds(struct play *p, const char *line, const char *end, const char **columns, uint32_t nr, const char **actual)
{
	const struct matrix_table *m = &p->matrix;
	const char *name = word_at(p->arena, &line, end), *cell;
	int32_t from = name ? index_of(m, name) : -1, to;

	if (from < 0) {
		*actual = arena_printf(p->arena, "the matrix has no row \"%s\"", name ? name : "");
		return false;
	}
	for (uint32_t k = 0; k < nr; k++) {
		bool allowed;

		cell = word_at(p->arena, &line, end);
		to = index_of(m, columns[k]);
		if (!cell || to < 0 || (strcmp(cell, ".") != 0 && strcmp(cell, "X") != 0 && strcmp(cell, "?") != 0)) {
			*actual = to < 0 ? arena_printf(p->arena, "the matrix has no column \"%s\"", columns[k])
					 : arena_printf(p->arena, "row \"%s\" needs a cell for \"%s\": . or X", name, columns[k]);
			return false;
		}
		allowed = m->allowed[(uint32_t)from * m->nr + (uint32_t)to];
		if (*cell != '?' && allowed != (*cell == '.')) {
			*actual = arena_printf(p->arena, "%s → %s is %s", name, columns[k], allowed ? "allowed" : "denied");
			return false;
		}
	}
	return true;
}

static bool drawing_holds(struct play *p, const char *drawn, const char **actual)
{
	const char **columns = arena_array(p->arena, const char *, strlen(drawn) / 2 + 1), *name;
	uint32_t nr = 0, rows = 0;

	for (const char *line = drawn; *line;) {
		const char *end = line + strcspn(line, "\n"), *at = line;

		if (line + strspn(line, " \t") < end && !nr) {
			while ((name = word_at(p->arena, &at, end)))
				if (strcmp(name, "-") != 0)
					columns[nr++] = name;
		} else if (line + strspn(line, " \t") < end) {
			if (!row_holds(p, line, end, columns, nr, actual))
				return false;
			rows++;
		}
		line = end + (*end == '\n');
	}
	*actual = rows ? "as drawn" : "the drawn matrix has no row";
	return rows > 0;
}

bool judge_matrix(struct play *p, const struct expect *e, const char **actual)
{
	const char *inner;

	if (p->no_matrix) {
		*actual = p->no_matrix;
		return false;
	}
	if (e->equals && (!val_str(e->equals) || !drawing_holds(p, val_str(e->equals), actual)))
		return false;
	return !e->not_ || !judge_matrix(p, e->not_, &inner);
}
