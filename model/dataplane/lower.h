/* Rules lowered to what a processor likes: compares of masked words of the packet under one switch, tables of packed keys, verdicts with their targets.
 *
 * Theory of operation. The ops of a rule (ruleset.h) say what it means, and their eval() is the only place where that is decided. For the few ops that rules
 * are mostly made of, an op can also say itself as one or two instructions (`lower` beside `eval` in op_*.c); whatever has none becomes LOW_OP, which calls
 * eval() itself. So there is one semantics, and a shorter way to spell most of it; tests/unit/lower_test.c holds both together on random rules and packets.
 *
 * An instruction that fails goes to the next rule (`skip`). MATCH becomes LOW_EQ or LOW_NE of eight bytes of struct packet under a mask; compares of one word
 * that follow each other in a rule become one. A set of addresses, protocol and port is a hash table of keys of twelve bytes, with the verdict in the slot; a map
 * that CHOOSE looks into is an array. In a long chain, rules that begin with the same equalities (protocol, address, port: iptables' KUBE-SERVICES) are a run
 * behind one LOW_INDEX, which goes to the first rule of the run that can match; each rule of it leads to the next with the same key. Rules that jump by chance one
 * after the other (iptables' KUBE-SVC-…) stand behind one LOW_LOTTERY, which draws for all of them from a short table.
 *
 * Only TCP, UDP and SCTP over IPv4 are lowered; other packets are left to eval(). Chains are lowered when they are first
 * entered, once for all rulesets that share the body; a ruleset on a base lowers only what it has of its own. Nothing that is written to a ruleset afterwards
 * is seen.
 *
 * Base chains are made flat (low_flat.c), once for new connections and once for established ones: the short chains that they jump to stand in place, and rules that
 * cannot hold (for that state, or because their set is empty) are left out. What nothing is left of is not run at all; that is most of what an answer meets. Rulesets
 * on the same base share flat chains, which leave alone what these have of their own. */
#ifndef PODWIRE_LOWER_H
#define PODWIRE_LOWER_H

#include "model/dataplane/packet.h"

enum low {
	LOW_EQ, LOW_NE,                 /* (8 bytes of the packet at `at`) & mask == value, != value */
	LOW_RANGE,                      /* the two bytes at `at` lie between mask and value (rel REL_NOT_IN: they do not) */
	LOW_SET,                        /* a: a set; rel as of the op */
	LOW_VMAP,                       /* a: a set whose element is the verdict */
	LOW_PICK,                       /* register := element of the dense map at `value` (struct low_value), of which there are `mask`; rel: chosen among a */
	LOW_CHANCE, LOW_CHOOSE,         /* a of b; a ways */
	LOW_MARK,                       /* mark := (mark & mask) ^ value */
	LOW_DNAT,                       /* to value (an address), b (a port); rel REL_IN: to what the register holds */
	LOW_MASQUERADE,
	LOW_ACCEPT, LOW_DROP, LOW_REJECT, LOW_RETURN, LOW_JUMP, LOW_GOTO,       /* a: the chain */
	LOW_OP,                         /* a: the op, in its owner's ops */
	LOW_INDEX,                      /* a: the run's index; skip: to the rule behind the run */
	LOW_ENTER,                      /* the next rule of this key in the run: skip */
	LOW_LOTTERY,                    /* jump by the first of the tickets at `value` that wins, of which there are `mask`; skip: behind their rules */
};
struct insn {
	uint8_t code, rel;
	uint8_t at;
	uint8_t depth;                  /* of its rule's chain below the one that it stands in now */
	uint32_t skip;                  /* where to go on when this does not hold: from the beginning of the chain */
	uint32_t chain, rule;           /* which rule it is of; UINT32_MAX: the end */
	uint32_t a, b;
	uint64_t mask, value;           /* of what can be a goto, mask: where it goes on when that comes back; of a set in a flat chain, value: its form, 0: by its handle */
};
static_assert(sizeof(struct packet) <= UINT8_MAX, "insn.at");
static inline bool low_may_goto(const struct insn *in) { return in->code == LOW_VMAP || in->code == LOW_GOTO || in->code == LOW_OP; }

