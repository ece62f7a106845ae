/* What a fault has done to a node's link: its annotation, "SINCE WORD…", where the words are `down`, or delay=50ms, loss=0.5 (or 50%), mtu=1400 in any number. */
#ifndef PODWIRE_LINK_FAULT_H
#define PODWIRE_LINK_FAULT_H

#include "model/api/core.h"

#define LINK_ANNOTATION "podwire.io/link"

struct link_fault {
	bool cut;
	const char *delay;              /* as written, with what follows; NULL: none */
	uint16_t loss_permille;         /* 0: none */
	uint32_t carries;               /* bytes of the largest packet that passes; 0: all */
};
struct link_fault link_fault_of(const struct node *);   /* without one all zero */

#endif
