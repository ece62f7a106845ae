#include "model/control/ipam.h"

#include <stdio.h>

#include "model/control/go_rand.h"

/* ---- the pool as a row of blocks */

uint64_t calico_blocks(const struct calico_pool *p)
{
	uint32_t bits = p->block_len > p->cidr.len ? (uint32_t)(p->block_len - p->cidr.len) : 0;

	return bits > 62 ? (uint64_t)1 << 62 : (uint64_t)1 << bits;
}

uint64_t calico_first_block(const struct calico_pool *p, const char *host)
{
	struct go_rand r;

	go_rand_seed(&r, fnv32(host, strlen(host)));
	return go_rand_below(&r, calico_blocks(p));
}

struct cidr calico_block_at(const struct calico_pool *p, uint64_t index)
{
	uint32_t right = (uint32_t)(ip_bits(p->cidr.addr) - p->block_len);
	ip_addr a = p->cidr.addr;

	if (right >= 64) {
		a.hi += index << (right - 64);
	} else {
		a.hi += right ? index >> (64 - right) : 0;
		a = ip_add(a, index << right);
	}
	return (struct cidr){ a, p->block_len, true };
}

static uint64_t block_key(ip_addr a)
{
	return hash_mix(a.hi, a.lo);
}

/* The walk of every host over a pool looks for the next block that nobody owns, or that has addresses left: bits, so that a pool that is nearly full
 * costs no more than an empty one. A pool of more than MAPPED blocks never gets that full and has none. */
#define MAPPED ((uint64_t)1 << 24)
struct bits { uint64_t *v; };                   /* a bit for each block, made when the first is set */
struct calico_map { uint64_t nr; struct bits owned, spare; };

static uint64_t block_index(const struct calico_pool *p, ip_addr a)
{
	uint32_t right = (uint32_t)(ip_bits(p->cidr.addr) - p->block_len);
	uint64_t hi = a.hi - p->cidr.addr.hi - (a.lo < p->cidr.addr.lo), lo = a.lo - p->cidr.addr.lo;

	return right >= 64 ? hi >> (right - 64) : right ? hi << (64 - right) | lo >> right : lo;
}

static struct calico_map *map_of(struct calico_ipam *i, const struct calico_pool *p)
{
	uint64_t *at = map_put(&i->maps, i->arena, hash_mix(block_key(p->cidr.addr), (uint64_t)p->cidr.len << 8 | p->block_len));

	if (!*at) {
		struct calico_map *m = arena_make(i->arena, struct calico_map);

		m->nr = calico_blocks(p);
		*at = map_ptr(m);
	}
	return (struct calico_map *)(uintptr_t)*at;
}

static void bit_put(struct calico_ipam *i, const struct calico_map *m, struct bits *b, uint64_t at, bool value)
{
	if (m->nr > MAPPED || at >= m->nr || (!b->v && !value))
		return;
	if (!b->v)
		b->v = arena_array(i->arena, uint64_t, (m->nr + 63) / 64);
	if (value)
		b->v[at / 64] |= (uint64_t)1 << (at % 64);
	else
		b->v[at / 64] &= ~((uint64_t)1 << (at % 64));
}

/* The first place from `from` on whose bit is `value`; nr if there is none. */
static uint64_t bit_next(const struct calico_map *m, const struct bits *b, uint64_t from, uint64_t to, bool value)
{
	if (m->nr > MAPPED)
		return from;
	for (uint64_t at = from; at < to; at = (at | 63) + 1) {
		uint64_t word = b->v ? b->v[at / 64] : 0;

		word = (value ? word : ~word) & UINT64_MAX << (at % 64);
		if (word)
			return MIN((at & ~(uint64_t)63) + (uint64_t)__builtin_ctzll(word), to);
	}
	return to;
}

static struct calico_block *find_block(const struct calico_ipam *i, ip_addr addr)
{
	return map_get_ptr(&i->blocks, block_key(addr));
}

bool calico_owned(const struct calico_ipam *i, ip_addr block)
{
	const struct calico_block *b = find_block(i, block);

	return b && b->host;
}

static const struct calico_pool *pool_of(const struct calico_pool *p, uint32_t nr, ip_addr ip)
{
	for (uint32_t k = 0; k < nr; k++)
		if (cidr_contains(p[k].cidr, ip))
			return &p[k];
	return NULL;
}

