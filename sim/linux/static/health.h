/* The gRPC health service (grpc.health.v1.Health/Check) in as much HTTP/2 as that takes (RFC 9113, RFC 7541): a request has one message, an answer one. The server's half; the
 * other is sim/linux/grpc_dial.c. */
#ifndef PODWIRE_HEALTH_H
#define PODWIRE_HEALTH_H

#include "sim/linux/h2.h"

#define HEALTH_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define HEALTH_PROBE   "podwire-probe"          /* a header that says which probe asks */

struct health { uint32_t stream; bool greeted; char probe[16]; /* "": no probe of podwire's */ struct grpc_message message; struct grpc_field service; /* once asked: its length, and the name, until the next is read */ };
enum health_event { HEALTH_MORE, HEALTH_ASKED, HEALTH_OVER };
/* What came so far: *used bytes of it are done with. HEALTH_ASKED: answer it; then go on with the rest. */
enum health_event health_read(struct health *, int fd, const char *bytes, size_t n, size_t *used);
bool health_answer(const struct health *, int fd, bool serving);

#endif
