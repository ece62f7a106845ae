#include "sim/linux/static/health.h"

#include <string.h>
#include <sys/socket.h>

static size_t frame(char *out, size_t len, uint8_t type, uint8_t flags, uint32_t stream, const void *payload)
{
	const uint8_t head[H2_HEAD] = { (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type, flags, (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream };

	memcpy(out, head, H2_HEAD);
	if (len)
		memcpy(out + H2_HEAD, payload, len);
	return H2_HEAD + len;
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
	h->probe[0] = '\0';
	h->message.n = 0;
	if (value && value < p + n && *value < sizeof(h->probe) && value + 1 + *value <= p + n) {
		memcpy(h->probe, value + 1, *value);
		h->probe[*value] = '\0';
	}
}

/* HealthCheckRequest: field 1, the service, may be missing; what is none asks for no service. */
static void asked(struct health *h)
{
	if (!grpc_whole(&h->message) || !grpc_field(&h->message, 1, &h->service) || !h->service.bytes)
		h->service = (struct grpc_field){ .bytes = h->message.bytes };
}

enum health_event health_read(struct health *h, int fd, const char *bytes, size_t n, size_t *used)
{
	char out[64];
	size_t len;

	*used = 0;
	if (!h->greeted) {
		if (n < sizeof(HEALTH_PREFACE) - 1)
			return HEALTH_MORE;
		*used = sizeof(HEALTH_PREFACE) - 1;
		h->greeted = true;
		if (!say(fd, out, frame(out, 0, H2_SETTINGS, 0, 0, NULL)))
			return HEALTH_OVER;
	}
	for (struct h2_frame f; (len = h2_read(bytes + *used, n - *used, &f)) > 0;) {
		*used += len;
		if (f.type == H2_GOAWAY || f.type == H2_RESET || !f.payload)
			return HEALTH_OVER;
		if (f.type == H2_SETTINGS && !(f.flags & H2_ACK) && !say(fd, out, frame(out, 0, H2_SETTINGS, H2_ACK, 0, NULL)))
			return HEALTH_OVER;
		if (f.type == H2_PING && !(f.flags & H2_ACK) && f.len == 8 && !say(fd, out, frame(out, 8, H2_PING, H2_ACK, 0, f.payload)))
			return HEALTH_OVER;
		if (f.type == H2_HEADERS && f.stream != h->stream)
			headers(h, f.stream, f.payload, f.len);
		if (f.type == H2_DATA && !grpc_add(&h->message, f.payload, f.len))
			return HEALTH_OVER;
		if ((f.type == H2_DATA || f.type == H2_HEADERS) && f.flags & H2_END_STREAM) {
			asked(h);
			return HEALTH_ASKED;
		}
	}
	return HEALTH_MORE;
}

bool health_answer(const struct health *h, int fd, bool serving)
{
	/* :status 200 and content-type by their places in the static table; grpc-status 0 */
	static const char begins[] = "\x88\x5f\x10" "application/grpc", ends[] = "\x00\x0b" "grpc-status" "\x01" "0";
	const char status[] = { 0, 0, 0, 0, 2, 0x08, serving ? 1 : 2 };
	char out[256];
	size_t n = frame(out, sizeof(begins) - 1, H2_HEADERS, H2_END_HEADERS, h->stream, begins);

	n += frame(out + n, sizeof(status), H2_DATA, 0, h->stream, status);
	n += frame(out + n, sizeof(ends) - 1, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, h->stream, ends);
	return say(fd, out, n);
}
