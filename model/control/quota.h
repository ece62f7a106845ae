/* ResourceQuotas on Pods: how many there may be, and how much they may request and limit.
 * Source: Kubernetes 1.36 staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota, pkg/quota/v1/evaluator/core/pods.go. */
#ifndef PODWIRE_QUOTA_H
#define PODWIRE_QUOTA_H

#include "model/cluster/cluster.h"

/* NULL: it may be made. Else why not, in the API server's words (behind `pods "x" is forbidden: `); in the arena. */
const char *quota_refuses(struct cluster *, const char *ns, const struct pod_spec *, struct arena *);
/* What those Pods of the namespace that the quota's scopes choose use of that resource, in thousandths; -1: it is not Pods that use it. */
int64_t quota_used(struct cluster *, const struct object *quota, const char *resource);

#endif
