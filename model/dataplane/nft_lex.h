/* The words of `nft list ruleset`. Not for others than read_nft*.c. */
#ifndef PODWIRE_NFT_LEX_H
#define PODWIRE_NFT_LEX_H

#include "model/dataplane/read.h"

enum tok_type { TOK_END, TOK_WORD, TOK_STRING, TOK_LINE /* line end or ; */, TOK_SIGN /* { } ( ) , : = and operators */ };
struct tok { const char *s; uint32_t line; uint8_t type; const char *at; };        /* at: where it begins in the text; s: the word, in the arena */
struct toks { struct tok *v; uint32_t nr, alloc; };
struct toks nft_tokens(struct arena *, const char *text, size_t n, uint32_t first_line, bool *elided);

struct nft {
	struct node_in *n;
	const struct part *p;
	struct toks t;
	uint32_t at;
	table_h table;
	uint8_t family;                 /* enum nf_family */
	bool cut;                       /* of the table at hand */
	struct map named;               /* sets that were declared: a rule may come first */
};

static inline const struct tok *nft_peek(const struct nft *x) { return &x->t.v[x->at]; }
static inline bool nft_is(const struct nft *x, const char *word)
{
	const struct tok *t = nft_peek(x);

	return (t->type == TOK_WORD || t->type == TOK_SIGN) && strcmp(t->s, word) == 0;
}
static inline bool nft_take(struct nft *x, const char *word)
{
	if (!nft_is(x, word))
		return false;
	x->at++;
	return true;
}
static inline const struct tok *nft_next(struct nft *x)
{
	const struct tok *t = nft_peek(x);

	x->at += t->type != TOK_END;
	return t;
}

/* read_nft_set.c */
void nft_set(struct nft *, bool map, bool fill);                /* behind `set`; fill: declare it, with its elements; else pass by */
bool nft_elements(struct nft *, set_h);                         /* at `{`; stops behind `}`. false: some elements are not modelled */
set_h nft_anonymous(struct nft *, enum set_kind, const uint8_t *key, uint8_t nkey);     /* at `{`; .i 0: not modelled */
bool nft_verdict(struct nft *, struct verdict_value *);         /* accept, jump NAME, … */
bool nft_value(struct nft *, uint8_t field, ip_addr *first, ip_addr *last);             /* one value, prefix or range of a field */
/* read_nft_rule.c */
void nft_rule(struct nft *, chain_h);                           /* up to the line's end */

#endif
