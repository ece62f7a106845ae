/* Netfilter rules as plain data, in the shape of the kernel's own: tables, base chains, chains, sets and maps, rules that are lists of
 * ops with one register. nft and iptables are two spellings of the same ops (print_nft.c, print_iptables.c); what an op means stands in
 * model/dataplane/op_*.c, one file each. Knows packets and names; must not know Kubernetes objects.
 *
 * Sharing. What nodes have in common exists once: a ruleset may have a base, and then holds only the bodies (of chains and sets) in which it
 * differs. Identity and content are two things: chain_h and set_h name a chain or set of the base and of all that stand on it alike;
 * chain_body() and set_body() look in the ruleset first, then in its base.
 *
 * Later. Of the many chains that a writer knows of, few are ever looked into: it may give a chain a number instead of a name and a body
 * (ruleset_chain_later), and is asked for them (struct later) when somebody looks. So are comments of elements.
 *
 * Written again. What is written has a place (rs->place when it was written): rules of one chain, elements of one set and chains and sets themselves stand in the
 * order of their places, and in the order of writing where these are equal. So a writer that gives each of its subjects a place of its own can take out what it
 * wrote for one (ruleset_cut) and write that anew, and the ruleset is as if it had been written from the beginning. */
#ifndef PODWIRE_RULESET_H
#define PODWIRE_RULESET_H

#include "model/base/ip.h"
#include "model/base/map.h"
#include "model/base/str.h"

typedef struct { uint32_t i; } table_h;         /* 0 is none, for all of these */
typedef struct { uint32_t i; } chain_h;
typedef struct { uint32_t i; } set_h;
typedef struct { uint32_t i; } cause_h;         /* into the dataplane's causes */

/* ---- ops */
#define OPS(X)                                                                                                        \
	X(MATCH, match) X(LOOKUP, lookup) X(FIB, fib) X(UNKNOWN, unknown) X(CHANCE, chance) X(CHOOSE, choose) X(MARK, mark) \
	X(CTMARK, ctmark) \
	X(UPDATE, update) X(DNAT, dnat) X(SNAT, snat) X(MASQUERADE, masquerade) X(REDIRECT, redirect) X(NOTRACK, notrack)   \
	X(LOG, log) X(ACCOUNT, account) X(ACCEPT, accept) X(DROP, drop) X(REJECT, reject) X(JUMP, jump) X(GOTO, goto) X(RETURN, return)
enum op_code {
#define X(ID, fn) OP_##ID,
	OPS(X)
#undef X
	OP_COUNT
};

/* What a packet can be asked. */
enum pkt_field { PF_SADDR, PF_DADDR, PF_SPORT, PF_DPORT, PF_L4PROTO, PF_IIFNAME, PF_OIFNAME, PF_MARK, PF_CT_STATE, PF_CT_STATUS, PF_CT_DNATED_FROM /* original daddr */,
	PF_SKUID, PF_SKGID, PF_ICMP_TYPE, PF_TCP_FLAGS, PF_REGISTER /* what CHOOSE or LOOKUP left */,
	PF_CT_MARK, PF_CT_ORIG_DPORT, PF_CT_REPLY_DIR /* the last three never in a LOOKUP's key */, PF_COUNT };
enum op_rel { REL_EQ, REL_NE, REL_IN /* prefix or range, or any bit of a mask */, REL_NOT_IN, REL_MASK_EQ /* (v & a) == b */, REL_MASK_NE,
	REL_NAME_PREFIX /* iif cali* */, REL_NOT_NAME_PREFIX };
enum fib_ask { FIB_DADDR_LOCAL, FIB_SADDR_LOCAL,        /* fib daddr type local; -m addrtype --dst-type LOCAL */
	FIB_REVERSE /* fib saddr . iif oif; -m rpfilter: the way back to the source leaves where the packet came in; a = 1: by whatever interface (--loose) */ };
enum { CT_NEW = 1, CT_ESTABLISHED = 2, CT_RELATED = 4, CT_INVALID = 8, CT_UNTRACKED = 16, CT_DNATED = 32 /* iptables' --ctstate DNAT */ };  /* PF_CT_STATE bits */
enum { CTS_SNAT = 1, CTS_DNAT = 2, CTS_ASSURED = 4, CTS_CONFIRMED = 8, CTS_SEEN_REPLY = 16 };   /* PF_CT_STATUS bits */

