/* How a whole cluster fared while time passed: a few numbers for each moment at which one of them changed. For clusters that are small enough to be counted at every
 * moment; of others it keeps nothing, and says so. */
#ifndef PODWIRE_CENSUS_H
#define PODWIRE_CENSUS_H

#include "sim/engine/world.h"

enum { CENSUS_PODS = 3000 };                    /* more are not counted */
struct census_point {
	nsec at;
	uint32_t pods, ready;                   /* that are not done, and of those the ready ones */
	uint32_t endpoints;                     /* ready ones of all Services outside of the system namespaces; a Pod counts once a slice */
	uint32_t nodes;
	uint32_t sessions, sessions_up;         /* of BGP between nodes */
	uint32_t behind;                        /* nodes whose kube-proxy has not programmed yet what the slices say, or is stopped */
	uint32_t faults;                        /* that last */
};
struct census { struct arena *arena; VEC(struct census_point) points; bool too_many; };

void census_begin(struct census *, struct arena *);
/* For world_options.watch; ctx is the census. */
void census_look(void *ctx, struct world *);
/* What was so at that moment; NULL: nothing is known of it. */
const struct census_point *census_at(const struct census *, nsec at);

#endif
