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

struct row { const struct kind *kind; const char *name, *want; };

static void all_described(const char *docs, const struct row *rows, size_t nr)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, docs);
	for (const struct row *r = rows; r < rows + nr; r++)
		SAME_TEXT(described(&x, r->kind, r->name), r->want);
	cell_free(&x);
}

TEST(roles_are_broken_down)
{
	static const struct row rows[] = {
		{ &role_kind, "r",
		  "Name:         r\nLabels:       <none>\nAnnotations:  <none>\nPolicyRule:\n"
		  "  Resources         Non-Resource URLs  Resource Names  Verbs\n"
		  "  ---------         -----------------  --------------  -----\n"
		  "  deployments.apps  []                 [a]             [*]\n"
		  "  deployments.apps  []                 [b]             [*]\n"
		  "  pods/log          []                 []              [get list]\n"
		  "  pods              []                 []              [get list]\n" },
		{ &cluster_role_kind, "r",
		  "Name:         r\nLabels:       <none>\nAnnotations:  <none>\nPolicyRule:\n"
		  "  Resources  Non-Resource URLs  Resource Names  Verbs\n"
		  "  ---------  -----------------  --------------  -----\n"
		  "             [/x]               []              [get]\n"
		  "             [/x]               []              [post]\n" },
	};

	all_described("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\nrules:\n- {apiGroups: [''], resources: [pods, pods/log], verbs: [get, list]}\n"
		      "- {apiGroups: [apps], resources: [deployments], verbs: ['*'], resourceNames: [a, b]}\n---\n"
		      "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: [{nonResourceURLs: [/x], verbs: [get, post]}]\n",
		      rows, ARRAY_LEN(rows));
}

TEST(limits_and_quotas_are_tables)
{
	static const struct row rows[] = {
		{ &limit_range_kind, "l",
		  "Name:       l\nNamespace:  default\n"
		  "Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio\n"
		  "----        --------  ---  ---  ---------------  -------------  -----------------------\n"
		  "Container   cpu       -    2    2                2              -\n"
		  "Container   memory    1Mi  -    1Mi              -              -\n" },
		{ &quota_kind, "q",
		  "Name:         q\nNamespace:    default\nResource      Used  Hard\n--------      ----  ----\npods          0     10\nrequests.cpu  0     4\n" },
	};

	all_described("apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\nspec: {limits: [{type: Container, max: {cpu: 2}, min: {memory: 1Mi}}]}\n---\n"
		      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 10, requests.cpu: 4}}\n",
		      rows, ARRAY_LEN(rows));
}

TEST(autoscalers_and_budgets)
{
	static const struct row rows[] = {
		{ &hpa_kind, "h",
		  "Name:                                                  h\nNamespace:                                             default\n"
		  "Labels:                                                <none>\nAnnotations:                                           <none>\n"
		  "CreationTimestamp:                                     Thu, 01 Jan 1970 00:00:00 +0000\n"
		  "Reference:                                             Deployment/d\nMetrics:                                               ( current / target )\n"
		  "  resource cpu on pods  (as a percentage of request):  <unknown> / 50%\n"
		  "Min replicas:                                          1\nMax replicas:                                          3\n"
		  "Deployment pods:                                       0 current / 0 desired\nEvents:                                                <none>\n" },
		{ &pdb_kind, "b",
		  "Name:           b\nNamespace:      default\nMin available:  1\nSelector:       a=b\nStatus:\n"
		  "    Allowed disruptions:  0\n    Current:              0\n    Desired:              1\n    Total:                0\nEvents:                   <none>\n" },
	};

	all_described("apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {maxReplicas: 3, targetCPUUtilizationPercentage: 50, "
		      "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}}\n---\n"
		      "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {minAvailable: 1, selector: {matchLabels: {a: b}}}\n",
		      rows, ARRAY_LEN(rows));
}
