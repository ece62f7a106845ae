/* The rules' third spelling, beside those of nft and iptables (model/dataplane/op_*.c): as nf_tables' own messages, byte for byte what `nft -f` makes of the printed
 * text, so that `nft list ruleset` shows the same. Numbers of types and of user data are those of nft (include/datatype.h) and libnftnl (udata.h).
 *
 * What has no spelling here is said in `cannot`; whoever asked gives the text to nft then. */
#ifndef PODWIRE_LINUX_NF_SPELL_H
#define PODWIRE_LINUX_NF_SPELL_H

#include "model/dataplane/ruleset.h"
#include "sim/linux/nf_batch.h"

/* A field of the packet: where the kernel loads it from, and what nft calls its type. Two values: for IPv4 and IPv6. */
enum nf_from { NF_NOWHERE, NF_PAYLOAD, NF_META, NF_CT };
enum nf_order { NF_NO_ORDER, NF_HOST, NF_NETWORK };     /* nft's enum byteorder */
struct nf_field {
	uint8_t from;                   /* enum nf_from */
	uint8_t what[2];                /* PAYLOAD: the offset; META, CT: the key */
	uint8_t base;                   /* PAYLOAD: NFT_PAYLOAD_…_HEADER; CT: 1 + direction */
	uint8_t len[2], order;          /* bytes; enum nf_order */
	uint8_t type[2];                /* nft's number, for keys of sets; 0: none of ours */
	uint8_t proto[2];               /* it exists in packets of this protocol only; 0: in all */
};
extern const struct nf_field nf_fields[PF_COUNT];
size_t nf_value(uint8_t field, bool v6, ip_addr word, uint8_t out[16]);         /* as it stands in a register; 0: no value of the family */

struct nf_writer {
	struct nf_batch *b;
	const struct ruleset *rs;       /* as the node has it */
	const char *table;
	bool v6;
	uint32_t sets;                  /* anonymous ones since the last mark */
	const char *cannot;             /* the first thing that has no spelling; NULL: none */
};
bool nf_cannot(struct nf_writer *, const char *what);                           /* → false */
struct nlmsghdr *nf_message(struct nf_writer *, int nft_msg, uint16_t flags, uint16_t table_attr);      /* begins it, with its table */
void nf_put_comment(struct nf_writer *, uint16_t attr, uint8_t type, const char *);     /* as user data of that type; NULL: none */
void nf_put_verdict(struct nf_writer *, uint16_t attr, struct verdict_value);

void nf_rule(struct nf_writer *, const struct chain *, const struct ruleset *owner, const struct rule *);      /* with its anonymous sets before it (nf_rule.c) */
/* Sets (nf_set.c). An anonymous one has its number in w->sets. */
void nf_set(struct nf_writer *, const struct ruleset *owner, const struct set *, const struct set_body *);
void nf_set_name(struct nf_writer *, uint16_t attr, const struct set *, uint32_t id);       /* id: of an anonymous one */
void nf_elements(struct nf_writer *, const struct ruleset *owner, const struct set *, const struct set_body *, const uint32_t *only, uint32_t nr);      /* only: these, by index; NULL: all */
/* Elements by their keys alone, each `len` bytes, to be deleted. keys NULL: all that the set has. */
void nf_delete_elements(struct nf_writer *, const char *set, const uint8_t *keys, const uint32_t *only, uint32_t nr, size_t len);
size_t nf_key_len(const struct nf_writer *, const struct set *);
void nf_key(const struct nf_writer *, const struct ruleset *owner, const struct set *, const struct elem *, uint8_t *out);      /* not of intervals */
uint64_t nf_element_digest(struct nf_writer *, const struct ruleset *owner, const struct set *, const struct elem *);

#endif
