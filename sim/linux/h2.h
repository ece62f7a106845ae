/* As much of HTTP/2 (RFC 9113) and of gRPC's framing as a health check takes: frames, and the message that comes in those with data. Needs the C library alone: the program in the
 * lab's containers (static/health.c) has it, too. */
#ifndef PODWIRE_H2_H
#define PODWIRE_H2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { H2_DATA = 0, H2_HEADERS = 1, H2_RESET = 3, H2_SETTINGS = 4, H2_PING = 6, H2_GOAWAY = 7 };
enum { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4, H2_PADDED = 8 };
#define H2_HEAD 9u

struct h2_frame { uint8_t type, flags; uint32_t stream; const uint8_t *payload; size_t len; };         /* without padding; it lies in what was read. NULL: more padding than frame */
size_t h2_read(const void *bytes, size_t n, struct h2_frame *);         /* how long the frame at the beginning is; 0: not all of it is there */

/* A message, in however many frames it comes: whether it is compressed, its length, its bytes. */
#define GRPC_MOST 4000u                         /* bytes of one */
struct grpc_message { uint8_t bytes[5 + GRPC_MOST]; size_t n; };
bool grpc_add(struct grpc_message *, const uint8_t *payload, size_t len);       /* false: it is longer than that */
bool grpc_whole(const struct grpc_message *);   /* all is there, and it is not compressed */
/* A field of a whole message by its number: a varint, or (bytes) what is that long. → false: the message is none. Not there: 0. The last of several counts. */
struct grpc_field { uint64_t value; const uint8_t *bytes; };
bool grpc_field(const struct grpc_message *, uint64_t number, struct grpc_field *);
size_t grpc_varint(uint64_t value, uint8_t out[10]);    /* how many bytes it takes */

#endif
