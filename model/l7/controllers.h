/* Who serves Ingresses and Gateways in this cluster: controllers that --controller gave (real objects in namespace podwire-system) and those that the
 * manifests bring, known by the images and arguments of their Pods. */
#ifndef PODWIRE_L7_CONTROLLERS_H
#define PODWIRE_L7_CONTROLLERS_H

#include "model/cluster/cluster.h"

#define CONTROLLER_NS "podwire-system"
#define CONTROLLER_ANNOTATION "podwire.io/controller"   /* on workload and Service: which controller's data plane this is */
#define GATEWAY_NAME_LABEL "gateway.networking.k8s.io/gateway-name"
#define GATEWAY_ANNOTATION "podwire.io/gateway"         /* NS/NAME: of that Gateway */

struct l7_controller {
	str name;                               /* k8s.io/ingress-nginx */
	const char *product;                    /* ingress-nginx, Traefik, …; "podwire" for those of --controller */
	const struct object *workload;          /* Deployment, DaemonSet, StatefulSet; a ReplicaSet or Pod that nothing controls */
	const pair_list *labels;                /* of its Pods */
	const struct service *service;          /* by which the world reaches it; NULL: none was found */
	str annotation;                         /* the value of kubernetes.io/ingress.class that it takes besides class names; NULL: none */
	bool classless;                         /* takes Ingresses without a class */
	bool gateways;                          /* serves Gateways */
	char place;                             /* where a Gateway's data plane stands: 'c' in the controller's namespace, 'g' in the Gateway's, 's' shared by all */
	str publish;                            /* an address or name that it was told to write into statuses; NULL: its Service's */
	bool host_network;
	bool nginx;                             /* ingress-nginx: its annotations count */
	str image;                              /* of its container; NULL: not known (--controller) */
	str validation;                         /* --enable-annotation-validation, or NULL */
	str default_cert;                       /* NS/NAME, or NULL */
	str config;                             /* NS/NAME of its ConfigMap, or NULL */
	str fallback;                           /* NS/NAME of the Service that takes what nothing matches, or NULL */
};
/* All of them, --controller first, then by kind, namespace and name. The list lives in the arena; good until the cluster's next change. */
const struct l7_controller *controllers_list(struct cluster *, struct arena *, uint32_t *nr);
bool controller_has(const struct object *workload, const struct pod *);         /* is the Pod one of the workload's, or it itself? */
const struct l7_controller *controller_find(struct cluster *, const char *name, struct arena *);       /* NULL: no such controller runs */
bool controller_workload(const struct object *);        /* might it be one, or its data plane? For telling changes that matter */
/* Addresses as a status shows them: of the Service's load balancer; else what it was told to publish; else its nodes'. None while it has no ready Pod. */
struct lb_list { struct lb_ingress *v; uint32_t nr; };
struct lb_list controller_addresses(struct cluster *, const struct l7_controller *, struct arena *);
/* Makes the objects of --controller NAME, unless they are there. */
bool controllers_install(struct cluster *, struct err *);
/* A Gateway's data plane: its own Service in most products, the controller's own in some. NULL: none (yet). */
const struct service *gateway_service(struct cluster *, const struct gateway *, const struct l7_controller *);
/* Makes or changes a Gateway's data plane so that its Service has the listeners' ports. */
bool gateway_install(struct cluster *, const struct gateway *, const struct l7_controller *, struct err *);
void gateway_uninstall(struct cluster *, const char *ns, const char *name);     /* of a Gateway that is gone */

#endif
