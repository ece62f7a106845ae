/* What a client would have noticed while time passed: at each moment at which something changed, a node asks each Service that answered before. Lost is what is refused,
 * dropped or not answered in any of its outcomes. For small clusters; of others it keeps nothing, and says so. */
#ifndef PODWIRE_PROBING_H
#define PODWIRE_PROBING_H

#include "sim/engine/world.h"

enum { PROBING_PODS = 200, PROBING_SERVICES = 12 };     /* more are not asked */
struct probing_point { nsec at; uint32_t asked, lost; const char *what; };      /* what: the first that is lost, and why; NULL: none */
struct probing {
	struct arena *arena;
	VEC(struct probing_point) points;
	bool too_many;
	struct map answered;                    /* Services that did, by namespace and name */
	rev_t rev; uint64_t views;              /* of the last look */
};

void probing_begin(struct probing *, struct arena *);
/* For world_options.watch; ctx is the probing. */
void probing_look(void *ctx, struct world *);
/* The worst from one moment up to before another; NULL: nothing is known. */
const struct probing_point *probing_worst(const struct probing *, nsec from, nsec to);

#endif
