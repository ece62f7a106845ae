/* More of upstream's unit tests: packets through kube-proxy's rules (units/09), names, rules and conntrack (units/10), NetworkPolicies (units/11), CoreDNS (units/16). */
#include "model/dns/dns.h"
#include "sim/ask/question.h"
#include "sim/engine/connections.h"
#include "sim/reachability/reach.h"
#include "sim/trace/trace.h"
#include "tests/conformance/units.h"
#include "tests/unit/feed.h"

static void doc(struct world *w, const struct val *v)
{
	struct world_options opt = { .apply = { .unknown = VALIDATE_IGNORE, .respect_status = true, .create_namespaces = true } };
	struct doc d = { "units", (struct val *)(uintptr_t)v };
	struct err err = { 0 };

	world_apply_doc(w, &opt, &d, &err);
	if (err_any(&err)) {
		CU_FAIL("refused");
		err_print(&err, stderr);
	}
	err_free(&err);
}

static void text(struct world *w, struct arena *a, const char *yaml)
{
	struct err err = { 0 };
	const struct val *v = yaml_parse(a, "units", yaml, strlen(yaml), NULL, &err);

	CU_ASSERT_FATAL(v != NULL);
	doc(w, v);
	err_free(&err);
}

static struct world world_of(struct arena *a, const struct val *c, const char *yaml)
{
	struct world_options opt = { .ask = true, .flags = { .no_defaults = true, .respect = true } };
	struct world w;

	world_init(&w, &opt);
	cluster_flags(w.cluster)->no_defaults = true;
	if (yaml)
		text(&w, a, yaml);
	VAL_EACH(o, val_path(c, "given.objects"))
		doc(&w, o);
	world_settle(&w, &opt);
	return w;
}

/* ---- 09: packets */

static struct val *proxy_config(struct arena *a, const struct val *c)
{
	struct val *v = val_copy(a, val_path(c, "given.kubeProxy")), *nft = val_new(a, VAL_MAP), *addresses = val_copy(a, val_path(c, "given.nodePortAddresses"));

	val_put(a, v, "apiVersion", val_string(a, "kubeproxy.config.k8s.io/v1alpha1"));
	val_put(a, v, "kind", val_string(a, "KubeProxyConfiguration"));
	if (val_bool_or(val_get(v, "masqueradeAll"), false))
		val_put(a, nft, "masqueradeAll", val_bool(a, true));
	val_del(v, "masqueradeAll");
	val_del(v, "serviceCIDR");
	val_put(a, v, "nftables", nft);
	if (addresses)
		val_put(a, v, "nodePortAddresses", addresses);
	return v;
}

/* The node with the addresses that upstream gives it, in place of the one in the objects. */
static void node_of(struct world *w, struct arena *a, const struct val *c)
{
	struct sb yaml = { 0 };

	sb_printf(&yaml, "apiVersion: v1\nkind: Node\nmetadata: {name: %s}\nstatus:\n  addresses:\n", val_str_at(c, "given.thisNode"));
	VAL_EACH(one, val_path(c, "given.nodeAddresses"))
		if (!strstr(val_str(one), "127.0.0.1"))
			sb_printf(&yaml, "  - {type: InternalIP, address: '%.*s'}\n", (int)strcspn(val_str(one), " "), val_str(one));
	text(w, a, sb_text(&yaml));
	sb_free(&yaml);
}

static bool expected_dnat(const struct val *list, const struct tuple *t)
{
	char have[64];

	snprintf(have, sizeof(have), ip_is4(t->dst) ? "%s:%u" : "[%s]:%u", IP(t->dst), t->dport);
	VAL_EACH(one, list)
		if (streq(val_str(one), have))
			return true;
	return false;
}

