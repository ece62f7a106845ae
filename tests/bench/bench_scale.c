/* Load, settle, save and load again, each at two sizes; rollouts; reading YAML and JSON; small commands. `bench_scale quick` leaves out the larger size. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <yaml.h>

#include "sim/engine/world.h"
#include "sim/lab/lab.h"

/* ---- inputs */

static void add_nodes(struct sb *s, uint32_t nr)
{
	sb_add(s, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {podSubnet: 10.0.0.0/9, serviceSubnet: 10.128.0.0/14}\n---\n");
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(s, "apiVersion: v1\nkind: Node\nmetadata: {name: n%u}\nstatus: {addresses: [{type: InternalIP, address: 172.%u.%u.%u}], allocatable: {cpu: '64', memory: 256Gi,"
			  " pods: '250'}, conditions: [{type: Ready, status: 'True'}]}\n---\n", k, 16 + k / 62500, k / 250 % 250, k % 250 + 1);
}

static void add_deployment(struct sb *s, uint32_t k, uint32_t replicas, const char *image)
{
	sb_printf(s, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%u}\nspec: {replicas: %u, selector: {matchLabels: {app: d%u}}, template: {metadata: {labels: {app: d%u}},"
		  " spec: {containers: [{name: c, image: %s, ports: [{containerPort: 80}]}]}}}\n---\n", k, replicas, k, k, image);
}

static void add_service(struct sb *s, uint32_t k)
{
	sb_printf(s, "apiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {selector: {app: d%u}, ports: [{port: 80}]}\n---\n", k, k);
}

static const char *const manifests[] = {        /* as people write them; about 450 bytes each */
	"apiVersion: v1\nkind: Service\nmetadata:\n  name: web-%u\n  labels:\n    app.kubernetes.io/name: web\n    app.kubernetes.io/part-of: shop\n    app.kubernetes.io/managed-by: kustomize\n"
	"spec:\n  type: ClusterIP\n  selector:\n    app.kubernetes.io/name: web\n    app.kubernetes.io/part-of: shop\n  ports:\n    - name: http\n      port: 80\n      targetPort: http\n"
	"      protocol: TCP\n    - name: metrics\n      port: 9090\n      targetPort: 9090\n      protocol: TCP\n---\n",
	"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-%u\n  labels:\n    app: web\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app: web\n  template:\n"
	"    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n        - name: web\n          image: registry.example.com/shop/web:1.4.2\n          ports:\n            - name: http\n"
	"              containerPort: 8080\n          resources:\n            requests: {cpu: 100m, memory: 128Mi}\n---\n",
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: web-%u\nspec:\n  podSelector:\n    matchLabels:\n      app: web\n  policyTypes: [Ingress, Egress]\n  ingress:\n"
	"    - from:\n        - podSelector:\n            matchLabels:\n              app: frontend\n        - namespaceSelector:\n            matchLabels:\n              team: monitoring\n      ports:\n"
	"        - protocol: TCP\n          port: 8080\n  egress:\n    - to:\n        - ipBlock:\n            cidr: 10.0.0.0/8\n---\n",
};

/* ---- one cluster */

struct size { uint32_t nodes, deployments, replicas, services; };
struct work { struct size z; const char *text; size_t len; const char *lab; };

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	static const struct world_options opt = { .apply = { .unknown = VALIDATE_STRICT, .validate = true, .create_namespaces = true } };

	world_apply_doc(ctx, &opt, d, err);
	return true;
}

static void apply_text(struct world *w, const char *text, size_t len)
{
	struct err err = { 0 };

	docs_read("bench", text, len, NULL, take, w, &err);
	if (err_any(&err))
		err_print(&err, stderr);
	err_free(&err);
}

static void settle(struct world *w)
{
	world_settle(w, &(struct world_options){ 0 });
}

static void open_world(struct world *w)
{
	world_init(w, &(struct world_options){ .seed = 1 });
}

static void cluster_work(struct bench *b, void *ctx)
{
	const struct work *x = ctx;
	struct lab_input in = { 0 };
	struct err err = { 0 };
	struct world w;
	struct lab *lab;
	struct lab_point now;

	open_world(&w);
	apply_text(&w, x->text, x->len);
	bench_mark(b, "load");
	settle(&w);
	bench_mark(b, "settle");
	if (!x->lab)
		return;
	unlink(x->lab);
	lab = lab_open(x->lab, LAB_NEW, NULL, &err);
	if (!lab || !lab_save_world(lab, &w, &in, &err))
		err_print(&err, stderr);
	lab_close(lab);
	bench_mark(b, "save");
	lab = lab_open(x->lab, LAB_READ, NULL, &err);
	if (!lab || !lab_find(lab, NULL, &now, &err) || !lab_pack(lab, &err))
		err_print(&err, stderr);
	lab_close(lab);
	bench_mark(b, "checkpoint");
	lab = lab_open(x->lab, LAB_READ, NULL, &err);
	if (!lab || !lab_find(lab, NULL, &now, &err) || !lab_load_world(lab, now, &w, &err))
		err_print(&err, stderr);
	bench_mark(b, "load the lab");
}

static double megabytes(const char *path)
{
	FILE *f = fopen(path, "rb");
	double n = 0;

	if (f) {
		fseek(f, 0, SEEK_END);
		n = (double)ftell(f) / 1e6;
		fclose(f);
	}
	return n;
}

static void measure_clusters(const char *lab, bool quick)
{
	static const struct size sizes[] = { { 500, 1000, 15, 1000 }, { 1000, 2000, 15, 2000 }, { 5000, 10000, 15, 10000 } };
	double before[5] = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(sizes) - quick; k++) {
		static const char *const marks[] = { "load", "settle", "save", "checkpoint", "load the lab" };
		struct work x = { .z = sizes[k] };
		double pods = (double)x.z.deployments * x.z.replicas;
		struct sb text = { 0 };
		struct bench all, small;

		add_nodes(&text, x.z.nodes);
		for (uint32_t d = 0; d < x.z.deployments; d++)
			add_deployment(&text, d, x.z.replicas, "nginx");
		for (uint32_t s = 0; s < x.z.services; s++)
			add_service(&text, s);
		x.text = sb_text(&text);
		x.len = text.len;
		printf("%u nodes, %u Deployments of %u Pods, %u Services\n", x.z.nodes, x.z.deployments, x.z.replicas, x.z.services);
		if (!bench_run(&small, 3, cluster_work, &x))
			return;
		x.lab = lab;
		if (!bench_run(&all, k < 2 ? 3 : 2, cluster_work, &x))
			return;
		for (int m = 0; m < all.nr; m++) {
			bench_row(marks[m], all.mark[m].ms, all.mark[m].system, before[m], pods);
			before[m] = all.mark[m].ms / pods;
		}
		printf("  %-28s %9.1f ms\n", "load and settle", bench_ms(&small, "load") + bench_ms(&small, "settle"));
		printf("  %-28s %9.1f MiB, %.0f bytes a Pod\n  %-28s %9.1f MB\n", "memory until settled", small.mib, small.mib * 1048576 / pods, "the lab's file", megabytes(lab));
		unlink(lab);
		sb_free(&text);
	}
}

