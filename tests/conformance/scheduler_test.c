/* Where Pods go, and in which words they go nowhere: what upstream's tables of tests say of the scheduler's plugins (pkg/scheduler/framework/plugins). */
#include "tests/conformance/placing.h"
#include "tests/unit/cell.h"

#define SPREAD(more)               "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {foo: ''}}, " more "}], " PLAIN
#define AFFINITY(kind, terms)      "affinity: {" kind ": {requiredDuringSchedulingIgnoredDuringExecution: [" terms "]}}, " PLAIN
#define ZONES                      NODE("node-a", "zone: zone1", ROOM("8", "")) NODE("node-b", "zone: zone1", ROOM("8", "")) NODE("node-x", "zone: zone2", ROOM("8", "")) NODE("node-y", "zone: zone2", ROOM("8", ""))
#define HELPLESS(n)                " no new claims to deallocate, preemption: 0/" n " nodes are available: " n " Preemption is not helpful for scheduling."
#define NEAR(terms)                "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" terms "]}}}, " PLAIN
#define EXPR(key, op, values)      "{matchExpressions: [{key: " key ", operator: " op ", values: [" values "]}]}"
#define TERM(key, selector)        "{topologyKey: " key ", labelSelector: " selector "}"
#define HOST1                      NODE("n1", "region: r1, zone: z11", ROOM("8", ""))
#define TWO_ZONES                  NODE("nodeA", "zone: az1", ROOM("8", "")) NODE("nodeB", "zone: az1", ROOM("8", "")) NODE("nodeC", "zone: az2", ROOM("8", ""))
#define OTHER(name, ns, labels)    "{apiVersion: v1, kind: Namespace, metadata: {name: " ns "}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: " ns ", labels: {" labels "}}, spec: {nodeName: n1, " PLAIN "}}\n---\n"
#define NOBODY(n)                  " no new claims to deallocate, preemption: 0/" n " nodes are available: " n " No preemption victims found for incoming pod."

#define POLITE                     "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: polite}, value: 10, preemptionPolicy: Never}\n---\n"

