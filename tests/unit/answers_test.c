/* Backends that are slow or fail, and what a proxy makes of them: timeouts, retries. The whole way is in tests/conformance/gateway_suite_test.c. */
#include "sim/ask/answers.h"
#include "tests/unit/feed.h"

#define MS(n)   MILLIS(n)
#define LONGEST "2562047h"

/* "504 proxy 1": status, whose answer it is, attempts. */
static const char *outcome(const struct l7_patience *p, const char *answers, bool envoy, struct arena *a)
{
	struct answers says = { 0 };
	const char *why = NULL;
	struct l7_tried t;

	if (!answers_parse(answers, a, &says, &why))
		return why;
	t = l7_tried_of(p, says.v, says.nr, envoy, a);
	return t.unknown ? "unknown" : arena_printf(a, "%d %s %u", t.status, t.own ? "proxy" : "backend", t.attempts);
}

/* Source: gateway-api HTTPRouteTimeouts, HTTPRouteRetry; conformance HTTPRouteTimeoutRequest, HTTPRouteTimeoutBackendRequest, HTTPRouteRetry*. */
TEST(proxies_wait_and_ask_again_as_the_route_says)
{
	static const int codes[] = { 500, 503 };
	static const struct { struct l7_patience p; const char *answers, *want, *envoy; } rows[] = {
		{ { 0 }, "200", "200 backend 1", NULL },
		{ { 0 }, "503", "503 backend 1", NULL },
		{ { 0 }, "503, 200", "503 backend 1", NULL },                                                           /* nobody asks again */
		{ { 0 }, "reset", "502 proxy 1", "503 proxy 1" },
		{ { 0 }, "reset, 200", "unknown", NULL },
		{ { 0 }, "200 after 14s", "200 backend 1", NULL },
		{ { 0 }, "200 after 1m", "unknown", NULL },
		{ { .request = MS(500) }, "200 after 499ms", "200 backend 1", NULL },
		{ { .request = MS(500) }, "200 after 500ms", "504 proxy 1", NULL },
		{ { .request = MS(500) }, "404 after 1s", "504 proxy 1", NULL },
		{ { .request = MINUTES(5) }, "200 after 1m", "200 backend 1", NULL },
		{ { .attempt = MS(200) }, "200 after 300ms", "504 proxy 1", NULL },
		{ { .attempt = MS(200), .request = MS(900) }, "200 after 100ms", "200 backend 1", NULL },
		{ { .retries = true, .attempts = 3, .codes = codes, .nr_codes = 2 }, "500, 500, 200", "200 backend 3", NULL },
		{ { .retries = true, .attempts = 3, .codes = codes, .nr_codes = 2 }, "500, 500, 500, 503, 200", "503 backend 4", NULL },
		{ { .retries = true, .attempts = 3, .codes = codes, .nr_codes = 2 }, "500", "500 backend 4", NULL },
		{ { .retries = true, .attempts = 3, .codes = codes, .nr_codes = 2 }, "502, 200", "502 backend 1", NULL },   /* no code of the list */
		{ { .retries = true, .attempts = 2 }, "reset, reset, 200", "200 backend 3", NULL },
		{ { .retries = true, .attempts = 2 }, "reset, reset, reset, 200", "503 proxy 3", "503 proxy 3" },
		{ { .retries = true, .attempts = 2, .attempt = MS(200) }, "500 after 300ms, 200", "200 backend 2", NULL },
		{ { .retries = true, .attempts = 2, .attempt = MS(200) }, "200 after 300ms", "504 proxy 3", NULL },
		{ { .retries = true, .attempts = 5, .codes = codes, .nr_codes = 2, .request = MS(400) }, "500 after 100ms, 500 after 100ms, 500 after 100ms, 500 after 100ms, 200", "504 proxy 4", NULL },
		{ { .retries = true, .attempts = 5, .codes = codes, .nr_codes = 2, .request = MS(400) }, "500 after 100ms, 200", "200 backend 2", NULL },
		{ { .retries = true, .attempts = 5, .codes = codes, .nr_codes = 2, .request = MS(400), .backoff = MS(400) }, "500, 200", "504 proxy 1", NULL },
		{ { .retries = true, .attempts = INT32_MAX, .codes = codes, .nr_codes = 2, .request = SECONDS(1) }, "500 after 1ms", "504 proxy 1", NULL },
		{ { .retries = true, .codes = codes, .nr_codes = 2 }, "500, 200", "unknown", NULL },                      /* attempts not said */
		{ { .retries = true, .codes = codes, .nr_codes = 2 }, "500", "500 backend 1", NULL },                     /* it ends so, however often */
		/* Istio's: what is not said does not happen */
		{ { .istio = true, .retries = true, .attempts = 2, .connects = true }, "200 after 1m", "200 backend 1", NULL },
		{ { .istio = true, .retries = true, .attempts = 2, .connects = true }, "503, 200", "503 backend 1", NULL },
		{ { .istio = true, .retries = true, .attempts = 2, .connects = true }, "reset, 200", "503 proxy 1", "503 proxy 1" },
		{ { .istio = true, .retries = true, .attempts = 2, .resets = true }, "reset, 200", "200 backend 2", NULL },
		{ { .istio = true, .retries = true, .attempts = 2, .codes = codes, .nr_codes = 2 }, "reset, 200", "503 proxy 1", "503 proxy 1" },
		{ { .istio = true, .retries = true, .attempts = 2, .codes = codes, .nr_codes = 2, .behind = true }, "reset, 200", "200 backend 2", NULL },
		{ { .istio = true }, "reset, 200", "502 proxy 1", "503 proxy 1" },
		{ { .istio = true, .retries = true, .attempts = 2, .attempt = MS(200) }, "200 after 300ms, 200", "504 proxy 1", NULL },
		{ { .istio = true, .retries = true, .attempts = 2, .resets = true, .attempt = MS(200) }, "200 after 300ms, 200", "200 backend 2", NULL },
		{ { .istio = true, .retries = true, .attempts = 2, .codes = codes, .nr_codes = 2, .request = SECONDS(1) }, "503 after 500ms, 200 after 300ms", "unknown", NULL },   /* a pause of up to 250 ms */
		{ { .istio = true, .retries = true, .attempts = 2, .codes = codes, .nr_codes = 2, .request = SECONDS(1) }, "503 after 500ms, 200 after 200ms", "200 backend 2", NULL },
		{ { .istio = true, .retries = true, .attempts = 2, .codes = codes, .nr_codes = 2, .request = SECONDS(1) }, "503 after 400ms", "504 proxy 1", NULL },
		/* times as long as can be said */
		{ { .istio = true, .retries = true, .attempts = 2, .resets = true, .pause = NEVER }, "reset after " LONGEST ", reset after " LONGEST ", 200", "200 backend 3", NULL },
		{ { .istio = true, .retries = true, .attempts = 2, .resets = true, .request = NEVER }, "reset after " LONGEST ", 200 after " LONGEST, "504 proxy 2", NULL },
		{ { .retries = true, .attempts = 3, .codes = codes, .nr_codes = 2, .request = SECONDS(1), .backoff = NEVER }, "500", "504 proxy 1", NULL },
	};
	struct arena *a = arena_new(NULL, "answers");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		for (int envoy = 0; envoy < 2; envoy++) {
			const char *want = envoy && rows[k].envoy ? rows[k].envoy : rows[k].want, *got = outcome(&rows[k].p, rows[k].answers, envoy, a);

			if (strcmp(got, want) != 0)
				fprintf(stderr, "  row %zu, %s\n", k, rows[k].answers);
			SAME_TEXT(got, want);
		}
	SAME_TEXT(outcome(NULL, "200", false, a), "200 backend 1");
	CU_ASSERT_EQUAL(l7_silent_status(NULL, false), 504);
	CU_ASSERT_EQUAL(l7_silent_status(NULL, true), 503);
	CU_ASSERT_EQUAL(l7_silent_status(&(struct l7_patience){ .request = SECONDS(2) }, true), 504);
	CU_ASSERT_EQUAL(l7_silent_status(&(struct l7_patience){ .request = SECONDS(60) }, true), 503);
	arena_free(a);
}

