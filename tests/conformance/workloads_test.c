/* Rolling over: pkg/controller/daemon/update_test.go TestDaemonSetUpdatesPodsWithMaxSurge, statefulset/stateful_set_control_test.go. */
#include "tests/unit/cell.h"

#define DAEMON(image, more) "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}, spec: {selector: {matchLabels: {app: d}}, updateStrategy: {rollingUpdate: {" more "}}, "                 \
			    "template: {metadata: {labels: {app: d}}, spec: {tolerations: [{operator: Exists}], containers: [{name: c, image: '" image "'}]}}}}\n---\n"
#define SET(image, replicas, more) "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {serviceName: s, replicas: " replicas ", " more "selector: {matchLabels: {app: s}}, "  \
				   "template: {metadata: {labels: {app: s}}, spec: {containers: [{name: c, image: '" image "'}]}}}}\n---\n"

struct seen { struct cell *x; uint32_t least, most, nodes; bool done; };

static void count_live(struct seen *s, const char *image)
{
	struct object_list l = cluster_list_ns(s->x->c, &pod_kind, "default");
	uint32_t ready = 0, live = 0, updated = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		if (!streq(label_get(&p->o.labels, "app"), "d") || p->o.deleted != NEVER)
			continue;
		live++;
		ready += pod_is_ready(p);
		updated += streq(p->spec->containers.v[0].image, image) && pod_is_ready(p);
	}
	s->least = MIN(s->least, ready);
	s->most = MAX(s->most, live);
	s->done = updated == s->nodes && live == s->nodes;
}

static bool watch_rollover(void *ctx)
{
	count_live(ctx, "i:2");
	return ((struct seen *)ctx)->done;
}

static struct seen roll_over(struct cell *x, const char *before, const char *after)
{
	struct seen s = { .x = x, .least = UINT32_MAX, .nodes = cluster_count(x->c, &node_kind) };

	cell_apply(x, before);
	cell_settle(x);
	cell_apply(x, after);
	control_advance_until(x->t, SECONDS(600), watch_rollover, &s);
	return s;
}

TEST(a_daemon_that_surges_is_never_without_a_ready_pod)
{
	struct cell x = cell_settled("");
	struct seen s = roll_over(&x, DAEMON("i:1", "maxSurge: 1, maxUnavailable: 0"), DAEMON("i:2", "maxSurge: 1, maxUnavailable: 0"));

	CU_ASSERT(s.done);
	CU_ASSERT_EQUAL(s.least, s.nodes);
	CU_ASSERT_EQUAL(s.most, s.nodes + 1);
	cell_free(&x);
}

TEST(a_daemon_without_surge_has_one_pod_fewer)
{
	struct cell x = cell_settled("");
	struct seen s = roll_over(&x, DAEMON("i:1", "maxUnavailable: 1"), DAEMON("i:2", "maxUnavailable: 1"));

	CU_ASSERT(s.done);
	CU_ASSERT_EQUAL(s.least, s.nodes - 1);
	CU_ASSERT_EQUAL(s.most, s.nodes);
	cell_free(&x);
}

TEST(a_parallel_statefulset_shrinks_at_once)
{
	struct cell x = cell_settled(SET("i:1", "4", "podManagementPolicy: Parallel, "));

	CU_ASSERT(cell_pod(&x, "s-3") != NULL);
	cell_apply(&x, SET("i:1", "2", "podManagementPolicy: Parallel, "));
	cell_settle(&x);
	CU_ASSERT(!cell_pod(&x, "s-2") && !cell_pod(&x, "s-3"));
	cell_free(&x);
}

/* isMemberOf, getParentNameAndOrdinal (stateful_set_utils.go): what bears the labels but not the name is left alone; what has the name but no ordinal is taken, and left alone. */
TEST(a_statefulset_takes_pods_of_its_name_alone)
{
#define STRANGER(name) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {app: s}}, spec: {containers: [{name: c, image: i}]}}\n---\n"
	static const struct { const char *name; bool stays, owned; } rows[] = { { "other", true, false }, { "s-x1", true, false }, { "s--1", true, false }, { "s-99999999999", true, true }, { "s-7", false, false }, { "s-1", true, true } };
	struct cell x = cell_settled(STRANGER("other") STRANGER("s-x1") STRANGER("s--1") STRANGER("s-99999999999") STRANGER("s-7") STRANGER("s-1") SET("i:1", "2", ""));

	control_advance(x.t, SECONDS(60));
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const struct pod *p = cell_pod(&x, rows[k].name);

		CU_ASSERT_EQUAL(p != NULL, rows[k].stays);
		CU_ASSERT(!p || (owner_uid(&p->o) != NULL) == rows[k].owned);
	}
	CU_ASSERT(cell_pod(&x, "s-0") != NULL);
	cell_free(&x);
}

/* More than a cluster may hold are refused at the first that is missing, whatever ordinals there are. */
TEST(a_huge_statefulset_with_a_huge_ordinal_costs_little)
{
	struct cell x = cell_settled(STRANGER("s-1900000000") STRANGER("s-0") SET("i:1", "2000000000", "podManagementPolicy: Parallel, updateStrategy: {type: OnDelete}, "));

	control_advance(x.t, SECONDS(1));
	CU_ASSERT_EQUAL(cluster_list_ns(x.c, &pod_kind, "default").nr, 2);
	CU_ASSERT(strstr(cell_event(&x, "FailedCreate"), "create Pod s-1 in StatefulSet s failed") != NULL);
	cell_free(&x);
}

/* isUnavailable counts minReadySeconds, in updates too. */
TEST(an_updated_pod_is_waited_for_min_ready_seconds)
{
	struct cell x = cell_settled(SET("i:1", "2", "minReadySeconds: 60, "));

	control_advance(x.t, SECONDS(200));
	cell_apply(&x, SET("i:2", "2", "minReadySeconds: 60, "));
	control_advance(x.t, SECONDS(60));
	CU_ASSERT(streq(cell_pod(&x, "s-1")->spec->containers.v[0].image, "i:2"));
	CU_ASSERT(streq(cell_pod(&x, "s-0")->spec->containers.v[0].image, "i:1"));
	control_advance(x.t, SECONDS(90));
	CU_ASSERT(streq(cell_pod(&x, "s-0")->spec->containers.v[0].image, "i:2"));
	cell_free(&x);
}
