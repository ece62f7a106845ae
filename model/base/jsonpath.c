/* kubectl's JSONPath, the part that selects (k8s.io/client-go/util/jsonpath). Braces may be left out, as for custom columns. */
#include "model/base/val.h"

#include <stdlib.h>

struct path {
	const char *text, *p;           /* p: the next character */
	struct arena *arena;
	struct err *err;
};

static bool fail(const struct path *q, const char *what)
{
	return err_add(q->err, ERR_INPUT, NULL, "bad JSONPath \"%s\": %s at character %zu", q->text, what, (size_t)(q->p - q->text) + 1);
}

static void add(struct path *q, struct val_list *l, const struct val *v)
{
	if (v)
		vec_add(q->arena, l, v);
}

static void skip_blanks(struct path *q)
{
	while (*q->p == ' ' || *q->p == '\t')
		q->p++;
}

/* ---- what a step may hold */

/* 'a' or "a" at p; a backslash takes the next character as it is. */
static const char *parse_quoted(struct path *q)
{
	char quote = *q->p++, *text = arena_alloc(q->arena, strlen(q->p) + 1, 1), *to = text;

	while (*q->p && *q->p != quote) {
		if (*q->p == '\\' && q->p[1])
			q->p++;
		*to++ = *q->p++;
	}
	if (!*q->p)
		return fail(q, "a quote is not closed"), NULL;
	q->p++;
	return text;
}

/* A name behind a dot; `\.` is a dot within it. */
static const char *parse_name(struct path *q)
{
	char *text = arena_alloc(q->arena, strlen(q->p) + 1, 1), *to = text;

	while (*q->p && !strchr(".[]{}()<>=!&|, \t'\"", *q->p)) {
		if (*q->p == '\\' && q->p[1])
			q->p++;
		*to++ = *q->p++;
	}
	if (to == text)
		return fail(q, "a name was expected"), NULL;
	return text;
}

static bool parse_index(struct path *q, int64_t *out)
{
	char *end;

	skip_blanks(q);
	if (*q->p != '-' && (*q->p < '0' || *q->p > '9'))
		return false;
	*out = strtoll(q->p, &end, 10);
	q->p = end;
	skip_blanks(q);
	return true;
}

static void all_members(struct path *q, const struct val *v, struct val_list *out)
{
	if (val_is(v, VAL_MAP) || val_is(v, VAL_LIST))
		for (const struct val *m = v->first; m; m = m->next)
			if (!(v->flags & VAL_REPEATS) || val_get(v, m->key) == m)
				add(q, out, m);
}

static void descend(struct path *q, const struct val *v, struct val_list *out)
{
	add(q, out, v);
	if (val_is(v, VAL_MAP) || val_is(v, VAL_LIST))
		for (const struct val *m = v->first; m; m = m->next)
			descend(q, m, out);
}

static bool steps(struct path *q, struct val_list *now);

/* ---- [ … ] */

static void slice(struct path *q, const struct val_list *now, int64_t from, int64_t to, int64_t step, bool open_end, struct val_list *out)
{
	for (uint32_t k = 0; k < now->nr; k++) {
		int64_t nr = val_is(now->v[k], VAL_LIST) ? now->v[k]->nr : 0;
		int64_t a = from < 0 ? from + nr : from, b = open_end ? nr : to < 0 ? to + nr : to;

		for (int64_t i = MAX(a, 0); i < MIN(b, nr); i += step)
			add(q, out, val_at(now->v[k], (uint32_t)i));
	}
}

