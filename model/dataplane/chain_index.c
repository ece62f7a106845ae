/* Long chains by destination address: rules that begin with an equality of it are found by the packet's address, the others are asked one by one between them. */
#include "model/dataplane/ruleset.h"

#define LONG_CHAIN 32u
#define OFTEN      6u           /* to make an index costs as much as going through all rules a few times */

struct chain_index {
	struct map by_dst;              /* hash of the address → first rule + 1 */
	uint32_t *same;                 /* by rule: the next rule of this address, + 1; 0: none */
	uint32_t *other; uint32_t nr_other;     /* rules without such an equality, in order */
};

static uint64_t key_of(ip_addr ip) { return hash_mix(ip.hi, ip.lo); }

/* The equality, if nothing stands before it that could do or not know anything. */
static bool begins_with_dst(const struct ruleset *owner, const struct rule *r, ip_addr *dst)
{
	for (uint16_t k = 0; k < r->nr_ops; k++) {
		const struct op *op = &owner->ops.v[r->op + k];

		if (op->code != OP_MATCH || (op->field != PF_L4PROTO && op->field != PF_SADDR && op->field != PF_DADDR && op->field != PF_SPORT && op->field != PF_DPORT))
			return false;
		if (op->field == PF_DADDR && op->rel == REL_EQ) {
			*dst = owner->wide.v[op->a];
			return true;
		}
	}
	return false;
}

static struct chain_index *make(const struct ruleset *owner, const struct chain_body *b)
{
	struct arena *a = owner->arena;
	struct chain_index *x = arena_make(a, struct chain_index);

	x->same = arena_array(a, uint32_t, b->rules.nr);
	x->other = arena_array(a, uint32_t, b->rules.nr);
	for (uint32_t k = b->rules.nr; k-- > 0;) {      /* from the last: the map holds the first */
		ip_addr dst;
		uint64_t *at;

		if (!begins_with_dst(owner, &b->rules.v[k], &dst))
			continue;
		at = map_put(&x->by_dst, a, key_of(dst));
		x->same[k] = (uint32_t)*at;
		*at = k + 1;
	}
	for (uint32_t k = 0; k < b->rules.nr; k++) {
		ip_addr dst;

		if (!begins_with_dst(owner, &b->rules.v[k], &dst))
			x->other[x->nr_other++] = k;
	}
	return x;
}

struct chain_at chain_rules(const struct ruleset *owner, const struct chain_body *cb, ip_addr dst)
{
	struct chain_body *b = (struct chain_body *)(uintptr_t)cb;
	struct chain_at at = { .nr = b->rules.nr };
	uint64_t *first;

	if (b->rules.nr < LONG_CHAIN || (!b->index && b->asked++ < OFTEN))
		return at;
	if (!b->index)
		b->index = make(owner, b);
	at.index = b->index;
	first = map_find(&b->index->by_dst, key_of(dst));
	at.same = first ? (uint32_t)*first : 0;
	return at;
}

uint32_t chain_next(struct chain_at *at)
{
	const struct chain_index *x = at->index;
	uint32_t rule;

	if (!x)
		return at->rule < at->nr ? at->rule++ : UINT32_MAX;
	rule = at->other < x->nr_other ? x->other[at->other] : UINT32_MAX;
	if (at->same && at->same - 1 < rule) {
		rule = at->same - 1;
		at->same = x->same[rule];
	} else if (rule != UINT32_MAX) {
		at->other++;
	}
	return rule;
}
