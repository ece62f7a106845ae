/* Nearest miss: the smallest change of labels, ports or rules that would open a connection which policy denies, or close one that it allows, as a patch that
 * `kubectl patch` takes. Every patch is applied to the given cluster, asked again, and taken back; only what turned the answer is told. */
#ifndef PODWIRE_REACH_NEAREST_H
#define PODWIRE_REACH_NEAREST_H

#include "sim/reachability/grid.h"

struct near_patch { const char *object, *ns, *type, *patch; };  /* networkpolicy/db, shop, json|merge, the patch as JSON */
struct near_miss {
	struct near_patch v[2]; uint32_t nr;    /* two where both ends deny, two rules allow, or it takes labels of two objects */
	uint64_t others;                        /* pairs of Pods besides this one that it opens or closes on that port */
	const char *what;                       /* in words */
};
struct near_misses { struct near_miss *v; uint32_t nr; bool opens; const char *none; };         /* the smallest first, three at most; none: why there is none */

/* The cluster must be the caller's own copy: it is changed and changed back. Ends as reach_find knows them. */
struct near_misses reach_nearest(struct cluster *copy, const ip_addr *external, uint32_t nr_external, const char *from, const char *to, uint8_t proto, uint16_t port, struct arena *);
bool label_is_made_up(const char *key);           /* does a controller give Pods that label? Another Pod in its place has another value */
const char *near_command(const struct near_patch *, struct arena *);    /* the whole command, quoted for a shell */

#endif
