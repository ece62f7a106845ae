/* Texts from outside into labels. Graphviz reads a whole label as Latin-1 if one byte of it is not UTF-8, and lets control characters through into the SVG:
 * so every byte of every name passes here. */
#include "viz/diagram/scene.h"

/* Length of the UTF-8 sequence at s that is well-formed and printable; 0 if the byte must not pass. *bad: it was no UTF-8. */
static unsigned sequence(const char *s, bool *bad)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	*bad = n == 0;
	if (n == 1)
		return p[0] >= 0x20 && p[0] != 0x7f;
	for (unsigned k = 1; k < n; k++)
		if ((p[k] & 0xc0) != 0x80) {
			*bad = true;
			return 0;
		}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)) {
		*bad = true;
		return 0;
	}
	if (p[0] == 0xc2 && p[1] < 0xa0)                                /* C1 controls */
		return 0;
	if (p[0] == 0xe2 && p[1] == 0x80 && ((p[2] >= 0x8e && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae)))         /* line ends, left-to-right marks */
		return 0;
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
		return 0;
	return n;
}

/* Bytes to step over at s when sequence() said 0. */
static unsigned skip(const char *s, bool bad)
{
	unsigned char c = (unsigned char)*s;

	return bad || c < 0x80 ? 1 : c < 0xe0 ? 2 : 3;
}

static void escape(struct sb *out, const char *s, const char *(*special)(char))
{
	while (s && *s) {
		bool bad;
		unsigned n = sequence(s, &bad);
		const char *as = n == 1 ? special(*s) : NULL;

		if (as)
			sb_add(out, as);
		else if (n)
			sb_addn(out, s, n);
		else if (bad)
			sb_add(out, "\xef\xbf\xbd");
		s += n ? n : skip(s, bad);
	}
}

static const char *in_html(char c)
{
	return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : NULL;
}

static const char *in_plain(char c)
{
	return c == '&' ? "&amp;" : c == '\\' ? "\\\\" : NULL;
}

void label_html(struct sb *out, const char *text)
{
	escape(out, text, in_html);
}

void label_plain(struct sb *out, const char *text)
{
	escape(out, text, in_plain);
}
