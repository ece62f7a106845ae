/* Texts from outside into labels. Graphviz reads a whole label as Latin-1 if one byte of it is not UTF-8, and lets control characters through into the SVG:
 * so every byte of every name passes here. */
#include "viz/diagram/label.h"

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
	if (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)               /* U+FFFE, U+FFFF: no XML */
		return 0;
	return n;
}

/* Bytes to step over at s when sequence() said 0. */
static unsigned skip(const char *s, bool bad)
{
	unsigned char c = (unsigned char)*s;

	return bad || c < 0x80 ? 1 : c < 0xe0 ? 2 : 3;
}

/* A text of which nothing may pass is still a text: an empty element would be refused. */
static void escape(struct sb *out, const char *s, const char *(*special)(char))
{
	bool some = s && *s;
	size_t from = out->len;

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
	if (some && out->len == from)
		sb_add(out, "\xef\xbf\xbd");
}

/* A bracket at the end of a text is held back by expat, in case ]]> follows, and reaches Graphviz behind the element that should hold it. */
static const char *in_html(char c)
{
	return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : c == '\'' ? "&#39;" : c == ']' ? "&#93;" : NULL;
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

static uint32_t characters(const char *s)
{
	uint32_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* The byte behind the first n characters. */
static const char *behind(const char *s, uint32_t n)
{
	for (; *s; s++)
		if (((unsigned char)*s & 0xc0) != 0x80 && n-- == 0)
			break;
	return s;
}

/* Two thirds of what fits stand before the gap. */
void label_fit(struct sb *out, const char *text, uint32_t max)
{
	uint32_t n = characters(text), tail = max / 3;
	struct sb head = { 0 };

	if (n <= max) {
		label_html(out, text);
		return;
	}
	sb_addn(&head, text, (size_t)(behind(text, max - tail - 1) - text));
	label_html(out, sb_text(&head));
	sb_add(out, "…");
	label_html(out, behind(text, n - tail));
	sb_free(&head);
}

void label_id(struct sb *out, const char *text)
{
	for (; *text; text++)
		sb_addc(out, (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '-' ? *text : '_');
}

static const char *in_json(char c)
{
	return c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : c == '&' ? "\\u0026" : c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;
}

/* Line ends are kept, other controls are not. */
static void each_line(struct sb *out, const char *text, const char *(*special)(char), const char *line_end)
{
	struct sb line = { 0 };

	while (text && *text) {
		size_t n = strcspn(text, "\n");

		sb_reset(&line);
		sb_addn(&line, text, n);
		escape(out, sb_text(&line), special);
		if (text[n])
			sb_add(out, line_end);
		text += n + (text[n] == '\n');
	}
	sb_free(&line);
}

void label_html_lines(struct sb *out, const char *text)
{
	each_line(out, text, in_html, "\n");
}

void label_json(struct sb *out, const char *text)
{
	sb_addc(out, '"');
	each_line(out, text, in_json, "\\n");
	sb_addc(out, '"');
}

void label_markdown(struct sb *out, const char *text)
{
	struct sb shown = { 0 };

	sb_add_shown(&shown, text, true);
	for (const char *p = sb_text(&shown); *p; p++)
		if (strchr("\\`*_[]#|~<>&@", *p))
			sb_printf(out, "&#%d;", *p);
		else
			sb_addc(out, *p);
	sb_free(&shown);
}
