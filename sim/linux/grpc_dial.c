#include "sim/linux/grpc_dial.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/linux/http_dial.h"
#include "sim/linux/static/health.h"

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

/* A text as HPACK writes it without Huffman's code; all that goes into headers here has less than 127 bytes. */
static void text(struct sb *out, const char *s)
{
	sb_addc(out, (char)strlen(s));
	sb_add(out, s);
}

/* Five bytes of gRPC, then HealthCheckRequest: the service is its field 1. */
static void message(struct sb *out, const char *service)
{
	uint8_t len[10];
	size_t n = strlen(service), digits = grpc_varint(n, len);

	number(out, 0, 1);                      /* not compressed */
	number(out, n ? 1 + digits + n : 0, 4);
	if (n) {
		sb_addc(out, 0x0a);
		sb_addn(out, (const char *)len, digits);
		sb_addn(out, service, n);
	}
}

/* Literal fields without indexing; names that the static table has by their places (RFC 7541, appendix A). */
static void request(const struct grpc_dial *q, struct sb *out)
{
	char authority[80];
	struct sb part = { 0 };

	snprintf(authority, sizeof(authority), ip_is4(q->dst) ? "%s:%u" : "[%s]:%u", IP(q->dst), q->port);
	sb_add(out, HEALTH_PREFACE);
	frame(out, H2_SETTINGS, 0, 0, &part);
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
	frame(out, H2_HEADERS, H2_END_HEADERS, 1, &part);
	sb_reset(&part);
	message(&part, q->service);
	frame(out, H2_DATA, H2_END_STREAM, 1, &part);
	sb_free(&part);
}

int grpc_status_in(const char *bytes, size_t n)
{
	struct grpc_message m = { .n = 0 };
	struct grpc_field status;
	struct h2_frame f;
	size_t len;

	for (size_t at = 0; !grpc_whole(&m) && (len = h2_read(bytes + at, n - at, &f)) > 0; at += len)
		if (f.type == H2_DATA && f.stream == 1 && (!f.payload || !grpc_add(&m, f.payload, f.len)))
			break;
	return grpc_whole(&m) && grpc_field(&m, 1, &status) && !status.bytes ? (int)MIN(status.value, (uint64_t)INT_MAX) : GRPC_NO_ANSWER;
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
			q->status = grpc_status_in(in, n);
		}
	close(fd);
	sb_free(&out);
	return true;
}
