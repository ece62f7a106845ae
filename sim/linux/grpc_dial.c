#include "sim/linux/grpc_dial.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/linux/http_dial.h"
#include "sim/linux/static/health.h"

enum { DATA = 0, HEADERS = 1, SETTINGS = 4 };
enum { END_STREAM = 1, END_HEADERS = 4 };
#define HEAD 9u

static void number(struct sb *out, size_t n, int bytes)
{
	while (bytes-- > 0)
		sb_addc(out, (char)(n >> 8 * bytes));
}

static void frame(struct sb *out, int type, int flags, uint32_t stream, const struct sb *payload)
{
	number(out, payload->len, 3);
	sb_addc(out, (char)type);
	sb_addc(out, (char)flags);
	number(out, stream, 4);
	sb_addn(out, payload->s ? payload->s : "", payload->len);
}

/* A text as HPACK writes it without Huffman's code; all of ours have less than 127 bytes. */
static void text(struct sb *out, const char *s)
{
	size_t n = MIN(strlen(s), 126u);

	sb_addc(out, (char)n);
	sb_addn(out, s, n);
}

/* Literal fields without indexing; names that the static table has by their places (RFC 7541, appendix A). */
static void request(const struct grpc_dial *q, struct sb *out)
{
	char authority[80];
	struct sb part = { 0 };

	snprintf(authority, sizeof(authority), ip_is4(q->dst) ? "%s:%u" : "[%s]:%u", IP(q->dst), q->port);
	sb_add(out, HEALTH_PREFACE);
	frame(out, SETTINGS, 0, 0, &part);
	sb_add(&part, "\x83\x86\x04");          /* :method POST, :scheme http, :path */
	text(&part, "/grpc.health.v1.Health/Check");
	sb_addc(&part, 1);                      /* :authority */
	text(&part, authority);
	sb_add(&part, "\x0f\x10");              /* content-type */
	text(&part, "application/grpc");
	sb_add(&part, "\x0f\x2b");              /* user-agent */
	text(&part, "kube-probe/1.36");
	sb_addc(&part, 0);
	text(&part, "te");
	text(&part, "trailers");
	sb_addc(&part, 0);
	text(&part, HEALTH_PROBE);
	text(&part, q->probe);
	frame(out, HEADERS, END_HEADERS, 1, &part);
	sb_reset(&part);
	number(&part, 0, 1);                    /* not compressed */
	number(&part, *q->service ? 2 + MIN(strlen(q->service), 126u) : 0, 4);
	if (*q->service) {
		sb_addc(&part, 0x0a);           /* HealthCheckRequest.service */
		text(&part, q->service);
	}
	frame(out, DATA, END_STREAM, 1, &part);
	sb_free(&part);
}

/* The message in the first DATA frame: HealthCheckResponse, whose field 1 is the status. */
static int status_in(const char *bytes, size_t n)
{
	for (size_t at = 0; n - at >= HEAD;) {
		const uint8_t *p = (const uint8_t *)bytes + at;
		size_t len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];

		if (n - at < HEAD + len)
			break;
		if (p[3] == DATA && len == 7 && p[HEAD + 5] == 0x08)
			return p[HEAD + 6];
		at += HEAD + len;
	}
	return GRPC_NO_ANSWER;
}

bool grpc_dial(struct live *live, struct grpc_dial *q, struct err *err)
{
	struct sb out = { 0 };
	char in[4096];
	size_t n = 0;
	ssize_t got;
	struct http_dial way = { .from = q->from, .dst = q->dst, .port = q->port, .wait = q->wait };
	nsec until = dial_clock() + q->wait;
	int fd;

	q->status = GRPC_NO_ANSWER;
	if (!live_enter(live, q->from, err))
		return false;
	fd = http_dial_connect(&way);
	q->end = way.end;
	if (fd < 0)
		return true;
	request(q, &out);
	if (send(fd, out.s, out.len, MSG_NOSIGNAL) == (ssize_t)out.len)
		while (q->status < 0 && n < sizeof(in) && http_dial_ready(fd, POLLIN, until) && (got = recv(fd, in + n, sizeof(in) - n, 0)) > 0) {
			n += (size_t)got;
			q->status = status_in(in, n);
		}
	close(fd);
	sb_free(&out);
	return true;
}
