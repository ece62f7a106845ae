/* A living cluster taken as it is: its dump's objects with their addresses, nodes and status; nothing invented that the dump does not call for, and said what it lacks. */
#ifndef PODWIRE_IMPORT_H
#define PODWIRE_IMPORT_H

#include "model/cluster/dump.h"
#include "sim/engine/world.h"

struct import_report {
	struct dump_report dump;
	uint32_t applied, refused;
	bool living;                            /* objects that a cluster had: with uids */
	struct texts_of { const char **v; uint32_t nr, alloc; } missing, derived;       /* for people; in the cluster's strings */
};

/* Reads the dumps into the world (before world_settle). kept (may be NULL) sees every document that was applied. opt->flags.no_defaults is set if the cluster is a living one.
 * What cannot be read or applied is a warning. false: nothing was applied. */
bool world_import(struct world *, struct world_options *, const char *const *paths, uint32_t nr, world_scenario scenario, doc_take kept, void *ctx, struct import_report *, struct err *);
/* How old is it? What a dump brought counts from the latest time in it, on which the time here follows. */
nsec import_age(const struct cluster *, const struct object *);
/* Did a dump bring this cluster, and lack objects of that kind (as in "EndpointSlice")? */
bool import_lacks(const struct world *, const char *kind);

#endif
