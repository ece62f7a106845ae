#include "viz/report/jsonpath_print.h"

#include <stdlib.h>

#include "model/base/quantity.h"

/* One value as kubectl prints it within a line: a string as it is, all else as JSON. */
static void value_print(const struct val *v, struct sb *out)
{
	if (val_is(v, VAL_STRING))
		sb_add(out, v->s);
	else
		val_print_json(v, out, 0, true);
}

static int by_map_key(const void *x, const void *y)
{
	const struct val *const *a = x, *const *b = y;

	return strcmp((*a)->key, (*b)->key);
}

/* One value within a custom column: as Go's fmt.Sprint prints it, map[a:b c:d] and [a b]. */
static void go_print(struct arena *a, const struct val *v, struct sb *out)
{
	bool map = val_is(v, VAL_MAP);
	VEC(const struct val *) in = { 0 };

	if (!map && !val_is(v, VAL_LIST)) {
		if (val_is(v, VAL_NULL))
			sb_add(out, "<nil>");
		else
			value_print(v, out);
		return;
	}
	VAL_EACH(m, v)
		vec_add(a, &in, m);
	if (map && in.nr)
		qsort(in.v, in.nr, sizeof(*in.v), by_map_key);
	sb_add(out, map ? "map[" : "[");
	for (uint32_t k = 0; k < in.nr; k++) {
		sb_printf(out, "%s%s%s", k ? " " : "", map ? in.v[k]->key : "", map ? ":" : "");
		go_print(a, in.v[k], out);
	}
	sb_addc(out, ']');
}

/* Behind the closing brace of what opens at p ("{"); NULL: none. */
static const char *closing(const char *p)
{
	char quote = 0;

	for (p++; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '}')
			return p;
	}
	return NULL;
}

static void add_quoted(const char *s, size_t n, struct sb *out)
{
	for (size_t k = 0; k < n; k++) {
		if (s[k] != '\\' || k + 1 == n)
			sb_addc(out, s[k]);
		else
			sb_addc(out, s[++k] == 'n' ? '\n' : s[k] == 't' ? '\t' : s[k]);
	}
}

struct template { struct arena *arena; const char *text; struct sb *out; struct err *err; };

/* Prints up to {end} (within a range) or the end of the text. → behind it; NULL: wrong. */
static const char *print(struct template *t, const struct val *at, const char *p, bool in_range)
{
	while (*p) {
		const char *end, *word;
		size_t n;

		if (*p == '\\' && p[1]) {
			add_quoted(p, 2, t->out);
			p += 2;
			continue;
		}
		if (*p != '{') {
			sb_addc(t->out, *p++);
			continue;
		}
		end = closing(p);
		if (!end)
			return err_add(t->err, ERR_INPUT, NULL, "jsonpath: a brace is not closed in \"%s\"", p), NULL;
		for (word = p + 1; *word == ' '; word++)
			;
		n = (size_t)(end - word);
		while (n && word[n - 1] == ' ')
			n--;
		p = end + 1;
		if (n == 3 && strncmp(word, "end", 3) == 0) {
			if (in_range)
				return p;
			return err_add(t->err, ERR_INPUT, NULL, "jsonpath: {end} without {range}"), NULL;
		}
		if (n >= 2 && (*word == '"' || *word == '\'') && word[n - 1] == *word) {
			add_quoted(word + 1, n - 2, t->out);
		} else if (n > 6 && strncmp(word, "range ", 6) == 0) {
			struct val_list l = { 0 };
			const char *behind = NULL;

			if (!jsonpath(t->arena, at, arena_printf(t->arena, "{%.*s}", (int)(n - 6), word + 6), &l, t->err))
				return NULL;
			for (uint32_t k = 0; k < l.nr; k++)
				if (!(behind = print(t, l.v[k], p, true)))
					return NULL;
			if (!l.nr) {                    /* nothing to print, but its end must be found */
				struct sb nowhere = { 0 };
				struct template dry = { t->arena, t->text, &nowhere, t->err };

				behind = print(&dry, NULL, p, true);
				sb_free(&nowhere);
			}
			if (!(p = behind))
				return NULL;
		} else if (n) {
			struct val_list l = { 0 };

			if (!jsonpath(t->arena, at, arena_printf(t->arena, "{%.*s}", (int)n, word), &l, t->err))
				return NULL;
			for (uint32_t k = 0; k < l.nr; k++) {
				sb_add(t->out, k ? " " : "");
				value_print(l.v[k], t->out);
			}
		}
	}
	return in_range ? (err_add(t->err, ERR_INPUT, NULL, "jsonpath: {range} without {end}"), NULL) : p;
}

bool jsonpath_print(struct arena *a, const struct val *root, const char *text, struct sb *out, struct err *err)
{
	struct template t = { a, text, out, err };

	if (!strchr(text, '{'))         /* kubectl takes a bare path, too */
		text = arena_printf(a, "{%s%s}", *text == '.' || *text == '$' || *text == '[' ? "" : ".", text);
	return print(&t, root, text, false) != NULL;
}

