/* The configuration of BIRD that follows from a cluster with Calico. */
#include "model/dataplane/dataplane.h"
#include "model/api/calico_selector.h"
#include "tests/unit/cell.h"

static const char bgp[] =
	"apiVersion: crd.projectcalico.org/v1\nkind: BGPConfiguration\nmetadata: {name: default}\nspec: {asNumber: 65001, nodeToNodeMeshEnabled: false}\n---\n"
	"apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: rack}\nspec: {node: worker-1, peerIP: '192.0.2.1:1790', asNumber: 64999}\n---\n"
	"apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: all}\nspec: {peerIP: 192.0.2.9, asNumber: 65001}\n";
static const char pool[] = "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: four}\nspec: {cidr: 10.244.0.0/16, ipipMode: %s, vxlanMode: Never, disableBGPExport: true}\n";

static struct cell with(const char *yaml)
{
	struct cell x = cell_new(1);

	cell_apply(&x, yaml);
	defaults_add(x.c);
	cell_settle(&x);
	return x;
}

static bool print(struct cell *x, const char *node, struct sb *out)
{
	struct dataplane *dp = dataplane_compile(x->c, NULL);
	bool speaks;

	sb_reset(out);
	speaks = print_bird(x->c, dp, netns_find(dp, node), out);
	dataplane_free(dp);
	return speaks;
}

TEST(a_mesh_has_a_protocol_for_each_other_node)
{
	struct cell x = with("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
	struct sb out = { 0 };

	CU_ASSERT(print(&x, "node/worker-1", &out));
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), "\nrouter id 172.18.0.3;\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), "\n  connect delay time 2;\n  connect retry time 5;\n"));
	CU_ASSERT_PTR_NULL(strstr(sb_text(&out), "bgp Mesh_172_18_0_3 "));
	SAME_TEXT(strstr(sb_text(&out), "protocol bgp"),
		  "protocol bgp Mesh_172_18_0_2 from bgp_template_ipv4 {\n  neighbor 172.18.0.2 as 64512;\n  source address 172.18.0.3;\n}\n\n"
		  "protocol bgp Mesh_172_18_0_4 from bgp_template_ipv4 {\n  neighbor 172.18.0.4 as 64512;\n  source address 172.18.0.3;\n"
		  "  passive on; # of two nodes the one with the greater address connects\n}\n");
	sb_free(&out);
	cell_free(&x);
}

TEST(each_own_block_is_a_blackhole_and_told_as_a_whole)
{
	struct cell x = with("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
	struct dataplane *dp = dataplane_compile(x.c, NULL);
	struct sb out = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < dp->blocks.nr; k++) {
		print_bird(x.c, dp, dp->blocks.v[k].owner, &out);
		CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), arena_printf(x.a, "\n  route %s blackhole;\n", CIDR(dp->blocks.v[k].cidr))));
		CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), arena_printf(x.a, "\n  if net = %s then accept;", CIDR(dp->blocks.v[k].cidr))));
		for (uint32_t i = 0; i < dp->blocks.nr; i++)
			if (dp->blocks.v[i].owner.i != dp->blocks.v[k].owner.i)
				CU_ASSERT_PTR_NULL(strstr(sb_text(&out), CIDR(dp->blocks.v[i].cidr)));
		sb_reset(&out);
		nr++;
	}
	CU_ASSERT(nr > 0);
	sb_free(&out);
	dataplane_free(dp);
	cell_free(&x);
}

