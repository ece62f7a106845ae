/* What Istio's CRDs and its webhook refuse, and what they take. Source: istio pkg/config/validation/{validation,virtualservice}_test.go, testdata/crds. */
#include "tests/unit/cell.h"

#define NET(kind, spec)     "{apiVersion: networking.istio.io/v1, kind: " kind ", metadata: {name: x}, spec: {" spec "}}"
#define SEC(kind, spec)     "{apiVersion: security.istio.io/v1, kind: " kind ", metadata: {name: x}, spec: {" spec "}}"
#define VS(spec)            NET("VirtualService", spec)
#define DEST                "route: [{destination: {host: foo.baz}}]"
#define HTTP(route)         VS("hosts: [foo.bar], http: [{" route "}]")
#define MATCH(match)        HTTP("match: [{" match "}], " DEST)
#define TO(destination)     HTTP("route: [{destination: {" destination "}}]")
#define TLS(hosts, sni)     VS("hosts: [" hosts "], tls: [{match: [{sniHosts: [" sni "]}], " DEST "}]")
#define DR(spec)            NET("DestinationRule", "host: reviews, " spec)
#define POLICY(spec)        DR("trafficPolicy: {" spec "}")
#define GATEWAY(servers)    NET("Gateway", "servers: [" servers "]")
#define SERVER(port, more)  GATEWAY("{hosts: [foo.bar.com], port: {name: p, number: 443, protocol: " port "}, " more "}")
#define ENTRY(spec)         NET("ServiceEntry", spec)
#define PORTS               "ports: [{number: 80, protocol: HTTP, name: http}]"
#define SIDECAR(spec)       NET("Sidecar", spec)
#define EGRESS(hosts)       SIDECAR("egress: [{hosts: [" hosts "]}]")
#define AUTHZ(spec)         SEC("AuthorizationPolicy", spec)
#define FROM(source)        AUTHZ("rules: [{from: [{source: {" source "}}]}]")
#define OPERATION(what)     AUTHZ("rules: [{to: [{operation: {" what "}}]}]")
#define WHEN(key, values)   AUTHZ("rules: [{when: [{key: '" key "', values: [" values "]}]}]")
#define PEER(spec)          SEC("PeerAuthentication", spec)
#define JWT(rule)           SEC("RequestAuthentication", "jwtRules: [{" rule "}]")

