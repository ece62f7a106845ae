/* Which Pods a ReplicaSet takes away first, beyond units/12: the annotation's form, restarts of sidecars, and that the first few of many are those of the whole order. */
#include "model/control/rollout.h"
#include "tests/unit/test.h"

#define NR 200

static struct pod *pod(struct arena *a, uint32_t k)
{
	struct pod *p = arena_make(a, struct pod);

	p->o.name = p->o.uid = arena_printf(a, "%03u", k);
	p->node = "n1";
	p->phase = POD_RUNNING;
	return p;
}

static void annotate(struct arena *a, struct pod *p, const char *cost)
{
	p->o.annotations.v = arena_make(a, struct pair);
	p->o.annotations.v[0] = (struct pair){ "controller.kubernetes.io/pod-deletion-cost", cost };
	p->o.annotations.nr = 1;
}

TEST(deletion_cost_is_a_plain_number)
{
	static const struct { const char *text; int32_t cost; } rows[] = {
		{ "0", 0 }, { "100", 100 }, { "-100", -100 }, { "2147483647", INT32_MAX }, { "-2147483648", INT32_MIN }, { "2147483648", 0 }, { "+10", 0 }, { "008", 0 },
		{ "", 0 }, { "-", 0 }, { "ten", 0 }, { "10 ", 0 }, { "99999999999999999999999", 0 },
	};
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct candidate v = { .pod = pod(a, 0) };

		annotate(a, (struct pod *)(uintptr_t)v.pod, rows[k].text);
		sort_for_deletion(&v, 1, 1, SECONDS(100));
		CU_ASSERT_EQUAL(v.cost, rows[k].cost);
	}
	arena_free(a);
}

TEST(restarts_of_sidecars_count_behind_those_of_containers)
{
	struct arena *a = arena_new(NULL, "test");
	struct container init[] = { { .name = "proxy", .restart_policy = "Always" }, { .name = "copy" } };
	struct pod_spec spec = { .init_containers = { .v = init, .nr = 2 } };
	struct container_status calm[] = { { .name = "proxy", .init = true }, { .name = "copy", .init = true, .restarts = 9 }, { .name = "web", .restarts = 1 } };
	struct container_status shaky[] = { { .name = "proxy", .init = true, .restarts = 3 }, { .name = "copy", .init = true }, { .name = "web", .restarts = 1 } };
	struct container_status worse[] = { { .name = "proxy", .init = true }, { .name = "copy", .init = true }, { .name = "web", .restarts = 2 } };
	struct container_status *statuses[] = { calm, shaky, worse };
	struct candidate v[3] = { 0 };

	for (uint32_t k = 0; k < 3; k++) {
		struct pod *p = pod(a, k);

		p->spec = &spec;
		p->statuses.v = statuses[k];
		p->statuses.nr = 3;
		v[k].pod = p;
	}
	sort_for_deletion(v, 3, 3, SECONDS(100));
	CU_ASSERT_STRING_EQUAL(v[0].pod->o.name, "002");
	CU_ASSERT_STRING_EQUAL(v[1].pod->o.name, "001");
	CU_ASSERT_STRING_EQUAL(deletion_reason(&v[1], &v[2], SECONDS(100)), "more restarts of its sidecars");
	arena_free(a);
}

TEST(the_first_few_of_many_are_those_of_the_whole_order)
{
	static const char *const costs[] = { "0", "-5", "7" };
	struct arena *a = arena_new(NULL, "test");
	struct candidate given[NR] = { 0 }, whole[NR], some[NR];
	uint64_t seed = 7;

	for (uint32_t k = 0; k < NR; k++) {
		struct pod *p = pod(a, k);

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p->phase = seed >> 60 & 1 ? POD_RUNNING : POD_PENDING;
		p->o.created = SECONDS((int64_t)(seed >> 50 & 63));
		annotate(a, p, costs[(seed >> 33) % 3]);
		given[k] = (struct candidate){ .pod = p, .rank = (uint32_t)(seed >> 40 & 3) };
	}
	memcpy(whole, given, sizeof(whole));
	sort_for_deletion(whole, NR, NR, SECONDS(100));
	for (uint32_t first = 0; first <= NR; first += 1 + first / 3) {
		memcpy(some, given, sizeof(some));
		sort_for_deletion(some, NR, first, SECONDS(100));
		for (uint32_t k = 0; k < first; k++)
			CU_ASSERT_PTR_EQUAL(some[k].pod, whole[k].pod);
	}
	arena_free(a);
}
