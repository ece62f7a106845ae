/* Kinds of Istio beside those that are modelled: read, kept and shown. EnvoyFilters make what a sidecar does
 * unknown (model/l7/mesh.c); the others have no effect. */
#include "model/api/check.h"
#include "model/api/net.h"

static const char kept[] = "kept, without effect on the network";
static const char not_modelled[] = "kept; what it changes is unknown";

#define APIS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define KIND(id, n, a, pl, sh, why) const struct kind id = { .name = n, .apis = a, .plural = pl, .shorts = sh, .namespaced = true, .size = sizeof(struct generic), .note = why,          \
	.name_rule = must_be_path_segment }
#define ISTIO_NET APIS("networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3")

KIND(envoy_filter_kind, "EnvoyFilter", APIS("networking.istio.io/v1alpha3"), "envoyfilters", NULL, not_modelled);
KIND(workload_entry_kind, "WorkloadEntry", ISTIO_NET, "workloadentries", "we", kept);
KIND(workload_group_kind, "WorkloadGroup", ISTIO_NET, "workloadgroups", "wg", kept);
KIND(istio_telemetry_kind, "Telemetry", APIS("telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1"), "telemetries", NULL, kept);
