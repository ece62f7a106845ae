/* What runs: one process for each container that runs, in its Pod's namespaces, listening where the dataplane says; one on each node for the node's own daemons. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/api/core.h"
#include "model/dataplane/packet.h"
#include "sim/linux/dial.h"
#include "sim/linux/haproxies.h"
#include "sim/linux/live.h"
#include "sim/linux/place.h"
#include "sim/linux/probes.h"
#include "sim/linux/volumes.h"

#define PATIENCE SECONDS(3)             /* with manifests' own commands, until they listen */

struct starting {
	struct live *live;
	struct cluster *cluster;
	const struct dataplane *dp;
	struct arena *arena;
	int ready[2];                   /* a byte from each that listens */
	uint32_t started, waiting;      /* waiting: of those, how many will write that byte */
	VEC(struct own_start { pid_t pid; const struct container *c; }) own;
	bool names;                     /* somebody serves DNS */
	struct err *err;
};

/* ---- one process */

struct start { const struct live *live; const char *image; char **argv; int pidfd, ready; };

static int become_workload(void *arg)
{
	const struct start *s = arg;

	if (setns(s->pidfd, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
		_exit(126);
	no_files(s->live);
	if (dup2(s->ready, 3) != 3 || fcntl(3, F_SETFD, 0) != 0)
		_exit(126);
	run_image(s->image, s->argv);
}

static bool start(struct starting *x, struct space *s, struct process *p)
{
	char stack[16 * 1024] __attribute__((aligned(16))), image[128], *argv[300], *save = NULL, *conf = arena_strdup(x->arena, p->conf);
	struct start how = { x->live, image, argv, s->pidfd, x->ready[1] };
	int n = 0;

	snprintf(image, sizeof(image), "%s/bin/workload", x->live->dir);
	argv[n++] = (char *)(uintptr_t)"workload";
	for (char *word = strtok_r(conf, " ", &save); word && n < 299; word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	argv[n] = NULL;
	p->pid = clone(become_workload, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &how);
	if (p->pid < 0) {
		p->pid = 0;
		return err_add(x->err, ERR_MACHINE, NULL, "starting %s in %s: %s", p->key, s->name, strerror(errno));
	}
	x->started++;
	x->waiting++;
	return true;
}

static void stop(struct process *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	free(p->key);
	free(p->conf);
}

void workloads_stop(struct space *s)
{
	for (uint32_t k = 0; k < s->run.nr; k++)
		stop(&s->run.v[k]);
	s->run.nr = 0;
}

/* It runs already as it should, or is (re)started. */
static struct process *running(struct space *s, const char *key)
{
	for (uint32_t k = 0; k < s->run.nr; k++)
		if (strcmp(s->run.v[k].key, key) == 0)
			return &s->run.v[k];
	return NULL;
}

static struct process *begin_anew(struct space *s, struct process *p, const char *key, const char *conf)
{
	if (p)
		stop(p);
	else
		p = list_push(&s->run);
	*p = (struct process){ .key = strdup(key), .conf = strdup(conf), .seen = true };
	return p;
}

static bool should_run(struct starting *x, struct space *s, const char *key, const char *conf)
{
	struct process *p = running(s, key);

	if (p && p->pid > 0 && strcmp(p->conf, conf) == 0) {
		p->seen = true;
		return true;
	}
	return start(x, s, begin_anew(s, p, key, conf));
}

const char *log_path(const struct live *live, const struct pod *p, const char *container, bool previous, struct arena *a)
{
	return arena_printf(a, "%s/logs/%s.%s.log%s", live->dir, p->o.uid, container, previous ? ".previous" : "");
}

/* One that has ended is not started again by itself: that is another start of the container, if there is one. */
static bool own_command(struct starting *x, struct space *s, const char *key, const struct pod *pod, const struct container *c)
{
	struct process *p = running(s, key);
	struct sb conf = { 0 };

	command_text(pod, c, &conf);
	if (p && strcmp(p->conf, sb_text(&conf)) == 0) {
		p->seen = true;
	} else {
		p = begin_anew(s, p, key, sb_text(&conf));
		p->pid = command_start(x->live, x->cluster, s, pod, c, log_path(x->live, pod, c->name, false, x->arena), x->err);
		p->own = true;
		x->started += p->pid > 0;
		if (p->pid > 0)
			vec_add(x->arena, &x->own, (struct own_start){ p->pid, c });
	}
	sb_free(&conf);
	return !err_any(x->err);
}

static void stop_unseen(struct space *s)
{
	uint32_t to = 0;

	for (uint32_t k = 0; k < s->run.nr; k++) {
		if (s->run.v[k].seen)
			s->run.v[to++] = s->run.v[k];
		else
			stop(&s->run.v[k]);
	}
	s->run.nr = to;
}

/* ---- what each should be told */

/* Each once: a port may be declared, and probed as well. */
static void add_listener(struct sb *conf, uint8_t proto, uint16_t port, ip_addr addr)
{
	char word[80];
	size_t n = (size_t)snprintf(word, sizeof(word), " %s:%u", proto == PROTO_UDP ? "udp" : proto == PROTO_SCTP ? "sctp" : "tcp", port);

	if (ip_set(addr))
		n += (size_t)snprintf(word + n, sizeof(word) - n, "@%s", IP(addr));
	for (const char *at = sb_text(conf); (at = strstr(at, word)); at += n)
		if (!at[n] || at[n] == ' ')
			return;
	sb_add(conf, word);
}

/* Of a Pod of which nothing is known: it listens where EndpointSlices lead to it, and where people look first. */
static void asked_ports(struct starting *x, const struct pod *p, struct sb *conf)
{
	struct object_list slices = cluster_list(x->cluster, &endpointslice_kind);
	ip_addr any = { 0, 0 };

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++) {
			ip_addr ip;

			if (!s->endpoints.v[i].addresses.nr || !ip_parse_lenient(s->endpoints.v[i].addresses.v[0], &ip) || !ip_eq(ip, p->ip))
				continue;
			for (uint32_t j = 0; j < s->ports.nr; j++)
				if (s->ports.v[j].port.set && s->ports.v[j].port.v != 80)
					add_listener(conf, s->ports.v[j].protocol == L4_UDP ? PROTO_UDP : s->ports.v[j].protocol == L4_SCTP ? PROTO_SCTP : PROTO_TCP, (uint16_t)s->ports.v[j].port.v, any);
		}
	}
	add_listener(conf, PROTO_TCP, 80, any);
}

/* The port at which this Pod serves cluster DNS: where port 53 of the Service leads whose address stands in the resolv.conf of Pods. 0: it does not. */
static uint16_t dns_port(struct starting *x, const struct pod *p, const struct container *c)
{
	const struct settings *settings = cluster_settings(x->cluster);
	struct object_list services = cluster_list_ns(x->cluster, &service_kind, p->o.ns);

	for (uint32_t k = 0; k < services.nr; k++) {
		const struct service *s = (const struct service *)services.v[k];
		bool serves = false;

		for (uint32_t i = 0; i < settings->cluster_dns.nr; i++)
			serves = serves || streq(settings->cluster_dns.v[i], s->cluster_ip);
		if (!serves || !s->selector.nr || !pairs_match(&s->selector, &p->o.labels))
			continue;
		for (uint32_t i = 0; i < s->ports.nr; i++) {
			const struct int_or_str *to = &s->ports.v[i].target;

			if (s->ports.v[i].port != 53)
				continue;
			for (uint32_t j = 0; j < c->ports.nr; j++)
				if (to->s ? streq(c->ports.v[j].name, to->s) : c->ports.v[j].port == (to->set ? to->i : 53))
					return (uint16_t)c->ports.v[j].port;
			if (!c->ports.nr && !to->s)             /* it says nothing: it listens where it is asked */
				return (uint16_t)(to->set ? to->i : 53);
		}
	}
	return 0;
}

static void serve_dns(struct starting *x, const struct pod *p, const struct container *c, struct sb *conf)
{
	uint16_t port = dns_port(x, p, c);
	char path[ZONE_PATH];

	if (!port)
		return;
	sb_printf(conf, " dns:%u:%s", port, zone_path(x->live, path));
	x->names = true;
}

static uint32_t listeners_of(struct starting *x, const struct netns *ns, const struct pod *p, const char *container, struct sb *conf)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < ns->listeners.nr; k++) {
		const struct listener *l = &ns->listeners.v[k];

		if (!streq(l->container, container) || (ns->kind == NS_NODE && container && cause_get(x->dp, l->cause)->object != p->o.id.i))
			continue;
		nr++;
		if (l->kind == LISTEN_PORT) {
			add_listener(conf, l->proto, l->port, l->addr);
		} else if (p) {
			asked_ports(x, p, conf);
		} else {
			add_listener(conf, PROTO_TCP, 80, l->addr);
		}
	}
	return nr;
}

