/* ClusterIPs out of several ServiceCIDRs: pkg/registry/core/service/ipallocator/cidrallocator_test.go. */
#include "tests/unit/cell.h"

static void cidr(struct cell *x, const char *name, const char *range)
{
	cell_apply(x, arena_printf(x->a, "{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: %s}, spec: {cidrs: [%s]}}", name, range));
}

/* A Service of that name, with this ClusterIP or any; NULL: refused. */
static const struct service *ask(struct cell *x, const char *name, const char *ip)
{
	const char *text = arena_printf(x->a, "{apiVersion: v1, kind: Service, metadata: {name: %s}, spec: {%s%s%s ports: [{port: 80}]}}", name, ip ? "clusterIP: " : "", ip ? ip : "", ip ? "," : "");
	struct err err = { 0 };

	docs_read("test.yaml", text, strlen(text), NULL, cell_take, x, &err);
	err_free(&err);
	return (const struct service *)cluster_find(x->c, &service_kind, "default", name);
}

/* How many Services more get an address until there is none; each another. */
static uint32_t fill(struct cell *x, const char *prefix)
{
	struct map seen = { 0 };
	const struct service *s;
	uint32_t nr = 0;
	ip_addr ip;

	while ((s = ask(x, arena_printf(x->a, "%s%u", prefix, nr), NULL))) {
		uint64_t *at;

		CU_ASSERT(ip_parse(s->cluster_ip, &ip));
		at = map_put(&seen, x->a, hash_mix(ip.hi, ip.lo));
		CU_ASSERT(!*at);
		*at = 1;
		nr++;
	}
	return nr;
}

/* TestCIDRAllocateMultiple */
TEST(service_cidrs_add_to_each_other)
{
	struct cell x = cell_new(1);

	cidr(&x, "kubernetes", "192.168.0.0/28");
	CU_ASSERT_EQUAL(fill(&x, "a"), 14);
	CU_ASSERT_PTR_NULL(ask(&x, "early", "10.0.0.11"));
	cidr(&x, "test2", "10.0.0.0/28");
	CU_ASSERT_PTR_NOT_NULL(ask(&x, "given", "10.0.0.11"));
	CU_ASSERT_PTR_NULL(ask(&x, "again", "10.0.0.11"));
	CU_ASSERT_EQUAL(fill(&x, "b"), 13);
	cell_free(&x);
}

/* TestCIDRAllocateShadow: the network address of one is an address like others of one that has it inside. */
TEST(a_wider_service_cidr_lends_the_network_address)
{
	struct cell x = cell_new(1);

	cidr(&x, "kubernetes", "192.168.1.0/24");
	CU_ASSERT_PTR_NULL(ask(&x, "early", "192.168.1.0"));
	cidr(&x, "test2", "192.168.0.0/16");
	CU_ASSERT_PTR_NOT_NULL(ask(&x, "given", "192.168.1.0"));
	cell_free(&x);
}

/* TestCIDRAllocateGrow */
TEST(a_service_cidr_grows)
{
	struct cell x = cell_new(1);

	cidr(&x, "kubernetes", "192.168.0.0/28");
	CU_ASSERT_EQUAL(fill(&x, "a"), 14);
	cidr(&x, "test2", "192.168.0.0/24");
	CU_ASSERT_EQUAL(fill(&x, "b"), 254 - 14);
	cell_free(&x);
}
