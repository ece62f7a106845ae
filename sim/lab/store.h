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
	char *flags;                    /* as they stand in the file; NULL: they do not */
	size_t base, behind;            /* what it costs to read the whole, or the first bundle where there is none; and the bundles after it */
#define BUNDLE_COST 4096                /* to open one, as bytes of it */
#define WHOLE_FROM (16u << 10)          /* what bundles may cost on top of the base before all is written anew */
	int frames;                     /* in the log, after the last commit */
};

/* false, with "PATH: doing what: SQLite's words". */
bool store_failed(struct lab *, const char *doing, struct err *);
bool store_run(struct lab *, const char *sql, const char *doing, struct err *);
bool store_commit(struct lab *, struct err *);
sqlite3_stmt *store_prepare(struct lab *, const char *sql, struct err *);       /* NULL: err */
/* One step that must end; resets the statement. */
bool store_do(struct lab *, sqlite3_stmt *, const char *doing, struct err *);
/* The first column of the first row; dflt if there is none. */
int64_t store_number(struct lab *, const char *sql, int64_t dflt);
void store_bind_text(sqlite3_stmt *, int at, const char *s);   /* NULL is NULL; borrowed until the next reset */

/* Makes the tables in a new file, or brings an older one up to date; refuses what is not ours. */
bool schema_ready(struct lab *, bool may_write, struct err *);

/* Numbers of few bytes, compression (pack.c). */
void pack_number(struct sb *, uint64_t);
void pack_signed(struct sb *, int64_t);
uint64_t unpack_number(const unsigned char **, const unsigned char *end);
int64_t unpack_signed(const unsigned char **, const unsigned char *end);
void pack_squeeze(const struct sb *, struct sb *out);           /* out is replaced */
bool pack_expand(const void *, size_t n, size_t size, struct sb *out);  /* size: before it was squeezed. false: it is damaged */

/* What a big command writes: texts of many documents compressed together (segments.c). */
struct piece { const char *s; size_t n; };      /* s NULL: there is none */
struct segment_place { int64_t id, at; };
struct segment_writer { struct lab *lab; int64_t input, id; struct sb text, packed; sqlite3_stmt *put; };
bool segments_begin(struct segment_writer *, struct lab *, int64_t input, struct err *);
bool segments_add(struct segment_writer *, const struct piece *, uint32_t nr, struct segment_place *, struct err *);
bool segments_end(struct segment_writer *, struct err *);       /* err NULL: what is not written yet is forgotten */
#define SEGMENTS_KEPT 4
struct segment_reader { sqlite3_stmt *get; struct { int64_t id; struct sb text; } kept[SEGMENTS_KEPT]; uint32_t next; };
bool segments_get(struct segment_reader *, struct lab *, struct segment_place, struct piece *, uint32_t nr, struct err *);      /* good until the next */
void segments_close(struct segment_reader *);

/* Events (notes.c): those that the lab has not yet; those up to a command. */
bool notes_save(struct lab *, const struct cluster *, int64_t input, struct err *);
bool notes_load(struct lab *, struct cluster *, int64_t input, struct err *);

/* Lines and columns of a tree in few bytes: JSON text holds the tree, this its places. */
void places_pack(const struct val *, struct sb *);
void places_unpack(struct val *, const void *bytes, size_t n);

/* What no document of an object says exactly: its metadata as they are now, and what controllers keep in its status, times to the nanosecond. */
extern const struct field state_meta_fields[];
const struct field *state_fields(const struct kind *);          /* of its status; NULL: none */
/* A template that the object's document does not hold: a controller made the object, or it stands for one that says the same in other words. NULL: it has none. */
const struct val *state_template(const struct object *);
void state_unpack(struct object *, const struct val *, struct cluster *);      /* as older labs wrote it: the metadata, "status" and "template" */

struct val *flags_pack(const struct settings_flags *, struct arena *);
void flags_unpack(struct settings_flags *, const struct val *, struct cluster *);

#endif
