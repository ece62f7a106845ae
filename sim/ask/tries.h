/* What a proxy makes of a backend that is slow, or fails: how long it waits, and when it asks again. Source: gateway-api apis/v1/httproute_types.go HTTPRouteTimeouts,
 * HTTPRouteRetry; the numbers of one attempt are the question's (what a server answers is no part of the objects). */
#ifndef PODWIRE_TRIES_H
#define PODWIRE_TRIES_H

#include "model/l7/routes.h"

/* One attempt as the backend takes it: its status, and the time until it comes. status 0: the backend resets the connection. */
struct l7_try { int status; nsec after; };

struct l7_tried {
	int status;                             /* what the client gets */
	bool own;                               /* from the proxy itself: the backend has given no answer that could be passed on */
	uint32_t attempts;
	const char *why;                        /* half a sentence, where it is not the first answer that is passed on; NULL */
	const char *unknown;                    /* cannot tell, because …; NULL */
};
/* try[k]: attempt k, the last stands for all that follow; nr >= 1. patience NULL: nothing was said. envoy: a backend that resets is answered with Envoy's status, 503,
 * not 502; so it is where retries are used up (conformance HTTPRouteRetryConnectionError). */
struct l7_tried l7_tried_of(const struct l7_patience *, const struct l7_try *, uint32_t nr, bool envoy, struct arena *);
/* The answer where a backend gives none at all to an attempt to connect (dropped on the way). */
int l7_silent_status(const struct l7_patience *, bool envoy);

#endif
