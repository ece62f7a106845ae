/* What the CRDs of the Gateway API refuse, and what they take. Source: gateway-api tests/cel, hack/invalid-examples. */
#include "tests/unit/cell.h"

#define GW(api, kind, spec)      "{apiVersion: gateway.networking.k8s.io/" api ", kind: " kind ", metadata: {name: x}, spec: {" spec "}}"
#define CLASS(spec)              GW("v1", "GatewayClass", spec)
#define GATEWAY(spec)            GW("v1", "Gateway", "gatewayClassName: c, " spec)
#define LISTENERS(list)          GATEWAY("listeners: [" list "]")
#define WITH(spec)               GATEWAY("listeners: [{name: http, port: 80, protocol: HTTP}], " spec)
#define SET(list)                GW("v1", "ListenerSet", "parentRef: {name: g}, listeners: [" list "]")
#define HTTP(spec)               GW("v1", "HTTPRoute", spec)
#define RULE(rule)               HTTP("rules: [{" rule "}]")
#define MATCH(match)             RULE("matches: [{" match "}]")
#define PATH(kind, value)        MATCH("path: {type: " kind ", value: '" value "'}")
#define FILTER(filter)           RULE("filters: [{" filter "}]")
#define GRPC(match)              GW("v1", "GRPCRoute", "rules: [{matches: [{" match "}]}]")
#define POLICY(spec)             GW("v1", "BackendTLSPolicy", spec)
#define TARGET                   "{group: '', kind: Service, name: s}"
#define VALID                    "validation: {hostname: x.test, wellKnownCACertificates: System}"
#define ADD(headers)             "type: RequestHeaderModifier, requestHeaderModifier: {add: [" headers "]}"
#define REWRITE(path)            "type: URLRewrite, urlRewrite: {path: " path "}"
#define PREFIXED                 REWRITE("{type: ReplacePrefixMatch, replacePrefixMatch: /b}")
#define CORS(members)            FILTER("type: CORS, cors: {" members "}")
#define MIRROR(members)          FILTER("type: RequestMirror, requestMirror: {backendRef: {name: m, port: 80}, " members "}")

