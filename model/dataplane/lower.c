#include "model/dataplane/lower.h"

#include "model/dataplane/op.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words of the packet are put together as a little-endian machine reads them");

#define RUN_FROM   8            /* rules alike from which an index pays */
#define DRAWN_FROM 4            /* jumps by chance from which a lottery does */
#define MAX_RANGES 8            /* intervals that are compared one by one */

static uint64_t filter_of(const struct map *own, uint32_t below)
{
	uint64_t bits = 0;

	for (uint32_t k = 0; k < own->alloc; k++)
		if (own->slot[k].key && own->slot[k].key <= below)
			bits |= 1ull << (own->slot[k].key & 63);
	return bits;
}

struct lowered *lower(const struct ruleset *rs, struct lowered *base, struct arena *a)
{
	struct lowered *l = arena_make(a, struct lowered);

	l->rs = rs;
	l->base = base;
	l->arena = a;
	l->below_chains = base ? ruleset_nr_chains(base->rs) : 0;
	l->below_sets = base ? ruleset_nr_sets(base->rs) : 0;
	l->own_chains = filter_of(&rs->own_chain, l->below_chains);
	l->own_sets = filter_of(&rs->own_set, l->below_sets);
	low_flatten(l);
	return l;
}

/* ---- sets */

static void dense_values(struct low_set *s, const struct ruleset *owner, struct arena *a)
{
	s->plain = true;
	s->value = arena_array(a, struct low_value, s->body->nr);
	for (uint32_t k = 0; k < s->body->nr; k++) {
		const struct elem *e = &s->body->v[k];
		ip_addr ip = owner->wide.v[e->value];

		if (owner->wide.v[e->key].lo != k || !ip_is4(ip))
			return;
		s->value[k] = (struct low_value){ ip_to4(ip), (uint16_t)owner->wide.v[e->value + 1].lo };
	}
	s->nr_values = s->body->nr;
	s->plain = false;
}

static void few_ranges(struct low_set *s, const struct ruleset *owner, struct arena *a)
{
	uint8_t f = s->set->key[0];

	s->plain = true;
	if (s->set->kind != SET_PLAIN || s->set->nkey != 1 || (f != PF_SADDR && f != PF_DADDR) || s->body->nr > MAX_RANGES)
		return;
	s->range = arena_array(a, struct low_range, MAX(s->body->nr, 1u));
	for (uint32_t k = 0; k < s->body->nr; k++) {
		ip_addr first = owner->wide.v[s->body->v[k].key], last = owner->wide.v[s->body->v[k].key + 1];

		if (!ip_is4(first) || !ip_is4(last))
			return;
		s->range[s->nr_ranges++] = (struct low_range){ ip_to4(first), ip_to4(last) };
	}
	s->plain = false;
}

/* false: an address of the other family, or a number too large: no packet here has it. */
static bool elem_key(const struct set *s, const struct ruleset *owner, const struct elem *e, struct low_key *k)
{
	bool first = true;

	*k = (struct low_key){ 0, 0 };
	for (uint8_t i = 0; i < s->nkey; i++) {
		ip_addr w = owner->wide.v[e->key + i];

		switch ((enum pkt_field)s->key[i]) {
		case PF_SADDR:
		case PF_DADDR:
			if (!ip_is4(w))
				return false;
			if (first)
				k->a |= (uint64_t)ip_to4(w) << 32;
			else
				k->b = ip_to4(w);
			first = false;
			break;
		case PF_L4PROTO:
			if (w.lo > 255)
				return false;
			k->a |= w.lo << 16;
			break;
		default:                /* a port */
			if (w.lo > 65535)
				return false;
			k->a |= w.lo;
			break;
		}
	}
	return true;
}

static void hash_slots(struct low_set *s, const struct ruleset *owner, struct arena *a)
{
	uint32_t size = 4;

	for (uint8_t i = 0; i < s->set->nkey; i++)
		if (s->set->key[i] != PF_SADDR && s->set->key[i] != PF_DADDR && s->set->key[i] != PF_L4PROTO && s->set->key[i] != PF_DPORT && s->set->key[i] != PF_SPORT) {
			s->plain = true;
			return;
		}
	for (uint8_t i = s->set->nkey; i-- > 0;)
		s->fields = s->fields << 4 | (s->set->key[i] + 1u);
	while (size < 2 * s->body->nr)
		size *= 2;
	s->mask = size - 1;
	s->slot = arena_array(a, struct low_slot, size);
	for (uint32_t k = 0; k < s->body->nr; k++) {
		const struct elem *e = &s->body->v[k];
		struct low_key key;
		uint32_t at;

		if (!elem_key(s->set, owner, e, &key))
			continue;
		for (at = low_hash(key.a, key.b) & s->mask; s->slot[at].used; at = (at + 1) & s->mask)
			;
		s->slot[at] = (struct low_slot){ key.a, key.b, k, e->verdict, true };
	}
}

