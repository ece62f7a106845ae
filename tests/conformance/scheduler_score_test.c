/* How good a node is for a Pod: upstream's tables of what each plugin scores (pkg/scheduler/framework/plugins/…/…_test.go), through the objects. */
#include "model/control/scheduler.h"
#include "tests/conformance/placing.h"
#include "tests/unit/cell.h"

#define HOST(name)          NODE(name, "kubernetes.io/hostname: " name, ROOM("8", ""))
#define IN(name, zone)      NODE(name, "kubernetes.io/hostname: " name ", zone: " zone, ROOM("8", ""))
#define OUT(name, labels)   NODE(name, labels, "spec: {unschedulable: true}, " ROOM("8", ""))
#define FOO                 "foo: ''"
#define A(n)                ON("p-a" n, FOO, "node-a")
#define B(n)                ON("p-b" n, FOO, "node-b")
#define C(n)                ON("p-c" n, FOO, "node-c")
#define D(n)                ON("p-d" n, FOO, "node-d")
#define X(n)                ON("p-x" n, FOO, "node-x")
#define Y(n)                ON("p-y" n, FOO, "node-y")
#define SOFT(skew, key, label) "{maxSkew: " skew ", topologyKey: " key ", whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchExpressions: [{key: " label ", operator: Exists}]}}"
#define HOSTNAME            "kubernetes.io/hostname"
#define GATED               "schedulingGates: [{name: g}], "
#define WANTS(labels, soft) POD("p", labels, GATED "topologySpreadConstraints: [" soft "], " PLAIN)
#define ABCD                HOST("node-a") HOST("node-b") HOST("node-c") HOST("node-d")
#define ABX_Y               HOST("node-a") HOST("node-b") HOST("node-x") OUT("node-y", "kubernetes.io/hostname: node-y")
#define ZONES               IN("node-a", "zone1") IN("node-b", "zone1") IN("node-x", "zone2")

#define CHINA               NODE("node1", "region: China", ROOM("8", ""))
#define INDIA               NODE("node2", "region: India", ROOM("8", ""))
#define AZ1                 NODE("node3", "az: az1", ROOM("8", ""))
#define S(n)                "security: S" n
#define TERM(weight, n, key) "{weight: " weight ", podAffinityTerm: {topologyKey: " key ", labelSelector: {matchExpressions: [{key: security, operator: In, values: [S" n "]}]}}}"
#define STAY(weight, n)     "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [" TERM(weight, n, "region") "]}}, "
#define AWAY(n)             "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [" TERM("5", n, "az") "]}}, "
#define HARD                "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: region, labelSelector: {matchExpressions: [{key: security, operator: In, values: [S1, value2]}]}}, " \
			    "{topologyKey: region, labelSelector: {matchExpressions: [{key: security, operator: Exists}, {key: wrongkey, operator: DoesNotExist}]}}]}}, "
#define BOTH                "affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [" TERM("8", "1", "region") "]}, podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [" TERM("5", "2", "az") "]}}, "

#define SIZE(name, cpu, memory) "{apiVersion: v1, kind: Node, metadata: {name: " name "}, status: {allocatable: {cpu: '" cpu "', memory: '" memory "', pods: '110'}}}\n---\n"
#define TAKES(name, node, cpu, memory) POD(name, "", "nodeName: " node ", " ASKS("cpu: '" cpu "', memory: '" memory "'"))
#define NEEDS(cpu, memory)  POD("p", "", GATED ASKS("cpu: '" cpu "', memory: '" memory "'"))

#define SOFT_TAINT(name, key) NODE(name, "", "spec: {taints: [" key "]}, " ROOM("8", ""))
#define T(key, value)       "{key: " key ", value: " value ", effect: PreferNoSchedule}"
#define LIKES(terms)        POD("p", "", GATED "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [" terms "]}}, " PLAIN)
#define LIKE(weight, exprs) "{weight: " weight ", preference: {matchExpressions: [" exprs "]}}"

