/* Inside the walk: one run along one way. Where chance decides, a run follows a script of choices and notes what else could have come; the driver (walk.c) runs
 * again until every script was followed. So nothing is copied at a fork, and each run is a straight line. */
#ifndef PODWIRE_WALKER_H
#define PODWIRE_WALKER_H

#include "sim/trace/trace.h"

#define FIRST_PORT  40000       /* of a socket whose port nobody said */
#define FIRST_TTL   64
#define MAX_STEPS   64          /* namespaces and links that one packet passes */

/* A connection as one namespace's conntrack holds it. */
struct ct {
	netns_h ns;
	struct tuple orig, reply;               /* reply: what an answer looks like when it comes in */
	bool dnat, snat;                        /* rewritten */
	bool dst_done, src_done;                /* the nat chains have had their say */
	uint32_t mark;
	bool seen_reply, assured;
	bool invalid;                           /* no connection: the packet passes unless a rule drops what is INVALID, and is not translated */
	nsec since, expires;                    /* of what is kept */
};

#define CTS_EACH 4
struct choice { uint32_t taken, ways; uint64_t num, den; const char *unknown; };        /* num/den: share of the way taken; unknown: nobody can tell which way, and why */

struct walker {
	const struct dataplane *dp;
	struct flows *flows;
	const struct walk_from *from;
	unsigned flags;
	struct arena *a;
	VEC(struct choice) choices;             /* the script: iptables draws once for each endpoint, so there may be many */
	uint32_t at_choice;
	struct ct *cts[2 * MAX_STEPS / CTS_EACH]; uint32_t nr_cts;      /* made in this run, in pieces: pointers to them last (ct_at) */
	struct outcome out;
	struct half *half;                      /* the direction that is being walked */
	VEC(struct hop) hops;
	/* the packet, and where it is */
	struct packet p;
	netns_h ns;
	struct ct *ct;
	bool is_reply;                          /* it goes in the connection's reply direction (of ct) */
	bool back;                              /* we walk the answer */
	bool error;                             /* which is an ICMP error: small, and RELATED */
	uint32_t steps;
	uint32_t piece;                         /* bytes of its largest fragment; 0: it is whole */
	VEC(struct considered) considered;
	bool over;                              /* half->verdict stands */
	bool assumed_outside;                   /* taken by a listener that is assumed, beyond the router */
	netns_h assumed_at;                     /* the node beside which it is assumed */
	link_h left_by;                         /* the link by which it left a captured node */
	struct map *met;                        /* unknown choices that other runs came to in the same state: see forks.c */
	bool same;                              /* from here on this run is another one again */
	uint32_t runs;
};

static inline struct ct *ct_at(const struct walker *w, uint32_t k) { return &w->cts[k / CTS_EACH][k % CTS_EACH]; }

/* ---- verdicts */
void end(struct walker *, enum verdict, const char *fmt, ...) PRINTF(3, 4);
struct hop *add_hop(struct walker *, enum stage, link_h, const char *fmt, ...) PRINTF(4, 5);   /* NULL if nothing is recorded */
struct hop *note_hop(struct walker *, enum stage, link_h, const char *decision);        /* the same for words that last as long as the walk */
struct tuple tuple_of(const struct packet *);
struct tuple inverse(struct tuple);
bool same_tuple(const struct tuple *, const struct tuple *);
uint32_t choose_way(struct walker *, uint32_t ways, uint64_t num, uint64_t den);       /* ways 2 with num/den for way 0, or n equal ways (den 0) */

/* ---- forks.c: what nobody can tell is followed both ways */
#define WAY_ENDS UINT32_MAX
/* 0 or 1; WAY_ENDS: the run is over. state: a hash of all that could make a difference from here on. */
uint32_t unknown_way(struct walker *, const char *why, uint64_t state);
struct ran { struct outcome out; struct choice *script; uint32_t nr; };         /* one run: what came out, and its choices */
struct ran ran_of(const struct walker *, struct arena *);
struct trace merge_runs(const struct ran *, uint32_t nr, struct frac certain, struct arena *);        /* certain: the share of runs that met no gap */

/* ---- conntrack.c */
void track(struct walker *);                    /* at the entry of a namespace: finds or makes the connection; sets p.ct_state, p.ct_status */
void nat_dst(struct walker *);                  /* rewrites by what the connection says */
void nat_src(struct walker *);
void set_dnat(struct walker *, ip_addr, uint16_t port);
void set_snat(struct walker *, ip_addr, uint16_t port);

/* ---- hooks.c: false: the packet ends here */
bool run_hook(struct walker *, enum nf_hook, link_h where);

/* ---- path.c, link.c */
void leave_socket(struct walker *);             /* w->p, w->ns: from a process */
void come_in(struct walker *, link_h in);       /* from a link, into w->ns */
void route_on(struct walker *, link_h in, bool from_socket);
void transmit(struct walker *, const struct route *);
bool link_answers(const struct dataplane *, link_h far, ip_addr hop);   /* does the namespace behind this end answer ARP for the address? */
uint32_t largest_piece(const struct walker *);          /* bytes that a link has to carry at once; 0: few */
bool flows_has(struct flows *, const struct dataplane *, netns_h, set_h, const ip_addr *key, uint8_t n);
void flows_add(struct flows *, const struct dataplane *, netns_h, set_h, const ip_addr *key, uint8_t n, uint32_t seconds);
bool same_outcome(const struct outcome *, const struct outcome *);
struct frac frac_of_choices(const struct choice *, uint32_t nr);
struct ct *flows_find(struct flows *, const struct dataplane *, netns_h, const struct tuple *, bool *reply);
void flows_keep(struct flows *, const struct dataplane *, const struct ct *);
void flows_used(struct flows *, struct ct *);           /* a packet of a kept connection: it lasts longer */
uint64_t flows_draw(struct flows *);
uint64_t flows_draws(const struct flows *);     /* how many there were: a walk that keeps nothing takes its own back */
void flows_set_draws(struct flows *, uint64_t);

#endif
