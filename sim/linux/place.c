#include "sim/linux/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/api/core.h"
#include "model/dns/dns.h"
#include "sim/linux/dial.h"
#include "sim/linux/environment.h"
#include "sim/linux/volumes.h"

/* ---- files */

static void put_text(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "we"))) {
		fputs(text, f);
		fclose(f);
	}
}

/* As the kubelet writes it (pkg/kubelet/kubelet_pods.go, managedHostsFileContent); with the node's network there is the node's file before the aliases. */
static void hosts(const struct pod *p, const char *host, const char *domain, struct sb *out)
{
	const char *subdomain = p->spec->subdomain;
	const ip_addr ips[] = { p->ip, p->ip2 };

	sb_printf(out, "# Kubernetes-managed hosts file%s.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n", p->spec->host_network ? " (host network)" : "");
	if (!p->spec->host_network)
		sb_add(out, "fe00::\tip6-localnet\nfe00::\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n");
	for (size_t k = 0; !p->spec->host_network && k < ARRAY_LEN(ips); k++) {
		if (ip_set(ips[k]) && subdomain && *subdomain)
			sb_printf(out, "%s\t%s.%s.%s.svc.%s\t%s\n", IP(ips[k]), host, subdomain, p->o.ns, domain, host);
		else if (ip_set(ips[k]))
			sb_printf(out, "%s\t%s\n", IP(ips[k]), host);
	}
	if (p->spec->host_aliases.nr)
		sb_add(out, "\n# Entries added by HostAliases.\n");
	for (uint32_t k = 0; k < p->spec->host_aliases.nr; k++) {
		const struct host_alias *h = &p->spec->host_aliases.v[k];

		sb_add(out, h->ip);
		for (uint32_t i = 0; i < h->hostnames.nr; i++)
			sb_printf(out, "\t%s", h->hostnames.v[i]);
		sb_addc(out, '\n');
	}
}

/* NAME=value, each with a NUL. */
static void put_environment(const char *dir, const struct pod *p, const struct container *c, struct variables own, struct arena *a)
{
	char path[512], **v = environment_block(p, &own, a);
	const char *broken = environment_broken(&own);
	FILE *f;

	snprintf(path, sizeof(path), "%s/env", dir);
	f = fopen(path, "we");
	for (; f && *v; v++)
		fwrite(*v, 1, strlen(*v) + 1, f);
	if (f)
		fclose(f);
	put_text(dir, "refused", !broken ? "" : arena_printf(a, "container %s of pod/%s/%s does not start: its variable %s has a NUL byte in its value (take it out of the Secret, or mount that as a volume)",
							    c->name, p->o.ns, p->o.name, broken));
}

const char *place_files(const struct live *live, struct cluster *cluster, const struct pod *p, const struct container *c, const char *name, struct arena *a)
{
	const char *dir = arena_printf(a, "%s/etc/%s", live->dir, name);
	struct resolv_conf conf = p ? dns_resolv_conf(cluster, p, a) : dns_node_resolv_conf(cluster, a);
	struct sb text = { 0 };

	mkdir(dir, 0755);
	dns_resolv_conf_text(&conf, &text);
	put_text(dir, "resolv.conf", sb_text(&text));
	if (p) {
		const char *host = pod_host_name(p);

		put_text(dir, "hostname", arena_printf(a, "%s\n", host));
		sb_reset(&text);
		hosts(p, host, cluster_settings(cluster)->domain, &text);
		put_text(dir, "hosts", sb_text(&text));
		put_text(dir, "cwd", c->working_dir ? c->working_dir : "");
		put_environment(dir, p, c, environment_of(cluster, p, c, a), a);
		sb_reset(&text);
		volumes_mounts(live, p, c, a, &text);
		if (command_is_own(live, p, c) || c->working_dir)       /* its files are not the machine's */
			sb_addc(&text, '\n');
		put_text(dir, "mounts", sb_text(&text));
	}
	sb_free(&text);
	return dir;
}

