/* The subsets of Endpoints in their canonical form: who offers each port, then the ports that the same hosts offer together; hosts in the order of their addresses' text.
 * Source: kubernetes pkg/api/v1/endpoints/util.go RepackSubsets. */
#ifndef PODWIRE_ENDPOINTS_PACK_H
#define PODWIRE_ENDPOINTS_PACK_H

#include "model/api/core.h"

struct offer { const struct ep_address *address; bool ready; };
struct offers { struct offer *v; uint32_t nr, alloc; };
struct packed { LIST(struct ep_port) ports; struct offers offers; };    /* hosts that offer the same ports */
struct packs { struct packed *v; uint32_t nr, alloc; };

/* The addresses stay where they are; the lists stand in the arena. One that is said to be ready and not ready is not ready. */
struct packs endpoints_repack(struct arena *, const struct endpoints *);

#endif
