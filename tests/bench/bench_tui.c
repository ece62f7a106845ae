/* The screens on a cluster of 150,000 Pods and 5,000 nodes: from a key to the cells. Goal: ≤ 16 ms a key until something is painted, of which drawing ≤ 2 ms. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/tui/fake.h"
#include "viz/cli/tui_session.h"
#include "viz/tui/loop.h"

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct bench { struct fake fake; struct tui_source source; struct tui *t; struct cells screen; };

static void key(struct bench *b, int k)
{
	tui_step(b->t, &b->source, &(struct tui_event){ .kind = EV_KEY, .key = k }, NULL, NULL);
}

static void type(struct bench *b, const char *s)
{
	for (; *s; s++)
		key(b, *s == '\n' ? TK_ENTER : *s);
}

static void measure(struct bench *b, const char *name, int k, int times)
{
	double most = 0, sum = 0, draw = 0;

	for (int i = 0; i < times; i++) {
		double from = milliseconds(), mid, end;

		key(b, k);
		mid = milliseconds();
		tui_view(b->t, &b->screen);
		end = milliseconds();
		sum += end - from;
		draw += end - mid;
		most = end - from > most ? end - from : most;
	}
	printf("  %-34s %8.3f ms a key (most %.3f), drawing %.3f ms\n", name, sum / times, most, draw / times);
}

static void run(uint32_t pods, uint32_t nodes)
{
	struct bench b = { .fake = { .pods = pods, .nodes = nodes } };

	printf("%u Pods, %u nodes, 132×43\n", pods, nodes);
	b.source = fake_source(&b.fake);
	b.t = calloc(1, sizeof(*b.t));
	tui_init(b.t, &b.source, 132, 43);
	tui_step(b.t, &b.source, NULL, NULL, NULL);
	measure(&b, "map: down", TK_DOWN, 20);
	type(&b, ":po\n");
	measure(&b, "list: down", TK_DOWN, 100);
	measure(&b, "list: page down", TK_PAGE_DOWN, 100);
	measure(&b, "list: end", TK_END, 10);
	measure(&b, "list: sort by the next column", '>', 6);
	measure(&b, "list: the other way round", 'I', 4);
	measure(&b, "list: one namespace", '2', 4);
	measure(&b, "list: all namespaces", '0', 4);
	key(&b, TK_F(4));
	measure(&b, "list: filter, a key", 'w', 1);
	measure(&b, "list: filter, another key", 'e', 1);
	key(&b, TK_ESC);
	type(&b, "m");
	measure(&b, "matrix: right", TK_RIGHT, 50);
	type(&b, "v");
	measure(&b, "events: down", TK_DOWN, 50);
	measure(&b, "events: sooner", TK_LEFT, 50);
	type(&b, ":trace client svc/web\n");
	measure(&b, "trace: next hop", TK_RIGHT, 5);
	tui_free(b.t);
	free(b.t);
	cells_free(&b.screen);
}

/* ---- the same with everything behind the screens: the time that opening each of them takes */

