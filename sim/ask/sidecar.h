/* Sidecars on a connection's way: the sender's, which takes what leaves its Pod, and the receiver's, which takes what comes in, asks its policies and hands on
 * to the application over loopback. Who takes a connection is decided by the rules in the Pod's namespace, not here. */
#ifndef PODWIRE_SIDECAR_H
#define PODWIRE_SIDECAR_H

#include "model/l7/mesh.h"
#include "sim/ask/question.h"

/* Did the connection, sent by that Pod (NULL: none) in its namespace, end at its own sidecar? */
bool sidecar_took(const struct pod *, netns_h, const struct outcome *);
/* A connection from a sidecar, as its user: not redirected again. */
struct trace sidecar_dials(struct world *, netns_h from, ip_addr src, ip_addr dst, uint16_t port, unsigned flags, struct arena *);

/* What the receiving sidecar does with a connection that came to its inbound port. */
struct received {
	bool captured;                          /* false: no sidecar took it, the rest is empty */
	enum verdict verdict;                   /* rejected: the connection is reset; unknown */
	int status;                             /* 200: handed on to the application; else the sidecar's own answer */
	const char *why;                        /* the reason of all that is not 200 */
	const struct outcome *local;            /* to the application, for 200 and for 503 */
	uint16_t port;                          /* of the application */
	bool http;                              /* what came was read as requests */
};
/* Who dials. A proxy that speaks for its Pod (a sidecar, a gateway) has the Pod's identity; what passes it by has none. */
struct sender { const struct pod *pod; /* NULL: no Pod */ bool proxy; };
/* service: by which it was meant, or NULL: then a sidecar passes it on as it is; rq NULL: not HTTP. */
struct received sidecar_receives(struct world *, const struct outcome *, struct sender, const struct service *, const struct http_request *rq, unsigned flags, struct arena *);
/* The last part of a connection that is not a request: what the receiver's sidecar does, if there is one. `v` is the outcome so far, `o` the walk that came to the
 * receiver. */
void sidecar_deliver(struct world *, const struct question *, struct answer *, struct outcome_view v, const struct outcome *o, struct sender, const struct service *, struct arena *);

#endif
