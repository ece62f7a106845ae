/* Addresses for nodes and Pods: units/01, 04, 05. */
#include "model/control/ipam.h"
#include "tests/conformance/units.h"

static struct cidr cidr(const char *s)
{
	struct cidr c = { 0 };

	CU_ASSERT(cidr_parse(s, &c));
	return c;
}

static ip_addr ip(const char *s)
{
	ip_addr a = { 0 };

	CU_ASSERT(!s || ip_parse(s, &a));
	return a;
}

static struct cidr_set set_of(struct arena *a, const struct val *c)
{
	struct cidr_set s;

	CASE_ASSERT(c, cidr_set_init(&s, a, cidr(val_str_at(c, "given.controllerManager.clusterCIDR")),
				     (uint8_t)val_int_or(val_path(c, "given.controllerManager.nodeCIDRMaskSize"), 0)));
	return s;
}

static void nodes_come_and_go(struct arena *a, const struct val *c)
{
	struct cidr_set s = set_of(a, c);
	struct { const char *name; struct cidr cidr; } had[8];
	uint32_t nr = 0;

	VAL_EACH(step, val_path(c, "given.steps")) {
		const char *name = strchr(step->s, ' ') + 1;
		const struct val *want = val_get(val_path(c, "expect.podCIDR"), name);
		struct cidr got = { 0 };

		if (strncmp(step->s, "add", 3) == 0) {
			bool ok = cidr_set_next(&s, &got);

			CASE_ASSERT(c, ok == (val_str(want) != NULL));
			CASE_ASSERT(c, !ok || strcmp(CIDR(got), val_str(want)) == 0);
			had[nr].name = name;
			had[nr++].cidr = got;
			continue;
		}
		for (uint32_t k = 0; k < nr; k++)
			if (strcmp(had[k].name, name) == 0)
				CASE_ASSERT(c, cidr_set_release(&s, had[k].cidr));
	}
}

static void many_nodes(struct arena *a, const struct val *c)
{
	struct cidr_set s = set_of(a, c);
	struct cidr first[256], got;

	for (uint32_t k = 0; k < 256; k++)
		CASE_ASSERT(c, cidr_set_next(&s, &first[k]));
	CASE_ASSERT(c, strcmp(CIDR(first[0]), val_str_at(c, "expect.first")) == 0);
	CASE_ASSERT(c, strcmp(CIDR(first[255]), val_str_at(c, "expect.last")) == 0);
	CASE_ASSERT(c, !cidr_set_next(&s, &got));
	for (uint32_t k = 0; k < 256; k++)
		cidr_set_release(&s, first[k]);
	for (uint32_t k = 0; k < 256; k++)
		CASE_ASSERT(c, cidr_set_next(&s, &got) && ip_eq(got.addr, first[k].addr));
}

static void upper_half(struct arena *a, const struct val *c)
{
	struct cidr_set s = set_of(a, c);
	struct cidr all[256], got;

	for (uint32_t k = 0; k < 256; k++)
		cidr_set_next(&s, &all[k]);
	for (uint32_t k = 0; k < 256; k++)
		cidr_set_release(&s, all[k]);
	for (uint32_t k = 128; k < 256; k++)
		cidr_set_occupy(&s, all[k]);
	for (uint32_t k = 0; k < 128; k++)
		CASE_ASSERT(c, cidr_set_next(&s, &got) && ip_eq(got.addr, all[k].addr));
	CASE_ASSERT(c, !cidr_set_next(&s, &got));
}

static void overlaps(struct arena *a, const struct val *c)
{
	struct cidr_set s = set_of(a, c);
	uint32_t n = 0;
	struct cidr got;

	VAL_EACH(step, val_path(c, "given.steps")) {
		struct cidr what = cidr(strchr(step->s, ' ') + 1);

		CASE_ASSERT(c, step->s[0] == 'o' ? cidr_set_occupy(&s, what) : cidr_set_release(&s, what));
		CASE_ASSERT(c, s.used == val_int_or(val_at(val_path(c, "expect.usedAfterEachStep"), n++), -1));
	}
	for (n = 0; cidr_set_next(&s, &got); n++)
		;
	CASE_ASSERT(c, n == val_int_or(val_path(c, "expect.stillAllocatable"), -1));
}