TEST(without_the_mesh_the_peers_are_those_that_are_configured)
{
	struct cell x = with(bgp);
	struct sb out = { 0 };

	CU_ASSERT(print(&x, "node/worker-1", &out));
	SAME_TEXT(strstr(sb_text(&out), "\n# the node-to-node mesh is off"),
		  "\n# the node-to-node mesh is off\n"
		  "\nprotocol bgp Global_192_0_2_9 from bgp_template_ipv4 {\n  neighbor 192.0.2.9 as 65001;\n  source address 172.18.0.3;\n}\n"
		  "\nprotocol bgp Node_192_0_2_1_port_1790 from bgp_template_ipv4 {\n  neighbor 192.0.2.1 port 1790 as 64999;\n  source address 172.18.0.3;\n}\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), "\n  local as 65001;\n"));
	print(&x, "node/worker-2", &out);
	CU_ASSERT_PTR_NULL(strstr(sb_text(&out), "192.0.2.1 "));
	sb_free(&out);
	cell_free(&x);
}

TEST(a_pool_is_felixs_where_it_may_be_encapsulated)
{
	struct arena *a = arena_new(NULL, "text");
	struct cell x = with(arena_printf(a, pool, "CrossSubnet")), y = with(arena_printf(a, pool, "Never"));
	struct sb out = { 0 };

	CU_ASSERT_FALSE(print(&x, "node/worker-1", &out));
	SAME_TEXT(sb_text(&out), "# node/worker-1: nothing for BIRD to write: each IPPool may be encapsulated, and felix writes the routes of such pools\n");
	CU_ASSERT(print(&y, "node/worker-1", &out));
	CU_ASSERT_PTR_NOT_NULL(strstr(sb_text(&out), "\n  if net ~ 10.244.0.0/16 then reject; # disableBGPExport\n"));
	CU_ASSERT_PTR_NULL(strstr(sb_text(&out), "if net ~ 10.244.0.0/16 then accept"));
	sb_free(&out);
	cell_free(&x);
	cell_free(&y);
	arena_free(a);
}

TEST(other_networks_speak_no_bgp)
{
	struct cell x = cell_new(1);
	struct sb out = { 0 };

	cluster_flags(x.c)->cni = cluster_str(x.c, "flannel");
	defaults_add(x.c);
	cell_settle(&x);
	CU_ASSERT_FALSE(print(&x, "node/worker-1", &out));
	SAME_TEXT(sb_text(&out), "# node/worker-1: no BGP here: the Pod network is flannel\n");
	sb_free(&out);
	cell_free(&x);
}

TEST(selectors_of_calico)
{
	static const struct { const char *selector; int want; } rows[] = {
		{ "", 1 }, { "  ", 1 }, { "all()", 1 }, { "!all()", 0 }, { "has(rack)", 1 }, { "has( row )", 0 }, { "!has(row)", 1 }, { "rack == 'a1'", 1 }, { "rack==\"a1\"", 1 }, { "rack != 'a1'", 0 },
		{ "row != 'x'", 1 }, { "rack in {'a0', 'a1'}", 1 }, { "rack in { }", 0 }, { "rack not in {'a1'}", 0 }, { "row not in {'a1'}", 1 }, { "rack contains '1'", 1 }, { "row contains ''", 0 },
		{ "rack starts with 'a'", 1 }, { "rack ends with '1'", 1 }, { "rack ends with 'ba1'", 0 }, { "has(row) || has(rack)", 1 }, { "has(row) && has(rack) || all()", 1 },
		{ "has(row) && (has(rack) || all())", 0 }, { "!(has(row) || !has(rack))", 1 }, { "route-reflector == 'true'", 0 }, { "x.io/inside == ''", 1 }, { "rack", -1 }, { "rack == a1", -1 },
		{ "rack == 'a1", -1 }, { "has(rack", -1 }, { "has(rack))", -1 }, { "rack in {'a'", -1 }, { "all() &&", -1 }, { "&", -1 }, { "rack is 'a'", -1 },
	};
	struct cell x = with("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {rack: a1, x.io/inside: ''}}\n");
	const struct object *o = cluster_find(x.c, &config_map_kind, "default", "a");
	char deep[400];

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (calico_selects(rows[k].selector, &o->labels) != rows[k].want)
			CU_FAIL(rows[k].selector);
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	CU_ASSERT_EQUAL(calico_selects(deep, &o->labels), -1);
	cell_free(&x);
}

#define AT(n) "status: {addresses: [{type: InternalIP, address: 192.0.2." n "}]}\n"

TEST(a_route_reflector_and_its_clients_have_sessions_both_ways)
{
	struct cell x = with("apiVersion: v1\nkind: Node\nmetadata: {name: rr, labels: {reflector: 'yes'}, annotations: {projectcalico.org/RouteReflectorClusterID: 244.0.0.1}}\n" AT("9") "---\n"
			     "apiVersion: v1\nkind: Node\nmetadata: {name: a}\n" AT("7") "---\napiVersion: v1\nkind: Node\nmetadata: {name: b}\n" AT("8") "---\n"
			     "apiVersion: crd.projectcalico.org/v1\nkind: BGPConfiguration\nmetadata: {name: default}\nspec: {nodeToNodeMeshEnabled: false}\n---\n"
			     "apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: p}\nspec: {nodeSelector: '!has(reflector)', peerSelector: has(reflector)}\n");
	struct sb out = { 0 };
	uint32_t nr = 0;

	CU_ASSERT(print(&x, "node/a", &out));
	for (const char *p = sb_text(&out); (p = strstr(p, "\nprotocol bgp Node_")); p++)
		nr++;
	CU_ASSERT_EQUAL(nr, 1);
	CU_ASSERT_PTR_NULL(strstr(sb_text(&out), "rr client"));
	CU_ASSERT(print(&x, "node/rr", &out));
	nr = 0;
	for (const char *p = sb_text(&out); (p = strstr(p, "\n  rr client;\n  rr cluster id 244.0.0.1;\n")); p++)
		nr++;
	CU_ASSERT_EQUAL(nr, 2);
	sb_free(&out);
	cell_free(&x);
}