const struct calico_block *calico_block_of(const struct calico_ipam *i, const struct calico_pool *pools, uint32_t nr, ip_addr ip)
{
	const struct calico_pool *p = pool_of(pools, nr, ip);

	return p ? find_block(i, ip_mask(ip, p->block_len)) : NULL;
}

/* ---- who owns which */

struct calico_host *calico_host_of(struct calico_ipam *i, str name)
{
	struct calico_host *h = map_get_ptr(&i->hosts, map_ptr(name));

	if (!h) {
		h = arena_make(i->arena, struct calico_host);
		h->name = name;
		*map_put(&i->hosts, i->arena, map_ptr(name)) = map_ptr(h);
	}
	return h;
}

/* A host's blocks stand in the order of their addresses, as the datastore lists them. */
static void host_add(struct calico_ipam *i, struct calico_host *h, struct calico_block *b)
{
	uint32_t at = h->nr;

	vec_push(i->arena, h);
	for (; at && ip_order(h->v[at - 1]->cidr.addr, b->cidr.addr) > 0; at--)
		h->v[at] = h->v[at - 1];
	h->v[at] = b;
	b->host = h->name;
	bit_put(i, b->map, &b->map->owned, b->index, true);
}

static uint64_t first_of(struct calico_host *h, const struct calico_pool *p)
{
	uint64_t nr = calico_blocks(p);

	if (h->blocks != nr) {
		h->blocks = nr;
		h->first = calico_first_block(p, h->name);
	}
	return h->first;
}

static struct calico_block *make_block(struct calico_ipam *i, const struct calico_pool *p, struct cidr cidr)
{
	struct calico_block *b = arena_make(i->arena, struct calico_block);

	b->cidr = cidr;
	b->map = map_of(i, p);
	b->index = block_index(p, cidr.addr);
	b->places = (uint32_t)cidr_size(cidr);
	b->queue = arena_array(i->arena, uint16_t, b->places);
	for (uint32_t k = 0; k < b->places; k++)
		b->queue[b->nr++] = (uint16_t)k;
	*map_put(&i->blocks, i->arena, block_key(cidr.addr)) = map_ptr(b);
	bit_put(i, b->map, &b->map->spare, b->index, true);
	return b;
}

bool calico_claim(struct calico_ipam *i, const struct calico_pool *p, struct cidr cidr, str host)
{
	struct calico_block *b;

	if (cidr.len != p->block_len || !cidr_contains(p->cidr, cidr.addr))
		return false;
	b = find_block(i, cidr.addr);
	if (b && b->host)
		return b->host == host;
	host_add(i, calico_host_of(i, host), b ? b : make_block(i, p, cidr));
	return true;
}

/* ---- giving and taking back */

static bool pop(struct calico_ipam *i, struct calico_block *b, ip_addr *out)
{
	while (b->nr) {
		*out = ip_add(b->cidr.addr, b->queue[b->head]);
		b->head = (b->head + 1) % b->places;
		b->nr--;
		if (!i->taken || !i->taken(i->ctx, *out))
			return true;
	}
	bit_put(i, b->map, &b->map->spare, b->index, false);
	return false;
}

static bool from_own(struct calico_ipam *i, const struct calico_pool *pools, uint32_t nr, struct calico_host *h, ip_addr *out)
{
	for (uint32_t k = 0; k < h->nr; k++)
		if (pool_of(pools, nr, h->v[k]->cidr.addr) && pop(i, h->v[k], out))
			return true;
	return false;
}

/* On a host's walk from `first` on and round again: the next step from `step` on at whose block the bit is `value`; nr if there is none. */
static uint64_t walk_next(const struct calico_map *m, const struct bits *b, uint64_t first, uint64_t step, bool value)
{
	if (first + step < m->nr) {
		uint64_t at = bit_next(m, b, first + step, m->nr, value);

		if (at < m->nr)
			return at - first;
		step = m->nr - first;
	}
	return step < m->nr ? bit_next(m, b, first + step - m->nr, first, value) + m->nr - first : m->nr;
}

