#include "sim/linux/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/linux/dial.h"

#define MAX_CLIENTS 64
#define MAX_REQUEST 65536
#define MAX_WORDS   512

struct client {
	int fd;
	pid_t child;
	int said;                               /* of the child: its messages, in a pipe; -1 */
	struct sb text;
	bool holds;                             /* its child compares the kernel with what stood when it began: nothing is changed meanwhile */
	bool waits;                             /* it has asked for a change */
};
struct serving {
	struct supervisor *s;
	struct client client[MAX_CLIENTS];
	int nr, signals;
	bool over, lost;                       /* lost: a pause or a container's process has ended */
	nsec bird_due;                          /* when a BIRD that has ended is started again: runit's second, so that one that cannot live does not take the processor; 0: none */
};

/* ---- answers: how it ended; messages (kind, warning, text); text; descriptors */

static void send_answer(int fd, enum err_kind how, const struct err *err, const char *said, const int *fds, uint32_t nr)
{
	struct sb out = { 0 };
	char control[CMSG_SPACE(sizeof(int) * SUPERVISOR_FDS)] = { 0 };
	struct iovec io;
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	sb_addc(&out, (char)how);
	for (uint32_t k = 0; k < err->nr && out.len < MAX_REQUEST / 2; k++) {
		sb_addc(&out, (char)(1 + err->v[k].kind * 2 + err->v[k].warning));
		sb_addn(&out, err->v[k].text, MIN(strlen(err->v[k].text), 4000u));
		sb_addc(&out, '\0');
	}
	sb_addc(&out, '\0');
	sb_add(&out, said ? said : "");
	io = (struct iovec){ out.s, MIN(out.len, (size_t)MAX_REQUEST) };
	if (nr) {
		struct cmsghdr *c;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nr);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nr);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nr);
	}
	sendmsg(fd, &m, MSG_NOSIGNAL);
	sb_free(&out);
}

static void hang_up(struct serving *v, int k)
{
	struct client *c = &v->client[k];

	if (c->child > 0)
		kill(-c->child, SIGKILL);
	v->lost = v->lost || c->waits;          /* what it has changed stands in the lab */
	if (c->said >= 0)
		close(c->said);
	close(c->fd);
	sb_free(&c->text);
	v->client[k] = v->client[--v->nr];
}

/* ---- requests */

static void start_command(struct serving *v, struct client *c, int argc, char **argv, const int fds[3])
{
	struct err none = { 0 };
	int said[2];

	if (pipe2(said, O_CLOEXEC) != 0 || (c->child = fork()) < 0) {
		err_add(&none, ERR_MACHINE, NULL, "a process for it: %s", strerror(errno));
		send_answer(c->fd, ERR_MACHINE, &none, NULL, NULL, 0);
		err_free(&none);
		c->child = 0;
		return;
	}
	if (c->child == 0) {
		struct err err = { 0 };
		sigset_t all;
		enum err_kind how;
		struct sb out = { 0 };

		setpgid(0, 0);
		sigfillset(&all);
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		signal(SIGPIPE, SIG_IGN);       /* ps | head: nobody reads the rest, and that is how it ends */
		for (int k = 0; k < 3; k++)
			dup2(fds[k], k);
		how = v->s->run(v->s->ctx, &v->s->live, argc, argv, &err);
		how = how == ERR_NONE ? err_kind(&err) : how;
		fflush(NULL);
		sb_addc(&out, (char)how);
		for (uint32_t k = 0; k < err.nr; k++) {
			sb_addc(&out, (char)(1 + err.v[k].kind * 2 + err.v[k].warning));
			sb_addn(&out, err.v[k].text, strlen(err.v[k].text) + 1);
		}
		sb_addc(&out, '\0');
		if (write(said[1], out.s, out.len) < 0)
			_exit(ERR_BUG);
		_exit((int)how);
	}
	setpgid(c->child, c->child);
	close(said[1]);
	c->said = said[0];
}

