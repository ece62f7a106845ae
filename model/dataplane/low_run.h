/* Running lowered chains (lower.h): one base chain against one packet. A header because the walk needs it twice, with and without a record of what
 * was decided, and because both must be inlined to be fast. */
#ifndef PODWIRE_LOW_RUN_H
#define PODWIRE_LOW_RUN_H

#include "model/dataplane/lower.h"

#define LOW_DEPTH 16            /* as the walk's own limit on jumps */

enum low_says {
	LOW_SAYS_NOTHING, LOW_SAYS_ACCEPT, LOW_SAYS_DROP, LOW_SAYS_REJECT,
	LOW_SAYS_NAT,           /* nat, ip, port say what */
	LOW_SAYS_ASK,           /* something that only the walk's own way of running rules can tell: start again there */
};
/* A rule that did something: marked (OP_MARK), or decided. */
struct low_event { uint8_t what; chain_h chain; uint32_t rule; };

struct low_state {
	struct packet p;
	uint64_t seed, draws;           /* the n-th draw is hash_mix(seed, n) */
	struct op_env env;              /* for ops that have no instruction */
	/* of LOW_SAYS_NAT */
	enum op_code nat; uint32_t ip; uint16_t port;
};

static inline uint64_t low_draw(struct low_state *s)
{
	return hash_mix(s->seed, ++s->draws) >> 32;
}

/* The element of a set for this packet, or whether there is one (ranges). */
LOW_INLINE bool low_has(const struct low_set *set, const struct packet *p, uint32_t fields, const struct low_slot **slot)
{
	struct low_key k;

	*slot = NULL;
	if (set->empty)
		return false;
	k = low_key(p, fields);
	if (set->range) {
		for (uint32_t i = 0; i < set->nr_ranges; i++)
			if (k.a >> 32 >= set->range[i].first && k.a >> 32 <= set->range[i].last)
				return true;
		return false;
	}
	*slot = low_find(set, k.a, k.b);
	return *slot != NULL;
}

#define LOW_WORD(p, off) (*(const uint64_t *)(const void *)((const char *)(p) + (off)))