TEST(what_is_no_answer_is_refused)
{
	static const char *const bad[] = { "", "20", "2000", "abc", "600", "99", "503 before 1s", "503 after", "503 after x", "503 after -1s", "reset now", "200,", ",200", "200 200" };
	struct arena *a = arena_new(NULL, "answers");
	struct answers out;
	const char *why;

	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		why = NULL;
		CU_ASSERT_FALSE(answers_parse(bad[k], a, &out, &why));
		CU_ASSERT(why && strstr(why, "is not an answer, as in 503"));
	}
	CU_ASSERT_FATAL(answers_parse(" 503 after 1m30s ,reset,  200 ", a, &out, &why));
	CU_ASSERT(out.nr == 3 && out.v[0].status == 503 && out.v[0].after == SECONDS(90) && out.v[1].status == 0 && out.v[2].status == 200);
	arena_free(a);
}

/* Source: gateway-api-conformance-images echo-basic/echo-basic.go. */
TEST(the_conformance_suites_server_answers_as_it_is_asked)
{
	static const struct { const char *path, *want; } rows[] = {
		{ "/", "200" },
		{ "/?delay=1.5s", "200 after 1500 ms" },
		{ "/?x=1&delay=100ms", "200 after 100 ms" },
		{ "/?delay=-1s", "200" },
		{ "/?delay=soon", "500" },
		{ "/status/503", "503" },
		{ "/status/099", "reset" },                     /* no status: its net/http gives up */
		{ "/status/5030", "400" },
		{ "/status/503?a", "400" },
		{ "/retry/x?uuid=u&succeedAfter=2", "reset, reset, 200" },
		{ "/retry/x?uuid=u&succeedAfter=1&responseCode=503&delayRetry=1s", "503 after 1000 ms, 200" },
		{ "/retry/x?uuid=u&succeedAfter=1&responseCode=5o3", "reset, 200" },
		{ "/retry/x?uuid=u&succeedAfter=1&delayRetry=x", "500, 200" },
		{ "/retry/x?uuid=u&succeedAfter=0&delay=1s", "200 after 1000 ms" },
		{ "/retry/x?succeedAfter=2", "400" },
		{ "/retry/x?uuid=u", "400" },
		{ "/retry/x?uuid=u&succeedAfter=two", "400" },
		{ "/retry/x?uuid=u&succeedAfter=10001", "unknown" },
		{ "/retry/x?uuid=u&succeedAfter=99999999999999999999", "unknown" },
		{ "/a/retry/x?uuid=u&succeedAfter=2", "200" },
	};
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "answers");
	struct answers says;
	const struct pod *p;

	feed_cluster(c, VALIDATE_STRICT, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default}\nspec: {containers: [{name: c, image: 'registry.test/gateway-api/conformance/echo-basic:1'}]}\n");
	p = find_pod(c, "default", "p");
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const char *got = "";

		says = answers_of(NULL, p, NULL, &(struct http_request){ .path = rows[k].path }, a);
		for (uint32_t i = 0; i < says.nr; i++) {
			got = says.v[i].status ? arena_printf(a, "%s%s%d", got, i ? ", " : "", says.v[i].status) : arena_printf(a, "%s%sreset", got, i ? ", " : "");
			got = says.v[i].after ? arena_printf(a, "%s after %d ms", got, (int)(says.v[i].after / MILLIS(1))) : got;
		}
		SAME_TEXT(says.wrong ? "unknown" : got, rows[k].want);
	}
	says = answers_of(NULL, p, NULL, &(struct http_request){ .path = "/retry/x?uuid=u&succeedAfter=101" }, a);
	CU_ASSERT(says.nr == 102 && says.v[100].status == 0 && says.v[101].status == 200);
	arena_free(a);
	cluster_free(c);
}
