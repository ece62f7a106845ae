/* Inside of capture.c: what the readers of the single formats (read_*.c) share. A text is cut into parts, each the output of one command; a reader gets one part and
 * writes what it says into the node. Readers never fail: what they do not understand they note. */
#ifndef PODWIRE_READ_H
#define PODWIRE_READ_H

#include "model/dataplane/capture.h"
#include "model/dataplane/packet.h"

enum part_format { PART_NONE, PART_IPTABLES /* -save and -S */, PART_IPTABLES_LIST, PART_IPSET, PART_NFT, PART_LINK /* ip addr, ip link */, PART_ROUTE, PART_RULE, PART_NEIGH,
	PART_FDB, PART_SYSCTL, PART_IPVS, PART_SS, PART_BIRD_ROUTES, PART_COUNT };
extern const char *const part_names[PART_COUNT];

struct part {
	uint8_t format;
	str file; uint32_t line;        /* of its first line, from 1 */
	const char *text; size_t n;
	str command;                    /* as typed, or the file's name; NULL: nobody knows */
	bool v6;                        /* ip6tables, -6 */
	bool cut;                       /* piped through a filter, elided, or only what one name selects */
	bool sorted;                    /* its lines are sorted: their order is lost */
	str table;                      /* iptables -t; ip route table; NULL */
};

struct link_in { str name, master, peer_name, netns; uint32_t index, mtu, vni, vrf /* the table of what is enslaved to it; 0: none, or not told */; uint8_t kind; bool up, known; ip_addr local; uint8_t mac[6]; };
struct addr_in { str dev; ip_addr ip; uint8_t len; bool derived; };
struct route_in { struct route r; str dev; };
struct neigh_in { ip_addr ip; str dev; uint8_t mac[6]; bool failed; };
struct fdb_in { str dev; uint8_t mac[6]; ip_addr dst; };
struct conf_in { str dev, key; int64_t value; };

enum { IPT_RAW, IPT_MANGLE, IPT_NAT, IPT_FILTER, IPT_SECURITY, IPT_TABLES };
extern const char *const ipt_tables[IPT_TABLES];
struct table_in { bool seen, cut; };

struct node_in {
	struct capture *cap;
	struct arena *arena;            /* the dataplane's */
	struct strtab *strings;
	str name;
	struct ruleset *rules;
	table_h ipsets;
	struct map declared;            /* chain_h → 1: its rules were listed */
	struct map set_gaps;            /* set_h → 1: not all of its elements are known */
	struct table_in ipt[2][IPT_TABLES];
	bool whole_save[2];             /* an iptables-save of all tables: those that it does not show do not exist */
	bool nft_seen, legacy_hidden;
	bool has_addr, has_link, has_route[2], has_rule[2], has_listeners, elsewhere;
	VEC(struct link_in) links;
	str programs;                   /* a link that says that eBPF programs see its packets first; NULL: none does */
	VEC(struct addr_in) addrs;
	VEC(struct route_in) routes;
	VEC(struct ip_rule) ip_rules;
	VEC(struct neigh_in) neighs;
	VEC(struct fdb_in) fdbs;
	VEC(struct conf_in) confs;
	VEC(struct listener) listeners;
};

void note(struct node_in *, enum note_kind, const struct part *, uint32_t line, const char *fmt, ...) PRINTF(5, 6);      /* part NULL: of the whole node */
struct link_in *link_in(struct node_in *, const char *name);    /* finds or adds */

/* Lines of a part: *line counts from 1 in the file. false: no more. */
struct lines { const char *p, *end; uint32_t line; };
struct lines lines_of(const struct part *);
bool next_line(struct lines *, const char **s, size_t *n);
/* Words of a line, in the arena. quotes: "…" with backslashes is one word, and the word's first byte was a quote if quoted[k]. */
struct words { const char **v; uint32_t nr, alloc; };
struct words words_of(struct arena *, const char *s, size_t n, bool quotes);
bool word_among(const char *word, const char *const *words /* NULL at the end */);
bool number_of(const char *s, uint64_t max, uint32_t *out);     /* decimal or 0x…, whole word */
bool mac_of(const char *s, uint8_t mac[6]);
bool proto_of_word(const char *s, uint32_t *proto);             /* tcp, udp, icmp, 6 … */
bool port_of_word(const char *s, uint16_t *port);               /* 443, https */

void read_iptables(struct node_in *, const struct part *);
void read_iptables_list(struct node_in *, const struct part *);
/* One rule in the words of iptables-save behind `-A CHAIN`. raw: its text. */
void read_iptables_rule(struct node_in *, const struct part *, uint32_t line, table_h, bool v6, const char *chain, const char **v, uint32_t nr, const char *raw);
table_h iptables_table(struct node_in *, bool v6, const char *name);
chain_h iptables_chain(struct node_in *, table_h, const char *name, const char *policy);        /* declares it; policy NULL: none told */
void read_ipset(struct node_in *, const struct part *);
set_h ipset_find(struct node_in *, const char *name);           /* .i 0: not listed */
void read_nft(struct node_in *, const struct part *);
void read_ip_link(struct node_in *, const struct part *);
void read_ip_route(struct node_in *, const struct part *);
void read_ip_rule(struct node_in *, const struct part *);
void read_ip_neigh(struct node_in *, const struct part *);
void read_fdb(struct node_in *, const struct part *);
void read_sysctl(struct node_in *, const struct part *);
void read_ipvs(struct node_in *, const struct part *);
void read_ss(struct node_in *, const struct part *);
void read_bird_routes(struct node_in *, const struct part *);
void capture_build(struct node_in *, const struct capture_options *);   /* the node in the capture's dataplane, when all of it is read (capture_build.c) */

/* JSON of podwire capture, nft -j and ip -j as the texts that the tools print without -j, so that each format has one reader: calls give for each (node and command may be
 * NULL). false: it is none of them, or no JSON. The texts are in the arena. */
typedef void (*json_give)(void *ctx, const char *node, const char *command, const char *text);
bool capture_json(struct arena *, const char *json, size_t n, json_give, void *ctx);
/* One value of `nft -j list ruleset` as nft prints it. */
struct cJSON;
void nft_json_text(const struct cJSON *ruleset, struct sb *out);

#endif
