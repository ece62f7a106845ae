/* nf_tables expressions, put one behind another into the rule at hand. Registers are counted in words of 32 bits. */
#ifndef PODWIRE_LINUX_NF_EXPR_H
#define PODWIRE_LINUX_NF_EXPR_H

#include <linux/netfilter/nf_tables.h>

#include "sim/linux/nf_spell.h"

struct in_rule {
	struct nf_writer *w;
	struct nlmsghdr *h;
	const struct ruleset *owner;    /* of the ops */
	const struct op *op;
	uint8_t proto;                  /* that the packet is known to have; 0: none */
	uint32_t set;                   /* the next anonymous one */
};
struct expr { struct nlattr *elem, *data; };

struct expr expr_begin(const struct in_rule *, const char *name);
void expr_end(const struct in_rule *, struct expr);
/* Attributes of the expression that has begun. */
void expr_number(const struct in_rule *, uint16_t attr, uint32_t);
void expr_register(const struct in_rule *, uint16_t attr, uint32_t word);
/* Whole expressions; those that compare do so with the first register. */
bool expr_load(struct in_rule *, uint8_t field, uint32_t to, uint32_t len);     /* len: of a part, from its beginning; 0: all of it. false: no such field */
void expr_proto(struct in_rule *, uint8_t proto);                               /* the packet has this protocol, unless that is known; 0: any */
void expr_cmp(const struct in_rule *, enum nft_cmp_ops, const void *bytes, size_t);
void expr_within(const struct in_rule *, const void *first, const void *last, size_t, bool in);
void expr_bitwise(const struct in_rule *, const void *mask, const void *xor, size_t);
void expr_immediate(const struct in_rule *, uint32_t to, const void *bytes, size_t);

#endif