static const struct { const char *name, *yaml, *node /* it goes there; NULL: nowhere */, *why; } table[] = {
	/* noderesources/fit_test.go */
	{ "extended resource allocatable enforced", NODE("n1", "", ROOM("8", ", example.com/aaa: '5'")) POD("p", "", ASKS("example.com/aaa: '10'")), NULL,
	  "0/1 nodes are available: 1 Insufficient example.com/aaa." HELPLESS("1") },
	{ "extended resource capacity enforced for multiple containers",
	  NODE("n1", "", ROOM("8", ", example.com/aaa: '5'")) POD("p", "", "containers: [{name: a, image: i, resources: {limits: {example.com/aaa: '3'}}}, {name: b, image: i, resources: {limits: {example.com/aaa: '3'}}}]"), NULL,
	  "0/1 nodes are available: 1 Insufficient example.com/aaa." HELPLESS("1") },
	{ "what others use of it is gone", NODE("n1", "", ROOM("8", ", example.com/aaa: '5'")) POD("q", "", "nodeName: n1, " ASKS("example.com/aaa: '3'")) POD("p", "", ASKS("example.com/aaa: '3'")), NULL,
	  "0/1 nodes are available: 1 Insufficient example.com/aaa." NOBODY("1") },
	{ "requests + overhead does not fit for memory", NODE("n1", "", ROOM("8", "")) POD("p", "", "overhead: {memory: 7Gi}, " ASKS("memory: 2Gi")), NULL, "0/1 nodes are available: 1 Insufficient memory." HELPLESS("1") },
	{ "pod level requests go before those of the containers", NODE("n1", "", ROOM("8", "")) POD("p", "", "resources: {requests: {cpu: '9'}}, " ASKS("cpu: '1'")), NULL, "0/1 nodes are available: 1 Insufficient cpu." HELPLESS("1") },
	{ "an init container runs beside the sidecars before it",
	  NODE("n1", "", ROOM("8", "")) POD("p", "", "initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: '4'}}}, {name: j, image: i, resources: {requests: {cpu: '5'}}}], " ASKS("cpu: '1'")), NULL,
	  "0/1 nodes are available: 1 Insufficient cpu." HELPLESS("1") },
	/* nodeaffinity/node_affinity_test.go: PreFilterResult; schedule_one.go */
	{ "nodes that the pod does not name are not looked at",
	  NODE("n1", "", ROOM("1", "")) NODE("m", "", ROOM("8", "")) POD("p", "", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [n1]}]}]}}}, " ASKS("cpu: '2'")),
	  NULL, "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]." HELPLESS("2") },
	{ "one of two that are named", NODE("n1", "", ROOM("1", "")) NODE("m", "", ROOM("8", "")) POD("p", "", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [n1, m]}]}]}}}, " ASKS("cpu: '2'")), "m", NULL },
	/* podtopologyspread/filtering_test.go */
	{ "pods spread across zones as 3/3, maxSkew is 1: minDomains not met", NODE("node-a", "zone: zone1", ROOM("8", "")) ON("p-a", "foo: ''", "node-a") POD("p", "foo: ''", SPREAD("minDomains: 2")), NULL,
	  "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints." NOBODY("1") },
	{ "NodeAffinityPolicy honored with nodeAffinity", ZONES ON("a", "foo: ''", "node-a") ON("b", "foo: ''", "node-b") POD("p", "foo: ''", "nodeSelector: {zone: zone1}, " SPREAD("nodeAffinityPolicy: Honor")), "node-a", NULL },
	{ "NodeAffinityPolicy ignored with nodeAffinity", ZONES ON("a", "foo: ''", "node-a") ON("b", "foo: ''", "node-b") POD("p", "foo: ''", "nodeSelector: {zone: zone1}, " SPREAD("nodeAffinityPolicy: Ignore")), NULL,
	  "0/4 nodes are available: 2 node(s) didn't match Pod's node affinity/selector, 2 node(s) didn't match pod topology spread constraints. no new claims to deallocate, preemption: 0/4 nodes are available: 2 No preemption "
	  "victims found for incoming pod, 2 Preemption is not helpful for scheduling." },
	{ "NodeTaintsPolicy honored", NODE("node-a", "zone: zone1", ROOM("8", "")) NODE("node-x", "zone: zone2", "spec: {taints: [{key: k, effect: NoSchedule}]}, " ROOM("8", "")) ON("a", "foo: ''", "node-a")
	  POD("p", "foo: ''", SPREAD("nodeTaintsPolicy: Honor")), "node-a", NULL },
	{ "matchLabelKeys: other templates do not count", NODE("node-a", "zone: zone1", ROOM("8", "")) NODE("node-x", "zone: zone2", "spec: {unschedulable: true}, " ROOM("8", "")) ON("a", "foo: '', v: '1'", "node-a")
	  POD("p", "foo: '', v: '2'", SPREAD("matchLabelKeys: [v]")), "node-a", NULL },
	/* interpodaffinity/filtering_test.go */
	{ "pods that satisfy one term each are not the company of both",
	  NODE("n1", "kubernetes.io/hostname: n1", ROOM("8", "")) ON("a", "x: '1'", "n1") ON("b", "w: '1'", "n1")
	  POD("p", "", AFFINITY("podAffinity", "{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {x: '1'}}}, {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {w: '1'}}}")), NULL,
	  "0/1 nodes are available: 1 node(s) didn't match pod affinity rules." HELPLESS("1") },
	{ "the first pod of a series with affinity to itself", NODE("n1", "kubernetes.io/hostname: n1", ROOM("8", "")) POD("p", "x: '1'", AFFINITY("podAffinity", "{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {x: '1'}}}")), "n1", NULL },
	{ "mismatchLabelKeys: those of the same value do not repel", NODE("n1", "kubernetes.io/hostname: n1", ROOM("8", "")) ON("a", "x: '1', tenant: t", "n1")
	  POD("p", "x: '1', tenant: t", AFFINITY("podAntiAffinity", "{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {x: '1'}}, mismatchLabelKeys: [tenant]}")), "n1", NULL },
	{ "mismatchLabelKeys: those of another value do", NODE("n1", "kubernetes.io/hostname: n1", ROOM("8", "")) ON("a", "x: '1', tenant: u", "n1")
	  POD("p", "x: '1', tenant: t", AFFINITY("podAntiAffinity", "{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {x: '1'}}, mismatchLabelKeys: [tenant]}")), NULL,
	  "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules." NOBODY("1") },
	/* nodeaffinity/node_affinity_test.go TestNodeAffinity */
	{ "missing labels", NODE("n1", "", ROOM("8", "")) POD("p", "", "nodeSelector: {foo: bar}, " PLAIN), NULL, "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." HELPLESS("1") },
	{ "node labels are superset", NODE("n1", "foo: bar, baz: blah", ROOM("8", "")) POD("p", "", "nodeSelector: {foo: bar}, " PLAIN), "n1", NULL },
	{ "node labels are subset", NODE("n1", "foo: bar", ROOM("8", "")) POD("p", "", "nodeSelector: {foo: bar, baz: blah}, " PLAIN), NULL, NULL },
	{ "matchExpressions using In that matches", NODE("n1", "foo: bar", ROOM("8", "")) POD("p", "", NEAR(EXPR("foo", "In", "bar, value2"))), "n1", NULL },
	{ "matchExpressions using Gt that matches", NODE("n1", "kernel-version: '0206'", ROOM("8", "")) POD("p", "", NEAR(EXPR("kernel-version", "Gt", "'0204'"))), "n1", NULL },
	{ "matchExpressions using Gt, the label is no number", NODE("n1", "kernel-version: a", ROOM("8", "")) POD("p", "", NEAR(EXPR("kernel-version", "Gt", "'0204'"))), NULL, NULL },
	{ "matchExpressions using NotIn that matches", NODE("n1", "mem-type: DDR2", ROOM("8", "")) POD("p", "", NEAR(EXPR("mem-type", "NotIn", "DDR, DDR2"))), NULL, NULL },
	{ "matchExpressions using NotIn, without the label", NODE("n1", "", ROOM("8", "")) POD("p", "", NEAR(EXPR("mem-type", "NotIn", "DDR"))), "n1", NULL },
	{ "matchExpressions using Exists that matches", NODE("n1", "GPU: NVIDIA-GRID-K1", ROOM("8", "")) POD("p", "", NEAR("{matchExpressions: [{key: GPU, operator: Exists}]}")), "n1", NULL },
	{ "affinity that does not match", NODE("n1", "foo: bar", ROOM("8", "")) POD("p", "", NEAR(EXPR("foo", "In", "value1, value2"))), NULL, NULL },
	{ "a nil []NodeSelectorTerm in affinity", NODE("n1", "foo: bar", ROOM("8", "")) POD("p", "", NEAR("")), NULL, NULL },
	{ "an empty term matches nothing", NODE("n1", "foo: bar", ROOM("8", "")) POD("p", "", NEAR("{}")), NULL, NULL },
	{ "empty matchExpressions are no match", NODE("n1", "foo: bar", ROOM("8", "")) POD("p", "", NEAR("{matchExpressions: []}")), NULL, NULL },
	{ "multiple matchExpressions are ANDed", NODE("n1", "GPU: NVIDIA-GRID-K1", ROOM("8", "")) POD("p", "", NEAR("{matchExpressions: [{key: GPU, operator: Exists}, {key: GPU, operator: NotIn, values: [AMD, INTER]}]}")), "n1", NULL },
	{ "multiple matchExpressions are ANDed, no match", NODE("n1", "GPU: NVIDIA-GRID-K1", ROOM("8", "")) POD("p", "", NEAR("{matchExpressions: [{key: GPU, operator: Exists}, {key: GPU, operator: In, values: [AMD, INTER]}]}")), NULL, NULL },
	{ "multiple NodeSelectorTerms are ORed", NODE("n1", "foo: bar", ROOM("8", "")) POD("p", "", NEAR(EXPR("foo", "In", "bar") ", " EXPR("diffkey", "In", "wrong"))), "n1", NULL },
	{ "both the affinity and the nodeSelector must match", NODE("n1", "foo: barrrrrr", ROOM("8", "")) POD("p", "", "nodeSelector: {foo: bar}, " NEAR("{matchExpressions: [{key: foo, operator: Exists}]}")), NULL, NULL },
	{ "matchFields with In operator", NODE("node1", "", ROOM("8", "")) POD("p", "", NEAR("{matchFields: [{key: metadata.name, operator: In, values: [node1]}]}")), "node1", NULL },
	{ "matchFields that does not match", NODE("node2", "", ROOM("8", "")) POD("p", "", NEAR("{matchFields: [{key: metadata.name, operator: In, values: [node1]}]}")), NULL, NULL },
	{ "two terms: matchFields does not match, but matchExpressions match", NODE("node2", "foo: bar", ROOM("8", "")) POD("p", "", NEAR("{matchFields: [{key: metadata.name, operator: In, values: [node1]}]}, " EXPR("foo", "In", "bar"))), "node2", NULL },
	{ "one term: matchFields does not match, but matchExpressions match", NODE("node2", "foo: bar", ROOM("8", ""))
	  POD("p", "", NEAR("{matchFields: [{key: metadata.name, operator: In, values: [node1]}], matchExpressions: [{key: foo, operator: In, values: [bar]}]}")), NULL, NULL },
	/* interpodaffinity/filtering_test.go TestRequiredAffinitySingleNode, TestRequiredAffinityMultipleNodes */
	{ "satisfied by In against an existing pod", HOST1 ON("a", "service: securityscan", "n1") POD("p", "security: S2", AFFINITY("podAffinity", TERM("region", "{matchExpressions: [{key: service, operator: In, values: [securityscan, value2]}]}"))), "n1", NULL },
	{ "satisfied by NotIn against an existing pod", HOST1 ON("a", "service: securityscan", "n1") POD("p", "security: S2", AFFINITY("podAffinity", TERM("region", "{matchExpressions: [{key: service, operator: NotIn, values: [securityscan3, value3]}]}"))), "n1", NULL },
	{ "diff Namespace", HOST1 ON("a", "service: securityscan", "n1") POD("p", "security: S2", AFFINITY("podAffinity", "{topologyKey: region, namespaces: [DiffNameSpace], labelSelector: {matchLabels: {service: securityscan}}}")), NULL,
	  "0/1 nodes are available: 1 node(s) didn't match pod affinity rules." HELPLESS("1") },
	{ "no labels match", HOST1 ON("a", "service: securityscan", "n1") POD("p", "security: S2", AFFINITY("podAffinity", TERM("region", "{matchLabels: {service: antivirusscan}}"))), NULL, NULL },
	{ "multiple terms, one of them not satisfied", HOST1 ON("a", "service: securityscan", "n1")
	  POD("p", "security: S2", AFFINITY("podAffinity", TERM("region", "{matchLabels: {service: securityscan}}") ", " TERM("region", "{matchLabels: {wrong: wrong}}"))), NULL, NULL },
	{ "anti-affinity: no pod there matches", HOST1 ON("a", "service: securityscan", "n1") POD("p", "", AFFINITY("podAntiAffinity", TERM("region", "{matchLabels: {service: antivirusscan}}"))), "n1", NULL },
	{ "anti-affinity of an existing pod keeps it away", HOST1 POD("a", "service: securityscan", "nodeName: n1, " AFFINITY("podAntiAffinity", TERM("region", "{matchLabels: {security: S2}}"))) POD("p", "security: S2", PLAIN), NULL,
	  "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules." NOBODY("1") },
	{ "pods with affinity to themselves cannot go where the key is missing", NODE("n1", "", ROOM("8", "")) POD("p", "service: x", AFFINITY("podAffinity", TERM("region", "{matchLabels: {service: x}}"))), NULL,
	  "0/1 nodes are available: 1 node(s) didn't match pod affinity rules." HELPLESS("1") },
	{ "namespaceSelector {} is all namespaces", HOST1 OTHER("a", "ns1", "service: x") POD("p", "", AFFINITY("podAffinity", "{topologyKey: region, namespaceSelector: {}, labelSelector: {matchLabels: {service: x}}}")), "n1", NULL },
	{ "no namespaceSelector is the pod's own", HOST1 OTHER("a", "ns1", "service: x") POD("p", "", AFFINITY("podAffinity", "{topologyKey: region, labelSelector: {matchLabels: {service: x}}}")), NULL, NULL },
	{ "anti-affinity by topology: the same zone", TWO_ZONES ON("a", "foo: abc", "nodeA") POD("p", "", AFFINITY("podAntiAffinity", TERM("zone", "{matchExpressions: [{key: foo, operator: In, values: [abc]}]}"))), "nodeC", NULL },
	{ "anti-affinity: all nodes are of the zone", NODE("nodeA", "zone: az1", ROOM("8", "")) NODE("nodeB", "zone: az1", ROOM("8", "")) ON("a", "foo: abc", "nodeA") POD("p", "", AFFINITY("podAntiAffinity", TERM("zone", "{matchLabels: {foo: abc}}"))), NULL,
	  "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules." NOBODY("2") },
	{ "a terminating pod keeps away as well", HOST1 "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {foo: abc}, finalizers: [a.b/c], deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30}, spec: {nodeName: n1, " PLAIN "}}\n---\n"
	  POD("p", "", AFFINITY("podAntiAffinity", TERM("region", "{matchLabels: {foo: abc}}"))), NULL, NULL },
	/* podtopologyspread/filtering_test.go TestSingleConstraint, TestMultipleConstraints */
	{ "no existing pods", ZONES POD("p", "foo: ''", SPREAD("")), "node-a", NULL },
	{ "pods spread across zones as 3/3, node without the key", NODE("node-a", "zone: zone1", ROOM("1", "")) NODE("node-b", "", ROOM("8", "")) ON("a", "foo: ''", "node-a") POD("p", "foo: ''", "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, "
	  "whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {foo: ''}}}], " ASKS("cpu: '2'")), NULL,
	  "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints (missing required label)." HELPLESS("2") },
	{ "pods spread as 2/1: only the smaller zone", ZONES ON("a", "foo: ''", "node-a") ON("b", "foo: ''", "node-b") ON("x", "foo: ''", "node-x") POD("p", "foo: ''", SPREAD("")), "node-y", NULL },
	{ "a pod that its own selector does not match counts nothing for itself", NODE("node-a", "zone: zone1", ROOM("8", "")) NODE("node-x", "zone: zone2", "spec: {unschedulable: true}, " ROOM("8", "")) ON("a", "foo: ''", "node-a") POD("p", "bar: ''", SPREAD("")), "node-a", NULL },
	/* nodeunschedulable, nodename, nodeports, tainttoleration */
	{ "unschedulable", NODE("n1", "", "spec: {unschedulable: true}, " ROOM("8", "")) POD("p", "", PLAIN), NULL, "0/1 nodes are available: 1 node(s) were unschedulable." HELPLESS("1") },
	{ "unschedulable, tolerated", NODE("n1", "", "spec: {unschedulable: true}, " ROOM("8", "")) POD("p", "", "tolerations: [{key: node.kubernetes.io/unschedulable, effect: NoSchedule}], " PLAIN), "n1", NULL },
	{ "a taint that is not tolerated", NODE("n1", "", "spec: {taints: [{key: dedicated, value: user1, effect: NoSchedule}]}, " ROOM("8", "")) POD("p", "", PLAIN), NULL,
	  "0/1 nodes are available: 1 node(s) had untolerated taint(s)." HELPLESS("1") },
	{ "tolerated by Exists of all keys", NODE("n1", "", "spec: {taints: [{key: dedicated, value: user1, effect: NoSchedule}]}, " ROOM("8", "")) POD("p", "", "tolerations: [{operator: Exists}], " PLAIN), "n1", NULL },
	{ "the value differs", NODE("n1", "", "spec: {taints: [{key: dedicated, value: user1, effect: NoSchedule}]}, " ROOM("8", "")) POD("p", "", "tolerations: [{key: dedicated, operator: Equal, value: user2, effect: NoSchedule}], " PLAIN), NULL, NULL },
	{ "PreferNoSchedule keeps nobody away", NODE("n1", "", "spec: {taints: [{key: dedicated, effect: PreferNoSchedule}]}, " ROOM("8", "")) POD("p", "", PLAIN), "n1", NULL },
	{ "a host port that is taken", HOST1 POD("a", "", "nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 8080}]}]") POD("p", "", "containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 8080}]}]"), NULL,
	  "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports." NOBODY("1") },
	{ "too many pods", NODE("n1", "", "status: {allocatable: {cpu: '8', memory: 8Gi, pods: '1'}}") ON("a", "", "n1") POD("p", "", PLAIN), NULL, "0/1 nodes are available: 1 Too many pods." NOBODY("1") },
	{ "several lacks of one node", NODE("n1", "", ROOM("1", "")) POD("p", "", ASKS("cpu: '2', memory: 9Gi")), NULL, "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory." HELPLESS("1") },
	/* schedulinggates/scheduling_gates_test.go, defaultpreemption/default_preemption_test.go */
	{ "pod with scheduling gates", NODE("n1", "", ROOM("8", "")) POD("p", "", "schedulingGates: [{name: foo}], " PLAIN), NULL, "Scheduling is blocked due to non-empty scheduling gates" },
	{ "pod with preemption policy 'never'", NODE("n1", "", ROOM("1", "")) POD("q", "", "nodeName: n1, " ASKS("cpu: '1'")) POLITE
	  POD("p", "", "priorityClassName: polite, " ASKS("cpu: '1'")), NULL,
	  "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never." },
};

