/* Does the kernel have what the dataplane says, and do real connections end as the walk says? */
#ifndef PODWIRE_VERIFY_H
#define PODWIRE_VERIFY_H

#include "sim/ask/question.h"
#include "sim/linux/nftrace.h"
#include "sim/trace/trace.h"

struct verify_options { uint32_t sample /* 0: all pairs */, tries; uint64_t seed; bool list; /* each request, in words */ };

/* A way that a connection may end: walked or seen. */
struct way { enum dial_end end; ip_addr at, seen; uint16_t port; bool has_port, far; /* far: decided by another namespace than the sender's */ };
struct difference {
	const char *what;               /* "links of node/worker-1", or "pod/default/near to svc/web:80 (10.96.0.3:80/TCP)" */
	const char *walk, *kernel;      /* one line each */
	struct walk_from from; bool is_connection;      /* to be asked again, hop by hop */
	const struct space *space;
};
/* What was asked of one kind, and the first reason for what was not. */
struct verify_part { uint32_t asked, tries, agreed, not_asked; const char *why_not; double ms; };
struct verified {
	uint32_t namespaces, items, rulesets;           /* read back and compared */
	uint32_t state_differs;                         /* of the differences */
	uint32_t by_plugins;                            /* Pods that CNI plugins have wired */
	double state_ms;
	struct verify_part connections, requests, names, probes;
	VEC(struct difference) differences;
	VEC(const char *) request_list;                 /* where it was wanted */
};
void verify_not_asked(struct verify_part *, const char *why);           /* why lives as long as what was verified */
/* false: it could not be done (err). Texts live in the arena. */
bool verify_state(struct live *, const struct dataplane *, struct arena *, struct verified *, struct err *);
bool verify_connections(struct live *, struct world *, const struct verify_options *, struct arena *, struct verified *, struct err *);
/* The connection of an answer that the model has given. ERR_UNKNOWN in err: the kernel cannot be asked that. */
bool verify_answer(struct live *, struct world *, const struct answer *, const struct verify_options *, struct arena *, struct verified *, struct err *);
/* The same connection once, with the kernel's trace of it. */
bool verify_trace(struct live *, struct world *, const struct answer *, struct arena *, struct dial *, struct nftrace *, struct err *);

/* HTTP requests to the proxies of the lab (http_cases.c says which): status, who answered, what it saw of the request and of the client, Location, certificate. */
bool verify_requests(struct live *, struct world *, const struct verify_options *, struct arena *, struct verified *, struct err *);
/* The request of an answer that the model has given. */
bool verify_request(struct live *, struct world *, const struct answer *, const struct verify_options *, struct arena *, struct verified *, struct err *);
/* The same request once, with the kernel's trace of its connections: the client's, and those that proxies make for it. */
struct http_dial;
bool verify_request_trace(struct live *, struct world *, const struct answer *, struct arena *, struct http_dial *, struct nftrace *, struct err *);
bool verify_give_address(struct live *, const struct space *, ip_addr, struct err *);        /* so that a socket there can have it */

struct space *verify_sender(const struct live *, const struct world *, const struct answer *);     /* whose socket asks; NULL: the source has no namespaces here */
const char *verify_cannot_ask(const struct dataplane *, const struct answer *);                    /* why no connection is made for it; NULL: one can be */
bool verify_lossy(const struct dataplane *);            /* links lose some of their packets: what chance decides cannot be seen to its end */
#define VERIFY_MISSES   18.0            /* −ln of the chance that a way is there and was not seen */
#define VERIFY_PATIENCE SECONDS(4)      /* with what was not as expected: a slow machine is no difference */

/* One question to both: all ways that the walk allows. */
struct ways { struct way *v; uint32_t nr; double least; /* the smallest share of those that can be seen */ bool unknown; const char *why; };
struct ways ways_of(const struct dataplane *, netns_h from, const struct trace *, struct arena *);
bool way_fits(const struct way *, const struct dial *);
const char *ways_text(const struct ways *, struct arena *);
const char *dial_text(const struct dial *, struct arena *);

#endif
