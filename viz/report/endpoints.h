/* The Endpoints object that the endpoint controller keeps beside a Service with a selector. podwire's dataplane reads EndpointSlices alone, so it is made only
 * when somebody looks. Source: Kubernetes 1.36 pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints/util.go RepackSubsets. */
#ifndef PODWIRE_ENDPOINTS_REPORT_H
#define PODWIRE_ENDPOINTS_REPORT_H

#include "model/cluster/apply.h"

/* NULL: a Service without a selector has none, but for default/kubernetes. The object is not in the cluster. */
struct object *endpoints_of_service(struct cluster *, const struct service *, struct arena *);

#endif
