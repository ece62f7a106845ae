/* ingress-nginx: its locations and annotations, one Ingress and one request a row. What is expected stands in its documentation and sources (model/l7/nginx.c names them). */
#include "model/cluster/apply.h"
#include "model/l7/ingress.h"
#include "tests/unit/cell.h"
#include "tests/unit/feed.h"

static const char backends[] =
	"apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: k8s.io/ingress-nginx}\n"
	"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {auth: 'user:x'}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: m}\nstringData: {user: x}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: 10.96.0.1, ports: [{port: 80, targetPort: 8080}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {clusterIP: 10.96.0.2, ports: [{port: 80, targetPort: 8080}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: empty}\nspec: {ports: [{port: 80, targetPort: 8080}]}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a-1, labels: {kubernetes.io/service-name: a}}\naddressType: IPv4\n"
	"ports: [{port: 8080, protocol: TCP}]\nendpoints: [{addresses: [10.244.1.1]}]\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: b-1, labels: {kubernetes.io/service-name: b}}\naddressType: IPv4\n"
	"ports: [{port: 8080, protocol: TCP}]\nendpoints: [{addresses: [10.244.1.2]}]\n";

/* One answer as text: STATUS BACKEND[ of a share] PATH; or STATUS → LOCATION. */
static const char *answer(struct route_table *t, const char *scheme, const char *host, const char *path, const char *header, struct arena *a)
{
	const char *colon = header ? strchr(header, ':') : NULL, *out = "";
	struct http_pair h = { colon ? arena_strndup(a, header, (size_t)(colon - header)) : "", colon ? colon + 2 : "" };
	struct http_request rq = { .scheme = scheme, .sni = host, .host = host, .port = strcmp(scheme, "https") == 0 ? 443 : 80, .method = "GET", .path = path, .headers = &h,
				   .nr_headers = colon != NULL };
	struct http_decision d;

	ip_parse("203.0.113.10", &rq.client);
	d = routes_match(t, &rq, a);
	for (uint32_t k = 0; k < d.nr; k++) {
		const struct http_backend *b = &d.v[k];
		const char *one;

		if (b->unknown)
			one = "unknown";
		else if (b->location)
			one = arena_printf(a, "%d → %s", b->status, b->location);
		else if (b->service)
			one = arena_printf(a, "%d %s %s", b->status, b->service->o.name, b->req_path);
		else
			one = arena_printf(a, "%d", b->status);
		if (b->den != 1)
			one = arena_printf(a, "%" PRIu64 "/%" PRIu64 " %s", b->num, b->den, one);
		out = *out ? arena_printf(a, "%s, %s", out, one) : one;
	}
	return out;
}

