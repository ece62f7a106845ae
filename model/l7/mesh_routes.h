/* Among the mesh's compilers: what VirtualServices and DestinationRules have in common for sidecars and gateways. */
#ifndef PODWIRE_MESH_ROUTES_H
#define PODWIRE_MESH_ROUTES_H

#include "model/l7/mesh.h"

struct mesh_compile {
	struct route_table *t;
	struct cluster *c;
	struct arena *a;
	struct mesh_client who;
	uint32_t group;
	int32_t port;                           /* of the connection; 0: any */
};
const char *mesh_fqdn(struct cluster *, const char *host, str ns, struct arena *);
const struct service *mesh_service(struct cluster *, const char *fqdn);         /* NULL: not a Service of this cluster */
bool mesh_exported(const struct object *, const struct val *spec, str to);      /* exportTo: absent or "*" is everywhere, "." its own namespace */
bool mesh_outside(struct cluster *, const char *host);                          /* ServiceEntry: a name outside that the mesh knows */
bool mesh_has_port(const struct service *, int32_t port);
const struct raw_object *mesh_destination_rule(struct cluster *, str client_ns, const char *fqdn, struct arena *);
struct l7_ref mesh_ref(struct mesh_compile *, const struct val *destination, str ns);
void mesh_add_virtual_service(struct mesh_compile *, const char *vhost, const struct raw_object *);
bool mesh_gateway_listed(const struct mesh_compile *, const struct raw_object *vs, const struct val *gateways);

#endif
