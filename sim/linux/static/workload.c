/* The process that stands in a container: it listens where the container declares, says who it is and whom it sees, and writes down what it was asked.
 *
 *   workload NAME CONTAINER NODE LOG [tcp:PORT[@ADDR] | udp:PORT[@ADDR] | sctp:PORT[@ADDR] | write:DIR | follow:DIR:TO | dns:PORT:ZONE | out:PORT:ZONE |
 *            lines:PORT | tell:tcp:PORT | tell:udp:PORT]…
 *
 * A connection that begins as HTTP is answered as HTTP (an echo as JSON; /clientip, /hostname, /healthz and /echo?msg= as agnhost does); any other gets one line
 * and its own bytes back, but that gRPC's health checks are answered (health.h); a datagram by the line, in one as large as it was. dns: the port speaks DNS (relay.h); out: as a server outside the cluster. write: each request is a line in DIR/access.log; follow: what stands there is copied to the container's log, and into TO. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/linux/static/health.h"
#include "sim/linux/static/relay.h"
#include "sim/linux/static/script.h"

#define MAX_LISTEN 256
#define MAX_CONN   4096
#define MAX_LOG    (1 << 20)            /* bytes; then the file begins anew */

enum kind { LISTENER, DATAGRAMS, CONNECTION, ANSWERS };
struct sock { enum kind kind; int fd; uint16_t port; bool echoing; struct health health; size_t len; char buf[4096]; };
struct me {
	const char *name, *container, *node, *log;
	const char *write_to[8], *follow[8], *copy_to[8];
	int nr_write, nr_follow;
	long followed[8];
	int epoll, nr;
	uint16_t dns_port;              /* 0: none */
	uint16_t lines_port;            /* what is said there is kept as it is; 0: none */
	uint16_t tell; bool tell_udp; int tell_fd;      /* the port of who keeps this one's log; 0: nobody */
	struct relay relay;
	struct sock *listener[MAX_LISTEN]; int nr_listener;
};
static volatile sig_atomic_t script_changed;    /* SIGHUP: LOG.fails was written anew */

static void append(const char *path, const char *text, size_t n)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > MAX_LOG && ftruncate(fd, 0) != 0)
		n = 0;
	if (write(fd, text, n) < 0)
		n = 0;
	close(fd);
}

static void keep(const struct me *me, const char *text, size_t n)
{
	char path[512];

	append(me->log, text, n);
	for (int k = 0; k < me->nr_write; k++) {
		snprintf(path, sizeof(path), "%s/access.log", me->write_to[k]);
		append(path, text, n);
	}
}