#define IMAGE(bytes, names) "{sizeBytes: " bytes ", names: [" names "]}"
#define MACHINE1            HAS("machine1", IMAGE("41943040", "gcr.io/40:latest, gcr.io/40:v1") ", " IMAGE("146800640", "gcr.io/140:latest") ", " IMAGE("314572800", "gcr.io/300:latest") ", " \
				IMAGE("4194304000", "gcr.io/4000:latest"))
#define MACHINE2            HAS("machine2", IMAGE("262144000", "gcr.io/250:latest") ", " IMAGE("10485760", "gcr.io/10:latest, gcr.io/10:v1"))
#define HAS(name, images)   "{apiVersion: v1, kind: Node, metadata: {name: " name "}, status: {allocatable: {cpu: '8', memory: 8Gi, pods: '110'}, images: [" images "]}}\n---\n"
#define RUNS(init, ...)     POD("p", "", GATED init "containers: [" __VA_ARGS__ "]")
#define CON(name, image)    "{name: " name ", image: '" image "'}"

static const struct { const char *name; enum score which; const char *yaml, *want; } table[] = {
	/* podtopologyspread/scoring_test.go TestPodTopologySpreadScore */
	{ "one constraint on node, no existing pods", SCORE_SPREAD, HOST("node-a") HOST("node-b") WANTS(FOO, SOFT("1", HOSTNAME, "foo")), "node-a=100 node-b=100" },
	{ "one constraint on node, all nodes have the same number of matching pods", SCORE_SPREAD, HOST("node-a") HOST("node-b") A("1") B("1") WANTS(FOO, SOFT("1", HOSTNAME, "foo")), "node-a=100 node-b=100" },
	{ "one constraint on node, all 4 nodes are candidates", SCORE_SPREAD, ABCD A("1") A("2") B("1") D("1") D("2") D("3") WANTS(FOO, SOFT("1", HOSTNAME, "foo")), "node-a=20 node-b=60 node-c=100 node-d=0" },
	{ "one constraint on node, all 4 nodes are candidates, maxSkew=2", SCORE_SPREAD, ABCD A("1") A("2") B("1") D("1") D("2") D("3") WANTS(FOO, SOFT("2", HOSTNAME, "foo")),
	  "node-a=33 node-b=66 node-c=100 node-d=16" },
	{ "one constraint on node, all 4 nodes are candidates, maxSkew=3", SCORE_SPREAD, ABCD A("1") A("2") A("3") A("4") B("1") B("2") B("3") C("1") C("2") D("1") WANTS(FOO, SOFT("3", HOSTNAME, "foo")),
	  "node-a=44 node-b=66 node-c=77 node-d=100" },
	{ "system defaulting, nodes don't have zone, pods match service", SCORE_SPREAD,
	  "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {foo: ''}, ports: [{port: 80}]}}\n---\n" ABCD A("1") A("2") A("3") A("4") B("1") B("2") B("3") C("1") C("2") D("1")
	  POD("p", FOO, GATED PLAIN), "node-a=44 node-b=66 node-c=77 node-d=100" },
	{ "one constraint on node, 3 out of 4 nodes are candidates", SCORE_SPREAD, ABX_Y A("1") A("2") A("3") A("4") B("1") B("2") X("1") Y("1") Y("2") Y("3") WANTS(FOO, SOFT("1", HOSTNAME, "foo")),
	  "node-a=33 node-b=83 node-x=100" },
	{ "one node doesn't match topology key", SCORE_SPREAD, NODE("node-a", "k: node-a", ROOM("8", "")) NODE("node-b", "other: node-b", ROOM("8", "")) NODE("node-x", "k: node-x", ROOM("8", "")) OUT("node-y", "k: node-y")
	  A("1") A("2") A("3") A("4") B("1") B("2") X("1") Y("1") Y("2") Y("3") WANTS(FOO, SOFT("1", "k", "foo")), "node-a=16 node-b=0 node-x=100" },
	{ "one constraint on zone, 3 out of 4 nodes are candidates", SCORE_SPREAD, ZONES OUT("node-y", "zone: zone2") A("1") A("2") A("3") A("4") B("1") B("2") X("1") Y("1") Y("2") Y("3")
	  WANTS(FOO, SOFT("1", "zone", "foo")), "node-a=75 node-b=75 node-x=100" },
	{ "two Constraints on zone and node, 2 out of 4 nodes are candidates", SCORE_SPREAD, IN("node-a", "zone1") IN("node-x", "zone2")
	  OUT("node-b", "kubernetes.io/hostname: node-b, zone: zone1") OUT("node-y", "kubernetes.io/hostname: node-y, zone: zone2")
	  A("1") A("2") B("1") X("1") X("2") Y("1") Y("2") Y("3") Y("4") WANTS(FOO, SOFT("1", "zone", "foo") ", " SOFT("1", HOSTNAME, "foo")), "node-a=100 node-x=63" },
	{ "two Constraints on zone and node, with different labelSelectors", SCORE_SPREAD, ZONES IN("node-y", "zone2") A("1") ON("b", "foo: '', bar: ''", "node-b") Y("1") ON("r", "bar: ''", "node-y")
	  WANTS("foo: '', bar: ''", SOFT("1", "zone", "foo") ", " SOFT("1", HOSTNAME, "bar")), "node-a=60 node-b=20 node-x=100 node-y=60" },
	{ "terminating Pods should be excluded, and others' Pods", SCORE_SPREAD, HOST("node-a") HOST("node-b") B("1") "{apiVersion: v1, kind: Namespace, metadata: {name: ns1}}\n---\n"
	  "{apiVersion: v1, kind: Pod, metadata: {name: q, namespace: ns1, labels: {foo: ''}}, spec: {nodeName: node-a, " PLAIN "}}\n---\n" WANTS(FOO, SOFT("1", HOSTNAME, "foo")), "node-a=100 node-b=0" },

	/* interpodaffinity/scoring_test.go TestPreferredAffinity */
	{ "pod that matches topology key & pods in nodes will get high score", SCORE_COMPANY, CHINA INDIA AZ1 ON("a", S("1"), "node1") ON("b", S("2"), "node2") ON("c", S("1"), "node3") POD("p", S("1"), GATED STAY("5", "1") PLAIN),
	  "node1=100 node2=0 node3=0" },
	{ "nodes in one region has more matching pods", SCORE_COMPANY, CHINA INDIA NODE("node4", "region: China", ROOM("8", "")) ON("a", S("2"), "node1") ON("b", S("2"), "node1") ON("c", S("2"), "node2")
	  POD("p", S("1"), GATED STAY("6", "2") PLAIN), "node1=100 node2=0 node4=100" },
	{ "Affinity symmetry: preferred", SCORE_COMPANY, CHINA INDIA AZ1 POD("a", S("1"), "nodeName: node1, " STAY("5", "1") PLAIN) POD("b", S("2"), "nodeName: node2, " STAY("6", "2") PLAIN) POD("p", S("2"), GATED PLAIN),
	  "node1=0 node2=100 node3=0" },
	{ "Affinity symmetry: required", SCORE_COMPANY, CHINA INDIA AZ1 POD("a", S("1"), "nodeName: node1, " HARD PLAIN) POD("b", S("2"), "nodeName: node2, " HARD PLAIN) POD("p", S("1"), GATED PLAIN),
	  "node1=100 node2=100 node3=0" },
	{ "Anti Affinity: pod that does not match existing pods in node will get high score", SCORE_COMPANY, NODE("node1", "az: az1", ROOM("8", "")) INDIA ON("a", S("1"), "node1") ON("b", S("2"), "node2")
	  POD("p", S("1"), GATED AWAY("1") PLAIN), "node1=0 node2=100" },
	{ "Anti Affinity symmetry", SCORE_COMPANY, NODE("node1", "az: az1", ROOM("8", "")) NODE("node2", "az: az2", ROOM("8", "")) POD("a", S("1"), "nodeName: node1, " AWAY("2") PLAIN) POD("b", S("2"), "nodeName: node2, " AWAY("1") PLAIN)
	  POD("p", S("2"), GATED PLAIN), "node1=0 node2=100" },
	{ "Affinity and Anti Affinity and symmetry", SCORE_COMPANY, CHINA NODE("node2", "az: az1", ROOM("8", "")) NODE("node3", "region: India", ROOM("8", "")) NODE("node4", "az: az2", ROOM("8", ""))
	  ON("a", S("1"), "node1") ON("b", S("2"), "node2") POD("c", "", "nodeName: node3, " BOTH PLAIN) POD("d", "", "nodeName: node4, " AWAY("1") PLAIN) POD("p", S("1"), GATED BOTH PLAIN),
	  "node1=100 node2=0 node3=100 node4=0" },

	/* imagelocality/image_locality_test.go TestImageLocalityPriority */
	{ "two images spread on two nodes, prefer the larger image one", SCORE_IMAGES, MACHINE1 MACHINE2 RUNS("", CON("a", "gcr.io/40") ", " CON("b", "gcr.io/250")), "machine1=0 machine2=5" },
	{ "two images on one node, prefer this node", SCORE_IMAGES, MACHINE1 MACHINE2 RUNS("", CON("a", "gcr.io/40") ", " CON("b", "gcr.io/300")), "machine1=7 machine2=0" },
	{ "if exceed limit, use limit", SCORE_IMAGES, MACHINE1 MACHINE2 RUNS("", CON("a", "gcr.io/10") ", " CON("b", "gcr.io/4000")), "machine1=100 machine2=0" },
	{ "if exceed limit, use limit (with node which has no images present)", SCORE_IMAGES, MACHINE1 MACHINE2 HAS("machine3", "") RUNS("", CON("a", "gcr.io/10") ", " CON("b", "gcr.io/4000")),
	  "machine1=66 machine2=0 machine3=0" },
	{ "images of init containers count as well", SCORE_IMAGES, MACHINE1 MACHINE2 RUNS("initContainers: [" CON("i", "gcr.io/40") ", " CON("j", "gcr.io/140") "], ", CON("a", "gcr.io/300:latest")),
	  "machine1=7 machine2=0" },
	{ "a port is no tag, and another tag another image", SCORE_IMAGES, HAS("n1", IMAGE("1048576000", "'localhost:5000/a@sha256:0', 'localhost:5000/a:latest'")) HAS("n2", IMAGE("1048576000", "'localhost:5000/a:1'"))
	  RUNS("", CON("a", "localhost:5000/a")), "n1=48 n2=0" },

	/* noderesources/least_allocated_test.go, balanced_allocation_test.go */
	{ "nothing scheduled, resources requested, differently sized nodes", SCORE_FIT, SIZE("node1", "4", "10000") SIZE("node2", "6", "10000") NEEDS("3", "5000"), "node1=37 node2=50" },
	{ "no resources requested, pods scheduled with resources", SCORE_FIT, SIZE("node1", "10", "20000") SIZE("node2", "10", "20000") TAKES("a", "node1", "3", "0") TAKES("b", "node1", "3", "0")
	  TAKES("c", "node2", "3", "0") TAKES("d", "node2", "3", "5000") NEEDS("0", "0"), "node1=70 node2=57" },
	{ "resources requested, pods scheduled with resources, differently sized nodes", SCORE_FIT, SIZE("node1", "10", "20000") SIZE("node2", "10", "50000") TAKES("a", "node1", "3", "0") TAKES("b", "node2", "3", "5000")
	  NEEDS("3", "5000"), "node1=57 node2=60" },
	{ "balanced: nothing requested is not scored", SCORE_BALANCED, SIZE("node1", "4", "10000") SIZE("node2", "4", "10000") NEEDS("0", "0"), "node1=0 node2=0" },
	{ "balanced: differently sized nodes", SCORE_BALANCED, SIZE("node1", "4", "10000") SIZE("node2", "6", "10000") NEEDS("3", "5000"), "node1=87 node2=100" },
	{ "balanced: pods scheduled with resources", SCORE_BALANCED, SIZE("node1", "10", "20000") SIZE("node2", "10", "50000") TAKES("a", "node1", "3", "0") TAKES("b", "node2", "3", "5000") NEEDS("3", "5000"), "node1=82 node2=80" },
	{ "balanced: requested resources at node capacity", SCORE_BALANCED, SIZE("node1", "6", "10000") SIZE("node2", "6", "10000") TAKES("a", "node1", "3", "0") TAKES("b", "node2", "3", "5000") NEEDS("3", "0"), "node1=50 node2=75" },

	/* tainttoleration/taint_toleration_test.go TestTaintTolerationScore */
	{ "the node that has a taint that cannot be tolerated by the pod", SCORE_TAINTS, SOFT_TAINT("nodeA", T("foo", "bar")) SOFT_TAINT("nodeB", T("foo", "blah"))
	  POD("p", "", GATED "tolerations: [{key: foo, operator: Equal, value: bar, effect: PreferNoSchedule}], " PLAIN), "nodeA=100 nodeB=0" },
	{ "the more intolerable taints a node has, the lower score it gets", SCORE_TAINTS, SOFT_TAINT("nodeA", "") SOFT_TAINT("nodeB", T("cpu-type", "arm64")) SOFT_TAINT("nodeC", T("cpu-type", "arm64") ", " T("disk-type", "ssd"))
	  POD("p", "", GATED PLAIN), "nodeA=100 nodeB=50 nodeC=0" },

	/* nodeaffinity/node_affinity_test.go TestNodeAffinityPriority */
	{ "all nodes are matched with different scores", SCORE_NODE_AFFINITY, NODE("node1", "foo: bar", ROOM("8", "")) NODE("node2", "key: value, foo: bar", ROOM("8", "")) NODE("node5", "foo: bar, key: value, az: az1", ROOM("8", ""))
	  LIKES(LIKE("2", "{key: foo, operator: In, values: [bar]}") ", " LIKE("4", "{key: key, operator: In, values: [value]}") ", "
		LIKE("5", "{key: foo, operator: In, values: [bar]}, {key: key, operator: In, values: [value]}, {key: az, operator: In, values: [az1]}")), "node1=18 node2=54 node5=100" },
	{ "no node is liked", SCORE_NODE_AFFINITY, HOST("node-a") HOST("node-b") LIKES(LIKE("2", "{key: foo, operator: In, values: [bar]}")), "node-a=0 node-b=0" },
};

