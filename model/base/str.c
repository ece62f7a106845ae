#include "model/base/str.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/map.h"
#include "model/base/text.h"

/* Each text lies in the arena behind its hash and length, and a number that str_number keeps. */
struct head { uint32_t hash, len, number; };

/* A slot holds the text's address and, in the 16 bits that no address uses, a part of its hash, so that other texts are seldom looked at. 0: empty. */
struct strtab {
	struct arena *arena;
	uint64_t *slot;
	uint32_t nr, alloc;             /* alloc: a power of two */
};

#define ADDRESS_BITS 48

static uint64_t slot_for(const char *s, uint32_t hash)
{
	return (uint64_t)(uintptr_t)s | (uint64_t)(hash >> 16) << ADDRESS_BITS;
}

static str text_in(uint64_t slot)
{
	return (str)(uintptr_t)(slot & (((uint64_t)1 << ADDRESS_BITS) - 1));
}

static const struct head *head_of(str s)
{
	return (const struct head *)(const void *)(s - sizeof(struct head));
}

/* Words of eight bytes; the last two overlap, and so do the pieces of a text that is shorter. */
static uint64_t short_word(const char *s, size_t n)
{
	uint32_t first, last;

	if (n < 4)
		return n ? (unsigned char)s[0] | (uint64_t)(unsigned char)s[n / 2] << 8 | (uint64_t)(unsigned char)s[n - 1] << 16 : 0;
	memcpy(&first, s, 4);
	memcpy(&last, s + n - 4, 4);
	return first | (uint64_t)last << 32;
}

