/* The pieces of one rule of nft. Not for others than read_nft_{rule,match,statement}.c. All return false where the words are not understood. */
#ifndef PODWIRE_NFT_RULE_H
#define PODWIRE_NFT_RULE_H

#include "model/dataplane/nft_lex.h"

struct rule_at {
	struct nft *x;
	struct rw w;
	uint32_t proto;                 /* l4proto that was asked already; 0: none */
};

struct selector { uint8_t field; uint8_t family; /* 4, 6: of an inet table only these; 0 */ uint8_t proto; };

/* read_nft_match.c: a part of the packet, and what is asked of it */
bool nft_selector(struct nft *, struct selector *);             /* ip saddr, meta mark, …: one or more words */
bool nft_compare(struct rule_at *, const struct selector *);    /* behind the selector: == VALUE, @SET, { … }, vmap, & MASK, < VALUE */
bool nft_concatenated(struct rule_at *, struct selector first); /* at the `.` behind the first */
bool nft_look_in(struct rule_at *, enum set_kind, bool in, const struct selector *, uint8_t nr);        /* @NAME or { … } */
void nft_guard(struct rule_at *, const struct selector *);      /* what a field silently asks as well: the family in a table of both, the protocol of a port */
bool nft_number(struct nft *, uint32_t *);
bool nft_ends(const struct nft *);                              /* the rule is over */

/* read_nft_statement.c: what is done with the packet */
typedef bool nft_statement_fn(struct rule_at *);
nft_statement_fn *nft_statement(struct nft *);                  /* by the word at hand, which is passed; NULL: no statement begins so */
bool nft_set_mark(struct rule_at *, uint8_t to);                /* behind `mark set`; to: PF_MARK, PF_CT_MARK */
bool nft_chosen(struct rule_at *);                              /* at numgen, jhash, symhash */
bool nft_random(struct rule_at *);                              /* behind `meta random` */

#endif
