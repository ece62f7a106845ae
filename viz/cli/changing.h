/* Commands that change a part of objects which are there: patch, scale, set, label, annotate, taint. */
#ifndef PODWIRE_CHANGING_H
#define PODWIRE_CHANGING_H

#include "viz/cli/labwork.h"

/* The object's document as it shall be, in cli's arena; NULL: err says why not. */
typedef struct val *(*change_fn)(struct cli *, struct labwork *, const struct object *, struct err *);

/* For options_only of G_PATCH: the options of all these commands, and a command's own. */
#define CHANGE_TAKES(...) (const char *const[]){ "all-namespaces", "selector", "all", "dry-run", "resource-version", ##__VA_ARGS__, NULL }

/* Changes each object that the first `names` arguments select, and says done, or unchanged; one that is of another --resource-version is refused. */
enum err_kind change_objects(struct cli *, change_fn, const char *done, const char *unchanged, uint32_t names, struct err *);

/* How many arguments stand before the first change: a word with one of the signs, or with '-' at its end (kubectl's GetResourcesAndPairs). */
uint32_t names_before(const struct cli *, const char *signs);
/* Whether these first arguments name objects: KIND/NAME…, KIND NAME…, or a KIND with --selector or --all. */
bool names_objects(const struct cli *, uint32_t names);

/* --list: shows each object that the arguments select, from its document as the API server has it, in cli's arena; several: there are others. */
typedef void (*list_fn)(struct cli *, const struct object *, struct val *doc, bool several);
enum err_kind list_objects(struct cli *, list_fn, struct err *);

#endif
