#include "model/dataplane/ruleset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- identities: handles count on from the base's */

uint32_t ruleset_nr_tables(const struct ruleset *rs) { return (rs->base ? ruleset_nr_tables(rs->base) : 0) + rs->tables.nr - 1; }
uint32_t ruleset_nr_chains(const struct ruleset *rs) { return (rs->base ? ruleset_nr_chains(rs->base) : 0) + rs->chains.nr - 1; }
uint32_t ruleset_nr_sets(const struct ruleset *rs) { return (rs->base ? ruleset_nr_sets(rs->base) : 0) + rs->sets.nr - 1; }

const struct table *ruleset_table_get(const struct ruleset *rs, table_h h)
{
	uint32_t below = rs->base ? ruleset_nr_tables(rs->base) : 0;

	return h.i <= below ? ruleset_table_get(rs->base, h) : &rs->tables.v[h.i - below];
}

/* With the ruleset whose chain it is. */
static struct chain *identity(const struct ruleset **rs, chain_h h)
{
	uint32_t below;

	while (h.i <= (below = (*rs)->base ? ruleset_nr_chains((*rs)->base) : 0))
		*rs = (*rs)->base;
	return &(*rs)->chains.v[h.i - below];
}

static uint64_t name_key(table_h t, const char *name)
{
	return hash_mix(t.i, map_ptr(name));
}

const struct chain *ruleset_chain_get(const struct ruleset *rs, chain_h h)
{
	struct chain *c = identity(&rs, h);

	if (!c->name) {
		struct ruleset *own = (struct ruleset *)(uintptr_t)rs;

		c->name = str_intern(rs->strings, rs->later.name(rs->later.ctx, c->later));
		*map_put(&own->chain_by_name, own->arena, name_key(c->table, c->name)) = h.i;
	}
	return c;
}

const struct set *ruleset_set_get(const struct ruleset *rs, set_h h)
{
	uint32_t below = rs->base ? ruleset_nr_sets(rs->base) : 0;

	return h.i <= below ? ruleset_set_get(rs->base, h) : &rs->sets.v[h.i - below];
}

struct ruleset *ruleset_new(struct arena *a, struct strtab *strings, const struct ruleset *base)
{
	struct ruleset *rs = arena_make(a, struct ruleset);

	rs->arena = a;
	rs->strings = strings;
	rs->base = base;
	vec_push(a, &rs->tables);
	vec_push(a, &rs->chains);
	vec_push(a, &rs->sets);
	vec_push(a, &rs->wide);
	vec_push(a, &rs->text);
	return rs;
}

table_h ruleset_table(struct ruleset *rs, enum nf_family family, const char *name, bool iptables)
{
	str s = str_intern(rs->strings, name);

	for (uint32_t k = 1; k <= ruleset_nr_tables(rs); k++) {
		const struct table *t = ruleset_table_get(rs, (table_h){ k });

		if (t->name == s && t->family == family && t->iptables == iptables)
			return (table_h){ k };
	}
	vec_add(rs->arena, &rs->tables, (struct table){ .name = s, .family = (uint8_t)family, .iptables = iptables });
	return (table_h){ ruleset_nr_tables(rs) };
}

static uint64_t *find_name(const struct ruleset *rs, bool chains, uint64_t key)
{
	uint64_t *at = NULL;

	for (; rs && !at; rs = rs->base)
		at = map_find(chains ? &rs->chain_by_name : &rs->set_by_name, key);
	return at;
}

static chain_h find_named(const struct ruleset *rs, table_h t, const char *name)
{
	str s = str_find(rs->strings, name);
	uint64_t *at = s ? find_name(rs, true, name_key(t, s)) : NULL;

	return (chain_h){ at ? (uint32_t)*at : 0 };
}

chain_h ruleset_find_chain(const struct ruleset *rs, table_h t, const char *name)
{
	chain_h h = find_named(rs, t, name);

	if (h.i)
		return h;
	for (uint32_t k = 1; k <= ruleset_nr_chains(rs); k++)
		ruleset_chain_get(rs, (chain_h){ k });          /* now all have names */
	return find_named(rs, t, name);
}

set_h ruleset_find_set(const struct ruleset *rs, table_h t, const char *name)
{
	str s = str_find(rs->strings, name);
	uint64_t *at = s ? find_name(rs, false, name_key(t, s)) : NULL;

	return (set_h){ at ? (uint32_t)*at : 0 };
}

