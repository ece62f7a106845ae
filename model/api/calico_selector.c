#include "model/api/calico_selector.h"

#include <ctype.h>

struct reading {
	const char *at, *prefix;
	const pair_list *labels;
	const char *fault, *fault_at;           /* the first one; NULL: none yet */
	bool all, global;
	int depth;
	calico_term *term; void *ctx;           /* term may be NULL */
	calico_steps *steps; struct arena *a;   /* written down as it is read; steps may be NULL */
};

static bool wrong(struct reading *r, const char *expected)
{
	if (!r->fault) {
		r->fault = expected;
		r->fault_at = r->at;
	}
	return false;
}

static void blanks(struct reading *r)
{
	while (*r->at == ' ' || *r->at == '\t')
		r->at++;
}

static bool take(struct reading *r, const char *sign)
{
	size_t n = 0;

	blanks(r);
	for (; sign[n]; n++)
		if (r->at[n] != sign[n])
			return false;
	r->at += n;
	return true;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || strchr("_./-", c);
}

static bool boundary(const struct reading *r)
{
	return !*r->at || !in_name(*r->at);
}

/* A word with an end: `in` is not the beginning of `inside`. */
static bool take_word(struct reading *r, const char *word)
{
	const char *from = r->at;

	if (take(r, word) && boundary(r))
		return true;
	r->at = from;
	return false;
}

enum { KEY = 336 };                     /* a label's key is at most 317 bytes long */

/* Two words, as one or with blanks between them. */
static bool take_words(struct reading *r, const char *first, const char *second)
{
	const char *from = r->at;

	if (take(r, first) && take(r, second) && boundary(r))
		return true;
	r->at = from;
	return false;
}

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
	return n > 0 || wrong(r, "the name of a label");
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
		wrong(r, *r->at == '\'' || *r->at == '"' ? "the end of this text" : "a text in quotes");
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

static void tell(const struct reading *r, const char *key, const char *v, size_t n)
{
	if (r->term && !r->fault)
		r->term(r->ctx, key + strlen(r->prefix), v, n);
}

static void step(struct reading *r, enum calico_op op, const char *key)
{
	if (r->steps && !r->fault)
		vec_add(r->a, r->steps, ((struct calico_step){ .op = (uint8_t)op, .key = key ? arena_strdup(r->a, key) : NULL }));
}

/* One more value of the last comparison. */
static void step_value(struct reading *r, const char *v, size_t n)
{
	struct calico_step *s = r->steps && !r->fault ? &r->steps->v[r->steps->nr - 1] : NULL;
	const char **more;

	if (!s)
		return;
	if (!(s->nr & (s->nr + 1))) {           /* room for 1, 3, 7, … */
		more = arena_array(r->a, const char *, s->nr * 2 + 1);
		if (s->nr)
			memcpy(more, s->values, s->nr * sizeof(*more));
		s->values = more;
	}
	s->values[s->nr++] = arena_printf(r->a, "%.*s", (int)n, v);
}

static bool in_set(struct reading *r, const char *key, const char *have)
{
	const char *v;
	bool found = false;
	size_t n;

	if (!take(r, "{"))
		return wrong(r, "{");
	if (take(r, "}"))
		return false;
	do {
		text(r, &v, &n);
		tell(r, key, v, n);
		step_value(r, v, n);
		found = found || same(have, v, n);
	} while (!r->fault && take(r, ","));
	return (r->fault || take(r, "}") || wrong(r, "}")) && found;
}

static bool holds(enum calico_op how, const char *have, const char *v, size_t n)
{
	size_t len = have ? strlen(have) : 0;

	switch (how) {
	case CALICO_EQUAL:    return same(have, v, n);
	case CALICO_DIFFERS:  return !same(have, v, n);
	case CALICO_CONTAINS: return have && memmem(have, len, v, n);
	case CALICO_STARTS:   return have && n <= len && memcmp(have, v, n) == 0;
	case CALICO_ENDS:     return have && n <= len && memcmp(have + len - n, v, n) == 0;
	default:              return false;
	}
}

bool calico_step_holds(const struct calico_step *s, const char *value)
{
	bool found = false;

	if (s->op == CALICO_HAS)
		return value;
	if (s->op != CALICO_IN && s->op != CALICO_NOT_IN)
		return holds((enum calico_op)s->op, value, s->values[0], strlen(s->values[0]));
	for (uint32_t k = 0; k < s->nr && !found; k++)
		found = streq(value, s->values[k]);
	return found == (s->op == CALICO_IN);
}

