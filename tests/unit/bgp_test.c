/* Which node hears of whose blocks. */
#include "model/dataplane/bgp.h"
#include "tests/unit/cell.h"

#define NODE(name, ip, more) "apiVersion: v1\nkind: Node\nmetadata: {name: " name more "}\nstatus: {addresses: [{type: InternalIP, address: " ip "}]}\n---\n"
#define REFLECTOR ", labels: {rr: 'yes'}, annotations: {projectcalico.org/RouteReflectorClusterID: 1.0.0.1}"
#define MESH_OFF "apiVersion: crd.projectcalico.org/v1\nkind: BGPConfiguration\nmetadata: {name: default}\nspec: {nodeToNodeMeshEnabled: false}\n---\n"
#define PEER(name, spec) "apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: " name "}\nspec: {" spec "}\n---\n"
#define THREE NODE("a", "172.18.0.2", "") NODE("b", "172.18.0.3", "") NODE("c", "172.18.0.4", "")

static bool talk[4][4];                 /* who has a session with whom, of the cluster that was looked at last */

/* Rows of who hears: a row a node, in the order of names; x where it hears of the other. Of h only the numbers are good afterwards. */
static const char *hearing(const char *yaml, struct bgp_hearing *h)
{
	static char out[64];
	struct cell x = cell_new(1);
	struct sb s = { 0 };

	cell_apply(&x, yaml);
	*h = bgp_hear(x.c, x.a);
	for (uint32_t a = 0; a < h->nr; a++)
		for (uint32_t b = 0; b < h->nr; b++) {
			talk[a][b] = bgp_session(h, a, b);
			sb_printf(&s, "%s%s", a == b ? "-" : bgp_hears(h, a, b) ? "x" : ".", b + 1 < h->nr ? "" : a + 1 < h->nr ? " " : "");
		}
	snprintf(out, sizeof(out), "%s", sb_text(&s));
	sb_free(&s);
	cell_free(&x);
	return out;
}

TEST(bgp_a_mesh_hears_all_and_without_one_nobody_hears)
{
	struct bgp_hearing h;

	SAME_TEXT(hearing(THREE, &h), "-xx x-x xx-");
	CU_ASSERT_EQUAL(h.sessions, 3);
	SAME_TEXT(hearing(THREE MESH_OFF, &h), "-.. .-. ..-");
	CU_ASSERT_EQUAL(h.sessions, 0);
	SAME_TEXT(hearing(THREE "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec: {selector: {matchLabels: {k: v}}, template: {metadata: {labels: {k: v}}, "
			  "spec: {containers: [{name: calico-node, image: i, env: [{name: CALICO_NETWORKING_BACKEND, value: vxlan}]}]}}}\n", &h), "-.. .-. ..-");
}

TEST(bgp_a_session_needs_both_ends_and_iBGP_is_not_told_on)
{
	struct bgp_hearing h;

	SAME_TEXT(hearing(THREE MESH_OFF PEER("ab", "node: a, peerIP: 172.18.0.3, asNumber: 64512"), &h), "-.. .-. ..-");
	SAME_TEXT(hearing(THREE MESH_OFF PEER("ab", "node: a, peerIP: 172.18.0.3, asNumber: 64512") PEER("ba", "node: b, peerIP: '172.18.0.2:179', asNumber: 64512"), &h), "-x. x-. ..-");
	SAME_TEXT(hearing(THREE MESH_OFF PEER("ab", "node: a, peerIP: 172.18.0.3, asNumber: 64512") PEER("ba", "node: b, peerIP: 172.18.0.2, asNumber: 64512")
			  PEER("bc", "node: b, peerIP: 172.18.0.4, asNumber: 64512") PEER("cb", "node: c, peerIP: 172.18.0.3, asNumber: 64512"), &h), "-x. x-x .x-");
	CU_ASSERT_EQUAL(h.sessions, 2);
}

TEST(bgp_a_reflector_tells_its_clients_on_and_another_AS_does_too)
{
	struct bgp_hearing h;

	SAME_TEXT(hearing(NODE("a", "172.18.0.2", REFLECTOR) NODE("b", "172.18.0.3", "") NODE("c", "172.18.0.4", "") MESH_OFF PEER("rr", "nodeSelector: '!has(rr)', peerSelector: has(rr)"), &h),
		  "-xx x-x xx-");
	CU_ASSERT_EQUAL(h.sessions, 2);
	CU_ASSERT(talk[0][1] && !talk[1][2]);
	SAME_TEXT(hearing(NODE("a", "172.18.0.2", ", labels: {rr: 'yes'}, annotations: {projectcalico.org/ASNumber: '65001'}") NODE("b", "172.18.0.3", "") NODE("c", "172.18.0.4", "") MESH_OFF
			  PEER("hub", "nodeSelector: '!has(rr)', peerSelector: has(rr)"), &h), "-xx x-x xx-");
	/* a reflector is not in the mesh of the others */
	SAME_TEXT(hearing(NODE("a", "172.18.0.2", REFLECTOR) NODE("b", "172.18.0.3", "") NODE("c", "172.18.0.4", ""), &h), "-.. .-x .x-");
}

TEST(bgp_what_routers_outside_hand_on_is_taken_to_arrive)
{
	struct bgp_hearing h;

	SAME_TEXT(hearing(THREE MESH_OFF PEER("tor", "nodeSelector: \"kubernetes.io/hostname != 'c'\", peerIP: 192.0.2.1, asNumber: 64999"), &h), "-xx x-x xx-");
	CU_ASSERT(h.outside);
	SAME_TEXT(hearing(THREE MESH_OFF PEER("tor", "node: a, peerIP: 192.0.2.1, asNumber: 64999") PEER("tor2", "node: b, peerIP: 192.0.2.1, asNumber: 64999"), &h), "-x. x-. ..-");
}

