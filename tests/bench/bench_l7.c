/* Routing tables: 10,000 rules on one controller, built and looked up. Goals: ≤ 100 ms to build, ≤ 1 µs a lookup. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/cluster/apply.h"
#include "model/l7/table.h"

#define RULES 10000
#define LOOKUPS 2000000

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void apply(struct cluster *c, struct arena *a, const char *json)
{
	struct apply_options opt = { .unknown = VALIDATE_IGNORE, .create_namespaces = true };
	struct err err = { 0 };
	struct doc d = { "bench", json_parse(a, "bench", json, strlen(json), NULL, &err) };

	if (apply_doc(c, &d, &opt, NULL, &err) == APPLY_ERROR)
		err_print(&err, stderr);
	err_free(&err);
}

/* hosts × paths rules, one Ingress for each host. */
static struct cluster *build(uint32_t hosts, uint32_t paths, const char *controller)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "bench");

	apply(c, a, arena_printf(a, "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"IngressClass\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"controller\":\"%s\"}}", controller));
	for (uint32_t h = 0; h < hosts; h++) {
		struct sb s = { 0 };

		apply(c, a, arena_printf(a, "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s%u\"},\"spec\":{\"ports\":[{\"port\":80}]}}", h));
		sb_printf(&s, "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"metadata\":{\"name\":\"i%u\"},\"spec\":{\"ingressClassName\":\"web\",\"rules\":"
			      "[{\"host\":\"host-%u.example.com\",\"http\":{\"paths\":[", h, h);
		for (uint32_t p = 0; p < paths; p++)
			sb_printf(&s, "%s{\"path\":\"/app/part-%u\",\"pathType\":\"%s\",\"backend\":{\"service\":{\"name\":\"s%u\",\"port\":{\"number\":80}}}}", p ? "," : "", p,
				  p % 3 ? "Prefix" : "Exact", h);
		sb_add(&s, "]}}]}}");
		apply(c, a, sb_text(&s));
		sb_free(&s);
	}
	arena_free(a);
	return c;
}

static void measure(uint32_t hosts, uint32_t paths, const char *controller)
{
	struct cluster *c = build(hosts, paths, controller);
	struct arena *a = arena_new(NULL, "table"), *scratch = arena_new(NULL, "scratch");
	double start = seconds(), built, looked;
	struct route_table *t = routes_compile_ingress(c, controller, a);
	struct l7_query *q = arena_array(scratch, struct l7_query, 1024);
	struct http_request *rq = arena_array(scratch, struct http_request, 1024);
	uint64_t found = 0, matched = 0;
	const struct l7_vhost *host;
	struct arena_mark mark;

	built = seconds() - start;
	for (uint32_t k = 0; k < 1024; k++) {
		rq[k] = (struct http_request){ .scheme = "http", .host = arena_printf(scratch, "host-%u.example.com", k * 7919u % hosts), .port = 80, .method = "GET",
					       .path = arena_printf(scratch, "/app/part-%u%s", k * 104729u % paths, k % 2 ? "" : "/deeper/still") };
		q[k] = query_make(&rq[k], scratch);
	}
	mark = arena_mark(scratch);
	start = seconds();
	for (uint32_t k = 0; k < LOOKUPS; k++)
		found += table_find(t, 0, &q[k & 1023], &host) != NULL;
	looked = seconds() - start;
	start = seconds();
	for (uint32_t k = 0; k < LOOKUPS / 10; k++) {
		matched += routes_match(t, &rq[k & 1023], scratch).nr;
		arena_rewind(scratch, mark);
	}
	printf("%-22s %5u hosts × %5u paths: built in %6.1f ms, lookup %6.3f µs (%.0f %% found), whole decision %6.2f µs (%" PRIu64 ")\n", controller, hosts, paths, built * 1e3,
	       looked * 1e6 / LOOKUPS, (double)found * 100 / LOOKUPS, (seconds() - start) * 1e6 / (LOOKUPS / 10), matched);
	arena_free(scratch);
	arena_free(a);
	cluster_free(c);
}

int main(void)
{
	measure(RULES, 1, "example.net/ingress");
	measure(100, RULES / 100, "example.net/ingress");
	measure(1, RULES, "example.net/ingress");
	measure(RULES, 1, "k8s.io/ingress-nginx");
	measure(1, RULES, "k8s.io/ingress-nginx");
	return 0;
}
