/* One look of the endpointslice controller at a Service: what its files share. endpointslice.c decides which endpoints stand in which slice; endpointslice_write.c writes them. */
#ifndef PODWIRE_ENDPOINTSLICE_VISIT_H
#define PODWIRE_ENDPOINTSLICE_VISIT_H

#include "model/control/endpointslices.h"
#include "model/control/slices.h"

struct wanted { struct pod *pod; ip_addr ip; uint8_t ready, serving, terminating; str hostname, zone, hint; };    /* hint: the zone that the zones' CPUs give it to */
struct group {                                  /* one family, one list of resolved ports */
	bool v6;
	LIST(struct ep_port) ports;
	struct { struct wanted *v; uint32_t nr, alloc; } wanted;
	struct { struct item *v; uint32_t nr, alloc; } items;   /* parallel to wanted */
	struct map place;                       /* key of an item → its place there; made when it is first asked for */
	struct slice_plans plans;
	struct group *next;
};

struct slicing {
	struct control *t;
	struct cluster *c;
	struct memory *m;
	struct service *s;
	struct arena *scratch;
	struct group *groups;
	uint32_t pods;                          /* so many have an address */
	const struct pod_spec *last_spec; struct group *last_group[2];
	struct endpointslice **have; uint32_t nr_have;  /* ours */
	bool by_cpu;                            /* hints by the zones' CPUs */
};

/* Where a slice says what it said before, its endpoints stand in the order in which they are wanted: `place` is tried first. */
struct wanted *wanted_of(const struct slicing *, struct group *, uint64_t key, uint32_t place);
str hinted_zone(const struct endpoint *);       /* NULL: none */
bool slice_labels_fit(const struct slicing *, const struct endpointslice *);     /* they are those of its Service */
/* What the plan says of one slice of the group: made, removed, or written where anything in it has changed. */
void slice_carry_out(struct slicing *, struct group *, const struct slice_plan *);

#endif
