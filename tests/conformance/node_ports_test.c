/* Which addresses of a node take node ports: pkg/proxy/util/nodeport_addresses_test.go, and what each Pod network gives a node. */
#include "model/dataplane/compile.h"
#include "model/dataplane/node_ports.h"
#include "tests/unit/cell.h"

static str_list words(struct arena *a, struct strtab *t, const char *text)
{
	str_list l = { 0 };

	l.v = arena_array(a, str, 8);
	while (*text) {
		size_t n = strcspn(text, " ");

		l.v[l.nr++] = str_intern_n(t, text, n);
		text += n + (text[n] == ' ');
	}
	return l;
}

/* The addresses of `all` that the CIDRs take, as one text; "*": everything is taken. */
static void expect(struct arena *a, struct strtab *t, const char *list, const char *all, bool v6, const char *want)
{
	str_list l = words(a, t, list), have = words(a, t, all);
	struct node_port_cidrs f = node_port_cidrs(&l, v6, a);
	struct sb b = { 0 };

	sb_printf(&b, "%s", f.all ? "*" : "");
	for (uint32_t k = 0; k < have.nr; k++) {
		ip_addr ip;

		CU_ASSERT(ip_parse(have.v[k], &ip));
		if (node_port_cidrs_have(&f, ip))
			sb_printf(&b, " %s", have.v[k]);
	}
	if (!streq(sb_text(&b), want))
		fprintf(stderr, "%s of %s: \"%s\", not \"%s\"\n", list, all, sb_text(&b), want);
	CU_ASSERT_STRING_EQUAL(sb_text(&b), want);
	sb_free(&b);
}

/* TestGetNodeIPs */
TEST(node_port_cidrs_take_interface_addresses)
{
	static const struct { const char *cidrs, *all, *four, *six; } rows[] = {
		{ "10.20.30.0/24", "10.20.30.51 100.200.201.1", " 10.20.30.51", "*" },
		{ "0.0.0.0/0", "10.20.30.51 127.0.0.1", "* 10.20.30.51 127.0.0.1", "*" },
		{ "2001:db8::/64 ::1/128", "2001:db8::1 ::1", "*", " 2001:db8::1 ::1" },
		{ "::/0", "2001:db8::1 ::1", "*", "* 2001:db8::1 ::1" },
		{ "127.0.0.1/32", "10.20.30.51 127.0.0.1", " 127.0.0.1", "*" },
		{ "127.0.0.0/8", "127.0.1.1", " 127.0.1.1", "*" },
		{ "10.20.30.0/24 100.200.201.0/24", "10.20.30.51 100.200.201.1", " 10.20.30.51 100.200.201.1", "*" },
		{ "10.20.30.0/24 100.200.201.0/24", "192.168.1.2 127.0.0.1", "", "*" },
		{ "", "192.168.1.2 127.0.0.1", "* 192.168.1.2 127.0.0.1", "*" },
		{ "", "2001:db8::1 ::1", "*", "* 2001:db8::1 ::1" },
		{ "1.2.3.0/24 0.0.0.0/0", "1.2.3.4", "* 1.2.3.4", "*" },
		{ "0.0.0.0/0 1.2.3.0/24 2001:db8::1/128", "1.2.3.4 2001:db8::1 127.0.0.1 ::1", "* 1.2.3.4 127.0.0.1", " 2001:db8::1" },
		{ "::/0 1.2.3.0/24 2001:db8::1/128", "1.2.3.4 2001:db8::1 127.0.0.1 ::1", " 1.2.3.4", "* 2001:db8::1 ::1" },
	};
	struct arena *a = arena_new(NULL, "node ports");
	struct strtab *t = strtab_new(a);

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		expect(a, t, rows[k].cidrs, rows[k].all, false, rows[k].four);
		expect(a, t, rows[k].cidrs, rows[k].all, true, rows[k].six);
	}
	arena_free(a);
}

