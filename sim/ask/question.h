/* A question as people ask it, and its answer: ends by name in, outcomes out. It resolves the ends, sends the packet (or makes the request), and says of each
 * outcome what the walk alone cannot: whose address that is. Printing is viz/report/trace_report.h's. */
#ifndef PODWIRE_QUESTION_H
#define PODWIRE_QUESTION_H

#include "model/l7/routes.h"
#include "sim/ask/end.h"
#include "sim/engine/world.h"
#include "sim/reachability/reach.h"

struct question {
	const char *from, *to;                  /* ends, as text */
	const char *ns;                         /* of ends without one */
	enum l4 l4; uint8_t proto;              /* L4_NONE: icmp */
	bool v4, v6;                            /* neither: the family of the first address */
	const char *container;
	uint32_t size; bool df;                 /* payload bytes */
	unsigned flags;                         /* WALK_… */
	const char *method, *resolve;           /* HTTP */
	struct http_pair *headers; uint32_t nr_headers;
	struct http_pair *backend_headers; uint32_t nr_backend_headers;
	const char *cert;                       /* of the client: [NS/]SECRET; NULL: none */
	const char *backend_answers;            /* how the backend takes it (answers.h); NULL: as its Pod does */
	const char *keep;                       /* one outcome is drawn, and the connection stays open under this name; NULL: no */
	const char *connection;                 /* another packet on the connection of that name (from, to: as it has them); NULL: a new one */
};
void question_header(struct question *, struct arena *, const char *name, const char *value);
void question_backend_header(struct question *, struct arena *, const char *name, const char *value);

/* The HTTP part of an outcome; see cli.md. */
struct http_view {
	int status;
	const char *backend;                    /* NS/SERVICE:PORT; NULL: the proxy answered */
	const char *location, *upstream, *tls_secret;
	const char *req_path, *req_host; struct http_pair *req_headers; uint32_t nr_req_headers;
	struct http_pair *resp_headers; uint32_t nr_resp_headers;
	const char **mirrors; uint32_t nr_mirrors;
	const char *why;
	const char *grpc;                       /* the status of gRPC that the client sees in the proxy's own answer; NULL: no gRPC, or the backend answered */
	const char *listener;                   /* the Gateway's; NULL: none */
	const char *tls_names;                  /* in the certificate shown, blank-separated; NULL: not known */
	const char *tls_why;                    /* why the certificate is not the one that was meant; NULL */
	nsec delay;                             /* injected by the proxy */
	bool scripted;                          /* something says what the server answers: a real one in the namespaces does not */
	const struct http_considered *considered; uint32_t nr_considered;       /* with WALK_CONSIDERED: rules that were not taken, and why */
};

#define MOST_BETWEEN 4
struct outcome_view {
	struct frac p;
	enum verdict verdict;
	bool answered, assumed, masqueraded;
	const char *reason;
	const struct outcome *walk;             /* the packet to the first listener */
	const struct outcome *between[MOST_BETWEEN]; uint32_t nr_between;       /* from one proxy to the next, where several stand in a row (a Pod's own sidecar is one) */
	const struct outcome *second;           /* (the last) proxy to backend, where a proxy stands between; NULL: none */
	const struct outcome *third;            /* the receiving sidecar to its application, over loopback; NULL: none */
	const struct http_view *http;           /* NULL: no request was made */
	/* who took it, where it ended */
	ip_addr end_ip; uint16_t end_port;
	const struct pod *pod; const char *container, *node;
	cause_h cause;
};
struct answer {
	const struct question *q;
	struct source source;
	struct end to;
	ip_addr target; uint16_t port;          /* the first address that was asked */
	struct outcome_view *v; uint32_t nr;    /* at least one */
};
struct outcome_view *answer_push(struct answer *, struct arena *);       /* one outcome more, for the caller to fill in */
/* false: an end does not exist, or cannot be asked; err says so. The answer lives in the arena. */
/* Fills in the ends and the protocol of a connection that is kept open; false: there is none of that name. */
bool question_connection(struct world *, const char *name, struct question *, struct err *);
bool question_ask(struct world *, const struct question *, struct arena *, struct answer *out, struct err *);

/* What a walk alone does not say: whose socket it ended at. The share multiplies its probability. */
struct outcome_view outcome_view_of(struct world *, const struct outcome *, struct frac share);
/* Why a policy's chain let it not pass; false: none was it that dropped it. */
struct denial { struct reach_why why; const char *from, *to; const struct pod *pod[2]; /* from, to; NULL: none */ uint8_t proto; uint16_t port; };
bool outcome_policies(struct world *, const struct outcome_view *, struct arena *, struct denial *out);
/* Of connections in a row (walk, second, third) the one that came to end_ip; NULL: none was made. A proxy whose backend did not answer is itself the end. */
const struct outcome *outcome_last(const struct outcome_view *);
/* Of a connection that a proxy makes, and the view of it: "web-1 was refused: nobody listens there". */
const char *outcome_failed(const struct outcome *, const struct outcome_view *, struct arena *);

#endif