/* annotations (without prefix), more of spec, paths as "TYPE PATH SERVICE;…"; the request and its answer. */
static const struct { const char *notes, *spec, *paths, *scheme, *host, *path, *header, *want; } rows[] = {
	{ "", "", "Prefix /foo a", "http", "x.test", "/foo/bar", NULL, "200 a /foo/bar" },
	{ "", "", "Prefix /foo a", "http", "x.test", "/foobar", NULL, "404" },
	{ "", "", "ImplementationSpecific /foo a", "http", "x.test", "/foobar", NULL, "404" },  /* ingress-nginx takes it as Prefix */
	{ "", "", "Exact /foo a;Prefix /foo/ b", "http", "x.test", "/foo", NULL, "200 a /foo" },        /* `location = /foo` wins, whatever is longer */
	{ "", "", "Prefix / a;Exact /foo b", "http", "x.test", "/foo", NULL, "200 b /foo" },
	{ "", "", "Prefix / a", "http", "y.test", "/", NULL, "404" },
	{ "rewrite-target: /$2", "", "ImplementationSpecific /something(/|$)(.*) a", "http", "x.test", "/something/new", NULL, "200 a /new" },
	{ "rewrite-target: /$2", "", "ImplementationSpecific /something(/|$)(.*) a", "http", "x.test", "/something", NULL, "200 a /" },
	{ "rewrite-target: /", "", "Prefix /app a", "http", "x.test", "/app/deep?q=1", NULL, "200 a /?q=1" },
	{ "rewrite-target: /", "", "Prefix /app a", "http", "x.test", "/application", NULL, "200 a /" },      /* a regular expression now: ~* "^/app" */
	{ "use-regex: 'true'", "", "ImplementationSpecific /foo/.* a;ImplementationSpecific /foo/bar/.+ b", "http", "x.test", "/FOO/bar/x", NULL, "200 b /FOO/bar/x" },
	{ "rewrite-target: /$1;use-regex: 'true'", "", "ImplementationSpecific /(?=x) a", "http", "x.test", "/x", NULL, "unknown" },
	{ "force-ssl-redirect: 'true'", "", "Prefix / a", "http", "x.test", "/p?q=1", NULL, "308 → https://x.test/p?q=1" },
	{ "", "tls: [{hosts: [x.test], secretName: none}]", "Prefix / a", "http", "x.test", "/p/", NULL, "308 → https://x.test/p" },
	{ "", "tls: [{hosts: [x.test], secretName: none}]", "Prefix / a", "https", "x.test", "/p/", NULL, "200 a /p/" },
	{ "ssl-redirect: 'false'", "tls: [{hosts: [x.test], secretName: none}]", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "app-root: /home", "", "Prefix / a", "http", "x.test", "/", NULL, "302 → http://x.test/home" },
	{ "app-root: /home", "", "Prefix / a", "http", "x.test", "/other", NULL, "200 a /other" },
	{ "permanent-redirect: 'https://new.test'", "", "Prefix / a", "http", "x.test", "/old", NULL, "301 → https://new.test" },
	{ "temporal-redirect: 'https://new.test$request_uri'", "", "Prefix / a", "http", "x.test", "/old?a=b", NULL, "404" },      /* no variables: the Ingress is not read */
	{ "permanent-redirect: 'https://new.test';permanent-redirect-code: '308'", "", "Prefix / a", "http", "x.test", "/old", NULL, "308 → https://new.test" },
	{ "from-to-www-redirect: 'true'", "", "Prefix / a", "http", "www.x.test", "/p", NULL, "308 → http://x.test/p" },
	{ "whitelist-source-range: '10.0.0.0/8,203.0.113.0/24'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "whitelist-source-range: 10.0.0.0/8", "", "Prefix / a", "http", "x.test", "/", NULL, "403" },
	{ "denylist-source-range: 203.0.113.10", "", "Prefix / a", "http", "x.test", "/", NULL, "403" },
	{ "auth-type: basic;auth-secret: s", "", "Prefix / a", "http", "x.test", "/", NULL, "401" },
	{ "auth-type: basic;auth-secret: s", "", "Prefix / a", "http", "x.test", "/", "Authorization: Basic eA==", "unknown" },
	{ "auth-type: basic;auth-secret: none", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },         /* denied */
	{ "auth-type: basic;auth-secret: m", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },            /* no key "auth" */
	{ "auth-type: basic;auth-secret: m;auth-secret-type: auth-map", "", "Prefix / a", "http", "x.test", "/", NULL, "401" },
	{ "auth-type: basic;auth-secret: other/s", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },
	{ "auth-type: digest;auth-secret: s", "", "Prefix / a", "http", "x.test", "/", NULL, "401" },
	{ "auth-type: magic;auth-secret: s", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "auth-type: basic;auth-secret: none;force-ssl-redirect: 'true'", "", "Prefix / a", "http", "x.test", "/p", NULL, "308 → https://x.test/p" },
	{ "whitelist-source-range: 10.0.0.0/8,nonsense", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },
	{ "denylist-source-range: 10.0.0.0/8", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "denylist-source-range: 203.0.113.0/24;whitelist-source-range: 203.0.113.10", "", "Prefix / a", "http", "x.test", "/", NULL, "403" },
	{ "force-ssl-redirect: 'true';preserve-trailing-slash: 'true'", "", "Prefix / a", "http", "x.test", "/p/", NULL, "308 → https://x.test/p/" },
	{ "", "tls: [{hosts: [x.test], secretName: none}]", "Prefix /.well-known/acme-challenge a;Prefix / b", "http", "x.test", "/.well-known/acme-challenge/t", NULL,
	  "200 a /.well-known/acme-challenge/t" },
	{ "custom-http-errors: '404,503'", "", "Prefix / empty", "http", "x.test", "/", NULL, "unknown" },
	{ "custom-http-errors: '404,403'", "", "Prefix / empty", "http", "x.test", "/", NULL, "503" },
	{ "custom-http-errors: '503'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "auth-url: 'http://auth.test'", "", "Prefix / a", "http", "x.test", "/", NULL, "unknown" },
	{ "configuration-snippet: return 418", "", "Prefix / a", "http", "x.test", "/", NULL, "unknown" },
	{ "no-such-annotation: x", "", "Prefix / a", "http", "x.test", "/", NULL, "unknown" },
	{ "proxy-body-size: 8m;proxy-read-timeout: '60';affinity: cookie", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	/* values that are none: ignored, or the location denied, or the whole Ingress not read */
	{ "ssl-redirect: 'no'", "tls: [{hosts: [x.test], secretName: none}]", "Prefix / a", "http", "x.test", "/p", NULL, "308 → https://x.test/p" },
	{ "force-ssl-redirect: 'yes'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "use-regex: 'on'", "", "ImplementationSpecific /foo/.* a", "http", "x.test", "/foo/x", NULL, "404" },
	{ "rewrite-target: '/$1?x=y'", "", "Prefix /app a", "http", "x.test", "/app/x", NULL, "200 a /app/x" },
	{ "rewrite-target: ''", "", "Prefix /app a", "http", "x.test", "/app/x", NULL, "200 a /app/x" },
	{ "app-root: 'https://y.test/'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "app-root: '/a b'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "backend-protocol: SPDY", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "permanent-redirect: 'https://new.test;deny all'", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "permanent-redirect: 'https://new.test';permanent-redirect-code: '418'", "", "Prefix / a", "http", "x.test", "/", NULL, "301 → https://new.test" },
	{ "permanent-redirect: 'https://new.test';permanent-redirect-code: many", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "temporal-redirect: 'ftp://new.test'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "temporal-redirect: '';permanent-redirect: 'https://new.test'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "from-to-www-redirect: 'yes'", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "custom-http-errors: '404,999x'", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "default-backend: Not_A_Name", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "default-backend: nobody", "", "Prefix / empty", "http", "x.test", "/", NULL, "503" },
	{ "upstream-vhost: 'a;b'", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "x-forwarded-prefix: '/a{b}'", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "server-alias: 'y.test;z'", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "server-alias: '~^y[0-9]+.test$'", "", "Prefix / a", "http", "y1.test", "/", NULL, "unknown" },
	{ "limit-rps: ten", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "limit-rps: '10';limit-connections: '1';limit-rate: many", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "proxy-read-timeout: 1 minute;proxy-buffering: maybe", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "load-balance: magic", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "whitelist-source-range: ''", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "allowlist-source-range: ''", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },
	{ "allowlist-source-range: 203.0.113.10;whitelist-source-range: 10.0.0.0/8", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "denylist-source-range: nowhere", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },
	{ "custom-headers: nobody", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },
	{ "proxy-ssl-secret: s", "", "Prefix / a", "http", "x.test", "/", NULL, "503" },
	{ "proxy-ssl-secret: default/s", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "auth-type: basic;auth-secret: s;auth-secret-type: magic", "", "Prefix / a", "http", "x.test", "/", NULL, "404" },
	{ "auth-secret-type: magic;auth-method: NONE;auth-tls-verify-depth: '2'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },    /* parts of what is not there */
	{ "satisfy: any;auth-type: basic;auth-secret: s;whitelist-source-range: 203.0.113.0/24", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "satisfy: any;auth-type: basic;auth-secret: s;whitelist-source-range: 10.0.0.0/8", "", "Prefix / a", "http", "x.test", "/", NULL, "401" },
	{ "satisfy: all;auth-type: basic;auth-secret: s;whitelist-source-range: 10.0.0.0/8", "", "Prefix / a", "http", "x.test", "/", NULL, "403" },
	{ "satisfy: some;auth-type: basic;auth-secret: s;whitelist-source-range: 203.0.113.0/24", "", "Prefix / a", "http", "x.test", "/", NULL, "401" },
	{ "enable-modsecurity: 'true'", "", "Prefix / a", "http", "x.test", "/", NULL, "unknown" },
	{ "enable-modsecurity: maybe", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "enable-modsecurity: 'false'", "", "Prefix / a", "http", "x.test", "/", NULL, "200 a /" },
	{ "server-alias: 'z.test, y.test'", "", "Prefix / a", "http", "y.test", "/", NULL, "200 a /" },
	{ "default-backend: b", "", "Prefix / empty", "http", "x.test", "/", NULL, "200 b /" },
	{ "", "", "Prefix / empty", "http", "x.test", "/", NULL, "503" },
	{ "", "defaultBackend: {service: {name: b, port: {number: 80}}}", "Prefix /a a", "http", "x.test", "/other", NULL, "200 b /other" },
	{ "", "defaultBackend: {service: {name: b, port: {number: 80}}}", "Prefix /a a", "http", "other.test", "/", NULL, "404" },  /* only for the hosts of its rules */
};

static const char *ingress_yaml(struct arena *a, const char *name, const char *notes, const char *spec, const char *paths)
{
	const char *annotations = "", *list = "";

	for (const char *p = notes; *p; p += strcspn(p, ";") + (p[strcspn(p, ";")] == ';'))
		annotations = arena_printf(a, "%s    nginx.ingress.kubernetes.io/%.*s\n", annotations, (int)strcspn(p, ";"), p + strspn(p, " "));
	for (const char *p = paths; *p; p += strcspn(p, ";") + (p[strcspn(p, ";")] == ';')) {
		char type[40], path[80], service[40];

		sscanf(p, "%39s %79s %39[a-z]", type, path, service);
		list = arena_printf(a, "%s      - {pathType: %s, path: '%s', backend: {service: {name: %s, port: {number: 80}}}}\n", list, type, path, service);
	}
	return arena_printf(a, "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: %s\n  annotations:\n    note: x\n%s"
			       "spec:\n  ingressClassName: nginx\n%s%s%s  rules:\n  - host: x.test\n    http:\n      paths:\n%s",
			    name, annotations, *spec ? "  " : "", spec, *spec ? "\n" : "", list);
}

TEST(ingress_nginx_does_what_its_annotations_say)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cluster *c = cluster_new(NULL, 1);
		struct arena *a = arena_new(NULL, "test");
		struct route_table *t;

		feed_cluster(c, VALIDATE_STRICT, backends);
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "i", rows[k].notes, rows[k].spec, rows[k].paths));
		t = routes_compile_ingress(c, INGRESS_NGINX, a);
		if (!test_same_text(__FILE__, __LINE__, answer(t, rows[k].scheme, rows[k].host, rows[k].path, rows[k].header, a), rows[k].want)) {
			fprintf(stderr, "  %s | %s | %s %s\n", rows[k].notes, rows[k].paths, rows[k].host, rows[k].path);
			CU_FAIL("differs");
		}
		arena_free(a);
		cluster_free(c);
	}
}

TEST(ingress_nginx_sends_a_share_to_the_canary)
{
	static const struct { const char *notes, *header, *want; } canaries[] = {
		{ "canary: 'true';canary-weight: '20'", NULL, "1/5 200 b /, 4/5 200 a /" },
		{ "canary: 'true';canary-weight: '30';canary-weight-total: '300'", NULL, "1/10 200 b /, 9/10 200 a /" },
		{ "canary: 'true';canary-by-header: X-New;canary-weight: '20'", "X-New: always", "200 b /" },
		{ "canary: 'true';canary-by-header: X-New;canary-weight: '20'", "X-New: never", "200 a /" },
		{ "canary: 'true';canary-by-header: X-New;canary-weight: '20'", "X-New: maybe", "1/5 200 b /, 4/5 200 a /" },
		{ "canary: 'true';canary-by-header: X-New;canary-by-header-value: eu", "X-New: eu", "200 b /" },
		{ "canary: 'true';canary-by-header: X-New;canary-by-header-value: eu", "X-New: us", "200 a /" },
		{ "canary: 'true';canary-by-header: X-New;canary-by-header-pattern: e[uv]", "X-New: xev", "200 b /" },
		{ "canary: 'true';canary-by-cookie: beta", "Cookie: a=b; beta=always", "200 b /" },
		{ "canary: 'true';canary-by-cookie: beta", "Cookie: beta=never", "200 a /" },
		{ "canary: 'true'", NULL, "200 a /" },
		/* test/e2e/annotations/canary.go */
		{ "canary: 'true';canary-by-header: X-New;canary-by-header-value: eu", "X-New: always", "200 a /" },
		{ "canary: 'true';canary-by-header: X-New;canary-by-header-value: eu;canary-by-header-pattern: '.*'", "X-New: us", "200 a /" },
		{ "canary: 'true';canary-by-header: X-New;canary-by-header-pattern: '[[*][a-z](DoCanary)'", "X-New: DoCanary", "200 a /" },
		{ "canary: 'true';canary-weight: '100'", NULL, "200 b /" },
		{ "canary: 'true';canary-weight: '0'", NULL, "200 a /" },
		{ "canary: 'true';canary-weight: '1000';canary-weight-total: '1000'", NULL, "200 b /" },
		{ "canary: 'true';canary-weight: half", NULL, "200 a /" },
		{ "canary: 'true';canary-weight: '50';canary-weight-total: all", NULL, "1/2 200 b /, 1/2 200 a /" },
		{ "canary: 'true';canary-by-header: 'X New!';canary-weight: '50'", "X-New: always", "1/2 200 b /, 1/2 200 a /" },
		{ "canary: 'maybe';canary-weight: '50'", NULL, "200 a /" },      /* no canary: the path belongs to the older one */
	};

	for (size_t k = 0; k < ARRAY_LEN(canaries); k++) {
		struct cluster *c = cluster_new(NULL, 1);
		struct arena *a = arena_new(NULL, "test");

		feed_cluster(c, VALIDATE_STRICT, backends);
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "main", "", "", "Prefix / a"));
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "new", canaries[k].notes, "", "Prefix / b"));
		SAME_TEXT(answer(routes_compile_ingress(c, INGRESS_NGINX, a), "http", "x.test", "/", canaries[k].header, a), canaries[k].want);
		arena_free(a);
		cluster_free(c);
	}
}

