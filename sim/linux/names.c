#include "sim/linux/names.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "model/dns/wire.h"

#define PARALLEL 128u
#define DNS_PORT 53

static void over(struct name_ask *q, enum dial_end end, int error)
{
	q->end = end;
	q->error = error;
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

static void failed(struct name_ask *q, int error)
{
	over(q, error == EAGAIN || error == EINPROGRESS ? DIAL_TIMEOUT : dial_end_of(error), error);
}

static bool open_to(struct name_ask *q, int type)
{
	struct sockaddr_storage to;
	socklen_t n = dial_sockaddr(q->server, DNS_PORT, &to);
	struct timeval wait = { q->wait / SECONDS(1), q->wait % SECONDS(1) / 1000 };

	q->fd = socket(ip_is4(q->server) ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
	if (q->fd < 0) {
		over(q, DIAL_ERROR, errno);
		return false;
	}
	setsockopt(q->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	setsockopt(q->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(q->fd, (struct sockaddr *)&to, n) == 0)
		return true;
	failed(q, errno);
	return false;
}

/* Takes the answer, or comes again by TCP. false: that was no answer to it. */
static bool take(struct name_ask *q, const uint8_t *p, uint32_t n, bool *cut, struct arena *a)
{
	*cut = false;
	return dns_read_answer(p, n, q->id, q->name, q->type, &q->answer, cut, a);
}

/* ---- TCP, one after another */

static bool read_all(int fd, uint8_t *p, size_t n)
{
	while (n) {
		ssize_t got = recv(fd, p, n, 0);

		if (got <= 0) {
			errno = got == 0 ? ECONNRESET : errno;
			return false;
		}
		p += got;
		n -= (size_t)got;
	}
	return true;
}

static void ask_tcp(struct name_ask *q, struct arena *a)
{
	static uint8_t buf[2 + DNS_MESSAGE_MAX];
	uint32_t n = dns_write_query(q->id, q->name, q->type, buf + 2);
	bool cut;

	q->by_tcp = true;
	if (!open_to(q, SOCK_STREAM))
		return;
	buf[0] = (uint8_t)(n >> 8);
	buf[1] = (uint8_t)n;
	if (send(q->fd, buf, n + 2, MSG_NOSIGNAL) < 0 || !read_all(q->fd, buf, 2) || !read_all(q->fd, buf + 2, n = (uint32_t)buf[0] << 8 | buf[1]))
		failed(q, errno);
	else
		over(q, take(q, buf + 2, n, &cut, a) ? DIAL_CONNECTED : DIAL_ERROR, 0);
}

/* ---- UDP, all at once */

static void begin(struct name_ask *q, uint16_t id, struct arena *a)
{
	uint8_t buf[512];
	uint32_t n;

	q->fd = -1;
	q->end = DIAL_WAITS;
	q->id = id;
	q->deadline = dial_clock() + q->wait;
	n = dns_write_query(id, q->name, q->type, buf);
	if (!n)
		over(q, DIAL_ERROR, EINVAL);
	else if (q->tcp)
		ask_tcp(q, a);
	else if (open_to(q, SOCK_DGRAM) && send(q->fd, buf, n, MSG_NOSIGNAL) < 0)
		failed(q, errno);
}

static bool heard(struct live *live, struct name_ask *q, struct arena *a, struct err *err)
{
	uint8_t buf[8192];
	ssize_t n = recv(q->fd, buf, sizeof(buf), MSG_DONTWAIT);
	bool cut;

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			failed(q, errno);
		return true;
	}
	if (!take(q, buf, (uint32_t)n, &cut, a))
		return true;            /* a stray answer: the right one may still come */
	over(q, DIAL_CONNECTED, 0);
	if (!cut)
		return true;
	if (!live_enter(live, q->from, err))
		return false;
	ask_tcp(q, a);
	return true;
}

bool names_ask(struct live *live, struct name_ask *v, uint32_t nr, struct arena *a, struct err *err)
{
	uint32_t next = 0, open = 0, first = 0;
	struct pollfd p[PARALLEL];
	uint32_t whose[PARALLEL];
	bool ok = true;

	while (ok && (next < nr || open)) {
		nfds_t n = 0;

		for (; ok && next < nr && open < PARALLEL; next++) {
			ok = live_enter(live, v[next].from, err);
			if (ok)
				begin(&v[next], (uint16_t)(next + 1), a);
			open += ok && v[next].fd >= 0;
		}
		for (uint32_t k = first; k < next && n < PARALLEL; k++)
			if (v[k].fd >= 0) {
				p[n] = (struct pollfd){ v[k].fd, POLLIN, 0 };
				whose[n++] = k;
			}
		poll(p, n, 20);
		for (nfds_t k = 0; ok && k < n; k++) {
			struct name_ask *q = &v[whose[k]];

			if (p[k].revents)
				ok = heard(live, q, a, err);
			if (q->fd >= 0 && dial_clock() >= q->deadline)
				over(q, DIAL_TIMEOUT, 0);
			open -= q->fd < 0;
		}
		while (first < next && v[first].fd < 0)
			first++;
	}
	for (uint32_t k = first; k < next; k++)
		if (v[k].fd >= 0)
			close(v[k].fd);
	return live_enter(live, NULL, err) && ok;
}
