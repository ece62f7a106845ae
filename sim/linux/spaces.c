/* A space begins with its pause: one clone makes network, IPC and UTS namespace and the process that keeps them. It ends with that process. */
#include "sim/linux/cni.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

struct begin { const struct live *live; const char *hostname, *image, *name; };

/* The caller's table of files is shared until here (CLONE_FILES): a copy of thousands of descriptors for each child, closed by its exec one by one, would cost more than
 * the child itself. What stands above FD_SETSIZE (move_up) is left out of the copy. */
void no_files(const struct live *live)
{
	if (close_range(FD_SETSIZE, ~0u, CLOSE_RANGE_UNSHARE) != 0 && unshare(CLONE_FILES) != 0)
		_exit(126);
	for (int k = 0; k < 3; k++)
		dup2(live->null, k);
}

void run_image(const char *path, char *const *argv)
{
	char *const env[] = { NULL };
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execve(path, argv, env);
	_exit(127);
}

static int become_pause(void *arg)
{
	const struct begin *b = arg;
	char *const argv[] = { (char *)(uintptr_t)"pause", (char *)(uintptr_t)b->name, NULL }, *const env[] = { NULL };

	no_files(b->live);
	if (sethostname(b->hostname, strlen(b->hostname)) != 0)
		_exit(126);
	execve(b->image, argv, env);
	_exit(127);
}

/* Out of the way: libnftables waits for its socket with select(), which knows descriptors below FD_SETSIZE only. */
static void move_up(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, FD_SETSIZE);

	if (high >= 0) {
		close(*fd);
		*fd = high;
	}
}

bool space_begin(struct live *live, struct space *s, struct err *err)
{
	char stack[16 * 1024] __attribute__((aligned(16))), path[64], image[128];
	struct begin b = { live, s->hostname, image, s->name };

	snprintf(image, sizeof(image), "%s/bin/pause", live->dir);
	s->pid = clone(become_pause, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_PIDFD | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD, &b, &s->pidfd);
	if (s->pid < 0)
		return err_add(err, ERR_MACHINE, NULL, "namespaces of %s: %s%s", s->name, strerror(errno),
			       errno == ENOSPC ? " (more than user.max_net_namespaces allows)" : errno == EMFILE ? " (more open files than this user may have: ulimit -n)" : "");
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)s->pid);
	s->netfd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->netfd < 0)
		return err_add(err, ERR_MACHINE, NULL, "%s of %s: %s", path, s->name, strerror(errno));
	move_up(&s->netfd);
	move_up(&s->pidfd);
	s->fresh = true;
	return true;
}

void space_end(struct live *live, struct space *s)
{
	workloads_stop(s);
	bird_stop(s);
	cni_del(live, s);
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	if (s->netfd >= 0)
		close(s->netfd);
	if (s->pidfd >= 0)
		close(s->pidfd);
	if (s->nf >= 0)
		close(s->nf);
	rules_free(s->rules);
	arena_free(s->arena);
	arena_free(s->want_arena);
	live->spaces.v[s->id - 1] = NULL;
	free(s->run.v);
	free(s->name);
	free(s->uid);
	free(s);
}

bool live_enter(const struct live *live, const struct space *s, struct err *err)
{
	if (setns(s ? s->netfd : live->own_net, CLONE_NEWNET) == 0)
		return true;
	return err_add(err, ERR_MACHINE, NULL, "entering the network namespace of %s: %s", s ? s->name : "the fabric", strerror(errno));
}

struct space *live_find(const struct live *live, const char *name)
{
	for (uint32_t k = 0; k < live->spaces.nr; k++)
		if (live->spaces.v[k] && strcmp(live->spaces.v[k]->name, name) == 0)
			return live->spaces.v[k];
	return NULL;
}