static struct low_set *lower_set(struct lowered *l, set_h h)
{
	const struct ruleset *owner;
	struct low_set *s = arena_make(l->arena, struct low_set);

	s->set = ruleset_set_get(l->rs, h);
	s->body = set_body(l->rs, h, &owner);
	s->empty = !s->body->nr;
	if (s->set->flags & SETF_INTERVAL)
		few_ranges(s, owner, l->arena);
	else if (s->set->nkey == 1 && s->set->key[0] == PF_REGISTER && s->set->kind == SET_MAP)
		dense_values(s, owner, l->arena);
	else
		hash_slots(s, owner, l->arena);
	return s;
}

const struct low_set *low_set_make(struct lowered *l, set_h h)
{
	uint32_t below = l->below_sets;

	if (h.i <= below) {
		uint64_t *own = map_find(&l->own_set, h.i);

		if (own)
			return (const struct low_set *)(uintptr_t)*own;
		if (!l->rs->own_set.nr || !map_find(&l->rs->own_set, h.i))
			return low_set_of(l->base, h);
		{
			struct low_set *s = lower_set(l, h);

			*map_put(&l->own_set, l->arena, h.i) = map_ptr(s);
			for (size_t k = 0; k < LOW_FEW; k++)
				if (!l->few[k]) {
					l->few[k] = h.i;
					l->few_sets[k] = s;
					break;
				}
			return s;
		}
	}
	while (l->sets.nr <= h.i - below)
		vec_push(l->arena, &l->sets);
	if (!l->sets.v[h.i - below])
		l->sets.v[h.i - below] = lower_set(l, h);
	return l->sets.v[h.i - below];
}

/* ---- chains */

struct lowering_rule { uint32_t first, fields, src, dst; struct low_key key; };  /* where its instructions begin; the equalities that it begins with */
struct making { struct lowered *l; chain_h chain; const struct ruleset *owner; const struct chain_body *body; VEC(struct insn) v; VEC(struct lowering_rule) rules; };

/* An equality with an address, the protocol or a port: into the rule's key. */
static bool into_key(const struct making *m, const struct op *op, struct lowering_rule *r)
{
	uint32_t bit = 1u << op->field;

	if (op->code != OP_MATCH || op->rel != REL_EQ || r->fields & bit)
		return false;
	switch ((enum pkt_field)op->field) {
	case PF_SADDR:
	case PF_DADDR: {
		ip_addr a = m->owner->wide.v[op->a];

		if (!ip_is4(a))
			return false;
		*(op->field == PF_SADDR ? &r->src : &r->dst) = ip_to4(a);
		break;
	}
	case PF_L4PROTO:
		r->key.a |= (uint64_t)(op->a & 255) << 16;
		break;
	case PF_DPORT:
		r->key.a |= op->a & 65535;
		break;
	default:
		return false;
	}
	r->fields |= bit;
	return true;
}

static void add_insn(struct making *m, struct insn in, uint32_t rule)
{
	struct insn *last = m->v.nr > m->rules.v[m->rules.nr - 1].first ? &m->v.v[m->v.nr - 1] : NULL;

	if (last && last->code == LOW_EQ && in.code == LOW_EQ && last->at == in.at && !((last->value ^ in.value) & last->mask & in.mask)) {
		last->mask |= in.mask;  /* two compares of one word */
		last->value |= in.value;
		return;
	}
	if (last && last->code == LOW_CHOOSE && in.code == LOW_PICK) {
		last->code = LOW_PICK;
		last->rel = true;
		last->mask = in.mask;
		last->value = in.value;
		return;
	}
	in.chain = m->chain.i;
	in.rule = rule;
	vec_add(m->l->arena, &m->v, in);
}

/* The values of an anonymous map, which no other ruleset can write anew, stand in the instruction itself. */
static bool choices(const struct making *m, struct insn *in)
{
	const struct low_set *s = ruleset_set_get(m->owner, (set_h){ in->a })->flags & SETF_ANONYMOUS ? low_set_of(m->l, (set_h){ in->a }) : NULL;

	if (!s || s->plain || !s->value)
		return false;
	in->mask = s->nr_values;
	in->value = map_ptr(s->value);
	return true;
}

