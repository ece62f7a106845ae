/* Does a Pod fit a node? The scheduler's filters, one by one, and how long a Pod may stay on a tainted node. Pure.
 * Sources: Kubernetes 1.36 pkg/scheduler/framework/plugins/{nodeports,tainttoleration,nodeaffinity,noderesources,nodeunschedulable}, staging/src/k8s.io/kube-scheduler/framework/types.go
 * HostPortInfo; pkg/controller/tainteviction/taint_eviction.go; facts 9. */
#ifndef PODWIRE_FIT_H
#define PODWIRE_FIT_H

#include "model/api/core.h"

/* The words of each filter, as they stand in FailedScheduling. */
#define FIT_PORTS         "node(s) didn't have free ports for the requested pod ports"
#define FIT_TAINT         "node(s) had untolerated taint(s)"
#define FIT_AFFINITY      "node(s) didn't match Pod's node affinity/selector"
#define FIT_UNSCHEDULABLE "node(s) were unschedulable"
#define FIT_NAME          "node(s) didn't match the requested node name"
#define FIT_PODS          "Too many pods"
#define FIT_NAMED         "node(s) didn't satisfy plugin(s) [NodeAffinity]"     /* PreFilter has left it out: the Pod names others (matchFields) */
#define FIT_SPREAD        "node(s) didn't match pod topology spread constraints"
#define FIT_SPREAD_LABEL  "node(s) didn't match pod topology spread constraints (missing required label)"
#define FIT_POD_AFFINITY  "node(s) didn't match pod affinity rules"
#define FIT_POD_ANTI      "node(s) didn't match pod anti-affinity rules"
#define FIT_EXISTING_ANTI "node(s) didn't satisfy existing pods anti-affinity rules"

/* Two Pods on one node: do their host ports collide? 0.0.0.0 collides with every address of the same protocol and port. Sidecars count, other init containers do not. */
bool host_ports_collide(const struct pod_spec *, const struct pod_spec *);
bool has_host_ports(const struct pod_spec *);

bool tolerates(const struct toleration *, const struct taint *);
enum { EFFECT_NO_SCHEDULE = 1, EFFECT_PREFER = 2, EFFECT_NO_EXECUTE = 4 };
unsigned taint_effect(const struct taint *);
/* The first taint with one of the effects that nothing tolerates, or NULL. */
const struct taint *untolerated(const struct pod_spec *, const struct node *, unsigned effects);
/* How long the Pod stays on the node with its NoExecute taints: 0: it goes at once, NEVER: it may stay. not-ready and unreachable are tolerated for
 * 300 s where a Pod says nothing of them (plugin/pkg/admission/defaulttolerationseconds). */
nsec stays_for(const struct pod_spec *, const struct node *);

bool node_selected(const struct pod_spec *, const struct node *);       /* nodeSelector and required node affinity */
bool node_terms_match(const struct val *terms, const struct node *);     /* nodeSelectorTerms: one of them is enough */
int32_t node_preference(const struct pod_spec *, const struct node *);  /* sum of the weights of the preferred terms that match */

/* What a Pod asks for (pod_amount), and in which words it may lack. */
struct amount { str name; int64_t milli; str lack; };
struct demand {
	int64_t cpu, memory;                    /* thousandths of a core, of a byte */
	int64_t nz_cpu, nz_memory;              /* for scoring: a container that asks for nothing counts as 100m, 200Mi */
	bool host_ports;
	LIST(struct amount) other;              /* neither cpu nor memory nor pods: ephemeral-storage, huge pages, what devices offer */
};
void demand_of(const struct pod_spec *, struct arena *, struct demand *);

#endif