static void spans(const struct val *c, const char *answers, bool both)
{
	const struct val *want = val_path(c, answers)->first;

	VAL_EACH(row, val_path(c, "given.rows")) {
		struct cidr_set s = { .cluster = cidr(val_str(val_at(row, 0))), .node_len = (uint8_t)val_int_or(val_at(row, 1), 0) };
		uint32_t first, last;

		if (val_str(want)) {
			CASE_ASSERT(c, !cidr_set_span(&s, cidr(val_str(val_at(row, 2))), &first, &last));
		} else {
			CASE_ASSERT(c, cidr_set_span(&s, cidr(val_str(val_at(row, 2))), &first, &last));
			CASE_ASSERT(c, first == val_int_or(both ? val_at(want, 0) : want, -1));
			CASE_ASSERT(c, !both || last == val_int_or(val_at(want, 1), -1));
		}
		want = want->next;
	}
}

TEST(node_ranges)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "01-node-podcidr");

	if (all) {
		nodes_come_and_go(a, unit_case(all, "cidr-01-one-block"));
		nodes_come_and_go(a, unit_case(all, "cidr-02-one-block-v6"));
		many_nodes(a, unit_case(all, "cidr-04-256-nodes"));
		upper_half(a, unit_case(all, "cidr-06-occupied-upper-half"));
		overlaps(a, unit_case(all, "cidr-07-double-occupy"));
		spans(unit_case(all, "cidr-08-bit-of-range"), "expect.index", false);
		spans(unit_case(all, "cidr-09-occupy-wide"), "expect.firstAndLastIndex", true);
	}
	arena_free(a);
}

TEST(a_released_range_comes_round_last)
{
	struct arena *a = arena_new(NULL, "test");
	struct cidr_set s;
	struct cidr got;

	cidr_set_init(&s, a, cidr("10.244.0.0/16"), 24);
	for (int k = 0; k < 3; k++)
		cidr_set_next(&s, &got);
	cidr_set_release(&s, cidr("10.244.1.0/24"));
	cidr_set_next(&s, &got);
	SAME_TEXT(CIDR(got), "10.244.3.0/24");
	arena_free(a);
}

/* ---- host-local */

static bool listed(void *ctx, ip_addr a)
{
	VAL_EACH(t, (const struct val *)ctx)
		if (ip_eq(ip(t->s), a))
			return true;
	return false;
}

TEST(host_local_goes_round)
{
	struct arena *a = arena_new(NULL, "test");

	VAL_EACH(c, unit_cases(a, "04-host-local")) {
		struct local_range r[4];
		uint32_t nr = 0;
		ip_addr got;

		if (!val_path(c, "given.onDisk"))
			continue;
		VAL_EACH(one, val_at(val_path(c, "given.cniConfig.ipam.ranges"), 0))
			r[nr++] = local_range_of(cidr(val_str_at(one, "subnet")));
		CASE_ASSERT(c, local_next(r, nr, ip(val_str(val_get(val_path(c, "given.onDisk"), "last_reserved_ip.0"))), listed,
					  (void *)(uintptr_t)val_path(c, "given.onDisk.taken"), &got));
		CASE_ASSERT(c, strcmp(IP(got), val_str_at(c, "expect.ip")) == 0);
	}
	arena_free(a);
}

static bool never(void *ctx, ip_addr a)
{
	(void)ctx;
	(void)a;
	return false;
}

static bool always(void *ctx, ip_addr a)
{
	(void)ctx;
	(void)a;
	return true;
}

TEST(host_local_reuses_late_and_ends)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "04-host-local"), *c = unit_case(all, "hl-16-no-immediate-reuse");
	struct local_range r = local_range_of(cidr("192.168.1.0/29")), node = local_range_of(cidr("10.244.1.0/24"));
	ip_addr one, two = { 0 }, last = { 0 };
	uint32_t n = 0;

	CU_ASSERT(local_next(&r, 1, (ip_addr){ 0 }, never, NULL, &one) && local_next(&r, 1, one, never, NULL, &two));
	SAME_TEXT(IP(one), val_str_at(c, "expect.c1"));
	SAME_TEXT(IP(two), val_str_at(c, "expect.c2"));
	c = unit_case(all, "hl-18-podCIDR-24");
	do
		n += local_next(&node, 1, last, never, NULL, &last);
	while (!ip_eq(last, ip("10.244.1.254")));
	CASE_ASSERT(c, n == val_int_or(val_path(c, "expect.count"), 0));
	CU_ASSERT(!local_next(&node, 1, last, always, NULL, &last));
	SAME_TEXT(local_full(&node, 1, a), "no IP addresses available in range set: 10.244.1.1-10.244.1.254");
	arena_free(a);
}

