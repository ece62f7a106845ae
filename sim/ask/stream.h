/* Connections and datagrams through a Gateway's TCP and UDP listeners: from the proxy on to a backend, as TCPRoute and UDPRoute say. */
#ifndef PODWIRE_STREAM_H
#define PODWIRE_STREAM_H

#include "sim/ask/question.h"

/* What becomes of a connection behind its first walk, appended to the answer: a proxy passes it on, or a sidecar takes it, or it ends where it came. */
void stream_follow(struct world *, const struct question *, struct answer *, struct outcome_view first, struct arena *);

/* The same for one that only sidecars touch (it is kept open, and chooses its way anew at each question). */
void sidecar_follow(struct world *, const struct question *, struct answer *, struct outcome_view first, struct arena *);

#endif
