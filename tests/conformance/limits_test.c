/* LimitRanges: plugin/pkg/admission/limitranger/admission_test.go TestPodLimitFunc, TestMergePodResourceRequirements, TestLimitRangerIgnoresSubresource…, by way of the API. */
#include <stdlib.h>

#include "tests/conformance/placing.h"
#include "tests/unit/cell.h"

#define RANGE(items)            "{apiVersion: v1, kind: LimitRange, metadata: {name: r}, spec: {limits: [" items "]}}\n---\n"
#define CONTAINER(bounds)       "{type: Container, " bounds "}"
#define OF_POD(bounds)          "{type: Pod, " bounds "}"
#define ASKED(requests, limits) POD("p", "", "containers: [{name: c, image: i, resources: {requests: {" requests "}, limits: {" limits "}}}]")
#define TWICE(requests, limits) POD("p", "", "containers: [{name: c, image: i, resources: {requests: {" requests "}, limits: {" limits "}}}, {name: d, image: i, resources: {requests: {" requests "}, limits: {" limits "}}}]")

static const struct { const char *yaml, *why; } rows[] = {      /* why: behind `pods "p" is forbidden: `; NULL: it may be made */
	{ RANGE(CONTAINER("min: {cpu: 50m}")) ASKED("cpu: 100m", ""), NULL },
	{ RANGE(CONTAINER("min: {cpu: 50m}")) ASKED("cpu: 40m", ""), "minimum cpu usage per Container is 50m, but request is 40m" },
	{ RANGE(CONTAINER("min: {cpu: 50m}, max: {cpu: 100m}")) ASKED("cpu: 60m", "cpu: 200m"), "maximum cpu usage per Container is 100m, but limit is 200m" },
	{ RANGE(CONTAINER("max: {memory: 1Gi}")) ASKED("memory: 2Gi", "memory: 2Gi"), "maximum memory usage per Container is 1Gi, but limit is 2Gi" },
	{ RANGE(CONTAINER("maxLimitRequestRatio: {cpu: 2}")) ASKED("cpu: 100m", "cpu: 200m"), NULL },
	{ RANGE(CONTAINER("maxLimitRequestRatio: {cpu: 1500m}")) ASKED("cpu: 100m", "cpu: 200m"), "cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000" },
	{ RANGE(CONTAINER("maxLimitRequestRatio: {cpu: 2}")) ASKED("cpu: 100m", ""), "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0" },
	{ RANGE(OF_POD("max: {cpu: 300m}")) TWICE("cpu: 100m", "cpu: 200m"), "maximum cpu usage per Pod is 300m, but limit is 400m" },
	{ RANGE(OF_POD("max: {cpu: 300m}")) ASKED("cpu: 100m", ""), "maximum cpu usage per Pod is 300m.  No limit is specified" },
	{ RANGE(OF_POD("min: {memory: 100Mi}")) ASKED("cpu: 100m", ""), "minimum memory usage per Pod is 100Mi.  No request is specified" },
	{ RANGE(CONTAINER("min: {cpu: 50m, memory: 100Mi}")) ASKED("cpu: 10m, memory: 1Mi", ""), "[minimum cpu usage per Container is 50m, but request is 10m, minimum memory usage per Container is 100Mi, but request is 1Mi]" },
};

TEST(limit_ranges_refuse_in_the_plugins_words)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		char *got = NULL;
		size_t nr = 0;
		FILE *to = open_memstream(&got, &nr);

		docs_read("test.yaml", rows[k].yaml, strlen(rows[k].yaml), NULL, cell_take, &x, &x.err);
		err_print(&x.err, to);
		fclose(to);
		CU_ASSERT((cell_pod(&x, "p") != NULL) == !rows[k].why);
		if (rows[k].why && !strstr(got, arena_printf(x.a, "pods \"p\" is forbidden: %s\n", rows[k].why))) {
			CU_FAIL("other words");
			fprintf(stderr, "\nhave: %swant: %s\n", got, rows[k].why);
		}
		free(got);
		cell_free(&x);
	}
}

static void resources_are(const struct cell *x, const char *pod, const char *request, const char *limit, const char *note)
{
	const struct pod *p = cell_pod((struct cell *)(uintptr_t)x, pod);

	CU_ASSERT_FATAL(p != NULL);
	SAME_TEXT(label_get(&p->spec->containers.v[0].resources.requests, "cpu") ? label_get(&p->spec->containers.v[0].resources.requests, "cpu") : "", request);
	SAME_TEXT(label_get(&p->spec->containers.v[0].resources.limits, "cpu") ? label_get(&p->spec->containers.v[0].resources.limits, "cpu") : "", limit);
	SAME_TEXT(label_get(&p->o.annotations, "kubernetes.io/limit-ranger") ? label_get(&p->o.annotations, "kubernetes.io/limit-ranger") : "", note);
}

/* A request is defaulted by defaultRequest, the default limit, the most, the least, in this order; what says a limit asks for as much. */
TEST(limit_ranges_give_defaults)
{
	static const struct { const char *bounds, *requests, *limits, *request, *limit, *note; } table[] = {
		{ "default: {cpu: 200m}, defaultRequest: {cpu: 100m}", "", "", "100m", "200m", "LimitRanger plugin set: cpu request for container c; cpu limit for container c" },
		{ "default: {cpu: 200m}", "", "", "200m", "200m", "LimitRanger plugin set: cpu request for container c; cpu limit for container c" },
		{ "max: {cpu: 300m}", "", "", "300m", "300m", "LimitRanger plugin set: cpu request for container c; cpu limit for container c" },
		{ "min: {cpu: 50m}", "", "", "50m", "", "LimitRanger plugin set: cpu request for container c" },
		{ "default: {cpu: 200m}, defaultRequest: {cpu: 100m}", "cpu: 150m", "", "150m", "200m", "LimitRanger plugin set: cpu limit for container c" },
		{ "default: {cpu: 200m}, defaultRequest: {cpu: 100m}", "cpu: 150m", "cpu: 150m", "150m", "150m", "" },
	};

	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_new(1);

		cell_apply(&x, arena_printf(x.a, RANGE(CONTAINER("%s")) "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {requests: {%s}, limits: {%s}}}]}}",
					    table[k].bounds, table[k].requests, table[k].limits));
		resources_are(&x, "p", table[k].request, table[k].limit, table[k].note);
		cell_free(&x);
	}
}

#define TEMPLATE(app) "selector: {matchLabels: {app: " app "}}, template: {metadata: {labels: {app: " app "}}, spec: {containers: [{name: c, image: i}]}}"

/* The Pods of every controller have them, and the scheduler and the quotas see them. */
TEST(pods_of_every_controller_have_the_defaults)
{
	struct cell x = cell_new(1);
	struct object_list l;

	cell_apply(&x, NODE("n1", "", ROOM("1", "")) RANGE(CONTAINER("default: {cpu: 400m}"))
		   "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {requests.cpu: '2'}}}\n---\n"
		   "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {" TEMPLATE("d") "}}\n---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, " TEMPLATE("s") "}}\n---\n"
		   "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: e}, spec: {" TEMPLATE("e") "}}");
	cell_settle(&x);
	l = cluster_list(x.c, &pod_kind);
	CU_ASSERT_EQUAL(l.nr, 3);
	for (uint32_t k = 0; k < l.nr; k++)
		resources_are(&x, l.v[k]->name, "400m", "400m", "LimitRanger plugin set: cpu request for container c; cpu limit for container c");
	CU_ASSERT(strstr(cell_event(&x, "FailedScheduling"), "1 Insufficient cpu") != NULL);   /* three of 400m on one core */
	cell_free(&x);
}
