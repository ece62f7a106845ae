#include "sim/trace/fetch.h"

#define FETCH_FROM 4096u        /* namespaces from which it pays: fewer stay in the caches */
#define LARGE      1024u        /* elements from which a set's slots are fetched */
/* How many probes before its own walk each step is taken. */
enum { AHEAD_SENDER = 20, AHEAD_CHAIN = 17, AHEAD_CHOICE = 14, AHEAD_HOLDER = 11, AHEAD_END = 9, AHEAD_NODE = 7, AHEAD_RULES = 5, AHEAD_SETS = 3, AHEAD_SLOTS = 1 };
static_assert(AHEAD_SENDER < FETCH_RING, "the ring");

static const uint8_t service_key[] = { PF_DADDR, PF_L4PROTO, PF_DPORT };

static void find_sets(struct fetch *f)
{
	const struct seat *from = seat_of(f->seats, f->q->from), *node = from->kind == SEAT_POD ? seat_of(f->seats, from->node) : NULL;
	struct lowered *l = node && node->kind == SEAT_NODE && node->rules ? node->rules->base : NULL;
	uint32_t most = 0;

	f->looked = l != NULL;
	for (uint32_t i = 1; l && i <= ruleset_nr_sets(l->rs); i++) {
		const struct set *set = ruleset_set_get(l->rs, (set_h){ i });
		uint32_t nr = set_body(l->rs, (set_h){ i }, NULL)->nr;
		bool services = set->kind == SET_VMAP && set->nkey == ARRAY_LEN(service_key) && memcmp(set->key, service_key, sizeof(service_key)) == 0 && nr > most;
		bool other = nr >= LARGE && (set->nkey == 1 || set->nkey == 3) && set->key[0] == PF_DADDR && f->nr_others < ARRAY_LEN(f->others);
		const struct low_set *s = services || other ? low_set_of(l, (set_h){ i }) : NULL;

		if (!s || s->plain || !s->slot)
			continue;
		if (other)
			f->others[f->nr_others++] = s;
		if (services) {
			most = nr;
			f->services = s;
			f->shared = l;
		}
	}
}

void fetch_begin(struct fetch *f, struct seats *seats, const struct bulk_probe *q, uint64_t nr, uint64_t seed)
{
	f->seats = seats;
	f->q = q;
	f->nr = nr;
	f->seed = seed;
	memset(f->ring, 0, sizeof(f->ring));
	if (!f->looked && nr > AHEAD_SENDER && seats->dp->netns.nr >= FETCH_FROM)
		find_sets(f);
}

/* ---- the steps */

static inline const struct seat *seat_at(const struct fetch *f, netns_h h) { return &f->seats->v[h.i]; }
static inline uint64_t key_of(const struct bulk_probe *q) { return q->dst.lo << 32 | (uint64_t)q->proto << 16 | q->dport; }
static inline void fetch_slot(const struct low_set *s, uint64_t a, uint32_t b) { __builtin_prefetch(&s->slot[low_hash(a, b) & s->mask]); }

static inline void fetch_lines(const void *p, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		__builtin_prefetch((const char *)p + 64 * k);
}

static inline void chain_of(const struct fetch *f, const struct bulk_probe *q, struct fetched *x)
{
	const struct seat *s = seat_at(f, q->from);
	const struct low_slot *slot = low_find(f->services, key_of(q), 0);

	if (s->kind == SEAT_POD) {
		__builtin_prefetch(seat_at(f, s->node));
		__builtin_prefetch(&f->seats->holder[seat_hash(s->ip) & f->seats->mask]);
	}
	x->chain = slot && slot->verdict.chain.i < f->shared->chains.nr ? f->shared->chains.v[slot->verdict.chain.i] : NULL;
	x->value = NULL;
	x->end = (netns_h){ 0 };
	if (x->chain)
		fetch_lines(x->chain, 4);
}

static inline void choice_of(const struct fetch *f, const struct bulk_probe *q, uint64_t j, struct fetched *x)
{
	const struct seat *s = seat_at(f, q->from), *node = s->kind == SEAT_POD ? seat_at(f, s->node) : NULL;

	if (node && node->kind == SEAT_NODE && node->rules)
		fetch_lines(node->rules, 2);
	for (uint32_t n = 0; x->chain && n < x->chain->nr; n++)
		if (x->chain->v[n].code == LOW_PICK) {
			x->value = (const struct low_value *)(uintptr_t)x->chain->v[n].value + ((hash_mix(hash_mix(f->seed, j), 1) >> 32) * x->chain->v[n].mask >> 32);
			__builtin_prefetch(x->value);
			break;
		}
}

