#include "sim/linux/http_dial.h"

#include <errno.h>
#include <poll.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/linux/run.h"

bool http_dial_ready(int fd, short events, nsec until)
{
	struct pollfd p = { fd, events, 0 };
	nsec left;

	while ((left = until - dial_clock()) > 0) {
		int n = poll(&p, 1, (int)(left / MILLIS(1)) + 1);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static void ended(struct http_dial *q, enum dial_end end, int error)
{
	q->end = end;
	q->error = error;
}

int http_dial_connect(struct http_dial *q)
{
	struct sockaddr_storage to, own;
	socklen_t n = dial_sockaddr(q->dst, q->port, &to), m = sizeof(int);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0, on = 1;

	if (fd >= 0 && q->tos)
		dial_mark(fd, q->dst, q->tos);
	if (fd >= 0 && ip_set(q->src)) {
		socklen_t k = dial_sockaddr(q->src, 0, &own);

		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&own, k) != 0)
			error = errno;
	}
	if (fd < 0 || error || (connect(fd, (struct sockaddr *)&to, n) != 0 && errno != EINPROGRESS)) {
		ended(q, dial_end_of(errno), errno);
	} else if (!http_dial_ready(fd, POLLOUT, dial_clock() + q->wait)) {
		ended(q, DIAL_TIMEOUT, 0);
	} else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &m) == 0 && error) {
		ended(q, dial_end_of(error), error);
	} else {
		ended(q, DIAL_CONNECTED, 0);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static void talk(int fd, const struct http_dial *q, struct sb *out)
{
	nsec until = dial_clock() + MAX(q->wait, SECONDS(5));    /* a proxy may wait for its backend */
	char buf[4096];
	ssize_t n = send(fd, q->text, strlen(q->text), MSG_NOSIGNAL);

	while (n > 0 && http_dial_ready(fd, POLLIN, until) && (n = recv(fd, buf, sizeof(buf), 0)) > 0)
		sb_addn(out, buf, (size_t)n);
}

/* A handshake and the request by another program; what is not the answer itself stands before it. */
static bool talk_tls(struct live *live, struct http_dial *q, struct arena *a, struct sb *out, struct err *err)
{
	const char *at = arena_printf(a, ip_is4(q->dst) ? "%s:%u" : "[%s]:%u", IP(q->dst), q->port), *argv[16], *begin, *end;
	struct err own = { 0 };
	int n = 0;

	if (!program_there("openssl") || !program_there("timeout"))
		return err_add(err, ERR_MACHINE, NULL, "openssl (or timeout) is not installed");
	for (const char *const *w = (const char *const[]){ "timeout", "6", "openssl", "s_client", "-connect", at, "-ign_eof", NULL }; *w; w++)
		argv[n++] = *w;
	argv[n++] = *q->sni ? "-servername" : "-noservername";
	if (*q->sni)
		argv[n++] = q->sni;
	if (ip_set(q->src)) {
		argv[n++] = "-bind";
		argv[n++] = arena_printf(a, ip_is4(q->src) ? "%s:0" : "[%s]:0", IP(q->src));
	}
	argv[n] = NULL;
	if (!live_enter(live, q->from, err))
		return false;
	run_program(argv, q->text, strlen(q->text), out, &own);         /* its exit status says nothing that its words do not */
	err_free(&own);
	begin = strstr(sb_text(out), "-----BEGIN CERTIFICATE-----\n");
	end = begin ? strstr(begin, "-----END CERTIFICATE-----") : NULL;
	if (end) {
		struct sb pem = { 0 };

		for (const char *p = begin + strlen("-----BEGIN CERTIFICATE-----\n"); p < end; p++)
			if (*p != '\n')
				sb_addc(&pem, *p);
		q->certificate = arena_strdup(a, sb_text(&pem));
		sb_free(&pem);
	}
	return true;
}

bool http_dial(struct live *live, struct http_dial *q, struct arena *a, struct err *err)
{
	struct sb out = { 0 };
	const char *answer, *blank;
	char *text;
	int fd;

	q->took = dial_clock();
	q->status = 0;
	q->head = q->body = "";
	q->certificate = NULL;
	if (!live_enter(live, q->from, err))
		return false;
	fd = http_dial_connect(q);
	if (fd < 0)
		return true;
	if (!q->tls)
		talk(fd, q, &out);
	close(fd);
	if (q->tls && !talk_tls(live, q, a, &out, err)) {
		sb_free(&out);
		return false;
	}
	q->took = dial_clock() - q->took;
	text = arena_strndup(a, sb_text(&out), out.len);
	sb_free(&out);
	answer = strncmp(text, "HTTP/1.", 7) == 0 ? text : q->tls ? strstr(text, "\nHTTP/1.") : NULL;
	if (!answer)
		return true;
	answer += *answer == '\n';
	q->status = atoi(answer + strcspn(answer, " "));
	blank = strstr(answer, "\r\n\r\n");
	q->head = blank ? arena_strndup(a, answer, (size_t)(blank + 2 - answer)) : answer;
	q->body = blank ? blank + 4 : "";
	if (q->tls) {                           /* the program has a last word */
		const char *length = http_dial_header(q, "Content-Length", a);

		q->body = arena_strndup(a, q->body, MIN(strlen(q->body), length ? strtoul(length, NULL, 10) : SIZE_MAX));
	}
	return true;
}

const char *http_dial_header(const struct http_dial *q, const char *name, struct arena *a)
{
	const char *line = strstr(q->head, "\r\n"), *out = NULL;
	size_t n = strlen(name);

	for (line = line ? line + 2 : ""; *line; line += strcspn(line, "\r\n"), line += strspn(line, "\r\n")) {
		const char *value = line + n + 1;

		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		value += strspn(value, " \t");
		out = out ? arena_printf(a, "%s,%.*s", out, (int)strcspn(value, "\r\n"), value) : arena_strndup(a, value, strcspn(value, "\r\n"));
	}
	return out;
}
