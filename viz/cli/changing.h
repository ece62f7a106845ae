/* Commands that change a part of objects which are there: patch, scale, set, label, annotate, taint. */
#ifndef PODWIRE_CHANGING_H
#define PODWIRE_CHANGING_H

#include "viz/cli/labwork.h"

/* The object's document as it shall be, in cli's arena; NULL: err says why not. */
typedef struct val *(*change_fn)(struct cli *, struct labwork *, const struct object *, struct err *);

/* Changes each object that the first `names` arguments (0: all) select, and says done, or unchanged; one that is of another --resource-version is refused. */
enum err_kind change_objects(struct cli *, change_fn, const char *done, const char *unchanged, uint32_t names, struct err *);

#endif
