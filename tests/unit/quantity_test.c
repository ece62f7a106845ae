/* Numbers with units, as Kubernetes writes and Go reads them. */
#include "model/base/quantity.h"
#include "tests/unit/test.h"

TEST(quantities)
{
	static const struct { const char *text; int64_t milli; bool bad; } row[] = {
		{ "100m", 100, false }, { "1", 1000, false }, { "1.5", 1500, false }, { ".5", 500, false }, { "1.", 1000, false }, { "0", 0, false }, { "-1", -1000, false },
		{ "1Gi", 1073741824000, false }, { "1Ki", 1024000, false }, { "1k", 1000000, false }, { "128Mi", 134217728000, false }, { "2G", 2000000000000, false },
		{ "1e3", 1000000, false }, { "1E3", 1000000, false }, { "1E", INT64_MAX, false }, { "1e-3", 1, false }, { "1n", 1, false }, { "1u", 1, false }, { "1500u", 2, false },
		{ "100E", INT64_MAX, false }, { "-100Ei", INT64_MIN, false }, { "99999999999999999999999999999999999999999999", INT64_MAX, false },
		{ "0.0001", 1, false }, { "12Pi", INT64_MAX, false }, { "1Pi", 1125899906842624000, false },
		{ "", 0, true }, { "m", 0, true }, { "1K", 0, true }, { "1 Gi", 0, true }, { "1GiB", 0, true }, { "1e", 0, true }, { "--1", 0, true }, { "1.2.3", 0, true }, { "x1", 0, true },
		{ "1 ", 0, true },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		int64_t v = 42;

		CU_ASSERT_EQUAL(quantity_parse(row[k].text, &v), !row[k].bad);
		CU_ASSERT_EQUAL(v, row[k].bad ? 42 : row[k].milli);
		if (v != (row[k].bad ? 42 : row[k].milli))
			fprintf(stderr, "\n%s: %" PRId64 "\n", row[k].text, v);
	}
}

TEST(quantities_without_quotes)
{
	static const struct { const char *yaml; int64_t milli; bool bad; } row[] = {
		{ "2", 2000, false }, { "1.5", 1500, false }, { "2Gi", 2147483648000, false }, { "9223372036854775807", INT64_MAX, false }, { "-9223372036854775807", INT64_MIN, false },
		{ "true", 0, true }, { "[1]", 0, true }, { "word", 0, true },
	};
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		int64_t v = 42;

		CU_ASSERT_EQUAL(quantity_of(yaml_parse(a, "test", row[k].yaml, strlen(row[k].yaml), NULL, NULL), &v), !row[k].bad);
		CU_ASSERT_EQUAL(v, row[k].bad ? 42 : row[k].milli);
	}
	CU_ASSERT_FALSE(quantity_of(NULL, &(int64_t){ 0 }));
	arena_free(a);
}

/* apimachinery pkg/api/resource Quantity.CanonicalizeBytes: 1024 cores are no 1Ki. */
TEST(quantities_in_words)
{
	static const struct { int64_t milli; bool bytes; const char *text; } row[] = {
		{ 0, false, "0" }, { 0, true, "0" }, { 250, false, "250m" }, { 1024000, false, "1024" }, { 1024000, true, "1Ki" }, { 1500, true, "1500m" }, { 1000000, true, "1000" },
		{ 2147483648000, true, "2Gi" }, { 1610612736000, true, "1536Mi" }, { 1125899906842624000, true, "1Pi" }, { -2048000, true, "-2Ki" },
	};
	char text[32];

	for (size_t k = 0; k < ARRAY_LEN(row); k++)
		SAME_TEXT(quantity_text(row[k].milli, row[k].bytes, text), row[k].text);
}

TEST(durations)
{
	static const struct { const char *text; nsec ns; bool bad; } row[] = {
		{ "40s", SECONDS(40), false }, { "1m30s", SECONDS(90), false }, { "1.5h", MINUTES(90), false }, { "100ms", MILLIS(100), false }, { "0", 0, false }, { "-5m", -MINUTES(5), false },
		{ "1h0m0s", MINUTES(60), false }, { "10us", 10000, false }, { "7ns", 7, false }, { ".5s", MILLIS(500), false },
		{ "", 0, true }, { "5", 0, true }, { "s", 0, true }, { "5 s", 0, true }, { "5d", 0, true }, { "1e3s", 0, true }, { "99999999h", 0, true },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		nsec v = 42;

		CU_ASSERT_EQUAL(duration_parse(row[k].text, &v), !row[k].bad);
		CU_ASSERT_EQUAL(v, row[k].bad ? 42 : row[k].ns);
	}
}

TEST(times)
{
	static const struct { const char *text; int64_t seconds; const char *back; } row[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" }, { "2000-02-29T12:34:56Z", 951827696, "2000-02-29T12:34:56Z" },
		{ "2026-01-02T03:04:05Z", 1767323045, "2026-01-02T03:04:05Z" }, { "2026-01-02T03:04:05+01:30", 1767317645, "2026-01-02T01:34:05Z" },
		{ "1969-12-31T23:59:59Z", -1, "1969-12-31T23:59:59Z" }, { "2024-12-31T23:59:59.250Z", 1735689599, "2024-12-31T23:59:59Z" },
		{ "9999-12-31T23:59:59Z", 5364662400, "2140-01-01T00:00:00Z" }, { "0000-01-01T00:00:00Z", -3786825600, "1850-01-01T00:00:00Z" },
		{ "2023-02-29T00:00:00Z", 0, NULL }, { "2026-01-02", 0, NULL }, { "2026-01-02T03:04:05", 0, NULL }, { "2026-13-02T03:04:05Z", 0, NULL }, { "", 0, NULL },
		{ "2026-01-02T03:04:05.Z", 0, NULL }, { "2026-01-02T24:04:05Z", 0, NULL }, { "2026-01-02T03:04:05Zx", 0, NULL },
	};
	char text[32];
	nsec none = 0;

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		nsec v = 42;

		CU_ASSERT_EQUAL(time_parse(row[k].text, &v), row[k].back != NULL);
		if (!row[k].back)
			continue;
		CU_ASSERT_EQUAL(v / SECONDS(1), row[k].seconds);
		SAME_TEXT(time_text(v, text), row[k].back);
	}
	CU_ASSERT(time_parse("0001-01-01T00:00:00Z", &none) && none == NEVER);
}

TEST(ages)
{
	static const struct { int64_t seconds; const char *text; } row[] = {
		{ 0, "0s" }, { 119, "119s" }, { 120, "2m" }, { 182, "3m2s" }, { 600, "10m" }, { 3600, "60m" }, { 10800, "3h" }, { 11400, "3h10m" }, { 28800, "8h" },
		{ 172800, "2d" }, { 176400, "2d1h" }, { 691200, "8d" }, { 63072000, "2y" }, { 63158400, "2y1d" }, { 252288000, "8y" }, { -5, "<invalid>" }, { -1, "0s" },
	};
	char text[16];

	for (size_t k = 0; k < ARRAY_LEN(row); k++)
		SAME_TEXT(age_text(SECONDS(row[k].seconds), text), row[k].text);
}
