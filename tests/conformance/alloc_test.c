/* ClusterIPs and node ports: units/02, 03, the parts that need no API server. */
#include "model/control/alloc.h"
#include "tests/conformance/units.h"

static bool has(void *ctx, ip_addr ip)
{
	return map_find(ctx, hash_mix(ip.hi, ip.lo)) != NULL;
}

static void small(struct arena *a, const struct val *c)
{
	struct map used = { 0 };
	struct cidr cidr;
	struct ip_range r;
	ip_addr ip;

	cidr_parse(val_str_at(c, "given.serviceCIDR"), &cidr);
	r = ip_range_of(cidr);
	VAL_EACH(want, val_path(c, "expect.addresses")) {
		(void)want;
		CASE_ASSERT(c, ip_range_next(&r, 7, has, &used, &ip) == RANGE_OK);
		map_put(&used, a, hash_mix(ip.hi, ip.lo));
	}
	VAL_EACH(want, val_path(c, "expect.addresses")) {
		CASE_ASSERT(c, ip_parse(want->s, &ip) && has(&used, ip));
	}
	SAME_TEXT(range_words[ip_range_next(&r, 7, has, &used, &ip)], val_str_at(c, "expect.third"));
	VAL_EACH(asked, val_path(c, "expect.requestedWhenFull")) {
		ip_parse(asked->key, &ip);
		CASE_ASSERT(c, ip_range_check(&r, ip, has, &used) == RANGE_OUTSIDE);
	}
}

static void requests(struct arena *a, const struct val *c)
{
	const struct val *want = val_path(c, "expect.results")->first;
	struct map used = { 0 };
	struct ip_range r;
	struct cidr cidr;
	ip_addr ip;

	cidr_parse(val_str_at(c, "given.serviceCIDR"), &cidr);
	r = ip_range_of(cidr);
	CASE_ASSERT(c, r.size == (uint64_t)val_int_or(val_path(c, "expect.free"), -1));
	VAL_EACH(asked, val_path(c, "given.requests")) {
		enum range_answer answer;

		ip_parse(asked->s, &ip);
		answer = ip_range_check(&r, ip, has, &used);
		CASE_ASSERT(c, (answer == RANGE_OK) == (strcmp(want->s, "ok") == 0));
		CASE_ASSERT(c, !strstr(want->s, "already") || answer == RANGE_ALLOCATED);
		map_put(&used, a, hash_mix(ip.hi, ip.lo));
		want = want->next;
	}
}

TEST(cluster_ips_come_from_their_bands)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "02-cluster-ip");
	struct map none = { 0 };
	struct cidr cidr;
	struct ip_range r;
	ip_addr ip;

	if (all) {
		small(a, unit_case(all, "cip-03-small"));
		requests(a, unit_case(all, "cip-04-out-of-range"));
		requests(a, unit_case(all, "cip-05-v6"));
		cidr_parse(val_str_at(unit_case(all, "cip-06-slash32"), "given.serviceCIDR"), &cidr);
		r = ip_range_of(cidr);
		CU_ASSERT(r.size == 0 && ip_range_next(&r, 0, has, &none, &ip) == RANGE_FULL && ip_range_check(&r, cidr.addr, has, &none) == RANGE_FULL);
	}
	cidr_parse("10.96.0.0/12", &cidr);
	r = ip_range_of(cidr);
	CU_ASSERT(r.band == 256);
	CU_ASSERT(ip_range_next(&r, 0, has, &none, &ip) == RANGE_OK);
	SAME_TEXT(IP(ip), "10.96.1.1");
	arena_free(a);
}

TEST(node_port_bands)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *c = unit_case(unit_cases(a, "03-node-port"), "np-01-band-size"), *want = c ? val_path(c, "expect.staticBand")->first : NULL;

	VAL_EACH(r, val_path(c, "given.ranges")) {
		CASE_ASSERT(c, node_port_band((uint32_t)val_int_or(val_get(r, "size"), 0)) == val_int_or(want, -1));
		want = want->next;
	}
	arena_free(a);
}