/* What would be heard of one network, were it each node's. */
static const char *hearing_of(const char *yaml, const char *net, bool borrowed)
{
	static char out[64];
	struct cell x = cell_new(1);
	struct bgp_hearing h;
	struct cidr c;
	struct sb s = { 0 };

	cell_apply(&x, yaml);
	h = bgp_hear(x.c, x.a);
	CU_ASSERT(cidr_parse(net, &c));
	for (int again = 0; again < 2; again++) {
		sb_reset(&s);
		for (uint32_t a = 0; a < h.nr; a++)
			for (uint32_t b = 0; b < h.nr; b++)
				sb_printf(&s, "%s%s", a == b ? "-" : bgp_hears_net(&h, a, b, c, borrowed) ? "x" : ".", b + 1 < h.nr ? "" : a + 1 < h.nr ? " " : "");
	}
	snprintf(out, sizeof(out), "%s", sb_text(&s));
	sb_free(&s);
	cell_free(&x);
	return out;
}

#define FILTER(spec) "apiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: f}\nspec: {" spec "}\n---\n"
#define FILTERED(spec) THREE MESH_OFF PEER("all", "nodeSelector: all(), peerSelector: all(), filters: [f, absent]") FILTER(spec)

TEST(bgp_filters_decide_for_each_network)
{
	static const struct { const char *yaml, *net, *want; } cases[] = {
		{ FILTERED("exportV4: [{action: Reject, matchOperator: In, cidr: 10.244.1.0/24}]"), "10.244.1.64/26", "-.. .-. ..-" },
		{ FILTERED("exportV4: [{action: Reject, matchOperator: In, cidr: 10.244.1.0/24}]"), "10.244.2.64/26", "-xx x-x xx-" },
		{ FILTERED("exportV6: [{action: Reject}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("importV4: [{action: Reject, matchOperator: NotIn, cidr: 10.244.1.0/24}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("importV4: [{action: Reject, matchOperator: NotIn, cidr: 10.244.1.0/24}]"), "10.244.2.64/26", "-.. .-. ..-" },
		{ FILTERED("importV4: [{action: Reject, matchOperator: Equal, cidr: 10.244.1.0/24}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("importV4: [{action: Reject, matchOperator: NotEqual, cidr: 10.244.1.64/26}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("exportV4: [{action: Reject, matchOperator: In, cidr: 10.244.0.0/16, prefixLength: {min: 27}}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("exportV4: [{action: Reject, matchOperator: In, cidr: 10.244.0.0/16, prefixLength: {max: 26}}]"), "10.244.1.64/26", "-.. .-. ..-" },
		{ FILTERED("exportV4: [{action: Accept, matchOperator: In, cidr: 10.244.1.0/24}, {action: Reject}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("exportV4: [{action: Accept, matchOperator: In, cidr: 10.244.1.0/24}, {action: Reject}]"), "10.244.2.64/26", "-.. .-. ..-" },
		{ FILTERED("exportV4: [{action: Reject, source: RemotePeers}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("importV4: [{action: Reject, source: RemotePeers}]"), "10.244.1.64/26", "-.. .-. ..-" },
		{ FILTERED("exportV4: [{action: Reject, interface: 'cali*'}]"), "10.244.1.64/26", "-xx x-x xx-" },
		{ FILTERED("exportV4: [{action: Reject}]") "apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: default}\nspec: {nodeToNodeMeshEnabled: true}\n", "10.244.1.64/26", "-xx x-x xx-" },
	};

	for (size_t k = 0; k < ARRAY_LEN(cases); k++)
		SAME_TEXT(hearing_of(cases[k].yaml, cases[k].net, false), cases[k].want);
	SAME_TEXT(hearing_of(FILTERED("exportV4: [{action: Reject, interface: 'cali*'}]"), "10.244.1.64/32", true), "-.. .-. ..-");
}

TEST(bgp_filters_are_those_of_the_peer_that_makes_the_session)
{
	/* a's own peers come before what b's and c's peerSelector asks of it */
	SAME_TEXT(hearing_of(THREE MESH_OFF PEER("a", "node: a, peerSelector: all(), filters: [f]") PEER("b", "node: b, peerSelector: all()") PEER("c", "node: c, peerSelector: all()")
			     FILTER("importV4: [{action: Reject}]"), "10.244.1.0/26", false), "-.. x-x xx-");
	/* a reflector that does not tell on */
	SAME_TEXT(hearing_of(NODE("a", "172.18.0.2", REFLECTOR) NODE("b", "172.18.0.3", "") NODE("c", "172.18.0.4", "") MESH_OFF
			     PEER("rr", "nodeSelector: '!has(rr)', peerSelector: has(rr), filters: [f]") FILTER("exportV4: [{action: Reject, source: RemotePeers}]"), "10.244.1.0/26", false), "-xx x-. x.-");
	/* by a router outside: each with its own filters */
	SAME_TEXT(hearing_of(THREE MESH_OFF PEER("a", "node: a, peerIP: 192.0.2.1, asNumber: 64999, filters: [f]") PEER("b", "node: b, peerIP: 192.0.2.1, asNumber: 64999")
			     PEER("c", "node: c, peerIP: 192.0.2.1, asNumber: 64999") FILTER("exportV4: [{action: Reject}]"), "10.244.1.0/26", false), "-xx .-x .x-");
}
