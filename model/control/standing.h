/* What Kubernetes keeps in every cluster and podwire only makes when somebody asks for its kind: nothing in the model depends on it, and a cluster of 10,000 Services would
 * hold as many IPAddresses. Then they are ordinary objects, which can be patched and deleted; they come back, as there.
 * Sources: kubernetes pkg/controller/serviceaccount/serviceaccounts_controller.go, pkg/controller/certificates/rootcacertpublisher, pkg/controlplane/controller/defaultservicecidr,
 * pkg/registry/core/service/ipallocator/ipallocator.go, pkg/apis/scheduling/v1/helpers.go. */
#ifndef PODWIRE_STANDING_H
#define PODWIRE_STANDING_H

#include "model/cluster/cluster.h"

/* Those of that kind that are not there, of one namespace or all (NULL). Nothing where the cluster was taken from elsewhere: it has what was told of it. */
void standing_add(struct cluster *, const struct kind *, const char *ns);

#endif