struct low_slot { uint64_t key; uint32_t key2, elem; struct verdict_value verdict; bool used; };        /* verdict: of a vmap */
struct low_value { uint32_t ip; uint16_t port; };
struct low_ticket { uint32_t a, b; uint32_t chain, back; };             /* wins with a of b; back: where the rule behind its own begins */
struct low_range { uint32_t first, last; };
struct low_set {
	bool plain;                     /* cannot be lowered: its ops ask eval() */
	bool empty;
	uint32_t mask;                  /* size of slot[] less 1 */
	uint32_t fields;                /* its key, as low_key() wants it */
	struct low_slot *slot;
	struct low_range *range; uint32_t nr_ranges;    /* of a few intervals of addresses; NULL: it has none */
	uint32_t nr_values; struct low_value *value;    /* of a dense map; NULL: it is none */
	const struct set *set;
	const struct set_body *body;
};
struct low_run { uint32_t mask; struct { uint64_t key; uint32_t key2, to; } *slot; };     /* key → where its first rule begins; to 0: empty */
struct low_chain {
	const struct ruleset *owner;    /* whose ops and bodies */
	const struct insn *v; uint32_t nr;
	set_h gate;                     /* the chain does nothing as long as this set is empty; .i 0: no such set */
	struct low_run *runs; uint32_t nr_runs;
	bool whole;                     /* has LOW_INDEX or LOW_LOTTERY, and cannot be taken apart */
};

/* Base chains that IPv4 meets at one hook, in order, as connections of one state meet them; those that do nothing are left out. */
enum low_class { LOW_NEW, LOW_ESTABLISHED, LOW_CLASSES };
struct low_base {
	const struct low_chain *run;
	int16_t priority;
	bool nat, drops;                /* drops: its policy */
	bool quiet;                     /* it may accept, and that is all */
};
struct low_bases {
	struct low_base *v; uint32_t nr;
	bool quiet;                     /* all are */
	bool translates;                /* some chain, left out or not, stands where NAT is done or behind it */
};

/* The lowered form of a ruleset as one node has it. Chains and sets of its own by handle less those of the base; bodies of its own of the base's in maps, each
 * with a filter: a bit for every handle modulo 64 that has one. */
#define LOW_FEW 2
struct lowered {
	struct lowered *base;
	const struct low_bases (*at)[NF_HOOKS];         /* by enum low_class; may be the base's */
	uint64_t own_chains, own_sets;
	uint32_t below_chains, below_sets;
	uint32_t few[LOW_FEW]; const struct low_set *few_sets[LOW_FEW];         /* the first sets of its own that were asked for: handles, forms */
	const struct ruleset *rs;
	struct arena *arena;
	VEC(const struct low_chain *) chains;
	VEC(const struct low_set *) sets;
	struct map own_chain, own_set;
	struct low_form *forms;         /* of its flat base chains */
};
/* Flat base chains, and the chains and sets that they depend on: good for every ruleset on the same base that has none of these of its own. */
struct low_form { struct low_bases at[LOW_CLASSES][NF_HOOKS]; VEC(uint32_t) chains, sets; struct low_form *next; };
struct lowered *lower(const struct ruleset *, struct lowered *base, struct arena *);    /* base: that of rs->base, NULL if it has none */
const struct low_chain *low_chain_make(struct lowered *, chain_h);
const struct low_set *low_set_make(struct lowered *, set_h);
#ifdef __has_feature            /* clang's way to say it; gcc has the macro */
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define LOW_INLINE static inline __attribute__((unused))        /* a sanitizer's checks times everything inlined would take minutes to compile */
#else
#define LOW_INLINE static inline __attribute__((always_inline))
#endif
LOW_INLINE const struct low_chain *low_chain_of(struct lowered *l, chain_h h)
{
	while (h.i <= l->below_chains && !(l->own_chains >> (h.i & 63) & 1))
		l = l->base;
	return h.i > l->below_chains && h.i - l->below_chains < l->chains.nr && l->chains.v[h.i - l->below_chains] ? l->chains.v[h.i - l->below_chains] : low_chain_make(l, h);
}
LOW_INLINE const struct low_set *low_set_of(struct lowered *l, set_h h)
{
	while (h.i <= l->below_sets) {
		if (l->own_sets >> (h.i & 63) & 1) {
			for (size_t k = 0; k < LOW_FEW; k++)
				if (l->few[k] == h.i)
					return l->few_sets[k];
			return low_set_make(l, h);
		}
		l = l->base;
	}
	return h.i - l->below_sets < l->sets.nr && l->sets.v[h.i - l->below_sets] ? l->sets.v[h.i - l->below_sets] : low_set_make(l, h);
}