/* TestContainsIPv4Loopback */
TEST(node_port_cidrs_know_loopback)
{
	static const struct { const char *last; bool want; } rows[] = {
		{ "0.0.0.0/0", true }, { "::/0", false }, { "127.0.0.0/8", true }, { "::1/128", false }, { "127.0.2.0/28", true }, { "64.0.0.0/2", true }, { "128.0.2.0/28", false },
	};
	struct arena *a = arena_new(NULL, "node ports");
	struct strtab *t = strtab_new(a);
	str_list none = { 0 };

	CU_ASSERT(node_port_cidrs(&none, false, a).loopback4);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		str_list l = words(a, t, arena_printf(a, "224.0.0.0/24 192.168.0.0/16 fd00:1:d::/64 %s", rows[k].last));

		CU_ASSERT_EQUAL(node_port_cidrs(&l, false, a).loopback4, rows[k].want);
		CU_ASSERT(!node_port_cidrs(&l, true, a).loopback4);
	}
	arena_free(a);
}

static const char two_nodes[] =
	"{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24]}, status: {addresses: [{type: InternalIP, address: 172.18.0.2}, "
	"{type: InternalIP, address: \"fd00:18::2\"}]}}\n---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24]}, status: {addresses: [{type: InternalIP, address: 172.18.0.3}]}}\n---\n"
	"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: x}]}}}}\n---\n"
	"{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: four}, spec: {cidr: 10.244.0.0/16, vxlanMode: Always, natOutgoing: true}}\n---\n"
	"{apiVersion: v1, kind: ConfigMap, metadata: {name: kube-flannel-cfg, namespace: kube-flannel}, data: {net-conf.json: '{\"Network\": \"10.244.0.0/16\", \"Backend\": {\"Type\": \"vxlan\"}}'}}\n";

/* How many addresses of node n1 take node ports, and whether one on that interface does. */
static void on_node(const char *cni, const char *list, const char *interface, uint32_t want)
{
	struct cell x = cell_new(1);
	struct node_port_cidrs f;
	const struct node *n;
	struct dataplane *dp;
	bool found = false;
	ip_addr *ips;
	uint32_t nr;
	netns_h h;

	cell_apply(&x, arena_printf(x.a, "{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, mode: nftables, nodePortAddresses: [%s]}\n---\n%s", list, two_nodes));
	cluster_flags(x.c)->cni = cluster_str(x.c, cni);
	cell_settle(&x);
	dp = dataplane_compile(x.c, NULL);
	n = find_node(x.c, "n1");
	h = netns_find(dp, "node/n1");
	f = node_port_cidrs_of(cluster_settings(x.c), (ip_addr[]){ node_internal_ip(n, false), node_internal_ip(n, true) }, false, x.a);
	nr = node_port_ips(&f, dp, h, x.a, &ips);
	CU_ASSERT_EQUAL(nr, want);
	for (uint32_t k = 0; interface && k < nr; k++) {
		const struct link *l = link_get(dp, link_find(dp, h, interface));

		for (uint32_t i = 0; i < l->nr_addrs; i++)
			found = found || ip_eq(dp->addrs.v[l->addr + i].ip, ips[k]);
	}
	CU_ASSERT(!interface || found);
	dataplane_free(dp);
	cell_free(&x);
}

TEST(node_ports_on_a_networks_interfaces)
{
	on_node("flannel", "10.244.0.0/16", "cni0", 2);         /* and flannel.1 */
	on_node("flannel", "10.244.0.0/16", "flannel.1", 2);
	on_node("bridge", "10.244.0.0/16", "cni0", 1);
	on_node("calico", "10.244.0.0/16", "vxlan.calico", 1);
	on_node("flannel", "primary", "eth0", 1);
	on_node("calico", "127.0.0.0/8", "lo", 1);
	on_node("calico", "172.18.0.0/30, 172.18.0.2/32", "eth0", 1);   /* each once */
}

/* cmd/kube-proxy/app/server.go: a family without a primary address is left out of the list, and so is taken whole. */
TEST(primary_without_an_address_takes_all)
{
	struct arena *a = arena_new(NULL, "node ports");
	struct settings s = { .proxy_mode = PROXY_NFTABLES };
	ip_addr primary[2] = { ip_from4(0xac120002), { 0 } };

	CU_ASSERT(!node_port_cidrs_of(&s, primary, false, a).all);
	CU_ASSERT(node_port_cidrs_of(&s, primary, true, a).all);
	s.proxy_mode = PROXY_IPTABLES;
	CU_ASSERT(node_port_cidrs_of(&s, primary, false, a).all);
	arena_free(a);
}
