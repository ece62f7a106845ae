/* Among the mesh's compilers: what VirtualServices and DestinationRules have in common for sidecars and gateways. */
#ifndef PODWIRE_MESH_ROUTES_H
#define PODWIRE_MESH_ROUTES_H

#include "model/l7/planes.h"

/* ---- what a sidecar knows (mesh_scope.c) */
/* The protocol of a port, as its appProtocol or name says; AUTO: Envoy looks whether what comes is HTTP. */
enum mesh_speaks { MESH_AUTO, MESH_HTTP, MESH_TCP, MESH_TLS, MESH_UDP };
enum mesh_speaks mesh_speaks(const struct svc_port *);
const struct svc_port *mesh_port(const struct service *, int32_t port);  /* of TCP; NULL: it has none of that number */

/* The Sidecar of a Pod, or of the mesh; without one everything that is exported to the Pod's namespace is seen. */
struct mesh_scope {
	struct cluster *c;
	str ns;                                 /* of the Pod; NULL: everything is seen */
	const struct raw_object *sidecar;       /* NULL: none */
	bool any;                               /* what the mesh does not know may go out (ALLOW_ANY) */
	const char *unknown;                    /* it asks for something that is not modelled; NULL */
};
struct mesh_scope mesh_scope(struct cluster *, const struct pod *, struct arena *);
bool mesh_sees(const struct mesh_scope *, const struct service *, const char *fqdn);
bool mesh_sees_routes(const struct mesh_scope *, const struct raw_object *vs, struct arena *);

/* ServiceEntries that have a port of that number: from *at on, which is moved behind the one found. */
struct mesh_entry { const struct raw_object *o; const struct val *port; enum mesh_speaks speaks; };
bool mesh_entry_next(const struct mesh_scope *, int32_t port, uint32_t *at, struct mesh_entry *);
const char *mesh_entry_host(const struct mesh_scope *, const struct mesh_entry *, const char *name);
bool mesh_entry_visible(const struct mesh_scope *, const struct mesh_entry *);
bool mesh_entry_has(const struct mesh_entry *, ip_addr);        /* among its addresses */
void mesh_entry_ref(const struct mesh_entry *, const char *name, struct arena *, struct l7_ref *, const char **unknown);

struct mesh_compile {
	struct route_table *t;
	struct cluster *c;
	struct arena *a;
	struct mesh_client who;
	uint32_t group;
	int32_t port;                           /* of the connection; 0: any */
	const struct mesh_scope *scope;         /* NULL: a gateway's, which sees everything */
};

/* ---- mesh_destination.c */
const char *mesh_fqdn(struct cluster *, const char *host, str ns, struct arena *);
const struct service *mesh_service(struct cluster *, const char *fqdn);         /* NULL: not a Service of this cluster */
bool mesh_exported(const struct object *, const struct val *spec, str to);      /* exportTo: absent or "*" is everywhere, "." its own namespace */
const struct raw_object *mesh_destination_rule(struct cluster *, str client_ns, const char *fqdn, struct arena *);
struct l7_ref mesh_ref(struct mesh_compile *, const struct val *destination, str ns, const char **unknown /* why it cannot be told; left alone */);
const pair_list *mesh_labels(struct mesh_compile *, const struct val *map);     /* { NAME: VALUE } */

/* ---- mesh_routes.c */
bool mesh_add_virtual_service(struct mesh_compile *, const char *vhost, const struct raw_object *);      /* false: none of its routes is for this client and port */
/* The http routes of a VirtualService, those of its delegates (mesh_delegate.c) in the place of what delegates to them. */
struct mesh_http { const struct val *http; const struct raw_object *vs; const char *at; bool merged /* its matches are not as written */; };
struct mesh_http *mesh_http_routes(struct mesh_compile *, const struct raw_object *vs, uint32_t *nr);
bool mesh_catches_all(const struct l7_route *);         /* whatever is asked (route.go IsCatchAllRoute) */
/* Of match: what is known before anything is sent: who asks, on which port, through which gateway. */
bool mesh_applies(struct mesh_compile *, const struct raw_object *vs, const struct val *match);

/* ---- mesh_patience.c: of a VirtualService's route (NULL: nothing is said), and of a rule of the Gateway API's routes */
const struct l7_patience *mesh_patience(const struct val *http, struct arena *);
const struct l7_patience *mesh_patience_of_route(const struct l7_patience *said, struct arena *);

/* ---- mesh_streams.c: tls and tcp routes, for connections that are not read */
const struct l7_action *mesh_stream_action(struct mesh_compile *, const struct raw_object *vs, const struct val *routes, const char *at);
/* The route of VirtualService vs for a connection to dst (NULL: not asked) with that name in its hello (NULL: no TLS): the one route of the table's group. false: none. */
bool mesh_add_stream(struct mesh_compile *, const struct raw_object *vs, const char *sni, const ip_addr *dst);
bool mesh_gateway_listed(const struct mesh_compile *, const struct raw_object *vs, const struct val *gateways);

#endif