static const struct judged table[] = {
	{ CLASS("controllerName: example.net/gateway"), NULL },
	{ CLASS("controllerName: example.net"), "spec.controllerName in body should match '^" },
	{ CLASS("controllerName: example.net/gateway, parametersRef: {group: '', kind: ConfigMap}"), "spec.parametersRef.name: Required value" },

	{ LISTENERS("{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP, hostname: x.test}"), NULL },
	{ LISTENERS(""), "spec.listeners in body should have at least 1 items" },
	{ LISTENERS("{name: a, port: 80, protocol: HTTP, tls: {}}"), "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']" },
	{ LISTENERS("{name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}"), "tls mode must be Terminate for protocol HTTPS" },
	{ LISTENERS("{name: a, port: 443, protocol: TLS}"), "tls mode must be set for protocol TLS" },
	{ LISTENERS("{name: a, port: 443, protocol: HTTPS, tls: {}}"), "certificateRefs or options must be specified when mode is Terminate" },
	{ LISTENERS("{name: a, port: 443, protocol: HTTPS, tls: {options: {a: b}}}"), NULL },
	{ LISTENERS("{name: a, port: 443, protocol: HTTPS}"), NULL },
	{ LISTENERS("{name: a, port: 443, protocol: TLS, tls: {mode: Halfway}}"), "spec.listeners[0].tls.mode: Unsupported value: \"Halfway\": supported values: \"Terminate\", \"Passthrough\"" },
	{ LISTENERS("{name: a, port: 53, protocol: UDP, hostname: x.test}"), "hostname must not be specified for protocols ['TCP', 'UDP']" },
	{ LISTENERS("{name: a, port: 80, protocol: HTTP}, {name: a, port: 81, protocol: HTTP}"), "Listener name must be unique within the Gateway" },
	{ LISTENERS("{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}"), "Combination of port, protocol and hostname must be unique for each listener" },
	{ LISTENERS("{name: a, port: 0, protocol: HTTP}"), "spec.listeners[0].port: Invalid value: 0: spec.listeners[0].port in body should be greater than or equal to 1" },
	{ LISTENERS("{name: a, port: 80, protocol: HTTP, hostname: 'a.*.test'}"), "spec.listeners[0].hostname in body should match '^(\\*\\.)?" },
	{ LISTENERS("{name: a, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{}]}}"), "spec.listeners[0].allowedRoutes.kinds[0].kind: Required value" },
	{ WITH("addresses: [{value: 1.2.3.4}, {value: 1.2.3.4}]"), "IPAddress values must be unique" },
	{ WITH("addresses: [{type: Hostname, value: x.test}, {type: Hostname, value: x.test}]"), "Hostname values must be unique" },
	{ WITH("addresses: [{type: Hostname, value: '*'}]"), "Hostname value must be empty or contain only valid characters" },
	{ WITH("infrastructure: {labels: {'example.com/path.html': ''}}"), NULL },
	{ WITH("infrastructure: {labels: [a]}"), "spec.infrastructure.labels" },
	{ WITH("infrastructure: {labels: {'Example.com/key': v}}"), "Label keys must be in the form of an optional DNS subdomain prefix" },
	{ WITH("tls: {frontend: {default: {}, perPort: [{port: 443, tls: {}}, {port: 443, tls: {}}]}}"), "Port for TLS configuration must be unique within the Gateway" },
	{ WITH("allowedListeners: {namespaces: {from: Some}}"), "supported values: \"All\", \"Selector\", \"Same\", \"None\"" },
	{ SET("{name: a, port: 80, protocol: TCP, hostname: x.test}"), "hostname must not be specified for protocols ['TCP', 'UDP']" },
	{ GW("v1beta1", "ReferenceGrant", "to: [{group: '', kind: Service}]"), "spec.from: Required value" },
	{ GW("v1beta1", "ReferenceGrant", "from: [{group: g, kind: HTTPRoute, namespace: a}], to: []"), "spec.to in body should have at least 1 items" },

	{ POLICY("targetRefs: [" TARGET "], " VALID), NULL },
	{ POLICY("targetRefs: [" TARGET ", " TARGET "], " VALID), "sectionName must be unique when targetRefs includes 2 or more references to the same target" },
	{ POLICY("targetRefs: [" TARGET ", {group: '', kind: Service, name: s, sectionName: a}], " VALID), "sectionName must be specified when targetRefs includes" },
	{ POLICY("targetRefs: [" TARGET "], validation: {hostname: x.test, wellKnownCACertificates: System, subjectAltNames: [{type: URI, hostname: a}]}"),
	  "SubjectAltName element must not contain Hostname, if Type is not set to Hostname" },

	{ HTTP("parentRefs: [{name: g, sectionName: a}, {name: g, sectionName: b}]"), NULL },
	{ HTTP("parentRefs: [{name: g}, {name: g}]"), "sectionName or port must be unique when parentRefs includes 2 or more references to the same parent" },
	{ HTTP("parentRefs: [{name: g}, {name: g, sectionName: a}]"), "sectionName or port must be specified when parentRefs includes 2 or more references to the same parent" },
	{ HTTP("hostnames: [1x.test, '*.test']"), NULL },
	{ HTTP("hostnames: ['x.test:80']"), "spec.hostnames[0] in body should match" },
	{ HTTP("rules: []"), "spec.rules in body should have at least 1 items" },
	{ HTTP("rules: [{name: a}, {name: a}]"), "Rule name must be unique within the route" },
	{ PATH("PathPrefix", "foo"), "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']" },
	{ PATH("Exact", "/foo/./bar"), "must not contain '/./' when type one of ['Exact', 'PathPrefix']" },
	{ PATH("PathPrefix", "//foo"), "must not contain '//' when type one of ['Exact', 'PathPrefix']" },
	{ PATH("PathPrefix", "/foo/.."), "must not end with '/..' when type one of ['Exact', 'PathPrefix']" },
	{ PATH("PathPrefix", "/a%2fb"), "must not contain '%2f' when type one of ['Exact', 'PathPrefix']" },
	{ PATH("Exact", "/my[/]path"), "must only contain valid characters" },
	{ PATH("RegularExpression", "/a//[b]"), NULL },
	{ PATH("Suffix", "/"), "spec.rules[0].matches[0].path.type: Unsupported value: \"Suffix\": supported values: \"Exact\", \"PathPrefix\", \"RegularExpression\"" },
	{ MATCH("method: get"), "supported values: \"GET\", \"HEAD\"" },
	{ MATCH("headers: [{name: a, value: v}, {name: a, value: w}]"), "spec.rules[0].matches[0].headers[1]: Duplicate value: {\"name\":\"a\"}" },
	{ MATCH("headers: [{name: 'a b', value: x}]"), "spec.rules[0].matches[0].headers[0].name in body should match" },
	{ MATCH("queryParams: [{name: a}]"), "spec.rules[0].matches[0].queryParams[0].value: Required value" },
	{ RULE("backendRefs: [{name: s}]"), "spec.rules[0].backendRefs[0]: Invalid value: Must have port for Service reference" },
	{ RULE("backendRefs: [{name: s, group: g, kind: Bucket}]"), NULL },
	{ RULE("backendRefs: [{name: s, port: 80, weight: -1}]"), "weight in body should be greater than or equal to 0" },
	{ FILTER("type: RequestRedirect, requestRedirect: {statusCode: 308, port: 443}"), NULL },
	{ FILTER("type: RequestRedirect, requestRedirect: {statusCode: 304}"), "Unsupported value: 304: supported values: \"301\", \"302\", \"303\", \"307\", \"308\"" },
	{ FILTER("type: RequestRedirect, requestRedirect: {scheme: ftp}"), "supported values: \"http\", \"https\"" },
	{ FILTER("type: RequestRedirect"), "filter.requestRedirect must be specified for RequestRedirect filter.type" },
	{ FILTER("type: URLRewrite, urlRewrite: {}, requestMirror: {backendRef: {name: s, port: 80}}"), "filter.requestMirror must be nil if the filter.type is not RequestMirror" },
	{ RULE("filters: [{type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {}}]"),
	  "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both" },
	{ RULE("filters: [{" ADD("{name: a, value: b}") "}, {" ADD("{name: b, value: b}") "}]"), "RequestHeaderModifier filter cannot be repeated" },
	{ FILTER(ADD("{name: a, value: b}, {name: a, value: c}")), "add[1]: Duplicate value: {\"name\":\"a\"}" },
	{ RULE("filters: [{type: RequestRedirect, requestRedirect: {}}], backendRefs: [{name: s, port: 80}]"), "RequestRedirect filter must not be used together with backendRefs" },
	{ RULE("filters: [{" PREFIXED "}]"), NULL },
	{ RULE("filters: [{" PREFIXED "}], matches: [{path: {type: Exact, value: /a}}]"), "When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified" },
	{ RULE("filters: [{" PREFIXED "}], matches: [{path: {value: /a}}, {path: {value: /b}}]"), "exactly one PathPrefix match must be specified" },
	{ RULE("backendRefs: [{name: s, port: 80, filters: [{" PREFIXED "}]}], matches: [{path: {type: Exact, value: /a}}]"),
	  "Within backendRefs, When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified" },
	{ FILTER(REWRITE("{type: ReplaceFullPath}")), "replaceFullPath must be specified when type is set to 'ReplaceFullPath'" },
	{ FILTER(REWRITE("{type: ReplaceFullPath, replaceFullPath: /a, replacePrefixMatch: /b}")), "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set" },
	{ MIRROR("percent: 42, fraction: {numerator: 1}"), "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter" },
	{ MIRROR("fraction: {numerator: 101}"), "numerator must be less than or equal to denominator" },
	{ MIRROR("percent: 101"), "percent in body should be less than or equal to 100" },
	{ CORS("allowOrigins: ['*', 'https://x.test']"), "AllowOrigins cannot contain '*' alongside other origins" },
	{ CORS("allowOrigins: ['https://*.x.test:8443']"), NULL },
	{ CORS("allowOrigins: ['ftp://x.test']"), "allowOrigins[0] in body should match" },
	{ CORS("allowMethods: [GET, GET]"), "allowMethods[1]: Duplicate value: \"GET\"" },
	{ RULE("timeouts: {request: 500ms, backendRequest: 1s}"), "backendRequest timeout cannot be longer than request timeout" },
	{ RULE("timeouts: {request: 0s, backendRequest: 1s}"), NULL },
	{ RULE("timeouts: {request: 1m30s, backendRequest: 90s}"), NULL },
	{ RULE("timeouts: {request: 1.5s}"), "spec.rules[0].timeouts.request in body should match" },
	{ RULE("sessionPersistence: {type: Header}"), "header must be specified for Header type" },
	{ RULE("sessionPersistence: {cookie: {lifetimeType: Permanent}}"), "AbsoluteTimeout must be specified when cookie lifetimeType is Permanent" },

	{ GRPC("method: {service: foo.Bar, method: Get}"), NULL },
	{ GRPC("method: {type: Exact}"), "One or both of 'service' or 'method' must be specified" },
	{ GRPC("method: {service: foo/bar}"), "service must only contain valid characters" },
	{ GRPC("method: {method: 1st}"), "method must only contain valid characters" },
	{ GW("v1alpha2", "TLSRoute", "rules: [{backendRefs: [{name: s, port: 443}]}]"), NULL },
	{ GW("v1", "TLSRoute", "hostnames: [1.2.3.4], rules: [{backendRefs: [{name: s, port: 443}]}]"), "Hostnames cannot contain an IP" },
	{ GW("v1", "TCPRoute", "rules: [{backendRefs: [{name: s, port: 1}]}, {backendRefs: [{name: s, port: 1}]}]"), "spec.rules: Too many: 2: must have at most 1 item" },
	{ GW("v1", "UDPRoute", "rules: [{backendRefs: []}]"), "spec.rules[0].backendRefs in body should have at least 1 items" },
};

