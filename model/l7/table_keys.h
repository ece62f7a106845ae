/* The keys under which a table's hosts and paths are found: written by table.c, looked up by table_find.c. */
#ifndef PODWIRE_L7_TABLE_KEYS_H
#define PODWIRE_L7_TABLE_KEYS_H

#include "model/l7/table.h"

#define NO_ROUTE UINT32_MAX
#define HASH_START 0xcbf29ce484222325ull

static inline uint64_t hash_step(uint64_t h, char c) { return (h ^ (uint8_t)c) * 0x100000001b3ull; }

static inline uint64_t hash_text(const char *s, size_t n)
{
	uint64_t h = HASH_START;

	for (size_t k = 0; k < n; k++)
		h = hash_step(h, s[k]);
	return h;
}

static inline uint64_t path_key(uint32_t vhost, enum l7_path kind, uint64_t h) { return hash_mix(h, (uint64_t)vhost << 2 | (uint64_t)kind); }
static inline uint64_t host_key(uint32_t group, enum l7_host_kind kind, uint64_t h) { return hash_mix(h, 1ull << 40 | (uint64_t)group << 2 | (uint64_t)kind); }

static inline enum l7_host_kind host_kind(const char *pattern)
{
	return !pattern || !*pattern || streq(pattern, "*") ? L7_HOST_ANY : strncmp(pattern, "*.", 2) == 0 ? L7_HOST_SUFFIX : L7_HOST_EXACT;
}

/* What of a path is looked up: an element prefix without its last slash. */
static inline size_t key_length(const struct l7_route *r)
{
	size_t n = strlen(r->path);

	while (r->path_kind == L7_PATH_ELEMENTS && n && r->path[n - 1] == '/')
		n--;
	return n;
}

/* The best of a host's routes: its index, or NO_ROUTE. */
uint32_t vhost_find(const struct route_table *, uint32_t vhost, const struct l7_query *);

#endif
