/* What the endpointslice controller remembers, and which Services a change concerns (endpointslice_watch.c); and what the mirroring of
 * Endpoints shares with it. */
#ifndef PODWIRE_ENDPOINTSLICES_H
#define PODWIRE_ENDPOINTSLICES_H

#include "model/control/nodes.h"
#include "model/control/workloads.h"

#define LABEL_SERVICE  "kubernetes.io/service-name"
#define LABEL_MANAGER  "endpointslice.kubernetes.io/managed-by"
#define LABEL_HEADLESS "service.kubernetes.io/headless"
#define MANAGER        "endpointslice-controller.k8s.io"

struct memory {
	struct selector_index index;            /* Services by what they select */
	struct table items;                     /* slice → struct item[]: what was written into it */
	struct table selecting_pod;             /* Pod → struct selecting when last heard of: who selected it then has to look, too */
	struct map selecting;                   /* labels → struct selecting */
	uint32_t selectors;                     /* grows with every change of a Service */
	struct selecting *last;                 /* that was asked for last */
	struct map nodes;                       /* node → its zone and readiness when last heard of */
	struct table hinted;                    /* Service → 1: the zones' CPUs have given its endpoints hints (hintsPopulatedByService) */
	uint32_t nr_hinted;                     /* there have been so many such Services; 0: none ever */
	struct table judged;                    /* Service → enum judged */
	str pod, none, ipv4, ipv6;
	bool writing;                           /* the change at hand is its own */
};
struct selecting { str ns; pair_list labels; uint32_t selectors, nr, alloc; obj_h *v; };   /* the Services that select Pods of these labels, as of that many changes */
enum judged { JUDGED_NOT_YET, JUDGED_OURS, JUDGED_PARTIAL };

struct memory *slices_memory(const struct control *);
bool wants_slices(const struct service *);       /* it has a selector, and is no ExternalName */
/* NewPortMapKey: the same ports, in whatever order. */
bool ports_equal(const struct ep_port *, uint32_t, const struct ep_port *, uint32_t);
void slices_watch(struct control *, const struct change *);

#endif
