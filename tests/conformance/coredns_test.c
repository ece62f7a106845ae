/* What CoreDNS answers: upstream's tables (coredns plugin/kubernetes/…_test.go, plugin/normalize_test.go) and the code that they drive, one cluster, several Corefiles. */
#include "model/dns/dns.h"
#include "tests/unit/cell.h"

#define NS(name, labels)    "{apiVersion: v1, kind: Namespace, metadata: {name: " name ", labels: {" labels "}}}\n---\n"
#define SVC(name, ns, spec) "{apiVersion: v1, kind: Service, metadata: {name: " name ", namespace: " ns ", labels: {app: " name "}}, spec: {" spec "}}\n---\n"
#define SLICE(name, of, ports, ...) "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " name ", namespace: testns, labels: {app: " of ", kubernetes.io/service-name: " of "}}, " \
				    "addressType: IPv4, ports: [" ports "], endpoints: [" __VA_ARGS__ "]}\n---\n"
#define HTTP(n)             "{name: http, port: " n ", protocol: TCP}"
#define RUNS(name, ip, more) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: podns" more "}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: " ip ", phase: "

static const char objects[] =
	NS("testns", "istio-injection: enabled") NS("podns", "") NS("testns2", "")
	SVC("svc1", "testns", "clusterIP: 10.0.0.1, ports: [" HTTP("80") "]")
	SVC("svcempty", "testns", "clusterIP: 10.0.0.9, ports: [" HTTP("80") "]")
	SVC("svc-dual", "testns", "clusterIP: 10.0.0.3, clusterIPs: [10.0.0.3, '10::3'], ipFamilies: [IPv4, IPv6], ipFamilyPolicy: PreferDualStack, ports: [" HTTP("80") "]")
	SVC("external", "testns", "type: ExternalName, externalName: ext.interwebs.test")
	SVC("to-service", "testns", "type: ExternalName, externalName: svc1.testns.svc.cluster.local")
	SVC("to-nothing", "testns", "type: ExternalName, externalName: nope.testns.svc.cluster.local")
	SVC("to-itself", "testns", "type: ExternalName, externalName: to-itself.testns.svc.cluster.local")
	SVC("hdls1", "testns", "clusterIP: None")
	SVC("hdlsprtls", "testns", "clusterIP: None")
	SVC("svc2", "testns2", "clusterIP: 10.0.0.2, ports: [" HTTP("80") "]")
	SLICE("svc1-s1", "svc1", HTTP("80"), "{addresses: [172.0.0.1], hostname: ep1a, conditions: {ready: true}}")
	SLICE("hdls1-s1", "hdls1", HTTP("80"), "{addresses: [172.0.0.2, 172.0.0.5]}, {addresses: [172.0.0.3], targetRef: {kind: Pod, name: a-pod, namespace: testns}}, {addresses: [172.0.0.4], hostname: dup-name}, "
	      "{addresses: [172.0.0.9], conditions: {ready: false}}, {addresses: [172.0.0.6], targetRef: {kind: Pod, namespace: testns, name: a-name-that-is-much-too-long-to-be-one-label-of-a-name-in-dns-as-it-has-70}}")
	"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: hdls1-s6, namespace: testns, labels: {app: hdls1, kubernetes.io/service-name: hdls1}}, addressType: IPv6, ports: [" HTTP("80") "], "
	"endpoints: [{addresses: ['5678:abcd::1']}, {addresses: ['5678:abcd::']}]}\n---\n"
	SLICE("hdlsprtls-s1", "hdlsprtls", "", "{addresses: [172.0.0.20]}")
	RUNS("p1", "10.240.0.1", "") "Running}}\n---\n" RUNS("p2", "10.240.0.2", "") "Succeeded}}\n---\n" RUNS("p3", "10.240.0.3", ", deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30, finalizers: [a.b/c]") "Running}}";

#define CLUSTER  "svc.cluster.local."
#define DASHES   "172-0-0-2.hdls1.testns." CLUSTER