/* 2, -1, 0:3, ::2 */
static bool parse_slice(struct path *q, const struct val_list *now, struct val_list *out)
{
	int64_t from = 0, to = 0, step = 1;
	bool has_from = parse_index(q, &from), has_to = false;

	if (*q->p != ':') {
		if (!has_from)
			return fail(q, "an index, a name in quotes, * or a filter was expected");
		for (uint32_t k = 0; k < now->nr; k++) {
			int64_t nr = val_is(now->v[k], VAL_LIST) ? now->v[k]->nr : 0, i = from < 0 ? from + nr : from;

			if (i >= 0 && i < nr)
				add(q, out, val_at(now->v[k], (uint32_t)i));
		}
		return true;
	}
	q->p++;
	has_to = parse_index(q, &to);
	if (*q->p == ':') {
		q->p++;
		if (!parse_index(q, &step) || step <= 0)
			return fail(q, "a step above 0 was expected");
	}
	slice(q, now, from, to, step, !has_to, out);
	return true;
}

/* One side of a comparison: a path from @ or $, or a literal. */
static bool parse_operand(struct path *q, const struct val *here, const struct val *root, struct val_list *out)
{
	const char *text;
	struct val *v;
	char *end;

	skip_blanks(q);
	if (*q->p == '@' || *q->p == '$') {
		add(q, out, *q->p++ == '@' ? here : root);
		if (!steps(q, out))
			return false;
	} else if (*q->p == '"' || *q->p == '\'') {
		text = parse_quoted(q);
		if (!text)
			return false;
		add(q, out, val_string(q->arena, text));
	} else if (strncmp(q->p, "true", 4) == 0 || strncmp(q->p, "false", 5) == 0) {
		add(q, out, val_bool(q->arena, *q->p == 't'));
		q->p += *q->p == 't' ? 4 : 5;
	} else {
		v = val_new(q->arena, VAL_FLOAT);
		v->f = strtod(q->p, &end);
		if (end == q->p)
			return fail(q, "@, a string, a number, true or false was expected");
		q->p = end;
		add(q, out, v);
	}
	skip_blanks(q);
	return true;
}

static double number_of(const struct val *v)
{
	return v->type == VAL_INT ? (double)v->i : v->f;
}

/* <0, 0, >0; *can: the two can be ordered. */
static int order(const struct val *a, const struct val *b, bool *can)
{
	bool numbers = (a->type == VAL_INT || a->type == VAL_FLOAT) && (b->type == VAL_INT || b->type == VAL_FLOAT);

	*can = numbers || (a->type == VAL_STRING && b->type == VAL_STRING);
	if (numbers)
		return number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b);
	return *can ? strcmp(a->s, b->s) : 0;
}

static bool compare(const struct val *a, const char *op, const struct val *b)
{
	bool can;
	int o = order(a, b, &can);

	if (op[0] == '=' || op[0] == '!')
		return (can ? o == 0 : val_equal(a, b)) == (op[0] == '=');
	if (!can)
		return false;
	return op[0] == '<' ? (op[1] ? o <= 0 : o < 0) : op[1] ? o >= 0 : o > 0;
}

/* @.a == "b", or @.a alone: does it exist? */
static bool parse_condition(struct path *q, const struct val *here, bool *holds)
{
	static const char *const ops[] = { "==", "!=", "<=", ">=", "<", ">" };
	struct val_list left = { 0 }, right = { 0 };
	const char *op = NULL;

	if (!parse_operand(q, here, here, &left))
		return false;
	for (size_t k = 0; k < ARRAY_LEN(ops) && !op; k++)
		if (strncmp(q->p, ops[k], strlen(ops[k])) == 0)
			op = ops[k];
	if (!op) {
		*holds = left.nr > 0;
		return true;
	}
	q->p += strlen(op);
	if (!parse_operand(q, here, here, &right))
		return false;
	*holds = left.nr && right.nr && compare(left.v[0], op, right.v[0]);
	return true;
}

