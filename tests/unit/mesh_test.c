/* The sidecar mesh: injection, the redirect as istio-iptables writes it, policies. */
#include "model/dataplane/packet.h"
#include "tests/unit/mesh.h"

TEST(sidecars_are_injected_where_labels_ask)
{
	static const struct { const char *ns, *labels, *more; bool injected; } rows[] = {
		{ "in", "app: x", "", true },
		{ "out", "app: x", "", false },
		{ "out", "sidecar.istio.io/inject: 'true'", "", true },
		{ "in", "sidecar.istio.io/inject: 'false'", "", false },
		{ "in", "app: x", ", annotations: {sidecar.istio.io/inject: 'false'}", false },
	};
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const char *name = arena_printf(a, "p%zu", k);
		const struct pod *p;

		add_pod(c, a, rows[k].ns, name, rows[k].labels, rows[k].more, "10.244.1.1");
		p = find_pod(c, rows[k].ns, name);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(mesh_sidecar(p->spec) != NULL, rows[k].injected);
		CU_ASSERT_EQUAL(mesh_capture(p->spec).set, rows[k].injected);
		CU_ASSERT_EQUAL(p->spec->containers.nr, rows[k].injected ? 2u : 1u);
	}
	arena_free(a);
	cluster_free(c);
}

static void check_rules(const char *annotations, bool v6, const char *want)
{
	struct cluster *c = mesh();
	struct arena *a = arena_new(NULL, "test");
	struct ruleset *rs = ruleset_new(a, cluster_strings(c), NULL);
	struct print_rules how = { .counters = false };
	struct mesh_capture m;
	struct sb out = { 0 };

	add_pod(c, a, "in", "p", "app: x", annotations, "10.244.1.1");
	m = mesh_capture(find_pod(c, "in", "p")->spec);
	mesh_rules(rs, &m, v6, 0);
	ruleset_finish(rs);
	print_iptables(rs, v6 ? NF_IP6 : NF_IP, &how, NULL, NULL, &out);
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), want));
	if (!strstr(sb_text(&out), want))
		SAME_TEXT(strstr(sb_text(&out), "-A"), want);
	sb_free(&out);
	arena_free(a);
	cluster_free(c);
}

TEST(the_redirect_is_istios)
{
	check_rules("", false,
		    "-A PREROUTING -p tcp -j ISTIO_INBOUND\n"
		    "-A OUTPUT -j ISTIO_OUTPUT\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15090 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15021 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15020 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\n"
		    "-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006\n"
		    "-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\n"
		    "-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_OUTPUT -o lo -m owner ! --gid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN\n"
		    "-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n"
		    "-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n");
	check_rules(", annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: '3306', traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.1.0.0/16, "
		    "traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8}", false,
		    "-A ISTIO_OUTPUT -p tcp -m tcp --dport 3306 -j RETURN\n"
		    "-A ISTIO_OUTPUT -p udp -m udp --dport 3306 -j RETURN\n"
		    "-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\n");
	check_rules(", annotations: {traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.1.0.0/16, traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8}", false,
		    "-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN\n"
		    "-A ISTIO_OUTPUT -d 10.1.0.0/16 -j RETURN\n"
		    "-A ISTIO_OUTPUT -d 10.0.0.0/8 -j ISTIO_REDIRECT\n");
	check_rules(", annotations: {traffic.sidecar.istio.io/includeInboundPorts: '8080,9090'}", false,
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 8080 -j ISTIO_IN_REDIRECT\n"
		    "-A ISTIO_INBOUND -p tcp -m tcp --dport 9090 -j ISTIO_IN_REDIRECT\n");
}

/* ---- policies */

