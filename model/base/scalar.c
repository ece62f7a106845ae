/* What a plain YAML scalar means, and numbers as text. Source: sigs.k8s.io/yaml goyaml.v2 resolve.go, encode.go;
 * strconv.ParseInt and ParseFloat; encoding/json floatEncoder. */
#include "model/base/scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- numbers */

static double to_double(const char *s, bool *fits)
{
	double f;

	errno = 0;
	f = strtod(s, NULL);
	*fits = isfinite(f);
	return f;
}

static bool int_digits(const char *s, size_t n, unsigned base, bool negative, int64_t *out)
{
	uint64_t v = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

	if (!n)
		return false;
	for (; n; s++, n--) {
		unsigned d = is_digit(*s) ? (unsigned)(*s - '0') : (*s | 0x20) >= 'a' && (*s | 0x20) <= 'f' ? (unsigned)((*s | 0x20) - 'a' + 10) : 99;

		if (d >= base || v > (limit - d) / base)
			return false;
		v = v * base + d;
	}
	*out = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* strconv.ParseInt(s, 0, 64), underscores gone. */
static bool parse_int(const char *s, size_t n, int64_t *out)
{
	bool negative = n && *s == '-';
	unsigned base = 10;

	if (n && (*s == '-' || *s == '+')) {
		s++;
		n--;
	}
	if (n > 1 && *s == '0') {
		char c = (char)(s[1] | 0x20);

		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		s += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
		n -= c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	return int_digits(s, n, base, negative, out);
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(const char *s)
{
	size_t whole = 0, fraction = 0;

	s += *s == '-' || *s == '+';
	for (; is_digit(*s); s++)
		whole++;
	if (*s == '.')
		for (s++; is_digit(*s); s++)
			fraction++;
	if (!whole && !fraction)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		if (!is_digit(*s))
			return false;
		while (is_digit(*s))
			s++;
	}
	return !*s;
}

bool number_parse(const char *s, size_t n, struct val *out)
{
	char small[512];
	size_t k = 0;
	bool fits;

	for (size_t i = *s == '-'; i < n && is_digit(s[i]); i++)
		k++;
	if (k + (*s == '-') == n && int_digits(s + (*s == '-'), k, 10, *s == '-', &out->i)) {
		out->type = VAL_INT;
		return true;
	}
	if (n >= sizeof(small))
		return false;
	memcpy(small, s, n);
	small[n] = '\0';
	out->type = VAL_FLOAT;
	out->f = to_double(small, &fits);
	return fits;
}

/* ---- scalars */

/* A YAML float passes through JSON, where it loses a point that nothing follows, and is an integer behind it. */
static void set_number(struct val *out, double f)
{
	char text[NUMBER_TEXT];

	number_json(f, text);
	number_parse(text, strlen(text), out);
}

struct word { const char *text; enum val_type type; bool b; };
static const struct word words[] = {
	{ "y", VAL_BOOL, true }, { "Y", VAL_BOOL, true }, { "yes", VAL_BOOL, true }, { "Yes", VAL_BOOL, true }, { "YES", VAL_BOOL, true },
	{ "true", VAL_BOOL, true }, { "True", VAL_BOOL, true }, { "TRUE", VAL_BOOL, true },
	{ "on", VAL_BOOL, true }, { "On", VAL_BOOL, true }, { "ON", VAL_BOOL, true },
	{ "n", VAL_BOOL, false }, { "N", VAL_BOOL, false }, { "no", VAL_BOOL, false }, { "No", VAL_BOOL, false }, { "NO", VAL_BOOL, false },
	{ "false", VAL_BOOL, false }, { "False", VAL_BOOL, false }, { "FALSE", VAL_BOOL, false },
	{ "off", VAL_BOOL, false }, { "Off", VAL_BOOL, false }, { "OFF", VAL_BOOL, false },
	{ "~", VAL_NULL, false }, { "null", VAL_NULL, false }, { "Null", VAL_NULL, false }, { "NULL", VAL_NULL, false },
};

static bool is_inf_or_nan(const char *s)
{
	if (s[*s == '-' || *s == '+'] != '.')
		return false;
	if (strcmp(s, ".nan") == 0 || strcmp(s, ".NaN") == 0 || strcmp(s, ".NAN") == 0)
		return true;
	s += *s == '-' || *s == '+';
	return strcmp(s, ".inf") == 0 || strcmp(s, ".Inf") == 0 || strcmp(s, ".INF") == 0;
}

#define LONGEST_WORD 5
static bool begins_a_word(char c)
{
	switch (c) {
	case 'y': case 'Y': case 'n': case 'N': case 't': case 'T': case 'f': case 'F': case 'o': case 'O': case '~':
		return true;
	default:
		return false;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool resolve_word(const char *s, struct val *out)
{
	for (size_t k = 0; k < ARRAY_LEN(words); k++) {
		if (*s != *words[k].text || strcmp(s, words[k].text) != 0)
			continue;
		out->type = (uint8_t)words[k].type;
		out->b = words[k].b;
		return true;
	}
	return false;
}

/* Begins with a digit or a sign: underscores do not count. */
static bool resolve_number(const char *s, struct val *out)
{
	char plain[128];
	size_t n = 0;
	bool fits;
	double f;

	for (const char *p = s; *p; p++)
		if (*p != '_')
			plain[n++] = *p;
	plain[n] = '\0';
	if (parse_int(plain, n, &out->i)) {
		out->type = VAL_INT;
		return true;
	}
	if (!is_float(plain))
		return false;
	f = to_double(plain, &fits);
	if (fits)
		set_number(out, f);
	return fits;
}

bool scalar_resolve(const char *s, size_t n, struct val *out)
{
	char text[128];
	bool fits;
	double f;

	out->type = n ? VAL_STRING : VAL_NULL;
	if (n == 0 || n >= sizeof(text) || (is_letter(*s) && (n > LONGEST_WORD || !begins_a_word(*s))) || memchr(s, '\0', n))
		return true;
	memcpy(text, s, n);
	text[n] = '\0';
	if (is_inf_or_nan(text))
		return false;
	if (begins_a_word(*text) && resolve_word(text, out))
		return true;
	if ((is_digit(*text) || *text == '-' || *text == '+') && resolve_number(text, out))
		return true;
	if (*text == '.' && is_float(text)) {
		f = to_double(text, &fits);
		if (fits) {
			set_number(out, f);
			return true;
		}
	}
	out->type = VAL_STRING;
	return true;
}

static const char *digits(const char *s, unsigned least, unsigned most)
{
	unsigned n = 0;

	while (n < most && is_digit(*s)) {
		s++;
		n++;
	}
	return n >= least ? s : NULL;
}

/* parseTimestamp of goyaml.v2: 2006-1-2, or with T, t or blank and 15:4:5.9 and, behind T, a zone. */
static bool is_timestamp(const char *s)
{
	const char *p = digits(s, 4, 4);
	char sep;

	if (!p || *p != '-' || !(p = digits(p + 1, 1, 2)) || *p != '-' || !(p = digits(p + 1, 1, 2)))
		return false;
	sep = *p;
	if (!sep)
		return true;
	if ((sep != 'T' && sep != 't' && sep != ' ') || !(p = digits(p + 1, 1, 2)) || *p != ':' || !(p = digits(p + 1, 1, 2)) || *p != ':' ||
	    !(p = digits(p + 1, 1, 2)))
		return false;
	if (*p == '.' && !(p = digits(p + 1, 1, 99)))
		return false;
	if (sep == ' ')
		return !*p;
	if (*p == 'Z')
		return !p[1];
	return (*p == '+' || *p == '-') && (p = digits(p + 1, 2, 2)) && *p == ':' && (p = digits(p + 1, 2, 2)) && !*p;
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? — written with quotes for readers of YAML 1.1. */
static bool is_base60(const char *s)
{
	unsigned groups = 0;

	s += *s == '-' || *s == '+';
	if (!is_digit(*s))
		return false;
	while (is_digit(*s) || *s == '_')
		s++;
	for (; *s == ':' && is_digit(s[1]); groups++) {
		s++;
		s += *s <= '5' && is_digit(s[1]) ? 2 : 1;
	}
	if (groups && *s == '.')
		for (s++; is_digit(*s) || *s == '_'; s++)
			;
	return groups && !*s;
}

bool scalar_reads_back(const char *s)
{
	struct val v = { 0 };

	return scalar_resolve(s, strlen(s), &v) && v.type == VAL_STRING && !is_timestamp(s) && !is_base60(s) && strcmp(s, "<<") != 0;
}

/* ---- floats as Go prints them */

#define MANTISSA 18

/* The fewest digits that read back as f: "d.ddd" without the point, and the decimal exponent of the first. */
static int shortest(double f, char mantissa[MANTISSA])
{
	char text[40];
	size_t n = 0;
	char *e;

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, f);
		if (fabs(strtod(text, NULL) - f) <= 0)
			break;
	}
	e = strchr(text, 'e');
	for (const char *p = text; p < e; p++)
		if (is_digit(*p) && n < MANTISSA - 1)
			mantissa[n++] = *p;
	while (n > 1 && mantissa[n - 1] == '0')
		n--;
	mantissa[n] = '\0';
	return atoi(e + 1);
}

static const char *with_exponent(char *out, bool negative, const char m[MANTISSA], int exp, int exp_digits)
{
	snprintf(out, NUMBER_TEXT, "%s%c%s%.*se%c%0*d", negative ? "-" : "", m[0], m[1] ? "." : "", MANTISSA, m + 1, exp < 0 ? '-' : '+', exp_digits,
		 abs(exp));
	return out;
}

static const char *with_point(char *out, bool negative, const char *m, int exp)
{
	size_t at = 0;
	int n = (int)strlen(m);

	if (negative)
		out[at++] = '-';
	if (exp < 0) {
		out[at++] = '0';
		out[at++] = '.';
		for (int k = -1; k > exp; k--)
			out[at++] = '0';
	}
	for (int k = 0; k < n || k <= exp; k++) {
		if (exp >= 0 && k == exp + 1)
			out[at++] = '.';
		out[at++] = k < n ? m[k] : '0';
	}
	out[at] = '\0';
	return out;
}

const char *number_json(double f, char out[NUMBER_TEXT])
{
	char m[MANTISSA];
	int exp = shortest(fabs(f), m);

	if (fabs(f) > 0 && (fabs(f) < 1e-6 || fabs(f) >= 1e21))
		return with_exponent(out, signbit(f), m, exp, exp < 0 ? 1 : 2);
	return with_point(out, signbit(f), m, exp);
}

const char *number_yaml(double f, char out[NUMBER_TEXT])
{
	char m[MANTISSA];
	int exp = shortest(fabs(f), m);

	if (exp < -4 || exp >= 6)
		return with_exponent(out, signbit(f), m, exp, 2);
	return with_point(out, signbit(f), m, exp);
}