/* An init container that ends runs only if its status says so. */
static bool runs(const struct pod *p, const struct container *c, bool ends)
{
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].name == c->name)
			return p->statuses.v[k].state == CS_RUNNING;
	return !ends && (p->phase == POD_RUNNING || p->phase == 0);
}

static bool pod_containers(struct starting *x, struct space *s, const struct netns *ns, const struct pod *p)
{
	bool ok = true;

	for (int init = 1; ok && init >= 0; init--) {           /* sidecars stand among the init containers, and come first */
		const container_list *l = init ? &p->spec->init_containers : &p->spec->containers;

		for (uint32_t k = 0; ok && k < l->nr; k++) {
			const struct container *c = &l->v[k];
			const struct process *old;
			struct sb conf = { 0 };
			bool again = false, own;
			const char *log;
			char key[512];
			pid_t pid;

			if (!runs(p, c, init && !streq(c->restart_policy, "Always")))
				continue;
			snprintf(key, sizeof(key), ns->kind == NS_NODE ? "%s/%s/%s" : "%.0s%.0s%s", p->o.ns, p->o.name, c->name);
			old = running(s, key);
			log = log_path(x->live, p, c->name, false, x->arena);
			own = command_is_own(x->live, p, c);
			if (!old || (!own && old->pid <= 0))    /* another start of the container: what it has said before is kept apart */
				rename(log, log_path(x->live, p, c->name, true, x->arena));
			if (own) {
				ok = own_command(x, s, key, p, c);
				continue;
			}
			sb_printf(&conf, "%s/%s %s %s %s", p->o.ns, p->o.name, c->name, p->node, log);
			serve_dns(x, p, c, &conf);
			volumes_words(x->live, p, c, listeners_of(x, ns, p, c->name, &conf) > 0, x->arena, &conf);
			log_words(p, c, &conf);
			if (c->startup || c->readiness || c->liveness)
				again = probes_script(x->cluster, p, c, log);
			haproxies_leave_out(x->live, p, &conf);
			pid = again && old && strcmp(old->conf, sb_text(&conf)) == 0 ? old->pid : 0;
			if (pid > 0)
				kill(pid, SIGHUP);
			ok = should_run(x, s, key, sb_text(&conf));
			sb_free(&conf);
		}
	}
	return ok;
}

