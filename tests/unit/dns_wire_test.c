/* DNS on the wire: what the server answers is what the model answers, name by name; and no bytes do harm. */
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/dns/wire.h"
#include "tests/unit/test.h"

static const char manifests[] =
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {clusterIP: 10.96.7.7, clusterIPs: [10.96.7.7], ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: six, namespace: shop}\nspec: {clusterIP: 'fd00::7', clusterIPs: ['fd00::7'], ports: [{name: http, port: 80}]}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\nspec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: ext, namespace: shop}\nspec: {type: ExternalName, externalName: web.shop.svc.cluster.local}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: out, namespace: shop}\nspec: {type: ExternalName, externalName: www.example.com}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: gone, namespace: shop}\nspec: {type: ExternalName, externalName: nowhere.example.com}\n---\n"
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: coredns, namespace: kube-system}\ndata: {Corefile: \".:53 {\\n kubernetes cluster.local in-addr.arpa ip6.arpa {\\n pods insecure\\n ttl 7\\n }\\n forward . /etc/resolv.conf\\n}\\n\"}\n";
static const char outside_text[] =
	"www.example.com. 60 IN CNAME host.example.com.\nhost.example.com. IN A 192.0.2.80\nhost.example.com. IN A 192.0.2.81\nhost.example.com. IN AAAA 2001:db8::80\n"
	"_sip._tcp.example.com. IN SRV 10 20 5060 host.example.com.\nexample.com. IN TXT \"hello, world\"\nexample.com. IN NS ns.example.com.\n";

struct server { struct cluster *c; struct zone *outside; struct arena *a; uint8_t out[DNS_MESSAGE_MAX]; };

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	static const struct apply_options opt = { .respect_status = true };

	return apply_doc(ctx, d, &opt, NULL, err) != APPLY_ERROR;
}

/* endpoints: how many members the headless Service has. */
static struct server *server_new(uint32_t endpoints)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sb text = { 0 };
	struct err err = { 0 };

	s->a = arena_new(NULL, "dns");
	s->c = cluster_new(NULL, 1);
	sb_add(&text, manifests);
	sb_add(&text, "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
		      "metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}\nports: [{name: sql, port: 5432, protocol: TCP}]\nendpoints:\n");
	for (uint32_t k = 0; k < endpoints; k++)
		sb_printf(&text, k ? "- {addresses: [10.244.%u.%u], conditions: {ready: true}}\n" : "- {addresses: [10.244.%u.%u], conditions: {ready: true}, hostname: db-0}\n", 1 + k / 250, 1 + k % 250);
	CU_ASSERT(docs_read("zone.yaml", sb_text(&text), text.len, NULL, take, s->c, &err));
	s->outside = zone_parse(s->a, outside_text, &err);
	if (err_any(&err))
		err_print(&err, stderr);
	CU_ASSERT_FALSE(err_any(&err));
	err_free(&err);
	sb_free(&text);
	return s;
}

static void server_free(struct server *s)
{
	arena_free(s->a);
	cluster_free(s->c);
	free(s);
}

static bool asked(struct server *s, const char *name, enum dns_type type, bool tcp, struct dns_answer *out, bool *cut)
{
	uint8_t query[512];
	uint32_t n = dns_write_query(0x1234, name, type, query), m = n ? dns_serve(s->c, s->outside, query, n, tcp, s->out, s->a) : 0;

	return m && (tcp || m <= 1232) && dns_read_answer(s->out, m, 0x1234, name, type, out, cut, s->a);
}

TEST(every_name_of_the_zone_is_answered_as_the_model_answers_it)
{
	struct server *s = server_new(300);
	struct dns_names names = dns_names(s->c, s->outside, s->a);
	uint32_t cut_short = 0;

	CU_ASSERT(names.nr > 300);
	for (uint32_t k = 0; k < names.nr; k++)
		for (enum dns_type t = 0; t < DNS_TYPE_COUNT; t++) {
			struct dns_answer want = dns_query(s->c, s->outside, names.v[k].name, t, s->a), have;
			bool cut;

			CU_ASSERT_FATAL(asked(s, names.v[k].name, t, true, &have, &cut));
			CU_ASSERT_FALSE(cut);
			if (!dns_same_answer(&want, &have, t))
				fprintf(stderr, "\n%s %s: %s\n", dns_type_names[t], names.v[k].name, dns_answer_text(&have, s->a));
			CU_ASSERT(dns_same_answer(&want, &have, t));
			CU_ASSERT_EQUAL(want.own, have.own);
			CU_ASSERT_FATAL(asked(s, names.v[k].name, t, false, &have, &cut));
			CU_ASSERT(cut || dns_same_answer(&want, &have, t));
			cut_short += cut;
		}
	CU_ASSERT(cut_short > 0);               /* three hundred members do not fit into a datagram */
	server_free(s);
}

