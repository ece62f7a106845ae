/* ResourceQuotas on Pods: how many there may be, and how much they may request and limit. Quotas with scopes are left out.
 * Source: Kubernetes 1.36 staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota, pkg/quota/v1/evaluator/core/pods.go. */
#ifndef PODWIRE_QUOTA_H
#define PODWIRE_QUOTA_H

#include "model/cluster/cluster.h"

/* NULL: it may be made. Else why not, in the API server's words (behind `pods "x" is forbidden: `); in the arena. */
const char *quota_refuses(struct cluster *, const char *ns, const struct pod_spec *, struct arena *);
/* What the namespace's Pods use of that resource, in thousandths; -1: not one of those above. */
int64_t quota_used(struct cluster *, const char *ns, const char *resource);

#endif
