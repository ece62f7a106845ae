/* A namespace's nf_tables rulesets: made as a whole the first time, and then changed by what differs: chains, sets, elements. What a set has learned (session affinity)
 * and the order of base chains stay. */
#ifndef PODWIRE_LINUX_NF_TABLES_H
#define PODWIRE_LINUX_NF_TABLES_H

#include "model/dataplane/dataplane.h"

/* What a namespace has been given, as digests; NULL: nothing. */
struct nf_kept;
void nf_kept_free(struct nf_kept *);

struct nf_change {
	const struct ruleset *rs;       /* what should be there; NULL: nothing */
	const struct nf_kept *from;     /* what is; NULL: nothing */
	bool forget;                    /* whatever there is goes first, tables of others as well: nobody knows what it is */
	bool anew;                      /* the tables of `from` are written as a whole, whether they are still there or not */
	int fd;                         /* nf_open */
	const char *where;              /* the namespace, for errors */
	void (*cause)(void *ctx, cause_h, struct sb *);         /* who wants a rule that the kernel refuses; NULL */
	void *ctx;
};
enum nf_done { NF_SAME, NF_CHANGED, NF_FAILED /* nobody knows what is there now */, NF_CANNOT /* nothing was done: *why has no spelling */ };
/* One transaction; only a namespace that has nothing yet gets many rules in several, as the kernel's time grows with the square of the anonymous sets in one. kept: what
 * is there now, for the next change; the caller's. */
enum nf_done nf_sync(const struct nf_change *, struct nf_kept **kept, const char **why, struct err *);

/* Of the message at which the kernel failed, as nf_send asks for it; ctx: the nf_change (nf_say.c). A rule is told by its text and by who wants it. */
struct nf_batch;
struct nlmsghdr;
void nf_say(void *ctx, const struct nf_batch *, const struct nlmsghdr *, char *out, size_t n);

/* The tables that are nft's, in the order in which they are written: of base chains with one priority the kernel asks the one first that was registered last
 * (net/netfilter/core.c, nf_hook_entries_grow), so the walk's first table comes last, as felix comes after kube-proxy. In the arena. */
table_h *nf_tables_in_order(const struct ruleset *, struct arena *, uint32_t *nr);

#endif
