/* What `get` prints of an object, one table of columns per kind: kubectl's heads, order and words. Those with COL_WIDE appear with -o wide only.
 * Source: Kubernetes 1.36 pkg/printers/internalversion/printers.go; additionalPrinterColumns of the CRDs of Gateway API 1.4, MetalLB 0.15, Istio 1.28. */
#ifndef PODWIRE_COLUMNS_H
#define PODWIRE_COLUMNS_H

#include "model/cluster/apply.h"

enum { COL_WIDE = 1, COL_DATE = 2 /* of a path: the value is a time, shown as an age */ };

struct row {
	struct cluster *c;
	const struct object *o;         /* NULL: an event, of which only the document is there */
	const struct val *doc;          /* rendered when it is first asked for */
	const char *prefix;             /* before the name, as "pod/"; NULL: none */
	bool wide;
	struct arena *scratch;
};
struct column {
	const char *head;
	uint8_t flags;
	void (*print)(struct row *, struct sb *);       /* NULL: by path */
	const char *path;                               /* JSONPath without its braces: .spec.hosts */
	const char *dflt;                               /* where the path finds nothing; NULL: "" */
};

/* Ends with head NULL. A kind of somebody else's has the columns of its CustomResourceDefinition, if the cluster has that. The table may live in scratch. */
const struct column *columns_of(struct cluster *, const struct kind *, struct arena *scratch);
const struct val *row_doc(struct row *);
void column_print(struct row *, const struct column *, struct sb *);
const char *column_text(struct row *, const struct column *);           /* the same, in scratch */

/* ---- among the files of tables */
#define COL(head, print)         { head, 0, print, NULL, NULL }
#define COL_W(head, print)       { head, COL_WIDE, print, NULL, NULL }
#define PATH(head, path, dflt)   { head, 0, NULL, path, dflt }
#define PATH_W(head, path, dflt) { head, COL_WIDE, NULL, path, dflt }
#define COL_END                  { NULL, 0, NULL, NULL, NULL }
#define COL_NAME                 COL("NAME", col_name)
#define COL_AGE                  COL("AGE", col_age)
#define NAME_AGE(...)            { COL_NAME, __VA_ARGS__ COL_AGE, COL_END }
void col_name(struct row *, struct sb *);
void col_age(struct row *, struct sb *);
void col_created(struct row *, struct sb *);            /* CREATED AT */
void ago_print(const struct row *, nsec since, struct sb *);
void pairs_print(const pair_list *, struct sb *);       /* a=b,c=d; <none> */
void path_print(struct row *, const char *path, const char *dflt, struct sb *);
const char *path_text_of(struct row *, const char *path);       /* NULL: nothing there */

struct kind_columns { const struct kind *kind; const struct column *columns; };
extern const struct kind_columns columns_core[], columns_workload[], columns_net[], columns_kept[];     /* end with kind NULL */

/* ReadWriteOnce → RWO, … */
void access_modes_print(const struct val *list, struct sb *);

#endif