chain_h ruleset_chain(struct ruleset *rs, table_h t, const char *name)
{
	chain_h h = find_named(rs, t, name);
	str s = str_intern(rs->strings, name);

	if (h.i)
		return h;
	vec_add(rs->arena, &rs->chains, (struct chain){ .name = s, .table = t });
	h.i = ruleset_nr_chains(rs);
	*map_put(&rs->chain_by_name, rs->arena, name_key(t, s)) = h.i;
	return h;
}

chain_h ruleset_chain_later(struct ruleset *rs, table_h t, uint32_t number)
{
	assert(number);
	vec_add(rs->arena, &rs->chains, (struct chain){ .table = t, .later = number });
	return (chain_h){ ruleset_nr_chains(rs) };
}

/* A chain or set of our own, to be changed. */
static struct chain *own_identity(struct ruleset *rs, chain_h h)
{
	const struct ruleset *of = rs;
	struct chain *c = identity(&of, h);

	assert(of == rs);
	return c;
}

void ruleset_base_chain(struct ruleset *rs, chain_h h, enum nf_hook hook, enum nf_type type, int priority, enum op_code policy)
{
	const struct ruleset *of = rs;
	struct chain *c;

	if (identity(&of, h)->hook)             /* known to the base already, or said twice */
		return;
	c = own_identity(rs, h);
	c->hook = (uint8_t)hook;
	c->type = (uint8_t)type;
	c->priority = (int16_t)priority;
	c->policy = (uint8_t)policy;
}

set_h ruleset_set(struct ruleset *rs, table_h t, const char *name, enum set_kind kind, unsigned flags, const uint8_t *key, uint8_t nkey)
{
	set_h h = name ? ruleset_find_set(rs, t, name) : (set_h){ 0 };
	struct set s = { .table = t, .kind = (uint8_t)kind, .flags = (uint8_t)(flags | (name ? 0 : SETF_ANONYMOUS)), .nkey = nkey };

	if (h.i)
		return h;
	assert(nkey <= ARRAY_LEN(s.key));
	memcpy(s.key, key, nkey);
	h.i = ruleset_nr_sets(rs) + 1;
	s.name = str_intern(rs->strings, name);
	vec_add(rs->arena, &rs->sets, s);
	if (name)
		*map_put(&rs->set_by_name, rs->arena, name_key(t, s.name)) = h.i;
	return h;
}

/* ---- bodies */

static const struct chain_body no_rules;
static const struct set_body no_elements;

const struct chain_body *chain_body(const struct ruleset *rs, chain_h h, const struct ruleset **owner)
{
	const struct ruleset *of = rs;
	const struct chain *c;

	for (const struct ruleset *at = rs; at; at = at->base) {
		const struct chain_body *b = map_get_ptr(&at->own_chain, h.i);

		if (owner)
			*owner = at;
		if (b)
			return b;
	}
	c = identity(&of, h);
	if (!c->later)
		return &no_rules;
	if (owner)
		*owner = of;
	of->later.body(of->later.ctx, h, c->later);
	ruleset_own_chain((struct ruleset *)(uintptr_t)of, h);          /* even if no rule was written: not to be asked again */
	return map_get_ptr(&of->own_chain, h.i);
}

const struct set_body *set_body(const struct ruleset *rs, set_h h, const struct ruleset **owner)
{
	for (; rs; rs = rs->base) {
		const struct set_body *b = map_get_ptr(&rs->own_set, h.i);

		if (owner)
			*owner = rs;
		if (b)
			return b;
	}
	return &no_elements;
}

static struct chain_body *write_chain(struct ruleset *rs, chain_h h)
{
	struct chain_body *b = map_get_ptr(&rs->own_chain, h.i);

	if (b)
		return b;
	b = arena_make(rs->arena, struct chain_body);
	*map_put(&rs->own_chain, rs->arena, h.i) = map_ptr(b);
	return b;
}

static struct set_body *write_set(struct ruleset *rs, set_h h)
{
	struct set_body *b = map_get_ptr(&rs->own_set, h.i);

	if (b)
		return b;
	b = arena_make(rs->arena, struct set_body);
	*map_put(&rs->own_set, rs->arena, h.i) = map_ptr(b);
	return b;
}

void ruleset_own_chain(struct ruleset *rs, chain_h h) { write_chain(rs, h); }
void ruleset_own_set(struct ruleset *rs, set_h h) { write_set(rs, h); }

static uint32_t add_wide(struct ruleset *rs, ip_addr a)
{
	vec_add(rs->arena, &rs->wide, a);
	return rs->wide.nr - 1;
}

