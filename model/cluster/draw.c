/* Chance: every draw follows from the seed and from what it is for, never from the draws before it. */
#include "model/cluster/store.h"

/* FNV-1a above, FNV-1 below, in one pass; h: of what stands before s. */
static uint64_t hash_on(uint64_t h, const char *s)
{
	uint32_t a = (uint32_t)(h >> 32), b = (uint32_t)h;

	for (; *s; s++) {
		a = (a ^ (unsigned char)*s) * 16777619u;
		b = b * 16777619u ^ (unsigned char)*s;
	}
	return (uint64_t)a << 32 | b;
}

static uint64_t hash_text(const char *s)
{
	return hash_on((uint64_t)2166136261u << 32 | 2166136261u, s);
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
	static const char two[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
				  "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
				  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
				  "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

	if (digits % 2)
		*to++ = two[2 * (v >> (4 * --digits) & 15) + 1];
	while (digits) {
		digits -= 2;
		memcpy(to, two + 2 * (v >> (4 * digits) & 255), 2);
		to += 2;
	}
	return to;
}

/* A version 4 shaped UUID, drawn by KIND/NAMESPACE/NAME. Written by hand: every object has one. */
void cluster_uid_print(const struct cluster *c, const struct object *o, char uid[UID_LENGTH + 1])
{
	uint64_t purpose = hash_text("uid"), what = hash_on(hash_on(hash_text(o->kind->name), "/"), o->ns ? o->ns : ""), hi, lo;
	char *at;

	what = hash_on(hash_on(what, "/"), o->name);
	hi = hash_mix(hash_mix(hash_mix(c->seed, 2 * (uint64_t)o->life), purpose), what);       /* draw(c, "uid", …) twice */
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

str cluster_uid_alone(struct cluster *c, const struct object *o)
{
	char uid[UID_LENGTH + 1];

	cluster_uid_print(c, o, uid);
	return str_alone(c->strings, uid, UID_LENGTH);
}

str cluster_uid_of(struct cluster *c, const struct object *o)
{
	char uid[UID_LENGTH + 1];

	cluster_uid_print(c, o, uid);
	return o->kind == &pod_kind && o->owners.nr ? str_alone(c->strings, uid, UID_LENGTH) : str_intern_n(c->strings, uid, UID_LENGTH);
}

/* ---- names */

const char random_alphabet[28] = "bcdfghjklmnpqrstvwxz2456789";

void random_suffix(const struct cluster *c, const char *purpose, const char *uid, uint64_t n, char *out, uint32_t len)
{
	uint64_t bits = draw(c, purpose, uid, n);

	assert(len <= 12);
	for (uint32_t k = 0; k < len; k++) {
		out[k] = random_alphabet[bits % (sizeof(random_alphabet) - 1)];
		bits /= (sizeof(random_alphabet) - 1);
	}
	out[len] = '\0';
}

#define LONGEST_BASE 58         /* of 63 characters, less five */

str generate_name(struct cluster *c, const struct kind *k, str ns, const char *base, const char *uid, uint64_t n)
{
	char name[LONGEST_BASE + 6];
	size_t len = MIN(strlen(base), (size_t)LONGEST_BASE);

	memcpy(name, base, len);
	for (uint64_t try = 0;; try++) {
		str made;

		random_suffix(c, "name", uid, n + (try << 32), name + len, 5);
		made = cluster_str(c, name);
		if (!cluster_at(c, k, k->namespaced ? ns : NULL, made))
			return made;
	}
}