static void flow(struct world *w, struct arena *a, const struct val *c, const struct val *f)
{
	static const struct { const char *word; enum l4 l4; uint8_t proto; } protos[] = { { "TCP", L4_TCP, PROTO_TCP }, { "UDP", L4_UDP, PROTO_UDP }, { "SCTP", L4_SCTP, PROTO_SCTP } };
	const char *node = val_str_at(c, "given.thisNode"), *result = val_str_at(f, "result");
	struct question q = { .from = arena_printf(a, "ip/%s@%s", val_str_at(f, "from"), node), .to = val_str_at(f, "to") };
	struct answer answer;
	struct err err = { 0 };
	uint32_t met = 0;

	for (size_t k = 0; k < ARRAY_LEN(protos); k++)
		if (streq(val_str_at(f, "proto"), protos[k].word)) {
			q.l4 = protos[k].l4;
			q.proto = protos[k].proto;
		}
	if (!question_ask(w, &q, a, &answer, &err)) {
		CASE_ASSERT(c, false);
		err_print(&err, stderr);
		err_free(&err);
		return;
	}
	for (uint32_t k = 0; k < answer.nr; k++) {
		const struct outcome_view *o = &answer.v[k];

		if (result && strncmp(result, "no rule", 7) == 0) {
			CASE_ASSERT(c, o->walk && !o->walk->dnat && o->verdict != V_REJECTED);          /* what becomes of it elsewhere is not upstream's question */
		} else if (result) {
			CASE_ASSERT(c, o->verdict == (streq(result, "REJECT") ? V_REJECTED : V_DROPPED));
		} else {
			CASE_ASSERT(c, o->walk && o->walk->dnat && expected_dnat(val_get(f, "dnat"), &o->walk->first_nat));
			CASE_ASSERT(c, o->masqueraded == val_bool_or(val_get(f, "masquerade"), false));
			met++;
		}
	}
	if (!result)
		CASE_ASSERT(c, met == val_get(f, "dnat")->nr);
}

TEST(packets_go_through_kube_proxys_rules_as_upstreams)
{
	struct arena *a = arena_new(NULL, "units");

	VAL_EACH(c, unit_cases(a, "09-kube-proxy-flows")) {
		struct world w = world_of(a, c, NULL);

		doc(&w, proxy_config(a, c));
		text(&w, a, arena_printf(a, "{apiVersion: kubeadm.k8s.io/v1beta4, kind: ClusterConfiguration, networking: {podSubnet: '%s', serviceSubnet: '%s'}}",
					 val_str_at(c, "given.kubeProxy.clusterCIDR"), val_str_at(c, "given.kubeProxy.serviceCIDR")));
		node_of(&w, a, c);
		VAL_EACH(f, val_path(c, "expect.flows")) {
			if (val_str_at(f, "note") && strstr(val_str_at(f, "note"), "after the slice is gone")) {
				struct object_list l = cluster_list(w.cluster, &endpointslice_kind);

				while (l.nr) {
					apply_delete(w.cluster, l.v[0]);
					l = cluster_list(w.cluster, &endpointslice_kind);
				}
				control_settle(w.control);
			}
			flow(&w, a, c, f);
		}
		world_free(&w);
	}
	arena_free(a);
}

/* ---- 10: names and rules; conntrack */

static void without_comments(const char *from, struct sb *out)
{
	for (const char *at; (at = strstr(from, " comment \"")); from = strchr(at + 10, '"') + 1)
		sb_addn(out, from, (size_t)(at - from));
	sb_add(out, from);
}

/* Sets and maps are compared by their elements, chains by their names; what is abbreviated there ("…") is left out. */
TEST(nftables_names_and_elements_are_upstreams)
{
	struct arena *a = arena_new(NULL, "units");

	VAL_EACH(c, unit_cases(a, "10-kube-proxy-names-conntrack")) {
		struct sb out = { 0 }, raw = { 0 };
		struct world w;
		netns_h node;

		if (strncmp(val_str_at(c, "id"), "name-", 5) != 0 || !val_path(c, "given.objects"))
			continue;
		w = world_of(a, c, NULL);
		doc(&w, proxy_config(a, c));
		node_of(&w, a, c);
		world_dataplane(&w);
		node = netns_find(w.dp, arena_printf(a, "node/%s", val_str_at(c, "given.thisNode")));
		dataplane_node_ready(w.dp, node);
		print_nft(netns_get(w.dp, node)->rules, &(struct print_rules){ .comments = false }, NULL, NULL, &raw);
		without_comments(sb_text(&raw), &out);
		sb_free(&raw);
		VAL_EACH(e, val_get(c, "expect")) {
			const char *name = strchr(e->key, ' ') + 1;

			CASE_ASSERT(c, strstr(sb_text(&out), name) != NULL);
			if (!val_is(e, VAL_LIST) || strncmp(e->key, "chain ", 6) == 0)
				continue;
			VAL_EACH(one, e) {
				bool found = !val_str(one) || strstr(val_str(one), "…") || strstr(sb_text(&out), val_str(one));

				CASE_ASSERT(c, found);
				if (!found)
					fprintf(stderr, "%s\n", val_str(one));
			}
		}
		sb_free(&out);
		world_free(&w);
	}
	arena_free(a);
}

