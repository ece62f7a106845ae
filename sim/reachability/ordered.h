/* Inside of the policies in tiers over shapes: what they are made of (ordered.c), what their selectors mean (terms.c), and their ends
 * with addresses (meaning.c), what is kept of the answers (profiles.c). */
#ifndef PODWIRE_REACH_ORDERED_H
#define PODWIRE_REACH_ORDERED_H

#include "model/api/calico_selector.h"
#include "sim/reachability/inside.h"

/* sure: that are meant; maybe: of which it cannot be told. By the families of the other end where the address counts and Pods have two (nr FAM_COUNT), else one of each. */
struct meant { struct bits sure[FAM_COUNT], maybe[FAM_COUNT]; uint8_t nr; bool any; };
/* A selector's text, read once; equal ones are one. prefix: what its keys do not spell. faulty: Calico would not take it. */
struct term { str text; const char *prefix; calico_steps steps; bool faulty; struct bits b; };
struct end_terms { uint32_t all[4], nr, without; };      /* of struct tier_end: those that all must hold; NONE: absent */
struct o_rule { const struct tier_rule *r; struct meant end[2]; struct end_terms ids[2]; bool names; };
struct o_policy { const struct tier_policy *p; struct meant subject; struct end_terms ids; struct o_rule *rules[2]; };
struct o_tier { const struct tier *t; struct o_policy *v; uint64_t *in[2], *may_in[2]; };       /* in: selected by one of its policies, by direction */
enum said { ALLOWED, ISOLATED, FREE, SAID };             /* by NetworkPolicies: they allow; they isolate and do not allow; they do not isolate */
struct verdicts { uint64_t *open, *passed, *yes, *no; };
/* What a shape shares with others as a line's own end: by direction of the line, and whose policies are asked (1: its own). */
struct profile_key { uint64_t of[2][2]; };
struct profiles;
struct ordered {
	struct tiers t;
	struct o_tier *v;
	HEAP(struct term) terms; struct lookup term_ids;
	HEAP(str) accounts; HEAP(struct profile_key) keys;       /* of shapes */
	bool doubt, names[2];                   /* names: rules for egress, for ingress, have names of ports */
	uint64_t *family[FAM_COUNT];            /* shapes of these families */
	uint64_t *selected, *may_selected, *sure, *may, *allowed, *isolated;    /* scratch, words of all shapes */
	struct verdicts own, others, of_each[SAID];
	struct profiles *profiles;              /* NULL: none is kept */
};

/* ordered.c */
void reach_each_meant(struct ordered *, void (*take)(void *, struct meant *, const struct o_policy *, const struct o_rule *, int end), void *ctx);      /* rule NULL: the policy's subject */
/* One side of a line (own: the shape's own policies): the shapes that it lets through for sure, from that word on, for all that NetworkPolicies may say. */
void reach_verdicts(struct reach *, int dir, bool own, uint32_t shape, uint32_t from, uint64_t *const sure[SAID]);
void reach_doubtful_line(struct reach *, enum np_dir, uint32_t shape, uint64_t *out, uint64_t *maybe);

/* terms.c */
struct end_terms reach_end_terms(struct reach *, struct ordered *, const struct tier_end *);     /* found, or made */
void reach_terms_evaluate(struct reach *);               /* all of them, when it is built */
bool reach_term_holds(const struct term *, const pair_list *labels, struct arena *);    /* of one that is not faulty */
void reach_terms_free(struct ordered *);

/* meaning.c */
void reach_mean_all(struct reach *);                     /* when it is built */
void reach_mean_one(struct reach *, uint32_t shape);     /* one that is made later */
/* Into words over shapes: those that the end's selectors mean, or of which it cannot be told; its addresses, and those of NetworkSets, apart. The end is one of the policies',
 * the shapes are those of when it was built. */
void reach_may_select(struct reach *, const struct tier_end *, uint64_t *to);

/* profiles.c */
void reach_profiles_free(struct ordered *);

#endif