/* What an op's lower() gets and gives: one instruction; false: it has none of its own, its eval() is asked. */
struct lowering { const struct ruleset *owner; struct lowered *view; };

void low_flatten(struct lowered *);     /* sets `at` */

/* The key of a packet in sets and runs: at most two addresses, a protocol and a port. fields: four bits each, 1 + enum pkt_field. */
struct low_key { uint64_t a; uint32_t b; };
#define LOW_FIELDS(f0, f1, f2, f3) ((uint32_t)(f0) | (uint32_t)(f1) << 4 | (uint32_t)(f2) << 8 | (uint32_t)(f3) << 12)
LOW_INLINE struct low_key low_key(const struct packet *p, uint32_t fields)
{
	struct low_key k = { 0, 0 };
	bool first = true;              /* of two addresses the first lies in a, the other in b */
	uint64_t port = (uint64_t)p->proto << 16 | p->dport;

	switch (fields) {               /* those that kube-proxy uses, without the loop */
	case LOW_FIELDS(PF_DADDR + 1, 0, 0, 0):
		return (struct low_key){ p->dst.lo << 32, 0 };
	case LOW_FIELDS(PF_SADDR + 1, 0, 0, 0):
		return (struct low_key){ p->src.lo << 32, 0 };
	case LOW_FIELDS(PF_DADDR + 1, PF_L4PROTO + 1, PF_DPORT + 1, 0):
	case LOW_FIELDS(PF_DPORT + 1, PF_L4PROTO + 1, PF_DADDR + 1, 0):
		return (struct low_key){ p->dst.lo << 32 | port, 0 };
	case LOW_FIELDS(PF_L4PROTO + 1, PF_DPORT + 1, 0, 0):
		return (struct low_key){ port, 0 };
	case LOW_FIELDS(PF_SADDR + 1, PF_DADDR + 1, PF_L4PROTO + 1, PF_DPORT + 1):
		return (struct low_key){ p->src.lo << 32 | port, (uint32_t)p->dst.lo };
	default:
		break;
	}
	for (; fields; fields >>= 4)
		switch ((enum pkt_field)((fields & 15) - 1)) {
		case PF_SADDR:
		case PF_DADDR: {
			uint32_t ip = (uint32_t)((fields & 15) - 1 == PF_SADDR ? p->src : p->dst).lo;

			if (first)
				k.a |= (uint64_t)ip << 32;
			else
				k.b = ip;
			first = false;
			break;
		}
		case PF_L4PROTO:
			k.a |= (uint64_t)p->proto << 16;
			break;
		case PF_DPORT:
			k.a |= p->dport;
			break;
		case PF_SPORT:
			k.a |= p->sport;
			break;
		default:
			break;
		}
	return k;
}
static inline uint32_t low_hash(uint64_t a, uint32_t b)
{
	uint64_t h = (a ^ (uint64_t)b * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	return (uint32_t)(h >> 32);
}
LOW_INLINE const struct low_slot *low_find(const struct low_set *s, uint64_t a, uint32_t b)
{
	for (uint32_t at = low_hash(a, b) & s->mask; s->slot[at].used; at = (at + 1) & s->mask)
		if (s->slot[at].key == a && s->slot[at].key2 == b)
			return &s->slot[at];
	return NULL;
}
/* Where the first rule of a run begins that can match; 0: there is none. */
LOW_INLINE uint32_t low_run_find(const struct low_run *run, struct low_key k)
{
	uint32_t at = low_hash(k.a, k.b) & run->mask;

	while (run->slot[at].to && (run->slot[at].key != k.a || run->slot[at].key2 != k.b))
		at = (at + 1) & run->mask;
	return run->slot[at].to;
}

#endif