bool path_cell(struct arena *a, const struct val *root, const char *path, struct sb *out, struct err *err)
{
	struct val_list l = { 0 };

	if (!jsonpath(a, root, *path == '{' ? path : arena_printf(a, "{%s%s}", *path == '.' || *path == '$' ? "" : ".", path), &l, err))
		return false;
	for (uint32_t k = 0; k < l.nr; k++) {
		sb_add(out, k ? "," : "");
		go_print(a, l.v[k], out);
	}
	if (!l.nr)
		sb_add(out, "<none>");
	return true;
}

bool custom_columns_parse(struct arena *a, const char *text, struct custom_columns *c, struct err *err)
{
	uint32_t most = 1;

	for (const char *p = text; *p; p++)
		most += *p == ',';
	*c = (struct custom_columns){ arena_array(a, const char *, most), arena_array(a, const char *, most), 0 };
	for (const char *p = text; *p;) {
		const char *colon = strchr(p, ':'), *end = p + strcspn(p, ",");
		uint32_t depth = 0;

		for (end = p; *end && (*end != ',' || depth); end++)
			depth += *end == '[' || *end == '(', depth -= depth && (*end == ']' || *end == ')');
		if (!colon || colon > end)
			return err_add(err, ERR_INPUT, NULL, "custom-columns: \"%.*s\" is not HEAD:PATH, as NAME:.metadata.name", (int)(end - p), p);
		c->heads[c->nr] = arena_strndup(a, p, (size_t)(colon - p));
		c->paths[c->nr++] = arena_strndup(a, colon + 1, (size_t)(end - colon) - 1);
		p = end + (*end == ',');
	}
	if (!c->nr)
		return err_add(err, ERR_INPUT, NULL, "custom-columns: which? as NAME:.metadata.name,NODE:.spec.nodeName");
	return true;
}

struct keyed { const struct val *key; int64_t amount; bool counts; uint32_t at; };

/* Digits within a text count as one number: pod-2 before pod-10. */
static int natural(const char *a, const char *b)
{
	while (*a && *b) {
		size_t n, m;
		int d;

		if (*a < '0' || *a > '9' || *b < '0' || *b > '9') {
			if (*a != *b)
				return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
			a++;
			b++;
			continue;
		}
		a += strspn(a, "0");
		b += strspn(b, "0");
		n = strspn(a, "0123456789");
		m = strspn(b, "0123456789");
		d = n != m ? (n > m) - (n < m) : strncmp(a, b, n);
		if (d)
			return d;
		a += n;
		b += m;
	}
	return (*a != 0) - (*b != 0);
}

static int by_key(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	int order = 0;

	if (!a->key || !b->key)
		order = (a->key != NULL) - (b->key != NULL);
	else if (a->counts && b->counts)
		order = (a->amount > b->amount) - (a->amount < b->amount);
	else if (val_str(a->key) && val_str(b->key))
		order = natural(a->key->s, b->key->s);
	return order ? order : (a->at > b->at) - (a->at < b->at);
}

bool order_by_path(struct arena *a, const struct val *const *docs, uint32_t nr, const char *path, uint32_t *order, struct err *err)
{
	struct keyed *v = arena_array(a, struct keyed, nr);
	bool any = false;

	for (uint32_t k = 0; k < nr; k++) {
		struct val_list l = { 0 };

		if (!jsonpath(a, docs[k], *path == '{' ? path : arena_printf(a, "{%s%s}", *path == '.' ? "" : ".", path), &l, err))
			return false;
		v[k] = (struct keyed){ .key = l.nr ? l.v[0] : NULL, .at = k };
		any = any || l.nr;
		if (v[k].key && v[k].key->type == VAL_INT) {
			v[k].amount = v[k].key->i > INT64_MAX / 1000 ? INT64_MAX : v[k].key->i * 1000;
			v[k].counts = true;
		} else if (v[k].key && v[k].key->type == VAL_FLOAT) {
			v[k].amount = (int64_t)(v[k].key->f * 1000);
			v[k].counts = true;
		} else if (v[k].key && v[k].key->type == VAL_BOOL) {
			v[k].amount = v[k].key->b;
			v[k].counts = true;
		} else {
			v[k].counts = v[k].key && val_str(v[k].key) && quantity_parse(v[k].key->s, &v[k].amount);
		}
	}
	if (nr && !any)
		return err_add(err, ERR_INPUT, NULL, "--sort-by: couldn't find any field with path \"%s\" in the list of objects", path);
	if (nr)
		qsort(v, nr, sizeof(*v), by_key);
	for (uint32_t k = 0; k < nr; k++)
		order[k] = v[k].at;
	return true;
}