/* The answer's text: the folder, whether it is a Pod, a line to be said; a line each. */
static void enter_request(struct serving *v, struct client *c, int argc, char **argv)
{
	struct arena *a = arena_new(NULL, "enter");
	struct err err = { 0 };
	struct place place = { 0 };
	struct space *s = NULL;

	if (argc < 4)
		err_add(&err, ERR_INPUT, NULL, "enter TARGET NAMESPACE CONTAINER");
	else if (v->s->find(v->s->ctx, &v->s->live, argv[1], argv[2], *argv[3] ? argv[3] : NULL, &place, a, &err) && !(s = live_find(&v->s->live, place.space)))
		err_add(&err, ERR_FAILED, NULL, "%s has no namespaces here: podwire get pods -A and get nodes say what runs", place.space);
	send_answer(c->fd, err_kind(&err), &err, arena_printf(a, "%s\n%s\n%s", place.etc ? place.etc : "", place.pod ? "pod" : "", place.note ? place.note : ""), s ? &s->pidfd : NULL, s != NULL);
	err_free(&err);
	arena_free(a);
}

static bool held(const struct serving *v)
{
	for (int k = 0; k < v->nr; k++)
		if (v->client[k].holds && v->client[k].child > 0)
			return true;
	return false;
}

static void sync_request(struct serving *v, struct client *c)
{
	struct err err = { 0 };
	struct sb said = { 0 };

	c->waits = false;
	v->s->sync(v->s->ctx, &v->s->live, &said, &err);
	send_answer(c->fd, err_kind(&err), &err, sb_text(&said), NULL, 0);
	sb_free(&said);
	err_free(&err);
}

/* One request: words with NUL between them, and three descriptors. false: the client has gone. */
static bool request(struct serving *v, struct client *c)
{
	static char text[MAX_REQUEST + 1];
	char control[CMSG_SPACE(sizeof(int) * 8)], *argv[MAX_WORDS];
	struct iovec io = { text, MAX_REQUEST };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct err err = { 0 };
	int fds[8], nr = 0, argc = 0;

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
			nr = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			nr = MIN(nr, 8);
			memcpy(fds, CMSG_DATA(h), (size_t)nr * sizeof(int));
		}
	text[n] = '\0';
	for (char *p = text; p < text + n && argc < MAX_WORDS - 1; p += strlen(p) + 1)
		argv[argc++] = p;
	argv[argc] = NULL;
	if (argc && strcmp(argv[0], "down") == 0) {
		send_answer(c->fd, ERR_NONE, &err, NULL, NULL, 0);
		v->over = true;
	} else if (argc && strcmp(argv[0], "sync") == 0) {
		c->waits = true;
	} else if (argc && strcmp(argv[0], "enter") == 0) {
		enter_request(v, c, argc, argv);
	} else if (argc && nr >= 3 && c->child == 0) {
		c->holds = strcmp(argv[0], SUPERVISOR_HOLD) == 0;
		start_command(v, c, argc - c->holds, argv + c->holds, fds);
	} else {
		err_add(&err, ERR_BUG, NULL, "a request that the lab does not understand");
		send_answer(c->fd, ERR_BUG, &err, NULL, NULL, 0);
	}
	for (int k = 0; k < nr; k++)
		close(fds[k]);
	err_free(&err);
	return true;
}

/* What a command's process has said, until it ends; then the answer goes to the client as it stands. */
static void command_said(struct client *c)
{
	char buf[4096];
	ssize_t n = read(c->said, buf, sizeof(buf));

	if (n > 0) {
		sb_addn(&c->text, buf, (size_t)n);
		return;
	}
	if (!c->text.len) {
		struct err err = { 0 };

		err_add(&err, ERR_BUG, NULL, "the process that did it was ended");
		send_answer(c->fd, ERR_BUG, &err, NULL, NULL, 0);
		err_free(&err);
	} else {
		send(c->fd, c->text.s, MIN(c->text.len, (size_t)MAX_REQUEST), MSG_NOSIGNAL);
	}
	close(c->said);
	c->said = -1;
	sb_reset(&c->text);
}

/* ---- processes that end */

