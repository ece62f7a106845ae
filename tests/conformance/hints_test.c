/* Topology hints and mirrored Endpoints, as upstream's tables of tests have them: staging/src/k8s.io/endpointslice/topologycache/topologycache_test.go TestAddHints, TestSetNodes;
 * pkg/controller/endpointslicemirroring/reconciler_test.go TestReconcile. */
#include <stdlib.h>

#include "model/control/zone_hints.h"
#include "tests/unit/cell.h"

/* ---- AddHints: zones of the endpoints, slice by slice, "a b|c c a"; '*' before a slice: it stands, with these hints ("a>b": in zone a, meant for b) */

struct row { const char *name; double ratio[3]; const char *slices, *want; };

static const struct row rows[] = {
	{ "empty", { 0 }, "", "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes" },
	{ "slice to create, no zone ratios", { 0 }, "a", "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes" },
	{ "slice to create with 2 endpoints, zone ratios require 3", { 0.3, 0.4, 0.3 }, "a b", "Insufficient number of endpoints (2 endpoints, 3 zones)" },
	{ "slice to create with 2 endpoints, zone ratios only require 2", { 0.45, 0.55 }, "a b", "a b" },
	{ "slices to create and update within 3 zone threshold", { 0.35, 0.35, 0.30 }, "a b|c c a|a a|b c a", "b b|c c a|a a|b c a" },
	{ "an endpoint without a zone", { 0.5, 0.5 }, "a -", "One or more endpoints do not have a zone specified" },
	{ "a share so large that the least of all cannot be met", { 0.98, 0.01, 0.01 }, "a a a", "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)" },
	{ "what stands and fits is left alone", { 0.5, 0.5 }, "*a>b b>a", "b a" },
	{ "what stands and gives one zone too many is written anew", { 0.5, 0.5 }, "*a>a b>a a>a b>a", "a b a b" },
};

static const char *const zone_names[] = { "a", "b", "c" };

static uint32_t read_slices(struct arena *a, const char *text, struct hinted_slice *v)
{
	uint32_t nr = 0;

	for (const char *p = text; *p;) {
		struct hinted_slice *s = &v[nr++];

		*s = (struct hinted_slice){ .v = arena_array(a, struct hinted, 16), .write = *p != '*' };
		for (p += *p == '*'; *p && *p != '|'; p += *p == ' ') {
			s->v[s->nr].zone = *p == '-' ? NULL : arena_printf(a, "%c", *p);
			p++;
			if (*p == '>') {
				s->v[s->nr].hint = arena_printf(a, "%c", p[1]);
				p += 2;
			}
			s->nr++;
		}
		p += *p == '|';
	}
	return nr;
}

TEST(zones_get_hints_as_upstreams_table_says)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct arena *a = arena_new(NULL, "test");
		struct hinted_slice v[8];
		struct zone_share z[3];
		struct zone_shares shares = { .v = z };
		uint32_t nr = read_slices(a, rows[k].slices, v);
		struct sb have = { 0 };
		const char *why;

		for (; shares.nr < 3 && rows[k].ratio[shares.nr] > 0; shares.nr++)
			z[shares.nr] = (struct zone_share){ zone_names[shares.nr], 1000, rows[k].ratio[shares.nr] };
		why = zone_hints(&shares, v, nr, a);
		for (uint32_t i = 0; !why && i < nr; i++)
			for (uint32_t e = 0; e < v[i].nr; e++)
				sb_printf(&have, "%s%s", e ? " " : i ? "|" : "", v[i].v[e].hint ? v[i].v[e].hint : "-");
		SAME_TEXT(why ? why : have.s, rows[k].want);
		for (uint32_t i = 0; why && i < nr; i++)
			for (uint32_t e = 0; e < v[i].nr; e++)
				CU_ASSERT_PTR_NULL(v[i].v[e].hint);
		sb_free(&have);
		arena_free(a);
	}
}

TEST(a_service_whose_zone_has_too_few_endpoints_is_overloaded)
{
	struct zone_share z[] = { { "a", 1, 0.5 }, { "b", 1, 0.5 } };
	struct zone_shares two = { .v = z, .nr = 2 }, none = { 0 };
	static const struct { uint32_t have[2], other; bool want; } table[] = {
		{ { 1, 1 }, 0, false }, { { 2, 3 }, 0, true }, { { 5, 6 }, 0, false }, { { 4, 6 }, 0, true }, { { 1, 0 }, 0, true }, { { 5, 5 }, 2, false }, { { 5, 5 }, 4, true },
	};

	for (size_t k = 0; k < ARRAY_LEN(table); k++)
		CU_ASSERT(zones_overloaded(&two, table[k].have, table[k].other) == table[k].want);
	CU_ASSERT(zones_overloaded(&none, (const uint32_t[]){ 0 }, 3));
	CU_ASSERT(!zones_overloaded(&none, (const uint32_t[]){ 0 }, 0));
}