/* A line for the container that keeps the log: it listens in the same namespace, or the line is lost. */
static void tell(struct me *me, const char *line, size_t n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(me->tell), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (int again = 0; again < 2; again++) {
		if (me->tell_fd <= 0) {
			me->tell_fd = socket(AF_INET, (me->tell_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
			if (me->tell_fd < 0 || connect(me->tell_fd, (struct sockaddr *)&to, sizeof(to)) != 0)
				again = 1;
		}
		if (send(me->tell_fd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n)
			return;
		close(me->tell_fd);
		me->tell_fd = 0;
	}
}

__attribute__((format(printf, 2, 3))) static void say(struct me *me, const char *fmt, ...)
{
	char line[1024];
	struct timespec now;
	struct tm tm;
	size_t n;
	int m;
	va_list ap;

	clock_gettime(CLOCK_REALTIME, &now);
	n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	n += (size_t)snprintf(line + n, sizeof(line) - n, ".%03ldZ ", now.tv_nsec / 1000000);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	n = m < 0 ? n : n + (size_t)m < sizeof(line) - 1 ? n + (size_t)m : sizeof(line) - 2;
	line[n++] = '\n';
	keep(me, line, n);
	if (me->tell)
		tell(me, line, n);
}

static const char *addr_text(const struct sockaddr_in6 *a, bool port, char out[64])
{
	char ip[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
		inet_ntop(AF_INET, a->sin6_addr.s6_addr + 12, ip, sizeof(ip));
		snprintf(out, 64, port ? "%s:%u" : "%s", ip, ntohs(a->sin6_port));
	} else {
		inet_ntop(AF_INET6, &a->sin6_addr, ip, sizeof(ip));
		snprintf(out, 64, port ? "[%s]:%u" : "%s", ip, ntohs(a->sin6_port));
	}
	return out;
}

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

/* ---- answering */

static void put(char *out, size_t max, size_t *n, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void put(char *out, size_t max, size_t *n, const char *fmt, ...)
{
	va_list ap;
	int m;

	va_start(ap, fmt);
	m = vsnprintf(out + *n, max - *n, fmt, ap);
	va_end(ap);
	*n = m < 0 ? *n : *n + (size_t)m < max ? *n + (size_t)m : max - 1;
}

static void put_json(char *out, size_t max, size_t *n, const char *s, size_t len)
{
	put(out, max, n, "\"");
	for (size_t k = 0; k < len; k++) {
		unsigned char c = (unsigned char)s[k];

		if (c < 32 || c == '"' || c == '\\' || c > 126)
			put(out, max, n, "\\u%04x", c);
		else
			put(out, max, n, "%c", c);
	}
	put(out, max, n, "\"");
}

static void ends_of(int fd, char here[64], char peer[64], char peer_ip[64])
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in6 six[2] = { 0 };

	for (int k = 0; k < 2; k++) {
		socklen_t n = sizeof(a);

		memset(&a, 0, sizeof(a));
		if ((k ? getpeername : getsockname)(fd, (struct sockaddr *)&a, &n) != 0)
			a.ss_family = AF_UNSPEC;
		if (a.ss_family == AF_INET) {
			const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&a;

			six[k].sin6_addr.s6_addr[10] = six[k].sin6_addr.s6_addr[11] = 0xff;
			memcpy(six[k].sin6_addr.s6_addr + 12, &v4->sin_addr, 4);
			six[k].sin6_port = v4->sin_port;
		} else {
			memcpy(&six[k], &a, sizeof(six[k]));
		}
	}
	addr_text(&six[0], true, here);
	addr_text(&six[1], true, peer);
	addr_text(&six[1], false, peer_ip);
}

static size_t header_lines(const char *req, char *out, size_t max, size_t n)
{
	const char *line = strstr(req, "\r\n"), *sep = "";

	for (line = line ? line + 2 : NULL; line && *line && *line != '\r'; line = strstr(line, "\r\n") ? strstr(line, "\r\n") + 2 : NULL) {
		size_t name = strcspn(line, ":\r"), value = name + 1 + strspn(line + name + (line[name] == ':'), " ");

		if (line[name] != ':')
			continue;
		put(out, max, &n, "%s", sep);
		put_json(out, max, &n, line, name);
		put(out, max, &n, ": ");
		put_json(out, max, &n, line + value, strcspn(line + value, "\r"));
		sep = ", ";
	}
	return n;
}

static void answer_http(struct me *me, struct sock *s)
{
	char here[64], peer[64], peer_ip[64], body[6144], head[256], host[65] = "";
	const char *path = strchr(s->buf, ' '), *type = "text/plain", *probe = strcasestr(s->buf, "\r\nPodwire-Probe: ");
	size_t path_len = path ? strcspn(path + 1, " \r\n") : 0, n = 0, m;
	bool unwell;

	path = path ? path + 1 : "";
	ends_of(s->fd, here, peer, peer_ip);
	gethostname(host, sizeof(host) - 1);
	unwell = script_fails(me->log, s->port, probe ? probe + 17 : NULL, path, path_len);
	if (unwell) {
		put(body, sizeof(body), &n, "unwell\n");
	} else if (path_len == 9 && memcmp(path, "/clientip", 9) == 0) {
		put(body, sizeof(body), &n, "%s", peer);
	} else if (path_len == 9 && memcmp(path, "/hostname", 9) == 0) {
		put(body, sizeof(body), &n, "%s", host);
	} else if (path_len == 8 && memcmp(path, "/healthz", 8) == 0) {
		put(body, sizeof(body), &n, "ok");
	} else if (path_len > 10 && memcmp(path, "/echo?msg=", 10) == 0) {
		put(body, sizeof(body), &n, "%.*s", (int)path_len - 10, path + 10);
	} else {
		type = "application/json";
		put(body, sizeof(body), &n, "{\"pod\": \"%s\", \"container\": \"%s\", \"node\": \"%s\", \"hostname\": \"%s\", \"local\": \"%s\", \"peer\": \"%s\", \"method\": ", me->name, me->container, me->node,
		    host, here, peer);
		put_json(body, sizeof(body), &n, s->buf, strcspn(s->buf, " "));
		put(body, sizeof(body), &n, ", \"path\": ");
		put_json(body, sizeof(body), &n, path, path_len);
		put(body, sizeof(body), &n, ", \"headers\": {");
		n = header_lines(s->buf, body, sizeof(body) - 8, n);
		put(body, sizeof(body), &n, "}}\n");
	}
	m = (size_t)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nX-Pod: %s\r\nConnection: close\r\n\r\n", unwell ? "503 Service Unavailable" : "200 OK", type, n,
			     me->name);
	if (send(s->fd, head, m, MSG_NOSIGNAL | MSG_MORE) < 0 || send(s->fd, body, n, MSG_NOSIGNAL) < 0)
		return;
	say(me, "%s %s \"%.*s\" %s", peer_ip, here, (int)strcspn(s->buf, "\r\n"), s->buf, unwell ? "503" : "200");
}

static bool is_http(const char *s)
{
	static const char *const methods[] = { "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "PATCH ", "OPTIONS " };

	for (size_t k = 0; k < sizeof(methods) / sizeof(methods[0]); k++)
		if (strncmp(s, methods[k], strlen(methods[k])) == 0)
			return true;
	return false;
}

/* false: the connection is over. */
static bool answer_health(struct me *me, struct sock *s)
{
	char here[64], peer[64], peer_ip[64];
	enum health_event event = HEALTH_ASKED;
	bool ok = true;

	ends_of(s->fd, here, peer, peer_ip);
	while (ok && event == HEALTH_ASKED) {
		size_t used;

		event = health_read(&s->health, s->fd, s->buf, s->len, &used);
		memmove(s->buf, s->buf + used, s->len - used + 1);
		s->len -= used;
		if (event == HEALTH_ASKED) {
			const char *service = (const char *)s->health.service.bytes;
			size_t len = (size_t)s->health.service.value;
			bool unwell = *s->health.probe && script_fails(me->log, s->port, s->health.probe, service, len);

			say(me, "%s %s gRPC health check of \"%.*s\": %s", peer_ip, here, (int)(len < 512 ? len : 512), service, unwell ? "NOT_SERVING" : "SERVING");
			ok = health_answer(&s->health, s->fd, !unwell);
		}
	}
	return ok && event == HEALTH_MORE && s->len < sizeof(s->buf) - 1;
}

/* ---- DNS: a datagram is a query; in a connection each has its length before it */

#define DNS_HEADER 12
static const char hello[] = "podwire\n";         /* what podwire's own probes say: they want to know who answers */

static bool dns_more(struct me *me, struct sock *s)
{
	struct sockaddr_in6 peer = { 0 };
	socklen_t n = sizeof(peer);
	size_t at = 0, len;

	if (getpeername(s->fd, (struct sockaddr *)&peer, &n) != 0)
		return false;
	while (s->len - at >= 2) {
		len = (size_t)(uint8_t)s->buf[at] << 8 | (uint8_t)s->buf[at + 1];
		if (len > sizeof(s->buf) - 3)
			return false;
		if (s->len - at < len + 2)
			break;
		relay_ask(&me->relay, s->buf + at + 2, len, s->fd, true, &peer, NULL);
		at += len + 2;
	}
	memmove(s->buf, s->buf + at, s->len - at);
	s->len -= at;
	return true;
}

static void dns_answered(struct me *me)
{
	char line[512];

	while (relay_answer(&me->relay, line, sizeof(line)))
		if (*line)
			say(me, "%s", line);
}

/* It is HTTP/2, or may become it. */
static bool begins_health(const struct sock *s)
{
	size_t n = s->len < sizeof(HEALTH_PREFACE) - 1 ? s->len : sizeof(HEALTH_PREFACE) - 1;

	return s->health.greeted || (!s->echoing && n && memcmp(s->buf, HEALTH_PREFACE, n) == 0);
}

/* false: the connection is over. */
static bool read_more(struct me *me, struct sock *s)
{
	char here[64], peer[64], peer_ip[64], line[512];
	ssize_t n = recv(s->fd, s->buf + s->len, sizeof(s->buf) - 1 - s->len, 0);
	int m;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0 && (s->health.greeted || !begins_health(s)))
		return false;
	s->len += (size_t)n;
	s->buf[s->len] = '\0';
	if (me->dns_port && s->port == me->dns_port && !s->echoing && strncmp(s->buf, hello, s->len < sizeof(hello) - 1 ? s->len : sizeof(hello) - 1) != 0)
		return dns_more(me, s);
	if (me->lines_port && s->port == me->lines_port && strcmp(s->buf, hello) != 0) {
		keep(me, s->buf, s->len);
		s->len = 0;
		return true;
	}
	if (n && begins_health(s))      /* else it was to be echoed: nothing more comes */
		return answer_health(me, s);
	if (!s->echoing && is_http(s->buf)) {
		if (!strstr(s->buf, "\r\n\r\n"))
			return s->len < sizeof(s->buf) - 1;
		answer_http(me, s);
		shutdown(s->fd, SHUT_WR);
		s->len = 0;
		s->echoing = true;      /* what still comes is no request */
		return true;
	}
	if (!s->echoing) {
		ends_of(s->fd, here, peer, peer_ip);
		m = snprintf(line, sizeof(line), "%s %s %s %s %s\n", me->name, me->container, me->node, here, peer);
		say(me, "%s %s connection", peer_ip, here);
		if (send(s->fd, line, (size_t)m, MSG_NOSIGNAL) < 0)
			return false;
		s->echoing = true;
	}
	n = send(s->fd, s->buf, s->len, MSG_NOSIGNAL);
	s->len = 0;
	return n >= 0;
}

static void answer_datagram(struct me *me, struct sock *s)
{
	static char answer[65536];      /* zeros behind the line */
	char buf[2048], control[256], here[64], peer[64], peer_ip[64], line[512];
	struct sockaddr_in6 from = { 0 }, to = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };
	struct iovec io = { buf, sizeof(buf) };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t whole = recvmsg(s->fd, &m, MSG_TRUNC), n = whole < (ssize_t)sizeof(buf) ? whole : (ssize_t)sizeof(buf);
	struct in6_pktinfo at = { 0 };

	if (n < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(c);

			to.sin6_addr = info->ipi6_addr;
			info->ipi6_ifindex = 0;         /* the answer goes from the address that was asked, by whatever interface */
			at = *info;
		}
	if (me->dns_port && s->port == me->dns_port && n >= DNS_HEADER) {
		relay_ask(&me->relay, buf, (size_t)n, s->fd, false, &from, &at);
		return;
	}
	if (me->lines_port && s->port == me->lines_port && (n != sizeof(hello) - 1 || memcmp(buf, hello, (size_t)n) != 0)) {
		keep(me, buf, (size_t)n);
		return;
	}
	addr_text(&to, true, here);
	addr_text(&from, true, peer);
	addr_text(&from, false, peer_ip);
	io.iov_len = (size_t)snprintf(line, sizeof(line), "%s %s %s %s %s\n", me->name, me->container, me->node, here, peer);
	memset(answer, 0, sizeof(line));
	memcpy(answer, line, io.iov_len);
	io.iov_base = answer;
	if ((size_t)whole > io.iov_len)
		io.iov_len = (size_t)whole;
	if (sendmsg(s->fd, &m, MSG_NOSIGNAL) < 0)
		say(me, "%s %s no answer: %s", peer_ip, here, strerror(errno));
	else
		say(me, "%s %s %zd bytes", peer_ip, here, whole);
}

/* ---- following what another container writes */

static void follow(struct me *me, int k)
{
	char path[512], buf[4096];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/access.log", me->follow[k]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size < me->followed[k])
		me->followed[k] = 0;
	while ((n = pread(fd, buf, sizeof(buf), me->followed[k])) > 0) {
		append(me->log, buf, (size_t)n);
		if (me->copy_to[k]) {
			snprintf(path, sizeof(path), "%s/access.log", me->copy_to[k]);
			append(path, buf, (size_t)n);
		}
		me->followed[k] += n;
	}
	close(fd);
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
		dns_answered(me);
	} else if (!read_more(me, s)) {
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
