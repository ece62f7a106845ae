/* The network that the objects imply, as plain data: for each node and Pod its namespaces, links, addresses, routes, neighbours, listeners, settings and
 * rules. Compiled from the cluster; walked by sim/trace, printed by print_*.c, built by sim/linux. A walk needs nothing else.
 *
 * Made to be shared, and made when it is looked at. Rules of nodes stand on their variant's (ruleset.h); routes to Pod blocks are one shared table, from
 * block to owner. A namespace has its handle from the beginning, and its links, addresses, routes and listeners from the first time that somebody enters
 * or prints it (netns_get); its rules from dataplane_node_ready. Handles follow the order of the objects, whatever was looked at first.
 *
 * Kept up to date. dataplane_update takes in what has changed in the cluster since: what depends on it is thrown away and written again when it is looked at. Then
 * Pods have come and gone, so handles do not follow the order of the objects any more, and some stand for nothing: who goes through all uses NETNS_EACH. Nothing
 * that was taken from the dataplane (pointers, traces, lowered rules) may be used after an update. */
#ifndef PODWIRE_DATAPLANE_H
#define PODWIRE_DATAPLANE_H

#include "model/base/err.h"
#include "model/dataplane/ruleset.h"

typedef struct { uint32_t i; } netns_h;
typedef struct { uint32_t i; } link_h;

/* Why something is there: an object (by its handle's number), a path in it, and what it follows from in turn. File and line are found on demand. */
struct cause { uint32_t object; str path; cause_h because; };

enum netns_kind { NS_NODE, NS_POD, NS_ROUTER, NS_CLIENT, NS_FABRIC };
enum link_kind { LINK_LO, LINK_VETH, LINK_BRIDGE, LINK_VXLAN, LINK_IPIP, LINK_PHYS /* a port of a segment: a node's uplink */ };
struct link {
	str name;
	uint8_t kind;
	bool up, proxy_arp, forwarding, route_localnet, hairpin;
	uint8_t rp_filter;              /* 0 off, 1 strict, 2 loose; the effective value */
	uint32_t mtu;
	netns_h netns;
	link_h peer;                    /* VETH; 0 as long as the other end is not written: link_peer */
	netns_h toward;                 /* VETH: where the other end is */
	link_h master;                  /* port of that bridge */
	uint32_t segment;               /* PHYS: links of one number are on one L2 */
	bool lone;                      /* PHYS: behind a NAT of its own; nobody told what is there */
	uint32_t addr, nr_addrs;        /* → dp->addrs */
	uint8_t mac[6];
	uint32_t vni; ip_addr local;    /* VXLAN, IPIP: own outer address */
	uint16_t loss_permille;         /* impairment, by fault; 1000: cut */
	uint32_t carries;               /* PHYS: what is larger vanishes behind it, unknown to its MTU; 0: everything passes */
	cause_h cause;
};
extern const char *const link_kind_names[];      /* as behind `link/` of `ip link`, tunnels by their kind; PHYS: ether */
struct if_addr { ip_addr ip; uint8_t len; link_h link; };
enum route_type { RT_UNICAST, RT_BLACKHOLE, RT_UNREACHABLE, RT_PROHIBIT, RT_THROW /* go on with the next rule */ };
enum { TABLE_DEFAULT = 253, TABLE_MAIN = 254, TABLE_LOCAL = 255 };      /* struct route: 0 is the main table too */
enum route_proto { RTP_KERNEL, RTP_BOOT, RTP_STATIC, RTP_BIRD, RTP_FELIX, RTP_FLANNEL };
extern const char *const route_type_names[], *const route_proto_names[];         /* iproute2's words; RT_UNICAST and protocols that it does not show: "" */
struct route {
	struct cidr dst;                /* len 0: default */
	uint8_t type, proto;
	uint32_t table, metric;         /* of policy routing: looked into only where a rule says so */
	bool onlink, scope_link;
	ip_addr via;                    /* unset: on the link */
	link_h dev;
	ip_addr src;                    /* preferred source; unset: none */
	const ip_addr *also;            /* further next hops of equal cost on the same link: each flow takes one of all */
	uint32_t nr_also;
	uint8_t hop;                    /* not 0: another next hop of the route with the same destination, table and metric; lookups find the first (0) alone */
	bool several;                   /* there are such, on another link */
	ip_addr encap;                  /* outer destination of a tunnel route (VXLAN FDB, IPIP): the owner node's address; unset: none */
	cause_h cause;
};
/* `ip rule`: a namespace without any has the usual three (local, main, default). */
enum ip_rule_does { RULE_LOOKUP, RULE_GOTO, RULE_BLACKHOLE, RULE_UNREACHABLE, RULE_PROHIBIT, RULE_NOP };
struct ip_rule {
	uint32_t priority;
	struct cidr from, to;           /* not set: all */
	bool not, v6, unknown;          /* unknown: it asks for what no walk knows (uid range, tos, ports …): text says it */
	str iif, oif, text;
	uint32_t mark, mask;            /* mask 0: any */
	uint8_t does;                   /* enum ip_rule_does */
	uint32_t table, target;         /* LOOKUP: its table; GOTO: a priority */
	int suppress;                   /* routes of prefixes up to this length do not count; -1: all count */
};
struct flow_key { ip_addr src, dst; uint32_t mark; str iif, oif; bool iif_unknown; };
enum listen_kind { LISTEN_PORT, LISTEN_ANY /* nothing is known of what it listens on: it listens where it is asked, `assumed` */ };
struct listener { uint8_t kind, proto; uint16_t port; ip_addr addr /* unset: any */; str container; cause_h cause; bool http; };
struct neigh { ip_addr ip; link_h dev; uint8_t mac[6]; bool failed; };