TEST(nodes_are_scored_as_upstreams_tables_say)
{
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_new(1);
		struct score_card *v;
		struct sb got = { 0 };
		uint32_t nr;

		x.lax = true;
		cell_apply(&x, table[k].yaml);
		cell_settle(&x);
		CU_ASSERT_FATAL(cell_pod(&x, "p") != NULL);
		nr = scheduler_scores(x.t, cell_pod(&x, "p"), x.a, &v);
		for (uint32_t i = 0; i < nr; i++)
			sb_printf(&got, "%s%s=%" PRId64, i ? " " : "", v[i].node->name, v[i].v[table[k].which]);
		if (strcmp(sb_text(&got), table[k].want) != 0)
			fprintf(stderr, "\n%s: %s\n", table[k].name, score_plugins[table[k].which].name);
		SAME_TEXT(sb_text(&got), table[k].want);
		sb_free(&got);
		cell_free(&x);
	}
}

/* The sum decides: three nodes, each the best in one thing. schedule_one.go prioritizeNodes, selectHost. */
TEST(the_heaviest_sum_wins)
{
	struct cell x = cell_new(1);

	x.lax = true;
	cell_apply(&x, SOFT_TAINT("n1", T("a", "b")) NODE("n2", "", ROOM("8", "")) NODE("n3", "gpu: 'yes'", ROOM("8", ""))
		   POD("q", "", "nodeName: n3, " ASKS("cpu: '7', memory: 7Gi")) LIKES(LIKE("1", "{key: gpu, operator: Exists}")));
	cell_settle(&x);
	cell_apply(&x, POD("liking", "", "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [" LIKE("1", "{key: gpu, operator: Exists}") "]}}, " ASKS("cpu: 100m, memory: 100Mi"))
			POD("plain", "", ASKS("cpu: 100m, memory: 100Mi")));
	cell_settle(&x);
	CU_ASSERT(streq(cell_pod(&x, "liking")->node, "n3"));           /* 200 for the label, although the node is nearly full */
	CU_ASSERT(streq(cell_pod(&x, "plain")->node, "n2"));            /* 300 for the taint that is not there */
	cell_free(&x);
}
