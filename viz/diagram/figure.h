/* Figures: each is a selection from the live objects and a ranking, in a file fig_*.c and a row of figures[]. */
#ifndef PODWIRE_FIGURE_H
#define PODWIRE_FIGURE_H

#include "sim/ask/question.h"
#include "sim/engine/world.h"
#include "viz/diagram/scene.h"

struct figure_options { const char *ns; bool all_ns, collapse; const char *focus; uint32_t depth; };

struct figure {
	const char *name;               /* "clusterip"; "node/" takes a name behind it; "trace" takes two ends */
	const char *args, *help;
	/* rest: what stands behind name ("worker-1"), or NULL; args: further words. false: err. */
	bool (*fill)(struct world *, const struct figure_options *, const char *rest, const char *const *args, uint32_t nr, struct scene *, struct err *);
};
extern const struct figure figures[];   /* ends with name NULL */

/* Finds the figure and fills the scene. */
bool figure_fill(struct world *, const struct figure_options *, const char *what, const char *const *args, uint32_t nr, struct scene *, struct err *);

/* ---- for figures (parts.c): boxes that several of them draw alike */
box_h part_pod(struct scene *, box_h parent, const struct pod *, bool containers);
box_h part_service(struct scene *, box_h parent, const struct service *);
box_h part_node(struct scene *, box_h parent, const struct node *);
box_h part_client(struct scene *);
const char *part_id(struct scene *, const struct object *);             /* pod-default-web */
ip_addr node_ip(const struct node *);                                   /* its first InternalIP; unset: none */
bool is_system(const struct object *);                                  /* in kube-system or a namespace of podwire's own */
bool pod_on(const struct pod *, const struct node *);
/* Pods that are endpoints of a Service, in the order of its slices. Lives in the arena. */
struct object_list part_endpoints(struct cluster *, const struct service *, struct arena *);
const char *port_text(struct arena *, const struct service *, uint32_t port);   /* 80 → 8080 */

#endif