/* Two Ingresses of one host (test/e2e/annotations/{rewrite,alias}.go, ingress/pathtype_*.go). */
TEST(one_ingress_changes_how_the_other_of_its_host_is_read)
{
	static const struct { const char *notes, *paths, *more_notes, *more_paths, *host, *path, *want; } pairs[] = {
		{ "", "Prefix /foo a", "use-regex: 'true';rewrite-target: /new/backend", "ImplementationSpecific /foo.+ b", "x.test", "/foo", "200 a /foo" },
		{ "", "Prefix /foo a", "use-regex: 'true';rewrite-target: /new/backend", "ImplementationSpecific /foo.+ b", "x.test", "/foo/bar", "200 b /new/backend" },
		{ "", "Prefix /foo/bar/bar a", "use-regex: 'true';rewrite-target: /new/backend", "ImplementationSpecific /foo/bar/[a-z]{3} b", "x.test", "/foo/bar/bar", "200 b /new/backend" },
		{ "", "Prefix /app-a a", "server-alias: bar.test", "Prefix /app-b b", "bar.test", "/app-a", "200 a /app-a" },
		{ "", "Exact /exact a", "", "Prefix /exact b", "x.test", "/exact", "200 a /exact" },
		{ "", "Exact /exact a", "", "Prefix /exact b", "x.test", "/exact/suffix", "200 b /exact/suffix" },
		{ "limit-rpm: x", "Prefix / a", "", "Prefix / b", "x.test", "/", "200 b /" },     /* the first is not read */
	};

	for (size_t k = 0; k < ARRAY_LEN(pairs); k++) {
		struct cluster *c = cluster_new(NULL, 1);
		struct arena *a = arena_new(NULL, "test");

		feed_cluster(c, VALIDATE_STRICT, backends);
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "one", pairs[k].notes, "", pairs[k].paths));
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "two", pairs[k].more_notes, "", pairs[k].more_paths));
		SAME_TEXT(answer(routes_compile_ingress(c, INGRESS_NGINX, a), "http", pairs[k].host, pairs[k].path, NULL, a), pairs[k].want);
		arena_free(a);
		cluster_free(c);
	}
}

