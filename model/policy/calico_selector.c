#include "model/policy/calico_selector.h"

#include <ctype.h>

struct reading { const char *at, *prefix; const pair_list *labels; bool wrong, all, global; int depth; };

static void blanks(struct reading *r)
{
	while (*r->at == ' ' || *r->at == '\t')
		r->at++;
}

static bool take(struct reading *r, const char *sign)
{
	size_t n = strlen(sign);

	blanks(r);
	if (strncmp(r->at, sign, n) != 0)
		return false;
	r->at += n;
	return true;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || strchr("_./-", c);
}

/* A word with an end: `in` is not the beginning of `inside`. */
static bool take_word(struct reading *r, const char *word)
{
	const char *from = r->at;

	if (take(r, word) && !(*r->at && in_name(*r->at)))
		return true;
	r->at = from;
	return false;
}

enum { KEY = 336 };                     /* a label's key is at most 317 bytes long */

/* Of a label, with the prefix. */
static bool name(struct reading *r, char out[KEY])
{
	size_t n = 0, before = strlen(r->prefix);

	blanks(r);
	while (r->at[n] && in_name(r->at[n]) && before + n < KEY - 1)
		n++;
	memcpy(out, r->prefix, before);
	memcpy(out + before, r->at, n);
	out[before + n] = '\0';
	r->at += n;
	r->wrong = r->wrong || !n;
	return n > 0;
}

/* 'v' or "v"; without escapes. */
static void text(struct reading *r, const char **v, size_t *n)
{
	const char *end;

	blanks(r);
	*v = "";
	*n = 0;
	end = *r->at == '\'' || *r->at == '"' ? strchr(r->at + 1, *r->at) : NULL;
	if (!end) {
		r->wrong = true;
		return;
	}
	*v = r->at + 1;
	*n = (size_t)(end - *v);
	r->at = end + 1;
}

static bool same(const char *have, const char *v, size_t n)
{
	return have && strlen(have) == n && memcmp(have, v, n) == 0;
}

static bool in_set(struct reading *r, const char *have)
{
	const char *v;
	bool found = false;
	size_t n;

	if (!take(r, "{"))
		r->wrong = true;
	if (take(r, "}"))
		return false;
	do {
		text(r, &v, &n);
		found = found || same(have, v, n);
	} while (!r->wrong && take(r, ","));
	r->wrong = r->wrong || !take(r, "}");
	return found;
}

static bool comparison(struct reading *r)
{
	char key[KEY];
	const char *have, *v;
	size_t n, len;

	if (!name(r, key))
		return false;
	have = label_get(r->labels, key);
	len = have ? strlen(have) : 0;
	if (take(r, "==")) {
		text(r, &v, &n);
		return same(have, v, n);
	}
	if (take(r, "!=")) {
		text(r, &v, &n);
		return !same(have, v, n);
	}
	if (take_word(r, "in"))
		return in_set(r, have);
	if (take_word(r, "not")) {
		r->wrong = r->wrong || !take_word(r, "in");
		return !in_set(r, have);
	}
	if (take_word(r, "contains")) {
		text(r, &v, &n);
		return have && memmem(have, len, v, n);
	}
	if (take_word(r, "starts") && take_word(r, "with")) {
		text(r, &v, &n);
		return have && n <= len && memcmp(have, v, n) == 0;
	}
	if (take_word(r, "ends") && take_word(r, "with")) {
		text(r, &v, &n);
		return have && n <= len && memcmp(have + len - n, v, n) == 0;
	}
	r->wrong = true;
	return false;
}

static bool any_of(struct reading *r);

static bool call(struct reading *r, const char *function)
{
	const char *from = r->at;

	if (take_word(r, function) && take(r, "("))
		return true;
	r->at = from;
	return false;
}

static bool one(struct reading *r)
{
	char key[KEY];
	bool is = true;

	if (++r->depth > 64) {
		r->wrong = true;
	} else if (take(r, "!")) {
		is = !one(r);
	} else if (take(r, "(")) {
		is = any_of(r);
		r->wrong = r->wrong || !take(r, ")");
	} else if (call(r, "all")) {
		is = r->all;
		r->wrong = r->wrong || !take(r, ")");
	} else if (call(r, "global")) {
		is = r->global;
		r->wrong = r->wrong || !take(r, ")");
	} else if (call(r, "has")) {
		is = name(r, key) && label_get(r->labels, key);
		r->wrong = r->wrong || !take(r, ")");
	} else {
		is = comparison(r);
	}
	r->depth--;
	return is;
}

static bool all_of(struct reading *r)
{
	bool is = one(r);

	while (!r->wrong && take(r, "&&"))
		is = one(r) && is;
	return is;
}

static bool any_of(struct reading *r)
{
	bool is = all_of(r);

	while (!r->wrong && take(r, "||"))
		is = all_of(r) || is;
	return is;
}

static int read(struct reading r)
{
	bool is;

	blanks(&r);
	if (!*r.at)
		return 1;
	is = any_of(&r);
	blanks(&r);
	return r.wrong || *r.at ? -1 : is;
}

int calico_selects(const char *selector, const pair_list *labels)
{
	return read((struct reading){ .at = selector, .prefix = "", .labels = labels, .all = true, .global = true });
}

int calico_selects_behind(const char *selector, const char *prefix, bool all, const pair_list *labels)
{
	return read((struct reading){ .at = selector, .prefix = prefix, .labels = labels, .all = all, .global = !all });
}