/* Behind `?(`; reads it once for each candidate. */
static bool parse_filter(struct path *q, const struct val_list *now, struct val_list *out)
{
	static const struct val nothing = { .type = VAL_NULL };
	struct val_list from = { 0 };
	const char *begin = q->p;
	bool holds;

	for (uint32_t k = 0; k < now->nr; k++)
		all_members(q, now->v[k], &from);
	if (!parse_condition(q, &nothing, &holds))
		return false;
	if (*q->p != ')')
		return fail(q, "')' was expected");
	for (uint32_t k = 0; k < from.nr; k++) {
		q->p = begin;
		if (!parse_condition(q, from.v[k], &holds))
			return false;
		if (holds)
			add(q, out, from.v[k]);
	}
	q->p++;
	return true;
}

static bool parse_choice(struct path *q, const struct val_list *now, struct val_list *out)
{
	const char *name;

	skip_blanks(q);
	if (*q->p == '*') {
		q->p++;
		for (uint32_t k = 0; k < now->nr; k++)
			all_members(q, now->v[k], out);
	} else if (q->p[0] == '?' && q->p[1] == '(') {
		q->p += 2;
		if (!parse_filter(q, now, out))
			return false;
	} else if (*q->p == '\'' || *q->p == '"') {
		name = parse_quoted(q);
		if (!name)
			return false;
		for (uint32_t k = 0; k < now->nr; k++)
			add(q, out, val_get(now->v[k], name));
	} else {
		return parse_slice(q, now, out);
	}
	skip_blanks(q);
	return true;
}

/* Behind [: one choice, or several with commas. */
static bool parse_brackets(struct path *q, struct val_list *now)
{
	struct val_list out = { 0 };

	for (;;) {
		if (!parse_choice(q, now, &out))
			return false;
		if (*q->p != ',')
			break;
		q->p++;
	}
	if (*q->p != ']')
		return fail(q, "']' was expected");
	q->p++;
	*now = out;
	return true;
}

/* ---- . … */

static bool parse_field(struct path *q, struct val_list *now)
{
	struct val_list out = { 0 };
	const char *name;

	if (*q->p == '*') {
		q->p++;
		for (uint32_t k = 0; k < now->nr; k++)
			all_members(q, now->v[k], &out);
	} else {
		name = parse_name(q);
		if (!name)
			return false;
		for (uint32_t k = 0; k < now->nr; k++)
			add(q, &out, val_get(now->v[k], name));
	}
	*now = out;
	return true;
}

/* .a.b[0]..c, until something else stands there. */
static bool steps(struct path *q, struct val_list *now)
{
	for (;;) {
		if (*q->p == '[') {
			q->p++;
			if (!parse_brackets(q, now))
				return false;
		} else if (q->p[0] == '.' && q->p[1] == '.') {
			struct val_list all = { 0 };

			for (uint32_t k = 0; k < now->nr; k++)
				descend(q, now->v[k], &all);
			*now = all;
			q->p += 2;
			if (*q->p != '[' && !parse_field(q, now))
				return false;
		} else if (*q->p == '.') {
			q->p++;
			if (*q->p && *q->p != '}' && *q->p != '[' && !parse_field(q, now))     /* `.` alone is the whole */
				return false;
		} else {
			return true;
		}
	}
}

bool jsonpath(struct arena *a, const struct val *root, const char *path, struct val_list *out, struct err *err)
{
	struct path q = { path, path, a, err };

	skip_blanks(&q);
	do {
		struct val_list now = { 0 };
		bool braces = *q.p == '{';

		q.p += braces;
		skip_blanks(&q);
		add(&q, &now, root);
		if (*q.p == '$' || *q.p == '@')
			q.p++;
		else if (*q.p != '.' && *q.p != '[' && (!*q.p || !parse_field(&q, &now)))
			return *q.p ? false : fail(&q, "a path was expected");
		if (!steps(&q, &now))
			return false;
		skip_blanks(&q);
		if (braces && *q.p != '}')
			return fail(&q, "'}' was expected");
		q.p += braces;
		for (uint32_t k = 0; k < now.nr; k++)
			add(&q, out, now.v[k]);
		skip_blanks(&q);
	} while (*q.p == '{');
	return !*q.p || fail(&q, "the end was expected");
}
