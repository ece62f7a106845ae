/* Tables, chains and sets by name and handle, and where their bodies are. Rules are written by rule_write.c, elements by set.c. */
#include "model/dataplane/ruleset_bodies.h"

/* ---- identities: handles count on from the base's */

uint32_t ruleset_nr_tables(const struct ruleset *rs) { return rs->below_tables + rs->tables.nr - 1; }
uint32_t ruleset_nr_chains(const struct ruleset *rs) { return rs->below_chains + rs->chains.nr - 1; }
uint32_t ruleset_nr_sets(const struct ruleset *rs) { return rs->below_sets + rs->sets.nr - 1; }

const struct table *ruleset_table_get(const struct ruleset *rs, table_h h)
{
	while (h.i <= rs->below_tables && rs->base)
		rs = rs->base;
	return &rs->tables.v[h.i - rs->below_tables];
}

/* With the ruleset whose chain it is. */
static struct chain *identity(const struct ruleset **rs, chain_h h)
{
	while (h.i <= (*rs)->below_chains && (*rs)->base)
		*rs = (*rs)->base;
	return &(*rs)->chains.v[h.i - (*rs)->below_chains];
}

uint64_t ruleset_name_key(table_h t, const char *name)
{
	return hash_mix(t.i, map_ptr(name));
}

const struct chain *ruleset_chain_get(const struct ruleset *rs, chain_h h)
{
	struct chain *c = identity(&rs, h);

	if (!c->name && !c->table.i) {
		c->name = "";
	} else if (!c->name) {
		struct ruleset *own = (struct ruleset *)(uintptr_t)rs;

		c->name = str_intern(rs->strings, rs->later.name(rs->later.ctx, c->later));
		*map_put(&own->chain_by_name, own->arena, ruleset_name_key(c->table, c->name)) = h.i;
	}
	return c;
}

const struct set *ruleset_set_get(const struct ruleset *rs, set_h h)
{
	while (h.i <= rs->below_sets && rs->base)
		rs = rs->base;
	return &rs->sets.v[h.i - rs->below_sets];
}

struct ruleset *ruleset_new(struct arena *a, struct strtab *strings, const struct ruleset *base)
{
	struct ruleset *rs = arena_make(a, struct ruleset);

	rs->arena = a;
	rs->strings = strings;
	rs->base = base;
	rs->below_tables = base ? ruleset_nr_tables(base) : 0;
	rs->below_chains = base ? ruleset_nr_chains(base) : 0;
	rs->below_sets = base ? ruleset_nr_sets(base) : 0;
	vec_add(a, &rs->tables, (struct table){ .name = "" });         /* that of chains and sets that were cut */
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
	uint64_t *at = s ? find_name(rs, true, ruleset_name_key(t, s)) : NULL;

	return (chain_h){ at ? (uint32_t)*at : 0 };
}

chain_h ruleset_find_chain(const struct ruleset *rs, table_h t, const char *name)
{
	chain_h h = find_named(rs, t, name);

	if (h.i)
		return h;
	for (uint32_t k = 1; k <= ruleset_nr_chains(rs); k++) {
		const struct ruleset *of = rs;

		if (identity(&of, (chain_h){ k })->table.i == t.i)
			ruleset_chain_get(rs, (chain_h){ k });  /* now all of this table have names */
	}
	return find_named(rs, t, name);
}

set_h ruleset_find_set(const struct ruleset *rs, table_h t, const char *name)
{
	str s = str_find(rs->strings, name);
	uint64_t *at = s ? find_name(rs, false, ruleset_name_key(t, s)) : NULL;

	return (set_h){ at ? (uint32_t)*at : 0 };
}

static void add_chain(struct ruleset *rs, struct chain c)
{
	rs->mixed = rs->mixed || rs->chains.v[rs->chains.nr - 1].place > rs->place;
	c.place = rs->place;
	vec_add(rs->arena, &rs->chains, c);
}

chain_h ruleset_chain(struct ruleset *rs, table_h t, const char *name)
{
	chain_h h = find_named(rs, t, name);
	str s = str_intern(rs->strings, name);

	if (h.i)
		return h;
	add_chain(rs, (struct chain){ .name = s, .table = t });
	h.i = ruleset_nr_chains(rs);
	*map_put(&rs->chain_by_name, rs->arena, ruleset_name_key(t, s)) = h.i;
	return h;
}

chain_h ruleset_chain_later(struct ruleset *rs, table_h t, uint32_t number)
{
	assert(number);
	add_chain(rs, (struct chain){ .table = t, .later = number });
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
	s.place = rs->place;
	rs->mixed = rs->mixed || rs->sets.v[rs->sets.nr - 1].place > rs->place;
	vec_add(rs->arena, &rs->sets, s);
	if (name)
		*map_put(&rs->set_by_name, rs->arena, ruleset_name_key(t, s.name)) = h.i;
	return h;
}

/* ---- bodies */

static const struct chain_body no_rules;
static const struct set_body no_elements;