static uint32_t add_text(struct ruleset *rs, const char *s)
{
	vec_add(rs->arena, &rs->text, str_intern(rs->strings, s));
	return rs->text.nr - 1;
}

/* ---- writing rules */

struct rw rule_begin(struct ruleset *rs, chain_h h)
{
	struct rule *r = vec_push(rs->arena, &write_chain(rs, h)->rules);

	r->op = rs->ops.nr;
	return (struct rw){ rs, h };
}

static struct rule *current(struct rw w)
{
	struct chain_body *b = write_chain(w.rs, w.chain);

	return &b->rules.v[b->rules.nr - 1];
}

void rule_cause(struct rw w, cause_h c) { current(w)->cause = c; }
void rule_comment(struct rw w, const char *s) { current(w)->comment = str_intern(w.rs->strings, s); }
void rule_raw(struct rw w, const char *s) { current(w)->raw = str_intern(w.rs->strings, s); }
void rule_spell(struct rw w, enum spell s) { current(w)->spell = (uint8_t)s; }

static struct op *add_op(struct rw w, enum op_code code)
{
	struct rule *r = current(w);
	struct op *op;

	assert(r->op + r->nr_ops == w.rs->ops.nr);      /* rules are written one after another */
	op = vec_push(w.rs->arena, &w.rs->ops);
	op->code = (uint8_t)code;
	r->nr_ops++;
	return op;
}

void w_num(struct rw w, enum pkt_field f, enum op_rel rel, uint32_t a, uint32_t b)
{
	struct op *op = add_op(w, OP_MATCH);

	op->field = (uint8_t)f;
	op->rel = (uint8_t)rel;
	op->a = a;
	op->b = b;
}

void w_addr(struct rw w, enum pkt_field f, enum op_rel rel, ip_addr ip)
{
	uint32_t at = add_wide(w.rs, ip);

	w_num(w, f, rel, at, 0);
}

void w_cidr(struct rw w, enum pkt_field f, bool in, struct cidr c)
{
	uint32_t at = add_wide(w.rs, c.addr);

	if (c.len == ip_bits(c.addr)) {
		w_num(w, f, in ? REL_EQ : REL_NE, at, 0);
		return;
	}
	add_wide(w.rs, cidr_last(c));
	w_num(w, f, in ? REL_IN : REL_NOT_IN, at, c.len);
}

void w_name(struct rw w, enum pkt_field f, enum op_rel rel, const char *name)
{
	uint32_t at = add_text(w.rs, name);

	w_num(w, f, rel, at, 0);
}

static uint32_t pack_fields(va_list ap, uint8_t nkey)
{
	uint32_t c = 0;

	for (uint8_t k = 0; k < nkey; k++)
		c |= (uint32_t)(va_arg(ap, int) & 15) << (4 * k);
	return c;
}

void w_lookup(struct rw w, set_h s, bool in, int nkey, ...)
{
	struct op *op = add_op(w, OP_LOOKUP);
	va_list ap;

	va_start(ap, nkey);
	op->c = pack_fields(ap, (uint8_t)nkey);
	va_end(ap);
	op->a = s.i;
	op->nkey = (uint8_t)nkey;
	op->rel = in ? REL_EQ : REL_NE;
}

void w_update(struct rw w, set_h s, uint32_t seconds, int nkey, ...)
{
	struct op *op = add_op(w, OP_UPDATE);
	va_list ap;

	va_start(ap, nkey);
	op->c = pack_fields(ap, (uint8_t)nkey);
	va_end(ap);
	op->a = s.i;
	op->b = seconds;
	op->nkey = (uint8_t)nkey;
}

void w_lookup_fields(struct rw w, set_h s, bool in, uint32_t seconds, const uint8_t *fields, uint8_t nkey)
{
	struct op *op = add_op(w, OP_LOOKUP);

	for (uint8_t k = 0; k < nkey; k++)
		op->c |= (uint32_t)(fields[k] & 15) << (4 * k);
	op->a = s.i;
	op->b = seconds;
	op->nkey = nkey;
	op->rel = in ? REL_EQ : REL_NE;
}

void w_fib(struct rw w, enum fib_ask ask, bool is)
{
	struct op *op = add_op(w, OP_FIB);

	op->field = (uint8_t)ask;
	op->rel = is ? REL_EQ : REL_NE;
}

void w_reverse(struct rw w, bool is, bool loose)
{
	w_fib(w, FIB_REVERSE, is);
	w.rs->ops.v[w.rs->ops.nr - 1].a = loose;
}

static struct op *two(struct rw w, enum op_code code, uint32_t a, uint32_t b)
{
	struct op *op = add_op(w, code);

