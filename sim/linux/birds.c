/* A BIRD on each node, with the configuration that calico-node would write: it makes the routes to the blocks that wire.c then leaves out. The files are in the lab's
 * own tmpfs and the processes in its PID namespace: both die with it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/linux/live.h"
#include "sim/linux/run.h"

#define LONGEST_S 60                    /* sessions, graceful restart and the kernel's scan take 3 to 10 s; more on a busy machine */

struct start { const struct live *live; const char *image, *log; char **argv; int netfd; };

static int become_bird(void *arg)
{
	const struct start *s = arg;
	char *const env[] = { NULL };
	sigset_t none;
	int log;

	if (setns(s->netfd, CLONE_NEWNET) != 0)
		_exit(126);
	no_files(s->live);
	log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log >= 0)
		dup2(log, 2);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(s->image, s->argv, env);
	_exit(127);
}

static const char *path(const struct live *live, const struct space *s, const char *what, char out[256])
{
	const char *name = s->name + strlen("node/");

	if (strlen(name) < 60 && !strchr(name, '/'))            /* a socket's path has 107 bytes */
		snprintf(out, 256, "%s/bird/%s.%s", live->dir, name, what);
	else
		snprintf(out, 256, "%s/bird/%u.%s", live->dir, s->id, what);
	return out;
}

static bool start(struct live *live, struct space *s, struct err *err)
{
	char stack[16 * 1024] __attribute__((aligned(16))), image[512], conf[256], ctl[256], pid[256], log[256];
	char *argv[] = { (char *)(uintptr_t)"bird", (char *)(uintptr_t)"-R", (char *)(uintptr_t)"-f", (char *)(uintptr_t)"-c", conf, (char *)(uintptr_t)"-s", ctl, (char *)(uintptr_t)"-P", pid, NULL };
	struct start how = { live, image, log, argv, s->netfd };

	path(live, s, "conf", conf);
	path(live, s, "ctl", ctl);
	path(live, s, "pid", pid);
	path(live, s, "log", log);
	if (!program_path("bird", image, sizeof(image)))
		return err_add(err, ERR_MACHINE, NULL, "bird is not installed (BIRD 2; Debian's package bird2)");
	s->bird.pid = clone(become_bird, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &how);
	if (s->bird.pid < 0) {
		s->bird.pid = 0;
		return err_add(err, ERR_MACHINE, NULL, "starting bird in %s: %s", s->name, strerror(errno));
	}
	return true;
}

void bird_stop(struct space *s)
{
	if (s->bird.pid > 0) {
		kill(s->bird.pid, SIGKILL);     /* its routes stay in the kernel, as those of a BIRD that is told to `persist` */
		waitpid(s->bird.pid, NULL, 0);
	}
	free(s->bird.conf);
	s->bird = (struct process){ 0 };
}

static bool put_conf(const struct live *live, const struct space *s, const char *text, struct err *err)
{
	char file[256];
	FILE *f = fopen(path(live, s, "conf", file), "we");
	bool ok = f && fputs(text, f) >= 0;

	if (f)
		ok = fclose(f) == 0 && ok;
	return ok || err_add(err, ERR_MACHINE, NULL, "%s: %s", file, strerror(errno));
}

/* Does each node speak with each other, and tell of all its blocks? A fault of the mesh runs by virtual time, which no timer of BIRD's knows; of route reflectors and of
 * pools that are not exported the simulation knows nothing. There the routes are written as the simulation has them. */
static bool mesh_is_whole(struct cluster *c)
{
	static const char *const notes[] = { "podwire.io/down", "podwire.io/link", "podwire.io/bgp-down", "podwire.io/routes-withdrawn", "projectcalico.org/RouteReflectorClusterID" };
	struct object_list nodes = cluster_list(c, &node_kind), pools = cluster_list(c, &ip_pool_kind);
	bool whole = cluster_settings(c)->mesh;

	for (uint32_t k = 0; k < nodes.nr; k++)
		for (size_t i = 0; i < ARRAY_LEN(notes); i++)
			whole = whole && !label_get(&nodes.v[k]->annotations, notes[i]);
	for (uint32_t k = 0; k < pools.nr; k++)
		whole = whole && ((const struct ip_pool *)pools.v[k])->disable_bgp_export != TRI_TRUE;
	return whole;
}

