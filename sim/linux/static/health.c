#include "sim/linux/static/health.h"

#include <string.h>
#include <sys/socket.h>

enum { DATA = 0, HEADERS = 1, RESET = 3, SETTINGS = 4, PING = 6, GOAWAY = 7 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };
#define HEAD 9u

static size_t frame(char *out, size_t len, uint8_t type, uint8_t flags, uint32_t stream, const void *payload)
{
	const uint8_t head[HEAD] = { (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type, flags, (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream };

	memcpy(out, head, HEAD);
	if (len)
		memcpy(out + HEAD, payload, len);
	return HEAD + len;
}

static bool say(int fd, const char *bytes, size_t n)
{
	return send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* The header stands there as it is, neither from a table nor by Huffman's code: so podwire's own probes write it. */
static void headers(struct health *h, uint32_t stream, const uint8_t *p, size_t n)
{
	const uint8_t *at = memmem(p, n, HEALTH_PROBE, sizeof(HEALTH_PROBE) - 1), *value = at ? at + sizeof(HEALTH_PROBE) - 1 : NULL;

	h->stream = stream;
	h->probe[0] = h->service[0] = '\0';
	if (value && value < p + n && *value < sizeof(h->probe) && value + 1 + *value <= p + n) {
		memcpy(h->probe, value + 1, *value);
		h->probe[*value] = '\0';
	}
}

/* Five bytes of gRPC, then HealthCheckRequest: field 1, the service, may be missing. */
static void message(struct health *h, const uint8_t *p, size_t n)
{
	if (n >= 7 && p[5] == 0x0a && p[6] < 128 && (size_t)p[6] + 7 <= n) {
		memcpy(h->service, p + 7, p[6]);
		h->service[p[6]] = '\0';
	}
}

enum health_event health_read(struct health *h, int fd, const char *bytes, size_t n, size_t *used)
{
	char out[64];

	*used = 0;
	if (!h->greeted) {
		if (n < sizeof(HEALTH_PREFACE) - 1)
			return HEALTH_MORE;
		*used = sizeof(HEALTH_PREFACE) - 1;
		h->greeted = true;
		if (!say(fd, out, frame(out, 0, SETTINGS, 0, 0, NULL)))
			return HEALTH_OVER;
	}
	while (n - *used >= HEAD) {
		const uint8_t *p = (const uint8_t *)bytes + *used;
		size_t len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
		uint32_t stream = ((uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8]) & 0x7fffffff;

		if (n - *used < HEAD + len)
			return HEALTH_MORE;
		*used += HEAD + len;
		if (p[3] == GOAWAY || p[3] == RESET || (p[4] & PADDED && (p[3] == DATA || p[3] == HEADERS)))
			return HEALTH_OVER;
		if (p[3] == SETTINGS && !(p[4] & ACK) && !say(fd, out, frame(out, 0, SETTINGS, ACK, 0, NULL)))
			return HEALTH_OVER;
		if (p[3] == PING && !(p[4] & ACK) && len == 8 && !say(fd, out, frame(out, 8, PING, ACK, 0, p + HEAD)))
			return HEALTH_OVER;
		if (p[3] == HEADERS)
			headers(h, stream, p + HEAD, len);
		if (p[3] == DATA)
			message(h, p + HEAD, len);
		if ((p[3] == DATA || p[3] == HEADERS) && p[4] & END_STREAM)
			return HEALTH_ASKED;
	}
	return HEALTH_MORE;
}

bool health_answer(const struct health *h, int fd, bool serving)
{
	/* :status 200 and content-type by their places in the static table; grpc-status 0 */
	static const char begins[] = "\x88\x5f\x10" "application/grpc", ends[] = "\x00\x0b" "grpc-status" "\x01" "0";
	const char status[] = { 0, 0, 0, 0, 2, 0x08, serving ? 1 : 2 };
	char out[256];
	size_t n = frame(out, sizeof(begins) - 1, HEADERS, END_HEADERS, h->stream, begins);

	n += frame(out + n, sizeof(status), DATA, 0, h->stream, status);
	n += frame(out + n, sizeof(ends) - 1, HEADERS, END_HEADERS | END_STREAM, h->stream, ends);
	return say(fd, out, n);
}
