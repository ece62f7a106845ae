#include "model/base/map.h"

/* A slot with key 0 is empty; the key 0 itself is stored as ZERO, which no handle, pointer or packed pair is. */
#define EMPTY 0
#define ZERO  0x9e3779b97f4a7c15u

static uint64_t own(uint64_t key)
{
	return key == EMPTY ? ZERO : key;
}

static uint32_t slot_of(const struct map *m, uint64_t key)
{
	uint32_t at = (uint32_t)hash_mix(key, 0) & (m->alloc - 1);

	while (m->slot[at].key != EMPTY && m->slot[at].key != key)
		at = (at + 1) & (m->alloc - 1);
	return at;
}

uint64_t *map_find(const struct map *m, uint64_t key)
{
	uint32_t at;

	if (!m->alloc)
		return NULL;
	at = slot_of(m, own(key));
	return m->slot[at].key == EMPTY ? NULL : &m->slot[at].value;
}

static void grow(struct map *m, struct arena *a)
{
	struct map_slot *old = m->slot;
	uint32_t nr = m->alloc;

	m->alloc = nr ? nr * 2 : 8;
	m->slot = arena_array(a, struct map_slot, m->alloc);
	for (uint32_t k = 0; k < nr; k++)
		if (old[k].key != EMPTY)
			m->slot[slot_of(m, old[k].key)] = old[k];
	arena_discard(a, old, nr * sizeof(*old));
}

uint64_t *map_put(struct map *m, struct arena *a, uint64_t key)
{
	uint32_t at;

	if (m->nr >= m->alloc / 2)
		grow(m, a);
	at = slot_of(m, own(key));
	if (m->slot[at].key == EMPTY) {
		m->slot[at].key = own(key);
		m->slot[at].value = 0;
		m->nr++;
	}
	return &m->slot[at].value;
}

bool map_remove(struct map *m, uint64_t key)
{
	uint32_t hole, at;

	if (!m->alloc)
		return false;
	hole = slot_of(m, own(key));
	if (m->slot[hole].key == EMPTY)
		return false;
	/* Close the gap: every later member of the run that may stand here moves up (Knuth 6.4, algorithm R). */
	for (at = (hole + 1) & (m->alloc - 1); m->slot[at].key != EMPTY; at = (at + 1) & (m->alloc - 1)) {
		uint32_t home = (uint32_t)hash_mix(m->slot[at].key, 0) & (m->alloc - 1);

		if (((at - home) & (m->alloc - 1)) >= ((at - hole) & (m->alloc - 1))) {
			m->slot[hole] = m->slot[at];
			hole = at;
		}
	}
	m->slot[hole].key = EMPTY;
	m->nr--;
	return true;
}
