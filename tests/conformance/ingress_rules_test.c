/* What the API server takes and refuses of Ingresses and IngressClasses, new and changed. Source: kubernetes pkg/apis/networking/validation/validation_test.go
 * (TestValidateIngress, …RuleValue, …Create, …Update, …TLS, …Class, …ClassUpdate), each row of theirs. */
#include "tests/unit/cell.h"

#define INGRESS(meta, spec)     "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: foo" meta "}, spec: {" spec "}}"
#define BACKEND                 "backend: {service: {name: defaultbackend, port: {number: 80}}}"
#define DEFAULT                 "defaultBackend: {service: {name: defaultbackend, port: {number: 80}}}"
#define RESOURCE                "resource: {apiGroup: example.com, kind: foo, name: bar}"
#define RULE(host, path)        "rules: [{host: '" host "', http: {paths: [{" path "}]}}]"
#define BASE(host, path)        INGRESS("", DEFAULT ", " RULE(host, path))
#define PATH(type, path)        "path: '" path "', pathType: " type ", " BACKEND
#define ANY(path)               PATH("ImplementationSpecific", path)
#define BESIDE(backend)         INGRESS("", DEFAULT ", " RULE("foo.bar.com", "path: /foo, pathType: ImplementationSpecific, backend: {" backend "}"))
#define CLASSED(spec)           INGRESS(", annotations: {kubernetes.io/ingress.class: foo}", DEFAULT spec)
#define TLS(tls)                INGRESS("", DEFAULT ", tls: [{" tls "}]")
#define WILD(path)              INGRESS("", DEFAULT ", tls: [{hosts: ['*.bar.com']}], " RULE("*.foo.com", PATH("Exact", path)))
#define CLASS(name, controller, more) "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: '" name "'}, spec: {controller: '" controller "'" more "}}"
#define PARAMETERS(text)        CLASS("test123", "foo.co/bar", ", parameters: {" text "}")
#define A60                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A243                    A60 A60 A60 A60 "aaa"