static void lower_rule(struct making *m, uint32_t k)
{
	const struct rule *r = &m->body->rules.v[k];
	struct lowering ask = { m->owner, m->l };
	struct lowering_rule *at;
	bool leading = true;

	vec_add(m->l->arena, &m->rules, (struct lowering_rule){ .first = m->v.nr });
	at = &m->rules.v[m->rules.nr - 1];
	for (uint16_t i = 0; i < r->nr_ops; i++) {
		const struct op *op = &m->owner->ops.v[r->op + i];
		struct insn in = { 0 };

		leading = leading && op->code == OP_MATCH;
		if (leading)
			into_key(m, op, at);
		if (!op_defs[op->code]->lower || !op_defs[op->code]->lower(&ask, op, &in) || (in.code == LOW_PICK && !choices(m, &in)))
			in = (struct insn){ .code = LOW_OP, .a = r->op + i };
		add_insn(m, in, k);
		if (in.code == LOW_VMAP || in.code == LOW_DNAT || in.code == LOW_MASQUERADE || (in.code >= LOW_ACCEPT && in.code <= LOW_GOTO))
			break;          /* what it decides ends the rule */
	}
	at = &m->rules.v[k];
	at->key.a |= (uint64_t)(at->fields & 1u << PF_DADDR ? at->dst : at->src) << 32;
	at->key.b = at->fields & 1u << PF_DADDR ? at->src : 0;
}

/* How many rules from k on begin with the same kind of equalities. */
static uint32_t run_from(const struct making *m, uint32_t k)
{
	uint32_t to = k;

	if (!m->rules.v[k].fields)
		return 0;
	while (to < m->rules.nr && m->rules.v[to].fields == m->rules.v[k].fields)
		to++;
	return to - k;
}

static uint32_t packed_fields(uint32_t bits)
{
	static const enum pkt_field order[] = { PF_SADDR, PF_DADDR, PF_L4PROTO, PF_DPORT };
	uint32_t fields = 0;

	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		if (bits & 1u << order[k])
			fields = fields << 4 | (order[k] + 1u);
	return fields;
}

static uint32_t length(const struct making *m, uint32_t k)
{
	return (k + 1 < m->rules.nr ? m->rules.v[k + 1].first : m->v.nr) - m->rules.v[k].first;
}

/* The instructions of a rule, each leading to `next` where it does not hold. */
static void put_rule(const struct making *m, uint32_t k, uint32_t next, struct insn *out, uint32_t *nr)
{
	for (uint32_t i = m->rules.v[k].first, end = i + length(m, k); i < end; i++) {
		out[*nr] = m->v.v[i];
		out[(*nr)++].skip = next;
	}
}

static void put_run(struct making *m, uint32_t k, uint32_t len, struct low_chain *c, struct insn *out, uint32_t *nr)
{
	struct low_run *run = &c->runs[c->nr_runs];
	uint32_t *begins = arena_array(m->l->arena, uint32_t, len), *next = arena_array(m->l->arena, uint32_t, len), size = 4, at = *nr + 1;

	out[(*nr)++] = (struct insn){ .code = LOW_INDEX, .a = c->nr_runs++, .b = packed_fields(m->rules.v[k].fields) };
	while (size < 2 * len)
		size *= 2;
	run->mask = size - 1;
	run->slot = arena_alloc(m->l->arena, size * sizeof(*run->slot), 8);
	for (uint32_t i = 0; i < len; i++) {
		begins[i] = at;
		at += length(m, k + i) + 1;
	}
	out[*nr - 1].skip = at;
	for (uint32_t i = len; i-- > 0;) {      /* from the last: the slot holds the first of its key that comes at or behind */
		const struct low_key *key = &m->rules.v[k + i].key;
		uint32_t slot = low_hash(key->a, key->b) & run->mask;

		while (run->slot[slot].to && (run->slot[slot].key != key->a || run->slot[slot].key2 != key->b))
			slot = (slot + 1) & run->mask;
		next[i] = run->slot[slot].to ? run->slot[slot].to : at;
		run->slot[slot].key = key->a;
		run->slot[slot].key2 = key->b;
		run->slot[slot].to = begins[i];
	}
	for (uint32_t i = 0; i < len; i++) {
		put_rule(m, k + i, next[i], out, nr);
		out[(*nr)++] = (struct insn){ .code = LOW_ENTER, .skip = next[i], .chain = m->chain.i, .rule = k + i };      /* a rule that holds and goes on */
	}
}