static char *whole(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t n = 0;

	if (f && getdelim(&text, &n, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

static void put_on_etc(const char *folder)
{
	static const char *const names[] = { "resolv.conf", "hosts", "hostname" };
	char from[512], to[64];

	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		snprintf(from, sizeof(from), "%s/%s", folder, names[k]);
		snprintf(to, sizeof(to), "/etc/%s", names[k]);
		if (access(from, R_OK) == 0 && mount(from, to, NULL, MS_BIND, NULL) != 0)
			errno = 0;      /* no such file here to put it over */
	}
}

bool place_enter(const char *folder, bool own, struct err *err)
{
	char path[512], *mounts, *refused;
	bool ok = true;

	if (!*folder)
		return true;
	snprintf(path, sizeof(path), "%s/refused", folder);
	refused = whole(path);
	if (refused) {
		err_add(err, ERR_INPUT, NULL, "%s", refused);
		free(refused);
		return false;
	}
	if (unshare(CLONE_NEWNS) != 0)
		return err_add(err, ERR_MACHINE, NULL, "mounts of its own: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/mounts", folder);
	mounts = whole(path);
	snprintf(path, sizeof(path), "%s/fs", folder);
	if (own || mounts)
		ok = root_enter(path, mounts ? mounts : "", err);
	if (ok)
		put_on_etc(folder);     /* of the root that it has now */
	free(mounts);
	return ok;
}

char **place_environment(const char *folder, struct arena *a)
{
	char path[512], some[4096], **v;
	struct sb all = { 0 };
	uint32_t nr = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/env", folder);
	f = *folder ? fopen(path, "re") : NULL;
	if (!f)
		return NULL;
	for (size_t n; (n = fread(some, 1, sizeof(some), f)) > 0;)
		sb_addn(&all, some, n);
	fclose(f);
	v = arena_array(a, char *, all.len / 2 + 2);
	for (const char *p = sb_text(&all); p < sb_text(&all) + all.len; p += strlen(p) + 1)
		v[nr++] = arena_strdup(a, p);
	sb_free(&all);
	return v;
}

const char *place_directory(const char *folder, struct arena *a)
{
	char path[512], *text;
	const char *dir;

	snprintf(path, sizeof(path), "%s/cwd", folder);
	text = *folder ? whole(path) : NULL;
	dir = text ? arena_strdup(a, text) : NULL;
	free(text);
	return dir;
}

/* A runtime makes the directory where it is missing (runc, prepareRootfs); what is made here stays in the lab. */
bool place_stand(const char *dir, struct err *err)
{
	char path[4096];

	if (chdir("/") != 0)
		return err_add(err, ERR_MACHINE, NULL, "/: %s", strerror(errno));
	if (!dir || !*dir || chdir(dir) == 0)
		return true;
	snprintf(path, sizeof(path), "%s/", dir);
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(path, 0755) != 0 && errno != EEXIST)
				break;
			*p = '/';
		}
	return chdir(dir) == 0 || err_add(err, ERR_MACHINE, NULL, "workingDir %s: %s", dir, strerror(errno));
}

/* ---- the container's own command */

bool command_is_own(const struct live *live, const struct pod *p, const struct container *c)
{
	size_t n = strlen(p->o.ns);

	if (!live->commands || !c->command.nr || strncmp(p->o.ns, "kube-", 5) == 0 || (n >= 7 && strcmp(p->o.ns + n - 7, "-system") == 0))
		return false;
	for (uint32_t k = 0; k < live->haproxies.nr; k++)
		if (!live->haproxies.v[k].sidecar && strncmp(live->haproxies.v[k].key, p->o.ns, n) == 0 && live->haproxies.v[k].key[n] == '/' && strcmp(live->haproxies.v[k].key + n + 1, p->o.name) == 0)
			return false;
	return true;
}

void command_text(const struct pod *p, const struct container *c, struct sb *out)
{
	int32_t restarts = 0;

	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].name == c->name)
			restarts = p->statuses.v[k].restarts;
	sb_printf(out, "%d", restarts);
	for (uint32_t k = 0; k < c->command.nr; k++)
		sb_printf(out, "\n%s", c->command.v[k]);
	for (uint32_t k = 0; k < c->args.nr; k++)
		sb_printf(out, "\n%s", c->args.v[k]);
	for (uint32_t k = 0; k < c->env.nr; k++)
		sb_printf(out, "\n%s=%s", c->env.v[k].name, c->env.v[k].value ? c->env.v[k].value : "");
	sb_printf(out, "\n%s", c->working_dir ? c->working_dir : "");
}