/* ---- in a cluster */

#define NODE(name, zone, cpu) "{apiVersion: v1, kind: Node, metadata: {name: " name ", labels: {topology.kubernetes.io/zone: " zone "}}, status: {allocatable: {cpu: '" cpu "'}}}\n---\n"
#define SERVICE(more) "{apiVersion: v1, kind: Service, metadata: {name: web, " more "}, spec: {selector: {app: web}, trafficDistribution: PreferClose, ports: [{port: 80}]}}\n---\n"
#define AUTO          "annotations: {service.kubernetes.io/topology-mode: Auto}"
#define PODS                                                                                                                         \
	"{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 4, selector: {matchLabels: {app: web}}, "    \
	"template: {metadata: {labels: {app: web}}, spec: {nodeSelector: {topology.kubernetes.io/zone: a}, containers: [{name: c, image: nginx}]}}}}\n---\n"

/* These nodes alone. */
static struct cell zones(const char *yaml)
{
	struct cell x = cell_new(1);

	cell_apply(&x, yaml);
	defaults_add(x.c);
	cell_settle(&x);
	return x;
}

static uint32_t hinted_for(struct cell *x, const char *zone)
{
	struct object_list l = service_slices(x->c, find_service(x->c, "default", "web"));
	uint32_t n = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)l.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++)
			n += s->endpoints.v[i].hints && s->endpoints.v[i].hints->for_zones.nr && streq(s->endpoints.v[i].hints->for_zones.v[0].name, zone);
	}
	return n;
}

TEST(the_annotation_spreads_endpoints_by_cpus_and_goes_before_traffic_distribution)
{
	struct cell x = zones(NODE("n1", "a", "4") NODE("n2", "b", "4") SERVICE(AUTO) PODS);

	CU_ASSERT_EQUAL(hinted_for(&x, "a"), 2);        /* all four run in zone a; half of the CPUs are in b */
	CU_ASSERT_EQUAL(hinted_for(&x, "b"), 2);
	CU_ASSERT_EQUAL(cell_events(&x, "TopologyAwareHintsEnabled"), 1);
	cell_apply(&x, NODE("n3", "c", "8"));           /* a third zone: what zone c has now is too little */
	cell_settle(&x);
	CU_ASSERT_EQUAL(hinted_for(&x, "a") + hinted_for(&x, "b"), 2);
	CU_ASSERT_EQUAL(hinted_for(&x, "c"), 2);
	cell_apply(&x, SERVICE(""));
	cell_settle(&x);
	CU_ASSERT_EQUAL(hinted_for(&x, "a"), 4);
	cell_free(&x);
}

TEST(nodes_that_do_not_say_their_cpus_get_no_hints)
{
	struct cell x = zones(NODE("n1", "a", "4") "{apiVersion: v1, kind: Node, metadata: {name: n2, labels: {topology.kubernetes.io/zone: b}}}\n---\n" SERVICE(AUTO) PODS);

	CU_ASSERT_EQUAL(hinted_for(&x, "a") + hinted_for(&x, "b"), 0);
	CU_ASSERT(cell_events(&x, "TopologyAwareHintsDisabled") > 0);
	cell_free(&x);
}