/* Operands by code. wide[] is the ruleset's pool of 128-bit words, text[] its pool of names.
 *   MATCH    field, rel; EQ NE of numbers: a. addresses: a → wide (IN: prefix wide[a]…wide[a+1] = first…last). numbers IN: a…b. names: a → text. MASK: a mask, b value
 *   LOOKUP   nkey fields packed in c, 4 bits each, first lowest; a set; rel EQ: in the set, NE: not in it. A map leaves its value in the register; a verdict map decides
 *   FIB      field = enum fib_ask; rel EQ, NE; a: see FIB_REVERSE
 *   UNKNOWN  a → text as read; b: 1 may be a match, 2 may be a target, 3 both. A packet that meets it and could be decided by it ends `unknown`
 *   CHANCE   holds with probability a/b (fork)
 *   CHOOSE   a = n: register := 0 … n−1, each with probability 1/n (fork)
 *   MARK     mark := (mark & a) ^ b        (or v: a = ~v, b = v; xor v: a = ~0, b = v; set v: a = 0, b = v)
 *   CTMARK   the connection's mark; field CTM_SET: ctmark := (ctmark & a) ^ b; CTM_SAVE: ctmark := (ctmark & a) ^ (mark & b); CTM_RESTORE: mark := (mark & a) ^ (ctmark & b)
 *   UPDATE   a set (dynamic); key fields in c: adds or refreshes this packet's key; b seconds (0: the set's own time-out)
 *   DNAT     REL_EQ: address wide[a] (a = 0: keep), port b (0: keep); REL_IN: from the register (the value of a map: address . port)
 *   SNAT     likewise
 *   MASQUERADE a = 1: fully random;  REDIRECT b = port;  LOG a → text
 *   ACCOUNT  a → text: counts, and holds
 *   REJECT   a: enum reject_kind;  JUMP, GOTO: a = chain;  ACCEPT, DROP, RETURN, NOTRACK: none */
enum reject_kind { REJECT_DEFAULT /* icmp(v6) port unreachable */, REJECT_TCP_RESET, REJECT_ADMIN };
enum ctmark_does { CTM_SET, CTM_SAVE, CTM_RESTORE };
struct op { uint8_t code, field, rel, nkey; uint32_t a, b, c; };

struct rule {
	uint32_t op;                    /* first in ops[] */
	uint16_t nr_ops;
	cause_h cause;
	uint32_t place;
	str comment;                    /* NULL: none */
	str raw;                        /* as read from a real node; NULL: ours */
};

/* ---- sets and maps */
enum set_kind { SET_PLAIN, SET_VMAP /* value: a verdict */, SET_MAP /* value: address . port, or a number */ };
enum { SETF_INTERVAL = 1, SETF_DYNAMIC = 2, SETF_TIMEOUT = 4, SETF_ANONYMOUS = 8, SETF_IPSET = 16 /* iptables' ipset, not an nft set */ };
struct verdict_value { uint8_t code; chain_h chain; };          /* OP_ACCEPT DROP RETURN JUMP GOTO */
struct elem {
	uint32_t key;                   /* → wide[]: one word per key field; INTERVAL: two (first, last) */
	struct verdict_value verdict;   /* VMAP */
	uint32_t value;                 /* MAP: → wide[]: address, port */
	cause_h cause;                  /* in nftables mode a Service *is* an element */
	uint32_t later;                 /* not 0: the writer is asked for the comment (elem_comment) */
	uint32_t place;
	str comment;
};
struct set_body { struct elem *v; uint32_t nr, alloc; struct map index; bool mixed; /* not in the order of places: set_body_order */ };

struct table { str name; uint8_t family; str comment; bool iptables; bool hidden /* no tool lists it */; };         /* family: enum nf_family; iptables: a table of iptables-save (filter, nat, …) */
enum nf_family { NF_IP, NF_IP6, NF_INET, NF_BRIDGE };
enum nf_hook { HOOK_NONE, HOOK_PREROUTING, HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING };
enum nf_type { NFT_FILTER, NFT_NAT, NFT_ROUTE };
#define NF_HOOKS 6
#define NF_TYPES 3
extern const char *const nf_family_names[], *const nf_hook_names[NF_HOOKS], *const nf_type_names[NF_TYPES];    /* nft's words; HOOK_NONE: "" */
struct chain {
	str name;                       /* NULL: not asked for yet; ruleset_chain_get never returns one without */
	table_h table;                  /* .i 0: it was cut */
	uint8_t hook, type, policy;     /* of a base chain (hook != NONE): enum nf_hook, nf_type, OP_ACCEPT or OP_DROP */
	int16_t priority;
	uint32_t later;                 /* the writer's number for it; 0: it was written at once */
	uint32_t place;
	str comment;
	struct chain_body *body;        /* in the ruleset whose chain it is; NULL: nothing was written */
};
struct chain_index;
struct chain_body { VEC(struct rule) rules; struct chain_index *index; uint32_t asked; /* index: made when it was asked for often enough; NULL: not yet */ };
struct set {
	str name;                       /* NULL: anonymous */
	table_h table;                  /* .i 0: it was cut */
	uint8_t kind, flags, nkey;
	uint8_t key[5];                 /* enum pkt_field of each key field, for types; PF_REGISTER: a number */
	bool value_addr;                /* MAP: value is an address alone; else address . port */
	uint32_t timeout;               /* seconds */
	uint32_t place;
	str comment;
	struct set_body *body;          /* likewise */
};

