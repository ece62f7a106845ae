/* Which containers are started again: pkg/api/v1/pod/util_test.go TestContainerShouldRestart, TestFindMatchingContainerRestartRule; pkg/kubelet/kubelet_pods_test.go TestPodPhaseWithRestartAlways…;
 * documentation of pod lifecycle, "Individual container restart policy and rules". */
#include "tests/conformance/placing.h"
#include "tests/unit/cell.h"

#define RULE(action, op, values) "{action: " action ", exitCodes: {operator: " op ", values: [" values "]}}"

static const struct { const char *pod, *own, *rules; int32_t exit; bool again; } rows[] = {
	{ "Never", "Never", RULE("Restart", "In", "42"), 42, true }, { "Never", "Never", RULE("Restart", "In", "42"), 1, false },
	{ "Never", "OnFailure", RULE("Restart", "In", "42"), 1, true }, { "Never", "OnFailure", RULE("Restart", "In", "42"), 0, false },
	{ "Never", "Never", RULE("Restart", "NotIn", "0, 1, 2"), 3, true }, { "Never", "Never", RULE("Restart", "NotIn", "0, 1, 2"), 2, false },
	{ "Never", "Never", RULE("Restart", "In", "1") ", " RULE("Restart", "NotIn", "2"), 3, true }, { "Never", "Never", RULE("RestartAllContainers", "In", "42"), 42, true },
	{ "Always", "Never", NULL, 1, false }, { "Always", "OnFailure", NULL, 0, false }, { "OnFailure", "Always", NULL, 0, true }, { "Never", "Always", NULL, 0, true },
	{ "Always", NULL, NULL, 0, true }, { "OnFailure", NULL, NULL, 1, true }, { "OnFailure", NULL, NULL, 0, false }, { "Never", NULL, NULL, 1, false }, { NULL, NULL, NULL, 0, true },
};

static const char *spec_of(struct cell *x, size_t k)
{
	return arena_printf(x->a, "%s%s%scontainers: [{name: c, image: i%s%s%s%s%s}]", rows[k].pod ? "restartPolicy: " : "", rows[k].pod ? rows[k].pod : "", rows[k].pod ? ", " : "",
			    rows[k].own ? ", restartPolicy: " : "", rows[k].own ? rows[k].own : "", rows[k].rules ? ", restartPolicyRules: [" : "", rows[k].rules ? rows[k].rules : "", rows[k].rules ? "]" : "");
}

TEST(containers_are_started_again_by_their_rules)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		const struct pod_spec *s;

		cell_apply(&x, arena_printf(x.a, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {%s}}", spec_of(&x, k)));
		s = cell_pod(&x, "p")->spec;
		CU_ASSERT_EQUAL(container_restarts(s, &s->containers.v[0], rows[k].exit), rows[k].again);
		if (container_restarts(s, &s->containers.v[0], rows[k].exit) != rows[k].again)
			fprintf(stderr, "\n%s\n", spec_of(&x, k));
		cell_free(&x);
	}
}

#define TWO(policy, rules) "{apiVersion: v1, kind: Pod, metadata: {name: p, annotations: {podwire.io/w.exits: '42 after 20s', podwire.io/s.exits: '0 after 30s'}}, spec: {restartPolicy: Never, " \
	"initContainers: [{name: i, image: busybox, command: [sleep, '2']}], containers: [{name: w, image: i, restartPolicy: " policy ", restartPolicyRules: [" rules "]}, {name: s, image: i}]}}\n"

/* The Pod with that rule once it has its address, which it keeps. */
static const struct pod *begun(struct cell *x, const char *manifest, ip_addr *ip)
{
	const struct pod *p;

	cell_apply(x, manifest);
	control_advance(x->t, SECONDS(10));
	p = cell_pod(x, "p");
	*ip = p->ip;
	return p;
}

/* A rule of one container leaves the other alone, and the Pod goes on for as long as one of them comes again. */
TEST(a_container_with_a_rule_comes_again_in_a_pod_that_never_restarts)
{
	struct cell x = cell_new(1);
	ip_addr ip;
	const struct pod *p = begun(&x, NODE("n1", "", ROOM("8", "")) TWO("Never", RULE("Restart", "In", "42")), &ip);

	control_advance(x.t, SECONDS(100));
	CU_ASSERT(p->phase == POD_RUNNING && p->statuses.v[1].restarts >= 1 && p->statuses.v[2].state == CS_TERMINATED && p->statuses.v[2].restarts == 0);
	CU_ASSERT(p->statuses.v[0].restarts == 0 && ip_eq(p->ip, ip));
	cell_free(&x);
}

TEST(a_container_without_a_rule_for_its_code_ends_the_pod)
{
	struct cell x = cell_new(1);

	cell_apply(&x, NODE("n1", "", ROOM("8", "")) TWO("Never", RULE("Restart", "In", "7")));
	control_advance(x.t, SECONDS(100));
	CU_ASSERT(cell_pod(&x, "p")->phase == POD_FAILED && cell_pod(&x, "p")->statuses.v[1].restarts == 0);
	cell_free(&x);
}

/* In place: every container again, the init container too; the address stays. */
TEST(one_exit_code_restarts_all_containers)
{
	struct cell x = cell_new(1);
	ip_addr ip;
	const struct pod *p = begun(&x, NODE("n1", "", ROOM("8", "")) TWO("Never", RULE("RestartAllContainers", "In", "42")), &ip);

	control_advance(x.t, SECONDS(25));
	CU_ASSERT(p->phase == POD_RUNNING && ip_eq(p->ip, ip));
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		CU_ASSERT_EQUAL(p->statuses.v[k].restarts, 1);
	CU_ASSERT_EQUAL(cell_events(&x, "SandboxChanged"), 0);
	cell_free(&x);
}
