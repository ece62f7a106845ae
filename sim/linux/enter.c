#include "sim/linux/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool write_text(const char *path, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

/* One user and one group: the caller, who is root inside. */
static bool map_users(uid_t uid, gid_t gid, struct err *err)
{
	char line[64];

	if (!write_text("/proc/self/setgroups", "deny", err))
		return false;
	snprintf(line, sizeof(line), "0 %u 1", (unsigned)uid);
	if (!write_text("/proc/self/uid_map", line, err))
		return false;
	snprintf(line, sizeof(line), "0 %u 1", (unsigned)gid);
	return write_text("/proc/self/gid_map", line, err);
}

static bool mount_own(struct err *err)
{
	static const struct { const char *at, *type, *data; unsigned long flags; } mounts[] = {
		{ "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "/run", "tmpfs", "mode=755,size=64m", MS_NOSUID | MS_NODEV },
	};

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return err_add(err, ERR_MACHINE, NULL, "mounts of its own: %s", strerror(errno));
	for (size_t k = 0; k < ARRAY_LEN(mounts); k++)
		if (mount(mounts[k].type, mounts[k].at, mounts[k].type, mounts[k].flags, mounts[k].data) != 0)
			return err_add(err, ERR_MACHINE, NULL, "mounting %s on %s in the lab's own mount namespace: %s", mounts[k].type, mounts[k].at, strerror(errno));
	return true;
}

static void as_many_files_as_allowed(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

bool enter(enter_fn inside, void *ctx, struct entered *out, struct err *err)
{
	unsigned long flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD | SIGCHLD;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int said[2];

	if (uid != 0)
		flags |= CLONE_NEWUSER;
	if (pipe2(said, O_CLOEXEC) != 0)
		return err_add(err, ERR_MACHINE, NULL, "pipe: %s", strerror(errno));
	fflush(NULL);
	out->pidfd = -1;
	out->pid = (pid_t)syscall(SYS_clone, flags, NULL, &out->pidfd, NULL, NULL);
	if (out->pid < 0) {
		int e = errno;

		close(said[0]);
		close(said[1]);
		return err_add(err, ERR_MACHINE, NULL, "this machine does not let podwire make namespaces: %s%s", strerror(e),
			       e == EPERM && uid ? " (run it as root, or allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)" :
			       e == ENOSPC ? " (user.max_user_namespaces or user.max_net_namespaces is used up)" : "");
	}
	if (out->pid == 0) {
		struct err own = { 0 };
		enum err_kind how = ERR_MACHINE;

		close(said[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		as_many_files_as_allowed();
		if ((uid == 0 || map_users(uid, gid, &own)) && mount_own(&own))
			how = inside(ctx, said[1], &own);
		entered_say(said[1], how == ERR_NONE ? err_kind(&own) : how, &own);
		fflush(NULL);
		_exit((int)how);
	}
	close(said[1]);
	out->said = said[0];
	return true;
}

void entered_detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	fflush(NULL);
	setsid();
	for (int k = 0; k < 3 && null >= 0; k++)
		dup2(null, k);
	if (null > 2)
		close(null);
	prctl(PR_SET_PDEATHSIG, 0);
}

/* ---- messages over the pipe: kind, warning, length, text; a last one with the result */

struct said { uint8_t kind, warning, last; uint32_t len; };

static bool write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t m = write(fd, at, n);

		if (m < 0 && errno != EINTR)
			return false;
		at += m > 0 ? m : 0;
		n -= m > 0 ? (size_t)m : 0;
	}
	return true;
}

static bool read_all(int fd, void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t m = read(fd, at, n);

		if (m == 0 || (m < 0 && errno != EINTR))
			return false;
		at += m > 0 ? m : 0;
		n -= m > 0 ? (size_t)m : 0;
	}
	return true;
}

void entered_say(int fd, enum err_kind how, const struct err *err)
{
	struct said end = { .kind = (uint8_t)how, .last = 1 };

	for (uint32_t k = 0; k < err->nr; k++) {
		struct said s = { (uint8_t)err->v[k].kind, err->v[k].warning, 0, (uint32_t)strlen(err->v[k].text) };

		if (!write_all(fd, &s, sizeof(s)) || !write_all(fd, err->v[k].text, s.len))
			return;
	}
	write_all(fd, &end, sizeof(end));
}

enum err_kind entered_result(struct entered *e, struct err *err)
{
	struct said s;

	while (read_all(e->said, &s, sizeof(s))) {
		char *text;

		if (s.last)
			return (enum err_kind)s.kind;
		text = s.len < 1u << 20 ? calloc(1, s.len + 1) : NULL;
		if (!text || !read_all(e->said, text, s.len)) {
			free(text);
			break;
		}
		if (s.warning)
			err_warn(err, NULL, "%s", text);
		else
			err_add(err, (enum err_kind)s.kind, NULL, "%s", text);
		free(text);
	}
	err_add(err, ERR_BUG, NULL, "the lab's first process ended before it said how it went");
	return ERR_BUG;
}

void entered_wait(struct entered *e)
{
	int status;

	while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(e->pidfd);
	close(e->said);
}
