/* What a table of fields describes, as bytes, and back. Bytes describe themselves: the names and types of a table's fields stand before the first values
 * by that table, so that a later podwire with other tables reads them; what it does not know any more is passed over. Only what is not zero is written, and tables
 * within tables are described where the first of their values comes.
 * Texts, tables and Pod specs have numbers in the order in which they come; each is written once. */
#ifndef PODWIRE_LAB_RECORD_H
#define PODWIRE_LAB_RECORD_H

#include "model/cluster/cluster.h"

/* ---- writing */
struct pen {
	struct arena *arena;
	struct sb out;                          /* taken away and reset by the caller, whenever it likes */
	struct strtab *words;                   /* of texts that are not interned */
	struct str_numbers texts;
	struct map plans, specs;                /* → number, from 1 */
	struct map shapes;                      /* (table, left out) → its plan */
	uint32_t nr_plans, nr_specs;
};
void pen_begin(struct pen *);
void pen_end(struct pen *);
void pen_long_number(struct pen *, uint64_t);   /* seven bits a byte, the lowest first */
static inline void pen_number(struct pen *p, uint64_t v)
{
	if (v < 0x80 && p->out.alloc - p->out.len > 1)
		p->out.s[p->out.len++] = (char)v;
	else
		pen_long_number(p, v);
}
void pen_signed(struct pen *, int64_t);
void pen_text(struct pen *, str);               /* interned, or NULL */
void pen_tell(struct pen *, str);               /* the reader knows that text without reading it: scan_tell there, at the same place */
void pen_word(struct pen *, const char *, size_t n);
void pen_tree(struct pen *, const struct val *);        /* with its places; NULL is allowed */
void pen_spec(struct pen *, const struct pod_spec *);
/* The fields of the table, but for those that have their place in the table `left_out` (NULL: all). */
void pen_fields(struct pen *, const struct field *table, const struct field *left_out, const void *in);

/* ---- reading */
struct scan {
	struct cluster *cluster;                /* what is read lives in its arena */
	struct arena *arena;                    /* of the scan itself */
	const unsigned char *p, *end;           /* set by the caller */
	bool bad;                               /* damage has been met: what was read since means nothing */
	VEC(str) texts;
	VEC(const struct pod_spec *) specs;
	VEC(struct written *) plans;
	struct map leaves, bound;
};
void scan_begin(struct scan *, struct cluster *);
void scan_end(struct scan *);
uint64_t scan_number(struct scan *);
int64_t scan_signed(struct scan *);
str scan_text(struct scan *);
void scan_tell(struct scan *, str);
struct val *scan_tree(struct scan *);
const struct pod_spec *scan_spec(struct scan *);
void scan_fields(struct scan *, const struct field *table, void *out);  /* *out is zero, but for what its caller has set */

/* All that the table describes becomes zero. */
void fields_zero(const struct field *table, void *out);

#endif
