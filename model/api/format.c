/* The forms that names and addresses must have, in the API server's words. */
#include <ctype.h>
#include <stdio.h>

#include "model/api/check.h"
#include "model/base/quantity.h"

#define LABEL     "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define KEY       "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define FORM(msg, regex, ...) msg " (e.g. " __VA_ARGS__ ", regex used for validation is '" regex "')"

/* [a-z0-9] with `inside` between; false for "". */
static bool spans(const char *s, size_t n, const char *inside)
{
	for (size_t k = 0; k < n; k++) {
		bool alnum = (s[k] >= 'a' && s[k] <= 'z') || (s[k] >= '0' && s[k] <= '9');

		if (!alnum && (k == 0 || k + 1 == n || !strchr(inside, s[k])))
			return false;
	}
	return n > 0;
}

static bool subdomain_form(const char *s, bool caseless, bool underscore)
{
	char part[254];

	for (;;) {
		size_t n = strcspn(s, "."), skip = underscore && *s == '_';

		if (n >= sizeof(part))          /* too long anyhow; only its end is judged */
			return spans(s, n, underscore ? "-_" : "-");
		for (size_t k = 0; k < n; k++)
			part[k] = (char)(caseless ? tolower((unsigned char)s[k]) : s[k]);
		if (n < skip || !spans(part + skip, n - skip, underscore ? "-_" : "-"))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

static void longest(struct check *c, const struct path *p, const char *s, const char *prefix, size_t max, const char *unit)
{
	if (strlen(s) > max)
		refuse_str(c, p, s, "%smust be no more than %zu %s", prefix, max, unit);
}

void must_be_label(struct check *c, const struct path *p, const char *s)
{
	longest(c, p, s, "", 63, "characters");
	if (spans(s, strlen(s), "-"))
		return;
	if (subdomain_form(s, false, false))
		refuse_str(c, p, s, "must not contain dots");
	else
		refuse_str(c, p, s, FORM("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character", LABEL, "'my-name',  or '123-abc'"));
}

void must_be_subdomain_part(struct check *c, const struct path *p, const char *whole, const char *s, const char *prefix)
{
	if (strlen(s) > 253)
		refuse_str(c, p, whole, "%smust be no more than 253 %s", prefix, strcmp(prefix, "prefix part ") == 0 ? "bytes" : "characters");
	if (!subdomain_form(s, false, false))
		refuse_str(c, p, whole, "%s" FORM("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", LABEL "(\\." LABEL ")*", "'example.com'"), prefix);
}

void must_be_subdomain(struct check *c, const struct path *p, const char *s)
{
	must_be_subdomain_part(c, p, s, s, "");
}

void must_be_subdomain_caseless(struct check *c, const struct path *p, const char *s)
{
	longest(c, p, s, "", 253, "bytes");
	if (!subdomain_form(s, true, false))
		refuse_str(c, p, s, FORM("an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", LABEL "(\\." LABEL ")*", "'Example.com'"));
}

void must_be_subdomain_underscore(struct check *c, const struct path *p, const char *s)
{
	longest(c, p, s, "", 253, "characters");
	if (!subdomain_form(s, false, true))
		refuse_str(c, p, s, FORM("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character", "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*", "'example.com'"));
}

void must_be_label_1035(struct check *c, const struct path *p, const char *s)
{
	longest(c, p, s, "", 63, "characters");
	if (!spans(s, strlen(s), "-") || *s < 'a')
		refuse_str(c, p, s, FORM("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", "[a-z]([-a-z0-9]*[a-z0-9])?", "'my-name',  or 'abc-123'"));
}

void must_be_wildcard(struct check *c, const struct path *p, const char *s)
{
	longest(c, p, s, "", 253, "characters");
	if (s[0] != '*' || s[1] != '.' || !subdomain_form(s + 2, false, false))
		refuse_str(c, p, s, FORM("a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character", "\\*\\." LABEL "(\\." LABEL ")*", "'*.example.com'"));
}

static bool key_form(const char *s, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!isalnum((unsigned char)s[k]) && (k == 0 || k + 1 == n || !strchr("-_.", s[k])))
			return false;
	return n > 0;
}

#define KEY_WORDS FORM("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", KEY, "'MyName',  or 'my.name',  or '123-abc'")

/* content.IsLabelKey; shown is what the message quotes. */
static void label_key(struct check *c, const struct path *p, const char *s, const char *shown)
{
	const char *slash = strchr(s, '/'), *name = slash ? slash + 1 : s;

	if (slash && strchr(slash + 1, '/')) {
		refuse_str(c, p, shown, "a valid label key " KEY_WORDS " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
		return;
	}
	if (slash) {
		char prefix[512];

		stpncpy(prefix, s, MIN((size_t)(slash - s), sizeof(prefix) - 1))[0] = '\0';
		if (slash == s)
			refuse_str(c, p, shown, "prefix part must be non-empty");
		else
			must_be_subdomain_part(c, p, shown, prefix, "prefix part ");
	}
	if (!*name)
		refuse_str(c, p, shown, "name part must be non-empty");
	else if (strlen(name) > 63)
		refuse_str(c, p, shown, "name part must be no more than 63 bytes");
	if (!key_form(name, strlen(name)))
		refuse_str(c, p, shown, "name part " KEY_WORDS);
}

void must_be_label_key(struct check *c, const struct path *p, const char *s)
{
	label_key(c, p, s, s);
}

bool is_label_value(const char *s)
{
	return !*s || (strlen(s) <= 63 && key_form(s, strlen(s)));
}

void must_be_label_value(struct check *c, const struct path *p, const char *s)
{
	longest(c, p, s, "", 63, "bytes");
	if (*s && !key_form(s, strlen(s)))
		refuse_str(c, p, s, FORM("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", "(" KEY ")?", "'MyValue',  or 'my_value',  or '12345'"));
}

void must_be_port_name(struct check *c, const struct path *p, const char *s)
{
	size_t n = strlen(s);
	bool letter = false, other = n == 0;

	for (size_t k = 0; k < n; k++) {
		letter |= s[k] >= 'a' && s[k] <= 'z';
		other |= !((s[k] >= 'a' && s[k] <= 'z') || (s[k] >= '0' && s[k] <= '9') || s[k] == '-');
	}
	longest(c, p, s, "", 15, "characters");
	if (other)
		refuse_str(c, p, s, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!letter)
		refuse_str(c, p, s, "must contain at least one letter (a-z)");
	if (strstr(s, "--"))
		refuse_str(c, p, s, "must not contain consecutive hyphens");
	if (n && (s[0] == '-' || s[n - 1] == '-'))
		refuse_str(c, p, s, "must not begin or end with a hyphen");
}

void must_be_env_name(struct check *c, const struct path *p, const char *s)
{
	if (!*s)
		refuse_str(c, p, s, "environment variable name must be non-empty");
	for (const char *at = s; *at; at++)
		if ((unsigned char)*at > 0x7e || *at < 0x20 || *at == '=') {
			refuse_str(c, p, s, "a valid environment variable name must consist only of printable ASCII characters other than '='");
			return;
		}
}

static bool only(const char *s, const char *others)
{
	const char *p = s;

	for (; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(others, *p))
			return false;
	return p > s;
}

void must_be_config_key(struct check *c, const struct path *p, const char *s)
{
	longest(c, p, s, "", 253, "characters");
	if (!only(s, "-._"))
		refuse_str(c, p, s, FORM("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+", "'key.name',  or 'KEY_NAME',  or 'key-name'"));
	if (strcmp(s, ".") == 0)
		refuse_str(c, p, s, "must not be '.'");
	else if (strcmp(s, "..") == 0)
		refuse_str(c, p, s, "must not be '..'");
	else if (strncmp(s, "..", 2) == 0)
		refuse_str(c, p, s, "must not start with '..'");
}

void must_be_percent(struct check *c, const struct path *p, const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (!n || strcmp(s + n, "%") != 0)
		refuse_str(c, p, s, FORM("a valid percent string must be a numeric string followed by an ending '%%'", "[0-9]+%%", "'1%%',  or '93%%'"));
}

void must_be_header_name(struct check *c, const struct path *p, const char *s)
{
	if (!only(s, "-"))
		refuse_str(c, p, s, FORM("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "'X-Header-Name'"));
}

void must_be_path_segment(struct check *c, const struct path *p, const char *s)
{
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		refuse_str(c, p, s, "may not be '%s'", s);
	if (strchr(s, '/'))
		refuse_str(c, p, s, "may not contain '/'");
	if (strchr(s, '%'))
		refuse_str(c, p, s, "may not contain '%%'");
}

void must_be_domain_path(struct check *c, const struct path *p, const char *s)
{
	const char *slash = strchr(s, '/');
	char host[512];

	if (!*s) {
		refuse_missing(c, p, "%s", "");
		return;
	}
	if (!slash || slash == s || !slash[1]) {
		refuse_str(c, p, s, "must be a domain-prefixed path (such as \"acme.io/foo\")");
		return;
	}
	snprintf(host, sizeof(host), "%.*s", (int)MIN(slash - s, 511), s);
	must_be_subdomain(c, p, host);
	if (!only(slash + 1, "/-._~%!$&'()*+,;=:"))
		refuse_str(c, p, slash + 1, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%%!$&'()*+,;=:]+')");
}

void must_be_fqdn(struct check *c, const struct path *p, const char *s)
{
	size_t n = strlen(s);
	char name[512], *dot;

	if (!n) {
		refuse_missing(c, p, "%s", "");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)MIN(s[n - 1] == '.' ? n - 1 : n, 511), s);
	if (!subdomain_form(name, false, false) || strlen(name) > 253) {
		must_be_subdomain(c, p, name);
	} else if (!strchr(name, '.')) {
		refuse_str(c, p, name, "should be a domain with at least two segments separated by dots");
	} else {
		for (char *label = name; label; label = dot ? dot + 1 : NULL) {
			dot = strchr(label, '.');
			if (dot)
				*dot = '\0';
			if (strlen(label) > 63)
				must_be_label(c, p, label);
		}
	}
}

const char *trimmed(const char *s, size_t n, char *out, size_t size)
{
	for (; n && isspace((unsigned char)*s); s++)
		n--;
	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	n = MIN(n, size - 1);
	memcpy(out, s, n);
	out[n] = '\0';
	return out;
}

/* ---- numbers */

void must_be_port(struct check *c, const struct path *p, int64_t port)
{
	if (port < 1 || port > 65535)
		refuse_int(c, p, port, "must be between 1 and 65535, inclusive");
}

void must_be_port_or_name(struct check *c, const struct path *p, const struct int_or_str *v)
{
	if (v->s)
		must_be_port_name(c, p, v->s);
	else
		must_be_port(c, p, v->i);
}

void must_not_be_negative(struct check *c, const struct path *p, int64_t n)
{
	if (n < 0)
		refuse_int(c, p, n, "must be greater than or equal to 0");
}
