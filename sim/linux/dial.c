#include "sim/linux/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "model/dataplane/packet.h"

const char *const dial_end_names[] = {
	[DIAL_WAITS] = "waiting", [DIAL_CONNECTED] = "delivered", [DIAL_REFUSED] = "refused", [DIAL_UNREACHABLE] = "unreachable", [DIAL_TIMEOUT] = "no answer", [DIAL_ERROR] = "error",
};

nsec dial_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return SECONDS(t.tv_sec) + t.tv_nsec;
}

enum dial_end dial_end_of(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET ? DIAL_REFUSED : error == ETIMEDOUT ? DIAL_TIMEOUT :
	       error == EHOSTUNREACH || error == ENETUNREACH || error == EINVAL || error == EACCES || error == EPERM ? DIAL_UNREACHABLE : DIAL_ERROR;
}

void dial_mark(int fd, ip_addr to, uint8_t tos)
{
	int value = tos;

	setsockopt(fd, ip_is4(to) ? IPPROTO_IP : IPPROTO_IPV6, ip_is4(to) ? IP_TOS : IPV6_TCLASS, &value, sizeof(value));
}

socklen_t dial_sockaddr(ip_addr ip, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;

	memset(out, 0, sizeof(*out));
	if (ip_is4(ip)) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		four->sin_addr.s_addr = htonl(ip_to4(ip));
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	for (int k = 0; k < 8; k++) {
		six->sin6_addr.s6_addr[k] = (uint8_t)(ip.hi >> (56 - 8 * k));
		six->sin6_addr.s6_addr[8 + k] = (uint8_t)(ip.lo >> (56 - 8 * k));
	}
	return sizeof(*six);
}

static void from_sockaddr(const struct sockaddr_storage *a, ip_addr *ip, uint16_t *port)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;

	*ip = (ip_addr){ 0, 0 };
	if (a->ss_family == AF_INET) {
		*ip = ip_from4(ntohl(four->sin_addr.s_addr));
		*port = ntohs(four->sin_port);
		return;
	}
	for (int k = 0; k < 8; k++) {
		ip->hi = ip->hi << 8 | six->sin6_addr.s6_addr[k];
		ip->lo = ip->lo << 8 | six->sin6_addr.s6_addr[8 + k];
	}
	*port = ntohs(six->sin6_port);
}

/* ---- answering */

bool dialer_begin(struct dialer *p, struct live *live, struct err *err)
{
	*p = (struct dialer){ .live = live, .epoll = epoll_create1(EPOLL_CLOEXEC) };
	return p->epoll >= 0 || err_add(err, ERR_MACHINE, NULL, "epoll: %s", strerror(errno));
}

void dialer_end(struct dialer *p)
{
	for (uint32_t k = 0; k < p->nr; k++)
		if (p->v[k].fd >= 0)
			close(p->v[k].fd);
	free(p->v);
	close(p->epoll);
}

static int listening_socket(uint8_t proto, uint16_t port)
{
	bool datagrams = proto == PROTO_UDP;
	int fd = socket(AF_INET6, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, proto == PROTO_SCTP ? IPPROTO_SCTP : 0), off = 0, on = 1;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (datagrams)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 && (datagrams || listen(fd, 512) == 0))
		return fd;
	close(fd);
	return -1;
}

bool dialer_answer_at(struct dialer *p, const struct space *s, uint8_t proto, uint16_t port, struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct answering *a;

	for (uint32_t k = 0; k < p->nr; k++)
		if (p->v[k].space == s && p->v[k].proto == proto && p->v[k].port == port)
			return true;
	if (!live_enter(p->live, s, err))
		return false;
	a = list_push(p);
	*a = (struct answering){ s, proto, port, listening_socket(proto, port) };
	ev.data.u64 = (uint64_t)p->nr << 32;            /* above all dials' numbers */
	if (a->fd >= 0)
		epoll_ctl(p->epoll, EPOLL_CTL_ADD, a->fd, &ev);
	return true;
}

#define OWN_LINE 512u

static size_t own_line(const struct answering *a, const struct sockaddr_storage *here, const struct sockaddr_storage *peer, char *out, size_t max)
{
	ip_addr to, from;
	uint16_t to_port, from_port;
	int n;

	from_sockaddr(here, &to, &to_port);
	from_sockaddr(peer, &from, &from_port);
	n = snprintf(out, max, ip_is4(to) ? "%s - - %s:%u " : "%s - - [%s]:%u ", a->space->kind == NS_POD ? a->space->name + 4 : a->space->name, IP(to), to_port);
	return (size_t)(n + snprintf(out + n, max - (size_t)n, ip_is4(from) ? "%s:%u\n" : "[%s]:%u\n", IP(from), from_port));
}