struct netns {
	str name;                       /* node/worker-1, pod/default/web, client, router */
	uint8_t kind;
	bool forward4, forward6, bridge_nf;
	bool down;                      /* a dead node: nothing answers */
	bool captured;                  /* read from a real node: what is behind its links is taken to exist and to answer */
	bool addrs_unknown;             /* nobody told all of them */
	uint8_t routes_unknown;         /* likewise; 1: IPv4, 2: IPv6 */
	uint32_t object;                /* handle number of the Node or Pod; 0 */
	netns_h node;                   /* of a Pod: its node */
	struct { uint32_t at, nr; } ip_rules;   /* → dp->ip_rules */
	struct { uint32_t at, nr; } links;      /* handles at … at + nr − 1, in interface order: netns_link */
	VEC(struct route) routes;               /* longest first */
	VEC(struct listener) listeners;
	struct ruleset *rules;          /* NULL: none */
	bool ended;                     /* its routes are in order, its addresses known (netns_end) */
	uint32_t ready;                 /* own rules compiled (dataplane_node_ready) when dp->rules_age was this; 0: not yet */
	bool uses_blocks;               /* its routes go on in the shared table dp->blocks */
	link_h uplink;
	str hostname;
};

/* The shared table: Pod blocks and their owners. A node's route to a block follows from it, its own blocks being blackholes (Calico). */
struct block {
	struct cidr cidr;
	netns_h owner;
	cause_h cause;
	bool borrowed, withdrawn;       /* withdrawn: the other nodes have no route to it any more (BGP) */
	uint8_t tunnel;                 /* what leads there from other nodes: LINK_VXLAN, LINK_IPIP, or 0 (the owner is the next hop itself) */
	uint8_t proto;                  /* enum route_proto: who writes the routes to it */
	ip_addr via;                    /* the owner's address of the block's family; unset: none */
};

/* An endpoint address that no object owns (cli-contract, `assumed`). */
struct assumed { ip_addr ip; uint16_t port; netns_h node; cause_h cause; const char *doubt /* what becomes of it nobody can tell, and why; NULL: it is taken to answer */; };
/* An address on an L2, and who answers for it. */
struct on_segment { uint32_t segment; ip_addr ip; netns_h netns; };

struct dataplane;
/* The compiler's side: what writes a part of the dataplane at its first use. ctx belongs to it. */
struct dataplane_writer {
	void (*netns)(void *ctx, struct dataplane *, netns_h);          /* name, links, addresses, routes, listeners */
	void (*rules)(void *ctx, struct dataplane *, netns_h);          /* of a node */
	void (*assumed)(void *ctx, struct dataplane *);                 /* dp->assumed */
	netns_h (*find)(void *ctx, const struct dataplane *, const char *name);         /* of a namespace that may not be written yet */
	void (*holders)(void *ctx, void (*add)(void *to, ip_addr, netns_h), void *to);  /* every address of a node or Pod, with its namespace */
	bool (*assumable)(void *ctx, ip_addr);                          /* may dp->assumed have it? */
	void (*order)(void *ctx, struct dataplane *);                   /* dp->order: all namespaces, in the order of the objects */
	void (*end)(void *ctx);                                         /* before it is freed; may be NULL */
};