TEST(a_canary_needs_endpoints_and_a_primary_with_endpoints)
{
	static const struct { const char *primary, *canary, *want; } cases[] = { { "Prefix / empty", "Prefix / b", "503" }, { "Prefix / a", "Prefix / empty", "200 a /" } };

	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		struct cluster *c = cluster_new(NULL, 1);
		struct arena *a = arena_new(NULL, "test");

		feed_cluster(c, VALIDATE_STRICT, backends);
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "main", "", "", cases[k].primary));
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "new", "canary: 'true';canary-by-header: X-New", "", cases[k].canary));
		SAME_TEXT(answer(routes_compile_ingress(c, INGRESS_NGINX, a), "http", "x.test", "/", "X-New: always", a), cases[k].want);
		arena_free(a);
		cluster_free(c);
	}
}

TEST(other_controllers_do_not_read_nginx_annotations)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "test");

	feed_cluster(c, VALIDATE_STRICT, "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: nginx}\nspec: {controller: example.net/ingress}\n");
	feed_cluster(c, VALIDATE_STRICT, strstr(backends, "---"));
	feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "i", "rewrite-target: /;force-ssl-redirect: 'true';auth-url: x", "", "Prefix /app a"));
	SAME_TEXT(answer(routes_compile_ingress(c, "example.net/ingress", a), "http", "x.test", "/app/x", NULL, a), "200 a /app/x");
	arena_free(a);
	cluster_free(c);
}