struct row { const char *name; enum dns_type type; const char *want; };

TEST(answers_hold_what_kubernetes_says)
{
	static const struct row rows[] = {
		{ "web.shop.svc.cluster.local.", DNS_A, "NOERROR 10.96.7.7" },
		{ "WEB.Shop.svc.CLUSTER.local.", DNS_A, "NOERROR 10.96.7.7" },
		{ "web.shop.svc.cluster.local.", DNS_AAAA, "NOERROR without an answer" },
		{ "six.shop.svc.cluster.local.", DNS_AAAA, "NOERROR fd00::7" },
		{ "_http._tcp.web.shop.svc.cluster.local.", DNS_SRV, "NOERROR 80 web.shop.svc.cluster.local." },
		{ "db.shop.svc.cluster.local.", DNS_A, "NOERROR 10.244.1.1 10.244.1.2" },
		{ "db-0.db.shop.svc.cluster.local.", DNS_A, "NOERROR 10.244.1.1" },
		{ "_sql._tcp.db.shop.svc.cluster.local.", DNS_SRV, "NOERROR 5432 db-0.db.shop.svc.cluster.local. 5432 10-244-1-2.db.shop.svc.cluster.local." },
		{ "ext.shop.svc.cluster.local.", DNS_A, "NOERROR CNAME web.shop.svc.cluster.local. 10.96.7.7" },
		{ "out.shop.svc.cluster.local.", DNS_A, "NOERROR CNAME www.example.com. CNAME host.example.com. 192.0.2.80 192.0.2.81" },
		{ "out.shop.svc.cluster.local.", DNS_CNAME, "NOERROR www.example.com." },
		{ "gone.shop.svc.cluster.local.", DNS_A, "NOERROR CNAME nowhere.example.com. without an answer" },
		{ "10-1-2-3.shop.pod.cluster.local.", DNS_A, "NOERROR 10.1.2.3" },
		{ "shop.svc.cluster.local.", DNS_A, "NOERROR without an answer" },
		{ "nobody.shop.svc.cluster.local.", DNS_A, "NXDOMAIN" },
		{ "web.nowhere.svc.cluster.local.", DNS_A, "NXDOMAIN" },
		{ "dns-version.cluster.local.", DNS_TXT, "NOERROR 1.1.0" },
		{ "7.7.96.10.in-addr.arpa.", DNS_PTR, "NOERROR web.shop.svc.cluster.local." },
		{ "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.", DNS_PTR, "NOERROR six.shop.svc.cluster.local." },
		{ "www.example.com.", DNS_AAAA, "NOERROR CNAME host.example.com. 2001:db8::80" },
		{ "example.com.", DNS_TXT, "NOERROR hello, world" },
		{ "_sip._tcp.example.com.", DNS_SRV, "NOERROR 5060 host.example.com." },
		{ "elsewhere.test.", DNS_A, "NXDOMAIN" },
		{ ".", DNS_A, "NXDOMAIN" },
	};
	struct server *s = server_new(2);

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct dns_answer have;
		bool cut;

		CU_ASSERT_FATAL(asked(s, rows[k].name, rows[k].type, true, &have, &cut));
		for (uint32_t i = 1; i < have.answers.nr; i++)  /* the server turns them: they are told in order of their text */
			if (strcmp(have.answers.v[0], have.answers.v[i]) > 0 && rows[k].type != DNS_SRV) {
				const char *first = have.answers.v[0];

				((const char **)have.answers.v)[0] = have.answers.v[i];
				((const char **)have.answers.v)[i] = first;
			}
		SAME_TEXT(dns_answer_text(&have, s->a), rows[k].want);
	}
	server_free(s);
}