static bool from_new(struct calico_ipam *i, const struct calico_pool *p, struct calico_host *h, ip_addr *out)
{
	uint64_t nr = calico_blocks(p), first = first_of(h, p);
	const struct calico_map *m = map_of(i, p);

	for (uint64_t k = 0; (k = walk_next(m, &m->owned, first, k, false)) < nr; k++) {
		struct cidr cidr = calico_block_at(p, (first + k) % nr);
		struct calico_block *b = find_block(i, cidr.addr);

		if (b && b->host)
			continue;
		b = b ? b : make_block(i, p, cidr);
		host_add(i, h, b);
		if (pop(i, b, out))
			return true;
	}
	return false;
}

static bool borrow(struct calico_ipam *i, const struct calico_pool *p, struct calico_host *h, ip_addr *out)
{
	uint64_t nr = calico_blocks(p), first = first_of(h, p);
	const struct calico_map *m = map_of(i, p);

	for (uint64_t k = 0; (k = walk_next(m, &m->spare, first, k, true)) < nr; k++) {
		struct calico_block *b = find_block(i, calico_block_at(p, (first + k) % nr).addr);

		if (b && pop(i, b, out))
			return true;
	}
	return false;
}

/* The limit is of the blocks that may serve this request: those of another family, or of pools that it cannot use, do not count (prepareAffinityBlocksForHost). */
static bool at_the_limit(const struct calico_ipam *i, const struct calico_pool *pools, uint32_t nr, const struct calico_host *h)
{
	uint32_t owned = 0;

	if (!i->max_blocks || h->nr < i->max_blocks)
		return false;
	for (uint32_t k = 0; k < h->nr; k++)
		owned += pool_of(pools, nr, h->v[k]->cidr.addr) != NULL;
	return owned >= i->max_blocks;
}

enum calico_answer calico_assign(struct calico_ipam *i, const struct calico_pool *pools, uint32_t nr, struct calico_host *h, ip_addr *out)
{
	if (from_own(i, pools, nr, h, out))
		return CALICO_OK;
	if (at_the_limit(i, pools, nr, h))
		return CALICO_BLOCK_LIMIT;
	for (uint32_t k = 0; k < nr; k++)
		if (from_new(i, &pools[k], h, out))
			return CALICO_OK;
	for (uint32_t k = 0; k < nr && !i->strict; k++)
		if (borrow(i, &pools[k], h, out))
			return CALICO_OK;
	return CALICO_FULL;
}

void calico_release(struct calico_ipam *i, const struct calico_pool *pools, uint32_t nr, ip_addr ip)
{
	const struct calico_pool *p = pool_of(pools, nr, ip);
	struct calico_block *b = p ? find_block(i, ip_mask(ip, p->block_len)) : NULL;
	uint16_t ordinal;

	if (!b || b->nr == b->places)
		return;
	ordinal = (uint16_t)ip_diff(ip, b->cidr.addr);
	for (uint32_t k = 0; k < b->nr; k++)
		if (b->queue[(b->head + k) % b->places] == ordinal)
			return;
	b->queue[(b->head + b->nr++) % b->places] = ordinal;
	bit_put(i, b->map, &b->map->spare, b->index, true);
}

const char *calico_words(const struct calico_ipam *i, enum calico_answer answer, const struct calico_pool *pools, uint32_t nr, struct arena *a)
{
	const char *list = "";

	if (answer == CALICO_OK)
		return "";
	if (answer == CALICO_BLOCK_LIMIT)
		return arena_printf(a, "Need to allocate an IPAM block but could not - limit of %u blocks reached for this node", i->max_blocks);
	if (i->strict)
		return "No more free affine blocks and strict affinity enabled";
	for (uint32_t k = 0; k < nr; k++)
		list = arena_printf(a, "%s%s%s", list, k ? " " : "", CIDR(pools[k].cidr));
	return arena_printf(a, "No IPs available in pools: [%s]", list);
}

void calico_veth_name(const char *prefix, const char *ns, const char *pod, char out[16])
{
	struct sb id = { 0 };
	uint8_t sum[20];
	int n = (int)MIN(strcspn(prefix, ","), (size_t)4);

	sb_printf(&id, "%s.%s", ns, pod);
	sha1(sb_text(&id), id.len, sum);
	sb_free(&id);
	snprintf(out, 16, "%.*s%02x%02x%02x%02x%02x%x", n, prefix, sum[0], sum[1], sum[2], sum[3], sum[4], sum[5] >> 4);
}
