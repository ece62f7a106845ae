/* podwire up against the floor: the same namespaces, veths and processes, made by the tightest loop that C allows, in the same run; torn down by the kernel in both cases.
 * Then a lab of three nodes, one changed endpoint, and rules of many Services into one node against `nft -f`. With `all`: the same hosts and links by ip commands and by Mininet.
 *
 * Times are by the clock, as most of the work is the kernel's for others; floor and podwire take turns, and the least of each counts, for the machine may have other
 * work. `rules`: one changed endpoint and rules of many Services alone. Exit status 0, whatever the figures are. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/base/base.h"
#include "sim/linux/enter.h"
#include "sim/linux/image.h"
#include "sim/linux/netlink.h"

#define NODES    20u
#define PODS     1000u
#define SERVICES 100u
#define PROCESSES (PODS + 3 * NODES)    /* a container each, and kubelet's, kube-proxy's, the network's daemon on each node */
#define ROUNDS   3

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of all processes that have ended and were waited for, with those that they have waited for: a lab's, once its first process is gone. */
static double cpu_ms(void)
{
	struct rusage r;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	getrusage(RUSAGE_CHILDREN, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

#include "tests/bench/replay.h"

/* The kernel frees namespaces behind the scenes, and what is measured next would pay for it: until it is done. */
static void settle(void)
{
	for (int k = 0, before = -1, same = 0; k < 400 && same < 4; k++) {
		FILE *f = fopen("/proc/slabinfo", "re");
		char line[256];
		int now = 0;

		while (f && fgets(line, sizeof(line), f))
			sscanf(line, "net_namespace %d", &now);
		if (f)
			fclose(f);
		same = now == before ? same + 1 : 0;
		before = now;
		usleep(50000);
	}
}

/* ---- the floor */

struct times { double up, cpu, down; };         /* ms; cpu: of all its processes, up and down together */
struct floor { uint32_t nodes, pods, processes; struct times *t; };
struct child { char *path; const char *hostname; int netfd, ready, null; char **argv; };

static int become(void *arg)
{
	const struct child *c = arg;
	char *const env[] = { NULL };

	if (c->netfd >= 0 && setns(c->netfd, CLONE_NEWNET) != 0)
		_exit(126);
	if (close_range(FD_SETSIZE, ~0u, CLOSE_RANGE_UNSHARE) != 0)
		_exit(126);
	for (int k = 0; k < 3; k++)
		dup2(c->null, k);
	if (c->hostname && sethostname(c->hostname, strlen(c->hostname)) != 0)
		_exit(126);
	if (c->ready >= 0 && dup2(c->ready, 3) != 3)
		_exit(126);
	execve(c->path, c->argv, env);
	_exit(127);
}

static pid_t start(struct child *c, int flags)
{
	char stack[16 * 1024] __attribute__((aligned(16)));

	return clone(become, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD | flags, c);
}

static bool put_image(char *path, const unsigned char *from, const unsigned char *to)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	bool ok = fd >= 0 && write(fd, from, (size_t)(to - from)) == to - from;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* In the node's namespace: the node's ends, each with its other end in the Pod's, both up. */
static bool veths(struct nl *nl, const int *pods, uint32_t nr, struct err *err)
{
	for (uint32_t k = 0; k < nr; k++) {
		struct ifinfomsg head = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP }, far = { .ifi_index = 2 };
		struct nlmsghdr *h = nl_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head), err);
		struct nlattr *info, *data, *peer;
		char name[16];

		if (!h)
			return false;
		snprintf(name, sizeof(name), "v%u", k);
		mnl_attr_put_strz(h, IFLA_IFNAME, name);
		mnl_attr_put_u32(h, IFLA_NUM_TX_QUEUES, 1);
		mnl_attr_put_u32(h, IFLA_NUM_RX_QUEUES, 1);
		info = mnl_attr_nest_start(h, IFLA_LINKINFO);
		mnl_attr_put_str(h, IFLA_INFO_KIND, "veth");
		data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
		peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
		memcpy(mnl_nlmsg_put_extra_header(h, sizeof(far)), &far, sizeof(far));
		mnl_attr_put_strz(h, IFLA_IFNAME, "eth0");
		mnl_attr_put_u32(h, IFLA_NUM_TX_QUEUES, 1);
		mnl_attr_put_u32(h, IFLA_NUM_RX_QUEUES, 1);
		mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)pods[k]);
		mnl_attr_nest_end(h, peer);
		mnl_attr_nest_end(h, data);
		mnl_attr_nest_end(h, info);
	}
	return nl_send(nl, err);
}

