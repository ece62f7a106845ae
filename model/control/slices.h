/* How endpoints are put into slices so that few of them are written. Pure. Source: staging/src/k8s.io/endpointslice/reconciler.go reconcileByPortMapping, finalize. */
#ifndef PODWIRE_SLICES_H
#define PODWIRE_SLICES_H

#include "model/base/arena.h"

#define MAX_ENDPOINTS 100                       /* --max-endpoints-per-slice */

struct item { uint64_t key, version; };         /* an endpoint: which, and in what state */
enum slice_action { SLICE_KEEP, SLICE_UPDATE, SLICE_CREATE, SLICE_DELETE };
struct slice_plan {
	struct item *v; uint32_t nr, alloc;     /* what stands in it, and shall stand */
	int32_t old;                            /* place among the slices that there are; -1: a new one */
	uint8_t action;
	bool dirty;                             /* in: it has to be written for other reasons (its labels) */
};
struct slice_plans { struct slice_plan *v; uint32_t nr, alloc; };

/* have: the slices of this port list and family, items filled in, `old` set. want: the endpoints that there shall be. Fills in what is to be done;
 * new slices are appended. A slice of which nothing is left is deleted. `most`: endpoints a slice may have. */
void slices_pack(struct arena *, struct slice_plans *have, const struct item *want, uint32_t nr, uint32_t most);
/* A slice that would be deleted is written anew instead of making another; old indices move over. same: may old slice `a` take the content of new slice `b`? */
void slices_finalize(struct slice_plans *, bool (*same)(void *ctx, const struct slice_plan *a, const struct slice_plan *b), void *ctx);

#endif
