/* How fast dumps are read, without a cluster: a List of Services of two sizes, object by object, in bounded memory. */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "model/cluster/dump.h"

static bool count(void *ctx, const struct doc *d, struct err *err)
{
	(void)d;
	(void)err;
	++*(uint32_t *)ctx;
	return true;
}

static double user_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 + (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
}

static void one(size_t mb)
{
	char path[] = "/tmp/podwire-bench-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct dump_report report = { 0 };
	struct err err = { 0 };
	uint32_t objects = 0, k = 0;
	double best = 1e9;
	struct rusage u;
	long size;

	fputs("{\n    \"apiVersion\": \"v1\",\n    \"items\": [", f);
	while ((size_t)ftell(f) < mb << 20)
		fprintf(f, "%s\n        {\n            \"apiVersion\": \"v1\",\n            \"kind\": \"Service\",\n            \"metadata\": {\n                \"labels\": {\n                    \"app\": \"vote\"\n                },\n"
			   "                \"name\": \"vote-%08u\",\n                \"namespace\": \"default\",\n                \"uid\": \"7a337bd8-1923-11e8-927b-5254%08u\"\n            },\n            \"spec\": {\n"
			   "                \"clusterIP\": \"10.96.0.1\",\n                \"ports\": [\n                    {\n                        \"name\": \"http\",\n                        \"port\": 8080,\n"
			   "                        \"protocol\": \"TCP\",\n                        \"targetPort\": 80\n                    }\n                ],\n                \"selector\": {\n                    \"app\": \"vote\"\n"
			   "                },\n                \"sessionAffinity\": \"None\",\n                \"type\": \"ClusterIP\"\n            },\n            \"status\": {\n                \"loadBalancer\": {}\n            }\n        }",
			k ? "," : "", k, k), k++;
	fputs("\n    ],\n    \"kind\": \"List\"\n}\n", f);
	size = ftell(f);
	fclose(f);
	for (int run = 0; run < 3; run++) {
		double from = user_seconds(), took;

		objects = 0;
		dump_read_path(path, count, &objects, &report, &err);
		took = user_seconds() - from;
		best = took < best ? took : best;
	}
	getrusage(RUSAGE_SELF, &u);
	printf("%5zu MB: %u objects in %.0f ms of CPU, %.0f MB/s; at most %ld MB resident (the mapped file included)\n", mb, objects, best * 1e3, (double)size / 1e6 / best, u.ru_maxrss / 1024);
	remove(path);
	err_free(&err);
}

int main(void)
{
	one(20);
	one(200);
	return 0;
}
