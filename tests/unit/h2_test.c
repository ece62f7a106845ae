/* Health checks by gRPC, byte by byte: both ends of sim/linux read what others may write. */
#include "sim/linux/grpc_dial.h"
#include "sim/linux/h2.h"
#include "tests/unit/test.h"

struct frames { char s[8192]; size_t n; };

static void frame(struct frames *o, int type, int flags, const char *payload, size_t len)
{
	const char head[H2_HEAD] = { 0, (char)(len >> 8), (char)len, (char)type, (char)flags, 0, 0, 0, 1 };

	memcpy(o->s + o->n, head, sizeof(head));
	memcpy(o->s + o->n + sizeof(head), payload, len);
	o->n += sizeof(head) + len;
}

#define FRAME(o, type, flags, text) frame(o, type, flags, text, sizeof(text) - 1)

/* gRPC over HTTP/2 (Length-Prefixed-Message); proto3: a field with its zero value is not written. */
TEST(a_health_status_is_read_however_it_is_framed)
{
	struct frames whole = { .n = 0 }, zero = { .n = 0 }, padded = { .n = 0 }, split = { .n = 0 }, broken = { .n = 0 }, more = { .n = 0 };

	FRAME(&whole, H2_SETTINGS, 0, "");
	FRAME(&whole, H2_DATA, 0, "\0\0\0\0\2\x08\1");
	CU_ASSERT_EQUAL(grpc_status_in(whole.s, whole.n), GRPC_SERVING);
	CU_ASSERT_EQUAL(grpc_status_in(whole.s, whole.n - 1), GRPC_NO_ANSWER);
	FRAME(&zero, H2_DATA, 0, "\0\0\0\0\0");
	CU_ASSERT_EQUAL(grpc_status_in(zero.s, zero.n), 0);
	FRAME(&padded, H2_DATA, H2_PADDED, "\3\0\0\0\0\2\x08\2\0\0\0");
	CU_ASSERT_EQUAL(grpc_status_in(padded.s, padded.n), 2);
	FRAME(&split, H2_DATA, 0, "\0\0\0");
	FRAME(&split, H2_PING, 0, "12345678");
	FRAME(&split, H2_DATA, 0, "");
	FRAME(&split, H2_DATA, 0, "\0\2\x08");
	CU_ASSERT_EQUAL(grpc_status_in(split.s, split.n), GRPC_NO_ANSWER);
	FRAME(&split, H2_DATA, H2_PADDED, "\0\1");
	CU_ASSERT_EQUAL(grpc_status_in(split.s, split.n), GRPC_SERVING);
	FRAME(&more, H2_DATA, 0, "\0\0\0\0\6\x12\2ab\x08\1");   /* a field that is not known stands first */
	CU_ASSERT_EQUAL(grpc_status_in(more.s, more.n), GRPC_SERVING);
	FRAME(&broken, H2_DATA, H2_PADDED, "\x0b\0\0\0\0\2\x08\1");
	CU_ASSERT_EQUAL(grpc_status_in(broken.s, broken.n), GRPC_NO_ANSWER);
	broken.n = 0;
	FRAME(&broken, H2_DATA, 0, "\0\0\0\0\2\x0a\5");         /* longer than the message */
	CU_ASSERT_EQUAL(grpc_status_in(broken.s, broken.n), GRPC_NO_ANSWER);
	broken.n = 0;
	FRAME(&broken, H2_DATA, 0, "\1\0\0\0\2\x08\1");         /* compressed: nobody asked for that */
	CU_ASSERT_EQUAL(grpc_status_in(broken.s, broken.n), GRPC_NO_ANSWER);
}

TEST(a_long_field_has_its_length_in_several_bytes)
{
	static const struct { uint64_t value; size_t n; const char *bytes; } rows[] = { { 0, 1, "\0" }, { 127, 1, "\x7f" }, { 128, 2, "\x80\1" }, { 300, 2, "\xac\2" } };
	struct grpc_message m = { .n = 0 };
	struct grpc_field f;
	char name[300];
	uint8_t out[10];

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		CU_ASSERT_EQUAL_FATAL(grpc_varint(rows[k].value, out), rows[k].n);
		CU_ASSERT(memcmp(out, rows[k].bytes, rows[k].n) == 0);
	}
	memset(name, 's', sizeof(name));
	CU_ASSERT(grpc_add(&m, (const uint8_t *)"\0\0\0\1\x2f\x0a\xac\2", 8) && !grpc_whole(&m));
	CU_ASSERT(grpc_add(&m, (const uint8_t *)name, sizeof(name)) && grpc_whole(&m));
	CU_ASSERT_FATAL(grpc_field(&m, 1, &f) && f.bytes);
	CU_ASSERT(f.value == sizeof(name) && memcmp(f.bytes, name, sizeof(name)) == 0);
	CU_ASSERT(!grpc_add(&m, (const uint8_t *)name, sizeof(m.bytes)));
}
