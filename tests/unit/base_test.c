/* Arenas, strings, maps, hashes, addresses. */
#include "tests/unit/test.h"

#include "model/base/err.h"
#include "model/base/ip.h"
#include "model/base/map.h"
#include "model/base/str.h"
#include "model/base/text.h"

TEST(arena_gives_zeroed_aligned_memory_and_rewinds)
{
	struct mem mem = { 0 };
	struct arena *a = arena_new(&mem, "test");
	struct arena_mark m;
	size_t used = mem.used;

	arena_alloc(a, 1, 1);
	m = arena_mark(a);
	for (int k = 0; k < 1000; k++) {
		uint64_t *p = arena_alloc(a, 100, 8);

		CU_ASSERT(((uintptr_t)p & 7) == 0);
		CU_ASSERT(p[0] == 0 && p[11] == 0);
		memset(p, 0xff, 100);
	}
	arena_rewind(a, m);
	CU_ASSERT(arena_mark(a).used == m.used);
	arena_free(a);
	CU_ASSERT(mem.used == 0);
	CU_ASSERT(used > 0);
}

TEST(equal_texts_are_one_pointer)
{
	struct arena *a = arena_new(NULL, "test");
	struct strtab *t = strtab_new(a);
	str first = str_intern(t, "web");

	for (int k = 0; k < 5000; k++)
		str_printf(t, "pod-%d", k);
	CU_ASSERT(str_intern(t, "web") == first);
	CU_ASSERT(str_intern_n(t, "website", 3) == first);
	CU_ASSERT(str_find(t, "pod-4999") != NULL);
	CU_ASSERT(str_find(t, "pod-5000") == NULL);
	CU_ASSERT(str_len(first) == 3);
	arena_free(a);
}

TEST(map_finds_what_was_put_and_forgets_what_was_removed)
{
	struct arena *a = arena_new(NULL, "test");
	struct map m = { 0 };

	for (uint64_t k = 0; k < 3000; k++)
		*map_put(&m, a, k * 7) = k;
	for (uint64_t k = 0; k < 3000; k += 2)
		CU_ASSERT(map_remove(&m, k * 7));
	CU_ASSERT(!map_remove(&m, 0));
	for (uint64_t k = 0; k < 3000; k++) {
		uint64_t *v = map_find(&m, k * 7);

		CU_ASSERT(k % 2 ? v && *v == k : !v);
	}
	arena_free(a);
}

TEST(hashes_are_the_published_ones)
{
	char name[17];
	uint8_t sum[32];

	CU_ASSERT(fnv32a("a", 1) == 0xe40c292c);
	CU_ASSERT(fnv32("a", 1) == 0x050c5d7e);
	/* kube-proxy's names, as on every cluster */
	sha256_base32("default/kubernetes:httpstcp", name, 16);
	SAME_TEXT(name, "NPX46M4PTMTKRN6Y");
	sha256_base32("ns1/svc1:p80tcp", name, 16);
	SAME_TEXT(name, "XPGD46QRK7WJZT7O");
	sha1("abc", 3, sum);
	CU_ASSERT(sum[0] == 0xa9 && sum[1] == 0x99 && sum[19] == 0x9d);
	sha256("", 0, sum);
	CU_ASSERT(sum[0] == 0xe3 && sum[31] == 0x55);
}

static int by_hand(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = text_format(to, size, fmt, ap);
	va_end(ap);
	return n;
}

/* What is written by hand, and what is left to it, is what vsnprintf writes, with room and without. */
#define SAME_AS_PRINTF(...)                                                             \
	do {                                                                            \
		static const size_t rooms[] = { 100, 9, 1, 0 };                         \
		for (size_t k = 0; k < ARRAY_LEN(rooms); k++) {                         \
			char have[100] = "unwritten", want[100] = "unwritten";          \
			CU_ASSERT_EQUAL(by_hand(have, rooms[k], __VA_ARGS__), snprintf(want, rooms[k], __VA_ARGS__)); \
			SAME_TEXT(have, want);                                          \
		}                                                                       \
	} while (0)

