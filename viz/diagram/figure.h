/* Figures: each is a selection from the live objects and a ranking, in a file fig_*.c and a row of figures[]. */
#ifndef PODWIRE_FIGURE_H
#define PODWIRE_FIGURE_H

#include "sim/ask/question.h"
#include "sim/engine/world.h"
#include "viz/diagram/scene.h"

struct figure_options {
	const char *ns; bool all_ns, collapse;  /* ns: shows this namespace only */
	const char *dflt_ns;                    /* of names that have none; NULL: ns, else default */
	const char *focus; uint32_t depth;      /* only what is at most so many steps away from KIND/[NS/]NAME; depth 0: 2 */
	const struct question *ask;             /* trace: how to ask, but for its ends; NULL: TCP, GET */
	uint16_t port; uint8_t proto;           /* matrix; port 0: those that the destination declares */
	/* compare: the second set of manifests. */
	bool (*load)(void *ctx, const char *path, struct world *, struct err *); void *ctx;
};

struct figure {
	const char *name;               /* "clusterip"; "node/" takes a name behind it; "trace" takes two ends */
	const char *args, *help;
	/* rest: what stands behind name ("worker-1"), or NULL; args: further words. false: err. */
	bool (*fill)(struct world *, const struct figure_options *, const char *rest, const char *const *args, uint32_t nr, struct scene *, struct err *);
};
extern const struct figure figures[];   /* ends with name NULL */

/* Finds the figure and fills the scene, whose arena is set. */
bool figure_fill(struct world *, const struct figure_options *, const char *what, const char *const *args, uint32_t nr, struct scene *, struct err *);
void figure_names(struct sb *);                 /* "cluster, clusterip, …, trace FROM TO" */

/* ---- for figures (parts.c): boxes that several of them draw alike */
box_h part_pod(struct scene *, box_h parent, struct cluster *, const struct pod *, bool containers);
box_h part_service(struct scene *, box_h parent, struct cluster *, const struct service *);
box_h part_services(struct scene *, box_h *plate);                       /* what they stand in; plate: says what they are, beside them */
box_h part_node(struct scene *, box_h parent, struct cluster *, const struct node *);
const char *bgp_down(const struct node *);                              /* why nobody there speaks BGP, in a word or two; NULL: somebody does */
box_h part_client(struct scene *, struct world *);                       /* the host outside, with its address in the cluster's first family */
struct object_list part_nodes(struct cluster *, struct arena *);        /* worker-2 before worker-10 */
void part_details(struct scene *, box_h, struct cluster *, const struct object *);       /* what the HTML export shows on a click: the object as YAML */
const char *part_id(struct scene *, const struct object *);             /* pod-default-web */
const char *pod_short(struct arena *, const struct pod *);              /* web-…-28zgf for a Deployment's Pod; its name otherwise */
const char *socket_of(struct arena *, const char *ip, int32_t port);    /* 10.0.0.1:80, [fd00::1]:80 */
ip_addr node_ip(const struct node *);                                   /* its first InternalIP; unset: none */
bool is_system(const struct object *);                                  /* in kube-system or a namespace of podwire's own */
const char *figure_ns(const struct figure_options *);                    /* of a name without one */
bool figure_shows(const struct figure_options *, const struct object *);        /* -n, -A, else all but the system's */
bool focus_is(const struct figure_options *, const struct object *);       /* is that object meant by --focus KIND/[NS/]NAME? */
bool pod_on(const struct pod *, const struct node *);
/* Pods that are endpoints of a Service, in the order of its slices. Lives in the arena. */
struct object_list part_endpoints(struct cluster *, const struct service *, struct arena *);
const char *port_text(struct arena *, const struct service *, uint32_t port);   /* 80 → 8080 */
/* Is the Pod told of the Service, in the environment, the arguments or the command of a container: web:80, http://web.shop, …? */
bool pod_names_service(const struct pod *, const struct service *);

/* The ports that a Pod's containers declare; TCP 80 where they declare none. */
struct pod_ports { uint16_t v[6]; uint8_t proto[6]; uint32_t nr; };
struct pod_ports pod_ports(const struct pod *);

/* Pods of one owner, counted together: a Deployment's Pods whatever their ReplicaSet. */
struct pod_group { const char *kind, *name, *ns; const struct pod *first; uint32_t nr, ready; VEC(const struct pod *) pods; };
struct pod_groups { struct pod_group **v; uint32_t nr, alloc; struct map by_name; };
struct pod_groups pods_grouped(struct cluster *, const struct figure_options *, struct arena *);       /* those shown that are not terminal, in the order (namespace, name) */
struct pod_group *pod_group_of(const struct pod_groups *, const struct pod *, struct arena *);          /* NULL: not among them */

#endif