/* c: of l, a chain or a flat base chain. tell: called for every rule that marks, translates or decides, in order; NULL: nobody wants to know. */
LOW_INLINE enum low_says low_run(struct lowered *l, const struct low_chain *c, struct low_state *s, const bool record, void (*tell)(void *, const struct low_event *), void *ctx)
{
	struct { const struct low_chain *c; uint32_t at, level; } stack[LOW_DEPTH + 1];
	const struct insn *next = c->v, *in;
	struct op_reg reg = { { 0, 0 }, 0, false };
	uint32_t depth = 0, level = 0 /* depth as the walk counts it: chains that stand in place count too */, mark;
	const struct low_chain *far;
	chain_h to;
	const struct low_set *set;
	const struct low_slot *slot;
	struct op_result res;
	uint8_t verdict;

#define TELL(op) do { if (record && in->rule != UINT32_MAX) tell(ctx, &(struct low_event){ (op), { in->chain }, in->rule }); } while (0)
	for (;;) {
		in = next++;
		switch ((enum low)in->code) {
		case LOW_EQ:
			if ((LOW_WORD(&s->p, in->at) & in->mask) != in->value)
				next = c->v + in->skip;
			break;
		case LOW_NE:
			if ((LOW_WORD(&s->p, in->at) & in->mask) == in->value)
				next = c->v + in->skip;
			break;
		case LOW_RANGE: {
			uint16_t have;

			memcpy(&have, (const char *)&s->p + in->at, sizeof(have));
			if ((have >= in->mask && have <= in->value) != (in->rel == REL_IN))
				next = c->v + in->skip;
			break;
		}
		case LOW_SET:
			set = in->value ? (const struct low_set *)(uintptr_t)in->value : low_set_of(l, (set_h){ in->a });
			if (set->plain)
				return LOW_SAYS_ASK;
			if (low_has(set, &s->p, in->b, &slot) != (in->rel == REL_EQ))
				next = c->v + in->skip;
			break;
		case LOW_VMAP:
			set = in->value ? (const struct low_set *)(uintptr_t)in->value : low_set_of(l, (set_h){ in->a });
			if (set->plain || set->range)
				return LOW_SAYS_ASK;
			if (!low_has(set, &s->p, in->b, &slot)) {
				next = c->v + in->skip;
				break;
			}
			verdict = slot->verdict.code;
			to = slot->verdict.chain;
			goto decide;
		case LOW_PICK:
			if (in->rel)
				reg.num = in->a > 1 ? (uint32_t)(low_draw(s) * in->a >> 32) : 0;
			if (reg.num >= in->mask) {
				next = c->v + in->skip;
				break;
			}
			reg.addr = ip_from4(((const struct low_value *)(uintptr_t)in->value)[reg.num].ip);
			reg.num = ((const struct low_value *)(uintptr_t)in->value)[reg.num].port;
			break;
		case LOW_CHANCE:
			if (in->a < in->b && (low_draw(s) * in->b >> 32) >= in->a)
				next = c->v + in->skip;
			break;
		case LOW_CHOOSE:
			reg.num = in->a > 1 ? (uint32_t)(low_draw(s) * in->a >> 32) : 0;
			break;
		case LOW_MARK:
			mark = s->p.mark;
			s->p.mark = (mark & (uint32_t)in->mask) ^ (uint32_t)in->value;
			if (s->p.mark != mark)
				TELL(OP_MARK);
			break;
		case LOW_DNAT:
			s->nat = OP_DNAT;
			s->ip = in->rel == REL_IN ? ip_to4(reg.addr) : (uint32_t)in->value;
			s->port = (uint16_t)(in->rel == REL_IN ? reg.num : in->b);
			TELL(OP_DNAT);
			return LOW_SAYS_NAT;
		case LOW_MASQUERADE:
			s->nat = OP_MASQUERADE;
			s->port = (uint16_t)in->b;
			TELL(OP_MASQUERADE);
			return LOW_SAYS_NAT;
		case LOW_OP:
			mark = s->p.mark;
			memset(&res, 0, sizeof(res));
			switch (op_eval(l->rs, c->owner, &c->owner->ops.v[in->a], &s->p, &reg, &s->env, &res)) {
			case DOES_NEXT:
				if (s->p.mark != mark)
					TELL(OP_MARK);
				break;
			case DOES_FAIL:
				next = c->v + in->skip;
				break;
			case DOES_VERDICT:
				verdict = (uint8_t)res.verdict;
				to = res.chain;
				goto decide;
			case DOES_FORK:
			case DOES_NAT:
			case DOES_UNKNOWN:
				return LOW_SAYS_ASK;
			}
			break;
		case LOW_INDEX: {
			uint32_t first = low_run_find(&c->runs[in->a], low_key(&s->p, in->b));

			next = c->v + (first ? first : in->skip);
			break;
		}
		case LOW_ENTER:
			next = c->v + in->skip;
			break;
		case LOW_LOTTERY: {
			const struct low_ticket *t = (const struct low_ticket *)(uintptr_t)in->value, *behind = t + in->mask;

			while (t < behind && t->a < t->b && (low_draw(s) * t->b >> 32) >= t->a)
				t++;
			next = c->v + (t < behind ? t->back : in->skip);
			if (t == behind)
				break;
			verdict = OP_JUMP;
			to = (chain_h){ t->chain };
			goto decide;
		}
		case LOW_ACCEPT:
			TELL(OP_ACCEPT);
			return LOW_SAYS_ACCEPT;
		case LOW_DROP:
			TELL(OP_DROP);
			return LOW_SAYS_DROP;
		case LOW_REJECT:
			TELL(OP_REJECT);
			return LOW_SAYS_REJECT;
		default:
			__builtin_unreachable();
		case LOW_RETURN:
			verdict = OP_RETURN;
			to = (chain_h){ 0 };
			goto decide;
		case LOW_JUMP:
			verdict = OP_JUMP;
			to = (chain_h){ in->a };
			goto decide;
		case LOW_GOTO:
			verdict = OP_GOTO;
			to = (chain_h){ in->a };
			goto decide;
		}
		continue;
	decide:
		switch (verdict) {
		case OP_ACCEPT:
			TELL(OP_ACCEPT);
			return LOW_SAYS_ACCEPT;
		case OP_DROP:
			TELL(OP_DROP);
			return LOW_SAYS_DROP;
		case OP_REJECT:
			TELL(OP_REJECT);
			return LOW_SAYS_REJECT;
		case OP_JUMP:
		case OP_GOTO:
			if (level + in->depth >= LOW_DEPTH)
				return LOW_SAYS_ASK;
			far = low_chain_of(l, to);
			if (verdict == OP_JUMP && far->gate.i && low_set_of(l, far->gate)->empty)
				break;
			/* A goto's frame is kept at its chain's end: coming back there it returns at once, and the depth counts as the walk counts it. */
			stack[depth].c = c;
			stack[depth].level = level;
			stack[depth++].at = verdict == OP_GOTO ? (uint32_t)in->mask : (uint32_t)(next - c->v);
			level += in->depth + 1u;
			c = far;
			next = c->v;
			break;
		case OP_RETURN:
			if (in->depth) {        /* of a chain that stands in place */
				next = c->v + (uint32_t)in->mask;
				break;
			}
			if (!depth)
				return LOW_SAYS_NOTHING;
			c = stack[--depth].c;
			level = stack[depth].level;
			next = c->v + stack[depth].at;
			break;
		default:
			break;
		}
	}
#undef TELL
}

#endif
