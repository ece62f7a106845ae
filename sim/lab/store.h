/* Inside of the lab: the open file, and SQLite with podwire's errors. */
#ifndef PODWIRE_LAB_STORE_H
#define PODWIRE_LAB_STORE_H

#include <sqlite3.h>

#include "sim/lab/lab.h"

struct lab {
	sqlite3 *db;
	char *path;
	bool writing;                   /* the transaction is for writing, and not committed */
	int64_t input;                  /* the last command saved; 0: none */
	rev_t rev;                      /* objects with a greater one have changed since lab_load */
	uint32_t objects, events;       /* how many there were */
};

/* false, with "PATH: doing what: SQLite's words". */
bool store_failed(struct lab *, const char *doing, struct err *);
bool store_run(struct lab *, const char *sql, const char *doing, struct err *);
sqlite3_stmt *store_prepare(struct lab *, const char *sql, struct err *);       /* NULL: err */
/* One step that must end; resets the statement. */
bool store_do(struct lab *, sqlite3_stmt *, const char *doing, struct err *);
/* The first column of the first row; dflt if there is none. */
int64_t store_number(struct lab *, const char *sql, int64_t dflt);
void store_bind_text(sqlite3_stmt *, int at, const char *s);   /* NULL is NULL; borrowed until the next reset */

/* Makes the tables in a new file, or brings an older one up to date; refuses what is not ours. */
bool schema_ready(struct lab *, bool may_write, struct err *);

/* Lines and columns of a tree in few bytes: JSON text holds the tree, this its places. */
void places_pack(const struct val *, struct sb *);
void places_unpack(struct val *, const void *bytes, size_t n);

/* What no document of an object says exactly: its metadata as they are now, and what controllers keep in its status, times to the nanosecond. */
struct val *state_pack(const struct object *, struct arena *);
void state_unpack(struct object *, const struct val *, struct cluster *);
/* The fields of its kind as they are now, without what state_pack has. A Pod's spec is left out: Pods of one template share it. */
struct val *own_pack(const struct object *, struct arena *);

struct val *flags_pack(const struct settings_flags *, struct arena *);
void flags_unpack(struct settings_flags *, const struct val *, struct cluster *);

#endif
