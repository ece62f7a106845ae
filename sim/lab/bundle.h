/* Bundles: the objects that a command changed, or all of them, in few rows. */
#ifndef PODWIRE_LAB_BUNDLE_H
#define PODWIRE_LAB_BUNDLE_H

#include "sim/lab/record.h"
#include "sim/lab/store.h"

/* The key of a part. whole: of the table whole, which holds one bundle only. */
static inline int64_t bundle_place(int64_t input, uint32_t part, bool whole) { return whole ? part : input << 20 | part; }

struct known_shape;
struct bundle_writer {
	struct lab *lab;
	const struct cluster *cluster;
	int64_t input;
	bool whole;
	size_t bytes;                           /* written so far */
	sqlite3_stmt *put;
	struct pen pen;
	struct arena *arena;
	struct map kinds, shapes;
	struct known_shape *last_shape;         /* that a Pod was found to have */
	uint32_t nr_kinds, nr_shapes, part;
	struct sb handles;
	uint32_t last_id, run, nr_runs;
	int64_t last_rev, last_created;
};
bool bundle_begin(struct bundle_writer *, struct lab *, const struct cluster *, int64_t input, bool whole, struct err *);
bool bundle_add(struct bundle_writer *, const struct object *, struct err *);   /* in the order of their handles */
bool bundle_end(struct bundle_writer *, size_t *bytes, struct err *);           /* err NULL: what is not written yet is forgotten. bytes: all that it wrote */

struct bundle_reader {
	struct lab *lab;
	struct cluster *cluster;
	int64_t input;
	bool whole;
	sqlite3_stmt *get;                      /* of its table, and of its caller: SELECT body … WHERE place = ?1 */
	struct sb bytes;                        /* of the part at hand */
	struct scan scan;
	uint32_t part, last_id;
	int64_t last_rev, last_created;
	VEC(const struct kind *) kinds;
	VEC(const struct pod *) shapes;
};
bool bundle_open(struct bundle_reader *, struct lab *, struct cluster *, int64_t input, bool whole, sqlite3_stmt *get, struct err *);
/* The handles of its objects in order; once, before the first bundle_next. each answers false to what cannot be. */
bool bundle_handles(struct bundle_reader *, bool (*each)(void *ctx, uint32_t id), void *ctx, struct err *);
struct object *bundle_next(struct bundle_reader *, struct err *);      /* in the order of handles; not yet in the cluster. NULL: err */
void bundle_close(struct bundle_reader *);

/* The Pod becomes what its shape says, but for what it has of its own: its handle, names, uid, revision, times and place. */
void pod_take_shape(struct pod *, const struct pod *shape);

#endif
