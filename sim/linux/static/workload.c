/* The process that stands in a container: it listens where the container declares, says who it is and whom it sees, and writes down what it was asked.
 *
 *   workload NAME CONTAINER NODE LOG [tcp:PORT[@ADDR] | udp:PORT[@ADDR] | sctp:PORT[@ADDR] | write:DIR | follow:DIR:TO | dns:PORT:ZONE | out:PORT:ZONE |
 *            lines:PORT | tell:tcp:PORT | tell:udp:PORT]…
 *
 * A connection that begins as HTTP is answered as HTTP (an echo as JSON; /clientip, /hostname, /healthz and /echo?msg= as agnhost does); any other gets one line
 * and its own bytes back, but that gRPC's health checks are answered (health.h); a datagram by the line, in one as large as it was. dns: the port speaks DNS (relay.h); out: as a server outside the cluster. write: each request is a line in DIR/access.log; follow: what stands there is copied to the container's log, and into TO. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/linux/static/script.h"
#include "sim/linux/static/workload.h"

#define MAX_CONN 4096

static volatile sig_atomic_t script_changed;    /* SIGHUP: LOG.fails was written anew */

/* ---- listening */

static struct sock *add_sock(struct me *me, enum kind kind, int fd, uint16_t port)
{
	struct sock *s = me->nr < MAX_CONN ? calloc(1, sizeof(*s)) : NULL;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };

	if (!s || epoll_ctl(me->epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
		free(s);
		close(fd);
		return NULL;
	}
	s->kind = kind;
	s->fd = fd;
	s->port = port;
	me->nr++;
	return s;
}

static void drop(struct me *me, struct sock *s)
{
	if (me->dns_port && s->port == me->dns_port)
		relay_forget(&me->relay, s->fd);
	close(s->fd);
	free(s);
	me->nr--;
}

static void listen_on(struct me *me, const char *spec)
{
	int type = spec[0] == 'u' ? SOCK_DGRAM : SOCK_STREAM, proto = spec[0] == 's' ? IPPROTO_SCTP : 0, on = 1, off = 0;
	const char *at = strchr(spec, '@');
	unsigned port = (unsigned)strtoul(strchr(spec, ':') + 1, NULL, 10);
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = a.sin6_port };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
	bool six = fd >= 0;
	struct sock *s;
	char mapped[80];

	if (!six && errno == EAFNOSUPPORT)
		fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
	if (at) {
		snprintf(mapped, sizeof(mapped), strchr(at, ':') ? "%s" : "::ffff:%s", at + 1);
		inet_pton(AF_INET6, mapped, &a.sin6_addr);
		inet_pton(AF_INET, at + 1, &four.sin_addr);
	}
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (six)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		if (six && type == SOCK_DGRAM)
			setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	if (fd < 0 || bind(fd, six ? (struct sockaddr *)&a : (struct sockaddr *)&four, six ? sizeof(a) : sizeof(four)) != 0 || (type == SOCK_STREAM && listen(fd, 512) != 0)) {
		say(me, "cannot listen on %s: %s", spec, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	s = add_sock(me, type == SOCK_DGRAM ? DATAGRAMS : LISTENER, fd, (uint16_t)port);
	if (s && s->kind == LISTENER && me->nr_listener < MAX_LISTEN) {
		me->listener[me->nr_listener++] = s;
		script_refuse(me->log, fd, (uint16_t)port);
	}
	say(me, "listening on %s", spec);
}

/* PORT:ZONE; it stands before the listeners. */
static void speak_dns(struct me *me, char *arg)
{
	char *zone = strchr(arg, ':'), own[128];

	if (!zone)
		return;
	zone++;
	snprintf(own, sizeof(own), "%s.%d", zone, (int)getpid());
	if (!relay_open(&me->relay, zone, own) || !add_sock(me, ANSWERS, me->relay.fd, 0)) {
		say(me, "no way to the lab's name server: %s", strerror(errno));
		return;
	}
	me->dns_port = (uint16_t)strtoul(arg, NULL, 10);
}

static void set_up(struct me *me, char *arg)
{
	char *colon = strchr(arg, ':'), *to;

	if (!colon)
		return;
	if (strncmp(arg, "write:", 6) == 0 && me->nr_write < 8) {
		me->write_to[me->nr_write++] = colon + 1;
	} else if (strncmp(arg, "follow:", 7) == 0 && me->nr_follow < 8) {
		to = strchr(colon + 1, ':');
		if (to)
			*to++ = '\0';
		me->follow[me->nr_follow] = colon + 1;
		me->copy_to[me->nr_follow++] = to && *to ? to : NULL;
	} else if (strncmp(arg, "lines:", 6) == 0) {
		me->lines_port = (uint16_t)strtoul(colon + 1, NULL, 10);
	} else if (strncmp(arg, "tell:", 5) == 0) {
		me->tell_udp = colon[1] == 'u';
		me->tell = (uint16_t)strtoul(colon + 5, NULL, 10);
	} else if (strncmp(arg, "dns:", 4) == 0 || strncmp(arg, "out:", 4) == 0) {
		speak_dns(me, colon + 1);
		me->relay.outside = *arg == 'o';
	} else {
		listen_on(me, arg);
	}
}

static void serve(struct me *me, struct epoll_event *ev)
{
	struct sock *s = ev->data.ptr;

	if (s->kind == LISTENER) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			add_sock(me, CONNECTION, fd, s->port);
	} else if (s->kind == DATAGRAMS) {
		answer_datagram(me, s);
	} else if (s->kind == ANSWERS) {
		answer_dns(me);
	} else if (!answer_connection(me, s)) {
		drop(me, s);
	}
}

static void note_change(int sig)
{
	(void)sig;
	script_changed = 1;
}

int main(int argc, char **argv)
{
	static struct me me;
	struct epoll_event ev[64];
	sigset_t waiting, hangup;
	int ready = 3;

	if (argc < 5)
		return 2;
	me.name = argv[1];
	me.container = argv[2];
	me.node = argv[3];
	me.log = argv[4];
	me.epoll = epoll_create1(EPOLL_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, &waiting);
	sigdelset(&waiting, SIGHUP);
	signal(SIGHUP, note_change);
	for (int k = 5; k < argc; k++)
		set_up(&me, argv[k]);
	if (write(ready, "", 1) < 0)            /* all that can listen listens */
		errno = 0;
	close(ready);
	for (;;) {
		int n = epoll_pwait(me.epoll, ev, 64, me.nr_follow ? 200 : -1, &waiting);

		for (int k = 0; script_changed && k < me.nr_listener; k++)
			script_refuse(me.log, me.listener[k]->fd, me.listener[k]->port);
		script_changed = 0;
		for (int k = 0; k < n; k++)
			serve(&me, &ev[k]);
		for (int k = 0; k < me.nr_follow; k++)
			follow(&me, k);
	}
}