/* kubelet, kube-proxy's health ports, the API server; what stands outside. */
static bool own_daemons(struct starting *x, struct space *s, const struct netns *ns)
{
	struct sb conf = { 0 };
	bool ok = true;

	sb_printf(&conf, "%s daemons %s %s/logs/%s.log", ns->name, ns->hostname ? ns->hostname : "-", x->live->dir, ns->hostname ? ns->hostname : ns->name);
	if (ns->kind == NS_ROUTER) {            /* the name server that nodes have */
		char path[ZONE_PATH];

		sb_printf(&conf, " out:53:%s", zone_path(x->live, path));
		x->names = true;
	}
	if (listeners_of(x, ns, NULL, NULL, &conf) && !ns->down)
		ok = should_run(x, s, "daemons", sb_text(&conf));
	sb_free(&conf);
	return ok;
}

static bool host_pods(struct starting *x)
{
	struct object_list pods = cluster_list(x->cluster, &pod_kind);
	bool ok = true;

	for (uint32_t k = 0; ok && k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		struct space *s;

		if (!p->spec->host_network || !p->node || pod_is_terminal(p) || !(s = live_find(x->live, arena_printf(x->arena, "node/%s", p->node))))
			continue;
		if (!netns_get(x->dp, s->ns)->down)
			ok = pod_containers(x, s, netns_get(x->dp, s->ns), p);
	}
	return ok;
}

bool workloads_sync(struct live *live, struct cluster *c, const struct dataplane *dp, uint32_t *started, struct err *err)
{
	struct starting x = { .live = live, .cluster = c, .dp = dp, .arena = arena_new(NULL, "workloads"), .err = err };
	bool ok = pipe2(x.ready, O_CLOEXEC) == 0 || err_add(err, ERR_MACHINE, NULL, "pipe: %s", strerror(errno));
	char byte[256];
	nsec until = 0;

	if (!ok) {
		arena_free(x.arena);
		return false;
	}
	for (uint32_t k = 0; ok && k < live->spaces.nr; k++) {
		struct space *s = live->spaces.v[k];
		const struct netns *ns = s && s->ns.i ? netns_get(dp, s->ns) : NULL;
		const struct netns *node = ns && ns->node.i ? netns_get(dp, ns->node) : NULL;

		if (!ns)
			continue;
		for (uint32_t i = 0; i < s->run.nr; i++)
			s->run.v[i].seen = false;
		if (ns->kind == NS_POD && ns->object && !(node && node->down))
			ok = pod_containers(&x, s, ns, (const struct pod *)obj_get(c, (obj_h){ ns->object }));
		else if (ns->kind != NS_POD)
			ok = own_daemons(&x, s, ns);
	}
	ok = ok && host_pods(&x);
	for (uint32_t k = 0; ok && k < live->spaces.nr; k++)
		if (live->spaces.v[k])
			stop_unseen(live->spaces.v[k]);
	close(x.ready[1]);
	for (uint32_t left = x.waiting; ok && left;) {
		ssize_t n = read(x.ready[0], byte, MIN(sizeof(byte), left));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)             /* those that are left have ended: ps says so */
			break;
		left -= (uint32_t)n;
	}
	close(x.ready[0]);
	for (uint32_t k = 0; ok && k < x.own.nr; k++)
		command_wait(x.own.v[k].pid, x.own.v[k].c, until ? until : (until = dial_clock() + PATIENCE));
	ok = ok && zone_sync(live, c, x.names, err);
	*started = x.started;
	arena_free(x.arena);
	return ok;
}
