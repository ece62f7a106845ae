/* What people read: tables, descriptions and paths as kubectl prints them. */
#include "tests/unit/cell.h"
#include "viz/report/columns.h"
#include "viz/report/describe.h"
#include "viz/report/events.h"
#include "viz/report/jsonpath_print.h"
#include "viz/report/tabs.h"

static const char *row_text(struct cell *x, const struct kind *k, const char *ns, const char *name, bool wide)
{
	struct row r = { .c = x->c, .o = cluster_find(x->c, k, ns, name), .wide = wide, .scratch = x->a };
	struct sb out = { 0 };
	const char *text;

	if (!r.o)
		return "(no such object)";
	for (const struct column *c = columns_of(x->c, k, x->a); c->head; c++)
		if (wide || !(c->flags & COL_WIDE))
			sb_printf(&out, "%s%s=%s", out.len ? "|" : "", c->head, column_text(&r, c));
	text = arena_strdup(x->a, sb_text(&out));
	sb_free(&out);
	return text;
}

TEST(tabs_are_laid_out_as_text_tabwriter_does)
{
	struct arena *a = arena_new(NULL, "test");
	struct sb out = { 0 };

	tabs_print(a, "Name:\tweb\nIPs:\n  IP:\t10.0.0.1\nPort:\t<unset>\t80/TCP\nLonger name:\tx\n", &out);
	SAME_TEXT(sb_text(&out), "Name:  web\nIPs:\n  IP:         10.0.0.1\nPort:         <unset>  80/TCP\nLonger name:  x\n");
	sb_free(&out);
	arena_free(a);
}

TEST(jsonpath_templates_print_as_kubectl_does)
{
	static const char text[] = "{\"items\": [{\"n\": \"a\", \"v\": 1}, {\"n\": \"b\", \"v\": {\"x\": [1, 2]}}]}";
	static const struct { const char *template, *want; } rows[] = {
		{ "{.items[*].n}", "a b" },
		{ "{range .items[*]}{.n}={.v}{\"\\n\"}{end}", "a=1\nb={\"x\":[1,2]}\n" },
		{ "first {.items[0].n}, none {.items[7].n}.", "first a, none ." },
		{ ".items[1].n", "b" },
		{ "{range .none[*]}{.n}{end}!", "!" },
	};
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct val *root = json_parse(a, "-", text, strlen(text), NULL, &err);

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct sb out = { 0 };

		CU_ASSERT(jsonpath_print(a, root, rows[k].template, &out, &err));
		SAME_TEXT(sb_text(&out), rows[k].want);
		sb_free(&out);
	}
	for (const char *const *bad = (const char *const[]){ "{range .items[*]}{.n}", "{.items", "{end}", NULL }; *bad; bad++) {
		struct sb out = { 0 };
		uint32_t before = err.nr;

		CU_ASSERT(!jsonpath_print(a, root, *bad, &out, &err));
		CU_ASSERT(err.nr > before);
		sb_free(&out);
	}
	err_free(&err);
	arena_free(a);
}

TEST(custom_columns_and_order)
{
	static const char *const texts[] = { "{\"m\": {\"n\": \"b\"}, \"q\": \"2Gi\"}", "{\"m\": {\"n\": \"a\"}, \"q\": \"500Mi\"}", "{\"m\": {\"n\": \"c\"}}" };
	struct arena *a = arena_new(NULL, "test");
	const struct val *docs[3];
	struct custom_columns c;
	struct err err = { 0 };
	struct sb out = { 0 };
	uint32_t order[3];

	for (int k = 0; k < 3; k++)
		docs[k] = json_parse(a, "-", texts[k], strlen(texts[k]), NULL, &err);
	CU_ASSERT(custom_columns_parse(a, "N:.m.n,Q:.q", &c, &err) && c.nr == 2);
	CU_ASSERT(path_cell(a, docs[2], c.paths[1], &out, &err));
	SAME_TEXT(sb_text(&out), "<none>");
	CU_ASSERT(order_by_path(a, docs, 3, ".q", order, &err));
	CU_ASSERT(order[0] == 2 && order[1] == 1 && order[2] == 0);
	CU_ASSERT(order_by_path(a, docs, 3, "{.m.n}", order, &err) && order[0] == 1);
	CU_ASSERT(!custom_columns_parse(a, "NAME", &c, &err));
	CU_ASSERT(!order_by_path(a, docs, 3, ".nowhere", order, &err));
	sb_free(&out);
	err_free(&err);
	arena_free(a);
}

