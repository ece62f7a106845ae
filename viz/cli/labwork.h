/* A command that changes the lab: opens the file, loads the cluster, does its work, lets the controllers settle, and saves all of it in one transaction. */
#ifndef PODWIRE_LABWORK_H
#define PODWIRE_LABWORK_H

#include "sim/lab/lab.h"
#include "viz/cli/cli.h"

struct labwork {
	struct lab *lab;
	struct world world;
	struct world_options opt;
	nsec from;
	bool made;                      /* by this command: its file goes again if that fails */
	VEC(struct doc) docs;           /* that this command applied */
};
const char *cli_lab(const struct cli *);        /* --lab, $PODWIRE_LAB, podwire.db */
/* A lab that is not there yet is made, with the default cluster. false: err. */
bool labwork_begin(struct cli *, struct labwork *, bool create, struct err *);
/* Settles (unless --no-settle) and saves, if ok; else nothing of it stays. Frees all. */
bool labwork_end(struct cli *, struct labwork *, bool ok, struct err *);
/* The object's document becomes `to` (patch, scale, rollout …), and the history learns of it. */
enum apply_result labwork_change(struct cli *, struct labwork *, struct object *, const struct val *to, struct err *);
/* Deletes, and the history learns of it. grace: seconds, or -1. */
void labwork_delete(struct cli *, struct labwork *, struct object *, int64_t grace, bool force, enum cascade);
/* The object's document as it would be applied now: what was applied, or all of it for one that a controller made. A copy. */
struct val *labwork_document(struct cli *, struct labwork *, const struct object *);
/* " (dry run)" or nothing. */
const char *labwork_mark(const struct cli *);
/* The cluster of the lab for a question (--at is respected). */
bool labwork_read(struct cli *, struct world *, struct err *);

/* Deletes its file and what SQLite keeps beside it. */
void labwork_remove(const char *path);

#endif
