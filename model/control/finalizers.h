/* Finalizers: who has to be done with an object before it goes. */
#ifndef PODWIRE_FINALIZERS_H
#define PODWIRE_FINALIZERS_H

#include "model/cluster/cluster.h"

bool finalizer_has(const struct object *, const char *name);
void finalizer_add(struct cluster *, struct object *, const char *name);       /* once; of an object that is not in the cluster yet, or whose caller touches it */
/* Of an object that is being deleted: with its last finalizer it goes. */
void finalizer_drop(struct cluster *, struct object *, const char *name);

#endif