static const struct judged table[] = {
	/* TestValidateIngress */
	{ BASE("foo.bar.com", ANY("")), NULL },
	{ BASE("foo.bar.com", ANY("/valid")), NULL },
	{ INGRESS("", "defaultBackend: {service: {name: '', port: {number: 80}}}"), "spec.defaultBackend.service.name: Required value" },
	{ BASE("foo.bar.com", PATH("foo", "/foo")), "spec.rules[0].http.paths[0].pathType: Unsupported value: \"foo\"" },
	{ BASE("foo.bar.com", PATH("Prefix", "")), "spec.rules[0].http.paths[0].path: Invalid value: \"\": must be an absolute path" },
	{ INGRESS("", DEFAULT ", rules: [{host: foo.bar.com, http: {paths: []}}]"), "spec.rules[0].http.paths: Required value" },
	{ INGRESS("", DEFAULT), NULL },
	{ INGRESS("", RULE("foo.bar.com", ANY("/foo"))), NULL },
	{ INGRESS("", "rules: []"), "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified" },
	{ BASE("foobar:80", ANY("/foo")), "spec.rules[0].host: Invalid value: \"foobar:80\"" },
	{ BASE("127.0.0.1", ANY("/foo")), "spec.rules[0].host: Invalid value: \"127.0.0.1\": must be a DNS name, not an IP address" },
	{ BASE("*.bar.com", ANY("/foo")), NULL },
	{ BASE("foo.*.bar.com", ANY("/foo")), "spec.rules[0].host: Invalid value: \"foo.*.bar.com\"" },
	{ BASE("*", ANY("/foo")), "spec.rules[0].host: Invalid value: \"*\"" },
	{ BESIDE("service: {name: defaultbackend, port: {name: http}}, " RESOURCE), "spec.rules[0].http.paths[0].backend: Invalid value: \"\": cannot set both resource and service backends" },
	{ BESIDE("service: {name: defaultbackend, port: {number: 80}}, " RESOURCE), "spec.rules[0].http.paths[0].backend: Invalid value" },
	{ INGRESS("", "defaultBackend: {service: {name: defaultbackend, port: {name: http}}, " RESOURCE "}"), "spec.defaultBackend: Invalid value" },
	{ INGRESS("", "defaultBackend: {service: {name: defaultbackend, port: {number: 80}}, " RESOURCE "}"), "spec.defaultBackend: Invalid value" },
	/* TestValidateIngressRuleValue */
	{ BASE("a.b", ANY("foo")), "path: Invalid value: \"foo\": must be an absolute path" },
	{ BASE("a.b", ANY("/foo")), NULL },
	{ BASE("a.b", ANY("/foo/bar/foo")), NULL },
	{ BASE("a.b", ANY("/foo//bar/foo")), NULL },
	{ BASE("a.b", PATH("Prefix", "foo")), "must be an absolute path" },
	{ BASE("a.b", PATH("Prefix", "/foo")), NULL },
	{ BASE("a.b", PATH("Prefix", "/foo/bar/foo")), NULL },
	{ BASE("a.b", PATH("Prefix", "/foo//bar/foo")), "path: Invalid value: \"/foo//bar/foo\": must not contain '//'" },
	{ BASE("a.b", PATH("Exact", "foo")), "must be an absolute path" },
	{ BASE("a.b", PATH("Exact", "/foo")), NULL },
	{ BASE("a.b", PATH("Exact", "/foo/bar/foo")), NULL },
	{ BASE("a.b", PATH("Exact", "/foo//bar/foo")), "must not contain '//'" },
	{ BASE("a.b", PATH("Prefix", "/foo/./foo")), "must not contain '/./'" },
	{ BASE("a.b", PATH("Exact", "/foo/../foo")), "must not contain '/../'" },
	{ BASE("a.b", PATH("Prefix", "/foo/%2f/foo")), "must not contain '%2f'" },
	{ BASE("a.b", PATH("Exact", "/foo/%2F/foo")), "must not contain '%2F'" },
	/* TestValidateIngressCreate */
	{ INGRESS("", DEFAULT ", ingressClassName: bar"), NULL },
	{ CLASSED(""), NULL },
	{ CLASSED(", ingressClassName: foo"), NULL },
	{ CLASSED(", ingressClassName: bar"), "annotations.kubernetes.io/ingress.class: Invalid value: \"foo\": must match `ingressClassName` when both are specified" },
	{ BASE("foo.bar.com", ANY("/([a-z0-9]*)")), NULL },
	{ BASE("foo.bar.com", ANY("/([a-z0-9]*)[")), NULL },
	{ INGRESS("", "defaultBackend: {" RESOURCE "}"), NULL },
	{ BESIDE(RESOURCE), NULL },
	{ TLS("secretName: valid"), NULL },
	{ TLS("secretName: invalid name"), "spec.tls[0].secretName: Invalid value: \"invalid name\": a lowercase RFC 1123 subdomain must consist of" },
	{ WILD("/foo"), NULL },
	{ WILD("foo"), "spec.rules[0].http.paths[0].path: Invalid value: \"foo\": must be an absolute path" },
	/* TestValidateIngressTLS, TestValidateEmptyIngressTLS */
	{ INGRESS("", RULE("*.foo.bar.com", ANY("/foo")) ", tls: [{hosts: ['foo.*.bar.com']}]"), "spec.tls[0].hosts[0]: Invalid value: \"foo.*.bar.com\"" },
	{ INGRESS("", RULE("*.bar.com", ANY("/foo")) ", tls: [{hosts: ['*.bar.com']}]"), NULL },
	{ TLS(""), NULL },
	{ TLS("hosts: []"), NULL },
	/* TestValidateIngressClass */
	{ CLASS("test123", "foo.co/bar", ""), NULL },
	{ CLASS("test*123", "foo.co/bar", ""), "metadata.name: Invalid value: \"test*123\": a lowercase RFC 1123 subdomain" },
	{ CLASS("test123", "", ""), "spec.controller: Required value" },
	{ CLASS("test123", "foo.co/" A243, ""), NULL },
	{ CLASS("test123", "foo.co/" A243 "a", ""), "spec.controller: Too long: may not be more than 250 bytes" },
	{ PARAMETERS("apiGroup: example.com, kind: foo, name: bar, scope: Cluster"), NULL },
	{ PARAMETERS("apiGroup: example.com, kind: '', name: bar, scope: Cluster"), "spec.parameters.kind: Required value" },
	{ PARAMETERS("apiGroup: example.com, kind: foo, name: '', scope: Cluster"), "spec.parameters.name: Required value" },
	{ PARAMETERS("kind: foo/, name: bar, scope: Cluster"), "spec.parameters.kind: Invalid value: \"foo/\": may not contain '/'" },
	{ PARAMETERS("kind: foo, name: bar, scope: bad-scope"), "spec.parameters.scope: Unsupported value: \"bad-scope\": supported values: \"Cluster\", \"Namespace\"" },
	{ PARAMETERS("kind: foo, name: bar, scope: Namespace, namespace: foo-ns"), NULL },
	{ PARAMETERS("kind: foo, name: bar, scope: Namespace, namespace: foo_ns"), "spec.parameters.namespace: Invalid value: \"foo_ns\": a lowercase RFC 1123 label" },
	{ PARAMETERS("kind: foo, name: bar, scope: Cluster"), NULL },
	{ PARAMETERS("kind: foo, name: bar"), NULL },           /* scope has a default in v1 */
	{ PARAMETERS("kind: foo, name: bar, scope: Namespace"), "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'" },
	{ PARAMETERS("kind: foo, name: bar, scope: Cluster, namespace: foo-ns"), "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'" },
	{ PARAMETERS("kind: foo, name: bar, scope: Cluster, namespace: ''"), "spec.parameters.namespace: Forbidden" },
};

