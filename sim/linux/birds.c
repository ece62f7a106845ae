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

#include "model/dataplane/bgp.h"
#include "model/dataplane/bgp_filter.h"
#include "sim/linux/live.h"
#include "sim/linux/run.h"

#define LONGEST_S 60                    /* sessions, graceful restart and the kernel's scan take 3 to 10 s; more on a busy machine */

struct start { const struct live *live; const char *image, *log; char **argv; int netfd; };

static int become_bird(void *arg)
{
	const struct start *s = arg;
	int log;

	if (setns(s->netfd, CLONE_NEWNET) != 0)
		_exit(126);
	no_files(s->live);
	log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log >= 0)
		dup2(log, 2);
	run_image(s->image, s->argv);
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

/* A dead node has no process; a BIRD that was stopped is not started before it is mended. Its routes stay in the kernel. */
static bool runs_here(struct cluster *c, const struct dataplane *dp, const struct space *s)
{
	const struct object *n = obj_get(c, (obj_h){ netns_get(dp, s->ns)->object });

	return n && !label_get(&n->annotations, "podwire.io/down") && !label_get(&n->annotations, "podwire.io/bgp-down");
}

/* Routers outside do not exist here, so that what they hand on would be missing. A filter that lets its own node's routes out lets out those to single Pods, which the
 * walk's routes do not have (they lead where the block's does). */
static bool birds_can(struct cluster *c)
{
	const struct settings *s = cluster_settings(c);
	struct arena *a = arena_new(NULL, "bgp");
	struct object_list filters = cluster_list(c, &bgp_filter_kind);
	bool can = s->cni == CNI_CALICO && !bgp_backend_without_bird(c) && (bgp_writes_routes(s, true) || bgp_writes_routes(s, false)) && !bgp_hear(c, a).outside;

	for (uint32_t k = 0; can && k < filters.nr; k++)
		for (int four = 0; four < 2; four++) {
			struct bgp_rules rules = bgp_rules_read(val_get(((const struct raw_object *)filters.v[k])->spec, four ? "exportV4" : "exportV6"), a);

			for (uint32_t i = 0; i < rules.v.nr; i++)
				can = can && !rules.v.v[i].accept;
		}
	arena_free(a);
	return can;
}

bool birds_write(struct live *live, struct cluster *c, const struct dataplane *dp)
{
	live->birds = live->with_bird && birds_can(c);
	for (uint32_t k = 0; k < live->spaces.nr; k++) {
		struct space *s = live->spaces.v[k];

		if (s && s->kind == NS_NODE && s->ns.i && !(live->birds && runs_here(c, dp, s)))
			bird_stop(s);
	}
	return live->birds;
}

void birds_keep(struct live *live)
{
	struct err none = { 0 };

	for (uint32_t k = 0; k < live->spaces.nr; k++) {
		struct space *s = live->spaces.v[k];

		if (s && s->bird.conf && s->bird.pid <= 0 && live->birds)
			start(live, s, &none);
	}
	err_free(&none);
}

static bool one_bird(struct live *live, struct cluster *c, const struct dataplane *dp, struct space *s, uint32_t *moved, struct err *err)
{
	const struct object *n = obj_get(c, (obj_h){ netns_get(dp, s->ns)->object });
	bool lost = n && label_get(&n->annotations, "podwire.io/routes-withdrawn"), ok = true;
	struct sb text = { 0 };

	if (s->bird.seen && !lost)
		bird_stop(s);                   /* it does not know that its sessions were given up */
	print_bird_lab(c, dp, s->ns, &text);
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
	s->bird.seen = lost;
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
		if (!s || !s->ns.i || s->kind != NS_NODE || s->bird.pid <= 0 || s->bird.seen || has_routes(live, s, &why, err)) {
			k++;
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (waitpid(s->bird.pid, NULL, WNOHANG) == s->bird.pid) {
			char log[256];

			s->bird.pid = 0;
			err_add(err, ERR_MACHINE, NULL, "bird of %s has ended; it said why in %s", s->name, path(live, s, "log", log));
		} else if (now.tv_sec - from.tv_sec > LONGEST_S) {
			err_warn(err, NULL, "the routes that BIRD writes in %s are not there after %d s; %s", s->name, LONGEST_S, sb_text(&why));
			break;
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
		if (live->spaces.v[k] && live->spaces.v[k]->kind == NS_NODE && live->spaces.v[k]->ns.i && runs_here(c, dp, live->spaces.v[k])) {
			ok = one_bird(live, c, dp, live->spaces.v[k], &moved, err);
			++*nr;
		}
	return ok && wait_for_routes(live, err);
}