/* plugin/kubernetes/{handler,ns}.go: the zone's servers are the Services with the Pod that answers, with their addresses beside them. */
TEST(the_zone_names_its_servers)
{
	static const char dns[] =
		"apiVersion: v1\nkind: Service\nmetadata: {name: kube-dns, namespace: kube-system}\nspec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ports: [{name: dns, port: 53, protocol: UDP}]}\n---\n"
		"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: dns-1, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns}}\n"
		"ports: [{name: dns, port: 53, protocol: UDP}]\nendpoints: [{addresses: [10.244.9.9], conditions: {ready: true}}]\n";
	struct server *s = server_new(2);
	struct err err = { 0 };
	struct dns_answer have;
	uint8_t query[512];
	uint32_t n;
	bool cut;

	CU_ASSERT_FATAL(asked(s, "cluster.local.", DNS_NS, false, &have, &cut));
	SAME_TEXT(dns_answer_text(&have, s->a), "NOERROR ns.dns.cluster.local.");
	CU_ASSERT(docs_read("dns.yaml", dns, strlen(dns), NULL, take, s->c, &err));
	CU_ASSERT_FATAL(asked(s, "Cluster.local.", DNS_NS, false, &have, &cut));
	SAME_TEXT(dns_answer_text(&have, s->a), "NOERROR kube-dns.kube-system.svc.cluster.local.");
	n = dns_write_query(1, "cluster.local.", DNS_NS, query);
	n = dns_serve(s->c, s->outside, query, n, false, s->out, s->a);
	CU_ASSERT_FATAL(n > 16);
	CU_ASSERT(s->out[7] == 1 && s->out[11] == 1 + (query[11] == 1));        /* one answer; its address, and EDNS as it was asked */
	CU_ASSERT_PTR_NOT_NULL(memmem(s->out, n, "\x00\x01\x00\x01\x00\x00\x00\x07\x00\x04\x0a\x60\x00\x0a", 14));
	CU_ASSERT_FATAL(asked(s, "ns.dns.cluster.local.", DNS_A, false, &have, &cut));
	SAME_TEXT(dns_answer_text(&have, s->a), "NOERROR 10.96.0.10");
	CU_ASSERT_FATAL(asked(s, "ns.dns.cluster.local.", DNS_AAAA, false, &have, &cut));
	SAME_TEXT(dns_answer_text(&have, s->a), "NOERROR without an answer");
	CU_ASSERT_FATAL(asked(s, "svc.cluster.local.", DNS_NS, false, &have, &cut));
	SAME_TEXT(dns_answer_text(&have, s->a), "NOERROR without an answer");
	err_free(&err);
	server_free(s);
}

/* ---- bytes */

static uint32_t bytes_of(const char *hex, uint8_t *out)
{
	uint32_t n = 0;
	unsigned v;

	for (int used = 0; sscanf(hex, " %2x%n", &v, &used) == 1; hex += used)
		out[n++] = (uint8_t)v;
	return n;
}

#define QUERY    "1234 0100 0001 0000 0000 0000 "
#define WEB      "03 77 65 62 04 73 68 6f 70 03 73 76 63 07 63 6c 75 73 74 65 72 05 6c 6f 63 61 6c 00 "
#define NO_REPLY -1