/* Admission gives the class once; kubectl's merge leaves alone what no manifest ever held (plugin/pkg/admission/network/defaultingressclass; kubectl apply's three-way merge). */
TEST(a_default_class_stays_when_the_manifest_is_applied_again)
{
	static const char class[] = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: web, annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}}\n"
				    "spec: {controller: example.net/x}\n";
	static const char ingress[] = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {%s rules: [{host: %s.test}]}\n";
	static const struct { const char *first, *then, *class; } cases[] = {
		{ "", "", "web" }, { "", "ingressClassName: other,", "other" }, { "ingressClassName: web,", "", NULL },
	};

	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		struct cell x = cell_new(1);
		const struct ingress *ing;

		cell_apply(&x, class);
		cell_apply(&x, arena_printf(x.a, ingress, cases[k].first, "a"));
		cell_apply(&x, arena_printf(x.a, ingress, cases[k].then, "b"));
		ing = (const struct ingress *)cluster_find(x.c, &ingress_kind, cluster_str(x.c, "default"), "i");
		CU_ASSERT(ing && streq(ing->rules.v[0].host, "b.test"));
		CU_ASSERT(ing && str_order(ing->class_name, cases[k].class) == 0);
		cell_free(&x);
	}
}

/* ---- cross-origin requests */

