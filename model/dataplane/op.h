/* An op's meaning stands in one file, op_*.c: what it does to a packet, how nft spells it, how iptables spells it. The rows are collected by op.c. */
#ifndef PODWIRE_OP_H
#define PODWIRE_OP_H

#include "model/dataplane/packet.h"

struct spelling { const struct ruleset *owner; const struct op *op; bool v6; struct sb *out; };

struct lowering;
struct insn;
struct op_def {
	enum op_does (*eval)(const struct ruleset *rs, const struct ruleset *owner, const struct op *, struct packet *, struct op_reg *, const struct op_env *, struct op_result *);
	void (*nft)(const struct spelling *);           /* without the blank before it */
	void (*iptables)(const struct spelling *);
	bool (*lower)(const struct lowering *, const struct op *, struct insn *);      /* NULL, false: its eval() is asked (lower.h) */
};
#define X(ID, fn) extern const struct op_def op_##fn;
OPS(X)
#undef X
extern const struct op_def *const op_defs[OP_COUNT];

/* The value of a field of the packet, as a 128-bit word. Names are compared by pointer: .lo. */
ip_addr packet_field(const struct packet *, enum pkt_field);
const char *nft_field(enum pkt_field, bool v6);         /* ip saddr, th dport, meta l4proto … */
const char *proto_word(uint32_t proto);                 /* tcp, udp, sctp, icmp, ipv6-icmp; NULL: a number */

#endif