static inline void holder_of(const struct fetch *f, const struct bulk_probe *q, const struct fetched *x)
{
	const struct seat *s = seat_at(f, q->from), *node = s->kind == SEAT_POD ? seat_at(f, s->node) : NULL;

	if (!x->value)
		return;
	__builtin_prefetch(&f->seats->holder[seat_hash(x->value->ip) & f->seats->mask]);
	for (uint32_t k = 0; k < f->nr_others; k++)
		fetch_slot(f->others[k], (uint64_t)x->value->ip << 32 | (f->others[k]->set->nkey == 3 ? (uint64_t)q->proto << 16 | x->value->port : 0), 0);
	for (uint32_t k = 0; k < LOW_FEW && node && node->kind == SEAT_NODE && node->rules; k++)
		__builtin_prefetch(node->rules->few_sets[k]);
}

/* The slots of the sets that a node has of its own: what goes to the endpoint is looked up in them. */
static inline void own_slots(const struct fetch *f, const struct bulk_probe *q, const struct fetched *x, const struct seat *node)
{
	struct packet p;

	if (!x->value || !node || node->kind != SEAT_NODE || !node->rules)
		return;
	p.src = ip_from4(seat_at(f, q->from)->ip);
	p.dst = ip_from4(x->value->ip);
	p.proto = q->proto;
	p.sport = 0;
	p.dport = x->value->port;
	for (uint32_t k = 0; k < LOW_FEW && node->rules->few_sets[k]; k++) {
		const struct low_set *own = node->rules->few_sets[k];
		struct low_key key = low_key(&p, own->fields);

		if (own->slot)
			fetch_slot(own, key.a, key.b);
	}
}

static inline void end_of(const struct fetch *f, const struct bulk_probe *q, struct fetched *x)
{
	const struct seat *s = seat_at(f, q->from);

	if (!x->value)
		return;
	x->end = seat_holder(f->seats, x->value->ip);
	__builtin_prefetch(seat_at(f, x->end));
	own_slots(f, q, x, s->kind == SEAT_POD ? seat_at(f, s->node) : NULL);
}

static inline const struct seat *end_node(const struct fetch *f, const struct fetched *x)
{
	const struct seat *s = seat_at(f, x->end);

	return s->kind == SEAT_POD ? seat_at(f, s->node) : NULL;
}

void fetch_next(struct fetch *f, uint64_t i)
{
	const struct bulk_probe *q = f->q + i;
	const struct seat *s;

#define AT(ahead) (&f->ring[(i + (ahead)) & (FETCH_RING - 1)])
	if (i + AHEAD_SENDER >= f->nr)
		return;
	__builtin_prefetch(seat_at(f, q[AHEAD_SENDER].from));
	fetch_slot(f->services, key_of(&q[AHEAD_SENDER]), 0);
	chain_of(f, &q[AHEAD_CHAIN], AT(AHEAD_CHAIN));
	choice_of(f, &q[AHEAD_CHOICE], i + AHEAD_CHOICE, AT(AHEAD_CHOICE));
	holder_of(f, &q[AHEAD_HOLDER], AT(AHEAD_HOLDER));
	end_of(f, &q[AHEAD_END], AT(AHEAD_END));
	if ((s = end_node(f, AT(AHEAD_NODE))))
		__builtin_prefetch(s);
	if ((s = end_node(f, AT(AHEAD_RULES))) && s->kind == SEAT_NODE && s->rules)
		fetch_lines(s->rules, 2);
	if ((s = end_node(f, AT(AHEAD_SETS))) && s->kind == SEAT_NODE && s->rules)
		for (uint32_t k = 0; k < LOW_FEW; k++)
			__builtin_prefetch(s->rules->few_sets[k]);
	own_slots(f, &q[AHEAD_SLOTS], AT(AHEAD_SLOTS), end_node(f, AT(AHEAD_SLOTS)));
#undef AT
}