TEST(pods_go_where_upstreams_tables_say)
{
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_new(1);
		const struct condition *why;
		struct pod *p;

		x.lax = true;
		cell_apply(&x, table[k].yaml);
		cell_settle(&x);
		p = cell_pod(&x, "p");
		why = p ? condition_get(&p->conditions, "PodScheduled") : NULL;
		if (!p || !streq(p->node, table[k].node))
			fprintf(stderr, "\n%s: on %s\n", table[k].name, p && p->node ? p->node : "no node");
		CU_ASSERT(p && streq(p->node, table[k].node));
		if (table[k].why)
			SAME_TEXT(why ? why->message : "", table[k].why);
		cell_free(&x);
	}
}

/* SelectVictimsOnNode, pickOneNodeForPreemption, executor.go */
TEST(lower_pods_make_room)
{
	struct cell x = cell_new(1);

	x.lax = true;
	cell_apply(&x, NODE("a", "", ROOM("4", "")) NODE("b", "", ROOM("4", ""))
			       "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 100}\n---\n"
			       "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: mid}, value: 50}\n---\n"
			       POD("a-mid", "", "priorityClassName: mid, nodeName: a, " ASKS("cpu: '4'")) POD("b-small", "", "nodeName: b, " ASKS("cpu: '1'")) POD("b-large", "", "nodeName: b, " ASKS("cpu: '3'")));
	cell_settle(&x);
	cell_apply(&x, POD("p", "", "priorityClassName: high, " ASKS("cpu: '2'")));
	control_advance(x.t, SECONDS(60));
	CU_ASSERT(cell_pod(&x, "p") && streq(cell_pod(&x, "p")->node, "b"));    /* the lowest highest victim is there */
	CU_ASSERT(cell_pod(&x, "a-mid") && cell_pod(&x, "b-small"));            /* and one of the two may stay */
	CU_ASSERT(!cell_pod(&x, "b-large") || cell_pod(&x, "b-large")->o.gone);
	CU_ASSERT_EQUAL(cell_events(&x, "Preempted"), 1);
	SAME_TEXT(cell_event(&x, "FailedScheduling"), "0/2 nodes are available: 2 Insufficient cpu.");
	cell_free(&x);
}

