#include "sim/trace/fetch.h"

#define FETCH_FROM 4096u        /* namespaces from which it pays: fewer stay in the caches */
#define LARGE      1024u        /* elements from which a set's slots are fetched */
/* How many probes before its own walk each step is taken. */
enum { AHEAD_SENDER = 28, AHEAD_RULE = 26, AHEAD_CHAIN = 23, AHEAD_CHOICE = 20, AHEAD_DRAW = 17, AHEAD_ENDPOINT = 14, AHEAD_HOLDER = 11, AHEAD_END = 9, AHEAD_NODE = 7, AHEAD_RULES = 5, AHEAD_SETS = 3, AHEAD_SLOTS = 1 };
static_assert(AHEAD_SENDER < FETCH_RING, "the ring");

static const uint8_t service_key[] = { PF_DADDR, PF_L4PROTO, PF_DPORT };

static struct lowered *shared_rules(const struct fetch *f)
{
	const struct seat *from = seat_of(f->seats, f->q->from), *node = from->kind == SEAT_POD ? seat_of(f->seats, from->node) : NULL;

	return node && node->kind == SEAT_NODE && node->rules ? node->rules->base : NULL;
}

static void find_sets(struct fetch *f, struct lowered *l)
{
	uint32_t most = 0;

	for (uint32_t i = 1; i <= ruleset_nr_sets(l->rs); i++) {
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
		}
	}
}

/* Among the chains that walks have met so far. */
static void find_index(struct fetch *f, const struct lowered *l)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < l->chains.nr; i++) {
		const struct low_chain *c = l->chains.v[i];

		for (const struct insn *in = c && c->nr_runs ? c->v : NULL; in && in < c->v + c->nr; in++)
			if (in->code == LOW_INDEX && c->runs[in->a].mask > most) {
				most = c->runs[in->a].mask;
				f->long_chain = c;
				f->index = in;
			}
	}
}

static void look(struct fetch *f)
{
	struct lowered *l = shared_rules(f);

	if (!l)
		return;
	if (f->shared != l)
		find_sets(f, l);
	f->shared = l;
	if (!f->services)
		find_index(f, l);
	f->goes = f->services || f->index;
}

