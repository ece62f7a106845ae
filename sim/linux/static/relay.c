#include "sim/linux/static/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 200

bool relay_open(struct relay *r, const char *zone, const char *own)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX }, to = { .sun_family = AF_UNIX };

	*r = (struct relay){ .fd = -1 };
	if (strlen(own) >= sizeof(a.sun_path) || strlen(zone) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(a.sun_path, own);
	strcpy(to.sun_path, zone);
	unlink(own);
	r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return r->fd >= 0 && bind(r->fd, (struct sockaddr *)&a, sizeof(a)) == 0 && connect(r->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* The server's queue is full. While it is waited for, answers are taken, so that the server does not wait for this end in turn. */
static bool room(struct relay *r)
{
	struct pollfd p = { r->fd, POLLIN | POLLOUT, 0 };
	char line[512];

	if (errno != EAGAIN || poll(&p, 1, PATIENCE_MS) != 1)
		return false;
	if (p.revents & POLLIN)
		relay_answer(r, line, sizeof(line));
	return true;
}

void relay_ask(struct relay *r, const void *query, size_t n, int fd, bool tcp, const struct sockaddr_in6 *peer, const struct in6_pktinfo *at)
{
	struct pending *p = &r->pending[++r->serial % RELAY_PENDING];   /* whoever waits there since a thousand queries waits in vain */
	uint8_t head[RELAY_HEAD] = { 0 };
	struct iovec io[2] = { { head, sizeof(head) }, { (void *)(uintptr_t)query, n } };
	struct msghdr m = { .msg_iov = io, .msg_iovlen = 2 };

	memcpy(head, &r->serial, sizeof(r->serial));
	head[4] = (uint8_t)((tcp ? RELAY_TCP : 0) | (r->outside ? RELAY_OUTSIDE : 0));
	*p = (struct pending){ .serial = r->serial, .fd = fd, .tcp = tcp };
	if (peer)
		p->peer = *peer;
	if (at)
		p->at = *at;
	while (sendmsg(r->fd, &m, MSG_NOSIGNAL) < 0)
		if (!room(r)) {
			p->serial = 0;
			return;
		}
}

/* A connection that takes no more for a second is given up. */
static void send_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		struct pollfd ready = { fd, POLLOUT, 0 };
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0 && (errno != EAGAIN || poll(&ready, 1, 1000) != 1))
			return;
		p += sent > 0 ? sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
	}
}

static void send_datagram(const struct pending *p, uint8_t *answer, size_t n)
{
	union { char room[CMSG_SPACE(sizeof(struct in6_pktinfo))]; struct cmsghdr align; } control = { .room = "" };
	struct iovec io = { answer, n };
	struct msghdr m = { .msg_name = (void *)(uintptr_t)&p->peer, .msg_namelen = sizeof(p->peer), .msg_iov = &io, .msg_iovlen = 1 };

	if (!IN6_IS_ADDR_UNSPECIFIED(&p->at.ipi6_addr)) {       /* from the address that was asked */
		struct cmsghdr *c;

		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(p->at));
		memcpy(CMSG_DATA(c), &p->at, sizeof(p->at));
	}
	if (sendmsg(p->fd, &m, MSG_NOSIGNAL) < 0)
		errno = 0;      /* it has gone */
}

/* "A IN web.default.svc.cluster.local. udp" NOERROR, much as CoreDNS's log plugin has it. The answer is our own server's: its question is well formed. */
static void describe(const struct pending *p, const uint8_t *answer, size_t n, char *line, size_t max)
{
	static const struct { unsigned number; const char *name; } types[] = { { 1, "A" }, { 2, "NS" }, { 5, "CNAME" }, { 6, "SOA" }, { 12, "PTR" }, { 16, "TXT" }, { 28, "AAAA" }, { 33, "SRV" } };
	static const char *const rcodes[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };
	char name[260] = "", type[16], peer[INET6_ADDRSTRLEN] = "";
	const uint8_t *ip = p->peer.sin6_addr.s6_addr;
	size_t at = 12, len = 0;
	unsigned number = 0;

	while (n > 12 && at < n && answer[at] && at + answer[at] < n && len + answer[at] + 2 < sizeof(name)) {
		for (size_t k = 1; k <= answer[at]; k++)
			name[len++] = answer[at + k] > ' ' && answer[at + k] < 127 && answer[at + k] != '"' ? (char)answer[at + k] : '?';
		name[len++] = '.';
		at += answer[at] + 1u;
	}
	if (at + 2 < n)
		number = (unsigned)answer[at + 1] << 8 | answer[at + 2];
	snprintf(type, sizeof(type), "TYPE%u", number);
	for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
		if (types[k].number == number)
			snprintf(type, sizeof(type), "%s", types[k].name);
	if (IN6_IS_ADDR_V4MAPPED(&p->peer.sin6_addr))
		inet_ntop(AF_INET, ip + 12, peer, sizeof(peer));
	else
		inet_ntop(AF_INET6, ip, peer, sizeof(peer));
	snprintf(line, max, "%s:%u \"%s IN %s %s\" %s", peer, ntohs(p->peer.sin6_port), type, len ? name : ".", p->tcp ? "tcp" : "udp", (answer[3] & 15) < 6 ? rcodes[answer[3] & 15] : "?");
}

bool relay_answer(struct relay *r, char *line, size_t max)
{
	static uint8_t buf[RELAY_HEAD + RELAY_MESSAGE];
	ssize_t n = recv(r->fd, buf, sizeof(buf), 0);
	struct pending *p;
	uint32_t serial;

	*line = '\0';
	if (n < 0)
		return false;
	if (n < RELAY_HEAD + 12)        /* the server has nothing to say to that */
		return true;
	memcpy(&serial, buf, sizeof(serial));
	p = &r->pending[serial % RELAY_PENDING];
	if (!serial || p->serial != serial)
		return true;
	p->serial = 0;
	describe(p, buf + RELAY_HEAD, (size_t)n - RELAY_HEAD, line, max);
	if (p->tcp) {
		uint8_t *frame = buf + RELAY_HEAD - 2;
		size_t len = (size_t)n - RELAY_HEAD;

		frame[0] = (uint8_t)(len >> 8);
		frame[1] = (uint8_t)len;
		send_all(p->fd, frame, len + 2);
	} else {
		send_datagram(p, buf + RELAY_HEAD, (size_t)n - RELAY_HEAD);
	}
	return true;
}

void relay_forget(struct relay *r, int fd)
{
	for (size_t k = 0; k < RELAY_PENDING; k++)
		if (r->pending[k].tcp && r->pending[k].fd == fd)
			r->pending[k].serial = 0;
}