TEST(a_pod_whose_gates_are_gone_is_scheduled)
{
	struct cell x = cell_new(1);

	x.lax = true;
	cell_apply(&x, NODE("n1", "", ROOM("8", "")) POD("p", "", "schedulingGates: [{name: foo}], " PLAIN));
	cell_settle(&x);
	CU_ASSERT(!cell_pod(&x, "p")->node);
	CU_ASSERT_EQUAL(cell_events(&x, "FailedScheduling"), 0);
	cell_apply(&x, POD("p", "", "schedulingGates: [], " PLAIN));
	cell_settle(&x);
	CU_ASSERT(streq(cell_pod(&x, "p")->node, "n1"));
	cell_free(&x);
}

TEST(what_a_pod_asks_for_is_added_up_in_one_way)
{
	static const struct { const char *spec; int64_t cpu, limit; } rows[] = {        /* component-helpers/resource/helpers_test.go TestPodRequestsAndLimits… */
		{ ASKS("cpu: 1"), 1000, 0 },
		{ "initContainers: [{name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 1}, limits: {cpu: 2}}}, {name: j, image: i, resources: {requests: {cpu: 3}}}], " ASKS("cpu: 1"), 4000, 2000 },
		{ "initContainers: [{name: j, image: i, resources: {requests: {cpu: 3}}}, {name: s, image: i, restartPolicy: Always, resources: {requests: {cpu: 1}}}], " ASKS("cpu: 1"), 3000, 0 },
		{ "overhead: {cpu: 500m}, " ASKS("cpu: 1"), 1500, 0 },
		{ "resources: {requests: {cpu: 2}, limits: {cpu: 3}}, " ASKS("cpu: 1"), 2000, 3000 },
		{ "resources: {limits: {cpu: 3}}, " ASKS("cpu: 1"), 1000, 3000 },
		{ "resources: {limits: {cpu: 3}}, " PLAIN, 3000, 3000 },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);

		x.lax = true;
		cell_apply(&x, arena_printf(x.a, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {%s}}", rows[k].spec));
		CU_ASSERT_EQUAL(pod_amount(cell_pod(&x, "p")->spec, "cpu", false), rows[k].cpu);
		CU_ASSERT_EQUAL(pod_amount(cell_pod(&x, "p")->spec, "cpu", true), rows[k].limit);
		cell_free(&x);
	}
}