/* ---- Calico */

static struct calico_ipam ipam_new(struct arena *a, const struct val *c)
{
	return (struct calico_ipam){ .arena = a, .max_blocks = (uint32_t)val_int_or(val_path(c, "given.maxBlocksPerHost"), 20) };
}

static struct calico_pool pool_of(const struct val *c)
{
	const struct val *spec = val_path(c, "given.objects.0.spec");

	return (struct calico_pool){ cidr(val_str_at(spec, "cidr")), (uint8_t)val_int_or(val_get(spec, "blockSize"), 0) };
}

static void fill(struct arena *a, const struct val *c, uint32_t ask)
{
	struct calico_ipam i = ipam_new(a, c);
	struct calico_pool p = pool_of(c);
	enum calico_answer answer = CALICO_OK;
	uint32_t got = 0;
	ip_addr out;

	for (uint32_t k = 0; k < ask && answer == CALICO_OK; k++) {
		answer = calico_assign(&i, &p, 1, calico_host_of(&i, "host-a"), &out);
		got += answer == CALICO_OK;
	}
	CASE_ASSERT(c, got == val_int_or(val_path(c, "expect.assigned"), -1));
	if (val_str_at(c, "expect.error"))
		SAME_TEXT(calico_words(&i, answer, &p, 1, a), val_str_at(c, "expect.error"));
}

static void walk_blocks(struct arena *a, const struct val *c)
{
	const struct val *want = val_path(c, "expect.blocks")->first;

	VAL_EACH(row, val_path(c, "given.rows")) {
		struct calico_pool p = { cidr(val_str(val_at(row, 0))), (uint8_t)val_int_or(val_at(row, 1), 0) };
		uint64_t nr = calico_blocks(&p), first = calico_first_block(&p, "host-a");
		struct map seen = { 0 };

		CASE_ASSERT(c, nr == (uint64_t)val_int_or(want, -1) && first < nr);
		for (uint64_t k = 0; k < nr; k++) {
			struct cidr b = calico_block_at(&p, (first + k) % nr);

			CASE_ASSERT(c, cidr_contains(p.cidr, b.addr));
			CASE_ASSERT(c, ++*map_put(&seen, a, hash_mix(b.addr.hi, b.addr.lo)) == 1);
		}
		want = want->next;
	}
}

static void queue(struct arena *a, const struct val *c)
{
	struct calico_ipam i = ipam_new(a, c);
	struct calico_pool p = pool_of(c);
	ip_addr one, two, three;

	calico_assign(&i, &p, 1, calico_host_of(&i, "host-a"), &one);
	calico_assign(&i, &p, 1, calico_host_of(&i, "host-a"), &two);
	calico_release(&i, &p, 1, one);
	calico_assign(&i, &p, 1, calico_host_of(&i, "host-a"), &three);
	CASE_ASSERT(c, ip_diff(one, ip_mask(one, 26)) == 0 && ip_diff(two, one) == 1 && ip_diff(three, one) == 2);
}

static void claims(struct arena *a, const struct val *c)
{
	struct calico_ipam i = ipam_new(a, c);
	struct calico_pool p = pool_of(c);
	const struct val *want = val_path(c, "expect.rows")->first;

	VAL_EACH(row, val_path(c, "given.rows")) {
		CASE_ASSERT(c, calico_claim(&i, &p, cidr(val_str(val_at(row, 0))), val_str(val_at(row, 1))) == (strncmp(want->s, "error", 5) != 0));
		want = want->next;
	}
}

