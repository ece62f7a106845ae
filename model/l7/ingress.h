/* Ingress: whose class it is, who serves it, and its parts as a routing table has them. Source: Kubernetes 1.36 staging/src/k8s.io/api/networking/v1/types.go. */
#ifndef PODWIRE_INGRESS_H
#define PODWIRE_INGRESS_H

#include "model/l7/table.h"

#define INGRESS_NGINX "k8s.io/ingress-nginx"

/* The default class: of those marked, the newest, of equally new ones the first by name (plugin/pkg/admission/network/defaultingressclass
 * getDefaultClass). NULL: none is marked. */
const struct ingress_class *ingress_default_class(struct cluster *);
/* Admission of a new Ingress: without a class and without the old annotation it gets the default class (Admit). On creation only. */
void ingress_admit(struct cluster *, struct ingress *);
str ingress_class_name(const struct ingress *);         /* spec.ingressClassName, else the annotation kubernetes.io/ingress.class; NULL: none */
/* Would the controller of that name take this Ingress? *why (may be NULL): why not, in the arena. */
bool ingress_taken(struct cluster *, const struct ingress *, const char *controller, struct arena *, const char **why);

struct served { const struct ingress **v; uint32_t nr; };
/* Those that the controller takes, the oldest first, then by namespace and name. */
struct served ingresses_served(struct cluster *, const char *controller, struct arena *);

struct l7_ref ingress_ref(struct cluster *, str ns, const struct ing_backend *, struct arena *);
/* Certificates of spec.tls for a listener; what is wrong with them becomes findings. */
void ingress_certs(struct route_table *, uint32_t listener, const struct served *);
/* ingress-nginx: its own order of locations, and its annotations (nginx.c). */
struct l7_controller;
/* Those that it reads: an Ingress with an annotation's value that it does not take, or too risky for its ConfigMap, is left out, and a finding says so. */
struct served nginx_reads(struct route_table *, const struct served *, const struct l7_controller *);
void nginx_compile(struct route_table *, uint32_t group, const struct served *, const struct l7_controller *);        /* NULL: with its defaults */

#endif