static void answer(const struct answering *a)
{
	struct sockaddr_storage here = { 0 }, peer = { 0 };
	socklen_t n = sizeof(here), m = sizeof(peer);
	static char line[DIAL_SIZE];
	char control[256], buf[64];
	struct iovec io = { buf, sizeof(buf) };
	size_t length;
	ssize_t asked;
	struct msghdr msg = { .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };

	if (a->proto != PROTO_UDP) {
		int fd = accept4(a->fd, (struct sockaddr *)&peer, &m, SOCK_CLOEXEC);
		ssize_t sent;

		if (fd < 0)
			return;
		getsockname(fd, (struct sockaddr *)&here, &n);
		sent = send(fd, line, own_line(a, &here, &peer, line, OWN_LINE), MSG_NOSIGNAL);
		(void)sent;
		shutdown(fd, SHUT_WR);
		close(fd);
		return;
	}
	if ((asked = recvmsg(a->fd, &msg, MSG_TRUNC)) < 0)
		return;
	((struct sockaddr_in6 *)(void *)&here)->sin6_family = AF_INET6;
	((struct sockaddr_in6 *)(void *)&here)->sin6_port = htons(a->port);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(c);

			((struct sockaddr_in6 *)(void *)&here)->sin6_addr = info->ipi6_addr;
			info->ipi6_ifindex = 0;
		}
	length = own_line(a, &here, &peer, line, OWN_LINE);
	memset(line + length, 0, OWN_LINE - length);
	io = (struct iovec){ line, MAX(length, MIN((size_t)asked, sizeof(line))) };     /* as large as what was asked */
	if (sendmsg(a->fd, &msg, MSG_NOSIGNAL) < 0)
		errno = 0;
}

/* ---- asking */

