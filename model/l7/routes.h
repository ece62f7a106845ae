/* The HTTP routing table of one controller: what Ingress, HTTPRoute and the mesh's routes are compiled into, and what one matcher reads.
 * Hosts, paths, headers in; a decision out: backend, redirect, or the proxy's own answer. */
#ifndef PODWIRE_ROUTES_H
#define PODWIRE_ROUTES_H

#include "model/cluster/cluster.h"

struct http_pair { const char *name, *value; };
struct http_request {
	const char *scheme;                     /* http, https */
	const char *sni;                        /* https: the name in the TLS hello */
	const char *host;                       /* Host header, without port; "" if none */
	uint16_t port;                          /* of the connection */
	const char *method, *path;              /* path with query */
	struct http_pair *headers; uint32_t nr_headers;
	ip_addr client;
	struct http_pair *backend_headers; uint32_t nr_backend_headers;        /* what the backend would answer with */
};
struct http_backend {                           /* one way a request can go, with its probability */
	uint32_t num, den;
	int status;                             /* 200 from a backend; else the proxy's own answer */
	const struct service *service;          /* NULL: the proxy answers itself */
	int32_t port;                           /* the Service's port number */
	const char *upstream;                   /* ExternalName: NAME:PORT; NULL */
	const char *location;                   /* of a redirect, a full URL */
	const char *req_path, *req_host; struct http_pair *req_headers; uint32_t nr_req_headers;        /* as the backend sees it */
	struct http_pair *resp_headers; uint32_t nr_resp_headers;                                       /* as the client sees it */
	const char **mirrors; uint32_t nr_mirrors;              /* NS/SERVICE:PORT */
	const char *unknown;                    /* not NULL: cannot tell, because … */
	const char *why;                        /* the rule that decided, and why not the others, one sentence */
	obj_h cause; const char *cause_path;    /* Ingress default/web, spec.rules[0].http.paths[1] */
};
struct http_decision {
	bool connect;                           /* somebody listens on that port */
	const char *tls_secret;                 /* NS/NAME; NULL: the controller's own, or no TLS */
	bool tls_failed; const char *tls_why;
	struct http_backend *v; uint32_t nr;
};

struct route_table;                             /* of one controller or gateway; lives in its arena */
/* `controller`: IngressClass.spec.controller or GatewayClass.spec.controllerName; gateway NULL for Ingress. */
struct route_table *routes_compile_ingress(struct cluster *, const char *controller, struct arena *);
struct route_table *routes_compile_gateway(struct cluster *, const struct gateway *, struct arena *);
struct http_decision routes_match(const struct route_table *, const struct http_request *, struct arena *);
void routes_print(const struct route_table *, struct sb *, struct val *json, struct arena *);          /* the effective table, for `podwire routes` */
/* Status: conditions of Gateway, HTTPRoute, GatewayClass; addresses of Ingress. Run as controllers (model/control/ingress.c, gateway.c). */
void gateway_status(struct cluster *, struct arena *);
void ingress_status(struct cluster *, struct arena *);

#endif