/* ---- a rollout */

static void rollout_work(struct bench *b, void *ctx)
{
	uint32_t pods = *(const uint32_t *)ctx;
	struct sb text = { 0 };
	struct world w;

	open_world(&w);
	add_nodes(&text, pods / 20);
	add_deployment(&text, 0, pods, "nginx:1");
	add_service(&text, 0);
	apply_text(&w, sb_text(&text), text.len);
	settle(&w);
	bench_mark(b, "made");
	sb_reset(&text);
	add_deployment(&text, 0, pods, "nginx:2");
	apply_text(&w, sb_text(&text), text.len);
	settle(&w);
	bench_mark(b, "rolled over");
}

static void measure_rollouts(bool quick)
{
	static const uint32_t sizes[] = { 1000, 5000, 10000 };
	double made = 0, rolled = 0;

	for (size_t k = 0; k < ARRAY_LEN(sizes) - quick; k++) {
		uint32_t pods = sizes[k];
		struct bench b;

		printf("one Deployment of %u Pods with its Service\n", pods);
		if (!bench_run(&b, 2, rollout_work, &pods))
			return;
		bench_row("made", b.mark[0].ms, b.mark[0].system, made, pods);
		bench_row("rolled over", b.mark[1].ms, b.mark[1].system, rolled, pods);
		made = b.mark[0].ms / pods;
		rolled = b.mark[1].ms / pods;
	}
}