static bool up_in(int netfd, struct err *err)
{
	struct ifinfomsg head = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nl nl;
	bool ok = setns(netfd, CLONE_NEWNET) == 0 && nl_open(&nl, NETLINK_ROUTE, "a Pod", err);

	for (head.ifi_index = 1; ok && head.ifi_index <= 2; head.ifi_index++)
		ok = nl_begin(&nl, RTM_NEWLINK, 0, &head, sizeof(head), err) != NULL;
	ok = ok && nl_send(&nl, err);
	nl_close(&nl);
	return ok;
}

static enum err_kind build_floor(void *ctx, int said, struct err *err)
{
	struct floor *f = ctx;
	uint32_t spaces = f->nodes + f->pods;
	int *netfd = calloc(spaces, sizeof(int)), ready[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char keeper[] = "/run/pause", workload[] = "/run/workload", word[] = "pause", port[] = "tcp:8080", dash[] = "-", log[] = "/run/log";
	char *pause_argv[] = { word, NULL }, *argv[] = { workload, dash, dash, dash, log, port, NULL };
	struct child p = { keeper, "host", -1, -1, null, pause_argv };
	double from = now_ms();
	char bytes[256];
	bool ok = netfd && pipe2(ready, O_CLOEXEC) == 0 && put_image(keeper, pause_image, pause_image_end) && put_image(workload, workload_image, workload_image_end);

	for (uint32_t k = 0; ok && k < spaces; k++) {
		pid_t pid = start(&p, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
		char path[64];
		int low;

		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
		netfd[k] = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		if (netfd[k] >= 0 && (low = netfd[k]) < FD_SETSIZE) {
			netfd[k] = fcntl(low, F_DUPFD_CLOEXEC, FD_SETSIZE);
			close(low);
		}
		ok = netfd[k] >= 0;
	}
	for (uint32_t k = 0; ok && k < f->nodes; k++) {
		uint32_t first = f->nodes + k * (f->pods / f->nodes), nr = k + 1 < f->nodes ? f->pods / f->nodes : f->pods - k * (f->pods / f->nodes);
		struct nl nl;

		ok = setns(netfd[k], CLONE_NEWNET) == 0 && nl_open(&nl, NETLINK_ROUTE, "a node", err) && veths(&nl, netfd + first, nr, err);
		nl_close(&nl);
	}
	for (uint32_t k = f->nodes; ok && k < spaces; k++)
		ok = up_in(netfd[k], err);
	for (uint32_t k = 0; ok && k < f->processes; k++) {
		struct child w = { workload, NULL, netfd[k < f->pods ? f->nodes + k : k % f->nodes], ready[1], null, argv };

		ok = start(&w, 0) > 0;
	}
	close(ready[1]);
	for (ssize_t left = f->processes, n; ok && left && (n = read(ready[0], bytes, sizeof(bytes))) > 0;)
		left -= n;
	f->t->up = now_ms() - from;
	entered_say(said, ok ? ERR_NONE : ERR_MACHINE, err);
	while (ok)
		pause();
	return ERR_MACHINE;
}

static void keep_least(struct times *least, const struct times *t)
{
	least->up = MIN(least->up, t->up);
	least->cpu = MIN(least->cpu, t->cpu);
	least->down = MIN(least->down, t->down);
}

/* Built, and torn down by killing its first process. */
static bool floor_once(struct times *least)
{
	struct times *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct floor f = { NODES, PODS, PROCESSES, t };
	struct entered lab;
	struct err err = { 0 };
	double cpu = cpu_ms();
	bool ok = t != MAP_FAILED && enter(build_floor, &f, &lab, &err) && entered_result(&lab, &err) == ERR_NONE;

	if (ok) {
		double from = now_ms();

		kill(lab.pid, SIGKILL);
		entered_wait(&lab);
		t->down = now_ms() - from;
		t->cpu = cpu_ms() - cpu;
		keep_least(least, t);
		munmap(t, sizeof(*t));
	} else {
		for (uint32_t k = 0; k < err.nr; k++)
			fprintf(stderr, "floor: %s\n", err.v[k].text);
	}
	err_free(&err);
	return ok;
}

/* ---- programs */

/* → milliseconds until it has ended; below 0: it could not be run, or failed. out: what it printed; NULL: nobody reads it. */
static double run(const char *const *argv, char *out, size_t n)
{
	double from = now_ms();
	int said[2], status;
	size_t len = 0;
	ssize_t m;
	pid_t pid;

	if (pipe2(said, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(out ? said[1] : null, 1);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(said[1]);
	while (out && len + 1 < n && (m = read(said[0], out + len, n - 1 - len)) > 0)
		len += (size_t)m;
	close(said[0]);
	if (out)
		out[len] = '\0';
	if (waitpid(pid, &status, 0) < 0)
		return -1;
	return status == 0 ? now_ms() - from : -1;
}
#define RUN(out, n, ...) run((const char *const[]){ __VA_ARGS__, NULL }, out, n)

static char dir[64], manifests[96], lab[96], script[96];

static bool write_cluster(const char *path, uint32_t workers, uint32_t services, uint32_t replicas)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fputs("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n", f);
	for (uint32_t k = 0; k < workers; k++)
		fputs("- role: worker\n", f);
	for (uint32_t k = 0; k < services; k++) {
		fprintf(f, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {selector: {app: a%u}, ports: [{port: 80, targetPort: 8080}]}\n", k, k);
		if (replicas)
			fprintf(f, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a%u}\nspec: {replicas: %u, selector: {matchLabels: {app: a%u}}, template: {metadata: {labels: {app: a%u}},"
				" spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 8080}]}]}}}\n", k, replicas, k, k);
	}
	return fclose(f) == 0;
}

/* Services whose three endpoints are addresses outside: rules without Pods. */
static bool write_services(const char *path, uint32_t services)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fputs("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}]\n", f);
	for (uint32_t k = 0; k < services; k++) {
		fprintf(f, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {ports: [{port: 80}]}\n", k);
		fprintf(f, "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s%u-x, labels: {kubernetes.io/service-name: s%u}}\naddressType: IPv4\nports: [{port: 8080}]\nendpoints: [", k, k);
		for (uint32_t i = 0; i < 3; i++)
			fprintf(f, "%s{addresses: [192.%u.%u.%u]}", i ? ", " : "", 100 + i, k / 250, 1 + k % 250);
		fputs("]\n", f);
	}
	return fclose(f) == 0;
}

/* ---- rows */

static void row(const char *name, const struct times *t, const struct times *floor, const char *note)
{
	const double v[] = { t->up, t->cpu, t->down }, f[] = { floor ? floor->up : 0, floor ? floor->cpu : 0, floor ? floor->down : 0 };

	printf("  %-34s", name);
	for (size_t k = 0; k < ARRAY_LEN(v); k++) {
		if (v[k] < 0)
			printf(" %9s", "-");
		else
			printf(" %6.0f ms", v[k]);
		if (f[k] > 0 && v[k] >= 0)
			printf(" %6.2f x", v[k] / f[k]);
		else
			printf(" %8s", "");
	}
	printf("   %s\n", note);
	fflush(stdout);
}

static double number_after(const char *text, const char *what)
{
	const char *p = strstr(text, what);

	return p ? strtod(p + strlen(what), NULL) : -1;
}

static void memory(void)
{
	char text[4096];

	if (RUN(text, sizeof(text), "build/podwire", "exec", "--lab", lab, "client", "--", "sh", "-c", "sed -n s/VmRSS:/supervisor/p /proc/1/status; sed -n s/VmRSS:/pause/p /proc/2/status") >= 0)
		printf("  resident: supervisor %.1f MiB (limit 64), each pause %.0f KiB (limit 300)\n", number_after(text, "supervisor") / 1024, number_after(text, "pause"));
}

static bool thousand(struct times *floor)
{
	struct times least = { 1e9, 1e9, 1e9 }, kernel = { 1e9, -1, -1 }, t;
	char said[1024];

	*floor = least;
	for (int k = 0; k < ROUNDS; k++) {
		double cpu;

		settle();
		if (!floor_once(floor))
			return false;
		settle();
		cpu = cpu_ms();
		t.up = RUN(said, sizeof(said), "build/podwire", "up", "-v", "--lab", lab, "-f", manifests);
		if (t.up < 0)
			return false;
		if (k + 1 == ROUNDS)
			memory();
		t.down = RUN(NULL, 0, "build/podwire", "down", "-q", "--lab", lab);
		usleep(20000);          /* its first process is a child of this one, and is waited for */
		t.cpu = cpu_ms() - cpu;
		keep_least(&least, &t);
		t.up = number_after(strstr(said, "processes,") ? strstr(said, "processes,") : "", "processes,");
		kernel.up = MIN(kernel.up, t.up);
	}
	printf("  %-34s %9s %8s %9s %8s %9s\n", "", "up", "", "processor", "", "down");
	row("the floor", floor, NULL, "namespaces, veths, processes: clone and netlink in batches");
	row("podwire up, down", &least, floor, "the whole command; objects, addresses, routes, rules, too (limit 1.50 x)");
	row("  of which in the kernel", &kernel, floor, "");
	return true;
}

static void small_lab(void)
{
	struct times least = { 1e9, -1, 1e9 }, t = { 0, 0, 0 };

	settle();
	if (!write_cluster(manifests, 2, 2, 2))
		return;
	for (int k = 0; k < 2 * ROUNDS; k++) {
		t.up = RUN(NULL, 0, "build/podwire", "up", "-q", "--lab", lab, "-f", manifests);
		t.down = RUN(NULL, 0, "build/podwire", "down", "-q", "--lab", lab);
		keep_least(&least, &t);
	}
	row("three nodes, 6 Pods", &least, NULL, "(limit 300 ms)");
}

/* The port of one endpoint of SERVICES Services changes, on one node. */
static void one_endpoint(void)
{
	double least = 1e9, whole = 1e9;
	char said[4096];
	bool ok = write_cluster(manifests, 0, SERVICES, 1) && RUN(NULL, 0, "build/podwire", "apply", "-q", "--lab", lab, "-f", manifests) >= 0 && RUN(NULL, 0, "build/podwire", "up", "-q", "--lab", lab) >= 0;

	for (int k = 0; ok && k < 5 * ROUNDS; k++) {
		char patch[256];
		double ms;

		snprintf(patch, sizeof(patch), "exec build/podwire patch svc s0 --lab %s -p '{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":%u}]}}' 2>&1", lab, k % 2 ? 8080u : 8081u);
		ms = RUN(said, sizeof(said), "sh", "-c", patch);
		ok = ms >= 0 && strstr(said, "started, ");
		if (ok) {
			least = MIN(least, number_after(said, "started, "));
			whole = MIN(whole, ms);
		}
	}
	if (ok)
		printf("  %-36s %6.1f ms   from the objects to the kernel, one node (limit 5 ms); the whole command %.0f ms\n", "one changed endpoint of 100 Services", least, whole);
	RUN(NULL, 0, "build/podwire", "down", "-q", "--lab", lab);
}

/* By the clock, and in processor time: that of podwire with the writing of the rules, that of nft without. */
static void services(uint32_t nr, double limit)
{
	double nft = 1e9, nft_cpu = 1e9, own = 1e9, own_cpu = 1e9, alone = 1e9, alone_cpu = 1e9;
	char said[4096], line[512], name[64];

	if (!write_services(manifests, nr))
		return;
	snprintf(line, sizeof(line), "build/podwire rules -f %s --node control-plane -o nft >%s", manifests, script);
	if (RUN(NULL, 0, "sh", "-c", line) < 0)
		return;
	if (!replay_keep(manifests))
		return;
	for (int k = 0; k < (nr > 2000 ? 1 : ROUNDS); k++) {
		struct replayed r;
		double ms, cpu;

		settle();
		cpu = cpu_ms();
		ms = RUN(NULL, 0, "unshare", "-n", "nft", "-f", script);
		if (ms >= 0) {
			nft = MIN(nft, ms);
			nft_cpu = MIN(nft_cpu, cpu_ms() - cpu);
		}
		settle();
		if (RUN(said, sizeof(said), "build/podwire", "up", "-v", "--lab", lab, "-f", manifests) < 0)
			return;
		if (strstr(said, "messages), rules ")) {
			own = MIN(own, number_after(said, "messages), rules "));
			own_cpu = MIN(own_cpu, number_after(strstr(said, "messages), rules "), "("));
		}
		RUN(NULL, 0, "build/podwire", "down", "-q", "--lab", lab);
		settle();
		r = replay_once();
		if (r.ok) {
			alone = MIN(alone, r.ms);
			alone_cpu = MIN(alone_cpu, r.cpu);
		}
	}
	snprintf(name, sizeof(name), "%u Services into one node", nr);
	printf("  %-36s %6.0f ms   nft -f: %.0f ms, %.2f x (limit %.1f); processor %.0f ms, nft -f: %.0f ms, %.2f x\n", name, own, nft, own / nft, limit, own_cpu, nft_cpu, own_cpu / nft_cpu);
	if (alone < 1e9)
		printf("  %-36s %6.0f ms   processor %.0f ms: the kernel alone, %.1f MB in %u transactions by a loop of sendto; podwire %.2f x by the clock, %.2f x in processor time\n", "  the same messages", alone,
		       alone_cpu, (double)kept_parts.bytes / 1e6, kept_parts.nr, own / alone, own_cpu / alone_cpu);
	replay_forget();
	fflush(stdout);
}

static void by_commands(const struct times *floor)
{
	static const char mininet[] =
		"import sys, time\nfrom mininet.net import Mininet\nfrom mininet.nodelib import LinuxBridge\nn, m = int(sys.argv[1]), int(sys.argv[2])\nt = time.time()\n"
		"net = Mininet(switch=LinuxBridge, controller=None, build=False)\ns = [net.addSwitch('s%d' % k) for k in range(n)]\n"
		"for k in range(m): net.addLink(net.addHost('h%d' % k), s[k % n])\nfor k in range(1, n): net.addLink(s[0], s[k])\nnet.build(); net.start()\n"
		"print('up', 1000 * (time.time() - t)); t = time.time()\nnet.stop()\nprint('down', 1000 * (time.time() - t))\n";
	char line[512], said[65536], nodes[16], pods[16];
	struct times t = { -1, -1, -1 };
	double ms;

	if (!write_cluster(manifests, NODES - 1, SERVICES, PODS / SERVICES))
		return;
	snprintf(line, sizeof(line), "build/podwire rules -f %s -o sh >%s", manifests, script);
	ms = RUN(NULL, 0, "sh", "-c", line) < 0 ? -1 : RUN(NULL, 0, "unshare", "-nm", "bash", script);
	t.up = ms;
	row("ip and nft, one command each", &t, floor, ms < 0 ? "rules -o sh could not be run" : "the script of rules -o sh; without processes");
	snprintf(nodes, sizeof(nodes), "%u", NODES);
	snprintf(pods, sizeof(pods), "%u", PODS);
	ms = RUN(said, sizeof(said), "unshare", "-nmpf", "--mount-proc", "--kill-child", "sh", "-c", "exec /usr/bin/python3 -c \"$0\" \"$1\" \"$2\" 2>/dev/null", mininet, nodes, pods);
	t.up = ms < 0 ? -1 : number_after(said, "up ");
	t.down = ms < 0 ? -1 : number_after(said, "down ");
	row("Mininet", &t, floor, ms < 0 ? "not there (Debian's packages mininet and bridge-utils)" : "as many hosts on as many bridges, a shell each; no rules");
}

int main(int argc, char **argv)
{
	const bool all = argc > 1 && strcmp(argv[1], "all") == 0, rules = argc > 1 && strcmp(argv[1], "rules") == 0;
	struct times floor;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(dir, sizeof(dir), "/tmp/podwire-bench-%d", (int)getpid());
	if (mkdir(dir, 0700) != 0 || access("build/podwire", X_OK) != 0)
		return fprintf(stderr, "run it from the project's folder, after make: %s\n", strerror(errno)), 1;
	snprintf(manifests, sizeof(manifests), "%s/cluster.yaml", dir);
	snprintf(lab, sizeof(lab), "%s/lab.db", dir);
	snprintf(script, sizeof(script), "%s/script", dir);
	if (!rules)
		printf("%u Pods on %u nodes, %u Services, %u processes\n", PODS, NODES, SERVICES, PROCESSES);
	if (rules) {
		one_endpoint();
		services(1000, 0.5);
		services(10000, 0.2);
	} else if (!write_cluster(manifests, NODES - 1, SERVICES, PODS / SERVICES) || !thousand(&floor)) {
		fprintf(stderr, "this machine cannot build it\n");
	} else {
		if (all)
			by_commands(&floor);
		small_lab();
		one_endpoint();
		services(1000, 0.5);
		if (all)
			services(10000, 0.2);
	}
	RUN(NULL, 0, "rm", "-rf", dir);
	return 0;
}
