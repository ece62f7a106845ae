/* A Pod's status as a kubelet writes it: required fields even where they are zero, one state of each container, the class of service. */
#include "tests/unit/cell.h"

static const char *status_of(struct cell *x, const char *name)
{
	struct sb out = { 0 };
	const char *text;

	val_print_json(val_get(object_render(x->c, cluster_find(x->c, &pod_kind, "default", name), x->a), "status"), &out, 0, true);
	text = arena_strdup(x->a, sb_text(&out));
	sb_free(&out);
	return text;
}

TEST(a_pods_status_is_whole)
{
	struct cell x = cell_new(1);
	const char *s;

	defaults_add(x.c);
	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers: [{name: first, image: x, command: ['true']}]\n"
		       "  containers: [{name: c, image: x, resources: {limits: {cpu: 1, memory: 1Gi}}}]\n");
	cell_settle(&x);
	s = status_of(&x, "web");
	CU_ASSERT(strstr(s, "\"restartCount\":0") != NULL);
	CU_ASSERT(strstr(s, "\"lastTransitionTime\":\"1970-01-01T00:00:") != NULL);
	CU_ASSERT(strstr(s, "\"state\":{\"running\":{\"startedAt\":") != NULL);
	CU_ASSERT(strstr(s, "\"initContainerStatuses\":[{") != NULL);
	CU_ASSERT(strstr(s, "\"state\":{\"terminated\":{\"exitCode\":0,") != NULL);
	CU_ASSERT(strstr(s, "\"running\":{},") == NULL && strstr(s, "\"waiting\":{}") == NULL);
	CU_ASSERT(strstr(s, "\"qosClass\":\"Burstable\"") != NULL);     /* the init container asks for nothing */
	CU_ASSERT(strstr(s, "\"observedGeneration\":1") != NULL && strstr(s, "\"allocatedResources\":{\"cpu\":\"1\",\"memory\":\"1Gi\"}") != NULL);
	CU_ASSERT(strstr(s, "\"recursiveReadOnly\":\"Disabled\"") != NULL);
	CU_ASSERT(strstr(s, "\"startTime\":") != NULL && strstr(s, "\"hostIPs\":[{") != NULL);
	cell_free(&x);
}

TEST(a_status_that_was_given_stays)
{
	struct cell x = cell_new(1);
	const char *s;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: n1, containers: [{name: c, image: x}]}\n"
		       "status: {phase: Running, podIP: 10.0.0.1, qosClass: BestEffort, containerStatuses: [{name: c, image: x, imageID: sha, ready: true, restartCount: 7, state: {running: {startedAt: '2024-01-01T00:00:00Z'}}}]}\n");
	s = status_of(&x, "p");
	CU_ASSERT(strstr(s, "\"restartCount\":7") != NULL && strstr(s, "\"imageID\":\"sha\"") != NULL && strstr(s, "2024-01-01T00:00:00Z") != NULL);
	cell_free(&x);
}
