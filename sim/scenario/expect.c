/* Expectations as they are written. One that could never fail is refused here. */
#include "sim/scenario/scenario.h"

#include "model/api/rows.h"
#include "model/base/regex.h"
#include "sim/trace/trace.h"

/* As the table reads it; the same keys in `when` and `not`. */
struct raw_expect {
	struct expect e;
	str verdict;
	const struct val *via, *when, *not_, *name;
};

static const struct field event_fields[] = {
	ROW(F_STR, "reason", struct event_expect, reason), ROW(F_STR, "object", struct event_expect, object), ROW(F_STR, "message", struct event_expect, message),
	ROW(F_STR, "type", struct event_expect, type), ROW(F_RAW, "count", struct event_expect, count),
	FIELD_END
};
#define E(kind, key, member) ROW(kind, key, struct raw_expect, e.member)
static const struct field expect_fields[] = {
	ROW(F_STR, "verdict", struct raw_expect, verdict), E(F_TRI, "answered", answered), E(F_TRI, "assumed", assumed), E(F_TRI, "masqueraded", masqueraded),
	E(F_STR, "reason", reason), E(F_STR, "sourceSeen", source_seen), E(F_STR, "endpoint", endpoint), E(F_STR, "endpointNode", endpoint_node),
	E(F_RAW, "status", status), ROW(F_RAW, "via", struct raw_expect, via), E(F_RAW, "outcomes", outcomes), E(F_RAW, "lost", lost),
	E(F_STR, "object", object), E(F_STR, "path", path), ROW_PTR("event", struct raw_expect, e.event, struct event_expect, event_fields), E(F_RAW, "equals", equals),
	E(F_RAW, "count", count), E(F_RAW, "contains", contains), E(F_STR, "matches", matches), E(F_TRI, "exists", exists),
	E(F_STR, "rcode", rcode), E(F_RAW, "answers", answers), ROW(F_RAW, "when", struct raw_expect, when), ROW(F_RAW, "not", struct raw_expect, not_),
	E(F_STR, "trace", question), ROW_KEEP("name"),
	FIELD_END
};

/* What each key speaks of; 0: of any. */
static const struct { const char *key; unsigned about; bool checks; } keys[] = {
	{ "verdict", ABOUT_TRACE, true }, { "answered", ABOUT_TRACE, true }, { "assumed", ABOUT_TRACE, true }, { "masqueraded", ABOUT_TRACE, true }, { "reason", ABOUT_TRACE, true },
	{ "sourceSeen", ABOUT_TRACE, true }, { "endpoint", ABOUT_TRACE, true }, { "endpointNode", ABOUT_TRACE, true }, { "status", ABOUT_TRACE, true }, { "via", ABOUT_TRACE, true },
	{ "outcomes", ABOUT_TRACE, true }, { "when", ABOUT_TRACE, false }, { "lost", ABOUT_STREAM, true }, { "object", ABOUT_OBJECT, false }, { "path", ABOUT_OBJECT, false },
	{ "exists", ABOUT_OBJECT, true }, { "matches", ABOUT_OBJECT, true }, { "count", ABOUT_OBJECT, true }, { "contains", ABOUT_OBJECT, true },
	{ "equals", ABOUT_OBJECT | ABOUT_MATRIX, true }, { "event", ABOUT_EVENT, true }, { "rcode", ABOUT_DNS, true }, { "answers", ABOUT_DNS, true },
	{ "not", ABOUT_TRACE | ABOUT_OBJECT | ABOUT_EVENT | ABOUT_MATRIX | ABOUT_DNS, true }, { "trace", ABOUT_TRACE | ABOUT_STREAM | ABOUT_DNS, false }, { "name", ~0u, false },
};

/* only: what it may speak of, from where it stands. */
static bool find_about(struct parse *p, const struct val *v, const char *path, unsigned only, unsigned *about)
{
	bool checks = false;

	*about = only;
	VAL_EACH(m, v)
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			if (strcmp(keys[k].key, m->key) != 0)
				continue;
			if (!(*about & keys[k].about))
				return parse_failed(p, m, path, "\"%s\" does not go with what stands beside or around it: one expectation speaks of one thing, the outcomes of "
						    "a trace, an object, an event, a matrix, a stream or a look-up", m->key);
			*about &= keys[k].about;
			checks = checks || keys[k].checks;
		}
	if (!checks)
		return parse_failed(p, v, path, "checks nothing, so it could never fail: say what must hold (verdict, answered, outcomes, equals, exists …)");
	if (*about == (ABOUT_OBJECT | ABOUT_MATRIX))    /* equals alone speaks of the matrix */
		*about = ABOUT_MATRIX;
	return true;
}