	op->a = a;
	op->b = b;
	return op;
}

void w_chance(struct rw w, uint32_t k, uint32_t n) { two(w, OP_CHANCE, k, n); }
void w_choose(struct rw w, uint32_t n) { two(w, OP_CHOOSE, n, 0); }
void w_mark(struct rw w, uint32_t and_mask, uint32_t xor_value) { two(w, OP_MARK, and_mask, xor_value); }
void w_ctmark(struct rw w, enum ctmark_does what, uint32_t a, uint32_t b) { two(w, OP_CTMARK, a, b)->field = (uint8_t)what; }
void w_dnat_register(struct rw w) { two(w, OP_DNAT, 0, 0)->rel = REL_IN; }
void w_masquerade(struct rw w, bool fully_random) { two(w, OP_MASQUERADE, fully_random, 0); }
void w_redirect(struct rw w, uint16_t port) { two(w, OP_REDIRECT, 0, port); }
void w_reject(struct rw w, enum reject_kind k) { two(w, OP_REJECT, (uint32_t)k, 0); }
void w_verdict(struct rw w, enum op_code code) { two(w, code, 0, 0); }
void w_jump(struct rw w, chain_h c) { two(w, OP_JUMP, c.i, 0); }
void w_goto(struct rw w, chain_h c) { two(w, OP_GOTO, c.i, 0); }

void w_dnat(struct rw w, ip_addr ip, uint16_t port)
{
	uint32_t at = ip_set(ip) ? add_wide(w.rs, ip) : 0;

	two(w, OP_DNAT, at, port);
}

void w_snat(struct rw w, ip_addr ip, uint16_t port)
{
	uint32_t at = ip_set(ip) ? add_wide(w.rs, ip) : 0;

	two(w, OP_SNAT, at, port);
}

void w_unknown(struct rw w, const char *text, unsigned may_be)
{
	uint32_t at = add_text(w.rs, text);

	two(w, OP_UNKNOWN, at, may_be);
}

void w_log(struct rw w, const char *text)
{
	uint32_t at = add_text(w.rs, text);

	two(w, OP_LOG, at, 0);
}

void w_account(struct rw w, const char *nfacct)
{
	uint32_t at = add_text(w.rs, nfacct);

	two(w, OP_ACCOUNT, at, 0);
}

/* ---- elements */

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

struct elem *set_add(struct ruleset *rs, set_h h, const ip_addr *key)
{
	const struct set *s = ruleset_set_get(rs, h);
	struct set_body *b = write_set(rs, h);
	uint32_t n = words_of(s);
	struct elem *e = find_exact(rs, b, key, n);
	uint64_t hash = key_hash(key, n);

	if (e)
		return e;
	e = vec_push(rs->arena, b);
	e->key = rs->wide.nr;
	for (uint32_t k = 0; k < n; k++)
		add_wide(rs, key[k]);
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
	uint32_t at = add_wide(rs, addr);
	struct elem *e;

	add_wide(rs, word(port));
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

/* ---- finishing */

static void sort_interval(struct ruleset *rs, struct set_body *b)
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

void ruleset_finish(struct ruleset *rs)
{
	memset(rs->at, 0, sizeof(rs->at));
	for (uint32_t k = 1; k <= ruleset_nr_sets(rs); k++) {
		const struct set *s = ruleset_set_get(rs, (set_h){ k });
		struct set_body *b = map_get_ptr(&rs->own_set, k);

		if (b && s->flags & SETF_INTERVAL && s->nkey == 1)
			sort_interval(rs, b);
	}
	for (uint32_t k = 1; k <= ruleset_nr_chains(rs); k++) {
		const struct ruleset *of = rs;
		const struct chain *c = identity(&of, (chain_h){ k });
		uint32_t i;

		if (!c->hook || rs->at[c->hook].nr == ARRAY_LEN(rs->at[0].v))
			continue;
		for (i = rs->at[c->hook].nr++; i > 0 && ruleset_chain_get(rs, rs->at[c->hook].v[i - 1])->priority > c->priority; i--)
			rs->at[c->hook].v[i] = rs->at[c->hook].v[i - 1];
		rs->at[c->hook].v[i] = (chain_h){ k };
	}
}

uint32_t ruleset_nr_rules(const struct ruleset *rs)
{
	uint32_t nr = 0;

	for (uint32_t k = 1; k <= ruleset_nr_chains(rs); k++)
		nr += chain_body(rs, (chain_h){ k }, NULL)->rules.nr;
	return nr;
}
