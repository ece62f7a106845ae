/* Istio's own tables: what its tests of routes and of authorization say of each policy and route, asked here with requests. Sources: istio/istio
 * pilot/pkg/networking/core/route/route_test.go (named by subtest), pilot/pkg/security/authz/builder/testdata (named by file), pilot/pkg/model/virtualservice_test.go
 * (delegates, named by case). */
#include "model/control/control.h"
#include "model/l7/mesh.h"
#include "tests/unit/feed.h"

static struct cluster *mesh(void)
{
	return feed_mesh("apiVersion: v1\nkind: Namespace\nmetadata: {name: foo, labels: {istio-injection: enabled}}\n");
}

static void add_pod(struct cluster *c, struct arena *a, const char *name, const char *labels, const char *ip)
{
	feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: foo, labels: {%s}}\nspec: {containers: [{name: c, image: x}]}\n"
				 "status: {phase: Running, podIP: %s, conditions: [{type: Ready, status: 'True'}]}\n", name, labels, ip));
}

/* ---- authorization */

#define POLICY(name, more) "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: " name ", namespace: foo}\nspec: {" more "}\n---\n"
#define DRY(name, v, more) "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: " name ", namespace: foo, annotations: {istio.io/dry-run: '" v "'}}\nspec: {" more "}\n---\n"
#define ME                 "selector: {matchLabels: {app: httpbin, version: v1}}"
#define RULES(rules)       POLICY("p", ME ", rules: [" rules "]")
#define FROM(source)       RULES("{from: [{source: {" source "}}]}")
#define TO(operation)      RULES("{to: [{operation: {" operation "}}]}")
#define WHEN(key, values)  RULES("{when: [{key: '" key "', values: [" values "]}]}")
#define DENY(rules)        POLICY("p", "action: DENY, rules: [" rules "]")
#define ID(ns, sa)         "cluster.local/ns/" ns "/sa/" sa

#define FULL_PRINCIPALS "principals: [principal, 'principal-prefix-*', '*-suffix-principal']"
#define TRUST_DOMAINS   RULES("{from: [{source: {trustDomains: [cluster.local, another.local]}}, {source: {notTrustDomains: ['bad*', untrusted]}}]}")
#define BOTH            POLICY("p", "rules: [{from: [{source: {requestPrincipals: [id-1]}}], to: [{operation: {methods: [GET]}}]}, " \
				    "{from: [{source: {namespaces: [ns-1]}}], to: [{operation: {ports: ['8080'], methods: [GET]}}]}, " \
				    "{from: [{source: {namespaces: [ns-2], requestPrincipals: [id-2]}}], to: [{operation: {ports: ['9090']}}]}, " \
				    "{from: [{source: {namespaces: [ns-1]}}], to: [{operation: {ports: ['80']}}]}]")
#define ONLY_HTTP       POLICY("p", "rules: [{from: [{source: {requestPrincipals: [id-1]}}], to: [{operation: {methods: [GET]}}]}, {from: [{source: {namespaces: [ns-1]}}], to: [{operation: {hosts: [example.com]}}]}]")
#define MANY            POLICY("httpbin-1", ME ", rules: [{to: [{operation: {methods: [GET, POST]}}]}]") POLICY("httpbin-2", "selector: {matchLabels: {app: httpbin}}, rules: [{to: [{operation: {paths: [/v1, /v2]}}]}]") \
			POLICY("httpbin-3", "selector: {matchLabels: {version: v1}}, rules: [{to: [{operation: {hosts: [google.com, httpbin.org]}}]}]") POLICY("httpbin-4", "rules: [{to: [{operation: {ports: ['80', '90']}}]}]") \
			POLICY("httpbin-5", "rules: [{from: [{source: {principals: [principals1, principals2]}}]}]") POLICY("httpbin-6", "rules: [{from: [{source: {requestPrincipals: [a, b]}}]}]") \
			POLICY("httpbin-7", "rules: [{from: [{source: {namespaces: [namespaces1, namespaces2]}}]}]") POLICY("httpbin-8", "rules: [{from: [{source: {ipBlocks: [1.2.3.4, 5.6.7.0/24]}}]}]") \
			POLICY("httpbin-9", "rules: [{when: [{key: 'request.headers[X-abc]', values: [abc1, abc2]}]}]")
#define ALLOW_PATH      TO("paths: [/exact, '/prefix/*', '*/suffix', '/path/template/{*}', '/{**}/path/template'], notPaths: [/prefix/not, '/prefix/not/*']")
#define DENY_AND_ALLOW  POLICY("httpbin-deny", "action: DENY, rules: [{from: [{source: {principals: [deny]}}]}]") POLICY("httpbin-allow", "action: ALLOW, rules: [{from: [{source: {principals: [allow]}}]}]")
#define MIX(tried, real) DRY("httpbin-1", "true", ME ", action: ALLOW, rules: [{to: [{operation: {" tried "}}]}]") DRY("httpbin-2", "false", ME ", action: ALLOW, rules: [{to: [{operation: {" real "}}]}]")

