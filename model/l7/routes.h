/* The HTTP routing table of one proxy: what Ingress, HTTPRoute and the mesh's routes are compiled into, and what one matcher reads.
 * Hosts, paths, headers in; a decision out: backend, redirect, or the proxy's own answer. Each rule's source stands in docs/semantics-l7.md. */
#ifndef PODWIRE_ROUTES_H
#define PODWIRE_ROUTES_H

#include "model/cluster/cluster.h"
#include "model/l7/cert.h"

struct http_pair { const char *name, *value; };
struct http_request {
	const char *scheme;                     /* http, https */
	const char *sni;                        /* https: the name in the TLS hello */
	const char *host;                       /* Host header as sent; "" if none */
	const char **hosts; uint32_t nr_hosts;  /* Host headers as sent, where the request says any; `host` is the first */
	uint16_t port;                          /* of the connection */
	const char *method, *path;              /* path with query */
	struct http_pair *headers; uint32_t nr_headers;
	ip_addr client;                         /* as the proxy sees it */
	const struct cert *cert;                /* that the client shows if it is asked for one; NULL: it has none */
	struct http_pair *backend_headers; uint32_t nr_backend_headers;        /* what the backend would answer with */
	bool explain;                           /* the decision's `considered` is wanted */
	const char *principal;                  /* mesh: the peer's identity, TRUST-DOMAIN/ns/NS/sa/NAME; NULL: none */
};
/* How long a proxy waits for a backend, and when it asks again (HTTPRouteTimeouts, HTTPRouteRetry; Istio's own in mesh_patience.c). */
struct l7_patience {
	nsec request, attempt;                  /* for all attempts together, for each; 0: none that was said */
	bool retries;                           /* a failed attempt is made again */
	int32_t attempts;                       /* how often, besides the first; 0: not said */
	bool attempts_said;
	nsec backoff;                           /* at least, between two */
	const int *codes; uint32_t nr_codes;    /* statuses that count as failed; a reset and a timeout do, unless istio says otherwise */
	bool istio;                             /* nothing is left open: no timeout is none, and an attempt counts as failed only where it is said */
	bool resets, connects;                  /* istio: a reset or a timeout of one attempt does; a connection that cannot be made does */
	bool behind;                            /* istio: a sidecar stands before the backend, and makes a 503 of a reset */
	nsec pause;                             /* istio: the base of the pauses, which are drawn: from nothing up to ten times this; 0: Envoy's */
	const char *names[2];                   /* of the two timeouts, for sentences; NULL: timeouts.request, timeouts.backendRequest */
};
struct http_backend {                           /* one way a request can go, with its probability */
	uint64_t num, den;
	int status;                             /* 200 from a backend; else the proxy's own answer */
	bool reset;                             /* status 0: the connection is cut off without an answer */
	const struct service *service;          /* NULL: the proxy answers itself */
	int32_t port;                           /* the Service's port number */
	const char *upstream;                   /* NAME:PORT that is dialled by name (ExternalName, ServiceEntry); NULL */
	const pair_list *subset;                /* labels that the endpoints' Pods must have besides; NULL: none */
	bool via_service;                       /* the proxy dials the ClusterIP instead of the endpoints */
	bool as_sent;                           /* a sidecar dials where the connection was going; service: whose that is, or NULL */
	const char *protocol;                   /* to the backend, where it was said: HTTPS, GRPC, …; NULL */
	const struct backend_tls_policy *tls;   /* its certificate is verified as this says; NULL: not */
	const char *location;                   /* of a redirect, a full URL */
	const char *req_path, *req_host; struct http_pair *req_headers; uint32_t nr_req_headers;        /* as the backend sees it */
	struct http_pair *resp_headers; uint32_t nr_resp_headers;                                       /* as the client sees it */
	const char **mirrors; uint32_t nr_mirrors;              /* NS/SERVICE:PORT */
	nsec delay;                             /* injected before the request goes on */
	const struct l7_patience *patience;     /* with a backend that is slow or fails; NULL: nothing was said */
	const char *unknown;                    /* not NULL: cannot tell, because … */
	const char *why;                        /* the rule that decided, and why not the others, one sentence */
	obj_h cause; const char *cause_path;    /* Ingress default/web, spec.rules[0].http.paths[1] */
};
struct http_considered { const char *rule, *why; obj_h cause; };       /* a rule of that host that was not taken, and the first thing that spoke against it */
struct http_decision {
	bool connect;                           /* somebody listens on that port */
	const char *listener;                   /* its name; NULL: the proxy has only one of the kind */
	const char *tls_secret;                 /* NS/NAME; NULL: the controller's own, or no TLS */
	const char *tls_names;                  /* the names in the certificate shown, blank-separated; NULL: not known */
	bool tls_failed; const char *tls_why;   /* no answer at all: the handshake fails; or why the controller's own certificate is shown */
	bool passthrough;                       /* TLS is not ended here */
	bool stream;                            /* the connection is passed on as it is: TLSRoute, TCPRoute */
	bool grpc;                              /* the request is one of gRPC */
	struct http_backend *v; uint32_t nr;
	struct http_considered *considered; uint32_t nr_considered;
};

/* The status that a client of gRPC sees for the proxy's own answer: UNIMPLEMENTED for 404, … */
const char *grpc_status(int http);

struct route_table;                             /* of one controller or gateway; lives in its arena, good until the cluster's next change */
/* `controller`: IngressClass.spec.controller or GatewayClass.spec.controllerName. */
struct route_table *routes_compile_ingress(struct cluster *, const char *controller, struct arena *);
struct route_table *routes_compile_gateway(struct cluster *, const struct gateway *, struct arena *);
/* As Envoy reads several Hosts: one, with commas between. */
const struct http_request *request_hosts_joined(const struct http_request *, struct arena *);
struct http_decision routes_match(const struct route_table *, const struct http_request *, struct arena *);
/* A connection (or datagrams) that is no request: TCPRoute, UDPRoute. connect false: no listener of that kind on that port, what comes is not passed on. */
struct http_decision routes_connection(const struct route_table *, uint16_t port, bool udp, struct arena *);
/* Does this table serve the host (a rule names it, or a wildcard covers it)? For clients that ask outside DNS. host NULL: does it take any host at all? */
bool routes_serve(const struct route_table *, const char *host);
bool routes_listen(const struct route_table *, uint16_t port);
const char *routes_name(const struct route_table *);
/* The effective table, for `podwire routes`: text and JSON alike, with what is wrong in it (rules that never match, conflicts, dangling references). */
void routes_print(const struct route_table *, struct sb *, struct val *json, struct arena *);

/* The ready endpoints of a Service's port: what a proxy dials. In the order (address, port). */
struct http_endpoint { ip_addr ip; uint16_t port; const struct endpoint *ep; };
struct http_endpoint *service_endpoints(struct cluster *, const struct service *, int32_t port, const pair_list *subset, struct arena *, uint32_t *nr);

#endif