/* A writer that is asked later. All three get the number that it gave. */
struct ruleset;
struct later {
	void *ctx;
	const char *(*name)(void *ctx, uint32_t number);
	void (*body)(void *ctx, chain_h, uint32_t number);      /* writes the rules, with rule_begin */
	const char *(*comment)(void *ctx, uint32_t number);
};

struct ruleset {
	struct arena *arena;
	struct strtab *strings;
	const struct ruleset *base;     /* NULL: stands alone */
	VEC(struct table) tables;       /* [0] unused; handles count on from the base's */
	VEC(struct chain) chains;
	VEC(struct set) sets;
	struct map chain_by_name, set_by_name;          /* (table, name) */
	uint32_t below_tables, below_chains, below_sets;        /* handles of the base's */
	struct map own_chain, own_set;                  /* handle of the base's → body of our own */
	VEC(struct op) ops;
	VEC(ip_addr) wide;
	VEC(str) text;
	struct later later;
	uint32_t place;                 /* of what is written now */
	bool mixed;                     /* its chains or sets are not in the order of their handles */
	bool entangled;                 /* an element was written at two places: neither can be taken out alone */
	struct { chain_h v[64]; uint32_t nr; } at[NF_HOOKS];   /* base chains per hook, in order of priority; rebuilt by ruleset_finish */
};
/* ops, wide and text of a rule belong to the ruleset that holds its body: chain_body() tells which. */

struct ruleset *ruleset_new(struct arena *, struct strtab *, const struct ruleset *base);
table_h ruleset_table(struct ruleset *, enum nf_family, const char *name, bool iptables);       /* finds or adds */
chain_h ruleset_chain(struct ruleset *, table_h, const char *name);                             /* finds or adds */
chain_h ruleset_chain_later(struct ruleset *, table_h, uint32_t number);                        /* adds one whose name and body are asked for later; no other chain has its name */
chain_h ruleset_find_chain(const struct ruleset *, table_h, const char *name);                  /* .i 0: none */
set_h ruleset_find_set(const struct ruleset *, table_h, const char *name);
void ruleset_base_chain(struct ruleset *, chain_h, enum nf_hook, enum nf_type, int priority, enum op_code policy);
set_h ruleset_set(struct ruleset *, table_h, const char *name, enum set_kind, unsigned flags, const uint8_t *key, uint8_t nkey);   /* name NULL: anonymous */
void ruleset_finish(struct ruleset *);                          /* orders base chains, indexes sets: call once after writing, before evaluating */

const struct table *ruleset_table_get(const struct ruleset *, table_h);
const struct chain *ruleset_chain_get(const struct ruleset *, chain_h);
const struct set *ruleset_set_get(const struct ruleset *, set_h);
const struct chain_body *chain_body(const struct ruleset *, chain_h, const struct ruleset **owner);     /* never NULL; owner: whose ops and wide */
const struct set_body *set_body(const struct ruleset *, set_h, const struct ruleset **owner);
uint32_t ruleset_nr_chains(const struct ruleset *);             /* handles are 1 … nr, base's first; likewise tables, sets */
uint32_t ruleset_nr_tables(const struct ruleset *);
uint32_t ruleset_nr_sets(const struct ruleset *);
uint32_t ruleset_nr_rules(const struct ruleset *);
/* All chains (sets) in the order in which they are listed: the base's first, each in the order of places; without those that were cut. In the arena. */
uint32_t *ruleset_in_order(const struct ruleset *, bool sets, struct arena *, uint32_t *nr);
/* What was written at one place. Chains and sets of its own, those with handles from … to - 1, go altogether; of others that many subjects share only the rules and
 * elements of this place. */
enum { PLACE_FIRST = 0, PLACE_LAST = UINT32_MAX };
void ruleset_cut_chains(struct ruleset *, uint32_t from, uint32_t to);
void ruleset_cut_sets(struct ruleset *, uint32_t from, uint32_t to);
void ruleset_cut_rules(struct ruleset *, chain_h, uint32_t place);
void ruleset_cut_elements(struct ruleset *, set_h, uint32_t place);
void set_body_order(const struct ruleset *owner, const struct set *, const struct set_body *);      /* puts its elements in order, for who lists them */