static const struct { const char *policies, *client_ns, *method, *path; bool allowed; } rules[] = {
	{ "", "in", "GET", "/", true },
	{ "spec: {}", "in", "GET", "/", false },                                                        /* an ALLOW without rules: nobody */
	{ "spec: {rules: [{}]}", "in", "GET", "/", true },
	{ "spec: {action: DENY, rules: [{}]}", "in", "GET", "/", false },
	{ "spec: {selector: {matchLabels: {app: other}}}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {principals: [cluster.local/ns/in/sa/client]}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {principals: ['*/sa/client']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {namespaces: [in]}}]}]}", "out", "GET", "/", false },         /* without a sidecar there is no identity */
	{ "spec: {rules: [{from: [{source: {notNamespaces: [in]}}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{from: [{source: {ipBlocks: [10.244.1.0/24]}}]}]}", "out", "GET", "/", true },
	{ "spec: {rules: [{to: [{operation: {methods: [GET], paths: [/info*]}}]}]}", "in", "GET", "/info/x?y", true },
	{ "spec: {rules: [{to: [{operation: {methods: [GET], paths: [/info*]}}]}]}", "in", "POST", "/info", false },
	{ "spec: {rules: [{to: [{operation: {methods: [GET]}}, {operation: {paths: [/open]}}]}]}", "in", "POST", "/open", true },
	{ "spec: {rules: [{to: [{operation: {ports: ['9080']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{to: [{operation: {methods: [GET]}}]}]}", "in", NULL, NULL, false },           /* no HTTP: the rule cannot match */
	{ "spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}", "in", NULL, NULL, false },     /* a DENY leaves the HTTP field out */
	{ "spec: {rules: [{when: [{key: 'request.headers[x]', values: [a*]}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{to: [{operation: {ports: ['9080']}}, {operation: {methods: [GET]}}]}]}", "in", NULL, NULL, false },  /* the whole rule is none for TCP */
	{ "spec: {rules: [{to: [{operation: {ports: ['9080']}}]}, {to: [{operation: {methods: [GET]}}]}]}", "in", NULL, NULL, true },
	{ "spec: {rules: [{from: [{source: {serviceAccounts: [client]}}]}]}", "in", "GET", "/", true },         /* of the policy's namespace */
	{ "spec: {rules: [{from: [{source: {serviceAccounts: [out/client]}}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{from: [{source: {trustDomains: [cluster.local]}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {trustDomains: ['*.local']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{from: [{source: {notTrustDomains: [cluster.local]}}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{from: [{source: {namespaces: ['i*']}}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{when: [{key: destination.ip, values: [10.244.2.0/24]}]}]}", "in", "GET", "/", true },
	{ "spec: {rules: [{when: [{key: source.serviceAccount, notValues: [in/client]}]}]}", "in", "GET", "/", false },
	{ "spec: {rules: [{to: [{operation: {paths: ['/a/{*}/c']}}]}]}", "in", "GET", "/a/b/c?d", true },
	{ "spec: {rules: [{to: [{operation: {paths: ['/a/{*}/c']}}]}]}", "in", "GET", "/a/b/b/c", false },
	{ "spec: {rules: [{to: [{operation: {paths: ['/a/{**}']}}]}]}", "in", "GET", "/a/b/b/c", true },
	{ "spec: {rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}", "in", "GET", "/", false },         /* nobody reads tokens */
	{ "spec: {action: DENY, rules: [{from: [{source: {notRequestPrincipals: ['*']}}]}]}", "in", "GET", "/", false },
	{ "spec: {targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}]}", "in", "GET", "/", true },         /* not for sidecars */
	{ "spec: {action: CUSTOM, provider: {name: x}, rules: [{to: [{operation: {paths: [/admin]}}]}]}", "in", "GET", "/", true },     /* is not asked */
	{ "metadata: {annotations: {istio.io/dry-run: 'true'}, name: p, namespace: in}\nspec: {action: DENY, rules: [{}]}", "in", "GET", "/", true },
};