static char **words(const struct variables *l, const str_list *first, const str_list *then, struct arena *a)
{
	char **v = arena_array(a, char *, first->nr + then->nr + 1);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < first->nr; k++)
		v[nr++] = environment_expand(l, first->v[k], a);
	for (uint32_t k = 0; k < then->nr; k++)
		v[nr++] = environment_expand(l, then->v[k], a);
	return v;
}

_Noreturn static void become(const struct live *live, const struct space *s, const char *folder, char **argv, char **env, const char *dir, const char *log)
{
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct err err = { 0 };
	sigset_t none;

	setpgid(0, 0);
	if (setns(s->pidfd, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
		_exit(126);
	no_files(live);
	dup2(out, 1);
	dup2(out, 2);
	if (!place_enter(folder, true, &err) || !place_stand(dir, &err)) {
		err_print(&err, stderr);
		fflush(stderr);
		_exit(126);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	environ = env;
	execvp(argv[0], argv);
	dprintf(2, "podwire: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

struct run { const struct live *live; struct cluster *cluster; const struct space *s; const struct pod *p; const struct container *c; const str_list *first, *then; bool probe; const char *log; };

static pid_t start(const struct run *r, struct err *err)
{
	struct arena *a = arena_new(NULL, "command");
	const struct container *c = r->c;
	const char *folder = place_files(r->live, r->cluster, r->p, c, arena_printf(a, "%s.%s", r->p->o.uid, c->name), a);
	struct variables own = environment_of(r->cluster, r->p, c, a), written = environment_written(c, a);
	char **argv = words(r->probe ? &written : &own, r->first, r->then, a), **env = environment_block(r->p, &own, a);
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(r->live, r->s, folder, argv, env, c->working_dir, r->log);
	if (pid < 0) {
		err_add(err, ERR_MACHINE, NULL, "a process in container %s of %s: %s", c->name, r->p->o.name, strerror(errno));
		pid = 0;
	}
	arena_free(a);
	return pid;
}

pid_t command_start(const struct live *live, struct cluster *cluster, const struct space *s, const struct pod *p, const struct container *c, const char *log, struct err *err)
{
	return start(&(struct run){ live, cluster, s, p, c, &c->command, &c->args, false, log }, err);
}

/* /proc/PID/net/tcp, of its network namespace: "0: 00000000:1F90 00000000:0000 0A …", 0A for LISTEN. */
static bool listens(pid_t pid, const char *table, int32_t port)
{
	unsigned at, state;
	char line[512];
	bool any = false;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/net/%s", (int)pid, table);
	f = fopen(line, "re");
	while (f && !any && fgets(line, sizeof(line), f))
		any = sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &at, &state) == 2 && state == 10 && at == (unsigned)port;
	if (f)
		fclose(f);
	return any;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

void command_wait(pid_t pid, const struct container *c, nsec until)
{
	for (uint32_t k = 0; k < c->ports.nr; k++)
		while (c->ports.v[k].protocol == L4_TCP && !listens(pid, "tcp", c->ports.v[k].port) && !listens(pid, "tcp6", c->ports.v[k].port)) {
			if (has_ended(pid) || dial_clock() >= until)
				return;
			usleep(10000);
		}
}

int command_run(const struct live *live, struct cluster *cluster, const struct space *s, const struct pod *p, const struct container *c, const str_list *words, nsec wait, struct err *err)
{
	static const str_list none;
	pid_t pid = start(&(struct run){ live, cluster, s, p, c, words, &none, true, "/dev/null" }, err);
	nsec until = dial_clock() + wait;
	int status = 0;

	if (!pid)
		return -1;
	while (!has_ended(pid) && dial_clock() < until)
		usleep(5000);
	if (!has_ended(pid)) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return 124;
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