const struct chain_body *chain_body(const struct ruleset *rs, chain_h h, const struct ruleset **owner)
{
	struct chain *c;

	while (h.i <= rs->below_chains && rs->base) {
		const struct chain_body *b = rs->own_chain.nr ? map_get_ptr(&rs->own_chain, h.i) : NULL;

		if (b) {
			if (owner)
				*owner = rs;
			return b;
		}
		rs = rs->base;
	}
	if (owner)
		*owner = rs;
	c = &rs->chains.v[h.i - rs->below_chains];
	if (c->body)
		return c->body;
	if (!c->later)
		return &no_rules;
	rs->later.body(rs->later.ctx, h, c->later);
	return ruleset_write_chain((struct ruleset *)(uintptr_t)rs, h); /* even if no rule was written: not to be asked again */
}

const struct set_body *set_body(const struct ruleset *rs, set_h h, const struct ruleset **owner)
{
	const struct set_body *b;

	for (; h.i <= rs->below_sets && rs->base; rs = rs->base)
		if (rs->own_set.nr && (b = map_get_ptr(&rs->own_set, h.i))) {
			if (owner)
				*owner = rs;
			return b;
		}
	if (owner)
		*owner = rs;
	b = rs->sets.v[h.i - rs->below_sets].body;
	return b ? b : &no_elements;
}

struct chain_body *ruleset_own_body(const struct ruleset *rs, chain_h h)
{
	return h.i > rs->below_chains ? rs->chains.v[h.i - rs->below_chains].body : map_get_ptr(&rs->own_chain, h.i);
}

struct set_body *ruleset_own_elements(const struct ruleset *rs, set_h h)
{
	return h.i > rs->below_sets ? rs->sets.v[h.i - rs->below_sets].body : map_get_ptr(&rs->own_set, h.i);
}

struct chain_body *ruleset_write_chain(struct ruleset *rs, chain_h h)
{
	struct chain_body *b = ruleset_own_body(rs, h);

	if (b)
		return b;
	b = arena_make(rs->arena, struct chain_body);
	if (h.i > rs->below_chains)
		rs->chains.v[h.i - rs->below_chains].body = b;
	else
		*map_put(&rs->own_chain, rs->arena, h.i) = map_ptr(b);
	return b;
}

struct set_body *ruleset_write_set(struct ruleset *rs, set_h h)
{
	struct set_body *b = ruleset_own_elements(rs, h);

	if (b)
		return b;
	b = arena_make(rs->arena, struct set_body);
	if (h.i > rs->below_sets)
		rs->sets.v[h.i - rs->below_sets].body = b;
	else
		*map_put(&rs->own_set, rs->arena, h.i) = map_ptr(b);
	return b;
}

void ruleset_own_chain(struct ruleset *rs, chain_h h) { ruleset_write_chain(rs, h); }
void ruleset_own_set(struct ruleset *rs, set_h h) { ruleset_write_set(rs, h); }

uint32_t ruleset_add_wide(struct ruleset *rs, ip_addr a)
{
	vec_add(rs->arena, &rs->wide, a);
	return rs->wide.nr - 1;
}

/* ---- finishing */

void ruleset_finish(struct ruleset *rs)
{
	memset(rs->at, 0, sizeof(rs->at));
	if (rs->base)
		memcpy(rs->at, rs->base->at, sizeof(rs->at));
	for (uint32_t k = 1; k < rs->sets.nr; k++) {
		const struct set *s = &rs->sets.v[k];

		if (s->body && s->flags & SETF_INTERVAL && s->nkey == 1)
			set_body_sort(rs, s->body);
	}
	for (uint32_t k = 0; k < rs->own_set.alloc; k++) {
		const struct set *s = rs->own_set.slot[k].key ? ruleset_set_get(rs, (set_h){ (uint32_t)rs->own_set.slot[k].key }) : NULL;

		if (s && s->flags & SETF_INTERVAL && s->nkey == 1)
			set_body_sort(rs, (struct set_body *)(uintptr_t)rs->own_set.slot[k].value);
	}
	for (uint32_t k = 1; k < rs->chains.nr; k++) {
		const struct chain *c = &rs->chains.v[k];
		uint32_t i;

		if (!c->hook || rs->at[c->hook].nr == ARRAY_LEN(rs->at[0].v))
			continue;
		for (i = rs->at[c->hook].nr++; i > 0 && ruleset_chain_get(rs, rs->at[c->hook].v[i - 1])->priority > c->priority; i--)
			rs->at[c->hook].v[i] = rs->at[c->hook].v[i - 1];
		rs->at[c->hook].v[i] = (chain_h){ rs->below_chains + k };
	}
}

uint32_t ruleset_nr_rules(const struct ruleset *rs)
{
	uint32_t nr = 0;

	for (uint32_t k = 1; k <= ruleset_nr_chains(rs); k++)
		nr += chain_body(rs, (chain_h){ k }, NULL)->rules.nr;
	return nr;
}

bool rule_is_no_text(const struct ruleset *owner, const struct rule *r)
{
	for (uint16_t k = 0; k < r->nr_ops && !r->raw; k++)
		if (owner->ops.v[r->op + k].code == OP_UNKNOWN)
			return true;
	return false;
}
