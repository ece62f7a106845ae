/* Is a text well-formed XML, as far as Graphviz' SVG and JUnit go: elements nest and end, attributes are quoted and not repeated into nonsense, characters are those that
 * XML 1.0 allows, entities are known. Not a parser: it keeps nothing. */
#ifndef PODWIRE_XML_CHECK_H
#define PODWIRE_XML_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the character at p, 0 if XML does not allow it or it is not UTF-8. */
static inline unsigned xml_char(const unsigned char *p)
{
	if (p[0] < 0x80)
		return p[0] >= 0x20 || p[0] == '\n' || p[0] == '\t' || p[0] == '\r';
	if (p[0] >= 0xc2 && p[0] < 0xe0)
		return (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if (p[0] >= 0xe0 && p[0] < 0xf0) {
		uint32_t c = (uint32_t)((p[0] & 15) << 12 | (p[1] & 63) << 6 | (p[2] & 63));

		return (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 && c >= 0x800 && (c < 0xd800 || c > 0xdfff) && c < 0xfffe ? 3 : 0;
	}
	return p[0] >= 0xf0 && p[0] < 0xf5 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
}

/* A run of text or an attribute's value up to `end`. NULL: something in it is not allowed. */
static inline const char *xml_run(const char *p, char end)
{
	while (*p && *p != end) {
		unsigned n = xml_char((const unsigned char *)p);

		if (!n || *p == '<')
			return NULL;
		if (*p == '&') {
			size_t len = strcspn(p, ";");
			static const char *const known[] = { "&amp", "&lt", "&gt", "&quot", "&apos" };
			bool ok = len < 12 && p[len] == ';' && p[1] == '#' && len > 2;

			for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
				ok = ok || (len == strlen(known[k]) && strncmp(p, known[k], len) == 0);
			if (!ok)
				return NULL;
		}
		p += n;
	}
	return *p == end || end == '<' ? p : NULL;
}

static inline bool xml_well_formed(const char *text)
{
	const char *open[256];
	size_t depth = 0, roots = 0;

	for (const char *p = text; *p;) {
		size_t n;

		if (*p != '<') {
			if (!(p = xml_run(p, '<')))
				return false;
			continue;
		}
		if (strncmp(p, "<?", 2) == 0 || strncmp(p, "<!D", 3) == 0 || strncmp(p, "<!-", 3) == 0) {
			p = strchr(p, '>');
			if (!p)
				return false;
			p++;
			continue;
		}
		if (p[1] == '/') {
			n = strcspn(p + 2, ">");
			if (!depth || strncmp(open[depth - 1], p + 2, n) != 0 || strcspn(open[depth - 1], " \n>/") != n)
				return false;
			depth--;
			p += n + 3;
			continue;
		}
		roots += depth == 0;
		if (depth == 256)
			return false;
		open[depth++] = ++p;
		p += strcspn(p, " \n>/");
		for (;;) {
			p += strspn(p, " \n\t");
			if (*p == '>' || (*p == '/' && p[1] == '>'))
				break;
			n = strcspn(p, "= \n<>\"");
			if (!n || p[n] != '=' || p[n + 1] != '"' || !(p = xml_run(p + n + 2, '"')))
				return false;
			p++;
		}
		depth -= *p == '/';
		p += *p == '/' ? 2 : 1;
	}
	return depth == 0 && roots == 1;
}

#endif