#define LINKS_EACH 256u                 /* links lie in pieces that never move */
struct dataplane {
	struct arena *arena;
	struct strtab *strings;
	VEC(struct netns *) netns;      /* [0] unused, as for all tables below that have handles; NULL: not written yet */
	VEC(struct link *) link_pieces;
	uint32_t nr_links;
	VEC(struct if_addr) addrs;
	VEC(struct ip_rule) ip_rules;   /* in order of priority */
	VEC(struct neigh) neighs;
	VEC(struct cause) causes;
	VEC(struct block) blocks;       /* sorted by address, disjoint but for borrowed /32s, which come first where equal */
	bool blocks_disjoint;           /* but for borrowed ones */
	struct map netns_by_name;       /* of those that are written */
	struct map addr_owner;          /* hash of (namespace, address) → the link that has it; of those that are written */
	VEC(struct on_segment) on_segment;      /* in the order of namespaces */
	struct map segment_ip;          /* hash of (segment, ip) → index in on_segment + 1 */
	VEC(struct assumed) assumed;    /* written at the first packet to an address that nobody has: dataplane_assumed */
	bool assumed_known;
	uint32_t rules_age;             /* counts on when nodes' rules are no longer what they were */
	bool moved;                     /* handles do not follow the order of the objects: `order` has it, once known */
	VEC(netns_h) order; bool order_known;
	const struct bgp_hearing *hearing;      /* which node hears of whose blocks by BGP (bgp.h); NULL: each of all */
	struct map node_number;         /* with it: handle of a node's namespace → its number there + 1 */
	bool blackhole_own;             /* a node has a blackhole route for each block of its own (Calico) */
	const struct dataplane_writer *writer;  /* NULL: all is there (tests) */
	void *ctx;
};

void netns_write(const struct dataplane *, netns_h);
static inline struct netns *netns_get(const struct dataplane *dp, netns_h h)    /* written now, if it was not; stays where it is */
{
	assert(h.i && h.i < dp->netns.nr);
	if (!dp->netns.v[h.i])
		netns_write(dp, h);
	return dp->netns.v[h.i];
}
static inline struct link *link_get(const struct dataplane *dp, link_h h)       /* stays where it is */
{
	assert(h.i && h.i < dp->nr_links);
	return &dp->link_pieces.v[h.i / LINKS_EACH][h.i % LINKS_EACH];
}
link_h link_peer(const struct dataplane *, link_h);                             /* the other end of a veth; .i 0: none */
static inline link_h netns_link(const struct netns *ns, uint32_t k) { return (link_h){ ns->links.at + k }; }     /* k < ns->links.nr */
netns_h netns_find(const struct dataplane *, const char *name);                 /* .i 0: none */
uint32_t netns_nth(const struct dataplane *, uint32_t k);                       /* number of the handle of the k-th namespace, from 0; 0: there are no more */
/* for each namespace, in the order of the objects: h is the number of its handle */
#define NETNS_EACH(dp, h) for (uint32_t h##_at = 0, h; (h = netns_nth(dp, h##_at)) != 0; h##_at++)
link_h link_find(const struct dataplane *, netns_h, const char *name);
void dataplane_node_ready(const struct dataplane *, netns_h);                   /* compiles what is not compiled yet */
const struct cause *cause_get(const struct dataplane *, cause_h);
cause_h cause_add(struct dataplane *, uint32_t object, const char *path, cause_h because);

/* Building (used by compile.c and cni_*.c). Links of one namespace, and addresses of one link, are added in one go: finish one before the next. */
netns_h netns_add(struct dataplane *, enum netns_kind, const char *name);       /* reserve and begin; dataplane_finish ends it */
netns_h netns_reserve(struct dataplane *);                                      /* a handle whose namespace is written later */
struct netns *netns_begin(struct dataplane *, netns_h, enum netns_kind, const char *name);
void netns_end(struct dataplane *, netns_h);                                    /* orders its routes, enters its addresses */
void routes_order(struct netns *);                                              /* as lookups find them (routes.c) */
void segment_add(struct dataplane *, uint32_t segment, ip_addr, netns_h);       /* that namespace has (or will have) a port with this address there */
link_h link_add(struct dataplane *, netns_h, const char *name, enum link_kind);
void addr_add(struct dataplane *, link_h, ip_addr, uint8_t len);
struct route *route_add(struct dataplane *, netns_h, struct cidr dst);          /* valid until the next route_add */
struct listener *listener_add(struct dataplane *, netns_h, uint8_t proto, uint16_t port);       /* valid until the next listener_add */
void dataplane_begin(struct dataplane *);                                       /* makes the unused entry 0 of each table; dp->arena and dp->strings are set */
void dataplane_finish(struct dataplane *);                                      /* orders the blocks, ends the namespaces that were begun; call once */
void netns_forget(struct dataplane *, netns_h);                                 /* to be written again when somebody looks */
void dataplane_order_blocks(struct dataplane *);
void dataplane_write_all(const struct dataplane *);                             /* every namespace, in order, as for a print of everything */

