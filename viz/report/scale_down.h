/* Which Pod of a workload goes first when it is scaled down, and what decides it. */
#ifndef PODWIRE_SCALE_DOWN_H
#define PODWIRE_SCALE_DOWN_H

#include "sim/engine/world.h"

/* A Deployment's current ReplicaSet, a ReplicaSet, a ReplicationController, a StatefulSet. false: others cannot be scaled; err says so. */
bool scale_down_text(struct world *, const struct object *, struct sb *, struct err *);

#endif
