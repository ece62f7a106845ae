#include "viz/tui/cells.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct role_look role_looks[TR_COUNT] = {
#define ROLE(ID, letter, dark, light, base, bold) [TR_##ID] = { #ID, letter, dark, light, base, bold },
#include "viz/tui/look.def"
#undef ROLE
};

#define UTF8(c) { (char)((c) < 0x800 ? 0xc0 | (c) >> 6 : 0xe0 | (c) >> 12), (char)((c) < 0x800 ? 0x80 | ((c) & 0x3f) : 0x80 | ((c) >> 6 & 0x3f)), \
		  (char)((c) < 0x800 ? 0 : 0x80 | ((c) & 0x3f)), 0 }
static const struct glyph_look glyph_looks[TG_COUNT] = {
#define GLYPH(ID, code, ascii) [TG_##ID] = { code, ascii, UTF8(code) },
#include "viz/tui/look.def"
#undef GLYPH
};

const char *glyph(enum tui_glyph g)
{
	return glyph_looks[g].utf8;
}

/* ---- characters */

struct range { uint32_t first, last; };

static bool within(const struct range *v, size_t nr, uint32_t c)
{
	size_t lo = 0, hi = nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (c > v[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < nr && c >= v[lo].first;
}

/* Marks that sit on the character before them, and joiners: Unicode's Mn, Me and Cf that occur. */
static const struct range no_width[] = {
	{ 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x5bf, 0x5bf }, { 0x5c1, 0x5c2 }, { 0x610, 0x61a }, { 0x64b, 0x65f }, { 0x670, 0x670 }, { 0x6d6, 0x6dc },
	{ 0x6df, 0x6e4 }, { 0x900, 0x902 }, { 0x93a, 0x93a }, { 0x93c, 0x93c }, { 0x941, 0x948 }, { 0x94d, 0x94d }, { 0xe31, 0xe31 }, { 0xe34, 0xe3a }, { 0xe47, 0xe4e },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200d }, { 0x2060, 0x2060 }, { 0x20d0, 0x20f0 }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
	{ 0xe0100, 0xe01ef },
};
/* East Asian wide and full-width, and what terminals draw as emoji. */
static const struct range two_wide[] = {
	{ 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x2329, 0x232a }, { 0x23e9, 0x23ec }, { 0x23f0, 0x23f0 }, { 0x23f3, 0x23f3 }, { 0x25fd, 0x25fe }, { 0x2614, 0x2615 },
	{ 0x2648, 0x2653 }, { 0x267f, 0x267f }, { 0x2693, 0x2693 }, { 0x26a1, 0x26a1 }, { 0x26aa, 0x26ab }, { 0x26bd, 0x26be }, { 0x26c4, 0x26c5 }, { 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 }, { 0x26ea, 0x26ea }, { 0x26f2, 0x26f3 }, { 0x26f5, 0x26f5 }, { 0x26fa, 0x26fa }, { 0x26fd, 0x26fd }, { 0x2705, 0x2705 }, { 0x270a, 0x270b },
	{ 0x2728, 0x2728 }, { 0x274c, 0x274c }, { 0x274e, 0x274e }, { 0x2753, 0x2755 }, { 0x2757, 0x2757 }, { 0x2795, 0x2797 }, { 0x27b0, 0x27b0 }, { 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c }, { 0x2b50, 0x2b50 }, { 0x2b55, 0x2b55 }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xa960, 0xa97c }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6b }, { 0xff01, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x16fe0, 0x18cd5 }, { 0x1b000, 0x1b2fb }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf },
	{ 0x1f18e, 0x1f18e }, { 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c }, { 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca },
	{ 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 }, { 0x1f3f4, 0x1f3f4 }, { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc }, { 0x1f4ff, 0x1f53d },
	{ 0x1f54b, 0x1f54e }, { 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f }, { 0x1f680, 0x1f6c5 },
	{ 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6ec }, { 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7f0 }, { 0x1f90c, 0x1f93a },
	{ 0x1f93c, 0x1f945 }, { 0x1f947, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool turns_direction(uint32_t c)
{
	return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

size_t text_next(const char *s, uint32_t *ch, int *width)
{
	const unsigned char *p = (const unsigned char *)s;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c = n == 1 ? p[0] : n ? p[0] & (0x7fu >> n) : 0;

	*width = 1;
	if (!p[0])
		return 0;
	if (n == 1) {
		*ch = c < 0x20 ? 0x2400 + c : c == 0x7f ? 0x2421 : c;
		return 1;
	}
	for (size_t k = 1; k < n; k++) {
		if ((p[k] & 0xc0) != 0x80) {
			n = 0;
			break;
		}
		c = c << 6 | (p[k] & 0x3f);
	}
	if (!n || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || (c >= 0x80 && c < 0xa0) || turns_direction(c) || c == 0x2028 || c == 0x2029) {
		*ch = 0xfffd;
		return n ? n : 1;
	}
	*ch = c;
	if (c >= 0x300 && within(no_width, ARRAY_LEN(no_width), c))
		*width = 0;
	else if (c >= 0x1100 && within(two_wide, ARRAY_LEN(two_wide), c))
		*width = 2;
	return n;
}

const char *text_break(const char *s, int w)
{
	const char *blank = NULL;
	int sum = 0, width;
	uint32_t ch;

	for (size_t n; (n = text_next(s, &ch, &width)) > 0; s += n) {
		sum += width;
		if (ch == ' ')
			blank = s + n;
		else if (sum > w)
			return blank ? blank : s;
	}
	return s;
}

int text_width(const char *s)
{
	uint32_t c;
	int width, sum = 0;

	for (size_t n; (n = text_next(s, &c, &width)) > 0; s += n)
		sum += width;
	return sum;
}

/* ---- cells */

static void cells_clear(struct cells *c)
{
	for (int k = 0; k < c->w * c->h; k++)
		c->v[k] = (struct cell){ ' ', TR_TEXT, 0 };
}

void cells_resize(struct cells *c, int w, int h)
{
	c->w = MIN(MAX(w, 1), 2000);
	c->h = MIN(MAX(h, 1), 2000);
	if (c->w * c->h > c->alloc) {
		free(c->v);
		c->alloc = c->w * c->h;
		c->v = malloc(sizeof(*c->v) * (size_t)c->alloc);
		if (!c->v)
			abort();
	}
	cells_clear(c);
}

void cells_free(struct cells *c)
{
	free(c->v);
	*c = (struct cells){ 0 };
}

static uint32_t ascii_of(uint32_t ch)
{
	if (ch < 0x7f)
		return ch;
	for (int g = 0; g < TG_COUNT; g++)
		if (glyph_looks[g].code == ch)
			return (uint32_t)glyph_looks[g].ascii;
	return '?';
}

/* A wide character that loses a half is gone. */
static void lose_half(struct cells *c, int x, int y)
{
	struct cell *at = &c->v[y * c->w + x];

	if (at->ch == 0 && x > 0)
		at[-1].ch = ' ';
	if (x + 1 < c->w && at[1].ch == 0)
		at[1].ch = ' ';
}

void cells_put(struct cells *c, int x, int y, unsigned style, uint32_t ch)
{
	if (x < 0 || y < 0 || x >= c->w || y >= c->h)
		return;
	lose_half(c, x, y);
	c->v[y * c->w + x] = (struct cell){ c->ascii ? ascii_of(ch) : ch, (uint8_t)style, (uint8_t)(style >> 8) };
}

static void put_wide(struct cells *c, int x, int y, unsigned style, uint32_t ch)
{
	if (x < 0 || x + 1 >= c->w || c->ascii) {
		cells_put(c, x, y, style, c->ascii ? '?' : ' ');
		cells_put(c, x + 1, y, style, ' ');
		return;
	}
	cells_put(c, x, y, style, ch);
	cells_put(c, x + 1, y, style, ' ');
	if (y >= 0 && y < c->h)
		c->v[y * c->w + x + 1].ch = 0;
}

void cells_glyph(struct cells *c, int x, int y, unsigned style, enum tui_glyph g)
{
	cells_put(c, x, y, style, glyph_looks[g].code);
}

int cells_text(struct cells *c, int x, int y, int w, unsigned style, const char *text)
{
	int used = 0, width;
	uint32_t ch;

	if (w <= 0 || !text)
		return 0;
	for (size_t n; (n = text_next(text, &ch, &width)) > 0; text += n) {
		if (used + width > w) {                 /* the last cell says that there is more */
			for (int k = used; k < w; k++)
				cells_put(c, x + k, y, style, ' ');
			cells_glyph(c, x + w - 1, y, style, TG_MORE);
			return w;
		}
		if (width == 2)
			put_wide(c, x + used, y, style, ch);
		else if (width == 1)
			cells_put(c, x + used, y, style, ch);
		used += width;
	}
	return used;
}

int cells_printf(struct cells *c, int x, int y, int w, unsigned style, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cells_text(c, x, y, w, style, text);
}

int cells_middle(struct cells *c, int x, int y, int w, unsigned style, const char *text)
{
	int whole = text_width(text), tail = (w - 1) / 3, width, skip;
	uint32_t ch;

	if (whole <= w || w < 8)
		return cells_text(c, x, y, w, style, text);
	cells_text(c, x, y, w - tail, style, text);     /* cut with … */
	for (skip = whole - tail; skip > 0; skip -= width)
		text += text_next(text, &ch, &width);
	return w - tail + cells_text(c, x + w - tail, y, tail, style, text);
}

void cells_right(struct cells *c, int x, int y, int w, unsigned style, const char *text)
{
	int whole = text_width(text);

	if (whole >= w)
		cells_text(c, x, y, w, style, text);
	else
		cells_text(c, x + w - whole, y, whole, style, text);
}

static void restyle(struct cells *c, struct rect r, bool replace, unsigned style)
{
	for (int y = MAX(r.y, 0); y < MIN(r.y + r.h, c->h); y++)
		for (int x = MAX(r.x, 0); x < MIN(r.x + r.w, c->w); x++) {
			struct cell *at = &c->v[y * c->w + x];

			if (replace)
				at->role = (uint8_t)style;
			at->attr = (uint8_t)(replace ? style >> 8 : at->attr | style >> 8);
		}
}

void cells_style(struct cells *c, struct rect r, unsigned style) { restyle(c, r, true, style); }
void cells_attr(struct cells *c, struct rect r, unsigned attr) { restyle(c, r, false, attr); }

void cells_run(struct cells *c, int x, int y, int w, unsigned style, enum tui_glyph g)
{
	for (int k = 0; k < w; k++)
		cells_glyph(c, x + k, y, style, g);
}

struct rect rect_inner(struct rect r)
{
	return (struct rect){ r.x + 1, r.y + 1, MAX(r.w - 2, 0), MAX(r.h - 2, 0) };
}

void cells_box(struct cells *c, struct rect r, enum box_form form, unsigned style, const char *title, const char *right)
{
	static const struct { uint8_t h, v, tl, tr, bl, br; } forms[] = {
		[BOX_LIGHT] = { TG_H, TG_V, TG_TL, TG_TR, TG_BL, TG_BR },
		[BOX_HEAVY] = { TG_HEAVY_H, TG_HEAVY_V, TG_HEAVY_TL, TG_HEAVY_TR, TG_HEAVY_BL, TG_HEAVY_BR },
		[BOX_DASHED] = { TG_DASHED_H, TG_DASHED_V, TG_TL, TG_TR, TG_BL, TG_BR },
	};
	int right_width = right && *right ? text_width(right) : 0, room = r.w - 6 - (right_width ? right_width + 3 : 0);
	unsigned name = (style & 0xff) == TR_BORDER ? TR_HEAD : style;

	if (r.w < 2 || r.h < 2)
		return;
	cells_run(c, r.x, r.y, r.w, style, forms[form].h);
	cells_run(c, r.x, r.y + r.h - 1, r.w, style, forms[form].h);
	for (int y = r.y + 1; y < r.y + r.h - 1; y++) {
		cells_glyph(c, r.x, y, style, forms[form].v);
		cells_glyph(c, r.x + r.w - 1, y, style, forms[form].v);
	}
	cells_glyph(c, r.x, r.y, style, forms[form].tl);
	cells_glyph(c, r.x + r.w - 1, r.y, style, forms[form].tr);
	cells_glyph(c, r.x, r.y + r.h - 1, style, forms[form].bl);
	cells_glyph(c, r.x + r.w - 1, r.y + r.h - 1, style, forms[form].br);
	if (room < 4) {                                 /* the name matters more */
		right_width = 0;
		room = r.w - 6;
	}
	if (title && *title && room > 0) {
		int used;

		cells_put(c, r.x + 2, r.y, style, ' ');
		used = cells_middle(c, r.x + 3, r.y, room, name, title);
		cells_put(c, r.x + 3 + used, r.y, style, ' ');
	}
	if (right_width) {
		int x = r.x + r.w - 3 - right_width;

		cells_put(c, x - 1, r.y, style, ' ');
		cells_text(c, x, r.y, right_width, TR_TEXT, right);
		cells_put(c, x + right_width, r.y, style, ' ');
	}
}

static void add_char(struct sb *out, uint32_t c)
{
	if (c < 0x80) {
		sb_addc(out, (char)c);
		return;
	}
	if (c >= 0x10000) {
		sb_addc(out, (char)(0xf0 | c >> 18));
		sb_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
	} else if (c >= 0x800) {
		sb_addc(out, (char)(0xe0 | c >> 12));
	}
	sb_addc(out, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6));
	sb_addc(out, (char)(0x80 | (c & 0x3f)));
}

void cells_print(const struct cells *c, bool roles, struct sb *out)
{
	for (int y = 0; y < c->h; y++) {
		int end = c->w;

		while (end > 0) {
			const struct cell *at = &c->v[y * c->w + end - 1];

			if (roles ? at->ch > ' ' && at->role != TR_TEXT : at->ch != ' ')
				break;
			end--;
		}
		for (int x = 0; x < end; x++) {
			const struct cell *at = &c->v[y * c->w + x];

			if (roles)
				sb_addc(out, at->ch == ' ' || at->role == TR_TEXT ? ' ' : role_looks[at->role].letter);
			else if (at->ch)
				add_char(out, at->ch);
		}
		sb_addc(out, '\n');
	}
}
