/* The dataplane and the walk, at two sizes: compile and first trace, walks from a Pod to a ClusterIP and back, in nftables and iptables mode. Rates stand beside
 * the ratio to a calibration loop of dependent loads, which moves with the machine as the walks do. `bench_walk NODES DEPLOYMENTS REPLICAS SERVICES [MODE]`: one
 * size. In bulk the best of three counts: the machine is rarely ours alone. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sim/ask/question.h"
#include "sim/engine/world.h"
#include "sim/trace/bulk.h"
#include "viz/report/trace_report.h"

struct size { uint32_t nodes, deployments, replicas, services; };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Dependent loads in 4 KiB (they stay in the first cache), a million of them: what any code costs here. */
static double calibration(void)
{
	static uint16_t next[2048];
	uint32_t at = 0;
	double start;

	for (uint32_t k = 0; k < ARRAY_LEN(next); k++)
		next[k] = (uint16_t)((k + 641) % ARRAY_LEN(next));
	start = seconds();
	for (uint32_t k = 0; k < 20000000; k++)
		at = next[at];
	return (seconds() - start) / 20 + (at == 1 ? 1e-12 : 0);
}

static void write_cluster(FILE *f, const struct size *z, const char *mode)
{
	fprintf(f, "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n"
		   "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {podSubnet: 10.128.0.0/9}\n", mode);
	for (uint32_t k = 0; k < z->nodes; k++)
		fprintf(f, "---\napiVersion: v1\nkind: Node\nmetadata: {name: n%u}\nspec: {podCIDR: 10.%u.%u.0/24}\nstatus: {addresses: [{type: InternalIP, address: 172.16.%u.%u}],"
			   " allocatable: {cpu: '64', memory: 256Gi, pods: '110'}, conditions: [{type: Ready, status: 'True'}]}\n", k, 128 + k / 256, k % 256, k / 250, k % 250 + 1);
	for (uint32_t k = 0; k < z->deployments; k++)
		fprintf(f, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%u}\nspec: {replicas: %u, selector: {matchLabels: {app: d%u}}, template: {metadata: {labels: {app: d%u}},"
			   " spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}}}\n", k, z->replicas, k, k);
	for (uint32_t k = 0; k < z->services; k++)
		fprintf(f, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {selector: {app: d%u}, ports: [{port: 80}]}\n", k, k % z->deployments);
}

static bool load(struct world *w, const struct size *z, const char *mode)
{
	char path[] = "/tmp/podwire-bench-XXXXXX";
	const char *paths[] = { path };
	struct world_options opt = { .seed = 1, .ask = true, .apply = { .create_namespaces = true } };
	struct err err = { 0 };
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool ok;

	if (!f)
		return false;
	write_cluster(f, z, mode);
	fclose(f);
	world_init(w, &opt);
	ok = world_apply_paths(w, &opt, paths, 1, NULL, NULL, &err);
	unlink(path);
	err_print(&err, stderr);
	err_free(&err);
	world_settle(w, &opt);
	return ok;
}

/* Random ends: Pods and ClusterIPs. */
struct ends { netns_h *from; ip_addr *to; uint32_t nr; };

static struct ends random_ends(struct world *w, const struct dataplane *dp, uint32_t nr, struct arena *a)
{
	struct object_list pods = cluster_list_ns(w->cluster, &pod_kind, "default"), services = cluster_list_ns(w->cluster, &service_kind, "default");
	struct ends e = { arena_array(a, netns_h, nr), arena_array(a, ip_addr, nr), nr };
	uint64_t seed = 1;

	for (uint32_t k = 0; k < nr;) {
		const struct pod *p;
		const struct service *s;

		seed = hash_mix(seed, k);
		p = (const struct pod *)pods.v[(seed >> 32) % pods.nr];
		s = (const struct service *)services.v[(seed & 0xffffffffu) % services.nr];
		if (!s->selector.nr || !s->cluster_ip || !ip_parse(s->cluster_ip, &e.to[k]))
			continue;
		e.from[k] = netns_find(dp, arena_printf(a, "pod/%s/%s", p->o.ns, p->o.name));
		k += e.from[k].i != 0;
	}
	return e;
}

static double walks(const struct dataplane *dp, const struct ends *e, uint32_t nr, unsigned flags, uint32_t *delivered)
{
	struct arena *a = arena_new(NULL, "walks");
	struct flows *f = flows_new(a, 0, 1);
	struct arena_mark m = arena_mark(a);
	double start = seconds();

	*delivered = 0;
	for (uint32_t k = 0; k < nr; k++) {
		struct walk_from from = { .from = e->from[k % e->nr], .t = { .dst = e->to[k % e->nr], .dport = 80, .proto = PROTO_TCP } };
		struct trace t = walk(dp, f, &from, flags, a);

		*delivered += t.v[0].there.verdict == V_DELIVERED && t.v[0].answered;
		arena_rewind(a, m);
	}
	start = seconds() - start;
	arena_free(a);
	return start;
}

/* In bulk, some thousand probes at a time. */
static double bulk_walks(struct bulk *b, const struct bulk_probe *q, uint32_t nr_ends, uint32_t nr, struct bulk_hop *hops, uint32_t nr_hops, uint32_t *delivered, uint32_t *asked)
{
	static struct bulk_result r[4096];
	double start = seconds();

	*delivered = *asked = 0;
	for (uint32_t k = 0; k < nr; k += ARRAY_LEN(r)) {
		bulk_walk(b, q + k % nr_ends, ARRAY_LEN(r), k, r, hops, nr_hops);
		for (uint32_t i = 0; i < ARRAY_LEN(r); i++) {
			*delivered += r[i].verdict == V_DELIVERED && r[i].answered;
			*asked += r[i].asked;
		}
	}
	return seconds() - start;
}

static void measure_bulk(const struct dataplane *dp, const struct ends *e, double unit, struct arena *a)
{
	enum { ROOM = 4096 * 40, WALKS = 1u << 21 };
	struct bulk *b = bulk_new(dp, a);
	struct bulk_probe *q = arena_array(a, struct bulk_probe, e->nr);
	struct bulk_hop *hops = arena_array(a, struct bulk_hop, ROOM);
	uint32_t delivered, asked;

	for (uint32_t k = 0; k < e->nr; k++)
		q[k] = (struct bulk_probe){ .from = e->from[k], .dst = e->to[k], .dport = 80, .proto = PROTO_TCP };
	bulk_walks(b, q, e->nr, e->nr, NULL, 0, &delivered, &asked);
	for (unsigned recorded = 0; recorded < 2; recorded++) {
		double best = 1e9;

		for (int again = 0; again < 3; again++) {
			double took = bulk_walks(b, q, e->nr, WALKS, recorded ? hops : NULL, recorded ? ROOM : 0, &delivered, &asked);

			best = MIN(best, took);
		}
		printf("  in bulk,    %-14s %8.3f M/s, %6.0f loads each, %u of %u delivered and answered, %u asked of walk()\n", recorded ? "hops kept" : "outcome only", WALKS / best / 1e6,
		       best / WALKS / unit * 1e6, delivered, WALKS, asked);
	}
	bulk_free(b);
}

/* From a change of an endpoint (a Pod is no longer ready, or again) to the next trace: the dataplane brought up to date, and a trace to the Service with its hops. */
static void measure_change(struct world *w, struct dataplane *dp, const struct ends *e, uint32_t nr)
{
	struct object_list pods = cluster_list_ns(w->cluster, &pod_kind, "default");
	struct arena *a = arena_new(NULL, "change");
	struct flows *f = flows_new(a, 0, 1);
	double worst = 0, all = 0;
	uint32_t missed = 0;

	for (uint32_t k = 0; k < nr; k++) {
		struct pod *p = (struct pod *)pods.v[(uint64_t)k * 7919 % pods.nr];
		struct service *s = find_service(w->cluster, "default", arena_printf(a, "s%s", label_get(&p->o.labels, "app") + 1));
		struct walk_from from = { .from = e->from[k % e->nr], .t = { .dport = 80, .proto = PROTO_TCP } };
		double start;
		bool updated;

		for (uint32_t i = 0; i < p->conditions.nr; i++)
			if (streq(p->conditions.v[i].type, "Ready"))
				p->conditions.v[i].status = p->conditions.v[i].status == COND_TRUE ? COND_FALSE : COND_TRUE;
		cluster_touch(w->cluster, &p->o);
		control_settle(w->control);
		ip_parse(s->cluster_ip, &from.t.dst);
		start = seconds();
		updated = dataplane_update(dp);
		walk(dp, f, &from, WALK_DRAW | WALK_RECORD, a);
		start = seconds() - start;
		missed += !updated;
		worst = start > worst ? start : worst;
		all += start;
		if (!updated)
			break;
	}
	printf("  an endpoint changes: %.0f us to the next trace on average, %.0f at most%s\n", all / nr * 1e6, worst * 1e6, missed ? " (COMPILED ANEW)" : "");
	arena_free(a);
}

/* As `podwire trace` does it, ends by name in and text out; of all that can come one outcome is drawn. */
static void measure_printed(struct world *w, uint32_t nr)
{
	struct object_list pods = cluster_list_ns(w->cluster, &pod_kind, "default");
	struct arena *a = arena_new(NULL, "printed");
	const struct arena_mark m = arena_mark(a);
	double took[2] = { 0 };
	struct sb out = { 0 };
	struct err err = { 0 };
	size_t bytes = 0;
	bool ok = true;

	for (uint32_t k = 0; k < nr + 10 && ok; k++) {
		struct question q = { .ns = "default", .l4 = L4_TCP, .proto = PROTO_TCP, .flags = WALK_RECORD | WALK_DRAW };
		struct answer answer;
		double start, asked;

		q.from = arena_printf(a, "pod/%s", pods.v[k * 7919u % pods.nr]->name);
		q.to = "svc/s0:80";
		sb_reset(&out);
		start = seconds();
		ok = question_ask(w, &q, a, &answer, &err);
		asked = seconds();
		if (ok)
			trace_text(w, &answer, false, &out);
		if (k >= 10) {                  /* the first ones compile */
			took[0] += asked - start;
			took[1] += seconds() - asked;
		}
		bytes = out.len;
		arena_rewind(a, m);
	}
	if (ok)
		printf("  a trace asked by name: %.1f us, printed: %.1f us (%zu bytes)\n", took[0] / nr * 1e6, took[1] / nr * 1e6, bytes);
	err_print(&err, stderr);
	err_free(&err);
	sb_free(&out);
	arena_free(a);
}

static void measure(const struct size *z, const char *mode, double unit)
{
	struct world w;
	double start, compiled, first, took;
	struct mem mem = { 0 };
	struct dataplane *dp;
	struct arena *a = arena_new(NULL, "ends");
	struct ends e;
	uint32_t delivered, nr = 20000;

	if (!load(&w, z, mode))
		exit(1);
	start = seconds();
	dp = dataplane_compile(w.cluster, &mem);
	compiled = seconds() - start;
	e = random_ends(&w, dp, 1u << 16, a);
	start = seconds();
	walks(dp, &e, 1, WALK_RECORD, &delivered);
	first = seconds() - start;
	printf("%-9s %5u nodes %7u Pods %6u Services: compile %6.1f ms, first trace %6.1f ms, %5.1f MiB\n", mode, z->nodes, z->deployments * z->replicas, z->services, compiled * 1e3,
	       first * 1e3, (double)mem.used / 1048576);
	walks(dp, &e, e.nr, WALK_DRAW, &delivered);     /* every namespace and chain that they need is written now */
	for (unsigned recorded = 0; recorded < 2; recorded++) {
		took = walks(dp, &e, nr, WALK_DRAW | (recorded ? WALK_RECORD : 0), &delivered);
		printf("  one by one, %-14s %8.3f M/s, %6.0f loads each, %u of %u delivered and answered\n", recorded ? "hops kept" : "outcome only", nr / took / 1e6,
		       took / nr / unit * 1e6, delivered, nr);
	}
	measure_bulk(dp, &e, unit, a);
	measure_change(&w, dp, &e, 200);
	measure_printed(&w, 1000);
	printf("  %.1f MiB with all that was looked at\n", (double)mem.used / 1048576);
	arena_free(a);
	dataplane_free(dp);
	world_free(&w);
}

int main(int argc, char **argv)
{
	static const struct size sizes[] = { { 3, 2, 5, 2 }, { 1000, 2000, 15, 2000 } };
	static const char *const modes[] = { "nftables", "iptables" };
	double unit = calibration();
	struct size one = { 0 };

	printf("calibration: %.2f ns for a dependent load\n", unit * 1e3);
	if (argc >= 5)
		one = (struct size){ (uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]) };
	for (size_t k = 0; k < (one.nodes ? 1 : ARRAY_LEN(sizes)); k++)
		for (size_t m = 0; m < ARRAY_LEN(modes); m++)
			if (argc < 6 || strcmp(argv[5], modes[m]) == 0)
				measure(one.nodes ? &one : &sizes[k], modes[m], unit);
	return 0;
}