TEST(authorization_policies_decide_as_istio_does)
{
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		struct mesh_source from = { 0 };
		struct http_request rq = { .method = rules[k].method, .path = rules[k].path, .host = "web" };
		const struct pod *client, *web;
		struct mesh_verdict v;

		add_pod(c, a, rules[k].client_ns, "client", "app: client", "", "10.244.1.1");
		add_pod(c, a, "in", "web", "app: web", "", "10.244.2.1");
		if (*rules[k].policies)
			feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n%s%s\n",
						   strstr(rules[k].policies, "metadata:") ? "" : "metadata: {name: p, namespace: in}\n", rules[k].policies));
		client = find_pod(c, rules[k].client_ns, "client");
		web = find_pod(c, "in", "web");
		from.ip = client->ip;
		if (mesh_mutual_tls(c, client, web, 9080, NULL)) {
			from.principal = mesh_principal(c, client, a);
			from.ns = client->o.ns;
		}
		v = mesh_authorized(c, web, 9080, &from, rules[k].method ? &rq : NULL, a);
		if (v.allowed != rules[k].allowed)
			fprintf(stderr, "\n%s: %s\n", rules[k].policies, v.why);
		CU_ASSERT_EQUAL(v.allowed, rules[k].allowed);
		CU_ASSERT_PTR_NULL(v.unknown);
		arena_free(a);
		cluster_free(c);
	}
}

TEST(strict_peers_refuse_plain_connections)
{
	static const struct { const char *spec; bool plain, mutual; } modes[] = {
		{ NULL, true, true },
		{ "spec: {mtls: {mode: STRICT}}", false, true },
		{ "spec: {mtls: {mode: PERMISSIVE}}", true, true },
		{ "spec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {'9080': {mode: DISABLE}}}", true, false },
		{ "spec: {selector: {matchLabels: {app: other}}, mtls: {mode: STRICT}}", true, true },
		{ "spec: {selector: {matchLabels: {app: web}}, mtls: {mode: STRICT}, portLevelMtls: {'9080': {mode: UNSET}}}", false, true },
	};

	for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");

		add_pod(c, a, "in", "web", "app: web", "", "10.244.2.1");
		if (modes[k].spec)
			feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: in}\n%s\n", modes[k].spec));
		CU_ASSERT_EQUAL(mesh_peer_allowed(c, find_pod(c, "in", "web"), 9080, false, a).allowed, modes[k].plain);
		CU_ASSERT_EQUAL(mesh_peer_allowed(c, find_pod(c, "in", "web"), 9080, true, a).allowed, modes[k].mutual);
		arena_free(a);
		cluster_free(c);
	}
}

/* What should be a list or map and is not never reaches the model. */
TEST(values_of_another_type_are_refused)
{
	static const char *const odd[] = {
		"security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {selector: {matchLabels: [{}]}, rules: -1}",
		"security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {rules: [{from: 1, to: x, when: [{key: source.ip, values: x}]}]}",
		"security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: in}\nspec: {rules: [{from: [{source: [null]}], to: [{operation: {paths: x}}]}]}",
		"security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: in}\nspec: {selector: {matchLabels: -1}, portLevelMtls: [null]}",
		"networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: p, namespace: in}\nspec: {host: web, exportTo: x, subsets: -1}",
		"networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: p, namespace: in}\nspec: {egress: [{hosts: [1, x, '~', '/', '~/', '*/']}, 3, x], workloadSelector: {labels: [1]}, outboundTrafficPolicy: 3}",
		"networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: p, namespace: in}\nspec: x",
		"networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: p, namespace: in}\nspec: {hosts: [1, web], addresses: x, exportTo: [1], ports: [{number: 80, protocol: 7}, x], endpoints: {a: b}, resolution: STATIC}",
		"networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: p, namespace: in}\nspec: {hosts: [web], tcp: [1, {match: x, route: y}, {match: [{port: x, destinationSubnets: [1, z]}], route: [1]}], tls: {a: 1}}",
		"networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: p, namespace: in}\nspec: {hosts: [web], http: [{match: [{headers: [{}], queryParams: x}], headers: {request: {set: [{}]}}}]}",
	};

	for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
		struct cluster *c = mesh();
		struct world_options opt = { .apply = { .unknown = VALIDATE_IGNORE, .validate = true, .create_namespaces = true } };
		struct arena *a = arena_new(NULL, "test");
		const char *text = arena_printf(a, "apiVersion: %s\n", odd[k]);
		struct err err = { 0 };

		docs_read("test.yaml", text, strlen(text), NULL, feed_take, &(struct feed){ .c = c, .opt = &opt }, &err);
		CU_ASSERT_TRUE(err_any(&err));
		err_free(&err);
		arena_free(a);
		cluster_free(c);
	}
}