static const struct { const char *doc, *why; } table[] = {
	{ HTTP(DEST), NULL },
	{ VS("hosts: [foo.bar]"), "spec: Invalid value: http, tcp or tls must be provided in virtual service" },
	{ VS("hosts: ['*'], http: [{" DEST "}]"), "spec.hosts[0]: Invalid value: \"*\": wildcard host * is not allowed for virtual services bound to the mesh gateway" },
	{ VS("hosts: ['*'], gateways: [g], http: [{" DEST "}]"), NULL },
	{ VS("hosts: ['foo.*.com'], http: [{" DEST "}]"), "domain name \"*.com\" invalid (label \"*\" invalid)" },
	{ VS("hosts: [foo.baz, '*.baz'], gateways: [g], http: [{" DEST "}]"), "duplicate hosts in virtual service: foo.baz & *.baz" },
	{ VS("hosts: [foo.bar], gateways: ['a b'], http: [{" DEST "}]"), "spec.gateways[0]: Invalid value: \"a b\": domain name \"a b\" invalid" },
	{ VS("hosts: [foo.bar], gateways: ['/g'], http: [{" DEST "}]"), "config namespace and gateway name cannot be empty" },
	{ VS("http: [{" DEST "}]"), NULL },
	{ VS("gateways: [g], http: [{" DEST "}]"), "delegate virtual service must have no gateways specified" },
	{ VS("http: [{delegate: {name: other}, " DEST "}]"), "delegate HTTP route cannot contain delegate" },
	{ HTTP("delegate: {name: other, namespace: ns}"), NULL },
	{ HTTP("delegate: {name: other}, " DEST), "root HTTP route must not specify route" },
	{ HTTP("timeout: 1s"), "spec.http[0]: Invalid value: HTTP route, redirect or direct_response is required" },
	{ HTTP("redirect: {uri: /x}, " DEST), "HTTP route cannot contain both route and redirect" },
	{ HTTP("redirect: {uri: /x}, rewrite: {uri: /y}"), "HTTP route cannot contain both rewrite and redirect" },
	{ HTTP("directResponse: {status: 200}, " DEST), "HTTP route cannot contain both route and directResponse" },
	{ HTTP("directResponse: {status: 0}"), "spec.http[0].directResponse.status: Invalid value: 0: HTTP status 0 is not in range 200-599" },
	{ HTTP("directResponse: {status: 503, body: {string: a, bytes: YQ==}}"), "must validate one and only one schema (oneOf): at most one of string, bytes" },
	{ HTTP("redirect: {}"), "redirect must specify URI, authority, scheme, or port" },
	{ HTTP("redirect: {uri: /x, redirectCode: 299}"), "299 is not a valid redirect code, must be 3xx" },
	{ HTTP("redirect: {uri: /x, scheme: ftp}"), "invalid redirect scheme, must be \"http\" or \"https\"" },
	{ HTTP("redirect: {uri: /x, port: 65536}"), "port number 65536 must be in the range 1..65535" },
	{ HTTP("redirect: {port: 80, derivePort: FROM_REQUEST_PORT}"), "at most one of port, derivePort" },
	{ HTTP("redirect: {derivePort: SOMEHOW}"), "supported values: \"FROM_PROTOCOL_DEFAULT\", \"FROM_REQUEST_PORT\"" },
	{ HTTP("match: [{uri: {exact: /a}}], redirect: {prefixRewrite: /b}"), "redirect prefix_rewrite requires all URI matches to use prefix match type" },
	{ HTTP("rewrite: {}, " DEST), "rewrite must specify at least one of URI, UriRegexRewrite, or authority" },
	{ HTTP("rewrite: {uri: /, uriRegexRewrite: {match: a, rewrite: b}}, " DEST), "rewrite may only contain one of URI or UriRegexRewrite" },
	{ HTTP("rewrite: {uriRegexRewrite: {match: a}}, " DEST), "UriRegexRewrite requires both Rewrite and Match fields" },
	{ HTTP("rewrite: {authority: a.b}, headers: {request: {set: {host: c.d}}}, " DEST), "authority header cannot be set multiple times: have \"a.b\", attempting to set \"c.d\"" },
	{ HTTP("headers: {request: {remove: [Host]}}, " DEST), "invalid header \"Host\": cannot set Host header" },
	{ HTTP("headers: {response: {add: {':path': x}}}, " DEST), "header cannot have \":\" prefix" },
	{ HTTP("headers: {request: {set: {a: '%START_TIME'}}}, " DEST), "Un-terminated variable expression" },
	{ HTTP("headers: {request: {set: {a: '100%%', b: '%REQ(x)%'}}}, " DEST), NULL },
	{ HTTP("corsPolicy: {allowMethods: [PUTT]}, " DEST), "\"PUTT\" is not a supported HTTP method" },
	{ HTTP("corsPolicy: {allowHeaders: ['a b']}, " DEST), "header name a b is not a valid header name" },
	{ HTTP("corsPolicy: {maxAge: 1.5s}, " DEST), "max_age duration is accurate only to seconds precision" },
	{ HTTP("corsPolicy: {allowOrigins: [{exact: ''}]}, " DEST), "is not a valid match type for CORS allow origins" },
	{ HTTP("fault: {}, " DEST), "HTTP fault injection must have an abort and/or a delay" },
	{ HTTP("fault: {abort: {httpStatus: 9000}}, " DEST), "HTTP status 9000 is not in range 200-599" },
	{ HTTP("fault: {abort: {httpStatus: 500, percentage: {value: 101}}}, " DEST), "percentage is neither 0.0, nor in range [0.0001, 100.0]" },
	{ HTTP("fault: {abort: {grpcStatus: OOPS}}, " DEST), "gRPC status \"OOPS\" is not supported" },
	{ HTTP("fault: {delay: {fixedDelay: -1s}}, " DEST), "must be a valid duration greater than 1ms" },
	{ HTTP("fault: {delay: {exponentialDelay: 3s}}, " DEST), "exponentialDelay not supported yet" },
	{ HTTP("timeout: 1500us, " DEST), "only durations to ms precision are supported" },
	{ HTTP("retries: {attempts: -1}, " DEST), "attempts cannot be negative" },
	{ HTTP("retries: {attempts: 0, retryOn: 5xx}, " DEST), "http retry policy configured when attempts are set to 0 (disabled)" },
	{ HTTP("retries: {attempts: 3, retryOn: '5xx,503,sometimes'}, " DEST), "\"sometimes\" is not a valid retryOn policy" },
	{ HTTP("mirror: {host: a}, mirrors: [{destination: {host: b}}], " DEST), "HTTP route cannot contain both mirror and mirrors" },
	{ HTTP("mirrors: [{destination: {host: b}, percentage: {value: 101}}], " DEST), "mirror percentage must have a max value of 100" },
	{ HTTP("route: [{weight: 1}]"), "spec.http[0].route[0].destination: Required value" },
	{ HTTP("route: [{destination: {host: a}, weight: -1}]"), "weight -1 < 0" },
	{ HTTP("route: [{destination: {host: a}, weight: 0}, {destination: {host: b}}]"), "spec.http[0].route: Invalid value: total destination weight = 0" },
	{ HTTP("route: [{destination: {host: a}, weight: 75}, {destination: {host: b}, weight: 50}]"), NULL },
	{ TO("host: '*'"), "invalid destination host *" },
	{ TO("host: foo.bar, subset: '*bar'"), "subset name is invalid: *bar" },
	{ TO("host: foo.bar, port: {number: 999999}"), "spec.http[0].route[0].destination.port.number: Invalid value: 999999: port number" },
	{ TO("subset: a"), "spec.http[0].route[0].destination.host: Required value" },
	{ MATCH("uri: {prefix: ''}"), NULL },
	{ MATCH("uri: {prefix: /a, exact: /b}"), "spec.http[0].match[0].uri must validate one and only one schema (oneOf)" },
	{ MATCH("uri: {regex: '*'}"), "missing argument to repetition operator: `*`" },
	{ MATCH("uri: {regex: '[A-Z'}"), "missing closing ]: `[A-Z`" },
	{ MATCH("uri: {regex: '/(?!admin)'}"), "invalid or unsupported Perl syntax: `(?!admin)`" },
	{ MATCH("uri: {regex: '/((?P<v>v[0-9]+)|x{2,3}?)/[^/]+'}"), NULL },
	{ MATCH("method: {prefix: ''}"), "prefix string match should not be empty" },
	{ MATCH("headers: {'x y': {exact: a}}"), "header name x y is not a valid header name" },
	{ MATCH("headers: {h: {regex: ''}}"), "spec.http[0].match[0].headers[h].regex: Invalid value: \"\": regex string match should not be empty" },
	{ MATCH("headers: {h: {}, ':path': {exact: /}}"), NULL },
	{ MATCH("withoutHeaders: {h: {regex: '*'}}"), NULL },
	{ MATCH("headers: {'@request.auth.claims.sub': {exact: a}}"), "is only supported for gateway" },
	{ VS("hosts: [foo.bar], gateways: [g], http: [{match: [{headers: {'@request.auth.claims[sub]': {exact: a}}}], " DEST "}]"), NULL },
	{ MATCH("sourceLabels: {'@': v}"), "invalid tag key: \"@\"" },
	{ MATCH("sourceNamespace: 'a.b'"), "sourceNamespace match a.b is invalid" },
	{ MATCH("urii: {exact: /}"), "unknown field \"spec.http[0].match[0].urii\"" },
	{ MATCH("port: '80'"), "spec.http[0].match[0].port: Invalid value: \"string\": must be of type integer" },
	{ TLS("foo.bar", "foo.bar"), NULL },
	{ TLS("'*.foo.bar'", "a.foo.bar"), NULL },
	{ TLS("foo.bar", "foo.baz"), "SNI host \"foo.baz\" is not a compatible subset of any of the virtual service hosts" },
	{ TLS("foo.bar", ""), "TLS match must have at least one SNI host" },
	{ VS("hosts: [foo.bar], tls: [{" DEST "}]"), "spec.tls[0].match: Required value" },
	{ VS("hosts: [foo.bar], tcp: [{match: [{destinationSubnets: [1.2.3.4/33]}], " DEST "}]"), "1.2.3.4/33 is not a valid CIDR block" },
	{ VS("hosts: [foo.bar], tcp: [{}]"), "TCP route is required" },
	{ VS("hosts: [foo.bar], exportTo: ['*', b], http: [{" DEST "}]"), "cannot have both public (*) and non-public exportTo values" },
	{ VS("hosts: [foo.bar], exportTo: ['~'], http: [{" DEST "}]"), "exportTo ~ (none) is not allowed" },

	{ DR("subsets: [{name: v1, labels: {version: v1}}]"), NULL },
	{ NET("DestinationRule", "subsets: []"), "spec.host: Required value" },
	{ DR("subsets: [{name: v1}, {name: v1}]"), "spec.subsets[1]: Duplicate value: {\"name\":\"v1\"}" },
	{ DR("subsets: [{name: ''}]"), "subset name cannot be empty" },
	{ DR("subsets: [{name: v1, labels: {'@': v1}}]"), "invalid tag key" },
	{ POLICY(""), "traffic policy must have at least one field" },
	{ POLICY("loadBalancer: {simple: FASTEST}"), "spec.trafficPolicy.loadBalancer.simple: Unsupported value: \"FASTEST\"" },
	{ POLICY("loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}"), "at most one of simple, consistentHash, backendUtilization" },
	{ POLICY("loadBalancer: {consistentHash: {maglev: {tableSize: 1000}}}"), "tableSize must be a prime number for maglev" },
	{ POLICY("connectionPool: {}"), "connection pool must have at least one field" },
	{ POLICY("connectionPool: {tcp: {connectTimeout: soon}}"), "spec.trafficPolicy.connectionPool.tcp.connectTimeout: Invalid value: \"soon\"" },
	{ POLICY("outlierDetection: {maxEjectionPercent: 105}"), "percentage 105 is not in range 0..100" },
	{ POLICY("tls: {mode: MUTUAL}"), "client certificate required for mutual tls" },
	{ POLICY("tls: {mode: ISTIO_MUTUAL}"), NULL },
	{ POLICY("tls: {mode: SIMPLE, credentialName: a, caCertificates: b}"), "cannot specify client certificates or CA certificate" },
	{ POLICY("portLevelSettings: [{tls: {mode: DISABLE}}]"), "portTrafficPolicy must have valid port" },
	{ DR("workloadSelector: {matchLabels: {app: a}}, exportTo: ['*']"), "destination rule with workload selector cannot have exportTo beyond current namespace" },

	{ SERVER("HTTP", ""), NULL },
	{ GATEWAY(""), "gateway must have at least one server" },
	{ SERVER("JUNK", ""), "invalid protocol \"JUNK\"" },
	{ SERVER("HTTPS", ""), "server must have TLS settings for HTTPS/TLS protocols" },
	{ SERVER("HTTPS", "tls: {mode: SIMPLE}"), "SIMPLE TLS requires a server certificate" },
	{ SERVER("HTTPS", "tls: {mode: SIMPLE, credentialName: c}"), NULL },
	{ SERVER("HTTPS", "tls: {mode: MUTUAL, serverCertificate: a, privateKey: b}"), "MUTUAL TLS requires a client CA bundle" },
	{ SERVER("HTTPS", "tls: {mode: ISTIO_MUTUAL, privateKey: b}"), "ISTIO_MUTUAL TLS cannot have associated private key" },
	{ SERVER("HTTPS", "tls: {mode: SIMPLE, credentialName: a, credentialNames: [b]}"), "only one of credentialName or credentialNames can be set" },
	{ SERVER("HTTP", "tls: {httpsRedirect: true}"), NULL },
	{ SERVER("HTTP", "tls: {mode: SIMPLE, credentialName: c}"), "server cannot have TLS settings for plain text HTTP ports" },
	{ SERVER("TCP", "tls: {mode: SIMPLE, credentialName: c}"), "server cannot have TLS settings for non HTTPS/TLS ports" },
	{ GATEWAY("{hosts: [foo], port: {name: p, number: 80, protocol: HTTP}}"), "short names (non FQDN) are not allowed" },
	{ GATEWAY("{hosts: ['ns1/foo.*.com'], port: {name: p, number: 80, protocol: HTTP}}"), "spec.servers[0].hosts[0]" },
	{ GATEWAY("{hosts: ['*/foo.com', './x.com', '*'], port: {name: p, number: 80, protocol: HTTP}}"), NULL },
	{ GATEWAY("{hosts: ['*'], port: {number: 80, protocol: HTTP}}"), "spec.servers[0].port.name: Required value" },
	{ GATEWAY("{hosts: ['*'], port: {name: p, number: 70000, protocol: HTTP}}"), "port number 70000 must be in the range 1..65535" },
	{ GATEWAY("{hosts: ['*'], port: {name: p, number: 80, protocol: HTTP}}, {hosts: ['*'], port: {name: p, number: 81, protocol: HTTP}}"), "spec.servers[1].port.name: Duplicate value: \"p\"" },

	{ ENTRY("hosts: [a.com], resolution: DNS, " PORTS), NULL },
	{ ENTRY(PORTS), "spec.hosts: Required value" },
	{ ENTRY("hosts: ['*'], " PORTS), "hostname cannot be wildcard" },
	{ ENTRY("hosts: ['*.a.com'], resolution: DNS, " PORTS), "hosts must be FQDN if no endpoints are provided for resolution mode DNS" },
	{ ENTRY("hosts: ['*.a.com'], resolution: DYNAMIC_DNS, " PORTS), NULL },
	{ ENTRY("hosts: [a.com], resolution: DYNAMIC_DNS, " PORTS), "host must be wildcarded for resolution mode DYNAMIC_DNS" },
	{ ENTRY("hosts: [a.com], resolution: MAYBE, " PORTS), "spec.resolution: Unsupported value: \"MAYBE\"" },
	{ ENTRY("hosts: [a.com], resolution: STATIC, endpoints: [{address: b.com}], " PORTS), "endpoint address \"b.com\" is not a valid IP address" },
	{ ENTRY("hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, ports: {https: 8443}}], " PORTS), "endpoint port https is not defined by the service entry" },
	{ ENTRY("hosts: [a.com], endpoints: [{address: 1.1.1.1}], " PORTS), "NONE mode cannot set endpoints" },
	{ ENTRY("hosts: [a.com, b.com], resolution: STATIC, ports: [{number: 80, protocol: TCP, name: tcp}]"), "multiple hosts provided with non-HTTP, non-TLS ports" },
	{ ENTRY("hosts: [a.com], addresses: [10.0.0.0/8], resolution: DNS, " PORTS), "CIDR addresses are allowed only for NONE/STATIC resolution types" },
	{ ENTRY("hosts: [a.com], ports: [{number: 80, name: a}, {number: 81, name: a}]"), "spec.ports[1]: Duplicate value: {\"name\":\"a\"}" },
	{ ENTRY("hosts: [a.com], ports: [{number: 80, name: a, protocol: JUNK}]"), "unsupported protocol: JUNK" },

	{ EGRESS("'./*', 'istio-system/*', '~ns/a.com'"), NULL },
	{ SIDECAR(""), "sidecar: empty configuration provided" },
	{ EGRESS("foo.com"), "host must be of form namespace/dnsName" },
	{ EGRESS("'/foo.com'"), "config namespace and dnsName in host entry cannot be empty" },
	{ EGRESS(""), "sidecar: egress listener must contain at least one host" },
	{ SIDECAR("egress: [{hosts: ['*/*']}, {port: {number: 80, protocol: HTTP, name: h}, hosts: ['*/*']}]"), "the egress listener with empty port should be the last listener in the list" },
	{ SIDECAR("ingress: [{port: {number: 80, protocol: HTTP, name: h}, defaultEndpoint: '10.0.0.1:80'}]"), "sidecar: defaultEndpoint must be of form 127.0.0.1:<port>" },
	{ SIDECAR("outboundTrafficPolicy: {egressProxy: {host: a.b, port: {number: 80}}}"), "egress_proxy must be set only with ALLOW_ANY" },
	{ SIDECAR("outboundTrafficPolicy: {mode: ALLOW_SOME}"), "supported values: \"REGISTRY_ONLY\", \"ALLOW_ANY\"" },

	{ AUTHZ(""), NULL },
	{ AUTHZ("rules: [{}]"), NULL },
	{ AUTHZ("action: DENY"), "spec.rules: Required value: DENY action without `rules` is meaningless" },
	{ AUTHZ("action: REFUSE"), "supported values: \"ALLOW\", \"DENY\", \"AUDIT\", \"CUSTOM\"" },
	{ AUTHZ("action: CUSTOM, rules: [{}]"), "spec.provider.name: Required value: `provider.name` must not be empty" },
	{ AUTHZ("provider: {name: p}, rules: [{}]"), "`provider` must not be with non CUSTOM action, found ALLOW" },
	{ AUTHZ("action: CUSTOM, provider: {name: p}, rules: [{from: [{source: {principals: [a]}}]}]"), "spec.rules[0].from[0].source.principals: Forbidden: currently not supported with CUSTOM action" },
	{ AUTHZ("selector: {matchLabels: {app: 'http*'}}"), "spec.selector.matchLabels[app]: Invalid value: \"http*\": wildcard not allowed in label value match" },
	{ AUTHZ("selector: {matchLabels: {a: b}}, targetRef: {kind: Gateway, group: gateway.networking.k8s.io, name: g}"), "only one of targetRefs or selector can be set" },
	{ AUTHZ("rules: [{from: []}]"), "`from` must not be empty" },
	{ AUTHZ("rules: [{from: [{}]}]"), "spec.rules[0].from[0].source: Required value" },
	{ FROM(""), "`from.source` must not be empty" },
	{ FROM("ipBlocks: [1.2.3.4, 1.2.0.0/16, '2001:db8::/48']"), NULL },
	{ FROM("ipBlocks: [1.2.3.4/99]"), "bad CIDR range (1.2.3.4/99)" },
	{ FROM("notRemoteIpBlocks: [a.b]"), "spec.rules[0].from[0].source.notRemoteIpBlocks[0]: Invalid value: \"a.b\": bad IP address (a.b)" },
	{ FROM("principals: ['']"), "empty value not allowed" },
	{ FROM("serviceAccounts: [a/b/c]"), "expected format 'serviceAccount' or 'namespace/serviceAccount'" },
	{ FROM("serviceAccounts: [a], namespaces: [b]"), "Cannot set serviceAccounts with namespaces or principals" },
	{ FROM("trustDomains: ['a*b']"), "wildcard is only allowed at the start or end" },
	{ OPERATION("ports: ['80', '65535']"), NULL },
	{ OPERATION("ports: ['65536']"), "bad port (65536)" },
	{ OPERATION("paths: ['/a/{*}/b', '/c/{**}', '*']"), NULL },
	{ OPERATION("paths: ['/{**}/a/{*}']"), "{**} is not the last operator" },
	{ OPERATION("notPaths: ['/{*}a']"), "Contains '{' or '}' beyond a supported path template" },
	{ OPERATION("paths: ['/{*}/a*b']"), "Contains segment a*b with invalid string literal" },
	{ AUTHZ("rules: [{when: [{key: source.ip}]}]"), "at least one of `values` or `notValues` must be set" },
	{ WHEN("source.ip", "1.2.3.4"), NULL },
	{ WHEN("source.ip", "a"), "bad IP address (a)" },
	{ WHEN("unknown", "a"), "unknown attribute: unknown" },
	{ WHEN("request.headers[]", "a"), "should have format a[b]" },
	{ WHEN("request.headers[:authority]", "a"), NULL },
	{ WHEN("destination.labels[a]", "b"), "replaced by the workload selector" },
	{ WHEN("destination.port", "x"), "bad port (x)" },

	{ PEER("mtls: {mode: STRICT}"), NULL },
	{ PEER("mtls: {mode: ROT13}"), "supported values: \"UNSET\", \"DISABLE\", \"PERMISSIVE\", \"STRICT\"" },
	{ PEER("portLevelMtls: {'8080': {mode: DISABLE}}"), "portLevelMtls requires selector" },
	{ PEER("selector: {matchLabels: {a: b}}, portLevelMtls: {'0': {mode: DISABLE}}"), "port must be between 1-65535" },
	{ PEER("selector: {matchLabels: {a: b}}, portLevelMtls: {}"), "spec.portLevelMtls in body should have at least 1 properties" },

	{ JWT("issuer: a.com, jwksUri: 'https://a.com/keys'"), NULL },
	{ JWT("audiences: [a]"), "issuer or jwksUri must be non-empty string" },
	{ JWT("issuer: a, jwksUri: 'ftp://a'"), "url must have scheme http:// or https://" },
	{ JWT("issuer: a, jwks: 'not json'"), "jwks parse error" },
	{ JWT("issuer: a, jwks: '{}', jwksUri: 'https://a'"), "only one of jwks or jwksUri can be set" },
	{ JWT("issuer: a, audiences: ['']"), "audiences[0] in body should be at least 1 chars long" },
	{ JWT("issuer: a, outputClaimToHeaders: [{header: 'a b', claim: c}]"), "header in body should match '^[-_A-Za-z0-9]+$'" },
	{ "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: a.b}, spec: {servers: [{hosts: ['*'], port: {name: p, number: 80, protocol: HTTP}}]}}", "invalid gateway name: \"a.b\"" },
	{ "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: x, annotations: {istio.io/dry-run: 'true'}}}", "unsupported annotation, please remove it" },
};

TEST(istio_objects_are_judged_by_their_crds_and_webhook)
{
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_new(1);
		struct sb said = { 0 };

		docs_read("test.yaml", table[k].doc, strlen(table[k].doc), NULL, cell_take, &x, &x.err);
		for (uint32_t i = 0; i < x.err.nr; i++)
			if (!x.err.v[i].warning)
				sb_printf(&said, "%s\n", x.err.v[i].text);
		CU_ASSERT(!table[k].why == !said.len);
		if (table[k].why ? !said.len || !strstr(sb_text(&said), table[k].why) : said.len > 0) {
			fprintf(stderr, "\n%s", table[k].doc);
			SAME_TEXT(sb_text(&said), table[k].why ? table[k].why : "");
		}
		sb_free(&said);
		cell_free(&x);
	}
}