/* Asking, as the kernel answers. */
bool addr_is_local(const struct dataplane *, netns_h, ip_addr);                 /* fib type local: own addresses, 127.0.0.0/8, ::1 */
link_h addr_link(const struct dataplane *, netns_h, ip_addr);                    /* the link that has the address; .i 0: none */
link_h tunnel_of(const struct dataplane *, netns_h node, enum link_kind, bool v6);      /* the node's tunnel of that kind over that family; .i 0: none */
/* Where r has several: the next one behind r that leads out by another link. Which of them a connection takes its hash decides. */
bool route_next_hop(const struct dataplane *, netns_h, const struct route *r, struct route *out);
/* Longest prefix of the namespace's own routes, then of the shared blocks. false: no route (unreachable). */
bool route_lookup(const struct dataplane *, netns_h, ip_addr dst, struct route *out);
/* The same by policy routing: which rule, which table. -1: cannot tell (*why), 0: no route, 1: *out. Without rules it is route_lookup. */
int route_lookup_flow(const struct dataplane *, netns_h, const struct flow_key *, struct route *out, const char **why);
/* Would a packet to this local address be delivered here, or does a rule before the local table lead it elsewhere? */
bool route_is_local(const struct dataplane *, netns_h, const struct flow_key *);
const struct block *block_of(const struct dataplane *, ip_addr);        /* the smallest shared block that holds the address; NULL: none */
ip_addr source_for(const struct dataplane *, netns_h, const struct route *, ip_addr dst);       /* the address the kernel would pick */
ip_addr masquerade_addr(const struct dataplane *, netns_h, link_h out, ip_addr dst);            /* the one that a masquerade takes (source_addr.c) */
link_h segment_owner(const struct dataplane *, uint32_t segment, ip_addr);      /* .i 0: nobody answers */
/* Endpoint addresses that no object owns and that are this one: the first of them, the rest behind it until another address comes; NULL: none. */
const struct assumed *assumed_find(const struct dataplane *, ip_addr, uint32_t *nr);
void routes_of(const struct dataplane *, netns_h, struct arena *, struct route **v, uint32_t *nr);     /* all, shared ones spelled out, in the order of `ip route` */
uint32_t routes_nr(const struct dataplane *, netns_h);                          /* how many that are */

/* Printing (print_ip.c, print_sh.c): what a person could type. */
void print_ip(const struct dataplane *, netns_h, struct sb *);                  /* ip link, ip addr, ip route, sysctl lines of one namespace */
void print_links(const struct dataplane *, netns_h, struct sb *);
void print_neigh(ip_addr, const char *dev, const uint8_t mac[6], const char *state, struct sb *);      /* a line of `ip neigh`; mac: NULL where nobody answered */
void print_routes(const struct dataplane *, netns_h, struct sb *);
void print_next_hops(const struct dataplane *, const struct route *, struct sb *);   /* ` nexthop via …` for each of several, on one line */
void print_route(const struct dataplane *, const struct route *, struct sb *);
void print_listeners(const struct dataplane *, netns_h, struct sb *);            /* as `ss -lntu` */
void print_sh(const struct dataplane *, struct sb *);                           /* a script that builds all of it in fresh namespaces */

/* Compiling: model/dataplane/compile.c. The dataplane keeps pointers into the cluster, hears of its changes, and is freed before it;
 * after a change it is good again once dataplane_update was called. */
struct cluster;
struct dataplane *dataplane_compile(struct cluster *, struct mem *);
struct dataplane *dataplane_compile_mode(struct cluster *, struct mem *, uint8_t proxy_mode);  /* enum proxy_mode: as if its kube-proxies worked in that mode; it hears of no changes */
/* Brings it up to date with its cluster (update.c). false: it has to be compiled anew, and is good for nothing but dataplane_free. */
bool dataplane_update(struct dataplane *);
void dataplane_free(struct dataplane *);
/* print_bird.c: the configuration of BIRD 2 on that node, as calico-node would have it. Where nobody needs BGP it is a comment that says why; false then. */
bool print_bird(struct cluster *, const struct dataplane *, netns_h node, struct sb *);
/* The same for a BIRD that runs beside virtual time: no timer of its own decides that a peer is gone, and peers whose routes the simulation has withdrawn are left out. */
bool print_bird_lab(struct cluster *, const struct dataplane *, netns_h node, struct sb *);

#endif