/* updateNode asks only for overloaded Services: a zone that a node gets later stands in the slices with the next change of the Pods. */
TEST(a_new_zone_of_a_node_is_told_with_the_next_change)
{
	struct cell x = zones("{apiVersion: v1, kind: Node, metadata: {name: n1}}\n---\n" SERVICE("") "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}\n---\n");

	cell_apply(&x, NODE("n1", "a", "4"));
	cell_settle(&x);
	CU_ASSERT_EQUAL(hinted_for(&x, "a"), 0);
	cell_apply(&x, SERVICE("labels: {v: '2'}"));
	cell_settle(&x);
	CU_ASSERT_EQUAL(hinted_for(&x, "a"), 1);
	cell_free(&x);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The slices in words, sorted: their names are drawn. */
static void slices_are(struct cell *x, const char *service, const char *want)
{
	struct object_list l = service_slices(x->c, find_service(x->c, "default", service));
	const char *texts[8];
	struct sb have = { 0 };

	for (uint32_t k = 0; k < l.nr && k < ARRAY_LEN(texts); k++) {
		const struct endpointslice *s = (const struct endpointslice *)l.v[k];
		const char *text = s->address_type;

		for (uint32_t i = 0; i < s->ports.nr; i++)
			text = arena_printf(x->a, "%s :%d", text, s->ports.v[i].port.v);
		for (uint32_t i = 0; i < s->endpoints.nr; i++)
			text = arena_printf(x->a, "%s %s%s", text, s->endpoints.v[i].addresses.v[0], s->endpoints.v[i].ready == TRI_TRUE ? "" : "-");
		texts[k] = text;
	}
	qsort(texts, MIN(l.nr, ARRAY_LEN(texts)), sizeof(*texts), by_text);
	for (uint32_t k = 0; k < l.nr && k < ARRAY_LEN(texts); k++)
		sb_printf(&have, "%s%s", k ? " | " : "", texts[k]);
	SAME_TEXT(have.s ? have.s : "", want);
	sb_free(&have);
}

TEST(each_family_of_a_service_without_pods_has_its_empty_slice)
{
	struct cell x = cell_new(1);

	cell_apply(&x, "{apiVersion: kubeadm.k8s.io/v1beta4, kind: ClusterConfiguration, networking: {podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16,fd00:10:96::/112'}}");
	defaults_add(x.c);
	cell_apply(&x, "{apiVersion: v1, kind: Service, metadata: {name: none}, spec: {ipFamilyPolicy: RequireDualStack, selector: {app: none}, ports: [{port: 80}]}}");
	cell_settle(&x);
	slices_are(&x, "none", "IPv4 | IPv6");
	cell_free(&x);
}

#define MIRRORED(kind, subsets)                                                                                   \
	"{apiVersion: v1, kind: Service, metadata: {name: m}, spec: {" kind "}}\n---\n"                           \
	"{apiVersion: v1, kind: Endpoints, metadata: {name: m, labels: {l: x}, annotations: {keep: here, endpoints.kubernetes.io/last-change-trigger-time: t}}, subsets: [" subsets "]}\n---\n"

TEST(subsets_are_mirrored_in_their_canonical_form)
{
	static const struct { const char *what, *yaml, *want; } table[] = {
		{ "2 subsets, different address and same port", MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 10.0.0.2}], ports: [{port: 80}]}, {addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}"),
		  "IPv4 :80 10.0.0.1 10.0.0.2" },
		{ "2 subsets, different port and same address", MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 10.0.0.1}], ports: [{name: a, port: 80}]}, {addresses: [{ip: 10.0.0.1}], ports: [{name: b, port: 81}]}"),
		  "IPv4 :80 :81 10.0.0.1" },
		{ "2 subsets, different port and address", MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 10.0.0.1}], ports: [{name: a, port: 80}]}, {addresses: [{ip: 10.0.0.2}], ports: [{name: b, port: 81}]}"),
		  "IPv4 :80 10.0.0.1 | IPv4 :81 10.0.0.2" },
		{ "ready and not ready: not ready", MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.3}], notReadyAddresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}"), "IPv4 :80 10.0.0.3 10.0.0.1-" },
		{ "dual stack addresses", MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 10.0.0.1}, {ip: 'fd00::1'}], ports: [{port: 80}]}"), "IPv4 :80 10.0.0.1 | IPv6 :80 fd00::1" },
		{ "no ports", MIRRORED("clusterIP: None", "{addresses: [{ip: 10.0.0.1}]}"), "IPv4 10.0.0.1" },
		{ "the type of the Service says nothing", MIRRORED("type: ExternalName, externalName: x.test", "{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}"), "IPv4 :80 10.0.0.1" },
		{ "no subsets", MIRRORED("ports: [{port: 80}]", ""), "" },
	};

	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_settled(table[k].yaml);
		struct object_list l = service_slices(x.c, find_service(x.c, "default", "m"));

		slices_are(&x, "m", table[k].want);
		if (l.nr) {
			SAME_TEXT(label_get(&l.v[0]->labels, "l"), "x");
			SAME_TEXT(label_get(&l.v[0]->annotations, "keep"), "here");
			CU_ASSERT_EQUAL(l.v[0]->annotations.nr, 1);
		}
		cell_free(&x);
	}
}

/* addressType cannot be changed: a slice is used again for its own family only (recycleSlices). */
TEST(mirrored_slices_are_used_again_within_their_family)
{
	struct cell x = cell_settled(MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}"));
	struct object_list l = service_slices(x.c, find_service(x.c, "default", "m"));
	const char *name = l.nr ? arena_printf(x.a, "%s", l.v[0]->name) : "";

	cell_apply(&x, MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 10.0.0.2}], ports: [{port: 81}]}"));
	cell_settle(&x);
	l = service_slices(x.c, find_service(x.c, "default", "m"));
	SAME_TEXT(l.v[0]->name, name);
	cell_apply(&x, MIRRORED("ports: [{port: 80}]", "{addresses: [{ip: 'fd00::2'}], ports: [{port: 81}]}"));
	cell_settle(&x);
	slices_are(&x, "m", "IPv6 :81 fd00::2");
	l = service_slices(x.c, find_service(x.c, "default", "m"));
	CU_ASSERT(!streq(l.v[0]->name, name));
	cell_free(&x);
}