static const struct { const char *notes, *method, *origin; int status; const char *allowed; } origins[] = {
	{ "", "OPTIONS", "http://o.test", 204, "*" },
	{ "", "OPTIONS", NULL, 204, "*" },
	{ "", "GET", "http://o.test", 200, "*" },
	{ "cors-allow-origin: 'https://o.test, https://*.foo.test:8080'", "OPTIONS", "https://o.test", 204, "https://o.test" },
	{ "cors-allow-origin: 'https://o.test, https://*.foo.test:8080'", "GET", "https://x.foo.test:8080", 200, "https://x.foo.test:8080" },
	{ "cors-allow-origin: 'https://o.test, https://*.foo.test:8080'", "GET", "https://x.y.foo.test:8080", 200, NULL },     /* one label */
	{ "cors-allow-origin: 'https://o.test, https://*.foo.test:8080'", "OPTIONS", "https://p.test", 200, NULL },           /* the backend answers */
	{ "force-ssl-redirect: 'true'", "OPTIONS", "http://o.test", 204, "*" },                                               /* before it is sent to https */
	{ "permanent-redirect: 'https://new.test'", "OPTIONS", "http://o.test", 204, "*" },
	{ "whitelist-source-range: 10.0.0.0/8", "OPTIONS", "http://o.test", 204, "*" },
};

static const char *header_in(const struct http_pair *v, uint32_t nr, const char *name)
{
	for (uint32_t k = 0; k < nr; k++)
		if (strcmp(v[k].name, name) == 0)
			return v[k].value;
	return NULL;
}

TEST(ingress_nginx_answers_cross_origin_requests)
{
	for (size_t k = 0; k < ARRAY_LEN(origins); k++) {
		struct cluster *c = cluster_new(NULL, 1);
		struct arena *a = arena_new(NULL, "test");
		struct http_pair h = { "origin", origins[k].origin };
		struct http_request rq = { .scheme = "http", .host = "x.test", .port = 80, .method = origins[k].method, .path = "/", .headers = &h, .nr_headers = origins[k].origin != NULL };
		struct http_decision d;
		const char *allowed;

		feed_cluster(c, VALIDATE_STRICT, backends);
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "i", arena_printf(a, "enable-cors: 'true';%s", origins[k].notes), "", "Prefix / a"));
		ip_parse("203.0.113.10", &rq.client);
		d = routes_match(routes_compile_ingress(c, INGRESS_NGINX, a), &rq, a);
		CU_ASSERT_EQUAL_FATAL(d.nr, 1);
		CU_ASSERT_EQUAL(d.v[0].status, origins[k].status);
		allowed = header_in(d.v[0].resp_headers, d.v[0].nr_resp_headers, "Access-Control-Allow-Origin");
		SAME_TEXT(allowed ? allowed : "none", origins[k].allowed ? origins[k].allowed : "none");
		if (allowed)
			SAME_TEXT(header_in(d.v[0].resp_headers, d.v[0].nr_resp_headers, "Access-Control-Max-Age"), "1728000");
		arena_free(a);
		cluster_free(c);
	}
}