static void ended(struct serving *v, pid_t pid, int status)
{
	for (int k = 0; k < v->nr; k++)
		if (v->client[k].child == pid)
			v->client[k].child = 0;
	if (pid == v->s->live.zone.pid)
		zone_ended(&v->s->live);
	for (uint32_t k = 0; k < v->s->live.spaces.nr; k++) {
		struct space *s = v->s->live.spaces.v[k];

		if (!s)
			continue;
		if (s->pid == pid) {            /* its namespaces lose their keeper: the sandbox is made anew */
			s->pid = 0;
			s->uid[0] = '\0';
			v->lost = true;
		}
		if (s->bird.pid == pid) {
			s->bird.pid = 0;
			v->bird_due = v->bird_due ? v->bird_due : dial_clock() + SECONDS(1);
		}
		for (uint32_t i = 0; i < s->run.nr; i++)
			if (s->run.v[i].pid == pid) {
				s->run.v[i].pid = 0;
				s->run.v[i].status = status;
				if (!v->s->ended || !v->s->ended(v->s->ctx, &v->s->live, s, s->run.v[i].key, status))
					v->lost = true;
			}
	}
}

static void reap(struct serving *v)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(v->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			v->over = true;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(v, pid, status);
}

static void take_client(struct serving *v)
{
	struct ucred who = { 0 };
	socklen_t n = sizeof(who);
	int fd = accept4(v->s->listening, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (v->nr == MAX_CLIENTS || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 || who.uid != geteuid()) {
		struct err err = { 0 };

		err_add(&err, ERR_INPUT, NULL, v->nr == MAX_CLIENTS ? "the lab is busy: too many commands at once" : "the lab belongs to another user");
		send_answer(fd, ERR_INPUT, &err, NULL, NULL, 0);
		err_free(&err);
		close(fd);
		return;
	}
	v->client[v->nr++] = (struct client){ .fd = fd, .said = -1 };
}

static void zone_at_last(struct live *live)
{
	struct err err = { 0 };

	if (!zone_start(live, &err))
		zone_ended(live);       /* no process to be had: a few more times, then not before the next change */
	err_free(&err);
}

/* What was put off: somebody has changed the lab, a pause or a container's process has ended. */
static void catch_up(struct serving *v)
{
	if (v->lost) {
		struct err err = { 0 };
		struct sb said = { 0 };

		v->lost = false;
		v->s->sync(v->s->ctx, &v->s->live, &said, &err);
		sb_free(&said);
		err_free(&err);
	}
	for (int k = 0; k < v->nr; k++)
		if (v->client[k].waits)
			sync_request(v, &v->client[k]);
}

void supervisor_serve(struct supervisor *s)
{
	struct serving v = { .s = s };
	struct pollfd p[3 + 2 * MAX_CLIENTS];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	v.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	reap(&v);
	while (!v.over) {
		int nr = v.nr;
		nsec left;

		if (!held(&v))
			catch_up(&v);
		p[0] = (struct pollfd){ s->listening, POLLIN, 0 };
		p[1] = (struct pollfd){ v.signals, POLLIN, 0 };
		p[2] = (struct pollfd){ zone_due(&s->live) ? s->live.zone.fd : -1, POLLIN, 0 };
		for (int k = 0; k < nr; k++) {
			p[3 + 2 * k] = (struct pollfd){ v.client[k].fd, POLLIN, 0 };
			p[4 + 2 * k] = (struct pollfd){ v.client[k].said, POLLIN, 0 };
		}
		left = v.bird_due ? v.bird_due - dial_clock() : 0;
		if (v.bird_due && left <= 0) {
			v.bird_due = 0;
			birds_keep(&s->live);
		}
		if (poll(p, (nfds_t)(3 + 2 * nr), v.bird_due ? (int)(left / MILLIS(1)) + 1 : -1) < 0)
			continue;
		if (p[1].revents)
			reap(&v);
		if (p[2].revents && zone_due(&s->live))
			zone_at_last(&s->live);
		for (int k = nr - 1; k >= 0; k--) {
			if (p[4 + 2 * k].revents)
				command_said(&v.client[k]);
			if (p[3 + 2 * k].revents && !request(&v, &v.client[k]))
				hang_up(&v, k);
		}
		if (p[0].revents)
			take_client(&v);
	}
}
