/* Statuses that controllers of Kubernetes write and podwire works out when somebody looks: a quota's, a budget's. */
#ifndef PODWIRE_DERIVED_H
#define PODWIRE_DERIVED_H

#include "model/cluster/cluster.h"

/* Into the rendered document, where it has none of its own. */
void derived_status(struct cluster *, const struct object *, struct arena *, struct val *doc);

#endif
