#include "sim/linux/static/workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/linux/static/script.h"

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

/* ---- HTTP */

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

void answer_dns(struct me *me)
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

bool answer_connection(struct me *me, struct sock *s)
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

void answer_datagram(struct me *me, struct sock *s)
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