TEST(gateway_api_objects_are_judged_by_their_crds)
{
	cells_judge(table, ARRAY_LEN(table));
}

/* What stands may stand: CRDValidationRatcheting. A class keeps its controller. */
TEST(updates_of_gateway_objects_are_judged_by_what_they_change)
{
	struct apply_options as_found = { .unknown = VALIDATE_IGNORE, .create_namespaces = true }, judged = { .unknown = VALIDATE_STRICT, .validate = true, .create_namespaces = true };
	static const struct { const char *was, *now; const char *why; } rows[] = {
		{ RULE("backendRefs: [{name: s}]"), "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: x, labels: {a: b}}, spec: {rules: [{backendRefs: [{name: s}]}]}}", NULL },
		{ RULE("backendRefs: [{name: s}]"), RULE("backendRefs: [{name: t}]"), "Must have port for Service reference" },
		{ CLASS("controllerName: example.net/a"), CLASS("controllerName: example.net/b"), "field is immutable" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		struct doc was = { "test.yaml", yaml_parse(x.a, "test.yaml", rows[k].was, strlen(rows[k].was), NULL, &x.err) };
		struct doc now = { "test.yaml", yaml_parse(x.a, "test.yaml", rows[k].now, strlen(rows[k].now), NULL, &x.err) };

		CU_ASSERT(apply_doc(x.c, &was, &as_found, NULL, &x.err) == APPLY_CREATED);
		CU_ASSERT((apply_doc(x.c, &now, &judged, NULL, &x.err) == APPLY_ERROR) == (rows[k].why != NULL));
		CU_ASSERT(!rows[k].why || (err_any(&x.err) && strstr(x.err.v[x.err.nr - 1].text, rows[k].why)));
		cell_free(&x);
	}
}

/* What the CRDs refuse today, and manifests that are about do not have: taken, with a warning. */
TEST(what_drafts_of_the_crds_took_is_warned_of)
{
	static const struct { const char *doc, *why; } rows[] = {
		{ POLICY("targetRefs: [" TARGET "], validation: {hostname: x.test}"), "must specify either CACertificateRefs or WellKnownCACertificates" },
		{ GW("v1", "TLSRoute", "rules: [{backendRefs: [{name: s, port: 443}]}]"), "the CRDs of today refuse a TLSRoute without hostnames" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);

		docs_read("test.yaml", rows[k].doc, strlen(rows[k].doc), NULL, cell_take, &x, &x.err);
		CU_ASSERT(!err_any(&x.err) && x.err.nr == 1 && strstr(x.err.v[0].text, rows[k].why));
		cell_free(&x);
	}
}