static const char shop[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n"
	"  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx:1}]}}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, clusterIP: 10.96.0.77, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}\n---\n"
	"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {ingressClassName: nginx, tls: [{hosts: [a.example]}], rules: [{host: a.example}, {host: b.example}]}\n---\n"
	"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: crash}\nspec: {containers: [{name: c, image: busybox, command: [sh, -c, exit 3]}, {name: d, image: busybox, command: [sleep, infinity]}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: init}\nspec: {initContainers: [{name: i, image: busybox, command: [sh, -c, exit 1]}], containers: [{name: d, image: busybox}]}\n---\n"
	"apiVersion: example.io/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {size: 7}\n---\n"
	"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: gadgets.example.io}\nspec:\n  group: example.io\n  scope: Namespaced\n"
	"  names: {kind: Gadget, plural: gadgets, singular: gadget}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n"
	"    schema: {openAPIV3Schema: {type: object}}\n    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}, {name: Age, type: date, jsonPath: .metadata.creationTimestamp}]\n";

TEST(columns_are_kubectls)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, shop);
	cell_settle(&x);
	control_advance_until(x.t, SECONDS(60), NULL, NULL);
	SAME_TEXT(row_text(&x, &deployment_kind, "default", "web", true), "NAME=web|READY=2/2|UP-TO-DATE=2|AVAILABLE=2|AGE=60s|CONTAINERS=w|IMAGES=nginx:1|SELECTOR=app=web");
	SAME_TEXT(row_text(&x, &service_kind, "default", "web", false), "NAME=web|TYPE=LoadBalancer|CLUSTER-IP=10.96.0.77|EXTERNAL-IP=<pending>|PORT(S)=80:30080/TCP|AGE=60s");
	SAME_TEXT(row_text(&x, &ingress_kind, "default", "web", false), "NAME=web|CLASS=nginx|HOSTS=a.example,b.example|ADDRESS=|PORTS=80, 443|AGE=60s");
	SAME_TEXT(row_text(&x, kind_by_word("pdb"), "default", "web", false), "NAME=web|MIN AVAILABLE=50%|MAX UNAVAILABLE=N/A|ALLOWED DISRUPTIONS=1|AGE=60s");
	CU_ASSERT(strstr(row_text(&x, &pod_kind, "default", "crash", false), "READY=1/2|STATUS=CrashLoopBackOff|RESTARTS=3 (") != NULL);
	CU_ASSERT(strstr(row_text(&x, &pod_kind, "default", "init", false), "READY=0/1|STATUS=Init:CrashLoopBackOff|RESTARTS=3 (") != NULL);
	CU_ASSERT(strstr(row_text(&x, &node_kind, NULL, "control-plane", false), "STATUS=Ready|ROLES=control-plane|AGE=60s|VERSION=v1.36") != NULL);
	SAME_TEXT(row_text(&x, cluster_kind(x.c, "example.io/v1", "Gadget"), "default", "g", false), "NAME=g|SIZE=7|AGE=60s");
	cell_free(&x);
}

TEST(descriptions_are_kubectls)
{
	struct cell x = cell_new(1);
	struct sb out = { 0 };

	defaults_add(x.c);
	cell_apply(&x, shop);
	cell_settle(&x);
	describe(x.c, cluster_find(x.c, &service_kind, "default", "web"), x.a, &out);
	CU_ASSERT(strstr(sb_text(&out), "Port:                     <unset>  80/TCP\nTargetPort:               80/TCP\nNodePort:                 <unset>  30080/TCP\n") != NULL);
	sb_reset(&out);
	describe(x.c, cluster_find(x.c, &pod_kind, "default", "crash"), x.a, &out);
	CU_ASSERT(strstr(sb_text(&out), "    State:          Waiting\n      Reason:       CrashLoopBackOff\n    Last State:     Terminated\n      Reason:       Error\n      Exit Code:    3\n") != NULL);
	CU_ASSERT(strstr(sb_text(&out), "QoS Class:                    BestEffort\n") != NULL);
	sb_free(&out);
	cell_free(&x);
}
