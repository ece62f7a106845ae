/* Gateways as their controller sees them: which listeners are good, which routes are attached to which of them, which references hold. The routing
 * table and the statuses are both made from this. Source: kubernetes-sigs/gateway-api apis/v1/{gateway,listenerset,httproute,grpcroute,shared,referencegrant}_types.go. */
#ifndef PODWIRE_GATEWAY_H
#define PODWIRE_GATEWAY_H

#include "model/l7/table.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

/* One condition's answer: true or false, and why. */
struct gw_says { bool yes; const char *reason, *message; };

struct gw_listener_state {
	const struct gw_listener *spec;
	const struct object *owner;             /* the Gateway, or a ListenerSet */
	uint32_t index;                         /* in the owner's spec.listeners */
	enum l7_proto proto;
	bool refused;                           /* it stands in no other's way */
	struct gw_says accepted, conflicted, resolved, programmed;
	struct gw_says overlapping;             /* its TLS with that of another listener; yes false: it is not said */
	const struct route_kind *kinds; uint32_t nr_kinds;      /* status.listeners[].supportedKinds */
	const struct l7_cert *certs; uint32_t nr_certs;
	bool client_certificates;               /* a client without one is not let in */
	const char *client_ca;                  /* the good bundles, as PEM; NULL: none */
	uint32_t attached;
};
struct gw_attachment {                          /* of one parentRef to one Gateway */
	const struct gw_route *route;
	const struct parent_ref *parent;
	uint32_t parent_index;
	struct gw_says accepted;
	bool *on;                               /* for each listener of the state: attached to it */
};
struct gw_set_state {
	const struct listener_set *set;
	bool allowed;
	struct gw_says accepted, programmed;
	uint32_t first, nr;                     /* its listeners among the state's; none where it is not allowed */
};
struct gw_state {
	const struct gateway *gw;
	const char *controller;                 /* of its class; NULL: the class is not there */
	struct gw_says accepted;
	struct gw_listener_state *listeners; uint32_t nr;
	uint32_t nr_own;                        /* the first of them are the Gateway's own */
	struct gw_set_state *sets; uint32_t nr_sets, attached_sets;     /* that name it as parent, the oldest first; how many of them are accepted */
	struct gw_attachment *routes; uint32_t nr_routes;       /* in the order of the routes: kind, namespace, name, parentRef */
};
struct gw_state gateway_state(struct cluster *, const struct gateway *, struct arena *);
bool gw_attaches(const struct gw_state *, uint32_t attachment, uint32_t listener);       /* the first parentRef of its route that is attached to that listener */
const struct gateway *parent_gateway(struct cluster *, const struct gw_route *, const struct parent_ref *);    /* NULL: it names none that is there */
const char *gateway_controller_name(struct cluster *, const struct gateway *);       /* controllerName of its class; NULL */
/* A parametersRef: is its object there? ns: where it is looked for; *known: objects of such a kind can be. */
bool gateway_parameters(struct cluster *, str ns, const struct val *ref, bool *known);
bool gateway_service_parent(const struct parent_ref *);      /* a Service is meant: the route is for the mesh (GEP-1324) */
/* ResolvedRefs of a route: of all its backends and mirrors, the first that does not hold. mesh: as one of a Service, which needs no grants (istio conversion.go enforceRefGrant). */
struct gw_says route_references(struct cluster *, const struct gw_route *, bool mesh, struct arena *);
/* One reference to a Service from a route: resolved, or with a status (500; gRPC: 503) and why. *reason (may be NULL): of the condition. */
struct l7_ref gateway_ref(struct cluster *, const struct gw_route *, bool mesh, const char *group, const char *kind, str ns, str name, struct opt_int port, struct arena *, const char **reason);
bool gateway_lets_anyone_in(const struct gateway *);     /* certificates of clients are asked for somewhere, and not insisted on */
/* ResolvedRefs of the Gateway itself: its own certificate towards backends. false: it names none. */
bool gateway_client_certificate(struct cluster *, const struct gateway *, struct arena *, struct gw_says *);
/* BackendTLSPolicy: the one that is for that port of a Service (NULL: none), and what it is worth. */
struct gw_policy_says { struct gw_says accepted, resolved; };
const struct backend_tls_policy *backend_tls_policy(struct cluster *, const struct service *, int32_t port);
struct gw_policy_says backend_tls_judge(struct cluster *, const struct backend_tls_policy *, struct arena *);
/* Why it would not take this certificate of a backend; NULL: it would. */
const char *backend_tls_refuses(struct cluster *, const struct backend_tls_policy *, const struct cert *, struct arena *);
/* The routes of a Service as parent, for a client of that namespace; false: there are none. of: which kinds, ends with NULL. */
bool gateway_add_service_routes(struct route_table *, uint32_t group, const struct service *, int32_t port, str client_ns, const struct kind *const *of);
/* ReferenceGrant: may `from` refer to that object in another namespace? */
bool grant_allows(struct cluster *, const char *from_group, const char *from_kind, str from_ns, str to_ns, const char *to_group, const char *to_kind, const char *to_name);
/* Hostnames that a route serves on a listener: the intersection of both lists. Empty where there is none. */
struct host_set { const char **v; uint32_t nr; };
struct host_set hosts_intersect(const char *listener, const str_list *route, struct arena *);

#endif
