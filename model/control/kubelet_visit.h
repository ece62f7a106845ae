/* One visit of the kubelet at a Pod: what its files share. kubelet.c decides what comes next; kubelet_start.c makes sandboxes and starts containers;
 * kubelet_stop.c ends them. */
#ifndef PODWIRE_KUBELET_VISIT_H
#define PODWIRE_KUBELET_VISIT_H

#include "model/control/kubelet.h"

#define COMPONENT "kubelet"


struct visit {
	struct control *t;
	struct cluster *c;
	struct kubelet *k;
	struct pod *p;
	struct prun *r;
	const struct node_info *on;
	nsec now, next, later;                  /* next: work falls due; later: a standing timer does */
	ip_addr ip, ip2;
	bool removed;
};

struct kubelet *kubelet_of(const struct control *);

/* When to come back: `soon` for work that falls due, `some time` for a standing timer. */
static inline void visit_soon(struct visit *v, nsec at) { v->next = MIN(v->next, at); }
static inline void visit_some_time(struct visit *v, nsec at) { v->later = MIN(v->later, at); }

#define SAY(v, warning, reason, ...) cluster_event((v)->c, &(v)->p->o, warning, COMPONENT, reason, __VA_ARGS__)
static inline void visit_tell(struct visit *v, const struct event_form *form, str what)
{
	cluster_event_form(v->c, &v->p->o, form, what);
}

/* ---- kubelet_start.c */
void sandbox_begin(struct visit *, uint32_t attempt);
void sandbox_made(struct visit *);                              /* its time has come: an address, or the CNI's words */
bool container_begin(struct visit *, uint32_t k);               /* false: it must wait, others may go on */
void container_step_done(struct visit *);                       /* of the one that is being started */

/* ---- kubelet_stop.c */
void container_ended(struct visit *, struct crun *);
nsec pod_grace(const struct pod *);
void container_stop(struct visit *, uint32_t k, nsec grace);    /* preStop, SIGTERM, SIGKILL when the grace is over */
void containers_die(struct visit *);                            /* all at once, with their sandbox */
bool any_running(const struct visit *, uint32_t from);
void pod_stop(struct visit *);                                  /* main containers together, then sidecars, the last first */
bool pod_stopped(const struct visit *);

#endif