void fetch_begin(struct fetch *f, struct seats *seats, const struct bulk_probe *q, uint64_t nr, uint64_t seed)
{
	f->seats = seats;
	f->q = q;
	f->nr = nr;
	f->seed = seed;
	memset(f->ring, 0, sizeof(f->ring));
	if (!f->goes && nr > AHEAD_SENDER && seats->dp->netns.nr >= FETCH_FROM)
		look(f);
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

static inline struct low_key index_key(const struct fetch *f, const struct bulk_probe *q)
{
	struct packet p;

	p.src = (ip_addr){ 0, 0 };
	p.dst = q->dst;
	p.proto = q->proto;
	p.sport = 0;
	p.dport = q->dport;
	return low_key(&p, f->index->b);
}

static inline void fetch_service(const struct fetch *f, const struct bulk_probe *q)
{
	if (f->services) {
		fetch_slot(f->services, key_of(q), 0);
	} else {
		const struct low_run *run = &f->long_chain->runs[f->index->a];
		struct low_key k = index_key(f, q);

		__builtin_prefetch(&run->slot[low_hash(k.a, k.b) & run->mask]);
	}
}

static inline void rule_of(const struct fetch *f, const struct bulk_probe *q, struct fetched *x)
{
	*x = (struct fetched){ 0 };
	if (!f->services) {
		uint32_t to = low_run_find(&f->long_chain->runs[f->index->a], index_key(f, q));

		x->rule = to ? f->long_chain->v + to : NULL;
		if (to)
			fetch_lines(x->rule, 3);
	}
}

static inline const struct low_chain *chain_at(const struct fetch *f, uint32_t chain)
{
	return chain && chain < f->shared->chains.nr ? f->shared->chains.v[chain] : NULL;
}

/* The first of these among the instructions from `in` on, of the same rule if `rule` says so. */
static inline const struct insn *first_of(const struct insn *in, enum low one, enum low other, bool rule)
{
	for (const struct insn *first = in; in->rule != UINT32_MAX && (!rule || in->rule == first->rule); in++)
		if (in->code == one || in->code == other)
			return in;
	return NULL;
}

static inline void chain_of(const struct fetch *f, const struct bulk_probe *q, struct fetched *x)
{
	const struct seat *s = seat_at(f, q->from);
	const struct low_slot *slot = f->services ? low_find(f->services, key_of(q), 0) : NULL;
	const struct insn *jump = x->rule ? first_of(x->rule, LOW_JUMP, LOW_GOTO, true) : NULL;

	if (s->kind == SEAT_POD) {
		__builtin_prefetch(seat_at(f, s->node));
		__builtin_prefetch(&f->seats->holder[seat_hash(s->ip) & f->seats->mask]);
	}
	x->chain = chain_at(f, slot ? slot->verdict.chain.i : jump ? jump->a : 0);
	if (x->chain)
		fetch_lines(x->chain, 4);
}

static inline void choice_of(const struct fetch *f, const struct bulk_probe *q, uint64_t j, struct fetched *x)
{
	const struct seat *s = seat_at(f, q->from), *node = s->kind == SEAT_POD ? seat_at(f, s->node) : NULL;

	if (node && node->kind == SEAT_NODE && node->rules)
		fetch_lines(node->rules, 2);
	x->drawn = x->chain ? first_of(x->chain->v, LOW_PICK, LOW_LOTTERY, false) : NULL;
	if (!x->drawn)
		return;
	if (x->drawn->code == LOW_PICK) {
		x->value = (const struct low_value *)(uintptr_t)x->drawn->value + ((hash_mix(hash_mix(f->seed, j), 1) >> 32) * x->drawn->mask >> 32);
		__builtin_prefetch(x->value);
	} else {
		fetch_lines((const void *)(uintptr_t)x->drawn->value, MIN((uint32_t)x->drawn->mask / 4 + 1, 4u));
	}
}

/* The chain of the endpoint that a lottery will draw. */
static inline void draw_of(const struct fetch *f, uint64_t j, struct fetched *x)
{
	const struct low_ticket *t;
	uint64_t seed, n = 0;

	if (!x->drawn || x->drawn->code != LOW_LOTTERY)
		return;
	t = (const struct low_ticket *)(uintptr_t)x->drawn->value;
	seed = hash_mix(f->seed, j);
	for (uint64_t k = x->drawn->mask; k > 1 && t->a < t->b && ((hash_mix(seed, ++n) >> 32) * t->b >> 32) >= t->a; k--)
		t++;
	x->ticket = t->chain < f->shared->chains.nr ? t->chain : 0;
	__builtin_prefetch(&f->shared->chains.v[x->ticket]);
}

static inline void endpoint_of(const struct fetch *f, struct fetched *x)
{
	if (!x->ticket)
		return;
	x->chain = chain_at(f, x->ticket);
	if (x->chain)
		fetch_lines(x->chain, 4);
}

static inline void holder_of(const struct fetch *f, const struct bulk_probe *q, struct fetched *x)
{
	const struct seat *s = seat_at(f, q->from), *node = s->kind == SEAT_POD ? seat_at(f, s->node) : NULL;
	const struct insn *dnat = x->ticket && x->chain ? first_of(x->chain->v, LOW_DNAT, LOW_DNAT, false) : NULL;

	if (x->value)
		x->to = *x->value;
	else if (dnat)
		x->to = (struct low_value){ (uint32_t)dnat->value, (uint16_t)dnat->b };
	if (!x->to.ip)
		return;
	__builtin_prefetch(&f->seats->holder[seat_hash(x->to.ip) & f->seats->mask]);
	for (uint32_t k = 0; k < f->nr_others; k++)
		fetch_slot(f->others[k], (uint64_t)x->to.ip << 32 | (f->others[k]->set->nkey == 3 ? (uint64_t)q->proto << 16 | x->to.port : 0), 0);
	for (uint32_t k = 0; k < LOW_FEW && node && node->kind == SEAT_NODE && node->rules; k++)
		__builtin_prefetch(node->rules->few_sets[k]);
}

/* The slots of the sets that a node has of its own: what goes to the endpoint is looked up in them. */
static inline void own_slots(const struct fetch *f, const struct bulk_probe *q, const struct fetched *x, const struct seat *node)
{
	struct packet p;

	if (!x->to.ip || !node || node->kind != SEAT_NODE || !node->rules)
		return;
	p.src = ip_from4(seat_at(f, q->from)->ip);
	p.dst = ip_from4(x->to.ip);
	p.proto = q->proto;
	p.sport = 0;
	p.dport = x->to.port;
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

	if (!x->to.ip)
		return;
	x->end = seat_holder(f->seats, x->to.ip);
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
	fetch_service(f, &q[AHEAD_SENDER]);
	rule_of(f, &q[AHEAD_RULE], AT(AHEAD_RULE));
	chain_of(f, &q[AHEAD_CHAIN], AT(AHEAD_CHAIN));
	choice_of(f, &q[AHEAD_CHOICE], i + AHEAD_CHOICE, AT(AHEAD_CHOICE));
	draw_of(f, i + AHEAD_DRAW, AT(AHEAD_DRAW));
	endpoint_of(f, AT(AHEAD_ENDPOINT));
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
