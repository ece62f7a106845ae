#ifndef PODWIRE_GC_H
#define PODWIRE_GC_H

#include "model/control/controllers.h"

/* The living objects of a kind (NULL: any) that name `owner` among their owners, in the order in which they came; without the Pods that it controls (pods_of). */
struct object_list dependents(const struct control *, const struct object *owner, const struct kind *, struct arena *scratch);
void gc_learn(struct control *, const struct object *);         /* its owners have changed */

#endif
