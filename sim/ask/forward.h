/* A request at a proxy, and behind it (forward.c); request.c brings it there. Parts of request_ask alone. */
#ifndef PODWIRE_FORWARD_H
#define PODWIRE_FORWARD_H

#include "sim/ask/answers.h"
#include "sim/ask/proxies.h"
#include "sim/ask/request.h"
#include "sim/ask/sidecar.h"

/* One request_ask: outcomes go to out. */
struct asking {
	struct world *w;
	struct cluster *c;
	const struct question *q;
	const struct end *to;
	struct arena *a;
	struct answer *out;
	struct err *err;
	bool v6;
	bool name_unknown;                      /* what its name resolves to cannot be told */
	const struct cert *cert;                /* the client's; NULL: none */
	const struct route_table *meant;        /* --resolve named a gateway: its table, where one Pod serves several */
};
/* The first connection has come to a proxy: a controller's Pod, or the sender's own sidecar. */
struct way {
	const struct outcome_view *first;
	netns_h from;                           /* where the proxy dials */
	const struct pod *pod;                  /* whose identity it has */
	const struct route_table *table;        /* NULL: no proxy; the server itself took it */
	const struct http_request *rq;
	bool sidecar;                           /* it dials as the sidecar of its Pod */
	bool envoy;                             /* its answers to failures are Envoy's */
	bool stream;                            /* it passes on what it does not read */
	const struct tuple *sent;               /* a sidecar: what it took, as it was sent */
	uint32_t depth;                         /* proxies before it */
};

/* ---- request.c: the question as a request on a connection that came to `port` */
struct http_request request_of(struct asking *, const struct outcome_view *first, uint16_t port);

/* ---- forward.c, forward_answers.c */
/* A connection that came to a Pod: what the Pod's sidecar makes of it (r), and which proxy the Pod is. */
struct arriving { const struct outcome *walk; struct sender sender; const struct service *service; const struct http_request *rq; /* NULL: it cannot be read */ struct received r; };
struct proxy forward_arrives(struct asking *, const struct pod *, struct arriving *, const struct route_table *meant);
/* What a table decided for it: the proxy's own answer, or the ways to its backends. */
void forward_decided(struct asking *, const struct way *, const struct http_decision *);
/* The receiver's sidecar, if there is one, has the last word on the connection `second`. true: it answered instead of the application, and v, h say so. */
bool forward_received(struct asking *, const struct way *, const struct http_backend *, const struct outcome *second, struct outcome_view *v, struct http_view *h);
/* What the server answers that the request has come to (end), and what the proxy before it makes of that: timeouts, retries. h and v hold a 200 at once. */
void forward_answers(struct asking *, const struct way *, const struct http_decision *, const struct http_backend *, const struct outcome_view *end, struct outcome_view *v, struct http_view *h);
/* Does the proxy refuse the certificate that the server could show? true: v and h say what becomes of the request. */
bool forward_untrusted(struct asking *, const struct way *, const struct http_decision *, const struct http_backend *, const struct outcome_view *end, struct outcome_view *v, struct http_view *h);
/* The request as a proxy has changed it; one that is not read stays as it was. */
struct http_request forward_passed_on(const struct way *, const struct http_backend *);
/* What the client sees of an answer with that status; and of the backend that gave it. */
struct http_view *forward_view(struct asking *, const struct http_decision *, const struct http_backend *, int status);
void forward_backend(struct asking *, struct http_view *, const struct http_backend *);

#endif