TEST(texts_are_formatted_as_printf_does)
{
	SAME_AS_PRINTF("plain");
	SAME_AS_PRINTF("%s-%s%c", "name", "", 'x');
	SAME_AS_PRINTF("%5u|%u|%12u", 7u, UINT32_MAX, 123456u);
	SAME_AS_PRINTF("%d %5d %05d %3d", INT32_MIN, -7, -7, 12345);
	SAME_AS_PRINTF("0x%x 0x%08x %02x", 0xdeadbeefu, 0x4000u, 5u);
	SAME_AS_PRINTF("100%% of %-5s|%5s|%.2s", "ab", "cd", "efg");
	SAME_AS_PRINTF("%64u %70u", 1u, 2u);
	SAME_AS_PRINTF("%lu %ld %zu %20lu %lx", UINT64_MAX, INT64_MIN, (size_t)4294967296, 10ul, UINT64_MAX);
	SAME_AS_PRINTF("%g %lu %lld %hu", 0.5, 7ul, 8ll, (unsigned short)9);
}

TEST(addresses_read_and_print_as_go_does)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "10.244.1.5", "10.244.1.5" }, { "255.255.255.255", "255.255.255.255" }, { "::1", "::1" }, { "fd00:10:96::A", "fd00:10:96::a" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" }, { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" }, { "1::", "1::" },
		{ "010.1.1.1", NULL }, { "1.2.3", NULL }, { "1.2.3.4.5", NULL }, { "256.1.1.1", NULL }, { "", NULL }, { "fe80::1%eth0", NULL }, { "1.2.3.4 ", NULL },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		ip_addr a;
		bool ok = ip_parse(rows[k].in, &a);

		CU_ASSERT(ok == (rows[k].out != NULL));
		if (ok && rows[k].out)
			SAME_TEXT(IP(a), rows[k].out);
	}
}

TEST(prefixes_hold_their_own_family_only)
{
	struct cidr c, six, all;
	ip_addr a, b;

	CU_ASSERT(cidr_parse("10.244.1.77/26", &c));
	SAME_TEXT(CIDR(c), "10.244.1.64/26");
	CU_ASSERT(ip_parse("10.244.1.127", &a) && cidr_contains(c, a) && ip_eq(cidr_last(c), a));
	CU_ASSERT(ip_parse("10.244.1.128", &b) && !cidr_contains(c, b) && ip_diff(b, a) == 1);
	CU_ASSERT(cidr_size(c) == 64);
	CU_ASSERT(cidr_parse("0.0.0.0/0", &all) && cidr_contains(all, a) && cidr_overlaps(all, c));
	CU_ASSERT(cidr_parse("::/0", &six) && !cidr_contains(six, a));
	CU_ASSERT(ip_parse("fd00::1", &a) && cidr_contains(six, a) && !cidr_contains(all, a));
	CU_ASSERT(!cidr_parse("10.0.0.0/33", &c) && !cidr_parse("10.0.0.0", &c) && !cidr_parse("10.0.0.0/08", &c));
}

TEST(errors_keep_their_place_and_wrap)
{
	struct err e = { 0 };
	struct where w = { .file = "web.yaml", .line = 3, .col = 7, .object = "Service \"web\"", .path = "spec.ports[0].port" };

	CU_ASSERT(!err_add(&e, ERR_INPUT, &w, "Invalid value: %d", 0));
	SAME_TEXT(e.v[0].text, "Service \"web\": spec.ports[0].port: Invalid value: 0");
	err_wrap(&e, 0, "reading %s", "x");
	SAME_TEXT(e.v[0].text, "reading x: Service \"web\": spec.ports[0].port: Invalid value: 0");
	CU_ASSERT(err_kind(&e) == ERR_INPUT && e.v[0].line == 3);
	err_clear(&e);
	err_warn(&e, NULL, "only a note");
	CU_ASSERT(!err_any(&e));
	err_free(&e);
}

TEST(a_near_miss_is_suggested)
{
	static const char *const known[] = { "calico", "flannel", "bridge", "none", "selector", NULL };

	SAME_TEXT(nearest("calcio", known), "calico");
	SAME_TEXT(nearest("selectors", known), "selector");
	CU_ASSERT(nearest("zebra", known) == NULL);
}