/* Does the rule jump by chance, or always, and that is all? */
static bool is_ticket(const struct making *m, uint32_t k, bool by_chance)
{
	const struct insn *v = &m->v.v[m->rules.v[k].first];

	return by_chance ? length(m, k) == 2 && v[0].code == LOW_CHANCE && v[1].code == LOW_JUMP : length(m, k) == 1 && v[0].code == LOW_JUMP;
}

/* How many rules from k on are a lottery: one that always jumps is the last. */
static uint32_t lottery_from(const struct making *m, uint32_t k)
{
	uint32_t to = k;

	while (to < m->rules.nr && is_ticket(m, to, true))
		to++;
	if (to > k && to < m->rules.nr && is_ticket(m, to, false))
		to++;
	return to - k >= DRAWN_FROM ? to - k : 0;
}

static void put_lottery(const struct making *m, uint32_t k, uint32_t len, struct insn *out, uint32_t *nr)
{
	struct low_ticket *tickets = arena_array(m->l->arena, struct low_ticket, len);
	struct insn *head = &out[(*nr)++];

	for (uint32_t i = k; i < k + len; i++) {
		const struct insn *v = &m->v.v[m->rules.v[i].first];
		bool by_chance = v->code == LOW_CHANCE;
		uint32_t back = *nr + length(m, i);

		tickets[i - k] = (struct low_ticket){ by_chance ? v->a : 1, by_chance ? v->b : 1, v[by_chance].a, back };
		put_rule(m, i, back, out, nr);
	}
	*head = (struct insn){ .code = LOW_LOTTERY, .skip = *nr, .chain = m->chain.i, .rule = k, .mask = len, .value = map_ptr(tickets) };
}

static struct low_chain *lower_chain(struct lowered *l, chain_h h)
{
	struct making m = { .l = l, .chain = h };
	struct low_chain *c;
	uint32_t nr = 0, nr_runs = 0, nr_lotteries = 0;
	struct insn *out;

	m.body = chain_body(l->rs, h, &m.owner);
	for (uint32_t k = 0; k < m.body->rules.nr; k++)
		lower_rule(&m, k);
	for (uint32_t k = 0, len; k < m.rules.nr; k += MAX(len, 1u))
		nr_runs += (len = run_from(&m, k)) >= RUN_FROM;
	for (uint32_t k = 0, len; k < m.rules.nr; k += MAX(len, 1u))
		nr_lotteries += (len = lottery_from(&m, k)) > 0;
	c = arena_alloc(l->arena, sizeof(*c) + (m.v.nr + m.rules.nr + nr_runs + nr_lotteries + 1) * sizeof(struct insn), 16);
	out = (struct insn *)(void *)(c + 1);   /* side by side: one is never needed without the other */
	c->runs = arena_array(l->arena, struct low_run, nr_runs);
	for (uint32_t k = 0; k < m.rules.nr;) {
		uint32_t len = run_from(&m, k), drawn = lottery_from(&m, k);

		if (len >= RUN_FROM) {
			put_run(&m, k, len, c, out, &nr);
			k += len;
		} else if (drawn) {
			put_lottery(&m, k, drawn, out, &nr);
			k += drawn;
		} else {
			put_rule(&m, k, nr + length(&m, k), out, &nr);
			k++;
		}
	}
	out[nr] = (struct insn){ .code = LOW_RETURN, .chain = h.i, .rule = UINT32_MAX };
	for (uint32_t k = 0; k < nr; k++)
		if (low_may_goto(&out[k]))
			out[k].mask = nr;
	nr++;
	if (m.rules.nr == 1 && (out[0].code == LOW_VMAP || (out[0].code == LOW_SET && out[0].rel == REL_EQ)))
		c->gate = (set_h){ out[0].a };
	c->owner = m.owner;
	c->v = out;
	c->nr = nr;
	c->whole = nr_runs || nr_lotteries;
	return c;
}

const struct low_chain *low_chain_make(struct lowered *l, chain_h h)
{
	uint32_t below = l->below_chains;

	if (h.i <= below) {
		uint64_t *own;

		if (!l->rs->own_chain.nr || !map_find(&l->rs->own_chain, h.i))
			return low_chain_of(l->base, h);
		own = map_put(&l->own_chain, l->arena, h.i);
		if (!*own)
			*own = map_ptr(lower_chain(l, h));
		return (const struct low_chain *)(uintptr_t)*own;
	}
	while (l->chains.nr <= h.i - below)
		vec_push(l->arena, &l->chains);
	if (!l->chains.v[h.i - below])
		l->chains.v[h.i - below] = lower_chain(l, h);
	return l->chains.v[h.i - below];
}