/* Writing. A chain or set of the base that is written to is first replaced by an empty body of our own (write_chain, write_set). */
void ruleset_own_chain(struct ruleset *, chain_h);
void ruleset_own_set(struct ruleset *, set_h);
/* A rule is written from left to right: begin, ops, (comment, cause), and is then complete; the next begin starts the next. */
struct rw { struct ruleset *rs; chain_h chain; uint32_t at; };
struct rw rule_begin(struct ruleset *, chain_h);
void rule_cause(struct rw, cause_h);
void rule_comment(struct rw, const char *);
void rule_raw(struct rw, const char *);                                                /* the rule's text as read, without chain and comment */
void w_num(struct rw, enum pkt_field, enum op_rel, uint32_t a, uint32_t b);             /* numbers: ports, protocol (6, 17, 132), mark, ct state */
void w_addr(struct rw, enum pkt_field, enum op_rel, ip_addr);                           /* REL_EQ, REL_NE */
void w_cidr(struct rw, enum pkt_field, bool in, struct cidr);                           /* a /32 is REL_EQ */
void w_name(struct rw, enum pkt_field, enum op_rel, const char *name);                  /* iif, oif; PREFIX rels */
void w_lookup(struct rw, set_h, bool in, int nkey, ...);                                /* enum pkt_field … */
void w_lookup_fields(struct rw, set_h, bool in, uint32_t seconds, const uint8_t *fields, uint8_t nkey);   /* the same; seconds: of a dynamic set, 0: its own */
void w_fib(struct rw, enum fib_ask, bool is);
void w_reverse(struct rw, bool is, bool loose);
void w_chance(struct rw, uint32_t k, uint32_t n);
void w_choose(struct rw, uint32_t n);
void w_mark(struct rw, uint32_t and_mask, uint32_t xor_value);
void w_ctmark(struct rw, enum ctmark_does, uint32_t a, uint32_t b);
void w_update(struct rw, set_h, uint32_t seconds, int nkey, ...);
void w_log(struct rw, const char *text);
void w_dnat(struct rw, ip_addr, uint16_t port);
void w_dnat_register(struct rw);
void w_snat(struct rw, ip_addr, uint16_t port);
void w_masquerade(struct rw, bool fully_random);
void w_redirect(struct rw, uint16_t port);
void w_reject(struct rw, enum reject_kind);
void w_verdict(struct rw, enum op_code);                                                /* ACCEPT DROP RETURN NOTRACK */
void w_jump(struct rw, chain_h);
void w_goto(struct rw, chain_h);
void w_unknown(struct rw, const char *text, unsigned may_be);
void w_account(struct rw, const char *nfacct);                                         /* a named counter; always holds */
/* Elements. key: one ip_addr per key field (numbers in .lo); INTERVAL: first and last. */
struct elem *set_add(struct ruleset *, set_h, const ip_addr *key);                      /* finds or adds; NULL only if the set is not ours to write */
struct elem *set_add_verdict(struct ruleset *, set_h, const ip_addr *key, enum op_code, chain_h);
struct elem *set_add_value(struct ruleset *, set_h, const ip_addr *key, ip_addr addr, uint32_t port);
void set_add_cidr(struct ruleset *, set_h, struct cidr);                                /* of an INTERVAL set of one address field; overlapping ranges are merged by ruleset_finish */
static inline ip_addr word(uint64_t n) { return (ip_addr){ 0, n }; }
str elem_comment(const struct ruleset *owner, const struct elem *);                     /* NULL: none */
const struct elem *set_lookup(const struct ruleset *owner, const struct set *, const struct set_body *, const ip_addr *key);

/* A long chain (iptables' KUBE-SERVICES) is mostly rules for one destination each. Which of its rules can hold for a packet to dst, in order: begin with at = 0;
 * UINT32_MAX: no more. A rule that is left out fails before it does anything (chain_index.c). */
struct chain_at { const struct chain_index *index; uint32_t nr, rule, same, other; };
struct chain_at chain_rules(const struct ruleset *owner, const struct chain_body *, ip_addr dst);
uint32_t chain_next(struct chain_at *);

/* Printing (print_nft.c, print_iptables.c). */
/* most: elements of a set, rules of a chain, chains without a hook that are printed, and how many more there are; 0: all. */
struct print_rules { bool causes; bool counters; bool comments; const char *only_table, *not_table; uint32_t most; };
void print_nft(const struct ruleset *, const struct print_rules *, void (*cause)(void *, cause_h, struct sb *), void *ctx, struct sb *);     /* as `nft list ruleset` */
void print_iptables(const struct ruleset *, enum nf_family, const struct print_rules *, void (*cause)(void *, cause_h, struct sb *), void *ctx, struct sb *);       /* as iptables-save; NF_IP or NF_IP6 */
void rule_text(const struct ruleset *owner, const struct chain *, const struct rule *, struct sb *);           /* one rule, as its tool lists it, without comment */
bool rule_is_no_text(const struct ruleset *owner, const struct rule *);  /* ours, and it says only that nobody can tell (OP_UNKNOWN): printed as a comment */
void elem_text(const struct ruleset *owner, const struct set *, const struct elem *, struct sb *);

#endif
