/* A sidecar mesh like Istio: which Pods have a sidecar, what its routes and policies say. Only the sidecar mode is modelled; a Pod in ambient mode makes
 * answers unknown. Source: istio/istio pkg/kube/inject, tools/istio-iptables, pilot/pkg/networking, pilot/pkg/security; istio/api networking and security. */
#ifndef PODWIRE_MESH_H
#define PODWIRE_MESH_H

#include "model/l7/table.h"

#define MESH_OUTBOUND 15001
#define MESH_INBOUND 15006
#define MESH_UID 1337
#define MESH_ROOT_NS "istio-system"      /* what stands there is for the whole mesh */
#define MESH_CONTROLLER "istio.io/gateway-controller"   /* in the status of routes whose parent is a Service, too */

/* Does a control plane run that injects (istiod, or one that --controller istio.io/… gave)? */
bool mesh_present(struct cluster *);
/* The webhook's part in the admission of a new Pod: would it add a sidecar, and adding it (to a copy of the spec, which Pods of one template may share). */
bool mesh_injects(struct cluster *, const struct pod *);
bool mesh_asked(struct cluster *, const struct pod *);          /* its half that only the Pod's namespace, labels and annotations say */
void mesh_inject(struct cluster *, struct pod *);
const struct container *mesh_sidecar(const struct pod_spec *);          /* istio-proxy; NULL: none */
const char *mesh_ambient(struct cluster *, const struct pod *);         /* why the mesh's part cannot be told; NULL: not in ambient mode */

/* An object that changes what this Pod's sidecar does in ways that are not modelled (EnvoyFilter, some Sidecars); NULL: none. */
const char *mesh_unmodelled(struct cluster *, const struct pod *, struct arena *);

/* What the init container was told to redirect (its arguments; "" for one without). */
struct mesh_capture {
	bool set;                               /* there is an init container that writes rules */
	uint16_t outbound, inbound;
	uint32_t uid, gid;
	const char *include_ranges, *exclude_ranges, *include_inbound, *exclude_inbound, *include_outbound, *exclude_outbound, *exclude_interfaces;
	const char *unknown;                    /* it asks for something that is not modelled */
};
struct mesh_capture mesh_capture(const struct pod_spec *);
/* The redirect rules in a Pod's own ruleset, as istio-iptables writes them. */
struct ruleset;
void mesh_rules(struct ruleset *, const struct mesh_capture *, bool v6, uint32_t cause);

/* ---- routes */
/* Who asks: a Pod with a sidecar, or a gateway (name as VirtualServices write it). */
struct mesh_client { str ns; const pair_list *labels; const char *gateway; };
/* What a client's sidecar does with a connection that it took: a table with one listener on that port. Where the mesh knows nothing of it, its route goes to where it was sent,
 * or lets nothing out. host: of a request; NULL: what comes is not HTTP. sni: the name in the hello; NULL: no TLS. */
struct mesh_dialled { ip_addr dst; uint16_t port; const char *host, *sni; };
struct route_table *routes_compile_sidecar(struct cluster *, const struct pod *client, const struct mesh_dialled *, struct arena *);
/* For requests all of that in one table: a listener for each name of each Service at each of its ports. Names outside (ServiceEntry) are not in it. */
struct route_table *routes_compile_mesh(struct cluster *, const struct pod *client, struct arena *);
/* Istio's Gateways that select these labels (of a gateway's Pods); NULL: none does. service: by which the Pods are reached. */
struct route_table *routes_compile_istio(struct cluster *, const struct pod *gateway, const struct service *, struct arena *);

/* ---- policies */
const char *mesh_principal(struct cluster *, const struct pod *, struct arena *);       /* cluster.local/ns/NS/sa/NAME */
/* trafficPolicy.tls.mode of the DestinationRule that `from` has for a Service; NULL: none says anything. */
const char *mesh_client_tls(struct cluster *, const struct pod *from, const struct service *, struct arena *);
/* Does a connection from `from` (NULL: no mesh) to that port of `to` (0: to no port of which something else is said) carry the sender's identity (mutual TLS)?
 * mode: mesh_client_tls. */
bool mesh_mutual_tls(struct cluster *, const struct pod *from, const struct pod *to, uint16_t port, const char *mode);
struct mesh_verdict { bool allowed; const char *why, *unknown; obj_h cause; };
/* The policies of a kind that are enforced for a Pod: those of its namespace, then those of the root one. */
struct mesh_policies { const struct raw_object **v; uint32_t nr; };
struct mesh_policies mesh_policies(struct cluster *, const struct kind *, const struct pod *to, struct arena *);
const char *mesh_peer_mode(struct cluster *, const struct pod *to, uint16_t port, obj_h *cause);        /* STRICT, PERMISSIVE, DISABLE */
/* PeerAuthentication: may a connection without identity come in? */
struct mesh_verdict mesh_peer_allowed(struct cluster *, const struct pod *to, uint16_t port, bool mutual, struct arena *);
/* AuthorizationPolicy. rq NULL: a connection that is not HTTP. */
struct mesh_source { const char *principal; str ns; ip_addr ip; };
/* Are requests to that port of the Pod read by its sidecar? Not where a Service calls the port TCP or TLS. */
bool mesh_reads_http(struct cluster *, const struct pod *, uint16_t port);
bool mesh_rule_asks_http(const struct val *rule);        /* of an AuthorizationPolicy: does it look at what only HTTP has? */
struct mesh_verdict mesh_authorized(struct cluster *, const struct pod *to, uint16_t port, const struct mesh_source *, const struct http_request *rq, struct arena *);

#endif