/* ---- reading */

struct reading { const char *text; size_t len; uint32_t nr; };

static bool count(void *ctx, const struct doc *d, struct err *err)
{
	(void)d;
	(void)err;
	++*(uint32_t *)ctx;
	return true;
}

static void read_work(struct bench *b, void *ctx)
{
	const struct reading *r = ctx;
	struct err err = { 0 };
	uint32_t nr = 0;

	docs_read("bench", r->text, r->len, NULL, count, &nr, &err);
	bench_mark(b, "read");
	if (nr != r->nr)
		fprintf(stderr, "read %u of %u\n", nr, r->nr);
	err_free(&err);
}

/* What libyaml alone needs for the same text: its events, thrown away. */
static void libyaml_work(struct bench *b, void *ctx)
{
	const struct reading *r = ctx;
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = yaml_parser_initialize(&parser);

	yaml_parser_set_input_string(&parser, (const unsigned char *)r->text, r->len);
	while (more && yaml_parser_parse(&parser, &event)) {
		more = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	bench_mark(b, "parsed");
}

static void apply_work(struct bench *b, void *ctx)
{
	const struct reading *r = ctx;
	struct world w;

	open_world(&w);
	bench_mark(b, "begun");
	apply_text(&w, r->text, r->len);
	bench_mark(b, "applied");
}

static void measure_reading(void)
{
	struct sb yaml = { 0 }, json = { 0 };
	struct reading r = { .nr = 60000 };
	struct bench b;

	for (uint32_t k = 0; k < r.nr; k++)
		sb_printf(&yaml, manifests[k % ARRAY_LEN(manifests)], k);
	r.text = sb_text(&yaml);
	r.len = yaml.len;
	printf("YAML, %u manifests of %zu bytes\n", r.nr, r.len / r.nr);
	if (bench_run(&b, 3, read_work, &r))
		printf("  %-28s %9.0f a second, %.0f MB/s, %.0f MiB\n", "read", r.nr / b.mark[0].ms * 1e3, (double)r.len / b.mark[0].ms / 1e3, b.mib);
	if (bench_run(&b, 3, apply_work, &r))
		printf("  %-28s %9.0f a second\n", "read, validated, applied", r.nr / b.mark[1].ms * 1e3);
	if (bench_run(&b, 3, libyaml_work, &r))
		printf("  %-28s %9.0f a second\n", "libyaml's events alone", r.nr / b.mark[0].ms * 1e3);
	sb_free(&yaml);

	r.nr = 40000;
	sb_add(&json, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
	for (uint32_t k = 0; k < r.nr; k++) {
		sb_printf(&json, "%s{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-%u\",\"namespace\":\"shop\",\"uid\":\"5f0c0000-0000-4000-8000-%u\",\"labels\":{\"app\":\"web\"}},"
			  "\"spec\":{\"nodeName\":\"n%u\",\"containers\":[", k ? "," : "", k, k + 100000, k % 1000);
		for (uint32_t c = 0; c < 4; c++)
			sb_printf(&json, "%s{\"name\":\"c%u\",\"image\":\"registry.example.com/shop/web:1.4.%u\",\"env\":[{\"name\":\"A\",\"value\":\"some value \\u00e9\"},{\"name\":\"B\",\"value\":\"%u\"}],"
				  "\"ports\":[{\"containerPort\":80%u,\"protocol\":\"TCP\"}],\"resources\":{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},\"terminationMessagePath\":\"/dev/termination-log\","
				  "\"volumeMounts\":[{\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\",\"name\":\"token\",\"readOnly\":true}]}", c ? "," : "", c, k % 10, k, c);
		sb_add(&json, "]},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.1.2.3\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}");
	}
	sb_add(&json, "]}");
	r.text = sb_text(&json);
	r.len = json.len;
	printf("JSON, %u Pods of %zu bytes in one List\n", r.nr, r.len / r.nr);
	if (bench_run(&b, 3, read_work, &r))
		printf("  %-28s %9.0f MB/s, %.0f MiB beside the text\n", "read", (double)r.len / b.mark[0].ms / 1e3, b.mib - (double)r.len / 1048576);
	sb_free(&json);
}

/* ---- small commands, as processes */

static double wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double run_once(const char *program, char *const argv[])
{
	int nowhere = open("/dev/null", O_WRONLY), status;
	double from = wall_ms();
	pid_t pid = fork();

	if (!pid) {
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execv(program, argv);
		_exit(127);
	}
	close(nowhere);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return -1;
	return wall_ms() - from;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void command_row(const char *name, const char *program, char *const argv[])
{
	double ms[101];

	for (size_t k = 0; k < ARRAY_LEN(ms); k++)
		ms[k] = run_once(program, argv);
	qsort(ms, ARRAY_LEN(ms), sizeof(*ms), by_size);
	if (ms[0] < 0)
		printf("  %-28s failed\n", name);
	else
		printf("  %-28s %9.2f ms least, %.2f median\n", name, ms[0], ms[ARRAY_LEN(ms) / 2]);
}

#define ARGS(...) (char *[]){ (char *)(uintptr_t)"podwire", __VA_ARGS__, NULL }
#define A(text) (char *)(uintptr_t)(text)

static const char small_scenario[] =
	"apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: small}\nspec:\n  title: A Service with three Pods\n  steps:\n  - name: it is there\n    apply:\n      objects:\n"
	"      - {apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}},"
	" spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]}}}}\n"
	"      - {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}\n"
	"      - {apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {containers: [{name: shell, image: alpine, command: [sleep, infinity]}]}}\n"
	"    wait: {for: [svc/web has 3 endpoints, pod/client ready], timeout: 60s}\n"
	"  - name: it answers\n    trace: {from: pod/client, to: 'svc/web:80'}\n    expect:\n    - {verdict: delivered, answered: true}\n";

static void measure_commands(const char *program, const char *lab, const char *dir)
{
	char yaml[300], scenario[300];
	struct sb text = { 0 };
	FILE *f;

	snprintf(yaml, sizeof(yaml), "%s/small.yaml", dir);
	snprintf(scenario, sizeof(scenario), "%s/small-scenario.yaml", dir);
	for (uint32_t k = 0; k < 5; k++) {
		add_deployment(&text, k, 2, "nginx");
		add_service(&text, k);
	}
	f = fopen(yaml, "w");
	if (f) {
		fputs(sb_text(&text), f);
		fclose(f);
	}
	f = fopen(scenario, "w");
	if (f) {
		fputs(small_scenario, f);
		fclose(f);
	}
	unlink(lab);
	printf("commands on a lab of 5 Deployments, from start to exit, by the clock\n");
	command_row("version", program, ARGS(A("version")));
	if (run_once(program, ARGS(A("apply"), A("--lab"), A(lab), A("-f"), A(yaml))) >= 0) {
		command_row("get pods", program, ARGS(A("get"), A("pods"), A("--lab"), A(lab)));
		command_row("advance 1s, with its commit", program, ARGS(A("advance"), A("1s"), A("--lab"), A(lab)));
	}
	command_row("run a small scenario", program, ARGS(A("run"), A(scenario)));
	unlink(lab);
	unlink(yaml);
	unlink(scenario);
	sb_free(&text);
}

int main(int argc, char **argv)
{
	char dir[200], lab[300], program[400];
	bool quick = argc > 1 && strcmp(argv[1], "quick") == 0;
	const char *slash = strrchr(argv[0], '/');

	snprintf(dir, sizeof(dir), "%s/podwire-bench-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	snprintf(lab, sizeof(lab), "%s/lab.db", dir);
	snprintf(program, sizeof(program), "%.*s/podwire", (int)(slash ? slash - argv[0] : 1), slash ? argv[0] : ".");
	measure_clusters(lab, quick);
	measure_rollouts(quick);
	measure_reading();
	if (access(program, X_OK) == 0)
		measure_commands(program, lab, dir);
	{
		char rest[400];

		for (size_t k = 0; k < 2; k++) {
			snprintf(rest, sizeof(rest), "%s%s", lab, k ? "-wal" : "-shm");
			unlink(rest);
		}
	}
	rmdir(dir);
	return 0;
}