static bool comparison(struct reading *r)
{
	char key[KEY];
	const char *have, *v;
	enum calico_op how;
	size_t n;

	if (!name(r, key))
		return false;
	have = label_get(r->labels, key);
	if (take_words(r, "not", "in")) {
		step(r, CALICO_NOT_IN, key);
		return !in_set(r, key, have);
	}
	if (take_word(r, "in")) {
		step(r, CALICO_IN, key);
		return in_set(r, key, have);
	}
	if (take(r, "=="))
		how = CALICO_EQUAL;
	else if (take(r, "!="))
		how = CALICO_DIFFERS;
	else if (take_word(r, "contains"))
		how = CALICO_CONTAINS;
	else if (take_words(r, "starts", "with"))
		how = CALICO_STARTS;
	else if (take_words(r, "ends", "with"))
		how = CALICO_ENDS;
	else
		return wrong(r, "==, !=, in, not in, contains, starts with or ends with");
	text(r, &v, &n);
	tell(r, key, v, n);
	step(r, how, key);
	step_value(r, v, n);
	return holds(how, have, v, n);
}

static bool any_of(struct reading *r);

/* "has(" is one word: has (x) is a label of that name. */
static bool call(struct reading *r, const char *function)
{
	const char *from = r->at;

	if (take(r, function) && *r->at == '(') {
		r->at++;
		return true;
	}
	r->at = from;
	return false;
}

static bool closed(struct reading *r, bool is)
{
	return (r->fault || take(r, ")") || wrong(r, ")")) && is;
}

static bool has(struct reading *r)
{
	char key[KEY];
	bool is = name(r, key) && label_get(r->labels, key);

	if (!r->fault)
		tell(r, key, NULL, 0);
	step(r, CALICO_HAS, key);
	return closed(r, is);
}

static bool constant(struct reading *r, enum calico_op op, bool is)
{
	step(r, op, NULL);
	return closed(r, is);
}

static bool one(struct reading *r)
{
	bool is;

	if (++r->depth > 64) {
		is = wrong(r, "at most 64 brackets or ! in one another");
	} else if (take(r, "!")) {
		is = !one(r);
		step(r, CALICO_NOT, NULL);
	} else if (take(r, "(")) {
		is = closed(r, any_of(r));
	} else if (call(r, "all")) {
		is = constant(r, CALICO_ALL, r->all);
	} else if (call(r, "global")) {
		is = constant(r, CALICO_GLOBAL, r->global);
	} else if (call(r, "has")) {
		is = has(r);
	} else {
		is = comparison(r);
	}
	r->depth--;
	return is;
}

static bool all_of(struct reading *r)
{
	bool is = one(r);

	while (!r->fault && take(r, "&&")) {
		is = one(r) && is;
		step(r, CALICO_AND, NULL);
	}
	return is;
}

static bool any_of(struct reading *r)
{
	bool is = all_of(r);

	while (!r->fault && take(r, "||")) {
		is = all_of(r) || is;
		step(r, CALICO_OR, NULL);
	}
	return is;
}

/* -1: faulty. */
static int read(struct reading *r)
{
	bool is;

	blanks(r);
	if (!*r->at)
		return 1;
	is = any_of(r);
	blanks(r);
	if (*r->at)
		wrong(r, "&& or ||");
	return r->fault ? -1 : is;
}

int calico_selects(const char *selector, const pair_list *labels)
{
	return read(&(struct reading){ .at = selector, .prefix = "", .labels = labels, .all = true, .global = true });
}

int calico_selects_behind(const char *selector, const char *prefix, bool all, const pair_list *labels)
{
	return read(&(struct reading){ .at = selector, .prefix = prefix, .labels = labels, .all = all, .global = !all });
}

bool calico_compile(const char *selector, struct arena *a, calico_steps *out)
{
	static const pair_list none;

	*out = (calico_steps){ 0 };
	return read(&(struct reading){ .at = selector, .prefix = "", .labels = &none, .steps = out, .a = a }) >= 0;
}

const char *calico_selector_fault(const char *selector, const char **at)
{
	static const pair_list none;
	struct reading r = { .at = selector, .prefix = "", .labels = &none };

	read(&r);
	*at = r.fault_at;
	return r.fault;
}

void calico_selector_terms(const char *selector, calico_term *term, void *ctx)
{
	static const pair_list none;

	read(&(struct reading){ .at = selector, .prefix = "", .labels = &none, .term = term, .ctx = ctx });
}
