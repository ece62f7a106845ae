/* Inside of record.c and record_read.c: the fields of a table that hold something, structs within structs laid flat. */
#ifndef PODWIRE_LAB_RECORD_PLAN_H
#define PODWIRE_LAB_RECORD_PLAN_H

#include "sim/lab/record.h"

#define LEAF_LATER 128                  /* on a type as written: its table is described with its values. Labs of format 3 have all tables at once */
#define LEAF_SPEC 64                    /* beside enum field_type: a pointer to a Pod spec, which others may share */
struct leaf { const char *name; const struct field *f; uint32_t at; uint8_t type; };   /* name: the way to it, with dots */
struct leaves { struct leaf *v; uint32_t nr, alloc; };
struct plan { uint32_t number; struct leaves *leaves; struct plan **sub; };            /* number 0: not written yet */

/* Those of a table, but for those that have their place in another. */
struct leaves *leaves_of(struct map *known, struct arena *, const struct field *table, const struct field *left_out);

enum { TEXT_NONE, TEXT_NEW };           /* then the numbers of texts, from 1 */
enum { TREE_TYPE = 7, TREE_FLAGS = 3, TREE_PLACED = 32 };

#endif