static const struct { const char *old, *now, *why; } updates[] = {
	/* TestValidateIngressUpdate */
	{ INGRESS("", DEFAULT), INGRESS("", DEFAULT ", ingressClassName: bar"), NULL },
	{ INGRESS("", DEFAULT), CLASSED(""), NULL },
	{ INGRESS("", DEFAULT), CLASSED(", ingressClassName: bar"), NULL },
	{ BASE("a.b", ANY("/([a-z0-9]*)")), BASE("a.b", ANY("/([a-z0-9%]*)")), NULL },
	{ BASE("a.b", ANY("/([a-z0-9]*)")), BASE("a.b", ANY("/bar[")), NULL },
	{ BASE("a.b", ANY("/bar[")), BASE("a.b", ANY("/([a-z0-9]*)")), NULL },
	{ BASE("a.b", ANY("/foo[")), BASE("a.b", ANY("/bar[")), NULL },
	{ INGRESS("", DEFAULT), INGRESS("", "defaultBackend: {" RESOURCE "}"), NULL },
	{ INGRESS("", "defaultBackend: {" RESOURCE "}"), INGRESS("", "defaultBackend: {" RESOURCE "}"), NULL },
	{ INGRESS("", "defaultBackend: {" RESOURCE "}"), INGRESS("", DEFAULT), NULL },
	{ BESIDE(RESOURCE), BASE("foo.bar.com", ANY("/bar[")), NULL },
	{ BESIDE(RESOURCE), BESIDE(RESOURCE), NULL },
	{ BASE("foo.bar.com", ANY("/foo[")), BESIDE(RESOURCE), NULL },
	{ TLS("secretName: valid"), TLS("secretName: invalid name"), "spec.tls[0].secretName: Invalid value: \"invalid name\"" },
	{ TLS("secretName: invalid name 1"), TLS("secretName: invalid name 2"), NULL },
	{ WILD("/foo"), WILD("foo"), "spec.rules[0].http.paths[0].path: Invalid value: \"foo\": must be an absolute path" },
	{ WILD("foo"), WILD("bar"), NULL },
	/* TestValidateIngressClassUpdate */
	{ CLASS("test123", "foo.co/different", ""), CLASS("test123", "foo.co/bar", ""), "spec.controller: Invalid value: \"foo.co/bar\": field is immutable" },
	{ CLASS("test123", "foo.co/bar", ""), PARAMETERS("apiGroup: v1, kind: ConfigMap, name: foo, scope: Namespace, namespace: bar"), NULL },
};

TEST(ingresses_are_taken_as_the_api_server_takes_them)
{
	cells_judge(table, ARRAY_LEN(table));
}

/* The old one is there without having been asked: an older version took it. */
TEST(ingresses_may_stay_as_bad_as_they_were)
{
	for (size_t k = 0; k < ARRAY_LEN(updates); k++) {
		struct cell x = cell_new(1);

		x.lax = true;
		cell_apply(&x, updates[k].old);
		x.lax = false;
		cell_judges(&x, updates[k].now, updates[k].why);
		cell_free(&x);
	}
}