static uint32_t hash_text(const char *s, size_t n)
{
	uint64_t h = n, word;

	if (n < 8)
		return (uint32_t)(hash_mix(h, short_word(s, n)) >> 16);
	for (size_t k = 0; k + 8 < n; k += 8) {
		memcpy(&word, s + k, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	memcpy(&word, s + n - 8, 8);
	return (uint32_t)(hash_mix(h, word) >> 16);
}

struct strtab *strtab_new(struct arena *a)
{
	struct strtab *t = arena_make(a, struct strtab);

	t->arena = a;
	t->alloc = 256;
	t->slot = arena_array(a, uint64_t, t->alloc);
	return t;
}

static uint32_t find_slot(const struct strtab *t, const char *s, size_t n, uint32_t hash)
{
	uint32_t at = hash & (t->alloc - 1);

	for (; t->slot[at]; at = (at + 1) & (t->alloc - 1)) {
		str have = text_in(t->slot[at]);

		if (t->slot[at] >> ADDRESS_BITS == hash >> 16 && head_of(have)->hash == hash && head_of(have)->len == n && memcmp(have, s, n) == 0)
			break;
	}
	return at;
}

static void grow(struct strtab *t, uint32_t alloc)
{
	const uint64_t *old = t->slot;
	uint32_t nr = t->alloc;

	t->alloc = alloc;
	t->slot = arena_array(t->arena, uint64_t, t->alloc);
	for (uint32_t k = 0; k < nr; k++) {
		uint32_t at;

		if (!old[k])
			continue;
		for (at = head_of(text_in(old[k]))->hash & (t->alloc - 1); t->slot[at]; at = (at + 1) & (t->alloc - 1))
			;
		t->slot[at] = old[k];
	}
	arena_discard(t->arena, (void *)(uintptr_t)old, nr * sizeof(*old));
}

static str put(struct strtab *t, const char *s, size_t n, uint32_t hash)
{
	struct head *h = arena_alloc(t->arena, sizeof(*h) + n + 1, alignof(struct head));

	*h = (struct head){ hash, (uint32_t)n, 0 };
	return memcpy(h + 1, s, n);
}

str str_alone(struct strtab *t, const char *s, size_t n)
{
	return put(t, s, n, 0);
}

str str_intern_n(struct strtab *t, const char *s, size_t n)
{
	uint32_t hash, at;
	str text;

	if (!s)
		return NULL;
	hash = hash_text(s, n);
	at = find_slot(t, s, n, hash);
	if (t->slot[at])
		return text_in(t->slot[at]);
	text = put(t, s, n, hash);
	t->slot[at] = slot_for(text, hash);
	if (++t->nr > t->alloc / 2)
		grow(t, t->alloc * 2);
	return text;
}

void str_expect(struct strtab *t, uint32_t nr)
{
	uint32_t alloc = t->alloc;

	while (alloc / 2 < t->nr + nr)
		alloc *= 2;
	if (alloc > t->alloc)
		grow(t, alloc);
}

str str_intern(struct strtab *t, const char *s)
{
	return s ? str_intern_n(t, s, strlen(s)) : NULL;
}

str str_printf(struct strtab *t, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n;
	str s;

	va_start(ap, fmt);
	n = text_format(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < (int)sizeof(small))
		return str_intern_n(t, small, (size_t)MAX(n, 0));
	{
		struct sb b = { 0 };

		sb_add(&b, "");
		b.s = realloc(b.s, (size_t)n + 1);
		if (!b.s)
			abort();
		va_start(ap, fmt);
		text_format(b.s, (size_t)n + 1, fmt, ap);
		va_end(ap);
		s = str_intern_n(t, b.s, (size_t)n);
		free(b.s);
	}
	return s;
}

str str_find(const struct strtab *t, const char *s)
{
	size_t n;

	if (!s)
		return NULL;
	n = strlen(s);
	return text_in(t->slot[find_slot(t, s, n, hash_text(s, n))]);
}

size_t str_len(str s)
{
	return head_of(s)->len;
}

bool str_number(struct str_numbers *l, struct arena *a, str s, uint32_t *number)
{
	struct head *h = (struct head *)(uintptr_t)head_of(s);

	if (h->number && h->number <= l->nr && l->v[h->number - 1] == s) {
		*number = h->number;
		return true;
	}
	assert(!s[h->len]);                     /* else it is no text of a table */
	vec_add(a, l, s);
	*number = h->number = l->nr;
	return false;
}

/* ---- growing text */

static void reserve(struct sb *b, size_t more)
{
	if (b->alloc - b->len > more)
		return;
	b->alloc = MAX(b->alloc * 2, b->len + more + 64);
	b->s = realloc(b->s, b->alloc);
	if (!b->s)
		abort();
}

void sb_addn(struct sb *b, const char *s, size_t n)
{
	reserve(b, n);
	if (n)
		memcpy(b->s + b->len, s, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void sb_add(struct sb *b, const char *s)
{
	sb_addn(b, s ? s : "", s ? strlen(s) : 0);
}

char *sb_room(struct sb *b, size_t n)
{
	char *to;

	reserve(b, n);
	to = b->s + b->len;
	b->len += n;
	b->s[b->len] = '\0';
	return to;
}

void sb_addc(struct sb *b, char c)
{
	reserve(b, 1);
	b->s[b->len++] = c;
	b->s[b->len] = '\0';
}

void sb_add_base64(struct sb *b, const void *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = bytes;

	for (size_t k = 0; k < n; k += 3) {
		uint32_t v = (uint32_t)p[k] << 16 | (k + 1 < n ? (uint32_t)p[k + 1] << 8 : 0) | (k + 2 < n ? p[k + 2] : 0u);

		sb_addc(b, digits[v >> 18]);
		sb_addc(b, digits[v >> 12 & 63]);
		sb_addc(b, k + 1 < n ? digits[v >> 6 & 63] : '=');
		sb_addc(b, k + 2 < n ? digits[v & 63] : '=');
	}
}

uint8_t *base64_decode(struct arena *a, const char *text, size_t len, size_t *out_len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *out = arena_array(a, uint8_t, len / 4 * 3 + 4);
	uint32_t bits = 0, have = 0;
	size_t n = 0;

	for (size_t k = 0; k < len; k++) {
		const char *at;

		if (isspace((unsigned char)text[k]))
			continue;
		if (text[k] == '=')
			break;
		at = strchr(digits, text[k]);
		if (!at || !text[k])
			return NULL;
		bits = bits << 6 | (uint32_t)(at - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	*out_len = n;
	return out;
}

void sb_printf(struct sb *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	reserve(b, 128);
	va_start(ap, fmt);
	n = text_format(b->s + b->len, b->alloc - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= b->alloc - b->len) {
		reserve(b, (size_t)n + 1);
		va_start(ap, fmt);
		text_format(b->s + b->len, b->alloc - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

/* Characters of UTF-8: bytes that do not continue one. */
static size_t characters(const char *s, size_t n)
{
	size_t nr = n, k = 0;

	for (; k + 8 <= n; k += 8) {
		uint64_t w;

		memcpy(&w, s + k, sizeof(w));
		nr -= (size_t)((w >> 7 & ~(w >> 6) & 0x0101010101010101u) * 0x0101010101010101u >> 56);      /* the sum of its bytes */
	}
	for (; k < n; k++)
		nr -= ((unsigned char)s[k] & 0xc0) == 0x80;
	return nr;
}

void sb_pad(struct sb *b, size_t column)
{
	const char *end = b->len ? memrchr(b->s, '\n', b->len) : NULL;
	size_t from = end ? (size_t)(end + 1 - b->s) : 0, width = b->len ? characters(b->s + from, b->len - from) : 0;

	if (width < column)
		memset(sb_room(b, column - width), ' ', column - width);
}

/* One character of UTF-8 at s: its bytes, 0 where there is none; surrogates and overlong forms count as none. */
static unsigned decode_utf8(const unsigned char *s, uint32_t *c)
{
	unsigned n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	*c = n == 1 ? *s : n ? *s & (0xffu >> (n + 1)) : 0;
	for (unsigned k = 1; k < n; k++) {
		if ((s[k] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[k] & 0x3f);
	}
	return (n == 3 && (*c < 0x800 || (*c >= 0xd800 && *c < 0xe000))) || (n == 4 && (*c < 0x10000 || *c > 0x10ffff)) ? 0 : n;
}

static bool commands_terminal(uint32_t c)
{
	bool turns = c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);

	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || turns;
}

void sb_add_shown(struct sb *b, const char *s, bool one_line)
{
	const unsigned char *p = (const unsigned char *)s, *from = p;

	while (*p) {
		uint32_t c;
		unsigned n = decode_utf8(p, &c);

		if (n && (!commands_terminal(c) || (!one_line && (c == '\n' || c == '\t')))) {
			p += n;
			continue;
		}
		sb_addn(b, (const char *)from, (size_t)(p - from));
		if (n > 1)
			sb_printf(b, "\\u%04x", c);
		else
			sb_printf(b, "\\x%02x", *p);
		p += n ? n : 1;
		from = p;
	}
	sb_addn(b, (const char *)from, (size_t)(p - from));
}

const char *sb_text(const struct sb *b)
{
	return b->s ? b->s : "";
}

void sb_cut(struct sb *b, size_t len)
{
	if (len < b->len) {
		b->len = len;
		b->s[len] = '\0';
	}
}

void sb_reset(struct sb *b)
{
	b->len = 0;
	if (b->s)
		b->s[0] = '\0';
}

void sb_free(struct sb *b)
{
	free(b->s);
	*b = (struct sb){ 0 };
}
