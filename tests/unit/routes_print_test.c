/* podwire routes: the table as people read it, and what it points at. */
#include "model/cluster/apply.h"
#include "model/l7/routes.h"
#include "tests/unit/feed.h"

static const char yaml[] =
	"apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: web}\nspec: {controller: example.net/ingress}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n---\n"
	"apiVersion: networking.k8s.io/v1\n"
	"kind: Ingress\n"
	"metadata: {name: i}\n"
	"spec:\n"
	"  ingressClassName: web\n"
	"  tls:\n"
	"  - {hosts: [x.test], secretName: none}\n"
	"  rules:\n"
	"  - host: x.test\n"
	"    http:\n"
	"      paths:\n"
	"      - {path: /foo, pathType: Exact, backend: {service: {name: a, port: {number: 80}}}}\n"
	"      - {path: /foo/, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}\n"
	"      - {path: /foo/, pathType: Prefix, backend: {service: {name: ghost, port: {number: 80}}}}\n";

TEST(tables_print_with_what_is_wrong_in_them)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "test");
	struct val *json = val_new(a, VAL_MAP);
	struct sb out = { 0 };

	feed_cluster(c, VALIDATE_STRICT, yaml);
	routes_print(routes_compile_ingress(c, "example.net/ingress", a), &out, json, a);
	SAME_TEXT(sb_text(&out),
		  "controller example.net/ingress\n"
		  "  listens on 80 http\n"
		  "  listens on 443 https\n"
		  "    certificate default/none for x.test  ! Secret default/none does not exist\n"
		  "  x.test\n"
		  "    Prefix /foo/                             → default/a:80                  Ingress default/i (test.yaml:23)\n"
		  "    Prefix /foo/                             → default/ghost:80 [503]        Ingress default/i (test.yaml:24)\n"
		  "      ! never matches: a rule before it takes all that it could\n"
		  "    Exact /foo                               → default/a:80                  Ingress default/i (test.yaml:22)\n"
		  "      ! never matches: a rule before it takes all that it could\n"
		  "  ! test.yaml:17: Ingress default/i, spec.tls[0]: Secret default/none does not exist: the controller shows its own certificate\n"
		  "  ! test.yaml:24: Ingress default/i, spec.rules[0].http.paths[2]: Service default/ghost does not exist: requests are answered 503\n");
	CU_ASSERT_EQUAL(val_get(json, "listeners")->nr, 2);
	CU_ASSERT_EQUAL(val_path(json, "hosts.0.routes")->nr, 3);
	CU_ASSERT(val_bool_or(val_path(json, "hosts.0.routes.2.never"), false));
	CU_ASSERT_EQUAL(val_get(json, "findings")->nr, 2);
	sb_free(&out);
	arena_free(a);
	cluster_free(c);
}
