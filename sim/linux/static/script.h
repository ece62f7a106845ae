/* Probes that are scripted to fail now: lines of KIND PORT WHAT in LOG.fails; WHAT is the path, gRPC's service, or SCRIPT_TCP. A probe of podwire's says which one it is,
 * in a header, or, as a connection says nothing, in its packets' traffic class; other requests are not concerned. */
#ifndef PODWIRE_SCRIPT_H
#define PODWIRE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_TCP "tcp"
#define SCRIPT_LINE 4096
/* Of the n-th kind, from 0: code points for local use (RFC 2474), in the place of a traffic class. */
#define SCRIPT_TOS(n) ((uint8_t)((n) << 4 | 12))
static const char *const script_kinds[] = { "startup", "readiness", "liveness" };

/* asked: what the request says of itself, perhaps with more behind it; NULL: nothing. */
bool script_fails(const char *log, uint16_t port, const char *asked, const char *what, size_t what_len);
/* A socket that listens at the port: the first packets of TCP probes that are to fail are not for it; all others are. */
void script_refuse(const char *log, int fd, uint16_t port);

#endif