/* A gateway's own policies come before its routes; it believes no X-Forwarded-For (use_remote_address), a sidecar believes the last of it. */
TEST(a_gateway_asks_its_own_policies)
{
	static const char objects[] =
		"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: in}\nspec: {selector: {app: gate}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
		"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: g, namespace: in}\nspec: {hosts: ['*'], gateways: [gw], http: [{directResponse: {status: 201}}]}\n";
	static const struct { const char *kind, *spec, *ns, *header; int status; } rows[] = {
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, rules: [{from: [{source: {ipBlocks: [203.0.113.0/24]}}]}]}", "out", NULL, 201 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, rules: [{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}]}", "out", NULL, 403 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, rules: [{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}]}", "out", "10.0.0.1", 403 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: other}}, action: DENY, rules: [{}]}", "out", NULL, 201 },
		{ "AuthorizationPolicy", "{selector: {matchLabels: {app: gate}}, action: DENY, rules: [{to: [{operation: {paths: ['/admin*']}}]}]}", "out", NULL, 403 },
		{ "AuthorizationPolicy", "{action: DENY, rules: [{to: [{operation: {hosts: ['*.TEST']}}]}]}", "istio-system", NULL, 403 },      /* the root namespace's */
		{ "AuthorizationPolicy", "{action: DENY, rules: [{from: [{source: {namespaces: [in]}}]}]}", "out", NULL, 201 },                 /* who comes from outside has no namespace */
		{ "AuthorizationPolicy", "{action: CUSTOM, provider: {name: p}, rules: [{}]}", "out", NULL, 0 },
		{ "RequestAuthentication", "{jwtRules: [{issuer: a}]}", "out", NULL, 201 },
		{ "RequestAuthentication", "{jwtRules: [{issuer: a, fromHeaders: [{name: X-Forwarded-For}]}]}", "out", "a.b.c", 0 },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cluster *c = mesh();
		struct arena *a = arena_new(NULL, "test");
		struct http_pair header = { "X-Forwarded-For", rows[k].header };
		struct http_request rq = { .scheme = "http", .host = "x.test", .port = 80, .path = "/admin/1", .method = "GET", .headers = &header, .nr_headers = rows[k].header != NULL };
		struct http_decision d;

		feed_cluster(c, VALIDATE_IGNORE, objects);
		feed_cluster(c, VALIDATE_IGNORE, arena_printf(a, "apiVersion: security.istio.io/v1\nkind: %s\nmetadata: {name: p, namespace: %s}\nspec: %s\n", rows[k].kind, rows[k].ns, rows[k].spec));
		add_pod(c, a, "out", "gate", "app: gate", "", "10.244.1.1");
		CU_ASSERT_FATAL(ip_parse("203.0.113.9", &rq.client));
		d = routes_match(routes_compile_istio(c, find_pod(c, "out", "gate"), NULL, a), &rq, a);
		CU_ASSERT_EQUAL_FATAL(d.nr, 1);
		CU_ASSERT_EQUAL(d.v[0].status, rows[k].status);
		CU_ASSERT_EQUAL(d.v[0].unknown != NULL, !rows[k].status);
		if (d.v[0].status != rows[k].status)
			fprintf(stderr, "\n%s: %s\n", rows[k].spec, d.v[0].why);
		arena_free(a);
		cluster_free(c);
	}
}