TEST(calico_gives_addresses_from_blocks)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "05-calico-ipam"), *veth = unit_case(all, "cal-10-veth-name");
	char name[16];

	if (all) {
		fill(a, unit_case(all, "cal-01-block-limit-1"), 256);
		fill(a, unit_case(all, "cal-03-pool-exhausted"), 257);
		fill(a, unit_case(all, "cal-04-v6-limit"), 256);
		claims(a, unit_case(all, "cal-06-claim"));
		walk_blocks(a, unit_case(all, "cal-08-every-block-once"));
		queue(a, unit_case(all, "cal-09-release-fifo"));
		calico_veth_name("cali", "namespace", "podname", name);
		SAME_TEXT(name, val_str_at(veth, "expect.withDefaultPrefix"));
		calico_veth_name(val_str_at(veth, "given.FELIX_INTERFACEPREFIX"), "namespace", "podname", name);
		SAME_TEXT(name, val_str_at(veth, "expect.ifname"));
	}
	arena_free(a);
}

TEST(calico_borrows_when_no_block_is_free_and_affinity_is_not_strict)
{
	struct arena *a = arena_new(NULL, "test");
	struct calico_ipam i = { .arena = a, .max_blocks = 20 };
	struct calico_pool p = { cidr("10.0.0.0/25"), 26 };
	ip_addr out;

	for (int k = 0; k < 65; k++)
		CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "a"), &out) == CALICO_OK);
	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "b"), &out) == CALICO_OK);
	SAME_TEXT(calico_block_of(&i, &p, 1, out)->host, "a");
	i.strict = true;
	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "b"), &out) == CALICO_FULL);
	arena_free(a);
}

/* libcalico-go/lib/ipam/ipam_test.go "AutoAssign: requested IPs vs returned IPs": so many addresses asked for, so many given, and the words for the rest. */
TEST(calico_auto_assigns_as_its_table_says)
{
	static const struct { const char *pool; uint8_t block; uint32_t ask, given, limit; bool strict; const char *words; } rows[] = {
		{ "192.168.1.0/24", 32, 1, 1, 0, false, "" },
		{ "fd80:24e2:f998:72d6::/120", 128, 1, 1, 0, false, "" },
		{ "192.168.0.0/16", 20, 1, 1, 0, false, "" },
		{ "fd80:24e2:f998:72d6::/110", 116, 1, 1, 0, false, "" },
		{ "192.168.1.0/24", 26, 256, 256, 0, false, "" },
		{ "fd80:24e2:f998:72d6::/120", 122, 256, 256, 0, false, "" },
		{ "192.168.1.0/24", 30, 256, 256, 256, false, "" },
		{ "fd80:24e2:f998:72d6::/120", 126, 256, 256, 256, false, "" },
		{ "192.168.1.0/24", 26, 256, 64, 1, false, "Need to allocate an IPAM block but could not - limit of 1 blocks reached for this node" },
		{ "192.168.1.0/24", 26, 256, 128, 2, false, "Need to allocate an IPAM block but could not - limit of 2 blocks reached for this node" },
		{ "fd80:24e2:f998:72d6::/120", 122, 256, 64, 1, false, "Need to allocate an IPAM block but could not - limit of 1 blocks reached for this node" },
		{ "192.168.1.0/24", 26, 257, 256, 0, false, "No IPs available in pools: [192.168.1.0/24]" },
		{ "fd80:24e2:f998:72d6::/120", 122, 257, 256, 0, false, "No IPs available in pools: [fd80:24e2:f998:72d6::/120]" },
		{ "192.168.1.0/26", 26, 256, 64, 0, true, "No more free affine blocks and strict affinity enabled" },
	};
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct calico_ipam i = { .arena = a, .max_blocks = rows[k].limit ? rows[k].limit : 20, .strict = rows[k].strict };
		struct calico_pool p = { cidr(rows[k].pool), rows[k].block };
		enum calico_answer answer = CALICO_OK;
		uint32_t got = 0;
		ip_addr out;

		for (uint32_t n = 0; n < rows[k].ask && answer == CALICO_OK; n++) {
			answer = calico_assign(&i, &p, 1, calico_host_of(&i, "test-host"), &out);
			got += answer == CALICO_OK && cidr_contains(p.cidr, out);
		}
		CU_ASSERT_EQUAL(got, rows[k].given);
		SAME_TEXT(calico_words(&i, answer, &p, 1, a), rows[k].words);
	}
	arena_free(a);
}