static struct val *entry(struct arena *a, const struct val *e, const char *netns)
{
	const char *proto = val_str_at(e, "proto"), *dst = val_str_at(e, "origDst"), *reply = val_str_at(e, "replySrc");
	unsigned number = streq(proto, "UDP") ? PROTO_UDP : streq(proto, "TCP") ? PROTO_TCP : PROTO_SCTP, dport = 0, sport = 0;
	char to[64] = "", from[64] = "";
	struct val *v = val_new(a, VAL_MAP);

	sscanf(dst, "%63[^:]:%u", to, &dport);
	sscanf(reply, "%63[^:]:%u", from, &sport);
	val_put(a, v, "netns", val_string(a, netns));
	val_put(a, v, "orig", val_string(a, arena_printf(a, "%u 10.240.9.9 40000 %s %u", number, *to == '*' ? "192.168.0.2" : to, dport)));
	val_put(a, v, "reply", val_string(a, arena_printf(a, "%u %s %u 10.240.9.9 40000", number, from, sport)));
	val_put(a, v, "flags", val_int(a, 1));
	val_put(a, v, "expires", val_int(a, NEVER));
	return v;
}

TEST(kube_proxy_flushes_what_upstream_flushes)
{
	struct arena *a = arena_new(NULL, "units");

	VAL_EACH(c, unit_cases(a, "10-kube-proxy-names-conntrack")) {
		struct val *list, *saved;
		struct world w;

		if (strncmp(val_str_at(c, "id"), "ct-", 3) != 0)
			continue;
		w = world_of(a, c, "{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}");
		saved = val_new(a, VAL_MAP);
		list = val_put(a, val_put(a, saved, "flows", val_new(a, VAL_MAP)), "connections", val_new(a, VAL_LIST));
		VAL_EACH(e, val_path(c, "given.conntrack"))
			val_add(a, list, entry(a, e, "node/n1"));
		connections_load(&w, saved);
		{
			const struct val *left = val_get(flows_save(world_flows(&w), a), "connections"), *deleted = val_path(c, "expect.deleted");

			if (val_is(deleted, VAL_LIST))
				CASE_ASSERT(c, left->nr == list->nr);
			else
				CASE_ASSERT(c, left->nr == 4);          /* "8 of 12" */
			VAL_EACH(e, left)
				if (!val_is(deleted, VAL_LIST))
					CASE_ASSERT(c, strstr(val_str_at(e, "reply"), "10.240.0.4 9090") != NULL);
		}
		world_free(&w);
	}
	arena_free(a);
}

/* ---- 11: NetworkPolicy */

static void pairs(struct reach *r, struct arena *a, const struct val *c, const char *key, bool allowed)
{
	uint8_t proto = streq(val_str_at(c, "expect.probe.protocol"), "UDP") ? PROTO_UDP : streq(val_str_at(c, "expect.probe.protocol"), "SCTP") ? PROTO_SCTP : PROTO_TCP;

	VAL_EACH(one, val_path(c, key)) {
		char from[64], to[64];
		int64_t x, y;
		bool as_upstream;

		CU_ASSERT_FATAL(sscanf(val_str(one), "%63s -> %63s", from, to) == 2);
		x = reach_find(r, from);
		y = reach_find(r, to);
		CASE_ASSERT(c, x >= 0 && y >= 0);
		if (x < 0 || y < 0)
			continue;
		as_upstream = reach_explain(r, (uint32_t)x, (uint32_t)y, proto, (uint16_t)val_int_or(val_path(c, "expect.probe.port"), 0), a).allowed == allowed;
		CASE_ASSERT(c, as_upstream);
		if (!as_upstream)
			fprintf(stderr, "%s %s\n", key, val_str(one));
	}
}