TEST(malformed_queries_are_refused_as_coredns_does)
{
	static const struct { const char *hex; int rcode; const char *why; } rows[] = {
		{ "", NO_REPLY, "no bytes" },
		{ "1234 0100 0001 0000 0000 00", NO_REPLY, "half a header" },
		{ "1234 8180 0001 0000 0000 0000 " WEB "0001 0001", NO_REPLY, "an answer" },
		{ QUERY, 1, "no question" },
		{ "1234 0100 0000 0000 0000 0000", 1, "none announced" },
		{ "1234 0100 0002 0000 0000 0000 " WEB "0001 0001 " WEB "0001 0001", 1, "two questions" },
		{ "1234 0100 ffff ffff ffff ffff", 1, "numbers without anything" },
		{ "1234 1000 0001 0000 0000 0000 " WEB "0001 0001", 4, "opcode STATUS" },
		{ "1234 2800 0001 0000 0000 0000 " WEB "0006 0001", 4, "an update" },
		{ QUERY "03 77 65", 1, "a label that ends early" },
		{ QUERY "03 77 65 62", 1, "a name without its end" },
		{ QUERY "03 77 65 62 00 00", 1, "a type that ends early" },
		{ QUERY "c0 0c 0001 0001", 1, "a name that is itself" },
		{ QUERY "01 61 c0 0c 0001 0001", 1, "a pointer in a question" },
		{ QUERY "41 61 62 00 0001 0001", 1, "an extended label" },
		{ QUERY "80 61 62 00 0001 0001", 1, "a reserved label" },
		{ "1234 0100 0001 0000 0000 0001 " WEB "0001 0001", 1, "an OPT that is not there" },
		{ "1234 0100 0001 0000 0000 0001 " WEB "0001 0001 00 0029 04d0 00000000 00ff", 1, "an OPT that ends early" },
		{ "1234 0100 0001 0000 0000 0002 " WEB "0001 0001 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000", 1, "two of them" },
		{ "1234 0100 0001 0000 0000 0001 " WEB "0001 0001 c1 ff 0029 04d0 00000000 0000", 1, "a pointer ahead" },
		{ "1234 0100 0001 0000 0000 0001 " WEB "0001 0001 00 0029 04d0 00010000 0000", 16, "EDNS 1" },
		{ QUERY WEB "0001 0003", 5, "class CHAOS" },
		{ QUERY WEB "0001 0001", 0, "a good one" },
		{ QUERY WEB "000f 0001", 0, "a type that is not modelled, of a name that is there" },
		{ QUERY WEB "00ff 0001", 0, "ANY" },
		{ "1234 0100 0001 0000 0000 0001 " WEB "0001 0001 00 0029 0001 00000000 0000", 0, "a datagram of one byte is 512" },
		{ QUERY "03 77 20 2e 00 0001 0001", 3, "a blank and a dot in a label" },
		{ QUERY "00 0001 0001", 3, "the root" },
	};
	struct server *s = server_new(2);

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		uint8_t query[512];
		uint32_t n = bytes_of(rows[k].hex, query), m = dns_serve(s->c, s->outside, query, n, false, s->out, s->a);
		int rcode = m ? s->out[3] & 15 : NO_REPLY;

		if (m && s->out[11])            /* OPT is the last record: its rcode stands above */
			rcode |= s->out[m - 6] << 4;
		if (rcode != rows[k].rcode)
			fprintf(stderr, "\n%s: rcode %d, not %d\n", rows[k].why, rcode, rows[k].rcode);
		CU_ASSERT_EQUAL(rcode, rows[k].rcode);
		CU_ASSERT(!m || (m >= 12 && s->out[0] == 0x12 && s->out[1] == 0x34 && s->out[2] & 0x80));
	}
	server_free(s);
}

TEST(an_answer_byte_by_byte)
{
	static const char want[] = "1234 8500 0001 0001 0000 0000 " WEB "0001 0001 c00c 0001 0001 00000007 0004 0a600707";
	struct server *s = server_new(2);
	uint8_t query[512], bytes[512];
	uint32_t n = dns_serve(s->c, s->outside, query, bytes_of(QUERY WEB "0001 0001", query), false, s->out, s->a);

	CU_ASSERT_EQUAL(n, bytes_of(want, bytes));
	CU_ASSERT(memcmp(s->out, bytes, n) == 0);
	n = dns_serve(s->c, s->outside, query, bytes_of(QUERY "06" "6e 6f 62 6f 64 79 07 63 6c 75 73 74 65 72 05 6c 6f 63 61 6c 00 0001 0001", query), false, s->out, s->a);
	CU_ASSERT_EQUAL(s->out[3] & 15, 3);     /* "nothing" has the zone's SOA with it */
	CU_ASSERT_EQUAL(s->out[9], 1);
	CU_ASSERT(n > 80);
	server_free(s);
}

