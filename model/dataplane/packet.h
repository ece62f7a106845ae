/* A packet as rules see it, and what evaluating one rule against it can say. Ports in host order. */
#ifndef PODWIRE_PACKET_H
#define PODWIRE_PACKET_H

#include "model/dataplane/ruleset.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };
struct packet {
	ip_addr src, dst;
	uint16_t sport, dport;          /* icmp: id in both */
	uint8_t proto;
	uint8_t ttl;
	uint8_t icmp_type;              /* 8 echo request, 0 reply, 3 unreachable, … */
	uint8_t tcp_flags;              /* 2 SYN, 16 ACK, 4 RST */
	bool df;
	uint32_t size;                  /* bytes, IP header included; 0: small */
	uint32_t mark, ct_mark;         /* ct_mark: the connection's */
	str iif, oif;                   /* names of the current namespace; NULL: none */
	bool iif_unknown, oif_unknown;  /* it came, or goes, by an interface that nobody told */
	bool reply;                     /* of its connection */
	uint8_t ct_state, ct_status;    /* CT_… bits, CTS_… bits */
	uint32_t skuid, skgid; bool has_skuid;       /* the socket's owner; has_skuid counts for both */
	ip_addr orig_dst; uint16_t orig_dport;  /* conntrack's original destination, for PF_CT_DNATED_FROM */
};

/* What an op needs to know besides the packet. The walk implements it; model/ has none of its own. */
struct op_env {
	void *ctx;
	bool (*is_local)(void *ctx, ip_addr);                           /* is it an address of this namespace? */
	bool (*local_known)(void *ctx, ip_addr);                        /* false: nobody told all addresses of this namespace; NULL: they are known */
	int (*reverse)(void *ctx, ip_addr src, str iif, bool loose);    /* is there a way back by iif? -1: cannot tell; NULL: likewise */
	bool (*dyn_has)(void *ctx, set_h, const ip_addr *key, uint8_t n, uint32_t seconds);     /* dynamic sets: affinity, recent */
	void (*dyn_add)(void *ctx, set_h, const ip_addr *key, uint8_t n, uint32_t seconds);
};

enum op_does {
	DOES_NEXT,              /* holds (or did its work): go on to the next op */
	DOES_FAIL,              /* does not hold: the rule ends, the next one follows */
	DOES_FORK,              /* CHANCE, CHOOSE: the caller decides; result.k, result.n */
	DOES_VERDICT,           /* result.verdict: ACCEPT DROP REJECT JUMP GOTO RETURN */
	DOES_NAT,               /* DNAT SNAT MASQUERADE REDIRECT: result.addr, result.port */
	DOES_UNKNOWN,           /* cannot tell: result.why */
};
struct op_result {
	enum op_code verdict; chain_h chain; uint8_t reject;
	uint32_t k, n;                  /* FORK: CHANCE holds with k/n; CHOOSE: n ways */
	bool choose;
	ip_addr addr; uint16_t port;    /* NAT; addr unset: keep (MASQUERADE: the caller picks the address) */
	enum op_code nat;
	const struct elem *elem;        /* the element that matched, for its cause and text */
	const char *why;
};
struct op_reg { ip_addr addr; uint32_t num; bool set; };                /* the register */
/* rs: the ruleset as the node has it (for sets); owner: whose ops (see chain_body). */
enum op_does op_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *, struct packet *, struct op_reg *, const struct op_env *, struct op_result *);
/* Would this op hold? For MATCH, LOOKUP, FIB only; used to explain rules that did not match. */

#endif
