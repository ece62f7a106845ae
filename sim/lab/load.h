/* Inside of load.c, rows.c and undo.c: a cluster on its way out of the file. */
#ifndef PODWIRE_LAB_LOAD_H
#define PODWIRE_LAB_LOAD_H

#include "sim/lab/bundle.h"

struct loading {
	struct lab *lab;
	struct cluster *cluster;
	struct arena *arena;            /* the cluster's */
	struct arena *scratch;          /* for one row */
	int64_t input;
	struct { int64_t seed, rows, whole, whole_bytes, flags_of; const char *flags; } fact;   /* whole 0: there is none, or it is of later. flags_of: the command that set the flags; 0: the first */
	sqlite3_stmt *spec;
	struct map specs;               /* row + 1 → struct pod_spec */
	sqlite3_stmt *shape;
	struct map shapes;              /* row → struct pod without what its own row says */
	struct segment_reader segments;
	struct err *err;
};

/* Of the tables object and object_was of older labs, in the order that row_object wants (rows.c). */
#define ROW_COLUMNS "id, input, api, kind, ns, name, uid, life, rev, generation, created, deleted, file, line, gone, spec, own, state, doc, places, shape, node, ip, segment, at"
bool rows_begin(struct loading *);
void rows_end(struct loading *);
struct object *row_object(struct loading *, sqlite3_stmt *);    /* not yet in the cluster. NULL: err */

const char *text_at(sqlite3_stmt *, int at);
struct val *piece_json(struct loading *, struct arena *, const struct piece *);    /* NULL where there is none, or err */
struct val *json_at(struct loading *, sqlite3_stmt *, int at);
/* What stands in the columns from `first` on, or in a segment. */
bool pieces_at(struct loading *, sqlite3_stmt *, int first, int segment, struct piece *, uint32_t nr);
struct val *document_of(struct loading *, const struct piece [2]);      /* JSON, and its places */

#endif