TEST(names_that_cannot_be_are_no_queries)
{
	char label[80], whole[300] = "";
	uint8_t out[512];

	memset(label, 'a', 64);
	label[64] = '\0';
	CU_ASSERT_EQUAL(dns_write_query(1, label, DNS_A, out), 0);
	CU_ASSERT(dns_write_query(1, label + 1, DNS_A, out) > 0);
	for (int k = 0; k < 4; k++)
		snprintf(whole + strlen(whole), sizeof(whole) - strlen(whole), "%s.", label + 1);
	CU_ASSERT_EQUAL(dns_write_query(1, whole, DNS_A, out), 0);
	CU_ASSERT_EQUAL(dns_write_query(1, "a..b", DNS_A, out), 0);
	CU_ASSERT_EQUAL(dns_write_query(1, "a\\25", DNS_A, out), 0);
	CU_ASSERT_EQUAL(dns_write_query(1, "a\\999", DNS_A, out), 0);
	CU_ASSERT(dns_write_query(1, "a\\046b.c", DNS_A, out) > 0);
	CU_ASSERT(dns_write_query(1, ".", DNS_A, out) > 0);
}

TEST(answers_that_are_none_are_not_taken)
{
	static const struct { const char *hex; bool good; } rows[] = {
		{ "1234 8180 0001 0001 0000 0000 " WEB "0001 0001 c00c 0001 0001 00000007 0004 0a600707", true },
		{ "1235 8180 0001 0001 0000 0000 " WEB "0001 0001 c00c 0001 0001 00000007 0004 0a600707", false },
		{ "1234 0180 0001 0001 0000 0000 " WEB "0001 0001 c00c 0001 0001 00000007 0004 0a600707", false },
		{ "1234 8180 0001 0001 0000 0000 " WEB "001c 0001 c00c 0001 0001 00000007 0004 0a600707", false },
		{ "1234 8180 0001 0001 0000 0000 " WEB "0001 0001 c00c 0001 0001 00000007 0003 0a6007", false },
		{ "1234 8180 0001 0001 0000 0000 " WEB "0001 0001 c00c 0001 0001 00000007 0004 0a60", false },
		{ "1234 8180 0001 0002 0000 0000 " WEB "0001 0001 c00c 0001 0001 00000007 0004 0a600707", false },
		{ "1234 8180 0001 0001 0000 0000 " WEB "0001 0001 c02c 0001 0001 00000007 0004 0a600707", false },
		{ "1234 8180 0001 0001 0000 0000 " WEB "0001 0001 c00c 0005 0001 00000007 0002 c038", false },
		{ "1234 8180 0001 0001 0000 0000 " WEB "0001 0001 c00c 0005 0001 00000007 0002 c00c", true },
	};
	struct arena *a = arena_new(NULL, "answers");
	struct dns_answer out;
	bool cut;

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		uint8_t bytes[512];
		uint32_t n = bytes_of(rows[k].hex, bytes);

		CU_ASSERT_EQUAL(dns_read_answer(bytes, n, 0x1234, "web.shop.svc.cluster.local", DNS_A, &out, &cut, a), rows[k].good);
	}
	arena_free(a);
}

/* Good queries with some of their bytes changed: whatever comes back has the id of what was asked, and is an answer. */
TEST(changed_bytes_do_no_harm)
{
	struct server *s = server_new(40);
	struct dns_names names = dns_names(s->c, s->outside, s->a);
	uint64_t seed = 7;

	for (int k = 0; k < 20000; k++) {
		struct arena_mark mark = arena_mark(s->a);
		const struct dns_name *name = &names.v[(seed = hash_mix(seed, 1)) % names.nr];
		uint8_t query[512];
		uint32_t n = dns_write_query((uint16_t)k, name->name, name->type, query), m;
		struct dns_answer out;
		bool cut;

		for (int i = 0; i < 3; i++) {
			seed = hash_mix(seed, 2);
			query[2 + seed % (n - 2)] = (uint8_t)(seed >> 40);
		}
		n -= (uint32_t)((seed >> 20) % 4 == 0 ? (seed >> 30) % n : 0);
		m = dns_serve(s->c, s->outside, query, n, k & 1, s->out, s->a);
		CU_ASSERT_FATAL(m == 0 || m >= 12);
		if (m) {
			CU_ASSERT(s->out[0] == (uint8_t)(k >> 8) && s->out[1] == (uint8_t)k);
			for (int i = 0; i < 3; i++) {
				seed = hash_mix(seed, 3);
				s->out[2 + seed % (m - 2)] = (uint8_t)(seed >> 40);
			}
			dns_read_answer(s->out, m, (uint16_t)k, name->name, name->type, &out, &cut, s->a);
		}
		arena_rewind(s->a, mark);
	}
	server_free(s);
}
