/* Chance: every draw follows from the seed and from what it is for, never from the draws before it. */
#include "model/cluster/store.h"

/* FNV-1a above, FNV-1 below, in one pass. */
static uint64_t hash_text(const char *s)
{
	uint32_t a = 2166136261u, b = 2166136261u;

	for (; *s; s++) {
		a = (a ^ (unsigned char)*s) * 16777619u;
		b = b * 16777619u ^ (unsigned char)*s;
	}
	return (uint64_t)a << 32 | b;
}

uint64_t draw(const struct cluster *c, const char *purpose, const char *uid, uint64_t n)
{
	return hash_mix(hash_mix(hash_mix(c->seed, n), hash_text(purpose)), hash_text(uid));
}

uint32_t draw_below(const struct cluster *c, const char *purpose, const char *uid, uint64_t n, uint32_t bound)
{
	return (uint32_t)((draw(c, purpose, uid, n) >> 32) * bound >> 32);
}

static char *put_hex(char *to, uint64_t v, int digits)
{
	for (int k = digits; k-- > 0;)
		*to++ = "0123456789abcdef"[v >> (4 * k) & 15];
	return to;
}

/* A version 4 shaped UUID. Written by hand: every object has one. */
void cluster_uid_print(const struct cluster *c, const struct object *o, char uid[UID_LENGTH + 1])
{
	char text[512], *at = text;
	const char *parts[] = { o->kind->name, o->ns ? o->ns : "", o->name };
	uint64_t purpose = hash_text("uid"), what, hi, lo;

	for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
		size_t n = MIN(strlen(parts[k]), (size_t)(text + sizeof(text) - 2 - at));

		if (k)
			*at++ = '/';
		memcpy(at, parts[k], n);
		at += n;
	}
	*at = '\0';
	what = hash_text(text);
	hi = hash_mix(hash_mix(hash_mix(c->seed, 2 * (uint64_t)o->life), purpose), what);       /* draw(c, "uid", text, …) twice */
	lo = hash_mix(hash_mix(hash_mix(c->seed, 2 * (uint64_t)o->life + 1), purpose), what);
	at = put_hex(uid, hi >> 32, 8);
	*at++ = '-';
	at = put_hex(at, hi >> 16, 4);
	*at++ = '-';
	*at++ = '4';
	at = put_hex(at, hi, 3);
	*at++ = '-';
	at = put_hex(at, (lo >> 48 & 0x3fff) | 0x8000, 4);
	*at++ = '-';
	at = put_hex(at, lo, 12);
	*at = '\0';
}

str cluster_uid_of(struct cluster *c, const struct object *o)
{
	char uid[UID_LENGTH + 1];

	cluster_uid_print(c, o, uid);
	return str_intern_n(c->strings, uid, UID_LENGTH);
}
