/* Data planes: the Pods through which a controller's or a Gateway's requests pass, the routing table that each of them serves, and the ports at which it does. */
#ifndef PODWIRE_L7_PLANES_H
#define PODWIRE_L7_PLANES_H

#include "model/l7/controllers.h"
#include "model/l7/mesh.h"
#include "model/l7/table.h"

struct l7_port { uint16_t bind, port; };        /* as a socket in the Pod has it; as the table's listener calls it: the port of the Service before it */
struct mesh_peers { const struct pod **v; uint32_t nr; };       /* Pods with a sidecar, one for each identity (mesh_principal) */
struct l7_plane {
	const struct pod *pod;                  /* running */
	const struct route_table *table;
	const struct service *service;          /* by which it is reached; NULL: none */
	const char *target;                     /* how `trace --resolve` names the way in: controller/NAME, gateway/NS/NAME, lb/NS/NAME */
	struct l7_port *ports; uint32_t nr;
	bool envoy;                             /* its answers to failures are Envoy's: 503 */
	const struct mesh_peers *peers;         /* of a sidecar: who may come; all sidecars have the same */
	const struct mesh_capture *sidecar;     /* it is a Pod's own, which takes what the Pod sends and receives; NULL: no. ports are then those that are dialled, bind 0 */
	bool beside;                            /* of a sidecar: its Pod is a data plane itself */
	const char *left_out;                   /* other tables that the same Pods should serve on the same ports; NULL: none */
};
/* In the order of the Pods: namespace, name. Good until the cluster's next change. */
struct l7_plane *planes_list(struct cluster *, struct arena *, uint32_t *nr);

/* The sidecars of a mesh, likewise. *why (may be NULL): why none of them can be real; NULL otherwise. */
struct l7_plane *planes_sidecars(struct cluster *, struct arena *, uint32_t *nr, const char **why);

/* ---- who a Pod is */
const struct gateway *plane_gateway(struct cluster *, const struct pod *);      /* whose own data plane it is; NULL: of none */
bool plane_is_envoy(const struct l7_controller *);                              /* NULL: no */
const struct service *plane_service(struct cluster *, const struct pod *);      /* the first Service that selects it */
/* The port of the Pod behind a port of the Service before it (s NULL, or without that port: the same). */
uint16_t plane_port(const struct service *s, const struct pod *, int64_t port);

#endif