static void over(struct dial *q, enum dial_end end, int error)
{
	q->end = end;
	q->error = error;
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

static void failed(struct dial *q, int error)
{
	over(q, dial_end_of(error), error);
}

static bool is_stream(const struct dial *q)
{
	return q->proto == PROTO_TCP || q->proto == PROTO_SCTP;
}

static bool is_icmp(const struct dial *q)
{
	return q->proto == PROTO_ICMP || q->proto == PROTO_ICMPV6;
}

/* Behind it zeros, up to the size that is wanted. A stream may take it in pieces, the next when there is room. */
static void send_next(struct dial *q)
{
	static char hello[DIAL_SIZE] = "podwire\n", ping[DIAL_SIZE];
	struct icmphdr echo = { .type = ip_is4(q->dst) ? ICMP_ECHO : ICMP6_ECHO_REQUEST, .un.echo = { 0, 1 } };
	size_t all = is_icmp(q) ? sizeof(echo) + q->size : MAX(strlen(hello), q->size);
	ssize_t n;

	memcpy(ping, &echo, sizeof(echo));
	n = send(q->fd, (is_icmp(q) ? ping : hello) + q->out, all - q->out, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		failed(q, errno);
		return;
	}
	q->out += n > 0 ? (size_t)n : 0;
	q->sent = q->out == all || !is_stream(q);
}

static void set_size(const struct dial *q, bool stream)
{
	int room = 4 * (int)q->size, way = q->df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;

	if (!q->size && !q->df)
		return;
	setsockopt(q->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(q->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (!stream)
		setsockopt(q->fd, ip_is4(q->dst) ? IPPROTO_IP : IPPROTO_IPV6, ip_is4(q->dst) ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &way, sizeof(way));
}

/* Echo requests from a datagram socket: for the group of root, in the namespace of the thread. */
static void allow_ping(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ping_group_range", "we");

	if (f) {
		fputs("0 0", f);
		fclose(f);
	}
}

static void begin(struct dialer *p, struct dial *q, uint32_t nr)
{
	struct sockaddr_storage to, own;
	socklen_t n = dial_sockaddr(q->dst, is_icmp(q) ? 0 : q->port, &to), m = sizeof(own);
	bool four = ip_is4(q->dst), stream = is_stream(q);
	int proto = is_icmp(q) ? (four ? IPPROTO_ICMP : IPPROTO_ICMPV6) : q->proto == PROTO_SCTP ? IPPROTO_SCTP : 0;
	struct epoll_event ev = { .events = stream ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.u64 = nr };

	*q = (struct dial){ .from = q->from, .src = q->src, .dst = q->dst, .port = q->port, .proto = q->proto, .tos = q->tos, .size = q->size, .df = q->df, .wait = q->wait, .deadline = dial_clock() + q->wait };
	if (is_icmp(q))
		allow_ping();
	q->fd = socket(four ? AF_INET : AF_INET6, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
	if (q->fd < 0) {
		over(q, DIAL_ERROR, errno);
		return;
	}
	set_size(q, stream);
	if (q->tos)
		dial_mark(q->fd, q->dst, q->tos);
	if (ip_set(q->src)) {
		socklen_t k = dial_sockaddr(q->src, 0, &own);
		int on = 1;

		setsockopt(q->fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
		if (bind(q->fd, (struct sockaddr *)&own, k) != 0) {
			over(q, DIAL_ERROR, errno);
			return;
		}
	}
	if (connect(q->fd, (struct sockaddr *)&to, n) != 0 && errno != EINPROGRESS) {
		failed(q, errno);
		return;
	}
	if (getsockname(q->fd, (struct sockaddr *)&own, &m) == 0)
		from_sockaddr(&own, &q->own, &q->own_port);
	epoll_ctl(p->epoll, EPOLL_CTL_ADD, q->fd, &ev);
	if (!stream)
		send_next(q);
}

static bool parse_socket(char *text, ip_addr *ip, uint16_t *port)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return false;
	*port = (uint16_t)atoi(colon + 1);
	*colon = '\0';
	if (*text == '[') {
		text++;
		text[strlen(text) - 1] = '\0';
	}
	return ip_parse(text, ip);
}

/* default/web web worker-1 10.244.1.2:8080 10.244.2.3:41234 */
static void understand(struct dial *q)
{
	char node[128], here[128], peer[128];

	q->line[q->len] = '\0';
	if (sscanf(q->line, "%127s %63s %127s %127s %127s", q->who, q->container, node, here, peer) != 5 || !parse_socket(here, &q->end_ip, &q->end_port) ||
	    !parse_socket(peer, &q->seen, &q->seen_port)) {
		q->end_ip = (ip_addr){ 0, 0 };          /* somebody else answers there */
		snprintf(q->who, sizeof(q->who), "?");
	}
	over(q, DIAL_CONNECTED, 0);
}

/* A stream's bytes behind the line: all of ours have to come back. */
static void hear_echo(struct dial *q)
{
	char some[4096];
	ssize_t got = recv(q->fd, some, sizeof(some), 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	q->echoed += got > 0 ? (size_t)got : 0;
	if (got <= 0 && q->echoed < q->size)
		failed(q, got < 0 ? errno : ECONNRESET);
	else if (q->echoed >= q->size)
		understand(q);
}

static void heard(struct dialer *p, struct dial *q, uint32_t nr, uint32_t events)
{
	int error = 0;
	socklen_t n = sizeof(error);
	const char *line;
	ssize_t got;

	if (!q->out && !q->sent && events & (EPOLLERR | EPOLLHUP) && getsockopt(q->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error) {
		failed(q, error);
		return;
	}
	if (!q->sent && events & EPOLLOUT) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u64 = nr };
		struct sockaddr_storage own;
		socklen_t m = sizeof(own);

		if (getsockname(q->fd, (struct sockaddr *)&own, &m) == 0)
			from_sockaddr(&own, &q->own, &q->own_port);
		send_next(q);
		if (q->fd < 0)
			return;
		if (q->sent)
			epoll_ctl(p->epoll, EPOLL_CTL_MOD, q->fd, &ev);
	}
	if (memchr(q->line, '\n', q->len)) {
		hear_echo(q);
		return;
	}
	got = recv(q->fd, q->line + q->len, sizeof(q->line) - 1 - q->len, 0);
	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			failed(q, errno);
		return;
	}
	if (is_icmp(q)) {
		q->end_ip = q->dst;
		over(q, DIAL_CONNECTED, 0);
		return;
	}
	q->len += (size_t)got;
	line = memchr(q->line, '\n', q->len);
	q->echoed = line ? q->len - (size_t)(line + 1 - q->line) : 0;
	if (got == 0 || (line && (q->proto == PROTO_UDP || q->echoed >= q->size)) || q->len == sizeof(q->line) - 1)
		understand(q);
}

static void too_late(struct dial *q, nsec now)
{
	if (now >= q->deadline)
		over(q, DIAL_TIMEOUT, 0);
}

bool dialer_ask(struct dialer *p, struct dial **v, uint32_t nr, uint32_t parallel, struct err *err)
{
	uint32_t next = 0, open = 0, oldest = 0;
	const struct space *in = NULL;
	struct epoll_event ev[256];

	while (next < nr || open) {
		int n;

		for (; next < nr && open < parallel; next++) {
			if (v[next]->from != in && !live_enter(p->live, v[next]->from, err))
				return false;
			in = v[next]->from;
			begin(p, v[next], next);
			open += v[next]->fd >= 0;
		}
		n = epoll_wait(p->epoll, ev, 256, 20);
		for (int k = 0; k < n; k++) {
			uint64_t id = ev[k].data.u64;

			if (id >> 32) {
				answer(&p->v[(id >> 32) - 1]);
			} else if (id < nr && v[id]->fd >= 0) {
				heard(p, v[id], (uint32_t)id, ev[k].events);
				open -= v[id]->fd < 0;
			}
		}
		while (oldest < next && v[oldest]->fd < 0)
			oldest++;
		for (uint32_t k = oldest; k < next; k++)
			if (v[k]->fd >= 0) {
				too_late(v[k], dial_clock());
				open -= v[k]->fd < 0;
			}
	}
	return true;
}
