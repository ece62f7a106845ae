/* Small encodings: numbers of few bytes, the places of a tree, compression. */
#include "sim/lab/store.h"

#include <stdlib.h>
#include <zlib.h>

void pack_number(struct sb *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		sb_addc(out, (char)(v | 0x80));
	sb_addc(out, (char)v);
}

uint64_t unpack_number(const unsigned char **p, const unsigned char *end)
{
	uint64_t v = 0;

	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		unsigned char c = *(*p)++;

		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			break;
	}
	return v;
}

/* Depth first: the line as a difference to the one before (even: forward), then the column. */
static void pack(const struct val *v, int64_t *line, struct sb *out)
{
	int64_t d = (int64_t)v->line - *line;

	pack_number(out, d < 0 ? (uint64_t)-d * 2 - 1 : (uint64_t)d * 2);
	pack_number(out, v->col);
	*line = v->line;
	if (v->type == VAL_LIST || v->type == VAL_MAP)
		for (const struct val *m = v->first; m; m = m->next)
			pack(m, line, out);
}

void places_pack(const struct val *v, struct sb *out)
{
	int64_t line = 0;

	pack(v, &line, out);
}

static void unpack(struct val *v, int64_t *line, const unsigned char **p, const unsigned char *end)
{
	uint64_t d = unpack_number(p, end);

	*line += d & 1 ? -(int64_t)((d + 1) / 2) : (int64_t)(d / 2);
	v->line = (uint32_t)*line;
	v->col = (uint16_t)unpack_number(p, end);
	if (v->type == VAL_LIST || v->type == VAL_MAP)
		for (struct val *m = v->first; m; m = m->next)
			unpack(m, line, p, end);
}

void places_unpack(struct val *v, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	int64_t line = 0;

	unpack(v, &line, &p, p + n);
}

int64_t unpack_signed(const unsigned char **p, const unsigned char *end)
{
	uint64_t v = unpack_number(p, end);

	return v & 1 ? -(int64_t)(v / 2) - 1 : (int64_t)(v / 2);
}

void pack_signed(struct sb *out, int64_t v)
{
	pack_number(out, v < 0 ? ((uint64_t)-(v + 1)) * 2 + 1 : (uint64_t)v * 2);
}

/* Level 1: a big cluster is written many times and read as often, and its texts are much alike. */
void pack_squeeze(const struct sb *in, struct sb *out)
{
	uLongf n = compressBound((uLong)in->len);

	sb_reset(out);
	if (out->alloc <= n) {
		sb_free(out);
		out->alloc = n + 1;
		out->s = malloc(out->alloc);
		if (!out->s)
			abort();
	}
	if (compress2((Bytef *)out->s, &n, (const Bytef *)sb_text(in), (uLong)in->len, 1) != Z_OK)
		abort();                /* there was room enough, and the level is known */
	out->len = n;
}

bool pack_expand(const void *bytes, size_t n, size_t size, struct sb *out)
{
	uLongf got = (uLongf)size;

	sb_free(out);
	out->alloc = size + 1;
	out->s = malloc(out->alloc);
	if (!out->s || uncompress((Bytef *)out->s, &got, bytes, (uLong)n) != Z_OK || got != size)
		return false;
	out->s[size] = '\0';
	out->len = size;
	return true;
}
