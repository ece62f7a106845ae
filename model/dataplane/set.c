/* Elements of sets and maps: adding, looking up, putting intervals in order. */
#include "model/dataplane/ruleset_bodies.h"

static uint64_t key_hash(const ip_addr *key, uint32_t n)
{
	uint64_t h = 0;

	for (uint32_t k = 0; k < n; k++)
		h = hash_mix(hash_mix(h, key[k].hi), key[k].lo);
	return h;
}

static uint32_t words_of(const struct set *s)
{
	return s->nkey * (s->flags & SETF_INTERVAL ? 2u : 1u);
}

static bool same_key(const struct ruleset *rs, const struct elem *e, const ip_addr *key, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		if (!ip_eq(rs->wide.v[e->key + k], key[k]))
			return false;
	return true;
}

/* The element of exactly this key; NULL if there is none. Hash collisions take the next hash. */
static struct elem *find_exact(const struct ruleset *owner, const struct set_body *b, const ip_addr *key, uint32_t n)
{
	uint64_t *at;

	for (uint64_t h = key_hash(key, n); (at = map_find(&b->index, h)); h++)
		if (same_key(owner, &b->v[*at], key, n))
			return &b->v[*at];
	return NULL;
}

static uint64_t *index_of(const struct ruleset *owner, const struct set_body *b, uint32_t k, uint32_t n, uint64_t *hash)
{
	uint64_t *at;

	for (*hash = key_hash(&owner->wide.v[b->v[k].key], n); (at = map_find(&b->index, *hash)) && *at != k; ++*hash)
		;
	return at;
}

void set_body_index(struct ruleset *rs, const struct set *s, struct set_body *b)
{
	b->index = (struct map){ 0 };
	for (uint32_t k = 0; k < b->nr; k++) {
		uint64_t hash = key_hash(&rs->wide.v[b->v[k].key], words_of(s));

		while (map_find(&b->index, hash))
			hash++;
		*map_put(&b->index, rs->arena, hash) = k;
	}
}

void set_body_remove(struct ruleset *rs, const struct set *s, struct set_body *b, uint32_t k)
{
	uint32_t n = words_of(s), last = b->nr - 1;
	uint64_t hash, other, *at = index_of(rs, b, k, n, &hash);
	bool again = !at || map_find(&b->index, hash + 1);      /* of two keys with one hash the other lies behind */

	if (at)
		map_remove(&b->index, hash);
	if (k != last) {
		if (!again && (at = index_of(rs, b, last, n, &other)))
			*at = k;
		b->v[k] = b->v[last];
		b->mixed = true;
	}
	b->nr--;
	if (again)
		set_body_index(rs, s, b);
}

struct elem *set_add(struct ruleset *rs, set_h h, const ip_addr *key)
{
	const struct set *s = ruleset_set_get(rs, h);
	struct set_body *b = ruleset_write_set(rs, h);
	uint32_t n = words_of(s);
	struct elem *e = find_exact(rs, b, key, n);
	uint64_t hash = key_hash(key, n);

	if (e) {
		rs->entangled = rs->entangled || e->place != rs->place;
		return e;
	}
	e = vec_push(rs->arena, b);
	e->key = rs->wide.nr;
	e->place = rs->place;
	b->mixed = b->mixed || (b->nr > 1 && e[-1].place > rs->place);
	for (uint32_t k = 0; k < n; k++)
		ruleset_add_wide(rs, key[k]);
	while (map_find(&b->index, hash))
		hash++;
	*map_put(&b->index, rs->arena, hash) = b->nr - 1;
	return e;
}

struct elem *set_add_verdict(struct ruleset *rs, set_h h, const ip_addr *key, enum op_code code, chain_h chain)
{
	struct elem *e = set_add(rs, h, key);

	e->verdict = (struct verdict_value){ (uint8_t)code, chain };
	return e;
}

struct elem *set_add_value(struct ruleset *rs, set_h h, const ip_addr *key, ip_addr addr, uint32_t port)
{
	uint32_t at = ruleset_add_wide(rs, addr);
	struct elem *e;

	ruleset_add_wide(rs, word(port));
	e = set_add(rs, h, key);
	e->value = at;
	return e;
}

void set_add_cidr(struct ruleset *rs, set_h h, struct cidr c)
{
	ip_addr key[2] = { c.addr, cidr_last(c) };

	set_add(rs, h, key);
}

str elem_comment(const struct ruleset *owner, const struct elem *e)
{
	return e->later ? owner->later.comment(owner->later.ctx, e->later) : e->comment;
}

const struct elem *set_lookup(const struct ruleset *owner, const struct set *s, const struct set_body *b, const ip_addr *key)
{
	uint32_t lo = 0, hi = b->nr;

	if (!(s->flags & SETF_INTERVAL))
		return find_exact(owner, b, key, s->nkey);
	if (s->nkey > 1) {              /* concatenated ranges: few; each part lies in its own range */
		for (uint32_t k = 0; k < b->nr; k++) {
			bool in = true;

			for (uint32_t i = 0; in && i < s->nkey; i++)
				in = ip_order(owner->wide.v[b->v[k].key + 2 * i], key[i]) <= 0 && ip_order(key[i], owner->wide.v[b->v[k].key + 2 * i + 1]) <= 0;
			if (in)
				return &b->v[k];
		}
		return NULL;
	}
	while (lo < hi) {               /* the last one that begins at or before the key */
		uint32_t mid = lo + (hi - lo) / 2;

		if (ip_order(owner->wide.v[b->v[mid].key], *key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && ip_order(*key, owner->wide.v[b->v[lo - 1].key + 1]) <= 0 ? &b->v[lo - 1] : NULL;
}

void set_body_sort(struct ruleset *rs, struct set_body *b)
{
	uint32_t to = 0;

	for (uint32_t k = 1; k < b->nr; k++)            /* few elements, mostly in order */
		for (uint32_t i = k; i > 0 && ip_order(rs->wide.v[b->v[i - 1].key], rs->wide.v[b->v[i].key]) > 0; i--) {
			struct elem e = b->v[i];

			b->v[i] = b->v[i - 1];
			b->v[i - 1] = e;
		}
	for (uint32_t k = 1; k < b->nr; k++) {          /* overlapping ranges become one, as nft's auto-merge does; neighbours stay */
		ip_addr *last = &rs->wide.v[b->v[to].key + 1];

		if (ip_order(rs->wide.v[b->v[k].key], *last) <= 0) {
			if (ip_order(rs->wide.v[b->v[k].key + 1], *last) > 0)
				*last = rs->wide.v[b->v[k].key + 1];
		} else {
			b->v[++to] = b->v[k];
		}
	}
	b->nr = b->nr ? to + 1 : 0;
}