/* ---- paths */

static const char *const meta_names[] = {
	"name", "namespace", "labels", "annotations", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	"ownerReferences", "finalizers", "generateName", "managedFields", "selfLink", NULL,
};

static const struct field *row(const struct field *t, const char *name)
{
	for (; t && t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static const char *nearest_row(const struct field *t, const char *word)
{
	const char *names[200] = { NULL };
	size_t nr = 0;

	for (; t->name && nr + 1 < ARRAY_LEN(names); t++)
		names[nr++] = t->name;
	return nearest(word, names);
}

/* The next plain name of a path; NULL where something stands that is none. */
static const char *next_name(struct arena *a, const char **p)
{
	const char *q = *p + strspn(*p, "{$@ ");
	size_t n;

	while (*q == '[') {
		if (q[1] != '*' && q[1] != '-' && (q[1] < '0' || q[1] > '9'))
			return NULL;
		q += strcspn(q, "]");
		q += *q == ']';
	}
	if (q[0] != '.' || q[1] == '.' || q[1] == '*' || q[1] == '[')
		return NULL;
	q++;
	n = strcspn(q, ".[}\\ ");
	*p = q + n;
	return n && q[n] != '\\' ? arena_strndup(a, q, n) : NULL;
}

/* Is the path one that objects of the kind have? false: *word is unknown there, *near what was perhaps meant (or NULL). Unknown kinds have every path. */
static bool path_known(const struct kind *k, const char *path, struct arena *a, const char **word, const char **near)
{
	const struct field *t = k ? k->fields : NULL;
	const char *name = next_name(a, &path);

	if (!t || !name)
		return true;
	*word = name;
	if (strcmp(name, "metadata") == 0) {
		name = next_name(a, &path);
		for (int i = 0; name && meta_names[i]; i++)
			if (strcmp(meta_names[i], name) == 0)
				return true;
		*word = name;
		*near = name ? nearest(name, meta_names) : NULL;
		return !name;
	}
	for (; name; name = next_name(a, &path)) {
		const struct field *f = row(t, name);

		if (!f && strcmp(name, "apiVersion") != 0 && strcmp(name, "kind") != 0) {
			*word = name;
			*near = nearest_row(t, name);
			return false;
		}
		t = f ? f->sub : NULL;
		if (!t)
			return true;
	}
	return true;
}

static bool check_path(struct parse *p, const struct val *v, const struct expect *e)
{
	const struct val *at = val_get(v, "path");
	const char *word = "", *near = NULL;
	struct val_list none = { 0 };
	struct pick pick;

	if (!e->object)
		return parse_failed(p, v, NULL, "path needs an object: object: KIND/NAME");
	if (!pick_parse(p, e->object, val_get(v, "object"), &pick))
		return false;
	if (!jsonpath(p->arena, NULL, e->path, &none, p->err)) {
		struct err_msg m = err_pop(p->err);

		parse_failed(p, at, NULL, "%s", m.text);
		err_msg_free(m);
		return false;
	}
	if (path_known(pick_kind(NULL, &pick), e->path, p->arena, &word, &near))
		return true;
	return parse_failed(p, at, NULL, "\"%s\": objects of kind %s have no field \"%s\"%s%s%s", e->path, pick_kind(NULL, &pick)->name, word, near ? "; did you mean \"" : "",
			    near ? near : "", near ? "\"?" : "");
}

static bool check_object(struct parse *p, const struct val *v, const char *path, const struct expect *e)
{
	struct range r;
	const char *why;
	struct pick pick;

	if (e->path ? !check_path(p, v, e) : !e->object || !pick_parse(p, e->object, val_get(v, "object"), &pick))
		return e->object || e->path ? false : parse_failed(p, v, path, "which object? object: KIND/NAME");
	if (!e->path && (e->equals || e->contains || e->matches))
		return parse_failed(p, v, path, "which field? path: '{.spec…}'");
	if (e->matches && !regex_compile(p->arena, e->matches, false, &why))
		return parse_failed(p, val_get(v, "matches"), path, "\"%s\" is not a regular expression: %s", e->matches, why);
	return !e->count || range_parse(p, e->count, path, &r);
}

/* ---- traces */

static bool check_verdict(struct parse *p, const struct val *v, const struct raw_expect *raw, struct expect *e)
{
	const char *names[V_COUNT + 1] = { NULL }, *near;

	if (!raw->verdict)
		return true;
	for (uint8_t k = 0; k < V_COUNT; k++) {
		names[k] = verdict_names[k];
		if (strcmp(verdict_names[k], raw->verdict) == 0)
			e->verdict = (uint8_t)(k + 1);
	}
	near = e->verdict ? NULL : nearest(raw->verdict, names);
	return e->verdict || parse_failed(p, val_get(v, "verdict"), NULL, "\"%s\" is no verdict%s%s%s (delivered, refused, rejected, dropped, unroutable, unresolved, lost, unknown)",
					  raw->verdict, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static bool check_outcomes(struct parse *p, const struct val *v, const char *path)
{
	struct range r;
	bool ok = true;

	if (!v)
		return true;
	if (!val_is(v, VAL_MAP) || !v->nr)
		return parse_failed(p, v, path, "outcomes: ends or selectors with what they get were expected, as in {pod/web-1: 0.5, pod/web-2: 0.5}");
	VAL_EACH(m, v)
		ok = range_parse(p, m, path, &r) && ok;
	return ok;
}

static bool expect_parse(struct parse *p, const struct val *v, const char *path, unsigned only, const struct expect *outer, struct expect *out);

/* `not` may stand alone: what is inside says of what it speaks. */
static unsigned about_of_not(struct parse *p, const struct val *v, const char *path, unsigned about)
{
	struct parse quiet = *p;
	struct err none = { 0 };
	unsigned inner;

	quiet.err = &none;
	if (v && about & (about - 1) && find_about(&quiet, v, path, about, &inner))
		about = inner;
	err_free(&none);
	return about & (~about + 1);
}

static bool check_values(struct parse *p, const struct val *v, const char *path, const struct expect *e)
{
	const struct val *ranges[] = { e->status, e->lost, e->event ? e->event->count : NULL };
	struct range r;

	for (size_t k = 0; k < ARRAY_LEN(ranges); k++)
		if (ranges[k] && !range_parse(p, ranges[k], path, &r))
			return false;
	if (e->event && !e->event->reason && !e->event->object && !e->event->message)
		return parse_failed(p, v, path, "which event? reason, object or message");
	return e->about != ABOUT_OBJECT || check_object(p, v, path, e);
}

static bool parse_inner(struct parse *p, const struct val *v, const char *path, const char *key, const struct expect *outer, struct expect **out)
{
	if (!v)
		return true;
	*out = arena_make(p->arena, struct expect);
	return expect_parse(p, v, arena_printf(p->arena, "%s.%s", path, key), outer->about, outer, *out);
}

/* outer: the expectation in whose `when` or `not` it stands; an object and its path are named once. */
static bool expect_parse(struct parse *p, const struct val *v, const char *path, unsigned only, const struct expect *outer, struct expect *out)
{
	struct decode d = parse_strictly(p);
	struct raw_expect raw = { 0 };
	unsigned about;

	if (!fields_decode(&d, expect_fields, v, path, &raw) || !find_about(p, v, path, only, &about))
		return false;
	*out = raw.e;
	out->doc = v;
	out->about = about_of_not(p, raw.not_, path, about);
	out->via = as_list(p->arena, raw.via);
	if (outer && !out->object) {
		out->object = outer->object;
		out->path = out->path ? out->path : outer->path;
	}
	if (raw.via && !out->via.nr)
		return parse_failed(p, raw.via, path, "via is empty, so it could never fail");
	if (!check_verdict(p, v, &raw, out) || !check_outcomes(p, out->outcomes, path))
		return false;
	if (!(raw.not_ && out->about == ABOUT_OBJECT && !out->object) && !check_values(p, v, path, out))
		return false;
	return parse_inner(p, raw.when, path, "when", out, &out->when) && parse_inner(p, raw.not_, path, "not", out, &out->not_);
}

bool expects_parse(struct parse *p, const struct val *list, const char *path, expect_list *out)
{
	uint32_t k = 0;
	bool ok = true;

	if (!list)
		return true;
	if (!val_is(list, VAL_LIST) || !list->nr)
		return parse_failed(p, list, path, val_is(list, VAL_LIST) ? "is empty, so it could never fail" : "a list of expectations was expected");
	out->v = arena_array(p->arena, struct expect, list->nr);
	out->set = true;
	VAL_EACH(v, list) {
		ok = expect_parse(p, v, arena_printf(p->arena, "%s[%u]", path, k++), ~0u, NULL, &out->v[out->nr]) && ok;
		out->nr++;
	}
	return ok;
}