static const struct { const char *block, *name; enum dns_type type; const char *want; } table[] = {
	/* handler_test.go dnsTestCases */
	{ "", "svc1.testns." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "", "SVC1.testns." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "", "Svc1.TestNS." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "namespaces testns", "svc1.TESTNS." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "", "Dup-Name.HDLS1.testns.SVC.cluster.local.", DNS_A, "NOERROR 172.0.0.4" },
	{ "pods verified", "10-240-0-1.PodNS.Pod.cluster.local.", DNS_A, "NOERROR 10.240.0.1" },
	{ "", "svc1.testns." CLUSTER, DNS_SRV, "NOERROR 80 svc1.testns.svc.cluster.local." },
	{ "", "svc1.testns." CLUSTER, DNS_TXT, "NOERROR without an answer" },
	{ "", "svc1.testns." CLUSTER, DNS_CNAME, "NOERROR without an answer" },
	{ "", "svc1.testns." CLUSTER, DNS_PTR, "NOERROR without an answer" },
	{ "", "svc1.testns." CLUSTER, DNS_NS, "NOERROR without an answer" },
	{ "", "svc1.testns." CLUSTER, DNS_AAAA, "NOERROR without an answer" },
	{ "", "svc-dual.testns." CLUSTER, DNS_AAAA, "NOERROR 10::3" },
	{ "", "*.any." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "", "_http._tcp.svc1.testns." CLUSTER, DNS_SRV, "NOERROR 80 svc1.testns.svc.cluster.local." },
	{ "", "http.tcp.svc1.testns." CLUSTER, DNS_SRV, "NOERROR 80 svc1.testns.svc.cluster.local." },
	{ "", "_https._tcp.svc1.testns." CLUSTER, DNS_SRV, "NXDOMAIN" },
	{ "", "a.b.c.svc1.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "", "bogusservice.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "", "svc1.bogusns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "", "ep1a.svc1.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.1" },
	{ "", "hdls1.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.2 172.0.0.5 172.0.0.3 172.0.0.4 172.0.0.6" },
	{ "", "hdls1.testns." CLUSTER, DNS_AAAA, "NOERROR 5678:abcd::1 5678:abcd::" },
	{ "", DASHES, DNS_A, "NOERROR 172.0.0.2" },
	{ "", "172-0-0-5.hdls1.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.5" },
	{ "", "172-0-0-9.hdls1.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "", "5678-abcd--1.hdls1.testns." CLUSTER, DNS_AAAA, "NOERROR 5678:abcd::1" },
	{ "", "5678-abcd--0.hdls1.testns." CLUSTER, DNS_AAAA, "NOERROR 5678:abcd::" },
	{ "", "hdlsprtls.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.20" },
	{ "", "hdlsprtls.testns." CLUSTER, DNS_SRV, "NOERROR without an answer" },
	{ "", "dup-name.hdls1.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.4" },
	{ "", "172-0-0-4.hdls1.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "", "testns." CLUSTER, DNS_A, "NOERROR without an answer" },
	{ "", "testns." CLUSTER, DNS_TXT, "NXDOMAIN" },
	{ "", "testns.pod.cluster.local.", DNS_A, "NOERROR without an answer" },
	{ "", CLUSTER, DNS_A, "NOERROR without an answer" },
	{ "", "pod.cluster.local.", DNS_A, "NOERROR without an answer" },
	{ "", "cluster.local.", DNS_SRV, "NOERROR without an answer" },
	{ "", "dns-version.cluster.local.", DNS_TXT, "NOERROR 1.1.0" },
	{ "", "dns-version.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "", "other.cluster.local.", DNS_A, "NXDOMAIN" },

	/* backend_lookup.go A, SRV: ExternalName */
	{ "", "external.testns." CLUSTER, DNS_CNAME, "NOERROR ext.interwebs.test." },
	{ "", "external.testns." CLUSTER, DNS_SRV, "NOERROR without an answer" },
	{ "", "external.testns." CLUSTER, DNS_A, "NOERROR CNAME ext.interwebs.test. 192.0.2.7" },
	{ "", "x.external.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "", "to-service.testns." CLUSTER, DNS_A, "NOERROR CNAME svc1.testns.svc.cluster.local. 10.0.0.1" },
	{ "", "to-service.testns." CLUSTER, DNS_AAAA, "NOERROR without an answer" },
	{ "", "to-nothing.testns." CLUSTER, DNS_A, "NOERROR without an answer" },
	{ "", "to-itself.testns." CLUSTER, DNS_A, "NOERROR without an answer" },

	/* handler_pod_{insecure,verified,disabled}_test.go */
	{ "pods insecure", "10-240-0-1.podns.pod.cluster.local.", DNS_A, "NOERROR 10.240.0.1" },
	{ "pods insecure", "172-0-0-2.podns.pod.cluster.local.", DNS_A, "NOERROR 172.0.0.2" },
	{ "pods insecure", "172-0-0-2.podns.pod.cluster.local.", DNS_AAAA, "NOERROR without an answer" },
	{ "pods insecure", "blah.podns.pod.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "pods insecure", "10-240-0-1.nope.pod.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "pods insecure", "a.10-240-0-1.podns.pod.cluster.local.", DNS_A, "NOERROR 10.240.0.1" },
	{ "pods verified", "10-240-0-1.podns.pod.cluster.local.", DNS_A, "NOERROR 10.240.0.1" },
	{ "pods verified", "10-240-0-1.testns.pod.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "pods verified", "172-0-0-2.podns.pod.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "pods verified", "10-240-0-2.podns.pod.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "pods verified", "10-240-0-3.podns.pod.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "pods disabled", "10-240-0-1.podns.pod.cluster.local.", DNS_A, "NXDOMAIN" },
	{ "", "10-240-0-1.podns.pod.cluster.local.", DNS_A, "NXDOMAIN" },

	/* kubernetes_test.go TestEndpointHostname; handler_ignore_emptyservice_test.go; namespace_test.go; controller.go */
	{ "endpoint_pod_names", "a-pod.hdls1.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.3" },
	{ "endpoint_pod_names", "172-0-0-3.hdls1.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "endpoint_pod_names", "172-0-0-6.hdls1.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.6" },
	{ "endpoint_pod_names", "dup-name.hdls1.testns." CLUSTER, DNS_A, "NOERROR 172.0.0.4" },
	{ "ignore empty_service", "svcempty.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "ignore empty_service", "svc1.testns." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "namespaces testns", "svc1.testns." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "namespaces testns", "svc2.testns2." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "namespaces testns", "testns2." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "namespaces testns", "2.0.0.10.in-addr.arpa.", DNS_PTR, "NXDOMAIN" },
	{ "namespace_labels istio-injection=enabled", "svc1.testns." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "namespace_labels istio-injection=enabled", "svc2.testns2." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "labels app in (svc1, hdls1)", "svc1.testns." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },
	{ "labels app in (svc1, hdls1)", "svcempty.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "noendpoints", "hdls1.testns." CLUSTER, DNS_A, "NXDOMAIN" },
	{ "noendpoints", "svc1.testns." CLUSTER, DNS_A, "NOERROR 10.0.0.1" },

	/* reverse_test.go TestReverse */
	{ "", "1.0.0.10.in-addr.arpa.", DNS_PTR, "NOERROR svc1.testns.svc.cluster.local." },
	{ "", "2.0.0.172.in-addr.arpa.", DNS_PTR, "NOERROR 172-0-0-2.hdls1.testns.svc.cluster.local." },
	{ "", "5.0.0.172.in-addr.arpa.", DNS_PTR, "NOERROR 172-0-0-5.hdls1.testns.svc.cluster.local." },
	{ "", "4.0.0.172.in-addr.arpa.", DNS_PTR, "NOERROR dup-name.hdls1.testns.svc.cluster.local." },
	{ "", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.c.b.a.8.7.6.5.ip6.arpa.", DNS_PTR, "NOERROR 5678-abcd--1.hdls1.testns.svc.cluster.local." },
	{ "", "101.0.0.10.in-addr.arpa.", DNS_PTR, "NXDOMAIN" },
	{ "", "example.org.cluster.local.", DNS_PTR, "NXDOMAIN" },
	{ "", "svc1.testns." CLUSTER, DNS_PTR, "NOERROR without an answer" },
	{ "", "1.0.0.10.in-addr.arpa.", DNS_A, "NXDOMAIN" },
	{ "", "0.0.10.in-addr.arpa.", DNS_PTR, "NXDOMAIN" },
	{ "", "in-addr.arpa.", DNS_A, "NOERROR without an answer" },
};

static struct cell cell_of(const char *corefile)
{
	struct cell x = cell_new(1);

	x.lax = true;
	*cluster_flags(x.c) = (struct settings_flags){ .no_defaults = true, .respect = true };      /* as it is somewhere else */
	cell_apply(&x, objects);
	cell_apply(&x, corefile);
	return x;
}

static bool answers(struct cell *x, const struct zone *zone, const char *name, enum dns_type type, const char *want)
{
	struct dns_answer got = dns_query(x->c, zone, name, type, x->a);

	if (streq(dns_answer_text(&got, x->a), want))
		return true;
	fprintf(stderr, "\n%s %s: %s, not %s\n", dns_type_names[type], name, dns_answer_text(&got, x->a), want);
	return false;
}

TEST(cluster_names_are_answered_as_upstreams_tables_say)
{
	static const char out[] = "ext.interwebs.test. 30 IN A 192.0.2.7\n";

	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct sb file = { 0 };
		struct err none = { 0 };
		struct cell x;

		sb_printf(&file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: coredns, namespace: kube-system}\ndata:\n  Corefile: |\n    .:53 {\n"
			  "        kubernetes cluster.local in-addr.arpa ip6.arpa {\n            %s\n        }\n        forward . /etc/resolv.conf\n    }\n", table[k].block);
		x = cell_of(sb_text(&file));
		if (!answers(&x, zone_parse(x.a, out, &none), table[k].name, table[k].type, table[k].want))
			fprintf(stderr, "    with { %s }\n", table[k].block);
		CU_ASSERT(answers(&x, zone_parse(x.a, out, &none), table[k].name, table[k].type, table[k].want));
		cell_free(&x);
		sb_free(&file);
	}
}

#define SERVERS(...) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: coredns, namespace: kube-system}\ndata:\n  Corefile: |\n" __VA_ARGS__

/* plugin/normalize_test.go, test/server_reverse_test.go: a CIDR is the reverse zones that it is made of, whole labels each. */
TEST(cidrs_in_a_corefile_are_reverse_zones)
{
	static const struct { const char *zones, *name, *want; } rows[] = {
		{ "cluster.local 10.0.0.0/24", "1.0.0.10.in-addr.arpa.", "NOERROR svc1.testns.svc.cluster.local." },
		{ "cluster.local 10.0.1.0/24", "1.0.0.10.in-addr.arpa.", "NXDOMAIN" },
		{ "cluster.local 10.0.0.0/23", "1.0.0.10.in-addr.arpa.", "NOERROR svc1.testns.svc.cluster.local." },
		{ "cluster.local 172.0.0.0/30", "2.0.0.172.in-addr.arpa.", "NOERROR 172-0-0-2.hdls1.testns.svc.cluster.local." },
		{ "cluster.local 172.0.0.0/30", "4.0.0.172.in-addr.arpa.", "NXDOMAIN" },
		{ "cluster.local 5678:abcd::/32", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.c.b.a.8.7.6.5.ip6.arpa.", "NOERROR 5678-abcd--1.hdls1.testns.svc.cluster.local." },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct sb file = { 0 };
		struct cell x;

		sb_printf(&file, SERVERS("    .:53 {\n        kubernetes %s\n        forward . /etc/resolv.conf\n    }\n"), rows[k].zones);
		x = cell_of(sb_text(&file));
		CU_ASSERT(answers(&x, NULL, rows[k].name, DNS_PTR, rows[k].want));
		cell_free(&x);
		sb_free(&file);
	}
}

/* What depends on the asker, or on other clusters, is not guessed. */
TEST(what_a_corefile_leaves_open_is_unknown)
{
	struct cell x = cell_of(SERVERS("    .:53 {\n        autopath @kubernetes\n        kubernetes cluster.local clusterset.local {\n            pods verified\n            multicluster clusterset.local\n        }\n    }\n"));

	CU_ASSERT(answers(&x, NULL, "svc1.testns.svc.cluster.local.", DNS_A, "NOERROR 10.0.0.1"));
	CU_ASSERT(dns_query(x.c, NULL, "svc2.testns2.testns.svc.cluster.local.", DNS_A, x.a).unknown != NULL);
	CU_ASSERT(dns_query(x.c, NULL, "svc1.nope.svc.cluster.local.", DNS_A, x.a).unknown != NULL);
	CU_ASSERT(dns_query(x.c, NULL, "svc1.testns.svc.clusterset.local.", DNS_A, x.a).unknown != NULL);
	cell_free(&x);
	x = cell_of(SERVERS("    .:53 {\n        kubernetes cluster.local {\n            labels app in svc1\n        }\n    }\n"));
	SAME_TEXT(dns_query(x.c, NULL, "svc1.testns.svc.cluster.local.", DNS_A, x.a).unknown, "CoreDNS does not start with its Corefile: labels \"app in svc1\" is no selector");
	cell_free(&x);
}

/* The Corefile is read once, and again when it has changed. */
TEST(a_changed_corefile_is_read_again)
{
	struct cell x = cell_of(SERVERS("    .:53 {\n        kubernetes cluster.local\n    }\n"));

	CU_ASSERT(answers(&x, NULL, "svc1.testns.svc.cluster.local.", DNS_A, "NOERROR 10.0.0.1"));
	cell_apply(&x, SERVERS("    .:53 {\n        kubernetes cluster.local {\n            namespaces podns\n        }\n    }\n"));
	CU_ASSERT(answers(&x, NULL, "svc1.testns.svc.cluster.local.", DNS_A, "NXDOMAIN"));
	cell_free(&x);
}

/* glibc 2.36 resolv/res_query.c __res_context_search; musl src/network/lookup_name.c, resolvconf.c. */
TEST(c_libraries_search_as_they_do)
{
	static const char *const search[] = { "testns.svc.cluster.local", "svc.cluster.local", "cluster.local" };
	static const struct { const char *options, *name; enum resolver lib; bool wide, corp; enum dns_type type; const char *want; } rows[] = {
		{ "ndots:5", "svc1", RESOLVER_GLIBC, false, false, DNS_A, "svc1.testns.svc.cluster.local. = NOERROR 10.0.0.1" },
		{ "ndots:5", "svc1", RESOLVER_MUSL, false, false, DNS_A, "svc1.testns.svc.cluster.local. = NOERROR 10.0.0.1" },
		{ "ndots:1", "svc2.testns2", RESOLVER_GLIBC, false, false, DNS_A, "svc2.testns2. svc2.testns2.testns.svc.cluster.local. svc2.testns2.svc.cluster.local. = NOERROR 10.0.0.2" },
		{ "ndots:1", "svc2.testns2", RESOLVER_MUSL, false, false, DNS_A, "svc2.testns2. = NXDOMAIN" },
		{ "ndots:5", "svc1", RESOLVER_GLIBC, false, false, DNS_AAAA, "svc1.testns.svc.cluster.local. svc1.svc.cluster.local. svc1.cluster.local. svc1. = NOERROR without an answer" },
		{ "ndots:5", "svc1", RESOLVER_MUSL, false, false, DNS_AAAA, "svc1.testns.svc.cluster.local. = NOERROR without an answer" },
		{ "ndots:5", "nope", RESOLVER_GLIBC, false, false, DNS_A, "nope.testns.svc.cluster.local. nope.svc.cluster.local. nope.cluster.local. nope. = NXDOMAIN" },
		{ "no-tld-query", "nope", RESOLVER_GLIBC, false, false, DNS_A, "nope.testns.svc.cluster.local. nope.svc.cluster.local. nope.cluster.local. = NXDOMAIN" },
		{ "ndots:99", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", RESOLVER_MUSL, false, false, DNS_A, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p. = NXDOMAIN" },
		{ "ndots:5", "svc1", RESOLVER_MUSL, true, false, DNS_A, "svc1. = NXDOMAIN" },
		{ "ndots:2", "a.corp", RESOLVER_GLIBC, false, true, DNS_A, "a.corp.testns.svc.cluster.local. a.corp.svc.cluster.local. a.corp.cluster.local. a.corp. = SERVFAIL" },
		{ "ndots:1", "a.corp", RESOLVER_MUSL, false, true, DNS_A, "a.corp. = SERVFAIL" },
		{ "ndots:1", "a.corp", RESOLVER_GLIBC, false, true, DNS_A, "a.corp. a.corp.testns.svc.cluster.local. a.corp.svc.cluster.local. a.corp.cluster.local. = SERVFAIL" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_of(SERVERS("    .:53 {\n        kubernetes cluster.local\n        forward . /etc/resolv.conf\n    }\n    corp:53 {\n        errors\n    }\n"));
		struct resolv_conf conf = { 0 };
		struct dns_lookup l;
		struct sb got = { 0 };

		for (size_t i = 0; i < ARRAY_LEN(search); i++)
			dns_add(x.a, &conf.searches, search[i]);
		for (int i = 0; rows[k].wide && i < 8; i++)
			dns_add(x.a, &conf.searches, "a-domain-of-somebody.example.com");
		dns_add(x.a, &conf.options, rows[k].options);
		l = dns_resolve(x.c, NULL, DNS_BY_CLUSTER, &conf, rows[k].lib, rows[k].name, rows[k].type, x.a);
		for (uint32_t i = 0; i < l.nr; i++)
			sb_printf(&got, "%s ", l.v[i].name);
		sb_printf(&got, "= %s", dns_answer_text(&l.result, x.a));
		SAME_TEXT(sb_text(&got), rows[k].want);
		sb_free(&got);
		cell_free(&x);
	}
}