static bool write_cluster(const char *path, uint32_t deployments, uint32_t replicas, uint32_t nodes)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	fprintf(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {podSubnet: 10.0.0.0/9, serviceSubnet: 10.128.0.0/14}\n---\n");
	for (uint32_t k = 0; k < nodes; k++)
		fprintf(f, "apiVersion: v1\nkind: Node\nmetadata: {name: n%u, labels: {topology.kubernetes.io/zone: z%u}}\nstatus: {addresses: [{type: InternalIP, address: 172.%u.%u.%u}],"
			   " allocatable: {cpu: '64', memory: 256Gi, pods: '250'}, conditions: [{type: Ready, status: 'True'}]}\n---\n", k, k % 20, 16 + k / 62500, k / 250 % 250, k % 250 + 1);
	for (uint32_t k = 0; k < deployments; k++) {
		fprintf(f, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%u}\nspec: {replicas: %u, selector: {matchLabels: {app: d%u}}, template: {metadata: {labels: {app: d%u}},"
			   " spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}}\n---\n", k, replicas, k, k);
		fprintf(f, "apiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {selector: {app: d%u}, ports: [{port: 80}]}\n---\n", k, k);
	}
	return fclose(f) == 0;
}

static double wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Until all is answered and shown. → when the first screen after the key stood. */
static double paint(struct tui_loop *loop, struct cells *screen)
{
	double first = 0;

	while (first <= 0 || !tui_loop_answered(loop)) {
		struct pollfd fd = { .fd = tui_loop_wake(loop), .events = POLLIN };
		int ms;

		if (tui_loop_show(loop, screen, &ms)) {
			first = first > 0 ? first : wall();
			continue;
		}
		poll(&fd, 1, ms);
	}
	return first;
}

/* The last key of them: until something is painted, in real time, and until its answer stands, in time of the processor. */
static void opens(struct tui_loop *loop, struct cells *screen, const char *name, const char *keys)
{
	const char *last = keys + strlen(keys) - 1;
	double from, began;

	for (; keys < last; keys++) {
		tui_loop_post(loop, &(struct tui_event){ .kind = EV_KEY, .key = *keys == '\n' ? TK_ENTER : *keys });
		paint(loop, screen);
	}
	from = wall();
	began = milliseconds();
	tui_loop_post(loop, &(struct tui_event){ .kind = EV_KEY, .key = *last == '\n' ? TK_ENTER : *last });
	from = paint(loop, screen) - from;
	printf("  %-34s %8.3f ms until it is painted, %8.3f ms until the answer stands\n", name, from, milliseconds() - began);
}

/* Lets everything be made ready; in which pieces. */
static void make_ready(const struct tui_source *s, const char *name)
{
	double from = milliseconds(), most = 0, all = 0;
	bool more = true;

	for (int pieces = 1; more; pieces++) {
		more = s->warm(s->ctx);
		most = milliseconds() - from - all > most ? milliseconds() - from - all : most;
		all = milliseconds() - from;
		if (!more)
			printf("  %-34s %8.3f ms in %d pieces, the longest %.3f ms\n", name, all, pieces, most);
	}
}

static void run_real(uint32_t deployments, uint32_t replicas, uint32_t nodes)
{
	static const struct { const char *name, *keys; } steps[] = {
		{ "the map again", ":redraw\n" }, { "Pods", ":po\n" }, { "Pods again", "q:po\n" }, { "sort by the next column", ">" }, { "and the next", ">" }, { "and the next", ">" }, { "and the next", ">" },
		{ "search", "/d2999\n" }, { "the Pod", "\n" }, { "its containers", "2" }, { "its rules", "3" }, { "its YAML", "5" }, { "its description", "6" }, { "what is related", "7" }, { "its plan", "8" },
		{ "Services", ":svc\n" }, { "Services again", "q:svc\n" }, { "the Service", "/s777\n\n" }, { "on the next node", "l" }, { "its plan", "p" }, { "the other mode, for the first time", "pi" }, { "and back", "i" }, { "and again", "i" },
		{ "nodes", ":nodes\n" }, { "the node", "\n" }, { "its rules", "2" }, { "events", "v" }, { "a line of them", "j" }, { "sooner", "h" }, { "matrix", "m" }, { "its next cell", "l" },
		{ "a trace", ":trace deploy/d1 svc/s777\n" }, { "its next hop", "l" }, { "the map", ":map\n" }, { "and something on it", "j" },
	};
	struct cli cli = { .arena = arena_new(NULL, "bench"), .command = "tui" };
	struct session session;
	struct err err = { 0 };
	struct bench b = { 0 };
	struct tui_loop *loop;
	char path[300];
	double from = milliseconds();

	snprintf(path, sizeof(path), "%s/podwire-bench-tui-%d.yaml", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	if (!write_cluster(path, deployments, replicas, nodes))
		return;
	vec_add(cli.arena, &cli.files, path);
	if (!session_begin(&session, &cli, false, &err)) {
		err_print(&err, stderr);
		return;
	}
	printf("%u Pods, %u Services, %u nodes, from objects (read and settled in %.1f s)\n", deployments * replicas, deployments, nodes, (milliseconds() - from) / 1e3);
	b.source = session_source(&session);
	b.t = calloc(1, sizeof(*b.t));
	make_ready(&b.source, "what is made ready while it stands");
	b.source.warm = NULL;                   /* nothing works beside the keys that are measured */
	tui_init(b.t, &b.source, 132, 43);
	from = milliseconds();
	loop = tui_loop_begin(b.t, &b.source, NULL);
	paint(loop, &b.screen);
	printf("  %-34s %8.3f ms\n", "the map, for the first time", milliseconds() - from);
	for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++)
		opens(loop, &b.screen, steps[k].name, steps[k].keys);
	tui_loop_end(loop);
	tui_free(b.t);
	free(b.t);
	cells_free(&b.screen);
	session_end(&session);
	arena_free(cli.arena);
	err_free(&err);
	unlink(path);
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "real") != 0) {
		run(150000, 5000);
		run(300000, 10000);
	}
	if (argc < 2 || strcmp(argv[1], "cells") != 0)
		run_real(30000, 5, 5000);
	return 0;
}
