/* Texts that Envoy reads and Istio judges before: regular expressions (RE2), and variables in the values of headers. Source: istio pkg/config/validation/
 * {validation,header_value_validator}.go; RE2's and Go's words, regexp/syntax. */
#include <stdio.h>
#include <string.h>

#include "model/api/check_mesh.h"

/* ---- regular expressions: what RE2 has not, and what no engine reads. What is not looked for here is not refused. */

static const char *class_end(const char *p)
{
	p += p[1] == '^' ? 2 : 1;
	p += *p == ']';
	for (; *p && *p != ']'; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (p[0] == '[' && p[1] == ':' && strstr(p + 2, ":]"))
			p = strstr(p + 2, ":]") + 1;
	}
	return *p ? p : NULL;
}

/* The length of a repetition; 0: none. {x} that is no count stands for itself. */
static size_t repetition(const char *p)
{
	size_t n = 1;

	if (*p == '{') {
		n += strspn(p + 1, "0123456789");
		if (n == 1)
			return 0;
		n += p[n] == ',' ? 1 + strspn(p + n + 1, "0123456789") : 0;
		return p[n] == '}' ? n + 1 : 0;
	}
	return *p && strchr("*+?", *p) ? 1 : 0;
}

static const char *said(char out[128], const char *what, const char *p)
{
	snprintf(out, 128, "error parsing regexp: %s: `%.40s`", what, p);
	return out;
}

const char *mesh_regex_wrong(const char *re, char out[128])
{
	uint32_t depth = 0;
	bool nothing = true, repeated = false;  /* there is nothing that could be repeated; what stands there is a repetition */

	if (strlen(re) > 1024)
		return "regex is too large, max length allowed is 1024";
	for (const char *p = re; *p; p++) {
		size_t n = repetition(p);

		if (n && nothing)
			return said(out, "missing argument to repetition operator", p);
		if (n && repeated)
			return said(out, "invalid nested repetition operator", p - 1);
		if (n) {
			p += n - 1;
			p += p[1] == '?';
			repeated = true;
			continue;
		}
		repeated = false;
		nothing = *p == '(' || *p == '|';
		if (*p == '\\' && !p[1])
			return said(out, "trailing backslash at end of expression", "");
		if (*p == '\\' && p[1] >= '1' && p[1] <= '9')
			return said(out, "invalid escape sequence", p);
		if (*p == '\\' && p[1] == 'Q') {
			p = strstr(p, "\\E") ? strstr(p, "\\E") + 1 : p + strlen(p) - 1;
			continue;
		}
		if (*p == '\\') {
			p++;
			if (p[0] == 'x' && p[1] == '{')         /* \x{41}: no repetition */
				p += strcspn(p, "}") - !strchr(p, '}');
		} else if (*p == '[') {
			if (!class_end(p))
				return said(out, "missing closing ]", p);
			p = class_end(p);
		} else if (*p == '(') {
			depth++;
			if (p[1] == '?' && (p[2] == '=' || p[2] == '!' || p[2] == '>' || (p[2] == '<' && (p[3] == '=' || p[3] == '!'))))
				return said(out, "invalid or unsupported Perl syntax", p);
			if (p[1] == '?') {
				p += 1 + strcspn(p + 1, ":>)");
				if (!*p)
					return said(out, "missing argument to repetition operator", "?");
				depth -= *p == ')';
			}
		} else if (*p == ')' && !depth--) {
			return said(out, "unexpected )", re);
		}
	}
	return depth ? said(out, "missing closing )", re) : NULL;
}

/* ---- headers */

bool mesh_is_header(const char *s)
{
	return *s && strspn(s, "!#$%&'*+-.^_`|~ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == strlen(s);
}

/* Envoy's variables: %VAR%, %VAR(["a", "b"])%, %% */
const char *mesh_header_wrong(const char *s)
{
	enum { LITERAL, NAME, ARRAY, STRING_START, STRING, DELIMITER, ARGS_END, END } state = LITERAL;

	for (const char *q = s; *q; q++)
		if ((unsigned char)*q == 0x7f || ((unsigned char)*q < 0x20 && *q != '\t'))
			return "control characters are not allowed";
	for (; *s; s++) {
		bool blank = *s == ' ';

		switch (state) {
		case LITERAL:
			if (*s == '%' && !s[1])
				return "Un-escaped %";
			if (*s == '%' && s[1] == '%')
				s++;
			else if (*s == '%')
				state = NAME;
			break;
		case NAME:
			state = *s == '%' ? LITERAL : *s == '(' ? ARRAY : NAME;
			break;
		case ARRAY:
			state = *s == '[' ? STRING_START : blank ? ARRAY : STRING;
			break;
		case DELIMITER:
			if (*s != ',' && *s != ']' && !blank)
				return "Expecting ',', ']', or whitespace";
			state = *s == ',' ? STRING_START : *s == ']' ? ARGS_END : DELIMITER;
			break;
		case STRING_START:
			if (*s != '"' && !blank)
				return "Expecting '\"'";
			state = *s == '"' ? STRING : STRING_START;
			break;
		case STRING:
			if (*s == '\\' && !s[1])
				return "Un-terminated backslash in JSON string";
			if (*s == '\\')
				s++;
			else
				state = *s == ')' ? END : *s == '"' ? DELIMITER : STRING;
			break;
		case ARGS_END:
			if (*s != ')' && !blank)
				return "Expecting ')' or whitespace";
			state = *s == ')' ? END : ARGS_END;
			break;
		case END:
			if (*s != '%' && !blank)
				return "Expecting '%' or whitespace after";
			state = *s == '%' ? LITERAL : END;
			break;
		}
	}
	return state == LITERAL ? NULL : "Un-terminated variable expression";
}