TEST(policies_allow_what_upstream_allows)
{
	struct arena *a = arena_new(NULL, "units");

	VAL_EACH(c, unit_cases(a, "11-networkpolicy")) {
		struct world w;
		struct reach *r;

		if (!val_path(c, "expect.probe"))
			continue;
		w = world_of(a, c, NULL);
		r = reach_new(w.cluster, NULL, 0);
		pairs(r, a, c, "expect.denied", false);
		pairs(r, a, c, "expect.allowed", true);
		reach_free(r);
		world_free(&w);
	}
	arena_free(a);
}

/* policyTypes that nobody wrote: Ingress always, Egress where there are egress rules. */
TEST(policies_get_upstreams_types)
{
	struct arena *a = arena_new(NULL, "units");
	const struct val *c = unit_case(unit_cases(a, "11-networkpolicy"), "np-35-default-types"), *want = c ? val_path(c, "expect.policyTypes")->first : NULL;
	uint32_t nr = 0;

	VAL_EACH(spec, val_path(c, "given.rows")) {
		struct world w = world_of(a, NULL, NULL);
		struct val *v = val_new(a, VAL_MAP), *meta;
		const struct network_policy *np;

		val_put(a, v, "apiVersion", val_string(a, "networking.k8s.io/v1"));
		val_put(a, v, "kind", val_string(a, "NetworkPolicy"));
		meta = val_put(a, v, "metadata", val_new(a, VAL_MAP));
		val_put(a, meta, "name", val_string(a, arena_printf(a, "p%u", ++nr)));
		val_put(a, v, "spec", val_copy(a, spec));
		doc(&w, v);
		np = (const struct network_policy *)cluster_list(w.cluster, &network_policy_kind).v[0];
		CASE_ASSERT(c, np->types.nr == want->nr);
		for (uint32_t k = 0; k < np->types.nr && k < want->nr; k++)
			CASE_ASSERT(c, streq(np->types.v[k], val_str(val_at(want, k))));
		want = want->next;
		world_free(&w);
	}
	arena_free(a);
}

/* ---- 16: CoreDNS. An answer here is the data alone; SRV is "PORT TARGET". */

static const char *as_here(struct arena *a, const char *answer)
{
	unsigned priority, weight, port;
	char target[256];

	if (sscanf(answer, "SRV %u %u %u %255s", &priority, &weight, &port, target) == 4)
		return arena_printf(a, "%u %s", port, target);
	return strchr(answer, ' ') + 1;
}

static bool has_text(const str_list *l, const char *text)
{
	size_t n = strlen(text);

	for (uint32_t k = 0; k < l->nr; k++)
		if (streq(l->v[k], text) || (n && text[n - 1] == '.' && strlen(l->v[k]) == n - 1 && strncmp(l->v[k], text, n - 1) == 0))
			return true;
	return false;
}

TEST(names_are_answered_as_coredns_answers)
{
	struct arena *a = arena_new(NULL, "units");

	VAL_EACH(c, unit_cases(a, "16-dns")) {
		char type[16] = "", name[256] = "";
		struct dns_answer answer;
		enum dns_type t = DNS_A;
		const char *corefile = val_str_at(c, "given.corefile");
		uint32_t nr = 0;
		struct world w;

		if (!corefile || sscanf(val_str_at(c, "when"), "%15s %255[^ ;]", type, name) != 2)
			continue;
		while (t < DNS_TYPE_COUNT && !streq(dns_type_names[t], type))
			t++;
		CU_ASSERT_FATAL(t < DNS_TYPE_COUNT);
		w = world_of(a, c, NULL);
		text(&w, a, arena_printf(a, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: coredns, namespace: kube-system}\ndata:\n  Corefile: |\n    .:53 {\n        kubernetes cluster.local {\n%s        }\n    }\n",
					 strstr(corefile, "pods verified") ? "            pods verified\n" : ""));
		answer = dns_query(w.cluster, NULL, name, t, a);
		CASE_ASSERT(c, streq(dns_rcode_names[answer.rcode], val_str_at(c, "expect.rcode")));
		VAL_EACH(one, val_path(c, "expect.answer")) {
			bool cname = strncmp(val_str(one), "CNAME ", 6) == 0, found = has_text(cname ? &answer.cname : &answer.answers, as_here(a, val_str(one)));

			nr += !cname;
			CASE_ASSERT(c, found);
			if (!found)
				fprintf(stderr, "%s\n", val_str(one));
		}
		CASE_ASSERT(c, answer.answers.nr == nr);
		world_free(&w);
	}
	arena_free(a);
}
