/* Which node has which part of the Pod range, and how full it is. */
#ifndef PODWIRE_IPAM_REPORT_H
#define PODWIRE_IPAM_REPORT_H

#include "sim/engine/world.h"

/* The world's dataplane is compiled already. */
void ipam_text(struct world *, struct sb *);

#endif
