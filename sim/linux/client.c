/* The command's side of the lab's socket. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/net_namespace.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/linux/supervisor.h"

/* Any length of path: the socket's folder is opened, and the name stands behind its descriptor. */
static bool address(const char *lab, struct sockaddr_un *out, int *dir, struct err *err)
{
	char *one = strdup(lab), *two = strdup(lab);
	int n;

	if (!one || !two)
		abort();
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*dir = open(dirname(one), O_PATH | O_DIRECTORY | O_CLOEXEC);
	n = snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/%s.sock", *dir, basename(two));
	free(one);
	free(two);
	if (*dir < 0)
		return err_add(err, ERR_INPUT, NULL, "the folder of %s: %s", lab, strerror(errno));
	if ((size_t)n < sizeof(out->sun_path))
		return true;
	close(*dir);
	return err_add(err, ERR_INPUT, NULL, "%s: a file name that is too long for a socket beside it", lab);
}

static int reach(const char *lab, bool *stale, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), dir;
	struct sockaddr_un a;

	*stale = false;
	if (fd < 0 || !address(lab, &a, &dir, err)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		*stale = errno == ECONNREFUSED;
		if (errno != ENOENT && errno != ECONNREFUSED)
			err_add(err, errno == EACCES ? ERR_INPUT : ERR_MACHINE, NULL, "%s.sock: %s", lab, strerror(errno));
		close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

void supervisor_unbind(const char *lab)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s.sock", lab);
	unlink(path);
}

int supervisor_connect(const char *lab, struct err *err)
{
	bool stale;
	int fd = reach(lab, &stale, err);

	if (stale)
		supervisor_unbind(lab);
	return fd;
}

int supervisor_bind(const char *lab, struct err *err)
{
	int fd = supervisor_connect(lab, err), dir, how;
	struct sockaddr_un a;
	mode_t mask;

	if (fd >= 0) {
		close(fd);
		err_add(err, ERR_INPUT, NULL, "%s is up already: podwire down ends it", lab);
	}
	if (err_any(err) || !address(lab, &a, &dir, err))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mask = umask(0177);
	how = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (how != 0 || listen(fd, 64) != 0) {
		err_add(err, ERR_MACHINE, NULL, "%s.sock: %s", lab, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	close(dir);
	return fd;
}

/* ---- asking */

static bool send_request(int fd, int argc, const char *const *argv, struct err *err)
{
	char control[CMSG_SPACE(sizeof(int) * 3)] = { 0 };
	struct sb text = { 0 };
	struct iovec io;
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	bool ok;

	for (int k = 0; k < argc; k++)
		sb_addn(&text, argv[k], strlen(argv[k]) + 1);
	io = (struct iovec){ text.s, text.len };
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * 3);
	memcpy(CMSG_DATA(c), (const int[]){ 0, 1, 2 }, sizeof(int) * 3);
	ok = sendmsg(fd, &m, MSG_NOSIGNAL) >= 0 || errno == EPIPE /* it has answered before it was asked */ || err_add(err, ERR_MACHINE, NULL, "the lab's socket: %s", strerror(errno));
	sb_free(&text);
	return ok;
}

static enum err_kind read_answer(char *text, size_t n, struct sb *said, struct err *err)
{
	char *p = text + 1, *end = text + n;

	while (p < end && *p) {
		unsigned code = (unsigned char)*p - 1u;

		if (code & 1)
			err_warn(err, NULL, "%s", p + 1);
		else
			err_add(err, (enum err_kind)(code / 2), NULL, "%s", p + 1);
		p += strlen(p) + 1;
	}
	if (said && p + 1 < end)
		sb_addn(said, p + 1, (size_t)(end - p - 1));
	return (enum err_kind)text[0];
}

enum err_kind supervisor_ask(int fd, int argc, const char *const *argv, struct sb *said, int *fds, uint32_t *nr_fds, struct err *err)
{
	static char text[1 << 17];
	char control[CMSG_SPACE(sizeof(int) * SUPERVISOR_FDS)];
	struct iovec io = { text, sizeof(text) - 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n;

	if (!send_request(fd, argc, argv, err))
		return ERR_MACHINE;
	/* reset: it hung up over a request that it did not read; what it said stands behind that */
	while ((n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) < 0 && (errno == EINTR || errno == ECONNRESET))
		;
	if (n <= 0) {
		err_add(err, ERR_MACHINE, NULL, "the lab ended");
		return ERR_MACHINE;
	}
	text[n] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && fds) {
			*nr_fds = (uint32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(fds, CMSG_DATA(c), *nr_fds * sizeof(int));
		}
	return read_answer(text, (size_t)n, said, err);
}

/* ---- the end */

static int pidfd_of(int fd)
{
	struct ucred who = { 0 };
	socklen_t n = sizeof(who);

	/* the listening side's, as of its last listen(): the supervisor calls it again once it is init */
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.pid > 0 ? (int)syscall(SYS_pidfd_open, who.pid, 0) : -1;
}

bool supervisor_end(const char *lab, struct err *err)
{
	int fd = supervisor_connect(lab, err), pid;
	struct pollfd gone;
	const char *const down[] = { "down" };

	if (fd < 0)
		return err_any(err) ? false : err_add(err, ERR_FAILED, NULL, "%s is not up", lab);
	pid = pidfd_of(fd);
	if (pid < 0)
		supervisor_ask(fd, 1, down, NULL, NULL, NULL, err);
	else
		syscall(SYS_pidfd_send_signal, pid, SIGKILL, NULL, 0);
	gone = (struct pollfd){ pid >= 0 ? pid : fd, POLLIN, 0 };
	poll(&gone, 1, 10000);          /* init is gone only when all its processes are */
	if (pid >= 0)
		close(pid);
	close(fd);
	supervisor_unbind(lab);
	return !err_any(err);
}
