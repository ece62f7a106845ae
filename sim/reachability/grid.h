/* The table of an answer: who may reach whom, between Pods and addresses, workloads, namespaces or classes, for ports of which all have the same answer. What the
 * command prints, a figure draws and a gate judges. */
#ifndef PODWIRE_REACH_GRID_H
#define PODWIRE_REACH_GRID_H

#include "sim/reachability/reach.h"

/* One port, a range, or the number that each destination's containers give a name. */
struct reach_port { uint8_t proto; uint16_t lo, hi; const char *name; };
enum reach_rows { ROWS_POD, ROWS_WORKLOAD, ROWS_NAMESPACE, ROWS_CLASS };

struct reach_grid {
	struct reach_port port;                 /* of a range: a part of it that has one answer */
	const char **names; uint32_t nr;
	uint32_t *pods;                         /* that a name stands for; 0: an address outside */
	uint64_t *allowed, *pairs;              /* [from × nr + to]: connections, of how many; pairs 0: nothing can be asked (no port of that name), or told */
	bool *unknown;                          /* likewise: a policy that is not modelled decides about some of them */
};
#define GRID_MAX_ENDS 5000

/* Tables for the ports, a range as one table for each part of it; neighbours that say the same are joined. false: err (more than GRID_MAX_ENDS rows). */
typedef VEC(struct reach_grid) reach_grids;
struct reach_filter { const char *ns; const struct selector *labels; };         /* only these Pods; NULL: all */
bool reach_grids_make(struct reach *, enum reach_rows, const struct reach_filter *, const struct reach_port *, uint32_t nr, struct arena *, reach_grids *out, struct err *);

const char *reach_port_text(const struct reach_port *, struct arena *);         /* TCP/80, UDP/53-60, TCP/http */
enum grid_cell { CELL_NONE, CELL_ALLOWED, CELL_DENIED, CELL_PART, CELL_ADDED, CELL_REMOVED, CELL_UNKNOWN };
/* was: the table before a change, or NULL; names that it lacks are as before. */
enum grid_cell reach_cell(const struct reach_grid *, const struct reach_grid *was, uint32_t from, uint32_t to);
const struct reach_grid *reach_grid_same(const reach_grids *, const struct reach_grid *like);   /* the table of the same ports; NULL: none */
int64_t reach_grid_find(const struct reach_grid *, const char *name);

#endif
