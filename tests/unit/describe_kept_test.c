/* describe, of the kinds of which podwire keeps the document. Layouts after kubectl pkg/describe/describe_test.go and describe.go. */
#include "model/api/kept.h"
#include "tests/unit/cell.h"
#include "viz/report/describe.h"

static const char *described(struct cell *x, const struct kind *k, const char *name)
{
	struct object *o = cluster_find(x->c, k, k->namespaced ? "default" : NULL, name);
	struct sb out = { 0 };
	char *text, *from;

	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	describe(x->c, o, x->a, &out);
	text = arena_strdup(x->a, sb_text(&out));
	from = strstr(text, "Applied from:");
	if (from)
		*from = '\0';
	sb_free(&out);
	return text;
}

TEST(roles_are_broken_down)
{
	struct cell x = cell_new(1);

	cell_apply(&x, "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules:\n- {apiGroups: [''], resources: [pods, pods/log], verbs: [get, list]}\n"
		       "- {apiGroups: [apps], resources: [deployments], verbs: ['*'], resourceNames: [a, b]}\n---\n"
		       "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: [{nonResourceURLs: [/x], verbs: [get, post]}]\n");
	SAME_TEXT(described(&x, &role_kind, "r"), "Name:         r\nLabels:       <none>\nAnnotations:  <none>\nPolicyRule:\n"
						  "  Resources         Non-Resource URLs  Resource Names  Verbs\n"
						  "  ---------         -----------------  --------------  -----\n"
						  "  deployments.apps  []                 [a]             [*]\n"
						  "  deployments.apps  []                 [b]             [*]\n"
						  "  pods/log          []                 []              [get list]\n"
						  "  pods              []                 []              [get list]\n");
	SAME_TEXT(described(&x, &cluster_role_kind, "r"), "Name:         r\nLabels:       <none>\nAnnotations:  <none>\nPolicyRule:\n"
							  "  Resources  Non-Resource URLs  Resource Names  Verbs\n"
							  "  ---------  -----------------  --------------  -----\n"
							  "             [/x]               []              [get]\n"
							  "             [/x]               []              [post]\n");
	cell_free(&x);
}

TEST(limits_and_quotas_are_tables)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\nspec: {limits: [{type: Container, max: {cpu: 2}, min: {memory: 1Mi}}]}\n---\n"
		       "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 10, requests.cpu: 4}}\n");
	SAME_TEXT(described(&x, &limit_range_kind, "l"), "Name:       l\nNamespace:  default\n"
							 "Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio\n"
							 "----        --------  ---  ---  ---------------  -------------  -----------------------\n"
							 "Container   cpu       -    2    2                2              -\n"
							 "Container   memory    1Mi  -    1Mi              -              -\n");
	SAME_TEXT(described(&x, &quota_kind, "q"), "Name:         q\nNamespace:    default\nResource      Used  Hard\n--------      ----  ----\npods          0     10\nrequests.cpu  0     4\n");
	cell_free(&x);
}

TEST(autoscalers_and_budgets)
{
	struct cell x = cell_new(1);

	cell_apply(&x, "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {maxReplicas: 3, targetCPUUtilizationPercentage: 50, "
		       "scaleTargetRef: {kind: Deployment, name: d}}\n---\n"
		       "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {minAvailable: 1, selector: {matchLabels: {a: b}}}\n");
	SAME_TEXT(described(&x, &hpa_kind, "h"), "Name:                                                  h\nNamespace:                                             default\n"
						 "Labels:                                                <none>\nAnnotations:                                           <none>\n"
						 "CreationTimestamp:                                     Thu, 01 Jan 1970 00:00:00 +0000\n"
						 "Reference:                                             Deployment/d\nMetrics:                                               ( current / target )\n"
						 "  resource cpu on pods  (as a percentage of request):  <unknown> / 50%\n"
						 "Min replicas:                                          1\nMax replicas:                                          3\n"
						 "Deployment pods:                                       0 current / 0 desired\nEvents:                                                <none>\n");
	SAME_TEXT(described(&x, &pdb_kind, "b"), "Name:           b\nNamespace:      default\nMin available:  1\nSelector:       a=b\nStatus:\n"
						 "    Allowed disruptions:  0\n    Current:              0\n    Desired:              1\n    Total:                0\nEvents:                   <none>\n");
	cell_free(&x);
}
