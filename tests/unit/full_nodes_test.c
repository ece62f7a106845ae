/* Clusters that are full: who gets the room that comes, and where it ends. */
#include "model/control/admission.h"
#include "model/control/rollout.h"
#include "tests/unit/cell.h"

static const char many[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: many}\nspec:\n  replicas: 2500\n  selector: {matchLabels: {app: many}}\n"
	"  template: {metadata: {labels: {app: many}}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: c, image: nginx}]}}\n";
static const char important[] =
	"apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 1000\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: first}\nspec: {priorityClassName: high, containers: [{name: c, image: nginx}]}\n";

static uint32_t bound(struct cell *x)
{
	struct object_list pods = cluster_list_ns(x->c, &pod_kind, "default");
	uint32_t nr = 0;

	for (uint32_t k = 0; k < pods.nr; k++)
		nr += ((const struct pod *)pods.v[k])->node && !pod_is_terminal((const struct pod *)pods.v[k]);
	return nr;
}

static uint32_t running_daemons(struct cell *x)
{
	struct object_list pods = cluster_list_ns(x->c, &pod_kind, "kube-system");
	uint32_t nr = 0;

	for (uint32_t k = 0; k < pods.nr; k++)
		nr += ((const struct pod *)pods.v[k])->phase == POD_RUNNING;
	return nr == pods.nr ? nr : 0;
}

/* plugins/queuesort PrioritySort: the Pod that preempted comes before those of less priority that wait as well, else they take its room again and again. */
TEST(room_that_preemption_made_goes_to_who_preempted)
{
	struct cell x = cell_new(1);
	const struct pod *first;
	uint32_t before;

	defaults_add(x.c);
	cell_apply(&x, many);           /* at once: Pods of the system come when the nodes are full already */
	cell_settle(&x);
	CU_ASSERT(running_daemons(&x) > 0);
	before = bound(&x);
	CU_ASSERT(before > 100 && before < 2500);
	cell_apply(&x, important);
	cell_settle(&x);
	first = cell_pod(&x, "first");
	CU_ASSERT(first->node && first->phase == POD_RUNNING);
	CU_ASSERT(bound(&x) == before);
	CU_ASSERT(cluster_count(x.c, &pod_kind) >= 2501);
	cell_free(&x);
}

TEST(a_cluster_has_a_bound_that_is_said)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "full");
	const struct pod_spec spec = { 0 };
	char name[16];

	for (uint32_t k = 0; k < MOST_PODS; k++) {
		if (k == MOST_PODS - 1)
			CU_ASSERT_PTR_NULL(pod_refused(c, "default", &spec, 1, a));
		snprintf(name, sizeof(name), "p%u", k);
		cluster_add(c, object_new(c, &pod_kind, cluster_str(c, "default"), cluster_str(c, name)));
	}
	SAME_TEXT(pod_refused(c, "default", &spec, 1, a), "podwire holds 500000 Pods at most in one cluster (Kubernetes is made for 150000)");
	arena_free(a);
	cluster_free(c);
}

/* deployment_util.go NewRSNewReplicas: `*(deployment.Spec.Replicas) + int32(maxSurge)` wraps. */
TEST(more_pods_than_an_int32_are_none)
{
	struct workload w = { .replicas = INT32_MAX, .max_surge = { .set = true, .s = "25%" } };

	CU_ASSERT(most_pods(&w) < 0);
	CU_ASSERT_EQUAL(new_replicas(&w, 0, 0), 0);
}

#define WANTED "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}\n---\n"

/* The bound is seen before the first Pod is made, whoever wants them. */
TEST(what_is_beyond_the_bound_is_refused_at_once)
{
	static const char *const rows[] = {
		"{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: w}, spec: {replicas: 2000000000, " WANTED,
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {strategy: {rollingUpdate: {maxSurge: 0}}, replicas: 2000000000, " WANTED,
		"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: w}, spec: {serviceName: w, replicas: 2000000000, " WANTED,
		"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: w}, spec: {serviceName: w, podManagementPolicy: Parallel, replicas: 2000000000, " WANTED,
		"{apiVersion: batch/v1, kind: Job, metadata: {name: w}, spec: {parallelism: 2000000000, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}",
		"{apiVersion: batch/v1, kind: Job, metadata: {name: w}, spec: {parallelism: 2000000000, completions: 2000000000, "
		"template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}",
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);

		x.lax = true;
		cell_apply(&x, rows[k]);
		cell_settle(&x);
		CU_ASSERT_EQUAL(cluster_count(x.c, &pod_kind), 0);
		CU_ASSERT(strstr(cell_event(&x, "FailedCreate"), "podwire holds 500000 Pods at most in one cluster (Kubernetes is made for 150000): there are 0, and 2000000000 more are asked for") != NULL);
		cell_free(&x);
	}
}