/* pkg/kubelet/lifecycle/predicate_test.go TestGeneralPredicates, TestAdmit… : Pods that are bound past the scheduler. */
TEST(the_kubelet_rejects_what_does_not_fit)
{
	static const struct { const char *name, *yaml, *reason, *message; } rows[] = {
		{ "not enough cpu", NODE("n1", "", ROOM("2", "")) POD("q", "", "nodeName: n1, " ASKS("cpu: 1500m")) POD("p", "", "nodeName: n1, " ASKS("cpu: '1'")), "OutOfcpu",
		  "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 1500, capacity: 2000" },
		{ "not enough memory", NODE("n1", "", ROOM("2", "")) POD("p", "", "nodeName: n1, " ASKS("memory: 9Gi")), "OutOfmemory",
		  "Pod was rejected: Node didn't have enough resource: memory, requested: 9663676416, used: 0, capacity: 8589934592" },
		{ "too many pods", NODE("n1", "", "status: {allocatable: {pods: '1'}}") ON("q", "", "n1") ON("p", "", "n1"), "OutOfpods", "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1" },
		{ "host ports", NODE("n1", "", ROOM("2", "")) POD("q", "", "nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]")
		  POD("p", "", "nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]"), "NodePorts",
		  "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports" },
		{ "NoExecute", NODE("n1", "", "spec: {taints: [{key: k, effect: NoExecute}]}, " ROOM("2", "")) ON("p", "", "n1"), NULL, NULL },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		const struct pod *p;

		x.lax = true;
		cell_apply(&x, rows[k].yaml);
		cell_settle(&x);
		p = cell_pod(&x, "p");
		if (rows[k].reason) {
			CU_ASSERT(p && p->phase == POD_FAILED && !ip_set(p->ip));
			SAME_TEXT(p && p->reason ? p->reason : rows[k].name, rows[k].reason);
			SAME_TEXT(p && p->message ? p->message : rows[k].name, rows[k].message);
		} else {
			CU_ASSERT(!p || p->o.gone || p->phase == POD_FAILED);   /* rejected, or sent away at once by the taint's own controller */
		}
		cell_free(&x);
	}
}
