#include "sim/linux/h2.h"

#include <string.h>

static uint32_t four(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t h2_read(const void *bytes, size_t n, struct h2_frame *f)
{
	const uint8_t *p = bytes;
	size_t whole;

	if (n < H2_HEAD)
		return 0;
	*f = (struct h2_frame){ .type = p[3], .flags = p[4], .stream = four(p + 5) & 0x7fffffff, .payload = p + H2_HEAD, .len = four(p) >> 8 };
	whole = H2_HEAD + f->len;
	if (n < whole)
		return 0;
	if (f->flags & H2_PADDED && (f->type == H2_DATA || f->type == H2_HEADERS)) {
		if (!f->len || f->payload[0] >= f->len) {
			f->payload = NULL;
			f->len = 0;
			return whole;
		}
		f->len -= 1u + f->payload[0];
		f->payload++;
	}
	return whole;
}

bool grpc_add(struct grpc_message *m, const uint8_t *payload, size_t len)
{
	if (len > sizeof(m->bytes) - m->n)
		return false;
	if (len)
		memcpy(m->bytes + m->n, payload, len);
	m->n += len;
	return true;
}

bool grpc_whole(const struct grpc_message *m)
{
	return m->n >= 5 && !m->bytes[0] && m->n - 5 >= four(m->bytes + 1);
}

size_t grpc_varint(uint64_t value, uint8_t out[10])
{
	size_t n = 0;

	for (; value > 127; value >>= 7)
		out[n++] = (uint8_t)(value | 128);
	out[n++] = (uint8_t)value;
	return n;
}

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		uint8_t byte = *(*p)++;

		*value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return true;
	}
	return false;
}

bool grpc_field(const struct grpc_message *m, uint64_t number, struct grpc_field *out)
{
	enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
	const uint8_t *p = m->bytes + 5, *end = p + four(m->bytes + 1);

	*out = (struct grpc_field){ 0 };
	while (p < end) {
		struct grpc_field f = { 0 };
		uint64_t key, skip = 0;

		if (!varint(&p, end, &key))
			return false;
		switch (key & 7) {
		case VARINT:
			if (!varint(&p, end, &f.value))
				return false;
			break;
		case BYTES:
			if (!varint(&p, end, &f.value))
				return false;
			f.bytes = p;
			skip = f.value;
			break;
		case FIXED64:
			skip = 8;
			break;
		case FIXED32:
			skip = 4;
			break;
		default:
			return false;
		}
		if (skip > (uint64_t)(end - p))
			return false;
		p += skip;
		if (key >> 3 == number)
			*out = f;
	}
	return true;
}