enum { NO, YES, OPEN };
/* method NULL: a connection that is no request. */
static const struct { const char *file, *policies, *principal, *ip; uint16_t port; const char *method, *host, *path, *header; int want; } answers[] = {
	{ "http/allow-empty-rule", RULES("{}"), NULL, NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-nil-rule", POLICY("allow-none", ME), ID("foo", "a"), NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/deny-empty-rule", POLICY("deny-all", ME ", action: DENY, rules: [{}]"), ID("foo", "a"), NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-path: exact", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/exact?a=b", NULL, YES },
	{ "http/allow-path: exact, deeper", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/exact/", NULL, NO },
	{ "http/allow-path: prefix", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/prefix/", NULL, YES },
	{ "http/allow-path: prefix without its slash", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/prefix", NULL, NO },
	{ "http/allow-path: not", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/prefix/not/x", NULL, NO },
	{ "http/allow-path: suffix", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/any/suffix", NULL, YES },
	{ "http/allow-path: one element", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/path/template/x", NULL, YES },
	{ "http/allow-path: not two", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/path/template/x/y", NULL, NO },
	{ "http/allow-path: elements", ALLOW_PATH, NULL, NULL, 80, "GET", NULL, "/a/b/path/template", NULL, YES },
	{ "http/allow-path: *", TO("paths: ['*'], notPaths: ['*']"), NULL, NULL, 80, "GET", NULL, "/exact", NULL, NO },
	{ "http/allow-full-rule: principals", FROM(FULL_PRINCIPALS), "principal", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: principals, prefix", FROM(FULL_PRINCIPALS), "principal-prefix-a", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: principals, suffix", FROM(FULL_PRINCIPALS), "a-suffix-principal", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: principals, none of them", FROM(FULL_PRINCIPALS), "a-principal", NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: principals, *", FROM("principals: ['*']"), NULL, NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: notPrincipals, *", FROM("notPrincipals: ['*']"), NULL, NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: namespaces, prefix", FROM("namespaces: ['ns-prefix-*']"), ID("ns-prefix-a", "b"), NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: namespaces, suffix", FROM("namespaces: ['*-ns-suffix']"), ID("a-ns-suffix", "b"), NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: namespaces, whole", FROM("namespaces: [ns]"), ID("nsx", "b"), NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: serviceAccounts", FROM("serviceAccounts: [my-ns/my-sa, sa-only], notServiceAccounts: [my-ns/my-sa-not, sa-not-only]"), ID("my-ns", "my-sa"), NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: serviceAccounts, own namespace", FROM("serviceAccounts: [my-ns/my-sa, sa-only]"), ID("foo", "sa-only"), NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: serviceAccounts, another", FROM("serviceAccounts: [my-ns/my-sa, sa-only]"), ID("my-ns", "sa-only"), NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: notServiceAccounts", FROM("notServiceAccounts: [my-ns/my-sa-not]"), ID("my-ns", "my-sa-not"), NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: ipBlocks", FROM("ipBlocks: [1.2.3.4, 5.6.0.0/16]"), NULL, "5.6.7.8", 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: notIpBlocks", FROM("notIpBlocks: [9.0.0.1, 9.2.0.0/16]"), NULL, "9.2.1.1", 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: methods", TO("methods: [method, 'method-prefix-*', '*-suffix-method']"), NULL, NULL, 80, "method-prefix-a", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: methods have a case", TO("methods: [method]"), NULL, NULL, 80, "METHOD", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: hosts have none", TO("hosts: [exact.com, '*.suffix.com', 'prefix.*']"), NULL, NULL, 80, "GET", "EXACT.com", "/", NULL, YES },
	{ "http/allow-full-rule: hosts, suffix", TO("hosts: [exact.com, '*.suffix.com', 'prefix.*']"), NULL, NULL, 80, "GET", "a.Suffix.com", "/", NULL, YES },
	{ "http/allow-full-rule: hosts, prefix", TO("hosts: [exact.com, '*.suffix.com', 'prefix.*']"), NULL, NULL, 80, "GET", "prefix.x:80", "/", NULL, YES },
	{ "http/allow-full-rule: hosts, a port counts", TO("hosts: [exact.com]"), NULL, NULL, 80, "GET", "exact.com:80", "/", NULL, NO },
	{ "http/allow-full-rule: ports", TO("ports: ['80', '90'], notPorts: ['8000']"), NULL, NULL, 90, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: notPorts", TO("notPorts: ['8000', '9000']"), NULL, NULL, 9000, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: request.headers", WHEN("request.headers[X-header]", "header, 'header-prefix-*', '*-suffix-header'"), NULL, NULL, 80, "GET", NULL, "/", "a-suffix-header", YES },
	{ "http/allow-full-rule: request.headers, *", WHEN("request.headers[X-header]", "'*'"), NULL, NULL, 80, "GET", NULL, "/", "", YES },
	{ "http/allow-full-rule: request.headers, absent", WHEN("request.headers[X-header]", "'*'"), NULL, NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: source.ip", WHEN("source.ip", "10.10.10.10, 192.168.10.0/24"), NULL, "192.168.10.7", 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: source.namespace", WHEN("source.namespace", "ns, 'ns-prefix-*'"), ID("ns", "a"), NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: source.principal", WHEN("source.principal", "'*-suffix-principal'"), "b-suffix-principal", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: destination.ip", WHEN("destination.ip", "10.10.10.10, 10.244.2.0/24"), NULL, NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/allow-full-rule: destination.port", WHEN("destination.port", "'91', '92'"), NULL, NULL, 93, "GET", NULL, "/", NULL, NO },
	{ "http/allow-full-rule: connection.sni is not modelled", WHEN("connection.sni", "exact.com"), NULL, NULL, 80, "GET", NULL, "/", NULL, OPEN },
	{ "http/allow-full-rule: experimental is not modelled", WHEN("experimental.envoy.filters.a.b[c]", "exact"), NULL, NULL, 80, "GET", NULL, "/", NULL, OPEN },
	{ "http/deny-and-allow: deny", DENY_AND_ALLOW, "deny", NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/deny-and-allow: allow", DENY_AND_ALLOW, "allow", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/deny-and-allow: neither", DENY_AND_ALLOW, "other", NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/multiple-policies: 1", MANY, NULL, "7.7.7.7", 1, "POST", "x", "/", NULL, YES },
	{ "http/multiple-policies: 2", MANY, NULL, "7.7.7.7", 1, "PUT", "x", "/v2", NULL, YES },
	{ "http/multiple-policies: 3", MANY, NULL, "7.7.7.7", 1, "PUT", "httpbin.org", "/", NULL, YES },
	{ "http/multiple-policies: 4", MANY, NULL, "7.7.7.7", 90, "PUT", "x", "/", NULL, YES },
	{ "http/multiple-policies: 5", MANY, "principals2", "7.7.7.7", 1, "PUT", "x", "/", NULL, YES },
	{ "http/multiple-policies: 7", MANY, ID("namespaces1", "a"), "7.7.7.7", 1, "PUT", "x", "/", NULL, YES },
	{ "http/multiple-policies: 8", MANY, NULL, "5.6.7.9", 1, "PUT", "x", "/", NULL, YES },
	{ "http/multiple-policies: none", MANY, ID("a", "b"), "7.7.7.7", 1, "PUT", "x", "/", NULL, NO },
	{ "http/simple-policy-principal-with-wildcard", FROM("principals: ['*/ns/foo/sa/p0', '*bar/ns/foo/sa/p1']"), "any/ns/foo/sa/p0", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/simple-policy-principal-with-wildcard: *bar", FROM("principals: ['*/ns/foo/sa/p0', '*bar/ns/foo/sa/p1']"), "foobar/ns/foo/sa/p1", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/simple-policy-principal-with-wildcard: not bar", FROM("principals: ['*/ns/foo/sa/p0', '*bar/ns/foo/sa/p1']"), "any/ns/foo/sa/p1", NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/td-aliases-source-principal", RULES("{from: [{source: {namespaces: [istio-system]}}], when: [{key: source.principal, values: ['*']}]}"), ID("istio-system", "a"), NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/trust-domains", TRUST_DOMAINS, "another.local/ns/a/sa/b", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/trust-domains: neither bad nor untrusted", TRUST_DOMAINS, "other/ns/a/sa/b", NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/trust-domains: bad*", TRUST_DOMAINS, "bad.local/ns/a/sa/b", NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "http/trust-domains: nobody", TRUST_DOMAINS, NULL, NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/dry-run-mix: tried", MIX("paths: [/allow]", "paths: [/another]"), NULL, NULL, 80, "GET", NULL, "/allow", NULL, NO },
	{ "http/dry-run-mix: real", MIX("paths: [/allow]", "paths: [/another]"), NULL, NULL, 80, "GET", NULL, "/another", NULL, YES },
	{ "http/audit-full-rule", POLICY("p", "action: AUDIT, rules: [{}]"), NULL, NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "http/custom-simple-http", POLICY("p", "action: CUSTOM, provider: {name: default}, rules: [{to: [{operation: {paths: [/httpbin1]}}]}]"), NULL, NULL, 80, "GET", NULL, "/httpbin1", NULL, OPEN },
	{ "http/custom-simple-http: not asked", POLICY("p", "action: CUSTOM, provider: {name: default}, rules: [{to: [{operation: {paths: [/httpbin1]}}]}]"), NULL, NULL, 80, "GET", NULL, "/", NULL, YES },
	{ "tcp/allow-both-http-tcp: rule 3", BOTH, ID("ns-1", "a"), NULL, 80, NULL, NULL, NULL, NULL, YES },
	{ "tcp/allow-both-http-tcp: rule 1 asks HTTP", BOTH, ID("ns-1", "a"), NULL, 8080, NULL, NULL, NULL, NULL, NO },
	{ "tcp/allow-both-http-tcp: rule 2 asks HTTP", BOTH, ID("ns-2", "a"), NULL, 9090, NULL, NULL, NULL, NULL, NO },
	{ "tcp/allow-both-http-tcp: rule 1, of a request", BOTH, ID("ns-1", "a"), NULL, 8080, "GET", NULL, "/", NULL, YES },
	{ "tcp/allow-only-http: no connection", ONLY_HTTP, ID("ns-1", "a"), NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/allow-only-http: a request", ONLY_HTTP, ID("ns-1", "a"), NULL, 80, "PUT", "example.com", "/", NULL, YES },
	{ "tcp/deny-both-http-tcp: rule 0", DENY("{from: [{source: {requestPrincipals: [id-1]}}], to: [{operation: {methods: [GET]}}]}"), NULL, NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 1", DENY("{to: [{operation: {methods: [GET]}}]}"), NULL, NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 2", DENY("{from: [{source: {requestPrincipals: [id-1]}}]}"), NULL, NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 3", DENY("{from: [{source: {namespaces: [ns-1]}}], to: [{operation: {methods: [GET]}}]}"), ID("ns-1", "a"), NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 3, another", DENY("{from: [{source: {namespaces: [ns-1]}}], to: [{operation: {methods: [GET]}}]}"), ID("ns-2", "a"), NULL, 80, NULL, NULL, NULL, NULL, YES },
	{ "tcp/deny-both-http-tcp: rule 4", DENY("{from: [{source: {requestPrincipals: [id-1]}}], to: [{operation: {ports: ['80']}}]}"), NULL, NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 4, another port", DENY("{from: [{source: {requestPrincipals: [id-1]}}], to: [{operation: {ports: ['80']}}]}"), NULL, NULL, 81, NULL, NULL, NULL, NULL, YES },
	{ "tcp/deny-both-http-tcp: rule 5", DENY("{from: [{source: {requestPrincipals: [id-1]}}], to: [{operation: {ports: ['8080'], methods: [GET]}}]}"), NULL, NULL, 8080, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 6", DENY("{from: [{source: {namespaces: [ns-2], requestPrincipals: [id-1]}}], to: [{operation: {ports: ['8080'], methods: [GET]}}]}"), ID("ns-2", "a"), NULL, 8080, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 7", DENY("{from: [{source: {namespaces: [ns-1]}}], to: [{operation: {ports: ['80']}}]}"), ID("ns-1", "a"), NULL, 81, NULL, NULL, NULL, NULL, YES },
	{ "tcp/deny-both-http-tcp: rule 8", DENY("{when: [{key: 'request.headers[:method]', values: [GET]}]}"), NULL, NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 8, of a request", DENY("{when: [{key: 'request.headers[:method]', values: [GET]}]}"), NULL, NULL, 80, "GET", NULL, "/", NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 8, of another", DENY("{when: [{key: 'request.headers[:method]', values: [GET]}]}"), NULL, NULL, 80, "PUT", NULL, "/", NULL, YES },
	{ "tcp/deny-both-http-tcp: rule 9", DENY("{when: [{key: destination.port, values: ['80']}]}"), NULL, NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/deny-both-http-tcp: rule 9, another port", DENY("{when: [{key: destination.port, values: ['80']}]}"), NULL, NULL, 81, NULL, NULL, NULL, NULL, YES },
	{ "tcp/dry-run-mix: tried", MIX("ports: ['80']", "ports: ['9000']"), NULL, NULL, 80, NULL, NULL, NULL, NULL, NO },
	{ "tcp/dry-run-mix: real", MIX("ports: ['80']", "ports: ['9000']"), NULL, NULL, 9000, NULL, NULL, NULL, NULL, YES },
	{ "tcp/audit-both-http-tcp", POLICY("p", "action: AUDIT, rules: [{}]"), NULL, NULL, 80, NULL, NULL, NULL, NULL, YES },
};

TEST(istios_policies_allow_and_deny_as_its_own_tables_say)
{
	for (size_t k = 0; k < ARRAY_LEN(answers); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		const char *principal = answers[k].principal, *ns = principal ? strstr(principal, "/ns/") : NULL;
		struct mesh_source from = { .principal = principal, .ns = ns ? arena_strndup(a, ns + 4, strcspn(ns + 4, "/")) : NULL };
		struct http_pair header = { "x-HEADER", answers[k].header };
		struct http_request rq = { .scheme = "http", .method = answers[k].method, .host = answers[k].host ? answers[k].host : "web", .path = answers[k].path, .headers = &header, .nr_headers = answers[k].header != NULL };
		struct mesh_verdict v;

		feed_cluster(c, VALIDATE_IGNORE, answers[k].policies);
		add_pod(c, a, "web", "app: httpbin, version: v1", "10.244.2.1");
		CU_ASSERT_FATAL(ip_parse(answers[k].ip ? answers[k].ip : "10.244.1.1", &from.ip));
		v = mesh_authorized(c, find_pod(c, "foo", "web"), answers[k].port, &from, answers[k].method ? &rq : NULL, a);
		CU_ASSERT_EQUAL(v.unknown ? OPEN : v.allowed ? YES : NO, answers[k].want);
		if ((v.unknown ? OPEN : v.allowed ? YES : NO) != answers[k].want)
			fprintf(stderr, "\n%s: %s\n", answers[k].file, v.unknown ? v.unknown : v.why);
		arena_free(a);
		cluster_free(c);
	}
}

/* ---- routes */

#define SERVICE(name)     "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: foo}\nspec: {selector: {app: " name "}, ports: [{name: http, port: 8484}]}\n"
#define GOES(host)        "route: [{destination: {host: " host "}}]"
#define SAYS(status)      "directResponse: {status: " #status "}"
#define MATCH(what, then) "{match: [{" what "}], " then "}"
#define CATCH_ALL_PORT    "{match: [{port: 8080}], " SAYS(201) "}, " MATCH("headers: {cookie: {exact: canary}}", SAYS(202)) ", {" SAYS(203) "}"

/* at: "gateway" or "sidecar", asked on port 8080. */
static const struct { const char *subtest, *http, *at, *method, *path, *header, *want; } routes[] = {
	{ "with catch all route", "{match: [{uri: {prefix: /route/v1}}, {uri: {prefix: /}}], " SAYS(201) "}, {" SAYS(202) "}", "gateway", "GET", "/other", NULL, "201" },
	{ "with catch all route: port match", CATCH_ALL_PORT, "gateway", "GET", "/", "cookie: canary", "201" },
	{ "SortVHostRoutes: what stands behind a catch-all is left out", "{" SAYS(201) "}, " MATCH("uri: {prefix: /b}", SAYS(202)), "gateway", "GET", "/b", NULL, "201" },
	{ "the same, by regex", MATCH("uri: {regex: '.*'}", SAYS(201)) ", " MATCH("uri: {prefix: /b}", SAYS(202)), "gateway", "GET", "/b", NULL, "201" },
	{ "the same, whatever its case", MATCH("uri: {prefix: /}, ignoreUriCase: true", SAYS(201)) ", " MATCH("uri: {prefix: /b}", SAYS(202)), "gateway", "GET", "/b", NULL, "201" },
	{ "a method is no catch-all", MATCH("uri: {prefix: /}, method: {exact: PUT}", SAYS(201)) ", " MATCH("uri: {prefix: /b}", SAYS(202)), "gateway", "GET", "/b", NULL, "202" },
	{ "with top level catch all route", "{match: [{headers: {version: {exact: v2}}, sourceLabels: {version: v1}}], " SAYS(201) "}, {" SAYS(202) "}", "sidecar", "GET", "/", "version: v2", "202" },
	{ "with multi prefix catch all route", "{match: [{uri: {prefix: /}, sourceLabels: {matchingNoSrc: xxx}}, {uri: {prefix: /a}}], " SAYS(201) "}", "gateway", "GET", "/a", NULL, "201" },
	{ "with multi prefix catch all route, elsewhere", "{match: [{uri: {prefix: /}, sourceLabels: {matchingNoSrc: xxx}}, {uri: {prefix: /a}}], " SAYS(201) "}", "gateway", "GET", "/b", NULL, "404" },
	{ "sourceMatchHTTP: a gateway's own labels count", MATCH("sourceLabels: {istio: gate}", SAYS(201)), "gateway", "GET", "/", NULL, "201" },
	{ "sourceMatchHTTP: where gateways are listed, labels do not", MATCH("gateways: [some-gateway], sourceLabels: {a: b}", SAYS(201)), "gateway", "GET", "/", NULL, "201" },
	{ "sourceMatchHTTP: another gateway", MATCH("gateways: [mesh]", SAYS(201)) ", {" SAYS(202) "}", "gateway", "GET", "/", NULL, "202" },
	{ "sourceMatchHTTP: mesh", MATCH("gateways: [some-gateway]", SAYS(201)) ", " MATCH("gateways: [mesh]", SAYS(202)), "sidecar", "GET", "/", NULL, "202" },
	{ "with regex matching on URI", MATCH("uri: {regex: '\\/(.?)\\/status'}", SAYS(201)), "gateway", "GET", "/a/status", NULL, "201" },
	{ "with regex matching on URI: the whole path", MATCH("uri: {regex: '\\/(.?)\\/status'}", SAYS(201)), "gateway", "GET", "/a/status/x", NULL, "404" },
	{ "with stat_prefix set", "{match: [{uri: {prefix: /foo}, statPrefix: foo}, {uri: {prefix: /baz}}], " SAYS(201) "}, " MATCH("uri: {prefix: /bar}", SAYS(202)), "gateway", "GET", "/baz1", NULL, "201" },
	{ "with regex matching on header", MATCH("headers: {Authentication: {regex: 'Bearer .+?\\..+?\\..+?'}}", SAYS(201)), "gateway", "GET", "/", "authentication: Bearer a.b.c", "201" },
	{ "with regex matching on header: the whole value", MATCH("headers: {Authentication: {regex: 'Bearer .+?\\..+?\\..+?'}}", SAYS(201)), "gateway", "GET", "/", "authentication: a Bearer a.b.c", "404" },
	{ "with regex matching on without_header", MATCH("withoutHeaders: {FOO-HEADER: {regex: 'BAR .+?\\..+?\\..+?'}}", SAYS(201)), "gateway", "GET", "/", "foo-header: BAR a.b.c", "404" },
	{ "with regex matching on without_header: absent", MATCH("withoutHeaders: {FOO-HEADER: {regex: 'BAR .+?\\..+?\\..+?'}}", SAYS(201)), "gateway", "GET", "/", NULL, "201" },
	{ "with presence matching on header", MATCH("headers: {FOO-HEADER: {}}", SAYS(201)), "gateway", "GET", "/", "foo-header: x", "201" },
	{ "with presence matching on header: absent", MATCH("headers: {FOO-HEADER: {}}", SAYS(201)), "gateway", "GET", "/", NULL, "404" },
	{ "with presence matching on without_header", MATCH("withoutHeaders: {FOO-HEADER: {}}", SAYS(201)), "gateway", "GET", "/", "foo-header: x", "404" },
	{ "with exact matching on query parameter", MATCH("queryParams: {token: {exact: foo}}", SAYS(201)), "gateway", "GET", "/?token=foo", NULL, "201" },
	{ "with exact matching on query parameter: another", MATCH("queryParams: {token: {exact: foo}}", SAYS(201)), "gateway", "GET", "/?token=foo1", NULL, "404" },
	{ "with prefix matching on query parameter", MATCH("queryParams: {token: {prefix: foo-}}", SAYS(201)), "gateway", "GET", "/?a=b&token=foo-1", NULL, "201" },
	{ "with regex matching on query parameter", MATCH("queryParams: {token: {regex: 'BAR.+?\\..+?'}}", SAYS(201)), "gateway", "GET", "/?token=BARa.b", NULL, "201" },
	{ "with source namespace matching", MATCH("sourceNamespace: bar", SAYS(201)) ", " MATCH("sourceNamespace: foo", SAYS(202)), "sidecar", "GET", "/", NULL, "202" },
	{ "for header operations for single cluster", "{headers: {request: {set: {Host: foo.extsvc.com}}}, " GOES("web") "}", "gateway", "GET", "/", NULL, "200 web / foo.extsvc.com" },
	{ "for header operations for weighted cluster", "{route: [{destination: {host: web}, weight: 9, headers: {request: {set: {host: blue.foo.extsvc.com}}}}, "
	  "{destination: {host: other}, weight: 1, headers: {request: {set: {':authority': green.foo.extsvc.com}}}}]}", "gateway", "GET", "/", NULL, "9/10 200 web / blue.foo.extsvc.com, 1/10 200 other / green.foo.extsvc.com" },
	{ "for redirect code", "{redirect: {uri: /x, authority: b.test, redirectCode: 308}}", "gateway", "GET", "/", NULL, "308 → http://b.test/x" },
	{ "for invalid redirect code", "{redirect: {uri: /x, authority: b.test, redirectCode: 317}}", "gateway", "GET", "/", NULL, "unknown" },
	{ "for host rewrite", "{rewrite: {authority: bar.example.org}, " GOES("web") "}", "gateway", "GET", "/", NULL, "200 web / bar.example.org" },
	{ "for full path rewrite", "{rewrite: {uriRegexRewrite: {match: '/.*', rewrite: /replace-full}}, " GOES("web") "}", "gateway", "GET", "/a/b?c=d", NULL, "200 web /replace-full?c=d a.test" },
	{ "for path and host rewrite", "{rewrite: {authority: bar.example.org, uriRegexRewrite: {match: '/.*', rewrite: /replace-full}}, " GOES("web") "}", "gateway", "GET", "/a", NULL, "200 web /replace-full bar.example.org" },
	{ "for prefix path rewrite", "{rewrite: {uri: /replace-prefix}, " GOES("web") "}", "gateway", "GET", "/a", NULL, "200 web /replace-prefixa a.test" },
	{ "for path regex match with regex rewrite", "{match: [{uri: {regex: '^/service/[^/]+/.*$'}}], rewrite: {uriRegexRewrite: {match: '^/service/([^/]+)(/.*)$', rewrite: '\\2/instance/\\1'}}, " GOES("web") "}", "gateway", "GET",
	  "/service/s1/x/y", NULL, "200 web /x/y/instance/s1 a.test" },
	{ "for full path redirect", "{redirect: {uri: /replace-full-path, authority: b.test, redirectCode: 308}}", "gateway", "GET", "/a/b", NULL, "308 → http://b.test/replace-full-path" },
	{ "for prefix_rewrite redirect", "{match: [{uri: {prefix: /a/}}], redirect: {authority: foo.example.com, prefixRewrite: /, redirectCode: 301}}", "gateway", "GET", "/a/b", NULL, "301 → http://foo.example.com/b" },
	{ "ApplyRedirect: port", "{redirect: {authority: b.test, port: 8443, scheme: https}}", "gateway", "GET", "/a", NULL, "301 → https://b.test:8443/a" },
	{ "ApplyRedirect: FROM_REQUEST_PORT", "{redirect: {authority: b.test, derivePort: FROM_REQUEST_PORT}}", "gateway", "GET", "/a", NULL, "301 → http://b.test:8080/a" },
	{ "ApplyRedirect: FROM_PROTOCOL_DEFAULT", "{redirect: {authority: b.test, derivePort: FROM_PROTOCOL_DEFAULT}}", "gateway", "GET", "/a", NULL, "301 → http://b.test/a" },
	{ "ApplyRedirect: no :443 for https", "{redirect: {authority: b.test, scheme: https, port: 443}}", "gateway", "GET", "/a", NULL, "301 → https://b.test/a" },
	{ "for direct response code", "{directResponse: {status: 200, body: {string: hello}}}", "gateway", "GET", "/", NULL, "200" },
	{ "TranslateRouteMatch: method", MATCH("method: {regex: 'G.T'}", SAYS(201)), "gateway", "GET", "/", NULL, "201" },
	{ "TranslateRouteMatch: authority", MATCH("authority: {prefix: a.t}", SAYS(201)), "gateway", "GET", "/", NULL, "201" },
	{ "TranslateRouteMatch: scheme", MATCH("scheme: {exact: https}", SAYS(201)) ", {" SAYS(202) "}", "gateway", "GET", "/", NULL, "202" },
	{ "TranslateRouteMatch: a case", MATCH("uri: {prefix: /Foo}", SAYS(201)), "gateway", "GET", "/foo", NULL, "404" },
	{ "TranslateRouteMatch: none", MATCH("uri: {prefix: /Foo}, ignoreUriCase: true", SAYS(201)), "gateway", "GET", "/fOO/x", NULL, "201" },
};

/* ---- delegates: the root's route (http), those of the delegate, one request */

#define TO_DELEGATE       "delegate: {name: delegate}"
#define PRODUCT           "{match: [{uri: {prefix: /productpage/v1}, headers: {version: {exact: v1}}}], " SAYS(201) "}, " \
			  "{match: [{uri: {prefix: /productpage/v2}, headers: {version: {exact: v2}}}, {headers: {version: {exact: v2}}, queryParams: {version: {exact: v2}}}], " SAYS(202) "}"
#define ROOT(match)       "{match: [{" match "}], " TO_DELEGATE "}, {" SAYS(299) "}"
#define LEAF(match)       "{match: [{" match "}], " SAYS(201) "}"

static const struct { const char *name, *root, *delegate, *path, *header, *want; } delegations[] = {
	{ "TestMergeHttpRoutes: root catch all", "{" TO_DELEGATE "}", PRODUCT, "/productpage/v1/x", "version: v1", "201" },
	{ "root catch all: second match", "{" TO_DELEGATE "}", PRODUCT, "/any?version=v2", "version: v2", "202" },
	{ "root catch all: nothing fits", "{" TO_DELEGATE "}", PRODUCT, "/productpage/v1", NULL, "404" },
	{ "delegate with empty match", ROOT("uri: {prefix: /productpage}, port: 8080"), PRODUCT ", {" SAYS(203) "}", "/productpage/x", NULL, "203" },
	{ "delegate with empty match: outside of the root's", ROOT("uri: {prefix: /productpage}, port: 8080"), PRODUCT ", {" SAYS(203) "}", "/x?version=v2", "version: v2", "299" },
	{ "delegate with empty match: another port", ROOT("uri: {prefix: /productpage}, port: 81"), PRODUCT ", {" SAYS(203) "}", "/productpage/x", NULL, "299" },
	{ "delegate with mirrors: its own", "{mirrors: [{destination: {host: web, port: {number: 8484}}}], " TO_DELEGATE "}", "{mirrors: [{destination: {host: other, port: {number: 8484}}}], " GOES("web") "}", "/", NULL, "200 web / a.test copied to foo/other:8484" },
	{ "delegate with mirrors: the root's", "{mirrors: [{destination: {host: other, port: {number: 8484}}}], " TO_DELEGATE "}", "{" GOES("web") "}", "/", NULL, "200 web / a.test copied to foo/other:8484" },
	{ "multiple header merge", "{match: [{headers: {header1: {regex: regex}}}, {headers: {header2: {exact: exact}}}], " TO_DELEGATE "}", LEAF("uri: {prefix: /}"), "/", "header2: exact", "201" },
	{ "multiple header merge: neither", "{match: [{headers: {header1: {regex: regex}}}, {headers: {header2: {exact: exact}}}], " TO_DELEGATE "}", LEAF("uri: {prefix: /}"), "/", NULL, "404" },
	{ "the root's rewrite, headers and fault", "{rewrite: {authority: b.test}, fault: {abort: {percentage: {value: 50}, httpStatus: 418}}, " TO_DELEGATE "}", "{" GOES("web") "}", "/", NULL,
	  "1/2 418, 1/2 200 web / b.test" },
	{ "the delegate's before it", "{rewrite: {authority: b.test}, " TO_DELEGATE "}", "{rewrite: {authority: c.test}, " GOES("web") "}", "/", NULL, "200 web / c.test" },
	{ "TestMergeHTTPMatchRequests: url match", ROOT("uri: {prefix: /productpage}"), LEAF("uri: {prefix: /productpage/v2}"), "/productpage/v2", NULL, "201" },
	{ "url regex noconflict", ROOT("uri: {regex: '^/productpage'}"), LEAF("headers: {a: {exact: b}}"), "/productpage", "a: b", "201" },
	{ "url regex conflict", ROOT("uri: {regex: '^/productpage'}"), LEAF("uri: {prefix: /productpage/v2}"), "/productpage", NULL, "299" },
	{ "multi url match", "{match: [{uri: {exact: /productpage/v1}}, {uri: {exact: /productpage/v2}}], " TO_DELEGATE "}", "{match: [{uri: {exact: /productpage/v1}}, {uri: {exact: /productpage/v2}}], " SAYS(201) "}",
	  "/productpage/v2", NULL, "201" },
	{ "url mismatch", ROOT("uri: {prefix: /productpage}"), LEAF("uri: {prefix: /reviews}"), "/reviews", NULL, "299" },
	{ "one match of two that does not fit takes the route with it", ROOT("uri: {prefix: /productpage}"), "{match: [{uri: {prefix: /reviews}}, {uri: {prefix: /productpage}}], " SAYS(201) "}", "/productpage", NULL, "299" },
	{ "headers", ROOT("headers: {h1: {exact: v1}}"), LEAF("headers: {h2: {exact: v2}}"), "/", "h2: v2", "299" },
	{ "headers conflict", ROOT("headers: {header: {exact: v1}}"), LEAF("headers: {header: {exact: v2}}"), "/", "header: v2", "299" },
	{ "gateway merge", ROOT("gateways: [some-gateway, mesh]"), LEAF("gateways: [foo/some-gateway]"), "/", NULL, "201" },
	{ "gateway conflicted merge", ROOT("gateways: [some-gateway]"), LEAF("gateways: [foo/some-gateway, mesh]"), "/", NULL, "299" },
	{ "source labels merge", ROOT("sourceLabels: {istio: gate}"), LEAF("sourceLabels: {version: v1}"), "/", NULL, "201" },
	{ "TestHasConflict: headers match", ROOT("headers: {header: {prefix: h}}"), LEAF("headers: {header: {exact: h1}}"), "/", "header: h1", "201" },
	{ "headers mismatch", ROOT("headers: {header: {prefix: h1}}"), LEAF("headers: {header: {exact: h}}"), "/", "header: h1", "299" },
	{ "headers prefix mismatch", ROOT("headers: {header: {prefix: h1}}"), LEAF("headers: {header: {prefix: h}}"), "/", "header: h1", "299" },
	{ "withoutHeaders mismatch", ROOT("withoutHeaders: {header: {prefix: h1}}"), LEAF("withoutHeaders: {header: {exact: h}}"), "/", NULL, "299" },
	{ "port", ROOT("port: 8080"), LEAF("port: 8090"), "/", NULL, "299" },
	{ "sourceLabels mismatch", ROOT("sourceLabels: {istio: gate}"), LEAF("sourceLabels: {istio: other}"), "/", NULL, "299" },
	{ "sourceNamespace mismatch", ROOT("sourceNamespace: test1"), LEAF("sourceNamespace: test2"), "/", NULL, "299" },
	{ "mergeVirtualServices: not there", "{delegate: {name: nobody}}, {" SAYS(299) "}", "{" SAYS(201) "}", "/", NULL, "299" },
	{ "mergeVirtualServices: a root is no delegate", "{delegate: {name: acme}}, {" SAYS(299) "}", "{" SAYS(201) "}", "/", NULL, "299" },
	{ "mergeVirtualServices: another namespace", "{delegate: {name: delegate, namespace: far}}", "{" SAYS(201) "}", "/", NULL, "201" },
	{ "mergeVirtualServices: not exported", "{delegate: {name: kept, namespace: far}}, {" SAYS(299) "}", "{" SAYS(201) "}", "/", NULL, "299" },
};

static const char world[] =
	"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: some-gateway, namespace: foo}\nspec: {selector: {istio: gate}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a, namespace: foo}\nspec: {hosts: [a.test], ports: [{number: 8080, name: http, protocol: HTTP}], resolution: DNS}\n"
	SERVICE("web") SERVICE("other")
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: w, namespace: foo, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{name: http, port: 8080, protocol: TCP}]\nendpoints: [{addresses: [10.244.2.9]}]\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: o, namespace: foo, labels: {kubernetes.io/service-name: other}}\naddressType: IPv4\nports: [{name: http, port: 8080, protocol: TCP}]\nendpoints: [{addresses: [10.244.2.8]}]\n";

static const char *answer_of(const struct http_decision *d, struct arena *a)
{
	const char *out = "";

	for (uint32_t k = 0; k < d->nr; k++) {
		const struct http_backend *b = &d->v[k];
		const char *one = b->unknown ? "unknown" : b->location ? arena_printf(a, "%d → %s", b->status, b->location)
				: b->service ? arena_printf(a, "%d %s %s %s", b->status, b->service->o.name, b->req_path, b->req_host) : arena_printf(a, "%d", b->status);

		for (uint32_t i = 0; i < b->nr_mirrors; i++)
			one = arena_printf(a, "%s copied to %s", one, b->mirrors[i]);
		one = b->den == 1 ? one : arena_printf(a, "%" PRIu64 "/%" PRIu64 " %s", b->num, b->den, one);
		out = *out ? arena_printf(a, "%s, %s", out, one) : one;
	}
	return out;
}

static void check_route(const char *name, const char *objects, bool gateway, const char *method, const char *path, const char *text, const char *want)
{
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");
	const char *colon = text ? strchr(text, ':') : NULL;
	struct http_pair header = { colon ? arena_strndup(a, text, (size_t)(colon - text)) : "", colon ? colon + 2 : "" };
	struct http_request rq = { .scheme = "http", .method = method, .host = "a.test", .port = 8080, .path = path, .headers = &header, .nr_headers = colon != NULL };
	struct route_table *t;
	struct http_decision d;

	feed_cluster(c, VALIDATE_IGNORE, world);
	add_pod(c, a, "gate", "istio: gate, version: v1", "10.244.1.1");
	add_pod(c, a, "client", "app: client", "10.244.1.2");
	feed_cluster(c, VALIDATE_IGNORE, objects);
	t = gateway ? routes_compile_istio(c, find_pod(c, "foo", "gate"), NULL, a)
		    : routes_compile_sidecar(c, find_pod(c, "foo", "client"), &(struct mesh_dialled){ .port = 8080, .host = "a.test" }, a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t);
	d = routes_match(t, &rq, a);
	SAME_TEXT(answer_of(&d, a), want);
	if (!streq(answer_of(&d, a), want))
		fprintf(stderr, "  in %s\n", name);
	arena_free(a);
	cluster_free(c);
}

#define VS_OF(meta, hosts, http) "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {" meta "}\nspec: {" hosts "http: [" http "]}\n"
#define ROOT_VS            VS_OF("name: acme, namespace: foo", "hosts: [a.test], gateways: [some-gateway, mesh], ", "%s")

TEST(istios_routes_are_taken_as_its_own_tables_say)
{
	for (size_t k = 0; k < ARRAY_LEN(routes); k++) {
		struct arena *a = arena_new(NULL, "test");

		check_route(routes[k].subtest, arena_printf(a, ROOT_VS, routes[k].http), streq(routes[k].at, "gateway"), routes[k].method, routes[k].path, routes[k].header, routes[k].want);
		arena_free(a);
	}
}

/* The delegate is beside its root, in another namespace, and there once more for that namespace alone. */
TEST(delegates_are_merged_as_istiods_own_tables_say)
{
	for (size_t k = 0; k < ARRAY_LEN(delegations); k++) {
		struct arena *a = arena_new(NULL, "test");
		const char *own = delegations[k].delegate;

		check_route(delegations[k].name, arena_printf(a, ROOT_VS VS_OF("name: delegate, namespace: foo", "", "%s") VS_OF("name: delegate, namespace: far", "", "%s")
							      VS_OF("name: kept, namespace: far", "exportTo: ['.'], ", "%s"), delegations[k].root, own, own, own),
			    true, "GET", delegations[k].path, delegations[k].header, delegations[k].want);
		arena_free(a);
	}
}