/* ---- its ConfigMap */

static const char installed[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: c, namespace: ingress-nginx}\nspec:\n  selector: {matchLabels: {app: c}}\n  template:\n    metadata: {labels: {app: c}}\n"
	"    spec: {containers: [{name: c, image: 'registry.k8s.io/ingress-nginx/controller:v1.12.0', args: [/nginx-ingress-controller, --configmap=$(POD_NAMESPACE)/settings]}]}\n"
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: ingress-nginx}\n";

static const struct { const char *data, *notes, *spec, *path, *header, *want; } settings[] = {
	{ "{}", "", "tls: [{hosts: [x.test]}]", "/", NULL, "308 → https://x.test" },
	{ "{ssl-redirect: 'false'}", "", "tls: [{hosts: [x.test]}]", "/", NULL, "200 a /" },
	{ "{ssl-redirect: 'false'}", "ssl-redirect: 'true'", "tls: [{hosts: [x.test]}]", "/p", NULL, "308 → https://x.test/p" },
	{ "{force-ssl-redirect: 'true', http-redirect-code: '301'}", "", "", "/p", NULL, "301 → https://x.test/p" },
	{ "{force-ssl-redirect: 'true'}", "force-ssl-redirect: 'false'", "", "/p", NULL, "200 a /p" },
	{ "{whitelist-source-range: 10.0.0.0/8}", "", "", "/", NULL, "403" },
	{ "{whitelist-source-range: 10.0.0.0/8}", "whitelist-source-range: 203.0.113.0/24", "", "/", NULL, "200 a /" },
	{ "{use-forwarded-headers: 'true'}", "", "", "/", "X-Forwarded-For: 10.0.0.1", "unknown" },
	{ "{use-forwarded-headers: 'true'}", "", "", "/", NULL, "200 a /" },
	{ "{server-snippet: return 418}", "", "", "/", NULL, "unknown" },
	{ "{allow-snippet-annotations: 'false', proxy-body-size: 8m}", "", "", "/", NULL, "200 a /" },
};

TEST(a_default_backend_service_takes_what_nothing_matches)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "test");
	struct route_table *t;

	feed_cluster(c, VALIDATE_STRICT, backends);
	feed_cluster(c, VALIDATE_STRICT, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: c, namespace: default}\nspec:\n  selector: {matchLabels: {app: c}}\n  template:\n"
		     "    metadata: {labels: {app: c}}\n    spec: {containers: [{name: c, image: 'registry.k8s.io/ingress-nginx/controller:v1.12.0', args: [--default-backend-service=default/b]}]}\n");
	feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "i", "", "", "Prefix /a a"));
	t = routes_compile_ingress(c, INGRESS_NGINX, a);
	SAME_TEXT(answer(t, "http", "x.test", "/a", NULL, a), "200 a /a");
	SAME_TEXT(answer(t, "http", "x.test", "/other", NULL, a), "200 b /other");
	SAME_TEXT(answer(t, "http", "y.test", "/", NULL, a), "200 b /");
	arena_free(a);
	cluster_free(c);
}

TEST(the_configmap_of_ingress_nginx_counts)
{
	for (size_t k = 0; k < ARRAY_LEN(settings); k++) {
		struct cluster *c = cluster_new(NULL, 1);
		struct arena *a = arena_new(NULL, "test");

		feed_cluster(c, VALIDATE_STRICT, backends);
		feed_cluster(c, VALIDATE_STRICT, arena_printf(a, "%sdata: %s\n", installed, settings[k].data));
		feed_cluster(c, VALIDATE_STRICT, ingress_yaml(a, "i", settings[k].notes, settings[k].spec, "Prefix / a"));
		SAME_TEXT(answer(routes_compile_ingress(c, INGRESS_NGINX, a), "http", "x.test", settings[k].path, settings[k].header, a), settings[k].want);
		arena_free(a);
		cluster_free(c);
	}
}
