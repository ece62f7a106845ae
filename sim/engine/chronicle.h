/* What happens to one object while time passes: lanes of states, each with the moment at which it began. It looks after every moment, so that it sees what no
 * object tells afterwards: containers that ran and died, addresses that were given up, when each node's kube-proxy learnt of it. */
#ifndef PODWIRE_CHRONICLE_H
#define PODWIRE_CHRONICLE_H

#include "sim/engine/world.h"

struct state { nsec at; const char *text; };            /* text "": nothing any more */
struct lane { const char *name; VEC(struct state) states; bool seen; };
struct chronicle {
	struct arena *arena;
	const struct kind *kind; const char *ns, *name;
	VEC(struct lane) lanes;
	nsec now;                                       /* the last moment that was looked at */
	bool found;
};

/* kind, ns (NULL for what has none) and name are borrowed. */
void chronicle_begin(struct chronicle *, struct arena *, const struct kind *, const char *ns, const char *name);
/* For world_options.watch; ctx is the chronicle. */
void chronicle_look(void *ctx, struct world *);

#endif