bool birds_write(struct live *live, struct cluster *c, const struct dataplane *dp)
{
	live->birds = live->with_bird && cluster_settings(c)->cni == CNI_CALICO && mesh_is_whole(c);
	NETNS_EACH(dp, k) {
		struct sb text = { 0 };

		if (live->birds && netns_get(dp, (netns_h){ k })->kind == NS_NODE) {
			live->birds = print_bird(c, dp, (netns_h){ k }, &text);
			sb_free(&text);
			break;
		}
	}
	for (uint32_t k = 0; !live->birds && k < live->spaces.nr; k++)
		if (live->spaces.v[k])
			bird_stop(live->spaces.v[k]);
	return live->birds;
}

static bool one_bird(struct live *live, struct cluster *c, const struct dataplane *dp, struct space *s, uint32_t *moved, struct err *err)
{
	struct sb text = { 0 };
	bool ok = true;

	print_bird(c, dp, s->ns, &text);
	if (s->bird.pid <= 0 || strcmp(s->bird.conf, sb_text(&text)) != 0) {
		++*moved;
		ok = put_conf(live, s, sb_text(&text), err);
		free(s->bird.conf);
		s->bird.conf = strdup(sb_text(&text));
		if (ok && s->bird.pid > 0)
			kill(s->bird.pid, SIGHUP);      /* reads its configuration again */
		else
			ok = ok && start(live, s, err);
	}
	sb_free(&text);
	return ok;
}

/* ---- have the routes come? */

struct missing { uint32_t nr; const struct view *names; struct sb *first; };

static bool route_differs(void *ctx, enum view_part part, const void *from, const void *to)
{
	struct missing *m = ctx;
	const struct k_route *r = to ? to : from;

	if (part != VIEW_ROUTE || r->proto != RTPROT_BIRD)
		return true;
	if (!m->nr++) {
		sb_add(m->first, from ? "missing: " : "too many: ");
		view_text(part, r, m->names, m->first);
	}
	return true;
}

static bool has_routes(struct live *live, struct space *s, struct sb *why, struct err *err)
{
	struct arena *a = arena_new(NULL, "routes");
	struct missing m = { .names = &s->now, .first = why };
	struct view have;
	struct nl nl;
	bool ok = live_enter(live, s, err) && nl_open(&nl, NETLINK_ROUTE, s->name, err);

	if (ok) {
		ok = view_read(&nl, &s->now, a, &have, err);
		nl_close(&nl);
		if (ok)
			view_diff(&s->now, &have, route_differs, &m);
	}
	arena_free(a);
	return ok && !m.nr;
}

static bool wait_for_routes(struct live *live, struct err *err)
{
	struct timespec from, now, pause = { 0, 20 * 1000 * 1000 };
	struct sb why = { 0 };
	uint32_t k = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while (k < live->spaces.nr && !err_any(err)) {
		struct space *s = live->spaces.v[k];

		sb_reset(&why);
		if (!s || !s->ns.i || s->kind != NS_NODE || has_routes(live, s, &why, err)) {
			k++;
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (waitpid(s->bird.pid, NULL, WNOHANG) == s->bird.pid) {
			char log[256];

			s->bird.pid = 0;
			err_add(err, ERR_MACHINE, NULL, "bird of %s has ended; it said why in %s", s->name, path(live, s, "log", log));
		} else if (now.tv_sec - from.tv_sec > LONGEST_S) {
			err_add(err, ERR_MACHINE, NULL, "the routes that BIRD writes in %s are not there after %d s; %s", s->name, LONGEST_S, sb_text(&why));
		} else {
			nanosleep(&pause, NULL);
		}
	}
	sb_free(&why);
	return !err_any(err);
}

bool birds_sync(struct live *live, struct cluster *c, const struct dataplane *dp, uint32_t *nr, struct err *err)
{
	uint32_t moved = 0;
	char dir[256];
	bool ok = true;

	*nr = 0;
	if (!live->birds)
		return true;
	snprintf(dir, sizeof(dir), "%s/bird", live->dir);
	mkdir(dir, 0755);
	for (uint32_t k = 0; ok && k < live->spaces.nr; k++)
		if (live->spaces.v[k] && live->spaces.v[k]->kind == NS_NODE && live->spaces.v[k]->ns.i) {
			ok = one_bird(live, c, dp, live->spaces.v[k], &moved, err);
			++*nr;
		}
	return ok && wait_for_routes(live, err);
}
