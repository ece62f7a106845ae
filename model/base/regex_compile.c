/* A pattern becomes a small program. Order of trial is the order of preference, which gives Perl's leftmost-first matches. */
#include "model/base/regex_program.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define RE_PROGRAM 4096
#define RE_REPEAT 200
#define RE_DEPTH 100
#define RE_ATOMS (16 * RE_PROGRAM)      /* read, however often: empty ones repeated within one another leave no instruction */

struct re_parse {
	struct arena *arena;
	const char *p;
	VEC(struct re_inst) inst;
	VEC(struct re_class) classes;
	uint32_t groups, depth, atoms;
	bool nocase;
	const char *why;
};

static bool alternation(struct re_parse *);

static bool refuse(struct re_parse *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static uint32_t emit(struct re_parse *r, enum re_op op, uint8_t c, uint32_t x, uint32_t y)
{
	vec_add(r->arena, &r->inst, (struct re_inst){ (uint8_t)op, c, x, y });
	return r->inst.nr - 1;
}

/* Moves what begins at `from` by one place, so that an instruction can stand before it. */
static void insert(struct re_parse *r, uint32_t from, enum re_op op, uint32_t x, uint32_t y)
{
	emit(r, RE_MATCH, 0, 0, 0);
	memmove(&r->inst.v[from + 1], &r->inst.v[from], (r->inst.nr - 1 - from) * sizeof(*r->inst.v));
	for (uint32_t k = from + 1; k < r->inst.nr; k++) {
		struct re_inst *i = &r->inst.v[k];

		if ((i->op == RE_SPLIT || i->op == RE_JUMP) && i->x >= from)
			i->x++;
		if (i->op == RE_SPLIT && i->y >= from)
			i->y++;
	}
	r->inst.v[from] = (struct re_inst){ (uint8_t)op, 0, x, y };
}

static void class_add(struct re_class *c, uint8_t lo, uint8_t hi)
{
	for (uint32_t b = lo; b <= hi; b++)
		c->bit[b >> 5] |= 1u << (b & 31);
}

static void class_not(struct re_class *c)
{
	for (uint32_t k = 0; k < 8; k++)
		c->bit[k] = ~c->bit[k];
}

/* \d \w \s and their opposites. */
static bool class_escape(char e, struct re_class *c)
{
	struct re_class own = { { 0 } };

	switch (tolower((unsigned char)e)) {
	case 'd':
		class_add(&own, '0', '9');
		break;
	case 'w':
		class_add(&own, '0', '9');
		class_add(&own, 'A', 'Z');
		class_add(&own, 'a', 'z');
		class_add(&own, '_', '_');
		break;
	case 's':
		class_add(&own, '\t', '\r');
		class_add(&own, ' ', ' ');
		break;
	default:
		return false;
	}
	if (isupper((unsigned char)e))
		class_not(&own);
	for (uint32_t k = 0; k < 8; k++)
		c->bit[k] |= own.bit[k];
	return true;
}

/* The byte that \x stands for; -1: not one that we know. */
static int literal_escape(struct re_parse *r)
{
	static const char from[] = "nrtfv", to[] = "\n\r\t\f\v";
	char e = *r->p;
	const char *at;

	if (!e)
		return -1;
	if (e == 'x') {
		int v = 0;

		for (int k = 1; k <= 2; k++) {
			if (!isxdigit((unsigned char)r->p[k]))
				return -1;
			v = v * 16 + (isdigit((unsigned char)r->p[k]) ? r->p[k] - '0' : tolower((unsigned char)r->p[k]) - 'a' + 10);
		}
		r->p += 3;
		return v;
	}
	at = strchr(from, e);
	if (at)
		return r->p++, to[at - from];
	if (isalnum((unsigned char)e))
		return -1;
	return r->p++, (unsigned char)e;
}

static const struct { const char *name; int (*is)(int); } posix[] = {
	{ "alnum", isalnum }, { "alpha", isalpha }, { "digit", isdigit }, { "lower", islower }, { "upper", isupper },
	{ "space", isspace }, { "punct", ispunct }, { "xdigit", isxdigit }, { "word", NULL },
};

static bool posix_class(struct re_parse *r, struct re_class *c)
{
	const char *end = strstr(r->p, ":]");

	for (size_t k = 0; end && k < ARRAY_LEN(posix); k++) {
		size_t n = strlen(posix[k].name);

		if ((size_t)(end - r->p) != n + 2 || strncmp(r->p + 2, posix[k].name, n) != 0)
			continue;
		for (int b = 0; b < 128; b++)
			if (posix[k].is ? posix[k].is(b) : isalnum(b) || b == '_')
				class_add(c, (uint8_t)b, (uint8_t)b);
		r->p = end + 2;
		return true;
	}
	return refuse(r, "a character class by name that is not known");
}

/* One end of a range, or a class escape (then *whole). */
static int class_item(struct re_parse *r, struct re_class *c, bool *whole)
{
	*whole = false;
	if (*r->p != '\\')
		return (unsigned char)*r->p++;
	r->p++;
	if (class_escape(*r->p, c)) {
		r->p++;
		*whole = true;
		return 0;
	}
	if (*r->p == 'b')
		return r->p++, '\b';
	return literal_escape(r);
}

static bool bracket(struct re_parse *r)
{
	struct re_class c = { { 0 } };
	bool negate = *r->p == '^', first = true, whole;

	r->p += negate;
	for (; *r->p && (*r->p != ']' || first); first = false) {
		int lo, hi;

		if (r->p[0] == '[' && r->p[1] == ':') {
			if (!posix_class(r, &c))
				return false;
			continue;
		}
		lo = hi = class_item(r, &c, &whole);
		if (lo < 0)
			return refuse(r, "an escape that is not known");
		if (whole)
			continue;
		if (r->p[0] == '-' && r->p[1] && r->p[1] != ']') {
			r->p++;
			hi = class_item(r, &c, &whole);
			if (hi < lo || whole)
				return refuse(r, "a range that is out of order");
		}
		class_add(&c, (uint8_t)lo, (uint8_t)hi);
	}
	if (*r->p != ']')
		return refuse(r, "[ without ]");
	r->p++;
	for (uint8_t b = 'a'; r->nocase && b <= 'z'; b++)
		if (class_has(&c, b) || class_has(&c, (uint8_t)(b - 32)))
			class_add(&c, b, b), class_add(&c, (uint8_t)(b - 32), (uint8_t)(b - 32));
	if (negate)
		class_not(&c);
	vec_add(r->arena, &r->classes, c);
	emit(r, RE_CLASS, 0, r->classes.nr - 1, 0);
	return true;
}

static bool group(struct re_parse *r)
{
	uint32_t n = 0;
	bool capture = true;

	if (*r->p == '?') {
		if (r->p[1] == ':') {
			r->p += 2;
			capture = false;
		} else if (strncmp(r->p, "?P<", 3) == 0 || (strncmp(r->p, "?<", 2) == 0 && isalpha((unsigned char)r->p[2]))) {
			r->p = strchr(r->p, '>');
			if (!r->p)
				return r->p = "", refuse(r, "( without )");
			r->p++;
		} else {
			return refuse(r, "look-around or a flag inside the pattern");
		}
	}
	if (capture) {
		n = ++r->groups;
		emit(r, RE_SAVE, 0, n * 2, 0);
	}
	if (!alternation(r))
		return false;
	if (*r->p != ')')
		return refuse(r, "( without )");
	r->p++;
	if (capture)
		emit(r, RE_SAVE, 0, n * 2 + 1, 0);
	return true;
}

static bool escape(struct re_parse *r)
{
	struct re_class c = { { 0 } };
	int b;

	if (*r->p == 'b' || *r->p == 'B') {
		emit(r, *r->p++ == 'b' ? RE_WORD : RE_NOT_WORD, 0, 0, 0);
		return true;
	}
	if (*r->p == 'A' || *r->p == 'z') {
		emit(r, *r->p++ == 'A' ? RE_BEGIN : RE_END, 0, 0, 0);
		return true;
	}
	if (class_escape(*r->p, &c)) {
		r->p++;
		vec_add(r->arena, &r->classes, c);
		emit(r, RE_CLASS, 0, r->classes.nr - 1, 0);
		return true;
	}
	b = literal_escape(r);
	if (b < 0)
		return refuse(r, "an escape that is not known (a back-reference?)");
	emit(r, RE_CHAR, (uint8_t)(r->nocase ? tolower(b) : b), 0, 0);
	return true;
}

/* {n}, {n,}, {n,m}; anything else after { is the character itself. */
static bool counted(const char **p, uint32_t *lo, uint32_t *hi)
{
	const char *q = *p + 1;
	char *end;

	if (!isdigit((unsigned char)*q))
		return false;
	*lo = *hi = (uint32_t)strtoul(q, &end, 10);
	if (*end == ',') {
		q = end + 1;
		*hi = UINT32_MAX;
		if (isdigit((unsigned char)*q))
			*hi = (uint32_t)strtoul(q, &end, 10);
		else
			end = (char *)q;
	}
	if (*end != '}')
		return false;
	*p = end + 1;
	return true;
}

static bool atom(struct re_parse *r)
{
	const char *at = r->p;
	uint32_t lo, hi;
	char c = *r->p++;

	if (++r->atoms > RE_ATOMS)
		return refuse(r, "too long");
	if (c == '*' || c == '+' || c == '?' || (c == '{' && counted(&at, &lo, &hi)))
		return refuse(r, "nothing to repeat");
	switch (c) {
	case '(':
		return group(r);
	case '[':
		return bracket(r);
	case '.':
		emit(r, RE_ANY, 0, 0, 0);
		return true;
	case '^':
		emit(r, RE_BEGIN, 0, 0, 0);
		return true;
	case '$':
		emit(r, RE_END, 0, 0, 0);
		return true;
	case '\\':
		return escape(r);
	default:
		emit(r, RE_CHAR, (uint8_t)(r->nocase ? tolower((unsigned char)c) : c), 0, 0);
		return true;
	}
}

static void split(struct re_parse *r, uint32_t from, bool lazy, bool loop)
{
	uint32_t behind;

	insert(r, from, RE_SPLIT, from + 1, 0);
	if (loop)
		emit(r, RE_JUMP, 0, from, 0);
	behind = r->inst.nr;
	r->inst.v[from].y = behind;
	if (lazy)
		r->inst.v[from].x = behind, r->inst.v[from].y = from + 1;
}

/* The atom whose text is [from, to) once more: parsed again, with the same group numbers. */
static bool again(struct re_parse *r, const char *from, uint32_t groups)
{
	const char *behind = r->p;
	uint32_t after = r->groups;
	bool ok;

	r->p = from;
	r->groups = groups;
	ok = atom(r);
	r->p = behind;
	r->groups = after;
	return ok && (r->inst.nr < RE_PROGRAM || refuse(r, "too long"));
}

static bool repeat_counted(struct re_parse *r, uint32_t at, const char *text, uint32_t groups, uint32_t lo, uint32_t hi, bool lazy)
{
	bool open = hi == UINT32_MAX;

	if (lo > RE_REPEAT || (!open && (hi > RE_REPEAT || hi < lo)))
		return refuse(r, "a repetition that is too large");
	if (lo == 0) {
		if (hi == 0)
			r->inst.nr = at;
		else
			split(r, at, lazy, open);
		lo = 1;
	} else {
		for (uint32_t k = 1; k < lo; k++) {
			at = r->inst.nr;
			if (!again(r, text, groups))
				return false;
		}
		if (open) {
			at = r->inst.nr;
			if (!again(r, text, groups))
				return false;
			split(r, at, lazy, true);
		}
	}
	for (uint32_t k = lo; !open && k < hi; k++) {
		at = r->inst.nr;
		if (!again(r, text, groups))
			return false;
		split(r, at, lazy, false);
	}
	return true;
}

static bool repetition(struct re_parse *r)
{
	const char *text = r->p, *q;
	uint32_t at = r->inst.nr, groups = r->groups, lo, hi;
	bool lazy;

	if (!atom(r))
		return false;
	q = r->p;
	if (*q == '*' || *q == '+' || *q == '?') {
		char how = *q++;

		lazy = *q == '?';
		r->p = q + lazy;
		if (how == '+') {
			emit(r, RE_SPLIT, 0, lazy ? r->inst.nr + 1 : at, lazy ? at : r->inst.nr + 1);
		} else {
			split(r, at, lazy, how == '*');
		}
	} else if (*q == '{' && counted(&q, &lo, &hi)) {
		lazy = *q == '?';
		r->p = q + lazy;
		if (!repeat_counted(r, at, text, groups, lo, hi, lazy))
			return false;
	} else {
		return true;
	}
	if (*r->p == '*' || *r->p == '+' || *r->p == '?')
		return refuse(r, "a possessive or doubled repetition");
	return true;
}

static bool sequence(struct re_parse *r)
{
	while (*r->p && *r->p != '|' && *r->p != ')') {
		if (r->inst.nr > RE_PROGRAM)
			return refuse(r, "too long");
		if (!repetition(r))
			return false;
	}
	return true;
}

static bool alternation(struct re_parse *r)
{
	uint32_t at = r->inst.nr, jump = 0;     /* the last jump behind all of it, whose target is the one before; 0: none */
	bool ok;

	if (r->depth++ > RE_DEPTH)
		return refuse(r, "too deep");
	while ((ok = sequence(r)) && *r->p == '|') {
		r->p++;
		insert(r, at, RE_SPLIT, at + 1, 0);
		jump = emit(r, RE_JUMP, 0, jump, 0);
		r->inst.v[at].y = r->inst.nr;
		at = r->inst.nr;
		if (at > RE_PROGRAM)
			return refuse(r, "too long");
	}
	while (jump) {
		uint32_t before = r->inst.v[jump].x;

		r->inst.v[jump].x = r->inst.nr;
		jump = before;
	}
	r->depth--;
	return ok;
}

const struct regex *regex_compile(struct arena *a, const char *pattern, bool nocase, const char **why)
{
	struct re_parse r = { .arena = a, .p = pattern, .nocase = nocase };
	struct regex *re;

	if (strncmp(r.p, "(?i)", 4) == 0)
		r.p += 4, r.nocase = true;
	emit(&r, RE_SAVE, 0, 0, 0);
	if (alternation(&r) && *r.p == ')')
		refuse(&r, ") without (");
	if (r.why) {
		if (why)
			*why = r.why;
		return NULL;
	}
	emit(&r, RE_SAVE, 0, 1, 0);
	emit(&r, RE_MATCH, 0, 0, 0);
	re = arena_make(a, struct regex);
	*re = (struct regex){ r.inst.v, r.inst.nr, r.classes.v, r.nocase };
	return re;
}

const char *regex_literal(struct arena *a, const char *text)
{
	char *out = arena_array(a, char, 2 * strlen(text) + 1), *w = out;

	for (const char *p = text; *p; p++) {
		if (ispunct((unsigned char)*p) && *p != '/' && *p != '-' && *p != '_')
			*w++ = '\\';
		*w++ = *p;
	}
	*w = '\0';
	return out;
}
