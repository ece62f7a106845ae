/* A hash map from 64-bit keys to 64-bit values, in an arena; open addressing, never shrinks. {0} is valid and empty.
 * For look-up only: nothing may iterate over it where order would show. Keys: handles, packed pairs, interned strings. */
#ifndef PODWIRE_MAP_H
#define PODWIRE_MAP_H

#include "model/base/arena.h"

struct map_slot { uint64_t key, value; };
struct map { struct map_slot *slot; uint32_t nr, alloc; struct arena *arena; };

uint64_t *map_find(const struct map *, uint64_t key);                   /* NULL if absent; valid until the next map_put */
uint64_t *map_put(struct map *, struct arena *, uint64_t key);          /* finds or adds with value 0 */
bool map_remove(struct map *, uint64_t key);                            /* was it there? */

static inline uint64_t map_ptr(const void *p) { return (uint64_t)(uintptr_t)p; }
static inline void *map_get_ptr(const struct map *m, uint64_t key)
{
	uint64_t *v = map_find(m, key);
	return v ? (void *)(uintptr_t)*v : NULL;
}

static inline uint64_t hash_mix(uint64_t a, uint64_t b)                 /* of two words; the same in every run */
{
	uint64_t h = (a ^ 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	h = (h ^ (h >> 29) ^ b) * 0x94d049bb133111ebu;
	return h ^ (h >> 32);
}
uint32_t fnv32a(const void *p, size_t n);                               /* FNV-1a, as Go's hash/fnv New32a */
uint32_t fnv32(const void *p, size_t n);                                /* FNV-1, as Go's New32 */
void sha256(const void *p, size_t n, uint8_t out[32]);                  /* FIPS 180-4 */
void sha1(const void *p, size_t n, uint8_t out[20]);                    /* FIPS 180-4; for Calico's interface names */
/* RFC 4648 base 32, upper case, of sha256(text), cut to n ≤ 52 characters: kube-proxy's way to name chains. */
void sha512_hex(const void *p, size_t n, char out[129]);                 /* FIPS 180-4, as hexadecimal digits; for CNI plugins' chains */
void sha256_base32(const char *text, char *out, size_t n);              /* out holds n + 1 */

#endif