/* Tests 5 of that table: the second host has a block of its own; the first takes its last address from there when its own block is empty. */
TEST(calico_fills_its_own_block_first)
{
	struct arena *a = arena_new(NULL, "test");
	struct calico_ipam i = { .arena = a, .max_blocks = 20 };
	struct calico_pool p = { cidr("10.0.0.0/25"), 26 };
	uint32_t own = 0;
	ip_addr first, second, out;

	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host-a"), &first) == CALICO_OK);
	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host-b"), &second) == CALICO_OK);
	CU_ASSERT(!ip_eq(ip_mask(first, 26), ip_mask(second, 26)));
	for (int k = 0; k < 64; k++) {
		CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host-a"), &out) == CALICO_OK);
		own += ip_eq(ip_mask(out, 26), ip_mask(first, 26));
	}
	CU_ASSERT_EQUAL(own, 63);
	SAME_TEXT(calico_block_of(&i, &p, 1, out)->host, "host-b");
	arena_free(a);
}

/* "should respect MaxBlocksPerHost": reached at eight addresses of two blocks, also while another host has a block with room; a third block when the limit is raised. */
TEST(calico_respects_max_blocks_per_host)
{
	struct arena *a = arena_new(NULL, "test");
	struct calico_ipam i = { .arena = a, .max_blocks = 2, .strict = true };
	struct calico_pool p = { cidr("10.0.0.0/28"), 30 };
	ip_addr out;

	for (int k = 0; k < 8; k++)
		CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host1"), &out) == CALICO_OK);
	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host1"), &out) == CALICO_BLOCK_LIMIT);
	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host2"), &out) == CALICO_OK);
	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host1"), &out) == CALICO_BLOCK_LIMIT);
	i.max_blocks = 3;
	CU_ASSERT(calico_assign(&i, &p, 1, calico_host_of(&i, "host1"), &out) == CALICO_OK);
	arena_free(a);
}

/* ipam.go prepareAffinityBlocksForHost: blocks of the other family, and of pools that cannot serve, do not count towards the limit. */
TEST(calico_counts_blocks_that_may_serve)
{
	struct arena *a = arena_new(NULL, "test");
	struct calico_ipam i = { .arena = a, .max_blocks = 1 };
	struct calico_pool v[] = { { cidr("10.0.0.0/30"), 31 }, { cidr("fd00::/126"), 127 }, { cidr("20.0.0.0/30"), 31 } };
	ip_addr out;

	for (size_t k = 0; k < ARRAY_LEN(v); k++) {
		CU_ASSERT(calico_assign(&i, &v[k], 1, calico_host_of(&i, "h"), &out) == CALICO_OK);
		CU_ASSERT(calico_assign(&i, &v[k], 1, calico_host_of(&i, "h"), &out) == CALICO_OK);
		CU_ASSERT(calico_assign(&i, &v[k], 1, calico_host_of(&i, "h"), &out) == CALICO_BLOCK_LIMIT);
	}
	arena_free(a);
}

/* "AutoAssign from different pools - multi": two pools that are asked for are filled one after the other, and then no more. */
TEST(calico_fills_two_pools)
{
	struct arena *a = arena_new(NULL, "test");
	struct calico_ipam i = { .arena = a, .max_blocks = 20 };
	struct calico_pool v[] = { { cidr("10.0.0.0/24"), 26 }, { cidr("20.0.0.0/24"), 26 } };
	enum calico_answer answer = CALICO_OK;
	uint32_t got[2] = { 0 };
	ip_addr out;

	for (uint32_t k = 0; k < 600 && answer == CALICO_OK; k++) {
		answer = calico_assign(&i, v, 2, calico_host_of(&i, "h"), &out);
		if (answer == CALICO_OK)
			got[cidr_contains(v[1].cidr, out)]++;
		CU_ASSERT(k || cidr_contains(v[0].cidr, out));
	}
	CU_ASSERT(got[0] == 256 && got[1] == 256);
	SAME_TEXT(calico_words(&i, answer, v, 2, a), "No IPs available in pools: [10.0.0.0/24 20.0.0.0/24]");
	arena_free(a);
}
