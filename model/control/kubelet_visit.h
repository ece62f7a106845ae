/* One visit of the kubelet at a Pod: what its files share. kubelet.c decides what comes next; kubelet_start.c makes sandboxes and starts containers;
 * kubelet_stop.c ends them. */
#ifndef PODWIRE_KUBELET_VISIT_H
#define PODWIRE_KUBELET_VISIT_H

#include "model/control/kubelet.h"

#define COMPONENT "kubelet"

/* What a visit did beside its status: whoever would do the same for another Pod repeats it (kubelet_echo.c). */
struct visit_notes {
	bool own;                               /* anything that is this Pod's alone */
	bool network, address;                  /* it asked whether the Pod network is there; the Pod got its address */
	uint32_t nr, nr_images;
	struct { const struct event_form *form; str what; } v[8];
	struct { str image; nsec at; } images[2];
};

struct visit {
	struct control *t;
	struct cluster *c;
	struct kubelet *k;
	struct pod *p;
	struct prun *r;
	struct node_info *on;
	nsec now, next, later;                  /* next: work falls due; later: a standing timer does */
	ip_addr ip, ip2;
	struct visit_notes notes;
};

struct kubelet *kubelet_of(const struct control *);

/* When to come back: `soon` for work that falls due, `some time` for a standing timer. */
static inline void visit_soon(struct visit *v, nsec at) { v->next = MIN(v->next, at); }
static inline void visit_some_time(struct visit *v, nsec at) { v->later = MIN(v->later, at); }

#define SAY(v, warning, reason, ...) ((v)->notes.own = true, cluster_event((v)->c, &(v)->p->o, warning, COMPONENT, reason, __VA_ARGS__))
static inline void visit_tell(struct visit *v, const struct event_form *form, str what)
{
	if (v->notes.nr == ARRAY_LEN(v->notes.v)) {
		v->notes.own = true;
	} else {
		v->notes.v[v->notes.nr].form = form;
		v->notes.v[v->notes.nr++].what = what;
	}
	cluster_event_form(v->c, &v->p->o, form, what);
}
void visit_greets(struct visit *);                              /* the first look at a Pod that it has admitted */

/* ---- kubelet_start.c */
void sandbox_begin(struct visit *, uint32_t attempt);
void sandbox_made(struct visit *);                              /* its time has come: an address, or the CNI's words */
nsec image_there(struct visit *, str image);                    /* when the node has the image, or will have it if it is asked for now */
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

/* ---- kubelet_echo.c */
struct prun *prun_hold(struct prun *);                          /* by one more; NULL stays NULL */
void prun_drop(struct control *, struct prun *);
bool echo_play(struct visit *);                                 /* true: the visit is made, as one before it */
struct echo *echo_begin(struct visit *);                        /* of a visit in full, before it changes anything; NULL: nobody will repeat it */
void echo_end(struct visit *, struct echo *, const struct told *);

#endif
